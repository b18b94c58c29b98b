/**
 * The whole build, from Rust to a program:
 * rustc (all of it as one, to bitcode) -> text -> rewrite.ts -> with wide.ll -> opt -> llc -> link.ts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Linked, link } from './link.ts'
import { RUSTC, requireTools, type Versions } from './packages.ts'
import { disassemble, prepareCore, prepareWide, wholeProgramFlags } from './prepare.ts'
import { run, withFolder } from './run-tool.ts'

export interface Source {
  /** The project's folder; file names in panics are relative to it. */
  readonly root: string
  /** The crate's main file, relative to it. */
  readonly main: string
}

export interface Compiled extends Linked {
  readonly versions: Versions
  /** The Rust files that went in, relative to the project's folder. */
  readonly sources: readonly string[]
}

/**
 * Few and known: what inlines the helpers and cleans up behind them. Passes that combine instructions would make the wide forms
 * anew that were just taken out.
 */
const PASSES =
  'internalize,always-inline,globaldce,function(sroa,early-cse,instsimplify,simplifycfg,gvn,adce),globaldce'
const CODE_GENERATION = [
  '-O2',
  '-mcpu=v2',
  '-mattr=+allows-misaligned-mem-access', // Solana allows it
  '-bpf-stack-size=4096', // Solana's frame
  '-function-sections',
  '-data-sections',
  '-filetype=obj',
]

export const compile = ({ root, main }: Source): Compiled => {
  const tools = requireTools()
  const core = prepareCore(tools)
  const wide = prepareWide(tools, core)
  return withFolder(folder => {
    const flags = [...wholeProgramFlags(core), '-Coverflow-checks=on', '-Dwarnings', '--crate-name=program']
    const paths = [`--remap-path-prefix=${root}=.`]
    const emit = `--emit=link=${join(folder, 'a.bc')},dep-info=${join(folder, 'a.d')}`
    run(RUSTC, [...flags, ...paths, emit, main], root)
    disassemble(tools, 'a', folder)
    run(tools.llvm('llvm-link'), ['--only-needed', 'a.ll', wide, '-o', 'b.bc'], folder)
    run(
      tools.llvm('opt'),
      [`-passes=${PASSES}`, '-internalize-public-api-list=entrypoint', 'b.bc', '-o', 'c.bc'],
      folder,
    )
    run(tools.llvm('llc'), [...CODE_GENERATION, 'c.bc', '-o', 'program.o'], folder)
    return {
      ...link(readFileSync(join(folder, 'program.o'))),
      versions: tools.versions,
      sources: readSources(readFileSync(join(folder, 'a.d'), 'utf8'), root),
    }
  })
}

/** The files of a make rule as rustc writes it: "FILE:" on a line of its own for every source. */
const readSources = (rules: string, root: string): string[] =>
  rules
    .split('\n')
    .filter(line => line.endsWith('.rs:'))
    .map(line => line.slice(0, -1).replace(`${root}/`, ''))
    .sort()
