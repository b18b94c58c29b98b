/**
 * Campaign: somebody looks for a gain that is not a coupon. At a fixed discount (no coupon is paid; the clock moves at most as far as the
 * age of liquidity asks) a ring of wallets plays random sequences and climbs from the best of them. It must end with no more
 * than it began with: neither in JLP on immediate full exit, nor at the price before its first move after any of its moves.
 * And the pair: long and short at most leverage around a coupon, which must earn nothing together.
 */
import { MAX_RATE, twap } from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import { ensure } from './ensure.ts'
import { liveScene } from './exchange.ts'
import type { Desk } from './exchange-desk.ts'
import { abs, type Exchange, headOf, type Market, max, type World } from './exchange-engine.ts'
import { belowMaintenance, fairOf } from './exchange-fair.ts'
import { beginning, type Licence, type Move, randomMove, vary } from './exchange-moves.ts'
import { Ring } from './exchange-ring.ts'

export interface ProfitStats {
  scenes: number
  sequences: number
  moves: number
  exits: number
  /** Best result of a sequence that traded at all, in JLP atoms: 0 or below. */
  best: bigint
  /** Scenes in which the rate had moved faster than its average, and the best result there. */
  moved: number
  bestMoved: bigint
  pairs: number
  bestPair: bigint
}

type TradingScene = { readonly state: Exchange; readonly market: Market; readonly world: World; readonly calm: boolean }

/** How far the average is from the rate, against the rate's own size in thousandths. */
const averageOff = (market: Market, now: number): bigint =>
  abs(twap(market.oracle, market.pool.rate, now, market.terms.twapWindow) - market.pool.rate)

/**
 * A market that trades now, no coupon due for the next ten minutes. Mostly a calm one: time has gone by until the average is
 * where the rate is, to a thousandth.
 */
export const tradingScene = (random: Random): TradingScene | undefined => {
  const { desk } = liveScene(random, random.int(20, 150))
  const to = Math.max(desk.ledger.indices.hourly.lastStep + 3600, Math.floor((desk.now + 3300) / 3600) * 3600)
  desk.now = Math.max(desk.now, to + 300)
  desk.run({ kind: 'accrue', coupon: 'hourly', earned: { to, fees: 10n, aum: 10n ** 6n } })
  const fits = desk.live().filter(m => desk.freshness(m.kind) === 'fresh' && m.maturity > desk.now + 4000)
  if (fits.length === 0 || desk.now < desk.ledger.config.pausedUntil) return undefined
  const { id, pool } = random.pick(fits)
  if (pool.liquidity === 0n) return undefined
  // News: at times somebody with much money moves the rate at once, and the average lags behind.
  const news = random.int(0, 3) === 0
  if (news) moveRate(desk, id, random)
  const isCalm = (): boolean => averageOff(desk.market(id), desk.now) * 1000n <= pool.rate
  if (news) desk.now += random.pick([0, 1, 20, 150, 400])
  else while (!isCalm() && desk.now < to + 3300) desk.now += 100
  return { state: desk.ledger, market: headOf(desk.ledger, id, desk.world), world: desk.world, calm: isCalm() }
}

const moveRate = (desk: Desk, id: string, random: Random): void => {
  const { pool } = desk.market(id)
  const limitRate = (pool.rate * random.big(30n, 300n)) / 100n
  const order = { limitRate: limitRate < MAX_RATE ? limitRate : MAX_RATE, minimum: 0n, deadline: desk.now }
  const ref = { market: id, owner: 'creator', sub: 0 }
  const jlp = desk.wallet('jlp', 'creator') / 2n
  if (limitRate < pool.rate) desk.run({ kind: 'buy-pt', market: id, owner: 'creator', amount: { st: jlp }, ...order })
  else {
    desk.run({ kind: 'open-account', ...ref })
    desk.run({ kind: 'deposit', ...ref, jlp })
    desk.run({ kind: 'trade', action: 'long', spot: true, ...ref, amount: { st: (jlp * 9n) / 10n }, ...order })
  }
}

interface SceneOf {
  readonly market: string
  readonly licence: Licence
  /** Whether the average is where the rate is, to a thousandth. */
  readonly calm: boolean
}

/** Moves that trade nothing. */
const IDLE: readonly Move['act'][] = ['deposit', 'withdraw', 'transfer-margin', 'wait', 'reduce-fund']

