/** Margin accounts: coupons, realising, and what each adds to the market's totals. */
import { shiftQ64 } from '../../amm/fixed.ts'
import type { Legs, Totals } from './state.ts'

export const EMPTY_LEGS: Legs = { margin: 0n, st: 0n, yt: 0n, discount: 1n << 64n, netDeposits: 0n }

export const NO_TOTALS: Totals = {
  margin: 0n,
  st: 0n,
  debt: 0n,
  yt: 0n,
  ytAtDiscount: 0n,
  short: 0n,
  shortAtDiscount: 0n,
  pt: 0n,
  issued: 0n,
  profit: 0n,
  open: 0,
  debtors: 0,
}

export const abs = (value: bigint): bigint => (value < 0n ? -value : value)
export const positive = (value: bigint): bigint => (value > 0n ? value : 0n)

/** Coupons since the last touch: each YT is paid the fall of the discount; down for either sign, so never overpaid. */
export const couponOf = (legs: Legs, discount: bigint): bigint =>
  legs.yt === 0n ? 0n : shiftQ64(legs.yt * (legs.discount - discount), 'down')

export const touch = <L extends Legs>(legs: L, discount: bigint): L =>
  legs.discount === discount ? legs : { ...legs, st: legs.st + couponOf(legs, discount), discount }

/** With no YT left the ST leg is plain JLP: it goes into margin, as far as margin stays at 0 or above. */
export const netted = <L extends Legs>(legs: L): L => {
  if (legs.yt !== 0n || legs.st === 0n) return legs
  const margin = legs.margin + legs.st
  return margin >= 0n ? { ...legs, margin, st: 0n } : { ...legs, margin: 0n, st: margin }
}

/** Adds signed JLP to margin; a margin that would turn negative is left at 0 and the rest stays in the ST leg. */
export const addToMargin = <L extends Legs>(legs: L, jlp: bigint): L => {
  const margin = legs.margin + jlp
  return margin >= 0n ? { ...legs, margin } : { ...legs, margin: 0n, st: legs.st + margin }
}

/**
 * Trades `n` of `|yt|` against the position for `jlp` (received when positive, paid when negative, fee included): the ST leg
 * is realised pro rata, towards minus infinity.
 */
export const reduced = <L extends Legs>(legs: L, n: bigint, jlp: bigint): L => {
  const size = abs(legs.yt)
  const product = legs.st * n
  const realised = product >= 0n ? product / size : -((-product + size - 1n) / size)
  const yt = legs.yt > 0n ? legs.yt - n : legs.yt + n
  return netted(addToMargin({ ...legs, yt, st: legs.st - realised }, realised + jlp))
}

export const isEmpty = ({ margin, st, yt }: Legs): boolean => margin === 0n && st === 0n && yt === 0n
export const isOpen = ({ st, yt }: Legs): boolean => st !== 0n || yt !== 0n
export const isDebtor = ({ st, yt }: Legs): boolean => st < 0n || yt < 0n

/** What an account owes beyond its margin: its part of `N`. Margin that covers a debt cannot be withdrawn, so it does not count. */
export const debtOf = ({ margin, st }: Legs): bigint => positive(-(margin + st))

/**
 * The totals after one account's legs change from `before` to `after`. The fund's legs count in the sums of value, but not
 * among the accounts whose settlement others wait for.
 */
export const recount = (totals: Totals, before: Legs, after: Legs, fund = false): Totals => {
  const next = {
    ...totals,
    margin: totals.margin + after.margin - before.margin,
    st: totals.st + after.st - before.st,
    debt: totals.debt + debtOf(after) - debtOf(before),
    yt: totals.yt + after.yt - before.yt,
    ytAtDiscount: totals.ytAtDiscount + after.yt * after.discount - before.yt * before.discount,
    short: totals.short + positive(-after.yt) - positive(-before.yt),
    shortAtDiscount:
      totals.shortAtDiscount + positive(-after.yt) * after.discount - positive(-before.yt) * before.discount,
  }
  if (fund) return next
  const profit = (legs: Legs): bigint => positive(legs.margin - legs.netDeposits)
  return {
    ...next,
    profit: totals.profit + profit(after) - profit(before),
    open: totals.open + Number(isOpen(after)) - Number(isOpen(before)),
    debtors: totals.debtors + Number(isDebtor(after)) - Number(isDebtor(before)),
  }
}
