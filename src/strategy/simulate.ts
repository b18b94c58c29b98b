/**
 * Cash flow and profit of a position by day: what happens to it if the pool earns this and the market implies that. The engine
 * opens it, pays every coupon, liquidates it if it must, and pays it out.
 */
import { apyFromRate } from '../../amm/index.ts'
import { DAY, onDay, type Path, rateOf, real, yieldAtApy } from './figures.ts'
import type { Held, Reading } from './held.ts'
import { holdLp } from './hold-lp.ts'
import { holdPt } from './hold-pt.ts'
import { holdYt } from './hold-yt.ts'
import type { YtOrder } from './order.ts'
import type { Place } from './sandbox.ts'
import { Walk } from './walk.ts'

/** What is held; amounts in JLP atoms. */
export type Holding =
  | ({ readonly kind: 'yt' } & YtOrder)
  | { readonly kind: 'pt'; readonly jlp: bigint }
  | { readonly kind: 'lp'; readonly jlp: bigint; readonly lower: number; readonly upper: number }

export interface Row extends Reading {
  /** Days since the start; 0 is after opening. */
  readonly day: number
  readonly impliedApy: bigint
  readonly discount: bigint
  /** Coupons of this day, JLP atoms. */
  readonly coupon: bigint
  readonly liquidated: boolean
}

export interface Simulation {
  readonly rows: readonly Row[]
  /** What the wallet paid and what it got back in the end, JLP atoms. */
  readonly paid: bigint
  readonly received: bigint
  /** What could not be sold or withdrawn, at the spot. */
  readonly left: bigint
  readonly profit: bigint
  /** Profit on what was paid, a fraction. */
  readonly returned: number
  /** Yield that the caps held back and that was not paid by the end, a fraction of JLP. */
  readonly unpaid: number
  readonly matured: boolean
  /** False if the opening order was filled in part only. */
  readonly complete: boolean
  /** The first day with a liquidation. */
  readonly liquidatedOn: number | undefined
}

export const hold = (walk: Walk, holding: Holding): Held =>
  holding.kind === 'yt'
    ? holdYt(walk, holding)
    : holding.kind === 'pt'
      ? holdPt(walk, holding.jlp)
      : holdLp(walk, holding.jlp, holding.lower, holding.upper)

/** Opens and holds for `days` or to maturity, whichever is sooner, then leaves. Works on a copy of the place. */
export const simulate = (place: Place, holding: Holding, path: Path, days = Number.POSITIVE_INFINITY): Simulation => {
  const walk = new Walk(place)
  return holdThrough(walk, hold(walk, holding), path, days)
}

/** Lets a path go by over a position that is already held in a walk. */
export const holdThrough = (walk: Walk, held: Held, path: Path, days: number): Simulation => {
  const { maturity } = walk.stored
  // Days are counted from the last full hour.
  const start = walk.world.now - (walk.world.now % 3600)
  const last = Math.min(days, Math.ceil((maturity - start) / DAY))
  let before = 0n
  const row = (day: number, liquidated: boolean): Row => {
    const reading = held.read()
    const coupon = reading.parts.coupons - before
    before = reading.parts.coupons
    const { rate, discount } = walk.view
    return { day, impliedApy: apyFromRate(rate), discount, coupon, liquidated, ...reading }
  }
  const rows = [row(0, false)]
  for (let day = 1; day <= last; day++) {
    const { implied } = path
    if (implied !== undefined) held.moving(() => walk.moveTo(rateOf(onDay(implied, day - 1))))
    let liquidated = false
    const keep = (): void => {
      if (held.keep()) liquidated = true
    }
    const until = Math.min(start + day * DAY, maturity)
    walk.pass(until, seconds => yieldAtApy(onDay(path.realised, day - 1), seconds), keep)
    keep() // with weekly coupons the rate may have moved on a day that none is paid
    rows.push(row(day, liquidated))
  }
  const wallet = walk.wallet()
  const left = held.leave()
  const received = walk.wallet() - wallet
  const profit = received + left - held.paid
  return {
    rows,
    paid: held.paid,
    received,
    left,
    profit,
    returned: Number(profit) / Number(held.paid),
    unpaid: real(walk.carried),
    matured: walk.matured,
    complete: held.complete,
    liquidatedOn: rows.find(({ liquidated }) => liquidated)?.day,
  }
}
