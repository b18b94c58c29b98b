/** Long and short of YT on margin. */
import { useEffect } from 'react'
import { useNow, useStale } from '../chain.ts'
import { Banner, ErrorBanner, Figure, Figures, Panel, Why } from '../components/index.tsx'
import { useMarket, useOracle, useOwner } from '../data.ts'
import { amount, day, duration, formatTime, percent, price, signedPercent, times } from '../format.ts'
import { useSnapshot } from '../kernel.ts'
import { go, useRoute } from '../router.ts'
import { exact, type Market } from '../types.ts'
import { useSigner } from '../wallet/wallet.tsx'
import { Charts, Trades } from './trade/history.tsx'
import { Positions } from './trade/position.tsx'
import { closedBecause, Ticket } from './trade/ticket.tsx'
import './trade/trade.css'

const Head = ({
  market,
  markets,
}: {
  readonly market: Market | undefined
  readonly markets: readonly Market[] | undefined
}) => {
  const now = useNow()
  const stale = useStale()
  const edge = market?.leadingEdge
  return (
    <Panel label="Market" className="head">
      <div className="spread">
        <div className="row">
          <h1>
            <label className="input pick">
              <span className="hidden-visually">Market</span>
              <select value={market?.market ?? ''} onChange={event => go('trade', event.target.value)}>
                {market === undefined ? <option value="">…</option> : null}
                {markets?.map(one => (
                  <option key={one.market} value={one.market}>
                    {one.market}
                  </option>
                ))}
              </select>
            </label>
          </h1>
          <span className="muted small">
            {market === undefined
              ? ' '
              : `${market.kind} coupons, matures ${formatTime(market.maturity)}${now !== undefined && now < market.maturity ? `, in ${duration(market.maturity - now)}` : ''}`}
          </span>
        </div>
        <Why label="What is this?">
          YT is the yield of one ST-JLP until {market === undefined ? 'maturity' : day(market.maturity)}. Long: you pay
          a price for it now and are paid what JLP really yields, hour by hour. Short: the other way round. The price is
          quoted as an APY: the implied one.
        </Why>
      </div>
      <Figures>
        <Figure
          large
          stale={stale}
          label="Implied APY"
          value={market && percent(exact(market.impliedApy))}
          note={market && `five-minute average ${percent(exact(market.twapApy))}`}
        />
        <Figure
          stale={stale}
          label="YT price"
          value={market && price(exact(market.ytPrice))}
          unit="ST"
          why="It goes to zero at maturity: by then all the yield that a YT stands for has been paid out to its holder."
          note={market && `PT ${price(exact(market.ptPrice))} ST`}
        />
        <Figure
          stale={stale}
          label="Official APR"
          value={market && (market.officialApr === null ? 'none' : percent(exact(market.officialApr)))}
          note="last published"
        />
        <Figure
          stale={stale}
          label="Leading APY"
          value={market && (market.leadingApy === null ? 'none' : percent(exact(market.leadingApy)))}
          note={edge === null || edge === undefined ? ' ' : `${signedPercent(exact(edge))} against implied`}
        />
        <Figure
          stale={stale}
          label="Most leverage"
          value={
            market && `${times(exact(market.mostLeverage.long), 1)} / ${times(exact(market.mostLeverage.short), 1)}`
          }
          why="For a long and for a short at this rate, before your own price impact. It falls towards maturity, as one coupon weighs more against the price that is left."
          note="long / short"
        />
        <Figure
          stale={stale}
          label="Open interest"
          value={
            market &&
            `${amount(BigInt(market.openInterest.longYt), 0)} / ${amount(BigInt(market.openInterest.shortYt), 0)}`
          }
          unit="YT"
          note={
            market &&
            `${amount(BigInt(market.openInterest.jlp), 0)} of at most ${amount(BigInt(market.openInterest.cap), 0)} JLP`
          }
        />
        <Figure
          stale={stale}
          label="TVL"
          value={market && amount(BigInt(market.tvl), 0)}
          unit="JLP"
          note={market?.volume24h ? `${amount(BigInt(market.volume24h.jlp), 0)} JLP traded in 24 h` : ' '}
        />
      </Figures>
    </Panel>
  )
}

export default function Trade() {
  const {
    rest: [name, ...asked],
  } = useRoute()
  const { market, markets, error } = useMarket(name)
  const oracle = useOracle()
  const signer = useSigner()
  const { owner } = useOwner(signer?.address)
  const first = markets?.find(({ status }) => status !== 'matured') ?? markets?.[0]
  const { snapshot, error: unread } = useSnapshot(market?.market)

  // Without a market in the address, the next to mature.
  useEffect(() => {
    if (name === undefined && first !== undefined) location.replace(`#/trade/${first.market}`)
  }, [name, first])

  const closed = closedBecause(market)
  if (name !== undefined && markets !== undefined && market === undefined) {
    return (
      <Banner tone="warn" title={`There is no market ${name}.`}>
        {markets.length === 0
          ? 'There is none on this chain yet.'
          : `There are ${markets.map(one => one.market).join(', ')}.`}
      </Banner>
    )
  }
  return (
    <>
      <Head market={market} markets={markets} />
      <ErrorBanner error={error ?? unread} />
      {closed === undefined ? null : <Banner tone="warn" title={`${closed}.`} />}
      <div className="grid trade-grid">
        <div className="stack wide-gap trade-main">
          <Charts market={market} snapshot={snapshot} oracle={oracle} />
          <Positions market={market} snapshot={snapshot} owner={owner} />
          <Trades market={market?.market} />
        </div>
        <Ticket
          key={[market?.market, ...asked].join('/')}
          snapshot={snapshot}
          market={market}
          owner={owner}
          asked={asked}
        />
      </div>
    </>
  )
}
