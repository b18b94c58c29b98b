import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  custodyOf,
  distribute,
  FEE_SOURCES,
  type HourOfActivity,
  isDistributionDue,
  type JlpPool,
  nextDistribution,
  poolAum,
  simulateHour,
  virtualPrice,
} from '../../src/jlp/index.ts'
import { simulateYear } from '../bench/jlp.ts'
import { BTC, dollars, JULY_2025, july2025, q, SOL, USDC, usd } from './fixtures.ts'
import { poolFrom, poolSeed } from './generators.ts'

const HOUR = 1_751_896_800n // 2025-07-07 14:00 UTC
const at = (seconds: bigint) => q<'UnixSeconds'>(seconds)

describe('the hourly distribution', () => {
  test('75 % of the reserves of 2025-07-07 go into the pool, 25 % to the protocol', () => {
    const pool = july2025()
    const { shares, realizedUsd, next, print } = distribute(pool, at(HOUR))
    expect(shares[0]).toEqual({
      custody: SOL,
      fees: 4_091_433_472n,
      interest: 0n,
      pool: 3_068_575_104n,
      protocol: 1_022_858_368n,
    })
    expect(shares[3]).toMatchObject({ fees: 547_186_443n, pool: 410_389_833n, protocol: 136_796_610n })
    // 3.0686 SOL, 0.0082 ETH, 0.0001 BTC and $410.39: $913.64 for the week's sum.
    expect(Number(realizedUsd) / 1e6).toBeCloseTo(913.6, 0)
    expect(next.facts.poolApr.realizedFeeUsd).toBe(945_255_297_149n + realizedUsd)
    expect(print).toBeUndefined()
    expect(next.custodies.map(({ facts }) => facts.assets.feesReserves)).toEqual([0n, 0n, 0n, 0n, 0n])
    expect(next.facts).toMatchObject({ aumUsd: poolAum(next, 'down'), aumUsdUpdatedAt: HOUR })
    // Only what is the pool's share raises the AUM, to the rounding of each custody.
    const grown = poolAum(next, 'down') - poolAum(pool, 'down')
    expect(grown - realizedUsd >= 0n && grown - realizedUsd <= 5n).toBe(true)
  })

  test('distribution plus reserve equals fees: pool and protocol add up to them, atom for atom, and the pool gets the odd one', () => {
    fc.assert(
      fc.property(
        poolSeed,
        fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 5, maxLength: 5 }),
        fc.bigInt({ min: 0n, max: 10_000n }),
        (seed, fees, share) => {
          const base = poolFrom(seed)
          const pool: JlpPool = {
            ...base,
            facts: { ...base.facts, fees: { ...base.facts.fees, protocolShareBps: q(share) } },
            custodies: base.custodies.map((custody, i) => ({
              ...custody,
              facts: { ...custody.facts, assets: { ...custody.facts.assets, feesReserves: q(fees[i]!) } },
            })),
          }
          const { shares, next } = distribute(pool, at(HOUR))
          for (const [i, part] of shares.entries()) {
            expect(part.fees).toBe(fees[i])
            expect(part.pool + part.protocol).toBe(part.fees + part.interest)
            expect(part.protocol * 10_000n).toBeLessThanOrEqual(part.fees * share)
            const [before, after] = [pool.custodies[i]!.facts.assets, next.custodies[i]!.facts.assets]
            expect(before.owned + before.feesReserves).toBe(after.owned + after.feesReserves + part.protocol)
          }
          const price = (of: JlpPool) => virtualPrice(poolAum(of, 'down'), of.supply, 'down')
          expect(price(next)).toBeGreaterThanOrEqual(price(pool))
          // A second run at once has nothing to give.
          const again = distribute(next, at(HOUR))
          expect(again.realizedUsd).toBe(0n)
          expect(again.next.custodies).toEqual(next.custodies)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('it is due once a UTC hour has begun since the last one', () => {
    expect(isDistributionDue(at(HOUR - 1n), at(HOUR))).toBe(true)
    expect(isDistributionDue(at(HOUR), at(HOUR + 3_599n))).toBe(false)
    expect(isDistributionDue(at(HOUR), at(HOUR + 3_600n))).toBe(true)
    expect(nextDistribution(at(JULY_2025))).toBe(HOUR)
    expect(nextDistribution(at(HOUR))).toBe(HOUR + 3_600n)
  })
})

describe('an hour of the pool', () => {
  const quiet = {
    openedUsd: dollars(0),
    closedUsd: dollars(0),
    impactFeesUsd: dollars(0),
    swapFeesUsd: dollars(0),
    liquidityFeesUsd: dollars(0),
    liquidationFeesUsd: dollars(0),
    stakingRewards: q<'TokenAtoms'>(0n),
  }
  const hour = (
    changes: Readonly<Record<number, Partial<HourOfActivity['activity'][number]>>> = {},
    more: Partial<HourOfActivity> = {},
  ): HourOfActivity => ({
    endsAt: at(HOUR),
    activity: Array.from({ length: 5 }, (_, i) => ({ ...quiet, ...changes[i] })),
    ...more,
  })

  test('fees by source: 6 bp of what was opened and closed, the borrow fee of what is locked, the rest as given', () => {
    const { fees, distribution } = simulateHour(july2025(), {
      ...hour({
        0: {
          openedUsd: dollars(6_000_000),
          closedUsd: dollars(4_000_000),
          impactFeesUsd: dollars(900),
          stakingRewards: q(2_000_000_000n),
        },
        3: { swapFeesUsd: dollars(120), liquidityFeesUsd: dollars(80), liquidationFeesUsd: dollars(33) },
      }),
    })
    expect(fees).toMatchObject({
      openClose: dollars(6_900),
      swap: dollars(120),
      mintBurn: dollars(80),
      liquidation: dollars(33),
      staking: dollars(306.14),
    })
    // 53.5 minutes of SOL at 26.14 % a year on $197.5M, of ETH at 12.85 % on $22.6M, of BTC at 16.22 % on $114.4M, of USDC at 10 %.
    const years = (seconds: number) => seconds / 31_536_000
    const expected =
      197_468_346 * 0.2614 * years(3_211) +
      22_623_330 * 0.1285 * years(3_225) +
      114_369_440 * 0.1622 * years(3_215) +
      33_656_762 * 0.1 * years(3_239)
    expect(Number(fees.borrow) / 1e6 / expected).toBeCloseTo(1, 3)
    const total = FEE_SOURCES.reduce((sum, source) => sum + Number(fees[source]), 0) / 1e6
    const waiting = Number(distribute(july2025(), at(HOUR)).realizedUsd) / 1e6
    expect(Number(distribution.realizedUsd) / 1e6).toBeCloseTo(total * 0.75 + waiting, 2)
  })

  test('an hour without activity accrues borrow fees only, and more hours never run backwards', () => {
    let pool = july2025()
    for (let i = 0n; i < 200n; i++) {
      const before = pool
      pool = simulateHour(pool, hour({}, { endsAt: at(HOUR + i * 3_600n) })).next
      for (const [j, { facts }] of pool.custodies.entries()) {
        const was = before.custodies[j]!.facts
        expect(facts.fundingRateState.cumulativeInterestRate).toBeGreaterThanOrEqual(
          was.fundingRateState.cumulativeInterestRate,
        )
        expect(facts.borrowsFundingRateState.cumulativeInterestRate).toBeGreaterThanOrEqual(
          was.borrowsFundingRateState.cumulativeInterestRate,
        )
      }
      expect(poolAum(pool, 'down')).toBeGreaterThanOrEqual(poolAum(before, 'down'))
    }
    expect(() => simulateHour(pool, hour())).toThrow(expect.objectContaining({ code: 'time-backwards' }))
  })

  test('the week’s print: strictly after a week, so with full hours in the 169th hour, and the sum starts anew', () => {
    let pool = july2025()
    const prints: { readonly at: bigint; readonly bps: bigint; readonly realized: bigint }[] = []
    let realized: bigint = pool.facts.poolApr.realizedFeeUsd
    for (let i = 0n; i < 400n; i++) {
      const { distribution, next } = simulateHour(
        pool,
        hour({ 3: { swapFeesUsd: dollars(10_000) } }, { endsAt: at(HOUR + i * 3_600n) }),
      )
      realized += distribution.realizedUsd
      if (distribution.print !== undefined) {
        prints.push({
          at: distribution.print.to,
          bps: distribution.print.aprBps,
          realized: distribution.print.realizedUsd,
        })
        expect(distribution.print.realizedUsd).toBe(realized)
        expect(next.facts.poolApr).toEqual({
          lastUpdated: distribution.print.to,
          feeAprBps: distribution.print.aprBps,
          realizedFeeUsd: 0n,
        })
        realized = 0n
      }
      pool = next
    }
    // Last print 2025-07-03 22:00:00; then 2025-07-10 23:00, then 169 hours on.
    expect(prints.map(print => print.at)).toEqual([1_751_580_000n + 169n * 3_600n, 1_751_580_000n + 338n * 3_600n])
    // 169 hours of $7,500 and a little more for borrowing, on $1.535B.
    expect(Number(prints[1]!.bps) / 100).toBeCloseTo(
      (Number(prints[1]!.realized) / 1e6 / 1.5375e9) * (365.0 / (169 / 24)) * 100,
      0,
    )
  })

  test('traders in the aggregate: more locked tokens leave the AUM, fewer settle their profit in tokens', () => {
    const pool = july2025()
    const locked = (tokens: bigint) => hour({ 0: { locked: q(tokens) } })
    const still = simulateHour(pool, hour()).next
    const [now, more, fewer] = [1_290_052_568_390_120n, 1_500_000_000_000_000n, 900_000_000_000_000n]
    for (const tokens of [now, more, fewer]) {
      const { next } = simulateHour(pool, locked(tokens))
      expect(custodyOf(next, SOL).facts.assets.locked).toBe(tokens)
      const change = poolAum(next, 'down') - poolAum(still, 'down')
      expect(change >= -1n && change <= 1n).toBe(true)
    }
    // The longs of that day stand at a profit and with collateral inside: closing them takes SOL out of the pool.
    expect(custodyOf(simulateHour(pool, locked(fewer)).next, SOL).facts.assets.owned).toBeLessThan(
      custodyOf(still, SOL).facts.assets.owned,
    )
    expect(() => simulateHour(pool, locked(5_000_000_000_000_000n))).toThrow(
      expect.objectContaining({ code: 'out-of-range' }),
    )
    const stable = simulateHour(pool, hour({ 3: { locked: q(100n) } })).next
    expect(custodyOf(stable, USDC).facts.assets.locked).toBe(100n)
    expect(poolAum(stable, 'down')).toBe(poolAum(still, 'down'))
  })

  test('deposits and withdrawals come and go at the virtual price', () => {
    const pool = july2025()
    const still = simulateHour(pool, hour()).next
    const price = (of: JlpPool) => Number(poolAum(of, 'down')) / Number(of.supply)
    for (const [netDeposit, sign] of [
      [10_000_000_000_000n, 1],
      [-10_000_000_000_000n, -1],
    ] as const) {
      const { next } = simulateHour(pool, hour({ 3: { netDeposit } }))
      expect(Math.sign(Number(next.supply - pool.supply))).toBe(sign)
      expect(price(next) / price(still)).toBeCloseTo(1, 6)
      expect((Number(poolAum(next, 'down')) - Number(poolAum(still, 'down'))) / 1e12).toBeCloseTo(10 * sign, 3)
    }
    // Rounded for those who stay: five atoms of a dollar mint one atom of JLP, and taking one atom out burns one.
    const supply = (netDeposit: bigint) => simulateHour(pool, hour({ 3: { netDeposit } })).next.supply - pool.supply
    expect([1n, 5n, -1n, -5n, -10n].map(supply)).toEqual([0n, 1n, -1n, -2n, -3n])
    const toLocked = -(211_970_393_151n - 105_373_849_344n)
    expect(simulateHour(pool, hour({ 2: { netDeposit: toLocked } })).next.supply).toBeLessThan(pool.supply)
    expect(() => simulateHour(pool, hour({ 2: { netDeposit: toLocked - 1n } }))).toThrow(
      expect.objectContaining({ code: 'out-of-range' }),
    )
    expect(custodyOf(pool, BTC).facts.assets.owned).toBe(211_970_393_151n)
  })

  test('a year of hours: 52 prints, the first when it was due, then every 169 hours', () => {
    const { pool, prints } = simulateYear()
    expect(prints).toBe(52)
    expect(pool.facts.poolApr.feeAprBps).toBeGreaterThan(0n)
    expect(pool.facts.aumUsdUpdatedAt).toBe(HOUR + 8_759n * 3_600n)
  })

  test('prices move first; error: hours that are not full, activity of other custodies', () => {
    const pool = july2025()
    const prices = ['160', '2600', '110000', '1', '1'].map(usd)
    expect(simulateHour(pool, hour({}, { prices })).next.custodies.map(custody => custody.price)).toEqual(prices)
    expect(() => simulateHour(pool, hour({}, { endsAt: at(HOUR + 1n) }))).toThrow(
      expect.objectContaining({ code: 'bad-parameter' }),
    )
    expect(() => simulateHour(pool, { ...hour(), activity: [quiet] })).toThrow(
      expect.objectContaining({ code: 'custody-mismatch' }),
    )
  })
})
