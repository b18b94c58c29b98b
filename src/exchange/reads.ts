/**
 * What people look at: markets, margin accounts, liquidity and PT as figures. Nothing here decides money. Amounts are atoms,
 * prices Q64.64 ST per token (JLP per ST is the discount), rates Q64.64, APYs Q64.64 fractions.
 */
import { divide, mulDiv, ONE_Q64, shiftQ64 } from '../../amm/fixed.ts'
import {
  apyFromRate,
  composition,
  earnedSince,
  type Pool,
  type Position,
  type PtAtoms,
  ptPrice,
  quote,
  type RateQ64,
  rateFromYtPrice,
  tickRate,
  ytPrice,
} from '../../amm/index.ts'
import { YEAR_SECONDS } from '../../amm/units.ts'
import { abs, isOpen, positive, touch } from './account.ts'
import { apply } from './apply.ts'
import { Draft } from './draft.ts'
import type { Entry } from './entry.ts'
import type { Instruction } from './instruction.ts'
import { liquidationOf as findLiquidation } from './liquidate.ts'
import {
  assets,
  backing,
  equity,
  gap,
  isSpot,
  liabilities,
  lpEquity,
  maintenanceSlack,
  meetsMaintenance,
  mostLeverage,
  valuation,
  ytInJlp,
} from './margin.ts'
import type { AccountRef, Exchange, Legs, LpPosition, MarginAccount, Market, OrderRef, World } from './state.ts'
import { twapOf } from './swap.ts'

// ---- a market ------------------------------------------------------------------------------------------------------------

export interface MarketView {
  readonly id: string
  readonly maturity: number
  readonly tauSeconds: number
  readonly discount: bigint
  readonly rate: RateQ64
  readonly twapRate: RateQ64
  readonly impliedApy: bigint
  /** The oracle's leading APY, if it was given, and how far it lies above the implied one: what speaks for YT. */
  readonly leadingApy: bigint | undefined
  readonly leadingEdge: bigint | undefined
  readonly ytPrice: bigint
  readonly ptPrice: bigint
  /** YT that move the rate by 1 bp of `s` now. */
  readonly depthPerBp: bigint
  /** YT held and YT owed by accounts. */
  readonly longYt: bigint
  readonly shortYt: bigint
  readonly pt: bigint
  /** JLP in the market's vault. */
  readonly tvl: bigint
  readonly lpEquity: bigint
  readonly fund: bigint
  readonly deficit: bigint
  readonly fees: bigint
  readonly backing: { readonly reserve: bigint; readonly owed: bigint }
  readonly mostLeverage: { readonly long: bigint; readonly short: bigint }
}

/** A market as it stands at a moment, coupons that its index has taken included. `leadingApy` comes from the oracle, Q64.64. */
export const marketView = (state: Exchange, id: string, world: World, leadingApy?: bigint): MarketView => {
  const draft = new Draft(state, world)
  const market = draft.market(id)
  const { pool, totals, terms, vault, fees, fund, maturity } = market
  const { rate, tauSeconds, discount } = pool
  const price = ytInJlp(rate, pool)
  const { rhoMaxQ64 } = draft.index(market.kind).caps
  const leverage = (side: 'long' | 'short'): bigint => mostLeverage(side, rate, tauSeconds, terms, rhoMaxQ64)
  return {
    id,
    maturity,
    tauSeconds,
    discount,
    rate,
    twapRate: twapOf(draft, market),
    impliedApy: apyFromRate(rate),
    leadingApy,
    leadingEdge: leadingApy === undefined ? undefined : leadingApy - apyFromRate(rate),
    ytPrice: ytPrice(rate, tauSeconds),
    ptPrice: ptPrice(rate, tauSeconds),
    depthPerBp: pool.liquidity / 10_000n,
    longYt: totals.yt + totals.short,
    shortYt: totals.short,
    pt: totals.pt,
    tvl: vault,
    lpEquity: lpEquity(market, price),
    fund: equity(touch(fund, discount), price),
    deficit: pool.deficit,
    fees,
    backing: backing(market, draft.lowest(market)),
    mostLeverage: { long: leverage('long'), short: leverage('short') },
  }
}

// ---- a margin account -------------------------------------------------------------------------------------------------------

/** Profit against what was paid in for the position, and where it comes from; the parts add up to `total`. JLP atoms. */
export interface Profit {
  readonly total: bigint
  /** Coupons received (paid, when negative). */
  readonly coupons: bigint
  /** What the price lost because time went by at the entry rate. */
  readonly decay: bigint
  /** What the price made of the rate's move since entry. */
  readonly rateMove: bigint
}

