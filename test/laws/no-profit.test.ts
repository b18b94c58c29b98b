import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addLiquidity,
  collect,
  discountQ64,
  emptyPosition,
  jlpAtoms,
  jlpToSt,
  type Liquidity,
  MAX_LIQUIDITY,
  ONE_Q64,
  type Pool,
  type Position,
  removeLiquidity,
  stToJlp,
  tickRate,
} from '../../amm/index.ts'
import { walk } from '../../amm/swap.ts'
import { Random } from '../generate/random.ts'
import {
  byFace,
  ceilJlp,
  discountNeverRises,
  floorJlp,
  holds,
  isBuy,
  isUp,
  liquidityFrom,
  magnitudeUpTo,
  NO_LP_FEE,
  ORDER_KINDS,
  type OrderKind,
  type OrderSeed,
  oneStretch,
  orderFrom,
  orderSeed,
  type PositionSeed,
  positionSeed,
  quoted,
  rangeFrom,
  reachedMarket,
  stretchOf,
} from './generators.ts'

/** Somebody who starts with nothing: JLP, YT and PT may go below zero and are made good in the end. */
interface Party {
  readonly jlp: bigint
  readonly yt: bigint
  readonly pt: bigint
  readonly positions: readonly Position[]
}

interface Scene {
  readonly pool: Pool
  readonly party: Party
}

/** An order of any kind, its legs booked; nothing if it is refused. */
const trade = ({ pool, party }: Scene, order: Parameters<typeof quoted>[1]): Scene => {
  const answer = quoted(pool, order)
  if (answer === undefined) return { pool, party }
  const side = isBuy(order.kind) ? 1n : -1n
  const ofYt = order.kind === 'buy-yt' || order.kind === 'sell-yt'
  return {
    pool: answer.next,
    party: {
      ...party,
      jlp: party.jlp - side * answer.amount,
      yt: party.yt + (ofYt ? side * answer.filled : 0n),
      pt: party.pt + (ofYt ? 0n : side * answer.filled),
    },
  }
}

const split = ({ pool, party }: Scene, n: bigint): Scene => ({
  pool,
  party: { ...party, jlp: party.jlp - ceilJlp(n, pool.discount), yt: party.yt + n, pt: party.pt + n },
})

const merge = ({ pool, party }: Scene, n: bigint): Scene => ({
  pool,
  party: { ...party, jlp: party.jlp + floorJlp(n, pool.discount), yt: party.yt - n, pt: party.pt - n },
})

const provide = ({ pool, party }: Scene, seed: PositionSeed): Scene => {
  const { lower, upper } = rangeFrom(pool, seed)
  const amount = liquidityFrom(pool, seed)
  const at = party.positions.findIndex(position => position.lower === lower && position.upper === upper)
  if (amount === undefined) return { pool, party }
  const added = addLiquidity(pool, party.positions[at] ?? emptyPosition(pool, lower, upper), amount as Liquidity)
  if (added.kind === 'rejected') return { pool, party }
  const positions = at < 0 ? [...party.positions, added.position] : party.positions.with(at, added.position)
  return { pool: added.next, party: { ...party, jlp: party.jlp - added.jlp, positions } }
}

const withdraw = ({ pool, party }: Scene, at: number, share: { num: bigint; den: bigint }): Scene => {
  const position = party.positions[at]
  const removed = position === undefined ? undefined : removeLiquidity(pool, position, share)
  if (removed === undefined || removed.kind === 'rejected') return { pool, party }
  const { jlp, yt, pt } = removed
  expect(jlp >= 0n && yt >= 0n && pt >= 0n, 'a removal never takes').toBe(true)
  return {
    pool: removed.next,
    party: {
      jlp: party.jlp + jlp,
      yt: party.yt + yt,
      pt: party.pt + pt,
      positions: party.positions.with(at, removed.position),
    },
  }
}

