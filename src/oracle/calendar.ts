/** Days and weeks in UTC. A day is its number since 1970-01-01; a week of the print runs from Saturday to Friday. */
import { HOUR_SECONDS } from './accrual.ts'

export const DAY_SECONDS = 86_400
export const HOURS_PER_DAY = 24
export const DAYS_PER_WEEK = 7
export const DAYS_PER_YEAR = 365

/** Number of the day `YYYY-MM-DD`, or undefined if there is no such day. */
export const dayNumber = (date: string): number | undefined => {
  const [year, month, day] = /^\d{4}-\d{2}-\d{2}$/.test(date) ? date.split('-').map(Number) : []
  if (year === undefined || month === undefined || day === undefined) return undefined
  const number = Date.UTC(year, month - 1, day) / (DAY_SECONDS * 1000)
  return dateOf(number) === date ? number : undefined
}

/** `YYYY-MM-DD` of a day. */
export const dateOf = (day: number): string => new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10)

/** Saturday 0 to Friday 6. (1970-01-01 was a Thursday.) */
export const weekdayOf = (day: number): number => (((day + 5) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK

/** The Saturday on or before a day. */
export const weekStart = (day: number): number => day - weekdayOf(day)

/** Unix seconds of a day's hour. */
export const secondsOf = (day: number, hour = 0): number => day * DAY_SECONDS + hour * HOUR_SECONDS

/** The UTC day that an instant lies in, and how many of its hours are over. */
export const dayAndHours = (seconds: number): { readonly day: number; readonly hours: number } => {
  const day = Math.floor(seconds / DAY_SECONDS)
  return { day, hours: Math.floor((seconds - day * DAY_SECONDS) / HOUR_SECONDS) }
}
