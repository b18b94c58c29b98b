/** `sunder position`: the figures of a margin account, as RateX documents them. */
import type { Command } from 'commander'
import {
  apyFromRate,
  formatAtoms,
  formatPercent,
  formatQ64,
  ONE_Q64,
  rateFromApy,
  rateFromYtPrice,
  ytPrice,
} from '../../amm/index.ts'
import { assets, DEFAULT_TERMS, entryPrice, isSpot, liabilities, priceAtRatio } from '../exchange/index.ts'
import { table, UsageError } from './output.ts'
import { answer, apy, atoms, decimal, question, secondsOfDays } from './question.ts'

interface Options {
  readonly yt: bigint
  readonly st: bigint
  readonly margin: bigint
  readonly price?: bigint
  readonly apy?: bigint
  readonly days?: number
  readonly json?: boolean
}

const signed = (text: string): bigint => (text.startsWith('-') ? -atoms(text.slice(1)) : atoms(text))

/** Price of YT: as given, or from APY and time. */
const priceOf = ({ price, apy, days }: Options): bigint => {
  if (price !== undefined && apy !== undefined) throw new UsageError('give --price or --apy with --days, not both')
  if (price !== undefined) return price
  if (apy === undefined || days === undefined) throw new UsageError('give --price, or --apy with --days')
  return ytPrice(rateFromApy(apy), days)
}

/** The APY at which YT costs `price`, where the time is given and there is one. */
const apyOf = (price: bigint | undefined, days: number | undefined): string | undefined =>
  price === undefined || days === undefined || price <= 0n || price * 54n >= ONE_Q64 * 53n
    ? undefined
    : formatPercent(apyFromRate(rateFromYtPrice(price, days)))

export const addPositionCommand = (program: Command): void => {
  question(
    program,
    'position',
    'entry price, profit, collateral ratio, liquidation price and leverage of YT and ST legs with a margin',
    'sunder position --yt 100 --st -10 --margin 1 --price 0.1',
  )
    .requiredOption('--yt <n>', 'YT, negative for a short', signed)
    .requiredOption('--st <n>', 'the ST leg, negative for a long', signed)
    .requiredOption('--margin <n>', 'margin; all three in ST', atoms)
    .option('--price <p>', 'price of YT in ST', decimal)
    .option('--apy <apy>', 'or the implied APY', apy)
    .option('--days <n>', 'and the days to maturity', secondsOfDays)
    .option('--json', 'as JSON')
    .action(
      answer<Options>(options => {
        const { yt, st, margin, days } = options
        if (yt === 0n) throw new UsageError('--yt is not zero')
        const price = priceOf(options)
        if (price >= ONE_Q64) throw new UsageError('YT costs less than 1 ST')
        const account = { margin, st, yt }
        const { maintenanceBps, initialBps } = DEFAULT_TERMS.hourly
        const owed = liabilities(account, price)
        const ratio = owed === 0n ? undefined : (assets(account, price) << 64n) / owed
        const entry = entryPrice(account, ONE_Q64)!
        const spot = isSpot(account, ONE_Q64)
        const liquidation = spot ? undefined : priceAtRatio(account, BigInt(maintenanceBps))
        const profit = (((yt * (price - entry)) >> 63n) + 1n) >> 1n
        const percentOfMargin = margin === 0n ? undefined : (profit * ONE_Q64) / margin
        const leverage = margin === 0n ? undefined : ((st < 0n ? -st : st) << 64n) / margin
        const bps = ratio === undefined ? undefined : (ratio * 10_000n + (1n << 63n)) >> 64n
        const standing =
          spot || bps === undefined
            ? 'spot: cannot be liquidated'
            : bps >= initialBps
              ? 'could be opened'
              : bps >= maintenanceBps
                ? 'healthy, but below the 110 % of an opening'
                : 'can be liquidated'
        const q = (value: bigint | undefined, digits: number): string | undefined =>
          value === undefined ? undefined : formatQ64(value, digits)
        const figures = {
          price: q(price, 15),
          entryPrice: q(entry, 15),
          profit: formatAtoms(profit),
          profitOfMargin: q(percentOfMargin, 6),
          collateralRatio: q(ratio, 6),
          liquidationPrice: q(liquidation, 15),
          leverage: q(leverage, 6),
          liquidationApy: apyOf(liquidation, days),
          standing,
        }
        const withApy = (value: bigint | undefined): string => {
          const shown = apyOf(value, days)
          return shown === undefined ? 'ST' : `ST, an APY of ${shown}`
        }
        const rows = [
          ['entry price', formatQ64(entry, 7), withApy(entry)],
          ['price', formatQ64(price, 7), withApy(price)],
          [
            'profit',
            figures.profit,
            `ST${percentOfMargin === undefined ? '' : `, ${formatPercent(percentOfMargin)} of margin`}`,
          ],
          ['collateral ratio', ratio === undefined ? '-' : formatPercent(ratio), standing],
          ['liquidation price', q(liquidation, 7) ?? '-', liquidation === undefined ? '' : withApy(liquidation)],
          ['leverage', leverage === undefined ? '-' : `${formatQ64(leverage, 2)}x`, 'ST leg per margin'],
        ]
        return { figures, text: table(rows, 'lrl') }
      }),
    )
}
