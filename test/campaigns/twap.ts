/** Campaign: the rate oracle against one that keeps every second. */
import {
  BUCKET_SECONDS,
  createOracle,
  DEFAULT_CLAMP_PER_SECOND,
  observe,
  type RateQ64,
  tickRate,
  twap,
} from '../../amm/index.ts'
import type { Random } from '../generate/random.ts'
import { SlowOracle } from '../model/twap.ts'
import { ensure } from './ensure.ts'

/** Runs histories of observations; returns how many averages were compared, and how many of them exactly. */
export const oracleHistories = (
  random: Random,
  count: number,
): { histories: number; compared: number; exact: number } => {
  let compared = 0
  let exact = 0
  for (let i = 0; i < count; i++) {
    const start = 1_725_494_400 + random.int(0, 40)
    const clamp = random.pick([DEFAULT_CLAMP_PER_SECOND, DEFAULT_CLAMP_PER_SECOND / 7n, 3n, 1n << 63n])
    let spot = random.big(tickRate(50), tickRate(13_860)) as RateQ64
    let now = start
    let oracle = createOracle({ now, rate: spot, clampPerSecond: clamp })
    const slow = new SlowOracle(start, spot, clamp)
    for (let step = 0; step < 30; step++) {
      now += random.pick([0, 0, 1, 3, 20, 45, 400, 1000])
      const window = random.int(1, 300)
      const from = Math.max(start, now - window)
      const average = twap(oracle, spot, now, window)
      const difference = average - slow.twap(spot, now, window)
      const aligned = from === start || from % BUCKET_SECONDS === 0
      const pro = clamp * 100n < 1n << 64n ? clamp * 100n : 5n * (tickRate(13_860) as bigint)
      const allowed = aligned ? 0n : pro / BigInt(now - from || 1) + 1n
      ensure(difference <= allowed && difference >= -allowed, 'TWAP', {
        start,
        now,
        window,
        average,
        difference,
        allowed,
      })
      compared++
      if (aligned) exact++
      oracle = observe(oracle, spot, now)
      slow.observe(spot, now)
      if (random.int(0, 3) > 0) spot = random.big(tickRate(50), tickRate(13_860)) as RateQ64
    }
  }
  return { histories: count, compared, exact }
}
