/**
 * The whole exchange as `npm start` runs it: it serves a quote, every process of it is killed again and again and comes back, what was acknowledged
 * stays and nothing happens twice (T142, T151), and no process outlives its parent.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Connection, SystemProgram, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBase58 } from '../../src/client/base58.ts'
import { SunderClient } from '../../src/client/index.ts'
import { Dice } from '../../src/strategy/replay/dice.ts'
import { idOf, key, keyOf } from '../chain/support.ts'

const { SUNDER_KILLS = '20' } = process.env
const KILLS = Number(SUNDER_KILLS)
const VICTIMS = ['chain', 'keeper', 'crowd', 'api', 'indexer'] as const
type Victim = (typeof VICTIMS)[number]
const SCRIPT = fileURLToPath(new URL('../../src/cli/start.ts', import.meta.url))

let root: string
let parent: ChildProcess
const said: string[] = []
const log: string[] = []
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sunder-start-'))
})
afterAll(() => {
  parent?.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 })
})

const wait = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))
/** Asks again and again, for as long as a slow machine may take. */
const until = async <T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  for (let tried = 0; tried < 600; tried++) {
    const found = await Promise.resolve()
      .then(ask)
      .catch(() => undefined)
    if (found !== undefined) return found
    await wait(200)
  }
  return expect.unreachable(`${what} did not come; the last lines:\n${log.slice(-30).join('\n')}`)
}

const freePort = (): Promise<number> =>
  new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

