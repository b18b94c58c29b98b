export type OracleErrorCode =
  | 'bad-parameter'
  | 'bad-source' // the pool account is not what it must be, or contradicts what it said before
  | 'stale-source' // the account's AUM is older than allowed
  | 'time-backwards'
  | 'too-early'
  | 'bad-history' // a malformed row; `line` says which
  | 'no-data' // an instant outside the history

/** Thrown with a stable code and the numbers; the message says what to do. */
export class OracleError extends Error {
  override readonly name = 'OracleError'
  readonly code: OracleErrorCode
  readonly context: Readonly<Record<string, string | number | bigint>>

  constructor(
    code: OracleErrorCode,
    message: string,
    context: Readonly<Record<string, string | number | bigint>> = {},
  ) {
    super(`${message} [${code}]`)
    this.code = code
    this.context = context
  }
}
