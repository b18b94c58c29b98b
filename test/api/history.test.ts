/** What was, over HTTP: trades of a chain, read by the index in its own process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RemoteIndex } from '../../src/indexer/remote.ts'
import { idOf } from '../chain/support.ts'
import { type Answer, type Serving, serving } from './support.ts'

const directory = mkdtempSync(join(tmpdir(), 'sunder-api-'))
const owner = idOf('ann')
let on: Serving
let index: RemoteIndex
let market: string
let filled: string[]

beforeAll(async () => {
  on = await serving({}, { index: rpcUrl => (index = new RemoteIndex({ rpcUrl, directory, every: 100 })) })
  market = on.market.name
  await on.post('/v1/faucet', { owner, jlp: '100000000' })
  const long = await on.act('trade', 'ann', { market, action: 'long', margin: '20000000', leverage: '3' })
  const close = await on.act('trade', 'ann', { market, action: 'close' })
  const pt = await on.act('trade-pt', 'ann', { market, action: 'buy-pt', amount: '10000000' })
  filled = [pt, close, long].map(({ built }) => built.quote.filled)
})
afterAll(async () => {
  await on.stop()
  await index.close()
  rmSync(directory, { recursive: true })
})

/** Until the index has come so far. */
const until = async (path: string, holds: (answer: Answer) => boolean): Promise<Answer['body']> => {
  for (let tried = 0; tried < 600; tried++) {
    const answer = await on.ask(path)
    if (answer.status === 200 && holds(answer)) return answer.body
    await new Promise(done => setTimeout(done, 100))
  }
  return expect.unreachable('the index did not come so far')
}

test('trades of an owner, in pages, the newest first, as they were quoted', async () => {
  const path = `/v1/accounts/${owner}/trades`
  const { rows, next, indexed } = await until(path, ({ body }) => body.rows.length === 3 && body.indexed !== null)
  expect(rows.map((row: { filled: string }) => row.filled)).toEqual(filled)
  expect(rows.map((row: { side: string }) => row.side)).toEqual(['buy-pt', 'sell-yt', 'buy-yt'])
  expect([rows[0].market, next]).toEqual([market, null])
  expect(indexed).toBeGreaterThanOrEqual(rows[0].slot)
  const first = (await on.ask(`${path}?limit=2`)).body
  const second = (await on.ask(`${path}?limit=2&cursor=${first.next}`)).body
  expect([...first.rows, ...second.rows]).toEqual(rows)
  expect((await on.ask(`/v1/markets/${market}/trades`)).body.rows).toEqual(rows)
  expect((await on.ask(`${path}?cursor=nothing`)).body.error.code).toBe('bad-request')
})

test('candles, open interest, coupons, history, and volumes in the market', async () => {
  const { rows } = await until(`/v1/markets/${market}/candles?width=1m`, ({ body }) => body.rows.length > 0)
  expect(rows.reduce((sum: number, { trades }: { trades: number }) => sum + trades, 0)).toBe(3)
  const interest = (await on.ask(`/v1/markets/${market}/open-interest?width=1m`)).body
  expect(interest.rows.at(-1)).toMatchObject({ shortYt: '0' })
  const coupons = (await on.ask('/v1/coupons')).body
  expect(coupons.rows[0]).toMatchObject({ kind: 'hourly', paidTo: 1_720_224_000 })
  const changes = (await on.ask(`/v1/accounts/${owner}/history?market=${market}`)).body
  expect(changes.rows[0]).toMatchObject({ market, sub: 0, yt: '0' })
  expect((await on.ask(`/v1/accounts/${owner}/orders`)).body.rows).toEqual([])
  const shown = await until(`/v1/markets/${market}`, ({ body }) => body.volume24h?.trades === 3)
  expect(BigInt(shown.volume24h.jlp)).toBeGreaterThan(0n)
})

test('an account says where its profit came from', async () => {
  await on.nextSlot()
  const { accounts } = await until(`/v1/accounts/${owner}`, ({ body }) => body.accounts[0]?.profit !== null)
  const { total, coupons, realised, decay, rateMove, fees } = accounts[0].profit
  const parts = [coupons, realised, decay, rateMove, fees].reduce((sum, part) => sum + BigInt(part), 0n)
  expect([String(parts), decay, rateMove]).toEqual([total, '0', '0'])
  expect(BigInt(accounts[0].account.equity) - BigInt(accounts[0].account.netDeposits)).toBe(BigInt(total))
})
