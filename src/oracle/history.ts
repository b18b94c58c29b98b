/**
 * Recorded history: daily fees and AUM from a CSV, its weeks with what each of them printed, and its hours as modelled.
 *
 * Fees and AUM are whole USD atoms (10^-6); floats are for prediction and display only.
 */
import { apportion } from './apportion.ts'
import { DAYS_PER_WEEK, DAYS_PER_YEAR, dayNumber, HOURS_PER_DAY, secondsOf, weekdayOf } from './calendar.ts'
import { HOURLY_PROFILE } from './data/hourly-profile.ts'
import { JLP_DAILY_CSV } from './data/jlp-daily.ts'
import { OracleError } from './errors.ts'

/** The pool's part of all fees. */
export const POOL_SHARE = 0.75
/** Percent a year of a day's fee yield. */
export const APR_PERCENT = POOL_SHARE * DAYS_PER_YEAR * 100
const USD_ATOMS = 1_000_000

/** `modelled`: 2.6 times the recorded fees of position closes (see data/jlp-daily.ts). */
export type FeesKind = 'real' | 'modelled' | 'unstated'

export interface HistoryDay {
  /** Days since 1970-01-01. */
  readonly day: number
  readonly date: string
  /** All fees of the day, before the pool's 75 %, in 10^-6 USD. */
  readonly feesUsdX6: bigint
  /** The pool's assets, in 10^-6 USD. */
  readonly aumUsdX6: bigint
  /** The file has no AUM for this day: it is the last value before. */
  readonly aumCarried: boolean
  readonly kind: FeesKind
}

/** Days in order, none missing in between; from `parseHistory` at least one. */
export interface History {
  readonly name: string
  readonly days: readonly HistoryDay[]
  /** Number of days with a carried AUM. */
  readonly aumCarried: number
}

/** USD atoms as a float of USD. */
export const usd = (atoms: bigint): number => Number(atoms) / USD_ATOMS

const COLUMNS = ['date', 'fees_usd', 'aum_usd'] as const
/** Columns that may say whether fees are real or modelled. Of extra columns only these are read, and never refused. */
const KIND_COLUMNS = ['kind', 'fees_kind']

