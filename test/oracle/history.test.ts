import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dateOf, dayNumber, weekdayOf, weekStart } from '../../src/oracle/calendar.ts'
import { HOURLY_PROFILE } from '../../src/oracle/data/hourly-profile.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import {
  activityShare,
  dayAt,
  daysBefore,
  type HistoryDay,
  hourlyFees,
  hoursOfDay,
  parseHistory,
  projectHistory,
  weeks,
} from '../../src/oracle/history.ts'

const HEADER = 'date,fees_usd,aum_usd'
const csv = (...rows: string[]): string => [HEADER, ...rows].join('\n')
const refusal = (text: string): { code: string; line: unknown; message: string } => {
  try {
    parseHistory(text, 'file')
  } catch (error) {
    if (!(error instanceof OracleError)) throw error
    const { line } = error.context
    return { code: error.code, line, message: error.message }
  }
  throw new Error('not refused')
}

describe('a history file', () => {
  test('default: fees and AUM as whole USD atoms', () => {
    const history = parseHistory(csv('2025-02-01,1810284.96,1897692412', '2025-02-02,0,1'))
    expect(history.days).toEqual([
      {
        day: 20_120,
        date: '2025-02-01',
        feesUsdX6: 1_810_284_960_000n,
        aumUsdX6: 1_897_692_412_000_000n,
        aumCarried: false,
        kind: 'unstated',
      },
      { day: 20_121, date: '2025-02-02', feesUsdX6: 0n, aumUsdX6: 1_000_000n, aumCarried: false, kind: 'unstated' },
    ])
    expect(history.aumCarried).toBe(0)
  })

  test('behavior: columns in any order, others ignored, quotes, BOM, CRLF, blank lines at the end', () => {
    const plain = parseHistory(csv('2025-02-01,5.5,7', '2025-02-02,6,8'))
    const odd =
      '\uFEFFnote,aum_usd, "fees_usd" ,date,x\r\n"a, ""b""",7,5.5,2025-02-01,\r\n,8, 6 ,2025-02-02,NaN\r\n\r\n \r\n'
    expect(parseHistory(odd)).toEqual(plain)
  })

  test('behavior: digits after the sixth are cut off', () => {
    expect(parseHistory(csv('2025-02-01,5.12345678901,7')).days[0]!.feesUsdX6).toBe(5_123_456n)
  })

  test('behavior: a blank AUM is the last one, marked and counted', () => {
    const history = parseHistory(csv('2025-02-01,5,7', '2025-02-02,6,', '2025-02-03,6, ', '2025-02-04,6,9'))
    expect(history.days.map(row => [row.aumUsdX6, row.aumCarried])).toEqual([
      [7_000_000n, false],
      [7_000_000n, true],
      [7_000_000n, true],
      [9_000_000n, false],
    ])
    expect(history.aumCarried).toBe(2)
    expect(daysBefore(history, history.days[2]!.day).aumCarried).toBe(1)
  })

  test('behavior: real and modelled are read where a column says so', () => {
    const kinds = parseHistory(
      'date,kind,fees_usd,aum_usd\n2025-02-01,real,1,1\n2025-02-02,modelled,1,1\n2025-02-03,?,1,1',
    )
    expect(kinds.days.map(row => row.kind)).toEqual(['real', 'modelled', 'unstated'])
  })

  const good = '2025-02-01,5,7'
  const bad: [what: string, text: string, line: number][] = [
    ['an empty file', '', 1],
    ['blank lines only', '\n \n', 1],
    ['no header', '2025-02-01,5,7', 1],
    ['a missing column', 'date,fees_usd\n2025-02-01,5', 1],
    ['a column twice', 'date,fees_usd,aum_usd,date\n2025-02-01,5,7,2025-02-01', 1],
    ['a header alone', HEADER, 2],
    ['too few cells', csv(good, '2025-02-02,5'), 3],
    ['too many cells', csv(good, '2025-02-02,5,7,8'), 3],
    ['a blank line in between', csv(good, '', '2025-02-02,5,7'), 3],
    ['no date', csv(good, ',5,7'), 3],
    ['another form of date', csv(good, '02/02/2025,5,7'), 3],
    ['a day that does not exist', csv(good, '2025-02-30,5,7'), 3],
    ['a month that does not exist', csv(good, '2025-13-01,5,7'), 3],
    ['a day twice', csv(good, good), 3],
    ['a day back', csv(good, '2025-01-31,5,7'), 3],
    ['a missing day', csv(good, '2025-02-02,5,7', '2025-02-04,5,7'), 4],
    ['negative fees', csv(good, '2025-02-02,-5,7'), 3],
    ['blank fees', csv(good, '2025-02-02,,7'), 3],
    ['NaN fees', csv(good, '2025-02-02,NaN,7'), 3],
    ['infinite fees', csv(good, '2025-02-02,Infinity,7'), 3],
    ['fees with an exponent', csv(good, '2025-02-02,1e6,7'), 3],
    ['fees with a sign', csv(good, '2025-02-02,+5,7'), 3],
    ['fees in words', csv(good, '2025-02-02,five,7'), 3],
    ['hexadecimal fees', csv(good, '2025-02-02,0x10,7'), 3],
    ['fees with a bare point', csv(good, '2025-02-02,5.,7'), 3],
    ['fees beyond reason', csv(good, `2025-02-02,${'9'.repeat(16)},7`), 3],
    ['negative AUM', csv(good, '2025-02-02,5,-7'), 3],
    ['no AUM at all', csv(good, '2025-02-02,5,0'), 3],
    ['NaN AUM', csv(good, '2025-02-02,5,nan'), 3],
    ['a blank start', csv('2025-02-01,5,', '2025-02-02,5,7'), 2],
  ]
  test.each(bad)('error: bad-history, %s', (_, text, line) => {
    expect(refusal(text)).toMatchObject({ code: 'bad-history', line })
    expect(refusal(text).message).toContain(`line ${line}:`)
  })

  test('error: bad-history, a missing day names both dates around it', () => {
    expect(refusal(csv(good, '2025-02-05,5,7')).message).toMatch(/2025-02-01.*2025-02-05/)
  })

  test('PROPERTY any text is either read or refused with a line of it', () => {
    const piece = fc.constantFrom(HEADER, '\n', ',', '2025-02-01', '2025-02-02', '5', '-', '"', '1e3', '\r\n', ' ')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map(parts => parts.join('')),
        ),
        text => {
          try {
            expect(parseHistory(text).days.length).toBeGreaterThan(0)
          } catch (error) {
            if (!(error instanceof OracleError)) throw error
            expect(error.code).toBe('bad-history')
            const { line } = error.context
            expect(line).toBeLessThanOrEqual(text.split('\n').length + 1)
          }
        },
      ),
    )
  })
})

