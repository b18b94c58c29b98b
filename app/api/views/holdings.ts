/** Accounts of owners, which are read when somebody asks for them: once a slot, however often they are asked for. */
import {
  type AccountData,
  addressOf,
  type LpPositionData,
  type MarginAccountData,
  type SunderClient,
} from '../../../src/client/index.ts'
import { fail } from '../errors.ts'
import type { Feed, LiveMarket } from '../feed.ts'

/** Accounts that are remembered within a slot. */
const MOST = 10_000

export class Holdings {
  readonly #client: SunderClient
  readonly #feed: Feed
  readonly #read = new Map<string, Promise<unknown>>()
  #slot = 0

  constructor(client: SunderClient, feed: Feed) {
    this.#client = client
    this.#feed = feed
  }

  /** What `make` finds, found once a slot. */
  once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const { slot } = this.#feed.shared
    if (slot !== this.#slot) this.#read.clear()
    this.#slot = slot
    const known = this.#read.get(key) as Promise<T> | undefined
    if (known !== undefined) return known
    const found = make()
    if (this.#read.size < MOST) this.#read.set(key, found)
    found.catch(() => this.#read.delete(key)) // the next one asks again
    return found
  }

  #fetch<N extends 'MarginAccount' | 'LpPosition'>(name: N, address: string): Promise<AccountData[N] | undefined> {
    return this.once(address, async () => (await this.#client.fetch(name, [address]))[0])
  }

  /** A margin account; undefined if it is not open. */
  account({ address }: LiveMarket, owner: string, sub: number): Promise<MarginAccountData | undefined> {
    return this.#fetch('MarginAccount', addressOf('MarginAccount', { market: address, owner, sub }))
  }

  /** A liquidity position; refuses where there is none. */
  async position(
    { address }: LiveMarket,
    owner: string,
    { lower, upper }: { readonly lower: number; readonly upper: number },
  ): Promise<LpPositionData> {
    const place = addressOf('LpPosition', { market: address, owner, lower, upper })
    const hint = 'GET /v1/accounts/{owner} lists the positions that there are.'
    return (
      (await this.#fetch('LpPosition', place)) ??
      fail(404, 'unknown-position', 'There is no such liquidity position', hint, { owner, lower, upper })
    )
  }
}