/** Cells of a CSV line; a cell in quotes may hold commas and doubled quotes. */
const cellsOf = (line: string): string[] =>
  (line.match(/("(?:[^"]|"")*"|[^,]*)(,|$)/g) ?? [])
    .slice(0, line.endsWith(',') || line === '' ? undefined : -1)
    .map(cell => cell.replace(/,$/, '').trim())
    .map(cell => (/^".*"$/.test(cell) ? cell.slice(1, -1).replaceAll('""', '"').trim() : cell))

/** USD atoms of a plain decimal, further digits cut off; undefined for anything else (a sign, an exponent, NaN, nothing). */
const atomsOf = (cell: string): bigint | undefined => {
  const [, whole, fraction] = /^(\d{1,15})(?:\.(\d+))?$/.exec(cell) ?? []
  return whole === undefined ? undefined : BigInt(whole + (fraction ?? '').slice(0, 6).padEnd(6, '0'))
}

const kindOf = (cell: string): FeesKind =>
  cell === 'real' ? 'real' : cell === 'modelled' || cell === 'modelled_close_fees_x2.6' ? 'modelled' : 'unstated'

/**
 * Reads a CSV with the columns `date,fees_usd,aum_usd`, in any order and among others. Days ascend without a gap; a blank AUM is
 * the last one carried, marked and counted. Anything else is refused with its line number (code `bad-history`).
 */
export const parseHistory = (text: string, name = 'history'): History => {
  const refuse = (line: number, message: string): never => {
    throw new OracleError('bad-history', `${name}, line ${line}: ${message}`, { line })
  }
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  while (lines.at(-1)?.trim() === '') lines.pop()
  if (lines.length === 0) refuse(1, `the file is empty; its first line must name the columns ${COLUMNS.join(', ')}`)
  const header = cellsOf(lines[0]!)
  const columnOf = (column: string): number => {
    const at = header.indexOf(column)
    if (at < 0) refuse(1, `the header has no column ${column}`)
    if (header.lastIndexOf(column) !== at) refuse(1, `the header has two columns ${column}`)
    return at
  }
  const [dateAt, feesAt, aumAt] = COLUMNS.map(columnOf) as [number, number, number]
  const kindAt = KIND_COLUMNS.map(column => header.indexOf(column)).find(at => at >= 0)
  if (lines.length === 1) refuse(2, 'the file has a header and no rows')

  const days: HistoryDay[] = []
  for (const [at, text] of lines.entries()) {
    if (at === 0) continue
    const line = at + 1
    const cells = cellsOf(text)
    if (cells.length !== header.length) refuse(line, `${cells.length} columns where the header has ${header.length}`)
    const [date, fees, aum] = [cells[dateAt]!, cells[feesAt]!, cells[aumAt]!]
    const day = dayNumber(date) ?? refuse(line, `"${date}" is not a date like 2024-01-29`)
    const before = days.at(-1)
    if (before !== undefined && day !== before.day + 1) {
      if (day === before.day) refuse(line, `${date} is there twice`)
      if (day < before.day) refuse(line, `${date} comes after ${before.date}; days must ascend`)
      refuse(line, `no row between ${before.date} and ${date}; a missing day is not filled in`)
    }
    const feesUsdX6 = atomsOf(fees) ?? refuse(line, `fees_usd "${fees}" is not a number like 351302.25`)
    const aumUsdX6 =
      aum === ''
        ? (before?.aumUsdX6 ?? refuse(line, 'aum_usd is blank in the first row, where there is none to carry'))
        : (atomsOf(aum) ?? refuse(line, `aum_usd "${aum}" is not a number like 87605206`))
    if (aumUsdX6 === 0n) refuse(line, 'aum_usd must be above 0')
    const kind = kindAt === undefined ? 'unstated' : kindOf(cells[kindAt]!)
    days.push({ day, date, feesUsdX6, aumUsdX6, aumCarried: aum === '', kind })
  }
  return historyOf(name, days)
}

/** A history of these days, as when some are cut off. */
export const historyOf = (name: string, days: readonly HistoryDay[]): History => ({
  name,
  days,
  aumCarried: days.filter(day => day.aumCarried).length,
})

/** The days of a history before `day`. */
export const daysBefore = (history: History, day: number): History =>
  historyOf(
    history.name,
    history.days.filter(row => row.day < day),
  )

let project: History | undefined
/** The project's own history, 2024-01-29 to 2025-12-23. */
export const projectHistory = (): History => {
  project ??= parseHistory(JLP_DAILY_CSV, 'project history')
  return project
}

/** The row of a day, or undefined outside the history. */
export const dayAt = (history: History, day: number): HistoryDay | undefined =>
  history.days[day - (history.days[0]?.day ?? day)]

/** Activity weights of a day's 24 hours, of the profile. */
const hourWeights = (day: number): readonly number[] =>
  HOURLY_PROFILE.slice(weekdayOf(day) * HOURS_PER_DAY, (weekdayOf(day) + 1) * HOURS_PER_DAY)

/** Part of a day's activity in its first `hours` (0 to 24), by the profile: 0 to 1. */
export const activityShare = (day: number, hours: number): number => {
  const weights = hourWeights(day)
  const sum = (to: number): number => weights.slice(0, to).reduce((total, weight) => total + weight, 0)
  return sum(hours) / sum(HOURS_PER_DAY)
}

export interface HourOfFees {
  /** Start of the hour, Unix seconds. */
  readonly from: number
  /** All fees of the hour, 10^-6 USD. */
  readonly feesUsdX6: bigint
  readonly aumUsdX6: bigint
  /** Only the day's sum is recorded; how it falls on the hours is the profile's. */
  readonly hourIs: 'modelled'
}

/** The 24 hours of a day as modelled by the profile. They add up to the day's fees exactly. */
export const hoursOfDay = (row: HistoryDay): readonly HourOfFees[] =>
  apportion(row.feesUsdX6, hourWeights(row.day).map(BigInt)).map((feesUsdX6, hour) => ({
    from: secondsOf(row.day, hour),
    feesUsdX6,
    aumUsdX6: row.aumUsdX6,
    hourIs: 'modelled',
  }))

/** The hourly fee stream of the days from `first` to `last` (both included; by default all). */
export const hourlyFees = (
  history: History,
  first: number = Number.NEGATIVE_INFINITY,
  last: number = Number.POSITIVE_INFINITY,
): readonly HourOfFees[] => history.days.filter(row => row.day >= first && row.day <= last).flatMap(hoursOfDay)

export interface HistoryWeek {
  /** Its Saturday. */
  readonly day: number
  readonly date: string
  readonly feesUsdX6: bigint
  /** Mean of the seven daily AUM. */
  readonly aumUsdX6: bigint
  /** What the week prints: `0.75 * fees * 365/7 / mean AUM`, percent a year. */
  readonly aprPercent: number
  /** The same as Jupiter writes it, 10^-4, rounded down. */
  readonly aprBps: bigint
  /** Real or modelled if all of its days are, else unstated. */
  readonly kind: FeesKind
}

const sumOf = (days: readonly HistoryDay[], column: 'feesUsdX6' | 'aumUsdX6'): bigint =>
  days.reduce((total, row) => total + row[column], 0n)

/** The full weeks of a history, Saturday to Friday. */
export const weeks = (history: History): readonly HistoryWeek[] => {
  const found: HistoryWeek[] = []
  const first = history.days[0]?.day ?? 0
  for (let start = (DAYS_PER_WEEK - weekdayOf(first)) % DAYS_PER_WEEK; ; start += DAYS_PER_WEEK) {
    const days = history.days.slice(start, start + DAYS_PER_WEEK)
    if (days.length < DAYS_PER_WEEK) return found
    const fees = sumOf(days, 'feesUsdX6')
    const aum = sumOf(days, 'aumUsdX6')
    const kinds = new Set(days.map(row => row.kind))
    found.push({
      day: days[0]!.day,
      date: days[0]!.date,
      feesUsdX6: fees,
      aumUsdX6: aum / BigInt(DAYS_PER_WEEK),
      aprPercent: (APR_PERCENT * usd(fees)) / usd(aum),
      aprBps: (fees * 7500n * BigInt(DAYS_PER_YEAR)) / aum,
      kind: kinds.size === 1 ? days[0]!.kind : 'unstated',
    })
  }
}
