/** Liquidation, take-over, and who bears a loss: nobody gains by it, everybody can be liquidated, each tier comes in its turn. */
import { describe, expect, test } from 'vitest'
import { assets, type Legs, liabilities, liquidationOf } from '../../../src/exchange/index.ts'
import { HOUR, JLP, type OpenMarket, WEEK } from '../market.ts'
import {
  deepMarket,
  deficitOf,
  depth,
  endow,
  eventsOf,
  fundOf,
  liquidation,
  openLargest,
  plant,
  plantLong,
  plantShort,
  probe,
  push,
  quick,
  release,
  standing,
  valuationOf,
} from './stress.ts'

const SIDES = ['long', 'short'] as const
type Side = (typeof SIDES)[number]

const plantAt = (m: OpenMarket, owner: string, side: Side, yt: bigint, ratio: bigint): void =>
  side === 'long' ? plantLong(m, owner, yt, ratio) : plantShort(m, owner, yt, ratio)

const size = (legs: Legs): bigint => (legs.yt < 0n ? -legs.yt : legs.yt)

/** Equity at TWAP of everything that is not these accounts' (fund included), which a liquidation must not lower. */
const equityOf = (m: OpenMarket, owner: string): bigint => standing(m, owner).equityAtTwap

describe('what a liquidation does', () => {
  test.each(SIDES.flatMap(side => [10_260n, 10_300n, 10_400n, 10_450n, 10_499n].map(ratio => ({ side, ratio }))))(
    'T067 I19: a $side at $ratio bp: closed in part, the ratio rises, what is left meets maintenance',
    ({ side, ratio }) => {
      const m = deepMarket()
      plantAt(m, 'vic', side, 1000n * JLP, ratio)
      const before = { ...standing(m, 'vic'), legs: m.account('vic') }
      expect(before.healthy).toBe(false)
      const [done] = eventsOf(m.must(liquidation(m, 'vic')), 'liquidated')
      const after = { ...standing(m, 'vic'), legs: m.account('vic') }
      expect(after.ratio).toBeGreaterThan(before.ratio)
      expect(after.healthy).toBe(true)
      expect(size(after.legs)).toBe(size(before.legs) - done!.closed)
      expect(size(after.legs)).toBeGreaterThan(0n)
      expect(after.legs.yt > 0n).toBe(side === 'long') // never through zero
      // The owner loses price impact, fee and penalty, together at most the promised 2 % and a little of the closed leg.
      const leg = (valuationOf(m).twap * done!.closed) >> 64n
      expect(before.equityAtTwap - after.equityAtTwap).toBeLessThanOrEqual((leg * 3n) / 100n)
      expect(done!.penalty).toBeLessThanOrEqual((leg * 101n) / 5000n) // 2 % of what was paid, at most 0.5 % dearer
      expect(done!.reward).toBe(done!.penalty / 2n)
      expect(deficitOf(m)).toBe(0n)
    },
  )

  test.each(SIDES)('T067 I19: a %s below 102.5 %% is closed wholly, and what is left is its owner’s', side => {
    const m = deepMarket()
    plantAt(m, 'vic', side, 100n * JLP, 10_240n)
    m.must(liquidation(m, 'vic'))
    const legs = m.account('vic')
    expect(legs).toMatchObject({ st: 0n, yt: 0n })
    expect(legs.margin).toBeGreaterThan(0n)
    m.must({ kind: 'withdraw', ...m.ref('vic'), jlp: legs.margin })
  })

  test.each(SIDES.flatMap(side => [9999n, 9900n, 9600n].map(ratio => ({ side, ratio }))))(
    'T067 T084: a $side at $ratio bp is taken over with all that it has, and the fund carries it',
    ({ side, ratio }) => {
      const m = deepMarket()
      endow(m, 100n * JLP)
      plantAt(m, 'vic', side, 1000n * JLP, ratio)
      const legs = m.account('vic')
      const others = m.wealth(['lp'])
      expect(m.refusal({ kind: 'liquidate', ...m.ref('vic'), by: 'liq', yt: 1000n * JLP })).not.toBe('applied')
      m.must({ kind: 'take-over', ...m.ref('vic') })
      expect(m.account('vic')).toMatchObject({ margin: 0n, st: 0n, yt: 0n })
      expect(fundOf(m)).toMatchObject({ margin: 100n * JLP + legs.margin, st: legs.st, yt: legs.yt })
      expect(deficitOf(m)).toBe(0n)
      expect(m.wealth(['lp'])).toBeGreaterThanOrEqual(others)
      expect(m.balance('liq')).toBe(10n ** 14n) // nothing for whoever called it
    },
  )

  test('T073 I18: exactly 105 % is healthy, an atom less is not', () => {
    for (const side of SIDES) {
      const m = deepMarket()
      m.now += 1 // one instant for all that follows
      const yt = 1000n * JLP
      const { twap } = valuationOf(m)
      const worth = side === 'long' ? (twap * yt) >> 64n : -((-twap * yt) >> 64n)
      // Assets of 21 parts on liabilities of 20.
      const owed = side === 'long' ? (worth / 21n) * 20n : worth
      const exact = side === 'long' ? (owed / 20n) * 21n - worth : (owed * 105n + 99n) / 100n
      const legs = (less: bigint): Partial<Legs> =>
        side === 'long' ? { yt, st: -owed - less, margin: exact < 0n ? 0n : exact } : { yt: -yt, st: exact - less }
      plant(m, 'vic', legs(0n))
      plant(m, 'cover', side === 'long' ? { yt: -yt, st: yt, margin: yt } : { yt, margin: yt })
      const account = m.account('vic')
      const [held, due] = [assets(account, twap), liabilities(account, twap)]
      expect(held * 10_000n - due * 10_500n).toBeGreaterThanOrEqual(0n)
      expect(held * 10_000n - due * 10_500n).toBeLessThan(10_500n * 21n)
      expect(probe(m, { kind: 'liquidate', ...m.ref('vic'), by: 'liq', yt })).toBe('healthy')
      expect(liquidationOf(m.ledger, m.ref('vic'), m.world)).toBeUndefined()
      plant(m, 'vic', legs(21n))
      expect(probe(m, liquidation(m, 'vic'))).toBe('applied')
    }
  })

  test.each(SIDES)('T073 T068: of a %s neither more nor less than is needed can be closed, to a 64th part', side => {
    const m = deepMarket()
    const yt = 1000n * JLP
    plantAt(m, 'vic', side, yt, 10_400n)
    const due = liquidationOf(m.ledger, m.ref('vic'), m.world)
    if (due === undefined || due === 'take-over') throw new Error('not liquidatable')
    const least = due.liquidate
    const outcome = (n: bigint): string => probe(m, { kind: 'liquidate', ...m.ref('vic'), by: 'liq', yt: n })
    expect(outcome(least)).toBe('applied')
    expect(outcome((least * 65n) / 64n - 1n)).toBe('applied')
    expect(outcome((least * 64n) / 63n + 1000n)).toBe('wrong-amount')
    for (const n of [1n, least / 2n, least - 1000n, (least + yt) / 2n, yt - 1n, yt]) {
      expect(outcome(n)).toBe('wrong-amount')
    }
    expect(outcome(yt + 1n)).toBe('exceeds-position')
    expect([outcome(0n), outcome(-1n), outcome(1n << 64n)]).toEqual(['zero-amount', 'bad-amount', 'bad-amount'])
  })

  test('T073: the caller cannot choose more than is enough where liquidity is uneven', () => {
    const m = deepMarket({ liquidity: [{ lower: 50, upper: 13_860, jlp: 20_000n * JLP }] })
    m.provide('lp', 1800, 1830, 2_000n * JLP)
    m.wait(300)
    plantLong(m, 'vic', 2000n * JLP, 10_490n)
    const due = liquidationOf(m.ledger, m.ref('vic'), m.world)
    if (due === undefined || due === 'take-over') throw new Error('not liquidatable')
    const kept = (yt: bigint): bigint | undefined => {
      const copy = m.fork()
      return quick(copy, { kind: 'liquidate', ...m.ref('vic'), by: 'liq', yt }) === 'applied'
        ? equityOf(copy, 'vic')
        : undefined
    }
    const least = kept(due.liquidate)!
    expect(least).toBeGreaterThan(0n)
    for (let part = 1n; part <= 200n; part++) {
      const other = kept(part * 10n * JLP)
      if (other !== undefined) expect(other).toBeGreaterThanOrEqual((least * 97n) / 100n)
    }
  })

  test('T068: the owner shrinks, closes or flips first: the liquidator’s call is refused, and none of it is lost', () => {
    const m = deepMarket()
    m.fund('vic', 0n)
    plantLong(m, 'vic', 1000n * JLP, 10_400n)
    const call = liquidation(m, 'vic')
    const shrunk = m.fork()
    shrunk.must(shrunk.order('vic', 'reduce', { yt: 990n * JLP }))
    expect(shrunk.refusal(call)).toBe('healthy')
    const closed = m.fork()
    closed.must(closed.order('vic', 'close'))
    expect(closed.refusal(call)).toBe('healthy')
    const flipped = closed.fork()
    flipped.must({ kind: 'deposit', ...m.ref('vic'), jlp: 100n * JLP })
    flipped.must(flipped.order('vic', 'short', { yt: 10n * JLP }))
    expect(flipped.refusal(call)).toBe('healthy')
    const bit = m.fork()
    bit.must(bit.order('vic', 'reduce', { yt: JLP }))
    expect(['applied', 'wrong-amount']).toContain(probe(bit, call))
    bit.must(liquidation(bit, 'vic'))
  })

  test('T070 I28: a liquidation needs nothing of its owner: no wallet, no position, no signature', () => {
    const m = deepMarket()
    plantLong(m, 'nobody', 1000n * JLP, 10_300n)
    expect(m.balance('nobody')).toBe(0n)
    const { changes } = m.must(liquidation(m, 'nobody'))
    expect([...changes.balances.keys()]).toEqual(['jlp:liq'])
    m.mature(0.2)
    m.must({ kind: 'settle', ...m.ref('nobody') })
  })

  test('T072: a long whose YT are worth almost nothing, minutes before maturity and at the lowest rate, can be liquidated', () => {
    for (const days of [1 / 24, 2 / 24]) {
      const m = deepMarket({ days, apy: '0.6%', history: 330 })
      plant(m, 'vic', { yt: 10_000n * JLP, st: -100n * JLP, margin: JLP })
      plant(m, 'cover', { yt: -10_000n * JLP, st: 10_000n * JLP, margin: 10_000n * JLP })
      endow(m, 1000n * JLP)
      expect(valuationOf(m).twap).toBeLessThan(1n << 46n) // below 4 millionths
      m.must({ kind: 'take-over', ...m.ref('vic') })
      const { yt } = fundOf(m)
      if (yt > 0n) expect(m.refusal({ kind: 'reduce-fund', market: m.id, yt })).toBe('limit-reached') // healthy: not below TWAP
      m.mature(0.2)
      m.must({ kind: 'settle', ...m.ref('vic') })
      expect(fundOf(m)).toMatchObject({ st: 0n, yt: 0n })
    }
  })
})

