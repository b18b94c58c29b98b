/**
 * What the API reads. Lists come in pages: with `next` of one page as `cursor` the following one is asked for; without `next` there is
 * no more. Rows carry the slot and the time that they are of. Units: rows.ts.
 */
import { type CouponKind, rateQ64, ytPrice } from '../../amm/index.ts'
import type { EventRecord } from '../client/events.ts'
import type { InstructionName } from '../client/instructions.ts'
import type { Place } from './blocks.ts'
import { WIDTHS, type Width } from './candles.ts'
import { CURRENT, lastRows } from './current.ts'
import type { Queries } from './database.ts'
import { fail } from './errors.ts'
import { recordOf } from './indexer.ts'
import type {
  AccountState,
  Candle,
  CouponRow,
  MarketRow,
  MarketState,
  OrderState,
  PositionState,
  TradeRow,
} from './rows.ts'

export interface Page<T> {
  readonly rows: readonly T[]
  readonly next: string | undefined
}

/** At most `limit` rows (100 by default, 1,000 at most), after `cursor`. */
export interface Paging {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

const MOST = 1000
const limitOf = ({ limit = 100 }: Paging): number =>
  Number.isInteger(limit) && limit >= 1 && limit <= MOST
    ? limit
    : fail('bad-request', `A page has 1 to ${MOST} rows, not ${limit}`, { limit })

/** The values of the last row of a page that rows are ordered by, and back. */
const cursorOf = (values: readonly (string | number)[]): string => values.join('.')
const partsOf = (cursor: string, count: number): string[] => {
  const parts = cursor.split('.')
  if (parts.length !== count || !parts.every(part => /^\w{1,44}$/.test(part))) {
    fail('bad-request', 'This cursor is none: use `next` of the page before', { cursor: cursor.slice(0, 100) })
  }
  return parts
}
const whole = (text: string): number =>
  /^\d{1,15}$/.test(text) ? Number(text) : fail('bad-request', 'This cursor is none', { part: text })

const pageOf = <T>(rows: readonly T[], limit: number, key: (row: T) => (string | number)[]): Page<T> => ({
  rows: rows.slice(0, limit),
  next: rows.length > limit ? cursorOf(key(rows[limit - 1]!)) : undefined,
})

/** Conditions on columns and their parameters, as they come. */
class Where {
  readonly params: unknown[] = []
  readonly #conditions: string[] = []

  /** `column = ?` and the like; left out where a value is undefined. */
  add(condition: string, ...values: readonly unknown[]): this {
    if (values.includes(undefined)) return this
    let at = 0
    this.#conditions.push(condition.replace(/\?/g, () => `$${this.params.length + ++at}`))
    this.params.push(...values)
    return this
  }

