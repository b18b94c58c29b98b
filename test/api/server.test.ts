/** The server as a whole: what it shows, what it refuses, and what it keeps to itself. */

import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildServer } from '../../app/api/server.ts'
import { decode } from '../../src/client/codecs.ts'
import { marketOf, SunderClient } from '../../src/client/index.ts'
import { IndexerError } from '../../src/indexer/errors.ts'
import { idOf, ONE } from '../chain/support.ts'
import { type Answer, JSON_TYPE, type Serving, serving } from './support.ts'

let on: Serving
let market: string
const lines: string[] = []
const log = new Writable({
  write(chunk, _, done) {
    lines.push(String(chunk))
    done()
  },
})

beforeAll(async () => {
  on = await serving({ logger: { level: 'info', stream: log }, origins: ['https://page.example'] })
  market = on.market.name
})
afterAll(() => on.stop())

const refusal = ({ status, body }: Answer): [number, string] => {
  const { code, message, hint, requestId, context } = body.error
  expect([typeof message, typeof hint, typeof requestId, typeof context]).toEqual([
    'string',
    'string',
    'string',
    'object',
  ])
  return [status, code]
}

describe('markets', () => {
  test('one market says what it is and when it was read', async () => {
    const { status, body } = await on.ask(`/v1/markets/${market}`)
    const reading = await new SunderClient(on.made.connection).market(on.market)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      market,
      address: reading.address,
      kind: 'hourly',
      maturity: on.market.maturity,
      status: 'coupon-due',
      rate: { q64: String(reading.pool.rate) },
      tvl: String(reading.vault),
      volume24h: null,
      stale: false,
    })
    expect(body.slot).toBeGreaterThan(1000)
    expect(Math.abs(body.time - on.made.chain.now)).toBeLessThan(10)
    expect(BigInt(body.ytPrice.q64) + BigInt(body.ptPrice.q64)).toBe(1n << 64n)
    expect((await on.ask('/v1/markets')).body.markets).toMatchObject([{ market }])
  })

  test('depth adds up to the inventory of all liquidity', async () => {
    const { body } = await on.ask(`/v1/markets/${market}/depth?width=200`)
    const sum = body.buckets.reduce((all: bigint, { yt }: { yt: string }) => all + BigInt(yt), 0n)
    expect(body.buckets.filter(({ side }: { side: string }) => side === 'around').length).toBe(1)
    expect(sum).toBeGreaterThan(100_000n * ONE)
  })

  test('the state is enough to have the same market elsewhere', async () => {
    const { body } = await on.ask(`/v1/markets/${market}/state`)
    const bytes = new Map<string, Buffer>(
      body.accounts.map(({ address, data }: { address: string; data: string }) => [
        address,
        Buffer.from(data, 'base64'),
      ]),
    )
    const data = decode('Market', bytes.get(body.address)!)
    const index = decode('RateIndex', bytes.get(data.index)!)
    const arrays = [...bytes.values()].filter(one => one.length === 3168).map(one => decode('TickArray', one))
    const there = marketOf({ address: body.address, market: data, index, arrays })
    const reading = await new SunderClient(on.made.connection).market(on.market)
    expect(there.pool).toEqual(reading.pool)
  })

  test('the term structure has a point for each market', async () => {
    const { body } = await on.ask('/v1/term-structure')
    expect(body.points).toMatchObject([{ market, forwardApy: body.points[0].impliedApy }])
  })

  test('an owner who has nothing', async () => {
    const { body } = await on.ask(`/v1/accounts/${idOf('nobody')}`)
    expect(body).toMatchObject({ wallet: { lamports: '0', jlp: '0', pt: [] }, accounts: [], orders: [], positions: [] })
  })
})

