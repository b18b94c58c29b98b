/**
 * What the coupons are and what they will be: the official figure as the pool's account has it, the leading one and the weeks after it as
 * src/oracle predicts them, and for each market what its price says against that. Percentages are predictions or for people: no amount
 * follows from them.
 */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { apyFromRate, type CouponKind, type Pool, shiftQ64, ytPrice } from '../../../amm/index.ts'
import { toEngineIndex } from '../../../src/client/engine.ts'
import type { RateIndexData } from '../../../src/client/index.ts'
import type { PoolFacts } from '../../../src/jupiter/index.ts'
import { DAY_SECONDS, DAYS_PER_WEEK, secondsOf, weekdayOf, weekStart } from '../../../src/oracle/calendar.ts'
import {
  accrueIndex,
  apyPercentOf,
  BACKTEST_DAYS,
  dateOf,
  daysBefore,
  type Earned,
  forecastWeeks,
  type History,
  HOUR_SECONDS,
  leadingApr,
  OracleError,
  officialFromPool,
  readHourly,
  readWeekly,
  SOURCE_TERMS,
  stepYieldQ64,
  WEEK_SECONDS,
  WEEKLY_AUM,
  weeks,
} from '../../../src/oracle/index.ts'
import { Freshness, Nullable, named, Q64, q64, strict } from '../schemas.ts'
import { fullHour, PlayedRecord } from './record.ts'

const HOURS_A_YEAR = 8760
const YEAR_SECONDS = 31_536_000
const FORECAST_WEEKS = 8

// ---- shapes -----------------------------------------------------------------------------------------------------------

const Percent = (description: string) => Type.Number({ description: `${description}; percent a year` })
const Seconds = (description: string) => Type.Integer({ description: `${description}; unix seconds` })
const Day = (description: string) =>
  Type.String({ description, pattern: '^\\d{4}-\\d{2}-\\d{2}$', examples: ['2024-07-06'] })
const Points = (description: string) => Type.Number({ description: `${description}; percentage points of APR` })

const Known = Type.Union([Type.Literal('recorded'), Type.Literal('accrued')], {
  description:
    '`recorded`: the chain plays recorded history, and its days up to now are known. `accrued`: only what the pool account has summed up since its last print is known',
})

const Coupon = named(
  'Coupon',
  strict(
    {
      from: Seconds('Up to where coupons are paid'),
      to: Seconds('Up to where the next one pays'),
      due: Seconds('From when on it can be paid'),
      known: Type.Union([Type.Literal('accrued'), Type.Literal('expected')], {
        description:
          '`accrued`: the pool account has it all, and it would be paid now. `expected`: at the expected APR',
      }),
      yield: Q64,
      perYt: Q64,
      capped: Type.Boolean({ description: "The index's caps hold part of it back for later steps" }),
    },
    { description: 'The next coupon of an index: its yield, and JLP for each YT' },
  ),
)

const OracleMarket = strict({
  market: Type.String({ description: 'Name of the market', examples: ['JLP-2411'] }),
  kind: Type.Union([Type.Literal('hourly'), Type.Literal('weekly')]),
  maturity: Seconds('When it matures'),
  impliedApyPercent: Percent('What the price of YT implies'),
  edgePoints: Nullable(Points('Expected less implied APY, in points of APY: above 0 speaks for YT')),
  perYt: Nullable(
    strict(
      { coupon: Q64, decay: Q64, net: Q64 },
      {
        description:
          'Of the running period, JLP for each YT: the coupon, what the price loses at this rate, and the difference',
      },
    ),
  ),
})

