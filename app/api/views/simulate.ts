/**
 * Profit of a position that nobody holds yet, over what JLP may yield and over time. After so many seconds at a realised APY the discount
 * is `D / (1 + yield)`, whatever coupons it was paid in; the engine values the account there, with the rate that is assumed.
 */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { discountQ64, ONE_Q64, type RateQ64 } from '../../../amm/index.ts'
import { accountLegs, type Exchange, meetsMaintenance, ptView, valuation } from '../../../src/exchange/index.ts'
import { DAY, rateOf, real, yieldAtApy } from '../../../src/strategy/figures.ts'
import type { LiveMarket } from '../feed.ts'
import { Atoms, said } from '../schemas.ts'
import type { Asked, Traded } from './quote.ts'

/** Of a grid. */
export const MOST_POINTS = 12

export const Outcome = Type.Object({
  days: Type.Number({ description: 'From now' }),
  time: Type.Integer({ description: 'Unix seconds' }),
  value: said(Atoms, 'What it is worth then, coupons included, JLP atoms'),
  profit: said(Atoms, 'Less what was paid, fee included, JLP atoms'),
  returned: Type.String({ description: 'Profit on what was paid, a fraction' }),
  healthy: Type.Boolean({ description: 'False: it would have been liquidated by then if not before' }),
})
type Outcome = Static<typeof Outcome>

export interface Assumed {
  /** Fractions. */
  readonly realised: readonly number[]
  readonly days: readonly number[]
  /** Where the rate is then; where it was before the trade by default. */
  readonly implied: number | undefined
}

/** The market's state when its index stands at a discount that a yield leads to. */
const later = (state: Exchange, live: LiveMarket, seconds: number, apy: number, rate: RateQ64): Exchange => {
  const { id } = live.ready.mirror
  const index = state.indices[live.kind]
  const market = state.markets.get(id)!
  const grown = ONE_Q64 + yieldAtApy(apy, seconds)
  const discount = discountQ64((index.discount * ONE_Q64) / grown)
  const lastStep = index.lastStep + seconds
  const isOver = lastStep >= live.maturity
  const checkpoints = index.checkpoints.map(one =>
    one.maturity === live.maturity && isOver ? { ...one, discount } : one,
  )
  const moved = { ...index, discount, lastStep: isOver ? live.maturity : lastStep, checkpoints }
  return {
    ...state,
    indices: { hourly: moved, weekly: moved },
    markets: new Map([[id, { ...market, pool: { ...market.pool, rate } }]]),
  }
}

/** Every outcome by realised APY and day. */
export const outcomesOf = (
  live: LiveMarket,
  asked: Asked,
  traded: Traded,
  { realised, days, implied }: Assumed,
): { readonly realisedApy: string; readonly outcomes: Outcome[] }[] => {
  const { mirror, reading } = live.ready
  const { quote } = traded
  const state = traded.state ?? mirror.state
  const rate = implied === undefined ? quote.rateBefore : rateOf(implied)
  const ref = traded.account?.ref
  const paid = ref === undefined ? quote.amount + quote.fee.total : asked.margin
  const { lastStep } = state.indices[live.kind]
  return realised.map(apy => ({
    realisedApy: String(apy),
    outcomes: days.map(day => {
      const seconds = Math.round(Math.min(day * DAY, live.maturity - lastStep))
      const then = later(state, live, seconds, apy, rate)
      const world = { ...mirror.world, now: reading.now + seconds }
      const market = then.markets.get(mirror.id)!
      let value: bigint
      let healthy = true
      if (ref === undefined) value = ptView(then, mirror.id, quote.filled, world).value
      else {
        const legs = accountLegs(then, ref, world)
        value = legs.equity
        const tauSeconds = Math.max(0, live.maturity - lastStep - seconds)
        const index = then.indices[live.kind]
        const pool = { ...market.pool, tauSeconds, discount: index.discount }
        const at = valuation({ ...market, pool }, index, rate, rate)
        healthy = tauSeconds === 0 ? value > 0n : meetsMaintenance(legs, at, market.terms)
      }
      const profit = value - paid
      return {
        days: seconds / DAY,
        time: reading.now + seconds,
        value: String(value),
        profit: String(profit),
        returned: (real((profit << 64n) / (paid === 0n ? 1n : paid)) || 0).toFixed(6),
        healthy,
      }
    }),
  }))
}
