/**
 * The recorded pools as the tests of the formulas use them (values and sources: src/jupiter/recorded and test/jupiter/fixtures),
 * with prices, and with other values where a test asks for them.
 */
import type { Qty } from '../../amm/units.ts'
import { createJlpPool, type JlpCustody, type JlpPool } from '../../src/jlp/index.ts'
import type { CustodyFacts, PoolFacts } from '../../src/jupiter/facts.ts'
import { CUSTODIES_2025, POOL_2025, USDT_2025 } from '../../src/jupiter/recorded/pool-2025-07-07.ts'
import { slots } from '../../src/jupiter/recorded/restate.ts'
import {
  POOL_2026,
  POSITIONS_2026 as RECORDED_POSITIONS,
  SOL_2026 as SOL_CUSTODY_2026,
  USDC_2026 as USDC_CUSTODY_2026,
} from '../jupiter/fixtures/slot-450101361.ts'

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

/** 2025-07-07, 13:06 UTC. */
export const JULY_2025 = 1_751_893_589n

/** With the loan index, which begins at 1: the source of 2025 does not have it. */
const withLoanIndex = (facts: CustodyFacts): CustodyFacts => ({
  ...facts,
  borrowsFundingRateState: {
    cumulativeInterestRate: q(10n ** 18n),
    lastUpdate: facts.fundingRateState.lastUpdate,
    hourlyFundingDbps: q(0n),
  },
})

/** A custody of nothing, with every permission: what a test's own custody begins from. */
const BLANK: CustodyFacts = withLoanIndex({
  ...USDT_2025.facts,
  isStable: false,
  decimals: 0,
  assets: {
    feesReserves: q(0n),
    owned: q(0n),
    locked: q(0n),
    guaranteedUsd: q(0n),
    globalShortSizes: q(0n),
    globalShortAveragePrices: q(0n),
  },
  fundingRateState: { cumulativeInterestRate: q(0n), lastUpdate: q(0n), hourlyFundingDbps: q(0n) },
  pricing: {
    ...USDT_2025.facts.pricing,
    tradeImpactFeeScalar: q(0n),
    maxGlobalLongSizes: q(0n),
    maxGlobalShortSizes: q(0n),
  },
  maxPositionSizeUsd: q(0n),
})

/** `base` with other values. */
export const custodyFacts = (v: Partial<CustodyValues>, base: CustodyFacts = BLANK): CustodyFacts => {
  const { pricing, assets, fundingRateState, jumpRateState, priceImpactBuffer } = base
  const { openInterest } = v
  return {
    ...base,
    decimals: v.decimals ?? base.decimals,
    isStable: v.isStable ?? base.isStable,
    pricing: {
      ...pricing,
      tradeImpactFeeScalar: q(v.scalar ?? pricing.tradeImpactFeeScalar),
      maxGlobalLongSizes: q(v.maxLong ?? pricing.maxGlobalLongSizes),
      maxGlobalShortSizes: q(v.maxShort ?? pricing.maxGlobalShortSizes),
    },
    targetRatioBps: q(v.target ?? base.targetRatioBps),
    assets: {
      feesReserves: q(v.feesReserves ?? assets.feesReserves),
      owned: q(v.owned ?? assets.owned),
      locked: q(v.locked ?? assets.locked),
      guaranteedUsd: q(v.guaranteedUsd ?? assets.guaranteedUsd),
      globalShortSizes: q(v.shorts?.[0] ?? assets.globalShortSizes),
      globalShortAveragePrices: q(v.shorts?.[1] ?? assets.globalShortAveragePrices),
    },
    fundingRateState: {
      cumulativeInterestRate: q(v.cumulative ?? fundingRateState.cumulativeInterestRate),
      lastUpdate: q(v.lastUpdate ?? fundingRateState.lastUpdate),
      hourlyFundingDbps: q(v.hourlyDbps ?? fundingRateState.hourlyFundingDbps),
    },
    maxPositionSizeUsd: q(v.maxPosition ?? base.maxPositionSizeUsd),
    jumpRateState: {
      minRateBps: q(v.jump?.[0] ?? jumpRateState.minRateBps),
      targetRateBps: q(v.jump?.[1] ?? jumpRateState.targetRateBps),
      maxRateBps: q(v.jump?.[2] ?? jumpRateState.maxRateBps),
      targetUtilizationRate: q(v.jump?.[3] ?? jumpRateState.targetUtilizationRate),
    },
    priceImpactBuffer: {
      ...priceImpactBuffer,
      openInterest:
        openInterest === undefined ? priceImpactBuffer.openInterest : slots(openInterest).map(size => q(size)),
      lastUpdated: q(v.bufferUpdated ?? priceImpactBuffer.lastUpdated),
      ...(v.threshold === undefined
        ? {}
        : { feeFactor: 1n, exponent: 1, deltaImbalanceThresholdDecimal: q(v.threshold), maxFeeBps: q(50n) }),
    },
    ...v.more,
  }
}

