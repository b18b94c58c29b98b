/**
 * Figures that RateX documents (docs.rate-x.io, read November 2026), and prices by its formula `P = 1 - (1 + y)^-T` with years of 365 days,
 * computed here through the kernel, the engine and its reads.
 */
import { describe, expect, test } from 'vitest'
import {
  type DiscountQ64,
  type JlpAtoms,
  jlpToSt,
  ONE_Q64,
  parsePercent,
  rateFromApy,
  ytPrice,
} from '../../amm/index.ts'
import { bisect } from '../../amm/inverse.ts'
import {
  accountId,
  accountView,
  assets,
  DEFAULT_TERMS,
  entryPrice,
  hasRatio,
  liabilities,
  priceAtRatio,
} from '../../src/exchange/index.ts'
import { fixedYield, q64, real, Walk } from '../../src/strategy/index.ts'
import { YOU } from '../../src/strategy/walk.ts'
import { headline } from './places.ts'

const DAY = 86_400
const priceAt = (apy: string, days: number): number => real(ytPrice(rateFromApy(parsePercent(apy)), days * DAY))

describe('prices of YT', () => {
  const DAYS = [180, 90, 60, 30, 7, 1]
  test.each([
    ['5%', [0.023773747041, 0.011958374885, 0.007988224158, 0.004002120564, 0.000935264146, 0.000133662749]],
    ['10%', [0.045914778157, 0.023227139073, 0.015545331159, 0.007803109841, 0.001826196931, 0.00026108969]],
    ['20%', [0.085988385804, 0.043960453644, 0.029525999829, 0.014873612083, 0.003490471892, 0.00049938638]],
    ['40%', [0.152895752973, 0.079617336633, 0.053808694464, 0.027276346779, 0.006432117011, 0.000921416979]],
    ['80%', [0.251637203392, 0.134920352449, 0.092101295444, 0.047162813196, 0.011209323047, 0.001609078467]],
  ])('at %s, 180 days to 1 day, to twelve decimals', (apy, prices) => {
    prices.forEach((price, i) => {
      expect(Math.abs(priceAt(apy, DAYS[i]!) - price)).toBeLessThan(5.01e-13)
    })
  })

  test('mSOL, half a year: from 7 % to 9 % implied YT gains 26.8 %', () => {
    const [seven, nine] = [priceAt('7%', 182.5), priceAt('9%', 182.5)]
    expect(seven).toBeCloseTo(0.033263510954, 12)
    expect(nine).toBeCloseTo(0.042173714779, 12)
    expect(nine / seven - 1).toBeCloseTo(0.267867, 6)
  })
})

test('earn: 100 ST become 110 PT one year before maturity, 10.00 % fixed', () => {
  const place = headline({
    days: 365,
    apy: parsePercent('10%'),
    liquidity: 10n ** 14n,
    lower: parsePercent('5%'),
    upper: parsePercent('20%'),
  })
  const walk = new Walk(place)
  const bounds = { limitRate: 0n, minimum: 0n, deadline: walk.world.now }
  walk.run({ kind: 'buy-pt', market: walk.market, owner: YOU, amount: { st: 100_000_000n }, ...bounds })
  expect(Number(walk.wallet(`pt/${walk.market}`)) / 1e6).toBeCloseTo(110, 4)
  const { pt, paid, fixedApy } = fixedYield(place, 100_000_000n, 0.3)
  expect(fixedApy).toBeCloseTo(0.1, 3) // after a fee of 0.01 %
  expect(Number(pt) / Number(paid)).toBeCloseTo(1.1, 3)
})

describe('margin: 100 YT at 0.1 with 1 of margin at 10x', () => {
  const long = { margin: 1_000_000n, st: -10_000_000n, yt: 100_000_000n }
  const short = { margin: 1_000_000n, st: 10_000_000n, yt: -100_000_000n }
  const tenth = q64(0.1)

  test.each([
    ['long', 0.095, long],
    ['short', 0.104761904762, short],
  ])('%s: entry at 0.1, CR 110 %%, liquidated at %d', (_, liquidation, account) => {
    expect(real(entryPrice(account, ONE_Q64)!)).toBeCloseTo(0.1, 15)
    expect(Number(assets(account, tenth)) / Number(liabilities(account, tenth))).toBeCloseTo(1.1, 6)
    expect(real(priceAtRatio(account, 10_500n))).toBeCloseTo(liquidation, 12)
  })

  test.each([
    ['long', 0.09, 6.2305, long],
    ['short', 0.11, 6.0042, short],
    ['long', 0.1, 16.5289, long], // above the 10x that 110 % at the spot allows
  ])('%s, TWAP at %d: our 106.05 %% at TWAP is RateX’s 1.05 * 1.01, and allows %dx', (_, twap, most, account) => {
    const { initialTwapBps } = DEFAULT_TERMS.hourly
    const fails = (margin: bigint): boolean => !hasRatio({ ...account, margin }, q64(twap), initialTwapBps)
    const least = bisect(fails, 0n, 10_000_000n) + 1n
    expect(10_000_000 / Number(least)).toBeCloseTo(most, 4)
  })
})

describe('yield of an interval, r = 0.1 %', () => {
  // Paid by one weekly coupon: two hourly ones would compound.
  const paidOnce = (): Walk => {
    const walk = new Walk(headline({ coupon: 'weekly' }))
    const legs = { margin: 1_000_000n, st: -10_000_000n, yt: 100_000_000n, netDeposits: 1_000_000n }
    const account = { market: walk.market, owner: YOU, sub: 0, discount: ONE_Q64, orders: 0, ...legs }
    walk.state.accounts.set(accountId(account), account)
    walk.pass(walk.state.indices.weekly.lastStep + 7 * DAY, () => ONE_Q64 / 1000n)
    return walk
  }

  test('100 ST become 100.1; 100 YT are paid 0.1 ST', () => {
    const { discount } = paidOnce().view
    expect(jlpToSt(100_000_000n as JlpAtoms, discount as DiscountQ64, 'up')).toBe(100_100_000n)
    expect((100 * (1 - real(discount))) / real(discount)).toBeCloseTo(0.1, 12)
  })

  test('a long of 100 YT against 10 ST has 9.91 ST left to pay, and its entry price is 0.0991', () => {
    const walk = paidOnce()
    const { st, entryPrice } = accountView(walk.state, { market: walk.market, owner: YOU, sub: 0 }, walk.world)
    expect(Number(st) / real(walk.view.discount) / 1e6).toBeCloseTo(-9.91, 5)
    expect(real(entryPrice!)).toBeCloseTo(0.0991, 7)
  })
})
