/**
 * The markets of a local chain: the program set up, the next maturities opened with some liquidity, and matured ones left. By the client's
 * instructions alone, as the chain's operator.
 */
import type { Connection } from '@solana/web3.js'
import { marketName, parseMarketName } from '../../amm/display.ts'
import type { CouponKind } from '../../amm/index.ts'
import { MOST_JLP } from '../chain/faucet.ts'
import type { LocalChain } from '../chain/local.ts'
import {
  ADDRESSES,
  arrayStarts,
  build,
  listAccounts,
  type MarketData,
  SunderClient,
  walletOf,
} from '../client/index.ts'
import { rateOf } from '../strategy/replay/actors.ts'
import { leave } from './crowd/leave.ts'
import { publishedAt } from './crowd/outlook.ts'

const DAY = 86_400
/** Instructions for tick arrays that fit into a transaction. */
const ARRAYS = 8
/** A market begins at 15 % continuous yield a year, Q64.64, unless it is said otherwise. */
const FIRST_RATE = (15n << 64n) / 100n
/** The whole grid, and around the first rate. */
const rangesAt = (rate: bigint) => {
  const step = 10
  const tick = (factor: number): number => Math.round((Number(rate) / 2 ** 64) * factor * 1e3) * step
  return [WHOLE, { lower: Math.max(WHOLE.lower, tick(7 / 15)), upper: Math.min(WHOLE.upper, tick(2)) }]
}
const WHOLE = { lower: 50, upper: 13_860 }
/** Markets have at least so much time before them when they are opened. */
const LEAST_AHEAD = 14 * DAY
/** Months in a quarter, and how many ends of quarters there are markets for besides the next month's. */
const QUARTER = 3
const QUARTERS = 2
/** Times what the faucet gives at once that the operator puts into a market: 10x longs of 1,000 JLP are to find depth. */
export const GIFTS = 3
export const KINDS = ['hourly', 'weekly'] as const

export interface LocalMarket {
  readonly name: string
  readonly kind: CouponKind
  readonly maturity: number
}

/** Config and both indices, if they are not there yet. */
export const setUp = async (client: SunderClient, { operator }: Pick<LocalChain, 'operator'>): Promise<void> => {
  const [payer, wallet] = [operator.publicKey.toBase58(), walletOf(operator)]
  if ((await client.fetch('Config', [ADDRESSES.config]))[0] === undefined) {
    await client.execute('initConfig', { payer, authority: payer, pauser: payer, treasury: payer }, wallet)
  }
  for (const coupon of KINDS) {
    const isThere = await client.index(coupon).then(
      () => true,
      () => false,
    )
    if (!isThere) await client.execute('initIndex', { payer, coupon }, wallet)
  }
}

/** The maturities that markets are opened for: the next month's, and those of the next two quarters, at least two weeks away. */
export const nextMarkets = (now: number, kind: CouponKind): LocalMarket[] => {
  const found: LocalMarket[] = []
  const month = new Date(now * 1000)
  for (month.setUTCDate(1); found.length <= QUARTERS; month.setUTCMonth(month.getUTCMonth() + 1)) {
    const [, year, number] = /^\d\d(\d\d)-(\d\d)/.exec(month.toISOString())!
    const name = `JLP-${year}${number}${kind === 'weekly' ? '-W' : ''}`
    const { maturity } = parseMarketName(name)
    if (maturity < now + LEAST_AHEAD) continue
    if (found.length === 0 || Number(number) % QUARTER === 0) found.push({ name, kind, maturity })
  }
  return found
}

/** The next maturity that is at least two weeks away. */
export const nextMarket = (now: number, kind: CouponKind): LocalMarket => nextMarkets(now, kind)[0]!

/** What may be said of a market that is opened. */
export interface Opening {
  /** Q64.64 */
  readonly rate?: bigint
  /** Seconds of the chain's clock that liquidity may take to be added. */
  readonly seconds?: number
  /** Markets whose maturities the index may forget. */
  readonly matured?: readonly LocalMarket[]
}

