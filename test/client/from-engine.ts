/** The engine's state as records of accounts: what the program would have stored. The other way is src/client/engine.ts. */
import { createHash } from 'node:crypto'
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
} from '../../src/client/codecs.ts'
import { ORDER_ACTIONS, TRIGGERS } from '../../src/client/generated/interface.ts'
import {
  accountId,
  type Config,
  type LpPosition,
  type MarginAccount,
  type Market,
  type RestingOrder,
} from '../../src/exchange/index.ts'
import { changeableOf } from '../../src/exchange/terms.ts'
import { encodeAddress } from '../../src/jupiter/base58.ts'
import { MAX_CHECKPOINTS, type RateIndex } from '../../src/oracle/accrual.ts'
import type { Cursor } from '../../src/oracle/source.ts'

/** An address for a name of the engine's. */
export const addressOf = (name: string): string => encodeAddress(createHash('sha256').update(name).digest())

export const fromConfig = (config: Config): ConfigData => ({
  bump: 255,
  authority: addressOf(config.authority),
  nextAuthority: config.nextAuthority === undefined ? NO_ADDRESS : addressOf(config.nextAuthority),
  pauser: addressOf(config.pauser),
  treasury: addressOf(config.treasury),
  pausedUntil: config.pausedUntil,
  eventSequence: 1n,
})

export const fromIndex = (index: RateIndex, cursor: Cursor): RateIndexData => {
  const checkpoints = index.checkpoints.map(({ maturity, discount }) => ({ maturity, discount: discount ?? 0n }))
  const free = Array.from({ length: MAX_CHECKPOINTS - checkpoints.length }, () => ({ maturity: 0, discount: 0n }))
  const { kind, caps, discount, lastStep, bucketQ64, carry } = index
  return {
    bump: 254,
    kind,
    stMint: addressOf(`${kind} ST`),
    stVault: addressOf(`${kind} ST vault`),
    stMintBump: 253,
    stVaultBump: 252,
    caps,
    discount,
    lastStep,
    bucketQ64,
    carry,
    cursor: { lastUpdated: Number(cursor.lastUpdated), realizedFeeUsd: cursor.realizedFeeUsd },
    eventSequence: 2n,
    // A maturity that was forgotten leaves its place free.
    checkpoints: [...free.slice(0, 1), ...checkpoints, ...free.slice(1)],
  }
}

const NO_TERMS = {
  feeBps: 0,
  lpShareBps: 0,
  insuranceShareBps: 0,
  guardBps: 0,
  forcedBps: 0,
  openInterestBps: 0,
  penaltyBps: 0,
}
const NO_TICK = { net: 0n, gross: 0n, fall: 0n, feeGrowthOutside: 0n }

export const fromMarket = (market: Market): { market: MarketData; arrays: TickArrayData[] } => {
  const { id, kind, maturity, terms, queued, pool, oracle, standing, totals, fund, haircut } = market
  const { spacing, minTick } = terms.grid
  const at = new Map(pool.ticks.map(tick => [(tick.index - minTick) / spacing, tick]))
  const arrays = Array.from({ length: TICK_ARRAYS }, (_, number) => ({
    bump: 251,
    market: addressOf(id),
    payer: addressOf('payer'),
    start: minTick + number * TICKS_PER_ARRAY * spacing,
    ticks: Array.from({ length: TICKS_PER_ARRAY }, (__, slot) => {
      const tick = at.get(number * TICKS_PER_ARRAY + slot)
      if (tick === undefined) return NO_TICK
      const { net, gross, fall, feeGrowthOutside } = tick
      return { net, gross, fall, feeGrowthOutside }
    }),
  }))
  const { tauSeconds, discount, rate, tick, liquidity, grossLiquidity, fall, feeGrowth, deficit } = pool
  const { startedAt, observedUntil, observed, buckets } = oracle
  return {
    arrays,
    market: {
      bump: 250,
      vaultBump: 249,
      ptMintBump: 248,
      kind,
      maturity,
      active: true,
      tickArrays: (1 << TICK_ARRAYS) - 1,
      index: addressOf(kind),
      vault: addressOf(`${id} vault`),
      ptMint: addressOf(`${id} PT`),
      creator: addressOf('creator'),
      eventSequence: 3n,
      terms,
      queued: queued === undefined ? { readyAt: 0, terms: NO_TERMS } : { ...queued, terms: changeableOf(queued.terms) },
      pool: { tauSeconds, discount, rate, tick, liquidity, grossLiquidity, fall, feeGrowth, deficit },
      oracle: { startedAt, observedUntil, observed, buckets },
      standing,
      totals,
      fund,
      vaultAmount: market.vault,
      fees: market.fees,
      retired: market.retired,
      haircut: { known: haircut !== undefined, uncovered: 0n, profit: 0n, ...haircut },
      initialised: arrays.map(({ ticks }) =>
        ticks.reduce((word, { gross }, slot) => (gross > 0n ? word | (1n << BigInt(slot)) : word), 0n),
      ),
    },
  }
}

export const fromAccount = (account: MarginAccount): MarginAccountData => {
  const { market, owner, sub, margin, st, yt, discount, netDeposits, orders } = account
  const keys = { market: addressOf(market), owner: addressOf(owner) }
  return { bump: 247, ...keys, sub, margin, st, yt, discount, netDeposits, orders }
}

export const fromOrder = (order: RestingOrder): RestingOrderData => {
  const { market, owner, sub, id, amount, spot, limitRate, minimum, level, fee, expiresAt } = order
  const action = ORDER_ACTIONS.indexOf(order.action)
  const trigger = TRIGGERS.indexOf(order.trigger)
  const keys = {
    market: addressOf(market),
    account: addressOf(accountId({ market, owner, sub })),
    owner: addressOf(owner),
  }
  return { bump: 245, ...keys, id, action, amount, spot, limitRate, minimum, trigger, level, fee, expiresAt }
}

export const fromPosition = ({ market, owner, position, addedAt }: LpPosition): LpPositionData => ({
  bump: 246,
  market: addressOf(market),
  owner: addressOf(owner),
  addedAt,
  position,
})
