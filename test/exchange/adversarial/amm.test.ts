/** Section C of the security cases: the AMM, liquidity, quotes (T032 to T052), and a search for profit over all of them. */
import { describe, expect, test } from 'vitest'
import { BUCKET_SECONDS, ONE_Q64, parseMarketName, type RateQ64, tickRate, twap } from '../../../amm/index.ts'
import { type Instruction, lpEquity, ytInJlp } from '../../../src/exchange/index.ts'
import { Random } from '../../generate/random.ts'
import { ANY_RATE, DAY, HOUR, JLP, NEVER, type OpenMarket, openMarket } from '../market.ts'

const WIDE = [{ jlp: 100_000n * JLP, lower: 1500, upper: 6000 }]

const twapOf = (m: OpenMarket): RateQ64 => {
  const { oracle, pool, terms } = m.market()
  return twap(oracle, pool.rate, m.now, terms.twapWindow)
}

/** Margin and ST leg together: what trades for YT change. */
const cash = (m: OpenMarket, owner: string): bigint => m.account(owner).margin + m.account(owner).st

const ticksOf = (m: OpenMarket): number => Number((m.pool().rate * 10_000n) >> 64n)

describe('C. the AMM, liquidity, quotes', () => {
  test('T032 I10: buying n PT and n YT costs at least n ST, selling both brings at most n', () => {
    const random = new Random(32n)
    for (let round = 0; round < 150; round++) {
      const discount = random.pick([ONE_Q64, ONE_Q64 - 1n, (ONE_Q64 * 3n) / 4n])
      const liquidity = [
        { jlp: random.magnitude(5000n * JLP) + JLP },
        { jlp: 50n * JLP, lower: 10 * random.int(270, 282), upper: 10 * random.int(283, 300) },
      ]
      const m = openMarket({ discount, liquidity, days: random.pick([1, 30, 86, 700]), wallets: ['ann'] })
      m.auditing = false
      m.fund('ann', 10n ** 10n)
      const n = 10n + random.magnitude(100n * JLP)
      const orders = [m.ptOrder('ann', 'buy-pt', { pt: n }), m.order('ann', 'long', { yt: n }, { spot: true })]
      if (random.int(0, 1) === 0) orders.reverse()
      const held = (): bigint => m.balance('ann') + cash(m, 'ann')
      const before = held()
      for (const order of orders) m.run({ ...order, minimum: n })
      if (m.pt('ann') !== n || m.account('ann').yt !== n) continue // not enough liquidity for both
      expect(before - held()).toBeGreaterThanOrEqual((n * discount + ONE_Q64 - 1n) >> 64n)
      const between = held()
      m.run({ ...m.ptOrder('ann', 'sell-pt', { pt: n }), minimum: n })
      m.run({ ...m.order('ann', 'close'), minimum: n })
      expect(held() - between).toBeLessThanOrEqual((n * discount) >> 64n)
      m.check()
    }
  })

  test.each([
    ['up', 13_700, 13_860],
    ['down', 50, 200],
  ] as const)(
    'T033 I14: a swap past the end of the range goes to the end and not further, and stays there: %s',
    (way, lower, upper) => {
      const up = way === 'up'
      const m = openMarket({
        apy: up ? '295%' : '1%',
        liquidity: [{ jlp: 10n * JLP, lower, upper }],
        wallets: ['ann', 'bob'],
      })
      for (const owner of ['ann', 'bob']) m.fund(owner, 10n ** 11n)
      m.must({ kind: 'split', ...m.ref('ann'), yt: 10n ** 11n })
      const order = m.order('ann', up ? 'long' : 'reduce', { yt: 10n ** 10n }, { spot: true })
      const { events } = m.must(order)
      const swapped = events.find(e => e.type === 'swapped')!
      expect(swapped.complete).toBe(false)
      expect(swapped.filled).toBeLessThan(10n ** 10n)
      expect(m.pool().rate).toBe(tickRate(up ? 13_860 : 50))
      for (const seconds of [0, 1, HOUR]) {
        m.pass(seconds, 0.3)
        expect(m.pool().rate).toBe(tickRate(up ? 13_860 : 50))
        expect(['no-liquidity', 'limit-reached']).toContain(m.refusal(order))
        const price = ytInJlp(m.pool().rate, m.pool())
        expect(price).toBeGreaterThan(0n)
        expect(price).toBeLessThan(m.pool().discount)
      }
      expect(m.refusal(m.adding('ann', up ? 13_860 : 40, up ? 13_870 : 50, 10n ** 9n))).not.toBe('applied')
    },
  )

  test('T034 I15: a coupon without trades moves no rate; an LP gains the difference of coupon and decay, no more', () => {
    const m = openMarket({ liquidity: [{ jlp: 1000n * JLP }], wallets: ['saver'] })
    m.must(m.ptOrder('saver', 'buy-pt', { pt: 200n * JLP })) // the LP is net long 200 YT
    for (const apr of [0, 0.3, 4]) {
      const before = m.pool()
      const price = ytInJlp(before.rate, before)
      const value = lpEquity(m.market(), price)
      m.coupon(apr)
      const after = m.pool()
      expect(after.rate).toBe(before.rate)
      expect(after.tick).toBe(before.tick)
      expect(twapOf(m)).toBe(before.rate)
      const now = ytInJlp(after.rate, after)
      // Net YT of the LP times (coupon + change of price); everything else of his stands in JLP.
      const net = m.market().totals.pt - m.market().totals.yt
      expect(net).toBe(200n * JLP)
      const expected = (net * (before.discount - after.discount + now - price)) >> 64n
      const gained = lpEquity(m.market(), now) - value
      expect(gained - expected).toBeGreaterThanOrEqual(-2n)
      expect(gained - expected).toBeLessThanOrEqual(2n)
      if (apr === 0) expect(gained).toBeLessThan(0n)
      if (apr === 4) expect(gained).toBeGreaterThan(0n)
    }
  })

  test.each([
    ['JLP-2411', 86],
    ['JLP-2411', 7],
    ['JLP-2411-W', 86],
  ] as const)(
    'T035 I12: opened before a coupon of what the rate implies and closed right after it: no profit (%s, %d days)',
    (name, days) => {
      const apr = 0.3 // the rate is 0.3 as well
      for (const n of [JLP, 1000n * JLP, 9000n * JLP]) {
        for (const side of ['long', 'short'] as const) {
          const m = openMarket({
            name,
            days,
            apy: '34.9858%',
            liquidity: WIDE,
            wallets: ['ann'],
            jlpSupply: 10n ** 17n,
          })
          m.auditing = false
          m.fund('ann', 10n ** 11n)
          const period = m.market().terms.period
          m.now = m.ledger.indices[m.market().kind].lastStep + period - 1
          const before = cash(m, 'ann')
          m.must({ ...m.order('ann', side, { yt: n }), minimum: n })
          m.coupon(apr)
          m.must({ ...m.order('ann', 'close'), minimum: n })
          expect(cash(m, 'ann'), `${side} ${n}`).toBeLessThan(before)
          m.check()
        }
      }
    },
  )

  test('T036: once a coupon can be paid nobody trades before it is; a coupon known beforehand brings at most what the caps allow', () => {
    const m = openMarket({ apy: '34.9858%', liquidity: WIDE, wallets: ['ann', 'saver'], jlpSupply: 10n ** 17n })
    m.fund('ann', 10n ** 11n)
    m.fund('lp', 0n)
    m.must(m.ptOrder('saver', 'buy-pt', { pt: 10n * JLP }))
    const { lastStep } = m.ledger.indices.hourly
    const late = m.fork()
    late.now = lastStep + HOUR + 300
    const refused: Instruction[] = [
      late.order('ann', 'long', { yt: JLP }, { spot: true }),
      late.order('ann', 'long', { yt: JLP }),
      late.order('ann', 'short', { yt: JLP }),
      late.ptOrder('saver', 'buy-pt', { pt: JLP }),
      late.ptOrder('saver', 'sell-pt', { pt: JLP }),
      late.adding('lp', 1500, 6000, 10n ** 9n),
      late.removing('lp', 1500, 6000),
      { kind: 'split', ...late.ref('ann'), yt: JLP },
    ]
    for (const instruction of refused) expect(late.refusal(instruction), instruction.kind).toBe('coupon-due')
    late.coupon(0.3)
    for (const instruction of refused) late.fork().must(instruction)

    // The last second in which the hour's fees are already public. See the report for what this brings at hot hours.
    m.now = lastStep + HOUR + 299
    m.auditing = false
    const gain = (apr: number, n: bigint): bigint => {
      const at = m.fork()
      at.must(at.order('ann', 'long', { yt: n }, { spot: true }))
      at.coupon(apr)
      at.must(at.order('ann', 'close'))
      return cash(at, 'ann') - cash(m, 'ann')
    }
    for (const n of [JLP, 1000n * JLP, 30_000n * JLP, 100_000n * JLP]) {
      for (const apr of [0.1, 0.3, 0.6, 1, 1.4]) expect(gain(apr, n), `${n} at ${apr}`).toBeLessThan(0n)
      expect(gain(20, n)).toBeLessThan((n * 5n) / 10_000n) // 0.05 % of the YT bought
    }
  })

  test('T037 I12: liquidity added to a rate pushed just before is refused by its own bounds; what it cost is what it is worth', () => {
    const m = openMarket({ liquidity: [{ jlp: 200n * JLP }], wallets: ['mallory', 'victim'] })
    m.fund('mallory', 1000n * JLP)
    m.fund('victim', 0n)
    const { rate } = m.pool()
    m.must({ kind: 'open-position', market: m.id, owner: 'victim', lower: 2230, upper: 3710 })
    m.must(m.order('mallory', 'long', { yt: 200n * JLP }, { spot: true }))
    expect(m.pool().rate).toBeGreaterThan((rate * 11n) / 10n)
    const bounds = { minRate: (rate * 99n) / 100n, maxRate: (rate * 101n) / 100n }
    const adding = m.adding('victim', 2230, 3710, 10n ** 10n)
    expect(m.refusal({ ...adding, ...bounds })).toBe('limit-reached')
    expect(m.refusal({ ...adding, maximum: 1n })).toBe('above-maximum')
    // Without bounds it is added at the pushed rate, at the price of that rate: worth what it cost, no more and no less.
    const before = m.wealth(['victim'])
    m.must(adding)
    expect(before - m.wealth(['victim'])).toBeGreaterThanOrEqual(0n)
    expect(before - m.wealth(['victim'])).toBeLessThanOrEqual(4n)
  })

  test('T038 T039 I16: no first deposit and no size of it makes a later LP lose; nothing is added for nothing', () => {
    for (const first of [JLP + 9n, 3n * JLP + 1n, 10n ** 9n * JLP]) {
      for (const upper of [2840, 3710, 13_860]) {
        const liquidity = [{ owner: 'mallory', jlp: first, upper }]
        const m = openMarket({ liquidity, wallets: ['mallory', 'victim'], balance: 10n ** 16n })
        for (const owner of ['mallory', 'victim']) m.fund(owner, 0n)
        const held = m.balance('victim')
        m.provide('victim', 2230, upper, 10n ** 12n)
        m.fund('mallory', 10n ** 12n) // all that can be given to a market is margin of one's own
        m.wait(300)
        m.must(m.removing('mallory', 2230, upper))
        m.must(m.removing('victim', 2230, upper))
        const lost = held - m.balance('victim')
        expect(lost).toBeGreaterThanOrEqual(0n)
        expect(lost).toBeLessThanOrEqual(3n) // of 10^12
      }
    }
    const m = openMarket({ wallets: ['ann'] })
    m.must({ kind: 'open-position', market: m.id, owner: 'ann', lower: 2230, upper: 3710 })
    for (const liquidity of [1n, 1000n, 10_000_000n]) {
      expect(m.refusal(m.adding('ann', 2230, 3710, liquidity))).toBe('deposit-too-small')
    }
    expect(m.position('ann', 2230, 3710).position.liquidity).toBe(0n)
  })

  test('T040 I16: liquidity for a single trade takes its share of that fee and nothing else, and stays 300 s', () => {
    const run = (jit: boolean): OpenMarket => {
      const m = openMarket({ liquidity: [{ jlp: 1000n * JLP }], wallets: ['jit', 'whale'] })
      for (const owner of ['jit', 'whale', 'lp']) m.fund(owner, 200n * JLP)
      if (jit) m.provide('jit', 2230, 3710, 9000n * JLP)
      const { events } = m.must(m.order('whale', 'long', { yt: 400n * JLP }, { spot: true }))
      const { fee } = events.find(e => e.type === 'swapped')!
      if (!jit) return m
      const { liquidity } = m.pool()
      const mine = m.position('jit', 2230, 3710).position.liquidity
      expect(m.refusal(m.removing('jit', 2230, 3710))).toBe('too-young')
      const before = m.balance('jit')
      m.must({ kind: 'collect', market: m.id, owner: 'jit', lower: 2230, upper: 3710 })
      expect(m.balance('jit') - before).toBe((fee.lp * mine) / liquidity)
      return m
    }
    const [alone, joined] = [run(false), run(true)]
    const price = (m: OpenMarket): bigint => ytInJlp(m.pool().rate, m.pool())
    // The old LP sold fewer YT at lower rates: at the spot price of the market he is in he is not worse off than before it all.
    const before = openMarket({ liquidity: [{ jlp: 1000n * JLP }] })
    const start = lpEquity(before.market(), price(before))
    const { position } = joined.position('lp', 2230, 3710)
    const share = (lpEquity(joined.market(), price(joined)) * position.liquidity) / joined.pool().liquidity
    expect(share).toBeGreaterThanOrEqual(start - (start * 2n) / 10_000n) // he is short what was bought, by design of any AMM
    expect(lpEquity(alone.market(), price(alone))).toBeLessThan(share)
    const added = joined.position('jit', 2230, 3710).addedAt
    joined.now = added + 299
    expect(joined.refusal(joined.removing('jit', 2230, 3710))).toBe('too-young')
    joined.now = added + 300
    joined.must(joined.removing('jit', 2230, 3710))
  })

  test('T041: no route goes without a bound, and every route keeps to the one it is given', () => {
    const m = openMarket({ wallets: ['ann', 'saver'] })
    m.fund('ann', 10n * JLP)
    m.fund('lp', 0n)
    m.must(m.ptOrder('saver', 'buy-pt', { pt: 20n * JLP }))
    m.must(m.order('ann', 'long', { yt: 20n * JLP }))
    const { rate } = m.pool()
    const below = (order: Instruction): void => void expect(m.refusal(order), order.kind).toBe('below-minimum')
    below(m.order('ann', 'long', { yt: 10n ** 9n }, { spot: true, minimum: 10n ** 9n + 1n }))
    below(m.order('ann', 'reduce', { yt: 1n * JLP }, { minimum: JLP + 1n }))
    below({ ...m.order('ann', 'close'), minimum: 20n * JLP + 1n })
    below({ ...m.ptOrder('saver', 'buy-pt', { st: JLP }), minimum: 2n * JLP })
    below({ ...m.ptOrder('saver', 'sell-pt', { pt: JLP }), minimum: JLP + 1n })
    below({ ...m.removing('lp', 2230, 3710, { num: 1n, den: 2n }), minimum: 10n ** 12n })
    below({ ...m.removing('lp', 2230, 3710, { num: 1n, den: 2n }), minimum: 10n ** 12n, zap: { limitRate: ANY_RATE } })
    const reached = (order: Instruction): void => void expect(m.refusal(order), order.kind).toBe('limit-reached')
    reached(m.order('ann', 'long', { yt: JLP }, { limitRate: rate - 1n }))
    reached(m.order('ann', 'reduce', { yt: JLP }, { limitRate: rate + 1n }))
    reached({ ...m.ptOrder('saver', 'buy-pt', { pt: JLP }), limitRate: rate + 1n })
    reached({ ...m.ptOrder('saver', 'sell-pt', { pt: JLP }), limitRate: rate - 1n })
    // A limit on the way is kept to the ulp, and what would be less than the minimum before it is refused.
    const limitRate = rate + ONE_Q64 / 1000n
    const part = m.fork()
    part.must(m.order('ann', 'long', { yt: 10n ** 10n }, { spot: true, limitRate }))
    expect(part.pool().rate).toBeLessThanOrEqual(limitRate)
    expect(part.pool().rate).toBeGreaterThan(limitRate - ONE_Q64 / 10n ** 6n)
    // The shortfall of a zap is paid in kind, never sold past its limit.
    const zapped = m.fork()
    const removal = { ...zapped.removing('lp', 2230, 3710, { num: 1n, den: 2n }), zap: { limitRate: rate } }
    zapped.must(removal)
    expect(zapped.pool().rate).toBe(rate)
  })

  test('T041: a bound that is left out is not taken for none: what the type forbids is refused at run time too', () => {
    const m = openMarket({ wallets: ['ann'] })
    m.fund('ann', 10n * JLP)
    // @ts-expect-error the limit is missing
    const noLimit: Instruction = { ...m.order('ann', 'long', { yt: JLP }), limitRate: undefined }
    // @ts-expect-error the minimum is missing
    const noMinimum: Instruction = { ...m.order('ann', 'long', { yt: JLP }), minimum: undefined }
    // @ts-expect-error the deadline is missing
    const noDeadline: Instruction = { ...m.order('ann', 'long', { yt: JLP }), deadline: undefined }
    for (const order of [noLimit, noMinimum, noDeadline]) expect(m.fork().run(order).kind).toBe('refused')
    expect(m.refusal(m.order('ann', 'long', { yt: JLP }, { deadline: Number.NaN }))).toBe('deadline-passed')
  })

  test('T042: an order is good until and at its deadline, and not a second longer, on every route', () => {
    const m = openMarket({ wallets: ['ann', 'saver'] })
    m.fund('ann', 10n * JLP)
    m.fund('lp', 0n)
    m.must(m.ptOrder('saver', 'buy-pt', { pt: 20n * JLP }))
    m.must(m.order('ann', 'long', { yt: 20n * JLP }))
    const deadline = m.now
    const orders: Instruction[] = [
      m.order('ann', 'long', { yt: JLP }, { deadline }),
      m.order('ann', 'reduce', { yt: JLP }, { deadline }),
      m.order('ann', 'close', undefined, { deadline }),
      { ...m.ptOrder('saver', 'buy-pt', { pt: JLP }), deadline },
      { ...m.ptOrder('saver', 'sell-pt', { pt: JLP }), deadline },
      { ...m.adding('lp', 2230, 3710, 10n ** 9n), deadline },
      { ...m.removing('lp', 2230, 3710, { num: 1n, den: 2n }), deadline },
    ]
    for (const order of orders) m.fork().must(order)
    m.wait(1)
    for (const order of orders) expect(m.refusal(order), order.kind).toBe('deadline-passed')
  })

  test('T043: a roll into the same market, or an earlier one, is refused', () => {
    const m = openMarket({ wallets: ['ann'] })
    m.fund('ann', 10n * JLP)
    m.fund('ann', 0n, 1)
    m.must(m.order('ann', 'long', { yt: 20n * JLP }))
    const bounds = { limitRate: ANY_RATE, closeLimitRate: 0n, minimum: 0n, deadline: NEVER }
    const to = (ref: { market: string; owner: string; sub: number }): Instruction => ({
      kind: 'roll',
      ...m.ref('ann'),
      to: ref,
      amount: { yt: JLP },
      ...bounds,
    })
    expect(m.refusal(to(m.ref('ann')))).toBe('bad-parameter')
    expect(m.refusal(to(m.ref('ann', 1)))).toBe('bad-parameter')
    const { maturity } = parseMarketName('JLP-2410')
    m.must({ kind: 'create-market', by: 'ann', coupon: 'hourly', maturity, rate: tickRate(3000) })
    m.must({ kind: 'open-account', market: 'JLP-2410', owner: 'ann', sub: 0 })
    expect(m.refusal(to({ market: 'JLP-2410', owner: 'ann', sub: 0 }))).toBe('bad-parameter')
    expect(m.refusal(to({ market: 'JLP-2412', owner: 'ann', sub: 0 }))).toBe('unknown-market')
    expect(m.refusal(to({ ...m.ref('lp'), market: 'JLP-2412' }))).toBe('unauthorised')
  })

  test('T044 I8: a YT bought by splitting and selling the PT pays its proceeds to the payer alone', () => {
    const m = openMarket({ wallets: ['ann', 'bob'] })
    for (const owner of ['ann', 'bob']) m.fund(owner, 0n)
    const paid = [...m.ledger.balances].filter(([id]) => !id.endsWith(':ann'))
    const before = m.balance('ann')
    const split = m.must({ kind: 'split', ...m.ref('ann'), yt: 50n * JLP })
    const sold = m.must(m.ptOrder('ann', 'sell-pt', { pt: 50n * JLP }))
    for (const { events } of [split, sold]) {
      for (const event of events)
        if (event.type === 'balance' || event.type === 'account') expect(event.owner).toBe('ann')
    }
    expect([...m.ledger.balances].filter(([id]) => !id.endsWith(':ann'))).toEqual(paid)
    const swapped = sold.events.find(e => e.type === 'swapped')!
    expect(before - m.balance('ann')).toBe(50n * JLP - swapped.amount + swapped.fee.total)
    expect(m.account('ann')).toMatchObject({ yt: 50n * JLP, margin: 0n, st: 0n })
    // It costs what buying the YT costs, to the rounding of one atom.
    const direct = openMarket({ wallets: ['ann'] })
    direct.fund('ann', 10n * JLP)
    direct.must(direct.order('ann', 'long', { yt: 50n * JLP }, { spot: true }))
    const cost = 10n * JLP - cash(direct, 'ann')
    expect(before - m.balance('ann') - cost).toBeGreaterThanOrEqual(-1n)
    expect(before - m.balance('ann') - cost).toBeLessThanOrEqual(1n)
  })

  test('T045: what a leaving LP leaves behind for a deficit is priced at TWAP: pushing the rate in the same second changes nothing', () => {
    const m = openMarket({
      wallets: ['long', 'saver', 'mallory'],
      liquidity: [{ jlp: 2000n * JLP }, { owner: 'lp2', lower: 2500, upper: 3300, jlp: 500n * JLP }],
    })
    m.fund('long', JLP / 2n)
    m.must(m.order('long', 'long', { yt: 40n * JLP }))
    m.must(m.ptOrder('saver', 'buy-pt', { st: 100n * JLP }))
    m.pass(40 * DAY, 0)
    m.must({ kind: 'take-over', ...m.ref('long') })
    m.drain()
    expect(m.pool().deficit).toBeGreaterThan(JLP / 10n)
    m.fund('mallory', 100n * JLP)
    m.fund('lp2', 0n)
    m.wait(600)
    const pushed = m.fork()
    pushed.must(pushed.order('mallory', 'long', { yt: 600n * JLP }, { spot: true }))
    expect(pushed.pool().rate - m.pool().rate).toBeGreaterThan(ONE_Q64 / 100n)
    expect(twapOf(pushed)).toBe(twapOf(m))
    // The share left behind is the deficit over the equity of all LPs at the mean rate, to the atom, pushed or not.
    const share = (at: OpenMarket): number => {
      const { deficit } = at.pool()
      const all = lpEquity(at.market(), ytInJlp(twapOf(at), at.pool()))
      const { events } = at.must(at.removing('lp2', 2500, 3300, { num: 1n, den: 2n }))
      const { jlp, withheld } = events.find(e => e.type === 'liquidity-removed')!
      expect(withheld.jlp).toBe(((jlp + withheld.jlp) * deficit + all - 1n) / all)
      return Number(withheld.jlp) / Number(jlp + withheld.jlp) / Number(deficit)
    }
    expect(Math.abs(share(pushed) / share(m) - 1)).toBeLessThan(0.01)
  })

  test('T046: two swaps in the same second are one observation, of the rate before the first', () => {
    const m = openMarket({ wallets: ['ann'] })
    m.fund('ann', 2000n * JLP)
    m.wait(1)
    const { rate } = m.pool()
    m.must(m.order('ann', 'long', { yt: 2000n * JLP }, { spot: true }))
    const { oracle } = m.ledger.markets.get(m.id)!
    expect(oracle.observed).toBe(rate)
    m.must(m.order('ann', 'long', { yt: 2000n * JLP }, { spot: true }))
    m.must(m.order('ann', 'close'))
    m.must(m.order('ann', 'long', { yt: 3000n * JLP }, { spot: true }))
    expect(m.ledger.markets.get(m.id)!.oracle).toEqual(oracle)
    expect(twapOf(m)).toBe(rate)
    // A second later the observed rate has moved by the clamp at most, whatever was traded.
    const last = m.pool().rate
    expect(last - rate).toBeGreaterThan(20n * (ONE_Q64 / 10_000n))
    m.wait(1)
    m.must({ kind: 'deposit', ...m.ref('ann'), jlp: 1n })
    expect(m.ledger.markets.get(m.id)!.oracle.observed - rate).toBe(ONE_Q64 / 10_000n)
  })

  test('T047 T049: ten windows without a trade, and a window across coupons, give the rate that stood: a coupon moves no TWAP', () => {
    const m = openMarket({ wallets: ['ann'] })
    m.fund('ann', 100n * JLP)
    m.must(m.order('ann', 'long', { yt: 30n * JLP }, { spot: true }))
    const { rate } = m.pool()
    m.wait(3000)
    expect(twapOf(m)).toBe(rate)
    // Price decays, the rate in it does not: across a coupon in the middle of the window.
    const before = ytInJlp(rate, m.pool())
    m.now = m.ledger.indices.hourly.lastStep + HOUR + 150
    m.wait(150)
    const waiting = twapOf(m)
    m.coupon(0.5)
    expect(twapOf(m)).toBe(waiting)
    expect(waiting).toBe(rate)
    expect(ytInJlp(twapOf(m), m.pool())).toBeLessThan(before)
    // A trade 100 s before a coupon counts with its seconds, as it would without one.
    const tradeAt = (coupon: boolean): bigint => {
      const at = m.fork()
      at.now = at.ledger.indices.hourly.lastStep + HOUR + 200
      at.must(at.order('ann', 'reduce', { yt: 25n * JLP }))
      if (coupon) at.coupon(0.5)
      at.now = at.ledger.indices.hourly.lastStep + (coupon ? 0 : HOUR) + 300
      return twapOf(at)
    }
    expect(tradeAt(true)).toBe(tradeAt(false))
    expect(tradeAt(true)).toBeLessThan(rate)
    expect(BUCKET_SECONDS * 15).toBe(m.market().terms.twapWindow)
  })

  test('T048: the cap on open interest holds on either side for any number of wallets', () => {
    const wallets = Array.from({ length: 8 }, (_, i) => `w${i}`)
    const cap = 100n * JLP // 10 % of the supply
    const m = openMarket({ wallets, liquidity: WIDE, jlpSupply: 1000n * JLP })
    const face = (yt: bigint): bigint => (yt * m.pool().discount + ONE_Q64 - 1n) >> 64n
    for (const side of ['long', 'short'] as const) {
      const at = m.fork()
      let open = 0n
      for (const owner of wallets) {
        at.fund(owner, 50n * JLP)
        for (const yt of [60n * JLP, 20n * JLP, 7n * JLP, JLP, 1000n, 1n]) {
          while (at.run(at.order(owner, side, { yt })).kind === 'applied') open += yt
        }
        expect(face(open)).toBeLessThanOrEqual(cap)
      }
      expect(face(open + 1n)).toBeGreaterThan(cap)
      expect(at.refusal(at.order('w0', side, { yt: 1n }))).toBe('open-interest')
      if (side === 'long') expect(at.refusal({ kind: 'split', ...at.ref('w1'), yt: 1n })).toBe('open-interest')
      // The other side has its own room.
      const other = side === 'long' ? 'short' : 'long'
      at.must({ kind: 'open-account', ...at.ref('w0', 1) })
      at.must({ kind: 'deposit', ...at.ref('w0', 1), jlp: 50n * JLP })
      at.must(at.order('w0', other, { yt: 60n * JLP }, { sub: 1 }))
      // Without any supply nothing can be opened, and everything can be closed.
      at.jlpSupply = 0n
      at.must(at.order('w0', 'close', undefined, { sub: 1 }))
      at.must(at.order('w0', 'reduce', { yt: JLP }))
    }
  })

  test('T048: only an exit passes the cap: YT that a range has bought are paid out, and then nobody opens', () => {
    const m = openMarket({ wallets: ['ann', 'bob'], liquidity: WIDE, jlpSupply: 1000n * JLP })
    for (const owner of ['ann', 'bob']) m.fund(owner, 50n * JLP)
    m.must({ kind: 'split', ...m.ref('ann'), yt: 100n * JLP })
    expect(m.refusal({ kind: 'split', ...m.ref('ann'), yt: 1n })).toBe('open-interest')
    const upper = Math.floor(ticksOf(m) / 10) * 10
    m.provide('ann', upper - 10, upper, 100n * JLP)
    m.must({ ...m.ptOrder('ann', 'buy-pt', { pt: 20_000n * JLP }), limitRate: tickRate(upper - 10) })
    m.wait(300)
    const { events } = m.must(m.removing('ann', upper - 10, upper))
    const { yt } = events.find(e => e.type === 'liquidity-removed')!
    expect(yt).toBeGreaterThan(1000n * JLP)
    expect(m.account('ann').yt).toBe(100n * JLP + yt)
    for (const owner of ['ann', 'bob']) {
      expect(m.refusal(m.order(owner, 'long', { yt: 1n }))).toBe('open-interest')
      expect(m.refusal({ kind: 'split', ...m.ref(owner), yt: 1n })).toBe('open-interest')
    }
    // Until enough of it is gone again.
    m.must({ kind: 'merge', ...m.ref('ann'), yt: yt + JLP })
    m.must(m.order('bob', 'long', { yt: JLP }))
    expect(m.refusal(m.order('bob', 'long', { yt: 1n }))).toBe('open-interest')
  })

  test('T050: a ladder of 500 ticks and 1,000 positions: 64 are crossed, the fill is partial and the rest of the state is clean', () => {
    const m = openMarket({ liquidity: [], wallets: ['lp', 'ann'], days: 86, apy: '40%' })
    m.auditing = false
    m.fund('ann', 10n ** 11n)
    const bottom = Math.ceil(ticksOf(m) / 10) * 10
    for (let i = 0; i < 500; i++) {
      m.provide('lp', bottom + 10 * i, bottom + 10 * i + 10, JLP)
      m.provide('ann', bottom + 10 * i, bottom + 10 * i + 20, JLP)
    }
    m.check()
    m.wait(300)
    const { events } = m.must(m.order('ann', 'long', { yt: 10n ** 11n }, { spot: true }))
    const swapped = events.find(e => e.type === 'swapped')!
    expect(swapped.complete).toBe(false)
    expect(ticksOf(m)).toBeLessThanOrEqual(bottom + 640)
    expect(ticksOf(m)).toBeGreaterThanOrEqual(bottom + 620)
    m.check()
    const again = m.must(m.order('ann', 'long', { yt: 10n ** 11n }, { spot: true }))
    expect(again.events.some(e => e.type === 'swapped' && e.filled > 0n)).toBe(true)
    m.check()
    // A margined position of many stretches is liquidated through them all the same.
    const held = m.account('ann').yt
    m.must(m.order('ann', 'reduce', { yt: held / 2n }))
    m.check()
  })

  test('T051 I14: the rate leaves the only range and comes back: no reserve is negative, every exit is paid', () => {
    const m = openMarket({ liquidity: [{ jlp: 500n * JLP, lower: 2700, upper: 3000 }], wallets: ['ann'] })
    for (const owner of ['ann', 'lp']) m.fund(owner, 0n)
    m.must({ kind: 'split', ...m.ref('ann'), yt: 10n ** 11n })
    for (const way of ['sell-pt', 'buy-pt', 'sell-pt'] as const) {
      m.must(m.ptOrder('ann', way, { pt: 9n * 10n ** 10n }))
      expect(way === 'buy-pt' ? tickRate(2700) : tickRate(3000)).toBe(m.pool().rate)
      const end = m.fork()
      end.coupon(1)
      end.must(end.removing('lp', 2700, 3000))
      // What was sold comes back as PT, what was bought as YT, never both.
      expect(end.pt('lp') === 0n || end.account('lp').yt === 0n).toBe(true)
      expect(end.pt('lp') + end.account('lp').yt).toBeGreaterThan(10n * JLP)
      end.mature(0.3)
      end.must({ kind: 'settle', ...end.ref('ann') })
      end.must({ kind: 'redeem-pt', market: end.id, owner: 'ann', pt: end.pt('ann') })
      end.must({ kind: 'withdraw', ...end.ref('ann'), jlp: end.account('ann').margin })
      expect(end.pool().deficit).toBe(0n)
    }
  })

  test('T051 T013 I28: a YT that is paid in full locks no liquidity in', () => {
    const m = openMarket({ liquidity: [{ jlp: 500n * JLP }], wallets: ['ann'] })
    m.fund('ann', 500n * JLP)
    m.fund('lp', 0n)
    m.must(m.order('ann', 'long', { yt: 1000n * JLP }, { spot: true }))
    expect(m.refusal(m.removing('lp', 2230, 3710))).toBe('applied')
  })

  test('T051 I28: at the very edge of the liquidity a borrower can still close, and be liquidated', () => {
    const m = openMarket({
      apy: '42%',
      liquidity: [{ jlp: 100n * JLP, lower: 2500, upper: 3600 }],
      wallets: ['long', 'x'],
    })
    m.fund('long', 3n * JLP)
    m.must(m.order('long', 'long', { yt: 1000n * JLP }))
    expect(m.pool()).toMatchObject({ tick: 3600, rate: tickRate(3600), liquidity: 0n })
    const close = m.fork()
    expect(close.refusal(close.order('long', 'close'))).toBe('applied')
    while (m.keeping('long') === undefined) m.pass(6 * HOUR, 0)
    m.must(m.keeping('long')!)
    expect(m.pool().deficit).toBe(0n)
  })

  test('T052: trades that swing the rate of a market in its last day change nothing of the next one', () => {
    const m = openMarket({
      days: 0.75,
      apy: '60%',
      liquidity: [{ jlp: 100n * JLP, lower: 500, upper: 13_000 }],
      wallets: ['ann'],
    })
    m.fund('ann', 10n * JLP)
    const { rate } = m.pool()
    const cost = (): bigint => 10n * JLP - cash(m, 'ann')
    m.must(m.order('ann', 'long', { yt: 10n ** 9n }, { spot: true, limitRate: rate * 2n }))
    expect(m.pool().rate).toBeGreaterThan((rate * 15n) / 10n) // annualised, a swing for next to nothing
    expect(cost()).toBeLessThan(JLP)
    const { maturity } = parseMarketName('JLP-2412')
    const plain = openMarket({ days: 0.75, wallets: ['ann'] })
    for (const at of [m, plain]) {
      at.must({ kind: 'create-market', by: 'creator', coupon: 'hourly', maturity, rate: tickRate(3000) })
    }
    const created = m.ledger.markets.get('JLP-2412')!
    expect(created).toEqual(plain.ledger.markets.get('JLP-2412'))
    expect(created.pool.rate).toBe(tickRate(3000))
    expect(created.oracle.observed).toBe(tickRate(3000))
    // And the old one's mean rate moves by the clamp at most until it ends.
    m.wait(10)
    expect(twapOf(m) - rate).toBeLessThanOrEqual((10n * 11n * (ONE_Q64 / 10_000n)) / 2n / 10n)
  })
})