const collected = ({ pool, party }: Scene, at: number): Scene => {
  const position = party.positions[at]
  const answer = position === undefined ? undefined : collect(pool, position)
  if (answer === undefined || answer.kind === 'rejected') return { pool, party }
  return {
    pool,
    party: { ...party, jlp: party.jlp + answer.jlp, positions: party.positions.with(at, answer.position) },
  }
}

/** Everything closed: liquidity out, pairs merged, the rest through the pool; what it will not take is worth nothing. */
const flat = (scene: Scene, ofPtFirst: boolean): bigint => {
  let at = scene.party.positions.reduce((s, _, i) => withdraw(s, i, { num: 1n, den: 1n }), scene)
  const close = (kind: OrderKind, n: bigint): void => {
    if (n > 0n) at = trade(at, byFace(kind, n))
  }
  if (!ofPtFirst) at = merge(at, least(at.party.yt, at.party.pt))
  for (const ofPt of [ofPtFirst, !ofPtFirst]) {
    const held = ofPt ? at.party.pt : at.party.yt
    if (held > 0n) close(ofPt ? 'sell-pt' : 'sell-yt', held)
    else close(ofPt ? 'buy-pt' : 'buy-yt', -held)
  }
  const owed = least(at.party.yt, at.party.pt)
  at = owed < 0n ? split(at, -owed) : merge(at, owed)
  return at.party.jlp
}
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

type Action =
  | { readonly kind: 'trade'; readonly order: OrderSeed }
  | { readonly kind: 'back' } // undoes what is held, by the shortest way
  | { readonly kind: 'split' | 'merge'; readonly n: bigint }
  | { readonly kind: 'provide'; readonly position: PositionSeed }
  | { readonly kind: 'withdraw'; readonly which: number; readonly num: bigint }
  | { readonly kind: 'collect'; readonly which: number }

const amount = magnitudeUpTo(1n << 50n)
const which = fc.integer({ min: 0, max: 3 })
const tradeAction = fc.record({ kind: fc.constant('trade'), order: orderSeed })
const back = fc.record({ kind: fc.constant('back') })
const splitOrMerge = fc.record({ kind: fc.constantFrom('split', 'merge'), n: amount })
const tradeAlone = fc.oneof({ weight: 4, arbitrary: tradeAction }, back, splitOrMerge) as fc.Arbitrary<Action>
const tradeAndProvide = fc.oneof(
  { weight: 4, arbitrary: tradeAction },
  { weight: 1, arbitrary: back },
  { weight: 1, arbitrary: splitOrMerge },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('provide'), position: positionSeed }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('withdraw'),
      which,
      num: fc.oneof(fc.constant(1n << 32n), fc.bigInt({ min: 1n, max: 1n << 32n })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('collect'), which }) },
) as fc.Arbitrary<Action>

const act = (scene: Scene, action: Action): Scene => {
  switch (action.kind) {
    case 'trade':
      return trade(scene, orderFrom(scene.pool, action.order))
    case 'back': {
      const { yt, pt } = scene.party
      if (yt !== 0n) return trade(scene, byFace(yt > 0n ? 'sell-yt' : 'buy-yt', yt > 0n ? yt : -yt))
      return pt === 0n ? scene : trade(scene, byFace(pt > 0n ? 'sell-pt' : 'buy-pt', pt > 0n ? pt : -pt))
    }
    case 'split':
      return split(scene, action.n)
    case 'merge':
      return merge(scene, action.n)
    case 'provide':
      return provide(scene, action.position)
    case 'withdraw':
      return withdraw(scene, action.which, { num: action.num, den: 1n << 32n })
    case 'collect':
      return collected(scene, action.which)
  }
}

const nobody: Party = { jlp: 0n, yt: 0n, pt: 0n, positions: [] }
const noFee = fc.constant(NO_LP_FEE)

