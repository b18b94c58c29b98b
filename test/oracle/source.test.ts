import { describe, expect, test } from 'vitest'
import type { PoolFacts, UnixSeconds, UsdX6 } from '../../src/jupiter/facts.ts'
import { accrueIndex, createIndex, type RateIndex } from '../../src/oracle/accrual.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { checkSource, cursorOf, freshness, readHourly, readWeekly, SOURCE_TERMS } from '../../src/oracle/source.ts'
import { codesOf } from '../helpers/code-of.ts'

const codeOf = codesOf(OracleError)

const HOUR = 3600
const WEEK = 604_800
const MONDAY = 1_725_235_200 // a full hour
const AUM = 700_000_000_000_000n

interface Seen {
  readonly lastUpdated: number
  readonly feeAprBps?: bigint
  readonly realized: bigint
  readonly now: number
  readonly change?: Partial<PoolFacts>
}
/** The fields of the pool account that the oracle reads, as they were read at `now`. */
const pool = ({ lastUpdated, feeAprBps = 3000n, realized, now, change }: Seen): PoolFacts =>
  ({
    bump: 252,
    lpTokenBump: 254,
    inceptionTime: 1_689_677_832n,
    aumUsd: AUM as UsdX6,
    aumUsdUpdatedAt: BigInt(now) as UnixSeconds,
    poolApr: { lastUpdated: BigInt(lastUpdated), feeAprBps, realizedFeeUsd: realized },
    ...change,
  }) as PoolFacts

const hourly = (): RateIndex => createIndex({ kind: 'hourly', lastStep: MONDAY })
const start = pool({ lastUpdated: MONDAY - WEEK / 2, realized: 5_000_000_000n, now: MONDAY })

describe('an hourly reading', () => {
  test('is the increase of the realised fees since the last, up to the full hour that has settled', () => {
    const now = MONDAY + HOUR + 300
    const reading = readHourly(
      hourly(),
      cursorOf(start),
      pool({ lastUpdated: MONDAY - WEEK / 2, realized: 5_040_000_000n, now }),
      now,
    )
    expect(reading).toMatchObject({ to: MONDAY + HOUR, fees: 40_000_000n, aum: AUM })
    expect(
      codeOf(() =>
        readHourly(
          hourly(),
          cursorOf(start),
          pool({ lastUpdated: MONDAY - WEEK / 2, realized: 5_040_000_000n, now: now - 1 }),
          now - 1,
        ),
      ),
    ).toBe('too-early')
  })

  test('across a weekly update: the finished week’s remainder by Jupiter’s own formula, and the new week so far', () => {
    // The week ended with 9,999,999 of fees; APR in bp is rounded down, so the remainder comes out a little low.
    const cursor = { lastUpdated: BigInt(MONDAY - WEEK + HOUR), realizedFeeUsd: 3_000_000_000_000n }
    const total = 3_010_000_000_000n
    const feeAprBps = (total * 31_536_000n * 10_000n) / (AUM * BigInt(WEEK))
    const now = MONDAY + 2 * HOUR
    const updated = pool({ lastUpdated: MONDAY + HOUR, feeAprBps, realized: 15_000_000n, now })
    const reading = readHourly(hourly(), cursor, updated, now)
    expect(reading.remainder).toBeGreaterThan(9_000_000_000n)
    expect(reading.remainder).toBeLessThanOrEqual(10_000_000_000n)
    expect(reading.fees).toBe(reading.remainderPaid! + 15_000_000n)
    expect(reading.remainderPaid).toBe(reading.remainder) // below three mean hours
  })

  test('the remainder is clamped to [0, 3 mean hours], and the difference is there to be published', () => {
    const cursor = { lastUpdated: BigInt(MONDAY - WEEK + HOUR), realizedFeeUsd: 3_000_000_000_000n }
    const now = MONDAY + 2 * HOUR
    const high = readHourly(
      hourly(),
      cursor,
      pool({ lastUpdated: MONDAY + HOUR, feeAprBps: 9000n, realized: 0n, now }),
      now,
    )
    expect(high.remainderPaid).toBe((cursor.realizedFeeUsd * 3n * 3600n) / BigInt(WEEK - HOUR))
    expect(high.remainder).toBeGreaterThan(high.remainderPaid!)
    const low = readHourly(
      hourly(),
      cursor,
      pool({ lastUpdated: MONDAY + HOUR, feeAprBps: 1n, realized: 0n, now }),
      now,
    )
    expect(low.remainderPaid).toBe(0n)
    expect(low.remainder).toBeLessThan(0n)
  })

  test('T102 error: realised fees that fall without an update, an update that goes back', () => {
    const now = MONDAY + HOUR + 300
    expect(
      codeOf(() =>
        readHourly(
          hourly(),
          cursorOf(start),
          pool({ lastUpdated: MONDAY - WEEK / 2, realized: 4_999_999_999n, now }),
          now,
        ),
      ),
    ).toBe('bad-source')
    expect(
      codeOf(() =>
        readHourly(hourly(), cursorOf(start), pool({ lastUpdated: MONDAY - WEEK, realized: 6_000_000_000n, now }), now),
      ),
    ).toBe('bad-source')
  })

  test('the hours of a week sum to the official figure to the bp', () => {
    let index = hourly()
    let cursor = cursorOf(pool({ lastUpdated: MONDAY, realized: 0n, now: MONDAY }))
    let realized = 0n
    let paid = 0n
    for (let h = 1; h <= 167; h++) {
      const now = MONDAY + h * HOUR + 300
      realized += 20_000_000_000n + BigInt((h * 7919) % 1000) * 10_000_000n
      const reading = readHourly(index, cursor, pool({ lastUpdated: MONDAY, realized, now }), now)
      const { next, step } = accrueIndex(index, reading)
      index = next
      cursor = reading.cursor
      paid += step.feesPaid
    }
    const total = realized + 22_000_000_000n // the last hour is distributed with the weekly update
    const feeAprBps = (total * 31_536_000n * 10_000n) / (AUM * BigInt(WEEK))
    const now = MONDAY + WEEK + 300
    const last = readHourly(index, cursor, pool({ lastUpdated: MONDAY + WEEK, feeAprBps, realized: 0n, now }), now)
    paid += accrueIndex(index, last).step.feesPaid
    expect((paid * 31_536_000n * 10_000n) / (AUM * BigInt(WEEK)) - feeAprBps).toBeGreaterThanOrEqual(-1n)
    expect((paid * 31_536_000n * 10_000n) / (AUM * BigInt(WEEK))).toBeLessThanOrEqual(feeAprBps)
  })
})

