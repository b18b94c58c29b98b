/**
 * Fixed point: `mulDiv` with an explicit rounding and the few functions of the curve, in Q64.64 (a bigint that stands
 * for `value / 2^64`). Integer operations only, so that every machine and the on-chain program give the same bits.
 * Formats, table, order of truncation and error proofs: docs/kernel.md.
 */
import { KernelError } from './errors.ts'
import { PHI_TABLE } from './generated/phi-table.ts'

/** 'down' is towards minus infinity, 'up' towards plus infinity, for either sign. There is no default: say who wins. */
export type Rounding = 'down' | 'up'

export const ONE_Q64 = 1n << 64n
/** `phi`, `expNeg` and what follows from them take x in [0, 4). */
export const EXPONENT_LIMIT = 4n << 64n

/** `a / b` rounded as said; b > 0. */
export const divide = (a: bigint, b: bigint, rounding: Rounding): bigint => {
  if (b <= 0n) throw new KernelError('division-by-zero', `The divisor must be positive, got ${b}`, { b })
  const quotient = a / b // truncates towards zero
  const remainder = a % b
  if (remainder === 0n) return quotient
  if (rounding === 'down') return remainder < 0n ? quotient - 1n : quotient
  return remainder > 0n ? quotient + 1n : quotient
}

/** `a * b / divisor` with one rounding at the end; divisor > 0. */
export const mulDiv = (a: bigint, b: bigint, divisor: bigint, rounding: Rounding): bigint =>
  divide(a * b, divisor, rounding)

/** `a / 2^64` rounded as said. */
export const shiftQ64 = (a: bigint, rounding: Rounding): bigint => (rounding === 'down' ? a >> 64n : -(-a >> 64n))

const checkExponent = (x: bigint): void => {
  if (x < 0n || x >= EXPONENT_LIMIT) {
    throw new KernelError('domain', `The exponent must be from 0 to below 4 (Q64.64), got ${x}`, { x })
  }
}

const SEGMENT_BITS = 59n // a segment is 1/32 wide
const WITHIN_SEGMENT = (1n << SEGMENT_BITS) - 1n

/**
 * `1 - phi(x)` for `phi(x) = (1 - e^-x)/x`, x in [0, 4): from 0 at x = 0 to 0.755. The one function the curve is made of.
 * Error at most 1.6 ulp (2^-64) and **never falling in x**, ulp by ulp, which makes costs monotone (docs/kernel.md).
 * Horner with the truncations exactly in this order; each product is 59 x 64 bits.
 */
export const phiComplement = (x: bigint): bigint => {
  checkExponent(x)
  const row = Number(x >> SEGMENT_BITS) * 8
  const t = x & WITHIN_SEGMENT
  let r = PHI_TABLE[row + 7]!
  r = PHI_TABLE[row + 6]! - ((t * r) >> 64n)
  r = PHI_TABLE[row + 5]! - ((t * r) >> 64n)
  r = PHI_TABLE[row + 4]! - ((t * r) >> 64n)
  r = PHI_TABLE[row + 3]! - ((t * r) >> 64n)
  r = PHI_TABLE[row + 2]! - ((t * r) >> 64n)
  r = PHI_TABLE[row + 1]! - ((t * r) >> 64n)
  return PHI_TABLE[row]! + ((t * r) >> 64n)
}

/** `phi(x) = (1 - e^-x)/x` in Q64.64, phi(0) = 1 exactly; never rises in x; error at most 1.6 ulp. */
export const phi = (x: bigint): bigint => ONE_Q64 - phiComplement(x)

/** `1 - e^-x = x * phi(x)`, rounded down; x in [0, 4); error below 1.6x + 1 ulp. */
export const oneMinusExpNeg = (x: bigint): bigint => (x * phi(x)) >> 64n

/** `e^-x`, x in [0, 4), Q64.64; exactly 1 at 0; error below 1.6x + 1 ulp. */
export const expNeg = (x: bigint): bigint => ONE_Q64 - oneMinusExpNeg(x)

/** `e^x`, x in [0, 4), as `2^128 / e^-x` rounded down. For display: the relative error is that of `e^-x`. */
export const exp = (x: bigint): bigint => (ONE_Q64 * ONE_Q64) / expNeg(x)

/**
 * `ln(v)` for v in [1, 54) (Q64.64), for reading APYs and prices in. Six Halley steps `y += 2(v e^-y - 1)/(v e^-y + 1)`
 * from 0: the error falls from e to e^3/12, so four would do below v = 5. Error below 8v ulp.
 */
export const ln = (v: bigint): bigint => {
  if (v < ONE_Q64 || v >= 54n * ONE_Q64) {
    throw new KernelError('domain', `ln takes values from 1 to below 54 (Q64.64), got ${v}`, { v })
  }
  let y = 0n
  for (let step = 0; step < 6; step++) {
    const ratio = (v * expNeg(y)) >> 64n
    y += (2n * (ratio - ONE_Q64) * ONE_Q64) / (ratio + ONE_Q64)
    if (y < 0n) y = 0n
  }
  return y
}