describe('how the server is', () => {
  test('alive, ready, measured, and described at its door', async () => {
    expect((await on.ask('/healthz')).body).toEqual({ alive: true })
    expect((await on.ask('/readyz')).body).toMatchObject({
      ready: true,
      local: true,
      speed: 1,
      markets: 1,
      index: 'none',
    })
    const metrics = (await on.ask('/metrics')).body as string
    expect(metrics).toMatch(/^sunder_feed_age_seconds [\d.e-]+$/m)
    expect(metrics).toMatch(
      /sunder_request_seconds_count\{method="GET",route="\/v1\/markets\/:market",status="200"\} [1-9]/,
    )
    const page = await on.ask('/')
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.body).toContain(`/v1/markets/${market}`)
  })

  test('without an index, history is unavailable and quotes are not', async () => {
    for (const path of [`/v1/markets/${market}/candles`, '/v1/coupons', `/v1/accounts/${idOf('ann')}/trades`]) {
      expect(refusal(await on.ask(path))).toEqual([503, 'index-unavailable'])
    }
    expect((await on.ask(`/v1/markets/${market}/quote?action=long&amount=1000000`)).status).toBe(200)
  })

  test('an index that has gone is unavailable too, and a wrong cursor is not its fault', async () => {
    const gone = async () => {
      throw new IndexerError('unavailable', 'away')
    }
    const asked = async () => {
      throw new IndexerError('bad-request', 'This cursor is none')
    }
    const status = async () => ({ slot: undefined })
    const index = Object.assign(new EventEmitter(), { status, candles: gone, coupons: asked, volumes: gone }) as never
    const app = await buildServer({ ...on.context, index }, { rateLimit: false })
    const candles = await app.inject(`/v1/markets/${market}/candles`)
    expect([candles.statusCode, candles.json().error.code]).toEqual([503, 'index-unavailable'])
    const coupons = await app.inject('/v1/coupons?cursor=1.2')
    expect([coupons.statusCode, coupons.json().error.code]).toEqual([400, 'bad-request'])
    expect((await app.inject('/v1/markets')).json().markets[0].volume24h).toBeNull()
    await app.close()
  })
})

describe('T141: amounts', () => {
  const owner = idOf('ann')
  const bad = [
    '1e3',
    '0x10',
    '-0',
    '-1',
    ' 1',
    '1 ',
    '1.0',
    '01',
    '',
    '9'.repeat(400),
    '\u0661',
    '18446744073709551616',
    '+1',
    '1_000',
    'NaN',
    'null',
  ]

  test.each(bad)('in a query: "%s"', async amount => {
    const query = new URLSearchParams({ action: 'long', amount })
    expect(refusal(await on.ask(`/v1/markets/${market}/quote?${query}`))).toEqual([400, 'bad-request'])
  })

  test.each<unknown>([...bad, 5, 1e21, -0, true, null, [], ['5'], {}, { toString: '5' }])(
    'in a body: %j',
    async jlp => {
      expect(refusal(await on.post('/v1/transactions/deposit', { owner, market, jlp }))).toEqual([400, 'bad-request'])
    },
  )

  test.each([
    '{"__proto__":{"jlp":"5"}}',
    '{"constructor":{"prototype":{"jlp":"5"}}}',
    '{"jlp":"5","jlp":5}',
    `{"owner":"${idOf('ann')}","market":"JLP-2407","jlp":9007199254740993}`,
    '{"owner":"x"',
    '[]',
    '"5"',
    'null',
    '',
  ])('a body that is %s', async body => {
    const [status, code] = refusal(await on.post('/v1/transactions/deposit', body))
    expect([status, code]).toEqual([400, 'bad-request'])
  })

  test('twice in a query, or as parts of it', async () => {
    for (const query of ['amount=1&amount=2', 'amount[]=1', 'amount[x]=1', '__proto__=1', 'constructor=1']) {
      expect(refusal(await on.ask(`/v1/markets/${market}/quote?action=long&${query}`))[0]).toBe(400)
    }
  })

  test('2^53 + 1 is exact to the last atom', async () => {
    await on.post('/v1/faucet', { owner, jlp: '1000000' })
    await on.nextSlot()
    const { body } = await on.post('/v1/transactions/deposit', { owner, market, jlp: '9007199254740993' })
    expect(body.error.code).toBe('insufficient-balance') // and not 400: it is a plain amount
    const { body: quoted } = await on.ask(
      `/v1/markets/${market}/quote?action=long&amount=1000000&margin=9007199254740993`,
    )
    expect(quoted.account.netDeposits).toBe('9007199254740993')
  })
})

