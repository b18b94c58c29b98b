/** Where each field of a custody lies, written down by hand from the documented layout: independent of programs-idl. */
import { PublicKey } from '@solana/web3.js'
import { expect, test } from 'vitest'
import { CUSTODY } from '../../src/jupiter/accounts.ts'
import { decodeCustody } from '../../src/jupiter/decode.ts'
import { JupiterError } from '../../src/jupiter/errors.ts'
import { accountOf, kindOf } from './kinds.ts'

const OFFSETS: Readonly<Record<string, number>> = {
  pool: 8,
  mint: 40,
  tokenAccount: 72,
  decimals: 104,
  isStable: 105,
  'oracle.oracleAccount': 106,
  'oracle.oracleType': 138,
  'oracle.buffer': 139,
  'oracle.maxPriceAgeSec': 147,
  'pricing.tradeImpactFeeScalar': 151,
  'pricing.buffer': 159,
  'pricing.swapSpread': 167,
  'pricing.maxLeverage': 175,
  'pricing.maxGlobalLongSizes': 183,
  'pricing.maxGlobalShortSizes': 191,
  'permissions.allowSwap': 199,
  'permissions.allowAddLiquidity': 200,
  'permissions.allowRemoveLiquidity': 201,
  'permissions.allowIncreasePosition': 202,
  'permissions.allowDecreasePosition': 203,
  'permissions.allowCollateralWithdrawal': 204,
  'permissions.allowLiquidatePosition': 205,
  targetRatioBps: 206,
  'assets.feesReserves': 214,
  'assets.owned': 222,
  'assets.locked': 230,
  'assets.guaranteedUsd': 238,
  'assets.globalShortSizes': 246,
  'assets.globalShortAveragePrices': 254,
  'fundingRateState.cumulativeInterestRate': 262,
  'fundingRateState.lastUpdate': 278,
  'fundingRateState.hourlyFundingDbps': 286,
  bump: 294,
  tokenAccountBump: 295,
  increasePositionBps: 296,
  decreasePositionBps: 304,
  maxPositionSizeUsd: 312,
  dovesOracle: 320,
  'jumpRateState.minRateBps': 352,
  'jumpRateState.maxRateBps': 360,
  'jumpRateState.targetRateBps': 368,
  'jumpRateState.targetUtilizationRate': 376,
  dovesAgOracle: 384,
  'priceImpactBuffer.openInterest.0': 416,
  'priceImpactBuffer.openInterest.59': 888,
  'priceImpactBuffer.lastUpdated': 896,
  'priceImpactBuffer.feeFactor': 904,
  'priceImpactBuffer.exponent': 912,
  'priceImpactBuffer.deltaImbalanceThresholdDecimal': 916,
  'priceImpactBuffer.maxFeeBps': 924,
  'borrowLendParameters.borrowsLimitInBps': 932,
  'borrowLendParameters.maintenanceMarginBps': 940,
  'borrowLendParameters.protocolFeeBps': 948,
  'borrowLendParameters.liquidationMargin': 956,
  'borrowLendParameters.liquidationFeeBps': 964,
  'borrowsFundingRateState.cumulativeInterestRate': 972,
  'borrowsFundingRateState.lastUpdate': 988,
  'borrowsFundingRateState.hourlyFundingDbps': 996,
  debt: 1004,
  borrowLendInterestsAccrued: 1020,
  borrowLimitInTokenAmount: 1036,
  minInterestFeeBps: 1044,
  minInterestFeeGracePeriodSeconds: 1052,
  totalStakedAmountLamports: 1060,
  maxTotalStakedAmountLamports: 1068,
  externalSwapFeeMultiplierBps: 1076,
  disableClosePositionRequest: 1084,
  withdrawalLimitTokenAmount: 1085,
  withdrawalTokenAmountAccumulated: 1093,
  withdrawalLimitLastResetAt: 1101,
  withdrawalLimitIntervalSeconds: 1109,
}
const END = 1117

const kind = kindOf('Custody')
const blank = (): Uint8Array => {
  const data = new Uint8Array(2000)
  data.set(CUSTODY.discriminator)
  return data
}

/** What differs between two values, as [path, value in the second]. */
const differences = (before: unknown, after: unknown, path = ''): [string, unknown][] => {
  if (typeof before !== 'object' || before === null) return Object.is(before, after) ? [] : [[path, after]]
  const inner = path === '' ? '' : `${path}.`
  return Object.entries(before).flatMap(([key, value]) =>
    differences(value, (after as Record<string, unknown>)[key], `${inner}${key}`),
  )
}

const ONE_OF = { bigint: 1n, boolean: true } as const
const firstKey = new PublicKey(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))).toBase58()

test.each(Object.entries(OFFSETS))('%s lies at %i', (path, offset) => {
  const data = blank()
  const before = decodeCustody(accountOf(kind, data))
  data[offset] = 1
  const [found, ...more] = differences(before, decodeCustody(accountOf(kind, data)))
  expect(more).toEqual([])
  expect(found?.[0]).toBe(path)
  const value = found?.[1]
  if (path === 'priceImpactBuffer.exponent') expect(value).toBe(2 ** -149)
  else if (path === 'oracle.oracleType') expect(value).toBe('test')
  else if (typeof value === 'number') expect(value).toBe(1)
  else if (typeof value === 'string') expect(value).toBe(firstKey)
  else expect(value).toBe(ONE_OF[typeof value as 'bigint' | 'boolean'])
})

test(`every byte before ${END} counts, and none from there on`, () => {
  const before = decodeCustody(accountOf(kind, blank()))
  const counts = (offset: number): boolean => {
    const data = blank()
    data[offset] = 1
    try {
      return differences(before, decodeCustody(accountOf(kind, data))).length > 0
    } catch (error) {
      if (error instanceof JupiterError) return true
      throw error
    }
  }
  for (let offset = 8; offset < 2000; offset++) expect([offset, counts(offset)]).toEqual([offset, offset < END])
})
