/** What an owner has. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { RouteOptions } from '../context.ts'
import { AddressIn, addressIn, errors, strict } from '../schemas.ts'
import { Owner, ownerView } from '../views/owner.ts'

export const accountRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context }) => {
  app.get(
    '/accounts/:owner',
    {
      schema: {
        tags: ['accounts'],
        operationId: 'account',
        summary: 'Wallet, margin accounts, orders and liquidity of an owner',
        params: strict({ owner: AddressIn }),
        querystring: strict({}),
        response: { 200: Owner, ...errors(503) },
      },
    },
    async ({ params: { owner } }) => ownerView(context, addressIn(owner, 'owner')),
  )
}
