/** Rows of the derived tables. Amounts are atoms; rates, prices (ST per YT), APYs and discounts are Q64.64; times are unix seconds. */
import type { CouponKind } from '../../amm/display.ts'
import type { InstructionArguments, OrderKind } from '../client/instructions.ts'

/** The event that a row came from: where it is on the chain, and its number among those about its market or index. */
export interface Origin {
  readonly slot: number
  readonly signature: string
  readonly time: number
  readonly sequence: number
}

export interface MarketRow {
  readonly market: string
  readonly slot: number
  readonly signature: string
  readonly time: number
  /** "JLP-2612" */
  readonly name: string
  readonly kind: CouponKind
  readonly maturity: number
  /** That it began with. */
  readonly rate: bigint
}

/** A market after an event about it. */
export interface MarketState extends Origin {
  readonly market: string
  readonly rate: bigint
  readonly discount: bigint
  /** 0: it has matured. */
  readonly tauSeconds: number
  /** JLP in the vault: what is locked. */
  readonly vault: bigint
  readonly fees: bigint
  readonly deficit: bigint
  readonly pt: bigint
  readonly issued: bigint
  readonly fundMargin: bigint
  readonly fundSt: bigint
  readonly fundYt: bigint
  /** Open interest: YT held and YT owed, the fund included. */
  readonly longYt: bigint
  readonly shortYt: bigint
  /** Implied APY and YT price: after the event, before it, and the extremes in it. */
  readonly apy: bigint
  readonly apyOpen: bigint
  readonly apyHigh: bigint
  readonly apyLow: bigint
  readonly price: bigint
  readonly priceOpen: bigint
  readonly priceHigh: bigint
  readonly priceLow: bigint
  /** Of the event's trades: JLP, YT (or PT), fees in JLP, and how many. */
  readonly volume: bigint
  readonly volumeYt: bigint
  readonly volumeFees: bigint
  readonly trades: number
}

/** What an event was about, as far as its records tell. */
export type Cause =
  /** Of a margin account. */
  | 'opening'
  | 'trade'
  /** Of a resting order; of one that is placed, cancelled or expired. */
  | 'fill'
  | 'order'
  | 'liquidation'
  | 'take-over'
  | 'fund'
  | 'removal'
  | 'settlement'
  /** Deposit, withdrawal, transfer, split, merge. */
  | 'other'

/** A margin account after a change of it. */
export interface AccountState extends Origin {
  readonly market: string
  readonly owner: string
  readonly sub: number
  /** Place of the record in its event. */
  readonly record: number
  readonly cause: Cause
  /** Coupons since the last change, part of the change of `st`. */
  readonly coupon: bigint
  readonly marginChange: bigint
  readonly stChange: bigint
  readonly ytChange: bigint
  readonly netDepositsChange: bigint
  readonly margin: bigint
  readonly st: bigint
  readonly yt: bigint
  readonly netDeposits: bigint
  /** Up to which coupons are paid to it. */
  readonly discount: bigint
  /** What the YT held now cost (negative: brought), coupons left out; and the average rate at which they were traded. */
  readonly cost: bigint
  readonly entryRate: bigint
  /** Of the account's whole life: coupons received, JLP received for YT less JLP paid, trading fees, penalties, fees to who filled its orders. */
  readonly coupons: bigint
  readonly traded: bigint
  readonly fees: bigint
  readonly penalties: bigint
  readonly orderFees: bigint
  /** Orders that rest on it. */
  readonly orders: number
}

/** A resting order; its number is free again once it is gone. */
export interface OrderRef {
  readonly market: string
  readonly owner: string
  readonly sub: number
  readonly id: number
}

/** What its owner asked for: `amount` and `fee` as they were then. */
export type OrderTerms = Omit<InstructionArguments['placeOrder'], 'id'>

/** A resting order after a change of it, with its terms. */
export interface OrderState extends Origin, OrderRef, Omit<OrderTerms, 'amount' | 'fee'> {
  /** Number of the event that placed it, among those about the market. */
  readonly placed: number
  readonly record: number
  /** A reduction is also filled when the position is gone before the amount. */
  readonly status: 'open' | 'filled' | 'cancelled' | 'expired'
  /** Of YT, and the fee for all of them: placed, and left. */
  readonly placedAmount: bigint
  readonly placedFee: bigint
  readonly amount: bigint
  readonly fee: bigint
  /** Of this fill: who filled, YT, and what of the fee. */
  readonly by: string | null
  readonly filledChange: bigint
  readonly feeChange: bigint
  /** Of all fills. */
  readonly filled: bigint
  readonly feesPaid: bigint
}

/** A liquidity position after a change of it. */
export interface PositionState extends Origin {
  readonly market: string
  readonly owner: string
  readonly lower: number
  readonly upper: number
  readonly record: number
  readonly liquidity: bigint
  readonly issued: bigint
  readonly uncollected: bigint
}

export interface TradeRow extends Origin {
  readonly market: string
  readonly record: number
  readonly cause: Cause
  /** Whose trade; null: the insurance fund's. */
  readonly owner: string | null
  /** Of the margin account; null for a trade of the wallet's. */
  readonly sub: number | null
  readonly side: OrderKind
  readonly filled: bigint
  /** JLP paid or received, fee not included. */
  readonly amount: bigint
  readonly stLeg: bigint
  readonly feeTotal: bigint
  readonly feeRepaid: bigint
  readonly feeLp: bigint
  readonly feeInsurance: bigint
  readonly feeProtocol: bigint
  readonly rateBefore: bigint
  readonly rateAfter: bigint
  /** After it. */
  readonly apy: bigint
  readonly price: bigint
  readonly complete: boolean
}

export interface CouponRow extends Origin {
  readonly kind: CouponKind
  readonly record: number
  readonly paidTo: number
  /** JLP per ST afterwards. */
  readonly discount: bigint
  /** JLP for each YT, Q64.64. */
  readonly paid: bigint
  readonly feesPaid: bigint
  readonly carry: bigint
}

/** JLP behind wrapped ST. */
export interface StState extends Origin {
  readonly kind: CouponKind
  readonly record: number
  readonly vault: bigint
}

export interface Candle {
  readonly market: string
  readonly width: number
  readonly start: number
  /** Sequences of the first and the last event in it. */
  readonly first: number
  readonly last: number
  /** The open is what stood when it began. */
  readonly apyOpen: bigint
  readonly apyHigh: bigint
  readonly apyLow: bigint
  readonly apyClose: bigint
  readonly priceOpen: bigint
  readonly priceHigh: bigint
  readonly priceLow: bigint
  readonly priceClose: bigint
  readonly volume: bigint
  readonly volumeYt: bigint
  readonly volumeFees: bigint
  readonly trades: number
  /** At its end. */
  readonly vault: bigint
  readonly longYt: bigint
  readonly shortYt: bigint
}
