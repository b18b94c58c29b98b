/**
 * Fixed yield: PT bought below 1 ST and held to maturity, where it is 1 ST. Its yield is fixed against ST, which is JLP without the
 * pool's fees: whoever holds JLP itself has the pool's yield instead.
 */
import { annual, type Series } from './figures.ts'
import { holdPt } from './hold-pt.ts'
import type { Place } from './sandbox.ts'
import { holdThrough, type Simulation } from './simulate.ts'
import { Walk } from './walk.ts'

export interface FixedYield {
  /** PT bought, and the JLP paid for them, fee included; atoms. */
  readonly pt: bigint
  readonly paid: bigint
  /** ST at maturity a year per ST paid, after price impact and fee: `(pt / ST paid)^(1/tau) - 1`, a fraction. */
  readonly fixedApy: number
  /** JLP atoms that PT redeem for. JLP held instead is still what was paid. */
  readonly received: bigint
  /** Growth to maturity counted in ST, of PT and of JLP held, fractions. */
  readonly fixedGrowth: number
  readonly heldGrowth: number
  /** Which is better, in JLP atoms at maturity: above 0 if PT. */
  readonly advantage: bigint
  readonly outcome: Simulation
}

/** PT for `jlp` atoms to maturity, against holding the JLP while the pool earns `realised` (an APY, by day). */
export const fixedYield = (place: Place, jlp: bigint, realised: Series): FixedYield => {
  const walk = new Walk(place)
  const { discount, tauSeconds } = walk.view
  const held = holdPt(walk, jlp)
  const { pt, paid } = held
  const outcome = holdThrough(walk, held, { realised }, Number.POSITIVE_INFINITY)
  const growth = Number(pt) / (Number(paid << 64n) / Number(discount))
  return {
    pt,
    paid,
    fixedApy: annual(growth, tauSeconds),
    received: outcome.received,
    fixedGrowth: growth - 1,
    heldGrowth: Number(discount) / Number(walk.view.discount) - 1,
    advantage: outcome.received - paid,
    outcome,
  }
}
