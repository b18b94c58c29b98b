/**
 * Going backwards: the most YT that an amount of JLP pays for. Newton finds where the curve is about right, and a search
 * among whole atoms settles it by the forward functions alone. The answer is the largest n whose amount, as the kernel
 * itself computes it, fits; how it was found leaves no trace in it, so a second implementation may search in its own way.
 */
import { ONE_Q64, phiComplement } from './fixed.ts'
import { exponent, type Moment } from './rate.ts'
import { YEAR_SECONDS_N } from './units.ts'

const MAX_NEWTON_STEPS = 16

interface CurvePoint {
  /** V or W at the rate, Q64.64. */
  readonly value: bigint
  /** Its derivative, the price of YT or PT in JLP, Q64.64. */
  readonly slope: bigint
  /** e^(-s tau), Q64.64. */
  readonly decay: bigint
}

const curve = (of: 'yt' | 'pt', rate: bigint, { tauSeconds, discount }: Moment): CurvePoint => {
  const x = exponent(rate, tauSeconds)
  const complement = phiComplement(x)
  const ytPart = (((rate * complement) >> 64n) * discount) >> 64n
  const ytPrice = (x * (ONE_Q64 - complement)) >> 64n
  const decay = ONE_Q64 - ytPrice
  return of === 'yt'
    ? { value: ytPart, slope: (ytPrice * discount) >> 64n, decay }
    : { value: ((rate * discount) >> 64n) - ytPart, slope: (decay * discount) >> 64n, decay }
}

/**
 * About the rate between `start` and `end` at which V (or W) differs by `change` from its value at `start`; signed, with
 * the sign of `end - start`. Bracketed Newton from the second-order step, until the error is within `tolerance` or 16 steps.
 */
export const rateWhere = (problem: {
  readonly of: 'yt' | 'pt'
  readonly start: bigint
  readonly end: bigint
  readonly change: bigint
  readonly moment: Moment
  readonly tolerance: bigint
}): bigint => {
  const { of, start, end, change, moment, tolerance } = problem
  let low = start < end ? start : end
  let high = start < end ? end : start
  const inside = (rate: bigint): bigint => (rate > low && rate < high ? rate : (low + high) >> 1n)

  const first = curve(of, start, moment)
  const target = first.value + change
  if (first.slope === 0n) return end
  // Second order: change = slope*d + bend*d^2/2, with d^2 ~ d * change/slope.
  const firstOrder = (change << 64n) / first.slope
  const bend = (((first.decay * moment.discount) >> 64n) * BigInt(moment.tauSeconds)) / YEAR_SECONDS_N
  const slope = first.slope + (((of === 'yt' ? bend : -bend) * firstOrder) >> 65n)
  let rate = slope > 0n ? start + (change << 64n) / slope : end
  if (rate >= high) rate = high
  if (rate <= low) rate = low
  for (let step = 0; step < MAX_NEWTON_STEPS; step++) {
    const point = curve(of, rate, moment)
    const miss = point.value - target
    if (miss > 0n) high = rate
    else low = rate
    const move = point.slope === 0n ? high - low : (miss << 64n) / point.slope
    rate = inside(rate - move)
    // Newton's next error is about move^2/(2 rate): stop when that is within the tolerance.
    if (move * move < tolerance * rate || high - low <= 1n) break
  }
  return rate
}

/** The greatest n with `fits(n)` between `low`, which is taken to fit, and `high`, which is taken not to. */
export const bisect = (fits: (n: bigint) => boolean, low: bigint, high: bigint): bigint => {
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

/**
 * The largest n in [0, top] with `fits(n)`, where `fits` is true up to some n and false after it; -1 if it is false at 0.
 * Gallops from `guess`, then bisects: two calls when the guess is right.
 */
export const largestNear = (fits: (n: bigint) => boolean, top: bigint, guess: bigint): bigint => {
  let low = -1n
  let high = top + 1n
  let probe = guess < 0n ? 0n : guess > top ? top : guess
  for (let stride = 1n; low < probe && probe < high; stride *= 2n) {
    if (fits(probe)) {
      low = probe
      probe += stride
    } else {
      high = probe
      probe -= stride
    }
  }
  return bisect(fits, low, high)
}
