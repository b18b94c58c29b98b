/** The crowd as a whole: who is where, and whose turn it is. One transaction at a time, and never more than a few in a second. */
import { marketName } from '../../../amm/display.ts'
import { ADDRESSES, ClientError, listAccounts, ProgramError } from '../../client/index.ts'
import { decodePool } from '../../jupiter/decode.ts'
import type { LocalMarket } from '../local-markets.ts'
import { Member, type Place, ptWallet } from './member.ts'
import { type Published, publishedAt } from './outlook.ts'
import type { Person } from './people.ts'

/** Seconds by the chain's clock before a maturity, from which on nobody goes to a market any more. */
const TOO_LATE = 7 * 86_400
/** Markets, the latest ones, in which PT are looked for after a restart. */
const RECENT = 12
/** Minds change at most so often, milliseconds of ours. */
const MIND_MS = 2000
/** How far beliefs drift from what is published, and how fast they come back to it, in a change of mind. */
const DRIFT = 0.02
const RETURN = 0.1

/** What became of a turn. */
export interface Turn {
  readonly member: Member
  /** Undefined: nothing. */
  readonly did?: string | undefined
  readonly refused?: string
}

export class Crowd {
  readonly #members: readonly Member[]
  readonly #place: Place
  #published: Published | undefined
  #belief = 0
  #mindAt = Number.NEGATIVE_INFINITY
  #next = 0

  constructor(people: readonly Person[], place: Place) {
    this.#members = people.map(person => new Member(person, place))
    this.#place = place
  }

  /** Finds where everybody was before: the chain knows. */
  async recall(): Promise<void> {
    const { connection } = this.#place
    const markets = new Map((await this.#markets()).map(market => [market.address, market]))
    const byOwner = new Map(this.#members.map(member => [member.owner, member]))
    for (const { data } of await listAccounts(connection, 'MarginAccount')) {
      const member = byOwner.get(data.owner)
      if (member !== undefined) member.home ??= markets.get(data.market)
    }
    for (const { data } of await listAccounts(connection, 'LpPosition')) {
      const member = byOwner.get(data.owner)
      if (member === undefined) continue
      member.home ??= markets.get(data.market)
      const { lower, upper } = data.position
      if (member.home === markets.get(data.market)) member.actor.range ??= { lower, upper }
    }
    // Savers have nothing but PT in their wallets.
    const recent = [...markets.values()].sort((a, b) => b.maturity - a.maturity).slice(0, RECENT)
    const holders = this.#members
      .filter(({ home }) => home === undefined)
      .flatMap(member => recent.map(market => ({ member, market })))
    const found = await this.#place.client.read(holders.map(({ member, market }) => ptWallet(market, member.owner)))
    for (const [i, { member, market }] of holders.entries()) if (found[i] !== undefined) member.home ??= market
  }

  async #markets(): Promise<(LocalMarket & { readonly address: string; readonly isOpen: boolean })[]> {
    const found = await listAccounts(this.#place.connection, 'Market')
    return found.map(({ address, data: { kind, maturity, active, pool } }) => ({
      address,
      kind,
      maturity,
      name: marketName(maturity, kind),
      isOpen: active && pool.tauSeconds > 0,
    }))
  }

  /** To the market with the fewest of its kind. */
  async #settleIn(member: Member, now: number): Promise<void> {
    const open = (await this.#markets()).filter(({ isOpen, maturity }) => isOpen && maturity > now + TOO_LATE)
    const there = (name: string): number =>
      this.#members.filter(({ actor, home }) => actor.kind === member.actor.kind && home?.name === name).length
    member.home = open.sort((a, b) => there(a.name) - there(b.name))[0]
  }

  /** What people think, by the moment: what was published, and some drift around it. */
  async #outlook(now: number): Promise<Published> {
    const since = performance.now() - this.#mindAt
    if (this.#published !== undefined && since < MIND_MS) return { ...this.#published, belief: this.#belief }
    this.#mindAt = performance.now()
    const { client, dice } = this.#place
    const [pool] = await client.read([ADDRESSES.jupiterPool])
    this.#published = publishedAt(decodePool({ ...pool!, address: ADDRESSES.jupiterPool }), now)
    const { belief } = this.#published
    const before = this.#belief === 0 ? belief : this.#belief
    this.#belief = Math.max(0.02, before * (1 + RETURN * (belief / before - 1) + DRIFT * dice.normal()))
    return { ...this.#published, belief: this.#belief }
  }

  /** The next one's turn. Throws if the chain is not to be reached. */
  async turn(): Promise<Turn> {
    const member = this.#members[this.#next++ % this.#members.length]!
    const { client } = this.#place
    try {
      if (member.home === undefined) await this.#settleIn(member, await this.#place.now())
      const { home } = member
      if (home === undefined) return { member }
      const read = await client.market(home)
      return { member, did: await member.turn(home, read, await this.#outlook(read.now)) }
    } catch (error) {
      // An error without a name is of the connection.
      if (error instanceof ProgramError && error.code !== 'unknown') return { member, refused: error.code }
      if (error instanceof ClientError) return { member, refused: error.code }
      throw error
    }
  }
}
