/** What an owner can have made into a transaction: what is asked for each, what the client makes of it, and what it does in a sentence. */
import { type Static, type TObject, Type } from '@fastify/type-provider-typebox'
import type { TransactionInstruction } from '@solana/web3.js'
import { apyFromRate, formatAtoms, formatPercent, type RateQ64 } from '../../amm/index.ts'
import { type ClientOptions, SunderClient } from '../../src/client/index.ts'
import { SECONDS } from '../../src/client/requests.ts'
import type { Context } from './context.ts'
import { badRequest } from './errors.ts'
import { freshMarket, type LiveMarket } from './feed.ts'
import { askedOf, Order } from './order.ts'
import {
  AddressIn,
  AtomsIn,
  addressIn,
  atomsOf,
  Kind,
  MarketIn,
  oneOf,
  RateIn,
  rateIn,
  SubIn,
  strict,
} from './schemas.ts'
import {
  type LiquidityQuote,
  quoteAdding,
  quoteJson,
  quoteOf,
  quoteRemoving,
  type Traded,
  type TradeQuote,
} from './views/quote.ts'

/** Instructions, and what they are said to do. */
export interface Prepared {
  readonly instructions: readonly TransactionInstruction[]
  readonly says: string
  readonly quote?: Static<typeof TradeQuote>
  readonly liquidity?: Static<typeof LiquidityQuote>
}

/** The client that actions are prepared with: it takes a market from the feed, unless told to read it anew. */
export class FeedClient extends SunderClient {
  readonly #context: Context

  constructor(context: Context, options: ClientOptions) {
    super(context.connection, { lands: Math.ceil(SECONDS * context.chain.speed), ...options })
    this.#context = context
  }

  override async market(...[ref, grid]: Parameters<SunderClient['market']>) {
    const { feed } = this.#context
    const live = 'address' in ref && ref.address !== undefined ? feed.market(ref.address) : undefined
    if (live === undefined || feed.isStale) return super.market(ref, grid)
    // As the transaction finds it, with the coupon that is paid in front.
    return { ...live.ready.reading, needsAccrue: live.reading.needsAccrue }
  }
}

interface Tools {
  readonly context: Context
  readonly client: SunderClient
  readonly live: (market: string) => LiveMarket
  /** Seconds that an order is good for, which on a local chain go by faster. */
  readonly seconds: number
}

export interface ActionRoute {
  readonly summary: string
  readonly body: TObject
  readonly prepare: (tools: Tools, body: never) => Promise<Prepared>
}

const table = Type.Optional(
  Type.String({ ...AddressIn, description: "A market's lookup table, for what is too large for a packet without" }),
)

const action = <T extends TObject>(
  summary: string,
  body: T,
  prepare: (tools: Tools, body: Static<T>) => Promise<Prepared>,
): ActionRoute => ({ summary, body: strict({ ...body.properties, table }), prepare })

// ---- what is asked ----------------------------------------------------------------------------------------------------------

const owner = Type.String({ ...AddressIn, description: 'Who signs, and pays the fee' })
const OfMarket = { owner, market: MarketIn }
const OfAccount = { ...OfMarket, sub: Type.Optional(SubIn) }
const Tick = Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'bp of the rate' })
const OfPosition = { ...OfMarket, lower: Tick, upper: Tick }
const Signed = Type.String({
  pattern: '^(0|-?[1-9][0-9]{0,19})$',
  maxLength: 21,
  description: 'Q64.64 of a rate, or JLP atoms of a profit, which may be below 0',
})
const Time = Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: "Unix seconds by the chain's clock" })

const refOf = ({ kind, address, maturity }: LiveMarket) => ({ kind, address, maturity })

/** The limits that were quoted. */
const boundsOf = ({ limitRate, minimum }: Traded) => ({ limitRate, minimum })

