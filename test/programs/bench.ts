/** `npm run bench:program`: what every instruction of the program costs; writes docs/compute-units.md. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { page, perTick, type Row, rows } from './compute-units.ts'

const HELP = `npm run bench:program -- [--json] [--help]

Measures the compute units of every instruction and of trades over up to 64 ticks on a local chain, and writes docs/compute-units.md.
  --json   one object a line: {"instruction","computeUnits","ceiling"}; nothing is written
  --help   this text`

const readFlags = (): { json: boolean; help: boolean } => {
  const option = { type: 'boolean', default: false } as const
  try {
    return parseArgs({ options: { json: option, help: option } }).values
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    process.exit(2)
  }
}

const line = ({ instruction, computeUnits, ceiling }: Row): string => {
  const [used, most] = [computeUnits, ceiling].map(value => value.toLocaleString('en').padStart(10))
  return `${instruction.padEnd(28)}${used}${most}  ${computeUnits <= ceiling ? 'held' : 'EXCEEDED'}`
}

const flags = readFlags()
if (flags.help) console.log(HELP)
else {
  const all = rows()
  for (const row of all) {
    const { instruction, computeUnits, ceiling } = row
    console.log(flags.json ? JSON.stringify({ instruction, computeUnits, ceiling }) : line(row))
  }
  if (!flags.json) {
    console.log(`${'each crossed tick'.padEnd(28)}${perTick(all).toLocaleString('en').padStart(10)}`)
    writeFileSync(new URL('../../docs/compute-units.md', import.meta.url), page(all))
  }
}
