/** Section A of the security cases: ledger, rebase, conservation (T001 to T018). */
import { describe, expect, test } from 'vitest'
import { ONE_Q64, parseMarketName, parsePercent, rateFromApy, tickRate } from '../../../amm/index.ts'
import {
  accountId,
  apply,
  audit,
  equity,
  type Instruction,
  lpEquity,
  type MarginAccount,
  ytInJlp,
} from '../../../src/exchange/index.ts'
import { Random } from '../../generate/random.ts'
import { ANY_RATE, CONFIG, DAY, HOUR, JLP, NEVER, type OpenMarket, openMarket } from '../market.ts'

/** Longs, shorts, an own LP and somebody with PT: every kind of claim at once. */
const busyMarket = (wallets: readonly string[] = []): OpenMarket => {
  const m = openMarket({ wallets: ['long', 'short', 'saver', 'holder', ...wallets] })
  m.fund('long', 2n * JLP)
  m.must(m.order('long', 'long', { yt: 120n * JLP }))
  m.fund('short', 3n * JLP)
  m.must(m.order('short', 'short', { yt: 90n * JLP }))
  m.must(m.ptOrder('saver', 'buy-pt', { st: 40n * JLP }))
  m.fund('holder', 0n)
  m.must({ kind: 'split', ...m.ref('holder'), yt: 25n * JLP })
  m.fund('lp', 0n)
  return m
}

const accrue = (m: OpenMarket, earned: { fees: bigint; aum: bigint }): Instruction => {
  const to = m.ledger.indices.hourly.lastStep + HOUR
  m.now = Math.max(m.now, to + 300)
  return { kind: 'accrue', coupon: 'hourly', earned: { ...earned, to } }
}

const deposit1 = (m: OpenMarket, owner: string, sub = 0): Instruction => ({
  kind: 'deposit',
  ...m.ref(owner, sub),
  jlp: 1n,
})

