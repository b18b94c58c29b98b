/**
 * Quotes: what the AMM would fill, which is the fill to the atom if nobody trades before, and what the engine says of the margin account
 * afterwards. All of it is asked of the same functions that the program is compared with; nothing is computed here.
 */
import { type Static, Type } from '@fastify/type-provider-typebox'
import {
  addLiquidity,
  apyFromRate,
  emptyPosition,
  jlpAtoms,
  type Liquidity,
  liquidityForDeposit,
  MIN_DEPOSIT,
  ONE_Q64,
  type Quote,
  type Rejected,
  tickRate,
} from '../../../amm/index.ts'
import {
  type AmountUnit,
  type LpPositionData,
  type MarginAccountData,
  quoteRemoval,
  type Share,
  type TradeOrder,
  toEngineAccount,
  toEnginePosition,
} from '../../../src/client/index.ts'
import { limitsOf, movedBy } from '../../../src/client/requests.ts'
import {
  type AccountView,
  accountId,
  accountView,
  apply,
  type Event,
  type Exchange,
  positionId,
} from '../../../src/exchange/index.ts'
import { apyAt } from '../../../src/strategy/order.ts'
import type { Context } from '../context.ts'
import { type ApiError, fail, refusalError } from '../errors.ts'
import type { LiveMarket } from '../feed.ts'
import { Atoms, Freshness, MarketRef, Nullable, named, oneOf, Q64, q64, q64OrNull, said } from '../schemas.ts'
import { Account, accountJson } from './account.ts'

export const QUOTED = ['long', 'short', 'reduce', 'close', 'buy-pt', 'sell-pt'] as const

export interface Asked {
  readonly action: (typeof QUOTED)[number]
  readonly unit: AmountUnit
  readonly amount: bigint
  /** JLP atoms that are deposited first. */
  readonly margin: bigint
  readonly spot: boolean
  readonly toleranceBps: number
  readonly limitRate: bigint | undefined
  readonly minimum: bigint | undefined
  /** Seconds that the order is good for. */
  readonly seconds: number
  /** Of whom; without one, of somebody who has nothing but the margin. */
  readonly held: MarginAccountData | undefined
  readonly sub: number
}

const isPt = (action: Asked['action']): action is 'buy-pt' | 'sell-pt' => action === 'buy-pt' || action === 'sell-pt'

const orderOf = ({ action, unit, amount, limitRate, spot, held }: Asked): TradeOrder => {
  const terms = { unit, amount, limitRate }
  if (isPt(action)) return { ...terms, action }
  if (action === 'long' || action === 'short') return { ...terms, action, spot }
  return held === undefined
    ? fail(404, 'unknown-account', 'A reduction needs an account with a position', 'Give `owner` and `sub` of one.')
    : { ...terms, action, account: held }
}

/** Why the AMM fills nothing. */
const rejection = ({ code, context }: Rejected): ApiError => refusalError({ code, context })

/** Whoever asks without saying who. */
const SOMEBODY = 'somebody'
/** How far the rate of liquidation may be off: 10^-9, which is the last digit that is shown. */
const IN_A_HURRY = 1n << 34n

/** The market with one account in it, to which margin is added. */
const withAccount = (
  live: LiveMarket,
  { held, sub, margin }: Asked,
): { state: Exchange; id: string; owner: string } => {
  const { mirror, reading } = live.ready
  const owner = held?.owner ?? SOMEBODY
  const empty = { margin: 0n, st: 0n, yt: 0n, discount: reading.pool.discount, netDeposits: 0n, orders: 0 }
  const before = held === undefined ? { market: mirror.id, owner, sub, ...empty } : toEngineAccount(mirror.id, held)
  const account = { ...before, margin: before.margin + margin, netDeposits: before.netDeposits + margin }
  const id = accountId(account)
  return { state: { ...mirror.state, accounts: new Map([[id, account]]) }, id, owner }
}

/** A state after an instruction that touched one market and one account. */
const after = (state: Exchange, { changes }: Extract<ReturnType<typeof apply>, { kind: 'applied' }>): Exchange => {
  const replaced = <V>(map: ReadonlyMap<string, V>, by: ReadonlyMap<string, V | undefined>): ReadonlyMap<string, V> =>
    new Map([...map, ...([...by].filter(([, value]) => value !== undefined) as [string, V][])])
  return {
    ...state,
    markets: replaced(state.markets, changes.markets),
    accounts: replaced(state.accounts, changes.accounts),
  }
}