describe('who gains by a liquidation', () => {
  test('T069: whoever calls it is never worse off, down to the smallest accounts', () => {
    for (const side of SIDES) {
      for (const yt of [1n, 50n, 1000n, 100_000n, JLP, 10n * JLP, 1000n * JLP]) {
        for (const ratio of [10_050n, 10_200n, 10_300n, 10_400n, 10_490n]) {
          const m = deepMarket()
          m.auditing = false
          plantAt(m, 'vic', side, yt, ratio)
          if (standing(m, 'vic').healthy) continue // a few atoms: rounded up
          endow(m, JLP)
          const before = m.balance('liq')
          m.must(liquidation(m, 'vic'))
          m.check()
          expect(m.balance('liq')).toBeGreaterThanOrEqual(before)
          if (yt >= 10n * JLP && ratio >= 10_200n) expect(m.balance('liq')).toBeGreaterThan(before)
        }
      }
    }
  })

  /** Owner, liquidator and whoever moves the rate are one; `push` in bp of the rate in front of the liquidation. */
  const oneself = (side: Side, ratio: bigint, pushed: bigint, yt: bigint, fund: bigint): bigint => {
    const m = deepMarket()
    m.auditing = false
    if (fund > 0n) endow(m, fund)
    plantAt(m, 'own', side, yt, ratio)
    const worth = equityOf(m, 'own')
    const all = (): bigint => m.balance('mal') + (m.ledger.accounts.has(`${m.id}/mal/0`) ? m.account('mal').margin : 0n)
    const before = all() + (worth > 0n ? worth : 0n)
    const moved = (side === 'long' ? -1n : 1n) * depth(m, pushed)
    if (pushed > 0n) push(m, 'mal', moved)
    for (let round = 0; round < 3; round++) {
      quick(m, liquidation(m, 'own', 'mal'))
      const held = fundOf(m)
      if (held.yt !== 0n) quick(m, { kind: 'reduce-fund', market: m.id, yt: size(held) })
    }
    if (pushed > 0n) release(m, 'mal', moved)
    m.check()
    const left = equityOf(m, 'own')
    return all() + (left > 0n ? left : 0n) - before
  }

  const attempts = function* (ratios: readonly bigint[]): Generator<[bigint, bigint, bigint]> {
    for (const ratio of ratios) {
      for (const pushed of [0n, 20n, 45n, 70n, 400n, 800n]) {
        for (const yt of [1000n * JLP, 10_000n * JLP]) yield [ratio, pushed, yt]
      }
    }
  }

  test.each(SIDES.flatMap(side => [0n, 5n * JLP].map(fund => ({ side, fund }))))(
    'T066 I12: liquidating oneself never pays, at any CR from 1.005 to 1.05, whatever the push ($side, fund of $fund)',
    ({ side, fund }) => {
      for (const [ratio, pushed, yt] of attempts([10_050n, 10_100n, 10_200n, 10_250n, 10_350n, 10_490n])) {
        expect(oneself(side, ratio, pushed, yt, fund)).toBeLessThanOrEqual(0n)
      }
    },
  )

  test.each(SIDES)('T066 I12: nor with an account that is lost already, at any CR from 0.8 to 1.00 (%s)', side => {
    for (const [ratio, pushed, yt] of attempts([8000n, 9500n, 9990n, 10_000n])) {
      expect(oneself(side, ratio, pushed, yt, 0n)).toBeLessThanOrEqual(0n)
    }
  })

  test.each(SIDES)('T074: the owner may liquidate himself, and pays the penalty for it (%s)', side => {
    const m = deepMarket()
    plantAt(m, 'own', side, 1000n * JLP, 10_400n)
    const before = m.balance('own') + equityOf(m, 'own')
    const [done] = eventsOf(m.must(liquidation(m, 'own', 'own')), 'liquidated')
    expect(done!.penalty).toBeGreaterThan(0n)
    expect(m.balance('own') + equityOf(m, 'own')).toBeLessThan(before - (done!.penalty - done!.reward) + 1n)
  })

  test.each(SIDES)(
    'T059 I19: pushing the spot in front of a stranger’s liquidation brings next to nothing, and costs the owner 1 % at most (%s)',
    side => {
      for (const ratio of [10_200n, 10_350n, 10_490n]) {
        for (const yt of [1000n * JLP, 20_000n * JLP]) {
          const outcome = (pushed: bigint): { gain: bigint; kept: bigint; closed: boolean } => {
            const m = deepMarket()
            m.auditing = false
            plantAt(m, 'vic', side, yt, ratio)
            m.fund('mal', 1000n * JLP)
            const all = (): bigint => m.balance('mal') + m.account('mal').margin
            const before = all()
            const moved = (side === 'long' ? -1n : 1n) * depth(m, pushed)
            if (pushed > 0n) push(m, 'mal', moved)
            const closed = quick(m, liquidation(m, 'vic', 'mal')) === 'applied'
            if (pushed > 0n) release(m, 'mal', moved)
            m.check()
            return { gain: all() - before, kept: equityOf(m, 'vic'), closed }
          }
          const honest = outcome(0n)
          for (const pushed of [10n, 25n, 45n, 100n, 300n, 600n]) {
            const pushedOutcome = outcome(pushed)
            const leg = (valuationOf(deepMarket()).twap * yt) >> 64n
            // What the bound on forced closes (1 % of the rate) leaves of a push, less its fees.
            expect(pushedOutcome.gain).toBeLessThanOrEqual(honest.gain + leg / 500n)
            if (pushedOutcome.closed) expect(pushedOutcome.kept).toBeGreaterThanOrEqual(honest.kept - leg / 100n)
          }
        }
      }
    },
  )
})

