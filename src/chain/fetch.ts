/** `Connection` without a socket: its requests are answered by the chain in this process. */
import type { Connection, ConnectionConfig } from '@solana/web3.js'
import { PollingConnection } from './polling.ts'
import type { LocalRpc } from './rpc.ts'

/** What `Connection` takes as `fetch`. */
export const fetchOf =
  (rpc: LocalRpc): NonNullable<ConnectionConfig['fetch']> =>
  async (_url, init) => {
    const { status, text = null } = await rpc.reply(String(init?.body ?? ''))
    return new Response(text, { status, headers: { 'content-type': 'application/json' } })
  }

/** A `Connection` in this process. Confirmations are asked for, since there is no WebSocket. */
export const connectionTo = (rpc: LocalRpc): Connection =>
  new PollingConnection('http://in.process', { commitment: 'confirmed', fetch: fetchOf(rpc) }, { interval: 10 })
