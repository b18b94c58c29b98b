import { CodedError } from '../../amm/errors.ts'

/** Why an account, a record or an address was refused. */
export type ClientErrorCode =
  | 'closed' // no data
  | 'uninitialised' // created, but nothing is written in it yet
  | 'wrong-owner' // not owned by the program
  | 'wrong-discriminator' // another kind of account
  | 'wrong-version' // a layout of another version of the program
  | 'wrong-length'
  | 'malformed' // bytes that the program cannot have written
  | 'out-of-range' // a record that cannot be stored
  | 'wrong-address' // not an address, or not the one that the seeds give
  | 'missing-account' // an account that is needed to know was not given
  | 'too-large' // more than fits into a transaction
  | 'inconsistent' // accounts that do not belong together

export type ClientErrorContext = Readonly<Record<string, string | number | bigint>>

export class ClientError extends CodedError<ClientErrorCode> {
  override readonly name = 'ClientError'
}

export const fail = (code: ClientErrorCode, message: string, context: ClientErrorContext = {}): never => {
  throw new ClientError(code, message, context)
}
