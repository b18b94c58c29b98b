import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayNumber, secondsOf } from '../../src/oracle/calendar.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import {
  dayAt,
  daysBefore,
  type History,
  type HistoryDay,
  historyOf,
  hoursOfDay,
  projectHistory,
  weeks,
} from '../../src/oracle/history.ts'
import { type LeadingReading, leadingApr } from '../../src/oracle/leading.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(OracleError)

const history = projectHistory()
const from = (date: string): History => historyOf('file', history.days.slice(indexOf(date)))
const indexOf = (date: string): number => dayNumber(date)! - history.days[0]!.day
const at = (date: string, hour = 0): number => secondsOf(dayNumber(date)!, hour)
const changed = (source: History, change: (row: HistoryDay) => Partial<HistoryDay>): History =>
  historyOf(
    'changed',
    source.days.map(row => ({ ...row, ...change(row) })),
  )

describe('after full days', () => {
  /** Readings of the research prototype, which this is a port of: as of a midnight, from all days or a file that begins later. */
  const PROTOTYPE: [asOf: string, file: string | undefined, apr: number, low: number, high: number][] = [
    ['2024-02-05', undefined, 106.81411444184812, 69.54367206148173, 174.38882581821107],
    ['2024-04-16', undefined, 94.72465018148877, 74.15638192530359, 129.8507424369766],
    ['2024-08-06', undefined, 69.74849290770867, 54.05479405557175, 93.96692116232794],
    ['2024-12-20', undefined, 58.91855373836283, 55.53193175600132, 66.49982378629201],
    ['2025-03-08', undefined, 30.430366732263476, 17.39923661969904, 53.290554070016164],
    ['2025-06-26', undefined, 23.681275369960385, 20.987733589391148, 26.868371875433706],
    ['2025-10-13', undefined, 22.67027836201917, 16.193592110589115, 32.31125303370069],
    ['2025-12-24', undefined, 7.059498580462214, 5.779369157088322, 9.03357571380544],
    ['2025-10-13', '2025-09-20', 22.67027836201917, 16.193592110589115, 32.31125303370069],
    ['2025-10-13', '2025-09-30', 22.67027836201917, 16.193592110589115, 32.31125303370069],
  ]
  test.each(PROTOTYPE)('equals the prototype as of %s', (date, file, apr, low, high) => {
    const input = file === undefined ? { history } : { history: from(file), training: history }
    const reading = leadingApr({ ...input, asOf: at(date) })
    expect(reading.aprPercent / apr).toBeCloseTo(1, 12)
    expect(reading.lowPercent / low).toBeCloseTo(1, 12)
    expect(reading.highPercent / high).toBeCloseTo(1, 12)
  })

  test('a file of another scale only shares what was learnt, as in the prototype', () => {
    const tripled = changed(from('2025-09-20'), row => ({ feesUsdX6: row.feesUsdX6 * 3n }))
    const reading = leadingApr({ history: tripled, training: history, asOf: at('2025-10-13') })
    expect(reading.aprPercent / 68.71380215294911).toBeCloseTo(1, 12)
    expect(reading.lowPercent / 47.6618137715731).toBeCloseTo(1, 12)
    expect(reading.highPercent / 97.04214813674979).toBeCloseTo(1, 12)
  })

  test('default: says what it knows', () => {
    const reading = leadingApr({ history, asOf: at('2025-06-26') })
    const [last, running] = weeks(history).filter(week => week.date === '2025-06-14' || week.date === '2025-06-21')
    expect(reading).toMatchObject({ week: running!.date, daysKnown: 5, hoursKnown: 0, hours: 'none' })
    expect(reading.lastPrintPercent).toBeCloseTo(last!.aprPercent, 9)
    expect(reading.runRatePercent).toBeGreaterThan(0)
    expect(reading.lowPercent).toBeLessThan(reading.aprPercent)
    expect(reading.highPercent).toBeGreaterThan(reading.aprPercent)
  })

  test('behavior: on Saturday at 0:00 nothing of the week is known, and there is a reading', () => {
    const reading = leadingApr({ history, asOf: at('2025-06-21') })
    expect(reading).toMatchObject({ week: '2025-06-21', daysKnown: 0, runRatePercent: undefined })
    expect(reading.aprPercent).toBeGreaterThan(0)
  })

  test('behavior: a history of one day is enough for a reading', () => {
    const one = historyOf('one', history.days.slice(5, 6))
    const reading = leadingApr({ history: one, asOf: at('2024-02-04') })
    expect(reading.lowPercent).toBeLessThan(reading.aprPercent)
    expect(reading.lastPrintPercent).toBeUndefined()
  })

  test('behavior: days without any fees give a finite reading', () => {
    const dry = changed(historyOf('', history.days.slice(0, 60)), () => ({ feesUsdX6: 0n }))
    for (const date of ['2024-03-09', '2024-03-12', '2024-03-15']) {
      const { aprPercent, lowPercent, highPercent } = leadingApr({ history: dry, asOf: at(date) })
      expect([aprPercent, lowPercent, highPercent].every(Number.isFinite)).toBe(true)
    }
  })

  test('a wider band for a higher coverage', () => {
    const width = (nominalCoverage: number): number => {
      const { highPercent, lowPercent } = leadingApr({ history, asOf: at('2025-06-24'), nominalCoverage })
      return highPercent - lowPercent
    }
    expect(width(50)).toBeLessThan(width(80))
    expect(width(80)).toBeLessThan(width(95))
  })

  test('error: no-data, bad-parameter', () => {
    expect(codeOf(() => leadingApr({ history, asOf: at('2025-12-24') }))).toBe('none')
    expect(codeOf(() => leadingApr({ history, asOf: at('2025-12-25') }))).toBe('no-data')
    expect(codeOf(() => leadingApr({ history, asOf: at('2024-01-29') }))).toBe('no-data')
    expect(codeOf(() => leadingApr({ history: historyOf('', []), asOf: at('2024-01-29') }))).toBe('no-data')
    expect(codeOf(() => leadingApr({ history, asOf: at('2025-06-24'), nominalCoverage: 100 }))).toBe('bad-parameter')
    const today = { feesUsdX6: -1n }
    expect(codeOf(() => leadingApr({ history, asOf: at('2025-06-24', 5), today }))).toBe('bad-parameter')
  })
})

