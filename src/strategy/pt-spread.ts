/** PT spread: buy PT, wait for the implied rate to fall, sell before maturity. */
import { annual, DAY, rateOf, type Series, yieldAtApy } from './figures.ts'
import { buyPt, leavePt } from './hold-pt.ts'
import type { Place } from './sandbox.ts'
import { Walk } from './walk.ts'

export interface Spread {
  /** Implied APY at the exit, a fraction. */
  readonly impliedApy: number
  /** JLP atoms paid with the fee, received after price impact and fee, and what could not be sold, at the spot. */
  readonly paid: bigint
  readonly received: bigint
  readonly left: bigint
  readonly profit: bigint
  /** Growth a year, of JLP and counted in ST (which adds what the pool has earned), fractions. */
  readonly apy: number
  readonly apyInSt: number
}

/** Profit after `days` at which others have moved the implied APY to each of `exits`. The pool earns `realised` meanwhile. */
export const ptSpread = (
  place: Place,
  jlp: bigint,
  { days, realised, exits }: { readonly days: number; readonly realised: number; readonly exits: Series },
): Spread[] => {
  const bought = new Walk(place)
  const { discount } = bought.view
  const { paid } = buyPt(bought, jlp)
  const start = bought.world.now - (bought.world.now % 3600)
  bought.pass(start + days * DAY, seconds => yieldAtApy(realised, seconds))
  const fall = Number(discount) / Number(bought.view.discount)
  return (typeof exits === 'number' ? [exits] : exits).map(impliedApy => {
    const walk = new Walk(bought)
    walk.moveTo(rateOf(impliedApy))
    const before = walk.wallet()
    const left = leavePt(walk)
    const received = walk.wallet() - before
    const profit = received + left - paid
    const growth = Number(received + left) / Number(paid)
    return {
      impliedApy,
      paid,
      received,
      left,
      profit,
      apy: annual(growth, days * DAY),
      apyInSt: annual(growth * fall, days * DAY),
    }
  })
}
