/** The desk of the engine's campaign: applies instructions, keeps the log, and checks every law after each of them. */
import { type CouponKind, twap } from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import { ensure } from './ensure.ts'
import { Book } from './exchange-book.ts'
import { checkCoupon } from './exchange-coupons.ts'
import {
  type AccountRef,
  type Applied,
  accountId,
  apply,
  audit,
  balanceId,
  commit,
  createLedger,
  type Dust,
  type Exchange,
  execute,
  fork,
  freeze,
  headOf,
  type Instruction,
  type Ledger,
  type MarginAccount,
  type Market,
  max,
  min,
  paidUp,
  type RefusalCode,
  type Step,
  type Token,
  type World,
} from './exchange-engine.ts'
import { belowMaintenance, fairOf, type Stood } from './exchange-fair.ts'
import { INVARIANTS } from './exchange-invariants.ts'
import { I10, I16, I18, I19, I20 } from './exchange-losses.ts'

export interface ExchangeStats {
  lives: number
  applied: number
  refused: number
  /** Applied instructions by kind, refusals by code, and what happened in them. */
  readonly kinds: Map<string, number>
  readonly codes: Map<string, number>
  readonly events: Map<string, number>
  maxDustAtoms: number
  maxDeficit: number
}

export const newStats = (): ExchangeStats => ({
  lives: 0,
  applied: 0,
  refused: 0,
  kinds: new Map(),
  codes: new Map(),
  events: new Map(),
  maxDustAtoms: 0,
  maxDeficit: 0,
})

export const count = (counts: Map<string, number>, what: string): void => {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}

export interface Operation {
  readonly instruction: Instruction
  readonly world: World
}

export type Init = Parameters<typeof createLedger>[0]

const STEP_LAWS = [...INVARIANTS, I16, I18, I19, I20]

export class Desk {
  readonly init: Init
  readonly ledger: Ledger
  readonly random: Random
  readonly stats: ExchangeStats
  readonly log: Operation[] = []
  now: number
  readonly jlpSupply: bigint
  weeklyUpdatedAt: number
  private readonly book: Book
  private readonly checking: boolean
  private readonly dusts = new Map<string, Dust & Pick<Market['pool'], 'tauSeconds' | 'discount'>>()
  private readonly rates = new Map<string, { readonly from: number; readonly rate: bigint }[]>()

  constructor(init: Init, random: Random, stats: ExchangeStats, jlpSupply: bigint, checking = true) {
    this.init = init
    this.ledger = createLedger(init)
    this.random = random
    this.stats = stats
    this.jlpSupply = jlpSupply
    this.checking = checking
    this.now = init.lastStep
    this.weeklyUpdatedAt = init.lastStep
    this.book = new Book(this.ledger.balances)
  }

  get world(): World {
    return { now: this.now, jlpSupply: this.jlpSupply, weeklyUpdatedAt: this.weeklyUpdatedAt }
  }

  /** Applies an instruction and checks every law; says what came of it. */
  run(instruction: Instruction): ReturnType<typeof apply> {
    const { world } = this
    if (!this.checking) return execute(this.ledger, instruction, world)
    const before = fork(this.ledger)
    try {
      const result = apply(this.ledger, instruction, world)
      if (result.kind === 'refused') this.refused(before, instruction, result.code)
      else {
        commit(this.ledger, result.changes)
        freeze(result.changes)
        this.log.push({ instruction, world })
        const stood = (id: string) => this.stoodOf(id)
        this.applied({ before, after: this.ledger, instruction, world, stood, ...result })
        this.remember(result.changes.markets.values())
      }
      return result
    } catch (error) {
      if (error instanceof Error) {
        const told = { instruction, world, applied: this.log.length }
        error.message += `\nat ${JSON.stringify(told, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))}`
      }
      throw error
    }
  }

  /** Whether it was applied. */
  does(instruction: Instruction): boolean {
    return this.run(instruction).kind === 'applied'
  }

  /** Writes down at which second each market came to which rate. */
  private remember(markets: Iterable<Market>): void {
    for (const { id, pool } of markets) {
      const past = this.rates.get(id) ?? []
      if (past.at(-1)?.rate !== pool.rate) past.push({ from: this.now, rate: pool.rate })
      this.rates.set(id, past)
    }
  }