export const OracleShape = named(
  'Oracle',
  strict({
    known: Known,
    official: strict({
      aprPercent: Percent('What was last printed'),
      aprBps: Type.Integer({ description: 'As the account has it, 10^-4 a year' }),
      apyPercent: Percent('The same, compounded daily'),
      publishedAt: Seconds('When it was printed'),
      ageSeconds: Type.Integer({ description: 'How old it is' }),
      stale: Type.Boolean({ description: 'Older than 8 days: a print is missing' }),
    }),
    nextPrintAt: Seconds('The first full hour at which the next print can come'),
    runRate: strict(
      {
        aprPercent: Nullable(Percent('The period so far, scaled to a year; null before its first hour')),
        realizedUsd: Type.String({
          description: "The pool's part of fees since the print, 10^-6 USD",
          pattern: '^[0-9]+$',
        }),
        aumUsd: Type.String({ description: "The pool's assets, 10^-6 USD", pattern: '^[0-9]+$' }),
        from: Seconds('When the period began'),
        to: Seconds('The last full hour that is in it'),
      },
      { description: 'From the pool account alone' },
    ),
    leading: Nullable(
      strict(
        {
          aprPercent: Percent('What the running period will print'),
          apyPercent: Percent('The same, compounded daily'),
          lowPercent: Percent('Lower end of the band'),
          highPercent: Percent('Upper end of the band'),
          coverage: Type.Number({ description: 'How often the print is to fall into the band, percent' }),
          from: Day('The first day of the period, by whole UTC days'),
          daysKnown: Type.Integer({ description: 'Its days that are over, 0 to 6' }),
          hoursKnown: Type.Integer({ description: 'Hours of the running day that are known' }),
        },
        { description: 'A prediction; null where no days are known to predict from' },
      ),
    ),
    expected: strict({
      aprPercent: Percent('What the coupons below are expected at'),
      apyPercent: Percent('The same, compounded daily'),
      basis: Type.Union([Type.Literal('leading'), Type.Literal('run-rate'), Type.Literal('official')]),
    }),
    forecast: Type.Array(
      strict({
        from: Day('The first day of the period'),
        aprPercent: Percent('Expected print'),
        lowPercent: Percent('Lower end of the band of 80 %'),
        highPercent: Percent('Upper end'),
      }),
      { description: 'The periods after the running one' },
    ),
    coupons: strict({ hourly: Nullable(Coupon), weekly: Nullable(Coupon) }),
    markets: Type.Array(OracleMarket),
    errors: Nullable(
      strict(
        {
          weeks: Type.Integer({ description: 'Recorded weeks that were predicted' }),
          days: Type.Array(
            strict({
              day: Type.Integer({ description: 'Days of the week that were known' }),
              leading: Points('Mean absolute error of the leading APR'),
              lastPrint: Points('Of repeating the last print'),
              runRate: Points("Of the running week's own rate"),
              coverage: Type.Number({ description: 'How often the print fell into the band of 80 %, percent' }),
            }),
          ),
        },
        {
          description:
            'How well past weeks (Saturday to Friday) were predicted with what was known then; null until it is worked out',
        },
      ),
    ),
    coverage: strict(
      {
        name: Type.String({ description: 'Of the record' }),
        from: Day('Its first day'),
        to: Day('Its last day that is over by the clock of the chain'),
        replayedFrom: Nullable(Day('From here on the chain plays the record anew')),
      },
      { description: 'Recorded history' },
    ),
    ...Freshness,
  }),
)
/** The page but for when it was read. */
export type OracleView = Omit<Static<typeof OracleShape>, keyof typeof Freshness>

/** Percent with four decimals. */
const rounded = (percent: number): number => Math.round(percent * 1e4) / 1e4
const percentOf = (q: bigint): number => rounded(Number((q * 100_000_000n) >> 64n) / 1e6)

// ---- the running period -------------------------------------------------------------------------------------------------

/** The first full hour at which a print can come: strictly more than a week after the last, and not before now. */
export const nextPrintAt = (lastUpdated: number, now: number): number =>
  Math.max(fullHour(lastUpdated + WEEK_SECONDS), fullHour(now)) + HOUR_SECONDS

/** Days moved so that the period that began on `start` is a week of the calendar's: predictions know weeks by their Saturday. */
const moved = (history: History, by: number): History => ({
  ...history,
  days: history.days.map(row => ({ ...row, day: row.day - by })),
})

type Period = Pick<OracleView, 'known' | 'leading' | 'forecast' | 'expected' | 'runRate'>

