/**
 * The engine and the program, asked the same: what they refuse, what they record, and every field of every account that was written
 * must be the same, and the engine's audit must hold on the chain's state. Whatever differs is thrown.
 */
import { isDeepStrictEqual } from 'node:util'
import type { TransactionInstruction } from '@solana/web3.js'
import { type CouponKind, marketName } from '../../amm/index.ts'
import { ClientError, COUPON_KINDS, type ExecutedEvent } from '../../src/client/index.ts'
import type { OracleError } from '../../src/oracle/errors.ts'
import {
  type Applied,
  accountId,
  apply,
  audit,
  commit,
  createLedger,
  type Exchange,
  type Instruction,
  type Ledger,
  type Market,
  marketsNamed,
  type Of,
  orderId,
  type PositionRef,
  positionId,
  type Refused,
  type Token,
  type World,
} from './exchange-engine.ts'
import { callOf } from './program-calls.ts'
import { type Answer, ProgramChain } from './program-chain.ts'
import { indexAt, keyAt, marketAt } from './program-places.ts'
import { recordOf } from './program-records.ts'

/** Applied instructions after which all accounts are compared, not only those that were written. */
const ALL_AFTER = 100

/** A way across more arrays than an instruction can bring: the engine has no such bound. */
const MISSING_ARRAY = 'missing-tick-array'

type Fact = (instruction: Instruction, state: Exchange) => boolean

/** Whether an instruction names a market, an account, a position or an order that is not there. */
const namesNothing: Fact = (i, { markets, accounts, positions, orders }) => {
  const refs = 'sub' in i ? [i, ...('to' in i ? [i.to] : [])] : []
  if (marketsNamed(i).some(id => !markets.has(id)) || refs.some(ref => !accounts.has(accountId(ref)))) return true
  if ('id' in i && i.kind !== 'place-order' && !orders.has(orderId(i))) return true
  return 'lower' in i && !positions.has(positionId(i.market, i.owner, i.lower, i.upper))
}

/** Whether it opens what is there. */
const opensAgain: Fact = (i, { markets, accounts, positions, orders }) => {
  if (i.kind === 'create-market') return markets.has(marketName(i.maturity, i.coupon))
  if (i.kind === 'open-account') return accounts.has(accountId(i))
  if (i.kind === 'place-order') return orders.has(orderId(i))
  return i.kind === 'open-position' && positions.has(positionId(i.market, i.owner, i.lower, i.upper))
}

/**
 * What the program finds out from the accounts alone, before anything else; the engine finds it, or something else that is wrong, in
 * its own order. These say whether the accounts are as the refusal says.
 */
const ACCOUNT_FACTS: Readonly<Record<string, Fact>> = {
  uninitialised: namesNothing,
  'already-initialised': opensAgain,
  'wrong-market': i => i.kind === 'transfer' && i.to.market !== i.market,
  'same-account': i =>
    (i.kind === 'fill-order' && i.by === i.owner) ||
    ('to' in i && accountId(i.to) === accountId(i)) ||
    (i.kind === 'roll' && i.to.market === i.market),
  unauthorised: i => i.kind === 'roll' && i.to.owner !== i.owner,
}

const show = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v), 1)

/** The paths at which two values differ, and what they are there. */
const differences = (chain: unknown, engine: unknown, path = ''): string[] => {
  if (isDeepStrictEqual(chain, engine)) return []
  if (typeof chain !== 'object' || typeof engine !== 'object' || chain === null || engine === null) {
    return [`${path}: the chain has ${show(chain)}, the engine ${show(engine)}`]
  }
  const [left, right] = [chain, engine].map(
    value => (value instanceof Map ? Object.fromEntries(value) : value) as Record<string, unknown>,
  )
  return [...new Set([...Object.keys(left!), ...Object.keys(right!)])].flatMap(key =>
    differences(left![key], right![key], `${path}.${key}`),
  )
}

const same = (what: string, chain: unknown, engine: unknown): void => {
  if (isDeepStrictEqual(chain, engine)) return
  throw new Error(`${what} differs\n${differences(chain, engine).slice(0, 40).join('\n')}`)
}

const answerOf = (answer: Answer): string =>
  answer.kind === 'applied'
    ? 'the program applies it'
    : `the program refuses it as ${answer.code}\n${answer.outcome.logs.join('\n')}\n`

/** What came of an instruction; of one that was refused, the program's name of it. */
export type Told = Applied | (Refused & { readonly told: string })

export class Twin {
  readonly ledger: Ledger
  readonly chain: ProgramChain
  /** Instructions that the program was asked, those of them applied, and refusals by its own names. */
  asked = 0
  applied = 0
  readonly refusals = new Map<string, number>()
  /** JLP that were sent to vaults unasked, by market. */
  readonly #donated = new Map<string, bigint>()

