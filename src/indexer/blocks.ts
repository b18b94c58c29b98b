/** What a source gives: what transactions did, and the events among it. */
import { decodeEvent, type ExecutedEvent, type InnerCall, isEvent } from '../client/events.ts'
import { type DecodedInstruction, decodeInstruction, PROGRAM_ID } from '../client/instructions.ts'
import { fail } from './errors.ts'

/** One of a transaction's instructions, and the calls that it made. */
export interface Calls {
  /** Its place in the transaction. */
  readonly instruction: number
  readonly itself: InnerCall
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
  /** The instruction of the program that the event is of. */
  readonly asked: DecodedInstruction
  readonly event: ExecutedEvent
}

export const placeKey = ({ slot, signature, instruction, call }: Place): string =>
  `${slot}/${signature}/${instruction}/${call}`

/** Whose event a call is: of the last call before it that asked the program for something, which may be the instruction itself. */
const askedBy = ({ itself, calls }: Calls, event: number): DecodedInstruction => {
  const before = [itself, ...calls.slice(0, event)]
  const found = before.findLast(({ programId, data }) => programId === PROGRAM_ID && !isEvent(data))
  return found === undefined
    ? fail('malformed', 'An event that no instruction of the program comes before')
    : decodeInstruction(found.data)
}

/** The events of blocks, each once. Only the program's own calls count. */
export const placedEvents = (blocks: readonly Block[]): Placed[] => {
  const found = new Map<string, Placed>()
  for (const { slot, blockTime, transactions } of blocks) {
    for (const { signature, inner } of transactions) {
      for (const of of inner) {
        of.calls.forEach(({ programId, data }, call) => {
          if (programId !== PROGRAM_ID || !isEvent(data)) return
          const place = { slot, signature, instruction: of.instruction, call }
          found.set(placeKey(place), { ...place, blockTime, asked: askedBy(of, call), event: decodeEvent(data) })
        })
      }
    }
  }
  return [...found.values()]
}
