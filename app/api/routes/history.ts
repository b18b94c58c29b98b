/** What was, out of the index. Rows are of the slot and time that they name; one up to `final` can no longer be undone. */
import { type FastifyPluginAsyncTypebox, type Static, type TSchema, Type } from '@fastify/type-provider-typebox'
import type {
  AccountState,
  Candle as CandleRow,
  CouponRow,
  OpenInterest as OpenInterestRow,
  OrderState,
  Page,
  TradeRow,
} from '../../../src/indexer/index.ts'
import type { Index, RouteOptions } from '../context.ts'
import { indexUnavailable } from '../errors.ts'
import { type Feed, marketIn } from '../feed.ts'
import {
  AddressIn,
  Atoms,
  addressIn,
  errors,
  Kind,
  MarketIn,
  Nullable,
  named,
  oneOf,
  Paging,
  Q64,
  q64,
  SubIn,
  said,
  strict,
} from '../schemas.ts'

const tags = ['history']
const Time = Type.Integer({ description: 'Unix seconds' })

const Origin = {
  slot: Type.Integer(),
  signature: Type.String(),
  time: Time,
  market: Type.String({ description: 'Name of the market, or its address if it is not known by name' }),
}

export const Candle = named(
  'Candle',
  Type.Object({
    start: Time,
    apy: Type.Object({ open: Q64, high: Q64, low: Q64, close: Q64 }, { description: 'Implied APY' }),
    price: Type.Object({ open: Q64, high: Q64, low: Q64, close: Q64 }, { description: 'ST per YT' }),
    volume: said(Atoms, 'JLP'),
    volumeYt: said(Atoms, 'YT or PT'),
    fees: said(Atoms, 'JLP'),
    trades: Type.Integer(),
    vault: said(Atoms, 'JLP locked at its end'),
    longYt: Atoms,
    shortYt: Atoms,
  }),
)
const candleJson = (row: CandleRow): Static<typeof Candle> => ({
  start: row.start,
  apy: { open: q64(row.apyOpen), high: q64(row.apyHigh), low: q64(row.apyLow), close: q64(row.apyClose) },
  price: { open: q64(row.priceOpen), high: q64(row.priceHigh), low: q64(row.priceLow), close: q64(row.priceClose) },
  volume: String(row.volume),
  volumeYt: String(row.volumeYt),
  fees: String(row.volumeFees),
  trades: row.trades,
  vault: String(row.vault),
  longYt: String(row.longYt),
  shortYt: String(row.shortYt),
})

export const Trade = named(
  'Trade',
  Type.Object({
    ...Origin,
    cause: Type.String({ description: 'A trade, a fill of an order, a liquidation, ...' }),
    owner: Nullable(Type.String({ description: 'null: the insurance fund' })),
    sub: Nullable(Type.Integer({ description: 'null: of the wallet' })),
    side: oneOf(['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt']),
    filled: Atoms,
    amount: said(Atoms, 'JLP paid or received, fee not included'),
    fee: Atoms,
    rateBefore: Q64,
    rateAfter: Q64,
    apy: said(Q64, 'After it'),
    price: Q64,
    complete: Type.Boolean(),
  }),
)

const History = named(
  'AccountChange',
  Type.Object({
    ...Origin,
    sub: Type.Integer(),
    cause: Type.String(),
    coupon: said(Atoms, 'Coupons since the change before, JLP atoms, part of that of `st`'),
    change: Type.Object({ margin: Atoms, st: Atoms, yt: Atoms, netDeposits: Atoms }),
    margin: Atoms,
    st: Atoms,
    yt: Atoms,
    netDeposits: Atoms,
    cost: said(Atoms, 'What the YT held now cost, coupons left out'),
    entryRate: Q64,
    coupons: said(Atoms, 'Of its whole life, JLP atoms'),
    traded: Atoms,
    fees: Atoms,
    penalties: Atoms,
  }),
)

const Order = named(
  'OrderChange',
  Type.Object({
    ...Origin,
    sub: Type.Integer(),
    id: Type.Integer(),
    action: Type.String(),
    status: oneOf(['open', 'filled', 'cancelled', 'expired']),
    placedAmount: Atoms,
    amount: said(Atoms, 'YT left'),
    filled: Atoms,
    fee: said(Atoms, 'JLP left for whoever fills it'),
    feesPaid: Atoms,
    by: Nullable(Type.String({ description: 'Who filled' })),
    filledChange: Atoms,
    feeChange: Atoms,
    limitRate: Q64,
    trigger: Type.String(),
    level: Type.String(),
    expiresAt: Time,
  }),
)

