/** Random fields of every kind of account, made from its IDL: any value that its type holds and the program could have written. */
import { PublicKey } from '@solana/web3.js'
import fc from 'fast-check'
import { DOVES_IDL, PERPETUALS_IDL } from '../../src/jupiter/accounts.ts'
import { factName, type Idl, type IdlType, variantName } from '../../src/jupiter/layout.ts'

const bits = (count: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(count)) - 1n })
const upTo = (max: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max })

const address = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(key => new PublicKey(key).toBase58())
const time = upTo((1n << 63n) - 1n)

const PLAIN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  u8: fc.integer({ min: 0, max: 255 }),
  i8: fc.integer({ min: -128, max: 127 }),
  u32: fc.integer({ min: 0, max: 0xffff_ffff }),
  u64: bits(64),
  i64: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  u128: bits(128),
  f32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  pubkey: address,
}

/** Where the program's own rules are narrower than the type. */
const NARROWER: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  'Pool.name': fc
    .string({ unit: 'grapheme', maxLength: 32 })
    .filter(name => new TextEncoder().encode(name).length <= 32),
  'Pool.custodies': fc.uniqueArray(address, { maxLength: 20 }),
  'Pool.fees.protocolShareBps': upTo(10_000n),
  'Pool.poolApr.lastUpdated': time,
  'Pool.maxRequestExecutionSec': time,
  'Pool.inceptionTime': time,
  'Pool.aumUsdUpdatedAt': time,
  'Custody.decimals': fc.integer({ min: 0, max: 19 }),
  'Custody.targetRatioBps': upTo(10_000n),
  'Custody.jumpRateState.targetUtilizationRate': upTo(1_000_000_000n),
  'Custody.borrowLendParameters.protocolFeeBps': upTo(10_000n),
  'Custody.fundingRateState.lastUpdate': time,
  'Custody.borrowsFundingRateState.lastUpdate': time,
  'Custody.priceImpactBuffer.lastUpdated': time,
  'Custody.priceImpactBuffer.exponent': fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }),
  'Custody.withdrawalLimitLastResetAt': time,
  'Position.openTime': time,
  'Position.updateTime': time,
  'PriceFeed.timestamp': time,
  'AgPriceFeed.timestamp': time,
}

const arbitraryOf = (idl: Idl, type: IdlType, path: string): fc.Arbitrary<unknown> => {
  const narrower = NARROWER[path]
  if (narrower !== undefined) return narrower
  if (typeof type === 'string') return PLAIN[type]!
  if ('vec' in type) throw new Error(`${path}: no length is known`)
  if ('array' in type) {
    const [item, length] = type.array
    const size = { minLength: length, maxLength: length }
    return item === 'u8' ? fc.uint8Array(size) : fc.array(arbitraryOf(idl, item, `${path}[]`), size)
  }
  const definition = idl.types.find(({ name }) => name === type.defined.name)!.type
  if (definition.kind === 'enum') return fc.constantFrom(...definition.variants.map(({ name }) => variantName(name)))
  const fields = definition.fields.map(field => {
    const name = factName(field.name)
    return [name, arbitraryOf(idl, field.type, `${path}.${name}`)] as const
  })
  return fc.record(Object.fromEntries(fields), { noNullPrototype: true })
}

/** An open position has a side and a price. */
const isPossible = (fields: unknown): boolean => {
  const { sizeUsd, side, price } = fields as { sizeUsd?: bigint; side?: string; price?: bigint }
  return sizeUsd === undefined || sizeUsd === 0n || (side !== 'none' && price !== 0n)
}

/** Fields of an account, by its name in the IDL. */
export const fieldsOf = (account: string): fc.Arbitrary<unknown> => {
  const idl = [PERPETUALS_IDL, DOVES_IDL].find(({ accounts }) => accounts.some(({ name }) => name === account))!
  return arbitraryOf(idl, { defined: { name: account } }, account).filter(isPossible)
}
