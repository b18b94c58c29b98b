/** The oracle's page and the pool's: from the chain's account, and of the record only what is over; what is not known is said to be so. */
import { PublicKey } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { createPool, type DiscountQ64, ONE_Q64, type RateQ64, rateFromApy } from '../../amm/index.ts'
import { HoldingsReader, jlpView, lastWeekOf, readHoldings, recordedHoldings } from '../../app/api/views/jlp.ts'
import { daysOf, nextPrintAt, Oracle, type OracleInput, weeksOf } from '../../app/api/views/oracle.ts'
import { PlayedRecord } from '../../app/api/views/record.ts'
import { RecordedJupiter } from '../../src/chain/history.ts'
import type { RateIndexData } from '../../src/client/index.ts'
import { toEngineIndex } from '../../src/client/index.ts'
import { holdingsOf, poolAum, realStableShare } from '../../src/jlp/index.ts'
import {
  DOVES_PROGRAM,
  encodeCustody,
  KNOWN_CUSTODIES,
  PERPETUALS_PROGRAM,
  type PoolFacts,
} from '../../src/jupiter/index.ts'
import { CUSTODIES_2025, JLP_SUPPLY_2025, POOL_2025 } from '../../src/jupiter/recorded/pool-2025-07-07.ts'
import {
  accrueIndex,
  backtest,
  createIndex,
  dateOf,
  dayNumber,
  daysBefore,
  HOUR_SECONDS,
  hoursOfDay,
  projectHistory,
  readHourly,
  secondsOf,
  weeks,
} from '../../src/oracle/index.ts'

const history = projectHistory()
const at = (date: string, hour = 0, seconds = 0): number => secondsOf(dayNumber(date)!, hour) + seconds
const played = (now: number): PoolFacts => RecordedJupiter.begin(history, now, 1).facts
const inputAt = (now: number, more: Partial<OracleInput> = {}): OracleInput => ({
  now,
  jupiter: played(now),
  indices: {},
  markets: [],
  ...more,
})

describe('which history a chain plays', () => {
  test('is seen by its account, at every hour of months and after the record begins anew', () => {
    const record = new PlayedRecord()
    for (const start of ['2024-07-06', '2025-12-01', '2027-03-09']) {
      const now = at(start, 3, 1000)
      const jupiter = RecordedJupiter.begin(history, now, 1)
      for (let hour = 0; hour < 1000; hour++) {
        jupiter.advance(now + hour * HOUR_SECONDS, 1)
        expect(record.isPlayedBy(jupiter.facts)).toBe(true)
      }
    }
  })

  test('is not guessed: an account that differs in a single unit is another one', () => {
    const record = new PlayedRecord()
    const facts = played(at('2024-09-12', 10))
    const { poolApr } = facts
    const but = (changes: object): PoolFacts => ({ ...facts, ...changes }) as PoolFacts
    expect(record.isPlayedBy(facts)).toBe(true)
    expect(record.isPlayedBy(but({ aumUsd: facts.aumUsd + 1n }))).toBe(false)
    expect(record.isPlayedBy(but({ poolApr: { ...poolApr, realizedFeeUsd: poolApr.realizedFeeUsd - 1n } }))).toBe(false)
    expect(record.isPlayedBy(but({ poolApr: { ...poolApr, lastUpdated: poolApr.lastUpdated + 3600n } }))).toBe(false)
    expect(record.isPlayedBy(but({ poolApr: { ...poolApr, lastUpdated: poolApr.lastUpdated + 1n } }))).toBe(false)
    expect(record.isPlayedBy(POOL_2025.facts)).toBe(false)
  })

  test('of the day that runs, the hours that were distributed are known, and of no other day more', () => {
    const record = new PlayedRecord()
    const row = record.sourceOf(dayNumber('2024-09-12')!)
    const { feesUsdX6, aumUsdX6 } = record.today(at('2024-09-12', 10))
    expect(feesUsdX6).toBe(
      hoursOfDay(row)
        .slice(0, 10)
        .reduce((sum, hour) => sum + hour.feesUsdX6, 0n),
    )
    expect(aumUsdX6).toBe(row.aumUsdX6)
    expect(record.before(dayNumber('2024-09-12')!).days.at(-1)!.date).toBe('2024-09-11')
  })
})

