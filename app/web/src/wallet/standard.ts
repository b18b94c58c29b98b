/**
 * Wallets of the browser by the wallet standard: they and the page find each other by two events of the window, whichever comes first.
 * What is used of a wallet is its icon, its name, `standard:connect` and `solana:signTransaction`.
 */
import { createStore } from '../store.ts'
import type { Signer } from './types.ts'

interface Account {
  readonly address: string
  readonly chains: readonly string[]
  readonly features: readonly string[]
}

interface Connect {
  readonly connect: (input?: { readonly silent?: boolean }) => Promise<{ readonly accounts: readonly Account[] }>
}
interface Disconnect {
  readonly disconnect: () => Promise<void>
}
interface SignTransaction {
  readonly signTransaction: (
    ...inputs: readonly { readonly account: Account; readonly transaction: Uint8Array; readonly chain?: string }[]
  ) => Promise<readonly { readonly signedTransaction: Uint8Array }[]>
}

export interface StandardWallet {
  readonly name: string
  /** A data: URL. */
  readonly icon: string
  readonly chains: readonly string[]
  readonly features: Readonly<Record<string, unknown>>
}

const CONNECT = 'standard:connect'
const DISCONNECT = 'standard:disconnect'
const SIGN = 'solana:signTransaction'

/** Those that can sign for Solana. */
export const wallets = createStore<readonly StandardWallet[]>([])

const register = (...found: readonly StandardWallet[]): (() => void) => {
  const usable = found.filter(({ features }) => CONNECT in features && SIGN in features)
  wallets.set(before => [...before, ...usable.filter(wallet => !before.includes(wallet))])
  return () => wallets.set(before => before.filter(wallet => !found.includes(wallet)))
}

/** Begins to look for wallets: those that are there, and those that come later. */
export const findWallets = (): void => {
  const api = { register }
  addEventListener('wallet-standard:register-wallet', event => {
    ;(event as CustomEvent<(given: typeof api) => void>).detail(api)
  })
  dispatchEvent(new CustomEvent('wallet-standard:app-ready', { detail: api }))
}

export const connectStandard = async (wallet: StandardWallet, silent = false): Promise<Signer> => {
  const { accounts } = await (wallet.features[CONNECT] as Connect).connect({ silent })
  const account = accounts.find(({ features }) => features.includes(SIGN)) ?? accounts[0]
  if (account === undefined) throw new Error(`${wallet.name} has given no account`)
  const chain = account.chains.find(name => name.startsWith('solana:')) ?? 'solana:mainnet'
  return {
    kind: 'standard',
    name: wallet.name,
    address: account.address,
    sign: async transaction => {
      const [done] = await (wallet.features[SIGN] as SignTransaction).signTransaction({ account, transaction, chain })
      if (done === undefined) throw new Error(`${wallet.name} has signed nothing`)
      return done.signedTransaction
    },
  }
}

export const disconnectStandard = async (wallet: StandardWallet): Promise<void> => {
  await (wallet.features[DISCONNECT] as Disconnect | undefined)?.disconnect()
}
