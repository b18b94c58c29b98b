/**
 * The program on a local chain, told and read in the engine's terms: what the world says is put into the clock, the JLP mint and
 * Jupiter's pool account, instructions become transactions, and what the accounts hold is read back as the engine's state.
 */
import { readFileSync } from 'node:fs'
import type { PublicKey, TransactionInstruction } from '@solana/web3.js'
import type { CouponKind } from '../../amm/index.ts'
import { U64_MAX } from '../../amm/units.ts'
import {
  type AccountData,
  type AccountName,
  accountName,
  decode,
  type ExecutedEvent,
  eventsOf,
  PROGRAM_ID,
  toEngineAccount,
  toEngineConfig,
  toEngineIndex,
  toEngineMarket,
  toEngineOrder,
  toEnginePosition,
} from '../../src/client/index.ts'
import { programErrorOf } from '../../src/client/program-errors.ts'
import type {
  AccountRef,
  Config,
  Exchange,
  LpPosition,
  MarginAccount,
  Market,
  Of,
  OrderRef,
  PositionRef,
  RestingOrder,
  Token,
  World,
} from '../../src/exchange/index.ts'
import type { PoolFacts } from '../../src/jupiter/index.ts'
import type { RateIndex } from '../../src/oracle/accrual.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { type Cursor, readHourly, readWeekly } from '../../src/oracle/source.ts'
import { JLP, LocalChain, type Outcome } from '../programs/harness.ts'
import { plant } from '../programs/plant.ts'
import { tokenAccountBytes } from '../programs/tokens.ts'
import { call } from './program-calls.ts'
import {
  accountAt,
  configAt,
  indexAt,
  keyAt,
  marketAt,
  mintAt,
  nameAt,
  orderAt,
  ownerAt,
  positionAt,
  walletAt,
} from './program-places.ts'

const elf = readFileSync(new URL('../../programs-idl/sunder.so', import.meta.url))
const KINDS = ['hourly', 'weekly'] as const
const AMOUNT_AT = 64
/** Instructions of one transaction that each create an account and send an event: more would be too many calls. */
const ARRAYS_AT_ONCE = 11
/** With more accounts than that a transaction needs the lookup table. */
const MOST_ACCOUNTS = 24

export interface ChainInit {
  readonly config: Pick<Config, 'authority' | 'pauser' | 'treasury'>
  /** Full hour at which both indices begin. */
  readonly lastStep: number
  readonly jlpSupply: bigint
}

/** What the chain answered: the program's name of a refusal, or the event. */
export type Answer =
  | { readonly kind: 'refused'; readonly code: string; readonly outcome: Outcome }
  | { readonly kind: 'applied'; readonly events: readonly ExecutedEvent[]; readonly outcome: Outcome }

export class ProgramChain {
  readonly chain: LocalChain
  readonly #records = new Map<string, { readonly bytes: Buffer; readonly record: unknown }>()
  readonly #sequences = new Map<string, bigint>()
  readonly #wallets = new Set<string>()
  readonly #lasting: PublicKey[] = []

  constructor({ config, lastStep, jlpSupply }: ChainInit) {
    const deployer = keyAt(ownerAt('deployer'))
    this.chain = new LocalChain({ programId: keyAt(PROGRAM_ID), elf, upgradeAuthority: deployer, now: lastStep })
    this.chain.setPool({
      aumUsdUpdatedAt: BigInt(lastStep),
      poolApr: { lastUpdated: BigInt(lastStep), realizedFeeUsd: 0n },
    })
    this.chain.setJlpSupply(jlpSupply)
    const { authority, pauser, treasury } = config
    this.wallet('jlp', treasury)
    const payer = this.owner('deployer')
    const names = { authority: ownerAt(authority), pauser: ownerAt(pauser), treasury: ownerAt(treasury) }
    const programData = this.chain.programData.toBase58()
    // The hourly index begins at the last full hour that has settled.
    this.chain.setTime(lastStep + 300)
    this.must(call('initConfig', { payer, programData }, names))
    for (const coupon of KINDS) this.must(call('initIndex', { payer, ...indexAt(coupon) }, { coupon }))
  }