const runRateOf = ({ poolApr, aumUsd }: PoolFacts, hour: number): OracleView['runRate'] => {
  const from = Number(poolApr.lastUpdated)
  const seconds = hour - from
  const rate = (Number(poolApr.realizedFeeUsd) / Number(aumUsd)) * (YEAR_SECONDS / seconds) * 100
  return {
    aprPercent: seconds <= 0 || aumUsd === 0n ? null : rounded(rate),
    realizedUsd: String(poolApr.realizedFeeUsd),
    aumUsd: String(aumUsd),
    from,
    to: Math.max(from, hour),
  }
}

/** What an hour of a period is predicted to be: for the running one, and the weeks after it. */
interface Predicted {
  readonly leading: NonNullable<OracleView['leading']>
  readonly forecast: OracleView['forecast']
}

/** The weeks after a period, as of a day: they know nothing of its hours. */
const forecastOf = (history: History, asOf: number, start: number): OracleView['forecast'] =>
  forecastWeeks({ history, asOf, weeks: FORECAST_WEEKS }).map(week => ({
    from: dateOf(start + DAYS_PER_WEEK * week.ahead),
    aprPercent: rounded(week.aprPercent),
    lowPercent: rounded(week.lowPercent),
    highPercent: rounded(week.highPercent),
  }))

/**
 * The print of the running period. A prediction knows whole UTC days and their mean assets; a print is over the hours since the last one, and
 * over the assets at its end. So for the part that is over, the account's own rate takes the place of the days'.
 */
const leadingOf = (
  record: PlayedRecord,
  history: History,
  { start, at, asOf }: { readonly start: number; readonly at: number; readonly asOf: number },
  { aprPercent: accrued, from, to }: OracleView['runRate'],
): Predicted['leading'] => {
  const read = leadingApr({ history, asOf: at, today: record.today(asOf) })
  const { aprPercent, lowPercent, highPercent, runRatePercent } = read
  const over = Math.min(1, (to - from) / WEEK_SECONDS)
  const shift = accrued === null || runRatePercent === undefined ? 0 : over * (accrued - runRatePercent)
  const shifted = (percent: number): number => rounded(Math.max(0, percent + shift))
  return {
    aprPercent: shifted(aprPercent),
    apyPercent: rounded(apyPercentOf(shifted(aprPercent))),
    lowPercent: shifted(lowPercent),
    highPercent: shifted(highPercent),
    coverage: read.nominalCoverage,
    from: dateOf(start),
    daysKnown: read.daysKnown,
    hoursKnown: read.hoursKnown,
  }
}

// ---- coupons ----------------------------------------------------------------------------------------------------------------

/** What an index would be paid next: what the pool account has of it, or what is expected at `percent` a year. */
const earnedNext = (
  { kind, lastStep, cursor }: RateIndexData,
  jupiter: PoolFacts,
  now: number,
  percent: number,
): { readonly known: 'accrued' | 'expected'; readonly due: number; readonly earned: Earned } => {
  const { lastUpdated, realizedFeeUsd } = jupiter.poolApr
  if (kind === 'weekly') {
    const to = nextPrintAt(Number(lastUpdated), now)
    const fees = BigInt(Math.round(percent * 100)) * BigInt(to - cursor.lastUpdated)
    return { known: 'expected', due: to, earned: { to, fees, aum: WEEKLY_AUM } }
  }
  const to = lastStep + HOUR_SECONDS
  const due = to + SOURCE_TERMS.hourly.settlingDelay
  const aum = jupiter.aumUsd
  const seen = lastUpdated === BigInt(cursor.lastUpdated) ? realizedFeeUsd - cursor.realizedFeeUsd : 0n
  if (seen > 0n) return { known: 'accrued', due, earned: { to, fees: seen, aum } }
  const fees = BigInt(Math.round((Number(aum) * percent) / 100 / HOURS_A_YEAR))
  return { known: 'expected', due, earned: { to, fees, aum } }
}

/** A coupon that is due already, as the program would pay it; undefined if none is. */
const earnedNow = (data: RateIndexData, jupiter: PoolFacts, now: number): Earned | undefined => {
  const { index, cursor } = toEngineIndex(data)
  try {
    return (data.kind === 'hourly' ? readHourly : readWeekly)(index, cursor, jupiter, now)
  } catch (error) {
    if (error instanceof OracleError) return undefined
    throw error
  }
}

