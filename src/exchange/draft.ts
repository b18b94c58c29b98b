/**
 * One instruction in the making: reads what it names, collects what it changes, and writes an event for each change. Nothing
 * reaches the state unless the whole instruction succeeds.
 */
import { accrue, type CouponKind, type DiscountQ64, marketName, observe, type Pool, tauAt } from '../../amm/index.ts'
import { forgetMaturity, lowestDiscount, type RateIndex } from '../oracle/accrual.ts'
import { freshness } from '../oracle/source.ts'
import { couponOf, recount, touch } from './account.ts'
import { refuse } from './errors.ts'
import type { Event } from './event.ts'
import type { PositionRef } from './instruction.ts'
import { backing } from './margin.ts'
import { atMaturity, repaidByFund } from './maturity.ts'
import {
  type AccountRef,
  accountId,
  balanceId,
  type Config,
  type Exchange,
  type LpPosition,
  type MarginAccount,
  type Market,
  type OrderRef,
  orderId,
  positionId,
  type RestingOrder,
  type Standing,
  type Token,
  type World,
} from './state.ts'

/** Legs stay below 2^61 atoms, so that no product of two of them needs more than 128 bits. */
export const LEG_MAX = 1n << 61n

/** Records that an instruction replaced; `undefined` for one that it removed. */
export interface Changes {
  config?: Config
  readonly indices: Partial<Record<CouponKind, RateIndex>>
  readonly stVaults: Partial<Record<CouponKind, bigint>>
  readonly markets: Map<string, Market>
  readonly accounts: Map<string, MarginAccount | undefined>
  readonly positions: Map<string, LpPosition | undefined>
  readonly orders: Map<string, RestingOrder | undefined>
  readonly balances: Map<string, bigint>
}

export class Draft {
  readonly world: World
  readonly events: Event[] = []
  readonly changes: Changes = {
    indices: {},
    stVaults: {},
    markets: new Map(),
    accounts: new Map(),
    positions: new Map(),
    orders: new Map(),
    balances: new Map(),
  }
  private readonly state: Exchange

  constructor(state: Exchange, world: World) {
    this.state = state
    this.world = world
  }

  // ---- configuration and indices ---------------------------------------------------------------------------------------

  get config(): Config {
    return this.changes.config ?? this.state.config
  }

  set config(config: Config) {
    this.changes.config = config
  }

  index(kind: CouponKind): RateIndex {
    return this.changes.indices[kind] ?? this.state.indices[kind]
  }

  saveIndex(index: RateIndex): void {
    this.changes.indices[index.kind] = index
  }

  /** An index without the maturities that their markets have copied, which makes room for new ones. */
  withoutCopied(kind: CouponKind): RateIndex {
    const index = this.index(kind)
    const copied = (maturity: number): boolean =>
      this.state.markets.get(marketName(maturity, kind))?.pool.tauSeconds === 0
    return index.checkpoints
      .filter(({ maturity }) => copied(maturity))
      .reduce((left, { maturity }) => forgetMaturity(left, maturity), index)
  }

  // ---- wallets ---------------------------------------------------------------------------------------------------------

  balance(token: Token, owner: string): bigint {
    const id = balanceId(token, owner)
    return this.changes.balances.get(id) ?? this.state.balances.get(id) ?? 0n
  }

  /** Adds signed atoms to a wallet; refuses `insufficient-balance`. */
  move(token: Token, owner: string, change: bigint): void {
    if (change === 0n) return
    const before = this.balance(token, owner)
    if (before + change < 0n) refuse('insufficient-balance', { token, wanted: -change, available: before })
    this.changes.balances.set(balanceId(token, owner), before + change)
    this.events.push({ type: 'balance', token, owner, change })
  }

  moveStVault(coupon: CouponKind, change: bigint): void {
    this.changes.stVaults[coupon] = (this.changes.stVaults[coupon] ?? this.state.stVaults[coupon]) + change
    this.events.push({ type: 'st-vault', coupon, change })
  }

  // ---- markets ---------------------------------------------------------------------------------------------------------

  hasMarket(id: string): boolean {
    return this.changes.markets.has(id) || this.state.markets.has(id)
  }

  /** The market as it stands now: it has copied its index, and its rate oracle has seen the rate that stood until now. */
  market(id: string): Market {
    const changed = this.changes.markets.get(id)
    if (changed !== undefined) return changed
    const stored = this.state.markets.get(id) ?? refuse('unknown-market', { market: id })
    const { now } = this.world
    if (now < stored.oracle.observedUntil) {
      refuse('time-backwards', { now, observedUntil: stored.oracle.observedUntil })
    }
    const pool = this.caughtUp(stored)
    const { rate } = stored.pool
    const market = {
      ...stored,
      pool,
      oracle: observe(stored.oracle, rate, now),
      standing: stood(stored.standing, rate, stored.oracle.observedUntil, now, stored.terms.twapWindow),
    }
    const next = pool.tauSeconds === 0 && stored.pool.tauSeconds > 0 ? repaidByFund(atMaturity(market)) : market
    this.changes.markets.set(id, next)
    this.marketEvent(stored, next)
    return next
  }

