/** A random day of the program, indexed: on the embedded database, and on Postgres 15 where it is installed. */

import { PublicKey } from '@solana/web3.js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LAYOUTS } from '../../src/client/generated/layouts.ts'
import { COUPON_KINDS, eventsOf, PROGRAM_ID } from '../../src/client/index.ts'
import {
  type Advanced,
  type Block,
  Follower,
  Indexer,
  MIGRATIONS,
  migrate,
  type OrderRef,
  RpcSource,
  reads,
  rpcReader,
  verify,
  WIDTHS,
} from '../../src/indexer/index.ts'
import { JLP_MINT } from '../../src/jupiter/index.ts'
import { Random } from '../generate/random.ts'
import { ScriptedConnection } from './connection.ts'
import { breaking, clear, dump, type Engine, hasPostgres, openEmbedded, openServer } from './databases.ts'
import { type Day, randomDay, signatureOf } from './day.ts'
import { accountId, eventsIn, slowCandles, slowEntries, slowOrders } from './slow.ts'

const OPERATIONS = 260

let day: Day
beforeAll(() => {
  day = randomDay(2035n, OPERATIONS) // one with fills of orders, and liquidations
})

/** In parts of a random size. */
const parts = (random: Random, blocks: readonly Block[], most = 30): Block[][] => {
  const found: Block[][] = []
  for (let at = 0; at < blocks.length; ) {
    const size = random.int(1, most + 1)
    found.push(blocks.slice(at, at + size))
    at += size
  }
  return found
}

const shuffled = <T>(random: Random, list: readonly T[]): T[] => {
  const left = [...list]
  return list.map(() => left.splice(random.int(0, left.length - 1), 1)[0]!)
}

/** One block for each transaction. */
const single = (blocks: readonly Block[]): Block[] =>
  blocks.flatMap(block => block.transactions.map(transaction => ({ ...block, transactions: [transaction] })))

/** The same events on another branch: other signatures, later slots. */
const elsewhere = (blocks: readonly Block[], by: number): Block[] =>
  blocks.map(({ slot, blockTime, transactions }) => ({
    ...{ slot: slot + by, blockTime },
    transactions: transactions.map(({ signature, inner }) => ({ signature: signatureOf(`${signature} ${by}`), inner })),
  }))

const numbersOf = (blocks: readonly Block[]): string[] =>
  eventsIn(blocks)
    .flatMap(({ subjects }) => subjects.map(({ account, sequence }) => `${account}/${sequence}`))
    .sort()

const ENGINES = [
  { name: 'PGlite', there: true, open: openEmbedded },
  { name: 'Postgres 15', there: hasPostgres, open: openServer },
]