  /** The lowest and highest rate that stood for a second or longer within the last window. */
  private stoodOf(id: string): Stood {
    const past = this.rates.get(id) ?? []
    const since = this.now - (this.ledger.markets.get(id)?.terms.twapWindow ?? 0)
    const stood = past.filter(({ from }, i) => {
      const until = past[i + 1]?.from ?? this.now
      return until > from && until > since
    })
    const rates = stood.length > 0 ? stood.map(({ rate }) => rate) : [this.ledger.markets.get(id)!.pool.rate]
    return { low: min(...rates), high: max(...rates) }
  }

  private refused(before: Exchange, instruction: Instruction, code: RefusalCode): void {
    this.stats.refused++
    count(this.stats.codes, code)
    ensure(code !== 'vault-short', 'I28: the vault is never short', { instruction })
    const { ledger } = this
    for (const name of ['markets', 'accounts', 'positions', 'orders', 'balances'] as const) {
      ensure(before[name].size === ledger[name].size, 'a refusal changes nothing', { instruction, code })
      for (const [id, record] of before[name]) {
        if (ledger[name].get(id) !== record) ensure(false, 'a refusal changes nothing', { instruction, code, id })
      }
    }
    const same =
      before.config === ledger.config && before.indices === ledger.indices && before.stVaults === ledger.stVaults
    ensure(same, 'a refusal changes nothing', { instruction, code })
    if (instruction.kind === 'liquidate' && code === 'healthy') this.refusedHealthy(instruction)
  }

  /** The other half of I18: what is refused as healthy is not below maintenance. */
  private refusedHealthy(ref: AccountRef): void {
    const head = headOf(this.ledger, ref.market, this.world)
    const account = paidUp(this.ledger.accounts.get(accountId(ref))!, head.pool.discount)
    const fair = fairOf(this.ledger, head, head, this.world)
    const below = belowMaintenance(account, head, fair)
    ensure(below !== true, 'I18: what is below maintenance can be liquidated', { ref, account })
  }

  private applied(step: Step): void {
    const { stats } = this
    const { instruction, events, changes } = step
    stats.applied++
    count(stats.kinds, instruction.kind === 'trade' ? `trade ${instruction.action}` : instruction.kind)
    for (const event of events) {
      if (event.type === 'liquidated' || event.type === 'taken-over') count(stats.events, event.type)
      if (event.type === 'loss') count(stats.events, event.deficit > 0n ? 'deficit' : 'paid by the fund')
      if (event.type === 'liquidity-removed' && Object.values(event.withheld).some(n => n > 0n)) {
        count(stats.events, 'withheld')
      }
    }
    this.book.fold(events, instruction)
    for (const [id, account] of changes.accounts) if (account === undefined) this.book.closed(`account/${id}`)
    for (const [id, position] of changes.positions) if (position === undefined) this.book.closed(`position/${id}`)
    this.book.compare(this.ledger)
    for (const law of STEP_LAWS) law(step)

    const { violations, dust } = audit(this.ledger)
    ensure(violations.length === 0, 'I2, I3, I5: the books add up', violations)
    const dusts = instruction.kind === 'accrue' ? checkCoupon(step) : dust
    for (const [id, { jlp, yt }] of dusts) {
      this.noDustTaken(id, { jlp, yt }, instruction)
      ensure(jlp >= 0n && yt >= 0n, 'dust is never negative', { id, jlp, yt })
      stats.maxDustAtoms = Math.max(stats.maxDustAtoms, Number(jlp >> 64n))
    }
    for (const market of changes.markets.values()) {
      stats.maxDeficit = Math.max(stats.maxDeficit, Number(market.pool.deficit))
      if (market.haircut !== undefined && market.haircut.uncovered > 0n) {
        if (step.before.markets.get(market.id)?.haircut === undefined) count(stats.events, 'haircut')
      }
    }
    if (this.random.int(0, 15) === 0) this.probe()
  }

