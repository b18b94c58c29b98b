/**
 * Valid inputs by construction. Every generator draws plain numbers and a builder turns them into something the kernel
 * accepts, so nothing has to be thrown away and a failing case shrinks towards zeros.
 */
import fc from 'fast-check'
import {
  accrue,
  addLiquidity,
  collect,
  createPool,
  type DiscountQ64,
  depositFor,
  discountQ64,
  emptyPosition,
  type FeeTerms,
  type Grid,
  type JlpAtoms,
  jlpAtoms,
  type Liquidity,
  liquidityForDeposit,
  MAX_LIQUIDITY,
  MIN_DEPOSIT,
  type Moment,
  ONE_Q64,
  type Order,
  type Pool,
  type Position,
  type PtAtoms,
  type Quote,
  quote,
  type RateQ64,
  type Rejected,
  rateQ64,
  removeLiquidity,
  tickRate,
  touch,
  U64_MAX,
  YEAR_SECONDS,
  type YtAtoms,
} from '../../amm/index.ts'

/** `LAW_RUNS=20 npx vitest run test/laws` searches twenty times as long; a failure prints its seed and path. */
const { LAW_RUNS = '1' } = process.env
const EFFORT = Number(LAW_RUNS)

/** Checks a law on `count` cases. */
export const holds = <T>(arbitrary: fc.Arbitrary<T>, count: number, law: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, law), { numRuns: Math.ceil(count * EFFORT) })

export const TWO_YEARS = 2 * YEAR_SECONDS
export const DEFAULT_GRID: Grid = { spacing: 10, minTick: 50, maxTick: 13_860 }
/** The fee taken out of the trade's way: LPs get none of it, and a law about rounding does not count it. */
export const NO_LP_FEE: FeeTerms = { feeBps: 0, lpShareBps: 0, insuranceShareBps: 0 }
export const DEFAULT_FEES: FeeTerms = { feeBps: 10, lpShareBps: 5000, insuranceShareBps: 5000 }

export const LEAST_DISCOUNT = ONE_Q64 / 20n

// ---- numbers ---------------------------------------------------------------------------------------------------------

/** 64 random bits; 0 is the simplest. */
const bits64 = fc.bigInt({ min: 0n, max: U64_MAX })
const whole32 = fc.integer({ min: 0, max: 0xffff_ffff })

/** `part / 2^64` of the way from `min` to `max`, both reached. */
const between = (min: bigint, max: bigint, part: bigint): bigint =>
  min + (part * (max - min) + (U64_MAX >> 1n)) / U64_MAX

interface MagnitudeSeed {
  readonly size: number
  readonly bits: bigint
}

/** As many small as large values: a random length, then random bits. */
const magnitudeSeed: fc.Arbitrary<MagnitudeSeed> = fc.record({ size: fc.integer({ min: 0, max: 63 }), bits: bits64 })

const magnitude = ({ size, bits }: MagnitudeSeed, max: bigint): bigint => {
  const length = (size * max.toString(2).length) / 64
  const low = 1n << BigInt(Math.floor(length))
  const value = low + (bits % low)
  return value < max ? value : max
}

export const magnitudeUpTo = (max: bigint): fc.Arbitrary<bigint> => magnitudeSeed.map(seed => magnitude(seed, max))

/** 1 second to 2 years. */
export const tauPositive: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(1, 2, 3600, 86_400, 7_430_400, YEAR_SECONDS, TWO_YEARS),
  magnitudeUpTo(BigInt(TWO_YEARS)).map(Number),
)

/** From 1 down to 0.05. */
export const discountNeverRises: fc.Arbitrary<DiscountQ64> = fc.oneof(
  fc.constantFrom(ONE_Q64, ONE_Q64 - 1n, ONE_Q64 / 2n, ONE_Q64 / 3n, LEAST_DISCOUNT),
  bits64.map(part => between(LEAST_DISCOUNT, ONE_Q64, part)),
  magnitudeUpTo(ONE_Q64 >> 1n).map(below => ONE_Q64 - below), // close to 1: an ulp, a coupon
) as fc.Arbitrary<DiscountQ64>

export const feeTermsAddUp: fc.Arbitrary<FeeTerms> = fc.oneof(
  fc.constant(DEFAULT_FEES),
  fc.record({
    feeBps: fc.integer({ min: 0, max: 500 }),
    lpShareBps: fc.constantFrom(0, 1, 3333, 5000, 9999, 10_000),
    insuranceShareBps: fc.constantFrom(0, 1, 3333, 5000, 9999, 10_000),
  }),
)

