/**
 * What liquidity over a range of rates is and brings, by the kernel. Amounts are atoms; what is estimated (how the rate moves, what others
 * trade) is a number and decides nothing.
 */
import {
  accrue,
  addLiquidity,
  apyFromRate,
  type Composition,
  composition,
  earnedSince,
  emptyPosition,
  exp,
  type Grid,
  type JlpAtoms,
  type Liquidity,
  type LiquidityRejected,
  liquidityForDeposit,
  ONE_Q64,
  type Pool,
  type Position,
  type RateQ64,
  rateFromApy,
  shiftQ64,
  tickAtRate,
  tickRate,
  YEAR_SECONDS,
} from '../../../../../amm/index.ts'
import { ytInJlp } from '../../../../../src/exchange/index.ts'
import { q64Of, real, tokens } from '../../format.ts'

export interface Range {
  /** Ticks: bp of the rate. */
  readonly lower: number
  readonly upper: number
}

const DAY = 86_400

// ---- ticks and APYs ---------------------------------------------------------------------------------------------------------

export const apyAtTick = (tick: number): number => real(apyFromRate(tickRate(tick)))

/** The tick of the grid at or below an APY that is a fraction, within the grid. */
export const tickAtApy = (apy: number, grid: Grid): number => {
  if (apy <= apyAtTick(grid.minTick)) return grid.minTick
  if (apy >= apyAtTick(grid.maxTick)) return grid.maxTick
  return tickAtRate(rateFromApy(q64Of(apy)), grid)
}

/** A range whose ends are on the grid and at least a step apart. */
export const rangeAt = (lowerApy: number, upperApy: number, grid: Grid): Range => {
  const lower = Math.min(tickAtApy(lowerApy, grid), grid.maxTick - grid.spacing)
  return { lower, upper: Math.max(tickAtApy(upperApy, grid), lower + grid.spacing) }
}

// ---- a deposit ----------------------------------------------------------------------------------------------------------------

export interface Added {
  readonly kind: 'added'
  readonly liquidity: bigint
  /** JLP that it costs now; less than what may be charged by the tolerance. */
  readonly jlp: bigint
  readonly issued: bigint
  /** YT in inventory, and JLP of ST beside them. */
  readonly inventory: bigint
  readonly st: bigint
  readonly inRange: boolean
  /** Of the liquidity at the present rate, a fraction. */
  readonly share: number
  readonly pool: Pool
  readonly position: Position
}

/** What at most `jlp` buys over a range, as `GET liquidity-quote` answers. */
export const addingTo = (
  pool: Pool,
  { lower, upper }: Range,
  jlp: bigint,
  toleranceBps: number,
): Added | LiquidityRejected => {
  const paid = ((jlp * BigInt(10_000 - toleranceBps)) / 10_000n) as JlpAtoms
  const liquidity = liquidityForDeposit(pool, lower, upper, paid)
  if (liquidity === 0n) return { kind: 'rejected', code: 'deposit-too-small', context: { deposit: paid } }
  const added = addLiquidity(pool, emptyPosition(pool, lower, upper), liquidity as Liquidity)
  if (added.kind === 'rejected') return added
  const { inventory, reserve } = composition(pool, lower, upper, liquidity)
  const inRange = lower <= pool.tick && pool.tick < upper
  return {
    kind: 'added',
    liquidity,
    jlp: added.jlp,
    issued: added.issued,
    inventory: shiftQ64(inventory, 'down'),
    st: shiftQ64(reserve, 'down'),
    inRange,
    share: inRange ? Number(liquidity) / Number(pool.liquidity + liquidity) : 0,
    pool: added.next,
    position: added.position,
  }
}

/** JLP atoms that a position is worth at the pool's rate, what it has earned left out; as `lpView` values it. */
const worthOf = (pool: Pool, { issued }: Position, { inventory, reserve }: Composition): bigint => {
  const yt = shiftQ64(inventory, 'down') - issued
  return (
    shiftQ64(issued * pool.discount, 'down') +
    shiftQ64(reserve, 'down') +
    shiftQ64(yt * ytInJlp(pool.rate, pool), 'down')
  )
}

const compositionOf = (pool: Pool, { lower, upper, liquidity }: Position): Composition =>
  composition(pool, lower, upper, liquidity)

export interface AtRate {
  /** Fractions. */
  readonly apy: number
  /** JLP that the position is worth there. */
  readonly value: number
  /** What a removal would pay besides JLP: PT if YT were sold, YT if they were bought. */
  readonly pt: number
  readonly yt: number
}

/** What a position becomes if the rate goes elsewhere, with nobody else's money. */
export const overRates = ({ pool, position }: Pick<Added, 'pool' | 'position'>, apys: readonly number[]): AtRate[] =>
  apys.map(apy => {
    const there = { ...pool, rate: rateFromApy(q64Of(apy)) as RateQ64 }
    const made = compositionOf(there, position)
    const net = position.issued - shiftQ64(made.inventory, 'down')
    return {
      apy,
      value: tokens(worthOf(there, position, made)),
      pt: tokens(net > 0n ? net : 0n),
      yt: tokens(net < 0n ? -net : 0n),
    }
  })

// ---- what it brings -------------------------------------------------------------------------------------------------------------

export interface Sources {
  readonly days: number
  /** JLP atoms over these days. */
  readonly coupons: bigint
  /** What the position itself is worth more or less, the rate standing still. */
  readonly decay: bigint
  readonly fees: bigint
  readonly net: bigint
  /** Net a year on the deposit, beside what JLP itself earns; a fraction. */
  readonly apr: number
}

/** Estimated: the rate stands still, JLP's pool pays `expectedApy`, and others trade as in the last 24 hours. */
export const sourcesOf = (
  { pool, position, jlp, share }: Added,
  {
    expectedApy,
    feesADay,
    lpShareBps,
    days: most,
  }: {
    readonly expectedApy: number
    /** JLP atoms that all traders paid in 24 hours. */
    readonly feesADay: bigint
    readonly lpShareBps: number
    readonly days: number
  },
): Sources => {
  const seconds = Math.min(Math.round(most * DAY), pool.tauSeconds)
  const days = seconds / DAY
  const grown = exp((rateFromApy(q64Of(expectedApy)) * BigInt(seconds)) / BigInt(YEAR_SECONDS))
  const discount = ((pool.discount * ONE_Q64) / grown) as Pool['discount']
  const later = accrue(pool, { tauSeconds: pool.tauSeconds - seconds, discount })
  const coupons = shiftQ64(earnedSince(later, position).accrued, 'down')
  const decay =
    worthOf(later, position, compositionOf(later, position)) - worthOf(pool, position, compositionOf(pool, position))
  const fees = BigInt(Math.round(Number((feesADay * BigInt(lpShareBps)) / 10_000n) * share * days))
  const net = coupons + decay + fees
  return {
    days,
    coupons,
    decay,
    fees,
    net,
    apr: days === 0 ? 0 : ((Number(net) / Number(jlp)) * 365) / days,
  }
}
