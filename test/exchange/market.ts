/**
 * A market to attack: a ledger with funded wallets, liquidity and a clock. Whatever is applied here is audited at once
 * (`run`), so a test only has to say what it tries and what should come of it.
 *
 *     const m = openMarket({ wallets: ['ann', 'bob'] })
 *     m.fund('ann', 10_000_000n)
 *     m.must(m.order('ann', 'long', { yt: 50_000_000n }))
 *     m.pass(24 * 3600, 0.3)
 *     expect(m.refusal({ kind: 'settle', ...m.ref('ann') })).toBe('not-matured')
 */
import {
  composition,
  type DiscountQ64,
  earnedSince,
  jlpAtoms,
  liquidityForDeposit,
  MAX_RATE,
  type Pool,
  type Position,
  parseMarketName,
  parsePercent,
  type RateQ64,
  rateFromApy,
} from '../../amm/index.ts'
import { touch } from '../../src/exchange/account.ts'
import { Draft } from '../../src/exchange/draft.ts'
import {
  type AccountRef,
  type Applied,
  accountId,
  apply,
  audit,
  balanceId,
  type ChangeableTerms,
  commit,
  createLedger,
  type Dust,
  type Exchange,
  execute,
  fork,
  type Instruction,
  type Ledger,
  type LpPosition,
  type MarginAccount,
  type Market,
  type Of,
  positionId,
  type Refused,
  type RestingOrder,
  type Token,
  type TradeAmount,
  type World,
  ytInJlp,
} from '../../src/exchange/index.ts'
import { liquidationOf } from '../../src/exchange/reads.ts'

export const HOUR = 3600
export const DAY = 24 * HOUR
export const WEEK = 7 * DAY
/** JLP atoms. */
export const JLP = 1_000_000n
/** A deadline and a largest rate that never bind. */
export const NEVER = 4_000_000_000
export const ANY_RATE: bigint = MAX_RATE
/** 10^9 USD in 10^-6 USD: the pool's AUM in every coupon. */
const AUM = 10n ** 15n

export interface LiquiditySpec {
  readonly owner?: string
  readonly lower?: number
  readonly upper?: number
  /** About what to deposit, JLP atoms. */
  readonly jlp: bigint
}

export interface MarketOptions {
  /** `JLP-2411` (hourly coupons, the default) or `JLP-2411-W` (weekly). */
  readonly name?: string
  /** Days before maturity that the market opens; 86 is the article's. */
  readonly days?: number
  readonly apy?: string
  /** What the creator may choose. */
  readonly terms?: Partial<ChangeableTerms>
  /** JLP per ST at the beginning, Q64.64. */
  readonly discount?: bigint
  /** Liquidity; none with `[]`. Owners that are not named are called `lp`, ranges 2230 to 3710 (25 to 45 %). */
  readonly liquidity?: readonly LiquiditySpec[]
  /** Each of these and every LP has `balance` JLP atoms. */
  readonly wallets?: readonly string[]
  readonly balance?: bigint
  readonly jlpSupply?: bigint
  /** Seconds after which the test begins: one TWAP window of history and old enough liquidity by default. */
  readonly history?: number
}

export const CONFIG = { authority: 'authority', pauser: 'pauser', treasury: 'treasury' }

/** The exchange, one market that instructions default to, and what the world says. */
export class OpenMarket {
  readonly id: string
  ledger: Ledger
  now: number
  jlpSupply: bigint
  weeklyUpdatedAt: number
  /** Applied instructions are audited; a long campaign may switch that off and call `check` itself. */
  auditing = true
  private readonly jlp: bigint

  constructor(id: string, ledger: Ledger, world: World) {
    this.id = id
    this.ledger = ledger
    this.now = world.now
    this.jlpSupply = world.jlpSupply
    this.weeklyUpdatedAt = world.weeklyUpdatedAt
    this.jlp = allJlp(ledger)
  }

  get world(): World {
    return { now: this.now, jlpSupply: this.jlpSupply, weeklyUpdatedAt: this.weeklyUpdatedAt }
  }

  /** The same exchange, free to go its own way. */
  fork(): OpenMarket {
    const copy = new OpenMarket(this.id, fork(this.ledger), this.world)
    copy.auditing = this.auditing
    return copy
  }

