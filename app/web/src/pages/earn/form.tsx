/** A fixed APY for JLP: what is got, when, and what it costs, before anything is signed. */
import { useMemo, useState } from 'react'
import { CurveChart, Legend } from '../../charts/index.tsx'
import { Banner, ErrorBanner, Line, Lines, Panel } from '../../components/index.tsx'
import {
  AmountField,
  atomsIn,
  closedBecause,
  MarketBadge,
  MarketSelect,
  MarketState,
  ToleranceSelect,
} from '../../components/shared.tsx'
import { amount, day, duration, percent, q64Of, real, tokens } from '../../format.ts'
import { useSnapshot } from '../../kernel.ts'
import type { Market, Oracle } from '../../types.ts'
import { useSend } from '../../wallet/send.ts'
import { chooseWallet, useSigner } from '../../wallet/wallet.tsx'
import { buyPt } from '../../wallet/wishes.ts'
import { type Bought, buyWith, redeemedFor } from './figures.ts'

export const FixForm = ({
  markets,
  market,
  oracle,
  jlp,
  onMarket,
}: {
  readonly markets: readonly Market[]
  readonly market: Market
  readonly oracle: Oracle | undefined
  /** In the wallet. */
  readonly jlp: bigint | undefined
  readonly onMarket: (market: string) => void
}) => {
  const signer = useSigner()
  const [text, setText] = useState('100')
  const [toleranceBps, setTolerance] = useState(50)
  const { snapshot, error } = useSnapshot(market.market)
  const { send, isBusy } = useSend()
  const { atoms } = atomsIn(text)
  const bought = useMemo(
    () => (snapshot === undefined || atoms === undefined ? undefined : buyWith(snapshot.reading.pool, atoms)),
    [snapshot, atoms],
  )
  const seconds = snapshot?.view.tauSeconds
  const closed = closedBecause(market, 'risk')
  const why =
    closed ??
    (atoms === undefined || atoms === 0n
      ? 'Say how much JLP'
      : jlp !== undefined && atoms > jlp
        ? 'More JLP than the wallet has'
        : snapshot !== undefined && bought === undefined
          ? 'This market has no PT to sell now'
          : bought === undefined
            ? 'Working it out'
            : undefined)
  return (
    <Panel title="Fix an APY" aside={<MarketBadge market={market} />}>
      <ErrorBanner error={error} />
      <MarketSelect label="Until" value={market.market} markets={markets} onChange={onMarket} />
      <MarketState market={market} />
      <AmountField label="JLP to deposit, fee included" value={text} onChange={setText} unit="JLP" has={jlp} />
      <div className="room">
        <Lines>
          <Line
            label="Fixed APY, after fee and impact"
            value={bought?.fixedApy === undefined ? undefined : percent(bought.fixedApy)}
            why={
              <>
                PT cost less than 1 ST and pay 1 ST at maturity, so their price now is the whole of their yield. It is
                counted in ST: JLP without the fees that its pool will earn.
              </>
            }
          />
          <Line
            label="You get now"
            value={bought === undefined ? undefined : amount(bought.pt, 6)}
            unit="PT"
            why="Principal tokens. They are in your wallet like any other token, and this page sells them again whenever you like."
          />
          <Line
            label="They pay at maturity"
            value={bought === undefined ? undefined : amount(bought.pt, 6)}
            unit="ST"
            note={day(market.maturity)}
            why="1 ST for each PT, paid in JLP: as many JLP as are worth that ST then. A JLP earns its pool's fees meanwhile and becomes worth more, so these are fewer JLP, of more value each."
          />
          <Line label="You pay" value={bought === undefined ? undefined : amount(bought.paid, 6)} unit="JLP" />
          <Line
            label="of it fee"
            value={bought === undefined ? undefined : amount(bought.fee, 6)}
            unit="JLP"
            why={`${(market.feeBps / 100).toFixed(2)} % of the YT that are sold inside, not of your deposit.`}
          />
          <Line
            label="Price impact"
            value={bought === undefined ? undefined : bought.impactBp.toFixed(2)}
            unit="bp"
            note={bought === undefined ? undefined : `implied APY after ${percent(bought.apyAfter)}`}
          />
        </Lines>
      </div>
      {bought !== undefined && !bought.complete ? (
        <Banner tone="warn" title="Not all of it fits.">
          The market sells {amount(bought.pt)} PT for {amount(bought.paid)} JLP; the rest stays with you.
        </Banner>
      ) : null}
      <InWords bought={bought} market={market} oracle={oracle} seconds={seconds} />
      <ToleranceSelect value={toleranceBps} onChange={setTolerance} />
      {signer === undefined ? (
        <button type="button" className="button primary wide" onClick={chooseWallet}>
          Connect a wallet
        </button>
      ) : (
        <button
          type="button"
          className="button primary wide"
          disabled={why !== undefined || isBusy}
          onClick={() => void send(buyPt({ market: market.market, st: bought!.st, toleranceBps }))}
        >
          {why ?? `Buy ${amount(bought!.pt)} PT`}
        </button>
      )}
    </Panel>
  )
}

