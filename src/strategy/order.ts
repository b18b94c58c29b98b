/** Opening a leveraged position, long or short: what it costs, and what would have to change if it is refused. */
import { apyFromRate, KernelError, MAX_RATE, type PriceQ64, rateFromYtPrice, ytPrice } from '../../amm/index.ts'
import { type AccountView, accountId, accountView, type Event, type TradeAmount } from '../exchange/index.ts'
import { StrategyError } from './errors.ts'
import type { Place } from './sandbox.ts'
import { Walk, YOU } from './walk.ts'

/** An order for YT on margin. The fee comes on top of `margin`, JLP atoms. */
export interface YtOrder {
  readonly side: 'long' | 'short'
  readonly margin: bigint
  readonly amount: TradeAmount
}

/** The ST leg of a margin at a leverage, JLP atoms. */
export const legOf = (margin: bigint, leverage: number): bigint =>
  (margin * BigInt(Math.round(leverage * 1e6))) / 1_000_000n

/** The account as it stands after an order, with what the order cost. */
export interface Opened {
  /** YT bought or sold; JLP paid or received for them; the fee. Atoms. */
  readonly filled: bigint
  readonly amount: bigint
  readonly fee: bigint
  /** False if the trade stopped at a guard or at the edge of the liquidity. */
  readonly complete: boolean
  /** Margin and fee, JLP atoms. */
  readonly paid: bigint
  /** ST per YT, Q64.64, and the APY that it implies. */
  readonly averagePrice: bigint
  readonly averageApy: bigint | undefined
  /** Average price against the spot before, bp, against the trader when positive. */
  readonly impactBp: number
  readonly rateBefore: bigint
  readonly rateAfter: bigint
  /** The average realised APY until maturity at which the position comes out even, fee included. */
  readonly breakEvenApy: bigint | undefined
  readonly account: AccountView
}

export const refOf = (walk: Walk): { market: string; owner: string; sub: number } => ({
  market: walk.market,
  owner: YOU,
  sub: 0,
})

/** The APY at which YT costs `price`, undefined where there is none. */
export const apyAt = (price: bigint, tauSeconds: number): bigint | undefined => {
  try {
    return apyFromRate(rateFromYtPrice(price, tauSeconds))
  } catch (error) {
    if (error instanceof KernelError) return undefined
    throw error
  }
}

type Swapped = Extract<Event, { type: 'swapped' }>
export const swappedIn = (events: readonly Event[]): Swapped =>
  events.find(event => event.type === 'swapped') as Swapped

/** Deposits `deposit` into a new account and trades; refuses what the exchange refuses. */
const tradeWith = (walk: Walk, { side, amount }: Pick<YtOrder, 'side' | 'amount'>, deposit: bigint): Swapped => {
  const ref = refOf(walk)
  const limitRate = side === 'long' ? MAX_RATE : 0n
  const bounds = { limitRate, minimum: 0n, deadline: walk.world.now }
  walk.run({ kind: 'open-account', ...ref })
  walk.run({ kind: 'deposit', ...ref, jlp: deposit })
  return swappedIn(walk.run({ kind: 'trade', action: side, ...ref, amount, ...bounds }))
}

/** The fee of an order, which does not depend on its margin: tried with margin in plenty. */
const feeOf = (place: Place, order: Pick<YtOrder, 'side' | 'amount'>): bigint => {
  const walk = new Walk(place)
  return tradeWith(walk, order, walk.wallet() / 2n).fee.total
}

/** Opens in a walk: margin and fee leave the wallet. Throws a `StrategyError` with the refusal. */
export const open = (walk: Walk, order: YtOrder): Opened => {
  const { rate, tauSeconds, discount } = walk.view
  const paid = order.margin + feeOf(walk, order)
  const { filled, amount, fee, complete, rateBefore, rateAfter } = tradeWith(walk, order, paid)
  const account = accountView(walk.state, refOf(walk), walk.world, walk.entries.get(accountId(refOf(walk))))
  const perYt = (jlp: bigint): bigint => (jlp << 128n) / (filled * discount)
  const averagePrice = perYt(amount)
  const spot = ytPrice(rate, tauSeconds)
  const worse = order.side === 'long' ? averagePrice - spot : spot - averagePrice
  return {
    filled,
    amount,
    fee: fee.total,
    complete,
    paid,
    averagePrice,
    averageApy: apyAt(averagePrice, tauSeconds),
    impactBp: Number((worse * 1_000_000n) / spot) / 100,
    rateBefore,
    rateAfter,
    breakEvenApy: apyAt(perYt(order.side === 'long' ? amount + fee.total : amount - fee.total) as PriceQ64, tauSeconds),
    account,
  }
}

/** Whether the exchange takes an order; if `whole`, all of it. */
const accepts = (place: Place, order: YtOrder, whole: boolean): boolean => {
  try {
    return open(new Walk(place), order).complete || !whole
  } catch (error) {
    if (error instanceof StrategyError) return false
    throw error
  }
}

/** The greatest whole number of steps, up to `most`, that `fits`; -1 if not even 0 does. `fits` must not come back once it fails. */
const greatest = (most: number, fits: (n: number) => boolean): number => {
  let low = -1
  let high = most + 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

/** The most leverage, in hundredths, at which a margin opens in this market, price impact and all conditions included. */
export const mostLeverageFor = (place: Place, side: YtOrder['side'], margin: bigint): number =>
  (greatest(999, n => accepts(place, { side, margin, amount: { st: legOf(margin, (n + 1) / 100) } }, true)) + 1) / 100

/** The least margin, in steps of 1 % of the ST leg, JLP atoms, with which an order opens; undefined if none up to the whole leg does. */
export const leastMarginFor = (place: Place, { side, amount }: YtOrder): bigint | undefined => {
  const walk = new Walk(place)
  const leg = tradeWith(walk, { side, amount }, walk.wallet() / 2n).amount
  const margin = (percent: number): bigint => (leg * BigInt(percent)) / 100n + 1n
  const refusedUpTo = greatest(100, n => !accepts(place, { side, amount, margin: margin(n) }, false))
  return refusedUpTo === 100 ? undefined : margin(refusedUpTo + 1)
}
