/** What somebody holds in a market, and what can be done with it. */
import { useMemo, useState } from 'react'
import { apyFromRate, type RateQ64 } from '../../../../../amm/index.ts'
import { accountView } from '../../../../../src/exchange/index.ts'
import { wordsOf } from '../../api.ts'
import {
  Choice,
  Dialog,
  Field,
  Figure,
  Figures,
  Line,
  Lines,
  Num,
  Panel,
  Side,
  Slider,
  Table,
  Why,
} from '../../components/index.tsx'
import { amount, formatTime, percent, price, signed, times } from '../../format.ts'
import { heldAccount, previewTrade, refusalWords, run, type Snapshot, withHeld } from '../../kernel.ts'
import { exact, type Market, type Owner, type Q64 } from '../../types.ts'
import { useSend } from '../../wallet/send.ts'
import { typedAtoms } from './ticket.tsx'

type Held = Owner['accounts'][number]
type Resting = Owner['orders'][number]

const orNone = (figure: Q64 | null, show: (value: bigint) => string): string =>
  figure === null ? 'none' : show(exact(figure))

interface Props {
  readonly market: Market | undefined
  readonly snapshot: Snapshot | undefined
  readonly owner: Owner | undefined
}

export const Positions = ({ market, snapshot, owner }: Props) => {
  const mine = owner?.accounts.filter(one => one.market === market?.market) ?? []
  const orders = owner?.orders.filter(one => one.market === market?.market) ?? []
  if (owner === undefined || market === undefined || (mine.length === 0 && orders.length === 0)) return null
  return (
    <>
      {mine.map(held => (
        <Position key={held.account.sub} held={held} market={market} snapshot={snapshot} owner={owner} />
      ))}
      {orders.length === 0 ? null : <Orders orders={orders} />}
    </>
  )
}

