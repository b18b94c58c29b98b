/** Liquidity positions: the kernel's accounting, with owners, age, payment in kind or by zap, and what a deficit withholds. */
import { mulDiv, shiftQ64 } from '../../amm/fixed.ts'
import {
  addLiquidity as addToPool,
  liquidity as checkLiquidity,
  collect as collectFrom,
  emptyPosition,
  type PtAtoms,
  type RateQ64,
  removeLiquidity as removeFromPool,
  type YtAtoms,
} from '../../amm/index.ts'
import { netted, touch } from './account.ts'
import type { Draft } from './draft.ts'
import { refuse } from './errors.ts'
import type { Of } from './instruction.ts'
import { booked } from './liquidate.ts'
import { lpEquity, ytInJlp } from './margin.ts'
import { withDeficit, withFund } from './maturity.ts'
import { type AccountRef, type Market, positionId } from './state.ts'
import { inRange, swapEvent, trySwap, twapOf } from './swap.ts'
import { settlePt } from './trade.ts'

/** Seconds that liquidity stays at least, so that nobody provides it for a single trade. */
export const LEAST_AGE = 300

export const openPosition = (draft: Draft, ref: Of<'open-position'>): void => {
  const { market: id, owner, lower, upper } = ref
  const { pool, maturity } = draft.market(id)
  if (pool.tauSeconds === 0) refuse('matured', { maturity, now: draft.world.now })
  if (draft.findPosition(ref) !== undefined) {
    refuse('position-exists', { position: positionId(id, owner, lower, upper) })
  }
  draft.savePosition({ market: id, owner, position: emptyPosition(pool, lower, upper), addedAt: 0 })
}

export const closePosition = (draft: Draft, ref: Of<'close-position'>): void => {
  const { position } = draft.position(ref)
  if (position.liquidity !== 0n || position.uncollected !== 0n) {
    refuse('not-empty', { liquidity: position.liquidity, uncollected: position.uncollected })
  }
  draft.removePosition(ref)
}

export const addLiquidity = (draft: Draft, order: Of<'add-liquidity'>): void => {
  draft.checkDeadline(order.deadline)
  const market = draft.market(order.market)
  draft.checkOpen(market)
  const { rate } = market.pool
  for (const name of ['minRate', 'maxRate', 'maximum'] as const) {
    if (typeof order[name] !== 'bigint') refuse('bad-parameter', { name })
  }
  if (rate < order.minRate || rate > order.maxRate) {
    refuse('limit-reached', { rate, minRate: order.minRate, maxRate: order.maxRate })
  }
  const held = draft.position(order)
  const added = addToPool(market.pool, held.position, checkLiquidity(order.liquidity))
  if (added.kind === 'rejected') refuse(added.code, added.context)
  if (added.jlp > order.maximum) refuse('above-maximum', { cost: added.jlp, maximum: order.maximum })
  draft.savePosition({ ...held, position: added.position, addedAt: draft.world.now })
  const totals = { ...market.totals, issued: market.totals.issued + added.issued }
  draft.saveMarket(draft.pay({ ...market, pool: added.next, totals }, order.owner, added.jlp))
}

/** Pays what a position has earned; while a deficit stands it leaves its share of it behind, as a removal does. */
export const collect = (draft: Draft, ref: Of<'collect'>): void => {
  const market = draft.market(ref.market)
  const held = draft.position(ref)
  const collected = collectFrom(market.pool, held.position)
  if (collected.kind === 'rejected') refuse(collected.code, collected.context)
  const withheld = withholding(draft, market, { jlp: collected.jlp, pt: 0n, yt: 0n }, false).jlp
  draft.savePosition({ ...held, position: collected.position })
  draft.saveMarket(draft.pay(withDeficit(market, -withheld), ref.owner, withheld - collected.jlp))
}

interface InKind {
  readonly jlp: bigint
  readonly pt: bigint
  readonly yt: bigint
}

/**
 * What a removal leaves behind while a deficit stands: its share of the deficit, up, cash first, never more than is missing. The last
 * to leave bears what is left of it.
 */
