/** What was and what lies there: implied against realised APY, the price of YT, depth, and the last trades. */
import { useCallback, useMemo, useState } from 'react'
import { apyFromRate, type RateQ64 } from '../../../../../amm/index.ts'
import { useChain } from '../../chain.ts'
import { CurveChart, Legend, TimeChart } from '../../charts/index.tsx'
import { Choice, Num, Panel, Table, Tabs } from '../../components/index.tsx'
import { useCandles, useHasIndex, useNoHistory } from '../../data.ts'
import { amount, brief, day, formatTime, moment, percent, price, real, short, tokens } from '../../format.ts'
import type { Snapshot } from '../../kernel.ts'
import { useUpdates } from '../../live.ts'
import { useRead } from '../../store.ts'
import { exact, type Market, type Oracle, type OracleHistory, type Page, type Trade } from '../../types.ts'
import { useSigner } from '../../wallet/wallet.tsx'

const DAY = 86_400
/** Days. */
const WEEK = 7
const WIDTHS = { '1m': 60, '1h': 3600, '1d': DAY } as const
type Width = keyof typeof WIDTHS
/** Candles that are shown at most. */
const SHOWN = 700

type View = 'apy' | 'price' | 'depth'

export const Charts = ({
  market,
  snapshot,
  oracle,
}: {
  readonly market: Market | undefined
  readonly snapshot: Snapshot | undefined
  readonly oracle: Oracle | undefined
}) => {
  const [view, setView] = useState<View>('apy')
  const [width, setWidth] = useState<Width>('1h')
  const seconds = WIDTHS[width]
  const { speed = 1 } = useChain() ?? {}
  // The same question for a minute at least, however fast the clock runs.
  const step = Math.max(100 * seconds, 60 * speed)
  const time = market?.time
  const from = time === undefined ? undefined : Math.max(0, time - (time % step) - SHOWN * seconds)
  const { data } = useCandles(market?.market, width, from)
  const empty = useNoHistory() ?? 'Nothing was traded yet'
  return (
    <Panel label="Charts" className="charts">
      <Tabs
        label="Chart"
        value={view}
        onChange={setView}
        options={[
          { value: 'apy', text: 'Implied and realised APY' },
          { value: 'price', text: 'YT price' },
          { value: 'depth', text: 'Depth' },
        ]}
      >
        {view === 'depth' ? (
          <Depth snapshot={snapshot} />
        ) : (
          <>
            <div className="spread chart-head">
              {view === 'apy' ? (
                <Legend
                  items={[
                    { name: 'implied', colour: 'accent' },
                    { name: 'realised by JLP over seven days', colour: 'official' },
                    { name: 'leading now', colour: 'leading', dashed: true },
                  ]}
                />
              ) : (
                <span className="muted small">ST per YT</span>
              )}
              <Choice
                label="Width"
                value={width}
                onChange={setWidth}
                options={(Object.keys(WIDTHS) as Width[]).map(value => ({ value, text: value }))}
              />
            </div>
            {view === 'apy' ? (
              <Apy rows={data?.rows} market={market} oracle={oracle} empty={empty} />
            ) : (
              <Price rows={data?.rows} empty={empty} />
            )}
          </>
        )}
      </Tabs>
    </Panel>
  )
}

type Rows = Page<import('../../types.ts').Candle>['rows'] | undefined

const startOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 1000

const Apy = ({
  rows,
  market,
  oracle,
  empty,
}: {
  readonly rows: Rows
  readonly market: Market | undefined
  readonly oracle: Oracle | undefined
  readonly empty: string
}) => {
  // The same question for a month of the chain's.
  const since = market === undefined ? undefined : day(market.time - (market.time % (30 * DAY)) - 44 * DAY)
  const { data: history } = useRead<OracleHistory>(
    since === undefined ? undefined : '/v1/oracle/history',
    { width: 'day', from: since, limit: 400 },
    { every: 60_000 },
  )
  const series = useMemo(() => {
    const implied = (rows ?? []).map(({ start, apy }) => ({ time: start, value: real(exact(apy.close)) * 100 }))
    const last = market === undefined ? undefined : { time: market.time, value: real(exact(market.impliedApy)) * 100 }
    const points = last === undefined ? implied : [...implied.filter(({ time }) => time < last.time), last]
    const days = history?.days ?? []
    const realised = days.slice(WEEK - 1).map(({ date }, i) => {
      // The pool has 75 % of all fees; days differ much, so that a week of them is looked at.
      const week = days.slice(i, i + WEEK)
      const yielded = week.reduce((sum, { feesUsd, aumUsd }) => sum + (0.75 * Number(feesUsd)) / Number(aumUsd), 0)
      return { time: startOf(date) + DAY, value: ((1 + yielded / WEEK) ** 365 - 1) * 100 }
    })
    const leading = oracle?.leading?.apyPercent
    const first = realised[0]?.time ?? points[0]?.time
    return [
      { name: 'realised', colour: 'official', points: realised },
      { name: 'implied', colour: 'accent', points },
      ...(leading === undefined || last === undefined || first === undefined || first >= last.time
        ? []
        : [
            {
              name: 'leading',
              colour: 'leading',
              dashed: true,
              points: [
                { time: first, value: leading },
                { time: last.time, value: leading },
              ],
            },
          ]),
    ]
  }, [rows, market, history, oracle])
  return (
    <TimeChart
      label="Implied APY against what JLP has yielded over seven days"
      height={320}
      series={series}
      format={value => `${value.toFixed(2)}%`}
      minMove={0.01}
      empty={empty}
    />
  )
}

