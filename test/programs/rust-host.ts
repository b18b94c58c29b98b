/** The program's Rust on this machine: compiled, given lines, and asked for as many. Where there is no compiler, tests skip by name. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'

const runs = (path: string): boolean => spawnSync(path, ['--version']).status === 0
// Debian's by path, since another one may come first in PATH.
const compiler = ['/usr/bin/rustc', 'rustc'].find(
  path => (path.startsWith('/') ? existsSync(path) : true) && runs(path),
)
export const hasRust = compiler !== undefined
/** Behind the name of what is skipped. */
export const skipped = hasRust ? '' : ' (skipped: no Rust compiler; on Debian `apt-get install rustc-web`)'

const ALWAYS = ['--edition', '2021', '--check-cfg=cfg(test)', '--check-cfg=cfg(target_os, values("solana"))']

/** A folder for what is compiled. */
export class RustHost {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sunder-rust-'))

  /** Compiles a source with overflow checks; the path of what came out. Throws what the compiler says. */
  compile(source: string, output: string, ...options: readonly string[]): string {
    const path = join(this.#folder, output)
    const all = [...ALWAYS, '-C', 'overflow-checks=on', ...options, source, '-o', path]
    const done = spawnSync(compiler!, all, { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(done.stderr)
    return path
  }

  /** Rust's own tests pass, those whose names begin with `filter`. */
  expectTests(source: string, filter: string, ...options: readonly string[]): void {
    const done = spawnSync(this.compile(source, 'tests', '--test', ...options), [filter], { encoding: 'utf8' })
    expect(done.stdout + done.stderr).toMatch(/test result: ok\. [1-9]/)
    expect(done.status).toBe(0)
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** One answer for each line. */
export const ask = (runner: string, lines: readonly string[]): string[] => {
  const done = spawnSync(runner, [], { input: `${lines.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 30 })
  expect(done.stderr).toBe('')
  const answers = done.stdout.trimEnd().split('\n')
  expect(answers.length).toBe(lines.length)
  return answers
}

export interface Asked {
  readonly line: string
  readonly answer: string
}

/** Every answer is the one expected; how often each, by the name that `nameOf` gives it. */
export const compare = <A extends Asked>(
  runner: string,
  cases: readonly A[],
  nameOf: (one: A) => string,
): Map<string, number> => {
  const answers = ask(
    runner,
    cases.map(({ line }) => line),
  )
  const wrong = cases.flatMap(({ line, answer }, i) =>
    answers[i] === answer ? [] : [{ line: line.slice(0, 300), answer, got: answers[i] }],
  )
  expect(wrong.slice(0, 3)).toEqual([])
  const counts = new Map<string, number>()
  for (const one of cases) counts.set(nameOf(one), (counts.get(nameOf(one)) ?? 0) + 1)
  return counts
}
