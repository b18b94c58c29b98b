import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BUCKETS,
  createOracle,
  DEFAULT_CLAMP_PER_SECOND,
  historySeconds,
  MAX_RATE,
  MAX_WINDOW_SECONDS,
  ONE_Q64,
  observe,
  type RateOracle,
  type RateQ64,
  twap,
} from '../../amm/index.ts'
import { frozen, holds, magnitudeUpTo, rateOverGrid } from './generators.ts'

const start = fc.nat({ max: 4_000_000_000 })
const window = fc.oneof(fc.constantFrom(1, 20, 299, 300), fc.integer({ min: 1, max: MAX_WINDOW_SECONDS }))
const clamp = fc.oneof(fc.constantFrom(DEFAULT_CLAMP_PER_SECOND, 1n, ONE_Q64 - 1n), magnitudeUpTo(ONE_Q64 - 1n))
const anyRate = fc.oneof(rateOverGrid, fc.constantFrom(0n, MAX_RATE), magnitudeUpTo(MAX_RATE)) as fc.Arbitrary<RateQ64>

interface Wait {
  readonly seconds: number
  readonly spot: RateQ64
}
/** A spot rate that stands for some seconds: none, a few, about a bucket, a window, or long. */
const waits = fc.array(
  fc.record({
    seconds: fc.oneof(
      fc.nat({ max: 3 }),
      fc.nat({ max: 45 }),
      fc.nat({ max: 700 }),
      fc.constantFrom(20, 300, 320, 100_000),
    ),
    spot: anyRate,
  }),
  { maxLength: 12 },
)

/** An oracle that is called whenever the spot rate changes, as a market calls it. */
interface Watched {
  readonly oracle: RateOracle
  readonly now: number
  /** The spot rate now in force. */
  readonly spot: RateQ64
}
const watched = (from: Watched, history: readonly Wait[]): Watched =>
  history.reduce(
    ({ oracle, now, spot }, wait) => ({
      oracle: observe(frozen(oracle), spot, now + wait.seconds),
      now: now + wait.seconds,
      spot: wait.spot,
    }),
    from,
  )
const begun = (now: number, rate: RateQ64, clampPerSecond: bigint): Watched => ({
  oracle: createOracle({ now, rate, clampPerSecond }),
  now,
  spot: rate,
})

