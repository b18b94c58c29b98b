/**
 * The whole exchange by its text (docs/protocol.md), slowly: JLP is held exactly, every coupon visits every account and
 * every LP position, every condition is judged from the sum over all records. It follows the engine instruction by instruction,
 * says by itself whether each applies, and takes over only whole numbers that it has found right.
 */
import type { Event } from '../../src/exchange/event.ts'
import type { Instruction, Of } from '../../src/exchange/instruction.ts'
import { type AccountRef, accountId, type World } from '../../src/exchange/state.ts'
import { X } from './exact.ts'
import { Context, type State } from './exchange-context.ts'
import { type Kind, ModelIndex } from './exchange-index.ts'
import { atLeast, Judge, Stop } from './exchange-judge.ts'
import { Close, faceOf, liquidate, reduceFund, settle, takeOver, withdrawSettled } from './exchange-liquidation.ts'
import { addLiquidity, closePosition, collect, openPosition, removeLiquidity } from './exchange-liquidity.ts'
import { ModelMarket, newAccount, settleLegs } from './exchange-market.ts'
import { cancelOrder, expireOrder, fillOrder, ordersOn, placeOrder } from './exchange-orders.ts'
import { big, ZERO } from './exchange-terms.ts'
import { merge, roll, split, trade, tradePt } from './exchange-trade.ts'

/** What the model makes of an instruction: refused for one of these reasons, or too close to one to tell. */
export interface Verdict {
  readonly violated: ReadonlyMap<string, string>
  readonly doubtful: ReadonlyMap<string, string>
}

type Handler<K extends Instruction['kind']> = (context: Context, instruction: Of<K>) => void
type Followed = Exclude<
  Instruction['kind'],
  'apply-terms' | 'propose-terms' | 'appoint' | 'propose-authority' | 'accept-authority'
>

export class ExchangeModel {
  state: State
  readonly treasury: string

  constructor(init: { lastStep: number; treasury: string; balances: Iterable<readonly [string, bigint]> }) {
    this.treasury = init.treasury
    this.state = {
      indices: { hourly: new ModelIndex('hourly', init.lastStep), weekly: new ModelIndex('weekly', init.lastStep) },
      markets: new Map(),
      orders: new Map(),
      wallets: new Map([...init.balances].map(([id, amount]) => [id, { amount: big(amount), slack: 0 }])),
      pausedUntil: 0,
    }
  }

  /** Follows an instruction that the engine has applied with these events, or refused. A refused one changes nothing. */
  follow(instruction: Instruction, world: World, said: readonly Event[] | undefined): Verdict {
    const judge = new Judge()
    const next = copyOf(this.state)
    const context = new Context(next, judge, world, said)
    try {
      const handle = this.handlers[instruction.kind as Followed] as (context: Context, instruction: Instruction) => void
      handle(context, instruction)
    } catch (error) {
      if (!(error instanceof Stop)) throw error
    }
    for (const market of context.named) market.fundPays()
    if (said !== undefined) this.state = next
    return judge
  }

  /** How much of an account a keeper would liquidate now, by the model's own search. */
  liquidationOf(ref: AccountRef, world: World): bigint {
    const context = new Context(copyOf(this.state), new Judge(), world, undefined)
    const market = context.market(ref.market)
    return new Close(market, context.index(market), context.account(ref), true).amount()
  }

