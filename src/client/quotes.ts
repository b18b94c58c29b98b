/**
 * Quotes from account bytes: the market as the next instruction will find it, the order with the limits that the program will set,
 * and the tick arrays that it will look into. All accounts should be read at one slot.
 */
import {
  accrue,
  discountQ64,
  type JlpAtoms,
  MAX_RATE,
  type Order,
  observe,
  type Pool,
  type PtAtoms,
  type Quote,
  quote,
  type RateQ64,
  type Rejected,
  removeLiquidity,
  tauAt,
  tickAtRate,
  tickRate,
  twap,
  type YtAtoms,
} from '../../amm/index.ts'
import {
  type LpPositionData,
  type MarginAccountData,
  type MarketData,
  type RateIndexData,
  TICKS_PER_ARRAY,
  type TickArrayData,
} from './codecs.ts'
import { toEngineMarket } from './engine.ts'
import { fail } from './errors.ts'
import type { Action, AmountUnit, OrderKind } from './generated/interface.ts'
import { arrayStart } from './tick-arrays.ts'

/** A market and its index as decoded. */
export interface MarketAccounts {
  readonly address: string
  readonly market: MarketData
  readonly index: RateIndexData
  /** Those with initialised ticks, or all. */
  readonly arrays: readonly TickArrayData[]
}

/** A market of the engine's shape that has copied its index, with what it was read from. */
export type MarketState = ReturnType<typeof toEngineMarket> & {
  readonly address: string
  /** As it is stored: its pool may be behind the index. */
  readonly stored: ReturnType<typeof toEngineMarket>
  readonly data: MarketData
  readonly indexData: RateIndexData
}

/** The pool at the discount and the time to maturity that the next instruction copies from the index. */
const caughtUp = (pool: Pool, maturity: number, { checkpoints, discount, lastStep }: RateIndexData): Pool => {
  if (pool.tauSeconds === 0) return pool
  const final = checkpoints.find(checkpoint => checkpoint.maturity === maturity && checkpoint.discount > 0n)?.discount
  const to = {
    tauSeconds: final === undefined ? tauAt(maturity, lastStep) : 0,
    discount: discountQ64(final ?? discount),
  }
  return to.tauSeconds === pool.tauSeconds && to.discount === pool.discount ? pool : accrue(pool, to)
}

/** The market as an instruction finds it before it does anything. `missing-account`, `inconsistent`. */
export const marketOf = ({ address, market, index, arrays }: MarketAccounts): MarketState => {
  if (market.kind !== index.kind) {
    fail('inconsistent', `A market of ${market.kind} coupons does not follow the ${index.kind} index`, { address })
  }
  const stored = toEngineMarket(address, market, arrays)
  const pool = caughtUp(stored.pool, market.maturity, index)
  return { ...stored, pool, address, stored, data: market, indexData: index }
}

// ---- time -----------------------------------------------------------------------------------------------------------------

const HOUR = 3600
const SETTLING = 300
const WEEK = 7 * 86_400
/** Seconds: without a coupon for so long after it was due only exits are open; the oldest AUM that pays one. */
const LIMITS = {
  hourly: { reduceOnlyAfter: 2 * HOUR, maxAumAge: 600 },
  weekly: { reduceOnlyAfter: 8 * 86_400, maxAumAge: HOUR },
} as const

/** What of Jupiter's pool says whether a coupon is due, and can be paid; unix seconds. */
export interface Source {
  /** Of the last weekly figure. */
  readonly lastUpdated: bigint
  readonly aumUsdUpdatedAt: bigint
}

type IndexTime = Pick<RateIndexData, 'kind' | 'lastStep'>

const isDue = ({ kind, lastStep }: IndexTime, { lastUpdated }: Pick<Source, 'lastUpdated'>, now: number): boolean =>
  kind === 'hourly' ? now >= lastStep + HOUR + SETTLING : lastUpdated > BigInt(lastStep)

/** Whether a coupon may fall due by a time: hourly ones by the clock, a weekly one at any time from a week after the last one on. */
export const mayFallDue = ({ kind, lastStep }: IndexTime, by: number): boolean =>
  by >= lastStep + (kind === 'hourly' ? HOUR + SETTLING : WEEK)

/** What the program will find at `now` if nobody pays a coupon before. */
export const freshnessOf = (
  index: IndexTime,
  source: Pick<Source, 'lastUpdated'>,
  now: number,
): 'fresh' | 'coupon-due' | 'reduce-only' => {
  const { kind, lastStep } = index
  const { reduceOnlyAfter } = LIMITS[kind]
  const due = isDue(index, source, now)
  if (kind === 'hourly') {
    if (!due) return 'fresh'
    return now < lastStep + HOUR + SETTLING + reduceOnlyAfter ? 'coupon-due' : 'reduce-only'
  }
  if (due && now < lastStep + 2 * reduceOnlyAfter) return 'coupon-due'
  return now >= lastStep + reduceOnlyAfter ? 'reduce-only' : 'fresh'
}

