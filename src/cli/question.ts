/** How questions about the exchange are read from the command line and answered. */
import { type Command, Option } from 'commander'
import type { CodedError } from '../../amm/errors.ts'
import { type CouponKind, formatPercent, formatQ64, KernelError, parseAtoms } from '../../amm/index.ts'
import { type Place, StrategyError, setUp } from '../strategy/index.ts'
import { grouped, toJson, UsageError } from './output.ts'

/** "0.343" as a Q64.64 number, to the nearest; at most 18 decimals. */
export const decimal = (text: string): bigint => {
  const match = /^(\d{1,9})(?:\.(\d{1,18}))?$/.exec(text)
  if (match === null) throw new UsageError(`give a plain number such as 0.1, not "${text}"`)
  const fraction = match[2] ?? ''
  const scale = 10n ** BigInt(fraction.length)
  return ((BigInt(match[1] + fraction) << 65n) / scale + 1n) / 2n
}

/** "30%" or, as a fraction, "0.30": Q64.64. */
export const apy = (text: string): bigint => {
  if (/%$/.test(text)) {
    const value = text.slice(0, -1).trim()
    const [whole = '', fraction = ''] = value.split('.')
    decimal(value)
    const digits = whole.padStart(3, '0')
    return decimal(`${digits.slice(0, -2)}.${digits.slice(-2)}${fraction}`)
  }
  const value = decimal(text)
  if (value >= 5n << 64n) throw new UsageError(`${text} as a fraction is ${text}00 %: write ${text}% or 0.${text}`)
  return value
}

/** Days, with a fraction if need be, as seconds. */
export const secondsOfDays = (text: string): number => {
  const seconds = Number((decimal(text) * 86_400n + (1n << 63n)) >> 64n)
  if (seconds === 0 || seconds > 3_650 * 86_400) throw new UsageError('--days is above 0 and at most 3650')
  return seconds
}

/** "1.5" JLP, YT or PT as atoms. */
export const atoms = (text: string): bigint => {
  try {
    return parseAtoms(text)
  } catch {
    throw new UsageError(`give an amount with at most 6 decimals, not "${text}"`)
  }
}

/** One of a few words. */
export const oneOf =
  <W extends string>(option: string, ...words: readonly W[]) =>
  (text: string): W => {
    const word = words.find(w => w === text)
    if (word === undefined) throw new UsageError(`${option} is ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)
    return word
  }

/** What a question comes to: for programs, and for people. */
export interface Answer {
  readonly figures: unknown
  readonly text: string
}

/** A Q64.64 figure in JSON. */
export const digits = (value: bigint | undefined): string | undefined =>
  value === undefined ? undefined : formatQ64(value, 15)

export const percentOr = (value: bigint | undefined): string => (value === undefined ? '-' : formatPercent(value))

/** Answers a question: bad input ends with code 2, a refusal of the exchange with 1 (as JSON on stdout if asked for). */
export const answer =
  <O extends { readonly json?: boolean }>(ask: (options: O) => Answer) =>
  (options: O): void => {
    try {
      const { figures, text } = ask(options)
      console.log(options.json ? toJson(figures) : text)
    } catch (error) {
      const refused = error instanceof StrategyError && error.code !== 'bad-parameter'
      if (!refused && (error instanceof StrategyError || error instanceof KernelError)) {
        throw new UsageError(error.message)
      }
      if (refused && options.json) {
        const { code, message, context } = error as CodedError<string>
        console.log(toJson({ kind: 'refused', code, message, context }))
      }
      throw error
    }
  }

/** An option whose default is written as its user would write it. */
export const option = (flags: string, description: string, parse: (text: string) => unknown, usual: string): Option =>
  new Option(flags, description).argParser(parse).default(parse(usual), usual)

/** A command that ends with code 2 on bad input, with an example in its help. */
export const question = (program: Command, name: string, description: string, example: string): Command =>
  program
    .command(name)
    .description(description)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .addHelpText(
      'after',
      `\nAPYs are written 30% or, as a fraction, 0.30. In JSON amounts are atoms (10^-6).\nExample: ${example}`,
    )

export interface MarketOptions {
  readonly apy: bigint
  readonly days: number
  readonly liquidity: bigint
  readonly range: readonly [bigint, bigint]
  readonly kind: CouponKind
  readonly json?: boolean
}

const range = (text: string): readonly [bigint, bigint] => {
  const [lower, upper, ...rest] = text.split('-')
  if (upper === undefined || rest.length > 0) throw new UsageError('--range is two APYs, such as 25%-45%')
  return [apy(lower!), apy(upper)]
}

export const leverage = (text: string): number => {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > 1000) throw new UsageError('--leverage is above 0')
  return value
}

/** The pool of docs/protocol.md section 10, in which 1 JLP of margin at 10x buys 148.94 YT. */
export const withMarket = (command: Command): Command =>
  command
    .addOption(option('--apy <apy>', 'implied APY of the market before the order', apy, '32.712%'))
    .addOption(option('--days <n>', 'days to maturity, to the hour', secondsOfDays, '86'))
    .addOption(option('--liquidity <jlp>', 'JLP of liquidity in the market', atoms, '569'))
    .addOption(option('--range <apys>', 'and the APYs that it is spread over', range, '25%-45%'))
    .addOption(option('--kind <kind>', 'coupons: hourly or weekly', oneOf('--kind', 'hourly', 'weekly'), 'hourly'))
    .option('--json', 'as JSON')

export const placeOf = ({ apy, days, liquidity, range: [lower, upper], kind }: MarketOptions): Place =>
  setUp({ coupon: kind, days: days / 86_400, apy, liquidity, lower, upper })

export const describeMarket = ({ days, liquidity, range: [lower, upper], kind }: MarketOptions): string =>
  `${grouped(days / 86_400, days % 86_400 === 0 ? 0 : 2)} days to maturity, ${kind} coupons, ` +
  `${grouped(Number(liquidity) / 1e6, 0)} JLP of liquidity over ${formatPercent(lower, 1)} to ${formatPercent(upper, 1)}`
