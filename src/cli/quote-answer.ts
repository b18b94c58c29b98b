/** What a quote says, of an order for YT or for PT: the same in a market that is described and in one of a chain. */
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
import {
  annual,
  leastMarginFor,
  mostLeverageFor,
  type Opened,
  type Place,
  real,
  refused,
  StrategyError,
  wordsFor,
  type YtOrder,
} from '../strategy/index.ts'
import { table } from './output.ts'
import { type Answer, digits, percentOr } from './question.ts'

const PARTLY = '; filled in part: the rate stops 10 % from the TWAP, or where liquidity ends'
const times = (value: number): string => `${value.toFixed(2)}x`

/** A refusal of an order for a new account for want of margin, with what would be taken instead; any other as it is. */
export const insteadOf = (error: unknown, place: Place, order: YtOrder): unknown => {
  if (!(error instanceof StrategyError) || error.code !== 'undercollateralised') return error
  const most = mostLeverageFor(place, order.side, order.margin)
  const margin = leastMarginFor(place, order)
  const instead = [
    ...(most > 0 ? [`at most ${times(most)} with ${formatAtoms(order.margin, 2)} JLP of margin`] : []),
    ...(margin === undefined ? [] : [`at least ${formatAtoms(margin)} JLP of margin for this order`]),
  ].join(', or ')
  const words = wordsFor({ code: error.code, context: error.context })
  return new StrategyError(error.code, `${words}. This market takes ${instead}`, error.context)
}

/** What an order for YT comes to. `most`: leverage that the market takes with this margin, of a new position. */
export const ytAnswer = (opened: Opened, verb: 'bought' | 'sold', head: string, most?: number): Answer => {
  const { filled, amount, fee, complete, paid, averagePrice, averageApy, impactBp, account } = opened
  const [before, after] = [opened.rateBefore, opened.rateAfter].map(rate => apyFromRate(rate as RateQ64))
  const { ratio, ratioAtTwap, liquidationRate, liquidationPrice } = account
  const figures = {
    kind: 'quoted',
    ...{ filled, amount, fee, complete, paid, impactBp },
    ...(most === undefined ? {} : { mostLeverage: most }),
    margin: account.margin,
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
  const text = `${head}\n${table(
    [
      [verb, formatAtoms(filled), `YT for ${formatAtoms(amount)} JLP${complete ? '' : PARTLY}`],
      ['average price', formatQ64(averagePrice, 6), `ST, an APY of ${percentOr(averageApy)}`],
      ['impact', impactBp.toFixed(0), `bp; implied APY ${formatPercent(before!)} to ${formatPercent(after!)}`],
      ['fee', formatAtoms(fee), paid > 0n ? 'JLP, on top of the margin' : 'JLP, out of the margin'],
      ...(paid > 0n ? [['paid in', formatAtoms(paid), 'JLP']] : []),
      ...(account.yt === 0n
        ? [['margin', formatAtoms(account.margin), 'JLP afterwards, without a position']]
        : [
            [
              'collateral ratio',
              percentOr(ratio),
              `at the spot; ${percentOr(ratioAtTwap)} at the TWAP (opening needs 106.05 %)`,
            ],
            ['liquidation', ...liquidation],
          ]),
      ...(opened.breakEvenApy === undefined
        ? []
        : [['breaks even', percentOr(opened.breakEvenApy), 'average APY of the pool until maturity']]),
      ...(most === undefined
        ? []
        : [
            [
              'most leverage',
              most > 0 ? times(most) : '-',
              `with this margin in this pool; ${times(real(account.mostLeverage))} at this rate`,
            ],
          ]),
    ],
    'lrl',
  )}`
  return { figures, text }
}

export interface PtOrder {
  readonly kind: 'buy-pt' | 'sell-pt'
  readonly amount: { readonly pt: bigint } | { readonly st: bigint }
  /** Q64.64; the end of the market's rates by default. */
  readonly limitRate?: bigint
}

/** An order for PT: the kernel's quote, which is the trade. */
export const quotePt = (place: Place, { kind, amount: wanted, limitRate }: PtOrder, head: string): Answer => {
  const { pool } = place.state.markets.get(place.market)!
  const end = tickRate(kind === 'buy-pt' ? pool.grid.minTick : pool.grid.maxTick)
  const amounts = 'pt' in wanted ? { pt: wanted.pt as PtAtoms } : { st: wanted.st as JlpAtoms }
  const quoted = quote(pool, { kind, ...amounts, limitRate: (limitRate ?? end) as RateQ64 })
  if (quoted.kind === 'rejected') throw refused({ ...quoted, kind: 'refused' })
  const { filled, amount, fee, complete, averagePrice, impactBp, apyBefore, apyAfter } = quoted
  const total = kind === 'buy-pt' ? amount + fee.total : amount - fee.total
  const fixedApy = annual((Number(filled) * real(pool.discount)) / Number(total), pool.tauSeconds)
  const figures = {
    ...{ kind: 'quoted', filled, amount, fee: fee.total, total, complete, impactBp, fixedApy },
    averagePrice: digits(averagePrice),
    apyBefore: digits(apyBefore),
    apyAfter: digits(apyAfter),
  }
  const buys = kind === 'buy-pt'
  const text = `${head}\n${table(
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
