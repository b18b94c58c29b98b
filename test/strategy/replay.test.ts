import { describe, expect, test } from 'vitest'
import { parseMarketName } from '../../amm/index.ts'
import { OracleError } from '../../src/oracle/errors.ts'
import { historyOf, projectHistory } from '../../src/oracle/index.ts'
import { ACTOR_KINDS, type ReplayOptions, type Report, replay } from '../../src/strategy/replay/index.ts'
import { codesOf } from '../helpers/code-of.ts'

const DAY = 86_400
const day = (date: string): number => Date.parse(date) / 1000
const { maturity } = parseMarketName('JLP-2411')

const run = (options: Partial<ReplayOptions> = {}): Report => {
  const steps = replay({
    history: projectHistory(),
    from: day('2024-11-15'),
    to: maturity,
    maturity,
    kind: 'hourly',
    seed: 7n,
    accountsPerKind: 4,
    looksPerHour: 10,
    checked: 'every instruction',
    ...options,
  })
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}
const bytes = (report: Report): string => JSON.stringify(report, (_, v) => (typeof v === 'bigint' ? `${v}` : v))

/** Nobody's JLP appears or is lost: what users, keeper, protocol and the vault have is what they brought. */
const surplus = ({ users, keeper, treasury, days }: Report): bigint =>
  ACTOR_KINDS.reduce((sum, kind) => sum + users[kind].profit, 0n) + keeper + treasury + days.at(-1)!.tvl - 1000n

describe('replay', () => {
  const short = run()

  test('the same seed gives the same bytes, another seed another flow', () => {
    expect(bytes(run())).toBe(bytes(short))
    expect(bytes(run({ seed: 8n }))).not.toBe(bytes(short))
  })

  test('the books are summed after every instruction and hold; all JLP is accounted for', () => {
    expect(short.identity.violations).toBe(0)
    expect(short.identity.checked).toBe(short.volume.instructions)
    expect(short.identity.maxDustAtoms).toBeGreaterThanOrEqual(0)
    expect(surplus(short)).toBe(0n)
  })

  test('coupons are the recorded ones: the final discount is that of the index alone', () => {
    const quiet = run({ looksPerHour: 0 })
    expect(quiet.prices.finalDiscount).toBe(short.prices.finalDiscount)
    expect(quiet.volume.trades).toBe(0)
    // 75 % of the recorded fees over the AUM, compounded: 2024-11-15 to 2024-11-29 08:00.
    const days = projectHistory().days.filter(d => d.day >= day('2024-11-15') / DAY && d.day <= day('2024-11-29') / DAY)
    const grown = days.reduce((product, d, i) => {
      const share = i === days.length - 1 ? 0.25 : 1 // of the last day only the first eight hours, about a quarter
      return product * (1 + (0.75 * share * Number(d.feesUsdX6)) / Number(d.aumUsdX6))
    }, 1)
    expect(2 ** 64 / Number(short.prices.finalDiscount)).toBeCloseTo(grown, 3)
  })

  test('weekly coupons: fewer, larger, the same yield within a week of it', () => {
    const weekly = run({ kind: 'weekly' })
    expect(weekly.market).toBe('JLP-2411-W')
    expect(weekly.volume.byInstruction.accrue).toBeLessThan(5)
    expect(weekly.identity.violations).toBe(0)
    expect(surplus(weekly)).toBe(0n)
  })

  test('a window that ends before maturity leaves positions open, valued at the market', () => {
    const early = run({ to: day('2024-11-22') })
    const last = early.days.at(-1)!
    expect(last.longYt).toBeGreaterThan(0n)
    expect(early.volume.byInstruction.settle).toBeUndefined()
    expect(early.identity.violations).toBe(0)
  })

  test('LP profit is the sum of its sources, and carry and fees are what they say', () => {
    const { fees, carry, price, profit } = short.liquidity
    expect(fees + carry + price).toBe(profit)
    expect(fees).toBeGreaterThan(0n)
  })

  test('default window: 5,000 trades and more, liquidations, a take-over, no violation', { timeout: 120_000 }, () => {
    const report = run({ from: day('2024-09-05'), accountsPerKind: 20, looksPerHour: 20, seed: 1n, checked: 'hourly' })
    expect(report.volume.trades).toBeGreaterThanOrEqual(5000)
    for (const kind of ACTOR_KINDS) expect(report.users[kind].accounts).toBe(20)
    const kinds = new Set(report.liquidations.map(l => l.kind))
    expect(kinds).toEqual(new Set(['liquidated', 'taken-over']))
    expect(report.identity.violations).toBe(0)
    expect(surplus(report)).toBe(0n)
    // The forecast moved the flow: what people traded at went where the recorded yield went.
    const [first, last] = [report.days[7]!, report.days.at(-3)!]
    expect(last.impliedApy).toBeGreaterThan(1.5 * first.impliedApy)
    expect(report.prices.realisedApy).toBeCloseTo(0.374, 3)
  })

  test('error: no-data for a window that the history does not have', () => {
    const history = historyOf(
      'cut',
      projectHistory().days.filter(d => d.date < '2024-11-20'),
    )
    expect(codesOf(OracleError)(() => run({ history }))).toBe('no-data')
  })
})
