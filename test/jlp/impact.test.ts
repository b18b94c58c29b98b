import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ImpactBuffer,
  imbalance,
  linearImpactBps,
  positionFee,
  powerUp,
  recordTrade,
} from '../../src/jlp/index.ts'
import { dollars, JULY_2025, july2025, q } from './fixtures.ts'

const buffer = (): ImpactBuffer => july2025().custodies[0]!.facts.priceImpactBuffer
const at = (seconds: bigint) => q<'UnixSeconds'>(JULY_2025 + seconds)

describe('linear impact', () => {
  test('ceil(size x 10^4 / scalar): $1M on 1.25e15 is 8 bp, one atom more is 9, no scalar is none', () => {
    expect(linearImpactBps(dollars(1_000_000), q(1_250_000_000_000_000n))).toBe(8n)
    expect(linearImpactBps(q(1_000_000_000_001n), q(1_250_000_000_000_000n))).toBe(9n)
    expect(linearImpactBps(dollars(1_000_000), q(0n))).toBe(0n)
  })
})

describe('the ring buffer of 60 seconds', () => {
  test('the recorded minute of 2025-07-07 leans $21,085.90 to one side, far below the threshold of $750,000', () => {
    expect(imbalance(buffer())).toBe(21_085_904_409n)
    const terms = { baseBps: q<'Bps'>(6n), scalar: q<'UsdBpsX6'>(1_250_000_000_000_000n), buffer: buffer() }
    expect(positionFee(dollars(1_000_000), terms)).toEqual({
      linearBps: 8n,
      additiveBps: 0n,
      totalBps: 14n,
      feeUsd: dollars(1_400),
    })
  })

  test('a trade in the same second adds to its slot, later ones empty what has become stale', () => {
    const slot = Number(JULY_2025 % 60n)
    const once = recordTrade(buffer(), 5_000_000n, at(0n))
    expect(once.openInterest[slot]).toBe(buffer().openInterest[slot]! + 5_000_000n)
    expect(once.lastUpdated).toBe(JULY_2025)
    const twice = recordTrade(once, -2_000_000n, at(0n))
    expect(twice.openInterest[slot]).toBe(buffer().openInterest[slot]! + 3_000_000n)
    // 59 s later everything but the slot of the last second is gone, and that second is this one's neighbour.
    const late = recordTrade(once, 7n, at(59n))
    expect(late.openInterest[Number((JULY_2025 + 59n) % 60n)]).toBe(7n)
    expect(late.openInterest.filter(size => size !== 0n)).toHaveLength(2)
    expect(late.openInterest[slot]).toBe(once.openInterest[slot])
    // After a minute there is only the new trade.
    for (const seconds of [60n, 61n, 100_000n]) {
      expect(recordTrade(once, 7n, at(seconds)).openInterest.filter(size => size !== 0n)).toEqual([7n])
    }
  })

  test('the sum is that of a list of trades of the last 60 seconds, whatever their order in time', () => {
    const trades = fc.array(
      fc.record({ after: fc.nat({ max: 25 }), size: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }) }),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(trades, list => {
        let ring: ImpactBuffer = { ...buffer(), openInterest: buffer().openInterest.map(() => q<'SignedUsdX6'>(0n)) }
        let now = 0n
        const log: { readonly when: bigint; readonly size: bigint }[] = []
        for (const { after, size } of list) {
          now += BigInt(after)
          ring = recordTrade(ring, size, at(now))
          log.push({ when: now, size })
          const recent = log.filter(({ when }) => now - when < 60n).reduce((sum, trade) => sum + trade.size, 0n)
          expect(imbalance(ring)).toBe(recent < 0n ? -recent : recent)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('error: a trade before the last one, and a buffer of another size', () => {
    expect(() => recordTrade(buffer(), 1n, at(-1n))).toThrow(expect.objectContaining({ code: 'time-backwards' }))
    const short = { ...buffer(), openInterest: buffer().openInterest.slice(1) }
    expect(() => recordTrade(short, 1n, at(0n))).toThrow(expect.objectContaining({ code: 'bad-parameter' }))
  })
})

describe('additive impact', () => {
  const leaning = (size: bigint, changes: Partial<ImpactBuffer> = {}): ImpactBuffer => ({
    ...recordTrade(buffer(), size, at(100n)),
    ...changes,
  })
  const fee = (size: bigint, changes: Partial<ImpactBuffer> = {}) =>
    positionFee(dollars(1_000), { baseBps: q<'Bps'>(6n), scalar: q<'UsdBpsX6'>(0n), buffer: leaning(size, changes) })

  test('from the first atom above the threshold: ceil(imbalance / threshold) bp', () => {
    expect(fee(750_000_000_000n).totalBps).toBe(6n)
    expect(fee(750_000_000_001n)).toMatchObject({ additiveBps: 2n, totalBps: 8n, feeUsd: 800_000n })
    expect(fee(-750_000_000_001n).totalBps).toBe(8n)
    expect(fee(1_500_000_000_000n).totalBps).toBe(8n)
    expect(fee(1_500_000_000_001n).totalBps).toBe(9n)
  })

  test('the factor divides, up; a factor of 0 switches it off; the cap is 50 bp', () => {
    expect(fee(7_500_000_000_000n).totalBps).toBe(16n)
    expect(fee(7_500_000_000_000n, { feeFactor: 3n }).totalBps).toBe(10n)
    expect(fee(7_500_000_000_000n, { feeFactor: 0n }).totalBps).toBe(6n)
    expect(fee(43n * 750_000_000_000n).totalBps).toBe(49n)
    expect(fee(44n * 750_000_000_000n).totalBps).toBe(50n)
    expect(fee(10n ** 18n).totalBps).toBe(50n)
    expect(fee(10n ** 18n, { exponent: 2 }).totalBps).toBe(50n)
  })

  test('error: a threshold of 0 where the impact is on, and exponents outside 0 to 8', () => {
    const none = { deltaImbalanceThresholdDecimal: q<'UsdX6'>(0n) }
    expect(() => fee(1n, none)).toThrow(expect.objectContaining({ code: 'bad-parameter' }))
    for (const exponent of [-1, 8.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => fee(10n ** 12n, { exponent })).toThrow(expect.objectContaining({ code: 'bad-parameter' }))
    }
  })

  test('powerUp is ceil((a/b)^e) against 200 digits of decimal.js, for every sixteenth; other exponents are the next sixteenth', () => {
    const D = Decimal.clone({ precision: 200 })
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.bigInt({ min: 1n, max: 10n ** 14n }),
        fc.integer({ min: 0, max: 128 }),
        (b, more, sixteenths) => {
          const a = b + more
          const exact = new D(a.toString()).div(b.toString()).pow(new D(sixteenths).div(16))
          const limit = 10n ** 6n
          // A root that is whole comes out of decimal.js with an error in the last digits: those are the same number.
          const nearest = exact.round()
          const ceiling = exact.minus(nearest).abs().lt('1e-150') ? nearest : exact.ceil()
          const expected = ceiling.gt(limit.toString()) ? limit + 1n : BigInt(ceiling.toFixed(0))
          expect(powerUp(a, b, sixteenths / 16, limit)).toBe(expected)
        },
      ),
      { numRuns: 300 },
    )
    expect(powerUp(9n, 4n, 1.5, 100n)).toBe(4n) // 27/8
    expect(powerUp(9n, 4n, 0.5, 100n)).toBe(2n) // 3/2
    expect(powerUp(16n, 4n, 0.5, 100n)).toBe(2n) // exactly
    expect(powerUp(4n, 1n, Math.fround(1.1), 100n)).toBe(powerUp(4n, 1n, 18 / 16, 100n))
    expect(powerUp(4n, 1n, 1, 3n)).toBe(4n)
    expect(powerUp(4n, 1n, 2, 15n)).toBe(16n)
    expect(powerUp(4n, 1n, 2, 16n)).toBe(16n)
  })
})
