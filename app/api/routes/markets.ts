/** What there is to trade. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import type { RouteOptions } from '../context.ts'
import { marketIn } from '../feed.ts'
import { errors, Freshness, MarketIn, MarketRef, strict } from '../schemas.ts'
import { Bucket, depthOf, Market, marketRow, TermPoint, termStructure, Volumes } from '../views/market.ts'

const tags = ['markets']
const params = strict({ market: MarketIn })

export const marketRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context }) => {
  const { feed, index } = context
  const volumes = new Volumes(index)

  app.get(
    '/markets',
    {
      schema: {
        tags,
        operationId: 'markets',
        summary: 'All markets, by maturity',
        querystring: strict({}),
        response: { 200: Type.Object({ markets: Type.Array(Market), ...Freshness }), ...errors(503) },
      },
    },
    async () => {
      const { shared } = feed
      const found = await volumes.of(shared.now)
      return { markets: feed.markets.map(live => marketRow(context, live, found)), ...feed.freshness() }
    },
  )

  app.get(
    '/markets/:market',
    {
      schema: {
        tags,
        operationId: 'market',
        summary: 'One market',
        params,
        querystring: strict({}),
        response: { 200: Market, ...errors(404, 503) },
      },
    },
    async ({ params: { market } }) => {
      const live = marketIn(feed, market)
      return marketRow(context, live, await volumes.of(live.shared.now))
    },
  )

  app.get(
    '/markets/:market/depth',
    {
      schema: {
        tags,
        operationId: 'depth',
        summary: 'YT by bucket of APY',
        params,
        querystring: strict({
          width: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 1000, description: 'Of a bucket, bp of APY; 100 by default' }),
          ),
        }),
        response: {
          200: Type.Object({ ...MarketRef, buckets: Type.Array(Bucket), ...Freshness }),
          ...errors(404, 503),
        },
      },
    },
    async ({ params: { market }, query: { width = 100 } }) => {
      const live = marketIn(feed, market)
      const buckets = depthOf(live, width)
      return { market: live.name, address: live.address, buckets, ...feed.freshness(live.shared) }
    },
  )

  app.get(
    '/markets/:market/state',
    {
      schema: {
        tags,
        operationId: 'state',
        summary: "A market's accounts as they are, so that a page decodes them and quotes by itself",
        params,
        querystring: strict({}),
        response: {
          200: Type.Object({
            ...MarketRef,
            accounts: Type.Array(
              Type.Object({
                address: Type.String(),
                owner: Type.String({ description: 'The program that owns it' }),
                data: Type.String({ description: 'Base64' }),
              }),
              {
                description:
                  'Clock, config, JLP mint, Jupiter’s pool, both indices, the market, and tick arrays in use',
              },
            ),
            ...Freshness,
          }),
          ...errors(404, 503),
        },
      },
    },
    async ({ params: { market } }) => {
      const live = marketIn(feed, market)
      const accounts = [...live.shared.bytes]
        .filter(([address]) => !feed.market(address))
        .concat([...live.bytes])
        .map(([address, { owner, data }]) => ({ address, owner, data: Buffer.from(data).toString('base64') }))
      return { market: live.name, address: live.address, accounts, ...feed.freshness(live.shared) }
    },
  )

  app.get(
    '/term-structure',
    {
      schema: {
        tags,
        operationId: 'termStructure',
        summary: 'Implied APY over maturities, and between them',
        querystring: strict({}),
        response: { 200: Type.Object({ points: Type.Array(TermPoint), ...Freshness }), ...errors(503) },
      },
    },
    async () => ({ points: termStructure(feed), ...feed.freshness() }),
  )
}
