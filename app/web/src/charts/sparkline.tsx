/** A line without axes, beside a figure. */
export const Sparkline = ({
  series,
  label,
  width = 96,
  height = 28,
}: {
  /** Each with the name of a colour of styles/tokens.css; values at equal distances, the oldest first. */
  readonly series: readonly {
    readonly colour: string
    readonly values: readonly number[]
  }[]
  /** What it shows, for who does not see it. */
  readonly label: string
  readonly width?: number
  readonly height?: number
}) => {
  const all = series.flatMap(({ values }) => values)
  const [least, most] = [Math.min(...all), Math.max(...all)]
  const span = most - least || 1
  const pathOf = (values: readonly number[]): string =>
    values
      .map((value, i) => {
        const x = values.length < 2 ? width : (i / (values.length - 1)) * width
        const y = height - 3 - ((value - least) / span) * (height - 6)
        return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
      })
      .join('')
  return (
    <svg className="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {series[0] === undefined || series[0].values.length < 2
        ? null
        : series.map(({ colour, values }) => (
            <path key={colour} d={pathOf(values)} fill="none" stroke={`var(--${colour})`} strokeWidth="1.5" />
          ))}
    </svg>
  )
}
