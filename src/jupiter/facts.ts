/**
 * The facts that Sunder reads from Jupiter's accounts, each field with its scale in the type. Names follow the accounts,
 * in camel case and with the spelling mended ("maintainance"); the scale comes last in a name of its own type.
 */
import type { Qty } from '../../amm/units.ts'

/** USD, 10^-6. */
export type UsdX6 = Qty<'UsdX6'>
/** Signed USD, 10^-6. */
export type SignedUsdX6 = Qty<'SignedUsdX6'>
/** Atoms of the custody's token: 10^-decimals of it. */
export type TokenAtoms = Qty<'TokenAtoms'>
/** Token atoms, 10^-9 of one: debt and its interest. */
export type TokenAtomsX9 = Qty<'TokenAtomsX9'>
/** Token atoms, 10^-3 of one: the size of a borrow position. */
export type TokenAtomsX3 = Qty<'TokenAtomsX3'>
/** Basis points, 10^-4. */
export type Bps = Qty<'Bps'>
/** Hundred-thousandths, 10^-5: the linear hourly borrow rate. */
export type Dbps = Qty<'Dbps'>
/** A rate, utilisation or cumulative rate, 10^-9. */
export type RateX9 = Qty<'RateX9'>
/** A compounding index, 10^-18, starting at 1. */
export type IndexX18 = Qty<'IndexX18'>
/** USD times basis points, 10^-6: the divisor of the linear price impact. */
export type UsdBpsX6 = Qty<'UsdBpsX6'>
/** Seconds of Unix time. */
export type UnixSeconds = Qty<'UnixSeconds'>
/** JLP, 10^-6. Also what loans hold as collateral. */
export type { JlpAtoms } from '../../amm/units.ts'

/** An account's address, base58. */
export type Address = string

export interface PoolFacts {
  readonly name: string
  readonly custodies: readonly Address[]
  readonly aumUsd: UsdX6
  readonly limit: {
    readonly maxAumUsd: UsdX6
    /** How far a custody's weight may leave its target, in bp of the target. */
    readonly tokenWeightageBufferBps: Bps
    readonly buffer: bigint
  }
  readonly fees: {
    /** Plain integers: a swap is priced as if it were that many times larger. */
    readonly swapMultiplier: bigint
    readonly stableSwapMultiplier: bigint
    readonly addRemoveLiquidityBps: Bps
    readonly swapBps: Bps
    readonly taxBps: Bps
    readonly stableSwapBps: Bps
    readonly stableSwapTaxBps: Bps
    readonly liquidationRewardBps: Bps
    readonly protocolShareBps: Bps
  }
  readonly poolApr: {
    readonly lastUpdated: UnixSeconds
    readonly feeAprBps: Bps
    /** Fees distributed to the pool (its share) since `lastUpdated`. */
    readonly realizedFeeUsd: UsdX6
  }
  readonly maxRequestExecutionSec: bigint
  readonly bump: number
  readonly lpTokenBump: number
  readonly inceptionTime: UnixSeconds
  readonly parameterUpdateOracle: { readonly prefix: number; readonly key: Uint8Array }
  readonly aumUsdUpdatedAt: UnixSeconds
  readonly maxTriggerPriceDiffBps: Bps
  readonly disableClosePositionRequest: boolean
  readonly maxLpTokenPriceChangeBps: Bps
  readonly aumUsdRefreshedAtSlot: bigint
}

export type OracleType = 'none' | 'test' | 'pyth'