  private caughtUp({ id, kind, maturity, pool }: Market): Pool {
    if (pool.tauSeconds === 0) return pool
    const index = this.index(kind)
    const final = index.checkpoints.find(checkpoint => checkpoint.maturity === maturity)?.discount
    const discount = final ?? index.discount
    const tauSeconds = final === undefined ? tauAt(maturity, index.lastStep) : 0
    if (pool.tauSeconds === tauSeconds && pool.discount === discount) return pool
    this.events.push({ type: 'caught-up', market: id, tauSeconds, discount })
    return accrue(pool, { tauSeconds, discount: discount as DiscountQ64 })
  }

  saveMarket(market: Market): void {
    const next = repaidByFund(market)
    const before = this.changes.markets.get(next.id)
    this.changes.markets.set(next.id, next)
    if (before !== undefined) this.marketEvent(before, next)
  }

  private marketEvent(before: Market, after: Market): void {
    const event = {
      type: 'market' as const,
      market: after.id,
      vault: after.vault - before.vault,
      fees: after.fees - before.fees,
      deficit: after.pool.deficit - before.pool.deficit,
      pt: after.totals.pt - before.totals.pt,
      issued: after.totals.issued - before.totals.issued,
      fund: {
        margin: after.fund.margin - before.fund.margin,
        st: after.fund.st - before.fund.st,
        yt: after.fund.yt - before.fund.yt,
      },
    }
    const { vault, fees, deficit, pt, issued, fund } = event
    if ([vault, fees, deficit, pt, issued, fund.margin, fund.st, fund.yt].some(change => change !== 0n)) {
      this.events.push(event)
    }
  }

  /** Pays JLP from a wallet into a market's vault (or out of it, when negative). */
  pay(market: Market, owner: string, jlp: bigint): Market {
    this.move('jlp', owner, -jlp)
    const vault = market.vault + jlp
    // Backing makes this impossible; if it ever were not, nobody is paid out of what is not there.
    if (vault < 0n) refuse('vault-short', { wanted: -jlp, available: market.vault })
    return { ...market, vault }
  }

  // ---- what is allowed at this moment -----------------------------------------------------------------------------------

  private freshness(market: Market): ReturnType<typeof freshness> {
    return freshness(this.index(market.kind), BigInt(this.world.weeklyUpdatedAt), this.world.now)
  }

  /** Refuses what takes new risk: after maturity, in a pause, and unless every coupon due has been paid. */
  checkOpen(market: Market): void {
    const { now } = this.world
    const { pausedUntil } = this.config
    if (now >= market.maturity || market.pool.tauSeconds === 0) refuse('matured', { maturity: market.maturity, now })
    if (now < pausedUntil) refuse('paused', { pausedUntil, now })
    this.checkFresh(market)
  }

  /** Refuses what takes value out against a price, in a pause allowed, unless every coupon due has been paid. */
  checkFresh(market: Market): void {
    const state = this.freshness(market)
    if (state !== 'fresh') refuse(state, { lastStep: this.index(market.kind).lastStep, now: this.world.now })
  }

  /** Refuses an exit through the AMM only while a coupon is due that `accrue` can pay. */
  checkExit(market: Market): void {
    if (market.pool.tauSeconds === 0) refuse('matured', { maturity: market.maturity, now: this.world.now })
    if (this.freshness(market) === 'coupon-due') {
      refuse('coupon-due', { lastStep: this.index(market.kind).lastStep, now: this.world.now })
    }
  }

  checkDeadline(deadline: number): void {
    if (!(this.world.now <= deadline)) refuse('deadline-passed', { deadline, now: this.world.now })
  }

  /** `Dmin` of a market: after maturity its final discount. */
  lowest(market: Market): bigint {
    return market.pool.tauSeconds === 0
      ? market.pool.discount
      : lowestDiscount(this.index(market.kind), market.maturity)
  }

  /** Refuses `backing` if LP reserves no longer cover the worst coupons. Lapses after maturity, when no debtor is left. */
  checkBacking(market: Market): void {
    if (market.pool.tauSeconds === 0 && market.totals.debtors === 0) return
    const { reserve, owed } = backing(market, this.lowest(market))
    if (reserve < owed) refuse('backing', { reserve, owed })
  }

  // ---- margin accounts --------------------------------------------------------------------------------------------------

  private stored(ref: AccountRef): MarginAccount | undefined {
    const id = accountId(ref)
    return this.changes.accounts.has(id) ? this.changes.accounts.get(id) : this.state.accounts.get(id)
  }

  hasAccount(ref: AccountRef): boolean {
    return this.stored(ref) !== undefined
  }

