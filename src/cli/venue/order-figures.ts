/** Resting orders in words and figures. */
import { apyFromRate, formatAtoms, formatTime, MAX_RATE, type RateQ64 } from '../../../amm/index.ts'
import { listAccounts, toEngineOrder } from '../../client/index.ts'
import type { RestingOrder } from '../../exchange/index.ts'
import { table } from '../output.ts'
import { digits } from '../question.ts'
import type { Venue } from './connection.ts'
import { amount, apyOf } from './show.ts'
import { marketsOf } from './standing.ts'

/** Whether a fill buys YT. */
const isUp = (action: RestingOrder['action']): boolean => action === 'long' || action === 'reduce-short'

/** The amount of a reduction of whatever there is. */
const ALL = 1n << 61n
/** Whether an order has no limit of its own. */
const isAny = ({ action, limitRate }: Pick<RestingOrder, 'action' | 'limitRate'>): boolean =>
  isUp(action) ? limitRate >= MAX_RATE : limitRate === 0n

/** "reduce-long all, once the APY is 12.00% or less". */
export const orderWords = (order: RestingOrder): string => {
  const { action, amount: left, limitRate, trigger, level } = order
  const size = left >= ALL ? 'all' : `${amount(left)} YT`
  const limit = isAny(order) ? '' : ` at an APY of ${apyOf(limitRate)} or ${isUp(action) ? 'less' : 'more'}`
  if (trigger === 'none') return `${action} ${size}${limit}`
  const what = trigger.startsWith('rate') ? `the APY is ${apyOf(level)}` : `profit is ${formatAtoms(level, 2)} JLP`
  return `${action} ${size}${limit}, once ${what} or ${trigger.endsWith('above') ? 'more' : 'less'}`
}

/** With its limit as an APY, and its level as one if it is of a rate. */
export const orderJson = ({ limitRate, level, ...order }: RestingOrder) => ({
  ...order,
  limitApy: digits(isAny({ ...order, limitRate }) ? undefined : apyFromRate(limitRate as RateQ64)),
  level: order.trigger.startsWith('rate') ? digits(apyFromRate(level as RateQ64)) : level,
})

export const ordersTable = (orders: readonly RestingOrder[]): string =>
  orders.length === 0
    ? 'no orders'
    : table(
        [
          ['market', 'account', 'order', 'what', 'fee', 'good until'],
          ...orders.map(order => [
            ...[order.market, `${order.sub}`, `${order.id}`, orderWords(order)],
            ...[formatAtoms(order.fee), formatTime(order.expiresAt)],
          ]),
        ],
        'lrrlrl',
      )

/** All orders of an owner, with the market and account that they wait on. */
export const ordersOf = async (venue: Venue, owner: string): Promise<RestingOrder[]> => {
  const [orders, accounts, markets] = await Promise.all([
    listAccounts(venue.connection, 'RestingOrder', { owner }),
    listAccounts(venue.connection, 'MarginAccount', { owner }),
    marketsOf(venue),
  ])
  const found = orders.flatMap(({ data: order }) => {
    const account = accounts.find(({ address }) => address === order.account)?.data
    const market = markets.find(({ address }) => address === account?.market)?.name
    return account === undefined || market === undefined ? [] : [toEngineOrder(market, account.sub, order)]
  })
  return found.sort((a, b) => a.market.localeCompare(b.market) || a.sub - b.sub || a.id - b.id)
}