describe('LAW: no sequence at a fixed tau and discount profits, the fee left aside', () => {
  test('T022 T024 trades of every kind, splits and merges', () => {
    holds(
      fc.tuple(reachedMarket({ fees: noFee }), fc.array(tradeAlone, { minLength: 1, maxLength: 12 }), fc.boolean()),
      2000,
      ([{ pool }, actions, ofPtFirst]) => {
        expect(flat(actions.reduce(act, { pool, party: nobody }), ofPtFirst)).toBeLessThanOrEqual(0n)
      },
    )
  })

  test('the same party also adds, removes and collects liquidity', () => {
    holds(
      fc.tuple(
        reachedMarket({ fees: noFee }),
        fc.array(tradeAndProvide, { minLength: 2, maxLength: 12 }),
        fc.boolean(),
      ),
      2000,
      ([{ pool }, actions, ofPtFirst]) => {
        expect(flat(actions.reduce(act, { pool, party: nobody }), ofPtFirst)).toBeLessThanOrEqual(0n)
      },
    )
  })

  test('T024 there and back from every tick and every edge of a tick', () => {
    holds(
      fc.tuple(reachedMarket({ fees: noFee }), orderSeed, fc.constantFrom(...ORDER_KINDS)),
      1500,
      ([{ pool }, there, kind]) => {
        for (const { rate } of pool.ticks.slice(0, 4)) {
          // From wherever the pool is, go to the tick and a little past it, then there and back from that state.
          const way = byFace(rate > pool.rate ? 'buy-yt' : 'sell-yt', 1n << 62n, { limitRate: rate })
          const start = quoted(pool, way)?.next ?? pool
          const scene = trade({ pool: start, party: nobody }, orderFrom(start, { ...there, kind }))
          expect(flat(scene, false)).toBeLessThanOrEqual(0n)
          expect(flat(scene, true)).toBeLessThanOrEqual(0n)
        }
      },
    )
  })

  test('T023 a split and a merge, and a rebase there and back, of any amount', () => {
    holds(fc.tuple(discountNeverRises, amount), 3000, ([discount, n]) => {
      expect(floorJlp(n, discount)).toBeLessThanOrEqual(ceilJlp(n, discount))
      expect(stToJlp(jlpToSt(jlpAtoms(n), discount, 'down'), discount, 'down')).toBeLessThanOrEqual(n)
      expect(stToJlp(jlpToSt(jlpAtoms(n), discount, 'up'), discount, 'up')).toBeGreaterThanOrEqual(n)
    })
  })

  test('T020 10,000 deposits and withdrawals in a row at discounts of 1, 1 less an ulp, 0.75 and 0.13', () => {
    for (const discount of [ONE_Q64, ONE_Q64 - 1n, (ONE_Q64 * 3n) / 4n, (ONE_Q64 * 10n) / 77n].map(discountQ64)) {
      let jlp = jlpAtoms(1_000_000n)
      for (let i = 0; i < 10_000; i++) {
        const after = stToJlp(jlpToSt(jlp, discount, 'down'), discount, 'down')
        expect(after).toBeLessThanOrEqual(jlp)
        jlp = after
      }
    }
  })
})

// ---- the search ------------------------------------------------------------------------------------------------------

/** What a closed round of YT trades costs, in 2^-64 of an atom: exactly, before anything is rounded to atoms. */
const exactCost = (start: Pool, legs: readonly bigint[]): bigint | undefined => {
  let pool = start
  let cost = 0n
  const held = legs.reduce((sum, leg) => sum + leg, 0n)
  for (const leg of [...legs, -held]) {
    if (leg === 0n) continue
    const n = leg > 0n ? leg : -leg
    const path = walk(pool, leg > 0n, { kind: 'yt', yt: n }, leg > 0n ? 1n << 66n : 0n, 64)
    if (path.yt !== n) return undefined
    cost += leg > 0n ? path.area : -path.area
    pool = { ...pool, rate: path.rate as Pool['rate'], tick: path.tick, liquidity: path.liquidity }
  }
  return cost
}

/** What it costs in whole atoms, with every leg as any order kind that moves the rate that way. */
const atomCost = (pool: Pool, legs: readonly bigint[], random: Random): bigint => {
  let scene: Scene = { pool, party: nobody }
  for (const leg of legs) {
    if (leg === 0n) continue
    const kind = random.pick(ORDER_KINDS.filter(k => isUp(k) === leg > 0n))
    scene = trade(scene, byFace(kind, leg > 0n ? leg : -leg))
  }
  return -flat(scene, random.int(0, 1) === 1)
}

