/** What an order would do in a market of a chain, asked of the engine: its cost, and the account afterwards. */
import { MAX_RATE, type PriceQ64, type RateQ64, ytPrice } from '../../../amm/index.ts'
import { type AccountRef, accountId, accountView, type TradeAmount } from '../../exchange/index.ts'
import { legOf, mostLeverageFor, type Opened, Walk } from '../../strategy/index.ts'
import { apyAt, swappedIn } from '../../strategy/order.ts'
import { UsageError } from '../output.ts'
import type { Answer } from '../question.ts'
import { insteadOf, quotePt, ytAnswer } from '../quote-answer.ts'
import { headOf, type Standing } from './standing.ts'

export const ACTIONS = ['long', 'short', 'reduce', 'close', 'buy-pt', 'sell-pt'] as const
export type TradeAction = (typeof ACTIONS)[number]

/** An order as it is said on the command line; amounts in atoms. */
export interface Wish {
  readonly action: TradeAction
  readonly margin?: bigint | undefined
  readonly leverage?: number | undefined
  readonly yt?: bigint | undefined
  readonly st?: bigint | undefined
  readonly pt?: bigint | undefined
  /** Q64.64 */
  readonly limitRate?: RateQ64 | undefined
}

export interface Estimate {
  readonly answer: Answer
  /** As the client takes it. */
  readonly unit: 'token' | 'st'
  readonly amount: bigint
  /** JLP atoms to pay in first: margin and fee. */
  readonly deposit: bigint
}

/** Refuses words that do not go together. */
const amountOf = ({
  action,
  margin,
  leverage,
  yt,
  st,
  pt,
}: Wish): { readonly unit: 'token' | 'st'; readonly amount: bigint } => {
  const given = [yt, st, pt].filter(one => one !== undefined).length
  const isPt = action === 'buy-pt' || action === 'sell-pt'
  if (given > 1) throw new UsageError('give one of --yt, --pt and --st')
  if (isPt ? yt !== undefined : pt !== undefined) {
    throw new UsageError(
      isPt ? 'PT orders take --pt or --st' : `${action} takes ${action === 'close' ? 'no amount' : '--yt or --st'}`,
    )
  }
  if (action === 'close') {
    if (given > 0) throw new UsageError('a close is of everything: reduce takes --yt or --st')
    return { unit: 'token', amount: 0n }
  }
  if (st !== undefined) return { unit: 'st', amount: st }
  const token = isPt ? pt : yt
  if (token !== undefined) return { unit: 'token', amount: token }
  if (action === 'long' || action === 'short') {
    if (margin !== undefined && leverage !== undefined) return { unit: 'st', amount: legOf(margin, leverage) }
    throw new UsageError(`${action} takes --margin with --leverage, or --yt or --st`)
  }
  throw new UsageError(isPt ? `${action} takes --pt or --st` : 'reduce takes --yt or --st')
}

/** Whether an order buys YT: a reduction buys what a short owes. */
const buys = (action: TradeAction, held: { readonly yt: bigint } | undefined): boolean =>
  action === 'long' || (action !== 'short' && held !== undefined && held.yt < 0n)

/** The order in a copy of the market: `deposit` JLP atoms are paid in first. */
const traded = (
  { walk: from }: Standing,
  ref: AccountRef,
  action: 'long' | 'short' | 'reduce' | 'close',
  { amount, deposit, limitRate: limit }: { amount: TradeAmount; deposit: bigint; limitRate: RateQ64 | undefined },
) => {
  const walk = new Walk(from)
  const held = walk.state.accounts.get(accountId(ref))
  if (held === undefined && (action === 'long' || action === 'short')) walk.run({ kind: 'open-account', ...ref })
  if (deposit > 0n) walk.run({ kind: 'deposit', ...ref, jlp: deposit })
  const up = buys(action, held)
  const bounds = { limitRate: limit ?? (up ? MAX_RATE : 0n), minimum: 0n, deadline: walk.world.now }
  const base = { kind: 'trade', ...ref, ...bounds } as const
  const swapped = swappedIn(walk.run(action === 'close' ? { ...base, action } : { ...base, action, amount }))
  return { walk, swapped, up, opens: action === 'long' || action === 'short' }
}

/** Far more than any order's margin, JLP atoms. */
const AMPLE = 10n ** 14n

const openedOf = (standing: Standing, ref: AccountRef, wish: Wish, amount: TradeAmount): Opened => {
  const { action, margin = 0n, limitRate } = wish as Wish & { action: 'long' | 'short' | 'reduce' | 'close' }
  // The fee does not depend on the margin: it is found with plenty.
  const fee =
    margin === 0n ? 0n : traded(standing, ref, action, { amount, deposit: AMPLE, limitRate }).swapped.fee.total
  const deposit = margin + fee
  const { walk, swapped, up, opens } = traded(standing, ref, action, { amount, deposit, limitRate })
  const { rate, tauSeconds, discount } = standing.walk.view
  const perYt = (jlp: bigint): PriceQ64 => ((jlp << 128n) / (swapped.filled * discount)) as PriceQ64
  const averagePrice = perYt(swapped.amount)
  const spot = ytPrice(rate, tauSeconds)
  const worse = up ? averagePrice - spot : spot - averagePrice
  const withFee = up ? swapped.amount + swapped.fee.total : swapped.amount - swapped.fee.total
  return {
    filled: swapped.filled,
    amount: swapped.amount,
    fee: swapped.fee.total,
    complete: swapped.complete,
    paid: deposit,
    averagePrice,
    averageApy: apyAt(averagePrice, tauSeconds),
    impactBp: Number((worse * 1_000_000n) / spot) / 100,
    rateBefore: swapped.rateBefore,
    rateAfter: swapped.rateAfter,
    breakEvenApy: opens ? apyAt(perYt(withFee), tauSeconds) : undefined,
    account: accountView(walk.state, ref, walk.world),
  }
}

/** Throws a `StrategyError` with what the market would take instead. */
export const estimate = (standing: Standing, ref: AccountRef, wish: Wish): Estimate => {
  const { action, margin = 0n, limitRate } = wish
  const { unit, amount } = amountOf(wish)
  const head = headOf(standing)
  if (action === 'buy-pt' || action === 'sell-pt') {
    const order = {
      kind: action,
      amount: unit === 'st' ? { st: amount } : { pt: amount },
      ...(limitRate && { limitRate }),
    }
    return { answer: quotePt(standing.walk, order, head), unit, amount, deposit: 0n }
  }
  const wanted: TradeAmount = unit === 'st' ? { st: amount } : { yt: amount }
  const { accounts } = standing.walk.state
  const held = accounts.get(accountId(ref))
  if (held === undefined && (action === 'reduce' || action === 'close')) {
    throw new UsageError(
      `You have no account ${ref.sub} in ${ref.market}: \`sunder positions\` lists those that you have`,
    )
  }
  const isNew =
    (action === 'long' || action === 'short') &&
    margin > 0n &&
    (held === undefined || (held.yt === 0n && held.margin === 0n))
  try {
    const opened = openedOf(standing, ref, wish, wanted)
    const most = isNew ? mostLeverageFor(standing.walk, action, margin) : undefined
    return {
      answer: ytAnswer(opened, buys(action, held) ? 'bought' : 'sold', head, most),
      unit,
      amount,
      deposit: opened.paid,
    }
  } catch (error) {
    throw isNew ? insteadOf(error, standing.walk, { side: action, margin, amount: wanted }) : error
  }
}
