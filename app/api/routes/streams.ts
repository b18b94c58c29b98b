/** What changes, as it does: server-sent events of markets, the oracle, owners and slots. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { isAddress } from '../../../src/client/codecs.ts'
import type { Advanced } from '../../../src/indexer/index.ts'
import type { RouteOptions } from '../context.ts'
import { badRequest, fail } from '../errors.ts'
import type { LiveMarket, Shared } from '../feed.ts'
import { errors, strict } from '../schemas.ts'
import { AccountTopics, MOST_TOPICS, Streams } from '../streams.ts'
import { marketRow } from '../views/market.ts'
import { ownerView } from '../views/owner.ts'
import { oracleInput, oracleOf } from './oracle.ts'

const DESCRIPTION = `Server-sent events. Topics: \`slot\`, \`oracle\`, \`market:NAME\`, \`account:OWNER\`.

The data of a message is \`{"topic", "id", "snapshot", "data"}\`. \`data\` is what GET gives of the same thing: \`/v1/markets/{market}\` (without
\`volume24h\`), \`/v1/oracle\`, \`/v1/accounts/{owner}\`; of \`slot\` it is \`{"slot", "time", "age", "stale"}\`. \`id\` is \`EPOCH.NUMBER\`, one more with each
update of the topic. A message with \`snapshot: true\` needs nothing of before: it is the first of its topic, or comes after a gap. Whoever comes back to the same topics
with \`Last-Event-ID\`, as browsers do, gets what was missed, or a snapshot. An event named \`end\` says that the server stops; a comment comes every 15 seconds.
A client that does not read is cut off.`

const Query = strict({
  topics: Type.String({
    minLength: 1,
    maxLength: MOST_TOPICS * 60,
    pattern: '^[\\w:,-]+$',
    description: `Topics with commas between them, at most ${MOST_TOPICS}`,
    examples: ['slot,oracle,market:JLP-2411'],
  }),
})
const Headers = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ maxLength: 100, description: '`id` of the last event that was received' }),
  ),
})

/** How often it is looked at whether the chain is still read, milliseconds. */
const STALE_EVERY = 1000

export const streamRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context, metrics }) => {
  const { feed } = context
  const oracle = oracleOf(context)
  const streams = new Streams()

  // ---- markets and slots --------------------------------------------------------------------------------------------------

  /** A market as it was last looked at, and what was then published of it. */
  const published = new Map<string, { readonly live: LiveMarket; readonly figures: string }>()
  const publishMarket = (live: LiveMarket): void => {
    const before = published.get(live.name)
    if (before?.live === live) return
    const row = marketRow(context, live, undefined)
    const { slot, time, age, stale, ...figures } = row
    const now = JSON.stringify(figures)
    published.set(live.name, { live, figures: now })
    if (before?.figures === now) return
    streams.open(`market:${live.name}`)
    streams.publish(`market:${live.name}`, row)
  }

  let wasStale = true
  const publishSlot = (): void => {
    const freshness = feed.freshness()
    wasStale = freshness.stale
    streams.publish('slot', freshness)
  }

  const publishOracle = (): void => {
    if (Number.isFinite(feed.age))
      streams.publish('oracle', { ...oracle.view(oracleInput(context)), ...feed.freshness() })
  }

  const onSlot = (_: Shared): void => {
    for (const live of feed.markets) publishMarket(live)
    publishSlot()
    if (streams.listeners('oracle') > 0) publishOracle()
    metrics.streamClients.set(streams.clients)
  }
  streams.open('slot')
  // Nobody works it out while nobody looks at it.
  streams.onDemand('oracle', () => {
    setImmediate(publishOracle)
    return () => {}
  })
  if (Number.isFinite(feed.age)) onSlot(feed.shared)
  feed.on('slot', onSlot)
  // No new slot is what nobody would tell otherwise.
  const watch = setInterval(() => {
    if (feed.isStale && !wasStale) publishSlot()
  }, STALE_EVERY).unref()

  // ---- owners -------------------------------------------------------------------------------------------------------------

  const accounts = new AccountTopics(
    streams,
    async owner => {
      const { slot, time, age, stale, ...figures } = await ownerView(context, owner)
      return { figures, freshness: { slot, time, age, stale } }
    },
    error => app.log.warn({ err: error }, 'an account was not read'),
  )
  // What was read of an owner is kept for a slot: so whoever was touched is read with the next one.
  let touched = new Set<string>()
  const onAdvanced = (advanced: Advanced): void => {
    for (const owner of advanced.rolledBack === undefined ? advanced.touched.owners : accounts.owners)
      touched.add(owner)
  }
  const onAll = (): void => {
    for (const owner of accounts.owners) touched.add(owner)
  }
  context.index?.on('advanced', onAdvanced)
  // What an index that has gone took in last was not told.
  context.index?.on('ready', onAll)
  // Without an index nobody says whose a change was.
  if (context.index === undefined) feed.on('market', onAll)
  const tellTouched = (): void => {
    const owners = touched
    touched = new Set()
    accounts.touched(owners)
  }
  feed.on('slot', tellTouched)

  // ---- the route ----------------------------------------------------------------------------------------------------------

  app.addHook('preClose', async () => {
    clearInterval(watch)
    feed.off('slot', onSlot).off('slot', tellTouched).off('market', onAll)
    context.index?.off('advanced', onAdvanced).off('ready', onAll)
    streams.close()
  })

  const isTopic = (topic: string): boolean => {
    if (topic === 'slot' || topic === 'oracle') return true
    const [kind, of] = topic.split(/:(.*)/s)
    return kind === 'account' ? of !== undefined && isAddress(of) : kind === 'market' && streams.has(topic)
  }
  const check = (topics: readonly string[]): void => {
    if (topics.length > MOST_TOPICS) {
      badRequest(`At most ${MOST_TOPICS} topics, not ${topics.length}`, 'Open a second stream for the rest.')
    }
    const wrong = topics.find(topic => !isTopic(topic))
    if (wrong === undefined) return
    const hint = 'Topics are slot, oracle, market:NAME and account:OWNER; GET /v1/markets lists the names.'
    fail(404, 'unknown-topic', 'There is no such topic', hint, { topic: wrong.slice(0, 100) })
  }
  app.get(
    '/stream',
    {
      schema: {
        operationId: 'stream',
        tags: ['streams'],
        summary: 'What changes, as it does',
        description: DESCRIPTION,
        querystring: Query,
        headers: Headers,
        response: {
          200: {
            description: 'Events, without an end',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
          ...errors(404, 503),
        },
      },
    },
    (request, reply) => {
      const topics = [...new Set(request.query.topics.split(','))]
      check(topics)
      if (streams.isFull) {
        fail(503, 'too-many-clients', 'There are as many streams as there can be', 'Try again in a minute.')
      }
      reply.hijack()
      const { raw } = reply
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no', // a proxy that would wait for more
      })
      streams.subscribe(raw, topics, request.headers['last-event-id'])
      metrics.streamClients.set(streams.clients)
    },
  )
}
