/**
 * The exchange as it stands on a chain, in the engine's terms: account bytes that the client has read become the state that
 * `src/exchange` works on. So whoever looks at a chain (keeper, API, command line) can use the engine's reads, and ask `apply` what
 * an instruction would do before anybody signs it. One market at a time, since all that one instruction touches is of one market.
 */
import { marketName } from '../../amm/display.ts'
import type { MarketReading } from '../client/client.ts'
import type { ConfigData, LpPositionData, MarginAccountData, RestingOrderData } from '../client/codecs.ts'
import { toEngineAccount, toEngineConfig, toEngineIndex, toEngineOrder, toEnginePosition } from '../client/engine.ts'
import {
  accountId,
  type Exchange,
  type LpPosition,
  type MarginAccount,
  orderId,
  positionId,
  type RestingOrder,
  type World,
} from '../exchange/index.ts'

/** What of a chain there is besides the market itself. */
export interface Held {
  readonly config: ConfigData
  /** JLP atoms in existence. */
  readonly jlpSupply: bigint
  /** What wallets hold, by the engine's `balanceId`; none by default. */
  readonly balances?: Exchange['balances']
  readonly accounts?: readonly MarginAccountData[]
  readonly positions?: readonly LpPositionData[]
  /** Each with the number of the account that it waits on. */
  readonly orders?: readonly { readonly sub: number; readonly order: RestingOrderData }[]
}

export interface Mirror {
  /** The market's name, which is its id in the engine. */
  readonly id: string
  readonly state: Exchange
  readonly world: World
}

/** One market of a chain. It is exact as far as everything was read at one slot; else an instruction may be refused on chain that passes here. */
export const mirrorOf = (reading: MarketReading, held: Held): Mirror => {
  const { stored, data, now, jupiter, indexData } = reading
  const id = marketName(data.maturity, data.kind)
  const { index } = toEngineIndex(indexData)
  const accounts: MarginAccount[] = (held.accounts ?? []).map(account => toEngineAccount(id, account))
  const positions: LpPosition[] = (held.positions ?? []).map(position => toEnginePosition(id, position))
  const orders: RestingOrder[] = (held.orders ?? []).map(({ sub, order }) => toEngineOrder(id, sub, order))
  const state: Exchange = {
    config: toEngineConfig(held.config),
    // Of the other kind of coupon nothing is asked in this market.
    indices: { hourly: index, weekly: index },
    markets: new Map([[id, stored]]),
    accounts: new Map(accounts.map(account => [accountId(account), account])),
    positions: new Map(positions.map(one => [positionId(id, one.owner, one.position.lower, one.position.upper), one])),
    orders: new Map(orders.map(order => [orderId(order), order])),
    balances: held.balances ?? new Map(),
    stVaults: { hourly: 0n, weekly: 0n },
  }
  const world = { now, jlpSupply: held.jlpSupply, weeklyUpdatedAt: Number(jupiter.poolApr.lastUpdated) }
  return { id, state, world }
}
