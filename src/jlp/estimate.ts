/** The estimate of the documents: what a day's volume earns the pool, and a holder (market.md, "Estimates"). */
import { mulDiv } from '../../amm/fixed.ts'
import type { Bps, UsdX6 } from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'
import { BPS, usdX6 } from './scale.ts'

export interface YieldEstimate {
  /** The pool's part of the fees. */
  readonly poolUsd: UsdX6
  /** The holder's part of that. */
  readonly holderUsd: UsdX6
}

/**
 * `volume * fee * pool share`, and the holder's part of it; down.
 * @example $50M at 10 bp with 70 % is $35,000; $1,000 of a pool of $4,000,000 gets $8.75 of it.
 */
export const estimateYield = (day: {
  readonly volumeUsd: UsdX6
  readonly feeBps: Bps
  readonly poolShareBps: Bps
  readonly heldUsd: UsdX6
  readonly aumUsd: UsdX6
}): YieldEstimate => {
  const { volumeUsd, feeBps, poolShareBps, heldUsd, aumUsd } = day
  if (aumUsd <= 0n || heldUsd > aumUsd) {
    throw new JlpError('bad-parameter', 'The holding must be part of a pool worth something', { heldUsd, aumUsd })
  }
  const numerator = volumeUsd * feeBps * poolShareBps
  return {
    poolUsd: usdX6(mulDiv(numerator, 1n, BPS * BPS, 'down')),
    holderUsd: usdX6(mulDiv(numerator, heldUsd, BPS * BPS * aumUsd, 'down')),
  }
}