/** A rate over the whole default grid, often within an ulp of a tick. */
export const rateOverGrid: fc.Arbitrary<RateQ64> = fc.oneof(
  bits64.map(part => between(tickRate(DEFAULT_GRID.minTick), tickRate(DEFAULT_GRID.maxTick), part)),
  fc
    .record({ tick: fc.integer({ min: 51, max: 13_859 }), ulps: fc.bigInt({ min: -2n, max: 2n }) })
    .map(({ tick, ulps }) => tickRate(tick) + ulps),
  fc.constantFrom(tickRate(DEFAULT_GRID.minTick), tickRate(DEFAULT_GRID.maxTick)),
) as fc.Arbitrary<RateQ64>

// ---- orders ----------------------------------------------------------------------------------------------------------

export const ORDER_KINDS = ['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'] as const
export type OrderKind = (typeof ORDER_KINDS)[number]
export const isBuy = (kind: OrderKind): boolean => kind === 'buy-yt' || kind === 'buy-pt'
export const isUp = (kind: OrderKind): boolean => kind === 'buy-yt' || kind === 'sell-pt'
export const isOfPt = (kind: OrderKind): boolean => kind === 'buy-pt' || kind === 'sell-pt'

export interface Limits {
  readonly limitRate?: RateQ64
  readonly maxCrossings?: number
}

export const byFace = (kind: OrderKind, n: bigint, limits: Limits = {}): Order =>
  kind === 'buy-yt' || kind === 'sell-yt'
    ? { ...limits, kind, yt: n as YtAtoms }
    : { ...limits, kind, pt: n as PtAtoms }
export const bySt = (kind: OrderKind, st: bigint, limits: Limits = {}): Order => ({
  ...limits,
  kind,
  st: st as JlpAtoms,
})

/** The limits of an order, for another order under the same. */
export const limitsIn = ({ limitRate, maxCrossings }: Order): Limits => ({
  ...(limitRate === undefined ? {} : { limitRate }),
  ...(maxCrossings === undefined ? {} : { maxCrossings }),
})

export interface OrderSeed {
  readonly kind: OrderKind
  readonly by: 'face' | 'st'
  /** Atoms: a few; anything at all; about what fits the present stretch; about what a share of the liquidity is. */
  readonly size: 'few' | 'any' | 'stretch' | 'share'
  readonly amount: MagnitudeSeed
  readonly limit: 'none' | 'near' | 'far' | 'tick' | 'reached'
  readonly limitPart: bigint
  readonly crossings: number | undefined
}

export const orderSeed: fc.Arbitrary<OrderSeed> = fc.record({
  kind: fc.constantFrom(...ORDER_KINDS),
  by: fc.constantFrom('face', 'st'),
  size: fc.constantFrom('few', 'any', 'stretch', 'share'),
  amount: magnitudeSeed,
  limit: fc.constantFrom('none', 'none', 'none', 'near', 'far', 'tick', 'none', 'reached'),
  limitPart: bits64,
  crossings: fc.constantFrom(undefined, undefined, 0, 1, 3),
})

const EVERYTHING = 1n << 62n

/** YT that the present stretch holds in a direction, and the JLP that go with a face amount. */
export const stretchCapacity = (pool: Pool, kind: OrderKind): bigint => {
  const answer = quote(pool, byFace(kind, EVERYTHING, { maxCrossings: 0 }))
  return answer.kind === 'quoted' ? answer.filled : 0n
}

const sizeOf = (pool: Pool, { kind, by, size, amount }: OrderSeed): bigint => {
  const face = ((): bigint => {
    if (size === 'few') return 1n + (amount.bits % 16n)
    if (size === 'any') return magnitude(amount, 1n << 62n)
    if (size === 'share') return magnitude(amount, pool.liquidity > 10_000n ? pool.liquidity / 10n : 1000n)
    const capacity = stretchCapacity(pool, kind) + (amount.bits % 5n) - 2n
    return capacity > 0n ? capacity : 1n
  })()
  if (by === 'face' || size === 'few' || size === 'any') return face
  const answer = quote(pool, byFace(kind, face))
  return answer.kind === 'quoted' && answer.amount > 0n ? answer.amount : 1n
}

