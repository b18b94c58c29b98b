import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { earnedSince, feeOn, type JlpAtoms, type Pool, type Position } from '../../amm/index.ts'
import { feeTermsAddUp, holds, magnitudeUpTo, orderFrom, orderSeed, quoted, reachedMarket } from './generators.ts'

const stLeg = fc.oneof(fc.constant(0n), magnitudeUpTo(1n << 60n))
const deficit = fc.oneof(fc.constant(0n), magnitudeUpTo(1n << 60n), fc.bigInt({ min: 0n, max: 4n }))

describe('LAW: the fee and its parts', () => {
  test('parts add up exactly to the total, none is negative, and the total is the least that covers the rate', () => {
    holds(fc.tuple(stLeg, feeTermsAddUp, deficit), 8000, ([leg, terms, owed]) => {
      const { total, repaid, lp, insurance, protocol } = feeOn(leg, terms, owed)
      expect(repaid + lp + insurance + protocol).toBe(total)
      expect(repaid >= 0n && lp >= 0n && insurance >= 0n && protocol >= 0n).toBe(true)
      expect(total).toBeGreaterThanOrEqual(1n)
      expect(total * 10_000n).toBeGreaterThanOrEqual(leg * BigInt(terms.feeBps))
      expect(total === 1n || (total - 1n) * 10_000n < leg * BigInt(terms.feeBps)).toBe(true)
    })
  })

  test('a deficit is repaid first: nobody has a share while it stands', () => {
    holds(fc.tuple(stLeg, feeTermsAddUp, deficit), 8000, ([leg, terms, owed]) => {
      const { total, repaid, lp, insurance, protocol } = feeOn(leg, terms, owed)
      expect(repaid).toBe(total < owed ? total : owed)
      if (repaid < owed) expect([lp, insurance, protocol]).toEqual([0n, 0n, 0n])
    })
  })

  test('shares: LPs have at least theirs, the treasury at most its own', () => {
    holds(fc.tuple(stLeg, feeTermsAddUp), 8000, ([leg, terms]) => {
      const { total, lp, insurance, protocol } = feeOn(leg, terms, 0n)
      const [lpShare, insuranceShare] = [BigInt(terms.lpShareBps), BigInt(terms.insuranceShareBps)]
      expect(lp * 10_000n).toBeGreaterThanOrEqual(total * lpShare)
      expect((lp - 1n) * 10_000n).toBeLessThan(total * lpShare)
      expect(protocol * 10_000n).toBeLessThanOrEqual((insurance + protocol) * (10_000n - insuranceShare))
      if (lpShare === 10_000n) expect(lp).toBe(total)
    })
  })

  test('a larger leg never pays less', () => {
    holds(fc.tuple(stLeg, stLeg, feeTermsAddUp), 4000, ([a, b, terms]) => {
      const [less, more] = a < b ? [a, b] : [b, a]
      expect(feeOn(more, terms, 0n).total).toBeGreaterThanOrEqual(feeOn(less, terms, 0n).total)
    })
  })

  test('in parts it is never less than on the whole', () => {
    holds(fc.tuple(stLeg, stLeg, feeTermsAddUp), 4000, ([a, b, terms]) => {
      expect(feeOn(a, terms, 0n).total + feeOn(b, terms, 0n).total).toBeGreaterThanOrEqual(
        feeOn(a + b, terms, 0n).total,
      )
    })
  })
})

const feesOf = (pool: Pool, positions: readonly Position[]): bigint[] =>
  positions.map(position => earnedSince(pool, position).fees)

describe('LAW: what fee growth hands out', () => {
  test('no more than the LP part, and no less but for an ulp per unit of liquidity and stretch', () => {
    holds(fc.tuple(reachedMarket(), orderSeed, deficit), 1800, ([market, seed, owed]) => {
      const pool: Pool = { ...market.pool, deficit: owed as JlpAtoms }
      const answer = quoted(pool, orderFrom(pool, seed))
      if (answer === undefined) return
      const [before, after] = [feesOf(pool, market.positions), feesOf(answer.next, market.positions)]
      const earned = after.map((fees, i) => fees - before[i]!)
      expect(earned.every(fees => fees >= 0n)).toBe(true)
      const sum = earned.reduce((total, fees) => total + fees, 0n)
      expect(sum).toBeLessThanOrEqual(answer.fee.lp << 64n)
      expect(sum).toBeGreaterThan((answer.fee.lp << 64n) - pool.grossLiquidity * BigInt(answer.ticksCrossed + 1))
      expect(answer.next.deficit).toBe(owed - answer.fee.repaid)
      expect(answer.fee).toEqual(feeOn(answer.stLeg, pool.fees, pool.deficit))
    })
  })

  test('inactive positions earn nothing: those that the rate did not pass through', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1800, ([{ pool, positions }, seed]) => {
      const answer = quoted(pool, orderFrom(pool, seed))
      if (answer === undefined) return
      const [before, after] = [feesOf(pool, positions), feesOf(answer.next, positions)]
      const [low, high] = pool.rate < answer.rateAfter ? [pool.rate, answer.rateAfter] : [answer.rateAfter, pool.rate]
      positions.forEach(({ lower, upper }, i) => {
        const rates = pool.ticks.filter(({ index }) => index === lower || index === upper).map(({ rate }) => rate)
        if (rates[1]! <= low || rates[0]! >= high) expect(after[i]).toBe(before[i])
      })
    })
  })

  test('positions over one range earn by their liquidity, within an ulp of it', () => {
    holds(fc.tuple(reachedMarket(), orderSeed), 1000, ([{ pool, positions }, seed]) => {
      const answer = quoted(pool, orderFrom(pool, seed))
      if (answer === undefined) return
      const [before, after] = [feesOf(pool, positions), feesOf(answer.next, positions)]
      positions.forEach((a, i) => {
        positions.forEach((b, j) => {
          if (i >= j || a.lower !== b.lower || a.upper !== b.upper) return
          expect((after[i]! - before[i]!) * b.liquidity).toBe((after[j]! - before[j]!) * a.liquidity)
        })
      })
    })
  })
})