describe('the page', () => {
  test('what comes later changes nothing of it', async () => {
    const now = at('2024-09-12', 10, 1000)
    const today = dayNumber('2024-09-12')!
    // The same record up to today, and then another one.
    const other = {
      ...history,
      days: history.days.map(row => (row.day <= today ? row : { ...row, feesUsdX6: row.feesUsdX6 * 7n + 5n })),
    }
    const views = [history, other].map(async record => {
      const oracle = new Oracle(new PlayedRecord(record))
      await oracle.judge()
      return oracle.view(inputAt(now))
    })
    const [one, two] = await Promise.all(views)
    expect(one!.known).toBe('recorded')
    expect(one!.leading).not.toBeNull()
    expect(two).toEqual(one)
    expect(one!.coverage).toMatchObject({ from: '2024-01-29', to: '2024-09-11', replayedFrom: null })
  })

  test('the leading APR moves to what the account then prints, closer with each day, and nearer than the last print', () => {
    const oracle = new Oracle()
    let now = at('2024-07-06')
    const jupiter = RecordedJupiter.begin(history, now, 1)
    const after = [24, 72, 120, 167]
    const misses = new Map<number, number[]>([...after, 0].map(hours => [hours, []]))
    let readings = new Map<number, number>()
    let inBand = 0
    let print = Number(jupiter.facts.poolApr.feeAprBps) / 100
    for (let hour = 0; hour < 30 * 170; hour++) {
      const from = jupiter.facts.poolApr.lastUpdated
      now += HOUR_SECONDS
      jupiter.advance(now, 1)
      const { lastUpdated, feeAprBps } = jupiter.facts.poolApr
      const passed = (now - Number(lastUpdated)) / HOUR_SECONDS
      if (lastUpdated !== from) {
        const next = Number(feeAprBps) / 100
        if (readings.size === after.length) {
          for (const [hours, reading] of readings) misses.get(hours)!.push(Math.abs(reading - next))
          misses.get(0)!.push(Math.abs(print - next))
        }
        print = next
        readings = new Map()
      } else if (after.includes(passed)) {
        const { leading } = oracle.period(jupiter.facts)
        readings.set(passed, leading!.aprPercent)
        if (leading!.lowPercent <= leading!.aprPercent && leading!.aprPercent <= leading!.highPercent) inBand++
        else expect.unreachable('The reading lies outside its own band')
      }
    }
    const mean = (hours: number): number =>
      misses.get(hours)!.reduce((sum, miss) => sum + miss, 0) / misses.get(hours)!.length
    expect(misses.get(0)!.length).toBeGreaterThan(25)
    expect(inBand).toBeGreaterThan(100)
    expect(mean(24)).toBeLessThan(mean(0))
    for (const [i, hours] of after.entries()) if (i > 0) expect(mean(hours)).toBeLessThan(mean(after[i - 1]!))
    expect(mean(167)).toBeLessThan(0.5)
  })

  test('says when the next print can come: the first full hour strictly more than a week later, and not in the past', () => {
    const now = at('2024-07-06', 5)
    const jupiter = RecordedJupiter.begin(history, now, 1)
    const last = Number(jupiter.facts.poolApr.lastUpdated)
    const due = nextPrintAt(last, now)
    jupiter.advance(due - 1, 1)
    expect(Number(jupiter.facts.poolApr.lastUpdated)).toBe(last)
    jupiter.advance(due, 1)
    expect(Number(jupiter.facts.poolApr.lastUpdated)).toBe(due)
    expect(nextPrintAt(last, due + 86_400)).toBe(due + 86_400 + HOUR_SECONDS)
  })

  test('of an account that plays no record only what it has summed up is known', () => {
    const jupiter = { ...POOL_2025.facts, aumUsdUpdatedAt: BigInt(at('2025-07-07', 13, 300)) } as PoolFacts
    const view = new Oracle().view(inputAt(at('2025-07-07', 13, 360), { jupiter }))
    const { realizedFeeUsd, lastUpdated } = jupiter.poolApr
    const hours = (at('2025-07-07', 13) - Number(lastUpdated)) / HOUR_SECONDS
    const percent = (Number(realizedFeeUsd) / Number(jupiter.aumUsd) / hours) * 8760 * 100
    expect(view).toMatchObject({
      known: 'accrued',
      leading: null,
      forecast: [],
      official: { aprBps: 1351, stale: false },
    })
    expect(view.runRate.aprPercent).toBeCloseTo(percent, 3)
    expect(view.expected).toMatchObject({ basis: 'run-rate', aprPercent: view.runRate.aprPercent })
  })

  test('an old print is stale', () => {
    const jupiter = { ...POOL_2025.facts, aumUsdUpdatedAt: BigInt(at('2025-07-20')) } as PoolFacts
    expect(new Oracle().view(inputAt(at('2025-07-20'), { jupiter })).official.stale).toBe(true)
  })

  test('errors of the past are those of the backtest, of the weeks that are over', async () => {
    const oracle = new Oracle()
    expect(oracle.view(inputAt(at('2024-09-12', 10))).errors).toBeNull()
    await oracle.judge()
    for (const date of ['2024-09-12', '2025-12-23']) {
      const expected = backtest({ file: daysBefore(history, dayNumber(date)!) })
      const errors = oracle.view(inputAt(at(date, 10))).errors!
      expect(errors.weeks).toBe(expected.weeks)
      for (const [i, day] of expected.days.entries()) {
        const { leading, lastPrint, runRate, coverage } = errors.days[i]!
        expect(leading).toBeCloseTo(day.mae, 3)
        expect(lastPrint).toBeCloseTo(day.maeLastPrint, 3)
        expect(runRate).toBeCloseTo(day.maeRunRate, 3)
        expect(coverage).toBeCloseTo(day.coverage, 3)
      }
    }
  })
})

