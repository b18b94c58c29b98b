/**
 * Fee yields as a series that predictors can look back on: log of daily fees over AUM, without the habit of each weekday.
 *
 * Logs make the predictors free of scale: ten times the fees, or another pool, shifts every number by a constant.
 */
import { DAYS_PER_WEEK, weekdayOf } from './calendar.ts'
import { daysBefore, type History, usd } from './history.ts'
import { mean } from './regression.ts'

export interface Series {
  readonly firstDay: number
  /** USD a day. */
  readonly fees: readonly number[]
  /** USD. */
  readonly aum: readonly number[]
  /** ln(fees / AUM) of each day. */
  readonly logYield: readonly number[]
}

/** A day with (almost) no fees counts as this part of the median day, so that its log is finite. */
const FLOOR_OF_MEDIAN = 0.01

const floorOf = (fees: readonly number[]): number => {
  const positive = fees.filter(value => value > 0).sort((a, b) => a - b)
  return FLOOR_OF_MEDIAN * (positive[positive.length >> 1] ?? 1)
}

export const seriesOf = (history: History): Series => {
  const fees = history.days.map(row => usd(row.feesUsdX6))
  const aum = history.days.map(row => usd(row.aumUsdX6))
  const floor = floorOf(fees)
  const logYield = fees.map((value, i) => Math.log(Math.max(value, floor) / aum[i]!))
  return { firstDay: history.days[0]?.day ?? 0, fees, aum, logYield }
}

/** A file continues what is known if it begins on the next day, with an AUM within 10 % ... */
const SEAM_AUM = 0.1
/** ... and a mean log yield in its first week within this of the two weeks before (a factor of 1.8). */
const SEAM_YIELD = 0.6
const SEAM_DAYS = 14

const continues = (past: Series, own: Series): boolean => {
  const n = past.logYield.length
  if (n < SEAM_DAYS || past.firstDay + n !== own.firstDay) return false
  const firstWeek = mean(own.logYield, 0, Math.min(DAYS_PER_WEEK, own.logYield.length))
  return (
    Math.abs(Math.log(own.aum[0]! / past.aum[n - 1]!)) < SEAM_AUM &&
    Math.abs(firstWeek - mean(past.logYield, n - SEAM_DAYS, n)) < SEAM_YIELD
  )
}

const join = (a: Series, b: Series): Series => ({
  firstDay: a.firstDay,
  fees: [...a.fees, ...b.fees],
  aum: [...a.aum, ...b.aum],
  logYield: [...a.logYield, ...b.logYield],
})

export interface Past {
  /** The history itself, and only that. */
  readonly own: Series
  /** What can be learnt from, oldest first; the last one ends where `own` ends. */
  readonly all: readonly Series[]
}

/**
 * What may be learnt from on the morning of `day`: the history's days before it, and of the training history those before the
 * history's first day. If the history continues the training history, one may look back across the seam; otherwise (another pool,
 * another scale, a gap) only what was learnt carries over.
 */
export const pastOf = (history: History, day: number, training: History | undefined): Past => {
  const own = seriesOf(daysBefore(history, day))
  if (training === undefined) return { own, all: [own] }
  const past = seriesOf(daysBefore(training, Math.min(day, own.firstDay)))
  if (continues(past, own)) return { own, all: [join(past, own)] }
  return { own, all: past.logYield.length > 0 ? [past, own] : [own] }
}

/** The same past, a day later: one that brought `fees` at `aum`, both in USD. */
export const appendDay = ({ own, all }: Past, fees: number, aum: number): Past => {
  const floor = floorOf([...own.fees, fees])
  const day = { firstDay: 0, fees: [fees], aum: [aum], logYield: [Math.log(Math.max(fees, floor) / aum)] }
  return { own: join(own, day), all: [...all.slice(0, -1), join(all.at(-1)!, day)] }
}

/** The habit of a weekday is learnt from this many weeks, the newest first ... */
const HABIT_WEEKS = 26
/** ... and from as many more that know of none. */
const HABIT_BLANK_WEEKS = 4

/** How far the log yield of each weekday (Saturday first) lies from its week's mean. */
export const weekdayHabits = (all: readonly Series[]): readonly number[] => {
  const sums: number[] = new Array(DAYS_PER_WEEK).fill(0)
  let count = 0
  for (const { firstDay, logYield } of [...all].reverse()) {
    for (let end = logYield.length; end >= DAYS_PER_WEEK && count < HABIT_WEEKS; end -= DAYS_PER_WEEK, count++) {
      const level = mean(logYield, end - DAYS_PER_WEEK, end)
      for (let i = end - DAYS_PER_WEEK; i < end; i++) sums[weekdayOf(firstDay + i)]! += logYield[i]! - level
    }
  }
  return sums.map(sum => sum / (count + HABIT_BLANK_WEEKS))
}

/** Log yields without the habits of the weekdays. */
export const levelled = ({ firstDay, logYield }: Series, habits: readonly number[]): readonly number[] =>
  logYield.map((value, i) => value - habits[weekdayOf(firstDay + i)]!)

/** Features are cut off at a factor of e either way. */
const CLIP = 1

/** Mean of the 7 days before `at`, and how far the means over other windows lie from it (with a 1 in front, for the intercept). */
export const lookBack = (
  levels: readonly number[],
  at: number,
  windows: readonly number[],
): { readonly base: number; readonly features: readonly number[] } => {
  const meanOf = (days: number): number => mean(levels, Math.max(0, at - days), at)
  const base = meanOf(DAYS_PER_WEEK)
  return { base, features: [1, ...windows.map(days => Math.max(-CLIP, Math.min(CLIP, meanOf(days) - base)))] }
}

/** Volatility looks back this far, and begins as if it had seen `VOLATILITY_PRIOR_DAYS` at `VOLATILITY_PRIOR`. */
const VOLATILITY_DAYS = 42
export const VOLATILITY_PRIOR = 0.4
const VOLATILITY_PRIOR_DAYS = 10
/** A surprise needs so many days before it. */
const SURPRISE_AFTER = 3

/** Volatility on each morning (one more than there are days): mean absolute distance of a day from the mean of the 7 before it. */
export const volatilities = (levels: readonly number[]): readonly number[] => {
  const sums = [0]
  for (const [i, level] of levels.entries()) {
    const surprise = i < SURPRISE_AFTER ? 0 : Math.abs(level - mean(levels, Math.max(0, i - DAYS_PER_WEEK), i))
    sums.push(sums[i]! + surprise)
  }
  return sums.map((sum, at) => {
    const n = Math.max(0, Math.min(VOLATILITY_DAYS, at - SURPRISE_AFTER))
    return (sum - sums[at - n]! + VOLATILITY_PRIOR * VOLATILITY_PRIOR_DAYS) / (n + VOLATILITY_PRIOR_DAYS)
  })
}