const Coupon = named(
  'CouponPaid',
  Type.Object({
    slot: Type.Integer(),
    signature: Type.String(),
    time: Time,
    kind: Kind,
    paidTo: Time,
    discount: said(Q64, 'JLP per ST afterwards'),
    paid: said(Q64, 'JLP for each YT'),
  }),
)
const couponJson = (row: CouponRow): Static<typeof Coupon> => ({
  slot: row.slot,
  signature: row.signature,
  time: row.time,
  kind: row.kind,
  paidTo: row.paidTo,
  discount: q64(row.discount),
  paid: q64(row.paid),
})

const OpenInterest = Type.Object({ start: Time, longYt: Atoms, shortYt: Atoms, vault: Atoms })
const openInterestJson = ({ start, longYt, shortYt, vault }: OpenInterestRow): Static<typeof OpenInterest> => ({
  start,
  longYt: String(longYt),
  shortYt: String(shortYt),
  vault: String(vault),
})

const PageOf = <T extends TSchema>(row: T) =>
  Type.Object({
    rows: Type.Array(row),
    next: Nullable(Type.String({ description: '`cursor` of the next page; null: there is none' })),
    indexed: Nullable(Type.Integer({ description: 'The slot up to which all is in' })),
    final: Nullable(Type.Integer({ description: 'The slot up to which nothing can be undone' })),
  })

/** Widths of candles by their names, seconds. */
const WIDTHS = { '1m': 60, '1h': 3600, '1d': 86_400 } as const
const Stretch = {
  width: Type.Optional(oneOf(['1m', '1h', '1d'], { description: 'Of a candle, 1h by default' })),
  from: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'Unix seconds' })),
  to: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'Unix seconds; before it' })),
  ...Paging,
}

const OfOwner = {
  market: Type.Optional(MarketIn),
  ...Paging,
}

