/** What the model's instructions share: the whole state, the moment, wallets, and a swap through the pool. */
import type { Decimal } from 'decimal.js'
import type { Event } from '../../src/exchange/event.ts'
import {
  type AccountRef,
  accountId,
  balanceId,
  type RestingOrder,
  type Token,
  type World,
} from '../../src/exchange/state.ts'
import { fromQ64, X } from './exact.ts'
import type { Kind, ModelIndex } from './exchange-index.ts'
import { atLeast, type Judge, type Truth } from './exchange-judge.ts'
import type { Account, ModelMarket } from './exchange-market.ts'
import { big, TERMS, ZERO } from './exchange-terms.ts'
import { type ModelResult, modelFee } from './pool.ts'

/** `ceil(fee_bps * leg)`, at least an atom. */
export const feeOn = (leg: Decimal): Decimal => X.max(1, leg.times(TERMS.feeBps.toString()).div(10_000).ceil())

export interface Wallet {
  amount: Decimal
  slack: number
}

export interface State {
  indices: Record<Kind, ModelIndex>
  markets: Map<string, ModelMarket>
  orders: Map<string, RestingOrder>
  wallets: Map<string, Wallet>
  pausedUntil: number
}

/** Why the AMM may trade nothing. */
export const NOTHING_TRADED = ['limit-reached', 'no-liquidity', 'crossings-reached', 'amount-too-small', 'zero-amount']

/** An instruction as the model follows it: `said` are the engine's events, none if it refused. */
export class Context {
  readonly state: State
  readonly judge: Judge
  readonly world: World
  readonly applied: boolean
  readonly said: readonly Event[]
  /** Markets named by the instruction. */
  readonly named = new Set<ModelMarket>()
  private swaps: Extract<Event, { type: 'swapped' }>[]

  constructor(state: State, judge: Judge, world: World, said: readonly Event[] | undefined) {
    this.state = state
    this.judge = judge
    this.world = world
    this.applied = said !== undefined
    this.said = said ?? []
    this.swaps = this.said.filter(event => event.type === 'swapped')
  }

  event<T extends Event['type']>(type: T): Extract<Event, { type: T }> | undefined {
    return this.said.find((event): event is Extract<Event, { type: T }> => event.type === type)
  }

  // ---- the head of an instruction

  market(id: string): ModelMarket {
    const market = this.state.markets.get(id)
    this.judge.need('unknown-market', market !== undefined)
    market!.find(this.world.now)
    market!.roundings()
    this.named.add(market!)
    return market!
  }

  account(ref: AccountRef): Account {
    const market = this.state.markets.get(ref.market)
    const account = market?.accounts.get(accountId(ref))
    this.judge.need('unknown-account', account !== undefined)
    market!.touch(account!)
    return account!
  }

  index(market: ModelMarket): ModelIndex {
    return this.state.indices[market.kind]
  }

  // ---- moments (section 12)

  moment(market: ModelMarket): 'fresh' | 'coupon-due' | 'reduce-only' {
    const { lastStep } = this.index(market)
    const { now, weeklyUpdatedAt } = this.world
    if (market.kind === 'weekly') {
      if (weeklyUpdatedAt > lastStep && now < lastStep + 16 * 86_400) return 'coupon-due'
      return now >= lastStep + 8 * 86_400 ? 'reduce-only' : 'fresh'
    }
    const due = lastStep + 3600 + 300
    return now < due ? 'fresh' : now < due + 7200 ? 'coupon-due' : 'reduce-only'
  }

  /** New risk: fresh, before maturity by the clock and the index, not in a pause. */
  forNewRisk(market: ModelMarket): void {
    this.judge.demand('paused', this.world.now >= this.state.pausedUntil)
    this.judge.demand('matured', !market.matured && this.world.now < market.maturity)
    this.forExposed(market)
  }

