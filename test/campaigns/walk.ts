/** Campaign: trades across many ticks, gaps and limits against the exact walk of the model. */
import {
  addLiquidity,
  createPool,
  emptyPosition,
  type Liquidity,
  type Order,
  type Pool,
  quote,
  type RateQ64,
  tickRate,
} from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import { FEES, GRID } from '../helpers/market.ts'
import { modelCost, modelFee, modelTrade, type Range } from '../model/pool.ts'
import { ensure } from './ensure.ts'
import { checkInverse, randomMoment } from './single-stretch.ts'

/** A pool with a few positions among a dozen ticks, so that they share ticks and leave gaps, and the ranges of the model. */
export const randomPool = (random: Random, largest: bigint): { pool: Pool; ranges: Range[] } => {
  const rate = random.big(tickRate(GRID.minTick), tickRate(GRID.maxTick)) as RateQ64
  let pool = createPool({ grid: GRID, fees: FEES, rate, ...randomMoment(random) })
  const around = Math.min(Math.max(pool.tick, 300), 13_000)
  const ticks = Array.from({ length: 12 }, () => {
    const near = around + 10 * random.int(-25, 25)
    return random.int(0, 2) > 0 ? near : 10 * random.int(5, 1386)
  })
  const ranges: Range[] = []
  for (let i = random.int(1, 7); i > 0; i--) {
    const [one, two] = [random.pick(ticks), random.pick(ticks)]
    const [lower, upper] = [Math.min(one, two), Math.max(one, two)]
    if (lower === upper) continue
    const liquidity = random.magnitude(largest) as Liquidity
    const added = addLiquidity(pool, emptyPosition(pool, lower, upper), liquidity)
    if (added.kind !== 'added') continue
    pool = added.next
    ranges.push({ lower, upper, liquidity })
  }
  return { pool, ranges }
}

export interface WalkStats {
  trades: number
  crossing: number
  partial: number
  /** Refused beside the trades counted. */
  rejected: number
  /** Trades by amount around each of them, checked to be the best across all ticks. */
  inverses: number
}

/** Runs `trades` quoted trades. */
export const walks = (random: Random, trades: number): WalkStats => {
  let crossing = 0
  let partial = 0
  let rejected = 0
  let inverses = 0
  for (let done = 0; done < trades; ) {
    const { pool: start, ranges } = randomPool(random, 1n << 55n)
    let pool = start
    if (ranges.length === 0) continue
    const gross = Number(pool.grossLiquidity)
    for (let link = 0; link < 12 && done < trades; link++) {
      const kind = random.pick(['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'] as const)
      const direction = kind === 'buy-yt' || kind === 'sell-pt' ? 'up' : 'down'
      const limit = random.int(0, 2) === 0 ? { limitRate: limitBeyond(random, pool, direction) } : {}
      const amount = random.magnitude(pool.grossLiquidity)
      const byFace = random.int(0, 1) === 0
      const order = (
        byFace
          ? { kind, [kind.endsWith('yt') ? 'yt' : 'pt']: amount, ...limit, maxCrossings: 1000 }
          : { kind, st: amount, ...limit, maxCrossings: 1000 }
      ) as Order
      const answer = quote(pool, order)
      const filled = answer.kind === 'quoted' ? answer.filled : 0n
      const { rate, tick, tauSeconds: tau, discount } = pool
      const yt = byFace ? amount : filled
      const exact = modelTrade({ ranges, rate, tick, tau, discount, direction, yt, ...limit })
      if (answer.kind === 'rejected') {
        rejected++
        ensure(
          !byFace || exact.filled === 0n || (kind === 'sell-pt' && answer.code === 'amount-too-small'),
          'a trade is refused only if nothing would be filled',
          { order, answer, exact, pool },
        )
        continue
      }
      done++
      const { next } = answer
      ensure(
        exact.filled === filled && exact.rateAfter === next.rate && exact.tickAfter === next.tick,
        'the walk ends where the exact walk ends',
        { order, filled, rate: next.rate, tick: next.tick, exact, pool },
      )
      ensure(exact.crossed === answer.ticksCrossed, 'the same ticks are crossed', { order, answer, exact, pool })
      const cost = modelCost(kind, { yt: filled, discount, area: exact.area })
      const over = cost.jlp.minus(answer.amount.toString()).neg().toNumber()
      const error = (5.8 * 2 * gross) / 2 ** 64
      const pays = kind.startsWith('buy')
      ensure(
        over >= (pays ? -error : -1 - error) && over <= (pays ? 1 + error : error),
        'an amount is within an atom',
        { order, answer, exact, pool },
      )
      const fee = modelFee({ leg: answer.stLeg, stretches: exact.stretches }, FEES)
      ensure(
        fee.total === answer.fee.total &&
          fee.lp === answer.fee.lp &&
          fee.insurance === answer.fee.insurance &&
          fee.treasury === answer.fee.protocol,
        'the fee and its parts',
        { order, answer, fee },
      )
      inverses += checkInverse(pool, kind, answer.amount + random.big(0n, 3n))
      if (answer.ticksCrossed > 0) crossing++
      if (!answer.complete) partial++
      pool = next
    }
  }
  return { trades, crossing, partial, rejected, inverses }
}

const limitBeyond = (random: Random, pool: Pool, direction: 'up' | 'down'): RateQ64 => {
  const some = 10 * random.int(5, 1386)
  if (random.int(0, 2) === 0) return tickRate(some)
  const [low, high] = direction === 'up' ? [pool.rate, tickRate(13_860)] : [tickRate(50), pool.rate]
  return random.big(low, high) as RateQ64
}
