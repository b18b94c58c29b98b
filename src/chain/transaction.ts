/** A transaction as a node reads it: who signs and writes, what it costs, and what it says of how it went. */
import {
  AddressLookupTableAccount,
  ComputeBudgetProgram,
  type Message,
  type MessageV0,
  PublicKey,
  VersionedTransaction,
} from '@solana/web3.js'
import {
  FailedTransactionMetadata,
  type SimulatedTransactionInfo,
  type TransactionMetadata,
} from 'litesvm/dist/internal.js'
import { encodeBase58 } from '../client/base58.ts'
import { RpcError } from './errors.ts'

/** Of a transaction with its signatures. */
export const PACKET_BYTES = 1232
const LAMPORTS_PER_SIGNATURE = 5000
const MOST_UNITS = 1_400_000
/** What an instruction may take if nothing is said: one of a program that is built in, and any other. */
const BUILT_IN_UNITS = 3000
const INSTRUCTION_UNITS = 200_000
const BUILT_IN: ReadonlySet<string> = new Set([
  '11111111111111111111111111111111',
  'ComputeBudget111111111111111111111111111111',
  'AddressLookupTab1e1111111111111111111111111',
  'BPFLoader1111111111111111111111111111111111',
  'BPFLoader2111111111111111111111111111111111',
  'BPFLoaderUpgradeab1e11111111111111111111111',
  'Vote111111111111111111111111111111111111111',
  'Stake11111111111111111111111111111111111111',
])

/** A transaction's error as nodes write it: "BlockhashNotFound", { InstructionError: [1, { Custom: 6000 }] }. */
export type TransactionError =
  | string
  | {
      readonly InstructionError?: readonly [number, unknown]
      readonly InsufficientFundsForRent?: { readonly account_index: number }
      readonly [other: string]: unknown
    }

/** All keys of a transaction in the order that instructions number them. */
export interface Keys {
  readonly all: readonly string[]
  /** Out of lookup tables. */
  readonly loaded: { readonly writable: readonly string[]; readonly readonly: readonly string[] }
  readonly isWritable: (place: number) => boolean
}

export interface Parsed {
  readonly wire: Buffer
  readonly message: Message | MessageV0
  readonly signatures: readonly Uint8Array[]
  /** Its first signature, base 58. */
  readonly signature: string
  readonly blockhash: string
  readonly version: 'legacy' | 0
}

/** Reads a transaction, and throws what a node answers to one that is none. */
export const parseTransaction = (wire: Buffer): Parsed => {
  const bad = (why: string): never => {
    throw new RpcError('params', why)
  }
  if (wire.length > PACKET_BYTES) {
    bad(
      `decoded solana_transaction::versioned::VersionedTransaction too large: ${wire.length} bytes (max: ${PACKET_BYTES} bytes)`,
    )
  }
  let transaction: VersionedTransaction
  try {
    transaction = VersionedTransaction.deserialize(wire)
  } catch (error) {
    return bad(`failed to deserialize solana_transaction::versioned::VersionedTransaction: ${(error as Error).message}`)
  }
  const { message, signatures } = transaction
  if (message.version === 1) return bad('failed to deserialize: version 1 is not supported')
  const { numRequiredSignatures, numReadonlySignedAccounts } = message.header
  const isWrong =
    signatures.length !== numRequiredSignatures ||
    numRequiredSignatures === 0 ||
    numReadonlySignedAccounts >= numRequiredSignatures ||
    numRequiredSignatures + message.header.numReadonlyUnsignedAccounts > message.staticAccountKeys.length ||
    // What is behind the last byte would be signed by nobody.
    transaction.serialize().length !== wire.length
  if (isWrong) bad('invalid transaction: Transaction failed to sanitize accounts offsets correctly')
  return {
    wire,
    message,
    signatures,
    signature: encodeBase58(signatures[0]!),
    blockhash: message.recentBlockhash,
    version: message.version,
  }
}

/** `table`: the bytes of a lookup table. What a table does not have is left out: the chain refuses the transaction anyway. */
export const keysOf = (message: Message | MessageV0, table: (address: PublicKey) => Buffer | undefined): Keys => {
  const own = message.staticAccountKeys.map(key => key.toBase58())
  const looked = (places: 'writableIndexes' | 'readonlyIndexes'): string[] =>
    message.addressTableLookups.flatMap(lookup => {
      const bytes = table(lookup.accountKey)
      if (bytes === undefined) return []
      const { addresses } = AddressLookupTableAccount.deserialize(bytes)
      return lookup[places].flatMap(place => addresses[place]?.toBase58() ?? [])
    })
  const loaded = { writable: looked('writableIndexes'), readonly: looked('readonlyIndexes') }
  const isWritable = (place: number): boolean =>
    place < own.length ? message.isAccountWritable(place) : place < own.length + loaded.writable.length
  return { all: [...own, ...loaded.writable, ...loaded.readonly], loaded, isWritable }
}

