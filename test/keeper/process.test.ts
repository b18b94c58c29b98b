/** The keeper as a process of its own, over HTTP: its key, its log, its metrics, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keypair } from '@solana/web3.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clusterOf, type RunningServer, startServer } from '../../src/chain/index.ts'
import type { KeeperEvent, KeeperStatus } from '../../src/keeper/index.ts'
import { expectBooks } from './standing.ts'
import { begin, crash, goLong, HOUR, keeperOn, later, type Place, told } from './support.ts'

const directory = mkdtempSync(join(tmpdir(), 'sunder-keeper-process-'))
const keyFile = join(directory, 'keys', 'keeper.json')
let place: Place
let server: RunningServer
const started: ChildProcess[] = []

beforeAll(async () => {
  place = await begin()
  server = await startServer(place.rpc)
})
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL')
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

const TSX = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href
const CLI = new URL('../../src/cli/keeper.ts', import.meta.url).pathname

const start = (...flags: readonly string[]) => {
  const child = spawn(process.execPath, ['--import', TSX, CLI, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', part => {
    said.out += part
  })
  child.stderr.on('data', part => {
    said.err += part
  })
  const code = new Promise<number | null>(done => child.once('exit', done))
  return { child, said, code }
}
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise(done => setTimeout(done, 50))
}
const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

test('a keeper over HTTP does what one in process does', async () => {
  for (const name of ['ann', 'bob']) await goLong(place, name, 8n)
  await crash(place, 50_000n)
  later(place, 900)
  const { keeper, events } = keeperOn({ ...place, connection: clusterOf(server.url).connection() })
  expect(await keeper.round()).toBe(true)
  expect(new Set(told(events))).toEqual(new Set(['liquidate done']))
  await expectBooks(place)
})

test('--once makes a key that only its owner reads, is given SOL, does a round and says it in JSON', async () => {
  later(place, HOUR)
  const { said, code } = start('--rpc', server.url, '--key', keyFile, '--once', '--json', '--jobs', 'accrue')
  expect(await code).toBe(0)
  expect(statSync(keyFile).mode & 0o777).toBe(0o600)
  const secret = JSON.parse(readFileSync(keyFile, 'utf8')) as number[]
  const address = Keypair.fromSecretKey(Uint8Array.from(secret)).publicKey.toBase58()
  const [event, status] = linesOf(said.out) as unknown as readonly [KeeperEvent, KeeperStatus]
  expect(event).toMatchObject({ job: 'accrue', what: 'hourly', result: 'done', fee: 5000 })
  expect(status).toMatchObject({ key: address, rounds: 1, counts: { accrue: { done: 1 } }, spent: 5000 })
  expect(place.chain.account(address)!.lamports).toBeGreaterThan(9_000_000_000n)
  expect(said.out + said.err).not.toContain(String(secret.slice(0, 4)))
  expect((await place.client.index('hourly')).lastStep).toBeGreaterThan(place.chain.now - 2 * HOUR)
})

test('goes on until it is told to stop, tells a scraper, and ends cleanly', async () => {
  const port = server.port + 2
  const flags = ['--rpc', server.url, '--key', keyFile, '--every', '100ms', '--metrics', String(port)]
  const { child, said, code } = start(...flags)
  const scrape = () =>
    fetch(`http://127.0.0.1:${port}/metrics`).then(
      answer => answer.text(),
      () => '',
    )
  await until(async () => /sunder_keeper_rounds_total [1-9]/.test(await scrape()))
  later(place, HOUR)
  await until(() => said.out.includes('accrue hourly done'))
  expect(await scrape()).toMatch(/sunder_keeper_attempts_total\{job="accrue",result="done"\} [1-9]/)
  expect(await scrape()).toContain('sunder_keeper_source_hourly_good 1')
  child.kill('SIGTERM')
  expect(await code).toBe(0)
  expect(said.err).toContain('The keeper has stopped')
})

test('what cannot be meant is refused with what can be said', async () => {
  const bad = join(directory, 'bad.json')
  writeFileSync(bad, '[1,2,3]', { mode: 0o600 })
  const wrong = [
    ['--jobs', 'rob'],
    ['--rpc', 'ftp://x'],
    ['--key', bad, '--rpc', server.url],
  ]
  const ends = await Promise.all(
    wrong.map(async flags => {
      const { said, code } = start('--once', ...flags)
      return [await code, said.err.startsWith('error: '), said.err.includes('    at ')]
    }),
  )
  expect(ends).toEqual(wrong.map(() => [2, true, false]))
})
