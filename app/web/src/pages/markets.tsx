/** What there is to trade, and the pool that pays for it. */
import { useMemo } from 'react'
import { useNow, useStale } from '../chain.ts'
import { CurveChart, Legend, Sparkline } from '../charts/index.tsx'
import { type Column, ErrorBanner, Figure, Figures, Line, Lines, Num, Panel, Table, Why } from '../components/index.tsx'
import { useCandles, useJlp, useMarkets, useOracle } from '../data.ts'
import { amount, day, duration, formatTime, percent, price, real, signedPercent, usd } from '../format.ts'
import { href } from '../router.ts'
import { exact, type Jlp, type Market, type Oracle } from '../types.ts'
import './markets.css'

const DAY = 86_400
/** Of the sparkline: 14 days. */
const SPARK = 14 * DAY

/** Said where something is other than open; that a coupon is due is nothing to wait for. */
const Status = ({ market: { status, says } }: { readonly market: Market }) =>
  status === 'open' || status === 'coupon-due' ? null : (
    <span className={status === 'matured' ? 'badge' : 'badge warn'} title={says}>
      {status === 'reduce-only' ? 'exits only' : status}
    </span>
  )

const NONE = <span className="muted">–</span>
const isOver = ({ tauSeconds }: Market): boolean => tauSeconds === 0

const Implied = ({ market, official }: { readonly market: Market; readonly official: number | undefined }) => {
  // The same question for days, however fast the clock runs.
  const from = market.time - (market.time % (5 * DAY)) - SPARK
  const { data } = useCandles(market.market, '1h', from)
  const values = data?.rows.map(({ apy }) => real(exact(apy.close))) ?? []
  const now = real(exact(market.impliedApy))
  const all = [...values, now]
  return (
    <div className="implied">
      <Num>{percent(exact(market.impliedApy))}</Num>
      <Sparkline
        label={`Implied APY of ${market.market} over two weeks, now ${percent(exact(market.impliedApy))}`}
        series={[
          { colour: 'accent', values: all },
          ...(official === undefined ? [] : [{ colour: 'official', values: all.map(() => official) }]),
        ]}
      />
    </div>
  )
}

const Edge = ({ market }: { readonly market: Market }) => {
  const edge = market.leadingEdge
  if (edge === null) return <span className="muted">none</span>
  const points = exact(edge)
  return (
    <span className={`num ${points >= 0n ? 'long' : 'short'}`}>
      {points >= 0n ? '▲ ' : '▼ '}
      {signedPercent(points)}
    </span>
  )
}

