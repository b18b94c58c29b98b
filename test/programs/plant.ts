/**
 * The state of the reference engine, written onto a local chain as the program would have: every account at its address with its
 * bump, token accounts and mints to match. So a scene that the engine has played can go on in the program.
 */
import { PublicKey } from '@solana/web3.js'
import type { CouponKind } from '../../amm/index.ts'
import { derive } from '../../src/client/addresses.ts'
import { type AccountData, type AccountName, encode } from '../../src/client/codecs.ts'
import { ADDRESSES, PROGRAM_ID } from '../../src/client/generated/interface.ts'
import type { Exchange, Market, Token } from '../../src/exchange/index.ts'
import { marketAt, mintAt, ownerAt } from '../campaigns/program-places.ts'
import { fromAccount, fromConfig, fromIndex, fromMarket, fromOrder, fromPosition } from '../client/from-engine.ts'
import type { LocalChain } from './harness.ts'
import { ata, mintBytes, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, tokenAccountBytes } from './tokens.ts'

const key = (address: string): PublicKey => new PublicKey(address)
const JLP_MINT = key(ADDRESSES.jlpMint)
const KINDS = ['hourly', 'weekly'] as const

/** The addresses that belong to a market, with their bumps. */
const placesOf = ({ maturity, kind }: Pick<Market, 'maturity' | 'kind'>) => {
  const market = derive(PROGRAM_ID, 'Market', { maturity, kind })
  return {
    market,
    index: derive(PROGRAM_ID, 'RateIndex', { kind }),
    vault: derive(PROGRAM_ID, 'Vault', { market: market.address }),
    ptMint: derive(PROGRAM_ID, 'PtMint', { market: market.address }),
  }
}

class Planter {
  readonly #chain: LocalChain
  readonly #exchange: Exchange

  constructor(chain: LocalChain, exchange: Exchange) {
    this.#chain = chain
    this.#exchange = exchange
  }

  all(): void {
    this.#config()
    for (const kind of KINDS) this.#index(kind)
    for (const market of this.#exchange.markets.values()) this.#market(market)
    this.#claims()
    this.#wallets()
  }

  #write<N extends AccountName>(name: N, address: string, record: AccountData[N]): void {
    this.#chain.setAccount(key(address), key(PROGRAM_ID), encode(name, record))
  }

