/** What is committed of a build: the program, its hash, and a record of what it was made of. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { BuildError } from './errors.ts'
import type { Versions } from './packages.ts'

export interface BuildRecord {
  readonly versions: Versions
  /** SHA-256 of every Rust file that went in. */
  readonly sources: Readonly<Record<string, string>>
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const hashLine = (program: string, bytes: Buffer): string => `${sha256(bytes)}  ${basename(program)}\n`

export const hashSources = (root: string, paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map(path => [path, sha256(readFileSync(join(root, path)))]))

/** Writes PROGRAM, PROGRAM.sha256 (as `sha256sum -c` reads it) and PROGRAM.json. */
export const writeBuild = (program: string, bytes: Buffer, record: BuildRecord): void => {
  writeFileSync(program, bytes)
  writeFileSync(`${program}.sha256`, hashLine(program, bytes))
  writeFileSync(`${program}.json`, `${JSON.stringify(record, undefined, 2)}\n`)
}

export const readRecord = (program: string): BuildRecord => {
  for (const file of [program, `${program}.sha256`, `${program}.json`]) {
    if (!existsSync(file)) throw new BuildError(`${file} is missing: npm run program:build writes it`)
  }
  return JSON.parse(readFileSync(`${program}.json`, 'utf8')) as BuildRecord
}

/** What of the committed files does not fit together; this much needs no compiler. */
export const faultsOf = (root: string, program: string): string[] => {
  const { sources } = readRecord(program)
  const changed = Object.entries(sources)
    .filter(([path, hash]) => !existsSync(join(root, path)) || sha256(readFileSync(join(root, path))) !== hash)
    .map(([path]) => `${path} is not what the program was built from`)
  const isHashed = readFileSync(`${program}.sha256`, 'utf8') === hashLine(program, readFileSync(program))
  return isHashed ? changed : [`${program} is not what its .sha256 says`, ...changed]
}

/** The first package whose version is another than recorded, as a sentence. */
export const differenceOf = (recorded: Versions, here: Versions): string | undefined =>
  [...new Set([...Object.keys(recorded), ...Object.keys(here)])]
    .sort()
    .filter(name => recorded[name] !== here[name])
    .map(
      name => `${name} is ${here[name] ?? 'not installed'}, and the program was built with ${recorded[name] ?? 'none'}`,
    )[0]
