/**
 * What the exchange knows. Every record is immutable; an instruction replaces the few that it names, so its cost does not
 * depend on how many there are.
 */
import type { CouponKind, Pool, Position, RateOracle } from '../../amm/index.ts'
import type { RateIndex } from '../oracle/accrual.ts'
import type { ChangeableTerms, MarketTerms } from './terms.ts'

/** What an instruction sees of the world besides the state: no clock is read anywhere in the engine. */
export interface World {
  /** Unix seconds. */
  readonly now: number
  /** JLP atoms in existence: open interest is capped at a share of it. */
  readonly jlpSupply: bigint
  /** Jupiter's `last_updated`: a weekly coupon is due when it is newer than the index. */
  readonly weeklyUpdatedAt: number
}

export interface AccountRef {
  readonly market: string
  readonly owner: string
  /** 0 to 255: an owner's isolated accounts in a market. */
  readonly sub: number
}

/** The legs of an account, recorded as of `discount`; see `touch` in account.ts. */
export interface Legs {
  /** JLP atoms, never negative. */
  readonly margin: bigint
  /** The ST leg in JLP atoms, signed: stored so, it rebases by itself. */
  readonly st: bigint
  /** YT atoms, signed. */
  readonly yt: bigint
  /** The discount at which coupons were last paid to it, Q64.64. */
  readonly discount: bigint
  /** What profit is measured against, JLP atoms. */
  readonly netDeposits: bigint
}

export interface MarginAccount extends Legs, AccountRef {
  /** How many resting orders there are on it: it is not closed before they are gone. */
  readonly orders: number
}

export interface OrderRef extends AccountRef {
  /** 0 to 255: the orders on an account. */
  readonly id: number
}

/** An order that waits for somebody to fill it; see orders.ts. It holds nothing of value. */
export interface RestingOrder extends OrderRef {
  /** The last two trade against a position of their side alone. */
  readonly action: 'long' | 'short' | 'reduce-long' | 'reduce-short'
  /** YT atoms left to fill; of a reduction at most. */
  readonly amount: bigint
  /** Long and short: the account must not owe afterwards. */
  readonly spot: boolean
  /** Q64.64; a fill stops there. */
  readonly limitRate: bigint
  /** Least YT of a fill; whatever is left may be filled wholly. */
  readonly minimum: bigint
  /** What must be so before it may be filled; reductions only. All are looked at by the TWAP. */
  readonly trigger: 'none' | 'rate-above' | 'rate-below' | 'pnl-above' | 'pnl-below'
  /** A rate in Q64.64, or equity less net deposits in JLP atoms; 0 for `none`. At the level counts as past it. */
  readonly level: bigint
  /** JLP atoms from margin to whoever fills it, left for what is left. */
  readonly fee: bigint
  /** Unix seconds; good until and at it. */
  readonly expiresAt: number
}

export interface LpPosition {
  readonly market: string
  readonly owner: string
  readonly position: Position
  /** When liquidity was last added; unix seconds. */
  readonly addedAt: number
}

/** Sums over the recorded legs of all margin accounts, the insurance fund included. */
export interface Totals {
  readonly margin: bigint
  readonly st: bigint
  /** `N`: sum of `max(0, -(margin + st))`. */
  readonly debt: bigint
  readonly yt: bigint
  /** Sum of `yt * discount`, each with its own: coupons not yet paid out follow from it. */
  readonly ytAtDiscount: bigint
  /** Sum of `|yt|` over `yt < 0`, and the same times discount. */
  readonly short: bigint
  readonly shortAtDiscount: bigint
  /** PT in existence. */
  readonly pt: bigint
  /** `I`: YT issued by all LP positions. */
  readonly issued: bigint
  /** Sum of `max(0, margin - netDeposits)`, without the fund. */
  readonly profit: bigint
  /** Accounts, without the fund, with an ST or YT leg; and of these, with a debt. */
  readonly open: number
  readonly debtors: number
}

/**
 * The lowest and highest rate that any instruction has found, over at least one TWAP window: those since `since`, and those of the
 * stretch before it. Margin is not lent on a price that has not held so long.
 */
export interface Standing {
  readonly since: number
  readonly low: bigint
  readonly high: bigint
  readonly lowBefore: bigint
  readonly highBefore: bigint
}

export interface Market {
  readonly id: string
  readonly kind: CouponKind
  readonly maturity: number
  readonly terms: MarketTerms
  readonly queued: { readonly terms: ChangeableTerms; readonly readyAt: number } | undefined
  readonly pool: Pool
  readonly oracle: RateOracle
  readonly standing: Standing
  readonly totals: Totals
  /** The insurance fund, a margin account of the market itself. */
  readonly fund: Legs
  /** JLP atoms. */
  readonly vault: bigint
  /** The protocol's fees, not yet collected. */
  readonly fees: bigint
  /** YT that expired in accounts, less PT redeemed: keeps the YT identity after maturity. */
  readonly retired: bigint
  /** What is cut from profits after maturity, once known: `uncovered / profit` of each. */
  readonly haircut: { readonly uncovered: bigint; readonly profit: bigint } | undefined
}

export interface Config {
  readonly authority: string
  readonly nextAuthority: string | undefined
  readonly pauser: string
  /** Where the protocol's fees go. */
  readonly treasury: string
  /** Until when new risk is stopped; 0 if it never was. */
  readonly pausedUntil: number
}

export interface Exchange {
  readonly config: Config
  readonly indices: Readonly<Record<CouponKind, RateIndex>>
  readonly markets: ReadonlyMap<string, Market>
  /** By `accountId`. */
  readonly accounts: ReadonlyMap<string, MarginAccount>
  /** By `positionId`. */
  readonly positions: ReadonlyMap<string, LpPosition>
  /** By `orderId`. */
  readonly orders: ReadonlyMap<string, RestingOrder>
  /** Token balances of wallets, by `balanceId`. */
  readonly balances: ReadonlyMap<string, bigint>
  /** JLP behind wrapped ST, by kind. */
  readonly stVaults: Readonly<Record<CouponKind, bigint>>
}

/** Tokens that wallets hold. ST counts in the JLP atoms that it stands for; a PT is named after its market. */
export type Token = 'jlp' | 'st-hourly' | 'st-weekly' | `pt/${string}`

export const accountId = ({ market, owner, sub }: AccountRef): string => `${market}/${owner}/${sub}`
export const orderId = (ref: OrderRef): string => `${accountId(ref)}/${ref.id}`
export const positionId = (market: string, owner: string, lower: number, upper: number): string =>
  `${market}/${owner}/${lower}/${upper}`
export const balanceId = (token: Token, owner: string): string => `${token}:${owner}`