const mutated = (legs: readonly bigint[], random: Random): bigint[] => {
  const next = [...legs]
  const at = random.int(0, next.length - 1)
  const leg = next[at]!
  const step = random.magnitude(1n << BigInt(random.int(1, 40)))
  switch (random.int(0, 4)) {
    case 0:
      next[at] = leg + (random.int(0, 1) === 1 ? step : -step)
      break
    case 1:
      next[at] = -leg
      break
    case 2:
      next[at] = leg + BigInt(random.int(-2, 2))
      break
    case 3:
      if (next.length < 8) next.splice(at, 0, leg / 2n, leg - leg / 2n)
      break
    default:
      if (next.length > 1) next.splice(at, 1)
  }
  return next
}

const climb = (pool: Pool, random: Random, steps: number): { exact: bigint; atoms: bigint } => {
  let legs = [random.magnitude(1n << 40n), -random.magnitude(1n << 40n)]
  let best = exactCost(pool, legs)
  let atoms = 1n
  for (let step = 0; step < steps; step++) {
    const tried = mutated(legs, random)
    const cost = exactCost(pool, tried)
    if (cost === undefined || tried.every(leg => leg === 0n)) continue
    const inAtoms = atomCost(pool, tried, random)
    if (inAtoms < atoms) atoms = inAtoms
    if (best === undefined || cost <= best) {
      best = cost
      legs = tried
    }
  }
  return { exact: best ?? 0n, atoms }
}

describe('LAW: nobody who searches for a profit finds one', () => {
  // Noise is largest beside what is traded at the largest L and the least tau and rate.
  test.each([
    ['1 s, lowest rate', 1, 50n],
    ['1 s, highest rate', 1, 13_200n],
    ['1 hour, lowest rate', 3600, 50n],
    ['30 days, 10 %', 2_592_000, 1000n],
    ['2 years, 132 %', 63_072_000, 13_200n],
  ])('hill-climb at the largest liquidity: %s', (_, tauSeconds, tick) => {
    const random = new Random(BigInt(tauSeconds) * 31n + tick)
    for (const discount of [ONE_Q64, ONE_Q64 - 12_345n, ONE_Q64 / 20n, (ONE_Q64 * 61n) / 100n].map(discountQ64)) {
      for (const liquidity of [MAX_LIQUIDITY, MAX_LIQUIDITY - 1n, 1n << 40n, 1_000_003n]) {
        const rate = (tickRate(Number(tick)) + random.big(0n, 1n << 60n)) as Pool['rate']
        const pool = stretchOf({ tauSeconds, discount }, rate, liquidity)
        const { exact, atoms } = climb(pool, random, 300)
        expect(exact, `exact cost at D=${discount} L=${liquidity} s=${rate}`).toBeGreaterThanOrEqual(0n)
        expect(atoms, `cost in atoms at D=${discount} L=${liquidity} s=${rate}`).toBeGreaterThanOrEqual(0n)
      }
    }
  })

  test('hill-climb through markets of several stretches', () => {
    holds(fc.tuple(reachedMarket({ fees: noFee }), fc.bigInt({ min: 0n, max: 1n << 60n })), 150, ([{ pool }, seed]) => {
      const { exact, atoms } = climb(pool, new Random(seed), 40)
      expect(exact).toBeGreaterThanOrEqual(0n)
      expect(atoms).toBeGreaterThanOrEqual(0n)
    })
  })

  test('a round that moves the rate by single ulps costs at least nothing', () => {
    holds(
      fc.tuple(oneStretch(), fc.array(fc.bigInt({ min: -3n, max: 3n }), { minLength: 1, maxLength: 10 })),
      1500,
      ([pool, legs]) => {
        const cost = exactCost(pool, legs)
        if (cost !== undefined) expect(cost).toBeGreaterThanOrEqual(0n)
      },
    )
  })
})
