/** Orders that rest, and what was. */
import { useState } from 'react'
import { toApiError } from '../../api.ts'
import { type Column, ErrorBanner, Num, Panel, Table, Tabs } from '../../components/index.tsx'
import { useNoHistory } from '../../data.ts'
import { amount, apy, brief, moment, percent, price, signed } from '../../format.ts'
import { exact, type Owner } from '../../types.ts'
import { useSend } from '../../wallet/send.ts'
import { toast } from '../../wallet/toasts.tsx'
import { cancelOrder } from '../../wallet/wishes.ts'
import { CHANGE_COLUMNS, type CsvColumn, csvOf, download, ORDER_COLUMNS, TRADE_COLUMNS } from './csv.ts'
import { type AccountChange, allRows, type OrderChange, type TradeRow, usePages } from './history.ts'

// ---- orders that rest ---------------------------------------------------------------------------------------------------------

type Order = Owner['orders'][number]

const ACTIONS: Readonly<Record<Order['action'], string>> = {
  long: '▲ Long',
  short: '▼ Short',
  'reduce-long': 'Reduce a long',
  'reduce-short': 'Reduce a short',
}

const whenWords = ({ trigger, level }: Order): string => {
  switch (trigger) {
    case 'none':
      return 'at its limit'
    case 'rate-above':
      return `implied APY above ${apy(BigInt(level))}`
    case 'rate-below':
      return `implied APY below ${apy(BigInt(level))}`
    case 'pnl-above':
      return `profit above ${signed(BigInt(level))} JLP`
    default:
      return `profit below ${signed(BigInt(level))} JLP`
  }
}

/** More than any account has: the whole of the position. */
const ALL = 1n << 60n

export const Orders = ({
  orders,
  canSign,
}: {
  readonly orders: readonly Order[] | undefined
  readonly canSign: boolean
}) => {
  const { send, isBusy } = useSend()
  const columns: Column<Order>[] = [
    {
      name: 'Market',
      cell: ({ market, sub, id }) => (
        <span>
          {market}{' '}
          <span className="muted small">
            account {sub}, order {id}
          </span>
        </span>
      ),
    },
    { name: 'Order', cell: ({ action, spot }) => `${ACTIONS[action]}${spot ? ', on own money' : ''}` },
    {
      name: 'Left',
      end: true,
      cell: ({ amount: left }) => (BigInt(left) >= ALL ? 'all of it' : <Num unit="YT">{amount(BigInt(left))}</Num>),
    },
    { name: 'When', cell: whenWords },
    { name: 'Limit', end: true, cell: ({ limitRate }) => <Num unit="APY">{apy(exact(limitRate))}</Num> },
    { name: 'Fee', end: true, cell: ({ fee }) => <Num unit="JLP">{amount(BigInt(fee), 4)}</Num> },
    { name: 'Good until', end: true, cell: ({ expiresAt }) => <Num>{moment(expiresAt)}</Num> },
  ]
  const cancel: Column<Order> = {
    name: <span className="hidden-visually">Cancel</span>,
    label: 'Cancel',
    end: true,
    cell: ({ market, sub, id }) => (
      <button
        type="button"
        className="button small"
        disabled={isBusy}
        aria-label={`Cancel order ${id} in ${market}`}
        onClick={() => void send(cancelOrder({ market, sub, id }))}
      >
        Cancel
      </button>
    ),
  }
  return (
    <Panel title="Orders that rest" flush>
      <Table<Order>
        caption="Resting orders"
        rows={orders}
        id={({ address, sub, id }) => `${address}/${sub}/${id}`}
        empty="None."
        columns={canSign ? [...columns, cancel] : columns}
      />
    </Panel>
  )
}

// ---- what was -----------------------------------------------------------------------------------------------------------------

const TIME = { name: 'Time', cell: ({ time }: { readonly time: number }) => <Num>{moment(time)}</Num> } as const
const SIGNATURE = {
  name: 'Transaction',
  end: true,
  cell: ({ signature }: { readonly signature: string }) => (
    <span className="num muted" title={signature}>
      {brief(signature)}
    </span>
  ),
} as const

const words = (text: string): string => text.replaceAll('-', ' ')

const TRADES: readonly Column<TradeRow>[] = [
  TIME,
  {
    name: 'Market',
    cell: ({ market, sub }) => (
      <span>
        {market} <span className="muted small">{sub === null ? 'wallet' : `account ${sub}`}</span>
      </span>
    ),
  },
  {
    name: 'Trade',
    cell: ({ side, cause }) => (
      <span>
        {words(side)} <span className="muted small">{cause === 'trade' ? '' : words(cause)}</span>
      </span>
    ),
  },
  {
    name: 'Filled',
    end: true,
    cell: ({ filled, side }) => <Num unit={side.endsWith('pt') ? 'PT' : 'YT'}>{amount(BigInt(filled))}</Num>,
  },
  { name: 'For', end: true, cell: row => <Num unit="JLP">{amount(BigInt(row.amount), 4)}</Num> },
  { name: 'Fee', end: true, cell: ({ fee }) => <Num unit="JLP">{amount(BigInt(fee), 4)}</Num> },
  { name: 'Price', end: true, cell: row => <Num unit="ST">{price(exact(row.price))}</Num> },
  { name: 'APY after', end: true, cell: row => <Num>{percent(exact(row.apy))}</Num> },
  SIGNATURE,
]

