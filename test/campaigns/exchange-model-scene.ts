/** Campaign exchange-model, the scene: an exchange with two markets, its clock, coupons, and who takes part. */
import { tickRate, ytPrice } from '../../amm/index.ts'
import {
  type Applied,
  accountId,
  apply,
  type Instruction,
  type Ledger,
  type MarginAccount,
  type Market,
  type Refused,
  type World,
} from '../../src/exchange/index.ts'
import type { Random } from '../generate/random.ts'
import { Follower, type ModelStats } from '../model/exchange-follower.ts'
import { type Kind, WEEKLY_AUM } from '../model/exchange-index.ts'

export const JLP = 1_000_000n
export const HOUR = 3600
export const DAY = 86_400
const WEEK = 7 * DAY
export const TRADERS = ['ann', 'bob', 'cid', 'dot']
export const LPS = ['lea', 'lou', 'lux']
export const EVERYONE = [...TRADERS, ...LPS, 'whale', 'keeper']
export const TOP_RATE = tickRate(13_860)
export const LOW_RATE = tickRate(50)

/** Unix seconds of 08:00 UTC on the last Friday of a month. */
const lastFriday = (year: number, month: number): number => {
  const last = new Date(Date.UTC(year, month + 1, 0, 8))
  return last.getTime() / 1000 - ((last.getUTCDay() + 2) % 7) * DAY
}

/** An account by name alone. */
export const ref = ({ market, owner, sub }: { market: string; owner: string; sub: number }) => ({ market, owner, sub })

export class Scene {
  readonly follower: Follower
  readonly ledger: Ledger
  protected readonly random: Random
  protected readonly kind: Kind
  protected now: number
  protected weeklyUpdatedAt: number
  protected readonly jlpSupply: bigint
  /** JLP of a usual deposit of liquidity: thin markets and thick ones. */
  protected readonly depth: bigint
  protected readonly markets: readonly string[]

  constructor(random: Random, stats: ModelStats) {
    this.random = random
    this.kind = random.pick(['hourly', 'hourly', 'weekly'])
    const [year, month] = [2026, random.int(0, 11)]
    const maturity = lastFriday(year, month)
    const days = this.kind === 'hourly' ? random.pick([5, 12, 30, 60]) : random.pick([20, 40, 70, 120])
    this.now = maturity - days * DAY
    this.weeklyUpdatedAt = this.now
    this.jlpSupply = random.pick([400_000_000n, 400_000_000n, 400_000_000n, 200_000n]) * JLP
    this.depth = random.pick([300n, 5_000n, 200_000n, 200_000n, 20_000_000n]) * JLP
    const config = { authority: 'admin', pauser: 'guard', treasury: 'treasury' }
    const balances = EVERYONE.map(owner => [`jlp:${owner}`, 4_000_000_000n * JLP] as const)
    this.follower = new Follower({ config, lastStep: this.now, balances }, stats)
    this.ledger = this.follower.ledger
    this.now += 60
    const rate = tickRate(random.pick([400, 1200, 2500, 3500, 5000, 9000])) + random.big(0n, 1n << 50n)
    const later = lastFriday(year, month + 1)
    for (const at of [maturity, later]) {
      this.run({ kind: 'create-market', by: 'keeper', coupon: this.kind, maturity: at, rate })
    }
    this.markets = [...this.ledger.markets.keys()]
    for (const market of this.markets) {
      for (const owner of TRADERS) {
        for (const sub of [0, 1]) this.run({ kind: 'open-account', market, owner, sub })
      }
      for (const owner of [...LPS, 'whale']) this.run({ kind: 'open-account', market, owner, sub: 0 })
    }
  }

  protected get world(): World {
    return { now: this.now, jlpSupply: this.jlpSupply, weeklyUpdatedAt: this.weeklyUpdatedAt }
  }

  protected get pausedUntil(): number {
    return this.ledger.config.pausedUntil
  }

  protected run(instruction: Instruction): Applied | Refused {
    return this.follower.run(instruction, this.world)
  }

  protected market(): string {
    return this.random.int(0, 4) === 0 ? this.markets[1]! : this.markets[0]!
  }

