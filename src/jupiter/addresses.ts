/**
 * Where Jupiter's accounts are. Every address is derived from its seeds by the program (a PDA); the ones of the JLP pool are
 * also written down here, and test/jupiter/addresses.test.ts derives them anew.
 *
 * The price feeds are not listed on purpose: which feed counts is written in each custody.
 */
import { PublicKey } from '@solana/web3.js'
import { DOVES_IDL, PERPETUALS_IDL } from './accounts.ts'
import { decodeAddress } from './base58.ts'
import { type AccountName, JupiterError } from './errors.ts'
import type { Address, CustodyFacts, PoolFacts, PositionFacts } from './facts.ts'

export const PERPETUALS_PROGRAM: Address = PERPETUALS_IDL.address
export const DOVES_PROGRAM: Address = DOVES_IDL.address

/** The JLP pool, as it names itself. */
export const POOL_NAME = 'Pool'
export const POOL_ADDRESS: Address = '5BUwFW4nRbftYTDMbgxykoFWqWHPzahFSNAaaaJtVKsq'
/** 6 decimals. */
export const JLP_MINT: Address = '27G8MtK7VtTcCHkpASjSDdkWWYfoqT6ggEuKidVJidD4'

export interface KnownCustody {
  readonly symbol: string
  readonly mint: Address
  readonly decimals: number
  readonly custody: Address
  /** Holds the custody's tokens. */
  readonly tokenAccount: Address
}

const known = (
  symbol: string,
  mint: Address,
  decimals: number,
  custody: Address,
  tokenAccount: Address,
): KnownCustody => ({ symbol, mint, decimals, custody, tokenAccount })

