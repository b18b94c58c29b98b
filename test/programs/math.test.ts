/** The program's arithmetic against the kernel and the engine: golden vectors from their files, and random operations. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../generate/random.ts'
import {
  edgeCases,
  functionCases,
  indexCases,
  marginCases,
  marketCases,
  oracleCases,
  waitingCases,
} from './math-cases.ts'
import { goldenCases } from './math-golden.ts'
import type { Case } from './math-lines.ts'
import { compare as compareAll, hasRust, RustHost, skipped } from './rust-host.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const sources = join(root, 'programs/sunder/tests')
describe.skipIf(!hasRust)(`the arithmetic of the program gives the kernel's bits${skipped}`, () => {
  let rust: RustHost
  let runner = ''

  beforeAll(() => {
    rust = new RustHost()
    runner = rust.compile(join(sources, 'vectors.rs'), 'vectors', '-D', 'warnings', '-C', 'opt-level=2')
  })
  afterAll(() => rust.remove())

  /** How often each operation, and each refusal of it, was answered. */
  const compare = (cases: readonly Case[]): Map<string, number> =>
    compareAll(runner, cases, ({ line, answer }) => {
      const name = line.slice(0, line.indexOf(' '))
      return answer.startsWith('error ') ? `${name}: ${answer.slice(6)}` : name
    })
  const many = (count: number, make: () => Case[]): Case[] => Array.from({ length: count }, make).flat()

  test('its own tests pass', () => {
    rust.expectTests(join(sources, 'math.rs'), '', '-D', 'warnings', '-C', 'opt-level=2')
  })

  test('on every golden vector, read from its file', () => {
    const read = (name: string): unknown => JSON.parse(readFileSync(join(root, `test/vectors/${name}.json`), 'utf8'))
    const counts = compare(goldenCases(read))
    for (const [name, least] of Object.entries({ phi: 150, rate: 40, quote: 150, add: 60, margin: 120, step: 160 })) {
      expect([name, (counts.get(name) ?? 0) >= least]).toEqual([name, true])
    }
  })

  test('on 30,000 functions of numbers', () => {
    expect(compare(functionCases(new Random(1n), 2000)).get('phi')).toBeGreaterThan(1500)
  })

  test('on some 15,000 trades, coupons and changes of liquidity, with the whole state after each', () => {
    const random = new Random(2n)
    const counts = compare(many(200, () => marketCases(random, 60)))
    expect(counts.get('quote')).toBeGreaterThan(3000)
    const refusals = [
      'zero-amount',
      'matured',
      'limit-reached',
      'crossings-reached',
      'no-liquidity',
      'amount-too-small',
    ]
    for (const code of refusals) expect([code, counts.has(`quote: ${code}`)]).toEqual([code, true])
    const rest = [
      'add: deficit-stands',
      'add: liquidity-limit',
      'add: deposit-too-small',
      'remove',
      'collect',
      'accrue',
    ]
    for (const name of rest) expect([name, counts.has(name)]).toEqual([name, true])
  })

  test('on some 30,000 orders that end within an atom of a tick', () => {
    const random = new Random(6n)
    const counts = compare(many(700, () => edgeCases(random)))
    expect(counts.get('quote')).toBeGreaterThan(10_000)
    expect(counts.has('quote: limit-reached')).toBe(true)
  })

  test('on positions whose earnings are below 0 and wait', () => {
    const random = new Random(7n)
    const scenes = Array.from({ length: 300 }, () => waitingCases(random))
    expect(scenes.reduce((sum, { waiting }) => sum + waiting, 0)).toBeGreaterThan(50)
    expect(compare(scenes.flatMap(({ cases }) => cases)).get('remove')).toBeGreaterThan(300)
  })

  test('on 6,000 observations of the rate oracle', () => {
    const random = new Random(3n)
    expect(compare(many(100, () => oracleCases(random, 60))).get('observe')).toBeGreaterThan(4000)
  })

  test('on 10,000 figures of margin, accounts, totals and backing', () => {
    const counts = compare(marginCases(new Random(4n), 1200))
    for (const name of ['margin', 'reduce', 'recount', 'book', 'stood']) expect(counts.get(name)).toBeGreaterThan(900)
  })

  test('on 10,000 steps of rate indices', () => {
    const random = new Random(5n)
    expect(compare(many(400, () => indexCases(random, 30))).get('step')).toBeGreaterThan(3000)
  })
})
