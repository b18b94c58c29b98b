/**
 * Opening a position: what the trader posts, and what it does to the pool. A long's collateral joins the pool's tokens, the size
 * is locked in tokens, and `guaranteedUsd` grows by what was lent; a short's collateral stays apart, its size is locked in
 * stablecoins. Either way the AUM stays where it is, to rounding; the fee goes to the reserve of the collateral's custody.
 *
 * This bookkeeping is inferred from the AUM formula and from `guaranteedUsd` being the sum of size less collateral over all longs.
 */
import type {
  Address,
  CustodyFacts,
  PositionFacts,
  SignedUsdX6,
  TokenAtoms,
  UnixSeconds,
  UsdX6,
} from '../jupiter/facts.ts'
import { accrueBorrow } from './borrow.ts'
import { type Rejected, reject } from './errors.ts'
import { type PositionFee, positionFee, recordTrade } from './impact.ts'
import { custodyOf, type JlpCustody, type JlpPool, priceIn, withCustody, withFacts } from './pool.ts'
import { exitPrice, isLiquidatable, maxLoss } from './position.ts'
import { priceX6, tokensFor, usdOf } from './price.ts'
import { tokenAtoms, U64_MAX, usdX6 } from './scale.ts'
import { addShort } from './shorts.ts'

export interface OpenOrder {
  readonly owner: Address
  readonly side: 'long' | 'short'
  readonly custody: Address
  readonly collateralCustody: Address
  /** Tokens of the collateral's custody. */
  readonly collateral: TokenAtoms
  readonly sizeUsd: UsdX6
  readonly now: UnixSeconds
}

export interface Opened {
  readonly kind: 'opened'
  readonly position: PositionFacts
  readonly fee: PositionFee
  /** The fee in tokens of the collateral's custody, added to its reserve. */
  readonly feeTokens: TokenAtoms
  readonly next: JlpPool
}

/** Stablecoins that stand for a short's collateral, held apart from the pool's: $1 each, so a later depeg is not the pool's gift. */
export const heldForShort = (collateralUsd: UsdX6, decimals: number): TokenAtoms =>
  tokenAtoms(tokensFor(collateralUsd, decimals, { price: 1n, expo: 0 }, 'down'))

interface Parts {
  readonly locked: bigint
  readonly collateralUsd: UsdX6
  readonly fee: PositionFee
  readonly feeTokens: TokenAtoms
}

const longAssets = (paying: JlpCustody, order: OpenOrder, parts: Parts): CustodyFacts['assets'] => {
  const { assets } = paying.facts
  return {
    ...assets,
    owned: tokenAtoms(assets.owned + order.collateral - parts.feeTokens),
    locked: tokenAtoms(assets.locked + parts.locked),
    feesReserves: tokenAtoms(assets.feesReserves + parts.feeTokens),
    guaranteedUsd: usdX6(assets.guaranteedUsd + order.sizeUsd - parts.collateralUsd),
  }
}

const shortAssets = (paying: JlpCustody, order: OpenOrder, parts: Parts): CustodyFacts['assets'] => {
  const { assets, decimals } = paying.facts
  // Below $1 a stablecoin is taken at its price, so some atoms are over; they are the pool's.
  const over = order.collateral - parts.feeTokens - heldForShort(parts.collateralUsd, decimals)
  return {
    ...assets,
    owned: tokenAtoms(assets.owned + over),
    locked: tokenAtoms(assets.locked + parts.locked),
    feesReserves: tokenAtoms(assets.feesReserves + parts.feeTokens),
  }
}

const refuseBySize = (order: OpenOrder, { facts }: JlpCustody, paying: JlpCustody): Rejected | undefined => {
  const { sizeUsd, side } = order
  if (sizeUsd === 0n || order.collateral === 0n) return reject('zero-amount')
  const fits = side === 'long' ? paying.address === order.custody : paying.facts.isStable
  if (!fits || facts.isStable) return reject('wrong-collateral')
  if (!facts.permissions.allowIncreasePosition) return reject('increase-closed')
  if (sizeUsd > facts.maxPositionSizeUsd)
    return reject('position-too-large', { sizeUsd, limit: facts.maxPositionSizeUsd })
  const { globalShortSizes } = facts.assets
  const { maxGlobalShortSizes: limit } = facts.pricing
  if (side === 'short' && globalShortSizes + sizeUsd > limit)
    return reject('short-limit', { globalShortSizes, sizeUsd, limit })
  return undefined
}

