/** From an empty wallet through every action: built by the API, signed here, relayed, and seen on the chain by a stock `Connection`. */
import { Connection, PublicKey, SystemProgram, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseMarketName } from '../../amm/index.ts'
import { type LocalMarket, openMarket } from '../../src/cli/local-markets.ts'
import { SunderClient } from '../../src/client/index.ts'
import { as, idOf, keyOf, ONE } from '../chain/support.ts'
import { type Serving, serving } from './support.ts'

let on: Serving
let market: string
let chain: SunderClient
const owner = idOf('ann')
const LATER: LocalMarket = { name: 'JLP-2409', ...parseMarketName('JLP-2409') }

beforeAll(async () => {
  on = await serving()
  market = on.market.name
  chain = new SunderClient(new Connection(on.node.url, 'confirmed'))
  const { chain: local, rpc } = on.made
  await openMarket(chain, local, LATER, 200_000n * ONE, () =>
    rpc.faucet.give(local.operator.publicKey.toBase58(), 200_000n * ONE),
  )
})
afterAll(() => on.stop())

const accountOf = async (sub: number) => (await chain.account(on.market, owner, sub))!
const walletOf = async () => (await on.ask(`/v1/accounts/${owner}`)).body

describe('a first trade', () => {
  test('the faucet gives JLP and SOL to an empty wallet', async () => {
    expect((await walletOf()).wallet).toMatchObject({ lamports: '0', jlp: '0' })
    const { body } = await on.post('/v1/faucet', { owner, jlp: '1000000000' })
    expect((await on.settled(body.signature)).status).toBe('confirmed')
    await on.nextSlot()
    expect((await walletOf()).wallet).toMatchObject({ jlp: '1000000000', lamports: '2000000000' })
  })

  test('a 9x long: what was quoted is the fill and the account, to the atom', async () => {
    const order = { market, action: 'long', margin: '10000000', leverage: '9' }
    const { built, done } = await on.act('trade', 'ann', order)
    const { quote } = built
    expect(built.says).toContain('Deposits 10.000000 JLP, then: Buys')
    expect(built.does.join()).toContain('Bought')
    expect(done).toMatchObject({ status: 'confirmed', error: null, fee: built.fee })
    expect(done.events.flatMap((event: { says: string[] }) => event.says).join()).toContain('Bought')
    const { margin, st, yt } = await accountOf(0)
    expect({ margin, st, yt }).toEqual({
      margin: BigInt(quote.account.margin),
      st: BigInt(quote.account.st),
      yt: BigInt(quote.account.yt),
    })
    expect([yt, -st]).toEqual([BigInt(quote.filled), BigInt(quote.amount)])
    expect(Number(quote.account.leverage.decimal)).toBeCloseTo(9, 4)
    await on.nextSlot()
    const { accounts } = await walletOf()
    expect(accounts).toMatchObject([{ market, account: { sub: 0, yt: String(yt), healthy: true } }])
  })

  test('a reduction by half and a close are as quoted', async () => {
    const half = { market, action: 'reduce', unit: 'token', amount: String((await accountOf(0)).yt / 2n) }
    const { built } = await on.act('trade', 'ann', half)
    const after = await accountOf(0)
    expect([String(after.yt), String(after.margin), String(after.st)]).toEqual([
      built.quote.account.yt,
      built.quote.account.margin,
      built.quote.account.st,
    ])
    await on.nextSlot()
    const closed = await on.act('trade', 'ann', { market, action: 'close' })
    expect(closed.built.quote.filled).toBe(String(after.yt))
    const { yt, margin } = await accountOf(0)
    expect([yt, String(margin)]).toEqual([0n, closed.built.quote.account.margin])
  })
})

