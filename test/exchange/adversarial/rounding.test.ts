/** Section B of the security cases: rounding, dust, zero, overflow (T019 to T031). */
import { Decimal } from 'decimal.js'
import { describe, expect, test } from 'vitest'
import { ONE_Q64, ptPrice, type RateQ64, tickRate, U64_MAX, YEAR_SECONDS, ytPrice } from '../../../amm/index.ts'
import { addToMargin, couponOf, EMPTY_LEGS, netted, reduced } from '../../../src/exchange/account.ts'
import { type Instruction, liabilities, type TradeAmount, ytInJlp } from '../../../src/exchange/index.ts'
import { Random } from '../../generate/random.ts'
import { ANY_RATE, CONFIG, DAY, HOUR, JLP, NEVER, type OpenMarket, openMarket } from '../market.ts'

/** 1, an ulp less, three quarters, and an index of 7.7. */
const DISCOUNTS = [ONE_Q64, ONE_Q64 - 1n, (ONE_Q64 * 3n) / 4n, (ONE_Q64 * 10n) / 77n]

const market = (discount = ONE_Q64, wallets: readonly string[] = ['ann', 'bob']): OpenMarket => {
  const m = openMarket({ wallets, discount, jlpSupply: 10n ** 18n })
  for (const owner of [...wallets, 'lp']) m.fund(owner, 0n)
  return m
}

/** What an instruction moves from a wallet (negative) or into it. */
const paid = (m: OpenMarket, owner: string, instruction: Instruction): bigint => {
  const before = m.balance(owner)
  m.must(instruction)
  return m.balance(owner) - before
}

