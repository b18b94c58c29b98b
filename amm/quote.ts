/**
 * Quotes in every direction. A quote is the trade: it returns the figures a trader wants to see and the pool as it stands
 * afterwards, so quoting and trading cannot disagree.
 */
import { KernelError } from './errors.ts'
import { type FeeSplit, feeOn } from './fee.ts'
import { mulDiv, ONE_Q64, shiftQ64 } from './fixed.ts'
import { crossed, type Pool, type Tick } from './pool.ts'
import { apyFromRate, ptPrice, ytPrice } from './rate.ts'
import { type Budget, type Path, type StoppedBy, walk } from './swap.ts'
import {
  type GrowthQ64,
  type JlpAtoms,
  jlpAtoms,
  MAX_RATE,
  type PriceQ64,
  type PtAtoms,
  ptAtoms,
  type RateQ64,
  rateQ64,
  type YtAtoms,
  ytAtoms,
} from './units.ts'

/** Most ticks that one trade crosses unless the order says otherwise; beyond it the fill is partial. */
export const MAX_CROSSINGS = 64

interface OrderLimits {
  /** The worst rate: a trade that would move the rate past it stops there. */
  readonly limitRate?: RateQ64
  readonly maxCrossings?: number
  /** Stops at the edge of the liquidity in range instead of passing through a stretch that has none. */
  readonly withinLiquidity?: boolean
}

/**
 * What to trade: by exact number of YT or PT, or by exact ST (given in JLP atoms, see units.ts), fee not included.
 * - buy-yt: pay ST for YT. With `st`, the most YT that it pays for.
 * - sell-yt: YT for ST. With `st`, the fewest YT that bring it.
 * - buy-pt: ST is split, the YT sold, the PT kept. With `st`, the most PT that it pays for.
 * - sell-pt: YT is bought and merged with the PT. With `st`, the fewest PT that bring it.
 */
export type Order = OrderLimits &
  (
    | { readonly kind: 'buy-yt' | 'sell-yt'; readonly yt: YtAtoms }
    | { readonly kind: 'buy-pt' | 'sell-pt'; readonly pt: PtAtoms }
    | { readonly kind: 'buy-yt' | 'sell-yt' | 'buy-pt' | 'sell-pt'; readonly st: JlpAtoms }
  )

export interface Quote {
  readonly kind: 'quoted'
  /** False if the trade stopped before all was filled; `stoppedBy` says why. */
  readonly complete: boolean
  readonly stoppedBy: StoppedBy
  /** YT bought or sold; for a PT order the same number of PT sold or bought. */
  readonly filled: bigint
  /** JLP that the trader pays (buys; rounded up, at least 1) or receives (sells; rounded down), fee not included. */
  readonly amount: JlpAtoms
  /** JLP value of the YT swap inside: what the fee is charged on. For YT orders it is `amount`. */
  readonly stLeg: JlpAtoms
  readonly fee: FeeSplit
  /** Average price, ST per YT or per PT, Q64.64, rounded down, without the fee. */
  readonly averagePrice: PriceQ64
  /** Spot price of the same token before the trade. */
  readonly spotBefore: PriceQ64
  /** Average price against spot before, in bp, against the trader when positive; to 1/100 bp. */
  readonly impactBp: number
  readonly rateBefore: RateQ64
  readonly rateAfter: RateQ64
  /** Implied APY, Q64.64. */
  readonly apyBefore: bigint
  readonly apyAfter: bigint
  readonly ticksCrossed: number
  readonly next: Pool
}

