/**
 * What happened. The first group is written by the engine itself whenever a record changes, so that the events of an instruction
 * account for every atom; the second says what it meant.
 */
import type { CouponKind, FeeSplit } from '../../amm/index.ts'
import type { AccountRef, OrderRef, Token } from './state.ts'

export type Event =
  // ---- every change of a record, as signed differences
  | { readonly type: 'balance'; readonly token: Token; readonly owner: string; readonly change: bigint }
  | { readonly type: 'st-vault'; readonly coupon: CouponKind; readonly change: bigint }
  | ({
      readonly type: 'account'
      /** Coupons since the account's last touch, part of the change of `st`. */
      readonly coupon: bigint
      readonly margin: bigint
      readonly st: bigint
      readonly yt: bigint
      readonly netDeposits: bigint
    } & AccountRef)
  | {
      readonly type: 'market'
      readonly market: string
      readonly vault: bigint
      readonly fees: bigint
      readonly deficit: bigint
      readonly pt: bigint
      readonly issued: bigint
      readonly fund: { readonly margin: bigint; readonly st: bigint; readonly yt: bigint }
    }
  | {
      readonly type: 'position'
      readonly market: string
      readonly owner: string
      readonly lower: number
      readonly upper: number
      readonly liquidity: bigint
      readonly issued: bigint
      readonly uncollected: bigint
    }
  /** A resting order: YT left, and the fee left for them. */
  | ({ readonly type: 'order'; readonly amount: bigint; readonly fee: bigint } & OrderRef)
  // ---- what it meant
  | { readonly type: 'created'; readonly market: string; readonly maturity: number; readonly rate: bigint }
  | {
      readonly type: 'accrued'
      readonly coupon: CouponKind
      readonly to: number
      readonly discount: bigint
      readonly feesPaid: bigint
      readonly carry: bigint
    }
  /** A market has copied its index. */
  | { readonly type: 'caught-up'; readonly market: string; readonly tauSeconds: number; readonly discount: bigint }
  | {
      readonly type: 'swapped'
      readonly market: string
      /** The order inside: of YT, or of PT. */
      readonly order: 'buy-yt' | 'sell-yt' | 'buy-pt' | 'sell-pt'
      readonly filled: bigint
      /** JLP paid or received, fee not included. */
      readonly amount: bigint
      readonly stLeg: bigint
      readonly fee: FeeSplit
      readonly rateBefore: bigint
      readonly rateAfter: bigint
      readonly complete: boolean
    }
  | ({
      readonly type: 'liquidated'
      readonly by: string
      /** YT closed through the AMM. */
      readonly closed: bigint
      readonly penalty: bigint
      readonly reward: bigint
    } & AccountRef)
  /** What was filled of an order, and what of its fee was paid for it. */
  | ({ readonly type: 'filled'; readonly by: string; readonly filled: bigint; readonly fee: bigint } & OrderRef)
  /** Margin, ST leg and YT that went to the insurance fund. */
  | ({ readonly type: 'taken-over'; readonly margin: bigint; readonly st: bigint; readonly yt: bigint } & AccountRef)
  /** A loss that margin did not cover: what the fund paid of it and what became deficit. */
  | { readonly type: 'loss'; readonly market: string; readonly fund: bigint; readonly deficit: bigint }
  | ({ readonly type: 'settled'; readonly value: bigint } & AccountRef)
  | {
      readonly type: 'liquidity-removed'
      readonly market: string
      readonly owner: string
      readonly jlp: bigint
      readonly pt: bigint
      readonly yt: bigint
      /** Left behind for a standing deficit. */
      readonly withheld: { readonly jlp: bigint; readonly pt: bigint; readonly yt: bigint }
    }
  | { readonly type: 'paused'; readonly until: number }
  | { readonly type: 'terms-proposed' | 'terms-applied'; readonly market: string }
  | { readonly type: 'roles'; readonly pauser: string; readonly treasury: string }
  | { readonly type: 'authority'; readonly authority: string; readonly proposed: string | undefined }
