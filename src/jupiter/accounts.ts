/** The five kinds of account that are read: who owns them, how they begin, how long they are, what cannot be in them. */
import doves from '../../programs-idl/doves.json' with { type: 'json' }
import perpetuals from '../../programs-idl/jupiter_perpetuals.json' with { type: 'json' }
import type { Codec } from './cursor.ts'
import type { Address, CustodyFacts, PoolFacts, PositionFacts, UnixSeconds } from './facts.ts'
import { compile, type Idl } from './layout.ts'

// The JSON's own type knows its tuples only as arrays; test/jupiter/idl.test.ts checks the shape.
export const PERPETUALS_IDL = perpetuals as unknown as Idl
export const DOVES_IDL = doves as unknown as Idl

/** All that a Doves PriceFeed holds. */
export interface PriceFeedFields {
  readonly pair: Uint8Array
  readonly signer: Uint8Array
  readonly price: bigint
  readonly expo: number
  readonly timestamp: UnixSeconds
  readonly bump: number
}

/** All that a Doves AgPriceFeed holds. */
export interface AgPriceFeedFields {
  readonly mint: Address
  readonly edgeFeed: Address
  readonly clFeed: Address
  readonly pythFeed: Address
  readonly pythFeedId: Uint8Array
  readonly price: bigint
  readonly expo: number
  readonly timestamp: UnixSeconds
  readonly config: {
    readonly maxAgPriceAgeSec: number
    readonly maxPriceFeedAgeSec: number
    readonly maxPriceDiffBps: bigint
  }
  readonly bump: number
}

/** Something that the program cannot have written. */
export interface Fault {
  readonly field: string
  readonly why: string
}

export interface AccountLayout<Fields> {
  /** As in the IDL. */
  readonly name: string
  readonly owner: Address
  readonly discriminator: readonly number[]
  /** Bytes of the whole account. */
  readonly size: number
  /** Whether `size` is only the least: no recorded Doves account shows how much room they were given. */
  readonly mayBeLonger: boolean
  readonly codec: Codec
  /** The first thing wrong with what can be read or written as such. */
  readonly fault: (fields: Fields) => Fault | undefined
}

export const DISCRIMINATOR_BYTES = 8

const layout = <Fields>(
  idl: Idl,
  name: string,
  fault: (fields: Fields) => Fault | undefined,
  size?: number,
): AccountLayout<Fields> => {
  const account = idl.accounts.find(found => found.name === name)
  if (account === undefined) throw new Error(`IDL ${idl.address}: there is no account ${name}`)
  const codec = compile(idl, name)
  return {
    name,
    owner: idl.address,
    discriminator: account.discriminator,
    size: size ?? DISCRIMINATOR_BYTES + codec.size,
    mayBeLonger: size === undefined,
    codec,
    fault,
  }
}

// ---- what cannot be ---------------------------------------------------------------------------------------------------

const ALL_BPS = 10_000n
const ALL_X9 = 1_000_000_000n
/** The pool's name is a seed of its address, and seeds are at most this long. */
const MAX_NAME_BYTES = 32
/** With more decimals a u64 could not hold one whole token. */
const MAX_DECIMALS = 19

const negative = (field: string): Fault => ({ field, why: 'must not be negative' })
const aboveAll = (field: string): Fault => ({ field, why: 'must not be more than the whole' })

const isLong = (name: string): boolean =>
  name.length * 3 > MAX_NAME_BYTES && new TextEncoder().encode(name).length > MAX_NAME_BYTES

const poolFault = (pool: PoolFacts): Fault | undefined => {
  if (isLong(pool.name)) return { field: 'name', why: `must not be longer than ${MAX_NAME_BYTES} bytes` }
  if (pool.custodies.some((custody, i) => pool.custodies.includes(custody, i + 1))) {
    return { field: 'custodies', why: 'must not name a custody twice' }
  }
  if (pool.fees.protocolShareBps > ALL_BPS) return aboveAll('fees.protocolShareBps')
  if (pool.poolApr.lastUpdated < 0n) return negative('poolApr.lastUpdated')
  if (pool.maxRequestExecutionSec < 0n) return negative('maxRequestExecutionSec')
  if (pool.inceptionTime < 0n) return negative('inceptionTime')
  if (pool.aumUsdUpdatedAt < 0n) return negative('aumUsdUpdatedAt')
  return undefined
}

const custodyFault = (custody: CustodyFacts): Fault | undefined => {
  if (custody.decimals > MAX_DECIMALS) return { field: 'decimals', why: `must not be more than ${MAX_DECIMALS}` }
  if (custody.targetRatioBps > ALL_BPS) return aboveAll('targetRatioBps')
  if (custody.jumpRateState.targetUtilizationRate > ALL_X9) return aboveAll('jumpRateState.targetUtilizationRate')
  if (custody.borrowLendParameters.protocolFeeBps > ALL_BPS) return aboveAll('borrowLendParameters.protocolFeeBps')
  if (custody.fundingRateState.lastUpdate < 0n) return negative('fundingRateState.lastUpdate')
  if (custody.priceImpactBuffer.lastUpdated < 0n) return negative('priceImpactBuffer.lastUpdated')
  if (custody.priceImpactBuffer.exponent < 0) return negative('priceImpactBuffer.exponent')
  if (custody.borrowsFundingRateState.lastUpdate < 0n) return negative('borrowsFundingRateState.lastUpdate')
  if (custody.withdrawalLimitLastResetAt < 0n) return negative('withdrawalLimitLastResetAt')
  return undefined
}

const positionFault = ({ openTime, updateTime, sizeUsd, side, price }: PositionFacts): Fault | undefined => {
  if (openTime < 0n) return negative('openTime')
  if (updateTime < 0n) return negative('updateTime')
  if (sizeUsd > 0n && side === 'none') return { field: 'side', why: 'must be long or short while there is a size' }
  if (sizeUsd > 0n && price === 0n) return { field: 'price', why: 'must not be 0 while there is a size' }
  return undefined
}

const feedFault = ({ timestamp }: { readonly timestamp: UnixSeconds }): Fault | undefined =>
  timestamp < 0n ? negative('timestamp') : undefined

// ---- the five ---------------------------------------------------------------------------------------------------------

export const POOL = layout<PoolFacts>(PERPETUALS_IDL, 'Pool', poolFault, 2000)
export const CUSTODY = layout<CustodyFacts>(PERPETUALS_IDL, 'Custody', custodyFault, 2000)
export const POSITION = layout<PositionFacts>(PERPETUALS_IDL, 'Position', positionFault, 216)
export const PRICE_FEED = layout<PriceFeedFields>(DOVES_IDL, 'PriceFeed', feedFault)
export const AG_PRICE_FEED = layout<AgPriceFeedFields>(DOVES_IDL, 'AgPriceFeed', feedFault)
