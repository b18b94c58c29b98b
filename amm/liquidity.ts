/**
 * Liquidity positions (docs/protocol.md section 5).
 *
 * A position provides L over a rate range [a, b]. At the rate c = clamp(s, a, b) it holds L*(b - c) YT and, in JLP,
 * L*(V(c) - V(a)) of ST. The YT were issued against the LP's own ST, 1 for 1, which stay in reserve: reserve and YT debt
 * together are PT, so an LP cannot be liquidated and never owes. Coupons on the inventory, ST freed as maturity nears and
 * fees are earned by every position at once, in O(1), through cumulative figures per unit of liquidity.
 */
import { KernelError } from './errors.ts'
import { divide, mulDiv, shiftQ64 } from './fixed.ts'
import { largestNear } from './inverse.ts'
import { cumulativeFall, findTick, firstTickAbove, type Pool, type Tick } from './pool.ts'
import { checkTick, faceValue, tickRate, ytValue } from './rate.ts'
import {
  liquidity as checkLiquidity,
  type JlpAtoms,
  jlpAtoms,
  type Liquidity,
  MAX_LIQUIDITY,
  type PtAtoms,
  type YtAtoms,
} from './units.ts'

export interface Position {
  readonly lower: number
  readonly upper: number
  readonly liquidity: bigint
  /** YT issued, and as many ST atoms in reserve against them. */
  readonly issued: YtAtoms
  /** `accruedPerLiquidity` and `feesPerLiquidity` when the position was last touched. */
  readonly accruedBefore: bigint
  readonly feesBefore: bigint
  /** Coupons, freed ST and fees earned and not yet paid out. */
  readonly uncollected: JlpAtoms
}

/** A refusal: nothing changes. */
export interface LiquidityRejected {
  readonly kind: 'rejected'
  readonly code:
    | 'matured' // liquidity is added only before maturity
    | 'deficit-stands' // losses are not yet covered: adding is closed
    | 'liquidity-limit' // the market's gross liquidity would exceed MAX_LIQUIDITY
    | 'deposit-too-small' // below 1 JLP
    | 'share-out-of-range' // a share is num/den with 0 < num <= den, of at least one unit of liquidity
    | 'position-empty' // nothing to remove or collect
  readonly context: Readonly<Record<string, bigint | number>>
}

const reject = (code: LiquidityRejected['code'], context: LiquidityRejected['context']): LiquidityRejected => ({
  kind: 'rejected',
  code,
  context,
})

/** The least deposit: 1 JLP. */
export const MIN_DEPOSIT = 1_000_000n
/** Shares are given as num/den with den at most this. */
export const MAX_SHARE_DENOMINATOR = 1n << 32n

/** What `liquidity` over [lower, upper] is made of at the pool's rate and moment; nothing here depends on who holds it. */
export interface Composition {
  /** `L * (b - c)`, Q64.64 YT atoms. */
  readonly inventory: bigint
  /** `L * (V(c) - V(a))`, Q64.64 JLP atoms. */
  readonly reserve: bigint
}

export const composition = (pool: Pool, lower: number, upper: number, liquidity: bigint): Composition => {
  const a = tickRate(lower)
  const b = tickRate(upper)
  const c = pool.rate < a ? a : pool.rate > b ? b : pool.rate
  return {
    inventory: liquidity * (b - c),
    reserve: c === a ? 0n : liquidity * (ytValue(c, pool) - ytValue(a, pool)),
  }
}

/**
 * JLP per unit of liquidity, Q64.64, that time has earned a position over [lower, upper], up to a constant:
 * `S(a) + G_a - S(b) - G_b`, whose growth is coupons on the inventory plus ST freed from the reserve.
 */
const accruedPerLiquidity = (pool: Pool, lower: Tick, upper: Tick): bigint =>
  faceValue(lower.rate, pool.discount) +
  cumulativeFall(pool, lower) -
  faceValue(upper.rate, pool.discount) -
  cumulativeFall(pool, upper)

/** Fees per unit of liquidity earned inside [lower, upper], up to a constant. */
const feesPerLiquidity = (pool: Pool, lower: Tick, upper: Tick): bigint => {
  const below = pool.tick >= lower.index ? lower.feeGrowthOutside : pool.feeGrowth - lower.feeGrowthOutside
  const above = pool.tick < upper.index ? upper.feeGrowthOutside : pool.feeGrowth - upper.feeGrowthOutside
  return pool.feeGrowth - below - above
}

const boundsOf = (pool: Pool, position: Position): { lower: Tick; upper: Tick } => {
  const lower = findTick(pool.ticks, position.lower)
  const upper = findTick(pool.ticks, position.upper)
  if (lower === undefined || upper === undefined) {
    throw new KernelError('bad-parameter', 'The position does not belong to this pool: its ticks are not initialised', {
      lower: position.lower,
      upper: position.upper,
    })
  }
  return { lower, upper }
}

