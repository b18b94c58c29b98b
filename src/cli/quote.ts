/** `sunder quote`: what an order costs in a market that is described by a few words. */
import type { Command } from 'commander'
import {
  apyFromRate,
  formatAtoms,
  formatPercent,
  formatQ64,
  type JlpAtoms,
  type PtAtoms,
  quote,
  type RateQ64,
  tickRate,
} from '../../amm/index.ts'
import { YEAR_SECONDS } from '../../amm/units.ts'
import {
  leastMarginFor,
  legOf,
  mostLeverageFor,
  open,
  type Place,
  real,
  refused,
  StrategyError,
  Walk,
  wordsFor,
  type YtOrder,
} from '../strategy/index.ts'
import { table, UsageError } from './output.ts'
import {
  type Answer,
  answer,
  atoms,
  describeMarket,
  digits,
  leverage,
  type MarketOptions,
  oneOf,
  option,
  percentOr,
  placeOf,
  question,
  withMarket,
} from './question.ts'

const PARTLY = '; filled in part: the rate stops 10 % from the TWAP, or where liquidity ends'
const times = (value: number): string => `${value.toFixed(2)}x`

interface Options extends MarketOptions {
  readonly side: 'long' | 'short' | 'buy-pt' | 'sell-pt'
  readonly margin: bigint
  readonly leverage: number
  readonly yt?: bigint
  readonly pt?: bigint
  readonly st?: bigint
}

/** An order for YT, or the refusal with what would be taken instead. */
const quoteYt = (place: Place, order: YtOrder, options: Options): Answer => {
  const most = mostLeverageFor(place, order.side, order.margin)
  let opened: ReturnType<typeof open>
  try {
    opened = open(new Walk(place), order)
  } catch (error) {
    if (!(error instanceof StrategyError) || error.code !== 'undercollateralised') throw error
    const margin = leastMarginFor(place, order)
    const instead = [
      ...(most > 0 ? [`at most ${times(most)} with ${formatAtoms(order.margin, 2)} JLP of margin`] : []),
      ...(margin === undefined ? [] : [`at least ${formatAtoms(margin)} JLP of margin for this order`]),
    ].join(', or ')
    const words = wordsFor({ code: error.code, context: error.context })
    throw new StrategyError(error.code, `${words}. This market takes ${instead}`, error.context)
  }
  const { filled, amount, fee, complete, paid, averagePrice, averageApy, impactBp, account } = opened
  const [before, after] = [opened.rateBefore, opened.rateAfter].map(rate => apyFromRate(rate as RateQ64))
  const { ratio, ratioAtTwap, liquidationRate, liquidationPrice } = account
  const figures = {
    kind: 'quoted',
    ...{ filled, amount, fee, complete, paid, impactBp, mostLeverage: most },
    averagePrice: digits(averagePrice),
    averageApy: digits(averageApy),
    apyBefore: digits(before),
    apyAfter: digits(after),
    ratio: digits(ratio),
    ratioAtTwap: digits(ratioAtTwap),
    liquidationApy: digits(liquidationRate && apyFromRate(liquidationRate)),
    liquidationPrice: digits(liquidationPrice),
    breakEvenApy: digits(opened.breakEvenApy),
  }
  const liquidation =
    liquidationRate === undefined
      ? ['-', 'nowhere in the range of rates']
      : [
          formatPercent(apyFromRate(liquidationRate)),
          `implied APY, at a YT price of ${formatQ64(liquidationPrice!, 6)} ST`,
        ]
  const verb = order.side === 'long' ? 'bought' : 'sold'
  const text = `${describeMarket(options)}\n${table(
    [
      [verb, formatAtoms(filled), `YT for ${formatAtoms(amount)} JLP${complete ? '' : PARTLY}`],
      ['average price', formatQ64(averagePrice, 6), `ST, an APY of ${percentOr(averageApy)}`],
      ['impact', impactBp.toFixed(0), `bp; implied APY ${formatPercent(before!)} to ${formatPercent(after!)}`],
      ['fee', formatAtoms(fee), 'JLP, on top of the margin'],
      ['paid in', formatAtoms(paid), 'JLP'],
      [
        'collateral ratio',
        percentOr(ratio),
        `at the spot; ${percentOr(ratioAtTwap)} at the TWAP (opening needs 106.05 %)`,
      ],
      ['liquidation', ...liquidation],
      ['breaks even', percentOr(opened.breakEvenApy), 'average APY of the pool until maturity'],
      [
        'most leverage',
        most > 0 ? times(most) : '-',
        `with this margin in this pool; ${times(real(account.mostLeverage))} at this rate`,
      ],
    ],
    'lrl',
  )}`
  return { figures, text }
}

