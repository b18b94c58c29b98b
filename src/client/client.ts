/**
 * The program over a connection: reads a market in one call, puts in front of an instruction whatever it needs (token accounts, the
 * coupon that is due, the account it works on, tick arrays), simulates, sends, and says in words why something was refused.
 * Amounts are bigints in atoms. The time is the chain's own clock.
 */
import {
  type AccountInfo,
  type AddressLookupTableAccount,
  type CompiledInnerInstruction,
  type Connection,
  type MessageV0,
  PublicKey,
  type Signer,
  SYSVAR_CLOCK_PUBKEY,
  type TransactionInstruction,
  type VersionedTransaction,
} from '@solana/web3.js'
import type { CouponKind } from '../../amm/display.ts'
import { MAX_RATE, type Quote, type Rejected } from '../../amm/index.ts'
import { decodePool } from '../jupiter/decode.ts'
import type { PoolFacts } from '../jupiter/facts.ts'
import { type AddressName, arrayStarts, derive, type SeedsOf } from './addresses.ts'
import { decodeBase58 } from './base58.ts'
import { addressesOf, build, type Given, type MarketRef, marketAddress, walletsOf } from './builders.ts'
import { type AccountBytes, type AccountData, type AccountName, decodeOwned, type MarginAccountData } from './codecs.ts'
import { fail } from './errors.ts'
import { type ExecutedEvent, eventsOf, type InnerCall } from './events.ts'
import { ADDRESSES, INSTRUCTIONS, PROGRAM_ID } from './generated/interface.ts'
import type { Action, AmountUnit, InstructionArguments, InstructionName } from './instructions.ts'
import { errorOf, type ProgramError } from './program-errors.ts'
import {
  arraysForClose,
  arraysForPosition,
  arraysForRemoval,
  arraysForTrade,
  isUp,
  type MarketState,
  marketOf,
  needsAccrue,
  orderOf,
  quoteTrade,
  type TradeOrder,
} from './quotes.ts'
import { lookupTableOf, MOST_UNITS, transactionOf } from './transactions.ts'
import { createWallet, walletAddress } from './wallets.ts'

/** What of web3.js's connection is used. */
export type ClientConnection = Pick<
  Connection,
  | 'confirmTransaction'
  | 'getLatestBlockhash'
  | 'getMultipleAccountsInfo'
  | 'getTransaction'
  | 'sendRawTransaction'
  | 'simulateTransaction'
>

/** Who signs: a wallet, or keys (`walletOf`). */
export interface Wallet {
  readonly publicKey: PublicKey
  signTransaction(transaction: VersionedTransaction): Promise<VersionedTransaction>
}

/** The first key pays. */
export const walletOf = (...keys: readonly [Signer, ...Signer[]]): Wallet => ({
  publicKey: keys[0].publicKey,
  signTransaction: async transaction => {
    transaction.sign([...keys])
    return transaction
  },
})

export interface ClientOptions {
  /** Millionths of a lamport for each compute unit. */
  readonly price?: bigint
  /** Lookup tables for transactions that do not fit otherwise. */
  readonly tables?: readonly AddressLookupTableAccount[]
}

/** A market with the moment it was read at. */
export interface MarketReading extends MarketState {
  readonly jupiter: PoolFacts
  /** Unix seconds by the chain's clock. */
  readonly now: number
  /** Whether a coupon has to be paid first: then quotes are at the discount before it. */
  readonly needsAccrue: boolean
}

export interface Simulation {
  readonly error: ProgramError | undefined
  readonly units: number
  readonly events: readonly ExecutedEvent[]
  readonly logs: readonly string[]
}

export interface Sent {
  readonly signature: string
  readonly units: number
  readonly events: readonly ExecutedEvent[]
}

/** What may be left out of a trade is found from its quote. */
export interface TradeRequest {
  readonly market: MarketRef
  readonly owner: string
  readonly unit: AmountUnit
  /** For a close whatever it is, it is all. */
  readonly amount: bigint
  /** How far the rate may have moved beyond the quote's, and the fill fall below it; bp, 50 by default. */
  readonly toleranceBps?: number
  /** Seconds that the order is good for, 60 by default. */
  readonly seconds?: number
  readonly limitRate?: bigint
  readonly minimum?: bigint
}
export type MarginTradeRequest = TradeRequest & {
  readonly sub: number
  readonly action: Action
  readonly spot?: boolean
}
export type PtTradeRequest = TradeRequest & { readonly action: 'buy-pt' | 'sell-pt' }

