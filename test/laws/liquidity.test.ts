import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accrue,
  addLiquidity,
  collect,
  composition,
  depositFor,
  discountQ64,
  earnedSince,
  emptyPosition,
  type JlpAtoms,
  jlpAtoms,
  type Liquidity,
  liquidityForDeposit,
  MAX_LIQUIDITY,
  ONE_Q64,
  type Pool,
  type Position,
  type Removed,
  removeLiquidity,
  touch,
  ytPrice,
} from '../../amm/index.ts'
import {
  frozen,
  holds,
  laterMoment,
  liquidityFrom,
  type Market,
  magnitudeUpTo,
  momentSeed,
  NO_LP_FEE,
  orderFrom,
  orderSeed,
  type PositionSeed,
  positionSeed,
  quoted,
  rangeFrom,
  reachedMarket,
} from './generators.ts'

const noFee = fc.constant(NO_LP_FEE)
const all = { num: 1n, den: 1n }

const added = (pool: Pool, seed: PositionSeed, onto?: Position) => {
  const amount = liquidityFrom(pool, seed)
  if (amount === undefined) return undefined
  const { lower, upper } = rangeFrom(pool, seed)
  const answer = addLiquidity(pool, onto ?? emptyPosition(pool, lower, upper), amount as Liquidity)
  return answer.kind === 'added' ? answer : undefined
}

const removedAll = (pool: Pool, position: Position): Removed => {
  const answer = removeLiquidity(pool, position, all)
  if (answer.kind !== 'removed') throw new Error(`refused: ${answer.code}`)
  return answer
}

/**
 * What a position is owed in 2^-64 of an atom, if YT is worth nothing and PT 1 ST, and the other way round. Any price
 * between makes a claim between, so a payment that is within both is within it at every price.
 */
const claims = (pool: Pool, position: Position): { ifYtIsNothing: bigint; ifYtIsAll: bigint } => {
  const { inventory, reserve } = composition(pool, position.lower, position.upper, position.liquidity)
  const { accrued, fees } = earnedSince(pool, position)
  const st = reserve + accrued + fees // what is earned may wait below 0 by some ulps: then it pays nothing
  const jlp = (st > 0n ? st : 0n) + (position.uncollected << 64n)
  return {
    ifYtIsNothing: jlp + position.issued * pool.discount,
    ifYtIsAll: jlp + ((inventory * pool.discount) >> 64n) + 1n,
  }
}

const paid = (pool: Pool, { jlp, pt, yt }: Pick<Removed, 'jlp' | 'pt' | 'yt'>) => ({
  ifYtIsNothing: (jlp << 64n) + pt * pool.discount,
  ifYtIsAll: (jlp << 64n) + yt * pool.discount,
})

