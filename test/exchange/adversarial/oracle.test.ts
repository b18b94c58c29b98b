/** The source of coupons under attack: units, replays, gaps, look-alikes, jumps. An error moves value between YT holders, never insolvency. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_TERMS, type Instruction } from '../../../src/exchange/index.ts'
import { checkPoolAddress, PERPETUALS_PROGRAM, POOL_ADDRESS } from '../../../src/jupiter/addresses.ts'
import { type AccountBytes, decodePool } from '../../../src/jupiter/decode.ts'
import { encodePool } from '../../../src/jupiter/encode.ts'
import { JupiterError } from '../../../src/jupiter/errors.ts'
import type { PoolFacts } from '../../../src/jupiter/facts.ts'
import {
  accrueIndex,
  createIndex,
  DEFAULT_CAPS,
  lowestDiscount,
  type RateIndex,
  WEEKLY_AUM,
  watchMaturity,
} from '../../../src/oracle/accrual.ts'
import { OracleError } from '../../../src/oracle/errors.ts'
import { checkSource, cursorOf, readHourly, readWeekly, SOURCE_TERMS } from '../../../src/oracle/source.ts'
import { codesOf } from '../../helpers/code-of.ts'
import { POOL_2026 } from '../../jupiter/fixtures/index.ts'
import { DAY, HOUR, JLP, type OpenMarket, WEEK } from '../market.ts'
import { deepMarket, endow, liquidation, plantLong, plantShort, probe, quick, standing } from './stress.ts'

const KINDS = ['hourly', 'weekly'] as const
type Kind = (typeof KINDS)[number]
const nameOf = (kind: Kind): string => (kind === 'hourly' ? 'JLP-2411' : 'JLP-2411-W')
const oracleCode = codesOf(OracleError)
const jupiterCode = codesOf(JupiterError)

/** A market whose next step is due, and how one is asked for. */
const due = (kind: Kind, days = 60): OpenMarket => {
  const m = deepMarket({ name: nameOf(kind), days })
  m.now = m.ledger.indices[kind].lastStep + (kind === 'hourly' ? HOUR + 300 : WEEK)
  m.weeklyUpdatedAt = m.now
  return m
}
const step = (m: OpenMarket, earned: { to?: unknown; fees?: unknown; aum?: unknown }): Instruction => {
  const { kind } = m.market()
  const to = m.ledger.indices[kind].lastStep + (kind === 'hourly' ? HOUR : WEEK)
  return { kind: 'accrue', coupon: kind, earned: { to, fees: 0n, aum: WEEKLY_AUM, ...earned } } as Instruction
}