const play = (ring: Ring, moves: readonly Move[], stats: ProfitStats, seedOf: SceneOf): bigint => {
  ring.reset()
  const start = ring.wealthAtStart << 64n
  const done: Move[] = []
  for (const move of moves) {
    if (!ring.play(move)) continue
    done.push(move)
    stats.moves++
    const { value, error } = ring.valueAtStart()
    ensure(value <= start + error, 'I12: no move makes a ring richer at the price before its first', {
      gain: `${Number(value - start) / 2 ** 64}`,
      done,
      seedOf,
    })
  }
  stats.sequences++
  stats.exits++
  const profit = ring.exit() - ring.wealthAtStart
  ensure(profit <= 0n, 'I12: nobody gains by immediate full exit', { profit, done, seedOf })
  return done.some(({ act }) => !IDLE.includes(act)) ? profit : -(1n << 100n)
}

/** One scene: random sequences, then climbing from the best one. */
const climb = (random: Random, stats: ProfitStats, rounds: number): void => {
  const scene = tradingScene(random)
  if (scene === undefined) return
  const { state, market, world, calm } = scene
  const settled = averageOff(market, world.now) === 0n
  const fund = settled && belowMaintenance(market.fund, market, fairOf(state, market, market, world)) === false
  const licence: Licence = random.pick([
    { lp: true, fund: false, wait: true },
    { lp: true, fund: false, wait: false },
    { lp: false, fund, wait: false },
    { lp: false, fund: false, wait: true },
  ])
  const ring = new Ring(state, market, world)
  stats.scenes++
  let best: { moves: Move[]; profit: bigint } | undefined
  for (let round = 0; round < rounds; round++) {
    const from = best === undefined || round < rounds / 3 ? undefined : best.moves
    const moves =
      from === undefined
        ? random.int(0, 2) === 0
          ? beginning(random, licence)
          : Array.from({ length: random.int(2, 14) }, () => randomMove(random, licence))
        : changed(random, from, licence)
    const profit = play(ring, moves, stats, { market: market.id, licence, calm })
    if (best === undefined || profit > best.profit) best = { moves, profit }
  }
  if (!calm) stats.moved++
  if (best === undefined) return
  if (calm && best.profit > stats.best) stats.best = best.profit
  if (!calm && best.profit > stats.bestMoved) stats.bestMoved = best.profit
}

const changed = (random: Random, moves: readonly Move[], licence: Licence): Move[] => {
  const at = random.int(0, moves.length - 1)
  const act = random.int(0, 9)
  if (act < 2) return moves.toSpliced(at, 0, randomMove(random, licence))
  if (act < 4 && moves.length > 1) return moves.toSpliced(at, 1)
  return moves.with(at, vary(random, moves[at]!, licence))
}

// ---- the pair ----------------------------------------------------------------------------------------------------------------

/** Long and short of as many YT, each on as little margin as is accepted, a coupon inside the caps, both closed. */
const pair = (random: Random, stats: ProfitStats): void => {
  const scene = tradingScene(random)
  if (scene === undefined) return
  const { state, market, world } = scene
  const ring = new Ring(state, market, world)
  const yt = max(1000n, (market.pool.liquidity * BigInt(random.int(1, 60))) / 10_000n)
  const profit = ring.pair(yt, random)
  if (profit === undefined) return
  stats.pairs++
  ensure(profit <= 0n, 'I12, I21: a pair around a coupon earns nothing together', { profit, yt, market: market.id })
  if (profit > stats.bestPair) stats.bestPair = profit
}

/** Runs until `sequences` sequences have been played; every tenth scene is for pairs. */
export const profitSearch = (random: Random, sequences: number, rounds = 60): ProfitStats => {
  const none = -(1n << 100n)
  const stats: ProfitStats = {
    scenes: 0,
    sequences: 0,
    moves: 0,
    exits: 0,
    best: none,
    moved: 0,
    bestMoved: none,
    pairs: 0,
    bestPair: none,
  }
  while (stats.sequences < sequences) {
    climb(random, stats, Math.min(rounds, sequences))
    pair(random, stats)
  }
  return stats
}

export const profitFigures = (stats: ProfitStats): Record<string, number> => {
  const { best, bestMoved: _, bestPair, ...counts } = stats
  return { ...counts, maxProfit: Number(best), maxPairProfit: Number(bestPair) }
}
