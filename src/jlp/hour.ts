/**
 * One hour of the pool, for simulations: a year is 8,760 calls. What traders and holders did comes in as totals a custody; fees,
 * accrual, the distribution at the end of the hour and the weekly APR come out. The order is that of the chain: the rate of the
 * hour is that of the utilisation at its start, then the activity, then the distribution on the full hour.
 */
import { mulDiv } from '../../amm/fixed.ts'
import type { CustodyFacts, TokenAtoms, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { poolAum } from './aum.ts'
import { cumulativeRateAt } from './borrow.ts'
import { type Distribution, distribute } from './distribution.ts'
import { JlpError } from './errors.ts'
import { accruedLoans } from './loan.ts'
import { type JlpCustody, type JlpPool, priceIn, priceOut, withPrices } from './pool.ts'
import { type Price, tokensFor, usdOf } from './price.ts'
import { BPS, HOUR_SECONDS, jlpAtoms, RATE_X9, tokenAtoms, usdX6 } from './scale.ts'

type Assets = CustodyFacts['assets']

/** What happened in one custody's token, which is what its fees are paid in. */
export interface CustodyActivity {
  /** Sizes of positions opened and closed; they pay the custody's base fee. */
  readonly openedUsd: UsdX6
  readonly closedUsd: UsdX6
  /** Fees that depend on single trades. */
  readonly impactFeesUsd: UsdX6
  readonly swapFeesUsd: UsdX6
  readonly liquidityFeesUsd: UsdX6
  readonly liquidationFeesUsd: UsdX6
  readonly stakingRewards: TokenAtoms
  /** Tokens locked at the end of the hour; without it they stay. */
  readonly locked?: TokenAtoms
  /** Deposits less withdrawals, at the virtual price; their fees are `liquidityFeesUsd`. */
  readonly netDeposit?: bigint
}

export interface HourOfActivity {
  /** The full hour that this one ends at. */
  readonly endsAt: UnixSeconds
  /** One a custody, in the pool's order; prices at the end of the hour, or unchanged without them. */
  readonly prices?: readonly Price[]
  readonly activity: readonly CustodyActivity[]
}

export const FEE_SOURCES = ['openClose', 'borrow', 'swap', 'liquidation', 'mintBurn', 'staking'] as const
export type FeeSource = (typeof FEE_SOURCES)[number]
/** Gross fees by source, USD 10^-6, before the split. Interest on loans is in the distribution's shares. */
export type FeesBySource = Readonly<Record<FeeSource, UsdX6>>

export interface SimulatedHour {
  readonly fees: FeesBySource
  readonly distribution: Distribution
  readonly next: JlpPool
}

/**
 * Opens or closes longs in the aggregate: more locked tokens are lent at the price of the moment; fewer are settled at the average,
 * profit paid in tokens and losses kept. The AUM stays where it is, to rounding. Stablecoins are only locked or released.
 */
const relock = (
  { facts, price, address }: JlpCustody,
  locked: TokenAtoms,
): Pick<Assets, 'owned' | 'locked' | 'guaranteedUsd'> => {
  const { assets, decimals } = facts
  const moved = locked - assets.locked
  let { owned, guaranteedUsd } = assets
  if (!facts.isStable && moved > 0n) {
    guaranteedUsd = usdX6(guaranteedUsd + usdOf(moved, decimals, price, 'down'))
  } else if (!facts.isStable && moved < 0n) {
    const settled = mulDiv(guaranteedUsd, -moved, assets.locked, 'down')
    guaranteedUsd = usdX6(guaranteedUsd - settled)
    // What is released beyond the lent USD is the traders' (or missing from them): it leaves (or joins) the pool's tokens.
    owned = tokenAtoms(owned + moved + tokensFor(settled, decimals, price, 'up'))
  }
  if (locked > owned) {
    throw new JlpError('out-of-range', `A custody cannot lock ${locked} of ${owned} tokens`, { address, locked, owned })
  }
  return { owned, locked, guaranteedUsd }
}

const feesOf = (custody: JlpCustody, hour: CustodyActivity, borrowed: bigint): FeesBySource => {
  const { facts, price } = custody
  const base = hour.openedUsd * facts.increasePositionBps + hour.closedUsd * facts.decreasePositionBps
  return {
    openClose: usdX6(mulDiv(base, 1n, BPS, 'up') + hour.impactFeesUsd),
    borrow: usdOf(borrowed, facts.decimals, price, 'up'),
    swap: hour.swapFeesUsd,
    liquidation: hour.liquidationFeesUsd,
    mintBurn: hour.liquidityFeesUsd,
    staking: usdOf(hour.stakingRewards, facts.decimals, price, 'down'),
  }
}

/** Accrues one custody to the end of the hour and puts the hour's fees into its reserve; one copy of the facts, for speed. */
const spend = (custody: JlpCustody, hour: CustodyActivity, endsAt: UnixSeconds) => {
  const { facts, price } = custody
  const { fundingRateState: rates, assets, decimals } = facts
  const cumulativeInterestRate = cumulativeRateAt(facts, endsAt)
  const loans = accruedLoans(facts, endsAt)
  // Borrowers owe on tokens locked, at the growth of the rate: on an entry at today's price, which aggregates cannot know better.
  const borrowed = mulDiv(assets.locked, cumulativeInterestRate - rates.cumulativeInterestRate, RATE_X9, 'up')
  const fees = feesOf(custody, hour, borrowed)
  const charged = fees.openClose + fees.swap + fees.liquidation + fees.mintBurn
  const reserve = tokensFor(charged, decimals, price, 'up') + borrowed + hour.stakingRewards
  const { owned, locked, guaranteedUsd } = hour.locked === undefined ? assets : relock(custody, hour.locked)
  const after: JlpCustody = {
    address: custody.address,
    price,
    facts: {
      ...facts,
      fundingRateState: { cumulativeInterestRate, lastUpdate: endsAt, hourlyFundingDbps: rates.hourlyFundingDbps },
      borrowsFundingRateState: loans.borrowsFundingRateState,
      debt: loans.debt,
      borrowLendInterestsAccrued: loans.borrowLendInterestsAccrued,
      assets: { ...assets, owned, locked, guaranteedUsd, feesReserves: tokenAtoms(assets.feesReserves + reserve) },
      totalStakedAmountLamports: tokenAtoms(facts.totalStakedAmountLamports + hour.stakingRewards),
    },
  }
  return { fees, custody: after }
}

/** Deposits and withdrawals at the virtual price: JLP minted down, burned up. */
const flow = (pool: JlpPool, activity: readonly CustodyActivity[]): JlpPool => {
  if (activity.every(hour => (hour.netDeposit ?? 0n) === 0n)) return pool
  let supply: bigint = pool.supply
  const custodies = pool.custodies.map((custody, i) => {
    const tokens = activity[i]!.netDeposit ?? 0n
    if (tokens === 0n) return custody
    const { assets, decimals } = custody.facts
    const owned = tokenAtoms(assets.owned + tokens)
    if (owned < assets.locked) {
      throw new JlpError('out-of-range', 'Locked tokens cannot be withdrawn', { owned, locked: assets.locked })
    }
    supply +=
      tokens > 0n
        ? mulDiv(usdOf(tokens, decimals, priceIn(custody), 'down'), pool.supply, poolAum(pool, 'up'), 'down')
        : -mulDiv(usdOf(-tokens, decimals, priceOut(custody), 'up'), pool.supply, poolAum(pool, 'down'), 'up')
    return { ...custody, facts: { ...custody.facts, assets: { ...assets, owned } } }
  })
  return { ...pool, custodies, supply: jlpAtoms(supply) }
}

/** One hour: prices move, rates accrue, fees fill the reserves, deposits come and go, and the full hour distributes. */
export const simulateHour = (pool: JlpPool, hour: HourOfActivity): SimulatedHour => {
  const { endsAt, activity } = hour
  if (endsAt % HOUR_SECONDS !== 0n) throw new JlpError('bad-parameter', 'An hour ends at a full hour', { endsAt })
  if (activity.length !== pool.custodies.length) {
    throw new JlpError('custody-mismatch', 'Give the activity of every custody, in the pool’s order', {
      given: activity.length,
    })
  }
  const priced = hour.prices === undefined ? pool : withPrices(pool, hour.prices)
  const total: Record<FeeSource, bigint> = {
    openClose: 0n,
    borrow: 0n,
    swap: 0n,
    liquidation: 0n,
    mintBurn: 0n,
    staking: 0n,
  }
  const custodies = priced.custodies.map((custody, i) => {
    const spent = spend(custody, activity[i]!, endsAt)
    for (const source of FEE_SOURCES) total[source] += spent.fees[source]
    return spent.custody
  })
  const distribution = distribute(flow({ ...priced, custodies }, activity), endsAt)
  return { fees: total as FeesBySource, distribution, next: distribution.next }
}
