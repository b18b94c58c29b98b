import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accrue, earnedSince, type Moment, type Pool, type Position, removeLiquidity, touch } from '../../amm/index.ts'
import {
  frozen,
  holds,
  laterMoment,
  type MomentSeed,
  momentSeed,
  orderFrom,
  orderSeed,
  quoted,
  reachedMarket,
} from './generators.ts'

const steps = fc.array(momentSeed, { minLength: 1, maxLength: 8 })

/** Credited and not yet credited, in 2^-64 of an atom. */
const claim = (pool: Pool, position: Position): bigint => {
  const { accrued, fees } = earnedSince(pool, position)
  return (position.uncollected << 64n) + accrued + fees
}

/** Every moment of a way, each no earlier than the one before. */
const momentsOf = (pool: Pool, seeds: readonly MomentSeed[]): Moment[] => {
  let at: Moment = pool
  return seeds.map(seed => {
    at = laterMoment(at, seed)
    return at
  })
}

describe('LAW: an accrual moves time, and nothing else', () => {
  test('T034 rate, index, liquidity, ticks and fees stand still; the input is left as it was', () => {
    holds(fc.tuple(reachedMarket(), momentSeed), 1200, ([{ pool }, seed]) => {
      const to = laterMoment(pool, seed)
      const { tauSeconds, discount, fall, ...rest } = accrue(frozen(pool), to)
      const { tauSeconds: _, discount: __, fall: ___, ...before } = pool
      expect(rest).toEqual(before)
      expect({ tauSeconds, discount }).toEqual(to)
    })
  })

  test('in one step or in many: the same pool, to the bit, and the same claims', () => {
    holds(fc.tuple(reachedMarket(), steps), 1200, ([{ pool, positions }, seeds]) => {
      const moments = momentsOf(pool, seeds)
      const many = moments.reduce(accrue, pool)
      const once = accrue(pool, moments.at(-1)!)
      expect(many).toEqual(once)
      for (const position of positions) expect(touch(many, position)).toEqual(touch(once, position))
    })
  })

  test('a step to the same moment is no step', () => {
    holds(reachedMarket(), 500, ({ pool }) => {
      expect(accrue(pool, { tauSeconds: pool.tauSeconds, discount: pool.discount })).toEqual(pool)
    })
  })

  test('a position touched at every step has at most what one touch gives, and less by under an atom a step', () => {
    holds(fc.tuple(reachedMarket(), steps), 1200, ([{ pool, positions }, seeds]) => {
      const moments = momentsOf(pool, seeds)
      const end = accrue(pool, moments.at(-1)!)
      for (const position of positions) {
        let often = touch(pool, position)
        const start = often
        for (let i = 0; i < moments.length; i++) often = touch(accrue(pool, moments[i]!), often)
        // With what still waits below 0, so that a touch on a crest counts for no more than it is.
        expect(claim(end, often)).toBeLessThanOrEqual(claim(end, start))
        expect(claim(end, start) - claim(end, often)).toBeLessThanOrEqual(BigInt(moments.length) << 64n)
      }
    })
  })
})

describe('LAW: claims of LPs are never negative', () => {
  /** Below 0 by no more than the last ulps of S and V at both ends of a range: docs/kernel.md section 6. */
  const noise = (position: Position): bigint => 6n * position.liquidity

  test('what time has earned falls below 0 by ulps only, and uncollected never falls', () => {
    holds(fc.tuple(reachedMarket(), steps, orderSeed), 1400, ([market, seeds, order]) => {
      let { pool } = market
      const start = market.positions.map(position => touch(pool, position))
      let held = start
      for (const seed of seeds) {
        pool = accrue(pool, laterMoment(pool, seed))
        pool = quoted(pool, orderFrom(pool, order))?.next ?? pool
        held = held.map(position => {
          const { accrued, fees } = earnedSince(pool, position)
          expect(accrued).toBeGreaterThanOrEqual(-noise(position))
          expect(fees).toBeGreaterThanOrEqual(0n)
          const touched = touch(pool, position)
          expect(touched.uncollected).toBeGreaterThanOrEqual(position.uncollected)
          return touched
        })
      }
    })
  })

  test('T051 after coupons and trades every position leaves with nothing below 0, its band behind it or not', () => {
    holds(fc.tuple(reachedMarket(), steps, orderSeed), 1400, ([market, seeds, order]) => {
      let pool = seeds.reduce((at, seed) => accrue(at, laterMoment(at, seed)), market.pool)
      pool = quoted(pool, orderFrom(pool, order))?.next ?? pool
      for (const position of market.positions) {
        const removed = removeLiquidity(pool, position, { num: 1n, den: 1n })
        if (removed.kind !== 'removed') throw new Error(`refused: ${removed.code}`)
        expect([removed.jlp, removed.pt, removed.yt].every(part => part >= 0n)).toBe(true)
        expect(removed.pt === 0n || removed.yt === 0n, 'PT or YT, never both').toBe(true)
        expect(removed.position).toMatchObject({ liquidity: 0n, issued: 0n, uncollected: 0n })
        pool = removed.next
      }
      expect(pool).toMatchObject({ ticks: [], liquidity: 0n, grossLiquidity: 0n })
    })
  })
})
