import { OracleError } from './errors.ts'

/** Splits a whole in proportion to weights. The parts add up to it exactly: what is given out up to each of them is floored. */
export const apportion = (whole: bigint, weights: readonly bigint[]): readonly bigint[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0n)
  if (weights.some(weight => weight < 0n) || (total === 0n && whole !== 0n)) {
    throw new OracleError('bad-parameter', 'A split needs weights of 0 or more, and one above 0', { whole, total })
  }
  if (total === 0n) return weights.map(() => 0n)
  let weight = 0n
  let given = 0n
  return weights.map(own => {
    weight += own
    const part = (whole * weight) / total - given
    given += part
    return part
  })
}
