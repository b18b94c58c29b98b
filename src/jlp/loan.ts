/**
 * A JLP loan as a value (jupiter.md 2.15; get-borrow-position of the published examples): stablecoins borrowed against JLP, interest
 * by a compounding index on the same curve as the borrow fee.
 */
import { divide, mulDiv } from '../../amm/fixed.ts'
import type {
  Address,
  Bps,
  CustodyFacts,
  IndexX18,
  JlpAtoms,
  TokenAtoms,
  TokenAtomsX3,
  UnixSeconds,
  UsdX6,
} from '../jupiter/facts.ts'
import { hourlyRate, secondsSince } from './borrow.ts'
import { atLeastDollar, type Price, usdOf } from './price.ts'
import { BORROW_SIZE_X3, BPS, HOUR_SECONDS, indexX18, RATE_X9, tokenAtoms, tokenAtomsX9, usdX6 } from './scale.ts'

/** A borrow position, restated: the program's `BorrowPosition` without its bookkeeping. */
export interface Loan {
  readonly owner: Address
  readonly custody: Address
  /** Principal and the interest added so far. */
  readonly borrowSize: TokenAtomsX3
  readonly indexSnapshot: IndexX18
  readonly lockedJlp: JlpAtoms
  readonly lastBorrowed: UnixSeconds
}

/** The index at `now`: it compounds at every update, linearly in between, and goes up, so that it never runs back. */
export const loanIndexAt = (facts: CustodyFacts, now: UnixSeconds): IndexX18 => {
  const { cumulativeInterestRate: index, lastUpdate, hourlyFundingDbps } = facts.borrowsFundingRateState
  const passed = secondsSince(lastUpdate, now)
  if (passed === 0n || facts.borrowLendParameters.borrowsLimitInBps === 0n) return index
  const rate = hourlyRate(facts, hourlyFundingDbps)
  return indexX18(index + mulDiv(index, rate * passed, HOUR_SECONDS * RATE_X9, 'up'))
}

/** What accrual to `now` changes: the index, the debt, and the part of it that is interest and not yet distributed; up. */
export const accruedLoans = (
  facts: CustodyFacts,
  now: UnixSeconds,
): Pick<CustodyFacts, 'borrowsFundingRateState' | 'debt' | 'borrowLendInterestsAccrued'> => {
  const { cumulativeInterestRate: old, hourlyFundingDbps } = facts.borrowsFundingRateState
  const cumulativeInterestRate = loanIndexAt(facts, now)
  const interest = mulDiv(facts.debt, cumulativeInterestRate - old, old, 'up')
  return {
    borrowsFundingRateState: { cumulativeInterestRate, lastUpdate: now, hourlyFundingDbps },
    debt: tokenAtomsX9(facts.debt + interest),
    borrowLendInterestsAccrued: tokenAtomsX9(facts.borrowLendInterestsAccrued + interest),
  }
}

/** The facts with interest accrued to `now`. */
export const accrueLoans = (facts: CustodyFacts, now: UnixSeconds): CustodyFacts => ({
  ...facts,
  ...accruedLoans(facts, now),
})

/** The loan with its interest added: `ceil((index - snapshot) * size / snapshot)`. */
export const accrueLoan = (loan: Loan, index: IndexX18): Loan => {
  const interest = mulDiv(loan.borrowSize, index - loan.indexSnapshot, loan.indexSnapshot, 'up')
  return { ...loan, borrowSize: (loan.borrowSize + interest) as TokenAtomsX3, indexSnapshot: index }
}

/** What the borrower owes in whole atoms, up. */
export const loanTokens = (loan: Loan, index: IndexX18): TokenAtoms =>
  tokenAtoms(divide(accrueLoan(loan, index).borrowSize, BORROW_SIZE_X3, 'up'))

/** The debt in USD: the stablecoin at no less than $1, up. */
export const loanUsd = (tokens: TokenAtoms, facts: CustodyFacts, price: Price): UsdX6 =>
  usdOf(tokens, facts.decimals, atLeastDollar(price), 'up')

/** The collateral in USD at the virtual price, down. */
export const collateralUsd = (lockedJlp: JlpAtoms, aumUsd: UsdX6, supply: JlpAtoms): UsdX6 =>
  usdX6(supply === 0n ? 0n : mulDiv(aumUsd, lockedJlp, supply, 'down'))

/** Loan to value in bp, up. A debt without collateral has more than any limit: 2^64. */
export const ltvBps = (debtUsd: UsdX6, valueUsd: UsdX6): Bps => {
  if (debtUsd === 0n) return 0n as Bps
  return (valueUsd === 0n ? 1n << 64n : mulDiv(debtUsd, BPS, valueUsd, 'up')) as Bps
}

/** USD 10^-6 per JLP at which a loan reaches its liquidation threshold, up: below it the loan is liquidatable. */
export const loanLiquidationPrice = (debtUsd: UsdX6, lockedJlp: JlpAtoms, facts: CustodyFacts): UsdX6 =>
  usdX6(divide(debtUsd * BPS * 1_000_000n, facts.borrowLendParameters.liquidationMargin * lockedJlp, 'up'))
