/** `sunder quote`: what an order costs, in a market that is described by a few words or in one of a chain (`--market`). */
import type { Command } from 'commander'
import { legOf, mostLeverageFor, open, type Place, Walk, type YtOrder } from '../strategy/index.ts'
import { UsageError } from './output.ts'
import {
  type Answer,
  answer,
  atoms,
  describeMarket,
  leverage,
  type MarketOptions,
  oneOf,
  option,
  placeOf,
  question,
  withMarket,
} from './question.ts'
import { insteadOf, quotePt, ytAnswer } from './quote-answer.ts'
import { type QuoteOnChainOptions, quoteOnChain, withQuoteOnChain } from './venue/quote.ts'

interface Options extends MarketOptions {
  readonly side: 'long' | 'short' | 'buy-pt' | 'sell-pt' | 'reduce' | 'close'
  readonly margin: bigint
  readonly leverage: number
  readonly yt?: bigint
  readonly pt?: bigint
  readonly st?: bigint
}

/** An order for YT, or the refusal with what would be taken instead. `head` is the line about the market. */
const quoteYt = (place: Place, order: YtOrder, head: string): Answer => {
  const most = mostLeverageFor(place, order.side, order.margin)
  try {
    return ytAnswer(open(new Walk(place), order), order.side === 'long' ? 'bought' : 'sold', head, most)
  } catch (error) {
    throw insteadOf(error, place, order)
  }
}

/** What describes a market, and has no place beside the name of one. */
const DESCRIPTION = ['apy', 'days', 'liquidity', 'range', 'kind']

export const addQuoteCommand = (program: Command): void => {
  const command = withMarket(
    question(
      program,
      'quote',
      'what an order costs, price impact, fee and margin included; or why it is refused',
      'sunder quote --side long --margin 1 --leverage 10 --apy 34% --days 86 --liquidity 569 --range 25%-45%\n' +
        '         sunder quote --market JLP-2411 --side long --margin 1 --leverage 10',
    )
      .addOption(
        option(
          '--side <side>',
          'long, short, buy-pt or sell-pt; with --market also reduce or close',
          oneOf('--side', 'long', 'short', 'buy-pt', 'sell-pt', 'reduce', 'close'),
          'long',
        ),
      )
      .addOption(option('--margin <jlp>', 'margin of a long or short; the fee comes on top', atoms, '1'))
      .addOption(option('--leverage <n>', 'ST leg per margin', leverage, '10'))
      .option('--yt <n>', 'long or short so many YT instead', atoms)
      .option('--pt <n>', 'buy or sell so many PT', atoms)
      .option('--st <n>', 'trade for so much ST (counted in JLP), fee not included', atoms),
  )
  withQuoteOnChain(command).action((options: Options & QuoteOnChainOptions) => {
    if (options.market === undefined) return describedQuote(options)
    const described = DESCRIPTION.find(name => command.getOptionValueSource(name) === 'cli')
    if (described !== undefined) throw new UsageError(`--${described} describes a market: --market names one`)
    return quoteOnChain(options)
  })
}

const describedQuote = answer<Options>(options => {
  const { side, margin, yt, st, pt } = options
  if ([yt, st, pt].filter(amount => amount !== undefined).length > 1) {
    throw new UsageError('give one of --yt, --pt and --st')
  }
  if (side === 'reduce' || side === 'close') throw new UsageError(`--side ${side} is of a position: say its --market`)
  const place = placeOf(options)
  const head = describeMarket(options)
  if (side === 'buy-pt' || side === 'sell-pt') {
    if (yt !== undefined) throw new UsageError('PT orders take --pt or --st')
    return quotePt(place, { kind: side, amount: pt === undefined ? { st: st ?? 10_000_000n } : { pt } }, head)
  }
  if (pt !== undefined) throw new UsageError('long and short take --leverage, --yt or --st')
  const amount = yt === undefined ? { st: st ?? legOf(margin, options.leverage) } : { yt }
  return quoteYt(place, { side, margin, amount }, head)
})
