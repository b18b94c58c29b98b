/** SPL mints and token accounts as bytes, so that a test has them without a transaction. */
import { PublicKey } from '@solana/web3.js'
import { Ledger } from './build-chain.ts'

export const TOKEN_PROGRAM = new PublicKey('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA')
export const TOKEN_2022_PROGRAM = new PublicKey('TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb')
export const ATA_PROGRAM = new PublicKey('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL')

const MINT_BYTES = 82
const ACCOUNT_BYTES = 165
/** What Token-2022's associated accounts have behind that: kind of account, and the empty extension ImmutableOwner. */
const IMMUTABLE_OWNER = Buffer.from([2, 7, 0, 0, 0])
const SUPPLY_AT = 36
const AMOUNT_AT = 64
const STATE_AT = 108
const INITIALIZED = 1
const FROZEN = 2

/** The associated token account. Takes about 0.1 ms for each bump tried. */
export const ata = (mint: PublicKey, owner: PublicKey, tokenProgram = TOKEN_PROGRAM): PublicKey =>
  PublicKey.findProgramAddressSync([owner.toBytes(), tokenProgram.toBytes(), mint.toBytes()], ATA_PROGRAM)[0]

/** A mint without a freeze authority and without extensions: good for both token programs. */
export const mintBytes = (decimals: number, supply: bigint, authority?: PublicKey): Buffer => {
  const data = Buffer.alloc(MINT_BYTES)
  if (authority !== undefined) {
    data.writeUInt32LE(1, 0)
    data.set(authority.toBytes(), 4)
  }
  data.writeBigUInt64LE(supply, SUPPLY_AT)
  data[44] = decimals
  data[45] = 1 // initialised
  return data
}

/** An empty account, to the byte as the ATA program makes it for a mint that asks nothing of its accounts. */
export const tokenAccountBytes = (mint: PublicKey, owner: PublicKey, tokenProgram = TOKEN_PROGRAM): Buffer => {
  const data = Buffer.alloc(ACCOUNT_BYTES)
  data.set(mint.toBytes(), 0)
  data.set(owner.toBytes(), 32)
  data[STATE_AT] = INITIALIZED
  return tokenProgram.equals(TOKEN_2022_PROGRAM) ? Buffer.concat([data, IMMUTABLE_OWNER]) : data
}

const mintOf = (account: Buffer): PublicKey => new PublicKey(account.subarray(0, 32))
const amountOf = (account: Buffer): bigint => account.readBigUInt64LE(AMOUNT_AT)
const supplyOf = (mint: Buffer): bigint => mint.readBigUInt64LE(SUPPLY_AT)

const withU64 = (data: Buffer, value: bigint, at: number): Buffer => {
  data.writeBigUInt64LE(value, at)
  return data
}

export interface MintSetting {
  readonly decimals?: number
  /** Atoms. */
  readonly supply?: bigint
  /** May mint. */
  readonly authority?: PublicKey
  readonly tokenProgram?: PublicKey
}

/** All amounts in atoms. */
export class TokenLedger extends Ledger {
  createMint(key: PublicKey, setting: MintSetting = {}): PublicKey {
    const { decimals = 6, supply = 0n, authority, tokenProgram = TOKEN_PROGRAM } = setting
    this.setAccount(key, tokenProgram, mintBytes(decimals, supply, authority))
    return key
  }

  /** The owner's associated account, empty, whatever was there before. */
  createTokenAccount(mint: PublicKey, owner: PublicKey, tokenProgram = TOKEN_PROGRAM): PublicKey {
    const key = ata(mint, owner, tokenProgram)
    this.setAccount(key, tokenProgram, tokenAccountBytes(mint, owner, tokenProgram))
    return key
  }

  tokenAmount(key: PublicKey): bigint {
    return amountOf(this.existing(key).data)
  }

  mintSupply(key: PublicKey): bigint {
    return supplyOf(this.existing(key).data)
  }

  setMintSupply(key: PublicKey, atoms: bigint): void {
    this.edit(key, mint => withU64(mint, atoms, SUPPLY_AT))
  }

  /** The mint's supply changes by as much, so that it stays what all hold together. */
  setTokenAmount(key: PublicKey, atoms: bigint): void {
    const { data } = this.existing(key)
    const mint = mintOf(data)
    this.setMintSupply(mint, this.mintSupply(mint) + atoms - amountOf(data))
    this.edit(key, account => withU64(account, atoms, AMOUNT_AT))
  }

  freeze(key: PublicKey, frozen = true): void {
    this.edit(key, account => {
      account[STATE_AT] = frozen ? FROZEN : INITIALIZED
      return account
    })
  }
}
