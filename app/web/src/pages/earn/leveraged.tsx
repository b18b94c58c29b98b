/** PT bought on credit: what it would come to, and how it is lost. The loan is somebody else's; nothing here is sent. */
import { useMemo, useState } from 'react'
import { CurveChart, Legend } from '../../charts/index.tsx'
import { Banner, Choice, ErrorBanner, Figure, Figures, Line, Lines, Slider } from '../../components/index.tsx'
import { AmountField, atomsIn, fractionIn, PercentField, useSettled } from '../../components/shared.tsx'
import { amount, percent, q64Of, real } from '../../format.ts'
import { useSnapshot } from '../../kernel.ts'
import { exact, type Market, type Oracle } from '../../types.ts'
import { type Loan, leveragedPt, outcomeOf } from './figures.ts'

const shown = (fraction: number): string => percent(q64Of(fraction))

export const LeveragedPt = ({ market, oracle }: { readonly market: Market; readonly oracle: Oracle | undefined }) => {
  const [text, setText] = useState('100')
  const [loops, setLoops] = useState(3)
  const [ltv, setLtv] = useState('80')
  const [limit, setLimit] = useState('88')
  const [apr, setApr] = useState('10')
  const [unit, setUnit] = useState<Loan['unit']>('st')
  const [realised, setRealised] = useState<string>()
  const realisedText = realised ?? (oracle?.expected.apyPercent ?? 30).toFixed(2)
  const { snapshot, error } = useSnapshot(market.market)
  const pool = snapshot?.reading.pool
  const { atoms: jlp } = atomsIn(useSettled(text, 120))
  const [ltvOf, limitOf, aprOf, realisedOf] = [
    fractionIn(ltv, 0.97),
    fractionIn(limit, 0.99),
    fractionIn(apr, 5),
    fractionIn(realisedText, 3),
  ]
  const loan = useMemo(
    () =>
      ltvOf === undefined || limitOf === undefined || aprOf === undefined || ltvOf === 0 || limitOf < ltvOf
        ? undefined
        : { ltv: ltvOf, liquidationLtv: limitOf, apr: aprOf, unit },
    [ltvOf, limitOf, aprOf, unit],
  )
  const made = useMemo(
    () =>
      pool === undefined || jlp === undefined || loan === undefined
        ? undefined
        : leveragedPt(pool, { jlp, loops, loan }),
    [pool, jlp, loops, loan],
  )
  const outcome =
    made === undefined || loan === undefined || realisedOf === undefined ? undefined : outcomeOf(made, loan, realisedOf)
  const plain = useMemo(
    () =>
      pool === undefined || jlp === undefined || loan === undefined
        ? undefined
        : leveragedPt(pool, { jlp, loops: 0, loan }),
    [pool, jlp, loan],
  )
  const chart = useMemo(() => {
    if (made === undefined || plain === undefined || loan === undefined) return { x: [], curves: [], markers: [] }
    const x = Array.from({ length: 41 }, (_, i) => i * 0.025)
    return {
      x,
      curves: [
        { name: 'with the loan', colour: 'accent', values: x.map(apy => outcomeOf(made, loan, apy).netApyInSt) },
        {
          name: 'without',
          colour: 'official',
          dashed: true,
          values: x.map(apy => outcomeOf(plain, loan, apy).netApyInSt),
        },
      ],
      markers: [],
    }
  }, [made, plain, loan])
  const now = real(exact(market.impliedApy))
  const bound = made?.liquidationApy === undefined ? undefined : real(made.liquidationApy)
  return (
    <>
      <Banner tone="warn" title="A calculation, and a risk.">
        Sunder lends nothing: a lender would take the PT as security, at its own rate and limits. Fill in the terms of
        one. If the implied APY rises far enough, PT fall in price, the lender sells them, and what was put in can be
        lost altogether although PT would have paid in full at maturity.
      </Banner>
      <ErrorBanner error={error} />
      <div className="halves">
        <AmountField
          label={`Own JLP, into PT of ${market.market}`}
          value={text}
          onChange={setText}
          unit="JLP"
          has={undefined}
        />
        <Slider
          label="Times borrowed and bought again"
          value={loops}
          onChange={setLoops}
          min={0}
          max={10}
          step={1}
          text={String(loops)}
        />
        <PercentField label="Lender's APR" value={apr} onChange={setApr} most={5} />
        <PercentField label="Borrowed up to, of the PT's value" value={ltv} onChange={setLtv} most={0.97} />
        <PercentField
          label="Liquidated at, of the PT's value"
          value={limit}
          onChange={setLimit}
          most={0.99}
          help={loan === undefined ? 'At least what is borrowed up to' : ''}
        />
        <PercentField label="JLP's pool pays meanwhile, a year" value={realisedText} onChange={setRealised} most={3} />
        <div className="field">
          <div className="top">
            <span>What is owed</span>
          </div>
          <Choice
            label="What is owed"
            value={unit}
            onChange={setUnit}
            options={[
              { value: 'st', text: "JLP's assets" },
              { value: 'jlp', text: 'JLP' },
            ]}
          />
          <div className="help">
            {unit === 'st'
              ? 'Such as a loan in the assets behind JLP: it is worth what ST is.'
              : 'Then the loan costs what the pool pays, besides its APR.'}
          </div>
        </div>
      </div>
      <Figures>
        <Figure
          label="Net APY, in ST"
          value={outcome === undefined ? undefined : shown(outcome.netApyInSt)}
          note={outcome === undefined ? ' ' : `in JLP ${shown(outcome.netApy)}`}
          tone={outcome !== undefined && outcome.netApyInSt < 0 ? 'short' : undefined}
        />
        <Figure
          label="PT per own JLP"
          value={made === undefined ? undefined : `${made.leverage.toFixed(2)}x`}
          note={made === undefined ? ' ' : made.complete ? 'at the spot' : 'the market ran out of PT'}
        />
        <Figure
          label="Liquidated at an implied APY of"
          value={made === undefined ? undefined : bound === undefined ? 'none' : shown(bound)}
          note={bound === undefined ? ' ' : `now ${shown(now)}, ${((bound - now) * 100).toFixed(2)} points away`}
          tone={bound !== undefined && bound - now < 0.1 ? 'warn' : undefined}
          why="Where the PT are worth so little that the debt is at the lender's limit, right after the last purchase. It can come in a moment; nobody waits for maturity then."
        />
        <Figure
          label="Undone at once"
          value={made === undefined ? undefined : amount(made.unwoundAtOnce)}
          unit="JLP"
          note={made === undefined ? ' ' : `of ${amount(made.paid)} put in`}
          why="What is left if all PT are sold right away and the loan is paid back: fees and price impact both ways are gone."
        />
      </Figures>
      <div className="halves">
        <Lines>
          <Line label="PT" value={made === undefined ? undefined : amount(made.pt)} unit="PT" />
          <Line label="Own JLP" value={made === undefined ? undefined : amount(made.paid)} unit="JLP" />
          <Line label="Debt" value={made === undefined ? undefined : amount(made.debt)} unit="JLP" />
          <Line label="Debt to value" value={made === undefined ? undefined : shown(made.ltv)} />
        </Lines>
        <Lines>
          <Line
            label="PT redeem for"
            value={outcome === undefined ? undefined : (outcome.received / 1e6).toFixed(2)}
            unit="JLP"
          />
          <Line
            label="Owed then"
            value={outcome === undefined ? undefined : (outcome.owed / 1e6).toFixed(2)}
            unit="JLP"
          />
          <Line
            label="Left"
            value={outcome === undefined ? undefined : (outcome.remains / 1e6).toFixed(2)}
            unit="JLP"
          />
          <Line
            label="If the implied APY stands still"
            value={
              outcome === undefined
                ? undefined
                : outcome.liquidatedOn === undefined
                  ? 'no liquidation'
                  : `liquidated on day ${outcome.liquidatedOn}`
            }
            tone={outcome?.liquidatedOn === undefined ? undefined : 'warn'}
          />
        </Lines>
      </div>
      <Legend
        items={[
          { name: 'Net APY in ST, with the loan', colour: 'accent' },
          { name: 'Without: the fixed APY', colour: 'official', dashed: true },
        ]}
      />
      <CurveChart
        {...chart}
        height={220}
        formatX={value => `${(value * 100).toFixed(0)}%`}
        formatY={value => `${(value * 100).toFixed(0)}%`}
        label="Net yield a year in ST with and without the loan, over what JLP's pool pays"
        empty="Fill in the lender's terms"
      />
    </>
  )
}