describe('A. ledger, rebase, conservation', () => {
  test('T001 I1-I8: 2,000 random instructions of 63 people and 26 days of coupons keep every identity', () => {
    const random = new Random(20_241_129n)
    const lps = ['lp1', 'lp2', 'lp3'].map((owner, i) => ({
      owner,
      lower: 1000 + 700 * i,
      upper: 3700,
      jlp: 4000n * JLP,
    }))
    const traders = Array.from({ length: 50 }, (_, i) => `t${i}`)
    const savers = Array.from({ length: 10 }, (_, i) => `s${i}`)
    const m = openMarket({ wallets: [...traders, ...savers], liquidity: lps })
    for (const owner of [...traders, ...savers, 'lp1', 'lp2', 'lp3']) m.fund(owner, JLP)
    const everybody = [...traders, ...savers]
    const size = (): bigint => random.magnitude(200n * JLP)
    const make: (() => Instruction)[] = [
      () => m.order(random.pick(traders), 'long', { yt: size() }),
      () => m.order(random.pick(traders), 'short', { yt: size() }),
      () => m.order(random.pick(traders), 'reduce', { yt: size() }),
      () => m.order(random.pick(traders), 'close'),
      () => m.order(random.pick(traders), 'long', { st: random.magnitude(5n * JLP) }, { spot: true }),
      () => m.ptOrder(random.pick(savers), 'buy-pt', { st: size() }),
      () => m.ptOrder(random.pick(savers), 'sell-pt', { pt: size() }),
      () => ({ kind: 'split', ...m.ref(random.pick(everybody)), yt: size() }),
      () => ({ kind: 'merge', ...m.ref(random.pick(everybody)), yt: size() }),
      () => ({ kind: 'deposit', ...m.ref(random.pick(traders)), jlp: random.magnitude(JLP) }),
      () => ({ kind: 'withdraw', ...m.ref(random.pick(traders)), jlp: random.magnitude(5n * JLP) }),
      () => {
        const [from, to] = [random.pick(everybody), random.pick(everybody)]
        return { kind: 'transfer', ...m.ref(from), to: m.ref(to), margin: size() % JLP, yt: size() % JLP }
      },
      () => {
        const { owner, lower, upper } = random.pick(lps)
        return m.adding(owner, lower, upper, random.magnitude(10n ** 10n))
      },
      () => {
        const { owner, lower, upper } = random.pick(lps)
        const removal = m.removing(owner, lower, upper, { num: random.big(1n, 20n), den: 100n })
        return random.int(0, 1) === 0 ? removal : { ...removal, zap: { limitRate: random.pick([0n, ANY_RATE]) } }
      },
      () => ({ kind: 'collect', market: m.id, ...random.pick(lps) }),
      () => ({ kind: 'take-over', ...m.ref(random.pick(traders)) }),
      () => ({ kind: 'reduce-fund', market: m.id, yt: size() }),
      () => ({ kind: 'collect-fees', market: m.id }),
      () => ({ kind: random.pick(['wrap', 'unwrap']), owner: random.pick(everybody), coupon: 'hourly', jlp: size() }),
    ]
    const applied = new Map<string, number>()
    const run = (instruction: Instruction | undefined): void => {
      if (instruction === undefined || m.run(instruction).kind === 'refused') return
      applied.set(instruction.kind, (applied.get(instruction.kind) ?? 0) + 1)
    }
    for (let op = 0; op < 2000; op++) {
      run(random.pick(make)())
      if (op % 20 === 0) for (const owner of traders) run(m.keeping(owner))
      if (op % 77 === 76) m.pass(DAY, random.pick([0, 0, 0.3, 0.3, 0.9, 4]))
      else if (random.int(0, 3) === 0) m.wait(1)
      m.pass(0, 0.3)
    }
    for (const kind of [
      'trade',
      'buy-pt',
      'sell-pt',
      'split',
      'merge',
      'transfer',
      'add-liquidity',
      'remove-liquidity',
    ]) {
      expect(applied.get(kind), kind).toBeGreaterThan(10)
    }
    expect(applied.get('liquidate')).toBeGreaterThan(0)
    const { jlp, yt } = m.dust()
    expect(jlp).toBeGreaterThanOrEqual(0n)
    expect(jlp >> 64n).toBeLessThanOrEqual(1000n + 2000n * 3n + 63n * 26n)
    expect(yt).toBeGreaterThanOrEqual(0n)
  })

  test.each([
    ['nothing', 0n, 10n ** 15n],
    ['1e-9', 10n ** 6n, 10n ** 15n],
    ['35 % (above the caps)', 35n * 10n ** 13n, 10n ** 15n],
    ['the most the caps allow', 5n * 10n ** 11n, 10n ** 15n],
  ])(
    'T002 I7 I8: a coupon of %s moves no vault, no PT claim, and what everybody has adds up to the same',
    (_, fees, aum) => {
      const m = busyMarket()
      const vault = m.market().vault
      const [pt, dust, before] = [m.pt('saver'), m.dust().jlp, m.pool().discount]
      m.must(accrue(m, { fees, aum }))
      for (const owner of ['long', 'short', 'holder']) m.must(deposit1(m, owner))
      const after = m.pool().discount
      expect(m.market().vault).toBe(vault + 3n)
      expect(m.pt('saver')).toBe(pt)
      expect(before - after).toBeLessThanOrEqual((before * 5n) / 10_000n) // never above the cap of a step
      if (fees === 0n) expect(after).toBe(before)
      else expect(after).toBeLessThan(before)
      // The vault is still what all may claim: touching three accounts left less than an atom of each to nobody.
      expect(m.dust().jlp - dust).toBeGreaterThan(-ONE_Q64 / 32n)
      expect(m.dust().jlp - dust).toBeLessThan(3n * ONE_Q64)
    },
  )

  test('T003 I6: without a crank, whoever is touched between two coupons and whoever is not ends with the same, to an atom', () => {
    const owners = Array.from({ length: 12 }, (_, i) => `t${i}`)
    const start = openMarket({ wallets: owners })
    for (const [i, owner] of owners.entries()) {
      start.fund(owner, 2n * JLP)
      start.must(start.order(owner, i % 3 === 0 ? 'short' : 'long', { yt: BigInt(7 + i) * 1_234_567n }))
    }
    const ends = owners.map((_, k) => {
      const m = start.fork()
      m.coupon(0.4)
      for (const owner of owners.slice(0, k)) m.must(deposit1(m, owner))
      m.coupon(0.7)
      for (const owner of owners.slice(k)) m.must(deposit1(m, owner))
      return owners.map(owner => m.account(owner))
    })
    for (const end of ends) {
      for (const [i, { st, yt, margin }] of end.entries()) {
        const whole = ends[0]![i]! // touched once, after both
        expect(yt).toBe(whole.yt)
        expect(margin).toBe(whole.margin)
        expect(whole.st - st, owners[i]).toBeGreaterThanOrEqual(0n)
        expect(whole.st - st, owners[i]).toBeLessThanOrEqual(1n)
      }
    }
  })

  test('T004 I8: a transfer to oneself is refused, whatever the amount and however it is spelt', () => {
    const m = busyMarket()
    for (const x of [1n, 100n, 101n, 25n * JLP, 1n << 63n]) {
      for (const [margin, yt] of [
        [x, 0n],
        [0n, x],
        [x, x],
      ] as const) {
        for (const owner of ['holder', 'long', 'short']) {
          expect(m.refusal({ kind: 'transfer', ...m.ref(owner), to: m.ref(owner), margin, yt })).toBe('same-account')
          expect(m.refusal({ kind: 'transfer', ...m.ref(owner), to: m.ref(owner, -0), margin, yt })).toBe(
            'same-account',
          )
        }
      }
    }
    // Neither does a circle of accounts mint anything.
    m.fund('holder', 10n, 1)
    m.fund('holder', 10n, 2)
    const held = (): bigint[] => [0, 1, 2].map(sub => m.account('holder', sub)).flatMap(a => [a.margin, a.yt])
    const before = held().reduce((sum, n) => sum + n, 0n)
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      m.must({ kind: 'transfer', ...m.ref('holder', from), to: m.ref('holder', to), margin: 0n, yt: 101n })
    }
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const) {
      m.must({ kind: 'transfer', ...m.ref('holder', from), to: m.ref('holder', to), margin: 10n, yt: 0n })
    }
    expect(held()).toEqual([0n, 25n * JLP, 10n, 0n, 10n, 0n])
    expect(held().reduce((sum, n) => sum + n, 0n)).toBe(before)
  })

  test('T005 I6: half of the YT moved on before every one of 50 coupons: together the yield of one holder, to an atom each', () => {
    const run = (moves: boolean): bigint => {
      const m = openMarket({ wallets: ['ann', 'bob'] })
      m.fund('ann', 0n)
      m.fund('bob', 0n)
      m.must({ kind: 'split', ...m.ref('ann'), yt: 1_000_000_007n })
      m.must({ kind: 'split', ...m.ref('bob'), yt: 1n }) // YT can be given only to who has some
      for (let i = 0; i < 50; i++) {
        m.coupon(0.31)
        const [from, to] = i % 2 === 0 ? (['ann', 'bob'] as const) : (['bob', 'ann'] as const)
        if (moves) m.must({ kind: 'transfer', ...m.ref(from), to: m.ref(to), margin: 0n, yt: m.account(from).yt / 2n })
      }
      return ['ann', 'bob'].reduce((sum, owner) => sum + m.account(owner).st, 0n)
    }
    const [moved, held] = [run(true), run(false)]
    expect(held).toBeGreaterThan(1_000_000n)
    expect(held - moved).toBeGreaterThanOrEqual(0n)
    expect(held - moved).toBeLessThanOrEqual(100n) // two touches a coupon, less than an atom each
  })

  test('T006 I23: what has accrued is paid once: fees, coupons, PT and margin claimed twice are refused', () => {
    const m = busyMarket()
    m.pass(6 * HOUR, 0.4)
    const claim = { kind: 'collect', market: m.id, owner: 'lp', lower: 2230, upper: 3710 } as const
    const before = m.balance('lp')
    m.must(claim)
    const paid = m.balance('lp') - before
    expect(paid).toBeGreaterThan(1000n)
    expect(m.refusal(claim)).toBe('position-empty')
    // After part of the position is gone there is nothing more to collect either.
    const part = m.must(m.removing('lp', 2230, 3710, { num: 1n, den: 100n }))
    expect(part.events.some(e => e.type === 'liquidity-removed')).toBe(true)
    expect(m.refusal(claim)).toBe('position-empty')
    // A coupon is paid once, however often the account is touched in the same second.
    const st = m.account('holder').st
    m.coupon(0.4)
    const due = m.account('holder').st
    expect(due).toBeGreaterThan(st)
    for (let i = 0; i < 20; i++) m.must(deposit1(m, 'holder'))
    expect(m.account('holder').st).toBe(due)

    m.mature(0.3)
    const pt = m.pt('saver')
    m.must({ kind: 'redeem-pt', market: m.id, owner: 'saver', pt })
    expect(m.refusal({ kind: 'redeem-pt', market: m.id, owner: 'saver', pt })).toBe('insufficient-balance')
    for (const owner of ['long', 'short', 'holder']) m.must({ kind: 'settle', ...m.ref(owner) })
    for (const owner of ['long', 'short', 'holder']) {
      const { margin } = m.account(owner)
      const held = m.balance(owner)
      m.must({ kind: 'settle', ...m.ref(owner) }) // a second settlement changes nothing
      m.must({ kind: 'withdraw', ...m.ref(owner), jlp: margin })
      expect(m.balance(owner)).toBe(held + margin)
      expect(m.refusal({ kind: 'withdraw', ...m.ref(owner), jlp: 1n })).toBe('insufficient-margin')
      expect(m.account(owner).margin).toBe(0n)
    }
  })

  test('T007 I26: YT given away take none of the yield accrued before, and nobody claims for another', () => {
    const m = openMarket({ wallets: ['alice', 'bob'] })
    m.fund('alice', 0n)
    m.fund('bob', 0n)
    m.must({ kind: 'split', ...m.ref('alice'), yt: 1000n * JLP })
    m.must({ kind: 'split', ...m.ref('bob'), yt: 1n })
    m.pass(7 * DAY, 0.4)
    const accrued = m.account('alice').st
    expect(accrued).toBeGreaterThan(7n * JLP)
    m.must({ kind: 'transfer', ...m.ref('alice'), to: m.ref('bob'), margin: 0n, yt: 1n * JLP })
    expect(m.account('alice').st).toBe(accrued)
    expect(m.account('bob').st).toBe(0n)
    // Bob holds 1 YT, and an atom of his own, and can take out no more: all of the rest is out of his reach.
    expect(m.refusal({ kind: 'transfer', ...m.ref('bob'), to: m.ref('alice'), margin: 0n, yt: JLP + 2n })).toBe(
      'insufficient-yt',
    )
    expect(m.refusal({ kind: 'withdraw', ...m.ref('bob'), jlp: 1n })).toBe('insufficient-margin')
    expect(m.refusal({ kind: 'merge', ...m.ref('bob'), yt: JLP })).toBe('insufficient-balance')
    expect(m.refusal({ kind: 'collect', market: m.id, owner: 'bob', lower: 2230, upper: 3710 })).toBe(
      'unknown-position',
    )
    m.coupon(0.4)
    const [alice, bob] = [m.account('alice').st - accrued, m.account('bob').st]
    expect(alice / 999n - bob).toBeGreaterThanOrEqual(-1n)
    expect(alice / 999n - bob).toBeLessThanOrEqual(1n)
  })

  test('T007 I26: a gift of one atom keeps nobody from opening what he wants', () => {
    const m = openMarket({ wallets: ['victim', 'mallory'] })
    m.fund('victim', JLP)
    m.fund('mallory', 0n)
    m.must({ kind: 'split', ...m.ref('mallory'), yt: 10n })
    const gift = (yt: bigint): Instruction => ({
      kind: 'transfer',
      ...m.ref('mallory'),
      to: m.ref('victim'),
      margin: 0n,
      yt,
    })
    expect(m.refusal(gift(1n))).toBe('opposite-position')
    expect(m.refusal(m.order('victim', 'short', { yt: JLP }))).toBe('applied')
    expect(m.refusal(gift(1n))).toBe('opposite-position') // nor is a short made smaller against the holder's will
  })

  test('T008 I26: who merges and leaves takes his own yield, the other nine have what they had', () => {
    const owners = Array.from({ length: 10 }, (_, i) => `u${i}`)
    const m = openMarket({ wallets: owners })
    for (const owner of owners) {
      m.fund(owner, 0n)
      m.must({ kind: 'split', ...m.ref(owner), yt: 100n * JLP })
    }
    const before = m.pool().discount
    m.pass(3 * DAY, 0.4)
    const others = owners.slice(1).map(owner => [m.account(owner), m.pt(owner)])
    const start = m.balance('u0')
    m.must({ kind: 'merge', ...m.ref('u0'), yt: 100n * JLP })
    m.must({ kind: 'withdraw', ...m.ref('u0'), jlp: m.account('u0').margin })
    // Principal at the present discount and the coupons since the split: together what was paid in, to an atom.
    const out = m.balance('u0') - start
    const paidIn = (100n * JLP * before) >> 64n
    expect(paidIn - out).toBeGreaterThanOrEqual(0n)
    expect(paidIn - out).toBeLessThanOrEqual(2n)
    expect(owners.slice(1).map(owner => [m.account(owner), m.pt(owner)])).toEqual(others)
  })

  test.each([1n, 10n ** 12n])(
    'T009 I1: %d atoms that nobody accounts for change no price, no payout, no ratio',
    gift => {
      const m = busyMarket()
      const gifted = m.fork()
      const record = gifted.ledger.markets.get(m.id)!
      gifted.ledger.markets.set(m.id, { ...record, vault: record.vault + gift })
      expect(audit(gifted.ledger).violations).toEqual([])
      const script = (at: OpenMarket): Instruction[] => [
        at.order('long', 'reduce', { yt: 10n * JLP }),
        at.ptOrder('saver', 'sell-pt', { st: 5n * JLP }),
        at.order('short', 'short', { yt: 1n * JLP }),
        at.removing('lp', 2230, 3710, { num: 1n, den: 3n }),
        { kind: 'collect', market: m.id, owner: 'lp', lower: 2230, upper: 3710 },
        { kind: 'withdraw', ...at.ref('long'), jlp: 10n },
        { kind: 'collect-fees', market: m.id },
      ]
      m.pass(DAY, 0.3)
      gifted.pass(DAY, 0.3)
      for (const [i, instruction] of script(m).entries()) {
        const events = m.must(instruction).events
        const result = apply(gifted.ledger, script(gifted)[i]!, gifted.world)
        expect(result.kind === 'applied' && result.events).toEqual(events)
        // The same instruction on the other ledger, by hand: `must` would miss the atoms that came from nowhere.
        if (result.kind === 'applied') for (const [id, x] of result.changes.markets) gifted.ledger.markets.set(id, x)
        if (result.kind === 'applied') for (const [id, x] of result.changes.accounts) gifted.ledger.accounts.set(id, x!)
        if (result.kind === 'applied')
          for (const [id, x] of result.changes.positions) gifted.ledger.positions.set(id, x!)
        if (result.kind === 'applied') for (const [id, x] of result.changes.balances) gifted.ledger.balances.set(id, x)
      }
      const [plain, other] = [m.ledger.markets.get(m.id)!, gifted.ledger.markets.get(m.id)!]
      expect({ ...other, vault: 0n }).toEqual({ ...plain, vault: 0n })
      expect(other.vault - plain.vault).toBe(gift)
      expect(gifted.dust().jlp - m.dust().jlp).toBe(gift << 64n)
    },
  )

  test('T010 I13: a first deposit, whatever its size, leaves the next buyer of YT the yield of the model', () => {
    for (const first of [JLP, 1_000_000n * JLP]) {
      const m = openMarket({
        liquidity: [{ owner: 'first', jlp: first }],
        wallets: ['buyer', 'lp'],
        balance: 10n ** 13n,
      })
      m.fund('first', 0n)
      m.coupon(5) // as much as a step pays
      m.must(m.removing('first', 2230, 3710))
      m.provide('lp', 2230, 3710, 10_000n * JLP)
      m.fund('buyer', 100n * JLP)
      m.wait(300)
      m.must(m.order('buyer', 'long', { yt: 1000n * JLP }, { spot: true }))
      const { st, discount } = m.account('buyer')
      m.pass(28 * DAY, 0.35)
      const paid = m.account('buyer').st - st
      expect(paid).toBe((1000n * JLP * (discount - m.pool().discount)) >> 64n)
      // 28 days at 35 % a year are 2.7 % of principal; D counts them from what is left of it.
      expect(Number(paid) / 1e9).toBeGreaterThan(0.0255)
      expect(Number(paid) / 1e9).toBeLessThan(0.027)
    }
  })

  test('T011 I20: a loss is booked once, charged once, and neither D nor PT bear it', () => {
    const m = lossMarket()
    const { deficit } = m.pool()
    expect(deficit).toBeGreaterThan(0n)
    const { discount } = m.ledger.indices.hourly
    expect(m.pool().discount).toBe(discount)
    // Nobody books it again: the account is empty and healthy, the fund has nothing left to lose.
    expect(m.refusal({ kind: 'take-over', ...m.ref('long') })).toBe('healthy')
    expect(m.keeping('long')).toBeUndefined()
    expect(m.pool().deficit).toBe(deficit)
    m.wait(900) // the rate of the forced close is the mean rate by now
    // Two LPs leave: the first its share, to an atom, the second what is then left of it.
    m.fund('lp', 0n)
    m.fund('lp2', 0n)
    const price = ytInJlp(m.pool().rate, m.pool())
    const all = lpEquity(m.market(), price)
    const first = leave(m, 'lp', 2230, 3710)
    const value = first.paid + ((price * first.yt) >> 64n)
    const charge = first.withheld.jlp + ((price * first.withheld.yt) >> 64n)
    const fair = (deficit * (value + charge)) / all
    expect(charge - fair).toBeGreaterThanOrEqual(0n)
    expect(charge - fair).toBeLessThanOrEqual(3n)
    const second = leave(m, 'lp2', 2500, 3300, { num: 9999n, den: 10_000n })
    expect(second.withheld.jlp + m.pool().deficit).toBe(deficit - first.withheld.jlp)
    expect(m.pool().deficit).toBeLessThan(deficit / 5000n + 10_000n)
    m.mature(0)
    const pt = m.pt('saver')
    const before = m.balance('saver')
    m.must({ kind: 'redeem-pt', market: m.id, owner: 'saver', pt })
    expect(m.balance('saver') - before).toBe((pt * m.pool().discount) >> 64n)
  })

  test('T011 I20: what was withheld in YT repays the deficit once it is sold; nobody is charged for it a second time', () => {
    const m = lossMarket()
    m.fund('lp', 0n)
    const { withheld } = leave(m, 'lp', 2230, 3710)
    expect(withheld.yt).toBeGreaterThan(1000n)
    const before = m.pool().deficit
    m.wait(900)
    m.must(m.ptOrder('saver', 'sell-pt', { pt: 5n * JLP })) // the fund sells above the mean rate only
    m.must({ kind: 'reduce-fund', market: m.id, yt: withheld.yt })
    const { fund, pool } = m.market()
    expect(fund.yt).toBe(0n)
    // The fund comes before LPs: while anything is missing it holds nothing.
    expect([fund.margin, pool.deficit < before]).toEqual([0n, true])
  })

  test('T011 T013: the last LP leaves wholly although a deficit stands', () => {
    const m = lossMarket()
    m.fund('lp', 0n)
    m.fund('lp2', 0n)
    leave(m, 'lp', 2230, 3710)
    expect(m.refusal(m.removing('lp2', 2500, 3300))).toBe('applied')
  })

  test('T012 I26: while a deficit stands no liquidity is added; in a pause nothing new begins; exits stay open in both', () => {
    const lost = lossMarket()
    expect(lost.refusal(lost.adding('lp', 2230, 3710, 10n ** 9n))).toBe('deficit-stands')
    const m = busyMarket()
    m.must({ kind: 'pause', by: CONFIG.pauser })
    const begins: Instruction[] = [
      { kind: 'split', ...m.ref('holder'), yt: 1n },
      m.order('long', 'long', { yt: 1n }),
      m.order('short', 'short', { yt: 1n }),
      m.order('holder', 'long', { yt: 1n }, { spot: true }),
      m.ptOrder('saver', 'buy-pt', { pt: 10n }),
      m.adding('lp', 2230, 3710, 10n ** 9n),
      { kind: 'create-market', by: 'lp', coupon: 'weekly', maturity: m.market().maturity, rate: tickRate(3000) },
    ]
    for (const instruction of begins) expect(m.refusal(instruction), instruction.kind).toBe('paused')
    const ends: Instruction[] = [
      m.order('long', 'reduce', { yt: 5n * JLP }),
      m.order('short', 'close'),
      m.ptOrder('saver', 'sell-pt', { pt: JLP }),
      { kind: 'merge', ...m.ref('holder'), yt: JLP },
      { kind: 'withdraw', ...m.ref('short'), jlp: 1000n },
      { kind: 'deposit', ...m.ref('long'), jlp: 1000n },
      { kind: 'transfer', ...m.ref('holder'), to: m.ref('long'), margin: 0n, yt: 1n },
      m.removing('lp', 2230, 3710, { num: 1n, den: 10n }),
      { kind: 'collect-fees', market: m.id },
    ]
    for (const instruction of ends) m.must(instruction)
  })

  test('T013 I2: the only LP leaves while traders are in: what backs them stays, PT is paid for what was sold', () => {
    const m = openMarket({ wallets: ['long', 'short'], liquidity: [{ jlp: 300n * JLP }] })
    m.fund('long', JLP)
    m.must(m.order('long', 'long', { yt: 60n * JLP }))
    m.fund('lp', 0n)
    const start = m.fork()
    expect(m.refusal(m.removing('lp', 2230, 3710))).toBe('backing')
    // The most that may leave, found by halving: one part in 2^20 more is refused.
    let [low, high] = [0n, 1n << 20n]
    while (high - low > 1n) {
      const num = (low + high) >> 1n
      const tried = apply(m.ledger, m.removing('lp', 2230, 3710, { num, den: 1n << 20n }), m.world)
      if (tried.kind === 'applied') low = num
      else high = num
    }
    expect(low).toBeGreaterThan(1n << 19n)
    m.must(m.removing('lp', 2230, 3710, { num: low, den: 1n << 20n }))
    expect(m.pt('lp')).toBeGreaterThan(50n * JLP) // net sold: 60 YT are out
    // What is left carries the worst coupons and the best: the long is settled in full either way.
    for (const apr of [0, 1.3]) {
      const end = m.fork()
      end.mature(apr)
      const { margin: before, st, yt, discount } = end.account('long')
      const lost = -(before + st + ((yt * (discount - end.pool().discount)) >> 64n))
      const fund = end.market().fund.margin
      end.must({ kind: 'settle', ...end.ref('long') })
      expect(end.pool().deficit).toBe(lost > fund ? lost - fund : 0n) // the fund first, then a deficit
      const { margin } = end.account('long')
      if (margin > 0n) end.must({ kind: 'withdraw', ...end.ref('long'), jlp: margin })
      end.must({ kind: 'redeem-pt', market: end.id, owner: 'lp', pt: end.pt('lp') })
      end.must(end.removing('lp', 2230, 3710))
      expect(end.pool().deficit, `at ${apr}`).toBeLessThanOrEqual(1000n) // what lies in the vault for nobody covers it
    }
    // Once the long is out, everything leaves.
    start.must(start.order('long', 'close'))
    expect(start.account('long').yt).toBe(0n)
    start.must(start.removing('lp', 2230, 3710))
    expect(start.pool().liquidity).toBe(0n)
    expect(start.pool().ticks).toEqual([])
  })

  test('T014 I1: every way out by itself from the same state: counters are what they are counted to be', () => {
    const start = busyMarket()
    start.pass(5 * HOUR, 0.4)
    start.fund('lp', 0n, 1)
    const exits: Instruction[] = [
      start.removing('lp', 2230, 3710, { num: 1n, den: 2n }),
      { ...start.removing('lp', 2230, 3710, { num: 1n, den: 2n }), zap: { limitRate: ANY_RATE } },
      { kind: 'collect', market: start.id, owner: 'lp', lower: 2230, upper: 3710 },
      { kind: 'merge', ...start.ref('holder'), yt: 25n * JLP },
      { kind: 'transfer', ...start.ref('holder'), to: start.ref('long'), margin: 0n, yt: 25n * JLP },
      { kind: 'transfer', ...start.ref('short'), to: start.ref('holder'), margin: 1000n, yt: 0n },
      start.ptOrder('saver', 'sell-pt', { pt: start.pt('saver') }),
      start.order('long', 'close'),
      start.order('long', 'reduce', { st: 3n * JLP }),
      start.order('short', 'close'),
      start.order('short', 'reduce', { yt: 1n }),
      { kind: 'withdraw', ...start.ref('short'), jlp: 100_000n },
      { kind: 'collect-fees', market: start.id },
      { kind: 'close-account', ...start.ref('lp', 1) },
    ]
    for (const instruction of exits) {
      const m = start.fork()
      m.must(instruction) // audited: every total summed afresh, every atom of JLP found
    }
    // Liquidation and settlement, from states that allow them.
    const poor = start.fork()
    while (poor.keeping('long') === undefined) poor.pass(HOUR, 0)
    const { yt } = poor.account('long')
    poor.must(poor.keeping('long')!)
    expect(poor.account('long').yt).toBeLessThan(yt)
    expect(poor.balance('keeper')).toBeGreaterThan(0n)
    const late = start.fork()
    late.mature(0.4)
    late.must({ kind: 'settle', ...late.ref('short') })
    expect(late.market().totals.debtors).toBe(1)
    late.must({ kind: 'redeem-pt', market: late.id, owner: 'saver', pt: late.pt('saver') })
    late.must(late.removing('lp', 2230, 3710, { num: 1n, den: 2n }))
    late.must({ kind: 'settle', ...late.ref('long') })
    expect(late.market().totals).toMatchObject({ debtors: 0, debt: 0n, short: 0n })
  })

  test('T015 I25: no instruction of one market changes a byte of another, not even a forged one', () => {
    const m = busyMarket()
    const other = 'JLP-2412'
    const { maturity } = parseMarketName(other)
    m.must({ kind: 'create-market', by: 'lp', coupon: 'hourly', maturity, rate: rateFromApy(parsePercent('30%')) })
    m.must({ kind: 'open-account', market: other, owner: 'holder', sub: 0 })
    m.must({ kind: 'deposit', market: other, owner: 'holder', sub: 0, jlp: 500n * JLP })
    m.must({ kind: 'split', market: other, owner: 'holder', sub: 0, yt: 100n * JLP })
    const record = m.ledger.markets.get(other)
    const inOther = { market: other, owner: 'holder', sub: 0 }
    const account = m.ledger.accounts.get(accountId(inOther))
    const forged: Instruction[] = [
      { kind: 'transfer', ...m.ref('holder'), to: inOther, margin: 0n, yt: JLP },
      { kind: 'transfer', ...inOther, to: m.ref('holder'), margin: JLP, yt: 0n },
      { kind: 'merge', ...m.ref('holder'), yt: 26n * JLP },
      { kind: 'redeem-pt', market: m.id, owner: 'holder', pt: JLP },
      { kind: 'roll', ...inOther, to: m.ref('holder'), amount: { yt: 1n }, ...LOOSE, closeLimitRate: 0n },
      { kind: 'withdraw', ...m.ref('holder'), jlp: 500n * JLP },
      { kind: 'collect', market: other, owner: 'lp', lower: 2230, upper: 3710 },
      { ...m.removing('lp', 2230, 3710), market: other },
    ]
    for (const instruction of forged) expect(m.run(instruction).kind, instruction.kind).toBe('refused')
    const own: Instruction[] = [
      { kind: 'merge', ...m.ref('holder'), yt: 25n * JLP },
      m.order('long', 'close'),
      m.order('short', 'close'),
      m.ptOrder('saver', 'sell-pt', { pt: m.pt('saver') }),
      m.removing('lp', 2230, 3710),
      { kind: 'collect-fees', market: m.id },
    ]
    for (const instruction of own) m.must(instruction)
    expect(m.ledger.markets.get(other)).toBe(record)
    expect(m.ledger.accounts.get(accountId(inOther))).toBe(account)
    // Names cannot be made to mean two things: an owner may look like a path.
    m.must({ kind: 'open-account', market: m.id, owner: 'holder/0', sub: 0 })
    m.must({ kind: 'open-account', market: m.id, owner: 'holder', sub: 3 })
    expect(m.ledger.accounts.get(accountId(inOther))).toBe(account)
    expect(m.refusal({ kind: 'withdraw', market: other, owner: 'holder/0', sub: 0, jlp: 1n })).toBe('unknown-account')
  })

  test('T015 I26: who creates a market chooses what may be chosen, and nothing else', () => {
    const m = openMarket({ wallets: ['mallory'] })
    const { maturity } = parseMarketName('JLP-2412')
    // What a careless caller might let through: terms that are not the creator's to choose.
    const terms = {
      initialBps: 10_001,
      maintenanceBps: 10_000,
      twapWindow: 1,
      clampPerSecond: ONE_Q64 - 1n,
      minimumSize: 0n,
    }
    m.run({
      kind: 'create-market',
      by: 'mallory',
      coupon: 'hourly',
      maturity,
      rate: tickRate(3000),
      terms: terms as object,
    })
    const created = m.ledger.markets.get('JLP-2412')
    if (created !== undefined) expect(created.terms).toEqual(m.market().terms)
  })

  test('T016 I8 I27: an instruction is one function of the state: in the middle of it there is nothing to come back to', () => {
    const m = busyMarket()
    const instructions: Instruction[] = [
      m.order('long', 'long', { yt: JLP }),
      m.ptOrder('saver', 'buy-pt', { st: 3n * JLP }),
      m.ptOrder('saver', 'sell-pt', { pt: 3n * JLP }),
      m.removing('lp', 2230, 3710, { num: 1n, den: 4n }),
      { kind: 'merge', ...m.ref('holder'), yt: JLP },
    ]
    for (const instruction of instructions) {
      const [once, again] = [apply(m.ledger, instruction, m.world), apply(m.ledger, instruction, m.world)]
      expect(again).toEqual(once)
      expect(once.kind).toBe('applied')
    }
    // Fee, payout and the rest are what came in; fees lie beside the reserves, and leave without touching them.
    const before = m.market()
    const wallet = m.balance('saver')
    const { events } = m.must(m.ptOrder('saver', 'buy-pt', { st: 30n * JLP }))
    const swapped = events.find(e => e.type === 'swapped')!
    const paid = wallet - m.balance('saver')
    expect(paid).toBe(swapped.amount + swapped.fee.total)
    const after = m.market()
    expect(after.vault - before.vault).toBe(paid)
    expect(after.fees - before.fees).toBe(swapped.fee.protocol)
    expect(after.fund.margin - before.fund.margin).toBe(swapped.fee.insurance)
    expect(swapped.fee.lp + swapped.fee.protocol + swapped.fee.insurance).toBe(swapped.fee.total)
    const reserves = lpEquity(m.market(), ytInJlp(m.pool().rate, m.pool()))
    const { fees } = after
    m.must({ kind: 'collect-fees', market: m.id })
    expect(m.balance(CONFIG.treasury)).toBe(fees)
    expect(lpEquity(m.market(), ytInJlp(m.pool().rate, m.pool()))).toBe(reserves)
    expect(m.refusal({ kind: 'collect-fees', market: m.id })).toBe('zero-amount')
  })

  test('T017: a change of the fee leaves what LPs had earned before it, and is charged from then on', () => {
    const m = busyMarket()
    m.pass(6 * DAY, 0.3)
    const { terms } = m.market()
    m.must({
      kind: 'propose-terms',
      by: CONFIG.authority,
      market: m.id,
      terms: { ...terms, feeBps: 100, lpShareBps: 2500 },
    })
    expect(m.refusal({ kind: 'apply-terms', market: m.id })).toBe('too-early')
    m.pass(DAY, 0.3)
    const collects = (at: OpenMarket): bigint => {
      const before = at.balance('lp')
      at.must({ kind: 'collect', market: m.id, owner: 'lp', lower: 2230, upper: 3710 })
      return at.balance('lp') - before
    }
    const earned = collects(m.fork())
    expect(earned).toBeGreaterThan(0n)
    m.must({ kind: 'apply-terms', market: m.id })
    expect(collects(m)).toBe(earned)
    const { events } = m.must(m.ptOrder('saver', 'buy-pt', { pt: 10n * JLP }))
    const { fee, stLeg } = events.find(e => e.type === 'swapped')!
    expect(fee.total).toBe((stLeg * 100n + 9999n) / 10_000n)
    expect(fee.lp - collects(m)).toBeLessThanOrEqual(1n)
    expect(fee.lp).toBe(fee.total - (fee.total * 7500n) / 10_000n)
    expect(m.refusal({ kind: 'apply-terms', market: m.id })).toBe('zero-amount')
  })

  test('T018 I20: nobody can draw on the insurance fund, the authority least of all', () => {
    const m = busyMarket()
    const fund = m.market().fund
    expect(fund.margin).toBeGreaterThan(0n)
    const { terms } = m.market()
    const tried: Instruction[] = [
      { kind: 'collect-fees', market: m.id },
      { kind: 'pause', by: CONFIG.authority },
      { kind: 'unpause', by: CONFIG.authority },
      { kind: 'propose-terms', by: CONFIG.authority, market: m.id, terms },
      { kind: 'propose-authority', by: CONFIG.authority, authority: 'next' },
      { kind: 'accept-authority', by: 'next' },
      { kind: 'reduce-fund', market: m.id, yt: 21n },
      { kind: 'withdraw', market: m.id, owner: CONFIG.authority, sub: 0, jlp: 21n },
      { kind: 'withdraw', market: m.id, owner: CONFIG.treasury, sub: 0, jlp: 21n },
      { kind: 'withdraw', market: m.id, owner: '', sub: 0, jlp: 21n },
    ]
    for (const instruction of tried) m.run(instruction)
    m.wait(DAY)
    m.pass(0, 0.3)
    m.must({ kind: 'apply-terms', market: m.id })
    expect(m.market().fund.margin).toBe(fund.margin)
    expect(m.balance(CONFIG.authority)).toBe(0n)
  })
})