export interface AccountView {
  readonly ref: AccountRef
  readonly margin: bigint
  /** JLP atoms. */
  readonly st: bigint
  readonly yt: bigint
  readonly netDeposits: bigint
  /** JLP atoms at the spot. */
  readonly equity: bigint
  readonly gap: bigint
  readonly spot: boolean
  readonly healthy: boolean
  /** Collateral ratios, Q64.64; undefined if nothing is owed. */
  readonly ratio: bigint | undefined
  readonly ratioAtTwap: bigint | undefined
  /** `-st / yt`: what the YT cost so far, coupons taken off; undefined without YT. */
  readonly entryPrice: bigint | undefined
  /** The average APY from now to maturity at which the position comes out even. */
  readonly entryApy: bigint | undefined
  /** ST leg per margin, Q64.64, and the most that could be opened now. */
  readonly leverage: bigint | undefined
  readonly mostLeverage: bigint
  /** Where maintenance would fail if spot and TWAP went there; undefined if nowhere in the range. */
  readonly liquidationRate: RateQ64 | undefined
  readonly liquidationPrice: bigint | undefined
  readonly profit: Profit
}

const ratioOf = (account: MarginAccount, price: bigint): bigint | undefined => {
  const owed = liabilities(account, price)
  return owed === 0n ? undefined : (assets(account, price) << 64n) / owed
}

/** ST per YT at which the ST leg was built up, Q64.64: `-st / (D * yt)`; undefined without YT. */
export const entryPrice = ({ st, yt }: { readonly st: bigint; readonly yt: bigint }, discount: bigint) =>
  yt === 0n ? undefined : ((yt > 0n ? -st : st) << 128n) / (abs(yt) * discount)

const apyAtPrice = (price: bigint | undefined, tauSeconds: number): bigint | undefined =>
  price === undefined || price <= 0n || tauSeconds === 0 || price * 54n >= ONE_Q64 * 53n
    ? undefined
    : rateOrNothing(price, tauSeconds)

const rateOrNothing = (price: bigint, tauSeconds: number): bigint | undefined => {
  const years = mulDiv(ONE_Q64, BigInt(tauSeconds), BigInt(YEAR_SECONDS), 'down')
  // -ln(1 - P) is at least P and at most P/(1 - P): beyond 4 a year there is no rate to show.
  if (mulDiv(price, ONE_Q64, ONE_Q64 - price, 'up') >= 4n * years) return undefined
  return apyFromRate(rateFromYtPrice(price, tauSeconds))
}

/** The closed form of RateX: the YT price (in the unit of `st` per YT) at which the ratio is `bps`. Q64.64. */
export const priceAtRatio = (
  { margin, st, yt }: { readonly margin: bigint; readonly st: bigint; readonly yt: bigint },
  bps: bigint,
): bigint =>
  yt > 0n
    ? divide(((bps * -st - 10_000n * margin) << 64n) / 10_000n, yt, 'down')
    : divide(((margin + st) * 10_000n) << 64n, bps * -yt, 'down')

/** Steps along the line between two rates, before the bracket is halved. */
const ALONG = 16

/**
 * The rate nearest to the present one at which the account would be liquidatable, or one at most `within` beyond it. Along the line
 * between a rate that is safe and one that is not (regula falsi, the Illinois way), then by halves, down to the last unit.
 */
const liquidationRateOf = (
  draft: Draft,
  market: Market,
  account: MarginAccount,
  within: bigint,
): RateQ64 | undefined => {
  if (market.pool.tauSeconds === 0 || account.yt === 0n) return undefined
  const index = draft.index(market.kind)
  const slack = (rate: bigint): bigint =>
    maintenanceSlack(account, valuation(market, index, rate as RateQ64, rate as RateQ64), market.terms)
  const { grid, rate } = market.pool
  let [safe, bad]: [bigint, bigint] = [rate, account.yt > 0n ? tickRate(grid.minTick) : tickRate(grid.maxTick)]
  let [above, below] = [slack(safe), slack(bad)]
  if (above < 0n) return rate
  if (below >= 0n) return undefined
  for (let step = 0; abs(bad - safe) > within; step++) {
    const along = step < ALONG ? safe + ((bad - safe) * above) / (above - below) : safe
    const next = along === safe || along === bad ? (safe + bad) / 2n : along
    const found = slack(next)
    // The end that stays counts half, so that the other one is left behind sooner.
    if (found < 0n) [bad, below, above] = [next, found, above / 2n]
    else [safe, above, below] = [next, found, below < -1n ? below / 2n : below]
  }
  return bad as RateQ64
}