/** An order for PT: the kernel's quote, which is the trade. */
const quotePt = (place: Place, options: Options & { side: 'buy-pt' | 'sell-pt' }): Answer => {
  const { side: kind, pt, st = 10_000_000n } = options
  const { pool } = place.state.markets.get(place.market)!
  const limitRate = tickRate(kind === 'buy-pt' ? pool.grid.minTick : pool.grid.maxTick)
  const amounts = pt === undefined ? { st: st as JlpAtoms } : { pt: pt as PtAtoms }
  const quoted = quote(pool, { kind, ...amounts, limitRate })
  if (quoted.kind === 'rejected') throw refused({ ...quoted, kind: 'refused' })
  const { filled, amount, fee, complete, averagePrice, impactBp, apyBefore, apyAfter } = quoted
  const total = kind === 'buy-pt' ? amount + fee.total : amount - fee.total
  const fixedApy = (Number(filled) / Number(total)) ** (YEAR_SECONDS / pool.tauSeconds) - 1
  const figures = {
    ...{ kind: 'quoted', filled, amount, fee: fee.total, total, complete, impactBp, fixedApy },
    averagePrice: digits(averagePrice),
    apyBefore: digits(apyBefore),
    apyAfter: digits(apyAfter),
  }
  const buys = kind === 'buy-pt'
  const text = `${describeMarket(options)}\n${table(
    [
      [
        buys ? 'bought' : 'sold',
        formatAtoms(filled),
        `PT for ${formatAtoms(amount)} JLP${complete ? '' : '; filled in part'}`,
      ],
      ['average price', formatQ64(averagePrice, 6), 'ST'],
      ['impact', impactBp.toFixed(2), `bp; implied APY ${formatPercent(apyBefore)} to ${formatPercent(apyAfter)}`],
      ['fee', formatAtoms(fee.total), 'JLP'],
      [buys ? 'paid' : 'received', formatAtoms(total), 'JLP, fee included'],
      [
        'fixed APY',
        `${(fixedApy * 100).toFixed(2)}%`,
        buys ? 'against ST to maturity, after the fee' : 'given up, after the fee',
      ],
    ],
    'lrl',
  )}`
  return { figures, text }
}

export const addQuoteCommand = (program: Command): void => {
  withMarket(
    question(
      program,
      'quote',
      'what an order costs, price impact, fee and margin included; or why it is refused',
      'sunder quote --side long --margin 1 --leverage 10 --apy 34% --days 86 --liquidity 569 --range 25%-45%',
    )
      .addOption(
        option(
          '--side <side>',
          'long, short, buy-pt or sell-pt',
          oneOf('--side', 'long', 'short', 'buy-pt', 'sell-pt'),
          'long',
        ),
      )
      .addOption(option('--margin <jlp>', 'margin of a long or short; the fee comes on top', atoms, '1'))
      .addOption(option('--leverage <n>', 'ST leg per margin', leverage, '10'))
      .option('--yt <n>', 'long or short so many YT instead', atoms)
      .option('--pt <n>', 'buy or sell so many PT', atoms)
      .option('--st <n>', 'trade for so much ST (counted in JLP), fee not included', atoms),
  ).action(
    answer<Options>(options => {
      const { side, margin, yt, st, pt } = options
      if ([yt, st, pt].filter(amount => amount !== undefined).length > 1) {
        throw new UsageError('give one of --yt, --pt and --st')
      }
      const place = placeOf(options)
      if (side === 'buy-pt' || side === 'sell-pt') {
        if (yt !== undefined) throw new UsageError('PT orders take --pt or --st')
        return quotePt(place, { ...options, side })
      }
      if (pt !== undefined) throw new UsageError('long and short take --leverage, --yt or --st')
      const amount = yt === undefined ? { st: st ?? legOf(margin, options.leverage) } : { yt }
      return quoteYt(place, { side, margin, amount }, options)
    }),
  )
}
