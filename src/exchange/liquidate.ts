/** Liquidation, take-over and losses (docs/protocol.md section 7). */
import { divide, ONE_Q64, shiftQ64 } from '../../amm/fixed.ts'
import { MAX_RATE, type RateQ64, type YtAtoms } from '../../amm/index.ts'
import { bisect } from '../../amm/inverse.ts'
import { abs, addToMargin, netted, touch } from './account.ts'
import { checkAmount } from './accounts.ts'
import type { Draft } from './draft.ts'
import { refuse } from './errors.ts'
import type { Of } from './instruction.ts'
import {
  assets,
  dearestRate,
  equity,
  gap,
  hasRatio,
  isSpot,
  liabilities,
  meetsMaintenance,
  type Valuation,
} from './margin.ts'
import { bookLossOf, withDeficit, withFund, withFundMargin } from './maturity.ts'
import type { AccountRef, Legs, MarginAccount, Market } from './state.ts'
import { guarded, inRange, type Swapped, swapEvent, trySwap, twapOf, valueAt } from './swap.ts'
import { afterReducing } from './trade.ts'

/** A forced close of `n` YT: the account afterwards, penalty paid, and the market as the AMM left it. */
interface Close extends Swapped {
  readonly after: Legs
  readonly at: Valuation
  readonly penalty: bigint
}

/** What a forced close works with. */
interface Case {
  readonly market: Market
  readonly legs: Legs
  readonly at: Valuation
  readonly twapRate: RateQ64
  readonly limitRate: RateQ64
}

/**
 * An account's close stays near the worse of TWAP and the observed rate, which follows lasting moves but no push of a second: past
 * its equity nothing is closed, so the loss is its own. The fund's close, where others lose, stays within a quarter of that of the
 * TWAP: less than a push there and back costs in fees.
 */
const caseOf = (draft: Draft, market: Market, legs: Legs, whose: 'account' | 'fund'): Case => {
  const twapRate = twapOf(draft, market)
  const up = legs.yt < 0n
  const { observed } = market.oracle
  const isFund = whose === 'fund'
  const follows = !isFund && observed > twapRate === up
  const band = isFund ? Math.floor(market.terms.forcedBps / 4) : market.terms.forcedBps
  const dearest = dearestRate(market, draft.index(market.kind))
  const limit = guarded(inRange(up ? MAX_RATE : 0n, market, up), follows ? observed : twapRate, band, up)
  const limitRate = (up && dearest < limit ? dearest : limit) as RateQ64
  return { market, legs, at: valueAt(draft, market, twapRate), twapRate, limitRate }
}

/**
 * Closed leg times `min(most, max(0, CR - 1 - slippage - fee) / 2)`, down: less than half of what the close improves, so the
 * collateral ratio rises. CR is that at TWAP before; slippage is measured against the better of TWAP and the spot before.
 */
const penaltyOf = ({ legs, at, market }: Case, { quote }: Swapped): bigint => {
  const owed = liabilities(legs, at.twap)
  const leg = quote.amount
  if (owed === 0n || leg === 0n) return 0n
  const excess = ((assets(legs, at.twap) - owed) << 64n) / owed
  // Against the better of the two prices: what the spot has lost to the TWAP already is slippage too.
  const better = legs.yt > 0n === at.spot > at.twap ? at.spot : at.twap
  const fair = shiftQ64(better * quote.filled, 'up')
  const worse = legs.yt > 0n ? fair - leg : leg - fair
  const slippage = worse > 0n ? divide(worse << 64n, fair, 'up') : 0n
  const fee = divide(quote.fee.total << 64n, leg, 'up')
  const half = (excess - slippage - fee) / 2n
  const most = (ONE_Q64 * BigInt(market.terms.penaltyBps)) / 10_000n
  return half <= 0n ? 0n : shiftQ64(leg * (half < most ? half : most), 'down')
}

/** The close of `n` YT, or undefined if the AMM trades nothing, as for 0. Fewer may be filled. */
const closeOf = (draft: Draft, here: Case, n: bigint, penalised: boolean): Close | undefined => {
  const { market, legs, limitRate } = here
  const order = {
    kind: legs.yt > 0n ? 'sell-yt' : 'buy-yt',
    yt: n as YtAtoms,
    limitRate,
    withinLiquidity: true,
  } as const
  const done = trySwap(market, order)
  if (!('quote' in done)) return undefined
  const closed = afterReducing(legs, done)
  const penalty = penalised ? penaltyOf(here, done) : 0n
  return {
    ...done,
    after: penalty === 0n ? closed : addToMargin(closed, -penalty),
    at: valueAt(draft, done.market, here.twapRate),
    penalty,
  }
}

/** Whether an account is closed wholly: below the ratio for that, or owing less than the minimum size. */
const isWhole = ({ legs, at, market }: Case): boolean =>
  !hasRatio(legs, at.twap, market.terms.wholeBps) || liabilities(legs, at.twap) < market.terms.minimumSize

