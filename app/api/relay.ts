/** A transaction that its owner has signed, looked at and sent on. The same one twice is sent once. */
import { createPublicKey, verify } from 'node:crypto'
import { type Connection, VersionedTransaction } from '@solana/web3.js'
import { encodeBase58 } from '../../src/client/base58.ts'
import { ADDRESSES, ASSOCIATED_TOKEN_PROGRAM, PACKET_BYTES } from '../../src/client/index.ts'
import { badRequest, fail, fromChain } from './errors.ts'

/** What transactions of this exchange call. */
const PROGRAMS: ReadonlySet<string> = new Set([
  ADDRESSES.program,
  ADDRESSES.systemProgram,
  ADDRESSES.tokenProgram,
  ADDRESSES.token2022Program,
  ASSOCIATED_TOKEN_PROGRAM,
  'ComputeBudget111111111111111111111111111111',
  'AddressLookupTab1e1111111111111111111111111',
  'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr',
])
/** An Ed25519 key in DER begins so. */
const KEY_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
/** Transactions that are remembered. */
const MOST = 10_000

const isSignedBy = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  const publicKey = createPublicKey({ key: Buffer.concat([KEY_PREFIX, key]), format: 'der', type: 'spki' })
  return verify(null, message, publicKey, signature)
}

/** A signed transaction out of its base64, with its signature; refuses what is none, what is not signed, and what calls other programs. */
export const parseSigned = (text: string): { readonly wire: Buffer; readonly signature: string } => {
  const wire = Buffer.from(text, 'base64')
  const hint = 'Send what POST /v1/transactions/{action} made, signed and serialised, in base64.'
  if (wire.length > PACKET_BYTES) badRequest(`A transaction has at most ${PACKET_BYTES} bytes`, hint)
  let transaction: VersionedTransaction
  try {
    transaction = VersionedTransaction.deserialize(wire)
    if (Buffer.compare(transaction.serialize(), wire) !== 0) throw new RangeError('not canonical')
  } catch {
    return badRequest('These bytes are no transaction', hint)
  }
  const { message, signatures } = transaction
  const keys = message.staticAccountKeys
  if (
    signatures.length === 0 ||
    signatures.length !== message.header.numRequiredSignatures ||
    keys.length < signatures.length
  ) {
    return badRequest('The transaction has not as many signatures as it says', hint)
  }
  const bytes = message.serialize()
  const unsigned = signatures.findIndex((signature, i) => !isSignedBy(keys[i]!.toBytes(), bytes, signature))
  if (unsigned >= 0) {
    const key = keys[unsigned]!.toBase58()
    return fail(422, 'missing-signature', 'A signature is missing or wrong', 'Sign with every key that must sign.', {
      key,
    })
  }
  for (const { programIdIndex } of message.compiledInstructions) {
    const program = keys[programIdIndex]?.toBase58()
    if (program === undefined || !PROGRAMS.has(program)) {
      const way = 'Send transactions of other programs to a node yourself.'
      return fail(422, 'foreign-program', 'This relay sends transactions of this exchange alone', way, { program })
    }
  }
  return { wire, signature: encodeBase58(signatures[0]!) }
}

export class Relay {
  readonly #connection: Connection
  /** Those on their way or gone through, the oldest first. */
  readonly #sent = new Map<string, Promise<string>>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Answers the signature once a node has taken it. */
  send(text: string): Promise<string> {
    const { wire, signature } = parseSigned(text)
    const known = this.#sent.get(signature)
    if (known !== undefined) return known
    const sent = this.#send(wire, signature)
    this.#sent.set(signature, sent)
    if (this.#sent.size > MOST) this.#sent.delete(this.#sent.keys().next().value!)
    sent.catch(() => this.#sent.delete(signature)) // it may be tried again
    return sent
  }

  async #send(wire: Buffer, signature: string): Promise<string> {
    const { value } = await fromChain(
      this.#connection.getSignatureStatuses([signature], { searchTransactionHistory: true }),
    )
    if (value[0] !== null) return signature // it went through before, whatever became of it
    try {
      await fromChain(this.#connection.sendRawTransaction(wire, { preflightCommitment: 'confirmed' }))
    } catch (error) {
      // Somebody else may have sent it at the same time.
      if ((error as { code?: string }).code !== 'already-processed') throw error
    }
    return signature
  }
}
