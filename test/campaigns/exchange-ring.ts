/**
 * A ring: several wallets and accounts in one hand, that begins with nothing but JLP and tries to end with more. Its moves are
 * data, so that a sequence can be played again and changed a little.
 */
import { liquidityForDeposit, MAX_LIQUIDITY, MAX_RATE } from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import {
  type AccountRef,
  abs,
  accountId,
  balanceId,
  execute,
  fork,
  headOf,
  type Instruction,
  type Ledger,
  liquidationOf,
  type Market,
  max,
  min,
  paidUp,
  Q64,
  type World,
} from './exchange-engine.ts'
import { priceAt } from './exchange-fair.ts'
import { positionValue, ulps } from './exchange-losses.ts'
import { type Move, SUBS, WALLETS } from './exchange-moves.ts'
import { jlpAtoms } from './exchange-sizes.ts'

export class Ring {
  ledger: Ledger
  private world: World
  private readonly worldAtStart: World
  readonly market: string
  now: number
  /** JLP per YT before the ring did anything. */
  readonly price: bigint
  /** A trade that moves the rate by a few percent, in YT. */
  private readonly depth: bigint
  private readonly budget: bigint
  private readonly ranges: readonly (readonly [number, number])[]
  private readonly start: Ledger
  applied = 0

  constructor(state: Parameters<typeof fork>[0], market: Market, world: World) {
    this.start = fork(state)
    this.ledger = fork(state)
    this.market = market.id
    this.world = world
    this.worldAtStart = world
    this.now = world.now
    this.price = priceAt(market, market.pool.rate)
    const { pool } = market
    this.depth = max((pool.liquidity * pool.rate) / (Q64 * 8n), 1000n)
    this.budget = this.depth * 4n + 10n ** 9n
    const clamp = (tick: number): number => Math.min(13_860, Math.max(50, 10 * Math.floor(tick / 10)))
    const at = Math.min(13_840, Math.max(60, pool.tick))
    this.ranges = [
      [clamp(at - 10), clamp(at + 20)],
      [clamp(at - 200), clamp(at + 200)],
      [50, 13_860],
      [clamp(at), clamp(at + 50)],
      [clamp(at - 50), clamp(at)],
    ]
    for (const owner of WALLETS) this.start.balances.set(balanceId('jlp', owner), this.budget)
    const open = (instruction: Instruction): void => void execute(this.start, instruction, world)
    for (const owner of WALLETS) {
      for (const sub of SUBS) {
        const ref = { market: this.market, owner, sub }
        open({ kind: 'open-account', ...ref })
        open({ kind: 'deposit', ...ref, jlp: this.budget / BigInt(sub === 0 ? 8 : 40) })
      }
      for (const [lower, upper] of this.ranges)
        open({ kind: 'open-position', market: this.market, owner, lower, upper })
    }
    this.reset()
  }

  get wealthAtStart(): bigint {
    return this.budget * BigInt(WALLETS.length)
  }

  reset(): void {
    this.ledger = fork(this.start)
    this.world = this.worldAtStart
    this.now = this.world.now
  }

  private get at(): World {
    return { ...this.world, now: this.now }
  }

  head(): Market {
    return headOf(this.ledger, this.market, this.at)
  }

  private account(ref: AccountRef) {
    return paidUp(this.ledger.accounts.get(accountId(ref))!, this.ledger.markets.get(this.market)!.pool.discount)
  }

  private refs(): AccountRef[] {
    return WALLETS.flatMap(owner => SUBS.map(sub => ({ market: this.market, owner, sub })))
  }

  run(instruction: Instruction): boolean {
    const done = execute(this.ledger, instruction, this.at).kind === 'applied'
    if (done) this.applied++
    return done
  }