/** How exactly an amount must be met: a 64th part, at least an atom. */
const step = (n: bigint): bigint => (n + 63n) / 64n

/** Whether a close leaves the account with the initial ratio and 1.2 times the gap, both at TWAP, which nobody can push. */
const isRestored = ({ market }: Case, close: Close | undefined): boolean =>
  close !== undefined &&
  (isSpot(close.after, close.at.discount) ||
    (hasRatio(close.after, close.at.twap, market.terms.initialBps) &&
      equity(close.after, close.at.twap) * 10n >= gap(close.after, close.at) * 12n))
const isSolvent = (close: Close | undefined): boolean => close !== undefined && equity(close.after, close.at.spot) >= 0n

/**
 * Liquidates `yt` of an account below maintenance. They must be what is needed, to a 64th part: what restores the initial condition
 * (all that the AMM fills, if that does not, or if the account is to be closed wholly), or, where the close would come to the
 * price at which equity is zero, what comes up to it; the rest is then taken over by the insurance fund.
 */
export const liquidate = (draft: Draft, { by, yt, ...ref }: Of<'liquidate'>): void => {
  checkAmount(yt)
  const market = draft.market(ref.market)
  draft.checkExit(market)
  const account = draft.account(ref, market)
  const here = caseOf(draft, market, account, 'account')
  const { at } = here
  const standing = { assets: assets(account, at.twap), liabilities: liabilities(account, at.twap) }
  if (meetsMaintenance(account, at, market.terms)) refuse('healthy', standing)
  const size = abs(account.yt)
  if (yt > size) refuse('exceeds-position', { wanted: yt, available: size })
  const close =
    closeOf(draft, here, yt, true) ?? refuse('no-liquidity', { rate: market.pool.rate, limitRate: here.limitRate })
  const n = close.quote.filled
  if (!isSolvent(close)) refuse('wrong-amount', { reason: 'insolvent', closed: n })
  const restored = !isWhole(here) && isRestored(here, close)
  if (restored && isRestored(here, closeOf(draft, here, n - step(n), true))) {
    refuse('wrong-amount', { reason: 'too-many', closed: n })
  }
  const more = n + step(n) < size ? n + step(n) : size
  const beyond = restored || n === size ? undefined : closeOf(draft, here, more, true)
  // All there is: the whole position, or all that the AMM fills of it.
  const most = n === size || beyond?.quote.filled === n
  const cut = !restored && !most && !isSolvent(beyond)
  if (!restored && !most && !cut) refuse('wrong-amount', { reason: 'too-few', closed: n })
  if (!cut && close.after.yt !== 0n && !raisesRatio(account, close.after, at.twap)) {
    refuse('no-improvement', { closed: n, ...standing })
  }

  swapEvent(draft, market.id, account.yt > 0n ? 'sell-yt' : 'buy-yt', close.quote)
  const reward = close.penalty / 2n
  const after = { ...account, ...close.after }
  const next = toFund(draft.saveAccount(close.market, after), close.penalty - reward)
  const { owner, sub } = ref
  draft.events.push({
    type: 'liquidated',
    market: market.id,
    owner,
    sub,
    by,
    closed: n,
    penalty: close.penalty,
    reward,
  })
  const paid = draft.pay(next, by, -reward)
  if (cut) takeOverFrom(draft, paid, after)
  else draft.saveMarket(paid)
}

/** What a keeper should do about an account now: nothing if it is healthy or nothing can be done. */
export const liquidationOf = (
  draft: Draft,
  ref: AccountRef,
): { readonly liquidate: bigint } | 'take-over' | undefined => {
  const market = draft.market(ref.market)
  const account = draft.account(ref, market)
  const here = caseOf(draft, market, account, 'account')
  if (meetsMaintenance(account, here.at, market.terms)) return undefined
  if (isLost(draft, here)) return 'take-over'
  const size = abs(account.yt)
  const most = closeOf(draft, here, size, true)?.quote.filled
  if (most === undefined) return undefined
  const restoring = isWhole(here) ? most : least(n => isRestored(here, closeOf(draft, here, n, true)), most)
  const n = isSolvent(closeOf(draft, here, restoring, true))
    ? restoring
    : least(n => !isSolvent(closeOf(draft, here, n, true)), restoring) - 1n
  return n === 0n ? undefined : { liquidate: n === most ? size : n }
}

/** The least n from 1 to `top` with `holds(n)`, or `top` if there is none: by doubling from 1, then bisection. */
const least = (holds: (n: bigint) => boolean, top: bigint): bigint => {
  let high = 1n
  while (high < top && !holds(high)) high *= 2n
  if (high >= top) high = top
  return bisect(n => !holds(n), high / 2n, high) + 1n
}

const raisesRatio = (before: Legs, after: Legs, price: bigint): boolean =>
  assets(after, price) * liabilities(before, price) > assets(before, price) * liabilities(after, price)

