/** A market's terms, their defaults (docs/protocol.md section 9) and the bounds that no authority can leave. */
import type { CouponKind, FeeTerms, Grid } from '../../amm/index.ts'
import { HOUR_SECONDS, WEEK_SECONDS } from '../oracle/accrual.ts'
import { refuse } from './errors.ts'

/** What may be changed after creation, queued for 24 hours; none of it can tighten the ratios of open accounts. */
export interface ChangeableTerms extends FeeTerms {
  /** How far a margined trade may leave the TWAP, bp of the rate. */
  readonly guardBps: number
  /** How far a forced close may leave the TWAP or the observed rate, bp of the rate; see caseOf in liquidate.ts. */
  readonly forcedBps: number
  /** Cap on each side's YT, bp of the JLP supply. */
  readonly openInterestBps: number
  /** Most of a liquidated leg that is charged, bp. */
  readonly penaltyBps: number
}

export interface MarketTerms extends ChangeableTerms {
  readonly grid: Grid
  /** Collateral ratios, bp: opening at spot, opening at TWAP, maintenance at TWAP, wholly liquidated below. */
  readonly initialBps: number
  readonly initialTwapBps: number
  readonly maintenanceBps: number
  readonly wholeBps: number
  /** Lower bound on a coupon that the long gap is computed with, bp of the implied one. */
  readonly lowCouponBps: number
  /** Seconds between two coupons. */
  readonly period: number
  /** Seconds of the TWAP, and of history that a margined trade needs. */
  readonly twapWindow: number
  /** Q64.64 of `s` a second. */
  readonly clampPerSecond: bigint
  /** Accounts that owe less than this are liquidated wholly; JLP atoms. */
  readonly minimumSize: bigint
}

const COMMON = {
  grid: { spacing: 10, minTick: 50, maxTick: 13_860 },
  feeBps: 10,
  lpShareBps: 5000,
  insuranceShareBps: 5000,
  initialBps: 11_000,
  initialTwapBps: 10_605,
  maintenanceBps: 10_500,
  wholeBps: 10_250,
  twapWindow: 300,
  clampPerSecond: (1n << 64n) / 10_000n,
  guardBps: 1000,
  forcedBps: 100,
  penaltyBps: 200,
  minimumSize: 1_000_000n,
}

export const DEFAULT_TERMS: Readonly<Record<CouponKind, MarketTerms>> = {
  hourly: { ...COMMON, lowCouponBps: 0, period: HOUR_SECONDS, openInterestBps: 1000 },
  weekly: { ...COMMON, lowCouponBps: 2500, period: WEEK_SECONDS, openInterestBps: 500 },
}

/** Bounds in code, also a table in docs/protocol.md section 12. */
export const TERM_BOUNDS: Readonly<Record<keyof ChangeableTerms, readonly [number, number]>> = {
  feeBps: [1, 100],
  lpShareBps: [2500, 10_000],
  insuranceShareBps: [2500, 10_000],
  guardBps: [200, 2500],
  forcedBps: [25, 1000],
  openInterestBps: [0, 2000],
  penaltyBps: [0, 500],
}

/** The changeable terms of whatever is given, and nothing else of it. */
export const changeableOf = <T extends Partial<ChangeableTerms>>(terms: T): Pick<T, keyof ChangeableTerms & keyof T> =>
  Object.fromEntries(Object.entries(terms).filter(([name]) => name in TERM_BOUNDS)) as Pick<
    T,
    keyof ChangeableTerms & keyof T
  >

/** Refuses with `bad-parameter` unless every changeable term is a whole number within its bounds. */
export const checkTerms = (terms: ChangeableTerms): void => {
  for (const [name, [least, most]] of Object.entries(TERM_BOUNDS)) {
    const value = terms[name as keyof ChangeableTerms]
    if (!Number.isInteger(value) || value < least || value > most) {
      refuse('bad-parameter', { name, value, least, most })
    }
  }
}
