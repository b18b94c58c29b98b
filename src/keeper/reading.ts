/**
 * What a keeper reads of a chain. Nothing here looks into Jupiter's account: whether a coupon can be paid is asked of the program itself, by
 * a simulation, so that a changed layout stops coupons alone and never the liquidations.
 */
import { type Connection, SYSVAR_CLOCK_PUBKEY } from '@solana/web3.js'
import { marketName } from '../../amm/display.ts'
import type { CouponKind } from '../../amm/index.ts'
import {
  type AccountData,
  type AccountName,
  ADDRESSES,
  addressOf,
  arrayStarts,
  COUPON_KINDS,
  decodeOwned,
  listAccounts,
  type MarginAccountData,
  type MarketData,
  type MarketReading,
  marketOf,
  PROGRAM_ID,
  type RateIndexData,
  type RestingOrderData,
  type SunderClient,
  walletAddress,
} from '../client/index.ts'
import { viewOf } from '../client/values.ts'
import { type Mirror, mirrorOf } from '../mirror/index.ts'

/** A market with all that was listed of it; what is read again later replaces what was listed. */
export interface Book {
  readonly address: string
  /** For people. */
  readonly name: string
  data: MarketData
  /** By address. */
  readonly accounts: Map<string, MarginAccountData>
  readonly orders: Map<string, RestingOrderData>
}

/** All markets, accounts and orders: three questions, which are heavy ones on a cluster. */
export const listBooks = async (connection: Connection): Promise<Map<string, Book>> => {
  const markets = await listAccounts(connection, 'Market')
  const books = new Map(
    markets.map(({ address, data }): [string, Book] => [
      address,
      { address, name: marketName(data.maturity, data.kind), data, accounts: new Map(), orders: new Map() },
    ]),
  )
  for (const { address, data } of await listAccounts(connection, 'MarginAccount')) {
    books.get(data.market)?.accounts.set(address, data)
  }
  for (const { address, data } of await listAccounts(connection, 'RestingOrder')) {
    books.get(data.market)?.orders.set(address, data)
  }
  return books
}

/** What all markets have in common, at one slot. */
export interface Ground {
  readonly config: AccountData['Config']
  readonly indices: Readonly<Record<CouponKind, RateIndexData | undefined>>
  /** Unix seconds by the chain's clock. */
  readonly now: number
  /** JLP atoms in existence. */
  readonly jlpSupply: bigint
  /** Whether the keeper has a token account for what it earns. */
  readonly hasWallet: boolean
  /** Kinds whose wrapped ST wallets show as it no longer is. */
  readonly unsynced: readonly CouponKind[]
}

/** In a mint's bytes. */
const SUPPLY = 36
/** Of the extension ScaledUiAmount: where the multiplier in force is (a double). */
const MULTIPLIER = 218
/** Of a clock. */
const UNIX_TIMESTAMP = 32

const nowIn = (clock: Uint8Array): number => Number(viewOf(clock).getBigInt64(UNIX_TIMESTAMP, true))

/** Whether wallets show another multiplier than 1/D, and anybody holds some. */
const isUnsynced = (mint: Uint8Array, { discount }: RateIndexData): boolean => {
  const view = viewOf(mint)
  const shown = view.getFloat64(MULTIPLIER, true)
  return view.getBigUint64(SUPPLY, true) > 0n && Math.abs((shown * Number(discount)) / 2 ** 64 - 1) > 1e-9
}