const Position = ({
  held: { account, profit, orders },
  market,
  snapshot,
  owner,
}: {
  readonly held: Held
  readonly market: Market
  readonly snapshot: Snapshot | undefined
  readonly owner: Owner
}) => {
  const { send, isBusy } = useSend()
  const [isOpen, setOpen] = useState<'reduce' | 'close' | 'margin' | undefined>()
  const yt = BigInt(account.yt)
  const size = yt < 0n ? -yt : yt
  const isMatured = market.status === 'matured'
  const place = { market: market.market, sub: account.sub }
  const total = BigInt(profit?.total ?? account.profit.total)
  const isEmpty = yt === 0n && BigInt(account.st) === 0n
  const title = isEmpty ? (
    `Account ${account.sub}: no position`
  ) : (
    <>
      Account {account.sub}: <Side side={yt < 0n ? 'short' : 'long'} /> {amount(size)} YT
    </>
  )
  return (
    <Panel
      title={title}
      aside={
        isEmpty ? null : account.spot ? (
          <span className="badge">cannot be liquidated</span>
        ) : account.healthy ? (
          <span className="badge long">healthy</span>
        ) : (
          <span className="badge short">can be liquidated now</span>
        )
      }
    >
      <Figures>
        <Figure
          label="Profit"
          value={signed(total, 4)}
          unit="JLP"
          tone={total < 0n ? 'short' : 'long'}
          note={profit === null ? 'of what is held' : 'since the account was opened'}
        />
        <Figure
          label="Equity"
          value={amount(BigInt(account.equity), 4)}
          unit="JLP"
          note={`margin ${amount(BigInt(account.margin), 4)} JLP`}
        />
        <Figure
          label="ST leg"
          value={amount(BigInt(account.st), 4)}
          unit="JLP"
          why={
            yt < 0n
              ? 'A short has sold borrowed YT for this ST. The coupons of the YT that it owes are taken from it.'
              : 'A long has borrowed this ST to buy YT, so it is negative. Every coupon of the YT pays part of it back: it moves towards zero while YT lose their price.'
          }
          note={account.leverage === null ? ' ' : `${times(exact(account.leverage))} of the margin`}
        />
        <Figure
          label="Entry price"
          value={orNone(account.entryPrice, value => price(value))}
          unit={account.entryPrice === null ? undefined : 'ST'}
          why="What each YT has cost so far, coupons taken off. It drifts down with every coupon of a long, because part of what was paid has come back; compare it with the price now, which falls just as time goes by."
          note={snapshot === undefined ? ' ' : `now ${price(snapshot.view.ytPrice)} ST`}
        />
        <Figure
          label="Breaks even at"
          value={orNone(account.breakEvenApy, value => percent(value))}
          unit={account.breakEvenApy === null ? undefined : 'APY'}
          why={`What JLP must yield on average from now to maturity. ${account.breakEvenApy === null ? 'There is none: coupons have paid for the YT already, or the position is empty.' : ''}`}
          note="average to maturity"
        />
        <Figure
          label="Liquidated at"
          value={orNone(account.liquidationApy, value => percent(value))}
          unit={account.liquidationApy === null ? undefined : 'APY'}
          tone={account.liquidationApy === null ? undefined : 'warn'}
          note={account.liquidationPrice === null ? 'nowhere' : `${price(exact(account.liquidationPrice))} ST now`}
        />
        <Figure
          label="Collateral ratio"
          value={orNone(account.ratioAtTwap, value => percent(value))}
          note="at the five-minute average; 105 % is the least"
        />
      </Figures>
      <Split held={{ account, profit }} />
      <div className="row">
        {isEmpty ? null : isMatured ? (
          <button
            type="button"
            className="button primary"
            disabled={isBusy}
            onClick={() => void send({ title: `Settle ${market.market}`, action: 'settle', body: place })}
          >
            Settle
          </button>
        ) : (
          <>
            <button type="button" className="button primary" onClick={() => setOpen('close')}>
              Close position
            </button>
            <button type="button" className="button" onClick={() => setOpen('reduce')}>
              Reduce
            </button>
          </>
        )}
        <button type="button" className="button" onClick={() => setOpen('margin')}>
          Add or withdraw margin
        </button>
        {isEmpty && BigInt(account.margin) === 0n && orders === 0 ? (
          <button
            type="button"
            className="button quiet"
            disabled={isBusy}
            onClick={() => void send({ title: 'Close the account', action: 'close-account', body: place })}
          >
            Close the account
          </button>
        ) : null}
      </div>
      <Dialog
        title={`${isOpen === 'close' ? 'Close' : 'Reduce'} account ${account.sub}`}
        isOpen={isOpen === 'reduce' || isOpen === 'close'}
        onClose={() => setOpen(undefined)}
      >
        <Reduce
          first={isOpen === 'close' ? 100 : 50}
          account={account}
          snapshot={snapshot}
          owner={owner}
          orders={orders}
          place={place}
          onDone={() => setOpen(undefined)}
        />
      </Dialog>
      <Dialog
        title={`Margin of account ${account.sub}`}
        isOpen={isOpen === 'margin'}
        onClose={() => setOpen(undefined)}
      >
        <Margin
          account={account}
          snapshot={snapshot}
          owner={owner}
          orders={orders}
          place={place}
          onDone={() => setOpen(undefined)}
        />
      </Dialog>
    </Panel>
  )
}

/** Where profit comes from. */
const Split = ({ held: { account, profit } }: { readonly held: Pick<Held, 'account' | 'profit'> }) => {
  const parts: readonly (readonly [string, string, string])[] =
    profit === null
      ? []
      : [
          ['coupons', profit.coupons, 'Paid on YT held, or by YT owed.'],
          ['decay', profit.decay, 'What the YT held lost in price because time went by at the entry rate.'],
          ['rate move', profit.rateMove, 'What the change of the implied APY made of the YT held.'],
          ['realised', profit.realised, 'From YT that are no longer held.'],
          ['fees', profit.fees, 'Trading fees and penalties.'],
        ]
  if (profit === null)
    return <p className="muted small">Where it came from is not known while the index does not answer.</p>
  return (
    <div className="small split">
      {parts.map(([name, value, says]) => (
        <span key={name} title={says}>
          <span className="muted">{name}</span> <Num>{signed(BigInt(value), 4)}</Num>
        </span>
      ))}
      <Why>
        The parts add up to the profit since account {account.sub} was opened. Coupons and decay go together: if JLP
        yields just what the entry price implied, they cancel each other, and what is left is the move of the rate.
      </Why>
    </div>
  )
}

