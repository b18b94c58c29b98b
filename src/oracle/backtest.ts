/**
 * Walk-forward judgement of the leading APR on a history: each week is predicted on several of its mornings with what was known
 * then, and compared with what it printed, beside two naive predictors.
 */
import { DAYS_PER_WEEK, secondsOf } from './calendar.ts'
import { OracleError } from './errors.ts'
import { daysBefore, type FeesKind, type History, type HistoryWeek, weeks } from './history.ts'
import { DEFAULT_COVERAGE, type LeadingReading, leadingApr } from './leading.ts'
import { mean } from './regression.ts'

export interface BacktestInput {
  /** Every full week of it from the second is scored. */
  readonly file: History
  /** What may be learnt from besides: its days before the file's first one, and of those never one after the prediction. */
  readonly training?: History
  /** Full days of the week that are known when it is predicted, each 1 to 6; by default 1, 3, 5 and 6. */
  readonly days?: readonly number[]
  /** Percent; 80 by default. */
  readonly nominalCoverage?: number
  /** Score only weeks whose fees are all of this kind. */
  readonly kind?: FeesKind
  readonly onWeek?: (done: number, of: number) => void
}

/** Errors are mean absolute ones, in percentage points of APR. */
export interface BacktestDay {
  readonly day: number
  readonly mae: number
  /** Of repeating the last print. */
  readonly maeLastPrint: number
  /** Of the running week's own rate so far. */
  readonly maeRunRate: number
  /** How often the print fell into the band, percent. */
  readonly coverage: number
}

export interface Backtest {
  /** Weeks scored. */
  readonly weeks: number
  readonly days: readonly BacktestDay[]
  /** How often it should, percent. */
  readonly nominalCoverage: number
}

export const BACKTEST_DAYS = [1, 3, 5, 6]

export interface PredictedWeek {
  readonly week: HistoryWeek
  /** On the morning after each of the days asked for. */
  readonly readings: readonly LeadingReading[]
}

/** One prediction. Days from that of the prediction on are cut off before anything sees them. */
const predict = (week: HistoryWeek, dayOfWeek: number, input: BacktestInput): LeadingReading => {
  const { file, training, nominalCoverage = DEFAULT_COVERAGE } = input
  const day = week.day + dayOfWeek
  return leadingApr({
    history: daysBefore(file, day),
    asOf: secondsOf(day),
    nominalCoverage,
    ...(training === undefined ? {} : { training: daysBefore(training, day) }),
  })
}

/** Every week that is to be scored, with its readings. Throws `no-data` if there is none. */
export const walkForward = (input: BacktestInput): readonly PredictedWeek[] => {
  const { file, days = BACKTEST_DAYS, kind, onWeek } = input
  if (days.some(day => !Number.isInteger(day) || day < 1 || day >= DAYS_PER_WEEK)) {
    throw new OracleError('bad-parameter', 'A week is predicted after 1 to 6 of its days', { days: days.join(', ') })
  }
  const scored = weeks(file)
    .slice(1)
    .filter(week => kind === undefined || week.kind === kind)
  if (scored.length === 0) {
    throw new OracleError('no-data', `${file.name} has no full week (Saturday to Friday) to score after its first one`)
  }
  return scored.map((week, i) => {
    const readings = days.map(day => predict(week, day, input))
    onWeek?.(i + 1, scored.length)
    return { week, readings }
  })
}

export const backtest = (input: BacktestInput): Backtest => {
  const { days = BACKTEST_DAYS, nominalCoverage = DEFAULT_COVERAGE } = input
  const predicted = walkForward(input)
  return {
    weeks: predicted.length,
    days: days.map((day, at) => {
      const meanOf = (score: (reading: LeadingReading, print: number) => number): number =>
        mean(predicted.map(({ week, readings }) => score(readings[at]!, week.aprPercent)))
      // Both naive ones exist: a full week lies before this one, and at least one day of it is known.
      return {
        day,
        mae: meanOf(({ aprPercent }, print) => Math.abs(aprPercent - print)),
        maeLastPrint: meanOf(({ lastPrintPercent }, print) => Math.abs(lastPrintPercent! - print)),
        maeRunRate: meanOf(({ runRatePercent }, print) => Math.abs(runRatePercent! - print)),
        coverage: 100 * meanOf(({ lowPercent, highPercent }, print) => +(lowPercent <= print && print <= highPercent)),
      }
    }),
    nominalCoverage,
  }
}
