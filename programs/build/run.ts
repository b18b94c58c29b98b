/** `npm run program:build`: compiles the program, or checks that what is committed is what its sources compile to. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compile } from './compile.ts'
import { BuildError } from './errors.ts'
import { sampleAnswers } from './host.ts'
import { findTools } from './packages.ts'
import { differenceOf, faultsOf, hashSources, readRecord, sha256, writeBuild } from './record.ts'

const USAGE = `usage: npm run program:build -- [--check] [--selfcheck] [--map]
  without options: compiles programs/sunder to programs-idl/sunder.so, with its SHA-256 and a record beside it
  --check       writes nothing; compares with what is committed. Fails if they differ; where the compiler is another or
                missing, compares the recorded hashes of the sources only, and says so
  --selfcheck   the program that the tests check the compiler with, instead of the real one
  --map         prints what lies at which address`

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
const PROGRAM = { main: 'programs/sunder/src/lib.rs', output: 'programs-idl/sunder.so' }
const SELFCHECK = { main: 'programs/build/selfcheck/program.rs', output: 'programs/build/selfcheck/program.so' }
/** What the sample answers on the host, for machines that cannot compile it. */
const ANSWERS = 'programs/build/selfcheck/answers.json'

const readOptions = () => {
  try {
    return parseArgs({
      options: {
        check: { type: 'boolean' },
        selfcheck: { type: 'boolean' },
        map: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

const build = (main: string, output: string, showMap: boolean): void => {
  const started = Date.now()
  const { file, codeSize, dataSize, syscalls, map, versions, sources } = compile({ root, main })
  writeBuild(join(root, output), file, { versions, sources: hashSources(root, sources) })
  if (showMap) for (const { address, size, name } of map) console.log(address.toString(16), `${size}`.padStart(6), name)
  console.log(`${output}  ${file.length} bytes: code ${codeSize}, data ${dataSize}; ${(Date.now() - started) / 1000} s`)
  console.log(`sha256 ${sha256(file)}`)
  console.log(`syscalls ${syscalls.join(' ')}`)
}

const check = (main: string, output: string): void => {
  const program = join(root, output)
  const faults = faultsOf(root, program)
  if (faults.length > 0) throw new BuildError(faults.join('\n'))
  const tools = findTools()
  const reason = typeof tools === 'string' ? tools : differenceOf(readRecord(program).versions, tools.versions)
  if (reason !== undefined) {
    console.log(`${output} fits its sources\nnot rebuilt: ${reason}`)
    return
  }
  const { file } = compile({ root, main })
  if (!file.equals(readFileSync(program))) {
    throw new BuildError(`${output}: the same sources and packages now give other bytes (sha256 ${sha256(file)})`)
  }
  console.log(`${output}: rebuilt, the same bytes`)
}

const options = readOptions()
const { main, output } = options.selfcheck ? SELFCHECK : PROGRAM
try {
  if (options.help) console.log(USAGE)
  else if (options.check) check(main, output)
  else {
    build(main, output, options.map ?? false)
    if (options.selfcheck) writeFileSync(join(root, ANSWERS), `${JSON.stringify(sampleAnswers(root), undefined, 2)}\n`)
  }
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