describe('every other action goes through and does what it says', () => {
  const jlp = '5000000'
  const range = { lower: 1000, upper: 2000 }

  test('margin: deposit, transfer, withdraw, close-account', async () => {
    const before = (await accountOf(0)).margin
    await on.act('deposit', 'ann', { market, jlp })
    await on.act('deposit', 'ann', { market, sub: 1, jlp })
    await on.act('transfer', 'ann', { market, to: { sub: 1 }, margin: '2000000' })
    expect([(await accountOf(0)).margin, (await accountOf(1)).margin]).toEqual([before + 3n * ONE, 7n * ONE])
    await on.act('withdraw', 'ann', { market, sub: 1, jlp: '7000000' })
    await on.act('close-account', 'ann', { market, sub: 1 })
    expect(await chain.account(on.market, owner, 1)).toBeUndefined()
  })

  test('tokens: split, merge, buy and sell PT, wrap and unwrap', async () => {
    await on.act('split', 'ann', { market, sub: 2, yt: '3000000' })
    expect((await accountOf(2)).yt).toBe(3n * ONE)
    await on.act('merge', 'ann', { market, sub: 2, yt: '3000000' })
    const { built } = await on.act('trade-pt', 'ann', { market, action: 'buy-pt', amount: jlp })
    await on.nextSlot()
    const { wallet } = await walletOf()
    expect(wallet.pt).toMatchObject([{ market, pt: built.quote.filled }])
    await on.act('trade-pt', 'ann', { market, action: 'sell-pt', unit: 'token', amount: built.quote.filled })
    await on.act('wrap', 'ann', { kind: 'hourly', jlp })
    await on.nextSlot()
    expect(Number((await walletOf()).wallet.st.hourly)).toBeGreaterThan(4_999_990)
    await on.act('unwrap', 'ann', { kind: 'hourly', jlp: '4000000' })
  })

  test('liquidity: add as quoted, collect when there is nothing, and what is too young', async () => {
    const asked = new URLSearchParams({ action: 'add', lower: '1000', upper: '2000', jlp: '20000000' })
    await on.nextSlot()
    const quoted = (await on.ask(`/v1/markets/${market}/liquidity-quote?${asked}`)).body
    const { built } = await on.act('add-liquidity', 'ann', { market, ...range, jlp: '20000000' })
    expect(built.liquidity).toMatchObject({ liquidity: quoted.liquidity, jlp: quoted.jlp })
    await on.nextSlot()
    const { positions } = await walletOf()
    expect(positions).toMatchObject([{ market, position: { ...range, liquidity: quoted.liquidity } }])
    const young = await on.post('/v1/transactions/remove-liquidity', { owner, market, ...range })
    expect([young.status, young.body.error.code]).toEqual([422, 'too-young'])
    const full = await on.post('/v1/transactions/close-position', { owner, market, ...range })
    expect(full.body.error.code).toBe('not-empty')
  })

  test('liquidity: out again for JLP alone, and closed', async () => {
    for (let slot = 0; slot < 800; slot++) on.made.chain.nextSlot()
    await on.nextSlot()
    const asked = new URLSearchParams({ action: 'remove', lower: '1000', upper: '2000', owner, sell: 'true' })
    const quoted = (await on.ask(`/v1/markets/${market}/liquidity-quote?${asked}`)).body
    const before = BigInt((await walletOf()).wallet.jlp)
    await on.act('remove-liquidity', 'ann', { market, ...range, sell: true })
    await on.nextSlot()
    expect(String(BigInt((await walletOf()).wallet.jlp) - before)).toBe(quoted.received)
    await on.act('close-position', 'ann', { market, ...range })
  })

  test('orders: placed and cancelled', async () => {
    const { body } = await on.ask(`/v1/markets/${market}`)
    const expiresAt = body.time + 86_400
    const order = { market, id: 3, action: 'long', amount: '1000000', limitRate: body.rate.q64, fee: '1000', expiresAt }
    await on.act('place-order', 'ann', order)
    await on.nextSlot()
    const { orders } = await walletOf()
    expect(orders).toMatchObject([{ market, sub: 0, id: 3, action: 'long', amount: '1000000', fee: '1000' }])
    await on.act('cancel-order', 'ann', { market, id: 3 })
    expect(await chain.restingOrder(on.market, owner, 0, 3)).toBeUndefined()
  })

  test('roll to a later market, by a lookup table', async () => {
    await on.act('trade', 'ann', { market, sub: 5, action: 'long', margin: '5000000', amount: '10000000' })
    const table = await chain.createLookupTable(on.market, as('ann'))
    // The feed looks for new markets now and then.
    while (on.context.feed.market(LATER.name) === undefined) await on.nextSlot()
    const bounds = { closeLimitRate: '0', limitRate: String((4n << 64n) - 1n), minimum: '0' }
    const roll = { market, sub: 5, to: { market: LATER.name }, amount: '5000000', ...bounds }
    await on.act('roll', 'ann', { ...roll, table: table.key.toBase58() })
    expect((await accountOf(5)).yt).toBe(0n)
    expect((await chain.account(LATER, owner, 0))!.st).toBe(-5n * ONE)
  })

  test.each([
    ['settle', { sub: 0 }, 'not-matured'],
    ['redeem-pt', { pt: '1' }, 'not-matured'],
    ['withdraw', { jlp: '900000000' }, 'insufficient-margin'],
    ['deposit', { jlp: '900000000000' }, 'insufficient-balance'],
    ['trade', { sub: 9, action: 'long', margin: '1000000', amount: '60000000' }, 'undercollateralised'],
    ['collect', { lower: 1000, upper: 2000 }, 'uninitialised'],
    ['cancel-order', { id: 9 }, 'uninitialised'],
    ['close-account', { sub: 77 }, 'uninitialised'],
  ])('%s is refused with a way out: %j', async (action, body, code) => {
    const { status, body: answer } = await on.post(`/v1/transactions/${action}`, { owner, market, ...body })
    expect(answer.error).toMatchObject({ code, hint: expect.stringMatching(/\w{3}/) })
    expect(status).toBe(422)
  })
})

