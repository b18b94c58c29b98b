/**
 * What PT do, by the kernel: bought with JLP, sold early, compared between two maturities, and bought on credit. Amounts are JLP or PT
 * atoms; fractions and yields are numbers for people and decide nothing.
 */
import {
  accrue,
  apyFromRate,
  exp,
  MAX_RATE,
  ONE_Q64,
  type Pool,
  ptPrice,
  quote,
  type RateQ64,
  rateFromApy,
  YEAR_SECONDS,
} from '../../../../../amm/index.ts'
import type { JlpAtoms, PtAtoms, YtAtoms } from '../../../../../amm/units.ts'
import { q64Of, real } from '../../format.ts'
import { apyOfPrice } from '../../kernel.ts'

const DAY = 86_400

/** A year's growth of a growth over `seconds`. */
export const annual = (growth: number, seconds: number): number =>
  seconds <= 0 ? 0 : growth ** (YEAR_SECONDS / seconds) - 1

/** The market's rate at an APY that is a fraction. */
export const rateAt = (apy: number): RateQ64 => rateFromApy(q64Of(Math.min(apy, 50)))

// ---- buying and selling -----------------------------------------------------------------------------------------------------

export interface Bought {
  readonly pt: bigint
  /** JLP of the order, without the fee; what it comes to with the fee, and the fee. */
  readonly st: bigint
  readonly paid: bigint
  readonly fee: bigint
  readonly impactBp: number
  /** ST at maturity a year per ST paid, after fee and impact; Q64.64. */
  readonly fixedApy: bigint | undefined
  readonly apyAfter: bigint
  /** False: the market has not so much to sell. */
  readonly complete: boolean
  readonly next: Pool
}

/** What an order for so much JLP, fee not included, gets. */
const boughtFor = (pool: Pool, st: bigint): Bought | undefined => {
  const filled = st <= 0n ? undefined : quote(pool, { kind: 'buy-pt', st: st as JlpAtoms })
  if (filled?.kind !== 'quoted') return undefined
  const { filled: pt, amount, fee, impactBp, apyAfter, complete, next } = filled
  const paid = amount + fee.total
  const perPt = (paid << 128n) / (pt * pool.discount)
  const fixedApy = apyOfPrice(ONE_Q64 - perPt, pool.tauSeconds)
  return { pt, st, paid, fee: fee.total, impactBp, fixedApy, apyAfter, complete, next }
}

/** PT for at most `jlp` atoms with the fee: that is of the YT inside, and of less JLP it is less. */
export const buyWith = (pool: Pool, jlp: bigint): Bought | undefined => {
  const most = boughtFor(pool, jlp)
  return most === undefined ? undefined : boughtFor(pool, jlp - most.fee)
}

export interface Left {
  /** JLP after impact and fee, and what these cost against the spot. */
  readonly received: bigint
  readonly spot: bigint
  readonly cost: bigint
  readonly fee: bigint
  readonly impactBp: number
  /** PT that find a buyer. */
  readonly filled: bigint
  readonly apyAfter: bigint
  readonly next: Pool
}

/** JLP atoms of PT at the spot, down; at maturity 1 ST each. */
export const worthOf = (pool: Pool, pt: bigint): bigint =>
  (pt * pool.discount * ptPrice(pool.rate, pool.tauSeconds)) >> 128n

/** What selling PT now brings; at maturity, redeeming them. */
export const leaveWith = (pool: Pool, pt: bigint): Left | undefined => {
  const spot = worthOf(pool, pt)
  if (pool.tauSeconds === 0) {
    const nothing = { cost: 0n, fee: 0n, impactBp: 0, apyAfter: 0n }
    return { received: spot, spot, ...nothing, filled: pt, next: pool }
  }
  const sold = pt === 0n ? undefined : quote(pool, { kind: 'sell-pt', pt: pt as PtAtoms })
  if (sold?.kind !== 'quoted') return undefined
  const { amount, fee, impactBp, filled, apyAfter, next } = sold
  const received = amount - fee.total
  const ofFilled = filled === pt ? spot : worthOf(pool, filled)
  return { received, spot: ofFilled, cost: ofFilled - received, fee: fee.total, impactBp, filled, apyAfter, next }
}

// ---- later ------------------------------------------------------------------------------------------------------------------

/** JLP per ST after so many seconds at a realised APY. */
const discountAfter = (pool: Pool, seconds: number, realisedApy: number): Pool['discount'] =>
  ((pool.discount * ONE_Q64) / exp((rateAt(realisedApy) * BigInt(seconds)) / BigInt(YEAR_SECONDS))) as Pool['discount']

