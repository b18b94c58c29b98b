/**
 * What opening and closing a position costs (jupiter.md 2.7, 2.8; price-impact-fee of the published examples): a base fee, a
 * price impact linear in the size, and an additive one once the last minute's trades lean too far to one side. USD go up.
 *
 * Not certain in the sources: the text of the documents calls the additive term a function of the imbalance of open interest
 * and multiplies by a factor; the example code, followed here, takes the flow of one minute and divides by the factor.
 */
import { divide, mulDiv } from '../../amm/fixed.ts'
import type { Bps, CustodyFacts, UnixSeconds, UsdBpsX6, UsdX6 } from '../jupiter/facts.ts'
import { JlpError } from './errors.ts'
import { BPS, magnitude, signedUsdX6, smaller, usdX6 } from './scale.ts'

export type ImpactBuffer = CustodyFacts['priceImpactBuffer']
const SLOTS = 60

/** `ceil(size * 10^4 / scalar)` bp; a scalar of 0 switches it off. $1M on a scalar of 1.25e15 is 8 bp. */
export const linearImpactBps = (sizeUsd: UsdX6, scalar: UsdBpsX6): Bps =>
  (scalar === 0n ? 0n : mulDiv(sizeUsd, BPS, scalar, 'up')) as Bps

/**
 * The buffer after a trade at `now`: one slot a second, slots older than a minute emptied. Increases count up and decreases down
 * whatever their side, as in the example code; whether the program flips the sign for shorts is not documented.
 */
export const recordTrade = (buffer: ImpactBuffer, signedSizeUsd: bigint, now: UnixSeconds): ImpactBuffer => {
  if (buffer.openInterest.length !== SLOTS) {
    throw new JlpError('bad-parameter', `The buffer has ${SLOTS} slots, got ${buffer.openInterest.length}`)
  }
  const passed = now - buffer.lastUpdated
  if (passed < 0n) {
    throw new JlpError('time-backwards', 'A trade is recorded after the last one', { now, last: buffer.lastUpdated })
  }
  const openInterest = [...buffer.openInterest]
  const stale = smaller(passed, BigInt(SLOTS))
  for (let back = 0n; back < stale; back++) openInterest[Number((now - back) % BigInt(SLOTS))] = signedUsdX6(0n)
  const slot = Number(now % BigInt(SLOTS))
  openInterest[slot] = signedUsdX6(openInterest[slot]! + signedSizeUsd)
  return { ...buffer, openInterest, lastUpdated: now }
}

/** How far the last minute leans to one side: the absolute sum of the slots. */
export const imbalance = (buffer: ImpactBuffer): UsdX6 => {
  let sum = 0n
  for (const size of buffer.openInterest) sum += size
  return usdX6(magnitude(sum))
}

/** Sixteenths of the exponent, and the largest exponent that is computed. */
const EXPONENT_PARTS = 16
const MAX_EXPONENT = 8

/**
 * `ceil((a / b)^exponent)` for a > b, or `limit + 1` if it is above `limit`. Exact integers throughout: the exponent, a float32
 * in the account, is read as sixteenths, rounded up (dearer, since a > b), and n is the answer when `n^16 b^p >= a^p` for the
 * first time. 1, the value on chain, 1.5 and 2 are sixteenths as they stand.
 */
export const powerUp = (a: bigint, b: bigint, exponent: number, limit: bigint): bigint => {
  if (!(exponent >= 0 && exponent <= MAX_EXPONENT)) {
    throw new JlpError('bad-parameter', `The exponent must be from 0 to ${MAX_EXPONENT}, got ${exponent}`, { exponent })
  }
  if (exponent === 1) {
    const ratio = divide(a, b, 'up')
    return ratio > limit ? limit + 1n : ratio
  }
  const sixteenths = BigInt(Math.ceil(exponent * EXPONENT_PARTS))
  const [target, scale] = [a ** sixteenths, b ** sixteenths]
  const reaches = (n: bigint): boolean => n ** BigInt(EXPONENT_PARTS) * scale >= target
  if (!reaches(limit)) return limit + 1n
  let [low, high] = [0n, limit] // reaches(low) is false, reaches(high) is true
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (reaches(middle)) high = middle
    else low = middle
  }
  return high
}

export interface PositionFee {
  readonly linearBps: Bps
  /** Cut short where it is past the cap anyway. */
  readonly additiveBps: Bps
  readonly totalBps: Bps
  readonly feeUsd: UsdX6
}

/**
 * The fee of a trade of `sizeUsd`, with `buffer` as it is after the trade was recorded. The cap `maxFeeBps` applies only where the
 * additive impact does, as in the example.
 */
export const positionFee = (
  sizeUsd: UsdX6,
  { baseBps, scalar, buffer }: { readonly baseBps: Bps; readonly scalar: UsdBpsX6; readonly buffer: ImpactBuffer },
): PositionFee => {
  const linearBps = linearImpactBps(sizeUsd, scalar)
  const { feeFactor, deltaImbalanceThresholdDecimal: threshold, maxFeeBps, exponent } = buffer
  const delta = imbalance(buffer)
  let additiveBps = 0n
  let totalBps: bigint = baseBps + linearBps
  if (feeFactor !== 0n && delta > threshold) {
    if (threshold === 0n)
      throw new JlpError('bad-parameter', 'The threshold must be positive where impact is switched on')
    // Beyond the cap the exact figure does not matter, so the search stops there.
    additiveBps = divide(powerUp(delta, threshold, exponent, (maxFeeBps + 1n) * feeFactor), feeFactor, 'up')
    totalBps = totalBps + additiveBps < maxFeeBps ? totalBps + additiveBps : maxFeeBps
  }
  const feeUsd = usdX6(mulDiv(sizeUsd, totalBps, BPS, 'up'))
  return { linearBps, additiveBps: additiveBps as Bps, totalBps: totalBps as Bps, feeUsd }
}
