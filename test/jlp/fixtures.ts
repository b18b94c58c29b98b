/**
 * Field values of real accounts, restated: the pool on 2025-07-07 about 13:06 UTC with all five custodies (from the public
 * repository structured-org/aum-oracle, mock data), and on 2026-09-24 17:50:11 UTC, slot 450101361, pool, SOL, USDC and three
 * positions (DemidovVladimir/tengu-cluster, test fixture). Fields that did not exist in 2025 are 0, as in a shorter account.
 */

import type { Qty } from '../../amm/units.ts'
import { createJlpPool, type JlpCustody, type JlpPool } from '../../src/jlp/index.ts'
import type { CustodyFacts, PoolFacts, PositionFacts } from '../../src/jupiter/facts.ts'

/** A plain number of any unit: the tests name their units where they matter. */
export const q = <U extends string>(value: bigint | number): Qty<U> => BigInt(value) as Qty<U>

/** A price as an oracle gives it, from its decimal text: '153.07' is 15307e-2. */
export const usd = (text: string): { price: bigint; expo: number } => {
  const [whole, part = ''] = text.split('.')
  return { price: BigInt(`${whole}${part}`), expo: part.length === 0 ? 0 : -part.length }
}
/** Dollars as USD 10^-6. */
export const dollars = (value: number): Qty<'UsdX6'> => q(BigInt(Math.round(value * 1e6)))

export const POOL = '5BUwFW4nRbftYTDMbgxykoFWqWHPzahFSNAaaaJtVKsq'
export const SOL = '7xS2gz2bTp3fwCC7knJvUWTEU9Tycczu6VhJYKgi1wdz'
export const ETH = 'AQCGyheWPLeo6Qp9WpYS9m3Qj479t7R636N9ey1rEjEn'
export const BTC = '5Pv3gM9JrFFH883SWAhvJC9RPYmo8UNxuFtv5bMMALkm'
export const USDC = 'G18jKKXQwBbrHeiK3C9MRXhkHsLHf7XgCSisykV46EZa'
export const USDT = '4vkNeXiYEUizLdrpdPS1eC2mccyM4NUPRtERrk6ZETkk'

/** What differs between custodies; the rest has one value everywhere, or none yet. */
export interface CustodyValues {
  readonly decimals: number
  readonly isStable: boolean
  readonly target: number
  readonly owned: bigint
  readonly locked?: bigint
  readonly feesReserves?: bigint
  readonly guaranteedUsd?: bigint
  readonly shorts?: readonly [size: bigint, average: bigint]
  readonly cumulative?: bigint
  readonly lastUpdate?: bigint
  readonly hourlyDbps?: bigint
  /** min, target, max annual bp and the kink in 10^-9 */
  readonly jump?: readonly [bigint, bigint, bigint, bigint]
  readonly scalar?: bigint
  readonly threshold?: bigint
  readonly maxPosition?: bigint
  readonly maxLong?: bigint
  readonly maxShort?: bigint
  readonly openInterest?: Readonly<Record<number, bigint>>
  readonly bufferUpdated?: bigint
  readonly more?: Partial<CustodyFacts>
}

