/**
 * The hourly borrow fee (jupiter.md 2.9; get-borrow-fee-and-funding-rate of the published examples): a rate by utilisation,
 * summed up in a cumulative rate of which each position pays its stretch. Checked against accounts 737 seconds apart.
 */
import { divide, mulDiv, type Rounding } from '../../amm/fixed.ts'
import type { CustodyFacts, Dbps, RateX9, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { theoreticallyOwned, totalLocked } from './aum.ts'
import { JlpError } from './errors.ts'
import { BPS, DBPS, HOUR_SECONDS, HOURS_A_YEAR, RATE_X9, rateX9, usdX6 } from './scale.ts'

/** Locked and lent out against all that is owned and lent out, down; 0 for an empty custody. */
export const utilisation = (facts: CustodyFacts): RateX9 => {
  const owned = theoreticallyOwned(facts)
  return rateX9(owned === 0n ? 0n : mulDiv(totalLocked(facts), RATE_X9, owned, 'down'))
}

/** Linear mode: `utilisation * dbps`, up. 10 dbps (0.01 %) at a utilisation of one half is 0.005 % an hour. */
export const linearHourlyRate = (facts: CustodyFacts, dbps: Dbps): RateX9 => {
  const owned = theoreticallyOwned(facts)
  return rateX9(owned === 0n ? 0n : mulDiv(totalLocked(facts), (dbps * RATE_X9) / DBPS, owned, 'up'))
}

/**
 * Jump mode: from `min` at utilisation 0 to `target` at the target utilisation, then steeper to `max` at 1. The interpolation goes
 * up to whole annual bp before it is scaled, so the rate moves in such steps; the hour's part goes down.
 * @example jumpHourlyRate(sol, 111_826_820n) // 15_410n of 10^-9 an hour: 13.5 % a year
 */
export const jumpHourlyRate = ({ jumpRateState }: CustodyFacts, used: RateX9): RateX9 => {
  const { minRateBps, targetRateBps, maxRateBps, targetUtilizationRate: kink } = jumpRateState
  if (kink <= 0n || kink >= RATE_X9) {
    throw new JlpError('bad-parameter', 'The target utilisation must be between 0 and 1', { kink })
  }
  const yearlyBps =
    used <= kink
      ? mulDiv(targetRateBps - minRateBps, used, kink, 'up') + minRateBps
      : mulDiv(maxRateBps - targetRateBps, used - kink, RATE_X9 - kink, 'up') + targetRateBps
  return rateX9((yearlyBps * RATE_X9) / BPS / HOURS_A_YEAR)
}

/** The hourly rate of a mode switch: linear if `dbps` is not 0, else the jump rate. */
export const hourlyRate = (facts: CustodyFacts, dbps: Dbps): RateX9 =>
  dbps === 0n ? jumpHourlyRate(facts, utilisation(facts)) : linearHourlyRate(facts, dbps)

/** What borrowing from this custody costs an hour now. */
export const borrowRate = (facts: CustodyFacts): RateX9 => hourlyRate(facts, facts.fundingRateState.hourlyFundingDbps)

export const secondsSince = (last: UnixSeconds, now: UnixSeconds): bigint => {
  if (now < last) throw new JlpError('time-backwards', 'Accrual goes forward only', { now, last })
  return now - last
}

/** The cumulative rate at `now`, at the utilisation of the facts since their last update; up, so it never runs back. */
export const cumulativeRateAt = (facts: CustodyFacts, now: UnixSeconds): RateX9 => {
  const { cumulativeInterestRate, lastUpdate } = facts.fundingRateState
  const passed = secondsSince(lastUpdate, now)
  if (passed === 0n) return cumulativeInterestRate
  return rateX9(cumulativeInterestRate + mulDiv(borrowRate(facts), passed, HOUR_SECONDS, 'up'))
}

/** The facts with the borrow rate accrued to `now`. Do this before anything that changes utilisation. */
export const accrueBorrow = (facts: CustodyFacts, now: UnixSeconds): CustodyFacts => ({
  ...facts,
  fundingRateState: {
    ...facts.fundingRateState,
    cumulativeInterestRate: cumulativeRateAt(facts, now),
    lastUpdate: now,
  },
})

/**
 * What a position owes for borrowing: its size times the growth of the collateral custody's cumulative rate. Charged 'up'; the
 * example behind the recorded liquidation prices takes it 'down'.
 */
export const borrowFee = (
  sizeUsd: UsdX6,
  rates: { readonly snapshot: RateX9; readonly cumulative: RateX9 },
  rounding: Rounding,
): UsdX6 => {
  const growth = rates.cumulative - rates.snapshot
  if (growth < 0n)
    throw new JlpError('time-backwards', 'The cumulative rate is below the position’s snapshot', { growth })
  return usdX6(divide(growth * sizeUsd, RATE_X9, rounding))
}
