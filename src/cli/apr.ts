/** `sunder apr`: official, leading and forecast APR of the JLP pool, its split and how well it is predicted. */
import { type Command, InvalidArgumentError } from 'commander'
import {
  type BacktestInput,
  backtest,
  forecastWeeks,
  type History,
  leadingApr,
  officialFromHistory,
  projectHistory,
  secondsOf,
  splitAt,
  usd,
} from '../oracle/index.ts'
import { historyFrom, instant } from './inputs.ts'
import { grouped, percent, table, time, toJson, UsageError } from './output.ts'

interface Options {
  readonly at?: number
  readonly history?: string
  readonly json?: boolean
}

const whole = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}

/** The history asked for, what may be learnt from besides, and the instant: the end of the history by default. */
const inputs = ({ at, history: path }: Options): { history: History; training?: History; asOf: number } => {
  const own = projectHistory()
  const history = historyFrom(path)
  const asOf = at ?? secondsOf(history.days.at(-1)!.day + 1)
  return { history, asOf, ...(path === undefined ? {} : { training: own }) }
}

const carried = (history: History): string =>
  history.aumCarried === 0
    ? ''
    : `\n${history.aumCarried} days of ${history.name} have no AUM: the last value is carried`

const band = (low: number, high: number, coverage: number): string =>
  `${percent(low)} to ${percent(high)} (${coverage} %)`

const officialRows = (history: History, asOf: number): string[][] => {
  const { kind, aprPercent, apyPercent, publishedAt } = officialFromHistory(history, asOf)
  return [
    ['official APR', percent(aprPercent), `printed ${time(publishedAt)}${kind === 'stale' ? ', stale' : ''}`],
    ['official APY', percent(apyPercent), 'compounded daily'],
  ]
}

const leadingRows = (input: { history: History; training?: History; asOf: number }): string[][] => {
  const r = leadingApr(input)
  const known = `${r.daysKnown} days${r.hours === 'none' ? '' : ` and ${r.hoursKnown} hours (${r.hours})`} known`
  return [
    ['leading APR', percent(r.aprPercent), `what the week of ${r.week} will print; ${known}`],
    ['band', '', band(r.lowPercent, r.highPercent, r.nominalCoverage)],
    ['run-rate', r.runRatePercent === undefined ? '-' : percent(r.runRatePercent), 'the week so far'],
    ['last print', r.lastPrintPercent === undefined ? '-' : percent(r.lastPrintPercent), 'the week before'],
  ]
}

const changeLine = (label: string, x9: bigint): string[] => [
  label,
  `${x9 < 0n ? '' : '+'}${(Number(x9) / 1e7).toFixed(2)} points`,
  '',
]