const CHANGES: readonly Column<AccountChange>[] = [
  TIME,
  {
    name: 'Account',
    cell: ({ market, sub }) => (
      <span>
        {market} <span className="muted small">account {sub}</span>
      </span>
    ),
  },
  { name: 'What', cell: ({ cause }) => words(cause) },
  { name: 'Coupons', end: true, cell: ({ coupon }) => <Num unit="JLP">{signed(BigInt(coupon), 6)}</Num> },
  { name: 'Margin', end: true, cell: ({ change }) => <Num unit="JLP">{signed(BigInt(change.margin), 4)}</Num> },
  { name: 'ST leg', end: true, cell: ({ change }) => <Num unit="JLP">{signed(BigInt(change.st), 4)}</Num> },
  { name: 'Position', end: true, cell: ({ change }) => <Num unit="YT">{signed(BigInt(change.yt))}</Num> },
  { name: 'YT then', end: true, cell: ({ yt }) => <Num unit="YT">{amount(BigInt(yt))}</Num> },
  SIGNATURE,
]

const ORDERS: readonly Column<OrderChange>[] = [
  TIME,
  {
    name: 'Market',
    cell: ({ market, sub, id }) => (
      <span>
        {market}{' '}
        <span className="muted small">
          account {sub}, order {id}
        </span>
      </span>
    ),
  },
  { name: 'Order', cell: ({ action }) => words(action) },
  { name: 'State', cell: ({ status }) => status },
  { name: 'Filled', end: true, cell: ({ filled }) => <Num unit="YT">{amount(BigInt(filled))}</Num> },
  {
    name: 'Left',
    end: true,
    cell: ({ amount: left }) => (BigInt(left) >= ALL ? 'all of it' : <Num unit="YT">{amount(BigInt(left))}</Num>),
  },
  { name: 'Fees paid', end: true, cell: ({ feesPaid }) => <Num unit="JLP">{amount(BigInt(feesPaid), 4)}</Num> },
  SIGNATURE,
]

type View = 'trades' | 'history' | 'orders'
const NAMES: Readonly<Record<View, string>> = { trades: 'Trades', history: 'Account changes', orders: 'Orders' }

export const History = ({ owner }: { readonly owner: string }) => {
  const [view, setView] = useState<View>('trades')
  const of = <T extends { readonly signature: string }>(
    columns: readonly Column<T>[],
    csv: readonly CsvColumn<T>[],
  ) => <Rows key={`${owner}/${view}`} path={`/v1/accounts/${owner}/${view}`} name={view} columns={columns} csv={csv} />
  return (
    <Panel label="What was">
      <Tabs<View>
        label="What was"
        value={view}
        onChange={setView}
        options={(Object.keys(NAMES) as View[]).map(value => ({ value, text: NAMES[value] }))}
      >
        {view === 'trades'
          ? of(TRADES, TRADE_COLUMNS)
          : view === 'history'
            ? of(CHANGES, CHANGE_COLUMNS)
            : of(ORDERS, ORDER_COLUMNS)}
      </Tabs>
    </Panel>
  )
}

const Rows = <T extends { readonly signature: string }>({
  path,
  name,
  columns,
  csv,
}: {
  readonly path: string
  readonly name: View
  readonly columns: readonly Column<T>[]
  readonly csv: readonly CsvColumn<T>[]
}) => {
  const { rows, error, hasMore, more, isLoading } = usePages<T>(path)
  const missing = useNoHistory() ?? (error === undefined ? undefined : 'Not known now.')
  const [isWriting, setWriting] = useState(false)
  const write = async (): Promise<void> => {
    setWriting(true)
    try {
      download(`sunder-${name}.csv`, csvOf(csv, await allRows<T>(path)))
    } catch (thrown) {
      const { message, hint } = toApiError(thrown)
      toast({ title: 'No file was written', text: `${message}. ${hint}`, state: 'failed' })
    }
    setWriting(false)
  }
  const numbers = new Map(rows?.map((row, i) => [row, i]))
  return (
    <>
      <div className="spread">
        <span className="muted small">{rows === undefined ? ' ' : 'The newest first; times are UTC'}</span>
        <button
          type="button"
          className="button small"
          disabled={isWriting || rows === undefined}
          onClick={() => void write()}
        >
          Export {NAMES[name].toLowerCase()} as CSV
        </button>
      </div>
      <ErrorBanner error={error} />
      <Table<T>
        caption={NAMES[name]}
        rows={missing === undefined ? rows : (rows ?? [])}
        id={row => `${row.signature}/${numbers.get(row)}`}
        empty={missing ?? 'Nothing yet.'}
        columns={columns}
        dense
      />
      {hasMore ? (
        <button type="button" className="button" disabled={isLoading} onClick={more}>
          Older ones
        </button>
      ) : null}
    </>
  )
}
