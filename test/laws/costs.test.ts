import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_LIQUIDITY, ONE_Q64, type Order, type Pool, type Quote, quote } from '../../amm/index.ts'
import {
  byFace,
  bySt,
  ceilJlp,
  floorJlp,
  holds,
  isBuy,
  isOfPt,
  isUp,
  limitsIn,
  magnitudeUpTo,
  ORDER_KINDS,
  type OrderKind,
  type OrderSeed,
  oneStretch,
  orderFrom,
  orderSeed,
  quoted,
  rateOverGrid,
  reachedMarket,
  stretchCapacity,
  stretchOf,
} from './generators.ts'

/** Within a stretch PT amounts are proven monotone in n up to this liquidity (docs/kernel.md section 5), YT amounts at any. */
const proven = (pool: Pool, kind: OrderKind): boolean => !isOfPt(kind) || pool.grossLiquidity << 10n <= pool.discount

/** The amount of exactly n, or undefined if the pool will not take all of n. */
const amountOf = (pool: Pool, kind: OrderKind, n: bigint): bigint | undefined => {
  if (n === 0n) return 0n
  const answer = quoted(pool, byFace(kind, n))
  return answer?.complete ? answer.amount : undefined
}

/** `n` in parts, one after the other; undefined if not all of it is filled. */
const inParts = (pool: Pool, orders: readonly Order[]): { filled: bigint; amount: bigint; next: Pool } | undefined => {
  let [filled, amount, next] = [0n, 0n, pool]
  for (const order of orders) {
    const answer = quote(next, order)
    if (answer.kind === 'rejected') {
      if (answer.code !== 'amount-too-small' && answer.code !== 'zero-amount') return undefined
      continue
    }
    if (!answer.complete) return undefined
    filled += answer.filled
    amount += answer.amount
    next = answer.next
  }
  return { filled, amount, next }
}

/** `total` cut at the given places into parts that add up to it. */
const cut = (total: bigint, cuts: readonly bigint[]): bigint[] => {
  const places = [0n, ...cuts.map(place => (place * total) >> 32n), total].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return places.slice(1).map((place, i) => place - places[i]!)
}
const cuts = fc.array(
  fc.oneof(
    fc.bigInt({ min: 0n, max: 1n << 32n }),
    magnitudeUpTo(1n << 20n),
    magnitudeUpTo(1n << 20n).map(part => (1n << 32n) - part),
  ),
  { minLength: 1, maxLength: 6 },
)
const kinds = fc.constantFrom(...ORDER_KINDS)

describe('LAW: a trade in parts never beats the whole', () => {
  test('T022 by face: n parts cost at least as much and bring at most as much', () => {
    holds(fc.tuple(reachedMarket(), orderSeed, cuts), 1500, ([{ pool }, seed, places]) => {
      const order = orderFrom(pool, { ...seed, by: 'face', limit: 'none', crossings: undefined })
      const whole = quoted(pool, order)
      if (whole === undefined) return
      const parts = inParts(
        pool,
        cut(whole.filled, places).map(n => byFace(order.kind, n)),
      )
      if (parts === undefined || parts.filled !== whole.filled) return
      if (isBuy(order.kind)) expect(parts.amount).toBeGreaterThanOrEqual(whole.amount)
      else expect(parts.amount).toBeLessThanOrEqual(whole.amount)
      // The rate rounds up in every part: more parts leave it no lower.
      expect(parts.next.rate).toBeGreaterThanOrEqual(whole.next.rate)
    })
  })

  test('T022 by exact ST: n parts get at most as many and give at least as many', () => {
    holds(fc.tuple(reachedMarket(), orderSeed, cuts), 1500, ([{ pool }, seed, places]) => {
      const order = orderFrom(pool, { ...seed, by: 'st', limit: 'none', crossings: undefined })
      const whole = quoted(pool, order)
      if (whole === undefined || !whole.complete || !('st' in order) || !proven(pool, order.kind)) return
      const parts = inParts(
        pool,
        cut(order.st, places).map(m => bySt(order.kind, m)),
      )
      if (parts === undefined) return
      if (isBuy(order.kind)) expect(parts.filled).toBeLessThanOrEqual(whole.filled)
      else expect(parts.filled).toBeGreaterThanOrEqual(whole.filled)
    })
  })

  test('T022 10,000 parts of a few atoms each', () => {
    holds(fc.tuple(oneStretch({ most: 1n << 50n }), kinds, fc.bigInt({ min: 1n, max: 7n })), 2, ([pool, kind, n]) => {
      const whole = amountOf(pool, kind, n * 10_000n)
      const parts = inParts(
        pool,
        Array.from({ length: 10_000 }, () => byFace(kind, n)),
      )
      if (whole === undefined || parts === undefined || parts.filled !== n * 10_000n) return
      if (isBuy(kind)) expect(parts.amount).toBeGreaterThanOrEqual(whole)
      else expect(parts.amount).toBeLessThanOrEqual(whole)
    })
  })
})