/**
 * Whether to put `accrue` in front: if nothing goes without it, or if after an outage it opens again what is closed. There it is left
 * out while Jupiter's own figures are too old to pay from, so that exits go on.
 */
export const needsAccrue = (index: IndexTime, source: Source, now: number): boolean => {
  const freshness = freshnessOf(index, source, now)
  if (freshness !== 'reduce-only') return freshness === 'coupon-due'
  return isDue(index, source, now) && BigInt(now) - source.aumUsdUpdatedAt <= BigInt(LIMITS[index.kind].maxAumAge)
}

// ---- orders ---------------------------------------------------------------------------------------------------------------

/** An order as the instructions take it. A PT order counts PT by `token`. */
export interface OrderTerms {
  readonly unit: AmountUnit
  readonly amount: bigint
  /** Q64.64; a trade stops there. The end of the market's rates by default. */
  readonly limitRate?: bigint | undefined
}

/** What a trade would do to an account, or on behalf of a wallet. */
export type TradeOrder = OrderTerms &
  (
    | { readonly action: Extract<Action, 'long' | 'short'>; readonly spot?: boolean }
    | { readonly action: Extract<Action, 'reduce' | 'close'>; readonly account: MarginAccountData }
    | { readonly action: Extract<OrderKind, 'buy-pt' | 'sell-pt'> }
  )

const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const higher = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b

/** Whether rising rates fill an order. */
export const isUp = (kind: OrderKind): boolean => kind === 'buy-yt' || kind === 'sell-pt'

/** A limit within the market's rates. */
const inRange = ({ terms: { grid } }: MarketState, limit: bigint, up: boolean): bigint =>
  up ? lower(limit, tickRate(grid.maxTick)) : higher(limit, tickRate(grid.minTick))

const guarded = (limit: bigint, reference: bigint, bps: number, up: boolean): bigint =>
  up
    ? lower(limit, (reference * BigInt(10_000 + bps)) / 10_000n)
    : higher(limit, ceilDiv(reference * BigInt(10_000 - bps), 10_000n))

/** The time-weighted rate at `now`, unix seconds. */
export const twapAt = ({ oracle, pool, terms }: MarketState, now: number): RateQ64 =>
  twap(observe(oracle, pool.rate, now), pool.rate, now, terms.twapWindow)

/** Whether an account owes nothing that it does not hold, its coupons paid. */
export const isSpot = ({ pool }: MarketState, { margin, st, yt, discount }: MarginAccountData): boolean => {
  const coupon = (yt * (discount - pool.discount)) >> 64n
  const owed = yt >= 0n ? 0n : ceilDiv(pool.discount * -yt, 1n << 64n)
  return margin + st + coupon >= owed
}

/** The kernel's order with the limits that the program sets at `now`; undefined if an account has nothing to reduce. */
export const orderOf = (state: MarketState, order: TradeOrder, now: number): Order | undefined => {
  const { action, unit } = order
  const holding = 'account' in order ? order.account : undefined
  if (holding?.yt === 0n) return undefined
  const kind: OrderKind =
    action === 'buy-pt' || action === 'sell-pt'
      ? action
      : (holding === undefined ? action === 'long' : holding.yt < 0n)
        ? 'buy-yt'
        : 'sell-yt'
  const up = isUp(kind)
  const ofPt = kind === 'buy-pt' || kind === 'sell-pt'
  const spot = ofPt || (holding === undefined ? 'spot' in order && order.spot === true : isSpot(state, holding))
  const limit = inRange(state, order.limitRate ?? (up ? MAX_RATE : 0n), up)
  const { guardBps } = state.terms
  const limitRate = (spot ? limit : guarded(limit, twapAt(state, now), guardBps, up)) as RateQ64
  const limits = { limitRate, withinLiquidity: !spot }
  const size = holding === undefined || holding.yt > 0n ? (holding?.yt ?? 0n) : -holding.yt
  const amount = action === 'close' ? size : order.amount
  if (unit === 'st' && action !== 'close') return { kind, st: amount as JlpAtoms, ...limits }
  return kind === 'buy-pt' || kind === 'sell-pt'
    ? { kind, pt: amount as PtAtoms, ...limits }
    : { kind, yt: amount as YtAtoms, ...limits }
}

/** What the AMM would do at `now`. Whether margin suffices is not looked at: simulate for that. */
export const quoteTrade = (state: MarketState, order: TradeOrder, now: number): Quote | Rejected => {
  const kernelOrder = orderOf(state, order, now)
  return kernelOrder === undefined
    ? { kind: 'rejected', code: 'zero-amount', context: { wanted: 0n } }
    : quote(state.pool, kernelOrder)
}

// ---- tick arrays ----------------------------------------------------------------------------------------------------------

/**
 * The initialised ticks that a trade looks up, in order: those that it crosses, and the next one that ends its last stretch. On chain
 * that one is looked up even where the limit stops the trade before it.
 */
