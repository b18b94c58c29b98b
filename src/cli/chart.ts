/** Line charts as plain SVG: no script, no font, no colour that a page's style does not set. */

export interface Line {
  readonly name: string
  /** Value at each x, or undefined for a gap. */
  readonly values: readonly (number | undefined)[]
}

export interface Chart {
  readonly title: string
  /** Unix seconds. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  /** Whether the axis begins at 0. */
  readonly fromZero: boolean
}

const WIDTH = 760
const HEIGHT = 260
const PAD = { left: 64, right: 16, top: 12, bottom: 28 }

export const escapeText = (text: string): string =>
  text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!)

/** About five round numbers that span a range. */
const ticksOf = (least: number, most: number): number[] => {
  const rough = (most - least) / 5 || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough)!
  const ticks: number[] = []
  for (let i = Math.ceil(least / step); i * step <= most + step * 1e-9; i++) ticks.push(i * step)
  return ticks
}

export const chart = ({ title, times, lines, format, fromZero }: Chart): string => {
  const values = lines.flatMap(line => line.values.filter(v => v !== undefined))
  const least = Math.min(...values, ...(fromZero ? [0] : []))
  const most = Math.max(...values, ...(fromZero ? [0] : []), least + 1e-9)
  const [start, end] = [times[0]!, times.at(-1)!]
  const x = (time: number): number => PAD.left + ((time - start) / (end - start || 1)) * (WIDTH - PAD.left - PAD.right)
  const y = (value: number): number =>
    HEIGHT - PAD.bottom - ((value - least) / (most - least)) * (HEIGHT - PAD.top - PAD.bottom)
  const grid = ticksOf(least, most).map(
    tick =>
      `<line class="grid" x1="${PAD.left}" x2="${WIDTH - PAD.right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}"/>` +
      `<text x="${PAD.left - 8}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${escapeText(format(tick))}</text>`,
  )
  const dates = [0, 1, 2, 3, 4].map(i => {
    const time = start + ((end - start) * i) / 4
    const anchor = i === 0 ? 'start' : i === 4 ? 'end' : 'middle'
    return `<text x="${x(time).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="${anchor}">${new Date(time * 1000).toISOString().slice(0, 10)}</text>`
  })
  const paths = lines.map((line, i) => {
    let path = ''
    for (const [at, value] of line.values.entries()) {
      const begins = at === 0 || line.values[at - 1] === undefined
      if (value !== undefined) path += `${begins ? 'M' : 'L'}${x(times[at]!).toFixed(1)} ${y(value).toFixed(1)}`
    }
    return `<path class="line c${i}" d="${path}"/>`
  })
  const legend = lines.map((line, i) => `<span class="key c${i}">${escapeText(line.name)}</span>`).join(' ')
  const label = `${title}: ${lines.map(({ name, values: v }) => `${name} ends at ${format(v.findLast(z => z !== undefined) ?? 0)}`).join(', ')}`
  return `<figure><figcaption>${escapeText(title)} <small>${legend}</small></figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(label)}">${grid.join('')}${dates.join('')}${paths.join('')}</svg></figure>`
}