/** Without what is undefined. */
const given = <T extends object>(bag: T) =>
  Object.fromEntries(Object.entries(bag).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

const nameOf = (feed: Feed, address: string): string => feed.market(address)?.name ?? address
const origin = (feed: Feed, { slot, signature, time, market }: Pick<TradeRow, keyof typeof Origin>) => ({
  slot,
  signature,
  time,
  market: nameOf(feed, market),
})

const tradeJson = (feed: Feed, row: TradeRow): Static<typeof Trade> => ({
  ...origin(feed, row),
  cause: row.cause,
  owner: row.owner,
  sub: row.sub,
  side: row.side,
  filled: String(row.filled),
  amount: String(row.amount),
  fee: String(row.feeTotal),
  rateBefore: q64(row.rateBefore),
  rateAfter: q64(row.rateAfter),
  apy: q64(row.apy),
  price: q64(row.price),
  complete: row.complete,
})

const historyJson = (feed: Feed, row: AccountState): Static<typeof History> => ({
  ...origin(feed, row),
  sub: row.sub,
  cause: row.cause,
  coupon: String(row.coupon),
  change: {
    margin: String(row.marginChange),
    st: String(row.stChange),
    yt: String(row.ytChange),
    netDeposits: String(row.netDepositsChange),
  },
  margin: String(row.margin),
  st: String(row.st),
  yt: String(row.yt),
  netDeposits: String(row.netDeposits),
  cost: String(row.cost),
  entryRate: q64(row.entryRate),
  coupons: String(row.coupons),
  traded: String(row.traded),
  fees: String(row.fees),
  penalties: String(row.penalties),
})

const orderJson = (feed: Feed, row: OrderState): Static<typeof Order> => ({
  ...origin(feed, row),
  sub: row.sub,
  id: row.id,
  action: row.action,
  status: row.status,
  placedAmount: String(row.placedAmount),
  amount: String(row.amount),
  filled: String(row.filled),
  fee: String(row.fee),
  feesPaid: String(row.feesPaid),
  by: row.by,
  filledChange: String(row.filledChange),
  feeChange: String(row.feeChange),
  limitRate: q64(row.limitRate),
  trigger: row.trigger,
  level: String(row.level),
  expiresAt: row.expiresAt,
})

export const historyRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { context }) => {
  const { feed, index } = context

  /** A page of the index, its rows as text. */
  const page = async <Row, Out>(ask: (index: Index) => Promise<Page<Row>>, toJson: (row: Row) => Out) => {
    if (index === undefined) throw indexUnavailable()
    const [{ rows, next }, { slot, final }] = await Promise.all([ask(index), index.status()])
    return { rows: rows.map(toJson), next: next ?? null, indexed: slot ?? null, final: final ?? null }
  }
  /** Address of a market that is asked for by its name, if one is. */
  const addressAt = (market: string | undefined) => (market === undefined ? undefined : marketIn(feed, market).address)
  const ofMarket = { params: strict({ market: MarketIn }) }
  const ofOwner = { params: strict({ owner: AddressIn }) }

  app.get(
    '/markets/:market/candles',
    {
      schema: {
        tags,
        operationId: 'candles',
        summary: 'Candles of implied APY and YT price, the oldest first; where nothing happened there is none',
        ...ofMarket,
        querystring: strict(Stretch),
        response: { 200: PageOf(Candle), ...errors(404, 503) },
      },
    },
    async ({ params, query: { width = '1h', ...rest } }) => {
      const market = marketIn(feed, params.market).address
      return page(on => on.candles(given({ ...rest, market, width: WIDTHS[width] })), candleJson)
    },
  )

  app.get(
    '/markets/:market/open-interest',
    {
      schema: {
        tags,
        operationId: 'openInterest',
        summary: 'YT held and owed, and JLP locked, as candles go',
        ...ofMarket,
        querystring: strict(Stretch),
        response: { 200: PageOf(OpenInterest), ...errors(404, 503) },
      },
    },
    async ({ params, query: { width = '1h', ...rest } }) => {
      const market = marketIn(feed, params.market).address
      return page(on => on.openInterest(given({ ...rest, market, width: WIDTHS[width] })), openInterestJson)
    },
  )

  app.get(
    '/markets/:market/trades',
    {
      schema: {
        tags,
        operationId: 'marketTrades',
        summary: 'Trades of a market, the newest first',
        ...ofMarket,
        querystring: strict(Paging),
        response: { 200: PageOf(Trade), ...errors(404, 503) },
      },
    },
    async ({ params, query }) => {
      const market = marketIn(feed, params.market).address
      return page(
        on => on.trades(given({ ...query, market })),
        row => tradeJson(feed, row),
      )
    },
  )

  app.get(
    '/coupons',
    {
      schema: {
        tags,
        operationId: 'coupons',
        summary: 'What was paid on YT, the newest first',
        querystring: strict({ kind: Type.Optional(Kind), ...Paging }),
        response: { 200: PageOf(Coupon), ...errors(503) },
      },
    },
    async ({ query: { kind = 'hourly', ...paging } }) => page(on => on.coupons(given({ ...paging, kind })), couponJson),
  )

  app.get(
    '/accounts/:owner/trades',
    {
      schema: {
        tags: ['accounts'],
        operationId: 'accountTrades',
        summary: 'Trades of an owner, the newest first',
        ...ofOwner,
        querystring: strict(OfOwner),
        response: { 200: PageOf(Trade), ...errors(404, 503) },
      },
    },
    async ({ params, query: { market, ...paging } }) => {
      const owner = addressIn(params.owner, 'owner')
      const of = given({ ...paging, owner, market: addressAt(market) })
      return page(
        on => on.trades(of),
        row => tradeJson(feed, row),
      )
    },
  )

  app.get(
    '/accounts/:owner/history',
    {
      schema: {
        tags: ['accounts'],
        operationId: 'accountHistory',
        summary: "Every change of an owner's margin accounts, the newest first",
        ...ofOwner,
        querystring: strict({ ...OfOwner, sub: Type.Optional(SubIn) }),
        response: { 200: PageOf(History), ...errors(404, 503) },
      },
    },
    async ({ params, query: { market, ...rest } }) => {
      const owner = addressIn(params.owner, 'owner')
      const of = given({ ...rest, owner, market: addressAt(market) })
      return page(
        on => on.accountHistory(of),
        row => historyJson(feed, row),
      )
    },
  )

  app.get(
    '/accounts/:owner/orders',
    {
      schema: {
        tags: ['accounts'],
        operationId: 'accountOrders',
        summary: "Every change of an owner's resting orders, the newest first",
        ...ofOwner,
        querystring: strict({ ...OfOwner, sub: Type.Optional(SubIn), id: Type.Optional(SubIn) }),
        response: { 200: PageOf(Order), ...errors(404, 503) },
      },
    },
    async ({ params, query: { market, ...rest } }) => {
      const owner = addressIn(params.owner, 'owner')
      const of = given({ ...rest, owner, market: addressAt(market) })
      return page(
        on => on.orderHistory(of),
        row => orderJson(feed, row),
      )
    },
  )
}