  play(move: Move): boolean {
    const { act, share, dust, bySt } = move
    if (act === 'wait') {
      this.now += 1 + (share % 300)
      return true
    }
    const { market } = this
    const [owner, to] = [WALLETS[move.who]!, WALLETS[move.toWho]!]
    const ref = { market, owner, sub: move.sub }
    const there = { market, owner: to, sub: move.toSub }
    const account = this.account(ref)
    const some = (most: bigint): bigint => (share === 0 ? dust : (max(most, 0n) * BigInt(share)) >> 16n)
    const size = abs(account.yt)
    const pt = this.wallet(`pt/${market}`, owner)
    const order = (up: boolean) => ({ limitRate: up ? MAX_RATE : 0n, minimum: 0n, deadline: this.now })
    const [lower, upper] = this.ranges[move.range]!
    const held = { market, owner, lower, upper }
    switch (act) {
      case 'deposit':
        return this.run({ kind: 'deposit', ...ref, jlp: some(this.budget / 8n) })
      case 'withdraw':
        return this.run({ kind: 'withdraw', ...ref, jlp: some(account.margin) })
      case 'long':
      case 'short':
      case 'spot-long':
      case 'spot-short': {
        const action = act.endsWith('long') ? 'long' : 'short'
        const most = bySt ? min(this.depth, max(account.margin * 12n, 1n)) : this.depth
        const spot = act.startsWith('spot')
        const amount = bySt ? { st: some(most) } : { yt: some(most) }
        return this.run({ kind: 'trade', action, spot, ...ref, amount, ...order(action === 'long') })
      }
      case 'reduce':
        return this.run({
          kind: 'trade',
          action: 'reduce',
          ...ref,
          amount: { yt: some(size) },
          ...order(account.yt < 0n),
        })
      case 'close':
        return this.run({ kind: 'trade', action: 'close', ...ref, ...order(account.yt < 0n) })
      case 'split':
        return this.run({ kind: 'split', ...ref, yt: some(this.depth) })
      case 'merge':
        return this.run({ kind: 'merge', ...ref, yt: some(min(pt, max(account.yt, 0n))) })
      case 'buy-pt':
        return this.run({
          kind: act,
          market,
          owner,
          amount: bySt ? { st: some(this.depth) } : { pt: some(this.depth) },
          ...order(false),
        })
      case 'sell-pt':
        return this.run({
          kind: act,
          market,
          owner,
          amount: bySt ? { st: some(pt / 2n) } : { pt: some(pt) },
          ...order(true),
        })
      case 'transfer-margin':
        return this.run({ kind: 'transfer', ...ref, to: there, margin: some(account.margin), yt: 0n })
      case 'transfer-yt':
        return this.run({ kind: 'transfer', ...ref, to: there, margin: 0n, yt: some(max(account.yt, 0n)) })
      case 'liquidate':
        return this.run({ kind: act, ...ref, by: to, yt: some(size) })
      case 'take-over':
        return this.run({ kind: act, ...ref })
      case 'reduce-fund':
        return this.run({ kind: act, market, yt: some(abs(this.head().fund.yt)) })
      case 'add': {
        const most = jlpAtoms(max(some(this.budget / 4n), 1n))
        const liquidity = min(liquidityForDeposit(this.head().pool, lower, upper, most), MAX_LIQUIDITY)
        if (liquidity === 0n) return false
        const bounds = { maximum: this.budget, minRate: 0n, maxRate: MAX_RATE, deadline: this.now }
        return this.run({ kind: 'add-liquidity', ...held, liquidity, ...bounds })
      }
      case 'collect':
        return this.run({ kind: 'collect', ...held })
      default: {
        const zap = act === 'zap' ? { zap: { limitRate: bySt ? MAX_RATE : 0n } } : {}
        const part = { num: BigInt(max1(share)), den: 1n << 16n }
        return this.run({
          kind: 'remove-liquidity',
          ...held,
          share: part,
          sub: move.sub,
          minimum: 0n,
          deadline: this.now,
          ...zap,
        })
      }
    }
  }

