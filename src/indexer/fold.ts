/**
 * From the events about one market or index, in their order, to the rows derived from them. Nothing here knows the database: the same
 * events give the same rows, whenever and in how many parts they come.
 */
import { apyFromRate, type CouponKind, marketName, rateQ64, ytPrice } from '../../amm/index.ts'
import { addressOf } from '../client/addresses.ts'
import { COUPON_KINDS } from '../client/codecs.ts'
import type { EventRecord } from '../client/events.ts'
import type { InstructionName } from '../client/instructions.ts'
import { fail } from './errors.ts'
import type {
  AccountState,
  Cause,
  CouponRow,
  MarketRow,
  MarketState,
  OrderRef,
  OrderState,
  OrderTerms,
  Origin,
  PositionState,
  StState,
  TradeRow,
} from './rows.ts'

type RecordOf<T extends EventRecord['type']> = Extract<EventRecord, { readonly type: T }>

/** An event about the market or index that is folded. */
export interface Told extends Origin {
  /** The instruction that it is of; with its terms, if it placed an order. */
  readonly name: InstructionName
  readonly terms: OrderTerms | undefined
  readonly records: readonly EventRecord[]
}

/** What an index said last when a market was created: it begins with that. */
export interface Moment {
  readonly paidTo: number
  readonly discount: bigint
}

/** The rows that came of a fold, by table. */
export interface Derived {
  readonly markets: MarketRow[]
  readonly marketStates: MarketState[]
  readonly accountStates: AccountState[]
  readonly positionStates: PositionState[]
  readonly orderStates: OrderState[]
  readonly trades: TradeRow[]
  readonly coupons: CouponRow[]
  readonly stStates: StState[]
}
export const nothing = (): Derived => ({
  markets: [],
  marketStates: [],
  accountStates: [],
  positionStates: [],
  orderStates: [],
  trades: [],
  coupons: [],
  stStates: [],
})

const ONE = 1n << 64n
const abs = (value: bigint): bigint => (value < 0n ? -value : value)
const positive = (value: bigint): bigint => (value > 0n ? value : 0n)
const most = (values: readonly bigint[]): bigint => values.reduce((a, b) => (b > a ? b : a))
const least = (values: readonly bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a))

/** Addresses of indices and of markets by what they are made of: derived once. */
const indices = new Map(COUPON_KINDS.map(kind => [addressOf('RateIndex', { kind }), kind]))
export const indexKind = (address: string): CouponKind | undefined => indices.get(address)
export const indexAddress = (kind: CouponKind): string => addressOf('RateIndex', { kind })

export const kindOf = ({ market, maturity }: RecordOf<'created'>): CouponKind =>
  COUPON_KINDS.find(kind => addressOf('Market', { maturity, kind }) === market) ??
  fail('malformed', `No market of maturity ${maturity} is at ${market}`, { market, maturity })

export const accountKey = ({ owner, sub }: { readonly owner: string; readonly sub: number }): string =>
  `${owner}/${sub}`
export const positionKey = (of: Pick<PositionState, 'owner' | 'lower' | 'upper'>): string =>
  `${of.owner}/${of.lower}/${of.upper}`
export const orderKey = ({ owner, sub, id }: Omit<OrderRef, 'market'>): string => `${owner}/${sub}/${id}`

// ---- an index ----------------------------------------------------------------------------------------------------------

/** What an index was after the events folded so far. */
export interface IndexBefore {
  discount: bigint
  vault: bigint
}

export const foldIndex = (kind: CouponKind, before: IndexBefore, told: Told, out: Derived): void => {
  const { records, name: _, terms: __, ...origin } = told
  records.forEach((of, record) => {
    if (of.type === 'accrued' && of.coupon === kind) {
      const { to, discount, feesPaid, carry } = of
      const paid = before.discount - discount
      out.coupons.push({ ...origin, kind, record, paidTo: to, discount, paid, feesPaid, carry })
      before.discount = discount
    }
    if (of.type === 'st-vault' && of.coupon === kind) {
      before.vault += of.change
      out.stStates.push({ ...origin, kind, record, vault: before.vault })
    }
  })
}

export const INDEX_START = (): IndexBefore => ({ discount: ONE, vault: 0n })

// ---- a market ----------------------------------------------------------------------------------------------------------

/** What a market and those in it were after the events folded so far. */
export interface MarketBefore {
  state: MarketState | undefined
  readonly accounts: Map<string, AccountState>
  readonly positions: Map<string, PositionState>
  readonly orders: Map<string, OrderState>
}

