/** Options that several commands of trades have. */
import { type Command, Option } from 'commander'
import { UsageError } from '../output.ts'

/** bp */
const tolerance = (text: string): number => {
  const bps = Number(text)
  if (!/^\d+$/.test(text) || bps > 5000) throw new UsageError('--tolerance is 0 to 5000, in bp of the rate')
  return bps
}

export const withTolerance = (command: Command): Command =>
  command.addOption(
    new Option('--tolerance <bp>', 'how far the rate may move before it lands, bp of it')
      .argParser(tolerance)
      .default(50),
  )

/** Number of an account. */
const subNumber = (text: string): number => {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255) throw new UsageError('--sub is 0 to 255')
  return Number(text)
}

export const withSub = (command: Command): Command =>
  command.option('--sub <n>', 'which of your margin accounts in the market', subNumber, 0)
