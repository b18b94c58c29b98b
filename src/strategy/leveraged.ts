/** Leveraged yield: long if the pool will earn more than the market implies, short if less. */
import type { Path } from './figures.ts'
import { holdYt } from './hold-yt.ts'
import type { Opened, YtOrder } from './order.ts'
import type { Place } from './sandbox.ts'
import { holdThrough, type Simulation } from './simulate.ts'
import { Walk } from './walk.ts'

/**
 * Opens with margin and leverage, then lets a path of realised and implied APYs go by, for `days` or to maturity. `opened` has the
 * entry (price and APY, cost, ratio, liquidation price and rate, most leverage, break-even APY), `outcome` the days,
 * the split of the profit and the return on what was paid.
 */
export const leveraged = (
  place: Place,
  order: YtOrder,
  path: Path,
  days = Number.POSITIVE_INFINITY,
): { readonly opened: Opened; readonly outcome: Simulation } => {
  const walk = new Walk(place)
  const held = holdYt(walk, order)
  return { opened: held.opened, outcome: holdThrough(walk, held, path, days) }
}
