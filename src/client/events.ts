/** What instructions did: events out of the data of the calls that the program makes to itself. Imports no packages. */

import { NO_ADDRESS } from './codecs.ts'
import { fail } from './errors.ts'
import { type EventRecord, EXECUTED, PROGRAM_ID, RECORDS } from './generated/interface.ts'
import { begins, DISCRIMINATOR_BYTES } from './values.ts'
import { WireReader } from './wire.ts'

export type { EventRecord } from './generated/interface.ts'

/** sha256("anchor:event")[..8] the other way round: how a call begins that carries an event. */
export const EVENT_CALL = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d] as const
const SUBJECTS = 2

/** An account that keeps count of the events about it: a reader sees a gap. */
export interface Subject {
  readonly account: string
  readonly sequence: bigint
}

/** What one instruction did. */
export interface ExecutedEvent {
  /** Unix seconds. */
  readonly time: number
  /** At most two. */
  readonly subjects: readonly Subject[]
  /** In order. */
  readonly records: readonly EventRecord[]
}

/** A call that an instruction made, as decoded from the transaction's meta. */
export interface InnerCall {
  readonly programId: string
  readonly data: Uint8Array
}

const START = [...EVENT_CALL, ...EXECUTED]

/** Whether the data of a call carry an event. */
export const isEvent = (data: Uint8Array): boolean => begins(data, START)

/** The event in the data of a call: `wrong-discriminator`, `wrong-length`, `malformed`. */
export const decodeEvent = (data: Uint8Array): ExecutedEvent => {
  if (!isEvent(data)) fail('wrong-discriminator', 'These bytes carry no event of the program', { length: data.length })
  const reader = new WireReader(data, 'event', 2 * DISCRIMINATOR_BYTES)
  const time = reader.value('u32', 'time') as number
  const subjects = Array.from({ length: SUBJECTS }, (_, i) => ({
    account: reader.value('pubkey', `subjects[${i}].account`) as string,
    sequence: reader.value('u64', `subjects[${i}].sequence`) as bigint,
  }))
  const count = reader.value('u32', 'count') as number
  const records: EventRecord[] = []
  for (let i = 0; i < count; i++) {
    const tag = reader.value('u8', `records[${i}]`) as number
    const layout =
      RECORDS[tag] ?? fail('malformed', `No record is of kind ${tag}`, { offset: reader.at - 1, value: tag })
    records.push({ type: layout.type, ...reader.record(layout.fields, `records[${i}].`) } as EventRecord)
  }
  reader.end()
  return { time, subjects: subjects.filter(({ account }) => account !== NO_ADDRESS), records }
}

/** The events among the calls that instructions made, in order. Only the program's own calls count: anybody can make one like it. */
export const eventsOf = (calls: readonly InnerCall[]): ExecutedEvent[] =>
  calls.filter(({ programId, data }) => programId === PROGRAM_ID && isEvent(data)).map(({ data }) => decodeEvent(data))