const pricesOf = (rate: bigint, tauSeconds: number) => {
  const apy = apyFromRate(rateQ64(rate))
  const price: bigint = ytPrice(rateQ64(rate), tauSeconds)
  return { apy, apyOpen: apy, apyHigh: apy, apyLow: apy, price, priceOpen: price, priceHigh: price, priceLow: price }
}

const EMPTY = { vault: 0n, fees: 0n, deficit: 0n, pt: 0n, issued: 0n, fundMargin: 0n, fundSt: 0n, fundYt: 0n }
const UNTRADED = { volume: 0n, volumeYt: 0n, volumeFees: 0n, trades: 0 }

const createdState = (origin: Origin, of: RecordOf<'created'>, { paidTo, discount }: Moment): MarketState => {
  const { market, maturity, rate } = of
  const tauSeconds = Math.max(0, maturity - paidTo)
  const open = { longYt: 0n, shortYt: 0n }
  return {
    ...origin,
    market,
    rate,
    discount,
    tauSeconds,
    ...EMPTY,
    ...open,
    ...pricesOf(rate, tauSeconds),
    ...UNTRADED,
  }
}

const inMarket = (of: EventRecord, market: string): boolean => 'market' in of && of.market === market

const causeOf = (records: readonly EventRecord[]): Cause => {
  const has = (type: EventRecord['type']): boolean => records.some(of => of.type === type)
  if (has('liquidated')) return 'liquidation'
  if (has('taken-over')) return 'take-over'
  if (has('liquidity-removed')) return 'removal'
  if (has('settled')) return 'settlement'
  if (has('filled')) return 'fill'
  if (has('order')) return 'order'
  if (!has('swapped')) return 'other'
  return has('account') || has('balance') ? 'trade' : 'fund'
}

/** The swap that an account's change of YT came from, if it was one. */
const swapOf = ({ yt }: RecordOf<'account'>, records: readonly EventRecord[]): RecordOf<'swapped'> | undefined =>
  records.find(
    (of): of is RecordOf<'swapped'> =>
      of.type === 'swapped' && of.order === (yt > 0n ? 'buy-yt' : 'sell-yt') && of.filled === abs(yt),
  )

type Entry = Pick<AccountState, 'cost' | 'entryRate'>

/**
 * What the YT held cost, as src/exchange/entry.ts has it: YT that came otherwise than by a trade enter at the rate in force with no
 * cost; what leaves takes its share of the cost along; a position that turned begins anew.
 */
const entryAfter = (
  before: Entry & { readonly yt: bigint },
  change: bigint,
  trade: RecordOf<'swapped'> | undefined,
  rateInForce: bigint,
): Entry => {
  const yt = before.yt + change
  if (change === 0n) return { cost: before.cost, entryRate: before.entryRate }
  if (yt === 0n) return { cost: 0n, entryRate: 0n }
  if (before.yt !== 0n && yt < 0n !== before.yt < 0n) return { cost: 0n, entryRate: rateInForce }
  if (abs(yt) < abs(before.yt)) return { cost: (before.cost * yt) / before.yt, entryRate: before.entryRate }
  const rate = trade === undefined ? rateInForce : (trade.rateBefore + trade.rateAfter) / 2n
  const paid = trade === undefined ? 0n : change > 0n ? trade.amount : -trade.amount
  return {
    cost: before.cost + paid,
    entryRate: (before.entryRate * abs(before.yt) + rate * abs(change)) / abs(yt),
  }
}

/** Whose trade a swap was: of a margin account, of the wallet whose PT moved, of whoever removed liquidity, or of the fund. */
const traderOf = (swap: RecordOf<'swapped'>, records: readonly EventRecord[]): Pick<TradeRow, 'owner' | 'sub'> => {
  const isYt = swap.order === 'buy-yt' || swap.order === 'sell-yt'
  const removal = records.find(of => of.type === 'liquidity-removed')
  if (removal?.type === 'liquidity-removed') return { owner: removal.owner, sub: null }
  for (const of of records) {
    if (isYt && of.type === 'account' && of.yt !== 0n && swapOf(of, records) === swap) {
      return { owner: of.owner, sub: of.sub }
    }
    if (!isYt && of.type === 'balance') return { owner: of.owner, sub: null }
  }
  return { owner: null, sub: null }
}

/**
 * Whether an account is opened: nothing else before maturity leaves an empty account as it is. One that was closed before begins anew.
 * Closing writes no record, so that a closed account looks like an empty one.
 */