/** A pool after its coupons up to then, nobody trading. */
export const later = (pool: Pool, tauSeconds: number, realisedApy: number): Pool =>
  accrue(pool, { tauSeconds, discount: discountAfter(pool, pool.tauSeconds - tauSeconds, realisedApy) })

/** A pool whose rate others have moved as far as its liquidity goes. */
export const movedTo = (pool: Pool, rate: RateQ64): Pool => {
  if (rate === pool.rate) return pool
  const kind = rate > pool.rate ? 'buy-yt' : 'sell-yt'
  const moved = quote(pool, { kind, yt: (10n ** 15n) as YtAtoms, limitRate: rate, maxCrossings: 10_000 })
  return moved.kind === 'quoted' ? moved.next : pool
}

/** JLP that PT redeem for, if the pool behind JLP pays so much until then. */
export const redeemedFor = (pool: Pool, pt: bigint, realisedApy: number): bigint =>
  (pt * discountAfter(pool, pool.tauSeconds, realisedApy)) >> 64n

// ---- two maturities -----------------------------------------------------------------------------------------------------------

export interface Exit {
  /** The later market's implied APY on the day of the earlier maturity. */
  readonly impliedApy: number
  /** Growth a year counted in ST, after fee and impact both ways. */
  readonly apy: number
}

export interface Spread {
  /** PT of either market for the same JLP. */
  readonly near: Bought
  readonly far: Bought
  /** A year, in ST, to the earlier maturity by its own PT. */
  readonly nearApy: number
  readonly exits: readonly Exit[]
  /** The later market's implied APY then, below which its PT have brought more; undefined if at none of what can be. */
  readonly breakEvenApy: number | undefined
  /** What both spot rates imply for the time between; undefined if it is below 0. */
  readonly forwardApy: number | undefined
  readonly seconds: number
}

/**
 * PT of the later market bought now and sold at the earlier maturity, against PT of the earlier market held to it. `realisedApy` moves
 * both in the same way; `exits` are implied APYs that the later market may have come to.
 */
export const spreadOf = (
  near: Pool,
  far: Pool,
  {
    jlp,
    realisedApy,
    exits,
  }: { readonly jlp: bigint; readonly realisedApy: number; readonly exits: readonly number[] },
): Spread | undefined => {
  const [nearBought, farBought] = [buyWith(near, jlp), buyWith(far, jlp)]
  if (nearBought === undefined || farBought === undefined) return undefined
  const seconds = near.tauSeconds
  const growthOf = ({ paid }: Bought, discount: bigint, st: number): number => st / (Number(paid) / real(discount))
  const nearApy = annual(growthOf(nearBought, near.discount, Number(nearBought.pt)), seconds)
  const then = later(farBought.next, Math.max(0, far.tauSeconds - seconds), realisedApy)
  const apyAt = (impliedApy: number): number => {
    const moved = movedTo(then, rateAt(impliedApy))
    const sold = leaveWith(moved, farBought.pt)
    if (sold === undefined) return -1
    // What finds no buyer is taken at the spot.
    const rest = worthOf(moved, farBought.pt - sold.filled)
    return annual(growthOf(farBought, far.discount, Number(sold.received + rest) / real(moved.discount)), seconds)
  }
  const gained = far.rate * BigInt(far.tauSeconds) - near.rate * BigInt(near.tauSeconds)
  const between = far.tauSeconds - near.tauSeconds
  const forward = between > 0 && gained >= 0n ? gained / BigInt(between) : undefined
  return {
    near: nearBought,
    far: farBought,
    nearApy,
    exits: exits.map(impliedApy => ({ impliedApy, apy: apyAt(impliedApy) })),
    breakEvenApy: crossing(apyAt, nearApy),
    forwardApy: forward === undefined || forward > MAX_RATE ? undefined : real(apyFromRate(forward as RateQ64)),
    seconds,
  }
}

/** Where a falling function comes down to a value, from 0.1 % to 300 %. */
const crossing = (of: (x: number) => number, value: number): number | undefined => {
  let [low, high] = [0.001, 3]
  if (of(low) < value || of(high) > value) return undefined
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2
    if (of(middle) > value) low = middle
    else high = middle
  }
  return (low + high) / 2
}

// ---- on credit ----------------------------------------------------------------------------------------------------------------

