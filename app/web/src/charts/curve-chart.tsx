/** Curves over a number, by uPlot. */
import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { colour, useTheme } from '../theme.ts'

export interface Curve {
  readonly name: string
  /** The name of a colour of styles/tokens.css. */
  readonly colour: string
  /** One for each x; null where there is none. */
  readonly values: readonly (number | null)[]
  readonly dashed?: boolean
  /** Filled down to the axis. */
  readonly filled?: boolean
  /** Points instead of a line, or both. */
  readonly points?: 'only' | 'too'
  readonly stepped?: boolean
}

/** A line across at an x or a y. */
export interface Marker {
  readonly axis: 'x' | 'y'
  readonly at: number
  readonly name: string
  readonly colour: string
}

export interface CurveChartProps {
  /** Ascending. */
  readonly x: readonly number[]
  readonly curves: readonly Curve[]
  readonly markers?: readonly Marker[]
  readonly height: number
  readonly formatX: (value: number) => string
  readonly formatY: (value: number) => string
  /** What it shows, for who does not see it. */
  readonly label: string
  readonly empty?: string
  /** Values that the y axis must show besides those of the curves. */
  readonly includeY?: readonly number[] | undefined
}

const FONT = '11px system-ui, sans-serif'

const drawMarkers = (plot: UPlot, markers: readonly Marker[]): void => {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio])
  markers.forEach(({ axis, at, name, colour: of }, i) => {
    const place = plot.valToPos(at, axis, true)
    const isX = axis === 'x'
    if (place < (isX ? bbox.left : bbox.top) || place > (isX ? bbox.left + bbox.width : bbox.top + bbox.height)) return
    ctx.strokeStyle = colour(of)
    ctx.fillStyle = colour(of)
    ctx.beginPath()
    if (isX) {
      ctx.moveTo(place, bbox.top)
      ctx.lineTo(place, bbox.top + bbox.height)
    } else {
      ctx.moveTo(bbox.left, place)
      ctx.lineTo(bbox.left + bbox.width, place)
    }
    ctx.stroke()
    const width = ctx.measureText(name).width
    const gap = 4 * devicePixelRatio
    if (isX) {
      const left = place + gap + width > bbox.left + bbox.width
      ctx.fillText(name, left ? place - gap - width : place + gap, bbox.top + (12 + 14 * (i % 3)) * devicePixelRatio)
    } else ctx.fillText(name, bbox.left + bbox.width - width - gap, place - gap)
  })
  ctx.restore()
}

export default function CurveChart(props: CurveChartProps) {
  const { x, curves, markers = [], height, label, empty } = props
  const place = useRef<HTMLDivElement>(null)
  const latest = useRef(props)
  latest.current = props
  const plot = useRef<UPlot>(null)
  const theme = useTheme()
  // The data change at every keystroke; what is drawn of them seldom does.
  const shape = JSON.stringify(curves.map(({ values: _, ...rest }) => rest))

  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape stands for the curves, the theme for the colours
  useEffect(() => {
    const box = place.current!
    const axis = {
      stroke: colour('muted'),
      font: FONT,
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    }
    const made = new UPlot(
      {
        width: Math.max(120, box.clientWidth),
        height,
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        padding: [8, 12, 0, 0],
        scales: {
          x: { time: false },
          y: {
            range: (_, low, high) => {
              const all = [low, high, ...(latest.current.includeY ?? [])].filter(Number.isFinite)
              const [least, most] = [Math.min(...all), Math.max(...all)]
              const room = (most - least || Math.abs(most) || 1) * 0.08
              return all.length === 0 ? [0, 1] : [least - room, most + room]
            },
          },
        },
        axes: [
          { ...axis, size: 28, values: (_, values) => values.map(value => latest.current.formatX(value)) },
          { ...axis, size: 60, values: (_, values) => values.map(value => latest.current.formatY(value)) },
        ],
        series: [
          {},
          ...curves.map(({ name, colour: of, dashed, filled, points, stepped }) => {
            const paths = points === 'only' ? () => null : stepped ? UPlot.paths.stepped!({ align: 1 }) : undefined
            return {
              label: name,
              stroke: colour(of),
              width: 2,
              spanGaps: true,
              ...(dashed ? { dash: [6, 4] } : {}),
              ...(filled ? { fill: colour(`${of}-soft`) } : {}),
              ...(paths === undefined ? {} : { paths }),
              points: { show: points !== undefined, size: 8, fill: colour(of) },
            }
          }),
        ],
        hooks: {
          draw: [self => drawMarkers(self, latest.current.markers ?? [])],
          setCursor: [
            self => {
              const tip = box.querySelector<HTMLElement>('.tip')!
              const { idx, left } = self.cursor
              if (idx === null || idx === undefined || left === undefined || left < 0) {
                tip.hidden = true
                return
              }
              const { x: xs, curves: now, formatX, formatY } = latest.current
              const said = now.flatMap(({ name, values }) => {
                const value = values[idx]
                return value === null || value === undefined ? [] : [`${name} ${formatY(value)}`]
              })
              tip.hidden = false
              tip.textContent = [formatX(xs[idx]!), ...said].join('  ·  ')
            },
          ],
        },
      },
      [[...x], ...curves.map(({ values }) => [...values])] as UPlot.AlignedData,
      box,
    )
    plot.current = made
    const observer = new ResizeObserver(() => {
      if (box.clientWidth > 0) made.setSize({ width: box.clientWidth, height })
    })
    observer.observe(box)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [shape, theme, height])

  useEffect(() => {
    plot.current?.setData([[...x], ...curves.map(({ values }) => [...values])] as UPlot.AlignedData)
  }, [x, curves])
  // biome-ignore lint/correctness/useExhaustiveDependencies: they are read while drawing
  useEffect(() => plot.current?.redraw(false), [markers])

  return (
    <div className="chart" style={{ height }}>
      <div ref={place} style={{ height }} role="img" aria-label={label}>
        <div className="tip small num" hidden />
      </div>
      {x.length === 0 && empty !== undefined ? <div className="nothing">{empty}</div> : null}
    </div>
  )
}