describe('LAW: cost is monotone', () => {
  test('in n: more never costs less, and never brings less', () => {
    holds(fc.tuple(reachedMarket(), orderSeed, magnitudeUpTo(1n << 40n)), 1500, ([{ pool }, seed, more]) => {
      const order = orderFrom(pool, { ...seed, by: 'face', limit: 'none', crossings: undefined })
      const less = quoted(pool, order)
      if (less === undefined || !less.complete || !proven(pool, order.kind)) return
      for (const step of [1n, more]) {
        const greater = quoted(pool, byFace(order.kind, less.filled + step))
        if (greater === undefined) continue
        // The last atom of a rise also pays for what is left of its stretch: proceeds of PT may dip there, by an atom.
        const dips = order.kind === 'sell-pt' ? BigInt(greater.ticksCrossed) : 0n
        expect(greater.amount).toBeGreaterThanOrEqual(less.amount - dips)
      }
    })
  })

  test('in n, ulp by ulp, at any liquidity: buy and sell YT', () => {
    holds(
      fc.tuple(oneStretch(), fc.constantFrom('buy-yt', 'sell-yt'), magnitudeUpTo(1n << 50n)),
      2000,
      ([pool, kind, n]) => {
        const amounts = [n, n + 1n, n + 2n].map(count => amountOf(pool, kind, count))
        for (const [a, b] of [amounts.slice(0, 2), amounts.slice(1)])
          if (a !== undefined && b !== undefined) expect(b).toBeGreaterThanOrEqual(a)
      },
    )
  })

  test('in n within a stretch: PT brings more by the atom, or not less', () => {
    holds(
      fc.tuple(oneStretch({ most: 1n << 54n }), fc.constantFrom('buy-pt', 'sell-pt'), magnitudeUpTo(1n << 50n)),
      2000,
      ([pool, kind, n]) => {
        if (n + 1n >= stretchCapacity(pool, kind) || !proven(pool, kind)) return
        const [less, greater] = [amountOf(pool, kind, n), amountOf(pool, kind, n + 1n)]
        if (less !== undefined && greater !== undefined) expect(greater).toBeGreaterThanOrEqual(less)
      },
    )
  })

  test('in the rate: at a higher rate YT costs more and PT less, but for an atom of noise', () => {
    holds(fc.tuple(oneStretch(), rateOverGrid, kinds, magnitudeUpTo(1n << 45n)), 2000, ([pool, otherRate, kind, n]) => {
      const other = stretchOf(pool, otherRate, pool.grossLiquidity)
      const [low, high] = pool.rate < other.rate ? [pool, other] : [other, pool]
      const [atLow, atHigh] = [amountOf(low, kind, n), amountOf(high, kind, n)]
      if (atLow === undefined || atHigh === undefined) return
      if (isOfPt(kind)) expect(atHigh).toBeLessThanOrEqual(atLow + 1n)
      else expect(atHigh).toBeGreaterThanOrEqual(atLow - 1n)
    })
  })

  test('in the average price: a larger trade is no better per unit', () => {
    holds(
      fc.tuple(oneStretch(), kinds, magnitudeUpTo(1n << 50n), fc.integer({ min: 2, max: 64 })),
      1500,
      ([pool, kind, n, times]) => {
        const [one, many] = [amountOf(pool, kind, n), amountOf(pool, kind, n * BigInt(times))]
        if (one === undefined || many === undefined) return
        // n cost at most one(n) each time: what is left is the rounding of `times` amounts to atoms.
        if (isBuy(kind)) expect(many).toBeGreaterThanOrEqual((one - 1n) * BigInt(times) - 1n)
        else expect(many).toBeLessThanOrEqual((one + 1n) * BigInt(times) + 1n)
      },
    )
  })
})

const isTheMost = (pool: Pool, kind: OrderKind, answer: Quote, st: bigint): void => {
  expect(answer.amount).toBeLessThanOrEqual(st)
  if (!answer.complete) return
  const next = amountOf(pool, kind, answer.filled + 1n)
  if (next !== undefined) expect(next).toBeGreaterThan(st)
}

