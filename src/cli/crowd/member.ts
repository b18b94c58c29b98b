/**
 * One of the crowd: a simulated actor who acts on the chain as anybody does, over the client. It is in one market at a time, leaves when
 * that has matured, and then goes to another.
 */
import type { Connection } from '@solana/web3.js'
import { mintOf, tokenAccountOf } from '../../chain/tokens.ts'
import {
  ADDRESSES,
  addressOf,
  decode,
  type LpPositionData,
  type MarginAccountData,
  type MarketReading,
  marketAddress,
  type SunderClient,
  twapAt,
  type Wallet,
  walletAddress,
  walletOf,
} from '../../client/index.ts'
import { balanceId, fork } from '../../exchange/index.ts'
import { type Held, mirrorOf } from '../../mirror/index.ts'
import { type Actor, decide, Scene } from '../../strategy/replay/actors.ts'
import type { Dice } from '../../strategy/replay/dice.ts'
import type { LocalMarket } from '../local-markets.ts'
import { instructionsFor } from './actions.ts'
import { leave } from './leave.ts'
import type { Published } from './outlook.ts'
import type { Person } from './people.ts'

/** Where members act. */
export interface Place {
  readonly client: SunderClient
  readonly connection: Connection
  readonly dice: Dice
  /** Seconds by the chain's clock that an order is good for. */
  readonly seconds: number
  readonly config: Held['config']
  /** Unix seconds by the chain's clock. */
  readonly now: () => Promise<number>
  /** Test JLP for an owner, atoms. */
  readonly fund: (owner: string, atoms: bigint) => Promise<unknown>
}

/** Who has a position places an order behind it in so many of its turns. */
const ORDERS = 0.2
/** A stop waits so far from the rate, and an order for more so far on the better side, percent. */
const STOP = 20n
const BETTER = 6n
/** For whoever fills it, JLP atoms. */
const FILL_FEE = 20_000n
const WEEK = 7 * 86_400

const tokens = (owner: string, mint: string): string => walletAddress({ owner, mint, program: ADDRESSES.tokenProgram })
/** Where an owner has PT of a market. */
export const ptWallet = (market: LocalMarket, owner: string): string =>
  tokens(owner, addressOf('PtMint', { market: marketAddress(market) }))

export class Member {
  readonly actor: Actor
  readonly owner: string
  readonly #wallet: Wallet
  readonly #place: Place
  home: LocalMarket | undefined

  constructor(person: Person, place: Place) {
    this.owner = person.key.publicKey.toBase58()
    this.actor = { ...person, name: this.owner }
    this.#wallet = walletOf(person.key)
    this.#place = place
  }