  /** Writes a state of the engine's in place of what there is: a scene that it has played goes on in the program. */
  plant(state: Exchange): void {
    plant(this.chain, state)
    const { accounts, positions, balances, markets } = state
    const ids = [...balances.keys()].map(id => id.split(':')[1]!)
    const owners = new Set([...ids, ...[...accounts.values(), ...positions.values()].map(({ owner }) => owner)])
    const tokens: Token[] = ['jlp', 'st-hourly', 'st-weekly', ...[...markets.keys()].map(id => `pt/${id}` as const)]
    for (const owner of owners) {
      this.#wallets.add(ownerAt(owner))
      for (const token of tokens) this.#wallets.add(walletAt(token, owner))
    }
    this.#sequences.clear()
    for (const id of markets.keys()) {
      const { market } = marketAt(id)
      this.#sequences.set(market, this.existing('Market', market).eventSequence)
    }
  }

  // ---- the world --------------------------------------------------------------------------------------------------------

  /** Puts the clock and Jupiter's last weekly update where the world says they are. */
  at({ now, weeklyUpdatedAt }: World): void {
    if (this.chain.now !== now) this.chain.setTime(now)
    if (Number(this.chain.pool().poolApr.lastUpdated) === weeklyUpdatedAt) return
    this.chain.setPool({ poolApr: { lastUpdated: BigInt(weeklyUpdatedAt), realizedFeeUsd: 0n } })
  }

  /** Lets Jupiter's account say about what a coupon of the engine's says, its AUM being `age` seconds old. */
  announce({ coupon, earned }: Of<'accrue'>, age = 0): void {
    const cursor = this.cursor(coupon)
    const { poolApr } = this.chain.pool()
    const within = (value: bigint): bigint => (value < 0n ? 0n : value > U64_MAX ? U64_MAX : value)
    const aumUsdUpdatedAt = BigInt(this.chain.now - age)
    if (coupon === 'hourly') {
      const before = poolApr.lastUpdated === cursor.lastUpdated ? cursor.realizedFeeUsd : 0n
      const realizedFeeUsd = within(before + earned.fees)
      this.chain.setPool({ aumUsd: within(earned.aum), aumUsdUpdatedAt, poolApr: { realizedFeeUsd } })
      return
    }
    const seconds = poolApr.lastUpdated - cursor.lastUpdated
    const feeAprBps = seconds <= 0n ? 0n : within(earned.fees / seconds)
    this.chain.setPool({ aumUsdUpdatedAt, poolApr: { feeAprBps } })
  }

  /** The coupon that Jupiter's account says is due, or why there is none. */
  coupon(index: RateIndex): Of<'accrue'> | OracleError['code'] {
    const read = index.kind === 'hourly' ? readHourly : readWeekly
    try {
      const { to, fees, aum } = read(index, this.cursor(index.kind), this.chain.pool() as PoolFacts, this.chain.now)
      return { kind: 'accrue', coupon: index.kind, earned: { to, fees, aum } }
    } catch (error) {
      if (error instanceof OracleError) return error.code
      throw error
    }
  }

  // ---- wallets ----------------------------------------------------------------------------------------------------------

  /** An owner's address; it has lamports. */
  owner(name: string): string {
    const address = ownerAt(name)
    if (!this.#wallets.has(address)) {
      this.chain.wallet(name)
      this.#wallets.add(address)
    }
    return address
  }

  /** An owner's token account, made if there is none. */
  wallet(token: Token, name: string): PublicKey {
    const address = walletAt(token, name)
    const key = keyAt(address)
    if (!this.#wallets.has(address)) {
      const { mint, program } = mintAt(token)
      this.chain.setAccount(key, program, tokenAccountBytes(keyAt(mint), keyAt(this.owner(name)), program))
      this.#wallets.add(address)
    }
    return key
  }