/** What a position has earned since it was last touched, Q64.64 JLP atoms, by source. */
export interface Earned {
  /** Coupons on the inventory and ST freed from the reserve. */
  readonly accrued: bigint
  readonly fees: bigint
}

export const earnedSince = (pool: Pool, position: Position): Earned => {
  if (position.liquidity === 0n) return { accrued: 0n, fees: 0n }
  const { lower, upper } = boundsOf(pool, position)
  return {
    accrued: position.liquidity * (accruedPerLiquidity(pool, lower, upper) - position.accruedBefore),
    fees: position.liquidity * (feesPerLiquidity(pool, lower, upper) - position.feesBefore),
  }
}

/**
 * Brings `uncollected` up to date, rounded down. The sum can be below zero after coupons smaller than the last ulps of the
 * curve's functions (at most 14 ulp times L each): then the position waits, nothing is credited and nothing forgotten.
 */
export const touch = (pool: Pool, position: Position): Position => {
  const { accrued, fees } = earnedSince(pool, position)
  const earned = accrued + fees
  if (position.liquidity === 0n || earned < 0n) return position
  const { lower, upper } = boundsOf(pool, position)
  return {
    ...position,
    accruedBefore: accruedPerLiquidity(pool, lower, upper),
    feesBefore: feesPerLiquidity(pool, lower, upper),
    uncollected: jlpAtoms(position.uncollected + shiftQ64(earned, 'down')),
  }
}

const checkRange = (pool: Pool, lower: number, upper: number): void => {
  checkTick(lower, pool.grid)
  checkTick(upper, pool.grid)
  if (lower >= upper) {
    throw new KernelError('bad-parameter', 'The lower tick must be below the upper tick', { lower, upper })
  }
}

/** An empty position over a range of the grid, `lower < upper`. */
export const emptyPosition = (pool: Pool, lower: number, upper: number): Position => {
  checkRange(pool, lower, upper)
  return {
    lower,
    upper,
    liquidity: 0n,
    issued: 0n as YtAtoms,
    accruedBefore: 0n,
    feesBefore: 0n,
    uncollected: 0n as JlpAtoms,
  }
}

export interface Deposit {
  /** YT issued and ST atoms put in reserve against them: `ceil(L * (b - c))`. */
  readonly issued: YtAtoms
  /** JLP to pay: `ceil(D * issued) + ceil(L * (V(c) - V(a)))`. */
  readonly jlp: JlpAtoms
}

/** What adding `liquidity` over a range costs; the LP owes it, so each part rounds up. */
export const depositFor = (pool: Pool, lower: number, upper: number, liquidity: Liquidity): Deposit => {
  checkRange(pool, lower, upper)
  const { inventory, reserve } = composition(pool, lower, upper, liquidity)
  const issued = shiftQ64(inventory, 'up')
  const jlp = shiftQ64(issued * pool.discount, 'up') + shiftQ64(reserve, 'up')
  return { issued: issued as YtAtoms, jlp: jlpAtoms(jlp) }
}

/** The most liquidity over a range that `jlp` pays for, at most MAX_LIQUIDITY; 0 if it pays for none. */
export const liquidityForDeposit = (pool: Pool, lower: number, upper: number, jlp: JlpAtoms): bigint => {
  checkRange(pool, lower, upper)
  const one = composition(pool, lower, upper, 1n)
  const perLiquidity = shiftQ64(one.inventory * pool.discount, 'up') + one.reserve // Q64.64 JLP
  if (perLiquidity === 0n) return 0n // at maturity, above the range: there is nothing to pay for
  const guess = ((jlp as bigint) << 64n) / perLiquidity // leaves out three roundings of an atom each
  return largestNear(n => n === 0n || depositFor(pool, lower, upper, n as Liquidity).jlp <= jlp, MAX_LIQUIDITY, guess)
}

export interface Added extends Deposit {
  readonly kind: 'added'
  readonly position: Position
  readonly next: Pool
}

/** Adds liquidity to a position (empty or not) for `depositFor` JLP. */
export const addLiquidity = (pool: Pool, position: Position, amount: Liquidity): Added | LiquidityRejected => {
  const added = checkLiquidity(amount)
  const { lower, upper } = position
  if (pool.tauSeconds === 0) return reject('matured', {})
  if (pool.deficit > 0n) return reject('deficit-stands', { deficit: pool.deficit })
  const grossLiquidity = pool.grossLiquidity + added
  if (grossLiquidity > MAX_LIQUIDITY) {
    return reject('liquidity-limit', { wanted: added, available: MAX_LIQUIDITY - pool.grossLiquidity })
  }
  const { issued, jlp } = depositFor(pool, lower, upper, added)
  if (jlp < MIN_DEPOSIT) return reject('deposit-too-small', { deposit: jlp, least: MIN_DEPOSIT })

  const touched = touch(pool, position)
  const next = changeLiquidity(pool, lower, upper, added)
  const bounds = boundsOf(next, position)
  const fresh = position.liquidity === 0n
  return {
    kind: 'added',
    issued,
    jlp,
    position: {
      ...touched,
      liquidity: touched.liquidity + added,
      issued: (touched.issued + issued) as YtAtoms,
      accruedBefore: fresh ? accruedPerLiquidity(next, bounds.lower, bounds.upper) : touched.accruedBefore,
      feesBefore: fresh ? feesPerLiquidity(next, bounds.lower, bounds.upper) : touched.feesBefore,
    },
    next: { ...next, grossLiquidity },
  }
}