interface ActionProps {
  readonly account: Held['account']
  readonly orders: number
  readonly snapshot: Snapshot | undefined
  readonly owner: Owner
  readonly place: { readonly market: string; readonly sub: number }
  readonly onDone: () => void
}

const Reduce = ({
  account,
  orders,
  snapshot,
  owner,
  place,
  onDone,
  first,
}: ActionProps & {
  /** Percent of the position to begin with. */
  readonly first: number
}) => {
  const { send, isBusy } = useSend()
  const [part, setPart] = useState(first)
  const yt = BigInt(account.yt)
  const size = yt < 0n ? -yt : yt
  const wanted = (size * BigInt(part)) / 100n
  const preview = useMemo(
    () =>
      snapshot === undefined
        ? undefined
        : previewTrade(snapshot, {
            action: part === 100 ? 'close' : 'reduce',
            unit: 'token',
            amount: wanted,
            margin: 0n,
            held: heldAccount(snapshot, owner.owner, account, orders),
          }),
    [snapshot, account, owner, orders, wanted, part],
  )
  const done = preview?.kind === 'preview' ? preview : undefined
  const refusal = preview?.kind === 'rejected' ? refusalWords(preview) : done?.refusal && refusalWords(done.refusal)
  const submit = async (): Promise<void> => {
    const sent = await send({
      title: `${part === 100 ? 'Close' : 'Reduce'} ${place.market}`,
      action: 'trade',
      body:
        part === 100 ? { ...place, action: 'close' } : { ...place, action: 'reduce', unit: 'token', amount: wanted },
    })
    if (sent !== undefined) onDone()
  }
  return (
    <>
      <Slider
        label="Part of the position"
        min={1}
        max={100}
        step={1}
        value={part}
        onChange={setPart}
        text={`${part}%, ${amount(wanted)} YT`}
      />
      <Lines>
        <Line label={yt < 0n ? 'Buys back' : 'Sells'} value={done && amount(done.quote.filled)} unit="YT" />
        <Line label="for" value={done && amount(done.quote.amount, 4)} unit="JLP" />
        <Line label="Fee" value={done && amount(done.quote.fee.total, 6)} unit="JLP" />
        <Line label="Implied APY after" value={done && percent(done.quote.apyAfter)} />
        <Line label="Margin after" value={done?.account && amount(done.account.margin, 4)} unit="JLP" />
      </Lines>
      <p className="reason small" role="status">
        {refusal === undefined ? ' ' : wordsOf(refusal)}
      </p>
      <button
        type="button"
        className="button primary wide"
        disabled={isBusy || refusal !== undefined || done === undefined}
        onClick={() => void submit()}
      >
        {part === 100 ? 'Close all' : `Reduce by ${part} %`}
      </button>
    </>
  )
}

