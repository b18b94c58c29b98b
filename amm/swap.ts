/**
 * The walk of a trade over the curve, stretch by stretch. A stretch is what lies between two initialised ticks, where the
 * liquidity L is constant: n YT move the rate by n/L, and cost L times a difference of `V` (rate.ts).
 *
 * The rate always rounds up, so that LPs never hand out more YT than they hold and always take in what was sold to them.
 * The area is kept exactly, in Q64.64 atoms, and rounded once by the caller.
 */
import { bisect, largestNear, rateWhere } from './inverse.ts'
import { firstTickAbove, type Pool } from './pool.ts'
import { tickAtRate, ytValue } from './rate.ts'
import type { RateQ64 } from './units.ts'

/** What a walk is asked for, in the terms of the curve. */
export type Budget =
  /** Exactly this many YT. */
  | { readonly kind: 'yt'; readonly yt: bigint }
  /**
   * By amount of JLP (Q64.64): the most YT whose amount is at most `amount`, or the fewest whose amount reaches it. The
   * amount of n YT is the area under the YT price, or that under the PT price, `n * D` less the former.
   */
  | { readonly kind: 'jlp'; readonly of: 'yt' | 'pt'; readonly find: 'most' | 'fewest'; readonly amount: bigint }

/** Why a walk ended: all is filled; the limit rate; no more liquidity; or the cap on crossings. */
export type StoppedBy = 'filled' | 'limit' | 'liquidity' | 'crossings'

export type Step =
  /** Traded in a stretch: `area` is `L * |V(end) - V(start)|`, Q64.64 JLP atoms. */
  | { readonly kind: 'fill'; readonly liquidity: bigint; readonly area: bigint }
  /** Crossed `pool.ticks[at]`, where `V` is `value`. */
  | { readonly kind: 'cross'; readonly at: number; readonly value: bigint }

/** Where a walk stands. */
interface Standing {
  readonly yt: bigint
  /** Area under the YT price, Q64.64 JLP atoms, exact. */
  readonly area: bigint
  readonly rate: bigint
  readonly tick: number
  readonly liquidity: bigint
  readonly crossings: number
  /** Number of steps taken so far. */
  readonly steps: number
}

export interface Path extends Omit<Standing, 'steps'> {
  readonly steps: readonly Step[]
  readonly stoppedBy: StoppedBy
}

const pathOf = (at: Standing, steps: Step[], stoppedBy: StoppedBy): Path => {
  steps.length = at.steps
  const { yt, area, rate, tick, liquidity, crossings } = at
  return { yt, area, rate, tick, liquidity, crossings, steps, stoppedBy }
}

/**
 * Walks up (YT are bought, the rate rises) or down (YT are sold, it falls). What stands in the end is the state after the
 * last atom filled: a stretch without liquidity, or one where nothing fits, is never left half crossed.
 */
export const walk = (
  pool: Pool,
  up: boolean,
  budget: Budget,
  limitRate: bigint,
  maxCrossings: number,
  withinLiquidity = false,
): Path => {
  const { ticks, discount } = pool
  let rate: bigint = pool.rate
  let tick = pool.tick
  let liquidity = pool.liquidity
  let value = ytValue(rate, pool)
  let yt = 0n
  let area = 0n
  let crossings = 0
  const steps: Step[] = []
  let standing: Standing = { yt, area, rate, tick, liquidity, crossings, steps: 0 }

  for (let at = firstTickAbove(ticks, tick) - (up ? 0 : 1); ; at += up ? 1 : -1) {
    const next = ticks[at]
    if (next === undefined) return pathOf(standing, steps, 'liquidity')
    const limited = up ? limitRate < next.rate : limitRate > next.rate
    let exhausted = false
    let filled = false
    if (liquidity === 0n) {
      if (withinLiquidity && next.rate !== rate) return pathOf(standing, steps, 'liquidity') // at an edge it has no width
      if (limited) return pathOf(standing, steps, 'limit')
      value = ytValue(next.rate, pool)
    } else {
      const stretch = { pool, up, rate, value, liquidity, end: limited ? limitRate : next.rate, limited, yt, area }
      const capacity = capacityOf(stretch)
      if (capacity < 0n) return pathOf(standing, steps, 'limit') // the limit lies behind the rate
      const wanted = budget.kind === 'yt' ? budget.yt - yt : wantedFor(budget, stretch, capacity)
      if (wanted < 0n) return pathOf(standing, steps, 'filled') // not even this stretch's rounding can be paid for
      const n = wanted < capacity ? wanted : capacity
      rate = rateAfter(stretch, n, capacity)
      const endValue = ytValue(rate, pool)
      const stepArea = liquidity * (up ? endValue - value : value - endValue)
      value = endValue
      yt += n
      area += stepArea
      filled = n > 0n
      exhausted =
        budget.kind === 'yt'
          ? yt === budget.yt
          : budget.find === 'fewest' && (budget.of === 'yt' ? area : yt * discount - area) >= budget.amount
      steps.push({ kind: 'fill', liquidity, area: stepArea })
      const whole = !limited && wanted >= capacity
      tick = whole ? next.index : tickAtRate(rate as RateQ64, pool.grid)
      if (filled && !(up && whole)) standing = { yt, area, rate, tick, liquidity, crossings, steps: steps.length }
      if (!whole) return pathOf(standing, steps, exhausted || wanted < capacity ? 'filled' : 'limit')
    }
    // The rate is at the tick: a rise always crosses it, a fall only if something remains to be done.
    const goOn = !exhausted && crossings < maxCrossings
    if (goOn || (up && filled)) {
      steps.push({ kind: 'cross', at, value })
      crossings += 1
      rate = next.rate
      tick = up ? next.index : next.index - pool.grid.spacing
      liquidity += up ? next.net : -next.net
      if (up && filled) standing = { yt, area, rate, tick, liquidity, crossings, steps: steps.length }
    }
    if (!goOn) return pathOf(standing, steps, exhausted ? 'filled' : 'crossings')
  }
}

