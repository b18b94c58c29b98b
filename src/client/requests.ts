/** What a user asks of the client, and the limits that follow from a quote. Amounts in atoms, rates Q64.64, times in unix seconds. */
import { MAX_RATE } from '../../amm/index.ts'
import type { MarketRef } from './builders.ts'
import type { Action, AmountUnit, InstructionArguments, OrderAction, Trigger } from './instructions.ts'
import { isUp, type MarketState, orderOf, quoteTrade, type Share, type TradeOrder } from './quotes.ts'

/** What may be left out of a trade is found from its quote. */
export interface TradeRequest {
  readonly market: MarketRef
  readonly owner: string
  readonly unit: AmountUnit
  /** Atoms of what the unit says. A close is of all, whatever is said. */
  readonly amount: bigint
  /** How far the rate may have moved beyond the quote's, and the fill fall below it; bp, 50 by default. */
  readonly toleranceBps?: number
  /** Seconds that the order is good for, 60 by default. */
  readonly seconds?: number
  /** Q64.64 */
  readonly limitRate?: bigint
  /** Least YT or PT filled, atoms. */
  readonly minimum?: bigint
}
export type MarginTradeRequest = TradeRequest & {
  readonly sub: number
  readonly action: Action
  /** On the own money: the account must not owe afterwards, and the rate may move as far as it likes. */
  readonly spot?: boolean
  /** JLP atoms to deposit first, none by default. */
  readonly margin?: bigint
}
export type PtTradeRequest = TradeRequest & { readonly action: 'buy-pt' | 'sell-pt' }

/** An order that waits for anyone to fill it. */
export interface OrderRequest {
  readonly market: MarketRef
  readonly owner: string
  readonly sub: number
  /** Among the orders on the account, 0 by default. */
  readonly id?: number
  readonly action: OrderAction
  /** YT atoms; of a reduction at most, all of the position by default. */
  readonly amount?: bigint
  /** Q64.64; by default as far as the bound around the TWAP. */
  readonly limitRate?: bigint
  /** Least YT of a fill, none by default. */
  readonly minimum?: bigint
  /** Long and short on the own money. */
  readonly spot?: boolean
  /** Reductions may wait for a rate (Q64.64) or a profit (JLP atoms, signed) at the TWAP. */
  readonly trigger?: { readonly when: Exclude<Trigger, 'none'>; readonly level: bigint }
  /** JLP atoms for whoever fills it. */
  readonly fee: bigint
  /** Unix seconds. */
  readonly expiresAt: number
}

export interface LiquidityRequest {
  readonly market: MarketRef
  readonly owner: string
  /** Ticks of the market's grid. */
  readonly lower: number
  readonly upper: number
  /** The most that may be charged, JLP atoms. What the liquidity costs now is less by the tolerance. */
  readonly jlp: bigint
  /** How far the rate may have moved either way, bp of it, 50 by default. */
  readonly toleranceBps?: number
  /** Seconds that it is good for, 60 by default. */
  readonly seconds?: number
}

export interface RemovalRequest {
  readonly market: MarketRef
  readonly owner: string
  readonly lower: number
  readonly upper: number
  /** All by default. */
  readonly share?: Share
  /** Sells what comes in PT or YT through the AMM, as far as the tolerance goes. */
  readonly sell?: boolean
  /** The account for YT that come and are not sold, 0 by default. */
  readonly sub?: number
  /** How far from now's the rate may be at which is sold, bp of it, 50 by default. */
  readonly toleranceBps?: number
  /** Seconds that it is good for, 60 by default. */
  readonly seconds?: number
}

/** What a request leaves out: how far the rate may move, and how many seconds an order is good for. */
export const TOLERANCE_BPS = 50
export const SECONDS = 60

/** A rate (Q64.64) that has gone up or down by bp of it. */
export const movedBy = (rate: bigint, up: boolean, bps = TOLERANCE_BPS): bigint => {
  const moved = (rate * BigInt(up ? 10_000 + bps : 10_000 - bps)) / 10_000n
  return moved < MAX_RATE ? moved : MAX_RATE
}

/** The quote of an order, and limits a tolerance away from it. */
export const limitsOf = (market: MarketState & { readonly now: number }, order: TradeOrder, request: TradeRequest) => {
  const { toleranceBps = TOLERANCE_BPS, seconds = SECONDS } = request
  const quote = quoteTrade(market, order, market.now)
  const kind = orderOf(market, order, market.now)?.kind ?? 'buy-yt'
  const rate = quote.kind === 'quoted' ? quote.rateAfter : market.pool.rate
  const reach = movedBy(rate, isUp(kind), toleranceBps)
  const limitRate = request.limitRate ?? reach
  // An amount of tokens is filled as it is, unless the quote itself stopped before.
  const filled = quote.kind === 'quoted' ? quote.filled : 0n
  const exact = quote.kind === 'quoted' && quote.complete && (request.unit === 'token' || order.action === 'close')
  const minimum = request.minimum ?? (exact ? filled : (filled * BigInt(10_000 - toleranceBps)) / 10_000n)
  return { quote, reach, limitRate, minimum, deadline: market.now + seconds }
}

/** The most YT that an account can have. */
const ALL_YT = 1n << 61n

/** An order's arguments, with what a request leaves out. */
export const orderArguments = (request: OrderRequest): InstructionArguments['placeOrder'] => {
  const { id = 0, action, amount, limitRate, minimum = 0n, spot = false, trigger, fee, expiresAt } = request
  const up = action === 'long' || action === 'reduce-short'
  const { when = 'none', level = 0n } = trigger ?? {}
  const rate = limitRate ?? (up ? MAX_RATE : 0n)
  return { id, action, amount: amount ?? ALL_YT, spot, limitRate: rate, minimum, trigger: when, level, fee, expiresAt }
}