const Margin = ({ account, orders, snapshot, owner, place, onDone }: ActionProps) => {
  const { send, isBusy } = useSend()
  const [way, setWay] = useState<'deposit' | 'withdraw'>('deposit')
  const [text, setText] = useState('')
  const typed = typedAtoms(text, 'an amount')
  const wallet = BigInt(owner.wallet.jlp)
  const preview = useMemo(() => {
    if (snapshot === undefined || typed.value === undefined) return undefined
    const held = heldAccount(snapshot, owner.owner, account, orders)
    const ref = { market: snapshot.name, owner: owner.owner, sub: account.sub }
    const ledger = withHeld(snapshot, owner.owner, { accounts: [held] })
    const done = run(ledger, snapshot.world, [{ kind: way, ...ref, jlp: typed.value }])
    return done.kind === 'refused' ? done : accountView(done.ledger, ref, snapshot.world)
  }, [snapshot, typed.value, way, account, orders, owner])
  const refused = preview !== undefined && 'kind' in preview ? refusalWords(preview) : undefined
  const after = preview !== undefined && !('kind' in preview) ? preview : undefined
  const missing = way === 'deposit' && typed.value !== undefined && typed.value > wallet
  const reason = missing
    ? `The wallet has ${amount(wallet)} JLP`
    : refused === undefined
      ? text === ''
        ? undefined
        : typed.error
      : wordsOf(refused)
  const submit = async (): Promise<void> => {
    const title = way === 'deposit' ? `Add margin to ${place.market}` : `Withdraw from ${place.market}`
    if ((await send({ title, action: way, body: { ...place, jlp: typed.value } })) !== undefined) onDone()
  }
  return (
    <>
      <Choice
        label="Which way"
        className="wide"
        value={way}
        onChange={setWay}
        options={[
          { value: 'deposit', text: 'Add margin' },
          { value: 'withdraw', text: 'Withdraw' },
        ]}
      />
      <Field
        label="Amount"
        value={text}
        onChange={setText}
        unit="JLP"
        aside={way === 'deposit' ? `wallet ${amount(wallet)} JLP` : `margin ${amount(BigInt(account.margin))} JLP`}
        error={reason}
      />
      <Lines>
        <Line label="Margin after" value={after === undefined ? '–' : amount(after.margin, 4)} unit="JLP" />
        <Line
          label="Liquidated at"
          value={
            after === undefined
              ? '–'
              : after.liquidationRate === undefined
                ? 'nowhere'
                : percent(apyFromRate(after.liquidationRate as RateQ64))
          }
          note="implied APY"
        />
      </Lines>
      <button
        type="button"
        className="button primary wide"
        disabled={isBusy || reason !== undefined || typed.value === undefined}
        onClick={() => void submit()}
      >
        {way === 'deposit' ? 'Add margin' : 'Withdraw'}
      </button>
    </>
  )
}

// ---- orders ----------------------------------------------------------------------------------------------------------------

const ACTIONS = { long: 'Buy', short: 'Sell', 'reduce-long': 'Close long', 'reduce-short': 'Close short' } as const

const conditionOf = ({ trigger, level, limitRate, action }: Resting): string => {
  if (trigger.startsWith('pnl')) return `profit ${trigger.slice(4)} ${signed(BigInt(level))} JLP`
  if (trigger.startsWith('rate'))
    return `implied APY ${trigger.slice(5)} ${percent(apyFromRate(BigInt(level) as RateQ64))}`
  return `implied APY ${action === 'long' ? 'up to' : 'down to'} ${percent(apyFromRate(exact(limitRate) as RateQ64))}`
}

const Orders = ({ orders }: { readonly orders: readonly Resting[] }) => {
  const { send, isBusy } = useSend()
  return (
    <Panel title="Resting orders" flush>
      <Table
        caption="Resting orders"
        dense
        rows={orders}
        id={({ sub, id }) => `${sub}/${id}`}
        empty="There are none"
        columns={[
          { name: 'Account', cell: ({ sub, id }) => <span className="num">{`${sub}, order ${id}`}</span> },
          { name: 'Order', cell: ({ action }) => ACTIONS[action] },
          { name: 'When', cell: order => <span className="num">{conditionOf(order)}</span> },
          {
            name: 'Left',
            end: true,
            // All of a position is said by more than anybody can have.
            cell: ({ amount: left }) => <Num unit="YT">{BigInt(left) >= 1n << 60n ? 'all' : amount(BigInt(left))}</Num>,
          },
          { name: 'Fee', end: true, cell: ({ fee }) => <Num unit="JLP">{amount(BigInt(fee), 4)}</Num> },
          {
            name: 'Good until',
            end: true,
            cell: ({ expiresAt }) => <span className="num">{formatTime(expiresAt)}</span>,
          },
          {
            name: <span className="hidden-visually">Cancel</span>,
            label: 'Take back',
            end: true,
            cell: ({ market, sub, id }) => (
              <button
                type="button"
                className="button small"
                disabled={isBusy}
                onClick={() =>
                  void send({ title: 'Cancel the order', action: 'cancel-order', body: { market, sub, id } })
                }
              >
                Cancel
              </button>
            ),
          },
        ]}
      />
    </Panel>
  )
}