describe.each(ENGINES)('the indexer on $name', ({ there, open }) => {
  describe.skipIf(!there)('with a database', () => {
    let engine: Engine
    let indexer: Indexer
    /** What a day makes of an empty database. */
    let whole: Awaited<ReturnType<typeof dump>>

    const ingestAll = async (blocks: readonly Block[], random: Random, into = indexer): Promise<void> => {
      for (const part of parts(random, blocks)) await into.ingest(part)
    }
    const emptied = async (): Promise<Indexer> => {
      await clear(engine.database)
      return Indexer.open(engine.database)
    }
    const freshDump = async (blocks: readonly Block[]) => {
      indexer = await emptied()
      await ingestAll(blocks, new Random(1n))
      return dump(engine.database)
    }

    beforeAll(async () => {
      engine = await open()
      whole = await freshDump(day.blocks)
    })
    afterAll(() => engine.close())
    beforeEach(async () => {
      indexer = await emptied()
    })

    test('a random day: every table equals the chain', async () => {
      await ingestAll(day.blocks, new Random(2n))
      const { same, differences, behind } = await verify(engine.database, day.reader)
      expect({ differences, behind }).toEqual({ differences: [], behind: [] })
      const { ledger } = day.desk
      expect(same).toBeGreaterThanOrEqual(2 + ledger.markets.size + ledger.accounts.size + ledger.positions.size)
      for (const kind of COUPON_KINDS) {
        const [st] = await engine.database.query<{ vault: bigint }>(
          'SELECT vault FROM st_states WHERE kind = $1 ORDER BY sequence DESC, record DESC LIMIT 1',
          [kind],
        )
        expect(st?.vault ?? 0n).toBe(ledger.stVaults[kind])
      }
      const locked = await reads.locked(engine.database)
      expect(locked.markets).toBe([...ledger.markets.values()].reduce((sum, { vault }) => sum + vault, 0n))
      // Whatever is wrong is found.
      const [one] = await engine.database.query<{ market: string; sequence: number }>(
        'SELECT market, sequence FROM market_states ORDER BY market, sequence DESC LIMIT 1',
      )
      await engine.database.query('UPDATE market_states SET fees = fees + 1 WHERE market = $1 AND sequence = $2', [
        ...[one!.market, one!.sequence],
      ])
      const wrong = await verify(engine.database, day.reader)
      expect(wrong.differences).toMatchObject([{ account: one!.market, field: 'fees' }])
      const { touched } = await indexer.ingest(day.blocks.slice(0, 1))
      expect(touched.markets).toEqual([])
      const undone = await indexer.rollback(day.blocks.at(-2)!.slot)
      expect([...undone.markets, ...undone.kinds]).not.toEqual([])
      expect((await verify(engine.database, day.reader)).behind.length).toBeGreaterThan(0)
    })

    test('orders: what became of each, what was paid for them, and how many rest on an account', async () => {
      await ingestAll(day.blocks, new Random(14n))
      const on = engine.database
      const { rows } = await reads.orders(on, { limit: 1000 })
      const slow = slowOrders(day.blocks)
      expect(Object.fromEntries(rows.map(row => [`${row.market}/${row.placed}`, row]))).toMatchObject(
        Object.fromEntries(slow),
      )
      expect(rows.length).toBe(slow.size)
      const statuses = new Set(rows.map(({ status }) => status))
      expect([...statuses].sort()).toEqual(['cancelled', 'expired', 'filled'])
      const fills = (await reads.orderHistory(on, { limit: 1000 })).rows.filter(({ by }) => by !== null)
      const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n)
      expect(sum(fills.map(({ filledChange }) => filledChange))).toBe(sum(rows.map(({ filled }) => filled)))
      const { rows: trades } = await reads.trades(on, { limit: 1000 })
      expect(trades.filter(({ cause }) => cause === 'fill').length).toBe(fills.length)
      const { owner } = fills[0]!
      const paid = (await reads.accountHistory(on, { owner, limit: 1000 })).rows.find(row => row.cause === 'fill')!
      expect(paid.orderFees).toBeGreaterThan(0n)
      // At every moment an account counts the orders that wait on it.
      const all = single(day.blocks)
      indexer = await emptied()
      let waited = 0
      for (const { after } of day.moments) {
        await indexer.ingest(all.slice(0, after))
        const waiting = (await reads.orders(on, { open: true, limit: 1000 })).rows
        const counted = new Map<string, number>()
        for (const row of waiting) counted.set(accountId(row), (counted.get(accountId(row)) ?? 0) + 1)
        const { rows: accounts } = await reads.accounts(on, { limit: 1000 })
        expect(
          new Map(accounts.flatMap(row => (row.orders === 0 ? [] : [[accountId(row), row.orders] as const]))),
        ).toEqual(counted)
        waited += waiting.length
      }
      expect(waited).toBeGreaterThan(3)
    })

    test('every table equals the chain at any moment of the day, and entries those that the engine keeps', async () => {
      const all = single(day.blocks)
      let [from, held, liquid] = [0, 0, 0]
      for (const { after, reader } of day.moments) {
        await indexer.ingest(all.slice(from, after))
        from = after
        const { differences, behind } = await verify(engine.database, reader)
        expect({ after, differences, behind }).toEqual({ after, differences: [], behind: [] })
        const { rows } = await reads.accounts(engine.database, { limit: 1000 })
        const entries = rows.flatMap(row =>
          row.yt === 0n ? [] : [[accountId(row), { yt: row.yt, cost: row.cost, rate: row.entryRate }] as const],
        )
        expect(new Map(entries)).toEqual(slowEntries(all.slice(0, after)))
        held += entries.length
        liquid += (await reads.positions(engine.database, { limit: 1000 })).rows.length
      }
      expect(Math.min(day.moments.length, held, liquid)).toBeGreaterThan(8)
    })

    test('duplicates change nothing, in whatever parts', async () => {
      const random = new Random(3n)
      await ingestAll(day.blocks, random)
      for (const part of parts(random, day.blocks)) {
        expect((await indexer.ingest([...part, ...part])).added).toBe(0)
      }
      await ingestAll(single(day.blocks), random)
      expect(await dump(engine.database)).toEqual(whole)
    })

    test('any order gives the same tables', async () => {
      const random = new Random(4n)
      for (const part of parts(random, shuffled(random, single(day.blocks)), 40)) await indexer.ingest(part)
      expect(await indexer.gaps()).toEqual([])
      expect(await dump(engine.database)).toEqual(whole)
    })

    test('a rollback and what comes then equal a history that never saw the fork', async () => {
      const random = new Random(5n)
      await ingestAll(day.blocks, random)
      for (let i = 0; i < 5; i++) {
        const at = random.int(0, day.blocks.length - 1)
        await indexer.rollback(day.blocks[at]!.slot)
        if (i % 4 === 0) {
          const seen = await dump(engine.database)
          expect(seen).toEqual(await freshDump(day.blocks.slice(0, at + 1)))
        }
        await ingestAll(day.blocks.slice(random.int(0, at)), random)
        expect(await dump(engine.database)).toEqual(whole)
      }
      const at = random.int(10, day.blocks.length - 10)
      const branch = [...day.blocks.slice(0, at), ...elsewhere(day.blocks.slice(at), 1)]
      await indexer.rollback(day.blocks[at - 1]!.slot)
      await ingestAll(branch.slice(at), random)
      const seen = await dump(engine.database)
      expect(seen).toEqual(await freshDump(branch))
      expect(seen).not.toEqual(whole)
      // Not beyond what is final.
      await indexer.finalise(branch[at]!.slot)
      await expect(indexer.rollback(branch[at]!.slot - 1)).rejects.toMatchObject({ code: 'finalised' })
      await indexer.rollback(branch[at]!.slot)
    })

    test('an event in the place of another is refused and says where', async () => {
      await ingestAll(day.blocks, new Random(6n))
      const at = Math.floor(day.blocks.length / 2)
      const { slot } = day.blocks[at]!
      const other = elsewhere([day.blocks[at]!], 1)
      await expect(indexer.ingest(other)).rejects.toMatchObject({ code: 'fork', context: { slot } })
      await expect(indexer.ingest([day.blocks[at]!, ...other])).rejects.toMatchObject({ code: 'fork' })
      expect(await dump(engine.database)).toEqual(whole)
    })

    test('gaps are named by number and refilled', async () => {
      const random = new Random(7n)
      const all = single(day.blocks)
      const last = new Set(all.slice(-25)) // nobody can know what comes after the last
      const lost = new Set(all.filter(block => !last.has(block) && random.int(0, 12) === 0))
      expect(lost.size).toBeGreaterThan(10)
      await ingestAll(
        all.filter(block => !lost.has(block)),
        random,
      )
      const gaps = await indexer.gaps()
      const named = gaps.flatMap(({ account, from, to }) =>
        Array.from({ length: to - from + 1 }, (_, i) => `${account}/${from + i}`),
      )
      const known = new Set(named)
      expect(numbersOf([...lost]).filter(number => known.has(number))).toEqual(named.sort())
      // Until then every table is a state that was: nothing behind the gap is shown.
      const { differences } = await verify(engine.database, day.reader)
      expect(differences).toEqual([])
      const node = new ScriptedConnection()
      node.land(day.blocks)
      expect(await indexer.refill(new RpcSource(node.connection))).toEqual([])
      await indexer.ingest([...lost])
      expect(await dump(engine.database)).toEqual(whole)
    })

    test('a database that goes away in the middle of an ingest, a rollback or a migration', async () => {
      const random = new Random(8n)
      let broken = 0
      for (const part of parts(random, day.blocks, 12)) {
        const through = random.int(0, 30)
        const failing = await Indexer.open(engine.database).then(() => breaking(engine.database, 7 + through))
        try {
          const other = await Indexer.open(failing)
          await other.ingest(part)
          if (random.int(0, 3) === 0) await other.rollback(part[0]!.slot - 1)
        } catch (error) {
          expect(error).toMatchObject({ message: 'the connection is gone' })
          broken++
        }
        await indexer.ingest(part)
      }
      expect(broken).toBeGreaterThan(5)
      expect(await dump(engine.database)).toEqual(whole)
      if (engine.crash === undefined) return
      indexer = await emptied()
      for (const part of parts(random, day.blocks, 40)) {
        const ingesting = indexer.ingest(part).catch(() => 'gone' as const)
        if (random.int(0, 2) === 0) {
          await new Promise(resolve => setTimeout(resolve, random.int(0, 40)))
          await engine.crash()
        }
        if ((await ingesting) === 'gone') await indexer.ingest(part)
      }
      expect(await dump(engine.database)).toEqual(whole)
    })

    test('two writers at once', async () => {
      const other = await Indexer.open(engine.database)
      for (const part of parts(new Random(9n), day.blocks)) {
        await Promise.all([indexer.ingest(part), other.ingest(part.toReversed())])
      }
      expect(await dump(engine.database)).toEqual(whole)
    })

    test('migrations: from empty, once, whole or not at all, and never backwards', async () => {
      await migrate(engine.database)
      const numbers = () => engine.database.query('SELECT number FROM migrations ORDER BY number')
      expect(await numbers()).toEqual(MIGRATIONS.map((_, i) => ({ number: i + 1 })))
      const wrong = [...MIGRATIONS, 'CREATE TABLE more (one INT)', 'CREATE TABLE wrong (']
      await expect(migrate(engine.database, wrong)).rejects.toThrow()
      expect(await numbers()).toHaveLength(MIGRATIONS.length)
      await migrate(engine.database, wrong.slice(0, -1))
      await expect(engine.database.query('SELECT * FROM more')).resolves.toEqual([])
      await expect(Indexer.open(engine.database)).rejects.toMatchObject({ code: 'newer-database' })
      await clear(engine.database)
      await Promise.all([migrate(engine.database), migrate(engine.database)])
      expect(await numbers()).toHaveLength(MIGRATIONS.length)
    })

    test('candles equal what the events give the slow way', async () => {
      await ingestAll(day.blocks, new Random(10n))
      const on = engine.database
      let compared = 0
      for (const { market, kind } of await reads.markets(on)) {
        if (kind !== 'hourly') continue
        for (const width of WIDTHS) {
          const { rows, next } = await reads.candles(on, { market, width, limit: 1000 })
          expect(next).toBeUndefined()
          expect(rows).toMatchObject(slowCandles(day.blocks, market, width))
          compared += rows.length
        }
      }
      expect(compared).toBeGreaterThan(50)
    })

    test('reads: pages join to the whole, and profit adds up', async () => {
      const blocks = day.blocks.slice(0, Math.floor(day.blocks.length * 0.6)) // at the end hardly anything is left
      await ingestAll(blocks, new Random(11n))
      const on = engine.database
      const joined = async <T>(
        read: (page: { limit: number; cursor?: string }) => Promise<reads.Page<T>>,
        limit: number,
      ) => {
        const found: T[] = []
        for (let cursor: string | undefined; ; ) {
          const { rows, next } = await read({ limit, ...(cursor === undefined ? {} : { cursor }) })
          found.push(...rows)
          if (next === undefined) return found
          cursor = next
        }
      }
      const { market } = (await reads.trades(on, { limit: 1 })).rows[0]!
      const { name } = (await reads.market(on, market))!
      expect(await reads.market(on, name)).toEqual(await reads.market(on, market))
      expect(await reads.market(on, 'JLP-9901')).toBeUndefined()
      const { rows: all } = await reads.accounts(on, { limit: 1000 })
      const { owner } = all.find(({ yt }) => yt !== 0n) ?? all[0]!
      const lists = [
        (page: reads.Paging) => reads.trades(on, page),
        (page: reads.Paging) => reads.trades(on, { ...page, market }),
        (page: reads.Paging) => reads.accountHistory(on, { ...page, owner }),
        (page: reads.Paging) => reads.accounts(on, { ...page, open: true }),
        (page: reads.Paging) => reads.positions(on, page),
        (page: reads.Paging) => reads.orders(on, page),
        (page: reads.Paging) => reads.orderHistory(on, page),
        (page: reads.Paging) => reads.coupons(on, { ...page, kind: 'hourly' }),
        (page: reads.Paging) => reads.candles(on, { ...page, market, width: 60 }),
        (page: reads.Paging) => reads.openInterest(on, { ...page, market, width: 3600 }),
      ]
      for (const list of lists) {
        const complete = await joined<unknown>(list, 1000)
        expect(complete.length).toBeGreaterThan(2)
        expect(await joined<unknown>(list, 3)).toEqual(complete)
      }
      for (const { profit, ...account } of all) {
        const { total, coupons, realised, decay, rateMove, fees } = profit
        expect(coupons + realised + decay + rateMove + fees).toBe(total)
        if (account.margin === 0n && account.st === 0n && account.yt === 0n) expect(account.equity).toBe(0n)
      }
      // What a trade or a liquidation moved is its price, its fee and its penalty, to the atom.
      const moved = await on.query<{ moved: bigint; booked: bigint }>(
        `SELECT margin_change + st_change - coupon AS moved, traded - fees - penalties - order_fees - booked_before AS booked FROM (
          SELECT *, LAG(traded - fees - penalties - order_fees, 1, 0::numeric) OVER (PARTITION BY market, owner, sub ORDER BY sequence, record) AS booked_before
          FROM account_states
        ) s WHERE cause <> 'opening' AND traded - fees - penalties - order_fees <> booked_before`,
      )
      expect(moved.length).toBeGreaterThan(20)
      expect(moved.filter(row => row.moved !== row.booked)).toEqual([])
      const sums = await reads.volumes(on, 0)
      const swapped = eventsIn(blocks).flatMap(({ records }) => records.filter(of => of.type === 'swapped'))
      expect(sums.reduce((sum, { volume }) => sum + volume, 0n)).toBe(
        swapped.reduce((sum, of) => sum + (of.type === 'swapped' ? of.amount : 0n), 0n),
      )
      const { signature, inner } = blocks.at(-1)!.transactions.at(-1)!
      const [event] = await reads.transaction(on, signature)
      expect(event!.records).toEqual(eventsOf(inner[0]!.calls)[0]!.records)
      for (const cursor of ['', '1', "1.2.3.4'; --", '1.x.-1.2', 'a'.repeat(1000)]) {
        await expect(reads.trades(on, { cursor })).rejects.toMatchObject({ code: 'bad-request' })
      }
      for (const limit of [0, -1, 1.5, 1001, Number.NaN]) {
        await expect((async () => reads.trades(on, { limit }))()).rejects.toMatchObject({ code: 'bad-request' })
      }
      await expect(reads.candles(on, { market, width: 61 })).rejects.toMatchObject({ code: 'bad-request' })
    })

    describe('following a node', () => {
      let node: ScriptedConnection
      let follower: Follower
      beforeEach(() => {
        node = new ScriptedConnection()
        follower = new Follower(indexer, new RpcSource(node.connection, { wait: 1 }))
      })

      test('backfill, and then block by block; what is settled is not asked for again', async () => {
        const half = Math.floor(day.blocks.length / 2)
        node.land(day.blocks.slice(0, half))
        node.land([
          { slot: node.slot + 1, blockTime: 1, transactions: [{ signature: signatureOf('idle'), inner: [] }] },
        ])
        node.land(
          [{ slot: node.slot, blockTime: 1, transactions: [{ signature: signatureOf('failed'), inner: [] }] }],
          true,
        )
        expect((await follower.poll()).added).toBe(eventsIn(day.blocks.slice(0, half)).length)
        const asked = node.asked.get('getTransaction')!
        expect((await follower.poll()).added).toBe(0)
        node.final = node.slot
        await follower.poll()
        expect(node.asked.get('getTransaction')).toBe(asked)
        expect(await indexer.finalised()).toMatchObject({ slot: node.slot })
        for (const block of day.blocks.slice(half)) {
          node.land([block])
          await follower.poll()
        }
        expect(await dump(engine.database)).toEqual(whole)
      })

      test('a node that forks, lags, loses and refuses', async () => {
        const random = new Random(12n)
        let at = 0
        let [forks, failures] = [0, 0]
        while (at < day.blocks.length) {
          const size = random.int(1, 12)
          // The branch that is dropped afterwards has the same events elsewhere.
          const false_ = elsewhere(day.blocks.slice(at, at + random.int(1, 4)), 1)
          const base = at === 0 ? 0 : day.blocks[at - 1]!.slot
          if (random.int(0, 2) === 0) {
            node.land(false_)
            await follower.poll()
            node.fork(base)
            forks++
          }
          const next = day.blocks.slice(at, at + size)
          node.land(next)
          at += size
          const { slot } = node
          if (random.int(0, 3) === 0) node.slot = random.int(base, slot)
          if (random.int(0, 3) === 0) node.unnamed.add(next[0]!.transactions[0]!.signature)
          if (random.int(0, 5) === 0) node.missing.add(next.at(-1)!.transactions[0]!.signature)
          if (random.int(0, 3) === 0) {
            let left = random.int(0, 6)
            node.before = method => {
              if (left-- <= 0) throw new Error(`429 ${method}`)
            }
          }
          for (let polls = 0; polls < 2; polls++) {
            try {
              await follower.poll()
            } catch (error) {
              expect(String(error)).toMatch(/429|missing-transaction/)
              failures++
            }
          }
          node.before = () => {}
          node.slot = slot
          node.unnamed.clear()
          node.missing.clear()
          if (random.int(0, 2) === 0) node.final = base
        }
        expect(forks).toBeGreaterThan(3)
        expect(failures).toBeGreaterThan(3)
        await follower.poll()
        expect((await follower.poll()).gaps).toBe(0)
        expect(await dump(engine.database)).toEqual(whole)
        const { differences, behind } = await verify(engine.database, day.reader)
        expect({ differences, behind }).toEqual({ differences: [], behind: [] })
      })

      test('who listens hears what was added and what was undone; another chain is refused', async () => {
        const heard: Advanced[] = []
        follower = new Follower(indexer, follower.source, { onAdvanced: one => heard.push(one) })
        const half = Math.floor(day.blocks.length / 2)
        node.land(day.blocks.slice(0, half))
        await follower.poll()
        const { rows } = await reads.orders(engine.database, { limit: 1000 })
        const keysOf = (refs: readonly OrderRef[]) => new Set(refs.map(ref => `${accountId(ref)}/${ref.id}`))
        expect(keysOf(heard.flatMap(({ touched }) => touched.orders))).toEqual(keysOf(rows))
        const markets = (await reads.markets(engine.database)).map(one => one.market)
        expect([...new Set(heard.flatMap(({ touched }) => touched.markets))].sort()).toEqual(markets.sort())
        const base = day.blocks[half - 30]!.slot
        const gone = day.blocks.slice(half - 29, half)
        node.fork(base)
        node.land(elsewhere(gone, 1))
        heard.length = 0
        await follower.poll()
        const [undone, ...added] = heard
        expect(undone!.rolledBack).toBeGreaterThanOrEqual(base)
        const changed = (of: 'markets' | 'owners' | 'kinds') =>
          new Set(added.flatMap(({ touched }): readonly string[] => touched[of]))
        for (const of of ['markets', 'owners', 'kinds'] as const)
          expect(changed(of)).toEqual(new Set(undone!.touched[of]))
        // What is final here never comes undone: a node that has something else there is of another chain.
        node.final = node.slot
        await follower.poll()
        const before = await dump(engine.database)
        node.fork(-1)
        node.land(elsewhere(day.blocks.slice(0, half), 7))
        await expect(follower.poll()).rejects.toMatchObject({ code: 'other-chain' })
        expect(await dump(engine.database)).toEqual(before)
      })

      test('runs until it is told to stop', async () => {
        node.land(day.blocks.slice(0, 5))
        const stop = new AbortController()
        const errors: unknown[] = []
        let left = 2
        node.before = () => {
          if (left-- > 0) throw new Error('429')
        }
        let polls = 0
        await follower.run(stop.signal, {
          every: 1,
          onError: error => errors.push(error),
          onPoll: () => {
            if (++polls === 2) stop.abort()
          },
        })
        expect(errors.length).toBeGreaterThan(0)
        expect(await dump(engine.database)).toEqual(await freshDump(day.blocks.slice(0, 5)))
      })
    })

    test('what others call like an event is none', async () => {
      const forged = day.blocks.map(block => ({
        ...block,
        transactions: block.transactions.map(({ signature, inner }) => ({
          signature,
          inner: inner.map(({ instruction, itself, calls }) => ({
            ...{ instruction, itself },
            calls: calls.map(({ data }) => ({ programId: JLP_MINT, data })),
          })),
        })),
      }))
      expect((await indexer.ingest(forged)).added).toBe(0)
      await ingestAll(day.blocks, new Random(13n))
      expect(await dump(engine.database)).toEqual(whole)
    })
  })
})