const Price = ({ rows, empty }: { readonly rows: Rows; readonly empty: string }) => {
  const series = useMemo(
    () => [
      {
        name: 'YT price',
        colour: 'accent',
        candles: (rows ?? []).map(({ start, price }) => ({
          time: start,
          open: real(exact(price.open)),
          high: real(exact(price.high)),
          low: real(exact(price.low)),
          close: real(exact(price.close)),
        })),
      },
    ],
    [rows],
  )
  return (
    <TimeChart
      label="Price of YT in ST"
      height={320}
      series={series}
      format={value => value.toFixed(6)}
      minMove={0.000001}
      empty={empty}
    />
  )
}

/** Points of APY to either side, and steps. */
const REACH = 12
const STEPS = 48

/** YT that trading from the rate to each APY around it moves. */
const depthOf = ({ reading: { pool } }: Snapshot) => {
  const stretches = pool.ticks
    .slice(0, -1)
    .reduce<{ from: number; to: number; liquidity: number }[]>((all, tick, i) => {
      const liquidity = (all.at(-1)?.liquidity ?? 0) + tokens(tick.net)
      all.push({ from: real(tick.rate), to: real(pool.ticks[i + 1]!.rate), liquidity })
      return all
    }, [])
  const between = (low: number, high: number): number =>
    stretches.reduce((sum, { from, to, liquidity }) => {
      const width = Math.min(to, high) - Math.max(from, low)
      return width > 0 ? sum + liquidity * width : sum
    }, 0)
  const rate = real(pool.rate)
  const apy = real(apyFromRate(pool.rate as RateQ64))
  const x = Array.from({ length: 2 * STEPS + 1 }, (_, i) => apy + ((i - STEPS) / STEPS) * (REACH / 100)).filter(
    at => at > 0,
  )
  return {
    x: x.map(at => at * 100),
    below: x.map(at => (at <= apy + 1e-12 ? between(Math.log1p(at), rate) : null)),
    above: x.map(at => (at >= apy - 1e-12 ? between(rate, Math.log1p(at)) : null)),
    apy: apy * 100,
  }
}

const Depth = ({ snapshot }: { readonly snapshot: Snapshot | undefined }) => {
  const { x, curves, markers } = useMemo(() => {
    if (snapshot === undefined) return { x: [], curves: [], markers: [] }
    const { x, below, above, apy } = depthOf(snapshot)
    return {
      x,
      curves: [
        { name: 'shorts can sell', colour: 'short', values: below, filled: true },
        { name: 'longs can buy', colour: 'long', values: above, filled: true },
      ],
      markers: [{ axis: 'x' as const, at: apy, name: `implied ${apy.toFixed(2)}%`, colour: 'accent' }],
    }
  }, [snapshot])
  return (
    <>
      <div className="chart-head">
        <Legend
          items={[
            { name: '▼ YT that shorts can sell down to an APY', colour: 'short' },
            { name: '▲ YT that longs can buy up to an APY', colour: 'long' },
          ]}
        />
      </div>
      <CurveChart
        label="YT that can be traded by implied APY"
        height={320}
        x={x}
        curves={curves}
        markers={markers}
        formatX={value => `${value.toFixed(1)}%`}
        formatY={short}
        empty="The market is being read"
      />
    </>
  )
}

// ---- trades ----------------------------------------------------------------------------------------------------------------

const CAUSES: Readonly<Record<string, string>> = { trade: '', fill: 'order', liquidation: 'liquidation', fund: 'fund' }

export const Trades = ({ market }: { readonly market: string | undefined }) => {
  const hasIndex = useHasIndex()
  const me = useSigner()?.address
  const { data, reload, error } = useRead<Page<Trade>>(
    hasIndex && market !== undefined ? `/v1/markets/${market}/trades` : undefined,
    { limit: 20 },
    { every: 10_000 },
  )
  const missing = useNoHistory() ?? (error === undefined ? undefined : 'Not known now')
  const onChange = useCallback(() => void reload(), [reload])
  useUpdates(market === undefined ? undefined : `market:${market}`, onChange)
  return (
    <Panel title="Recent trades" className="trades" flush>
      <Table
        caption="Recent trades"
        dense
        rows={missing === undefined ? data?.rows : []}
        id={({ signature, slot, side, filled }) => `${signature}${slot}${side}${filled}`}
        empty={missing ?? 'Nothing was traded yet'}
        columns={[
          {
            name: 'Time',
            cell: ({ time }) => (
              <span className="num" title={formatTime(time)}>
                {moment(time)}
              </span>
            ),
          },
          {
            name: 'Trade',
            cell: ({ side, cause }) => {
              // Who buys PT sells the YT of it.
              const isUp = side === 'buy-yt' || side === 'sell-pt'
              return (
                <span className={`what ${isUp ? 'long' : 'short'}`}>
                  <span aria-hidden="true">{isUp ? '▲' : '▼'}</span> {side.startsWith('buy') ? 'Buys' : 'Sells'}{' '}
                  {side.slice(-2).toUpperCase()}
                  {CAUSES[cause] ? <span className="unit">{CAUSES[cause]}</span> : null}
                </span>
              )
            },
          },
          { name: 'Amount', end: true, cell: ({ filled }) => <Num>{amount(BigInt(filled))}</Num> },
          { name: 'JLP', end: true, cell: ({ amount: paid }) => <Num>{amount(BigInt(paid))}</Num> },
          { name: 'YT price', end: true, cell: ({ price: at }) => <Num unit="ST">{price(exact(at))}</Num> },
          { name: 'Implied APY after', end: true, cell: ({ apy }) => <Num>{percent(exact(apy))}</Num> },
          {
            name: 'Who',
            end: true,
            cell: ({ owner }) =>
              owner === me && me !== undefined ? (
                <strong>you</strong>
              ) : (
                <span className="num muted">{owner === null ? 'fund' : brief(owner)}</span>
              ),
          },
        ]}
      />
    </Panel>
  )
}