  /** What takes margin out of an account that owes afterwards: fresh, before maturity. */
  forExposed(market: ModelMarket, holds: Truth = -1): void {
    if (market.matured) {
      this.judge.demand('matured', false)
      return
    }
    const moment = this.moment(market)
    if (moment !== 'fresh') this.judge.demand(moment, holds)
  }

  /** Exits: fresh or reduce-only, before maturity. */
  forExit(market: ModelMarket): void {
    this.judge.demand('matured', !market.matured)
    this.judge.demand('coupon-due', market.matured || this.moment(market) !== 'coupon-due')
  }

  inTime(deadline: number): void {
    this.judge.demand('deadline-passed', this.world.now <= deadline)
  }

  // ---- wallets

  wallet(token: Token, owner: string): Wallet {
    const id = balanceId(token, owner)
    const wallet = this.state.wallets.get(id) ?? { amount: ZERO, slack: 0 }
    this.state.wallets.set(id, wallet)
    return wallet
  }

  /** Pays `amount` into a wallet, or takes it if negative; `slack` are atoms that the engine may round away. */
  pay(token: Token, owner: string, amount: Decimal | bigint, slack = 0): void {
    const wallet = this.wallet(token, owner)
    const change = new X(amount)
    if (change.lt(0)) {
      const held = atLeast(wallet.amount, change.neg(), wallet.slack + slack)
      this.judge.demand('insufficient-balance', held)
    }
    wallet.amount = wallet.amount.plus(change)
    wallet.slack += slack
  }

  /** JLP between a wallet and a market's vault. */
  fromVault(market: ModelMarket, owner: string, amount: Decimal | bigint, slack = 0): void {
    this.pay('jlp', owner, amount, slack)
    market.vault = market.vault.minus(new X(amount))
  }

  // ---- a swap

  /**
   * Moves the pool to where the walk ended and shares the fee out. The engine's own swap must be this very one; only the whole
   * number that the fee is charged on is taken from it where the exact area lies within its table error of the next one.
   */
  swap(market: ModelMarket, order: 'buy-yt' | 'sell-yt' | 'buy-pt' | 'sell-pt', walked: ModelResult): Decimal {
    const said = this.swaps.shift()
    const buys = order === 'buy-yt' || order === 'sell-pt'
    let leg = BigInt((buys ? X.max(1, walked.area.ceil()) : walked.area.floor()).toFixed())
    if (said !== undefined) {
      const { filled, rateAfter, stLeg } = said
      const off = walked.area.minus(big(stLeg))
      const table = (12 * Number(market.gross)) / 2 ** 64
      const close = off.abs().lte(1 + table)
      this.judge.demand(
        'model: another swap',
        said.order === order && filled === walked.filled && rateAfter === walked.rateAfter && (stLeg === leg || close),
        () => `${order} ${walked.filled} to ${walked.rateAfter} for ${leg}, not ${filled} to ${rateAfter} for ${stLeg}`,
      )
      this.judge.demand(
        'model: another leg',
        stLeg === leg ||
          off
            .abs()
            .modulo(1)
            .minus('0.5')
            .abs()
            .gte(0.5 - table),
      )
      leg = stLeg
    } else if (this.applied) {
      this.judge.demand('model: no such swap', false)
    }
    const fee = this.fee(market, leg, walked)
    if (said !== undefined) {
      this.judge.demand('model: another fee', fee.eq(big(said.fee.total)), () => `${fee} not ${said.fee.total}`)
    }
    market.pool.moveTo(walked.rateAfter, walked.tickAfter)
    return fee
  }

