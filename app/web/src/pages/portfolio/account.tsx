/** A margin account: what it is, where its profit came from, how far it is from liquidation, and what can be done with it. */
import { useMemo, useState } from 'react'
import { apyFromRate } from '../../../../../amm/index.ts'
import { type AccountView, accountView } from '../../../../../src/exchange/index.ts'
import { Banner, Dialog, ErrorBanner, Figure, Figures, Line, Lines, Panel, Side } from '../../components/index.tsx'
import { AmountField, atomsIn, closedBecause, ToleranceSelect } from '../../components/shared.tsx'
import { amount, day, formatAtoms, percent, price, signed, times } from '../../format.ts'
import { heldAccount, previewTrade, refusalWords, run, type Snapshot, useSnapshot, withHeld } from '../../kernel.ts'
import { href } from '../../router.ts'
import { exact, type Market, type Owner } from '../../types.ts'
import { useSend } from '../../wallet/send.ts'
import { closeAccount, closePosition, deposit, settle, withdraw } from '../../wallet/wishes.ts'
import { mostWithdrawable } from './figures.ts'

export type HeldAccount = Owner['accounts'][number]
type Way = 'deposit' | 'withdraw' | 'close'

const TITLES: Readonly<Record<Way, string>> = {
  deposit: 'Deposit margin',
  withdraw: 'Withdraw margin',
  close: 'Close the position',
}

export const AccountCard = ({
  owner,
  held,
  market,
  wallet,
  canSign,
}: {
  readonly owner: string
  readonly held: HeldAccount
  readonly market: Market | undefined
  /** JLP in the wallet. */
  readonly wallet: bigint
  readonly canSign: boolean
}) => {
  const { account } = held
  const { send, isBusy } = useSend()
  const [way, setWay] = useState<Way>()
  const yt = BigInt(account.yt)
  const side = yt < 0n ? 'short' : 'long'
  const place = { market: held.market, sub: account.sub }
  const isMatured = market?.status === 'matured'
  const isFlat = yt === 0n && account.st === '0'
  const isEmpty = isFlat && account.margin === '0'
  const implied = market === undefined ? undefined : exact(market.impliedApy)
  const liquidation = account.liquidationApy === null ? undefined : exact(account.liquidationApy)
  const exits = closedBecause(market, 'exit')
  return (
    <Panel
      className="account"
      title={
        <span className="row">
          {held.market}
          <span className="muted small">
            account {account.sub}
            {market === undefined ? '' : `, matures ${day(market.maturity)}`}
          </span>
        </span>
      }
      aside={
        <span className="row">
          {yt === 0n ? <span className="badge">no position</span> : <Side side={side} />}
          <Health account={account} isMatured={isMatured} />
        </span>
      }
    >
      <Figures>
        <Figure
          label="Position"
          value={amount(yt)}
          unit="YT"
          note={account.leverage === null || yt === 0n ? ' ' : `${times(exact(account.leverage))} leverage`}
          why={
            yt < 0n
              ? 'You owe these YT: their coupons are yours to pay.'
              : 'The yield of so many ST until maturity. It goes to zero by then, since all of that yield has been paid to you.'
          }
        />
        <Figure
          label="ST leg"
          value={signed(BigInt(account.st))}
          unit="JLP"
          note={BigInt(account.st) < 0n ? "owed to the pool's LPs" : yt < 0n ? 'held against the YT owed' : ' '}
          why={
            yt >= 0n
              ? 'Below 0 because the YT were bought with ST of the pool. Coupons are paid into it, so it rises: what you owe is paid off by the yield that you bought.'
              : 'The ST that selling the YT brought. Coupons are paid out of it.'
          }
        />
        <Figure label="Margin" value={amount(BigInt(account.margin))} unit="JLP" note={' '} />
        <Figure
          label="Worth"
          value={amount(BigInt(account.equity))}
          unit="JLP"
          note={`paid in ${amount(BigInt(account.netDeposits))}`}
          why="Margin, ST leg and YT at the spot: what would be left if all were closed at this price, impact and fee aside."
        />
        <Figure
          label="Entry price"
          value={account.entryPrice === null ? '—' : price(exact(account.entryPrice))}
          unit={account.entryPrice === null ? undefined : 'ST per YT'}
          note={account.breakEvenApy === null ? ' ' : `even at ${percent(exact(account.breakEvenApy))} a year`}
          why="What the YT have cost so far, coupons taken off. It drifts down as coupons come in; the yield that JLP must still pay for you to come out even is beside it."
        />
        <Figure
          label="Liquidated at"
          value={liquidation === undefined ? 'none' : percent(liquidation)}
          unit={liquidation === undefined ? undefined : 'implied APY'}
          note={
            liquidation === undefined || implied === undefined
              ? account.spot
                ? 'it owes nothing that it does not hold'
                : ' '
              : `now ${percent(implied)}, YT at ${account.liquidationPrice === null ? '—' : price(exact(account.liquidationPrice))} ST`
          }
          tone={!account.healthy ? 'short' : undefined}
        />
      </Figures>
      <Profit held={held} />
      {account.healthy || isEmpty || isMatured ? null : (
        <Banner tone="error" title="It can be liquidated now.">
          Deposit margin or reduce the position.
        </Banner>
      )}
      {isMatured && !isEmpty ? (
        <Banner title="This market has matured.">
          {isFlat
            ? 'It is settled: withdraw the margin.'
            : 'Settling turns what is left into margin, which can be withdrawn then.'}
        </Banner>
      ) : null}
      {canSign ? (
        <div className="row">
          {isMatured ? (
            isFlat ? null : (
              <button
                type="button"
                className="button small primary"
                disabled={isBusy}
                onClick={() => void send(settle(place))}
              >
                Settle
              </button>
            )
          ) : (
            <>
              <a className="button small" href={href('trade', held.market)}>
                Trade
              </a>
              <button type="button" className="button small" disabled={isBusy} onClick={() => setWay('deposit')}>
                Deposit
              </button>
            </>
          )}
          <button
            type="button"
            className="button small"
            disabled={isBusy || account.margin === '0'}
            onClick={() => setWay('withdraw')}
          >
            Withdraw
          </button>
          {yt === 0n || isMatured ? null : (
            <button
              type="button"
              className="button small"
              disabled={isBusy || exits !== undefined}
              title={exits}
              onClick={() => setWay('close')}
            >
              Close position
            </button>
          )}
          <button
            type="button"
            className="button small"
            disabled={isBusy || !isEmpty || held.orders > 0}
            title={
              held.orders > 0
                ? 'Cancel its orders first'
                : isEmpty
                  ? undefined
                  : 'Close the position and withdraw first'
            }
            onClick={() => void send(closeAccount(place))}
          >
            Close account
          </button>
        </div>
      ) : null}
      <Dialog
        title={way === undefined ? '' : `${TITLES[way]}: ${held.market}`}
        isOpen={way !== undefined}
        onClose={() => setWay(undefined)}
      >
        {way === undefined ? null : way === 'close' ? (
          <Close owner={owner} held={held} onDone={() => setWay(undefined)} />
        ) : (
          <Move owner={owner} held={held} way={way} wallet={wallet} onDone={() => setWay(undefined)} />
        )}
      </Dialog>
    </Panel>
  )
}

