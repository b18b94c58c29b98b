/**
 * The on-chain program and the reference engine, asked the same: whole lives at random, and scenes for what chance reaches too seldom.
 * Every refusal, record, account field and balance is compared by test/campaigns/program-twin.ts, which throws at the first difference.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { type JlpAtoms, parseMarketName } from '../../amm/index.ts'
import { bisect } from '../../amm/inverse.ts'
import { accountId, apply, DEFAULT_TERMS, type Instruction, lpEquity, type Of } from '../../src/exchange/index.ts'
import { backing } from '../../src/exchange/margin.ts'
import { lowestDiscount } from '../../src/oracle/accrual.ts'
import { newStats } from '../campaigns/exchange-desk.ts'
import { programLives } from '../campaigns/program.ts'
import { Twin } from '../campaigns/program-twin.ts'
import { ANY_RATE, CONFIG, DAY, HOUR, JLP, NEVER, openMarket, WEEK } from '../exchange/market.ts'
import { Random } from '../generate/random.ts'
import { TwinMarket, type TwinOptions } from './twin-market.ts'

const ASKED = 7500
/** Of each instruction. */
const LEAST = 20

/** Refusals of the engine that no state of a market leads to (test/exchange/campaign.test.ts), and what a chain says instead of others. */
const CODES = [
  ...['uninitialised', 'already-initialised', 'same-account', 'not-empty', 'wrong-market'],
  ...['bad-amount', 'bad-parameter', 'insufficient-balance', 'insufficient-margin', 'insufficient-yt'],
  ...['below-minimum', 'above-maximum', 'zero-amount', 'amount-too-small'],
  ...['deadline-passed', 'time-backwards', 'coupon-due', 'reduce-only', 'paused', 'not-matured', 'matured'],
  ...['too-early', 'bad-source', 'stale-source'],
  ...[
    'not-triggered',
    'opposite-position',
    'exceeds-position',
    'no-position',
    'not-spot',
    'history-short',
    'undercollateralised',
  ],
  ...['not-better', 'open-interest', 'backing', 'too-young', 'limit-reached', 'no-liquidity'],
  ...['deficit-stands', 'liquidity-limit', 'deposit-too-small', 'share-out-of-range', 'position-empty'],
  ...['healthy', 'wrong-amount', 'fund-short', 'awaiting-settlement', 'unauthorised', 'pause-limit'],
]

const applied = new Map<string, number>()
const refused = new Map<string, number>()
const add = (to: Map<string, number>, from: Iterable<readonly [string, number]>): void => {
  for (const [name, n] of from) to.set(name, (to.get(name) ?? 0) + n)
}

class Scene extends TwinMarket {
  constructor(options?: TwinOptions) {
    super(options)
    scenes.push(this)
  }

  override run(instruction: Instruction): ReturnType<TwinMarket['run']> {
    const result = super.run(instruction)
    if (result.kind === 'refused') add(refused, [[result.told, 1]])
    else add(applied, [[instruction.kind === 'trade' ? `trade ${instruction.action}` : instruction.kind, 1]])
    return result
  }
}
const scenes: TwinMarket[] = []
afterAll(() => {
  for (const { twin } of scenes) twin.compareAll()
})

test(`${ASKED} instructions of whole lives`, () => {
  const stats = programLives(new Random(106n), ASKED, newStats())
  const asked = stats.applied + stats.refused
  expect(asked).toBeGreaterThanOrEqual(ASKED)
  expect(stats.applied / asked).toBeGreaterThan(0.6)
  for (const event of ['deficit', 'withheld']) expect([event, stats.events.has(event)]).toEqual([event, true])
  add(applied, stats.kinds)
  add(refused, stats.codes)
})

const times = (n: number, work: (i: number) => void): void => {
  for (let i = 0; i < n; i++) work(i)
}

