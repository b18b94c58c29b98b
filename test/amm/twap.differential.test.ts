import { expect, test } from 'vitest'
import { oracleHistories } from '../campaigns/twap.ts'
import { Random } from '../generate/random.ts'

test('9,000 averages equal those over single seconds: exactly when the window begins with a bucket or the history', () => {
  const { compared, exact } = oracleHistories(new Random(300n), 300)
  expect(compared).toBe(9000)
  expect(exact).toBeGreaterThan(1000)
})
