/**
 * Campaign: whole histories of an exchange, every instruction that moves value, against the slow model that visits every account
 * and every LP position at every coupon (test/model/exchange.ts). After every step each balance is compared: an owner may have
 * at most one atom less for each time that something of his was rounded, and never more than the tables err by.
 */
import type { MarginAccount } from '../../src/exchange/index.ts'
import type { Random } from '../generate/random.ts'
import type { ModelStats } from '../model/exchange-follower.ts'
import { ensure } from './ensure.ts'
import { Actions } from './exchange-model-actions.ts'
import { DAY, EVERYONE, HOUR, ref } from './exchange-model-scene.ts'

export class ExchangeHistory extends Actions {
  constructor(random: Random, stats: ModelStats) {
    super(random, stats)
    for (const market of this.markets) this.addAround(market, 'lea', random.pick([600, 2000]))
    for (let i = random.int(0, 3); i > 0; i--) this.add()
  }

  /** One random instruction, or a few that belong together. */
  step(): void {
    const { random } = this
    this.now += random.pick([0, 0, 1, 7, 30, 120, 300, 400])
    this.settleTime()
    if (random.int(0, 2) === 0 && this.afterLosses()) return
    const choice = random.int(0, 99)
    if (choice < 3) this.deposit()
    else if (choice < 8) this.rest()
    else if (choice < 26) this.leveraged()
    else if (choice < 31) this.spotTrade()
    else if (choice < 39) this.decrease()
    else if (choice < 44) this.whale()
    else if (choice < 54) this.stress()
    else if (choice < 58) this.add()
    else if (choice < 61) this.remove()
    else if (choice < 63) this.collectOne()
    else if (choice < 66) this.splitOrMerge()
    else if (choice < 70) this.tradePt()
    else if (choice < 73) this.withdraw()
    else if (choice < 76) this.transfer()
    else if (choice < 78) this.wrap()
    else if (choice < 80) this.rollOne()
    else if (choice < 81) this.run({ kind: 'collect-fees', market: this.market() })
    else if (choice < 84) this.liquidations()
    else if (choice < 86) this.reduceFund()
    else if (choice < 87) this.edgeOfWithdrawal()
    else if (choice < 88) this.edgeOfTrade()
    else if (choice === 88 && this.now > this.pausedUntil + DAY) this.pauseAndResume()
    else this.coupon()
    if (random.int(0, 3) === 0) this.liquidations()
  }

  /** To maturity of the first market and past it: everything is settled, redeemed, removed, withdrawn and closed. */
  mature(): void {
    const { random } = this
    const market = this.markets[0]!
    const maturity = this.ledger.markets.get(market)!.maturity
    this.now = Math.max(this.now, maturity + 310)
    if (random.int(0, 5) === 0) {
      // The source has gone: a week later the last discount is final.
      this.run({ kind: 'finalise', coupon: this.kind, maturity })
      this.now = maturity + 7 * DAY
      this.run({ kind: 'finalise', coupon: this.kind, maturity })
    }
    if (this.kind === 'weekly') this.weeklyUpdatedAt = this.now
    for (let tries = 0; this.ledger.indices[this.kind].lastStep < maturity && tries < 9; tries++) {
      this.accrueTo(this.kind === 'hourly' ? Math.floor(this.now / HOUR) * HOUR : this.now)
    }
    this.now += 30
    this.run({ kind: 'collect-fees', market })
    const mine = (): MarginAccount[] => [...this.ledger.accounts.values()].filter(account => account.market === market)
    const owing = mine().filter(({ yt, st }) => yt < 0n || st < 0n).length
    this.follower.count(owing > 0 ? 'maturities-with-debtors' : 'maturities-without')
    for (let turn = 0; turn < 30; turn++) {
      const account = random.pick(mine())
      const choice = random.int(0, 5)
      if (choice <= 2) this.run({ kind: 'settle', ...ref(account) })
      else if (choice <= 3 && account.margin > 0n) {
        const jlp =
          random.int(0, 1) === 0 ? account.margin : account.netDeposits < account.margin ? account.netDeposits : 1n
        if (jlp > 0n) this.run({ kind: 'withdraw', ...ref(account), jlp })
      } else if (choice === 4) this.redeem(random.pick(EVERYONE))
      else this.remove()
    }
    for (const account of mine()) this.run({ kind: 'settle', ...ref(account) })
    for (const owner of EVERYONE) this.redeem(owner)
    for (const { margin, ...account } of mine())
      if (margin > 0n) this.run({ kind: 'withdraw', ...ref(account), jlp: margin })
    for (const order of [...this.ledger.orders.values()].filter(o => o.market === market)) {
      this.run({ kind: 'expire-order', ...ref(order), id: order.id })
    }
    for (const account of mine()) this.run({ kind: 'close-account', ...ref(account) })
    const bounds = { sub: 0, share: { num: 1n, den: 1n }, minimum: 0n, deadline: this.now }
    for (const lp of [...this.ledger.positions.values()].filter(p => p.market === market)) {
      const position = { market, owner: lp.owner, lower: lp.position.lower, upper: lp.position.upper }
      if (lp.position.liquidity > 0n) this.run({ kind: 'remove-liquidity', ...position, ...bounds })
      this.run({ kind: 'collect', ...position })
      this.run({ kind: 'close-position', ...position })
    }
    for (const owner of EVERYONE) this.redeem(owner)
    this.run({ kind: 'collect-fees', market })
    this.nothingLeft(market)
  }