  // ---- instructions ----------------------------------------------------------------------------------------------------

  /** Executes and checks: an applied instruction leaves the books in order, a refused one leaves everything as it was. */
  run(instruction: Instruction): Applied | Refused {
    const before = recordsOf(this.ledger)
    const result = apply(this.ledger, instruction, this.world)
    if (!sameRecords(before, recordsOf(this.ledger))) throw new Error(`${instruction.kind} changed the state by itself`)
    if (result.kind === 'refused') return result
    checkEntries(instruction, result)
    commit(this.ledger, freeze(result.changes))
    if (this.auditing) this.check(instruction)
    return result
  }

  /** As `run`; throws if it is refused. */
  must(instruction: Instruction): Applied {
    const result = this.run(instruction)
    if (result.kind === 'applied') return result
    throw new Error(`${instruction.kind} refused: ${result.code} ${text(result.context)}`)
  }

  /** As `run`: the code of the refusal, or `applied`. */
  refusal(instruction: Instruction): Refused['code'] | 'applied' {
    const result = this.run(instruction)
    return result.kind === 'refused' ? result.code : 'applied'
  }

  /** Throws unless every identity holds and every atom of JLP is somewhere. */
  check(after?: Instruction): void {
    const { violations } = audit(this.ledger)
    const jlp = allJlp(this.ledger)
    if (violations.length === 0 && jlp === this.jlp) return
    throw new Error(`${text(violations)}, JLP ${this.jlp} -> ${jlp}, after ${text(after)}`)
  }

  // ---- time --------------------------------------------------------------------------------------------------------------

  /** The clock alone; coupons may fall due. */
  wait(seconds: number): void {
    this.now += seconds
  }

  /** Pays the next coupon at a yearly rate (0.3 is 30 % a year), going on to the moment it can be paid. */
  coupon(apr: number): Applied {
    const kind = this.market().kind
    const { lastStep } = this.ledger.indices[kind]
    const parts = BigInt(Math.round(apr * 1e9))
    if (kind === 'hourly') {
      const to = lastStep + HOUR
      this.now = Math.max(this.now, to + 300)
      const fees = (AUM * parts) / (1_000_000_000n * 8760n)
      return this.must({ kind: 'accrue', coupon: kind, earned: { to, fees, aum: AUM } })
    }
    const to = lastStep + WEEK
    this.now = Math.max(this.now, to)
    this.weeklyUpdatedAt = to
    const earned = { to, fees: (parts * BigInt(WEEK)) / 100_000n, aum: 10_000n * 31_536_000n }
    return this.must({ kind: 'accrue', coupon: kind, earned })
  }

  /** Lets time pass, paying every coupon that falls due at a yearly rate. */
  pass(seconds: number, apr: number): void {
    const end = this.now + seconds
    const { kind } = this.market()
    const { auditing } = this
    this.auditing = false // a coupon changes the index alone; markets copy it when they are next used
    const [period, delay] = kind === 'hourly' ? [HOUR, 300] : [WEEK, 0]
    while (this.ledger.indices[kind].lastStep + period + delay <= end) this.coupon(apr)
    this.auditing = auditing
    this.now = end
  }

  /** Goes on until the market has matured and its final discount is known. */
  mature(apr: number): void {
    this.pass(this.market().maturity - this.now + (this.market().kind === 'hourly' ? HOUR + 300 : WEEK), apr)
  }

  // ---- making instructions -----------------------------------------------------------------------------------------------

  ref(owner: string, sub = 0): AccountRef {
    return { market: this.id, owner, sub }
  }

  /** Opens the account if need be and deposits margin. */
  fund(owner: string, margin: bigint, sub = 0): void {
    const ref = this.ref(owner, sub)
    if (!this.ledger.accounts.has(accountId(ref))) this.must({ kind: 'open-account', ...ref })
    if (margin > 0n) this.must({ kind: 'deposit', ...ref, jlp: margin })
  }