/** Opens a position of `sizeUsd`. Collateral is counted down, fee and locked tokens up, the entry price against the trader. */
export const openPosition = (pool: JlpPool, order: OpenOrder): Opened | Rejected => {
  const { side, sizeUsd, now } = order
  const traded = custodyOf(pool, order.custody)
  const refused = refuseBySize(order, traded, custodyOf(pool, order.collateralCustody))
  if (refused !== undefined) return refused

  const buffer = recordTrade(traded.facts.priceImpactBuffer, sizeUsd, now)
  const recorded = withCustody(pool, withFacts(traded, { priceImpactBuffer: buffer }))
  const collateral = custodyOf(recorded, order.collateralCustody)
  const paying = { ...collateral, facts: accrueBorrow(collateral.facts, now) }
  const { decimals, assets } = paying.facts
  const { increasePositionBps: baseBps, pricing } = traded.facts
  const fee = positionFee(sizeUsd, { baseBps, scalar: pricing.tradeImpactFeeScalar, buffer })

  const feeTokens = tokensFor(fee.feeUsd, decimals, priceIn(paying), 'up')
  const needed = maxLoss(sizeUsd, traded.facts, usdX6(0n))
  if (feeTokens >= order.collateral) return reject('leverage-too-high', { collateralUsd: 0n, needed })
  if (assets.owned + assets.feesReserves + order.collateral > U64_MAX) return reject('amount-too-large')
  const collateralUsd = usdOf(order.collateral - feeTokens, decimals, priceIn(paying), 'down')
  if (collateralUsd > sizeUsd) return reject('collateral-above-size', { collateralUsd, sizeUsd })
  const lent = assets.guaranteedUsd + sizeUsd - collateralUsd
  const { maxGlobalLongSizes: limit } = pricing
  if (side === 'long' && lent > limit) return reject('long-limit', { lent, limit })

  const locked = tokensFor(sizeUsd, decimals, priceIn(paying), 'up')
  const parts = { locked, collateralUsd, fee, feeTokens: tokenAtoms(feeTokens) }
  if (locked > U64_MAX) return reject('insufficient-liquidity', { wanted: locked, free: assets.owned - assets.locked })
  const after = side === 'long' ? longAssets(paying, order, parts) : shortAssets(paying, order, parts)
  if (after.locked > after.owned) {
    return reject('insufficient-liquidity', { wanted: locked, free: after.owned - assets.locked })
  }
  const entry = priceX6(traded.price, side === 'long' ? 'up' : 'down')
  let next = withCustody(recorded, withFacts(paying, { assets: after }))
  if (side === 'short') {
    const shorted = custodyOf(next, order.custody)
    next = withCustody(next, withFacts(shorted, { assets: addShort(shorted.facts.assets, sizeUsd, entry) }))
  }
  const position: PositionFacts = {
    owner: order.owner,
    pool: traded.facts.pool,
    custody: order.custody,
    collateralCustody: order.collateralCustody,
    openTime: now,
    updateTime: now,
    side,
    price: entry,
    sizeUsd,
    collateralUsd,
    realisedPnlUsd: 0n as SignedUsdX6,
    cumulativeInterestSnapshot: paying.facts.fundingRateState.cumulativeInterestRate,
    lockedAmount: tokenAtoms(locked),
    bump: 0,
  }
  // At the exit price of this very moment, so that nobody opens what could be liquidated at once.
  const exit = exitPrice(side, traded.price)
  if (isLiquidatable(position, { traded: traded.facts, borrowFeeUsd: usdX6(0n), exit })) {
    return reject('leverage-too-high', { collateralUsd, needed })
  }
  return { kind: 'opened', position, fee, feeTokens: parts.feeTokens, next }
}
