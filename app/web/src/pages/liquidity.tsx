/** Liquidity over a range of APYs: chosen over depth and past, with what it turns into and what it may bring. */
import { useEffect, useMemo, useState } from 'react'
import { useNow } from '../chain.ts'
import { CurveChart, Legend } from '../charts/index.tsx'
import { Banner, Choice, ErrorBanner, Line, Lines, Panel } from '../components/index.tsx'
import {
  AmountField,
  atomsIn,
  closedBecause,
  fractionIn,
  isLive,
  MarketBadge,
  MarketSelect,
  MarketState,
  PercentField,
  ToleranceSelect,
  timeLeft,
  WalletNeeded,
} from '../components/shared.tsx'
import { useCandles, useMarkets, useOracle, useOwner } from '../data.ts'
import { amount, percent, q64Of, real, signed, tokens } from '../format.ts'
import { refusalWords, useSnapshot } from '../kernel.ts'
import { go, useRoute } from '../router.ts'
import { useRead } from '../store.ts'
import { exact, type Market } from '../types.ts'
import { useSend } from '../wallet/send.ts'
import { chooseWallet, useSigner } from '../wallet/wallet.tsx'
import { addLiquidity } from '../wallet/wishes.ts'
import { addingTo, apyAtTick, overRates, type Range, rangeAt, sourcesOf } from './liquidity/figures.ts'
import { HeldRanges } from './liquidity/held.tsx'
import { RangePicker } from './liquidity/picker.tsx'

interface Depth {
  readonly buckets: readonly {
    readonly fromApy: { readonly decimal: string }
    readonly toApy: { readonly decimal: string }
    readonly yt: string
  }[]
}

const HOUR = 3600
const PAST_HOURS = 240

const MIDDLE = [0.6, 1.5] as const
/** Ranges around the rate, as parts of it, and the whole grid. */
const PRESETS = [
  ['Narrow', 0.85, 1.15],
  ['Middle', ...MIDDLE],
  ['Wide', 0.3, 2.2],
  ['Whole range', 0, 100],
] as const

export default function Liquidity() {
  const { rest } = useRoute()
  const signer = useSigner()
  const { markets: all, error } = useMarkets()
  const { owner, error: unread } = useOwner(signer?.address)
  const open = all?.filter(isLive)
  const market = all?.find(one => one.market === rest[0]) ?? open?.[0]
  const jlp = owner === undefined ? undefined : BigInt(owner.wallet.jlp)
  return (
    <>
      <div>
        <h1>Liquidity</h1>
        <p className="lead">
          Provide what others trade against, over a range of implied APYs. You earn fees while the rate is in your
          range, and you cannot be liquidated: the YT that you sell are issued against your own ST.
        </p>
      </div>
      <ErrorBanner error={error ?? unread} />
      <WalletNeeded jlp={jlp} why="Connect one to provide liquidity; all figures are there without it." />
      {market === undefined ? (
        <Panel label="Range">
          <div style={{ minHeight: 640 }} aria-busy="true" />
        </Panel>
      ) : (
        <Provide
          key={market.market}
          market={market}
          markets={open!.includes(market) ? open! : [market, ...open!]}
          jlp={jlp}
        />
      )}
      {signer === undefined ? null : <HeldRanges owner={signer.address} held={owner} markets={all} />}
    </>
  )
}