  private wallet(token: 'jlp' | `pt/${string}`, owner: string): bigint {
    return this.ledger.balances.get(balanceId(token, owner)) ?? 0n
  }

  /**
   * A long and a short of as many YT, each on as little margin as is accepted, one coupon inside the caps, both closed: what it
   * earned, or undefined if they cannot be opened.
   */
  pair(yt: bigint, random: Random): bigint | undefined {
    this.reset()
    for (const ref of this.refs()) this.run({ kind: 'withdraw', ...ref, jlp: this.account(ref).margin })
    const [long, short] = WALLETS.map(owner => ({ market: this.market, owner, sub: 0 }))
    const sides = [
      { ref: long!, action: 'long' },
      { ref: short!, action: 'short' },
    ] as const
    for (const side of random.int(0, 1) === 0 ? sides : sides.toReversed()) {
      if (!this.openOnLeast(side.ref, side.action, yt)) return undefined
    }
    this.coupon(random)
    return this.exit() - this.wealthAtStart
  }

  private openOnLeast(ref: AccountRef, action: 'long' | 'short', yt: bigint): boolean {
    const { ledger } = this
    const limitRate = action === 'long' ? MAX_RATE : 0n
    const order = { amount: { yt }, limitRate, minimum: yt, deadline: this.now }
    const opens = (jlp: bigint): boolean => {
      this.ledger = fork(ledger)
      return this.run({ kind: 'deposit', ...ref, jlp }) && this.run({ kind: 'trade', action, ...ref, ...order })
    }
    let [low, high] = [0n, max(1n, (yt * this.price) / (16n * Q64))]
    while (!opens(high)) {
      low = high
      high *= 2n
      if (high > this.budget) {
        this.ledger = ledger
        return false
      }
    }
    for (let i = 0; i < 24 && high - low > 1n; i++) {
      const middle = (low + high) / 2n
      if (opens(middle)) high = middle
      else low = middle
    }
    return opens(high)
  }

  /** One coupon: of an hour, or of at most a week; any size from what the long gap counts on to the cap. */
  private coupon(random: Random): void {
    const { kind, pool, terms } = this.head()
    const { lastStep, caps } = this.ledger.indices[kind]
    const to = lastStep + (kind === 'hourly' ? 3600 : random.pick([604_800, 604_800, 500_000]))
    const part = Math.min(1, (to - lastStep) / terms.period)
    const most = (Number(caps.rhoMaxQ64) / 2 ** 64) * part
    const implied = Math.expm1(((Number(pool.rate) / 2 ** 64) * (to - lastStep)) / 31_536_000)
    const least = Math.min(most, (implied * terms.lowCouponBps) / 10_000)
    const rho = random.pick([
      least,
      most,
      Math.min(most, Math.max(least, implied)),
      least + ((most - least) * random.int(0, 1000)) / 1000,
    ])
    const aum = 10n ** 15n
    const fees = BigInt(Math.ceil(rho * 1e15))
    this.now = Math.max(this.now, to + (kind === 'hourly' ? 300 : 0)) + random.int(0, 30)
    this.world = { ...this.world, weeklyUpdatedAt: kind === 'weekly' ? to : this.world.weeklyUpdatedAt }
    const paid = this.run({ kind: 'accrue', coupon: kind, earned: { to, fees, aum } })
    if (!paid) throw new Error('the coupon was refused')
  }

  private jlp(): bigint {
    return WALLETS.reduce((sum, owner) => sum + this.wallet('jlp', owner), 0n)
  }

