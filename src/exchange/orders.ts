/**
 * Resting orders (docs/protocol.md section 14): an owner says once what may be done with a margin account, and anyone does it when
 * it may be done, for the fee that the owner has set. A fill is a trade, by the same functions and under the same conditions.
 */
import { MAX_RATE } from '../../amm/index.ts'
import { U64_MAX } from '../../amm/units.ts'
import { abs } from './account.ts'
import { checkAmount } from './accounts.ts'
import { type Draft, LEG_MAX } from './draft.ts'
import { refuse } from './errors.ts'
import type { Of } from './instruction.ts'
import { equity, isSpot, ytInJlp } from './margin.ts'
import type { MarginAccount, Market, RestingOrder } from './state.ts'
import { checkHistory, guarded, inRange, twapOf } from './swap.ts'
import { increase, keepsRatio, reduce } from './trade.ts'

const LAST_SECOND = 0xffff_ffff

const isReduction = ({ action }: RestingOrder): boolean => action === 'reduce-long' || action === 'reduce-short'

/** Whether a fill buys YT. */
const isUp = ({ action }: RestingOrder): boolean => action === 'long' || action === 'reduce-short'

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** The owner places it; nothing is set aside for it. */
export const placeOrder = (draft: Draft, placed: Of<'place-order'>): void => {
  const { market: id, owner, sub, action, amount, spot, limitRate, minimum, trigger, level, fee, expiresAt } = placed
  const terms = { action, amount, spot, limitRate, minimum, trigger, level, fee, expiresAt }
  const order = { market: id, owner, sub, id: placed.id, ...terms }
  checkTerms(draft, order)
  const market = draft.market(order.market)
  draft.account(order, market)
  draft.addOrder(order)
  if (market.pool.tauSeconds === 0) refuse('matured', { maturity: market.maturity, now: draft.world.now })
  draft.saveMarket(market)
}

/** Refuses what no order can mean. */
const checkTerms = (draft: Draft, order: RestingOrder): void => {
  const { amount, fee, minimum, limitRate, level, trigger, expiresAt, id } = order
  checkAmount(amount)
  if (amount > LEG_MAX) refuse('bad-amount', { amount, most: LEG_MAX })
  if (fee < 0n || fee > LEG_MAX) refuse('bad-amount', { fee, most: LEG_MAX })
  if (minimum < 0n || minimum > U64_MAX) refuse('bad-amount', { minimum, most: U64_MAX })
  draft.checkDeadline(expiresAt)
  if (!Number.isInteger(expiresAt) || expiresAt > LAST_SECOND) {
    refuse('bad-parameter', { name: 'expiresAt', value: expiresAt })
  }
  if (!Number.isInteger(id) || id < 0 || id > 255) refuse('bad-parameter', { name: 'id', value: id })
  if (limitRate < 0n || limitRate > MAX_RATE) refuse('bad-parameter', { name: 'limitRate', value: limitRate })
  // Only exits may wait for an event: what it opened would be opened at the worst of moments.
  if (trigger !== 'none' && !isReduction(order)) refuse('bad-parameter', { name: 'trigger', value: trigger })
  const [lowest, highest] =
    trigger === 'none' ? [0n, 0n] : trigger.startsWith('rate') ? [0n, MAX_RATE] : [-LEG_MAX, LEG_MAX]
  if (level < lowest || level > highest) refuse('bad-parameter', { name: 'level', value: level })
}

/** The owner takes it back, at any time. */
export const cancelOrder = (draft: Draft, ref: Of<'cancel-order'>): void => draft.removeOrder(ref)

/** Anyone removes one that nobody can fill any more: past its time, or in a market that has matured. */
export const expireOrder = (draft: Draft, ref: Of<'expire-order'>): void => {
  const { expiresAt } = draft.order(ref)
  const market = draft.market(ref.market)
  const { now } = draft.world
  if (now <= expiresAt && market.pool.tauSeconds > 0) refuse('too-early', { expiresAt, now })
  draft.removeOrder(ref)
  draft.saveMarket(market)
}

/**
 * Fills what the AMM trades of an order within its limit: all that is left or at least its minimum, for as large a part of its fee.
 * Whoever fills it chooses the moment, so that the bound for margined trades and a window of history hold for spot orders too.
 */
export const fillOrder = (draft: Draft, { by, ...ref }: Of<'fill-order'>): void => {
  const order = draft.order(ref)
  if (by === order.owner) refuse('same-account', { by })
  draft.checkDeadline(order.expiresAt)
  const market = draft.market(ref.market)
  const account = draft.account(ref, market)
  checkHistory(draft, market)
  const twapRate = twapOf(draft, market)
  const price = ytInJlp(twapRate, market.pool)
  checkTrigger(order, account, twapRate, price)
  const [reduces, up] = [isReduction(order), isUp(order)]
  if (reduces && (up ? account.yt >= 0n : account.yt <= 0n)) refuse('no-position', { yt: account.yt })
  const yt = reduces ? least(order.amount, abs(account.yt)) : order.amount
  const feeOf = (filled: bigint): bigint => (order.fee * filled) / yt
  const bounds = {
    limitRate: guarded(inRange(order.limitRate, market, up), twapRate, market.terms.guardBps, up),
    minimum: least(order.minimum, yt),
    deadline: order.expiresAt,
    amount: { yt },
  }
  const { spot } = order
  const done = reduces
    ? reduce(draft, { ...bounds, action: 'reduce' }, market, account, feeOf)
    : increase(draft, { ...bounds, action: up ? 'long' : 'short', spot }, market, account, feeOf)
  const { filled, account: after } = done
  const fee = feeOf(filled)
  if (reduces && fee > 0n) checkFee(draft, done.market, [account, after], price)
  const paid = draft.pay(done.market, by, -fee)
  const { owner, sub, id } = order
  draft.events.push({ type: 'filled', market: market.id, owner, sub, id, by, filled, fee })
  // With the position gone there is nothing left that it was meant for.
  if (filled === order.amount || (reduces && after.yt === 0n)) draft.removeOrder(order)
  else draft.saveOrder({ ...order, amount: order.amount - filled, fee: order.fee - fee })
  draft.saveMarket(paid)
}

/** Refuses `not-triggered` unless what the order waits for is so at the TWAP, which nobody pushes in a moment. */
const checkTrigger = (
  { trigger, level }: RestingOrder,
  account: MarginAccount,
  twapRate: bigint,
  price: bigint,
): void => {
  if (trigger === 'none') return
  const value = trigger.startsWith('rate') ? twapRate : equity(account, price) - account.netDeposits
  const past = trigger.endsWith('above') ? value >= level : value <= level
  if (!past) refuse('not-triggered', { trigger, value, level })
}

/**
 * A fee leaves the market. Out of a reduction that lowers the ratio, of an account that owes afterwards, it is a withdrawal: no coupon
 * may be due, and the market stays backed. (Where the ratio does not fall, neither does what backs the market.)
 */
const checkFee = (
  draft: Draft,
  market: Market,
  [before, after]: readonly [MarginAccount, MarginAccount],
  price: bigint,
): void => {
  if (isSpot(after, market.pool.discount) || keepsRatio(before, after, price)) return
  draft.checkFresh(market)
  draft.checkBacking(market)
}