  /** What it did; undefined if nothing. Throws what the chain refuses. */
  async turn(home: LocalMarket, read: MarketReading, outlook: Published): Promise<string | undefined> {
    const { client, connection, seconds } = this.#place
    if (read.now >= home.maturity) {
      if (read.needsAccrue || read.pool.tauSeconds > 0) return undefined // the last coupon comes first
      if (!(await leave(client, connection, home, this.#wallet, seconds))) return undefined
      this.home = undefined
      delete this.actor.range
      return 'leave'
    }
    let held = await this.#look(home)
    const { actor } = this
    if (held.position === undefined) delete actor.range
    if (isPoor(held, actor.capital)) {
      await this.#place.fund(this.owner, actor.capital - held.jlp)
      held = await this.#look(home)
    }
    return (await this.#order(home, read, held.account)) ?? this.#act(home, read, held, outlook)
  }

  /** What its turn brings, by its kind. */
  async #act(home: LocalMarket, read: MarketReading, held: Holding, outlook: Published): Promise<string | undefined> {
    const { client, seconds, config, dice } = this.#place
    const { account, position, jlp, pt, jlpSupply } = held
    const mirror = mirrorOf(read, {
      config,
      jlpSupply,
      accounts: account === undefined ? [] : [account],
      positions: position === undefined ? [] : [position],
      balances: new Map([
        [balanceId('jlp', this.owner), jlp],
        [balanceId(`pt/${home.name}`, this.owner), pt],
      ]),
    })
    const implied = Math.exp(Number(read.pool.rate) / 2 ** 64) - 1
    const scene = new Scene(fork(mirror.state), mirror.id, dice, mirror.world, { ...outlook, implied })
    const { range } = this.actor
    const wanted = decide(this.actor, scene)
    try {
      const prepared = []
      for (const one of wanted) prepared.push(...(await instructionsFor(client, home, read, one, seconds)))
      if (prepared.length === 0) return undefined
      await client.send(prepared, this.#wallet)
    } catch (error) {
      // It is where it was.
      if (range === undefined) delete this.actor.range
      else this.actor.range = range
      throw error
    }
    if (range !== undefined && this.actor.range === undefined) {
      await client.execute('closePosition', { market: home, owner: this.owner, ...range }, this.#wallet)
    }
    const last = wanted.at(-1)!
    return last.kind === 'trade' ? last.action : last.kind
  }

  /** A stop behind a position, or an order for more of it at a better rate. */
  async #order(
    market: LocalMarket,
    read: MarketReading,
    account: MarginAccountData | undefined,
  ): Promise<string | undefined> {
    const { client, dice, seconds } = this.#place
    if (account === undefined || account.yt === 0n || account.orders > 0 || !dice.chance(ORDERS)) return undefined
    const isLong = account.yt > 0n
    const away = (percent: bigint, up: boolean): bigint =>
      (twapAt(read, read.now) * (up ? 100n + percent : 100n - percent)) / 100n
    const place = { market, owner: this.owner, sub: 0, fee: FILL_FEE, expiresAt: read.now + Math.max(WEEK, seconds) }
    if (dice.chance(0.6)) {
      const trigger = { when: isLong ? 'rate-below' : 'rate-above', level: away(STOP, !isLong) } as const
      await client.placeOrder({ ...place, action: isLong ? 'reduce-long' : 'reduce-short', trigger }, this.#wallet)
      return 'stop'
    }
    const amount = (isLong ? account.yt : -account.yt) / 5n
    if (amount === 0n) return undefined
    const limitRate = away(BETTER, !isLong)
    await client.placeOrder({ ...place, action: isLong ? 'long' : 'short', amount, limitRate }, this.#wallet)
    return 'limit'
  }

  async #look(market: LocalMarket): Promise<Holding> {
    const { owner } = this
    const { range } = this.actor
    const at = marketAddress(market)
    const [mint, jlp, pt, account, position] = await this.#place.client.read([
      ADDRESSES.jlpMint,
      tokens(owner, ADDRESSES.jlpMint),
      ptWallet(market, owner),
      addressOf('MarginAccount', { market: at, owner, sub: 0 }),
      ...(range === undefined ? [] : [addressOf('LpPosition', { market: at, owner, ...range })]),
    ])
    const amountIn = (found: typeof jlp): bigint =>
      found === undefined ? 0n : (tokenAccountOf({ ...found, data: Buffer.from(found.data) })?.amount ?? 0n)
    return {
      jlp: amountIn(jlp),
      pt: amountIn(pt),
      account: account === undefined ? undefined : decode('MarginAccount', account.data),
      position: position === undefined ? undefined : decode('LpPosition', position.data),
      jlpSupply: mint === undefined ? 0n : (mintOf({ ...mint, data: Buffer.from(mint.data) })?.supply ?? 0n),
    }
  }
}

/** Whoever has lost most of what it brought is given it anew: it is flow that is simulated, not ruin. */
const isPoor = ({ account, position, jlp, pt }: Holding, capital: bigint): boolean =>
  position === undefined && pt === 0n && (account?.yt ?? 0n) === 0n && jlp + (account?.margin ?? 0n) < capital / 4n

interface Holding {
  readonly jlp: bigint
  readonly pt: bigint
  readonly account: MarginAccountData | undefined
  readonly position: LpPositionData | undefined
  readonly jlpSupply: bigint
}
