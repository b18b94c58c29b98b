/** The model's liquidation, take-over, insurance fund and settlement (sections 7, 8, 11 and 12). */
import type { Decimal } from 'decimal.js'
import type { Of } from '../../src/exchange/instruction.ts'
import { fromQ64, X } from './exact.ts'
import { type Context, feeOn, NOTHING_TRADED } from './exchange-context.ts'
import type { ModelIndex } from './exchange-index.ts'
import { atLeast, both, either, not, type Truth, truth } from './exchange-judge.ts'
import { type Account, book, type ModelMarket, newAccount, settleLegs } from './exchange-market.ts'
import { big, least, most, positive, size, TERMS, whole, ZERO } from './exchange-terms.ts'
import { realise } from './exchange-trade.ts'
import type { ModelResult } from './pool.ts'

/** An account after some of it was closed: nothing has happened yet. */
interface After {
  readonly walked: ModelResult
  readonly account: Account
  readonly penalty: Decimal
}

/** The forced close of an account (or of the fund, which pays no penalty) as a function of the amount. */
export class Close {
  readonly market: ModelMarket
  readonly index: ModelIndex
  readonly before: Account
  readonly up: boolean
  readonly limit: bigint
  readonly twap: bigint
  readonly penalised: boolean

  constructor(market: ModelMarket, index: ModelIndex, account: Account, penalised: boolean) {
    this.market = market
    this.index = index
    this.before = { ...account }
    this.penalised = penalised
    this.up = account.yt < 0n
    this.twap = market.twap
    this.limit = market.forcedLimit(this.up, index, penalised)
  }

  get size(): bigint {
    return size(this.before.yt)
  }

  /** What the AMM fills of the whole position near TWAP. */
  get most(): bigint {
    return this.market.walk(this.up, this.size, this.limit).filled
  }

  /** Wholly below 102.5 % at TWAP, or with liabilities below the minimum size. */
  get wholly(): Truth {
    const small = atLeast(
      this.market.liabilities(this.before, this.twap),
      big(TERMS.minimumSize),
      this.before.slack + 2,
    )
    return either(not(this.market.ratioAtLeast(this.before, this.twap, TERMS.whole)), not(small))
  }

  after(n: bigint, penalised = this.penalised): After {
    const { market } = this
    const walked = market.walk(this.up, n < this.size ? n : this.size, this.limit)
    const account = { ...this.before }
    if (walked.filled === 0n) return { walked, account, penalty: ZERO }
    realise(account, walked)
    const leg = this.up ? walked.area.ceil() : walked.area.floor()
    const penalty = penalised ? this.penalty(walked, leg) : ZERO
    account.margin = account.margin.minus(feeOn(leg)).minus(penalty)
    settleLegs(account)
    return { walked, account, penalty }
  }

  /**
   * `leg * min(2 %, max(0, CR - 1 - slippage - fee)/2)`, not yet rounded: the ratio at TWAP, as the account was found; the
   * slippage against its value at the better of TWAP and the spot before the close.
   */
  penalty({ filled, area }: ModelResult, leg: Decimal): Decimal {
    const { market, before, twap } = this
    if (leg.isZero()) return ZERO
    const ratio = market.assets(before, twap).div(market.liabilities(before, twap))
    const prices = [market.price(market.pool.rate), market.price(twap)] as const
    const fair = (this.up ? X.min(...prices) : X.max(...prices)).times(big(filled))
    const slippage = positive(this.up ? area.minus(fair) : fair.minus(area)).div(fair)
    const fee = feeOn(leg).div(leg)
    const half = positive(ratio.minus(1).minus(slippage).minus(fee)).div(2)
    return leg.times(X.min(TERMS.penaltyMost, half))
  }

  /** The initial ratio and 1.2 times the gap after a close, both at TWAP; or nothing left to be liquidated. */
  restored({ account, walked }: After): Truth {
    if (walked.filled === 0n) return -1
    const { market, twap } = this
    const looser = { ...account, slack: account.slack + 2 }
    const gap = market.gap(account, twap, this.index).times('1.2')
    const enough = atLeast(market.equity(account, twap), gap, looser.slack + 2)
    return either(market.spot(looser), both(market.ratioAtLeast(looser, twap, TERMS.initial), enough))
  }

  /** Equity at the spot after a close is not negative. */
  solvent({ account, walked }: After): Truth {
    return atLeast(this.market.equity(account, walked.rateAfter), ZERO, account.slack + 4)
  }

  /** The least amount from 1 to `top` with `holds`, which is taken to hold from there on; `top` if none is found. */
  leastWith(holds: (after: After) => boolean, top: bigint): bigint {
    let [low, high] = [0n, top]
    while (high - low > 1n + high / 512n) {
      const middle = (low + high) / 2n
      if (holds(this.after(middle))) high = middle
      else low = middle
    }
    return high
  }

