/** What one coupon can do to an account at most, and the leverage that follows from it (docs/protocol.md sections 6 and 10). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CouponKind,
  createPool,
  type DiscountQ64,
  divide,
  mulDiv,
  ONE_Q64,
  oneMinusExpNeg,
  parsePercent,
  type RateQ64,
  rateFromApy,
  shiftQ64,
  tickRate,
} from '../../amm/index.ts'
import { touch } from '../../src/exchange/account.ts'
import {
  DEFAULT_TERMS,
  equity,
  type Legs,
  type Market,
  meetsInitial,
  meetsMaintenance,
  mostLeverage,
  valuation,
  ytInJlp,
} from '../../src/exchange/index.ts'
import {
  accrueIndex,
  createIndex,
  DEFAULT_CAPS,
  HOUR_SECONDS,
  type RateIndex,
  WEEK_SECONDS,
  WEEKLY_AUM,
  watchMaturity,
} from '../../src/oracle/accrual.ts'

const YEAR = 31_536_000n
const DAY = 24 * HOUR_SECONDS
const MONDAY = 1_725_235_200 // a full hour
const TWENTY = rateFromApy(parsePercent('20%'))

/** Most leverage long and short, rounded down to two digits. */
const leverage = (kind: CouponKind, seconds: number, rate: RateQ64 = TWENTY): [number, number] => {
  const of = (side: 'long' | 'short'): number => {
    const most = mostLeverage(side, rate, seconds, DEFAULT_TERMS[kind], DEFAULT_CAPS[kind].rhoMaxQ64)
    return Number((most * 100n) / ONE_Q64) / 100
  }
  return [of('long'), of('short')]
}

describe('most leverage, long and short, at 20 % implied', () => {
  test.each([
    ['weekly', 26, [10, 9.33], '10/9.3'],
    ['weekly', 13, [10, 4.56], '10/4.6'],
    ['weekly', 8, [8.99, 2.78], '9/2.8'],
    ['weekly', 6, [6.72, 2.07], ''],
    ['weekly', 4, [4.46, 1.38], '4.5/1.4'],
    ['weekly', 3, [3.34, 1.03], ''],
    ['weekly', 2, [2.22, 0.68], ''],
    ['weekly', 1, [1.11, 0.34], '1.1/0.3'],
    ['hourly', 26, [10, 10], '10/10'],
    ['hourly', 4, [10, 10], '10/10'],
    ['hourly', 2, [10, 10], '10/10'],
    ['hourly', 1, [10, 6.09], '10/6.1'],
    ['hourly', 1 / 7, [10, 0.86], '10/0.9'],
    ['hourly', 1 / 168, [0.83, 0.03], ''],
  ] as const)('T077 %s coupons, %f weeks left: %j (section 10: %s)', (kind, weeks, most, published) => {
    const found = leverage(kind, Math.round(weeks * WEEK_SECONDS))
    expect(found).toEqual(most)
    if (published !== '') expect(found.map(x => Number(x.toFixed(1))).join('/')).toBe(published)
  })

  test('T077 it falls as maturity nears, never rises again, and never exceeds 10', () => {
    for (const kind of ['hourly', 'weekly'] as const) {
      let [long, short] = [0, 0]
      for (let seconds = DEFAULT_TERMS[kind].period; seconds <= 52 * WEEK_SECONDS; seconds += 13 * HOUR_SECONDS) {
        const [l, s] = leverage(kind, seconds)
        expect(l).toBeGreaterThanOrEqual(long)
        expect(s).toBeGreaterThanOrEqual(short)
        expect(Math.max(l, s)).toBeLessThanOrEqual(10)
        ;[long, short] = [l, s]
      }
    }
  })
})

// ---- the property ------------------------------------------------------------------------------------------------------