/** A lender's terms: ratios of debt to the PT's value at the spot, and the APR, as fractions. */
export interface Loan {
  readonly apr: number
  readonly ltv: number
  readonly liquidationLtv: number
  /** 'jlp': JLP is owed, which has the pool's yield in it. 'st': what is owed is worth what ST is, as the assets behind JLP are. */
  readonly unit: 'jlp' | 'st'
}

export interface Leveraged {
  readonly pt: bigint
  /** JLP of one's own and borrowed. */
  readonly paid: bigint
  readonly debt: bigint
  readonly complete: boolean
  /** Value of the PT per JLP of one's own. */
  readonly leverage: number
  /** Debt to value right after. */
  readonly ltv: number
  readonly liquidationPrice: number
  readonly liquidationApy: bigint | undefined
  /** JLP left if all is sold again at once. */
  readonly unwoundAtOnce: bigint
  readonly apyAfter: bigint
  readonly pool: Pool
}

const times = (amount: bigint, factor: number): bigint => (amount * q64Of(factor)) / ONE_Q64

/** PT bought with one's own JLP and with what is borrowed against them, `loops` times. */
export const leveragedPt = (
  pool: Pool,
  { jlp, loops, loan }: { readonly jlp: bigint; readonly loops: number; readonly loan: Loan },
): Leveraged | undefined => {
  let next = pool
  let [pt, debt, paid, cash] = [0n, 0n, 0n, jlp]
  let complete = true
  for (let loop = 0; loop <= loops && complete && cash >= 1000n; loop++) {
    const bought = buyWith(next, cash)
    if (bought === undefined) {
      complete = false
      break
    }
    next = bought.next
    pt += bought.pt
    complete = bought.complete
    if (loop === 0) paid = bought.paid
    else debt += bought.paid
    cash = times(worthOf(next, pt), loan.ltv) - debt
  }
  if (pt === 0n) return undefined
  const value = worthOf(next, pt)
  const liquidationPrice = Number(debt) / loan.liquidationLtv / (Number(pt) * real(pool.discount))
  const unwound = leaveWith(next, pt)
  return {
    pt,
    paid,
    debt,
    complete,
    leverage: Number(value) / Number(paid),
    ltv: Number(debt) / Number(value),
    liquidationPrice,
    liquidationApy: apyOfPrice(ONE_Q64 - q64Of(liquidationPrice), pool.tauSeconds),
    unwoundAtOnce: (unwound?.received ?? 0n) - debt,
    apyAfter: apyFromRate(next.rate),
    pool: next,
  }
}

export interface Outcome {
  /** JLP for the PT at maturity, owed then, and what remains. */
  readonly received: number
  readonly owed: number
  readonly remains: number
  /** Growth a year of one's own JLP, and counted in ST; fractions, -1 if all is lost. */
  readonly netApy: number
  readonly netApyInSt: number
  /** The first day at whose end the debt is above the lender's limit; the figures above leave it be. */
  readonly liquidatedOn: number | undefined
}

/** What a leveraged position comes to, if JLP's pool pays `realisedApy` and the implied APY stands still. */
export const outcomeOf = ({ pool, pt, debt, paid }: Leveraged, loan: Loan, realisedApy: number): Outcome => {
  const { tauSeconds, rate } = pool
  const rateReal = real(rate)
  const fallAfter = (seconds: number): number => (1 + realisedApy) ** (-seconds / YEAR_SECONDS)
  const owedAfter = (seconds: number): number =>
    Number(debt) * (1 + (loan.apr * seconds) / YEAR_SECONDS) * (loan.unit === 'st' ? fallAfter(seconds) : 1)
  const valueAfter = (seconds: number): number =>
    Number(pt) *
    real(pool.discount) *
    fallAfter(seconds) *
    Math.exp((-rateReal * (tauSeconds - seconds)) / YEAR_SECONDS)
  let liquidatedOn: number | undefined
  for (let day = 1; day * DAY < tauSeconds && liquidatedOn === undefined; day++) {
    if (owedAfter(day * DAY) > valueAfter(day * DAY) * loan.liquidationLtv) liquidatedOn = day
  }
  const [received, owed] = [valueAfter(tauSeconds), owedAfter(tauSeconds)]
  const growth = Math.max((received - owed) / Number(paid), 0)
  return {
    received,
    owed,
    remains: received - owed,
    netApy: annual(growth, tauSeconds),
    netApyInSt: annual(growth / fallAfter(tauSeconds), tauSeconds),
    liquidatedOn,
  }
}