describe('coupons', () => {
  const now = at('2024-09-12', 10, 400)
  const jupiter = played(now)
  const tauSeconds = 40 * 86_400
  const maturity = at('2024-09-12', 9) + tauSeconds
  const pool = createPool({
    grid: { minTick: 50, maxTick: 13_860, spacing: 10 },
    fees: { feeBps: 10, lpShareBps: 5000, insuranceShareBps: 2500 },
    tauSeconds,
    discount: ONE_Q64 as DiscountQ64,
    rate: rateFromApy(ONE_Q64 / 5n),
  })
  const indexAt = (lastStep: number, facts: PoolFacts, kind: 'hourly' | 'weekly' = 'hourly'): RateIndexData => {
    const index = createIndex({ kind, lastStep, discount: pool.discount })
    const { lastUpdated, realizedFeeUsd } = facts.poolApr
    return { ...index, cursor: { lastUpdated: Number(lastUpdated), realizedFeeUsd } } as unknown as RateIndexData
  }
  const dueIndex = indexAt(at('2024-09-12', 9), played(at('2024-09-12', 9, 400)))
  const market = { id: 'JLP-2410', kind: 'hourly' as const, maturity, pool }

  test('one that is due is what the program would pay', () => {
    const view = new Oracle().view(inputAt(now, { jupiter, indices: { hourly: dueIndex }, markets: [market] }))
    const { index, cursor } = toEngineIndex(dueIndex)
    const { step } = accrueIndex(index, readHourly(index, cursor, jupiter, now))
    const paid = step.discountBefore - step.discountAfter
    expect(paid).toBeGreaterThan(0n)
    expect(view.coupons.hourly).toMatchObject({
      known: 'accrued',
      from: step.from,
      to: step.to,
      perYt: { q64: String(paid) },
    })
    expect(view.coupons.weekly).toBeNull()
    const { perYt, impliedApyPercent, edgePoints } = view.markets[0]!
    expect(perYt!.coupon.q64).toBe(String(paid))
    expect(BigInt(perYt!.net.q64)).toBe(BigInt(perYt!.coupon.q64) - BigInt(perYt!.decay.q64))
    expect(edgePoints).toBeCloseTo(view.expected.apyPercent - impliedApyPercent, 3)
  })

  test('one to come is expected at the leading APR: an hour of it, and a week of it', () => {
    const hourly = indexAt(at('2024-09-12', 10), jupiter)
    const weekly = indexAt(Number(jupiter.poolApr.lastUpdated), jupiter, 'weekly')
    const view = new Oracle().view(inputAt(now, { jupiter, indices: { hourly, weekly }, markets: [market] }))
    const { coupons, expected, nextPrintAt: print } = view
    expect(coupons.hourly).toMatchObject({
      known: 'expected',
      to: at('2024-09-12', 11),
      due: at('2024-09-12', 11, 300),
    })
    expect(Number(coupons.hourly!.yield.decimal)).toBeCloseTo(expected.aprPercent / 100 / 8760, 7)
    expect(coupons.weekly).toMatchObject({ known: 'expected', to: print, due: print })
    const week = (print - Number(jupiter.poolApr.lastUpdated)) / 31_536_000
    expect(Number(coupons.weekly!.yield.decimal)).toBeCloseTo((expected.aprPercent / 100) * week, 5)
  })

  test('at a rate below what the coupon yields YT gains, at a rate above it loses', () => {
    const gainAt = (rate: RateQ64): bigint => {
      const markets = [{ ...market, pool: { ...pool, rate } }]
      const view = new Oracle().view(inputAt(now, { jupiter, indices: { hourly: dueIndex }, markets }))
      return BigInt(view.markets[0]!.perYt!.net.q64)
    }
    const { step } = accrueIndex(toEngineIndex(dueIndex).index, {
      to: at('2024-09-12', 10),
      aum: jupiter.aumUsd,
      fees: jupiter.poolApr.realizedFeeUsd - BigInt(dueIndex.cursor.realizedFeeUsd),
    })
    const hourly = Math.log(Number(step.discountBefore) / Number(step.discountAfter))
    const even = BigInt(Math.round(hourly * 8760 * 2 ** 53)) << 11n
    expect(gainAt(((even * 99n) / 100n) as RateQ64)).toBeGreaterThan(0n)
    expect(gainAt(((even * 101n) / 100n) as RateQ64)).toBeLessThan(0n)
  })
})

