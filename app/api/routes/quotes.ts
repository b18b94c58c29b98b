/** What a trade would do, asked of the slot that was read last. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { TOLERANCE_BPS } from '../../../src/client/requests.ts'
import type { RouteOptions } from '../context.ts'
import { badRequest } from '../errors.ts'
import { fitting, freshMarket } from '../feed.ts'
import { askedOf, Order, ToleranceIn } from '../order.ts'
import {
  AddressIn,
  AtomsIn,
  addressIn,
  atomsOf,
  errors,
  Freshness,
  MarketIn,
  MarketRef,
  oneOf,
  Q64,
  q64,
  SubIn,
  strict,
} from '../schemas.ts'
import { LiquidityQuote, QUOTED, quoteAdding, quoteJson, quoteOf, quoteRemoving, TradeQuote } from '../views/quote.ts'
import { MOST_POINTS, Outcome, outcomesOf } from '../views/simulate.ts'

const tags = ['quotes']
const params = strict({ market: MarketIn })

/** "0.05,0.1" as fractions. */
const Fractions = Type.String({ pattern: '^[0-9.]{1,8}(,[0-9.]{1,8})*$', maxLength: 120 })
const numbersIn = (text: string, name: string, most: number): number[] => {
  const all = text.split(',').map(Number)
  if (all.length > MOST_POINTS || !all.every(one => one >= 0 && one <= most)) {
    badRequest(`${name} must be at most ${MOST_POINTS} numbers from 0 to ${most}`, 'Separate them by commas.')
  }
  return all
}

/** Highest APY and longest time that are simulated. */
const MOST_APY = 10
const MOST_DAYS = 800

export const quoteRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context }) => {
  const { feed, holdings } = context

  app.get(
    '/markets/:market/quote',
    {
      schema: {
        tags,
        operationId: 'quote',
        summary: 'What a trade would do: the fill to the atom if nobody trades before, and the account afterwards',
        description:
          'Long, short, reduce and close are of YT in a margin account: with `owner` and `sub` of that one, else with `margin` of a new one, ' +
          'else of the AMM alone. What the AMM refuses is an error; what margin forbids is in `refusal`, beside the figures.',
        params,
        querystring: strict({
          action: oneOf(QUOTED),
          ...Order,
          owner: Type.Optional(AddressIn),
          sub: Type.Optional(SubIn),
        }),
        response: { 200: TradeQuote, ...errors(404, 422, 503) },
      },
    },
    async ({ params: { market }, query }) => {
      const live = freshMarket(feed, market)
      const asked = await askedOf(context, live, query)
      return quoteJson(context, live, asked, quoteOf(live, asked))
    },
  )

  app.get(
    '/markets/:market/liquidity-quote',
    {
      schema: {
        tags,
        operationId: 'liquidityQuote',
        summary: 'What liquidity over a range costs, or what a share of a position pays',
        params,
        querystring: strict({
          action: oneOf(['add', 'remove']),
          lower: Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Tick: bp of the rate' }),
          upper: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
          jlp: Type.Optional(AtomsIn),
          owner: Type.Optional(AddressIn),
          shareBps: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 10_000, description: 'Share that is removed, bp; all by default' }),
          ),
          sell: Type.Optional(Type.Boolean({ description: 'Sell the PT or YT that come, for JLP alone' })),
          toleranceBps: Type.Optional(ToleranceIn),
        }),
        response: { 200: LiquidityQuote, ...errors(404, 422, 503) },
      },
    },
    async ({ params: { market }, query }) => {
      const live = freshMarket(feed, market)
      const { action, lower, upper, jlp, owner, shareBps = 10_000, sell = false, toleranceBps = TOLERANCE_BPS } = query
      if (action === 'add') {
        if (jlp === undefined) return badRequest('The JLP are missing', 'Give `jlp`, the most that may be charged.')
        return quoteAdding(context, live, { lower, upper }, { jlp: atomsOf(jlp, 'jlp'), toleranceBps })
      }
      if (owner === undefined) return badRequest('The owner is missing', 'Give `owner` of the position.')
      const terms = { share: { num: BigInt(shareBps), den: 10_000n }, sell, toleranceBps }
      return fitting(feed, async () => {
        const now = freshMarket(feed, market)
        const held = await holdings.position(now, addressIn(owner, 'owner'), { lower, upper })
        return quoteRemoving(context, now, held, terms)
      })
    },
  )

  app.get(
    '/markets/:market/simulate',
    {
      schema: {
        tags,
        operationId: 'simulate',
        summary: 'Profit of a position that is not held yet, over realised APY and time',
        description: `At most ${MOST_POINTS} APYs and ${MOST_POINTS} days. Coupons go by as a steady yield; a liquidation on the way is seen only at the days asked for.`,
        params,
        querystring: strict({
          action: oneOf(['long', 'short', 'buy-pt']),
          ...Order,
          realised: Type.Optional(
            Type.String({
              ...Fractions,
              description: 'APYs of JLP, as fractions with commas; around the implied one by default',
            }),
          ),
          days: Type.Optional(
            Type.String({ ...Fractions, description: 'Days from now, with commas; eight up to maturity by default' }),
          ),
          implied: Type.Optional(
            Type.String({
              pattern: '^[0-9.]{1,8}$',
              description: 'The implied APY then, a fraction; that of now by default',
            }),
          ),
        }),
        response: {
          200: Type.Object({
            ...MarketRef,
            quote: TradeQuote,
            impliedApy: Q64,
            rows: Type.Array(
              Type.Object({
                realisedApy: Type.String({ description: 'A fraction' }),
                outcomes: Type.Array(Outcome),
              }),
            ),
            ...Freshness,
          }),
          ...errors(404, 422, 503),
        },
      },
    },
    async ({ params: { market }, query }) => {
      const live = freshMarket(feed, market)
      const asked = await askedOf(context, live, query)
      if (asked.action !== 'buy-pt' && asked.margin === 0n) {
        return badRequest('A margin is missing', 'Give `margin`, the JLP that are deposited.')
      }
      const traded = quoteOf(live, asked)
      if (traded.refusal !== undefined) throw traded.refusal
      const now = Number(traded.quote.apyBefore) / 2 ** 64
      const left = live.view.tauSeconds / 86_400
      const realised =
        query.realised === undefined
          ? [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3].map(part => Number((now * part).toFixed(6)))
          : numbersIn(query.realised, 'realised', MOST_APY)
      const days =
        query.days === undefined
          ? Array.from({ length: 9 }, (_, i) => (left * i) / 8)
          : numbersIn(query.days, 'days', MOST_DAYS)
      const implied = query.implied === undefined ? undefined : numbersIn(query.implied, 'implied', 3)[0]
      const rows = outcomesOf(live, asked, traded, { realised, days, implied })
      return {
        market: live.name,
        address: live.address,
        quote: quoteJson(context, live, asked, traded),
        impliedApy: q64(traded.quote.apyBefore),
        rows,
        ...feed.freshness(live.shared),
      }
    },
  )
}
