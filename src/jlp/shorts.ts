/**
 * All shorts of a token as one: total size and average entry (jupiter.md 2.2 reads them, how the program averages is not
 * documented). The average is the harmonic one: it keeps the sum of size / entry, so that the PnL of the total is the sum of the
 * PnLs at every price, and opening or closing a short leaves the AUM where it is.
 */
import { mulDiv } from '../../amm/fixed.ts'
import type { CustodyFacts, UsdX6 } from '../jupiter/facts.ts'
import { usdX6 } from './scale.ts'

type Assets = CustodyFacts['assets']

/** Fraction `num / den` of tokens that size is at an entry price: kept unreduced, so only the final average is rounded. */
const averageOf = (size: bigint, num: bigint, den: bigint): UsdX6 => usdX6(mulDiv(size, den, num, 'up'))

/** With a short of `sizeUsd` at `entry` added. The average goes up: traders' profit, which the AUM owes, is never understated. */
export const addShort = (assets: Assets, sizeUsd: UsdX6, entry: UsdX6): Assets => {
  const { globalShortSizes: total, globalShortAveragePrices: average } = assets
  const size = usdX6(total + sizeUsd)
  const next =
    total === 0n || average === 0n ? entry : averageOf(size, total * entry + sizeUsd * average, average * entry)
  return { ...assets, globalShortSizes: size, globalShortAveragePrices: next }
}

/**
 * With a short of `sizeUsd` at `entry` taken out. Where the recorded average cannot contain that position (the chain averaged it in
 * another way), the average of the rest stays as it is.
 */
export const removeShort = (assets: Assets, sizeUsd: UsdX6, entry: UsdX6): Assets => {
  const { globalShortSizes: total, globalShortAveragePrices: average } = assets
  const size = usdX6(total - sizeUsd)
  if (size === 0n) return { ...assets, globalShortSizes: size, globalShortAveragePrices: usdX6(0n) }
  const rest = total * entry - sizeUsd * average
  const next = rest > 0n ? averageOf(size, rest, average * entry) : average
  return { ...assets, globalShortSizes: size, globalShortAveragePrices: next }
}