  /**
   * What the ring has at the price before its first move, Q64.64 JLP; an account is worth nothing at least, because it can be left
   * behind. Trades move along the curve away from that price, so this never rises, whatever the ring does.
   */
  valueAtStart(): { readonly value: bigint; readonly error: bigint } {
    const { pool } = this.ledger.markets.get(this.market)!
    let value = this.jlp() << 64n
    let error = 0n
    for (const owner of WALLETS) value += this.wallet(`pt/${this.market}`, owner) * (pool.discount - this.price)
    for (const ref of this.refs()) {
      const { margin, st, yt } = this.account(ref)
      value += max(0n, ((margin + st) << 64n) + this.price * yt)
    }
    for (const { owner, market, position } of this.ledger.positions.values()) {
      if (market !== this.market || !(WALLETS as readonly string[]).includes(owner)) continue
      value += positionValue(pool, position, this.price)
      error += ulps(position)
    }
    return { value, error: error + pool.grossLiquidity * 64n }
  }

  /** JLP on immediate full exit, in the better of two orders; nothing of this ring's state changes. */
  exit(): bigint {
    const [ledger, now] = [this.ledger, this.now]
    const ends = [false, true].map(reversed => {
      this.ledger = fork(ledger)
      this.leave(reversed)
      const end = this.jlp()
      this.now = now
      return end
    })
    this.ledger = ledger
    return max(...ends)
  }

  private leave(reversed: boolean): void {
    const { market } = this
    for (const { owner, position, addedAt } of [...this.ledger.positions.values()]) {
      if (!(WALLETS as readonly string[]).includes(owner) || position.liquidity === 0n) continue
      this.now = Math.max(this.now, addedAt + 300)
      const { lower, upper } = position
      const all = { share: { num: 1n, den: 1n }, sub: 0, minimum: 0n, deadline: this.now }
      this.run({ kind: 'remove-liquidity', market, owner, lower, upper, ...all })
    }
    const refs = reversed ? this.refs().reverse() : this.refs()
    const withdraw = (): void => {
      for (const ref of refs) {
        const { margin, st, yt } = this.account(ref)
        if (margin > 0n && yt === 0n && st === 0n) this.run({ kind: 'withdraw', ...ref, jlp: margin })
      }
    }
    // YT go where they are owed, or to PT; then the rest is traded.
    for (const ref of refs) {
      for (const to of refs) {
        const [has, owes] = [this.account(ref).yt, -this.account(to).yt]
        const pt = this.wallet(`pt/${market}`, to.owner)
        const yt = min(has, owes > 0n ? owes : pt)
        if (yt <= 0n) continue
        // To another owner YT go only where there are some.
        if (to.owner !== ref.owner && owes === 0n) this.run({ kind: 'split', ...to, yt: 1n })
        if (to !== ref) this.run({ kind: 'transfer', ...ref, to, margin: 0n, yt })
        const both = min(pt, this.account(to).yt)
        if (both > 0n) this.run({ kind: 'merge', ...to, yt: both })
      }
    }
    const order = (up: boolean) => ({ limitRate: up ? MAX_RATE : 0n, minimum: 0n, deadline: this.now })
    for (const ref of refs) {
      const { yt } = this.account(ref)
      if (yt !== 0n && !this.run({ kind: 'trade', action: 'close', ...ref, ...order(yt < 0n) })) {
        const due = liquidationOf(this.ledger, ref, this.at)
        if (due === 'take-over') this.run({ kind: due, ...ref })
        else if (due !== undefined) this.run({ kind: 'liquidate', ...ref, by: WALLETS[0], yt: due.liquidate })
      }
    }
    for (const owner of WALLETS) {
      const pt = this.wallet(`pt/${market}`, owner)
      if (pt > 0n) this.run({ kind: 'sell-pt', market, owner, amount: { pt }, ...order(true) })
    }
    withdraw()
    for (const ref of refs) {
      const { margin } = this.account(ref)
      for (let jlp = margin, n = 0; n < 6 && jlp > 0n && this.account(ref).margin > 0n; n++, jlp /= 2n) {
        this.run({ kind: 'withdraw', ...ref, jlp: min(jlp, this.account(ref).margin) })
      }
    }
  }
}

const max1 = (n: number): number => (n < 1 ? 1 : n)