describe('LAW: adding and removing at once never profits', () => {
  test('no trade between: less JLP than before, at most one atom of PT, no YT', () => {
    holds(fc.tuple(reachedMarket(), positionSeed), 1200, ([{ pool }, seed]) => {
      const deposit = added(pool, seed)
      if (deposit === undefined) return
      const { jlp, pt, yt, next } = removedAll(deposit.next, deposit.position)
      expect(yt).toBe(0n)
      expect(pt).toBeLessThanOrEqual(1n)
      expect((jlp << 64n) + pt * pool.discount).toBeLessThanOrEqual(deposit.jlp << 64n)
      expect(next).toEqual(pool) // and nobody else can tell
    })
  })

  test('onto a position that has earned: the deposit comes back, and no more than it had', () => {
    holds(
      fc.tuple(reachedMarket(), momentSeed, fc.nat(), magnitudeUpTo(1n << 50n)),
      1200,
      ([market, to, which, more]) => {
        if (market.positions.length === 0) return
        const pool = accrue(market.pool, laterMoment(market.pool, to))
        const position = market.positions[which % market.positions.length]!
        const amount = more > MAX_LIQUIDITY - pool.grossLiquidity ? 0n : more
        const answer = amount === 0n ? undefined : addLiquidity(pool, position, amount as Liquidity)
        if (answer === undefined || answer.kind !== 'added') return
        const before = claims(pool, position)
        const out = paid(answer.next, removedAll(answer.next, answer.position))
        expect(out.ifYtIsNothing).toBeLessThanOrEqual(before.ifYtIsNothing + (answer.jlp << 64n))
        expect(out.ifYtIsAll).toBeLessThanOrEqual(before.ifYtIsAll + (answer.jlp << 64n))
      },
    )
  })

  test('trades by others between, at no fee: marked at the rate that they leave, no more than was paid', () => {
    holds(
      fc.tuple(reachedMarket({ fees: noFee }), positionSeed, fc.array(orderSeed, { maxLength: 4 })),
      1500,
      ([{ pool }, seed, orders]) => {
        const deposit = added(pool, seed)
        if (deposit === undefined) return
        const after = orders.reduce((at, order) => quoted(at, orderFrom(at, order))?.next ?? at, deposit.next)
        const { jlp, pt, yt } = removedAll(after, deposit.position)
        const price = ytPrice(after.rate, after.tauSeconds)
        const value = (jlp << 64n) + ((yt * price + pt * (ONE_Q64 - price)) * pool.discount) / ONE_Q64
        // The price is good to 8 ulp and V to 6: at 2^58 that is a quarter of an atom.
        expect(value).toBeLessThanOrEqual((deposit.jlp << 64n) + ONE_Q64 / 4n)
      },
    )
  })
})

