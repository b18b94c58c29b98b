/** A range on the APY axis, over the depth that there is and where the rate has been. By mouse, touch or keys. */
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState } from 'react'
import { moment, short } from '../../format.ts'
import './picker.css'

export interface Bucket {
  /** Fractions. */
  readonly from: number
  readonly to: number
  readonly yt: number
}
export interface Past {
  /** Unix seconds. */
  readonly time: number
  readonly apy: number
}

const DEPTH = 132
const HISTORY = 96
const AXIS = 24
const LEFT = 8
const RIGHT = 8
const HEIGHT = DEPTH + AXIS + HISTORY

const shown = (fraction: number, digits = 2): string => `${(fraction * 100).toFixed(digits)}%`

/** Round distances of an axis, at most about eight of them. */
const stepsOf = (span: number): number => [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find(step => span / step <= 8) ?? 2

export const RangePicker = ({
  lower,
  upper,
  rate,
  most,
  buckets,
  past,
  onChange,
  onStep,
}: {
  /** APYs, fractions: the range, where the rate is, and the end of the axis. */
  readonly lower: number
  readonly upper: number
  readonly rate: number
  readonly most: number
  readonly buckets: readonly Bucket[]
  /** Oldest first; undefined: not known. */
  readonly past: readonly Past[] | undefined
  readonly onChange: (end: 'lower' | 'upper', apy: number) => void
  /** By so many steps of the grid. */
  readonly onStep: (end: 'lower' | 'upper', steps: number) => void
}) => {
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(640)
  const id = useId()
  useEffect(() => {
    const box = place.current!
    const observer = new ResizeObserver(() => setWidth(Math.max(240, box.clientWidth)))
    observer.observe(box)
    return () => observer.disconnect()
  }, [])
  const inner = width - LEFT - RIGHT
  const xOf = (apy: number): number => LEFT + (Math.min(Math.max(apy, 0), most) / most) * inner
  const apyAt = (clientX: number): number => {
    const { left } = place.current!.getBoundingClientRect()
    return Math.min(most, Math.max(0, ((clientX - left - LEFT) / inner) * most))
  }
  const tallest = Math.max(
    1e-9,
    ...buckets.filter(({ from }) => from < most).map(({ from, to, yt }) => yt / (to - from)),
  )
  const step = stepsOf(most)
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step)
  const [first, last] = [past?.[0]?.time ?? 0, past?.at(-1)?.time ?? 1]
  const yOf = (time: number): number => DEPTH + AXIS + 4 + ((last - time) / Math.max(1, last - first)) * (HISTORY - 20)
  const line = past
    ?.map(({ time, apy }, i) => `${i === 0 ? 'M' : 'L'}${xOf(apy).toFixed(1)} ${yOf(time).toFixed(1)}`)
    .join('')
  const handle = (end: 'lower' | 'upper', apy: number) => {
    const other = end === 'lower' ? upper : lower
    const x = xOf(apy)
    const onKey = (event: KeyboardEvent): void => {
      const by = {
        ArrowLeft: -1,
        ArrowDown: -1,
        ArrowRight: 1,
        ArrowUp: 1,
        PageDown: -20,
        PageUp: 20,
        Home: -100_000,
        End: 100_000,
      }[event.key]
      if (by === undefined) return
      event.preventDefault()
      onStep(end, by)
    }
    const onMove = (event: PointerEvent<SVGGElement>): void => {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) onChange(end, apyAt(event.clientX))
    }
    return (
      <g
        role="slider"
        tabIndex={0}
        className="handle"
        aria-label={end === 'lower' ? 'Lower end of the range' : 'Upper end of the range'}
        aria-valuemin={end === 'lower' ? 0 : Math.round(other * 1e4) / 100}
        aria-valuemax={end === 'lower' ? Math.round(other * 1e4) / 100 : Math.round(most * 1e4) / 100}
        aria-valuenow={Math.round(apy * 1e4) / 100}
        aria-valuetext={`${shown(apy)} APY`}
        onKeyDown={onKey}
        onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onMove}
      >
        <rect x={x - 14} y={0} width={28} height={HEIGHT} fill="transparent" />
        <line x1={x} x2={x} y1={0} y2={HEIGHT - 12} stroke="var(--accent)" strokeWidth={2} />
        <rect className="grip" x={x - 6} y={DEPTH / 2 - 16} width={12} height={32} rx={4} />
      </g>
    )
  }
  return (
    <div ref={place} className="picker">
      {/** biome-ignore lint/a11y/useSemanticElements: a drawing with two controls in it */}
      <svg width={width} height={HEIGHT} role="group" aria-labelledby={id}>
        <title id={id}>
          Range of APYs: {shown(lower)} to {shown(upper)}; the market is at {shown(rate)}
        </title>
        <rect
          x={xOf(lower)}
          width={Math.max(0, xOf(upper) - xOf(lower))}
          y={0}
          height={HEIGHT - 12}
          fill="var(--accent-soft)"
          opacity={0.7}
        />
        {ticks.map(apy => (
          <svg key={apy} aria-hidden="true">
            <line x1={xOf(apy)} x2={xOf(apy)} y1={0} y2={HEIGHT - 12} stroke="var(--line)" />
            <text x={xOf(apy)} y={DEPTH + 16} textAnchor="middle">
              {shown(apy, 0)}
            </text>
          </svg>
        ))}
        <svg aria-hidden="true">
          {buckets
            .filter(({ from }) => from < most)
            .map(({ from, to, yt }) => {
              const tall = (yt / (to - from) / tallest) * (DEPTH - 12)
              return (
                <rect
                  key={from}
                  x={xOf(from)}
                  width={Math.max(1, xOf(to) - xOf(from) - 1)}
                  y={DEPTH - tall}
                  height={tall}
                  fill={to <= rate ? 'var(--short)' : from >= rate ? 'var(--long)' : 'var(--muted)'}
                  opacity={0.55}
                />
              )
            })}
          {line === undefined ? null : <path d={line} fill="none" stroke="var(--text)" strokeWidth={1.5} />}
          <line
            x1={xOf(rate)}
            x2={xOf(rate)}
            y1={0}
            y2={HEIGHT - 12}
            stroke="var(--text)"
            strokeDasharray="4 4"
            strokeWidth={1.5}
          />
          <text x={Math.min(xOf(rate) + 6, width - 72)} y={12} className="strong">
            now {shown(rate)}
          </text>
          {past === undefined || past.length < 2 ? (
            <text x={LEFT} y={DEPTH + AXIS + HISTORY / 2}>
              {past === undefined ? 'The past of the rate cannot be read now' : 'No past of the rate yet'}
            </text>
          ) : (
            <>
              <text x={LEFT} y={DEPTH + AXIS + 16}>
                {moment(last)}
              </text>
              <text x={LEFT} y={HEIGHT - 16}>
                {moment(first)}
              </text>
            </>
          )}
        </svg>
        {handle('lower', lower)}
        {handle('upper', upper)}
      </svg>
      <p className="muted small">
        Above: YT for one point of APY, by APY, at most <span className="num">{short(tallest / 100)}</span> (left of
        now: sold to by shorts; right: bought by longs). Below: where the implied APY was, the latest at the top.
      </p>
    </div>
  )
}
