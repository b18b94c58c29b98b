/**
 * The leading APR: what the running week (Saturday to Friday, UTC) will print, with a band, updated every hour.
 *
 * The days that are over are known; the rest of the week is a forecast of its mean fee yield (see horizon.ts) at the last AUM, so
 * the reading moves to the print, and its band closes, as the week goes by. Its errors are measured by backtest.ts.
 */
import { DAYS_PER_WEEK, dateOf, dayAndHours, HOURS_PER_DAY, secondsOf, weekdayOf, weekStart } from './calendar.ts'
import { OracleError } from './errors.ts'
import { APR_PERCENT, activityShare, dayAt, type History, type HistoryDay, hoursOfDay, usd } from './history.ts'
import { forecastYield, type Horizon } from './horizon.ts'
import { mean } from './regression.ts'
import { appendDay, type Past, pastOf } from './series.ts'

/** A day as it stands: what is known of it by the last full hour. */
export interface Today {
  /** All fees since 0:00 UTC, before the pool's 75 %, in 10^-6 USD. */
  readonly feesUsdX6: bigint
  /** In 10^-6 USD; the last day's when left out. */
  readonly aumUsdX6?: bigint
}

export interface LeadingInput {
  /** Days up to now. Of later ones nothing is read, of the running one only its hours. */
  readonly history: History
  /** Unix seconds. */
  readonly asOf: number
  /** What may be learnt from besides: only its days before the history's first one are read. */
  readonly training?: History
  /**
   * What is known of the running day. Left out, its hours come from the history's row of that day, split by the hourly profile;
   * such hours give away the day's sum, so that a reading within a past day looks better than a live one.
   */
  readonly today?: Today
  /** Probability that the print falls into the band, percent; 80 by default. */
  readonly nominalCoverage?: number
}

export interface LeadingReading {
  readonly asOf: number
  /** The Saturday that the running week began with. */
  readonly week: string
  /** Days of the week that are over and known, 0 to 6, and hours of the running one. */
  readonly daysKnown: number
  readonly hoursKnown: number
  /** Where the running day's hours come from; 'none': the reading is that of the last midnight. */
  readonly hours: 'none' | 'given' | 'modelled'
  /** Percent a year, as all that follow. */
  readonly aprPercent: number
  readonly lowPercent: number
  readonly highPercent: number
  readonly nominalCoverage: number
  /** The week so far; undefined before its first hour is known. */
  readonly runRatePercent: number | undefined
  /** What the week before printed; undefined if it is not all in the history. */
  readonly lastPrintPercent: number | undefined
  /** Coefficients of the regression at the last midnight: intercept, last day, last 3 days, last 6 weeks. */
  readonly coefficients: readonly number[]
}

export const DEFAULT_COVERAGE = 80

/** Looks back on the last day, 3 days and 6 weeks, each against the last 7 days; the prior is worth 100 past days. */
const WINDOWS = [1, 3, 42]
const PRIOR_STRENGTH = 100
/** Fees stay near where they were: the shorter the horizon, the more the last day says; half way back to the last 6 weeks. */
const priorFor = (length: number): readonly number[] => [0.1 * (1 - 1 / length), 0.1 + 0.2 / length, 0.15, 0.4]
const nextDays = (length: number): Horizon => ({
  gap: 0,
  length,
  windows: WINDOWS,
  prior: priorFor(length),
  strength: PRIOR_STRENGTH,
})

/** From the fifth day on, a third of the reading is the run-rate: then hard to beat, and right where yields jump. */
const HEDGE_FROM_DAY = 5
const HEDGE = 1 / 3

interface Reading {
  readonly apr: number
  readonly low: number
  readonly high: number
  readonly coefficients: readonly number[]
}

interface SoFar {
  readonly fees: number
  /** Sum of the days' AUM. */
  readonly aum: number
}

/** Fees and AUM of the last `days`, or of as many as the history has. */
const sumsOf = ({ own }: Past, days: number): SoFar => {
  const from = Math.max(0, own.fees.length - days)
  const sum = (values: readonly number[]): number => values.slice(from).reduce((total, value) => total + value, 0)
  return { fees: sum(own.fees), aum: sum(own.aum) }
}

/** The reading when `daysIn` days of the week (1 to 7) are over, or at its very start (0). */
const readAfter = (past: Past, daysIn: number, coverage: number): Reading => {
  const seen = sumsOf(past, daysIn)
  const left = DAYS_PER_WEEK - daysIn
  const runRate = (APR_PERCENT * seen.fees) / seen.aum
  if (left === 0) return { apr: runRate, low: runRate, high: runRate, coefficients: [] }
  const aum = past.own.aum.at(-1)!
  const { dailyYield, factorAt, coefficients } = forecastYield(past, nextDays(left))
  const weekAt = (rest: number): number => (APR_PERCENT * (seen.fees + left * rest * aum)) / (seen.aum + left * aum)
  const forecast = weekAt(dailyYield)
  const isHedged = daysIn >= HEDGE_FROM_DAY && seen.aum > 0
  const apr = isHedged ? (1 - HEDGE) * forecast + HEDGE * runRate : forecast
  const edgeAt = (probability: number): number => weekAt(dailyYield * factorAt(probability))
  return {
    apr,
    low: Math.min(apr, edgeAt((1 - coverage) / 2)),
    high: Math.max(apr, edgeAt((1 + coverage) / 2)),
    coefficients,
  }
}

