import { CodedError } from '../../amm/errors.ts'

/** Errors and refusals of the pool: a bad caller or an impossible state throws, an expected "no" is a value. */
export type JlpErrorCode =
  | 'out-of-range' // a quantity outside the range of its type: negative, or wider than it is stored
  | 'bad-parameter' // an account's parameter outside a formula's stated domain
  | 'bad-price' // a price that is not positive, or an exponent outside -18 to 0
  | 'no-such-custody' // an address that is not a custody of this pool
  | 'custody-mismatch' // the custodies given are not the custodies that the pool lists
  | 'zero-supply' // a price per JLP of a pool that has issued none
  | 'time-backwards' // an accrual or a trade before the last one
  | 'no-era' // an instant before the first known parameters

export class JlpError extends CodedError<JlpErrorCode> {
  override readonly name = 'JlpError'
}

export type RejectionCode =
  | 'zero-amount' // an amount or size of nothing
  | 'too-small' // the result would round to nothing
  | 'amount-too-large' // a balance would leave its 64 bits
  | 'zero-supply' // no JLP exists, so it has no price
  | 'zero-aum' // the pool is worth nothing, so JLP has no price
  | 'insufficient-supply' // more JLP than exists
  | 'aum-limit' // the deposit would lift the pool above its limit: minting is closed
  | 'add-closed' // the custody's permissions, one by one
  | 'remove-closed'
  | 'swap-closed'
  | 'increase-closed'
  | 'decrease-closed'
  | 'liquidate-closed'
  | 'same-custody' // a swap of a token for itself
  | 'weight-above-band' // the failsafe: no deposits of what is above its band
  | 'weight-below-band' // the failsafe: no withdrawals of what is below its band
  | 'lp-price-change' // one instruction would move the price of JLP too far
  | 'insufficient-liquidity' // the tokens are locked for positions, lent out or staked
  | 'custody-under-water' // its shorts have won more than it holds: a deposit would not be counted in full
  | 'wrong-collateral' // longs post the traded token, shorts a stablecoin
  | 'position-too-large'
  | 'collateral-above-size' // leverage below 1
  | 'leverage-too-high' // the position would be born liquidatable
  | 'long-limit'
  | 'short-limit'
  | 'position-closed' // its size is 0
  | 'under-water' // its collateral does not cover its losses: it is for liquidation
  | 'healthy' // it may not be liquidated
  | 'stake-limit'
  | 'not-staked' // more than is staked and not already leaving
  | 'loans-closed' // the custody does not lend
  | 'loan-limit'
  | 'ltv-too-high'
  | 'insufficient-collateral' // more collateral than the loan holds

/** A refusal: nothing changes. `numbers` hold what decided it. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly code: RejectionCode
  readonly numbers: Readonly<Record<string, bigint>>
}

export const reject = (code: RejectionCode, numbers: Rejected['numbers'] = {}): Rejected => ({
  kind: 'rejected',
  code,
  numbers,
})