describe('LAW: the time-weighted rate', () => {
  test('a constant rate gives itself, over any window and any history', () => {
    holds(fc.tuple(start, anyRate, clamp, waits, window), 2000, ([now, rate, perSecond, history, over]) => {
      const constant = history.map(({ seconds }) => ({ seconds, spot: rate }))
      const end = watched(begun(now, rate, perSecond), constant)
      expect(twap(end.oracle, rate, end.now, over)).toBe(rate)
      expect(twap(end.oracle, rate, end.now + 17, over)).toBe(rate)
      expect(end.oracle.observed).toBe(rate)
    })
  })

  test('never outside the lowest and the highest rate that were seen', () => {
    holds(fc.tuple(start, anyRate, clamp, waits, window), 3000, ([now, rate, perSecond, history, over]) => {
      const end = watched(begun(now, rate, perSecond), history)
      const seen = [rate, ...history.map(({ spot }) => spot)]
      const [low, high] = [seen.reduce((a, b) => (b < a ? b : a)), seen.reduce((a, b) => (b > a ? b : a))]
      for (const wait of [0, 1, 19, 301]) {
        const mean = twap(end.oracle, end.spot, end.now + wait, over)
        expect(mean >= low && mean <= high).toBe(true)
      }
      expect(end.oracle.observed >= low && end.oracle.observed <= high).toBe(true)
    })
  })

  test('T046 two trades in one second are one observation: the spot that stood before them', () => {
    holds(
      fc.tuple(start, anyRate, clamp, waits, anyRate, window),
      1500,
      ([now, rate, perSecond, history, second, over]) => {
        const first = watched(begun(now, rate, perSecond), history)
        const after = observe(frozen(first.oracle), second, first.now)
        expect(after).toBe(first.oracle)
        expect(twap(after, second, first.now, over)).toBe(twap(first.oracle, first.spot, first.now, over))
      },
    )
  })

  test('asking changes nothing, and asking later is asking after an observation', () => {
    holds(
      fc.tuple(start, anyRate, clamp, waits, fc.nat({ max: 700 }), window),
      1500,
      ([now, rate, perSecond, history, wait, over]) => {
        const { oracle, spot, now: at } = watched(begun(now, rate, perSecond), history)
        const asked = twap(frozen(oracle), spot, at + wait, over)
        expect(twap(observe(oracle, spot, at + wait), spot, at + wait, over)).toBe(asked)
      },
    )
  })

  test('observed once or every second of a silence: the same oracle while it is remembered, the same mean after', () => {
    holds(
      fc.tuple(start, anyRate, clamp, waits, fc.integer({ min: 1, max: 900 }), window),
      300,
      ([now, rate, perSecond, history, silence, over]) => {
        const { oracle, spot, now: at } = watched(begun(now, rate, perSecond), history)
        let often = oracle
        for (let second = 1; second <= silence; second++) often = observe(often, spot, at + second)
        const once = observe(oracle, spot, at + silence)
        expect(often.observed).toBe(once.observed)
        expect(twap(often, spot, at + silence, over)).toBe(twap(once, spot, at + silence, over))
        if (silence <= 20) expect(often).toEqual(once)
      },
    )
  })

  test('T047 after a long silence the last rate is carried: neither 0 nor an error', () => {
    holds(
      fc.tuple(start, anyRate, waits, fc.integer({ min: 10 * MAX_WINDOW_SECONDS, max: 200_000_000 }), window),
      1500,
      ([now, rate, history, silence, over]) => {
        const { oracle, spot, now: at } = watched(begun(now, rate, ONE_Q64 / 100n), history)
        expect(twap(oracle, spot, at + silence, over)).toBe(spot)
        const after = observe(oracle, spot, at + silence)
        expect(after.observed).toBe(spot)
        expect(after.buckets).toHaveLength(BUCKETS)
      },
    )
  })

  test('T058 a spot pushed for k seconds moves the mean by at most clamp * k(k+1)/2 over the window', () => {
    holds(
      fc.tuple(start, anyRate, clamp, anyRate, fc.nat({ max: 300 }), fc.nat({ max: 1000 }), window),
      3000,
      ([now, calm, perSecond, pushed, push, quiet, over]) => {
        const k = Math.min(push, over)
        const still = watched(begun(now, calm, perSecond), [{ seconds: quiet + over, spot: pushed }])
        const mean = twap(still.oracle, pushed, still.now + k, over)
        const moved = mean > calm ? mean - calm : calm - mean
        const bound = (perSecond * BigInt((k * (k + 1)) / 2)) / BigInt(over) + 1n
        expect(moved).toBeLessThanOrEqual(bound)
        const distance = pushed > calm ? pushed - calm : calm - pushed
        expect(moved).toBeLessThanOrEqual((distance * BigInt(k)) / BigInt(over) + 1n)
        // Let go again, it comes back: the push is forgotten once it is out of the window.
        const back = observe(observe(still.oracle, pushed, still.now + k), calm, still.now + 2 * k)
        expect(back.observed).toBe(calm)
        expect(twap(back, calm, still.now + 2 * k + over + 20, over)).toBe(calm)
      },
    )
  })

  test('the observed rate moves by at most the clamp a second, towards the spot and not past it', () => {
    holds(
      fc.tuple(start, anyRate, clamp, waits, fc.nat({ max: 2000 })),
      2000,
      ([now, rate, perSecond, history, wait]) => {
        const { oracle, spot, now: at } = watched(begun(now, rate, perSecond), history)
        const { observed } = observe(oracle, spot, at + wait)
        const [was, is] = [distanceTo(spot, oracle.observed), distanceTo(spot, observed)]
        const reach = perSecond * BigInt(wait)
        expect(is).toBe(was > reach ? was - reach : 0n)
        expect(observed === spot || observed > spot === oracle.observed > spot).toBe(true)
      },
    )
  })

  test('a higher spot never gives a lower mean', () => {
    holds(
      fc.tuple(start, anyRate, clamp, waits, waits, window),
      1500,
      ([now, rate, perSecond, history, other, over]) => {
        const higher = history.map(({ seconds, spot }, i) => {
          const rival = other[i]?.spot ?? spot
          return { seconds, spot: rival > spot ? rival : spot }
        })
        const [low, high] = [history, higher].map(of => {
          const end = watched(begun(now, rate, perSecond), of)
          return twap(end.oracle, end.spot, end.now + 13, over)
        })
        expect(high).toBeGreaterThanOrEqual(low!)
      },
    )
  })

  test('a history shorter than the window counts as what there is; with none, the rate it began with', () => {
    holds(
      fc.tuple(start, anyRate, clamp, anyRate, fc.integer({ min: 1, max: 299 }), window),
      1500,
      ([now, rate, perSecond, spot, age, over]) => {
        const { oracle } = begun(now, rate, perSecond)
        expect(historySeconds(oracle, now)).toBe(0)
        expect(twap(oracle, spot, now, over)).toBe(rate)
        const young = observe(oracle, spot, now + age)
        expect(historySeconds(young, now + age)).toBe(age)
        if (over >= age)
          expect(twap(young, spot, now + age, over)).toBe(twap(young, spot, now + age, MAX_WINDOW_SECONDS))
      },
    )
  })
})

const distanceTo = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a)
