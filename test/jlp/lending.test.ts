/** JLP loans: terms of 2026-09-24 on the pool of 2025-07-07, which has all its custodies. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accrueLoan,
  accrueLoans,
  borrow,
  borrowRate,
  collateralUsd,
  custodyOf,
  debtTokens,
  distribute,
  type JlpPool,
  type Loan,
  type LoanChanged,
  liquidateLoan,
  loanIndexAt,
  loanLiquidationPrice,
  loanTokens,
  loanUsd,
  ltvBps,
  poolAum,
  type Rejected,
  repay,
  virtualPrice,
  withdrawCollateral,
} from '../../src/jlp/index.ts'
import { dollars, JULY_2025, july2025, LOAN_TERMS, q, SUPPLY_2025, USDC } from './fixtures.ts'

const START = 1_751_893_561n // USDC's last update
const at = (seconds: bigint) => q<'UnixSeconds'>(START + seconds)
const INDEX = 1_074_136_730_017_807_192n
const terms = {
  ...LOAN_TERMS,
  borrowsFundingRateState: {
    cumulativeInterestRate: q<'IndexX18'>(INDEX),
    lastUpdate: at(0n),
    hourlyFundingDbps: q<'Dbps'>(0n),
  },
  debt: q<'TokenAtomsX9'>(0n),
  borrowLendInterestsAccrued: q<'TokenAtomsX9'>(0n),
}
const pool = (more: object = {}): JlpPool => july2025({ custodies: { [USDC]: { more: { ...terms, ...more } } } })
/** 10,000 JLP at $4.523465: $45,234.66. */
const loan = (changes: Partial<Loan> = {}): Loan => ({
  owner: 'borrower',
  custody: USDC,
  borrowSize: q(0n),
  indexSnapshot: q(INDEX),
  lockedJlp: q(10_000_000_000n),
  lastBorrowed: q(0n),
  ...changes,
})
const ok = (result: LoanChanged | Rejected): LoanChanged => {
  if (result.kind === 'rejected') throw new Error(`refused: ${result.code}`)
  return result
}
const usdc = (of: JlpPool) => custodyOf(of, USDC).facts
const MAX = 40_711_193_556n // 90 % of the collateral's value, to the atom

