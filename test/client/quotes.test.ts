/**
 * Quotes from account bytes against the engine, and the tick arrays of a trade against every tick that the kernel's walk looks at: all
 * that it needs, and nothing else.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_CROSSINGS, MAX_RATE, type Order, type Pool, quote, type Tick } from '../../amm/index.ts'
import { firstTickAbove } from '../../amm/pool.ts'
import { type Budget, walk } from '../../amm/swap.ts'
import { decode, encode, type RateIndexData } from '../../src/client/codecs.ts'
import { ClientError } from '../../src/client/errors.ts'
import {
  arraysForClose,
  arraysForOrder,
  arraysForPosition,
  arraysForRemoval,
  arraysForTrade,
  freshnessOf,
  isUp,
  type MarketState,
  marketOf,
  needsAccrue,
  orderOf,
  quoteTrade,
  startsOf,
  type TradeOrder,
  ticksOnTheWay,
} from '../../src/client/quotes.ts'
import { Draft } from '../../src/exchange/draft.ts'
import { apply, type Exchange, type Instruction, type Market, type World } from '../../src/exchange/index.ts'
import { liquidationOf } from '../../src/exchange/reads.ts'
import { freshness } from '../../src/oracle/source.ts'
import { liveScene } from '../campaigns/exchange.ts'
import { Random } from '../generate/random.ts'
import { codesOf } from '../helpers/code-of.ts'
import { holds, orderFrom, orderSeed, reachedMarket } from '../laws/generators.ts'
import { addressOf, fromAccount, fromIndex, fromMarket, fromPosition } from './from-engine.ts'

const codeOf = codesOf(ClientError)

/** Ticks in the order that the walk looks at them; the search for the first one is not counted. */
const lookedAt = (pool: Pool, order: Order): number[] => {
  const seen: number[] = []
  const ticks = new Proxy(pool.ticks, {
    get: (list, key) => {
      const tick = typeof key === 'string' && /^\d+$/.test(key) ? list[Number(key)] : undefined
      if (tick !== undefined) seen.push(tick.index)
      return Reflect.get(list, key) as unknown
    },
  })
  firstTickAbove(ticks, pool.tick)
  const searched = seen.length
  const { kind } = order
  const ofPt = kind === 'buy-pt' || kind === 'sell-pt'
  const find = kind === 'buy-yt' || kind === 'buy-pt' ? 'most' : 'fewest'
  const budget: Budget =
    'st' in order
      ? { kind: 'jlp', of: ofPt ? 'pt' : 'yt', find, amount: order.st << 64n }
      : { kind: 'yt', yt: 'yt' in order ? order.yt : order.pt }
  const up = isUp(kind)
  const { limitRate = up ? MAX_RATE : 0n, maxCrossings = MAX_CROSSINGS, withinLiquidity } = order
  walk({ ...pool, ticks }, up, budget, limitRate, maxCrossings, withinLiquidity)
  return seen.slice(2 * searched) // the walk begins with the same search
}

describe('the ticks of a trade', () => {
  test('are all that the walk looks at', () => {
    const counts = { none: 0, one: 0, many: 0 }
    const cases = fc.record({ market: reachedMarket(), seed: orderSeed, within: fc.boolean() })
    holds(cases, 1500, ({ market: { pool }, seed, within }) => {
      const order = { ...orderFrom(pool, seed), withinLiquidity: within }
      const ticks = ticksOnTheWay(pool, order)
      const walked = lookedAt(pool, order)
      expect(ticks).toEqual(walked)
      counts[ticks.length === 0 ? 'none' : ticks.length === 1 ? 'one' : 'many']++
    })
    for (const [what, count] of Object.entries(counts)) expect([what, count > 20]).toEqual([what, true])
  }, 120_000)

  test('suffice for the same quote, and without any of them there is another or none', () => {
    let fewer = 0
    holds(fc.record({ market: reachedMarket(), seed: orderSeed }), 500, ({ market: { pool }, seed }) => {
      const order = orderFrom(pool, seed)
      const ticks = ticksOnTheWay(pool, order)
      const all = quote(pool, order)
      // Others may be looked over in the search for the first, but never asked for what they hold.
      const guarded = (kept: readonly number[]): readonly Tick[] =>
        pool.ticks.map(tick =>
          kept.includes(tick.index)
            ? tick
            : {
                ...tick,
                get rate(): Tick['rate'] {
                  throw new Error(`tick ${tick.index} is needed`)
                },
              },
        )
      const { next: _, ...figures } = { next: undefined, ...quote({ ...pool, ticks: guarded(ticks) }, order) }
      const { next: __, ...wanted } = { next: undefined, ...all }
      expect(figures).toEqual(wanted)
      for (const tick of ticks) {
        fewer++
        expect(() => quote({ ...pool, ticks: guarded(ticks.filter(one => one !== tick)) }, order)).toThrow(
          `tick ${tick} is needed`,
        )
      }
    })
    expect(fewer).toBeGreaterThan(300)
  }, 120_000)
})

