/** Charts come after the page: their code is loaded when the first one is shown, and until then their room is kept. */
import { lazy, Suspense } from 'react'
import type { CurveChartProps } from './curve-chart.tsx'
import type { TimeChartProps } from './time-chart.tsx'

export type { Curve, CurveChartProps, Marker } from './curve-chart.tsx'
export { Sparkline } from './sparkline.tsx'
export type { TimeChartProps, TimeSeries } from './time-chart.tsx'

const LazyTime = lazy(() => import('./time-chart.tsx'))
const LazyCurve = lazy(() => import('./curve-chart.tsx'))

const Room = ({ height }: { readonly height: number }) => (
  <div className="chart" style={{ height }} aria-hidden="true" />
)

/** Lines or candles over time. */
export const TimeChart = (props: TimeChartProps) => (
  <Suspense fallback={<Room height={props.height} />}>
    <LazyTime {...props} />
  </Suspense>
)

/** Curves over a number: payoff, depth, term structure. */
export const CurveChart = (props: CurveChartProps) => (
  <Suspense fallback={<Room height={props.height} />}>
    <LazyCurve {...props} />
  </Suspense>
)

export const Legend = ({
  items,
}: {
  readonly items: readonly {
    readonly name: string
    readonly colour: string
    readonly dashed?: boolean
  }[]
}) => (
  <div className="legend">
    {items.map(({ name, colour, dashed }) => (
      <span key={name}>
        <i className={dashed ? 'key dashed' : 'key'} style={{ borderColor: `var(--${colour})` }} />
        {name}
      </span>
    ))}
  </div>
)