const isTheFewest = (pool: Pool, kind: OrderKind, answer: Quote, st: bigint): void => {
  if (!answer.complete) return
  expect(answer.amount).toBeGreaterThanOrEqual(st)
  for (const fewer of proven(pool, kind) ? [1n, 2n, 3n] : [1n]) {
    const before = answer.filled > fewer ? amountOf(pool, kind, answer.filled - fewer) : undefined
    if (before !== undefined) expect(before).toBeLessThan(st)
  }
}

describe('LAW: exact-in and exact-out are mirror twins', () => {
  test('by exact ST: the most n that it pays for, the fewest that bring it', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 2200, ([{ pool }, seed]) => {
      const order = orderFrom(pool, { ...seed, by: 'st', limit: 'none', crossings: undefined })
      if (!('st' in order)) return
      const answer = quote(pool, order)
      if (answer.kind === 'quoted') (isBuy(order.kind) ? isTheMost : isTheFewest)(pool, order.kind, answer, order.st)
      else if (answer.code === 'amount-too-small' && isBuy(order.kind)) {
        const one = amountOf(pool, order.kind, 1n)
        if (one !== undefined) expect(one).toBeGreaterThan(order.st)
      }
    })
  })

  test('what n costs buys n, for at most as much; what n brings takes n at most', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 2200, ([{ pool }, seed]) => {
      const order = orderFrom(pool, { ...seed, by: 'face', limit: 'none', crossings: undefined })
      const direct = quoted(pool, order)
      if (direct === undefined || !direct.complete || direct.amount === 0n || !proven(pool, order.kind)) return
      const inverse = quoted(pool, bySt(order.kind, direct.amount))!
      expect(inverse, 'an amount that is known to do').toBeDefined()
      if (isBuy(order.kind)) {
        expect(inverse.filled).toBeGreaterThanOrEqual(direct.filled)
        expect(inverse.amount).toBeLessThanOrEqual(direct.amount)
      } else {
        expect(inverse.filled).toBeLessThanOrEqual(direct.filled)
        expect(inverse.amount).toBeGreaterThanOrEqual(direct.amount)
        expect(inverse.complete).toBe(true)
      }
    })
  })

  test('an order by exact ST is the order by the n that it fills: same amount, same fee, same next state', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1500, ([{ pool }, seed]) => {
      const order = orderFrom(pool, { ...seed, by: 'st' })
      const answer = quoted(pool, order)
      if (answer === undefined) return
      const limits = limitsIn(order)
      const twin = quoted(pool, byFace(order.kind, answer.filled, limits))!
      expect({ ...twin, complete: answer.complete, stoppedBy: answer.stoppedBy }).toEqual(answer)
      if (answer.complete || !('st' in order)) return
      // What stopped it was the limit or the liquidity: one atom more is not to be had, or not for this amount.
      const more = quoted(pool, byFace(order.kind, answer.filled + 1n, limits))!
      if (isBuy(order.kind) && more.filled > answer.filled) expect(more.amount).toBeGreaterThan(order.st)
      else expect(more.filled).toBe(answer.filled)
    })
  })

  test('at the end of every stretch: amounts around what it takes to fill it', () => {
    holds(
      fc.tuple(reachedMarket(), kinds, fc.bigInt({ min: -2n, max: 2n }), fc.bigInt({ min: -2n, max: 2n })),
      1500,
      ([{ pool }, kind, around, off]) => {
        const n = stretchCapacity(pool, kind) + around
        const amount = n > 0n ? amountOf(pool, kind, n) : undefined
        if (amount === undefined || amount + off <= 0n) return
        const answer = quoted(pool, bySt(kind, amount + off))
        if (answer !== undefined) (isBuy(kind) ? isTheMost : isTheFewest)(pool, kind, answer, amount + off)
      },
    )
  })
})