const withholding = (draft: Draft, market: Market, paid: InKind, last: boolean): InKind => {
  const { deficit, discount } = market.pool
  if (deficit === 0n) return { jlp: 0n, pt: 0n, yt: 0n }
  const all = lpEquity(market, ytInJlp(twapOf(draft, market), market.pool))
  const share = (amount: bigint): bigint => (last || all <= deficit ? amount : mulDiv(amount, deficit, all, 'up'))
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
  const jlp = least(share(paid.jlp), deficit)
  const tokens = ((deficit - jlp) << 64n) / discount
  const pt = least(share(paid.pt), tokens)
  const yt = least(share(paid.yt), tokens - pt)
  return { jlp, pt, yt }
}

export const removeLiquidity = (draft: Draft, order: Of<'remove-liquidity'>): void => {
  const { owner, sub, share, zap } = order
  draft.checkDeadline(order.deadline)
  const market = draft.market(order.market)
  const matured = market.pool.tauSeconds === 0
  if (typeof order.minimum !== 'bigint') refuse('bad-amount', { amount: String(order.minimum) })
  const held = draft.position(order)
  if (!matured) {
    draft.checkExit(market)
    const age = draft.world.now - held.addedAt
    if (age < LEAST_AGE) refuse('too-young', { age, least: LEAST_AGE })
  }
  if (typeof share.num !== 'bigint' || typeof share.den !== 'bigint') refuse('bad-parameter', { name: 'share' })
  const removed = removeFromPool(market.pool, held.position, share)
  if (removed.kind === 'rejected') refuse(removed.code, removed.context)
  const withheld = withholding(draft, market, removed, removed.next.grossLiquidity === 0n)
  const [jlp, pt, yt] = [removed.jlp - withheld.jlp, removed.pt - withheld.pt, removed.yt - withheld.yt]
  draft.savePosition({ ...held, position: removed.position })

  const repaid = withheld.jlp + shiftQ64(withheld.pt * market.pool.discount, 'down')
  const totals = { ...market.totals, issued: market.totals.issued - removed.issued, pt: market.totals.pt + pt }
  let next = withDeficit({ ...market, pool: removed.next, totals }, -repaid)
  // YT left behind, and those that the PT left behind would have been merged with, are the fund's; expired ones nobody's.
  if (matured) next = { ...next, retired: next.retired + removed.yt - withheld.pt }
  else if (withheld.pt > 0n || withheld.yt > 0n) {
    const fund = touch(next.fund, market.pool.discount)
    next = booked(draft, withFund(next, netted({ ...fund, yt: fund.yt + withheld.yt - withheld.pt })))
  }
  draft.move(`pt/${market.id}`, owner, pt)
  next = draft.pay(next, owner, -jlp)
  const ref = { market: market.id, owner, sub }
  let proceeds = 0n
  if (matured) {
    // nothing is left to trade
  } else if (zap !== undefined && pt > 0n) {
    const limitRate = inRange(zap.limitRate, next, true) as RateQ64
    const sold = trySwap(next, { kind: 'sell-pt', pt: pt as PtAtoms, limitRate })
    if ('quote' in sold && sold.quote.amount > sold.quote.fee.total) {
      swapEvent(draft, market.id, 'sell-pt', sold.quote)
      next = settlePt(draft, sold, owner, false)
      proceeds = sold.quote.amount - sold.quote.fee.total
    }
  } else if (yt > 0n) {
    let left = yt
    const limitRate = inRange(zap?.limitRate ?? 0n, next, false) as RateQ64
    const sold = zap === undefined ? undefined : trySwap(next, { kind: 'sell-yt', yt: yt as YtAtoms, limitRate })
    if (sold !== undefined && 'quote' in sold && sold.quote.amount > sold.quote.fee.total) {
      swapEvent(draft, market.id, 'sell-yt', sold.quote)
      proceeds = sold.quote.amount - sold.quote.fee.total
      next = draft.pay(sold.market, owner, -proceeds)
      left -= sold.quote.filled
    }
    if (left > 0n) next = credited(draft, next, ref, left)
  }
  if (jlp + proceeds < order.minimum) refuse('below-minimum', { minimum: order.minimum, paid: jlp + proceeds })
  draft.checkBacking(next)
  draft.saveMarket(next)
  draft.events.push({ type: 'liquidity-removed', market: market.id, owner, jlp, pt, yt: matured ? 0n : yt, withheld })
}

/** YT into an account of the owner; they are no deposit, so profit is measured against what was paid in before. */
const credited = (draft: Draft, market: Market, ref: AccountRef, yt: bigint): Market => {
  const account = draft.account(ref, market)
  return draft.saveAccount(market, netted({ ...account, yt: account.yt + yt }))
}
