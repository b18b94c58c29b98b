/** What JLP's coupons are and will be: official, leading with its band, and how well that was foretold before. */
import { useMemo } from 'react'
import { Legend, TimeChart } from '../../charts/index.tsx'
import { Banner, Figure, Figures, Num, Panel, Table } from '../../components/index.tsx'
import { day, duration } from '../../format.ts'
import { useRead } from '../../store.ts'
import type { Oracle, OracleHistory } from '../../types.ts'

const shown = (percent: number | undefined | null): string | undefined =>
  percent === undefined ? undefined : percent === null ? 'none' : `${percent.toFixed(2)}%`
const points = (value: number): string => value.toFixed(2)

const WEEK = 7 * 86_400
/** Weeks of the past that are shown. */
const PAST = 40

export const OraclePanel = ({
  oracle,
  now,
  stale,
}: {
  readonly oracle: Oracle | undefined
  readonly now: number | undefined
  readonly stale: string | undefined
}) => {
  const leading = oracle?.leading
  return (
    <Panel
      title="What JLP's pool pays"
      aside={<span className="muted small">{oracle === undefined ? ' ' : `read at ${day(oracle.time)}`}</span>}
    >
      <Figures>
        <Figure
          large
          stale={stale}
          label="Leading APR"
          value={oracle === undefined ? undefined : shown(leading?.aprPercent ?? null)}
          note={
            leading == null
              ? 'no days are known to foretell from'
              : `${shown(leading.lowPercent)} to ${shown(leading.highPercent)} in ${leading.coverage} of 100`
          }
          why="What the running week will print, foretold from its days so far and from the weeks before. The official figure is of the week that is over; coupons are of the week that runs."
        />
        <Figure
          stale={stale}
          label="As an APY"
          value={oracle === undefined ? undefined : shown(leading?.apyPercent ?? null)}
          note="compounded daily, as implied APYs are"
        />
        <Figure
          stale={oracle?.official.stale ? 'A print is missing' : stale}
          label="Official APR"
          value={shown(oracle?.official.aprPercent)}
          note={oracle === undefined ? ' ' : `printed ${duration(oracle.official.ageSeconds)} ago`}
        />
        <Figure
          stale={stale}
          label="The week so far"
          value={oracle === undefined ? undefined : shown(oracle.runRate.aprPercent)}
          note={leading == null ? ' ' : `${leading.daysKnown} days and ${leading.hoursKnown} hours are known`}
        />
        <Figure
          stale={stale}
          label="Next print"
          value={oracle === undefined || now === undefined ? undefined : duration(oracle.nextPrintAt - now)}
          note={oracle === undefined ? ' ' : `not before ${day(oracle.nextPrintAt)}`}
          why="Jupiter prints the APR of a week once it is over. Weekly markets pay their coupon then; hourly ones pay every hour what the pool has earned in it."
        />
      </Figures>
      {oracle?.official.stale ? (
        <Banner tone="warn" title="A print is missing.">
          The official figure is older than eight days.
        </Banner>
      ) : null}
    </Panel>
  )
}

export const Prints = ({ oracle }: { readonly oracle: Oracle | undefined }) => {
  const since = oracle === undefined ? undefined : day(oracle.time - PAST * WEEK)
  const history = useRead<OracleHistory>(
    since === undefined ? undefined : '/v1/oracle/history',
    { width: 'week', from: since, limit: PAST + 2 },
    { every: 60_000 },
  )
  // As text, so that it is drawn again only when it says something new.
  const key = JSON.stringify([oracle?.forecast, oracle?.leading?.aprPercent, history.data?.weeks.at(-1)?.from])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says when it has changed
  const series = useMemo(() => {
    const at = (date: string): number => Date.parse(date) / 1000
    const weeks = history.data?.weeks ?? []
    const leading = oracle?.leading
    const now =
      leading == null
        ? []
        : [
            {
              from: leading.from,
              aprPercent: leading.aprPercent,
              lowPercent: leading.lowPercent,
              highPercent: leading.highPercent,
            },
          ]
    const last = weeks.at(-1)
    const ahead = [...now, ...(oracle?.forecast ?? [])].filter(
      ({ from }) => last === undefined || at(from) > at(last.from),
    )
    const of = (name: 'aprPercent' | 'lowPercent' | 'highPercent') => [
      ...(last === undefined ? [] : [{ time: at(last.from), value: last.aprPercent }]),
      ...ahead.map(week => ({ time: at(week.from), value: week[name] })),
    ]
    return [
      {
        name: 'printed',
        colour: 'official',
        points: weeks.map(({ from, aprPercent }) => ({ time: at(from), value: aprPercent })),
      },
      { name: 'foretold', colour: 'leading', points: of('aprPercent') },
      { name: 'low', colour: 'leading', dashed: true, points: of('lowPercent') },
      { name: 'high', colour: 'leading', dashed: true, points: of('highPercent') },
    ]
  }, [key])
  return (
    <Panel
      title="Weeks that were printed, and the next ones"
      aside={<span className="muted small">APR by the week's first day</span>}
    >
      <Legend
        items={[
          { name: 'What the week paid', colour: 'official' },
          { name: 'Foretold', colour: 'leading' },
          { name: 'Its band of 80 %', colour: 'leading', dashed: true },
        ]}
      />
      <TimeChart
        series={series}
        height={240}
        format={value => `${value.toFixed(1)}%`}
        minMove={0.01}
        label="Weekly APR of JLP's pool, and what is foretold with its band"
        empty="No week is known"
      />
    </Panel>
  )
}

type ErrorRow = NonNullable<Oracle['errors']>['days'][number]

export const Errors = ({ oracle }: { readonly oracle: Oracle | undefined }) => (
  <Panel
    title="How far the leading APR was off"
    aside={
      <span className="muted small">
        {oracle?.errors == null ? ' ' : `${oracle.errors.weeks} recorded weeks, mean absolute error in points of APR`}
      </span>
    }
    flush
  >
    <Table<ErrorRow>
      caption="Error of predictions by days known"
      rows={oracle === undefined ? undefined : (oracle.errors?.days ?? [])}
      id={({ day: known }) => String(known)}
      empty="It is being worked out."
      dense
      columns={[
        { name: 'Days known', cell: ({ day: known }) => <Num>{String(known)}</Num> },
        {
          name: 'Leading',
          end: true,
          cell: row => (
            <strong>
              <Num unit="pt">{points(row.leading)}</Num>
            </strong>
          ),
        },
        { name: "The week's own rate", end: true, cell: row => <Num unit="pt">{points(row.runRate)}</Num> },
        { name: 'Last print', end: true, cell: row => <Num unit="pt">{points(row.lastPrint)}</Num> },
        { name: 'In its band', end: true, cell: row => <Num>{`${row.coverage.toFixed(0)}%`}</Num> },
      ]}
    />
  </Panel>
)