  toString(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
  }
}

// ---- markets ------------------------------------------------------------------------------------------------------------

/** A market and its last state. */
export type MarketSummary = MarketState & Pick<MarketRow, 'name' | 'kind' | 'maturity'> & { readonly createdAt: number }

const SUMMARY = `SELECT s.*, m.name, m.kind, m.maturity, m.time AS created_at FROM markets m CROSS JOIN LATERAL (
  SELECT * FROM market_states s WHERE s.market = m.market ORDER BY s.sequence DESC LIMIT 1) s`

/** All of them, by maturity. */
export const markets = (on: Queries): Promise<MarketSummary[]> =>
  on.query<MarketSummary>(`${SUMMARY} ORDER BY m.maturity, m.kind`)

/** By its address or its name. */
export const market = async (on: Queries, id: string): Promise<MarketSummary | undefined> =>
  (await on.query<MarketSummary>(`${SUMMARY} WHERE m.market = $1 OR m.name = $1`, [id]))[0]

const isWidth = (width: number): width is Width => WIDTHS.some(known => known === width)

/** Candles from one time (unix seconds) to before another, the oldest first. Where nothing happened there is none: the last close stands. */
export const candles = async (
  on: Queries,
  of: Paging & { readonly market: string; readonly width: number; readonly from?: number; readonly to?: number },
): Promise<Page<Candle>> => {
  const limit = limitOf(of)
  if (!isWidth(of.width)) fail('bad-request', `Candles are ${WIDTHS.join(', ')} seconds wide`, { width: of.width })
  const where = new Where()
    .add('market = ?', of.market)
    .add('width = ?', of.width)
    .add('start >= ?', of.from)
    .add('start < ?', of.to)
    .add('start > ?', of.cursor === undefined ? undefined : whole(of.cursor))
  const rows = await on.query<Candle>(
    `SELECT * FROM candles ${where} ORDER BY market, width, start LIMIT ${limit + 1}`,
    where.params,
  )
  return pageOf(rows, limit, ({ start }) => [start])
}

export interface Volume {
  readonly market: string
  /** JLP, YT (or PT), fees in JLP. */
  readonly volume: bigint
  readonly volumeYt: bigint
  readonly volumeFees: bigint
  readonly trades: number
}

/** Of every market that traded since a time, which counts from its full minute. */
export const volumes = (on: Queries, since: number): Promise<Volume[]> =>
  on.query<Volume>(
    `SELECT market, SUM(volume) AS volume, SUM(volume_yt) AS volume_yt, SUM(volume_fees) AS volume_fees, SUM(trades)::BIGINT AS trades
    FROM candles WHERE width = 60 AND start >= $1 AND trades > 0 GROUP BY market ORDER BY market`,
    [since - (since % 60)],
  )

export interface OpenInterest {
  readonly start: number
  /** YT held and owed, and JLP in the vault, at the candle's end. */
  readonly longYt: bigint
  readonly shortYt: bigint
  readonly vault: bigint
}

/** Open interest and what is locked, as candles go. */
export const openInterest = async (on: Queries, of: Parameters<typeof candles>[1]): Promise<Page<OpenInterest>> => {
  const { rows, next } = await candles(on, of)
  return { rows: rows.map(({ start, longYt, shortYt, vault }) => ({ start, longYt, shortYt, vault })), next }
}

/** JLP locked: in the vaults of markets, and behind wrapped ST. */
export const locked = async (on: Queries): Promise<{ readonly markets: bigint; readonly st: bigint }> => {
  const [found] = await on.query<{ markets: bigint; st: bigint }>(
    `SELECT
      (SELECT COALESCE(SUM(s.vault), 0) FROM (${SUMMARY}) s) AS markets,
      (SELECT COALESCE(SUM(vault), 0) FROM (SELECT DISTINCT ON (kind) vault FROM st_states ORDER BY kind, sequence DESC, record DESC) v) AS st`,
  )
  return found!
}

// ---- trades and histories -------------------------------------------------------------------------------------------------

type Ordered = Pick<TradeRow, 'slot' | 'market' | 'sequence' | 'record'>
const LATEST = 'ORDER BY slot DESC, market DESC, sequence DESC, record DESC'

const latest = async <T extends Ordered>(
  on: Queries,
  table: string,
  where: Where,
  paging: Paging,
): Promise<Page<T>> => {
  const limit = limitOf(paging)
  if (paging.cursor !== undefined) {
    const [slot, market, sequence, record] = partsOf(paging.cursor, 4) as [string, string, string, string]
    where.add('(slot, market, sequence, record) < (?, ?, ?, ?)', whole(slot), market, whole(sequence), whole(record))
  }
  const rows = await on.query<T>(`SELECT * FROM ${table} ${where} ${LATEST} LIMIT ${limit + 1}`, where.params)
  return pageOf(rows, limit, ({ slot, market, sequence, record }) => [slot, market, sequence, record])
}

/** The newest first; of a market, of an owner, or all. */
export const trades = (
  on: Queries,
  of: Paging & { readonly market?: string; readonly owner?: string },
): Promise<Page<TradeRow>> =>
  latest(on, 'trades', new Where().add('market = ?', of.market).add('owner = ?', of.owner), of)

/** Every change of an owner's margin accounts, the newest first. */
export const accountHistory = (
  on: Queries,
  of: Paging & { readonly owner: string; readonly market?: string; readonly sub?: number },
): Promise<Page<AccountState>> =>
  latest(
    on,
    'account_states',
    new Where().add('owner = ?', of.owner).add('market = ?', of.market).add('sub = ?', of.sub),
    of,
  )

/** Every change of resting orders, the newest first: of an owner, a market, one account or one number on it. */
export const orderHistory = (
  on: Queries,
  of: Paging & { readonly owner?: string; readonly market?: string; readonly sub?: number; readonly id?: number },
): Promise<Page<OrderState>> =>
  latest(
    on,
    'order_states',
    new Where().add('owner = ?', of.owner).add('market = ?', of.market).add('sub = ?', of.sub).add('id = ?', of.id),
    of,
  )

// ---- accounts and positions --------------------------------------------------------------------------------------------------

/** Profit since an account was opened and where it comes from: the parts add up to `total`. JLP atoms. */
export interface Profit {
  readonly total: bigint
  /** Coupons received (paid, when negative), those that are due and not booked yet included. */
  readonly coupons: bigint
  /** From YT that are no longer held: what they brought less what they cost. */
  readonly realised: bigint
  /** Of the YT held: what their price lost because time went by at the entry rate, and what the rate's move made of it. */
  readonly decay: bigint
  readonly rateMove: bigint
  /** Trading fees, penalties, and what was paid for filling orders; negative. */
  readonly fees: bigint
}

const inJlp = (yt: bigint, price: bigint, discount: bigint): bigint => (((discount * price) >> 64n) * yt) >> 64n

export const profitOf = (
  account: AccountState,
  { price, discount, tauSeconds }: Pick<MarketState, 'price' | 'discount' | 'tauSeconds'>,
): Profit => {
  const { yt, cost, entryRate } = account
  const due = yt === 0n ? 0n : (yt * (account.discount - discount)) >> 64n
  const value = inJlp(yt, price, discount)
  const unmoved = yt === 0n ? 0n : inJlp(yt, ytPrice(rateQ64(entryRate), tauSeconds), discount)
  const parts = {
    coupons: account.coupons + due,
    realised: account.traded + cost,
    decay: unmoved - cost,
    rateMove: value - unmoved,
    fees: -account.fees - account.penalties - account.orderFees,
  }
  return { total: parts.coupons + parts.realised + parts.decay + parts.rateMove + parts.fees, ...parts }
}

export type AccountSummary = AccountState & {
  readonly profit: Profit
  /** Margin, ST leg and YT at the spot, coupons that are due included. */
  readonly equity: bigint
}

const summaryOf = (
  row: AccountState & { readonly price: bigint; readonly marketDiscount: bigint; readonly tauSeconds: number },
): AccountSummary => {
  const { price, marketDiscount, tauSeconds, ...account } = row
  const profit = profitOf(account, { price, discount: marketDiscount, tauSeconds })
  const due = profit.coupons - account.coupons
  return { ...account, profit, equity: account.margin + account.st + due + inJlp(account.yt, price, marketDiscount) }
}

const currentOf = (of: { readonly owner?: string; readonly market?: string; readonly open?: boolean }): Where => {
  const where = new Where().add('owner = ?', of.owner).add('market = ?', of.market)
  return of.open === true ? where.add('open') : where
}

/** Margin accounts as they are, of an owner or a market; `open`: those with something in them. In the order of market, owner, number. */
export const accounts = async (
  on: Queries,
  of: Paging & { readonly owner?: string; readonly market?: string; readonly open?: boolean },
): Promise<Page<AccountSummary>> => {
  const limit = limitOf(of)
  const where = currentOf(of)
  if (of.cursor !== undefined) {
    const [market, owner, sub] = partsOf(of.cursor, 3) as [string, string, string]
    where.add('(market, owner, sub) > (?, ?, ?)', market, owner, whole(sub))
  }
  const rows = await on.query<Parameters<typeof summaryOf>[0]>(
    `SELECT h.*, m.price, m.discount AS market_discount, m.tau_seconds
    FROM ${lastRows(CURRENT.accounts, where, limit + 1)} CROSS JOIN LATERAL (
      SELECT * FROM market_states m WHERE m.market = c.market ORDER BY m.sequence DESC LIMIT 1) m
    ORDER BY c.market, c.owner, c.sub`,
    where.params,
  )
  return pageOf(rows.map(summaryOf), limit, ({ market, owner, sub }) => [market, owner, sub])
}

/** Liquidity positions with something in them, of an owner or a market. In the order of market, owner, range. */
export const positions = async (
  on: Queries,
  of: Paging & { readonly owner?: string; readonly market?: string },
): Promise<Page<PositionState>> => {
  const limit = limitOf(of)
  const where = currentOf({ ...of, open: true })
  if (of.cursor !== undefined) {
    const [market, owner, lower, upper] = partsOf(of.cursor, 4) as [string, string, string, string]
    where.add('(market, owner, lower, upper) > (?, ?, ?, ?)', market, owner, whole(lower), whole(upper))
  }
  const rows = await on.query<PositionState>(
    `SELECT h.* FROM ${lastRows(CURRENT.positions, where, limit + 1)} ORDER BY c.market, c.owner, c.lower, c.upper`,
    where.params,
  )
  return pageOf(rows, limit, ({ market, owner, lower, upper }) => [market, owner, lower, upper])
}

/**
 * Resting orders as they are, or as they ended, of an owner or a market; `open`: those that wait. In the order of market, owner, account,
 * number and age.
 */
export const orders = async (
  on: Queries,
  of: Paging & { readonly owner?: string; readonly market?: string; readonly open?: boolean },
): Promise<Page<OrderState>> => {
  const limit = limitOf(of)
  const where = currentOf(of)
  if (of.cursor !== undefined) {
    const [market, owner, ...numbers] = partsOf(of.cursor, 5) as [string, string, ...string[]]
    where.add('(market, owner, sub, id, placed) > (?, ?, ?, ?, ?)', market, owner, ...numbers.map(whole))
  }
  const rows = await on.query<OrderState>(
    `SELECT h.* FROM ${lastRows(CURRENT.orders, where, limit + 1)} ORDER BY c.market, c.owner, c.sub, c.id, c.placed`,
    where.params,
  )
  return pageOf(rows, limit, ({ market, owner, sub, id, placed }) => [market, owner, sub, id, placed])
}

// ---- coupons, transactions -----------------------------------------------------------------------------------------------------

/** What was paid on YT, the newest first. */
export const coupons = async (on: Queries, of: Paging & { readonly kind: CouponKind }): Promise<Page<CouponRow>> => {
  const limit = limitOf(of)
  const where = new Where().add('kind = ?', of.kind)
  if (of.cursor !== undefined) {
    const [sequence, record] = partsOf(of.cursor, 2) as [string, string]
    where.add('(sequence, record) < (?, ?)', whole(sequence), whole(record))
  }
  const rows = await on.query<CouponRow>(
    `SELECT * FROM coupons ${where} ORDER BY sequence DESC, record DESC LIMIT ${limit + 1}`,
    where.params,
  )
  return pageOf(rows, limit, ({ sequence, record }) => [sequence, record])
}

export interface IndexedEvent extends Place {
  readonly time: number
  /** The instruction that it is of. */
  readonly name: InstructionName
  readonly records: readonly EventRecord[]
}

/** The events of a transaction. */
export const transaction = async (on: Queries, signature: string): Promise<IndexedEvent[]> => {
  const rows = await on.query<
    Place & { time: number; name: InstructionName; type: string | null; body: Record<string, unknown> }
  >(
    `SELECT e.slot, e.signature, e.instruction, e.call, e.time, e.name, r.type, r.body
    FROM events e LEFT JOIN records r USING (slot, signature, instruction, call)
    WHERE e.signature = $1 ORDER BY e.slot, e.instruction, e.call, r.record`,
    [signature],
  )
  const found = new Map<string, IndexedEvent & { records: EventRecord[] }>()
  for (const { type, body, ...place } of rows) {
    const key = `${place.slot}/${place.instruction}/${place.call}`
    const event = found.get(key) ?? { ...place, records: [] }
    if (type !== null) event.records.push(recordOf(type, body))
    found.set(key, event)
  }
  return [...found.values()]
}
