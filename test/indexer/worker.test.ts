/** The indexer as a process of its own beside a local chain over HTTP: killed, cut off and stopped while transactions flow. */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterOf, type RunningServer, startServer } from '../../src/chain/index.ts'
import type { LocalMarket } from '../../src/cli/local-markets.ts'
import { marketAddress, SunderClient } from '../../src/client/index.ts'
import { type Database, openPglite, openPostgres, RemoteIndex, rpcReader, verify } from '../../src/indexer/index.ts'
import type { Advanced } from '../../src/indexer/source.ts'
import { as, chainOf, idOf, marketOn, ONE } from '../chain/support.ts'
import { Random } from '../generate/random.ts'
import { hasPostgres, openServer } from './databases.ts'

const EVERY = 100
const KILLS = 10
const TRADERS = ['ann', 'bob', 'cat']

const made = chainOf()
const { chain, rpc } = made
const home = mkdtempSync(join(tmpdir(), 'sunder-worker-'))
const directory = join(home, 'index')
let market: LocalMarket
let server: RunningServer
let client: SunderClient

beforeAll(async () => {
  market = await marketOn(made)
  for (const name of TRADERS) {
    await rpc.handle('sunder_faucet', [{ owner: idOf(name), atoms: (100_000n * ONE).toString() }])
  }
  server = await startServer(rpc)
  chain.run()
  client = new SunderClient(clusterOf(server.url, { interval: 20 }).connection())
})
afterAll(async () => {
  await chain.stop()
  await server.stop()
  rmSync(home, { recursive: true, force: true })
})

