/** `sunder simulate`: what becomes of a position if the pool earns this and the market implies that. */
import type { Command } from 'commander'
import { formatAtoms, formatPercent } from '../../amm/index.ts'
import { type Holding, legOf, type Row, real, type Simulation, simulate, ticksOf } from '../strategy/index.ts'
import { percent, table, UsageError } from './output.ts'
import {
  answer,
  apy,
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

interface Options extends MarketOptions {
  readonly position: 'yt' | 'pt' | 'lp'
  readonly side: 'long' | 'short'
  readonly margin: bigint
  readonly leverage: number
  readonly jlp: bigint
  readonly realised: readonly number[]
  readonly implied?: readonly number[]
  readonly hold?: number
}

/** "50%", or one a day: "30%,40%,50%". */
const apys = (text: string): readonly number[] => text.split(',').map(item => real(apy(item.trim())))

const wholeDays = (text: string): number => {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError('--hold is a whole number of days')
  return Number(text)
}

const holdingOf = ({ position, side, margin, leverage, jlp, range: [lower, upper] }: Options): Holding =>
  position === 'yt'
    ? { kind: 'yt', side, margin, amount: { st: legOf(margin, leverage) } }
    : position === 'pt'
      ? { kind: 'pt', jlp }
      : { kind: 'lp', jlp, ...ticksOf(lower, upper) }

/** The opening, the end of each week, the end, and every day with a liquidation. */
const byWeek = (rows: readonly Row[]): { readonly row: Row; readonly coupons: bigint }[] => {
  let before = 0n
  return rows
    .filter(({ day, liquidated }) => day % 7 === 0 || liquidated || day === rows.length - 1)
    .map(row => {
      const coupons = row.parts.coupons - before
      before = row.parts.coupons
      return { row, coupons }
    })
}

const jlpOf = (atoms: bigint): string => formatAtoms(atoms, 4)
const HEAD = ['day', 'implied', 'coupons', 'value', 'CR', 'coupons to date', 'decay', 'rate move', 'fees', '']

const cells = ({ row, coupons }: ReturnType<typeof byWeek>[number]): string[] => [
  `${row.day}`,
  formatPercent(row.impliedApy),
  jlpOf(coupons),
  jlpOf(row.value),
  percentOr(row.ratio),
  ...[row.parts.coupons, row.parts.decay, row.parts.rateMove, row.parts.fees].map(jlpOf),
  row.liquidated ? 'liquidated' : '',
]

const totals = ({ paid, received, left, profit, returned, unpaid, matured, complete }: Simulation): string[][] => [
  [
    'paid',
    formatAtoms(paid),
    complete ? 'JLP' : 'JLP; the order was filled in part: the market has no more liquidity at its price',
  ],
  ['received', formatAtoms(received), matured ? 'JLP at maturity' : 'JLP, sold at the end'],
  ...(left === 0n ? [] : [['left', formatAtoms(left), 'JLP at the spot, which the market did not take']]),
  ['profit', formatAtoms(profit), `JLP, ${percent(returned * 100)} of what was paid`],
  ...(unpaid === 0
    ? []
    : [['held back', percent(unpaid * 100), 'of yield above the caps on coupons, not paid by then']]),
]

export const addSimulateCommand = (program: Command): void => {
  withMarket(
    question(
      program,
      'simulate',
      'what if the APY averages 50 %: coupons, value and profit of a position by week',
      'sunder simulate --side long --margin 1 --leverage 10 --apy 34% --days 86 --realised 50%',
    )
      .requiredOption(
        '--realised <apys>',
        'what the pool earns: an APY, or one a day, the last for all that follow',
        apys,
      )
      .option(
        '--implied <apys>',
        'where the market goes, likewise; left out, the rate stays where the order left it',
        apys,
      )
      .addOption(option('--position <kind>', 'yt, pt or lp', oneOf('--position', 'yt', 'pt', 'lp'), 'yt'))
      .addOption(option('--side <side>', 'of YT: long or short', oneOf('--side', 'long', 'short'), 'long'))
      .addOption(option('--margin <jlp>', 'margin of YT; the fee comes on top', atoms, '1'))
      .addOption(option('--leverage <n>', 'ST leg per margin', leverage, '10'))
      .addOption(option('--jlp <n>', 'what goes into PT, or into liquidity over --range', atoms, '10'))
      .option('--hold <days>', 'sell after so many days instead of at maturity', wholeDays),
  ).action(
    answer<Options>(options => {
      const { realised, implied, hold } = options
      const result = simulate(placeOf(options), holdingOf(options), { realised, ...(implied && { implied }) }, hold)
      const text =
        `${describeMarket(options)}; amounts in JLP, so that profit is what holding JLP itself would not have\n${table([HEAD, ...byWeek(result.rows).map(cells)], 'rrrrrrrrrl')}\n\n` +
        table(totals(result), 'lrl')
      const rows = result.rows.map(({ impliedApy, discount, ratio, ...row }) => ({
        ...row,
        impliedApy: digits(impliedApy),
        discount: digits(discount),
        ratio: digits(ratio),
      }))
      return { figures: { ...result, rows }, text }
    }),
  )
}
