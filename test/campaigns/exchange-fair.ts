/**
 * Margin figures once more, by other means than the engine: ratios as plain fractions without intermediate roundings, gaps and
 * prices in floating point. Prices of YT in JLP are `floor(D*P)` as docs/protocol.md section 11 says.
 */
import { type RateQ64, twap, ytPrice } from '../../amm/index.ts'
import { abs, type Exchange, type Legs, type Market, max, min, Q64, type World } from './exchange-engine.ts'

const YEAR = 31_536_000
const toNumber = (q64: bigint): number => Number(q64) / 2 ** 64

/** Assets and liabilities times 2^64, exact. */
export const sides = ({ margin, st, yt }: Legs, price: bigint): { assets: bigint; liabilities: bigint } => ({
  assets: ((margin + max(st, 0n)) << 64n) + price * max(yt, 0n),
  liabilities: (max(-st, 0n) << 64n) + price * max(-yt, 0n),
})

/** Equity times 2^64, exact. */
export const equityAt = (legs: Legs, price: bigint): bigint => ((legs.margin + legs.st) << 64n) + price * legs.yt

/** `floor(D*P)`, JLP per YT, Q64.64. */
export const priceAt = (market: Market, rate: bigint): bigint =>
  (market.pool.discount * ytPrice(rate as RateQ64, market.pool.tauSeconds)) >> 64n

/** Whether an account owes nothing that it does not hold. */
export const spot = ({ margin, st, yt }: Legs, discount: bigint): boolean =>
  (margin + st) * Q64 >= discount * max(-yt, 0n)

/** The worst loss of one coupon in JLP atoms, in floating point, from the formulas of section 6. */
const gapOf = (yt: bigint, market: Market, rate: bigint, rhoMax: bigint): number => {
  const { pool, terms } = market
  if (pool.tauSeconds === 0) return 0
  const s = toNumber(rate)
  const pt = Math.exp((-s * pool.tauSeconds) / YEAR)
  const face = Number(abs(yt)) * toNumber(pool.discount)
  if (yt >= 0n) return face * pt * Math.expm1((s * terms.period) / YEAR) * (1 - terms.lowCouponBps / 10_000)
  const later = Math.exp((-s * Math.max(pool.tauSeconds - terms.period, 0)) / YEAR)
  return face * Math.max(0, toNumber(rhoMax) * pt - (later - pt))
}

export interface Fair {
  readonly spotRate: bigint
  readonly twapRate: bigint
  readonly spotPrice: bigint
  readonly twapPrice: bigint
  readonly rhoMax: bigint
  /** The lowest and the highest rate that stood for a second or longer within the window. */
  readonly stood?: Stood | undefined
}

export interface Stood {
  readonly low: bigint
  readonly high: bigint
}

/** Prices that a market's accounts are measured at; the TWAP is that before the instruction. */
export const fairOf = (before: Exchange, head: Market, after: Market, world: World, stood?: Stood): Fair => {
  const twapRate = twap(head.oracle, head.pool.rate, world.now, head.terms.twapWindow)
  return {
    spotRate: after.pool.rate,
    twapRate,
    spotPrice: priceAt(after, after.pool.rate),
    twapPrice: priceAt(after, twapRate),
    rhoMax: before.indices[after.kind].caps.rhoMaxQ64,
    stood,
  }
}

const ratioHolds = (legs: Legs, price: bigint, bps: number): boolean => {
  const { assets, liabilities } = sides(legs, price)
  return assets * 10_000n >= liabilities * BigInt(bps)
}

/** How far floating point and single roundings can be off, in atoms. */
const slack = (atoms: number): number => 4 + Math.abs(atoms) * 1e-9

/** The condition to open, to increase and to withdraw. */
export const initialHolds = (legs: Legs, market: Market, fair: Fair): boolean => {
  if (spot(legs, market.pool.discount)) return true
  const { spotRate, twapRate, spotPrice, rhoMax, stood } = fair
  // The worst rate: the lowest for a holder of YT, the highest for an ower.
  const rates = [twapRate, stood?.low ?? twapRate, stood?.high ?? twapRate]
  const worst = priceAt(market, legs.yt >= 0n ? min(...rates) : max(...rates))
  const gap = 1.2 * Math.max(gapOf(legs.yt, market, spotRate, rhoMax), gapOf(legs.yt, market, twapRate, rhoMax))
  const equity = Number(min(equityAt(legs, spotPrice), equityAt(legs, worst)) >> 64n)
  return ratioHolds(legs, spotPrice, 11_000) && ratioHolds(legs, worst, 10_605) && equity + slack(gap) >= gap
}

/** Whether an account is below maintenance; undefined if it is too close to the border to tell by other means. */
export const belowMaintenance = (legs: Legs, market: Market, fair: Fair): boolean | undefined => {
  if (spot(legs, market.pool.discount)) return false
  const { assets, liabilities } = sides(legs, fair.twapPrice)
  const over = assets * 10_000n - liabilities * 10_500n
  const atom = 20_500n << 64n // both sides round by at most an atom
  const gap = gapOf(legs.yt, market, fair.twapRate, fair.rhoMax)
  const room = Number(equityAt(legs, fair.twapPrice) >> 64n) - gap
  if (over < -atom || room < -slack(gap)) return true
  return over >= 0n && room > slack(gap) && over >= atom ? false : undefined
}
