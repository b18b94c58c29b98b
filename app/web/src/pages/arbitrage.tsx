/** Where the market's price and what JLP will pay disagree, and what a trade on it would come to. */
import { useMemo, useState } from 'react'
import { useNow, useStale } from '../chain.ts'
import { CurveChart, Legend } from '../charts/index.tsx'
import { Banner, Choice, ErrorBanner, Line, Lines, Num, Panel, Side, Table } from '../components/index.tsx'
import {
  AmountField,
  atomsIn,
  closedBecause,
  fractionIn,
  isLive,
  MarketBadge,
  MarketSelect,
  PercentField,
  timeLeft,
  useSettled,
} from '../components/shared.tsx'
import { useMarkets, useOracle } from '../data.ts'
import { amount, day, duration, formatAtoms, percent, price, q64Of, signed, tokens } from '../format.ts'
import { useSnapshot } from '../kernel.ts'
import { go, href, useRoute } from '../router.ts'
import { exact, type Market, type Oracle } from '../types.ts'
import { arbitrage, bestSize, type Direction, secondsOf, type Until } from './arbitrage/figures.ts'
import { Errors, OraclePanel, Prints } from './arbitrage/oracle.tsx'

type Edge = Oracle['markets'][number]

interface Row {
  readonly market: Market
  readonly edge: Edge | undefined
}

/** What an edge speaks for. */
const sideOf = (points: number | null | undefined): Direction => ((points ?? 0) < 0 ? 'short' : 'long')

export default function Arbitrage() {
  const { rest } = useRoute()
  const now = useNow()
  const stale = useStale()
  const { markets, error } = useMarkets()
  const oracle = useOracle()
  const open = markets?.filter(isLive)
  const rows = open?.map(market => ({ market, edge: oracle?.markets.find(edge => edge.market === market.market) }))
  const market = open?.find(one => one.market === rest[0]) ?? open?.[0]
  return (
    <>
      <div>
        <h1>Arbitrage</h1>
        <p className="lead">
          A market's implied APY is what YT cost; coupons are what JLP's pool really pays. The official figure is a week
          old, so for some days the market and the coupons can differ. What is left of that after impact and two fees is
          here.
        </p>
      </div>
      <ErrorBanner error={error} />
      <OraclePanel oracle={oracle} now={now} stale={stale} />
      <div className="beside">
        <div className="column">
          <Edges rows={rows} oracle={oracle} chosen={market?.market} now={now} />
          <Prints oracle={oracle} />
          <Errors oracle={oracle} />
        </div>
        <div className="column">
          {market === undefined ? (
            <Panel title="A trade on it">
              {open === undefined ? (
                <div style={{ minHeight: 640 }} aria-busy="true" />
              ) : (
                <p className="muted">No market is open now.</p>
              )}
            </Panel>
          ) : (
            <Calculator
              key={market.market}
              market={market}
              markets={open!}
              edge={rows?.find(row => row.market === market)?.edge}
              oracle={oracle}
            />
          )}
        </div>
      </div>
    </>
  )
}