describe('B. rounding, dust, zero, overflow', () => {
  test('T019 I12: every instruction of nothing is refused by name and writes nothing', () => {
    const m = market()
    m.fund('ann', JLP)
    m.must({ kind: 'split', ...m.ref('bob'), yt: JLP })
    const zero: TradeAmount = { yt: 0n }
    const position = { market: m.id, owner: 'lp', lower: 2230, upper: 3710 }
    const nothing: readonly (readonly [Instruction, string])[] = [
      [{ kind: 'wrap', owner: 'ann', coupon: 'hourly', jlp: 0n }, 'zero-amount'],
      [{ kind: 'unwrap', owner: 'ann', coupon: 'hourly', jlp: 0n }, 'zero-amount'],
      [{ kind: 'split', ...m.ref('ann'), yt: 0n }, 'zero-amount'],
      [{ kind: 'merge', ...m.ref('bob'), yt: 0n }, 'zero-amount'],
      [{ kind: 'redeem-pt', market: m.id, owner: 'bob', pt: 0n }, 'zero-amount'],
      [{ kind: 'deposit', ...m.ref('ann'), jlp: 0n }, 'zero-amount'],
      [{ kind: 'withdraw', ...m.ref('ann'), jlp: 0n }, 'zero-amount'],
      [{ kind: 'transfer', ...m.ref('ann'), to: m.ref('bob'), margin: 0n, yt: 0n }, 'zero-amount'],
      [m.order('ann', 'long', zero), 'zero-amount'],
      [m.order('ann', 'long', { st: 0n }), 'zero-amount'],
      [m.order('ann', 'long', zero, { spot: true }), 'zero-amount'],
      [m.order('ann', 'short', zero), 'zero-amount'],
      [m.order('ann', 'close'), 'no-position'],
      [m.order('ann', 'reduce', zero), 'no-position'],
      [m.order('bob', 'reduce', zero), 'zero-amount'],
      [m.order('bob', 'reduce', { st: 0n }), 'zero-amount'],
      [m.ptOrder('ann', 'buy-pt', { pt: 0n }), 'zero-amount'],
      [m.ptOrder('ann', 'buy-pt', { st: 0n }), 'zero-amount'],
      [m.ptOrder('bob', 'sell-pt', { pt: 0n }), 'zero-amount'],
      [m.ptOrder('bob', 'sell-pt', { st: 0n }), 'zero-amount'],
      [m.adding('lp', 2230, 3710, 0n), 'bad-amount'],
      [m.removing('lp', 2230, 3710, { num: 0n, den: 1n }), 'share-out-of-range'],
      [m.removing('lp', 2230, 3710, { num: 0n, den: 0n }), 'share-out-of-range'],
      [{ kind: 'collect', ...position }, 'position-empty'],
      [{ kind: 'collect-fees', market: m.id }, 'zero-amount'],
      [{ kind: 'liquidate', ...m.ref('ann'), by: 'bob', yt: 0n }, 'zero-amount'],
      [{ kind: 'take-over', ...m.ref('ann') }, 'healthy'],
      [{ kind: 'reduce-fund', market: m.id, yt: 0n }, 'zero-amount'],
      [{ kind: 'apply-terms', market: m.id }, 'zero-amount'],
      [{ kind: 'roll', ...m.ref('ann'), to: m.ref('ann'), amount: zero, ...LOOSE }, 'bad-parameter'],
      [{ kind: 'accrue', coupon: 'hourly', earned: { to: 0, fees: 0n, aum: 0n } }, 'time-backwards'],
    ]
    for (const [instruction, code] of nothing) expect(m.refusal(instruction), instruction.kind).toBe(code)
  })

  test.each(DISCOUNTS)(
    'T020 I12: 3,000 rounds of deposit and withdrawal, wrap and unwrap, at a discount of %d / 2^64',
    discount => {
      const m = market(discount)
      m.auditing = false
      const start = m.balance('ann')
      for (let i = 0n; i < 3000n; i++) {
        const jlp = 1n + (i % 7n) * (i % 11n)
        m.must({ kind: 'deposit', ...m.ref('ann'), jlp })
        m.must({ kind: 'withdraw', ...m.ref('ann'), jlp })
        m.must({ kind: 'wrap', owner: 'ann', coupon: 'hourly', jlp })
        m.must({ kind: 'unwrap', owner: 'ann', coupon: 'hourly', jlp })
      }
      m.check()
      expect(m.balance('ann')).toBe(start)
      expect(m.refusal({ kind: 'withdraw', ...m.ref('ann'), jlp: 1n })).toBe('insufficient-margin')
      expect(m.refusal({ kind: 'unwrap', owner: 'ann', coupon: 'hourly', jlp: 1n })).toBe('insufficient-balance')
    },
  )

  test('T021 I16: liquidity so small that a leg rounds to 0 is refused; what is added costs at least what comes out', () => {
    const random = new Random(21n)
    for (const apy of ['25.0001%', '44.9%']) {
      const m = openMarket({ apy, wallets: ['ann'], jlpSupply: 10n ** 18n })
      m.fund('ann', 0n)
      for (let i = 0; i < 60; i++) {
        const lower = 10 * random.int(223, 360)
        const upper = random.pick([lower + 10, 3710])
        const ref = { market: m.id, owner: 'ann', lower, upper }
        m.run({ kind: 'open-position', ...ref })
        const tiny = m.fork().run(m.adding('ann', lower, upper, random.magnitude(1000n)))
        expect(tiny.kind === 'refused' && tiny.code).toBe('deposit-too-small')
        const cost = -paid(m, 'ann', m.adding('ann', lower, upper, random.magnitude(10n ** 13n) + 10n ** 11n))
        expect(cost).toBeGreaterThanOrEqual(JLP)
        m.wait(300)
        m.pass(0, 0.3)
        const held = m.pt('ann')
        const back = paid(m, 'ann', m.removing('ann', lower, upper))
        // Half an atom of YT may be missing to what was issued: then a PT takes its place.
        const pt = m.pt('ann') - held
        expect(pt).toBeLessThanOrEqual(1n)
        expect(m.account('ann').yt).toBe(0n)
        // A coupon may have been paid meanwhile; without one nothing comes out that was not put in.
        if (m.pool().discount === ONE_Q64) expect(back + pt).toBeLessThanOrEqual(cost)
        expect(cost - back - pt).toBeLessThanOrEqual(5n)
      }
    }
  })

  test('T022 I12: a swap in parts never beats the whole: 2 to 300 parts of any size, all four directions', () => {
    const random = new Random(22n)
    for (let round = 0; round < 60; round++) {
      const start = market(random.pick(DISCOUNTS))
      start.auditing = false
      start.fund('ann', 10n ** 11n)
      start.must({ kind: 'split', ...start.ref('ann'), yt: 10n ** 10n })
      const side = random.pick(['long', 'reduce', 'buy-pt', 'sell-pt'] as const)
      const parts = Array.from(
        { length: random.int(2, 300) >> random.int(0, 6) || 2 },
        () => 99n + random.magnitude(random.pick([1n, 50n, JLP, 30n * JLP])),
      )
      const order = (m: OpenMarket, n: bigint): Instruction =>
        side === 'long' || side === 'reduce'
          ? m.order('ann', side, { yt: n }, { spot: true })
          : m.ptOrder('ann', side, { pt: n })
      const whole = start.fork()
      const split = start.fork()
      whole.must(
        order(
          whole,
          parts.reduce((sum, n) => sum + n, 0n),
        ),
      )
      for (const n of parts) split.must(order(split, n))
      const cash = (m: OpenMarket): bigint => m.balance('ann') + m.account('ann').margin + m.account('ann').st
      expect(split.account('ann').yt, side).toBe(whole.account('ann').yt)
      expect(split.pt('ann')).toBe(whole.pt('ann'))
      expect(cash(split), `${side} of ${parts}`).toBeLessThanOrEqual(cash(whole))
      split.check()
    }
  })

  test('T022 I12: a swap in 10,000 parts of 3,000 atoms, by YT and by exact ST', () => {
    const [whole, byYt, bySt] = [market(), market(), market()]
    for (const m of [whole, byYt, bySt]) {
      m.auditing = false
      m.fund('ann', 10n ** 8n)
    }
    whole.must(whole.order('ann', 'long', { yt: 30n * JLP }, { spot: true }))
    for (let i = 0; i < 10_000; i++) byYt.must(byYt.order('ann', 'long', { yt: 3000n }, { spot: true }))
    expect(byYt.account('ann').st).toBeLessThan(whole.account('ann').st)
    expect(byYt.account('ann').margin).toBeLessThan(whole.account('ann').margin)
    const st = -whole.account('ann').st
    for (let i = 0n; i < 1000n; i++) bySt.must(bySt.order('ann', 'long', { st: st / 1000n }, { spot: true }))
    expect(bySt.account('ann').yt).toBeLessThan(30n * JLP)
    expect(bySt.account('ann').yt).toBeGreaterThan(29n * JLP)
  })

  test.each(DISCOUNTS)(
    'T023 I12: 1,000 times deposit, split, merge, withdraw never makes more of 1 JLP, at %d / 2^64',
    discount => {
      const m = market(discount)
      m.auditing = false
      const random = new Random(23n)
      const start = m.balance('ann')
      for (let i = 0; i < 1000; i++) {
        const before = m.balance('ann')
        const n = random.magnitude(JLP)
        m.must({ kind: 'split', ...m.ref('ann'), yt: n })
        const half = n / 2n
        for (const yt of [half, n - half]) if (yt > 0n) m.must({ kind: 'merge', ...m.ref('ann'), yt })
        const lost = before - m.balance('ann')
        expect(lost).toBeGreaterThanOrEqual(0n)
        expect(lost).toBeLessThanOrEqual(2n)
      }
      m.check()
      expect(m.pt('ann')).toBe(0n)
      expect(m.account('ann')).toMatchObject({ margin: 0n, st: 0n, yt: 0n })
      // At a discount of 1 nothing is rounded, below it something is, and it is never the user who gains.
      if (discount === ONE_Q64) expect(m.balance('ann')).toBe(start)
      else expect(m.balance('ann')).toBeLessThan(start)
    },
  )

  test('T024 I12: from every tick and every edge of a tick, there and back returns no more than was paid less both fees', () => {
    // 20 positions end to end and one across all: a tick every 10 bp.
    const ladder = Array.from({ length: 20 }, (_, i) => ({
      owner: 'lp',
      lower: 2800 + 10 * i,
      upper: 2810 + 10 * i,
      jlp: BigInt(1 + ((7 * i) % 5)) * 20n * JLP,
    }))
    const start = openMarket({
      liquidity: [{ jlp: 100n * JLP }, ...ladder],
      wallets: ['ann', 'mover'],
      jlpSupply: 10n ** 18n,
    })
    start.auditing = false
    for (const owner of ['ann', 'mover']) start.fund(owner, 10n ** 10n)
    start.must({ kind: 'split', ...start.ref('mover'), yt: 10n ** 9n })
    for (let tick = 2750; tick <= 3050; tick += 10) {
      for (const ulps of [-1n, 0n, 1n]) {
        const at = start.fork()
        const rate = tickRate(tick) + ulps
        const up = rate > at.pool().rate
        at.run(at.order('mover', up ? 'long' : 'reduce', { yt: 9n * 10n ** 8n }, { spot: true, limitRate: rate }))
        for (const n of [1n, 999_999n, 7n * JLP]) {
          const m = at.fork()
          const held = (): bigint => m.account('ann').margin + m.account('ann').st
          const before = held()
          const fees = [m.order('ann', 'long', { yt: n }, { spot: true }), m.order('ann', 'close')].map(order => {
            const { events } = m.must(order)
            return events.find(e => e.type === 'swapped')!.fee.total
          })
          expect(m.account('ann').yt).toBe(0n)
          expect(before - held(), `${n} from ${tick} and ${ulps} ulp`).toBeGreaterThanOrEqual(fees[0]! + fees[1]!)
          // The same for PT: bought and sold, it pushes the rate the other way first.
          const wallet = m.balance('ann')
          const bought = m.must(m.ptOrder('ann', 'buy-pt', { pt: n + 10n })).events.find(e => e.type === 'swapped')!
          const sold = m.run(m.ptOrder('ann', 'sell-pt', { pt: n + 10n }))
          if (sold.kind === 'refused') continue
          const fee = sold.events.find(e => e.type === 'swapped')!.fee.total
          expect(wallet - m.balance('ann')).toBeGreaterThanOrEqual(bought.fee.total + fee)
        }
        at.check()
      }
    }
  })

  test('T025 I11: signed amounts round down for the user whatever the signs, and split without a rest', () => {
    const floor = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b))
    for (const yt of [-7n, -3n, -1n, 1n, 3n, 7n]) {
      for (const drop of [1n, 1n << 61n, (1n << 62n) + 1n, 1n << 63n]) {
        const legs = { ...EMPTY_LEGS, yt }
        expect(couponOf(legs, ONE_Q64 - drop)).toBe(floor(yt * drop, ONE_Q64))
      }
      for (const st of [-11n, -10n, -1n, 0n, 1n, 10n, 11n]) {
        for (const jlp of [-5n, 0n, 5n]) {
          const size = yt < 0n ? -yt : yt
          for (let n = 1n; n <= size; n++) {
            const before = { ...EMPTY_LEGS, margin: 4n, st, yt }
            const after = reduced(before, n, jlp)
            expect(after.margin + after.st).toBe(4n + st + jlp) // nothing is made or lost
            expect(after.margin).toBeGreaterThanOrEqual(0n)
            expect(after.yt).toBe(yt > 0n ? yt - n : yt + n)
            if (4n + floor(st * n, size) + jlp >= 0n && n < size) expect(after.st).toBe(st - floor(st * n, size))
          }
        }
      }
    }
    for (const [margin, jlp, left, st] of [
      [5n, -7n, 0n, -2n],
      [5n, -5n, 0n, 0n],
      [5n, 3n, 8n, 0n],
    ] as const) {
      expect(addToMargin({ ...EMPTY_LEGS, margin }, jlp)).toMatchObject({ margin: left, st })
    }
    for (const [margin, st, left, debt] of [
      [5n, -7n, 0n, -2n],
      [5n, -5n, 0n, 0n],
      [0n, 9n, 9n, 0n],
    ] as const) {
      expect(netted({ ...EMPTY_LEGS, margin, st })).toMatchObject({ margin: left, st: debt })
    }
    // Assets down, liabilities up: a third of an atom of YT is worth nothing and owes one.
    const third = ONE_Q64 / 3n
    expect(liabilities({ margin: 0n, st: 0n, yt: -1n }, third)).toBe(1n)
    expect(liabilities({ margin: 0n, st: -3n, yt: 0n }, third)).toBe(3n)
  })

  test('T026 I11: positions of 1 to 1,000 atoms cost at least an atom and a fee, and hold their account open', () => {
    const m = openMarket({ apy: '25.01%', days: 1, wallets: ['ann', 'bob'] })
    m.auditing = false
    for (const owner of ['ann', 'bob']) m.fund(owner, 0n)
    // Without margin not even one atom of YT can be opened on either side.
    for (const side of ['long', 'short'] as const) {
      for (const n of [1n, 2n, 10n, 1000n]) {
        expect(m.refusal(m.order('ann', side, { yt: n }))).toBe('undercollateralised')
        expect(m.refusal(m.order('ann', side, { yt: n }, { spot: true }))).toBe('not-spot')
      }
    }
    for (let n = 1n; n <= 1000n; n += 37n) {
      for (const side of ['long', 'short'] as const) {
        const before = m.balance('ann')
        m.fund('ann', 2000n)
        m.must(m.order('ann', side, { yt: n }))
        const { margin, st, yt } = m.account('ann')
        expect(yt).toBe(side === 'long' ? n : -n)
        expect(margin).toBeLessThan(2000n) // the fee, at least an atom
        if (side === 'long') expect(st).toBeLessThan(0n) // a YT in hand is never free
        expect(m.refusal({ kind: 'close-account', ...m.ref('ann') })).toBe('not-empty')
        expect(m.refusal({ kind: 'withdraw', ...m.ref('ann'), jlp: margin })).not.toBe('applied')
        m.must(m.order('ann', 'close'))
        expect(m.refusal({ kind: 'close-account', ...m.ref('ann') })).toBe('not-empty') // margin is still in it
        m.must({ kind: 'withdraw', ...m.ref('ann'), jlp: m.account('ann').margin })
        m.must({ kind: 'close-account', ...m.ref('ann') })
        expect(m.balance('ann')).toBeLessThanOrEqual(before - 2n)
      }
    }
    m.check()
  })

  test('T027 I6: whoever touches a small holder at every coupon pays more than the holder can lose by it', () => {
    const alone = market(ONE_Q64, ['victim', 'mallory'])
    alone.must({ kind: 'split', ...alone.ref('victim'), yt: 20_000n })
    const pestered = alone.fork()
    pestered.fund('mallory', 1000n)
    for (const m of [alone, pestered]) {
      for (let hour = 0; hour < 30 * 24; hour++) {
        m.coupon(0.3)
        if (m === alone) continue
        m.auditing = false
        m.must({ kind: 'transfer', ...m.ref('mallory'), to: m.ref('victim'), margin: 1n, yt: 0n })
      }
    }
    const total = (m: OpenMarket): bigint => m.account('victim').margin + m.account('victim').st
    const given = 720n
    expect(total(alone)).toBeGreaterThan(400n)
    expect(total(pestered)).toBeGreaterThanOrEqual(total(alone)) // her own loss and the gifts together
    expect(total(pestered)).toBeLessThanOrEqual(total(alone) + given)
    expect(pestered.account('mallory').margin).toBe(1000n - given)
    pestered.check()
    // And an LP's earnings cannot be claimed for him at all.
    expect(pestered.refusal({ kind: 'collect', market: pestered.id, owner: 'mallory', lower: 2230, upper: 3710 })).toBe(
      'unknown-position',
    )
  })

  test('T028 I19: an account that owes no more than the minimum is closed wholly, one that owes more in part', () => {
    const opened = (yt: bigint, margin: bigint): OpenMarket => {
      const m = market()
      m.fund('ann', margin)
      m.must(m.order('ann', 'long', { yt }))
      while (m.keeping('ann') === undefined) m.pass(HOUR, 0)
      return m
    }
    const small = opened(14n * JLP, 130_000n)
    const at = ytInJlp(small.pool().rate, small.pool())
    expect(liabilities(small.account('ann'), at)).toBeLessThan(small.market().terms.minimumSize)
    expect(small.keeping('ann')).toMatchObject({ kind: 'liquidate', yt: 14n * JLP })
    expect(small.refusal({ kind: 'liquidate', ...small.ref('ann'), by: 'bob', yt: 7n * JLP })).toBe('wrong-amount')
    small.must(small.keeping('ann')!)
    expect(small.account('ann')).toMatchObject({ yt: 0n, st: 0n })

    const large = opened(300n * JLP, 3_000_000n)
    large.must(large.keeping('ann')!)
    const { yt } = large.account('ann')
    expect(yt).toBeGreaterThan(0n)
    expect(yt).toBeLessThan(300n * JLP)
    expect(large.keeping('ann')).toBeUndefined() // healthy again
  })

  test('T029: amounts up to 2^127 and below 0 in every field: applied or refused, never a wrap, never an exception', () => {
    const random = new Random(29n)
    const m = openMarket({ wallets: ['ann', 'bob'], balance: (U64_MAX - 1000n) / 4n, jlpSupply: U64_MAX })
    m.auditing = false
    for (const owner of ['ann', 'bob', 'lp']) m.fund(owner, 10n ** 9n)
    m.must({ kind: 'split', ...m.ref('ann'), yt: 10n ** 8n })
    m.must(m.order('bob', 'short', { yt: 10n ** 7n }))
    const extremes = [
      -(1n << 127n),
      -(1n << 63n),
      -1n,
      0n,
      1n,
      2n,
      (1n << 32n) + 1n,
      (1n << 53n) + 1n,
      (1n << 58n) + 1n,
    ]
    const beyond = [(1n << 63n) - 1n, 1n << 63n, U64_MAX - 1n, U64_MAX, U64_MAX + 1n, (1n << 127n) - 1n, 1n << 128n]
    const n = (): bigint => random.pick([...extremes, ...beyond])
    const rate = (): bigint => random.pick([0n, -1n, ANY_RATE, ANY_RATE + 1n, ONE_Q64, n()])
    const who = (): string => random.pick(['ann', 'bob', 'lp'])
    const bounds = (): { limitRate: bigint; minimum: bigint; deadline: number } => ({
      limitRate: rate(),
      minimum: random.pick([0n, n()]),
      deadline: random.pick([NEVER, 0, -1, Number.MAX_SAFE_INTEGER]),
    })
    const amount = (): TradeAmount => (random.int(0, 1) === 0 ? { yt: n() } : { st: n() })
    const tick = (): number => random.pick([2230, 3710, 0, -10, 50, 13_860, 13_870, 2 ** 31, 0.5])
    const range = (): { market: string; owner: string; lower: number; upper: number } => ({
      market: m.id,
      owner: who(),
      lower: tick(),
      upper: tick(),
    })
    const make: (() => Instruction)[] = [
      () => ({ kind: random.pick(['wrap', 'unwrap']), owner: who(), coupon: 'weekly', jlp: n() }),
      () => ({ kind: random.pick(['split', 'merge']), ...m.ref(who()), yt: n() }),
      () => ({ kind: random.pick(['deposit', 'withdraw']), ...m.ref(who()), jlp: n() }),
      () => ({ kind: 'transfer', ...m.ref(who()), to: m.ref(who()), margin: n(), yt: n() }),
      () => ({ kind: 'redeem-pt', market: m.id, owner: who(), pt: n() }),
      () => ({
        kind: random.pick(['buy-pt', 'sell-pt']),
        market: m.id,
        owner: who(),
        ...bounds(),
        amount: { pt: n() },
      }),
      () => ({
        kind: random.pick(['buy-pt', 'sell-pt']),
        market: m.id,
        owner: who(),
        ...bounds(),
        amount: { st: n() },
      }),
      () => ({
        kind: 'trade',
        action: 'long',
        spot: random.int(0, 1) === 1,
        ...m.ref(who()),
        ...bounds(),
        amount: amount(),
      }),
      () => ({
        kind: 'trade',
        action: 'short',
        spot: random.int(0, 1) === 1,
        ...m.ref(who()),
        ...bounds(),
        amount: amount(),
      }),
      () => ({ kind: 'trade', action: 'reduce', ...m.ref(who()), ...bounds(), amount: amount() }),
      () => ({
        kind: 'roll',
        ...m.ref(who()),
        to: m.ref(who()),
        ...bounds(),
        closeLimitRate: rate(),
        amount: amount(),
      }),
      () => ({ kind: 'open-account', ...m.ref(who(), random.pick([-1, 0.5, 255, 256, 2 ** 53])) }),
      () => ({ kind: 'open-position', ...range() }),
      () => ({
        kind: 'add-liquidity',
        ...range(),
        liquidity: n(),
        maximum: n(),
        minRate: rate(),
        maxRate: rate(),
        deadline: NEVER,
      }),
      () => ({ ...m.removing(who(), 2230, 3710, { num: n(), den: n() }), minimum: n(), zap: { limitRate: rate() } }),
      () => ({ kind: 'liquidate', ...m.ref(who()), by: who(), yt: n() }),
      () => ({ kind: 'reduce-fund', market: m.id, yt: n() }),
      () => ({
        kind: 'accrue',
        coupon: 'hourly',
        earned: { to: m.now + random.int(-9999, 9999), fees: n(), aum: n() },
      }),
      () => ({
        kind: 'create-market',
        by: who(),
        coupon: 'weekly',
        maturity: random.pick([0, -1, 2 ** 40, m.now]),
        rate: n(),
      }),
      () => ({
        kind: 'propose-terms',
        by: CONFIG.authority,
        market: m.id,
        terms: { ...m.market().terms, feeBps: Number(n()), guardBps: random.pick([Number.NaN, 1e9, 200.5]) },
      }),
    ]
    let applied = 0
    for (let i = 0; i < 6000; i++) {
      const instruction = random.pick(make)()
      if (m.run(instruction).kind === 'applied') applied += 1
      if (i % 50 === 0) m.check(instruction)
    }
    m.check()
    expect(applied).toBeGreaterThan(50)
    for (const { margin, st, yt, netDeposits } of m.ledger.accounts.values()) {
      for (const leg of [margin, st, yt, netDeposits]) expect(leg < 1n << 63n && leg > -(1n << 63n)).toBe(true)
    }
    for (const { vault, fees } of m.ledger.markets.values()) expect(vault <= U64_MAX && fees <= U64_MAX).toBe(true)
    for (const balance of m.ledger.balances.values()) expect(balance <= U64_MAX).toBe(true)
  })

  test('T030 I9: YT and PT at the corners of rate and time: within 8 ulp of exact figures, monotone, within bounds', () => {
    const exact = new (Decimal.clone({ precision: 60 }))(1)
    const price = (rate: bigint, tau: number): Decimal => {
      const x = exact.mul(rate.toString()).mul(tau).div(YEAR_SECONDS).div(ONE_Q64.toString())
      return exact.minus(x.neg().exp()).mul(ONE_Q64.toString())
    }
    const taus = [0, 1, 60, 3600, DAY, 30 * DAY, YEAR_SECONDS, 2 * YEAR_SECONDS]
    const rates = [0n, 1n, ONE_Q64 / 10n ** 9n, tickRate(50), tickRate(3000), tickRate(13_860)] as RateQ64[]
    for (const rate of rates) {
      let before = -1n
      for (const tau of taus) {
        const yt = ytPrice(rate, tau)
        expect(price(rate, tau).minus(yt.toString()).abs().toNumber(), `${rate} ${tau}`).toBeLessThan(8)
        expect(yt).toBeGreaterThanOrEqual(before) // rises with time left
        expect(yt).toBeLessThan(ONE_Q64)
        expect(ptPrice(rate, tau)).toBe(ONE_Q64 - yt)
        before = yt
      }
      expect(ytPrice(rate, 0)).toBe(0n)
    }
    for (const tau of taus) {
      for (let i = 1; i < rates.length; i++) {
        expect(ytPrice(rates[i]!, tau)).toBeGreaterThanOrEqual(ytPrice(rates[i - 1]!, tau)) // rises with the rate
      }
    }
    // Beyond the kernel's domain it refuses rather than extrapolates: 10 years at the highest rate.
    expect(() => ytPrice(tickRate(13_860), 10 * YEAR_SECONDS)).toThrow(/from 0 to below 4/)
    expect(ytPrice(tickRate(3000), 10 * YEAR_SECONDS)).toBeGreaterThan((ONE_Q64 * 95n) / 100n)
  })

  test('T031 I9: PT and YT of 200,000 random rates and times add up to 1 exactly, in one instruction as in the price', () => {
    const random = new Random(31n)
    for (let i = 0; i < 200_000; i++) {
      const rate = (random.u64() % tickRate(13_860)) as RateQ64
      const tau = random.int(0, 2 * YEAR_SECONDS)
      if (ptPrice(rate, tau) + ytPrice(rate, tau) !== ONE_Q64) throw new Error(`${rate} ${tau}`)
    }
    // What a split costs is what its two halves give back, to the atom that rounding keeps.
    const m = market((ONE_Q64 * 3n) / 4n)
    for (let i = 0; i < 200; i++) {
      const n = random.magnitude(10n ** 9n)
      const cost = -paid(m, 'ann', { kind: 'split', ...m.ref('ann'), yt: n })
      const back = paid(m, 'ann', { kind: 'merge', ...m.ref('ann'), yt: n })
      expect(cost).toBe((n * 3n + 3n) / 4n)
      expect(back).toBe((n * 3n) / 4n)
    }
  })
})

const LOOSE = { limitRate: ANY_RATE, closeLimitRate: 0n, minimum: 0n, deadline: NEVER }
