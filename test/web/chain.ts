/** What the chain itself says of a wallet, by a stock `Connection`: what the page shows is compared with this. */
import { Connection, PublicKey } from '@solana/web3.js'
import type { Page } from 'playwright-core'
import { formatAtoms } from '../../amm/index.ts'
import { tokenAccountOf } from '../../src/chain/tokens.ts'
import {
  type AccountData,
  type AccountName,
  ADDRESSES,
  addressOf,
  decodeOwned,
  type MarketRef,
  marketAddress,
  PROGRAM_ID,
  walletAddress,
} from '../../src/client/index.ts'
import type { RunningExchange } from './support.ts'

/** As the page writes amounts: spaces between thousands, a minus sign of its own. */
export const shown = (atoms: bigint, digits = 2): string => {
  const [whole = '', fraction] = formatAtoms(atoms, digits).replace('-', '−').split('.')
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ' ')
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}
/** Atoms of a figure that the page shows with all its digits. */
export const atomsOf = (text: string): bigint => {
  const number =
    text
      .replaceAll(' ', '')
      .replace('−', '-')
      .match(/-?\d+(\.\d{1,6})?/)?.[0] ?? ''
  const [whole = '0', fraction = ''] = number.replace('-', '').split('.')
  const atoms = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return number.startsWith('-') ? -atoms : atoms
}

export interface MarketRow {
  readonly market: string
  readonly kind: 'hourly' | 'weekly'
  readonly maturity: number
  readonly status: string
}

export class ChainSide {
  readonly url: string
  readonly #connection: Connection

  constructor({ url, rpc }: RunningExchange) {
    this.url = url
    this.#connection = new Connection(rpc, 'confirmed')
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  async markets(): Promise<readonly MarketRow[]> {
    return (await this.get<{ markets: MarketRow[] }>('/v1/markets')).markets
  }

  /** Open ones with a kind of coupons, by maturity, once there are so many: a new chain opens them one after the other. */
  async marketsOf(kind: MarketRow['kind'], least = 1): Promise<readonly MarketRow[]> {
    for (;;) {
      const found = (await this.markets()).filter(
        market => market.kind === kind && /^(open|coupon-due)$/.test(market.status),
      )
      if (found.length >= least) return found
      await new Promise(done => setTimeout(done, 500))
    }
  }

  async #tokens(owner: string, mint: string): Promise<bigint> {
    const place = walletAddress({ owner, mint, program: ADDRESSES.tokenProgram })
    const found = await this.#connection.getAccountInfo(new PublicKey(place))
    return found === null ? 0n : (tokenAccountOf({ owner: found.owner.toBase58(), data: found.data })?.amount ?? 0n)
  }

  jlp(owner: string): Promise<bigint> {
    return this.#tokens(owner, ADDRESSES.jlpMint)
  }
  pt(owner: string, market: MarketRef): Promise<bigint> {
    return this.#tokens(owner, addressOf('PtMint', { market: marketAddress(market) }))
  }

  async account<N extends AccountName>(name: N, address: string): Promise<AccountData[N] | undefined> {
    const found = await this.#connection.getAccountInfo(new PublicKey(address))
    return found === null
      ? undefined
      : decodeOwned(name, { owner: found.owner.toBase58(), data: found.data }, PROGRAM_ID)
  }
}

/** The value beside a label, of a list of figures. */
export const lineOf = (within: Page | ReturnType<Page['locator']>, label: string) =>
  within.locator(`.line:has(dt:has-text("${label}")) dd .num`).first()

/** The cell of a table's row below a heading. */
export const cellOf = (row: ReturnType<Page['locator']>, label: string) => row.locator(`td[data-label="${label}"]`)