const ofAccount = ({ live }: Tools, body: { market: string; owner: string; sub?: number }) => {
  const market = live(body.market)
  return { live: market, ref: { market: refOf(market), owner: addressIn(body.owner, 'owner'), sub: body.sub ?? 0 } }
}
const ofPosition = ({ live }: Tools, { market, owner, lower, upper }: Static<TObject<typeof OfPosition>>) => {
  const found = live(market)
  return { live: found, ref: { market: refOf(found), owner: addressIn(owner, 'owner'), lower, upper } }
}

// ---- what is said -------------------------------------------------------------------------------------------------------------

const jlp = (atoms: bigint): string => `${formatAtoms(atoms)} JLP`
const apy = (rate: bigint): string => formatPercent(apyFromRate(rate as RateQ64))
const accountOf = ({ name }: LiveMarket, sub: number): string => `account ${sub} of ${name}`
const VERBS = {
  long: 'Buys',
  short: 'Sells',
  reduce: 'Closes',
  close: 'Closes all',
  'buy-pt': 'Buys',
  'sell-pt': 'Sells',
} as const

// ---- the actions ----------------------------------------------------------------------------------------------------------------

const { unit, amount, limitRate, minimum, toleranceBps } = Order
/** Of what is traded without margin. */
const SpotOrder = { unit, amount, limitRate, minimum, toleranceBps }

