/**
 * Broken bytes: an account is refused with a coded error that names it, or what is read is all that Anchor reads, and writing it
 * gives the same bytes. Nothing else may happen: no other error, no hang, no nonsense.
 */
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { decodeWithAnchor } from '../../src/jupiter/anchor.ts'
import { type AccountBytes, decodeAccount } from '../../src/jupiter/decode.ts'
import { JupiterError, type JupiterErrorCode } from '../../src/jupiter/errors.ts'
import { Random } from '../generate/random.ts'
import { CUSTODIES_2025, POOL_2025, POOL_2026, POSITIONS_2026, SOL_2026, USDC_2026 } from './fixtures/index.ts'
import { KINDS, type Kind, kindOf } from './kinds.ts'

const CASES_EACH = 4000
const random = new Random(20_260_924n)

const randomBytes = (length: number): Uint8Array => {
  const words = BigUint64Array.from({ length: Math.ceil(length / 8) }, () => random.u64())
  return new Uint8Array(words.buffer, 0, length)
}

/** As strict as `toStrictEqual`, which takes milliseconds for 2000 bytes. */
const expectSame = (found: unknown, expected: unknown): void => {
  if (!isDeepStrictEqual(found, expected)) expect(found).toStrictEqual(expected)
}

/** Whole accounts to break: the restated ones, and feeds of random bytes. */
const feed = (name: string): { kind: Kind; data: Uint8Array } => {
  const kind = kindOf(name)
  const data = randomBytes(kind.layout.size)
  data.set(kind.layout.discriminator)
  data[kind.layout.size - (name === 'PriceFeed' ? 2 : 18)] = 0 // the sign of the time
  return { kind, data }
}
const SEEDS = [
  ...[POOL_2025, POOL_2026].map(({ facts }) => ({ kind: kindOf('Pool'), data: kindOf('Pool').encode(facts) })),
  ...[...CUSTODIES_2025, SOL_2026, USDC_2026].map(({ facts }) => ({
    kind: kindOf('Custody'),
    data: kindOf('Custody').encode(facts),
  })),
  ...POSITIONS_2026.map(({ facts }) => ({ kind: kindOf('Position'), data: kindOf('Position').encode(facts) })),
  feed('PriceFeed'),
  feed('AgPriceFeed'),
]

interface Case {
  readonly kind: Kind
  readonly data: Uint8Array
}

/** A seed, with what `change` does to a copy of it. */
const broken = (change: (data: Uint8Array) => Uint8Array | undefined): Case => {
  const { kind, data } = random.pick(SEEDS)
  const copy = Uint8Array.from(data)
  return { kind, data: change(copy) ?? copy }
}

const WAYS: Readonly<Record<string, () => Case>> = {
  'random bytes of any length': () => ({ kind: random.pick(KINDS), data: randomBytes(random.int(0, 2500)) }),
  'the right beginning and length, then random bytes': () => {
    const kind = random.pick(KINDS)
    const data = randomBytes(kind.layout.size)
    data.set(kind.layout.discriminator)
    return { kind, data }
  },
  'a few bits flipped': () =>
    broken(data => {
      for (let left = random.int(1, 8); left > 0; left--) {
        data[random.int(0, data.length - 1)]! ^= 1 << random.int(0, 7)
      }
    }),
  'a bit flipped among the fields': () =>
    broken(data => {
      data[random.int(8, Math.min(data.length, 1117) - 1)]! ^= 1 << random.int(0, 7)
    }),
  'a few bytes set to the ends of their range': () =>
    broken(data => {
      const at = random.int(8, data.length - 1)
      data.fill(random.pick([0, 1, 2, 3, 127, 128, 255]), at, at + random.int(1, 16))
    }),
  'the sizes of the name and of the custodies changed': () =>
    broken(data => {
      const view = new DataView(data.buffer)
      const size = random.pick([0, 1, 3, 4, 5, 6, 7, 40, 60, 61, 62, 1 << 16, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])
      view.setUint32(random.pick([8, 16]), size, true)
    }),
  'cut short': () => broken(data => data.subarray(0, random.int(0, data.length))),
  'longer than it should be': () =>
    broken(data => {
      const longer = randomBytes(data.length + random.int(1, 500))
      longer.set(data)
      return longer
    }),
  'pieces of two accounts': () =>
    broken(data => {
      const other = random.pick(SEEDS).data
      const from = random.int(0, other.length - 1)
      data.set(other.subarray(from, from + data.length), 0)
      data.set(random.pick(SEEDS).data.subarray(0, random.int(8, 600)).subarray(0, data.length), 0)
    }),
  'fields moved by a few bytes': () =>
    broken(data => {
      const at = random.int(8, data.length - 1)
      data.copyWithin(at, at + random.int(1, 40))
    }),
}

/** What happened to one case: its error's code, or 'read'. */
const outcomeOf = ({ kind, data }: Case): JupiterErrorCode | 'read' => {
  const account: AccountBytes = { address: 'Fuzzed', owner: kind.layout.owner, data, slot: 9n }
  const before = Uint8Array.from(data)
  let fields: unknown
  try {
    fields = kind.decode(account)
  } catch (error) {
    if (!(error instanceof JupiterError)) throw error
    const { address, slot } = error.context
    expect([address, slot]).toEqual(['Fuzzed', 9n])
    expect(error.message.startsWith('Fuzzed at slot 9: ')).toBe(true)
    return error.code
  }
  expectSame(data, before)
  expectSame(kind.encode(fields, account), before)
  expectSame(decodeWithAnchor(kind.layout.name, data), fields)
  expect(decodeAccount(account).kind).toBe(kind.layout.name.endsWith('Feed') ? 'price' : kind.layout.name.toLowerCase())
  return 'read'
}

const seen = new Map<string, number>()

test.each(Object.entries(WAYS))('%s', (_, make) => {
  let slowestMs = 0
  for (let i = 0; i < CASES_EACH; i++) {
    const made = make()
    const start = performance.now()
    const outcome = outcomeOf(made)
    slowestMs = Math.max(slowestMs, performance.now() - start)
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
  }
  expect(slowestMs).toBeLessThan(5000)
})

test('at least 20,000 cases were tried, and every kind of refusal and success was among them', () => {
  const counts = Object.fromEntries(seen)
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(CASES_EACH * Object.keys(WAYS).length)
  expect(CASES_EACH * Object.keys(WAYS).length).toBeGreaterThanOrEqual(20_000)
  for (const code of ['read', 'closed', 'wrong-discriminator', 'wrong-length', 'wrong-version', 'malformed']) {
    expect(counts[code] ?? 0, code).toBeGreaterThan(code === 'closed' ? 0 : 100)
  }
})
