import { beforeAll, describe, expect, test } from 'vitest'
import { type Backtest, type BacktestDay, backtest, walkForward } from '../../src/oracle/backtest.ts'
import { dateOf, dayNumber } from '../../src/oracle/calendar.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import {
  type History,
  type HistoryDay,
  historyOf,
  parseHistory,
  projectHistory,
  usd,
} from '../../src/oracle/history.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(OracleError)

const project = projectHistory()
const slice = (from: number, to?: number): History => historyOf('file', project.days.slice(from, to))
const indexOf = (date: string): number => dayNumber(date)! - project.days[0]!.day
const dayOf = (result: Backtest, day: number): BacktestDay => result.days.find(row => row.day === day)!
const gain = (ours: number, naive: number): number => 100 * (1 - ours / naive)

describe('walk-forward on 2024-02 to 2025-12', () => {
  let result: Backtest
  beforeAll(() => {
    result = backtest({ file: project })
  })

  test('default: 97 weeks, four mornings', () => {
    expect(result.weeks).toBe(97)
    expect(result.nominalCoverage).toBe(80)
    expect(result.days.map(({ day }) => day)).toEqual([1, 3, 5, 6])
  })

  test('equals the prototype: mean absolute errors in points of APR, coverage in percent', () => {
    const expected = [
      [1, 7.68, 10.35, 15.93, 80],
      [3, 5.87, 10.35, 8.08, 82],
      [5, 3.27, 10.35, 3.67, 84],
      [6, 1.86, 10.35, 1.98, 81],
    ]
    const rounded = result.days.map(({ day, mae, maeLastPrint, maeRunRate, coverage }) => [
      day,
      ...[mae, maeLastPrint, maeRunRate].map(value => Math.round(value * 100) / 100),
      Math.round(coverage),
    ])
    expect(rounded).toEqual(expected)
  })

  test('the floors: against the last print at least 14 % less on day 1 and 38 % on day 3', () => {
    expect(gain(dayOf(result, 1).mae, dayOf(result, 1).maeLastPrint)).toBeGreaterThanOrEqual(14)
    expect(gain(dayOf(result, 3).mae, dayOf(result, 3).maeLastPrint)).toBeGreaterThanOrEqual(38)
  })

  test('the floors: against the run-rate at least 12 % less on day 3, and not worse by 1 % on days 5 and 6', () => {
    expect(gain(dayOf(result, 3).mae, dayOf(result, 3).maeRunRate)).toBeGreaterThanOrEqual(12)
    expect(gain(dayOf(result, 5).mae, dayOf(result, 5).maeRunRate)).toBeGreaterThanOrEqual(-1)
    expect(gain(dayOf(result, 6).mae, dayOf(result, 6).maeRunRate)).toBeGreaterThanOrEqual(-1)
  })

  test('above the floors: the one-line blend of both naive predictors is beaten on every day', () => {
    for (const [day, blend] of [
      [1, 15],
      [3, 35],
      [5, 65],
      [6, 80],
    ] as const) {
      expect(gain(dayOf(result, day).mae, dayOf(result, day).maeLastPrint)).toBeGreaterThan(blend)
    }
  })

  test('the band covers within 5 points of its nominal value', () => {
    for (const { coverage } of result.days) expect(Math.abs(coverage - result.nominalCoverage)).toBeLessThanOrEqual(5)
  })

  test('so do bands of 50 and 90 percent', () => {
    for (const nominalCoverage of [50, 90]) {
      const { days } = backtest({ file: project, nominalCoverage })
      const mean = days.reduce((sum, { coverage }) => sum + coverage, 0) / days.length
      expect(Math.abs(mean - nominalCoverage)).toBeLessThanOrEqual(5)
    }
  })

  test('real and modelled weeks apart: the floors hold on either, and together they are all weeks', () => {
    const [real, modelled] = [backtest({ file: project, kind: 'real' }), backtest({ file: project, kind: 'modelled' })]
    expect([real.weeks, modelled.weeks]).toEqual([51, 46])
    for (const part of [real, modelled]) {
      expect(gain(dayOf(part, 1).mae, dayOf(part, 1).maeLastPrint)).toBeGreaterThanOrEqual(14)
      expect(gain(dayOf(part, 3).mae, dayOf(part, 3).maeLastPrint)).toBeGreaterThanOrEqual(38)
      expect(gain(dayOf(part, 3).mae, dayOf(part, 3).maeRunRate)).toBeGreaterThanOrEqual(12)
      expect(gain(dayOf(part, 5).mae, dayOf(part, 5).maeRunRate)).toBeGreaterThanOrEqual(-1)
      expect(gain(dayOf(part, 6).mae, dayOf(part, 6).maeRunRate)).toBeGreaterThanOrEqual(-1)
    }
    for (const { day, mae } of result.days) {
      const together = (51 * dayOf(real, day).mae + 46 * dayOf(modelled, day).mae) / 97
      expect(mae).toBeCloseTo(together, 9)
    }
  })

  test('with itself as training nothing changes: it has no days before the file', () => {
    expect(backtest({ file: project, training: project })).toEqual(result)
  })

  test('progress is reported week by week', () => {
    const seen: string[] = []
    backtest({ file: slice(0, 40), days: [6], onWeek: (done, of) => seen.push(`${done}/${of}`) })
    expect(seen).toEqual(['1/4', '2/4', '3/4', '4/4'])
  })
})