export const ACTIONS: Readonly<Record<string, ActionRoute>> = {
  trade: action(
    'Long, short, reduce or close YT in a margin account, which is opened if need be; `margin` is deposited first',
    strict({
      ...OfAccount,
      action: oneOf(['long', 'short', 'reduce', 'close']),
      ...Order,
    }),
    async (tools, body) => {
      const { context, client, seconds } = tools
      const { live, ref } = ofAccount(tools, body)
      const asked = await askedOf(context, live, body)
      const { action, unit, amount, margin, spot } = asked
      const traded = quoteOf(live, asked)
      const order = { ...ref, action, unit, amount, spot, margin, seconds, ...boundsOf(traded) }
      const { instructions } = await client.prepareTrade({ ...order, action: body.action })
      const { filled, amount: paid, fee, apyAfter } = traded.quote
      const first = margin === 0n ? '' : `Deposits ${jlp(margin)}, then: `
      const says = `${first}${VERBS[action]} ${formatAtoms(filled, 2)} YT for ${jlp(paid)} and a fee of ${jlp(fee.total)} in ${accountOf(live, ref.sub)}, which takes the implied APY to ${formatPercent(apyAfter)}.`
      return { instructions, says, quote: quoteJson(context, live, asked, traded) }
    },
  ),
  'trade-pt': action(
    'PT for JLP of the wallet, or back',
    strict({ ...OfMarket, action: oneOf(['buy-pt', 'sell-pt']), ...SpotOrder }),
    async (tools, body) => {
      const { context, client, seconds } = tools
      const { live, ref } = ofAccount(tools, body)
      const asked = await askedOf(context, live, body)
      const { unit, amount } = asked
      const traded = quoteOf(live, asked)
      const { market, owner } = ref
      const order = { market, owner, action: body.action, unit, amount, seconds, ...boundsOf(traded) }
      const { instructions } = await client.preparePtTrade(order)
      const { filled, amount: paid, fee } = traded.quote
      const says = `${VERBS[body.action]} ${formatAtoms(filled, 2)} PT of ${live.name} for ${jlp(paid)}; the fee is ${jlp(fee.total)}.`
      return { instructions, says, quote: quoteJson(context, live, asked, traded) }
    },
  ),
  deposit: action('JLP into a margin account', strict({ ...OfAccount, jlp: AtomsIn }), async (tools, body) => {
    const { live, ref } = ofAccount(tools, body)
    const atoms = atomsOf(body.jlp, 'jlp')
    const instructions = await tools.client.prepare('deposit', { ...ref, jlp: atoms })
    return { instructions, says: `Deposits ${jlp(atoms)} into ${accountOf(live, ref.sub)}.` }
  }),
  withdraw: action('JLP out of a margin account', strict({ ...OfAccount, jlp: AtomsIn }), async (tools, body) => {
    const { live, ref } = ofAccount(tools, body)
    const atoms = atomsOf(body.jlp, 'jlp')
    const instructions = await tools.client.prepare('withdraw', { ...ref, jlp: atoms })
    return { instructions, says: `Withdraws ${jlp(atoms)} from ${accountOf(live, ref.sub)}.` }
  }),
  transfer: action(
    'Margin and YT to another account of the same market',
    strict({
      ...OfAccount,
      to: strict({ owner: Type.Optional(AddressIn), sub: SubIn }),
      margin: Type.Optional(AtomsIn),
      yt: Type.Optional(AtomsIn),
    }),
    async (tools, body) => {
      const { live, ref } = ofAccount(tools, body)
      const to = {
        owner: body.to.owner === undefined ? ref.owner : addressIn(body.to.owner, 'to.owner'),
        sub: body.to.sub,
      }
      const [margin, yt] = [atomsOf(body.margin ?? '0', 'margin'), atomsOf(body.yt ?? '0', 'yt')]
      const instructions = await tools.client.prepare('transfer', { ...ref, to, margin, yt })
      const whose = to.owner === ref.owner ? '' : ` of ${to.owner}`
      const says = `Moves ${jlp(margin)} and ${formatAtoms(yt)} YT from ${accountOf(live, ref.sub)} to account ${to.sub}${whose}.`
      return { instructions, says }
    },
  ),
  split: action(
    'JLP of the wallet into PT of the wallet and YT of an account',
    strict({ ...OfAccount, yt: AtomsIn }),
    async (tools, body) => {
      const { live, ref } = ofAccount(tools, body)
      const yt = atomsOf(body.yt, 'yt')
      const instructions = await tools.client.prepare('split', { ...ref, yt })
      const says = `Splits JLP into ${formatAtoms(yt)} PT for the wallet and as many YT in ${accountOf(live, ref.sub)}.`
      return { instructions, says }
    },
  ),
  merge: action(
    'PT of the wallet with YT of an account, back into JLP',
    strict({ ...OfAccount, yt: AtomsIn }),
    async (tools, body) => {
      const { live, ref } = ofAccount(tools, body)
      const yt = atomsOf(body.yt, 'yt')
      const instructions = await tools.client.prepare('merge', { ...ref, yt })
      const says = `Merges ${formatAtoms(yt)} PT of the wallet with as many YT in ${accountOf(live, ref.sub)} into JLP.`
      return { instructions, says }
    },
  ),
  'redeem-pt': action('PT into JLP after maturity', strict({ ...OfMarket, pt: AtomsIn }), async (tools, body) => {
    const { live, ref } = ofAccount(tools, body)
    const pt = atomsOf(body.pt, 'pt')
    const { market, owner } = ref
    const instructions = await tools.client.prepare('redeemPt', { market, owner, pt })
    return { instructions, says: `Redeems ${formatAtoms(pt)} PT of ${live.name} for JLP.` }
  }),
  wrap: action(
    'JLP into ST, which wallets show rebasing',
    strict({ owner, kind: Kind, jlp: AtomsIn }),
    async (tools, body) => {
      const atoms = atomsOf(body.jlp, 'jlp')
      const instructions = await tools.client.prepare('wrap', {
        owner: addressIn(body.owner, 'owner'),
        coupon: body.kind,
        jlp: atoms,
      })
      return { instructions, says: `Wraps ${jlp(atoms)} into ST of ${body.kind} coupons.` }
    },
  ),
  unwrap: action('ST back into JLP', strict({ owner, kind: Kind, jlp: AtomsIn }), async (tools, body) => {
    const atoms = atomsOf(body.jlp, 'jlp')
    const instructions = await tools.client.prepare('unwrap', {
      owner: addressIn(body.owner, 'owner'),
      coupon: body.kind,
      jlp: atoms,
    })
    return { instructions, says: `Unwraps ST of ${body.kind} coupons into ${jlp(atoms)}.` }
  }),
  'add-liquidity': action(
    'As much liquidity over a range as `jlp` pays for',
    strict({ ...OfPosition, jlp: AtomsIn, toleranceBps }),
    async (tools, body) => {
      const { context, client, seconds } = tools
      const { live, ref } = ofPosition(tools, body)
      const { toleranceBps = 50 } = body
      const atoms = atomsOf(body.jlp, 'jlp')
      const liquidity = quoteAdding(context, live, ref, { jlp: atoms, toleranceBps })
      const instructions = await client.prepareLiquidity({ ...ref, jlp: atoms, toleranceBps, seconds })
      const says = `Provides liquidity in ${live.name} from ${formatPercent(BigInt(liquidity.lowerApy.q64))} to ${formatPercent(BigInt(liquidity.upperApy.q64))} APY for about ${jlp(BigInt(liquidity.jlp))}, at most ${jlp(atoms)}.`
      return { instructions, says, liquidity }
    },
  ),
  'remove-liquidity': action(
    'A share of a position; with `sell` in JLP alone, as far as the PT or YT can be sold',
    strict({
      ...OfPosition,
      shareBps: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'All by default' })),
      sell: Type.Optional(Type.Boolean()),
      sub: Type.Optional(SubIn),
      toleranceBps,
    }),
    async (tools, body) => {
      const { context, client, seconds } = tools
      const { live, ref } = ofPosition(tools, body)
      const { shareBps = 10_000, sell = false, toleranceBps = 50, sub } = body
      const share = { num: BigInt(shareBps), den: 10_000n }
      const held = await context.holdings.position(live, ref.owner, ref)
      const liquidity = quoteRemoving(context, live, held, { share, sell, toleranceBps })
      const own = sub === undefined ? {} : { sub }
      const instructions = await client.prepareRemoval({ ...ref, share, sell, toleranceBps, seconds, ...own })
      const kind = `${formatAtoms(BigInt(liquidity.pt))} PT and ${formatAtoms(BigInt(liquidity.yt))} YT`
      const says = `Takes ${shareBps / 100} % of a position in ${live.name} out: ${sell ? `about ${jlp(BigInt(liquidity.received))}` : `${jlp(BigInt(liquidity.jlp))}, ${kind}`}.`
      return { instructions, says, liquidity }
    },
  ),
  collect: action('What a position has earned', strict(OfPosition), async (tools, body) => {
    const { live, ref } = ofPosition(tools, body)
    const instructions = await tools.client.prepare('collect', ref)
    return { instructions, says: `Collects what a position in ${live.name} has earned.` }
  }),
  'close-position': action(
    'Closes an empty position, whose rent comes back',
    strict(OfPosition),
    async (tools, body) => {
      const { live, ref } = ofPosition(tools, body)
      const instructions = await tools.client.prepare('closePosition', ref)
      return { instructions, says: `Closes an empty liquidity position in ${live.name}; its rent comes back.` }
    },
  ),
  'place-order': action(
    'An order that anyone may fill for a fee: a limit by `limitRate`, a stop or take-profit by `trigger`',
    strict({
      ...OfAccount,
      id: Type.Optional(SubIn),
      action: oneOf(['long', 'short', 'reduce-long', 'reduce-short']),
      amount: Type.Optional(Type.String({ ...AtomsIn, description: 'YT atoms; of a reduction all by default' })),
      limitRate: Type.Optional(RateIn),
      minimum: Type.Optional(AtomsIn),
      spot: Type.Optional(Type.Boolean()),
      trigger: Type.Optional(
        strict({ when: oneOf(['rate-above', 'rate-below', 'pnl-above', 'pnl-below']), level: Signed }),
      ),
      fee: Type.String({ ...AtomsIn, description: 'JLP atoms for whoever fills it' }),
      expiresAt: Time,
    }),
    async (tools, body) => {
      const { live, ref } = ofAccount(tools, body)
      const { id = 0, action, amount, minimum, limitRate, spot, trigger, expiresAt } = body
      if (amount === undefined && (action === 'long' || action === 'short')) {
        badRequest('An amount is missing', 'A long or a short says how many YT: `amount`.')
      }
      const fee = atomsOf(body.fee, 'fee')
      const order = {
        ...ref,
        id,
        action,
        fee,
        expiresAt,
        ...(amount === undefined ? {} : { amount: atomsOf(amount, 'amount') }),
        ...(minimum === undefined ? {} : { minimum: atomsOf(minimum, 'minimum') }),
        ...(limitRate === undefined ? {} : { limitRate: rateIn(limitRate, 'limitRate') }),
        ...(spot === undefined ? {} : { spot }),
        ...(trigger === undefined ? {} : { trigger: { when: trigger.when, level: BigInt(trigger.level) } }),
      }
      const instructions = await tools.client.prepareOrder(order)
      const limit = limitRate === undefined ? '' : ` up to an implied APY of ${apy(order.limitRate!)}`
      const when = trigger === undefined ? '' : ` once ${trigger.when.replace('-', ' is ')} its level`
      const says = `Leaves order ${id} on ${accountOf(live, ref.sub)}: ${action}${limit}${when}, for a fee of ${jlp(fee)}.`
      return { instructions, says }
    },
  ),
  'cancel-order': action('Takes an order back', strict({ ...OfAccount, id: SubIn }), async (tools, body) => {
    const { live, ref } = ofAccount(tools, body)
    const instructions = await tools.client.prepare('cancelOrder', { ...ref, id: body.id })
    return { instructions, says: `Takes order ${body.id} on ${accountOf(live, ref.sub)} back.` }
  }),
  settle: action('What an account is worth after maturity, into its margin', strict(OfAccount), async (tools, body) => {
    const { live, ref } = ofAccount(tools, body)
    const instructions = await tools.client.prepare('settle', ref, { payer: ref.owner })
    return { instructions, says: `Settles ${accountOf(live, ref.sub)}, which has matured.` }
  }),
  roll: action(
    'Closes an account, moves its margin to a later market, and opens `amount` there on the same side',
    strict({
      ...OfAccount,
      to: strict({ market: MarketIn, sub: Type.Optional(SubIn) }),
      unit,
      amount: AtomsIn,
      closeLimitRate: RateIn,
      limitRate: RateIn,
      minimum: AtomsIn,
    }),
    async (tools, body) => {
      const { live, ref } = ofAccount(tools, body)
      const later = tools.live(body.to.market)
      const to = { market: refOf(later), sub: body.to.sub ?? 0 }
      const given = {
        ...ref,
        to,
        unit: body.unit ?? 'st',
        amount: atomsOf(body.amount, 'amount'),
        closeLimitRate: rateIn(body.closeLimitRate, 'closeLimitRate'),
        limitRate: rateIn(body.limitRate, 'limitRate'),
        minimum: atomsOf(body.minimum, 'minimum'),
        deadline: later.shared.now + tools.seconds,
      }
      const instructions = await tools.client.prepare('roll', given)
      return { instructions, says: `Rolls ${accountOf(live, ref.sub)} to ${accountOf(later, to.sub)}.` }
    },
  ),
  'close-account': action(
    'Closes an empty margin account, whose rent comes back',
    strict(OfAccount),
    async (tools, body) => {
      const { live, ref } = ofAccount(tools, body)
      const instructions = await tools.client.prepare('closeAccount', ref)
      return { instructions, says: `Closes ${accountOf(live, ref.sub)}, which must be empty; its rent comes back.` }
    },
  ),
}

/** What an action does with a client of its own choice. */
export const prepared = (
  context: Context,
  client: SunderClient,
  route: ActionRoute,
  body: unknown,
): Promise<Prepared> =>
  route.prepare(
    {
      context,
      client,
      live: market => freshMarket(context.feed, market),
      seconds: Math.ceil(SECONDS * context.chain.speed),
    },
    body as never,
  )
