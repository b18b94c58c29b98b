/** `sunder watch`: the markets, or one of them, as they move; until Ctrl-C. */
import type { Command } from 'commander'
import { formatPercent, formatQ64, formatTime } from '../../../amm/index.ts'
import { toJson, UsageError } from '../output.ts'
import { option } from '../question.ts'
import { asking, asks, type ChainOptions } from './command.ts'
import { type MarketFigures, marketFigures, marketJson } from './market-figures.ts'
import { marketsTable, standings } from './markets.ts'
import { amount } from './show.ts'
import { marketNamed, standingOf } from './standing.ts'

interface WatchOptions extends ChainOptions {
  readonly for?: number
  readonly every: number
}

const seconds = (text: string): number => {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > 1e6) throw new UsageError('give seconds above 0')
  return value
}

/** One market in one line. */
const line = ({ name, now, view, officialApr, status }: MarketFigures): string =>
  `${formatTime(now)}  ${name}  APY ${formatPercent(view.impliedApy)}  official ${officialApr.toFixed(2)}%  ` +
  `YT ${formatQ64(view.ytPrice, 6)}  YT open ${amount(view.longYt, 0)}  TVL ${amount(view.tvl, 0)}  ${status}`

/** Home, and everything below cleared: a table is drawn over the one before. */
const CLEAR = '\u001b[H\u001b[2J'

/** Resolves after `ms`, or at once when it is over. */
const pause = (ms: number, over: AbortSignal): Promise<void> =>
  new Promise(done => {
    if (over.aborted) return done()
    const timer = setTimeout(finish, ms)
    function finish(): void {
      clearTimeout(timer)
      over.removeEventListener('abort', finish)
      done()
    }
    over.addEventListener('abort', finish)
  })

export const addWatchCommand = (program: Command): void => {
  asking(
    program,
    'watch [name]',
    'the markets, or one of them, as they move; ends with Ctrl-C. --json: a line for each reading',
    'sunder watch JLP-2411 --for 60',
  )
    .option('--for <seconds>', 'and then ends', seconds)
    .addOption(option('--every <seconds>', 'between two readings', seconds, '1'))
    .action(
      asks<WatchOptions>(async (venue, options, name) => {
        const market = name === undefined ? undefined : marketNamed(name)
        const ends = new AbortController()
        const stop = (): void => ends.abort()
        process.once('SIGINT', stop).once('SIGTERM', stop)
        const timer = options.for === undefined ? undefined : setTimeout(stop, options.for * 1000)
        try {
          while (!ends.signal.aborted) {
            const found = market === undefined ? await standings(venue) : [await standingOf(venue, market)]
            const all = found.map(marketFigures)
            if (options.json) for (const one of all) console.log(toJson(marketJson(one), 0))
            else if (market !== undefined) console.log(line(all[0]!))
            else console.log(`${process.stdout.isTTY ? CLEAR : ''}${marketsTable(all)}`)
            await pause(options.every * 1000, ends.signal)
          }
        } finally {
          clearTimeout(timer)
          process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
        }
        return undefined
      }),
    )
}
