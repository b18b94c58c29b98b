/**
 * Jupiter's pool account on a local chain, driven by recorded history: at each full UTC hour the pool's part of the fees of the hour before
 * is distributed, every week the APR is printed, and at every slot the AUM is refreshed. The same at every run, and all that has to
 * be kept is the account. Behind the last recorded day history begins anew, in whole weeks so that weekdays stay what they are.
 */
import { updateApr } from '../jlp/apr.ts'
import type { PoolFacts, UnixSeconds, UsdX6 } from '../jupiter/facts.ts'
import { POOL_2025 } from '../jupiter/recorded/pool-2025-07-07.ts'
import { type History, HOUR_SECONDS, type HourOfFees, hourlyFees, secondsOf } from '../oracle/index.ts'

/** The protocol's part of all fees, bp; the rest goes to the pool. */
const PROTOCOL_SHARE_BPS = 2500n
const WEEK_HOURS = 168
/** So many weeks before it begins are played, for an APR that was printed and a sum of fees that runs. */
const WEEKS_BEFORE = 2
const SATURDAY = 2 * 86_400

/** Whole weeks of a history, in hours. */
const wholeWeeks = (hours: number): number => hours - (hours % WEEK_HOURS)

/** The moment of a history that is played at `now`; unix seconds. */
export const playedAt = ({ days }: History, now: number): number => {
  const first = secondsOf(days[0]?.day ?? 0)
  const length = wholeWeeks(24 * days.length) * HOUR_SECONDS
  return first + ((((now - first) % length) + length) % length)
}

export class RecordedJupiter {
  readonly #hours: readonly HourOfFees[]
  #facts: PoolFacts

  private constructor(history: History, facts: PoolFacts) {
    const all = hourlyFees(history)
    this.#hours = all.slice(0, wholeWeeks(all.length))
    if (this.#hours.length === 0) throw new Error('A history to be played has at least a week')
    this.#facts = facts
  }

  /** As it stands at `now`, unix seconds. */
  static begin(history: History, now: number, slot: number): RecordedJupiter {
    const week = WEEK_HOURS * HOUR_SECONDS
    const from = now - ((((now - SATURDAY) % week) + week) % week) - WEEKS_BEFORE * week
    const at = BigInt(from) as UnixSeconds
    const poolApr = { ...POOL_2025.facts.poolApr, lastUpdated: at, realizedFeeUsd: 0n as UsdX6 }
    const begun = new RecordedJupiter(history, { ...POOL_2025.facts, poolApr, aumUsdUpdatedAt: at })
    begun.advance(now, slot)
    return begun
  }

  /** Goes on from the account as it was kept. */
  static resume(history: History, facts: PoolFacts): RecordedJupiter {
    return new RecordedJupiter(history, facts)
  }

  get facts(): PoolFacts {
    return this.#facts
  }

  /** To `now`, and whether an hour's fees were distributed on the way. Never back. */
  advance(now: number, slot: number): boolean {
    const last = Number(this.#facts.aumUsdUpdatedAt)
    if (now < last) return false
    const first = last - (last % HOUR_SECONDS) + HOUR_SECONDS
    for (let hour = first; hour <= now; hour += HOUR_SECONDS) this.#distribute(hour)
    const aumUsdUpdatedAt = BigInt(now) as UnixSeconds
    this.#facts = { ...this.#facts, aumUsdUpdatedAt, aumUsdRefreshedAtSlot: BigInt(slot) }
    return first <= now
  }

  /** 75 % of the fees of the hour before go to the pool, the odd unit too. */
  #distribute(at: number): void {
    const hours = Math.floor((at - HOUR_SECONDS - this.#hours[0]!.from) / HOUR_SECONDS)
    const count = this.#hours.length
    const { feesUsdX6, aumUsdX6 } = this.#hours[((hours % count) + count) % count]!
    const share = feesUsdX6 - (feesUsdX6 * PROTOCOL_SHARE_BPS) / 10_000n
    const { poolApr } = this.#facts
    const [aumUsd, now] = [aumUsdX6 as UsdX6, BigInt(at) as UnixSeconds]
    const realizedFeeUsd = (poolApr.realizedFeeUsd + share) as UsdX6
    const distributed = { ...this.#facts, aumUsd, aumUsdUpdatedAt: now, poolApr: { ...poolApr, realizedFeeUsd } }
    this.#facts = updateApr(distributed, { aumUsd, now }).facts
  }
}
