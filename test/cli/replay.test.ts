import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sunder-replay-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const replay = (...args: string[]): { code: number | null; out: string; err: string } => {
  const command = ['node_modules/tsx/dist/cli.mjs', 'src/cli/main.ts', 'replay', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}
const SMALL = ['--from', '2024-11-22', '--accounts', '3']

describe('sunder replay', { timeout: 60_000 }, () => {
  test('--json: everything, with the identity; the same seed gives the same bytes', () => {
    const first = replay(...SMALL, '--json')
    expect(first.code).toBe(0)
    const report = JSON.parse(first.out)
    expect(report.market).toBe('JLP-2411')
    expect(report.identity.checked).toBe(report.volume.instructions)
    expect(report.identity.violations).toBe(0)
    expect(Number.isInteger(report.identity.maxDustAtoms)).toBe(true)
    expect(report.days.length).toBeGreaterThan(7)
    expect(replay(...SMALL, '--json').out).toBe(first.out)
    expect(replay(...SMALL, '--json', '--seed', '2').out).not.toBe(first.out)
  })

  test('--html: one page with charts that loads nothing and runs nothing', () => {
    const path = join(folder, 'replay.html')
    const { code, out } = replay(...SMALL, '--kind', 'weekly', '--html', path)
    expect(code).toBe(0)
    expect(out).toMatch(/^JLP-2411-W, weekly coupons/)
    expect(out).toMatch(/ledger identity: summed afresh [\d,]+ times, 0 violations/)
    const page = readFileSync(path, 'utf8')
    expect(page.match(/<svg /g)).toHaveLength(5)
    expect(page).not.toMatch(/<script|https?:|url\(|@import|<link/)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
    for (const name of ['implied', 'realised', 'leading', 'YT price', 'Depth', 'Profit so far'])
      expect(page).toContain(name)
    expect(page).toContain('simulated')
  })

  test('error: what cannot be read is said with exit code 2, what the history lacks with 1', () => {
    const cases: [string[], number, RegExp][] = [
      [['--kind', 'daily'], 2, /--kind is hourly or weekly/],
      [['--seed', '-1'], 2, /--seed is a whole number/],
      [['--accounts', '0'], 2, /--accounts is a whole number from 1/],
      [['--from', '2024-11-29'], 2, /less than a day/],
      [['--from', '2024-11-20T10:30'], 2, /full hour/],
      [['--history', join(folder, 'none.csv')], 2, /Cannot read/],
      [['--from', '2026-01-05', '--to', '2026-01-30'], 1, /no-data/],
      [[...SMALL, '--html', join(folder, 'no', 'such', 'folder.html')], 2, /Cannot write/],
    ]
    for (const [args, code, message] of cases) {
      const result = replay(...args)
      expect({ args, code: result.code }).toEqual({ args, code })
      expect(result.err).toMatch(message)
    }
  })
})