/** What a removal pays, in kind; every part rounds down by itself. */
export interface Removed {
  readonly kind: 'removed'
  readonly liquidity: bigint
  /** JLP to pay out: ST freed from the reserve and from issued YT that came back, and uncollected earnings. */
  readonly jlp: JlpAtoms
  /** PT to pay out: issued YT that are out with traders, as principal (net sold). */
  readonly pt: PtAtoms
  /** YT to pay out: inventory beyond what was issued (net bought). */
  readonly yt: YtAtoms
  readonly issued: YtAtoms
  readonly position: Position
  readonly next: Pool
}

/** Removes the share `num/den` of a position. Open for ever, after maturity too. */
export const removeLiquidity = (
  pool: Pool,
  position: Position,
  share: { readonly num: bigint; readonly den: bigint },
): Removed | LiquidityRejected => {
  const { num, den } = share
  if (num <= 0n || num > den || den > MAX_SHARE_DENOMINATOR) return reject('share-out-of-range', { num, den })
  const touched = touch(pool, position)
  if (touched.liquidity === 0n) return reject('position-empty', {})
  const part = (whole: bigint): bigint => mulDiv(whole, num, den, 'down')
  const removed = part(touched.liquidity)
  if (removed === 0n) return reject('share-out-of-range', { num, den, liquidity: touched.liquidity })
  const issued = part(touched.issued)
  const uncollected = part(touched.uncollected)
  const { inventory, reserve } = composition(pool, touched.lower, touched.upper, removed)
  const { accrued, fees } = earnedSince(pool, touched) // 0, or what the touch left waiting, below 0
  const waiting = divide((accrued + fees) * removed, touched.liquidity, 'down')
  const st = shiftQ64(reserve + waiting, 'down')
  const yt = shiftQ64(inventory, 'down')
  const cameBack = yt < issued ? yt : issued
  const next = changeLiquidity(pool, touched.lower, touched.upper, -removed)
  return {
    kind: 'removed',
    liquidity: removed,
    jlp: jlpAtoms(shiftQ64(cameBack * pool.discount, 'down') + (st > 0n ? st : 0n) + uncollected),
    pt: (issued - cameBack) as PtAtoms,
    yt: (yt - cameBack) as YtAtoms,
    issued: issued as YtAtoms,
    position: {
      ...touched,
      liquidity: touched.liquidity - removed,
      issued: (touched.issued - issued) as YtAtoms,
      uncollected: (touched.uncollected - uncollected) as JlpAtoms,
    },
    next: { ...next, grossLiquidity: pool.grossLiquidity - removed },
  }
}

export interface Collected {
  readonly kind: 'collected'
  readonly jlp: JlpAtoms
  readonly position: Position
}

/** Pays out all that a position has earned. The pool does not change. */
export const collect = (pool: Pool, position: Position): Collected | LiquidityRejected => {
  const touched = touch(pool, position)
  if (touched.uncollected === 0n) return reject('position-empty', {})
  return { kind: 'collected', jlp: touched.uncollected, position: { ...touched, uncollected: 0n as JlpAtoms } }
}

/** Books a change of liquidity over a range into its two ticks, which are initialised or dropped as needed. */
const changeLiquidity = (pool: Pool, lower: number, upper: number, change: bigint): Pool => {
  if (change === 0n) return pool
  const ticks = changeTick(changeTick(pool.ticks, pool, lower, change, change), pool, upper, -change, change)
  const inRange = lower <= pool.tick && pool.tick < upper
  return { ...pool, ticks, liquidity: inRange ? pool.liquidity + change : pool.liquidity }
}

const changeTick = (ticks: readonly Tick[], pool: Pool, index: number, net: bigint, gross: bigint): readonly Tick[] => {
  const at = firstTickAbove(ticks, index)
  const found = ticks[at - 1]
  if (found?.index !== index) {
    // The start of `fall` is arbitrary: positions keep differences. Growth so far counts as below the tick.
    const feeGrowthOutside = pool.tick >= index ? pool.feeGrowth : 0n
    const tick: Tick = { index, rate: tickRate(index), net, gross, fall: 0n, feeGrowthOutside }
    return [...ticks.slice(0, at), tick, ...ticks.slice(at)]
  }
  const changed = { ...found, net: found.net + net, gross: found.gross + gross }
  return changed.gross === 0n ? ticks.toSpliced(at - 1, 1) : ticks.with(at - 1, changed)
}
