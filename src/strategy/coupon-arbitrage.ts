/**
 * Coupon arbitrage: when the leading APR is above what the market implies, a YT's coupon is more than its decay. Whether what is
 * left pays for price impact and two fees depends on size and on how long the YT are held.
 */
import { type DiscountQ64, MAX_RATE, quote, type YtAtoms } from '../../amm/index.ts'
import { accountView, ytInJlp } from '../exchange/index.ts'
import { HOUR_SECONDS, WEEK_SECONDS } from '../oracle/index.ts'
import { check } from './errors.ts'
import { yieldAtApr } from './figures.ts'
import { refOf, swappedIn } from './order.ts'
import type { Place } from './sandbox.ts'
import { Walk } from './walk.ts'

/** How long YT are held: over the next coupon, for a week, or to maturity, where nothing has to be sold. */
export type Until = 'coupon' | 'week' | 'maturity'

/** JLP atoms, for `yt` bought at once, without leverage. `net = coupons - decay - impact - fees`. */
export interface Arbitrage {
  readonly yt: bigint
  readonly paid: bigint
  readonly coupons: bigint
  /** What the YT lose if the implied rate stands still. */
  readonly decay: bigint
  /** What buying above the spot and selling below it costs, against the rate before. */
  readonly impact: bigint
  readonly fees: bigint
  readonly net: bigint
}

/** A place with its coupons paid until then at an APR. They do not depend on who holds what, so every size shares them. */
const passed = (place: Place, apr: number, until: Until): Walk => {
  const walk = new Walk(place)
  const { kind, maturity } = walk.stored
  const { lastStep } = walk.state.indices[kind]
  const period = kind === 'hourly' ? HOUR_SECONDS : WEEK_SECONDS
  const seconds = { coupon: period, week: WEEK_SECONDS, maturity: maturity - lastStep }[until]
  walk.pass(Math.min(lastStep + seconds, maturity), s => yieldAtApr(apr, s))
  return walk
}

const tradeThrough = (place: Place, later: Walk, yt: bigint): Arbitrage => {
  const walk = new Walk(place)
  const ref = refOf(walk)
  const { rate } = walk.view
  const face = (held: bigint): bigint => {
    const { tauSeconds, discount } = walk.view
    return (ytInJlp(rate, { ...walk.stored.pool, tauSeconds, discount: discount as DiscountQ64 }) * held) >> 64n
  }
  const bounds = { minimum: 0n, deadline: later.world.now }
  const deposit = walk.wallet() / 2n
  walk.run({ kind: 'open-account', ...ref })
  walk.run({ kind: 'deposit', ...ref, jlp: deposit })
  const order = { kind: 'trade', action: 'long', ...ref, amount: { yt }, spot: true } as const
  const bought = swappedIn(walk.run({ ...order, limitRate: MAX_RATE, ...bounds }))
  const { filled } = bought
  const before = face(filled)

  walk.state.indices = later.state.indices
  walk.world = later.world
  const { st } = accountView(walk.state, ref, walk.world)
  const coupons = st + bought.amount
  const decay = before - face(filled)
  let [proceeds, sellingFee] = [0n, 0n]
  if (!walk.matured) {
    const sold = swappedIn(walk.run({ kind: 'trade', action: 'close', ...ref, limitRate: 0n, ...bounds }))
    proceeds = sold.amount
    sellingFee = sold.fee.total
  }
  const fees = bought.fee.total + sellingFee
  const impact = bought.amount - before + (face(filled) - proceeds)
  return {
    yt: filled,
    paid: bought.amount + bought.fee.total,
    coupons,
    decay,
    impact,
    fees,
    net: proceeds + coupons - bought.amount - fees,
  }
}

/** What `yt` atoms bought now bring if the pool earns `apr` (a fraction, not compounded) while they are held. */
export const couponArbitrage = (place: Place, apr: number, yt: bigint, until: Until): Arbitrage =>
  tradeThrough(place, passed(place, apr, until), yt)

/** 0.01 YT. */
const STEP = 10_000n

/**
 * The size at which one more YT brings nothing, with what that size brings; undefined if even 1 YT loses. By ternary search, to
 * 0.01 YT: impact grows with size, so the edge falls.
 */
export const bestSize = (place: Place, apr: number, until: Until): Arbitrage | undefined => {
  check(apr >= 0, 'The APR is not negative')
  const later = passed(place, apr, until)
  const at = (steps: bigint): Arbitrage => tradeThrough(place, later, steps * STEP)
  const { pool } = new Walk(place).stored
  const all = quote(pool, { kind: 'buy-yt', yt: (10n ** 15n) as YtAtoms })
  let low = 100n
  let high = all.kind === 'quoted' ? all.filled / STEP : 0n
  if (high < low) return undefined
  while (high - low > 2n) {
    const third = (high - low) / 3n
    if (at(low + third).net < at(high - third).net) low += third
    else high -= third
  }
  const best = at(low + 1n)
  return best.net > 0n ? best : undefined
}