  /** How much a keeper would close by the model's own slow search; nothing if nothing can be closed. */
  amount(): bigint {
    const { most } = this
    const wanted = this.wholly >= 0 ? most : this.leastWith(after => this.restored(after) >= 0, most)
    if (this.solvent(this.after(wanted)) >= 0) return wanted === most ? this.size : wanted
    return this.leastWith(after => this.solvent(after) < 0, wanted) - 1n
  }
}

/** A 64th part, up: how exactly an amount must be met. */
const stepOf = (n: bigint): bigint => (n + 63n) / 64n

/** Liquidates the amount that the caller names, if it is one of those that section 12 allows. */
export const liquidate = (context: Context, instruction: Of<'liquidate'>): void => {
  const { judge } = context
  const { yt } = instruction
  const market = context.market(instruction.market)
  context.forExit(market)
  judge.need(['bad-amount', 'zero-amount'], yt > 0n)
  const account = context.account(instruction)
  if (market.matured) return
  const { twap } = market
  const index = context.index(market)
  judge.need('healthy', not(market.maintained(account, twap, index)))
  judge.need('exceeds-position', yt <= size(account.yt))
  const close = new Close(market, index, account, true)
  const after = close.after(yt)
  const n = after.walked.filled
  judge.need(NOTHING_TRADED, n > 0n)
  const step = stepOf(n)
  const all = truth(n < yt || n === close.size)
  const restored = both(not(close.wholly), close.restored(after))
  const more = both(restored, close.restored(close.after(n - step)))
  const short = not(close.solvent(close.after(n + step)))
  judge.demand('wrong-amount', both(close.solvent(after), not(more), either(restored, all, short)))
  const cut = both(not(restored), not(all), short)
  const takesOver = cut === 0 ? context.event('taken-over') !== undefined : cut === 1

  const fee = context.swap(market, close.up ? 'buy-yt' : 'sell-yt', after.walked)
  realise(account, after.walked)
  const penalty = penaltyOf(context, close, after)
  account.margin = account.margin.minus(fee).minus(big(penalty))
  settleLegs(account)
  const reward = penalty / 2n
  context.fromVault(market, instruction.by, reward)
  const rest = big(penalty - reward)
  const repaid = X.min(rest, market.deficit)
  market.deficit = market.deficit.minus(repaid)
  market.fund.margin = market.fund.margin.plus(rest).minus(repaid)
  const event = context.event('liquidated')
  if (event !== undefined) judge.demand('model: another reward', event.reward === reward && event.closed === n)
  market.record(account)
  if (takesOver) takeOverRest(context, market, account)
  else if (account.yt !== 0n) {
    const kept = market.ratioKept(close.before, account, twap)
    judge.demand('no-improvement', cut === 0 && kept === -1 ? 0 : kept)
  }
}

/** The engine's penalty, once it is the model's rounded down, with the roundings of the ratio allowed for. */
const penaltyOf = (context: Context, close: Close, after: After): bigint => {
  const said = context.event('liquidated')?.penalty
  if (said === undefined) return whole(after.penalty)
  // The ratio is off by the atoms that either side of it may have lost; the penalty by half of that part of the leg.
  const owed = X.max(1, close.market.liabilities(close.before, close.twap))
  const unsure = after.walked.area
    .times(close.before.slack + 4)
    .div(owed)
    .plus(2)
  const under = after.penalty.minus(big(said))
  context.judge.demand(
    'model: another penalty',
    under.gte(unsure.neg()) && under.lte(unsure.plus(1)),
    () => `${said}, the model ${after.penalty.toFixed(6)}`,
  )
  return said
}

/** The fund takes the account's legs; below maintenance it is closed itself, and what it cannot pay is the market's deficit. */
const takeOverRest = (context: Context, market: ModelMarket, account: Account): void => {
  const { judge } = context
  const { fund, twap } = market
  const index = context.index(market)
  market.touch(fund)
  fund.margin = fund.margin.plus(account.margin)
  fund.st = fund.st.plus(account.st)
  fund.yt += account.yt
  fund.slack += account.slack
  fund.shifted += account.shifted
  Object.assign(account, { ...newAccount(market.pool.discount), netDeposits: account.netDeposits })
  settleLegs(fund)
  book(market)
  const healthy = market.maintained(fund, twap, index)
  const swapped = context.said.filter(event => event.type === 'swapped').length
  const closes = healthy === 0 ? swapped > (context.event('liquidated') === undefined ? 0 : 1) : healthy === -1
  if (closes) {
    const close = new Close(market, index, fund, false)
    const { walked } = close.after(close.size)
    judge.need('fund-short', walked.filled > 0n)
    closeFund(context, market, close.up, walked)
  }
  market.record(fund)
}

/** A trade of the fund against its own position. Its share of the fee comes back to it after the fee is paid. */
const closeFund = (context: Context, market: ModelMarket, up: boolean, walked: ModelResult): void => {
  const { fund } = market
  const { margin } = fund
  const fee = context.swap(market, up ? 'buy-yt' : 'sell-yt', walked)
  const share = fund.margin.minus(margin)
  realise(fund, walked)
  fund.margin = fund.margin.minus(fee).minus(share)
  settleLegs(fund)
  fund.margin = fund.margin.plus(share)
  settleLegs(fund)
  book(market)
}

