/** Draws `docs/pictures/yt.svg` from the kernel's own figures; `npm run generate` calls it. */
import {
  apyFromRate,
  type DiscountQ64,
  ONE_Q64,
  parsePercent,
  type RateQ64,
  rateFromApy,
  ytPrice,
  ytValue,
} from '../../amm/index.ts'

const DAY = 86_400
const real = (q64: bigint): number => Number(q64) / 2 ** 64
const rateAt = (percent: number): RateQ64 => rateFromApy(parsePercent(`${percent}`))
const priceAt = (rate: RateQ64, days: number): number => real(ytPrice(rate, Math.round(days * DAY)))

interface Panel {
  readonly left: number
  readonly title: string
  readonly note: string
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
  readonly xLabels: readonly (readonly [number, string])[]
  readonly yLabels: readonly (readonly [number, string])[]
}

const WIDTH = 330
const HEIGHT = 200
const TOP = 70
const range = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count)

const placing = (panel: Panel) => ({
  x: (v: number): number => panel.left + ((v - panel.x[0]) / (panel.x[1] - panel.x[0])) * WIDTH,
  y: (v: number): number => TOP + HEIGHT - ((v - panel.y[0]) / (panel.y[1] - panel.y[0])) * HEIGHT,
})

const path = (panel: Panel, points: readonly (readonly [number, number])[]): string => {
  const at = placing(panel)
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${at.x(x).toFixed(1)} ${at.y(y).toFixed(1)}`).join('')
}

const frame = (panel: Panel): string => {
  const at = placing(panel)
  return [
    `<text x="${panel.left}" y="28" class="title">${panel.title}</text>`,
    `<text x="${panel.left}" y="48" class="note">${panel.note}</text>`,
    ...panel.yLabels.map(
      ([v, text]) =>
        `<line x1="${panel.left}" x2="${panel.left + WIDTH}" y1="${at.y(v)}" y2="${at.y(v)}" class="grid"/>` +
        `<text x="${panel.left - 8}" y="${at.y(v) + 4}" text-anchor="end" class="note">${text}</text>`,
    ),
    ...panel.xLabels.map(
      ([v, text]) => `<text x="${at.x(v)}" y="${TOP + HEIGHT + 20}" text-anchor="middle" class="note">${text}</text>`,
    ),
  ].join('\n')
}

/** Left: what a trade costs is an area under the price curve. Right: YT prices run to zero, faster at a higher rate. */
export const pictureSource = (): string => {
  const days = 86
  const moment = { tauSeconds: days * DAY, discount: ONE_Q64 as DiscountQ64 }
  const cost: Panel = {
    left: 60,
    title: 'What a trade costs is an area',
    note: 'YT price against implied APY, 86 days to maturity',
    x: [20, 50],
    y: [0, 0.1],
    xLabels: [20, 30, 40, 50].map(v => [v, `${v} %`] as const),
    yLabels: [0, 0.05, 0.1].map(v => [v, v.toFixed(2)] as const),
  }
  const [before, after] = [rateAt(32.7), rateAt(35.9)]
  const average = real(ytValue(after, moment) - ytValue(before, moment)) / real(after - before)
  const priceOf = (apy: number): readonly [number, number] => [apy, priceAt(rateAt(Number(apy.toFixed(6))), days)]
  const traded = range(real(before), real(after), 20).map(s =>
    priceOf(100 * real(apyFromRate((BigInt(Math.round(s * 2 ** 52)) * 2n ** 12n) as RateQ64))),
  )
  const decay: Panel = {
    left: 470,
    title: 'YT runs to zero',
    note: 'YT price against days to maturity, at a constant implied APY',
    x: [86, 0],
    y: [0, 0.1],
    xLabels: [86, 60, 30, 0].map(v => [v, `${v}`] as const),
    yLabels: [0, 0.05, 0.1].map(v => [v, v.toFixed(2)] as const),
  }
  const at = placing(decay)
  const curves = [20, 34.3, 50].map((apy, i) => {
    const points = range(86, 0, 43).map(d => [d, priceAt(rateAt(apy), d)] as const)
    const [, start] = points[4]!
    return (
      `<path d="${path(decay, points)}" class="line c${i}"/>` +
      `<text x="${at.x(78) + 4}" y="${at.y(start) - 8}" class="note">${apy} %</text>`
    )
  })
  const bottom = placing(cost).y(0)
  const filled = `${path(cost, traded)}L${placing(cost).x(traded.at(-1)![0]).toFixed(1)} ${bottom}L${placing(cost).x(traded[0]![0]).toFixed(1)} ${bottom}Z`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 320" width="840" height="320" role="img">
<title>The price of YT against the implied APY and against time</title>
<style>
text { font-family: system-ui, sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 } .note { font-size: 12px; fill: #57606a }
.grid { stroke: #d0d7de } .line { fill: none; stroke-width: 2.5 } .area { fill: #f3c892 }
.c0 { stroke: #3d8b7d } .c1 { stroke: #c46a1b } .c2 { stroke: #7a4fa3 }
</style>
<rect width="840" height="320" rx="10" fill="#ffffff"/>
${frame(cost)}
<path d="${filled}" class="area"/>
<path d="${path(cost, range(20, 50, 60).map(priceOf))}" class="line c1"/>
<text x="${placing(cost).x(37)}" y="${placing(cost).y(0.03)}" class="note">from 32.7 to 35.9 %:</text>
<text x="${placing(cost).x(37)}" y="${placing(cost).y(0.022)}" class="note">${average.toFixed(4)} ST each on average</text>
${frame(decay)}
${curves.join('\n')}
</svg>
`
}
