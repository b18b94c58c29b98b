/** Transactions from a Solana node, over web3.js's connection, and the loop that keeps the tables level with it. */
import { type Connection, type Finality, PublicKey, type VersionedMessage } from '@solana/web3.js'
import type { InnerCall } from '../client/events.ts'
import { LAYOUTS } from '../client/generated/layouts.ts'
import { PROGRAM_ID } from '../client/instructions.ts'
import { callsByInstruction } from '../client/sender.ts'
import type { Block } from './blocks.ts'
import { fail, IndexerError } from './errors.ts'
import type { Indexer, Source, Touched } from './indexer.ts'
import type { ChainReader } from './verify.ts'

/** What of web3.js's connection is used. */
export type SourceConnection = Pick<
  Connection,
  'getSignaturesForAddress' | 'getSignatureStatuses' | 'getSlot' | 'getTransaction'
>

/** A transaction that a node names. */
export interface Named {
  readonly slot: number
  readonly signature: string
  readonly blockTime: number | undefined
  readonly failed: boolean
}

/** Signatures that a node gives at once, and that it can be asked about at once. */
const PAGE = 1000
const STATUSES = 256
/** Transactions that are asked for at the same time, and that are given on at once. */
const TOGETHER = 8
const PART = 64
/** How often a node is asked again for a transaction that it names and does not give, and after how long. */
const TRIES = 4
const WAIT = 400

const wait = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))

/** Programs of instructions are named by the message itself, never by a lookup table. */
const instructionAt = (message: VersionedMessage, place: number): InnerCall => {
  const { programIdIndex, data } = message.compiledInstructions[place]!
  return { programId: message.staticAccountKeys[programIdIndex]!.toBase58(), data }
}

export class RpcSource implements Source {
  readonly connection: SourceConnection
  readonly commitment: Finality
  readonly #wait: number

  /** `finalized` shows nothing that can be undone, about 13 seconds later. */
  constructor(connection: SourceConnection, { commitment = 'confirmed' as Finality, wait = WAIT } = {}) {
    this.connection = connection
    this.commitment = commitment
    this.#wait = wait
  }

  slot(commitment: Finality = this.commitment): Promise<number> {
    return this.connection.getSlot(commitment)
  }

  /** Transactions that name an address, failed ones too, the oldest first. */
  async signatures(
    address: string,
    { after, before }: { readonly after?: string | undefined; readonly before?: string | undefined },
  ): Promise<Named[]> {
    const key = new PublicKey(address)
    const found: Named[] = []
    let from = before
    for (;;) {
      const options = {
        limit: PAGE,
        ...(from === undefined ? {} : { before: from }),
        ...(after === undefined ? {} : { until: after }),
      }
      const page = await this.connection.getSignaturesForAddress(key, options, this.commitment)
      for (const { slot, signature, blockTime, err } of page) {
        found.push({ slot, signature, blockTime: blockTime ?? undefined, failed: err !== null })
      }
      if (page.length < PAGE) return found.reverse()
      from = page.at(-1)!.signature
    }
  }

  async *blocks(
    address: string,
    range: { readonly after?: string | undefined; readonly before?: string | undefined },
  ): AsyncGenerator<readonly Block[]> {
    yield* this.fetch(await this.signatures(address, range))
  }

