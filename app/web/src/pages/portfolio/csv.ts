/** Tables as text that spreadsheets read (RFC 4180): a head, then a line for each row. */
import { formatAtoms, formatTime } from '../../../../../amm/index.ts'
import type { Owner } from '../../types.ts'
import type { AccountChange, OrderChange, TradeRow } from './history.ts'

export interface CsvColumn<T> {
  readonly name: string
  readonly value: (row: T) => string | number | null
}

const cell = (value: string | number | null): string => {
  const text = value === null ? '' : String(value)
  // What begins like a formula would be run by a spreadsheet: a number may, a text may not.
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?[0-9.]+$/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export const csvOf = <T>(columns: readonly CsvColumn<T>[], rows: readonly T[]): string =>
  [columns.map(({ name }) => name), ...rows.map(row => columns.map(({ value }) => value(row)))]
    .map(line => `${line.map(cell).join(',')}\r\n`)
    .join('')

const tokens = (atoms: string): string => formatAtoms(BigInt(atoms))

// ---- the tables --------------------------------------------------------------------------------------------------------------

type Position = Owner['accounts'][number]

export const POSITION_COLUMNS: readonly CsvColumn<Position>[] = [
  { name: 'market', value: ({ market }) => market },
  { name: 'account', value: ({ account }) => account.sub },
  { name: 'yt', value: ({ account }) => tokens(account.yt) },
  { name: 'st_jlp', value: ({ account }) => tokens(account.st) },
  { name: 'margin_jlp', value: ({ account }) => tokens(account.margin) },
  { name: 'equity_jlp', value: ({ account }) => tokens(account.equity) },
  { name: 'net_deposits_jlp', value: ({ account }) => tokens(account.netDeposits) },
  { name: 'entry_price_st', value: ({ account }) => account.entryPrice?.decimal ?? null },
  { name: 'break_even_apy', value: ({ account }) => account.breakEvenApy?.decimal ?? null },
  { name: 'liquidation_apy', value: ({ account }) => account.liquidationApy?.decimal ?? null },
  { name: 'pnl_total_jlp', value: ({ profit }) => (profit === null ? null : tokens(profit.total)) },
  { name: 'pnl_coupons_jlp', value: ({ profit }) => (profit === null ? null : tokens(profit.coupons)) },
  { name: 'pnl_decay_jlp', value: ({ profit }) => (profit === null ? null : tokens(profit.decay)) },
  { name: 'pnl_rate_move_jlp', value: ({ profit }) => (profit === null ? null : tokens(profit.rateMove)) },
  { name: 'pnl_realised_jlp', value: ({ profit }) => (profit === null ? null : tokens(profit.realised)) },
  { name: 'pnl_fees_jlp', value: ({ profit }) => (profit === null ? null : tokens(profit.fees)) },
]

const ORIGIN = [
  { name: 'time', value: ({ time }: { readonly time: number }) => formatTime(time) },
  { name: 'market', value: ({ market }: { readonly market: string }) => market },
] as const
const SIGNATURE = { name: 'signature', value: ({ signature }: { readonly signature: string }) => signature } as const

export const TRADE_COLUMNS: readonly CsvColumn<TradeRow>[] = [
  ...ORIGIN,
  { name: 'account', value: ({ sub }) => sub },
  { name: 'cause', value: ({ cause }) => cause },
  { name: 'side', value: ({ side }) => side },
  { name: 'filled', value: ({ filled }) => tokens(filled) },
  { name: 'amount_jlp', value: ({ amount }) => tokens(amount) },
  { name: 'fee_jlp', value: ({ fee }) => tokens(fee) },
  { name: 'price_st', value: ({ price }) => price.decimal },
  { name: 'implied_apy_after', value: ({ apy }) => apy.decimal },
  SIGNATURE,
]

export const CHANGE_COLUMNS: readonly CsvColumn<AccountChange>[] = [
  ...ORIGIN,
  { name: 'account', value: ({ sub }) => sub },
  { name: 'cause', value: ({ cause }) => cause },
  { name: 'coupon_jlp', value: ({ coupon }) => tokens(coupon) },
  { name: 'margin_change_jlp', value: ({ change }) => tokens(change.margin) },
  { name: 'st_change_jlp', value: ({ change }) => tokens(change.st) },
  { name: 'yt_change', value: ({ change }) => tokens(change.yt) },
  { name: 'margin_jlp', value: ({ margin }) => tokens(margin) },
  { name: 'st_jlp', value: ({ st }) => tokens(st) },
  { name: 'yt', value: ({ yt }) => tokens(yt) },
  SIGNATURE,
]

export const ORDER_COLUMNS: readonly CsvColumn<OrderChange>[] = [
  ...ORIGIN,
  { name: 'account', value: ({ sub }) => sub },
  { name: 'order', value: ({ id }) => id },
  { name: 'action', value: ({ action }) => action },
  { name: 'status', value: ({ status }) => status },
  { name: 'placed_yt', value: ({ placedAmount }) => tokens(placedAmount) },
  { name: 'filled_yt', value: ({ filled }) => tokens(filled) },
  { name: 'left_yt', value: ({ amount }) => tokens(amount) },
  { name: 'fees_paid_jlp', value: ({ feesPaid }) => tokens(feesPaid) },
  SIGNATURE,
]

/** Gives the browser a file. */
export const download = (name: string, text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