const Edges = ({
  rows,
  oracle,
  chosen,
  now,
}: {
  readonly rows: readonly Row[] | undefined
  readonly oracle: Oracle | undefined
  readonly chosen: string | undefined
  readonly now: number | undefined
}) => (
  <Panel
    title="Implied against expected"
    aside={
      <span className="muted small">
        {oracle === undefined
          ? ' '
          : `expected ${oracle.expected.apyPercent.toFixed(2)}% APY, by the ${oracle.expected.basis.replace('-', ' ')}`}
      </span>
    }
    flush
  >
    <Table<Row>
      caption="Implied and expected APY by market, and coupon against decay of the running period"
      rows={rows}
      id={({ market: { market } }) => market}
      empty="No market is open now."
      columns={[
        {
          name: 'Market',
          cell: ({ market: row }) => (
            <span>
              {row.market} <span className="muted small">{timeLeft(row, now)}</span>
            </span>
          ),
        },
        { name: 'Implied APY', end: true, cell: ({ market }) => <Num>{percent(exact(market.impliedApy))}</Num> },
        {
          name: 'Edge',
          end: true,
          cell: ({ edge }) =>
            edge?.edgePoints == null ? (
              <span className="muted">—</span>
            ) : (
              <Num unit="pt" tone={sideOf(edge.edgePoints)}>
                {signedNumber(edge.edgePoints, 2)}
              </Num>
            ),
        },
        {
          name: 'Next coupon',
          end: true,
          cell: ({ edge }) => (edge?.perYt == null ? '—' : <Num>{price(exact(edge.perYt.coupon), 6)}</Num>),
        },
        {
          name: 'Decay',
          end: true,
          cell: ({ edge }) => (edge?.perYt == null ? '—' : <Num>{price(exact(edge.perYt.decay), 6)}</Num>),
        },
        {
          name: 'Left, JLP per YT',
          end: true,
          cell: ({ edge }) =>
            edge?.perYt == null ? (
              '—'
            ) : (
              <Num tone={sideOf(Number(edge.perYt.net.decimal))}>{signedNumber(Number(edge.perYt.net.decimal), 6)}</Num>
            ),
        },
        {
          name: 'Speaks for',
          cell: ({ edge }) => (edge?.edgePoints == null ? '—' : <Side side={sideOf(edge.edgePoints)} />),
        },
        {
          name: <span className="hidden-visually">Work it out</span>,
          label: 'Work it out',
          end: true,
          cell: ({ market: { market } }) => (
            <button
              type="button"
              className={market === chosen ? 'button small primary' : 'button small'}
              aria-pressed={market === chosen}
              aria-label={`${market === chosen ? 'Chosen' : 'Work out'} ${market}`}
              onClick={() => go('arbitrage', market)}
            >
              {market === chosen ? 'Chosen' : 'Work out'}
            </button>
          ),
        },
      ]}
    />
  </Panel>
)

/** With its sign in front: of what is foretold, not of money. */
const signedNumber = (value: number, digits: number): string =>
  `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(digits)}`

const UNTIL: Readonly<Record<Until, string>> = {
  coupon: 'Next coupon',
  week: 'A week',
  maturity: 'Maturity',
}

