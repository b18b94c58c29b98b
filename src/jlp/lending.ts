/**
 * What a loan does to the pool: tokens leave `owned` and enter `debt`, so the AUM stays; interest raises the AUM when it is
 * distributed (distribution.ts). Collateral stays in the JLP supply until a liquidation burns it.
 *
 * Chosen where the sources are silent: repaying within `minInterestFeeGracePeriodSeconds` of borrowing costs at least
 * `minInterestFeeBps` of what is repaid (else a loan within one block would be free), and a liquidation burns the seized JLP.
 */
import { divide, mulDiv } from '../../amm/fixed.ts'
import type { JlpAtoms, TokenAtoms, TokenAtomsX3, UnixSeconds } from '../jupiter/facts.ts'
import { debtTokens, poolAum, theoreticallyOwned } from './aum.ts'
import { type Rejected, reject } from './errors.ts'
import { accrueLoan, accrueLoans, collateralUsd, type Loan, loanTokens, loanUsd, ltvBps } from './loan.ts'
import { custodyOf, freeTokens, type JlpCustody, type JlpPool, withBalances, withCustody, withFacts } from './pool.ts'
import { BORROW_SIZE_X3, BPS, DEBT_X9, jlpAtoms, larger, smaller, tokenAtoms, tokenAtomsX9 } from './scale.ts'

export interface LoanChanged {
  readonly kind: 'borrowed' | 'repaid' | 'withdrawn' | 'liquidated'
  readonly loan: Loan
  /** Tokens to the borrower, or from whoever repays; 0 where only JLP moves. */
  readonly tokens: TokenAtoms
  /** JLP given back to the borrower. */
  readonly jlp: JlpAtoms
  readonly next: JlpPool
}

const touch = (pool: JlpPool, loan: Loan, now: UnixSeconds): { custody: JlpCustody; loan: Loan } => {
  const custody = custodyOf(pool, loan.custody)
  const facts = accrueLoans(custody.facts, now)
  const index = facts.borrowsFundingRateState.cumulativeInterestRate
  return { custody: { ...custody, facts }, loan: accrueLoan(loan, index) }
}

const ltvOf = (pool: JlpPool, { facts, price }: JlpCustody, loan: Loan) => {
  const debtUsd = loanUsd(loanTokens(loan, loan.indexSnapshot), facts, price)
  const valueUsd = collateralUsd(loan.lockedJlp, poolAum(pool, 'down'), pool.supply)
  return { debtUsd, valueUsd, ltv: ltvBps(debtUsd, valueUsd) }
}

const refuseAboveMargin = (pool: JlpPool, custody: JlpCustody, loan: Loan): Rejected | undefined => {
  const { ltv, debtUsd, valueUsd } = ltvOf(pool, custody, loan)
  const limit = custody.facts.borrowLendParameters.maintenanceMarginBps
  return ltv > limit ? reject('ltv-too-high', { ltv, limit, debtUsd, valueUsd }) : undefined
}

/** Borrows `amount` tokens against the loan's JLP (already locked in it), up to the maximum LTV. */
export const borrow = (pool: JlpPool, before: Loan, amount: TokenAtoms, now: UnixSeconds): LoanChanged | Rejected => {
  const touched = touch(pool, before, now)
  const { custody } = touched
  const { borrowLendParameters, borrowLimitInTokenAmount } = custody.facts
  const wanted = tokenAtoms(amount)
  if (wanted === 0n) return reject('zero-amount')
  if (borrowLendParameters.borrowsLimitInBps === 0n) return reject('loans-closed')
  const free = freeTokens(custody)
  if (wanted > free) return reject('insufficient-liquidity', { wanted, free })
  const lent = debtTokens(custody.facts) + wanted
  const limit = smaller(
    borrowLimitInTokenAmount,
    mulDiv(theoreticallyOwned(custody.facts), borrowLendParameters.borrowsLimitInBps, BPS, 'down'),
  )
  if (lent > limit) return reject('loan-limit', { lent, limit })

  const borrowSize = (touched.loan.borrowSize + wanted * BORROW_SIZE_X3) as TokenAtomsX3
  const loan: Loan = { ...touched.loan, borrowSize, lastBorrowed: now }
  const debt = tokenAtomsX9(custody.facts.debt + wanted * DEBT_X9)
  const after = withFacts(withBalances(custody, { owned: -wanted }), { debt })
  const next = withCustody(pool, after)
  const refused = refuseAboveMargin(next, after, loan)
  return refused ?? { kind: 'borrowed', loan, tokens: wanted, jlp: jlpAtoms(0n), next }
}