export const ticksOnTheWay = (pool: Pool, order: Order): number[] => {
  const seen = new Set<number>()
  // The walk asks a tick for its rate as soon as it comes to it.
  const ticks = pool.ticks.map(tick => ({
    ...tick,
    get rate() {
      seen.add(tick.index)
      return tick.rate
    },
  }))
  quote({ ...pool, ticks }, order)
  return [...seen]
}

/** The first ticks of the arrays that hold these ticks, without repetitions. */
export const startsOf = (state: MarketState, ticks: readonly number[]): number[] => [
  ...new Set(ticks.map(tick => arrayStart(state, tick))),
]

/** The first ticks of all arrays with an initialised tick, ascending. */
const occupied = ({ data: { initialised, terms } }: MarketState): number[] =>
  initialised.flatMap((word, number) =>
    word === 0n ? [] : [terms.grid.minTick + number * TICKS_PER_ARRAY * terms.grid.spacing],
  )

/** What may happen before a transaction lands. */
export interface Room {
  /** As many tick arrays with initialised ticks more at either end; 1 by default. */
  readonly spare?: number
  /** How far the rate may be then, Q64.64: all arrays on the way there. */
  readonly reach?: bigint | undefined
}

const withRoom = (state: MarketState, starts: readonly number[], { spare = 1, reach }: Room): number[] => {
  const { pool, terms } = state
  const all = occupied(state)
  const at = (rate: bigint): number =>
    tickAtRate(inRange(state, inRange(state, rate, true), false) as RateQ64, terms.grid)
  const here = starts.length > 0 ? starts : all.filter(start => start <= pool.tick).slice(-1)
  const ends = reach === undefined ? here : [...here, arrayStart(state, at(reach))]
  const [first, last] = [Math.min(...ends), Math.max(...ends)]
  const before = all.filter(start => start < first).length
  const until = all.filter(start => start <= last).length
  return all.slice(Math.max(0, before - spare), until + spare)
}

/** The first ticks of the tick arrays that an order needs, and of those that it may need if others trade before, ascending. */
export const arraysForOrder = (state: MarketState, order: Order, room: Room = {}): number[] =>
  withRoom(state, startsOf(state, ticksOnTheWay(state.pool, order)), room)

/** The same for a trade; none if there is nothing to trade. */
export const arraysForTrade = (state: MarketState, order: TradeOrder, now: number, room: Room = {}): number[] => {
  const kernelOrder = orderOf(state, order, now)
  return kernelOrder === undefined ? [] : arraysForOrder(state, kernelOrder, room)
}

/** Those that a liquidity position's own ticks are in. */
export const arraysForPosition = (
  state: MarketState,
  range: { readonly lower: number; readonly upper: number },
): number[] => startsOf(state, [range.lower, range.upper])

export interface Share {
  readonly num: bigint
  readonly den: bigint
}

/** What a share of a position is now. */
export const quoteRemoval = (state: MarketState, { position }: LpPositionData, share: Share) => {
  const held = { ...position, issued: position.issued as YtAtoms, uncollected: position.uncollected as JlpAtoms }
  return removeLiquidity(state.pool, held, share)
}

/**
 * Those that a removal of a share of a position needs; with `zap` (the worst rate, Q64.64) also those on the way of the PT or YT that
 * are sold then.
 */
export const arraysForRemoval = (
  state: MarketState,
  held: LpPositionData,
  { share, zap }: { readonly share: Share; readonly zap?: bigint | undefined },
  room: Room = {},
): number[] => {
  const own = arraysForPosition(state, held.position)
  const removed = quoteRemoval(state, held, share)
  if (zap === undefined || removed.kind === 'rejected' || removed.pt + removed.yt === 0n) return own
  const up = removed.pt > 0n
  const limitRate = inRange(state, zap, up) as RateQ64
  const order: Order = up
    ? { kind: 'sell-pt', pt: removed.pt, limitRate }
    : { kind: 'sell-yt', yt: removed.yt, limitRate }
  return [...new Set([...own, ...arraysForOrder({ ...state, pool: removed.next }, order, room)])]
}

/**
 * Those that a forced close of `yt` (signed: what the account or the fund has) may look into: it stays near the TWAP and in one stretch of
 * liquidity, so that these are few.
 */
export const arraysForClose = (state: MarketState, yt: bigint, now: number, room: Room = {}): number[] => {
  const up = yt < 0n
  const { observed } = observe(state.oracle, state.pool.rate, now)
  const reference = (up ? higher : lower)(twapAt(state, now), observed)
  const limit = guarded(inRange(state, up ? MAX_RATE : 0n, up), reference, state.terms.forcedBps, up) as RateQ64
  const size = (up ? -yt : yt) as YtAtoms
  const kind = up ? 'buy-yt' : 'sell-yt'
  return arraysForOrder(state, { kind, yt: size, limitRate: limit, withinLiquidity: true }, room)
}