describe('LAW: a deposit covers its claim, and a removal pays no more than it', () => {
  test('T021 every part of a deposit rounds up: it covers the claim at any price of YT', () => {
    holds(fc.tuple(reachedMarket(), positionSeed), 1200, ([{ pool }, seed]) => {
      const deposit = added(pool, seed)
      if (deposit === undefined) return
      const { inventory } = composition(
        pool,
        deposit.position.lower,
        deposit.position.upper,
        deposit.position.liquidity,
      )
      expect(deposit.issued << 64n).toBeGreaterThanOrEqual(inventory)
      expect((deposit.issued - 1n) << 64n).toBeLessThan(inventory)
      const { ifYtIsNothing, ifYtIsAll } = claims(deposit.next, deposit.position)
      expect(deposit.jlp << 64n).toBeGreaterThanOrEqual(ifYtIsNothing)
      expect(deposit.jlp << 64n).toBeGreaterThanOrEqual(ifYtIsAll - 1n)
      expect(deposit.jlp).toBeGreaterThanOrEqual(1_000_000n)
    })
  })

  test('in one piece or in parts, no more than the claim; in one piece, less than 4 atoms below it', () => {
    const share = fc.tuple(fc.bigInt({ min: 1n, max: 1n << 32n }), fc.bigInt({ min: 1n, max: 1n << 32n }))
    holds(fc.tuple(reachedMarket(), momentSeed, fc.array(share, { maxLength: 4 })), 1200, ([market, to, shares]) => {
      const pool = accrue(market.pool, laterMoment(market.pool, to))
      for (const position of market.positions) {
        const { ifYtIsNothing, ifYtIsAll } = claims(pool, position)
        const whole = paid(pool, removedAll(pool, position))
        expect(whole.ifYtIsNothing).toBeLessThanOrEqual(ifYtIsNothing)
        expect(whole.ifYtIsAll).toBeLessThanOrEqual(ifYtIsAll)
        expect(whole.ifYtIsNothing).toBeGreaterThan(ifYtIsNothing - 4n * ONE_Q64)

        let [at, left] = [pool, position]
        const sum = { jlp: 0n, pt: 0n, yt: 0n }
        for (const [a, b] of [...shares, [1n, 1n] as const]) {
          const answer = removeLiquidity(at, left, a < b ? { num: a, den: b } : { num: b, den: a })
          if (answer.kind !== 'removed') continue
          sum.jlp += answer.jlp
          sum.pt += answer.pt
          sum.yt += answer.yt
          at = answer.next
          left = answer.position
        }
        const parts = paid(pool, sum as Pick<Removed, 'jlp' | 'pt' | 'yt'>)
        expect(parts.ifYtIsNothing).toBeLessThanOrEqual(ifYtIsNothing)
        expect(parts.ifYtIsAll).toBeLessThanOrEqual(ifYtIsAll)
      }
    })
  })

  test('a share leaves the rest: what stays and what goes are the whole', () => {
    holds(fc.tuple(reachedMarket(), fc.bigInt({ min: 1n, max: 1n << 32n })), 1200, ([{ pool, positions }, num]) => {
      for (const position of positions) {
        const answer = removeLiquidity(pool, position, { num, den: 1n << 32n })
        if (answer.kind !== 'removed') continue
        const before = touch(pool, position)
        expect(answer.liquidity + answer.position.liquidity).toBe(before.liquidity)
        expect(answer.issued + answer.position.issued).toBe(before.issued)
        const { liquidity, issued, uncollected } = before
        expect(answer.liquidity).toBe((liquidity * num) >> 32n)
        expect(answer.issued, 'each part floors by itself').toBe((issued * num) >> 32n)
        expect(uncollected - answer.position.uncollected).toBe((uncollected * num) >> 32n)
        expect(answer.next.grossLiquidity).toBe(pool.grossLiquidity - answer.liquidity)
      }
    })
  })

  test('collect pays what touching credits, once', () => {
    holds(fc.tuple(reachedMarket(), momentSeed), 900, ([market, to]) => {
      const pool = accrue(market.pool, laterMoment(market.pool, to))
      for (const position of market.positions) {
        const answer = collect(frozen(pool), frozen(position))
        const { uncollected } = touch(pool, position)
        expect(answer.kind).toBe(uncollected > 0n ? 'collected' : 'rejected')
        if (answer.kind !== 'collected') continue
        expect(answer.jlp).toBe(uncollected)
        expect(collect(pool, answer.position)).toMatchObject({ kind: 'rejected', code: 'position-empty' })
      }
    })
  })

  test('depositFor and liquidityForDeposit are twins: what is found costs no more than is paid', () => {
    holds(fc.tuple(reachedMarket(), positionSeed, magnitudeUpTo(1n << 55n)), 1200, ([{ pool }, seed, jlp]) => {
      const { lower, upper } = rangeFrom(pool, seed)
      const found = liquidityForDeposit(pool, lower, upper, jlpAtoms(jlp))
      expect(found >= 0n && found <= MAX_LIQUIDITY).toBe(true)
      if (found > 0n) expect(depositFor(pool, lower, upper, found as Liquidity).jlp).toBeLessThanOrEqual(jlp)
      if (found < MAX_LIQUIDITY)
        expect(depositFor(pool, lower, upper, (found + 1n) as Liquidity).jlp).toBeGreaterThan(jlp)
    })
  })
})

/** Everybody's claims but the last position's. */
const othersOf = (market: Market, pool: Pool) => market.positions.map(position => claims(pool, position))

describe('LAW: liquidity for a moment (T040)', () => {
  test('T040 adding and removing around nothing leaves the claims of others as they were, to the bit', () => {
    holds(fc.tuple(reachedMarket(), positionSeed), 900, ([market, seed]) => {
      const deposit = added(market.pool, seed)
      if (deposit === undefined) return
      expect(othersOf(market, deposit.next)).toEqual(othersOf(market, market.pool))
      const out = removedAll(deposit.next, deposit.position)
      expect(othersOf(market, out.next)).toEqual(othersOf(market, market.pool))
    })
  })

  test('T040 around a trade: it gains no more than the fees of its share, and leaves others theirs', () => {
    holds(fc.tuple(reachedMarket(), positionSeed, orderSeed), 1500, ([market, seed, orderOf]) => {
      const deposit = added(market.pool, seed)
      if (deposit === undefined) return
      const answer = quoted(deposit.next, orderFrom(deposit.next, orderOf))
      if (answer === undefined) return
      const { fees } = earnedSince(answer.next, deposit.position)
      const { jlp, pt, yt } = removedAll(answer.next, deposit.position)
      const price = ytPrice(answer.rateAfter, answer.next.tauSeconds)
      const value = (jlp << 64n) + ((yt * price + pt * (ONE_Q64 - price)) * market.pool.discount) / ONE_Q64
      expect(value).toBeLessThanOrEqual((deposit.jlp << 64n) + fees + ONE_Q64 / 4n)
      // In one stretch its share is L's share of the liquidity, rounded down.
      if (answer.ticksCrossed === 0 && deposit.next.liquidity > 0n) {
        const inRange = deposit.next.liquidity > market.pool.liquidity
        const mine = inRange ? deposit.position.liquidity : 0n
        expect(fees * deposit.next.liquidity).toBeLessThanOrEqual((answer.fee.lp << 64n) * mine)
      }
      const others = market.positions.map(
        position => earnedSince(answer.next, position).fees - earnedSince(deposit.next, position).fees,
      )
      expect(others.reduce((sum, earned) => sum + earned, fees)).toBeLessThanOrEqual(answer.fee.lp << 64n)
    })
  })
})

