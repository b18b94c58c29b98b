/** The model's records: a market with every account and LP position in it, held exactly, and paid one by one at each coupon. */
import type { Decimal } from 'decimal.js'
import { fromQ64, X, YEAR, ytPrice } from './exact.ts'
import { BucketOracle, type Kind, type ModelIndex, rateOfYield } from './exchange-index.ts'
import { atLeast, both, either, type Truth, truth } from './exchange-judge.ts'
import { big, least, most, positive, SPACING, size, TERMS, wholeUp, ZERO } from './exchange-terms.ts'
import { SlowPool } from './ledger.ts'
import { activeLiquidity, type ModelResult, modelTrade, tickAt, tickRate } from './pool.ts'

/** JLP atoms, exact; coupons are always paid. */
export interface Account {
  margin: Decimal
  st: Decimal
  yt: bigint
  netDeposits: bigint
  /** The ST leg and the discount when an instruction last touched it: backing counts recorded legs (section 7). */
  recordedSt: Decimal
  recordedDiscount: bigint
  /** How many atoms the engine may have rounded away from its owner. */
  slack: number
  /** How many atoms may lie in the other leg: a pro rata share is rounded between the two. */
  shifted: number
}

export const newAccount = (discount: bigint): Account => ({
  margin: ZERO,
  st: ZERO,
  yt: 0n,
  netDeposits: 0n,
  recordedSt: ZERO,
  recordedDiscount: discount,
  slack: 0,
  shifted: 0,
})

/** What a position is beside its liquidity and earnings, which the slow pool keeps. */
export interface Lp {
  issued: bigint
  addedAt: number
  slack: number
  /** How many atoms may lie in the position that belong into its owner's wallet: a share paid out is rounded down. */
  shifted: number
}

/** Margin that turned negative is left at 0, the rest in the ST leg; without YT, the ST leg goes into margin. */
export const settleLegs = (account: Account): void => {
  if (account.yt === 0n) {
    account.margin = account.margin.plus(account.st)
    account.st = ZERO
  }
  if (account.margin.lt(0)) {
    account.st = account.st.plus(account.margin)
    account.margin = ZERO
  }
}

export class ModelMarket {
  readonly id: string
  readonly kind: Kind
  readonly maturity: number
  pool: SlowPool
  oracle: BucketOracle
  /** Every rate that an instruction found: those of this stretch, and of the one before it (section 12). */
  found: { readonly since: number; readonly last: number; readonly rates: readonly bigint[] }
  foundBefore: readonly bigint[]
  accounts = new Map<string, Account>()
  lps = new Map<string, Lp>()
  fund: Account
  pt = 0n
  fees = ZERO
  deficit = ZERO
  retired = 0n
  /** Exact flows: what is in the vault if nothing were ever rounded. */
  vault = big(1000)
  /** What the engine's vault holds: the roundings of all payments are in it. Its dust is part of the LPs' equity. */
  coffer = 1000n
  haircut: { uncovered: Decimal; profit: Decimal } | undefined
  /** How far the engine's tables may have favoured anybody, atoms. */
  error = 0

  constructor(init: { id: string; kind: Kind; maturity: number; rate: bigint; index: ModelIndex; now: number }) {
    const { id, kind, maturity, rate, index, now } = init
    this.id = id
    this.kind = kind
    this.maturity = maturity
    const tau = maturity - index.lastStep
    this.pool = new SlowPool({ rate, tick: tickAt(rate, SPACING), tau, discount: index.discount })
    this.oracle = new BucketOracle(now, rate, TERMS.clampPerSecond)
    this.found = { since: now, last: now, rates: [rate] }
    this.foundBefore = [rate]
    this.fund = newAccount(index.discount)
  }

  copy(): ModelMarket {
    const other = Object.assign(Object.create(ModelMarket.prototype) as ModelMarket, this)
    other.pool = Object.assign(new SlowPool(this.pool), {})
    for (const position of this.pool.positions) other.pool.positions.push({ ...position })
    other.oracle = this.oracle.copy()
    other.accounts = new Map([...this.accounts].map(([id, account]) => [id, { ...account }]))
    other.lps = new Map([...this.lps].map(([id, lp]) => [id, { ...lp }]))
    other.fund = { ...this.fund }
    return other
  }

  // ---- time

  get matured(): boolean {
    return this.pool.tau === 0
  }