describe('borrowing', () => {
  test('moves tokens from owned to debt: the AUM stays, utilisation and the rate rise', () => {
    const before = pool()
    const { loan: taken, tokens, next } = ok(borrow(before, loan(), q(40_000_000_000n), at(0n)))
    expect(tokens).toBe(40_000_000_000n)
    expect(taken).toMatchObject({ borrowSize: 40_000_000_000_000n, indexSnapshot: INDEX, lastBorrowed: START })
    expect(usdc(next).assets.owned).toBe(usdc(before).assets.owned - 40_000_000_000n)
    expect(debtTokens(usdc(next))).toBe(40_000_000_000n)
    expect(poolAum(next, 'down')).toBe(poolAum(before, 'down'))
    const busy = ok(borrow(before, loan({ lockedJlp: q(SUPPLY_2025) }), q(300_000_000_000_000n), at(0n))).next
    expect(borrowRate(usdc(busy))).toBeGreaterThan(0n)
    expect(
      borrowRate({
        ...usdc(busy),
        jumpRateState: { ...usdc(busy).jumpRateState, targetRateBps: q(850n), minRateBps: q(0n) },
      }),
    ).toBeGreaterThan(
      borrowRate({
        ...usdc(before),
        jumpRateState: { ...usdc(before).jumpRateState, targetRateBps: q(850n), minRateBps: q(0n) },
      }),
    )
  })

  test('up to 90 % of the collateral’s value at the virtual price, to the atom', () => {
    const value = collateralUsd(q(10_000_000_000n), poolAum(pool(), 'down'), q(SUPPLY_2025))
    expect(value).toBe(45_234_659_507n)
    expect(borrow(pool(), loan(), q(MAX), at(0n)).kind).toBe('borrowed')
    expect(borrow(pool(), loan(), q(MAX + 1n), at(0n))).toMatchObject({
      code: 'ltv-too-high',
      numbers: { ltv: 9001n, limit: 9000n },
    })
    // The documents' example: $10,000 of JLP borrow $9,000 and are liquidated above $9,500.
    expect([9_000, 9_500, 9_501].map(debt => ltvBps(dollars(debt), dollars(10_000)))).toEqual([9000n, 9500n, 9501n])
    expect([ltvBps(q(0n), q(0n)), ltvBps(q(1n), q(0n))]).toEqual([0n, 1n << 64n])
  })

  test.each<[string, JlpPool, Loan, bigint, Rejected['code']]>([
    ['nothing', pool(), loan(), 0n, 'zero-amount'],
    ['from a custody that does not lend', july2025(), loan(), 1n, 'loans-closed'],
    ['more than is free', pool(), loan(), 478_146_801_843_402n, 'insufficient-liquidity'],
    ['more than 80 % of the custody', pool(), loan({ lockedJlp: q(SUPPLY_2025) }), 382_517_441_474_722n, 'loan-limit'],
    ['more than the limit in tokens', pool({ borrowLimitInTokenAmount: q(99n) }), loan(), 100n, 'loan-limit'],
    ['without collateral', pool(), loan({ lockedJlp: q(0n) }), 1n, 'ltv-too-high'],
  ])('error: %s', (_, from, with_, amount, code) => {
    expect(borrow(from, with_, q(amount), at(0n))).toMatchObject({ kind: 'rejected', code })
  })

  test('all that is free is lent where the limits allow it, one atom more is not', () => {
    const unlimited = { ...terms.borrowLendParameters!, borrowsLimitInBps: q<'Bps'>(10_000n) }
    const open = pool({ borrowLendParameters: unlimited, borrowLimitInTokenAmount: q(1n << 60n) })
    const free = 478_146_801_843_402n - 33_656_762_181_199n
    expect(borrow(open, loan({ lockedJlp: q(SUPPLY_2025) }), q(free), at(0n)).kind).toBe('borrowed')
    const more = borrow(open, loan({ lockedJlp: q(SUPPLY_2025) }), q(free + 1n), at(0n))
    expect(more).toMatchObject({ code: 'insufficient-liquidity', numbers: { wanted: free + 1n, free } })
  })

  test('80 % of the custody exactly is lent', () => {
    expect(borrow(pool(), loan({ lockedJlp: q(SUPPLY_2025) }), q(382_517_441_474_721n), at(0n)).kind).toBe('borrowed')
  })
})

