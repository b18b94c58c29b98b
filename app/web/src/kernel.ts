/**
 * The exchange in the page: account bytes as `GET /v1/markets/:market/state` gives them become the kernel's market and the engine's
 * state, so that a form is answered without asking anybody, to the digit that the server would give. A market stands here as the next
 * transaction finds it, with the coupon paid that is due, since every transaction brings it.
 */
import { useEffect, useRef, useState } from 'react'
import {
  apyFromRate,
  KernelError,
  ONE_Q64,
  type Order,
  type Quote,
  quote,
  type RateQ64,
  type Rejected,
  rateFromYtPrice,
} from '../../../amm/index.ts'
import type { MarketReading } from '../../../src/client/client.ts'
import {
  accountName,
  type ConfigData,
  decodeOwned,
  type MarginAccountData,
  type MarketData,
  type RateIndexData,
  type TickArrayData,
} from '../../../src/client/codecs.ts'
import { toEngineIndex } from '../../../src/client/engine.ts'
import { ADDRESSES, PROGRAM_ID } from '../../../src/client/instructions.ts'
import { FIRST_ERROR, programErrorOf } from '../../../src/client/program-errors.ts'
import { marketOf, needsAccrue, type TradeOrder, twapAt } from '../../../src/client/quotes.ts'
import { limitsOf } from '../../../src/client/requests.ts'
import {
  type AccountView,
  type Applied,
  accountId,
  accountView,
  apply,
  balanceId,
  commit,
  type Exchange,
  fork,
  type Instruction,
  type Ledger,
  type MarginAccount,
  type MarketView,
  marketView,
  orderId,
  type Refused,
  type RestingOrder,
  type World,
} from '../../../src/exchange/index.ts'
import { decodePool } from '../../../src/jupiter/decode.ts'
import { type Mirror, mirrorOf } from '../../../src/mirror/index.ts'
import { OracleError } from '../../../src/oracle/errors.ts'
import { readHourly, readWeekly } from '../../../src/oracle/source.ts'
import { wordsFor } from '../../../src/strategy/errors.ts'
import { type ApiError, get, toApiError } from './api.ts'
import { useTopic } from './live.ts'
import type { Account } from './types.ts'

// ---- reading ------------------------------------------------------------------------------------------------------------

/** As `GET /v1/markets/:market/state` answers. */
export interface StateAnswer {
  readonly market: string
  readonly address: string
  readonly accounts: readonly { readonly address: string; readonly owner: string; readonly data: string }[]
  readonly slot: number
  readonly time: number
  readonly age: number
  readonly stale: boolean
}

/** A market with all that quotes are made of, at one slot. */
export interface Snapshot {
  readonly name: string
  readonly address: string
  readonly slot: number
  /** Unix seconds by the chain's clock. */
  readonly now: number
  readonly stale: boolean
  /** As it is stored: a coupon that is due is not paid. */
  readonly stored: MarketReading
  /** As the next transaction finds it. */
  readonly reading: MarketReading
  readonly state: Exchange
  readonly world: World
  readonly view: MarketView
  readonly config: ConfigData
  readonly jlpSupply: bigint
}

const CLOCK = 'SysvarC1ock11111111111111111111111111111111'
const UNIX_TIMESTAMP = 32
/** Where a mint has its supply. */
const SUPPLY = 36

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), char => char.charCodeAt(0))
const viewOf = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength)

export const snapshotOf = (answer: StateAnswer): Snapshot => {
  const found = new Map(answer.accounts.map(({ address, owner, data }) => [address, { owner, data: bytesOf(data) }]))
  const need = (address: string) => {
    const account = found.get(address)
    if (account === undefined) throw new Error(`The server left out the account ${address}`)
    return account
  }
  const clock = viewOf(need(CLOCK).data)
  const slot = Number(clock.getBigUint64(0, true))
  const now = Number(clock.getBigInt64(UNIX_TIMESTAMP, true))
  const config = decodeOwned('Config', need(ADDRESSES.config), PROGRAM_ID)
  const jlpSupply = viewOf(need(ADDRESSES.jlpMint).data).getBigUint64(SUPPLY, true)
  const jupiter = decodePool({ ...need(ADDRESSES.jupiterPool), address: ADDRESSES.jupiterPool })
  const market: MarketData = decodeOwned('Market', need(answer.address), PROGRAM_ID)
  const arrays: TickArrayData[] = []
  const indices: RateIndexData[] = []
  for (const account of found.values()) {
    if (account.owner !== PROGRAM_ID) continue
    const name = accountName(account.data)
    if (name === 'TickArray') arrays.push(decodeOwned('TickArray', account, PROGRAM_ID))
    if (name === 'RateIndex') indices.push(decodeOwned('RateIndex', account, PROGRAM_ID))
  }
  const index = indices.find(({ kind }) => kind === market.kind)
  if (index === undefined) throw new Error(`The server left out the ${market.kind} index`)
  const read = (indexData: RateIndexData, due?: false): MarketReading => {
    const state = marketOf({ address: answer.address, market, index: indexData, arrays })
    const source = { lastUpdated: jupiter.poolApr.lastUpdated, aumUsdUpdatedAt: jupiter.aumUsdUpdatedAt }
    const isDue = due ?? (state.pool.tauSeconds > 0 && needsAccrue(indexData, source, now))
    return { ...state, jupiter, slot, now, needsAccrue: isDue }
  }
  const stored = read(index)
  const ready = readyOf(stored, mirrorOf(stored, { config, jlpSupply }), indexData => read(indexData, false))
  const { state, world, id } = ready.mirror
  const { reading } = ready
  const view = marketView(state, id, world)
  const common = { address: answer.address, slot, now, stale: answer.stale, config, jlpSupply }
  return { ...common, name: id, stored, reading, state, world, view }
}

