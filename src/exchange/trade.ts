/** Trading YT on margin or spot, buying and selling PT, and rolling to a later market. */
import { MAX_RATE, type Order, ptAtoms, type RateQ64, ytAtoms } from '../../amm/index.ts'
import { jlpAtoms } from '../../amm/units.ts'
import { abs, addToMargin, reduced } from './account.ts'
import { deposit, withdraw } from './accounts.ts'
import type { Draft } from './draft.ts'
import { refuse } from './errors.ts'
import type { Decrease, Increase, Of, OrderBounds, TradeAmount } from './instruction.ts'
import { assets, equity, isSpot, largerGap, liabilities, meetsInitial, type Valuation } from './margin.ts'
import type { MarginAccount, Market } from './state.ts'
import {
  checkBounds,
  checkHistory,
  checkOpenInterest,
  guarded,
  inRange,
  type Swapped,
  swap,
  twapOf,
  valueAt,
} from './swap.ts'

const ytAmount = (amount: TradeAmount): { yt: ReturnType<typeof ytAtoms> } | { st: ReturnType<typeof jlpAtoms> } =>
  'yt' in amount ? { yt: ytAtoms(amount.yt) } : { st: jlpAtoms(amount.st) }

/** Long, short, reduce or close a margin account's YT. */
export const trade = (draft: Draft, order: Of<'trade'>): void => {
  checkBounds(draft, order)
  const market = draft.market(order.market)
  const account = draft.account(order, market)
  const decreases = order.action === 'reduce' || order.action === 'close'
  const done = decreases ? reduce(draft, order, market, account) : increase(draft, order, market, account)
  draft.saveMarket(done.market)
}

/** A trade of an account: the market and the account after it, and how many YT were filled. */
interface Traded {
  readonly market: Market
  readonly account: MarginAccount
  readonly filled: bigint
}

/** JLP atoms that a fill of so many YT costs its account beside the AMM's fee. */
type Levy = (filled: bigint) => bigint
const NO_LEVY: Levy = () => 0n

/**
 * Opens or increases: the cost or the proceeds go to the ST leg, the fee to margin. Unless the account owes nothing afterwards
 * and the order said so, it is a margined trade: inside the guards, in one stretch of liquidity, at the initial condition.
 */
export const increase = (
  draft: Draft,
  order: OrderBounds & Increase,
  market: Market,
  account: MarginAccount,
  levy = NO_LEVY,
): Traded => {
  draft.checkOpen(market)
  const { terms } = market
  const long = order.action === 'long'
  if (long ? account.yt < 0n : account.yt > 0n) refuse('opposite-position', { yt: account.yt })
  const spot = order.spot ?? false
  const twapRate = twapOf(draft, market)
  if (!spot) checkHistory(draft, market)
  const limit = inRange(order.limitRate, market, long)
  const done = swap(
    draft,
    market,
    {
      kind: long ? 'buy-yt' : 'sell-yt',
      ...ytAmount(order.amount),
      limitRate: (spot ? limit : guarded(limit, twapRate, terms.guardBps, long)) as RateQ64,
      withinLiquidity: !spot,
    },
    order.minimum,
  )
  const { filled, amount, fee, rateAfter } = done.quote
  // Nor may it end short of the bound on the other side: there forced closes could not follow the price for as long as the TWAP lags.
  const far = guarded(long ? 0n : MAX_RATE, twapRate, terms.guardBps, !long)
  if (!spot && (long ? rateAfter < far : rateAfter > far)) refuse('limit-reached', { rate: rateAfter, limitRate: far })
  const traded = long
    ? { ...account, yt: account.yt + filled, st: account.st - amount }
    : { ...account, yt: account.yt - filled, st: account.st + amount }
  const after = addToMargin(traded, -fee.total - levy(filled))
  const next = draft.saveAccount(done.market, after)
  const at = valueAt(draft, next, twapRate)
  if (spot) {
    if (!isSpot(after, at.discount)) refuse('not-spot', { margin: after.margin, st: after.st, yt: after.yt })
  } else {
    if (!meetsInitial(after, at, terms)) refuse('undercollateralised', collateral(after, at))
  }
  // A short's coupons are owed whatever it holds; a long that is paid in full owes nothing.
  if (!spot || !long) draft.checkBacking(next)
  checkOpenInterest(draft, next)
  return { market: next, account: after, filled }
}

/** The figures that a refused trader needs: assets and liabilities in JLP at spot and at the worst price that stood, and the gap. */
const collateral = (account: MarginAccount, at: Valuation): Record<string, bigint> => {
  const worst = at.worst(account.yt)
  return {
    assets: assets(account, at.spot),
    liabilities: liabilities(account, at.spot),
    assetsAtTwap: assets(account, worst),
    liabilitiesAtTwap: liabilities(account, worst),
    gap: largerGap(account, at),
  }
}

