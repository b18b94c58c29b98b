/** Events against Anchor's own coder: every kind of record, at the edges of its types. */
import { BorshEventCoder, type Idl } from '@coral-xyz/anchor'
import { describe, expect, test } from 'vitest'
import { decodeBase58, encodeBase58 } from '../../src/client/base58.ts'
import { NO_ADDRESS } from '../../src/client/codecs.ts'
import { ClientError } from '../../src/client/errors.ts'
import { decodeEvent, EVENT_CALL, eventsOf, isEvent } from '../../src/client/events.ts'
import { EXECUTED, PROGRAM_ID, RECORDS } from '../../src/client/generated/interface.ts'
import { joined, writeRecord } from '../../src/client/wire.ts'
import { encodeAddress } from '../../src/jupiter/base58.ts'
import { Random } from '../generate/random.ts'
import { codesOf } from '../helpers/code-of.ts'
import { fromAnchor, IDL, randomFields } from './anchor.ts'
import { randomAddress, randomBytes } from './records.ts'

const codeOf = codesOf(ClientError)
const coder = new BorshEventCoder(IDL as unknown as Idl)

interface Made {
  readonly time: number
  readonly subjects: readonly { readonly account: string; readonly sequence: bigint }[]
  readonly records: readonly ({ readonly type: string } & Record<string, unknown>)[]
}

const plain = (text: string) =>
  text.split(' ').map(word => ({ name: word.split(':')[0]!, type: word.split(':')[1]!, optional: false }))

/** As the program writes it. */
const dataOf = ({ time, subjects, records }: Made): Uint8Array => {
  const none = { account: NO_ADDRESS, sequence: 0n }
  return joined([
    Uint8Array.from([...EVENT_CALL, ...EXECUTED]),
    writeRecord(plain('time:u32'), { time }, 'event'),
    ...[0, 1].map(i => writeRecord(plain('account:pubkey sequence:u64'), subjects[i] ?? none, 'subject')),
    writeRecord(plain('count:u32'), { count: records.length }, 'event'),
    ...records.flatMap(record => {
      const tag = RECORDS.findIndex(({ type }) => type === record.type)
      return [Uint8Array.of(tag), writeRecord(RECORDS[tag]!.fields, record, record.type)]
    }),
  ])
}

const subjectOf = (random: Random) => ({ account: randomAddress(random), sequence: random.big(0n, (1n << 64n) - 1n) })
const randomEvent = (random: Random, types: readonly number[]): Made => ({
  time: random.int(0, 2 ** 32 - 1),
  subjects: Array.from({ length: random.int(0, 2) }, () => subjectOf(random)).filter(s => s.account !== NO_ADDRESS),
  records: types.map(i => ({ type: RECORDS[i]!.type, ...randomFields(random, RECORDS[i]!.fields) })),
})

const kebab = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`).replace(/^-/, '')

/** Anchor's reading of the same bytes, in the client's terms. */
const readByAnchor = (data: Uint8Array): unknown => {
  const event = coder.decode(Buffer.from(data.subarray(8)).toString('base64'))!
  expect(event.name).toBe('Executed')
  const { time, subjects, records } = event.data as {
    time: number
    subjects: unknown[]
    records: Record<string, Record<string, unknown>>[]
  }
  return {
    time,
    subjects: (fromAnchor(subjects) as Made['subjects']).filter(({ account }) => account !== NO_ADDRESS),
    records: records.map(record => {
      const [[name, fields]] = Object.entries(record) as [[string, Record<string, unknown>]]
      return { type: kebab(name), ...(fromAnchor({ ...fields, two: 0 }) as object), two: undefined } // never taken for a name
    }),
  }
}

describe('an event', () => {
  test.each(RECORDS.map((layout, i) => [layout.type, i] as const))('of %s is read as Anchor reads it', (_, i) => {
    const random = new Random(21n)
    for (let n = 0; n < 60; n++) {
      const event = randomEvent(random, [i])
      const data = dataOf(event)
      expect(decodeEvent(data)).toEqual(event)
      expect(readByAnchor(data)).toEqual(event)
    }
  })

  test('of many records keeps their order', () => {
    const random = new Random(22n)
    for (let n = 0; n < 100; n++) {
      const types = Array.from({ length: random.int(0, 20) }, () => random.int(0, RECORDS.length - 1))
      const event = randomEvent(random, types)
      const data = dataOf(event)
      expect(decodeEvent(data)).toEqual(event)
      expect(decodeEvent(Uint8Array.from([7, ...data]).subarray(1))).toEqual(event)
      expect(readByAnchor(data)).toEqual(event)
    }
  })

  test('that is cut off, too long, or of an unknown kind is a coded error', () => {
    const random = new Random(23n)
    const data = dataOf(randomEvent(random, [0, 8, 17]))
    for (let length = 0; length < data.length; length++) {
      expect(codeOf(() => decodeEvent(data.subarray(0, length)))).toBe(
        length < 16 ? 'wrong-discriminator' : 'wrong-length',
      )
    }
    expect(codeOf(() => decodeEvent(Uint8Array.from([...data, 0])))).toBe('wrong-length')
    expect(codeOf(() => decodeEvent(data.with(104, RECORDS.length)))).toBe('malformed')
    const coupon = dataOf(randomEvent(random, [1])).with(105, 2)
    expect(() => decodeEvent(coupon)).toThrow(/records\[0\].*coupon must be hourly or weekly, got 2 \[malformed\]/)
    for (let n = 0; n < 1000; n++) {
      const broken = data.with(random.int(16, data.length - 1), random.int(0, 255))
      expect(['none', 'malformed', 'wrong-length']).toContain(codeOf(() => decodeEvent(broken)))
    }
  })

  test("among calls: only the program's own count", () => {
    const random = new Random(24n)
    const event = randomEvent(random, [2])
    const data = dataOf(event)
    const call = { programId: PROGRAM_ID, data }
    const others = [
      { programId: encodeAddress(randomBytes(random, 32)), data },
      { programId: PROGRAM_ID, data: randomBytes(random, 40) },
      { programId: PROGRAM_ID, data: new Uint8Array() },
    ]
    expect(eventsOf([others[0]!, call, ...others, call])).toEqual([event, event])
    expect([isEvent(data), isEvent(data.subarray(0, 15)), isEvent(new Uint8Array(16))]).toEqual([true, false, false])
  })
})

test('base 58 of any length', () => {
  const random = new Random(25n)
  for (let n = 0; n < 400; n++) {
    const bytes = randomBytes(random, random.int(0, n < 390 ? 60 : 3000)).fill(0, 0, random.int(0, 3))
    expect(decodeBase58(encodeBase58(bytes))).toEqual(bytes)
  }
  expect(codeOf(() => decodeBase58('11l'))).toBe('malformed')
})
