/** An error with a stable `code` to test against, the numbers in `context`, and a message that says what to do. */
export class CodedError<Code extends string> extends Error {
  readonly code: Code
  readonly context: Readonly<Record<string, string | number | bigint>>

  constructor(code: Code, message: string, context: Readonly<Record<string, string | number | bigint>> = {}) {
    super(`${message} [${code}]`)
    this.code = code
    this.context = context
  }
}

/**
 * Every error the kernel can throw: a bad caller or an impossible state. Expected refusals (a limit that is already
 * reached, no liquidity) are values, see `Rejected` in quote.ts and liquidity.ts.
 */
export type KernelErrorCode =
  | 'out-of-range' // a quantity outside the range of its type
  | 'division-by-zero'
  | 'domain' // an argument outside a function's stated domain
  | 'tick-off-grid' // a tick that is not a multiple of the spacing inside the market's rate range
  | 'time-backwards' // time to maturity would rise, or an observation is older than the last
  | 'discount-rises' // the discount would rise
  | 'matured' // a coupon after maturity
  | 'bad-parameter' // a market parameter outside its bounds
  | 'bad-text' // a number, rate or market name that cannot be parsed

export class KernelError extends CodedError<KernelErrorCode> {
  override readonly name = 'KernelError'
}
