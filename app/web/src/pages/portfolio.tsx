/** All that an address has: positions with where their profit came from, liquidity, PT, orders, and what was. */
import { useState } from 'react'
import { isAddress } from '../../../../src/client/codecs.ts'
import { useNow, useStale } from '../chain.ts'
import { Banner, ErrorBanner, Field, Figure, Figures, Panel } from '../components/index.tsx'
import { WalletNeeded } from '../components/shared.tsx'
import { useMarkets, useOwner } from '../data.ts'
import { amount, brief, formatQ64, formatTime } from '../format.ts'
import { go, href, useRoute } from '../router.ts'
import type { Owner } from '../types.ts'
import { useSend } from '../wallet/send.ts'
import { chooseWallet, useSigner } from '../wallet/wallet.tsx'
import { unwrap } from '../wallet/wishes.ts'
import { HeldPts } from './earn/held.tsx'
import { HeldRanges } from './liquidity/held.tsx'
import { AccountCard } from './portfolio/account.tsx'
import { csvOf, download, POSITION_COLUMNS } from './portfolio/csv.ts'
import { worthOf } from './portfolio/figures.ts'
import { History, Orders } from './portfolio/tables.tsx'
import './portfolio/portfolio.css'

/** `#/portfolio/ADDRESS`, or `?owner=ADDRESS`: anybody's may be looked at. */
const askedFor = (rest: readonly string[]): string | undefined =>
  rest[0] ?? new URLSearchParams(location.search).get('owner') ?? undefined

export default function Portfolio() {
  const { rest } = useRoute()
  const signer = useSigner()
  const asked = askedFor(rest)
  const owner = asked ?? signer?.address
  if (asked !== undefined && !isAddress(asked)) {
    return (
      <>
        <h1>Portfolio</h1>
        <Banner tone="error" title="That is not an address.">
          An address is 32 bytes in base58, such as a wallet shows it.
        </Banner>
        <LookAt />
      </>
    )
  }
  if (owner === undefined) {
    return (
      <>
        <h1>Portfolio</h1>
        <Banner
          title="No wallet yet."
          action={
            <button type="button" className="button primary" onClick={chooseWallet}>
              Connect a wallet
            </button>
          }
        >
          Connect one to see what you have, or look at any address.
        </Banner>
        <LookAt />
      </>
    )
  }
  return <Held key={owner} address={owner} canSign={owner === signer?.address} />
}

const LookAt = () => {
  const [text, setText] = useState('')
  const isGood = isAddress(text.trim())
  return (
    <form
      className="look"
      onSubmit={event => {
        event.preventDefault()
        if (isGood) go('portfolio', text.trim())
      }}
    >
      <Field
        label="Look at any address, without signing"
        value={text}
        onChange={setText}
        inputMode="text"
        error={text === '' || isGood ? undefined : 'An address is 32 bytes in base58'}
      />
      <button type="submit" className="button" disabled={!isGood}>
        Look
      </button>
    </form>
  )
}

const Held = ({ address, canSign }: { readonly address: string; readonly canSign: boolean }) => {
  const { markets } = useMarkets()
  const { owner, error } = useOwner(address)
  const now = useNow()
  const stale = useStale()
  const jlp = owner === undefined ? undefined : BigInt(owner.wallet.jlp)
  return (
    <>
      <div className="spread">
        <div>
          <h1>Portfolio</h1>
          <p className="lead num" title={address}>
            {brief(address)}
          </p>
        </div>
        <span className={stale === undefined ? 'muted small num' : 'warn small'}>
          {stale ?? (owner === undefined ? ' ' : `as of ${formatTime(owner.time)}, slot ${owner.slot}`)}
        </span>
      </div>
      {canSign ? null : (
        <Banner
          title="Read only."
          action={
            <a className="button small" href={href('portfolio')} onClick={leaveQuery}>
              My own
            </a>
          }
        >
          This is somebody's address, not the wallet that is connected.
        </Banner>
      )}
      <ErrorBanner error={error} />
      {canSign ? <WalletNeeded jlp={isIdle(owner) ? jlp : undefined} why="" /> : null}
      <Summary owner={owner} stale={stale} canSign={canSign} />
      {owner === undefined ? (
        <Panel label="Positions">
          <div style={{ minHeight: 240 }} aria-busy="true" />
        </Panel>
      ) : owner.accounts.length === 0 ? (
        <Panel title="Margin accounts">
          <p className="muted">
            None yet. A long or a short opens one: <a href={href('trade')}>trade</a>.
          </p>
        </Panel>
      ) : (
        <>
          <div className="spread">
            <h2>Margin accounts</h2>
            <button
              type="button"
              className="button small"
              onClick={() => download('sunder-positions.csv', csvOf(POSITION_COLUMNS, owner.accounts))}
            >
              Export positions as CSV
            </button>
          </div>
          {owner.accounts.map(held => (
            <AccountCard
              key={`${held.market}/${held.account.sub}`}
              owner={address}
              held={held}
              market={markets?.find(({ market }) => market === held.market)}
              wallet={jlp ?? 0n}
              canSign={canSign}
            />
          ))}
        </>
      )}
      <Orders orders={owner?.orders} canSign={canSign} />
      <HeldPts owner={address} held={owner} markets={markets} now={now} canSign={canSign} />
      <HeldRanges owner={address} held={owner} markets={markets} canSign={canSign} />
      <History owner={address} />
      <Panel title="Another address">
        <LookAt />
      </Panel>
    </>
  )
}

