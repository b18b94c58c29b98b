/** Campaign exchange-model, what traders, LPs, a whale and keepers do; amounts are random, now and then at the very edge. */
import {
  type AccountRef,
  accountId,
  apply,
  type Instruction,
  type LpPosition,
  type MarginAccount,
  type Of,
} from '../../src/exchange/index.ts'
import { liquidationOf } from '../../src/exchange/reads.ts'
import { JLP, LOW_RATE, LPS, ref, Scene, TOP_RATE, TRADERS } from './exchange-model-scene.ts'

export class Actions extends Scene {
  protected deposit(market = this.market(), account = this.account(market)): void {
    const jlp = this.random.big(JLP, this.depth / 20n + 2n * JLP)
    this.run({ kind: 'deposit', ...ref(account), jlp })
  }

  protected leveraged(): void {
    const { random } = this
    const market = this.market()
    const account = this.account(market)
    if (account.margin < JLP && random.int(0, 3) > 0) this.deposit(market, account)
    const { margin, yt } = this.account(market, account.owner)
    const stake = (margin * BigInt(random.pick([1, 3, 6, 8, 9, 10, 11, 15]))) / 1n + 1n
    const action = yt > 0n ? 'long' : yt < 0n ? 'short' : random.pick(['long', 'short'] as const)
    const other = random.int(0, 14) === 0
    this.trade(account, {
      action: other ? (action === 'long' ? 'short' : 'long') : action,
      amount: random.int(0, 1) === 0 ? { st: stake } : { yt: this.worth(market, stake) + 1n },
    })
  }

  protected trade(
    account: MarginAccount,
    order: { action: 'long' | 'short' | 'reduce'; amount: { yt: bigint } | { st: bigint }; spot?: boolean },
  ): void {
    const { random } = this
    const up = order.action === 'long' || (order.action === 'reduce' && account.yt < 0n)
    const { rate } = this.pool(account.market)
    const near = up ? (rate * 103n) / 100n : (rate * 97n) / 100n
    const limitRate = random.int(0, 5) === 0 ? near : up ? TOP_RATE : LOW_RATE
    const deadline = this.now + random.pick([0, 60, 60, 60, 60, 60, 60, -1])
    const minimum = random.int(0, 9) === 0 ? ('yt' in order.amount ? order.amount.yt : 1000n) : 0n
    this.run({
      kind: 'trade',
      ...ref(account),
      ...order,
      limitRate: limitRate as typeof TOP_RATE,
      minimum,
      deadline,
    } as Of<'trade'>)
  }

  protected spotTrade(): void {
    const { random } = this
    const market = this.market()
    const account = this.account(market, random.pick([...TRADERS, 'whale']))
    const stake = random.big(1000n, this.depth / 10n)
    if (account.yt < 0n || (account.yt === 0n && random.int(0, 3) === 0)) {
      // A covered short holds a whole ST for each YT.
      this.run({ kind: 'deposit', ...ref(account), jlp: stake + stake / 10n })
      this.trade(account, { action: 'short', amount: { yt: stake }, spot: true })
      return
    }
    this.run({ kind: 'deposit', ...ref(account), jlp: stake + stake / 100n + 10n })
    this.trade(account, { action: 'long', amount: { st: stake }, spot: true })
  }

  protected decrease(): void {
    const { random } = this
    const market = this.market()
    const account = this.account(market)
    const size = account.yt < 0n ? -account.yt : account.yt
    if (size === 0n && random.int(0, 3) > 0) return
    if (random.int(0, 2) === 0) {
      const up = account.yt < 0n
      const bounds = { limitRate: up ? TOP_RATE : LOW_RATE, minimum: 0n, deadline: this.now }
      this.run({ kind: 'trade', ...ref(account), action: 'close', ...bounds })
      return
    }
    const yt = random.magnitude(size + (random.int(0, 9) === 0 ? 2n : 1n))
    const amount = random.int(0, 1) === 0 ? { yt } : { st: yt / random.big(10n, 60n) + 1n }
    this.trade(account, { action: 'reduce', amount })
  }

