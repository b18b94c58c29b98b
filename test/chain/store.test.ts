/** What is kept on disk outlives the process: restarts, kills (T151), torn ends (T152) and damage (T153). */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StoreError } from '../../src/chain/index.ts'
import { Store } from '../../src/chain/store.ts'
import { SunderClient } from '../../src/client/index.ts'
import { Dice } from '../../src/strategy/replay/dice.ts'
import { as, chainOf, idOf, marketOn, ONE } from './support.ts'

const KILLS = 20
let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sunder-chain-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))
const folder = (name: string): string => join(root, name)

// ---- the store alone --------------------------------------------------------------------------------------------------

type Kept = Store<{ readonly at: number }, { readonly n: number }>
const account = (n: number) => ({
  address: `account ${n}`,
  owner: 'owner',
  lamports: 2n ** 64n - 1n,
  executable: false,
  data: Buffer.alloc(20, n),
})
const open = (directory: string, options = {}) => Store.open<{ at: number }, { n: number }>(directory, options)
const fill = (store: Kept, count: number, from = 0): void => {
  for (let n = from; n < from + count; n++) store.append({ head: { n }, accounts: [account(n)] })
}

/** A directory with a snapshot and five records. */
const written = async (name: string): Promise<string> => {
  const { store } = open(folder(name))
  store.snapshot({ head: { at: 7 }, accounts: [account(1), account(2)] })
  fill(store, 5)
  await store.close()
  return folder(name)
}
/** The same with other bytes in one of its files. */
const altered = (from: string, file: string, bytes: Uint8Array): string => {
  const to = folder('altered')
  for (const path of [to, `${to}.anchor`]) rmSync(path, { recursive: true, force: true })
  mkdirSync(to)
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name))
  writeFileSync(join(to, file), bytes)
  return to
}
const refusalOf = (directory: string): StoreError => {
  try {
    open(directory)
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
  return expect.unreachable()
}

test('what was written is found, and goes on', async () => {
  const directory = await written('plain')
  const { store, found } = open(directory)
  expect(found.snapshot).toMatchObject({ head: { at: 7 }, accounts: [account(1), account(2)] })
  expect(found.records).toEqual([0, 1, 2, 3, 4].map(n => ({ head: { n }, accounts: [account(n)] })))
  fill(store, 1, 5)
  await store.flush()
  await store.close()
  expect(open(directory).found.records.length).toBe(6)
})

test('a snapshot begins a new journal; old ones stay as long as they are wanted', async () => {
  const directory = folder('snapshots')
  const { store } = open(directory, { keep: 4 })
  store.snapshot({ head: { at: 0 }, accounts: [] })
  for (let n = 0; n < 12; n += 3) {
    fill(store, 3, n)
    store.snapshot({ head: { at: n }, accounts: [account(n)] })
  }
  await store.close()
  expect(readdirSync(directory).sort()).toEqual([
    'journal-000002',
    'journal-000003',
    'journal-000004',
    'snapshot-000004',
  ])
  const { found } = open(directory)
  expect(found.older.map(({ head }) => head.n)).toEqual([6, 7, 8, 9, 10, 11])
  expect([found.snapshot!.head.at, found.records.length]).toEqual([9, 0])
})

test('T152: an end that is torn off at any byte is cut off, and nothing else', async () => {
  const directory = await written('torn')
  const journal = readFileSync(join(directory, 'journal-000000'))
  const one = journal.length / 5
  for (let length = 0; length <= journal.length; length += 3) {
    const cut = altered(directory, 'journal-000000', journal.subarray(0, length))
    const { store, found } = open(cut)
    expect(found.records.length).toBe(Math.floor(length / one))
    await store.close()
    if (length % 5 > 0) continue
    // The disk had made the file longer, but not written what belongs there.
    const zeros = Buffer.concat([journal.subarray(0, length), Buffer.alloc(journal.length - length)])
    const half = altered(directory, 'journal-000000', zeros.subarray(0, Math.ceil(length / one) * one))
    const again = open(half)
    expect(again.found.records.length).toBe(Math.floor(length / one))
    fill(again.store, 1, 100)
    await again.store.close()
    expect(open(half).found.records.at(-1)!.head.n).toBe(100)
  }
})

test('T153: any bit that is flipped is found, and the record is named', async () => {
  const directory = await written('flipped')
  for (const file of ['journal-000000', 'snapshot-000000']) {
    const bytes = readFileSync(join(directory, file))
    const copy = altered(directory, file, bytes)
    const one = file.startsWith('journal') ? bytes.length / 5 : bytes.length
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (at % 8)
      writeFileSync(join(copy, file), flipped)
      const { code, message, context } = refusalOf(copy)
      expect([code, context.file, context.record]).toEqual(['damaged', file, Math.floor(at / one) + 1])
      expect(message).toContain(`${file}, record ${Math.floor(at / one) + 1}`)
    }
  }
})