  /** I11: every rounding is in the market's favour: at a fixed time and discount no operation takes from its dust. */
  private noDustTaken(id: string, dust: { jlp: bigint; yt: bigint }, instruction: Instruction): void {
    if (instruction.kind === 'accrue') {
      this.dusts.clear() // a new time and discount for all
      return
    }
    const { pool } = this.ledger.markets.get(id)!
    const last = this.dusts.get(id)
    this.dusts.set(id, { ...dust, tauSeconds: pool.tauSeconds, discount: pool.discount })
    const stands = last?.tauSeconds === pool.tauSeconds && last.discount === pool.discount
    if (last === undefined || !stands) return
    // Which ulp of a face value counts may change with the rate: 2 of them for each unit of liquidity.
    const ulp = 4n * pool.grossLiquidity + 1n
    ensure(dust.jlp >= last.jlp - ulp && dust.yt >= last.yt, 'I11: no operation takes from the dust', {
      id,
      instruction,
      change: dust.jlp - last.jlp,
      yt: dust.yt - last.yt,
    })
  }

  /** Laws about what could be done now: prices of both halves of an ST, and that a healthy withdrawal always succeeds. */
  private probe(): void {
    const { random, ledger, world } = this
    const market = random.pick([...ledger.markets.values()])
    if (market.pool.liquidity > 0n && market.pool.tauSeconds > 0) {
      I10(market, random.magnitude(market.pool.liquidity / 100n + 2n))
    }
    const account = random.pick([...ledger.accounts.values(), undefined])
    if (account === undefined || account.margin === 0n) return
    const where = ledger.markets.get(account.market)!
    const head = headOf(ledger, account.market, world)
    if (head.pool.tauSeconds === 0 || where.oracle.observedUntil > world.now) return
    const legs = paidUp(account, head.pool.discount)
    const owed = legs.yt < 0n ? -((legs.yt * head.pool.discount) >> 64n) : 0n
    const free = legs.margin + legs.st - owed
    const jlp = free < legs.margin ? free : legs.margin
    if (jlp <= 0n) return
    const { owner, sub } = account
    const answer = apply(ledger, { kind: 'withdraw', market: account.market, owner, sub, jlp }, world)
    ensure(answer.kind === 'applied', 'I28: what is free of debt can be withdrawn at any time', {
      account,
      jlp,
      answer,
    })
    count(this.stats.events, 'withdrawals probed')
  }

  // ---- what actors look at -------------------------------------------------------------------------------------------

  wallet(token: Token, owner: string): bigint {
    return this.ledger.balances.get(balanceId(token, owner)) ?? 0n
  }

  market(id: string): Market {
    return headOf(this.ledger, id, this.world)
  }

  /** Markets that are not matured by their index. */
  live(): Market[] {
    return [...this.ledger.markets.keys()].map(id => this.market(id)).filter(({ pool }) => pool.tauSeconds > 0)
  }

  matured(): Market[] {
    return [...this.ledger.markets.keys()].map(id => this.market(id)).filter(({ pool }) => pool.tauSeconds === 0)
  }

  account(ref: AccountRef): MarginAccount | undefined {
    const stored = this.ledger.accounts.get(accountId(ref))
    return stored === undefined ? undefined : paidUp(stored, this.market(ref.market).pool.discount)
  }

  accountsOf(market: string): MarginAccount[] {
    return [...this.ledger.accounts.values()].filter(account => account.market === market)
  }

  /** Whether maintenance fails for certain, by the campaign's own reckoning. */
  isBelow(account: MarginAccount, market: Market): boolean {
    const fair = fairOf(this.ledger, market, market, this.world)
    return belowMaintenance(paidUp(account, market.pool.discount), market, fair) === true
  }

  twapOf(market: Market): bigint {
    return twap(market.oracle, market.pool.rate, this.now, market.terms.twapWindow)
  }

  freshness(kind: CouponKind): 'fresh' | 'coupon-due' | 'reduce-only' {
    const { lastStep } = this.ledger.indices[kind]
    if (kind === 'hourly') {
      if (this.now < lastStep + 3900) return 'fresh'
      return this.now >= lastStep + 3900 + 7200 ? 'reduce-only' : 'coupon-due'
    }
    if (this.weeklyUpdatedAt > lastStep && this.now < lastStep + 16 * 86_400) return 'coupon-due'
    return this.now >= lastStep + 8 * 86_400 ? 'reduce-only' : 'fresh'
  }

  /** Some of an amount: any size, or a fair part of it; at least 1. */
  some(most: bigint): bigint {
    if (most <= 1n) return 1n
    return this.random.int(0, 2) === 0 ? this.random.magnitude(most) : this.random.big(most / 20n + 1n, most)
  }

  chance(percent: number): boolean {
    return this.random.int(1, 100) <= percent
  }
}

export type Result = Applied | { readonly kind: 'refused' }