describe('the relay', () => {
  const transfer = (program?: PublicKey) => {
    const payer = keyOf('ann').publicKey
    const pay = SystemProgram.transfer({ fromPubkey: payer, toPubkey: keyOf('bob').publicKey, lamports: 1_000_000 })
    const call = program === undefined ? pay : { programId: program, keys: [], data: Buffer.alloc(1) }
    const recentBlockhash = on.made.chain.hashOf(on.made.chain.slot)
    const message = new TransactionMessage({ payerKey: payer, recentBlockhash, instructions: [call] })
    return new VersionedTransaction(message.compileToV0Message())
  }
  const base64 = (transaction: VersionedTransaction): string => Buffer.from(transaction.serialize()).toString('base64')
  const sign = (transaction: VersionedTransaction): VersionedTransaction => {
    transaction.sign([keyOf('ann')])
    return transaction
  }

  test('T142: the same transaction a hundred times at once has one effect and one answer', async () => {
    const transaction = base64(sign(transfer()))
    const bob = keyOf('bob').publicKey
    const before = await on.connection.getBalance(bob)
    const answers = await Promise.all(Array.from({ length: 100 }, () => on.post('/v1/transactions', { transaction })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ body }) => body.signature)).size).toBe(1)
    await on.settled(answers[0]!.body.signature)
    const again = await on.post('/v1/transactions', { transaction })
    expect(again.body).toEqual(answers[0]!.body)
    expect(await on.connection.getBalance(bob)).toBe(before + 1_000_000)
  })

  test('refuses what is unsigned, altered, foreign, too large, cut off, or no transaction', async () => {
    const refused = async (transaction: unknown) => {
      const { status, body } = await on.post('/v1/transactions', { transaction })
      return [status, body.error.code]
    }
    expect(await refused(base64(transfer()))).toEqual([422, 'missing-signature'])
    const altered = sign(transfer())
    altered.signatures[0]![5]! ^= 1
    expect(await refused(base64(altered))).toEqual([422, 'missing-signature'])
    expect(await refused(base64(sign(transfer(new PublicKey('PERPHjGBqRHArX4DySjwM6UJHiR3sWAatqfdBS2qQJu')))))).toEqual(
      [422, 'foreign-program'],
    )
    const whole = base64(sign(transfer()))
    for (const wrong of ['A'.repeat(1648), 'A'.repeat(4000), whole.slice(0, 100), `${whole}AAAA`, '', '!', 1, null]) {
      expect(await refused(wrong)).toEqual([400, 'bad-request'])
    }
  })

  test('says what the node refuses', async () => {
    const old = transfer()
    old.message.recentBlockhash = PublicKey.default.toBase58()
    const { status, body } = await on.post('/v1/transactions', { transaction: base64(sign(old)) })
    expect([status, body.error.code]).toEqual([422, 'blockhash-expired'])
  })

  test('an unknown signature is unknown, and what is none is refused', async () => {
    const signature = '5'.repeat(87)
    expect((await on.ask(`/v1/transactions/${signature}`)).body).toMatchObject({ status: 'unknown', slot: null })
    expect((await on.ask(`/v1/transactions/${'1'.repeat(88)}`)).status).toBe(400)
    expect((await on.ask('/v1/transactions/0')).status).toBe(400)
  })
})