const Health = ({ account, isMatured }: { readonly account: HeldAccount['account']; readonly isMatured: boolean }) =>
  isMatured ? (
    <span className="badge">matured</span>
  ) : account.spot ? (
    <span className="badge long">cannot be liquidated</span>
  ) : account.healthy ? (
    <span className="badge long">healthy{account.ratio === null ? '' : `, ratio ${times(exact(account.ratio))}`}</span>
  ) : (
    <span className="badge short">can be liquidated</span>
  )

const PARTS = [
  ['coupons', 'Coupons', 'Paid to you for the YT held, or by you for those owed.'],
  ['decay', 'Decay', 'What the YT lost because time went by at the rate of the entry.'],
  ['rateMove', 'Rate move', 'What the implied APY moved since the entry has made of their price.'],
  ['fees', 'Fees', 'Of all trades of this account, penalties and what was paid for filling its orders.'],
  ['realised', 'Realised', 'Of what was closed before, all parts together.'],
  ['total', 'Together', undefined],
] as const

const Profit = ({ held: { account, profit } }: { readonly held: HeldAccount }) => (
  <section className="profit" aria-label="Profit by where it came from">
    <h3>Profit since the account was opened</h3>
    {profit === null ? (
      <Lines>
        <Line label="Of what is held now" value={signed(BigInt(account.profit.total), 6)} unit="JLP" />
        <p className="muted small">Where it came from is worked out from the past, which cannot be read now.</p>
      </Lines>
    ) : (
      <dl className="parts">
        {PARTS.map(([name, label, why]) => {
          const atoms = BigInt(profit[name])
          return (
            <div key={name} title={why}>
              <dt>{label}</dt>
              <dd className={atoms > 0n ? 'num long' : atoms < 0n ? 'num short' : 'num'} data-part={name}>
                {signed(atoms, 6)} <span className="unit">JLP</span>
              </dd>
            </div>
          )
        })}
      </dl>
    )}
  </section>
)

/** The account before or after, in the figures that margin changes. */
const Figured = ({ view }: { readonly view: AccountView | undefined }) => (
  <Lines>
    <Line label="Margin after" value={view === undefined ? undefined : amount(view.margin, 6)} unit="JLP" />
    <Line
      label="Leverage after"
      value={
        view === undefined ? undefined : view.leverage === undefined || view.yt === 0n ? '—' : times(view.leverage)
      }
    />
    <Line
      label="Liquidated at, after"
      value={
        view === undefined
          ? undefined
          : view.liquidationRate === undefined
            ? 'none'
            : percent(apyFromRate(view.liquidationRate))
      }
    />
  </Lines>
)

