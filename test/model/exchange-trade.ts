/** The model's trades: long, short, reduce, close, roll, and PT against the wallet (sections 5, 6 and 12). */
import type { Of, OrderBounds, TradeAmount } from '../../src/exchange/instruction.ts'
import { type AccountRef, accountId } from '../../src/exchange/state.ts'
import { fromQ64 } from './exact.ts'
import { amountOf, type Context, NOTHING_TRADED, walkForAmount } from './exchange-context.ts'
import { atLeast, both, either, truth } from './exchange-judge.ts'
import { type Account, type ModelMarket, settleLegs } from './exchange-market.ts'
import { big, least, most, size, whole, ZERO } from './exchange-terms.ts'
import type { ModelResult } from './pool.ts'

/** Sign of a limit: the nearer of two. */
export const nearer = (up: boolean, a: bigint, b: bigint): bigint => (up ? least(a, b) : most(a, b))

/** Finds what an order fills, or stops if that is nothing or below the caller's minimum. */
const fill = (
  context: Context,
  market: ModelMarket,
  order: { readonly up: boolean; readonly amount: TradeAmount; readonly limit: bigint; readonly minimum: bigint },
): ModelResult => {
  const { up, amount, limit, minimum } = order
  const walked =
    'yt' in amount
      ? market.walk(up, amount.yt, limit)
      : walkForAmount(market, { up, pt: false, pays: up, amount: amount.st }, limit)
  context.judge.need([...NOTHING_TRADED, ...(minimum > 0n ? ['below-minimum'] : [])], walked.filled > 0n)
  context.judge.demand('below-minimum', walked.filled >= minimum)
  return walked
}

const NO_LEVY = (_filled: bigint): bigint => 0n

const charge = (account: Account, fee: ReturnType<Context['swap']>): void => {
  account.margin = account.margin.minus(fee)
  settleLegs(account)
}

/** Opens or increases a position; `levy` is what a fill costs besides. How many YT were filled. */
export const increase = (
  context: Context,
  market: ModelMarket,
  account: Account,
  order: OrderBounds & { readonly up: boolean; readonly amount: TradeAmount; readonly spot: boolean },
  levy = NO_LEVY,
): bigint => {
  const { judge, world } = context
  const { up, spot } = order
  const index = context.index(market)
  judge.need('opposite-position', up ? account.yt >= 0n : account.yt <= 0n)
  const { twap } = market
  if (!spot) judge.demand('history-short', market.oracle.age(world.now) >= 300)
  const limit = spot ? order.limitRate : nearer(up, order.limitRate, market.guard(up))
  const walked = fill(context, market, { up, amount: order.amount, limit, minimum: order.minimum })
  const fee = context.swap(market, up ? 'buy-yt' : 'sell-yt', walked)
  if (!spot) judge.demand('limit-reached', market.reaches(up, walked.rateAfter))
  account.yt += up ? walked.filled : -walked.filled
  account.st = up ? account.st.minus(walked.area) : account.st.plus(walked.area)
  account.slack += 1
  charge(account, fee.plus(big(levy(walked.filled))))
  market.record(account)
  if (spot) judge.demand('not-spot', market.spot(account))
  else judge.demand('undercollateralised', market.initial(account, twap, index))
  if (!spot || !up) judge.demand('backing', market.backed(index))
  judge.demand('open-interest', market.interestWithin(world.jlpSupply))
  return walked.filled
}

/** Closes `n` YT of an account through the walk: the pro rata ST leg and what the swap brings go into margin. */
export const realise = (account: Account, walked: ModelResult): void => {
  const { filled, area } = walked
  const long = account.yt > 0n
  const share = account.st.times(big(filled)).div(big(size(account.yt)))
  account.st = account.st.minus(share)
  account.margin = account.margin.plus(share).plus(long ? area : area.neg())
  account.yt -= long ? filled : -filled
  account.slack += 1
  account.shifted += 1
}

/** Trades against the position: at most all of it. How many YT were filled. */
export const decrease = (
  context: Context,
  market: ModelMarket,
  account: Account,
  order: OrderBounds & { readonly amount: TradeAmount | 'all' },
  levy = NO_LEVY,
): bigint => {
  const { judge, world } = context
  judge.need('no-position', account.yt !== 0n)
  const up = account.yt < 0n
  const { twap } = market
  const before = { ...account }
  const wasSpot = market.spot(account)
  if (wasSpot === -1) judge.demand('history-short', market.oracle.age(world.now) >= 300)
  const limit = wasSpot >= 0 ? order.limitRate : nearer(up, order.limitRate, market.guard(up))
  const amount = order.amount === 'all' ? { yt: size(account.yt) } : order.amount
  if ('yt' in amount) judge.need('exceeds-position', amount.yt <= size(account.yt))
  const walked = fill(context, market, { up, amount, limit, minimum: order.minimum })
  judge.need('exceeds-position', walked.filled <= size(account.yt))
  const fee = context.swap(market, up ? 'buy-yt' : 'sell-yt', walked)
  realise(account, walked)
  charge(account, fee.plus(big(levy(walked.filled))))
  market.record(account)
  const equity = atLeast(market.equity(account, market.pool.rate), ZERO, account.slack + 2)
  judge.demand(
    ['undercollateralised', 'not-better'],
    either(
      market.initial(account, twap, context.index(market)),
      both(truth(account.yt !== 0n), equity, market.ratioKept(before, account, twap)),
    ),
  )
  return walked.filled
}