/** Nothing was traded and nothing changes. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly code:
    | 'zero-amount'
    | 'matured' // YT trades only before maturity
    | 'limit-reached' // the rate is at or past the limit, or there is no liquidity before it
    | 'crossings-reached' // no liquidity before as many ticks as may be crossed
    | 'no-liquidity' // none in that direction
    | 'amount-too-small' // the amount does not pay for one atom
  readonly context: Readonly<Record<string, bigint | number>>
}

const reject = (code: Rejected['code'], context: Rejected['context']): Rejected => ({ kind: 'rejected', code, context })

/** Quotes `order` against `pool`: the figures and the next state, or the reason why nothing would be traded. */
export const quote = (pool: Pool, order: Order): Quote | Rejected => {
  if ('st' in order && ('yt' in order || 'pt' in order)) {
    throw new KernelError('bad-parameter', 'An order is by exact ST or by exact YT or PT, not both')
  }
  const wanted = 'st' in order ? jlpAtoms(order.st) : 'yt' in order ? ytAtoms(order.yt) : ptAtoms(order.pt)
  const maxCrossings = order.maxCrossings ?? MAX_CROSSINGS
  if (!Number.isInteger(maxCrossings) || maxCrossings < 0) {
    throw new KernelError('bad-parameter', 'maxCrossings must be a whole number from 0', { maxCrossings })
  }
  if (wanted === 0n) return reject('zero-amount', { wanted })
  if (pool.tauSeconds === 0) return reject('matured', {})
  const ofPt = order.kind === 'buy-pt' || order.kind === 'sell-pt'
  const pays = order.kind === 'buy-yt' || order.kind === 'buy-pt'
  const up = pays !== ofPt // buying YT, or buying it to merge with PT
  const limitRate = order.limitRate === undefined ? (up ? MAX_RATE : 0n) : rateQ64(order.limitRate)
  const budget: Budget =
    'st' in order
      ? { kind: 'jlp', of: ofPt ? 'pt' : 'yt', find: pays ? 'most' : 'fewest', amount: wanted << 64n }
      : { kind: 'yt', yt: wanted }

  const path = walk(pool, up, budget, limitRate, maxCrossings, order.withinLiquidity)
  if (path.yt === 0n) {
    if (path.stoppedBy === 'limit') return reject('limit-reached', { rate: pool.rate, limitRate })
    if (path.stoppedBy === 'crossings') return reject('crossings-reached', { maxCrossings })
    if (path.stoppedBy === 'filled') return reject('amount-too-small', { wanted })
    return reject('no-liquidity', { rate: pool.rate, liquidity: pool.liquidity })
  }

  // The pool takes the upper whole atom of what it is owed and gives the lower of what it owes.
  const stLeg = up ? atLeastOne(shiftQ64(path.area, 'up')) : shiftQ64(path.area, 'down')
  const exactAmount = ofPt ? path.yt * pool.discount - path.area : path.area
  // Selling a few PT through stretches too thin for one atom can cost more than they are worth.
  if (!pays && exactAmount < 0n) return reject('amount-too-small', { wanted })
  const amount = pays ? atLeastOne(shiftQ64(exactAmount, 'up')) : shiftQ64(exactAmount, 'down')
  const fee = feeOn(stLeg, pool.fees, pool.deficit)
  const spot = (ofPt ? ptPrice : ytPrice)(pool.rate, pool.tauSeconds)
  const averagePrice = mulDiv(amount << 64n, ONE_Q64, path.yt * pool.discount, 'down')
  const rateAfter = path.rate as RateQ64
  return {
    kind: 'quoted',
    complete: path.stoppedBy === 'filled',
    stoppedBy: path.stoppedBy,
    filled: path.yt,
    amount: amount as JlpAtoms,
    stLeg: stLeg as JlpAtoms,
    fee,
    averagePrice: averagePrice as PriceQ64,
    spotBefore: spot,
    impactBp: impactBp(pays ? averagePrice - spot : spot - averagePrice, spot),
    rateBefore: pool.rate,
    rateAfter,
    apyBefore: apyFromRate(pool.rate),
    apyAfter: apyFromRate(rateAfter),
    ticksCrossed: path.crossings,
    next: settle(pool, path, up, stLeg, fee),
  }
}

const atLeastOne = (amount: bigint): bigint => (amount > 0n ? amount : 1n)
const impactBp = (worse: bigint, spot: bigint): number => (spot === 0n ? 0 : Number((worse * 1_000_000n) / spot) / 100)

/**
 * The pool after a walk: fees grow stretch by stretch (by the whole atoms of each stretch's ST leg, the rest to the last),
 * and each tick is crossed with the fee growth of the moment it was crossed at.
 */
const settle = (pool: Pool, path: Path, up: boolean, stLeg: bigint, fee: FeeSplit): Pool => {
  let lastFill = path.steps.length - 1
  while (path.steps[lastFill]!.kind !== 'fill') lastFill--
  let feeGrowth: bigint = pool.feeGrowth
  let feeLeft: bigint = fee.lp
  let ticks: Tick[] | undefined
  for (let i = 0; i < path.steps.length; i++) {
    const step = path.steps[i]!
    if (step.kind === 'fill') {
      const share = i === lastFill ? feeLeft : mulDiv(fee.lp, step.area >> 64n, atLeastOne(stLeg), 'down')
      feeLeft -= share
      feeGrowth += (share << 64n) / step.liquidity
    } else {
      ticks ??= [...pool.ticks]
      ticks[step.at] = crossed(ticks[step.at]!, pool, { up, feeGrowth, ytValueAtTick: step.value })
    }
  }
  return {
    ...pool,
    rate: path.rate as RateQ64,
    tick: path.tick,
    liquidity: path.liquidity,
    ticks: ticks ?? pool.ticks,
    feeGrowth: feeGrowth as GrowthQ64,
    deficit: (pool.deficit - fee.repaid) as JlpAtoms,
  }
}