/** Undefined before the program is set up. */
export const readGround = async (client: SunderClient, keeper: string): Promise<Ground | undefined> => {
  const wallet = walletAddress({ owner: keeper, mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram })
  const [config, clock, jlp, own, ...rest] = await client.read([
    ADDRESSES.config,
    SYSVAR_CLOCK_PUBKEY.toBase58(),
    ADDRESSES.jlpMint,
    wallet,
    ...COUPON_KINDS.map(kind => addressOf('RateIndex', { kind })),
    ...COUPON_KINDS.map(kind => addressOf('StMint', { kind })),
  ])
  if (config === undefined || clock === undefined || jlp === undefined) return undefined
  const indices = COUPON_KINDS.map((_, i) => {
    const account = rest[i]
    return account === undefined ? undefined : decodeOwned('RateIndex', account, PROGRAM_ID)
  })
  const unsynced = COUPON_KINDS.filter((_, i) => {
    const [index, mint] = [indices[i], rest[COUPON_KINDS.length + i]]
    return index !== undefined && mint !== undefined && isUnsynced(mint.data, index)
  })
  return {
    config: decodeOwned('Config', config, PROGRAM_ID),
    indices: { hourly: indices[0], weekly: indices[1] },
    now: nowIn(clock.data),
    jlpSupply: viewOf(jlp.data).getBigUint64(SUPPLY, true),
    hasWallet: own !== undefined,
    unsynced,
  }
}

/** Whether a market has reached its end, though it may not have copied it yet. */
export const isMatured = ({ maturity, pool }: MarketData, index: RateIndexData): boolean =>
  pool.tauSeconds === 0 ||
  index.lastStep >= maturity ||
  index.checkpoints.some(checkpoint => checkpoint.maturity === maturity && checkpoint.discount > 0n)

/** Reads some of a book's accounts and orders again. */
export const refresh = async (
  client: SunderClient,
  book: Book,
  accounts: readonly string[],
  orders: readonly string[] = [],
): Promise<void> => put(book, accounts, orders, await client.read([...accounts, ...orders]))

type Found = Awaited<ReturnType<SunderClient['read']>>

const put = (book: Book, accounts: readonly string[], orders: readonly string[], found: Found): void => {
  const one = <N extends AccountName>(name: N, into: Map<string, AccountData[N]>, address: string, at: number) => {
    const account = found[at]
    if (account?.owner !== PROGRAM_ID) into.delete(address)
    else into.set(address, decodeOwned(name, account, PROGRAM_ID))
  }
  for (const [at, address] of accounts.entries()) one('MarginAccount', book.accounts, address, at)
  for (const [at, address] of orders.entries()) one('RestingOrder', book.orders, address, accounts.length + at)
}

/** A market at one slot, with the engine's view of it. */
export interface Scene extends Mirror {
  readonly reading: MarketReading
}

/**
 * A market at one slot, with these accounts and orders of it read at the same one; the others are as they were listed. To the engine no
 * coupon is published that is not paid: if one is, the program refuses what comes before it.
 */
export const readScene = async (
  client: SunderClient,
  book: Book,
  { config, jlpSupply }: Ground,
  { accounts = [], orders = [] }: { readonly accounts?: readonly string[]; readonly orders?: readonly string[] } = {},
): Promise<Scene> => {
  const { address, data } = book
  const starts = arrayStarts(data)
  const [market, index, clock, ...rest] = await client.read([
    address,
    data.index,
    SYSVAR_CLOCK_PUBKEY.toBase58(),
    ...starts.map(start => addressOf('TickArray', { market: address, start })),
    ...accounts,
    ...orders,
  ])
  put(book, accounts, orders, rest.slice(starts.length))
  book.data = decodeOwned('Market', market ?? { owner: '', data: new Uint8Array() }, PROGRAM_ID)
  const indexData = decodeOwned('RateIndex', index ?? { owner: '', data: new Uint8Array() }, PROGRAM_ID)
  const arrays = rest
    .slice(0, starts.length)
    .flatMap(array => (array === undefined ? [] : [decodeOwned('TickArray', array, PROGRAM_ID)]))
  const state = marketOf({ address, market: book.data, index: indexData, arrays })
  const jupiter = { poolApr: { lastUpdated: BigInt(indexData.lastStep) } } as MarketReading['jupiter']
  const slot = Number(viewOf(clock!.data).getBigUint64(0, true))
  const reading = { ...state, jupiter, slot, now: nowIn(clock!.data), needsAccrue: false }
  const held = {
    config,
    jlpSupply,
    accounts: [...book.accounts.values()],
    orders: [...book.orders.values()].flatMap(order => {
      const on = book.accounts.get(order.account)
      return on === undefined ? [] : [{ sub: on.sub, order }]
    }),
  }
  return { reading, ...mirrorOf(reading, held) }
}
