/** Which tick arrays a market has, by the first tick of each. */
import { type MarketData, TICKS_PER_ARRAY } from './codecs.ts'
import { fail } from './errors.ts'

/** The first tick of the array that holds a tick of the market's grid. */
export const arrayStart = ({ terms: { grid } }: Pick<MarketData, 'terms'>, tick: number): number => {
  const { spacing, minTick, maxTick } = grid
  const steps = (tick - minTick) / spacing
  if (!Number.isInteger(steps) || tick < minTick || tick > maxTick) {
    fail('out-of-range', `${tick} is no tick of the grid`, { tick, spacing, minTick, maxTick })
  }
  return minTick + Math.floor(steps / TICKS_PER_ARRAY) * TICKS_PER_ARRAY * spacing
}

/** The first ticks of all arrays of a market. */
export const arrayStarts = ({ terms: { grid } }: Pick<MarketData, 'terms'>): number[] => {
  const { spacing, minTick, maxTick } = grid
  const wide = TICKS_PER_ARRAY * spacing
  return Array.from({ length: Math.floor((maxTick - minTick) / wide) + 1 }, (_, k) => minTick + k * wide)
}
