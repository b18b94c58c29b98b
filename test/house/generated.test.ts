import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { phiTableSource } from '../generate/phi-table.ts'

test('amm/generated/phi-table.ts is what its generator writes (npm run generate writes it anew)', () => {
  const committed = readFileSync(new URL('../../amm/generated/phi-table.ts', import.meta.url), 'utf8')
  expect(committed.split('\n').length).toBeGreaterThan(128)
  expect(phiTableSource() === committed).toBe(true)
})
