/** Account bytes <-> records: round trips, fuzz, refusals, and Anchor's own coder over the generated IDL as a second opinion. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BorshAccountsCoder, type Idl, Program, type Provider } from '@coral-xyz/anchor'
import { describe, expect, test } from 'vitest'
import { BUCKETS } from '../../amm/index.ts'
import {
  type AccountName,
  accountName,
  decode,
  decodeOwned,
  encode,
  type MarginAccountData,
  NO_ADDRESS,
} from '../../src/client/codecs.ts'
import { ClientError, type ClientErrorCode } from '../../src/client/errors.ts'
import { LAYOUTS, TICK_ARRAYS, TICKS_PER_ARRAY } from '../../src/client/generated/layouts.ts'
import type { FieldLayout } from '../../src/client/layout.ts'
import { DEFAULT_TERMS } from '../../src/exchange/terms.ts'
import { MAX_CHECKPOINTS } from '../../src/oracle/accrual.ts'
import { ACCOUNTS } from '../generate/layouts.ts'
import { flatten, usedBytes } from '../generate/layouts-write.ts'
import { Random } from '../generate/random.ts'
import { leavesOf, NAMES, randomBytes, randomRecord } from './records.ts'

const codeOf = (work: () => unknown): ClientErrorCode | 'fine' => {
  try {
    work()
    return 'fine'
  } catch (error) {
    if (error instanceof ClientError) return error.code
    throw error
  }
}

describe('layouts', () => {
  test('have the discriminators of Anchor, and room in reserve', () => {
    for (const name of NAMES) {
      const { discriminator, size, used } = LAYOUTS[name]
      expect([...createHash('sha256').update(`account:${name}`).digest().subarray(0, 8)]).toEqual(discriminator)
      expect(size - used).toBeGreaterThanOrEqual(16)
    }
    expect(ACCOUNTS.map(account => [account.name, account.size, usedBytes(account)])).toEqual([
      ['Config', 256, 150],
      ['RateIndex', 896, 797],
      ['Market', 1280, 1101],
      ['TickArray', 3168, 3150],
      ['MarginAccount', 192, 125],
      ['RestingOrder', 256, 170],
      ['LpPosition', 192, 142],
    ])
  })

  test('leave no byte out and give none to two fields', () => {
    for (const account of ACCOUNTS) {
      const counts = new Uint8Array(account.size)
      counts.fill(1, 0, 9)
      const widths = {
        u8: 1,
        bool: 1,
        coupon_kind: 1,
        u16: 2,
        u32: 4,
        i32: 4,
        u64: 8,
        i64: 8,
        u128: 16,
        i128: 16,
        pubkey: 32,
      }
      for (const { type, offset, count, stride } of flatten(account)) {
        for (let i = 0; i < count; i++) {
          for (let at = 0; at < widths[type]; at++) counts[offset + i * stride + at]!++
        }
      }
      expect([account.name, counts.subarray(0, usedBytes(account)).every(count => count === 1)]).toEqual([
        account.name,
        true,
      ])
      expect(counts.subarray(usedBytes(account)).every(count => count === 0)).toBe(true)
    }
  })

  test('hold what the protocol and the engine need', () => {
    for (const { grid } of Object.values(DEFAULT_TERMS)) {
      const ticks = (grid.maxTick - grid.minTick) / grid.spacing + 1
      expect(ticks).toBe(1382)
      expect(Math.ceil(ticks / TICKS_PER_ARRAY)).toBe(TICK_ARRAYS)
    }
    const countOf = (fields: readonly FieldLayout[], name: string) => fields.find(field => field.name === name)?.count
    const oracle = LAYOUTS.Market.fields.find(({ name }) => name === 'oracle')!.type as readonly FieldLayout[]
    expect(countOf(oracle, 'buckets')).toBe(BUCKETS)
    expect(countOf(LAYOUTS.RateIndex.fields, 'checkpoints')).toBe(MAX_CHECKPOINTS)
  })
})

describe.each(NAMES)('%s', name => {
  const rounds = name === 'TickArray' ? 60 : 400

  test('random records come back, and so do their bytes', () => {
    const random = new Random(1n)
    for (let i = 0; i < rounds; i++) {
      const record = randomRecord(random, name)
      const data = encode(name, record)
      expect(data.length).toBe(LAYOUTS[name].size)
      expect(accountName(data)).toBe(name)
      expect(decode(name, data)).toEqual(record)
      // A view into a larger buffer, as web3.js gives them.
      const larger = new Uint8Array(data.length + 7)
      larger.set(data, 5)
      const decoded = decode(name, larger.subarray(5, 5 + data.length))
      expect(encode(name, decoded)).toEqual(data)
    }
  })

  test('what decodes encodes to the same bytes, everything else is a coded error', () => {
    const random = new Random(2n)
    const codes = new Map<string, number>()
    for (let i = 0; i < rounds * 10; i++) {
      const kind = random.int(0, 9)
      let data = encode(name, randomRecord(random, name))
      if (kind === 0) data = randomBytes(random, random.int(0, 300))
      else if (kind === 1) data = data.subarray(0, random.int(0, data.length - 1))
      else if (kind === 2) data.set(randomBytes(random, data.length - 9), 9)
      else if (kind === 3) data[random.int(0, 8)]! ^= random.int(1, 255)
      else for (let n = random.int(1, 4); n > 0; n--) data[random.int(9, data.length - 1)] = random.int(0, 255)
      const code = codeOf(() => {
        expect(encode(name, decode(name, data))).toEqual(data)
      })
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    for (const code of ['fine', 'malformed', 'wrong-discriminator', 'wrong-length', 'wrong-version']) {
      expect([code, (codes.get(code) ?? 0) > 0]).toEqual([code, true])
    }
  }, 120_000)

  test('every value outside its bound is refused both ways, and the message names the field', () => {
    const random = new Random(3n)
    const record = randomRecord(random, name)
    const data = encode(name, record)
    let refused = 0
    for (const { name: leaf, value, field, listed } of leavesOf(LAYOUTS[name].fields, record)) {
      expect([leaf, value === undefined]).toEqual([leaf, false])
      if (!('least' in field)) continue
      const { least, most } = field
      for (const wrong of [
        Number(least) - 1,
        Number(most) + 1,
        BigInt(least) - 1n,
        BigInt(most) + 1n,
        '1',
        undefined,
        0.5,
      ]) {
        if (listed) continue
        const broken = replaceLeaf(record, leaf, wrong)
        expect(codeOf(() => encode(name, broken as never))).toBe('out-of-range')
        refused++
      }
    }
    expect(refused).toBeGreaterThan(0)
    expect(codeOf(() => encode(name, undefined as never))).toBe('out-of-range')
    expect(codeOf(() => encode(name, {} as never))).toBe('out-of-range')
    for (let at = LAYOUTS[name].used; at < data.length; at++) {
      const other = data.slice()
      other[at] = 1
      expect(codeOf(() => decode(name, other))).toBe('malformed')
    }
  })

  test('is refused as anything else, in another version, length or owner', () => {
    const data = encode(name, randomRecord(new Random(4n), name))
    for (const other of NAMES.filter(one => one !== name)) {
      expect(codeOf(() => decode(other, data))).toBe('wrong-discriminator')
    }
    expect(codeOf(() => decode(name, new Uint8Array(0)))).toBe('closed')
    expect(codeOf(() => decode(name, new Uint8Array(8)))).toBe('wrong-length')
    expect(codeOf(() => decode(name, new Uint8Array(data.length)))).toBe('uninitialised')
    expect(codeOf(() => decode(name, data.subarray(0, -1)))).toBe('wrong-length')
    expect(codeOf(() => decode(name, Uint8Array.from([...data, 0])))).toBe('wrong-length')
    for (const version of [0, 2, 255]) {
      const other = data.slice()
      other[8] = version
      expect(codeOf(() => decode(name, other))).toBe('wrong-version')
    }
    const owner = 'PERPHjGBqRHArX4DySjwM6UJHiR3sWAatqfdBS2qQJu'
    expect(decodeOwned(name, { owner, data }, owner)).toEqual(decode(name, data))
    expect(codeOf(() => decodeOwned(name, { owner: NO_ADDRESS, data }, owner))).toBe('wrong-owner')
  })
})

/** The record with one value, named as the program names it, replaced. */
const replaceLeaf = (record: object, leaf: string, value: unknown): object => {
  const replace = (part: object, prefix: string): object =>
    Object.fromEntries(
      Object.entries(part).map(([key, inner]) => {
        const name = prefix + key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
        if (name === leaf) return [key, value]
        return [key, typeof inner === 'object' && !Array.isArray(inner) ? replace(inner as object, `${name}_`) : inner]
      }),
    )
  return replace(record, '')
}

