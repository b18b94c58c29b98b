/** Amounts, percentages, prices, market names and dates as people write them. Nothing here decides money. */
import { KernelError } from './errors.ts'
import { ONE_Q64 } from './fixed.ts'
import { seconds, U64_MAX } from './units.ts'

export const TOKEN_DECIMALS = 6

const bad = (what: string, text: string): KernelError => new KernelError('bad-text', `Not ${what}: "${text}"`, { text })

/** `value / scale` with `digits` decimals, rounded half away from zero. */
const formatScaled = (value: bigint, scale: bigint, digits: number): string => {
  if (!Number.isInteger(digits) || digits < 0 || digits > 40) {
    throw new KernelError('out-of-range', `Digits are a whole number from 0 to 40, got ${digits}`, { digits })
  }
  const unit = 10n ** BigInt(digits)
  const magnitude = value < 0n ? -value : value
  const rounded = (magnitude * unit * 2n + scale) / (scale * 2n)
  const text = rounded.toString().padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  const sign = value < 0n && rounded > 0n ? '-' : ''
  return digits === 0 ? `${sign}${whole}` : `${sign}${whole}.${text.slice(-digits)}`
}

/** A plain decimal ("12", "0.345") as a fraction of integers; throws `bad-text` for anything else. */
const parseDecimal = (text: string, maxDigits: number, what: string): { value: bigint; scale: bigint } => {
  const match = /^(\d{1,20})(?:\.(\d+))?$/.exec(text)
  if (match === null || (match[2] ?? '').length > maxDigits) throw bad(what, text)
  const fraction = match[2] ?? ''
  return { value: BigInt(match[1] + fraction), scale: 10n ** BigInt(fraction.length) }
}

/** Atoms as tokens: `formatAtoms(1_500_000n)` is "1.500000". */
export const formatAtoms = (atoms: bigint, digits: number = TOKEN_DECIMALS): string =>
  formatScaled(atoms, 10n ** BigInt(TOKEN_DECIMALS), digits)

/** Tokens as atoms: `parseAtoms("1.5")` is 1_500_000n. Throws `bad-text` on more than 6 decimals, a sign or an exponent. */
export const parseAtoms = (text: string): bigint => {
  const { value, scale } = parseDecimal(text, TOKEN_DECIMALS, 'an amount with at most 6 decimals')
  const atoms = (value * 10n ** BigInt(TOKEN_DECIMALS)) / scale
  if (atoms > U64_MAX) throw bad('an amount that fits 64 bits', text)
  return atoms
}

/** A Q64.64 number, such as a price: `formatQ64(ytPrice, 6)` is "0.067141". */
export const formatQ64 = (value: bigint, digits: number): string => formatScaled(value, ONE_Q64, digits)

/** A Q64.64 fraction in percent: 0.343 is "34.30%". */
export const formatPercent = (value: bigint, digits = 2): string => `${formatScaled(value * 100n, ONE_Q64, digits)}%`

/** "34.3%" or "34.3" as a Q64.64 fraction, rounded down. Throws `bad-text`. */
export const parsePercent = (text: string): bigint => {
  const { value, scale } = parseDecimal(text.replace(/\s?%$/, ''), 18, 'a percentage such as 34.3%')
  return (value << 64n) / (scale * 100n)
}

export type CouponKind = 'hourly' | 'weekly'

/** Last Friday of a month (1 to 12), 08:00 UTC, in unix seconds. */
const lastFriday = (year: number, month: number): number => {
  const lastDay = new Date(Date.UTC(year, month, 0))
  const back = (lastDay.getUTCDay() + 2) % 7 // days since Friday
  return lastDay.getTime() / 1000 - back * 86_400 + 8 * 3600
}

/** Name of the market with a maturity: "JLP-2411", "JLP-2411-W" with weekly coupons. Throws unless it is a last Friday before 2100. */
export const marketName = (maturity: number, kind: CouponKind): string => {
  const date = new Date(seconds(maturity) * 1000)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1]
  if (year < 2000 || year > 2099 || lastFriday(year, month) !== maturity) {
    throw bad('a maturity, which is the last Friday of a month at 08:00 UTC', date.toISOString())
  }
  const digits = `${year % 100}`.padStart(2, '0') + `${month}`.padStart(2, '0')
  return `JLP-${digits}${kind === 'weekly' ? '-W' : ''}`
}

/** Maturity and coupon kind of a market name; "JLP-2411" is 29 November 2024, 08:00 UTC. Throws `bad-text`. */
export const parseMarketName = (name: string): { maturity: number; kind: CouponKind } => {
  const match = /^JLP-(\d\d)(0[1-9]|1[0-2])(-W)?$/.exec(name)
  if (match === null) throw bad('a market name such as JLP-2411 or JLP-2411-W', name)
  return {
    maturity: lastFriday(2000 + Number(match[1]), Number(match[2])),
    kind: match[3] === undefined ? 'hourly' : 'weekly',
  }
}

/** Time to maturity as the curve sees it: from the last coupon step, 0 from maturity on. */
export const tauAt = (maturity: number, lastStep: number): number =>
  seconds(maturity) > seconds(lastStep) ? maturity - lastStep : 0

/** Unix seconds as "2024-11-29 08:00 UTC". */
export const formatTime = (unixSeconds: number): string =>
  `${new Date(seconds(unixSeconds) * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