export const custodyFacts = (v: CustodyValues): CustodyFacts => ({
  pool: POOL,
  mint: '',
  tokenAccount: '',
  decimals: v.decimals,
  isStable: v.isStable,
  oracle: { oracleAccount: '', oracleType: 'pyth', buffer: 50n, maxPriceAgeSec: 5 },
  pricing: {
    tradeImpactFeeScalar: q(v.scalar ?? 0n),
    buffer: 0n,
    swapSpread: 0n,
    maxLeverage: q(5_000_000n),
    maxGlobalLongSizes: q(v.maxLong ?? 0n),
    maxGlobalShortSizes: q(v.maxShort ?? 0n),
  },
  permissions: {
    allowSwap: true,
    allowAddLiquidity: true,
    allowRemoveLiquidity: true,
    allowIncreasePosition: true,
    allowDecreasePosition: true,
    allowCollateralWithdrawal: true,
    allowLiquidatePosition: true,
  },
  targetRatioBps: q(v.target),
  assets: {
    feesReserves: q(v.feesReserves ?? 0n),
    owned: q(v.owned),
    locked: q(v.locked ?? 0n),
    guaranteedUsd: q(v.guaranteedUsd ?? 0n),
    globalShortSizes: q(v.shorts?.[0] ?? 0n),
    globalShortAveragePrices: q(v.shorts?.[1] ?? 0n),
  },
  fundingRateState: {
    cumulativeInterestRate: q(v.cumulative ?? 0n),
    lastUpdate: q(v.lastUpdate ?? 0n),
    hourlyFundingDbps: q(v.hourlyDbps ?? 0n),
  },
  bump: 253,
  tokenAccountBump: 255,
  increasePositionBps: q(6n),
  decreasePositionBps: q(6n),
  maxPositionSizeUsd: q(v.maxPosition ?? 0n),
  dovesOracle: '',
  jumpRateState: {
    minRateBps: q(v.jump?.[0] ?? 1000n),
    targetRateBps: q(v.jump?.[1] ?? 1000n),
    maxRateBps: q(v.jump?.[2] ?? 2500n),
    targetUtilizationRate: q(v.jump?.[3] ?? 800_000_000n),
  },
  dovesAgOracle: '',
  priceImpactBuffer: {
    openInterest: Array.from({ length: 60 }, (_, slot) => q(v.openInterest?.[slot] ?? 0n)),
    lastUpdated: q(v.bufferUpdated ?? 0n),
    feeFactor: v.threshold === undefined ? 0n : 1n,
    exponent: v.threshold === undefined ? 0 : 1,
    deltaImbalanceThresholdDecimal: q(v.threshold ?? 0n),
    maxFeeBps: q(v.threshold === undefined ? 0n : 50n),
  },
  borrowLendParameters: {
    borrowsLimitInBps: q(0n),
    maintenanceMarginBps: q(0n),
    protocolFeeBps: q(0n),
    liquidationMargin: q(0n),
    liquidationFeeBps: q(0n),
  },
  borrowsFundingRateState: {
    cumulativeInterestRate: q(1_000_000_000_000_000_000n),
    lastUpdate: q(v.lastUpdate ?? 0n),
    hourlyFundingDbps: q(0n),
  },
  debt: q(0n),
  borrowLendInterestsAccrued: q(0n),
  borrowLimitInTokenAmount: q(0n),
  minInterestFeeBps: q(0n),
  minInterestFeeGracePeriodSeconds: 0n,
  totalStakedAmountLamports: q(0n),
  maxTotalStakedAmountLamports: q(0n),
  externalSwapFeeMultiplierBps: q(0n),
  disableClosePositionRequest: false,
  withdrawalLimitTokenAmount: q(0n),
  withdrawalTokenAmountAccumulated: q(0n),
  withdrawalLimitLastResetAt: q(0n),
  withdrawalLimitIntervalSeconds: 0n,
  ...v.more,
})

export const poolFacts = (changes: Partial<PoolFacts> = {}): PoolFacts => ({
  name: 'Pool',
  custodies: [SOL, ETH, BTC, USDC, USDT],
  aumUsd: q(1_531_381_751_507_034n),
  limit: { maxAumUsd: q(1_750_000_000_000_000n), tokenWeightageBufferBps: q(2000n), buffer: 0n },
  fees: {
    swapMultiplier: 100n,
    stableSwapMultiplier: 100n,
    addRemoveLiquidityBps: q(10n),
    swapBps: q(10n),
    taxBps: q(100n),
    stableSwapBps: q(2n),
    stableSwapTaxBps: q(5n),
    liquidationRewardBps: q(150n),
    protocolShareBps: q(2500n),
  },
  poolApr: { lastUpdated: q(1_751_580_000n), feeAprBps: q(1351n), realizedFeeUsd: q(945_255_297_149n) },
  maxRequestExecutionSec: 45n,
  bump: 252,
  lpTokenBump: 254,
  inceptionTime: q(1_689_677_832n),
  parameterUpdateOracle: { prefix: 2, key: new Uint8Array(32) },
  aumUsdUpdatedAt: q(0n),
  maxTriggerPriceDiffBps: q(0n),
  disableClosePositionRequest: false,
  maxLpTokenPriceChangeBps: q(0n),
  aumUsdRefreshedAtSlot: 0n,
  ...changes,
})