  /** An order that waits, mostly for an exit, and a keeper who goes through all that wait. */
  protected rest(): void {
    const { random } = this
    const account = this.account(this.market())
    const { rate } = this.pool(account.market)
    const size = account.yt < 0n ? -account.yt : account.yt
    const reduces = size > 0n && random.int(0, 3) > 0
    const up = reduces ? account.yt < 0n : random.int(0, 1) === 0
    const triggers = ['none', 'rate-above', 'rate-below', 'pnl-above', 'pnl-below'] as const
    const trigger = reduces ? random.pick(triggers) : 'none'
    const near = (rate * random.big(97n, 103n)) / 100n
    const amount = reduces
      ? random.pick([1n << 61n, random.magnitude(size)])
      : this.worth(account.market, (account.margin * random.big(1n, 80n)) / 10n) + 1n
    this.run({
      kind: 'place-order',
      ...ref(account),
      id: random.int(0, 3),
      action: reduces ? (up ? 'reduce-short' : 'reduce-long') : up ? 'long' : 'short',
      amount,
      spot: random.int(0, 9) === 0,
      limitRate: random.int(0, 1) === 0 ? (up ? TOP_RATE : LOW_RATE) : (rate * (up ? 102n : 98n)) / 100n,
      minimum: random.pick([0n, 0n, amount]),
      trigger,
      level:
        trigger === 'none' ? 0n : trigger.startsWith('rate') ? near : (account.margin * random.big(-9n, 9n)) / 100n,
      fee: random.big(0n, account.margin / random.pick([4n, 1000n, 1000n]) + 1n),
      expiresAt: this.now + random.pick([-1, 10, 5000, 1_000_000, 1_000_000]),
    })
    for (const order of [...this.ledger.orders.values()].slice(-6)) {
      const which = { ...ref(order), id: order.id }
      const choice = random.int(0, 9)
      if (choice === 0) this.run({ kind: 'cancel-order', ...which })
      else if (choice === 1) this.run({ kind: 'expire-order', ...which })
      else this.run({ kind: 'fill-order', ...which, by: choice === 2 ? order.owner : 'keeper' })
    }
  }

  /** A trade out of the wallet that no guard holds back, followed by the time that TWAP takes to follow. */
  protected whale(): void {
    const { random } = this
    const market = this.markets[0]!
    const owner = 'whale'
    const pt = this.ledger.balances.get(`pt/${market}:${owner}`) ?? 0n
    const bounds = { minimum: 0n, deadline: this.now }
    const { rate, grossLiquidity } = this.pool(market)
    const by = rate / BigInt(random.pick([40, 10, 5, 3]))
    const amount = { pt: (grossLiquidity >> 3n) + 1n }
    if (pt > 0n && random.int(0, 1) === 0) {
      this.run({
        kind: 'sell-pt',
        market,
        owner,
        amount: { pt: random.magnitude(pt) },
        limitRate: rate + by,
        ...bounds,
      })
    } else if (random.int(0, 1) === 0) {
      this.run({ kind: 'buy-pt', market, owner, amount, limitRate: rate - by, ...bounds })
    } else {
      const account = this.account(market, owner)
      if (account.yt >= 0n) {
        this.run({ kind: 'deposit', ...ref(account), jlp: this.depth })
        const order = { action: 'long' as const, amount: { st: this.depth }, spot: true, limitRate: rate + by }
        this.run({ kind: 'trade', ...ref(account), ...order, ...bounds } as Of<'trade'>)
      }
    }
    if (random.int(0, 1) === 0) {
      this.now += random.pick([100, 300, 900])
      this.settleTime()
      this.liquidations()
    }
  }

  /** Accounts at their most leverage, then a lasting move of the rate and coupons: keepers come sooner or later. */
  protected stress(): void {
    const { random } = this
    const market = this.markets[0]!
    for (let i = random.int(1, 4); i > 0; i--) {
      const account = this.account(market)
      const jlp = 2n * JLP + random.pick([0n, random.magnitude(this.depth / 500n)])
      if (account.margin < 2n * JLP) this.run({ kind: 'deposit', ...ref(account), jlp })
      this.edgeOfTrade(this.ledger.accounts.get(accountId(account))!)
    }
    const up = random.int(0, 1) === 0
    const fast = random.int(0, 2) === 0
    for (let i = fast ? 2 : random.int(2, 6); i > 0; i--) {
      this.push(market, up, BigInt(fast ? random.pick([110, 120, 140]) : random.pick([101, 102, 103, 105])))
      this.now += fast ? 1500 : random.pick([60, 300, 900, 1500])
      this.settleTime()
      if (random.int(0, 3) === 0) this.coupon()
      if (!fast || i === 1) this.liquidations()
    }
    this.reduceFund()
  }

