import { describe, expect, test } from 'vitest'
import { apyFromRate, parsePercent, type RateQ64 } from '../../amm/index.ts'
import {
  leastMarginFor,
  legOf,
  leveraged,
  mostLeverageFor,
  open,
  real,
  StrategyError,
  simulate,
  Walk,
} from '../../src/strategy/index.ts'
import { codesOf } from '../helpers/code-of.ts'
import { headline, TEN_TIMES } from './places.ts'

const percent = (rate: bigint): string => (real(apyFromRate(rate as RateQ64)) * 100).toFixed(1)

describe('the headline, opened by the engine: 10x with 1 JLP of margin, 86 days left, in a pool of 569 JLP over 25-45 %', () => {
  const opened = open(new Walk(headline()), TEN_TIMES)

  test('148.94 YT at 0.067141 on average, 34.3 % implied', () => {
    expect(Number(opened.filled) / 1e6).toBeCloseTo(148.94, 2)
    expect(real(opened.averagePrice)).toBeCloseTo(0.067141, 6)
    expect(real(opened.averageApy!) * 100).toBeCloseTo(34.3, 1)
    expect(opened.paid).toBe(1_010_000n) // the fee comes on top
  })

  test('the rate goes from 32.7 to 35.9 %; CR 113.9 % at spot and 106.05 % at TWAP', () => {
    expect([percent(opened.rateBefore), percent(opened.rateAfter)]).toEqual(['32.7', '35.9'])
    expect(real(opened.account.ratio!) * 100).toBeCloseTo(113.9, 1)
    // The range on the market's own grid is 22.30-37.10 % in s, a little narrower than 25-45 % of APY.
    expect(Math.abs(real(opened.account.ratioAtTwap!) * 100 - 106.05)).toBeLessThan(0.04)
  })

  test('TWAP is what binds: 1 % less liquidity and it is refused, though the spot has room', () => {
    const refuse = codesOf(StrategyError)(() => open(new Walk(headline({ liquidity: 560_000_000n })), TEN_TIMES))
    expect(refuse).toBe('undercollateralised')
  })
})

describe('leverage', () => {
  test('the most for a margin opens, a hundredth more does not; the least margin opens, a percent less does not', () => {
    const place = headline()
    const tried = (side: 'short', leverage: number, margin = 1_000_000n): string =>
      codesOf(StrategyError)(() => open(new Walk(place), { side, margin, amount: { st: legOf(margin, leverage) } }))
    const most = mostLeverageFor(place, 'short', 1_000_000n)
    expect(most).toBeLessThan(10)
    expect([tried('short', most), tried('short', most + 0.01)]).toEqual(['none', 'undercollateralised'])
    const order = { side: 'short', margin: 0n, amount: { st: 10_000_000n } } as const
    const least = leastMarginFor(place, order)!
    const with_ = (margin: bigint): string => codesOf(StrategyError)(() => open(new Walk(place), { ...order, margin }))
    expect([with_(least), with_(least - 100_000n)]).toEqual(['none', 'undercollateralised'])
  })

  test('weekly coupons allow less, near maturity much less', () => {
    const [far, near] = [84, 14].map(days => mostLeverageFor(headline({ coupon: 'weekly', days }), 'long', 1_000_000n))
    expect(far!).toBeLessThan(10)
    expect(near!).toBeLessThan(2)
  })
})

describe('a path', () => {
  test.each(['long', 'short'] as const)('%s: comes out even at the break-even APY', side => {
    const order = { side, margin: 2_000_000n, amount: { st: 10_000_000n } }
    const place = headline({ liquidity: 5_000_000_000n })
    const { breakEvenApy } = leveraged(place, order, { realised: 0.3 }, 0).opened
    const { outcome } = leveraged(place, order, { realised: real(breakEvenApy!) })
    expect(outcome.matured).toBe(true)
    expect(Math.abs(Number(outcome.profit))).toBeLessThanOrEqual(5)
  })

  test('if the pool averages 50 % the 10x long makes 3.5 times its money; a short loses what the long makes', () => {
    const { outcome } = leveraged(headline(), TEN_TIMES, { realised: 0.5 })
    expect(outcome.returned).toBeGreaterThan(3.4)
    const deep = headline({ liquidity: 10n ** 13n })
    const [long, short] = (['long', 'short'] as const).map(side =>
      simulate(deep, { kind: 'yt', side, margin: 2_000_000n, amount: { yt: 100_000_000n } }, { realised: 0.4 }, 30),
    )
    const fees = [long!, short!].map(({ rows }) => rows.at(-1)!.parts.fees)
    const [gain, loss] = [
      long!.rows.at(-1)!.value - long!.paid - fees[0]!,
      short!.rows.at(-1)!.value - short!.paid - fees[1]!,
    ]
    expect(Math.abs(Number(gain + loss))).toBeLessThanOrEqual(20)
  })

  test('a fall of the implied rate liquidates 10x; what is left is small, and the parts still add up', () => {
    const { outcome } = leveraged(headline(), TEN_TIMES, { realised: 0.2, implied: [0.34, 0.32, 0.3, 0.28] }, 12)
    expect(outcome.liquidatedOn).toBe(2)
    expect(Number(outcome.received)).toBeLessThan(50_000)
    for (const { parts, value } of outcome.rows) {
      expect(parts.coupons + parts.decay + parts.rateMove + parts.fees).toBe(value - outcome.paid)
    }
  })

  test('yield above the caps is carried, and the result says how much never came', () => {
    const { outcome } = leveraged(headline(), TEN_TIMES, { realised: 5 })
    expect(outcome.unpaid).toBeGreaterThan(0.05)
    const paid = -Math.log(real(outcome.rows.at(-1)!.discount))
    expect(paid + outcome.unpaid).toBeCloseTo(Math.log(6) * (86 / 365), 1)
    expect(leveraged(headline(), TEN_TIMES, { realised: 0.5 }).outcome.unpaid).toBe(0)
  })

  test('error: no liquidity at the rate, a range that is none, no time left', () => {
    const code = codesOf(StrategyError)
    expect(code(() => open(new Walk(headline({ apy: parsePercent('60%') })), TEN_TIMES))).toBe('no-liquidity')
    expect(code(() => headline({ lower: parsePercent('50%') }))).toBe('bad-parameter')
    expect(code(() => headline({ days: 0 }))).toBe('bad-parameter')
    expect(code(() => headline({ days: 731 }))).toBe('bad-parameter')
    expect(code(() => headline({ liquidity: 10n }))).toBe('deposit-too-small')
  })
})
