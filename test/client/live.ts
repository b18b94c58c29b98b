/**
 * What the client uses of web3.js's connection, on a local chain: no RPC, but what a node would answer. Each transaction has a slot of
 * its own. Signatures and blockhashes are checked, if the chain was made to check them.
 */
import {
  type AccountInfo,
  type MessageV0,
  PublicKey,
  SendTransactionError,
  VersionedTransaction,
} from '@solana/web3.js'
import type { FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata } from 'litesvm/dist/internal.js'
import { errorIn } from '../../src/chain/transaction.ts'
import { encodeBase58 } from '../../src/client/base58.ts'
import { type ClientConnection, callsOf, type ExecutedEvent, eventsOf } from '../../src/client/index.ts'
import type { LocalChain } from '../programs/harness.ts'

interface Keys {
  readonly own: readonly PublicKey[]
  readonly writable: PublicKey[]
  readonly readonly: PublicKey[]
}

interface Landed {
  readonly transaction: VersionedTransaction
  readonly keys: Keys
  readonly meta: TransactionMetadata
  readonly err: unknown
}

const metaOf = (
  result: TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo,
): TransactionMetadata => ('meta' in result ? result.meta() : result)

export class LiveConnection {
  readonly chain: LocalChain
  /** Whether a transaction that will fail is not sent at all, as nodes do it unless they are told otherwise. */
  preflight = true
  /** All that were sent, by signature. */
  readonly landed = new Map<string, Landed>()

  constructor(chain: LocalChain) {
    this.chain = chain
    this.#nextSlot()
  }

  /** What the client takes. */
  get connection(): ClientConnection {
    return this as unknown as ClientConnection
  }

  /** The time stands. Lookup tables are made at a slot that is among the recent ones. */
  #nextSlot(): void {
    const { svm, now } = this.chain
    const { slot } = svm.getClock()
    this.chain.setTime(now)
    svm.expireBlockhash() // so that no two transactions are the same
    const hash = svm.latestBlockhash()
    svm.setSlotHashes([{ slot, hash }])
  }

  async getMultipleAccountsInfo(keys: readonly PublicKey[]): Promise<(AccountInfo<Buffer> | null)[]> {
    return keys.map(key => {
      const found = this.chain.account(key)
      return found === undefined ? null : { ...found, lamports: Number(found.lamports), executable: false }
    })
  }

  async getLatestBlockhash() {
    return { blockhash: this.chain.svm.latestBlockhash(), lastValidBlockHeight: 150 }
  }

  async simulateTransaction(transaction: VersionedTransaction) {
    const { svm } = this.chain
    const checks = svm.getSigverify()
    svm.setSigverify(false)
    const result = svm.simulateVersionedTransaction(transaction.serialize())
    svm.setSigverify(checks)
    const meta = metaOf(result)
    const { own, writable, readonly } = this.#keysOf(transaction)
    const all = [...own, ...writable, ...readonly]
    // Nodes decode calls of the programs that they know, and leave the data of the others.
    const innerInstructions = innerOf(meta).map(({ index, instructions }) => ({
      index,
      instructions: instructions.map(({ programIdIndex, data }) => {
        const programId = all[programIdIndex]!
        return programId.equals(this.chain.programId)
          ? { programId, accounts: [], data }
          : { programId, program: 'known', parsed: {} }
      }),
    }))
    const returned = Buffer.from(meta.returnData().data()).toString('base64')
    const value = {
      err: errorIn(result) ?? null,
      logs: meta.logs(),
      unitsConsumed: Number(meta.computeUnitsConsumed()),
      innerInstructions,
      returnData: returned === '' ? null : { programId: '', data: [returned, 'base64'] },
    }
    return { context: { slot: 1 }, value }
  }

  async sendRawTransaction(bytes: Uint8Array): Promise<string> {
    const transaction = VersionedTransaction.deserialize(bytes)
    const signature = encodeBase58(transaction.signatures[0]!)
    const keys = this.#keysOf(transaction)
    if (this.preflight) {
      const tried = this.chain.svm.simulateVersionedTransaction(bytes)
      const err = errorIn(tried) ?? null
      if (err !== null) throw refusal(err, metaOf(tried).logs())
    }
    const result = this.chain.svm.sendVersionedTransaction(bytes)
    this.landed.set(signature, { transaction, keys, meta: metaOf(result), err: errorIn(result) ?? null })
    this.#nextSlot()
    return signature
  }

  async confirmTransaction({ signature }: { readonly signature: string }) {
    return { context: { slot: 1 }, value: { err: this.landed.get(signature)!.err } }
  }

  async getTransaction(signature: string) {
    const { transaction, keys, meta, err } = this.landed.get(signature)!
    return {
      slot: 1,
      transaction: { message: transaction.message, signatures: [signature] },
      meta: {
        err,
        innerInstructions: innerOf(meta),
        loadedAddresses: { writable: keys.writable, readonly: keys.readonly },
        logMessages: meta.logs(),
        computeUnitsConsumed: Number(meta.computeUnitsConsumed()),
      },
    }
  }

  /** Out of the lookup tables as they are on the chain. */
  #keysOf({ message }: VersionedTransaction): Keys {
    const looked = (places: 'writableIndexes' | 'readonlyIndexes'): PublicKey[] =>
      message.addressTableLookups.flatMap(lookup => {
        const { data } = this.chain.existing(lookup.accountKey)
        return lookup[places].map(place => new PublicKey(data.subarray(56 + 32 * place, 88 + 32 * place)))
      })
    return {
      own: message.staticAccountKeys,
      writable: looked('writableIndexes'),
      readonly: looked('readonlyIndexes'),
    }
  }
}

const innerOf = (meta: TransactionMetadata) =>
  meta.innerInstructions().map((calls, index) => ({
    index,
    instructions: calls.map(call => {
      const instruction = call.instruction()
      const data = encodeBase58(instruction.data())
      return { programIdIndex: instruction.programIdIndex(), accounts: [...instruction.accounts()], data }
    }),
  }))

/** What web3.js throws of a transaction that a node refuses before it sends it. */
const refusal = (err: unknown, logs: string[]): SendTransactionError => {
  const failed = /InstructionError":\[(\d+),\{"Custom":(\d+)/.exec(JSON.stringify(err))
  const why =
    failed === null
      ? String(typeof err === 'string' ? (SAID[err] ?? err) : JSON.stringify(err))
      : `Error processing Instruction ${failed[1]}: custom program error: 0x${Number(failed[2]).toString(16)}`
  const transactionMessage = `Transaction simulation failed: ${why}`
  return new SendTransactionError({ action: 'send', signature: '', transactionMessage, logs })
}
const SAID: Readonly<Record<string, string>> = {
  BlockhashNotFound: 'Blockhash not found',
  SignatureFailure: 'Transaction did not pass signature verification',
}

/** All events of the transactions that went through, in order. */
export const eventsIn = async (live: LiveConnection): Promise<ExecutedEvent[]> => {
  const events: ExecutedEvent[] = []
  for (const [signature, { err }] of live.landed) {
    if (err !== null) continue
    const { transaction, meta } = await live.getTransaction(signature)
    events.push(...eventsOf(callsOf(transaction.message as MessageV0, meta)))
  }
  return events
}
