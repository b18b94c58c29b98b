/**
 * The financial idea, in one file.
 *
 * One ST-JLP is split into PT (its principal at maturity) and YT (its yield until then): `1 ST = 1 PT + 1 YT`. If the
 * pool is thought to yield `s` a year, continuously compounded, then with `tau` years to go
 *
 *     PT = e^(-s tau)          YT = P = 1 - e^(-s tau)          implied APY = e^s - 1
 *
 * Sunder's market does not hold a price but the rate `s` itself, and spreads its liquidity over `s`: while the rate moves
 * from a to b, `L * (b - a)` YT change hands, each at the price of the rate it was traded at. What a trade costs is
 * therefore an area under a price curve:
 *
 *     under P:  V(s) = D * integral_0^s P(v) dv        what YT between rates cost, in JLP
 *     under PT: W(s) = D * integral_0^s PT(v) dv       what PT between rates cost
 *     together: S(s) = D * s = V(s) + W(s)             what the same number of ST is worth
 *
 * `D` is the discount: JLP per ST, falling with every coupon, so that a holder of JLP has ever more ST. Because every
 * amount is `L` times a difference of these integer functions, rounded once, whatever error they have telescopes away:
 * there is no path of trades that comes back to its start and leaves the trader richer.
 *
 * When a coupon is paid, D falls and tau shrinks while s stands still: YT gets cheaper by the yield it has just paid, and
 * nothing in the market has to be moved. Depth reads as "YT per basis point of yield".
 */
import { KernelError } from './errors.ts'
import { exp, ln, ONE_Q64, oneMinusExpNeg, phiComplement } from './fixed.ts'
import { type DiscountQ64, type PriceQ64, type RateQ64, rateQ64, seconds, YEAR_SECONDS_N } from './units.ts'

/** What a market knows of time: whole seconds from the last coupon to maturity, and JLP per ST. */
export interface Moment {
  readonly tauSeconds: number
  readonly discount: DiscountQ64
}

/** The exponent `s * tau` as Q64.64, rounded down; `phi` takes it below 4. */
export const exponent = (rate: bigint, tauSeconds: number): bigint =>
  (rate * BigInt(seconds(tauSeconds))) / YEAR_SECONDS_N

/** Price of YT in ST at a rate, `1 - e^(-s tau)`; 0 at maturity. Error below 8 ulp of 2^-64. */
export const ytPrice = (rate: RateQ64, tauSeconds: number): PriceQ64 =>
  oneMinusExpNeg(exponent(rate, tauSeconds)) as PriceQ64

/** Price of PT in ST; with the YT price it adds up to exactly 1. */
export const ptPrice = (rate: RateQ64, tauSeconds: number): PriceQ64 =>
  (ONE_Q64 - ytPrice(rate, tauSeconds)) as PriceQ64

/** `integral_0^s P` in ST per unit of liquidity, Q64.64: `s * (1 - phi(s tau))`, rounded down, never falling in s. */
export const ytIntegral = (rate: bigint, tauSeconds: number): bigint =>
  (rate * phiComplement(exponent(rate, tauSeconds))) >> 64n

/** `B(s) = integral_0^s PT = s * phi(s tau)`, Q64.64; with `ytIntegral` it adds up to exactly s. */
export const ptIntegral = (rate: bigint, tauSeconds: number): bigint => rate - ytIntegral(rate, tauSeconds)

/** `S(s) = floor(s * D)`: JLP that `s` worth of ST per unit of liquidity stands for, Q64.64. */
export const faceValue = (rate: bigint, discount: bigint): bigint => (rate * discount) >> 64n

/**
 * `V(s) = floor(ytIntegral(s) * D)`: JLP cost of the YT from rate 0 to s per unit of liquidity, Q64.64. Never falls in s,
 * ulp by ulp; a difference times the largest L is off by less than 1/4 atom (error bounds: docs/kernel.md).
 */
export const ytValue = (rate: bigint, moment: Moment): bigint =>
  (ytIntegral(rate, moment.tauSeconds) * moment.discount) >> 64n

/** `W(s) = S(s) - V(s)`: the same for PT. */
export const ptValue = (rate: bigint, moment: Moment): bigint =>
  faceValue(rate, moment.discount) - ytValue(rate, moment)

// ---- rate <-> APY <-> price, for people: nothing here decides money -------------------------------------------------

/** Implied APY `e^s - 1`, Q64.64, of a rate below 4 (5,359 %). */
export const apyFromRate = (rate: RateQ64): bigint => exp(rate) - ONE_Q64

/** Rate `ln(1 + apy)` of an APY from 0 to 5,200 %, Q64.64. */
export const rateFromApy = (apyQ64: bigint): RateQ64 => rateQ64(ln(ONE_Q64 + apyQ64))

/** The rate at which YT costs `price` ST (Q64.64, below 53/54) with `tauSeconds` > 0 to go: `-ln(1 - P) / tau`. */
export const rateFromYtPrice = (price: bigint, tauSeconds: number): RateQ64 => {
  if (price < 0n || price * 54n >= ONE_Q64 * 53n) {
    throw new KernelError('domain', `A YT price here is from 0 to below 53/54 ST (Q64.64), got ${price}`, { price })
  }
  if (tauSeconds <= 0) throw new KernelError('domain', 'At maturity YT has no rate', { tauSeconds })
  return rateQ64((ln((ONE_Q64 * ONE_Q64) / (ONE_Q64 - price)) * YEAR_SECONDS_N) / BigInt(seconds(tauSeconds)))
}

// ---- tick grid -------------------------------------------------------------------------------------------------------

/** One tick is 1 bp of s; liquidity begins and ends at multiples of the spacing within [minTick, maxTick]. */
export interface Grid {
  readonly spacing: number
  readonly minTick: number
  readonly maxTick: number
}

/** `s_i = floor(i * 2^64 / 10^4)`, i from 0 to 10^6; whether it is on a grid is `checkTick`'s question. */
export const tickRate = (tick: number): RateQ64 => {
  if (!Number.isInteger(tick) || tick < 0 || tick > 1_000_000) {
    throw new KernelError('tick-off-grid', `A tick is a whole number from 0 to 10^6, got ${tick}`, { tick })
  }
  return ((BigInt(tick) << 64n) / 10_000n) as RateQ64
}

/** Throws `tick-off-grid` unless liquidity may begin or end at `tick`. */
export const checkTick = (tick: number, grid: Grid): void => {
  if (!Number.isInteger(tick) || tick < grid.minTick || tick > grid.maxTick || tick % grid.spacing !== 0) {
    throw new KernelError(
      'tick-off-grid',
      `A tick is a multiple of ${grid.spacing} from ${grid.minTick} to ${grid.maxTick}, got ${tick}`,
      { tick, spacing: grid.spacing, minTick: grid.minTick, maxTick: grid.maxTick },
    )
  }
}

/** The greatest grid tick whose rate is at or below `rate`. */
export const tickAtRate = (rate: RateQ64, grid: Grid): number => {
  const spacing = BigInt(grid.spacing)
  let tick = Number(((((rate as bigint) * 10_000n) >> 64n) / spacing) * spacing)
  while (tickRate(tick + grid.spacing) <= rate) tick += grid.spacing // s_i is floored: one step at most
  return tick
}
