import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  composition,
  MAX_RATE,
  ONE_Q64,
  type Order,
  type Pool,
  ptPrice,
  quote,
  type RateQ64,
  tickRate,
  ytPrice,
} from '../../amm/index.ts'
import {
  byFace,
  bySt,
  DEFAULT_GRID,
  frozen,
  holds,
  isUp,
  limitsIn,
  magnitudeUpTo,
  ORDER_KINDS,
  type OrderKind,
  orderFrom,
  orderSeed,
  quoted,
  rateOverGrid,
  reachedMarket,
  stretchOf,
  TWO_YEARS,
  tauPositive,
} from './generators.ts'

const kinds = fc.constantFrom(...ORDER_KINDS)

/** Ranges of rates, ends included, where the pool has no liquidity and some lies on either side. */
const gaps = (pool: Pool): { low: bigint; high: bigint }[] => {
  let net = 0n
  return pool.ticks.flatMap(({ rate, net: change }, i) => {
    net += change
    const next = pool.ticks[i + 1]
    return net === 0n && next !== undefined ? [{ low: rate, high: next.rate }] : []
  })
}

describe('LAW: a quote is pure', () => {
  test('it leaves a frozen input untouched and gives the same answer again', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 900, ([{ pool }, seed]) => {
      const order = frozen(orderFrom(pool, seed))
      const before = structuredClone(pool)
      frozen(pool)
      const answer = quote(pool, order)
      expect(quote(pool, order)).toEqual(answer)
      expect(pool).toEqual(before)
    })
  })

  test('T019 an order that is refused changes nothing and names its reason', () => {
    const codes = new Set<string>()
    holds(fc.tuple(reachedMarket(), orderSeed), 900, ([{ pool }, seed]) => {
      const answer = quote(frozen(pool), orderFrom(pool, seed))
      if (answer.kind === 'quoted') return
      expect(Object.keys(answer).sort()).toEqual(['code', 'context', 'kind'])
      codes.add(answer.code)
    })
    expect([...codes]).toEqual(expect.arrayContaining(['limit-reached', 'no-liquidity']))
    const pool = stretchOf({ tauSeconds: TWO_YEARS, discount: ONE_Q64 as Pool['discount'] }, tickRate(9000), 1n << 50n)
    for (const kind of ORDER_KINDS) {
      expect(quote(pool, byFace(kind, 0n))).toMatchObject({ kind: 'rejected', code: 'zero-amount' })
      expect(quote(pool, bySt(kind, 0n))).toMatchObject({ kind: 'rejected', code: 'zero-amount' })
      expect(quote({ ...pool, tauSeconds: 0 }, byFace(kind, 1n))).toMatchObject({ kind: 'rejected', code: 'matured' })
      expect(quote({ ...pool, ticks: [], liquidity: 0n }, byFace(kind, 1n))).toMatchObject({ code: 'no-liquidity' })
      // In a gap between the two ticks, neither of which may be crossed: beyond them lies liquidity, or nothing.
      const gap = { ...pool, liquidity: 0n, ticks: pool.ticks.map(tick => ({ ...tick, net: -tick.net })) }
      expect(quote(gap, byFace(kind, 1n, { maxCrossings: 0 }))).toMatchObject({ code: 'crossings-reached' })
    }
  })

  test('trading moves only the rate, the index, liquidity, crossed ticks, fee growth and the deficit', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 900, ([{ pool }, seed]) => {
      const answer = quoted(pool, orderFrom(pool, seed))
      if (answer === undefined) return
      const { next } = answer
      const still = { rate: 0n, tick: 0, liquidity: 0n, feeGrowth: 0n, deficit: 0n, ticks: [] }
      expect({ ...next, ...still }).toEqual({ ...pool, ...still })
      const outline = (of: Pool) => of.ticks.map(({ index, rate, net, gross }) => ({ index, rate, net, gross }))
      expect(outline(next)).toEqual(outline(pool))
      const [low, high] = pool.rate < next.rate ? [pool.rate, next.rate] : [next.rate, pool.rate]
      pool.ticks.forEach((tick, i) => {
        if (tick.rate < low || tick.rate > high) expect(next.ticks[i]).toEqual(tick)
      })
    })
  })
})

