/** YT on margin, long or short, held while days go by; all of it is read from the engine. */
import { MAX_RATE } from '../../amm/index.ts'
import { accountId, accountView, type Event, liquidationOf } from '../exchange/index.ts'
import type { Held } from './held.ts'
import { type Opened, open, refOf, type YtOrder } from './order.ts'
import { type Walk, YOU } from './walk.ts'

/** The rate oracle's window, seconds. */
const WINDOW = 300
/** A margined trade stays near the TWAP: more can follow once that has caught up, so often before the next coupon is due. */
const ROUNDS = 12

/** YT on margin, long or short. */
export const holdYt = (walk: Walk, order: YtOrder): Held & { readonly opened: Opened } => {
  const opened = open(walk, order)
  const ref = refOf(walk)
  const id = accountId(ref)
  let couponsPaid = 0n
  // Decay and rate move of YT that forced closes took, as far as they had come by then.
  const gone = { decay: 0n, rateMove: 0n }
  const counted = (events: readonly Event[]): void => {
    for (const event of events) if (event.type === 'account' && event.owner === YOU) couponsPaid += event.coupon
  }
  const view = () => accountView(walk.state, ref, walk.world, walk.entries.get(id))
  return {
    opened,
    paid: opened.paid,
    complete: opened.complete,
    read() {
      const { equity, margin, ratioAtTwap, st, yt, profit } = view()
      // Coupons recorded, and those since the last touch, which the view has added to `st`.
      const coupons = couponsPaid + (st - walk.state.accounts.get(id)!.st)
      const decay = gone.decay + (yt === 0n ? 0n : profit.decay)
      const rateMove = gone.rateMove + (yt === 0n ? 0n : profit.rateMove)
      const fees = equity - opened.paid - coupons - decay - rateMove
      return { value: equity, margin, ratio: ratioAtTwap, parts: { coupons, decay, rateMove, fees } }
    },
    moving: move => move(),
    keep() {
      for (let round = 0; round < ROUNDS; round++) {
        const due = walk.matured ? undefined : liquidationOf(walk.state, ref, walk.world)
        if (due === undefined) return round > 0
        const forced =
          due === 'take-over'
            ? ({ kind: 'take-over', ...ref } as const)
            : ({ kind: 'liquidate', ...ref, yt: due.liquidate, by: 'strategy-keeper' } as const)
        const before = view()
        const result = walk.try(forced)
        if (result.kind === 'refused') return round > 0
        counted(result.events)
        if (before.yt !== 0n) {
          const closed = before.yt - view().yt
          gone.decay += (before.profit.decay * closed) / before.yt
          gone.rateMove += (before.profit.rateMove * closed) / before.yt
        }
        walk.wait(WINDOW)
      }
      return true
    },
    leave() {
      if (walk.matured) walk.settleAll()
      for (let round = 0; round < ROUNDS && !walk.matured && view().yt !== 0n; round++) {
        if (round > 0) walk.wait(WINDOW)
        const bounds = { limitRate: view().yt < 0n ? MAX_RATE : 0n, minimum: 0n, deadline: walk.world.now }
        const closed = walk.try({ kind: 'trade', action: 'close', ...ref, ...bounds })
        if (closed.kind === 'applied') counted(closed.events)
      }
      const { margin } = view()
      if (margin > 0n) walk.try({ kind: 'withdraw', ...ref, jlp: margin })
      const { equity } = view()
      return equity > 0n ? equity : 0n
    },
  }
}
