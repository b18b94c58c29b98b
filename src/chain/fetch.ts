/** `Connection` without a socket: its requests are answered by the chain in this process. */
import type { Connection, ConnectionConfig } from '@solana/web3.js'
import { PollingConnection } from './polling.ts'
import type { LocalRpc } from './rpc.ts'

/** What `Connection` takes as `fetch`. */
export const fetchOf =
  (rpc: LocalRpc): NonNullable<ConnectionConfig['fetch']> =>
  async (_url, init) => {
    const answer = await rpc.answer(String(init?.body ?? ''))
    const headers = { 'content-type': 'application/json' }
    return answer === undefined ? new Response(null, { status: 204 }) : new Response(answer, { headers })
  }

/** A `Connection` in this process. Confirmations are asked for, since there is no WebSocket. */
export const connectionTo = (rpc: LocalRpc): Connection =>
  new PollingConnection('http://in.process', { commitment: 'confirmed', fetch: fetchOf(rpc) }, { interval: 10 })