describe('everybody below maintenance can be liquidated (I28)', () => {
  test('I28: what the engine proposes is applied, at any ratio, size, side and moment', () => {
    let tried = 0
    for (const side of SIDES) {
      for (const ratio of [9000n, 9900n, 10_001n, 10_010n, 10_100n, 10_251n, 10_300n, 10_450n, 10_499n]) {
        for (const yt of [100n * JLP, 5000n * JLP, 40_000n * JLP]) {
          const m = deepMarket()
          m.auditing = false
          endow(m, 10_000n * JLP)
          plantAt(m, 'vic', side, yt, ratio)
          if (standing(m, 'vic').healthy) continue
          for (let round = 0; round < 40 && !standing(m, 'vic').healthy; round++) {
            const done = quick(m, liquidation(m, 'vic'))
            expect([side, ratio, yt, round, done]).toEqual([side, ratio, yt, round, 'applied'])
            m.wait(300)
            if (m.ledger.indices.hourly.lastStep + HOUR + 300 <= m.now) m.coupon(0.2)
          }
          expect(standing(m, 'vic').healthy).toBe(true)
          m.check()
          tried += 1
        }
      }
    }
    expect(tried).toBe(54)
  })

  test('I28: the same for accounts of one YT and less', () => {
    for (const side of SIDES) {
      for (const ratio of [10_001n, 10_005n, 10_010n, 10_050n, 10_300n]) {
        for (const yt of [1000n, 100_000n, JLP]) {
          const m = deepMarket()
          m.auditing = false
          endow(m, JLP)
          plantAt(m, 'vic', side, yt, ratio)
          if (!standing(m, 'vic').healthy)
            expect([side, ratio, yt, probe(m, liquidation(m, 'vic'))]).toContain('applied')
        }
      }
    }
  })

  test.each([5n, 20n, 50n, 100n])(
    'I28: while the rate falls by %i bp of itself a minute, a long is liquidated before its equity is gone',
    speed => {
      const m = deepMarket()
      m.auditing = false
      plantLong(m, 'vic', 1000n * JLP, 10_700n)
      let done = 'healthy'
      for (let moment = 0; moment < 400 && done !== 'applied'; moment++) {
        m.wait(20)
        if (m.ledger.indices.hourly.lastStep + HOUR + 300 <= m.now) m.coupon(0.2)
        push(m, 'mal', -depth(m, speed) / 3n)
        done = standing(m, 'vic').healthy ? 'healthy' : quick(m, liquidation(m, 'vic'))
      }
      m.check()
      expect(done).toBe('applied')
      expect(standing(m, 'vic').equity).toBeGreaterThan(0n)
      expect(m.account('vic').yt).toBeGreaterThan(0n)
    },
  )

  test('I28: nobody can hold off a liquidation for more than ten minutes by keeping the spot away from TWAP', () => {
    const m = deepMarket()
    m.auditing = false
    plantLong(m, 'vic', 1000n * JLP, 10_400n)
    push(m, 'mal', -depth(m, 500n)) // as far as 5 %
    let seconds = 0
    while (quick(m, liquidation(m, 'vic')) !== 'applied' && seconds < 1200) {
      m.wait(20)
      seconds += 20
    }
    m.check()
    expect(seconds).toBeLessThanOrEqual(600)
  })
})