describe('history', () => {
  const record = new PlayedRecord()
  const today = dayNumber('2025-03-05')!

  test('pages of days give every day once, up to the one asked for', () => {
    const rows: ReturnType<typeof daysOf>['rows'] = []
    for (let from: number | undefined = record.first; from !== undefined; ) {
      const page = daysOf(record, from, today, 37)
      expect(page.rows.length).toBeLessThanOrEqual(37)
      rows.push(...page.rows)
      from = page.next
    }
    const expected = daysBefore(history, today).days
    expect(rows.map(({ date, feesUsd, aumUsd }) => [date, feesUsd, aumUsd])).toEqual(
      expected.map(row => [row.date, String(row.feesUsdX6), String(row.aumUsdX6)]),
    )
    expect(rows.every(({ date, recordedOn }) => date === recordedOn)).toBe(true)
  })

  test('pages of weeks give every full week once, with what it printed', () => {
    const rows: ReturnType<typeof weeksOf>['rows'] = []
    for (let from: number | undefined = record.first; from !== undefined; ) {
      const page = weeksOf(record, from, today, 7)
      rows.push(...page.rows)
      from = page.next
    }
    const expected = weeks(daysBefore(history, today))
    expect(rows.map(({ from, aprBps }) => [from, aprBps])).toEqual(
      expected.map(week => [week.date, Number(week.aprBps)]),
    )
    expect(rows.length).toBe(56)
  })

  test('days behind the record say which recorded day they are', () => {
    const first = record.endsAt / 86_400
    const { rows } = daysOf(record, first - 1, first + 2, 10)
    expect(rows.map(({ date, recordedOn }) => [date, recordedOn])).toEqual([
      ['2025-12-21', '2025-12-21'],
      ['2025-12-22', '2024-01-29'],
      ['2025-12-23', '2024-01-30'],
    ])
  })

  test('nothing is in an empty range', () => {
    expect(daysOf(record, today, today, 10)).toEqual({ rows: [], next: undefined })
    expect(weeksOf(record, today, today - 30, 10)).toEqual({ rows: [], next: undefined })
  })
})

// ---- the pool -----------------------------------------------------------------------------------------------------------

const number = (size: number, value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes.subarray(0, size)
}
/** A Doves account with a price, as `test/jupiter/doves.test.ts` has it. */
const feed = (mint: string, price: bigint, expo: bigint): Buffer =>
  Buffer.concat([
    Buffer.from('70f98bd9d7d0f936', 'hex'),
    new PublicKey(mint).toBuffer(),
    Buffer.alloc(128, 1),
    number(8, price),
    number(1, expo),
    number(8, 1_751_893_560n),
    number(4, 60n),
    number(4, 30n),
    number(8, 100n),
    number(1, 254n),
  ])

