/** The edges of mint, redeem and swap: a named refusal with its numbers, or a coded error for a bad caller. Nothing else. */
import { describe, expect, test } from 'vitest'
import {
  createJlpPool,
  freeTokens,
  isUnderWater,
  type JlpPool,
  poolAum,
  priceX6,
  quoteMint,
  quoteRedeem,
  quoteSwap,
  type RejectionCode,
  usdOf,
  virtualPrice,
  withBalances,
  withPrices,
} from '../../src/jlp/index.ts'
import type { CustodyFacts } from '../../src/jupiter/facts.ts'
import { BTC, type CustodyValues, ETH, july2025, poolFacts, q, SOL, SUPPLY_2025, USDC, USDT, usd } from './fixtures.ts'

const U64_MAX = (1n << 64n) - 1n
const closed = (permission: keyof CustodyFacts['permissions']): Partial<CustodyValues> => ({
  more: { permissions: { ...july2025().custodies[0]!.facts.permissions, [permission]: false } },
})
const mint = (pool: JlpPool, amount: bigint, custody = USDC) => quoteMint(pool, { custody, amount: q(amount) })
const redeem = (pool: JlpPool, lp: bigint, custody = USDC) => quoteRedeem(pool, { custody, lp: q(lp) })
const swap = (pool: JlpPool, amount: bigint, from = SOL, to = USDC) => quoteSwap(pool, { from, to, amount: q(amount) })
const limits = (maxAumUsd: bigint) => ({ ...poolFacts().limit, maxAumUsd: q<'UsdX6'>(maxAumUsd) })

describe('the AUM limit', () => {
  const pool = july2025()
  const aum = poolAum(pool, 'up')
  const deposit = 1_000_000_000n // $1,000 of USDC

  test('at the limit exactly the deposit passes, one atom of USD beyond it is refused', () => {
    const at = (limit: bigint) => mint(july2025({ facts: { limit: limits(limit) } }), deposit)
    expect(at(aum + deposit).kind).toBe('quoted')
    expect(at(aum + deposit + 1n).kind).toBe('quoted')
    expect(at(aum + deposit - 1n)).toEqual({
      kind: 'rejected',
      code: 'aum-limit',
      numbers: { aumUsd: aum, depositUsd: deposit, maxAumUsd: aum + deposit - 1n },
    })
  })

  test('at the limit minting is closed and redeeming is open', () => {
    const full = july2025({ facts: { limit: limits(aum) } })
    expect(mint(full, 1_000n)).toMatchObject({ code: 'aum-limit' })
    expect(redeem(full, 1_000_000n).kind).toBe('quoted')
    expect(swap(full, 1_000_000_000n).kind).toBe('quoted')
  })
})

