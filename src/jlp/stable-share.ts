/**
 * The real stablecoin share of JLP (market.md, from the article of September 2024): crypto lent to longs is repaid at its USD value
 * when lent, so it behaves like USD; stablecoins lent to shorts are repaid in crypto, so they behave like crypto.
 */
import { divide, mulDiv } from '../../amm/fixed.ts'
import type { RateX9, UsdX6 } from '../jupiter/facts.ts'
import { theoreticallyOwned } from './aum.ts'
import { utilisation } from './borrow.ts'
import type { JlpPool } from './pool.ts'
import { usdOf } from './price.ts'
import { RATE_X9, rateX9 } from './scale.ts'

export interface Holding {
  readonly valueUsd: UsdX6
  readonly utilisation: RateX9
  readonly isStable: boolean
}

/** `(sum over crypto of value * utilisation + sum over stables of value * (1 - utilisation)) / TVL`, down; 0 for nothing. */
export const realStableShare = (holdings: readonly Holding[]): RateX9 => {
  let total = 0n
  let stable = 0n
  for (const { valueUsd, utilisation: used, isStable } of holdings) {
    total += valueUsd
    stable += valueUsd * (isStable ? RATE_X9 - used : used)
  }
  return rateX9(total === 0n ? 0n : divide(stable, total, 'down'))
}

/** What stablecoins are of the pool at face value: the share that one sees. */
export const nominalStableShare = (holdings: readonly Holding[]): RateX9 => {
  let total = 0n
  let stable = 0n
  for (const { valueUsd, isStable } of holdings) {
    total += valueUsd
    if (isStable) stable += valueUsd
  }
  return rateX9(total === 0n ? 0n : mulDiv(stable, RATE_X9, total, 'down'))
}

/** The pool's holdings at market value, lent-out tokens included: the share of each that is lent is its utilisation. */
export const holdingsOf = (pool: JlpPool): Holding[] =>
  pool.custodies.map(({ facts, price }) => ({
    valueUsd: usdOf(theoreticallyOwned(facts), facts.decimals, price, 'down'),
    utilisation: utilisation(facts),
    isStable: facts.isStable,
  }))