describe('requests that are none', () => {
  test('routes and methods that are not there', async () => {
    expect(refusal(await on.ask('/v1/nothing'))).toEqual([404, 'not-found'])
    expect(refusal(await on.ask('/v1/markets', { method: 'DELETE' }))).toEqual([404, 'not-found'])
    expect(refusal(await on.ask('/v1/markets/JLP-2101'))).toEqual([404, 'unknown-market'])
    expect(refusal(await on.ask('/v1/markets/..%2f..%2fetc'))[0]).toBe(400)
    expect(refusal(await on.ask(`/v1/markets/${'x'.repeat(5000)}`))[0]).toBeGreaterThanOrEqual(400)
  })

  test('bodies that are too large, no JSON, or of another type', async () => {
    expect(refusal(await on.post('/v1/transactions', { transaction: 'A'.repeat(70_000) }))).toEqual([413, 'too-large'])
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'owner=1' }
    expect(refusal(await on.ask('/v1/faucet', form))).toEqual([415, 'not-json'])
    expect(refusal(await on.post('/v1/transactions', '{'))).toEqual([400, 'bad-request'])
    expect(refusal(await on.post('/v1/faucet', { owner: idOf('ann'), more: 1 }))).toEqual([400, 'bad-request'])
    expect(refusal(await on.post('/v1/faucet', { owner: idOf('ann'), jlp: '1000000000001' }))).toEqual([422, 'faucet'])
  })
})

describe('T146: who asks too often', () => {
  test('is refused, whatever forwarded addresses it says; a /64 counts as one', async () => {
    const limited = await buildServer(on.context, { rateLimit: 2 })
    const ask = (headers: object, remoteAddress: string) =>
      limited.inject({ url: '/v1/term-structure', headers: headers as Record<string, string>, remoteAddress })
    const statuses = new Set<number>()
    for (let i = 0; i < 30; i++) statuses.add((await ask({ 'x-forwarded-for': `10.0.0.${i}` }, '192.0.2.1')).statusCode)
    expect(statuses).toEqual(new Set([200, 429]))
    let passed = 0
    for (let i = 0; i < 30; i++) {
      if ((await ask({}, `2001:db8:1:2::${i.toString(16)}`)).statusCode === 200) passed++
    }
    expect(passed).toBe(20)
    expect((await ask({}, '2001:db8:1:3::1')).statusCode).toBe(200)
    const { headers, body } = await ask({}, '192.0.2.1')
    expect(JSON.parse(body).error.code).toBe('too-many-requests')
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    // What watches the server is never kept away.
    expect((await limited.inject({ url: '/healthz', remoteAddress: '192.0.2.1' })).statusCode).toBe(200)
    await limited.close()
  })
})

describe('T148: pages of elsewhere', () => {
  const cors = async (origin: string): Promise<string | null> =>
    (await on.ask('/v1/markets', { headers: { origin } })).headers.get('access-control-allow-origin')

  test('may not read; those of this machine and of the list may', async () => {
    expect(await cors('https://evil.example')).toBeNull()
    expect(await cors('http://localhost.evil.example')).toBeNull()
    expect(await cors('http://127.0.0.1.evil.example:80')).toBeNull()
    expect(await cors('null')).toBeNull()
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000', 'https://page.example']) {
      expect(await cors(origin)).toBe(origin)
    }
  })

  test('there is no credential to ride on, a form cannot post, and no frame can hold the page', async () => {
    const { headers } = await on.ask('/v1/markets', { headers: { origin: 'http://localhost:5173', cookie: 'a=b' } })
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(headers.get('set-cookie')).toBeNull()
    const text = {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: JSON.stringify({ owner: idOf('ann') }),
    }
    expect((await on.ask('/v1/faucet', text)).status).toBe(415)
    const policy = headers.get('content-security-policy')!
    for (const part of ["default-src 'self'", "script-src 'self'", "frame-ancestors 'none'", "object-src 'none'"]) {
      expect(policy).toContain(part)
    }
    expect(policy).not.toContain('https:')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })
})

