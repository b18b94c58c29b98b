/** The hub of the streams: every update once and in order, what was missed or a snapshot, and nobody waits for who does not read. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openContext } from '../../app/api/context.ts'
import { buildServer } from '../../app/api/server.ts'
import { AccountTopics, type StreamSetting, Streams, type Update } from '../../app/api/streams.ts'
import { dayNumber, secondsOf } from '../../src/oracle/index.ts'
import { chainOf, idOf, marketOn, ONE } from '../chain/support.ts'
import { type Document, validatorOf } from '../service/document.ts'
import { headOf, type Listening, listen, type Message } from '../service/events.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A hub behind a plain server: `/?topics=a,b`. */
const served = async (setting: StreamSetting = {}) => {
  const streams = new Streams(setting)
  const responses: ServerResponse[] = []
  const server: Server = createServer((request, response) => {
    const topics = new URL(request.url!, 'http://x').searchParams.get('topics')!.split(',')
    if (streams.isFull) return response.writeHead(503).end()
    responses.push(response)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    streams.subscribe(response, topics, request.headers['last-event-id'] as string | undefined)
    return response
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  closing.push(() => {
    streams.close()
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?topics=`
  return { streams, url, responses }
}

/** Somebody who listens and keeps what came. */
const listener = async (url: string, lastEventId?: string) => {
  const messages: Message[] = []
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const stream: Listening = await listen(url, message => messages.push(message), { headers })
  return {
    ...stream,
    messages,
    updates: (): Update[] => messages.filter(({ event }) => event === 'message').map(({ data }) => JSON.parse(data)),
    /** Numbers of one topic. */
    numbers: (topic: string): number[] =>
      messages
        .map(({ data }) => headOf(data))
        .filter(head => head.topic === topic)
        .map(({ number }) => number),
  }
}

const until = (condition: () => boolean): Promise<void> => vi.waitFor(() => expect(condition()).toBe(true), 10_000)

describe('what a client gets', () => {
  test('a snapshot of what is there, then each update once, in order and one more each', async () => {
    const { streams, url } = await served()
    streams.open('market:a')
    streams.open('market:b')
    streams.publish('market:a', { price: '1' })
    streams.publish('market:a', { price: '2' })
    const one = await listener(`${url}market:a,market:b`)
    await until(() => one.messages.length === 1)
    streams.publish('market:b', { price: '7' })
    streams.publish('market:a', { price: '3' })
    await until(() => one.messages.length === 3)
    const [first, second, third] = one.updates()
    expect(first).toEqual({ topic: 'market:a', id: `${streams.epoch}.2`, snapshot: true, data: { price: '2' } })
    expect(second).toMatchObject({ topic: 'market:b', snapshot: true, data: { price: '7' } })
    expect(third).toEqual({ topic: 'market:a', id: `${streams.epoch}.3`, snapshot: false, data: { price: '3' } })
  })

  test('a topic that it did not ask for says nothing to it', async () => {
    const { streams, url } = await served()
    streams.open('a')
    streams.open('b')
    const one = await listener(`${url}a`)
    for (let i = 0; i < 5; i++) streams.publish(i % 2 === 0 ? 'b' : 'a', i)
    await until(() => one.messages.length === 2)
    expect(one.updates().map(({ data }) => data)).toEqual([1, 3])
  })

  test('many that come and go while updates are published miss none and get none twice', async () => {
    const { streams, url } = await served()
    streams.open('a')
    streams.open('b')
    let last = 0
    const publish = (): void => {
      last++
      streams.publish('a', last)
      streams.publish('b', -last)
    }
    publish()
    const all = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        await new Promise(done => setTimeout(done, i % 50))
        publish()
        return listener(`${url}${i % 3 === 0 ? 'a' : 'a,b'}`)
      }),
    )
    for (let i = 0; i < 20; i++) {
      publish()
      await new Promise(done => setTimeout(done, 1))
    }
    await until(() =>
      all.every(
        ({ messages }) => messages.at(-1)!.data.endsWith(`:${last}}`) || messages.at(-1)!.data.endsWith(`:${-last}}`),
      ),
    )
    for (const one of all) {
      for (const topic of ['a', 'b']) {
        const numbers = one.numbers(topic)
        expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i))
      }
      expect(
        one
          .updates()
          .filter(({ topic }) => topic === 'a')
          .at(-1)!.data,
      ).toBe(last)
    }
    expect(streams.clients).toBe(300)
    for (const one of all) one.stop()
    await until(() => streams.clients === 0)
    expect(streams.listeners('a')).toBe(0)
  })
})

describe('coming back', () => {
  const leave = async (url: string, streams: Streams) => {
    const one = await listener(`${url}a,b`)
    streams.publish('a', 'a1')
    streams.publish('b', 'b1')
    await until(() => one.messages.length === 2)
    one.stop()
    await until(() => streams.clients === 0)
    return one.messages.at(-1)!.id!
  }
  const begun = async (setting: StreamSetting = {}) => {
    const hub = await served(setting)
    hub.streams.open('a')
    hub.streams.open('b')
    return { ...hub, seen: await leave(hub.url, hub.streams) }
  }

  test('gets what was missed of every topic, in the order it happened', async () => {
    const { streams, url, seen } = await begun()
    for (const data of ['a2', 'b2', 'a3']) streams.publish(data[0]!, data)
    const again = await listener(`${url}a,b`, seen)
    await until(() => again.messages.length === 3)
    expect(again.updates().map(({ data, snapshot }) => [data, snapshot])).toEqual([
      ['a2', false],
      ['b2', false],
      ['a3', false],
    ])
  })

  test('gets nothing if nothing was missed', async () => {
    const { streams, url, seen } = await begun()
    const again = await listener(`${url}a,b`, seen)
    streams.publish('a', 'a2')
    await until(() => again.messages.length > 0)
    expect(again.updates().map(({ data }) => data)).toEqual(['a2'])
  })

  test('gets a snapshot of a topic of which too much was missed, and the updates of the others', async () => {
    const { streams, url, seen } = await begun({ kept: 4 })
    for (let i = 2; i < 9; i++) streams.publish('a', `a${i}`)
    streams.publish('b', 'b2')
    const again = await listener(`${url}a,b`, seen)
    await until(() => again.messages.length === 2)
    expect(again.updates().map(({ data, snapshot }) => [data, snapshot])).toEqual([
      ['a8', true],
      ['b2', false],
    ])
  })

  test.each(['', 'nonsense', 'deadbeef0000.1', '1e9', `${'9'.repeat(200)}`])(
    'from nowhere (%j) gets snapshots',
    async id => {
      const { streams, url } = await begun()
      streams.publish('a', 'a2')
      const again = await listener(`${url}a,b`, id)
      await until(() => again.messages.length === 2)
      expect(again.updates().every(({ snapshot }) => snapshot)).toBe(true)
    },
  )
})

describe('bounds', () => {
  test('a client that does not read is cut off, with no more waiting for it than allowed; the others get everything', async () => {
    const waiting = 64 * 1024
    const { streams, url, responses } = await served({ waiting })
    streams.open('a')
    const slow = await listener(`${url}a`)
    slow.response.pause()
    const quick = await listener(`${url}a`)
    const payload = 'x'.repeat(20_000)
    let most = 0
    let sent = 0
    while (streams.dropped === 0 && sent < 5000) {
      streams.publish('a', payload)
      sent++
      await new Promise(done => setImmediate(done))
      most = Math.max(most, responses[0]!.writableLength)
    }
    expect(streams.dropped).toBe(1)
    expect(most).toBeLessThan(waiting + 2 * 20_200)
    expect(streams.clients).toBe(1)
    await until(() => quick.messages.length === sent)
  })

  test('so many clients and no more; who leaves makes room', async () => {
    const { streams, url } = await served({ clients: 2 })
    streams.open('a')
    const one = await listener(`${url}a`)
    await listener(`${url}a`)
    expect((await listener(`${url}a`)).status).toBe(503)
    one.stop()
    await until(() => streams.clients === 1)
    expect((await listener(`${url}a`)).status).toBe(200)
  })

  test('a quiet stream says that it lives', async () => {
    const { streams, url } = await served({ heartbeat: 20 })
    streams.open('a')
    let text = ''
    const { response } = await listener(`${url}a`)
    response.on('data', part => {
      text += part
    })
    await until(() => text.split(':\n\n').length > 3)
  })

  test('the end is said to everybody, and nobody is let in afterwards', async () => {
    const { streams, url } = await served()
    streams.open('a')
    const all = await Promise.all([listener(`${url}a`), listener(`${url}a`)])
    streams.close()
    for (const one of all) {
      await one.ended
      expect(one.messages.at(-1)).toMatchObject({ event: 'end', data: '{"reason":"stopping"}' })
    }
    expect(streams.clients).toBe(0)
    expect((await listener(`${url}a`)).status).toBe(503)
  })
})

describe('topics of owners', () => {
  test('begin when somebody asks, are read at most twice a second, and end with the last listener', async () => {
    const { streams, url } = await served()
    const times: number[] = []
    let reads = 0
    const accounts = new AccountTopics(
      streams,
      async owner => {
        times.push(performance.now())
        return { figures: { owner, reads: ++reads }, freshness: { slot: 7 } }
      },
      error => expect.unreachable(String(error)),
    )
    accounts.touched(['nobody listens'])
    expect(streams.topics).toEqual([])
    const one = await listener(`${url}account:me`)
    await until(() => one.messages.length === 1)
    const began = performance.now()
    while (performance.now() - began < 1200) {
      accounts.touched(['me', 'another'])
      await new Promise(done => setTimeout(done, 5))
    }
    await until(() => one.messages.length === reads)
    expect(times.length).toBeGreaterThanOrEqual(3)
    for (const [i, time] of times.entries()) if (i > 0) expect(time - times[i - 1]!).toBeGreaterThan(490)
    expect(one.updates().map(({ data }) => data)).toEqual(times.map((_, i) => ({ owner: 'me', reads: i + 1, slot: 7 })))
    const two = await listener(`${url}account:me`)
    await until(() => two.messages.length > 0)
    one.stop()
    await until(() => streams.clients === 1)
    expect(streams.topics).toEqual(['account:me'])
    two.stop()
    await until(() => streams.clients === 0)
    expect(streams.topics).toEqual([])
    expect(accounts.owners).toEqual([])
    // Its numbers do not begin again where others have been.
    const again = await listener(`${url}account:me`, two.messages.at(-1)!.id)
    await until(() => again.messages.length > 0)
    expect(again.updates()[0]!.snapshot).toBe(true)
    expect(headOf(again.messages[0]!.data).number).toBeGreaterThan(headOf(two.messages.at(-1)!.data).number)
  })

  test('one that cannot be read is told, and read again', async () => {
    const { streams, url } = await served()
    let tries = 0
    const told: unknown[] = []
    new AccountTopics(
      streams,
      async () => {
        if (++tries === 1) throw new Error('no database')
        return { figures: { what: 'read' }, freshness: {} }
      },
      error => told.push(error),
      { again: 50 },
    )
    const one = await listener(`${url}account:me`)
    await until(() => one.messages.length === 1)
    expect(one.updates()[0]!.data).toEqual({ what: 'read' })
    expect(told).toHaveLength(1)
  })

  test('what was not told is seen too, and nothing is published that has not changed', async () => {
    const { streams, url } = await served()
    let reads = 0
    new AccountTopics(
      streams,
      async () => ({ figures: { balance: String(Math.floor(reads / 4)) }, freshness: { slot: ++reads } }),
      error => expect.unreachable(String(error)),
      { pulse: 10 },
    )
    const one = await listener(`${url}account:me`)
    await until(() => reads > 12)
    const balances = one.updates().map(({ data }) => (data as { balance: string }).balance)
    expect(balances.slice(0, 3)).toEqual(['0', '1', '2'])
  })
})

describe('over the API', () => {
  let api: Awaited<ReturnType<typeof opened>>
  const opened = async () => {
    const local = chainOf({ start: secondsOf(dayNumber('2024-09-12')!, 10) })
    const market = await marketOn(local)
    // Only when the test says so: every reading is one slot.
    const context = await openContext(local.connection, { interval: 1e9 })
    const app = await buildServer(context, { rateLimit: false, origins: ['https://sunder.example'] })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const slots = async (count: number, milliseconds = 600_000): Promise<void> => {
      for (let i = 0; i < count; i++) {
        local.chain.nextSlot(milliseconds)
        await context.feed.read()
      }
    }
    return { ...local, market, context, app, url, slots }
  }
  beforeAll(async () => {
    api = await opened()
  })
  afterAll(async () => {
    await api.app.close()
    await api.context.feed.stop()
  })
  const stream = (topics: string): string => `${api.url}/v1/stream?topics=${topics}`

  test('a market, the oracle and slots as they are asked for by GET, and every change of them', async () => {
    const { market, url, slots } = api
    const one = await listener(stream(`slot,oracle,market:${market.name}`))
    expect(one.status).toBe(200)
    expect(one.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(one.headers['x-request-id']).toBeTruthy()
    await until(() => one.messages.length >= 3)
    await slots(14)
    await until(() => one.numbers('slot').length >= 15)
    for (const topic of ['slot', 'oracle', `market:${market.name}`]) {
      const numbers = one.numbers(topic)
      expect(numbers.length).toBeGreaterThan(1)
      expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i))
    }
    const last = (topic: string) =>
      one.updates().findLast(update => update.topic === topic)!.data as Record<string, unknown>
    const got = async (path: string) => (await fetch(`${url}/v1/${path}`)).json() as Promise<Record<string, unknown>>
    const still = ({ age, slot, time, volume24h, ...rest }: Record<string, unknown>) => rest
    expect(still(last(`market:${market.name}`))).toEqual(still(await got(`markets/${market.name}`)))
    expect({ ...still(last('oracle')), errors: null }).toEqual({ ...still(await got('oracle')), errors: null })
    one.stop()
  })

  test('an owner, who is not there until somebody asks, and what happens to them', async () => {
    const { context, rpc, slots } = api
    const owner = idOf('stranger')
    const one = await listener(stream(`account:${owner}`))
    await until(() => one.messages.length === 1)
    expect(one.updates()[0]!.data).toMatchObject({ owner, accounts: [], wallet: { jlp: '0' } })
    rpc.faucet.give(owner, 5n * ONE)
    await slots(1)
    context.feed.emit('market', context.feed.markets[0]!)
    await slots(1)
    await until(() => one.messages.length === 2)
    expect(one.updates()[1]!.data).toMatchObject({ wallet: { jlp: String(5n * ONE) } })
    const get = (await (await fetch(`${api.url}/v1/accounts/${owner}`)).json()) as object
    expect(get).toMatchObject({
      ...(one.updates()[1]!.data as object),
      age: expect.any(Number),
      slot: expect.any(Number),
      time: expect.any(Number),
    })
    one.stop()
  })

  test.each([
    ['nothing', 404, 'unknown-topic'],
    ['market:JLP-9901', 404, 'unknown-topic'],
    ['market:', 404, 'unknown-topic'],
    ['market', 404, 'unknown-topic'],
    ['account:', 404, 'unknown-topic'],
    ['account:1', 404, 'unknown-topic'],
    ['slot:1', 404, 'unknown-topic'],
    ['oracle:x', 404, 'unknown-topic'],
    ['slot,,oracle', 404, 'unknown-topic'],
    ['__proto__', 404, 'unknown-topic'],
    ['constructor:x', 404, 'unknown-topic'],
    ['', 400, 'bad-request'],
    ['slot%0Aid:1', 400, 'bad-request'],
    ['slot&topics=oracle', 400, 'bad-request'],
    ['slot&more=1', 400, 'bad-request'],
    [Array.from({ length: 201 }, (_, i) => `market:${i}`).join(), 400, 'bad-request'],
  ])('%s is refused', async (topics, status, code) => {
    const answer = await fetch(stream(topics))
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([status, code])
  })

  test('200 topics are served', async () => {
    const owners = Array.from({ length: 199 }, (_, i) => `account:${idOf(`owner ${i}`)}`)
    const one = await listener(stream(['slot', ...owners].join()))
    expect(one.status).toBe(200)
    one.stop()
  })

  test('a page of another origin cannot read it; those of this machine and of the list can', async () => {
    const allowed = async (origin: string) => {
      const { headers, stop } = await listen(stream('slot'), () => {}, { headers: { origin } })
      stop()
      return headers['access-control-allow-origin']
    }
    expect(await allowed('https://evil.example')).toBeUndefined()
    expect(await allowed('https://sunder.example')).toBe('https://sunder.example')
    expect(await allowed('http://127.0.0.1:5173')).toBe('http://127.0.0.1:5173')
  })

  test('the oracle, its history and the pool answer as their schemas say', async () => {
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as Document
    const validate = validatorOf(document)
    for (const [path, template] of [
      ['oracle', '/v1/oracle'],
      ['jlp', '/v1/jlp'],
      ['oracle/history', '/v1/oracle/history'],
      ['oracle/history?width=week&limit=5', '/v1/oracle/history'],
      ['oracle/history?from=2024-06-01&to=2024-06-10', '/v1/oracle/history'],
    ] as const) {
      const answer = await fetch(`${api.url}/v1/${path}`)
      expect(answer.status).toBe(200)
      expect(validate(template, 'get', 200, await answer.json())).toBeUndefined()
    }
    const history = (await (await fetch(`${api.url}/v1/oracle/history?limit=1000`)).json()) as {
      days: { date: string }[]
      known: string
    }
    expect(history.known).toBe('played')
    expect(history.days.at(-1)!.date).toBe('2024-09-11')
    const wrong = await fetch(`${api.url}/v1/oracle/history?from=2024-02-31`)
    expect([wrong.status, validate('/v1/oracle/history', 'get', 400, await wrong.json())]).toEqual([400, undefined])
    expect((await fetch(`${api.url}/v1/oracle/history?from=2024-03-01&to=2024-02-01`)).status).toBe(400)
  })

  test('the server that stops says so to who listens, and ends', async () => {
    const another = await opened()
    const one = await listener(`${another.url}/v1/stream?topics=slot`)
    await until(() => one.messages.length === 1)
    await another.app.close()
    await one.ended
    expect(one.messages.at(-1)!.event).toBe('end')
    await another.context.feed.stop()
  })
})