describe('T019 nothing for nothing, and no more than there is', () => {
  const pool = july2025()
  test.each<[string, { readonly kind: string }, RejectionCode]>([
    ['a mint of 0', mint(pool, 0n), 'zero-amount'],
    ['a redemption of 0', redeem(pool, 0n), 'zero-amount'],
    ['a swap of 0', swap(pool, 0n), 'zero-amount'],
    ['a swap for itself', swap(pool, 1n, SOL, SOL), 'same-custody'],
    ['a mint of an atom of a dollar', mint(pool, 1n), 'too-small'],
    ['a swap of an atom', swap(pool, 1n, SOL, BTC), 'too-small'],
    ['a swap whose fee is all of it', swap(pool, 7n), 'too-small'],
    ['a redemption of an atom in BTC', redeem(pool, 1n, BTC), 'too-small'],
    ['a redemption whose fee is all of it', redeem(pool, 250n, BTC), 'too-small'],
    ['a mint of all there can be', mint(pool, U64_MAX), 'amount-too-large'],
    ['a mint of nearly that', mint(pool, U64_MAX / 2n), 'aum-limit'],
    ['a swap of all there can be', swap(pool, U64_MAX), 'amount-too-large'],
    ['a swap of nearly that', swap(pool, U64_MAX / 2n), 'insufficient-liquidity'],
    ['a swap of BTC for more SOL than 64 bits hold', swap(pool, U64_MAX / 2n, BTC, SOL), 'insufficient-liquidity'],
    ['more JLP than exists', redeem(pool, SUPPLY_2025 + 1n), 'insufficient-supply'],
    ['all JLP there is, in one token', redeem(pool, SUPPLY_2025), 'insufficient-liquidity'],
    ['USDT, which is all locked', redeem(pool, 1_000_000_000n, USDT), 'insufficient-liquidity'],
    ['a deposit of USDT, whose target is 0', mint(pool, 1_000_000n, USDT), 'weight-above-band'],
    ['a swap that lifts ETH above its band', swap(pool, 1_500_000_000_000n, ETH, SOL), 'weight-above-band'],
    ['a swap that takes USDC below its band', swap(pool, 700_000_000_000_000n, SOL, USDC), 'weight-below-band'],
  ])('%s', (_, result, code) => {
    expect(result).toMatchObject({ kind: 'rejected', code })
  })

  test('balances and supply may fill their 64 bits, and no more', () => {
    const { owned, feesReserves } = july2025().custodies[3]!.facts.assets
    expect(mint(july2025(), U64_MAX - owned - feesReserves)).toMatchObject({ code: 'aum-limit' })
    expect(mint(july2025(), U64_MAX - owned - feesReserves + 1n)).toMatchObject({ code: 'amount-too-large' })
    // At this supply a dollar is some twelve thousand JLP.
    expect(mint(july2025({ supply: U64_MAX - 10n }), 1_000_000n)).toMatchObject({ code: 'amount-too-large' })
    expect(mint(july2025({ supply: U64_MAX - 20_000_000_000n }), 1_000_000n).kind).toBe('quoted')
  })

  test('each permission closes what it names, and nothing else', () => {
    const shut = (permission: keyof CustodyFacts['permissions'], custody = USDC) =>
      july2025({ custodies: { [custody]: closed(permission) } })
    const results = (of: JlpPool) =>
      [mint(of, 1_000_000n), redeem(of, 1_000_000n), swap(of, 1_000_000_000n)].map(r =>
        r.kind === 'rejected' ? r.code : r.kind,
      )
    expect(results(shut('allowAddLiquidity'))).toEqual(['add-closed', 'quoted', 'quoted'])
    expect(results(shut('allowRemoveLiquidity'))).toEqual(['quoted', 'remove-closed', 'quoted'])
    expect(results(shut('allowSwap'))).toEqual(['quoted', 'quoted', 'swap-closed'])
    expect(results(shut('allowSwap', SOL))).toEqual(['quoted', 'quoted', 'swap-closed'])
    expect(results(shut('allowSwap', ETH))).toEqual(['quoted', 'quoted', 'quoted'])
  })

  test('zero supply and a pool worth nothing: no price, so no mint and no redemption', () => {
    const unissued = july2025({ supply: 0n })
    expect(mint(unissued, 1_000_000n)).toMatchObject({ code: 'zero-supply' })
    expect(redeem(unissued, 1n)).toMatchObject({ code: 'zero-supply' })
    expect(() => virtualPrice(poolAum(unissued, 'down'), unissued.supply, 'down')).toThrow(
      expect.objectContaining({ code: 'zero-supply' }),
    )
    const none = Object.fromEntries(
      [SOL, ETH, BTC, USDC, USDT].map(address => [
        address,
        { owned: 0n, locked: 0n, guaranteedUsd: 0n, shorts: [0n, 0n] as const },
      ]),
    )
    const worthless = july2025({ custodies: none })
    expect(poolAum(worthless, 'up')).toBe(0n)
    expect(mint(worthless, 1_000_000n)).toMatchObject({ code: 'zero-aum' })
    expect(redeem(worthless, 1_000_000n)).toMatchObject({ code: 'zero-aum' })
    expect(swap(worthless, 1_000_000_000n)).toMatchObject({ code: 'insufficient-liquidity' })
  })

  test('a custody whose shorts have won more than it holds takes no deposit, since it would not be counted in full', () => {
    const sunk = july2025({ custodies: { [SOL]: { shorts: [4_000_000_000_000_000n, 10_000_000_000n] } } })
    expect(isUnderWater(sunk.custodies[0]!)).toBe(true)
    expect(mint(sunk, 1_000_000_000n, SOL)).toMatchObject({ code: 'custody-under-water' })
    expect(swap(sunk, 1_000_000_000n)).toMatchObject({ code: 'custody-under-water' })
    const overlent = july2025({ custodies: { [SOL]: { locked: 4_997_709_325_356_114n } } })
    expect(isUnderWater(overlent.custodies[0]!)).toBe(true)
    expect(isUnderWater(july2025().custodies[0]!)).toBe(false)
    expect(isUnderWater(july2025().custodies[3]!)).toBe(false)
  })

  test('the price of JLP may not move by more than the account allows in one instruction; a limit of 0 is none', () => {
    // A hair's worth of supply: the rounding of one mint, down from 1.17 atoms of JLP to 1, is then a large part of the price.
    const limit = { ...limits(1n << 90n), tokenWeightageBufferBps: q<'Bps'>(10_000n) }
    const thin = (bps: bigint) => july2025({ supply: 3n, facts: { maxLpTokenPriceChangeBps: q(bps), limit } })
    const code = (bps: bigint) => {
      const result = mint(thin(bps), 600_000_000_000_000n)
      return result.kind === 'rejected' ? result.code : result.lp
    }
    expect([0n, 1n, 100n, 500n].map(code)).toEqual([1n, 'lp-price-change', 'lp-price-change', 1n])
  })
})