  /** With `world` the ledger is one that the engine alone has come to, and is written onto the chain as it is. */
  constructor(
    init: Parameters<typeof createLedger>[0],
    jlpSupply: bigint,
    ledger: Ledger = createLedger(init),
    world?: World,
  ) {
    this.ledger = ledger
    this.chain = new ProgramChain({ ...init, jlpSupply })
    if (world !== undefined) {
      this.chain.at(world)
      this.chain.plant(ledger)
    }
    for (const [id, atoms] of ledger.balances) {
      const [token, owner] = id.split(':') as [Token, string]
      this.chain.hold(this.chain.wallet(token, owner), atoms)
    }
    this.compareAll()
  }

  /** Asks both. A coupon is read from Jupiter's account, whatever the instruction says was earned. */
  run(instruction: Instruction, world: World): Told {
    try {
      this.chain.at(world)
      if (instruction.kind !== 'accrue') return this.both(instruction, world)
      const read = this.chain.coupon(this.ledger.indices[instruction.coupon])
      return typeof read === 'string' ? this.noCoupon(instruction, read) : this.both(read, world)
    } catch (error) {
      if (error instanceof Error) error.message += `\nat ${show({ instruction, world, asked: this.asked })}`
      throw error
    }
  }

  /** The source gives no coupon: the engine has nothing to be asked, but the program must find out the same. */
  private noCoupon(instruction: Of<'accrue'>, code: OracleError['code']): Told {
    const call = callOf(instruction, this.ledger)
    const before = this.bytesOf(call)
    const answer = this.ask(call)
    // Where nothing is due the program does nothing, so that what stands behind an `accrue` goes on.
    const right = answer.kind === 'applied' ? code === 'too-early' && answer.events.length === 0 : answer.code === code
    if (!right) throw new Error(`${answerOf(answer)}, not ${code}`)
    if (!isDeepStrictEqual(this.bytesOf(call), before)) throw new Error('an accrual of nothing changed an account')
    return this.refused({ kind: 'refused', code: 'bad-source', context: {} }, code)
  }

  private both(instruction: Instruction, world: World): Told {
    const { ledger } = this
    const expected = apply(ledger, instruction, world)
    const call = this.said(instruction)
    // What cannot be said is not asked, even if the engine, which takes any number, would apply it.
    if (call === undefined) return { kind: 'refused', code: 'bad-amount', context: {}, told: 'not said' }
    for (const token of tokensOf(instruction)) for (const owner of namesIn(instruction)) this.chain.wallet(token, owner)
    const before = expected.kind === 'refused' ? this.bytesOf(call) : undefined
    const answer = this.ask(call)
    if (expected.kind === 'refused') {
      const told = this.compareRefusals(instruction, expected, answer)
      if (!isDeepStrictEqual(this.bytesOf(call), before)) throw new Error('a refusal changed an account')
      return told
    }
    if (answer.kind === 'refused') {
      if (answer.code !== MISSING_ARRAY) throw new Error(`${answerOf(answer)}, but the engine applies it`)
      return this.refused({ kind: 'refused', code: 'bad-parameter', context: {} }, MISSING_ARRAY)
    }
    commit(ledger, expected.changes)
    if (instruction.kind === 'create-market') {
      this.chain.activate(marketName(instruction.maturity, instruction.coupon), instruction.by)
    }
    this.compareEvents(expected, answer.events, world)
    this.compareChanges(expected)
    this.applied++
    if (this.applied % ALL_AFTER === 0) this.compareAll()
    return expected
  }

  private ask(call: TransactionInstruction): Answer {
    this.asked++
    return this.chain.send(call)
  }

  private refused(refused: Refused, told: string): Told {
    this.refusals.set(told, (this.refusals.get(told) ?? 0) + 1)
    return { ...refused, told }
  }

  /** The program's instruction; undefined for what it has no words for, as an amount below 0. */
  private said(instruction: Instruction): TransactionInstruction | undefined {
    try {
      return callOf(instruction, this.ledger)
    } catch (error) {
      if (error instanceof ClientError && error.code === 'out-of-range') return undefined
      throw error
    }
  }

  /** Somebody sends JLP to a vault: the books do not count it. */
  donate(market: string, jlp: bigint): void {
    const { vault } = marketAt(market)
    this.chain.hold(keyAt(vault), this.chain.amount(vault) + jlp)
    this.#donated.set(market, (this.#donated.get(market) ?? 0n) + jlp)
  }

  // ---- comparing ----------------------------------------------------------------------------------------------------------

  private bytesOf({ keys }: TransactionInstruction): (Buffer | undefined)[] {
    return keys.filter(({ isWritable }) => isWritable).map(({ pubkey }) => this.chain.chain.dataOf(pubkey))
  }