describe('the pool behind JLP', () => {
  const supply = JLP_SUPPLY_2025
  const now = at('2024-09-12', 10, 1000)
  const jupiter = played(now)
  const record = new PlayedRecord()

  test('where the chain has no custodies, the recorded ones are shown, and said to be', () => {
    const holdings = recordedHoldings()
    const view = jlpView({ now, jupiter, supply, local: true, holdings, record, isPlayed: true })
    expect(view.pool).toMatchObject({ source: 'chain', asOf: now, aumUsd: String(jupiter.aumUsd), testSupply: true })
    expect(view.pool.virtualPrice).toBe(String((jupiter.aumUsd * 1_000_000n) / supply))
    expect(view.holdings).toMatchObject({ source: 'recorded', asOf: Date.UTC(2025, 6, 7, 13, 6) / 1000 })
    expect(view.holdings.aumUsd).toBe(String(poolAum(holdings.pool, 'down')))
    expect(view.holdings.realStablePercent).toBeCloseTo(Number(realStableShare(holdingsOf(holdings.pool))) / 1e7, 3)
    const { custodies } = view.holdings
    expect(custodies.map(({ symbol }) => symbol)).toEqual(['SOL', 'ETH', 'BTC', 'USDC', 'USDT'])
    expect(custodies.reduce((sum, { weightPercent }) => sum + weightPercent, 0)).toBeCloseTo(100, 2)
    expect(custodies.reduce((sum, { valueUsd }) => sum + BigInt(valueUsd), 0n)).toBe(BigInt(view.holdings.aumUsd))
    expect(custodies[0]).toMatchObject({
      priceUsd: '153.07',
      targetPercent: 47,
      lowestPercent: 37.6,
      highestPercent: 56.4,
    })
    expect(view.fees).toMatchObject({ nextDistributionAt: at('2024-09-12', 11), protocolSharePercent: 25 })
  })

  test('the last week is the last one that is over, with nothing made up of its sources', () => {
    const recorded = lastWeekOf(record, now, true)!
    const expected = weeks(daysBefore(history, dayNumber('2024-09-12')!)).at(-1)!
    expect(recorded).toMatchObject({
      feesUsd: String(expected.feesUsdX6),
      from: secondsOf(expected.day),
      bySource: { kind: 'not-recorded', closeUsd: null, restUsd: null },
    })
    const { points, byFees, byTvl } = recorded.change!
    expect(byFees + byTvl).toBeCloseTo(points, 6)
    const modelled = lastWeekOf(record, at('2025-09-12'), true)!
    expect(modelled.bySource.kind).toBe('closes-only')
    expect(BigInt(modelled.bySource.closeUsd!) + BigInt(modelled.bySource.restUsd!)).toBe(BigInt(modelled.feesUsd))
    // Where no record is played, the last that there is.
    expect(dateOf(lastWeekOf(record, at('2026-09-12'), false)!.from / 86_400)).toBe('2025-12-13')
    expect(lastWeekOf(record, at('2024-02-05'), true)).toBeNull()
  })

  const accounts = new Map<string, { owner: string; data: Uint8Array }>()
  const dollar = { SOL: [15_307n, -2n], ETH: [256_601n, -2n], BTC: [10_853_684n, -2n] } as Record<
    string,
    [bigint, bigint]
  >
  for (const { address, facts } of CUSTODIES_2025) {
    const { symbol } = KNOWN_CUSTODIES.find(({ custody }) => custody === address)!
    const [price, expo] = dollar[symbol] ?? [100_000_000n, -8n]
    accounts.set(address, { owner: PERPETUALS_PROGRAM, data: encodeCustody(facts) })
    accounts.set(facts.dovesAgOracle, { owner: DOVES_PROGRAM, data: feed(facts.mint, price, expo) })
  }
  const asked = { jupiter: POOL_2025.facts, supply, now: 1_751_893_580 }

  test('on a cluster custodies and the prices that they name are read', async () => {
    const holdings = await readHoldings(async addresses => addresses.map(address => accounts.get(address)), asked)
    expect(holdings!.source).toBe('chain')
    expect(poolAum(holdings!.pool, 'down')).toBe(poolAum(recordedHoldings().pool, 'down'))
    const view = jlpView({ ...asked, local: false, holdings: holdings!, record, isPlayed: false })
    expect(view.holdings).toMatchObject({ source: 'chain', asOf: asked.now })
    expect(view.holdings.custodies[0]!.priceUsd).toBe('153.07')
  })

  test('the chain is asked once for many at a time, again after a failure, and no more once it has none', async () => {
    let asks = 0
    let answer: 'none' | 'fail' | 'all' = 'fail'
    const reader = new HoldingsReader(async addresses => {
      asks++
      if (answer === 'fail') throw new Error('no node')
      return addresses.map(address => (answer === 'all' ? accounts.get(address) : undefined))
    })
    await expect(reader.get(asked)).rejects.toThrow('no node')
    answer = 'all'
    const [one, two] = await Promise.all([reader.get(asked), reader.get(asked)])
    expect(one).toBe(two)
    expect([one.source, asks]).toEqual(['chain', 3]) // one failed, then custodies and prices
    answer = 'none'
    const without = new HoldingsReader(async addresses => {
      asks++
      return addresses.map(() => undefined)
    })
    expect((await without.get(asked)).source).toBe('recorded')
    expect((await without.get(asked)).source).toBe('recorded')
    expect(asks).toBe(4)
  })
})
