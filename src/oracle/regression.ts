/** The small statistics that the predictors share: a robust regression that is shrunk to a prior, and weighted quantiles. */

/** Mean of `values[from..to)`. */
export const mean = (values: readonly number[], from = 0, to = values.length): number => {
  let sum = 0
  for (let i = from; i < to; i++) sum += values[i]!
  return sum / (to - from)
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0)

/** Solves `A x = b` for a symmetric positive definite `A`, by Gaussian elimination. */
const solve = (a: readonly (readonly number[])[], b: readonly number[]): number[] => {
  const n = b.length
  const rows = a.map((row, i) => [...row, b[i]!])
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const factor = rows[j]![i]! / rows[i]![i]!
      for (let k = i; k <= n; k++) rows[j]![k]! -= factor * rows[i]![k]!
    }
  }
  const x: number[] = new Array(n).fill(0)
  for (let i = n - 1; i >= 0; i--) {
    let value = rows[i]![n]!
    for (let k = i + 1; k < n; k++) value -= rows[i]![k]! * x[k]!
    x[i] = value / rows[i]![i]!
  }
  return x
}

/** Rounds of reweighting. The first counts all rows alike. */
const ROUNDS = 6
/** A row at this distance from the line weighs 1; twice as far, half of it; nearer than `NEAREST` it gains nothing more. */
const TYPICAL_MISS = 0.3
const NEAREST = 0.05

/**
 * Coefficients that make the absolute (not squared) misses small, so that a crash does not bend the line: least squares,
 * reweighted by the distance of each row, and pulled to `prior` as strongly as `strength` rows would.
 */
export const robustFit = (
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  prior: readonly number[],
  strength: number,
): readonly number[] => {
  let coefficients = prior
  const size = prior.length
  for (let round = 0; round < ROUNDS && targets.length > 0; round++) {
    const weights =
      round === 0
        ? targets.map(() => 1)
        : targets.map((target, i) => TYPICAL_MISS / Math.max(NEAREST, Math.abs(target - dot(rows[i]!, coefficients))))
    const left = prior.map((_, r) => prior.map((_, c) => (r === c ? strength : 0)))
    const right = prior.map(value => value * strength)
    for (const [i, row] of rows.entries()) {
      const weight = weights[i]!
      for (let r = 0; r < size; r++) {
        right[r]! += weight * row[r]! * targets[i]!
        for (let c = 0; c < size; c++) left[r]![c]! += weight * row[r]! * row[c]!
      }
    }
    coefficients = solve(left, right)
  }
  return coefficients
}

export interface Weighted {
  readonly value: number
  readonly weight: number
}

/** A function from a probability to the quantile of the sample, linear between the middles of neighbouring weights. */
export const quantiles = (sample: readonly Weighted[]): ((probability: number) => number) => {
  const sorted = [...sample].sort((a, b) => a.value - b.value)
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0)
  let sum = 0
  const positions = sorted.map(({ weight }) => {
    sum += weight
    return (sum - weight / 2) / total
  })
  return probability => {
    const above = positions.findIndex(position => position >= probability)
    if (above < 0) return sorted.at(-1)!.value
    if (above === 0) return sorted[0]!.value
    const [from, to] = [sorted[above - 1]!.value, sorted[above]!.value]
    const [low, high] = [positions[above - 1]!, positions[above]!]
    return from + ((probability - low) / (high - low)) * (to - from)
  }
}
