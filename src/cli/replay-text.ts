/** A replay's report in words and tables. */
import { formatAtoms, formatTime } from '../../amm/index.ts'
import { ACTOR_KINDS, type ActorKind, type Report } from '../strategy/replay/index.ts'
import { grouped, percent, table } from './output.ts'

const NAMES: Readonly<Record<ActorKind, string>> = {
  lp: 'liquidity providers',
  saver: 'savers (PT)',
  long: 'leveraged longs',
  short: 'leveraged shorts',
  spot: 'spot YT traders',
  arbitrageur: 'arbitrageurs',
}

const jlp = (atoms: bigint, digits = 0): string => grouped(Number(atoms) / 1e6, digits)
const signed = (atoms: bigint): string => (atoms > 0n ? `+${jlp(atoms)}` : jlp(atoms))
export const apy = (value: number | undefined): string => (value === undefined ? '-' : percent(100 * value))

/** What each kind of user made, a row each below the names of the columns. */
export const usersOf = ({ users, keeper, treasury, fund }: Report): string[][] => [
  ['', 'accounts', 'trades', 'JLP brought', 'profit', 'of it', 'best', 'worst'],
  ...ACTOR_KINDS.map(kind => {
    const { accounts, trades, capital, profit, best, worst } = users[kind]
    const share = capital > 0n ? percent((100 * Number(profit)) / Number(capital)) : '-'
    return [NAMES[kind], `${accounts}`, `${trades}`, jlp(capital), signed(profit), share, signed(best), signed(worst)]
  }),
  ['keeper', '', '', '', signed(keeper), '', '', ''],
  ['protocol', '', '', '', signed(treasury), '', '', ''],
  ['insurance fund', '', '', '', signed(fund), '', '', ''],
]

/** Volume, fees, liquidations, losses and what LPs earned by source: a name, a figure and what there is to say. */
export const figuresOf = (r: Report): string[][] => {
  const { volume, liquidity, liquidations, losses } = r
  const takeOvers = liquidations.filter(({ kind }) => kind === 'taken-over').length
  const refused = Object.entries(volume.refused).sort(([, a], [, b]) => b - a)
  return [
    ['trades', grouped(volume.trades, 0), `of ${grouped(volume.instructions, 0)} instructions applied`],
    ['volume', `${jlp(volume.jlp)} JLP`, `${jlp(volume.yt)} YT`],
    ['fees', `${jlp(volume.fees, 2)} JLP`, ''],
    [
      'liquidations',
      `${liquidations.length - takeOvers}`,
      `and ${takeOvers} accounts taken over by the insurance fund`,
    ],
    [
      'losses',
      `${jlp(losses.fund + losses.deficit, 2)} JLP`,
      `${jlp(losses.fund, 2)} paid by the fund, ${jlp(losses.deficit, 2)} became deficit, ${jlp(r.deficit, 2)} of it is left`,
    ],
    [
      'LP return',
      `${signed(liquidity.profit)} JLP`,
      `${apy(liquidity.apr)} a year on ${jlp(liquidity.averageEquity)} JLP: fees ${signed(liquidity.fees)}, ` +
        `coupons less decay ${signed(liquidity.carry)}, rate moves ${signed(liquidity.price)}`,
    ],
    [
      'refused',
      grouped(
        refused.reduce((sum, [, count]) => sum + count, 0),
        0,
      ),
      refused.map(pair => pair.join(' ')).join(', '),
    ],
  ]
}

/** Whether the books held, in one line. */
export const identityOf = ({ identity }: Report): string => {
  const { checked, violations, maxDustAtoms, firstViolation } = identity
  const dust = `at most ${maxDustAtoms} atoms (${formatAtoms(BigInt(maxDustAtoms))} JLP) of dust`
  const first = firstViolation === undefined ? '' : `; the first: ${firstViolation}`
  return `ledger identity: summed afresh ${grouped(checked, 0)} times, ${violations} violations, ${dust}${first}`
}

/** The report as people read it. */
export const describe = (r: Report): string => {
  const { prices, days } = r
  const spread = (s: Report['prices']['ytPrice'], show: (value: number) => string): string[] =>
    [s.first, s.last, s.least, s.most].map(show)
  const weekly = days.filter((_, i) => i % 7 === 0 || i === days.length - 1)
  return [
    `${r.market}, ${r.coupons} coupons, ${formatTime(r.from)} to ${formatTime(r.to)}, seed ${r.seed}`,
    `coupons: ${r.history}, ${r.sources.coupons}; order flow: ${r.sources.flow}; profits are in JLP, against holding JLP`,
    '',
    table([
      ['', 'first', 'last', 'least', 'most'],
      ['implied APY', ...spread(prices.impliedApy, apy)],
      ['YT price, ST', ...spread(prices.ytPrice, value => value.toFixed(6))],
      ['realised APY', apy(prices.realisedApy)],
    ]),
    '',
    table([
      ['day', 'implied', 'realised 7d', 'leading', 'YT price', 'YT per bp', 'long YT', 'short YT', 'trades', 'volume'],
      ...weekly.map(d => [
        new Date(d.time * 1000).toISOString().slice(0, 10),
        apy(d.impliedApy),
        apy(d.realisedApy),
        apy(d.leadingApy),
        d.ytPrice.toFixed(5),
        jlp(d.depthPerBp),
        jlp(d.longYt),
        jlp(d.shortYt),
        `${d.trades}`,
        jlp(d.volumeJlp),
      ]),
    ]),
    '',
    table(usersOf(r)),
    '',
    table(figuresOf(r), 'lrl'),
    '',
    identityOf(r),
  ].join('\n')
}
