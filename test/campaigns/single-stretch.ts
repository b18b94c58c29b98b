/**
 * Campaign: trades in one stretch against the 60-digit model, over the whole domain: tau from 1 hour to 2 years, s over
 * its whole range, L and amounts from 1 to their bounds. A chain of trades from state to state, each asked for in YT and in
 * PT, and each followed by the inverse trades for amounts around it.
 */
import {
  accrue,
  createPool,
  type DiscountQ64,
  type JlpAtoms,
  MAX_LIQUIDITY,
  ONE_Q64,
  type Order,
  type Pool,
  type Quote,
  quote,
  type RateQ64,
  type Tick,
  tickRate,
} from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import { FEES, GRID, TWO_YEARS } from '../helpers/market.ts'
import { fromQ64, X, ytAreaJlp } from '../model/exact.ts'
import { ensure } from './ensure.ts'

/** Bound on the table error of an amount within one stretch, in atoms: 5.8 ulp of V (docs/kernel.md section 3). */
export const tableError = (liquidity: bigint): number => (5.8 * Number(liquidity)) / 2 ** 64

export const randomMoment = (random: Random): { tauSeconds: number; discount: DiscountQ64 } => ({
  tauSeconds: Math.max(3600, Number(random.magnitude(BigInt(TWO_YEARS)))),
  discount: (random.int(0, 3) === 0 ? ONE_Q64 : random.big(ONE_Q64 / 20n, ONE_Q64)) as DiscountQ64,
})

/** A pool whose whole range is one stretch of the given liquidity, however small. */
const oneStretch = (random: Random, liquidity: bigint): Pool => {
  const rate = random.big(tickRate(GRID.minTick), tickRate(GRID.maxTick)) as RateQ64
  const empty = createPool({ grid: GRID, fees: FEES, rate, ...randomMoment(random) })
  const tick = (index: number, net: bigint): Tick => ({
    index,
    rate: tickRate(index),
    net,
    gross: liquidity,
    fall: 0n,
    feeGrowthOutside: 0n,
  })
  const ticks = [tick(GRID.minTick, liquidity), tick(GRID.maxTick, -liquidity)]
  return { ...empty, liquidity, grossLiquidity: liquidity, ticks }
}

const mustQuote = (pool: Pool, order: Order): Quote => {
  const answer = quote(pool, order)
  ensure(answer.kind === 'quoted', 'a trade within the capacity is quoted', { answer })
  return answer as Quote
}

const amountOf = (pool: Pool, order: Order): bigint | undefined => {
  const answer = quote(pool, order)
  return answer.kind === 'quoted' && answer.complete ? answer.amount : undefined
}

/** Runs `trades` trades; returns the number of amounts compared with the model and of inverse trades checked. */
export const singleStretch = (random: Random, trades: number): { compared: number; inverses: number } => {
  let compared = 0
  let inverses = 0
  while (compared < trades) {
    let pool = oneStretch(random, random.magnitude(MAX_LIQUIDITY))
    for (let link = 0; link < 40; link++) {
      const up = random.int(0, 1) === 0
      const edge = tickRate(up ? GRID.maxTick : GRID.minTick)
      const capacity = (pool.liquidity * (up ? edge - pool.rate : pool.rate - edge)) >> 64n
      if (capacity < 2n) break
      const n = random.magnitude(capacity - 1n)
      const [ytKind, ptKind] = up ? (['buy-yt', 'sell-pt'] as const) : (['sell-yt', 'buy-pt'] as const)
      const yt = mustQuote(pool, { kind: ytKind, yt: n } as Order)
      const moved = up ? (n * ONE_Q64 + pool.liquidity - 1n) / pool.liquidity : -((n * ONE_Q64) / pool.liquidity)
      ensure(yt.filled === n && yt.rateAfter === pool.rate + moved, 'the rate moves by n/L, rounded up', { n, pool })

      const valueAt = (rate: bigint) => ytAreaJlp(rate, pool.tauSeconds, pool.discount)
      const area = valueAt(yt.rateAfter).minus(valueAt(pool.rate)).abs().times(new X(pool.liquidity.toString()))
      const face = fromQ64(pool.discount).times(new X(n.toString()))
      const error = tableError(pool.liquidity)
      for (const [kind, exact] of [
        [ytKind, area],
        [ptKind, face.minus(area)],
      ] as const) {
        const pays = kind === 'buy-yt' || kind === 'buy-pt'
        const amount = kind === ytKind ? yt.amount : amountOf(pool, { kind: ptKind, pt: n } as Order)
        if (amount === undefined) continue // a PT sale that is worth less than nothing is refused
        const over = new X(amount.toString()).minus(exact).toNumber() // what the trader pays or gets too much
        const least = pays ? -error : -1 - error
        const most = pays ? 1 + error : error
        ensure(over >= least && over <= most, 'an amount is within an atom, never in the trader’s favour', {
          kind,
          n,
          amount,
          exact: exact.toFixed(12),
          error,
          pool,
        })
        compared++
        inverses += checkInverse(pool, kind, amount + random.big(0n, 3n))
      }
      pool = yt.next
      if (random.int(0, 9) === 0) {
        const tauSeconds = Math.max(3600, pool.tauSeconds - random.int(0, 604_800))
        pool = accrue(pool, { tauSeconds, discount: ((pool.discount * 9_999n) / 10_000n) as DiscountQ64 })
      }
    }
  }
  return { compared, inverses }
}

/** `cost(n) <= m < cost(n+1)` for a purchase by amount, `proceeds(n) >= m > proceeds(n-1)` for a sale. */
export const checkInverse = (pool: Pool, kind: Order['kind'], m: bigint): number => {
  if (m === 0n) return 0
  const answer = quote(pool, { kind, st: m as JlpAtoms })
  if (answer.kind === 'rejected' || !answer.complete) return 0
  const face = (n: bigint): Order => (kind.endsWith('yt') ? { kind, yt: n } : { kind, pt: n }) as Order
  const n = answer.filled
  const direct = mustQuote(pool, face(n))
  ensure(
    direct.amount === answer.amount && direct.rateAfter === answer.rateAfter && direct.next.tick === answer.next.tick,
    'a trade by amount is settled as the trade of its n',
    { kind, m, n, direct: direct.amount, answer: answer.amount },
  )
  if (kind.startsWith('buy')) {
    const more = amountOf(pool, face(n + 1n))
    ensure(answer.amount <= m && (more === undefined || more > m), 'n is the largest that the amount pays for', {
      kind,
      m,
      n,
      more,
      pool,
    })
  } else {
    const less = n > 1n ? amountOf(pool, face(n - 1n)) : 0n
    ensure(answer.amount >= m && (less === undefined || less < m), 'n is the least that brings the amount', {
      kind,
      m,
      n,
      less,
      pool,
    })
  }
  return 1
}