export interface Traded {
  readonly quote: Quote
  readonly limitRate: bigint
  readonly minimum: bigint
  readonly deadline: number
  /** The account afterwards with the state that it is in, or why it is refused; neither if nothing was asked of an account. */
  readonly state?: Exchange
  readonly account?: AccountView
  readonly refusal?: ApiError
}

/** What a trade would do. Throws what the AMM refuses; what the engine refuses of the account is in the answer, with the figures. */
export const quoteOf = (live: LiveMarket, asked: Asked): Traded => {
  const { reading, mirror } = live.ready
  const { action, unit, amount, spot, held, margin, sub } = asked
  const { toleranceBps, seconds } = asked
  const limits = {
    ...(asked.limitRate === undefined ? {} : { limitRate: asked.limitRate }),
    ...(asked.minimum === undefined ? {} : { minimum: asked.minimum }),
  }
  const terms = { market: reading, owner: SOMEBODY, unit, amount, toleranceBps, seconds, ...limits }
  const found = limitsOf(reading, orderOf(asked), terms)
  const { quote, limitRate, minimum, deadline } = found
  if (quote.kind === 'rejected') throw rejection(quote)
  const bounds = { limitRate, minimum, deadline }
  if (isPt(action) || (held === undefined && margin === 0n)) return { quote, ...bounds }
  const { state, owner } = withAccount(live, asked)
  const ref = { market: mirror.id, owner, sub }
  const size = unit === 'st' ? { st: amount } : { yt: amount }
  const trade =
    action === 'close' ? { action } : action === 'reduce' ? { action, amount: size } : { action, amount: size, spot }
  const done = apply(state, { kind: 'trade', ...ref, ...bounds, ...trade }, mirror.world)
  if (done.kind === 'refused') return { quote, ...bounds, refusal: refusalError(done) }
  const next = after(state, done)
  return { quote, ...bounds, state: next, account: accountView(next, ref, mirror.world, undefined, IN_A_HURRY) }
}

/**
 * The ST leg at which the leverage, ST leg per margin left after the fee, is `leverage` hundredths: `l * (margin - fee * leg)`.
 */
export const legFor = (live: LiveMarket, margin: bigint, leverage: number): bigint => {
  const hundredths = BigInt(leverage)
  const fee = BigInt(live.reading.terms.feeBps)
  return (margin * hundredths * 10_000n) / (1_000_000n + hundredths * fee)
}

// ---- as text ----------------------------------------------------------------------------------------------------------------

export const Refusal = Type.Object({
  code: Type.String(),
  message: Type.String(),
  hint: Type.String(),
  context: Type.Record(Type.String(), Type.String()),
})

export const TradeQuote = named(
  'Quote',
  Type.Object({
    ...MarketRef,
    action: oneOf(QUOTED),
    complete: Type.Boolean({ description: 'False: it stops before all is filled; `stoppedBy` says where' }),
    stoppedBy: Type.String(),
    filled: said(Atoms, 'YT or PT bought or sold'),
    amount: said(Atoms, 'JLP paid or received, fee not included'),
    stLeg: said(Atoms, 'What the fee is charged on, JLP atoms'),
    fee: Type.Object({ total: Atoms, lp: Atoms, insurance: Atoms, protocol: Atoms, repaid: Atoms }),
    averagePrice: said(Q64, 'ST per YT or PT, without the fee'),
    averageApy: Nullable(said(Q64, 'The APY that the average price implies')),
    spotPrice: said(Q64, 'The same before the trade'),
    impactBp: Type.String({ description: 'Average price against the spot, bp, against the trader when positive' }),
    rateBefore: Q64,
    rateAfter: Q64,
    apyBefore: Q64,
    apyAfter: Q64,
    ticksCrossed: Type.Integer(),
    limitRate: said(Q64, 'Where the trade would stop at the tolerance'),
    minimum: said(Atoms, 'Least fill at the tolerance'),
    deadline: Type.Integer({ description: 'Unix seconds' }),
    breakEvenApy: Nullable(said(Q64, 'What JLP must yield on average until maturity to come out even, fee included')),
    account: Nullable(said(Account, 'The margin account afterwards; null: none was named, or it is refused')),
    refusal: Nullable(Refusal),
    couponDue: Type.Boolean({ description: 'The coupon that is due is paid in front: figures are those after it' }),
    ...Freshness,
  }),
)