/** Takes repaid tokens into `owned` and off the debt; what a rounded-up loan repays beyond the pool's debt is the pool's. */
const takeBack = (custody: JlpCustody, tokens: bigint): JlpCustody =>
  withFacts(withBalances(custody, { owned: tokens }), {
    debt: tokenAtomsX9(larger(custody.facts.debt - tokens * DEBT_X9, 0n)),
  })

/** Repays up to `amount`; whatever is more than is owed stays with the borrower. `tokens` is what is paid, fee included. */
export const repay = (pool: JlpPool, before: Loan, amount: TokenAtoms, now: UnixSeconds): LoanChanged | Rejected => {
  const { custody, loan } = touch(pool, before, now)
  const { minInterestFeeBps, minInterestFeeGracePeriodSeconds } = custody.facts
  if (amount === 0n) return reject('zero-amount')
  const owed = loanTokens(loan, loan.indexSnapshot)
  if (owed === 0n) return reject('too-small', { owed })
  const paid = smaller(amount, owed)
  const interest = divide(loan.borrowSize - before.borrowSize, BORROW_SIZE_X3, 'up')
  const least = mulDiv(paid, minInterestFeeBps, BPS, 'up')
  const early = now - loan.lastBorrowed < minInterestFeeGracePeriodSeconds
  const fee = early ? larger(least - interest, 0n) : 0n
  const borrowSize = larger(loan.borrowSize - paid * BORROW_SIZE_X3, 0n) as TokenAtomsX3
  const after = withBalances(takeBack(custody, paid), { feesReserves: fee })
  return {
    kind: 'repaid',
    loan: { ...loan, borrowSize },
    tokens: tokenAtoms(paid + fee),
    jlp: jlpAtoms(0n),
    next: withCustody(pool, after),
  }
}

/** Gives JLP back to the borrower while the rest still covers the debt at the maximum LTV. */
export const withdrawCollateral = (
  pool: JlpPool,
  before: Loan,
  jlp: JlpAtoms,
  now: UnixSeconds,
): LoanChanged | Rejected => {
  const touched = touch(pool, before, now)
  if (jlp === 0n) return reject('zero-amount')
  if (jlp > before.lockedJlp) return reject('insufficient-collateral', { jlp, locked: before.lockedJlp })
  const loan: Loan = { ...touched.loan, lockedJlp: jlpAtoms(before.lockedJlp - jlp) }
  const next = withCustody(pool, touched.custody)
  const refused = refuseAboveMargin(next, touched.custody, loan)
  return refused ?? { kind: 'withdrawn', loan, tokens: tokenAtoms(0n), jlp, next }
}

/**
 * Liquidates a loan past its threshold: JLP worth the debt plus the fee (a share of what is seized) is burned, the debt with it, and
 * the rest goes back to the borrower. If the collateral is worth less, all of it is burned and the difference is the pool's loss.
 */
export const liquidateLoan = (pool: JlpPool, before: Loan, now: UnixSeconds): LoanChanged | Rejected => {
  const { custody, loan } = touch(pool, before, now)
  const accrued = withCustody(pool, custody)
  const { ltv, debtUsd, valueUsd } = ltvOf(accrued, custody, loan)
  const { liquidationMargin, liquidationFeeBps } = custody.facts.borrowLendParameters
  if (ltv <= liquidationMargin) return reject('healthy', { ltv, liquidationMargin })
  const seizedUsd = divide(debtUsd * BPS, BPS - liquidationFeeBps, 'up')
  const burned = seizedUsd >= valueUsd ? loan.lockedJlp : mulDiv(loan.lockedJlp, seizedUsd, valueUsd, 'up')
  const debt = larger(custody.facts.debt - loanTokens(loan, loan.indexSnapshot) * DEBT_X9, 0n)
  const after = withFacts(custody, { debt: tokenAtomsX9(debt) })
  const jlp = jlpAtoms(loan.lockedJlp - burned)
  const next = { ...withCustody(pool, after), supply: jlpAtoms(pool.supply - burned) }
  const closed: Loan = { ...loan, borrowSize: 0n as TokenAtomsX3, lockedJlp: jlpAtoms(0n) }
  return { kind: 'liquidated', loan: closed, tokens: tokenAtoms(0n), jlp, next }
}
