/** T050, T071: what instructions cost, held to what the project promises. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MOST_PER_TICK, page, perTick, rows } from './compute-units.ts'

test('T071 no instruction costs more compute units than its ceiling, and the page says what each costs', () => {
  const all = rows()
  expect(all.filter(({ computeUnits, ceiling }) => computeUnits > ceiling)).toEqual([])
  expect(perTick(all)).toBeLessThanOrEqual(MOST_PER_TICK)
  const committed = readFileSync(new URL('../../docs/compute-units.md', import.meta.url), 'utf8')
  expect(page(all) === committed, 'npm run bench:program writes docs/compute-units.md anew').toBe(true)
})
