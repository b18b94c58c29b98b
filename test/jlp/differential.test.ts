/** The core formulas against exact fractions and against decimal.js at 60 digits, on random and on extreme numbers. */
import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  aprBps,
  borrowFee,
  custodyAum,
  debtTokens,
  jumpHourlyRate,
  liquidationPrice,
  liquidityFeeTerms,
  positionPnl,
  priceX6,
  shortPnl,
  shownApy,
  tokensFor,
  usdOf,
  virtualPrice,
  weightFeeBps,
} from '../../src/jlp/index.ts'
import type { CustodyFacts } from '../../src/jupiter/facts.ts'
import { custodyFacts, POSITIONS_2026, poolFacts, q, sol2026, usdc2026 } from './fixtures.ts'

const D = Decimal.clone({ precision: 60, toExpPos: 200, toExpNeg: -200 })
const d = (value: bigint | number): Decimal => new D(value.toString())
const floor = (value: Decimal): bigint => BigInt(value.floor().toFixed(0))
const ceil = (value: Decimal): bigint => BigInt(value.ceil().toFixed(0))

const amount = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 6n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }))
const price = fc.record({ price: fc.bigInt({ min: 1n, max: 10n ** 14n }), expo: fc.integer({ min: -12, max: 0 }) })
const decimals = fc.integer({ min: 0, max: 12 })
const RUNS = { numRuns: 1_000 }

describe('prices', () => {
  test('tokens to USD and back, down and up', () => {
    fc.assert(
      fc.property(amount, decimals, price, (tokens, places, at) => {
        const perToken = d(at.price).times(d(10).pow(at.expo))
        const exact = d(tokens).div(d(10).pow(places)).times(perToken).times(1e6)
        if (exact.gte(d(1n << 128n))) {
          expect(() => usdOf(tokens, places, at, 'down')).toThrow(expect.objectContaining({ code: 'out-of-range' }))
          return
        }
        expect(usdOf(tokens, places, at, 'down')).toBe(floor(exact))
        if (exact.lt(d(1n << 127n))) expect(usdOf(tokens, places, at, 'up')).toBe(ceil(exact))
        const back = d(tokens).div(1e6).div(perToken).times(d(10).pow(places))
        // A quotient that is a whole number is one to 60 digits too; all others are far from one.
        expect(tokensFor(tokens, places, at, 'down')).toBe(floor(back.toDecimalPlaces(25)))
        expect(tokensFor(tokens, places, at, 'up')).toBe(ceil(back.toDecimalPlaces(25)))
        expect(priceX6(at, 'down')).toBe(floor(perToken.times(1e6)))
        expect(priceX6(at, 'up')).toBe(ceil(perToken.times(1e6)))
      }),
      RUNS,
    )
  })
})

const anyCustody = fc
  .record({
    isStable: fc.boolean(),
    owned: fc.bigInt({ min: 0n, max: 10n ** 17n }),
    lockedPart: fc.integer({ min: 0, max: 1000 }),
    guaranteedUsd: fc.bigInt({ min: 0n, max: 10n ** 15n }),
    shorts: fc.bigInt({ min: 0n, max: 10n ** 14n }),
    average: fc.bigInt({ min: 1n, max: 10n ** 12n }),
    debt: fc.bigInt({ min: 0n, max: 10n ** 24n }),
    interest: fc.bigInt({ min: 0n, max: 10n ** 20n }),
    target: fc.integer({ min: 0, max: 10_000 }),
  })
  .map(v => ({
    address: 'custody',
    facts: custodyFacts({
      decimals: 6,
      isStable: v.isStable,
      target: v.target,
      owned: v.owned,
      locked: (v.owned * BigInt(v.lockedPart)) / 1000n,
      guaranteedUsd: v.guaranteedUsd,
      shorts: [v.shorts, v.average],
      more: { debt: q(v.isStable ? v.debt : 0n), borrowLendInterestsAccrued: q(v.interest) },
    }),
  }))

/** Owned plus lent-out tokens, from the text of the formula. */
const theoretical = ({ assets, debt, borrowLendInterestsAccrued }: CustodyFacts): Decimal =>
  d(assets.owned).plus(
    D.max(d(debt).minus(d(borrowLendInterestsAccrued)), 0)
      .div(1e9)
      .ceil(),
  )