describe('what a step may say', () => {
  test.each(KINDS)('T101 I24: %s: 0 to rho_max is paid, what exceeds it is carried, anything else is refused', kind => {
    const { rhoMaxQ64 } = DEFAULT_CAPS[kind]
    const most = (rhoMaxQ64 * WEEKLY_AUM) >> 64n
    const paid = (fees: bigint): { fall: bigint; carry: bigint } => {
      const m = due(kind)
      m.must(step(m, { fees }))
      const { discount, carry } = m.ledger.indices[kind]
      return { fall: (1n << 64n) - discount, carry }
    }
    expect(paid(0n)).toEqual({ fall: 0n, carry: 0n })
    const full = paid(most)
    expect(full.carry).toBe(0n)
    // D' = ceil(D * aum / (aum + fees))
    expect(full.fall).toBe((1n << 64n) - ((WEEKLY_AUM << 64n) + WEEKLY_AUM + most - 1n) / (WEEKLY_AUM + most))
    expect(paid(most + 1n)).toEqual({ fall: full.fall, carry: 1n })
    expect(paid(1000n * most)).toEqual({ fall: full.fall, carry: 999n * most })
    expect(paid((1n << 64n) - 1n)).toEqual({ fall: full.fall, carry: (1n << 64n) - 1n - most })
    for (const bad of [
      { fees: -1n },
      { fees: 1n << 64n },
      { fees: 10n ** 400n },
      { fees: Number.NaN },
      { fees: null },
      { fees: '35%' },
      { fees: 1.5 },
      { fees: Number.POSITIVE_INFINITY }, // 1e400
      { aum: 0n },
      { aum: -1n },
      { aum: 1n << 64n },
      { aum: '1' },
      { to: Number.NaN },
      { to: null },
      { to: '1735344000' },
      { to: 1.5 },
    ]) {
      const m = due(kind)
      expect(m.refusal(step(m, bad))).toMatch(/^(bad-source|time-backwards|too-early)$/)
      m.must(step(m, {}))
    }
    const m = due(kind)
    const { lastStep } = m.ledger.indices[kind]
    expect(m.refusal(step(m, { to: lastStep + (kind === 'hourly' ? HOUR : WEEK) - 0.5 }))).toBe('bad-source')
    expect(m.refusal(step(m, { to: Number.POSITIVE_INFINITY }))).not.toBe('applied')
  })

  test.each(KINDS)(
    'T102 I13: %s: the same step again, the one before, one ahead and one of the future are refused',
    kind => {
      const m = due(kind)
      const first = step(m, { fees: 10n ** 9n })
      m.must(first)
      const index = m.ledger.indices[kind]
      const { lastStep } = index
      expect(m.refusal(first)).toBe('time-backwards')
      for (const to of [lastStep, lastStep - 1, lastStep - HOUR, lastStep - WEEK, 0, -1]) {
        expect(m.refusal(step(m, { to, fees: 10n ** 9n }))).toBe('time-backwards')
      }
      const period = kind === 'hourly' ? HOUR : WEEK
      for (const to of [lastStep + period, lastStep + 2 * period, lastStep + 100 * period]) {
        expect(m.refusal(step(m, { to, fees: 10n ** 9n }))).toBe('too-early')
      }
      if (kind === 'hourly') expect(m.refusal(step(m, { to: lastStep + 1 }))).not.toBe('applied')
      m.now = lastStep + period + (kind === 'hourly' ? 299 : -1)
      m.weeklyUpdatedAt = kind === 'hourly' ? m.weeklyUpdatedAt : m.now
      expect(m.refusal(step(m, { to: lastStep + period }))).toBe('too-early')
      expect(m.ledger.indices[kind]).toBe(index)
      m.now += 1
      m.weeklyUpdatedAt = m.now
      m.must(step(m, { to: lastStep + period, fees: 1n }))
    },
  )

  test('T109 P3: there is no way back: no instruction raises a discount or takes a step away, whatever it says', () => {
    const m = due('hourly')
    m.auditing = false
    m.pass(2 * DAY, 0.3)
    const kinds = ['accrue', 'finalise', 'propose-terms', 'apply-terms', 'pause', 'create-market']
    let { discount, lastStep } = m.ledger.indices.hourly
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constantFrom(...kinds),
          hours: fc.integer({ min: -100, max: 100 }),
          fees: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
          aum: fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
          by: fc.constantFrom('authority', 'mal', 'pauser'),
          wait: fc.integer({ min: 0, max: 2 * HOUR }),
        }),
        ({ kind, hours, fees, aum, by, wait }) => {
          m.wait(wait)
          const earned = { to: lastStep + hours * HOUR, fees, aum, discount: 1n << 64n, carry: -fees }
          const { maturity } = m.market()
          const all = { kind, by, coupon: 'hourly', maturity, market: m.id, earned, discount: 1n << 64n, lastStep: 0 }
          quick(m, { ...all, terms: { ...m.market().terms, discount: 1n << 64n }, rate: 1n << 62n } as Instruction)
          const after = m.ledger.indices.hourly
          expect(after.discount).toBeLessThanOrEqual(discount)
          expect(after.lastStep).toBeGreaterThanOrEqual(lastStep)
          expect(after.carry).toBeGreaterThanOrEqual(0n)
          ;({ discount, lastStep } = after)
        },
      ),
      { numRuns: 2000, seed: 109 },
    )
    m.check()
    for (const kind of ['rollback', 'set-index', 'set-discount', 'rewind', 'update-expiry']) {
      expect(m.refusal({ kind, coupon: 'hourly', discount: 1n << 64n } as unknown as Instruction)).toBe('bad-parameter')
    }
  })
})

