/** The model's rate indices (section 4) and its rate oracle (sections 5 and 11), by their text, second by second. */
import type { Decimal } from 'decimal.js'
import { fromQ64, X, YEAR } from './exact.ts'

const Q64 = 1n << 64n
const HOUR = 3600
const WEEK = 604_800
const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b

export type Kind = 'hourly' | 'weekly'

/** Default caps of section 9, Q64.64: yield of a step, and hourly also of a week. */
const CAPS = {
  hourly: { step: (Q64 * 5n) / 10_000n, week: (Q64 * 25n) / 1000n },
  weekly: { step: (Q64 * 12n) / 1000n, week: 0n },
}

export const WEEKLY_AUM = 10_000n * BigInt(YEAR)

/** One index: what a step pays, up to the caps, and the lowest discount that is still possible. */
export class ModelIndex {
  readonly kind: Kind
  discount = Q64
  lastStep: number
  private bucket: bigint
  private carry = 0n

  constructor(kind: Kind, lastStep: number) {
    this.kind = kind
    this.lastStep = lastStep
    this.bucket = CAPS[kind].week
  }

  /** Most yield of one step, as a real number: the coupon that a short must be able to pay. */
  get rhoMax(): Decimal {
    return fromQ64(CAPS[this.kind].step)
  }

  /** Pays one step; `discountAt(T)` is the discount of a maturity that the step crosses. */
  step(to: number, fees: bigint, aum: bigint): { readonly discountAt: (maturity: number) => bigint } {
    const { kind, discount: before, lastStep: from } = this
    const caps = CAPS[kind]
    const seconds = to - from
    // A weekly step shorter than a week is allowed its part of one.
    let allowed = (caps.step * BigInt(Math.min(seconds, WEEK))) / BigInt(WEEK)
    if (kind === 'hourly') {
      const hours = BigInt(Math.floor(seconds / HOUR))
      const refilled = this.bucket + (caps.week * hours) / 168n
      this.bucket = refilled < caps.week ? refilled : caps.week
      allowed = caps.step * hours < this.bucket ? caps.step * hours : this.bucket
    }
    const due = fees + this.carry
    const most = (aum * allowed) / Q64
    const paid = due < most ? due : most
    this.carry = due - paid
    if (kind === 'hourly') {
      const used = ceilDiv(paid * Q64, aum)
      this.bucket = used < this.bucket ? this.bucket - used : 0n
    }
    const fallen = (part: bigint): bigint => ceilDiv(before * aum, aum + part)
    this.discount = fallen(paid)
    this.lastStep = to
    return { discountAt: maturity => fallen((paid * BigInt(maturity - from)) / BigInt(seconds)) }
  }

  /** The yield that the caps still allow by `maturity`, an exponent. */
  yieldLeft(maturity: number): Decimal {
    const left = Math.max(0, maturity - this.lastStep)
    const { step, week } = CAPS[this.kind]
    if (this.kind === 'weekly') return fromQ64(step).times(left).div(WEEK)
    return fromQ64(this.bucket).plus(
      fromQ64(week)
        .times(Math.ceil(left / HOUR))
        .div(168),
    )
  }

  /** `Dmin`, the lowest discount that the caps allow by `maturity`. */
  lowest(maturity: number): Decimal {
    return fromQ64(this.discount).times(this.yieldLeft(maturity).neg().exp())
  }
}

const BUCKET = 20
const KEPT = 16

/** The rate oracle: each second's rate follows the spot by at most the clamp; 16 buckets of 20 s of it are kept. */
export class BucketOracle {
  private readonly buckets = new Map<number, { sum: bigint; seconds: number }>()
  private readonly start: number
  private readonly clamp: bigint
  private observed: bigint
  private time: number

  constructor(start: number, rate: bigint, clamp: bigint) {
    this.start = start
    this.time = start
    this.observed = rate
    this.clamp = clamp
  }

  copy(): BucketOracle {
    const other = new BucketOracle(this.start, this.observed, this.clamp)
    other.time = this.time
    for (const [id, bucket] of this.buckets) other.buckets.set(id, { ...bucket })
    return other
  }

  /** `spot` stood from the last observation to `now`. */
  observe(spot: bigint, now: number): void {
    for (; this.time < now; this.time++) {
      // Once there, it stays there: what is older than all buckets need not be written down.
      if (this.observed === spot && now - this.time > 2 * KEPT * BUCKET) this.time = now - 2 * KEPT * BUCKET
      const gap = spot - this.observed
      this.observed += gap > this.clamp ? this.clamp : gap < -this.clamp ? -this.clamp : gap
      const id = Math.floor(this.time / BUCKET)
      const bucket = this.buckets.get(id) ?? { sum: 0n, seconds: 0 }
      this.buckets.set(id, { sum: bucket.sum + this.observed, seconds: bucket.seconds + 1 })
      this.buckets.delete(id - KEPT)
    }
    for (const id of this.buckets.keys()) if (id <= Math.floor((now - 1) / BUCKET) - KEPT) this.buckets.delete(id)
  }

  /** The observed rate of the last second. */
  get rate(): bigint {
    return this.observed
  }

  /** Seconds of history. */
  age(now: number): number {
    return now - this.start
  }

  /** The mean of the last `window` seconds; the oldest bucket counts by its share of seconds within. */
  twap(window: number): bigint {
    const from = Math.max(this.start, this.time - window)
    if (from === this.time) return this.observed
    let sum = 0n
    for (const [id, bucket] of this.buckets) {
      const begin = Math.max(id * BUCKET, this.start)
      const end = Math.min((id + 1) * BUCKET, this.time)
      if (end <= from) continue
      const inside = end - Math.max(begin, from)
      sum += (bucket.sum * BigInt(inside)) / BigInt(bucket.seconds)
    }
    return sum / BigInt(this.time - from)
  }
}

/** The rate at which a YT costs `1 - e^-x` with `tau` seconds to go. */
export const rateOfYield = (x: Decimal, tau: number): bigint =>
  BigInt(x.times(YEAR).div(tau).times(new X(2).pow(64)).floor().toFixed())