describe('interest', () => {
  test('indices never run backwards and compound; what the pool is owed never exceeds what the loans owe', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 30 }),
        fc.bigInt({ min: 1n, max: MAX }),
        (steps, amount) => {
          let { next, loan: taken } = ok(borrow(pool(), loan(), q(amount), at(0n)))
          let facts = usdc(next)
          let now = 0n
          for (const step of steps) {
            const before = facts
            now += BigInt(step)
            facts = accrueLoans(facts, at(now))
            taken = accrueLoan(taken, facts.borrowsFundingRateState.cumulativeInterestRate)
            expect(facts.borrowsFundingRateState.cumulativeInterestRate).toBeGreaterThanOrEqual(
              before.borrowsFundingRateState.cumulativeInterestRate,
            )
            expect(facts.debt - before.debt).toBe(facts.borrowLendInterestsAccrued - before.borrowLendInterestsAccrued)
          }
          const owed = loanTokens(taken, taken.indexSnapshot)
          expect(owed).toBeGreaterThanOrEqual(amount)
          // The debt is the sum over the loans, here one, with a ceiling of 10^-9 atoms a step; the loan's is of 10^-3.
          expect(owed * 1_000_000_000n + BigInt(steps.length)).toBeGreaterThanOrEqual(facts.debt)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('accruing in many steps is at least as much as in one, and never much more', () => {
    const { next } = ok(borrow(pool(), loan(), q(40_000_000_000n), at(0n)))
    let facts = usdc(next)
    for (let hour = 1n; hour <= 24n; hour++) facts = accrueLoans(facts, at(hour * 3_600n))
    const once = loanIndexAt(usdc(next), at(86_400n))
    const many = facts.borrowsFundingRateState.cumulativeInterestRate
    expect(many).toBeGreaterThan(once)
    expect(Number(many - once) / Number(once - INDEX)).toBeLessThan(0.001)
  })

  test('a single second accrues', () => {
    const { next } = ok(borrow(pool(), loan(), q(40_000_000_000n), at(0n)))
    expect(loanIndexAt(usdc(next), at(1n))).toBeGreaterThan(INDEX)
    expect(loanIndexAt(usdc(next), at(0n))).toBe(INDEX)
  })

  test('error: accrual to before the last update', () => {
    expect(() => accrueLoans(usdc(pool()), at(-1n))).toThrow(expect.objectContaining({ code: 'time-backwards' }))
  })

  test('reaches the AUM when it is distributed: 75 % to the pool, 25 % to the protocol out of owned tokens', () => {
    const { next } = ok(borrow(pool(), loan({ lockedJlp: q(SUPPLY_2025) }), q(300_000_000_000_000n), at(0n)))
    const accrued: JlpPool = {
      ...next,
      custodies: next.custodies.map(custody =>
        custody.address === USDC ? { ...custody, facts: accrueLoans(custody.facts, at(3_600n)) } : custody,
      ),
    }
    expect(poolAum(accrued, 'down')).toBe(poolAum(next, 'down'))
    const fees = usdc(accrued).assets.feesReserves
    const { shares, next: after } = distribute(accrued, at(3_600n))
    const share = shares.find(({ custody }) => custody === USDC)!
    expect(share.interest).toBe(usdc(accrued).borrowLendInterestsAccrued / 1_000_000_000n)
    expect(Number(share.interest) / 1e6).toBeCloseTo((300_000_000 * 0.1) / 8_760, 0)
    expect(share.pool + share.protocol).toBe(fees + share.interest)
    expect(usdc(after).borrowLendInterestsAccrued).toBeLessThan(1_000_000_000n)
    expect(debtTokens(usdc(after)) - debtTokens(usdc(accrued))).toBe(share.interest)
    const grown =
      usdc(after).assets.owned + debtTokens(usdc(after)) - usdc(accrued).assets.owned - debtTokens(usdc(accrued))
    expect(grown).toBe(share.pool)
  })

  test('interest whose protocol part the custody cannot pay in tokens waits', () => {
    const poor = pool({ borrowLendInterestsAccrued: q(4n * 10n ** 24n), debt: q(5n * 10n ** 24n) })
    const { shares, next } = distribute(poor, at(3_600n))
    expect(shares[3]).toMatchObject({ interest: 0n })
    expect(usdc(next).borrowLendInterestsAccrued).toBe(4n * 10n ** 24n)
    // Locked tokens are not for paying it with: $1M is owned, a quarter of $8 is due, and only $1 of it is free.
    const values = { owned: 10n ** 12n, locked: 10n ** 12n - 10n ** 6n }
    const due = {
      ...terms,
      borrowLendInterestsAccrued: q<'TokenAtomsX9'>(8n * 10n ** 15n),
      debt: q<'TokenAtomsX9'>(10n ** 21n),
    }
    const locked = july2025({ custodies: { [USDC]: { ...values, more: due } } })
    expect(distribute(locked, at(3_600n)).shares[3]).toMatchObject({ interest: 0n })
    const freed = july2025({ custodies: { [USDC]: { ...values, locked: values.locked - 10n ** 6n, more: due } } })
    expect(distribute(freed, at(3_600n)).shares[3]).toMatchObject({ interest: 8_000_000n })
  })
})

