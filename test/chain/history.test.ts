/** Jupiter's pool as history drives it, and coupons that come of it at 3600 times our speed. */
import { expect, test } from 'vitest'
import { RecordedJupiter } from '../../src/chain/index.ts'
import { ADDRESSES, SunderClient } from '../../src/client/index.ts'
import { decodePool } from '../../src/jupiter/index.ts'
import { dayAt, dayNumber, historyOf, projectHistory, SOURCE_TERMS, secondsOf, weeks } from '../../src/oracle/index.ts'
import { as, chainOf, idOf, marketOn } from './support.ts'

const HISTORY = projectHistory()
const HOUR = 3600
const DAY = 24 * HOUR
const SATURDAY = secondsOf(dayNumber('2024-07-06')!)

test("a day's distributions are the pool's part of what was recorded of it", () => {
  const jupiter = RecordedJupiter.begin(HISTORY, SATURDAY + 2 * HOUR, 1)
  const before = jupiter.facts.poolApr.realizedFeeUsd
  expect(jupiter.advance(SATURDAY + 2 * HOUR + 400, 2)).toBe(false)
  for (let at = SATURDAY + 3 * HOUR; at <= SATURDAY + DAY + 2 * HOUR; at += HOUR) {
    expect(jupiter.advance(at + 7, 3)).toBe(true)
  }
  const { feesUsdX6 } = dayAt(HISTORY, dayNumber('2024-07-06')!)!
  const earned = Number(jupiter.facts.poolApr.realizedFeeUsd - before)
  // The first two hours are not in it, but the next day's are.
  expect(earned / Number((feesUsdX6 * 3n) / 4n)).toBeCloseTo(1, 0)
  const whole = RecordedJupiter.begin(HISTORY, SATURDAY + 2 * HOUR, 1)
  whole.advance(SATURDAY + DAY + 2 * HOUR + 7, 3)
  expect(whole.facts).toEqual(jupiter.facts)
})

test('the weekly figure is about the one that the recorded week printed', () => {
  const jupiter = RecordedJupiter.begin(HISTORY, SATURDAY + 2 * DAY, 1)
  const week = weeks(HISTORY).find(({ date }) => date === '2024-06-29')!
  const printed = Number(jupiter.facts.poolApr.feeAprBps)
  expect(Math.abs(printed / Number(week.aprBps) - 1)).toBeLessThan(0.1)
  const { lastUpdated } = jupiter.facts.poolApr
  jupiter.advance(SATURDAY + 9 * DAY, 2)
  expect(jupiter.facts.poolApr.lastUpdated - lastUpdated).toBe(BigInt(7 * DAY + HOUR))
})

test('behind its last day history begins anew, on the same weekday', () => {
  const days = HISTORY.days.slice(0, 15)
  const short = historyOf('two weeks', days)
  const first = secondsOf(days[0]!.day)
  const fees = (from: number): bigint => {
    const jupiter = RecordedJupiter.begin(short, from + HOUR, 1)
    const { realizedFeeUsd, lastUpdated } = jupiter.facts.poolApr
    jupiter.advance(from + 9 * HOUR, 1)
    expect(jupiter.facts.poolApr.lastUpdated).toBe(lastUpdated)
    return jupiter.facts.poolApr.realizedFeeUsd - realizedFeeUsd
  }
  expect(fees(first)).toBe(fees(first + 14 * DAY))
  expect(fees(first)).toBe(fees(first + 140 * DAY))
  expect(fees(first)).not.toBe(fees(first + 7 * DAY))
})

/** A day at 3600 times our speed, which is 60 slots, with a keeper that pays coupons when they are due. */
const day = async () => {
  const made = chainOf({ speed: 3600 })
  const { chain, rpc, connection } = made
  const client = new SunderClient(connection)
  const market = await marketOn(made)
  await rpc.handle('sunder_faucet', [{ owner: idOf('keeper'), atoms: '1' }])
  const start = chain.now
  const before = await client.index('hourly')
  let coupons = 0
  for (let slot = 0; slot < 60; slot++) {
    chain.nextSlot()
    const { needsAccrue } = await client.market(market)
    if (!needsAccrue) continue
    await client.execute('accrue', { coupon: 'hourly' }, as('keeper'))
    coupons++
  }
  return { chain, client, before, coupons, passed: chain.now - start, market }
}

test('at 3600x a day of coupons is paid, and two chains are equal', async () => {
  const [one, two] = [await day(), await day()]
  expect(one.passed).toBe(DAY)
  expect(one.coupons).toBeGreaterThanOrEqual(23)
  const after = await one.client.index('hourly')
  const { settlingDelay } = SOURCE_TERMS.hourly
  expect(after.lastStep).toBe(Math.floor((one.chain.now - settlingDelay) / HOUR) * HOUR)
  expect(after.discount).not.toBe(one.before.discount)
  const pool = decodePool({ ...one.chain.account(ADDRESSES.jupiterPool)!, address: ADDRESSES.jupiterPool })
  expect(pool).toEqual(one.chain.pool)
  expect(one.chain.digest()).toBe(two.chain.digest())
  expect([...one.chain.history()]).toEqual([...two.chain.history()])
})