describe('the calendar', () => {
  test('PROPERTY dates and day numbers are inverse', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), day => {
        expect(dayNumber(dateOf(day))).toBe(day)
        expect(weekdayOf(weekStart(day))).toBe(0)
        expect(day - weekStart(day)).toBe(weekdayOf(day))
      }),
    )
  })

  test('a week begins on Saturday', () => {
    expect(weekdayOf(dayNumber('2024-02-03')!)).toBe(0)
    expect(weekdayOf(dayNumber('2024-02-09')!)).toBe(6)
  })
})

describe('the project’s own history', () => {
  const history = projectHistory()

  test('covers 2024-01-29 to 2025-12-23, one AUM carried', () => {
    expect(history.days.length).toBe(695)
    expect([history.days[0]!.date, history.days.at(-1)!.date]).toEqual(['2024-01-29', '2025-12-23'])
    expect(history.days.filter(row => row.aumCarried).map(row => row.date)).toEqual(['2025-03-05'])
  })

  test('fees are real to January 2025 and modelled after', () => {
    expect(history.days.filter(row => row.kind === 'real').length).toBe(369)
    expect(history.days.filter(row => row.kind === 'real').at(-1)!.date).toBe('2025-01-31')
    expect(history.days.filter(row => row.kind === 'modelled').length).toBe(326)
  })

  test('has 98 full weeks, none of a mixed kind', () => {
    const all = weeks(history)
    expect(all.length).toBe(98)
    expect(all[0]!.date).toBe('2024-02-03')
    expect(all.every(week => weekdayOf(week.day) === 0)).toBe(true)
    expect(all.filter(week => week.kind === 'real').length).toBe(52)
    expect(all.filter(week => week.kind === 'modelled').length).toBe(46)
  })

  test('a week prints 0.75 * fees * 365/7 / mean AUM', () => {
    const [week] = weeks(
      parseHistory(csv(...[3, 4, 5, 6, 7, 8, 9].map(day => `2024-02-0${day},${day * 100},${1000 + day}`))),
    )
    const [fees, meanAum] = [4200, 1006]
    expect(week!.aprPercent).toBeCloseTo((100 * 0.75 * fees * 365) / 7 / meanAum, 9)
    expect(week!.aprBps).toBe(BigInt(Math.floor((10_000 * 0.75 * fees * 365) / 7 / meanAum)))
    expect(week!.aumUsdX6).toBe(1_006_000_000n)
  })
})

