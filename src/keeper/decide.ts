/** What there is to do in a market, as the engine sees it. Pure. */

import { ORDER_ACTIONS } from '../client/generated/interface.ts'
import { type AccountData, addressOf, arrayStarts, type MarketData, type TradeOrder } from '../client/index.ts'
import { touch } from '../exchange/account.ts'
import { Draft } from '../exchange/draft.ts'
import {
  type AccountRef,
  apply,
  assets,
  belowMaintenance,
  equity,
  gap,
  liabilities,
  type OrderRef,
  type Valuation,
} from '../exchange/index.ts'
import { twapOf, valueAt } from '../exchange/swap.ts'
import type { Scene } from './reading.ts'

/** JLP atoms that an account lacks for maintenance, times 10^4: for its ratio or for its gap, whichever is more. */
const shortfall = (legs: Parameters<typeof gap>[0], at: Valuation, maintenanceBps: number): bigint => {
  const forRatio = liabilities(legs, at.twap) * BigInt(maintenanceBps) - assets(legs, at.twap) * 10_000n
  const forGap = (gap(legs, at) - equity(legs, at.twap)) * 10_000n
  return forRatio > forGap ? forRatio : forGap
}

/** The accounts below maintenance, those that lack most first. */
export const worstFirst = ({ state, id, world }: Scene): AccountRef[] => {
  const draft = new Draft(state, world)
  const market = draft.market(id)
  const at = valueAt(draft, market, twapOf(draft, market))
  return belowMaintenance(state, id, world)
    .map(ref => {
      const legs = touch(draft.account(ref, market), market.pool.discount)
      return { ref, lacks: shortfall(legs, at, market.terms.maintenanceBps) }
    })
    .sort((a, b) => (a.lacks > b.lacks ? -1 : a.lacks < b.lacks ? 1 : 0))
    .map(({ ref }) => ref)
}

/** A trade of the insurance fund's is worth a transaction from this part of its position on. */
const FUND_PART = 64n

/** YT of the fund's position to trade down: all of it, if enough of that would be filled now. */
export const fundReduction = ({ state, id, world }: Scene): bigint | undefined => {
  const { yt } = state.markets.get(id)!.fund
  const size = yt < 0n ? -yt : yt
  if (size === 0n) return undefined
  const done = apply(state, { kind: 'reduce-fund', market: id, yt: size }, world)
  const swapped = done.kind === 'applied' ? done.events.find(event => event.type === 'swapped') : undefined
  return swapped !== undefined && swapped.filled * FUND_PART >= size ? size : undefined
}

/** What a fill of an order trades, for the tick arrays on its way. */
export const tradeOf = (order: AccountData['RestingOrder'], account: AccountData['MarginAccount']): TradeOrder => {
  const { amount, limitRate, spot } = order
  const action = ORDER_ACTIONS[order.action]!
  const terms = { unit: 'token', limitRate } as const
  if (action === 'long' || action === 'short') return { ...terms, action, amount, spot }
  const size = account.yt < 0n ? -account.yt : account.yt
  return { ...terms, action: 'reduce', amount: amount < size ? amount : size, account }
}

/** The first ticks of a matured market's tick arrays that no position needs any more. */
export const arraysToClose = (market: MarketData): number[] =>
  market.pool.tauSeconds > 0
    ? []
    : arrayStarts(market).filter(
        (_, number) => ((market.tickArrays >> number) & 1) === 1 && market.initialised[number] === 0n,
      )

export const accountAt = (market: string, { owner, sub }: AccountRef): string =>
  addressOf('MarginAccount', { market, owner, sub })
export const orderAt = (market: string, ref: OrderRef): string =>
  addressOf('RestingOrder', { account: accountAt(market, ref), id: ref.id })