interface Next {
  readonly view: Static<typeof Coupon>
  readonly discount: bigint
}

const nextCoupon = (data: RateIndexData, jupiter: PoolFacts, now: number, percent: number): Next => {
  const now_ = earnedNow(data, jupiter, now)
  const { known, due, earned } =
    now_ === undefined
      ? earnedNext(data, jupiter, now, percent)
      : { known: 'accrued' as const, due: Math.min(now, now_.to), earned: now_ }
  const { step } = accrueIndex(toEngineIndex(data).index, earned)
  return {
    discount: step.discountAfter,
    view: {
      from: step.from,
      to: step.to,
      due,
      known,
      yield: q64(stepYieldQ64(step)),
      perYt: q64(step.discountBefore - step.discountAfter),
      capped: step.carry > 0n,
    },
  }
}

// ---- errors of the past -----------------------------------------------------------------------------------------------------

/** Of one recorded week and each of `BACKTEST_DAYS`. */
interface Judged {
  /** The first day after it. */
  readonly end: number
  readonly days: readonly {
    readonly leading: number
    readonly lastPrint: number
    readonly runRate: number
    readonly hit: boolean
  }[]
}

const turn = (): Promise<void> => new Promise(done => setImmediate(done))

/** Every recorded week as it would have been predicted, as `backtest` does it, but with a pause after each prediction. */
const judge = async (history: History): Promise<Judged[]> => {
  const judged: Judged[] = []
  for (const { day: saturday, aprPercent: print } of weeks(history).slice(1)) {
    const days: Judged['days'][number][] = []
    for (const known of BACKTEST_DAYS) {
      await turn()
      const day = saturday + known
      const read = leadingApr({ history: daysBefore(history, day), asOf: secondsOf(day) })
      days.push({
        leading: Math.abs(read.aprPercent - print),
        lastPrint: Math.abs(read.lastPrintPercent! - print),
        runRate: Math.abs(read.runRatePercent! - print),
        hit: read.lowPercent <= print && print <= read.highPercent,
      })
    }
    judged.push({ end: saturday + DAYS_PER_WEEK, days })
  }
  return judged
}

const errorsOf = (judged: readonly Judged[], today: number): OracleView['errors'] => {
  const over = judged.filter(({ end }) => end <= today)
  const meanOf = (value: (week: Judged) => number): number =>
    over.length === 0 ? 0 : rounded(over.reduce((sum, week) => sum + value(week), 0) / over.length)
  return {
    weeks: over.length,
    days: BACKTEST_DAYS.map((day, i) => ({
      day,
      leading: meanOf(week => week.days[i]!.leading),
      lastPrint: meanOf(week => week.days[i]!.lastPrint),
      runRate: meanOf(week => week.days[i]!.runRate),
      coverage: meanOf(week => (week.days[i]!.hit ? 100 : 0)),
    })),
  }
}

// ---- all of it --------------------------------------------------------------------------------------------------------------

export interface OracleInput {
  /** Unix seconds by the chain's clock. */
  readonly now: number
  readonly jupiter: PoolFacts
  readonly indices: Readonly<Partial<Record<CouponKind, RateIndexData>>>
  readonly markets: readonly {
    readonly id: string
    readonly kind: CouponKind
    readonly maturity: number
    readonly pool: Pool
  }[]
}

/** The oracle's page. What takes long is worked out once for an hour or a day of the chain's, or once at all. */
export class Oracle {
  readonly record: PlayedRecord
  #period: { readonly key: string; readonly value: Period } | undefined
  /** Of a day of a period: the days before it, and the weeks after. */
  #day: { readonly key: string; readonly history: History; readonly forecast: OracleView['forecast'] } | undefined
  #judging: Promise<void> | undefined
  #judged: readonly Judged[] | undefined

  constructor(record = new PlayedRecord()) {
    this.record = record
  }