describe('late, missing and early', () => {
  test('T108 I27: a market that catches up hundreds of steps in one go is the same, to the last bit, as one that took each', () => {
    for (const kind of KINDS) {
      const lazy = deepMarket({ name: nameOf(kind), days: 70 })
      lazy.auditing = false
      lazy.fund('ann', 100n * JLP)
      lazy.fund('bob', 100n * JLP)
      lazy.must(lazy.order('bob', 'long', { yt: 500n * JLP }))
      const eager = lazy.fork()
      const steps = kind === 'hourly' ? 2 * 168 : 2
      for (let i = 0; i < steps; i++) {
        const apr = 0.05 * (i % 11)
        lazy.coupon(apr)
        eager.coupon(apr)
        eager.must({ kind: 'deposit', ...eager.ref('ann'), jlp: 1n })
      }
      lazy.must({ kind: 'deposit', ...lazy.ref('ann'), jlp: BigInt(steps) })
      const [one, each] = [lazy.ledger.markets.get(lazy.id)!, eager.ledger.markets.get(eager.id)!]
      expect({ ...one, oracle: undefined }).toEqual({ ...each, oracle: undefined })
      expect(lazy.account('ann')).toEqual(eager.account('ann'))
      lazy.must(lazy.order('bob', 'close'))
      eager.must(eager.order('bob', 'close'))
      expect(lazy.account('bob')).toEqual(eager.account('bob'))
      expect(lazy.ledger.markets.get(lazy.id)!.pool).toEqual(eager.ledger.markets.get(eager.id)!.pool)
    }
  })

  test('T108: a late step of k hours pays what k steps pay, but for compounding inside it, and has k caps and one budget', () => {
    const start = createIndex({ kind: 'hourly', lastStep: 0 })
    const aum = 10n ** 15n
    for (const k of [1, 2, 24, 168, 336]) {
      for (const fees of [0n, 10n ** 9n, 35n * 10n ** 9n, 10n ** 12n]) {
        let each: RateIndex = start
        for (let hour = 1; hour <= k; hour++) each = accrueIndex(each, { to: hour * HOUR, fees, aum }).next
        const once = accrueIndex(start, { to: k * HOUR, fees: fees * BigInt(k), aum }).next
        const [a, b] = [Number(each.discount), Number(once.discount)].map(d => -Math.log(d / 2 ** 64))
        // Above the caps the late one pays less: its bucket holds one week's budget, and the rest is carried.
        if (each.carry === 0n) expect(Math.abs(a! - b!)).toBeLessThanOrEqual(a! * a! + 1e-15)
        else expect(b).toBeLessThanOrEqual(a! + a! * a!)
        expect(b).toBeLessThanOrEqual(0.0005 * k)
        expect(b).toBeLessThanOrEqual(0.025 * (1 + k / 168))
      }
    }
    // Two late weeks in one step have one weekly cap.
    const weekly = createIndex({ kind: 'weekly', lastStep: 0 })
    const { step: late } = accrueIndex(weekly, { to: 2 * WEEK, fees: WEEKLY_AUM, aum: WEEKLY_AUM })
    expect(late.feesPaid).toBe((DEFAULT_CAPS.weekly.rhoMaxQ64 * WEEKLY_AUM) >> 64n)
  })

  test('T108 T112: no sequence of steps, of any length and size, lowers Dmin, nor takes D below it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.integer({ min: 1, max: 60 }),
        fc.array(
          fc.record({
            length: fc.oneof(fc.integer({ min: 1, max: 20 * DAY }), fc.integer({ min: 6 * DAY, max: 8 * DAY })),
            rho: fc.oneof(fc.constant(1n << 64n), fc.bigInt({ min: 0n, max: 1n << 59n })),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        (kind, days, steps) => {
          const maturity = days * DAY
          let index = watchMaturity(createIndex({ kind, lastStep: 0 }), maturity)
          const first = lowestDiscount(index, maturity)
          for (const { length, rho } of steps) {
            const before = lowestDiscount(index, maturity)
            const seconds = kind === 'hourly' ? Math.max(1, Math.floor(length / HOUR)) * HOUR : length
            const aum = 10n ** 15n
            index = accrueIndex(index, { to: index.lastStep + seconds, fees: (rho * aum) >> 64n, aum }).next
            const final = index.checkpoints[0]!.discount
            if (final !== undefined) {
              expect(final).toBeGreaterThanOrEqual(first)
              return
            }
            expect(lowestDiscount(index, maturity) + 1n).toBeGreaterThanOrEqual(before)
            expect(index.discount).toBeGreaterThanOrEqual(first)
          }
        },
      ),
      { numRuns: 1500, seed: 108 },
    )
  })

  test('T106 I24: without a print opens stop after 8 days, liquidations, closes and withdrawals without debt do not', () => {
    const m = deepMarket({ name: 'JLP-2411-W', days: 60 })
    for (const owner of ['bob', 'ann', 'lp']) m.fund(owner, 100n * JLP)
    m.must(m.order('bob', 'long', { yt: 200n * JLP }))
    plantLong(m, 'vic', 1000n * JLP, 10_300n)
    const { lastStep } = m.ledger.indices.weekly
    m.now = lastStep + 8 * DAY - 1
    expect(probe(m, m.order('bob', 'long', { yt: JLP }))).toBe('applied')
    m.now += 1
    const stopped: Instruction[] = [
      m.order('bob', 'long', { yt: JLP }),
      m.order('ann', 'short', { yt: JLP }),
      { kind: 'split', ...m.ref('ann'), yt: JLP },
      m.ptOrder('ann', 'buy-pt', { st: JLP }),
      m.adding('lp', 50, 13_860, 10n ** 9n),
    ]
    for (const instruction of stopped) expect(m.refusal(instruction)).toBe('reduce-only')
    m.must(liquidation(m, 'vic'))
    m.must(m.order('bob', 'reduce', { yt: 100n * JLP }))
    m.must({ kind: 'withdraw', ...m.ref('ann'), jlp: JLP })
    m.must(m.removing('lp', 50, 13_860, { num: 1n, den: 100n }))
    // A print ends it.
    m.weeklyUpdatedAt = m.now
    expect(m.refusal(m.order('bob', 'close'))).toBe('coupon-due')
    m.must({ kind: 'accrue', coupon: 'weekly', earned: { to: m.now, fees: 10n ** 12n, aum: WEEKLY_AUM } })
    m.must(m.order('bob', 'long', { yt: JLP }))
  })

  test.each(KINDS)(
    'T112 I24: %s: a jump by 300 percent is paid up to the cap, the rest later, and nobody’s deposit is touched by it',
    kind => {
      const m = due(kind)
      const { rhoMaxQ64 } = DEFAULT_CAPS[kind]
      const most = (rhoMaxQ64 * WEEKLY_AUM) >> 64n
      m.fund('ann', 100n * JLP)
      m.must(step(m, { fees: 4n * most }))
      expect(m.ledger.indices[kind].carry).toBe(3n * most)
      m.must(m.order('ann', 'long', { yt: 100n * JLP }))
      // Carried coupons are paid one cap at a time, while nothing more is earned.
      for (let i = 0; i < 3; i++) {
        expect(m.ledger.indices[kind].carry).toBe(BigInt(3 - i) * most)
        m.now += kind === 'hourly' ? HOUR : WEEK
        m.weeklyUpdatedAt = m.now
        m.must(step(m, {}))
      }
      expect(m.ledger.indices[kind].carry).toBe(0n)
      const yields = -Math.log(Number(m.ledger.indices[kind].discount) / 2 ** 64)
      expect(yields).toBeCloseTo((4 * Number(rhoMaxQ64)) / 2 ** 64, 3)
      m.must(m.order('ann', 'close'))
    },
  )

  test('T112: a carry left at maturity is published and not paid', () => {
    const m = deepMarket({ name: 'JLP-2411-W', days: 7 })
    const { maturity } = m.market()
    m.now = maturity
    m.weeklyUpdatedAt = maturity
    const most = (DEFAULT_CAPS.weekly.rhoMaxQ64 * WEEKLY_AUM) >> 64n
    const { events } = m.must(step(m, { fees: 5n * most }))
    expect(events).toMatchObject([{ type: 'accrued', feesPaid: most, carry: 4n * most }])
    expect(m.pool().tauSeconds).toBe(0)
    const { discount } = m.pool()
    m.coupon(0)
    expect(m.pool().discount).toBe(discount)
  })

  test('I2s: whatever a step says inside its caps, no identity breaks and losses are booked, tier by tier', () => {
    for (const kind of KINDS) {
      for (const apr of [0, 0.05, 0.35, 1, 5, 100]) {
        const m = deepMarket({ name: nameOf(kind), days: 35 })
        m.auditing = false
        endow(m, JLP)
        plantLong(m, 'l', 1000n * JLP, 10_800n)
        plantShort(m, 's', 1000n * JLP, 10_800n)
        for (let i = 0; i < (kind === 'hourly' ? 100 : 4); i++) {
          m.coupon(apr)
          for (const owner of ['l', 's']) {
            if (!standing(m, owner).healthy) quick(m, liquidation(m, owner))
          }
          m.check()
        }
        m.mature(apr)
        for (const owner of ['l', 's', 'cover-l', 'cover-s']) m.must({ kind: 'settle', ...m.ref(owner) })
        m.check()
      }
    }
  })
})