/** With the coupon paid that is due, if it can be paid: else what is open without it stays open. */
const readyOf = (
  stored: MarketReading,
  mirror: Mirror,
  read: (index: RateIndexData) => MarketReading,
): { readonly reading: MarketReading; readonly mirror: Mirror } => {
  const asItIs = { reading: stored, mirror }
  if (!stored.needsAccrue) return asItIs
  const { indexData, jupiter, now } = stored
  const { kind } = stored.data
  const { index, cursor } = toEngineIndex(indexData)
  try {
    const earned = (kind === 'hourly' ? readHourly : readWeekly)(index, cursor, jupiter, now)
    const paid = apply(mirror.state, { kind: 'accrue', coupon: kind, earned }, mirror.world)
    const next = paid.kind === 'applied' ? paid.changes.indices[kind] : undefined
    if (next === undefined) return asItIs
    const checkpoints = next.checkpoints.map(({ maturity, discount }) => ({ maturity, discount: discount ?? 0n }))
    return {
      reading: read({ ...indexData, discount: next.discount, lastStep: next.lastStep, checkpoints }),
      mirror: { ...mirror, state: { ...mirror.state, indices: { hourly: next, weekly: next } } },
    }
  } catch (error) {
    if (error instanceof OracleError) return asItIs
    throw error
  }
}

export interface SnapshotRead {
  /** The last one, until there is a newer. */
  readonly snapshot: Snapshot | undefined
  readonly error: ApiError | undefined
}

/** At most one reading in so many milliseconds, however often the market changes. */
const EVERY = 400

/** A market's snapshot, read again whenever the stream says that the market has changed. */
export const useSnapshot = (market: string | undefined): SnapshotRead => {
  const [read, setRead] = useState<SnapshotRead>({ snapshot: undefined, error: undefined })
  const changed = useTopic<{ readonly slot?: number }>(market === undefined ? undefined : `market:${market}`)
  const refresh = useRef<() => void>(undefined)

  useEffect(() => {
    setRead({ snapshot: undefined, error: undefined })
    if (market === undefined) return
    let isOver = false
    let isBusy = false
    let again = false
    const load = async (): Promise<void> => {
      if (isBusy) {
        again = true
        return
      }
      isBusy = true
      try {
        const answer = await get<StateAnswer>(`/v1/markets/${market}/state`)
        const snapshot = snapshotOf(answer)
        if (!isOver) setRead({ snapshot, error: undefined })
      } catch (error) {
        if (!isOver) setRead(before => ({ ...before, error: toApiError(error) }))
      }
      await new Promise(done => setTimeout(done, EVERY))
      isBusy = false
      if (again && !isOver) {
        again = false
        void load()
      }
    }
    refresh.current = () => void load()
    void load()
    return () => {
      isOver = true
      refresh.current = undefined
    }
  }, [market])

  // biome-ignore lint/correctness/useExhaustiveDependencies: every update of the topic is a reason
  useEffect(() => refresh.current?.(), [changed])
  return read
}

// ---- asking ------------------------------------------------------------------------------------------------------------

/** What of an owner's is in a market. */
export interface Held {
  readonly accounts?: readonly MarginAccount[]
  readonly orders?: readonly RestingOrder[]
}

/** 10^9 JLP or PT, atoms: whether a wallet has enough is asked apart. */
const PLENTY = 10n ** 15n
/** Who asks without a wallet. */
export const SOMEBODY = 'somebody'

