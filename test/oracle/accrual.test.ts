import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ONE_Q64 } from '../../amm/index.ts'
import {
  accrueIndex,
  createIndex,
  DEFAULT_CAPS,
  finalise,
  lowestDiscount,
  type RateIndex,
  stepYieldQ64,
  watchMaturity,
} from '../../src/oracle/accrual.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(OracleError)

const HOUR = 3600
const START = 1_725_494_400 // a full hour
const AUM = 700_000_000_000_000n // 700M USD
const hourly = (): RateIndex => createIndex({ kind: 'hourly', lastStep: START })
const bps = (index: RateIndex): number => (2 ** 64 / Number(index.discount) - 1) * 1e4

describe('a step', () => {
  test('D falls by the one rational aum / (aum + fees), rounded up', () => {
    const { next, step } = accrueIndex(hourly(), { to: START + HOUR, fees: 50_000_000_000n, aum: AUM })
    expect(next.discount).toBe((ONE_Q64 * AUM + AUM + 50_000_000_000n - 1n) / (AUM + 50_000_000_000n))
    expect(step.feesPaid).toBe(50_000_000_000n)
    expect(stepYieldQ64(step)).toBe((50_000_000_000n * ONE_Q64) / AUM)
  })

  test('no fees, no fall', () => {
    expect(accrueIndex(hourly(), { to: START + HOUR, fees: 0n, aum: AUM }).next.discount).toBe(ONE_Q64)
  })

  test('I24: above the hour’s cap the rest is carried, and paid when there is room', () => {
    const cap = (AUM * 5n) / 10_000n
    const first = accrueIndex(hourly(), { to: START + HOUR, fees: cap * 2n, aum: AUM })
    expect(first.step.feesPaid).toBeLessThanOrEqual(cap)
    expect(first.step.feesPaid).toBeGreaterThan(cap - 2n)
    expect(first.next.carry).toBe(cap * 2n - first.step.feesPaid)
    const second = accrueIndex(first.next, { to: START + 2 * HOUR, fees: 0n, aum: AUM })
    expect(second.next.carry).toBeLessThan(5n)
    expect(second.step.feesPaid + first.step.feesPaid + second.next.carry).toBe(cap * 2n)
  })

  test('I24: a week never pays more than its budget and one refill, whatever is earned', () => {
    let index = hourly()
    for (let h = 1; h <= 168; h++) {
      index = accrueIndex(index, { to: START + h * HOUR, fees: AUM / 1000n, aum: AUM }).next
    }
    // 2.5 % there at the start and another 2.5 % refilled over the week
    expect(bps(index)).toBeLessThan(505 + 6.5)
    expect(index.carry).toBeGreaterThan(0n)
  })

  test('a late step of k hours has k caps', () => {
    const cap = (AUM * 5n) / 10_000n
    const { step } = accrueIndex(hourly(), { to: START + 3 * HOUR, fees: cap * 10n, aum: AUM })
    expect(step.feesPaid).toBeGreaterThan(cap * 3n - 4n)
    expect(step.feesPaid).toBeLessThanOrEqual(cap * 3n)
  })

  test('error: no step back in time, no negative fees, no AUM of 0, no broken hour', () => {
    const index = hourly()
    expect(codeOf(() => accrueIndex(index, { to: START, fees: 1n, aum: AUM }))).toBe('time-backwards')
    expect(codeOf(() => accrueIndex(index, { to: START + HOUR, fees: -1n, aum: AUM }))).toBe('bad-source')
    expect(codeOf(() => accrueIndex(index, { to: START + HOUR, fees: 1n, aum: 0n }))).toBe('bad-source')
    expect(codeOf(() => accrueIndex(index, { to: START + HOUR + 1, fees: 1n, aum: AUM }))).toBe('bad-source')
    expect(codeOf(() => createIndex({ kind: 'hourly', lastStep: START + 1 }))).toBe('bad-parameter')
    expect(
      codeOf(() => createIndex({ kind: 'weekly', lastStep: START, caps: { rhoMaxQ64: ONE_Q64, weeklyBudgetQ64: 0n } })),
    ).toBe('bad-parameter')
  })
})

