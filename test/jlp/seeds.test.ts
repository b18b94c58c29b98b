/** The figures that the documents of this market give, and the article's. */
import { describe, expect, test } from 'vitest'
import {
  aprBps,
  custodyAum,
  estimateYield,
  holdingsOf,
  linearHourlyRate,
  liquidityFeeTerms,
  maxDepegLoss,
  nominalStableShare,
  poolAum,
  quoteMint,
  quoteRedeem,
  realStableShare,
  shownApy,
  updateApr,
  utilisation,
  weightBand,
  weightFeeBps,
  YEAR_SECONDS,
} from '../../src/jlp/index.ts'
import { custodyFacts, dollars, july2025, poolFacts, q, USDC } from './fixtures.ts'

describe('estimates of the documents', () => {
  const day = { volumeUsd: dollars(50_000_000), heldUsd: dollars(1_000), aumUsd: dollars(4_000_000) }

  test('$50M x 0.1 % x 70 % = $35,000, and $8.75 of it for $1,000 of $4,000,000 (0.025 %)', () => {
    const estimate = estimateYield({ ...day, feeBps: q(10n), poolShareBps: q(7000n) })
    expect(estimate).toEqual({ poolUsd: dollars(35_000), holderUsd: dollars(8.75) })
  })

  test('$50M x 0.06 % x 75 % = $22,500, and $5.625', () => {
    const estimate = estimateYield({ ...day, feeBps: q(6n), poolShareBps: q(7500n) })
    expect(estimate).toEqual({ poolUsd: dollars(22_500), holderUsd: dollars(5.625) })
  })

  test('it goes down: less than an atom is none', () => {
    const least = { ...day, volumeUsd: q<'UsdX6'>(1_333n), feeBps: q<'Bps'>(10n), poolShareBps: q<'Bps'>(7_500n) }
    expect(estimateYield(least)).toEqual({ poolUsd: 0n, holderUsd: 0n })
    expect(estimateYield({ ...least, volumeUsd: q(1_334n), heldUsd: day.aumUsd })).toEqual({
      poolUsd: 1n,
      holderUsd: 1n,
    })
  })

  test('error: bad-parameter for a holding larger than the pool', () => {
    const larger = { ...day, heldUsd: dollars(4_000_001), feeBps: q<'Bps'>(6n), poolShareBps: q<'Bps'>(7500n) }
    expect(() => estimateYield(larger)).toThrow(expect.objectContaining({ code: 'bad-parameter' }))
  })
})