/** The engine's state with what an owner holds, whose wallet is taken to have plenty. */
export const withHeld = ({ name, state }: Snapshot, owner: string, held: Held = {}): Ledger => {
  const { accounts = [], orders = [] } = held
  return fork({
    ...state,
    accounts: new Map(accounts.map(account => [accountId(account), account])),
    orders: new Map(orders.map(order => [orderId(order), order])),
    balances: new Map((['jlp', `pt/${name}`] as const).map(token => [balanceId(token, owner), PLENTY])),
  })
}

/** A margin account of the engine, from the API's; its coupons are paid up to this snapshot. */
export const heldAccount = ({ name, reading }: Snapshot, owner: string, of: Account, orders = 0): MarginAccount => ({
  market: name,
  owner,
  sub: of.sub,
  margin: BigInt(of.margin),
  st: BigInt(of.st),
  yt: BigInt(of.yt),
  netDeposits: BigInt(of.netDeposits),
  discount: reading.pool.discount,
  orders,
})

export interface Done {
  readonly kind: 'done'
  /** The state afterwards. */
  readonly ledger: Ledger
  readonly events: Applied['events']
}

/** Instructions one after the other, on a copy: what came of all, or why one was refused. */
export const run = (ledger: Exchange, world: World, instructions: readonly Instruction[]): Done | Refused => {
  const after = fork(ledger)
  const events: Applied['events'][number][] = []
  for (const instruction of instructions) {
    const result = apply(after, instruction, world)
    if (result.kind === 'refused') return result
    commit(after, result.changes)
    events.push(...result.events)
  }
  return { kind: 'done', ledger: after, events }
}

/** Any order of the kernel's on the pool as it stands, such as a sale of PT. */
export const quoteOrder = ({ reading }: Snapshot, order: Order): Quote | Rejected => quote(reading.pool, order)

/** The time-weighted rate now. */
export const twapNow = ({ reading }: Snapshot): RateQ64 => twapAt(reading, reading.now)

/** The APY that a price of YT (ST, Q64.64) implies; undefined where there is none. */
export const apyOfPrice = (price: bigint, tauSeconds: number): bigint | undefined => {
  try {
    return apyFromRate(rateFromYtPrice(price, tauSeconds))
  } catch (error) {
    if (error instanceof KernelError) return undefined
    throw error
  }
}

/**
 * The ST leg at which the leverage, ST leg per margin left after the fee, is so many hundredths: `l * (margin - fee * leg)`, as the API
 * finds it for a `leverage`.
 */
export const legFor = ({ reading }: Snapshot, margin: bigint, hundredths: number): bigint =>
  (margin * BigInt(hundredths) * 10_000n) / (1_000_000n + BigInt(hundredths) * BigInt(reading.terms.feeBps))

/** A trade on margin, or of PT. */
export interface TradeAsk {
  readonly action: 'long' | 'short' | 'reduce' | 'close' | 'buy-pt' | 'sell-pt'
  readonly unit: 'st' | 'token'
  readonly amount: bigint
  /** Deposited first, JLP atoms. */
  readonly margin: bigint
  readonly spot?: boolean
  /** Q64.64; by default the tolerance beyond the quote. */
  readonly limitRate?: bigint | undefined
  readonly toleranceBps?: number
  readonly sub?: number
  /** The account that it is for, if it is there. */
  readonly held?: MarginAccount | undefined
}

export interface TradePreview {
  readonly kind: 'preview'
  readonly quote: Quote
  /** Where the trade stops, and the least that it fills. */
  readonly limitRate: bigint
  readonly minimum: bigint
  readonly averageApy: bigint | undefined
  /** What JLP must yield on average until maturity for this trade to come out even, its fee included. */
  readonly breakEvenApy: bigint | undefined
  /** The account afterwards; undefined if none was asked about, or if it is refused. */
  readonly account: AccountView | undefined
  readonly refusal: Refused | undefined
}

/** A fill with its limits, and how it is asked of the engine; undefined where there is nothing to ask it. */
const tradeOf = (snapshot: Snapshot, ask: TradeAsk) => {
  const { reading, name } = snapshot
  const { action, unit, amount, margin, spot = false, held, sub = 0, limitRate: limit, toleranceBps = 50 } = ask
  const isPt = action === 'buy-pt' || action === 'sell-pt'
  const terms = { unit, amount, limitRate: limit }
  const order: TradeOrder | undefined = isPt
    ? { ...terms, action }
    : action === 'long' || action === 'short'
      ? { ...terms, action, spot }
      : held === undefined
        ? undefined
        : { ...terms, action, account: reductionOf(snapshot, held) }
  const nothing: Rejected = { kind: 'rejected', code: 'zero-amount', context: { wanted: 0n } }
  if (order === undefined) return nothing
  const given = { market: reading, owner: SOMEBODY, unit, amount, toleranceBps, seconds: 60 }
  const found = limitsOf(reading, order, limit === undefined ? given : { ...given, limitRate: limit })
  const { quote: filled, limitRate, minimum, deadline } = found
  if (filled.kind === 'rejected') return filled
  const traded = { kind: 'trade' as const, quote: filled, limitRate, minimum }
  if (isPt || (held === undefined && margin === 0n)) return { ...traded, asked: undefined }
  const owner = held?.owner ?? SOMEBODY
  const ref = { market: name, owner, sub: held?.sub ?? sub }
  const { discount } = reading.pool
  const before = held ?? { ...ref, margin: 0n, st: 0n, yt: 0n, discount, netDeposits: 0n, orders: 0 }
  const account = { ...before, margin: before.margin + margin, netDeposits: before.netDeposits + margin }
  const size = unit === 'st' ? { st: amount } : { yt: amount }
  const trade =
    action === 'close' ? { action } : action === 'reduce' ? { action, amount: size } : { action, amount: size, spot }
  const instruction: Instruction = { kind: 'trade', ...ref, limitRate, minimum, deadline, ...trade }
  return { ...traded, asked: { ref, account, instruction } }
}

