/** What JLP yields and is: the oracle, its history, and the pool. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { DAY_SECONDS } from '../../../src/oracle/calendar.ts'
import { dateOf, dayNumber } from '../../../src/oracle/index.ts'
import type { Context, RouteOptions } from '../context.ts'
import { badRequest } from '../errors.ts'
import type { Shared } from '../feed.ts'
import { errors, Freshness, Nullable, strict } from '../schemas.ts'
import { HoldingsReader, JlpShape, jlpView } from '../views/jlp.ts'
import { daysOf, Oracle, OracleDay, type OracleInput, OracleShape, OracleWeek, weeksOf } from '../views/oracle.ts'

const MOST_ROWS = 1000
const DEFAULT_ROWS = 100

/** What the chain says now, as the oracle takes it. */
export const oracleInput = ({ feed }: Pick<Context, 'feed'>): OracleInput => {
  const { now, jupiter, indices } = feed.shared
  const markets = feed.markets.map(({ name, kind, maturity, ready }) => ({
    id: name,
    kind,
    maturity,
    pool: ready.reading.pool,
  }))
  return { now, jupiter, indices, markets }
}

const dayIn = (text: string, name: string): number =>
  dayNumber(text) ?? badRequest(`${name} is not a day`, 'Give a UTC date such as 2024-07-06.', { field: name })

const Query = strict({
  width: Type.Optional(
    Type.Union([Type.Literal('day'), Type.Literal('week')], { description: 'A row for each; `day` by default' }),
  ),
  from: Type.Optional(
    Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'The first day; of the record by default' }),
  ),
  to: Type.Optional(
    Type.String({
      pattern: '^\\d{4}-\\d{2}-\\d{2}$',
      description: 'The last day; the last one that is over by default',
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_ROWS, description: 'Rows of a page, 100 by default' })),
  cursor: Type.Optional(
    Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: '`next` of the page before, in place of `from`' }),
  ),
})

export const oracleRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context }) => {
  const { feed, client, chain } = context
  const oracle = oracleOf(context)
  const onSlot = ({ jupiter }: Shared): void => {
    context.yields.officialApr = fractionOf(Number(jupiter.poolApr.feeAprBps) / 100)
    const { leading } = oracle.period(jupiter)
    context.yields.leadingApr = leading === null ? undefined : fractionOf(leading.aprPercent)
    context.yields.leadingApy = leading === null ? undefined : fractionOf(leading.apyPercent)
  }
  if (Number.isFinite(feed.age)) onSlot(feed.shared)
  feed.on('slot', onSlot)
  app.addHook('onClose', async () => void feed.off('slot', onSlot))
  const holdings = new HoldingsReader(addresses => client.read(addresses))

  app.get(
    '/oracle',
    {
      schema: {
        operationId: 'oracle',
        tags: ['oracle'],
        summary: 'Official, leading and expected APR, the next coupons, and what each market implies',
        querystring: strict({}),
        response: { 200: OracleShape, ...errors(503) },
      },
    },
    async () => ({ ...oracle.view(oracleInput(context)), ...feed.freshness() }),
  )

  app.get(
    '/oracle/history',
    {
      schema: {
        operationId: 'oracleHistory',
        tags: ['oracle'],
        summary:
          'Fees and assets of the pool by day, or with what they print by week; the oldest first, up to yesterday',
        querystring: Query,
        response: {
          200: strict({
            width: Type.Union([Type.Literal('day'), Type.Literal('week')]),
            known: OracleHistoryKnown,
            days: Type.Array(OracleDay),
            weeks: Type.Array(OracleWeek),
            next: Nullable(Type.String({ description: '`cursor` of the next page; null: there is no more' })),
            ...Freshness,
          }),
          ...errors(503),
        },
      },
    },
    async ({ query }) => {
      const { width = 'day', limit = DEFAULT_ROWS } = query
      const { now, jupiter } = feed.shared
      const { record } = oracle
      const isPlayed = oracle.period(jupiter).known === 'recorded'
      const recorded = record.first + record.history.days.length
      const today = Math.floor(now / DAY_SECONDS)
      // Where the record is not played it ends with its table.
      const end = isPlayed ? today : Math.min(today, recorded)
      const given = query.cursor ?? query.from
      const from = Math.max(record.first, given === undefined ? record.first : dayIn(given, 'from'))
      const to = Math.min(end, query.to === undefined ? end : dayIn(query.to, 'to') + 1)
      if (query.from !== undefined && query.to !== undefined && query.from > query.to) {
        badRequest('from comes after to', 'Give the earlier day as `from`.', { from: query.from, to: query.to })
      }
      const days = width === 'day' ? daysOf(record, from, to, limit) : undefined
      const weeks = width === 'week' ? weeksOf(record, from, to, limit) : undefined
      const next = days?.next ?? weeks?.next
      return {
        width,
        known: isPlayed ? ('played' as const) : ('recorded' as const),
        days: days?.rows ?? [],
        weeks: weeks?.rows ?? [],
        next: next === undefined ? null : dateOf(next),
        ...feed.freshness(),
      }
    },
  )

  app.get(
    '/jlp',
    {
      schema: {
        operationId: 'jlp',
        tags: ['oracle'],
        summary: 'The pool behind JLP: price, assets, weights, utilisation, fees',
        querystring: strict({}),
        response: { 200: JlpShape, ...errors(503) },
      },
    },
    async () => {
      const { now, jupiter, jlpSupply: supply } = feed.shared
      const view = jlpView({
        now,
        jupiter,
        supply,
        local: chain.local,
        holdings: await holdings.get({ jupiter, supply, now }),
        record: oracle.record,
        isPlayed: oracle.period(jupiter).known === 'recorded',
      })
      return { ...view, ...feed.freshness() }
    },
  )
}

const OracleHistoryKnown = Type.Union([Type.Literal('played'), Type.Literal('recorded')], {
  description:
    '`played`: the chain plays the record, and rows go up to its yesterday. `recorded`: rows end where the record does',
})

/** Percent as a fraction in Q64.64. */
const fractionOf = (percent: number): bigint => (BigInt(Math.round(percent * 1e4)) << 64n) / 1_000_000n

const oracles = new WeakMap<object, Oracle>()
/** One oracle for all that look at a context: the page and the stream. */
export const oracleOf = (context: Context): Oracle => {
  const found = oracles.get(context) ?? new Oracle()
  oracles.set(context, found)
  return found
}
