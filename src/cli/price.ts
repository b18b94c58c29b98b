/** `sunder price`: what YT and PT cost at an implied APY. */
import type { Command } from 'commander'
import { apyFromRate, formatQ64, ptPrice, rateFromApy, ytPrice } from '../../amm/index.ts'
import { table } from './output.ts'
import { answer, apy, question, secondsOfDays } from './question.ts'

interface Options {
  readonly apy: bigint
  readonly days: number
  readonly json?: boolean
}

export const addPriceCommand = (program: Command): void => {
  question(
    program,
    'price',
    'what YT and PT cost in ST at an implied APY, to 15 digits',
    'sunder price --apy 30% --days 86',
  )
    .requiredOption('--apy <apy>', 'the implied APY', apy)
    .requiredOption('--days <n>', 'days to maturity, fractions allowed', secondsOfDays)
    .option('--json', 'as JSON')
    .action(
      answer<Options>(({ apy, days: seconds }) => {
        const rate = rateFromApy(apy)
        const figures = {
          ytPrice: formatQ64(ytPrice(rate, seconds), 15),
          ptPrice: formatQ64(ptPrice(rate, seconds), 15),
          apy: formatQ64(apyFromRate(rate), 15),
          rate: formatQ64(rate, 15),
          seconds,
        }
        const rows = [
          ['YT', figures.ytPrice, 'ST: the yield of 1 ST until maturity'],
          ['PT', figures.ptPrice, 'ST: 1 ST at maturity'],
          ['rate', figures.rate, 'a year, continuously compounded'],
        ]
        return { figures, text: table(rows, 'lrl') }
      }),
    )
}
