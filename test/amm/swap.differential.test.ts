import { expect, test } from 'vitest'
import { walks } from '../campaigns/walk.ts'
import { Random } from '../generate/random.ts'

test('20,000 trades across ticks, gaps and limits end where the exact walk ends and cost what it costs', () => {
  const { crossing, partial, rejected } = walks(new Random(86n), 20_000)
  expect(crossing).toBeGreaterThan(5000)
  expect(partial).toBeGreaterThan(1000)
  expect(rejected).toBeGreaterThan(500)
})