/** As a builder takes it; tick arrays may be left out. */
export type Request<N extends InstructionName> = Omit<Given<N>, 'tickArrays'> & {
  readonly tickArrays?: readonly number[]
}

/** Whatever of it there is. */
interface Bag {
  readonly market?: MarketRef
  readonly owner?: string
  readonly payer?: string
  readonly by?: string
  readonly sub?: number
  readonly lower?: number
  readonly upper?: number
  readonly to?: Given<'roll'>['to']
  readonly tickArrays?: readonly number[]
}

export interface PreparedTrade {
  readonly quote: Quote | Rejected
  readonly instructions: readonly TransactionInstruction[]
  readonly market: MarketReading
}

/** Rates of the grid that every template has; a market that says otherwise is read once more. */
const GRID = { spacing: 10, minTick: 50, maxTick: 13_860 }
/** Of a node's answer. */
const MOST_ACCOUNTS = 100
const UNIX_TIMESTAMP = 32
const BPS = 10_000n

const clockOf = (data: Uint8Array): number =>
  Number(new DataView(data.buffer, data.byteOffset, data.byteLength).getBigInt64(UNIX_TIMESTAMP, true))

const at = <N extends AddressName>(name: N, seeds: SeedsOf<N>): string => derive(PROGRAM_ID, name, seeds).address

export class SunderClient {
  readonly connection: ClientConnection
  readonly options: ClientOptions

  constructor(connection: ClientConnection, options: ClientOptions = {}) {
    this.connection = connection
    this.options = options
  }

  // ---- reading ------------------------------------------------------------------------------------------------------------

