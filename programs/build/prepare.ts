/** What every program is built with and none changes: core and alloc as bitcode, and the helpers for wide arithmetic. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIBRARY, RUSTC, type Tools } from './packages.ts'
import { rewrite } from './rewrite.ts'
import { run } from './run-tool.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
/** Not committed; may be removed at any time. */
const CACHE = join(here, '.cache')

/** For everything, core included: the machine, and how panics end. */
export const machineFlags = (core: string): string[] => [
  '-Zunstable-options',
  `--target=${join(core, 'target.json')}`,
  '-Copt-level=3',
  '-Ccodegen-units=1',
  '-Cdebuginfo=0',
  '-Cpanic=abort',
]

/** For a crate that ends as one module of bitcode. */
export const wholeProgramFlags = (core: string): string[] => [
  ...machineFlags(core),
  '--edition=2021',
  '--crate-type=cdylib',
  '-Clto=fat',
  `-Clinker=${join(core, 'keep-bitcode.sh')}`,
  `-L${core}`,
]

/** NAME.bc -> NAME.ll, rewritten. */
export const disassemble = (tools: Tools, name: string, folder: string): void => {
  run(tools.llvm('llvm-dis'), [`${name}.bc`, '-o', `${name}.ll`], folder)
  const text = join(folder, `${name}.ll`)
  writeFileSync(text, rewrite(readFileSync(text, 'utf8')))
}

/** The folder that `make` fills, made once for these versions and inputs: files of this folder, and `more` that counts. */
const cached = (
  name: string,
  tools: Tools,
  inputs: readonly string[],
  more: readonly string[],
  make: (folder: string) => void,
): string => {
  const hash = createHash('sha256').update(JSON.stringify([tools.versions, more]))
  for (const input of inputs) hash.update(readFileSync(join(here, input)))
  const place = join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(place)) return place

  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'new-'))
  try {
    for (const input of inputs) copyFileSync(join(here, input), join(folder, input))
    make(folder)
    renameSync(folder, place)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    if (!existsSync(place)) throw error // else another process has made it meanwhile
  }
  return place
}

const CORE_FLAGS = [
  '-Clinker-plugin-lto', // bitcode alone: code cannot be made of all of core
  '-Coverflow-checks=off',
  '-Zforce-unstable-if-unmarked',
  '--edition=2024',
  '--cap-lints=allow',
  '--crate-type=rlib',
]

/** core, compiler_builtins and alloc, to be linked against; the target and the linker lie beside them. */
export const prepareCore = (tools: Tools): string =>
  cached('core', tools, ['target.json', 'keep-bitcode.sh', 'compiler_builtins.rs'], CORE_FLAGS, folder => {
    chmodSync(join(folder, 'keep-bitcode.sh'), 0o755)
    const paths = [LIBRARY, realpathSync(LIBRARY)].map(path => `--remap-path-prefix=${path}=library`)
    const crate = (name: string, file: string): void => {
      const crateFlags = [...machineFlags('.'), ...CORE_FLAGS, ...paths, `--crate-name=${name}`]
      run(RUSTC, [...crateFlags, '-L.', '--out-dir=.', file], folder)
    }
    crate('core', `${LIBRARY}/core/src/lib.rs`)
    crate('compiler_builtins', 'compiler_builtins.rs')
    crate('alloc', `${LIBRARY}/alloc/src/lib.rs`)
  })

/** wide.bc: what rewrite.ts puts in calls of. */
export const prepareWide = (tools: Tools, core: string): string => {
  const inputs = ['wide.rs', 'wide.ll', 'rewrite.ts', 'target.json', 'keep-bitcode.sh']
  const place = cached('wide', tools, inputs, [], folder => {
    const flags = [...wholeProgramFlags(core), '-Coverflow-checks=off', '--crate-name=divide']
    run(RUSTC, [...flags, '-o', 'divide.bc', 'wide.rs'], folder)
    disassemble(tools, 'divide', folder)
    run(tools.llvm('llvm-link'), ['divide.ll', 'wide.ll', '-o', 'wide.bc'], folder)
  })
  return join(place, 'wide.bc')
}