  /** Moves the rate to `percent` of itself, up or down, by spot orders. */
  protected push(market: string, up: boolean, percent: bigint): void {
    const { rate, grossLiquidity } = this.pool(market)
    const far = up ? (rate * percent) / 100n : (rate * 100n) / percent
    const limitRate = (far > TOP_RATE ? TOP_RATE : far < LOW_RATE ? LOW_RATE : far) as typeof TOP_RATE
    const bounds = { limitRate, minimum: 0n, deadline: this.now }
    const owner = 'whale'
    if (!up) {
      this.run({ kind: 'buy-pt', market, owner, amount: { pt: (grossLiquidity >> 1n) + 1n }, ...bounds })
      return
    }
    const account = this.account(market, owner)
    if (account.yt < 0n) return
    const jlp = grossLiquidity / 20n + JLP
    this.run({ kind: 'deposit', ...ref(account), jlp })
    this.run({ kind: 'trade', ...ref(account), action: 'long', amount: { st: jlp - jlp / 50n }, spot: true, ...bounds })
  }

  protected add(): void {
    const { random } = this
    const market = this.market()
    const { tick } = this.pool(market)
    const clamp = (t: number): number => Math.min(13_860, Math.max(50, t - (t % 10)))
    const half = random.pick([100, 400, 1500, 4000])
    const off = random.pick([0, 0, 0, half / 2, -half / 2, 2 * half])
    const known = [...this.ledger.positions.values()].filter(lp => lp.market === market)
    const again = known.length > 0 && random.int(0, 2) === 0 ? random.pick(known) : undefined
    const lower = again?.position.lower ?? clamp(tick + off - half)
    const upper = again?.position.upper ?? clamp(tick + off + half)
    const owner = again?.owner ?? random.pick(LPS)
    if (lower >= upper) return
    const position = { market, owner, lower, upper }
    if (again === undefined) this.run({ kind: 'open-position', ...position })
    this.supply({ market, owner, lower, upper })
  }

  /** A first position around the rate. */
  protected addAround(market: string, owner: string, half: number): void {
    const { tick } = this.pool(market)
    const position = { market, owner, lower: Math.max(50, tick - half), upper: Math.min(13_860, tick + half) }
    this.run({ kind: 'open-position', ...position })
    this.supply(position)
  }

  protected supply(position: { market: string; owner: string; lower: number; upper: number }): void {
    const { random } = this
    const { rate } = this.pool(position.market)
    // A JLP buys about one YT of range: the deposit is near `L` times the width.
    const jlp = random.big(this.depth / 10n, this.depth)
    const liquidity = (jlp * 10_000n) / BigInt(position.upper - position.lower)
    const maximum = random.int(0, 9) === 0 ? jlp : 3n * jlp + JLP
    const [minRate, maxRate] = random.int(0, 19) === 0 ? [rate + 1n, TOP_RATE] : [LOW_RATE, TOP_RATE]
    this.run({ kind: 'add-liquidity', ...position, liquidity, maximum, minRate, maxRate, deadline: this.now })
  }

  protected lp(): LpPosition | undefined {
    const all = [...this.ledger.positions.values()]
    return all.length === 0 ? undefined : this.random.pick(all)
  }

  protected remove(whole = false): void {
    const { random } = this
    const lp = this.lp()
    if (lp === undefined) return
    const { market, owner } = lp
    const { lower, upper } = lp.position
    const share = whole
      ? { num: 1n, den: 1n }
      : random.pick([
          { num: 1n, den: 1n },
          { num: 1n, den: 3n },
          { num: 2n, den: 7n },
          { num: 1n, den: 50n },
        ])
    const zap = { limitRate: random.int(0, 1) === 0 ? TOP_RATE : LOW_RATE }
    const more = random.int(0, 2) === 0 ? { zap } : {}
    const bounds = { sub: 0, minimum: 0n, deadline: this.now }
    this.run({ kind: 'remove-liquidity', market, owner, lower, upper, share, ...bounds, ...more })
    if (this.ledger.positions.get(`${market}/${owner}/${lower}/${upper}`)?.position.liquidity === 0n) {
      this.run({ kind: 'close-position', market, owner, lower, upper })
    }
  }