interface Stretch {
  readonly pool: Pool
  readonly up: boolean
  readonly rate: bigint
  /** `V(rate)`. */
  readonly value: bigint
  readonly liquidity: bigint
  /** The next tick's rate, or the limit rate if that comes first. */
  readonly end: bigint
  readonly limited: boolean
  /** YT and area of the path before this stretch. */
  readonly yt: bigint
  readonly area: bigint
}

/** YT that fit into a stretch: a rise takes no more than LPs hold, a fall to a tick no less than fills them up. */
const capacityOf = ({ up, rate, liquidity, end, limited }: Stretch): bigint => {
  const room = liquidity * (up ? end - rate : rate - end)
  return up || limited ? room >> 64n : -(-room >> 64n)
}

/** The rate after n YT, rounded up; all of a stretch ends exactly on its tick. */
const rateAfter = ({ up, rate, liquidity, end, limited }: Stretch, n: bigint, capacity: bigint): bigint => {
  if (n >= capacity && !limited) return end
  return up ? rate + ((n << 64n) + liquidity - 1n) / liquidity : rate - (n << 64n) / liquidity
}

/** YT to take from a stretch for a budget in JLP; -1 if it cannot even be passed through. */
const wantedFor = (budget: Budget & { kind: 'jlp' }, stretch: Stretch, capacity: bigint): bigint => {
  const { pool, up, value, liquidity, limited } = stretch
  const amountAt = (n: bigint): bigint => {
    const moved = ytValue(rateAfter(stretch, n, capacity), pool) - value
    const area = stretch.area + liquidity * (up ? moved : -moved)
    return budget.of === 'yt' ? area : (stretch.yt + n) * pool.discount - area
  }
  const fewest = budget.find === 'fewest'
  const most = fewest ? budget.amount - 1n : budget.amount
  const fits = (n: bigint): boolean => amountAt(n) <= most
  // The last atom of a rise also pays for what is left of the stretch below an atom, so the proceeds of PT may dip there: the
  // fewest are looked for before it.
  const top = fewest && !limited ? capacity - 1n : capacity
  // PT amounts are proven never to fall in n up to this liquidity (docs/kernel.md section 5). Beyond it, far above any real
  // market, the answer is that of plain bisection, so that every implementation finds the same.
  const proven = budget.of === 'yt' || liquidity << 10n <= pool.discount
  const n = proven ? largestNear(fits, top, guessFor(budget, stretch, most)) : bisect(fits, -1n, top + 1n)
  return fewest && n < capacity ? n + 1n : n
}

/** About the n that brings a budget to `most`. */
const guessFor = (budget: Budget & { kind: 'jlp' }, stretch: Stretch, most: bigint): bigint => {
  const { pool, up, rate, liquidity, end } = stretch
  const before = budget.of === 'yt' ? stretch.area : stretch.yt * pool.discount - stretch.area
  const change = (most - before) / liquidity
  const found = rateWhere({
    of: budget.of,
    start: rate,
    end,
    change: up ? change : -change,
    moment: pool,
    tolerance: (1n << 62n) / liquidity + 1n, // a quarter of an atom
  })
  return (liquidity * (up ? found - rate : rate - found)) >> 64n
}
