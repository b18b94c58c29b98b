/** Resting orders: what they promise their owner, and what whoever fills them cannot make of them. */
import { describe, expect, test } from 'vitest'
import { Draft } from '../../src/exchange/draft.ts'
import type { RestingOrder } from '../../src/exchange/index.ts'
import { accountId, audit, equity, fillableOrders, orderId } from '../../src/exchange/index.ts'
import { backing, ytInJlp } from '../../src/exchange/margin.ts'
import { twapOf } from '../../src/exchange/swap.ts'
import { ANY_RATE, CONFIG, HOUR, JLP, NEVER, type OpenMarket, openMarket } from './market.ts'

const opened = (more: Parameters<typeof openMarket>[0] = {}): OpenMarket => {
  const m = openMarket({ wallets: ['ann', 'bob', 'keeper', 'whale'], ...more })
  m.fund('ann', 20n * JLP)
  return m
}
const longed = (yt = 200n * JLP): OpenMarket => {
  const m = opened()
  m.must(m.order('ann', 'long', { yt }))
  return m
}
const orderOf = (m: OpenMarket, owner = 'ann', id = 0): RestingOrder | undefined =>
  m.ledger.orders.get(orderId({ ...m.ref(owner), id }))
const twapNow = (m: OpenMarket): bigint => twapOf(new Draft(m.ledger, m.world), m.market())
const profitNow = (m: OpenMarket): bigint => {
  const account = m.account('ann')
  return equity(account, ytInJlp(twapNow(m) as never, m.pool())) - account.netDeposits
}
/** Pushes the rate with the whale's own money, in this second. */
const push = (m: OpenMarket, up: boolean, percent: bigint): void => {
  const limitRate = (m.pool().rate * (up ? 100n + percent : 100n - percent)) / 100n
  if (up) {
    m.fund('whale', 5000n * JLP)
    m.must(m.order('whale', 'long', { st: 4000n * JLP }, { spot: true, limitRate }))
  } else {
    m.must({ ...m.ptOrder('whale', 'buy-pt', { st: 500_000n * JLP }), limitRate })
  }
}

describe('placing', () => {
  test('sets nothing aside, and is counted by its account', () => {
    const m = opened()
    const before = m.account('ann')
    m.must(m.resting('ann', 'long', JLP, { fee: 5n }))
    expect(m.account('ann')).toEqual({ ...before, orders: 1 })
    expect(orderOf(m)).toMatchObject({ amount: JLP, fee: 5n, action: 'long' })
    expect(m.refusal(m.resting('ann', 'long', JLP))).toBe('order-exists')
    m.must(m.resting('ann', 'short', JLP, { id: 255 }))
    expect(m.account('ann').orders).toBe(2)
  })

  test('refuses what no order can mean', () => {
    const m = opened()
    const told = (action: RestingOrder['action'], amount: bigint, more: Partial<RestingOrder> = {}) =>
      m.refusal(m.resting('ann', action, amount, more))
    expect(told('long', 0n)).toBe('zero-amount')
    expect(told('long', (1n << 61n) + 1n)).toBe('bad-amount')
    expect(told('long', 1n, { fee: -1n })).toBe('bad-amount')
    expect(told('long', 1n, { fee: (1n << 61n) + 1n })).toBe('bad-amount')
    expect(told('long', 1n, { minimum: -1n })).toBe('bad-amount')
    expect(told('long', 1n, { limitRate: ANY_RATE + 1n })).toBe('bad-parameter')
    expect(told('long', 1n, { expiresAt: m.now - 1 })).toBe('deadline-passed')
    expect(told('long', 1n, { expiresAt: 2 ** 32 })).toBe('bad-parameter')
    expect(told('long', 1n, { id: 256 })).toBe('bad-parameter')
    expect(told('long', 1n, { level: 1n })).toBe('bad-parameter')
    expect(told('long', 1n, { sub: 9 })).toBe('unknown-account')
    expect(told('reduce-long', 1n, { trigger: 'rate-above', level: -1n })).toBe('bad-parameter')
    expect(told('reduce-long', 1n, { trigger: 'pnl-below', level: -(1n << 61n) - 1n })).toBe('bad-parameter')
    expect(told('long', 1n, { expiresAt: m.now })).toBe('applied')
  })

  test('only exits wait for an event', () => {
    const m = opened()
    for (const trigger of ['rate-above', 'rate-below', 'pnl-above', 'pnl-below'] as const) {
      expect(m.refusal(m.resting('ann', 'long', 1n, { trigger }))).toBe('bad-parameter')
      expect(m.refusal(m.resting('ann', 'short', 1n, { trigger }))).toBe('bad-parameter')
      expect(m.refusal(m.resting('ann', 'reduce-long', 1n, { trigger, id: 7 }))).toBe('applied')
      m.must({ kind: 'cancel-order', ...m.ref('ann'), id: 7 })
    }
  })
})

