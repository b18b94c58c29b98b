/** The yield taken apart: by what was paid for, and its change by what moved, fees or TVL. Parts always add up to the whole. */
import { YEAR_SECONDS_N } from '../../amm/units.ts'
import { WEEK_SECONDS } from './accrual.ts'
import { apportion } from './apportion.ts'
import { DAYS_PER_WEEK } from './calendar.ts'
import { OracleError } from './errors.ts'
import { type History, type HistoryWeek, weeks } from './history.ts'
import { apyPercentOf, lastFullWeek } from './official.ts'

/** What traders and depositors pay for. */
export const SOURCES = ['openClose', 'borrow', 'swap', 'liquidation', 'mintBurn'] as const
export type Source = (typeof SOURCES)[number]
/** All fees of a source, before the pool's share, 10^-6 USD. */
export type FeesBySource = Readonly<Record<Source, bigint>>

export interface Period {
  /** All fees, before the pool's share, 10^-6 USD. */
  readonly feesUsdX6: bigint
  /** 10^-6 USD. */
  readonly aumUsdX6: bigint
  readonly seconds: bigint
}

const POOL_SHARE_BPS = 7500n
const ONE_X9 = 1_000_000_000n

/** Fee APR of a period, 10^-9 a year, rounded down. */
export const aprX9Of = ({ feesUsdX6, aumUsdX6, seconds }: Period): bigint => {
  if (feesUsdX6 < 0n || aumUsdX6 <= 0n || seconds <= 0n) {
    throw new OracleError('bad-parameter', 'A period has fees of 0 or more, and an AUM and a length above 0', {
      feesUsdX6,
      aumUsdX6,
      seconds,
    })
  }
  return (feesUsdX6 * POOL_SHARE_BPS * YEAR_SECONDS_N * ONE_X9) / (10_000n * aumUsdX6 * seconds)
}

export interface SplitPart {
  readonly source: Source
  readonly feesUsdX6: bigint
  readonly aprX9: bigint
  readonly apyX9: bigint
}

export interface Split {
  readonly feesUsdX6: bigint
  /** 10^-9 a year; the APY compounds daily. */
  readonly aprX9: bigint
  readonly apyX9: bigint
  /** One for each source; fees, APR and APY add up to those above exactly. */
  readonly parts: readonly SplitPart[]
}

/** Yield by source. The APY is given out like the fees: compounding belongs to all of them alike. */
export const splitBySource = (
  fees: FeesBySource,
  { aumUsdX6, seconds }: Pick<Period, 'aumUsdX6' | 'seconds'>,
): Split => {
  const weights = SOURCES.map(source => fees[source])
  const feesUsdX6 = weights.reduce((sum, fee) => sum + fee, 0n)
  const aprX9 = aprX9Of({ feesUsdX6, aumUsdX6, seconds })
  const apyX9 = BigInt(Math.round(apyPercentOf(Number(aprX9) / 1e7) * 1e7))
  const aprs = apportion(aprX9, weights)
  const apys = apportion(apyX9, weights)
  const parts = SOURCES.map((source, i) => ({ source, feesUsdX6: weights[i]!, aprX9: aprs[i]!, apyX9: apys[i]! }))
  return { feesUsdX6, aprX9, apyX9, parts }
}

export interface Change {
  /** All 10^-9 a year. */
  readonly fromX9: bigint
  readonly toX9: bigint
  /** `to - from`, and the sum of the two effects. */
  readonly changeX9: bigint
  /** What the change of fees alone did. */
  readonly feesX9: bigint
  /** What the change of TVL did: a growing pool dilutes. */
  readonly tvlX9: bigint
}

/**
 * A change of APR as the work of fees and of TVL. `ln(apr)` changes by `ln(fees ratio) - ln(AUM ratio)`; either term times the
 * logarithmic mean of the two APRs is its part of the change. The order of the two does not matter, and nothing is left over.
 */
export const splitChange = (from: Period, to: Period): Change => {
  const [fromX9, toX9] = [aprX9Of(from), aprX9Of(to)]
  const changeX9 = toX9 - fromX9
  const dilution = Math.log(Number(to.aumUsdX6) / Number(from.aumUsdX6))
  const [a, b] = [Number(fromX9), Number(toX9)]
  const logarithmicMean = a === 0 || b === 0 ? 0 : a === b ? a : (b - a) / Math.log(b / a)
  const tvlX9 = BigInt(Math.round(-dilution * logarithmicMean))
  return { fromX9, toX9, changeX9, feesX9: changeX9 - tvlX9, tvlX9 }
}

/** No series of fees by source is recorded; where the total is modelled, the fees of closes are what it was modelled from. */
export type RecordedSources =
  | { readonly kind: 'simulated'; readonly split: Split }
  | { readonly kind: 'not-recorded' }
  | { readonly kind: 'closes-only'; readonly closeFeesUsdX6: bigint }

export interface HistorySplit {
  readonly week: HistoryWeek
  readonly sources: RecordedSources
  /** Against the week before, if the history has it. */
  readonly change: Change | undefined
}

const periodOf = ({ feesUsdX6, aumUsdX6 }: HistoryWeek): Period => ({
  feesUsdX6,
  aumUsdX6,
  seconds: BigInt(WEEK_SECONDS),
})

/**
 * What is known of the last full week at `asOf`: its total and how it changed. Sources only by a simulation of the pool for that
 * week, if one is given; its proportions are then laid over the recorded total.
 */
export const splitAt = (history: History, asOf: number, simulated?: FeesBySource): HistorySplit => {
  const week = lastFullWeek(history, asOf)
  const previous = weeks(history).find(({ day }) => day === week.day - DAYS_PER_WEEK)
  const change = previous && splitChange(periodOf(previous), periodOf(week))
  if (simulated !== undefined) {
    const fees = apportion(
      week.feesUsdX6,
      SOURCES.map(source => simulated[source]),
    )
    const bySource = Object.fromEntries(SOURCES.map((source, i) => [source, fees[i]!])) as unknown as FeesBySource
    return { week, change, sources: { kind: 'simulated', split: splitBySource(bySource, periodOf(week)) } }
  }
  const sources: RecordedSources =
    week.kind === 'modelled'
      ? { kind: 'closes-only', closeFeesUsdX6: (week.feesUsdX6 * 10n) / 26n }
      : { kind: 'not-recorded' }
  return { week, change, sources }
}
