/** Reads, simulates and sends over a connection. Whatever a node refuses is a `ProgramError`. */
import {
  type AccountInfo,
  type AddressLookupTableAccount,
  type CompiledInnerInstruction,
  type Connection,
  PublicKey,
  type Signer,
  type TransactionInstruction,
  type VersionedMessage,
  type VersionedTransaction,
} from '@solana/web3.js'
import { decodeBase58 } from './base58.ts'
import type { AccountBytes } from './codecs.ts'
import { type ExecutedEvent, eventsOf, type InnerCall } from './events.ts'
import { errorOf, type ProgramError } from './program-errors.ts'
import { MOST_UNITS, type TransactionTerms, transactionOf } from './transactions.ts'

/** What of web3.js's connection is used. */
export type ClientConnection = Pick<
  Connection,
  | 'confirmTransaction'
  | 'getLatestBlockhash'
  | 'getMultipleAccountsInfo'
  | 'getTransaction'
  | 'sendRawTransaction'
  | 'simulateTransaction'
>

/** Who signs: a wallet, or keys (`walletOf`). */
export interface Wallet {
  readonly publicKey: PublicKey
  signTransaction(transaction: VersionedTransaction): Promise<VersionedTransaction>
}

/** The first key pays. */
export const walletOf = (...keys: readonly [Signer, ...Signer[]]): Wallet => ({
  publicKey: keys[0].publicKey,
  signTransaction: async transaction => {
    transaction.sign([...keys])
    return transaction
  },
})

export interface ClientOptions {
  /** Millionths of a lamport for each compute unit. */
  readonly price?: bigint
  /** Seconds by the chain's clock in which a transaction lands, 60 by default. */
  readonly lands?: number
  /** Lookup tables for transactions that do not fit otherwise. */
  readonly tables?: readonly AddressLookupTableAccount[]
}

export interface Simulation {
  readonly error: ProgramError | undefined
  readonly units: number
  readonly events: readonly ExecutedEvent[]
  readonly logs: readonly string[]
  /** Return data of the last instruction that had some: `decodePtPrice` reads those of `ptPrice`. */
  readonly returned: Uint8Array
}

export interface Sent {
  readonly signature: string
  readonly units: number
  /** None if the node has confirmed the transaction, but not yet what it did. */
  readonly events: readonly ExecutedEvent[]
}

/** Of a node's answer. */
const MOST_ACCOUNTS = 100
/** Compute units for what others trade before a transaction lands: of about 15 ticks more to cross. */
const SPARE_UNITS = 20_000

export class Sender {
  readonly connection: ClientConnection
  readonly options: ClientOptions

  constructor(connection: ClientConnection, options: ClientOptions = {}) {
    this.connection = connection
    this.options = options
  }

  /** Accounts at one slot, as far as there are up to 100; undefined where there is none. */
  async read(addresses: readonly string[]): Promise<(AccountBytes | undefined)[]> {
    const found: (AccountInfo<Buffer> | null)[] = []
    for (let from = 0; from < addresses.length; from += MOST_ACCOUNTS) {
      const keys = addresses.slice(from, from + MOST_ACCOUNTS).map(address => new PublicKey(address))
      found.push(...(await this.#asked(this.connection.getMultipleAccountsInfo(keys))))
    }
    return found.map(account =>
      account === null ? undefined : { owner: account.owner.toBase58(), data: account.data },
    )
  }

  /** Runs instructions without sending them; nothing is signed. */
  async simulate(instructions: readonly TransactionInstruction[], payer: string): Promise<Simulation> {
    const { blockhash } = await this.#asked(this.connection.getLatestBlockhash())
    return this.#simulated(instructions, { ...this.options, payer, blockhash })
  }

  async #simulated(instructions: readonly TransactionInstruction[], terms: TransactionTerms): Promise<Simulation> {
    // At the least price: the fee for as many units as there can be might be more than the wallet has.
    const price = (terms.price ?? 0n) > 0n ? 1n : 0n
    const transaction = transactionOf(instructions, { ...terms, price })
    const config = { sigVerify: false, replaceRecentBlockhash: true, innerInstructions: true }
    const { value } = await this.#asked(this.connection.simulateTransaction(transaction, config))
    const logs = value.logs ?? []
    const calls = (value.innerInstructions ?? []).flatMap(({ instructions }) =>
      instructions.flatMap(call =>
        'data' in call ? [{ programId: String(call.programId), data: decodeBase58(call.data) }] : [],
      ),
    )
    const error = value.err === null ? undefined : errorOf(value.err, logs)
    const returned = Uint8Array.from(Buffer.from(value.returnData?.data[0] ?? '', 'base64'))
    return { error, logs, units: value.unitsConsumed ?? 0, events: eventsOf(calls), returned }
  }

  /**
   * Simulates, sets the limit of compute units to what that took and some more, signs, sends and waits until it is confirmed. A refusal is
   * thrown as a `ProgramError` before anything is signed.
   */
  async send(instructions: readonly TransactionInstruction[], wallet: Wallet): Promise<Sent> {
    const payer = wallet.publicKey.toBase58()
    const { blockhash, lastValidBlockHeight } = await this.#asked(this.connection.getLatestBlockhash())
    const terms = { ...this.options, payer, blockhash }
    const tried = await this.#simulated(instructions, terms)
    if (tried.error !== undefined) throw tried.error
    const units = Math.min(MOST_UNITS, Math.ceil(tried.units * 1.1) + SPARE_UNITS)
    const signed = await wallet.signTransaction(transactionOf(instructions, { ...terms, units }))
    const signature = await this.#asked(this.connection.sendRawTransaction(signed.serialize()))
    const done = await this.#asked(
      this.connection.confirmTransaction({ signature, blockhash, lastValidBlockHeight }, 'confirmed'),
    )
    const sent = await this.#asked(
      this.connection.getTransaction(signature, { commitment: 'confirmed', maxSupportedTransactionVersion: 0 }),
    )
    if (done.value.err !== null) throw errorOf(done.value.err, sent?.meta?.logMessages)
    const calls = sent === null ? [] : callsOf(sent.transaction.message, sent.meta)
    return { signature, units: sent?.meta?.computeUnitsConsumed ?? tried.units, events: eventsOf(calls) }
  }

  /** Whatever a node refuses is a ProgramError. */
  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      throw errorOf(error)
    }
  }
}

interface Meta {
  readonly innerInstructions?: CompiledInnerInstruction[] | null
  readonly loadedAddresses?: { readonly writable: PublicKey[]; readonly readonly: PublicKey[] }
}

/** The calls that each of a transaction's instructions made, in order, of those that made some. */
export const callsByInstruction = (
  message: VersionedMessage,
  meta: Meta | null,
): { readonly instruction: number; readonly calls: InnerCall[] }[] => {
  if (meta === null) return []
  const { loadedAddresses: loaded, innerInstructions } = meta
  const keys = message.getAccountKeys(loaded === undefined ? undefined : { accountKeysFromLookups: loaded })
  return (innerInstructions ?? []).map(({ index, instructions }) => ({
    instruction: index,
    calls: instructions.map(({ programIdIndex, data }) => ({
      programId: keys.get(programIdIndex)?.toBase58() ?? '',
      data: decodeBase58(data),
    })),
  }))
}

/** All of them. */
export const callsOf = (message: VersionedMessage, meta: Meta | null): InnerCall[] =>
  callsByInstruction(message, meta).flatMap(({ calls }) => calls)
