/** `sunder`: the command line. */
import { Command } from 'commander'
import { addAprCommand } from './apr.ts'
import { addJlpCommand } from './jlp.ts'
import { fail } from './output.ts'
import { addPoolCommand } from './pool.ts'
import { addPositionCommand } from './position.ts'
import { addPriceCommand } from './price.ts'
import { addQuoteCommand } from './quote.ts'
import { addReplayCommand } from './replay.ts'
import { addSimulateCommand } from './simulate.ts'
import { addVenueCommands } from './venue/index.ts'

const program = new Command('sunder')
  .description(
    'A yield exchange for JLP: trade its yield on a chain; and the pool, its APR oracle, questions about any market',
  )
  .version('0.1.0')
  .showHelpAfterError()

addAprCommand(program)
addJlpCommand(program)
addPoolCommand(program)
addReplayCommand(program)
addPriceCommand(program)
addQuoteCommand(program)
addPositionCommand(program)
addSimulateCommand(program)
addVenueCommands(program)

try {
  await program.parseAsync()
} catch (error) {
  fail(error)
}