export const poolFacts = (changes: Partial<PoolFacts> = {}): PoolFacts => ({ ...POOL_2025.facts, ...changes })

export const SUPPLY_2025 = 339_109_845_691_015n
/** Closing prices of the hour from 13:00 to 14:00 UTC (Binance). */
export const PRICES_2025 = { SOL: '153.07', ETH: '2566.01', BTC: '108536.84', USDC: '1.00', USDT: '1.00' }

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
  const custodies: JlpCustody[] = CUSTODIES_2025.map(({ address, facts }) => ({
    address,
    facts: custodyFacts(changes.custodies?.[address] ?? {}, withLoanIndex(facts)),
    price: usd(prices[SYMBOLS[address as keyof typeof SYMBOLS]]),
  }))
  return createJlpPool({ facts: poolFacts(changes.facts), custodies, supply: q(changes.supply ?? SUPPLY_2025) })
}

/** 2026-09-24 17:50:00 UTC: the custodies' last update. */
export const SEPTEMBER_2026 = 1_790_272_200n
/** SOL then, as the recorded vectors have it. */
export const SOL_2026 = usd('116.658916')

export const poolFacts2026 = (): PoolFacts => POOL_2026.facts

export const sol2026 = (): JlpCustody => ({ address: SOL, price: SOL_2026, facts: SOL_CUSTODY_2026.facts })
export const usdc2026 = (): JlpCustody => ({ address: USDC, price: usd('1'), facts: USDC_CUSTODY_2026.facts })

const { borrowLendParameters, borrowsFundingRateState, debt, borrowLendInterestsAccrued, borrowLimitInTokenAmount } =
  USDC_CUSTODY_2026.facts
const { minInterestFeeBps, minInterestFeeGracePeriodSeconds } = USDC_CUSTODY_2026.facts
/** The terms and state of USDC loans at that slot. */
export const LOAN_TERMS: Partial<CustodyFacts> = {
  borrowLendParameters,
  borrowsFundingRateState,
  debt,
  borrowLendInterestsAccrued,
  borrowLimitInTokenAmount,
  minInterestFeeBps,
  minInterestFeeGracePeriodSeconds,
}

/** Borrow fee and liquidation price, USD 10^-6, as recorded beside the positions of slot 450101361. */
const RECORDED = [
  ['8dETVxeDTXi3xRiQvsvyDETVtwu1wYkEk8JF7HfiPhR5', 929_383n, 124_032_209n],
  ['2DNqvKcgnx5Huk6VkjeoZbjhna6hZd7GRuG8RCH2dPEV', 18_884n, 113_552_539n],
  ['HCZsYUEGtiGVvFJJYcuqhrq1L2MQ7GwWXmQRQSxFNWWX', 34_410n, 119_972_827n],
] as const

export const POSITIONS_2026 = RECORDED.map(([address, borrowFee, liquidation]) => {
  const found = RECORDED_POSITIONS.find(p => p.address === address)
  if (found === undefined) throw new Error(`no recorded position at ${address}`)
  return { address, borrowFee, liquidation, position: found.facts }
})