  /** Accounts at one slot, as far as there are up to 100; undefined where there is none. */
  async read(addresses: readonly string[]): Promise<(AccountBytes | undefined)[]> {
    const found: (AccountInfo<Buffer> | null)[] = []
    for (let from = 0; from < addresses.length; from += MOST_ACCOUNTS) {
      const keys = addresses.slice(from, from + MOST_ACCOUNTS).map(address => new PublicKey(address))
      found.push(...(await this.#asked(this.connection.getMultipleAccountsInfo(keys))))
    }
    return found.map(account =>
      account === null ? undefined : { owner: account.owner.toBase58(), data: account.data },
    )
  }

  /** Records of accounts of one kind; undefined where there is none. */
  async fetch<N extends AccountName>(name: N, addresses: readonly string[]): Promise<(AccountData[N] | undefined)[]> {
    const found = await this.read(addresses)
    return found.map(account => (account === undefined ? undefined : decodeOwned(name, account, PROGRAM_ID)))
  }

  async config(): Promise<AccountData['Config']> {
    return (await this.fetch('Config', [ADDRESSES.config]))[0] ?? fail('closed', 'There is no Config')
  }

  async index(kind: CouponKind): Promise<AccountData['RateIndex']> {
    return (
      (await this.fetch('RateIndex', [at('RateIndex', { kind })]))[0] ?? fail('closed', `There is no ${kind} index`)
    )
  }

  /** An owner's margin account, if it is open. */
  async account(market: MarketRef, owner: string, sub: number): Promise<MarginAccountData | undefined> {
    return (await this.fetch('MarginAccount', [at('MarginAccount', { market: marketAddress(market), owner, sub })]))[0]
  }

  /** A market with its index, ticks, Jupiter's pool and the clock, all of one slot. */
  async market(ref: MarketRef, grid = GRID): Promise<MarketReading> {
    const address = marketAddress(ref)
    const arrays = arrayStarts({ terms: { grid } as AccountData['Market']['terms'] })
    const [account, index, pool, clock, ...ticks] = await this.read([
      address,
      at('RateIndex', { kind: ref.kind }),
      ADDRESSES.jupiterPool,
      SYSVAR_CLOCK_PUBKEY.toBase58(),
      ...arrays.map(start => at('TickArray', { market: address, start })),
    ])
    if (account === undefined) return fail('closed', `There is no market at ${address}`, { address })
    if (index === undefined) return fail('closed', `There is no ${ref.kind} index`)
    if (pool === undefined) return fail('missing-account', "Jupiter's pool is not on this cluster")
    if (clock === undefined) return fail('missing-account', 'The node has no clock')
    const market = decodeOwned('Market', account, PROGRAM_ID)
    const { spacing, minTick, maxTick } = market.terms.grid
    if (spacing !== grid.spacing || minTick !== grid.minTick || maxTick !== grid.maxTick) {
      return this.market(ref, market.terms.grid)
    }
    const indexData = decodeOwned('RateIndex', index, PROGRAM_ID)
    const state = marketOf({
      address,
      market,
      index: indexData,
      arrays: ticks.flatMap(array => (array === undefined ? [] : [decodeOwned('TickArray', array, PROGRAM_ID)])),
    })
    const jupiter = decodePool({ ...pool, address: ADDRESSES.jupiterPool })
    const now = clockOf(clock.data)
    const source = { lastUpdated: jupiter.poolApr.lastUpdated, aumUsdUpdatedAt: jupiter.aumUsdUpdatedAt }
    return { ...state, jupiter, now, needsAccrue: needsAccrue(indexData, source, now) }
  }

  /** A lookup table, for `options.tables`. */
  async lookupTable(address: string): Promise<AddressLookupTableAccount | undefined> {
    return lookupTableOf(address, (await this.read([address]))[0]?.data)
  }

  // ---- preparing ----------------------------------------------------------------------------------------------------------

  /**
   * An instruction with what it needs in front of it: token accounts of wallets that are not there yet, the coupon that is due, and the
   * account that a deposit or split goes to or the position that liquidity does. Tick arrays are found unless they are given;
   * `read` saves reading the market again.
   */
  async prepare<N extends InstructionName>(
    name: N,
    request: Request<N>,
    read?: MarketReading,
  ): Promise<TransactionInstruction[]> {
    const { accounts, rest } = INSTRUCTIONS[name]
    const bag = request as Bag
    const looks = rest === 'tick arrays' || accounts.some(slot => slot.name === 'jupiterPool')
    const market = looks && bag.market !== undefined ? (read ?? (await this.market(bag.market))) : undefined
    const given = (rest === 'tick arrays' && market !== undefined && bag.tickArrays === undefined
      ? { ...bag, ...(await this.#arrays(name, bag, market)) }
      : bag) as unknown as Given<N>
    const wallets = walletsOf(name, given)
    const places = addressesOf(name, given) as Readonly<Record<string, string | undefined>>
    const opened = (OPENED[name] ?? []).filter(slot => places[slot] !== undefined)
    const there = await this.read([...wallets.map(walletAddress), ...opened.map(slot => places[slot]!)])
    const payer = bag.owner ?? bag.payer ?? bag.by
    return [
      ...wallets.flatMap((wallet, i) =>
        there[i] === undefined && wallet.owner === payer ? [createWallet(payer, wallet)] : [],
      ),
      ...(market?.needsAccrue === true && name !== 'accrue' ? [build.accrue({ coupon: market.kind })] : []),
      ...opened.flatMap((slot, i) => (there[wallets.length + i] === undefined ? openerOf(slot, bag) : [])),
      build[name](given),
    ]
  }

  /** The first ticks of the tick arrays that an instruction needs. */
  async #arrays(name: InstructionName, bag: Bag, market: MarketReading): Promise<Pick<Bag, 'tickArrays' | 'to'>> {
    const account = async (): Promise<MarginAccountData> =>
      (await this.account(bag.market!, bag.owner!, bag.sub!)) ?? fail('closed', 'There is no such margin account')
    const { now } = market
    switch (name) {
      case 'trade': {
        const { action, unit, amount, spot, limitRate } = bag as unknown as InstructionArguments['trade']
        const terms = { unit, amount, limitRate }
        const order: TradeOrder =
          action === 'long' || action === 'short'
            ? { ...terms, action, spot }
            : { ...terms, action, account: await account() }
        return { tickArrays: arraysForTrade(market, order, now) }
      }
      case 'buyPt':
      case 'sellPt': {
        const { unit, amount, limitRate } = bag as unknown as InstructionArguments['buyPt']
        const action = name === 'buyPt' ? 'buy-pt' : 'sell-pt'
        return { tickArrays: arraysForTrade(market, { action, unit, amount, limitRate }, now) }
      }
      case 'roll': {
        const { unit, amount, limitRate } = bag as unknown as InstructionArguments['roll']
        const held = await account()
        const to = bag.to!
        const later = await this.market(to.market)
        const close = arraysForTrade(market, { action: 'close', unit: 'token', amount: 0n, account: held }, now)
        const order = { action: held.yt > 0n ? 'long' : 'short', unit, amount, limitRate } as const
        return { tickArrays: close, to: { ...to, tickArrays: arraysForTrade(later, order, now) } }
      }
      case 'removeLiquidity': {
        const { num, den, zap } = bag as unknown as InstructionArguments['removeLiquidity']
        const { market: ref, owner, lower, upper } = bag as Required<Bag>
        const place = at('LpPosition', { market: marketAddress(ref), owner, lower, upper })
        const [position] = await this.fetch('LpPosition', [place])
        if (position === undefined) return fail('closed', 'There is no such position', { lower, upper })
        return { tickArrays: arraysForRemoval(market, position, { share: { num, den }, zap }) }
      }
      case 'addLiquidity':
      case 'collect':
        return { tickArrays: arraysForPosition(market, bag as Required<Bag>) }
      default: {
        // Liquidations and take-overs, which may end in a close of the fund's, and the fund's own trades.
        const { yt } = market.fund
        const held = name === 'reduceFund' ? undefined : (await account()).yt
        const sizes = held === undefined ? [yt] : [held, held + yt]
        const arrays = sizes.flatMap(size => (size === 0n ? [] : arraysForClose(market, size, now)))
        return { tickArrays: [...new Set(arrays)] }
      }
    }
  }

  /** Long, short, reduce or close: the quote, and the instructions with limits and whatever must come before. */
  async prepareTrade(request: MarginTradeRequest): Promise<PreparedTrade> {
    const { market: ref, owner, sub, action, unit, amount, spot = false } = request
    const market = await this.market(ref)
    const held = action === 'reduce' || action === 'close' ? await this.account(ref, owner, sub) : undefined
    const terms = { unit, amount, limitRate: request.limitRate }
    const order: TradeOrder =
      action === 'long' || action === 'short'
        ? { ...terms, action, spot }
        : { ...terms, action, account: held ?? fail('closed', 'There is no such margin account', { owner, sub }) }
    const { quote, ...limits } = limitsOf(market, order, request)
    const tickArrays = arraysForTrade(market, order, market.now)
    const given = { market: ref, owner, sub, action, unit, amount, spot, tickArrays, ...limits }
    return { quote, market, instructions: await this.prepare('trade', given, market) }
  }

  /** PT for JLP of the wallet, or back. */
  async preparePtTrade(request: PtTradeRequest): Promise<PreparedTrade> {
    const { market: ref, owner, action, unit, amount } = request
    const market = await this.market(ref)
    const order: TradeOrder = { action, unit, amount, limitRate: request.limitRate }
    const { quote, ...limits } = limitsOf(market, order, request)
    const tickArrays = arraysForTrade(market, order, market.now)
    const given = { market: ref, owner, unit, amount, tickArrays, ...limits }
    const name = action === 'buy-pt' ? 'buyPt' : 'sellPt'
    return { quote, market, instructions: await this.prepare(name, given, market) }
  }

  // ---- sending ------------------------------------------------------------------------------------------------------------

  /** Runs instructions without sending them; nothing is signed. */
  async simulate(instructions: readonly TransactionInstruction[], payer: string): Promise<Simulation> {
    const { blockhash } = await this.#asked(this.connection.getLatestBlockhash())
    return this.#simulated(transactionOf(instructions, { ...this.options, payer, blockhash }))
  }

  async #simulated(transaction: VersionedTransaction): Promise<Simulation> {
    const config = { sigVerify: false, replaceRecentBlockhash: true, innerInstructions: true }
    const { value } = await this.#asked(this.connection.simulateTransaction(transaction, config))
    const logs = value.logs ?? []
    const calls = (value.innerInstructions ?? []).flatMap(({ instructions }) =>
      instructions.flatMap(call =>
        'data' in call ? [{ programId: String(call.programId), data: decodeBase58(call.data) }] : [],
      ),
    )
    const error = value.err === null ? undefined : errorOf(value.err, logs)
    return { error, logs, units: value.unitsConsumed ?? 0, events: eventsOf(calls) }
  }

  /**
   * Simulates, sets the limit of compute units to what that took and 10 %, signs, sends and waits until it is confirmed. A refusal is
   * thrown as a `ProgramError` before anything is signed.
   */
  async send(instructions: readonly TransactionInstruction[], wallet: Wallet): Promise<Sent> {
    const payer = wallet.publicKey.toBase58()
    const { blockhash, lastValidBlockHeight } = await this.#asked(this.connection.getLatestBlockhash())
    const terms = { ...this.options, payer, blockhash }
    const tried = await this.#simulated(transactionOf(instructions, terms))
    if (tried.error !== undefined) throw tried.error
    const units = Math.min(MOST_UNITS, Math.ceil(tried.units * 1.1))
    const signed = await wallet.signTransaction(transactionOf(instructions, { ...terms, units }))
    const signature = await this.#asked(this.connection.sendRawTransaction(signed.serialize()))
    const done = await this.#asked(
      this.connection.confirmTransaction({ signature, blockhash, lastValidBlockHeight }, 'confirmed'),
    )
    const sent = await this.#asked(
      this.connection.getTransaction(signature, { commitment: 'confirmed', maxSupportedTransactionVersion: 0 }),
    )
    if (done.value.err !== null) throw errorOf(done.value.err, sent?.meta?.logMessages)
    const calls = sent === null ? [] : callsOf(sent.transaction.message as MessageV0, sent.meta)
    return { signature, units: sent?.meta?.computeUnitsConsumed ?? tried.units, events: eventsOf(calls) }
  }

