/** `sunder markets` and `sunder market NAME`. */
import type { Command } from 'commander'
import { apyFromRate, formatPercent, formatQ64, formatTime } from '../../../amm/index.ts'
import { percent, table } from '../output.ts'
import { type Answer, digits } from '../question.ts'
import { asking, asks, type ChainOptions } from './command.ts'
import type { Venue } from './connection.ts'
import { ladder, type MarketFigures, marketFigures, marketJson } from './market-figures.ts'
import { amount, duration, times } from './show.ts'
import { commonOf, headOf, marketNamed, marketsOf, type Standing, standingOf } from './standing.ts'

export const standings = async (venue: Venue): Promise<Standing[]> => {
  const [markets, common] = await Promise.all([marketsOf(venue), commonOf(venue)])
  return Promise.all(markets.map(market => standingOf(venue, market, {}, common)))
}

const fraction = (value: number | undefined): string => (value === undefined ? '-' : `${(value * 100).toFixed(2)}%`)

const rowOf = ({ name, kind, maturity, tauSeconds, status, view, officialApr, fixedApy }: MarketFigures): string[] => {
  const isOver = tauSeconds === 0
  return [
    name,
    kind,
    formatTime(maturity).slice(0, 10),
    isOver ? '-' : formatPercent(view.impliedApy),
    percent(officialApr),
    isOver ? '-' : formatQ64(view.ytPrice, 6),
    fraction(fixedApy),
    amount(view.depthPerBp, 0),
    amount(view.longYt, 0),
    amount(view.tvl, 0),
    isOver ? '-' : times(view.mostLeverage.long),
    status,
  ]
}

const HEAD = [
  ...['market', 'coupons', 'matures', 'implied APY', 'official APR', 'YT price', 'PT fixes', 'YT per bp', 'YT open'],
  ...['TVL (JLP)', 'leverage', 'status'],
]

export const marketsTable = (all: readonly MarketFigures[]): string =>
  all.length === 0 ? 'no market is open on this chain' : table([HEAD, ...all.map(rowOf)], 'lllrrrrrrrrl')

/** Where a market stands among the others: implied APYs by maturity. */
const termStructure = (all: readonly MarketFigures[], name: string): string[][] =>
  all
    .filter(({ tauSeconds }) => tauSeconds > 0)
    .map(market => [
      market.name,
      duration(market.maturity - market.now),
      formatPercent(market.view.impliedApy),
      market.name === name ? '<' : '',
    ])

const detail = (standing: Standing, all: readonly MarketFigures[]): Answer => {
  const figures = marketFigures(standing)
  const { view, status, officialApr, fixedApy, tauSeconds } = figures
  const rungs = tauSeconds === 0 ? [] : ladder(standing.walk.stored.pool)
  const others = termStructure(all, standing.name)
  const { terms } = standing.reading
  const rows = [
    ['status', status, `${figures.kind} coupons, discount ${formatQ64(view.discount, 6)} JLP per ST`],
    ['implied APY', formatPercent(view.impliedApy), `${formatPercent(apyFromRate(view.twapRate))} time-weighted`],
    ['official APR', percent(officialApr), 'of the pool, as Jupiter last printed it'],
    ['YT price', formatQ64(view.ytPrice, 6), `ST; PT ${formatQ64(view.ptPrice, 6)}`],
    ['PT fixes', fraction(fixedApy), 'APY against ST until maturity, for 100 JLP, impact and fee included'],
    ['depth', amount(view.depthPerBp), 'YT move the rate by 1 bp'],
    ['open interest', amount(view.longYt), `YT held, ${amount(view.shortYt)} owed; ${amount(view.pt)} PT`],
    ['TVL', amount(view.tvl), `JLP; LPs ${amount(view.lpEquity)}, insurance ${amount(view.fund)}`],
    ['most leverage', times(view.mostLeverage.long), `long, ${times(view.mostLeverage.short)} short`],
    ['fee', `${terms.feeBps} bp`, 'of the ST leg'],
  ]
  const steps = rungs.map(({ apy, side, yt, jlp }) => [formatPercent(apy), side, amount(yt), 'YT', amount(jlp), 'JLP'])
  return {
    figures: {
      ...marketJson(figures),
      feeBps: terms.feeBps,
      depth: rungs.map(({ apy, ...rung }) => ({ apy: digits(apy), ...rung })),
      termStructure: all
        .filter(one => one.tauSeconds > 0)
        .map(one => ({ name: one.name, maturity: one.maturity, impliedApy: digits(one.view.impliedApy) })),
    },
    text: [
      headOf(standing),
      table(rows, 'lrl'),
      ...(steps.length === 0 ? [] : ['', 'to move the implied APY to', table(steps, 'rlrlrl')]),
      ...(others.length === 0 ? [] : ['', 'implied APY by maturity', table(others, 'lrrl')]),
    ].join('\n'),
  }
}

export const addMarketsCommands = (program: Command): void => {
  asking(program, 'markets', 'the markets of a chain', 'sunder markets').action(
    asks<ChainOptions>(async venue => {
      const all = (await standings(venue)).map(marketFigures)
      return { figures: all.map(marketJson), text: marketsTable(all) }
    }),
  )
  asking(
    program,
    'market <name>',
    'one market: prices, depth by APY, where it stands among the maturities',
    'sunder market JLP-2411',
  ).action(
    asks<ChainOptions>(async (venue, _, name) => {
      const market = marketNamed(name!)
      const own = await standingOf(venue, market)
      return detail(own, (await standings(venue)).map(marketFigures))
    }),
  )
}
