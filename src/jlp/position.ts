/** A position's profit, the loss it may bear, and the price at which it is liquidated (jupiter.md 2.10, 2.11). */
import { mulDiv } from '../../amm/fixed.ts'
import type { Bps, CustodyFacts, PositionFacts, SignedUsdX6, UsdX6 } from '../jupiter/facts.ts'
import { borrowFee } from './borrow.ts'
import { JlpError } from './errors.ts'
import { linearImpactBps } from './impact.ts'
import { type Price, priceX6 } from './price.ts'
import { BPS, larger, magnitude, signedUsdX6, usdX6 } from './scale.ts'

/** The part of a position that its profit depends on. */
export type Exposure = Pick<PositionFacts, 'side' | 'price' | 'sizeUsd'>

const checkOpen = ({ side, price, sizeUsd }: Exposure): void => {
  if (side === 'none' || price === 0n || sizeUsd === 0n) {
    throw new JlpError('bad-parameter', 'The position must have a side, an entry price and a size', {
      side,
      price,
      sizeUsd,
    })
  }
}

/** The exit price of a position, rounded against the trader: down for a long, up for a short. */
export const exitPrice = (side: Exposure['side'], price: Price): UsdX6 =>
  priceX6(price, side === 'long' ? 'down' : 'up')

/** `size * |exit - entry| / entry`, with the trader's sign; towards minus infinity, so the odd atom is the pool's. */
export const positionPnl = (position: Exposure, exit: UsdX6): SignedUsdX6 => {
  checkOpen(position)
  const change = position.side === 'long' ? exit - position.price : position.price - exit
  return signedUsdX6(mulDiv(position.sizeUsd, change, position.price, 'down'))
}

/** What closing costs at least: base fee and linear impact, without the additive one, which nobody knows beforehand; up. */
export const closingFee = (sizeUsd: UsdX6, facts: CustodyFacts): UsdX6 => {
  const bps = facts.decreasePositionBps + linearImpactBps(sizeUsd, facts.pricing.tradeImpactFeeScalar)
  return usdX6(mulDiv(sizeUsd, bps, BPS, 'up'))
}

/** The collateral that must be left at the greatest leverage, plus the fees that are already owed. */
export const maxLoss = (sizeUsd: UsdX6, facts: CustodyFacts, borrowFeeUsd: UsdX6): UsdX6 => {
  const { maxLeverage } = facts.pricing
  if (maxLeverage === 0n) throw new JlpError('bad-parameter', 'The custody’s greatest leverage must be positive')
  return usdX6((sizeUsd * BPS) / maxLeverage + closingFee(sizeUsd, facts) + borrowFeeUsd)
}

/**
 * The price at which collateral and PnL together reach `maxLoss`, as published (get-liquidation-price): the distance from the entry
 * goes down, and the borrow fee is that of the stored rate, down. A long that can lose no more than its collateral has 0.
 * @example a short of $992.90 at 113.130153 with $99.29 of collateral: 124_032_209n, $124.032209
 */
export const liquidationPrice = (
  position: PositionFacts,
  { traded, collateral }: { readonly traded: CustodyFacts; readonly collateral: CustodyFacts },
): UsdX6 => {
  checkOpen(position)
  const { sizeUsd, collateralUsd, price, side, cumulativeInterestSnapshot: snapshot } = position
  const cumulative = collateral.fundingRateState.cumulativeInterestRate
  const loss = maxLoss(sizeUsd, traded, borrowFee(sizeUsd, { snapshot, cumulative }, 'down'))
  const distance = mulDiv(magnitude(loss - collateralUsd), price, sizeUsd, 'down')
  const away = loss <= collateralUsd === (side === 'long')
  return usdX6(larger(away ? price - distance : price + distance, 0n))
}

/** Whether what is left of the collateral is below `maxLoss`; at it exactly, the position is healthy. */
export const isLiquidatable = (
  position: PositionFacts,
  { traded, borrowFeeUsd, exit }: { readonly traded: CustodyFacts; readonly borrowFeeUsd: UsdX6; readonly exit: UsdX6 },
): boolean => position.collateralUsd + positionPnl(position, exit) < maxLoss(position.sizeUsd, traded, borrowFeeUsd)

/** Size against collateral, in bp of leverage (10,000 is 1x), down. */
export const leverageBps = ({ sizeUsd, collateralUsd }: PositionFacts): Bps =>
  mulDiv(sizeUsd, BPS, collateralUsd, 'down') as Bps
