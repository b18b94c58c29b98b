/**
 * What JLP trades at (market.md, "JLP"): while the pool mints, nobody pays more than minting costs; once the AUM limit is hit,
 * minting closes and the market may ask a premium; whoever is bid less than the virtual price redeems at it instead.
 */
import { mulDiv } from '../../amm/fixed.ts'
import type { Address, Bps, JlpAtoms, UsdX6 } from '../jupiter/facts.ts'
import { poolAum, virtualPrice } from './aum.ts'
import type { Rejected } from './errors.ts'
import { quoteRedeem } from './liquidity.ts'
import { custodyOf, type JlpPool } from './pool.ts'
import { usdOf } from './price.ts'
import { BPS, USD_X6, usdX6 } from './scale.ts'

export interface JlpMarket {
  /** Whether the pool takes deposits of any size; at the limit it takes none. */
  readonly minting: 'open' | 'closed'
  readonly virtualPrice: UsdX6
  /** Virtual price plus the premium; the premium exists only while minting is closed. */
  readonly marketPrice: UsdX6
  /** USD that can still be deposited. */
  readonly room: UsdX6
}

/** The market of JLP at `premiumBps` over the virtual price, which buyers pay only where they cannot mint; price down. */
export const jlpMarket = (pool: JlpPool, premiumBps: Bps): JlpMarket => {
  const aumUsd = poolAum(pool, 'up')
  const { maxAumUsd } = pool.facts.limit
  const price = virtualPrice(poolAum(pool, 'down'), pool.supply, 'down')
  const closed = aumUsd >= maxAumUsd
  return {
    minting: closed ? 'closed' : 'open',
    virtualPrice: price,
    marketPrice: closed ? usdX6(mulDiv(price, BPS + premiumBps, BPS, 'down')) : price,
    room: usdX6(closed ? 0n : maxAumUsd - aumUsd),
  }
}

export type SaleRoute =
  /** `refused` is there if redeeming would have been better and was not open. */
  | { readonly route: 'market'; readonly usd: UsdX6; readonly refused?: Rejected }
  /** `usd` is what the tokens are worth at their price, after the redemption fee. */
  | { readonly route: 'redeem'; readonly usd: UsdX6; readonly custody: Address }

/**
 * The better way out for `lp` JLP: sold at `bid` (USD 10^-6 per JLP), or redeemed from the pool if the bid is below the virtual
 * price. Both rounded down.
 */
export const saleRoute = (
  pool: JlpPool,
  { lp, bid, custody }: { readonly lp: JlpAtoms; readonly bid: UsdX6; readonly custody: Address },
): SaleRoute => {
  const usd = usdX6(mulDiv(lp, bid, USD_X6, 'down'))
  if (pool.supply === 0n || bid >= virtualPrice(poolAum(pool, 'down'), pool.supply, 'down'))
    return { route: 'market', usd }
  const quote = quoteRedeem(pool, { custody, lp })
  if (quote.kind === 'rejected') return { route: 'market', usd, refused: quote }
  const { facts, price } = custodyOf(pool, custody)
  const redeemed = usdOf(quote.tokens, facts.decimals, price, 'down')
  return redeemed > usd ? { route: 'redeem', usd: redeemed, custody } : { route: 'market', usd }
}