  /** `ceil(fee_bps * leg)`: the deficit first, then LPs by stretch, the fund and the treasury. */
  private fee(market: ModelMarket, leg: bigint, walked: ModelResult): Decimal {
    const rates = {
      feeBps: Number(TERMS.feeBps),
      lpShareBps: Number(TERMS.lpShareBps),
      insuranceShareBps: Number(TERMS.insuranceShareBps),
    }
    const { total } = modelFee({ leg, stretches: walked.stretches }, rates)
    const left = BigInt(X.max(0, big(total).minus(market.deficit)).round().toFixed())
    market.deficit = market.deficit.minus(big(total - left))
    // What is left of the fee is shared by the same rule as a whole one.
    const protocol = (left * (10_000n - TERMS.lpShareBps)) / 10_000n
    const treasury = (protocol * (10_000n - TERMS.insuranceShareBps)) / 10_000n
    const lp = left - protocol
    let rest = lp
    market.pool.fee(
      walked.stretches.map(({ tick, area }, at) => {
        const last = at === walked.stretches.length - 1
        const part = last ? rest : leg === 0n ? 0n : (lp * BigInt(area.floor().toFixed())) / leg
        rest -= part
        return { activeAtTick: tick, lpFee: part }
      }),
    )
    market.fees = market.fees.plus(big(treasury))
    market.fund.margin = market.fund.margin.plus(big(protocol - treasury))
    return big(total)
  }

  // ---- after an instruction

  /** Taking margin or YT out: the account is spot afterwards, or it is fresh, meets the initial condition and is backed. */
  afterWithdrawal(market: ModelMarket, account: Account): void {
    const spot = market.spot(account)
    if (spot === 1) return
    const moment = this.moment(market)
    if (moment !== 'fresh') this.judge.demand(moment, spot === 0 ? 0 : -1)
    const seen = market.oracle.age(this.world.now) >= TERMS.twapWindow
    if (!seen) this.judge.demand('history-short', spot === 0 ? 0 : -1)
    const index = this.index(market)
    const initial = market.initial(account, market.twap, index)
    this.judge.demand('undercollateralised', initial)
    const backed = market.backed(index)
    this.judge.demand('backing', spot === 0 && backed === -1 ? 0 : backed)
  }
}

/** The amount that a walk costs or brings: YT at the area, PT at face less the area. */
export const amountOf = (market: ModelMarket, pt: boolean, { filled, area }: ModelResult): Decimal =>
  pt ? fromQ64(market.pool.discount).times(big(filled)).minus(area) : area

/**
 * The walk of an order by exact amount: the most that `amount` pays for, or the least that brings it; all that the limit allows
 * if that is less. Costs never fall in `n`, so any search finds it: regula falsi, halving the end that stays.
 */
export const walkForAmount = (
  market: ModelMarket,
  order: { readonly up: boolean; readonly pt: boolean; readonly pays: boolean; readonly amount: bigint },
  limitRate: bigint | undefined,
): ModelResult => {
  const wanted = big(order.amount)
  const at = (yt: bigint): { walked: ModelResult; over: Decimal } => {
    const walked = market.walk(order.up, yt, limitRate)
    return { walked, over: amountOf(market, order.pt, walked).minus(wanted) }
  }
  const all = at(1n << 62n)
  const fits = ({ over }: { over: Decimal }): boolean => (order.pays ? over.lte(0) : over.lt(0))
  if (fits(all)) return all.walked
  let low = { yt: 0n, ...at(0n) }
  let high = { yt: all.walked.filled, ...all }
  let [weightLow, weightHigh] = [low.over, high.over]
  let moved = 0
  while (high.yt - low.yt > 1n) {
    const width = high.yt - low.yt
    const guess = weightLow.neg().div(weightHigh.minus(weightLow)).times(big(width))
    const step = BigInt(
      (guess.isFinite() ? X.min(X.max(guess, 1), big(width - 1n)) : big(width / 2n)).floor().toFixed(),
    )
    const middle = { yt: low.yt + step, ...at(low.yt + step) }
    if (fits(middle)) {
      low = middle
      weightLow = middle.over
      if (moved < 0) weightHigh = weightHigh.div(2)
      moved = -1
    } else {
      high = middle
      weightHigh = middle.over
      if (moved > 0) weightLow = weightLow.div(2)
      moved = 1
    }
  }
  return order.pays ? low.walked : high.walked
}
