/** What the routes get: the chain as it is read, and the index as it answers. Nothing here signs. */
import type { Connection } from '@solana/web3.js'
import { SunderClient } from '../../src/client/index.ts'
import type { Question } from '../../src/indexer/messages.ts'
import type { RemoteIndex } from '../../src/indexer/remote.ts'
import { Feed, type FeedOptions } from './feed.ts'
import type { Metrics } from './metrics.ts'
import { Holdings } from './views/holdings.ts'

/** The index in its own process, as far as routes use it. */
export type Index = Pick<RemoteIndex, Question | 'status' | 'on' | 'off'>

/** What kind of chain it is. */
export interface ChainInfo {
  /** A local chain, with a faucet. */
  readonly local: boolean
  /** Seconds of the chain's clock in one of ours. */
  readonly speed: number
}

/** What views/oracle.ts has found last: fractions in Q64.64. Undefined as long as nothing is known. */
export interface Yields {
  officialApr: bigint | undefined
  leadingApr: bigint | undefined
  /** The same compounded, which an implied APY is compared with. */
  leadingApy: bigint | undefined
}

export interface Context {
  readonly feed: Feed
  /** Written by views/oracle.ts, read by everybody. */
  readonly yields: Yields
  readonly holdings: Holdings
  readonly connection: Connection
  readonly client: SunderClient
  readonly chain: ChainInfo
  /** Undefined: the server runs without one. */
  readonly index: Index | undefined
}

/** Options of every plugin with routes. */
export interface RouteOptions {
  readonly context: Context
  readonly metrics: Metrics
}

interface Raw {
  _rpcRequest(method: string, parameters: unknown[]): Promise<{ readonly result?: ChainInfo }>
}

/** Asks the node whether it is a local chain. Others do not know the question. */
export const chainInfo = async (connection: Connection): Promise<ChainInfo> => {
  const { result } = await (connection as unknown as Raw)._rpcRequest('sunder_chain', [])
  return { local: result?.local === true, speed: result?.speed ?? 1 }
}

/** Begins to read. `index`: how the index is asked, if there is one. */
export const openContext = async (
  connection: Connection,
  { index, ...options }: FeedOptions & { readonly index?: Index | undefined } = {},
): Promise<Context> => {
  const client = new SunderClient(connection)
  const chain = await chainInfo(connection)
  // A cluster is asked less often, and its slots come less regularly.
  const often = chain.local ? { interval: 400, staleAfter: 5000 } : { interval: 1000, staleAfter: 20_000 }
  const feed = new Feed(client, connection, { ...often, ...options })
  await feed.start()
  const yields = { officialApr: undefined, leadingApr: undefined, leadingApy: undefined }
  const holdings = new Holdings(client, feed)
  return { feed, yields, holdings, connection, client, chain, index }
}
