/** Liquidity that a wallet provides: what it is now, what it has earned by source, and the ways out. */
import type { Static } from '@fastify/type-provider-typebox'
import { useState } from 'react'
import type { LiquidityQuote } from '../../../../api/views/quote.ts'
import {
  type Column,
  Dialog,
  ErrorBanner,
  Line,
  Lines,
  Num,
  Panel,
  Slider,
  Table,
  Tabs,
} from '../../components/index.tsx'
import { closedBecause, ToleranceSelect, useSettled } from '../../components/shared.tsx'
import { amount, formatAtoms, percent, q64Of, signed } from '../../format.ts'
import { useRead } from '../../store.ts'
import type { Market, Owner } from '../../types.ts'
import { useSend } from '../../wallet/send.ts'
import { closeRange, collect, removeLiquidity } from '../../wallet/wishes.ts'
import { apyAtTick } from './figures.ts'

type LiquidityAnswer = Static<typeof LiquidityQuote>
export type HeldRange = Owner['positions'][number]

export const rangeWords = ({ lower, upper }: { readonly lower: number; readonly upper: number }): string =>
  `${percent(q64Of(apyAtTick(lower)))} – ${percent(q64Of(apyAtTick(upper)))}`

const isEmpty = ({ position: { liquidity, uncollected } }: HeldRange): boolean =>
  liquidity === '0' && uncollected === '0'

/** What the position holds beside JLP: PT or YT that a removal would pay. */
const besides = ({ position: { netSold } }: HeldRange): string => {
  const net = BigInt(netSold)
  return net === 0n ? 'nothing traded' : net > 0n ? `${amount(net)} YT sold` : `${amount(-net)} YT bought`
}

const figuresIn = (markets: readonly Market[] | undefined): readonly Column<HeldRange>[] => [
  {
    name: 'Range, APY',
    cell: ({ market, position }) => (
      <span>
        <span className="num">{rangeWords(position)}</span> <span className="muted small">{market}</span>
      </span>
    ),
  },
  {
    name: 'State',
    cell: range => {
      if (isEmpty(range)) return <span className="badge">empty</span>
      const isMatured = markets?.some(({ market, status }) => market === range.market && status === 'matured')
      if (isMatured === true) return <span className="badge">matured</span>
      return range.position.inRange ? (
        <span className="badge long">in range</span>
      ) : (
        <span className="badge warn">out of range</span>
      )
    },
  },
  {
    name: 'Worth now',
    end: true,
    cell: ({ position: { value } }) => <Num unit="JLP">{amount(BigInt(value))}</Num>,
  },
  {
    name: 'Holds',
    end: true,
    cell: range => (
      <span>
        <Num unit="YT">{amount(BigInt(range.position.inventory))}</Num>{' '}
        <span className="muted small">{besides(range)}</span>
      </span>
    ),
  },
  {
    name: 'Coupons',
    label: 'Earned: coupons',
    end: true,
    cell: ({ position: { earned } }) => <Num unit="JLP">{signed(BigInt(earned.accrued), 6)}</Num>,
  },
  {
    name: 'Fees',
    label: 'Earned: fees',
    end: true,
    cell: ({ position: { earned } }) => <Num unit="JLP">{signed(BigInt(earned.fees), 6)}</Num>,
  },
  {
    name: 'To collect',
    end: true,
    cell: ({ position: { uncollected } }) => <Num unit="JLP">{amount(BigInt(uncollected), 6)}</Num>,
  },
]

export const HeldRanges = ({
  owner,
  held,
  markets,
  canSign = true,
}: {
  readonly owner: string
  readonly held: Owner | undefined
  readonly markets: readonly Market[] | undefined
  /** False: somebody else's are looked at. */
  readonly canSign?: boolean
}) => {
  const { send, isBusy } = useSend()
  const [open, setOpen] = useState<string>()
  const idOf = ({ market, position: { lower, upper } }: HeldRange): string => `${market}/${lower}/${upper}`
  const chosen = held?.positions.find(range => idOf(range) === open)
  const actions: Column<HeldRange> = {
    name: <span className="hidden-visually">What can be done</span>,
    label: 'Actions',
    end: true,
    cell: range => {
      const { market, position } = range
      const { lower, upper } = position
      const place = { market, lower, upper }
      if (isEmpty(range)) {
        return (
          <button type="button" className="button small" disabled={isBusy} onClick={() => void send(closeRange(place))}>
            Close
          </button>
        )
      }
      return (
        <span className="row">
          <button
            type="button"
            className="button small"
            disabled={isBusy || position.uncollected === '0'}
            title={position.uncollected === '0' ? 'Nothing earned yet' : undefined}
            onClick={() => void send(collect(place))}
          >
            Collect
          </button>
          <button
            type="button"
            className="button small"
            disabled={isBusy || position.liquidity === '0'}
            onClick={() => setOpen(idOf(range))}
          >
            Take out
          </button>
        </span>
      )
    },
  }
  return (
    <Panel
      title="Liquidity that you provide"
      aside={<span className="muted small">earned since it was last added to, collected or taken out</span>}
      flush
    >
      <Table<HeldRange>
        caption="Liquidity positions"
        rows={held?.positions}
        id={idOf}
        empty="None yet."
        columns={canSign ? [...figuresIn(markets), actions] : figuresIn(markets)}
      />
      <Dialog
        title={`Take liquidity out of ${chosen?.market ?? ''}`}
        isOpen={open !== undefined}
        onClose={() => setOpen(undefined)}
      >
        {chosen === undefined ? (
          <p className="muted">This position is gone.</p>
        ) : (
          <TakeOut
            owner={owner}
            range={chosen}
            market={markets?.find(({ market }) => market === chosen.market)}
            onDone={() => setOpen(undefined)}
          />
        )}
      </Dialog>
    </Panel>
  )
}

