/** The order form. All that it says is worked out in the page, from the market's accounts, at every keystroke. */
import { useMemo, useRef, useState } from 'react'
import { parseAtoms, parsePercent, type RateQ64, rateFromApy, ytPrice } from '../../../../../amm/index.ts'
import { wordsOf } from '../../api.ts'
import { chainNow, useChain } from '../../chain.ts'
import { Banner, Choice, Field, Panel, Select, Slider, Why } from '../../components/index.tsx'
import { amount, apy, percent, signed } from '../../format.ts'
import {
  heldAccount,
  legFor,
  mostLeverageNow,
  previewTrade,
  refusalWords,
  type Snapshot,
  type TradeAsk,
} from '../../kernel.ts'
import type { Market, Owner } from '../../types.ts'
import { FaucetButton } from '../../wallet/faucet.tsx'
import { useSend } from '../../wallet/send.ts'
import { chooseWallet, useSigner } from '../../wallet/wallet.tsx'
import { Outlook, Preview } from './preview.tsx'

type SideName = 'long' | 'short'
type Kind = 'market' | 'limit' | 'stop' | 'take-profit'

const DAY = 86_400
const DEFAULT_FEE = '0.05'

/** What a text means, or why it means nothing. */
export type Typed =
  | { readonly value: bigint; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: string }

export const typedAtoms = (text: string, what: string): Typed => {
  if (text.trim() === '') return { error: `Give ${what}` }
  try {
    const value = parseAtoms(text.trim().replace(/ /g, ''))
    return value > 0n ? { value } : { error: `Give ${what} above zero` }
  } catch {
    return { error: 'A number with at most six decimals, such as 12.5' }
  }
}

/** An APY in percent as a rate. */
export const typedApy = (text: string): Typed => {
  try {
    const value = parsePercent(text.trim())
    return value < 50n << 64n ? { value: rateFromApy(value) } : { error: 'An APY below 5 000 %' }
  } catch {
    return { error: 'A percentage, such as 34.3' }
  }
}

/** Why nothing new may be opened in a market, if so. */
export const closedBecause = (market: Market | undefined): string | undefined => {
  switch (market?.status) {
    case 'paused':
      return 'New risk is paused: only exits are open'
    case 'reduce-only':
      return 'No coupon could be paid for too long: only exits are open until the next one'
    case 'matured':
      return 'The market has matured: settle what is left'
    case 'opening':
      return 'The market is still being set up'
    case 'stale':
      return 'The chain was read too long ago: nothing is quoted'
    default:
      return undefined
  }
}

const RESTS = 'The order rests on the chain until somebody fills it for its fee, or until you take it back.'

const EXPIRIES = [
  ['1', '1 day'],
  ['7', '7 days'],
  ['30', '30 days'],
  ['0', 'until maturity'],
] as const

