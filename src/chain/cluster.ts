/**
 * A cluster by its endpoints: the same `Connection`, whose requests go to the next endpoint when one fails, is slow or is behind, and wait when
 * all do. `sendToEnd` sends a transaction again and again until it is confirmed or can land no more.
 */
import type { Connection, ConnectionConfig } from '@solana/web3.js'
import { PollingConnection } from './polling.ts'

type Fetch = NonNullable<ConnectionConfig['fetch']>

export interface ClusterSetting {
  /** Tries of one request, over all endpoints. */
  readonly tries?: number
  /** Milliseconds: for one answer, before the second try (each further one waits twice as long), and at most between two. */
  readonly timeout?: number
  readonly backoff?: number
  readonly longest?: number
  /** An endpoint so many slots behind the best one is passed over. */
  readonly lag?: number
  /** Milliseconds between two questions whether a transaction is confirmed. */
  readonly interval?: number
  readonly fetch?: typeof fetch
  readonly sleep?: (milliseconds: number) => Promise<void>
  /** From 0 up to 1. */
  readonly random?: () => number
  readonly now?: () => number
}

export interface Endpoint {
  readonly url: string
  /** The last slot that it said it is at. */
  slot: number
  /** Not asked before this moment. */
  restsUntil: number
  failures: number
}

/** A node that is behind or unwell says so with these; another one may answer. */
const UNWELL: ReadonlySet<number> = new Set([-32004, -32005, -32014, -32016])
const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

/** `SUNDER_RPC_URL`: one or more, with commas between them. */
export const endpointsIn = (text: string): string[] => {
  const urls = text.split(',').flatMap(url => (url.trim() === '' ? [] : [url.trim()]))
  for (const url of urls) {
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
      throw new TypeError('SUNDER_RPC_URL wants http or https URLs')
  }
  if (urls.length === 0) throw new TypeError('SUNDER_RPC_URL is empty')
  return urls
}

/** Milliseconds that a `Retry-After` asks for: seconds, or a date. */
const retryAfter = (header: string | null, now: number): number => {
  if (header === null) return 0
  const seconds = Number(header)
  const wanted = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now
  return Number.isFinite(wanted) ? Math.max(0, wanted) : 0
}

interface Answered {
  readonly error?: { readonly code?: number }
  readonly result?: { readonly context?: { readonly slot?: number } } | number
}

export class Cluster {
  readonly endpoints: readonly Endpoint[]
  readonly #setting: Required<ClusterSetting>

  constructor(urls: readonly string[], setting: ClusterSetting = {}) {
    this.endpoints = urls.map(url => ({ url, slot: 0, restsUntil: 0, failures: 0 }))
    this.#setting = {
      tries: 6,
      timeout: 10_000,
      backoff: 200,
      longest: 5000,
      lag: 50,
      interval: 500,
      fetch: globalThis.fetch,
      sleep: pause,
      random: Math.random,
      now: Date.now,
      ...setting,
    }
  }

  connection(): Connection {
    const config: ConnectionConfig = { commitment: 'confirmed', fetch: this.fetch, disableRetryOnRateLimit: true }
    return new PollingConnection(this.endpoints[0]!.url, config, { interval: this.#setting.interval })
  }

  /** Those that rest or are behind come last: they are asked if there is no other. */
  #order(): Endpoint[] {
    const { now, lag } = this.#setting
    const best = Math.max(...this.endpoints.map(({ slot }) => slot))
    const rank = ({ slot, restsUntil }: Endpoint): number =>
      (restsUntil > now() ? 2 : 0) + (slot > 0 && slot < best - lag ? 1 : 0)
    return [...this.endpoints].sort((a, b) => rank(a) - rank(b))
  }

  /** What `Connection` takes as `fetch`. Throws the last failure if nobody answers. */
  readonly fetch: Fetch = async (_url, init) => {
    const { tries, backoff, longest, sleep, random, now } = this.#setting
    let failure: unknown
    for (let tried = 0; tried < tries; tried++) {
      const endpoint = this.#order()[0]!
      const rest = Math.max(0, endpoint.restsUntil - now())
      if (rest > 0) await sleep(Math.min(rest, longest))
      try {
        const answer = await this.#ask(endpoint, init as RequestInit)
        endpoint.failures = 0
        endpoint.restsUntil = 0
        return answer
      } catch (error) {
        failure = error
        // Half of it is chance, so that not all come back at once.
        const waits = Math.min(longest, backoff * 2 ** endpoint.failures) * (0.5 + random() / 2)
        endpoint.failures++
        endpoint.restsUntil = now() + Math.max(waits, error instanceof Busy ? error.wait : 0)
      }
    }
    throw failure
  }

  /** Throws whenever another endpoint, or this one later, might do better. */
  async #ask(endpoint: Endpoint, init: RequestInit): Promise<Response> {
    const { timeout, now } = this.#setting
    const answer = await this.#setting.fetch(endpoint.url, { ...init, signal: AbortSignal.timeout(timeout) })
    if (answer.status === 429 || answer.status >= 500) {
      throw new Busy(
        `${new URL(endpoint.url).host} answers ${answer.status}`,
        retryAfter(answer.headers.get('retry-after'), now()),
      )
    }
    const text = await answer.text()
    const { error, result } = JSON.parse(text) as Answered
    if (error?.code !== undefined && UNWELL.has(error.code))
      throw new Busy(`${new URL(endpoint.url).host} is behind`, 0)
    const slot = typeof result === 'object' ? result?.context?.slot : undefined
    if (typeof slot === 'number') {
      endpoint.slot = Math.max(endpoint.slot, slot)
      const best = Math.max(...this.endpoints.map(one => one.slot))
      if (slot < best - this.#setting.lag) {
        endpoint.slot = slot
        throw new Busy(`${new URL(endpoint.url).host} is ${best - slot} slots behind`, 0)
      }
    }
    return new Response(text, { status: answer.status, headers: { 'content-type': 'application/json' } })
  }
}

