/** Engine and model side by side: every instruction goes to both, and everything they hold is compared after each. */
import { isDeepStrictEqual } from 'node:util'
import { accrue, earnedSince } from '../../amm/index.ts'
import {
  type Applied,
  accountId,
  type Config,
  createLedger,
  execute,
  type Instruction,
  type Ledger,
  type Legs,
  type Market,
  type Refused,
  type World,
} from '../../src/exchange/index.ts'
import { ensure } from '../campaigns/ensure.ts'
import { fromQ64, type X } from './exact.ts'
import { ExchangeModel, type Verdict } from './exchange.ts'
import type { Account, ModelMarket } from './exchange-market.ts'
import { big } from './exchange-terms.ts'

type Exact = InstanceType<typeof X>

/** Counters of a run; those named `max...` are maxima. */
export type ModelStats = Record<string, number>

export class Follower {
  readonly ledger: Ledger
  readonly model: ExchangeModel
  readonly stats: ModelStats
  /** Instructions so far. */
  steps = 0
  private readonly wealth: bigint
  private readonly log: string[] = []
  private readonly owned = new Map<string, Exact>()

  constructor(
    init: {
      readonly config: Omit<Config, 'nextAuthority' | 'pausedUntil'>
      readonly lastStep: number
      readonly balances: readonly (readonly [string, bigint])[]
    },
    stats: ModelStats,
  ) {
    this.ledger = createLedger(init)
    this.model = new ExchangeModel({ ...init, treasury: init.config.treasury })
    this.stats = stats
    this.wealth = this.total()
  }

  count(what: string): void {
    this.stats[what] = (this.stats[what] ?? 0) + 1
  }

  max(what: string, value: number): void {
    this.stats[what] = Math.max(this.stats[what] ?? 0, value)
  }

  /** Lets the engine and the model do it, and compares what they make of it and everything they hold. */
  run(instruction: Instruction, world: World): Applied | Refused {
    const result = execute(this.ledger, instruction, world)
    const answer = result.kind === 'applied' ? 'applied' : result.code
    this.log.push(`${world.now} ${show(instruction)} -> ${answer}`)
    const name = instruction.kind === 'trade' ? instruction.action : instruction.kind
    this.count(`${result.kind}:${name}`)
    this.count('steps')
    this.steps += 1
    const verdict = this.model.follow(instruction, world, result.kind === 'applied' ? result.events : undefined)
    this.agree(instruction, result, verdict)
    if (result.kind === 'applied') {
      this.note(result)
      this.compare()
    } else this.count(`refused-for:${result.code}`)
    return result
  }

  /** For a failure: the last instructions. */
  private context(more: object): object {
    const last = (): readonly string[] => this.log.slice(-12)
    return Object.defineProperty({ ...more }, 'log', { get: last, enumerable: true })
  }

  /** The engine applies what the model finds nothing against, and refuses for a reason that the model sees too. */
  private agree(instruction: Instruction, result: Applied | Refused, { violated, doubtful }: Verdict): void {
    const found = { violated: [...violated], doubtful: [...doubtful] }
    if (result.kind === 'applied') {
      ensure(violated.size === 0, 'what the engine applies, the model allows', this.context({ instruction, found }))
      for (const code of doubtful.keys()) this.count(`boundary:${code}`)
      return
    }
    const { code } = result
    ensure(violated.has(code) || doubtful.has(code), 'what the engine refuses, the model refuses for the same reason', {
      ...this.context({ instruction, result, found }),
    })
    if (!violated.has(code)) this.count(`boundary:${code}`)
  }

  private note(result: Applied): void {
    for (const event of result.events) {
      if (event.type === 'taken-over') this.count('taken-over')
      if (event.type === 'loss' && event.deficit > 0n) this.count('deficits')
      if (event.type === 'liquidated' && event.closed > 0n) this.count('liquidated')
      if (event.type === 'liquidity-removed') {
        const { jlp, pt, yt } = event.withheld
        if (jlp + pt + yt > 0n) this.count('withheld')
        if (pt > 0n && this.ledger.markets.get(event.market)!.pool.tauSeconds > 0) this.count('withheld-pt-early')
      }
    }
  }