/** Leaves `?owner=` behind, which is no part of the hash. */
const leaveQuery = (): void => {
  if (location.search !== '') history.replaceState(null, '', location.pathname + href('portfolio'))
}

const isIdle = (owner: Owner | undefined): boolean =>
  owner !== undefined && owner.accounts.length + owner.positions.length + owner.wallet.pt.length === 0

const KINDS = ['hourly', 'weekly'] as const

const Summary = ({
  owner,
  stale,
  canSign,
}: {
  readonly owner: Owner | undefined
  readonly stale: string | undefined
  readonly canSign: boolean
}) => {
  const { send, isBusy } = useSend()
  const worth = owner === undefined ? undefined : worthOf(owner)
  const shown = (part: keyof NonNullable<typeof worth>): string | undefined =>
    worth === undefined ? undefined : amount(worth[part])
  const wrapped = KINDS.filter(kind => owner !== undefined && owner.wallet.st[kind] !== '0')
  return (
    <Panel title="What it is worth" aside={<span className="muted small">at the spot, in JLP</span>}>
      <Figures>
        <Figure
          large
          stale={stale}
          label="Together"
          value={shown('total')}
          unit="JLP"
          note="impact and fees of leaving aside"
        />
        <Figure
          stale={stale}
          label="JLP in the wallet"
          value={shown('jlp')}
          unit="JLP"
          note={owner === undefined ? ' ' : `and ${formatSol(owner.wallet.lamports)} SOL for fees`}
        />
        <Figure
          stale={stale}
          label="ST in the wallet"
          value={shown('st')}
          unit="JLP"
          note="wrapped"
          why="JLP without the fees that its pool will earn: it stays worth the pool's assets, and its JLP become fewer with every coupon."
        />
        <Figure
          stale={stale}
          label="PT"
          value={shown('pt')}
          unit="JLP"
          note={owner === undefined ? ' ' : counted(owner.wallet.pt.length, 'market')}
        />
        <Figure
          stale={stale}
          label="Margin accounts"
          value={shown('margin')}
          unit="JLP"
          note={owner === undefined ? ' ' : counted(owner.accounts.length, 'account')}
        />
        <Figure
          stale={stale}
          label="Liquidity"
          value={shown('liquidity')}
          unit="JLP"
          note={
            owner === undefined
              ? ' '
              : counted(owner.positions.filter(({ position: { liquidity } }) => liquidity !== '0').length, 'range')
          }
        />
      </Figures>
      {canSign && wrapped.length > 0 ? (
        <div className="row">
          {wrapped.map(kind => (
            <button
              key={kind}
              type="button"
              className="button small"
              disabled={isBusy}
              onClick={() => void send(unwrap({ kind, jlp: BigInt(owner!.wallet.st[kind]) }))}
            >
              Turn {kind} ST into JLP
            </button>
          ))}
        </div>
      ) : null}
    </Panel>
  )
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** 10^-9 SOL. */
const formatSol = (lamports: string): string => formatQ64((BigInt(lamports) << 64n) / 1_000_000_000n, 3)
