/** What a keeper does, and what can become of each attempt. */
import type { ProgramErrorName } from '../client/index.ts'

/** In the order of a round: coupons first, because nothing is liquidated while one is due, and then whatever protects the market. */
export const JOBS = [
  'accrue', // pays a coupon, or ends a maturity that no data came for
  'liquidate', // closes or takes over an account below maintenance
  'fund', // trades the insurance fund's position down
  'fill', // fills a resting order, for its fee
  'expire', // removes an order that nobody can fill any more
  'settle', // copies the end into a market that has matured, and settles its accounts
  'terms', // applies terms that have waited
  'fees', // pays the protocol's fees to the treasury
  'close', // ends tick arrays of a matured market; their rent goes back to whoever paid it
  'sync', // has wallets show wrapped ST as it stands
] as const
export type Job = (typeof JOBS)[number]

/**
 * `lost`: refused because somebody was faster, or because the moment has passed. `failed`: refused for another reason. `expired`: it can
 * land no more. `unknown`: sent, and nobody said what became of it.
 */
export const RESULTS = ['done', 'lost', 'failed', 'expired', 'unknown'] as const
export type Result = (typeof RESULTS)[number]

/** What became of one attempt: a line of the log. */
export interface KeeperEvent {
  /** Unix milliseconds, by our clock. */
  readonly at: number
  readonly job: Job
  /** The market's name. */
  readonly market?: string
  /** What it was about: a margin account, an order, a kind of coupon. */
  readonly what: string
  readonly result: Result
  /** Why not. */
  readonly code?: string
  readonly message?: string
  readonly signature?: string
  /** Lamports that the transaction cost. */
  readonly fee?: number
  /** JLP atoms that it brought. */
  readonly earned?: bigint
  /** Milliseconds. */
  readonly took: number
}

/** Refusals that say that there is nothing to be done (any more). All others point at a mistake, of ours or of the chain's. */
export const LOST: ReadonlySet<string> = new Set<ProgramErrorName>([
  'above-maximum',
  'already-initialised',
  'amount-too-small',
  'backing',
  'below-minimum',
  'coupon-due',
  'crossings-reached',
  'deadline-passed',
  'exceeds-position',
  'fund-short',
  'healthy',
  'history-short',
  'insufficient-margin',
  'limit-reached',
  'matured',
  'missing-tick-array',
  'no-improvement',
  'no-liquidity',
  'no-position',
  'not-active',
  'not-better',
  'not-empty',
  'not-matured',
  'not-spot',
  'not-triggered',
  'open-interest',
  'opposite-position',
  'paused',
  'reduce-only',
  'time-backwards',
  'too-early',
  'undercollateralised',
  'uninitialised',
  'wrong-amount',
  'zero-amount',
])

/** The market has moved since it was read: read again and try once more. */
export const MOVED: ReadonlySet<string> = new Set<ProgramErrorName>([
  'coupon-due',
  'missing-tick-array',
  'no-improvement',
  'wrong-amount',
])
