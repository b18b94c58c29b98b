/** PT in the wallet: what they are worth, what leaving early costs, and the ways on. */
import { useState } from 'react'
import { get } from '../../api.ts'
import { Banner, type Column, Dialog, ErrorBanner, Line, Lines, Num, Panel, Table } from '../../components/index.tsx'
import {
  AmountField,
  atomsIn,
  closedBecause,
  isLive,
  MarketSelect,
  ToleranceSelect,
  timeLeft,
} from '../../components/shared.tsx'
import { useHasIndex } from '../../data.ts'
import { amount, day, formatAtoms, percent, signed } from '../../format.ts'
import { useSnapshot } from '../../kernel.ts'
import { useRead } from '../../store.ts'
import { exact, type Market, type Owner, type Page, type Trade } from '../../types.ts'
import { ownerAfter, useSend } from '../../wallet/send.ts'
import { toast } from '../../wallet/toasts.tsx'
import { buyPt, redeemPt, sellPt } from '../../wallet/wishes.ts'
import { buyWith, leaveWith } from './figures.ts'

type HeldPt = Owner['wallet']['pt'][number]

interface Row {
  readonly held: HeldPt
  readonly market: Market | undefined
}

type Way = 'sell' | 'roll'

/** JLP given for PT less JLP got for them, by the trades of a wallet; undefined unless these account for what it holds. */
export const netPaid = (trades: readonly Trade[] | undefined, { market, pt }: HeldPt): bigint | undefined => {
  const own = trades?.filter(trade => trade.market === market && trade.sub === null && trade.side.endsWith('pt'))
  if (own === undefined) return undefined
  const sum = (of: (trade: Trade) => bigint): bigint => own.reduce((total, trade) => total + of(trade), 0n)
  const sign = ({ side }: Trade): bigint => (side === 'buy-pt' ? 1n : -1n)
  if (sum(trade => sign(trade) * BigInt(trade.filled)) !== BigInt(pt)) return undefined
  return sum(trade => sign(trade) * BigInt(trade.amount) + BigInt(trade.fee))
}

export const HeldPts = ({
  owner,
  held,
  markets,
  now,
  canSign = true,
}: {
  readonly owner: string
  readonly held: Owner | undefined
  readonly markets: readonly Market[] | undefined
  readonly now: number | undefined
  /** False: somebody else's are looked at. */
  readonly canSign?: boolean
}) => {
  const [open, setOpen] = useState<{ readonly market: string; readonly way: Way }>()
  const { send, isBusy } = useSend()
  const trades = useRead<Page<Trade>>(
    useHasIndex() ? `/v1/accounts/${owner}/trades` : undefined,
    { limit: 1000 },
    { every: 4000 },
  )
  const rows = held?.wallet.pt.map(one => ({
    held: one,
    market: markets?.find(({ market }) => market === one.market),
  }))
  const chosen = rows?.find(({ held: { market } }) => market === open?.market)
  const actions: Column<Row> = {
    name: <span className="hidden-visually">What can be done</span>,
    label: 'Actions',
    end: true,
    cell: ({ held: { market, pt }, market: row }) =>
      row?.status === 'matured' ? (
        <span className="row">
          <button
            type="button"
            className="button small primary"
            disabled={isBusy}
            onClick={() => void send(redeemPt({ market, pt: BigInt(pt) }))}
          >
            Redeem
          </button>
          <button type="button" className="button small" onClick={() => setOpen({ market, way: 'roll' })}>
            Roll
          </button>
        </span>
      ) : (
        <span className="row">
          <button type="button" className="button small" onClick={() => setOpen({ market, way: 'sell' })}>
            Sell
          </button>
          <button type="button" className="button small" onClick={() => setOpen({ market, way: 'roll' })}>
            Roll
          </button>
        </span>
      ),
  }
  return (
    <Panel title={canSign ? 'PT that you hold' : 'PT in the wallet'} flush>
      <Table<Row>
        caption="PT in this wallet"
        rows={rows}
        id={({ held: { market } }) => market}
        empty="No PT yet: choose a maturity and an amount."
        columns={[
          {
            name: 'Market',
            cell: ({ held: { market }, market: row }) => (
              <span>
                {market} <span className="muted small">{row === undefined ? '' : day(row.maturity)}</span>
              </span>
            ),
          },
          { name: 'Held', end: true, cell: ({ held: { pt } }) => <Num unit="PT">{amount(BigInt(pt))}</Num> },
          {
            name: 'Paid, net',
            end: true,
            cell: ({ held: one }) => {
              const paid = netPaid(trades.data?.rows, one)
              return paid === undefined ? (
                <span className="muted" title="Not all of them were bought here, or the past is still being read">
                  —
                </span>
              ) : (
                <Num unit="JLP">{amount(paid)}</Num>
              )
            },
          },
          {
            name: 'Worth now',
            end: true,
            cell: ({ held: { value } }) => <Num unit="JLP">{amount(BigInt(value))}</Num>,
          },
          {
            name: 'Sold now',
            end: true,
            cell: ({ held: { value, exitValue } }) => (
              <span>
                <Num unit="JLP">{amount(BigInt(exitValue))}</Num>{' '}
                <span className="muted small num">{signed(BigInt(exitValue) - BigInt(value))}</span>
              </span>
            ),
          },
          {
            name: 'From now on',
            end: true,
            cell: ({ held: { fixedApy }, market }) => (
              <span>
                <Num unit="a year">{percent(exact(fixedApy))}</Num>{' '}
                <span className="muted small">{market === undefined ? '' : timeLeft(market, now)}</span>
              </span>
            ),
          },
          ...(canSign ? [actions] : []),
        ]}
      />
      <Dialog
        title={open?.way === 'roll' ? `Roll PT of ${open.market}` : `Sell PT of ${open?.market ?? ''}`}
        isOpen={open !== undefined}
        onClose={() => setOpen(undefined)}
      >
        {open === undefined || chosen === undefined ? (
          <p className="muted">These PT are gone.</p>
        ) : open.way === 'sell' ? (
          <Sell row={chosen} onDone={() => setOpen(undefined)} />
        ) : (
          <Roll owner={owner} row={chosen} markets={markets ?? []} onDone={() => setOpen(undefined)} />
        )}
      </Dialog>
    </Panel>
  )
}

