/**
 * The same pool and the same quotes in plain float64, written straight: what speed and what figures one would get without
 * caring for the last unit. The benchmark's yardstick; nothing else may use it.
 */
import type { Pool } from '../../amm/index.ts'

const YEAR = 31_536_000

export interface FloatTick {
  readonly index: number
  readonly rate: number
  readonly net: number
  readonly gross: number
  readonly fall: number
  readonly feeGrowthOutside: number
}

export interface FloatPool {
  readonly spacing: number
  readonly feeRate: number
  readonly lpShare: number
  readonly insuranceShare: number
  /** Years. */
  readonly tau: number
  readonly discount: number
  readonly rate: number
  readonly tick: number
  readonly liquidity: number
  readonly ticks: readonly FloatTick[]
  readonly grossLiquidity: number
  readonly fall: number
  readonly feeGrowth: number
  readonly deficit: number
}

export interface FloatOrder {
  readonly kind: 'buy-yt' | 'sell-yt' | 'buy-pt' | 'sell-pt'
  readonly by: 'count' | 'st'
  /** Atoms of YT or PT, or of JLP by `st`. */
  readonly amount: number
  readonly limitRate?: number
  readonly maxCrossings?: number
}

export interface FloatQuote {
  readonly kind: 'quoted'
  readonly complete: boolean
  readonly stoppedBy: 'filled' | 'limit' | 'liquidity' | 'crossings'
  readonly filled: number
  readonly amount: number
  readonly stLeg: number
  readonly fee: {
    readonly total: number
    readonly repaid: number
    readonly lp: number
    readonly insurance: number
    readonly protocol: number
  }
  readonly averagePrice: number
  readonly spotBefore: number
  readonly impactBp: number
  readonly rateBefore: number
  readonly rateAfter: number
  readonly apyBefore: number
  readonly apyAfter: number
  readonly ticksCrossed: number
  readonly next: FloatPool
}

export const fromQ64 = (value: bigint): number => Number(value) / 2 ** 64

/** The pool in floats. */
export const floatPool = (pool: Pool): FloatPool => ({
  spacing: pool.grid.spacing,
  feeRate: pool.fees.feeBps / 10_000,
  lpShare: pool.fees.lpShareBps / 10_000,
  insuranceShare: pool.fees.insuranceShareBps / 10_000,
  tau: pool.tauSeconds / YEAR,
  discount: fromQ64(pool.discount),
  rate: fromQ64(pool.rate),
  tick: pool.tick,
  liquidity: Number(pool.liquidity),
  ticks: pool.ticks.map(tick => ({
    index: tick.index,
    rate: fromQ64(tick.rate),
    net: Number(tick.net),
    gross: Number(tick.gross),
    fall: fromQ64(tick.fall),
    feeGrowthOutside: fromQ64(tick.feeGrowthOutside),
  })),
  grossLiquidity: Number(pool.grossLiquidity),
  fall: fromQ64(pool.fall),
  feeGrowth: fromQ64(pool.feeGrowth),
  deficit: Number(pool.deficit),
})

const ytPrice = (rate: number, tau: number): number => -Math.expm1(-rate * tau)
/** V(s): JLP cost of the YT from rate 0 to s per unit of liquidity. */
const ytValue = (rate: number, tau: number, discount: number): number =>
  discount * (rate + Math.expm1(-rate * tau) / tau)

/** The rate at which V differs by `change` from its value at `rate`: Newton from the second-order step. */
const rateWhereYt = (rate: number, change: number, tau: number, discount: number): number => {
  const price = ytPrice(rate, tau)
  const first = change / (discount * price)
  const bend = tau * (1 - price)
  let to = rate + change / (discount * (price + (bend * first) / 2))
  const target = ytValue(rate, tau, discount) + change
  for (let step = 0; step < 16; step++) {
    const decay = Math.expm1(-to * tau)
    const move = (target - discount * (to + decay / tau)) / (-decay * discount)
    to += move
    if (Math.abs(move) < 1e-9 * to) break // the next error is about its square
  }
  return to
}

/** The rate at which W, the integral of PT, differs by `change` from its value at `rate`: in closed form. */
const rateWherePt = (rate: number, change: number, tau: number, discount: number): number =>
  -Math.log(Math.exp(-rate * tau) - (change * tau) / discount) / tau

const firstTickAbove = (ticks: readonly FloatTick[], index: number): number => {
  let low = 0
  let high = ticks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ticks[middle]!.index > index) high = middle
    else low = middle + 1
  }
  return low
}

interface Step {
  /** The stretch's liquidity and area, and the tick crossed after it, -1 if none. */
  readonly liquidity: number
  readonly area: number
  crossed: number
  valueAtTick: number
}

