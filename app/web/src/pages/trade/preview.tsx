/** What an order comes to, before anything is signed. */
import { useMemo } from 'react'
import type { Rejected } from '../../../../../amm/index.ts'
import { CurveChart } from '../../charts/index.tsx'
import { Line, Lines, Num } from '../../components/index.tsx'
import { amount, apy, day, percent, price, real, tokens } from '../../format.ts'
import type { Snapshot, TradePreview } from '../../kernel.ts'
import { type Later, liquidationAt, worthAt } from './payoff.ts'

const DAY = 86_400

interface Props {
  readonly snapshot: Snapshot
  readonly side: 'long' | 'short'
  readonly preview: TradePreview | Rejected | undefined
  /** JLP atoms deposited with it. */
  readonly margin: bigint
  readonly spot: boolean
  /** It does not trade now: what is said is what it would be now. */
  readonly isResting: boolean
}

/** An account as it would be, to be looked at over time. */
const laterOf = ({ reading: { pool, terms } }: Snapshot, done: TradePreview | undefined): Later | undefined =>
  done?.account === undefined
    ? undefined
    : {
        legs: done.account,
        discount: pool.discount,
        tauSeconds: pool.tauSeconds,
        rate: done.quote.rateAfter,
        maintenanceBps: terms.maintenanceBps,
      }

/** The figures and the words. */
export const Preview = ({ snapshot, side, preview, margin, spot, isResting }: Props) => {
  const done = preview?.kind === 'preview' ? preview : undefined
  const { maturity } = snapshot.reading
  const account = done?.account
  if (preview === undefined) return null
  const quote = done?.quote
  const text = (value: string | undefined): string => value ?? '–'
  return (
    <div className="stack preview" aria-live="off">
      {isResting ? <h3>If it were filled now</h3> : null}
      <Lines>
        <Line
          label={side === 'long' ? 'You buy' : 'You sell'}
          value={text(quote && amount(quote.filled))}
          unit="YT"
          note={
            quote === undefined || quote.complete
              ? undefined
              : 'in part: 10 % from the average, or the end of liquidity'
          }
        />
        <Line
          label={side === 'long' ? 'for' : 'and get'}
          value={text(quote && amount(quote.amount, 4))}
          unit="JLP of ST"
          why={
            side === 'long'
              ? 'You do not pay this: it is lent to you by the LPs, and your ST leg becomes negative by it. Coupons pay it back while you hold YT. That is why a long shows negative ST.'
              : 'You do not keep this in hand: it is your ST leg, positive, against YT that you owe. Coupons are taken from it while you are short.'
          }
        />
        <Line
          label="Implied APY after"
          value={text(quote && percent(quote.apyAfter))}
          note={quote && `from ${percent(quote.apyBefore)}`}
        />
        <Line
          label="Average price"
          value={text(quote && price(quote.averagePrice))}
          unit="ST"
          note={done?.averageApy === undefined ? undefined : `${percent(done.averageApy)} APY`}
        />
        <Line label="Price impact" value={text(quote?.impactBp.toFixed(2))} unit="bp" />
        <Line label="Fee" value={text(quote && amount(quote.fee.total, 6))} unit="JLP" note="out of the margin" />
        <Line
          label="Breaks even at"
          value={text(done?.breakEvenApy === undefined ? undefined : percent(done.breakEvenApy))}
          unit="average APY"
          why={`What JLP must yield on average until maturity for this to come out even, the fee included. ${side === 'long' ? 'Above it you earn' : 'Below it you earn'}, whatever the price does on the way.`}
        />
        <Line
          label="Collateral ratio"
          value={text(account?.ratio === undefined ? undefined : percent(account.ratio))}
          note={account?.ratioAtTwap === undefined ? undefined : `${percent(account.ratioAtTwap)} at the average`}
          why="What the account has for each JLP that it owes. Opening needs 110 %; below 105 % at the five-minute average it is liquidated."
        />
        <Line
          label="Liquidated at"
          value={
            spot
              ? 'never'
              : text(
                  account === undefined
                    ? undefined
                    : account.liquidationRate === undefined
                      ? 'nowhere'
                      : apy(account.liquidationRate),
                )
          }
          unit={account?.liquidationRate === undefined ? undefined : 'implied APY'}
          note={account?.liquidationPrice === undefined ? undefined : `${price(account.liquidationPrice)} ST now`}
          tone={account?.liquidationRate === undefined ? undefined : 'warn'}
        />
      </Lines>
      {done === undefined || account === undefined ? null : (
        <p className="words">
          {words({ side, preview: done, margin, spot, maturity, isNew: account.yt === signedYt(side, done) })}
        </p>
      )}
    </div>
  )
}

