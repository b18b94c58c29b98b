/**
 * All markets in memory, read anew every slot. One question to the node has the clock, the config, both indices, Jupiter's pool, the JLP
 * mint and every market at one slot; only a market whose bytes have changed is read again with its ticks. So a quote waits for nobody.
 */
import { EventEmitter } from 'node:events'
import { type Connection, SYSVAR_CLOCK_PUBKEY } from '@solana/web3.js'
import { type CouponKind, KernelError } from '../../amm/index.ts'
import { mintOf } from '../../src/chain/tokens.ts'
import {
  type AccountBytes,
  ADDRESSES,
  addressOf,
  arrayStarts,
  COUPON_KINDS,
  type ConfigData,
  decodeOwned,
  listAccounts,
  type MarketData,
  type MarketReading,
  marketOf,
  needsAccrue,
  PROGRAM_ID,
  ProgramError,
  type RateIndexData,
  type SunderClient,
  type TickArrayData,
  toEngineIndex,
} from '../../src/client/index.ts'
import { apply, type MarketView, marketView } from '../../src/exchange/index.ts'
import { decodePool } from '../../src/jupiter/decode.ts'
import type { PoolFacts } from '../../src/jupiter/facts.ts'
import { type Mirror, mirrorOf } from '../../src/mirror/index.ts'
import { OracleError, readHourly, readWeekly } from '../../src/oracle/index.ts'
import { fail } from './errors.ts'

/** What all markets share, at one slot. */
export interface Shared {
  readonly slot: number
  /** Unix seconds by the chain's clock. */
  readonly now: number
  readonly config: ConfigData
  /** JLP atoms in existence. */
  readonly jlpSupply: bigint
  readonly jupiter: PoolFacts
  readonly indices: Readonly<Partial<Record<CouponKind, RateIndexData>>>
  /** As they were read, by address. */
  readonly bytes: ReadonlyMap<string, AccountBytes>
}

const CLOCK = SYSVAR_CLOCK_PUBKEY.toBase58()
const INDICES = Object.fromEntries(COUPON_KINDS.map(kind => [kind, addressOf('RateIndex', { kind })])) as Record<
  CouponKind,
  string
>
const SHARED = [CLOCK, ADDRESSES.config, ADDRESSES.jlpMint, ADDRESSES.jupiterPool, ...Object.values(INDICES)]
/** Where the clock has its time. */
const UNIX_TIMESTAMP = 32
/** Accounts that a node gives at one slot. */
const MOST_ACCOUNTS = 100
/** Markets that a node gives with what they share. */
const MOST_MARKETS = MOST_ACCOUNTS - SHARED.length

const sharedOf = (found: ReadonlyMap<string, AccountBytes>): Shared => {
  const need = (address: string, what: string): AccountBytes =>
    found.get(address) ??
    fail(
      503,
      'not-set-up',
      `${what} is not on this chain`,
      'Is this the right cluster, and is the program set up there?',
    )
  const clock = need(CLOCK, 'The clock').data
  const view = new DataView(clock.buffer, clock.byteOffset, clock.byteLength)
  const mint = need(ADDRESSES.jlpMint, 'JLP')
  return {
    slot: Number(view.getBigUint64(0, true)),
    now: Number(view.getBigInt64(UNIX_TIMESTAMP, true)),
    config: decodeOwned('Config', need(ADDRESSES.config, 'The config'), PROGRAM_ID),
    jlpSupply: mintOf({ owner: mint.owner, data: Buffer.from(mint.data) })?.supply ?? 0n,
    jupiter: decodePool({ ...need(ADDRESSES.jupiterPool, "Jupiter's pool"), address: ADDRESSES.jupiterPool }),
    indices: Object.fromEntries(
      COUPON_KINDS.flatMap(kind => {
        const account = found.get(INDICES[kind])
        return account === undefined ? [] : [[kind, decodeOwned('RateIndex', account, PROGRAM_ID)]]
      }),
    ),
    bytes: found,
  }
}

