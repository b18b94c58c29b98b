/**
 * From a wish to a settled result: the API makes the transaction, the wallet signs it, the API sends it on, and what came of it is
 * said from its events. Every step is shown, and every refusal with its way out.
 */
import { useCallback } from 'react'
import { ApiError, get, post, toApiError, wordsOf } from '../api.ts'
import { brief } from '../format.ts'
import { createStore, invalidate, readUntil, useStore } from '../store.ts'
import type { Owner } from '../types.ts'
import { toast } from './toasts.tsx'
import { fromBase64, toBase64 } from './transaction.ts'
import { chooseWallet, useSigner } from './wallet.tsx'

/** As `POST /v1/transactions/:action` answers. */
interface Unsigned {
  readonly transaction: string
}

/** As `GET /v1/transactions/:signature` answers. */
interface Status {
  readonly status: 'unknown' | 'processed' | 'confirmed' | 'finalized' | 'failed'
  readonly slot: number | null
  readonly events: readonly { readonly says: readonly string[] }[]
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null
}

export interface Sent {
  readonly signature: string
  /** Where it landed. */
  readonly slot: number | null
  /** What it did, sentence by sentence. */
  readonly says: readonly string[]
}

export interface Wish {
  /** What is done: "Open a long". */
  readonly title: string
  /** The route's name after `/v1/transactions/`. */
  readonly action: string
  /** What the route takes, but for the owner; bigints are atoms. */
  readonly body: object
  /** What came of it, from what the API says that it did; by default those sentences themselves. */
  readonly says?: (lines: readonly string[]) => string
}

const STEPS = 4
const POLL_MILLISECONDS = 400
/** A blockhash is good for about a minute. */
const LONGEST_MILLISECONDS = 90_000

/** Lines that only keep the books. */
const BOOKS = /^(Wallet|Paid a coupon|Opened or touched)/

const wait = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

const confirmed = async (signature: string): Promise<Status> => {
  const until = performance.now() + LONGEST_MILLISECONDS
  for (;;) {
    const status = await get<Status>(`/v1/transactions/${signature}`).catch((error: unknown) => {
      // The server is away for a moment: the transaction is on its way all the same.
      if (error instanceof ApiError && (error.status === 0 || error.status >= 500)) return undefined
      throw error
    })
    if (status?.status === 'confirmed' || status?.status === 'finalized') return status
    if (status?.status === 'failed') {
      const { code, message, hint } = status.error ?? { code: 'failed', message: 'It has failed', hint: 'Try again.' }
      throw new ApiError(422, code, message, hint)
    }
    if (performance.now() > until) {
      const hint = 'Look at your positions before you try again: it may still have gone through.'
      throw new ApiError(0, 'unconfirmed', `Nothing was heard of ${brief(signature)}`, hint)
    }
    await wait(POLL_MILLISECONDS)
  }
}

/** Milliseconds that the figures may take to be as new as the transaction. */
const PATIENCE = 5000

/** What an owner has after a slot, which is on the screen then; undefined if nobody says so for too long. */
export const ownerAfter = (owner: string, slot: number): Promise<Owner | undefined> =>
  readUntil<Owner>(`/v1/accounts/${owner}`, answer => answer.slot > slot, PATIENCE)

/** Resolves once the page shows what has become of an owner: what has gone by then is not offered any more. */
const caughtUp = async (owner: string, slot: number | null): Promise<void> => {
  invalidate(`/v1/accounts/${owner}`)
  invalidate('/v1/markets')
  if (slot !== null) await ownerAfter(owner, slot)
}

/** Transactions that are made, sent, or not in the figures yet. */
const working = createStore(0)

const refusedByWallet = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(
        0,
        'not-signed',
        'The wallet has not signed',
        `Nothing was sent. ${error instanceof Error ? error.message : ''}`.trim(),
      )

/**
 * Sends wishes. Resolves to undefined when it was refused, which has been said then. Whatever it is asked by, it is busy until what came
 * of the last one is on the screen: nobody acts on figures of before.
 */
export const useSend = (): {
  readonly send: (wish: Wish) => Promise<Sent | undefined>
  readonly isBusy: boolean
} => {
  const signer = useSigner()
  const isBusy = useStore(working) > 0
  const send = useCallback(
    async ({ title, action, body, says: words }: Wish): Promise<Sent | undefined> => {
      if (signer === undefined) {
        chooseWallet()
        return undefined
      }
      working.set(count => count + 1)
      let slot: number | null = null
      const show = toast({ title, text: 'Making the transaction', state: 'busy', step: [1, STEPS] })
      try {
        const { transaction } = await post<Unsigned>(`/v1/transactions/${action}`, { owner: signer.address, ...body })
        const ask = signer.kind === 'burner' ? 'Signing' : `Confirm it in ${signer.name}`
        show({ title, text: ask, state: 'busy', step: [2, STEPS] })
        const signedBytes = await signer.sign(fromBase64(transaction)).catch(error => {
          throw refusedByWallet(error)
        })
        show({ title, text: 'Sending it to the chain', state: 'busy', step: [3, STEPS] })
        const { signature } = await post<{ readonly signature: string }>('/v1/transactions', {
          transaction: toBase64(signedBytes),
        })
        show({ title, text: `Waiting until ${brief(signature)} is confirmed`, state: 'busy', step: [4, STEPS] })
        const status = await confirmed(signature)
        slot = status.slot
        const says = status.events.flatMap(event => event.says)
        const told = says.filter(line => !BOOKS.test(line))
        show({ title, text: words?.(told) ?? (told.length === 0 ? 'Done.' : `${told.join('. ')}.`), state: 'done' })
        return { signature, slot, says }
      } catch (error) {
        show({ title: `${title}: not done`, text: wordsOf(toApiError(error)), state: 'failed' })
        return undefined
      } finally {
        void caughtUp(signer.address, slot).finally(() => working.set(count => count - 1))
      }
    },
    [signer],
  )
  return { send, isBusy }
}
