/**
 * The program over a connection: reads a market in one call, quotes, and puts in front of an instruction whatever it needs (token
 * accounts, the coupon that is due, the account it works on, tick arrays). `Sender` simulates and sends.
 * Amounts are bigints in atoms. The time is the chain's own clock.
 */
import {
  type AddressLookupTableAccount,
  SYSVAR_CLOCK_PUBKEY,
  SYSVAR_SLOT_HASHES_PUBKEY,
  type TransactionInstruction,
} from '@solana/web3.js'
import type { CouponKind } from '../../amm/display.ts'
import { jlpAtoms, liquidityForDeposit, type Quote, type Rejected } from '../../amm/index.ts'
import { decodePool } from '../jupiter/decode.ts'
import type { PoolFacts } from '../jupiter/facts.ts'
import { addressOf } from './addresses.ts'
import { addressesOf, build, type Given, type MarketRef, marketAddress, walletsOf } from './builders.ts'
import {
  type AccountData,
  type AccountName,
  decodeOwned,
  type LpPositionData,
  type MarginAccountData,
  type RestingOrderData,
} from './codecs.ts'
import { fail } from './errors.ts'
import { ADDRESSES, INSTRUCTIONS, ORDER_ACTIONS, PROGRAM_ID } from './generated/interface.ts'
import type { InstructionArguments, InstructionName } from './instructions.ts'
import {
  arraysForClose,
  arraysForPosition,
  arraysForRemoval,
  arraysForTrade,
  type MarketState,
  marketOf,
  mayFallDue,
  needsAccrue,
  quoteRemoval,
  type TradeOrder,
} from './quotes.ts'
import {
  type LiquidityRequest,
  limitsOf,
  type MarginTradeRequest,
  movedBy,
  type OrderRequest,
  orderArguments,
  type PtTradeRequest,
  type RemovalRequest,
  SECONDS,
  TOLERANCE_BPS,
} from './requests.ts'
import { Sender, type Sent, type Wallet } from './sender.ts'
import { arrayStarts } from './tick-arrays.ts'
import { createLookupTable, lookupAddresses, lookupTableOf } from './transactions.ts'
import { viewOf } from './values.ts'
import { createWallet, walletAddress } from './wallets.ts'

/** A market with the moment it was read at. */
export interface MarketReading extends MarketState {
  readonly jupiter: PoolFacts
  /** The slot that all of it was read at, and unix seconds by the chain's clock. */
  readonly slot: number
  readonly now: number
  /** Whether a coupon has to be paid first: then quotes are at the discount before it. */
  readonly needsAccrue: boolean
}

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
  readonly id?: number
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
/** Of the clock, and of the slot hashes: where in their data it is. */
const UNIX_TIMESTAMP = 32
const FIRST_SLOT = 8
const clockOf = (data: Uint8Array): { readonly slot: number; readonly now: number } => {
  const view = viewOf(data)
  return { slot: Number(view.getBigUint64(0, true)), now: Number(view.getBigInt64(UNIX_TIMESTAMP, true)) }
}