describe('filling', () => {
  test('is the trade itself, but for the fee', () => {
    for (const action of ['long', 'short'] as const) {
      const m = opened()
      const direct = m.fork()
      direct.must(direct.order('ann', action, { yt: 100n * JLP }))
      m.must(m.resting('ann', action, 100n * JLP, { fee: 777n }))
      m.must(m.filling('ann'))
      const [filled, traded] = [m.account('ann'), direct.account('ann')]
      expect(filled).toEqual({ ...traded, margin: traded.margin - 777n })
      expect(m.pool()).toEqual(direct.pool())
      expect(m.balance('keeper')).toBe(direct.balance('keeper') + 777n)
      expect(orderOf(m)).toBe(undefined)
    }
  })

  test('stops at its limit, and pays a part of its fee for a part of it', () => {
    const m = opened()
    const limitRate = (m.pool().rate * 1002n) / 1000n
    const [amount, fee] = [200n * JLP, 1_000_000n]
    const whole = m.fork()
    m.must(m.resting('ann', 'long', amount, { limitRate, fee }))
    m.must(m.filling('ann'))
    const { yt } = m.account('ann')
    expect(yt).toBeGreaterThan(0n)
    expect(yt).toBeLessThan(amount)
    expect(m.pool().rate).toBeLessThanOrEqual(limitRate)
    const paid = (fee * yt) / amount
    expect(m.balance('keeper') - whole.balance('keeper')).toBe(paid)
    expect(orderOf(m)).toMatchObject({ amount: amount - yt, fee: fee - paid })
    expect(m.refusal(m.filling('ann'))).toBe('limit-reached')
  })

  test('is all or nothing with a minimum of all of it, and never for dust', () => {
    const m = opened()
    const limitRate = (m.pool().rate * 1002n) / 1000n
    m.must(m.resting('ann', 'long', 200n * JLP, { limitRate, minimum: 200n * JLP, fee: 5n }))
    expect(m.refusal(m.filling('ann'))).toBe('below-minimum')
    m.must(m.resting('ann', 'long', 200n * JLP, { limitRate, minimum: JLP, fee: 5n, id: 1 }))
    expect(m.refusal(m.filling('ann', 1))).toBe('applied')
  })

  test('the parts of a fee never come to more than it', () => {
    const m = opened()
    const amount = 300n * JLP
    m.must(m.resting('ann', 'long', amount, { fee: 1009n, limitRate: m.pool().rate + (m.pool().rate >> 9n) }))
    const before = m.balance('keeper')
    let fills = 0
    for (let i = 0; i < 60 && orderOf(m) !== undefined; i++) {
      if (m.run(m.filling('ann')).kind === 'applied') fills++
      push(m, false, 1n)
      m.wait(60)
    }
    expect(fills).toBeGreaterThan(1)
    const { fee } = orderOf(m) ?? { fee: 0n }
    expect(m.balance('keeper') - before + fee).toBe(1009n)
  })

  test('meets every condition of a trade', () => {
    const m = opened()
    const told = (order: ReturnType<OpenMarket['resting']>): string => {
      const copy = m.fork()
      copy.must(order)
      return copy.refusal(copy.filling('ann', order.id))
    }
    expect(told(m.resting('ann', 'long', 10_000n * JLP))).toBe('undercollateralised')
    expect(told(m.resting('ann', 'long', 10_000n * JLP, { spot: true }))).toBe('not-spot')
    expect(told(m.resting('ann', 'reduce-long', JLP))).toBe('no-position')
    // A fee that would push the account below its condition.
    expect(told(m.resting('ann', 'long', 1000n * JLP, { fee: 0n }))).toBe('applied')
    expect(told(m.resting('ann', 'long', 1000n * JLP, { fee: 19n * JLP }))).toBe('undercollateralised')
    expect(told(m.resting('ann', 'long', JLP, { fee: 30n * JLP, spot: true }))).toBe('not-spot')
    m.must(m.order('ann', 'long', { yt: 10n * JLP }))
    expect(told(m.resting('ann', 'short', JLP))).toBe('opposite-position')
    expect(told(m.resting('ann', 'reduce-short', JLP))).toBe('no-position')
    m.must({ kind: 'pause', by: CONFIG.pauser })
    expect(told(m.resting('ann', 'long', JLP))).toBe('paused')
    expect(told(m.resting('ann', 'reduce-long', JLP))).toBe('applied')
    m.now = m.ledger.indices.hourly.lastStep + HOUR + 300
    expect(told(m.resting('ann', 'reduce-long', JLP))).toBe('coupon-due')
    m.wait(2 * HOUR)
    expect(told(m.resting('ann', 'reduce-long', JLP))).toBe('applied')
  })

  test('needs a window of history even on the own money', () => {
    const m = openMarket({ wallets: ['ann', 'keeper'], history: 100 })
    m.fund('ann', 20n * JLP)
    m.must(m.resting('ann', 'long', JLP, { spot: true }))
    expect(m.refusal(m.filling('ann'))).toBe('history-short')
    m.wait(260)
    expect(m.refusal(m.filling('ann'))).toBe('applied')
  })

  test('is not for the owner, nor after its time', () => {
    const m = opened()
    m.must(m.resting('ann', 'long', JLP, { expiresAt: m.now + 10 }))
    expect(m.refusal(m.filling('ann', 0, 'ann'))).toBe('same-account')
    m.wait(10)
    expect(m.fork().refusal(m.filling('ann'))).toBe('applied')
    m.wait(1)
    expect(m.refusal(m.filling('ann'))).toBe('deadline-passed')
  })

  test('once: what was filled is gone', () => {
    const m = opened()
    m.must(m.resting('ann', 'long', JLP, { fee: 5n }))
    m.must(m.filling('ann'))
    expect(m.refusal(m.filling('ann'))).toBe('unknown-order')
    expect(m.refusal({ kind: 'cancel-order', ...m.ref('ann'), id: 0 })).toBe('unknown-order')
    expect(m.account('ann').orders).toBe(0)
  })

  test('keepers find what can be filled, the best paid first', () => {
    const m = longed()
    m.must(m.resting('ann', 'reduce-long', JLP, { fee: 5n, id: 1 }))
    m.must(m.resting('ann', 'reduce-long', JLP, { fee: 9n, id: 2 }))
    m.must(m.resting('ann', 'reduce-long', JLP, { trigger: 'rate-below', level: 1n, fee: 99n, id: 3 }))
    expect(fillableOrders(m.ledger, m.id, 'keeper', m.world).map(({ id }) => id)).toEqual([2, 1])
  })
})