  /** One coupon: every account, the fund and every LP position is visited and paid. */
  coupon(tau: number, discount: bigint): void {
    const fall = fromQ64(this.pool.discount - discount)
    for (const account of [...this.accounts.values(), this.fund]) {
      account.st = account.st.plus(fall.times(big(account.yt)))
    }
    this.pool.step(tau, discount)
    this.roundings()
  }

  /** Adds what the tables may err by in one instruction or coupon, at the market's liquidity. */
  roundings(): void {
    this.error += (16 * Number(this.gross)) / 2 ** 64
  }

  /** An instruction uses the account: its coupons are recorded, one of them rounded. */
  touch(account: Account): void {
    if (account.recordedDiscount !== this.pool.discount && account.yt !== 0n) account.slack += 1
    this.record(account)
  }

  record(account: Account): void {
    account.recordedSt = account.st
    account.recordedDiscount = this.pool.discount
  }

  // ---- the pool

  get gross(): bigint {
    return this.pool.positions.reduce((sum, { liquidity }) => sum + liquidity, 0n)
  }

  walk(up: boolean, yt: bigint, limitRate?: bigint): ModelResult {
    const { positions: ranges, rate, tick, tau, discount } = this.pool
    return modelTrade({ ranges, rate, tick, tau, discount, direction: up ? 'up' : 'down', yt, limitRate })
  }

  /** The rate at which the liquidity in range ends: here, if there is none. An empty stretch without width is not in the way. */
  edge(up: boolean): bigint {
    const { rate } = this.pool
    const ranges = this.pool.positions.filter(({ liquidity }) => liquidity > 0n)
    const ticks = [...new Set(ranges.flatMap(({ lower, upper }) => [lower, upper]))].sort((a, b) => a - b)
    let { tick } = this.pool
    for (let edge = rate; ; ) {
      const next = up ? ticks.find(t => t > tick) : ticks.findLast(t => t <= tick)
      if (next === undefined) return edge
      if (activeLiquidity(ranges, tick) === 0n && tickRate(next) !== edge) return edge
      edge = tickRate(next)
      tick = up ? next : next - SPACING
    }
  }

  /** An instruction comes at `now` and finds the rate. */
  find(now: number): void {
    const { rate } = this.pool
    this.oracle.observe(rate, now)
    const { since, last, rates } = this.found
    const all = [...rates, rate]
    const ends = now - since >= TERMS.twapWindow
    // What was found more than a window ago is forgotten with it.
    if (ends) this.foundBefore = now - last >= TERMS.twapWindow ? [rate] : all
    this.found = ends ? { since: now, last: now, rates: [rate] } : { since, last: now, rates: all }
  }

  /** The worst of TWAP and the rates found: for YT held the lowest, for YT owed the highest. */
  worst(yt: bigint, twap: bigint): bigint {
    return [...this.found.rates, ...this.foundBefore].reduce(
      (rate, other) => (yt >= 0n ? least : most)(rate, other),
      twap,
    )
  }

  get twap(): bigint {
    return this.oracle.twap(TERMS.twapWindow)
  }

  /** Whether a margined trade that ends here is not short of the bound around TWAP on the other side. */
  reaches(up: boolean, rate: bigint): boolean {
    const { twap } = this
    return up
      ? rate * 10_000n >= twap * (10_000n - TERMS.guardBps)
      : rate * 10_000n <= twap * (10_000n + TERMS.guardBps)
  }

  /** The worst rate of a margined trade or forced close: the bound around TWAP, the range, and the edge of the liquidity. */
  guard(up: boolean, bps = TERMS.guardBps, from = this.twap): bigint {
    if (up) {
      const bound = (from * (10_000n + bps)) / 10_000n
      return least(least(bound, tickRate(TERMS.maxTick)), this.edge(true))
    }
    const bound = (from * (10_000n - bps) + 9_999n) / 10_000n
    return most(most(bound, tickRate(TERMS.minTick)), this.edge(false))
  }

  /**
   * The worst rate of a forced close: the fund's near TWAP, an account's own less near and from the observed rate if that is worse. A short never buys
   * above where holding costs less (section 7).
   */
  forcedLimit(up: boolean, index: ModelIndex, own: boolean): bigint {
    const { twap } = this
    const { rate } = this.oracle
    const from = own ? (up ? most(twap, rate) : least(twap, rate)) : twap
    const bound = this.guard(up, own ? TERMS.forcedBps : TERMS.fundBps, from)
    if (this.matured) return bound
    return up ? least(bound, rateOfYield(index.yieldLeft(this.maturity), this.pool.tau)) : bound
  }

