/**
 * The APR further out, on the two horizons of the RateX article of September 2024: for the next weeks from recent activity, with a
 * band; for the months after that as a scenario of the market's volume, the pool's share of it, fee rate and TVL, without one.
 */
import { DAYS_PER_WEEK, DAYS_PER_YEAR, dateOf, dayAndHours, weekdayOf } from './calendar.ts'
import { OracleError } from './errors.ts'
import { APR_PERCENT, dayAt, type History } from './history.ts'
import { forecastYield } from './horizon.ts'
import { DEFAULT_COVERAGE } from './leading.ts'
import { pastOf } from './series.ts'

// ---- the next weeks ---------------------------------------------------------------------------------------------------

export interface WeeksForecastInput {
  readonly history: History
  /** Unix seconds; only days that are over by then are read. */
  readonly asOf: number
  /** What may be learnt from besides: only its days before the history's first one. */
  readonly training?: History
  /** Weeks after the running one, 1 to 12; 12 by default. */
  readonly weeks?: number
  /** Percent; 80 by default. */
  readonly nominalCoverage?: number
}

export interface WeekForecast {
  /** 1 is the week after the running one. */
  readonly ahead: number
  /** Its Saturday. */
  readonly week: string
  /** Percent a year, as the next two. */
  readonly aprPercent: number
  readonly lowPercent: number
  readonly highPercent: number
}

export const MAX_WEEKS_AHEAD = 12
/**
 * Yields revert: without experience 70 % of the way from the last 7 days back to the last 6 weeks. Experience of 300 days counts as
 * much, and also teaches the drift of the years (the intercept), which was downward.
 */
const REVERT_TO = [42]
const PRIOR = [0, 0.7]
const PRIOR_STRENGTH = 300

/**
 * What the weeks after the running one will print. Out of sample on 2024-03 to 2025-12 its error is 18 % (a week ahead) to 24 %
 * (8 weeks) below that of repeating the last print; the errors themselves are large, 9.5 to 12.3 points.
 */
export const forecastWeeks = (input: WeeksForecastInput): readonly WeekForecast[] => {
  const { history, asOf, training, weeks = MAX_WEEKS_AHEAD, nominalCoverage = DEFAULT_COVERAGE } = input
  const { day } = dayAndHours(asOf)
  if (!Number.isInteger(weeks) || weeks < 1 || weeks > MAX_WEEKS_AHEAD) {
    throw new OracleError('bad-parameter', `A forecast is for 1 to ${MAX_WEEKS_AHEAD} weeks`, { weeks })
  }
  if (!(nominalCoverage > 0 && nominalCoverage < 100)) {
    throw new OracleError('bad-parameter', 'The coverage of a band is between 0 and 100 percent', { nominalCoverage })
  }
  if (dayAt(history, day - 1) === undefined) {
    throw new OracleError('no-data', `${history.name} does not have the day before ${dateOf(day)}`, { asOf })
  }
  const past = pastOf(history, day, training)
  const tail = (1 - nominalCoverage / 100) / 2
  return Array.from({ length: weeks }, (_, i) => {
    const gap = DAYS_PER_WEEK * (i + 1) - weekdayOf(day)
    const horizon = { gap, length: DAYS_PER_WEEK, windows: REVERT_TO, prior: PRIOR, strength: PRIOR_STRENGTH }
    const { dailyYield, factorAt } = forecastYield(past, horizon)
    const aprPercent = APR_PERCENT * dailyYield
    return {
      ahead: i + 1,
      week: dateOf(day + gap),
      aprPercent,
      lowPercent: aprPercent * Math.min(1, factorAt(tail)),
      highPercent: aprPercent * Math.max(1, factorAt(1 - tail)),
    }
  })
}

// ---- the months after -------------------------------------------------------------------------------------------------

/** Fees of all kinds per volume, 10^-4: fitted on 100 days from 2025-12-24 on. In twelve recorded weeks of 2024 it was 12 to 33. */
export const FEES_OF_VOLUME_BPS = 16

/** What is assumed of one stretch of time. */
export interface Stretch {
  readonly days: number
  /** Volume of the whole market that the pool lives from, such as Solana's exchanges, USD a day (the article's beta). */
  readonly marketVolumeUsd: number
  /** The pool's own share of it, percent (the article's alpha). */
  readonly sharePercent: number
  /** All fees per volume, 10^-4: `FEES_OF_VOLUME_BPS`, or an era's opening and closing fee alone. */
  readonly feeBps: number
  /** The pool's part of fees: 70 until 2024, 75 now. */
  readonly poolSharePercent: number
  readonly tvlUsd: number
}

export interface StretchForecast extends Stretch {
  /** The pool's part of fees over the stretch, USD. */
  readonly poolFeesUsd: number
  readonly aprPercent: number
  /** Change of `ln(apr)` since the first stretch, by cause; they add up to it. */
  readonly effects: {
    readonly market: number
    readonly share: number
    /** Fee rate and the pool's part of fees. */
    readonly fees: number
    readonly tvl: number
  }
}

/** A value that grows by so many percent a year, at the middle of each stretch of time. */
export const growing = (start: number, percentPerYear: number, stretchDays: readonly number[]): readonly number[] => {
  let day = 0
  return stretchDays.map(days => {
    const middle = day + days / 2
    day += days
    return start * (1 + percentPerYear / 100) ** (middle / DAYS_PER_YEAR)
  })
}

/** What a scenario comes to: `apr = volume * share * fee rate * pool's part * 365 / TVL`. Arithmetic, not a prediction. */
export const scenario = (stretches: readonly Stretch[]): readonly StretchForecast[] =>
  stretches.map(stretch => {
    const { days, marketVolumeUsd, sharePercent, feeBps, poolSharePercent, tvlUsd } = stretch
    const values = [days, marketVolumeUsd, sharePercent, feeBps, poolSharePercent, tvlUsd]
    if (!values.every(value => value > 0 && Number.isFinite(value)) || sharePercent > 100 || poolSharePercent > 100) {
      throw new OracleError('bad-parameter', 'Every number of a scenario is above 0, and a share at most 100 percent')
    }
    const dailyUsd = marketVolumeUsd * (sharePercent / 100) * (feeBps / 10_000) * (poolSharePercent / 100)
    const first = stretches[0]!
    return {
      ...stretch,
      poolFeesUsd: dailyUsd * days,
      aprPercent: (100 * DAYS_PER_YEAR * dailyUsd) / tvlUsd,
      effects: {
        market: Math.log(marketVolumeUsd / first.marketVolumeUsd),
        share: Math.log(sharePercent / first.sharePercent),
        fees: Math.log((feeBps * poolSharePercent) / (first.feeBps * first.poolSharePercent)),
        tvl: -Math.log(tvlUsd / first.tvlUsd),
      },
    }
  })
