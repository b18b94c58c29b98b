import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { vectorFiles } from '../generate/vectors.ts'

describe('golden vectors', () => {
  for (const [path, text] of vectorFiles()) {
    test(`${path} is what the kernel gives (npm run generate writes it anew)`, () => {
      expect(text === readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(true)
    })
  }

  test('the histories do what they are for: every kind of step and every way a trade ends among them', () => {
    const { histories } = JSON.parse(vectorFiles().get('test/vectors/histories.json')!)
    const steps: { do: string; result?: { rejected?: string; ticksCrossed?: number; stoppedBy?: string } }[] =
      histories.flatMap((h: { steps: unknown[] }) => h.steps)
    const applied = steps.filter(s => s.result?.rejected === undefined)
    const count = (kind: string): number => applied.filter(s => s.do === kind).length
    expect(count('trade')).toBeGreaterThan(100)
    expect(count('add')).toBeGreaterThan(40)
    expect(count('remove')).toBeGreaterThan(20)
    expect(count('accrue')).toBeGreaterThan(50)
    expect(applied.filter(s => (s.result?.ticksCrossed ?? 0) > 2).length).toBeGreaterThan(10)
    expect(new Set(applied.map(s => s.result?.stoppedBy))).toContain('limit')
  })
})
