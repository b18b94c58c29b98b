/**
 * Campaign: whole histories of a market in small. LPs open, add, remove in part and in full and collect; traders hold YT long and
 * short and PT; coupons of every size; up to maturity and past it. After every step both identities of docs/protocol.md
 * section 3 are summed afresh from accounts and positions, exactly, in Q64.64; and each position's claim is compared
 * with the slow model that visits every position at every coupon.
 */
import type { Decimal } from 'decimal.js'
import {
  accrue,
  addLiquidity,
  collect,
  composition,
  createPool,
  type DiscountQ64,
  earnedSince,
  emptyPosition,
  type Liquidity,
  mulDiv,
  ONE_Q64,
  type Order,
  type Pool,
  type Position,
  quote,
  type RateQ64,
  removeLiquidity,
  tickRate,
  touch,
} from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import { FEES, GRID } from '../helpers/market.ts'
import { fromQ64, X } from '../model/exact.ts'
import { SlowPool } from '../model/ledger.ts'
import { activeLiquidity, modelFee, modelTrade } from '../model/pool.ts'
import { ensure } from './ensure.ts'

/** A trader: signed YT and a signed JLP leg, which a wallet would hold for it. */
interface Account {
  yt: bigint
  jlp: bigint
  discount: bigint
}

interface Lp {
  readonly id: string
  position: Position
  /** How often `uncollected` was rounded: each time may lose the LP an atom. */
  touches: number
  /** Most liquidity it ever had, for the bound on the table error. */
  most: bigint
}

export interface LedgerStats {
  histories: number
  steps: number
  crossings: number
  reinitialised: number
  maxDustAtoms: number
}

export class SmallMarket {
  pool: Pool
  vault = 0n
  fees = 0n
  pt = 0n
  readonly accounts: Account[] = []
  readonly lps: Lp[] = []
  readonly slow: SlowPool
  readonly stats: LedgerStats = { histories: 0, steps: 0, crossings: 0, reinitialised: 0, maxDustAtoms: 0 }
  private readonly random: Random
  private readonly ticks: readonly number[]
  private readonly dropped = new Set<number>()
  private coupons = 0

  constructor(random: Random) {
    this.random = random
    const rate = random.big(tickRate(800), tickRate(6000)) as RateQ64
    const discount = random.big(ONE_Q64 / 2n, ONE_Q64) as DiscountQ64
    const tauSeconds = 3600 * random.int(2, 24 * 700)
    this.pool = createPool({ grid: GRID, fees: FEES, rate, tauSeconds, discount })
    this.slow = new SlowPool({ rate, tick: this.pool.tick, tau: tauSeconds, discount })
    this.ticks = Array.from({ length: 5 }, () => this.pool.tick + 10 * random.int(-20, 20))
    for (let i = 0; i < 3; i++) this.accounts.push({ yt: 0n, jlp: 0n, discount })
  }

  /** One random step, then every check. */
  step(): void {
    const choice = this.lps.length === 0 ? 0 : this.random.int(0, 11)
    const before = new Set(this.pool.ticks.map(tick => tick.index))
    if (choice <= 1) this.add()
    else if (choice === 2) this.remove()
    else if (choice === 3) this.collectOne()
    else if (choice <= 6) this.coupon()
    else this.trade()
    for (const index of before) if (!this.pool.ticks.some(tick => tick.index === index)) this.dropped.add(index)
    for (const { index } of this.pool.ticks) {
      if (!before.has(index) && this.dropped.delete(index)) this.stats.reinitialised++
    }
    this.stats.steps++
    this.check()
  }

