/**
 * The API as anybody may treat it: a thousand requests to each of its operations, valid ones and broken ones, while people trade. None fails, every
 * answer is as the OpenAPI document says, and it is there at the end. `npm run fuzz:service` does it for longer, against any server.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RemoteIndex } from '../../src/indexer/remote.ts'
import { type Serving, serving } from '../api/support.ts'
import { idOf } from '../chain/support.ts'
import { fuzz } from './fuzz.ts'

const { SUNDER_REQUESTS = '1000' } = process.env
const REQUESTS = Number(SUNDER_REQUESTS)

let root: string
let index: RemoteIndex
let exchange: Serving
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sunder-fuzz-'))
  exchange = await serving(
    {},
    { index: rpcUrl => (index = new RemoteIndex({ rpcUrl, directory: join(root, 'index') })) },
  )
})
afterAll(async () => {
  await exchange?.stop()
  await index?.close()
  rmSync(root, { recursive: true, force: true })
})

test(`${REQUESTS} requests to each operation: no failure, every answer as documented`, async () => {
  const { act, made, market, nextSlot } = exchange
  for (const name of ['ann', 'bob']) {
    made.rpc.faucet.airdrop(idOf(name), 10 ** 10)
    made.rpc.faucet.give(idOf(name), 1_000_000_000n)
  }
  const order = { market: market.name, action: 'long', unit: 'st' }
  await act('trade', 'ann', { ...order, amount: '90000000', margin: '10000000' })
  await nextSlot()
  await act('trade', 'bob', { ...order, action: 'short', amount: '5000000', margin: '10000000' })
  for (let tried = 0; tried < 300; tried++) {
    const { body } = await exchange.ask(`/v1/markets/${market.name}/trades`)
    if (body.rows?.length >= 2) break
    await new Promise(done => setTimeout(done, 200))
  }
  const result = await fuzz({ url: exchange.url, requests: REQUESTS, seed: 6 })
  expect(result.findings.slice(0, 5).map(({ operation, why }) => `${operation}: ${why}`)).toEqual([])
  expect(result.alive).toBe(true)
  expect(Object.keys(result.byOperation).length).toBeGreaterThan(40)
  // Enough of it is more than refused: reads by all names there are, quotes and whole transactions.
  const served = Object.values(result.byOperation).filter(one => one.served > 0).length
  expect(served / Object.keys(result.byOperation).length).toBeGreaterThan(0.5)
})
