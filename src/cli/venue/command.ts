/** What every command about a chain has: its options, its example, its answer as text or JSON, its exit code. */
import type { Command } from 'commander'
import { CodedError } from '../../../amm/errors.ts'
import { KernelError } from '../../../amm/index.ts'
import { ERRORS } from '../../client/generated/interface.ts'
import { StrategyError, wordsFor } from '../../strategy/index.ts'
import { toJson, UsageError } from '../output.ts'
import { type Answer, question } from '../question.ts'
import { connect, DEFAULT_KEYPAIR, DEFAULT_URL, nobodyAt, type Venue } from './connection.ts'

export interface ChainOptions {
  readonly rpc: string
  readonly json?: boolean
}
export interface KeyOptions extends ChainOptions {
  readonly keypair: string
}
export interface SendOptions extends KeyOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

const { SUNDER_RPC_URL, SUNDER_KEYPAIR } = process.env

export const withChain = (command: Command): Command =>
  command.option('--rpc <url>', 'the node (SUNDER_RPC_URL)', SUNDER_RPC_URL || DEFAULT_URL)

export const withKeypair = (command: Command): Command =>
  command.option('--keypair <file>', 'who you are (SUNDER_KEYPAIR)', SUNDER_KEYPAIR || DEFAULT_KEYPAIR)

/** A command that asks a chain. */
export const asking = (program: Command, usage: string, description: string, example: string): Command =>
  withChain(question(program, usage, description, example)).option('--json', 'as JSON')

/** A command that signs. */
export const signing = (program: Command, usage: string, description: string, example: string): Command =>
  withKeypair(asking(program, usage, description, example))
    .option('--yes', 'without asking')
    .option('--dry-run', 'only show what would come of it')

/** Commands about one thing. */
export const group = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))

/** What `fetch` says of a node that has gone away in between. */
const GONE = /fetch failed|aborted due to timeout/

export const print = ({ json }: Pick<ChainOptions, 'json'>, answer: Answer | undefined): void => {
  if (answer !== undefined) console.log(json ? toJson(answer.figures) : answer.text)
}

/** What the engine has no words for, in the program's. */
const worded = (error: unknown): unknown => {
  if (!(error instanceof StrategyError)) return error
  const bare = wordsFor({ code: error.code, context: error.context }).startsWith('The exchange refuses')
  const known = bare ? ERRORS.find(({ name }) => name === error.code) : undefined
  return known === undefined ? error : new StrategyError(error.code, known.message, error.context)
}

/** Runs a command: what was refused is also said as JSON, on stdout, if that was asked for. */
const run = async (options: ChainOptions, work: (venue: Venue) => Promise<Answer | undefined>): Promise<void> => {
  try {
    print(options, await work(await connect(options.rpc)))
  } catch (thrown) {
    const error = worded(thrown)
    if (error instanceof KernelError) throw new UsageError(error.message)
    if (error instanceof Error && GONE.test(error.message)) throw nobodyAt(options.rpc)
    if (error instanceof CodedError && options.json) {
      const { code, message, context } = error
      console.log(toJson({ kind: 'refused', code, message, context }))
    }
    throw error
  }
}

/** An action of commander's: the command's arguments, then its options. */
export const asks =
  <O extends ChainOptions>(work: (venue: Venue, options: O, ...args: string[]) => Promise<Answer | undefined>) =>
  (...given: unknown[]): Promise<void> => {
    const options = given.at(-2) as O
    const args = given.slice(0, -2) as string[]
    return run(options, venue => work(venue, options, ...args))
  }
