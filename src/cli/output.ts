/** What every command prints: a table for people, or JSON. Tables go to stdout, progress and errors to stderr. */
import { CodedError } from '../../amm/errors.ts'

/** JSON with bigints as decimal strings; in one line without `indent`. */
export const toJson = (value: unknown, indent = 2): string =>
  JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? v.toString() : v), indent)

/** Rows in columns; `align` has an l (left) or r (right) for each column, the last one standing for all that follow. */
export const table = (rows: readonly (readonly string[])[], align = 'lr'): string => {
  const columns = Math.max(0, ...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  const place = (cell: string, i: number): string =>
    (align[i] ?? align.at(-1)) === 'l' ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
  return rows.map(row => row.map(place).join('  ').trimEnd()).join('\n')
}

/** `1234567.891` as "1,234,567.89". */
export const grouped = (value: number, digits = 2): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** 10^-6 USD as "$1,234.56". */
export const dollars = (usdX6: bigint, digits = 2): string =>
  usdX6 < 0n ? `-$${grouped(Number(-usdX6) / 1e6, digits)}` : `$${grouped(Number(usdX6) / 1e6, digits)}`

export const percent = (value: number, digits = 2): string => `${value.toFixed(digits)} %`

/** Unix seconds as "2026-09-24 17:50:00 UTC". */
export const time = (seconds: bigint | number): string =>
  `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** A mistake of the caller: the message is all there is to say. Exit code 2. */
export class UsageError extends Error {}

/** Ends the process as a command line should: 2 for a mistake of the caller, 1 for data that cannot be used. */
export const fail = (error: unknown): never => {
  if (error instanceof UsageError) {
    console.error(`error: ${error.message}`)
    process.exit(2)
  }
  if (error instanceof CodedError) {
    console.error(`error: ${error.message}`)
    process.exit(1)
  }
  throw error
}