describe('LAW: the rate goes where it may', () => {
  test('T033 never past the limit, never off the grid, and only in the direction of the trade', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1800, ([{ pool }, seed]) => {
      const order = orderFrom(pool, seed)
      const answer = quoted(pool, order)
      if (answer === undefined) return
      const { rateBefore, rateAfter, next } = answer
      expect(rateBefore).toBe(pool.rate)
      expect(rateAfter).toBe(next.rate)
      expect(isUp(order.kind) ? rateAfter > rateBefore : rateAfter < rateBefore, 'a fill moves the rate').toBe(true)
      expect(rateAfter).toBeGreaterThanOrEqual(tickRate(pool.grid.minTick))
      expect(rateAfter).toBeLessThanOrEqual(tickRate(pool.grid.maxTick))
      if (order.limitRate !== undefined)
        expect(isUp(order.kind) ? rateAfter <= order.limitRate : rateAfter >= order.limitRate).toBe(true)
      const most = order.maxCrossings ?? 64
      expect(answer.ticksCrossed).toBeLessThanOrEqual(isUp(order.kind) ? most + 1 : most)
    })
  })

  test('a limit that is already reached fills nothing', () => {
    holds(
      fc.tuple(reachedMarket(), kinds, magnitudeUpTo(1n << 60n), magnitudeUpTo(1n << 62n)),
      900,
      ([{ pool }, kind, n, past]) => {
        const room = isUp(kind) ? pool.rate : MAX_RATE - pool.rate
        const distance = past - 1n < room ? past - 1n : room
        const limitRate = (isUp(kind) ? pool.rate - distance : pool.rate + distance) as RateQ64
        for (const order of [byFace(kind, n, { limitRate }), bySt(kind, n, { limitRate })])
          expect(quote(pool, order).kind).toBe('rejected')
      },
    )
  })

  test('T033 all the liquidity there is, bought and sold: the rate ends on an edge of it', () => {
    holds(fc.tuple(reachedMarket(), kinds), 900, ([{ pool }, kind]) => {
      const answer = quoted(pool, byFace(kind, 1n << 62n))
      if (answer === undefined) return
      expect(answer.complete).toBe(false)
      if (answer.stoppedBy !== 'liquidity') return
      expect(pool.ticks.some(({ rate }) => rate === answer.rateAfter)).toBe(true)
      expect(quote(answer.next, byFace(kind, 1n))).toMatchObject({ kind: 'rejected', code: 'no-liquidity' })
    })
  })

  test('a fill never enters a gap without filling beyond it', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1800, ([{ pool }, seed]) => {
      const answer = quoted(pool, orderFrom(pool, seed))
      if (answer === undefined) return
      for (const { low, high } of gaps(pool)) {
        expect(answer.rateAfter > low && answer.rateAfter < high, 'never inside a gap').toBe(false)
        // At the far edge of a gap it would have paid nothing to get there.
        if (answer.rateAfter === (isUp(seed.kind) ? high : low) && high > low)
          expect(answer.rateAfter === pool.rate, 'never jumped a gap for nothing').toBe(false)
      }
      // What the pool holds at rest: liquidity, or the edge that it was bought up to.
      if (answer.next.liquidity === 0n) {
        expect(isUp(seed.kind)).toBe(true)
        expect(pool.ticks.some(({ rate }) => rate === answer.rateAfter)).toBe(true)
      }
    })
  })

  test('the rate always rounds up: LPs part with at least what is bought and take in at most what is sold', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1800, ([{ pool, positions }, seed]) => {
      const answer = quoted(pool, orderFrom(pool, seed))
      if (answer === undefined) return
      const held = (at: Pool): bigint =>
        positions.reduce((sum, { lower, upper, liquidity }) => {
          return sum + composition(at, lower, upper, liquidity).inventory
        }, 0n)
      const moved = held(pool) - held(answer.next)
      const up = isUp(seed.kind)
      const filled = answer.filled << 64n
      if (up) expect(moved).toBeGreaterThanOrEqual(filled)
      else expect(-moved).toBeLessThanOrEqual(filled)
      // By less than one atom for each stretch, and an ulp per unit of liquidity.
      const atoms = BigInt(answer.ticksCrossed + 1) << 64n
      expect(up ? moved - filled : filled + moved).toBeLessThan(atoms + pool.grossLiquidity)
    })
  })

  test('the index is the greatest tick of the grid at or below the rate', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1200, ([{ pool }, seed]) => {
      const answer = quoted(pool, orderFrom(pool, seed))
      for (const { rate, tick, grid } of [pool, answer?.next ?? pool]) {
        expect(tickRate(tick)).toBeLessThanOrEqual(rate)
        expect(tickRate(tick + grid.spacing)).toBeGreaterThan(rate)
        expect(tick % grid.spacing === 0 && tick >= grid.minTick && tick <= grid.maxTick).toBe(true)
      }
    })
  })
})

