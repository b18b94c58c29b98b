import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AccountBytes, decodeAccount, decodePrice } from '../../src/jupiter/decode.ts'
import { encodeCustody, encodePool, encodePosition } from '../../src/jupiter/encode.ts'
import { JupiterError, type JupiterErrorCode } from '../../src/jupiter/errors.ts'
import type { CustodyFacts, PoolFacts, PositionFacts } from '../../src/jupiter/facts.ts'
import { fieldsOf } from './arbitrary.ts'
import { POOL_2026, POSITIONS_2026, SOL_2026 } from './fixtures/index.ts'
import { accountOf, KINDS, kindOf } from './kinds.ts'

const SYSTEM_PROGRAM = '11111111111111111111111111111111'

const errorOf = (run: () => unknown): JupiterError => {
  try {
    run()
  } catch (error) {
    if (error instanceof JupiterError) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}

const pool = kindOf('Pool')
const custody = kindOf('Custody')
const position = kindOf('Position')

// ---- what every kind refuses ------------------------------------------------------------------------------------------

describe.each(KINDS)('$layout.name', kind => {
  const { size, mayBeLonger } = kind.layout
  const account = (): AccountBytes =>
    accountOf(kind, kind.encode(fc.sample(fieldsOf(kind.layout.name), { numRuns: 1, seed: 7 })[0]))

  const refused = (change: Partial<AccountBytes>): JupiterError => {
    const given = { ...account(), ...change }
    const error = errorOf(() => kind.decode(given))
    // An account is always named, with its slot, in words and in the context; by the reader of any kind too.
    expect(error.message).toContain(`${given.address} at slot 450101361: `)
    expect(error.message).toContain(`[${error.code}]`)
    expect(error.context).toMatchObject({ address: given.address, slot: 450_101_361n })
    expect(errorOf(() => decodeAccount(given)).code).toBe(error.code)
    return error
  }

  test('is read as it is', () => {
    expect(() => kind.decode(account())).not.toThrow()
    expect(decodeAccount(account()).kind).toBe(
      kind.layout.name.endsWith('Feed') ? 'price' : kind.layout.name.toLowerCase(),
    )
  })

  test('error: wrong-owner', () => {
    for (const owner of [SYSTEM_PROGRAM, kind.layout.owner.toLowerCase(), '', account().address]) {
      const error = refused({ owner })
      expect(error.code).toBe('wrong-owner')
      expect(error.context).toMatchObject({ owner, expected: kind.layout.owner })
    }
  })

  test('error: wrong-discriminator', () => {
    for (let i = 0; i < 8; i++) {
      const { data } = account()
      data[i]! ^= 1
      expect(refused({ data }).code).toBe('wrong-discriminator')
    }
    expect(refused({ data: new Uint8Array(size) }).code).toBe('wrong-discriminator')
  })

  test('error: wrong-discriminator: any other kind', () => {
    for (const other of KINDS.filter(other => other !== kind)) {
      const data = new Uint8Array(size)
      data.set(other.layout.discriminator)
      expect(errorOf(() => kind.decode({ ...account(), data })).code).toBe('wrong-discriminator')
    }
  })

  test('error: wrong-length', () => {
    const { data } = account()
    for (let length = 1; length < size; length++) {
      const error = refused({ data: data.subarray(0, length) })
      expect(error.code).toBe('wrong-length')
      expect(error.context).toMatchObject({ length })
    }
    const longer = new Uint8Array(size + 1)
    longer.set(data)
    if (mayBeLonger) expect(() => kind.decode({ ...account(), data: longer })).not.toThrow()
    else expect(refused({ data: longer }).code).toBe('wrong-length')
  })

  test('error: closed', () => {
    expect(refused({ data: new Uint8Array(0) }).code).toBe('closed')
    expect(refused({ data: new Uint8Array(0), owner: SYSTEM_PROGRAM }).code).toBe('closed')
    const { data } = account()
    expect(refused({ data: data.fill(255, 0, 8) }).code).toBe('closed')
  })
})

test('without a slot, none is named', () => {
  const error = errorOf(() => pool.decode({ address: 'A', owner: SYSTEM_PROGRAM, data: new Uint8Array(9) }))
  expect(error.message).toMatch(/^A: A Pool must be owned by PERP/)
  expect(error.context).not.toHaveProperty('slot')
})

// ---- bytes that cannot be ---------------------------------------------------------------------------------------------

describe('error: bytes that the program cannot have written', () => {
  const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
  const times = (count: number, byte: number): number[] => new Array(count).fill(byte)
  const NEGATIVE = [...times(7, 0), 0x80]
  const NAN = [0, 0, 0xc0, 0x7f]
  const INFINITY = [0, 0, 0x80, 0x7f]
  const MINUS_ONE = [0, 0, 0x80, 0xbf]
  /** A pool's fields behind its six custodies start here. */
  const FIXED = 8 + 4 + 4 + 4 + 6 * 32

  test.each<[string, keyof typeof samples, number, number[], JupiterErrorCode, string]>([
    ['a name that is no UTF-8', 'pool', 12, [0xff], 'malformed', 'name'],
    ['a name cut within a character', 'pool', 15, [0xe2], 'malformed', 'name'],
    ['a name of 4 GB', 'pool', 8, u32(0xffff_ffff), 'malformed', 'name'],
    ['a name up to the end', 'pool', 8, [...u32(2000 - 12), ...times(2000 - 12, 65)], 'malformed', 'custodies'],
    [
      'a name longer than a seed',
      'pool',
      8,
      [...u32(33), ...times(33, 65), ...times(2000 - 45, 0)],
      'malformed',
      'name',
    ],
    ['4 billion custodies', 'pool', 16, u32(0xffff_ffff), 'malformed', 'custodies'],
    ['one custody more than fits', 'pool', 16, u32(62), 'malformed', 'custodies'],
    ['no room behind the custodies', 'pool', 16, u32(61), 'malformed', 'limit.maxAumUsd'],
    ['the same custody twice', 'pool', 20 + 5 * 32, times(32, 0), 'malformed', 'custodies'],
    ['a protocol share above all', 'pool', FIXED + 16 + 40 + 64, [0x11, 0x27], 'malformed', 'fees.protocolShareBps'],
    ['an update before 1970', 'pool', FIXED + 16 + 40 + 72, NEGATIVE, 'malformed', 'poolApr.lastUpdated'],
    ['a negative waiting time', 'pool', FIXED + 152, NEGATIVE, 'malformed', 'maxRequestExecutionSec'],
    ['a start before 1970', 'pool', FIXED + 162, NEGATIVE, 'malformed', 'inceptionTime'],
    ['an AUM of before 1970', 'pool', FIXED + 203, NEGATIVE, 'malformed', 'aumUsdUpdatedAt'],
    ['a switch that is neither', 'pool', FIXED + 219, [2], 'malformed', 'disableClosePositionRequest'],
    ['decimals that no amount could have', 'custody', 104, [20], 'malformed', 'decimals'],
    ['a stable that is neither', 'custody', 105, [255], 'malformed', 'isStable'],
    ['an oracle of an unknown kind', 'custody', 138, [3], 'wrong-version', 'oracle.oracleType'],
    ['a permission that is neither', 'custody', 203, [2], 'malformed', 'permissions.allowDecreasePosition'],
    ['a target above all', 'custody', 206, [0x11, 0x27], 'malformed', 'targetRatioBps'],
    ['a funding of before 1970', 'custody', 278, NEGATIVE, 'malformed', 'fundingRateState.lastUpdate'],
    ['a kink above all', 'custody', 376, [1, 0xca, 0x9a, 0x3b], 'malformed', 'jumpRateState.targetUtilizationRate'],
    ['trades of before 1970', 'custody', 896, NEGATIVE, 'malformed', 'priceImpactBuffer.lastUpdated'],
    ['an exponent that is no number', 'custody', 912, NAN, 'malformed', 'priceImpactBuffer.exponent'],
    ['an infinite exponent', 'custody', 912, INFINITY, 'malformed', 'priceImpactBuffer.exponent'],
    ['a negative exponent', 'custody', 912, MINUS_ONE, 'malformed', 'priceImpactBuffer.exponent'],
    ['a share of interest above all', 'custody', 948, [0x11, 0x27], 'malformed', 'borrowLendParameters.protocolFeeBps'],
    ['a lending of before 1970', 'custody', 988, NEGATIVE, 'malformed', 'borrowsFundingRateState.lastUpdate'],
    ['a reset before 1970', 'custody', 1101, NEGATIVE, 'malformed', 'withdrawalLimitLastResetAt'],
    ['opened before 1970', 'position', 136, NEGATIVE, 'malformed', 'openTime'],
    ['updated before 1970', 'position', 144, NEGATIVE, 'malformed', 'updateTime'],
    ['an unknown side', 'position', 152, [3], 'wrong-version', 'side'],
    ['a size without a side', 'position', 152, [0], 'malformed', 'side'],
    ['a size without a price', 'position', 153, times(8, 0), 'malformed', 'price'],
    ['a price of before 1970', 'priceFeed', 82, NEGATIVE, 'malformed', 'timestamp'],
    ['a price of before 1970', 'agPriceFeed', 177, NEGATIVE, 'malformed', 'timestamp'],
  ])('%s (%s)', (_, sample, offset, bytes, code, field) => {
    const { kind, data } = samples[sample]()
    expect(() => kind.decode(accountOf(kind, data))).not.toThrow()
    data.set(bytes, offset)
    const error = errorOf(() => kind.decode(accountOf(kind, data)))
    expect(error.code).toBe(code)
    expect(error.message).toContain(field)
    expect(error.context).toMatchObject({ field, slot: 450_101_361n })
  })

  const feed = (name: string) => (): { kind: typeof pool; data: Uint8Array } => {
    const data = new Uint8Array(kindOf(name).layout.size)
    data.set(kindOf(name).layout.discriminator)
    return { kind: kindOf(name), data }
  }
  const samples = {
    pool: () => {
      // The first custody is made all zeros, for the sixth to be the same when it is.
      const [, ...others] = POOL_2026.facts.custodies
      return { kind: pool, data: pool.encode({ ...POOL_2026.facts, custodies: [SYSTEM_PROGRAM, ...others] }) }
    },
    custody: () => ({ kind: custody, data: custody.encode(SOL_2026.facts) }),
    position: () => ({ kind: position, data: position.encode(POSITIONS_2026[2]!.facts) }),
    priceFeed: feed('PriceFeed'),
    agPriceFeed: feed('AgPriceFeed'),
  }
})

// ---- facts that cannot be stored --------------------------------------------------------------------------------------

describe('error: facts that cannot be stored', () => {
  const [, short] = POSITIONS_2026
  const { priceImpactBuffer: buffer } = SOL_2026.facts
  const writePool = (change: object): unknown => encodePool({ ...POOL_2026.facts, ...change } as unknown as PoolFacts)
  const writeCustody = (change: object): unknown =>
    encodeCustody({ ...SOL_2026.facts, ...change } as unknown as CustodyFacts)
  const writePosition = (change: object): unknown =>
    encodePosition({ ...short!.facts, ...change } as unknown as PositionFacts)
  const keys = (count: number): string[] =>
    fc.sample(fieldsOf('Position'), { numRuns: count, seed: 1 }).map(fields => (fields as PositionFacts).owner)

  test.each<[string, () => unknown, string]>([
    ['a u64 too wide', () => writePosition({ sizeUsd: 1n << 64n }), 'sizeUsd'],
    ['a negative u64', () => writePosition({ sizeUsd: -1n }), 'sizeUsd'],
    ['an i64 too wide', () => writePosition({ realisedPnlUsd: 1n << 63n }), 'realisedPnlUsd'],
    ['an i64 too low', () => writePosition({ realisedPnlUsd: -(1n << 63n) - 1n }), 'realisedPnlUsd'],
    ['a u128 too wide', () => writePool({ aumUsd: 1n << 128n }), 'aumUsd'],
    ['a number for a bigint', () => writePool({ aumUsd: 1 }), 'aumUsd'],
    ['a bigint for a number', () => writePool({ bump: 1n }), 'bump'],
    ['a u8 too wide', () => writePool({ bump: 256 }), 'bump'],
    ['a fraction', () => writePool({ bump: 0.5 }), 'bump'],
    ['NaN', () => writePool({ bump: Number.NaN }), 'bump'],
    ['a missing field', () => writePool({ lpTokenBump: undefined }), 'lpTokenBump'],
    ['a missing group', () => writePool({ limit: undefined }), 'limit'],
    ['a group that is none', () => writePool({ limit: null }), 'limit'],
    ['a list that is none', () => writePool({ custodies: 'none' }), 'custodies'],
    ['an address that is none', () => writePool({ custodies: [7] }), 'custodies[]'],
    ['too many custodies', () => writePool({ custodies: keys(62) }), 'custodies[]'],
    ['too many custodies for what follows', () => writePool({ custodies: keys(55) }), 'maxLpTokenPriceChangeBps'],
    ['a custody twice', () => writePool({ custodies: [short!.facts.custody, short!.facts.custody] }), 'custodies'],
    ['a lone surrogate', () => writePool({ name: '\ud800' }), 'name'],
    ['a name that is none', () => writePool({ name: undefined }), 'name'],
    ['a name longer than a seed', () => writePool({ name: 'é'.repeat(17) }), 'name'],
    ['a switch that is none', () => writePool({ disableClosePositionRequest: 1 }), 'disableClosePositionRequest'],
    [
      'a key too short',
      () => writePool({ parameterUpdateOracle: { prefix: 2, key: new Uint8Array(31) } }),
      'parameterUpdateOracle.key',
    ],
    ['a side that is none', () => writePosition({ side: 'both' }), 'side'],
    ['an open position without a side', () => writePosition({ side: 'none' }), 'side'],
    ['decimals above 19', () => writeCustody({ decimals: 20 }), 'decimals'],
    [
      'a float32 that is none',
      () => writeCustody({ priceImpactBuffer: { ...buffer, exponent: 0.1 } }),
      'priceImpactBuffer.exponent',
    ],
    [
      'an infinite exponent',
      () => writeCustody({ priceImpactBuffer: { ...buffer, exponent: Number.POSITIVE_INFINITY } }),
      'priceImpactBuffer.exponent',
    ],
    [
      '61 slots',
      () =>
        writeCustody({
          priceImpactBuffer: { ...buffer, openInterest: new Array(61).fill(0n) },
        }),
      'priceImpactBuffer.openInterest',
    ],
  ])('out-of-range: %s', (_, write, field) => {
    const error = errorOf(write)
    expect(error.code).toBe('out-of-range')
    expect(error.context).toMatchObject({ field })
  })

  test('wrong-address: an address that is none', () => {
    expect(errorOf(() => writePosition({ owner: 'me' })).code).toBe('wrong-address')
  })

  test('an original of another kind, or broken, is refused as when it is read', () => {
    const original = accountOf(custody, encodeCustody(SOL_2026.facts))
    expect(errorOf(() => encodePool(POOL_2026.facts, original)).code).toBe('wrong-discriminator')
    const cut = { ...original, data: original.data.subarray(0, 400) }
    expect(errorOf(() => encodeCustody(SOL_2026.facts, cut)).code).toBe('wrong-length')
  })
})

test('error: a price is read from a feed only', () => {
  const price = kindOf('PriceFeed')
  const account = accountOf(price, custody.encode(SOL_2026.facts))
  expect(errorOf(() => decodePrice(account)).code).toBe('wrong-discriminator')
  expect(errorOf(() => decodePrice({ ...account, owner: custody.layout.owner })).code).toBe('wrong-owner')
})
