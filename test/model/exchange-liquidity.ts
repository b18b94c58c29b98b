/** The model's liquidity positions: added by `L`, removed in kind, with the deficit's share left behind (sections 5, 11, 12). */
import type { Of } from '../../src/exchange/instruction.ts'
import { positionId } from '../../src/exchange/state.ts'
import { F, fromQ64, X } from './exact.ts'
import { amountOf, type Context, feeOn } from './exchange-context.ts'
import { atLeast } from './exchange-judge.ts'
import { book, type Lp, type ModelMarket, settleLegs } from './exchange-market.ts'
import { big, least, TERMS, whole, wholeUp, ZERO } from './exchange-terms.ts'
import { tickRate } from './pool.ts'

type Ref = Of<'collect'> | Of<'add-liquidity'> | Of<'remove-liquidity'> | Of<'open-position'> | Of<'close-position'>

const idOf = ({ market, owner, lower, upper }: Ref): string => positionId(market, owner, lower, upper)

const named = (context: Context, market: ModelMarket, ref: Ref): Lp => {
  const lp = market.lps.get(idOf(ref))
  context.judge.need('unknown-position', lp !== undefined)
  return lp!
}

export const openPosition = (context: Context, instruction: Of<'open-position'>): void => {
  const market = context.market(instruction.market)
  const id = idOf(instruction)
  const { lower, upper } = instruction
  context.judge.need('matured', !market.matured)
  context.judge.need('position-exists', !market.lps.has(id))
  const inRange =
    lower < upper && lower >= TERMS.minTick && upper <= TERMS.maxTick && lower % 10 === 0 && upper % 10 === 0
  context.judge.need('bad-parameter', inRange)
  market.lps.set(id, { issued: 0n, addedAt: 0, slack: 0, shifted: 0 })
  market.pool.open(id, lower, upper, 0n)
}

export const closePosition = (context: Context, instruction: Of<'close-position'>): void => {
  const market = context.market(instruction.market)
  const lp = named(context, market, instruction)
  const id = idOf(instruction)
  const { liquidity, earned } = market.pool.position(id)
  const empty = liquidity === 0n && lp.issued === 0n
  context.judge.need('not-empty', empty ? atLeast(ZERO, earned, lp.slack) : -1)
  market.pool.positions.splice(market.pool.positions.indexOf(market.pool.position(id)), 1)
  market.lps.delete(id)
}

export const addLiquidity = (context: Context, instruction: Of<'add-liquidity'>): void => {
  const { judge, world } = context
  const market = context.market(instruction.market)
  const { liquidity, lower, upper, owner } = instruction
  context.inTime(instruction.deadline)
  context.forNewRisk(market)
  const lp = named(context, market, instruction)
  const { rate, tau, discount } = market.pool
  judge.demand(['limit-reached', 'bad-parameter'], instruction.minRate <= rate && rate <= instruction.maxRate)
  judge.demand('deficit-stands', market.deficit.lte(0))
  judge.demand('liquidity-limit', market.gross + liquidity <= 1n << 58n)
  judge.need(['bad-amount', 'deposit-too-small'], liquidity > 0n)
  const [a, b] = [tickRate(lower), tickRate(upper)]
  const c = rate < a ? a : rate > b ? b : rate
  const issued = wholeUp(fromQ64(b - c).times(big(liquidity)))
  const reserve = F(a, c, tau).times(fromQ64(discount)).times(big(liquidity))
  const cost = fromQ64(discount).times(big(issued)).plus(reserve)
  judge.demand('deposit-too-small', atLeast(cost.plus(2), big(1_000_000), 2))
  judge.demand('above-maximum', atLeast(big(instruction.maximum), cost, 2))
  context.fromVault(market, owner, cost.neg(), 2)
  market.pool.position(idOf(instruction)).liquidity += liquidity
  lp.issued += issued
  lp.addedAt = world.now
  lp.slack += 1
  market.roundings()
}

export const collect = (context: Context, instruction: Of<'collect'>): void => {
  const market = context.market(instruction.market)
  const lp = named(context, market, instruction)
  const { earned } = market.pool.position(idOf(instruction))
  context.judge.need('position-empty', atLeast(earned, big(1), lp.slack + 1))
  const all = market.lpEquityAll(market.price(market.twap), big(market.coffer))
  const events = context.said.filter(event => event.type === 'market')
  const said = context.applied ? events.reduce((sum, { deficit }) => sum - deficit, 0n) : undefined
  const kept = withhold(
    context,
    market,
    { cash: earned, pt: 0n, yt: 0n },
    all,
    said === undefined ? said : { jlp: said, pt: 0n, yt: 0n },
  )
  context.fromVault(market, instruction.owner, earned.minus(big(kept.jlp)), lp.slack + 1)
  market.pool.collect(idOf(instruction), earned)
  lp.slack = 0
}

