import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accrue,
  addLiquidity,
  collect,
  composition,
  createPool,
  earnedSince,
  emptyPosition,
  type Liquidity,
  MAX_LIQUIDITY,
  type Pool,
  type Position,
  quote,
  rateQ64,
  removeLiquidity,
  tickRate,
} from '../../amm/index.ts'
import {
  byFace,
  DEFAULT_FEES,
  DEFAULT_GRID,
  discountNeverRises,
  isBuy,
  isOfPt,
  laterMoment,
  type MomentSeed,
  magnitudeUpTo,
  momentSeed,
  type OrderSeed,
  orderFrom,
  orderSeed,
  TWO_YEARS,
} from './generators.ts'

const { LAW_RUNS = '1' } = process.env

/** Eleven ticks to begin and end on, so that they are met, emptied and set up again all the time. */
const FIRST_TICK = 3000
const SLOTS = 10
const tickOf = (slot: number): number => FIRST_TICK + slot * DEFAULT_GRID.spacing

/** The model: nothing but the list of positions. */
interface Held {
  readonly lower: number
  readonly upper: number
  liquidity: bigint
}
interface Model {
  readonly held: Held[]
}

/** The kernel's state, and a ledger of what went in and out of the vault. */
interface Real {
  pool: Pool
  positions: Position[]
  /** JLP atoms in the vault, and YT and PT out with traders. */
  vault: bigint
  yt: bigint
  pt: bigint
  /** Ulps by which the last bits of S may have raised claims: 2 for each unit of liquidity and coupon. */
  ulps: bigint
}

type Step = fc.Command<Model, Real>

/** Every figure of the pool that can be had from the list of positions, had from the list of positions. */
const audit = ({ held }: Model, real: Real): void => {
  const { pool, positions } = real
  const ticks = new Map<number, { net: bigint; gross: bigint }>()
  for (const { lower, upper, liquidity } of held) {
    for (const [index, net] of [
      [lower, liquidity],
      [upper, -liquidity],
    ] as const) {
      const tick = ticks.get(index) ?? { net: 0n, gross: 0n }
      ticks.set(index, { net: tick.net + net, gross: tick.gross + liquidity })
    }
  }
  const expected = [...ticks]
    .filter(([, { gross }]) => gross > 0n)
    .sort(([a], [b]) => a - b)
    .map(([index, { net, gross }]) => ({ index, rate: tickRate(index), net, gross }))
  expect(pool.ticks.map(({ index, rate, net, gross }) => ({ index, rate, net, gross }))).toEqual(expected)
  expect(pool.ticks.reduce((sum, { net }) => sum + net, 0n)).toBe(0n)
  const atOrBelow = pool.ticks.reduce((sum, { index, net }) => (index <= pool.tick ? sum + net : sum), 0n)
  expect(pool.liquidity).toBe(atOrBelow)
  const inRange = held.filter(({ lower, upper }) => lower <= pool.tick && pool.tick < upper)
  expect(pool.liquidity).toBe(inRange.reduce((sum, { liquidity }) => sum + liquidity, 0n))
  expect(pool.grossLiquidity).toBe(held.reduce((sum, { liquidity }) => sum + liquidity, 0n))
  expect(positions.map(({ lower, upper, liquidity }) => ({ lower, upper, liquidity }))).toEqual(held)
  ledger(real)
}

/** Both identities of docs/protocol.md section 3, in 2^-64 of an atom. */
const ledger = ({ pool, positions, vault, yt, pt, ulps }: Real): void => {
  let jlpDust = (vault << 64n) - pt * pool.discount
  let ytDust = -((yt - pt) << 64n)
  for (const position of positions) {
    const { inventory, reserve } = composition(pool, position.lower, position.upper, position.liquidity)
    const { accrued, fees } = earnedSince(pool, position)
    jlpDust -= position.issued * pool.discount + reserve + (position.uncollected << 64n) + accrued + fees
    ytDust -= inventory - (position.issued << 64n)
  }
  expect(jlpDust, 'JLP dust').toBeGreaterThanOrEqual(-ulps)
  expect(ytDust, 'YT dust').toBeGreaterThanOrEqual(0n)
}

class Add implements Step {
  constructor(
    readonly lower: number,
    readonly width: number,
    readonly amount: bigint,
  ) {}
  check = () => true
  run(model: Model, real: Real): void {
    const lower = tickOf(this.lower % SLOTS)
    const upper = Math.min(tickOf(SLOTS), lower + (1 + (this.width % SLOTS)) * DEFAULT_GRID.spacing)
    const at = real.positions.findIndex(held => held.lower === lower && held.upper === upper)
    const position = real.positions[at] ?? emptyPosition(real.pool, lower, upper)
    const answer = addLiquidity(real.pool, position, this.amount as Liquidity)
    if (answer.kind === 'added') {
      real.pool = answer.next
      real.vault += answer.jlp
      if (at < 0) {
        real.positions.push(answer.position)
        model.held.push({ lower, upper, liquidity: this.amount })
      } else {
        real.positions[at] = answer.position
        model.held[at]!.liquidity += this.amount
      }
    }
    audit(model, real)
  }
  toString = () => `add(${this.lower}, ${this.width}, ${this.amount})`
}

