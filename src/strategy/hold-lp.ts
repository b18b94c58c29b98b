/** Liquidity over a range of rates, held while days go by; all of it is read from the engine. */
import { type JlpAtoms, liquidityForDeposit, MAX_RATE } from '../../amm/index.ts'
import { accountView, lpView, positionId } from '../exchange/index.ts'
import type { Held, Reading } from './held.ts'
import { leavePt } from './hold-pt.ts'
import { refOf } from './order.ts'
import { type Walk, YOU } from './walk.ts'

/** Liquidity of at most `jlp` atoms over a range of ticks. */
export const holdLp = (walk: Walk, jlp: bigint, lower: number, upper: number): Held => {
  const range = { market: walk.market, owner: YOU, lower, upper }
  const before = walk.wallet()
  const { pool } = walk.stored
  const { now } = walk.world
  walk.run({ kind: 'open-position', ...range })
  const liquidity = liquidityForDeposit(pool, lower, upper, jlp as JlpAtoms)
  const rates = { minRate: pool.rate, maxRate: pool.rate }
  walk.run({ kind: 'add-liquidity', ...range, liquidity, maximum: jlp, ...rates, deadline: now })
  walk.try({ kind: 'open-account', ...refOf(walk) })
  const paid = before - walk.wallet()
  const held = () => walk.state.positions.get(positionId(walk.market, YOU, lower, upper))!
  const { position } = held()
  let rateMove = 0n
  const read = (): Reading => {
    const { value, earned } = lpView(walk.state, held(), walk.world, { position, at: now })
    const { accrued: coupons, fees } = earned
    const decay = value - paid - coupons - fees - rateMove
    return { value, margin: 0n, ratio: undefined, parts: { coupons, decay, rateMove, fees } }
  }
  return {
    paid,
    complete: true,
    read,
    moving(move) {
      const { decay } = read().parts
      move()
      rateMove += read().parts.decay - decay
    },
    keep: () => false,
    leave() {
      const { netSold } = lpView(walk.state, held(), walk.world)
      const zap = walk.matured ? {} : { zap: { limitRate: netSold > 0n ? MAX_RATE : 0n } }
      const all = { share: { num: 1n, den: 1n }, sub: 0, minimum: 0n, deadline: walk.world.now, ...zap }
      walk.run({ kind: 'remove-liquidity', ...range, ...all })
      const left = walk.wallet(`pt/${walk.market}`) > 0n ? leavePt(walk) : 0n
      return left + accountView(walk.state, refOf(walk), walk.world).equity
    },
  }
}
