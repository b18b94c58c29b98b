/** The weekly APR as the pool prints it, and the APY that is shown for it (jupiter.md 2.13). */
import { divide, mulDiv, type Rounding } from '../../amm/fixed.ts'
import type { Bps, PoolFacts, RateX9, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'
import { BPS, RATE_X9, rateX9, usdX6, WEEK_SECONDS, YEAR_SECONDS } from './scale.ts'

/** `realized * YEAR_IN_SECONDS * 10_000 / (pool amount * seconds)`: fees of a stretch, scaled to a year of the pool's value. */
export const aprBps = (
  { realizedUsd, aumUsd, seconds }: { readonly realizedUsd: UsdX6; readonly aumUsd: UsdX6; readonly seconds: bigint },
  rounding: Rounding = 'down',
): Bps => {
  if (aumUsd <= 0n || seconds <= 0n) {
    throw new JlpError('bad-parameter', 'An APR needs a pool worth something and time passed', { aumUsd, seconds })
  }
  return mulDiv(realizedUsd, YEAR_SECONDS * BPS, aumUsd * seconds, rounding) as Bps
}

export interface AprPrint {
  readonly aprBps: Bps
  readonly from: UnixSeconds
  readonly to: UnixSeconds
  /** The pool's share of the fees distributed in between. */
  readonly realizedUsd: UsdX6
  readonly aumUsd: UsdX6
}

/**
 * The update after a distribution, exactly as documented: `if now > last_updated + 1 week`, strictly later, then the sum starts
 * anew. No print otherwise. Integer division, so the figure goes down.
 */
export const updateApr = <P extends Pick<PoolFacts, 'poolApr'>>(
  facts: P,
  { aumUsd, now }: { readonly aumUsd: UsdX6; readonly now: UnixSeconds },
): { readonly facts: P; readonly print: AprPrint | undefined } => {
  const { lastUpdated: from, realizedFeeUsd: realizedUsd } = facts.poolApr
  if (now <= from + WEEK_SECONDS || aumUsd === 0n) return { facts, print: undefined }
  const printed = aprBps({ realizedUsd, aumUsd, seconds: now - from })
  const poolApr = { lastUpdated: now, feeAprBps: printed, realizedFeeUsd: usdX6(0n) }
  return { facts: { ...facts, poolApr }, print: { aprBps: printed, from, to: now, realizedUsd, aumUsd } }
}

const DAYS = 365n

/**
 * The APY shown for an APR, `(1 + apr/365)^365 - 1` (get-pool-apy), exact up to its one rounding.
 * @example shownApy(969n as Bps) // 101_737_... of 10^-9: 10.17 %
 */
export const shownApy = (apr: Bps, rounding: Rounding = 'down'): RateX9 => {
  const base = DAYS * BPS
  return rateX9(divide((base + apr) ** DAYS * RATE_X9, base ** DAYS, rounding) - RATE_X9)
}