  private add(): void {
    const { random } = this
    const [one, two] = [random.pick(this.ticks), random.pick(this.ticks)]
    const [lower, upper] = one < two ? [one, two] : [two, one]
    if (lower === upper) return
    const liquidity = ((1n << 31n) + random.magnitude(1n << 50n)) as Liquidity
    const again = this.lps.find(lp => lp.position.lower === lower && lp.position.upper === upper)
    const lp = again ?? {
      id: `${this.lps.length}`,
      position: emptyPosition(this.pool, lower, upper),
      touches: 0,
      most: 0n,
    }
    const added = addLiquidity(this.pool, lp.position, liquidity)
    if (added.kind === 'rejected') return
    this.pool = added.next
    this.vault += added.jlp
    lp.position = added.position
    lp.touches++
    if (added.position.liquidity > lp.most) lp.most = added.position.liquidity
    const before = again === undefined ? { inventory: new X(0), reserve: new X(0) } : this.held(lp.id)
    if (again === undefined) {
      this.lps.push(lp)
      this.slow.open(lp.id, lower, upper, liquidity)
    } else {
      this.slow.position(lp.id).liquidity += liquidity
    }
    const after = this.held(lp.id)
    const issued = after.inventory.minus(before.inventory)
    const worth = issued.times(fromQ64(this.pool.discount)).plus(after.reserve).minus(before.reserve)
    near(added.issued, issued, 0, 1, 'a deposit issues its inventory, rounded up')
    near(added.jlp, worth, 0, 3, 'a deposit costs what it is worth, rounded up')
  }

  private remove(): void {
    const lp = this.random.pick(this.lps)
    const share = this.random.pick([
      { num: 1n, den: 1n },
      { num: 1n, den: 2n },
      { num: 1n, den: 7n },
    ])
    this.removeFrom(lp, share)
  }

  private removeFrom(lp: Lp, share: { num: bigint; den: bigint }): void {
    const uncollected = touch(this.pool, lp.position).uncollected
    const removed = removeLiquidity(this.pool, lp.position, share)
    if (removed.kind === 'rejected') return
    const taken = uncollected - removed.position.uncollected
    const part = new X(removed.liquidity.toString()).div(lp.position.liquidity.toString())
    const { inventory, reserve } = this.held(lp.id)
    const cameBack = X.min(inventory.times(part).floor(), removed.issued.toString())
    const cash = cameBack.times(fromQ64(this.pool.discount)).plus(reserve.times(part)).plus(taken.toString())
    near(removed.jlp, cash, -3, 0, 'a removal pays ST freed, issued YT that came back and earnings, rounded down')
    near(
      removed.pt + removed.yt,
      inventory.times(part).minus(removed.issued.toString()).abs(),
      -1,
      1,
      'and the net in kind',
    )
    ensure(removed.pt === 0n || removed.yt === 0n, 'either PT or YT', { removed })
    this.pool = removed.next
    this.vault -= removed.jlp
    this.pt += removed.pt
    const account = this.touched(this.random.pick(this.accounts))
    account.yt += removed.yt
    lp.position = removed.position
    lp.touches++
    this.slow.remove(lp.id, removed.liquidity)
    this.slow.collect(lp.id, taken)
  }

  private collectOne(): void {
    const lp = this.random.pick(this.lps)
    const paid = collect(this.pool, lp.position)
    if (paid.kind === 'rejected') return
    this.vault -= paid.jlp
    lp.position = paid.position
    lp.touches++
    this.slow.collect(lp.id, paid.jlp)
  }

  private coupon(): void {
    const hours = this.random.pick([0, 1, 1, 1, 24, 168])
    if (this.pool.tauSeconds === 0) return // there are no coupons after maturity
    const tauSeconds = Math.max(0, this.pool.tauSeconds - hours * 3600)
    // From nothing, over less than the curve's own precision, to 1 %.
    const fallen = this.random.pick([
      0n,
      this.random.magnitude(1n << 20n),
      this.random.magnitude(this.pool.discount / 100n),
    ])
    const discount = (this.pool.discount - fallen) as DiscountQ64
    this.pool = accrue(this.pool, { tauSeconds, discount })
    this.slow.step(tauSeconds, discount)
    this.coupons++
  }

