import type { Decimal } from 'decimal.js'
import { F, fromQ64, X } from './exact.ts'
import { tickRate } from './pool.ts'

/** One LP position; `earned` is the uncollected JLP atoms, exact and never rounded. */
export interface Position {
  readonly id: string
  readonly lower: number
  readonly upper: number
  liquidity: bigint
  earned: Decimal
}

/** The LP accounting of section 5 by its meaning: every position is visited at every step. */
export class SlowPool {
  readonly positions: Position[] = []
  rate: bigint
  tick: number
  tau: number
  discount: bigint

  constructor(start: {
    readonly rate: bigint
    readonly tick: number
    readonly tau: number
    readonly discount: bigint
  }) {
    this.rate = start.rate
    this.tick = start.tick
    this.tau = start.tau
    this.discount = start.discount
  }

  open(id: string, lower: number, upper: number, liquidity: bigint): void {
    if (this.positions.some(position => position.id === id)) throw new Error(`position ${id} exists`)
    this.positions.push({ id, lower, upper, liquidity, earned: new X(0) })
  }

  /** Takes liquidity away; what was earned stays with the position until it is collected. */
  remove(id: string, liquidity: bigint): void {
    const position = this.position(id)
    if (liquidity > position.liquidity) throw new Error(`position ${id} holds only ${position.liquidity}`)
    position.liquidity -= liquidity
  }

  /** Pays out some of what was earned. */
  collect(id: string, amount: Decimal | bigint): void {
    const position = this.position(id)
    position.earned = position.earned.minus(new X(amount))
  }

  /** A trade: the rate moves, time and discount stand. */
  moveTo(rate: bigint, tick: number): void {
    this.rate = rate
    this.tick = tick
  }

  /** One accrual step at the unmoved rate: the coupon on the inventory, and the ST freed from the reserve (section 5). */
  step(tau: number, discount: bigint): void {
    const before = this.positions.map(({ id }) => this.reserve(id))
    const coupon = fromQ64(this.discount - discount)
    const inventories = this.positions.map(({ id }) => this.inventory(id))
    this.tau = tau
    this.discount = discount
    this.positions.forEach((position, k) => {
      const freed = before[k]!.minus(this.reserve(position.id))
      position.earned = position.earned.plus(inventories[k]!.times(coupon)).plus(freed)
    })
  }

  /** The LP part of a fee, stretch by stretch, pro rata by `L` among the ranges that contain the stretch's tick index. */
  fee(stretches: readonly { readonly activeAtTick: number; readonly lpFee: bigint }[]): void {
    for (const { activeAtTick, lpFee } of stretches) {
      const active = this.positions.filter(({ lower, upper }) => lower <= activeAtTick && activeAtTick < upper)
      const liquidity = active.reduce((sum, position) => sum + position.liquidity, 0n)
      if (liquidity === 0n && lpFee > 0n) throw new Error(`no liquidity at tick ${activeAtTick} to earn the fee`)
      for (const position of active) {
        if (position.liquidity === 0n) continue
        position.earned = position.earned.plus(new X(lpFee * position.liquidity).div(new X(liquidity)))
      }
    }
  }

  /** YT atoms held, `L*(b - c)` with `c = clamp(s,a,b)`. */
  inventory(id: string): Decimal {
    const { upper, liquidity } = this.position(id)
    return fromQ64(tickRate(upper) - this.clamped(id)).times(new X(liquidity))
  }

  /** JLP atoms of the ST held, `L*D*F(a,c)`. */
  reserve(id: string): Decimal {
    const { lower, liquidity } = this.position(id)
    const integral = F(tickRate(lower), this.clamped(id), this.tau)
    return integral.times(fromQ64(this.discount)).times(new X(liquidity))
  }

  private clamped(id: string): bigint {
    const { lower, upper } = this.position(id)
    const [a, b] = [tickRate(lower), tickRate(upper)]
    return this.rate < a ? a : this.rate > b ? b : this.rate
  }

  position(id: string): Position {
    const found = this.positions.find(position => position.id === id)
    if (!found) throw new Error(`no position ${id}`)
    return found
  }
}