describe('scenes', () => {
  test('many maturities of both kinds', () => {
    const m = new Scene({ days: 27 })
    const months = Array.from({ length: 12 }, (_, i) => `JLP-25${String(i + 1).padStart(2, '0')}`)
    for (const name of [...months, ...months.map(month => `${month}-W`)]) {
      const { maturity, kind } = parseMarketName(name)
      m.must({ kind: 'create-market', by: 'creator', coupon: kind, maturity, rate: ANY_RATE / 20n })
    }
    const far = parseMarketName('JLP-2706').maturity
    const create = { kind: 'create-market', by: 'creator', coupon: 'hourly', rate: ANY_RATE / 20n } as const
    expect(m.told({ ...create, maturity: far })).toBe('bad-parameter')
    expect(m.told({ ...create, maturity: m.now + 5 * DAY })).toBe('bad-parameter')
    expect(m.told({ ...create, maturity: m.now - 5 * DAY })).toBe('matured')
    expect(m.told({ ...create, maturity: parseMarketName('JLP-2411').maturity })).toBe('already-initialised')
    const { feeBps } = DEFAULT_TERMS.hourly
    const { maturity } = parseMarketName('JLP-2601')
    expect(m.told({ ...create, maturity, terms: { feeBps } })).toBe('unauthorised')
  })

  test('pauses, terms and authorities', () => {
    const m = new Scene({ wallets: ['ann'] })
    const terms = { ...m.market().terms, openInterestBps: 2000 }
    const pauser = { by: 'pauser' }
    times(LEAST, i => {
      m.must({ kind: 'pause', ...pauser })
      expect(m.told({ kind: 'pause', ...pauser })).toBe('pause-limit')
      if (i === 0) expect(m.told({ kind: 'split', ...m.ref('ann'), yt: JLP })).toBe('uninitialised')
      m.must({
        kind: 'propose-terms',
        by: m.ledger.config.authority,
        market: m.id,
        terms: { ...terms, feeBps: 10 + i },
      })
      expect(m.told({ kind: 'apply-terms', market: m.id })).toBe('too-early')
      m.must({ kind: 'unpause', ...pauser })
      expect(m.told({ kind: 'unpause', ...pauser })).toBe('pause-limit')
      m.wait(DAY)
      m.must({ kind: 'apply-terms', market: m.id })
      const next = i % 2 === 0 ? 'council' : 'authority'
      m.must({ kind: 'propose-authority', by: m.ledger.config.authority, authority: next })
      expect(m.told({ kind: 'accept-authority', by: 'pauser' })).toBe('unauthorised')
      m.must({ kind: 'accept-authority', by: next })
      expect(m.told({ kind: 'appoint', by: 'pauser', pauser: 'ann', treasury: 'ann' })).toBe('unauthorised')
      m.must({ kind: 'appoint', by: next, pauser: i % 2 === 0 ? 'ann' : 'pauser', treasury: 'treasury' })
      m.must({ kind: 'appoint', by: next, pauser: 'pauser', treasury: i % 2 === 0 ? 'ann' : 'treasury' })
      m.must({ kind: 'catch-up', market: m.id })
    })
    expect(m.told({ kind: 'apply-terms', market: m.id })).toBe('zero-amount')
  })

  for (const name of ['JLP-2411', 'JLP-2411-W']) {
    test(`${name} without data is final after a week`, () => {
      const m = new Scene({ name, days: 14, wallets: ['ann', 'bob'] })
      m.fund('ann', 100n * JLP)
      m.must(m.order('ann', 'long', { yt: 900n * JLP }))
      m.must(m.ptOrder('bob', 'buy-pt', { st: 50n * JLP }))
      const { maturity, kind } = m.market()
      const finalise: Of<'finalise'> = { kind: 'finalise', coupon: kind, maturity }
      m.now = maturity + WEEK - 1
      expect(m.told(finalise)).toBe('too-early')
      expect(m.told({ kind: 'settle', ...m.ref('ann') })).toBe('not-matured')
      m.now++
      times(LEAST / 2, () => m.must(finalise))
      m.must({ kind: 'settle', ...m.ref('ann') })
      m.must({ kind: 'redeem-pt', market: m.id, owner: 'bob', pt: m.pt('bob') })
      m.must(m.removing('lp', 2230, 3710))
      expect(m.told({ kind: 'open-account', ...m.ref('bob') })).toBe('matured')
    })
  }

  test('rolls to a later market', () => {
    const m = new Scene({ wallets: ['ann'] })
    const { maturity, kind } = parseMarketName('JLP-2412')
    m.must({ kind: 'create-market', by: 'creator', coupon: kind, maturity, rate: m.pool().rate })
    const there = { market: 'JLP-2412', owner: 'lp', lower: 2230, upper: 3710 }
    m.must({ kind: 'open-position', ...there })
    m.must({ ...m.adding('lp', 2230, 3710, 10n ** 11n), ...there })
    m.wait(400)
    times(LEAST, sub => {
      m.fund('ann', 100n * JLP, sub)
      m.must({ kind: 'open-account', market: 'JLP-2412', owner: 'ann', sub })
      const up = sub % 2 === 0
      m.must(m.order('ann', up ? 'long' : 'short', { yt: 200n * JLP }, { sub }))
      m.must({
        kind: 'roll',
        ...m.ref('ann', sub),
        to: { market: 'JLP-2412', owner: 'ann', sub },
        amount: { yt: 150n * JLP },
        closeLimitRate: up ? 0n : ANY_RATE,
        limitRate: up ? ANY_RATE : 0n,
        minimum: 0n,
        deadline: NEVER,
      })
    })
  })

  test('resting orders', () => {
    const m = new Scene({ wallets: ['ann', 'bob'], liquidity: 100_000n * JLP })
    m.fund('ann', 1000n * JLP)
    m.fund('ann', 1000n * JLP, 1)
    const of = (id: number) => ({ ...m.ref('ann'), id })
    times(LEAST, i => {
      const up = i % 2 === 0
      // A limit that fills in part, then what is left of it.
      const limitRate = (m.pool().rate * (up ? 10_010n : 9_990n)) / 10_000n
      const amount = 5_000n * JLP
      const fee = BigInt(i) * 1000n
      m.must(m.resting('ann', up ? 'long' : 'short', amount, { id: i, limitRate, fee, minimum: JLP }))
      expect(m.told(m.resting('ann', 'long', JLP, { id: i }))).toBe('already-initialised')
      expect(m.told(m.filling('ann', i, 'ann'))).toBe('same-account')
      m.must(m.filling('ann', i, 'bob'))
      m.wait(20)
      m.run(m.filling('ann', i, 'bob'))
      if (m.ledger.orders.size > 0) m.must({ kind: 'cancel-order', ...of(i) })
      // A stop that closes what there is, whole or in parts.
      const { rate } = m.pool()
      const trigger = (['rate-above', 'rate-below', 'pnl-above', 'pnl-below'] as const)[i % 4]!
      const far = trigger.startsWith('rate') ? rate : 10n ** 12n
      const [past, ahead] = trigger.endsWith('above') ? [-far, 2n * far] : [2n * far, -far]
      const level = (value: bigint): bigint => (trigger.startsWith('rate') && value < 0n ? 0n : value)
      const action = up ? 'reduce-long' : 'reduce-short'
      const stop = { trigger, fee: 77n, expiresAt: m.now + 60 }
      m.must(m.resting('ann', action, 1n << 61n, { ...stop, level: level(ahead), id: 100 }))
      expect(m.told(m.filling('ann', 100))).toBe('not-triggered')
      expect(m.told({ kind: 'expire-order', ...of(100) })).toBe('too-early')
      m.must(m.resting('ann', action, 10n * JLP, { ...stop, level: level(past), id: 101 }))
      m.must(m.filling('ann', 101, 'bob'))
      m.must(m.resting('ann', action, 1n << 61n, { ...stop, level: level(past), id: 102 }))
      m.must(m.filling('ann', 102, 'bob'))
      expect(m.account('ann').yt).toBe(0n)
      expect(m.told(m.filling('ann', 102))).toBe('uninitialised')
      m.must(m.resting('ann', up ? 'long' : 'short', JLP, { id: 103 }))
      m.must({ kind: 'cancel-order', ...of(103) })
      m.wait(61)
      expect(m.told(m.filling('ann', 100))).toBe('deadline-passed')
      expect(m.told({ kind: 'close-account', ...m.ref('ann') })).toBe('not-empty')
      m.must({ kind: 'expire-order', ...of(100) })
    })
    const terms = (more: Parameters<typeof m.resting>[3], action: 'long' | 'reduce-long' = 'long') =>
      m.told(m.resting('ann', action, JLP, more))
    expect(terms({ limitRate: ANY_RATE + 1n })).toBe('bad-parameter')
    expect(terms({ trigger: 'pnl-above' })).toBe('bad-parameter')
    expect(terms({ level: -1n })).toBe('bad-parameter')
    expect(terms({ trigger: 'pnl-below', level: -(1n << 61n) - 1n }, 'reduce-long')).toBe('bad-parameter')
    expect(terms({ trigger: 'rate-below', level: ANY_RATE + 1n }, 'reduce-long')).toBe('bad-parameter')
    expect(terms({ fee: (1n << 61n) + 1n })).toBe('bad-amount')
    expect(terms({ expiresAt: m.now - 1 })).toBe('deadline-passed')
    // A fee that is a withdrawal by another name.
    m.must(m.order('ann', 'long', { yt: 20_000n * JLP }, { sub: 1 }))
    m.must(m.resting('ann', 'reduce-long', 1n, { sub: 1, fee: JLP }))
    m.must(m.resting('ann', 'reduce-long', JLP, { sub: 1, id: 1, fee: 1000n * JLP }))
    const on1 = (id: number) => ({ ...m.filling('ann', id, 'bob'), sub: 1 })
    expect(m.told(on1(1))).toBe('not-better')
    m.now = m.ledger.indices.hourly.lastStep + HOUR + 300
    expect(m.told(on1(0))).toBe('coupon-due')
    m.wait(2 * HOUR)
    expect(m.told(on1(0))).toBe('reduce-only')
    m.coupon(0.3)
    m.must(on1(0))
    m.mature(0.3)
    expect(m.told(on1(1))).toBe('matured')
    expect(m.told(m.resting('ann', 'long', JLP, { sub: 1, id: 3 }))).toBe('matured')
    m.must({ kind: 'expire-order', ...m.ref('ann', 1), id: 1 })
  })

  test('liquidations', () => {
    const m = new Scene({ wallets: ['ann', 'bob'], liquidity: 100_000n * JLP })
    times(LEAST + 5, sub => {
      m.fund('ann', 5n * JLP, sub)
      m.must(m.order('ann', 'long', { st: (38n + BigInt(sub % 5)) * JLP }, { sub }))
    })
    // Savers buy PT, the rate falls, the average follows.
    times(50, () => {
      m.run(m.ptOrder('bob', 'buy-pt', { st: 700n * JLP }))
      m.wait(30)
      times(LEAST + 5, sub => {
        // Amounts at the edge of what is needed are refused, or not, by both.
        const near = m.keeping('ann', sub)
        if (near?.kind === 'liquidate') {
          // More than is needed by just a 64th part.
          const most = ((near.yt - 1n) * 64n) / 63n
          for (const yt of [most + 2n, most + 1n, most, (near.yt * 63n) / 64n - 1n]) if (yt > 0n) m.run({ ...near, yt })
        }
        const due = m.keeping('ann', sub)
        if (due !== undefined) m.must(due)
      })
    })
  })

  test('profits that are cut', () => {
    const owners = ['ann', 'bob', 'cat'] as const
    const alone = openMarket({ days: 20, wallets: [...owners, 'dan', 'keeper'], liquidity: [{ jlp: 2000n * JLP }] })
    for (const [i, owner] of owners.entries()) {
      alone.fund(owner, 50n * JLP)
      alone.must(alone.order(owner, i === 2 ? 'short' : 'long', { yt: (400n + 7n * BigInt(i)) * JLP }))
    }
    alone.fund('dan', JLP)
    alone.must({ kind: 'split', ...alone.ref('dan'), yt: 10n * JLP }) // open, and owes nothing
    alone.mature(0.95)
    const settled = alone.fork()
    for (const owner of [...owners, 'dan']) settled.must({ kind: 'settle', ...settled.ref(owner) })
    const then = settled.market()
    expect(then.totals.profit).toBeGreaterThan(3n)
    // JLP that nobody has any more: all that LPs bear, and two thirds of all profits.
    const lost = lpEquity(then, 0n) + (2n * then.totals.profit) / 3n
    const market = alone.market()
    alone.ledger.markets.set(alone.id, {
      ...market,
      vault: market.vault - lost,
      pool: { ...market.pool, deficit: (market.pool.deficit + lost) as JlpAtoms },
    })
    const init = { config: CONFIG, lastStep: Math.floor(alone.now / HOUR) * HOUR }
    const twin = new Twin(init, alone.jlpSupply, alone.ledger, alone.world)
    const ask = (instruction: Instruction): string => {
      const result = twin.run(instruction, alone.world)
      return result.kind === 'applied' ? 'applied' : result.told
    }
    const marginOf = (owner: string): bigint => twin.ledger.accounts.get(accountId(alone.ref(owner)))!.margin
    expect(ask({ kind: 'settle', ...alone.ref('ann') })).toBe('applied')
    expect(ask({ kind: 'withdraw', ...alone.ref('ann'), jlp: marginOf('ann') })).toBe('awaiting-settlement')
    for (const owner of owners) expect(ask({ kind: 'settle', ...alone.ref(owner) })).toBe('applied')
    // No debtor is left, but not all profits are known.
    expect(ask({ kind: 'withdraw', ...alone.ref('ann'), jlp: marginOf('ann') })).toBe('awaiting-settlement')
    expect(ask({ kind: 'settle', ...alone.ref('dan') })).toBe('applied')
    expect(twin.ledger.markets.get(alone.id)!.haircut!.uncovered).toBeGreaterThan(0n)
    expect(ask({ kind: 'withdraw', ...alone.ref('ann'), jlp: marginOf('ann') })).toBe('insufficient-margin')
    for (const owner of owners) {
      expect(ask({ kind: 'withdraw', ...alone.ref(owner), jlp: 1n })).toBe('applied')
      const left = marginOf(owner)
      if (left > 0n) expect(ask({ kind: 'withdraw', ...alone.ref(owner), jlp: left })).toBe('applied')
    }
    expect(ask(alone.removing('lp', 2230, 3710))).toBe('applied')
    twin.compareAll()
  })

  test.each([
    ['long', false, 5n],
    ['short', false, 500n],
    ['short', true, 500n],
  ] as const)('backing, to the atom: %s, spot %s', (side, spot, margin) => {
    const alone = openMarket({ wallets: ['ann'], liquidity: [{ jlp: 2000n * JLP }] })
    alone.fund('ann', margin * JLP)
    const market = alone.market()
    const { reserve, owed } = backing(market, lowestDiscount(alone.ledger.indices.hourly, market.maturity))
    // JLP that nobody has any more: only 20 of what backs is left.
    const lost = reserve - owed - 20n * JLP
    alone.ledger.markets.set(alone.id, {
      ...market,
      vault: market.vault - lost,
      pool: { ...market.pool, deficit: (market.pool.deficit + lost) as JlpAtoms },
    })
    const order = (yt: bigint): Of<'trade'> => alone.order('ann', side, { yt }, { spot })
    const isTaken = (yt: bigint): boolean => apply(alone.ledger, order(yt), alone.world).kind === 'applied'
    const most = bisect(isTaken, 1n, 10_000n * JLP)
    const lastStep = Math.floor(alone.now / HOUR) * HOUR
    const twin = new Twin({ config: CONFIG, lastStep }, alone.jlpSupply, alone.ledger, alone.world)
    const beyond = twin.run(order(most + 1n), alone.world)
    expect(beyond.kind === 'refused' && beyond.told).toBe('backing')
    expect(twin.run(order(most), alone.world).kind).toBe('applied')
  })

  test('a reduction by JLP that comes to an atom too many', () => {
    const m = new Scene({ wallets: ['ann'] })
    m.fund('ann', 100n * JLP)
    m.must(m.order('ann', 'long', { yt: 500n * JLP }))
    const isTaken = (st: bigint): boolean =>
      apply(m.ledger, m.order('ann', 'reduce', { st }), m.world).kind === 'applied'
    const most = bisect(isTaken, 1n, 500n * JLP)
    expect(m.told(m.order('ann', 'reduce', { st: most + 1n }))).toBe('exceeds-position')
    m.must(m.order('ann', 'reduce', { st: most }))
  })

  test('liquidity while a deficit stands', () => {
    const alone = openMarket({ wallets: ['keeper'] })
    const market = alone.market()
    const pool = { ...market.pool, deficit: JLP as JlpAtoms }
    alone.ledger.markets.set(alone.id, { ...market, vault: market.vault - JLP, pool })
    const init = { config: CONFIG, lastStep: Math.floor(alone.now / HOUR) * HOUR }
    const twin = new Twin(init, alone.jlpSupply, alone.ledger, alone.world)
    const result = twin.run(alone.adding('lp', 2230, 3710, 10n ** 9n), alone.world)
    expect(result.kind === 'refused' && result.told).toBe('deficit-stands')
    add(refused, [['deficit-stands', 1]])
  })

  test('refusals that chance finds too seldom', () => {
    const m = new Scene({ wallets: ['ann', 'bob'], balance: 1n << 62n, liquidity: 10n ** 9n })
    expect(m.told({ kind: 'deposit', ...m.ref('ann'), jlp: JLP })).toBe('uninitialised')
    m.fund('ann', 0n)
    m.fund('ann', 0n, 1)
    expect(m.told({ kind: 'open-account', ...m.ref('ann') })).toBe('already-initialised')
    expect(m.told({ kind: 'deposit', ...m.ref('ann'), jlp: (1n << 61n) + 1n })).toBe('bad-amount')
    expect(m.told({ kind: 'deposit', ...m.ref('ann'), jlp: 1n << 63n })).toBe('insufficient-balance')
    expect(m.told({ kind: 'deposit', ...m.ref('ann'), jlp: 0n })).toBe('zero-amount')
    m.must({ kind: 'deposit', ...m.ref('ann'), jlp: 100n * JLP })
    const wide = { market: m.id, owner: 'lp', lower: 2230, upper: 3710 }
    expect(m.told({ kind: 'open-position', ...wide })).toBe('already-initialised')
    expect(m.told({ kind: 'open-position', ...wide, upper: 3711 })).toBe('bad-parameter')
    expect(m.told({ ...m.adding('lp', 2230, 3710, 10n ** 9n), maximum: 5n })).toBe('above-maximum')
    expect(m.told(m.adding('lp', 2230, 3710, 1n))).toBe('deposit-too-small')
    expect(m.told(m.adding('lp', 2230, 3710, 1n << 58n))).toBe('liquidity-limit')
    expect(m.told(m.removing('lp', 2230, 3710, { num: 2n, den: 1n }))).toBe('share-out-of-range')
    expect(m.told(m.order('ann', 'reduce', { yt: 5n }))).toBe('no-position')
    expect(m.told(m.order('ann', 'long', { yt: JLP }, { deadline: m.now - 1 }))).toBe('deadline-passed')
    expect(m.told(m.order('ann', 'long', { yt: 10n ** 15n }, { minimum: 10n ** 15n }))).toBe('below-minimum')
    expect(m.told({ kind: 'reduce-fund', market: m.id, yt: 1n })).toBe('no-position')
    m.provide('bob', 2500, 3000, 10n * JLP)
    m.wait(299)
    expect(m.told(m.removing('bob', 2500, 3000))).toBe('too-young')
    m.wait(1)
    m.fund('bob', 0n)
    m.must(m.removing('bob', 2500, 3000))
    m.now -= 10
    expect(m.told({ kind: 'deposit', ...m.ref('ann'), jlp: 1n })).toBe('time-backwards')
    m.now += 10
    const other = { market: 'JLP-2412', owner: 'ann', sub: 0 }
    const { maturity, kind } = parseMarketName('JLP-2412')
    m.must({ kind: 'create-market', by: 'creator', coupon: kind, maturity, rate: m.pool().rate })
    m.must({ kind: 'open-account', ...other })
    expect(m.told({ kind: 'transfer', ...m.ref('ann'), to: other, margin: 1n, yt: 0n })).toBe('wrong-market')
    expect(m.told({ kind: 'transfer', ...m.ref('ann'), to: m.ref('ann'), margin: 1n, yt: 0n })).toBe('same-account')
    m.must(m.ptOrder('ann', 'buy-pt', { st: 10n * JLP }))
    expect(m.told(m.ptOrder('ann', 'sell-pt', { pt: 1n }))).toBe('amount-too-small')
    m.now = m.ledger.indices.hourly.lastStep + HOUR + 300
    expect(m.told(m.order('ann', 'long', { yt: JLP }))).toBe('coupon-due')
    const due = { kind: 'accrue', coupon: 'hourly', earned: { to: 0, fees: 0n, aum: 1n } } as const
    m.twin.chain.at(m.world)
    m.twin.chain.chain.refresh(0n)
    const read = m.twin.run(due, m.world)
    expect(read.kind === 'refused' && read.told).toBe('bad-source')
    m.now += 2 * HOUR
    expect(m.told(m.order('ann', 'long', { yt: JLP }))).toBe('reduce-only')
    m.coupon(0.3)
    m.must(m.order('ann', 'long', { yt: 10n * JLP }))
    expect(m.told(m.order('ann', 'short', { yt: JLP }))).toBe('opposite-position')
    expect(m.told(m.order('ann', 'reduce', { yt: 11n * JLP }))).toBe('exceeds-position')
    expect(m.told({ kind: 'close-account', ...m.ref('ann') })).toBe('not-empty')
    expect(m.told({ kind: 'take-over', ...m.ref('ann') })).toBe('healthy')
    expect(m.told({ kind: 'merge', ...m.ref('ann'), yt: 11n * JLP })).toBe('insufficient-yt')
  })
})

test('every instruction was applied often, and every refusal was seen', () => {
  const seldom = [...applied].filter(([, n]) => n < LEAST)
  expect(seldom).toEqual([])
  expect(applied.size).toBe(42) // 39 instructions, a trade in its four actions
  expect(CODES.filter(code => !refused.has(code))).toEqual([])
})