const MarketTable = ({
  markets,
  now,
  oracle,
}: {
  readonly markets: readonly Market[] | undefined
  readonly now: number | undefined
  readonly oracle: Oracle | undefined
}) => {
  const official = oracle === undefined ? undefined : oracle.official.apyPercent / 100
  const columns: Column<Market>[] = [
    {
      name: 'Market',
      cell: market => (
        <div className="market">
          <span className="row">
            <a href={href('trade', market.market)}>
              <strong>{market.market}</strong>
            </a>
            <Status market={market} />
          </span>
          <span className="muted small">{market.kind} coupons</span>
        </div>
      ),
    },
    {
      name: 'Time left',
      end: true,
      cell: ({ maturity }) => (
        <div className="market end">
          <Num>{now === undefined ? undefined : maturity > now ? duration(maturity - now) : 'matured'}</Num>
          <span className="muted small num">{day(maturity)}</span>
        </div>
      ),
    },
    {
      name: (
        <>
          Implied APY
          <Why>
            The yield that the price of YT stands for. Who buys YT at an implied APY of 20 % earns if JLP yields more
            than that until maturity. The line is the last two weeks; the orange one is the official APY.
          </Why>
        </>
      ),
      label: 'Implied APY',
      end: true,
      cell: market => (isOver(market) ? NONE : <Implied market={market} official={official} />),
    },
    {
      name: (
        <>
          Leading less implied
          <Why>
            What the running week is expected to print, compounded, less the implied APY. Above zero speaks for YT
            (long), below for PT (short) — if the weeks after it are like it.
          </Why>
        </>
      ),
      label: 'Leading less implied',
      end: true,
      cell: market => (isOver(market) ? NONE : <Edge market={market} />),
    },
    {
      name: (
        <>
          YT price
          <Why>
            What the yield of one ST until maturity costs. It falls to zero at maturity because by then all of its yield
            has been paid out as coupons: that is no loss by itself.
          </Why>
        </>
      ),
      label: 'YT price',
      end: true,
      cell: market => (isOver(market) ? NONE : <Num unit="ST">{price(exact(market.ytPrice))}</Num>),
    },
    {
      name: (
        <>
          PT fixed APY
          <Why>
            What holding PT to maturity brings against simply holding JLP with its yield sold: fixed from today.
          </Why>
        </>
      ),
      label: 'PT fixed APY',
      end: true,
      cell: market => (isOver(market) ? NONE : <Num>{percent(exact(market.ptFixedApy))}</Num>),
    },
    {
      name: (
        <>
          Depth ±1 point
          <Why>YT that can be bought before the implied APY is one point higher, and sold before it is one lower.</Why>
        </>
      ),
      label: 'Depth up / down',
      end: true,
      cell: ({ depth }) => <Num unit="YT">{`${amount(BigInt(depth.up), 0)} / ${amount(BigInt(depth.down), 0)}`}</Num>,
    },
    {
      name: 'Open interest',
      end: true,
      cell: ({ openInterest }) => (
        <Num unit="YT">{`${amount(BigInt(openInterest.longYt), 0)} / ${amount(BigInt(openInterest.shortYt), 0)}`}</Num>
      ),
      label: 'Long / short',
    },
    { name: 'TVL', end: true, cell: ({ tvl }) => <Num unit="JLP">{amount(BigInt(tvl), 0)}</Num> },
    {
      name: 'Volume 24 h',
      end: true,
      cell: ({ volume24h }) =>
        volume24h === null ? (
          <span className="muted">no index</span>
        ) : (
          <Num unit="JLP">{amount(BigInt(volume24h.jlp), 0)}</Num>
        ),
    },
    {
      name: <span className="hidden-visually">Trade</span>,
      label: 'Open',
      end: true,
      cell: ({ market }) => (
        <a className="button small" href={href('trade', market)}>
          Trade<span className="hidden-visually"> {market}</span>
        </a>
      ),
    },
  ]
  return (
    <Table
      caption="All markets by maturity"
      columns={columns}
      // Those that have matured come last.
      rows={markets && [...markets].sort((a, b) => Number(isOver(a)) - Number(isOver(b)) || a.maturity - b.maturity)}
      id={({ address }) => address}
      empty="There is no market on this chain yet"
    />
  )
}

const TermStructure = ({
  markets,
  oracle,
}: {
  readonly markets: readonly Market[] | undefined
  readonly oracle: Oracle | undefined
}) => {
  const shown = useMemo(() => {
    const open = (markets ?? []).filter(({ tauSeconds }) => tauSeconds > 0)
    const daysTo = ({ maturity, time }: Market) => Math.round((maturity - time) / 3600) / 24
    const x = [...new Set(open.map(daysTo))].sort((a, b) => a - b)
    const of = (kind: Market['kind']) =>
      x.map(at => {
        const found = open.find(market => market.kind === kind && daysTo(market) === at)
        return found === undefined ? null : real(exact(found.impliedApy)) * 100
      })
    const curves = (['hourly', 'weekly'] as const)
      .filter(kind => open.some(market => market.kind === kind))
      .map(kind => ({
        name: kind === 'hourly' ? 'Hourly coupons' : 'Weekly coupons',
        colour: kind === 'hourly' ? 'accent' : 'leading',
        values: of(kind),
        points: 'too' as const,
      }))
    // With nothing on either side a lone point lies on the frame.
    const [first, last] = [x[0] ?? 0, x.at(-1) ?? 0]
    const room = Math.max(4, (last - first) * 0.08)
    return {
      x: x.length === 0 ? [] : [Math.max(0, first - room), ...x, last + room],
      curves: curves.map(curve => ({ ...curve, values: [null, ...curve.values, null] })),
    }
  }, [markets])
  const markers = useMemo(
    () =>
      oracle === undefined
        ? []
        : [
            { axis: 'y' as const, at: oracle.official.apyPercent, name: 'official APY', colour: 'official' },
            ...(oracle.leading === null
              ? []
              : [{ axis: 'y' as const, at: oracle.leading.apyPercent, name: 'leading APY', colour: 'leading' }]),
          ],
    [oracle],
  )
  return (
    <Panel title="Term structure" aside={<Legend items={shown.curves.map(({ name, colour }) => ({ name, colour }))} />}>
      <CurveChart
        label="Implied APY by days to maturity"
        height={260}
        x={shown.x}
        curves={shown.curves}
        markers={markers}
        formatX={value => `${value.toFixed(0)} d`}
        formatY={value => `${value.toFixed(1)}%`}
        empty="No market is open"
        includeY={markers.map(({ at }) => at)}
      />
    </Panel>
  )
}