/** A market as quotes are made from it. */
export interface Ready {
  readonly reading: MarketReading
  readonly mirror: Mirror
}

/** A market at a slot. What follows from it is found once, when it is asked for. */
export class LiveMarket {
  readonly name: string
  readonly address: string
  readonly kind: CouponKind
  readonly maturity: number
  /** As it stands: a coupon that is due is not paid yet. */
  readonly reading: MarketReading
  readonly shared: Shared
  /** As they were read: the market and its tick arrays with initialised ticks. */
  readonly bytes: ReadonlyMap<string, AccountBytes>
  readonly #arrays: readonly TickArrayData[]
  readonly #found = new Map<unknown, unknown>()

  constructor(reading: MarketReading, shared: Shared, bytes: LiveMarket['bytes'], arrays: readonly TickArrayData[]) {
    this.name = reading.id
    this.address = reading.address
    this.kind = reading.data.kind
    this.maturity = reading.data.maturity
    this.reading = reading
    this.shared = shared
    this.bytes = bytes
    this.#arrays = arrays
  }

  /** What `make` makes of this market, made once. */
  once<T>(make: (market: LiveMarket) => T): T {
    if (!this.#found.has(make)) this.#found.set(make, make(this))
    return this.#found.get(make) as T
  }

  /** As the next transaction finds it: with the coupon that is due, which is put in front of every instruction, if it can be paid. */
  get ready(): Ready {
    return this.once(readyOf)
  }

  get view(): MarketView {
    return this.once(viewOf)
  }

  /** The market of the same bytes at another slot. */
  at(shared: Shared): LiveMarket {
    const index = shared.indices[this.kind]
    if (index === undefined) return this
    const isSame = shared.bytes.get(INDICES[this.kind]) === this.shared.bytes.get(INDICES[this.kind])
    const state = isSame
      ? this.reading
      : marketOf({ address: this.address, market: this.reading.data, index, arrays: this.#arrays })
    return new LiveMarket({ ...state, ...momentOf(state, index, shared) }, shared, this.bytes, this.#arrays)
  }

  /** The market as it will be once its index stands so. */
  withIndex(indexData: RateIndexData): MarketReading {
    const { reading } = this
    const state = marketOf({ address: this.address, market: reading.data, index: indexData, arrays: this.#arrays })
    return { ...reading, ...state, needsAccrue: false }
  }
}

const momentOf = (
  { pool }: Pick<MarketReading, 'pool'>,
  index: RateIndexData,
  { jupiter, slot, now }: Shared,
): Pick<MarketReading, 'jupiter' | 'slot' | 'now' | 'needsAccrue'> => {
  const source = { lastUpdated: jupiter.poolApr.lastUpdated, aumUsdUpdatedAt: jupiter.aumUsdUpdatedAt }
  // No coupon matters any more once the last one is paid.
  return { jupiter, slot, now, needsAccrue: pool.tauSeconds > 0 && needsAccrue(index, source, now) }
}

/** The market of a mirror that has copied its index, which every instruction would do first. */
const caughtUp = (mirror: Mirror): Mirror => {
  const { id, state, world } = mirror
  const done = apply(state, { kind: 'catch-up', market: id }, world)
  const market = done.kind === 'applied' ? done.changes.markets.get(id) : undefined
  return market === undefined ? mirror : { ...mirror, state: { ...state, markets: new Map([[id, market]]) } }
}

const readyOf = (live: LiveMarket): Ready => {
  const { reading, shared } = live
  const mirror = mirrorOf(reading, { config: shared.config, jlpSupply: shared.jlpSupply })
  const asItIs = { reading, mirror: caughtUp(mirror) }
  if (!reading.needsAccrue) return asItIs
  const { indexData, kind, jupiter, now } = reading
  const { index, cursor } = toEngineIndex(indexData)
  try {
    const earned = (kind === 'hourly' ? readHourly : readWeekly)(index, cursor, jupiter, now)
    const paid = apply(mirror.state, { kind: 'accrue', coupon: kind, earned }, mirror.world)
    const next = paid.kind === 'applied' ? paid.changes.indices[kind] : undefined
    if (next === undefined) return asItIs
    const checkpoints = next.checkpoints.map(({ maturity, discount }) => ({ maturity, discount: discount ?? 0n }))
    const { discount, lastStep } = next
    return {
      reading: live.withIndex({ ...indexData, discount, lastStep, checkpoints }),
      mirror: caughtUp({ ...mirror, state: { ...mirror.state, indices: { hourly: next, weekly: next } } }),
    }
  } catch (error) {
    if (error instanceof OracleError) return asItIs // it cannot be paid: what is open without it stays open
    throw error
  }
}

const viewOf = ({ ready: { mirror } }: LiveMarket): MarketView => marketView(mirror.state, mirror.id, mirror.world)

export interface FeedOptions {
  /** Milliseconds between two readings, and between two looks for new markets. */
  readonly interval?: number
  readonly discoverEvery?: number
  /** Milliseconds without a new slot after which nothing is quoted any more. */
  readonly staleAfter?: number
  readonly onError?: (error: unknown) => void
}

/** The longest wait after readings that failed, milliseconds. */
const LONGEST_WAIT = 5000
/** Every so many readings, markets that have matured are read too. */
const MATURED_EVERY = 10
/** Tries to read a market whose ticks change meanwhile. */
const TRIES = 4

const monotonic = (): number => performance.now()

/** `slot`: there is a newer one. `market`: one is not as it was, or is new; every `market` of a slot comes before its `slot`. */
export class Feed extends EventEmitter<{ slot: [Shared]; market: [LiveMarket] }> {
  readonly #client: SunderClient
  readonly #connection: Pick<Connection, 'getProgramAccounts'>
  readonly #options: Required<FeedOptions>
  /** By address, and the same by name. */
  readonly #markets = new Map<string, LiveMarket>()
  readonly #names = new Map<string, string>()
  #arrays = new Map<string, { readonly account: AccountBytes; readonly data: TickArrayData }>()
  #shared: Shared | undefined
  #newSlotAt = Number.NEGATIVE_INFINITY
  #discoveredAt = Number.NEGATIVE_INFINITY
  #readings = 0
  #failures = 0
  #running: Promise<void> | undefined
  /** The reading under way or the last one, and the one that was asked for after it. */
  #current: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #stopped = new AbortController()

  constructor(client: SunderClient, connection: Pick<Connection, 'getProgramAccounts'>, options: FeedOptions = {}) {
    super()
    this.setMaxListeners(0)
    this.#client = client
    this.#connection = connection
    const { interval = 400, discoverEvery = 10_000, staleAfter = 5000, onError = () => {} } = options
    this.#options = { interval, discoverEvery, staleAfter, onError }
  }

  // ---- what it knows --------------------------------------------------------------------------------------------------------

  /** All markets, by maturity. */
  get markets(): readonly LiveMarket[] {
    return [...this.#markets.values()].sort((a, b) => a.maturity - b.maturity || (a.kind < b.kind ? -1 : 1))
  }

  /** By its name or its address. */
  market(id: string): LiveMarket | undefined {
    return this.#markets.get(this.#names.get(id) ?? id)
  }

  get shared(): Shared {
    const hint = 'The server has only begun, or cannot reach the chain: /readyz says more.'
    return this.#shared ?? fail(503, 'stale', 'The chain has not been read yet', hint)
  }

  get failures(): number {
    return this.#failures
  }

  /** Milliseconds since a new slot was read. */
  get age(): number {
    return monotonic() - this.#newSlotAt
  }

  get isStale(): boolean {
    return !(this.age <= this.#options.staleAfter)
  }

  /** As every answer says it. */
  freshness({ slot, now }: Pick<Shared, 'slot' | 'now'> = this.shared) {
    return { slot, time: now, age: Math.round(this.age), stale: this.isStale }
  }

  // ---- reading --------------------------------------------------------------------------------------------------------------

  /** Reads until `stop`; resolves after the first reading, whether or not it went well. */
  async start(): Promise<void> {
    const first = this.renew()
    this.#running = first.then(async () => {
      while (!this.#stopped.signal.aborted) {
        const { interval } = this.#options
        const began = monotonic()
        const wait = this.#failures === 0 ? interval : Math.min(LONGEST_WAIT, interval * 2 ** this.#failures)
        await this.#sleep(wait)
        await this.renew()
        // A reading that took long has itself been the wait.
        if (monotonic() - began > 2 * wait) await this.#sleep(0)
      }
    })
    await first
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  #sleep(milliseconds: number): Promise<void> {
    const { signal } = this.#stopped
    return new Promise(done => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        done()
      }
      const timer = setTimeout(end, milliseconds)
      signal.addEventListener('abort', end)
    })
  }

  /** A reading that begins after now; all who ask before it does share it. Resolves whether or not it went well. */
  renew(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined
      this.#current = this.#once()
      return this.#current
    })
    return this.#next
  }

  async #once(): Promise<void> {
    try {
      await this.read()
      this.#failures = 0
    } catch (error) {
      this.#failures++
      this.#options.onError(error)
    }
  }

  /** Reads all markets once. */
  async read(): Promise<void> {
    const isTime = monotonic() - this.#discoveredAt >= this.#options.discoverEvery
    const added = isTime ? await this.#discover() : []
    const known = [...this.#markets.values()]
    // Those that have matured change seldom; all of the others come in one answer.
    const some = this.#readings++ % MATURED_EVERY === 0 ? known : known.filter(one => one.reading.pool.tauSeconds > 0)
    let shared: Shared | undefined
    const changed: LiveMarket[] = []
    for (let from = 0; from === 0 || from < some.length; from += MOST_MARKETS) {
      const part = some.slice(from, from + MOST_MARKETS)
      const found = await this.#read(part.map(({ address }) => address))
      shared = sharedOf(found)
      if (shared.slot < (this.#shared?.slot ?? 0)) return // from a node that is behind: the next answer may be newer
      for (const before of part) {
        const isSame = found.get(before.address) === before.bytes.get(before.address)
        const after = isSame ? before.at(shared) : await this.#take(before.address, before.reading.data)
        if (after === undefined) continue
        if (!isSame || after.reading.pool !== before.reading.pool) changed.push(after)
        this.#markets.set(before.address, after)
      }
    }
    for (const { address, data } of added) {
      const market = await this.#take(address, data)
      if (market !== undefined) changed.push(market)
    }
    for (const market of changed) this.emit('market', market)
    if (shared === undefined || shared.slot === this.#shared?.slot) return
    this.#shared = shared
    this.#newSlotAt = monotonic()
    this.emit('slot', shared)
  }

  /** Accounts at one slot with those that all share. What has the bytes of before is the very account of before. */
  async #read(addresses: readonly string[]): Promise<Map<string, AccountBytes>> {
    const all = [...SHARED, ...addresses]
    const accounts = await this.#client.read(all)
    return new Map(
      all.flatMap((address, i) => {
        const account = accounts[i]
        if (account === undefined) return []
        const before = this.#known(address)
        const isSame =
          before !== undefined && before.owner === account.owner && Buffer.compare(before.data, account.data) === 0
        return [[address, isSame ? before : account] as const]
      }),
    )
  }

  #known(address: string): AccountBytes | undefined {
    if (SHARED.includes(address)) return this.#shared?.bytes.get(address)
    return this.#markets.get(address)?.bytes.get(address) ?? this.#arrays.get(address)?.account
  }

  /** Takes in a market that is new or not as it was. One that cannot be read is told of and left out: the others go on. */
  async #take(address: string, data: MarketData): Promise<LiveMarket | undefined> {
    try {
      const market = await this.#readMarket(address, data)
      this.#markets.set(address, market)
      this.#names.set(market.name, address)
      return market
    } catch (error) {
      if (error instanceof ProgramError) throw error // of the node, not of this market
      this.#markets.delete(address)
      this.#options.onError(error)
      return undefined
    }
  }

  /** A market with its ticks, all at one slot. `before`: which tick arrays it had use of. */
  async #readMarket(address: string, before: MarketData): Promise<LiveMarket> {
    let data = before
    for (let tried = 0; tried < TRIES; tried++) {
      const wanted = usedArrays(address, data)
      const found = await this.#read([address, ...wanted])
      const account = found.get(address)
      if (account === undefined) break
      data = decodeOwned('Market', account, PROGRAM_ID)
      const used = usedArrays(address, data)
      if (!used.every(array => wanted.includes(array))) continue // another one has come into use
      const shared = sharedOf(found)
      const index = shared.indices[data.kind]
      if (index === undefined) break
      const arrays = used.flatMap(array => this.#arrayOf(array, found.get(array)))
      const state = marketOf({ address, market: data, index, arrays })
      const bytes = new Map([address, ...used].map(one => [one, found.get(one)!]))
      return new LiveMarket({ ...state, ...momentOf(state, index, shared) }, shared, bytes, arrays)
    }
    return fail(503, 'stale', 'A market could not be read whole', 'Try again in a moment.', { address })
  }

  /** Decoded once for the bytes that it has. */
  #arrayOf(address: string, account: AccountBytes | undefined): TickArrayData[] {
    if (account === undefined) return []
    const known = this.#arrays.get(address)
    if (known?.account === account) return [known.data]
    const data = decodeOwned('TickArray', account, PROGRAM_ID)
    this.#arrays.set(address, { account, data })
    return [data]
  }

  /** Markets that are not known yet. */
  async #discover(): Promise<{ address: string; data: MarketData }[]> {
    const listed = await listAccounts(this.#connection, 'Market')
    this.#discoveredAt = monotonic()
    return listed.filter(({ address }) => !this.#markets.has(address))
  }
}

/** Tick arrays with initialised ticks. */
const usedArrays = (market: string, data: MarketData): string[] =>
  arrayStarts(data)
    .filter((_, number) => data.initialised[number] !== 0n)
    .map(start => addressOf('TickArray', { market, start }))

/** A market of the feed that can be traded on: not without one, and not on what is too old. */
export const freshMarket = (feed: Feed, id: string): LiveMarket => {
  const market = marketIn(feed, id)
  if (!feed.isStale) return market
  const hint = 'Nothing is quoted on what may have changed; try again in a moment, /readyz says more.'
  const age = Number.isFinite(feed.age) ? Math.round(feed.age) : 0
  return fail(503, 'stale', 'The chain was last read too long ago', hint, { age, slot: market.shared.slot })
}

/** A market of the feed, however old. */
export const marketIn = (feed: Feed, id: string): LiveMarket => {
  const market = feed.market(id)
  if (market !== undefined) return market
  feed.shared // says that nothing was read yet, if so
  return fail(404, 'unknown-market', `There is no market ${id}`, 'GET /v1/markets lists them.', { market: id })
}

/** Readings of an owner while they do not fit the markets of the feed. */
const FITTINGS = 4

/** What an owner has may be newer than the market beside it, or older: the kernel says so, and both are read again. */
export const fitting = async <T>(feed: Feed, read: () => Promise<T>): Promise<T> => {
  for (let tried = 1; ; tried++) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof KernelError) || tried === FITTINGS) throw error
      await feed.renew()
    }
  }
}
