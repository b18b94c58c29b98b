/**
 * The weight failsafe (jupiter.md 2.6): a custody's weight may leave its target by a share of the target, read from the
 * account (20 % in the documents and on chain in 2025, 10 % on chain in September 2026).
 *
 * Weight is the custody's part of the AUM; that the program measures it so is inferred from the recorded weights.
 */
import { mulDiv, type Rounding } from '../../amm/fixed.ts'
import type { Qty } from '../../amm/units.ts'
import type { Bps, PoolFacts, UsdX6 } from '../jupiter/facts.ts'
import { custodyAum } from './aum.ts'
import { type Rejected, reject } from './errors.ts'
import type { JlpCustody } from './pool.ts'
import { BPS, larger } from './scale.ts'

/** A weight in the pool, 10^-8: bp times bp, so that the edges of a band are whole numbers. */
export type WeightX8 = Qty<'WeightX8'>
const WHOLE_X8 = BPS * BPS

export interface WeightBand {
  readonly lowest: WeightX8
  readonly highest: WeightX8
}

/** @example weightBand(2600n as Bps, 2000n as Bps) // 20.8 % to 31.2 %: { lowest: 20_800_000n, highest: 31_200_000n } */
export const weightBand = (targetBps: Bps, bufferBps: Bps): WeightBand => ({
  lowest: (targetBps * larger(BPS - bufferBps, 0n)) as WeightX8,
  highest: (targetBps * (BPS + bufferBps)) as WeightX8,
})

/** The largest share of the pool that a stablecoin going to 0 can cost: the upper edge of its band, target x 1.2. */
export const maxDepegLoss = (targetBps: Bps, bufferBps: Bps): WeightX8 => weightBand(targetBps, bufferBps).highest

export const weightOf = (custodyUsd: UsdX6, aumUsd: UsdX6, rounding: Rounding): WeightX8 =>
  mulDiv(custodyUsd, WHOLE_X8, aumUsd, rounding) as WeightX8

/** Refuses a deposit after which the custody (as it would be) is above its band; the edge itself is inside. */
export const refuseAbove = (after: JlpCustody, aumAfter: UsdX6, { limit }: PoolFacts): Rejected | undefined => {
  const { highest } = weightBand(after.facts.targetRatioBps, limit.tokenWeightageBufferBps)
  const custodyUsd = custodyAum(after, 'down')
  if (custodyUsd * WHOLE_X8 <= highest * aumAfter) return undefined
  return reject('weight-above-band', { weightX8: weightOf(custodyUsd, aumAfter, 'up'), highestX8: highest })
}

/** Refuses a withdrawal after which the custody (as it would be) is below its band; the edge itself is inside. */
export const refuseBelow = (after: JlpCustody, aumAfter: UsdX6, { limit }: PoolFacts): Rejected | undefined => {
  const { lowest } = weightBand(after.facts.targetRatioBps, limit.tokenWeightageBufferBps)
  const custodyUsd = custodyAum(after, 'down')
  if (custodyUsd * WHOLE_X8 >= lowest * aumAfter) return undefined
  return reject('weight-below-band', { weightX8: weightOf(custodyUsd, aumAfter, 'down'), lowestX8: lowest })
}
