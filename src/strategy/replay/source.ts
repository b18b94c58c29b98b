/**
 * Jupiter's pool account as recorded history moves it: every hour the pool's part of the fees is added, every week the APR is
 * printed (src/jlp), and coupons are read from it as they are read on chain (src/oracle).
 */
import { mulDiv } from '../../../amm/fixed.ts'
import type { CouponKind } from '../../../amm/index.ts'
import { updateApr } from '../../jlp/apr.ts'
import {
  type Cursor,
  cursorOf,
  type Earned,
  type History,
  HOUR_SECONDS,
  type HourOfFees,
  hourlyFees,
  INCEPTION_TIME,
  LP_TOKEN_BUMP,
  OracleError,
  POOL_BUMP,
  type PoolReading,
  type RateIndex,
  readHourly,
  readWeekly,
  SOURCE_TERMS,
  WEEK_SECONDS,
} from '../../oracle/index.ts'

type UsdX6 = PoolReading['aumUsd']
type UnixSeconds = PoolReading['aumUsdUpdatedAt']

/** The protocol's part of all fees, bp. */
const PROTOCOL_SHARE_BPS = 2500n
/** History has no JLP supply, which only caps open interest; the one recorded virtual price is $4.5159 (July 2025). */
const USD_PER_JLP = 4n

/** A Saturday, 00:00 UTC. */
const SATURDAY = 2 * 86_400

export class RecordedPool {
  private readonly hours: ReadonlyMap<number, HourOfFees>
  private pool: PoolReading
  private cursors: Record<CouponKind, Cursor>

  /** The account as it stands at a full hour, its running week begun on the Saturday before. Throws `no-data`. */
  constructor(history: History, at: number) {
    this.hours = new Map(hourlyFees(history).map(hour => [hour.from, hour]))
    const saturday = at - ((at - SATURDAY) % WEEK_SECONDS)
    this.pool = {
      aumUsd: this.hourBefore(at).aumUsdX6 as UsdX6,
      aumUsdUpdatedAt: BigInt(at) as UnixSeconds,
      poolApr: {
        lastUpdated: BigInt(saturday) as UnixSeconds,
        feeAprBps: 0n as PoolReading['poolApr']['feeAprBps'],
        realizedFeeUsd: 0n as UsdX6,
      },
      bump: POOL_BUMP,
      lpTokenBump: LP_TOKEN_BUMP,
      inceptionTime: INCEPTION_TIME as UnixSeconds,
    }
    const start = cursorOf(this.pool)
    for (let hour = saturday + HOUR_SECONDS; hour <= at; hour += HOUR_SECONDS) this.distribute(hour)
    this.cursors = { hourly: cursorOf(this.pool), weekly: start }
  }

  private hourBefore(at: number): HourOfFees {
    const found = this.hours.get(at - HOUR_SECONDS)
    if (found !== undefined) return found
    const day = new Date((at - HOUR_SECONDS) * 1000).toISOString().slice(0, 10)
    throw new OracleError('no-data', `The history does not have ${day}`, { at })
  }

  /** The distribution at a full hour: 75 % of the fees of the hour before go to the pool, the odd unit too. */
  distribute(at: number): void {
    const { feesUsdX6, aumUsdX6 } = this.hourBefore(at)
    const share = feesUsdX6 - mulDiv(feesUsdX6, PROTOCOL_SHARE_BPS, 10_000n, 'down')
    const { poolApr } = this.pool
    const now = BigInt(at) as UnixSeconds
    const aumUsd = aumUsdX6 as UsdX6
    const distributed = {
      ...this.pool,
      aumUsd,
      aumUsdUpdatedAt: now,
      poolApr: { ...poolApr, realizedFeeUsd: (poolApr.realizedFeeUsd + share) as UsdX6 },
    }
    this.pool = updateApr(distributed, { aumUsd, now }).facts
  }

  /** The coupon that is due at `now`, if any. */
  due(index: RateIndex, now: number): Earned | undefined {
    const { kind } = index
    if (kind === 'hourly') {
      if (now - SOURCE_TERMS.hourly.settlingDelay < index.lastStep + HOUR_SECONDS) return undefined
    } else if (this.pool.poolApr.lastUpdated <= this.cursors.weekly.lastUpdated) return undefined
    const read = kind === 'hourly' ? readHourly : readWeekly
    const { to, fees, aum, cursor } = read(index, this.cursors[kind], this.pool, now)
    this.cursors = { ...this.cursors, [kind]: cursor }
    return { to, fees, aum }
  }

  get lastUpdated(): number {
    return Number(this.pool.poolApr.lastUpdated)
  }

  get jlpSupply(): bigint {
    return this.pool.aumUsd / USD_PER_JLP
  }
}
