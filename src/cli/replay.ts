/** `sunder replay`: a market run over recorded history with simulated users, and what came of it. */
import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type CouponKind, formatTime, parseMarketName } from '../../amm/index.ts'
import { type Progress, type Report, replay } from '../strategy/replay/index.ts'
import { historyFrom, instant } from './inputs.ts'
import { toJson, UsageError } from './output.ts'
import { replayPage } from './replay-page.ts'
import { describe } from './replay-text.ts'

interface Options {
  readonly from: number
  readonly to: { readonly seconds: number; readonly isDate: boolean }
  readonly kind: string
  readonly seed: string
  readonly accounts: string
  readonly history?: string
  readonly html?: string
  readonly json?: boolean
}

const DAY_SECONDS = 86_400
const HOUR_SECONDS = 3600

const whole = (name: string, text: string, least: number, most: number): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`--${name} is a whole number from ${least} to ${most}, got "${text}"`)
  }
  return value
}

/** The market that matures in the month of the window's last day. */
const windowOf = ({ from, to, kind }: Options) => {
  if (kind !== 'hourly' && kind !== 'weekly') throw new UsageError(`--kind is hourly or weekly, got "${kind}"`)
  const last = to.isDate ? to.seconds + DAY_SECONDS : to.seconds
  const [year, month] = new Date((last - 1) * 1000).toISOString().slice(2, 7).split('-')
  const { maturity } = parseMarketName(`JLP-${year}${month}`)
  const end = Math.min(last, maturity)
  if (from % HOUR_SECONDS !== 0 || end % HOUR_SECONDS !== 0) {
    throw new UsageError('A window begins and ends at a full hour')
  }
  if (end - from < DAY_SECONDS) {
    throw new UsageError(
      `The window is less than a day: ${formatTime(from)} to ${formatTime(end)} (markets mature on the last Friday)`,
    )
  }
  return { from, to: end, maturity, kind: kind as CouponKind }
}

const showProgress = ({ done, of, trades }: Progress): void => {
  const { stderr } = process
  const share = done / of
  if (!stderr.isTTY) {
    if (Math.floor(share * 4) > Math.floor(((share * of - DAY_SECONDS) / of) * 4)) {
      stderr.write(`replayed ${Math.floor(share * 100)} %, ${trades} trades\n`)
    }
    return
  }
  const width = 40
  const full = Math.round(share * width)
  stderr.write(`\r[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${Math.floor(share * 100)} %  ${trades} trades `)
  if (done >= of) stderr.write(`\r${' '.repeat(width + 40)}\r`)
}

export const addReplayCommand = (program: Command): void => {
  program
    .command('replay')
    .description(
      'a market over recorded history: recorded coupons, simulated users, books summed after every instruction',
    )
    .option(
      '--from <date>',
      'UTC date or full hour',
      (text: string) => instant(text).seconds,
      Date.UTC(2024, 8, 5) / 1000,
    )
    .option('--to <date>', 'UTC date or full hour; the market matures in its month', instant, {
      seconds: Date.UTC(2024, 10, 29) / 1000,
      isDate: true,
    })
    .option('--kind <kind>', 'coupons: hourly or weekly', 'hourly')
    .option('--seed <n>', 'of the simulated flow: the same seed gives the same bytes', '1')
    .option('--accounts <n>', 'users of each kind', '20')
    .option('--history <file>', 'a CSV with date,fees_usd,aum_usd instead of the project’s own')
    .option('--html <file>', 'write one self-contained page with charts')
    .option('--json', 'everything, as JSON')
    .addHelpText('after', '\nExample:\n  sunder replay --from 2024-09-05 --to 2024-11-29 --html replay.html')
    .action((options: Options) => {
      const run = replay({
        ...windowOf(options),
        history: historyFrom(options.history),
        seed: BigInt(whole('seed', options.seed, 0, Number.MAX_SAFE_INTEGER)),
        accountsPerKind: whole('accounts', options.accounts, 1, 1000),
        looksPerHour: 20,
        checked: 'every instruction',
      })
      let step = run.next()
      for (; !step.done; step = run.next()) showProgress(step.value)
      const report = step.value
      if (options.html !== undefined) writePage(options.html, report)
      console.log(options.json ? toJson(report) : describe(report))
      if (report.identity.violations > 0) process.exitCode = 1
    })
}

const writePage = (path: string, report: Report): void => {
  try {
    writeFileSync(path, replayPage(report))
  } catch (error) {
    throw new UsageError(`Cannot write ${path}: ${(error as Error).message}`)
  }
}