const Calculator = ({
  market,
  markets,
  edge,
  oracle,
}: {
  readonly market: Market
  readonly markets: readonly Market[]
  readonly edge: Edge | undefined
  readonly oracle: Oracle | undefined
}) => {
  const [wanted, setSide] = useState<Direction>()
  const side = wanted ?? sideOf(edge?.edgePoints)
  const [until, setUntil] = useState<Until>('week')
  const [text, setText] = useState('1000')
  const [aprText, setApr] = useState<string>()
  const expected = oracle?.expected.aprPercent
  const shownApr = aprText ?? (expected === undefined ? '' : expected.toFixed(2))
  const { snapshot, error } = useSnapshot(market.market)
  const pool = snapshot?.reading.pool
  const apr = useSettled(fractionIn(shownApr, 5), 120)
  const { atoms: yt } = atomsIn(text)
  const seconds = pool === undefined ? undefined : secondsOf(pool, market.kind, until)
  const made = useMemo(
    () =>
      pool === undefined || seconds === undefined || apr === undefined || yt === undefined || yt === 0n
        ? undefined
        : arbitrage(pool, { side, yt, seconds, apr, kind: market.kind }),
    [pool, seconds, apr, yt, side, market.kind],
  )
  const best = useMemo(
    () =>
      pool === undefined || seconds === undefined || apr === undefined
        ? undefined
        : bestSize(pool, { side, seconds, apr, kind: market.kind }),
    [pool, seconds, apr, side, market.kind],
  )
  const chart = useMemo(() => {
    if (pool === undefined || seconds === undefined || apr === undefined) return { x: [], curves: [], markers: [] }
    const most = Math.max(tokens(best?.yt ?? 0n) * 1.6, tokens(yt ?? 0n) * 1.4, 100)
    const x = Array.from({ length: 31 }, (_, i) => (most * (i + 1)) / 31)
    const values = x.map(size => {
      const one = arbitrage(pool, { side, yt: BigInt(Math.round(size * 1e6)), seconds, apr, kind: market.kind })
      return one === undefined ? null : tokens(one.net)
    })
    return {
      x,
      curves: [{ name: 'net', colour: 'accent', values }],
      markers: [
        { axis: 'y' as const, at: 0, name: '', colour: 'muted' },
        ...(yt === undefined ? [] : [{ axis: 'x' as const, at: tokens(yt), name: 'this size', colour: 'muted' }]),
      ],
    }
  }, [pool, seconds, apr, side, best, yt, market.kind])
  const closed = closedBecause(market, 'risk')
  const net = made?.net
  const why = closed ?? (made === undefined ? 'Say how many YT' : undefined)
  return (
    <Panel title="A trade on it" aside={<MarketBadge market={market} />}>
      <ErrorBanner error={error} />
      <MarketSelect label="Market" value={market.market} markets={markets} onChange={name => go('arbitrage', name)} />
      <Choice
        label="Side"
        className="wide sides"
        value={side}
        onChange={setSide}
        options={[
          { value: 'long', text: <Side side="long" />, className: 'plain' },
          { value: 'short', text: <Side side="short" />, className: 'plain' },
        ]}
      />
      <AmountField label="YT" value={text} onChange={setText} unit="YT" has={undefined} />
      <Choice
        label="Held until"
        className="wide"
        value={until}
        onChange={setUntil}
        options={(Object.keys(UNTIL) as Until[]).map(value => ({ value, text: UNTIL[value] }))}
      />
      <PercentField
        label="The pool pays, APR"
        value={shownApr}
        onChange={setApr}
        most={5}
        help={expected === undefined ? '' : `Expected now: ${expected.toFixed(2)}%`}
      />
      <div style={{ minHeight: 196 }}>
        <Lines>
          <Line
            label={side === 'long' ? 'Coupons received' : 'Coupons paid'}
            value={made === undefined ? undefined : signed(made.coupons, 4)}
            unit="JLP"
            note={seconds === undefined ? undefined : `in ${duration(seconds)}`}
          />
          <Line
            label={side === 'long' ? 'Decay' : 'Decay, in your favour'}
            value={made === undefined ? undefined : signed(-made.decay, 4)}
            unit="JLP"
            why="As time goes by a YT has less yield before it and costs less. At the implied APY, coupons and decay cancel out: an edge is coupons above that."
          />
          <Line
            label="Price impact, both ways"
            value={made === undefined ? undefined : signed(-made.impact, 4)}
            unit="JLP"
          />
          <Line label="Fees, both ways" value={made === undefined ? undefined : signed(-made.fees, 4)} unit="JLP" />
          <Line
            label="What it makes"
            value={net === undefined ? undefined : signed(net, 4)}
            unit="JLP"
            tone={net === undefined ? undefined : net >= 0n ? 'long' : 'short'}
            note={made === undefined ? undefined : `on ${amount(made.amount)} JLP`}
          />
          <Line
            label="Best size"
            value={
              pool === undefined || apr === undefined ? undefined : best === undefined ? 'none pays' : amount(best.yt)
            }
            unit={best === undefined ? undefined : 'YT'}
            note={best === undefined ? undefined : `makes ${amount(best.net)} JLP`}
          />
        </Lines>
      </div>
      {best === undefined ? null : (
        <button type="button" className="button" onClick={() => setText(formatAtoms(best.yt, 2))}>
          Take the best size
        </button>
      )}
      {made !== undefined && !made.complete ? (
        <Banner tone="warn" title={`Only ${amount(made.yt)} YT trade now.`}>
          The figures are of these.
        </Banner>
      ) : null}
      <Legend items={[{ name: 'What it makes by size, JLP', colour: 'accent' }]} />
      <CurveChart
        {...chart}
        height={180}
        formatX={value => value.toFixed(0)}
        formatY={value => value.toFixed(2)}
        label="What the trade makes in JLP over its size in YT"
        empty="Say what the pool pays"
      />
      {why === undefined && made !== undefined ? (
        <a
          className={side === 'long' ? 'button buy wide' : 'button sell wide'}
          href={href('trade', market.market, side, formatAtoms(made.yt))}
        >
          {side === 'long' ? 'Buy' : 'Sell'} {amount(made.yt)} YT on the trade form
        </a>
      ) : (
        <button type="button" className="button primary wide" disabled>
          {why}
        </button>
      )}
      <p className="muted small">
        A prediction: the pool may pay otherwise, others may move the rate, and margin trades can be liquidated
        meanwhile. The rate is taken to stand still; {market.kind} coupons, matures {day(market.maturity)}. Without
        leverage in it: {percent(q64Of((market.feeBps * 1) / 10_000))} of the YT's price is paid at each trade.
      </p>
    </Panel>
  )
}