describe('maturity', () => {
  test('a step across T pays T the floor of its share, and the index the whole', () => {
    const index = watchMaturity(hourly(), START + HOUR)
    const { next, step } = accrueIndex(index, { to: START + 3 * HOUR, fees: 300_000_000n, aum: AUM })
    const share = 100_000_000n
    expect(step.matured).toEqual([
      { maturity: START + HOUR, discount: (ONE_Q64 * AUM + AUM + share - 1n) / (AUM + share), carryUnpaid: 0n },
    ])
    expect(next.discount).toBeLessThan(step.matured[0]!.discount)
    expect(next.checkpoints[0]!.discount).toBe(step.matured[0]!.discount)
  })

  test('T on the hour takes the whole step; a later step leaves the checkpoint alone', () => {
    const first = accrueIndex(watchMaturity(hourly(), START + HOUR), { to: START + HOUR, fees: 10n ** 9n, aum: AUM })
    expect(first.next.checkpoints[0]!.discount).toBe(first.next.discount)
    const second = accrueIndex(first.next, { to: START + 2 * HOUR, fees: 10n ** 9n, aum: AUM })
    expect(second.step.matured).toEqual([])
    expect(second.next.checkpoints[0]!.discount).toBe(first.next.discount)
  })

  test('without data T is final 7 days later at the last D, not before', () => {
    const index = watchMaturity(hourly(), START + HOUR)
    expect(codeOf(() => finalise(index, START + HOUR, START + HOUR + 604_799))).toBe('too-early')
    expect(finalise(index, START + HOUR, START + HOUR + 604_800).checkpoints[0]!.discount).toBe(ONE_Q64)
    expect(codeOf(() => finalise(index, START, START))).toBe('bad-parameter')
    expect(codeOf(() => watchMaturity(index, START))).toBe('bad-parameter')
  })
})

describe('laws', () => {
  const steps = fc.array(
    fc.record({
      hours: fc.integer({ min: 1, max: 30 }),
      fees: fc.bigInt({ min: 0n, max: AUM / 50n }),
      aum: fc.bigInt({ min: AUM / 10n, max: AUM * 10n }),
    }),
    { minLength: 1, maxLength: 80 },
  )

  test('I13, I24: D never rises, never below the lowest discount told beforehand; fees are paid, carried or refused, to the atom', () => {
    fc.assert(
      fc.property(steps, sequence => {
        let index = hourly()
        let to = START
        const end = START + sequence.reduce((sum, s) => sum + s.hours, 0) * HOUR
        const lowest = lowestDiscount(index, end)
        let earned = 0n
        let paid = 0n
        for (const { hours, fees, aum } of sequence) {
          to += hours * HOUR
          const { next, step } = accrueIndex(index, { to, fees, aum })
          earned += fees
          paid += step.feesPaid
          expect(next.discount).toBeLessThanOrEqual(index.discount)
          expect(paid + next.carry).toBe(earned)
          expect(lowestDiscount(next, end)).toBeGreaterThanOrEqual(lowest - 8n)
          index = next
        }
        expect(index.discount).toBeGreaterThanOrEqual(lowest)
      }),
      { numRuns: 500 },
    )
  })

  test('weekly: a step pays at most 1.2 % and D stays above the lowest discount', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 }), aprs => {
        let index = createIndex({ kind: 'weekly', lastStep: START })
        const lowest = lowestDiscount(index, START + aprs.length * 604_800)
        for (const apr of aprs) {
          const to = index.lastStep + 604_800
          index = accrueIndex(index, { to, fees: BigInt(apr) * 604_800n, aum: 10_000n * 31_536_000n }).next
        }
        expect(index.discount).toBeGreaterThanOrEqual(lowest)
      }),
      { numRuns: 300 },
    )
  })

  test('one rational a step: paying in two steps leaves D no higher than an ulp above paying at once', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: AUM / 5000n }), fc.bigInt({ min: 0n, max: AUM / 5000n }), (a, b) => {
        const two = accrueIndex(accrueIndex(hourly(), { to: START + HOUR, fees: a, aum: AUM }).next, {
          to: START + 2 * HOUR,
          fees: b,
          aum: AUM + a,
        }).next
        const one = accrueIndex(hourly(), { to: START + 2 * HOUR, fees: a + b, aum: AUM }).next
        const apart = two.discount - one.discount
        expect(apart >= -2n && apart <= 2n).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

test('the default caps: 0.05 % an hour and 2.5 % a week; 1.2 % a weekly step', () => {
  expect(Number(DEFAULT_CAPS.hourly.rhoMaxQ64) / 2 ** 64).toBeCloseTo(0.0005, 12)
  expect(Number(DEFAULT_CAPS.hourly.weeklyBudgetQ64) / 2 ** 64).toBeCloseTo(0.025, 12)
  expect(Number(DEFAULT_CAPS.weekly.rhoMaxQ64) / 2 ** 64).toBeCloseTo(0.012, 12)
})