  /** Where the fund holds a position or a deficit stands, that is where most rules meet: exits and the fund's closes. */
  protected afterLosses(): boolean {
    const { random } = this
    const id = this.markets[0]!
    const { fund, pool } = this.ledger.markets.get(id)!
    if (pool.deficit > 0n) {
      const act = random.pick([
        () => this.remove(),
        () => this.remove(),
        () => this.collectOne(),
        () => this.edgeOfRemoval(),
      ])
      act()
      return true
    }
    if (fund.yt === 0n) return false
    this.run({ kind: 'reduce-fund', market: id, yt: fund.yt < 0n ? -fund.yt : fund.yt })
    this.now += random.pick([60, 300, 900])
    this.settleTime()
    return true
  }

  /** The largest share of a position that backing lets go. */
  private edgeOfRemoval(): void {
    const lp = this.lp()
    if (lp === undefined) return
    const { market, owner } = lp
    const { lower, upper } = lp.position
    const bounds = { sub: 0, minimum: 0n, deadline: this.now }
    const share = (num: bigint) => ({ share: { num, den: 1n << 32n } })
    this.around(
      num => ({ kind: 'remove-liquidity', market, owner, lower, upper, ...share(num), ...bounds }),
      (1n << 32n) - 1n,
    )
  }

  protected collectOne(): void {
    const lp = this.lp()
    if (lp === undefined) return
    const { market, owner } = lp
    this.run({ kind: 'collect', market, owner, lower: lp.position.lower, upper: lp.position.upper })
  }

  protected splitOrMerge(): void {
    const { random } = this
    const market = this.market()
    const account = this.account(market)
    if (random.int(0, 1) === 0) {
      this.run({ kind: 'split', ...ref(account), yt: random.magnitude(this.depth / 5n) })
      return
    }
    const holder = [...this.ledger.accounts.values()].find(a => a.market === market && a.yt > 0n && this.pt(a) > 0n)
    const from = holder ?? account
    const most = holder === undefined ? 1000n : from.yt < this.pt(from) ? from.yt : this.pt(from)
    this.run({ kind: 'merge', ...ref(from), yt: random.magnitude(most) })
  }

  protected tradePt(): void {
    const { random } = this
    const market = this.market()
    const owner = random.pick([...TRADERS, ...LPS])
    const held = this.pt({ market, owner })
    const bounds = { market, owner, minimum: 0n, deadline: this.now }
    if (held > 0n && random.int(0, 1) === 0) {
      const pt = random.magnitude(held)
      const amount = random.int(0, 1) === 0 ? { pt } : { st: pt / 2n + 1n }
      this.run({ kind: 'sell-pt', ...bounds, amount, limitRate: TOP_RATE })
      return
    }
    const pt = random.magnitude(this.depth)
    this.run({ kind: 'buy-pt', ...bounds, amount: random.int(0, 1) === 0 ? { pt } : { st: pt }, limitRate: LOW_RATE })
  }

  protected withdraw(): void {
    const { random } = this
    const account = this.account(this.market())
    if (account.margin === 0n) return
    const jlp = random.int(0, 3) === 0 ? account.margin : random.magnitude(account.margin)
    this.run({ kind: 'withdraw', ...ref(account), jlp })
  }

  protected transfer(): void {
    const { random } = this
    const market = this.market()
    const from = this.account(market)
    const to = random.int(0, 1) === 0 ? this.account(market) : this.account(market, from.owner)
    const margin = random.pick([0n, from.margin / 3n])
    const yt = from.yt > 0n ? random.pick([0n, from.yt / 4n, from.yt]) : 0n
    this.run({ kind: 'transfer', ...ref(from), to: ref(to), margin, yt })
  }

