/** What an account is worth and what it must be worth (docs/protocol.md section 6). Integers, each with its direction. */
import { divide, mulDiv, ONE_Q64, oneMinusExpNeg, shiftQ64 } from '../../amm/fixed.ts'
import type { Pool, RateQ64 } from '../../amm/index.ts'
import { ytPrice } from '../../amm/rate.ts'
import { YEAR_SECONDS_N } from '../../amm/units.ts'
import { type RateIndex, yieldLeft } from '../oracle/accrual.ts'
import { abs, positive } from './account.ts'
import type { Legs, Market } from './state.ts'
import type { MarketTerms } from './terms.ts'

type Account = Pick<Legs, 'margin' | 'st' | 'yt'>

/** JLP per YT at a rate, `floor(D * P)`, Q64.64. */
export const ytInJlp = (rate: RateQ64, pool: Pool): bigint =>
  shiftQ64(pool.discount * ytPrice(rate, pool.tauSeconds), 'down')

/** `margin + max(st, 0) + D*P*max(yt, 0)`, JLP atoms, down. `price` is JLP per YT. */
export const assets = ({ margin, st, yt }: Account, price: bigint): bigint =>
  margin + positive(st) + shiftQ64(price * positive(yt), 'down')

/** `max(-st, 0) + D*P*max(-yt, 0)`, JLP atoms, up. */
export const liabilities = ({ st, yt }: Account, price: bigint): bigint =>
  positive(-st) + shiftQ64(price * positive(-yt), 'up')

export const equity = (account: Account, price: bigint): bigint => assets(account, price) - liabilities(account, price)

/** Whether assets are at least `bps` of liabilities, cross-multiplied. */
export const hasRatio = (account: Account, price: bigint, bps: number): boolean =>
  assets(account, price) * 10_000n >= liabilities(account, price) * BigInt(bps)

/** Whether an account owes nothing that it does not hold: it cannot be liquidated. */
export const isSpot = ({ margin, st, yt }: Account, discount: bigint): boolean =>
  margin + st >= (yt >= 0n ? 0n : shiftQ64(discount * -yt, 'up'))

/** What margin is measured with: prices in JLP per YT at the spot and the time-weighted rate, and what a coupon can do. */
export interface Valuation {
  readonly spot: bigint
  readonly twap: bigint
  /** The worst of the TWAP and all prices that instructions have found within the last window, for YT held or owed. */
  readonly worst: (yt: bigint) => bigint
  readonly discount: bigint
  /** Worst loss of one coupon per JLP of face value, Q64.64, at the spot and at the time-weighted rate. */
  readonly gapAtSpot: Gaps
  readonly gapAtTwap: Gaps
}

interface Gaps {
  readonly long: bigint
  readonly short: bigint
}

/**
 * Worst loss of one coupon, per JLP of YT's face value. Long: YT decays by the coupon that the rate implies, `(1 - P) * c`, and at
 * least `lo` of it is paid. Short: the caps' largest coupon is owed on what YT decays to. Each step rounds up.
 */
const gapsAt = (rate: RateQ64, tauSeconds: number, terms: MarketTerms, rhoMaxQ64: bigint): Gaps => {
  if (tauSeconds === 0) return { long: 0n, short: 0n }
  const price = ytPrice(rate, tauSeconds)
  const pt = ONE_Q64 - price
  const decay = oneMinusExpNeg(divide(rate * BigInt(terms.period), YEAR_SECONDS_N, 'up'))
  const coupon = mulDiv(decay, ONE_Q64, ONE_Q64 - decay, 'up')
  const long = mulDiv(shiftQ64(pt * coupon, 'up'), BigInt(10_000 - terms.lowCouponBps), 10_000n, 'up')
  const later = tauSeconds > terms.period ? ytPrice(rate, tauSeconds - terms.period) : 0n
  return { long, short: positive(shiftQ64(rhoMaxQ64 * pt, 'up') - (price - later)) }
}

const worstRate = ({ standing }: Market, twapRate: bigint, yt: bigint): RateQ64 => {
  const { low, high, lowBefore, highBefore } = standing
  const rates = yt >= 0n ? [low, lowBefore] : [high, highBefore]
  return rates.reduce((worst, rate) => (rate < worst === yt >= 0n ? rate : worst), twapRate) as RateQ64
}

export const valuation = (market: Market, index: RateIndex, rate: RateQ64, twapRate: RateQ64): Valuation => {
  const { pool, terms } = market
  const gaps = (at: RateQ64): Gaps => gapsAt(at, pool.tauSeconds, terms, index.caps.rhoMaxQ64)
  const gapAtTwap = gaps(twapRate)
  return {
    spot: ytInJlp(rate, pool),
    twap: ytInJlp(twapRate, pool),
    worst: yt => ytInJlp(worstRate(market, twapRate, yt), pool),
    discount: pool.discount,
    gapAtSpot: rate === twapRate ? gapAtTwap : gaps(rate),
    gapAtTwap,
  }
}

