/** Keepers that are cut off, killed and lied to by the way to their node: a fresh one afterwards ends where an undisturbed one does. */
import type { Connection, ConnectionConfig } from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchOf } from '../../src/chain/index.ts'
import { PollingConnection } from '../../src/chain/polling.ts'
import { accountName, decode, PROGRAM_ID } from '../../src/client/index.ts'
import { Random } from '../generate/random.ts'
import { expectBooks } from './standing.ts'
import { as, crash, goLong, HOUR, idOf, keeperOn, kept, later, type Place, told } from './support.ts'

let scenario: Awaited<ReturnType<typeof kept>>
/** What an undisturbed keeper comes to, and the requests it took. */
let wanted: string[]
let requests = 0
const done = new Set<string>()

type Fetch = NonNullable<ConnectionConfig['fetch']>

/** A connection whose requests go through `mood`, which may fail them before or after, repeat them, or let them wait. */
const through = ({ rpc }: Place, mood: (ask: () => ReturnType<Fetch>) => ReturnType<Fetch>): Connection => {
  const fetch: Fetch = (url, init) => mood(() => fetchOf(rpc)(url, init))
  return new PollingConnection('http://in.process', { commitment: 'confirmed', fetch }, { interval: 1 })
}
const gone = (): never => {
  throw new TypeError('fetch failed')
}

/** All that the program keeps, but for how many events there were; and what wallets have of tokens. */
const stateOf = ({ chain }: Place): string[] =>
  chain.accountsOf(PROGRAM_ID).map(({ address, account: { data } }) => {
    const name = accountName(data)!
    const record = { ...decode(name, data), eventSequence: 0n }
    return `${name} ${address} ${JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`
  })

/** Three moments with much to do: after a crash, an hour later, and at maturity. `work` is what keepers do at each. */
const live = async (place: Place, work: () => Promise<void>): Promise<string[]> => {
  for (const seconds of [900, HOUR, place.market.maturity + 300 - place.chain.now - 900 - HOUR]) {
    later(place, seconds)
    await work()
  }
  return stateOf(place)
}

/** Rounds of a keeper that nothing disturbs, until there is nothing to do. */
const finish = async (place: Place): Promise<void> => {
  const { keeper, events } = keeperOn(place, 'other')
  for (let round = 0, seen = -1; events.length > seen || round < 2; round++) {
    seen = events.length
    await keeper.round()
    if (round > 40)
      throw new Error(
        `It finds no end: ${events.slice(-3).map(event => JSON.stringify(event, (_, v) => (typeof v === 'bigint' ? `${v}` : v)))}`,
      )
  }
}

beforeAll(async () => {
  scenario = await kept(async place => {
    const { client, market } = place
    for (const [name, leverage] of [
      ['ann', 8n],
      ['bob', 7n],
      ['cid', 5n],
      ['dan', 8n],
    ] as const)
      await goLong(place, name, leverage)
    const { pool } = await client.market(market)
    const trigger = { when: 'rate-below', level: (pool.rate * 95n) / 100n } as const
    const order = { market, sub: 0, action: 'reduce-long', trigger } as const
    await client.placeOrder({ ...order, owner: idOf('cid'), fee: 700n, expiresAt: market.maturity }, as('cid'))
    await client.placeOrder(
      { ...order, owner: idOf('dan'), id: 3, fee: 10n, expiresAt: place.chain.now + 100 },
      as('dan'),
    )
    await crash(place, 40_000n)
  })
  const place = scenario.copy()
  wanted = await live(place, async () => {
    const counted = through(place, ask => {
      requests++
      return ask()
    })
    const { keeper, events } = keeperOn({ ...place, connection: counted })
    await keeper.round()
    for (const one of told(events)) done.add(one)
    await finish(place)
  })
  await place.chain.stop()
})
afterAll(() => scenario.forget())

test('an undisturbed keeper has something to do at each moment', () => {
  const jobs = ['accrue', 'liquidate', 'fill', 'expire', 'settle']
  expect([...done]).toEqual(expect.arrayContaining(jobs.map(job => `${job} done`)))
  expect(requests).toBeGreaterThan(60)
  expect(wanted.length).toBeGreaterThan(10)
})

/** Where the sequence of disturbances begins. */
const cases = [1n, 2n].map(seed => [seed] as const)

describe('T149: ends where an undisturbed one does', () => {
  test.each(cases)('a keeper that is stopped at any request, number %s', async seed => {
    const random = new Random(seed)
    const place = scenario.copy()
    let cutShort = 0
    const state = await live(place, async () => {
      for (let stops = 0; stops < 3; stops++) {
        const stop = new AbortController()
        let left = random.int(0, 30)
        const cut = through(place, ask => {
          if (left-- === 0) stop.abort()
          return ask()
        })
        const { keeper, events } = keeperOn({ ...place, connection: cut })
        expect(await keeper.round(stop.signal)).toBe(!stop.signal.aborted)
        expect(keeper.status().sending).toBe(0)
        cutShort += stop.signal.aborted && events.length > 0 ? 1 : 0
      }
      await finish(place)
    })
    expect(cutShort).toBeGreaterThan(0)
    expect(state).toEqual(wanted)
    await place.chain.stop()
  })

  test.each(cases)('a keeper that is killed at any request, number %s', async seed => {
    const random = new Random(seed + 10n)
    const place = scenario.copy()
    let cutShort = 0
    const state = await live(place, async () => {
      for (let kills = 0; kills < 3; kills++) {
        let left = random.int(0, 30)
        // At the last request it was heard, or was not.
        const dead = through(place, async ask => {
          if (left-- > 0) return ask()
          if (left === -1 && random.int(0, 1) === 0) await ask()
          return gone()
        })
        const { keeper, events } = keeperOn({ ...place, connection: dead })
        const complete = await keeper.round()
        cutShort += !complete && events.length > 0 ? 1 : 0
      }
      await finish(place)
    })
    expect(cutShort).toBeGreaterThan(0)
    expect(state).toEqual(wanted)
    await place.chain.stop()
  })

  test.each(cases)(
    'two keepers at once whose requests fail, lag, come twice or lose their answers, number %s',
    async seed => {
      const random = new Random(seed + 20n)
      const place = scenario.copy()
      const state = await live(place, async () => {
        const bad = through(place, async ask => {
          const mood = random.int(0, 19)
          if (mood === 0) return gone()
          if (mood === 1) await ask().then(gone)
          if (mood === 2) await ask()
          if (mood === 3) await new Promise(done => setTimeout(done, random.int(0, 4)))
          return ask()
        })
        const keepers = ['keeper', 'other'].map(name => keeperOn({ ...place, connection: bad }, name).keeper)
        for (let round = 0; round < 3; round++) await Promise.all(keepers.map(keeper => keeper.round()))
        await finish(place)
      })
      await expectBooks(place)
      expect(state.map(line => line.slice(0, 60))).toEqual(wanted.map(line => line.slice(0, 60)))
      await place.chain.stop()
    },
  )
})
