/**
 * The hourly distribution (jupiter.md 2.12): at the start of each UTC hour the fee reserves are split, 75 % into the pool and 25 %
 * to the protocol, and the weekly APR is updated. Interest on loans is split in the same run, out of the debt.
 *
 * Accounts of September 2026 hint at more frequent runs; when it runs is the caller's choice, what a run does is here.
 */
import { mulDiv } from '../../amm/fixed.ts'
import type { Address, CustodyFacts, TokenAtoms, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { type AprPrint, updateApr } from './apr.ts'
import { refreshAum } from './aum.ts'
import type { JlpCustody, JlpPool } from './pool.ts'
import { usdOf } from './price.ts'
import { BPS, DEBT_X9, HOUR_SECONDS, tokenAtoms, tokenAtomsX9, usdX6 } from './scale.ts'

/** The parts of one custody's fees; `pool + protocol` is `fees + interest` to the atom. */
export interface FeeShares {
  readonly custody: Address
  /** What the reserve held. */
  readonly fees: TokenAtoms
  /** Whole atoms of interest on loans that were due. */
  readonly interest: TokenAtoms
  readonly pool: TokenAtoms
  readonly protocol: TokenAtoms
}

export interface Distribution {
  readonly shares: readonly FeeShares[]
  /** The pool's part in USD, added to the week's sum. */
  readonly realizedUsd: UsdX6
  readonly print: AprPrint | undefined
  readonly next: JlpPool
}

/** Whether the start of a UTC hour lies after `last` and not after `now`. */
export const isDistributionDue = (last: UnixSeconds, now: UnixSeconds): boolean =>
  now / HOUR_SECONDS > last / HOUR_SECONDS

/** The start of the UTC hour that comes after `now`. */
export const nextDistribution = (now: UnixSeconds): UnixSeconds =>
  ((now / HOUR_SECONDS + 1n) * HOUR_SECONDS) as UnixSeconds

/** The protocol's cut goes down to whole atoms; the odd atom is the pool's. */
const protocolCut = (amount: bigint, shareBps: bigint): bigint => mulDiv(amount, shareBps, BPS, 'down')

/** Interest sits in the debt, so what the protocol gets of it is paid in tokens that the custody owns; if it has none, it waits. */
const dueInterest = ({ assets, borrowLendInterestsAccrued, borrowLendParameters }: CustodyFacts) => {
  const interest = borrowLendInterestsAccrued / DEBT_X9
  const protocol = protocolCut(interest, borrowLendParameters.protocolFeeBps)
  return protocol > assets.owned - assets.locked ? { interest: 0n, protocol: 0n } : { interest, protocol }
}

const share = (custody: JlpCustody, protocolShareBps: bigint): { custody: JlpCustody; shares: FeeShares } => {
  const { assets, borrowLendInterestsAccrued } = custody.facts
  const fees = assets.feesReserves
  const due = dueInterest(custody.facts)
  const protocolFees = protocolCut(fees, protocolShareBps)
  const shares: FeeShares = {
    custody: custody.address,
    fees,
    interest: tokenAtoms(due.interest),
    pool: tokenAtoms(fees - protocolFees + due.interest - due.protocol),
    protocol: tokenAtoms(protocolFees + due.protocol),
  }
  if (fees === 0n && due.interest === 0n) return { custody, shares }
  const owned = tokenAtoms(assets.owned + fees - protocolFees - due.protocol)
  const facts: CustodyFacts = {
    ...custody.facts,
    assets: { ...assets, owned, feesReserves: tokenAtoms(0n) },
    borrowLendInterestsAccrued: tokenAtomsX9(borrowLendInterestsAccrued - due.interest * DEBT_X9),
  }
  return { custody: { ...custody, facts }, shares }
}

/**
 * Splits all fee reserves, adds the pool's part in USD (down, at the prices of the state) to the week's sum, refreshes the AUM and
 * prints the APR if it is due. Whether the program prints before or after it adds the run's own fees is not documented: after, here,
 * so that a print covers every fee of its stretch.
 */
export const distribute = (pool: JlpPool, now: UnixSeconds): Distribution => {
  const shares: FeeShares[] = []
  let realized = 0n
  const custodies = pool.custodies.map(custody => {
    const split = share(custody, pool.facts.fees.protocolShareBps)
    shares.push(split.shares)
    realized += usdOf(split.shares.pool, custody.facts.decimals, custody.price, 'down')
    return split.custody
  })
  const { poolApr } = pool.facts
  const realizedFeeUsd = usdX6(poolApr.realizedFeeUsd + realized)
  const facts = { ...pool.facts, poolApr: { ...poolApr, realizedFeeUsd } }
  const refreshed = refreshAum({ ...pool, facts, custodies }, now)
  const updated = updateApr(refreshed.facts, { aumUsd: refreshed.facts.aumUsd, now })
  return { shares, realizedUsd: usdX6(realized), print: updated.print, next: { ...refreshed, facts: updated.facts } }
}