export interface CustodyFacts {
  readonly pool: Address
  readonly mint: Address
  readonly tokenAccount: Address
  readonly decimals: number
  readonly isStable: boolean
  readonly oracle: {
    readonly oracleAccount: Address
    readonly oracleType: OracleType
    readonly buffer: bigint
    readonly maxPriceAgeSec: number
  }
  readonly pricing: {
    /** Linear impact in bp = size * 10^4 / this, both as stored; 0 switches it off. */
    readonly tradeImpactFeeScalar: UsdBpsX6
    readonly buffer: bigint
    readonly swapSpread: bigint
    /** bp of leverage: 5,000,000 is 500x. */
    readonly maxLeverage: Bps
    readonly maxGlobalLongSizes: UsdX6
    readonly maxGlobalShortSizes: UsdX6
  }
  readonly permissions: {
    readonly allowSwap: boolean
    readonly allowAddLiquidity: boolean
    readonly allowRemoveLiquidity: boolean
    readonly allowIncreasePosition: boolean
    readonly allowDecreasePosition: boolean
    readonly allowCollateralWithdrawal: boolean
    readonly allowLiquidatePosition: boolean
  }
  readonly targetRatioBps: Bps
  readonly assets: {
    readonly feesReserves: TokenAtoms
    readonly owned: TokenAtoms
    readonly locked: TokenAtoms
    readonly guaranteedUsd: UsdX6
    readonly globalShortSizes: UsdX6
    /** USD per whole token. */
    readonly globalShortAveragePrices: UsdX6
  }
  readonly fundingRateState: {
    readonly cumulativeInterestRate: RateX9
    readonly lastUpdate: UnixSeconds
    /** Not 0: linear borrow rate. 0: the jump rate applies. */
    readonly hourlyFundingDbps: Dbps
  }
  readonly bump: number
  readonly tokenAccountBump: number
  readonly increasePositionBps: Bps
  readonly decreasePositionBps: Bps
  readonly maxPositionSizeUsd: UsdX6
  readonly dovesOracle: Address
  readonly jumpRateState: {
    readonly minRateBps: Bps
    readonly maxRateBps: Bps
    readonly targetRateBps: Bps
    readonly targetUtilizationRate: RateX9
  }
  readonly dovesAgOracle: Address
  readonly priceImpactBuffer: {
    /** 60 slots, one a second: signed sizes traded. */
    readonly openInterest: readonly SignedUsdX6[]
    readonly lastUpdated: UnixSeconds
    readonly feeFactor: bigint
    readonly exponent: number
    readonly deltaImbalanceThresholdDecimal: UsdX6
    readonly maxFeeBps: Bps
  }
  readonly borrowLendParameters: {
    readonly borrowsLimitInBps: Bps
    readonly maintenanceMarginBps: Bps
    readonly protocolFeeBps: Bps
    readonly liquidationMargin: Bps
    readonly liquidationFeeBps: Bps
  }
  readonly borrowsFundingRateState: {
    readonly cumulativeInterestRate: IndexX18
    readonly lastUpdate: UnixSeconds
    readonly hourlyFundingDbps: Dbps
  }
  readonly debt: TokenAtomsX9
  readonly borrowLendInterestsAccrued: TokenAtomsX9
  readonly borrowLimitInTokenAmount: TokenAtoms
  readonly minInterestFeeBps: Bps
  readonly minInterestFeeGracePeriodSeconds: bigint
  /** Lamports, part of `assets.owned`. */
  readonly totalStakedAmountLamports: TokenAtoms
  readonly maxTotalStakedAmountLamports: TokenAtoms
  readonly externalSwapFeeMultiplierBps: Bps
  readonly disableClosePositionRequest: boolean
  readonly withdrawalLimitTokenAmount: TokenAtoms
  readonly withdrawalTokenAmountAccumulated: TokenAtoms
  readonly withdrawalLimitLastResetAt: UnixSeconds
  readonly withdrawalLimitIntervalSeconds: bigint
}

export type Side = 'none' | 'long' | 'short'

export interface PositionFacts {
  readonly owner: Address
  readonly pool: Address
  readonly custody: Address
  readonly collateralCustody: Address
  readonly openTime: UnixSeconds
  readonly updateTime: UnixSeconds
  readonly side: Side
  /** Entry price, USD per whole token. */
  readonly price: UsdX6
  /** 0: closed, the account is kept. */
  readonly sizeUsd: UsdX6
  readonly collateralUsd: UsdX6
  readonly realisedPnlUsd: SignedUsdX6
  /** Of the collateral custody. */
  readonly cumulativeInterestSnapshot: RateX9
  readonly lockedAmount: TokenAtoms
  readonly bump: number
}

/** Doves: USD price = price * 10^expo. */
export interface PriceFacts {
  readonly feed: 'price-feed' | 'ag-price-feed'
  readonly price: bigint
  readonly expo: number
  readonly timestamp: UnixSeconds
  /** Ag feeds only. */
  readonly mint?: Address
  readonly maxAgPriceAgeSec?: number
}