const CURSOR = { lastUpdated: 1_730_000_000n, realizedFeeUsd: 123n }

/** A market as it is read from the bytes that the program would have stored. */
const stateOf = (exchange: Exchange, engine: Market): MarketState => {
  const { market, arrays } = fromMarket(engine)
  return marketOf({
    address: addressOf(engine.id),
    market: decode('Market', encode('Market', market)),
    index: decode('RateIndex', encode('RateIndex', fromIndex(exchange.indices[engine.kind], CURSOR))),
    arrays: arrays.map(array => decode('TickArray', encode('TickArray', array))),
  })
}

interface Life {
  readonly exchange: Exchange
  readonly world: World
}
const lives = Array.from({ length: 24 }, (_, seed): Life => {
  const { desk } = liveScene(new Random(BigInt(7100 + seed)), 8 + seed * 6)
  const world = { now: desk.now, jlpSupply: desk.jlpSupply, weeklyUpdatedAt: desk.weeklyUpdatedAt }
  return { exchange: desk.ledger, world }
})

describe('lives of the exchange', () => {
  test('a market has copied its index as the engine has', () => {
    let behind = 0
    for (const { exchange, world } of lives) {
      for (const market of exchange.markets.values()) {
        const drafted = new Draft(exchange, world).market(market.id)
        const state = stateOf(exchange, market)
        expect({ ...state.pool, deficit: 0n }).toEqual({ ...drafted.pool, deficit: 0n })
        if (market.pool.discount !== drafted.pool.discount) behind++
      }
    }
    expect(behind).toBeGreaterThan(5)
  })

  test('a trade is filled as it was quoted, and the arrays named are those it needs', () => {
    const random = new Random(31n)
    const counts = new Map<string, number>()
    const see = (what: string): void => {
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
    for (const { exchange, world } of lives) {
      for (const account of exchange.accounts.values()) {
        const market = exchange.markets.get(account.market)!
        const state = stateOf(exchange, market)
        if (state.pool.tauSeconds === 0) continue
        for (const action of ['long', 'short', 'reduce', 'close'] as const) {
          const unit = random.pick(['token', 'st'] as const)
          const size = account.yt < 0n ? -account.yt : account.yt
          const amount = action === 'reduce' ? random.magnitude(size + 1n) : random.magnitude(10n ** 9n)
          const up = action === 'long' || (action !== 'short' && account.yt < 0n)
          const limitRate = up ? MAX_RATE : 0n
          const spot = random.pick([false, true])
          const order: TradeOrder =
            action === 'long' || action === 'short'
              ? { action, unit, amount, spot }
              : { action, unit, amount, account: fromAccount(account) }
          const quoted = quoteTrade(state, order, world.now)
          const instruction = {
            kind: 'trade',
            ...{ market: market.id, owner: account.owner, sub: account.sub },
            ...{ action, amount: unit === 'token' ? { yt: amount } : { st: amount }, spot },
            ...{ limitRate, minimum: 0n, deadline: world.now },
          } as Instruction
          const done = apply(exchange, instruction, world)
          const swapped = 'events' in done ? done.events.find(event => event.type === 'swapped') : undefined
          if (swapped === undefined) {
            if ('code' in done && quoted.kind === 'rejected') see(done.code)
            continue
          }
          see(`${action} filled`)
          expect(quoted.kind).toBe('quoted')
          if (quoted.kind !== 'quoted') continue
          const { filled, amount: jlp, stLeg, fee, rateBefore, rateAfter, complete } = quoted
          const { type: _, market: __, order: ___, ...event } = swapped
          expect({ filled, amount: jlp, stLeg, fee, rateBefore, rateAfter, complete }).toEqual(event)
          const starts = startsOf(state, ticksOnTheWay(state.pool, orderOf(state, order, world.now)!))
          const named = arraysForTrade(state, order, world.now)
          for (const start of starts) expect(named).toContain(start)
          expect(arraysForTrade(state, order, world.now, { spare: 0 })).toEqual(starts.toSorted((a, b) => a - b))
          expect(named).toEqual(named.toSorted((a, b) => a - b))
          expect(named.length - starts.length).toBeLessThanOrEqual(2)
        }
      }
    }
    for (const what of ['long filled', 'short filled', 'reduce filled', 'close filled', 'no-position']) {
      expect([what, (counts.get(what) ?? 0) > 3]).toEqual([what, true])
    }
  }, 120_000)

  test('the arrays of a forced close and of a removal hold every tick that those look at', () => {
    let [closed, removed] = [0, 0]
    for (const { exchange, world } of lives) {
      for (const account of exchange.accounts.values()) {
        const market = exchange.markets.get(account.market)!
        const state = stateOf(exchange, market)
        if (account.yt === 0n || state.pool.tauSeconds === 0) continue
        const named = arraysForClose(state, account.yt, world.now)
        const size = account.yt < 0n ? -account.yt : account.yt
        const ref = { market: market.id, owner: account.owner, sub: account.sub }
        const needed = liquidationOf(exchange, ref, world)
        if (typeof needed !== 'object') continue
        const done = apply(exchange, { kind: 'liquidate', ...ref, by: 'keeper', yt: needed.liquidate }, world)
        const swapped = 'events' in done ? done.events.find(event => event.type === 'swapped') : undefined
        if (swapped === undefined) continue
        closed++
        const order = {
          kind: account.yt < 0n ? 'buy-yt' : 'sell-yt',
          yt: size,
          withinLiquidity: true,
        } as unknown as Order
        const limited = { ...order, limitRate: swapped.rateAfter as never }
        for (const start of startsOf(state, ticksOnTheWay(state.pool, limited))) expect(named).toContain(start)
      }
      for (const held of exchange.positions.values()) {
        const state = stateOf(exchange, exchange.markets.get(held.market)!)
        if (held.position.liquidity === 0n || state.pool.tauSeconds === 0) continue
        const share = { num: 1n, den: 1n }
        const data = fromPosition(held)
        const own = arraysForPosition(state, held.position)
        expect(arraysForRemoval(state, data, { share })).toEqual(own)
        const sold = arraysForRemoval(state, data, { share, zap: state.pool.rate }, { spare: 0 })
        expect(sold.slice(0, own.length)).toEqual(own)
        removed++
      }
    }
    expect([closed > 0, removed > 10]).toEqual([true, true])
  })

  test('the ticks of a position off the grid, or accounts that do not belong together, are refused', () => {
    const { exchange } = lives[3]!
    const market = [...exchange.markets.values()][0]!
    const state = stateOf(exchange, market)
    expect(codeOf(() => arraysForPosition(state, { lower: 55, upper: 60 }))).toBe('out-of-range')
    const other = market.kind === 'hourly' ? 'weekly' : 'hourly'
    const index = fromIndex(exchange.indices[other], CURSOR)
    const { market: data, arrays } = fromMarket(market)
    expect(codeOf(() => marketOf({ address: addressOf(market.id), market: data, index, arrays }))).toBe('inconsistent')
    const none = { ...state, pool: { ...state.pool, ticks: [] } }
    expect(arraysForOrder(none, { kind: 'buy-yt', yt: 5n as never }, { spare: 0 }).length).toBeLessThanOrEqual(1)
  })
})

test('whether a coupon is due, as the oracle says', () => {
  const random = new Random(33n)
  const { indices } = lives[0]!.exchange
  const found = new Map<string, number>()
  for (let n = 0; n < 5000; n++) {
    const kind = random.pick(['hourly', 'weekly'] as const)
    const lastStep = 1_700_000_000 + random.int(0, 100) * 3600
    const now =
      lastStep + random.pick([random.int(0, 4 * 3600), random.int(0, 30 * 86_400), 3900, 3899, 11_100, 691_200])
    const lastUpdated = BigInt(lastStep + random.pick([0, -5, 1, 604_800]))
    const index = { ...indices[kind], lastStep }
    const freshnessFound = freshnessOf({ kind, lastStep } as RateIndexData, { lastUpdated }, now)
    expect(freshnessFound).toBe(freshness(index, lastUpdated, now))
    found.set(`${kind} ${freshnessFound}`, (found.get(`${kind} ${freshnessFound}`) ?? 0) + 1)
    const due = freshnessFound === 'coupon-due'
    expect(needsAccrue(index, { lastUpdated, aumUsdUpdatedAt: 0n }, now)).toBe(due)
    const can = kind === 'hourly' || lastUpdated > BigInt(lastStep)
    const wanted = due || (freshnessFound === 'reduce-only' && can)
    expect(needsAccrue(index, { lastUpdated, aumUsdUpdatedAt: BigInt(now) }, now)).toBe(wanted)
  }
  expect(found.size).toBe(6)
})
