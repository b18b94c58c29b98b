/** What the indexer uses of web3.js's connection, over recorded blocks: a node that can be behind, forget, and change its mind. */
import { MessageV0, PublicKey } from '@solana/web3.js'
import { encodeBase58 } from '../../src/client/base58.ts'
import { eventsOf, PROGRAM_ID } from '../../src/client/index.ts'
import type { Block, IndexedTransaction, SourceConnection } from '../../src/indexer/index.ts'

interface Landed extends IndexedTransaction {
  readonly slot: number
  readonly blockTime: number | undefined
  readonly failed: boolean
  /** Addresses that it names. */
  readonly names: ReadonlySet<string>
}

/** The instructions of a transaction whose others are of no matter. */
const messageOf = (own: readonly string[], looked: number, inner: IndexedTransaction['inner']): MessageV0 =>
  new MessageV0({
    header: { numRequiredSignatures: 0, numReadonlySignedAccounts: 0, numReadonlyUnsignedAccounts: 0 },
    staticAccountKeys: own.map(id => new PublicKey(id)),
    recentBlockhash: PROGRAM_ID,
    compiledInstructions: Array.from({ length: 1 + Math.max(0, ...inner.map(one => one.instruction)) }, (_, place) => {
      const found = inner.find(({ instruction }) => instruction === place)?.itself
      const programIdIndex = found === undefined ? 0 : own.indexOf(found.programId)
      return { programIdIndex, accountKeyIndexes: [], data: found?.data ?? new Uint8Array() }
    }),
    addressTableLookups: [
      {
        accountKey: PublicKey.default,
        writableIndexes: [],
        readonlyIndexes: Array.from({ length: looked }, (_, i) => i),
      },
    ],
  })

export class ScriptedConnection {
  /** What happened, in order. */
  landed: Landed[] = []
  /** How far the node is. */
  slot = 0
  final = 0
  /** Signatures that it does not name, and transactions that it does not give. */
  readonly unnamed = new Set<string>()
  readonly missing = new Set<string>()
  /** Called before every answer: throws what the node answers instead. */
  before: (method: string) => void = () => {}
  readonly asked = new Map<string, number>()

  get connection(): SourceConnection {
    return this as unknown as SourceConnection
  }

  /** Goes on by some blocks. */
  land(blocks: readonly Block[], failed = false): void {
    for (const { slot, blockTime, transactions } of blocks) {
      for (const transaction of transactions) {
        const subjects = transaction.inner.flatMap(({ calls }) => eventsOf(calls)).flatMap(event => event.subjects)
        const names = new Set([PROGRAM_ID, ...subjects.map(({ account }) => account)])
        this.landed.push({ ...transaction, slot, blockTime, failed, names })
      }
      this.slot = slot
    }
  }

  /** The node takes another branch: what came after a slot did not. */
  fork(slot: number): void {
    this.landed = this.landed.filter(one => one.slot <= slot)
    this.slot = slot
  }

  #asks(method: string): void {
    this.asked.set(method, (this.asked.get(method) ?? 0) + 1)
    this.before(method)
  }

  #seen(): Landed[] {
    return this.landed.filter(({ slot }) => slot <= this.slot)
  }

  async getSlot(commitment: string) {
    this.#asks('getSlot')
    return commitment === 'finalized' ? this.final : this.slot
  }

  async getSignaturesForAddress(
    address: PublicKey,
    { limit, before, until }: { limit: number; before?: string; until?: string },
  ) {
    this.#asks('getSignaturesForAddress')
    const all = this.#seen()
      .filter(({ names, signature }) => names.has(address.toBase58()) && !this.unnamed.has(signature))
      .reverse()
    const from = before === undefined ? 0 : all.findIndex(({ signature }) => signature === before) + 1
    const end = until === undefined ? -1 : all.findIndex(({ signature }) => signature === until)
    return all
      .slice(from, end < 0 ? undefined : end)
      .slice(0, limit)
      .map(({ slot, signature, blockTime, failed }) => ({ slot, signature, blockTime, err: failed ? {} : null }))
  }

  async getTransaction(signature: string) {
    this.#asks('getTransaction')
    const found = this.#seen().find(one => one.signature === signature)
    if (found === undefined || this.missing.has(signature)) return null
    const own = [...new Set(found.inner.map(({ itself }) => itself.programId))]
    const called = found.inner.flatMap(({ calls }) => calls.map(({ programId }) => programId))
    const looked = [...new Set(called)].filter(id => !own.includes(id))
    const ids = [...own, ...looked]
    return {
      ...{ slot: found.slot, blockTime: found.blockTime },
      // Programs that only others call are named by a lookup table.
      transaction: { message: messageOf(own, looked.length, found.inner) },
      meta: {
        loadedAddresses: { writable: [], readonly: looked.map(id => new PublicKey(id)) },
        err: found.failed ? {} : null,
        innerInstructions: found.inner.map(({ instruction, calls }) => ({
          index: instruction,
          instructions: calls.map(({ programId, data }) => ({
            programIdIndex: ids.indexOf(programId),
            data: encodeBase58(data),
          })),
        })),
      },
    }
  }

  async getSignatureStatuses(signatures: readonly string[]) {
    this.#asks('getSignatureStatuses')
    const seen = new Map(this.#seen().map(one => [one.signature, one]))
    return {
      value: signatures.map(signature => {
        const found = seen.get(signature)
        return found === undefined ? null : { slot: found.slot, err: found.failed ? {} : null }
      }),
    }
  }
}