  #tokens(address: string, mint: PublicKey, owner: string, amount: bigint): void {
    const data = tokenAccountBytes(mint, key(owner))
    data.writeBigUInt64LE(amount, 64)
    this.#chain.setAccount(key(address), TOKEN_PROGRAM, data)
  }

  #config(): void {
    const { config } = this.#exchange
    const { address, bump } = derive(PROGRAM_ID, 'Config', {})
    const { authority, nextAuthority, pauser, treasury } = config
    this.#write('Config', address, {
      ...fromConfig(config),
      bump,
      authority: ownerAt(authority),
      ...(nextAuthority === undefined ? {} : { nextAuthority: ownerAt(nextAuthority) }),
      pauser: ownerAt(pauser),
      treasury: ownerAt(treasury),
    })
  }

  #index(kind: CouponKind): void {
    const { address, bump } = derive(PROGRAM_ID, 'RateIndex', { kind })
    const [stMint, stVault] = [derive(PROGRAM_ID, 'StMint', { kind }), derive(PROGRAM_ID, 'StVault', { kind })]
    const { lastUpdated, realizedFeeUsd } = this.#chain.pool().poolApr
    this.#write('RateIndex', address, {
      ...fromIndex(this.#exchange.indices[kind], { lastUpdated, realizedFeeUsd }),
      bump,
      stMint: stMint.address,
      stVault: stVault.address,
      stMintBump: stMint.bump,
      stVaultBump: stVault.bump,
    })
    // Without the extension that wallets read: a scene that syncs it begins with the program's own `init_index`.
    const held = this.#exchange.stVaults[kind]
    this.#chain.setAccount(key(stMint.address), TOKEN_2022_PROGRAM, mintBytes(6, held, key(address)))
    this.#tokens(stVault.address, JLP_MINT, address, held)
  }

  #market(market: Market): void {
    const places = placesOf(market)
    const written = fromMarket(market)
    this.#write('Market', places.market.address, {
      ...written.market,
      bump: places.market.bump,
      vaultBump: places.vault.bump,
      ptMintBump: places.ptMint.bump,
      index: places.index.address,
      vault: places.vault.address,
      ptMint: places.ptMint.address,
      creator: ownerAt('creator'),
    })
    for (const array of written.arrays) {
      const { address, bump } = derive(PROGRAM_ID, 'TickArray', { market: places.market.address, start: array.start })
      this.#write('TickArray', address, { ...array, bump, market: places.market.address, payer: ownerAt('creator') })
    }
    this.#tokens(places.vault.address, JLP_MINT, places.market.address, market.vault)
    const mint = mintBytes(6, market.totals.pt, key(places.market.address))
    this.#chain.setAccount(key(places.ptMint.address), TOKEN_PROGRAM, mint)
  }

  #claims(): void {
    for (const account of this.#exchange.accounts.values()) {
      const [market, owner] = [marketAt(account.market).market, ownerAt(account.owner)]
      const { address, bump } = derive(PROGRAM_ID, 'MarginAccount', { market, owner, sub: account.sub })
      this.#write('MarginAccount', address, { ...fromAccount(account), bump, market, owner })
    }
    for (const order of this.#exchange.orders.values()) {
      const [market, owner] = [marketAt(order.market).market, ownerAt(order.owner)]
      const account = derive(PROGRAM_ID, 'MarginAccount', { market, owner, sub: order.sub }).address
      const { address, bump } = derive(PROGRAM_ID, 'RestingOrder', { account, id: order.id })
      this.#write('RestingOrder', address, { ...fromOrder(order), bump, market, owner, account })
    }
    for (const held of this.#exchange.positions.values()) {
      const [market, owner] = [marketAt(held.market).market, ownerAt(held.owner)]
      const { lower, upper } = held.position
      const { address, bump } = derive(PROGRAM_ID, 'LpPosition', { market, owner, lower, upper })
      this.#write('LpPosition', address, { ...fromPosition(held), bump, market, owner })
    }
  }

  /** Every owner gets lamports and an account for each token there is, with what the engine says it holds. */
  #wallets(): void {
    const { balances, accounts, positions, markets, config } = this.#exchange
    const split = (id: string): readonly [Token, string] => {
      const at = id.indexOf(':')
      return [id.slice(0, at) as Token, id.slice(at + 1)]
    }
    const owners = new Set([...balances.keys()].map(id => split(id)[1]))
    for (const { owner } of [...accounts.values(), ...positions.values()]) owners.add(owner)
    owners.add(config.treasury).add('creator')
    const tokens: Token[] = ['jlp', 'st-hourly', 'st-weekly', ...[...markets.keys()].map(id => `pt/${id}` as const)]
    for (const name of owners) {
      const owner = key(ownerAt(name))
      this.#chain.setAccount(owner, key(ADDRESSES.systemProgram), new Uint8Array(), 1_000_000_000_000n)
      for (const token of tokens) {
        const { mint: address, program } = mintAt(token)
        const mint = key(address)
        const data = tokenAccountBytes(mint, owner, program)
        data.writeBigUInt64LE(balances.get(`${token}:${name}`) ?? 0n, 64)
        this.#chain.setAccount(ata(mint, owner, program), program, data)
      }
    }
  }
}

/** Writes an exchange onto a chain whose pool account and clock are set already. The JLP supply stays as it is. */
export const plant = (chain: LocalChain, exchange: Exchange): void => new Planter(chain, exchange).all()