  private total(): bigint {
    const { balances, stVaults, markets } = this.ledger
    let sum = stVaults.hourly + stVaults.weekly
    for (const [id, amount] of balances) if (id.startsWith('jlp:')) sum += amount
    for (const { vault } of markets.values()) sum += vault
    return sum
  }

  private compare(): void {
    this.owned.clear()
    ensure(this.total() === this.wealth, 'no JLP appears or vanishes', this.context({}))
    const { indices } = this.model.state
    for (const kind of ['hourly', 'weekly'] as const) {
      const [engine, model] = [this.ledger.indices[kind], indices[kind]]
      const same = engine.discount === model.discount && engine.lastStep === model.lastStep
      ensure(same, 'the index has the discount of the text', this.context({ engine, model }))
    }
    for (const market of this.ledger.markets.values())
      this.compareMarket(market, this.model.state.markets.get(market.id)!)
    for (const [id, wallet] of this.model.state.wallets) {
      const amount = this.ledger.balances.get(id) ?? 0n
      this.close(big(amount), wallet.amount, wallet.slack, this.error, `wallet ${id}`)
      if (id.startsWith('jlp:')) this.own(id.slice(4), big(amount), wallet.amount)
    }
    for (const [owner, over] of this.owned) {
      const what = 'wallet, accounts and positions together: never more than exactly'
      ensure(over.toNumber() <= this.error, what, this.context({ owner, over }))
    }
    const { orders } = this.model.state
    for (const [id, order] of this.ledger.orders) {
      const same = isDeepStrictEqual(orders.get(id), order)
      ensure(same, 'the same orders', this.context({ engine: order, model: orders.get(id) }))
    }
    ensure(orders.size === this.ledger.orders.size, 'as many orders', this.context({}))
    for (const [id, amount] of this.ledger.balances) {
      ensure(amount === 0n || this.model.state.wallets.has(id), 'the same wallets', { id, amount })
    }
  }

  /** All that the tables may have erred by so far, over all markets: wallets have dealings with each of them. */
  private get error(): number {
    return [...this.model.state.markets.values()].reduce((sum, { error }) => sum + error, 1e-9)
  }

  /** Adds to what an owner has more than exactly. */
  private own(owner: string, engine: Exact, exact: Exact): void {
    this.owned.set(owner, (this.owned.get(owner) ?? big(0)).plus(engine).minus(exact))
  }

  /** `engine` is `exact` less at most `slack` atoms, and more by no more than the tables err. */
  private close(engine: Exact, exact: Exact, slack: number, error: number, what: string) {
    const over = engine.minus(exact).toNumber()
    ensure(over <= error, `${what}: never more than exactly`, this.context({ over, error, engine, exact }))
    ensure(
      over >= -slack - error,
      `${what}: an atom less a touch at most`,
      this.context({ over, slack, engine, exact }),
    )
    if (error < 0.5) this.max('maxOver', over)
    this.max('maxUnder', -over)
    if (slack > 0) this.max('maxUnderPerTouch', -over / slack)
    this.count('compared')
  }