// ---- the search ----------------------------------------------------------------------------------------------------------

const PARTY = ['ann', 'bob']

/** A market with extreme or ordinary liquidity, and two wallets that work together, in which nothing but rounding is for free. */
const arena = (random: Random): OpenMarket => {
  const lower = 10 * random.int(200, 300)
  const middle = 10 * random.int(310, 340)
  const upper = 10 * random.int(350, 450)
  const jlp = (): bigint => JLP * random.magnitude(10_000n) + random.magnitude(JLP)
  const liquidity = [{ owner: 'lp', lower, upper, jlp: 2n * jlp() }]
  if (random.int(0, 1) === 0) liquidity.push({ owner: 'lp2', lower: middle, upper: middle + 10, jlp: jlp() })
  if (random.int(0, 2) > 0) {
    const range = {
      lower: random.pick([lower, middle, middle - 10]),
      upper: random.pick([middle + 10, upper, middle + 20]),
    }
    liquidity.push({ owner: 'ann', ...range, jlp: jlp() })
  }
  if (random.int(0, 2) === 0) liquidity.push({ owner: 'bob', lower: middle - 10, upper, jlp: jlp() })
  const m = openMarket({
    wallets: PARTY,
    liquidity,
    balance: 10n ** 15n,
    jlpSupply: 10n ** 18n,
    days: random.pick([1, 2, 7, 30, 86, 365, 700]),
    apy: random.pick(['37%', '40%', '42.123%']),
    discount: random.pick([ONE_Q64, ONE_Q64 - 1n, (ONE_Q64 * 3n) / 4n, (ONE_Q64 * 10n) / 77n]),
    terms: { feeBps: 1, lpShareBps: random.pick([2500, 10_000]), insuranceShareBps: 2500, openInterestBps: 2000 },
  })
  m.auditing = false
  for (const owner of PARTY) m.fund(owner, jlp())
  return m
}