/** JLP for the insurance fund: a standing deficit comes first. */
const toFund = (market: Market, jlp: bigint): Market => {
  const repaid = jlp < market.pool.deficit ? jlp : market.pool.deficit
  return withFundMargin(withDeficit(market, -repaid), jlp - repaid)
}

/** Whether equity is gone: at TWAP, or so that even an atom cannot be closed near it without leaving a debt. */
const isLost = (draft: Draft, here: Case): boolean => {
  const { legs, at, market } = here
  if (legs.yt === 0n || equity(legs, at.twap) < 0n) return true
  // So few that the least fee decides: then it is all or nothing.
  const n = liabilities(legs, at.twap) < market.terms.minimumSize ? abs(legs.yt) : 1n
  const close = closeOf(draft, here, n, false)
  return close !== undefined && !isSolvent(close)
}

/** Takes over an account below maintenance whose equity is gone, for anyone to call. */
export const takeOver = (draft: Draft, ref: Of<'take-over'>): void => {
  const market = draft.market(ref.market)
  draft.checkExit(market)
  const account = draft.account(ref, market)
  const here = caseOf(draft, market, account, 'account')
  const { at } = here
  if (meetsMaintenance(account, at, market.terms) || !isLost(draft, here)) {
    refuse('healthy', { assets: assets(account, at.twap), liabilities: liabilities(account, at.twap) })
  }
  takeOverFrom(draft, market, account)
}

/**
 * Moves all of an account into the insurance fund. If the fund cannot carry it, the close goes on through the AMM, and what
 * is missing in the end is booked as a deficit; if the AMM trades nothing, the account stays as it is (`fund-short`).
 */
const takeOverFrom = (draft: Draft, market: Market, account: MarginAccount): void => {
  const { owner, sub, margin, st, yt, discount } = account
  const fund = touch(market.fund, discount)
  const emptied = draft.saveAccount(market, { ...account, margin: 0n, st: 0n, yt: 0n })
  const merged = { ...fund, margin: fund.margin + margin, st: fund.st + st, yt: fund.yt + yt }
  const taken = withFund(emptied, netted(merged))
  draft.events.push({ type: 'taken-over', market: market.id, owner, sub, margin, st, yt })
  draft.saveMarket(carried(draft, taken))
}

/**
 * The market if its fund can carry its position; else all of it is closed that the AMM fills near the TWAP, and once nothing is
 * left the shortfall is booked. What cannot be closed yet is traded down by `reduceFund`, as the TWAP follows.
 */
const carried = (draft: Draft, market: Market): Market => {
  const { fund } = market
  const here = caseOf(draft, market, fund, 'fund')
  if (meetsMaintenance(fund, here.at, market.terms)) return market
  if (fund.yt === 0n) return booked(draft, market)
  const close =
    closeOf(draft, here, abs(fund.yt), false) ?? refuse('fund-short', { margin: fund.margin, st: fund.st, yt: fund.yt })
  swapEvent(draft, market.id, fund.yt > 0n ? 'sell-yt' : 'buy-yt', close.quote)
  const next = withFund(close.market, sumOfFund(close, market))
  return booked(draft, next)
}

/** The fund after a close of its own: what it paid, and its share of the fee come back. */
const sumOfFund = (close: Close, before: Market): Legs =>
  addToMargin(close.after, close.market.fund.margin - before.fund.margin)

/** A fund without YT that still owes: the debt becomes the market's deficit at once. */
export const booked = (draft: Draft, market: Market): Market => {
  const { fund } = market
  if (fund.yt !== 0n || fund.st >= 0n) return market
  return bookLossOf(draft, withFund(market, { ...fund, st: 0n }), -fund.st)
}

/**
 * Trades the insurance fund's position down. A healthy fund sells only at or above the TWAP and buys only at or below it, so
 * that nobody can push it into a bad price; one below maintenance trades as a forced close does.
 */
export const reduceFund = (draft: Draft, { market: id, yt }: Of<'reduce-fund'>): void => {
  checkAmount(yt)
  const market = draft.market(id)
  draft.checkExit(market)
  const fund = touch(market.fund, market.pool.discount)
  const size = abs(fund.yt)
  if (size === 0n) refuse('no-position')
  if (yt > size) refuse('exceeds-position', { wanted: yt, available: size })
  const touched = withFund(market, fund)
  const forced = caseOf(draft, touched, fund, 'fund')
  const healthy = meetsMaintenance(fund, forced.at, market.terms)
  const here = healthy ? { ...forced, limitRate: kinder(forced) } : forced
  const close = closeOf(draft, here, yt, false) ?? refuse('limit-reached', { limitRate: here.limitRate })
  swapEvent(draft, id, fund.yt > 0n ? 'sell-yt' : 'buy-yt', close.quote)
  const next = withFund(close.market, sumOfFund(close, touched))
  draft.saveMarket(booked(draft, next))
}

const kinder = ({ legs, twapRate, limitRate }: Case): RateQ64 =>
  legs.yt > 0n === twapRate > limitRate ? twapRate : limitRate