const shortLimit = 112_293_947_657_720n

/** 2025-07-07, 13:06 UTC. */
export const JULY_2025 = 1_751_893_589n
export const SUPPLY_2025 = 339_109_845_691_015n
/** Closing prices of the hour from 13:00 to 14:00 UTC (Binance). */
export const PRICES_2025 = { SOL: '153.07', ETH: '2566.01', BTC: '108536.84', USDC: '1.00', USDT: '1.00' }

const custodies2025: Readonly<Record<string, CustodyValues>> = {
  [SOL]: {
    decimals: 9,
    isStable: false,
    target: 4700,
    owned: 4_997_709_325_356_113n,
    locked: 1_290_052_568_390_120n,
    feesReserves: 4_091_433_472n,
    guaranteedUsd: 148_080_313_386_624n,
    shorts: [11_155_429_291_298n, 148_633_593n],
    cumulative: 861_890_633n,
    lastUpdate: JULY_2025,
    jump: [1000n, 6000n, 23_000n, 800_000_000n],
    scalar: 1_250_000_000_000_000n,
    threshold: 750_000_000_000n,
    maxPosition: 5_000_000_000_000n,
    maxLong: 400_000_000_000_000n,
    maxShort: shortLimit,
    openInterest: {
      18: 619_814_034n,
      19: 4_509_510_135n,
      27: 23_516_068n,
      29: 149_355_600n,
      33: 1_105_493_990n,
      49: 11_808_244_800n,
      54: 1_673_889_200n,
      55: 1_196_080_582n,
    },
    bufferUpdated: JULY_2025,
  },
  [ETH]: {
    decimals: 8,
    isStable: false,
    target: 800,
    owned: 5_032_908_665_822n,
    locked: 881_654_013_747n,
    feesReserves: 1_093_875n,
    guaranteedUsd: 18_075_360_071_694n,
    shorts: [11_215_548_064_668n, 2_519_497_555n],
    cumulative: 567_812_050n,
    lastUpdate: 1_751_893_575n,
    jump: [1000n, 2300n, 9000n, 800_000_000n],
    scalar: 5_000_000_000_000_000n,
    threshold: 750_000_000_000n,
    maxPosition: 10_000_000_000_000n,
    maxLong: 410_000_000_000_000n,
    maxShort: shortLimit,
    openInterest: { 15: 1_513_730_560n },
    bufferUpdated: 1_751_893_575n,
  },
  [BTC]: {
    decimals: 8,
    isStable: false,
    target: 1300,
    owned: 211_970_393_151n,
    locked: 105_373_849_344n,
    feesReserves: 15_320n,
    guaranteedUsd: 99_186_273_919_203n,
    shorts: [11_287_141_093_842n, 106_915_620_026n],
    cumulative: 738_197_785n,
    lastUpdate: 1_751_893_585n,
    jump: [1000n, 2000n, 8000n, 800_000_000n],
    scalar: 8_000_000_000_000_000n,
    threshold: 750_000_000_000n,
    maxPosition: 10_000_000_000_000n,
    maxLong: 500_000_000_000_000n,
    maxShort: shortLimit,
    openInterest: { 6: 588_311_120n, 25: -17_869_593n, 52: 17_869_593n },
    bufferUpdated: 1_751_893_585n,
  },
  [USDC]: {
    decimals: 6,
    isStable: true,
    target: 3200,
    owned: 478_146_801_843_402n,
    locked: 33_656_762_181_199n,
    feesReserves: 547_186_443n,
    cumulative: 174_019_862n,
    lastUpdate: 1_751_893_561n,
    jump: [1000n, 1000n, 2500n, 800_000_000n],
  },
  [USDT]: {
    decimals: 6,
    isStable: true,
    target: 0,
    owned: 2_771_892_782n,
    locked: 2_771_892_770n,
    cumulative: 221_810_646n,
    lastUpdate: 1_751_893_200n,
    jump: [1000n, 1000n, 2500n, 800_000_000n],
  },
}

