/** Everything that can be asked of the exchange. Amounts are atoms; `owner` and `by` are who signed. */
import type { CouponKind } from '../../amm/index.ts'
import type { Earned } from '../oracle/accrual.ts'
import type { AccountRef, OrderRef, RestingOrder } from './state.ts'
import type { ChangeableTerms } from './terms.ts'

/** Amounts as YT, or as JLP of the ST leg, fee not included. */
export type TradeAmount = { readonly yt: bigint } | { readonly st: bigint }

/** What bounds an order: the worst rate, the least fill and the last second. All of them must be given. */
export interface OrderBounds {
  /** Q64.64; a trade stops there. */
  readonly limitRate: bigint
  /** Least YT (or PT) filled; with less the order is refused as a whole. */
  readonly minimum: bigint
  /** Unix seconds; the order is good until and at it. */
  readonly deadline: number
}

export interface PositionRef {
  readonly market: string
  readonly owner: string
  readonly lower: number
  readonly upper: number
}

/** What each kind of instruction says. */
interface Instructions {
  // ---- markets and their time
  /** `rate` is Q64.64. */
  'create-market': {
    readonly by: string
    readonly coupon: CouponKind
    readonly maturity: number
    readonly rate: bigint
    readonly terms?: Partial<ChangeableTerms>
  }
  accrue: { readonly coupon: CouponKind; readonly earned: Earned }
  /** No data for 7 days after maturity: the last discount is final. */
  finalise: { readonly coupon: CouponKind; readonly maturity: number }

  // ---- tokens
  wrap: { readonly owner: string; readonly coupon: CouponKind; readonly jlp: bigint }
  unwrap: { readonly owner: string; readonly coupon: CouponKind; readonly jlp: bigint }
  split: AccountRef & { readonly yt: bigint }
  merge: AccountRef & { readonly yt: bigint }
  'redeem-pt': { readonly market: string; readonly owner: string; readonly pt: bigint }
  'buy-pt': PtOrder
  'sell-pt': PtOrder

  // ---- margin accounts
  'open-account': AccountRef
  'close-account': AccountRef
  deposit: AccountRef & { readonly jlp: bigint }
  withdraw: AccountRef & { readonly jlp: bigint }
  /** To another account of the same market. */
  transfer: AccountRef & { readonly to: AccountRef; readonly margin: bigint; readonly yt: bigint }
  trade: AccountRef & OrderBounds & (Increase | Decrease)
  /** Closes an account, moves its margin to one of a later market and opens `amount` there on the same side. */
  roll: AccountRef &
    OrderBounds & { readonly to: AccountRef; readonly amount: TradeAmount; readonly closeLimitRate: bigint }

  // ---- resting orders
  'place-order': RestingOrder
  'cancel-order': OrderRef
  /** Fills what the AMM trades of it now within its limit, for its fee. */
  'fill-order': OrderRef & { readonly by: string }
  /** Removes one that can no longer be filled: for anyone to call. */
  'expire-order': OrderRef

  // ---- liquidity
  'open-position': PositionRef
  'close-position': PositionRef
  'add-liquidity': PositionRef & {
    readonly liquidity: bigint
    /** Most JLP to pay. */
    readonly maximum: bigint
    /** The rate must lie between these, so that nobody can move it in front of a deposit. */
    readonly minRate: bigint
    readonly maxRate: bigint
    readonly deadline: number
  }
  /** Pays in kind: JLP and PT to the wallet, YT to the owner's account `sub`. */
  'remove-liquidity': PositionRef & {
    readonly share: { readonly num: bigint; readonly den: bigint }
    readonly sub: number
    /** Least JLP paid in the end. */
    readonly minimum: bigint
    readonly deadline: number
    /** Sells the PT or YT received through the AMM, up or down to this rate; what is not sold is paid in kind. */
    readonly zap?: { readonly limitRate: bigint }
  }
  collect: PositionRef

  // ---- for anyone to call
  /** Closes `yt`, which must be what is needed; `liquidationOf` in reads.ts says how many. */
  liquidate: AccountRef & { readonly by: string; readonly yt: bigint }
  'take-over': AccountRef
  /** Trades the insurance fund's position down. */
  'reduce-fund': { readonly market: string; readonly yt: bigint }
  settle: AccountRef
  'collect-fees': { readonly market: string }
  'apply-terms': { readonly market: string }
  /** Copies the index into a market, as every instruction about it does first: for one that nobody else has reason to touch. */
  'catch-up': { readonly market: string }

  // ---- authority: none of these touches a balance, a price or an index
  pause: { readonly by: string }
  unpause: { readonly by: string }
  'propose-terms': { readonly by: string; readonly market: string; readonly terms: ChangeableTerms }
  appoint: { readonly by: string; readonly pauser: string; readonly treasury: string }
  'propose-authority': { readonly by: string; readonly authority: string }
  'accept-authority': { readonly by: string }
}

interface PtOrder extends OrderBounds {
  readonly market: string
  readonly owner: string
  readonly amount: { readonly pt: bigint } | { readonly st: bigint }
}

/**
 * Opens or increases. With `spot` the account must not owe afterwards, and the guards for margined trades do not apply.
 */
export interface Increase {
  readonly action: 'long' | 'short'
  readonly amount: TradeAmount
  readonly spot?: boolean
}

/** Trades against the position: part of it, or all. */
export type Decrease = { readonly action: 'reduce'; readonly amount: TradeAmount } | { readonly action: 'close' }

export type InstructionKind = keyof Instructions
/** The instructions of one kind, or of several. */
export type Of<K extends InstructionKind> = K extends unknown ? { readonly kind: K } & Instructions[K] : never
export type Instruction = Of<InstructionKind>