test('a message says where', () => {
  const record = randomRecord(new Random(5n), 'Market')
  const broken = { ...record, pool: { ...record.pool, liquidity: (1n << 58n) + 1n } }
  expect(() => encode('Market', broken)).toThrow('Market.pool.liquidity must be 0 .. 288230376151711744')
  const data = encode('Market', record)
  data[279] = 0xff
  expect(() => decode('Market', data)).toThrow(/Market\.pool\.liquidity must be .* \[malformed\]/)
  const ticks = randomRecord(new Random(5n), 'TickArray')
  const net = ticks.ticks.with(63, { ...ticks.ticks[63]!, net: 1n << 60n })
  expect(() => encode('TickArray', { ...ticks, ticks: net })).toThrow('TickArray.ticks[63].net')
  expect(() => encode('TickArray', { ...ticks, ticks: net.slice(1) })).toThrow('TickArray.ticks must be a list of 64')
})

describe("Anchor's coder, over the generated IDL", () => {
  const idl = JSON.parse(readFileSync(new URL('../../programs-idl/sunder.json', import.meta.url), 'utf8')) as object
  const coder = new BorshAccountsCoder(idl as unknown as Idl)

  const plain = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if ('toTwos' in value) return BigInt(String(value))
    if ('toBase58' in value) return String(value)
    if (Array.isArray(value)) return value.map(plain)
    const entries = Object.entries(value)
    const [first] = entries
    if (entries.length === 1 && first !== undefined && /^(Hourly|Weekly)$/.test(first[0])) return first[0].toLowerCase()
    return Object.fromEntries(
      entries.map(([name, inner]) => [name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase()), plain(inner)]),
    )
  }

  test.each(NAMES)('reads the same values of a %s', name => {
    const random = new Random(6n)
    const { size, used, version } = LAYOUTS[name]
    for (let i = 0; i < (name === 'TickArray' ? 5 : 60); i++) {
      const record = randomRecord(random, name)
      const found = plain(coder.decode(name, Buffer.from(encode(name, record))))
      expect(found).toEqual({ version, ...record, reserved: Array.from({ length: size - used }, () => 0) })
    }
  })

  test("its names in camel case, as Anchor's Program makes them, are the client's", () => {
    const { coder: program } = new Program(idl as unknown as Idl, { connection: {} } as Provider)
    const namesOf = (value: unknown): unknown => {
      if (Array.isArray(value)) return namesOf(value[0])
      if (typeof value !== 'object' || value === null || 'toTwos' in value || 'toBase58' in value) return ''
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, namesOf(inner)]))
    }
    for (const name of NAMES) {
      const record = randomRecord(new Random(8n), name)
      const found = program.accounts.decode(
        `${name.charAt(0).toLowerCase()}${name.slice(1)}`,
        Buffer.from(encode(name, record)),
      )
      const { version, reserved, kind, ...names } = namesOf(found) as Record<string, unknown>
      const { kind: ours, ...wanted } = namesOf(record) as Record<string, unknown>
      expect([version, reserved, kind === undefined]).toEqual(['', '', ours === undefined])
      expect(names).toEqual(wanted)
    }
  })

  test('knows the same accounts by the same discriminators, and their sizes', () => {
    for (const name of NAMES) {
      expect([...coder.accountDiscriminator(name)]).toEqual(LAYOUTS[name].discriminator)
      expect(coder.size(name)).toBe(LAYOUTS[name].size)
    }
  })
})

test('types are checked: a record of the wrong shape does not compile', () => {
  const account: MarginAccountData = randomRecord(new Random(7n), 'MarginAccount')
  // @ts-expect-error a number where a bigint belongs
  const wrong: MarginAccountData = { ...account, margin: 1 }
  expect(codeOf(() => encode('MarginAccount', wrong))).toBe('out-of-range')
  const name: AccountName = 'MarginAccount'
  expect(codeOf(() => encode(name, { ...account, owner: `${account.owner}0` }))).toBe('out-of-range')
})