describe('LAW: 1 ST = 1 PT + 1 YT through the pool', () => {
  test('T032 buying n PT and n YT costs at least n ST, in either order', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1500, ([{ pool }, seed]) => {
      const n = faceIn(pool, seed)
      for (const [first, second] of [
        ['buy-pt', 'buy-yt'],
        ['buy-yt', 'buy-pt'],
      ] as const) {
        const parts = inParts(pool, [byFace(first, n), byFace(second, n)])
        if (parts === undefined || parts.filled !== 2n * n) continue
        expect(parts.amount << 64n).toBeGreaterThanOrEqual(n * pool.discount)
        expect(parts.amount).toBeGreaterThanOrEqual(ceilJlp(n, pool.discount))
      }
    })
  })

  test('T032 selling n PT and n YT brings at most n ST, in either order', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1500, ([{ pool }, seed]) => {
      const n = faceIn(pool, seed)
      for (const [first, second] of [
        ['sell-pt', 'sell-yt'],
        ['sell-yt', 'sell-pt'],
      ] as const) {
        const parts = inParts(pool, [byFace(first, n), byFace(second, n)])
        if (parts === undefined || parts.filled !== 2n * n) continue
        expect(parts.amount << 64n).toBeLessThanOrEqual(n * pool.discount)
        expect(parts.amount).toBeLessThanOrEqual(floorJlp(n, pool.discount))
      }
    })
  })

  test('T032 two quotes of one state: buying both costs at least a merge, selling both brings at most a split', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1500, ([{ pool }, seed]) => {
      const n = faceIn(pool, seed)
      const [buyYt, buyPt, sellYt, sellPt] = ['buy-yt', 'buy-pt', 'sell-yt', 'sell-pt'].map(kind =>
        amountOf(pool, kind as OrderKind, n),
      )
      if (buyYt !== undefined && buyPt !== undefined)
        expect(buyYt + buyPt).toBeGreaterThanOrEqual(floorJlp(n, pool.discount))
      if (sellYt !== undefined && sellPt !== undefined)
        expect(sellYt + sellPt).toBeLessThanOrEqual(ceilJlp(n, pool.discount))
    })
  })

  test('T032 what one way takes, the other way never gives back: buy-yt over sell-yt, buy-pt over sell-pt', () => {
    holds(fc.tuple(reachedMarket(), kinds, orderSeed), 1500, ([{ pool }, kind, seed]) => {
      const n = faceIn(pool, seed)
      const ofPt = isOfPt(kind)
      const bought = quoted(pool, byFace(ofPt ? 'buy-pt' : 'buy-yt', n))
      if (bought === undefined || !bought.complete) return
      const sold = amountOf(bought.next, ofPt ? 'sell-pt' : 'sell-yt', n)
      if (sold !== undefined) expect(sold).toBeLessThanOrEqual(bought.amount)
    })
  })
})

const faceIn = (pool: Pool, seed: OrderSeed): bigint => {
  const order = orderFrom(pool, { ...seed, by: 'face' })
  return 'yt' in order ? order.yt : 'pt' in order ? order.pt : 1n
}

describe('LAW: the amount is what the fill is worth', () => {
  test('a purchase costs at least 1 atom; nothing costs more than its face in ST, rounded up', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1500, ([{ pool }, seed]) => {
      const answer = quoted(pool, orderFrom(pool, seed))
      if (answer === undefined) return
      expect(answer.filled).toBeGreaterThan(0n)
      if (isBuy(seed.kind)) expect(answer.amount).toBeGreaterThanOrEqual(1n)
      expect(answer.amount).toBeGreaterThanOrEqual(0n)
      // A fill moves the rate by at most one atom per stretch beyond n: at a price below 1 ST each.
      const stretches = BigInt(answer.ticksCrossed + 1)
      expect(answer.amount).toBeLessThanOrEqual(ceilJlp(answer.filled + stretches, pool.discount))
      expect(answer.stLeg).toBeLessThanOrEqual(ceilJlp(answer.filled + stretches, pool.discount))
      if (!isOfPt(seed.kind)) expect(answer.stLeg).toBe(answer.amount)
    })
  })

  test('the average price lies between spot before and spot after, but for the atom', () => {
    holds(fc.tuple(oneStretch({ most: MAX_LIQUIDITY }), kinds, magnitudeUpTo(1n << 50n)), 1500, ([pool, kind, n]) => {
      const answer = quoted(pool, byFace(kind, n))
      if (answer === undefined) return
      const perAtom = (2n * ONE_Q64 * ONE_Q64) / (answer.filled * pool.discount) + 16n
      const after = quoted(answer.next, byFace(kind, 1n))?.spotBefore
      if (after === undefined) return
      const [low, high] = answer.spotBefore < after ? [answer.spotBefore, after] : [after, answer.spotBefore]
      expect(answer.averagePrice).toBeGreaterThanOrEqual(low - perAtom)
      expect(answer.averagePrice).toBeLessThanOrEqual(high + perAtom)
      expect(isUp(kind) ? answer.rateAfter >= answer.rateBefore : answer.rateAfter <= answer.rateBefore).toBe(true)
    })
  })
})
