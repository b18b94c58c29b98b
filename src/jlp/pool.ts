/** The pool as a plain value: the facts of its accounts, a price for each custody, and the supply of JLP. */
import type { Address, CustodyFacts, JlpAtoms, PoolFacts, TokenAtoms } from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'
import { atLeastDollar, atMostDollar, checkPrice, type Price } from './price.ts'
import { smaller, tokenAtoms } from './scale.ts'

export interface JlpCustody {
  readonly address: Address
  readonly facts: CustodyFacts
  readonly price: Price
}

/** SOL on its way out of its stake account, by the epoch from which it can be used. */
export interface StakeExit {
  readonly custody: Address
  readonly lamports: TokenAtoms
  readonly freeAtEpoch: bigint
}

export interface JlpPool {
  /** `facts.aumUsd` is the value at the last refresh; `poolAum` gives the value at the prices of this state. */
  readonly facts: PoolFacts
  /** In the order of `facts.custodies`. */
  readonly custodies: readonly JlpCustody[]
  readonly supply: JlpAtoms
  readonly stakeExits: readonly StakeExit[]
}

/** Puts the accounts together. Every custody that the pool lists must be there: a pool with one missing has no AUM. */
export const createJlpPool = (parts: {
  readonly facts: PoolFacts
  readonly custodies: readonly JlpCustody[]
  readonly supply: JlpAtoms
  readonly stakeExits?: readonly StakeExit[]
}): JlpPool => {
  const { facts, custodies, supply, stakeExits = [] } = parts
  const byAddress = new Map(custodies.map(custody => [custody.address, custody]))
  const ordered = facts.custodies.map(address => {
    const custody = byAddress.get(address)
    if (custody === undefined) {
      throw new JlpError('custody-mismatch', `Give the pool its custody ${address}`, { address })
    }
    checkPrice(custody.price)
    return custody
  })
  if (byAddress.size !== ordered.length || custodies.length !== ordered.length) {
    throw new JlpError('custody-mismatch', `The pool lists ${ordered.length} custodies, got ${custodies.length}`, {
      listed: ordered.length,
      given: custodies.length,
    })
  }
  return { facts, custodies: ordered, supply, stakeExits }
}

export const custodyOf = (pool: JlpPool, address: Address): JlpCustody => {
  const custody = pool.custodies.find(candidate => candidate.address === address)
  if (custody === undefined) throw new JlpError('no-such-custody', `The pool has no custody ${address}`, { address })
  return custody
}

/** The pool with this custody in place of the one at its address. */
export const withCustody = (pool: JlpPool, changed: JlpCustody): JlpPool => ({
  ...pool,
  custodies: pool.custodies.map(custody => (custody.address === changed.address ? changed : custody)),
})

/** The pool at other prices, one a custody, in its order. */
export const withPrices = (pool: JlpPool, prices: readonly Price[]): JlpPool => {
  if (prices.length !== pool.custodies.length) {
    throw new JlpError('custody-mismatch', `Give one price a custody: ${pool.custodies.length}, not ${prices.length}`)
  }
  return { ...pool, custodies: pool.custodies.map((custody, i) => ({ ...custody, price: checkPrice(prices[i]!) })) }
}

export const withFacts = (custody: JlpCustody, changes: Partial<CustodyFacts>): JlpCustody => ({
  ...custody,
  facts: { ...custody.facts, ...changes },
})

/** Changes of a custody's balances, by difference. A balance below 0 or above 64 bits is an impossible state: it throws. */
export const withBalances = (
  custody: JlpCustody,
  by: { readonly owned?: bigint; readonly feesReserves?: bigint; readonly locked?: bigint },
): JlpCustody => {
  const { assets } = custody.facts
  return withFacts(custody, {
    assets: {
      ...assets,
      owned: tokenAtoms(assets.owned + (by.owned ?? 0n)),
      feesReserves: tokenAtoms(assets.feesReserves + (by.feesReserves ?? 0n)),
      locked: tokenAtoms(assets.locked + (by.locked ?? 0n)),
    },
  })
}

/**
 * The price at which the pool takes a token in and pays it out. A stablecoin comes in at no more than $1 and leaves at no
 * less, because the AUM counts it at no less: otherwise a depeg would be a way out at the others' expense. (The program
 * has a Min and a Max price mode; which side it applies where is not documented. This is the side that protects the pool.)
 */
export const priceIn = ({ facts, price }: JlpCustody): Price => (facts.isStable ? atMostDollar(price) : price)
export const priceOut = ({ facts, price }: JlpCustody): Price => (facts.isStable ? atLeastDollar(price) : price)

/** What can leave a custody at once: neither locked for positions nor in a stake account. Lent-out tokens are not owned. */
export const freeTokens = ({ facts }: JlpCustody): TokenAtoms => {
  const { owned, locked } = facts.assets
  const free = smaller(owned - locked, owned - facts.totalStakedAmountLamports)
  return tokenAtoms(free > 0n ? free : 0n)
}
