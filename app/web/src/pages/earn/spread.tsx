/** PT of two maturities against each other. */
import { useMemo, useState } from 'react'
import { CurveChart, Legend } from '../../charts/index.tsx'
import { ErrorBanner, Line, Lines } from '../../components/index.tsx'
import {
  AmountField,
  atomsIn,
  fractionIn,
  isLive,
  MarketSelect,
  PercentField,
  useSettled,
} from '../../components/shared.tsx'
import { amount, day, percent, q64Of, real } from '../../format.ts'
import { useSnapshot } from '../../kernel.ts'
import { exact, type Market, type Oracle } from '../../types.ts'
import { spreadOf } from './figures.ts'

const shown = (fraction: number | undefined): string | undefined =>
  fraction === undefined ? undefined : percent(q64Of(fraction))

export const SpreadCalculator = ({
  markets,
  first,
  oracle,
}: {
  readonly markets: readonly Market[]
  readonly first: Market
  readonly oracle: Oracle | undefined
}) => {
  const live = markets.filter(isLive)
  const withLater = live.filter(near => live.some(far => far.kind === near.kind && far.maturity > near.maturity))
  const [nearName, setNear] = useState(first.market)
  const near = withLater.find(({ market }) => market === nearName) ?? withLater[0]
  const laters = live.filter(({ kind, maturity }) => kind === near?.kind && maturity > (near?.maturity ?? 0))
  const [farName, setFar] = useState<string>()
  const far = laters.find(({ market }) => market === farName) ?? laters[0]
  const [text, setText] = useState('100')
  const [realised, setRealised] = useState<string>()
  const realisedText = realised ?? (oracle?.expected.apyPercent ?? 30).toFixed(2)
  const asked = useSettled(`${text} ${realisedText}`, 120)
  const [nearRead, farRead] = [useSnapshot(near?.market), useSnapshot(far?.market)]
  const [nearPool, farPool] = [nearRead.snapshot?.reading.pool, farRead.snapshot?.reading.pool]
  const spread = useMemo(() => {
    const [jlpText = '', realisedNow = ''] = asked.split(' ')
    const [{ atoms: jlp }, realisedApy] = [atomsIn(jlpText), fractionIn(realisedNow, 3)]
    if (nearPool === undefined || farPool === undefined || jlp === undefined || realisedApy === undefined) return
    const around = real(farPool.rate)
    const exits = Array.from({ length: 31 }, (_, i) => Math.exp(around * (0.25 + i * 0.05)) - 1)
    return spreadOf(nearPool, farPool, { jlp, realisedApy, exits })
  }, [nearPool, farPool, asked])
  const chart = useMemo(() => {
    const exits = spread?.exits ?? []
    return {
      x: exits.map(({ impliedApy }) => impliedApy),
      curves: [
        { name: 'later PT, sold then', colour: 'accent', values: exits.map(({ apy }) => apy) },
        {
          name: 'earlier PT, held',
          colour: 'official',
          dashed: true,
          values: exits.map(() => spread?.nearApy ?? null),
        },
      ],
      markers:
        spread?.breakEvenApy === undefined
          ? []
          : [{ axis: 'x' as const, at: spread.breakEvenApy, name: 'even', colour: 'muted' }],
    }
  }, [spread])
  if (near === undefined || far === undefined) {
    return <p className="muted">There are not two maturities with the same coupons now.</p>
  }
  return (
    <>
      <p className="lead">
        PT of the later market, bought now and sold on {day(near.maturity)}, gain if its implied APY falls, and lose if
        it rises. Holding the earlier PT to its maturity is what they are compared with.
      </p>
      <ErrorBanner error={nearRead.error ?? farRead.error} />
      <div className="halves">
        <MarketSelect label="Earlier" value={near.market} markets={withLater} onChange={setNear} />
        <MarketSelect label="Later" value={far.market} markets={laters} onChange={setFar} />
        <AmountField label="JLP" value={text} onChange={setText} unit="JLP" has={undefined} />
        <PercentField
          label="JLP's pool pays meanwhile"
          value={realisedText}
          onChange={setRealised}
          most={3}
          help="A year; it moves both in the same way"
        />
      </div>
      <div className="halves">
        <Lines>
          <Line label={`Implied APY of ${near.market}`} value={percent(exact(near.impliedApy))} />
          <Line label={`Implied APY of ${far.market}`} value={percent(exact(far.impliedApy))} />
          <Line
            label="Between the two maturities"
            value={spread === undefined ? undefined : (shown(spread.forwardApy) ?? 'below 0')}
            why="The APY that both together imply for the time from the earlier maturity to the later one: the forward APY."
          />
        </Lines>
        <Lines>
          <Line
            label="Earlier PT, held to maturity"
            value={shown(spread?.nearApy)}
            unit="a year in ST"
            note={spread === undefined ? undefined : `${amount(spread.near.pt)} PT`}
          />
          <Line
            label="Later PT bring more if their implied APY is then below"
            value={spread === undefined ? undefined : (shown(spread.breakEvenApy) ?? 'nothing')}
          />
          <Line
            label="Their price now, fixed to the later maturity"
            value={spread?.far.fixedApy === undefined ? undefined : percent(spread.far.fixedApy)}
            note={spread === undefined ? undefined : `${amount(spread.far.pt)} PT`}
          />
        </Lines>
      </div>
      <Legend
        items={[
          { name: `PT of ${far.market}, sold at the earlier maturity`, colour: 'accent' },
          { name: `PT of ${near.market}, held`, colour: 'official', dashed: true },
        ]}
      />
      <CurveChart
        {...chart}
        height={240}
        formatX={value => `${(value * 100).toFixed(0)}%`}
        formatY={value => `${(value * 100).toFixed(0)}%`}
        label="Yield a year in ST of the later PT, over the implied APY at which they are sold, against the earlier PT"
        empty="Working it out"
      />
      <p className="muted small">
        Fees and price impact of buying and selling are in it, with the liquidity of now; others may move it until then.
      </p>
    </>
  )
}