  /** When all have left, the vault holds the fund and dust: what it began with and less than 4 atoms for each instruction. */
  private nothingLeft(id: string): void {
    const { vault, fund, fees, pool, totals } = this.ledger.markets.get(id)!
    const left = [...this.ledger.accounts.values(), ...this.ledger.positions.values()].some(
      ({ market }) => market === id,
    )
    if (left || totals.pt > 0n) return
    const dust = vault + pool.deficit - fund.margin - fees
    const most = 1000n + 4n * BigInt(this.follower.steps)
    ensure(dust >= 1000n && dust <= most, 'nothing but dust is left behind', { dust, most })
    this.follower.count('emptied')
  }

  /** New risk is stopped for a while; exits are not. */
  private pauseAndResume(): void {
    const paused = this.run({ kind: 'pause', by: 'guard' }).kind === 'applied'
    for (let i = 0; i < 6; i++) this.step()
    if (paused && this.random.int(0, 1) === 0) this.run({ kind: 'unpause', by: 'admin' })
  }

  private redeem(owner: string): void {
    const market = this.markets[0]!
    const pt = this.pt({ market, owner })
    if (pt > 0n) this.run({ kind: 'redeem-pt', market, owner, pt })
  }

  /** Whether the first market still trades. */
  get open(): boolean {
    return this.now < this.ledger.markets.get(this.markets[0]!)!.maturity
  }
}

/** Runs whole histories; returns what they saw together. */
export const modelHistories = (random: Random, count: number, steps: number): ModelStats => {
  const stats: ModelStats = {}
  for (let i = 0; i < count; i++) {
    const history = new ExchangeHistory(random, stats)
    for (let step = 0; step < steps && history.open; step++) history.step()
    history.mature()
    history.follower.count('histories')
  }
  return stats
}

/** The conditions that the model judges in exact decimals; elsewhere a boundary is a rest of an atom or so. */
const CONDITIONS = ['undercollateralised', 'not-better', 'backing', 'healthy', 'wrong-amount', 'no-improvement']

/** Both answers passed, because a condition of margin lay within a hair of its boundary. */
export const boundaries = (stats: ModelStats): number =>
  CONDITIONS.reduce((sum, code) => sum + (stats[`boundary:${code}`] ?? 0), 0)

/** A run in short, for the fuzzer. */
export const modelFigures = (stats: ModelStats): ModelStats => {
  const names = ['histories', 'steps', 'compared', 'liquidated', 'taken-over', 'deficits', 'withheld', 'edges']
  const maxima = ['maxOver', 'maxTableError', 'maxUnderPerTouch']
  const figures = [...names, ...maxima].map(name => [name, stats[name] ?? 0] as const)
  return { ...Object.fromEntries(figures), boundaries: boundaries(stats) }
}
