/**
 * Decoded accounts as the reference engine knows them, so that the kernel's quotes and the engine's reads work on account bytes.
 * The engine calls a market by its name and an owner by an address. The types are the engine's by structure (this folder does
 * not import it); test/client/engine.test.ts holds the two together.
 */
import {
  discountQ64,
  type GrowthQ64,
  type JlpAtoms,
  marketName,
  type Pool,
  type Position,
  type RateOracle,
  rateQ64,
  type Tick,
  tickRate,
  type YtAtoms,
} from '../../amm/index.ts'
import {
  type ConfigData,
  type LpPositionData,
  type MarginAccountData,
  type MarketData,
  NO_ADDRESS,
  type RateIndexData,
  type RestingOrderData,
  TICK_ARRAYS,
  TICKS_PER_ARRAY,
  type TickArrayData,
} from './codecs.ts'
import { fail } from './errors.ts'
import { ORDER_ACTIONS, TRIGGERS } from './generated/interface.ts'

export const toEngineConfig = ({ authority, nextAuthority, pauser, treasury, pausedUntil }: ConfigData) => ({
  authority,
  nextAuthority: nextAuthority === NO_ADDRESS ? undefined : nextAuthority,
  pauser,
  treasury,
  pausedUntil,
})

/** The index, and what was last read of its source. */
export const toEngineIndex = ({
  kind,
  caps,
  discount,
  lastStep,
  bucketQ64,
  carry,
  checkpoints,
  cursor,
}: RateIndexData) => ({
  index: {
    kind,
    caps,
    discount: discountQ64(discount),
    lastStep,
    bucketQ64,
    carry,
    checkpoints: checkpoints
      .filter(({ maturity }) => maturity !== 0)
      .map(checkpoint => ({
        maturity: checkpoint.maturity,
        discount: checkpoint.discount === 0n ? undefined : discountQ64(checkpoint.discount),
      })),
  },
  cursor: { lastUpdated: BigInt(cursor.lastUpdated), realizedFeeUsd: cursor.realizedFeeUsd },
})

/** Whether the market says that the tick in a place of its grid is initialised. */
const isInitialised = (market: MarketData, array: number, slot: number): boolean =>
  ((market.initialised[array]! >> BigInt(slot)) & 1n) === 1n

/**
 * Initialised ticks, ascending, from a market's tick arrays. `missing-account` unless every array with an initialised tick is
 * given; `inconsistent` if one is another market's or disagrees with the market's bits.
 */
export const ticksOf = (address: string, market: MarketData, arrays: readonly TickArrayData[]): Tick[] => {
  const { spacing, minTick, maxTick } = market.terms.grid
  const ticks: Tick[] = []
  const foreign = arrays.find(array => array.market !== address)
  if (foreign !== undefined) {
    fail('inconsistent', `A tick array is of the market ${foreign.market}, not ${address}`, { market: foreign.market })
  }
  for (let number = 0; number < TICK_ARRAYS; number++) {
    const start = minTick + number * TICKS_PER_ARRAY * spacing
    const array = arrays.find(given => given.start === start)
    if (array === undefined) {
      if (market.initialised[number] !== 0n)
        fail('missing-account', `The tick array from ${start} is needed`, { start })
      continue
    }
    array.ticks.forEach(({ net, gross, fall, feeGrowthOutside }, slot) => {
      const index = start + slot * spacing
      const initialised = isInitialised(market, number, slot)
      if (initialised !== gross > 0n || (initialised && index > maxTick)) {
        fail('inconsistent', `The tick ${index} and the market's bits disagree: not read at one slot?`, { tick: index })
      }
      if (initialised) {
        ticks.push({ index, rate: tickRate(index), net, gross, fall, feeGrowthOutside: feeGrowthOutside })
      }
    })
  }
  return ticks
}

/** A market of the engine. `arrays`: those of the market's tick arrays that have initialised ticks, or all of them. */
export const toEngineMarket = (address: string, market: MarketData, arrays: readonly TickArrayData[]) => {
  const { terms, queued, standing, totals, fund, haircut } = market
  const { feeBps, lpShareBps, insuranceShareBps } = terms
  const { fall, tick, liquidity, grossLiquidity, tauSeconds } = market.pool
  const pool: Pool = {
    grid: terms.grid,
    fees: { feeBps, lpShareBps, insuranceShareBps },
    tauSeconds,
    discount: discountQ64(market.pool.discount),
    rate: rateQ64(market.pool.rate),
    tick,
    liquidity,
    ticks: ticksOf(address, market, arrays),
    grossLiquidity,
    fall,
    feeGrowth: market.pool.feeGrowth as GrowthQ64,
    deficit: market.pool.deficit as JlpAtoms,
  }
  const oracle: RateOracle = {
    ...market.oracle,
    clampPerSecond: terms.clampPerSecond,
    observed: rateQ64(market.oracle.observed),
  }
  return {
    id: marketName(market.maturity, market.kind),
    kind: market.kind,
    maturity: market.maturity,
    terms,
    queued: queued.readyAt === 0 ? undefined : queued,
    pool,
    oracle,
    standing,
    totals,
    fund,
    vault: market.vaultAmount,
    fees: market.fees,
    retired: market.retired,
    haircut: haircut.known ? { uncovered: haircut.uncovered, profit: haircut.profit } : undefined,
  }
}

/** A margin account of the engine; `market` is the market's name there. */
export const toEngineAccount = (market: string, account: MarginAccountData) => {
  const { owner, sub, margin, st, yt, discount, netDeposits, orders } = account
  return { market, owner, sub, margin, st, yt, discount, netDeposits, orders }
}

/** A resting order of the engine; `market` is the market's name there, `sub` the number of the account that it waits on. */
export const toEngineOrder = (market: string, sub: number, order: RestingOrderData) => {
  const { owner, id, amount, spot, limitRate, minimum, level, fee, expiresAt } = order
  const [action, trigger] = [ORDER_ACTIONS[order.action]!, TRIGGERS[order.trigger]!]
  return { market, owner, sub, id, action, amount, spot, limitRate, minimum, trigger, level, fee, expiresAt }
}

/** A liquidity position of the engine; `market` is the market's name there. */
export const toEnginePosition = (market: string, { owner, addedAt, position }: LpPositionData) => ({
  market,
  owner,
  position: {
    ...position,
    issued: position.issued as YtAtoms,
    uncollected: position.uncollected as JlpAtoms,
  } satisfies Position,
  addedAt,
})
