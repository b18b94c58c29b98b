/** From the engine's state to account bytes and back: nothing is lost, and quotes and reads are the same on both sides. */
import { describe, expect, test } from 'vitest'
import { quote, twap, ytAtoms } from '../../amm/index.ts'
import { decode, encode, TICK_ARRAYS } from '../../src/client/codecs.ts'
import {
  ticksOf,
  toEngineAccount,
  toEngineConfig,
  toEngineIndex,
  toEngineMarket,
  toEngineOrder,
  toEnginePosition,
} from '../../src/client/engine.ts'
import { ClientError } from '../../src/client/errors.ts'
import {
  accountView,
  type Config,
  type Exchange,
  type LpPosition,
  lpView,
  type MarginAccount,
  type Market,
  marketView,
  type RestingOrder,
} from '../../src/exchange/index.ts'
import type { RateIndex } from '../../src/oracle/accrual.ts'
import type { Cursor } from '../../src/oracle/source.ts'
import { liveScene } from '../campaigns/exchange.ts'
import { openMarket } from '../exchange/market.ts'
import { Random } from '../generate/random.ts'
import { addressOf, fromAccount, fromConfig, fromIndex, fromMarket, fromOrder, fromPosition } from './from-engine.ts'

const CURSOR: Cursor = { lastUpdated: 1_730_000_000n, realizedFeeUsd: 123_456_789n }

// Typed as the engine's on purpose: it compiles only while the adapters give what the engine takes.
const indexBack = (index: RateIndex): { index: RateIndex; cursor: Cursor } =>
  toEngineIndex(decode('RateIndex', encode('RateIndex', fromIndex(index, CURSOR))))

const marketBack = (engine: Market, all = true): Market => {
  const { market, arrays } = fromMarket(engine)
  const bytes = arrays.map(array => encode('TickArray', array))
  const read = bytes.map(data => decode('TickArray', data)).filter(({ ticks }) => all || ticks.some(t => t.gross > 0n))
  return toEngineMarket(addressOf(engine.id), decode('Market', encode('Market', market)), read.reverse())
}

const accountBack = (account: MarginAccount): MarginAccount =>
  toEngineAccount(account.market, decode('MarginAccount', encode('MarginAccount', fromAccount(account))))

const orderBack = (order: RestingOrder): RestingOrder =>
  toEngineOrder(order.market, order.sub, decode('RestingOrder', encode('RestingOrder', fromOrder(order))))

const positionBack = (position: LpPosition): LpPosition =>
  toEnginePosition(position.market, decode('LpPosition', encode('LpPosition', fromPosition(position))))

const configBack = (config: Config): Config => toEngineConfig(decode('Config', encode('Config', fromConfig(config))))

const named = <T extends { readonly owner: string }>(record: T): T => ({ ...record, owner: addressOf(record.owner) })

/** The exchange as it is read from account bytes alone. Wallets are no accounts of the program's. */
const exchangeBack = (state: Exchange): Exchange => ({
  ...state,
  config: configBack(state.config),
  indices: { hourly: indexBack(state.indices.hourly).index, weekly: indexBack(state.indices.weekly).index },
  markets: new Map([...state.markets].map(([id, market]) => [id, marketBack(market)])),
  accounts: new Map(
    [...state.accounts].map(([id, account]) => [id, { ...accountBack(account), owner: account.owner }]),
  ),
  positions: new Map([...state.positions].map(([id, one]) => [id, { ...positionBack(one), owner: one.owner }])),
})