const Rates = ({ oracle, now }: { readonly oracle: Oracle | undefined; readonly now: number | undefined }) => {
  const stale = useStale()
  const leading = oracle?.leading
  return (
    <Panel label="What JLP yields">
      <Figures>
        <Figure
          large
          stale={stale}
          label="Official APR"
          value={oracle === undefined ? undefined : `${oracle.official.aprPercent.toFixed(2)}%`}
          note={
            oracle === undefined
              ? ' '
              : `printed ${day(oracle.official.publishedAt)}, ${oracle.official.apyPercent.toFixed(2)}% APY`
          }
          why="What Jupiter last published for JLP: 75 % of last week's fees over the pool's assets, scaled to a year. It is up to a week old."
        />
        <Figure
          large
          stale={stale}
          label="Leading APR"
          value={
            oracle === undefined
              ? undefined
              : leading === null || leading === undefined
                ? 'none'
                : `${leading.aprPercent.toFixed(2)}%`
          }
          note={
            leading === null || leading === undefined
              ? ' '
              : `${leading.lowPercent.toFixed(1)} to ${leading.highPercent.toFixed(1)}% with ${leading.coverage}%, ${leading.daysKnown} of 7 days known`
          }
          why="What the running week will print, predicted from its days that are over. The band is where past predictions fell as often as it says."
        />
        <Figure
          large
          stale={stale}
          label="Running week so far"
          value={
            oracle === undefined
              ? undefined
              : oracle.runRate.aprPercent === null
                ? 'none'
                : `${oracle.runRate.aprPercent.toFixed(2)}%`
          }
          unit="APR"
          note={oracle === undefined ? ' ' : `${usd(Number(oracle.runRate.realizedUsd) / 1e6, 2)} of fees to the pool`}
        />
        <Figure
          large
          stale={stale}
          label="Next print"
          value={oracle === undefined || now === undefined ? undefined : duration(oracle.nextPrintAt - now)}
          note={oracle === undefined ? ' ' : formatTime(oracle.nextPrintAt)}
          why="The first full hour at which Jupiter can publish the next weekly figure. Hourly coupons are paid every hour meanwhile."
        />
      </Figures>
    </Panel>
  )
}

const Weight = ({ custody }: { readonly custody: Jlp['holdings']['custodies'][number] }) => {
  const most = Math.max(60, custody.highestPercent)
  return (
    <span
      className="bar weight"
      role="img"
      aria-label={`${custody.weightPercent.toFixed(1)} % of a target of ${custody.targetPercent} %`}
    >
      <i className="fill" style={{ width: `${(custody.weightPercent / most) * 100}%` }} />
      <b className="mark" style={{ left: `${(custody.targetPercent / most) * 100}%` }} />
    </span>
  )
}

