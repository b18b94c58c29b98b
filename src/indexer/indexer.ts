/**
 * Events into tables. What came from the chain is kept as it is (events, subjects, records); everything else is derived from it, market
 * by market and index by index, as far as the events about each follow one another without a gap. So the tables are always a state that
 * the market was in, and the same events give the same tables in whichever order and in how many parts they come.
 */
import type { CouponKind } from '../../amm/display.ts'
import type { EventRecord } from '../client/events.ts'
import { ADDRESSES, INSTRUCTIONS, RECORDS } from '../client/generated/interface.ts'
import type { InstructionName } from '../client/instructions.ts'
import { type Block, type Place, type Placed, placedEvents, placeKey } from './blocks.ts'
import { addCandles, cutCandles } from './candles.ts'
import { CURRENT, point, pointBack } from './current.ts'
import { type Database, insert, type Queries, toJson } from './database.ts'
import { fail } from './errors.ts'
import {
  accountKey,
  type Derived,
  foldIndex,
  foldMarket,
  INDEX_START,
  indexAddress,
  indexKind,
  kindOf,
  type MarketBefore,
  type Moment,
  nothing,
  orderKey,
  positionKey,
  type Told,
} from './fold.ts'
import { LOCK, migrate } from './migrations.ts'
import type { AccountState, MarketState, OrderRef, OrderState, OrderTerms, PositionState } from './rows.ts'

/** Events about one account that are folded at once. */
const AT_ONCE = 1000

/** Tables whose rows have the slot of the event that they came from. */
const BY_SLOT = [
  ...['events', 'subjects', 'records', 'markets', 'market_states', 'account_states', 'position_states'],
  ...['order_states', 'trades', 'coupons', 'st_states'],
]
/** Those of them that are derived for a market. */
const OF_MARKET = [
  ...['markets', 'market_states', 'account_states', 'position_states', 'order_states', 'trades', 'candles'],
  ...['accounts', 'positions', 'orders'],
]

/** Events that are missing: numbers `from` to `to` of those about an account. */
export interface Gap {
  readonly account: string
  readonly from: number
  readonly to: number
  /** The events on both sides of it; undefined before the first. */
  readonly after: Pick<Place, 'slot' | 'signature'> | undefined
  readonly before: Pick<Place, 'slot' | 'signature'>
}

/** What readers may want to look at again, each once. */
export interface Touched {
  readonly markets: readonly string[]
  readonly owners: readonly string[]
  readonly orders: readonly OrderRef[]
  /** Indices that paid a coupon, or whose wrapped ST changed. */
  readonly kinds: readonly CouponKind[]
}

/** Collects it. */
class Touches {
  readonly #markets = new Set<string>()
  readonly #owners = new Set<string>()
  readonly #orders = new Map<string, OrderRef>()
  readonly #kinds = new Set<CouponKind>()

  add({ marketStates, accountStates, positionStates, orderStates, coupons, stStates }: Derived): void {
    for (const { market } of marketStates) this.#markets.add(market)
    for (const { owner } of [...accountStates, ...positionStates]) this.#owners.add(owner)
    for (const { market, owner, sub, id } of orderStates) {
      this.#orders.set(`${market}/${orderKey({ owner, sub, id })}`, { market, owner, sub, id })
    }
    for (const { kind } of [...coupons, ...stStates]) this.#kinds.add(kind)
  }