export const floatQuote = (pool: FloatPool, order: FloatOrder): FloatQuote | undefined => {
  const { tau, discount, ticks, rate: rateBefore } = pool
  if (order.amount <= 0 || tau === 0) return undefined
  const ofPt = order.kind === 'buy-pt' || order.kind === 'sell-pt'
  const pays = order.kind === 'buy-yt' || order.kind === 'buy-pt'
  const up = pays !== ofPt
  const limitRate = order.limitRate ?? (up ? 4 : 0)
  const maxCrossings = order.maxCrossings ?? 64
  const sign = up ? 1 : -1

  let rate = rateBefore
  let tick = pool.tick
  let liquidity = pool.liquidity
  let value = ytValue(rate, tau, discount)
  let yt = 0
  let area = 0
  let ticksCrossed = 0
  let stoppedBy: FloatQuote['stoppedBy'] = 'filled'
  const steps: Step[] = []
  for (let at = firstTickAbove(ticks, tick) - (up ? 0 : 1); ; at += sign) {
    const next = ticks[at]
    if (next === undefined) {
      stoppedBy = 'liquidity'
      break
    }
    const limited = up ? limitRate < next.rate : limitRate > next.rate
    const end = limited ? limitRate : next.rate
    const capacity = Math.floor(liquidity * sign * (end - rate))
    let wanted = order.amount - yt
    if (order.by === 'st' && liquidity > 0) {
      const left = order.amount - (ofPt ? yt * discount - area : area)
      const change = (sign * left) / liquidity
      const room = ofPt
        ? discount * (end - rate) - (ytValue(end, tau, discount) - value)
        : ytValue(end, tau, discount) - value
      if (Math.abs(change) >= Math.abs(room)) wanted = capacity
      else {
        const to = ofPt ? rateWherePt(rate, change, tau, discount) : rateWhereYt(rate, change, tau, discount)
        const count = liquidity * sign * (to - rate)
        wanted = pays ? Math.floor(count) : Math.ceil(count)
      }
    }
    const whole = wanted >= capacity && !limited
    const filled = Math.min(wanted, capacity)
    rate = whole ? next.rate : liquidity > 0 ? rate + (sign * filled) / liquidity : rate
    const endValue = ytValue(rate, tau, discount)
    const stepArea = liquidity * sign * (endValue - value)
    value = endValue
    yt += filled
    area += stepArea
    const step: Step = { liquidity, area: stepArea, crossed: -1, valueAtTick: value }
    steps.push(step)
    if (!whole) {
      tick = Math.floor((rate * 10_000) / pool.spacing) * pool.spacing
      stoppedBy = wanted > capacity ? 'limit' : 'filled'
      break
    }
    if (ticksCrossed === maxCrossings) {
      tick = next.index
      stoppedBy = 'crossings'
      break
    }
    step.crossed = at
    ticksCrossed++
    tick = up ? next.index : next.index - pool.spacing
    liquidity += sign * next.net
  }
  if (yt === 0) return undefined

  const stLeg = up ? Math.max(1, Math.ceil(area)) : Math.floor(area)
  const exactAmount = ofPt ? yt * discount - area : area
  const amount = pays ? Math.max(1, Math.ceil(exactAmount)) : Math.floor(exactAmount)
  const total = Math.max(1, Math.ceil(stLeg * pool.feeRate))
  const repaid = Math.min(total, pool.deficit)
  const protocolPart = Math.floor((total - repaid) * (1 - pool.lpShare))
  const protocol = Math.floor(protocolPart * (1 - pool.insuranceShare))
  const lp = total - repaid - protocolPart
  const spotYt = ytPrice(rateBefore, tau)
  const spotBefore = ofPt ? 1 - spotYt : spotYt
  const averagePrice = amount / (yt * discount)

  let { feeGrowth } = pool
  let changed: FloatTick[] | undefined
  for (const { liquidity: depth, area: part, crossed, valueAtTick } of steps) {
    if (depth > 0) feeGrowth += (lp * part) / area / depth
    if (crossed < 0) continue
    changed ??= [...ticks]
    const old = changed[crossed]!
    const jump = sign * (pool.fall + discount * old.rate - valueAtTick)
    changed[crossed] = {
      index: old.index,
      rate: old.rate,
      net: old.net,
      gross: old.gross,
      fall: old.fall + jump,
      feeGrowthOutside: feeGrowth - old.feeGrowthOutside,
    }
  }
  return {
    kind: 'quoted',
    complete: stoppedBy === 'filled',
    stoppedBy,
    filled: yt,
    amount,
    stLeg,
    fee: { total, repaid, lp, insurance: protocolPart - protocol, protocol },
    averagePrice,
    spotBefore,
    impactBp: ((pays ? averagePrice - spotBefore : spotBefore - averagePrice) / spotBefore) * 10_000,
    rateBefore,
    rateAfter: rate,
    apyBefore: Math.expm1(rateBefore),
    apyAfter: Math.expm1(rate),
    ticksCrossed,
    next: { ...pool, rate, tick, liquidity, ticks: changed ?? ticks, feeGrowth, deficit: pool.deficit - repaid },
  }
}
