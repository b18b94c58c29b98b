/** A fixed APY to a date: PT bought with JLP, sold early or redeemed. */
import { useState } from 'react'
import { useNow, useStale } from '../chain.ts'
import { ErrorBanner, Num, Panel, Table, Tabs } from '../components/index.tsx'
import { isLive, timeLeft, WalletNeeded } from '../components/shared.tsx'
import { useMarkets, useOracle, useOwner } from '../data.ts'
import { day, percent, price } from '../format.ts'
import { go, useRoute } from '../router.ts'
import { exact, type Market } from '../types.ts'
import { useSigner } from '../wallet/wallet.tsx'
import { AgainstHolding, FixForm } from './earn/form.tsx'
import { HeldPts } from './earn/held.tsx'
import { LeveragedPt } from './earn/leveraged.tsx'
import { SpreadCalculator } from './earn/spread.tsx'

type View = 'holding' | 'spread' | 'leveraged'

export default function Earn() {
  const { rest } = useRoute()
  const signer = useSigner()
  const now = useNow()
  const stale = useStale()
  const { markets: all, error } = useMarkets()
  const oracle = useOracle()
  const { owner, error: unread } = useOwner(signer?.address)
  const [view, setView] = useState<View>('holding')
  const open = all?.filter(isLive)
  const market = all?.find(one => one.market === rest[0]) ?? open?.[0]
  const jlp = owner === undefined ? undefined : BigInt(owner.wallet.jlp)
  return (
    <>
      <div>
        <h1>Earn</h1>
        <p className="lead">
          Deposit JLP and fix its yield to a date: no margin, no liquidation. What you hold are PT, which pay 1 ST each
          at maturity.
        </p>
      </div>
      <ErrorBanner error={error ?? unread} />
      <WalletNeeded jlp={jlp} why="Connect one to deposit; all figures are there without it." />
      <div className="beside">
        <div className="column">
          <Rates rows={open} chosen={market?.market} now={now} expected={oracle?.expected.apyPercent} stale={stale} />
          {signer === undefined ? null : <HeldPts owner={signer.address} held={owner} markets={all} now={now} />}
          {market === undefined ? null : (
            <Panel label="Calculators">
              <Tabs<View>
                label="Calculators"
                value={view}
                onChange={setView}
                options={[
                  { value: 'holding', text: 'Against holding JLP' },
                  { value: 'spread', text: 'Two maturities' },
                  { value: 'leveraged', text: 'Leveraged PT' },
                ]}
              >
                {view === 'holding' ? (
                  <AgainstHolding market={market} jlp={100_000_000n} />
                ) : view === 'spread' ? (
                  <SpreadCalculator markets={all ?? []} first={market} oracle={oracle} />
                ) : (
                  <LeveragedPt market={market} oracle={oracle} />
                )}
              </Tabs>
            </Panel>
          )}
        </div>
        <div className="column">
          {market === undefined || all === undefined ? (
            <Panel title="Fix an APY">
              <div style={{ minHeight: 560 }} aria-busy="true" />
            </Panel>
          ) : (
            <FixForm
              key={market.market}
              markets={open!.includes(market) ? open! : [market, ...open!]}
              market={market}
              oracle={oracle}
              jlp={jlp}
              onMarket={name => go('earn', name)}
            />
          )}
        </div>
      </div>
    </>
  )
}

const Rates = ({
  rows,
  chosen,
  now,
  expected,
  stale,
}: {
  readonly rows: readonly Market[] | undefined
  readonly chosen: string | undefined
  readonly now: number | undefined
  /** Percent. */
  readonly expected: number | undefined
  readonly stale: string | undefined
}) => (
  <Panel
    title="Fixed APYs"
    aside={
      <span className={stale === undefined ? 'muted small' : 'warn small'}>
        {stale ??
          (expected === undefined
            ? 'live'
            : `live · JLP's pool is expected to pay ${expected.toFixed(2)}% a year this week`)}
      </span>
    }
    flush
  >
    <Table<Market>
      caption="Fixed APY by maturity"
      rows={rows}
      id={({ market }) => market}
      empty="No market is open now. The next one opens with the next maturity."
      columns={[
        {
          name: 'Maturity',
          cell: ({ market, maturity, kind }) => (
            <span>
              {day(maturity)}{' '}
              <span className="muted small">
                {market} · {kind}
              </span>
            </span>
          ),
        },
        { name: 'Time left', end: true, cell: row => <Num>{timeLeft(row, now)}</Num> },
        {
          name: 'Fixed APY',
          end: true,
          cell: ({ ptFixedApy }) => (
            <strong>
              <Num>{percent(exact(ptFixedApy))}</Num>
            </strong>
          ),
        },
        { name: 'PT price', end: true, cell: ({ ptPrice }) => <Num unit="ST">{price(exact(ptPrice), 4)}</Num> },
        {
          name: 'State',
          cell: ({ status }) => (
            <span className={status === 'open' || status === 'coupon-due' ? 'muted small' : 'badge warn'}>
              {status === 'coupon-due' ? 'open' : status}
            </span>
          ),
        },
        {
          name: <span className="hidden-visually">Choose</span>,
          label: 'Choose',
          end: true,
          cell: ({ market }) => (
            <button
              type="button"
              className={market === chosen ? 'button small primary' : 'button small'}
              aria-pressed={market === chosen}
              aria-label={`${market === chosen ? 'Chosen' : 'Choose'} ${market}`}
              onClick={() => go('earn', market)}
            >
              {market === chosen ? 'Chosen' : 'Choose'}
            </button>
          ),
        },
      ]}
    />
  </Panel>
)
