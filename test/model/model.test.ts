import type { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { B, F, fromQ64, ptPrice, X, YEAR, ytAreaJlp, ytPrice } from './exact.ts'
import { SlowPool } from './ledger.ts'
import { activeLiquidity, modelCost, modelFee, modelTrade, type Range, tickAt, tickRate } from './pool.ts'
import { SlowOracle } from './twap.ts'

const ONE = 1n << 64n
const DAYS = 86_400
const q64 = (x: string | number | Decimal): bigint => BigInt(new X(x).times(new X(2).pow(64)).floor().toFixed())
const near = (a: Decimal, b: Decimal | number | string, error: string): void => {
  const off = new X(a).minus(b).abs()
  expect(off.lte(error), `${a.toSD(40)} and ${new X(b).toSD(40)} are ${off.toSD(5)} apart`).toBe(true)
}
const ratesAt = (apy: string): bigint => q64(new X(apy).plus(1).ln())

describe('exact', () => {
  test('P and PT: (1+y)^(-tau), P + PT = 1, and tau = 0', () => {
    near(ptPrice(ratesAt('0.343'), 86 * DAYS), new X('1.343').pow(new X(-86).div(365)), '1e-19')
    const s = q64('0.7')
    expect(
      ytPrice(s, 5 * DAYS)
        .plus(ptPrice(s, 5 * DAYS))
        .eq(1),
    ).toBe(true)
    expect([ytPrice(s, 0).toFixed(), B(s, 0).eq(fromQ64(s)), F(0n, s, 0).toFixed()]).toEqual(['0', true, '0'])
  })

  test.each([
    ['0.29', 86 * DAYS],
    ['1.386', 88_300_800],
    ['0.005', 3600],
  ])('B(%s) is the quadrature', (rate, tau) => {
    const [s, levels] = [(q64(rate) >> 9n) << 9n, 9]
    const node = (k: number): Decimal => ptPrice((s * BigInt(k)) >> BigInt(levels), tau)
    // Romberg: trapezoids with 1, 2, 4 .. 512 panels, then Richardson extrapolation.
    let column = Array.from({ length: levels + 1 }, (_, level) => {
      const stride = 2 ** (levels - level)
      let sum = node(0)
        .plus(node(2 ** levels))
        .div(2)
      for (let k = stride; k < 2 ** levels; k += stride) sum = sum.plus(node(k))
      return sum.times(fromQ64(s)).div(2 ** level)
    })
    for (let order = 1; order <= levels; order++)
      column = column.slice(1).map((fine, k) => fine.plus(fine.minus(column[k]!).div(4 ** order - 1)))
    near(column[0]!, B(s, tau), '1e-25')
    near(F(0n, s, tau), fromQ64(s).minus(column[0]!), '1e-25')
  })

  test.each([
    [1n, 1],
    [12_345n, 1],
    [q64('0.005'), 1],
    [q64('0.3'), 3600],
    [q64('1.386'), YEAR],
  ])('F(0, %s) at %s s keeps 40 digits: s * sum of -(-x)^k/(k+1)!', (s, tau) => {
    const x = fromQ64(s).times(tau).div(YEAR)
    let [term, sum] = [new X(1), new X(0)]
    for (let k = 1; k < 100; k++) {
      term = term.times(x).div(-(k + 1))
      sum = sum.minus(term)
    }
    near(F(0n, s, tau).div(fromQ64(s).times(sum)), 1, '1e-40')
  })

  test('worked figure: 10 ST buy 148.94 YT at 0.067141, 34.3 %, 86 days; the pool of 569 JLP over 25-45 %', () => {
    const [tau, yt] = [86 * DAYS, 148_940_000n]
    const range = { lower: 2230, upper: 3720, liquidity: 6_148_000_000n }
    const rate = ratesAt('0.3269')
    const pool = { ranges: [range], rate, tick: tickAt(rate, 10), tau, discount: ONE }
    const { area, rateAfter } = modelTrade({ ...pool, direction: 'up', yt })
    near(area.div(1e6), 10, '0.005')
    near(area.div(yt), '0.067141', '0.00003')
    near(fromQ64(rateAfter).exp().minus(1), '0.359', '0.0005')
    const slow = new SlowPool(pool)
    slow.open('lp', range.lower, range.upper, range.liquidity)
    near(slow.inventory('lp').plus(slow.reserve('lp')).div(1e6), 569, '0.5')
  })

  test('the realised yield equal to the implied one: coupons paid equal decay', () => {
    const [s, tau, later] = [q64('0.3'), 90 * DAYS, 60 * DAYS]
    const discount = q64('0.9')
    const after = q64(fromQ64(discount).times(ptPrice(s, tau - later)))
    const decay = fromQ64(discount)
      .times(ytPrice(s, tau))
      .minus(fromQ64(after).times(ytPrice(s, later)))
    near(decay, fromQ64(discount - after), '1e-19')
  })
})

const spacing = 10
const tau = 86 * DAYS
const discount = q64('0.93')
const ranges: readonly Range[] = [
  { lower: 1000, upper: 2000, liquidity: 7_000_003n },
  { lower: 1500, upper: 2500, liquidity: 3_000_000_001n },
  { lower: 3000, upper: 3010, liquidity: 999n },
  { lower: 3100, upper: 3200, liquidity: 1_234_567n },
]
const at = (rate: bigint) => ({ ranges, rate, tick: tickAt(rate, spacing), tau, discount })
const slowPool = (rate: bigint): SlowPool => {
  const slow = new SlowPool(at(rate))
  for (const [k, { lower, upper, liquidity }] of ranges.entries()) slow.open(`${k}`, lower, upper, liquidity)
  return slow
}
const total = (slow: SlowPool, of: 'inventory' | 'reserve') =>
  slow.positions.reduce((sum, { id }) => sum.plus(slow[of](id)), new X(0))
const rates = fc.integer({ min: 990, max: 3210 }).chain(tick => fc.bigInt(tickRate(tick), tickRate(tick + 1) - 1n))
const amounts = fc.oneof(fc.bigInt(1n, 1000n), fc.bigInt(1n, 400_000_000n))

describe('pool', () => {
  test('a buy crosses the tick it lands on, a sell only when something remains', () => {
    const capacity = (activeLiquidity(ranges, 1990) * (tickRate(2000) - tickRate(1990))) / ONE
    const bought = modelTrade({ ...at(tickRate(1990)), direction: 'up', yt: capacity })
    expect(bought).toMatchObject({ filled: capacity, rateAfter: tickRate(2000), tickAfter: 2000, crossed: 1 })
    const short = modelTrade({ ...at(tickRate(1990)), direction: 'up', yt: capacity - 1n })
    expect(short).toMatchObject({ tickAfter: 1990, crossed: 0, stoppedBy: 'filled' })
    const down = { ...at(tickRate(1510)), direction: 'down' as const }
    const inner = (activeLiquidity(ranges, 1510) * (tickRate(1510) - tickRate(1500)) + ONE - 1n) / ONE
    expect(modelTrade({ ...down, yt: inner })).toMatchObject({ rateAfter: tickRate(1500), tickAfter: 1500, crossed: 0 })
    expect(modelTrade({ ...down, yt: inner + 1n })).toMatchObject({ filled: inner + 1n, tickAfter: 1490, crossed: 1 })
  })

  test('an empty stretch, and one too thin for an atom, are entered only to fill beyond; edges and limits stop', () => {
    const capacity = (3_000_000_001n * (tickRate(2500) - tickRate(2490))) / ONE
    const from = { ...at(tickRate(2490)), direction: 'up' as const }
    expect(modelTrade({ ...from, yt: capacity })).toMatchObject({ rateAfter: tickRate(2500), crossed: 1 })
    // 999 * 10^-3 is less than an atom: the walk goes on over 3000 and 3010 to the range from 3100.
    const beyond = modelTrade({ ...from, yt: capacity + 1n })
    expect(beyond).toMatchObject({ filled: capacity + 1n, tickAfter: 3100, crossed: 4, stoppedBy: 'filled' })
    expect(beyond.stretches.map(({ liquidity }) => liquidity)).toEqual([3_000_000_001n, 999n, 1_234_567n])
    const limited = modelTrade({ ...from, yt: capacity + 1n, limitRate: tickRate(3100) })
    expect(limited).toMatchObject({ filled: capacity, rateAfter: tickRate(2500), crossed: 1, stoppedBy: 'limit' })
    const all = modelTrade({ ...from, yt: 10n ** 12n })
    expect(all).toMatchObject({ rateAfter: tickRate(3200), tickAfter: 3200, crossed: 5, stoppedBy: 'liquidity' })
    const none = modelTrade({ ...from, yt: 1n, limitRate: tickRate(2490) })
    expect(none).toMatchObject({ filled: 0n, rateAfter: tickRate(2490), tickAfter: 2490, stoppedBy: 'limit' })
  })

  test('the exact area is what leaves or enters the reserves; a limit holds; a round trip never profits', () => {
    fc.assert(
      fc.property(rates, amounts, rates, fc.boolean(), (rate, yt, limitRate, up) => {
        const result = modelTrade({ ...at(rate), direction: up ? 'up' : 'down', yt, limitRate })
        const { filled, area, rateAfter, tickAfter, stretches } = result
        const [before, after] = [slowPool(rate), slowPool(rateAfter)]
        near(total(after, 'reserve').minus(total(before, 'reserve')).abs(), area, '1e-60')
        const sold = total(before, 'inventory').minus(total(after, 'inventory'))
        const dust = sold.minus(up ? filled : -filled) // YT that stay with the LPs: never fewer than before
        expect(dust.gte(0) && dust.lte(stretches.length + 2 ** -5), dust.toFixed()).toBe(true)
        if (filled > 0n) expect(up ? rateAfter <= limitRate : rateAfter >= limitRate).toBe(true)
        if (filled > 0n) expect(tickAfter).toBe(tickAt(rateAfter, spacing))
        const back = modelTrade({ ...at(rateAfter), direction: up ? 'down' : 'up', yt: filled })
        const gain = up ? back.area.minus(area) : area.minus(back.area)
        if (back.filled === filled) expect(gain.lte('1e-60'), gain.toFixed()).toBe(true)
      }),
      { numRuns: 150, seed: 1 },
    )
  })

  test('a path split at a tick adds up exactly', () => {
    for (const direction of ['up', 'down'] as const) {
      const from = at(direction === 'up' ? tickRate(1234) + 5n : tickRate(2345) + 5n)
      const whole = modelTrade({ ...from, direction, yt: 120_000_000n })
      const edge = direction === 'up' ? tickRate(1500) : tickRate(2000)
      const first = modelTrade({ ...from, direction, yt: 120_000_000n, limitRate: edge })
      const rest = { ...from, rate: first.rateAfter, tick: first.tickAfter, yt: 120_000_000n - first.filled }
      const second = modelTrade({ ...rest, direction })
      expect([first.rateAfter, second.rateAfter, second.tickAfter]).toEqual([edge, whole.rateAfter, whole.tickAfter])
      near(first.area.plus(second.area), whole.area, '1e-80')
      expect(first.crossed + second.crossed).toBe(whole.crossed)
      const [low, high] = [from.rate, whole.rateAfter].sort((a, b) => (a < b ? -1 : 1))
      const bound = ytAreaJlp(high!, tau, discount)
        .minus(ytAreaJlp(low!, tau, discount))
        .times(3_007_000_004)
      expect(whole.area.lt(bound)).toBe(true)
    }
  })

  test('the four costs and the fee split', () => {
    const area = new X('1000.25')
    const cost = (kind: Parameters<typeof modelCost>[0]) => modelCost(kind, { yt: 4000n, discount: ONE / 2n, area })
    expect(cost('buy-yt')).toEqual({ jlp: area, leg: 1001n })
    expect(cost('sell-yt')).toEqual({ jlp: area, leg: 1000n })
    expect(cost('buy-pt')).toEqual({ jlp: new X('999.75'), leg: 1000n })
    expect(cost('sell-pt')).toEqual({ jlp: new X('999.75'), leg: 1001n })
    const stretches = [{ area: new X('333.9') }, { area: new X('666.35') }]
    const fee = modelFee({ leg: 1001n, stretches }, { feeBps: 100, lpShareBps: 5000, insuranceShareBps: 5000 })
    expect(fee).toEqual({ total: 11n, protocol: 5n, treasury: 2n, insurance: 3n, lp: 6n, lpByStretch: [1n, 5n] })
    const least = modelFee({ leg: 0n, stretches }, { feeBps: 10, lpShareBps: 5000, insuranceShareBps: 5000 })
    expect(least).toMatchObject({ total: 1n, protocol: 0n, lp: 1n, lpByStretch: [0n, 1n] })
  })
})

test('ledger: one big step equals many small ones, and nothing is lost', () => {
  for (const tick of [900, 1200, 1700, 2300, 3300]) {
    const [big, small] = [slowPool(tickRate(tick)), slowPool(tickRate(tick))]
    const value = total(big, 'reserve').plus(total(big, 'inventory').times(fromQ64(discount)))
    const end = discount - (ONE * 40n) / 1000n
    for (let k = 1n; k <= 40n; k++) small.step(tau - 3600 * Number(k), discount - (ONE * k) / 1000n)
    big.step(tau - 3600 * 40, end)
    const earned = big.positions.reduce((sum, position, k) => {
      near(position.earned, small.positions[k]!.earned, '1e-70')
      expect(position.earned.gte(0)).toBe(true)
      return sum.plus(position.earned)
    }, new X(0))
    // Earned is the fall of reserve + D * inventory: freed ST and coupons, nothing else.
    near(value.minus(total(big, 'reserve')).minus(total(big, 'inventory').times(fromQ64(end))), earned, '1e-70')
  }
  const pool = slowPool(tickRate(1700))
  pool.fee([{ activeAtTick: 1700, lpFee: 100n }])
  near(pool.position('0').earned.plus(pool.position('1').earned), 100, '1e-80')
  near(pool.position('0').earned, new X(7_000_003).times(100).div(3_007_000_004), '1e-80')
  const before = pool.position('0').earned
  pool.fee([{ activeAtTick: 2000, lpFee: 100n }]) // 2000 is above the first range: its upper tick is excluded
  expect(pool.position('0').earned.eq(before)).toBe(true)
  pool.fee([{ activeAtTick: 1000, lpFee: 100n }]) // and the lower tick is included
  near(pool.position('0').earned.minus(before), 100, '1e-80')
  pool.remove('0', 7_000_003n)
  pool.collect('0', pool.position('0').earned)
  expect([pool.inventory('0').toFixed(), pool.position('0').earned.toFixed()]).toEqual(['0', '0'])
})

test('twap: a ramp, then a plateau, by hand', () => {
  const oracle = new SlowOracle(100, 50n, 10n)
  expect(oracle.twap(80n, 100, 300)).toBe(50n)
  expect(oracle.twap(80n, 104, 300)).toBe(72n) // (60 + 70 + 80 + 80)/4 = 72.5
  oracle.observe(80n, 104)
  expect(oracle.twap(65n, 106, 3)).toBe(71n) // (80 + 70 + 65)/3
  expect(oracle.twap(65n, 106, 0)).toBe(65n)
})
