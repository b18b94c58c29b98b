/** The model's figures: the default terms of a market (section 9), and whole numbers beside exact ones. */
import type { Decimal } from 'decimal.js'
import { X } from './exact.ts'

/** Section 9, the defaults: bp, seconds, atoms. */
export const TERMS = {
  feeBps: 10n,
  lpShareBps: 5000n,
  insuranceShareBps: 5000n,
  minTick: 50,
  maxTick: 13_860,
  initial: new X('1.1'),
  initialTwap: new X('1.0605'),
  maintenance: new X('1.05'),
  whole: new X('1.025'),
  minimumSize: 1_000_000,
  twapWindow: 300,
  clampPerSecond: (1n << 64n) / 10_000n,
  guardBps: 1000n,
  forcedBps: 100n,
  fundBps: 25n,
  penaltyMost: new X('0.02'),
  minimumAge: 300,
  openInterestBps: { hourly: 1000n, weekly: 500n },
  lowCoupon: { hourly: new X(0), weekly: new X('0.25') },
  period: { hourly: 3600, weekly: 604_800 },
}

export const SPACING = 10

export const ZERO = new X(0)
export const big = (value: bigint | number): Decimal => new X(value)
export const positive = (value: Decimal): Decimal => X.max(value, 0)
/** Down to a whole number. */
export const whole = (value: Decimal): bigint => BigInt(value.floor().toFixed())
export const wholeUp = (value: Decimal): bigint => BigInt(value.ceil().toFixed())
export const size = (yt: bigint): bigint => (yt < 0n ? -yt : yt)
export const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)
