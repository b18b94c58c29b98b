import { Decimal } from 'decimal.js'

/**
 * Decimals of the model: 100 working digits, so that a Q64.64 (at most 84 digits) is held exactly and `B` and `F` keep
 * at least 40 correct digits after cancellation even at the smallest rate (2^-64) and one second to maturity: there
 * `F` is 5e-47, and the error of `1 - e^-x` is 1e-100, times a year per second 3e-93. At ordinary rates: over 60 digits.
 */
export const X = Decimal.clone({ precision: 100, rounding: Decimal.ROUND_HALF_EVEN, toExpNeg: -300, toExpPos: 300 })

/** Seconds of a year (section 1, `tau`: 365 days). */
export const YEAR = 31_536_000

const Q64 = new X(2).pow(64)

/** The real number that a Q64.64 integer stands for, exactly (section 1). */
export const fromQ64 = (q: bigint): Decimal => new X(q).div(Q64)

const MEMO_LIMIT = 50_000
const memo = new Map<string, Decimal>()

/** Price of PT in ST, `e^(-s*tau)` (section 2). Memoised, since one exponential costs half a millisecond. */
export const ptPrice = (rateQ64: bigint, tau: number): Decimal => {
  const key = `${rateQ64}:${tau}`
  const known = memo.get(key)
  if (known) return known
  const price = fromQ64(rateQ64).times(tau).div(YEAR).neg().exp()
  if (memo.size >= MEMO_LIMIT) memo.clear()
  memo.set(key, price)
  return price
}

/** Price of YT in ST, `P = 1 - e^(-s*tau)` (section 2). */
export const ytPrice = (rateQ64: bigint, tau: number): Decimal => new X(1).minus(ptPrice(rateQ64, tau))

/** `B(s) = integral_0^s e^(-v*tau) dv = (1 - e^(-s*t))/t`, the PT cost of a unit of liquidity; `s` at `tau = 0` (5, 11). */
export const B = (rateQ64: bigint, tau: number): Decimal =>
  tau === 0 ? fromQ64(rateQ64) : ytPrice(rateQ64, tau).times(YEAR).div(tau)

/** `F(a,b) = (b - a) - (B(b) - B(a)) = integral_a^b P`, the ST cost of a unit of liquidity (section 5). */
export const F = (a: bigint, b: bigint, tau: number): Decimal => fromQ64(b - a).minus(B(b, tau).minus(B(a, tau)))

/** `D*(s - B(s))`: JLP atoms per unit `L` from rate 0 to `s`, the `S - W` of section 3 as a real number, unrounded. */
export const ytAreaJlp = (rateQ64: bigint, tau: number, discountQ64: bigint): Decimal =>
  fromQ64(discountQ64).times(F(0n, rateQ64, tau))
