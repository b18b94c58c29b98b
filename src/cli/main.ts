/** `sunder`: the command line. */
import { Command } from 'commander'
import { addAprCommand } from './apr.ts'
import { addJlpCommand } from './jlp.ts'
import { fail } from './output.ts'
import { addPoolCommand } from './pool.ts'

const program = new Command('sunder')
  .description('A yield exchange for JLP: the pool, its APR oracle and the market of its yield')
  .version('0.1.0')
  .showHelpAfterError()

addAprCommand(program)
addJlpCommand(program)
addPoolCommand(program)

try {
  await program.parseAsync()
} catch (error) {
  fail(error)
}
