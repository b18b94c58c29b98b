import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  apyFromRate,
  formatAtoms,
  formatPercent,
  formatQ64,
  formatTime,
  marketName,
  ONE_Q64,
  parseAtoms,
  parseMarketName,
  parsePercent,
  rateFromApy,
  rateFromYtPrice,
  rateQ64,
  tauAt,
  U64_MAX,
  ytPrice,
} from '../../amm/index.ts'
import { holds, magnitudeUpTo, rateOverGrid, TWO_YEARS } from './generators.ts'

const DAY = 86_400
const kinds = fc.constantFrom('hourly', 'weekly')

/** The last Friday of a month of this century, 08:00 UTC, found by walking back from its last day. */
const lastFriday: fc.Arbitrary<number> = fc
  .record({ year: fc.integer({ min: 2000, max: 2099 }), month: fc.integer({ min: 1, max: 12 }) })
  .map(({ year, month }) => {
    let day = Date.UTC(year, month, 0, 8) / 1000
    while (new Date(day * 1000).getUTCDay() !== 5) day -= DAY
    return day
  })

describe('LAW: what is written is what is read', () => {
  test('atoms, over all of u64', () => {
    holds(fc.oneof(magnitudeUpTo(U64_MAX), fc.constantFrom(0n, U64_MAX)), 3000, atoms => {
      expect(parseAtoms(formatAtoms(atoms))).toBe(atoms)
      expect(formatAtoms(-atoms)).toBe(atoms === 0n ? '0.000000' : `-${formatAtoms(atoms)}`)
    })
  })

  test('percentages, to the digits that are shown', () => {
    holds(fc.tuple(magnitudeUpTo(64n * ONE_Q64), fc.integer({ min: 0, max: 15 })), 3000, ([value, digits]) => {
      const shown = formatPercent(value, digits)
      expect(formatPercent(parsePercent(shown), digits), 'parsing rounds down by less than 1 ulp').toBe(shown)
      expect(parsePercent(shown.slice(0, -1))).toBe(parsePercent(shown))
      const off = parsePercent(shown) - value
      const half = ((ONE_Q64 / (2n * 10n ** BigInt(digits + 2))) as bigint) + 1n
      expect(off <= half && -off <= half).toBe(true)
    })
  })

  test('a percentage is read rounded down', () => {
    holds(magnitudeUpTo(10n ** 12n), 2000, hundredths => {
      const text = `${hundredths / 100n}.${(hundredths % 100n).toString().padStart(2, '0')}%`
      expect(parsePercent(text)).toBe((hundredths << 64n) / 10_000n)
    })
  })

  test('a rounded number is the nearest, half away from zero', () => {
    holds(
      fc.tuple(magnitudeUpTo(U64_MAX), fc.boolean(), fc.integer({ min: 0, max: 6 })),
      2000,
      ([size, negative, digits]) => {
        const atoms = negative ? -size : size
        const unit = 10n ** BigInt(6 - digits)
        const read = BigInt(formatAtoms(atoms, digits).replace('.', '')) * unit
        const off = read - atoms
        expect((off < 0n ? -off : off) * 2n).toBeLessThanOrEqual(unit)
        if ((size % unit) * 2n === unit) expect(read < 0n ? -read : read).toBeGreaterThan(size)
      },
    )
    expect([formatQ64(ONE_Q64 / 2n, 0), formatQ64(-ONE_Q64 / 2n, 0), formatQ64(-1n, 6)]).toEqual([
      '1',
      '-1',
      '0.000000',
    ])
  })

  test('market names and maturities', () => {
    holds(fc.tuple(lastFriday, kinds), 2000, ([maturity, kind]) => {
      const name = marketName(maturity, kind)
      expect(parseMarketName(name)).toEqual({ maturity, kind })
      expect(formatTime(maturity)).toMatch(/^\d{4}-\d\d-(2[2-9]|3[01]) 08:00 UTC$/)
    })
  })

  test('tau is what is left to maturity, and 0 from then on', () => {
    holds(fc.tuple(lastFriday, fc.nat({ max: 0xffff_ffff })), 1500, ([maturity, now]) => {
      expect(tauAt(maturity, now)).toBe(Math.max(0, maturity - now))
    })
  })
})

describe('LAW: rate, APY and price are three ways to say one thing', () => {
  test('a rate read back from its APY is within 1,000 ulp', () => {
    holds(rateOverGrid, 2000, rate => {
      const off = rateFromApy(apyFromRate(rate)) - rate
      expect(off < 1000n && off > -1000n).toBe(true)
    })
  })

  test('a rate read back from its YT price gives that price again, to a billionth', () => {
    holds(fc.tuple(rateOverGrid, fc.integer({ min: 3600, max: TWO_YEARS })), 2000, ([rate, tau]) => {
      const price = ytPrice(rate, tau)
      const off = ytPrice(rateFromYtPrice(price, tau), tau) - price
      expect(off < ONE_Q64 / 1_000_000_000n && off > -ONE_Q64 / 1_000_000_000n).toBe(true)
    })
  })

  test('APY and price never fall in the rate, but for the last ulps', () => {
    holds(fc.tuple(rateOverGrid, rateOverGrid), 2000, ([a, b]) => {
      const [low, high] = a < b ? [a, b] : [b, a]
      expect(apyFromRate(high)).toBeGreaterThanOrEqual(apyFromRate(low) - 64n)
    })
    expect(apyFromRate(rateQ64(0n))).toBe(0n)
  })
})
