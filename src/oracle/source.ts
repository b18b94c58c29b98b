/**
 * Jupiter's pool account as the source of coupons: what it must be, and what was earned between two readings of it
 * (docs/protocol.md section 4). Anything unexpected refuses the step; nothing is ever extrapolated.
 */
import { mulDiv } from '../../amm/fixed.ts'
import { YEAR_SECONDS_N } from '../../amm/units.ts'
import type { PoolFacts } from '../jupiter/facts.ts'
import { type Earned, HOUR_SECONDS, type RateIndex, WEEKLY_AUM } from './accrual.ts'
import { OracleError } from './errors.ts'

/** Canaries of the account's layout: constants of the one pool there is (slot 450101361, 24 September 2026). */
export const POOL_BUMP = 252
export const LP_TOKEN_BUMP = 254
export const INCEPTION_TIME = 1_689_677_832n

export interface SourceTerms {
  /** Seconds after the hour before its distribution is read. */
  readonly settlingDelay: number
  /** Oldest AUM that is accepted, seconds. */
  readonly maxAumAge: number
  /** Without a step for this long the market is reduce-only, seconds after the coupon was due. */
  readonly reduceOnlyAfter: number
}

export const SOURCE_TERMS: Readonly<Record<RateIndex['kind'], SourceTerms>> = {
  hourly: { settlingDelay: 300, maxAumAge: 600, reduceOnlyAfter: 2 * HOUR_SECONDS },
  weekly: { settlingDelay: 0, maxAumAge: 3600, reduceOnlyAfter: 8 * 86_400 },
}

/** What of Jupiter's pool account a coupon is read from. */
export type PoolReading = Pick<
  PoolFacts,
  'poolApr' | 'aumUsd' | 'aumUsdUpdatedAt' | 'bump' | 'lpTokenBump' | 'inceptionTime'
>

/** What an index remembers of the last reading. */
export interface Cursor {
  readonly lastUpdated: bigint
  readonly realizedFeeUsd: bigint
}

export const cursorOf = (pool: PoolReading): Cursor => ({
  lastUpdated: pool.poolApr.lastUpdated,
  realizedFeeUsd: pool.poolApr.realizedFeeUsd,
})

/** Throws unless these facts are of Jupiter's pool, with a fresh AUM. The decoder has checked address, owner and length. */
export const checkSource = (pool: PoolReading, now: number, terms: SourceTerms): void => {
  const wrong = (what: string, value: bigint | number): never => {
    throw new OracleError('bad-source', `${what} is not that of Jupiter's pool: its layout may have changed`, { value })
  }
  if (pool.bump !== POOL_BUMP) wrong('The bump', pool.bump)
  if (pool.lpTokenBump !== LP_TOKEN_BUMP) wrong('The JLP mint bump', pool.lpTokenBump)
  if (pool.inceptionTime !== INCEPTION_TIME) wrong('The inception time', pool.inceptionTime)
  if (pool.aumUsd <= 0n) wrong('The AUM', pool.aumUsd)
  const age = BigInt(now) - pool.aumUsdUpdatedAt
  if (age > BigInt(terms.maxAumAge) || age < -60n) {
    throw new OracleError('stale-source', `The pool's AUM is ${age} s old; refresh the pool first`, { age })
  }
  if (pool.poolApr.lastUpdated > BigInt(now)) wrong('The time of the last APR update', pool.poolApr.lastUpdated)
}

/** What a reading earned, and across a weekly update how far Jupiter's own figure was from what was seen. */
export interface Reading extends Earned {
  readonly cursor: Cursor
  /** Hourly, across a weekly update: remainder by the formula, before the clamp, in 10^-6 USD. */
  readonly remainder?: bigint
  readonly remainderPaid?: bigint
}

/**
 * An hourly reading at `now`, at least the settling delay after a full hour: the increase of `realized_fee_usd`. When the
 * weekly update lies between, the finished week's total follows from its published APR (`apr = realized * year * 10^4 /
 * (aum * seconds)`, rounded down by Jupiter); the part of it that was not seen is clamped to [0, 3 mean hours].
 */