  /** Coupons that a trader's YT has been paid, rounded down, and owed, rounded up. */
  private touched(account: Account): Account {
    account.jlp += (account.yt * (account.discount - this.pool.discount)) >> 64n
    account.discount = this.pool.discount
    return account
  }

  private trade(): void {
    const { random, pool } = this
    const kind = random.pick(['buy-yt', 'sell-yt', 'buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'] as const)
    if (kind === 'sell-pt' && this.pt === 0n) return
    const amount = kind === 'sell-pt' ? random.magnitude(this.pt) : random.magnitude(pool.grossLiquidity / 50n + 1n)
    const order = (
      kind === 'sell-pt'
        ? { kind, pt: amount }
        : random.int(0, 1) === 0
          ? { kind, st: amount }
          : { kind, [kind.endsWith('yt') ? 'yt' : 'pt']: amount }
    ) as Order
    const answer = quote(pool, order)
    if (answer.kind === 'rejected') return
    const account = this.touched(random.pick(this.accounts))
    const { filled, fee } = answer
    if (kind === 'buy-yt') account.yt += filled
    if (kind === 'sell-yt') account.yt -= filled
    if (kind === 'buy-pt') this.pt += filled
    if (kind === 'sell-pt') this.pt -= filled
    account.jlp += kind.startsWith('buy') ? -answer.amount : answer.amount
    account.jlp -= fee.total
    this.fees += fee.insurance + fee.protocol
    this.stats.crossings += answer.ticksCrossed

    const ranges = this.lps.map(({ position: { lower, upper, liquidity } }) => ({ lower, upper, liquidity }))
    const { rate, tick, tauSeconds: tau, discount } = pool
    const direction = kind === 'buy-yt' || kind === 'sell-pt' ? 'up' : 'down'
    const exact = modelTrade({ ranges, rate, tick, tau, discount, direction, yt: filled })
    ensure(exact.rateAfter === answer.rateAfter, 'the exact walk ends at the same rate', { answer, exact })
    const split = modelFee({ leg: answer.stLeg, stretches: exact.stretches }, FEES)
    this.slow.fee(exact.stretches.map((s, i) => ({ activeAtTick: s.tick, lpFee: split.lpByStretch[i]! })))
    this.pool = answer.next
    this.slow.moveTo(this.pool.rate, this.pool.tick)
  }

  /** What a position holds by the slow model: YT atoms and JLP atoms. */
  private held(id: string): { inventory: Decimal; reserve: Decimal } {
    return { inventory: this.slow.inventory(id), reserve: this.slow.reserve(id) }
  }

  /** The ledger identities, non-negative claims, the state of the ticks, and the slow model. */
  check(): void {
    const { pool } = this
    let yt = 0n // Q64.64
    let claims = 0n // Q64.64 JLP
    for (const account of this.accounts) {
      yt += account.yt << 64n
      claims += (account.jlp << 64n) + account.yt * (account.discount - pool.discount)
    }
    for (const { position } of this.lps) {
      const { inventory, reserve } = composition(pool, position.lower, position.upper, position.liquidity)
      const { accrued, fees } = earnedSince(pool, position)
      ensure(position.uncollected >= 0n, 'claims are never negative', { position })
      ensure(accrued + fees > -(1n << 62n), 'earnings fall by no more than the last ulps', { accrued, fees, position })
      yt += inventory - (position.issued << 64n)
      claims += pool.discount * position.issued + reserve + (position.uncollected << 64n) + accrued + fees
    }
    yt -= this.pt << 64n
    claims += pool.discount * this.pt + (this.fees << 64n)
    const dust = (this.vault << 64n) - claims
    ensure(yt <= 0n, 'YT identity: yt_dust >= 0', { ytDust: -yt })
    ensure(dust >= 0n, 'JLP identity: dust >= 0', { dust })
    // Dust is what rounding leaves, a few atoms a step: more would be value that nobody can claim.
    const few = BigInt(4 * (this.stats.steps + 1) + this.stats.crossings + this.lps.length) << 64n
    ensure(dust < few && -yt < few, 'nothing but rounding is left over', { dust, ytDust: -yt, few })
    this.stats.maxDustAtoms = Math.max(this.stats.maxDustAtoms, Number(dust >> 64n))

    const ranges = this.lps.map(lp => lp.position)
    ensure(activeLiquidity(ranges, pool.tick) === pool.liquidity, 'liquidity in range, recounted', { pool })
    ensure(pool.ticks.reduce((sum, tick) => sum + tick.net, 0n) === 0n, 'net liquidity of all ticks is 0', { pool })
    ensure(ranges.reduce((sum, p) => sum + p.liquidity, 0n) === pool.grossLiquidity, 'gross liquidity', { pool })
    this.compareWithSlowModel()
  }