const isOpening = (held: AccountState | undefined, of: RecordOf<'account'>, tauSeconds: number): boolean =>
  tauSeconds > 0 &&
  (held === undefined || (held.margin === 0n && held.st === 0n && held.yt === 0n && held.orders === 0)) &&
  of.margin === 0n &&
  of.st === 0n &&
  of.yt === 0n &&
  of.netDeposits === 0n

const accountAfter = (
  held: AccountState | undefined,
  of: RecordOf<'account'>,
  records: readonly EventRecord[],
  rateInForce: bigint,
  opening: boolean,
): Omit<AccountState, keyof Origin | 'record' | 'cause' | 'discount'> => {
  const { market, owner, sub, coupon } = of
  const before = opening ? undefined : held
  const legs = before ?? { margin: 0n, st: 0n, yt: 0n, netDeposits: 0n, cost: 0n, entryRate: 0n }
  const sums = before ?? { coupons: 0n, traded: 0n, fees: 0n, penalties: 0n, orderFees: 0n, orders: 0 }
  const removal = records.some(({ type }) => type === 'liquidity-removed')
  const swap = of.yt === 0n || removal ? undefined : swapOf(of, records)
  const charged = records.find(
    (other): other is RecordOf<'liquidated'> =>
      other.type === 'liquidated' && other.owner === owner && other.sub === sub && swap !== undefined,
  )
  const filled = records.find(
    (other): other is RecordOf<'filled'> => other.type === 'filled' && other.owner === owner && other.sub === sub,
  )
  const received = swap === undefined ? 0n : of.yt > 0n ? -swap.amount : swap.amount
  return {
    ...{ market, owner, sub, coupon },
    marginChange: of.margin,
    stChange: of.st,
    ytChange: of.yt,
    netDepositsChange: of.netDeposits,
    margin: legs.margin + of.margin,
    st: legs.st + of.st,
    yt: legs.yt + of.yt,
    netDeposits: legs.netDeposits + of.netDeposits,
    ...entryAfter(legs, of.yt, swap, rateInForce),
    coupons: sums.coupons + coupon,
    traded: sums.traded + received,
    fees: sums.fees + (swap?.feeTotal ?? 0n),
    penalties: sums.penalties + (charged?.penalty ?? 0n),
    orderFees: sums.orderFees + (filled?.fee ?? 0n),
    orders: sums.orders,
  }
}

/** An account when the number of orders on it changes, and nothing else. */
const accountWith = (held: AccountState, orders: number): Omit<AccountState, keyof Origin | 'record' | 'cause'> => ({
  ...held,
  ...{ coupon: 0n, marginChange: 0n, stChange: 0n, ytChange: 0n, netDepositsChange: 0n },
  orders,
})

const statusAfter = (amount: bigint, name: InstructionName): OrderState['status'] => {
  if (amount > 0n) return 'open'
  return name === 'cancelOrder' ? 'cancelled' : name === 'expireOrder' ? 'expired' : 'filled'
}

/** An order that is placed, filled in part, or gone: `of` are the differences. */
const orderAfter = (
  before: OrderState | undefined,
  of: RecordOf<'order'>,
  { records, name, terms, sequence, signature }: Told,
): Omit<OrderState, keyof Origin | 'record'> => {
  const { type: _, market, owner, sub, id, ...change } = of
  if (before === undefined || before.amount === 0n) {
    if (terms === undefined) return fail('malformed', 'An order that nobody has placed', { signature })
    const { amount, fee, ...rest } = terms
    return {
      ...{ market, owner, sub, id, placed: sequence, status: 'open', ...rest, ...change },
      ...{ placedAmount: amount, placedFee: fee, by: null },
      ...{ filledChange: 0n, feeChange: 0n, filled: 0n, feesPaid: 0n },
    }
  }
  const fill = records.find(
    (one): one is RecordOf<'filled'> =>
      one.type === 'filled' && one.market === market && one.owner === owner && one.sub === sub && one.id === id,
  )
  const [filledChange, feeChange] = [fill?.filled ?? 0n, fill?.fee ?? 0n]
  const amount = before.amount + change.amount
  return {
    ...before,
    ...{ status: statusAfter(amount, name), amount, fee: before.fee + change.fee },
    ...{ by: fill?.by ?? null, filledChange, feeChange },
    ...{ filled: before.filled + filledChange, feesPaid: before.feesPaid + feeChange },
  }
}