  /** The running period as of the last hour that was distributed. */
  period(jupiter: PoolFacts): Period {
    const hour = fullHour(Number(jupiter.aumUsdUpdatedAt))
    const { lastUpdated, realizedFeeUsd } = jupiter.poolApr
    const key = `${hour} ${lastUpdated} ${realizedFeeUsd} ${jupiter.aumUsd}`
    if (this.#period?.key !== key) this.#period = { key, value: this.#periodOf(jupiter, hour) }
    return this.#period.value
  }

  #periodOf(jupiter: PoolFacts, hour: number): Period {
    const runRate = runRateOf(jupiter, hour)
    const isPlayed = this.record.isPlayedBy(jupiter) && Math.floor(hour / DAY_SECONDS) > this.record.first
    const { leading, forecast } = isPlayed ? this.#predict(jupiter, hour, runRate) : { leading: null, forecast: [] }
    const official = Number(jupiter.poolApr.feeAprBps) / 100
    const [aprPercent, basis] =
      leading !== null
        ? ([leading.aprPercent, 'leading'] as const)
        : runRate.aprPercent !== null
          ? ([runRate.aprPercent, 'run-rate'] as const)
          : ([official, 'official'] as const)
    const expected = { aprPercent, apyPercent: rounded(apyPercentOf(aprPercent)), basis }
    return { known: isPlayed ? 'recorded' : 'accrued', leading, forecast, expected, runRate }
  }

  #predict({ poolApr }: PoolFacts, hour: number, runRate: OracleView['runRate']): Predicted {
    const start = Math.floor(Number(poolApr.lastUpdated) / DAY_SECONDS)
    // Behind its seventh day, while the print is awaited, the period is as known as it can be.
    const asOf = Math.min(hour, secondsOf(start + DAYS_PER_WEEK - 1, 23))
    const day = Math.floor(asOf / DAY_SECONDS)
    const by = weekdayOf(start)
    const key = `${day} ${start}`
    if (this.#day?.key !== key) {
      const history = moved(this.record.before(day), by)
      this.#day = { key, history, forecast: forecastOf(history, secondsOf(day - by), start) }
    }
    const { history, forecast } = this.#day
    return { leading: leadingOf(this.record, history, { start, at: asOf - by * DAY_SECONDS, asOf }, runRate), forecast }
  }

  /** Works out how well past weeks were predicted, once. */
  judge(): Promise<void> {
    this.#judging ??= judge(this.record.history).then(judged => {
      this.#judged = judged
    })
    return this.#judging
  }

  /** The last recorded day that is over, and whether the record is being played again. */
  coverage(now: number): OracleView['coverage'] {
    const { name, days } = this.record.history
    const end = this.record.endsAt
    const last = Math.min(days.at(-1)!.day, Math.floor(now / DAY_SECONDS) - 1)
    return {
      name,
      from: dateOf(this.record.first),
      to: dateOf(Math.max(last, this.record.first)),
      replayedFrom: now >= end && this.#period?.value.known === 'recorded' ? dateOf(end / DAY_SECONDS) : null,
    }
  }

  view({ now, jupiter, indices, markets }: OracleInput): OracleView {
    void this.judge()
    const period = this.period(jupiter)
    const { expected } = period
    const official = officialFromPool(jupiter, now)
    const nextOf = (kind: CouponKind): Next | undefined => {
      const index = indices[kind]
      return index === undefined ? undefined : nextCoupon(index, jupiter, now, expected.aprPercent)
    }
    const next = { hourly: nextOf('hourly'), weekly: nextOf('weekly') }
    return {
      ...period,
      official: {
        aprPercent: official.aprPercent,
        aprBps: Number(official.aprBps),
        apyPercent: rounded(official.apyPercent),
        publishedAt: official.publishedAt,
        ageSeconds: official.ageSeconds,
        stale: official.kind === 'stale',
      },
      nextPrintAt: nextPrintAt(official.publishedAt, now),
      coupons: { hourly: next.hourly?.view ?? null, weekly: next.weekly?.view ?? null },
      markets: markets
        .filter(({ pool }) => pool.tauSeconds > 0)
        .map(({ id, kind, maturity, pool }) => {
          const implied = percentOf(apyFromRate(pool.rate))
          return {
            market: id,
            kind,
            maturity,
            impliedApyPercent: implied,
            edgePoints: rounded(expected.apyPercent - implied),
            perYt: runningPeriod(pool, maturity, next[kind]),
          }
        }),
      errors: this.#judged === undefined ? null : errorsOf(this.#judged, Math.floor(now / DAY_SECONDS)),
      coverage: this.coverage(now),
    }
  }
}