describe('who bears a loss', () => {
  test('T085 I20: an account cut at zero equity: what is left of it is worth its debt at that price, to the 64th of the close', () => {
    const m = deepMarket({ liquidity: [{ lower: 50, upper: 13_860, jlp: 100_000n * JLP }] })
    endow(m, 10_000n * JLP)
    plantLong(m, 'vic', 20_000n * JLP, 10_010n)
    const call = liquidation(m, 'vic')
    const applied = m.must(call)
    const [taken] = eventsOf(applied, 'taken-over')
    const { spot } = valuationOf(m)
    if (taken !== undefined) {
      const left = taken.margin + taken.st + ((spot * taken.yt) >> 64n)
      const [closed] = eventsOf(applied, 'liquidated')
      const size = closed?.closed ?? 0n
      expect(left).toBeGreaterThanOrEqual(0n)
      expect(left).toBeLessThanOrEqual(((spot * size) >> 64n) / 16n + 2n)
      expect(taken.yt + size).toBe(20_000n * JLP)
    } else expect(m.account('vic').margin).toBeGreaterThanOrEqual(0n)
    expect(deficitOf(m)).toBe(0n)
  })

  /** A bankrupt short at maturity that is short of `loss`, a fund of `fund` and what LPs, profits and PT have then. */
  const waterfall = (side: Side, loss: bigint, fund: bigint) => {
    const m = deepMarket({ days: 1 })
    m.fund('ann', 50n * JLP)
    if (fund > 0n) endow(m, fund)
    plant(m, 'bad', side === 'long' ? { st: -loss, yt: 1n } : { st: 0n, yt: -1n, margin: 0n })
    plant(m, 'cover', side === 'long' ? { yt: -1n, st: 1n, margin: 1n } : { yt: 1n })
    if (side === 'short') plant(m, 'bad', { st: -loss, yt: -1n })
    m.mature(0.2)
    const applied = m.must({ kind: 'settle', ...m.ref('bad') })
    const [booked] = eventsOf(applied, 'loss')
    return { m, booked: booked! }
  }

  test.each(SIDES.flatMap(side => [0n, 1n, 5n * JLP, 5n * JLP + 1n, 20n * JLP].map(fund => ({ side, fund }))))(
    'T079 I20: a loss goes to margin, then the fund, then the deficit, each to its last atom ($side, fund $fund)',
    ({ side, fund }) => {
      const loss = 5n * JLP
      const { m, booked } = waterfall(side, loss, fund)
      const due = booked.fund + booked.deficit
      expect(due >= loss && due <= loss + 1n).toBe(true) // and the coupon of one atom of YT
      expect(booked.fund).toBe(fund < due ? fund : due)
      expect(booked.deficit).toBe(due - booked.fund)
      expect(deficitOf(m)).toBe(booked.deficit)
      expect(booked.deficit === 0n || fundOf(m).margin === 0n).toBe(true)
      expect(m.account('bad')).toMatchObject({ margin: 0n, st: 0n, yt: 0n })
    },
  )

  test('T079 T078 I20: a coupon of five times the implied one, past the caps: the waterfall is exact, winners keep their positions', () => {
    const m = deepMarket({ name: 'JLP-2411-W', days: 21 })
    endow(m, JLP)
    const yt = 1000n * JLP
    const worth = ((valuationOf(m).twap * yt) >> 64n) + 1n
    plant(m, 'bad', { yt: -yt, st: worth, margin: worth / 20n }) // too little by far: the caps allow 1.2 % a week
    plant(m, 'win', { yt, st: 0n, margin: JLP })
    const winner = m.account('win')
    m.coupon(1.0) // 100 % APR: paid up to 62 %
    const { discount } = m.pool()
    const coupon = -((-yt * (winner.discount - discount)) >> 64n)
    expect(coupon).toBeGreaterThan(worth / 8n)
    const bad = standing(m, 'bad')
    expect(bad.equityAtTwap).toBeLessThan(0n)
    m.must({ kind: 'take-over', ...m.ref('bad') })
    expect(m.account('bad')).toMatchObject({ margin: 0n, st: 0n, yt: 0n })
    expect(m.account('win')).toMatchObject({ yt, margin: JLP })
    const [fund, deficit] = [fundOf(m), deficitOf(m)]
    if (deficit > 0n) expect(fund.margin).toBe(0n)
    m.check()
    m.mature(0.3)
    for (const owner of ['win', 'bad', 'ann']) quick(m, { kind: 'settle', ...m.ref(owner) })
    m.check()
    m.must({ kind: 'withdraw', ...m.ref('win'), jlp: m.account('win').margin })
  })

  test('T084: a fund that carries a position pays its coupons, is marked, and can be traded down once it is below maintenance', () => {
    const m = deepMarket({ name: 'JLP-2411-W', days: 70 })
    endow(m, (3n * JLP) / 2n)
    const yt = 500n * JLP
    plantLong(m, 'vic', yt, 9990n)
    const due = probe(m, { kind: 'take-over', ...m.ref('vic') })
    expect(due).toBe('applied')
    m.must({ kind: 'take-over', ...m.ref('vic') })
    const before = fundOf(m)
    expect(before.yt).toBeGreaterThan(0n)
    const worth = (legs: Legs): bigint => {
      const { spot } = valuationOf(m)
      return legs.margin + legs.st + ((spot * legs.yt) >> 64n)
    }
    const marked = worth(before)
    expect(m.refusal({ kind: 'reduce-fund', market: m.id, yt })).toBe('limit-reached') // healthy: at TWAP or better
    m.coupon(0) // decay without a coupon
    const after = fundOf(m)
    expect(after.yt).toBe(before.yt)
    expect(worth(after)).toBeLessThan(marked)
    m.must({ kind: 'reduce-fund', market: m.id, yt: after.yt })
    expect(fundOf(m).yt).toBe(0n)
    expect(fundOf(m).st).toBe(0n) // netted; what it owed is booked
    if (fundOf(m).margin > 0n) expect(deficitOf(m)).toBe(0n)
    m.mature(0.2)
  })

  test('T084 I20: a fund that holds YT at maturity is settled with the market, and what it owes is a deficit at once', () => {
    const m = deepMarket({ days: 20 })
    endow(m, 12n * JLP)
    const yt = 1000n * JLP
    plantLong(m, 'vic', yt, 9800n)
    m.must({ kind: 'take-over', ...m.ref('vic') })
    const held = fundOf(m)
    expect(held.yt).toBe(yt)
    m.mature(0)
    // YT is worth 0 and no coupon was paid: all of the debt is lost, the margin first.
    const owed = -held.st - held.margin
    const [fund, deficit] = [fundOf(m), deficitOf(m)]
    expect(fund).toMatchObject({ yt: 0n, st: 0n, margin: owed > 0n ? 0n : -owed })
    expect(deficit).toBe(owed > 0n ? owed : 0n)
  })

  test('T078: a take-over prepared for an account that has been closed since is refused, twice as well', () => {
    const m = deepMarket()
    endow(m, 100n * JLP)
    plantLong(m, 'vic', 1000n * JLP, 9900n)
    const call = { kind: 'take-over', ...m.ref('vic') } as const
    const rescued = m.fork()
    rescued.must({ kind: 'deposit', ...m.ref('vic'), jlp: 10n * JLP })
    expect(rescued.refusal(call)).toBe('healthy')
    m.must(call)
    expect(m.refusal(call)).toBe('healthy')
  })

  test('T079 I20: a weekly coupon two weeks late sinks a long at most leverage; what it owes is booked to the atom, once', () => {
    const m = deepMarket({ name: 'JLP-2411-W', days: 28 })
    m.fund('bob', JLP)
    openLargest(m, 'bob', 'long', 3000n * JLP)
    const { lastStep } = m.ledger.indices.weekly
    m.now = lastStep + 2 * WEEK
    m.weeklyUpdatedAt = m.now
    m.must({ kind: 'accrue', coupon: 'weekly', earned: { to: m.now, fees: 0n, aum: 10_000n * 31_536_000n } })
    const owed = -standing(m, 'bob').equityAtTwap
    expect(owed).toBeGreaterThan(0n) // two periods of decay, of which the gap counts one
    const { margin: fund } = fundOf(m)
    const applied = m.must({ kind: 'take-over', ...m.ref('bob') })
    const [loss] = eventsOf(applied, 'loss')
    const [swapped] = eventsOf(applied, 'swapped')
    // The equity below zero, the price impact and fee of the close, less what the fund had and what of the fee came back to it.
    const worth = (valuationOf(m).twap * swapped!.filled) >> 64n
    const cost = worth - swapped!.amount + swapped!.fee.total
    const apart = loss!.deficit - (owed + cost - fund - swapped!.fee.insurance)
    expect(apart >= -2n && apart <= 2n).toBe(true)
    expect(loss!.deficit).toBeGreaterThan(0n)
    expect(fundOf(m)).toMatchObject({ margin: 0n, st: 0n, yt: 0n })
    expect(deficitOf(m)).toBeLessThanOrEqual(loss!.deficit)
    expect(m.refusal({ kind: 'take-over', ...m.ref('bob') })).toBe('healthy')
  })
})