class Busy extends Error {
  /** Milliseconds before it wants to be asked again. */
  readonly wait: number

  constructor(message: string, wait: number) {
    super(message)
    this.wait = wait
  }
}

/** A `Connection` to the endpoints of `SUNDER_RPC_URL`. */
export const clusterOf = (urls: string, setting: ClusterSetting = {}): Cluster =>
  new Cluster(endpointsIn(urls), setting)

/** Millionths of a lamport a unit that were lately paid for these accounts: the median of those that paid, within bounds. */
export const priorityFee = async (
  connection: Connection,
  accounts: Parameters<Connection['getRecentPrioritizationFees']>[0],
  { least = 0n, most = 1_000_000n }: { readonly least?: bigint; readonly most?: bigint } = {},
): Promise<bigint> => {
  const recent = await connection.getRecentPrioritizationFees(accounts)
  const paid = recent.map(({ prioritizationFee }) => prioritizationFee).sort((a, b) => a - b)
  const median = BigInt(paid[Math.floor(paid.length / 2)] ?? 0)
  return median < least ? least : median > most ? most : median
}

export interface Delivery {
  readonly signature: string
  readonly slot: number
  readonly err: unknown
}

/**
 * Sends a signed transaction every two seconds until it has `commitment`, or its blockhash has expired: then it is undefined, and it can be
 * made and signed anew without any danger that both land. The first sending is checked; throws what the node refuses.
 */
export const sendToEnd = async (
  connection: Connection,
  wire: Uint8Array,
  { signature, lastValidBlockHeight }: { readonly signature: string; readonly lastValidBlockHeight: number },
  {
    commitment = 'confirmed',
    every = 2000,
    sleep = pause,
  }: {
    readonly commitment?: 'confirmed' | 'finalized'
    readonly every?: number
    readonly sleep?: (milliseconds: number) => Promise<void>
  } = {},
): Promise<Delivery | undefined> => {
  const statusNow = async () => {
    const { value } = await connection.getSignatureStatuses([signature], { searchTransactionHistory: true })
    return value[0] ?? null
  }
  try {
    await connection.sendRawTransaction(wire, { maxRetries: 0 })
  } catch (error) {
    if ((await statusNow()) === null) throw error // else it was sent before
  }
  for (;;) {
    // The height of what is final, and the status behind it: whatever landed in time is seen.
    const height = await connection.getBlockHeight('finalized')
    const status = await statusNow()
    if (status !== null && (status.confirmationStatus === 'finalized' || status.confirmationStatus === commitment)) {
      return { signature, slot: status.slot, err: status.err }
    }
    if (status === null && height > lastValidBlockHeight) return undefined
    await sleep(every)
    if (status === null) {
      // Whether this one reaches anybody is seen by its status alone.
      await connection.sendRawTransaction(wire, { skipPreflight: true, maxRetries: 0 }).catch(() => undefined)
    }
  }
}