export const removeLiquidity = (context: Context, instruction: Of<'remove-liquidity'>): void => {
  const { judge, world } = context
  const market = context.market(instruction.market)
  const { owner, share } = instruction
  const id = idOf(instruction)
  context.inTime(instruction.deadline)
  if (!market.matured) context.forExit(market)
  const lp = named(context, market, instruction)
  const position = market.pool.position(id)
  const { discount } = market.pool
  judge.demand('too-young', world.now >= lp.addedAt + TERMS.minimumAge)
  judge.need('position-empty', position.liquidity > 0n)
  const part = (amount: bigint): bigint => (amount * share.num) / share.den
  const liquidity = part(position.liquidity)
  judge.need('share-out-of-range', liquidity > 0n && share.num <= share.den)

  // In kind: reserve freed, earnings, and the net of inventory against what was issued.
  const price = market.price(market.twap)
  const equity = market.lpEquityAll(price, big(market.coffer))
  const portion = big(liquidity).div(big(position.liquidity))
  const inventory = whole(market.pool.inventory(id).times(portion))
  const freed = market.pool.reserve(id).times(portion)
  const ratio = big(share.num).div(big(share.den))
  const earned = share.num === share.den ? position.earned : position.earned.times(ratio)
  const issued = part(lp.issued)
  const paired = least(inventory, issued)
  const cash = fromQ64(discount).times(big(paired)).plus(freed).plus(earned)
  const pt = issued - paired
  const yt = inventory - paired
  position.liquidity -= liquidity
  position.earned = position.earned.minus(earned)
  lp.issued -= issued
  const slack = lp.slack * ratio.toNumber() + 4
  lp.slack = lp.slack * (1 - ratio.toNumber()) + 1
  lp.shifted += 1

  const last = market.gross === 0n
  const said = context.event('liquidity-removed')?.withheld
  const kept = withhold(context, market, { cash, pt, yt }, last ? ZERO : equity, said)
  context.fromVault(market, owner, cash.minus(big(kept.jlp)), slack)
  market.pt += pt - kept.pt
  let [ptLeft, ytLeft] = [pt - kept.pt, yt - kept.yt]
  if (market.matured) {
    // YT that expire in a position are nobody's, as those of accounts are.
    market.retired += yt - kept.pt
    ytLeft = 0n
  }
  if (instruction.zap !== undefined && !market.matured && ptLeft + ytLeft > 0n) {
    const sold = zap(context, market, instruction, ptLeft, ytLeft)
    ptLeft -= sold.pt
    ytLeft -= sold.yt
  }
  context.pay(`pt/${market.id}`, owner, ptLeft)
  if (ytLeft > 0n) {
    const account = context.account(instruction)
    account.yt += ytLeft
    settleLegs(account)
    market.record(account)
  }
  judge.demand('backing', market.backed(context.index(market)))
}

interface Kept {
  readonly jlp: bigint
  readonly pt: bigint
  readonly yt: bigint
}

/**
 * The deficit's share of a removal: `ceil` of each part, within what the deficit still is. The engine's whole numbers are taken
 * over once they are found right: the share depends on the equity of all LPs, which contains every rounding made so far. The last to leave has no equity beside
 * it, and leaves all that is missing.
 */
const withhold = (
  context: Context,
  market: ModelMarket,
  { cash, pt, yt }: { cash: ReturnType<typeof big>; pt: bigint; yt: bigint },
  equity: ReturnType<typeof big>,
  said: Kept | undefined,
): Kept => {
  if (market.deficit.lte(0)) return { jlp: 0n, pt: 0n, yt: 0n }
  const discount = fromQ64(market.pool.discount)
  const share = equity.lte(0) ? big(1) : X.min(1, market.deficit.div(equity))
  const jlp = least(wholeUp(cash.floor().times(share)), whole(market.deficit))
  let left = market.deficit.minus(big(jlp))
  const keptPt = least(wholeUp(big(pt).times(share)), whole(left.div(discount)))
  left = left.minus(discount.times(big(keptPt)))
  const keptYt = least(wholeUp(big(yt).times(share)), whole(left.div(discount)))
  const kept = said ?? { jlp, pt: keptPt, yt: keptYt }
  if (said !== undefined) {
    // The share may differ by the roundings in the LPs' equity.
    const slack = market.everyone.reduce((sum, account) => sum + account.slack, 10)
    const unsure = equity.gt(0) ? big(slack + 50).div(equity) : ZERO
    const near = (a: bigint, b: bigint, of: ReturnType<typeof big>): boolean =>
      big(a - b)
        .abs()
        .lte(of.times(unsure).plus(2))
    const right = near(said.jlp, jlp, cash) && near(said.pt, keptPt, big(pt)) && near(said.yt, keptYt, big(yt))
    context.judge.demand('model: withheld', right, () =>
      [said.jlp, jlp, said.pt, keptPt, said.yt, keptYt, share.toFixed(12)].join(' '),
    )
  }
  market.deficit = market.deficit.minus(big(kept.jlp)).minus(discount.times(big(kept.pt)))
  if (market.matured || kept.pt + kept.yt === 0n) return kept
  const { fund } = market
  market.touch(fund)
  fund.yt += kept.yt - kept.pt
  settleLegs(fund)
  book(market)
  market.record(fund)
  return kept
}

/** Sells the PT or YT received down to the limit; a sale that does not bring its fee is not made. */
const zap = (
  context: Context,
  market: ModelMarket,
  { owner, zap: order }: Of<'remove-liquidity'>,
  pt: bigint,
  yt: bigint,
): { pt: bigint; yt: bigint } => {
  const isPt = pt > 0n
  const walked = market.walk(isPt, isPt ? pt : yt, order!.limitRate)
  const none = { pt: 0n, yt: 0n }
  if (walked.filled === 0n) return none
  const brings = amountOf(market, isPt, walked)
  const fair = brings.floor().gt(feeOn(isPt ? walked.area.ceil() : walked.area.floor()))
  const sells = context.applied ? context.event('swapped') !== undefined : fair
  context.judge.demand('model: a zap that does not pay', sells === fair)
  if (!sells) return none
  const fee = context.swap(market, isPt ? 'sell-pt' : 'sell-yt', walked)
  context.fromVault(market, owner, brings.minus(fee), 1)
  if (isPt) market.pt -= walked.filled
  return isPt ? { pt: walked.filled, yt: 0n } : { pt: 0n, yt: walked.filled }
}