describe('what can leave', () => {
  test('neither locked nor staked tokens, and not what is lent out', () => {
    const [sol] = july2025().custodies
    expect(freeTokens(sol!)).toBe(4_997_709_325_356_113n - 1_290_052_568_390_120n)
    const staked = july2025({
      custodies: { [SOL]: { more: { totalStakedAmountLamports: q(4_997_709_325_356_000n) } } },
    })
    expect(freeTokens(staked.custodies[0]!)).toBe(113n)
    expect(redeem(staked, 1_000_000n, SOL)).toMatchObject({ code: 'insufficient-liquidity', numbers: { free: 113n } })
    const over = july2025({ custodies: { [SOL]: { locked: 5_000_000_000_000_000n } } })
    expect(freeTokens(over.custodies[0]!)).toBe(0n)
  })
})

describe('bad callers', () => {
  const pool = july2025()
  test('error: amounts outside 64 bits and unknown custodies', () => {
    for (const amount of [-1n, U64_MAX + 1n]) {
      expect(() => mint(pool, amount)).toThrow(expect.objectContaining({ code: 'out-of-range' }))
      expect(() => redeem(pool, amount)).toThrow(expect.objectContaining({ code: 'out-of-range' }))
      expect(() => swap(pool, amount)).toThrow(expect.objectContaining({ code: 'out-of-range' }))
    }
    expect(() => mint(pool, 1n, 'nowhere')).toThrow(
      expect.objectContaining({ code: 'no-such-custody', context: { address: 'nowhere' } }),
    )
    expect(() => withBalances(pool.custodies[0]!, { owned: -(1n << 60n) })).toThrow(
      expect.objectContaining({ code: 'out-of-range' }),
    )
  })

  test('error: a pool with a custody missing, one too many, or twice', () => {
    const parts = { facts: pool.facts, supply: pool.supply }
    for (const custodies of [
      pool.custodies.slice(1),
      [...pool.custodies, { ...pool.custodies[0]!, address: 'more' }],
      [...pool.custodies, pool.custodies[0]!],
    ]) {
      expect(() => createJlpPool({ ...parts, custodies })).toThrow(
        expect.objectContaining({ code: 'custody-mismatch' }),
      )
    }
    expect(createJlpPool({ ...parts, custodies: [...pool.custodies].reverse() })).toEqual(pool)
    expect(() => withPrices(pool, [usd('1')])).toThrow(expect.objectContaining({ code: 'custody-mismatch' }))
  })

  test('error: prices that are none', () => {
    for (const price of [
      { price: 0n, expo: -8 },
      { price: -1n, expo: -8 },
      { price: 1n, expo: 1 },
      { price: 1n, expo: -19 },
      { price: 1n, expo: -1.5 },
    ]) {
      const prices = pool.custodies.map((custody, i) => (i === 0 ? price : custody.price))
      expect(() => withPrices(pool, prices)).toThrow(expect.objectContaining({ code: 'bad-price' }))
    }
    expect(priceX6({ price: 1n, expo: -18 }, 'up')).toBe(1n)
    expect(usdOf(1n, 0, { price: 1n, expo: 0 }, 'down')).toBe(1_000_000n)
  })
})
