/** A market of a chain in figures, and what it takes to move it. */
import {
  apyFromRate,
  type JlpAtoms,
  type Pool,
  quote,
  type RateQ64,
  rateFromApy,
  tickRate,
  type YtAtoms,
} from '../../../amm/index.ts'
import { freshnessOf } from '../../client/index.ts'
import { type MarketView, marketView } from '../../exchange/index.ts'
import { annual, real } from '../../strategy/index.ts'
import { digits } from '../question.ts'
import type { Standing } from './standing.ts'

/** PT for so much JLP are what the fixed APY is quoted for, atoms. */
const PT_FOR = 100_000_000n

/** The APY that `PT_FOR` fixes until maturity, price impact and fee included; a fraction. */
const fixedApyOf = (pool: Pool): number | undefined => {
  const bought = quote(pool, { kind: 'buy-pt', st: PT_FOR as JlpAtoms })
  if (bought.kind === 'rejected') return undefined
  const { filled, amount, fee } = bought
  return annual((Number(filled) * real(pool.discount)) / Number(amount + fee.total), pool.tauSeconds)
}

const statusOf = ({ reading, config }: Standing, { tauSeconds, deficit }: MarketView): string => {
  const { data, indexData, jupiter, now, needsAccrue } = reading
  if (!data.active) return 'opening'
  if (tauSeconds === 0) return 'matured'
  if (config.pausedUntil > now) return 'paused'
  // A coupon that can be paid now comes with the next order, and opens it again.
  if (!needsAccrue && freshnessOf(indexData, jupiter.poolApr, now) === 'reduce-only') return 'reduce-only'
  return deficit > 0n ? 'in deficit' : 'open'
}

/** Amounts in atoms, APYs and prices Q64.64. */
export const marketFigures = (standing: Standing) => {
  const { name, walk, reading } = standing
  const view = marketView(walk.state, name, walk.world)
  const { pool } = walk.stored
  return {
    name,
    kind: reading.kind,
    maturity: view.maturity,
    tauSeconds: view.tauSeconds,
    status: statusOf(standing, view),
    view,
    /** Percent, as Jupiter last printed it. */
    officialApr: Number(reading.jupiter.poolApr.feeAprBps) / 100,
    fixedApy: view.tauSeconds === 0 ? undefined : fixedApyOf(pool),
    slot: reading.slot,
    now: reading.now,
  }
}
export type MarketFigures = ReturnType<typeof marketFigures>

export const marketJson = ({ view, ...rest }: MarketFigures) => {
  const { impliedApy, twapRate, ytPrice, ptPrice, depthPerBp, longYt, shortYt, pt, tvl, mostLeverage } = view
  return {
    ...rest,
    impliedApy: digits(impliedApy),
    twapApy: digits(apyFromRate(twapRate)),
    ytPrice: digits(ytPrice),
    ptPrice: digits(ptPrice),
    discount: digits(view.discount),
    ...{ depthPerBp, longYt, shortYt, pt, tvl },
    ...{ lpEquity: view.lpEquity, insuranceFund: view.fund, deficit: view.deficit },
    mostLeverage: { long: digits(mostLeverage.long), short: digits(mostLeverage.short) },
  }
}

export interface Rung {
  /** Implied APY that it takes so much to move to, Q64.64. */
  readonly apy: bigint
  readonly side: 'buy' | 'sell'
  /** YT to buy or sell and what they cost or bring without the fee, atoms; none where there is no liquidity. */
  readonly yt: bigint
  readonly jlp: bigint
}

/** Points of APY from the present one, in bp. */
const STEPS = [500, 200, 100, 50, 25]
const ALL_YT = 1n << 60n

/** What it takes to move the implied APY by some points up and down, dearest first. */
export const ladder = (pool: Pool): Rung[] => {
  const now = apyFromRate(pool.rate)
  const [lowest, highest] = [pool.grid.minTick, pool.grid.maxTick].map(tick => apyFromRate(tickRate(tick)))
  const rung = (bps: number): Rung[] => {
    const apy = now + (BigInt(bps) << 64n) / 10_000n
    if (apy <= lowest! || apy >= highest!) return []
    const side = bps > 0 ? 'buy' : 'sell'
    const limitRate = rateFromApy(apy) as RateQ64
    const moved = quote(pool, { kind: `${side}-yt`, yt: ALL_YT as YtAtoms, limitRate, maxCrossings: 10_000 })
    const [yt, jlp] = moved.kind === 'quoted' ? [moved.filled, moved.amount] : [0n, 0n]
    return [{ apy, side, yt, jlp }]
  }
  return [...STEPS, ...STEPS.map(step => -step).reverse()].flatMap(rung)
}
