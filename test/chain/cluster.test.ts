/** The cluster's side against endpoints that lag, drop and answer 429 or 500; behind each is a local chain. */
import { SystemProgram, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { Cluster, type ClusterSetting, endpointsIn, fetchOf, priorityFee, sendToEnd } from '../../src/chain/index.ts'
import { encodeBase58 } from '../../src/client/base58.ts'
import { chainOf, idOf, key, keyOf } from './support.ts'

const { chain, rpc } = chainOf()
const answer = fetchOf(rpc)
type Mood = (body: { method: string }, answered: () => Promise<Response>) => Response | Promise<Response>

const MOODS = {
  good: (_: unknown, answered: () => Promise<Response>) => answered(),
  gone: () => Promise.reject(new TypeError('fetch failed')),
  ill: () => new Response('no', { status: 500 }),
  busy: () => new Response('slow down', { status: 429, headers: { 'retry-after': '3' } }),
  nonsense: () => new Response('<html>'),
  unwell: () => Response.json({ jsonrpc: '2.0', id: 1, error: { code: -32005, message: 'Node is behind' } }),
  behind: async (_: unknown, answered: () => Promise<Response>) => {
    const told = (await (await answered()).json()) as { result?: { context?: { slot: number } } }
    if (told.result?.context !== undefined) told.result.context.slot -= 500
    return Response.json(told)
  },
}
type Name = keyof typeof MOODS | 'forgets' | 'deaf'
const ODD: { forgets?: Mood; deaf?: Mood } = {}
let moods: { a: Name; b?: Name; c?: Name } = { a: 'good' }
let asked: string[] = []
let waited: number[] = []
let clock = 0
beforeEach(() => {
  moods = { a: 'good', b: 'good', c: 'good' }
  asked = []
  waited = []
})
beforeAll(async () => {
  await rpc.handle('requestAirdrop', [idOf('ann'), 10 ** 9])
  for (let slot = 0; slot < 1000; slot++) chain.nextSlot()
})

const clusterOf = (urls: readonly string[] = ['a', 'b', 'c'], setting: ClusterSetting = {}): Cluster =>
  new Cluster(
    urls.map(name => `http://${name}/`),
    {
      fetch: (async (url: string, init: RequestInit) => {
        const { host } = new URL(url)
        asked.push(host)
        const answered = () => answer(url, init as never) as unknown as Promise<Response>
        const moodOf: Partial<Record<Name, Mood>> = { ...MOODS, ...ODD }
        return moodOf[moods[host as 'a']]!(JSON.parse(String(init.body)), answered)
      }) as unknown as typeof fetch,
      sleep: async milliseconds => {
        waited.push(milliseconds)
        clock += milliseconds
      },
      now: () => clock,
      random: () => 0.5,
      interval: 1,
      ...setting,
    },
  )

const transfer = () => {
  const instructions = [
    SystemProgram.transfer({ fromPubkey: key(idOf('ann')), toPubkey: key(idOf('ann')), lamports: 1 }),
  ]
  const recentBlockhash = chain.hashOf(chain.slot)
  const message = new TransactionMessage({
    payerKey: key(idOf('ann')),
    recentBlockhash,
    instructions,
  }).compileToV0Message()
  const transaction = new VersionedTransaction(message)
  transaction.sign([keyOf('ann')])
  return transaction
}

test.each(['gone', 'ill', 'busy', 'nonsense', 'unwell'] as const)(
  'an endpoint that is %s is passed over, and rests',
  async mood => {
    const cluster = clusterOf()
    moods.a = mood
    const connection = cluster.connection()
    expect(await connection.getBalance(key(idOf('ann')))).toBeGreaterThan(0)
    await connection.getSlot()
    expect(asked).toEqual(['a', 'b', 'b'])
    moods.a = 'good'
    clock += 10_000
    await connection.getSlot()
    expect(asked.at(-1)).toBe('a')
  },
)

test('one that is behind is passed over as soon as another says so', async () => {
  const connection = clusterOf(['b', 'a']).connection()
  moods.a = 'behind'
  await connection.getBalanceAndContext(key(idOf('ann')))
  moods.b = 'gone'
  await expect(connection.getBalanceAndContext(key(idOf('ann')))).rejects.toThrow('slots behind')
  moods.b = 'good'
  clock += 10_000
  expect((await connection.getBalanceAndContext(key(idOf('ann')))).context.slot).toBe(chain.slot)
})

test('with nobody else there it waits as long as it is told, and ever longer', async () => {
  const cluster = clusterOf(['a'])
  moods.a = 'busy'
  await expect(cluster.connection().getSlot()).rejects.toThrow('429')
  expect(waited).toEqual([3000, 3000, 3000, 3000, 3000])
  waited = []
  clock += 10_000
  const ill = clusterOf(['a'])
  moods.a = 'ill'
  await expect(ill.connection().getSlot()).rejects.toThrow('500')
  expect(waited).toEqual([150, 300, 600, 1200, 2400])
  expect(asked.length).toBe(12)
})

test('what a node refuses is nothing to try again', async () => {
  const connection = clusterOf().connection()
  const poor = transfer()
  poor.signatures[0]!.fill(3)
  await expect(connection.sendTransaction(poor)).rejects.toThrow('signature')
  expect(asked).toEqual(['a'])
})

test('a transaction is sent until it is there', async () => {
  const connection = clusterOf().connection()
  const transaction = transfer()
  let drops = 3
  ODD.forgets = ({ method }, answered) => {
    if (method !== 'sendTransaction' || drops-- <= 0) return answered()
    return Response.json({ jsonrpc: '2.0', id: 'x', result: '1'.repeat(64) })
  }
  moods = { a: 'forgets' }
  const signature = encodeBase58(transaction.signatures[0]!)
  const sleep = async (): Promise<void> => chain.nextSlot()
  const terms = { signature, lastValidBlockHeight: chain.slot + 150 }
  const sent = await sendToEnd(connection, transaction.serialize(), terms, { sleep })
  expect(sent).toMatchObject({ signature, err: null })
  expect(drops).toBe(-1)
  // The same once more: it is there already.
  const final = await sendToEnd(connection, transaction.serialize(), terms, { sleep, commitment: 'finalized' })
  expect(final).toMatchObject({ signature })
  expect(chain.landed(signature)!.slot).toBeLessThanOrEqual(chain.slot - 32)
})

test('one that nobody takes is given up when its blockhash has expired, and not before', async () => {
  const connection = clusterOf().connection()
  ODD.deaf = ({ method }, answered) =>
    method === 'sendTransaction' ? Response.json({ jsonrpc: '2.0', id: 'x', result: '1'.repeat(64) }) : answered()
  moods = { a: 'deaf' }
  const lastValidBlockHeight = chain.slot + 150
  const sleep = async (): Promise<void> => {
    for (let slot = 0; slot < 10; slot++) chain.nextSlot()
  }
  const terms = { signature: '1'.repeat(64), lastValidBlockHeight }
  expect(await sendToEnd(connection, transfer().serialize(), terms, { sleep })).toBeUndefined()
  expect(chain.slot - 32).toBeGreaterThan(lastValidBlockHeight)
})

test('endpoints and fees', async () => {
  expect(endpointsIn(' https://one.example/key , http://127.0.0.1:8899,')).toEqual([
    'https://one.example/key',
    'http://127.0.0.1:8899',
  ])
  expect(() => endpointsIn('ws://one.example')).toThrow(TypeError)
  expect(() => endpointsIn(',')).toThrow(TypeError)
  expect(await priorityFee(clusterOf().connection(), {}, { least: 7n })).toBe(7n)
})