const averageApy = ({ averagePrice }: Quote, pt: boolean, tauSeconds: number): bigint | undefined =>
  apyAt(pt ? ONE_Q64 - averagePrice : averagePrice, tauSeconds)

/** The APY at which a long or a short of YT, or PT, comes out even with the fee. */
const breakEven = (live: LiveMarket, { action, held }: Asked, { amount, fee, filled }: Quote): bigint | undefined => {
  const { tauSeconds, discount } = live.ready.reading.pool
  const buysYt = action === 'long' || (!isPt(action) && held !== undefined && held.yt < 0n)
  const pays = buysYt || action === 'buy-pt'
  const price = ((pays ? amount + fee.total : amount - fee.total) << 128n) / (filled * discount)
  return apyAt(isPt(action) ? ONE_Q64 - price : price, tauSeconds)
}

export const refusalJson = ({ code, message, hint, context }: ApiError): Static<typeof Refusal> => ({
  code,
  message,
  hint,
  context: Object.fromEntries(Object.entries(context).map(([name, value]) => [name, String(value)])),
})

export const quoteJson = (
  { feed }: Pick<Context, 'feed'>,
  live: LiveMarket,
  asked: Asked,
  { quote, account, refusal, limitRate, minimum, deadline }: Traded,
): Static<typeof TradeQuote> => {
  const { fee } = quote
  const { tauSeconds } = live.ready.reading.pool
  return {
    market: live.name,
    address: live.address,
    action: asked.action,
    complete: quote.complete,
    stoppedBy: quote.stoppedBy,
    filled: String(quote.filled),
    amount: String(quote.amount),
    stLeg: String(quote.stLeg),
    fee: {
      total: String(fee.total),
      lp: String(fee.lp),
      insurance: String(fee.insurance),
      protocol: String(fee.protocol),
      repaid: String(fee.repaid),
    },
    averagePrice: q64(quote.averagePrice),
    averageApy: q64OrNull(averageApy(quote, isPt(asked.action), tauSeconds)),
    spotPrice: q64(quote.spotBefore),
    impactBp: quote.impactBp.toFixed(2),
    rateBefore: q64(quote.rateBefore),
    rateAfter: q64(quote.rateAfter),
    apyBefore: q64(quote.apyBefore),
    apyAfter: q64(quote.apyAfter),
    ticksCrossed: quote.ticksCrossed,
    limitRate: q64(limitRate),
    minimum: String(minimum),
    deadline,
    breakEvenApy: q64OrNull(breakEven(live, asked, quote)),
    account: account === undefined ? null : accountJson(account),
    refusal: refusal === undefined ? null : refusalJson(refusal),
    couponDue: live.reading.needsAccrue && live.ready.reading !== live.reading,
    ...feed.freshness(live.shared),
  }
}

// ---- liquidity ----------------------------------------------------------------------------------------------------------------

export const LiquidityQuote = named(
  'LiquidityQuote',
  Type.Object({
    ...MarketRef,
    action: oneOf(['add', 'remove']),
    lower: Type.Integer(),
    upper: Type.Integer(),
    lowerApy: Q64,
    upperApy: Q64,
    inRange: Type.Boolean({ description: 'Whether the rate lies within the range now: only then it earns fees' }),
    liquidity: said(Atoms, 'YT atoms per unit of the rate that come or go'),
    jlp: said(Atoms, 'JLP to pay, or paid out in JLP before a sale'),
    issued: said(Atoms, 'YT issued against as many ST in reserve, or taken back'),
    pt: said(Atoms, 'PT paid out'),
    yt: said(Atoms, 'YT paid out'),
    sale: Nullable(
      Type.Object(
        { filled: Atoms, amount: Atoms, fee: Atoms, complete: Type.Boolean() },
        { description: 'What selling the PT or YT brings as well, JLP atoms' },
      ),
    ),
    received: said(Atoms, 'JLP in the end, of a removal'),
    ...Freshness,
  }),
)