  /** Prepares one instruction and sends it. */
  async execute<N extends InstructionName>(name: N, request: Request<N>, wallet: Wallet): Promise<Sent> {
    return this.send(await this.prepare(name, request), wallet)
  }

  /** Trades on margin or spot. */
  async trade(request: MarginTradeRequest, wallet: Wallet): Promise<Sent & { readonly quote: Quote | Rejected }> {
    const { quote, instructions } = await this.prepareTrade(request)
    return { quote, ...(await this.send(instructions, wallet)) }
  }

  async tradePt(request: PtTradeRequest, wallet: Wallet): Promise<Sent & { readonly quote: Quote | Rejected }> {
    const { quote, instructions } = await this.preparePtTrade(request)
    return { quote, ...(await this.send(instructions, wallet)) }
  }

  /** Whatever a node refuses is a ProgramError. */
  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      throw errorOf(error)
    }
  }
}

/** The quote of an order, and limits a tolerance away from it. */
const limitsOf = (market: MarketReading, order: TradeOrder, request: TradeRequest) => {
  const { toleranceBps = 50, seconds = 60 } = request
  const quote = quoteTrade(market, order, market.now)
  const tolerance = BigInt(toleranceBps)
  const kind = orderOf(market, order, market.now)?.kind ?? 'buy-yt'
  const rate = quote.kind === 'quoted' ? quote.rateAfter : market.pool.rate
  const moved = isUp(kind) ? (rate * (BPS + tolerance)) / BPS : (rate * (BPS - tolerance)) / BPS
  const limitRate = request.limitRate ?? (moved < MAX_RATE ? moved : MAX_RATE)
  // An amount of tokens is filled as it is, unless the quote itself stopped before.
  const filled = quote.kind === 'quoted' ? quote.filled : 0n
  const exact = quote.kind === 'quoted' && quote.complete && (request.unit === 'token' || order.action === 'close')
  const minimum = request.minimum ?? (exact ? filled : (filled * (BPS - tolerance)) / BPS)
  return { quote, limitRate, minimum, deadline: market.now + seconds }
}

