/** How the server is, for those who keep it running. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import type { RouteOptions } from '../context.ts'
import { errors, Nullable, oneOf, strict } from '../schemas.ts'

const tags = ['server']
const querystring = strict({})

const Ready = Type.Object({
  ready: Type.Boolean({ description: 'Whether quotes are given' }),
  local: Type.Boolean({ description: 'Whether this is a local chain, with a faucet' }),
  speed: Type.Number({ description: "Seconds of the chain's clock in one of ours" }),
  slot: Nullable(Type.Integer()),
  time: Nullable(Type.Integer({ description: "Unix seconds by the chain's clock" })),
  age: Nullable(Type.Integer({ description: 'Milliseconds since a new slot was last read' })),
  markets: Type.Integer(),
  index: oneOf(['none', 'unavailable', 'ok'], { description: '`none`: the server runs without one' }),
  indexSlot: Nullable(Type.Integer({ description: 'How far the index has come' })),
})

export const healthRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context, metrics }) => {
  const { feed, index, chain } = context
  const quiet = { config: { rateLimit: false as const } }

  app.get(
    '/healthz',
    {
      ...quiet,
      schema: {
        tags,
        operationId: 'healthz',
        summary: 'Whether the process is alive',
        querystring,
        response: { 200: Type.Object({ alive: Type.Boolean() }), ...errors() },
      },
    },
    async () => ({ alive: true }),
  )

  app.get(
    '/readyz',
    {
      ...quiet,
      schema: {
        tags,
        operationId: 'readyz',
        summary: 'Whether the chain is read, and what the index does; 503 if nothing is quoted',
        querystring,
        response: { ...errors(), 200: Ready, 503: Ready },
      },
    },
    async (_, reply) => {
      const known = Number.isFinite(feed.age) ? feed.shared : undefined
      const status = await index?.status().catch(() => undefined)
      const state = {
        ready: !feed.isStale,
        ...chain,
        slot: known?.slot ?? null,
        time: known?.now ?? null,
        age: known === undefined ? null : Math.round(feed.age),
        markets: feed.markets.length,
        index:
          index === undefined ? ('none' as const) : status?.ready === true ? ('ok' as const) : ('unavailable' as const),
        indexSlot: status?.slot ?? null,
      }
      return reply.code(state.ready ? 200 : 503).send(state)
    },
  )

  app.get('/metrics', { ...quiet, schema: { hide: true } }, async (_, reply) => {
    const status = await index?.status().catch(() => undefined)
    if (status?.slot !== undefined && !feed.isStale) metrics.indexLag.set(Math.max(0, feed.shared.slot - status.slot))
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}
