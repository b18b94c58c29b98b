/** The formulas against what was recorded on chain. */
import { expect, test } from 'vitest'
import {
  accrueBorrow,
  accrueLoans,
  aprBps,
  borrowFee,
  borrowRate,
  custodyAum,
  debtTokens,
  type JlpCustody,
  jumpHourlyRate,
  liquidationPrice,
  liquidityFeeTerms,
  loanIndexAt,
  poolAum,
  utilisation,
  virtualPrice,
  weightFeeBps,
  weightOf,
} from '../../src/jlp/index.ts'
import {
  dollars,
  july2025,
  POSITIONS_2026,
  poolFacts2026,
  q,
  SEPTEMBER_2026,
  SUPPLY_2025,
  sol2026,
  usdc2026,
} from './fixtures.ts'

test('AUM of 2025-07-07 within 1 % of the recorded $1,531,381,751.51 at the closing prices of that hour', () => {
  const aum = poolAum(july2025(), 'down')
  expect(Math.abs(Number(aum) / 1_531_381_751_507_034 - 1)).toBeLessThan(0.01)
  expect(aum).toBe(1_533_951_840_538_568n) // 0.17 % above: the formula's own figure, so that a change of it shows
})

test('virtual price of 2025-07-07: $4.5159', () => {
  expect(virtualPrice(q(1_531_381_751_507_034n), q(SUPPLY_2025), 'down')).toBe(4_515_887n)
})

test('weights of 2026-09-24 in the recorded AUM: SOL 48.43 %, USDC 29.10 %', () => {
  const { aumUsd } = poolFacts2026()
  const percent = (custody: JlpCustody) => Number(weightOf(custodyAum(custody, 'down'), aumUsd, 'down')) / 1e6
  expect(percent(sol2026())).toBeCloseTo(48.43, 1)
  expect(percent(usdc2026())).toBeCloseTo(29.1, 2)
})

test('jump rates of 2026-09-24: SOL 15410 and USDC 6529 of 10^-9 an hour, at the recorded utilisations', () => {
  const [sol, usdc] = [sol2026().facts, usdc2026().facts]
  expect(utilisation(sol)).toBe(111_826_820n)
  expect(borrowRate(sol)).toBe(15_410n)
  expect(debtTokens(usdc)).toBe(142_370_493_010_978n)
  expect(utilisation(usdc)).toBe(604_818_849n)
  expect(jumpHourlyRate(usdc, q(604_818_849n))).toBe(6529n)
})

test('cumulative rates over 737 s: within the rounding of the program’s own updates', () => {
  const now = q<'UnixSeconds'>(SEPTEMBER_2026 + 737n)
  const grown = ({ facts }: JlpCustody): bigint =>
    accrueBorrow(facts, now).fundingRateState.cumulativeInterestRate - facts.fundingRateState.cumulativeInterestRate
  expect(grown(sol2026())).toBe(3155n)
  expect(grown(usdc2026())).toBe(1337n)
  // Recorded: +3191 and +1369. The program updates many times on the way, each going up to a whole unit, and utilisation moved:
  // 36 and 32 updates of one unit each are that difference.
  for (const [recorded, one] of [
    [3191n, grown(sol2026())],
    [1369n, grown(usdc2026())],
  ] as const) {
    expect(recorded - one).toBeGreaterThan(0n)
    expect(recorded - one).toBeLessThan(40n)
  }
})

test('loan index and debt growth over 737 s: between the two steps of the curve that utilisation crossed', () => {
  const { facts } = usdc2026()
  const now = q<'UnixSeconds'>(SEPTEMBER_2026 + 737n)
  const recordedIndex = 1_074_138_164_529_259_207n
  const start = facts.borrowsFundingRateState.cumulativeInterestRate
  const atRate = (hourly: bigint): bigint => start + (start * hourly * 737n) / (3600n * 1_000_000_000n)
  expect(borrowRate(facts)).toBe(6529n)
  expect(atRate(6518n)).toBeLessThan(recordedIndex)
  expect(recordedIndex).toBeLessThan(loanIndexAt(facts, now))
  expect(loanIndexAt(facts, now) - atRate(6529n)).toBe(1n) // up
  // Debt: with the recorded index, the recorded interest of $190.14 to 3e-11 of it.
  const interest = (facts.debt * (recordedIndex - start)) / start
  const recorded = 190_136_142_467_687_303n
  expect(Math.abs(Number(interest - recorded)) / Number(recorded)).toBeLessThan(3e-11)
  const accrued = accrueLoans(facts, now)
  expect(Number(accrued.debt - facts.debt) / 1e15).toBeCloseTo(190.297, 3)
  expect(accrued.borrowLendInterestsAccrued - facts.borrowLendInterestsAccrued).toBe(accrued.debt - facts.debt)
})

test.each(POSITIONS_2026)(
  'borrow fee and liquidation price of $address',
  ({ position, borrowFee: fee, liquidation }) => {
    const [sol, usdc] = [sol2026().facts, usdc2026().facts]
    const collateral = position.side === 'long' ? sol : usdc
    const rates = {
      snapshot: position.cumulativeInterestSnapshot,
      cumulative: collateral.fundingRateState.cumulativeInterestRate,
    }
    expect(borrowFee(position.sizeUsd, rates, 'down')).toBe(fee)
    expect(borrowFee(position.sizeUsd, rates, 'up')).toBe(fee + 1n)
    expect(liquidationPrice(position, { traded: sol, collateral })).toBe(liquidation)
  },
)

test('getFeeBps of slot 450101361: mint and burn of USDC and SOL for $1,000, $100,000 and $1,000,000', () => {
  const facts = poolFacts2026()
  const table = (custody: JlpCustody, direction: 'in' | 'out') =>
    [1_000, 100_000, 1_000_000].map(value =>
      Number(
        weightFeeBps(custody, {
          aumUsd: facts.aumUsd,
          usd: dollars(value),
          direction,
          terms: liquidityFeeTerms(facts),
        }),
      ),
    )
  expect(table(usdc2026(), 'in')).toEqual([18, 18, 37])
  expect(table(usdc2026(), 'out')).toEqual([23, 24, 40])
  expect(table(sol2026(), 'in')).toEqual([22, 23, 34])
  expect(table(sol2026(), 'out')).toEqual([18, 18, 31])
})

test('the APR of 969 bp printed on 2026-09-26 is that of $1.722M to $1.756M of fees on the recorded AUM', () => {
  const seconds = 1_790_385_301n - 1_789_779_600n
  expect(seconds).toBe(605_701n)
  const print = (realized: number, aum: number) =>
    aprBps({ realizedUsd: dollars(realized), aumUsd: dollars(aum), seconds })
  expect(print(1_721_541, 925_000_000)).toBe(969n)
  expect(print(1_755_785, 943_400_000)).toBe(969n)
  // $1.3973M had come in by 2026-09-24 17:50, 5.70 days into the week: at that pace the week ends at $1.718M, 967 bp.
  const pace = (1_397_286.742229 * 605_701) / Number(SEPTEMBER_2026 + 11n - 1_789_779_600n)
  expect(Number(print(pace, 925_000_000))).toBeGreaterThan(960)
})
