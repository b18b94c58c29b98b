import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayNumber, secondsOf } from '../../src/oracle/calendar.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { FEES_OF_VOLUME_BPS, forecastWeeks, growing, type Stretch, scenario } from '../../src/oracle/forecast.ts'
import { dayAt, daysBefore, historyOf, projectHistory, usd, weeks } from '../../src/oracle/history.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(OracleError)

const history = projectHistory()
const at = (date: string): number => secondsOf(dayNumber(date)!)
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

describe('the next weeks', () => {
  test('default: twelve weeks after the running one, each with a band', () => {
    const forecast = forecastWeeks({ history, asOf: at('2025-06-25') })
    expect(forecast.map(({ ahead }) => ahead)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(forecast[0]!.week).toBe('2025-06-28')
    expect(forecast[11]!.week).toBe('2025-09-13')
    for (const { lowPercent, aprPercent, highPercent } of forecast) {
      expect(lowPercent).toBeLessThan(aprPercent)
      expect(aprPercent).toBeLessThan(highPercent)
    }
  })

  test('reverts: after a week of twice or half the usual fees it expects something in between', () => {
    for (const factor of [2, 0.5]) {
      const days = history.days.slice(0, 103).map((row, i) => ({
        ...row,
        feesUsdX6: BigInt(Math.round(1e12 * (i < 96 ? 1 + (i % 5) / 10 : factor))),
        aumUsdX6: 10n ** 15n,
      }))
      const forecast = forecastWeeks({ history: historyOf('', days), asOf: secondsOf(days.at(-1)!.day + 1), weeks: 4 })
      const [usual, last] = [1.2, factor].map(fees => 0.75 * 36_500 * fees * 1e-3) as [number, number]
      for (const { aprPercent } of forecast) {
        expect(aprPercent).toBeGreaterThan(Math.min(usual, last))
        expect(aprPercent).toBeLessThan(Math.max(usual, last))
      }
    }
  })

  test('out of sample: less error than the last print and than its mean of four weeks; the band covers', () => {
    const all = weeks(history)
    const coverages: number[] = []
    for (const [ahead, gain] of [
      [1, 15],
      [4, 15],
      [8, 15],
      [12, 15],
    ] as const) {
      const scored = all.flatMap((week, i) => {
        const target = all[i + ahead]
        if (i < 6 || target === undefined) return []
        const asOf = secondsOf(week.day)
        const forecast = forecastWeeks({ history: daysBefore(history, week.day), asOf, weeks: ahead })[ahead - 1]!
        expect(forecast.week).toBe(target.date)
        const print = target.aprPercent
        return [
          {
            miss: Math.abs(forecast.aprPercent - print),
            missLast: Math.abs(all[i - 1]!.aprPercent - print),
            missFour: Math.abs(mean(all.slice(i - 4, i).map(one => one.aprPercent)) - print),
            isCovered: forecast.lowPercent <= print && print <= forecast.highPercent,
          },
        ]
      })
      expect(scored.length).toBeGreaterThanOrEqual(80)
      const mae = mean(scored.map(({ miss }) => miss))
      expect(mae).toBeLessThan(mean(scored.map(({ missLast }) => missLast)) * (1 - gain / 100))
      expect(mae).toBeLessThan(mean(scored.map(({ missFour }) => missFour)))
      coverages.push(100 * mean(scored.map(({ isCovered }) => +isCovered)))
    }
    expect(Math.abs(mean(coverages) - 80)).toBeLessThanOrEqual(5)
  })

  test('bit for bit the same with another future', () => {
    const asOf = at('2025-03-05')
    const future = historyOf(
      'future',
      history.days.map(row => (secondsOf(row.day) < asOf ? row : { ...row, feesUsdX6: 7n })),
    )
    expect(forecastWeeks({ history: future, asOf })).toEqual(forecastWeeks({ history, asOf }))
  })

  test('a young history leans on the training one', () => {
    const file = historyOf('file', history.days.slice(500, 510))
    const asOf = secondsOf(history.days[510]!.day)
    const alone = forecastWeeks({ history: file, asOf, weeks: 4 })
    const helped = forecastWeeks({ history: file, asOf, weeks: 4, training: history })
    expect(helped).not.toEqual(alone)
    expect(helped).toEqual(forecastWeeks({ history, asOf, weeks: 4 }))
  })

  test('error: bad-parameter, no-data', () => {
    const asOf = at('2025-03-05')
    for (const count of [0, 13, 1.5]) {
      expect(codeOf(() => forecastWeeks({ history, asOf, weeks: count }))).toBe('bad-parameter')
    }
    expect(codeOf(() => forecastWeeks({ history, asOf, nominalCoverage: 0 }))).toBe('bad-parameter')
    expect(codeOf(() => forecastWeeks({ history, asOf: at('2026-03-05') }))).toBe('no-data')
  })
})

describe('a scenario', () => {
  const stretch: Stretch = {
    days: 30,
    marketVolumeUsd: 500_000_000,
    sharePercent: 10,
    feeBps: 6,
    poolSharePercent: 75,
    tvlUsd: 700_000_000,
  }

  test('the documents’ days: $50M at 10 bps with 70 % are $35,000, at 6 bps with 75 % $22,500', () => {
    const [old, now] = scenario([
      { ...stretch, days: 1, feeBps: 10, poolSharePercent: 70 },
      { ...stretch, days: 1 },
    ])
    expect(old!.poolFeesUsd).toBeCloseTo(35_000, 6)
    expect(now!.poolFeesUsd).toBeCloseTo(22_500, 6)
    expect(now!.aprPercent).toBeCloseTo((100 * 365 * 22_500) / 700e6, 9)
    expect(now!.effects.fees).toBeCloseTo(Math.log(45 / 70), 12)
  })

  test('PROPERTY the effects add up to the change of ln(apr)', () => {
    const value = fc.double({ min: 1, max: 100, noNaN: true })
    const any = fc.record({
      days: value,
      marketVolumeUsd: value,
      sharePercent: value,
      feeBps: value,
      poolSharePercent: value,
      tvlUsd: value,
    })
    fc.assert(
      fc.property(any, any, (a, b) => {
        const [from, to] = scenario([a, b])
        const { market, share, fees, tvl } = to!.effects
        expect(market + share + fees + tvl).toBeCloseTo(Math.log(to!.aprPercent / from!.aprPercent), 9)
      }),
    )
  })

  test('TVL that grows with the market leaves the APR where it is; TVL alone dilutes', () => {
    const months = [30, 30, 30, 30]
    const tvl = growing(700e6, 40, months)
    const market = growing(500e6, 40, months)
    expect(tvl[0]).toBeCloseTo(700e6 * 1.4 ** (15 / 365), 3)
    expect(tvl[3]! / tvl[2]!).toBeCloseTo(1.4 ** (30 / 365), 9)
    const both = scenario(months.map((days, i) => ({ ...stretch, days, tvlUsd: tvl[i]!, marketVolumeUsd: market[i]! })))
    expect(both[3]!.aprPercent).toBeCloseTo(both[0]!.aprPercent, 9)
    const diluted = scenario(months.map((days, i) => ({ ...stretch, days, tvlUsd: tvl[i]! })))
    expect(diluted[3]!.aprPercent).toBeLessThan(diluted[0]!.aprPercent)
  })

  /** Mean daily volume of seven days to a date, $M: Chaos Labs' weekly risk reports on jupresear.ch, weeks of recorded fees. */
  const VOLUMES: [date: string, volume: number][] = [
    ['2024-07-07', 330],
    ['2024-07-21', 478],
    ['2024-08-18', 426.16],
    ['2024-09-01', 456.9],
    ['2024-09-15', 326.6],
    ['2024-09-22', 391.9],
    ['2024-10-06', 571.2],
    ['2024-10-20', 430.8],
    ['2024-11-03', 553.2],
    ['2024-12-15', 991],
    ['2024-12-22', 1200],
    ['2025-01-26', 1500],
  ]

  test('given volume and TVL, twelve recorded weeks come out right within 20 % in the median, and a factor of 2.1', () => {
    const misses = VOLUMES.map(([date, volume]) => {
      const days = Array.from({ length: 7 }, (_, i) => dayAt(history, dayNumber(date)! - i)!)
      const tvlUsd = mean(days.map(row => usd(row.aumUsdX6)))
      const [week] = scenario([
        {
          days: 7,
          marketVolumeUsd: volume * 1e6,
          sharePercent: 100,
          feeBps: FEES_OF_VOLUME_BPS,
          poolSharePercent: 75,
          tvlUsd,
        },
      ])
      const recorded = (100 * 0.75 * 365 * mean(days.map(row => usd(row.feesUsdX6)))) / tvlUsd
      return Math.abs(Math.log(week!.aprPercent / recorded))
    }).sort((a, b) => a - b)
    expect(misses[6]).toBeLessThan(Math.log(1.2))
    expect(misses[11]).toBeLessThan(Math.log(2.1))
  })

  test('error: bad-parameter for what cannot be', () => {
    for (const wrong of [{ tvlUsd: 0 }, { sharePercent: 101 }, { marketVolumeUsd: Number.NaN }, { days: -1 }]) {
      expect(codeOf(() => scenario([{ ...stretch, ...wrong }]))).toBe('bad-parameter')
    }
  })
})
