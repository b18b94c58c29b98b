/** Swaps through the pool (jupiter.md 2.4): one token in at the oracle price, another out, less the weight-dependent fee. */
import type { Address, Bps, TokenAtoms, UsdX6 } from '../jupiter/facts.ts'
import { isUnderWater, poolAum } from './aum.ts'
import { refuseAbove, refuseBelow } from './band.ts'
import { type Rejected, reject } from './errors.ts'
import { feeTokens, swapFeeBps } from './fee.ts'
import { custodyOf, freeTokens, type JlpPool, priceIn, priceOut, withBalances, withCustody } from './pool.ts'
import { tokensFor, usdOf } from './price.ts'
import { tokenAtoms, U64_MAX } from './scale.ts'

export interface SwapOrder {
  readonly from: Address
  readonly to: Address
  readonly amount: TokenAtoms
}

export interface SwapQuote {
  readonly kind: 'quoted'
  readonly usd: UsdX6
  readonly feeBps: Bps
  /** In tokens of `to`, kept in that custody's reserve. */
  readonly fee: TokenAtoms
  readonly tokens: TokenAtoms
  readonly next: JlpPool
}

/**
 * The tokens of `to` for `amount` of `from`: value in down, tokens out down, fee up, so the AUM never falls. The fee is
 * taken from what comes out (PoolSwapEvent: `amountOutAfterFees`). `externalSwapFeeMultiplierBps` is not applied: which swaps
 * it is for is not documented.
 */
export const quoteSwap = (pool: JlpPool, order: SwapOrder): SwapQuote | Rejected => {
  const from = custodyOf(pool, order.from)
  const to = custodyOf(pool, order.to)
  const amount = tokenAtoms(order.amount)
  if (from.address === to.address) return reject('same-custody')
  if (amount === 0n) return reject('zero-amount')
  if (!from.facts.permissions.allowSwap || !to.facts.permissions.allowSwap) return reject('swap-closed')
  const { owned, feesReserves, locked } = from.facts.assets
  if (isUnderWater(from)) return reject('custody-under-water', { owned, locked })
  if (owned + feesReserves + amount > U64_MAX) return reject('amount-too-large', { amount })

  const usd = usdOf(amount, from.facts.decimals, priceIn(from), 'down')
  const gross = tokensFor(usd, to.facts.decimals, priceOut(to), 'down')
  const free = freeTokens(to)
  if (gross > free) return reject('insufficient-liquidity', { wanted: gross, free })
  const feeBps = swapFeeBps({ from, to }, { facts: pool.facts, aumUsd: poolAum(pool, 'down'), usd })
  const fee = feeTokens(gross, feeBps)
  if (gross - fee === 0n) return reject('too-small', { amount, usd })

  const fromAfter = withBalances(from, { owned: amount })
  const toAfter = withBalances(to, { owned: -gross, feesReserves: fee })
  const next = withCustody(withCustody(pool, fromAfter), toAfter)
  const aumAfter = poolAum(next, 'down')
  const stopped = refuseAbove(fromAfter, aumAfter, pool.facts) ?? refuseBelow(toAfter, aumAfter, pool.facts)
  return stopped ?? { kind: 'quoted', usd, feeBps, fee, tokens: tokenAtoms(gross - fee), next }
}