export const addAprCommand = (program: Command): void => {
  const apr = program
    .command('apr')
    .description('the APR of the JLP pool: official, leading, forecast, its split; from recorded history')

  const add = (name: string, description: string, how: { isDefault?: boolean } = {}): Command =>
    apr
      .command(name, how)
      .description(description)
      .option(
        '--at <instant>',
        'as of this UTC date or time; by default the end of the history',
        (text: string) => instant(text).seconds,
      )
      .option(
        '--history <file>',
        'a CSV with date,fees_usd,aum_usd instead of the project’s own (2024-01-29 to 2025-12-23)',
      )
      .option('--json', 'as JSON')

  add('official', 'what the last full week printed').action((options: Options) => {
    const { history, asOf } = inputs(options)
    if (options.json) return console.log(toJson(officialFromHistory(history, asOf)))
    console.log(table(officialRows(history, asOf), 'lrl') + carried(history))
  })

  add('leading', 'what the running week will print, with a band').action((options: Options) => {
    const input = inputs(options)
    if (options.json) return console.log(toJson(leadingApr(input)))
    console.log(table(leadingRows(input), 'lrl') + carried(input.history))
  })

  add('forecast', 'the weeks after the running one')
    .option('--weeks <n>', '1 to 12', whole, 8)
    .action((options: Options & { weeks: number }) => {
      const input = inputs(options)
      const weeks = forecastWeeks({ ...input, weeks: options.weeks })
      if (options.json) return console.log(toJson(weeks))
      const rows = weeks.map(w => [w.week, percent(w.aprPercent), band(w.lowPercent, w.highPercent, 80)])
      console.log(table([['week of', 'APR', 'band'], ...rows]) + carried(input.history))
    })

  add('split', 'the last full week: fees, AUM, what is recorded of the sources, and what changed').action(
    (options: Options) => {
      const { history, asOf } = inputs(options)
      const split = splitAt(history, asOf)
      if (options.json) return console.log(toJson(split))
      const { week, sources, change } = split
      const recorded = {
        simulated: 'by simulation of the pool',
        'closes-only': 'the total is modelled from the fees of closing positions',
        'not-recorded': 'only the total is recorded',
      }[sources.kind]
      const rows = [
        ['week of', week.date, ''],
        ['fees', `$${grouped(usd(week.feesUsdX6), 0)}`, week.kind],
        ['mean AUM', `$${grouped(usd(week.aumUsdX6), 0)}`, ''],
        ['APR', percent(week.aprPercent), '75 % of fees, annualised'],
        ['sources', '', recorded],
      ]
      if (sources.kind === 'closes-only') {
        rows.push([
          'closing fees',
          `$${grouped(usd(sources.closeFeesUsdX6), 0)}`,
          'the rest: opening, borrow, swaps, mint and burn',
        ])
      }
      if (change !== undefined) {
        rows.push(
          changeLine('change of APR', change.changeX9),
          changeLine('  by fees', change.feesX9),
          changeLine('  by TVL', change.tvlX9),
        )
      }
      console.log(table(rows, 'lrl') + carried(history))
    },
  )

  apr
    .command('backtest')
    .description('how well the leading APR predicts, walk-forward, against two naive predictors')
    .option(
      '--history <file>',
      'a CSV with date,fees_usd,aum_usd; the project’s own history may be learnt from besides',
    )
    .option('--kind <kind>', 'only weeks whose fees are real, or modelled')
    .option('--json', 'as JSON')
    .action((options: Options & { kind?: string }) => {
      if (options.kind !== undefined && options.kind !== 'real' && options.kind !== 'modelled') {
        throw new UsageError('--kind is real or modelled')
      }
      const { history, training } = inputs(options)
      const input: BacktestInput = {
        file: history,
        ...(training === undefined ? {} : { training }),
        ...(options.kind === undefined ? {} : { kind: options.kind }),
        onWeek: (done, of) => {
          if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of} weeks `)
        },
      }
      const result = backtest(input)
      if (process.stderr.isTTY) process.stderr.write('\r')
      if (options.json) return console.log(JSON.stringify(result))
      const less = (mae: number, than: number): string => `${((1 - mae / than) * 100).toFixed(0)} %`
      const rows = result.days.map(d => [
        `${d.day}`,
        d.mae.toFixed(2),
        d.maeLastPrint.toFixed(2),
        less(d.mae, d.maeLastPrint),
        d.maeRunRate.toFixed(2),
        less(d.mae, d.maeRunRate),
        `${d.coverage.toFixed(0)} %`,
      ])
      console.log(
        `${result.weeks} weeks; mean absolute error in points of APR\n` +
          table([
            [
              'days known',
              'leading',
              'last print',
              'less by',
              'run-rate',
              'less by',
              `band of ${result.nominalCoverage} %`,
            ],
            ...rows,
          ]) +
          carried(history),
      )
    })

  add('summary', 'all of the above, what the command does by itself', { isDefault: true }).action(
    (options: Options) => {
      const input = inputs(options)
      const { history, asOf } = input
      const official = officialFromHistory(history, asOf)
      if (options.json) {
        return console.log(
          toJson({ asOf, official, leading: leadingApr(input), forecast: forecastWeeks({ ...input, weeks: 4 }) }),
        )
      }
      const next = forecastWeeks({ ...input, weeks: 4 }).map(w => [
        `week of ${w.week}`,
        percent(w.aprPercent),
        band(w.lowPercent, w.highPercent, 80),
      ])
      const rows = [...officialRows(history, asOf), ...leadingRows(input), ...next]
      console.log(`as of ${time(asOf)}, ${history.name}\n${table(rows, 'lrl')}${carried(history)}`)
    },
  )
}
