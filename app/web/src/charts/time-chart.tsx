/** Lines or candles over time, by lightweight-charts. Times are unix seconds, shown in UTC. */
import {
  CandlestickSeries,
  ColorType,
  createChart,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type UTCTimestamp,
} from 'lightweight-charts'
import { useEffect, useRef } from 'react'
import { colour, useTheme } from '../theme.ts'

export interface TimeSeries {
  readonly name: string
  /** The name of a colour of styles/tokens.css. */
  readonly colour: string
  readonly dashed?: boolean
  /** Ascending in time, no time twice. */
  readonly points?: readonly {
    readonly time: number
    readonly value: number
  }[]
  /** Instead of points. */
  readonly candles?: readonly {
    readonly time: number
    readonly open: number
    readonly high: number
    readonly low: number
    readonly close: number
  }[]
  /** A line goes on from one point to the next in steps. */
  readonly stepped?: boolean
}

export interface TimeChartProps {
  readonly series: readonly TimeSeries[]
  readonly height: number
  /** A value of the axis. */
  readonly format: (value: number) => string
  /** The least step of a value: 0.0001 by default. */
  readonly minMove?: number
  /** What it shows, for who does not see it. */
  readonly label: string
  /** Said while there is nothing to show. */
  readonly empty?: string
}

type AnySeries = ISeriesApi<'Line'> | ISeriesApi<'Candlestick'>

const optionsOf = () => ({
  layout: {
    background: { type: ColorType.Solid, color: 'transparent' },
    textColor: colour('muted'),
    fontSize: 11,
    attributionLogo: false, // named in the footer
  },
  grid: { vertLines: { color: colour('line') }, horzLines: { color: colour('line') } },
  rightPriceScale: { borderColor: colour('line'), scaleMargins: { top: 0.1, bottom: 0.1 } },
  timeScale: { borderColor: colour('line'), timeVisible: true, secondsVisible: false, rightOffset: 2 },
})

export default function TimeChart({ series, height, format, minMove = 0.0001, label, empty }: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<IChartApi>(null)
  const drawn = useRef(new Map<string, AnySeries>())
  const formatter = useRef(format)
  formatter.current = format
  const shownFrom = useRef<number>(undefined)
  const theme = useTheme()

  useEffect(() => {
    const made = createChart(place.current!, {
      ...optionsOf(),
      autoSize: true,
      crosshair: { mode: 0 },
      handleScroll: { vertTouchDrag: false, mouseWheel: false },
      handleScale: { mouseWheel: false, pinch: true },
      localization: { locale: 'en-GB' },
    })
    chart.current = made
    const all = drawn.current
    return () => {
      all.clear()
      shownFrom.current = undefined
      made.remove()
      chart.current = null
    }
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is where the colours come from
  useEffect(() => chart.current?.applyOptions(optionsOf()), [theme])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is where the colours come from
  useEffect(() => {
    const on = chart.current
    if (on === null) return
    const all = drawn.current
    for (const [name, one] of all) {
      if (series.some(given => given.name === name)) continue
      on.removeSeries(one)
      all.delete(name)
    }
    const priceFormat = { type: 'custom', minMove, formatter: (value: number) => formatter.current(value) } as const
    for (const { name, colour: of, dashed, stepped, points, candles } of series) {
      if (candles !== undefined) {
        const [up, down] = [colour('long'), colour('short')]
        const options = {
          ...{ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false },
          priceFormat,
        }
        const one = (all.get(name) ?? on.addSeries(CandlestickSeries, options)) as ISeriesApi<'Candlestick'>
        all.set(name, one)
        one.applyOptions(options)
        one.setData(candles.map(candle => ({ ...candle, time: candle.time as UTCTimestamp })))
      } else {
        const options = {
          color: colour(of),
          lineWidth: 2 as const,
          lineStyle: dashed ? LineStyle.Dashed : LineStyle.Solid,
          lineType: stepped ? (1 as const) : (0 as const),
          priceFormat,
          priceLineVisible: false,
          crosshairMarkerRadius: 3,
        }
        const one = (all.get(name) ?? on.addSeries(LineSeries, options)) as ISeriesApi<'Line'>
        all.set(name, one)
        one.applyOptions(options)
        one.setData((points ?? []).map(({ time, value }) => ({ time: time as UTCTimestamp, value })))
      }
    }
    // The whole of it at first and when it begins elsewhere; later where somebody has put it.
    const begins = Math.min(
      ...series.flatMap(({ points, candles }) => (candles ?? points ?? []).map(({ time }) => time)),
    )
    if (begins !== shownFrom.current && Number.isFinite(begins)) {
      shownFrom.current = begins
      on.timeScale().fitContent()
    }
  }, [series, theme, minMove])

  const isEmpty = series.every(({ points, candles }) => (candles ?? points ?? []).length === 0)
  return (
    <div className="chart" style={{ height }}>
      <div ref={place} style={{ height }} role="img" aria-label={label} />
      {isEmpty && empty !== undefined ? <div className="nothing">{empty}</div> : null}
    </div>
  )
}