const JlpPanel = () => {
  const { data: jlp, error } = useJlp()
  const of = (source: 'chain' | 'recorded', at: number): string =>
    source === 'chain' ? `chain, ${formatTime(at)}` : `recorded ${formatTime(at)}`
  const dollars = (value: string | null | undefined, digits = 2): string | undefined =>
    value === undefined ? undefined : value === null ? 'none' : usd(Number(value) / 1e6, digits)
  return (
    <Panel
      title="The pool behind JLP"
      aside={<span className="badge">{jlp?.pool.testSupply ? 'test JLP' : 'JLP'}</span>}
    >
      <ErrorBanner error={error} />
      <Figures>
        <Figure
          label="Virtual price"
          value={
            jlp === undefined
              ? undefined
              : jlp.pool.virtualPrice === null
                ? 'none'
                : (Number(jlp.pool.virtualPrice) / 1e6).toFixed(4)
          }
          unit="USD"
          why="The pool's assets for each JLP. On a local chain the supply is that of test JLP, so that this is not the price on Solana."
          note={jlp === undefined ? ' ' : of(jlp.pool.source, jlp.pool.asOf)}
        />
        <Figure
          label="Assets (AUM)"
          value={dollars(jlp?.pool.aumUsd)}
          note={
            jlp === undefined ? ' ' : `of at most ${usd(Number(jlp.pool.maxAumUsd) / 1e6)}, minting ${jlp.pool.minting}`
          }
        />
        <Figure
          label="Fees since the last print"
          value={dollars(jlp?.fees.realizedUsd)}
          note={jlp === undefined ? ' ' : `the pool's ${100 - jlp.fees.protocolSharePercent} %`}
        />
        <Figure
          label="Stablecoins, really"
          value={jlp === undefined ? undefined : `${jlp.holdings.realStablePercent.toFixed(1)}%`}
          why="Crypto that traders have borrowed for longs is owed to the pool in dollars: counted so, more of the pool is dollars than its coins say."
          note={jlp === undefined ? ' ' : `${jlp.holdings.stablePercent.toFixed(1)}% at face value`}
        />
      </Figures>
      <Table
        caption="What the pool holds"
        dense
        columns={[
          { name: 'Token', cell: ({ symbol }) => <strong>{symbol}</strong> },
          { name: 'Price', end: true, cell: ({ priceUsd }) => <Num unit="USD">{priceUsd}</Num> },
          {
            name: 'Weight against target',
            cell: custody => (
              <span className="row weights">
                <Weight custody={custody} />
                <Num unit={`of ${custody.targetPercent}%`}>{`${custody.weightPercent.toFixed(1)}%`}</Num>
              </span>
            ),
          },
          {
            name: 'Utilisation',
            end: true,
            cell: ({ utilisationPercent }) => <Num>{`${utilisationPercent.toFixed(1)}%`}</Num>,
          },
          {
            name: 'Borrow rate',
            end: true,
            cell: ({ borrowPercentAnHour }) => <Num unit="an hour">{`${borrowPercentAnHour.toFixed(4)}%`}</Num>,
          },
          {
            name: 'Fees waiting',
            end: true,
            cell: ({ feesWaitingUsd }) => <Num>{usd(Number(feesWaitingUsd) / 1e6)}</Num>,
          },
        ]}
        rows={jlp?.holdings.custodies}
        id={({ symbol }) => symbol}
        empty="Nothing is known of its custodies"
      />
      {jlp === undefined ? null : (
        <p className="muted small">
          Holdings {of(jlp.holdings.source, jlp.holdings.asOf)}
          {jlp.holdings.source === 'recorded'
            ? ': this chain has no custodies, so these are as they once were on Solana'
            : ''}
          .
        </p>
      )}
      <LastWeek week={jlp?.lastWeek} />
    </Panel>
  )
}

const LastWeek = ({ week }: { readonly week: Jlp['lastWeek'] | undefined }) => {
  if (week === null || week === undefined) return null
  const { bySource, change } = week
  const points = (value: number): string => `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(2)} points`
  return (
    <div className="stack">
      <h3>
        Last full week, from {day(week.from)}
        {week.fees === 'real' ? '' : ` (${week.fees})`}
      </h3>
      <Lines>
        <Line label="All fees" value={usd(Number(week.feesUsd) / 1e6, 2)} />
        <Line
          label="of closing positions"
          value={bySource.closeUsd === null ? 'not recorded' : usd(Number(bySource.closeUsd) / 1e6, 2)}
          why="Fees by source are recorded in part only. What is not known is not shown."
        />
        <Line
          label="of opening, borrowing, swaps, minting and redeeming"
          value={bySource.restUsd === null ? 'not recorded' : usd(Number(bySource.restUsd) / 1e6, 2)}
        />
        <Line label="APR" value={`${week.aprPercent.toFixed(2)}%`} />
        {change === null ? null : (
          <Line
            label="against the week before"
            value={points(change.points)}
            note={`by fees ${points(change.byFees)}, by assets ${points(change.byTvl)}`}
          />
        )}
      </Lines>
    </div>
  )
}

export default function Markets() {
  const { markets, error } = useMarkets()
  const oracle = useOracle()
  const now = useNow()
  return (
    <>
      <div>
        <h1>Markets</h1>
        <p className="muted">
          JLP pays a yield that changes every week. Here it is traded: buy it with leverage (YT, long), sell it (short),
          or lock it (PT).
        </p>
      </div>
      <Rates oracle={oracle} now={now} />
      <ErrorBanner error={error} />
      <Panel title="By maturity" flush>
        <MarketTable markets={markets} now={now} oracle={oracle} />
      </Panel>
      <div className="grid markets-grid">
        <TermStructure markets={markets} oracle={oracle} />
        <JlpPanel />
      </div>
    </>
  )
}