describe('repaying', () => {
  const taken = () => ok(borrow(pool(), loan(), q(40_000_000_000n), at(0n)))

  test('all of it after a day: the debt is gone, the interest is there, nothing is owed to the pool any more', () => {
    const { loan: open, next } = taken()
    const day = at(86_400n)
    const owed = loanTokens(open, loanIndexAt(usdc(next), day))
    expect(Number(owed) / 1e6 - 40_000).toBeCloseTo((40_000 * 0.1) / 365, 2)
    const { loan: closed, tokens, next: after } = ok(repay(next, open, q(10n ** 12n), day))
    expect(tokens).toBe(owed)
    expect([closed.borrowSize, usdc(after).debt]).toEqual([0n, 0n])
    expect(usdc(after).assets.owned - usdc(pool()).assets.owned).toBe(owed - 40_000_000_000n)
    expect(repay(after, closed, q(1n), day)).toMatchObject({ code: 'too-small' })
    expect(ok(withdrawCollateral(after, closed, q(10_000_000_000n), day))).toMatchObject({
      jlp: 10_000_000_000n,
      loan: { lockedJlp: 0n },
    })
  })

  test('a part of it, and the AUM stays', () => {
    const { loan: open, next } = taken()
    const { loan: left, tokens, next: after } = ok(repay(next, open, q(15_000_000_000n), at(100n)))
    expect([tokens, left.borrowSize > 25_000_000_000_000n]).toEqual([15_000_000_000n, true])
    expect(poolAum(after, 'down')).toBe(poolAum(next, 'down'))
    expect(repay(next, open, q(0n), at(100n))).toMatchObject({ code: 'zero-amount' })
  })

  test('within ten seconds it costs 2 bp, which go to the fee reserve; from the tenth on only the interest', () => {
    const { loan: open, next } = taken()
    const paid = (seconds: bigint) => ok(repay(next, open, q(10n ** 12n), at(seconds)))
    expect(paid(0n).tokens).toBe(40_008_000_000n)
    expect(usdc(paid(0n).next).assets.feesReserves - usdc(next).assets.feesReserves).toBe(8_000_000n)
    expect(paid(9n).tokens).toBe(40_008_000_001n) // 2 bp of the interest, too
    expect(paid(10n).tokens).toBeLessThan(40_000_200_000n)
  })

  test('no borrowing and repaying takes value out: the virtual price never falls, the borrower never gains', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            borrowed: fc.bigInt({ min: 1n, max: 10n ** 10n }),
            repaid: fc.bigInt({ min: 1n, max: 10n ** 10n }),
            wait: fc.nat({ max: 10_000 }),
          }),
          { maxLength: 20 },
        ),
        steps => {
          let state: { pool: JlpPool; loan: Loan } = { pool: pool(), loan: loan() }
          let wallet = 0n
          let now = 0n
          for (const { borrowed, repaid, wait } of steps) {
            const price = virtualPrice(poolAum(state.pool, 'down'), state.pool.supply, 'down')
            const more = borrow(state.pool, state.loan, q(borrowed), at(now))
            if (more.kind !== 'rejected') {
              wallet += more.tokens
              state = { pool: more.next, loan: more.loan }
            }
            now += BigInt(wait)
            const less = repay(state.pool, state.loan, q(repaid), at(now))
            if (less.kind !== 'rejected') {
              wallet -= less.tokens
              state = { pool: less.next, loan: less.loan }
            }
            expect(virtualPrice(poolAum(state.pool, 'down'), state.pool.supply, 'down')).toBeGreaterThanOrEqual(price)
            expect(loanTokens(state.loan, state.loan.indexSnapshot)).toBeGreaterThanOrEqual(wallet)
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('collateral and liquidation', () => {
  const taken = () => ok(borrow(pool(), loan(), q(MAX), at(0n)))
  /** The pool with its JLP worth so many percent less: every token owned loses value with SOL at half price. */
  const fallen = (of: JlpPool, sol: string): JlpPool => ({
    ...of,
    custodies: of.custodies.map((custody, i) =>
      i === 0 ? { ...custody, price: { price: BigInt(sol), expo: -2 } } : custody,
    ),
  })

  test('collateral stays while it is needed', () => {
    const { loan: open, next } = taken()
    expect(withdrawCollateral(next, open, q(0n), at(0n))).toMatchObject({ code: 'zero-amount' })
    expect(withdrawCollateral(next, open, q(10_000_000_001n), at(0n))).toMatchObject({
      code: 'insufficient-collateral',
    })
    expect(withdrawCollateral(next, open, q(10_000n), at(0n))).toMatchObject({ code: 'ltv-too-high' })
    const half = ok(borrow(pool(), loan(), q(20_000_000_000n), at(0n)))
    expect(ok(withdrawCollateral(half.next, half.loan, q(5_000_000_000n), at(0n))).loan.lockedJlp).toBe(5_000_000_000n)
  })

  test('at 95 % it is healthy, above it is liquidated: JLP worth the debt and 2 % of what is seized is burned', () => {
    const { loan: open, next } = taken()
    expect(liquidateLoan(next, open, at(0n))).toMatchObject({ code: 'healthy', numbers: { ltv: 9000n } })
    const debtUsd = loanUsd(q(MAX), usdc(next), custodyOf(next, USDC).price)
    const price = loanLiquidationPrice(debtUsd, open.lockedJlp, usdc(next))
    expect(Number(price) / 1e6).toBeCloseTo((4.523465 * 90) / 95, 5)
    expect(price).toBe((MAX * 10_000n * 1_000_000n + 9_500n * 10_000_000_000n - 1n) / (9_500n * 10_000_000_000n))
    // Cent by cent down: the last healthy loan is at the threshold itself, the first liquidated one beyond it.
    let cents = 15_307n
    let last = liquidateLoan(next, open, at(0n))
    while (last.kind === 'rejected') {
      expect(last.code).toBe('healthy')
      const { ltv } = last.numbers
      if (ltv === 9_500n) break
      cents -= 1n
      last = liquidateLoan(fallen(next, `${cents}`), open, at(0n))
    }
    expect(last).toMatchObject({ kind: 'rejected', numbers: { ltv: 9_500n } })
    const low = fallen(next, '12800')
    const worth = virtualPrice(poolAum(low, 'down'), low.supply, 'down')
    expect(worth).toBeLessThan(price)
    const done = ok(liquidateLoan(low, open, at(0n)))
    const burned = open.lockedJlp - done.jlp
    expect(low.supply - done.next.supply).toBe(burned)
    // Both up: what is seized, and the JLP that is worth it.
    const [value, wanted] = [
      collateralUsd(open.lockedJlp, poolAum(low, 'down'), low.supply),
      (MAX * 10_000n + 9_799n) / 9_800n,
    ]
    expect(burned).toBe((open.lockedJlp * wanted + value - 1n) / value)
    const seized = (Number(burned) * Number(worth)) / 1e12
    expect(seized * 0.98).toBeCloseTo(Number(MAX) / 1e6, 1)
    expect(usdc(done.next).debt).toBe(0n)
    expect(done.loan).toMatchObject({ borrowSize: 0n, lockedJlp: 0n })
    // The fee is everybody else's: the price of JLP rises by it.
    expect(poolAum(low, 'down') - poolAum(done.next, 'down')).toBe(MAX)
    expect(poolAum(done.next, 'down') * low.supply).toBeGreaterThan(poolAum(low, 'down') * done.next.supply)
  })

  test('a debt above its collateral burns all of it and leaves the difference as the pool’s loss', () => {
    const { loan: open, next } = taken()
    const crashed = fallen(next, '10000')
    const done = ok(liquidateLoan(crashed, open, at(0n)))
    expect(done.jlp).toBe(0n)
    expect(crashed.supply - done.next.supply).toBe(10_000_000_000n)
    expect(poolAum(done.next, 'down') * crashed.supply).toBeLessThan(poolAum(crashed, 'down') * done.next.supply)
    expect(JULY_2025).toBeGreaterThan(START)
  })
})