const begin = async (): Promise<{ readonly url: string; readonly rpc: string }> => {
  const port = await freePort()
  const flags = ['--speed', '3600', '--directory', root, '--port', String(port), '--verbose']
  parent = spawn(process.execPath, ['--import', 'tsx', SCRIPT, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  said.length = 0
  createInterface({ input: parent.stdout! }).on('line', line => said.push(line))
  createInterface({ input: parent.stderr! }).on('line', line => {
    log.push(line)
    if (log.length > 2000) log.shift()
  })
  const url = await until('the line that it serves', () => said.find(line => line.startsWith('http')))
  expect(url).toBe(`http://127.0.0.1:${port}`)
  const rpc = /Local chain at (\S+),/.exec(said.join('\n'))![1]!
  return { url, rpc }
}

/** Processes by their parents, of which some may be gone already. */
const processes = (): { readonly pid: number; readonly parent: number; readonly what: string }[] =>
  execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap(line => {
      const [, pid, of, what] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
      return pid === undefined || what!.includes('<defunct>') ? [] : [{ pid: +pid, parent: +of!, what: what! }]
    })
const pidOf = (victim: Victim): number | undefined => {
  const all = processes()
  const child = (name: string) =>
    all.find(one => one.parent === parent.pid && one.what.includes(join('src', 'cli', `${name}.ts`)))
  if (victim !== 'indexer') return child(victim)?.pid
  const api = child('api')
  return api === undefined ? undefined : all.find(one => one.parent === api.pid && one.what.includes('indexer'))?.pid
}
const family = (): number[] => {
  const all = processes()
  const found = all.filter(one => one.parent === parent.pid)
  return [...found, ...all.filter(one => found.some(({ pid }) => pid === one.parent))].map(({ pid }) => pid)
}
const isAlive = (pid: number): boolean => processes().some(one => one.pid === pid)

/** A 10x long of 10 JLP, in the first market that takes it. */
const quote = (url: string): Promise<string> =>
  until('a quote', async () => {
    const json = async (path: string) => (await fetch(`${url}${path}`)).json() as Promise<never>
    const { markets } = (await json('/v1/markets')) as { markets: { market: string }[] }
    for (const { market } of markets) {
      const order = 'action=long&unit=st&amount=90&margin=10'
      const { filled } = (await json(`/v1/markets/${market}/quote?${order}`)) as { filled?: string }
      if (filled !== undefined) return filled
    }
    return undefined
  })

test(`${KILLS} kills of all processes: everything comes back, no acknowledged transaction is lost, none is doubled`, async () => {
  const { url, rpc } = await begin()
  await quote(url)
  const connection = new Connection(rpc, { commitment: 'confirmed', disableRetryOnRateLimit: true })
  await connection.requestAirdrop(key(idOf('ann')), 1000 * 10 ** 9)
  const client = new SunderClient(connection)
  const { lastStep: first } = await client.index('hourly')

  // Somebody who pays, whatever happens, and remembers what was acknowledged.
  const sent = new Map<string, number>()
  const acknowledged = new Set<string>()
  let isOver = false
  const paying = (async () => {
    for (let lamports = 1_000_000; !isOver; lamports++) {
      try {
        const { blockhash } = await connection.getLatestBlockhash()
        const transfer = { fromPubkey: key(idOf('ann')), toPubkey: key(idOf('bob')), lamports }
        const instructions = [SystemProgram.transfer(transfer)]
        const terms = { payerKey: key(idOf('ann')), recentBlockhash: blockhash, instructions }
        const transaction = new VersionedTransaction(new TransactionMessage(terms).compileToV0Message())
        transaction.sign([keyOf('ann')])
        sent.set(encodeBase58(transaction.signatures[0]!), lamports)
        acknowledged.add(await connection.sendTransaction(transaction))
      } catch {
        // The chain is just being killed, or started again.
      }
      await wait(50)
    }
  })()

  // The chain remembers the last 2,000 transactions: it is asked now and then.
  const landed = new Set<string>()
  const look = async (): Promise<true> => {
    const asked = [...sent.keys()].filter(signature => !landed.has(signature))
    for (let at = 0; at < asked.length; at += 256) {
      const some = asked.slice(at, at + 256)
      const { value } = await connection.getSignatureStatuses(some)
      for (const [i, status] of value.entries()) if (status !== null && status.err === null) landed.add(some[i]!)
    }
    return true
  }

  const dice = new Dice(142n)
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = VICTIMS[kill % VICTIMS.length]!
    const pid = await until(victim, () => pidOf(victim))
    await wait(dice.int(0, 1500))
    process.kill(pid, 'SIGKILL')
    await until(`the end of ${victim}`, () => (isAlive(pid) ? undefined : true))
    expect(parent.exitCode).toBeNull()
    if (kill % VICTIMS.length === VICTIMS.length - 1) await until('the chain', look)
  }
  for (const victim of VICTIMS) await until(victim, () => pidOf(victim))
  await until('the chain', () => connection.getSlot())
  // Ten hours of coupons at least, each paid by whichever keeper lived: none is skipped, or later ones could not be paid.
  await until('ten hours', async () =>
    (await client.index('hourly')).lastStep >= first + 10 * 3600 ? true : undefined,
  )
  isOver = true
  await paying
  await quote(url)

  expect(acknowledged.size).toBeGreaterThan(KILLS)
  await look()
  expect([...acknowledged].filter(signature => !landed.has(signature))).toEqual([])
  const paid = [...landed].reduce((sum, signature) => sum + sent.get(signature)!, 0)
  expect(await connection.getBalance(key(idOf('bob')))).toBe(paid)
  expect(said.filter(line => line.startsWith('http')).length).toBe(1)

  // Asked to, all end in order.
  const all = family()
  expect(all.length).toBeGreaterThanOrEqual(VICTIMS.length)
  const ended = new Promise(done => parent.once('exit', done))
  parent.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(all.filter(isAlive)).toEqual([])
})

test('killed without a word, it leaves nobody behind; the next start goes on where it was', async () => {
  const { rpc } = await begin()
  const before = await new Connection(rpc, 'confirmed').getSlot()
  const all = family()
  parent.kill('SIGKILL')
  await until('the end of all', () => (all.some(isAlive) ? undefined : true))
  const { rpc: again } = await begin()
  expect(await new Connection(again, 'confirmed').getSlot()).toBeGreaterThanOrEqual(before)
  const ended = new Promise(done => parent.once('exit', done))
  parent.kill('SIGINT')
  expect(await ended).toBe(0)
})
