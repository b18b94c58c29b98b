/** Quotes against the kernel and the engine on the same chain, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatQ64, parseAtoms } from '../../amm/index.ts'
import { type MarketReading, quoteTrade, SunderClient, type TradeOrder } from '../../src/client/index.ts'
import { as, idOf, ONE } from '../chain/support.ts'
import { type Serving, serving } from './support.ts'

let on: Serving
let path: string
let client: SunderClient

beforeAll(async () => {
  on = await serving()
  path = `/v1/markets/${on.market.name}`
  client = new SunderClient(on.made.connection)
  await on.made.rpc.handle('sunder_faucet', [{ owner: idOf('ann'), atoms: String(10_000n * ONE) }])
  // The coupon that is due at the beginning is paid with it.
  const order = { market: on.market, owner: idOf('ann'), sub: 0, action: 'long', unit: 'st' } as const
  await client.trade({ ...order, amount: 90n * ONE, margin: 15n * ONE }, as('ann'))
  await on.nextSlot()
})
afterAll(() => on.stop())

const ask = (query: Record<string, string>) => on.ask(`${path}/quote?${new URLSearchParams(query)}`)

/** What the kernel says of the market as the client reads it. */
const expected = (market: MarketReading, order: TradeOrder) => {
  const quote = quoteTrade(market, order, market.now)
  if (quote.kind !== 'quoted') throw new Error(quote.code)
  const { filled, amount, stLeg, fee, averagePrice, rateBefore, rateAfter, complete } = quote
  return {
    complete,
    filled: String(filled),
    amount: String(amount),
    stLeg: String(stLeg),
    fee: { total: String(fee.total), lp: String(fee.lp) },
    averagePrice: { q64: String(averagePrice), decimal: formatQ64(averagePrice, 9) },
    rateBefore: { q64: String(rateBefore) },
    rateAfter: { q64: String(rateAfter) },
  }
}

describe('figures', () => {
  test.each([
    ['long', 'st', '1'],
    ['long', 'token', '12345.678901'],
    ['short', 'st', '70'],
    ['short', 'token', '0.5'],
    ['buy-pt', 'st', '1000'],
    ['buy-pt', 'token', '33.333333'],
    ['sell-pt', 'token', '33.333333'],
    ['sell-pt', 'st', '20'],
  ] as const)('%s by %s of %s are those of the kernel', async (action, unit, size) => {
    const amount = parseAtoms(size)
    const { status, body } = await ask({ action, unit, amount: String(amount) })
    const market = await client.market(on.market)
    expect(status).toBe(200)
    expect(body).toMatchObject({ ...expected(market, { action, unit, amount }), account: null, stale: false })
  })

  test.each(['reduce', 'close'] as const)('%s of an account that is there', async action => {
    const account = (await client.account(on.market, idOf('ann'), 0))!
    const size = action === 'close' ? {} : { amount: '50000000' }
    const { body } = await ask({ action, ...size, owner: idOf('ann'), sub: '0' })
    const market = await client.market(on.market)
    expect(body).toMatchObject(expected(market, { action, unit: 'st', amount: 50_000_000n, account }))
    expect(BigInt(body.account.yt)).toBe(account.yt - BigInt(body.filled))
  })

  test('the same market by its address', async () => {
    const { body } = await on.ask(path)
    const quoted = await on.ask(`/v1/markets/${body.address}/quote?action=long&amount=1000000`)
    expect(quoted.body).toMatchObject({ market: on.market.name, address: body.address })
  })

  test.each([
    ['2', 2],
    ['5.5', 5.5],
    ['9', 9],
  ])('leverage %s is found for a margin', async (leverage, wanted) => {
    const { body } = await ask({ action: 'long', margin: '5000000', leverage })
    expect(Number(body.account.leverage.decimal)).toBeCloseTo(wanted, 3)
    expect(body.account.netDeposits).toBe('5000000')
    expect(body.refusal).toBeNull()
  })

  test('limits of one’s own are taken, and the tolerance sets the others', async () => {
    const free = (await ask({ action: 'long', amount: '90000000', margin: '20000000' })).body
    expect(free.minimum).toBe(String((BigInt(free.filled) * 9950n) / 10_000n))
    const limitRate = String((BigInt(free.rateBefore.q64) * 101n) / 100n)
    const bound = (
      await ask({ action: 'long', amount: '90000000', margin: '20000000', limitRate, toleranceBps: '100' })
    ).body
    expect(bound).toMatchObject({ complete: false, stoppedBy: 'limit', limitRate: { q64: limitRate } })
    expect(BigInt(bound.filled)).toBeLessThan(BigInt(free.filled))
  })

  test('what margin forbids is said beside the figures, with the numbers', async () => {
    const { status, body } = await ask({ action: 'long', amount: '300000000', margin: '10000000' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      account: null,
      refusal: { code: 'undercollateralised', context: { gap: expect.stringMatching(/^\d+$/) } },
    })
    expect(body.refusal.hint).toMatch(/margin/)
  })

  test('an opposite position is refused by its name', async () => {
    const { body } = await ask({ action: 'short', amount: '1000000', owner: idOf('ann') })
    expect(body.refusal).toMatchObject({ code: 'opposite-position' })
  })
})