  /** A trade on margin (or `spot`) without a limit of its own; `close` takes no amount. */
  order(
    owner: string,
    action: 'long' | 'short' | 'reduce' | 'close',
    amount?: TradeAmount,
    more: { sub?: number; spot?: boolean; limitRate?: bigint; minimum?: bigint; deadline?: number } = {},
  ): Of<'trade'> {
    const { sub = 0, spot = false, minimum = 0n, deadline = NEVER } = more
    const up = action === 'long' || (action !== 'short' && this.account(owner, sub).yt < 0n)
    const bounds = { limitRate: more.limitRate ?? (up ? ANY_RATE : 0n), minimum, deadline }
    const head = { kind: 'trade', ...this.ref(owner, sub), ...bounds } as const
    if (action === 'close') return { ...head, action }
    if (amount === undefined) throw new Error(`${action} needs an amount`)
    return action === 'reduce' ? { ...head, action, amount } : { ...head, action, amount, spot }
  }

  /** A resting order number 0 with nothing special about it: no limit, no trigger, no fee, no end. */
  resting(
    owner: string,
    action: RestingOrder['action'],
    amount: bigint,
    more: Partial<RestingOrder> = {},
  ): Of<'place-order'> {
    const limitRate = action === 'long' || action === 'reduce-short' ? ANY_RATE : 0n
    const plain = {
      spot: false,
      limitRate,
      minimum: 0n,
      trigger: 'none',
      level: 0n,
      fee: 0n,
      expiresAt: NEVER,
    } as const
    return { kind: 'place-order', ...this.ref(owner), id: 0, action, amount, ...plain, ...more }
  }

  filling(owner: string, id = 0, by = 'keeper'): Of<'fill-order'> {
    return { kind: 'fill-order', ...this.ref(owner), id, by }
  }

  /** A PT trade without a limit of its own. */
  ptOrder(
    owner: string,
    kind: 'buy-pt' | 'sell-pt',
    amount: { pt: bigint } | { st: bigint },
  ): Of<'buy-pt' | 'sell-pt'> {
    const limitRate = kind === 'sell-pt' ? ANY_RATE : 0n
    return { kind, market: this.id, owner, amount, limitRate, minimum: 0n, deadline: NEVER }
  }

  /** Adds about `jlp` of liquidity over a range, opening the position if need be; returns the liquidity. */
  provide(owner: string, lower: number, upper: number, jlp: bigint): bigint {
    const ref = { market: this.id, owner, lower, upper }
    if (!this.ledger.positions.has(positionId(this.id, owner, lower, upper))) {
      this.must({ kind: 'open-position', ...ref })
    }
    const liquidity = liquidityForDeposit(this.pool(), lower, upper, jlpAtoms(jlp))
    this.must({ ...this.adding(owner, lower, upper, liquidity), maximum: jlp })
    return liquidity
  }

  /** What a keeper would do about an account now, if anything. */
  /** Trades the fund down as the TWAP follows, an hour without coupons at a time, until it holds no YT. */
  drain(): void {
    for (let i = 0; i < 100 && this.market().fund.yt !== 0n; i++) {
      const { yt } = this.market().fund
      this.run({ kind: 'reduce-fund', market: this.id, yt: yt < 0n ? -yt : yt })
      this.pass(HOUR, 0)
    }
  }

  keeping(owner: string, sub = 0, by = 'keeper'): Of<'liquidate' | 'take-over'> | undefined {
    const ref = this.ref(owner, sub)
    const found = liquidationOf(this.ledger, ref, this.world)
    if (found === undefined) return undefined
    return found === 'take-over'
      ? { kind: 'take-over', ...ref }
      : { kind: 'liquidate', ...ref, by, yt: found.liquidate }
  }

  adding(owner: string, lower: number, upper: number, liquidity: bigint): Of<'add-liquidity'> {
    const bounds = { maximum: 1n << 63n, minRate: 0n, maxRate: ANY_RATE, deadline: NEVER }
    return { kind: 'add-liquidity', market: this.id, owner, lower, upper, liquidity, ...bounds }
  }

  removing(owner: string, lower: number, upper: number, share = { num: 1n, den: 1n }): Of<'remove-liquidity'> {
    const ref = { market: this.id, owner, lower, upper }
    return { kind: 'remove-liquidity', ...ref, share, sub: 0, minimum: 0n, deadline: NEVER }
  }

  // ---- reading -----------------------------------------------------------------------------------------------------------

  /** A market as the next instruction would find it: with its index copied and the rate observed until now. */
  market(id = this.id): Market {
    return new Draft(this.ledger, this.world).market(id)
  }

