/** The worked figures of docs/protocol.md section 10, from the kernel. */
import { describe, expect, test } from 'vitest'
import {
  addLiquidity,
  apyFromRate,
  createPool,
  type DiscountQ64,
  emptyPosition,
  expNeg,
  exponent,
  type JlpAtoms,
  type Liquidity,
  liquidityForDeposit,
  ONE_Q64,
  type Pool,
  parsePercent,
  type Quote,
  quote,
  type RateQ64,
  rateFromApy,
  rateFromYtPrice,
  type YtAtoms,
  ytPrice,
} from '../../amm/index.ts'
import { FEES, GRID } from '../helpers/market.ts'

const DAY = 86_400
const real = (q64: bigint): number => Number(q64) / 2 ** 64
const rateAt = (percent: string): RateQ64 => rateFromApy(parsePercent(percent))
const priceAt = (percent: string, seconds: number): number => real(ytPrice(rateAt(percent), seconds))
/** The tick nearest to an APY, on a grid of single basis points, since the figures are for the exact ranges. */
const FINE_GRID = { ...GRID, spacing: 1 }
const tickAt = (percent: string): number => Math.round(real(rateAt(percent)) * 10_000)

const poolAt = (percent: string, days: number): Pool =>
  createPool({
    grid: FINE_GRID,
    fees: FEES,
    rate: rateAt(percent),
    tauSeconds: days * DAY,
    discount: ONE_Q64 as DiscountQ64,
  })

const withLiquidity = (pool: Pool, lower: number, upper: number, jlp: bigint): Pool => {
  const liquidity = liquidityForDeposit(pool, lower, upper, jlp as JlpAtoms) as Liquidity
  const added = addLiquidity(pool, emptyPosition(pool, lower, upper), liquidity)
  if (added.kind === 'rejected') throw new Error(added.code)
  return added.next
}

describe('YT is not linear in the rate', () => {
  test.each([
    ['3%', '4%', 32.4],
    ['30%', '40%', 26.0],
    ['7%', '9%', 26.8],
  ])('six months, %s to %s: YT +%d %%', (from, to, percent) => {
    const half = 15_768_000
    expect((priceAt(to, half) / priceAt(from, half) - 1) * 100).toBeCloseTo(percent, 1)
  })
})

describe('the headline trade: JLP-2411, 86 days to maturity', () => {
  const pool = withLiquidity(poolAt('32.7%', 86), tickAt('25%'), tickAt('45%'), 569_000_000n)
  const yt = 148_940_000n as YtAtoms
  const bought = quote(pool, { kind: 'buy-yt', yt }) as Quote

  test('1 JLP of margin at 10x buys 148.94 YT at 0.067141 ST on average, 34.3 % implied, from a pool of 569 JLP', () => {
    expect(Number(bought.amount) / 1e6).toBeCloseTo(10, 2)
    expect(real(bought.averagePrice)).toBeCloseTo(0.067141, 5)
    const exactImpact = (real(bought.averagePrice) / real(bought.spotBefore) - 1) * 10_000
    expect(Math.abs(bought.impactBp - exactImpact)).toBeLessThan(0.01) // cut to 1/100 bp
    expect(bought.impactBp).toBeGreaterThan(400)
    expect(real(apyFromRate(rateFromYtPrice(bought.averagePrice, 86 * DAY))) * 100).toBeCloseTo(34.3, 1)
    const byAmount = quote(pool, { kind: 'buy-yt', st: 10_000_000n as JlpAtoms }) as Quote
    expect(Number(byAmount.filled) / 1e6).toBeCloseTo(148.94, 1)
  })

  test('it moves the rate from 32.7 to 35.9 %; CR 113.9 % at spot and 106.05 % at TWAP', () => {
    expect((real(bought.apyBefore) * 100).toFixed(1)).toBe('32.7')
    expect((real(bought.apyAfter) * 100).toFixed(1)).toBe('35.9')
    const cr = (price: number): number => ((1 + 148.94 * price) / (Number(bought.amount) / 1e6)) * 100
    expect(cr(real(ytPrice(bought.rateAfter, 86 * DAY)))).toBeCloseTo(113.9, 1)
    expect(cr(real(ytPrice(bought.rateBefore, 86 * DAY)))).toBeCloseTo(106.05, 1)
  })
})

