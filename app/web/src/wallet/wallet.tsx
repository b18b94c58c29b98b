/** Who signs, if anybody: chosen once, and found again when the page is opened the next time. */
import { useEffect, useState } from 'react'
import { useChain } from '../chain.ts'
import { Banner, Dialog } from '../components/index.tsx'
import { brief } from '../format.ts'
import { createStore, useStore } from '../store.ts'
import { hasBurner, openBurner } from './burner.ts'
import { FaucetButton } from './faucet.tsx'
import { connectStandard, disconnectStandard, findWallets, wallets } from './standard.ts'
import type { Signer } from './types.ts'

export type { Signer } from './types.ts'

const KEY = 'sunder.wallet'
const BURNER = 'test-wallet'

const signer = createStore<Signer | undefined>(undefined)
const isOpen = createStore(false)

export const useSigner = (): Signer | undefined => useStore(signer)
/** Asks for a wallet. */
export const chooseWallet = (): void => isOpen.set(true)

const remember = (name: string | undefined): void => {
  try {
    if (name === undefined) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, name)
  } catch {
    // without storage it is chosen anew each time
  }
}
const remembered = (): string | null => {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

const takeBurner = async (): Promise<void> => {
  signer.set(await openBurner())
  remember(BURNER)
  isOpen.set(false)
}

/** Looks for wallets and opens the one of the last time. */
export const startWallets = (): void => {
  findWallets()
  const name = remembered()
  if (name === BURNER && hasBurner()) void openBurner().then(signer.set)
  if (name === null || name === BURNER) return
  const open = (): void => {
    const found = wallets.get().find(wallet => wallet.name === name)
    if (found === undefined) return
    stop()
    // One that would ask again is left for its owner to choose.
    connectStandard(found, true).then(signer.set, () => {})
  }
  const stop = wallets.subscribe(open)
  open()
}

const disconnect = async (): Promise<void> => {
  const now = signer.get()
  signer.set(undefined)
  remember(undefined)
  const wallet = wallets.get().find(({ name }) => name === now?.name)
  if (now?.kind === 'standard' && wallet !== undefined) await disconnectStandard(wallet).catch(() => {})
  isOpen.set(false)
}

export const WalletButton = () => {
  const now = useSigner()
  return (
    <button type="button" className={now === undefined ? 'button primary' : 'button'} onClick={chooseWallet}>
      {now === undefined ? (
        'Connect'
      ) : (
        <>
          <span className="num">{brief(now.address)}</span>
          {now.kind === 'burner' ? <span className="badge warn">test</span> : null}
        </>
      )}
    </button>
  )
}

const Connected = ({ now }: { readonly now: Signer }) => {
  const [isCopied, setCopied] = useState(false)
  return (
    <>
      <div>
        <h3>{now.name}</h3>
        <p className="num" style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }}>
          {now.address}
        </p>
      </div>
      {now.kind === 'burner' ? (
        <Banner tone="warn" title="A test wallet.">
          Its key lies readable in this browser: it is for the test tokens of the local chain alone.
        </Banner>
      ) : null}
      <div className="row">
        {now.kind === 'burner' ? <FaucetButton owner={now.address} /> : null}
        <button
          type="button"
          className="button"
          onClick={() => void navigator.clipboard.writeText(now.address).then(() => setCopied(true))}
        >
          {isCopied ? 'Copied' : 'Copy address'}
        </button>
        <button type="button" className="button" onClick={() => void disconnect()}>
          Disconnect
        </button>
      </div>
    </>
  )
}

const Choose = () => {
  const found = useStore(wallets)
  const chain = useChain()
  const [failed, setFailed] = useState<string>()
  const connect = async (wallet: (typeof found)[number]): Promise<void> => {
    try {
      signer.set(await connectStandard(wallet))
      remember(wallet.name)
      isOpen.set(false)
    } catch (error) {
      setFailed(error instanceof Error ? error.message : `${wallet.name} did not connect`)
    }
  }
  return (
    <>
      {failed === undefined ? null : (
        <Banner tone="error" title="The wallet did not connect.">
          {failed}
        </Banner>
      )}
      {found.map(wallet => (
        <button key={wallet.name} type="button" className="button wide" onClick={() => void connect(wallet)}>
          <img src={wallet.icon} alt="" width={20} height={20} />
          {wallet.name}
        </button>
      ))}
      {found.length === 0 ? (
        <p className="muted">No wallet of this browser has said that it can sign for Solana.</p>
      ) : null}
      {chain?.local === true ? (
        <>
          <button
            type="button"
            className="button wide primary"
            onClick={() => void takeBurner().catch((error: Error) => setFailed(error.message))}
          >
            {hasBurner() ? 'Use the test wallet of this browser' : 'Make a test wallet in this browser'}
          </button>
          <p className="muted small">
            This is a local chain with test tokens. The test wallet's key is made and kept in this browser, readable to
            whoever uses it; a faucet gives it test JLP.
          </p>
        </>
      ) : null}
    </>
  )
}

export const WalletDialog = () => {
  const open = useStore(isOpen)
  const now = useSigner()
  const [wasOpen, setWasOpen] = useState(false)
  useEffect(() => setWasOpen(open), [open])
  return (
    <Dialog title={now === undefined ? 'Connect a wallet' : 'Wallet'} isOpen={open} onClose={() => isOpen.set(false)}>
      {open || wasOpen ? now === undefined ? <Choose /> : <Connected now={now} /> : null}
    </Dialog>
  )
}