  /** The pool as the next instruction would find it. */
  pool(): Pool {
    return this.market().pool
  }

  /** An account with its coupons paid. */
  account(owner: string, sub = 0): MarginAccount {
    const found = this.ledger.accounts.get(accountId(this.ref(owner, sub)))
    if (found === undefined) throw new Error(`${owner} has no account ${sub}`)
    return touch(found, this.pool().discount)
  }

  balance(owner: string, token: Token = 'jlp'): bigint {
    return this.ledger.balances.get(balanceId(token, owner)) ?? 0n
  }

  pt(owner: string): bigint {
    return this.balance(owner, `pt/${this.id}`)
  }

  position(owner: string, lower: number, upper: number): LpPosition {
    return this.ledger.positions.get(positionId(this.id, owner, lower, upper))!
  }

  dust(): Dust {
    return audit(this.ledger).dust.get(this.id)!
  }

  /**
   * JLP that these wallets would hold after leaving the market at once: in a copy of the exchange, with the guards and the
   * least age of liquidity waived. What nobody would buy counts at the rate in force, rounded down, or `atWorst`: YT and PT in
   * hand at nothing, YT owed at a whole ST.
   */
  wealth(owners: readonly string[], atWorst = false): bigint {
    const exit = this.fork()
    const { ledger } = exit
    const market = ledger.markets.get(exit.id)!
    ledger.markets.set(exit.id, { ...market, terms: { ...market.terms, guardBps: 1_000_000 } })
    for (const [id, position] of ledger.positions) ledger.positions.set(id, { ...position, addedAt: 0 })
    const attempt = (instruction: Instruction): boolean => execute(ledger, instruction, exit.world).kind === 'applied'
    const accounts = (): MarginAccount[] =>
      [...ledger.accounts.values()].filter(a => a.market === exit.id && owners.includes(a.owner))

    // Accounts first, while the owners' own liquidity is there to trade against; then liquidity, and what it paid in kind.
    for (let round = 0; round < 3; round++) {
      for (const { market: id, owner, sub } of accounts()) {
        const ref = { market: id, owner, sub }
        const { yt } = exit.account(owner, sub)
        const pairs = yt < exit.pt(owner) ? yt : exit.pt(owner)
        if (pairs > 0n) attempt({ kind: 'merge', ...ref, yt: pairs })
        if (exit.account(owner, sub).yt !== 0n) attempt(exit.order(owner, 'close', undefined, { sub }))
        const { margin } = exit.account(owner, sub)
        if (margin > 0n) attempt({ kind: 'withdraw', ...ref, jlp: margin })
      }
      for (const owner of owners) {
        const pt = exit.pt(owner)
        if (pt > 0n) attempt(exit.ptOrder(owner, 'sell-pt', { pt }))
      }
      for (const { market: id, owner, position } of [...ledger.positions.values()]) {
        if (id !== exit.id || !owners.includes(owner) || position.liquidity === 0n) continue
        if (!ledger.accounts.has(accountId(exit.ref(owner)))) attempt({ kind: 'open-account', ...exit.ref(owner) })
        attempt(exit.removing(owner, position.lower, position.upper))
        attempt({ kind: 'collect', market: id, owner, lower: position.lower, upper: position.upper })
      }
    }
    const pool = exit.pool()
    const price = ytInJlp(pool.rate, pool)
    let left = 0n
    for (const { owner, sub } of accounts()) {
      const { margin, st, yt } = exit.account(owner, sub)
      const worst = yt > 0n ? 0n : pool.discount
      left += max0(margin + st + (((atWorst ? worst : price) * yt) >> 64n))
    }
    const ptValue = atWorst ? 0n : pool.discount - price
    for (const owner of owners) left += exit.balance(owner) + ((exit.pt(owner) * ptValue) >> 64n)
    for (const { market: id, owner, position } of ledger.positions.values()) {
      if (id === exit.id && owners.includes(owner)) left += worthOf(position, pool, price)
    }
    return left
  }
}