const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))
const until = async <T>(what: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> => {
  for (let tries = 0; tries < 6000; tries++) {
    const found = await what()
    if (found !== undefined && found !== false) return found
    await pause(50)
  }
  return expect.unreachable('it did not come')
}

/** What somebody does next; whatever the program refuses is no matter. Returns what went through. */
const act = async (name: string, random: Random): Promise<string | undefined> => {
  const [owner, wallet, sub] = [idOf(name), as(name), random.int(0, 1)]
  const jlp = BigInt(random.int(5, 60)) * ONE
  const own = { market, owner, sub }
  const order = { market, owner: idOf(random.pick(TRADERS)), sub, id: random.int(0, 1) }
  const expiresAt = chain.now + random.int(5, 3600)
  const moves = {
    long: () => client.trade({ ...own, action: 'long', unit: 'st', amount: jlp * 2n, margin: jlp }, wallet),
    short: () => client.trade({ ...own, action: 'short', unit: 'st', amount: jlp * 2n, margin: jlp }, wallet),
    close: () => client.trade({ ...own, action: 'close', unit: 'token', amount: 0n }, wallet),
    deposit: () => client.execute('deposit', { ...own, jlp }, wallet),
    limit: () =>
      client.placeOrder({ ...own, id: order.id, action: 'long', amount: jlp * 10n, fee: 5000n, expiresAt }, wallet),
    stop: () => client.placeOrder({ ...own, id: order.id, action: 'reduce-long', fee: 3000n, expiresAt }, wallet),
    cancel: () => client.cancelOrder({ ...own, id: order.id }, wallet),
    fill: () => client.fillOrder(order, wallet),
    pt: () => client.tradePt({ market, owner, action: 'buy-pt', unit: 'st', amount: jlp }, wallet),
    lend: () => client.addLiquidity({ market, owner, lower: 700, upper: 3000, jlp: jlp * 4n }, wallet),
    take: () =>
      client.removeLiquidity({ market, owner, lower: 700, upper: 3000, share: { num: 1n, den: 3n }, sub }, wallet),
  }
  const move = random.pick([...Object.keys(moves), 'limit', 'fill', 'fill'] as (keyof typeof moves)[])
  return moves[move]().then(
    () => move,
    () => undefined,
  )
}

/** Everybody acts until it is stopped; gives how often what went through. */
const crowd = (seed: bigint) => {
  const stop = new AbortController()
  const done = new Map<string, number>()
  const all = TRADERS.map(async (name, i) => {
    const random = new Random(seed + BigInt(i))
    while (!stop.signal.aborted) {
      const move = await act(name, random)
      if (move !== undefined) done.set(move, (done.get(move) ?? 0) + 1)
      await pause(random.int(50, 300))
    }
  })
  return async () => {
    stop.abort()
    await Promise.all(all)
    return done
  }
}

const isLevel = async (index: RemoteIndex): Promise<boolean> => {
  const { slot = 0 } = await index.status()
  return slot >= chain.slot - 1 // it goes on while it is looked at
}
/** Until everything is in that has landed by now. */
const level = (index: RemoteIndex): Promise<true> => {
  const { slot } = chain
  return until(async () => ((await index.status()).slot ?? 0) > slot)
}

const expectSame = async (database: Database): Promise<void> => {
  const { same, differences, behind } = await verify(database, rpcReader(client.connection as never))
  expect({ differences, behind }).toEqual({ differences: [], behind: [] })
  expect(same).toBeGreaterThan(3 + TRADERS.length)
}

test('killed ten times while transactions flow: the tables equal the chain', async () => {
  const index = new RemoteIndex({ rpcUrl: server.url, directory, every: EVERY })
  const random = new Random(7n)
  const stop = crowd(100n)
  const advanced: Advanced[] = []
  let starts = 0
  index.on('advanced', one => advanced.push(one))
  index.on('ready', () => starts++)
  await expect(index.markets()).rejects.toMatchObject({ code: 'unavailable' })
  for (let kills = 0; kills < KILLS; kills++) {
    const { pid } = await until(() => index.pid !== undefined && { pid: index.pid })
    // Some while it starts (the first time while it makes its database), the others at whatever it does then.
    if (kills % 4 === 0) await pause(random.int(500, 2000))
    else await until(() => isLevel(index))
    await pause(random.int(0, 400))
    const asked = kills % 2 === 0 ? index.accounts({}) : undefined
    process.kill(pid, 'SIGKILL')
    await asked?.catch((error: unknown) => expect(error).toMatchObject({ code: 'unavailable' }))
    await until(() => index.pid !== pid)
  }
  await until(() => index.pid !== undefined)
  await until(() => isLevel(index))
  const done = await stop()
  await level(index)
  expect(await index.status()).toMatchObject({ ready: true, restarts: KILLS, gaps: 0, database: 'embedded', forks: 0 })
  expect(starts).toBeGreaterThan(KILLS / 2)

  // What it answers is what the chain has.
  for (const name of TRADERS) {
    const owner = idOf(name)
    for (const { sub, margin, st, yt, orders } of (await index.accounts({ owner })).rows) {
      expect(await client.account(market, owner, sub)).toMatchObject({ margin, st, yt, orders })
    }
    for (const { sub, id, amount, fee, limitRate, expiresAt } of (await index.orders({ owner, open: true })).rows) {
      expect(await client.restingOrder(market, owner, sub, id)).toMatchObject({ amount, fee, limitRate, expiresAt })
    }
  }
  const fills = (await index.orderHistory({ limit: 1000 })).rows.filter(({ by }) => by !== null)
  expect(fills.length).toBe(done.get('fill'))
  expect((await index.trades({ market: marketAddress(market), limit: 1000 })).rows.length).toBeGreaterThan(fills.length)
  for (const move of ['long', 'short', 'limit', 'cancel', 'fill', 'lend']) expect(done.get(move)).toBeGreaterThan(0)
  // Who listened heard of it.
  const owners = new Set(advanced.flatMap(({ touched }) => touched.owners))
  expect(TRADERS.map(idOf).filter(owner => !owners.has(owner))).toEqual([])
  expect(advanced.flatMap(({ touched }) => touched.orders).length).toBeGreaterThan(0)

  await expect(openPglite(directory)).rejects.toMatchObject({ code: 'unavailable' })
  await index.close()
  await expect(index.markets()).rejects.toMatchObject({ code: 'unavailable' })
  const database = await openPglite(directory)
  await expectSame(database)
  await database.close()
})

test('questions: errors as they are, in time, and only so many at once', async () => {
  const index = new RemoteIndex({
    ...{ rpcUrl: server.url, directory, every: EVERY },
    ...{ timeout: 3000, most: 4 },
  })
  await until(() => isLevel(index))
  await expect(index.trades({ limit: 0 })).rejects.toMatchObject({ code: 'bad-request', context: { limit: 0 } })
  const { maturity, vault } = (await index.market(market.name))!
  expect([maturity, typeof vault]).toEqual([market.maturity, 'bigint'])
  // A process that stands still: no answer, and no more questions than it was given.
  process.kill(index.pid!, 'SIGSTOP')
  const answers = await Promise.allSettled(Array.from({ length: 6 }, () => index.markets()))
  const codes = answers.map(answer => answer.status === 'rejected' && answer.reason.code)
  expect(codes).toEqual(['timeout', 'timeout', 'timeout', 'timeout', 'busy', 'busy'])
  await expect(index.markets()).rejects.toMatchObject({ code: 'busy' })
  process.kill(index.pid!, 'SIGCONT')
  await until(() =>
    index.markets().then(
      found => found.length === 1,
      () => false,
    ),
  )
  expect((await index.status()).restarts).toBe(0)
  await index.close()
})

test('it ends by itself when nobody is left to tell', async () => {
  const env = { ...process.env, SUNDER_INDEX: directory, SUNDER_RPC_URL: server.url, DATABASE_URL: '' }
  const worker = new URL('../../src/indexer/worker.ts', import.meta.url)
  const child = fork(worker, { env, execArgv: ['--import', 'tsx'], serialization: 'advanced' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  await new Promise<void>(resolve => {
    child.on('message', (message: { readonly type: string }) => {
      if (message.type === 'ready') resolve()
    })
  })
  child.disconnect()
  expect(await ended).toBe(0)
})

describe.skipIf(!hasPostgres)('with Postgres', () => {
  test('a server that goes away and comes back while transactions flow', async () => {
    const engine = await openServer()
    const index = new RemoteIndex({ rpcUrl: server.url, databaseUrl: engine.url, every: EVERY })
    try {
      const stop = crowd(200n)
      await until(() => isLevel(index))
      for (let i = 0; i < 2; i++) {
        await engine.stop()
        await expect(index.markets()).rejects.toMatchObject({ code: 'unavailable' })
        await pause(500)
        expect((await index.status()).trouble).toMatchObject({ code: 'unavailable' })
        await engine.start()
        await until(() => isLevel(index))
        expect((await index.markets()).length).toBe(1)
      }
      await stop()
      await level(index)
      expect(await index.status()).toMatchObject({ restarts: 0, trouble: undefined, database: 'server' })
      await index.close()
      const database = openPostgres(engine.url)
      await expectSame(database)
      await database.close()
    } finally {
      await index.close()
      await engine.close()
    }
  })
})