  // ---- margin conditions (section 6)

  /** `D*P`, JLP per YT. */
  price(rate: bigint): Decimal {
    return fromQ64(this.pool.discount).times(ytPrice(rate, this.pool.tau))
  }

  assets(account: Account, rate: bigint): Decimal {
    const { margin, st, yt } = account
    return margin.plus(positive(st)).plus(this.price(rate).times(big(yt > 0n ? yt : 0n)))
  }

  liabilities({ st, yt }: Account, rate: bigint): Decimal {
    return positive(st.neg()).plus(this.price(rate).times(big(yt < 0n ? -yt : 0n)))
  }

  equity(account: Account, rate: bigint): Decimal {
    return this.assets(account, rate).minus(this.liabilities(account, rate))
  }

  ratioAtLeast(account: Account, rate: bigint, ratio: Decimal): Truth {
    return atLeast(this.assets(account, rate), this.liabilities(account, rate).times(ratio), 2 * account.slack + 2)
  }

  /** The worst loss of one coupon, at a rate. */
  gap({ yt }: Account, rate: bigint, index: ModelIndex): Decimal {
    const { tau, discount } = this.pool
    if (tau === 0 || yt === 0n) return ZERO
    const period = TERMS.period[this.kind]
    const price = ytPrice(rate, tau)
    const face = fromQ64(discount).times(big(size(yt)))
    if (yt > 0n) {
      const coupon = fromQ64(rate).times(period).div(YEAR).exp().minus(1)
      return face.times(big(1).minus(price)).times(coupon).times(big(1).minus(TERMS.lowCoupon[this.kind]))
    }
    const later = ytPrice(rate, Math.max(tau - period, 0))
    return face.times(positive(index.rhoMax.times(big(1).minus(price)).minus(price.minus(later))))
  }

  /** Cannot be liquidated: owes nothing, or is a covered short. */
  spot(account: Account): Truth {
    const own = account.margin.plus(account.st)
    if (account.yt === 0n && account.st.isZero()) return 1
    if (account.yt >= 0n) return atLeast(own, ZERO, account.slack)
    return atLeast(own, fromQ64(this.pool.discount).times(big(-account.yt)), account.slack)
  }

  /** What opening, increasing and withdrawing ask for, at a spot rate and TWAP; nothing of an account that cannot be liquidated. */
  initial(account: Account, twap: bigint, index: ModelIndex, rate = this.pool.rate): Truth {
    const worst = this.worst(account.yt, twap)
    const equity = X.min(this.equity(account, rate), this.equity(account, worst))
    const gap = X.max(this.gap(account, rate, index), this.gap(account, twap, index))
    const conditions = both(
      this.ratioAtLeast(account, rate, TERMS.initial),
      this.ratioAtLeast(account, worst, TERMS.initialTwap),
      atLeast(equity, gap.times('1.2'), account.slack + 2),
    )
    return either(this.spot(account), conditions)
  }

  /** Whether an account is safe from liquidation. */
  maintained(account: Account, twap: bigint, index: ModelIndex): Truth {
    const conditions = both(
      this.ratioAtLeast(account, twap, TERMS.maintenance),
      atLeast(this.equity(account, twap), this.gap(account, twap, index), account.slack + 2),
    )
    return either(this.spot(account), conditions)
  }

  // ---- conditions of the market

  get everyone(): Account[] {
    return [...this.accounts.values(), this.fund]
  }

  /** Whether an account with `st < 0` or `yt < 0` is left: by the recorded legs, of which the engine has at most `slack` less. */
  get owing(): Truth {
    const owes = ({ recordedSt, yt, slack }: Account): Truth =>
      yt < 0n || recordedSt.lt(-1e-6) ? 1 : yt === 0n || recordedSt.gte(slack) ? -1 : 0
    return either(-1, ...[...this.accounts.values()].map(owes))
  }