const Provide = ({
  market,
  markets,
  jlp: has,
}: {
  readonly market: Market
  readonly markets: readonly Market[]
  readonly jlp: bigint | undefined
}) => {
  const signer = useSigner()
  const now = useNow()
  const { send, isBusy } = useSend()
  const { snapshot, error } = useSnapshot(market.market)
  const oracle = useOracle()
  const [range, setRange] = useState<Range>()
  const [typed, setTyped] = useState<{ readonly end: 'lower' | 'upper'; readonly text: string }>()
  const [text, setText] = useState('100')
  const [toleranceBps, setTolerance] = useState(50)
  const [days, setDays] = useState<'7' | '30' | 'all'>('7')
  const depth = useRead<Depth>(`/v1/markets/${market.market}/depth`, { width: 100 }, { every: 5000 })
  // The hour that was, so that the question stays the same for as long.
  const from = Math.floor(market.time / HOUR / 24) * HOUR * 24 - PAST_HOURS * HOUR
  const candles = useCandles(market.market, '1h', from)

  const implied = real(exact(market.impliedApy))
  const pool = snapshot?.reading.pool
  const grid = pool?.grid
  // Chosen once when the market is known, so that it stands still while the rate moves.
  useEffect(() => {
    if (range === undefined && grid !== undefined) setRange(rangeAt(implied * MIDDLE[0], implied * MIDDLE[1], grid))
  }, [range, grid, implied])
  const [lowerApy, upperApy] =
    range === undefined ? [implied * 0.6, implied * 1.5] : [apyAtTick(range.lower), apyAtTick(range.upper)]
  const whole = grid === undefined ? 4 : apyAtTick(grid.maxTick)
  // Wide enough for what is chosen, and still while the rate moves a little.
  const most = Math.min(whole, Math.ceil(Math.max(implied * 2, Math.min(upperApy, whole) * 1.1) * 10) / 10)

  const { atoms } = atomsIn(text)
  const added = useMemo(
    () =>
      pool === undefined || range === undefined || atoms === undefined || atoms === 0n
        ? undefined
        : addingTo(pool, range, atoms, toleranceBps),
    [pool, range, atoms, toleranceBps],
  )
  const good = added?.kind === 'added' ? added : undefined
  const refusal = added?.kind === 'rejected' ? refusalWords(added) : undefined
  const chart = useMemo(() => {
    if (good === undefined) return { x: [], curves: [], markers: [] }
    const x = Array.from({ length: 81 }, (_, i) => (most * (i + 0.2)) / 81)
    const there = overRates(good, x)
    return {
      x,
      curves: [
        { name: 'worth, JLP', colour: 'accent', values: there.map(({ value }) => value) },
        { name: 'PT in it', colour: 'short', dashed: true, values: there.map(({ pt }) => pt) },
        { name: 'YT in it', colour: 'long', dashed: true, values: there.map(({ yt }) => yt) },
      ],
      markers: [
        { axis: 'x' as const, at: lowerApy, name: 'lower', colour: 'accent' },
        { axis: 'x' as const, at: upperApy, name: 'upper', colour: 'accent' },
        { axis: 'x' as const, at: implied, name: 'now', colour: 'muted' },
      ],
    }
  }, [good, most, lowerApy, upperApy, implied])
  const expected = oracle === undefined ? undefined : oracle.expected.apyPercent / 100
  const fees = market.volume24h === null ? undefined : BigInt(market.volume24h.fees)
  const lpShareBps = snapshot?.reading.terms.lpShareBps
  const sources = useMemo(
    () =>
      good === undefined || expected === undefined || lpShareBps === undefined
        ? undefined
        : sourcesOf(good, {
            expectedApy: expected,
            feesADay: fees ?? 0n,
            lpShareBps,
            days: days === 'all' ? 1000 : Number(days),
          }),
    [good, expected, fees, lpShareBps, days],
  )

  const put = (end: 'lower' | 'upper', apy: number): void => {
    if (grid === undefined) return
    const next = end === 'lower' ? rangeAt(apy, upperApy, grid) : rangeAt(lowerApy, Math.max(apy, lowerApy), grid)
    if (end === 'lower' && range !== undefined && next.lower >= range.upper) return
    setTyped(undefined)
    setRange(
      end === 'upper' && range !== undefined
        ? { lower: range.lower, upper: Math.max(next.upper, range.lower + grid.spacing) }
        : { ...next, upper: range?.upper ?? next.upper },
    )
  }
  const step = (end: 'lower' | 'upper', steps: number): void => {
    if (grid === undefined || range === undefined) return
    const { spacing, minTick, maxTick } = grid
    const to = (end === 'lower' ? range.lower : range.upper) + steps * spacing
    setTyped(undefined)
    setRange(
      end === 'lower'
        ? { ...range, lower: Math.max(minTick, Math.min(to, range.upper - spacing)) }
        : { ...range, upper: Math.min(maxTick, Math.max(to, range.lower + spacing)) },
    )
  }
  const type = (end: 'lower' | 'upper', value: string): void => {
    const apy = fractionIn(value, 5)
    if (apy !== undefined) put(end, apy)
    setTyped({ end, text: value })
  }
  const textOf = (end: 'lower' | 'upper'): string =>
    typed?.end === end ? typed.text : ((end === 'lower' ? lowerApy : upperApy) * 100).toFixed(2)

  const closed = closedBecause(market, 'risk')
  const why =
    closed ??
    (atoms === undefined || atoms === 0n
      ? 'Say how much JLP'
      : has !== undefined && atoms > has
        ? 'More JLP than the wallet has'
        : refusal !== undefined
          ? refusal.message
          : good === undefined
            ? 'Working it out'
            : undefined)
  const buckets = useMemo(
    () =>
      (depth.data?.buckets ?? []).map(({ fromApy, toApy, yt }) => ({
        from: Number(fromApy.decimal),
        to: Number(toApy.decimal),
        yt: tokens(BigInt(yt)),
      })),
    [depth.data],
  )
  const past = useMemo(
    () => candles.data?.rows.map(({ start, apy }) => ({ time: start, apy: Number(apy.close.decimal) })),
    [candles.data],
  )
  return (
    <div className="beside">
      <div className="column">
        <Panel
          title="Range"
          aside={
            <span className="muted small">
              {market.market} · {timeLeft(market, now) ?? ' '} left · implied {percent(exact(market.impliedApy))}
            </span>
          }
        >
          <RangePicker
            lower={lowerApy}
            upper={Math.min(upperApy, most)}
            rate={implied}
            most={most}
            buckets={buckets}
            past={past}
            onChange={put}
            onStep={step}
          />
          <div className="row">
            {PRESETS.map(([name, low, high]) => (
              <button
                key={name}
                type="button"
                className="button small"
                disabled={grid === undefined}
                onClick={() => {
                  setTyped(undefined)
                  setRange(rangeAt(implied * low, implied * high, grid!))
                }}
              >
                {name}
              </button>
            ))}
          </div>
        </Panel>
        <Panel title="What it turns into">
          <p className="lead">
            As the implied APY rises you sell YT and are left with PT; as it falls you buy YT. Above the range it is all
            PT and ST, below it the YT of the whole range: the value moves as theirs does.
          </p>
          <Legend
            items={[
              { name: 'worth, JLP', colour: 'accent' },
              { name: 'PT in it', colour: 'short', dashed: true },
              { name: 'YT beyond those issued', colour: 'long', dashed: true },
            ]}
          />
          <CurveChart
            {...chart}
            height={220}
            formatX={value => `${(value * 100).toFixed(0)}%`}
            formatY={value => String(Math.round(value * 100) / 100)}
            label="What the position is worth, and the PT and YT in it, over the implied APY"
            empty="Say how much JLP"
          />
        </Panel>
      </div>
      <div className="column">
        <Panel title="Provide liquidity" aside={<MarketBadge market={market} />}>
          <ErrorBanner error={error} />
          <MarketSelect
            label="Market"
            value={market.market}
            markets={markets}
            onChange={name => go('liquidity', name)}
          />
          <MarketState market={market} />
          <div className="halves" style={{ gridTemplateColumns: '1fr 1fr' }}>
            <PercentField label="From APY" value={textOf('lower')} onChange={value => type('lower', value)} most={5} />
            <PercentField label="To APY" value={textOf('upper')} onChange={value => type('upper', value)} most={5} />
          </div>
          <AmountField label="JLP, at most" value={text} onChange={setText} unit="JLP" has={has} />
          <div style={{ minHeight: 112 }}>
            <Lines>
              <Line
                label="Costs now"
                value={good === undefined ? undefined : amount(good.jlp, 6)}
                unit="JLP"
                why="Less than the most by the tolerance: the rate may move before it lands, and with it what your liquidity costs."
              />
              <Line
                label="YT issued, to sell as the rate rises"
                value={good === undefined ? undefined : amount(good.issued, 6)}
                unit="YT"
                why="Issued against as many ST of yours, which stay in reserve. So what you may owe is always there."
              />
              <Line
                label="ST beside them, to buy as it falls"
                value={good === undefined ? undefined : amount(good.st, 6)}
                unit="JLP worth"
              />
              <Line
                label="Share of the liquidity at this rate"
                value={good === undefined ? undefined : percent(q64Of(good.share))}
                note={good === undefined ? undefined : good.inRange ? 'in range' : 'not in range'}
              />
            </Lines>
          </div>
          {good !== undefined && !good.inRange ? (
            <Banner tone="warn" title="Not around the present APY.">
              It earns no fees until the rate comes to it.
            </Banner>
          ) : null}
          {refusal === undefined ? null : (
            <Banner tone="error" title={`${refusal.message}.`}>
              {refusal.hint}
            </Banner>
          )}
          <ToleranceSelect value={toleranceBps} onChange={setTolerance} />
          {signer === undefined ? (
            <button type="button" className="button primary wide" onClick={chooseWallet}>
              Connect a wallet
            </button>
          ) : (
            <button
              type="button"
              className="button primary wide"
              disabled={why !== undefined || isBusy}
              onClick={() => void send(addLiquidity({ market: market.market, ...range!, jlp: atoms!, toleranceBps }))}
            >
              {why ?? `Provide ${amount(good!.jlp)} JLP`}
            </button>
          )}
        </Panel>
        <Panel title="What it may bring">
          <Choice
            label="Over"
            className="wide"
            value={days}
            onChange={setDays}
            options={[
              { value: '7', text: '7 days' },
              { value: '30', text: '30 days' },
              { value: 'all', text: 'To maturity' },
            ]}
          />
          <Lines>
            <Line
              label="Coupons, and ST set free"
              value={sources === undefined ? undefined : signed(sources.coupons, 4)}
              unit="JLP"
              why="Your inventory of YT is paid coupons like anybody's. And as maturity comes nearer YT cost less, so less ST is needed to buy them back: that is set free, and yours."
            />
            <Line
              label="What it holds loses or gains"
              value={sources === undefined ? undefined : signed(sources.decay, 4)}
              unit="JLP"
              why="The ST in reserve are worth fewer JLP with every coupon, and YT decay. With the coupons this comes to about nothing: without trades, liquidity earns what JLP earns."
            />
            <Line
              label="Fees, as in the last 24 hours"
              value={sources === undefined ? undefined : fees === undefined ? 'not known' : signed(sources.fees, 4)}
              unit={fees === undefined ? undefined : 'JLP'}
              note={fees === undefined ? undefined : `of ${amount(fees)} a day`}
            />
            <Line
              label="Together, beside what JLP earns"
              value={sources === undefined ? undefined : signed(sources.net, 4)}
              unit="JLP"
              note={sources === undefined ? undefined : `${percent(q64Of(sources.apr))} a year`}
            />
          </Lines>
          <p className="muted small">
            Estimated: the implied APY stands still, JLP's pool pays{' '}
            {expected === undefined ? '…' : percent(q64Of(expected))} a year, others trade as they did, and nobody adds
            or takes liquidity. If the rate moves for good, you have sold low and bought high, which fees must make up.
          </p>
        </Panel>
      </div>
    </div>
  )
}