const LOOSE = { limitRate: ANY_RATE, minimum: 0n, deadline: NEVER }

interface Left {
  readonly paid: bigint
  readonly yt: bigint
  readonly withheld: { readonly jlp: bigint; readonly pt: bigint; readonly yt: bigint }
}

/** Removes liquidity: what it paid and what it left behind. */
const leave = (m: OpenMarket, owner: string, lower: number, upper: number, share = { num: 1n, den: 1n }): Left => {
  const { events } = m.must(m.removing(owner, lower, upper, share))
  const { jlp, yt, withheld } = events.find(e => e.type === 'liquidity-removed')!
  return { paid: jlp, yt, withheld }
}

/** A market whose long was not liquidated in time: no coupons for weeks, a negative equity, a booked deficit. */
const lossMarket = (): OpenMarket => {
  const liquidity = [
    { owner: 'lp', jlp: 2000n * JLP },
    { owner: 'lp2', lower: 2500, upper: 3300, jlp: 500n * JLP },
  ]
  const m = openMarket({ wallets: ['long', 'saver'], liquidity })
  m.fund('long', JLP / 2n)
  m.must(m.order('long', 'long', { yt: 40n * JLP }))
  m.must(m.ptOrder('saver', 'buy-pt', { st: 100n * JLP }))
  m.pass(40 * DAY, 0)
  const long: MarginAccount = m.account('long')
  const { rate } = m.pool()
  expect(equity(long, ytInJlp(rate, m.pool()))).toBeLessThan(0n)
  m.must({ kind: 'take-over', ...m.ref('long') })
  m.drain()
  return m
}
