/** State of one market's AMM, and what time does to it (docs/protocol.md section 5). Every function returns a new value. */
import { KernelError } from './errors.ts'
import { EXPONENT_LIMIT } from './fixed.ts'
import { exponent, faceValue, type Grid, type Moment, ptValue, tickAtRate, tickRate } from './rate.ts'
import {
  type DiscountQ64,
  discountQ64,
  type GrowthQ64,
  type JlpAtoms,
  type RateQ64,
  rateQ64,
  seconds,
} from './units.ts'

export interface FeeTerms {
  /** Trading fee in bp of the ST leg of the YT swap inside a trade, 0 to 500; at least 1 atom is charged. */
  readonly feeBps: number
  /** Share of the fee that goes to in-range LPs, 0 to 10,000 bp; the protocol has the rest. */
  readonly lpShareBps: number
  /** Share of the protocol's part that goes to the insurance fund, 0 to 10,000 bp. */
  readonly insuranceShareBps: number
}

/** An initialised tick: some position begins or ends here. */
export interface Tick {
  readonly index: number
  /** `tickRate(index)`, kept because every walk needs it. */
  readonly rate: RateQ64
  /** Liquidity that comes in when the rate crosses upwards, signed. */
  readonly net: bigint
  /** Liquidity of all positions that begin or end here; the tick is dropped at 0. */
  readonly gross: bigint
  /** `g`: see `cumulativeFall`. Signed Q64.64. */
  readonly fall: bigint
  /** Fee growth on the side of the tick where the rate is not. */
  readonly feeGrowthOutside: bigint
}

export interface Pool extends Moment {
  readonly grid: Grid
  readonly fees: FeeTerms
  /** Seconds from the last coupon to maturity. */
  readonly tauSeconds: number
  readonly discount: DiscountQ64
  /** `s`, the rate in force. */
  readonly rate: RateQ64
  /** The greatest tick crossed: every inside/outside test uses it, never a comparison of `rate`. */
  readonly tick: number
  /** `L` in range at `tick`. */
  readonly liquidity: bigint
  /** Initialised ticks, ascending. */
  readonly ticks: readonly Tick[]
  /** Sum of the liquidity of all positions, at most MAX_LIQUIDITY. */
  readonly grossLiquidity: bigint
  /** `A`: how far `W` at the rate in force has fallen over all coupons. Signed Q64.64. */
  readonly fall: bigint
  /** LP fees per unit of in-range liquidity since the beginning. */
  readonly feeGrowth: GrowthQ64
  /** Losses not yet covered; fees repay it first, and while it stands no liquidity may be added. */
  readonly deficit: JlpAtoms
}

const checkWhole = (name: string, value: number, min: number, max: number): void => {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new KernelError('bad-parameter', `${name} must be a whole number from ${min} to ${max}, got ${value}`, {
      name,
      value,
      min,
      max,
    })
  }
}

/** An empty pool at an initial rate within the grid's range. Checks every parameter; `s_max * tau` must stay below 4. */
export const createPool = (init: {
  readonly grid: Grid
  readonly fees: FeeTerms
  readonly rate: RateQ64
  readonly tauSeconds: number
  readonly discount: DiscountQ64
}): Pool => {
  const { grid, fees } = init
  checkWhole('spacing', grid.spacing, 1, 1000)
  checkWhole('minTick', grid.minTick, 1, 39_999)
  checkWhole('maxTick', grid.maxTick, grid.minTick + grid.spacing, 39_999)
  checkWhole('minTick modulo spacing', grid.minTick % grid.spacing, 0, 0)
  checkWhole('maxTick modulo spacing', grid.maxTick % grid.spacing, 0, 0)
  checkWhole('feeBps', fees.feeBps, 0, 500)
  checkWhole('lpShareBps', fees.lpShareBps, 0, 10_000)
  checkWhole('insuranceShareBps', fees.insuranceShareBps, 0, 10_000)
  const tauSeconds = seconds(init.tauSeconds)
  const rate = rateQ64(init.rate)
  const lowest = tickRate(grid.minTick)
  const highest = tickRate(grid.maxTick)
  if (rate < lowest || rate > highest) {
    throw new KernelError('bad-parameter', 'The initial rate must lie within the grid', { rate, lowest, highest })
  }
  if (exponent(highest, tauSeconds) >= EXPONENT_LIMIT) {
    throw new KernelError('bad-parameter', 'The highest rate times tau must stay below 4: lower maxTick or tau', {
      maxTick: grid.maxTick,
      tauSeconds,
    })
  }
  return {
    grid,
    fees,
    tauSeconds,
    discount: discountQ64(init.discount),
    rate,
    tick: tickAtRate(rate, grid),
    liquidity: 0n,
    ticks: [],
    grossLiquidity: 0n,
    fall: 0n,
    feeGrowth: 0n as GrowthQ64,
    deficit: 0n as JlpAtoms,
  }
}

/**
 * A coupon, or several at once: the rate stands still, tau and the discount move. O(1): one number, `A`, records how far
 * `W(s)` has fallen, and every position reads its share from it later. Several steps caught up in one give the same state
 * as one by one, because `A` telescopes.
 */
export const accrue = (pool: Pool, to: Moment): Pool => {
  const tauSeconds = seconds(to.tauSeconds)
  const discount = discountQ64(to.discount)
  if (tauSeconds > pool.tauSeconds) {
    throw new KernelError('time-backwards', 'Time to maturity cannot rise', { from: pool.tauSeconds, to: tauSeconds })
  }
  if (discount > pool.discount) {
    throw new KernelError('discount-rises', 'The discount cannot rise', { from: pool.discount, to: discount })
  }
  if (pool.tauSeconds === 0 && discount < pool.discount) {
    throw new KernelError('matured', 'After maturity there are no more coupons', { discount, final: pool.discount })
  }
  const fall = pool.fall + ptValue(pool.rate, pool) - ptValue(pool.rate, { tauSeconds, discount })
  return { ...pool, tauSeconds, discount, fall }
}

/**
 * `G_i`: how far `W(min(s, s_i))` has fallen over all coupons. Below the tick it is the fall at the rate in force, `A`,
 * plus an offset; at or above it the fall of `W(s_i)`, which time alone moves. Crossing changes the offset so that G_i
 * itself does not jump.
 */
export const cumulativeFall = (pool: Pool, tick: Tick): bigint =>
  pool.tick < tick.index ? tick.fall + pool.fall : tick.fall - ptValue(tick.rate, pool)

/** The tick as it stands once the rate has crossed it; `ytValueAtTick` is `V(s_i)` at the present moment. */
export const crossed = (
  tick: Tick,
  pool: Pool,
  at: { readonly up: boolean; readonly feeGrowth: bigint; readonly ytValueAtTick: bigint },
): Tick => {
  const jump = pool.fall + faceValue(tick.rate, pool.discount) - at.ytValueAtTick // A + W(s_i)
  return {
    ...tick,
    fall: at.up ? tick.fall + jump : tick.fall - jump,
    feeGrowthOutside: at.feeGrowth - tick.feeGrowthOutside,
  }
}

/** Position in `ticks` of the first tick above `index`; `ticks.length` if there is none. */
export const firstTickAbove = (ticks: readonly Tick[], index: number): number => {
  let low = 0
  let high = ticks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ticks[middle]!.index > index) high = middle
    else low = middle + 1
  }
  return low
}

/** The initialised tick at `index`, if any. */
export const findTick = (ticks: readonly Tick[], index: number): Tick | undefined => {
  const tick = ticks[firstTickAbove(ticks, index) - 1]
  return tick?.index === index ? tick : undefined
}
