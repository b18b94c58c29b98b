/** Figures for people and back: fractions as numbers, yields over a time. Nothing here decides money. */
import { exp, ONE_Q64, type RateQ64, rateFromApy } from '../../amm/index.ts'
import { YEAR_SECONDS, YEAR_SECONDS_N } from '../../amm/units.ts'

export const DAY = 86_400

/** A fraction such as 0.343 (34.3 %) as Q64.64, to 2^-52. */
export const q64 = (fraction: number): bigint => BigInt(Math.round(fraction * 2 ** 52)) << 12n

/** A Q64.64 number as a fraction. */
export const real = (value: bigint): number => Number(value) / 2 ** 64

/** The rate `s` of an APY given as a fraction. */
export const rateOf = (apy: number): RateQ64 => rateFromApy(q64(apy))

/** The yield of `seconds` at an APY, `(1 + apy)^(seconds/year) - 1`, Q64.64: what coupons must pay to average it. */
export const yieldAtApy = (apy: number, seconds: number): bigint =>
  exp((rateOf(apy) * BigInt(seconds)) / YEAR_SECONDS_N) - ONE_Q64

/** The yield of `seconds` at an APR, which does not compound, as Jupiter's fees over its AUM do not. Q64.64. */
export const yieldAtApr = (apr: number, seconds: number): bigint => (q64(apr) * BigInt(seconds)) / YEAR_SECONDS_N

/** What a growth over `seconds` is a year: `growth^(year/seconds) - 1`, a fraction. */
export const annual = (growth: number, seconds: number): number => growth ** (YEAR_SECONDS / seconds) - 1

/** A value for every day, or one a day, of which the last stands for all that follow. */
export type Series = number | readonly number[]

export const onDay = (series: Series, day: number): number =>
  typeof series === 'number' ? series : series[Math.min(day, series.length - 1)]!

/** What the world does while a position is held, APYs as fractions. */
export interface Path {
  /** What the pool earns, by day from now. */
  readonly realised: Series
  /** Where the market's rate is moved to at the start of each day; left out, it stands still. */
  readonly implied?: Series
}