describe('nothing later than the prediction', () => {
  const START = indexOf('2025-03-15')
  const file = slice(START, START + 70)
  const spoil = (source: History, fromDay: number): History =>
    historyOf(
      'spoilt',
      source.days.map(row => (row.day < fromDay ? row : { ...row, feesUsdX6: 1n, aumUsdX6: 10n ** 18n })),
    )

  test('a file that is cut off gives the same readings for the weeks that it has', () => {
    const all = walkForward({ file, training: project })
    const cut = walkForward({ file: historyOf('file', file.days.slice(0, 49)), training: project })
    expect(cut.length).toBe(6)
    expect(all.slice(0, cut.length)).toEqual(cut)
  })

  test('another future changes the print of its weeks, not the readings before it', () => {
    const [week, ...later] = walkForward({ file }).slice(5)
    const other = walkForward({ file: spoil(file, week!.week.day + 6) }).slice(5)
    expect(other[0]!.week.aprPercent).not.toBe(week!.week.aprPercent)
    expect(other[0]!.readings).toEqual(week!.readings)
    expect(other[1]!.readings).not.toEqual(later[0]!.readings)
  })

  test('of a training history that overlaps the file, only days before the file are read', () => {
    const readings = walkForward({ file, training: project })
    expect(walkForward({ file, training: slice(0, START) })).toEqual(readings)
    expect(walkForward({ file, training: spoil(project, file.days[0]!.day) })).toEqual(readings)
    expect(walkForward({ file, training: spoil(project, file.days[0]!.day - 1) })).not.toEqual(readings)
  })
})

describe('other files', () => {
  const text = (days: readonly HistoryDay[], shift = 0, scale = 1): string =>
    [
      'extra,date,aum_usd,fees_usd',
      ...days.map(row => {
        const aum = row.aumCarried ? '' : usd(row.aumUsdX6)
        return `x,${dateOf(row.day + shift)},${aum},${usd(row.feesUsdX6) * scale}`
      }),
    ].join('\n')

  test('the project’s own columns as text: the same figures', () => {
    const own = parseHistory(text(project.days), 'own')
    expect(backtest({ file: own })).toEqual(backtest({ file: project }))
  })

  test('three weeks suffice, with and without the project’s history', () => {
    const start = indexOf('2025-07-05')
    const file = parseHistory(text(project.days.slice(start, start + 21)))
    for (const input of [{ file }, { file, training: project }]) {
      const result = backtest(input)
      expect(result.weeks).toBe(2)
      for (const row of result.days) expect(Object.values(row).every(Number.isFinite)).toBe(true)
    }
  })

  test('many short files: the band covers, and the project’s history helps on the first day', () => {
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
    const starts = Array.from({ length: 20 }, (_, i) => 103 + 28 * i)
    const alone = starts.map(start => backtest({ file: slice(start, start + 28) }))
    const helped = starts.map(start => backtest({ file: slice(start, start + 28), training: project }))
    const mae = (results: readonly Backtest[], at: number): number => mean(results.map(({ days }) => days[at]!.mae))
    expect(mae(helped, 0)).toBeLessThan(mae(alone, 0))
    const coverage = mean(helped.flatMap(({ days }) => days.map(row => row.coverage)))
    expect(Math.abs(coverage - 80)).toBeLessThanOrEqual(6)
  })

  test('a file that goes on where the project’s history ends: weeks from its second one, seam or not', () => {
    const end = project.days.length
    const days = project.days.slice(end - 100)
    const next = parseHistory(text(days, 100), 'next')
    expect(next.days[0]!.date).toBe('2025-12-24')
    const joined = backtest({ file: next, training: project })
    expect(joined.weeks).toBe(12)
    expect(joined).not.toEqual(backtest({ file: next }))
    const later = backtest({ file: parseHistory(text(days, 400)), training: project })
    const tripled = backtest({ file: parseHistory(text(days, 100, 3)), training: project })
    for (const result of [joined, later, tripled]) {
      for (const row of result.days) expect(row.mae).toBeLessThan(row.maeLastPrint)
    }
  })

  test('in another unit of fees the errors scale and the coverage stays', () => {
    const file = slice(0, 120)
    const scaled = historyOf(
      'scaled',
      file.days.map(row => ({ ...row, feesUsdX6: row.feesUsdX6 * 7n })),
    )
    const [a, b] = [backtest({ file }), backtest({ file: scaled })]
    for (const [i, row] of a.days.entries()) {
      expect(b.days[i]!.mae / row.mae).toBeCloseTo(7, 6)
      expect(b.days[i]!.coverage).toBe(row.coverage)
    }
  })

  test('error: no-data without a second full week, bad-parameter for a day that is not of the week', () => {
    const start = indexOf('2025-07-05')
    expect(codeOf(() => backtest({ file: slice(start, start + 13) }))).toBe('no-data')
    expect(codeOf(() => backtest({ file: slice(start, start + 14) }))).toBe('none')
    expect(codeOf(() => backtest({ file: slice(start, start + 28), kind: 'real' }))).toBe('no-data')
    for (const day of [0, 7, 1.5]) {
      expect(codeOf(() => backtest({ file: project, days: [day] }))).toBe('bad-parameter')
    }
  })

  test('the whole history takes well under 10 seconds', () => {
    const start = performance.now()
    backtest({ file: project })
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})