const gapOf = ({ yt }: Account, discount: bigint, gaps: Gaps): bigint =>
  shiftQ64(shiftQ64(discount * abs(yt), 'up') * (yt >= 0n ? gaps.long : gaps.short), 'up')

/** Worst loss of one coupon at the time-weighted rate, which nobody can push in a moment; JLP atoms, up. */
export const gap = (account: Account, at: Valuation): bigint => gapOf(account, at.discount, at.gapAtTwap)

/** The larger of the gaps at the time-weighted rate and at the spot. */
export const largerGap = (account: Account, at: Valuation): bigint => {
  const [twap, spot] = [gap(account, at), gapOf(account, at.discount, at.gapAtSpot)]
  return twap > spot ? twap : spot
}

/** The condition to open, to increase and to withdraw; what meets it meets maintenance too. */
export const meetsInitial = (account: Account, at: Valuation, terms: MarketTerms): boolean => {
  if (isSpot(account, at.discount)) return true
  if (!hasRatio(account, at.spot, terms.initialBps)) return false
  const worst = at.worst(account.yt)
  const needed = largerGap(account, at) * 12n
  return (
    hasRatio(account, worst, terms.initialTwapBps) &&
    equity(account, at.spot) * 10n >= needed &&
    equity(account, worst) * 10n >= needed
  )
}

/** JLP atoms times 10^4 by which an account is above maintenance; below 0 it is liquidatable. */
export const maintenanceSlack = (account: Account, at: Valuation, terms: MarketTerms): bigint => {
  if (isSpot(account, at.discount)) return 0n
  const forRatio = assets(account, at.twap) * 10_000n - liabilities(account, at.twap) * BigInt(terms.maintenanceBps)
  const forGap = (equity(account, at.twap) - gap(account, at)) * 10_000n
  return forRatio < forGap ? forRatio : forGap
}

/** Below it an account is liquidatable. */
export const meetsMaintenance = (account: Account, at: Valuation, terms: MarketTerms): boolean =>
  maintenanceSlack(account, at, terms) >= 0n

/** Most leverage at a rate (ST leg per margin), as a Q64.64 factor: what the initial ratio and 1.2 times the gap allow. */
export const mostLeverage = (
  side: 'long' | 'short',
  rate: RateQ64,
  tauSeconds: number,
  terms: MarketTerms,
  rhoMaxQ64: bigint,
): bigint => {
  if (tauSeconds === 0) return 0n
  const gaps = gapsAt(rate, tauSeconds, terms, rhoMaxQ64)
  const most = (ONE_Q64 * 10_000n) / BigInt(terms.initialBps - 10_000)
  const needed = divide(gaps[side] * 12n, 10n, 'up')
  if (needed === 0n) return most
  const allowed = mulDiv(ytPrice(rate, tauSeconds), ONE_Q64, needed, 'down')
  return allowed < most ? allowed : most
}

// ---- what protects the market as a whole ------------------------------------------------------------------------------

/**
 * Equity of all LPs together at a JLP price of YT, O(1): the vault and what is missing from it, less every other claim, coupons
 * not yet paid out included.
 */
export const lpEquity = ({ vault, fees, totals, pool }: Market, price: bigint): bigint => {
  const coupons = shiftQ64(totals.ytAtDiscount - pool.discount * totals.yt, 'down')
  const claims = totals.margin + totals.st + coupons + fees + shiftQ64(pool.discount * totals.pt, 'up')
  return vault + pool.deficit - claims + shiftQ64(price * (totals.pt - totals.yt), 'down')
}

/** What backing compares: what LPs hold in reserve at the worst coupons, and all that could be owed. JLP atoms. */
export const backing = ({ pool, totals }: Market, lowest: bigint): { reserve: bigint; owed: bigint } => ({
  reserve: shiftQ64(lowest * totals.issued, 'down'),
  owed: totals.debt + shiftQ64(totals.shortAtDiscount - lowest * totals.short, 'up') + pool.deficit,
})

/** The rate above which a forced close buys no YT: there it costs more than the most that coupons can still come to. */
export const dearestRate = (market: Market, index: RateIndex): bigint =>
  market.pool.tauSeconds === 0
    ? 0n
    : (yieldLeft(index, market.maturity) * YEAR_SECONDS_N) / BigInt(market.pool.tauSeconds)