  /** `Dmin*I >= N + H + deficit`, from recorded legs. */
  backed(index: ModelIndex): Truth {
    if (this.matured && this.owing === -1) return 1
    const lowest = this.matured ? fromQ64(this.pool.discount) : index.lowest(this.maturity)
    const issued = big([...this.lps.values()].reduce((sum, lp) => sum + lp.issued, 0n))
    const owed = this.everyone.reduce((sum, { margin, recordedSt, recordedDiscount, yt }) => {
      const coupons = yt < 0n ? big(-yt).times(fromQ64(recordedDiscount).minus(lowest)) : ZERO
      return sum.plus(positive(margin.plus(recordedSt).neg())).plus(coupons)
    }, this.deficit)
    if (owed.isZero()) return 1
    const slack = this.everyone.reduce((sum, account) => sum + account.slack, 2)
    return atLeast(issued.times(lowest), owed, slack)
  }

  /** A fund without YT pays a standing deficit at the end of every instruction. */
  fundPays(): void {
    if (this.fund.yt !== 0n || this.deficit.lte(0)) return
    const paid = X.min(this.fund.margin, this.deficit)
    this.fund.margin = this.fund.margin.minus(paid)
    this.deficit = this.deficit.minus(paid)
  }

  /** `ceil(D*max(sum of yt > 0, sum of yt < 0))` against the cap. */
  interestWithin(supply: bigint): Truth {
    const long = this.everyone.reduce((sum, { yt }) => sum + (yt > 0n ? yt : 0n), 0n)
    const short = this.everyone.reduce((sum, { yt }) => sum + (yt < 0n ? -yt : 0n), 0n)
    const cap = (supply * TERMS.openInterestBps[this.kind]) / 10_000n
    return truth(wholeUp(fromQ64(this.pool.discount).times(big(most(long, short)))) <= cap)
  }

  /** What one position is worth at a price of YT, in JLP: reserve, issued ST and earnings, less the YT it has sold. */
  lpEquity(id: string, price: Decimal): Decimal {
    const { issued } = this.lps.get(id)!
    const net = this.pool.inventory(id).minus(big(issued))
    return this.lpCash(id).plus(price.times(net))
  }

  private lpCash(id: string): Decimal {
    const issued = fromQ64(this.pool.discount).times(big(this.lps.get(id)!.issued))
    return issued.plus(this.pool.reserve(id)).plus(this.pool.position(id).earned)
  }

  /** All LPs together, with the dust of `vault`, which by the O(1) formula is counted as theirs. */
  lpEquityAll(price: Decimal, vault: Decimal): Decimal {
    return [...this.lps.keys()].reduce((sum, id) => sum.plus(this.lpEquity(id, price)), this.dust(vault))
  }

  /** What is in the vault beyond all claims (section 3, the second identity). */
  dust(vault: Decimal): Decimal {
    const owed = this.everyone.reduce((sum, { margin, st }) => sum.plus(margin).plus(st), this.fees.minus(this.deficit))
    const pt = fromQ64(this.pool.discount).times(big(this.pt))
    return [...this.lps.keys()].reduce((sum, id) => sum.minus(this.lpCash(id)), vault.minus(owed).minus(pt))
  }

  /** YT that nobody holds (the first identity): what rounding left with nobody. */
  ytDust(): Decimal {
    const held = this.everyone.reduce((sum, { yt }) => sum + yt, this.retired)
    const issued = [...this.lps.values()].reduce((sum, lp) => sum + lp.issued, 0n)
    const inventory = this.pool.positions.reduce((sum, { id }) => sum.plus(this.pool.inventory(id)), ZERO)
    return big(issued + this.pt - held).minus(inventory)
  }

  /** Whether trading the account down made its ratio at `twap` no worse than `before` was. */
  ratioKept(before: Account, account: Account, twap: bigint): Truth {
    const [assets, liabilities] = [this.assets(account, twap), this.liabilities(account, twap)]
    if (liabilities.isZero()) return 1
    const scale = X.max(this.liabilities(before, twap), 1)
    const left = assets.times(this.liabilities(before, twap)).div(scale)
    const right = this.assets(before, twap).times(liabilities).div(scale)
    return either(atLeast(left, right, account.slack + before.slack + 2), truth(false))
  }
}

/** A fund without YT that owes: its shortfall is the market's deficit. */
export const book = (market: ModelMarket): void => {
  const { fund } = market
  if (fund.yt !== 0n || fund.st.gte(0)) return
  market.deficit = market.deficit.minus(fund.st)
  fund.st = ZERO
}
