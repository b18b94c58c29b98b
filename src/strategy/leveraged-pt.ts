/**
 * Leveraged PT, in the manner of a multiply vault: buy PT, borrow against it, buy more. The loan is no part of Sunder: its rate,
 * unit and limits are given, and only the PT side goes through the engine.
 */
import type { PriceQ64 } from '../../amm/index.ts'
import { ONE_Q64, type RateQ64 } from '../../amm/index.ts'
import { YEAR_SECONDS } from '../../amm/units.ts'
import { ptView } from '../exchange/index.ts'
import { check } from './errors.ts'
import { annual, DAY, onDay, type Path, q64, rateOf, real, yieldAtApy } from './figures.ts'
import { buyPt, leavePt } from './hold-pt.ts'
import { apyAt } from './order.ts'
import type { Place } from './sandbox.ts'
import { Walk } from './walk.ts'

/** The lender's terms; ratios of debt to the PT's value at the spot, and the APR, as fractions. */
export interface Loan {
  readonly apr: number
  /** Borrowed up to, and liquidated at. */
  readonly ltv: number
  readonly liquidationLtv: number
  /**
   * What is owed. 'jlp': a lender of JLP gets back JLP, which has the pool's yield in it, so the loan costs that yield besides the
   * APR. 'st': what is owed is worth what ST is, as a loan in the assets behind JLP would be.
   */
  readonly unit: 'jlp' | 'st'
}

export interface LeveragedPt {
  /** PT held, the JLP of one's own and the JLP borrowed that they cost, atoms, and PT value at the spot per JLP of one's own. */
  readonly pt: bigint
  readonly paid: bigint
  readonly debt: bigint
  /** False if the market ran out of liquidity before the loops did. */
  readonly complete: boolean
  readonly leverage: number
  /** The price of PT in ST, and the implied APY, at which the lender liquidates right after opening. */
  readonly liquidationPrice: number
  readonly liquidationApy: number | undefined
  /** What selling all PT at once after opening leaves, JLP atoms. */
  readonly unwoundAtOnce: bigint
  /** At the end: JLP received for the PT, owed, and what remains. Below 0 if the loan is not covered. */
  readonly received: bigint
  readonly owed: bigint
  readonly remains: bigint
  /** Growth a year of one's own JLP, and counted in ST, where it compares to the fixed APY; fractions, -1 if all is lost. */
  readonly netApy: number
  readonly netApyInSt: number
  /** The first day at whose end the debt was above the lender's limit; the figures above leave it be. */
  readonly liquidatedOn: number | undefined
}

const times = (amount: bigint, factor: number): bigint => (amount * q64(factor)) / ONE_Q64

/** `loops` rounds of borrowing on top of the first purchase with `jlp` atoms, held for `days` or to maturity. */
export const leveragedPt = (
  place: Place,
  { jlp, loops, loan }: { readonly jlp: bigint; readonly loops: number; readonly loan: Loan },
  path: Path,
  days = Number.POSITIVE_INFINITY,
): LeveragedPt => {
  check(loan.ltv > 0 && loan.ltv <= loan.liquidationLtv && loan.liquidationLtv < 1, 'LTVs are above 0 and below 1')
  const walk = new Walk(place)
  const { discount: first, tauSeconds } = walk.view
  const { maturity } = walk.stored
  let pt = 0n
  let debt = 0n
  let paid = 0n
  const value = (): bigint => ptView(walk.state, walk.market, pt, walk.world).value
  let cash = jlp
  let complete = true
  for (let loop = 0; loop <= loops && complete && cash >= 1000n; loop++) {
    const bought = buyPt(walk, cash)
    pt += bought.pt
    complete = bought.complete
    if (loop === 0) paid = bought.paid
    else debt += bought.paid
    cash = times(value(), loan.ltv) - debt
  }
  const liquidationPrice = Number(debt) / loan.liquidationLtv / (Number(pt) * real(first))
  const liquidationApy = apyAt(ONE_Q64 - q64(liquidationPrice), tauSeconds)
  const leverage = Number(value()) / Number(paid)

  const sell = (from: Walk): bigint => {
    const before = from.wallet()
    const left = leavePt(from)
    return from.wallet() - before + left
  }
  const unwoundAtOnce = sell(new Walk(walk)) - debt

  const start = walk.world.now - (walk.world.now % 3600)
  const owedAfter = (seconds: number): bigint => {
    const grown = times(debt, 1 + (loan.apr * seconds) / YEAR_SECONDS)
    return loan.unit === 'jlp' ? grown : (grown * walk.view.discount) / first
  }
  const last = Math.min(days, Math.ceil((maturity - start) / DAY))
  let liquidatedOn: number | undefined
  for (let day = 1; day <= last; day++) {
    if (path.implied !== undefined) walk.moveTo(rateOf(onDay(path.implied, day - 1)) as RateQ64)
    walk.pass(Math.min(start + day * DAY, maturity), seconds => yieldAtApy(onDay(path.realised, day - 1), seconds))
    if (owedAfter(day * DAY) > times(value(), loan.liquidationLtv)) liquidatedOn ??= day
  }
  const seconds = Math.min(last * DAY, maturity - start)
  const owed = owedAfter(seconds)
  const received = sell(walk)
  const remains = received - owed
  const growth = Math.max(Number(remains) / Number(paid), 0)
  return {
    pt,
    paid,
    debt,
    complete,
    leverage,
    liquidationPrice,
    liquidationApy: liquidationApy === undefined ? undefined : real(liquidationApy as PriceQ64),
    unwoundAtOnce,
    received,
    owed,
    remains,
    netApy: annual(growth, seconds),
    netApyInSt: annual((growth * Number(first)) / Number(walk.view.discount), seconds),
    liquidatedOn,
  }
}