describe('LAW: a partial fill is the smaller order', () => {
  test('same amount, fee and next state as an exact order for what was filled', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1800, ([{ pool }, seed]) => {
      const order = orderFrom(pool, { ...seed, by: 'face', size: 'any' })
      const answer = quoted(pool, order)
      if (answer === undefined) return
      const limits = limitsIn(order)
      const smaller = quoted(pool, byFace(order.kind, answer.filled, limits))!
      expect(smaller.complete).toBe(true)
      expect({ ...smaller, complete: answer.complete, stoppedBy: answer.stoppedBy }).toEqual(answer)
      // And never smaller than it could be: one atom more is not filled under these limits.
      if (!answer.complete)
        expect(quoted(pool, byFace(order.kind, answer.filled + 1n, limits))?.filled).toBe(answer.filled)
    })
  })

  test('complete says that all was filled, and of an exact amount that no more fits', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1200, ([{ pool }, seed]) => {
      const order = orderFrom(pool, seed)
      const answer = quoted(pool, order)
      if (answer === undefined) return
      expect(answer.complete).toBe(answer.stoppedBy === 'filled')
      const wanted = 'yt' in order ? order.yt : 'pt' in order ? order.pt : undefined
      if (wanted === undefined) return
      expect(answer.filled).toBeLessThanOrEqual(wanted)
      expect(answer.complete).toBe(answer.filled === wanted)
    })
  })

  test('a tighter limit or fewer crossings never fill more', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1200, ([{ pool }, seed]) => {
      const bounded: Order = orderFrom(pool, { ...seed, by: 'face' })
      const { limitRate: _, maxCrossings: __, ...free } = bounded
      const [tight, loose] = [quoted(pool, bounded), quoted(pool, free as Order)]
      if (tight === undefined || loose === undefined) return
      expect(tight.filled).toBeLessThanOrEqual(loose.filled)
      expect(tight.ticksCrossed).toBeLessThanOrEqual(loose.ticksCrossed)
    })
  })
})

describe('LAW: prices', () => {
  const priceCase = fc.tuple(rateOverGrid, fc.oneof(fc.constantFrom(0, 1, 86_400), tauPositive))

  test('T031 PT and YT add up to exactly 1 ST, each from 0 to 1', () => {
    holds(priceCase, 20_000, ([rate, tau]) => {
      const [yt, pt] = [ytPrice(rate, tau), ptPrice(rate, tau)]
      expect(yt + pt).toBe(ONE_Q64)
      expect(yt >= 0n && yt < ONE_Q64).toBe(true)
    })
  })

  test('T030 at tau 0, 1 s, 1 day, 2 years and rates 0 and highest: in bounds, 0 where nothing is left to earn', () => {
    const highest = tickRate(DEFAULT_GRID.maxTick)
    for (const tau of [0, 1, 86_400, TWO_YEARS]) {
      expect(ytPrice(0n as RateQ64, tau)).toBe(0n)
      const price = ytPrice(highest, tau)
      expect(price > 0n).toBe(tau > 0)
      expect(price < ONE_Q64).toBe(true)
    }
    expect(ytPrice(highest, 0)).toBe(0n)
  })

  test('T030 YT is dearer at a higher rate and with more time, but for the last ulps', () => {
    holds(fc.tuple(priceCase, rateOverGrid, tauPositive), 8000, ([[rate, tau], otherRate, otherTau]) => {
      const noise = 8n // ulps: docs/kernel.md section 3
      const [low, high] = rate < otherRate ? [rate, otherRate] : [otherRate, rate]
      expect(ytPrice(high, tau)).toBeGreaterThanOrEqual(ytPrice(low, tau) - noise)
      const [short, long] = tau < otherTau ? [tau, otherTau] : [otherTau, tau]
      expect(ytPrice(rate, long)).toBeGreaterThanOrEqual(ytPrice(rate, short) - noise)
    })
  })
})

test('T029 every order kind at 2^63 - 1, 2^63 and 2^64 - 1: a value or a named error, never a wrong width', () => {
  holds(fc.tuple(reachedMarket(), kinds), 600, ([{ pool }, kind]) => {
    for (const n of [(1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n])
      for (const order of [byFace(kind as OrderKind, n), bySt(kind as OrderKind, n)]) {
        const answer = quote(pool, order)
        if (answer.kind === 'quoted') expect(answer.filled < 1n << 61n && answer.amount < 1n << 61n).toBe(true)
      }
  })
})