/** Opens a market as the options say; see the head of this file. */
export const openMarket = (options: MarketOptions = {}): OpenMarket => {
  const { name = 'JLP-2411', days = 86, apy = '32.7%', wallets = [], balance = 10n ** 12n, history = 360 } = options
  const { maturity, kind } = parseMarketName(name)
  const start = Math.floor((maturity - days * DAY) / HOUR) * HOUR
  const liquidity = (options.liquidity ?? [{ jlp: 10_000n * JLP }]).map(spec => ({
    owner: 'lp',
    lower: 2230,
    upper: 3710,
    ...spec,
  }))
  const owners = new Set([
    options.terms === undefined ? 'creator' : CONFIG.authority,
    'creator',
    ...wallets,
    ...liquidity.map(({ owner }) => owner),
  ])
  const ledger = createLedger({
    config: CONFIG,
    lastStep: start,
    balances: [...owners].map(owner => [balanceId('jlp', owner), balance] as const),
  })
  if (options.discount !== undefined) {
    const discount = options.discount as DiscountQ64
    const { hourly, weekly } = ledger.indices
    ledger.indices = { hourly: { ...hourly, discount }, weekly: { ...weekly, discount } }
  }
  const world = { now: start, jlpSupply: options.jlpSupply ?? 10n ** 15n, weeklyUpdatedAt: start }
  const opened = new OpenMarket(name, ledger, world)
  const rate: RateQ64 = rateFromApy(parsePercent(apy))
  const terms = options.terms === undefined ? {} : { terms: options.terms }
  // Only the authority may leave the template.
  const by = options.terms === undefined ? 'creator' : CONFIG.authority
  opened.must({ kind: 'create-market', by, coupon: kind, maturity, rate, ...terms })
  for (const { owner, lower, upper, jlp } of liquidity) opened.provide(owner, lower, upper, jlp)
  opened.wait(history)
  return opened
}

// ---- what is counted and checked ---------------------------------------------------------------------------------------------------

/** A position at a JLP price of YT, down. */
const worthOf = (position: Position, pool: Pool, price: bigint): bigint => {
  const { accrued, fees } = earnedSince(pool, position)
  const { inventory, reserve } = composition(pool, position.lower, position.upper, position.liquidity)
  const yt = (price * (inventory - (position.issued << 64n))) >> 64n
  return position.uncollected + ((position.issued * pool.discount + reserve + accrued + fees + yt) >> 64n)
}

const max0 = (value: bigint): bigint => (value > 0n ? value : 0n)
const text = (value: unknown): string => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)) ?? ''

/** Every atom of JLP: in wallets, in the markets' vaults, behind wrapped ST. */
const allJlp = (state: Exchange): bigint => {
  let sum = state.stVaults.hourly + state.stVaults.weekly
  for (const { vault } of state.markets.values()) sum += vault
  for (const [id, amount] of state.balances) if (id.startsWith('jlp:')) sum += amount
  return sum
}

/** The events of an instruction add up, each token by itself: what leaves a wallet enters a vault, what is minted is counted. */
const checkEntries = (instruction: Instruction, { events }: Applied): void => {
  let jlp = 0n
  const pt = new Map<string, bigint>()
  for (const event of events) {
    if (event.type === 'st-vault') jlp += event.change
    if (event.type === 'market') {
      jlp += event.vault
      pt.set(event.market, (pt.get(event.market) ?? 0n) - event.pt)
    }
    if (event.type !== 'balance') continue
    if (event.token === 'jlp') jlp += event.change
    const market = event.token.startsWith('pt/') ? event.token.slice(3) : undefined
    if (market !== undefined) pt.set(market, (pt.get(market) ?? 0n) + event.change)
  }
  const odd = [...pt].filter(([, change]) => change !== 0n)
  if (jlp !== 0n || odd.length > 0)
    throw new Error(`Not double-entry: ${jlp} JLP, ${text(odd)} after ${text(instruction)}`)
}

/** Frozen to the bottom, so that a record changed in place later throws. */
const freeze = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Map) for (const record of value.values()) freeze(record)
  else {
    Object.freeze(value)
    for (const part of Object.values(value)) freeze(part)
  }
  return value
}

const recordsOf = (ledger: Exchange): unknown[] => [
  ledger.config,
  ledger.indices,
  ledger.stVaults,
  ...[ledger.markets, ledger.accounts, ledger.positions, ledger.orders, ledger.balances].flatMap(map =>
    [...map].flat(),
  ),
]
const sameRecords = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((record, i) => record === b[i])
