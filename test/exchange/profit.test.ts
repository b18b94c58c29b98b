/** Nobody gains at a fixed discount, and a pair around a coupon earns nothing; see test/campaigns/exchange-profit.ts. */
import { expect, test } from 'vitest'
import { profitSearch } from '../campaigns/exchange-profit.ts'
import { Random } from '../generate/random.ts'

test('I12: the best of thousands of sequences of a ring of wallets loses', () => {
  const stats = profitSearch(new Random(20_261_121n), 7200)
  expect(stats.sequences).toBeGreaterThanOrEqual(7200)
  expect(stats.moves).toBeGreaterThan(15_000)
  expect(stats.pairs).toBeGreaterThan(30)
  expect(stats.moved).toBeGreaterThan(10)
  expect([stats.best, stats.bestMoved, stats.bestPair].every(profit => profit <= 0n)).toBe(true)
})