/** Lamports: for the signatures, and for the limit of compute units at the price that the transaction offers. */
export const feeOf = (message: Message | MessageV0): number => {
  let limit: number | undefined
  let price = 0n
  let standard = 0
  for (const { programIdIndex, data } of message.compiledInstructions) {
    const program = message.staticAccountKeys[programIdIndex]
    if (program === undefined) continue
    standard += BUILT_IN.has(program.toBase58()) ? BUILT_IN_UNITS : INSTRUCTION_UNITS
    if (!program.equals(ComputeBudgetProgram.programId)) continue
    const bytes = Buffer.from(data)
    if (bytes[0] === 2 && bytes.length >= 5) limit = bytes.readUInt32LE(1)
    if (bytes[0] === 3 && bytes.length >= 9) price = bytes.readBigUInt64LE(1)
  }
  const units = BigInt(Math.min(limit ?? standard, MOST_UNITS))
  const signatures = message.header.numRequiredSignatures * LAMPORTS_PER_SIGNATURE
  return signatures + Number((units * price + 999_999n) / 1_000_000n)
}

type Result = TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo

export const metaIn = (result: Result): TransactionMetadata => ('meta' in result ? result.meta() : result)

/** Undefined if it went through. LiteSVM's own enums have no names at run time, but Rust's debug text does. */
export const errorIn = (result: Result): TransactionError | undefined => {
  if (!(result instanceof FailedTransactionMetadata)) return undefined
  const text = /err: (.*?), meta: /s.exec(result.toString())?.[1] ?? 'ClusterMaintenance'
  const [, at, code, name] = /^InstructionError\((\d+), (?:Custom\((\d+)\)|(\w+))/.exec(text) ?? []
  if (at !== undefined) return { InstructionError: [Number(at), code === undefined ? name : { Custom: Number(code) }] }
  const [, kind, account] = /^(\w+) \{ account_index: (\d+) \}/.exec(text) ?? []
  if (kind !== undefined) return { [kind]: { account_index: Number(account) } }
  const [, single, index] = /^(\w+)\((\d+)\)/.exec(text) ?? []
  return single === undefined ? text : { [single]: Number(index) }
}

/** Calls that instructions made to programs, of those that made some. */
export const innerOf = (meta: TransactionMetadata) =>
  meta.innerInstructions().flatMap((calls, index) =>
    calls.length === 0
      ? []
      : [
          {
            index,
            instructions: calls.map(call => {
              const instruction = call.instruction()
              return {
                programIdIndex: instruction.programIdIndex(),
                accounts: [...instruction.accounts()],
                data: encodeBase58(instruction.data()),
                stackHeight: call.stackHeight(),
              }
            }),
          },
        ],
  )

/** Undefined if no program returned any. */
export const returnedBy = (meta: TransactionMetadata) => {
  const returned = meta.returnData()
  const data = Buffer.from(returned.data())
  if (data.length === 0) return undefined
  return { programId: new PublicKey(returned.programId()).toBase58(), data: [data.toString('base64'), 'base64'] }
}

/** What nodes say of an error. */
const SAID: Readonly<Record<string, string>> = {
  AccountNotFound: 'Attempt to debit an account but found no record of a prior credit.',
  AlreadyProcessed: 'This transaction has already been processed',
  BlockhashNotFound: 'Blockhash not found',
  InsufficientFundsForFee: 'Insufficient funds for fee',
  InvalidAccountForFee: 'This account may not be used to pay transaction fees',
  ProgramAccountNotFound: 'Attempt to load a program that does not exist',
  SignatureFailure: 'Transaction did not pass signature verification',
  AddressLookupTableNotFound: "Transaction loads an address table account that doesn't exist",
  AccountLoadedTwice: 'Account loaded twice',
  TooManyAccountLocks: 'Transaction locked too many accounts',
}

export const messageOf = (error: TransactionError): string => {
  if (typeof error === 'string') return SAID[error] ?? error
  const failed = error.InstructionError
  if (failed !== undefined) {
    const code = (failed[1] as { readonly Custom?: number }).Custom
    const why = code === undefined ? String(failed[1]) : `custom program error: 0x${code.toString(16)}`
    return `Error processing Instruction ${failed[0]}: ${why}`
  }
  const account = error.InsufficientFundsForRent?.account_index
  if (account !== undefined) return `Transaction results in an account (${account}) with insufficient funds for rent`
  return JSON.stringify(error)
}
