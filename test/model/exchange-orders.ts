/** The model's resting orders (section 14): what may wait, and a fill as the trade that it is. */
import type { Of } from '../../src/exchange/instruction.ts'
import { accountId, orderId, type RestingOrder } from '../../src/exchange/state.ts'
import type { Context } from './exchange-context.ts'
import { atLeast, either, not } from './exchange-judge.ts'
import type { Account, ModelMarket } from './exchange-market.ts'
import { big, least, size } from './exchange-terms.ts'
import { decrease, increase, nearer } from './exchange-trade.ts'

const MOST = 1n << 61n

export const placeOrder = (context: Context, { kind: _, ...order }: Of<'place-order'>): void => {
  const { judge, state } = context
  const { amount, fee, trigger, level, action } = order
  judge.demand(['zero-amount', 'bad-amount'], amount > 0n && amount <= MOST && fee >= 0n && fee <= MOST)
  context.inTime(order.expiresAt)
  judge.demand('bad-parameter', trigger === 'none' ? level === 0n : action.startsWith('reduce'))
  const market = context.market(order.market)
  judge.need('unknown-account', market.accounts.has(accountId(order)))
  judge.need('order-exists', !state.orders.has(orderId(order)))
  judge.demand('matured', !market.matured)
  state.orders.set(orderId(order), order)
}

export const cancelOrder = ({ judge, state }: Context, ref: Of<'cancel-order'>): void => {
  judge.need('unknown-order', state.orders.delete(orderId(ref)))
}

export const expireOrder = (context: Context, ref: Of<'expire-order'>): void => {
  const { judge, state, world } = context
  const order = state.orders.get(orderId(ref))
  judge.need('unknown-order', order !== undefined)
  const market = context.market(ref.market)
  judge.demand('too-early', world.now > order!.expiresAt || market.matured)
  state.orders.delete(orderId(ref))
}

export const fillOrder = (context: Context, { by, ...ref }: Of<'fill-order'>): void => {
  const { judge, state, world } = context
  const order = state.orders.get(orderId(ref))
  judge.need('unknown-order', order !== undefined)
  judge.need('same-account', by !== ref.owner)
  const { action, spot, expiresAt } = order!
  context.inTime(expiresAt)
  const market = context.market(ref.market)
  const account = context.account(ref)
  const reduces = action === 'reduce-long' || action === 'reduce-short'
  const up = action === 'long' || action === 'reduce-short'
  judge.demand('history-short', market.oracle.age(world.now) >= 300)
  triggered(context, market, account, order!)
  if (reduces) judge.need('no-position', up ? account.yt < 0n : account.yt > 0n)
  judge.need('matured', !market.matured)
  if (reduces) context.forExit(market)
  else context.forNewRisk(market)
  const yt = reduces ? least(order!.amount, size(account.yt)) : order!.amount
  const feeOf = (filled: bigint): bigint => (order!.fee * filled) / yt
  const bounds = {
    limitRate: nearer(up, order!.limitRate, market.guard(up)),
    minimum: least(order!.minimum, yt),
    deadline: expiresAt,
    amount: { yt },
  }
  const { twap } = market
  const before = { ...account }
  const filled = reduces
    ? decrease(context, market, account, bounds, feeOf)
    : increase(context, market, account, { ...bounds, up, spot }, feeOf)
  const fee = feeOf(filled)
  if (reduces && fee > 0n) {
    // Unless the account is the better for it, a fee is a withdrawal.
    const free = either(market.spot(account), market.ratioKept(before, account, twap))
    const moment = context.moment(market)
    if (moment !== 'fresh') judge.demand(moment, free)
    judge.demand('backing', either(free, market.backed(context.index(market))))
  }
  context.fromVault(market, by, big(fee))
  const left = { ...order!, amount: order!.amount - filled, fee: order!.fee - fee }
  if (left.amount === 0n || (reduces && account.yt === 0n)) state.orders.delete(orderId(ref))
  else state.orders.set(orderId(ref), left)
}

/** Whether what it waits for is so, by the TWAP. */
const triggered = ({ judge }: Context, market: ModelMarket, account: Account, order: RestingOrder): void => {
  const { trigger, level } = order
  const { twap } = market
  if (trigger === 'rate-above') judge.demand('not-triggered', twap >= level)
  if (trigger === 'rate-below') judge.demand('not-triggered', twap <= level)
  if (!trigger.startsWith('pnl')) return
  const profit = market.equity(account, twap).minus(big(account.netDeposits))
  const over = atLeast(profit, big(level), account.slack + 2)
  judge.demand('not-triggered', trigger === 'pnl-above' ? over : not(over))
}

/** How many orders wait on an account. */
export const ordersOn = ({ state }: Context, ref: Of<'close-account'>): number =>
  [...state.orders.values()].filter(order => accountId(order) === accountId(ref)).length