  protected account(market: string, owner = this.random.pick(TRADERS)): MarginAccount {
    const sub = TRADERS.includes(owner) ? this.random.int(0, 1) : 0
    return this.ledger.accounts.get(accountId({ market, owner, sub }))!
  }

  protected pool(market: string): Market['pool'] {
    return this.ledger.markets.get(market)!.pool
  }

  /** Where a coupon has fallen due, most often it is brought; else instructions are tried that should be refused. */
  protected settleTime(): void {
    if (this.kind === 'hourly' && this.now >= this.ledger.indices.hourly.lastStep + HOUR + 300) {
      if (this.random.int(0, 9) > 0) this.accrueTo(Math.floor(this.now / HOUR) * HOUR)
    } else if (this.kind === 'weekly' && this.weeklyUpdatedAt > this.ledger.indices.weekly.lastStep) {
      if (this.random.int(0, 4) > 0) this.accrueTo(this.weeklyUpdatedAt)
    }
  }

  /** Time passes to the next coupon or several. */
  protected coupon(): void {
    const { random } = this
    if (this.kind === 'hourly') {
      const left = Math.max(1, Math.floor((this.ledger.markets.get(this.markets[0]!)!.maturity - this.now) / HOUR))
      const step = Math.min(random.pick([1, 1, 1, 2, 6, 24]), Math.max(1, Math.floor(left / 6)))
      this.now = (Math.floor(this.now / HOUR) + step) * HOUR + random.int(300, 420)
      this.accrueTo(Math.floor(this.now / HOUR) * HOUR)
      return
    }
    this.now = Math.max(this.now, this.weeklyUpdatedAt + WEEK + random.int(-4000, 4000))
    this.weeklyUpdatedAt = this.now - random.int(0, 100)
    if (this.weeklyUpdatedAt > this.ledger.indices.weekly.lastStep) this.accrueTo(this.weeklyUpdatedAt)
  }

  protected accrueTo(to: number): void {
    const { random } = this
    const index = this.ledger.indices[this.kind]
    if (to <= index.lastStep) return
    const rate = Number(this.pool(this.markets[0]!).rate) / 2 ** 64
    const times = random.pick([0, 0.3, 0.8, 1, 1.2, 2, 8])
    const seconds = to - index.lastStep
    const earned =
      this.kind === 'hourly'
        ? { to, aum: 10n ** 15n, fees: BigInt(Math.round((rate * times * 1e15 * seconds) / 31_536_000)) }
        : { to, aum: WEEKLY_AUM, fees: BigInt(Math.round(rate * times * 1e4)) * BigInt(seconds) }
    this.run({ kind: 'accrue', coupon: this.kind, earned })
  }

  /** YT that `jlp` buys at the spot price. */
  protected worth(market: string, jlp: bigint): bigint {
    const { rate, discount, tauSeconds } = this.pool(market)
    const price = ((ytPrice(rate, tauSeconds) as bigint) * discount) >> 64n
    return price === 0n ? jlp : (jlp << 64n) / price
  }

  protected pt({ market, owner }: { market: string; owner: string }): bigint {
    return this.ledger.balances.get(`pt/${market}:${owner}`) ?? 0n
  }

  /** The greatest amount that the engine accepts, by bisection, if it accepts anything and not everything. */
  protected edge(of: (amount: bigint) => Instruction, top: bigint): bigint | undefined {
    const accepted = (amount: bigint): boolean => apply(this.ledger, of(amount), this.world).kind === 'applied'
    if (!accepted(1000n) || accepted(top)) return undefined
    let [low, high] = [1000n, top]
    while (high - low > 1n) {
      const middle = (low + high) / 2n
      if (accepted(middle)) low = middle
      else high = middle
    }
    return low
  }

  /** Amounts beside the edge, a hundred thousandth away: the model must see the edge in the same place. */
  protected around(of: (amount: bigint) => Instruction, top: bigint): void {
    const edge = this.edge(of, top)
    if (edge === undefined) return
    this.follower.count('edges')
    this.follower.count(`edges:${of(1n).kind}`)
    const off = edge / 100_000n + 4000n
    this.run(of(edge + off))
    if (edge > off) this.run(of(edge - off))
  }
}