  get all(): Touched {
    return {
      markets: [...this.#markets],
      owners: [...this.#owners],
      orders: [...this.#orders.values()],
      kinds: [...this.#kinds],
    }
  }
}

export interface Ingested {
  /** Events that were new. */
  readonly added: number
  /** What changed in the derived tables: an event behind a gap changes nothing yet. */
  readonly touched: Touched
}

/** Where transactions come from. */
export interface Source {
  /**
   * Transactions that name an address, the oldest first, in parts: after one and before another, if these are given. They may overlap
   * with what is known.
   */
  blocks(
    address: string,
    range: { readonly after?: string | undefined; readonly before?: string | undefined },
  ): AsyncIterable<readonly Block[]>
}

interface Waiting extends Place {
  /** Number of the last event about the account that is folded. */
  readonly head: number
  readonly sequence: number
  readonly time: number
  readonly name: InstructionName
  readonly terms: Readonly<Record<string, unknown>> | null
}

const WIDE = new Set(['i64', 'u64', 'u128', 'i128'])
const LAYOUTS = new Map(RECORDS.map(layout => [layout.type, layout.fields]))

type Layout = readonly { readonly name: string; readonly type: string }[]
const fieldsOf = (layout: Layout, body: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(layout.map(({ name, type }) => [name, WIDE.has(type) ? BigInt(body[name] as string) : body[name]]))

/** An order's terms from their row; `id` is left out. */
const termsOf = (body: Readonly<Record<string, unknown>>): OrderTerms =>
  fieldsOf(
    INSTRUCTIONS.placeOrder.arguments.filter(({ name }) => name !== 'id'),
    body,
  ) as OrderTerms

/** A record from its row: what has more than 32 bits is text in JSON. */
export const recordOf = (type: string, body: Readonly<Record<string, unknown>>): EventRecord => {
  const fields = LAYOUTS.get(type) ?? fail('malformed', `No record is of kind ${type}`, { type })
  return { type, ...fieldsOf(fields, body) } as EventRecord
}

/** Last rows of a market, by keys; nothing is asked where there is none. */
const lastOf = async <T>(on: Queries, market: string, keys: readonly object[], sql: string): Promise<T[]> =>
  keys.length === 0 ? [] : on.query<T>(sql, [market, toJson(keys)])

export class Indexer {
  readonly database: Database

  private constructor(database: Database) {
    this.database = database
  }

  /** Brings the schema up to date first. */
  static async open(database: Database): Promise<Indexer> {
    await migrate(database)
    return new Indexer(database)
  }

  #write<T>(run: (on: Queries) => Promise<T>): Promise<T> {
    return this.database.transaction(async on => {
      await on.query(LOCK)
      return run(on)
    })
  }

  // ---- in and out ---------------------------------------------------------------------------------------------------------

  /**
   * Takes in what transactions did, all of it or nothing; what is known already is passed over.
   * `fork`: another event is indexed in the place of one of these, at `context.slot`.
   */
  async ingest(blocks: readonly Block[]): Promise<Ingested> {
    const given = placedEvents(blocks)
    if (given.length === 0) return { added: 0, touched: new Touches().all }
    return this.#write(async on => {
      const touches = new Touches()
      const known = new Set(
        (
          await on.query<Place>(
            `SELECT e.slot, e.signature, e.instruction, e.call FROM events e
            JOIN jsonb_to_recordset($1::jsonb) AS p(slot BIGINT, signature TEXT, instruction INT, call INT)
            USING (slot, signature, instruction, call)`,
            [toJson(given.map(({ slot, signature, instruction, call }) => ({ slot, signature, instruction, call })))],
          )
        ).map(placeKey),
      )
      const fresh = given.filter(placed => !known.has(placeKey(placed)))
      if (fresh.length > 0) await this.#add(on, fresh, touches)
      return { added: fresh.length, touched: touches.all }
    })
  }

  async #add(on: Queries, fresh: readonly Placed[], touches: Touches): Promise<void> {
    const places = fresh.map(({ slot, signature, instruction, call, blockTime, asked, event }) => ({
      place: { slot, signature, instruction, call },
      ...{ blockTime, asked, event },
    }))
    const subjects = places.flatMap(({ place, event }) =>
      event.subjects.map(({ account, sequence }) => ({ account, sequence, ...place, applied: false })),
    )
    const [taken] = await on.query<{ slot: number | null }>(
      `SELECT MIN(s.slot) AS slot FROM subjects s JOIN jsonb_to_recordset($1::jsonb) AS k(account TEXT, sequence BIGINT)
      USING (account, sequence)`,
      [toJson(subjects)],
    )
    const twice = new Set(subjects.map(({ account, sequence }) => `${account}/${sequence}`)).size < subjects.length
    if (taken!.slot !== null || twice) {
      const slot = taken!.slot ?? Math.min(...fresh.map(placed => placed.slot))
      fail('fork', `Another event is in this place since slot ${slot}: roll back to before it`, { slot })
    }
    await insert(
      on,
      'events',
      places.map(({ place, blockTime, asked: { name, args }, event: { time } }) => ({
        ...{ ...place, time, blockTime, name },
        terms: name === 'placeOrder' ? args : null,
      })),
    )
    await insert(on, 'subjects', subjects)
    await insert(
      on,
      'records',
      places.flatMap(({ place, event }) =>
        event.records.map(({ type, ...body }, record) => ({ ...place, record, type, body })),
      ),
    )
    const accounts = new Set(subjects.map(({ account }) => account))
    for (const account of await this.#unsettledBy(on, fresh)) accounts.add(account)
    const events = new Map(fresh.map(placed => [placeKey(placed), placed.event.records]))
    for (const account of accounts) await this.#drain(on, account, events, touches)
  }

  /**
   * A market begins with what its index said last. Where the index says something new of the time before, those that were derived
   * without it are undone, to be derived anew, and those that waited for it go on.
   */
  async #unsettledBy(on: Queries, fresh: readonly Placed[]): Promise<string[]> {
    const since = new Map<CouponKind, number>()
    for (const { slot, event } of fresh) {
      for (const of of event.records) {
        if (of.type === 'accrued') since.set(of.coupon, Math.min(slot, since.get(of.coupon) ?? slot))
      }
    }
    if (since.size === 0) return []
    const markets: string[] = []
    for (const [kind, slot] of since) {
      const found = await on.query<{ market: string }>('SELECT market FROM markets WHERE kind = $1 AND slot >= $2', [
        kind,
        slot,
      ])
      markets.push(...found.map(({ market }) => market))
    }
    if (markets.length > 0) {
      for (const table of OF_MARKET) await on.query(`DELETE FROM ${table} WHERE market = ANY($1::text[])`, [markets])
      await on.query('UPDATE subjects SET applied = FALSE WHERE account = ANY($1::text[])', [markets])
    }
    const waiting = await on.query<{ account: string }>(
      'SELECT account FROM subjects WHERE NOT applied AND sequence = 1',
    )
    return waiting.map(({ account }) => account)
  }

  /** Undoes everything after a slot: the tables are what they would be if it had never come. `finalised` */
  rollback(toSlot: number): Promise<Touched> {
    return this.#write(async on => {
      const [progress] = await on.query<{ finalised: number }>('SELECT finalised FROM progress')
      const { finalised } = progress!
      if (toSlot < finalised) {
        fail('finalised', `Slot ${finalised} is final, so that nothing after ${toSlot} can be undone`, { finalised })
      }
      const after = async <T>(what: string, table: string): Promise<T[]> =>
        on.query<T>(`SELECT DISTINCT ${what} FROM ${table} WHERE slot > $1`, [toSlot])
      const touches = new Touches()
      touches.add({
        ...nothing(),
        marketStates: await after('market', 'market_states'),
        accountStates: await after('owner', 'account_states'),
        positionStates: await after('owner', 'position_states'),
        orderStates: await after('market, owner, sub, id', 'order_states'),
        coupons: await after('kind', 'coupons'),
        stStates: await after('kind', 'st_states'),
      })
      await cutCandles(on, toSlot)
      for (const table of BY_SLOT) await on.query(`DELETE FROM ${table} WHERE slot > $1`, [toSlot])
      await pointBack(on, toSlot)
      return touches.all
    })
  }

  /** The last final slot, and the last event's signature up to it. */
  async finalised(): Promise<{ readonly slot: number; readonly signature: string | undefined }> {
    const [progress] = await this.database.query<{ finalised: number; signature: string | null }>(
      'SELECT finalised, signature FROM progress',
    )
    return { slot: progress!.finalised, signature: progress!.signature ?? undefined }
  }

  /** Transactions after a slot that had events. */
  since(slot: number): Promise<Pick<Place, 'slot' | 'signature'>[]> {
    return this.database.query('SELECT DISTINCT slot, signature FROM events WHERE slot > $1', [slot])
  }

  /** Says that nothing up to a slot can change any more; `signature` is the newest transaction that was seen up to it. */
  async finalise(slot: number, signature?: string): Promise<void> {
    await this.database.query(
      'UPDATE progress SET finalised = $1, signature = COALESCE($2::text, signature) WHERE finalised <= $1::bigint',
      [slot, signature ?? null],
    )
  }

  // ---- gaps ---------------------------------------------------------------------------------------------------------------

  /** What is missing between the events that are there. */
  async gaps(): Promise<Gap[]> {
    const rows = await this.database.query<{
      account: string
      previous: number
      previousSlot: number | null
      previousSignature: string | null
      sequence: number
      slot: number
      signature: string
    }>(
      `SELECT * FROM (
        SELECT account, sequence, slot, signature,
          LAG(sequence, 1, 0::bigint) OVER w AS previous, LAG(slot) OVER w AS previous_slot, LAG(signature) OVER w AS previous_signature
        FROM subjects WHERE account IN (SELECT account FROM subjects WHERE NOT applied)
        WINDOW w AS (PARTITION BY account ORDER BY sequence)
      ) s WHERE sequence > previous + 1 ORDER BY account, sequence`,
    )
    return rows.map(({ account, previous, previousSlot, previousSignature, sequence, slot, signature }) => ({
      account,
      from: previous + 1,
      to: sequence - 1,
      after: previousSlot === null ? undefined : { slot: previousSlot, signature: previousSignature! },
      before: { slot, signature },
    }))
  }

  /** Asks a source for what is missing; returns the gaps that are left. `onIngested` hears of each part that came. */
  async refill(source: Source, onIngested: (_: Ingested) => void = () => {}): Promise<Gap[]> {
    for (const { account, after, before } of await this.gaps()) {
      const range = { after: after?.signature, before: before.signature }
      for await (const blocks of source.blocks(account, range)) onIngested(await this.ingest(blocks))
    }
    return this.gaps()
  }

  // ---- derived ------------------------------------------------------------------------------------------------------------

  /** Folds the events about an account that follow what was folded, as far as there is no gap. */
  async #drain(
    on: Queries,
    account: string,
    fresh: ReadonlyMap<string, readonly EventRecord[]>,
    touches: Touches,
  ): Promise<void> {
    for (;;) {
      const waiting = await on.query<Waiting>(
        `SELECT h.head, s.sequence, s.slot, s.signature, s.instruction, s.call, e.time, e.name, e.terms
        FROM (SELECT COALESCE((
          SELECT sequence FROM subjects WHERE account = $1 AND applied ORDER BY sequence DESC LIMIT 1), 0) AS head) h
        JOIN subjects s ON s.account = $1 AND s.sequence > h.head AND s.sequence <= h.head + $2::bigint
        JOIN events e USING (slot, signature, instruction, call) ORDER BY s.sequence`,
        [account, AT_ONCE],
      )
      const head = waiting[0]?.head ?? 0
      const gap = waiting.findIndex(({ sequence }, i) => sequence !== head + 1 + i)
      const next = gap < 0 ? waiting : waiting.slice(0, gap)
      if (next.length === 0) return
      const out = await this.#fold(on, account, await this.#told(on, next, fresh))
      if (out === undefined) return
      await this.#save(on, out)
      touches.add(out)
      await on.query(
        'UPDATE subjects SET applied = TRUE WHERE account = $1 AND sequence > $2 AND sequence <= $2 + $3::bigint',
        [account, head, next.length],
      )
      if (next.length < AT_ONCE) return
    }
  }

  async #told(
    on: Queries,
    waiting: readonly Waiting[],
    fresh: ReadonlyMap<string, readonly EventRecord[]>,
  ): Promise<Told[]> {
    const stored = new Map<string, EventRecord[]>()
    const absent = waiting.filter(place => !fresh.has(placeKey(place)))
    if (absent.length > 0) {
      const rows = await on.query<Place & { type: string; body: Record<string, unknown> }>(
        `SELECT r.* FROM records r JOIN jsonb_to_recordset($1::jsonb) AS p(slot BIGINT, signature TEXT, instruction INT, call INT)
        USING (slot, signature, instruction, call) ORDER BY r.slot, r.signature, r.instruction, r.call, r.record`,
        [toJson(absent)],
      )
      for (const row of rows) {
        const list = stored.get(placeKey(row)) ?? []
        list.push(recordOf(row.type, row.body))
        stored.set(placeKey(row), list)
      }
    }
    return waiting.map(place => {
      const { slot, signature, time, sequence, name, terms } = place
      const records = fresh.get(placeKey(place)) ?? stored.get(placeKey(place)) ?? []
      return { slot, signature, time, sequence, name, terms: terms === null ? undefined : termsOf(terms), records }
    })
  }

  /** Undefined for a market whose index has said nothing yet. */
  async #fold(on: Queries, account: string, told: readonly Told[]): Promise<Derived | undefined> {
    const out = nothing()
    const kind = indexKind(account)
    if (kind !== undefined) {
      const before = await this.#index(on, kind)
      for (const one of told) foldIndex(kind, before, one, out)
    } else if (account !== ADDRESSES.config) {
      const moment = await this.#moment(on, told)
      if (moment === 'unknown') return undefined
      const before = await this.#market(on, account, told)
      for (const one of told) foldMarket(before, one, out, moment)
    }
    return out
  }

  async #save(on: Queries, out: Derived): Promise<void> {
    await insert(on, 'markets', out.markets)
    await insert(on, 'market_states', out.marketStates)
    await insert(on, 'account_states', out.accountStates)
    await insert(on, 'position_states', out.positionStates)
    await insert(on, 'order_states', out.orderStates)
    await insert(on, 'trades', out.trades)
    await insert(on, 'coupons', out.coupons)
    await insert(on, 'st_states', out.stStates)
    await addCandles(on, out.marketStates)
    await point(on, CURRENT.accounts, out.accountStates)
    await point(on, CURRENT.positions, out.positionStates)
    await point(on, CURRENT.orders, out.orderStates)
  }

  async #index(on: Queries, kind: CouponKind) {
    const before = INDEX_START()
    const last = 'WHERE kind = $1 ORDER BY sequence DESC, record DESC LIMIT 1'
    const [coupon] = await on.query<{ discount: bigint }>(`SELECT discount FROM coupons ${last}`, [kind])
    const [st] = await on.query<{ vault: bigint }>(`SELECT vault FROM st_states ${last}`, [kind])
    return { discount: coupon?.discount ?? before.discount, vault: st?.vault ?? before.vault }
  }

  /** What the index had said last when the market was created, if that is among the events. */
  async #moment(on: Queries, told: readonly Told[]): Promise<Moment | 'unknown' | undefined> {
    const first = told.find(({ records }) => records.some(({ type }) => type === 'created'))
    const created = first?.records.find(of => of.type === 'created')
    if (first === undefined || created === undefined) return undefined
    const [row] = await on.query<{ body: { readonly to: number; readonly discount: string } }>(
      `SELECT r.body FROM subjects s JOIN records r USING (slot, signature, instruction, call)
      WHERE s.account = $1 AND r.type = 'accrued' AND (s.slot < $2 OR s.slot = $2 AND (s.signature <> $3 OR s.instruction < (
        SELECT MIN(c.instruction) FROM records c WHERE c.slot = $2 AND c.signature = $3 AND c.type = 'created')))
      ORDER BY s.sequence DESC LIMIT 1`,
      [indexAddress(kindOf(created)), first.slot, first.signature],
    )
    return row === undefined ? 'unknown' : { paidTo: row.body.to, discount: BigInt(row.body.discount) }
  }

  /** The last rows of a market, and of the accounts, positions and orders that events name. */
  async #market(on: Queries, market: string, told: readonly Told[]): Promise<MarketBefore> {
    const [state] = await on.query<MarketState>(
      'SELECT * FROM market_states WHERE market = $1 ORDER BY sequence DESC LIMIT 1',
      [market],
    )
    const accounts = new Map<string, { readonly owner: string; readonly sub: number }>()
    const positions = new Map<string, Pick<PositionState, 'owner' | 'lower' | 'upper'>>()
    const orders = new Map<string, Omit<OrderRef, 'market'>>()
    for (const of of told.flatMap(({ records }) => records)) {
      if (!('market' in of) || of.market !== market) continue
      if (of.type === 'account' || of.type === 'order') accounts.set(accountKey(of), { owner: of.owner, sub: of.sub })
      if (of.type === 'order') orders.set(orderKey(of), { owner: of.owner, sub: of.sub, id: of.id })
      if (of.type === 'position') {
        positions.set(positionKey(of), { owner: of.owner, lower: of.lower, upper: of.upper })
      }
    }
    const accountRows = await lastOf<AccountState>(
      on,
      market,
      [...accounts.values()],
      `SELECT s.* FROM jsonb_to_recordset($2::jsonb) AS k(owner TEXT, sub INT) CROSS JOIN LATERAL (
        SELECT * FROM account_states a WHERE a.market = $1 AND a.owner = k.owner AND a.sub = k.sub
        ORDER BY a.sequence DESC, a.record DESC LIMIT 1) s`,
    )
    const positionRows = await lastOf<PositionState>(
      on,
      market,
      [...positions.values()],
      `SELECT s.* FROM jsonb_to_recordset($2::jsonb) AS k(owner TEXT, lower INT, upper INT) CROSS JOIN LATERAL (
        SELECT * FROM position_states p WHERE p.market = $1 AND p.owner = k.owner AND p.lower = k.lower AND p.upper = k.upper
        ORDER BY p.sequence DESC, p.record DESC LIMIT 1) s`,
    )
    const orderRows = await lastOf<OrderState>(
      on,
      market,
      [...orders.values()],
      `SELECT s.* FROM jsonb_to_recordset($2::jsonb) AS k(owner TEXT, sub INT, id INT) CROSS JOIN LATERAL (
        SELECT * FROM order_states o WHERE o.market = $1 AND o.owner = k.owner AND o.sub = k.sub AND o.id = k.id
        ORDER BY o.sequence DESC, o.record DESC LIMIT 1) s`,
    )
    return {
      state,
      accounts: new Map(accountRows.map(row => [accountKey(row), row])),
      positions: new Map(positionRows.map(row => [positionKey(row), row])),
      orders: new Map(orderRows.map(row => [orderKey(row), row])),
    }
  }
}