/** Trades against the position, never through zero; a margined account must be better off for it. */
export const reduce = (
  draft: Draft,
  order: OrderBounds & Decrease,
  market: Market,
  account: MarginAccount,
  levy = NO_LEVY,
): Traded => {
  draft.checkExit(market)
  const size = abs(account.yt)
  if (size === 0n) refuse('no-position')
  const amount = order.action === 'close' ? { yt: size } : order.amount
  if ('yt' in amount && amount.yt > size) refuse('exceeds-position', { wanted: amount.yt, available: size })
  const twapRate = twapOf(draft, market)
  const done = swap(
    draft,
    market,
    reducing(market, account, ytAmount(amount), order.limitRate, twapRate),
    order.minimum,
  )
  const { filled } = done.quote
  if (filled > size) refuse('exceeds-position', { wanted: filled, available: size })
  const after = afterReducing(account, done, levy(filled))
  const next = draft.saveAccount(done.market, after)
  const at = valueAt(draft, next, twapRate)
  if (!isSpot(after, at.discount) && !meetsInitial(after, at, market.terms)) {
    if (after.yt === 0n || equity(after, at.spot) < 0n || !keepsRatio(account, after, at.twap)) {
      refuse('not-better', collateral(after, at))
    }
  }
  return { market: next, account: after, filled }
}

/** Whether assets to liabilities are at least what they were before. */
export const keepsRatio = (before: MarginAccount, after: MarginAccount, price: bigint): boolean =>
  assets(after, price) * liabilities(before, price) >= assets(before, price) * liabilities(after, price)

/** The order that trades against a position: inside the guards, unless the account owes nothing. */
export const reducing = (
  market: Market,
  account: MarginAccount | Market['fund'],
  amount: { yt: ReturnType<typeof ytAtoms> } | { st: ReturnType<typeof jlpAtoms> },
  limitRate: bigint,
  twapRate: bigint,
): Order => {
  const up = account.yt < 0n
  const spot = isSpot(account, market.pool.discount)
  const limit = inRange(limitRate, market, up)
  return {
    kind: up ? 'buy-yt' : 'sell-yt',
    ...amount,
    limitRate: (spot ? limit : guarded(limit, twapRate, market.terms.guardBps, up)) as RateQ64,
    withinLiquidity: !spot,
  }
}

/** An account after its YT were traded down by a quote: the ST leg realised pro rata, proceeds, cost and fees in margin. */
export const afterReducing = <A extends Market['fund']>(account: A, { quote }: Pick<Swapped, 'quote'>, levy = 0n): A =>
  reduced(account, quote.filled, (account.yt < 0n ? -quote.amount : quote.amount) - quote.fee.total - levy)

/** Buys PT with JLP from the wallet (ST is split, the YT sold), or sells PT (YT is bought and merged). */
export const tradePt = (draft: Draft, order: Of<'buy-pt' | 'sell-pt'>): void => {
  checkBounds(draft, order)
  const market = draft.market(order.market)
  const buys = order.kind === 'buy-pt'
  if (buys) draft.checkOpen(market)
  else draft.checkExit(market)
  const amount = 'pt' in order.amount ? { pt: ptAtoms(order.amount.pt) } : { st: jlpAtoms(order.amount.st) }
  const limitRate = inRange(order.limitRate, market, !buys) as RateQ64
  const done = swap(draft, market, { kind: order.kind, ...amount, limitRate }, order.minimum)
  draft.saveMarket(settlePt(draft, done, order.owner, buys))
}

/** The wallet's side of a PT trade, fee included. */
export const settlePt = (draft: Draft, { market, quote }: Swapped, owner: string, buys: boolean): Market => {
  const { filled, amount, fee } = quote
  const jlp = buys ? amount + fee.total : fee.total - amount
  if (!buys && jlp > 0n) refuse('amount-too-small', { proceeds: amount, fee: fee.total })
  draft.move(`pt/${market.id}`, owner, buys ? filled : -filled)
  const pt = market.totals.pt + (buys ? filled : -filled)
  return draft.pay({ ...market, totals: { ...market.totals, pt } }, owner, jlp)
}

/** Closes an account wholly, moves its margin to one of a later market and opens there on the same side. */
export const roll = (draft: Draft, order: Of<'roll'>): void => {
  const { to, amount, closeLimitRate, deadline, market: id, owner, sub } = order
  const from = { market: id, owner, sub }
  const market = draft.market(id)
  if (to.owner !== owner) refuse('unauthorised', { by: owner })
  if (draft.market(to.market).maturity <= market.maturity) refuse('bad-parameter', { name: 'to', value: to.market })
  const { yt } = draft.account(from, market)
  if (yt === 0n) refuse('no-position')
  const bounds = { limitRate: closeLimitRate, minimum: abs(yt), deadline }
  trade(draft, { kind: 'trade', action: 'close', ...from, ...bounds })
  const { margin } = draft.account(from, draft.market(id))
  if (margin === 0n) refuse('insufficient-margin', { wanted: 1n, available: 0n })
  withdraw(draft, { kind: 'withdraw', ...from, jlp: margin })
  deposit(draft, { kind: 'deposit', ...to, jlp: margin })
  const action = yt > 0n ? 'long' : 'short'
  trade(draft, { kind: 'trade', action, ...to, amount, limitRate: order.limitRate, minimum: order.minimum, deadline })
}
