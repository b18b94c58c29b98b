/** A `Connection` that asks for confirmations instead of waiting for a WebSocket to tell. */
import {
  Connection,
  type ConnectionConfig,
  type RpcResponseAndContext,
  type SignatureResult,
  type TransactionConfirmationStrategy,
  TransactionExpiredBlockheightExceededError,
  type TransactionSignature,
} from '@solana/web3.js'

export interface PollingOptions {
  /** Milliseconds between two questions. */
  readonly interval: number
}

/** How far a status has come. */
const LEVELS = ['processed', 'confirmed', 'finalized']
const wait = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

export class PollingConnection extends Connection {
  readonly #interval: number

  constructor(endpoint: string, config: ConnectionConfig, { interval }: PollingOptions) {
    super(endpoint, config)
    this.#interval = interval
  }

  /** Until it is confirmed, or its blockhash has expired. Other strategies than by block height wait for the status alone. */
  override async confirmTransaction(
    strategy: TransactionConfirmationStrategy | TransactionSignature,
    commitment = this.commitment ?? 'confirmed',
  ): Promise<RpcResponseAndContext<SignatureResult>> {
    const signature = typeof strategy === 'string' ? strategy : strategy.signature
    const abort = typeof strategy === 'string' ? undefined : strategy.abortSignal
    const level = Math.max(0, LEVELS.indexOf(commitment))
    const ends =
      typeof strategy !== 'string' && 'lastValidBlockHeight' in strategy ? strategy.lastValidBlockHeight : undefined
    for (;;) {
      abort?.throwIfAborted()
      // First the height and then the status: what landed at the last moment is seen.
      const height = ends === undefined ? undefined : await this.getBlockHeight('confirmed')
      const { context, value } = await this.getSignatureStatuses([signature])
      const status = value[0] ?? null
      if (status !== null && LEVELS.indexOf(status.confirmationStatus ?? 'processed') >= level) {
        return { context, value: { err: status.err } }
      }
      if (height !== undefined && ends !== undefined && height > ends && status === null) {
        throw new TransactionExpiredBlockheightExceededError(signature)
      }
      await wait(this.#interval)
    }
  }
}