describe('Jupiter’s account as the source', () => {
  const MONDAY = 1_789_779_600 // `last_updated` of the recorded pool
  const base = POOL_2026.facts
  const at = (now: number, change: Partial<PoolFacts['poolApr']> = {}, more: Partial<PoolFacts> = {}): PoolFacts =>
    ({ ...base, aumUsdUpdatedAt: BigInt(now), poolApr: { ...base.poolApr, ...change }, ...more }) as PoolFacts

  test('T103: an APR in a wrong unit cannot pay more than three mean hours beyond what was seen, nor take anything back', () => {
    const hourIndex = Math.ceil((MONDAY + WEEK - HOUR) / HOUR) * HOUR
    const index = createIndex({ kind: 'hourly', lastStep: hourIndex })
    const realized = (base.aumUsd * 850n * BigInt(WEEK - 2 * HOUR)) / (10_000n * 31_536_000n)
    const cursor = { lastUpdated: BigInt(MONDAY), realizedFeeUsd: realized }
    const now = hourIndex + HOUR + 300
    const paid = (feeAprBps: bigint): bigint => {
      const updated = at(now, { lastUpdated: BigInt(MONDAY + WEEK), feeAprBps, realizedFeeUsd: 0n } as never)
      return readHourly(index, cursor, updated, now).fees
    }
    const mean = (realized * BigInt(HOUR)) / BigInt(WEEK - HOUR)
    const right = paid(850n)
    expect(right).toBeGreaterThan(mean)
    expect(right).toBeLessThan(3n * mean)
    // A fraction, percent, 10^-6, a weekly yield, an APY of 8.87 % instead.
    for (const wrong of [0n, 8n, 85_000n, 8_500_000n, 16n]) {
      const amount = paid(wrong)
      expect(amount).toBeGreaterThanOrEqual(0n)
      expect(amount).toBeLessThanOrEqual((realized * BigInt(3 * HOUR)) / BigInt(WEEK - 2 * HOUR))
    }
    expect(paid(887n)).toBeLessThanOrEqual((realized * BigInt(3 * HOUR)) / BigInt(WEEK - 2 * HOUR))
  })

  test('T103: weekly, a figure in percent of bp or the other way round is told by the caps and by the hours seen', () => {
    const index = createIndex({ kind: 'weekly', lastStep: MONDAY - WEEK })
    const cursor = { lastUpdated: BigInt(MONDAY - WEEK), realizedFeeUsd: 0n }
    const paid = (feeAprBps: bigint): number => {
      const reading = readWeekly(index, cursor, at(MONDAY, { feeAprBps } as never), MONDAY)
      const { step: done } = accrueIndex(index, reading)
      return Number(done.feesPaid) / Number(done.aum)
    }
    expect(paid(3500n)).toBeCloseTo((0.35 * 7) / 365, 12)
    expect(paid(350_000n)).toBeCloseTo(0.012, 10) // the cap: 62 % a year, not 3,500 %
    expect(paid(35n)).toBeCloseTo((0.0035 * 7) / 365, 12)
    expect(paid(3500n) / paid(35n)).toBeCloseTo(100, 6)
  })

  test('T107: a look-alike of the pool account is refused by owner, kind, length, address and canaries, before any figure is used', () => {
    const data = encodePool(base)
    const good: AccountBytes = { address: POOL_ADDRESS, owner: PERPETUALS_PROGRAM, data }
    const facts = decodePool(good)
    expect(facts.poolApr).toEqual(base.poolApr)
    expect(jupiterCode(() => checkPoolAddress(good, facts))).toBe('none')

    const fake = 'So11111111111111111111111111111111111111112'
    const flipped = Uint8Array.from(data)
    flipped[3]! ^= 1
    const bad: [AccountBytes, string][] = [
      [{ ...good, owner: fake }, 'wrong-owner'],
      [{ ...good, data: flipped }, 'wrong-discriminator'],
      [{ ...good, data: data.slice(0, 1999) }, 'wrong-length'],
      [{ ...good, data: new Uint8Array(0) }, 'closed'],
      [{ ...good, data: new Uint8Array(2000).fill(255) }, 'closed'],
    ]
    for (const [account, code] of bad) expect(jupiterCode(() => decodePool(account))).toBe(code)
    // The same bytes at another address, and another pool of the same program.
    expect(jupiterCode(() => checkPoolAddress({ ...good, address: fake }, facts))).not.toBe('none')
    expect(jupiterCode(() => checkPoolAddress(good, { ...facts, name: 'Pool2' }))).not.toBe('none')
    const { hourly: terms } = SOURCE_TERMS
    const now = Number(base.aumUsdUpdatedAt)
    expect(oracleCode(() => checkSource(facts, now, terms))).toBe('none')
    for (const change of [{ bump: 251 }, { lpTokenBump: 253 }, { inceptionTime: 1n }, { aumUsd: 0n }]) {
      expect(oracleCode(() => checkSource({ ...facts, ...change } as PoolFacts, now, terms))).toBe('bad-source')
    }
  })

  test('T110: old data posted anew is told by the time inside it, not by when it came', () => {
    const start = Math.floor(Number(base.aumUsdUpdatedAt) / HOUR) * HOUR
    const index = createIndex({ kind: 'hourly', lastStep: start })
    const cursor = cursorOf(base)
    const now = start + HOUR + 300
    const read = (pool: PoolFacts, when = now): string => oracleCode(() => readHourly(index, cursor, pool, when))
    expect(read(at(now))).toBe('none')
    expect(read(at(now - 600))).toBe('none')
    expect(read(at(now - 601))).toBe('stale-source')
    expect(read(base)).toBe('stale-source') // the recording itself, an hour on
    expect(read(at(now + 61))).toBe('stale-source') // a clock ahead
    expect(read(at(now, { realizedFeeUsd: base.poolApr.realizedFeeUsd - 1n } as never))).toBe('bad-source')
    expect(read(at(now, { lastUpdated: base.poolApr.lastUpdated - 1n } as never))).toBe('bad-source')
    expect(read(at(now, { lastUpdated: BigInt(now + 1) } as never))).toBe('bad-source')
    expect(read(at(start + 299), start + HOUR + 299)).not.toBe('none')
    const weekly = createIndex({ kind: 'weekly', lastStep: Number(base.poolApr.lastUpdated) })
    expect(oracleCode(() => readWeekly(weekly, cursor, at(now), now))).toBe('too-early') // the same print again
  })

  test('T111: of every account that differs from the recorded one in a byte, none is taken for another’s, and none changes a state', () => {
    const m = due('hourly')
    const before = { ...m.ledger.indices }
    const data = encodePool(base)
    const cursor = cursorOf(base)
    const start = Math.floor(Number(base.aumUsdUpdatedAt) / HOUR) * HOUR
    const index = createIndex({ kind: 'hourly', lastStep: start - HOUR })
    const now = Math.max(Number(base.aumUsdUpdatedAt), start + 300)
    const { aum } = readHourly(index, cursor, base, now)
    let refused = 0
    let other = 0
    for (let byte = 0; byte < data.length; byte += byte < 520 ? 1 : 7) {
      const forged = Uint8Array.from(data)
      forged[byte]! ^= 0x80
      try {
        const facts = decodePool({ address: POOL_ADDRESS, owner: PERPETUALS_PROGRAM, data: forged })
        checkPoolAddress({ address: POOL_ADDRESS }, facts)
        const reading = readHourly(index, cursor, facts, now)
        // What is read differs only if these very fields did; caps bound what it can do.
        if (reading.fees !== 0n || reading.aum !== aum) other += 1
        const { step: done } = accrueIndex(index, { ...reading, aum: reading.aum, fees: reading.fees })
        expect(Number(done.feesPaid) / Number(done.aum)).toBeLessThanOrEqual(0.0005)
      } catch (error) {
        expect(error instanceof JupiterError || error instanceof OracleError).toBe(true)
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(30)
    expect(other).toBeLessThanOrEqual(24) // the bytes of AUM, realised fees and APR
    expect(m.ledger.indices).toEqual(before)
  })

  test('T105: raising the pool’s fees by trading against oneself costs more than the YT of two maturities at the caps and all JLP earn', () => {
    // Who pays x of fees sees 75 % of it go to the pool; the YT and the JLP that he holds get their part of that. Parts in bp.
    const caps = DEFAULT_TERMS.hourly.openInterestBps + DEFAULT_TERMS.weekly.openInterestBps
    const earned = (maturities: number, jlpBps: number): number => (7500 * (maturities * caps + jlpBps)) / 10_000
    for (const jlpBps of [0, 5000, 10_000]) {
      for (const maturities of [1, 2]) expect(earned(maturities, jlpBps)).toBeLessThan(10_000)
    }
    // With half of all JLP in one hand it takes six maturities of both kinds at the cap.
    expect([5, 6].map(maturities => earned(maturities, 5000) > 10_000)).toEqual([false, true])

    // In one market at the cap, a coupon pays at most its share of the fees: measured.
    const m = deepMarket({ jlpSupply: 100_000n * JLP, days: 60 })
    m.fund('mal', 2000n * JLP)
    m.must(m.order('mal', 'long', { yt: 10_000n * JLP })) // a tenth of the supply
    expect(probe(m, m.order('mal', 'long', { yt: JLP }))).toBe('open-interest')
    const before = m.account('mal').st
    const supplyUsd = 10n ** 15n
    const x = supplyUsd / 5000n // 0.02 % of AUM in an hour
    m.now = m.ledger.indices.hourly.lastStep + HOUR + 300
    m.must({
      kind: 'accrue',
      coupon: 'hourly',
      earned: { to: m.now - 300, fees: (x * 3n) / 4n, aum: supplyUsd },
    })
    const coupon = m.account('mal').st - before
    // x USD is 0.02 % of all JLP, 20 JLP; three quarters of a tenth of it come back.
    expect(coupon).toBeLessThanOrEqual((20n * JLP * 3n) / 40n)
    expect(coupon).toBeGreaterThan((19n * JLP * 3n) / 40n)
  })
})