test('T157: logs, errors and metrics name no owner, key, or transaction', async () => {
  const owner = idOf('secretive')
  const transaction = Buffer.alloc(300, 7).toString('base64')
  const secret = 'c2VjcmV0LXRva2Vu'
  await on.ask(`/v1/accounts/${owner}`, { headers: { authorization: `Bearer ${secret}` } })
  await on.post('/v1/transactions', { transaction })
  await on.ask(`/v1/markets/${market}/quote?action=long&amount=1&owner=${owner}`)
  const metrics = (await on.ask('/metrics')).body as string
  const told = lines.join('') + metrics
  for (const word of [owner, transaction, secret]) expect(told).not.toContain(word)
  const answered = lines.map(line => JSON.parse(line)).filter(line => line.msg === 'answered')
  expect(answered.length).toBeGreaterThan(10)
  expect(answered.at(-1)).toMatchObject({ method: 'GET', status: 200, id: expect.any(String) })
})

test('a request that does not come to its end is cut off, and others go on', async () => {
  const half = request(`${on.url}/v1/faucet`, { method: 'POST', headers: { ...JSON_TYPE, 'content-length': '100' } })
  half.on('error', () => {})
  half.write('{"owner"')
  expect((await on.ask('/healthz')).status).toBe(200)
  half.destroy()
})

test.each([
  ['nonsense\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
])('what is no request is answered in the one shape: %#', async (bytes, status) => {
  const text = await new Promise<string>((done, failed) => {
    const socket = connect(Number(new URL(on.url).port), '127.0.0.1', () => socket.write(bytes))
    let all = ''
    socket.on('data', part => {
      all += part
    })
    socket.on('end', () => done(all))
    socket.on('error', failed)
  })
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).error.hint).toMatch(/\w{3}/)
})

test('when the chain stands still nothing is quoted any more, and what was read is shown with its age', async () => {
  const alone = await serving({}, { staleAfter: 300 })
  await alone.made.chain.stop()
  await new Promise(done => setTimeout(done, 900))
  const name = alone.market.name
  expect(refusal(await alone.ask(`/v1/markets/${name}/quote?action=long&amount=1000000`))).toEqual([503, 'stale'])
  const { status, body } = await alone.ask(`/v1/markets/${name}`)
  expect([status, body.status, body.stale]).toEqual([200, 'stale', true])
  expect(body.age).toBeGreaterThan(300)
  const ready = await alone.ask('/readyz')
  expect([ready.status, ready.body.ready]).toEqual([503, false])
  await alone.node.stop()
  // Nor does a node that is gone take the server with it.
  await new Promise(done => setTimeout(done, 600))
  expect((await alone.ask('/healthz')).status).toBe(200)
  expect(refusal(await alone.ask(`/v1/accounts/${idOf('ann')}`))).toEqual([503, 'chain-unavailable'])
  await alone.app.close()
  await alone.context.feed.stop()
})

test('beside the page, which may be built later, a path that nothing can have is not found', async () => {
  const web = mkdtempSync(join(tmpdir(), 'sunder-page-'))
  const app = await buildServer(on.context, { rateLimit: false, web })
  try {
    expect((await app.inject('/')).body).toContain('/openapi.json')
    writeFileSync(join(web, 'index.html'), '<p>the page</p>')
    expect((await app.inject('/')).body).toBe('<p>the page</p>')
    for (const letters of [101, 300, 5000]) {
      const answer = await app.inject(`/v1/markets/${'a'.repeat(letters)}`)
      expect(answer.statusCode).toBe(404)
      expect(answer.json().error.code).toBe('not-found')
    }
  } finally {
    await app.close()
    rmSync(web, { recursive: true })
  }
})