export const Ticket = ({
  snapshot,
  market,
  owner,
  asked = [],
}: {
  readonly snapshot: Snapshot | undefined
  readonly market: Market | undefined
  readonly owner: Owner | undefined
  /** What the address asks for: a side and YT, such as `long` and `1250.5`. */
  readonly asked?: readonly string[]
}) => {
  const signer = useSigner()
  const chain = useChain()
  const { send, isBusy } = useSend()
  const [side, setSide] = useState<SideName>(asked[0] === 'short' ? 'short' : 'long')
  const [kind, setKind] = useState<Kind>('market')
  const [by, setBy] = useState<'margin' | 'yt'>(asked[1] === undefined ? 'margin' : 'yt')
  const [marginText, setMargin] = useState('10')
  const [ytText, setYt] = useState(asked[1] ?? '1000')
  const [leverage, setLeverage] = useState(500)
  const [isSpot, setSpot] = useState(false)
  const [limitText, setLimit] = useState('')
  const [subText, setSub] = useState('0')
  const [basis, setBasis] = useState<'rate' | 'pnl'>('rate')
  const [levelText, setLevel] = useState('')
  const [part, setPart] = useState(100)
  const [feeText, setFee] = useState(DEFAULT_FEE)
  const [expiry, setExpiry] = useState<string>('7')

  /** Numbers of orders that were sent from here, by account: what is read of the chain may be from before. */
  const placed = useRef(new Map<number, number[]>())

  const name = market?.market
  const sub = Number(subText)
  const accounts = useMemo(() => owner?.accounts.filter(one => one.market === name) ?? [], [owner, name])
  const orders = useMemo(
    () => owner?.orders.filter(one => one.market === name && one.sub === sub) ?? [],
    [owner, name, sub],
  )
  const found = accounts.find(({ account }) => account.sub === sub)
  const held = useMemo(
    () =>
      snapshot === undefined || found === undefined || owner === undefined
        ? undefined
        : heldAccount(snapshot, owner.owner, found.account, found.orders),
    [snapshot, found, owner],
  )
  const reduces = kind === 'stop' || kind === 'take-profit'
  const spot = isSpot && side === 'long' && kind === 'market'

  // ---- size ----
  const margin = typedAtoms(marginText, 'the margin')
  const yt = typedAtoms(ytText, 'the YT')
  const sized = margin.value ?? 10_000_000n
  const most = useMemo(
    () => (snapshot === undefined ? undefined : mostLeverageNow(snapshot, side, sized, held)),
    [snapshot, side, sized, held],
  )
  const used = spot ? 100 : Math.max(10, Math.min(leverage, most ?? leverage))
  const limit = limitText.trim() === '' ? undefined : typedApy(limitText)

  const ask = useMemo<TradeAsk | undefined>(() => {
    if (snapshot === undefined || reduces) return undefined
    const common = { action: side, spot, held, sub, limitRate: kind === 'market' ? limit?.value : undefined } as const
    if (by === 'margin') {
      if (margin.value === undefined) return undefined
      const { feeBps } = snapshot.reading.terms
      // On the own money, what is left of it after the fee.
      const leg = spot ? (margin.value * 9_999n) / BigInt(10_000 + feeBps) : legFor(snapshot, margin.value, used)
      return { ...common, unit: 'st', amount: leg, margin: margin.value }
    }
    if (yt.value === undefined) return undefined
    const alone = previewTrade(snapshot, { ...common, held: undefined, unit: 'token', amount: yt.value, margin: 0n })
    if (alone.kind === 'rejected') return { ...common, unit: 'token', amount: yt.value, margin: 0n }
    const { stLeg, fee } = alone.quote
    const needed = (stLeg * 100n + BigInt(used) - 1n) / BigInt(used) + fee.total
    return { ...common, unit: 'token', amount: yt.value, margin: needed }
  }, [snapshot, reduces, side, spot, held, sub, kind, limit?.value, by, margin.value, yt.value, used])
  const preview = useMemo(
    () => (snapshot === undefined || ask === undefined ? undefined : previewTrade(snapshot, ask)),
    [snapshot, ask],
  )

  // ---- orders that rest ----
  const fee = typedAtoms(feeText, 'the fee')
  const level = basis === 'rate' ? typedApy(levelText) : typedPnl(levelText)
  const position = held?.yt ?? 0n
  const size = position < 0n ? -position : position
  /** YT of a limit order: what the ST leg buys at the limit. */
  const restingYt = useMemo(() => {
    if (snapshot === undefined || limit?.value === undefined) return undefined
    if (by === 'yt') return yt.value
    if (margin.value === undefined) return undefined
    const { pool } = snapshot.reading
    const price = ytPrice(limit.value as RateQ64, pool.tauSeconds) * pool.discount
    return price === 0n ? undefined : (legFor(snapshot, margin.value, used) << 128n) / price
  }, [snapshot, limit?.value, by, yt.value, margin.value, used])

  // ---- whether it can be done ----
  const closed = closedBecause(market)
  const wallet = owner === undefined ? undefined : BigInt(owner.wallet.jlp)
  const needs = reduces
    ? 0n
    : kind === 'limit' && by === 'yt'
      ? marginAt(snapshot, limit?.value, yt.value, used)
      : (ask?.margin ?? margin.value ?? 0n)
  const refusal =
    preview === undefined
      ? undefined
      : preview.kind === 'rejected'
        ? refusalWords(preview)
        : preview.refusal === undefined
          ? undefined
          : refusalWords(preview.refusal)
  const reasons: readonly (string | false | undefined)[] = reduces
    ? [
        market?.status === 'matured' && closed,
        size === 0n && 'There is no position to protect in this account',
        level.error,
        fee.error,
      ]
    : [
        closed,
        by === 'margin' ? margin.error : yt.error,
        kind === 'limit' && limit === undefined && 'Give the limit',
        limit?.error,
        kind === 'limit' && fee.error,
        held !== undefined && held.yt !== 0n && held.yt > 0n !== (side === 'long')
          ? `Account ${sub} is ${side === 'long' ? 'short' : 'long'}: an order never turns a position round. Close it first, or take another account`
          : undefined,
        kind === 'market' && refusal !== undefined && wordsOf(refusal),
        wallet !== undefined &&
          needs > wallet &&
          `The wallet has ${amount(wallet)} JLP and ${amount(needs)} are needed`,
      ]
  const reason = reasons.find(one => typeof one === 'string') as string | undefined

  const submit = async (): Promise<void> => {
    const now = chainNow() ?? snapshot?.now
    if (snapshot === undefined || now === undefined || name === undefined) return
    if (kind === 'market') {
      if (ask === undefined) return
      const { unit, amount: wanted, margin: deposit, limitRate } = ask
      await send({
        title: side === 'long' ? `Long ${name}` : `Short ${name}`,
        action: 'trade',
        body: { market: name, sub, action: side, unit, amount: wanted, margin: deposit, spot, limitRate },
      })
      return
    }
    const { maturity } = snapshot.reading
    const expiresAt = expiry === '0' ? maturity : Math.min(maturity, now + Number(expiry) * DAY)
    const taken = new Set([...orders.map(({ id }) => id), ...(placed.current.get(sub) ?? [])])
    let id = 0
    while (taken.has(id) && id < 255) id++
    placed.current.set(sub, [...(placed.current.get(sub) ?? []), id])
    const common = { market: name, sub, id, fee: fee.value, expiresAt }
    if (kind === 'limit') {
      // Its margin has to be there when somebody fills it.
      if (
        needs > 0n &&
        (await send({ title: `Margin for the order`, action: 'deposit', body: { market: name, sub, jlp: needs } })) ===
          undefined
      )
        return
      await send({
        title: `Limit order in ${name}`,
        action: 'place-order',
        says: () => RESTS,
        body: { ...common, action: side, amount: restingYt, limitRate: limit?.value },
      })
      return
    }
    const isLong = position > 0n
    const above = basis === 'pnl' ? kind === 'take-profit' : isLong === (kind === 'take-profit')
    await send({
      title: `${kind === 'stop' ? 'Stop' : 'Take-profit'} in ${name}`,
      action: 'place-order',
      says: () => RESTS,
      body: {
        ...common,
        action: isLong ? 'reduce-long' : 'reduce-short',
        // All of it is said by leaving the amount out, so that it stays all when the position grows.
        amount: part === 100 ? undefined : (size * BigInt(part)) / 100n,
        limitRate: limit?.value,
        trigger: { when: `${basis}-${above ? 'above' : 'below'}`, level: String(level.value) },
      },
    })
  }

  const subs = [...new Set([0, ...accounts.map(({ account }) => account.sub)])].sort((a, b) => a - b)
  const next = subs.findIndex((one, i) => one !== i)
  const fresh = next < 0 ? subs.length : next
  const subOptions = [...subs, ...(subs.includes(fresh) ? [] : [fresh])].map(one => {
    const account = accounts.find(({ account }) => account.sub === one)?.account
    const yt = BigInt(account?.yt ?? '0')
    const says = account === undefined ? 'new' : yt === 0n ? 'no position' : yt > 0n ? 'long' : 'short'
    return [String(one), `Account ${one} (${says})`] as const
  })

  return (
    <Panel label="Order" className="ticket">
      <Choice
        label="Kind of order"
        className="wide"
        value={kind}
        onChange={setKind}
        options={[
          { value: 'market', text: 'Market' },
          { value: 'limit', text: 'Limit' },
          { value: 'stop', text: 'Stop' },
          { value: 'take-profit', text: 'Take profit' },
        ]}
      />
      {reduces ? null : (
        <Choice
          label="Side"
          className="wide sides"
          value={side}
          onChange={setSide}
          options={[
            { value: 'long', text: '▲ Long YT', className: 'buy' },
            { value: 'short', text: '▼ Short YT', className: 'sell' },
          ]}
        />
      )}
      {subOptions.length > 1 ? (
        <Select
          label={
            <>
              Account
              <Why>
                Each account has a margin of its own: what goes wrong in one does not touch the others. A long and a
                short in the same market need two.
              </Why>
            </>
          }
          value={subText}
          options={subOptions}
          onChange={setSub}
        />
      ) : null}

      {reduces ? (
        <>
          <Choice
            label="What it waits for"
            className="wide"
            value={basis}
            onChange={setBasis}
            options={[
              { value: 'rate', text: 'Implied APY' },
              { value: 'pnl', text: 'Profit' },
            ]}
          />
          <Field
            label={
              basis === 'rate'
                ? `When the implied APY is ${position < 0n === (kind === 'take-profit') ? 'below' : 'above'}`
                : `When the profit is ${kind === 'stop' ? 'below' : 'above'}`
            }
            value={levelText}
            onChange={setLevel}
            unit={basis === 'rate' ? '%' : 'JLP'}
            placeholder={
              basis === 'rate'
                ? percent(snapshot?.view.impliedApy ?? 0n).replace('%', '')
                : kind === 'stop'
                  ? '-5'
                  : '5'
            }
            error={levelText === '' ? undefined : level.error}
            help="Looked at by the five-minute average, which nobody pushes in a moment"
          />
          <Slider
            label="How much of the position"
            min={5}
            max={100}
            step={5}
            value={part}
            onChange={setPart}
            text={`${part}%, ${amount((size * BigInt(part)) / 100n)} YT`}
          />
        </>
      ) : (
        <>
          <Choice
            label="Amount by"
            className="wide"
            value={by}
            onChange={setBy}
            options={[
              { value: 'margin', text: 'By margin' },
              { value: 'yt', text: 'By YT' },
            ]}
          />
          {by === 'margin' ? (
            <Field
              label="Margin"
              value={marginText}
              onChange={setMargin}
              unit="JLP"
              error={margin.error}
              aside={wallet === undefined ? null : `wallet ${amount(wallet)} JLP`}
              help={
                ask === undefined || ask.unit !== 'st'
                  ? ' '
                  : spot
                    ? `All ${amount(ask.amount)} JLP of it are your own`
                    : `${side === 'long' ? 'Borrows' : 'Sells YT for'} ${amount(ask.amount)} JLP of ST`
              }
            />
          ) : (
            <Field
              label="YT"
              value={ytText}
              onChange={setYt}
              unit="YT"
              error={yt.error}
              aside={wallet === undefined ? null : `wallet ${amount(wallet)} JLP`}
              help={ask === undefined ? ' ' : `Needs ${amount(needs)} JLP of margin`}
            />
          )}
          <Slider
            label={
              <>
                Leverage
                <Why>
                  The ST leg for each JLP of margin. The most is the protocol's own for this moment: opening needs 110 %
                  collateral and 1.2 times the worst loss that one coupon can bring. The nearer maturity and the lower
                  the implied APY, the cheaper YT, and the more one coupon weighs against it: hence often less than 10x.
                  Your own price impact takes some of it, too.
                </Why>
              </>
            }
            min={10}
            max={Math.max(11, most ?? 1000)}
            step={1}
            value={used}
            onChange={setLeverage}
            disabled={spot}
            text={`${(used / 100).toFixed(2)}x`}
            aside={
              <span className="num">
                {(used / 100).toFixed(2)}x{' '}
                <span className="unit">of at most {most === undefined ? '…' : `${(most / 100).toFixed(2)}x`} now</span>
              </span>
            }
          />
          {side === 'long' && kind === 'market' ? (
            <label className="check small">
              <input type="checkbox" checked={isSpot} onChange={event => setSpot(event.target.checked)} />
              <span>Only with my own money: nothing is borrowed, nothing can be liquidated</span>
            </label>
          ) : null}
        </>
      )}

      {reduces ? null : (
        <Field
          label={
            kind === 'limit'
              ? side === 'long'
                ? 'Buy up to an implied APY of'
                : 'Sell down to an implied APY of'
              : 'Worst implied APY'
          }
          value={limitText}
          onChange={setLimit}
          unit="%"
          placeholder={
            kind === 'limit'
              ? percent(snapshot?.view.impliedApy ?? 0n).replace('%', '')
              : 'half a percent beyond the quote'
          }
          error={limit?.error}
          help={
            kind === 'limit' && limit?.value !== undefined && snapshot !== undefined
              ? (side === 'long' ? limit.value > snapshot.view.rate : limit.value < snapshot.view.rate)
                ? 'The market is already there: it would be filled at once, as far as there is depth'
                : `Rests until the implied APY is ${side === 'long' ? 'lower' : 'higher'}; about ${restingYt === undefined ? '…' : amount(restingYt)} YT`
              : kind === 'limit'
                ? ' '
                : 'The trade stops there; what is beyond is not filled'
          }
        />
      )}
      {kind === 'market' ? null : (
        <div className="pair">
          <Field
            label={
              <>
                Fee for filling
                <Why>
                  The order rests on the chain. Anyone may fill it when its time has come, for this fee out of your
                  margin; the limit is enforced by the program.
                </Why>
              </>
            }
            value={feeText}
            onChange={setFee}
            unit="JLP"
            error={fee.error}
          />
          <Select label="Good for" value={expiry} options={EXPIRIES} onChange={setExpiry} />
        </div>
      )}

      {reduces || snapshot === undefined || ask === undefined ? null : (
        <Preview
          snapshot={snapshot}
          side={side}
          preview={preview}
          margin={ask.margin}
          spot={spot}
          isResting={kind === 'limit'}
        />
      )}
      {kind === 'limit' && !reduces && signer !== undefined ? (
        <p className="muted small">
          Two transactions: the margin first, then the order. The margin stays yours, and can be withdrawn.
        </p>
      ) : null}

      {signer !== undefined && chain?.local === true && wallet === 0n ? (
        <Banner
          title="The wallet has no JLP."
          action={<FaucetButton owner={signer.address} className="button small" />}
        />
      ) : null}
      {signer === undefined ? (
        <button type="button" className="button primary wide" onClick={chooseWallet}>
          Connect a wallet to trade
        </button>
      ) : (
        <>
          <button
            type="button"
            className={`button wide ${reduces ? 'primary' : side === 'long' ? 'buy' : 'sell'}`}
            disabled={isBusy || reason !== undefined || snapshot === undefined}
            aria-describedby="ticket-reason"
            onClick={() => void submit()}
          >
            {isBusy
              ? 'Working'
              : kind === 'market'
                ? `${side === 'long' ? 'Buy' : 'Sell'} ${preview?.kind === 'preview' ? amount(preview.quote.filled) : ''} YT`
                : kind === 'limit'
                  ? 'Place limit order'
                  : kind === 'stop'
                    ? 'Place stop'
                    : 'Place take-profit'}
          </button>
          <p id="ticket-reason" className="reason small" role="status">
            {reason ?? ' '}
          </p>
        </>
      )}
      {reduces && held !== undefined && size > 0n && snapshot !== undefined ? (
        <p className="muted small">
          {position > 0n ? 'Long' : 'Short'} {amount(size)} YT; implied APY now {apy(snapshot.view.rate)}, profit
          (equity less what was paid in) {signed(BigInt(found?.account.equity ?? '0') - held.netDeposits)} JLP.
        </p>
      ) : null}
      {reduces || snapshot === undefined ? null : <Outlook snapshot={snapshot} preview={preview} />}
    </Panel>
  )
}

/** A profit in JLP, which may be negative. */
const typedPnl = (text: string): Typed => {
  const isNegative = /^\s*[-−]/.test(text)
  const found = text.trim() === '' ? { error: 'Give the profit' } : typedZero(text.replace(/[-−]/, ''))
  return found.value === undefined ? found : { value: isNegative ? -found.value : found.value }
}
const typedZero = (text: string): Typed => {
  try {
    return { value: parseAtoms(text.trim()) }
  } catch {
    return { error: 'A number with at most six decimals, such as -5' }
  }
}

/** Margin that a limit order of so many YT needs at its limit. */
const marginAt = (
  snapshot: Snapshot | undefined,
  rate: bigint | undefined,
  yt: bigint | undefined,
  hundredths: number,
): bigint => {
  if (snapshot === undefined || rate === undefined || yt === undefined) return 0n
  const { pool, terms } = snapshot.reading
  const leg = (ytPrice(rate as RateQ64, pool.tauSeconds) * pool.discount * yt) >> 128n
  return (leg * 100n) / BigInt(hundredths) + (leg * BigInt(terms.feeBps)) / 10_000n + 1n
}
