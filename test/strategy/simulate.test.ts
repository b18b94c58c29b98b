import { describe, expect, test } from 'vitest'
import { apyFromRate, parsePercent } from '../../amm/index.ts'
import { audit, balanceId } from '../../src/exchange/index.ts'
import {
  bestSize,
  couponArbitrage,
  fixedYield,
  type Holding,
  leveragedPt,
  ptSpread,
  q64,
  real,
  simulate,
  ticksOf,
  Walk,
  yieldAtApy,
} from '../../src/strategy/index.ts'
import { hold, holdThrough } from '../../src/strategy/simulate.ts'
import { headline, TEN_TIMES } from './places.ts'

const RANGE = ticksOf(parsePercent('25%'), parsePercent('45%'))
const HOLDINGS: readonly Holding[] = [
  { kind: 'yt', ...TEN_TIMES },
  { kind: 'yt', side: 'short', margin: 2_000_000n, amount: { yt: 100_000_000n } },
  { kind: 'pt', jlp: 20_000_000n },
  { kind: 'lp', jlp: 50_000_000n, ...RANGE },
]
const named = HOLDINGS.map(holding => [holding.kind === 'yt' ? holding.side : holding.kind, holding] as const)

describe.each(named)('%s', (_, holding) => {
  test.each(['hourly', 'weekly'] as const)(
    'if the pool earns what is implied, coupons are the decay: its value stands still (%s)',
    coupon => {
      const place = headline({ coupon, liquidity: 20_000_000_000n })
      const walk = new Walk(place)
      const held = hold(walk, holding)
      const realised = real(apyFromRate(walk.stored.pool.rate))
      const { rows } = holdThrough(walk, held, { realised }, 80)
      for (const { value, parts, day } of rows) {
        // Between weekly coupons, and within each, YT trades with what it has earned.
        if (coupon === 'hourly' || day % 7 === 0)
          expect(Math.abs(Number(value - rows[0]!.value))).toBeLessThanOrEqual(4)
        expect(parts.coupons + parts.decay + parts.rateMove + parts.fees).toBe(value - held.paid)
      }
    },
  )

  test.each([
    ['to maturity', Number.POSITIVE_INFINITY],
    ['sold after 20 days', 20],
  ])('%s: the totals are the balances, and no atom is lost', (_, days) => {
    const walk = new Walk(headline())
    const sum = (): bigint => {
      let total = walk.stored.vault
      for (const [id, amount] of walk.state.balances) if (id.startsWith('jlp:')) total += amount
      return total
    }
    const [all, own] = [sum(), walk.wallet()]
    const path = { realised: [0.3, 0.6, 0.2], implied: [0.33, 0.34, 0.36, 0.35, 0.345] }
    const result = holdThrough(walk, hold(walk, holding), path, days)
    expect(result.received - result.paid).toBe(walk.wallet() - own)
    expect(result.profit).toBe(result.received + result.left - result.paid)
    expect(result.rows.reduce((total, { coupon }) => total + coupon, 0n)).toBe(result.rows.at(-1)!.parts.coupons)
    expect(sum()).toBe(all)
    expect(audit(walk.state).violations).toEqual([])
    if (result.matured) {
      expect(Math.abs(Number(result.received - result.rows.at(-1)!.value))).toBeLessThanOrEqual(2)
      expect(result.rows).toHaveLength(87)
    }
  })
})

describe('fixed yield', () => {
  test.each([0, 0.2, 0.6])('PT pay the quoted APY to the atom, whatever the pool earns (%d)', realised => {
    const { pt, paid, fixedApy, received, outcome, heldGrowth, fixedGrowth, advantage } = fixedYield(
      headline(),
      25_000_000n,
      realised,
    )
    const last = outcome.rows.at(-1)!
    expect(received).toBe((pt * last.discount) >> 64n)
    const promised = Number(paid) * (1 + fixedApy) ** (86 / 365) * real(last.discount)
    expect(Math.abs(promised - Number(received))).toBeLessThanOrEqual(1)
    expect(1 + heldGrowth).toBeCloseTo((1 + realised) ** (86 / 365), 9)
    expect(advantage > 0n).toBe(fixedGrowth > heldGrowth)
  })
})

describe('PT spread', () => {
  test('the lower the rate at the exit, the more; unmoved it loses two fees and the impact', () => {
    const exits = [0.26, 0.3, 0.32712, 0.36, 0.42]
    const spreads = ptSpread(headline(), 10_000_000n, { days: 30, realised: 0.32712, exits })
    const profits = spreads.map(({ profit }) => Number(profit))
    expect(profits).toEqual([...profits].sort((a, b) => b - a))
    expect(profits[0]).toBeGreaterThan(0)
    expect(Math.abs(profits[2]!)).toBeLessThan(10_000)
    expect(spreads.every(({ left }) => left === 0n)).toBe(true)
  })
})

