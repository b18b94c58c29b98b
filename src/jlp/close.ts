/**
 * Closing and liquidating a position: what the trader gets, and what it does to the pool (jupiter.md 2.10, 2.11).
 *
 * A long that wins takes tokens out of the pool but no USD that the AUM still counted: the tokens rose, and the rise was never the
 * pool's. A short that wins takes stablecoins while the token that the pool holds fell: a net loss in USD. A loser's loss stays.
 */
import type { PositionFacts, SignedUsdX6, TokenAtoms, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { accrueBorrow, borrowFee } from './borrow.ts'
import { type Rejected, reject } from './errors.ts'
import { positionFee, recordTrade } from './impact.ts'
import { heldForShort } from './open.ts'
import { custodyOf, type JlpCustody, type JlpPool, priceOut, withCustody, withFacts } from './pool.ts'
import { exitPrice, isLiquidatable, positionPnl } from './position.ts'
import { tokensFor, usdOf } from './price.ts'
import { larger, signedUsdX6, smaller, tokenAtoms, usdX6 } from './scale.ts'
import { removeShort } from './shorts.ts'

export interface Settled {
  readonly kind: 'closed' | 'liquidated'
  /** PnL after the cap by the locked tokens; fees are apart. */
  readonly pnlUsd: SignedUsdX6
  readonly closeFeeUsd: UsdX6
  readonly borrowFeeUsd: UsdX6
  /** To the trader, in tokens of the collateral's custody. */
  readonly payout: TokenAtoms
  /** Of the fees, what the collateral could pay: into that custody's reserve. */
  readonly feeTokens: TokenAtoms
  /** What the pool's own tokens changed by: a loser's loss or, below 0, a winner's profit. For a long it includes the collateral. */
  readonly ownedChange: bigint
  readonly position: PositionFacts
  readonly next: JlpPool
}

/** A position valued at this moment: everything that closing and liquidating share. */
const assess = (pool: JlpPool, position: PositionFacts, now: UnixSeconds) => {
  const { side, sizeUsd, lockedAmount } = position
  const before = custodyOf(pool, position.custody)
  const buffer = recordTrade(before.facts.priceImpactBuffer, -sizeUsd, now)
  const recorded = withCustody(pool, withFacts(before, { priceImpactBuffer: buffer }))
  const collateral = custodyOf(recorded, position.collateralCustody)
  const paying: JlpCustody = { ...collateral, facts: accrueBorrow(collateral.facts, now) }
  const { decreasePositionBps: baseBps, pricing } = before.facts
  const { feeUsd: closeFeeUsd } = positionFee(sizeUsd, { baseBps, scalar: pricing.tradeImpactFeeScalar, buffer })
  const borrowFeeUsd = borrowFee(
    sizeUsd,
    {
      snapshot: position.cumulativeInterestSnapshot,
      cumulative: paying.facts.fundingRateState.cumulativeInterestRate,
    },
    'up',
  )
  const exit = exitPrice(side, before.price)
  const cap = usdOf(lockedAmount, paying.facts.decimals, priceOut(paying), 'down')
  const pnlUsd = signedUsdX6(smaller(positionPnl(position, exit), cap))
  return { recorded, paying, exit, pnlUsd, closeFeeUsd, borrowFeeUsd }
}

type Assessment = ReturnType<typeof assess>

const settle = (
  position: PositionFacts,
  { recorded, paying, pnlUsd, closeFeeUsd, borrowFeeUsd }: Assessment,
  { kind, payoutUsd, now }: { readonly kind: Settled['kind']; readonly payoutUsd: bigint; readonly now: UnixSeconds },
): Settled | Rejected => {
  const { side, sizeUsd, collateralUsd, lockedAmount } = position
  const { assets, decimals, totalStakedAmountLamports } = paying.facts
  const price = priceOut(paying)
  const left = larger(collateralUsd + pnlUsd, 0n)
  const feesUsd = smaller(closeFeeUsd + borrowFeeUsd, left)
  // Both down: what the cut leaves over stays among the pool's own tokens.
  const payout = tokenAtoms(tokensFor(payoutUsd, decimals, price, 'down'))
  const feeTokens = tokenAtoms(tokensFor(feesUsd, decimals, price, 'down'))
  const brought = side === 'short' ? heldForShort(collateralUsd, decimals) : 0n
  const ownedChange = brought - payout - feeTokens
  const liquid = assets.owned - totalStakedAmountLamports
  if (-ownedChange > liquid) return reject('insufficient-liquidity', { wanted: -ownedChange, free: liquid })

  let next = withCustody(
    recorded,
    withFacts(paying, {
      assets: {
        ...assets,
        owned: tokenAtoms(assets.owned + ownedChange),
        locked: tokenAtoms(assets.locked - lockedAmount),
        feesReserves: tokenAtoms(assets.feesReserves + feeTokens),
        guaranteedUsd: usdX6(assets.guaranteedUsd - (side === 'long' ? sizeUsd - collateralUsd : 0n)),
      },
    }),
  )
  if (side === 'short') {
    const shorted = custodyOf(next, position.custody)
    next = withCustody(next, withFacts(shorted, { assets: removeShort(shorted.facts.assets, sizeUsd, position.price) }))
  }
  const closed: PositionFacts = {
    ...position,
    updateTime: now,
    sizeUsd: usdX6(0n),
    collateralUsd: usdX6(0n),
    lockedAmount: tokenAtoms(0n),
    realisedPnlUsd: signedUsdX6(position.realisedPnlUsd + pnlUsd - closeFeeUsd - borrowFeeUsd),
  }
  return { kind, pnlUsd, closeFeeUsd, borrowFeeUsd, payout, feeTokens, ownedChange, position: closed, next }
}

/** Closes a position whole. Payout down; refused where nothing would be left after losses and fees. */
export const closePosition = (pool: JlpPool, position: PositionFacts, now: UnixSeconds): Settled | Rejected => {
  if (position.sizeUsd === 0n) return reject('position-closed')
  if (!custodyOf(pool, position.custody).facts.permissions.allowDecreasePosition) return reject('decrease-closed')
  const assessed = assess(pool, position, now)
  const { pnlUsd, closeFeeUsd, borrowFeeUsd } = assessed
  const payoutUsd = position.collateralUsd + pnlUsd - closeFeeUsd - borrowFeeUsd
  if (payoutUsd < 0n) return reject('under-water', { short: -payoutUsd })
  return settle(position, assessed, { kind: 'closed', payoutUsd, now })
}

/**
 * Liquidates a position that is past its greatest loss: the trader gets nothing, all that is left of the collateral is the pool's.
 * The fees that it can still pay go through the reserve (the article counts them as `liq_fees`); that split is not documented.
 */
export const liquidatePosition = (pool: JlpPool, position: PositionFacts, now: UnixSeconds): Settled | Rejected => {
  if (position.sizeUsd === 0n) return reject('position-closed')
  const traded = custodyOf(pool, position.custody)
  if (!traded.facts.permissions.allowLiquidatePosition) return reject('liquidate-closed')
  const assessed = assess(pool, position, now)
  const { exit, borrowFeeUsd } = assessed
  if (!isLiquidatable(position, { traded: traded.facts, borrowFeeUsd, exit })) {
    return reject('healthy', { exit, borrowFeeUsd })
  }
  return settle(position, assessed, { kind: 'liquidated', payoutUsd: 0n, now })
}