class Remove implements Step {
  constructor(
    readonly which: number,
    readonly num: bigint,
  ) {}
  check = (model: Readonly<Model>) => model.held.length > 0
  run(model: Model, real: Real): void {
    const at = this.which % real.positions.length
    const answer = removeLiquidity(real.pool, real.positions[at]!, { num: this.num, den: 64n })
    if (answer.kind === 'removed') {
      real.pool = answer.next
      real.positions[at] = answer.position
      real.vault -= answer.jlp
      real.yt += answer.yt
      real.pt += answer.pt
      model.held[at]!.liquidity -= (model.held[at]!.liquidity * this.num) / 64n
      if (answer.position.liquidity === 0n) {
        real.positions.splice(at, 1)
        model.held.splice(at, 1)
      }
    }
    audit(model, real)
  }
  toString = () => `remove(${this.which}, ${this.num}/64)`
}

class Collect implements Step {
  constructor(readonly which: number) {}
  check = (model: Readonly<Model>) => model.held.length > 0
  run(model: Model, real: Real): void {
    const at = this.which % real.positions.length
    const answer = collect(real.pool, real.positions[at]!)
    if (answer.kind === 'collected') {
      real.positions[at] = answer.position
      real.vault -= answer.jlp
    }
    audit(model, real)
  }
  toString = () => `collect(${this.which})`
}

class Trade implements Step {
  constructor(
    readonly seed: OrderSeed,
    readonly toTick: boolean,
  ) {}
  check = () => true
  run(model: Model, real: Real): void {
    const { kind } = this.seed
    const order = this.toTick ? byFace(kind, 1n << 62n, { maxCrossings: 1 }) : orderFrom(real.pool, this.seed)
    const answer = quote(real.pool, order)
    if (answer.kind === 'quoted') {
      const side = isBuy(kind) ? 1n : -1n
      real.pool = answer.next
      real.vault += side * answer.amount + answer.fee.lp
      if (isOfPt(kind)) real.pt += side * answer.filled
      else real.yt += side * answer.filled
    }
    audit(model, real)
  }
  toString = () =>
    `trade(${this.toTick ? 'to a tick' : ''} ${JSON.stringify(this.seed, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))})`
}

class Accrue implements Step {
  constructor(readonly seed: MomentSeed) {}
  check = () => true
  run(model: Model, real: Real): void {
    const to = laterMoment(real.pool, this.seed)
    // Holders are paid their coupons, rounded down; who owes YT pays them, rounded up.
    real.vault -= (real.yt * (real.pool.discount - to.discount)) >> 64n
    real.pool = accrue(real.pool, to)
    real.ulps += 2n * real.pool.grossLiquidity
    audit(model, real)
  }
  toString = () => `accrue(${this.seed.tauPart}, ${this.seed.discountPart.size})`
}

const small = fc.nat({ max: SLOTS - 1 })
const amount = magnitudeUpTo(1n << 56n).map(value => (value < 1_000_000_000n ? value + 1_000_000_000n : value))
const num = fc.oneof(fc.constant(64n), fc.constantFrom(1n, 16n, 32n, 63n))
const commands = [
  fc.record({ lower: small, width: small, amount }).map(seed => new Add(seed.lower, seed.width, seed.amount)),
  fc.record({ lower: small, width: small, amount }).map(seed => new Add(seed.lower, seed.width, seed.amount)),
  fc.record({ which: fc.nat(), num }).map(seed => new Remove(seed.which, seed.num)),
  fc.nat().map(which => new Collect(which)),
  fc.record({ seed: orderSeed, toTick: fc.boolean() }).map(({ seed, toTick }) => new Trade(seed, toTick)),
  fc.record({ seed: orderSeed, toTick: fc.boolean() }).map(({ seed, toTick }) => new Trade(seed, toTick)),
  momentSeed.map(seed => new Accrue(seed)),
]

const beginning = fc.record({
  slot: fc.nat({ max: SLOTS }),
  onTick: fc.boolean(),
  tauSeconds: fc.constantFrom(1, 3600, 7_430_400, TWO_YEARS),
  discount: discountNeverRises,
  liquidity: fc.constantFrom(0n, 1n << 40n, MAX_LIQUIDITY - (1n << 57n)),
})

describe('LAW: ticks are what the list of positions says', () => {
  test('set up, crossed, emptied and set up again; both ledger identities after every step', () => {
    fc.assert(
      fc.property(beginning, fc.commands(commands, { maxCommands: 40, size: 'max' }), (start, steps) => {
        fc.modelRun(() => {
          const rate = tickRate(tickOf(start.slot)) + (start.onTick ? 0n : 12_345_678_901n)
          const pool = createPool({
            grid: DEFAULT_GRID,
            fees: DEFAULT_FEES,
            rate: rateQ64(rate),
            tauSeconds: start.tauSeconds,
            discount: start.discount,
          })
          const model: Model = { held: [] }
          const real: Real = { pool, positions: [], vault: 0n, yt: 0n, pt: 0n, ulps: 0n }
          if (start.liquidity > 0n) new Add(0, SLOTS - 1, start.liquidity).run(model, real)
          return { model, real }
        }, steps)
      }),
      { numRuns: Math.ceil(1500 * Number(LAW_RUNS)) },
    )
  })
})