describe('margin and PT', () => {
  /** CR of 100 YT long against 10 ST (or short, against 100 YT) with 1 of margin, at the kernel's own YT price of a rate. */
  const ratios = (rate: RateQ64): { long: number; short: number } => {
    const price = real(ytPrice(rate, 90 * DAY))
    return { long: (100 * price + 1) / 10, short: (10 + 1) / (100 * price) }
  }
  const rateOf = (price: number): RateQ64 => rateFromYtPrice(BigInt(Math.round(price * 2 ** 52)) << 12n, 90 * DAY)

  test('100 YT at 0.1 with 1 of margin at 10x: CR 110 % either way, 105 % at 0.095 (long) and 0.1047619 (short)', () => {
    expect(ratios(rateOf(0.1)).long).toBeCloseTo(1.1, 10)
    expect(ratios(rateOf(0.1)).short).toBeCloseTo(1.1, 10)
    expect(ratios(rateOf(0.095)).long).toBeCloseTo(1.05, 10)
    expect(ratios(rateOf(0.1047619)).short).toBeCloseTo(1.05, 6)
  })

  test('100 ST buys 110 PT one year out: 10.00 % fixed', () => {
    const pool = withLiquidity(poolAt('10%', 365), tickAt('5%'), tickAt('20%'), 10n ** 13n) // deep: next to no impact
    const bought = quote(pool, { kind: 'buy-pt', st: 100_000_000n as JlpAtoms }) as Quote
    expect(Number(bought.filled) / 1e6).toBeCloseTo(110, 3)
  })
})

describe('most leverage at 20 % implied, long and short, from the worst coupon', () => {
  const rate = rateAt('20%')
  const most = (days: number, kind: { period: number; rhoMax: number; lo: number }): [number, number] => {
    const tau = days * DAY
    const price = real(ytPrice(rate, tau))
    const later = real(ytPrice(rate, Math.max(tau - kind.period, 0)))
    const coupon = 1 / real(expNeg(exponent(rate, kind.period))) - 1
    const long = price / (1.2 * (1 - price) * coupon * (1 - kind.lo))
    const worst = Math.max(0, kind.rhoMax * (1 - price) - (price - later))
    const short = worst === 0 ? 10 : price / (1.2 * worst)
    return [Math.min(10, long), Math.min(10, short)]
  }
  const hourly = { period: 3600, rhoMax: 0.0005, lo: 0 }
  const weekly = { period: 7 * DAY, rhoMax: 0.012, lo: 0.25 }

  test.each([
    ['hourly', 14, hourly, 10, 10],
    ['hourly', 7, hourly, 10, 6.1],
    ['hourly', 1, hourly, 10, 0.9],
    ['weekly', 26 * 7, weekly, 10, 9.3],
    ['weekly', 13 * 7, weekly, 10, 4.6],
    ['weekly', 8 * 7, weekly, 9, 2.8],
    ['weekly', 4 * 7, weekly, 4.5, 1.4],
    ['weekly', 7, weekly, 1.1, 0.3],
  ])('%s, %d days to maturity', (_, days, kind, long, short) => {
    const [mostLong, mostShort] = most(days, kind)
    expect(Math.abs(mostLong - long)).toBeLessThan(0.06)
    expect(Math.abs(mostShort - short)).toBeLessThan(0.06)
  })
})

describe('depth at 34.3 % and 86 days, s raised by 10 %, YT per JLP of liquidity', () => {
  test.each([
    ['the full range', 50, 13_860, 0.027],
    ['20-60 %', tickAt('20%'), tickAt('60%'), 0.163],
    ['25-45 %', tickAt('25%'), tickAt('45%'), 0.365],
    ['30-40 %', tickAt('30%'), tickAt('40%'), 0.676],
  ])('%s', (_, lower, upper, depth) => {
    const pool = poolAt('34.3%', 86)
    const jlp = 10n ** 12n
    const liquidity = liquidityForDeposit(pool, lower, upper, jlp as JlpAtoms)
    const yt = (liquidity * (pool.rate / 10n)) >> 64n
    expect(Math.abs(Number(yt) / Number(jlp) - depth)).toBeLessThan(0.0005 + depth * 0.003)
  })
})
