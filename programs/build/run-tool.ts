import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuildError } from './errors.ts'

/** Runs a tool; what it has to say goes into the error. Locale and incidental settings stay out. */
export const run = (command: string, args: readonly string[], cwd: string): void => {
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', RUSTC_BOOTSTRAP: '1' } // the latter opens core's own sources to the compiler
  try {
    execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string }
    const said = stderr.trim()
    throw new BuildError(`${command} failed:\n${said === '' ? message : said.slice(0, 6000)}`)
  }
}

/** A folder that is gone afterwards. */
export const withFolder = <R>(work: (folder: string) => R): R => {
  const folder = mkdtempSync(join(tmpdir(), 'sunder-build-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
