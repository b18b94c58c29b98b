/** Figures as people read them, on top of the kernel's own: what is shown is rounded once, half away from zero. */
import { apyFromRate, formatAtoms, formatPercent, formatQ64, formatTime, type RateQ64 } from '../../../amm/index.ts'

export { formatAtoms, formatPercent, formatQ64, formatTime }

const MINUS = '−'
/** Spaces between thousands, so that neither comma nor point is mistaken. */
const grouped = (text: string): string => {
  const [whole = '', fraction] = text.replace('-', MINUS).split('.')
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ' ')
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}

/** Atoms as tokens: 1 234.50. */
export const amount = (atoms: bigint, digits = 2): string => grouped(formatAtoms(atoms, digits))

/** The same with its sign in front, for changes. */
export const signed = (atoms: bigint, digits = 2): string => {
  const text = amount(atoms, digits)
  return atoms > 0n && /[1-9]/.test(text) ? `+${text}` : text
}

/** A Q64.64 fraction in percent, without a space: 34.30%. */
export const percent = (fraction: bigint, digits = 2): string => formatPercent(fraction, digits).replace('-', MINUS)

export const signedPercent = (fraction: bigint, digits = 2): string => {
  const text = percent(fraction, digits)
  return fraction > 0n && /[1-9]/.test(text) ? `+${text}` : text
}

/** Implied APY of a rate. */
export const apy = (rate: bigint, digits = 2): string => percent(apyFromRate(rate as RateQ64), digits)

/** A price in ST. */
export const price = (q64: bigint, digits = 6): string => formatQ64(q64, digits).replace('-', MINUS)

/** A Q64.64 factor: 9.87x. */
export const times = (q64: bigint, digits = 2): string => `${formatQ64(q64, digits)}x`

/** A Q64.64 number for charts and sliders; nothing that decides money. */
export const real = (q64: bigint): number => Number(q64) / 2 ** 64
export const q64Of = (value: number): bigint => BigInt(Math.round(value * 2 ** 32)) << 32n
/** Atoms as tokens for charts. */
export const tokens = (atoms: bigint): number => Number(atoms) / 1e6

/** A number for an axis: 12.3K, 4.5M. */
export const short = (value: number): string =>
  new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value)

/** US dollars: $1.5B. */
export const usd = (value: number, digits = 1): string =>
  `$${new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: digits }).format(value)}`

/** Seconds as the two largest units: 12 d 4 h. */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds))
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ]
  if (days > 0) return `${days} d ${hours} h`
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`
}

/** Unix seconds as 2024-11-29. */
export const day = (unixSeconds: number): string => formatTime(unixSeconds).slice(0, 10)
/** Unix seconds as 11-29 08:00. */
export const moment = (unixSeconds: number): string => formatTime(unixSeconds).slice(5, 16)

/** An address or signature, its middle left out. */
export const brief = (text: string): string => (text.length <= 10 ? text : `${text.slice(0, 4)}…${text.slice(-4)}`)
