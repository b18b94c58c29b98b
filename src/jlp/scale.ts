/** The scales of Jupiter's numbers (jupiter-perps examples, src/constants.ts) and constructors that check a width. */
import type {
  IndexX18,
  JlpAtoms,
  RateX9,
  SignedUsdX6,
  TokenAtoms,
  TokenAtomsX9,
  UnixSeconds,
  UsdX6,
} from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'

export const BPS = 10_000n
export const DBPS = 100_000n
export const RATE_X9 = 1_000_000_000n
export const INDEX_X18 = 1_000_000_000_000_000_000n
export const USD_X6 = 1_000_000n
/** Interest and debt are kept in 10^-9 atoms, a borrow position's size in 10^-3 atoms. */
export const DEBT_X9 = 1_000_000_000n
export const BORROW_SIZE_X3 = 1_000n
export const HOUR_SECONDS = 3_600n
export const WEEK_SECONDS = 604_800n
export const HOURS_A_YEAR = 8_760n
export const YEAR_SECONDS = 31_536_000n

export const U64_MAX = (1n << 64n) - 1n
const U128_MAX = (1n << 128n) - 1n
const I64_MAX = (1n << 63n) - 1n

const check = (name: string, value: bigint, min: bigint, max: bigint): bigint => {
  if (value < min || value > max) {
    throw new JlpError('out-of-range', `${name} must be from ${min} to ${max}, got ${value}`, { name, value })
  }
  return value
}

export const tokenAtoms = (value: bigint): TokenAtoms => check('TokenAtoms', value, 0n, U64_MAX) as TokenAtoms
export const tokenAtomsX9 = (value: bigint): TokenAtomsX9 => check('TokenAtomsX9', value, 0n, U128_MAX) as TokenAtomsX9
export const jlpAtoms = (value: bigint): JlpAtoms => check('JlpAtoms', value, 0n, U64_MAX) as JlpAtoms
export const usdX6 = (value: bigint): UsdX6 => check('UsdX6', value, 0n, U128_MAX) as UsdX6
export const signedUsdX6 = (value: bigint): SignedUsdX6 =>
  check('SignedUsdX6', value, -(1n << 127n), (1n << 127n) - 1n) as SignedUsdX6
export const rateX9 = (value: bigint): RateX9 => check('RateX9', value, 0n, U128_MAX) as RateX9
export const indexX18 = (value: bigint): IndexX18 => check('IndexX18', value, INDEX_X18, U128_MAX) as IndexX18
export const unixSeconds = (value: bigint): UnixSeconds => check('UnixSeconds', value, 0n, I64_MAX) as UnixSeconds

export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const magnitude = (a: bigint): bigint => (a < 0n ? -a : a)