/** Coupon and decay of a YT from the market's last step to the next. */
const runningPeriod = (
  pool: Pool,
  maturity: number,
  next: Next | undefined,
): OracleView['markets'][number]['perYt'] => {
  if (next === undefined) return null
  const { rate, tauSeconds, discount } = pool
  const valueAt = (d: bigint, tau: number): bigint => shiftQ64(d * ytPrice(rate, tau), 'down')
  const coupon = discount - next.discount
  const decay = valueAt(discount, tauSeconds) - valueAt(next.discount, Math.max(0, maturity - next.view.to))
  return { coupon: q64(coupon), decay: q64(decay), net: q64(coupon - decay) }
}

// ---- history ----------------------------------------------------------------------------------------------------------------

export const OracleDay = strict({
  date: Day('UTC day'),
  feesUsd: Type.String({ description: 'All fees of the day, 10^-6 USD', pattern: '^[0-9]+$' }),
  aumUsd: Type.String({ description: "The pool's assets, 10^-6 USD", pattern: '^[0-9]+$' }),
  aumCarried: Type.Boolean({ description: 'The assets were not recorded on this day: the last figure before' }),
  aprPercent: Percent("The pool's 75 % of this day's fees"),
  kind: Type.Union([Type.Literal('real'), Type.Literal('modelled'), Type.Literal('unstated')], {
    description: 'Whether the fees are recorded, or modelled from the recorded fees of closing positions',
  }),
  recordedOn: Day('The recorded day that the chain played on this one; the same until the record begins anew'),
})

export const OracleWeek = strict({
  from: Day('Its Saturday'),
  feesUsd: Type.String({ description: 'All fees of the week, 10^-6 USD', pattern: '^[0-9]+$' }),
  aumUsd: Type.String({ description: 'Mean of its daily assets, 10^-6 USD', pattern: '^[0-9]+$' }),
  aprPercent: Percent('What the week prints'),
  aprBps: Type.Integer({ description: 'The same rounded down, as Jupiter writes it, 10^-4 a year' }),
  kind: OracleDay.properties.kind,
})

/** A page of days from `from` on, all before `to`; `next` is where the following one begins. */
export const daysOf = (record: PlayedRecord, from: number, to: number, limit: number) => {
  const end = Math.min(to, from + limit)
  return {
    rows: record.days(from, end).days.map(row => ({
      date: row.date,
      feesUsd: String(row.feesUsdX6),
      aumUsd: String(row.aumUsdX6),
      aumCarried: row.aumCarried,
      aprPercent: rounded((0.75 * 365 * 100 * Number(row.feesUsdX6)) / Number(row.aumUsdX6)),
      kind: row.kind,
      recordedOn: record.sourceOf(row.day).date,
    })) satisfies Static<typeof OracleDay>[],
    next: end < to ? end : undefined,
  }
}

/** A page of full weeks that begin on `from` or later and are over before `to`. */
export const weeksOf = (record: PlayedRecord, from: number, to: number, limit: number) => {
  const first = weekStart(from + DAYS_PER_WEEK - 1)
  const end = Math.min(to, first + limit * DAYS_PER_WEEK)
  return {
    rows: record.weeks(first, end).map(week => ({
      from: week.date,
      feesUsd: String(week.feesUsdX6),
      aumUsd: String(week.aumUsdX6),
      aprPercent: rounded(week.aprPercent),
      aprBps: Number(week.aprBps),
      kind: week.kind,
    })) satisfies Static<typeof OracleWeek>[],
    next: end + DAYS_PER_WEEK <= to ? end : undefined,
  }
}
