/** What can be known of the yield at a moment of a local chain: recorded history up to there, and what Jupiter's pool says. */
import { playedAt } from '../../chain/history.ts'
import type { PoolFacts } from '../../jupiter/facts.ts'
import { apyOf, leadingApr, OracleError, officialFromPool, projectHistory } from '../../oracle/index.ts'

export interface Published {
  /** APYs, fractions: what the running week will print, and what people may think that the yield to maturity will be. */
  readonly leading: number
  readonly belief: number
}

/** No yield that a market can show is below: pools in the first weeks of a history that begins anew have hardly one. */
const LEAST_APY = 0.02

export const publishedAt = (pool: PoolFacts, now: number): Published => {
  const official = officialFromPool(pool, now).apyPercent / 100
  let leading = official
  try {
    const history = projectHistory()
    leading = apyOf(leadingApr({ history, asOf: playedAt(history, now) }).aprPercent)
  } catch (error) {
    // In the first days of a history that begins anew the pool's own figure is all that there is.
    if (!(error instanceof OracleError)) throw error
  }
  return { leading: Math.max(LEAST_APY, leading), belief: Math.max(LEAST_APY, (leading + official) / 2) }
}