/** An account's legs with its coupons paid, and its equity at the spot in JLP atoms: for whoever looks at many. */
export const accountLegs = (state: Exchange, ref: AccountRef, world: World): Legs & { readonly equity: bigint } => {
  const draft = new Draft(state, world)
  const market = draft.market(ref.market)
  const account = draft.account(ref, market)
  return { ...account, equity: equity(account, ytInJlp(market.pool.rate, market.pool)) }
}

/**
 * A margin account as its owner sees it. `entry` is what entry.ts has kept of its history; without it, profit has no split. `within`: how far
 * beyond the true one the liquidation rate may be, Q64.64, for whoever is in a hurry.
 */
export const accountView = (
  state: Exchange,
  ref: AccountRef,
  world: World,
  entry?: Entry,
  within = 1n,
): AccountView => {
  const draft = new Draft(state, world)
  const market = draft.market(ref.market)
  const account = draft.account(ref, market)
  const { pool, terms } = market
  const index = draft.index(market.kind)
  const at = valuation(market, index, pool.rate, twapOf(draft, market))
  const { margin, st, yt, netDeposits } = account
  const side = yt < 0n ? 'short' : 'long'
  const priced = entryPrice(account, pool.discount)
  const liquidationRate = liquidationRateOf(draft, market, account, within)
  return {
    ref: { market: ref.market, owner: ref.owner, sub: ref.sub },
    margin,
    st,
    yt,
    netDeposits,
    equity: equity(account, at.spot),
    gap: gap(account, at),
    spot: isSpot(account, pool.discount),
    healthy: meetsMaintenance(account, at, terms),
    ratio: ratioOf(account, at.spot),
    ratioAtTwap: ratioOf(account, at.twap),
    entryPrice: priced,
    entryApy: apyAtPrice(priced, pool.tauSeconds),
    leverage: margin === 0n ? undefined : (abs(st) << 64n) / margin,
    mostLeverage: mostLeverage(side, pool.rate, pool.tauSeconds, terms, index.caps.rhoMaxQ64),
    liquidationRate,
    liquidationPrice: liquidationRate === undefined ? undefined : ytPrice(liquidationRate, pool.tauSeconds),
    profit: profitOf(account, pool, entry),
  }
}

/** Signed JLP value of YT at a rate, down. */
const jlpOf = (yt: bigint, rate: RateQ64, pool: Pool): bigint => shiftQ64(ytInJlp(rate, pool) * yt, 'down')

/** Profit of what is held now: value and ST leg. Its split needs the entry: `cost` is what the YT held now cost. */
const profitOf = ({ st, yt }: MarginAccount, pool: Pool, entry: Entry | undefined): Profit => {
  const value = jlpOf(yt, pool.rate, pool)
  const total = value + st
  if (entry === undefined || yt === 0n || entry.yt !== yt) return { total, coupons: 0n, decay: 0n, rateMove: total }
  const unmoved = jlpOf(yt, entry.rate, pool)
  const coupons = st + entry.cost
  return { total, coupons, decay: unmoved - entry.cost, rateMove: value - unmoved }
}

// ---- liquidity and PT -------------------------------------------------------------------------------------------------------

export interface LpView {
  readonly liquidity: bigint
  readonly lower: number
  readonly upper: number
  readonly inRange: boolean
  /** YT in inventory and JLP worth of ST beside them; YT issued, against as many ST in reserve. */
  readonly inventory: bigint
  readonly st: bigint
  readonly issued: bigint
  /** PT (positive) or YT (negative) that a removal would pay. */
  readonly netSold: bigint
  /** JLP atoms at the spot: all that the position may claim. */
  readonly value: bigint
  readonly uncollected: bigint
  /** JLP atoms since `since`: coupons on inventory and ST freed from the reserve, and fees. */
  readonly earned: { readonly accrued: bigint; readonly fees: bigint }
  /** Earned a year on the value, Q64.64; undefined before a second has passed. */
  readonly apr: bigint | undefined
}

/**
 * A position as its owner sees it. `since` is the position as it once stood, with the liquidity it has now, and when that was;
 * without it, what was earned since its last touch is shown, and no APR.
 */