const Sell = ({ row, onDone }: { readonly row: Row; readonly onDone: () => void }) => {
  const { market, pt } = row.held
  const [text, setText] = useState(formatAtoms(BigInt(pt)))
  const [toleranceBps, setTolerance] = useState(50)
  const { snapshot, error } = useSnapshot(market)
  const { send, isBusy } = useSend()
  const { atoms } = atomsIn(text)
  const left = snapshot === undefined || atoms === undefined ? undefined : leaveWith(snapshot.reading.pool, atoms)
  const closed = closedBecause(row.market, 'exit')
  const why =
    closed ??
    (atoms === undefined || atoms === 0n
      ? 'Say how many PT'
      : atoms > BigInt(pt)
        ? 'More than you hold'
        : left === undefined
          ? 'Nobody buys them now: wait until there is liquidity'
          : undefined)
  const apy = snapshot === undefined ? undefined : percent(snapshot.view.impliedApy)
  return (
    <>
      <ErrorBanner error={error} />
      <AmountField label="PT to sell" value={text} onChange={setText} unit="PT" has={BigInt(pt)} />
      <Lines>
        <Line label="You receive" value={left === undefined ? undefined : amount(left.received, 6)} unit="JLP" />
        <Line label="Worth at the spot" value={left === undefined ? undefined : amount(left.spot, 6)} unit="JLP" />
        <Line
          label="Leaving early costs"
          value={left === undefined ? undefined : amount(left.cost, 6)}
          unit="JLP"
          note={left === undefined ? undefined : `fee ${amount(left.fee, 6)}, impact ${left.impactBp.toFixed(2)} bp`}
        />
        <Line
          label="Implied APY after"
          value={left === undefined ? undefined : percent(left.apyAfter)}
          why="Selling PT is buying YT: it takes the implied APY up, and with it the price of PT down."
        />
      </Lines>
      {left !== undefined && atoms !== undefined && left.filled < atoms ? (
        <Banner tone="warn" title={`Only ${amount(left.filled)} PT find a buyer now.`}>
          The rest stays in your wallet, and is redeemed at maturity.
        </Banner>
      ) : null}
      <p className="said">
        The price of PT moves until maturity. Who waits is paid 1 ST for each PT, which from this price is {apy} a year,
        fixed; who sells takes the price of now.
      </p>
      <ToleranceSelect value={toleranceBps} onChange={setTolerance} />
      <button
        type="button"
        className="button primary wide"
        disabled={why !== undefined || isBusy}
        onClick={() =>
          void send(sellPt({ market, pt: atoms!, toleranceBps })).then(sent => {
            if (sent !== undefined) onDone()
          })
        }
      >
        {why ?? `Sell ${amount(atoms!)} PT`}
      </button>
    </>
  )
}

