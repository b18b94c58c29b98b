/** The port over HTTP and WebSocket, by web3.js' own `Connection` as it is. */
import { request } from 'node:http'
import { Connection, LAMPORTS_PER_SOL, type Logs, SystemProgram, Transaction } from '@solana/web3.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningServer, startServer } from '../../src/chain/index.ts'
import type { LocalMarket } from '../../src/cli/local-markets.ts'
import { ADDRESSES, PROGRAM_ID, SunderClient } from '../../src/client/index.ts'
import { as, chainOf, idOf, key, keyOf, marketOn, ONE } from './support.ts'

const made = chainOf()
let market: LocalMarket
let server: RunningServer
let connection: Connection

beforeAll(async () => {
  market = await marketOn(made)
  await made.rpc.handle('sunder_faucet', [{ owner: idOf('ann'), atoms: '1000000000' }])
  server = await startServer(made.rpc)
  made.chain.run()
  connection = new Connection(server.url, 'confirmed')
})
afterAll(async () => {
  await made.chain.stop()
  await server.stop()
})

const until = async <T>(what: () => T | undefined): Promise<T> => {
  for (let tried = 0; tried < 500; tried++) {
    const found = what()
    if (found !== undefined) return found
    await new Promise(done => setTimeout(done, 20))
  }
  return expect.unreachable('it did not come')
}

test('a trade from deposit to close', async () => {
  const client = new SunderClient(connection)
  const owner = idOf('ann')
  const order = { market, owner, sub: 0, action: 'long', unit: 'st', amount: 90n * ONE, margin: 10n * ONE } as const
  const { signature, events } = await client.trade(order, as('ann'))
  expect(events.length).toBeGreaterThan(0)
  await client.trade({ ...order, action: 'close', amount: 0n, margin: 0n }, as('ann'))
  expect((await client.account(market, owner, 0))!.yt).toBe(0n)
  expect((await connection.getSignaturesForAddress(key(owner))).map(one => one.signature)).toContain(signature)
})

test('accounts, programs, logs, signatures and slots are told', async () => {
  const told: string[] = []
  const logs: Logs[] = []
  const lamports: number[] = []
  const subscriptions = {
    account: connection.onAccountChange(key(idOf('bob')), account => lamports.push(account.lamports)),
    pool: connection.onAccountChange(key(ADDRESSES.jupiterPool), () => told.push('pool')),
    program: connection.onProgramAccountChange(key(PROGRAM_ID), ({ accountId }) => told.push(accountId.toBase58()), {
      filters: [{ dataSize: 192 }],
    }),
    logs: connection.onLogs(key(idOf('ann')), one => logs.push(one)),
    slot: connection.onSlotChange(({ slot }) => told.push(`slot ${slot}`)),
  }
  await until(() => told.find(one => one.startsWith('slot')))
  await until(() => told.find(one => one === 'pool'))
  const transfer = SystemProgram.transfer({
    fromPubkey: key(idOf('ann')),
    toPubkey: key(idOf('bob')),
    lamports: LAMPORTS_PER_SOL,
  })
  const signature = await connection.sendTransaction(new Transaction().add(transfer), [keyOf('ann')])
  const finished = new Promise<unknown>(done => connection.onSignature(signature, ({ err }) => done(err), 'confirmed'))
  expect(await finished).toBeNull()
  expect(await until(() => lamports[0])).toBe(LAMPORTS_PER_SOL)
  expect(await until(() => logs[0])).toMatchObject({ signature, err: null })
  const client = new SunderClient(connection)
  await client.execute('deposit', { market, owner: idOf('ann'), sub: 0, jlp: 5n }, as('ann'))
  await until(() => told.find(one => one.length > 30))
  await connection.removeAccountChangeListener(subscriptions.account)
  await connection.removeAccountChangeListener(subscriptions.pool)
  await connection.removeProgramAccountChangeListener(subscriptions.program)
  await connection.removeOnLogsListener(subscriptions.logs)
  await connection.removeSlotChangeListener(subscriptions.slot)
  const count = told.length
  await new Promise(done => setTimeout(done, 900))
  expect(told.length).toBe(count)
})

const post = (body: string, { method = 'POST', headers = {} } = {}) =>
  new Promise<{ status: number; text: string }>((done, failed) => {
    const sent = request(server.url, { method, headers }, answer => {
      let text = ''
      answer.on('data', part => {
        text += part
      })
      answer.on('end', () => done({ status: answer.statusCode!, text }))
    })
    sent.on('error', failed)
    sent.end(body)
  })

test('what is no request, too large, or from elsewhere', async () => {
  expect((await post('', { method: 'GET' })).status).toBe(405)
  expect((await post('x'.repeat(200_000))).status).toBe(413)
  expect((await post('{')).text).toContain('-32700')
  expect((await post('{}', { headers: { origin: 'https://elsewhere.example' } })).status).toBe(403)
  expect((await post('', { method: 'OPTIONS', headers: { origin: 'http://localhost:5173' } })).status).toBe(204)
})

test('a socket that sends nonsense is told so, and one from elsewhere is not let in', async () => {
  const url = `ws://127.0.0.1:${server.port + 1}`
  const socket = new WebSocket(url)
  const answers: string[] = []
  socket.on('message', data => answers.push(String(data)))
  await new Promise(done => socket.once('open', done))
  for (const text of [
    '{',
    '{"id":1,"method":"accountSubscribe","params":["x"]}',
    '{"id":2,"method":"slotUnsubscribe","params":[0]}',
  ]) {
    socket.send(text)
  }
  socket.send('{"method":"ping"}')
  socket.send('{"id":3,"method":"getHealth"}')
  await until(() => answers.find(text => text.includes('"ok"')))
  expect(answers.map(text => JSON.parse(text).error?.code ?? 0).sort()).toEqual([-32602, -32602, -32700, 0])
  socket.close()
  const other = new WebSocket(url, { origin: 'https://elsewhere.example' })
  expect(String(await new Promise(done => other.once('error', done)))).toContain('401')
})