test('a file that is missing, a record that is missing or comes twice', async () => {
  const directory = await written('gaps')
  const journal = readFileSync(join(directory, 'journal-000000'))
  const one = journal.length / 5
  const without = Buffer.concat([journal.subarray(0, one), journal.subarray(2 * one)])
  expect(refusalOf(altered(directory, 'journal-000000', without)).context.record).toBe(2)
  const twice = Buffer.concat([journal, journal.subarray(4 * one)])
  expect(refusalOf(altered(directory, 'journal-000000', twice)).context.record).toBe(6)
  rmSync(join(directory, 'snapshot-000000'))
  expect(refusalOf(directory).message).toContain('snapshot-000000 is missing')
})

test('one process at a time; a lock that a dead one left is no hindrance', () => {
  const directory = folder('lock')
  mkdirSync(directory)
  writeFileSync(join(directory, 'lock'), '1')
  expect(refusalOf(directory).code).toBe('in-use')
  writeFileSync(join(directory, 'lock'), '999999999')
  open(directory)
})

test('T154: what cannot be written is not acknowledged, and nothing is written behind it', async () => {
  const { store } = open(folder('full'))
  store.snapshot({ head: { at: 0 }, accounts: [] })
  await store.close()
  expect(() => fill(store, 1)).toThrow(StoreError)
  expect(store.isFailed).toBe(true)
})

// ---- the chain --------------------------------------------------------------------------------------------------------

test('a chain goes on where it was, in the middle of trading', async () => {
  const directory = folder('restart')
  const first = chainOf({ directory, journalBytes: 400_000 })
  const market = await marketOn(first)
  await first.rpc.handle('sunder_faucet', [{ owner: idOf('ann'), atoms: '1000000000' }])
  const order = {
    market,
    owner: idOf('ann'),
    sub: 0,
    action: 'long',
    unit: 'st',
    amount: 90n * ONE,
    margin: 10n * ONE,
  } as const
  const { signature } = await new SunderClient(first.connection).trade(order, as('ann'))
  // A slot that is kept is where it begins anew.
  while (first.chain.slot % 4 > 0) first.chain.nextSlot()
  const blockhash = first.chain.hashOf(first.chain.slot)
  const history = [...first.chain.history()]
  await first.chain.stop()

  const second = chainOf({ directory })
  expect([...second.chain.history()]).toEqual(history)
  for (let slot = 0; slot < 4; slot++) first.chain.nextSlot()
  expect(second.chain.digest()).toBe(first.chain.digest())
  expect(second.chain.isRecent(blockhash)).toBe(true)
  expect((await second.connection.getSignatureStatus(signature)).value!.err).toBeNull()
  const client = new SunderClient(second.connection)
  await client.trade({ ...order, action: 'close', amount: 0n, margin: 0n }, as('ann'))
  expect((await client.account(market, idOf('ann'), 0))!.yt).toBe(0n)
  await second.chain.stop()
})

interface Line {
  readonly known?: readonly string[]
  readonly lamports?: number
  readonly landed?: string
  readonly slot: number
  readonly now: number
}

/** Starts a chain, kills it `after` milliseconds behind its `many`th line, and returns all that it said. */
const killed = (directory: string, many: number, after: number): Promise<Line[]> =>
  new Promise((done, failed) => {
    const script = fileURLToPath(new URL('victim.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory], { stdio: ['ignore', 'pipe', 'pipe'] })
    const lines: Line[] = []
    let wrong = ''
    child.stderr.on('data', text => {
      wrong += text
    })
    createInterface({ input: child.stdout }).on('line', line => {
      if (lines.length === many) setTimeout(() => child.kill('SIGKILL'), after)
      try {
        lines.push(JSON.parse(line) as Line)
      } catch {
        // The line that it was killed in.
      }
    })
    child.on('close', () => (lines.length === 0 ? failed(new Error(wrong)) : done(lines)))
  })

test(`T151: killed ${KILLS} times, no acknowledged transaction is lost and none is doubled`, async () => {
  const dice = new Dice(151n)
  const directory = folder('killed')
  const acknowledged: string[] = []
  let last: Line | undefined
  for (let kill = 0; kill <= KILLS; kill++) {
    const [start, ...said] = await killed(directory, dice.int(0, 9), dice.int(0, 20))
    const known = start!.known!
    expect(new Set(known).size).toBe(known.length)
    expect(acknowledged.filter(signature => !known.includes(signature))).toEqual([])
    expect(start!.lamports).toBe(known.length * 1_000_000)
    // Neither slots nor time were there before.
    if (last !== undefined) expect(start!.slot > last.slot && start!.now >= last.now).toBe(true)
    last = said.at(-1) ?? start
    acknowledged.push(...said.flatMap(({ landed }) => landed ?? []))
  }
  expect(acknowledged.length).toBeGreaterThan(KILLS)
})