describe('target weights', () => {
  test('a target of 26 % may be from 20.8 % to 31.2 %', () => {
    expect(weightBand(q(2600n), q(2000n))).toEqual({ lowest: 20_800_000n, highest: 31_200_000n })
  })

  test('the band is the account’s: 10 % since September 2026 makes it 23.4 % to 28.6 %', () => {
    expect(weightBand(q(2600n), q(1000n))).toEqual({ lowest: 23_400_000n, highest: 28_600_000n })
  })

  test('a buffer above the whole target leaves no lower edge', () => {
    expect(weightBand(q(2600n), q(10_001n)).lowest).toBe(0n)
  })

  test('the largest loss of a depeg is the weight times 1.2', () => {
    expect(maxDepegLoss(q(2600n), q(2000n))).toBe(31_200_000n)
    expect(maxDepegLoss(q(3200n), q(2000n))).toBe(38_400_000n)
  })

  /** USDC at 26 % of a pool that holds nothing but it and SOL, in whole dollars: $26M and $74M. */
  const pool26 = (usdcMillions: number) =>
    july2025({
      facts: { limit: { ...poolFacts().limit, maxAumUsd: dollars(1e9) }, maxLpTokenPriceChangeBps: q(0n) },
      prices: { SOL: '100' },
      supply: 100_000_000_000_000n,
      custodies: Object.fromEntries(
        july2025().custodies.map(({ address, facts }) => [
          address,
          {
            owned:
              address === USDC
                ? BigInt(usdcMillions * 1e12)
                : facts.isStable || facts.decimals === 8
                  ? 0n
                  : 740_000_000_000_000n,
            locked: 0n,
            guaranteedUsd: 0n,
            shorts: [0n, 0n] as const,
            target: address === USDC ? 2600 : facts.decimals === 9 ? 7400 : 0,
          },
        ]),
      ),
    })

  test('above 31.2 % the asset cannot be deposited, up to it it can', () => {
    const pool = pool26(26)
    expect(custodyAum(pool.custodies[3]!, 'down')).toBe(dollars(26_000_000))
    expect(poolAum(pool, 'down')).toBe(dollars(100_000_000))
    // x / (74 + x) = 0.312 at x = 33.5581395 (less 10 bp or more of fee, which does not enter the AUM)
    const deposit = (millions: number) => quoteMint(pool, { custody: USDC, amount: q(Math.round(millions * 1e12)) })
    const above = deposit(7.8)
    expect(above).toMatchObject({ kind: 'rejected', code: 'weight-above-band', numbers: { highestX8: 31_200_000n } })
    expect(deposit(7.5).kind).toBe('quoted')
    const full = quoteMint(pool26(34), { custody: USDC, amount: q(1_000_000n) })
    expect(full).toMatchObject({ kind: 'rejected', code: 'weight-above-band' })
    // What is above its band may still be withdrawn.
    expect(quoteRedeem(pool26(34), { custody: USDC, lp: q(1_000_000_000n) }).kind).toBe('quoted')
  })

  test('below 20.8 % the asset cannot be withdrawn, down to it it can', () => {
    // (26 - x) / (100 - x) = 0.208 at x = 6.5656566
    const withdraw = (millions: number) =>
      quoteRedeem(pool26(26), { custody: USDC, lp: q(Math.round(millions * 1e12)) })
    expect(withdraw(6.5).kind).toBe('quoted')
    expect(withdraw(6.6)).toMatchObject({
      kind: 'rejected',
      code: 'weight-below-band',
      numbers: { lowestX8: 20_800_000n },
    })
    const low = quoteRedeem(pool26(19), { custody: USDC, lp: q(1_000_000n) })
    expect(low).toMatchObject({ kind: 'rejected', code: 'weight-below-band' })
    expect(quoteMint(pool26(19), { custody: USDC, amount: q(1_000_000n) }).kind).toBe('quoted')
  })

  test('fees: a discount for moving a weight towards its target, a surcharge for moving it away, on either side', () => {
    const fee = (usdcMillions: number, direction: 'in' | 'out') => {
      const pool = pool26(usdcMillions)
      const aumUsd = poolAum(pool, 'down')
      const terms = liquidityFeeTerms(pool.facts)
      return Number(weightFeeBps(pool.custodies[3]!, { aumUsd, usd: dollars(1_000), direction, terms }))
    }
    const base = 10
    expect(fee(22, 'in')).toBeLessThan(base)
    expect(fee(22, 'out')).toBeGreaterThan(base)
    expect(fee(30, 'in')).toBeGreaterThan(base)
    expect(fee(30, 'out')).toBeLessThan(base)
    // At the target there is nothing to correct: a small trade pays the base either way.
    expect([fee(26, 'in'), fee(26, 'out')]).toEqual([base, base])
    // $30M of a $104M pool: target 27.04, distance 2.96, tax 100 * 2.96 / 27.04 = 10 bp, so the way back is free.
    expect(fee(30, 'out')).toBe(0)
    // Away from it, $1,000 count as $100,000: the distance averages 3.01, so 11 bp on top of the base.
    expect(fee(30, 'in')).toBe(21)
  })
})

describe('hourly borrow fee of the documents: tokens borrowed / tokens in the pool x rate', () => {
  const custody = (locked: bigint) => custodyFacts({ decimals: 9, isStable: false, target: 0, owned: 1000n, locked })

  test.each([
    ['0.008 % (8 dbps) at 50 %', 8n, 500n, 40_000n],
    ['0.01 % (10 dbps) at 50 %', 10n, 500n, 50_000n],
    ['0.01 % (10 dbps) at 100 %', 10n, 1000n, 100_000n],
    ['0.008 % (8 dbps) at 0', 8n, 0n, 0n],
  ])('%s', (_, dbps, locked, rate) => {
    expect(linearHourlyRate(custody(locked), q(dbps))).toBe(rate)
  })

  test('an empty custody has a utilisation and a rate of 0', () => {
    const empty = { ...custody(0n), assets: { ...custody(0n).assets, owned: q<'TokenAtoms'>(0n) } }
    expect([utilisation(empty), linearHourlyRate(empty, q(10n))]).toEqual([0n, 0n])
  })
})

