/** Shows what would come of it, asks, sends, and says what came of it. */
import { createInterface } from 'node:readline/promises'
import type { TransactionInstruction } from '@solana/web3.js'
import type { Sent } from '../../client/index.ts'
import type { Answer } from '../question.ts'
import type { SendOptions } from './command.ts'
import type { Signer } from './connection.ts'

/** What is about to be sent. */
export interface Plan {
  /** What is known of it before. */
  readonly before: Answer
  readonly instructions: readonly TransactionInstruction[]
}

/** If somebody sits there, unless `--yes` was said. Else whoever calls has decided. */
const isWanted = async ({ yes }: SendOptions): Promise<boolean> => {
  if (yes || !process.stdin.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const said = await terminal.question('Send it? [y/N] ').finally(() => terminal.close())
  return /^y(es)?$/i.test(said.trim())
}

/** Of JSON there is one piece, at the end. */
const show = ({ json }: SendOptions, { text }: Answer): void => {
  if (text !== '') (json ? console.error : console.log)(text)
}

/** What was sent, in figures and words; `after` says what it did. */
export const carryOut = async (
  { client, wallet, owner }: Signer,
  options: SendOptions,
  { before, instructions }: Plan,
  after: (sent: Sent) => Promise<Answer> | Answer,
): Promise<Answer> => {
  const quote = before.figures
  if (options.dryRun) {
    const { error, units } = await client.simulate(instructions, owner)
    if (!options.json) console.log(before.text)
    if (error !== undefined) throw error
    return {
      figures: { kind: 'dry-run', quote, units },
      text: `would go through with ${units} compute units; nothing was sent`,
    }
  }
  if (!options.json || (process.stdin.isTTY && !options.yes)) show(options, before)
  if (!(await isWanted(options))) return { figures: { kind: 'left', quote }, text: 'nothing was sent' }
  const sent = await client.send(instructions, wallet)
  const { signature, units } = sent
  const { figures, text } = await after(sent)
  return {
    figures: { kind: 'done', signature, units, ...(quote === undefined ? {} : { quote }), ...(figures as object) },
    text: `${text}\nsignature ${signature}`,
  }
}

/** Nothing to be shown before. */
export const NO_QUOTE: Answer = { figures: undefined, text: '' }
