/** The program's arithmetic against the kernel and the engine: golden vectors from their files, and random operations. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
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

const root = fileURLToPath(new URL('../../', import.meta.url))
const sources = join(root, 'programs/sunder/tests')
const runs = (compiler: string): boolean => spawnSync(compiler, ['--version']).status === 0
// Debian's by path, since another one may come first in PATH.
const compiler = ['/usr/bin/rustc', 'rustc'].find(
  path => (path.startsWith('/') ? existsSync(path) : true) && runs(path),
)
const skipped = compiler === undefined ? ' (skipped: no Rust compiler; on Debian `apt-get install rustc-web`)' : ''

describe.skipIf(compiler === undefined)(`the arithmetic of the program gives the kernel's bits${skipped}`, () => {
  let folder = ''
  const compile = (source: string, ...flags: readonly string[]): string => {
    const binary = join(folder, source.replace('.rs', ''))
    const options = ['--edition', '2021', '-D', 'warnings', '-C', 'opt-level=2', '-C', 'overflow-checks=on']
    const done = spawnSync(compiler!, [...options, ...flags, join(sources, source), '-o', binary], { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(done.stderr)
    return binary
  }
  let runner = ''

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sunder-math-'))
    runner = compile('vectors.rs')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Feeds the cases to the program; returns how often each operation, and each refusal of it, was answered. */
  const compare = (cases: readonly Case[]): Map<string, number> => {
    const input = `${cases.map(({ line }) => line).join('\n')}\n`
    const done = spawnSync(runner, [], { input, encoding: 'utf8', maxBuffer: 1 << 30 })
    expect(done.stderr).toBe('')
    const answers = done.stdout.trimEnd().split('\n')
    expect(answers.length).toBe(cases.length)
    const wrong = cases.flatMap(({ line, answer }, i) =>
      answers[i] === answer ? [] : [{ line, answer, got: answers[i] }],
    )
    expect(wrong.slice(0, 3)).toEqual([])
    const counts = new Map<string, number>()
    for (const { line, answer } of cases) {
      const name = line.slice(0, line.indexOf(' ')) + (answer.startsWith('error ') ? `: ${answer.slice(6)}` : '')
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    return counts
  }
  const many = (count: number, make: () => Case[]): Case[] => Array.from({ length: count }, make).flat()

  test('its own tests pass', () => {
    const done = spawnSync(compile('math.rs', '--test'), [], { encoding: 'utf8' })
    expect(done.stdout + done.stderr).toContain('test result: ok')
    expect(done.status).toBe(0)
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
