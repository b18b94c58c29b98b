/** What commands read: instants and histories. */
import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { type History, parseHistory, projectHistory } from '../oracle/index.ts'
import { UsageError } from './output.ts'

/** "2024-09-05", "2024-09-05T14:00" or with a zone; UTC when none is given. Unix seconds, and whether it was a date alone. */
export const instant = (text: string): { readonly seconds: number; readonly isDate: boolean } => {
  const isDate = !text.includes('T')
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(text) || isDate ? text : `${text}Z`
  const seconds = Date.parse(zoned) / 1000
  if (!/^\d{4}-\d\d-\d\d/.test(text) || !Number.isFinite(seconds)) {
    throw new InvalidArgumentError('Give a date or a time such as 2024-09-05 or 2024-09-05T14:00.')
  }
  return { seconds: Math.floor(seconds), isDate }
}

/** A history file, or the project's own. */
export const historyFrom = (path: string | undefined): History => {
  if (path === undefined) return projectHistory()
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as Error).message}`)
  }
  return parseHistory(text, path)
}
