import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { INTERFACE_FILES } from '../generate/interface-write.ts'
import { LAYOUT_FILES } from '../generate/layouts-write.ts'
import { phiTableRust, phiTableSource } from '../generate/phi-table.ts'

const FILES = [
  ['amm/generated/phi-table.ts', phiTableSource],
  ['programs/sunder/src/math/phi_table.rs', phiTableRust],
  ...LAYOUT_FILES,
  ...INTERFACE_FILES,
] as const

for (const [path, source] of FILES) {
  test(`${path} is what its generator writes (npm run generate writes it anew)`, () => {
    const committed = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
    expect(committed.split('\n').length).toBeGreaterThan(128)
    expect(source() === committed).toBe(true)
  })
}