/** The same over time and over what JLP yields. */
export const Outlook = ({ snapshot, preview }: Pick<Props, 'snapshot' | 'preview'>) => {
  const done = preview?.kind === 'preview' ? preview : undefined
  const later = useMemo(() => laterOf(snapshot, done), [snapshot, done])
  if (later === undefined || done?.account === undefined) return null
  const { pool, now } = snapshot.reading
  const dates = [0, pool.tauSeconds / 2, Math.max(0, pool.tauSeconds - DAY)]
  return (
    <div className="stack preview">
      <Payoff later={later} invested={tokens(done.account.netDeposits)} now={now} />
      {done.account.liquidationRate === undefined ? null : (
        <table className="dates small">
          <caption className="muted">Liquidation price by date, if JLP pays what the price implies</caption>
          <thead>
            <tr>
              {dates.map(at => (
                <th key={at} scope="col">
                  {at === 0 ? 'now' : day(now + at)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              {dates.map(at => {
                const found = liquidationAt(later, real(done.quote.apyAfter), at)
                return (
                  <td key={at}>
                    {found.price <= 0n ? (
                      <span className="muted">none any more</span>
                    ) : (
                      <Num unit="ST">{price(found.price)}</Num>
                    )}
                    <br />
                    <span className="muted num">{found.apy === undefined ? '' : `${percent(found.apy)} APY`}</span>
                  </td>
                )
              })}
            </tr>
          </tbody>
        </table>
      )}
    </div>
  )
}

const signedYt = (side: 'long' | 'short', { quote: { filled } }: TradePreview): bigint =>
  side === 'long' ? filled : -filled

const words = ({
  side,
  preview: { quote, breakEvenApy, account },
  margin,
  spot,
  maturity,
  isNew,
}: {
  readonly side: 'long' | 'short'
  readonly preview: TradePreview
  readonly margin: bigint
  readonly spot: boolean
  readonly maturity: number
  readonly isNew: boolean
}): string => {
  const [leg, even, end] = [
    amount(quote.amount),
    breakEvenApy === undefined ? '…' : percent(breakEvenApy),
    day(maturity),
  ]
  const liquidation =
    account?.liquidationRate === undefined
      ? 'Nobody can liquidate it.'
      : `If the implied APY ${side === 'long' ? 'falls' : 'rises'} to ${apy(account.liquidationRate)} it is liquidated; what you can lose is your margin.`
  const first = isNew ? '' : 'Together with what the account holds: '
  if (side === 'long') {
    const paid = spot
      ? `You pay ${leg} of your own ST`
      : `You put in ${amount(margin)} JLP and pay ${leg} ST of the pool's`
    return `${first}${paid} for the yield of ${amount(quote.filled)} ST until ${end}. You earn whatever JLP pays above ${even} on average, and lose what it pays less. ${liquidation} YT themselves go to zero by ${end}, as their yield is paid out to you.`
  }
  return `${first}You put in ${amount(margin)} JLP, get ${leg} ST now, and owe the yield of ${amount(quote.filled)} ST until ${end}. You earn if JLP pays less than ${even} on average, and lose what it pays more. ${liquidation}`
}

/** The average APY until maturity at which nothing is won or lost, by bisection; undefined if there is none up to 1000 %. */
const evenAt = (later: Later, invested: number): number | undefined => {
  const profit = (apy: number): number => worthAt(later, apy, later.tauSeconds).worth - invested
  let [low, high] = [0, 10]
  if (profit(low) < 0 === profit(high) < 0) return undefined
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (profit(middle) < 0 === profit(low) < 0) low = middle
    else high = middle
  }
  return low
}

/** Points of the payoff chart. */
const POINTS = 49

const Payoff = ({
  later,
  invested,
  now,
}: {
  readonly later: Later
  /** What was paid in, JLP. */
  readonly invested: number
  readonly now: number
}) => {
  const { x, curves, markers } = useMemo(() => {
    const even = evenAt(later, invested)
    const most = Math.max(0.1, (even ?? 0.3) * 2.5)
    const x = Array.from({ length: POINTS }, (_, i) => ((most * i) / (POINTS - 1)) * 100)
    const at = (part: number) => x.map(apyPercent => worthAt(later, apyPercent / 100, later.tauSeconds * part))
    const shown = [
      { name: day(now + later.tauSeconds), colour: 'accent', part: 1, dashed: false },
      { name: day(now + later.tauSeconds / 2), colour: 'leading', part: 0.5, dashed: true },
    ]
    return {
      x,
      curves: shown.map(({ name, colour, part, dashed }) => ({
        name,
        colour,
        dashed,
        // A margin is all that can be lost.
        values: at(part).map(({ worth }) => Math.max(worth, 0) - invested),
      })),
      markers: [
        { axis: 'y' as const, at: 0, name: '', colour: 'line-strong' },
        ...(even === undefined
          ? []
          : [{ axis: 'x' as const, at: even * 100, name: `even at ${(even * 100).toFixed(2)}%`, colour: 'muted' }]),
      ],
    }
  }, [later, invested, now])
  return (
    <figure>
      <figcaption className="spread small muted">
        <span>Profit by what JLP yields on average, the rate as now</span>
        <span className="legend">
          {curves.map(({ name, colour, dashed }) => (
            <span key={name}>
              <i className={dashed ? 'key dashed' : 'key'} style={{ borderColor: `var(--${colour})` }} />
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <CurveChart
        height={180}
        label={`Profit in JLP by the average APY of JLP; ${markers[1]?.name ?? 'even at none'}`}
        x={x}
        curves={curves}
        markers={markers}
        formatX={value => `${value.toFixed(0)}%`}
        formatY={value => value.toFixed(Math.abs(value) < 10 ? 1 : 0)}
      />
    </figure>
  )
}