describe('leveraged PT', () => {
  const loan = { apr: 0.05, ltv: 0.8, liquidationLtv: 0.85, unit: 'jlp' } as const

  test('no loop is a fixed yield; loops multiply it, and one’s own risk', () => {
    const place = headline({ liquidity: 10n ** 12n })
    const alone = leveragedPt(place, { jlp: 10_000_000n, loops: 0, loan }, { realised: 0.2 })
    const fixed = fixedYield(place, 10_000_000n, 0.2)
    expect(alone.remains).toBe(fixed.received)
    expect(alone.netApyInSt).toBeCloseTo(fixed.fixedApy, 4)
    const looped = leveragedPt(place, { jlp: 10_000_000n, loops: 6, loan }, { realised: 0.2 })
    expect(looped.leverage).toBeCloseTo((1 - 0.8 ** 7) / 0.2, 2)
    expect(looped.netApy).toBeGreaterThan(alone.netApy)
    const thin = leveragedPt(headline(), { jlp: 900_000_000n, loops: 3, loan }, { realised: 0.2 }, 1)
    expect(thin).toMatchObject({ complete: false, debt: expect.toSatisfy(debt => debt < 900_000_000n) })
    expect(looped.unwoundAtOnce).toBeLessThan(10_000_000n)
    expect(Number(looped.debt) / (Number(looped.pt) * looped.liquidationPrice)).toBeCloseTo(0.85, 9)
    expect(looped.liquidationApy!).toBeGreaterThan(0.33)
  })

  test('a loan in ST has a net APY that does not depend on what the pool earns; one of JLP costs that too', () => {
    const net = (unit: 'jlp' | 'st', realised: number): number =>
      leveragedPt(headline(), { jlp: 2_000_000n, loops: 3, loan: { ...loan, unit } }, { realised }).netApyInSt
    expect(net('st', 0.1)).toBeCloseTo(net('st', 0.5), 4)
    expect(net('jlp', 0.1)).toBeGreaterThan(net('jlp', 0.5))
  })

  test('a rise of the implied rate above the lender’s limit is seen on its day', () => {
    const path = { realised: 0.33, implied: [0.33, 0.5, 1.5] }
    const tight = { ...loan, ltv: 0.84 }
    expect(leveragedPt(headline(), { jlp: 1_000_000n, loops: 6, loan: tight }, path).liquidatedOn).toBe(3)
    expect(
      leveragedPt(headline(), { jlp: 1_000_000n, loops: 6, loan: tight }, { realised: 0.33 }).liquidatedOn,
    ).toBeUndefined()
  })
})

describe('coupon arbitrage', () => {
  const place = headline()

  test('coupons less decay, impact and fees; an hour does not pay for the fees, a week of 60 % does', () => {
    for (const until of ['coupon', 'week', 'maturity'] as const) {
      const { coupons, decay, impact, fees, net } = couponArbitrage(place, 0.6, 20_000_000n, until)
      expect(net).toBe(coupons - decay - impact - fees)
      expect(net > 0n).toBe(until !== 'coupon')
    }
    expect(couponArbitrage(place, Math.log(1.32712), 20_000_000n, 'week').net).toBeLessThan(0n)
    expect(bestSize(place, 0.6, 'coupon')).toBeUndefined()
  })

  test.each([
    ['week', 0.32],
    ['maturity', 0.32],
  ] as const)('%s at %d: the best size beats its neighbours', (until, apr) => {
    const best = bestSize(place, apr, until)!
    for (const factor of [0.97, 1.03]) {
      const other = couponArbitrage(place, apr, (best.yt * q64(factor)) >> 64n, until)
      expect(other.net).toBeLessThan(best.net)
    }
  })
})

test('a strategy leaves the given state as it was', () => {
  const place = headline()
  const before = structuredClone(place.state)
  for (const holding of HOLDINGS) simulate(place, holding, { realised: 0.4, implied: [0.33, 0.5] }, 10)
  ptSpread(place, 5_000_000n, { days: 5, realised: 0.3, exits: [0.3] })
  fixedYield(place, 5_000_000n, 0.3)
  const loan = { apr: 0.05, ltv: 0.8, liquidationLtv: 0.85, unit: 'jlp' } as const
  leveragedPt(place, { jlp: 1_000_000n, loops: 2, loan }, { realised: 0.3 }, 5)
  bestSize(place, 0.5, 'week')
  expect(place.state).toEqual(before)
})

test('in an exchange with other people in it, in the middle of an hour, on another day', () => {
  const walk = new Walk(headline({ days: 100, liquidity: 2_000_000_000n }))
  const { market } = walk
  const bounds = { minimum: 0n, deadline: walk.world.now }
  walk.state.balances.set(balanceId('jlp', 'alice'), 50_000_000n)
  const alice = { market, owner: 'alice', sub: 0 }
  walk.run({ kind: 'open-account', ...alice })
  walk.run({ kind: 'deposit', ...alice, jlp: 20_000_000n })
  walk.run({ kind: 'trade', action: 'short', ...alice, amount: { yt: 300_000_000n }, limitRate: 0n, ...bounds })
  walk.run({ kind: 'buy-pt', market, owner: 'alice', amount: { st: 10_000_000n }, limitRate: 0n, ...bounds })
  walk.pass(walk.world.now + 9 * 86_400, seconds => yieldAtApy(0.4, seconds))
  walk.wait(1500)
  const place = { state: walk.state, market, world: walk.world }
  for (const holding of HOLDINGS) {
    const { matured, rows, received, left } = simulate(place, holding, { realised: 0.3 })
    expect({ matured, left }).toEqual({ matured: true, left: 0n })
    expect(rows.at(-1)!.day).toBe(91)
    expect(Math.abs(Number(received - rows.at(-1)!.value))).toBeLessThanOrEqual(2)
  }
  expect(walk.state.accounts.size).toBe(1)
})
