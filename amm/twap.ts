/**
 * The rate oracle: a time-weighted average of the rate `s`, in 16 buckets of 20 s (docs/protocol.md section 5).
 *
 * It averages the rate and not a price, so a coupon never makes it stale. What it sees moves by at most `clampPerSecond`
 * a second, however far the spot rate is pushed, and the spot that counts is the one before a trade.
 */
import { KernelError } from './errors.ts'
import { type RateQ64, rateQ64, seconds } from './units.ts'

export const BUCKET_SECONDS = 20
export const BUCKETS = 16
/** The longest window: 15 whole buckets are always there beside the one being filled. */
export const MAX_WINDOW_SECONDS = BUCKET_SECONDS * (BUCKETS - 1)
/** Default clamp: 1 bp of `s` per second. */
export const DEFAULT_CLAMP_PER_SECOND = (1n << 64n) / 10_000n

export interface RateOracle {
  /** Most that the observed rate moves in a second, Q64.64. */
  readonly clampPerSecond: bigint
  /** When observation began, and up to when it has come; unix seconds. */
  readonly startedAt: number
  readonly observedUntil: number
  /** The observed rate of the last second before `observedUntil`. */
  readonly observed: RateQ64
  /** Sum of the observed rates of a bucket's seconds; bucket `floor(t / 20)` is kept at its number modulo 16. */
  readonly buckets: readonly bigint[]
}

export const createOracle = (init: {
  readonly now: number
  readonly rate: RateQ64
  readonly clampPerSecond: bigint
}): RateOracle => {
  if (init.clampPerSecond <= 0n || init.clampPerSecond >= 1n << 64n) {
    throw new KernelError('bad-parameter', 'The clamp must be above 0 and below 1 per second (Q64.64)', {
      clampPerSecond: init.clampPerSecond,
    })
  }
  const now = seconds(init.now)
  return {
    clampPerSecond: init.clampPerSecond,
    startedAt: now,
    observedUntil: now,
    observed: rateQ64(init.rate),
    buckets: Array.from({ length: BUCKETS }, () => 0n),
  }
}

/**
 * Observes the spot rate that has stood since the last call, up to `now`. Call it before every change of the rate; a
 * second call in the same second changes nothing. At most 16 buckets are written, however long nobody called.
 */
export const observe = (oracle: RateOracle, spot: RateQ64, now: number): RateOracle => {
  rateQ64(spot)
  seconds(now)
  if (now < oracle.observedUntil) {
    throw new KernelError('time-backwards', 'An observation cannot be older than the last', {
      now,
      observedUntil: oracle.observedUntil,
    })
  }
  if (now === oracle.observedUntil) return oracle
  const buckets = [...oracle.buckets]
  const last = oracle.observedUntil
  const oldestKept = (floorDiv(now - 1, BUCKET_SECONDS) - (BUCKETS - 1)) * BUCKET_SECONDS
  let { observed } = oracle
  let at = last
  if (at < oldestKept) {
    observed = ramp(observed, spot, oracle.clampPerSecond, oldestKept - at).last
    at = oldestKept
  }
  while (at < now) {
    const bucket = floorDiv(at, BUCKET_SECONDS)
    const end = (bucket + 1) * BUCKET_SECONDS
    const until = end < now ? end : now
    const piece = ramp(observed, spot, oracle.clampPerSecond, until - at)
    const slot = bucket % BUCKETS
    const begun = at === last && at % BUCKET_SECONDS !== 0
    buckets[slot] = (begun ? buckets[slot]! : 0n) + piece.sum
    observed = piece.last
    at = until
  }
  return { ...oracle, observedUntil: now, observed, buckets }
}

/**
 * Mean observed rate of the `window` seconds up to `now`, rounded down, with the spot standing since the last observation;
 * of all seconds there are if the history is shorter; the observed rate itself if there is none. The oldest bucket counts
 * pro rata when the window begins inside it. The window is 1 to 300 s.
 */
export const twap = (oracle: RateOracle, spot: RateQ64, now: number, window: number): RateQ64 => {
  if (!Number.isInteger(window) || window < 1 || window > MAX_WINDOW_SECONDS) {
    throw new KernelError('bad-parameter', `The window must be a whole number from 1 to ${MAX_WINDOW_SECONDS} s`, {
      window,
    })
  }
  const { startedAt, observed, buckets } = observe(oracle, spot, now)
  const from = now - window > startedAt ? now - window : startedAt
  if (from === now) return observed
  let sum = 0n
  for (let at = from; at < now; ) {
    const bucket = floorDiv(at, BUCKET_SECONDS)
    const begin = bucket * BUCKET_SECONDS > startedAt ? bucket * BUCKET_SECONDS : startedAt
    const end = (bucket + 1) * BUCKET_SECONDS < now ? (bucket + 1) * BUCKET_SECONDS : now
    sum += (buckets[bucket % BUCKETS]! * BigInt(end - at)) / BigInt(end - begin)
    at = end
  }
  return (sum / BigInt(now - from)) as RateQ64
}

/** How many seconds of history the oracle has at `now`. */
export const historySeconds = (oracle: RateOracle, now: number): number => {
  if (now < oracle.startedAt) {
    throw new KernelError('time-backwards', 'The oracle began later', { now, startedAt: oracle.startedAt })
  }
  return now - oracle.startedAt
}

const floorDiv = (a: number, b: number): number => (a - (a % b)) / b

/**
 * `count` seconds in which the observed rate goes from `from` towards `to` by at most `clamp` a second: the sum of the
 * rates after each second, and the last, in closed form.
 */
const ramp = (from: bigint, to: bigint, clamp: bigint, count: number): { sum: bigint; last: RateQ64 } => {
  const n = BigInt(count)
  const rising = to > from
  const distance = rising ? to - from : from - to
  const fullSteps = distance / clamp
  const steps = n < fullSteps ? n : fullSteps
  const climbed = (clamp * steps * (steps + 1n)) / 2n
  const sum = from * steps + (rising ? climbed : -climbed) + to * (n - steps)
  const last = n > fullSteps ? to : rising ? from + clamp * n : from - clamp * n
  return { sum, last: last as RateQ64 }
}
