/** The chain that a command is about, how fast its clock runs, and who signs. */
import type { Connection } from '@solana/web3.js'
import { type Cluster, clusterOf, priorityFee } from '../../chain/cluster.ts'
import { SunderClient, type Wallet, walletOf } from '../../client/index.ts'
import { UsageError } from '../output.ts'
import { readKeypair } from './keypair.ts'

export const DEFAULT_URL = 'http://127.0.0.1:8899'
export const DEFAULT_KEYPAIR = '.sunder/keys/wallet.json'
/** A node that is not there is noticed within a second; milliseconds between two looks whether a transaction is confirmed. */
const SETTING = { tries: 3, interval: 200 }
/** An order is good for so long, in our time. */
const GOOD_FOR = 60

export interface Venue {
  readonly connection: Connection
  readonly client: SunderClient
  /** Whether it is a local chain, with a faucet. */
  readonly local: boolean
  /** Seconds that an order is good for, of the chain's clock. */
  readonly seconds: number
  /** Methods that only a local chain has. */
  readonly ask: (method: string, ...params: readonly unknown[]) => Promise<Reply>
}

interface Reply {
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

export interface Signer {
  readonly owner: string
  readonly wallet: Wallet
  readonly client: SunderClient
}

const clusterAt = (urls: string): Cluster => {
  try {
    return clusterOf(urls, SETTING)
  } catch {
    throw new UsageError(`--rpc (or SUNDER_RPC_URL) is an http or https URL, or several with commas, not "${urls}"`)
  }
}

/** Without what a provider's URL may hold of a key. */
const shown = (urls: string): string =>
  urls
    .split(',')
    .map(url => new URL(url.trim()).origin)
    .join(', ')

/** Words for an answer that never came. */
export const nobodyAt = (urls: string): UsageError =>
  new UsageError(
    `Nobody answers at ${shown(urls)} as a Solana node does: start a chain with \`npm start\` or \`npm run chain\`, ` +
      'or name a node with --rpc or SUNDER_RPC_URL',
  )

export const connect = async (urls: string): Promise<Venue> => {
  const cluster = clusterAt(urls)
  const ask = async (method: string, ...params: readonly unknown[]): Promise<Reply> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const headers = { 'content-type': 'application/json' }
    return (await (await cluster.fetch(urls, { method: 'POST', body, headers })).json()) as Reply
  }
  const { result } = await ask('sunder_chain').catch(() => {
    throw nobodyAt(urls)
  })
  const chain = result as { readonly speed: number } | undefined
  const connection = cluster.connection()
  const seconds = Math.ceil(GOOD_FOR * (chain?.speed ?? 1))
  return {
    connection,
    client: new SunderClient(connection, { lands: seconds }),
    local: chain !== undefined,
    seconds,
    ask,
  }
}

/** Whoever has the keypair file. On a cluster they pay the priority fee that others lately paid. */
export const signerOf = async (
  { connection, local, seconds }: Venue,
  { keypair: path }: { readonly keypair: string },
): Promise<Signer> => {
  const keypair = readKeypair(path)
  const price = local ? 0n : await priorityFee(connection, undefined)
  return {
    owner: keypair.publicKey.toBase58(),
    wallet: walletOf(keypair),
    client: new SunderClient(connection, { price, lands: seconds }),
  }
}