describe('no look-ahead, no scale', () => {
  const dates = fc
    .integer({ min: 10, max: history.days.length - 1 })
    .map(i => ({ day: history.days[i]!.day, asOf: secondsOf(history.days[i]!.day) }))

  test('PROPERTY bit for bit the same on a history cut off at the prediction, or with another future', () => {
    fc.assert(
      fc.property(dates, fc.bigInt({ min: 0n, max: 10n ** 13n }), ({ day, asOf }, fees) => {
        const reading = leadingApr({ history, asOf })
        expect(leadingApr({ history: daysBefore(history, day), asOf })).toEqual(reading)
        const future = changed(history, row =>
          row.day < day ? {} : { feesUsdX6: fees, aumUsdX6: fees + 1n, aumCarried: true },
        )
        expect(leadingApr({ history: future, asOf })).toEqual(reading)
        expect(leadingApr({ history: daysBefore(history, day), training: future, asOf })).toEqual(reading)
      }),
      { numRuns: 30 },
    )
  })

  test('PROPERTY within a day, later days do not matter either', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: 1, max: 23 }), ({ day, asOf }, hour) => {
        const reading = leadingApr({ history, asOf: asOf + hour * 3600 })
        expect(leadingApr({ history: daysBefore(history, day + 1), asOf: asOf + hour * 3600 })).toEqual(reading)
      }),
      { numRuns: 20 },
    )
  })

  test('PROPERTY fees and AUM in another unit only scale the reading', () => {
    fc.assert(
      fc.property(dates, fc.bigInt({ min: 2n, max: 50n }), fc.bigInt({ min: 2n, max: 5n }), ({ asOf }, f, a) => {
        const reading = leadingApr({ history, asOf })
        const scaled = leadingApr({
          history: changed(history, row => ({ feesUsdX6: row.feesUsdX6 * f, aumUsdX6: row.aumUsdX6 * a })),
          asOf,
        })
        const factor = Number(f) / Number(a)
        expect(scaled.aprPercent / reading.aprPercent / factor).toBeCloseTo(1, 9)
        expect(scaled.lowPercent / reading.lowPercent / factor).toBeCloseTo(1, 9)
        expect(scaled.highPercent / reading.highPercent / factor).toBeCloseTo(1, 9)
      }),
      { numRuns: 20 },
    )
  })
})