  /** An account with its coupons paid up to the market's discount. */
  account(ref: AccountRef, market: Market): MarginAccount {
    const stored = this.stored(ref) ?? refuse('unknown-account', { account: accountId(ref) })
    return touch(stored, market.pool.discount)
  }

  /** Replaces an account and returns its market with the totals counted anew. */
  saveAccount(market: Market, next: MarginAccount): Market {
    for (const leg of [next.margin, next.st, next.yt, next.netDeposits]) {
      if (leg > LEG_MAX || leg < -LEG_MAX) refuse('bad-amount', { amount: leg, most: LEG_MAX })
    }
    const before = this.stored(next) ?? { ...next, margin: 0n, st: 0n, yt: 0n, netDeposits: 0n }
    this.changes.accounts.set(accountId(next), next)
    this.events.push({
      type: 'account',
      market: next.market,
      owner: next.owner,
      sub: next.sub,
      coupon: couponOf(before, next.discount),
      margin: next.margin - before.margin,
      st: next.st - before.st,
      yt: next.yt - before.yt,
      netDeposits: next.netDeposits - before.netDeposits,
    })
    return { ...market, totals: recount(market.totals, before, next) }
  }

  removeAccount(ref: AccountRef): void {
    this.changes.accounts.set(accountId(ref), undefined)
  }

  // ---- resting orders ---------------------------------------------------------------------------------------------------

  private findOrder(ref: OrderRef): RestingOrder | undefined {
    const id = orderId(ref)
    return this.changes.orders.has(id) ? this.changes.orders.get(id) : this.state.orders.get(id)
  }

  order(ref: OrderRef): RestingOrder {
    return this.findOrder(ref) ?? refuse('unknown-order', { order: orderId(ref) })
  }

  /** A new one; its account counts it. */
  addOrder(order: RestingOrder): void {
    if (this.findOrder(order) !== undefined) refuse('order-exists', { order: orderId(order) })
    this.countOrders(order, 1)
    this.changes.orders.set(orderId(order), order)
    this.orderEvent(order, order.amount, order.fee)
  }

  /** What a fill has left of it. */
  saveOrder(next: RestingOrder): void {
    const { amount, fee } = this.order(next)
    this.changes.orders.set(orderId(next), next)
    this.orderEvent(next, next.amount - amount, next.fee - fee)
  }

  removeOrder(ref: OrderRef): void {
    const { amount, fee } = this.order(ref)
    this.countOrders(ref, -1)
    this.changes.orders.set(orderId(ref), undefined)
    this.orderEvent(ref, -amount, -fee)
  }

  private countOrders(ref: AccountRef, change: number): void {
    const stored = this.stored(ref) ?? refuse('unknown-account', { account: accountId(ref) })
    this.changes.accounts.set(accountId(ref), { ...stored, orders: stored.orders + change })
  }

  private orderEvent({ market, owner, sub, id }: OrderRef, amount: bigint, fee: bigint): void {
    this.events.push({ type: 'order', market, owner, sub, id, amount, fee })
  }

  // ---- liquidity positions ------------------------------------------------------------------------------------------------

  private positionKey(ref: PositionRef): string {
    return positionId(ref.market, ref.owner, ref.lower, ref.upper)
  }

  findPosition(ref: PositionRef): LpPosition | undefined {
    const id = this.positionKey(ref)
    return this.changes.positions.has(id) ? this.changes.positions.get(id) : this.state.positions.get(id)
  }

  position(ref: PositionRef): LpPosition {
    return this.findPosition(ref) ?? refuse('unknown-position', { position: this.positionKey(ref) })
  }

  savePosition(next: LpPosition): void {
    const { market, owner, position } = next
    const { lower, upper } = position
    const before = this.findPosition({ market, owner, lower, upper })?.position
    this.changes.positions.set(positionId(market, owner, lower, upper), next)
    this.events.push({
      type: 'position',
      market,
      owner,
      lower,
      upper,
      liquidity: position.liquidity - (before?.liquidity ?? 0n),
      issued: position.issued - (before?.issued ?? 0n),
      uncollected: position.uncollected - (before?.uncollected ?? 0n),
    })
  }

  removePosition(ref: PositionRef): void {
    this.changes.positions.set(this.positionKey(ref), undefined)
  }
}

/** `standing` with the rate that an instruction at `now` has found; it stood since `last`. */
const stood = (standing: Standing, rate: bigint, last: number, now: number, window: number): Standing => {
  const low = rate < standing.low ? rate : standing.low
  const high = rate > standing.high ? rate : standing.high
  if (now - standing.since < window) return { ...standing, low, high }
  // A new stretch begins; the one before is this one, or this rate alone if it has stood for all of a window.
  const alone = now - last >= window
  const [lowBefore, highBefore] = alone ? [rate, rate] : [low, high]
  return { since: now, low: rate, high: rate, lowBefore, highBefore }
}
