/**
 * The insurance fund, losses, and what happens at maturity: YT is worth 0, accounts are settled, profits wait until every debtor is
 * (docs/protocol.md sections 7 and 8).
 */

import { mulDiv } from '../../amm/fixed.ts'
import type { JlpAtoms } from '../../amm/index.ts'
import { netted, positive, recount, touch } from './account.ts'
import type { Draft } from './draft.ts'
import { lpEquity } from './margin.ts'
import type { Legs, Market } from './state.ts'

/** Legs whose YT have expired, coupons paid and all netted into margin (or into a debt in `st`). */
export const expired = <L extends Legs>(legs: L, discount: bigint): L => netted({ ...touch(legs, discount), yt: 0n })

/** The fund's YT expire with the market; what the fund then owes is a deficit. */
export const atMaturity = (market: Market): Market => {
  const fund = expired(market.fund, market.pool.discount)
  const retired = market.retired + market.fund.yt
  return bookLoss(withFund({ ...market, retired }, { ...fund, st: 0n }), -fund.st).market
}

/** A market with its fund's legs replaced and the totals counted anew. */
export const withFund = (market: Market, fund: Legs): Market => ({
  ...market,
  fund,
  totals: recount(market.totals, market.fund, fund, true),
})

/** A market with its deficit changed by signed atoms. */
export const withDeficit = (market: Market, change: bigint): Market => ({
  ...market,
  pool: { ...market.pool, deficit: (market.pool.deficit + change) as JlpAtoms },
})

/** A market with signed atoms more in its fund's margin. */
export const withFundMargin = (market: Market, change: bigint): Market =>
  withFund(market, { ...market.fund, margin: market.fund.margin + change })

/** Books a loss of `jlp` atoms: the insurance fund's margin first, then the market's deficit. */
const bookLoss = (market: Market, jlp: bigint): { market: Market; fromFund: bigint; toDeficit: bigint } => {
  if (jlp === 0n) return { market, fromFund: 0n, toDeficit: 0n }
  const { margin } = market.fund
  const fromFund = jlp < margin ? jlp : margin
  const toDeficit = jlp - fromFund
  return { fromFund, toDeficit, market: withDeficit(withFundMargin(market, -fromFund), toDeficit) }
}

/** Books a loss of `jlp` atoms, if there is one, and writes its event. */
export const bookLossOf = (draft: Draft, market: Market, jlp: bigint): Market => {
  if (jlp === 0n) return market
  const { market: next, fromFund, toDeficit } = bookLoss(market, jlp)
  draft.events.push({ type: 'loss', market: market.id, fund: fromFund, deficit: toDeficit })
  return next
}

/** A fund without a position pays a standing deficit at once: no later tier bears what an earlier one can. */
export const repaidByFund = (market: Market): Market => {
  const { fund, pool } = market
  if (pool.deficit === 0n || fund.margin === 0n || fund.yt !== 0n) return market
  const paid = fund.margin < pool.deficit ? fund.margin : pool.deficit
  return withDeficit(withFundMargin(market, -paid), -paid)
}

/**
 * The market with its haircut, as soon as it is known: no debtor is left, and either nothing is missing beyond what LPs
 * bear, or every account is settled, so that all profits are known. Undefined fields stay so until then.
 */
export const withHaircut = (market: Market): Market => {
  const { haircut, totals, pool } = market
  if (haircut !== undefined || pool.tauSeconds > 0 || totals.debtors > 0) return market
  const uncovered = positive(pool.deficit - positive(lpEquity(market, 0n)))
  if (uncovered > 0n && totals.open > 0) return market
  return {
    ...market,
    haircut: { uncovered: uncovered < totals.profit ? uncovered : totals.profit, profit: totals.profit },
  }
}

/** What is cut from one account's profit, up: together never less than what is missing. */
export const cutOf = (haircut: { uncovered: bigint; profit: bigint }, profit: bigint): bigint =>
  haircut.profit === 0n ? 0n : mulDiv(profit, haircut.uncovered, haircut.profit, 'up')
