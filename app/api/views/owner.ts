/** All that an owner has: wallet, margin accounts, orders, liquidity. Read from the chain when it is asked for, at most once a slot. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { PublicKey } from '@solana/web3.js'
import { tokenAccountOf } from '../../../src/chain/tokens.ts'
import {
  ADDRESSES,
  addressOf,
  COUPON_KINDS,
  listAccounts,
  toEngineOrder,
  toEnginePosition,
  walletAddress,
} from '../../../src/client/index.ts'
import { accountView, lpView, ptView } from '../../../src/exchange/index.ts'
import type { AccountSummary } from '../../../src/indexer/index.ts'
import { mirrorOf } from '../../../src/mirror/index.ts'
import type { Context } from '../context.ts'
import { fromChain } from '../errors.ts'
import { fitting, type LiveMarket } from '../feed.ts'
import { Atoms, Freshness, MarketRef, Nullable, named, oneOf, Q64, q64, said } from '../schemas.ts'
import { Account, accountJson, Lp, lpJson } from './account.ts'

/** Of an account's life, as the index has it. */
const Profit = Type.Object(
  { total: Atoms, coupons: Atoms, realised: Atoms, decay: Atoms, rateMove: Atoms, fees: Atoms },
  { description: 'Since the account was opened, JLP atoms; null while the index does not answer' },
)

const Order = Type.Object({
  ...MarketRef,
  sub: Type.Integer(),
  id: Type.Integer(),
  action: oneOf(['long', 'short', 'reduce-long', 'reduce-short']),
  amount: said(Atoms, 'YT left to fill'),
  spot: Type.Boolean(),
  limitRate: Q64,
  minimum: Atoms,
  trigger: oneOf(['none', 'rate-above', 'rate-below', 'pnl-above', 'pnl-below']),
  level: Type.String({ description: 'Of the trigger: a rate in Q64.64, or JLP atoms' }),
  fee: said(Atoms, 'Left for whoever fills it, JLP atoms'),
  expiresAt: Type.Integer({ description: 'Unix seconds' }),
})

export const Owner = named(
  'Owner',
  Type.Object({
    owner: Type.String(),
    wallet: Type.Object({
      lamports: Type.String({ description: 'SOL, 10^-9' }),
      jlp: Atoms,
      st: Type.Object(
        { hourly: Atoms, weekly: Atoms },
        { description: 'Wrapped ST, in JLP atoms that they are worth' },
      ),
      pt: Type.Array(
        Type.Object({
          ...MarketRef,
          pt: Atoms,
          value: said(Atoms, 'JLP atoms at the spot'),
          exitValue: said(Atoms, 'JLP atoms that selling all of them now would bring'),
          fixedApy: Q64,
        }),
      ),
    }),
    accounts: Type.Array(
      Type.Object({ ...MarketRef, account: Account, orders: Type.Integer(), profit: Nullable(Profit) }),
    ),
    orders: Type.Array(Order),
    positions: Type.Array(Type.Object({ ...MarketRef, position: Lp })),
    ...Freshness,
  }),
)

/** Accounts that a node gives at once. */
const MOST = 100
/** Milliseconds that the index has to say where profit came from. */
const PATIENCE = 2000

const tokensOf = async ({ connection, feed }: Context, owner: string) => {
  const { tokenProgram: program, jlpMint, token2022Program } = ADDRESSES
  const markets = feed.markets
  const places = [
    owner,
    walletAddress({ owner, mint: jlpMint, program }),
    ...COUPON_KINDS.map(kind =>
      walletAddress({ owner, mint: addressOf('StMint', { kind }), program: token2022Program }),
    ),
    ...markets.map(({ reading }) => walletAddress({ owner, mint: reading.data.ptMint, program })),
  ].map(address => new PublicKey(address))
  const parts = Array.from({ length: Math.ceil(places.length / MOST) }, (_, i) =>
    places.slice(i * MOST, (i + 1) * MOST),
  )
  const found = (await Promise.all(parts.map(part => fromChain(connection.getMultipleAccountsInfo(part))))).flat()
  const amounts = found.map(account =>
    account === null ? 0n : (tokenAccountOf({ owner: account.owner.toBase58(), data: account.data })?.amount ?? 0n),
  )
  const [, jlp, hourly, weekly, ...pt] = amounts as [bigint, bigint, bigint, bigint, ...bigint[]]
  return {
    lamports: String(found[0]?.lamports ?? 0),
    jlp: String(jlp),
    st: { hourly: worthOf(feed.shared.indices.hourly, hourly), weekly: worthOf(feed.shared.indices.weekly, weekly) },
    pt: markets.flatMap((live, i) => (pt[i] === 0n ? [] : [ptJson(live, pt[i]!)])),
  }
}