/** What a trade would do, as `GET /v1/markets/:market/quote` answers. */
export const previewTrade = (snapshot: Snapshot, ask: TradeAsk): TradePreview | Rejected => {
  const traded = tradeOf(snapshot, ask)
  if (traded.kind === 'rejected') return traded
  const { reading, world } = snapshot
  const { action, held } = ask
  const { quote: filled, limitRate, minimum, asked } = traded
  const { pool } = reading
  const isPt = action === 'buy-pt' || action === 'sell-pt'
  const buysYt = action === 'long' || (!isPt && held !== undefined && held.yt < 0n && action !== 'short')
  const pays = buysYt || action === 'buy-pt'
  const apyAt = (price: bigint) => apyOfPrice(isPt ? ONE_Q64 - price : price, pool.tauSeconds)
  const paid = pays ? filled.amount + filled.fee.total : filled.amount - filled.fee.total
  const figures = {
    kind: 'preview' as const,
    ...{ quote: filled, limitRate, minimum },
    averageApy: apyAt(filled.averagePrice),
    breakEvenApy: apyAt((paid << 128n) / (filled.filled * pool.discount)),
  }
  if (asked === undefined) return { ...figures, account: undefined, refusal: undefined }
  const { ref, account, instruction } = asked
  const done = run(withHeld(snapshot, ref.owner, { accounts: [account] }), world, [instruction])
  if (done.kind === 'refused') return { ...figures, account: undefined, refusal: done }
  return { ...figures, account: accountView(done.ledger, ref, world), refusal: undefined }
}

/** What the client asks of an account that is reduced: its legs. */
const reductionOf = ({ address }: Snapshot, held: MarginAccount): MarginAccountData => {
  const { owner, sub, margin, st, yt, discount, netDeposits, orders } = held
  return { bump: 0, market: address, owner, sub, margin, st, yt, discount, netDeposits, orders } as MarginAccountData
}

/**
 * The most leverage at which the exchange takes a long or a short of this margin now, hundredths, rounded down: what the market allows
 * at its rate, less the price impact of the trade itself.
 */
export const mostLeverageNow = (
  snapshot: Snapshot,
  side: 'long' | 'short',
  margin: bigint,
  held?: MarginAccount,
): number => {
  const bound = Number((snapshot.view.mostLeverage[side] * 100n) >> 64n)
  const isTaken = (hundredths: number): boolean => {
    const amount = legFor(snapshot, margin, hundredths)
    const traded = tradeOf(snapshot, { action: side, unit: 'st', amount, margin, held })
    if (traded.kind === 'rejected' || !traded.quote.complete || traded.asked === undefined) return false
    const { ref, account, instruction } = traded.asked
    return apply(withHeld(snapshot, ref.owner, { accounts: [account] }), instruction, snapshot.world).kind === 'applied'
  }
  if (bound === 0 || isTaken(bound)) return bound
  // What is taken at a leverage is taken at a lower one: the impact, the ratio and the backing all grow with the size.
  let [good, bad] = [0, bound]
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (isTaken(middle)) good = middle
    else bad = middle
  }
  return good
}

// ---- words ---------------------------------------------------------------------------------------------------------------

const WAYS_OUT: ReadonlyMap<string, string> = (() => {
  const all = new Map<string, string>()
  for (let code = FIRST_ERROR; ; code++) {
    const error = programErrorOf(code)
    if (error === undefined) return all
    all.set(error.name, error.message)
  }
})()

/** Why the exchange refuses, and the way out; as the API words it. */
export const refusalWords = ({ code, context }: Pick<Refused, 'code' | 'context'>) => ({
  message: wordsFor({ code, context }),
  hint: WAYS_OUT.get(code) ?? 'Change the order.',
})
