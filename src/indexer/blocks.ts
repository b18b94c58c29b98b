/** What a source gives: what transactions did, and the events among it. */
import { decodeEvent, type ExecutedEvent, type InnerCall, isEvent } from '../client/events.ts'
import { PROGRAM_ID } from '../client/instructions.ts'

/** The calls that one of a transaction's instructions made. */
export interface Calls {
  /** Its place in the transaction. */
  readonly instruction: number
  /** In the order they were made. */
  readonly calls: readonly InnerCall[]
}

/** A transaction that succeeded. */
export interface IndexedTransaction {
  readonly signature: string
  readonly inner: readonly Calls[]
}

export interface Block {
  readonly slot: number
  /** Unix seconds; undefined where the node does not know. */
  readonly blockTime: number | undefined
  readonly transactions: readonly IndexedTransaction[]
}

/** Where an event is on the chain. */
export interface Place {
  readonly slot: number
  readonly signature: string
  readonly instruction: number
  /** Among the calls of its instruction. */
  readonly call: number
}

export interface Placed extends Place {
  readonly blockTime: number | undefined
  readonly event: ExecutedEvent
}

export const placeKey = ({ slot, signature, instruction, call }: Place): string =>
  `${slot}/${signature}/${instruction}/${call}`

/** The events of blocks, each once. Only the program's own calls count. */
export const placedEvents = (blocks: readonly Block[]): Placed[] => {
  const found = new Map<string, Placed>()
  for (const { slot, blockTime, transactions } of blocks) {
    for (const { signature, inner } of transactions) {
      for (const { instruction, calls } of inner) {
        calls.forEach(({ programId, data }, call) => {
          if (programId !== PROGRAM_ID || !isEvent(data)) return
          const place = { slot, signature, instruction, call }
          found.set(placeKey(place), { ...place, blockTime, event: decodeEvent(data) })
        })
      }
    }
  }
  return [...found.values()]
}