/** One event about a market. `moment` is needed where it is created. */
export const foldMarket = (before: MarketBefore, told: Told, out: Derived, moment: Moment | undefined): void => {
  const { records: all, name: _, terms: __, ...origin } = told
  const { signature, slot, time, sequence } = origin
  const created = all.find((of): of is RecordOf<'created'> => of.type === 'created')
  if (created !== undefined) {
    const { market, maturity, rate } = created
    const kind = kindOf(created)
    out.markets.push({ market, slot, signature, time, name: marketName(maturity, kind), kind, maturity, rate })
    before.state = createdState(origin, created, moment!)
  }
  const last = before.state ?? fail('malformed', 'An event about a market before it was created', { signature })
  const { market } = last
  // Records of wallets say nothing of the market: a roll's two markets share them.
  const records = all.filter(of => !('market' in of) || of.market === market)
  const cause = causeOf(records)
  const next: { -readonly [K in keyof MarketState]: MarketState[K] } = {
    ...last,
    ...{ slot, signature, time, sequence },
    ...UNTRADED,
  }
  const points = [{ apy: last.apy, price: last.price }]
  const reached = (rate: bigint): void => {
    next.rate = rate
    const { apy, price } = pricesOf(rate, next.tauSeconds)
    points.push({ apy, price })
  }
  const held = (from: bigint, to: bigint): void => {
    next.longYt += positive(to) - positive(from)
    next.shortYt += positive(-to) - positive(-from)
  }
  // The entry reckons with the rate at which the event ends.
  const rateInForce = all.findLast((of): of is RecordOf<'swapped'> => of.type === 'swapped' && of.market === market)
  const rate = rateInForce?.rateAfter ?? last.rate

  all.forEach((of, record) => {
    if (!inMarket(of, market)) return
    switch (of.type) {
      case 'market':
        held(next.fundYt, next.fundYt + of.fundYt)
        for (const field of Object.keys(EMPTY) as (keyof typeof EMPTY)[]) next[field] += of[field]
        return
      case 'caught-up':
        next.tauSeconds = of.tauSeconds
        next.discount = of.discount
        reached(next.rate)
        return
      case 'swapped': {
        const { order, type: _, ...swap } = of
        reached(of.rateAfter)
        next.volume += of.amount
        next.volumeYt += of.filled
        next.volumeFees += of.feeTotal
        next.trades++
        out.trades.push({
          ...{ ...origin, record, cause, side: order, ...traderOf(of, records), ...swap },
          ...points.at(-1)!,
        })
        return
      }
      case 'account': {
        const state = before.accounts.get(accountKey(of))
        const opening = isOpening(state, of, next.tauSeconds)
        const after: AccountState = {
          ...{ ...origin, record, cause: opening ? 'opening' : cause, discount: next.discount },
          ...accountAfter(state, of, records, rate, opening),
        }
        held(state?.yt ?? 0n, after.yt)
        before.accounts.set(accountKey(of), after)
        out.accountStates.push(after)
        return
      }
      case 'order': {
        const state = before.orders.get(orderKey(of))
        const after: OrderState = { ...orderAfter(state, of, told), ...origin, record }
        before.orders.set(orderKey(of), after)
        out.orderStates.push(after)
        const [was, is] = [state?.status === 'open' ? 1 : 0, after.status === 'open' ? 1 : 0]
        if (was === is) return
        const on =
          before.accounts.get(accountKey(of)) ??
          fail('malformed', 'An order on an account that nobody has opened', { signature })
        const account: AccountState = { ...accountWith(on, on.orders + is - was), ...origin, record, cause }
        before.accounts.set(accountKey(of), account)
        out.accountStates.push(account)
        return
      }
      case 'position': {
        const { owner, lower, upper, liquidity, issued, uncollected } = of
        const state = before.positions.get(positionKey(of)) ?? { liquidity: 0n, issued: 0n, uncollected: 0n }
        const after: PositionState = {
          ...{ ...origin, market, owner, lower, upper, record },
          liquidity: state.liquidity + liquidity,
          issued: state.issued + issued,
          uncollected: state.uncollected + uncollected,
        }
        before.positions.set(positionKey(of), after)
        out.positionStates.push(after)
        return
      }
    }
  })

  const { apy, price } = points.at(-1)!
  const [apys, prices] = [points.map(point => point.apy), points.map(point => point.price)]
  const first = points[0]!
  before.state = {
    ...next,
    ...{ apy, apyOpen: first.apy, apyHigh: most(apys), apyLow: least(apys) },
    ...{ price, priceOpen: first.price, priceHigh: most(prices), priceLow: least(prices) },
  }
  out.marketStates.push(before.state)
}