export const trade = (context: Context, instruction: Of<'trade'>): void => {
  const market = context.market(instruction.market)
  context.inTime(instruction.deadline)
  if (instruction.action === 'long' || instruction.action === 'short') {
    context.forNewRisk(market)
    const account = context.account(instruction)
    increase(context, market, account, {
      ...instruction,
      up: instruction.action === 'long',
      spot: instruction.spot ?? false,
    })
    return
  }
  context.forExit(market)
  const account = context.account(instruction)
  decrease(context, market, account, {
    ...instruction,
    amount: instruction.action === 'close' ? 'all' : instruction.amount,
  })
}

/** Closes wholly, moves all margin to an account of a later market, opens there on the same side. */
export const roll = (context: Context, instruction: Of<'roll'>): void => {
  const { judge } = context
  const from = context.market(instruction.market)
  const to = context.market(instruction.to.market)
  context.inTime(instruction.deadline)
  judge.demand('bad-parameter', to.maturity > from.maturity)
  context.forExit(from)
  context.forNewRisk(to)
  const account = context.account(instruction)
  const up = account.yt > 0n
  const { limitRate, minimum, deadline } = instruction
  decrease(context, from, account, { limitRate: instruction.closeLimitRate, minimum: 0n, deadline, amount: 'all' })
  judge.need(['below-minimum', 'not-empty', ...NOTHING_TRADED], account.yt === 0n)
  const owes = account.st.isZero() ? 1 : atLeast(account.st, ZERO, account.slack)
  judge.need(['undercollateralised', 'insufficient-margin', 'not-empty'], owes)
  // Less than an atom of margin is none to move.
  judge.demand('insufficient-margin', atLeast(account.margin, big(1n), account.slack + 1))
  // The whole atoms of the margin move; what the engine moves is checked to be these, but for its roundings.
  const moved = movedMargin(context, instruction.to) ?? whole(account.margin)
  const short = account.margin.minus(big(moved)).toNumber()
  judge.demand('model: another margin moved', short > -1 && short <= account.slack + 1, () => `${short}`)
  account.margin = account.margin.minus(big(moved))
  account.netDeposits = most(0n, account.netDeposits - moved)
  from.vault = from.vault.minus(big(moved))
  to.vault = to.vault.plus(big(moved))
  const target = context.account(instruction.to)
  target.margin = target.margin.plus(big(moved))
  target.netDeposits += moved
  increase(context, to, target, { limitRate, minimum, deadline, amount: instruction.amount, up, spot: false })
}

const movedMargin = (context: Context, to: AccountRef): bigint | undefined => {
  const event = context.said.find(e => e.type === 'account' && accountId(e) === accountId(to))
  return event?.type === 'account' ? event.netDeposits : undefined
}

/** PT against the wallet: the AMM's amount, and the fee on top. */
export const tradePt = (context: Context, instruction: Of<'buy-pt' | 'sell-pt'>): void => {
  const { judge } = context
  const market = context.market(instruction.market)
  const { amount, owner, limitRate } = instruction
  context.inTime(instruction.deadline)
  const buys = instruction.kind === 'buy-pt'
  if (buys) context.forNewRisk(market)
  else context.forExit(market)
  if (market.matured) return
  const walked =
    'pt' in amount
      ? market.walk(!buys, amount.pt, limitRate)
      : walkForAmount(market, { up: !buys, pt: true, pays: buys, amount: amount.st }, limitRate)
  judge.need([...NOTHING_TRADED, 'below-minimum'], walked.filled > 0n)
  judge.demand('below-minimum', walked.filled >= instruction.minimum)
  const jlp = amountOf(market, true, walked)
  const fee = context.swap(market, instruction.kind, walked)
  context.pay(`pt/${market.id}`, owner, buys ? walked.filled : -walked.filled)
  market.pt += buys ? walked.filled : -walked.filled
  if (!buys) judge.demand('amount-too-small', jlp.floor().gte(fee))
  context.fromVault(market, owner, buys ? jlp.plus(fee).neg() : jlp.minus(fee), 1)
}

/** `ceil(D*n)` for `n` PT and `n` YT. */
export const split = (context: Context, instruction: Of<'split'>): void => {
  const market = context.market(instruction.market)
  const { yt, owner } = instruction
  context.judge.demand(['bad-amount', 'zero-amount'], yt > 0n)
  context.forNewRisk(market)
  const account = context.account(instruction)
  context.fromVault(market, owner, fromQ64(market.pool.discount).times(big(yt)).neg(), 1)
  context.pay(`pt/${market.id}`, owner, yt)
  market.pt += yt
  account.yt += yt
  settleLegs(account)
  market.record(account)
  context.judge.demand('open-interest', market.interestWithin(context.world.jlpSupply))
}

/** `floor(D*n)` for `n` PT and `n` YT of a long account. */
export const merge = (context: Context, instruction: Of<'merge'>): void => {
  const market = context.market(instruction.market)
  const { yt, owner } = instruction
  context.judge.demand('matured', !market.matured)
  context.judge.demand(['bad-amount', 'zero-amount'], yt > 0n)
  const account = context.account(instruction)
  context.judge.need('insufficient-yt', account.yt >= yt)
  context.pay(`pt/${market.id}`, owner, -yt)
  market.pt -= yt
  account.yt -= yt
  settleLegs(account)
  market.record(account)
  context.fromVault(market, owner, fromQ64(market.pool.discount).times(big(yt)), 1)
  if (!market.matured) context.afterWithdrawal(market, account)
}
