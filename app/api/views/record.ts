/**
 * Recorded history as a chain has it. A local chain plays the record hour by hour (src/chain/history.ts): of it only what is over by the
 * chain's clock is known. On a cluster the record is of the past, and ends where its table does.
 */
import { playedAt } from '../../../src/chain/history.ts'
import { DAY_SECONDS, DAYS_PER_WEEK, dateOf, secondsOf, weekStart } from '../../../src/oracle/calendar.ts'
import {
  dayAt,
  type History,
  type HistoryDay,
  type HistoryWeek,
  HOUR_SECONDS,
  historyOf,
  hoursOfDay,
  type PoolReading,
  projectHistory,
  weeks,
} from '../../../src/oracle/index.ts'

/** The protocol's part of an hour's fees, bp, as the played pool splits them. */
const PROTOCOL_SHARE_BPS = 2500n
/** Hours of an account's sum that are compared with the record; a week's print is due before. */
const MOST_HOURS = 8 * 24
/** Weeks looked back on: so many days are the most that predictions are made from. */
const MOST_DAYS = 693

/** Full UTC hours that are over at `seconds`, since 1970, as seconds. */
export const fullHour = (seconds: number): number => seconds - (seconds % HOUR_SECONDS)

export interface Today {
  /** All fees since 0:00 UTC, 10^-6 USD. */
  readonly feesUsdX6: bigint
  readonly aumUsdX6: bigint
}

export class PlayedRecord {
  readonly history: History
  readonly first: number

  constructor(history: History = projectHistory()) {
    this.history = history
    this.first = history.days[0]!.day
  }

  /** The recorded day that is played on a day. */
  sourceOf(day: number): HistoryDay {
    return dayAt(this.history, playedAt(this.history, secondsOf(day)) / DAY_SECONDS)!
  }

  #played(day: number): HistoryDay {
    return { ...this.sourceOf(day), day, date: dateOf(day) }
  }

  /** The days from one up to another, that one not included, as they are played. */
  days(from: number, to: number): History {
    const count = Math.max(0, to - from)
    return historyOf(
      this.history.name,
      Array.from({ length: count }, (_, i) => this.#played(from + i)),
    )
  }

  /** What may be learnt from on the morning of `day`. */
  before(day: number): History {
    return this.days(Math.max(this.first, day - MOST_DAYS), day)
  }

  /** The hours of a day that are distributed at `hour`, a full one of this day. */
  today(hour: number): Today {
    const day = Math.floor(hour / DAY_SECONDS)
    const row = this.#played(day)
    const past = hoursOfDay(row).filter(({ from }) => from < hour)
    return { feesUsdX6: past.reduce((sum, { feesUsdX6 }) => sum + feesUsdX6, 0n), aumUsdX6: row.aumUsdX6 }
  }

  /**
   * Whether an account is what the record makes of it: the AUM of its last hour, and the sum of fees since its print to the unit. No flag is
   * trusted for that, since predictions from the wrong history would look as good as any.
   */
  isPlayedBy({ poolApr, aumUsd, aumUsdUpdatedAt }: PoolReading): boolean {
    const hour = fullHour(Number(aumUsdUpdatedAt))
    const since = Number(poolApr.lastUpdated)
    if (since % HOUR_SECONDS !== 0 || since > hour || hour - since > MOST_HOURS * HOUR_SECONDS) return false
    if (this.sourceOf(Math.floor((hour - 1) / DAY_SECONDS)).aumUsdX6 !== aumUsd) return false
    const days = this.days(Math.floor(since / DAY_SECONDS), Math.floor(hour / DAY_SECONDS) + 1).days
    const hours = days.flatMap(hoursOfDay).filter(({ from }) => from >= since && from < hour)
    const share = hours.reduce((sum, { feesUsdX6: fees }) => sum + fees - (fees * PROTOCOL_SHARE_BPS) / 10_000n, 0n)
    return share === poolApr.realizedFeeUsd
  }

  /** Full weeks, Saturday to Friday, that begin on a day from `from` on and are over before `to`. */
  weeks(from: number, to: number): readonly HistoryWeek[] {
    return weeks(this.days(weekStart(from + DAYS_PER_WEEK - 1), to))
  }

  /** The first instant behind the record: from there on it is played anew. */
  get endsAt(): number {
    const { length } = this.history.days
    return secondsOf(this.first + length - (length % DAYS_PER_WEEK))
  }
}