export interface Range {
  readonly lower: number
  readonly upper: number
}

const rangeJson = (live: LiveMarket, { lower, upper }: Range) => {
  const { pool } = live.ready.reading
  return {
    market: live.name,
    address: live.address,
    lower,
    upper,
    lowerApy: q64(apyFromRate(tickRate(lower))),
    upperApy: q64(apyFromRate(tickRate(upper))),
    inRange: lower <= pool.tick && pool.tick < upper,
  }
}

/** As much liquidity over a range as `jlp` pays for, the tolerance kept back. */
export const quoteAdding = (
  { feed }: Pick<Context, 'feed'>,
  live: LiveMarket,
  range: Range,
  { jlp, toleranceBps }: { readonly jlp: bigint; readonly toleranceBps: number },
): Static<typeof LiquidityQuote> => {
  const { pool } = live.ready.reading
  const { lower, upper } = range
  const paid = jlpAtoms((jlp * BigInt(10_000 - toleranceBps)) / 10_000n)
  const most = liquidityForDeposit(pool, lower, upper, paid)
  if (most === 0n) throw refusalError({ code: 'deposit-too-small', context: { deposit: paid, least: MIN_DEPOSIT } })
  const added = addLiquidity(pool, emptyPosition(pool, lower, upper), most as Liquidity)
  if (added.kind === 'rejected') throw refusalError(added)
  return {
    action: 'add',
    ...rangeJson(live, range),
    liquidity: String(most),
    jlp: String(added.jlp),
    issued: String(added.issued),
    pt: '0',
    yt: '0',
    sale: null,
    received: '0',
    ...feed.freshness(live.shared),
  }
}

/** What a share of a position pays, and with `sell` what the PT or YT of it bring: what the engine makes of the removal. */
export const quoteRemoving = (
  { feed }: Pick<Context, 'feed'>,
  live: LiveMarket,
  held: LpPositionData,
  { share, sell, toleranceBps }: { readonly share: Share; readonly sell: boolean; readonly toleranceBps: number },
): Static<typeof LiquidityQuote> => {
  const { reading, mirror } = live.ready
  const { id: market, world } = mirror
  const { owner, position } = held
  const { lower, upper } = position
  const one = {
    market,
    owner,
    sub: 0,
    margin: 0n,
    st: 0n,
    yt: 0n,
    discount: reading.pool.discount,
    netDeposits: 0n,
    orders: 0,
  }
  const state: Exchange = {
    ...mirror.state,
    accounts: new Map([[accountId(one), one]]),
    positions: new Map([[positionId(market, owner, lower, upper), toEnginePosition(market, held)]]),
  }
  // What is sold goes as far as the transaction will let it: up for PT, down for YT.
  const removed = quoteRemoval(reading, held, share)
  const isPt = removed.kind === 'removed' && removed.pt > 0n
  const zap = sell ? { zap: { limitRate: movedBy(reading.pool.rate, isPt, toleranceBps) } } : {}
  const place = { market, owner, lower, upper }
  const order = { ...place, share, sub: 0, minimum: 0n, deadline: world.now, ...zap }
  const done = apply(state, { kind: 'remove-liquidity', ...order }, world)
  if (done.kind === 'refused') throw refusalError(done)
  const find = <T extends Event['type']>(type: T) =>
    done.events.filter((event): event is Extract<Event, { type: T }> => event.type === type)
  const [out] = find('liquidity-removed')
  const [change] = find('position')
  const [sale] = find('swapped')
  const paid = find('balance').filter(({ token }) => token === 'jlp')
  return {
    action: 'remove',
    ...rangeJson(live, position),
    liquidity: String(-(change?.liquidity ?? 0n)),
    jlp: String(out?.jlp ?? 0n),
    issued: String(-(change?.issued ?? 0n)),
    pt: String(out?.pt ?? 0n),
    yt: String(out?.yt ?? 0n),
    sale:
      sale === undefined
        ? null
        : {
            filled: String(sale.filled),
            amount: String(sale.amount),
            fee: String(sale.fee.total),
            complete: sale.complete,
          },
    received: String(paid.reduce((sum, { change }) => sum + change, 0n)),
    ...feed.freshness(live.shared),
  }
}