describe('stops and take-profits', () => {
  test('by rate: at the TWAP, not at a push of one second', () => {
    const m = longed()
    const level = (twapNow(m) * 98n) / 100n
    m.must(m.resting('ann', 'reduce-long', 1n << 61n, { trigger: 'rate-below', level, fee: 10n }))
    expect(m.refusal(m.filling('ann'))).toBe('not-triggered')
    push(m, false, 6n)
    expect(m.pool().rate).toBeLessThan(level)
    expect(m.refusal(m.filling('ann'))).toBe('not-triggered')
    m.wait(1)
    expect(m.refusal(m.filling('ann'))).toBe('not-triggered')
    m.wait(400) // it lasts
    expect(twapNow(m)).toBeLessThanOrEqual(level)
    m.must(m.filling('ann'))
    expect(m.account('ann').yt).toBe(0n)
    expect(orderOf(m)).toBe(undefined)
  })

  test.each(['rate-above', 'rate-below'] as const)('%s counts at its level', trigger => {
    const m = longed()
    const level = twapNow(m)
    const off = trigger === 'rate-above' ? 1n : -1n
    m.must(m.resting('ann', 'reduce-long', JLP, { trigger, level: level + off }))
    expect(m.refusal(m.filling('ann'))).toBe('not-triggered')
    m.must(m.resting('ann', 'reduce-long', JLP, { trigger, level, id: 1 }))
    expect(m.refusal(m.filling('ann', 1))).toBe('applied')
  })

  test.each(['pnl-above', 'pnl-below'] as const)('%s counts at its level', trigger => {
    const m = longed()
    m.pass(3 * HOUR, 0.4)
    const level = profitNow(m)
    const off = trigger === 'pnl-above' ? 1n : -1n
    m.must(m.resting('ann', 'reduce-long', JLP, { trigger, level: level + off }))
    expect(m.refusal(m.filling('ann'))).toBe('not-triggered')
    m.must(m.resting('ann', 'reduce-long', JLP, { trigger, level, id: 1 }))
    expect(m.refusal(m.filling('ann', 1))).toBe('applied')
  })

  test('by profit: neither a deposit nor a withdrawal is one', () => {
    const m = longed()
    const before = profitNow(m)
    m.must({ kind: 'deposit', ...m.ref('ann'), jlp: 7n * JLP })
    expect(profitNow(m)).toBe(before)
    m.must({ kind: 'withdraw', ...m.ref('ann'), jlp: 2n * JLP })
    expect(profitNow(m)).toBe(before)
  })

  test('a push within a second neither triggers a stop nor lets it be filled beyond the bound', () => {
    const m = longed()
    m.must(m.resting('ann', 'reduce-long', 1n << 61n, { fee: 10n })) // at any rate
    const floor = (twapNow(m) * 90n) / 100n
    push(m, false, 15n)
    expect(m.pool().rate).toBeLessThan(floor)
    expect(m.refusal(m.filling('ann'))).toBe('limit-reached')
  })

  test('spot accounts have the bound as well, when a stranger chooses the moment', () => {
    const m = opened()
    m.must(m.order('ann', 'long', { yt: 50n * JLP }, { spot: true }))
    m.must(m.resting('ann', 'reduce-long', 50n * JLP))
    m.must(m.resting('ann', 'long', 50n * JLP, { spot: true, id: 1 }))
    const pushed = m.fork()
    push(pushed, false, 15n)
    expect(pushed.refusal(pushed.filling('ann'))).toBe('limit-reached')
    push(m, true, 15n)
    expect(m.refusal(m.filling('ann', 1))).toBe('limit-reached')
    expect(m.refusal(m.filling('ann'))).toBe('applied')
  })

  test('a sandwich takes at most what the limit leaves it', () => {
    const m = longed(150n * JLP)
    const limitRate = (m.pool().rate * 995n) / 1000n
    m.must(m.resting('ann', 'reduce-long', 150n * JLP, { limitRate, minimum: 150n * JLP }))
    const pushed = m.fork()
    push(pushed, false, 1n)
    expect(pushed.refusal(pushed.filling('ann'))).not.toBe('applied')
  })

  test('of a long it never touches a short', () => {
    const m = longed()
    m.must(m.resting('ann', 'reduce-long', 1n << 61n, { id: 1 }))
    m.must(m.order('ann', 'close'))
    m.must(m.order('ann', 'short', { yt: 50n * JLP }))
    expect(m.refusal(m.filling('ann', 1))).toBe('no-position')
  })

  test('closing the position ends it, with its whole fee', () => {
    const m = longed()
    const before = m.balance('keeper')
    m.must(m.resting('ann', 'reduce-long', 1n << 61n, { fee: 500n }))
    m.must(m.filling('ann'))
    expect([m.account('ann').yt, orderOf(m), m.balance('keeper') - before]).toEqual([0n, undefined, 500n])
  })
})

