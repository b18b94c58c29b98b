/**
 * Coupon arbitrage, by the kernel: YT bought (or sold) now and held over coupons. Coupons less decay is the edge; price impact and the
 * fees of both trades come off it. Amounts are JLP or YT atoms. What the coupons will be is a prediction, so this decides nothing.
 */
import {
  accrue,
  type CouponKind,
  ONE_Q64,
  type Pool,
  quote,
  shiftQ64,
  YEAR_SECONDS,
  type YtAtoms,
} from '../../../../../amm/index.ts'
import { ytInJlp } from '../../../../../src/exchange/index.ts'
import { q64Of } from '../../format.ts'

export type Until = 'coupon' | 'week' | 'maturity'
export type Direction = 'long' | 'short'

/** `net = coupons - decay - impact - fees`, for a long; a short's coupons and decay have the other sign. */
export interface Arbitrage {
  readonly yt: bigint
  /** Paid for them, or received, without the fee. */
  readonly amount: bigint
  readonly coupons: bigint
  readonly decay: bigint
  readonly impact: bigint
  readonly fees: bigint
  readonly net: bigint
  readonly complete: boolean
}

const HOUR = 3600
const WEEK = 7 * 86_400

/** Seconds of a coupon. */
const periodOf = (kind: CouponKind): number => (kind === 'hourly' ? HOUR : WEEK)

/** Seconds that YT are held: coupons are paid hour by hour, or with the weekly figure. */
export const secondsOf = (pool: Pool, kind: CouponKind, until: Until): number =>
  Math.min(pool.tauSeconds, { coupon: periodOf(kind), week: WEEK, maturity: pool.tauSeconds }[until])

/** JLP per ST after coupons at an APR, which does not compound within a coupon but from one to the next. */
const discountAfter = (pool: Pool, seconds: number, apr: number, kind: CouponKind): Pool['discount'] => {
  const period = Math.min(seconds, periodOf(kind))
  const growth = (1 + (apr * period) / YEAR_SECONDS) ** (seconds / period)
  return ((pool.discount * ONE_Q64) / q64Of(growth)) as Pool['discount']
}

const faceOf = (pool: Pool, yt: bigint): bigint => (ytInJlp(pool.rate, pool) * yt) >> 64n

/** What `yt` atoms traded now bring, if the pool pays `apr` (a fraction) for so many seconds and others leave the rate where it is. */
export const arbitrage = (
  pool: Pool,
  {
    side,
    yt,
    seconds,
    apr,
    kind,
  }: {
    readonly side: Direction
    readonly yt: bigint
    readonly seconds: number
    readonly apr: number
    readonly kind: CouponKind
  },
): Arbitrage | undefined => {
  const isLong = side === 'long'
  const opened = quote(pool, { kind: isLong ? 'buy-yt' : 'sell-yt', yt: yt as YtAtoms })
  if (opened.kind !== 'quoted') return undefined
  const { filled, amount, fee } = opened
  const after = { tauSeconds: pool.tauSeconds - seconds, discount: discountAfter(pool, seconds, apr, kind) }
  const later = accrue(opened.next, after)
  // Priced where the rate was, as if nobody had traded: the rest is impact.
  const before = faceOf(pool, filled)
  const then = faceOf({ ...pool, ...after }, filled)
  const coupon = shiftQ64(filled * (pool.discount - later.discount), 'down')
  let [back, backFee] = [0n, 0n]
  if (later.tauSeconds > 0) {
    const closed = quote(later, { kind: isLong ? 'sell-yt' : 'buy-yt', yt: filled as YtAtoms })
    if (closed.kind !== 'quoted') return undefined
    back = closed.amount
    backFee = closed.fee.total
  }
  const fees = fee.total + backFee
  const sign = isLong ? 1n : -1n
  const coupons = sign * coupon
  const decay = sign * (before - then)
  const impact = sign * (amount - before + (then - back))
  const net = sign * (back - amount) + coupons - fees
  return { yt: filled, amount, coupons, decay, impact, fees, net, complete: opened.complete }
}

/** 0.01 YT */
const STEP = 10_000n

/** The size at which one more YT brings nothing, by ternary search to 0.01 YT; undefined if even 1 YT loses. */
export const bestSize = (
  pool: Pool,
  terms: { readonly side: Direction; readonly seconds: number; readonly apr: number; readonly kind: CouponKind },
): Arbitrage | undefined => {
  const at = (steps: bigint): Arbitrage | undefined => arbitrage(pool, { ...terms, yt: steps * STEP })
  const all = quote(pool, {
    kind: terms.side === 'long' ? 'buy-yt' : 'sell-yt',
    yt: (10n ** 15n) as YtAtoms,
  })
  let [low, high] = [100n, all.kind === 'quoted' ? all.filled / STEP : 0n]
  while (high - low > 2n) {
    const third = (high - low) / 3n
    const [left, right] = [at(low + third)?.net ?? 0n, at(high - third)?.net]
    if (right !== undefined && left < right) low += third
    else high -= third
  }
  const best = at(low + 1n)
  return best !== undefined && best.net > 0n ? best : undefined
}
