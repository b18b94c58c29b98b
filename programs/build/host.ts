/** The same Rust on the machine that builds: unit tests, and the answers that the chain's are held against. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { RUSTC } from './packages.ts'
import { run, withFolder } from './run-tool.ts'

const FLAGS = [
  '--edition=2021',
  '--check-cfg=cfg(target_os, values("solana"))',
  '-Coverflow-checks=on',
  '-Copt-level=1',
]

/** Builds `main` for the host and runs it; gives back what it prints, and throws with it if it fails. */
export const runOnHost = (
  root: string,
  main: string,
  { input = '', isTest = false, flags = [] }: { input?: string; isTest?: boolean; flags?: readonly string[] } = {},
): string =>
  withFolder(folder => {
    const binary = join(folder, 'host')
    run(RUSTC, [...FLAGS, ...(isTest ? ['--test'] : []), ...flags, '-o', binary, main], root)
    return execFileSync(binary, { input, encoding: 'utf8', cwd: folder, maxBuffer: 1 << 26 })
  })

/** Eight seeds for each part of selfcheck/sample.rs: 2^63 times the fractional parts of multiples of the golden ratio. */
export const SAMPLE_PARTS = 16
export const sampleSeeds = (part: number): bigint[] =>
  Array.from({ length: 8 }, (_, i) => (BigInt(part * 8 + i + 1) * 0x9e3779b97f4a7c15n) & ((1n << 63n) - 1n))

/** What the sample answers on the host: a row of eight for each part, in decimal. */
export const sampleAnswers = (root: string): string[][] => {
  const parts = Array.from({ length: SAMPLE_PARTS }, (_, part) => part)
  const input = parts.flatMap(part => sampleSeeds(part).map(seed => `${part} ${seed}`)).join('\n')
  const answers = runOnHost(root, 'programs/build/selfcheck/host.rs', { input }).trim().split('\n')
  return parts.map(part => answers.slice(part * 8, part * 8 + 8))
}