const Roll = ({
  owner,
  row,
  markets,
  onDone,
}: {
  readonly owner: string
  readonly row: Row
  readonly markets: readonly Market[]
  readonly onDone: () => void
}) => {
  const { market, pt } = row.held
  const [toleranceBps, setTolerance] = useState(50)
  const { send, isBusy } = useSend()
  const targets = markets.filter(
    one => isLive(one) && one.market !== market && (row.market === undefined || one.maturity > row.market.maturity),
  )
  const [wanted, setWanted] = useState<string>()
  const to =
    targets.find(one => one.market === wanted) ?? targets.find(({ kind }) => kind === row.market?.kind) ?? targets[0]
  const from = useSnapshot(market)
  const next = useSnapshot(to?.market)
  const left = from.snapshot === undefined ? undefined : leaveWith(from.snapshot.reading.pool, BigInt(pt))
  const pool = next.snapshot?.reading.pool
  const bought = pool === undefined || left === undefined ? undefined : buyWith(pool, left.received)
  const isMatured = row.market?.status === 'matured'
  const why =
    to === undefined ? 'There is no later market yet' : (closedBecause(row.market, 'exit') ?? closedBecause(to, 'risk'))
  const isBlocked = why !== undefined && !(isMatured && to !== undefined && closedBecause(to, 'risk') === undefined)
  const roll = async (): Promise<void> => {
    const wish = isMatured ? redeemPt({ market, pt: BigInt(pt) }) : sellPt({ market, pt: BigInt(pt), toleranceBps })
    const before = await get<Owner>(`/v1/accounts/${owner}`)
    const sent = await send(wish)
    if (sent === undefined) return
    // An answer from before the sale would say that it has brought nothing.
    const after = await ownerAfter(owner, sent.slot ?? before.slot)
    const brought = after === undefined ? 0n : BigInt(after.wallet.jlp) - BigInt(before.wallet.jlp)
    const buys = pool === undefined || brought <= 0n ? undefined : buyWith(pool, brought)
    if (buys === undefined) {
      const text = 'What was sold is in the wallet as JLP: buy PT with it.'
      toast({ title: `Buy PT of ${to!.market}: not done`, text, state: 'failed' })
    } else await send(buyPt({ market: to!.market, st: buys.st, toleranceBps }))
    onDone()
  }
  return (
    <>
      <ErrorBanner error={from.error ?? next.error} />
      {to === undefined ? null : <MarketSelect label="Into" value={to.market} markets={targets} onChange={setWanted} />}
      <Lines>
        <Line label={isMatured ? 'Redeemed' : 'Sold'} value={amount(BigInt(pt))} unit="PT" />
        <Line label="which bring" value={left === undefined ? undefined : amount(left.received, 6)} unit="JLP" />
        <Line label="and buy" value={bought === undefined ? undefined : amount(bought.pt, 6)} unit="PT" />
        <Line
          label="New fixed APY, after fee and impact"
          value={bought?.fixedApy === undefined ? undefined : percent(bought.fixedApy)}
        />
        <Line
          label="Fees of both"
          value={left === undefined || bought === undefined ? undefined : amount(left.fee + bought.fee, 6)}
          unit="JLP"
        />
      </Lines>
      <p className="said">
        A roll is two transactions. If the second is refused, the JLP of the first are in your wallet and nothing is
        lost.
      </p>
      <ToleranceSelect value={toleranceBps} onChange={setTolerance} />
      <button
        type="button"
        className="button primary wide"
        disabled={isBlocked || isBusy || bought === undefined}
        onClick={() => void roll()}
      >
        {isBlocked ? why : `Roll into ${to?.market ?? 'the next market'}`}
      </button>
    </>
  )
}