/** Opens a market with `jlp` atoms of liquidity, which `fund` gives the operator, as far as it is not open yet. */
export const openMarket = async (
  client: SunderClient,
  { operator }: Pick<LocalChain, 'operator'>,
  market: LocalMarket,
  jlp: bigint,
  fund: () => unknown,
  { rate = FIRST_RATE, seconds = DAY, matured = [] }: Opening = {},
): Promise<void> => {
  const [payer, wallet] = [operator.publicKey.toBase58(), walletOf(operator)]
  const isThere = await client.market(market).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    const { kind: coupon, maturity } = market
    fund()
    await client.execute('createMarket', { payer, coupon, maturity, rate, matured }, wallet)
  }
  const { data, pool } = await client.market(market)
  if (!data.active) {
    const arrays = arrayStarts(data).map((start, number) => build.initTickArray({ payer, market, start, number }))
    for (let at = 0; at < arrays.length; at += ARRAYS) {
      await client.send(arrays.slice(at, at + ARRAYS), wallet)
    }
  }
  if (pool.ticks.length > 0) return
  for (const range of rangesAt(pool.rate)) {
    await client.addLiquidity({ market, owner: payer, ...range, jlp: (jlp * 9n) / 20n, seconds }, wallet)
  }
}

const isMatured = ({ pool }: MarketData): boolean => pool.tauSeconds === 0
/** Whether nothing is missing for trading: it may have been left half opened. */
const isOpen = ({ active, initialised }: MarketData): boolean => active && initialised.some(word => word > 0n)
const named = ({ maturity, kind }: MarketData): LocalMarket => ({ maturity, kind, name: marketName(maturity, kind) })
/** Matured markets that an opening tells the index of. */
const FORGOTTEN = 8

/** Opens what is to be open, and leaves what has matured. Asked again and again, it keeps markets there for ever. */
export class Operator {
  readonly #client: SunderClient
  readonly #connection: Connection
  readonly #chain: LocalChain
  readonly #fund: () => unknown

  /** `fund` gives the operator JLP for one market. */
  constructor(connection: Connection, chain: LocalChain, fund: () => unknown) {
    this.#client = new SunderClient(connection)
    this.#connection = connection
    this.#chain = chain
    this.#fund = fund
  }

  /** Seconds by the chain's clock in a minute of ours. */
  get #minute(): number {
    return 60 * this.#chain.speed
  }

  async #markets(): Promise<MarketData[]> {
    const found = await listAccounts(this.#connection, 'Market')
    return found.map(({ data }) => data).sort((a, b) => a.maturity - b.maturity)
  }

  /** Opens what of these is not open yet, at the rate of the market that matures next to it; the first ones as the yield is published. */
  async open(wanted: readonly LocalMarket[]): Promise<LocalMarket[]> {
    const opened: LocalMarket[] = []
    for (const market of wanted) {
      const known = (await this.#markets()).filter(({ kind }) => kind === market.kind)
      if (known.some(one => one.maturity === market.maturity && isOpen(one))) continue
      const distance = (one: MarketData): number => Math.abs(one.maturity - market.maturity)
      const [neighbour] = known
        .filter(one => isOpen(one) && !isMatured(one) && one.maturity !== market.maturity)
        .sort((a, b) => distance(a) - distance(b))
      const rate = neighbour?.pool.rate ?? rateOf(publishedAt(this.#chain.pool, this.#chain.now).belief)
      const matured = known.filter(isMatured).slice(-FORGOTTEN).map(named)
      const opening = { rate, seconds: this.#minute, matured }
      const jlp = BigInt(GIFTS) * MOST_JLP
      await openMarket(this.#client, this.#chain, market, jlp, this.#fund, opening)
      opened.push(market)
    }
    return opened
  }

  /** Takes the operator's liquidity out of markets that have matured. */
  async #leave(): Promise<LocalMarket[]> {
    const left: LocalMarket[] = []
    const owner = this.#chain.operator.publicKey.toBase58()
    const held = await listAccounts(this.#connection, 'LpPosition', { owner })
    for (const address of new Set(held.map(({ data }) => data.market))) {
      const [data] = await this.#client.fetch('Market', [address])
      if (data === undefined || data.maturity > this.#chain.now) continue
      const market = named(data)
      const { pool, needsAccrue } = await this.#client.market(market)
      if (needsAccrue || pool.tauSeconds > 0) continue // the last coupon comes first
      await leave(this.#client, this.#connection, market, walletOf(this.#chain.operator), this.#minute)
      left.push(market)
    }
    return left
  }

  /** One round: what was left and opened. What is refused is thrown, and may go in the next round. */
  async round(): Promise<{ readonly left: readonly LocalMarket[]; readonly opened: readonly LocalMarket[] }> {
    const left = await this.#leave()
    return { left, opened: await this.open(KINDS.flatMap(kind => nextMarkets(this.#chain.now, kind))) }
  }
}
