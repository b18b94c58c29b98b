import { CodedError } from '../../amm/errors.ts'

/** Why an account, an address or a set of facts was refused. */
export type JupiterErrorCode =
  | 'closed' // no data, or the mark of a closed account
  | 'wrong-owner' // not owned by the program that writes such accounts
  | 'wrong-discriminator' // another kind of account
  | 'wrong-length' // an old or cut dump, or an account that has been resized
  | 'wrong-version' // an enum value that programs-idl does not know: the program is newer
  | 'malformed' // bytes that the program cannot have written
  | 'wrong-address' // not an address, or not the one that the seeds give
  | 'out-of-range' // facts that cannot be stored: a number too wide, an unknown name, too many entries

/** The account that an error is about, as far as it is known. */
export interface AccountName {
  readonly address: string
  readonly slot?: bigint | number | undefined
}

export type JupiterErrorContext = Readonly<Record<string, string | number | bigint>>

/** Address and slot are in the message and, with the numbers, in `context`. */
export class JupiterError extends CodedError<JupiterErrorCode> {
  override readonly name = 'JupiterError'

  constructor(code: JupiterErrorCode, message: string, account?: AccountName, context: JupiterErrorContext = {}) {
    const slot = account?.slot === undefined ? '' : ` at slot ${account.slot}`
    super(code, `${account === undefined ? '' : `${account.address}${slot}: `}${message}`, {
      ...(account === undefined ? {} : { address: account.address }),
      ...(account?.slot === undefined ? {} : { slot: account.slot }),
      ...context,
    })
  }
}
