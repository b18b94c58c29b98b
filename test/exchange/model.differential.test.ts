/**
 * The engine against an independent model of the whole exchange (test/model/exchange.ts): JLP held exactly, every account and every
 * position visited at every coupon, every condition judged from the sum over all records.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { createOracle, DEFAULT_CLAMP_PER_SECOND, observe, type RateQ64, tickRate, twap } from '../../amm/index.ts'
import { boundaries, modelHistories } from '../campaigns/exchange-model.ts'
import { Random } from '../generate/random.ts'
import { Follower, type ModelStats } from '../model/exchange-follower.ts'
import { BucketOracle } from '../model/exchange-index.ts'

const HISTORIES = 66

describe('histories of 80 random steps, then maturity to the last withdrawal', () => {
  let stats: ModelStats = {}
  const count = (what: string): number => stats[what] ?? 0

  beforeAll(() => {
    stats = modelHistories(new Random(2n), HISTORIES, 80)
  }, 600_000)

  test('after each of more than 7,000 instructions every balance is the exact one, an atom less a rounding at most', () => {
    // The comparisons themselves throw inside the run.
    expect(count('histories')).toBe(HISTORIES)
    expect(count('steps')).toBeGreaterThan(7000)
    expect(count('compared')).toBeGreaterThan(200_000)
    expect(count('maxUnderPerTouch')).toBeLessThan(1)
  })

  test('nobody ever has more than exactly, but for the tables: less than a hundredth of an atom in a whole history', () => {
    expect(count('maxOver')).toBeLessThan(0.01)
    expect(count('maxOver')).toBeLessThan(count('maxTableError'))
  })

  test('every instruction that moves value was applied many times, and refusals were met for every kind of reason', () => {
    const kinds = {
      'create-market': 60,
      accrue: 300,
      finalise: 2,
      pause: 5,
      unpause: 2,
      wrap: 20,
      unwrap: 1,
      split: 10,
      merge: 5,
      'redeem-pt': 60,
      'buy-pt': 100,
      'sell-pt': 20,
      'open-account': 300,
      'close-account': 300,
      deposit: 500,
      withdraw: 200,
      transfer: 5,
      long: 200,
      short: 80,
      reduce: 10,
      close: 10,
      roll: 4,
      'place-order': 30,
      'fill-order': 20,
      'cancel-order': 4,
      'expire-order': 4,
      'open-position': 60,
      'close-position': 60,
      'add-liquidity': 100,
      'remove-liquidity': 150,
      collect: 20,
      liquidate: 15,
      'take-over': 8,
      'reduce-fund': 4,
      settle: 300,
      'collect-fees': 20,
    }
    for (const [kind, least] of Object.entries(kinds)) {
      expect(count(`applied:${kind}`), kind).toBeGreaterThanOrEqual(least)
    }
    const refusals = {
      undercollateralised: 40,
      backing: 3,
      'open-interest': 10,
      healthy: 100,
      'wrong-amount': 2,
      'fund-short': 5,
      'not-spot': 1,
      'opposite-position': 5,
      'awaiting-settlement': 5,
      'history-short': 5,
      'coupon-due': 10,
      paused: 40,
      'below-minimum': 5,
      'deadline-passed': 20,
      'too-young': 2,
      'no-liquidity': 20,
      'limit-reached': 10,
      'not-triggered': 3,
    }
    for (const [code, least] of Object.entries(refusals)) {
      expect(count(`refused-for:${code}`), code).toBeGreaterThanOrEqual(least)
    }
  })

  test('liquidations, take-overs, deficits, withheld removals, debtors at maturity and emptied markets were among them', () => {
    expect(count('liquidated')).toBeGreaterThanOrEqual(15)
    expect(count('taken-over')).toBeGreaterThanOrEqual(8)
    expect(count('deficits')).toBeGreaterThanOrEqual(4)
    expect(count('withheld')).toBeGreaterThanOrEqual(20)
    expect(count('withheld-pt-early')).toBeGreaterThanOrEqual(2)
    expect(count('maturities-with-debtors')).toBeGreaterThanOrEqual(20)
    expect(count('emptied')).toBeGreaterThanOrEqual(20)
  })

  test('amounts beside the edge of what is accepted are judged alike; few conditions lie too near to be judged at all', () => {
    expect(count('edges:trade')).toBeGreaterThanOrEqual(60)
    expect(count('edges:withdraw')).toBeGreaterThanOrEqual(8)
    expect(count('edges:remove-liquidity')).toBeGreaterThanOrEqual(3)
    expect(boundaries(stats)).toBeLessThan(count('steps') / 100)
  })
})

test('the model of the rate oracle counts its buckets as the kernel does, to the ulp', () => {
  const random = new Random(11n)
  for (let i = 0; i < 20; i++) {
    let now = 1_725_494_400 + random.int(0, 40)
    const start = now
    let spot = random.big(tickRate(50), tickRate(13_860)) as RateQ64
    let oracle = createOracle({ now, rate: spot, clampPerSecond: DEFAULT_CLAMP_PER_SECOND })
    const model = new BucketOracle(start, spot, DEFAULT_CLAMP_PER_SECOND)
    for (let step = 0; step < 30; step++) {
      now += random.pick([0, 1, 7, 20, 45, 400, 1000, 50_000])
      oracle = observe(oracle, spot, now)
      model.observe(spot, now)
      expect(model.twap(300)).toBe(twap(oracle, spot, now, 300))
      expect(model.rate).toBe(oracle.observed)
      if (random.int(0, 2) > 0) spot = random.big(tickRate(50), tickRate(13_860)) as RateQ64
    }
  }
})

test('a short account transfers margin, though it has no YT', () => {
  const maturity = Date.UTC(2026, 0, 30, 8) / 1000
  const lastStep = maturity - 20 * 86_400
  const balances = ['lea', 'ann'].map(owner => [`jlp:${owner}`, 10n ** 12n] as const)
  const config = { authority: 'admin', pauser: 'guard', treasury: 'treasury' }
  const follower = new Follower({ config, lastStep, balances }, {})
  const world = { now: lastStep + 60, jlpSupply: 10n ** 14n, weeklyUpdatedAt: lastStep }
  const market = 'JLP-2601'
  const low = tickRate(50)
  const lp = { market, owner: 'lea', lower: 2000, upper: 3000 }
  const ann = { market, owner: 'ann', sub: 0 }
  const rate = tickRate(2500)
  const bounds = { minimum: 0n, deadline: world.now }
  follower.run({ kind: 'create-market', by: 'lea', coupon: 'hourly', maturity, rate }, world)
  follower.run({ kind: 'open-position', ...lp }, world)
  const liquidity = 10n ** 11n
  const rates = { minRate: low, maxRate: tickRate(13_860) }
  follower.run({ kind: 'add-liquidity', ...lp, liquidity, maximum: 10n ** 11n, ...rates, deadline: world.now }, world)
  for (const sub of [0, 1]) follower.run({ kind: 'open-account', ...ann, sub }, world)
  follower.run({ kind: 'deposit', ...ann, jlp: 10n ** 10n }, world)
  const order = {
    kind: 'trade',
    ...ann,
    action: 'short',
    spot: true,
    amount: { yt: 10n ** 9n },
    limitRate: low,
  } as const
  expect(follower.run({ ...order, ...bounds }, world).kind).toBe('applied')
  const moved = follower.run({ kind: 'transfer', ...ann, to: { ...ann, sub: 1 }, margin: 10n ** 9n, yt: 0n }, world)
  expect(moved.kind).toBe('applied')
})
