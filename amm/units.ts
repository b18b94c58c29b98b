/**
 * The quantities of the protocol, their ranges and the few legal conversions (docs/protocol.md section 1).
 *
 * A brand keeps two quantities from being mixed up by accident; a constructor checks the range, so that a value which
 * carries a brand is known to fit the width that the on-chain program stores it in.
 */
import { KernelError } from './errors.ts'
import { mulDiv, ONE_Q64, type Rounding } from './fixed.ts'

declare const unit: unique symbol
/** A bigint in the named unit. */
export type Qty<U extends string> = bigint & { readonly [unit]: U }

/** JLP, 10^-6 of a token. Also the unit of every ST leg: ST is stored as the JLP it stands for, so it rebases by itself. */
export type JlpAtoms = Qty<'JlpAtoms'>
/** ST-JLP as a wallet shows it, 10^-6; worth `st * discount` JLP. */
export type StAtoms = Qty<'StAtoms'>
/** YT-JLP: the yield of 10^-6 ST until maturity. */
export type YtAtoms = Qty<'YtAtoms'>
/** PT-JLP: 10^-6 ST of principal at maturity. */
export type PtAtoms = Qty<'PtAtoms'>
/** JLP per ST, Q64.64; starts at 1 and never rises. */
export type DiscountQ64 = Qty<'DiscountQ64'>
/** Continuously compounded rate per year `s`, Q64.64; implied APY is `e^s - 1`. */
export type RateQ64 = Qty<'RateQ64'>
/** Liquidity `L`: YT atoms per unit of `s`; one bp of `s` holds `L / 10^4` YT. */
export type Liquidity = Qty<'Liquidity'>
/** Q64.64 JLP atoms per unit of liquidity, cumulative; only differences have a meaning. */
export type GrowthQ64 = Qty<'GrowthQ64'>
/** A price in ST per YT or ST per PT, Q64.64. */
export type PriceQ64 = Qty<'PriceQ64'>

export const YEAR_SECONDS = 31_536_000
export const YEAR_SECONDS_N = 31_536_000n
export const U64_MAX = (1n << 64n) - 1n
export const U32_MAX = 0xffff_ffff
/** All gross liquidity of a market: with it the table error of a JLP amount is below 1/4 atom (docs/kernel.md). */
export const MAX_LIQUIDITY = 1n << 58n
/** Rates stay below 4 per year, and `s * tau` below 4 (the domain of `phi`). */
export const MAX_RATE = (4n << 64n) - 1n
/** Lowest discount: 2^-20 JLP per ST, about 46 years of 30 % a year. */
export const MIN_DISCOUNT = 1n << 44n

const checked = <U extends string>(name: U, value: bigint, min: bigint, max: bigint): Qty<U> => {
  if (value < min || value > max) {
    throw new KernelError('out-of-range', `${name} must be from ${min} to ${max}, got ${value}`, { value, min, max })
  }
  return value as Qty<U>
}

export const jlpAtoms = (value: bigint): JlpAtoms => checked('JlpAtoms', value, 0n, U64_MAX)
export const stAtoms = (value: bigint): StAtoms => checked('StAtoms', value, 0n, U64_MAX)
export const ytAtoms = (value: bigint): YtAtoms => checked('YtAtoms', value, 0n, U64_MAX)
export const ptAtoms = (value: bigint): PtAtoms => checked('PtAtoms', value, 0n, U64_MAX)
export const discountQ64 = (value: bigint): DiscountQ64 => checked('DiscountQ64', value, MIN_DISCOUNT, ONE_Q64)
export const rateQ64 = (value: bigint): RateQ64 => checked('RateQ64', value, 0n, MAX_RATE)
export const liquidity = (value: bigint): Liquidity => checked('Liquidity', value, 1n, MAX_LIQUIDITY)

/** Seconds, a whole number that fits u32. */
export const seconds = (value: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > U32_MAX) {
    throw new KernelError('out-of-range', `Seconds must be a whole number from 0 to ${U32_MAX}, got ${value}`, {
      value,
    })
  }
  return value
}

/** JLP that `st` stands for at `discount`: 'down' when the protocol pays it out, 'up' when it is owed to the protocol. */
export const stToJlp = (st: StAtoms, discount: DiscountQ64, rounding: Rounding): JlpAtoms =>
  jlpAtoms(mulDiv(st, discount, ONE_Q64, rounding))

/** ST that `jlp` is worth at `discount`: 'down' when the protocol pays it out, 'up' when it is owed to the protocol. */
export const jlpToSt = (jlp: JlpAtoms, discount: DiscountQ64, rounding: Rounding): StAtoms =>
  stAtoms(mulDiv(jlp, ONE_Q64, discount, rounding))
