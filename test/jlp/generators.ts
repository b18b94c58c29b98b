/** Pools for the properties: that of 2025-07-07 with other prices, other limits, and a state that is anywhere but ill-formed. */
import fc from 'fast-check'
import { custodyAum, type JlpPool, theoreticallyOwned, totalLocked } from '../../src/jlp/index.ts'
import { BTC, ETH, july2025, poolFacts, q, SOL, SUPPLY_2025, USDC, USDT } from './fixtures.ts'

export const CUSTODIES = [SOL, ETH, BTC, USDC, USDT] as const

const decimal = (digits: number) => (units: number) => (units / 10 ** digits).toFixed(digits)
const prices = fc.record({
  SOL: fc.integer({ min: 20_000_000, max: 500_000_000 }).map(decimal(6)),
  ETH: fc.integer({ min: 1_000_000_000, max: 2_000_000_000 }).map(units => (units / 1e6 + 500).toFixed(8)),
  BTC: fc.integer({ min: 3_000_000, max: 20_000_000 }).map(decimal(2)),
  USDC: fc.oneof(fc.constant('1'), fc.integer({ min: 90_000_000, max: 110_000_000 }).map(decimal(8))),
  USDT: fc.integer({ min: 99_000_000, max: 101_000_000 }).map(decimal(8)),
})

/**
 * A pool at any prices (stablecoins at, above or below $1), with a band so wide that most trades pass, base fees from 0, sizes
 * from whole to a billionth, and at times a debt.
 */
export const poolSeed = fc.record({
  prices,
  bufferBps: fc.constantFrom(1000n, 2000n, 10_000n, 100_000n),
  baseBps: fc.constantFrom(0n, 1n, 10n, 20n),
  taxBps: fc.constantFrom(0n, 100n),
  shrink: fc.constantFrom(1n, 1_000n, 1_000_003n, 1_000_000_000n),
  supply: fc.bigInt({ min: 1n, max: 4n * SUPPLY_2025 }),
  debt: fc.constantFrom(0n, 1n, 123_456_789_012_345_678_901_234n),
  usdtTarget: fc.constantFrom(0, 900),
})
export type PoolSeed = typeof poolSeed extends fc.Arbitrary<infer Seed> ? Seed : never

/** The pool of a seed; the seed is what a failure prints. */
export const poolFrom = (seed: PoolSeed): JlpPool => {
  const { prices, bufferBps, baseBps, taxBps, shrink, supply, debt, usdtTarget } = seed
  const base = july2025()
  const small = Object.fromEntries(
    base.custodies.map(({ address, facts: { assets } }) => [
      address,
      {
        owned: assets.owned / shrink,
        locked: assets.locked / shrink,
        guaranteedUsd: assets.guaranteedUsd / shrink,
        feesReserves: assets.feesReserves / shrink,
        shorts: [assets.globalShortSizes / shrink, assets.globalShortAveragePrices] as const,
        ...(address === USDT ? { target: usdtTarget, owned: 90_000_000_000_000n / shrink } : {}),
        ...(address === USDC ? { more: { debt: q<'TokenAtomsX9'>(debt / shrink) } } : {}),
      },
    ]),
  )
  const { fees } = poolFacts()
  return july2025({
    prices,
    supply: supply / shrink + 1n,
    custodies: small,
    facts: {
      limit: { maxAumUsd: q(1n << 80n), tokenWeightageBufferBps: q(bufferBps), buffer: 0n },
      fees: { ...fees, addRemoveLiquidityBps: q(baseBps), swapBps: q(baseBps), taxBps: q(taxBps) },
    },
  })
}

/** USD 10^-24: at this scale every price and every amount of the tests is a whole number. */
const SCALE = 24

/** Value of tokens at the pool's prices, exactly: the AUM counts a stablecoin at $1 at least, so that is its price here. */
export const valueX24 = (pool: JlpPool, custody: number, tokens: bigint): bigint => {
  const { facts, price } = pool.custodies[custody]!
  const atPrice = price.price * 10n ** BigInt(SCALE + price.expo - facts.decimals)
  const atDollar = 10n ** BigInt(SCALE - facts.decimals)
  return tokens * (facts.isStable && atPrice < atDollar ? atDollar : atPrice)
}

/** The AUM with nothing rounded: the same formula, token values exact. The shorts' PnL is the published whole number. */
export const exactAumX24 = (pool: JlpPool): bigint => {
  const micro = 10n ** BigInt(SCALE - 6)
  return pool.custodies.reduce((sum, custody, i) => {
    const { facts } = custody
    const owned = theoreticallyOwned(facts)
    if (facts.isStable) return sum + valueX24(pool, i, owned)
    const unlocked = owned - facts.assets.locked
    // What the published figure has beyond the floored token value: guaranteed USD and the shorts, whole numbers.
    const rest = custodyAum(custody, 'down') - valueX24(pool, i, unlocked) / micro
    return sum + valueX24(pool, i, unlocked) + rest * micro
  }, 0n)
}

/** All the tokens there are, by custody: what the pool owns and what waits in its reserves. */
export const held = (pool: JlpPool): bigint[] =>
  pool.custodies.map(({ facts }) => facts.assets.owned + facts.assets.feesReserves)

export const lockedWithin = (pool: JlpPool): boolean =>
  pool.custodies.every(({ facts }) => totalLocked(facts) <= theoreticallyOwned(facts))