interface Case {
  readonly kind: CouponKind
  readonly side: 'long' | 'short'
  readonly rate: bigint
  readonly tauSeconds: number
  readonly discount: bigint
  readonly yt: bigint
  /** ST leg as a share of what the YT are worth, per mille. */
  readonly entry: bigint
  /** Where in the market's bounds the coupon lies, 0 to 1000. */
  readonly at: bigint
}

const marketOf = ({ kind, rate, tauSeconds, discount }: Case): Market =>
  ({
    terms: DEFAULT_TERMS[kind],
    standing: { since: MONDAY, low: rate, high: rate, lowBefore: rate, highBefore: rate },
    pool: createPool({
      grid: DEFAULT_TERMS[kind].grid,
      fees: DEFAULT_TERMS[kind],
      rate: rate as RateQ64,
      tauSeconds,
      discount: discount as DiscountQ64,
    }),
  }) as Market

const indexOf = ({ kind, tauSeconds, discount }: Case): RateIndex =>
  watchMaturity(createIndex({ kind, lastStep: MONDAY, discount: discount as DiscountQ64 }), MONDAY + tauSeconds)

/** The coupon that the rate implies for one period, Q64.64, up. */
const implied = ({ kind, rate }: Case): bigint => {
  const decay = oneMinusExpNeg(divide(rate * BigInt(DEFAULT_TERMS[kind].period), YEAR, 'up'))
  return mulDiv(decay, ONE_Q64, ONE_Q64 - decay, 'up')
}

/** A coupon inside [lo * implied, rho_max], or `rho` itself, and the market after it. */
const afterCoupon = (c: Case, rho: bigint): Market['pool'] => {
  const market = marketOf(c)
  const { period } = market.terms
  const aum = c.kind === 'weekly' ? WEEKLY_AUM : 10n ** 18n
  const { next } = accrueIndex(indexOf(c), { to: MONDAY + period, fees: (rho * aum) >> 64n, aum })
  const final = next.checkpoints[0]!.discount
  return {
    ...market.pool,
    discount: (final ?? next.discount) as DiscountQ64,
    tauSeconds: final === undefined ? c.tauSeconds - period : 0,
  }
}

const couponIn = (c: Case): bigint => {
  const lowest = mulDiv(implied(c), BigInt(DEFAULT_TERMS[c.kind].lowCouponBps), 10_000n, 'up')
  const highest = DEFAULT_CAPS[c.kind].rhoMaxQ64
  return lowest + ((highest - lowest) * c.at) / 1000n
}

/** Legs with the least margin that meets a condition, or undefined if the account is spot. */
const leastLegs = (c: Case, meets: typeof meetsInitial): Legs | undefined => {
  const market = marketOf(c)
  const at = valuation(market, indexOf(c), c.rate as RateQ64, c.rate as RateQ64)
  const worth = (at.spot * c.yt) >> 64n
  const st = (worth * c.entry) / 1000n
  const base = { discount: c.discount, netDeposits: 0n }
  const legs = (margin: bigint): Legs =>
    c.side === 'long' ? { ...base, margin, st: -st, yt: c.yt } : { ...base, margin, st, yt: -c.yt }
  let low = -1n
  let high = 4n * c.yt
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (middle >= 0n && meets(legs(middle), at, market.terms)) high = middle
    else low = middle
  }
  const found = legs(high)
  const spot = c.side === 'long' ? found.margin + found.st >= 0n : false
  return spot ? undefined : found
}

const cases = fc.record({
  kind: fc.constantFrom('hourly' as const, 'weekly' as const),
  side: fc.constantFrom('long' as const, 'short' as const),
  rate: fc.integer({ min: 50, max: 13_860 }).map(tick => tickRate(tick) as bigint),
  tauSeconds: fc.oneof(
    fc.integer({ min: 1, max: 60 * DAY }),
    fc.integer({ min: 1, max: 700 * DAY }),
    fc.integer({ min: 1, max: 8 * DAY }),
  ),
  discount: fc.bigInt({ min: ONE_Q64 / 2n, max: ONE_Q64 }),
  yt: fc.bigInt({ min: 10_000n, max: 10n ** 15n }),
  entry: fc.bigInt({ min: 0n, max: 3000n }),
  at: fc.oneof(fc.constantFrom(0n, 1000n), fc.bigInt({ min: 0n, max: 1000n })),
})

