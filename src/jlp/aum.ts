/**
 * What the pool is worth (jupiter.md 2.1 to 2.3; the formulas are those of the published examples, calculate-pool-aum and
 * get-jlp-virtual-price).
 *
 * Crypto lent to longs is counted at the USD it was worth when lent (`guaranteedUsd`), so a long's profit is the pool's
 * missing upside and needs no term of its own. Shorts are paid in stablecoins: their profit is taken off the traded token.
 */
import { divide, mulDiv, type Rounding } from '../../amm/fixed.ts'
import type { CustodyFacts, JlpAtoms, SignedUsdX6, TokenAtoms, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'
import type { JlpCustody, JlpPool } from './pool.ts'
import { atLeastDollar, type Price, priceX6, usdOf } from './price.ts'
import { DEBT_X9, larger, magnitude, signedUsdX6, tokenAtoms, USD_X6, usdX6 } from './scale.ts'

/** Tokens lent out against JLP, without interest that is not distributed yet; up, as published. */
export const debtTokens = (facts: CustodyFacts): TokenAtoms =>
  tokenAtoms(divide(larger(facts.debt - facts.borrowLendInterestsAccrued, 0n), DEBT_X9, 'up'))

/** Owned plus lent out: what the custody would hold if every loan were repaid. */
export const theoreticallyOwned = (facts: CustodyFacts): TokenAtoms =>
  tokenAtoms(facts.assets.owned + debtTokens(facts))

/** Locked for positions plus lent out: what utilisation counts. */
export const totalLocked = (facts: CustodyFacts): TokenAtoms => tokenAtoms(facts.assets.locked + debtTokens(facts))

/** What all shorts of this token have won together (negative: lost), `size * (average - price) / average`; towards 0. */
export const shortPnl = ({ assets }: CustodyFacts, price: Price): SignedUsdX6 => {
  const { globalShortSizes: size, globalShortAveragePrices: average } = assets
  if (size === 0n || average === 0n) return signedUsdX6(0n)
  const now = priceX6(price, 'down')
  const pnl = mulDiv(size, magnitude(average - now), average, 'down')
  return signedUsdX6(average > now ? pnl : -pnl)
}

/**
 * A custody's part of the AUM. `rounding` is that of the tokens' value: 'down' is the published figure, 'up' its upper
 * neighbour, which mints are priced at; the shorts' PnL rounds as published in both.
 */
export const custodyAum = ({ facts, price }: JlpCustody, rounding: Rounding): UsdX6 => {
  const owned = theoreticallyOwned(facts)
  if (facts.isStable) return usdOf(owned, facts.decimals, atLeastDollar(price), rounding)
  const unlocked = larger(owned - facts.assets.locked, 0n)
  const value = facts.assets.guaranteedUsd + usdOf(unlocked, facts.decimals, price, rounding)
  return usdX6(larger(value - shortPnl(facts, price), 0n))
}

/** Whether a floor of the formula binds, so that one token more would not add its value to the AUM. */
export const isUnderWater = ({ facts, price }: JlpCustody): boolean => {
  if (facts.isStable) return false
  const unlocked = theoreticallyOwned(facts) - facts.assets.locked
  if (unlocked < 0n) return true
  return facts.assets.guaranteedUsd + usdOf(unlocked, facts.decimals, price, 'down') < shortPnl(facts, price)
}

/** Assets under management: the sum over the custodies. */
export const poolAum = (pool: JlpPool, rounding: Rounding): UsdX6 => {
  let sum = 0n
  for (const custody of pool.custodies) sum += custodyAum(custody, rounding)
  return usdX6(sum)
}

/** The pool with its AUM written into its account, as every instruction of the program does first. */
export const refreshAum = (pool: JlpPool, now: UnixSeconds): JlpPool => ({
  ...pool,
  facts: { ...pool.facts, aumUsd: poolAum(pool, 'down'), aumUsdUpdatedAt: now },
})

/**
 * USD 10^-6 per JLP: `aumUsd / supply`, both of 6 decimals.
 * @example virtualPrice(1_531_381_751_507_034n, 339_109_845_691_015n, 'down') // 4_515_887n: $4.5159 on 2025-07-07
 */
export const virtualPrice = (aumUsd: UsdX6, supply: JlpAtoms, rounding: Rounding): UsdX6 => {
  if (supply === 0n) throw new JlpError('zero-supply', 'No JLP is issued, so it has no price', { aumUsd })
  return usdX6(mulDiv(aumUsd, USD_X6, supply, rounding))
}