describe('weekly APR', () => {
  const facts = poolFacts({
    poolApr: { lastUpdated: q(1_000_000n), feeAprBps: q(500n), realizedFeeUsd: dollars(2_000_000) },
  })
  const aumUsd = dollars(1_000_000_000)
  const at = (now: bigint) => updateApr(facts, { aumUsd, now: q(now) })

  test('the scaling: fees x year x 10,000 / (pool x seconds)', () => {
    // $2M in a week on $1B: 0.002 * 31,536,000 / 604,801 = 10.4285 %
    expect(at(1_000_000n + 604_801n)).toMatchObject({
      print: { aprBps: 1042n, from: 1_000_000n, to: 1_604_801n },
      facts: { poolApr: { lastUpdated: 1_604_801n, feeAprBps: 1042n, realizedFeeUsd: 0n } },
    })
    // A late print covers more time, so it scales down: the same fees over two weeks.
    expect(at(1_000_000n + 1_209_600n).print?.aprBps).toBe(521n)
    expect((YEAR_SECONDS * 10_000n * 2n) / (1000n * 1_209_600n)).toBe(521n)
  })

  test('not before, and not at, a week: strictly later', () => {
    expect(at(1_000_000n + 604_799n)).toEqual({ facts, print: undefined })
    expect(at(1_000_000n + 604_800n)).toEqual({ facts, print: undefined })
    expect(at(1_000_000n + 604_801n).print).toBeDefined()
  })

  test('a pool worth nothing prints nothing, and an APR over no time is refused', () => {
    expect(updateApr(facts, { aumUsd: q(0n), now: q(2_000_000n) }).print).toBeUndefined()
    for (const [value, seconds] of [
      [aumUsd, 0n],
      [aumUsd, -1n],
      [dollars(0), 1n],
    ] as const) {
      const bad = () => aprBps({ realizedUsd: q(1n), aumUsd: value, seconds })
      expect(bad).toThrow(expect.objectContaining({ code: 'bad-parameter' }))
    }
  })

  test('the APY shown for it is (1 + apr/365)^365 - 1', () => {
    expect(shownApy(q(0n))).toBe(0n)
    // Observed APY and the APR behind it: 52.48 % and 42.2 %, 11.55 % and 10.9 %, 20.79 % and 18.9 %.
    for (const [apr, apy] of [
      [4220n, 52.48],
      [1093n, 11.55],
      [1890n, 20.79],
      [969n, 10.17],
    ] as const) {
      expect(Number(shownApy(q(apr))) / 1e7).toBeCloseTo(apy, 1)
    }
  })
})

describe('real stablecoin share', () => {
  /**
   * 5 September 2024: 58.8 % with 90 % of open interest long (the article). Documented: the weights, those of the risk report of
   * 1 September 2024 (jupresear.ch t/22208), the $670.5M of AUM that day (DefiLlama), the long share of open interest, and
   * the result. Chosen: how much open interest there was, 29.9 % of the pool, and that utilisation was the same for all crypto
   * (41.3 %; reports of that summer give 20 to 60 %) and for both stablecoins (8.6 %; reports give about 10 %).
   */
  const AUM = 670_498_332
  const crypto = [44.42, 9.82, 10.88].map(weight => (AUM * weight) / 100)
  const stables = [25.81, 9.07].map(weight => (AUM * weight) / 100)
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  const OPEN_INTEREST = AUM * 0.29898
  const holdings = [
    ...crypto.map(value => ({ value, used: (0.9 * OPEN_INTEREST) / sum(crypto), isStable: false })),
    ...stables.map(value => ({ value, used: (0.1 * OPEN_INTEREST) / sum(stables), isStable: true })),
  ].map(({ value, used, isStable }) => ({
    valueUsd: dollars(value),
    utilisation: q<'RateX9'>(Math.round(used * 1e9)),
    isStable,
  }))

  test('58.8 % on 5 September 2024, with 34.9 % of stablecoins at face value', () => {
    expect(Number(realStableShare(holdings)) / 1e7).toBeCloseTo(58.8, 2)
    expect(Number(nominalStableShare(holdings)) / 1e7).toBeCloseTo(34.88, 2)
    expect(Number(holdings[0]!.utilisation) / 1e7).toBeCloseTo(41.32, 1)
    expect(Number(holdings[3]!.utilisation) / 1e7).toBeCloseTo(8.57, 1)
  })

  test('full utilisation by longs makes JLP all stable, by shorts all crypto; none leaves it as it looks', () => {
    const at = (long: bigint, short: bigint) =>
      realStableShare(holdings.map(part => ({ ...part, utilisation: q(part.isStable ? short : long) })))
    expect(at(1_000_000_000n, 0n)).toBe(1_000_000_000n)
    expect(at(0n, 1_000_000_000n)).toBe(0n)
    expect(at(0n, 0n)).toBe(nominalStableShare(holdings))
    expect([realStableShare([]), nominalStableShare([])]).toEqual([0n, 0n])
    const thirds = [true, false, false].map(isStable => ({
      valueUsd: dollars(1),
      utilisation: q<'RateX9'>(1n),
      isStable,
    }))
    expect(nominalStableShare(thirds)).toBe(333_333_333n)
    expect(realStableShare(thirds)).toBe(333_333_333n) // a third less 10^-9 of it, plus two such thirds
  })

  test('of the pool of 2025-07-07: 48.6 %, where 29.8 % looks stable', () => {
    const parts = holdingsOf(july2025())
    expect(parts.map(part => part.isStable)).toEqual([false, false, false, true, true])
    const [real, nominal] = [realStableShare(parts), nominalStableShare(parts)].map(share => Number(share) / 1e7)
    expect(real).toBeCloseTo(48.61, 1)
    expect(nominal).toBeCloseTo(29.8, 1)
  })
})