describe('within a day', () => {
  const readings = (date: string, hours: readonly number[]): LeadingReading[] =>
    hours.map(hour => leadingApr({ history, asOf: at(date, hour) }))
  const HOURS = Array.from({ length: 24 }, (_, hour) => hour)
  const width = ({ highPercent, lowPercent }: LeadingReading): number => highPercent - lowPercent

  test('moves every hour, in small steps, from one midnight’s reading to the next one’s', () => {
    for (const date of ['2025-03-29', '2025-04-01', '2024-08-05']) {
      const day = readings(date, [...HOURS, 24])
      for (let hour = 1; hour <= 24; hour++) {
        const [last, now] = [day[hour - 1]!, day[hour]!]
        expect(now.aprPercent).not.toBe(last.aprPercent)
        expect(Math.abs(Math.log(now.aprPercent / last.aprPercent))).toBeLessThan(0.1)
      }
    }
  })

  test('a minute before the next hour it is still the last full hour’s', () => {
    const asOf = at('2025-04-01', 13)
    expect(leadingApr({ history, asOf: asOf + 3599 })).toEqual(leadingApr({ history, asOf }))
    expect(leadingApr({ history, asOf })).toMatchObject({ asOf, hoursKnown: 13, hours: 'modelled', daysKnown: 3 })
  })

  test('on the last day it converges to the print, and the band closes', () => {
    for (const week of weeks(history).filter((_, i) => i % 8 === 3)) {
      const friday = HOURS.map(hour => leadingApr({ history, asOf: secondsOf(week.day + 6, hour) }))
      const last = friday[23]!
      expect(Math.abs(last.aprPercent / week.aprPercent - 1)).toBeLessThan(0.005)
      expect(width(last)).toBeLessThan(0.25 * width(friday[0]!))
      for (let hour = 2; hour < 24; hour++) expect(width(friday[hour]!)).toBeLessThan(1.1 * width(friday[hour - 1]!))
    }
  })

  test('real hours are taken as given: those of the profile give the same reading', () => {
    const day = dayNumber('2025-04-01')!
    const row = dayAt(history, day)!
    const feesUsdX6 = hoursOfDay(row)
      .slice(0, 9)
      .reduce((sum, hour) => sum + hour.feesUsdX6, 0n)
    const asOf = secondsOf(day, 9)
    const today = { feesUsdX6, aumUsdX6: row.aumUsdX6 }
    const given = leadingApr({ history: daysBefore(history, day), asOf, today })
    expect(given).toEqual({ ...leadingApr({ history, asOf }), hours: 'given' })
  })

  test('PROPERTY more fees today, a higher reading', () => {
    const asOf = at('2025-04-01', 15)
    const known = daysBefore(history, dayNumber('2025-04-01')!)
    const read = (feesUsdX6: bigint): number => leadingApr({ history: known, asOf, today: { feesUsdX6 } }).aprPercent
    const amount = fc.bigInt({ min: 10n ** 10n, max: 10n ** 13n })
    fc.assert(
      fc.property(amount, fc.bigInt({ min: 101n, max: 1000n }), (fees, percent) => {
        expect(read((fees * percent) / 100n)).toBeGreaterThan(read(fees))
      }),
      { numRuns: 30 },
    )
  })

  test('hours without fees, and a flood of them, give a reading inside its band', () => {
    const known = daysBefore(history, dayNumber('2025-04-01')!)
    for (const feesUsdX6 of [0n, 1n, 10n ** 15n]) {
      for (const hour of [1, 12, 23]) {
        const reading = leadingApr({ history: known, asOf: at('2025-04-01', hour), today: { feesUsdX6 } })
        expect(reading.lowPercent).toBeGreaterThan(0)
        expect(reading.aprPercent).toBeGreaterThanOrEqual(reading.lowPercent)
        expect(reading.highPercent).toBeGreaterThanOrEqual(reading.aprPercent)
        expect(reading.highPercent).toBeLessThan(1e6)
      }
    }
  })

  test('without the running day in the history it is the reading of the last midnight', () => {
    const cut = daysBefore(history, dayNumber('2025-04-01')!)
    const reading = leadingApr({ history: cut, asOf: at('2025-04-01', 15) })
    expect(reading).toEqual(leadingApr({ history, asOf: at('2025-04-01') }))
  })
})

// ---- hours that the profile does not know -----------------------------------------------------------------------------

const { SUNDER_SHARED } = process.env
const shared = SUNDER_SHARED ?? join(fileURLToPath(new URL('../../', import.meta.url)), '..', 'shared')
const volumeFile = join(shared, 'data', 'jup_perps_hourly_volume_modelled.csv')

describe.skipIf(!existsSync(volumeFile))(
  'judged on hours of modelled volume (skipped without the shared data; SUNDER_SHARED names it)',
  () => {
    test('each quarter of the last day lowers the error, and the band covers', () => {
      const volumes = new Map<number, number[]>()
      for (const row of readFileSync(volumeFile, 'utf8').trim().split('\n').slice(1)) {
        const day = dayNumber(row.slice(0, 10))!
        volumes.set(day, [...(volumes.get(day) ?? []), Number(row.split(',')[1])])
      }
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
      const scored = weeks(history).filter(week => volumes.get(week.day + 6)?.length === 24)
      expect(scored.length).toBe(27)
      const judged = [0, 6, 12, 18, 23].map(hour => {
        const results = scored.map(week => {
          const row = dayAt(history, week.day + 6)!
          const hours = volumes.get(row.day)!
          const part = sum(hours.slice(0, hour)) / sum(hours)
          const today = { feesUsdX6: BigInt(Math.round(Number(row.feesUsdX6) * part)), aumUsdX6: row.aumUsdX6 }
          const reading = leadingApr({ history, asOf: secondsOf(row.day, hour), today })
          const print = week.aprPercent
          return {
            miss: Math.abs(reading.aprPercent - print),
            isCovered: reading.lowPercent <= print && print <= reading.highPercent,
          }
        })
        return {
          mae: sum(results.map(({ miss }) => miss)) / results.length,
          coverage: results.filter(({ isCovered }) => isCovered).length / results.length,
        }
      })
      for (const [i, { mae, coverage }] of judged.entries()) {
        if (i > 0) expect(mae).toBeLessThan(0.85 * judged[i - 1]!.mae)
        expect(coverage).toBeGreaterThan(0.75)
      }
      expect(judged[0]!.mae).toBeLessThan(1.5)
      expect(judged[4]!.mae).toBeLessThan(0.1)
    })
  },
)
