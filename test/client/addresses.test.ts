/** Addresses against web3.js itself, spelled out seed by seed. */
import { PublicKey } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { checkAddress, derive, type SeedsOf } from '../../src/client/addresses.ts'
import { ClientError } from '../../src/client/errors.ts'
import { arrayStart, arrayStarts } from '../../src/client/tick-arrays.ts'
import { DEFAULT_TERMS } from '../../src/exchange/terms.ts'
import { addressOf } from './from-engine.ts'

const PROGRAM = addressOf('a program')
const [market, owner] = [addressOf('market'), addressOf('owner')]

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'fine'
  } catch (error) {
    if (error instanceof ClientError) return error.code
    throw error
  }
}

const bytes = (...seeds: readonly (string | readonly number[])[]): Buffer[] =>
  seeds.map(seed => (typeof seed === 'string' ? Buffer.from(seed) : Buffer.from(seed)))
const key = (address: string): number[] => [...new PublicKey(address).toBytes()]

describe('addresses', () => {
  const cases: readonly (readonly [string, { address: string; bump: number }, Buffer[]])[] = [
    ['Config', derive(PROGRAM, 'Config', {}), bytes('config')],
    ['hourly RateIndex', derive(PROGRAM, 'RateIndex', { kind: 'hourly' }), bytes('index', [0])],
    ['weekly RateIndex', derive(PROGRAM, 'RateIndex', { kind: 'weekly' }), bytes('index', [1])],
    ['StMint', derive(PROGRAM, 'StMint', { kind: 'weekly' }), bytes('st', [1])],
    ['StVault', derive(PROGRAM, 'StVault', { kind: 'hourly' }), bytes('st_vault', [0])],
    [
      'Market',
      derive(PROGRAM, 'Market', { maturity: 1_732_867_200, kind: 'hourly' }), // 0x67497480
      bytes('market', [0x80, 0x74, 0x49, 0x67], [0]),
    ],
    [
      'TickArray',
      derive(PROGRAM, 'TickArray', { market, start: 13_490 }),
      bytes('ticks', key(market), [0xb2, 0x34, 0, 0]),
    ],
    ['Vault', derive(PROGRAM, 'Vault', { market }), bytes('vault', key(market))],
    ['PtMint', derive(PROGRAM, 'PtMint', { market }), bytes('pt', key(market))],
    [
      'MarginAccount',
      derive(PROGRAM, 'MarginAccount', { market, owner, sub: 255 }),
      bytes('margin', key(market), key(owner), [255]),
    ],
    ['RestingOrder', derive(PROGRAM, 'RestingOrder', { account: market, id: 7 }), bytes('order', key(market), [7])],
    [
      'LpPosition',
      derive(PROGRAM, 'LpPosition', { market, owner, lower: 50, upper: 13_860 }),
      bytes('lp', key(market), key(owner), [50, 0, 0, 0], [0x24, 0x36, 0, 0]),
    ],
    ['EventAuthority', derive(PROGRAM, 'EventAuthority', {}), bytes('__event_authority')],
  ]

  test.each(cases)('of a %s', (_, found, seeds) => {
    const [address, bump] = PublicKey.findProgramAddressSync(seeds, new PublicKey(PROGRAM))
    expect(found).toEqual({ address: address.toBase58(), bump })
  })

  test('all differ', () => {
    expect(new Set(cases.map(([, { address }]) => address)).size).toBe(cases.length)
  })

  test('wrong seeds are refused by name', () => {
    const wrong: Partial<SeedsOf<'MarginAccount'>>[] = [
      { sub: 256 },
      { sub: -1 },
      { sub: 0.5 },
      { sub: undefined as never },
    ]
    for (const values of wrong) {
      expect(codeOf(() => derive(PROGRAM, 'MarginAccount', { market, owner, sub: 0, ...values }))).toBe('out-of-range')
    }
    const bad = `${owner.slice(0, -1)}0`
    expect(codeOf(() => derive(PROGRAM, 'MarginAccount', { market, owner: bad, sub: 0 }))).toBe('wrong-address')
    expect(codeOf(() => derive('x', 'Config', {}))).toBe('wrong-address')
    expect(codeOf(() => derive(PROGRAM, 'RateIndex', { kind: 'daily' as never }))).toBe('out-of-range')
    expect(codeOf(() => derive(PROGRAM, 'Market', { maturity: 2 ** 32, kind: 'hourly' }))).toBe('out-of-range')
    // Beyond 31 bits a maturity is still one number.
    expect(codeOf(() => derive(PROGRAM, 'Market', { maturity: 2 ** 32 - 1, kind: 'hourly' }))).toBe('fine')
  })

  test('an account at another address or with another bump is refused', () => {
    const values = { market, owner, sub: 3 }
    const found = derive(PROGRAM, 'MarginAccount', values)
    expect(codeOf(() => checkAddress(PROGRAM, 'MarginAccount', values, found))).toBe('fine')
    expect(codeOf(() => checkAddress(PROGRAM, 'MarginAccount', { ...values, sub: 4 }, found))).toBe('wrong-address')
    const bump = found.bump ^ 1
    expect(codeOf(() => checkAddress(PROGRAM, 'MarginAccount', values, { ...found, bump }))).toBe('wrong-address')
    expect(codeOf(() => checkAddress(market, 'MarginAccount', values, found))).toBe('wrong-address')
  })
})

test('tick arrays: where they start, and which one holds a tick', () => {
  const terms = { terms: DEFAULT_TERMS.hourly }
  const starts = arrayStarts(terms)
  expect([starts.length, starts[0], starts[1], starts.at(-1)]).toEqual([22, 50, 690, 13_490])
  for (const [tick, start] of [
    [50, 50],
    [680, 50],
    [690, 690],
    [13_860, 13_490],
  ] as const) {
    expect(arrayStart(terms, tick)).toBe(start)
  }
  for (const tick of [0, 40, 55, 13_870, 50.5]) expect(codeOf(() => arrayStart(terms, tick))).toBe('out-of-range')
})
