/**
 * One predictor for every horizon: the mean fee yield of `length` days that begin `gap` days from now, with a band.
 *
 * Every past day is an example: what was known on its morning (means over a few windows), and what came. The lines drawn through
 * them are robust, and shrunk to plain prior coefficients, so that a short history does not run wild. The band is made of the
 * past misses themselves, in units of the volatility of their time, the newer the heavier, mixed with a few normal ones.
 */
import { weekdayOf } from './calendar.ts'
import { dot, mean, quantiles, robustFit, type Weighted } from './regression.ts'
import { levelled, lookBack, type Past, volatilities, weekdayHabits } from './series.ts'

export interface Horizon {
  /** Days between now and the first predicted one. */
  readonly gap: number
  /** Days predicted, at least 1. */
  readonly length: number
  /** Windows looked back on, in days. */
  readonly windows: readonly number[]
  /** Coefficients before anything is learnt: of the intercept and of each window. */
  readonly prior: readonly number[]
  /** How many examples the prior is worth. */
  readonly strength: number
}

export interface YieldForecast {
  /** Mean fee yield (fees / AUM) a day over the horizon. */
  readonly dailyYield: number
  /** The factor on `dailyYield` at a probability of the band: below 1 at the low end. */
  readonly factorAt: (probability: number) => number
  /** The coefficients used. */
  readonly coefficients: readonly number[]
}

/** A past miss weighs half of one that is this many days newer. */
const MISS_HALF_LIFE = 90
/** The normal misses count like so many days, and are this wide in units of volatility. */
const PRIOR_MISSES = 10
const PRIOR_WIDTH = 1.4
/** The upper ten of 20 equally likely points of the standard normal. */
const NORMAL_POINTS = [
  0.062707, 0.189118, 0.318639, 0.453762, 0.59776, 0.755415, 0.934589, 1.150349, 1.439531, 1.959964,
]
const NORMAL_MISSES: readonly Weighted[] = [...NORMAL_POINTS.map(z => -z).reverse(), ...NORMAL_POINTS].map(
  (z, _, { length }) => ({ value: z * PRIOR_WIDTH, weight: PRIOR_MISSES / length }),
)
/** An example needs a full week before it. */
const FIRST_ORIGIN = 7

export const forecastYield = ({ own, all }: Past, horizon: Horizon): YieldForecast => {
  const { gap, length, windows, prior, strength } = horizon
  const habits = weekdayHabits(all)
  const rows: (readonly number[])[] = []
  const targets: number[] = []
  const scales: number[] = []
  let levels: readonly number[] = []
  let volatility = 0
  for (const series of all) {
    levels = levelled(series, habits)
    const yields = levels.map(Math.exp)
    const volatilityAt = volatilities(levels)
    for (let at = FIRST_ORIGIN; at + gap + length <= levels.length; at++) {
      const { base, features } = lookBack(levels, at, windows)
      rows.push(features)
      targets.push(Math.log(mean(yields, at + gap, at + gap + length)) - base)
      scales.push(volatilityAt[at]!)
    }
    volatility = volatilityAt[levels.length]!
  }
  const coefficients = robustFit(rows, targets, prior, strength)

  // `levels` and `volatility` are now those of the last series: the one that ends today.
  const now = lookBack(levels, levels.length, windows)
  const first = own.firstDay + own.logYield.length + gap
  let habit = 0
  for (let i = 0; i < length; i++) habit += Math.exp(habits[weekdayOf(first + i)]!) / length
  const misses = targets.map((target, i) => ({
    value: (target - dot(rows[i]!, coefficients)) / scales[i]!,
    weight: 0.5 ** ((targets.length - 1 - i) / MISS_HALF_LIFE),
  }))
  const missAt = quantiles([...misses, ...NORMAL_MISSES])
  return {
    dailyYield: habit * Math.exp(now.base + dot(now.features, coefficients)),
    factorAt: probability => Math.exp(missAt(probability) * volatility),
    coefficients,
  }
}
