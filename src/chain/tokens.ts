/** Bytes of mints and token accounts, of both token programs. */
import type { PublicKey } from '@solana/web3.js'
import { ADDRESSES } from '../client/generated/interface.ts'
import { encodeAddress } from '../jupiter/base58.ts'

export const TOKEN_PROGRAMS: ReadonlySet<string> = new Set([ADDRESSES.tokenProgram, ADDRESSES.token2022Program])

const MINT_BYTES = 82
const ACCOUNT_BYTES = 165
/** Where Token-2022 says what an account with extensions is: 1 a mint, 2 a token account. */
const KIND_AT = 165

/** An account, as far as it is looked at here. */
export interface Owned {
  readonly owner: string
  readonly data: Buffer
}

export interface TokenAccount {
  readonly mint: string
  readonly owner: string
  readonly amount: bigint
  readonly delegate: string | undefined
  readonly delegated: bigint
  readonly state: 'uninitialized' | 'initialized' | 'frozen'
  /** Lamports that a wrapped SOL account must keep. */
  readonly native: bigint | undefined
  readonly closeAuthority: string | undefined
}

export interface Mint {
  readonly authority: string | undefined
  readonly supply: bigint
  readonly decimals: number
  readonly freezeAuthority: string | undefined
}

const keyAt = (data: Buffer, at: number): string => encodeAddress(data, at)
/** What is there if the four bytes in front say so. */
const optionAt = (data: Buffer, at: number): string | undefined =>
  data.readUInt32LE(at) === 0 ? undefined : keyAt(data, at + 4)

/** Undefined if it is no token account. */
export const tokenAccountOf = ({ owner, data }: Owned): TokenAccount | undefined => {
  if (!TOKEN_PROGRAMS.has(owner) || data.length < ACCOUNT_BYTES) return undefined
  if (data.length > ACCOUNT_BYTES && (owner !== ADDRESSES.token2022Program || data[KIND_AT] !== 2)) return undefined
  return {
    mint: keyAt(data, 0),
    owner: keyAt(data, 32),
    amount: data.readBigUInt64LE(64),
    delegate: optionAt(data, 72),
    state: (['uninitialized', 'initialized', 'frozen'] as const)[data[108]!] ?? 'uninitialized',
    native: data.readUInt32LE(109) === 0 ? undefined : data.readBigUInt64LE(113),
    delegated: data.readBigUInt64LE(121),
    closeAuthority: optionAt(data, 129),
  }
}

/** Undefined if it is no mint. */
export const mintOf = ({ owner, data }: Owned): Mint | undefined => {
  if (!TOKEN_PROGRAMS.has(owner) || data.length < MINT_BYTES) return undefined
  if (data.length > MINT_BYTES && (owner !== ADDRESSES.token2022Program || data[KIND_AT] !== 1)) return undefined
  return {
    authority: optionAt(data, 0),
    supply: data.readBigUInt64LE(36),
    decimals: data[44]!,
    freezeAuthority: optionAt(data, 46),
  }
}

/** A mint with an authority and without extensions. */
export const mintBytes = (decimals: number, supply: bigint, authority: PublicKey): Buffer => {
  const data = Buffer.alloc(MINT_BYTES)
  data.writeUInt32LE(1, 0)
  data.set(authority.toBytes(), 4)
  data.writeBigUInt64LE(supply, 36)
  data[44] = decimals
  data[45] = 1 // initialised
  return data
}

/** An amount as nodes write it. */
export const uiAmount = (amount: bigint, decimals: number) => {
  const digits = amount.toString().padStart(decimals + 1, '0')
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)]
  const uiAmountString = `${whole}.${fraction}`.replace(/\.?0*$/, '') || '0'
  const text = decimals === 0 ? whole : uiAmountString
  return { amount: amount.toString(), decimals, uiAmount: Number(text), uiAmountString: text }
}
