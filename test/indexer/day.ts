/** A random day of the program on a local chain, with everything that its transactions did, as a source would give it. */
import { createHash } from 'node:crypto'
import { encodeBase58 } from '../../src/client/base58.ts'
import { type AccountName, accountName, eventsOf, PROGRAM_ID } from '../../src/client/index.ts'
import type { Block } from '../../src/indexer/blocks.ts'
import type { ChainReader } from '../../src/indexer/verify.ts'
import { lifeAt } from '../campaigns/exchange.ts'
import { newStats } from '../campaigns/exchange-desk.ts'
import { ProgramDesk } from '../campaigns/program.ts'
import type { ProgramChain } from '../campaigns/program-chain.ts'
import { keyAt } from '../campaigns/program-places.ts'
import { Random } from '../generate/random.ts'
import { LocalChain } from '../programs/harness.ts'

export interface Day {
  /** In order, one for each slot with events. */
  readonly blocks: readonly Block[]
  readonly chain: ProgramChain
  readonly desk: ProgramDesk
  readonly reader: ChainReader
  /** The chain as it was after so many of the day's transactions: at the end of the day hardly anything is left. */
  readonly moments: readonly { readonly after: number; readonly reader: ChainReader }[]
}

/** Transactions between two moments that are kept. */
const KEPT_EVERY = 30

/** 64 bytes that no other transaction has. */
export const signatureOf = (text: string): string => encodeBase58(createHash('sha512').update(text).digest())

const KINDS: readonly (AccountName | undefined)[] = [
  'RateIndex',
  'Market',
  'MarginAccount',
  'LpPosition',
  'RestingOrder',
]

/** The chain as it is: of every account that an instruction was ever given, if the indexer might ask for it. */
const readerOf = (chain: LocalChain, named: Iterable<string>): ChainReader => {
  const data = new Map<string, Uint8Array>()
  for (const address of named) {
    const found = chain.account(keyAt(address))
    if (found?.owner.toBase58() === PROGRAM_ID && KINDS.includes(accountName(found.data))) data.set(address, found.data)
  }
  return {
    read: async addresses => addresses.map(address => data.get(address)),
    list: async name => [...data.keys()].filter(address => accountName(data.get(address)!) === name),
  }
}

/** A day of about `operations` applied instructions. */
export const randomDay = (seed: bigint, operations: number): Day => {
  const { send } = LocalChain.prototype
  const blocks: { slot: number; blockTime: number; transactions: Block['transactions'][number][] }[] = []
  const named = new Set<string>()
  const moments: { after: number; reader: ChainReader }[] = []
  let landed = 0
  LocalChain.prototype.send = function (this: LocalChain, given, options) {
    const outcome = send.call(this, given, options)
    for (const { keys } of [given].flat()) for (const { pubkey } of keys) named.add(pubkey.toBase58())
    if (!outcome.ok || !outcome.inner.some(calls => eventsOf(calls).length > 0)) return outcome
    const slot = Number(this.svm.getClock().slot)
    const inner = outcome.inner.map((calls, i) => {
      const { programId, data } = [given].flat()[i]!
      return { instruction: i + 1, itself: { programId: programId.toBase58(), data: Uint8Array.from(data) }, calls }
    })
    const transaction = {
      signature: signatureOf(`${seed} ${landed}`),
      inner,
    }
    if (blocks.at(-1)?.slot === slot) blocks.at(-1)!.transactions.push(transaction)
    else blocks.push({ slot, blockTime: this.now, transactions: [transaction] })
    if (++landed % KEPT_EVERY === 0) moments.push({ after: landed, reader: readerOf(this, named) })
    return outcome
  }
  try {
    const desks: ProgramDesk[] = []
    lifeAt(new Random(seed), newStats(), operations, (...given) => {
      const desk = new ProgramDesk(...given)
      desks.push(desk)
      return desk
    })
    const desk = desks[0]!
    const { chain } = desk.twin
    return { blocks, chain, desk, reader: readerOf(chain.chain, named), moments }
  } finally {
    LocalChain.prototype.send = send
  }
}
