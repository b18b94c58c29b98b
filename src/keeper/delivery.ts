/** One transaction from its instructions to its end: simulated, signed, sent until it is confirmed or can land no more. */
import type { Connection, Keypair, TransactionInstruction } from '@solana/web3.js'
import { CodedError } from '../../amm/errors.ts'
import { type Delivery, sendToEnd } from '../chain/cluster.ts'
import { encodeBase58 } from '../client/base58.ts'
import {
  callsOf,
  type ExecutedEvent,
  errorOf,
  eventsOf,
  MOST_UNITS,
  type ProgramError,
  SunderClient,
  transactionOf,
} from '../client/index.ts'

export type Outcome =
  /** The simulation had nothing to show that would be worth sending. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly error: ProgramError; readonly signature?: string; readonly fee?: number }
  | {
      readonly kind: 'done'
      readonly signature: string
      readonly fee: number
      readonly events: readonly ExecutedEvent[]
    }
  | { readonly kind: 'expired' | 'unknown'; readonly signature: string }

/** Nothing more is begun after an abort. */
export class Stopped extends Error {}
export const stopIf = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true) throw new Stopped()
}

/** What is asked of a node directly, with the client's errors. */
export const asked = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    throw error instanceof CodedError ? error : errorOf(error)
  }
}

/** Whether it was the way to the node that failed, and not what was asked. */
export const isTrouble = (error: unknown): boolean =>
  error instanceof CodedError && error.name === 'ProgramError' && error.code === 'unknown' && !('code' in error.context)

/** After these a transaction may have landed all the same, or may still land. */
const UNSURE: ReadonlySet<string> = new Set(['unknown', 'already-processed', 'blockhash-expired'])
/** Milliseconds: longer than any blockhash lives. After so long without an answer nobody waits for one any more. */
const PATIENCE = 120_000
const LONGEST_PAUSE = 5000
const LAMPORTS_PER_SIGNATURE = 5000
/** As the client does: for what others trade before a transaction lands. */
const SPARE_UNITS = 20_000
/** Makes two transactions of one blockhash with the same instructions different ones. */
const VARIATION = 1000

export interface Clock {
  /** Milliseconds, by our clock. */
  readonly now: () => number
  readonly sleep: (milliseconds: number) => Promise<void>
}

export class Courier {
  readonly client: SunderClient
  /** Millionths of a lamport for each compute unit. */
  price = 0n
  /** Sent, with an outcome that is not known yet. */
  sending = 0
  readonly #connection: Connection
  readonly #key: Keypair
  readonly #clock: Clock
  #count = 0

  constructor(connection: Connection, key: Keypair, clock: Clock) {
    this.client = new SunderClient(connection)
    this.#connection = connection
    this.#key = key
    this.#clock = clock
  }

  /**
   * `isWorth` looks at the events of the simulation, which must not be none. Throws only where the way to the node fails before anything is sent,
   * and `Stopped`.
   */
  async send(
    instructions: readonly TransactionInstruction[],
    signal: AbortSignal | undefined,
    isWorth: (events: readonly ExecutedEvent[]) => boolean = () => true,
  ): Promise<Outcome> {
    const payer = this.#key.publicKey.toBase58()
    stopIf(signal)
    const tried = await this.client.simulate(instructions, payer)
    if (tried.error !== undefined) return { kind: 'refused', error: tried.error }
    if (tried.events.length === 0 || !isWorth(tried.events)) return { kind: 'nothing' }
    const { price } = this
    const units = Math.min(MOST_UNITS, Math.ceil(tried.units * 1.1) + SPARE_UNITS + (this.#count++ % VARIATION))
    const { blockhash, lastValidBlockHeight } = await asked(this.#connection.getLatestBlockhash('confirmed'))
    const transaction = transactionOf(instructions, { payer, blockhash, units, price })
    transaction.sign([this.#key])
    stopIf(signal)
    const signature = encodeBase58(transaction.signatures[0]!)
    this.sending++
    try {
      const delivery = await this.#deliver(transaction.serialize(), { signature, lastValidBlockHeight }, signal)
      if (typeof delivery === 'string') return { kind: delivery, signature }
      const fee = LAMPORTS_PER_SIGNATURE + Math.ceil((units * Number(price)) / 1e6)
      if (delivery.err !== null) return { kind: 'refused', error: errorOf(delivery.err), signature, fee }
      return { kind: 'done', signature, fee, events: (await this.#events(signature)) ?? tried.events }
    } catch (error) {
      return { kind: 'refused', error: errorOf(error) } // by the node that it was sent to first
    } finally {
      this.sending--
    }
  }

  /** Until it is known what became of it; what was sent is not given up because a node does not answer. */
  async #deliver(
    wire: Uint8Array,
    made: { readonly signature: string; readonly lastValidBlockHeight: number },
    signal: AbortSignal | undefined,
  ): Promise<Delivery | 'expired' | 'unknown'> {
    const { now, sleep } = this.#clock
    const until = now() + PATIENCE
    for (let failures = 0; ; failures++) {
      try {
        return (await sendToEnd(this.#connection, wire, made, { sleep })) ?? 'expired'
      } catch (error) {
        const { code } = errorOf(error)
        if (!UNSURE.has(code)) throw error
        if (code === 'blockhash-expired' && (await this.#height()) > made.lastValidBlockHeight) return 'expired'
        if (now() > until || (signal?.aborted === true && failures > 2)) return 'unknown'
        await sleep(Math.min(LONGEST_PAUSE, 200 * 2 ** failures))
      }
    }
  }

  /** Of what is final; 0 if the node does not say. */
  async #height(): Promise<number> {
    return this.#connection.getBlockHeight('finalized').catch(() => 0)
  }

  /** What a transaction did, if the node says so already. */
  async #events(signature: string): Promise<readonly ExecutedEvent[] | undefined> {
    const config = { commitment: 'confirmed', maxSupportedTransactionVersion: 0 } as const
    const found = await this.#connection.getTransaction(signature, config).catch(() => null)
    return found === null ? undefined : eventsOf(callsOf(found.transaction.message, found.meta))
  }
}
