/** What a position is worth later, if JLP pays a steady yield and the rate stays: for pictures and words, nothing here decides money. */
import { type RateQ64, ytPrice } from '../../../../../amm/index.ts'
import { YEAR_SECONDS } from '../../../../../amm/units.ts'
import { priceAtRatio } from '../../../../../src/exchange/index.ts'
import { real, tokens } from '../../format.ts'
import { apyOfPrice } from '../../kernel.ts'

export interface Legs {
  readonly margin: bigint
  readonly st: bigint
  readonly yt: bigint
}

export interface Later {
  readonly legs: Legs
  /** JLP per ST, Q64.64. */
  readonly discount: bigint
  readonly tauSeconds: number
  readonly rate: bigint
  /** Collateral ratio below which it is liquidated, bp. */
  readonly maintenanceBps: number
}

/** JLP per ST after so many seconds of a yield. */
const discountAfter = (discount: number, apy: number, seconds: number): number =>
  discount / (1 + apy) ** (seconds / YEAR_SECONDS)

/** Worth in JLP, and whether it would be liquidated there. */
export const worthAt = ({ legs, discount, tauSeconds, rate, maintenanceBps }: Later, apy: number, seconds: number) => {
  const [margin, st, yt] = [tokens(legs.margin), tokens(legs.st), tokens(legs.yt)]
  const before = real(discount)
  const after = discountAfter(before, apy, seconds)
  const price = real(ytPrice(rate as RateQ64, Math.max(0, Math.round(tauSeconds - seconds))))
  const owed = st + yt * (before - after)
  const value = yt * after * price
  const [assets, liabilities] = [
    margin + Math.max(owed, 0) + Math.max(value, 0),
    Math.max(-owed, 0) + Math.max(-value, 0),
  ]
  const isSpot = yt >= 0 ? margin + owed >= 0 : margin + owed >= -yt * after
  const isLiquidated = seconds < tauSeconds && !isSpot && assets * 10_000 < liabilities * maintenanceBps
  return { worth: margin + owed + value, isLiquidated }
}

/** Where maintenance fails after so many seconds at a yield: the price of YT (ST, Q64.64), and its implied APY. */
export const liquidationAt = (later: Later, apy: number, seconds: number) => {
  const { legs, discount, tauSeconds, maintenanceBps } = later
  const after = BigInt(Math.round(discountAfter(real(discount), apy, seconds) * 2 ** 53)) << 11n
  const st = legs.st + ((legs.yt * (discount - after)) >> 64n)
  // In JLP per YT, then in ST.
  const price = (priceAtRatio({ ...legs, st }, BigInt(maintenanceBps)) << 64n) / after
  const left = Math.max(1, Math.round(tauSeconds - seconds))
  return { price, apy: price <= 0n ? undefined : apyOfPrice(price, left) }
}