describe('hours', () => {
  test('the profile has 168 numbers with a mean of exactly 1', () => {
    expect(HOURLY_PROFILE.length).toBe(168)
    expect(HOURLY_PROFILE.every(weight => Number.isInteger(weight) && weight > 0)).toBe(true)
    expect(HOURLY_PROFILE.reduce((sum, weight) => sum + weight, 0)).toBe(168 * 10_000)
  })

  test('PROPERTY the hours of a day add up to it to the atom, each within an atom of its share', () => {
    const row = (day: number, feesUsdX6: bigint): HistoryDay => ({
      day,
      date: dateOf(day),
      feesUsdX6,
      aumUsdX6: 1n,
      aumCarried: false,
      kind: 'real',
    })
    fc.assert(
      fc.property(fc.integer({ min: 19_000, max: 25_000 }), fc.bigInt({ min: 0n, max: 10n ** 14n }), (day, fees) => {
        const hours = hoursOfDay(row(day, fees))
        expect(hours.length).toBe(24)
        expect(hours.reduce((sum, hour) => sum + hour.feesUsdX6, 0n)).toBe(fees)
        for (const [i, hour] of hours.entries()) {
          expect(hour.from).toBe(day * 86_400 + i * 3600)
          const share = activityShare(day, i + 1) - activityShare(day, i)
          expect(Math.abs(Number(hour.feesUsdX6) - Number(fees) * share)).toBeLessThanOrEqual(1.1)
        }
      }),
    )
  })

  test('the stream of the whole history conserves its fees, hour after hour', () => {
    const history = projectHistory()
    const hours = hourlyFees(history)
    expect(hours.length).toBe(695 * 24)
    expect(hours.every((hour, i) => i === 0 || hour.from === hours[i - 1]!.from + 3600)).toBe(true)
    const sum = (values: readonly { readonly feesUsdX6: bigint }[]): bigint =>
      values.reduce((total, { feesUsdX6 }) => total + feesUsdX6, 0n)
    expect(sum(hours)).toBe(sum(history.days))
    const day = dayNumber('2024-08-05')!
    expect(sum(hourlyFees(history, day, day))).toBe(dayAt(history, day)!.feesUsdX6)
    expect(hourlyFees(history, day, day + 1).length).toBe(48)
  })
})

// ---- the tables against what they were cut from ----------------------------------------------------------------------

const { SUNDER_SHARED } = process.env
const shared = SUNDER_SHARED ?? join(fileURLToPath(new URL('../../', import.meta.url)), '..', 'shared')
const file = (name: string): string => join(shared, 'data', name)
const isThere = existsSync(file('jlp_daily.csv')) && existsSync(file('jup_perps_hourly_volume_modelled.csv'))

describe.skipIf(!isThere)(
  'the tables equal their sources (skipped without the shared data; SUNDER_SHARED names it)',
  () => {
    test('daily fees, AUM and kind', () => {
      const source = parseHistory(readFileSync(file('jlp_daily.csv'), 'utf8'), 'source')
      expect(projectHistory().days).toEqual(source.days)
    })

    test('the hourly profile is the mean volume of each hour of the week', () => {
      const sums: number[] = new Array(168).fill(0)
      const counts: number[] = new Array(168).fill(0)
      for (const row of readFileSync(file('jup_perps_hourly_volume_modelled.csv'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)) {
        const [hour, volume] = row.split(',')
        const at = weekdayOf(dayNumber(hour!.slice(0, 10))!) * 24 + Number(hour!.slice(11, 13))
        sums[at]! += Number(volume)
        counts[at]! += 1
      }
      const means = sums.map((sum, i) => sum / counts[i]!)
      const level = means.reduce((sum, value) => sum + value, 0) / 168
      for (const [i, weight] of HOURLY_PROFILE.entries())
        expect(Math.abs(weight - (means[i]! / level) * 10_000)).toBeLessThan(1)
    })
  },
)