  private readonly handlers: { readonly [K in Followed]: Handler<K> } = {
    'create-market': (context, { by, coupon, maturity, rate }) => {
      context.judge.demand('paused', context.world.now >= context.state.pausedUntil)
      context.pay('jlp', by, -1000n)
      const id = context.event('created')?.market ?? 'refused'
      const index = context.state.indices[coupon]
      const market = new ModelMarket({ id, kind: coupon, maturity, rate, index, now: context.world.now })
      context.state.markets.set(id, market)
    },
    'catch-up': (context, { market }) => {
      context.market(market)
    },
    accrue: (context, { coupon, earned }) => accrue(context, coupon, earned),
    wrap: (context, instruction) => wrap(context, instruction, 1n),
    unwrap: (context, instruction) => wrap(context, instruction, -1n),
    split,
    merge,
    'buy-pt': tradePt,
    'sell-pt': tradePt,
    'redeem-pt': (context, { market: id, owner, pt }) => {
      const market = context.market(id)
      context.judge.need('not-matured', market.matured)
      context.pay(`pt/${id}`, owner, -pt)
      market.pt -= pt
      market.retired -= pt
      context.fromVault(market, owner, faceOf(market, pt), 1)
    },
    'open-account': (context, instruction) => {
      const market = context.market(instruction.market)
      context.judge.demand('matured', !market.matured)
      context.judge.need('account-exists', !market.accounts.has(accountId(instruction)))
      market.accounts.set(accountId(instruction), newAccount(market.pool.discount))
    },
    'close-account': (context, instruction) => {
      const market = context.market(instruction.market)
      const { margin, st, yt, slack } = context.account(instruction)
      context.judge.need('not-empty', ordersOn(context, instruction) === 0)
      context.judge.need('not-empty', yt === 0n ? atLeast(ZERO, margin.plus(st.abs()), slack) : -1)
      market.accounts.delete(accountId(instruction))
    },
    deposit: (context, instruction) => {
      const market = context.market(instruction.market)
      context.judge.demand('matured', !market.matured)
      const account = context.account(instruction)
      context.fromVault(market, instruction.owner, -instruction.jlp)
      account.margin = account.margin.plus(big(instruction.jlp))
      account.netDeposits += instruction.jlp
      settleLegs(account)
      market.record(account)
    },
    withdraw: (context, instruction) => {
      const market = context.market(instruction.market)
      const account = context.account(instruction)
      const { jlp, owner } = instruction
      if (market.matured) withdrawSettled(context, market, account, jlp)
      else
        context.judge.demand('insufficient-margin', atLeast(account.margin, big(jlp), account.slack + account.shifted))
      account.margin = account.margin.minus(big(jlp))
      account.netDeposits = jlp > account.netDeposits ? 0n : account.netDeposits - jlp
      context.fromVault(market, owner, jlp)
      market.record(account)
      if (!market.matured) context.afterWithdrawal(market, account)
    },
    transfer: (context, instruction) => {
      const market = context.market(instruction.market)
      const { judge } = context
      judge.demand('matured', !market.matured)
      judge.demand(['zero-amount', 'bad-amount'], instruction.margin > 0n || instruction.yt > 0n)
      judge.need('same-account', accountId(instruction) !== accountId(instruction.to))
      const [from, to] = [context.account(instruction), context.account(instruction.to)]
      const { margin, yt } = instruction
      judge.need('insufficient-yt', yt === 0n || from.yt >= yt)
      judge.demand('opposite-position', yt === 0n || instruction.owner === instruction.to.owner || to.yt > 0n)
      judge.demand('insufficient-margin', atLeast(from.margin, big(margin), from.slack + from.shifted))
      from.margin = from.margin.minus(big(margin))
      to.margin = to.margin.plus(big(margin))
      from.netDeposits = margin > from.netDeposits ? 0n : from.netDeposits - margin
      to.netDeposits += margin
      from.yt -= yt
      to.yt += yt
      for (const account of [from, to]) {
        settleLegs(account)
        market.record(account)
      }
      if (!market.matured) context.afterWithdrawal(market, from)
    },
    trade,
    roll,
    'place-order': placeOrder,
    'cancel-order': cancelOrder,
    'fill-order': fillOrder,
    'expire-order': expireOrder,
    'open-position': openPosition,
    'close-position': closePosition,
    'add-liquidity': addLiquidity,
    'remove-liquidity': removeLiquidity,
    collect,
    liquidate,
    'take-over': takeOver,
    'reduce-fund': reduceFund,
    settle,
    'collect-fees': (context, { market: id }) => {
      const market = context.market(id)
      context.judge.demand('zero-amount', market.fees.gt(0))
      context.fromVault(market, this.treasury, market.fees)
      market.fees = ZERO
    },
    pause: ({ state, judge, world }) => {
      judge.demand('pause-limit', state.pausedUntil === 0 || world.now >= state.pausedUntil + 24 * 3600)
      state.pausedUntil = world.now + 72 * 3600
    },
    unpause: ({ state, judge, world }) => {
      judge.demand('pause-limit', world.now < state.pausedUntil)
      state.pausedUntil = world.now
    },
    finalise: ({ state, judge, world }, { coupon, maturity }) => {
      const { lastStep } = state.indices[coupon]
      const published = coupon === 'weekly' && world.weeklyUpdatedAt > lastStep
      judge.demand('coupon-due', !published || world.now >= maturity + 14 * 86_400)
      judge.demand('too-early', lastStep >= maturity || world.now >= maturity + 7 * 86_400)
      for (const market of state.markets.values()) {
        if (market.kind !== coupon || market.maturity !== maturity || market.matured) continue
        mature(market, state.indices[coupon].discount)
      }
    },
  }
}

const copyOf = (state: State): State => ({
  indices: { hourly: copyIndex(state.indices.hourly), weekly: copyIndex(state.indices.weekly) },
  markets: new Map([...state.markets].map(([id, market]) => [id, market.copy()])),
  orders: new Map(state.orders),
  wallets: new Map([...state.wallets].map(([id, wallet]) => [id, { ...wallet }])),
  pausedUntil: state.pausedUntil,
})
const copyIndex = (index: ModelIndex): ModelIndex =>
  Object.assign(Object.create(ModelIndex.prototype) as ModelIndex, index)

/** JLP for ST of an index, one for one in the JLP that the ST stands for. */
const wrap = (context: Context, { owner, coupon, jlp }: Of<'wrap' | 'unwrap'>, sign: bigint): void => {
  context.judge.demand(['bad-amount', 'zero-amount'], jlp > 0n)
  context.pay('jlp', owner, -sign * jlp)
  context.pay(coupon === 'hourly' ? 'st-hourly' : 'st-weekly', owner, sign * jlp)
}

/** A step of an index: every open market of the kind gets its coupon at once, and a market that it crosses matures. */
const accrue = (context: Context, coupon: Kind, earned: Of<'accrue'>['earned']): void => {
  const index = context.state.indices[coupon]
  const { judge } = context
  judge.need('time-backwards', earned.to > index.lastStep)
  const settled = context.world.now - (coupon === 'hourly' ? 300 : 0)
  judge.need(['too-early', 'bad-source'], earned.to <= settled)
  judge.need('bad-source', earned.fees >= 0n && earned.aum > 0n && (coupon === 'weekly' || earned.to % 3600 === 0))
  const { discountAt } = index.step(earned.to, earned.fees, earned.aum)
  for (const market of context.state.markets.values()) {
    if (market.kind !== coupon || market.matured) continue
    if (earned.to < market.maturity) {
      market.coupon(market.maturity - earned.to, index.discount)
      continue
    }
    mature(market, discountAt(market.maturity))
  }
}

/** The last coupon. The fund's YT expire with the market; what it then owes is a deficit. */
const mature = (market: ModelMarket, discount: bigint): void => {
  const { fund } = market
  market.coupon(0, discount)
  market.touch(fund)
  market.retired += fund.yt
  fund.yt = 0n
  settleLegs(fund)
  market.deficit = market.deficit.plus(X.max(0, fund.st.neg()))
  fund.st = X.max(0, fund.st)
  market.fundPays()
  market.record(fund)
}
