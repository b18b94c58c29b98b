/** The tables held against the chain: whatever the accounts say must be in them, to the last unit. */

import type { CouponKind } from '../../amm/display.ts'
import { addressOf } from '../client/addresses.ts'
import {
  type AccountData,
  type AccountName,
  decode,
  type LpPositionData,
  type MarginAccountData,
  type MarketData,
  type RestingOrderData,
} from '../client/codecs.ts'
import { ORDER_ACTIONS, TRIGGERS } from '../client/generated/interface.ts'
import { CURRENT, type Current, lastRows } from './current.ts'
import type { Queries } from './database.ts'
import { indexAddress } from './fold.ts'
import type { AccountState, MarketRow, MarketState, OrderState, PositionState } from './rows.ts'

/** Reads accounts as they are now. */
export interface ChainReader {
  /** Data of accounts at one slot (up to 100 of them); undefined or empty where there is none. */
  read(addresses: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>
  /** Addresses of all accounts of a kind; without it, what the tables do not know is not looked for. */
  list?(name: AccountName): Promise<readonly string[]>
}

export type Value = bigint | number | string | boolean

export interface Difference {
  readonly account: string
  readonly field: string
  readonly indexed: Value
  readonly chain: Value
}

export interface Verdict {
  /** Accounts that are the same. */
  readonly same: number
  readonly differences: readonly Difference[]
  /** Markets and indices about which the chain has told more, or less, than is indexed: they are compared once that is in. */
  readonly behind: readonly { readonly account: string; readonly indexed: number; readonly chain: number }[]
}

/** Accounts that a node gives at once, one of them the market. */
const AT_ONCE = 99

type Fields = Readonly<Record<string, Value>>

const ofMarket = (data: MarketData): Fields => ({
  rate: data.pool.rate,
  discount: data.pool.discount,
  tauSeconds: data.pool.tauSeconds,
  vault: data.vaultAmount,
  fees: data.fees,
  deficit: data.pool.deficit,
  pt: data.totals.pt,
  issued: data.totals.issued,
  fundMargin: data.fund.margin,
  fundSt: data.fund.st,
  fundYt: data.fund.yt,
  longYt: data.totals.yt + data.totals.short,
  shortYt: data.totals.short,
})
const ofAccount = (of: AccountState | MarginAccountData): Fields => {
  const { margin, st, yt, netDeposits, discount, orders } = of
  return { margin, st, yt, netDeposits, discount, orders }
}
const ofPosition = ({ liquidity, issued, uncollected }: PositionState | LpPositionData['position']): Fields => ({
  ...{ liquidity, issued, uncollected },
})
const ofOrder = (
  of: Omit<OrderState | RestingOrderData, 'action' | 'trigger'>,
  action: string,
  trigger: string,
): Fields => {
  const { amount, fee, spot, limitRate, minimum, level, expiresAt } = of
  return { action, amount, fee, spot, limitRate, minimum, trigger, level, expiresAt }
}

/** Of an account that is closed, or was never told of. */
const NO_ACCOUNT: Fields = { margin: 0n, st: 0n, yt: 0n, orders: 0 }
const NO_POSITION: Fields = { liquidity: 0n, issued: 0n, uncollected: 0n }
const NO_ORDER: Fields = { amount: 0n, fee: 0n }

const decoded = <N extends AccountName>(name: N, data: Uint8Array | undefined): AccountData[N] | undefined =>
  data === undefined || data.length === 0 ? undefined : decode(name, data)

/** What is expected at an address, and how the chain's account is read. */
interface Expected {
  readonly address: string
  readonly indexed: Fields
  readonly read: (data: Uint8Array | undefined) => Fields
}

const accountAt = (address: string, indexed: Fields): Expected => ({
  address,
  indexed,
  read: data => {
    const found = decoded('MarginAccount', data)
    return found === undefined ? NO_ACCOUNT : ofAccount(found)
  },
})
const positionAt = (address: string, indexed: Fields): Expected => ({
  address,
  indexed,
  read: data => {
    const found = decoded('LpPosition', data)
    return found === undefined ? NO_POSITION : ofPosition(found.position)
  },
})
const orderAt = (address: string, indexed: Fields): Expected => ({
  address,
  indexed,
  read: data => {
    const found = decoded('RestingOrder', data)
    return found === undefined ? NO_ORDER : ofOrder(found, ORDER_ACTIONS[found.action]!, TRIGGERS[found.trigger]!)
  },
})
/** Kinds of accounts that belong to a market, as they are expected where nothing is known of them. */
const OF_MARKET = {
  MarginAccount: (address: string) => accountAt(address, NO_ACCOUNT),
  LpPosition: (address: string) => positionAt(address, NO_POSITION),
  RestingOrder: (address: string) => orderAt(address, NO_ORDER),
} as const

/** Events about an account that are derived. */
const headsOf = async (on: Queries): Promise<Map<string, number>> => {
  const rows = await on.query<{ account: string; head: number }>(
    'SELECT account, MAX(sequence) AS head FROM subjects WHERE applied GROUP BY account',
  )
  return new Map(rows.map(({ account, head }) => [account, head]))
}

export const verify = async (on: Queries, chain: ChainReader): Promise<Verdict> => {
  const differences: Difference[] = []
  const behind: { account: string; indexed: number; chain: number }[] = []
  const counted = { same: 0 }
  const heads = await headsOf(on)

  const compare = ({ address, indexed, read }: Expected, data: Uint8Array | undefined): void => {
    const found = read(data)
    const wrong = Object.keys(found).filter(field => indexed[field] !== found[field])
    if (wrong.length === 0) counted.same++
    for (const field of wrong) {
      differences.push({ account: address, field, indexed: indexed[field]!, chain: found[field]! })
    }
  }
  /** Whether as many events are derived as the chain counts. */
  const isLevel = (account: string, sequence: bigint | undefined): boolean => {
    const [indexed, told] = [heads.get(account) ?? 0, Number(sequence ?? 0n)]
    if (indexed !== told) behind.push({ account, indexed, chain: told })
    return indexed === told
  }

  for (const kind of ['hourly', 'weekly'] as const satisfies readonly CouponKind[]) {
    const address = indexAddress(kind)
    const [data] = await chain.read([address])
    const index = decoded('RateIndex', data)
    if (!isLevel(address, index?.eventSequence) || index === undefined) continue
    const [coupon] = await on.query<{ discount: bigint; paidTo: number }>(
      'SELECT discount, paid_to FROM coupons WHERE kind = $1 ORDER BY sequence DESC, record DESC LIMIT 1',
      [kind],
    )
    const indexed = { discount: coupon?.discount ?? 0n, lastStep: coupon?.paidTo ?? 0 }
    compare({ address, indexed, read: () => ({ discount: index.discount, lastStep: index.lastStep }) }, data)
  }

  const markets = await on.query<MarketRow>('SELECT * FROM markets ORDER BY market')
  const known = new Map(markets.map(({ market }) => [market, new Map<string, Expected>()]))
  for (const { market } of markets) {
    const of = known.get(market)!
    const last = <T>(current: Current): Promise<T[]> =>
      on.query<T>(`SELECT h.* FROM ${lastRows(current, 'WHERE market = $1')}`, [market])
    for (const row of await last<AccountState>(CURRENT.accounts)) {
      const address = addressOf('MarginAccount', row)
      of.set(address, accountAt(address, ofAccount(row)))
    }
    for (const row of await last<PositionState>(CURRENT.positions)) {
      const address = addressOf('LpPosition', row)
      of.set(address, positionAt(address, ofPosition(row)))
    }
    // In the order of their age: the last one with a number is what may be on the chain.
    for (const row of await last<OrderState>(CURRENT.orders)) {
      const address = addressOf('RestingOrder', { account: addressOf('MarginAccount', row), id: row.id })
      of.set(address, orderAt(address, ofOrder(row, row.action, row.trigger)))
    }
  }
  // What the chain has and the tables do not: nothing was ever in it, or it is a difference.
  if (chain.list !== undefined) {
    for (const name of Object.keys(OF_MARKET) as (keyof typeof OF_MARKET)[]) {
      const addresses = await chain.list(name)
      for (let from = 0; from < addresses.length; from += AT_ONCE) {
        const part = addresses.slice(from, from + AT_ONCE)
        const found = await chain.read(part)
        part.forEach((address, i) => {
          const market = decoded(name, found[i])?.market
          if (market === undefined) return
          const of = known.get(market)
          if (of === undefined) isLevel(market, 1n)
          else if (!of.has(address)) of.set(address, OF_MARKET[name](address))
        })
      }
    }
    for (const address of await chain.list('Market')) {
      if (!known.has(address)) behind.push({ account: address, indexed: 0, chain: 1 })
    }
  }

  for (const [market, expected] of known) {
    const [state] = await on.query<MarketState>(
      'SELECT * FROM market_states WHERE market = $1 ORDER BY sequence DESC LIMIT 1',
      [market],
    )
    const all = [...expected.values()]
    for (let from = 0; from === 0 || from < all.length; from += AT_ONCE) {
      const part = all.slice(from, from + AT_ONCE)
      const [data, ...found] = await chain.read([market, ...part.map(({ address }) => address)])
      const chainMarket = decoded('Market', data)
      if (!isLevel(market, chainMarket?.eventSequence) || chainMarket === undefined || state === undefined) break
      if (from === 0)
        compare({ address: market, indexed: { ...state } as never, read: () => ofMarket(chainMarket) }, data)
      part.forEach((one, i) => {
        compare(one, found[i])
      })
    }
  }
  return { same: counted.same, differences, behind }
}