const SYMBOLS = { [SOL]: 'SOL', [ETH]: 'ETH', [BTC]: 'BTC', [USDC]: 'USDC', [USDT]: 'USDT' } as const

/** The pool of 2025-07-07; `more` changes facts of single custodies, `prices` their prices. */
export const july2025 = (
  changes: {
    readonly facts?: Partial<PoolFacts>
    readonly prices?: Partial<typeof PRICES_2025>
    readonly custodies?: Readonly<Record<string, Partial<CustodyValues>>>
    readonly supply?: bigint
  } = {},
): JlpPool => {
  const prices = { ...PRICES_2025, ...changes.prices }
  const custodies: JlpCustody[] = Object.entries(custodies2025).map(([address, values]) => ({
    address,
    facts: custodyFacts({ ...values, ...changes.custodies?.[address] }),
    price: usd(prices[SYMBOLS[address as keyof typeof SYMBOLS]]),
  }))
  return createJlpPool({ facts: poolFacts(changes.facts), custodies, supply: q(changes.supply ?? SUPPLY_2025) })
}

/** 2026-09-24 17:50:00 UTC: the custodies' last update. */
export const SEPTEMBER_2026 = 1_790_272_200n
/** SOL then, as the recorded vectors have it. */
export const SOL_2026 = usd('116.658916')

export const poolFacts2026 = (): PoolFacts =>
  poolFacts({
    custodies: [SOL, ETH, BTC, USDC, USDT, 'DdwY1ELc9rRK7xNL3hTXabSFBmVrTPpfsUZSv2Y3LL1U'],
    aumUsd: q(931_403_341_015_904n),
    limit: { maxAumUsd: q(3_000_000_000_000_000n), tokenWeightageBufferBps: q(1000n), buffer: 0n },
    fees: { ...poolFacts().fees, addRemoveLiquidityBps: q(20n) },
    poolApr: { lastUpdated: q(1_789_779_600n), feeAprBps: q(850n), realizedFeeUsd: q(1_397_286_742_229n) },
    aumUsdUpdatedAt: q(1_790_272_210n),
    maxTriggerPriceDiffBps: q(500n),
    maxLpTokenPriceChangeBps: q(500n),
    aumUsdRefreshedAtSlot: 450_101_361n,
  })

export const sol2026 = (): JlpCustody => ({
  address: SOL,
  price: SOL_2026,
  facts: custodyFacts({
    decimals: 9,
    isStable: false,
    target: 4700,
    owned: 3_975_600_834_194_526n,
    locked: 444_578_802_491_130n,
    feesReserves: 1_419_423_688n,
    guaranteedUsd: 38_293_404_667_693n,
    shorts: [10_409_974_721_026n, 107_660_329n],
    cumulative: 1_062_791_438n,
    lastUpdate: SEPTEMBER_2026,
    jump: [1000n, 3500n, 15_000n, 800_000_000n],
    scalar: 3_750_000_000_000_000n,
    threshold: 1_500_000_000_000n,
    maxPosition: 10_000_000_000_000n,
    maxLong: 240_000_000_000_000n,
    maxShort: shortLimit,
    more: {
      totalStakedAmountLamports: q(3_501_817_128_394_037n),
      maxTotalStakedAmountLamports: q(6_000_000_000_000_000n),
      externalSwapFeeMultiplierBps: q(20_000n),
    },
  }),
})

