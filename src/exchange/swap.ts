/** The AMM inside an instruction: guards, the order of the kernel, and where its fee goes. */
import { divide } from '../../amm/fixed.ts'
import {
  historySeconds,
  MAX_RATE,
  type Order,
  type Quote,
  quote,
  type RateQ64,
  type Rejected,
  tickRate,
  twap,
} from '../../amm/index.ts'
import type { Draft } from './draft.ts'
import { refuse } from './errors.ts'
import type { OrderBounds } from './instruction.ts'
import { type Valuation, valuation } from './margin.ts'
import { withFundMargin } from './maturity.ts'
import type { Market } from './state.ts'

/** Time-weighted rate before anything this instruction does. */
export const twapOf = (draft: Draft, market: Market): RateQ64 =>
  twap(market.oracle, market.pool.rate, draft.world.now, market.terms.twapWindow)

/** What margin is measured with at the market's rate in force and at `twapRate`. */
export const valueAt = (draft: Draft, market: Market, twapRate: RateQ64): Valuation =>
  valuation(market, draft.index(market.kind), market.pool.rate, twapRate)

const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const higher = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** A limit kept inside the market's rate range. */
export const inRange = (limit: bigint, market: Market, up: boolean): bigint =>
  up ? lower(limit, tickRate(market.terms.grid.maxTick)) : higher(limit, tickRate(market.terms.grid.minTick))

/** A limit kept within `bps` of a reference rate on the side that the trade moves to. */
export const guarded = (limit: bigint, reference: bigint, bps: number, up: boolean): bigint =>
  up
    ? lower(limit, divide(reference * BigInt(10_000 + bps), 10_000n, 'down'))
    : higher(limit, divide(reference * BigInt(10_000 - bps), 10_000n, 'up'))

/** Refuses a limit or minimum that no order can mean. */
export const checkBounds = (draft: Draft, { limitRate, minimum, deadline }: OrderBounds): void => {
  draft.checkDeadline(deadline)
  if (typeof limitRate !== 'bigint' || limitRate < 0n || limitRate > MAX_RATE)
    refuse('bad-parameter', { name: 'limitRate', value: limitRate })
  if (typeof minimum !== 'bigint' || minimum < 0n) refuse('bad-amount', { amount: String(minimum) })
}

export interface Swapped {
  readonly market: Market
  readonly quote: Quote
}

/** What would be traded, or the AMM's reason why nothing. The market is returned with its fees booked. */
export const trySwap = (market: Market, order: Order): Swapped | Rejected => {
  const traded = quote(market.pool, order)
  if (traded.kind === 'rejected') return traded
  const { fee, next } = traded
  const paid = { ...market, pool: next, fees: market.fees + fee.protocol }
  return { quote: traded, market: withFundMargin(paid, fee.insurance) }
}

/** Trades an order or refuses with the AMM's reason; `minimum` is the least fill. Writes the event. */
export const swap = (draft: Draft, market: Market, order: Order, minimum: bigint): Swapped => {
  const done = trySwap(market, order)
  if (!('quote' in done)) refuse(done.code, done.context)
  if (done.quote.filled < minimum) refuse('below-minimum', { minimum, filled: done.quote.filled })
  swapEvent(draft, market.id, order.kind, done.quote)
  return done
}

export const swapEvent = (draft: Draft, market: string, order: Order['kind'], q: Quote): void => {
  const { filled, amount, stLeg, fee, rateBefore, rateAfter, complete } = q
  draft.events.push({ type: 'swapped', market, order, filled, amount, stLeg, fee, rateBefore, rateAfter, complete })
}

/** Refuses `history-short` unless the rate oracle has seen one window. */
export const checkHistory = (draft: Draft, market: Market): void => {
  const seconds = historySeconds(market.oracle, draft.world.now)
  if (seconds < market.terms.twapWindow) refuse('history-short', { seconds, needed: market.terms.twapWindow })
}

/** Refuses `open-interest` if either side's YT, at face value in JLP, exceed the cap. */
export const checkOpenInterest = (draft: Draft, { terms, totals, pool }: Market): void => {
  const long = totals.yt + totals.short
  const side = long > totals.short ? long : totals.short
  const cap = (draft.world.jlpSupply * BigInt(terms.openInterestBps)) / 10_000n
  const face = divide(side * pool.discount, 1n << 64n, 'up')
  if (face > cap) refuse('open-interest', { openInterest: face, cap })
}