describe('the fee', () => {
  test('is no way around the conditions of a withdrawal', () => {
    const m = longed(1000n * JLP)
    const { margin } = m.account('ann')
    m.must(m.resting('ann', 'reduce-long', 1n, { fee: margin }))
    expect(m.refusal(m.filling('ann'))).toBe('not-better')
    // What may be withdrawn may be a fee; but not while no coupon can be paid.
    m.must(m.resting('ann', 'reduce-long', 1n, { fee: JLP, id: 1 }))
    expect(m.fork().refusal(m.filling('ann', 1))).toBe('applied')
    m.now = m.ledger.indices.hourly.lastStep + 3 * HOUR + 300
    expect(m.refusal({ kind: 'withdraw', ...m.ref('ann'), jlp: JLP })).toBe('reduce-only')
    expect(m.refusal(m.filling('ann', 1))).toBe('reduce-only')
    // An exit of some size pays its fee out of what it frees.
    m.must(m.resting('ann', 'reduce-long', 500n * JLP, { fee: JLP / 100n, id: 2 }))
    expect(m.refusal(m.filling('ann', 2))).toBe('applied')
  })

  test('of a reduction leaves the market backed', () => {
    // Liquidity on both sides of the rate, so that both is traded and little is lent.
    const m = openMarket({ wallets: ['ann', 'keeper'], liquidity: [{ jlp: 3000n * JLP }] })
    m.fund('ann', 40n * JLP)
    m.must(m.order('ann', 'long', { st: 250n * JLP }))
    m.must(m.resting('ann', 'reduce-long', 1n, { fee: JLP }))
    const { ledger } = m
    const market = ledger.markets.get(m.id)!
    // As few YT issued as back what is lent now, and not an atom more.
    const { reserve, owed } = backing(m.market(), new Draft(ledger, m.world).lowest(m.market()))
    const issued = (market.totals.issued * owed) / reserve + 1n
    ledger.markets.set(m.id, { ...market, totals: { ...market.totals, issued } })
    m.auditing = false
    expect(m.refusal({ kind: 'withdraw', ...m.ref('ann'), jlp: JLP })).toBe('backing')
    expect(m.refusal(m.filling('ann'))).toBe('backing')
    // An exit that repays more than its fee is not held up.
    m.must(m.resting('ann', 'reduce-long', 500n * JLP, { fee: JLP / 100n, id: 1 }))
    expect(m.refusal(m.filling('ann', 1))).toBe('applied')
  })
})