/** JLP that wrapped ST stand for. */
const worthOf = (index: { readonly discount: bigint } | undefined, st: bigint): string =>
  String(index === undefined ? 0n : (st * index.discount) >> 64n)

const ptJson = (live: LiveMarket, amount: bigint) => {
  const { mirror } = live.ready
  const { pt, value, exitValue, fixedApy } = ptView(mirror.state, mirror.id, amount, mirror.world)
  return {
    market: live.name,
    address: live.address,
    pt: String(pt),
    value: String(value),
    exitValue: String(exitValue),
    fixedApy: q64(fixedApy),
  }
}

const profitsOf = async ({ index }: Context, owner: string): Promise<ReadonlyMap<string, AccountSummary>> => {
  if (index === undefined) return new Map()
  const nothing = { rows: [] as readonly AccountSummary[] }
  const patience = new Promise<typeof nothing>(done => setTimeout(() => done(nothing), PATIENCE).unref())
  const { rows } = await Promise.race([index.accounts({ owner }).catch(() => nothing), patience])
  return new Map(rows.map(row => [`${row.market}/${row.sub}`, row]))
}

const read = async (context: Context, owner: string): Promise<Omit<Static<typeof Owner>, keyof typeof Freshness>> => {
  const { connection, feed } = context
  const { config, jlpSupply } = feed.shared
  const [wallet, accounts, orders, positions, profits] = await Promise.all([
    tokensOf(context, owner),
    fromChain(listAccounts(connection, 'MarginAccount', { owner })),
    fromChain(listAccounts(connection, 'RestingOrder', { owner })),
    fromChain(listAccounts(connection, 'LpPosition', { owner })),
    profitsOf(context, owner),
  ])
  const known = feed.markets.map(live => ({
    live,
    accounts: accounts.filter(({ data }) => data.market === live.address),
    positions: positions.filter(({ data }) => data.market === live.address).map(({ data }) => data),
  }))
  const subs = new Map(accounts.map(({ address, data }) => [address, data]))
  return {
    owner,
    wallet,
    accounts: known.flatMap(({ live, accounts }) => {
      const { state, world, id } = mirrorOf(live.ready.reading, {
        config,
        jlpSupply,
        accounts: accounts.map(one => one.data),
      })
      // With the coupon that is due, as in quotes.
      const now = { ...state, indices: live.ready.mirror.state.indices }
      return accounts.map(({ data: { sub, orders } }) => {
        const profit = profits.get(`${live.address}/${sub}`)?.profit
        return {
          market: live.name,
          address: live.address,
          account: accountJson(accountView(now, { market: id, owner, sub }, world)),
          orders,
          profit:
            profit === undefined
              ? null
              : {
                  total: String(profit.total),
                  coupons: String(profit.coupons),
                  realised: String(profit.realised),
                  decay: String(profit.decay),
                  rateMove: String(profit.rateMove),
                  fees: String(profit.fees),
                },
        }
      })
    }),
    orders: orders.flatMap(({ data }) => {
      const account = subs.get(data.account)
      const live = account === undefined ? undefined : feed.market(account.market)
      if (account === undefined || live === undefined) return []
      return [orderJson(live, toEngineOrder(live.name, account.sub, data))]
    }),
    positions: known.flatMap(({ live, positions }) =>
      positions.map(data => {
        const { mirror } = live.ready
        const position = toEnginePosition(mirror.id, data)
        return {
          market: live.name,
          address: live.address,
          position: lpJson(lpView(mirror.state, position, mirror.world)),
        }
      }),
    ),
  }
}

const orderJson = (live: LiveMarket, order: ReturnType<typeof toEngineOrder>): Static<typeof Order> => ({
  market: live.name,
  address: live.address,
  sub: order.sub,
  id: order.id,
  action: order.action,
  amount: String(order.amount),
  spot: order.spot,
  limitRate: q64(order.limitRate),
  minimum: String(order.minimum),
  trigger: order.trigger,
  level: String(order.level),
  fee: String(order.fee),
  expiresAt: order.expiresAt,
})

export const ownerView = async (context: Context, owner: string): Promise<Static<typeof Owner>> => {
  // As it was before the reading, which may take longer than a slot: whatever happened before this one is in it.
  const freshness = context.feed.freshness()
  const found = await context.holdings.once(`owner ${owner}`, () => fitting(context.feed, () => read(context, owner)))
  return { ...found, ...freshness }
}