const equityAfter = (c: Case, legs: Legs, rho: bigint): bigint => {
  const pool = afterCoupon(c, rho)
  return equity(touch(legs, pool.discount), ytInJlp(c.rate as RateQ64, pool))
}

describe('one coupon inside the bounds of the market', () => {
  test('T077 I21: bankrupts no account at the initial condition, whatever the rate, the time, the side, the coupon', () => {
    let margined = 0
    fc.assert(
      fc.property(cases, c => {
        const legs = leastLegs(c, meetsInitial)
        if (legs === undefined) return
        margined += 1
        expect(equityAfter(c, legs, couponIn(c))).toBeGreaterThanOrEqual(0n)
      }),
      { numRuns: 4000, seed: 77 },
    )
    expect(margined).toBeGreaterThan(1500)
  })

  test('T077 I21: nor one at maintenance, but for the roundings of two coupons and two prices', () => {
    fc.assert(
      fc.property(cases, c => {
        const legs = leastLegs(c, meetsMaintenance)
        if (legs === undefined) return
        expect(equityAfter(c, legs, couponIn(c))).toBeGreaterThanOrEqual(-4n)
      }),
      { numRuns: 4000, seed: 78 },
    )
  })

  test.each(
    [26, 20, 16, 13, 10, 8, 7, 6, 5, 4, 3, 2, 1].flatMap(weeks =>
      (['weekly', 'hourly'] as const).flatMap(kind =>
        (['long', 'short'] as const).map(side => ({ weeks, kind, side })),
      ),
    ),
  )('T077 I21: $weeks weeks before maturity, $kind, $side: equity after the worst coupon', ({ weeks, kind, side }) => {
    const c: Case = {
      kind,
      side,
      rate: TWENTY,
      tauSeconds: weeks * WEEK_SECONDS,
      discount: ONE_Q64,
      yt: 10n ** 12n,
      entry: 1000n,
      at: side === 'long' ? 0n : 1000n,
    }
    const legs = leastLegs(c, meetsInitial)!
    const market = marketOf(c)
    const before = equity(legs, ytInJlp(c.rate as RateQ64, market.pool))
    const after = equityAfter(c, legs, couponIn(c))
    expect(after).toBeGreaterThanOrEqual(0n)
    // Where the gap binds, a sixth of the equity is left (1 - 1/1.2); elsewhere more.
    expect(after * 6n).toBeGreaterThanOrEqual((before * 99n) / 100n)
  })

  test('T077: without the gap a 10x account would be bankrupt, long from 7 weeks on and short from 20', () => {
    const bankrupt = (side: 'long' | 'short', weeks: number): boolean => {
      const c: Case = {
        kind: 'weekly',
        side,
        rate: TWENTY,
        tauSeconds: weeks * WEEK_SECONDS,
        discount: ONE_Q64,
        yt: 10n ** 12n,
        entry: 1000n,
        at: 0n,
      }
      const worth = shiftQ64(ytInJlp(TWENTY, marketOf(c).pool) * c.yt, 'up')
      const margin = worth / 10n
      const base = { margin, discount: c.discount, netDeposits: margin }
      const legs = side === 'long' ? { ...base, st: -worth, yt: c.yt } : { ...base, st: worth, yt: -c.yt }
      return equityAfter(c, legs, side === 'long' ? (implied(c) * 25n) / 100n : DEFAULT_CAPS.weekly.rhoMaxQ64) < 0n
    }
    expect([26, 13, 8, 7, 6, 4, 1].map(weeks => bankrupt('long', weeks))).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      true,
    ])
    expect([30, 26, 20, 13, 8, 1].map(weeks => bankrupt('short', weeks))).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ])
  })
})
