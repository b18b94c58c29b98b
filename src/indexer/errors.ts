import { CodedError } from '../../amm/errors.ts'

/** Why the indexer went no further. Nothing of the call that threw is in the database. */
export type IndexerErrorCode =
  | 'newer-database' // its schema was written by a later version of this code
  | 'fork' // an event in the place of another one that is indexed: `slot` is where the other one was; roll back to before it
  | 'malformed' // an event that the program cannot have written
  | 'finalised' // a rollback to before what is final
  | 'missing-transaction' // a node names a signature and does not give what it did
  | 'bad-request' // a read that was asked for what there cannot be
  | 'other-chain' // what is final here is not on the node: give the chain a database of its own, or delete this one
  | 'unavailable' // the database, or the process that has it, is not there now: it is tried again
  | 'busy' // too many questions wait for an answer
  | 'timeout' // no answer in time
  | 'internal' // a mistake in this code: the message says more

export class IndexerError extends CodedError<IndexerErrorCode> {
  override readonly name = 'IndexerError'
}

export const fail = (
  code: IndexerErrorCode,
  message: string,
  context: Readonly<Record<string, string | number | bigint>> = {},
): never => {
  throw new IndexerError(code, message, context)
}