describe('lives of the exchange', () => {
  const seeds = Array.from({ length: 40 }, (_, i) => i)
  const seen = new Map<string, number>()
  const see = (what: string, is: boolean): void => {
    if (is) seen.set(what, (seen.get(what) ?? 0) + 1)
  }

  test.each(seeds)('state of life %i comes back whole, and reads the same', seed => {
    const { desk } = liveScene(new Random(BigInt(1000 + seed)), 3 + seed * 5)
    const state: Exchange = desk.ledger
    const world = { now: desk.now, jlpSupply: desk.jlpSupply, weeklyUpdatedAt: desk.weeklyUpdatedAt }
    for (const market of state.markets.values()) {
      expect(marketBack(market)).toEqual(market)
      expect(marketBack(market, false)).toEqual(market)
      see('market', true)
      see('market of many ticks', market.pool.ticks.length > 6)
      see('matured market', market.pool.tauSeconds === 0)
      see('queued terms', market.queued !== undefined)
      see('fund with YT', market.fund.yt !== 0n)
      see(
        'tick that fell',
        market.pool.ticks.some(tick => tick.fall < 0n),
      )
    }
    for (const kind of ['hourly', 'weekly'] as const) {
      const { checkpoints, ...index } = state.indices[kind]
      const back = indexBack(state.indices[kind])
      expect(back).toEqual({ index: { ...index, checkpoints }, cursor: CURSOR })
      see(
        'final checkpoint',
        checkpoints.some(({ discount }) => discount !== undefined),
      )
      see('carry', index.carry > 0n)
    }
    for (const account of state.accounts.values()) {
      expect(accountBack(account)).toEqual(named(account))
      see('long', account.yt > 0n)
      see('short', account.yt < 0n)
    }
    for (const order of state.orders.values()) {
      expect(orderBack(order)).toEqual(named(order))
      see('order', order.trigger === 'none')
      see('stop', order.trigger !== 'none')
    }
    for (const position of state.positions.values()) {
      expect(positionBack(position)).toEqual(named(position))
      see('position', true)
      see('position below 0', position.position.accruedBefore < 0n || position.position.feesBefore < 0n)
    }

    const back = exchangeBack(state)
    for (const [id, market] of state.markets) {
      expect(marketView(back, id, world)).toEqual(marketView(state, id, world))
      const { pool, oracle } = back.markets.get(id)!
      expect(twap(oracle, pool.rate, desk.now, 300)).toBe(twap(market.oracle, market.pool.rate, desk.now, 300))
      for (const kind of ['buy-yt', 'sell-yt'] as const) {
        const order = { kind, yt: ytAtoms(12_345_678n) }
        expect(quote(pool, order)).toEqual(quote(market.pool, order))
      }
    }
    for (const { market, owner, sub } of state.accounts.values()) {
      const ref = { market, owner, sub }
      expect(accountView(back, ref, world)).toEqual(accountView(state, ref, world))
    }
    for (const [id, position] of state.positions) {
      expect(lpView(back, back.positions.get(id)!, world)).toEqual(lpView(state, position, world))
    }
  })

  test('they were of every kind', () => {
    const wanted = [
      'market',
      'market of many ticks',
      'matured market',
      'queued terms',
      'fund with YT',
      'tick that fell',
    ]
    const others = ['final checkpoint', 'carry', 'long', 'short', 'position', 'position below 0', 'order', 'stop']
    for (const what of [...wanted, ...others]) expect([what, (seen.get(what) ?? 0) > 2]).toEqual([what, true])
  })
})

test('what is not there stays undefined, what is there comes back', () => {
  const opened = openMarket()
  const market = opened.market()
  expect([market.queued, market.haircut]).toEqual([undefined, undefined])
  const { feeBps, lpShareBps, insuranceShareBps, guardBps, forcedBps, openInterestBps, penaltyBps } = market.terms
  const terms = { feeBps, lpShareBps, insuranceShareBps, guardBps, forcedBps, openInterestBps, penaltyBps }
  const full = {
    ...market,
    queued: { terms: { ...terms, feeBps: 20 }, readyAt: 5 },
    haircut: { uncovered: 3n, profit: 9n },
  }
  expect(marketBack(market)).toEqual(market)
  expect(marketBack(full)).toEqual(full)
  const config = { ...opened.ledger.config, nextAuthority: 'next', pausedUntil: 77 }
  expect(configBack(config)).toEqual({
    authority: addressOf('authority'),
    nextAuthority: addressOf('next'),
    pauser: addressOf('pauser'),
    treasury: addressOf('treasury'),
    pausedUntil: 77,
  })
  expect(configBack({ ...config, nextAuthority: undefined }).nextAuthority).toBe(undefined)
})

describe('accounts that do not belong together are refused', () => {
  const opened = openMarket({ liquidity: [{ jlp: 10n ** 9n, lower: 50, upper: 13_860 }, { jlp: 10n ** 9n }] })
  const { market, arrays } = fromMarket(opened.market())
  const address = addressOf(opened.id)
  const codeOf = (work: () => unknown): string => {
    try {
      work()
      return 'fine'
    } catch (error) {
      if (error instanceof ClientError) return error.code
      throw error
    }
  }
  const code = (given = arrays, of = market): string => codeOf(() => ticksOf(address, of, given))

  test('a tick array that is missing, of another market, or of another moment', () => {
    expect(code()).toBe('fine')
    expect(market.initialised.filter(word => word !== 0n).length).toBeGreaterThan(2)
    for (let number = 0; number < TICK_ARRAYS; number++) {
      const missing = market.initialised[number] === 0n ? 'fine' : 'missing-account'
      expect(code(arrays.toSpliced(number, 1))).toBe(missing)
      const foreign = { ...arrays[number]!, market: addressOf('another') }
      expect(code(arrays.with(number, foreign))).toBe('inconsistent')
    }
    for (const [number, word] of market.initialised.entries()) {
      const flipped = { ...market, initialised: market.initialised.with(number, word ^ 4n) }
      expect(code(arrays, flipped)).toBe('inconsistent')
    }
    // The last array reaches beyond the grid: no tick is initialised there.
    const last = arrays.at(-1)!
    const beyond = { ...last.ticks[0]!, gross: 5n }
    const wild = arrays.with(-1, { ...last, ticks: last.ticks.with(63, beyond) })
    const bits = market.initialised.with(-1, market.initialised.at(-1)! | (1n << 63n))
    expect(code(wild, { ...market, initialised: bits })).toBe('inconsistent')
  })
})