export const lpView = (
  state: Exchange,
  { market: id, position }: LpPosition,
  world: World,
  since?: { readonly position: Position; readonly at: number },
): LpView => {
  const { pool } = new Draft(state, world).market(id)
  const { lower, upper, liquidity, issued } = position
  const now = composition(pool, lower, upper, liquidity)
  const inventory = shiftQ64(now.inventory, 'down')
  const st = shiftQ64(now.reserve, 'down')
  const recent = earnedSince(pool, position)
  const uncollected = position.uncollected + positive(shiftQ64(recent.accrued + recent.fees, 'down'))
  const earned = earnedSince(pool, since?.position ?? position)
  const accrued = shiftQ64(earned.accrued, 'down')
  const fees = shiftQ64(earned.fees, 'down')
  const reserve = shiftQ64(issued * pool.discount, 'down')
  const value = reserve + st + uncollected + jlpOf(inventory - issued, pool.rate, pool)
  const seconds = since === undefined ? 0 : world.now - since.at
  return {
    liquidity,
    lower,
    upper,
    inRange: lower <= pool.tick && pool.tick < upper,
    inventory,
    st,
    issued,
    netSold: issued - inventory,
    value,
    uncollected,
    earned: { accrued, fees },
    apr:
      seconds <= 0 || value <= 0n
        ? undefined
        : ((accrued + fees) * ONE_Q64 * BigInt(YEAR_SECONDS)) / (value * BigInt(seconds)),
  }
}

export interface PtView {
  readonly pt: bigint
  /** What holding to maturity fixes from now on, against ST: the implied APY. */
  readonly fixedApy: bigint
  /** JLP atoms at the spot price; what selling all now would bring after price impact and fee, and how much of it fills. */
  readonly value: bigint
  readonly exitValue: bigint
  readonly exitFilled: bigint
}

export const ptView = (state: Exchange, id: string, pt: bigint, world: World): PtView => {
  const { pool } = new Draft(state, world).market(id)
  if (pool.tauSeconds === 0) {
    const redeemed = shiftQ64(pt * pool.discount, 'down')
    return { pt, fixedApy: 0n, value: redeemed, exitValue: redeemed, exitFilled: pt }
  }
  const sold = pt === 0n ? undefined : quote(pool, { kind: 'sell-pt', pt: pt as PtAtoms })
  const filled = sold?.kind === 'quoted' ? sold : undefined
  return {
    pt,
    fixedApy: apyFromRate(pool.rate),
    value: mulDiv(pt * pool.discount, ptPrice(pool.rate, pool.tauSeconds), ONE_Q64 * ONE_Q64, 'down'),
    exitValue: filled === undefined ? 0n : positive(filled.amount - filled.fee.total),
    exitFilled: filled?.filled ?? 0n,
  }
}

/** The accounts of a market that are below maintenance now: one look at each account. */
export const belowMaintenance = (state: Exchange, id: string, world: World): AccountRef[] => {
  const draft = new Draft(state, world)
  const market = draft.market(id)
  const at = valuation(market, draft.index(market.kind), market.pool.rate, twapOf(draft, market))
  return [...state.accounts.values()]
    .filter(account => account.market === id && isOpen(account))
    .filter(account => !meetsMaintenance(touch(account, market.pool.discount), at, market.terms))
    .map(({ market, owner, sub }) => ({ market, owner, sub }))
}

/** What a keeper should do about an account now, if anything: liquidate so many YT, or take it over. */
export const liquidationOf = (state: Exchange, ref: AccountRef, world: World): ReturnType<typeof findLiquidation> => {
  const found = findLiquidation(new Draft(state, world), ref)
  if (found === undefined) return undefined
  const { market, owner, sub } = ref
  const instruction: Instruction =
    found === 'take-over'
      ? { kind: 'take-over', market, owner, sub }
      : { kind: 'liquidate', market, owner, sub, by: owner, yt: found.liquidate }
  return apply(state, instruction, world).kind === 'applied' ? found : undefined
}

/** The resting orders of a market that somebody could fill now, those that pay most first: one attempt at each. */
export const fillableOrders = (state: Exchange, id: string, by: string, world: World): OrderRef[] =>
  [...state.orders.values()]
    .filter(({ market }) => market === id)
    .flatMap(({ market, owner, sub, id }) => {
      const ref = { market, owner, sub, id }
      const done = apply(state, { kind: 'fill-order', ...ref, by }, world)
      const filled = done.kind === 'applied' ? done.events.find(event => event.type === 'filled') : undefined
      return filled === undefined ? [] : [{ ref, fee: filled.fee }]
    })
    .sort((a, b) => (a.fee > b.fee ? -1 : a.fee < b.fee ? 1 : 0))
    .map(({ ref }) => ref)