export const readHourly = (index: RateIndex, cursor: Cursor, pool: PoolReading, now: number): Reading => {
  const terms = SOURCE_TERMS.hourly
  checkSource(pool, now, terms)
  const to = Math.floor((now - terms.settlingDelay) / HOUR_SECONDS) * HOUR_SECONDS
  if (to <= index.lastStep)
    throw new OracleError('too-early', 'No further hour has settled', { now, lastStep: index.lastStep })
  const { lastUpdated, feeAprBps, realizedFeeUsd } = pool.poolApr
  const aum = pool.aumUsd
  if (lastUpdated === cursor.lastUpdated) {
    if (realizedFeeUsd < cursor.realizedFeeUsd) {
      throw new OracleError('bad-source', 'Realised fees fell without a weekly update', {
        before: cursor.realizedFeeUsd,
        after: realizedFeeUsd,
      })
    }
    return { to, aum, fees: realizedFeeUsd - cursor.realizedFeeUsd, cursor: cursorOf(pool) }
  }
  if (lastUpdated < cursor.lastUpdated) {
    throw new OracleError('bad-source', 'The weekly update went back in time', {
      before: cursor.lastUpdated,
      after: lastUpdated,
    })
  }
  const seconds = lastUpdated - cursor.lastUpdated
  const total = mulDiv(feeAprBps * aum, seconds, 10_000n * YEAR_SECONDS_N, 'down')
  const remainder = total - cursor.realizedFeeUsd
  const seen = Math.max(index.lastStep - Number(cursor.lastUpdated), HOUR_SECONDS)
  const threeHours = (cursor.realizedFeeUsd * BigInt(3 * HOUR_SECONDS)) / BigInt(seen)
  const remainderPaid = remainder < 0n ? 0n : remainder > threeHours ? threeHours : remainder
  return { to, aum, fees: remainderPaid + realizedFeeUsd, cursor: cursorOf(pool), remainder, remainderPaid }
}

/** A weekly reading: due when `last_updated` has moved; the yield is the published APR over the time it is for. */
export const readWeekly = (index: RateIndex, cursor: Cursor, pool: PoolReading, now: number): Reading => {
  checkSource(pool, now, SOURCE_TERMS.weekly)
  const { lastUpdated, feeAprBps } = pool.poolApr
  if (lastUpdated <= cursor.lastUpdated) {
    throw new OracleError('too-early', 'No new weekly figure is published', { lastUpdated, lastStep: index.lastStep })
  }
  return {
    to: Number(lastUpdated),
    aum: WEEKLY_AUM,
    fees: feeAprBps * (lastUpdated - cursor.lastUpdated),
    cursor: cursorOf(pool),
  }
}

/** May a market trade now? `coupon-due`: put an accrual in front. `reduce-only`: no data for too long, exits stay open. */
export type Freshness = 'fresh' | 'coupon-due' | 'reduce-only'

/** Freshness of an index at `now`, given Jupiter's present `last_updated`. */
export const freshness = (index: RateIndex, jupiterLastUpdated: bigint, now: number): Freshness => {
  const { settlingDelay, reduceOnlyAfter } = SOURCE_TERMS[index.kind]
  if (index.kind === 'hourly') {
    const dueAt = index.lastStep + HOUR_SECONDS + settlingDelay
    if (now < dueAt) return 'fresh'
    return now >= dueAt + reduceOnlyAfter ? 'reduce-only' : 'coupon-due'
  }
  // A coupon that is published but that nobody can pay does not keep exits closed for ever: only for as long again.
  const published = jupiterLastUpdated > BigInt(index.lastStep)
  if (published && now < index.lastStep + 2 * reduceOnlyAfter) return 'coupon-due'
  return now >= index.lastStep + reduceOnlyAfter ? 'reduce-only' : 'fresh'
}
