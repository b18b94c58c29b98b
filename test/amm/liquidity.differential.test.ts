import { expect, test } from 'vitest'
import { histories } from '../campaigns/ledger.ts'
import { Random } from '../generate/random.ts'

test('2,000 histories: both identities after every step, and every LP’s claim within an atom a touch of the slow model', () => {
  const seen = histories(new Random(2026n), 2000, 40)
  expect(seen.steps).toBe(80_000)
  expect(seen.crossings).toBeGreaterThan(5000)
  expect(seen.reinitialised).toBeGreaterThan(100)
})