const limitsOf = (pool: Pool, { kind, limit, limitPart, crossings }: OrderSeed): Limits => {
  const up = isUp(kind)
  const edge = tickRate(up ? pool.grid.maxTick : pool.grid.minTick)
  const rate = ((): bigint | undefined => {
    if (limit === 'far') return between(pool.rate, edge, limitPart)
    if (limit === 'near') return between(pool.rate, pool.rate + (edge - pool.rate) / 4096n, limitPart)
    if (limit === 'reached') return up ? pool.rate - (limitPart % 3n) : pool.rate + (limitPart % 3n)
    if (limit !== 'tick' || pool.ticks.length === 0) return undefined
    return pool.ticks[Number(limitPart % BigInt(pool.ticks.length))]!.rate + ((limitPart >> 32n) % 3n) - 1n
  })()
  return {
    ...(rate === undefined ? {} : { limitRate: rate as RateQ64 }),
    ...(crossings === undefined ? {} : { maxCrossings: crossings }),
  }
}

/** The order a seed stands for in a pool: small, large, up to the next tick, with or without limits. */
export const orderFrom = (pool: Pool, seed: OrderSeed): Order =>
  (seed.by === 'face' ? byFace : bySt)(seed.kind, sizeOf(pool, seed), limitsOf(pool, seed))

// ---- liquidity -------------------------------------------------------------------------------------------------------

export interface PositionSeed {
  readonly lower: number
  readonly width: number
  /** Narrow positions leave gaps between them. */
  readonly shape: 'any' | 'narrow' | 'around' | 'whole'
  readonly liquidity: MagnitudeSeed
  /** Liquidity that is left of it: all, or next to nothing (1 to 16). */
  readonly left: 'all' | 'thin'
}

export const positionSeed: fc.Arbitrary<PositionSeed> = fc.record({
  lower: whole32,
  width: whole32,
  shape: fc.constantFrom('any', 'narrow', 'around', 'around', 'whole'),
  liquidity: magnitudeSeed,
  left: fc.constantFrom('all', 'all', 'all', 'all', 'all', 'thin'),
})

export const rangeFrom = (pool: Pool, { lower, width, shape }: PositionSeed): { lower: number; upper: number } => {
  const { spacing, minTick, maxTick } = pool.grid
  const slots = (maxTick - minTick) / spacing
  const here = Math.floor((pool.tick - minTick) / spacing)
  const first =
    shape === 'whole' ? 0 : shape === 'around' ? Math.max(0, Math.min(slots - 1, here - (lower % 8))) : lower % slots
  const span =
    shape === 'whole'
      ? slots
      : shape === 'narrow'
        ? 1 + (width % 3)
        : shape === 'around'
          ? 1 + (width % 16)
          : 1 + (width % slots)
  const last = Math.min(slots, first + span)
  return { lower: minTick + first * spacing, upper: minTick + last * spacing }
}

/** The least liquidity over a range whose deposit is 1 JLP: one more than the most that a little less pays for. */
const leastLiquidity = (pool: Pool, lower: number, upper: number): bigint =>
  liquidityForDeposit(pool, lower, upper, jlpAtoms(MIN_DEPOSIT - 1n)) + 1n

export const liquidityFrom = (pool: Pool, seed: PositionSeed): bigint | undefined => {
  const { lower, upper } = rangeFrom(pool, seed)
  const room = MAX_LIQUIDITY - pool.grossLiquidity
  const drawn = magnitude(seed.liquidity, MAX_LIQUIDITY)
  const wanted = drawn < room ? drawn : room
  if (wanted > 0n && depositFor(pool, lower, upper, wanted as Liquidity).jlp >= MIN_DEPOSIT) return wanted
  const least = leastLiquidity(pool, lower, upper)
  return least > room ? undefined : least
}

/** A pool and everybody's positions in it. */
export interface Market {
  readonly pool: Pool
  readonly positions: readonly Position[]
}

/** Adds the position a seed stands for, or leaves the market as it is if it cannot be (matured, full). */
export const withPosition = (market: Market, seed: PositionSeed): Market => {
  const amount = market.pool.deficit > 0n ? undefined : liquidityFrom(market.pool, seed)
  if (amount === undefined) return market
  const { lower, upper } = rangeFrom(market.pool, seed)
  const added = addLiquidity(market.pool, emptyPosition(market.pool, lower, upper), amount as Liquidity)
  if (added.kind === 'rejected') return market
  let { next: pool, position } = added
  if (seed.left === 'thin') {
    const target = 1n + (seed.liquidity.bits % 16n)
    while (position.liquidity > target) {
      const den = position.liquidity < 1n << 32n ? position.liquidity : 1n << 32n
      const num = den === position.liquidity ? den - target : den - 1n
      const removed = removeLiquidity(pool, position, { num, den })
      if (removed.kind === 'rejected' || removed.liquidity === 0n) break
      pool = removed.next
      position = removed.position
    }
  }
  return { pool, positions: [...market.positions, position] }
}

