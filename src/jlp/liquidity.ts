/**
 * Minting and redeeming JLP (jupiter.md 2.5). The fee stays in the custody's reserve until the next distribution; a quote
 * carries the next state, so quoting and acting cannot disagree.
 *
 * Rounding, always for those who stay: a mint counts the deposit down and the AUM up, a redemption the AUM down and the
 * tokens down, and fees go up. So `AUM / supply` never falls by either.
 */
import { mulDiv } from '../../amm/fixed.ts'
import type { Address, Bps, JlpAtoms, TokenAtoms, UsdX6 } from '../jupiter/facts.ts'
import { isUnderWater, poolAum } from './aum.ts'
import { refuseAbove, refuseBelow } from './band.ts'
import { type Rejected, reject } from './errors.ts'
import { feeTokens, liquidityFeeTerms, weightFeeBps } from './fee.ts'
import { custodyOf, freeTokens, type JlpPool, priceIn, priceOut, withBalances, withCustody } from './pool.ts'
import { tokensFor, usdOf } from './price.ts'
import { BPS, jlpAtoms, magnitude, tokenAtoms, U64_MAX, usdX6 } from './scale.ts'

export interface MintQuote {
  readonly kind: 'quoted'
  readonly feeBps: Bps
  /** Tokens of the deposit that go to the fee reserve. */
  readonly fee: TokenAtoms
  readonly mintUsd: UsdX6
  readonly lp: JlpAtoms
  readonly next: JlpPool
}

export interface RedeemQuote {
  readonly kind: 'quoted'
  readonly feeBps: Bps
  readonly fee: TokenAtoms
  readonly redeemUsd: UsdX6
  /** What the holder gets, fee already taken. */
  readonly tokens: TokenAtoms
  readonly next: JlpPool
}

/** Refuses if one instruction would move the price of JLP by more than the account allows; a limit of 0 is none. */
const refusePriceChange = (before: JlpPool, next: JlpPool): Rejected | undefined => {
  const limit = before.facts.maxLpTokenPriceChangeBps
  if (limit === 0n || next.supply === 0n) return undefined
  const old = poolAum(before, 'down') * next.supply
  const change = magnitude(poolAum(next, 'down') * before.supply - old)
  return change * BPS <= limit * old ? undefined : reject('lp-price-change', { change, of: old, limitBps: limit })
}

const refuseUnpriced = (pool: JlpPool, aumUsd: UsdX6): Rejected | undefined => {
  if (pool.supply === 0n) return reject('zero-supply', { aumUsd })
  return aumUsd === 0n ? reject('zero-aum', { supply: pool.supply }) : undefined
}

/** JLP for `amount` tokens of a custody. Closed while the deposit would lift the pool above its AUM limit. */
export const quoteMint = (pool: JlpPool, order: { custody: Address; amount: TokenAtoms }): MintQuote | Rejected => {
  const custody = custodyOf(pool, order.custody)
  const amount = tokenAtoms(order.amount)
  const { decimals, assets, permissions } = custody.facts
  const aumUsd = poolAum(pool, 'up')
  const refused = refuseUnpriced(pool, aumUsd)
  if (amount === 0n) return reject('zero-amount')
  if (!permissions.allowAddLiquidity) return reject('add-closed')
  if (refused !== undefined) return refused
  if (isUnderWater(custody)) return reject('custody-under-water', { owned: assets.owned, locked: assets.locked })
  if (assets.owned + assets.feesReserves + amount > U64_MAX) return reject('amount-too-large', { amount })

  const depositUsd = usdOf(amount, decimals, priceIn(custody), 'down')
  const { maxAumUsd } = pool.facts.limit
  if (aumUsd + depositUsd > maxAumUsd) return reject('aum-limit', { aumUsd, depositUsd, maxAumUsd })
  const feeBps = weightFeeBps(custody, {
    aumUsd,
    usd: depositUsd,
    direction: 'in',
    terms: liquidityFeeTerms(pool.facts),
  })
  const fee = feeTokens(amount, feeBps)
  const mintUsd = usdOf(amount - fee, decimals, priceIn(custody), 'down')
  const minted = mulDiv(mintUsd, pool.supply, aumUsd, 'down')
  if (minted === 0n) return reject('too-small', { amount, mintUsd })
  if (pool.supply + minted > U64_MAX) return reject('amount-too-large', { minted, supply: pool.supply })
  const lp = jlpAtoms(minted)

  const after = withBalances(custody, { owned: amount - fee, feesReserves: fee })
  const next = { ...withCustody(pool, after), supply: jlpAtoms(pool.supply + lp) }
  const stopped = refuseAbove(after, poolAum(next, 'down'), pool.facts) ?? refusePriceChange(pool, next)
  return stopped ?? { kind: 'quoted', feeBps, fee, mintUsd, lp, next }
}

/** Tokens of a custody for `lp` JLP. Open at the AUM limit too: the way out at the virtual price is never closed by it. */
export const quoteRedeem = (pool: JlpPool, order: { custody: Address; lp: JlpAtoms }): RedeemQuote | Rejected => {
  const custody = custodyOf(pool, order.custody)
  const lp = jlpAtoms(order.lp)
  const { decimals, permissions } = custody.facts
  const aumUsd = poolAum(pool, 'down')
  const refused = refuseUnpriced(pool, aumUsd)
  if (lp === 0n) return reject('zero-amount')
  if (!permissions.allowRemoveLiquidity) return reject('remove-closed')
  if (refused !== undefined) return refused
  if (lp > pool.supply) return reject('insufficient-supply', { lp, supply: pool.supply })

  const redeemUsd = usdX6(mulDiv(aumUsd, lp, pool.supply, 'down'))
  const gross = tokensFor(redeemUsd, decimals, priceOut(custody), 'down')
  const free = freeTokens(custody)
  if (gross > free) return reject('insufficient-liquidity', { wanted: gross, free })
  const feeBps = weightFeeBps(custody, {
    aumUsd,
    usd: redeemUsd,
    direction: 'out',
    terms: liquidityFeeTerms(pool.facts),
  })
  const fee = feeTokens(gross, feeBps)
  if (gross - fee === 0n) return reject('too-small', { lp, redeemUsd })

  const after = withBalances(custody, { owned: -gross, feesReserves: fee })
  const next = { ...withCustody(pool, after), supply: jlpAtoms(pool.supply - lp) }
  const stopped = refuseBelow(after, poolAum(next, 'down'), pool.facts) ?? refusePriceChange(pool, next)
  return stopped ?? { kind: 'quoted', feeBps, fee, redeemUsd, tokens: tokenAtoms(gross - fee), next }
}