type Pays = 'zap' | 'kind'

const TakeOut = ({
  owner,
  range,
  market,
  onDone,
}: {
  readonly owner: string
  readonly range: HeldRange
  readonly market: Market | undefined
  readonly onDone: () => void
}) => {
  const { lower, upper } = range.position
  const [share, setShare] = useState(100)
  const [pays, setPays] = useState<Pays>('zap')
  const [toleranceBps, setTolerance] = useState(50)
  const { send, isBusy } = useSend()
  const shareBps = useSettled(share * 100)
  const sell = pays === 'zap'
  const query = { action: 'remove', lower, upper, owner, shareBps, sell, toleranceBps }
  const [isSent, setSent] = useState(false)
  // Once it is on its way, and once all of it is out, there may be nothing left to ask about.
  const path = isSent || range.position.liquidity === '0' ? undefined : `/v1/markets/${range.market}/liquidity-quote`
  const { data: found, error } = useRead<LiquidityAnswer>(path, query, {
    every: 3000,
    fresh: 0,
  })
  const closed = closedBecause(market, 'exit')
  const isMatured = market?.status === 'matured'
  const why = closed !== undefined && !isMatured ? closed : undefined
  const atoms = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : amount(BigInt(text), 6)
  const unsold = found?.sale == null ? 0n : BigInt(found.pt === '0' ? found.yt : found.pt) - BigInt(found.sale.filled)
  return (
    <>
      <p>
        Range <span className="num">{rangeWords(range.position)}</span>
      </p>
      <Slider
        label="How much of it"
        value={share}
        onChange={setShare}
        min={1}
        max={100}
        step={1}
        text={`${share} %`}
        marks={['1', '25', '50', '75', '100 %']}
      />
      <Tabs<Pays>
        label="How it is paid"
        value={pays}
        onChange={setPays}
        options={[
          { value: 'zap', text: 'All in JLP (zap)' },
          { value: 'kind', text: 'In kind' },
        ]}
      >
        <ErrorBanner error={error} />
        <Lines>
          <Line label="Paid in JLP" value={atoms(found?.jlp)} unit="JLP" />
          <Line
            label="and PT"
            value={atoms(found?.pt)}
            unit="PT"
            why="YT that you issued and others have bought: their principal is yours. They go to your wallet and pay 1 ST each at maturity."
          />
          <Line
            label="and YT"
            value={atoms(found?.yt)}
            unit="YT"
            why="YT that others have sold to you. They go to your margin account 0 in this market, where their coupons are paid to you."
          />
          {sell ? (
            <>
              <Line
                label="Sold at once for"
                value={found === undefined ? undefined : found.sale === null ? '0.000000' : atoms(found.sale.amount)}
                unit="JLP"
                note={found?.sale == null ? undefined : `fee ${formatAtoms(BigInt(found.sale.fee))}`}
              />
              <Line label="You receive" value={atoms(found?.received)} unit="JLP" />
            </>
          ) : null}
        </Lines>
        {unsold > 0n ? (
          <p className="warn small">{amount(unsold)} of them do not sell now: they are paid in kind.</p>
        ) : null}
      </Tabs>
      <p className="said">
        Liquidity stays at least five minutes after it was added, so that nobody provides it for a single trade. What it
        has earned is paid with it.
      </p>
      {sell ? <ToleranceSelect value={toleranceBps} onChange={setTolerance} /> : null}
      <button
        type="button"
        className="button primary wide"
        disabled={why !== undefined || isBusy || isSent || found === undefined}
        onClick={() => {
          setSent(true)
          const wish = { market: range.market, lower, upper, shareBps: share * 100, sell, toleranceBps }
          void send(removeLiquidity(wish)).then(sent => {
            if (sent === undefined) setSent(false)
            else onDone()
          })
        }}
      >
        {why ?? `Take out ${share} %`}
      </button>
    </>
  )
}