const Move = ({
  owner,
  held,
  way,
  wallet,
  onDone,
}: {
  readonly owner: string
  readonly held: HeldAccount
  readonly way: 'deposit' | 'withdraw'
  readonly wallet: bigint
  readonly onDone: () => void
}) => {
  const { market, account: of, orders } = held
  const [text, setText] = useState('')
  const { snapshot, error } = useSnapshot(market)
  const { send, isBusy } = useSend()
  const { atoms } = atomsIn(text)
  const place = { market, sub: of.sub }
  const most = useMemo(
    () =>
      way === 'deposit' ? wallet : snapshot === undefined ? undefined : mostWithdrawable(snapshot, owner, of, orders),
    [way, wallet, snapshot, owner, of, orders],
  )
  const after = useMemo(
    () =>
      snapshot === undefined || atoms === undefined || atoms === 0n
        ? undefined
        : moved(snapshot, owner, held, way, atoms),
    [snapshot, owner, held, way, atoms],
  )
  const refusal = after?.kind === 'refused' ? refusalWords(after) : undefined
  const why =
    atoms === undefined || atoms === 0n
      ? 'Say how much JLP'
      : most !== undefined && way === 'deposit' && atoms > most
        ? 'More JLP than the wallet has'
        : refusal?.message
  return (
    <>
      <ErrorBanner error={error} />
      <AmountField label="JLP" value={text} onChange={setText} unit="JLP" has={most} />
      <Figured view={after?.kind === 'view' ? after.view : undefined} />
      {refusal === undefined ? null : (
        <Banner tone="error" title={`${refusal.message}.`}>
          {refusal.hint}
        </Banner>
      )}
      <button
        type="button"
        className="button primary wide"
        disabled={why !== undefined || isBusy}
        onClick={() =>
          void send((way === 'deposit' ? deposit : withdraw)({ ...place, jlp: atoms! })).then(sent => {
            if (sent !== undefined) onDone()
          })
        }
      >
        {why ?? `${way === 'deposit' ? 'Deposit' : 'Withdraw'} ${amount(atoms!)} JLP`}
      </button>
    </>
  )
}

/** The account after a deposit or a withdrawal, or why it is refused. */
const moved = (
  snapshot: Snapshot,
  owner: string,
  { account, orders }: HeldAccount,
  kind: 'deposit' | 'withdraw',
  jlp: bigint,
) => {
  const ref = { market: snapshot.name, owner, sub: account.sub }
  const ledger = withHeld(snapshot, owner, { accounts: [heldAccount(snapshot, owner, account, orders)] })
  const done = run(ledger, snapshot.world, [{ kind, ...ref, jlp }])
  return done.kind === 'refused' ? done : { kind: 'view' as const, view: accountView(done.ledger, ref, snapshot.world) }
}

const Close = ({
  owner,
  held,
  onDone,
}: {
  readonly owner: string
  readonly held: HeldAccount
  readonly onDone: () => void
}) => {
  const { market, account, orders } = held
  const [toleranceBps, setTolerance] = useState(50)
  const { snapshot, error } = useSnapshot(market)
  const { send, isBusy } = useSend()
  const preview = useMemo(() => {
    if (snapshot === undefined) return undefined
    const own = heldAccount(snapshot, owner, account, orders)
    return previewTrade(snapshot, { action: 'close', unit: 'token', amount: 0n, margin: 0n, toleranceBps, held: own })
  }, [snapshot, owner, account, orders, toleranceBps])
  const found = preview?.kind === 'preview' ? preview : undefined
  const refused = preview?.kind === 'rejected' ? preview : found?.refusal
  const refusal = refused === undefined ? undefined : refusalWords(refused)
  const buys = BigInt(account.yt) < 0n
  return (
    <>
      <ErrorBanner error={error} />
      <Lines>
        <Line
          label={buys ? 'Buys back' : 'Sells'}
          value={found === undefined ? undefined : amount(found.quote.filled, 6)}
          unit="YT"
          note={found?.quote.complete === false ? 'not all of them' : undefined}
        />
        <Line label="for" value={found === undefined ? undefined : amount(found.quote.amount, 6)} unit="JLP" />
        <Line label="Fee" value={found === undefined ? undefined : amount(found.quote.fee.total, 6)} unit="JLP" />
        <Line label="Price impact" value={found?.quote.impactBp.toFixed(2)} unit="bp" />
        <Line
          label="Left as margin"
          value={found?.account === undefined ? undefined : amount(found.account.margin, 6)}
          unit="JLP"
        />
      </Lines>
      {refusal === undefined ? null : (
        <Banner tone="error" title={`${refusal.message}.`}>
          {refusal.hint}
        </Banner>
      )}
      <ToleranceSelect value={toleranceBps} onChange={setTolerance} />
      <button
        type="button"
        className="button primary wide"
        disabled={isBusy || found === undefined || refusal !== undefined}
        onClick={() =>
          void send(closePosition({ market, sub: account.sub, toleranceBps })).then(sent => {
            if (sent !== undefined) onDone()
          })
        }
      >
        {found === undefined ? 'Working it out' : `Close ${formatAtoms(found.quote.filled, 2)} YT`}
      </button>
    </>
  )
}