export class SunderClient extends Sender {
  // ---- reading ------------------------------------------------------------------------------------------------------------

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
      (await this.fetch('RateIndex', [addressOf('RateIndex', { kind })]))[0] ??
      fail('closed', `There is no ${kind} index`)
    )
  }

  /** An owner's margin account, if it is open. */
  async account(market: MarketRef, owner: string, sub: number): Promise<MarginAccountData | undefined> {
    return (
      await this.fetch('MarginAccount', [addressOf('MarginAccount', { market: marketAddress(market), owner, sub })])
    )[0]
  }

  /** A resting order, if it is there. */
  async restingOrder(market: MarketRef, owner: string, sub: number, id: number): Promise<RestingOrderData | undefined> {
    const account = addressOf('MarginAccount', { market: marketAddress(market), owner, sub })
    return (await this.fetch('RestingOrder', [addressOf('RestingOrder', { account, id })]))[0]
  }

  /** A market with its index, ticks, Jupiter's pool and the clock, all of one slot. */
  async market(ref: MarketRef, grid = GRID): Promise<MarketReading> {
    const address = marketAddress(ref)
    const arrays = arrayStarts({ terms: { grid } as AccountData['Market']['terms'] })
    const [account, index, pool, clock, ...ticks] = await this.read([
      address,
      addressOf('RateIndex', { kind: ref.kind }),
      ADDRESSES.jupiterPool,
      SYSVAR_CLOCK_PUBKEY.toBase58(),
      ...arrays.map(start => addressOf('TickArray', { market: address, start })),
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
    const { slot, now } = clockOf(clock.data)
    const source = { lastUpdated: jupiter.poolApr.lastUpdated, aumUsdUpdatedAt: jupiter.aumUsdUpdatedAt }
    // No coupon matters any more once the last one is paid.
    const due = state.pool.tauSeconds > 0 && needsAccrue(indexData, source, now)
    return { ...state, jupiter, slot, now, needsAccrue: due }
  }

  /** A lookup table, for `options.tables`. */
  async lookupTable(address: string): Promise<AddressLookupTableAccount | undefined> {
    return lookupTableOf(address, (await this.read([address]))[0])
  }

  // ---- preparing ----------------------------------------------------------------------------------------------------------

  /**
   * An instruction with what it needs in front of it: token accounts of wallets that are not there yet, the coupon that is or falls due, and the
   * account that a deposit or split goes to or the position that liquidity does. Tick arrays are found unless they are given.
   * `payer`: of token accounts, by default whoever signs; `read` saves reading the market again.
   */
  async prepare<N extends InstructionName>(
    name: N,
    request: Request<N>,
    { payer, read }: { readonly payer?: string; readonly read?: MarketReading } = {},
  ): Promise<TransactionInstruction[]> {
    const { accounts, rest } = INSTRUCTIONS[name]
    const bag = request as Bag
    const pays = payer ?? bag.by ?? bag.owner ?? bag.payer
    const looks = rest === 'tick arrays' || accounts.some(slot => slot.name === 'jupiterPool') || AFTER.has(name)
    const market = looks && bag.market !== undefined ? (read ?? (await this.market(bag.market))) : undefined
    const later = bag.to?.market === undefined ? undefined : await this.market(bag.to.market)
    const given = (rest === 'tick arrays' && market !== undefined && bag.tickArrays === undefined
      ? { ...bag, ...(await this.#arrays(name, bag, market, later)) }
      : bag) as unknown as Given<N>
    // A coupon that falls due before this lands would have it refused; where none is due then, paying it does nothing.
    const { lands = SECONDS } = this.options
    const isDue = ({ needsAccrue, pool, indexData, now }: MarketReading): boolean =>
      needsAccrue || (pool.tauSeconds > 0 && mayFallDue(indexData, now + lands))
    const due = [market, later].flatMap(one => (one !== undefined && name !== 'accrue' && isDue(one) ? [one.kind] : []))
    const wallets = walletsOf(name, given)
    const places = addressesOf(name, given) as Readonly<Record<string, string | undefined>>
    const opened = (OPENED[name] ?? []).filter(slot => places[slot] !== undefined)
    const there = await this.read([...wallets.map(walletAddress), ...opened.map(slot => places[slot]!)])
    return [
      ...wallets.flatMap((wallet, i) =>
        there[i] === undefined && pays !== undefined ? [createWallet(pays, wallet)] : [],
      ),
      ...[...new Set(due)].map(coupon => build.accrue({ coupon })),
      ...opened.flatMap((slot, i) => (there[wallets.length + i] === undefined ? openerOf(slot, bag) : [])),
      build[name](given),
    ]
  }

  /** The first ticks of the tick arrays that an instruction needs. */
  async #arrays(
    name: InstructionName,
    bag: Bag,
    market: MarketReading,
    later: MarketReading | undefined,
  ): Promise<Pick<Bag, 'tickArrays' | 'to'>> {
    const account = () => this.#held(bag.market!, bag.owner!, bag.sub!)
    const { now } = market
    switch (name) {
      case 'trade': {
        const order = await this.#order(bag as unknown as MarginTradeRequest)
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
        const close = arraysForTrade(market, { action: 'close', unit: 'token', amount: 0n, account: held }, now)
        const order = { action: held.yt > 0n ? 'long' : 'short', unit, amount, limitRate } as const
        return { tickArrays: close, to: { ...bag.to!, tickArrays: arraysForTrade(later!, order, now) } }
      }
      case 'removeLiquidity': {
        const { num, den, zap } = bag as unknown as InstructionArguments['removeLiquidity']
        const { market: ref, owner, lower, upper } = bag as Required<Bag>
        const place = addressOf('LpPosition', { market: marketAddress(ref), owner, lower, upper })
        return { tickArrays: arraysForRemoval(market, await this.#position(place), { share: { num, den }, zap }) }
      }
      case 'fillOrder':
        return { tickArrays: arraysForTrade(market, await this.#fill(bag as Required<Bag>), now) }
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

  async #position(address: string): Promise<LpPositionData> {
    return (await this.fetch('LpPosition', [address]))[0] ?? fail('closed', 'There is no such position', { address })
  }

  async #held(market: MarketRef, owner: string, sub: number): Promise<MarginAccountData> {
    const found = await this.account(market, owner, sub)
    return found ?? fail('closed', 'There is no such margin account', { owner, sub })
  }

  /** What a fill of an order trades. */
  async #fill({ market, owner, sub, id }: Required<Bag>): Promise<TradeOrder> {
    const order = await this.restingOrder(market, owner, sub, id)
    if (order === undefined) return fail('closed', 'There is no such order', { owner, sub, id })
    const { amount, limitRate, spot } = order
    const action = ORDER_ACTIONS[order.action]!
    const terms = { unit: 'token', limitRate } as const
    if (action === 'long' || action === 'short') return { ...terms, action, amount, spot }
    const account = await this.#held(market, owner, sub)
    const size = account.yt < 0n ? -account.yt : account.yt
    return { ...terms, action: 'reduce', amount: amount < size ? amount : size, account }
  }

  async #order({ market, owner, sub, action, unit, amount, spot, limitRate }: MarginTradeRequest): Promise<TradeOrder> {
    const terms = { unit, amount, limitRate }
    return action === 'long' || action === 'short'
      ? { ...terms, action, spot: spot === true }
      : { ...terms, action, account: await this.#held(market, owner, sub) }
  }

  /** Long, short, reduce or close: the quote, and the instructions with limits and whatever must come before. */
  async prepareTrade(request: MarginTradeRequest): Promise<PreparedTrade> {
    const { market: ref, owner, sub, action, unit, amount, spot = false, margin = 0n } = request
    const market = await this.market(ref)
    const order = await this.#order(request)
    const { quote, reach, ...limits } = limitsOf(market, order, request)
    const tickArrays = arraysForTrade(market, order, market.now, { reach })
    const given = { market: ref, owner, sub, action, unit, amount, spot, tickArrays, ...limits }
    const deposit = margin === 0n ? [] : await this.prepare('deposit', { market: ref, owner, sub, jlp: margin })
    return { quote, market, instructions: [...deposit, ...(await this.prepare('trade', given, { read: market }))] }
  }

  /** PT for JLP of the wallet, or back. */
  async preparePtTrade(request: PtTradeRequest): Promise<PreparedTrade> {
    const { market: ref, owner, action, unit, amount } = request
    const market = await this.market(ref)
    const order: TradeOrder = { action, unit, amount, limitRate: request.limitRate }
    const { quote, reach, ...limits } = limitsOf(market, order, request)
    const tickArrays = arraysForTrade(market, order, market.now, { reach })
    const given = { market: ref, owner, unit, amount, tickArrays, ...limits }
    const name = action === 'buy-pt' ? 'buyPt' : 'sellPt'
    return { quote, market, instructions: await this.prepare(name, given, { read: market }) }
  }

  /** Leaves an order on a margin account, for anyone to fill. */
  async prepareOrder(request: OrderRequest): Promise<readonly TransactionInstruction[]> {
    const { market, owner, sub } = request
    return this.prepare('placeOrder', { market, owner, sub, ...orderArguments(request) })
  }

  /** As much liquidity over a range as `jlp` pays for, its position opened if need be. */
  async prepareLiquidity(request: LiquidityRequest): Promise<readonly TransactionInstruction[]> {
    const { jlp, toleranceBps = TOLERANCE_BPS, seconds = SECONDS, ...range } = request
    const market = await this.market(range.market)
    const { pool, now } = market
    const paid = (jlp * BigInt(10_000 - toleranceBps)) / 10_000n
    const bounds = {
      liquidity: liquidityForDeposit(pool, range.lower, range.upper, jlpAtoms(paid)),
      maximum: jlp,
      minRate: movedBy(pool.rate, false, toleranceBps),
      maxRate: movedBy(pool.rate, true, toleranceBps),
    }
    return this.prepare('addLiquidity', { ...range, ...bounds, deadline: now + seconds }, { read: market })
  }

  /** A share of a position, paid in JLP and in PT or YT, or with `sell` in JLP as far as these can be sold. */
  async prepareRemoval(request: RemovalRequest): Promise<readonly TransactionInstruction[]> {
    const { share = { num: 1n, den: 1n }, sell = false, sub, toleranceBps, seconds = SECONDS, ...range } = request
    const { market: ref, ...place } = range
    const market = await this.market(ref)
    const position = await this.#position(addressOf('LpPosition', { market: marketAddress(ref), ...place }))
    const removed = quoteRemoval(market, position, share)
    // At maturity YT are worth nothing and PT are redeemed.
    const isOpen = removed.kind === 'removed' && market.pool.tauSeconds > 0
    const isPt = isOpen && removed.pt > 0n
    const isYt = isOpen && removed.yt > 0n
    const given = {
      ...range,
      ...share,
      sub: sub ?? (isYt ? 0 : undefined),
      minimum: 0n, // in kind nobody gains from moving the rate, and a sale has its own limit
      deadline: market.now + seconds,
      ...(sell && (isPt || isYt) ? { zap: movedBy(market.pool.rate, isPt, toleranceBps) } : {}),
    }
    return this.prepare('removeLiquidity', given, { read: market })
  }

  // ---- sending ------------------------------------------------------------------------------------------------------------

  /** Prepares one instruction and sends it. */
  async execute<N extends InstructionName>(name: N, request: Request<N>, wallet: Wallet): Promise<Sent> {
    return this.send(await this.prepare(name, request, { payer: wallet.publicKey.toBase58() }), wallet)
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

  async placeOrder(request: OrderRequest, wallet: Wallet): Promise<Sent> {
    return this.send(await this.prepareOrder(request), wallet)
  }

  async cancelOrder(order: Request<'cancelOrder'>, wallet: Wallet): Promise<Sent> {
    return this.execute('cancelOrder', order, wallet)
  }

  /** Fills somebody's order for its fee, which goes to the wallet. */
  async fillOrder(order: Omit<Request<'fillOrder'>, 'by'>, wallet: Wallet): Promise<Sent> {
    return this.execute('fillOrder', { ...order, by: wallet.publicKey.toBase58() }, wallet)
  }

  async addLiquidity(request: LiquidityRequest, wallet: Wallet): Promise<Sent> {
    return this.send(await this.prepareLiquidity(request), wallet)
  }

  async removeLiquidity(request: RemovalRequest, wallet: Wallet): Promise<Sent> {
    return this.send(await this.prepareRemoval(request), wallet)
  }

  /** Makes a market's lookup table, for `options.tables`. It can be used from the next slot on. */
  async createLookupTable(ref: MarketRef, wallet: Wallet): Promise<AddressLookupTableAccount> {
    const { data } = await this.market(ref)
    const [hashes] = await this.read([SYSVAR_SLOT_HASHES_PUBKEY.toBase58()])
    if (hashes === undefined) return fail('missing-account', 'The node has no recent slots')
    const slot = viewOf(hashes.data).getBigUint64(FIRST_SLOT, true)
    const payer = wallet.publicKey.toBase58()
    const { address, transactions } = createLookupTable(lookupAddresses(ref, data), { payer, slot })
    for (const instructions of transactions) await this.send(instructions, wallet)
    return (await this.lookupTable(address)) ?? fail('missing-account', 'The node does not have the new table yet')
  }
}

/** What is open once the last coupon is paid. */
const AFTER: ReadonlySet<InstructionName> = new Set(['settle', 'redeemPt'])

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
