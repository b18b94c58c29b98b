/**
 * The official APR: what Jupiter last printed, or what a history says it printed, with its age. It looks back a week and stands for
 * another, so its age is part of it.
 */
import type { PoolFacts } from '../jupiter/facts.ts'
import { DAY_SECONDS, DAYS_PER_WEEK, DAYS_PER_YEAR, dateOf, dayAndHours, secondsOf, weekStart } from './calendar.ts'
import { OracleError } from './errors.ts'
import { type History, type HistoryWeek, weeks } from './history.ts'

/** The next print is due after a week; a day later the old one is stale. */
export const STALE_AFTER = 8 * DAY_SECONDS

export interface Official {
  /** Rounded down by Jupiter, 10^-4 a year; without the gains and losses of the pool's assets. */
  readonly aprBps: bigint
  /** Percent a year, as the next. */
  readonly aprPercent: number
  /** The APR compounded daily, as Jupiter shows it: `(1 + apr/365)^365 - 1`. */
  readonly apyPercent: number
  /** Unix seconds. */
  readonly publishedAt: number
  readonly ageSeconds: number
}

export type OfficialReading = ({ readonly kind: 'fresh' } & Official) | ({ readonly kind: 'stale' } & Official)

/** APY, a fraction, of an APR in percent that is compounded daily. */
export const apyOf = (aprPercent: number): number => (1 + aprPercent / 100 / DAYS_PER_YEAR) ** DAYS_PER_YEAR - 1

/** The same in percent. */
export const apyPercentOf = (aprPercent: number): number => apyOf(aprPercent) * 100

const reading = (aprBps: bigint, publishedAt: number, now: number): OfficialReading => {
  const aprPercent = Number(aprBps) / 100
  const ageSeconds = now - publishedAt
  const kind = ageSeconds > STALE_AFTER ? 'stale' : 'fresh'
  return { kind, aprBps, aprPercent, apyPercent: apyPercentOf(aprPercent), publishedAt, ageSeconds }
}

/** What the pool account says at `now` (Unix seconds). */
export const officialFromPool = ({ poolApr }: Pick<PoolFacts, 'poolApr'>, now: number): OfficialReading => {
  const publishedAt = Number(poolApr.lastUpdated)
  if (publishedAt > now) {
    throw new OracleError('bad-source', 'The APR was last updated in the future: check the clock', { publishedAt, now })
  }
  return reading(poolApr.feeAprBps, publishedAt, now)
}

/** The last full week of a history that was over at `asOf`. Throws `no-data` before there is one. */
export const lastFullWeek = (history: History, asOf: number): HistoryWeek => {
  const { day } = dayAndHours(asOf)
  const week = weeks(history).findLast(({ day: saturday }) => saturday + DAYS_PER_WEEK <= weekStart(day))
  if (week !== undefined) return week
  throw new OracleError('no-data', `${history.name} has no full week before ${dateOf(day)}`, { asOf })
}

/** What a history's last full week printed, as of any instant: the account itself is not recorded. */
export const officialFromHistory = (history: History, asOf: number): OfficialReading => {
  const week = lastFullWeek(history, asOf)
  return reading(week.aprBps, secondsOf(week.day + DAYS_PER_WEEK), asOf)
}
