/** A disk that fails (T154), clocks that jump (T150), a backup of yesterday (T159), and blocks as nodes have them. */
import * as fs from 'node:fs'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, SystemProgram, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startServer } from '../../src/chain/index.ts'
import { chainOf, idOf, key, keyOf } from './support.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sunder-faults-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))
afterEach(() => vi.restoreAllMocks())

const SOL = 10 ** 9
type Made = ReturnType<typeof chainOf>

/** Ann pays Bob; `lamports` tells one transfer from the next. */
const transfer = ({ chain }: Made, lamports: number): VersionedTransaction => {
  const instructions = [SystemProgram.transfer({ fromPubkey: key(idOf('ann')), toPubkey: key(idOf('bob')), lamports })]
  const terms = { payerKey: key(idOf('ann')), recentBlockhash: chain.hashOf(chain.slot), instructions }
  const transaction = new VersionedTransaction(new TransactionMessage(terms).compileToV0Message())
  transaction.sign([keyOf('ann')])
  return transaction
}
const balanceOf = async (connection: Connection, name: string): Promise<number> =>
  connection.getBalance(key(idOf(name)))

/** A disk that can be told to fail. */
const frail = () => {
  const state = { full: false, dead: false }
  const disk = {
    writeSync: ((...given: Parameters<typeof fs.writeSync>) => {
      if (!state.full) return fs.writeSync(...given)
      // Half of it goes, as when the disk becomes full in the middle.
      const [file, bytes, offset, length, at] = given as unknown as [number, Buffer, number, number, number]
      if (length > 40) return fs.writeSync(file, bytes, offset, 40, at)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    }) as typeof fs.writeSync,
    writeFileSync: ((...given: Parameters<typeof fs.writeFileSync>) => {
      if (state.full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      return fs.writeFileSync(...given)
    }) as typeof fs.writeFileSync,
    ftruncateSync: fs.ftruncateSync,
    fsync: ((file: number, done: fs.NoParamCallback) => {
      if (state.dead) setImmediate(done, Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
      else fs.fsync(file, done)
    }) as typeof fs.fsync,
  }
  return { state, disk }
}

test('T154: on a full disk nothing lands, time stands, all can be read; with room again it goes on', async () => {
  const { state, disk } = frail()
  const directory = join(root, 'full')
  // Small journals, so that a snapshot is wanted while there is no room for one.
  const made = chainOf({ directory, disk, journalBytes: 4000 })
  const { chain, connection } = made
  await connection.requestAirdrop(key(idOf('ann')), 10 * SOL)
  await connection.sendTransaction(transfer(made, SOL))
  const server = await startServer(made.rpc)
  const [digest, now] = [chain.digest(), chain.now]

  state.full = true
  const refused = transfer(made, SOL + 1)
  const ask = async (method: string, ...params: unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await fetch(server.url, { method: 'POST', body })
    return { status: answer.status, ...((await answer.json()) as { result?: unknown; error?: { code: number } }) }
  }
  const wire = Buffer.from(refused.serialize()).toString('base64')
  for (let tried = 0; tried < 3; tried++) {
    const { status, error } = await ask('sendTransaction', wire, { encoding: 'base64' })
    expect([status, error!.code]).toEqual([503, -32005])
  }
  expect(await ask('getHealth')).toMatchObject({ status: 503, error: { code: -32005 } })
  for (let slot = 0; slot < 50; slot++) chain.nextSlot()
  expect([chain.now, chain.digest()]).toEqual([now, digest])
  expect(await balanceOf(connection, 'bob')).toBe(SOL)
  const { signature } = { signature: (await connection.getSignaturesForAddress(key(idOf('bob'))))[0]!.signature }
  expect((await connection.getSignatureStatus(signature)).value!.err).toBeNull()

  state.full = false
  chain.nextSlot()
  expect(await ask('getHealth')).toMatchObject({ status: 200, result: 'ok' })
  await connection.sendTransaction(transfer(made, SOL + 2))
  expect(await balanceOf(connection, 'bob')).toBe(2 * SOL + 2)
  await chain.stop()
  await server.stop()

  const again = chainOf({ directory })
  expect(await balanceOf(again.connection, 'bob')).toBe(2 * SOL + 2)
  expect([...again.chain.history()].length).toBe(3)
  await again.chain.stop()
})

test('T154: what did not reach the disk is acknowledged by nobody, and the next start knows what did', async () => {
  const { state, disk } = frail()
  const directory = join(root, 'dead')
  const made = chainOf({ directory, disk })
  const { chain, connection } = made
  await connection.requestAirdrop(key(idOf('ann')), 10 * SOL)
  const landed = await connection.sendTransaction(transfer(made, SOL))
  state.dead = true
  const lost = transfer(made, SOL + 1)
  await expect(connection.sendTransaction(lost)).rejects.toThrow('-32005')
  await expect(connection.getSignatureStatus(landed)).rejects.toThrow('-32005')
  await expect(connection.sendTransaction(transfer(made, SOL + 2))).rejects.toThrow('-32005')
  await chain.stop().catch(() => undefined)

  const again = chainOf({ directory })
  expect((await again.connection.getSignatureStatus(landed)).value!.err).toBeNull()
  await again.connection.sendTransaction(transfer(again, SOL + 3))
  await again.chain.stop()
})

test('T150: the host may set its clock on, back or stop it: the time of the chain goes its own way', async () => {
  const { chain } = chainOf({ speed: 60 })
  chain.run()
  const real = Date.now
  const start = real()
  let before = chain.now
  for (const clock of [() => real() + 600_000, () => real() - 600_000, () => start, () => real() + 10 ** 10]) {
    vi.spyOn(Date, 'now').mockImplementation(clock)
    const slot = chain.slot
    await new Promise(done => setTimeout(done, 900))
    // Some slots of 24 seconds; ten minutes more or less would be seen.
    expect(chain.now - before).toBe((chain.slot - slot) * 24)
    expect(chain.slot).toBeGreaterThan(slot)
    expect(chain.now - before).toBeLessThan(500)
    before = chain.now
  }
  await chain.stop()
})

test('T159: a backup of yesterday is found out, and only goes if it is meant', async () => {
  const directory = join(root, 'anchored')
  const first = chainOf({ directory })
  await first.connection.requestAirdrop(key(idOf('ann')), 10 * SOL)
  await first.chain.stop()
  const backup = join(root, 'backup')
  cpSync(directory, backup, { recursive: true })

  // More than the seconds between two notes pass.
  const real = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => real() + 60_000)
  const second = chainOf({ directory })
  await second.connection.sendTransaction(transfer(second, SOL))
  await second.chain.stop()

  rmSync(directory, { recursive: true })
  cpSync(backup, directory, { recursive: true })
  expect(() => chainOf({ directory })).toThrow('an old backup?')
  rmSync(`${directory}.anchor`)
  const meant = chainOf({ directory })
  expect(await balanceOf(meant.connection, 'bob')).toBe(0)
  await meant.chain.stop()
})

test('blocks are slots with what landed in them, as far as that is remembered', async () => {
  const made = chainOf({ keep: 3 })
  const { chain, connection } = made
  await connection.requestAirdrop(key(idOf('ann')), 10 * SOL)
  const slot = chain.slot
  const signature = await connection.sendTransaction(transfer(made, SOL))
  chain.nextSlot()
  const final = { commitment: 'finalized', maxSupportedTransactionVersion: 0 } as const
  await expect(connection.getBlock(slot, final)).rejects.toThrow('not available')
  for (let passed = 0; passed < 40; passed++) chain.nextSlot()

  const block = (await connection.getBlock(slot, final))!
  expect(block.transactions.map(({ transaction }) => transaction.signatures[0])).toContain(signature)
  expect(block).toMatchObject({
    blockhash: chain.hashOf(slot),
    parentSlot: slot - 1,
    previousBlockhash: chain.hashOf(slot - 1),
  })
  expect(block.blockTime).toBe(await connection.getBlockTime(slot))
  expect(block.blockTime).toBeLessThan(chain.now)
  const signatures = await connection.getBlockSignatures(slot)
  expect(signatures.signatures).toEqual(block.transactions.map(({ transaction }) => transaction.signatures[0]))
  const [first, last] = [await connection.getFirstAvailableBlock(), await connection.getSlot('finalized')]
  expect(await connection.getBlocks(slot, slot + 2)).toEqual([slot, slot + 1, slot + 2])
  expect((await connection.getBlocks(0, undefined, 'finalized')).length).toBe(last - first + 1)
  await expect(connection.getBlock(chain.slot + 5)).rejects.toThrow('not available')

  for (let more = 1; more <= 3; more++) {
    await connection.sendTransaction(transfer(made, SOL / 10 + more))
    chain.nextSlot()
  }
  expect(await connection.getFirstAvailableBlock()).toBeGreaterThan(slot)
  await expect(connection.getBlock(slot)).rejects.toThrow('cleaned up')
})

test('what wallets ask for when they start is answered', async () => {
  const { connection } = chainOf()
  expect(await connection.getTransactionCount()).toBe(0)
  expect((await connection.getClusterNodes())[0]!.pubkey).toBe(await connection.getSlotLeader())
  expect((await connection.getRecentPrioritizationFees()).length).toBe(150)
  expect(await connection.getRecentPerformanceSamples(5)).toEqual([])
  expect((await connection.getVoteAccounts()).current).toEqual([])
  expect((await connection.getVersion())['solana-core']).toMatch(/^2/)
})
