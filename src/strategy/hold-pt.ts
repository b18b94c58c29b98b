/** PT: buying, holding, and selling or redeeming; all of it is read from the engine. */
import { MAX_RATE, ONE_Q64, type Pool, type RateQ64 } from '../../amm/index.ts'
import { ptView, ytInJlp } from '../exchange/index.ts'
import type { Held } from './held.ts'
import { swappedIn } from './order.ts'
import { type Walk, YOU } from './walk.ts'

/** JLP atoms of PT at a rate: ST less YT, down. */
const ptWorth = (pt: bigint, rate: RateQ64, pool: Pool): bigint => (pt * (pool.discount - ytInJlp(rate, pool))) >> 64n

/** PT bought with at most `jlp` atoms, fee included. */
export const buyPt = (
  walk: Walk,
  jlp: bigint,
): { readonly pt: bigint; readonly paid: bigint; readonly complete: boolean; readonly rate: RateQ64 } => {
  const feeBps = BigInt(walk.stored.pool.fees.feeBps)
  const before = { jlp: walk.wallet(), pt: walk.wallet(`pt/${walk.market}`), rate: walk.stored.pool.rate }
  const bounds = { limitRate: 0n, minimum: 0n, deadline: walk.world.now }
  const order = { kind: 'buy-pt', market: walk.market, owner: YOU, ...bounds } as const
  // The fee is on the YT inside, which is less than the payment: what it leaves goes into PT in a second, small order.
  const first = walk.run({ ...order, amount: { st: (jlp * 10_000n) / (10_000n + feeBps) } })
  const rest = jlp - (before.jlp - walk.wallet())
  walk.try({ ...order, amount: { st: rest - rest / 1000n - 2n } })
  return {
    pt: walk.wallet(`pt/${walk.market}`) - before.pt,
    paid: before.jlp - walk.wallet(),
    complete: swappedIn(first).complete,
    rate: ((before.rate + walk.stored.pool.rate) / 2n) as RateQ64,
  }
}

/** Sells or redeems all PT of the wallet; what the market did not take, JLP atoms at the spot. */
export const leavePt = (walk: Walk): bigint => {
  const { market } = walk
  const pt = walk.wallet(`pt/${market}`)
  const bounds = { limitRate: MAX_RATE, minimum: 0n, deadline: walk.world.now }
  if (walk.matured) walk.run({ kind: 'redeem-pt', market, owner: YOU, pt })
  else walk.try({ kind: 'sell-pt', market, owner: YOU, amount: { pt }, ...bounds })
  return ptView(walk.state, market, walk.wallet(`pt/${market}`), walk.world).value
}

/** PT for at most `jlp` atoms, fee included. */
export const holdPt = (walk: Walk, jlp: bigint): Held & { readonly pt: bigint } => {
  const { pt, paid, complete, rate: entryRate } = buyPt(walk, jlp)
  const entryPool = walk.stored.pool
  return {
    pt,
    paid,
    complete,
    read() {
      const { value } = ptView(walk.state, walk.market, pt, walk.world)
      const { discount, tauSeconds, rate } = walk.view
      const now = { ...entryPool, discount, tauSeconds } as Pool
      const coupons = -((pt * (entryPool.discount - discount)) / ONE_Q64)
      const unmoved = ptWorth(pt, entryRate, now)
      const decay = unmoved - ptWorth(pt, entryRate, entryPool) - coupons
      const rateMove = ptWorth(pt, rate, now) - unmoved
      const fees = value - paid - coupons - decay - rateMove
      return { value, margin: 0n, ratio: undefined, parts: { coupons, decay, rateMove, fees } }
    },
    moving: move => move(),
    keep: () => false,
    leave: () => leavePt(walk),
  }
}
