import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeWithAnchor } from '../../src/jupiter/anchor.ts'
import { fieldsOf } from './arbitrary.ts'
import { CUSTODIES_2025, POOL_2025, POOL_2026, POSITIONS_2026, SOL_2026, USDC_2026 } from './fixtures/index.ts'
import { accountOf, KINDS, type Kind, kindOf } from './kinds.ts'

const FIXTURES = [
  ...[POOL_2025, POOL_2026].map((fixture, i) => ({ kind: kindOf('Pool'), fixture, title: `pool of ${2025 + i}` })),
  ...[...CUSTODIES_2025, SOL_2026, USDC_2026].map((fixture, i) => ({
    kind: kindOf('Custody'),
    fixture,
    title: `custody ${i}`,
  })),
  ...POSITIONS_2026.map((fixture, i) => ({ kind: kindOf('Position'), fixture, title: `position ${i}` })),
]

describe('restated accounts', () => {
  test.each(FIXTURES)(
    '$title: to bytes and back, and Anchor reads the same',
    ({ kind, fixture: { address, facts } }) => {
      const data = kind.encode(facts)
      expect(data.length).toBe(kind.layout.size)
      expect(kind.decode(accountOf(kind, data, address))).toStrictEqual(facts)
      expect(decodeWithAnchor(kind.layout.name, data)).toStrictEqual(facts)
    },
  )
})

test('accounts may lie anywhere in a larger buffer, and facts do not change with it', () => {
  for (const { kind, fixture } of FIXTURES) {
    const data = kind.encode(fixture.facts)
    const buffer = Buffer.alloc(data.length + 20, 255)
    buffer.set(data, 7)
    const decoded = kind.decode(accountOf(kind, buffer.subarray(7, 7 + data.length)))
    buffer.fill(0)
    expect(decoded).toStrictEqual(fixture.facts)
  }
})

test('a name is kept to the byte, with a byte order mark too', () => {
  const kind = kindOf('Pool')
  for (const name of ['', '\ufeffPool', 'P\u0000l', '\u{1f980}'.repeat(8)]) {
    const facts = { ...POOL_2026.facts, name }
    expect(kind.decode(accountOf(kind, kind.encode(facts)))).toStrictEqual(facts)
  }
})

describe('random accounts', () => {
  test.each(KINDS)('$layout.name: to bytes and back, and Anchor reads the same in every field', kind => {
    let count = 0
    fc.assert(
      fc.property(fieldsOf(kind.layout.name), fields => {
        count++
        const data = kind.encode(fields)
        expect(kind.decode(accountOf(kind, data))).toStrictEqual(fields)
        expect(decodeWithAnchor(kind.layout.name, data)).toStrictEqual(fields)
      }),
      { numRuns: 3000 },
    )
    expect(count).toBe(3000)
  })
})

/** Where the last field ends: 8 bytes of discriminator, then the fields, of which only a pool's name and custodies vary. */
const endOf = ({ layout }: Kind, fields: unknown): number => {
  const { name = '', custodies = [] } = fields as { name?: string; custodies?: readonly string[] }
  return 8 + layout.codec.size + new TextEncoder().encode(name).length + 32 * custodies.length
}

describe('bytes behind the last field', () => {
  const written = KINDS.filter(({ layout }) => !layout.mayBeLonger)

  test.each(written)('$layout.name: are kept, right behind the last field, when other facts are written', kind => {
    const tails = fc.uint8Array({ minLength: 1, maxLength: kind.layout.name === 'Position' ? 6 : 300 })
    fc.assert(
      fc.property(fieldsOf(kind.layout.name), fieldsOf(kind.layout.name), tails, (before, after, tail) => {
        const original = accountOf(kind, kind.encode(before))
        original.data.set(tail, endOf(kind, before))
        expect(kind.decode(original)).toStrictEqual(before)
        expect(kind.encode(before, original)).toStrictEqual(original.data)

        const data = kind.encode(after, original)
        const end = endOf(kind, after)
        expect(data.length).toBe(kind.layout.size)
        expect(kind.decode(accountOf(kind, data))).toStrictEqual(after)
        expect(data.subarray(end, end + tail.length)).toStrictEqual(tail)
        expect(data.subarray(end + tail.length).every(byte => byte === 0)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('error: out-of-range when they would be pushed out of the account', () => {
    const kind = kindOf('Pool')
    const original = accountOf(kind, kind.encode(POOL_2025.facts))
    original.data[original.data.length - 1] = 7
    expect(() => kind.encode(POOL_2025.facts, original)).not.toThrow()
    expect(() => kind.encode(POOL_2026.facts, original)).toThrow(expect.objectContaining({ code: 'out-of-range' }))
  })
})