describe('what a quote is not', () => {
  test.each<[Record<string, string>, number, string]>([
    [{ action: 'long' }, 400, 'bad-request'],
    [{ action: 'long', leverage: '5' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1', margin: '5000000', leverage: '5' }, 400, 'bad-request'],
    [{ action: 'sell', amount: '1' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1', unit: 'jlp' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1000000', toleranceBps: '-1' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1000000', toleranceBps: '1e2' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1000000', sub: '256' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1000000', owner: '1'.repeat(33) }, 400, 'bad-request'],
    [{ action: 'long', amount: '1000000', limitRate: '99999999999999999999' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1000000', wanted: 'more' }, 400, 'bad-request'],
    [{ action: 'long', amount: '1000000', __proto__x: '1' }, 400, 'bad-request'],
    [{ action: 'close' }, 404, 'unknown-account'],
    [{ action: 'reduce', amount: '1', owner: idOf('nobody') }, 404, 'unknown-account'],
    [{ action: 'long', amount: '0' }, 422, 'zero-amount'],
    [{ action: 'sell-pt', unit: 'token', amount: '18446744073709551615' }, 200, ''],
    [{ action: 'long', amount: '1000000', limitRate: '1' }, 422, 'limit-reached'],
  ])('%j: %i %s', async (query, status, code) => {
    const answer = await ask(query)
    expect([answer.status, answer.body.error?.code ?? '']).toEqual([status, code])
  })
})

describe('simulation', () => {
  test('profit falls with time below the break-even and rises above it', async () => {
    const query = new URLSearchParams({
      action: 'long',
      margin: '20000000',
      leverage: '3',
      realised: '0,0.1,0.4,1',
      days: '0,7,14,700',
    })
    const { status, body } = await on.ask(`${path}/simulate?${query}`)
    expect(status).toBe(200)
    const profits = body.rows.map((row: { outcomes: { profit: string }[] }) =>
      row.outcomes.map(one => Number(one.profit)),
    )
    const breakEven = Number(body.quote.breakEvenApy.decimal)
    expect(body.rows.map((row: { realisedApy: string }) => row.realisedApy)).toEqual(['0', '0.1', '0.4', '1'])
    body.rows.forEach((row: { realisedApy: string }, i: number) => {
      const [, , , end] = profits[i]
      expect(end > 0).toBe(Number(row.realisedApy) > breakEven)
    })
    expect(profits[0][3]).toBeLessThan(profits[0][1])
    expect(profits[3][3]).toBeGreaterThan(profits[3][1])
    // After maturity nothing more happens.
    const { outcomes } = body.rows[0]
    expect(outcomes[3].days).toBeLessThan(31)
  })

  test('PT gain the same whatever JLP yields, counted in ST', async () => {
    const { body } = await on.ask(`${path}/simulate?action=buy-pt&amount=100000000&realised=0.05,0.5&days=700`)
    const [poor, rich] = body.rows.map((row: { outcomes: { value: string }[] }) => Number(row.outcomes[0]!.value))
    expect(poor).toBeGreaterThan(rich) // in JLP, which has the yield in it
  })

  test.each(['days=1,2,3,4,5,6,7,8,9,10,11,12,13', 'realised=x', 'realised=11', 'days=', 'implied=9', 'action=close'])(
    'refuses %s',
    async more => {
      const { status } = await on.ask(`${path}/simulate?action=long&margin=5000000&leverage=2&${more}`)
      expect(status).toBe(400)
    },
  )
})

test('T145: a thousand quotes at once, of all sizes, are all answered', async () => {
  const sizes = Array.from({ length: 1000 }, (_, i) => String(1 + i ** 3))
  const asked = sizes.map((amount, i) => ask({ action: i % 2 === 0 ? 'long' : 'short', amount, margin: amount }))
  const answers = await Promise.all(asked)
  // One atom may pay for none of what it is to buy.
  for (const { status, body } of answers) {
    if (status === 200) expect(BigInt(body.filled)).toBeGreaterThan(0n)
    else expect([status, body.error.code]).toEqual([422, 'amount-too-small'])
  }
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(990)
})