  private compareRefusals(instruction: Instruction, refused: Refused, answer: Answer): Told {
    const { code } = refused
    if (answer.kind === 'applied') throw new Error(`${answerOf(answer)}, but the engine refuses it: ${code}`)
    if (answer.code === code || ACCOUNT_FACTS[answer.code]?.(instruction, this.ledger) === true) {
      return this.refused(refused, answer.code)
    }
    throw new Error(`${answerOf(answer)}, but the engine refuses it as ${code}`)
  }

  private compareEvents({ events }: Applied, sent: readonly ExecutedEvent[], { now }: World): void {
    if (sent.length !== 1) throw new Error(`${sent.length} events instead of one`)
    const { time, subjects, records } = sent[0]!
    same('The time of the event', time, now)
    const expected = events.map(recordOf)
    if (!isDeepStrictEqual(records, expected)) {
      throw new Error(`The records differ: ${show({ chain: records, engine: expected })}`)
    }
    if (subjects.length === 0) throw new Error('an event about nothing')
  }

  /** Every record that the instruction has changed. */
  private compareChanges({ changes }: Applied): void {
    const { chain, ledger } = this
    if (changes.config !== undefined) same('Config', chain.config(), ledger.config)
    for (const kind of COUPON_KINDS) {
      if (changes.indices[kind] !== undefined) this.compareIndex(kind)
      if (changes.stVaults[kind] !== undefined) this.compareSt(kind)
    }
    for (const market of changes.markets.values()) {
      same(`Market ${market.id}`, chain.market(market.id), market)
      this.compareTokens(market)
    }
    for (const [id, account] of changes.accounts) same(`Account ${id}`, chain.account(refOf(id)), account)
    for (const [id, order] of changes.orders) same(`Order ${id}`, chain.order(orderOf(id)), order)
    for (const [id, position] of changes.positions) same(`Position ${id}`, chain.position(positionOf(id)), position)
    for (const [id, atoms] of changes.balances) {
      const [token, owner] = id.split(':') as [Token, string]
      same(`Balance ${id}`, chain.balance(token, owner), atoms)
    }
  }

  private compareIndex(kind: CouponKind): void {
    const { checkpoints, ...index } = this.ledger.indices[kind]
    const sorted = checkpoints.toSorted((a, b) => a.maturity - b.maturity)
    same(`Index ${kind}`, this.chain.index(kind), { ...index, checkpoints: sorted })
  }

  /** Wrapped ST: the vault holds what the engine says, and the mint counts as much. */
  private compareSt(kind: CouponKind): void {
    const { stMint, stVault } = indexAt(kind)
    const held = this.ledger.stVaults[kind]
    same(`JLP behind ${kind} ST`, this.chain.amount(stVault), held)
    same(`Supply of ${kind} ST`, this.chain.chain.mintSupply(keyAt(stMint)), held)
  }

  private compareTokens({ id, vault, totals }: Market): void {
    const places = marketAt(id)
    same(`Vault of ${id}`, this.chain.amount(places.vault), vault + (this.#donated.get(id) ?? 0n))
    same(`PT of ${id}`, this.chain.chain.mintSupply(keyAt(places.ptMint)), totals.pt)
  }

  /** Every account there is, and the engine's audit of what they hold. */
  compareAll(): void {
    const { ledger, chain } = this
    const read = chain.exchange(ledger)
    for (const kind of COUPON_KINDS) {
      this.compareIndex(kind)
      this.compareSt(kind)
    }
    for (const name of ['config', 'markets', 'accounts', 'positions', 'orders', 'balances', 'stVaults'] as const) {
      same(name, read[name], ledger[name])
    }
    for (const market of ledger.markets.values()) this.compareTokens(market)
    chain.compareSequences()
    const { violations } = audit(read)
    if (violations.length > 0) throw new Error(`The books of the chain do not add up: ${show(violations)}`)
  }
}

const refOf = (id: string) => {
  const [market, owner, sub] = id.split('/') as [string, string, string]
  return { market, owner, sub: Number(sub) }
}
const orderOf = (id: string) => {
  const at = id.lastIndexOf('/')
  return { ...refOf(id.slice(0, at)), id: Number(id.slice(at + 1)) }
}
const positionOf = (id: string): PositionRef => {
  const [market, owner, lower, upper] = id.split('/') as [string, string, string, string]
  return { market, owner, lower: Number(lower), upper: Number(upper) }
}

/** Whoever an instruction names as having a wallet. */
const namesIn = (instruction: Instruction): string[] => [
  ...('owner' in instruction ? [instruction.owner] : []),
  ...('by' in instruction ? [instruction.by] : []),
]

/** The tokens whose wallets an instruction names. */
const tokensOf = (instruction: Instruction): Token[] => {
  if (instruction.kind === 'wrap' || instruction.kind === 'unwrap') return ['jlp', `st-${instruction.coupon}`]
  return 'market' in instruction ? ['jlp', `pt/${instruction.market}`] : ['jlp']
}
