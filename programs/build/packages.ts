/** The compiler: which Debian packages it is made of, whether they are here, and in which versions. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { BuildError } from './errors.ts'

/** By path: a rustup on the PATH has neither the sources of core nor the same LLVM. */
export const RUSTC = '/usr/bin/rustc'
export const LIBRARY = '/usr/lib/rustlib/src/rust/library'
const LLVM_TOOLS = ['llvm-dis', 'llvm-link', 'opt', 'llc'] as const
type LlvmTool = (typeof LLVM_TOOLS)[number]
/** The LLVM to ask for where there is no rustc that could say. */
const USUAL_LLVM = 22

/** Package names and their versions, as recorded beside the program. */
export type Versions = Readonly<Record<string, string>>

export interface Tools {
  readonly versions: Versions
  readonly llvm: (tool: LlvmTool) => string
}

const output = (command: string, ...args: string[]): string => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}

/** The tools, or a sentence that says what is missing. */
export const findTools = (): Tools | string => {
  const version = output(RUSTC, '-vV')
  const release = /^release: (.+)$/m.exec(version)?.[1]
  const llvmVersion = /^LLVM version: ((\d+)\..+)$/m.exec(version)
  const major = llvmVersion?.[2] ?? USUAL_LLVM
  const path = (tool: LlvmTool): string => `/usr/bin/${tool}-${major}`
  const packages = ['rustc-web', 'rust-web-src', `llvm-${major}`]

  const installed = new Map(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills these in
    output('dpkg-query', '-W', '-f', '${Package} ${Version} ${db:Status-Abbrev}\n', ...packages)
      .split('\n')
      .map(line => line.split(' '))
      .filter(([, , status]) => status === 'ii')
      .map(([name, packageVersion]) => [name!, packageVersion!]),
  )
  const missing = packages.filter(name => !installed.has(name))
  if (missing.length > 0) {
    return `${missing.join(', ')} not installed (Debian 12: apt-get install --no-install-recommends ${packages.join(' ')})`
  }
  const absent = [RUSTC, LIBRARY, ...LLVM_TOOLS.map(path)].filter(file => !existsSync(file))
  if (absent.length > 0) return `${absent.join(', ')}: not there, although ${packages.join(', ')} are installed`
  return {
    versions: { ...Object.fromEntries(installed), rustc: release ?? '?', LLVM: llvmVersion?.[1] ?? '?' },
    llvm: path,
  }
}

export const requireTools = (): Tools => {
  const tools = findTools()
  if (typeof tools === 'string') throw new BuildError(tools)
  return tools
}
