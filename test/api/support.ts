/** The API over HTTP beside a local chain over HTTP, each at a port of its own. */
import { Connection, type Keypair, VersionedTransaction } from '@solana/web3.js'
import { expect } from 'vitest'
import { type Index, openContext } from '../../app/api/context.ts'
import { buildServer, type ServerOptions } from '../../app/api/server.ts'
import { startServer } from '../../src/chain/index.ts'
import { chainOf, idOf, keyOf, marketOn } from '../chain/support.ts'

export const JSON_TYPE = { 'content-type': 'application/json' }

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // Whatever the route answers: tests look at what they name.
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly body: any
}

export const serving = async (
  options: ServerOptions = {},
  // A machine that is busy with other tests is slow, not stale.
  { index, staleAfter = 60_000 }: { readonly index?: (rpcUrl: string) => Index; readonly staleAfter?: number } = {},
) => {
  const made = chainOf()
  const market = await marketOn(made)
  const node = await startServer(made.rpc)
  made.chain.run()
  const connection = new Connection(node.url, 'confirmed')
  const context = await openContext(connection, { index: index?.(node.url), staleAfter })
  const app = await buildServer(context, { rateLimit: false, ...options })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })

  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const answer = await fetch(`${url}${path}`, init)
    const text = await answer.text()
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text }
  }
  const post = (path: string, body: unknown): Promise<Answer> =>
    ask(path, { method: 'POST', headers: JSON_TYPE, body: typeof body === 'string' ? body : JSON.stringify(body) })

  /** Signs what the API has made, as a wallet does. */
  const signed = (transaction: string, key: Keypair): string => {
    const made = VersionedTransaction.deserialize(Buffer.from(transaction, 'base64'))
    made.sign([key])
    return Buffer.from(made.serialize()).toString('base64')
  }

  /** Until the node has confirmed it. */
  const settled = async (signature: string): Promise<Answer['body']> => {
    for (let tried = 0; tried < 100; tried++) {
      const { body } = await ask(`/v1/transactions/${signature}`)
      if (body.status !== 'unknown' && body.status !== 'processed') return body
      await new Promise(done => setTimeout(done, 50))
    }
    return expect.unreachable('it was not confirmed')
  }

  /** Builds, signs, relays and waits: what was built, and what became of it. */
  const act = async (action: string, name: string, body: object) => {
    const built = await post(`/v1/transactions/${action}`, { owner: idOf(name), ...body })
    expect(built.body).not.toHaveProperty('error')
    const sent = await post('/v1/transactions', { transaction: signed(built.body.transaction, keyOf(name)) })
    expect(sent.body).not.toHaveProperty('error')
    return { built: built.body, done: await settled(sent.body.signature) }
  }

  /** Until the feed has read a slot that the chain makes after now. */
  const nextSlot = async (): Promise<void> => {
    const { slot } = made.chain
    while (context.feed.shared.slot <= slot) await new Promise(done => setTimeout(done, 20))
  }

  const stop = async (): Promise<void> => {
    await app.close()
    await context.feed.stop()
    await node.stop()
    await made.chain.stop()
  }
  return { made, market, node, connection, context, app, url, ask, post, signed, settled, act, nextSlot, stop }
}

export type Serving = Awaited<ReturnType<typeof serving>>