const InWords = ({
  bought,
  market,
  oracle,
  seconds,
}: {
  readonly bought: Bought | undefined
  readonly market: Market
  readonly oracle: Oracle | undefined
  readonly seconds: number | undefined
}) => {
  if (bought?.fixedApy === undefined || seconds === undefined) return <p className="said tall" />
  const fixed = percent(bought.fixedApy)
  const expected = oracle?.expected.apyPercent
  const better = expected === undefined ? undefined : real(bought.fixedApy) * 100 > expected
  return (
    <p className="said tall">
      For {amount(bought.paid)} JLP now you are paid {amount(bought.pt)} ST on {day(market.maturity)}, in{' '}
      {duration(seconds)}, whatever JLP's pool earns. That is better than holding JLP if its pool pays less than {fixed}{' '}
      a year on average until then
      {expected === undefined
        ? '.'
        : `; of the running week ${expected.toFixed(2)}% is expected, at which holding JLP ${better ? 'is worse' : 'is better'}.`}
    </p>
  )
}

/** JLP at maturity, by what the pool pays until then. */
export const AgainstHolding = ({ market, jlp }: { readonly market: Market; readonly jlp: bigint | undefined }) => {
  const { snapshot } = useSnapshot(market.market)
  const pool = snapshot?.reading.pool
  const bought = useMemo(() => (pool === undefined || jlp === undefined ? undefined : buyWith(pool, jlp)), [pool, jlp])
  const fixed = bought?.fixedApy === undefined ? undefined : real(bought.fixedApy)
  const chart = useMemo(() => {
    if (bought === undefined || pool === undefined || fixed === undefined) return { x: [], curves: [], markers: [] }
    const most = Math.max(0.6, fixed * 2)
    const x = Array.from({ length: 61 }, (_, i) => (most * i) / 60)
    return {
      x,
      curves: [
        { name: 'by PT', colour: 'accent', values: x.map(apy => tokens(redeemedFor(pool, bought.pt, apy))) },
        { name: 'held', colour: 'official', dashed: true, values: x.map(() => tokens(bought.paid)) },
      ],
      markers: [{ axis: 'x' as const, at: fixed, name: `even at ${percent(q64Of(fixed))}`, colour: 'muted' }],
    }
  }, [bought, pool, fixed])
  return (
    <>
      <p className="lead">
        PT pay a fixed number of ST, and an ST is worth fewer JLP the more JLP's pool has paid meanwhile. So PT are the
        better choice below the fixed APY, and holding JLP above it.
      </p>
      <Legend
        items={[
          { name: 'JLP at maturity, by PT', colour: 'accent' },
          { name: 'JLP held instead', colour: 'official', dashed: true },
        ]}
      />
      <CurveChart
        {...chart}
        height={260}
        formatX={value => `${(value * 100).toFixed(0)}%`}
        formatY={value => value.toFixed(2)}
        label="JLP at maturity by PT and by holding JLP, over what JLP's pool pays a year until then"
        empty="Say how much JLP"
      />
    </>
  )
}