/** The pool's custodies in its own order, as of October 2026; JupUSD came in 2026. The pool's account has the last word. */
// biome-ignore format: a table
export const KNOWN_CUSTODIES: readonly KnownCustody[] = [
  known('SOL', 'So11111111111111111111111111111111111111112', 9, '7xS2gz2bTp3fwCC7knJvUWTEU9Tycczu6VhJYKgi1wdz', 'BUvduFTd2sWFagCunBPLupG8fBTJqweLw9DuhruNFSCm'),
  known('ETH', '7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs', 8, 'AQCGyheWPLeo6Qp9WpYS9m3Qj479t7R636N9ey1rEjEn', 'Bgarxg65CEjN3kosjCW5Du3wEqvV3dpCGDR3a2HRQsYJ'),
  known('BTC', '3NZ9JMVBmGAqocybic2c7LQCJScmgsAZ6vQqTDzcqmJh', 8, '5Pv3gM9JrFFH883SWAhvJC9RPYmo8UNxuFtv5bMMALkm', 'FgpXg2J3TzSs7w3WGYYE7aWePdrxBVLCXSxmAKnCZNtZ'),
  known('USDC', 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', 6, 'G18jKKXQwBbrHeiK3C9MRXhkHsLHf7XgCSisykV46EZa', 'WzWUoCmtVv7eqAbU3BfKPU3fhLP6CXR8NCJH78UK9VS'),
  known('USDT', 'Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB', 6, '4vkNeXiYEUizLdrpdPS1eC2mccyM4NUPRtERrk6ZETkk', 'Gex24YznvguMad1mBzTQ7a64U1CJy59gvsStQmNnnwAd'),
  known('JupUSD', 'JuprjznTrTSp2UFa3ZBUFgwdAmtZCq4MQCwysN55USD', 6, 'DdwY1ELc9rRK7xNL3hTXabSFBmVrTPpfsUZSv2Y3LL1U', '6p5mjdPVSYheaFV2bSxb3LvVBnuA6fNYKEXGXD7iTdsd'),
]

// ---- deriving ---------------------------------------------------------------------------------------------------------

/** An address and the number that makes it one that nobody has the key of. */
export interface Derived {
  readonly address: Address
  readonly bump: number
}

const text = (seed: string): Uint8Array => new TextEncoder().encode(seed)
const PERPETUALS_KEY = new PublicKey(PERPETUALS_PROGRAM)
const MAX_SEED_BYTES = 32

const derive = (...seeds: readonly Uint8Array[]): Derived => {
  const long = seeds.find(seed => seed.length > MAX_SEED_BYTES)
  if (long !== undefined) {
    throw new JupiterError('wrong-address', `A seed has at most ${MAX_SEED_BYTES} bytes, not ${long.length}`)
  }
  const [key, bump] = PublicKey.findProgramAddressSync([...seeds], PERPETUALS_KEY)
  return { address: key.toBase58(), bump }
}

export const derivePool = (name: string = POOL_NAME): Derived => derive(text('pool'), text(name))

export const deriveLpMint = (pool: Address): Derived => derive(text('lp_token_mint'), decodeAddress(pool))

export const deriveCustody = (pool: Address, mint: Address): Derived =>
  derive(text('custody'), decodeAddress(pool), decodeAddress(mint))

export const deriveCustodyTokenAccount = (pool: Address, mint: Address): Derived =>
  derive(text('custody_token_account'), decodeAddress(pool), decodeAddress(mint))

/** What a position's address is made of. */
export type PositionSeeds = Pick<PositionFacts, 'owner' | 'pool' | 'custody' | 'collateralCustody'> & {
  readonly side: 'long' | 'short'
}

export const derivePosition = ({ owner, pool, custody, collateralCustody, side }: PositionSeeds): Derived =>
  derive(
    text('position'),
    decodeAddress(owner),
    decodeAddress(pool),
    decodeAddress(custody),
    decodeAddress(collateralCustody),
    Uint8Array.of(side === 'long' ? 1 : 2),
  )

// ---- checking ---------------------------------------------------------------------------------------------------------

const refusal = (
  account: AccountName,
  what: string,
  found: string | number,
  expected: string | number,
): JupiterError => {
  const why = `${what} is ${found}, its seeds give ${expected}`
  return new JupiterError('wrong-address', why, account, { what, found, expected })
}

const compare = (
  account: AccountName,
  [addressName, bumpName]: readonly [string, string],
  found: Derived,
  expected: Derived,
): void => {
  if (found.address !== expected.address) throw refusal(account, addressName, found.address, expected.address)
  if (found.bump !== expected.bump) throw refusal(account, bumpName, found.bump, expected.bump)
}

/** Refuses a pool that is not where its name says, or whose bumps are not those of its address and of its LP mint. */
export const checkPoolAddress = (account: AccountName, { name, bump, lpTokenBump }: PoolFacts): void => {
  const { address } = account
  compare(account, ['The address', 'The bump'], { address, bump }, derivePool(name))
  const mint = deriveLpMint(address)
  if (lpTokenBump !== mint.bump) throw refusal(account, 'The bump of the LP mint', lpTokenBump, mint.bump)
}

/** Refuses a custody that is not where its pool and mint say, or that names another token account. */
export const checkCustodyAddress = (account: AccountName, custody: CustodyFacts): void => {
  const { pool, mint, bump, tokenAccount, tokenAccountBump } = custody
  compare(account, ['The address', 'The bump'], { address: account.address, bump }, deriveCustody(pool, mint))
  const vault = { address: tokenAccount, bump: tokenAccountBump }
  const names = ['The token account', 'The bump of the token account'] as const
  compare(account, names, vault, deriveCustodyTokenAccount(pool, mint))
}

/** Refuses a position that is not where its owner, pool, custodies and side say. */
export const checkPositionAddress = (account: AccountName, position: PositionFacts): void => {
  const { side, bump } = position
  if (side === 'none') throw refusal(account, 'The side', side, 'long or short')
  compare(
    account,
    ['The address', 'The bump'],
    { address: account.address, bump },
    derivePosition({ ...position, side }),
  )
}
