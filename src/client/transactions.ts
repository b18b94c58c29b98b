/** Instructions -> a transaction that fits, and lookup tables for those that would not. */
import {
  AddressLookupTableAccount,
  AddressLookupTableProgram,
  ComputeBudgetProgram,
  PublicKey,
  type TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { addressOf } from './addresses.ts'
import { type MarketRef, marketAddress } from './builders.ts'
import type { AccountBytes, MarketData } from './codecs.ts'
import { fail } from './errors.ts'
import { ADDRESSES } from './generated/interface.ts'
import { arrayStarts } from './tick-arrays.ts'

/** Bytes of a transaction, signatures included. */
export const PACKET_BYTES = 1232
export const MOST_UNITS = 1_400_000
/** Addresses that fit into one extension of a table. */
const EXTENSION = 25

export interface TransactionTerms {
  readonly payer: string
  readonly blockhash: string
  /** Limit of compute units, all that a transaction may have by default. */
  readonly units?: number
  /** Millionths of a lamport for each unit of the limit. */
  readonly price?: bigint
  /** Used only if the transaction does not fit without them. */
  readonly tables?: readonly AddressLookupTableAccount[]
}

const sizeOf = (transaction: VersionedTransaction): number => {
  try {
    return transaction.serialize().length
  } catch (error) {
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY // the message alone does not fit
    throw error
  }
}

/** A transaction without signatures. `too-large` if it does not fit, with the tables neither. */
export const transactionOf = (
  instructions: readonly TransactionInstruction[],
  { payer, blockhash, units = MOST_UNITS, price = 0n, tables = [] }: TransactionTerms,
): VersionedTransaction => {
  const all = [
    ComputeBudgetProgram.setComputeUnitLimit({ units }),
    ...(price > 0n ? [ComputeBudgetProgram.setComputeUnitPrice({ microLamports: price })] : []),
    ...instructions,
  ]
  const message = new TransactionMessage({
    payerKey: new PublicKey(payer),
    recentBlockhash: blockhash,
    instructions: all,
  })
  const plain = new VersionedTransaction(message.compileToV0Message())
  if (sizeOf(plain) <= PACKET_BYTES) return plain
  const short = new VersionedTransaction(message.compileToV0Message([...tables]))
  const size = sizeOf(short)
  if (size <= PACKET_BYTES) return short
  const advice = tables.length === 0 ? "use the market's lookup table" : 'send its instructions one after the other'
  return fail('too-large', `This does not fit into ${PACKET_BYTES} bytes: ${advice}`, { most: PACKET_BYTES })
}

// ---- lookup tables --------------------------------------------------------------------------------------------------------

/** What the instructions of a market have in common: all that belongs into its lookup table. */
export const lookupAddresses = (ref: MarketRef, { terms }: Pick<MarketData, 'terms'>): string[] => {
  const market = marketAddress(ref)
  const ofMarket = (['Vault', 'PtMint'] as const).map(name => addressOf(name, { market }))
  const ofIndex = (['RateIndex', 'StMint', 'StVault'] as const).map(name => addressOf(name, { kind: ref.kind }))
  const arrays = arrayStarts({ terms }).map(start => addressOf('TickArray', { market, start }))
  const shared = Object.entries(ADDRESSES).flatMap(([name, address]) => (name === 'jupiterProgram' ? [] : [address]))
  return [...shared, ...ofIndex, market, ...ofMarket, ...arrays]
}

/**
 * The instructions that make a lookup table, each list for a transaction of its own, in order; it can be used one slot after the last.
 * `slot` is a recent one: it is part of the table's address.
 */
export const createLookupTable = (
  addresses: readonly string[],
  { payer, authority = payer, slot }: { readonly payer: string; readonly authority?: string; readonly slot: bigint },
): { readonly address: string; readonly transactions: readonly (readonly TransactionInstruction[])[] } => {
  const keys = { payer: new PublicKey(payer), authority: new PublicKey(authority) }
  const [create, lookupTable] = AddressLookupTableProgram.createLookupTable({ ...keys, recentSlot: slot })
  const transactions: TransactionInstruction[][] = []
  for (let at = 0; at < addresses.length; at += EXTENSION) {
    const part = addresses.slice(at, at + EXTENSION).map(address => new PublicKey(address))
    const extend = AddressLookupTableProgram.extendLookupTable({ ...keys, lookupTable, addresses: part })
    transactions.push(at === 0 ? [create, extend] : [extend])
  }
  return { address: lookupTable.toBase58(), transactions }
}

/** A lookup table from its account; undefined without one. `wrong-address` if it is none. */
export const lookupTableOf = (
  address: string,
  account: AccountBytes | undefined,
): AddressLookupTableAccount | undefined => {
  if (account === undefined) return undefined
  if (account.owner !== AddressLookupTableProgram.programId.toBase58()) {
    fail('wrong-address', `${address} is no lookup table`, { address, owner: account.owner })
  }
  return new AddressLookupTableAccount({
    key: new PublicKey(address),
    state: AddressLookupTableAccount.deserialize(account.data),
  })
}
