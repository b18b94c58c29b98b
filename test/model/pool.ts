import type { Decimal } from 'decimal.js'
import { F, fromQ64, X } from './exact.ts'

const Q64 = 1n << 64n
const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b
const distance = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a)

/** `s_i = floor(i*2^64/10^4)` (section 11). */
export const tickRate = (tick: number): bigint => (BigInt(tick) * Q64) / 10_000n

/** The greatest multiple `i` of the spacing with `s_i <= rate`: `i*2^64/10^4 < rate + 1`. */
export const tickAt = (rate: bigint, spacing: number): number => {
  const tick = Number(((rate + 1n) * 10_000n - 1n) / Q64)
  return tick - (tick % spacing)
}

/** Liquidity over the rates of `[lower, upper)`, in ticks. */
export interface Range {
  readonly lower: number
  readonly upper: number
  readonly liquidity: bigint
}

/** Active liquidity by the tick index, never by a comparison of the rate (section 5). */
export const activeLiquidity = (ranges: readonly Range[], tick: number): bigint =>
  ranges.reduce((sum, { lower, upper, liquidity }) => (lower <= tick && tick < upper ? sum + liquidity : sum), 0n)

/** One stretch of constant liquidity walked: the tick index while in it, and `L*D*integral of P` in JLP atoms. */
export interface Stretch {
  readonly tick: number
  readonly liquidity: bigint
  readonly area: Decimal
}

/** `up` buys YT, `down` sells it; `tick` is the current index, the greatest tick crossed. */
export interface ModelTrade {
  readonly ranges: readonly Range[]
  readonly rate: bigint
  readonly tick: number
  readonly tau: number
  readonly discount: bigint
  readonly direction: 'up' | 'down'
  readonly yt: bigint
  readonly limitRate?: bigint | undefined
  readonly spacing?: number
}

export interface ModelResult {
  readonly filled: bigint
  readonly area: Decimal
  readonly rateAfter: bigint
  readonly tickAfter: number
  readonly crossed: number
  readonly stretches: readonly Stretch[]
  readonly stoppedBy: 'filled' | 'limit' | 'liquidity'
}

/** The walk of a trade of exactly `yt` atoms, or of as many as limit and liquidity allow (sections 5 and 11). */
export const modelTrade = (trade: ModelTrade): ModelResult => {
  const { tau, discount, yt, limitRate: limit, spacing = 10 } = trade
  const up = trade.direction === 'up'
  const ranges = trade.ranges.filter(range => range.liquidity > 0n)
  const ticks = [...new Set(ranges.flatMap(({ lower, upper }) => [lower, upper]))].sort((a, b) => a - b)

  /** `here` is where the walk has come to; `stands` is the state after the last atom filled, which is the result. */
  let here = { rate: trade.rate, tick: trade.tick, filled: 0n, crossed: 0, stretches: [] as readonly Stretch[] }
  let stands = here
  const stop = (stoppedBy: ModelResult['stoppedBy']): ModelResult => {
    const { filled, crossed, stretches, rate: rateAfter, tick: tickAfter } = stands
    const area = stretches.reduce((sum, stretch) => sum.plus(stretch.area), new X(0))
    return { filled, area, rateAfter, tickAfter, crossed, stretches, stoppedBy }
  }
  while (stands.filled < yt) {
    const { rate, tick, filled, crossed } = here
    const next = up ? ticks.find(t => t > tick) : ticks.findLast(t => t <= tick)
    if (next === undefined) return stop('liquidity')
    const edge = tickRate(next)
    if (up ? edge < rate : edge > rate) throw new Error(`tick index ${tick} contradicts rate ${rate}`)
    if (limit !== undefined && (up ? limit <= rate : limit >= rate)) return stop('limit')

    const liquidity = activeLiquidity(ranges, tick)
    const left = yt - filled
    const walked = (to: bigint): readonly Stretch[] => {
      if (liquidity === 0n || to === rate) return here.stretches
      const integral = up ? F(rate, to, tau) : F(to, rate, tau)
      return [...here.stretches, { tick, liquidity, area: integral.times(fromQ64(discount)).times(new X(liquidity)) }]
    }

    // A traversed stretch gives at most floor(L*ds) YT to a buyer and takes at most ceil(L*ds) from a seller.
    const capacity = up ? (liquidity * (edge - rate)) / Q64 : ceilDiv(liquidity * (rate - edge), Q64)
    const limitInside = limit !== undefined && (up ? limit < edge : limit > edge)
    if (limitInside || left < capacity) {
      const most = limitInside ? (liquidity * distance(limit, rate)) / Q64 : left
      const n = most < left ? most : left
      if (n > 0n) {
        const to = up ? rate + ceilDiv(n * Q64, liquidity) : rate - (n * Q64) / liquidity
        stands = { rate: to, tick: tickAt(to, spacing), filled: filled + n, crossed, stretches: walked(to) }
      }
      return stop(n === left ? 'filled' : 'limit')
    }

    // The rate lands on the tick. A buy crosses it at once, a sell only on the way to a further atom.
    const landed = { rate: edge, tick: next, filled: filled + capacity, crossed, stretches: walked(edge) }
    here = { ...landed, tick: up ? next : next - spacing, crossed: crossed + 1 }
    if (capacity > 0n) stands = up ? here : landed
  }
  return stop('filled')
}