export const takeOver = (context: Context, instruction: Of<'take-over'>): void => {
  const { judge } = context
  const market = context.market(instruction.market)
  context.forExit(market)
  const account = context.account(instruction)
  if (market.matured) return
  const index = context.index(market)
  judge.need('healthy', not(market.maintained(account, market.twap, index)))
  const equity = market.equity(account, market.twap)
  // At the bound of an account's own close; of so few that the least fee decides, it is all or nothing.
  const close = new Close(market, index, account, true)
  const small = not(atLeast(market.liabilities(account, market.twap), big(TERMS.minimumSize), account.slack + 2))
  const atom = close.after(small >= 0 ? close.size : 1n, false)
  const indebted = atom.walked.filled === 0n ? -1 : not(close.solvent(atom))
  const lost = either(not(atLeast(equity, ZERO, account.slack + 2)), indebted)
  judge.need('healthy', lost)
  takeOverRest(context, market, account)
  market.record(account)
}

/** Anyone trades the fund down: a healthy one not against itself, that is only on the better side of TWAP. */
export const reduceFund = (context: Context, { market: id, yt }: Of<'reduce-fund'>): void => {
  const { judge } = context
  const market = context.market(id)
  context.forExit(market)
  if (market.matured) return
  const { fund, twap } = market
  market.touch(fund)
  judge.need('no-position', fund.yt !== 0n)
  judge.need('exceeds-position', yt <= size(fund.yt))
  const up = fund.yt < 0n
  const healthy = market.maintained(fund, twap, context.index(market))
  const guard = market.forcedLimit(up, context.index(market), false)
  const kinder = up ? least(guard, twap) : most(guard, twap)
  // Where health hangs on a part of an atom, the engine's fill tells which limit it took.
  const forced =
    healthy === -1 || (healthy === 0 && context.event('swapped')?.rateAfter !== market.walk(up, yt, kinder).rateAfter)
  const walked = market.walk(up, yt, forced ? guard : kinder)
  judge.need(NOTHING_TRADED, walked.filled > 0n)
  closeFund(context, market, up, walked)
  market.record(fund)
}

/** At maturity: YT is nothing, the ST leg is margin, and what is missing is paid by the fund, then is deficit. */
export const settle = (context: Context, instruction: Of<'settle'>): void => {
  const market = context.market(instruction.market)
  context.judge.need('not-matured', market.matured)
  settleAccount(market, context.account(instruction))
}

const settleAccount = (market: ModelMarket, account: Account): void => {
  market.retired += account.yt
  account.yt = 0n
  settleLegs(account)
  if (account.st.lt(0)) {
    const paid = X.min(account.st.neg(), market.fund.margin)
    market.fund.margin = market.fund.margin.minus(paid)
    market.fund.slack += account.slack
    market.deficit = market.deficit.minus(account.st).minus(paid)
    account.st = ZERO
  }
  market.record(account)
  reckon(market)
}

/** Once no debtor is left: what the LPs do not bear of a deficit is cut from profits, when all of them are known. */
const reckon = (market: ModelMarket): void => {
  if (market.haircut !== undefined || market.owing >= 0) return
  const equity = positive(market.lpEquityAll(ZERO, big(market.coffer)))
  const uncovered = positive(market.deficit.minus(equity))
  const accounts = [...market.accounts.values()]
  const open = accounts.some(({ yt, recordedSt }) => yt !== 0n || !recordedSt.isZero())
  if (uncovered.gt(0) && open) return
  const profit = accounts.reduce(
    (sum, { margin, netDeposits }) => sum.plus(positive(margin.minus(big(netDeposits)))),
    ZERO,
  )
  market.haircut = { uncovered: X.min(uncovered, profit), profit }
}

/** What a settled account may withdraw (section 8): deposits at once, profits when all debts are settled. */
export const withdrawSettled = (context: Context, market: ModelMarket, account: Account, jlp: bigint): void => {
  const { judge } = context
  settleAccount(market, account)
  const [asked, slack] = [big(jlp), account.slack]
  const { haircut } = market
  if (haircut === undefined) {
    const own = X.min(account.margin, big(account.netDeposits))
    const unsure = market.owing === 0 ? 0 : -1
    judge.demand(['awaiting-settlement', 'insufficient-margin'], either(unsure, atLeast(own, asked, slack)))
    return
  }
  const profit = positive(account.margin.minus(big(account.netDeposits)))
  const cut = haircut.profit.isZero() ? ZERO : profit.times(haircut.uncovered).div(haircut.profit)
  if (cut.gt(0)) {
    account.margin = account.margin.minus(cut)
    account.slack += 1
    market.deficit = positive(market.deficit.minus(cut))
    account.netDeposits = whole(account.margin)
  }
  judge.demand('insufficient-margin', atLeast(account.margin, asked, slack + 1))
}

export const faceOf = (market: ModelMarket, pt: bigint): Decimal => fromQ64(market.pool.discount).times(big(pt))