  /** Sets what a token account holds, and leaves the mint's supply as it is. */
  hold(key: PublicKey, atoms: bigint): void {
    this.chain.edit(key, data => {
      data.writeBigUInt64LE(atoms, AMOUNT_AT)
      return data
    })
  }

  // ---- transactions -----------------------------------------------------------------------------------------------------

  send(instruction: TransactionInstruction | readonly TransactionInstruction[]): Answer {
    const count = [instruction].flat().reduce((sum, { keys }) => sum + keys.length, 0)
    const lookupTables = count > MOST_ACCOUNTS ? [this.chain.lookupTable(this.#lasting)] : undefined
    const outcome = this.chain.send(instruction, lookupTables === undefined ? {} : { lookupTables })
    if (outcome.ok) return { kind: 'applied', events: this.heard(outcome), outcome }
    const { code, text } = outcome.error!
    const error = code === undefined ? undefined : programErrorOf(code)
    return { kind: 'refused', code: error?.name ?? text, outcome }
  }

  /** The events of a transaction. Those about an account follow one another without a gap. */
  private heard({ inner }: Outcome): ExecutedEvent[] {
    const events = inner.flatMap(calls => eventsOf(calls))
    for (const { account, sequence } of events.flatMap(({ subjects }) => subjects)) {
      const last = this.#sequences.get(account) ?? 0n
      if (sequence !== last + 1n) throw new Error(`event ${sequence} about ${account} follows ${last}`)
      this.#sequences.set(account, sequence)
    }
    return events
  }

  must(instruction: TransactionInstruction | readonly TransactionInstruction[]): readonly ExecutedEvent[] {
    const answer = this.send(instruction)
    if (answer.kind === 'applied') return answer.events
    throw new Error(`Refused: ${answer.code}\n${answer.outcome.logs.join('\n')}`)
  }

  /** The second half of creating a market: its tick arrays, and its addresses into the lookup table. */
  activate(id: string, by: string): void {
    const { market, vault, ptMint, index, arrays } = marketAt(id)
    const payer = this.owner(by)
    const calls = arrays.map((tickArray, number) => call('initTickArray', { payer, market, tickArray }, { number }))
    for (let from = 0; from < calls.length; from += ARRAYS_AT_ONCE) this.must(calls.slice(from, from + ARRAYS_AT_ONCE))
    this.#lasting.push(...[market, vault, ptMint, ...arrays].map(keyAt))
    if (this.#lasting.length <= arrays.length + 3) {
      const { keys } = call('accrue', { index }, {})
      this.#lasting.push(
        ...keys.map(({ pubkey }) => pubkey),
        keyAt(configAt),
        JLP,
        keyAt(mintAt('jlp').program.toBase58()),
      )
    }
  }

  // ---- what the accounts hold -------------------------------------------------------------------------------------------

  /** The record of an account; undefined if there is none. Read anew only if its bytes have changed. */
  record<N extends AccountName>(name: N, address: string): AccountData[N] | undefined {
    const bytes = this.chain.dataOf(keyAt(address))
    if (bytes === undefined || bytes.length === 0) return undefined
    const known = this.#records.get(address)
    if (known?.bytes.equals(bytes) === true) return known.record as AccountData[N]
    const record = decode(name, bytes)
    this.#records.set(address, { bytes, record })
    return record
  }

  private existing<N extends AccountName>(name: N, address: string): AccountData[N] {
    const record = this.record(name, address)
    if (record === undefined) throw new Error(`There is no ${name} at ${address}`)
    return record
  }

  config(): Config {
    const { authority, nextAuthority, pauser, treasury, pausedUntil } = toEngineConfig(
      this.existing('Config', configAt),
    )
    return {
      authority: nameAt(authority),
      nextAuthority: nextAuthority === undefined ? undefined : nameAt(nextAuthority),
      pauser: nameAt(pauser),
      treasury: nameAt(treasury),
      pausedUntil,
    }
  }

  index(kind: CouponKind): RateIndex {
    const { index } = toEngineIndex(this.existing('RateIndex', indexAt(kind).index))
    return { ...index, checkpoints: index.checkpoints.toSorted((a, b) => a.maturity - b.maturity) }
  }

  cursor(kind: CouponKind): Cursor {
    return toEngineIndex(this.existing('RateIndex', indexAt(kind).index)).cursor
  }

  /** `all`: also the arrays that the market says no tick is initialised in. */
  market(id: string, all = false): Market {
    const { market, arrays } = marketAt(id)
    const record = this.existing('Market', market)
    const read = arrays.filter((_, number) => all || record.initialised[number] !== 0n)
    return toEngineMarket(
      market,
      record,
      read.map(address => this.existing('TickArray', address)),
    )
  }

  account(ref: AccountRef): MarginAccount | undefined {
    const record = this.record('MarginAccount', accountAt(ref))
    if (record === undefined) return undefined
    if (record.market !== marketAt(ref.market).market) throw new Error('An account of another market')
    return { ...toEngineAccount(ref.market, record), owner: nameAt(record.owner) }
  }

  order(ref: OrderRef): RestingOrder | undefined {
    const record = this.record('RestingOrder', orderAt(ref))
    if (record === undefined) return undefined
    const { market, owner, sub } = ref
    const fits = record.market === marketAt(market).market && record.account === accountAt({ market, owner, sub })
    if (!fits) throw new Error('An order on another account')
    return { ...toEngineOrder(market, sub, record), owner: nameAt(record.owner) }
  }

  position(ref: PositionRef): LpPosition | undefined {
    const record = this.record('LpPosition', positionAt(ref))
    if (record === undefined) return undefined
    if (record.market !== marketAt(ref.market).market) throw new Error('A position of another market')
    return { ...toEnginePosition(ref.market, record), owner: nameAt(record.owner) }
  }

  balance(token: Token, owner: string): bigint {
    return this.amount(walletAt(token, owner))
  }

  amount(address: string): bigint {
    return this.chain.dataOf(keyAt(address))?.readBigUInt64LE(AMOUNT_AT) ?? 0n
  }

  /** Accounts count the events about them. */
  compareSequences(): void {
    for (const [address, sequence] of this.#sequences) {
      const name = accountName(this.chain.existing(keyAt(address)).data)
      const counted = (this.existing(name!, address) as { readonly eventSequence?: bigint }).eventSequence
      if (counted !== sequence) throw new Error(`${address} counts ${counted} events, there were ${sequence}`)
    }
  }

  /** All of an exchange whose markets, accounts, positions, orders and wallets are named. */
  exchange({ markets, accounts, positions, orders, balances }: Exchange): Exchange {
    const there = <K, V>(map: ReadonlyMap<K, unknown>, read: (key: K, value: never) => V | undefined): Map<K, V> => {
      const found = new Map<K, V>()
      for (const [key, value] of map) {
        const record = read(key, value as never)
        if (record !== undefined) found.set(key, record)
      }
      return found
    }
    return {
      config: this.config(),
      indices: { hourly: this.index('hourly'), weekly: this.index('weekly') },
      markets: there(markets, id => this.market(id, true)),
      accounts: there(accounts, (_, account: MarginAccount) => this.account(account)),
      positions: there(positions, (_, { market, owner, position }: LpPosition) =>
        this.position({ market, owner, lower: position.lower, upper: position.upper }),
      ),
      orders: there(orders, (_, order: RestingOrder) => this.order(order)),
      balances: there(balances, id => {
        const split = id.indexOf(':')
        return this.balance(id.slice(0, split) as Token, id.slice(split + 1))
      }),
      stVaults: { hourly: this.amount(indexAt('hourly').stVault), weekly: this.amount(indexAt('weekly').stVault) },
    }
  }
}