/** What a trade of exactly `yt` YT or PT costs before the fee (section 5, the table). */
export interface ModelCost {
  /** JLP atoms paid by a buyer or received by a seller, unrounded. */
  readonly jlp: Decimal
  /** The integer ST leg of the YT swap inside, in JLP atoms: up for a purchase (at least 1), down for a sale. */
  readonly leg: bigint
}

/** `area` is that of selling YT for `sell-yt` and `buy-pt`, that of buying YT for `buy-yt` and `sell-pt`. */
export const modelCost = (
  kind: 'buy-yt' | 'sell-yt' | 'buy-pt' | 'sell-pt',
  { yt, discount, area }: { readonly yt: bigint; readonly discount: bigint; readonly area: Decimal },
): ModelCost => {
  const buysYt = kind === 'buy-yt' || kind === 'sell-pt'
  const rounded = BigInt((buysYt ? X.max(1, area.ceil()) : area.floor()).toFixed())
  const isPt = kind === 'buy-pt' || kind === 'sell-pt'
  return { jlp: isPt ? fromQ64(discount).times(new X(yt)).minus(area) : area, leg: yt === 0n ? 0n : rounded }
}

export interface ModelFee {
  readonly total: bigint
  readonly protocol: bigint
  readonly treasury: bigint
  readonly insurance: bigint
  readonly lp: bigint
  /** The part of `lp` that each stretch earns; sums to `lp`. */
  readonly lpByStretch: readonly bigint[]
}

/** Fee on top of a trade that filled something (sections 5, 11): at least 1; odd atoms go to the LPs and insurance. */
export const modelFee = (
  { leg, stretches }: { readonly leg: bigint; readonly stretches: readonly Pick<Stretch, 'area'>[] },
  rates: { readonly feeBps: number; readonly lpShareBps: number; readonly insuranceShareBps: number },
): ModelFee => {
  const proportional = ceilDiv(leg * BigInt(rates.feeBps), 10_000n)
  const total = proportional > 1n ? proportional : 1n
  const protocol = (total * BigInt(10_000 - rates.lpShareBps)) / 10_000n
  const treasury = (protocol * BigInt(10_000 - rates.insuranceShareBps)) / 10_000n
  const lp = total - protocol
  const earlier = stretches.slice(0, -1).map(({ area }) => {
    return leg === 0n ? 0n : (lp * BigInt(area.floor().toFixed())) / leg
  })
  const rest = earlier.reduce((left, part) => left - part, lp)
  return { total, protocol, treasury, insurance: protocol - treasury, lp, lpByStretch: [...earlier, rest] }
}