describe('AUM, virtual price and fees', () => {
  test('custody AUM', () => {
    fc.assert(
      fc.property(anyCustody, price, ({ address, facts }, at) => {
        const perAtom = d(at.price).times(d(10).pow(at.expo)).times(1e6).div(d(10).pow(facts.decimals))
        const { assets } = facts
        expect(d(debtTokens(facts)).plus(d(assets.owned)).eq(theoretical(facts))).toBe(true)
        const worth = (round: (value: Decimal) => bigint): bigint => {
          if (facts.isStable)
            return round(theoretical(facts).times(D.max(perAtom, d(1_000_000).div(d(10).pow(facts.decimals)))))
          const now = d(priceX6(at, 'down'))
          const pnl = d(assets.globalShortSizes)
            .times(d(assets.globalShortAveragePrices).minus(now).abs())
            .div(d(assets.globalShortAveragePrices))
            .floor()
          const value = d(assets.guaranteedUsd).plus(
            d(round(theoretical(facts).minus(d(assets.locked)).times(perAtom))),
          )
          const won = d(assets.globalShortAveragePrices).gt(now)
          return BigInt(D.max(won ? value.minus(pnl) : value.plus(pnl), 0).toFixed(0))
        }
        expect(custodyAum({ address, facts, price: at }, 'down')).toBe(worth(floor))
        expect(custodyAum({ address, facts, price: at }, 'up')).toBe(worth(ceil))
      }),
      RUNS,
    )
  })

  test('virtual price, APR, borrow fee: one division each', () => {
    fc.assert(
      fc.property(
        amount,
        fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }),
        fc.bigInt({ min: 1n, max: 2_000_000n }),
        (a, b, seconds) => {
          expect(virtualPrice(q(a), q(b), 'down')).toBe(floor(d(a).times(1e6).div(d(b))))
          expect(virtualPrice(q(a), q(b), 'up')).toBe(ceil(d(a).times(1e6).div(d(b))))
          const yearly = d(a)
            .times(31_536_000)
            .times(10_000)
            .div(d(b).times(d(seconds)))
          expect(aprBps({ realizedUsd: q(a), aumUsd: q(b), seconds })).toBe(floor(yearly))
          const rates = { snapshot: q<'RateX9'>(b), cumulative: q<'RateX9'>(b + seconds) }
          expect(borrowFee(q(a), rates, 'up')).toBe(ceil(d(seconds).times(d(a)).div(1e9)))
        },
      ),
      RUNS,
    )
  })

  test('the shown APY', () => {
    for (let bps = 0; bps <= 30_000; bps += 37) {
      const exact = d(1).plus(d(bps).div(3_650_000)).pow(365).minus(1)
      expect(shownApy(q(bps))).toBe(floor(exact.times(1e9)))
    }
  })

  test('the weight-dependent fee, from the words of the formula', () => {
    const facts = poolFacts()
    const terms = liquidityFeeTerms(facts)
    fc.assert(
      fc.property(
        anyCustody,
        price,
        fc.bigInt({ min: 1n, max: 10n ** 16n }),
        fc.bigInt({ min: 0n, max: 10n ** 13n }),
        fc.constantFrom('in' as const, 'out' as const),
        (custody, at, aumUsd, usd, direction) => {
          const of = { ...custody, price: at }
          const fee = weightFeeBps(of, { aumUsd: q(aumUsd), usd: q(usd), direction, terms })
          const target = d(aumUsd).times(d(custody.facts.targetRatioBps)).div(10_000).floor()
          if (target.isZero()) {
            expect(fee).toBe(0n)
            return
          }
          const { assets } = custody.facts
          const perAtom = d(at.price).times(d(10).pow(at.expo)).times(1e6).div(d(10).pow(custody.facts.decimals))
          const before = custody.facts.isStable
            ? theoretical(custody.facts).times(perAtom).floor()
            : d(assets.owned).minus(d(assets.locked)).times(perAtom).floor().plus(d(assets.guaranteedUsd))
          const moved = d(usd).times(100)
          const after = direction === 'in' ? before.plus(moved) : D.max(before.minus(moved), 0)
          const [from, to] = [before.minus(target).abs(), after.minus(target).abs()]
          const expected = to.lt(from)
            ? D.max(d(10).minus(from.times(100).div(target).floor()), 0)
            : d(10).plus(D.min(from.plus(to).div(2).floor(), target).times(100).div(target).floor())
          expect(fee).toBe(BigInt(expected.toFixed(0)))
          // The documented range: base of 10 bp less at most itself, plus at most the tax of 100.
          expect(fee >= 0n && fee <= 110n).toBe(true)
        },
      ),
      RUNS,
    )
  })
})

