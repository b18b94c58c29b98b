/**
 * The weight-dependent fee of mint, redeem and swap (jupiter.md 2.4; getFeeBps of the published examples, the fee of GMX's
 * vault): what moves a weight towards its target pays less than the base, what moves it away pays more.
 */
import { mulDiv } from '../../amm/fixed.ts'
import type { Bps, PoolFacts, TokenAtoms, UsdX6 } from '../jupiter/facts.ts'
import { theoreticallyOwned } from './aum.ts'
import type { JlpCustody } from './pool.ts'
import { usdOf } from './price.ts'
import { BPS, larger, magnitude, smaller, tokenAtoms } from './scale.ts'

export type Direction = 'in' | 'out'

/** Base fee, the tax that is scaled by the distance from the target, and by how much a trade is priced larger than it is. */
export interface FeeTerms {
  readonly baseBps: Bps
  readonly taxBps: Bps
  /** A plain integer, 100 on chain: a trade is priced as if it were that many times larger. */
  readonly multiplier: bigint
}

export const liquidityFeeTerms = ({ fees }: PoolFacts): FeeTerms => ({
  baseBps: fees.addRemoveLiquidityBps,
  taxBps: fees.taxBps,
  multiplier: fees.swapMultiplier,
})

export const swapFeeTerms = ({ fees }: PoolFacts, bothStable: boolean): FeeTerms =>
  bothStable
    ? { baseBps: fees.stableSwapBps, taxBps: fees.stableSwapTaxBps, multiplier: fees.stableSwapMultiplier }
    : { baseBps: fees.swapBps, taxBps: fees.taxBps, multiplier: fees.swapMultiplier }

/** The value that the fee compares with the target: no short PnL and no floor at $1, unlike the AUM. */
export const valueForFee = ({ facts, price }: JlpCustody): bigint => {
  if (facts.isStable) return usdOf(theoreticallyOwned(facts), facts.decimals, price, 'down')
  // Lent-out tokens are in both terms of "owned less locked", so they cancel.
  const unlocked = larger(facts.assets.owned - facts.assets.locked, 0n)
  return usdOf(unlocked, facts.decimals, price, 'down') + facts.assets.guaranteedUsd
}

/**
 * The fee in bp for moving `usd` in or out of a custody of a pool worth `aumUsd`. Integer steps and their rounding are those
 * of the example: the vectors depend on them. A custody without a target charges nothing.
 */
export const weightFeeBps = (
  custody: JlpCustody,
  { aumUsd, usd, direction, terms }: { aumUsd: UsdX6; usd: UsdX6; direction: Direction; terms: FeeTerms },
): Bps => {
  const target = mulDiv(aumUsd, custody.facts.targetRatioBps, BPS, 'down')
  if (target === 0n) return 0n as Bps
  const before = valueForFee(custody)
  const moved = terms.multiplier * usd
  const after = direction === 'in' ? before + moved : larger(before - moved, 0n)
  const distanceBefore = magnitude(before - target)
  const distanceAfter = magnitude(after - target)
  if (distanceAfter < distanceBefore) {
    return larger(terms.baseBps - mulDiv(terms.taxBps, distanceBefore, target, 'down'), 0n) as Bps
  }
  const average = smaller((distanceBefore + distanceAfter) / 2n, target)
  return (terms.baseBps + mulDiv(terms.taxBps, average, target, 'down')) as Bps
}

/** The fee of a swap: the dearer of its two sides. */
export const swapFeeBps = (
  sides: { readonly from: JlpCustody; readonly to: JlpCustody },
  { facts, aumUsd, usd }: { facts: PoolFacts; aumUsd: UsdX6; usd: UsdX6 },
): Bps => {
  const terms = swapFeeTerms(facts, sides.from.facts.isStable && sides.to.facts.isStable)
  const paidIn = weightFeeBps(sides.from, { aumUsd, usd, direction: 'in', terms })
  const paidOut = weightFeeBps(sides.to, { aumUsd, usd, direction: 'out', terms })
  return larger(paidIn, paidOut) as Bps
}

/** Tokens kept of `amount`. The example cuts the fee down to whole atoms; the odd atom is the pool's here, so it goes up. */
export const feeTokens = (amount: bigint, feeBps: Bps): TokenAtoms => tokenAtoms(mulDiv(amount, feeBps, BPS, 'up'))