  private compareWithSlowModel(): void {
    for (const lp of this.lps) {
      const { accrued, fees } = earnedSince(this.pool, lp.position)
      const claim = new X(lp.position.uncollected.toString()).plus(
        new X((accrued + fees).toString()).div(2 ** 32).div(2 ** 32),
      )
      const over = claim.minus(this.slow.position(lp.id).earned).toNumber()
      // An atom a touch; the table's error a coupon; a fraction of an atom a fee, from growth rounded down.
      const table = ((this.coupons + 1) * 2 * 5.8 * Number(lp.most)) / 2 ** 64
      const growth = (this.stats.steps * Number(lp.most)) / 2 ** 64
      ensure(over <= table && over >= -lp.touches - table - growth, 'an LP’s claim equals the sum over single steps', {
        over,
        touches: lp.touches,
        lp: lp.position,
        claim: claim.toFixed(9),
      })
    }
  }

  /** To maturity: every coupon paid, every position removed, every account paid. The vault suffices. */
  mature(): void {
    if (this.pool.tauSeconds > 0) {
      const discount = ((this.pool.discount * 99n) / 100n) as DiscountQ64
      this.pool = accrue(this.pool, { tauSeconds: 0, discount })
      this.slow.step(0, discount)
      this.coupons++
      this.check()
    }
    for (const lp of this.lps) {
      this.removeFrom(lp, { num: 1n, den: 1n })
      this.check()
    }
    const owed = this.accounts.reduce((sum, account) => sum + this.touched(account).jlp, 0n)
    const principal = mulDiv(this.pt, this.pool.discount, ONE_Q64, 'down')
    const left = this.vault - owed - principal - this.fees
    ensure(left >= 0n, 'at maturity the vault pays everyone', { left })
    ensure(this.pool.ticks.length === 0 && this.pool.liquidity === 0n, 'no tick is left', { ticks: this.pool.ticks })
  }
}

/** `actual` is `exact` but for rounding: from `low` to `high` atoms beside it. */
const near = (actual: bigint, exact: Decimal, low: number, high: number, law: string): void => {
  const over = new X(actual.toString()).minus(exact).toNumber()
  const error = 0.1 // the table's, at the campaign's liquidity
  ensure(over >= low - error && over <= high + error, law, { actual, exact: exact.toFixed(6), over })
}

/** Runs whole histories; returns what they saw together. */
export const histories = (random: Random, count: number, steps: number): LedgerStats => {
  const total: LedgerStats = { histories: 0, steps: 0, crossings: 0, reinitialised: 0, maxDustAtoms: 0 }
  for (let i = 0; i < count; i++) {
    const market = new SmallMarket(random)
    for (let step = 0; step < steps; step++) market.step()
    market.mature()
    total.histories++
    total.steps += market.stats.steps
    total.crossings += market.stats.crossings
    total.reinitialised += market.stats.reinitialised
    total.maxDustAtoms = Math.max(total.maxDustAtoms, market.stats.maxDustAtoms)
  }
  return total
}
