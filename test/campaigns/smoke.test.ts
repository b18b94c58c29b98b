import { expect, test } from 'vitest'
import { Random } from '../generate/random.ts'
import { CAMPAIGNS } from './index.ts'

for (const [name, { run, smoke, unit, counted }] of Object.entries(CAMPAIGNS)) {
  test(`${name}: ${smoke} ${unit}`, () => {
    const counts = run(new Random(7n), smoke)
    expect(counts[counted]).toBeGreaterThanOrEqual(smoke)
  })
}
