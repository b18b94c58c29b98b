import { describe, expect, test } from 'vitest'
import type { PoolFacts } from '../../src/jupiter/facts.ts'
import { dayNumber, secondsOf } from '../../src/oracle/calendar.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { projectHistory, weeks } from '../../src/oracle/history.ts'
import { apyPercentOf, officialFromHistory, officialFromPool, STALE_AFTER } from '../../src/oracle/official.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(OracleError)

const history = projectHistory()
const PUBLISHED = 1_790_385_301 // 2026-09-26T01:15:01Z
const pool = { poolApr: { lastUpdated: BigInt(PUBLISHED), feeAprBps: 969n, realizedFeeUsd: 0n } } as PoolFacts

describe('the official APR of the pool account', () => {
  test('default: 969 bps are 9.69 % and compound to 10.17 %', () => {
    const reading = officialFromPool(pool, PUBLISHED + 3600)
    expect(reading).toMatchObject({ kind: 'fresh', aprBps: 969n, aprPercent: 9.69, ageSeconds: 3600 })
    expect(reading.apyPercent).toBeCloseTo(10.1737, 3)
  })

  test('APY is (1 + apr/365)^365 - 1', () => {
    expect(apyPercentOf(0)).toBe(0)
    expect(apyPercentOf(30)).toBeCloseTo(34.9692, 3)
    expect(apyPercentOf(100)).toBeCloseTo(171.4567, 3)
  })

  test('stale a day after the next print was due', () => {
    expect(officialFromPool(pool, PUBLISHED + STALE_AFTER).kind).toBe('fresh')
    expect(officialFromPool(pool, PUBLISHED + STALE_AFTER + 1).kind).toBe('stale')
  })

  test('error: bad-source when it was updated in the future', () => {
    expect(codeOf(() => officialFromPool(pool, PUBLISHED - 1))).toBe('bad-source')
  })
})

describe('the official APR of a history', () => {
  const at = (date: string, hour = 0): number => secondsOf(dayNumber(date)!, hour)

  test('is that of the last full week, from its end on, for a week', () => {
    const week = weeks(history).find(({ date }) => date === '2025-03-22')!
    for (const [date, hour] of [
      ['2025-03-29', 0],
      ['2025-04-01', 13],
      ['2025-04-04', 23],
    ] as const) {
      const reading = officialFromHistory(history, at(date, hour))
      expect(reading).toMatchObject({ kind: 'fresh', aprBps: week.aprBps, publishedAt: at('2025-03-29') })
      expect(reading.ageSeconds).toBe(at(date, hour) - at('2025-03-29'))
    }
    expect(officialFromHistory(history, at('2025-03-28', 23)).aprBps).not.toBe(week.aprBps)
    expect(officialFromHistory(history, at('2025-04-05')).aprBps).not.toBe(week.aprBps)
  })

  test('long after the history’s end it is stale', () => {
    const reading = officialFromHistory(history, at('2026-02-01'))
    expect(reading).toMatchObject({ kind: 'stale', publishedAt: at('2025-12-20') })
  })

  test('rounded down like Jupiter’s', () => {
    for (const week of weeks(history)) {
      expect(Number(week.aprBps)).toBeLessThanOrEqual(week.aprPercent * 100 + 1e-6)
      expect(Number(week.aprBps)).toBeGreaterThan(week.aprPercent * 100 - 1.000001)
    }
  })

  test('error: no-data before the first full week is over', () => {
    expect(codeOf(() => officialFromHistory(history, at('2024-02-09', 23)))).toBe('no-data')
    expect(codeOf(() => officialFromHistory(history, at('2024-02-10')))).toBe('none')
  })
})
