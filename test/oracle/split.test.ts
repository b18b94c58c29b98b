import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { apportion } from '../../src/oracle/apportion.ts'
import { dayNumber, secondsOf } from '../../src/oracle/calendar.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { projectHistory, weeks } from '../../src/oracle/history.ts'
import { aprX9Of, type FeesBySource, SOURCES, splitAt, splitBySource, splitChange } from '../../src/oracle/split.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(OracleError)

const WEEK = 604_800n
const history = projectHistory()
const at = (date: string): number => secondsOf(dayNumber(date)!)
const amount = fc.bigInt({ min: 0n, max: 10n ** 14n })

describe('a whole and its parts', () => {
  test('PROPERTY parts add up to the whole, each within an atom of its share', () => {
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 30 }), (whole, weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0n)
        fc.pre(total > 0n)
        const parts = apportion(whole, weights)
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(whole)
        for (const [i, part] of parts.entries()) {
          const share = (whole * weights[i]!) / total
          expect(part >= share && part <= share + 1n).toBe(true)
        }
      }),
    )
  })

  test('nothing is split among nobody; something is refused', () => {
    expect(apportion(0n, [0n, 0n])).toEqual([0n, 0n])
    expect(codeOf(() => apportion(1n, [0n, 0n]))).toBe('bad-parameter')
    expect(codeOf(() => apportion(1n, [2n, -1n]))).toBe('bad-parameter')
  })
})

describe('yield by source', () => {
  const fees: FeesBySource = {
    openClose: 3_000_000_000_000n,
    borrow: 1_000_000_000_000n,
    swap: 500_000_000_000n,
    liquidation: 0n,
    mintBurn: 1n,
  }

  test('default: the share of each source', () => {
    const split = splitBySource(fees, { aumUsdX6: 1_000_000_000_000_000n, seconds: WEEK })
    expect(Number(split.aprX9) / 1e9).toBeCloseTo((0.75 * 4.5e6 * 365) / 7 / 1e9, 8)
    expect(Number(split.parts[0]!.aprX9) / Number(split.aprX9)).toBeCloseTo(3 / 4.5, 7)
    expect(split.parts.map(part => part.source)).toEqual([...SOURCES])
    expect(split.parts[3]!).toEqual({ source: 'liquidation', feesUsdX6: 0n, aprX9: 0n, apyX9: 0n })
  })

  test('PROPERTY fees, APR and APY of the sources add up to the totals exactly', () => {
    fc.assert(
      fc.property(
        fc.record({ openClose: amount, borrow: amount, swap: amount, liquidation: amount, mintBurn: amount }),
        fc.bigInt({ min: 10n ** 13n, max: 10n ** 16n }),
        (fees, aumUsdX6) => {
          const split = splitBySource(fees, { aumUsdX6, seconds: WEEK })
          for (const field of ['feesUsdX6', 'aprX9', 'apyX9'] as const) {
            expect(split.parts.reduce((sum, part) => sum + part[field], 0n)).toBe(split[field])
          }
        },
      ),
    )
  })
})

describe('fees against TVL', () => {
  const period = (fees: bigint, aum: bigint) => ({ feesUsdX6: fees, aumUsdX6: aum, seconds: WEEK })
  const MILLION = 1_000_000_000_000n

  test('fees double and TVL stays: all of it is fees; TVL doubles and fees stay: all of it is TVL', () => {
    const fees = splitChange(period(MILLION, 500n * MILLION), period(2n * MILLION, 500n * MILLION))
    expect([fees.tvlX9, fees.feesX9]).toEqual([0n, fees.changeX9])
    const tvl = splitChange(period(MILLION, 500n * MILLION), period(MILLION, 1000n * MILLION))
    expect(Math.abs(Number(tvl.feesX9))).toBeLessThanOrEqual(2)
    expect(Number(tvl.tvlX9)).toBeLessThan(0)
  })

  test('both double: no change, two effects that cancel', () => {
    const both = splitChange(period(MILLION, 500n * MILLION), period(2n * MILLION, 1000n * MILLION))
    expect(both.changeX9).toBe(0n)
    expect(both.feesX9).toBe(-both.tvlX9)
    expect(Number(both.feesX9) / Number(both.fromX9)).toBeCloseTo(Math.LN2, 6)
  })

  test('PROPERTY effects add up to the change exactly, and there and back again cancel', () => {
    const some = fc.bigInt({ min: 10n ** 9n, max: 10n ** 13n })
    const aum = fc.bigInt({ min: 10n ** 13n, max: 10n ** 15n })
    fc.assert(
      fc.property(some, aum, some, aum, (f0, a0, f1, a1) => {
        const [a, b] = [period(f0, a0), period(f1, a1)]
        const [there, back] = [splitChange(a, b), splitChange(b, a)]
        expect(there.feesX9 + there.tvlX9).toBe(there.toX9 - there.fromX9)
        expect(there.fromX9).toBe(aprX9Of(a))
        expect(Number(there.tvlX9 + back.tvlX9)).toBeCloseTo(0, -1)
        if (a1 > a0) expect(there.tvlX9 <= 0n).toBe(true)
      }),
    )
  })

  test('from no fees at all, the change is fees', () => {
    const change = splitChange(period(0n, MILLION), period(MILLION, 500n * MILLION))
    expect(change.feesX9).toBe(change.toX9)
    expect(change.tvlX9).toBe(0n)
  })

  test('error: bad-parameter for an impossible period', () => {
    expect(codeOf(() => aprX9Of(period(-1n, 1n)))).toBe('bad-parameter')
    expect(codeOf(() => aprX9Of(period(1n, 0n)))).toBe('bad-parameter')
  })
})

describe('the split of a recorded week', () => {
  test('2024: the total, and that its sources are not recorded', () => {
    const split = splitAt(history, at('2024-08-13'))
    expect(split.week.date).toBe('2024-08-03')
    expect(split.sources).toEqual({ kind: 'not-recorded' })
    expect(Number(split.change!.toX9) / 1e7).toBeCloseTo(split.week.aprPercent, 6)
    expect(split.change!.feesX9 + split.change!.tvlX9).toBe(split.change!.changeX9)
  })

  test('2025: the fees of closes, from which the total was modelled', () => {
    const { sources, week } = splitAt(history, at('2025-10-20'))
    if (sources.kind !== 'closes-only') throw new Error(sources.kind)
    expect(Number(week.feesUsdX6) / Number(sources.closeFeesUsdX6)).toBeCloseTo(2.6, 9)
  })

  test('with a simulation: its proportions over the recorded total', () => {
    const simulated = { openClose: 60n, borrow: 25n, swap: 10n, liquidation: 3n, mintBurn: 2n }
    const { sources, week } = splitAt(history, at('2024-08-13'), simulated)
    if (sources.kind !== 'simulated') throw new Error(sources.kind)
    expect(sources.split.feesUsdX6).toBe(week.feesUsdX6)
    expect(Number(sources.split.parts[1]!.aprX9) / Number(sources.split.aprX9)).toBeCloseTo(0.25, 6)
  })

  test('the first week has none before it to compare with', () => {
    const [first] = weeks(history)
    expect(splitAt(history, secondsOf(first!.day + 7)).change).toBeUndefined()
    expect(codeOf(() => splitAt(history, secondsOf(first!.day)))).toBe('no-data')
  })
})
