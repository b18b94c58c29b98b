/** Why an instruction is refused: a stable code, the numbers that let the caller fix it, and nothing changed. */
import { CodedError } from '../../amm/errors.ts'
import type { LiquidityRejected, Rejected } from '../../amm/index.ts'

export type RefusalCode =
  | Rejected['code'] // the AMM's own refusals: nothing would be traded
  | LiquidityRejected['code'] // and those of its liquidity positions
  // what is named does not exist, or does already
  | 'unknown-market'
  | 'unknown-account'
  | 'unknown-position'
  | 'unknown-order'
  | 'market-exists'
  | 'account-exists'
  | 'position-exists'
  | 'order-exists'
  | 'not-empty' // only an empty account or position can be closed
  | 'same-account' // a transfer from an account to itself, or an order filled by its owner
  // amounts
  | 'bad-amount' // negative, or beyond 64 bits
  | 'bad-parameter' // a parameter outside its bounds
  | 'insufficient-balance' // the wallet has less
  | 'insufficient-margin' // the account has less
  | 'insufficient-yt'
  | 'below-minimum' // less than the caller's minimum would be filled or paid
  | 'above-maximum' // more than the caller's maximum would be charged
  // time
  | 'deadline-passed'
  | 'time-backwards'
  | 'coupon-due' // put `accrue` in front
  | 'reduce-only' // no data for too long: exits only
  | 'paused' // no new risk
  | 'not-matured'
  | 'too-early'
  | 'bad-source' // the coupon cannot be what the source says
  // positions
  | 'opposite-position' // an order never flips a position: reduce it first
  | 'exceeds-position' // a reduction of more than there is
  | 'no-position'
  | 'not-triggered' // what an order waits for has not come
  | 'not-spot' // the account would owe, and the order said spot
  | 'history-short' // the rate oracle has not seen one window yet
  | 'undercollateralised' // below the initial condition after the instruction
  | 'not-better' // a reduction must raise the collateral ratio
  | 'open-interest' // the cap on open interest
  | 'backing' // LP reserves would no longer cover the worst coupons
  | 'too-young' // liquidity stays at least 300 s
  // liquidation and maturity
  | 'healthy' // not liquidatable
  | 'wrong-amount' // more or less is closed than is needed
  | 'no-improvement' // a partial close that would not raise the collateral ratio
  | 'fund-short' // the insurance fund cannot take the account over, and the market cannot close it
  | 'awaiting-settlement' // profits wait until every debtor is settled
  | 'vault-short' // the vault has less than is owed: must never be seen
  // authority
  | 'unauthorised'
  | 'pause-limit'

export type Context = Readonly<Record<string, bigint | number | string>>

export interface Refused {
  readonly kind: 'refused'
  readonly code: RefusalCode
  readonly context: Context
}

/** Thrown inside an instruction and turned into a `Refused` by `apply`; a read of what does not exist throws it on. */
export class Refusal extends CodedError<RefusalCode> {
  override readonly name = 'Refusal'
}

export const refuse: (code: RefusalCode, context?: Context) => never = (code, context = {}) => {
  throw new Refusal(code, 'Refused', context)
}