describe('the end of an order', () => {
  test('the owner takes it back at any time, nobody else before its time', () => {
    const m = opened()
    m.must(m.resting('ann', 'long', JLP, { expiresAt: m.now + 100 }))
    const expire = { kind: 'expire-order', ...m.ref('ann'), id: 0 } as const
    expect(m.refusal(expire)).toBe('too-early')
    m.wait(100)
    expect(m.refusal(expire)).toBe('too-early')
    const own = m.fork()
    own.must({ kind: 'cancel-order', ...m.ref('ann'), id: 0 })
    m.wait(1)
    m.must(expire)
    for (const { ledger } of [m, own]) expect([ledger.orders.size, audit(ledger).violations]).toEqual([0, []])
    expect(m.refusal(expire)).toBe('unknown-order')
  })

  test('in a matured market nothing is placed or filled, and anyone clears up', () => {
    const m = longed(10n * JLP)
    m.must(m.resting('ann', 'reduce-long', JLP))
    m.mature(0.3)
    expect(m.refusal(m.filling('ann'))).toBe('matured')
    expect(m.refusal(m.resting('ann', 'reduce-long', JLP, { id: 1 }))).toBe('matured')
    m.must({ kind: 'expire-order', ...m.ref('ann'), id: 0 })
    expect(m.ledger.orders.size).toBe(0)
  })

  test('an account with orders is not closed, so that none waits on the next one in its place', () => {
    const m = openMarket({ wallets: ['ann', 'keeper'] })
    m.fund('ann', 0n)
    m.must(m.resting('ann', 'long', JLP, { spot: true, fee: JLP, expiresAt: NEVER }))
    const close = { kind: 'close-account', ...m.ref('ann') } as const
    expect(m.refusal(close)).toBe('not-empty')
    m.must({ kind: 'cancel-order', ...m.ref('ann'), id: 0 })
    m.must(close)
    m.fund('ann', 20n * JLP)
    expect(m.account('ann').orders).toBe(0)
    expect(m.refusal(m.filling('ann'))).toBe('unknown-order')
  })

  test('orders survive what happens to their account', () => {
    const m = longed()
    m.must(m.resting('ann', 'reduce-long', JLP, { id: 9 }))
    m.must({ kind: 'deposit', ...m.ref('ann'), jlp: JLP })
    m.must(m.order('ann', 'reduce', { yt: JLP }))
    m.must({ kind: 'withdraw', ...m.ref('ann'), jlp: JLP })
    m.pass(HOUR * 2, 0.3)
    m.must(m.order('ann', 'long', { yt: JLP }))
    expect(m.ledger.accounts.get(accountId(m.ref('ann')))!.orders).toBe(1)
    expect(m.refusal(m.filling('ann', 9))).toBe('applied')
  })

  test('the audit finds an order that no account counts', () => {
    const m = opened()
    m.must(m.resting('ann', 'long', JLP))
    const account = m.ledger.accounts.get(accountId(m.ref('ann')))!
    m.ledger.accounts.set(accountId(account), { ...account, orders: 0 })
    expect(audit(m.ledger).violations.map(({ id }) => id)).toEqual(['ORDERS'])
    m.ledger.accounts.set(accountId(account), account)
    m.ledger.accounts.delete(accountId(account))
    expect(audit(m.ledger).violations.map(({ id }) => id)).toContain('ORDERS')
  })
})