  /** What transactions did, in the order given and in parts, without those that failed. `missing-transaction` */
  async *fetch(named: readonly Named[]): AsyncGenerator<readonly Block[]> {
    const done = named.filter(({ failed }) => !failed)
    for (let from = 0; from < done.length; from += PART) {
      const part = done.slice(from, from + PART)
      const blocks: Block[] = []
      for (let at = 0; at < part.length; at += TOGETHER) {
        blocks.push(...(await Promise.all(part.slice(at, at + TOGETHER).map(one => this.#block(one)))))
      }
      yield blocks
    }
  }

  async #block({ signature, blockTime }: Named): Promise<Block> {
    const config = { commitment: this.commitment, maxSupportedTransactionVersion: 0 }
    for (let tries = 1; ; tries++) {
      const found = await this.connection.getTransaction(signature, config)
      if (found !== null) {
        const { slot } = found // as it is now: it may have moved since it was named
        const { message } = found.transaction
        const made = found.meta?.err === null ? callsByInstruction(message, found.meta) : []
        const inner = made.map(one => ({ ...one, itself: instructionAt(message, one.instruction) }))
        return { slot, blockTime: found.blockTime ?? blockTime, transactions: [{ signature, inner }] }
      }
      if (tries === TRIES)
        fail('missing-transaction', 'The node names a transaction that it does not have', { signature })
      await wait(this.#wait * tries)
    }
  }

  /** Those of transactions that are not, or no longer, in the slot that is said. */
  async gone(known: readonly Pick<Named, 'slot' | 'signature'>[]): Promise<Pick<Named, 'slot' | 'signature'>[]> {
    const gone: Pick<Named, 'slot' | 'signature'>[] = []
    for (let from = 0; from < known.length; from += STATUSES) {
      const part = known.slice(from, from + STATUSES)
      const signatures = part.map(({ signature }) => signature)
      const { value } = await this.connection.getSignatureStatuses(signatures, { searchTransactionHistory: true })
      gone.push(...part.filter(({ slot }, i) => value[i]?.slot !== slot || value[i]?.err !== null))
    }
    return gone
  }
}

/** The accounts of a cluster for `verify`. */
export const rpcReader = (
  connection: Pick<Connection, 'getMultipleAccountsInfo' | 'getProgramAccounts'>,
  commitment: Finality = 'confirmed',
): ChainReader => ({
  read: async addresses => {
    const keys = addresses.map(address => new PublicKey(address))
    const found = await connection.getMultipleAccountsInfo(keys, commitment)
    return found.map(account => (account?.owner.toBase58() === PROGRAM_ID ? account.data : undefined))
  },
  list: async name => {
    const bytes = Buffer.from(LAYOUTS[name].discriminator).toString('base64')
    const found = await connection.getProgramAccounts(new PublicKey(PROGRAM_ID), {
      commitment,
      dataSlice: { offset: 0, length: 0 },
      filters: [{ memcmp: { offset: 0, bytes, encoding: 'base64' } }],
    })
    return found.map(({ pubkey }) => pubkey.toBase58())
  },
})

export interface Polled {
  readonly added: number
  /** Slot after which everything was undone, if a fork was found. */
  readonly rolledBack: number | undefined
  readonly gaps: number
  /** Everything up to this slot is in; and the last final one. */
  readonly slot: number
  readonly final: number
}

/** That the tables have changed. */
export interface Advanced {
  /** The newest slot of what came, or the last that is left. */
  readonly slot: number
  /** Slot after which everything was undone; undefined where something was added. */
  readonly rolledBack?: number
  readonly touched: Touched
}

/** Keeps the tables level with a node. One at a time for an indexer; a second one over the same database does no harm. */
export class Follower {
  readonly indexer: Indexer
  readonly source: RpcSource
  /** Transactions without an event of the program, which are not asked for again. */
  #idle = new Set<string>()
  readonly #advance: (_: Advanced) => void
  readonly #behind: (head: number, behind: boolean) => void

  /**
   * `onAdvanced` hears of every change of the tables, once it is in the database; `onBehind`, before anything is taken in, of the node's
   * slot and whether more has piled up than comes at once.
   */
  constructor(
    indexer: Indexer,
    source: RpcSource,
    { onAdvanced = (_: Advanced) => {}, onBehind = (_head: number, _behind: boolean) => {} } = {},
  ) {
    this.indexer = indexer
    this.source = source
    this.#advance = onAdvanced
    this.#behind = onBehind
  }

  /** Takes in what is new, undoes what is gone, fills gaps, and writes down what is final. From an empty database this is the backfill. */
  async poll(): Promise<Polled> {
    const { indexer, source } = this
    const [final, slot] = [await source.slot('finalized'), await source.slot()]
    const before = await indexer.finalised()
    const listed = await source.signatures(PROGRAM_ID, { after: before.signature })
    let known = await indexer.since(before.slot)
    let rolledBack: number | undefined
    const undo = async (toSlot: number): Promise<void> => {
      if (toSlot < before.slot) {
        const text = `What the index has of slot ${toSlot + 1} is final, and the node has something else: this is another chain`
        fail('other-chain', text, { slot: toSlot + 1 })
      }
      const touched = await indexer.rollback(toSlot)
      rolledBack = Math.min(toSlot, rolledBack ?? toSlot)
      this.#advance({ slot: toSlot, rolledBack: toSlot, touched })
      known = await indexer.since(before.slot)
    }

    // What the node does not name is looked at again, unless the node is only behind.
    const at = new Map(listed.map(one => [one.signature, one.slot]))
    const gone = await source.gone(known.filter(one => one.slot <= slot && at.get(one.signature) !== one.slot))
    if (gone.length > 0) await undo(Math.min(...gone.map(one => one.slot)) - 1)

    let added = 0
    for (let tries = 0; ; tries++) {
      const there = new Set(known.map(({ signature }) => signature))
      const wanted = listed.filter(({ signature }) => !there.has(signature) && !this.#idle.has(signature))
      this.#behind(slot, wanted.length > PART)
      try {
        for await (const blocks of source.fetch(wanted)) added += await this.#take(blocks)
        break
      } catch (error) {
        if (!(error instanceof IndexerError) || error.code !== 'fork' || tries > 0) throw error
        const { slot: forked } = error.context
        await undo(Number(forked) - 1)
      }
    }
    const gaps = await indexer.gaps()
    const left =
      gaps.length === 0 ? gaps : await indexer.refill(source, ({ touched }) => this.#advance({ slot, touched }))
    const last = listed.findLast(one => one.slot <= final)
    await indexer.finalise(Math.min(final, slot), last?.signature)
    if (last !== undefined)
      this.#idle = new Set(
        listed.filter(one => one.slot > final && this.#idle.has(one.signature)).map(one => one.signature),
      )
    return { added, rolledBack, gaps: left.length, slot, final: Math.min(final, slot) }
  }

  async #take(blocks: readonly Block[]): Promise<number> {
    const { added, touched } = await this.indexer.ingest(blocks)
    if (added > 0) this.#advance({ slot: Math.max(...blocks.map(({ slot }) => slot)), touched })
    // The embedded database answers without giving way: others in this process have a turn between two parts.
    await new Promise(resolve => setImmediate(resolve))
    for (const { transactions } of blocks) {
      for (const { signature, inner } of transactions) if (inner.length === 0) this.#idle.add(signature)
    }
    return added
  }

  /** Polls until it is told to stop; what goes wrong is reported and tried again, later each time up to half a minute. */
  async run(
    signal: AbortSignal,
    { every = 1000, onError = (_: unknown) => {}, onPoll = (_: Polled) => {} } = {},
  ): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      try {
        onPoll(await this.poll())
        failures = 0
      } catch (error) {
        failures++
        onError(error)
      }
      await pause(Math.min(30_000, every * 2 ** failures), signal)
    }
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