type Openable = 'account' | 'toAccount' | 'position'

/** What an instruction may be the first to use. */
const OPENED: Partial<Readonly<Record<InstructionName, readonly Openable[]>>> = {
  deposit: ['account'],
  split: ['account'],
  roll: ['toAccount'],
  addLiquidity: ['position'],
  removeLiquidity: ['account'],
}

const openerOf = (slot: Openable, bag: Bag): TransactionInstruction[] => {
  const { market, owner, sub, lower, upper, to } = bag as Required<Bag>
  if (slot === 'position') return [build.openPosition({ market, owner, lower, upper })]
  return [build.openAccount(slot === 'account' ? { market, owner, sub } : { market: to.market, owner, sub: to.sub })]
}

interface Meta {
  readonly innerInstructions?: CompiledInnerInstruction[] | null
  readonly loadedAddresses?: { readonly writable: PublicKey[]; readonly readonly: PublicKey[] }
}

/** The calls that a transaction's instructions made, in order. */
export const callsOf = (message: MessageV0, meta: Meta | null): InnerCall[] => {
  if (meta === null) return []
  const { loadedAddresses: loaded, innerInstructions } = meta
  const keys = message.getAccountKeys(loaded === undefined ? undefined : { accountKeysFromLookups: loaded })
  return (innerInstructions ?? []).flatMap(({ instructions }) =>
    instructions.map(({ programIdIndex, data }) => ({
      programId: keys.get(programIdIndex)?.toBase58() ?? '',
      data: decodeBase58(data),
    })),
  )
}