  private compareMarket(market: Market, model: ModelMarket): void {
    const { id } = market
    const { tau: tauSeconds, discount } = model.pool
    const late = market.pool.tauSeconds !== tauSeconds || (market.pool.discount as bigint) !== discount
    const pool = late
      ? accrue(market.pool, { tauSeconds, discount: discount as Market['pool']['discount'] })
      : market.pool
    ensure(pool.rate === model.pool.rate && pool.tick === model.pool.tick, 'the same rate', this.context({ id }))
    ensure(market.totals.pt === model.pt, 'as many PT', this.context({ id, engine: market.totals.pt, model: model.pt }))
    const accounts = [...this.ledger.accounts.values()].filter(account => account.market === id)
    ensure(accounts.length === model.accounts.size, 'the same accounts', this.context({ id }))
    for (const account of accounts) {
      const name = accountId(account)
      const exact = model.accounts.get(name)!
      this.compareLegs(account, exact, model, `account ${name}`)
      this.own(
        account.owner,
        big(account.margin + account.st).plus(couponsOf(account, model)),
        exact.margin.plus(exact.st),
      )
      const same = account.netDeposits === exact.netDeposits
      ensure(
        same,
        'the same net deposits',
        this.context({ name, engine: account.netDeposits, model: exact.netDeposits }),
      )
    }
    const positions = [...this.ledger.positions].filter(([, lp]) => lp.market === id)
    ensure(positions.length === model.lps.size, 'the same positions', this.context({ id }))
    for (const [name, { position }] of positions) {
      const lp = model.lps.get(name)!
      const slow = model.pool.position(name)
      const same = position.liquidity === slow.liquidity && position.issued === lp.issued
      ensure(same, 'a position is as large', this.context({ name, position, slow, lp }))
      const { accrued, fees } = earnedSince(pool, position)
      const claim = big(position.uncollected).plus(fromQ64(accrued + fees))
      // Fee growth is rounded down per unit of liquidity: a fraction of an atom each time, in the table error's size.
      this.close(claim, slow.earned, lp.slack + model.error, lp.shifted + model.error, `position ${name}`)
      this.own(name.split('/')[1]!, claim, slow.earned)
    }
    if (!late) this.compareMarketLegs(market, model)
    const dust = model.dust(model.vault).toNumber()
    ensure(dust > 999.999 && model.ytDust().gt(-1e-9), 'the model’s own books add up', this.context({ id, dust }))
    this.max('maxModelDust', dust)
    this.max('maxTableError', model.error)
    if ((market.haircut?.uncovered ?? 0n) > 0n) this.count('with-haircut')
    model.coffer = market.vault
  }

  /** Fund, fees and deficit; the two whole numbers are then taken over, so that the next fee repays the same deficit. */
  private compareMarketLegs(market: Market, model: ModelMarket): void {
    const { id, fund, fees, pool, retired } = market
    const slack = model.everyone.reduce((sum, account) => sum + account.slack, 2)
    const deficit = big(pool.deficit).minus(model.deficit).toNumber()
    const within = deficit >= -model.error - 1e-9 && deficit <= slack
    ensure(within, 'the same deficit', this.context({ id, deficit, engine: pool.deficit, model: model.deficit }))
    const apart = big(fees).minus(model.fees).toNumber()
    ensure(
      Math.abs(apart) <= (deficit === 0 ? 1e-9 : slack),
      'the same fees',
      this.context({ id, fees, model: model.fees }),
    )
    model.deficit = big(pool.deficit)
    model.fees = big(fees)
    ensure(retired === model.retired, 'as many YT retired', this.context({ id, retired, model: model.retired }))
    this.compareLegs(fund, model.fund, model, `fund of ${id}`)
  }

  private compareLegs(legs: Legs, exact: Account, model: ModelMarket, what: string) {
    ensure(legs.yt === exact.yt, `${what}: as many YT`, this.context({ engine: legs.yt, model: exact.yt }))
    const st = big(legs.st).plus(couponsOf(legs, model))
    this.close(st.plus(big(legs.margin)), exact.margin.plus(exact.st), exact.slack, model.error + 1e-9, what)
    const shift = st.minus(exact.st).abs().toNumber()
    const most = exact.slack + exact.shifted + 1 + model.error
    ensure(shift <= most, `${what}: the same ST leg`, this.context({ engine: st, model: exact.st, most }))
  }
}

/** Coupons not yet paid to an account, unrounded. */
const couponsOf = ({ yt, discount }: { yt: bigint; discount: bigint }, model: ModelMarket) =>
  fromQ64(yt * (discount - model.pool.discount))

const show = (instruction: Instruction): string =>
  JSON.stringify(instruction, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
