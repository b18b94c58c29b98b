/**
 * A private copy of an exchange that time goes by in: coupons are paid and rates moved by the engine's own instructions, the
 * latter by trades of others.
 */
import {
  apyFromRate,
  formatPercent,
  type JlpAtoms,
  liquidityForDeposit,
  ONE_Q64,
  type RateQ64,
  tickRate,
} from '../../amm/index.ts'
import {
  type Applied,
  apply,
  balanceId,
  commit,
  type Entry,
  type Event,
  follow,
  fork,
  type Instruction,
  type Ledger,
  type Market,
  type MarketView,
  marketView,
  type Refused,
  type Token,
  type World,
} from '../exchange/index.ts'
import { HOUR_SECONDS, WEEK_SECONDS } from '../oracle/index.ts'
import { check, refused, StrategyError } from './errors.ts'
import type { Place } from './sandbox.ts'

/** Who asks, and who else trades: names that no wallet has. */
export const YOU = 'strategy-you'
const OTHERS = 'strategy-others'
/** JLP atoms in each of their wallets, at most: 10^9 JLP. */
const PLENTY = 10n ** 15n
/**
 * AUM that coupons are paid on: the fees of a yield are then half its Q64.64 value, to the last bit but one. What an index of a
 * given state still carries, counted in USD, is nothing beside it.
 */
const AUM = 1n << 63n
/** Between a full hour and when its coupon has settled, seconds. */
const DELAY = 300

export class Walk implements Place {
  readonly state: Ledger
  readonly market: string
  /** What YT in accounts cost, as entry.ts keeps it. */
  readonly entries = new Map<string, Entry>()
  world: World

  constructor({ state, market, world }: Place) {
    this.state = fork(state)
    this.market = market
    this.world = world
    for (const owner of [YOU, OTHERS]) this.state.balances.set(balanceId('jlp', owner), PLENTY)
  }

  get stored(): Market {
    const market = this.state.markets.get(this.market)
    if (market === undefined) throw new StrategyError('unknown-market', `There is no market ${this.market}`)
    return market
  }

  get view(): MarketView {
    return marketView(this.state, this.market, this.world)
  }

  get matured(): boolean {
    return this.view.tauSeconds === 0
  }

  /** What you own of a token, atoms. */
  wallet(token: Token = 'jlp'): bigint {
    return this.state.balances.get(balanceId(token, YOU)) ?? 0n
  }

  try(instruction: Instruction): Applied | Refused {
    const result = apply(this.state, instruction, this.world)
    if (result.kind === 'refused') return result
    commit(this.state, result.changes)
    follow(this.entries, result.events, id => this.state.markets.get(id)!.pool.rate)
    return result
  }

  /** Throws the refusal as a `StrategyError`. */
  run(instruction: Instruction): readonly Event[] {
    const result = this.try(instruction)
    if (result.kind === 'refused') throw refused(result)
    return result.events
  }

  /**
   * Lets time go by until `until` (unix seconds) plus the settling delay; every coupon pays `yieldOver(its seconds)`, Q64.64, as
   * far as the caps allow. `onCoupon` runs after each.
   */
  pass(until: number, yieldOver: (seconds: number) => bigint, onCoupon?: () => void): void {
    const { kind, maturity } = this.stored
    const period = kind === 'hourly' ? HOUR_SECONDS : WEEK_SECONDS
    for (;;) {
      const { lastStep } = this.state.indices[kind]
      const to = lastStep + period
      // The last weekly coupon ends after maturity, which gets its share of it.
      const due = to <= until || (until >= maturity && lastStep < maturity)
      const now = Math.max(this.world.now, (due ? to : until) + DELAY)
      this.world = { ...this.world, now, ...(due && kind === 'weekly' ? { weeklyUpdatedAt: to } : {}) }
      if (!due) return
      this.run({ kind: 'accrue', coupon: kind, earned: { to, fees: yieldOver(period) >> 1n, aum: AUM } })
      onCoupon?.()
    }
  }

  /** Lets seconds go by in which no coupon falls due. */
  wait(seconds: number): void {
    this.world = { ...this.world, now: this.world.now + seconds }
  }

  /** Yield that the caps held back and that still waits, as a fraction of JLP, Q64.64. */
  get carried(): bigint {
    return this.state.indices[this.stored.kind].carry << 1n
  }

  /** Others trade until the market's rate is `rate`, with 2 JLP of liquidity over the full range if there is none on the way. */
  moveTo(rate: RateQ64): void {
    const { minTick, maxTick } = this.stored.pool.grid
    check(rate >= tickRate(minTick) && rate <= tickRate(maxTick), 'An implied APY is within 0.51 % and 300 %')
    this.tradeTo(rate)
    if (this.stored.pool.rate === rate) return
    this.provide()
    this.tradeTo(rate)
    const reached = this.stored.pool.rate
    const off = reached > rate ? reached - rate : rate - reached
    if (off > ONE_Q64 / 1_000_000n)
      throw new StrategyError('limit-reached', `The implied APY cannot be moved to ${formatPercent(apyFromRate(rate))}`)
  }

  private tradeTo(limitRate: RateQ64): void {
    const { rate } = this.view
    if (rate === limitRate) return
    const bounds = { limitRate, minimum: 0n, deadline: this.world.now }
    const account = { market: this.market, owner: OTHERS, sub: 0 }
    if (rate > limitRate) {
      this.try({ kind: 'buy-pt', market: this.market, owner: OTHERS, amount: { pt: PLENTY }, ...bounds })
      return
    }
    if (this.try({ kind: 'open-account', ...account }).kind === 'applied') {
      this.run({ kind: 'deposit', ...account, jlp: PLENTY / 2n })
    }
    this.try({ kind: 'trade', action: 'long', ...account, amount: { yt: PLENTY }, spot: true, ...bounds })
  }

  private provide(): void {
    const { pool } = this.stored
    const range = { market: this.market, owner: OTHERS, lower: pool.grid.minTick, upper: pool.grid.maxTick }
    if (this.try({ kind: 'open-position', ...range }).kind === 'refused') return
    const liquidity = liquidityForDeposit(pool, range.lower, range.upper, 2_000_000n as JlpAtoms)
    const rates = { minRate: 0n, maxRate: pool.rate }
    const { now } = this.world
    this.run({ kind: 'add-liquidity', ...range, liquidity, maximum: PLENTY, ...rates, deadline: now })
  }

  /** After maturity: settles every account of the market, so that profits are free. */
  settleAll(): void {
    for (const { market, owner, sub } of [...this.state.accounts.values()]) {
      if (market === this.market) this.run({ kind: 'settle', market, owner, sub })
    }
  }
}