describe('rates and positions', () => {
  test('the jump rate', () => {
    const parameters = fc.record({
      min: fc.bigInt({ min: 0n, max: 5_000n }),
      toTarget: fc.bigInt({ min: 0n, max: 10_000n }),
      toMax: fc.bigInt({ min: 0n, max: 30_000n }),
      kink: fc.bigInt({ min: 1n, max: 999_999_999n }),
      used: fc.bigInt({ min: 0n, max: 1_000_000_000n }),
    })
    fc.assert(
      fc.property(parameters, ({ min, toTarget, toMax, kink, used }) => {
        const [target, max] = [min + toTarget, min + toTarget + toMax]
        const facts = custodyFacts({
          decimals: 6,
          isStable: true,
          target: 0,
          owned: 0n,
          jump: [min, target, max, kink],
        })
        const part =
          used <= kink
            ? d(toTarget).times(d(used)).div(d(kink))
            : d(toMax)
                .times(d(used - kink))
                .div(d(1_000_000_000n - kink))
        const yearly = part
          .toDecimalPlaces(30)
          .ceil()
          .plus(d(used <= kink ? min : target))
        expect(jumpHourlyRate(facts, q(used))).toBe(floor(yearly.times(1e5).div(8760)))
      }),
      RUNS,
    )
    for (const kink of [0n, 1_000_000_000n]) {
      const bad = custodyFacts({ decimals: 6, isStable: true, target: 0, owned: 0n, jump: [0n, 1n, 2n, kink] })
      expect(() => jumpHourlyRate(bad, q(1n))).toThrow(expect.objectContaining({ code: 'bad-parameter' }))
    }
  })

  test('the jump rate never falls with utilisation', () => {
    for (const { facts } of [sol2026(), usdc2026()]) {
      let last = -1n
      for (let used = 0n; used <= 1_000_000_000n; used += 1_234_567n) {
        const rate = jumpHourlyRate(facts, q(used))
        expect(rate).toBeGreaterThanOrEqual(last)
        last = rate
      }
    }
  })

  test('PnL of either side, and of all shorts', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 13n }),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        (size, entry, exit) => {
          fc.pre(exit < 100_000n * entry)
          const exact = d(size)
            .times(d(exit).minus(d(entry)))
            .div(d(entry))
            .toDecimalPlaces(30)
          expect(positionPnl({ side: 'long', price: q(entry), sizeUsd: q(size) }, q(exit))).toBe(floor(exact))
          expect(positionPnl({ side: 'short', price: q(entry), sizeUsd: q(size) }, q(exit))).toBe(floor(exact.neg()))
          const facts = custodyFacts({ decimals: 6, isStable: false, target: 0, owned: 0n, shorts: [size, entry] })
          if (exit > 0n) expect(shortPnl(facts, { price: exit, expo: -6 })).toBe(BigInt(exact.neg().trunc().toFixed(0)))
        },
      ),
      RUNS,
    )
  })

  test('the liquidation price: there, collateral and PnL together are the greatest loss', () => {
    const [sol, usdc] = [sol2026().facts, usdc2026().facts]
    fc.assert(
      fc.property(
        fc.constantFrom(...POSITIONS_2026),
        fc.integer({ min: 1, max: 400 }),
        fc.bigInt({ min: 1_000_000n, max: 10n ** 12n }),
        ({ position: real }, leverage, sizeUsd) => {
          const position = {
            ...real,
            sizeUsd: q<'UsdX6'>(sizeUsd),
            collateralUsd: q<'UsdX6'>(sizeUsd / BigInt(leverage)),
          }
          const collateral = real.side === 'long' ? sol : usdc
          const growth = collateral.fundingRateState.cumulativeInterestRate - real.cumulativeInterestSnapshot
          const bps = 6n + (sizeUsd * 10_000n + 3_749_999_999_999_999n) / 3_750_000_000_000_000n
          const loss = d(sizeUsd)
            .div(500)
            .floor()
            .plus(d(sizeUsd).times(d(bps)).div(10_000).ceil())
            .plus(d(growth).times(d(sizeUsd)).div(1e9).floor())
          const sign = real.side === 'long' ? 1 : -1
          const exact = d(real.price).plus(
            loss.minus(d(position.collateralUsd)).times(sign).times(d(real.price)).div(d(sizeUsd)),
          )
          const found = d(liquidationPrice(position, { traded: sol, collateral }))
          expect(found.minus(D.max(exact, 0)).abs().lt(1)).toBe(true)
        },
      ),
      RUNS,
    )
  })
})