export const usdc2026 = (): JlpCustody => ({
  address: USDC,
  price: usd('1'),
  facts: custodyFacts({
    decimals: 6,
    isStable: true,
    target: 3000,
    owned: 128_681_915_422_339n,
    locked: 21_567_112_837_268n,
    feesReserves: 1_728_726_752n,
    cumulative: 243_952_888n,
    lastUpdate: SEPTEMBER_2026,
    jump: [0n, 850n, 1500n, 900_000_000n],
    more: LOAN_TERMS,
  }),
})

/** The terms and state of USDC loans at that slot. */
export const LOAN_TERMS: Partial<CustodyFacts> = {
  borrowLendParameters: {
    borrowsLimitInBps: q(8000n),
    maintenanceMarginBps: q(9000n),
    protocolFeeBps: q(2500n),
    liquidationMargin: q(9500n),
    liquidationFeeBps: q(200n),
  },
  borrowsFundingRateState: {
    cumulativeInterestRate: q(1_074_136_730_017_807_192n),
    lastUpdate: q(SEPTEMBER_2026),
    hourlyFundingDbps: q(0n),
  },
  debt: q(142_370_570_863_218_524_822_804n),
  borrowLendInterestsAccrued: q(77_852_240_528_750_896n),
  borrowLimitInTokenAmount: q(400_000_000_000_000n),
  minInterestFeeBps: q(2n),
  minInterestFeeGracePeriodSeconds: 10n,
}

const position = (
  values: Pick<PositionFacts, 'side' | 'collateralCustody'> & {
    readonly price: bigint
    readonly sizeUsd: bigint
    readonly collateralUsd: bigint
    readonly snapshot: bigint
    readonly locked: bigint
  },
): PositionFacts => ({
  owner: 'owner',
  pool: POOL,
  custody: SOL,
  collateralCustody: values.collateralCustody,
  openTime: q(0n),
  updateTime: q(0n),
  side: values.side,
  price: q(values.price),
  sizeUsd: q(values.sizeUsd),
  collateralUsd: q(values.collateralUsd),
  realisedPnlUsd: q(0n),
  cumulativeInterestSnapshot: q(values.snapshot),
  lockedAmount: q(values.locked),
  bump: 255,
})

/** Positions of slot 450101361 with the recorded borrow fee and liquidation price, USD 10^-6. */
export const POSITIONS_2026 = [
  {
    address: '8dETVxeDTXi3xRiQvsvyDETVtwu1wYkEk8JF7HfiPhR5',
    borrowFee: 929_383n,
    liquidation: 124_032_209n,
    position: position({
      side: 'short',
      collateralCustody: USDC,
      price: 113_130_153n,
      sizeUsd: 992_903_150n,
      collateralUsd: 99_293_700n,
      snapshot: 243_016_862n,
      locked: 993_015_033n,
    }),
  },
  {
    address: '2DNqvKcgnx5Huk6VkjeoZbjhna6hZd7GRuG8RCH2dPEV',
    borrowFee: 18_884n,
    liquidation: 113_552_539n,
    position: position({
      side: 'long',
      collateralCustody: SOL,
      price: 117_515_445n,
      sizeUsd: 1_183_738_004n,
      collateralUsd: 43_133_504n,
      snapshot: 1_062_775_485n,
      locked: 10_073_041_975n,
    }),
  },
  {
    address: 'HCZsYUEGtiGVvFJJYcuqhrq1L2MQ7GwWXmQRQSxFNWWX',
    borrowFee: 34_410n,
    liquidation: 119_972_827n,
    position: position({
      side: 'short',
      collateralCustody: USDC,
      price: 116_018_022n,
      sizeUsd: 7_412_757_896n,
      collateralUsd: 272_733_845n,
      snapshot: 243_948_246n,
      locked: 7_413_303_869n,
    }),
  },
]
