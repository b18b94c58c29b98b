import { expect, test } from 'vitest'
import { singleStretch } from '../campaigns/single-stretch.ts'
import { Random } from '../generate/random.ts'

test('200,000 amounts in one stretch are within an atom of the 60-digit model, and inverse trades find the best n', () => {
  const { compared, inverses } = singleStretch(new Random(20_240_905n), 200_000)
  expect(compared).toBeGreaterThanOrEqual(200_000)
  expect(inverses).toBeGreaterThan(100_000)
})
