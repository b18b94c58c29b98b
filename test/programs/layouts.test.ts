/** The accounts of the program, read and written by its own Rust on the host, against the client's codecs. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AccountData, type AccountName, COUPON_KINDS, encode, TICKS_PER_ARRAY } from '../../src/client/codecs.ts'
import { LAYOUTS } from '../../src/client/generated/layouts.ts'
import { decodeAddress } from '../../src/jupiter/base58.ts'
import { type Leaf, leavesOf, NAMES, randomRecord } from '../client/records.ts'
import { Random } from '../generate/random.ts'
import { ask as askHost, hasRust, RustHost, skipped } from './rust-host.ts'

const source = fileURLToPath(new URL('layouts-host.rs', import.meta.url))

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

/** A value as the program prints it. */
const shown = ({ value, field }: Leaf): string => {
  if (field.type === 'pubkey') return hex(decodeAddress(value as string))
  if (field.type === 'coupon_kind') return String(COUPON_KINDS.indexOf(value as 'hourly'))
  return typeof value === 'boolean' ? String(Number(value)) : String(value)
}

const words = <N extends AccountName>(name: N, record: AccountData[N]): string[] =>
  leavesOf(LAYOUTS[name].fields, record).map(
    leaf => `${leaf.name}${leaf.listed ? `[${leaf.entry}]` : ''}=${shown(leaf)}`,
  )

describe.skipIf(!hasRust)(`program and client read and write the same accounts${skipped}`, () => {
  const safe = ['-D', 'warnings', '-C', 'opt-level=1']
  let rust: RustHost
  let runner = ''
  const ask = (lines: readonly string[]): string[] => askHost(runner, lines)

  beforeAll(() => {
    rust = new RustHost()
    runner = rust.compile(source, 'host', ...safe)
  })
  afterAll(() => rust.remove())

  test("the program's own tests of its accounts pass", () => {
    rust.expectTests(source, 'state::', ...safe, '-A', 'dead_code', '-A', 'unused_imports')
  })

  const count = (name: AccountName): number => (name === 'TickArray' ? 40 : 300)

  test.each(NAMES)('%s: what the client encodes the program reads, field by field', name => {
    const random = new Random(1n)
    const records = Array.from({ length: count(name) }, () => randomRecord(random, name))
    const answers = ask(records.map(record => `read ${name} ${hex(encode(name, record))}`))
    records.forEach((record, i) => {
      expect(answers[i]!.split(' ')).toEqual(words(name, record))
    })
  })

  test.each(NAMES)('%s: what the program writes, field by field, is what the client encodes', name => {
    const random = new Random(2n)
    const records = Array.from({ length: count(name) }, () => randomRecord(random, name))
    const answers = ask(records.map(record => ['write', name, ...words(name, record)].join(' ')))
    records.forEach((record, i) => {
      expect(answers[i]).toBe(hex(encode(name, record)))
    })
  })

  test.each(NAMES)('%s: what the client refuses of the head the program refuses too', name => {
    const data = encode(name, randomRecord(new Random(3n), name))
    const changed = (at: number, value: number): Uint8Array => {
      const other = data.slice()
      other[at] = value
      return other
    }
    const cases: readonly (readonly [AccountName, Uint8Array, string])[] = [
      ...NAMES.filter(other => other !== name).map(other => [other, data, 'WrongDiscriminator'] as const),
      [name, changed(0, data[0]! ^ 1), 'WrongDiscriminator'],
      [name, changed(8, 2), 'WrongVersion'],
      [name, changed(8, 0), 'WrongVersion'],
      [name, data.slice(0, -1), 'WrongLength'],
      [name, Uint8Array.from([...data, 0]), 'WrongLength'],
      [name, new Uint8Array(data.length), 'Uninitialised'],
    ]
    const answers = ask(cases.map(([as, bytes]) => `read ${as} ${hex(bytes)}`))
    expect(answers).toEqual(cases.map(([, , error]) => `error ${error}`))
  })

  test('the next initialised tick of 3,000 places is what a scan of the bits finds', () => {
    const random = new Random(4n)
    const { spacing, minTick, maxTick } = { spacing: 10, minTick: 50, maxTick: 13_860 }
    const cases = Array.from({ length: 3000 }, () => {
      const record = randomRecord(random, 'Market')
      const some = random.pick([0, 1, 3, 40])
      const steps = Array.from({ length: some }, () => random.int(0, (maxTick - minTick) / spacing))
      const initialised = record.initialised.map((_, word) =>
        steps.reduce(
          (bits, step) =>
            Math.floor(step / TICKS_PER_ARRAY) === word ? bits | (1n << BigInt(step % TICKS_PER_ARRAY)) : bits,
          0n,
        ),
      )
      const terms = { ...record.terms, grid: { spacing, minTick, maxTick } }
      const ticks = steps.map(step => minTick + step * spacing)
      const at = random.int(0, 3) === 0 && some > 0 ? random.pick(ticks) : random.int(4, 1386) * spacing
      const up = random.pick([true, false])
      const ahead = ticks.filter(tick => (up ? tick > at : tick <= at))
      const next = ahead.length === 0 ? 'none' : String(up ? Math.min(...ahead) : Math.max(...ahead))
      const data = encode('Market', { ...record, terms, initialised })
      return { line: `next ${hex(data)} ${at} ${up ? 'up' : 'down'}`, next }
    })
    expect(ask(cases.map(({ line }) => line))).toEqual(cases.map(({ next }) => next))
    expect(cases.filter(({ next }) => next !== 'none').length).toBeGreaterThan(1000)
  })
})
