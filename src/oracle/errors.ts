import { CodedError } from '../../amm/errors.ts'

export type OracleErrorCode =
  | 'bad-parameter'
  | 'bad-source' // the pool account is not what it must be, or contradicts what it said before
  | 'stale-source' // the account's AUM is older than allowed
  | 'time-backwards'
  | 'too-early'
  | 'bad-history' // a malformed row; `line` says which
  | 'no-data' // an instant outside the history

export class OracleError extends CodedError<OracleErrorCode> {
  override readonly name = 'OracleError'
}