test('accounts over a connection', async () => {
  const { read, list } = day.reader
  const connection = {
    getMultipleAccountsInfo: async (keys: readonly PublicKey[]) =>
      (await read(keys.map(key => key.toBase58()))).map((data, i) =>
        data === undefined ? null : { owner: new PublicKey(i === 0 ? PROGRAM_ID : JLP_MINT), data },
      ),
    getProgramAccounts: async (
      _: PublicKey,
      { filters: [{ memcmp }] }: { filters: [{ memcmp: { bytes: string; encoding: string } }] },
    ) => {
      expect(memcmp.encoding).toBe('base64')
      const begins = Buffer.from(memcmp.bytes, 'base64')
      const name = (['Market', 'RateIndex', 'MarginAccount', 'LpPosition', 'RestingOrder'] as const).find(one =>
        begins.equals(Buffer.from(LAYOUTS[one].discriminator)),
      )
      return (await list!(name!)).map(address => ({ pubkey: new PublicKey(address) }))
    },
  }
  const reader = rpcReader(connection as never)
  const markets = await reader.list!('Market')
  expect(markets).toEqual(await list!('Market'))
  // The second is owned by somebody else.
  const [first, second] = await reader.read([markets[0]!, markets[0]!])
  expect([first, second]).toEqual([(await read(markets))[0], undefined])
})