describe('a weekly reading', () => {
  test('is the published APR over the time it is for, due when Jupiter’s update has moved', () => {
    const index = createIndex({ kind: 'weekly', lastStep: MONDAY })
    const cursor = { lastUpdated: BigInt(MONDAY), realizedFeeUsd: 0n as UsdX6 }
    const now = MONDAY + 605_701 + 60
    const reading = readWeekly(
      index,
      cursor,
      pool({ lastUpdated: MONDAY + 605_701, feeAprBps: 969n, realized: 0n, now }),
      now,
    )
    const { next, step } = accrueIndex(index, reading)
    expect(step.to).toBe(MONDAY + 605_701)
    const yieldOf = 2 ** 64 / Number(next.discount) - 1
    expect(yieldOf).toBeCloseTo((0.0969 * 605_701) / 31_536_000, 12)
    expect(
      codeOf(() => readWeekly(next, reading.cursor, pool({ lastUpdated: MONDAY + 605_701, realized: 0n, now }), now)),
    ).toBe('too-early')
  })
})

describe('the source', () => {
  const terms = SOURCE_TERMS.hourly
  const good = (change: Partial<PoolFacts>): PoolFacts =>
    pool({ lastUpdated: MONDAY, realized: 0n, now: MONDAY, change })

  test.each([
    ['bump', { bump: 251 }],
    ['JLP mint bump', { lpTokenBump: 255 }],
    ['inception time', { inceptionTime: 1n as UnixSeconds }],
    ['AUM of 0', { aumUsd: 0n as UsdX6 }],
  ])('T111 error: a %s that is not Jupiter’s', (_, change) => {
    expect(codeOf(() => checkSource(good({}), MONDAY, terms))).toBe('none')
    expect(codeOf(() => checkSource(good(change), MONDAY, terms))).toBe('bad-source')
  })

  test('T110 error: AUM older than allowed, at the second', () => {
    expect(codeOf(() => checkSource(good({}), MONDAY + 600, terms))).toBe('none')
    expect(codeOf(() => checkSource(good({}), MONDAY + 601, terms))).toBe('stale-source')
  })
})

describe('freshness', () => {
  test('hourly: due an hour and five minutes after the last step, reduce-only two hours later', () => {
    const index = hourly()
    expect(freshness(index, 0n, MONDAY + HOUR + 299)).toBe('fresh')
    expect(freshness(index, 0n, MONDAY + HOUR + 300)).toBe('coupon-due')
    expect(freshness(index, 0n, MONDAY + 3 * HOUR + 299)).toBe('coupon-due')
    expect(freshness(index, 0n, MONDAY + 3 * HOUR + 300)).toBe('reduce-only')
  })

  test('weekly: due as soon as Jupiter has updated, reduce-only 8 days after the last step', () => {
    const index = createIndex({ kind: 'weekly', lastStep: MONDAY })
    expect(freshness(index, BigInt(MONDAY), MONDAY + WEEK)).toBe('fresh')
    expect(freshness(index, BigInt(MONDAY + WEEK), MONDAY + WEEK)).toBe('coupon-due')
    expect(freshness(index, BigInt(MONDAY), MONDAY + 8 * 86_400)).toBe('reduce-only')
  })
})