  protected wrap(): void {
    const { random } = this
    const owner = random.pick(TRADERS)
    const held = this.ledger.balances.get(`st-${this.kind}:${owner}`) ?? 0n
    if (held > 0n && random.int(0, 1) === 0) {
      this.run({ kind: 'unwrap', owner, coupon: this.kind, jlp: random.magnitude(held) })
    } else this.run({ kind: 'wrap', owner, coupon: this.kind, jlp: random.magnitude(JLP) })
  }

  protected rollOne(): void {
    const [market, later] = this.markets
    const account = this.account(market!)
    if (account.yt === 0n) return
    const up = account.yt > 0n
    const to = ref(this.account(later!, account.owner))
    const amount = { st: account.margin * BigInt(this.random.int(1, 8)) + 1n }
    const bounds = { minimum: 0n, deadline: this.now, limitRate: up ? TOP_RATE : LOW_RATE }
    this.run({ kind: 'roll', ...ref(account), to, amount, ...bounds, closeLimitRate: up ? LOW_RATE : TOP_RATE })
  }

  /** Whoever can be liquidated or taken over: most of them are, so that others are left to get worse. */
  protected liquidations(): void {
    const { random } = this
    const owing = [...this.ledger.accounts.values()].filter(({ yt, st }) => yt < 0n || st < 0n)
    if (owing.length === 0) return
    for (const { market, owner, sub } of owing) {
      const account = { market, owner, sub }
      const due = apply(this.ledger, { kind: 'liquidate', ...account, by: 'keeper', yt: 1n }, this.world)
      if (due.kind === 'refused' && ['healthy', 'matured', 'coupon-due', 'exceeds-position'].includes(due.code))
        continue
      if (random.int(0, 1) > 0) continue
      if (random.int(0, 4) === 0) this.run({ kind: 'take-over', ...account })
      this.liquidateOne(account)
    }
    if (random.int(0, 3) === 0) this.liquidateOne(ref(random.pick(owing)))
  }

  /** As much as the engine's reads say, as the model's own search says, or what may be wrong. */
  protected liquidateOne(account: AccountRef): void {
    const { random } = this
    const held = this.ledger.accounts.get(accountId(account))!
    const size = held.yt < 0n ? -held.yt : held.yt
    if (size === 0n) return
    const told = this.kept(account)
    if (told === 'take-over') {
      this.run({ kind: 'take-over', ...account })
      return
    }
    const yt = random.pick([
      () => told?.liquidate ?? size,
      () => told?.liquidate ?? size,
      () => this.follower.model.liquidationOf(account, this.world),
      () => size,
      () => ((told?.liquidate ?? size) * random.big(80n, 110n)) / 100n + 1n,
      () => ((told?.liquidate ?? size) * random.big(980n, 1030n)) / 1000n + 1n,
    ])()
    this.run({ kind: 'liquidate', ...account, by: 'keeper', yt })
  }

  protected kept(account: AccountRef): ReturnType<typeof liquidationOf> {
    try {
      return liquidationOf(this.ledger, account, this.world)
    } catch {
      return undefined // no time for it: the instruction will say so
    }
  }

  protected reduceFund(): void {
    for (const market of this.markets) {
      const { yt } = this.ledger.markets.get(market)!.fund
      if (yt === 0n && this.random.int(0, 5) > 0) continue
      this.run({ kind: 'reduce-fund', market, yt: this.random.magnitude((yt < 0n ? -yt : yt) + 1n) })
    }
  }

  protected edgeOfWithdrawal(): void {
    const owing = [...this.ledger.accounts.values()].filter(({ yt, margin }) => yt !== 0n && margin > 0n)
    if (owing.length === 0) return
    const account = this.random.pick(owing)
    this.around(jlp => ({ kind: 'withdraw', ...ref(account), jlp }), account.margin)
  }

  protected edgeOfTrade(account = this.account(this.market())): void {
    const { margin, yt, market } = account
    if (margin === 0n) return
    const action = yt > 0n ? 'long' : yt < 0n ? 'short' : this.random.pick(['long', 'short'] as const)
    const bounds = { limitRate: action === 'long' ? TOP_RATE : LOW_RATE, minimum: 0n, deadline: this.now }
    const of = (n: bigint): Instruction => ({ kind: 'trade', ...ref(account), action, amount: { yt: n }, ...bounds })
    this.around(of, this.worth(market, margin * 12n) + 2000n)
  }
}