/**
 * How the running day counts, by the part of its usual activity that is over. Judged on hours of Jupiter's modelled volume and of
 * SOL's turnover: on the last day the error falls from 1.4 points at midnight to 0.8 at noon and 0.5 at 18:00 (first of the two).
 *
 * - The day's rest is expected between its forecast and what the hours so far add up to: in logs, `sqrt(share)` of the latter.
 * - The reading moves from that of the last midnight to that of the next one, the day completed by its rest, as `1 - (1 - share)^4`.
 * - The band moves from the last midnight's to the next one's slower, as `1 - (1 - share)^(2/3)`: the last hours can still surprise.
 */
const trustInHours = (share: number): number => Math.sqrt(share)
const pointWeight = (share: number): number => 1 - (1 - share) ** 4
const bandWeight = (share: number): number => 1 - (1 - share) ** (2 / 3)
/** Hours without fees count as a day of this part of the usual one, so that their log is finite. */
const QUIETEST = 0.01
const blend = (from: number, to: number, weight: number): number => (1 - weight) * from + weight * to

interface RunningDay {
  /** Part of the day's usual activity that is over, above 0 and below 1. */
  readonly share: number
  /** USD. */
  readonly fees: number
  readonly aum: number
}

const readWithin = (past: Past, daysIn: number, today: RunningDay, coverage: number): Reading => {
  const { share, fees, aum } = today
  const midnight = readAfter(past, daysIn, coverage)
  const usual = forecastYield(past, nextDays(1)).dailyYield * aum
  const soFar = Math.max(fees / share, QUIETEST * usual)
  const wholeDay = Math.exp(blend(Math.log(usual), Math.log(soFar), trustInHours(share)))
  const completed = appendDay(past, fees + (1 - share) * wholeDay, aum)
  const next = readAfter(completed, daysIn + 1, coverage)
  const apr = blend(midnight.apr, next.apr, pointWeight(share))
  const partOf = (edge: number, centre: number): number => (centre > 0 ? edge / centre : 1)
  const edgeOf = (edge: 'low' | 'high'): number =>
    apr * blend(partOf(midnight[edge], midnight.apr), partOf(next[edge], next.apr), bandWeight(share))
  return {
    apr,
    low: edgeOf('low'),
    high: edgeOf('high'),
    coefficients: midnight.coefficients,
  }
}

const feesOfHours = (row: HistoryDay, hours: number): bigint =>
  hoursOfDay(row)
    .slice(0, hours)
    .reduce((total, hour) => total + hour.feesUsdX6, 0n)

/** What the running week will print, as known at `asOf`. Throws `no-data` if the history does not reach the day before. */
export const leadingApr = (input: LeadingInput): LeadingReading => {
  const { history, asOf, training, nominalCoverage = DEFAULT_COVERAGE } = input
  const { day, hours } = dayAndHours(asOf)
  if (!(nominalCoverage > 0 && nominalCoverage < 100)) {
    throw new OracleError('bad-parameter', 'The coverage of a band is between 0 and 100 percent', { nominalCoverage })
  }
  const { feesUsdX6, aumUsdX6 } = input.today ?? {}
  if ((feesUsdX6 ?? 0n) < 0n || (aumUsdX6 ?? 1n) <= 0n) {
    throw new OracleError('bad-parameter', 'Fees must not be negative and AUM positive', { asOf })
  }
  if (dayAt(history, day - 1) === undefined) {
    const last = history.days.at(-1)?.date ?? 'nothing'
    throw new OracleError('no-data', `${history.name} ends with ${last}: the day before ${dateOf(day)} is not in it`, {
      asOf,
    })
  }
  const coverage = nominalCoverage / 100
  const daysIn = weekdayOf(day)
  const past = pastOf(history, day, training)
  const { own } = past
  const row = dayAt(history, day)
  const known = input.today ?? (row && { feesUsdX6: feesOfHours(row, hours), aumUsdX6: row.aumUsdX6 })
  const hoursKnown = known === undefined ? 0 : hours
  const today = {
    share: activityShare(day, hoursKnown),
    fees: hoursKnown > 0 ? usd(known!.feesUsdX6) : 0,
    aum: known?.aumUsdX6 === undefined ? own.aum.at(-1)! : usd(known.aumUsdX6),
  }
  const { apr, low, high, coefficients } =
    hoursKnown === 0 ? readAfter(past, daysIn, coverage) : readWithin(past, daysIn, today, coverage)

  const seen = sumsOf(past, daysIn)
  const elapsed = hoursKnown / HOURS_PER_DAY
  const lastWeek = own.fees.length - daysIn - DAYS_PER_WEEK
  const lastMean = (values: readonly number[]): number => mean(values, lastWeek, lastWeek + DAYS_PER_WEEK)
  const aumSeen = seen.aum + elapsed * today.aum
  return {
    asOf: secondsOf(day, hoursKnown),
    week: dateOf(weekStart(day)),
    daysKnown: Math.min(daysIn, own.fees.length),
    hoursKnown,
    hours: hoursKnown === 0 ? 'none' : input.today === undefined ? 'modelled' : 'given',
    aprPercent: apr,
    lowPercent: low,
    highPercent: high,
    nominalCoverage,
    runRatePercent: aumSeen > 0 ? (APR_PERCENT * (seen.fees + today.fees)) / aumSeen : undefined,
    lastPrintPercent: lastWeek >= 0 ? (APR_PERCENT * lastMean(own.fees)) / lastMean(own.aum) : undefined,
    coefficients,
  }
}