describe('LAW: a refusal changes nothing and names its reason', () => {
  test('of an addition: matured, deficit, limit, too small', () => {
    holds(fc.tuple(reachedMarket(), positionSeed), 400, ([{ pool }, seed]) => {
      frozen(pool)
      const { lower, upper } = rangeFrom(pool, seed)
      const position = frozen(emptyPosition(pool, lower, upper))
      const add = (to: Pool, amount: bigint) => addLiquidity(to, position, amount as Liquidity)
      const gone = accrue(pool, { tauSeconds: 0, discount: pool.discount })
      expect(add(gone, 1n << 50n)).toMatchObject({ kind: 'rejected', code: 'matured' })
      expect(add({ ...pool, deficit: 1n as JlpAtoms }, 1n << 50n)).toMatchObject({ code: 'deficit-stands' })
      expect(add({ ...pool, grossLiquidity: MAX_LIQUIDITY }, 1n)).toMatchObject({ code: 'liquidity-limit' })
      expect(add(pool, 1n)).toMatchObject({
        code: pool.grossLiquidity === MAX_LIQUIDITY ? 'liquidity-limit' : 'deposit-too-small',
      })
    })
  })

  test('of a removal: shares of 0, above 1, too fine; of positions that hold nothing', () => {
    holds(fc.tuple(reachedMarket(), positionSeed), 400, ([{ pool }, seed]) => {
      const deposit = added(pool, seed)
      if (deposit === undefined) return
      const remove = (num: bigint, den: bigint) =>
        removeLiquidity(frozen(deposit.next), frozen(deposit.position), { num, den })
      for (const [num, den] of [
        [0n, 1n],
        [-1n, 1n],
        [2n, 1n],
        [1n, 0n],
        [1n, -1n],
        [1n, (1n << 32n) + 1n],
      ] as const)
        expect(remove(num, den)).toMatchObject({ kind: 'rejected', code: 'share-out-of-range' })
      expect(remove(1n << 32n, 1n << 32n).kind).toBe('removed')
      const { lower, upper } = rangeFrom(pool, seed)
      const empty = emptyPosition(pool, lower, upper)
      expect(removeLiquidity(pool, empty, all)).toMatchObject({ code: 'position-empty' })
      expect(collect(pool, empty)).toMatchObject({ code: 'position-empty' })
    })
  })

  test('after maturity removing stays open, and pays all of it', () => {
    holds(fc.tuple(reachedMarket(), momentSeed), 800, ([market, to]) => {
      const { discount } = laterMoment(market.pool, to)
      let pool = accrue(market.pool, { tauSeconds: 0, discount: discountQ64(discount) })
      for (const position of market.positions) {
        const { ifYtIsNothing } = claims(pool, position)
        const out = removedAll(pool, position)
        expect(paid(pool, out).ifYtIsNothing).toBeLessThanOrEqual(ifYtIsNothing)
        expect(paid(pool, out).ifYtIsNothing).toBeGreaterThan(ifYtIsNothing - 4n * ONE_Q64)
        pool = out.next
      }
    })
  })
})