/** One attempt of the party; undefined if there is nothing to try it on. */
const attempt = (m: OpenMarket, random: Random, scale: bigint): Instruction | undefined => {
  const size = (): bigint => random.magnitude(scale)
  const owner = random.pick(PARTY)
  const coin = (): boolean => random.int(0, 1) === 0
  const own = [...m.ledger.positions.values()].filter(position => PARTY.includes(position.owner))
  const range = own.length === 0 ? undefined : random.pick(own)
  const all = { num: 1n, den: 1n }
  const share = random.pick([all, { num: 1n, den: 3n }, { num: random.big(1n, 1n << 32n), den: 1n << 32n }])
  const ticks = range?.position ?? { lower: 3000, upper: 3100 }
  const removal = range && m.removing(range.owner, ticks.lower, ticks.upper, share)
  const spot = coin()
  const [pt, { yt }] = [m.pt(owner), m.account(owner)]
  const to = m.ref(owner === 'ann' ? 'bob' : 'ann')
  const choices: readonly (() => Instruction | undefined)[] = [
    () => m.order(owner, 'long', coin() ? { yt: size() } : { st: size() }, { spot }),
    () => m.order(owner, 'short', coin() ? { yt: size() } : { st: size() }, { spot }),
    () => m.order(owner, 'reduce', coin() ? { yt: size() } : { st: size() }),
    () => m.order(owner, 'close'),
    () => m.ptOrder(owner, coin() ? 'buy-pt' : 'sell-pt', coin() ? { pt: size() } : { st: size() }),
    () => (pt > 0n ? m.ptOrder(owner, 'sell-pt', { pt }) : undefined),
    () => ({ kind: coin() ? 'split' : 'merge', ...m.ref(owner), yt: size() }),
    () => ({ kind: 'merge', ...m.ref(owner), yt: pt < yt ? pt : yt }),
    () => ({
      kind: 'transfer',
      ...m.ref(owner),
      to,
      margin: coin() ? size() : 0n,
      yt: yt > 0n ? random.magnitude(yt) : 0n,
    }),
    () => ({ kind: coin() ? 'deposit' : 'withdraw', ...m.ref(owner), jlp: size() }),
    () => removal,
    () => removal && { ...removal, zap: { limitRate: coin() ? 0n : ANY_RATE } },
    () => range && { kind: 'collect', market: m.id, owner: range.owner, lower: ticks.lower, upper: ticks.upper },
    () => range && m.adding(range.owner, ticks.lower, ticks.upper, random.magnitude(10n ** 12n)),
    () => m.keeping(owner, 0, 'ann'),
    () => ({ kind: 'take-over', ...m.ref(owner) }),
    () => ({ kind: 'reduce-fund', market: m.id, yt: size() }),
  ]
  return random.pick(choices)()
}

describe('A search for profit', () => {
  test('T020 T022 T024 T032 T035 T038 T040 I12: 500 random parties of two at a fixed time and discount leave with no more than they brought', () => {
    let applied = 0
    for (let seed = 0n; seed < 500n; seed++) {
      const random = new Random(seed)
      const m = arena(random)
      const before = m.wealth(PARTY)
      const scale = random.pick([10n, JLP, 1000n * JLP, 100_000n * JLP])
      for (let i = 0; i < 25; i++) {
        const instruction = attempt(m, random, scale)
        if (instruction !== undefined && m.run(instruction).kind === 'applied') applied += 1
      }
      m.check()
      expect(m.wealth(PARTY, true), `seed ${seed}`).toBeLessThanOrEqual(before)
    }
    expect(applied).toBeGreaterThan(4000)
  })
})