// ---- markets ---------------------------------------------------------------------------------------------------------

export interface MomentSeed {
  readonly tauPart: bigint
  readonly discountPart: MagnitudeSeed
}

export const momentSeed: fc.Arbitrary<MomentSeed> = fc.record({ tauPart: bits64, discountPart: magnitudeSeed })

/** A later moment: tau down, at least to 1 s; the discount down by at most a hundredth. */
export const laterMoment = (from: Moment, { tauPart, discountPart }: MomentSeed): Moment => {
  const lower = from.discount - magnitude(discountPart, ONE_Q64 / 100n) + 1n
  return {
    tauSeconds: Number(between(from.tauSeconds < 1 ? 0n : 1n, BigInt(from.tauSeconds), tauPart)),
    discount: discountQ64(
      lower < LEAST_DISCOUNT ? (LEAST_DISCOUNT < from.discount ? LEAST_DISCOUNT : from.discount) : lower,
    ),
  }
}

export type PastSeed =
  | { readonly kind: 'trade'; readonly order: OrderSeed }
  | { readonly kind: 'to-tick'; readonly up: boolean; readonly crossings: number }
  | { readonly kind: 'accrue'; readonly to: MomentSeed }
  | { readonly kind: 'remove'; readonly which: number; readonly share: number }
  | { readonly kind: 'add'; readonly position: PositionSeed }
  | { readonly kind: 'collect'; readonly which: number }

const pastSeed: fc.Arbitrary<PastSeed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('trade'), order: orderSeed }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('to-tick'),
      up: fc.boolean(),
      crossings: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('accrue'), to: momentSeed }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove'), which: whole32, share: fc.integer({ min: 1, max: 100 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('add'), position: positionSeed }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('collect'), which: whole32 }) },
) as fc.Arbitrary<PastSeed>

const afterOrder = (market: Market, order: Order): Market => {
  const answer = quote(market.pool, order)
  return answer.kind === 'quoted' ? { ...market, pool: answer.next } : market
}

const replaced = (positions: readonly Position[], at: number, position: Position): readonly Position[] =>
  position.liquidity === 0n ? positions.toSpliced(at, 1) : positions.with(at, position)

export const afterPast = (market: Market, past: PastSeed): Market => {
  const { pool, positions } = market
  switch (past.kind) {
    case 'trade':
      return afterOrder(market, orderFrom(pool, past.order))
    case 'to-tick': // lands on a tick: crossed going up, not crossed going down
      return afterOrder(market, byFace(past.up ? 'buy-yt' : 'sell-yt', EVERYTHING, { maxCrossings: past.crossings }))
    case 'accrue':
      return { ...market, pool: accrue(pool, laterMoment(pool, past.to)) }
    case 'add':
      return withPosition(market, past.position)
    case 'remove': {
      if (positions.length < 2) return market
      const at = past.which % positions.length
      const removed = removeLiquidity(pool, positions[at]!, { num: BigInt(past.share), den: 100n })
      if (removed.kind === 'rejected') return market
      return { pool: removed.next, positions: replaced(positions, at, removed.position) }
    }
    case 'collect': {
      if (positions.length === 0) return market
      const at = past.which % positions.length
      const collected = collect(pool, positions[at]!)
      const position = collected.kind === 'collected' ? collected.position : touch(pool, positions[at]!)
      return { pool, positions: positions.with(at, position) }
    }
  }
}

export interface MarketShape {
  readonly fees?: fc.Arbitrary<FeeTerms>
  readonly tau?: fc.Arbitrary<number>
  readonly discount?: fc.Arbitrary<DiscountQ64>
  readonly grid?: 'default' | 'any'
  readonly past?: number
}

/** A grid on which every rate times tau stays below 4. */
const gridFrom = (tau: number, spacing: number, from: number, to: number): Grid => {
  const top = Math.min(39_999, Math.ceil((40_000 * YEAR_SECONDS) / tau) - 1)
  const slots = Math.floor(top / spacing)
  const first = 1 + (from % (slots - 1))
  const last = first + 1 + (to % (slots - first))
  return { spacing, minTick: first * spacing, maxTick: last * spacing }
}

/**
 * A market in a state that trading reaches: a grid, a moment, one to seven positions (nested, apart, next to nothing,
 * up to the bound), then trades, coupons and liquidity that came and went. The rate rests inside stretches, in gaps that
 * somebody left behind, and exactly on ticks, from either side.
 */
export const reachedMarket = (shape: MarketShape = {}): fc.Arbitrary<Market> =>
  fc
    .record({
      tau: shape.tau ?? tauPositive,
      discount: shape.discount ?? discountNeverRises,
      fees: shape.fees ?? feeTermsAddUp,
      gridKind:
        shape.grid === 'default'
          ? fc.constant('default' as const)
          : fc.constantFrom('default' as const, 'any' as const),
      spacing: fc.constantFrom(1, 10, 100, 1000),
      from: whole32,
      to: whole32,
      ratePart: bits64,
      rateOn: fc.constantFrom('between', 'between', 'between', 'tick', 'tick', 'bottom', 'top'),
      positions: fc.array(positionSeed, { minLength: 1, maxLength: 7 }),
      past: fc.array(pastSeed, { maxLength: shape.past ?? 6 }),
    })
    .map(seed => {
      const grid = seed.gridKind === 'default' ? DEFAULT_GRID : gridFrom(seed.tau, seed.spacing, seed.from, seed.to)
      const slots = BigInt((grid.maxTick - grid.minTick) / grid.spacing)
      const rate =
        seed.rateOn === 'bottom'
          ? tickRate(grid.minTick)
          : seed.rateOn === 'top'
            ? tickRate(grid.maxTick)
            : seed.rateOn === 'tick'
              ? tickRate(grid.minTick + Number(between(0n, slots, seed.ratePart)) * grid.spacing)
              : between(tickRate(grid.minTick), tickRate(grid.maxTick), seed.ratePart)
      const pool = createPool({
        grid,
        fees: seed.fees,
        rate: rateQ64(rate),
        tauSeconds: seed.tau,
        discount: seed.discount,
      })
      const stocked = seed.positions.reduce(withPosition, { pool, positions: [] } as Market)
      return seed.past.reduce(afterPast, stocked)
    })

/** One stretch over the default grid, with liquidity from 1 to the bound: where noise is largest and nothing is crossed. */
export const oneStretch = (shape: { readonly most?: bigint } = {}): fc.Arbitrary<Pool> =>
  fc
    .record({
      tau: tauPositive,
      discount: discountNeverRises,
      rate: rateOverGrid,
      liquidity: fc.oneof(fc.constant(shape.most ?? MAX_LIQUIDITY), magnitudeUpTo(shape.most ?? MAX_LIQUIDITY)),
    })
    .map(({ tau, discount, rate, liquidity }) => stretchOf({ tauSeconds: tau, discount }, rate, liquidity))

/** The pool of `oneStretch`, by hand: a deposit of this little liquidity would be below 1 JLP. */
export const stretchOf = (moment: Moment, rate: RateQ64, liquidity: bigint): Pool => {
  const pool = createPool({ grid: DEFAULT_GRID, fees: NO_LP_FEE, rate, ...moment })
  const tick = (index: number, net: bigint) => ({
    index,
    rate: tickRate(index),
    net,
    gross: liquidity,
    fall: 0n,
    feeGrowthOutside: 0n,
  })
  return {
    ...pool,
    liquidity: pool.tick < DEFAULT_GRID.maxTick ? liquidity : 0n,
    grossLiquidity: liquidity,
    ticks: [tick(DEFAULT_GRID.minTick, liquidity), tick(DEFAULT_GRID.maxTick, -liquidity)],
  }
}

// ---- what laws ask for -----------------------------------------------------------------------------------------------

/** The quote, or undefined if the order is refused. */
export const quoted = (pool: Pool, order: Order): Quote | undefined => {
  const answer = quote(pool, order)
  return answer.kind === 'quoted' ? answer : undefined
}

export const rejected = (pool: Pool, order: Order): Rejected['code'] | undefined => {
  const answer = quote(pool, order)
  return answer.kind === 'rejected' ? answer.code : undefined
}

/** Freezes a value and all that hangs on it, so that any write to it throws. */
export const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}

export const floorJlp = (n: bigint, discount: bigint): bigint => (n * discount) >> 64n
export const ceilJlp = (n: bigint, discount: bigint): bigint => -(-(n * discount) >> 64n)
