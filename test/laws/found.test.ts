/** What the laws found, kept as plain cases. */
import { expect, test } from 'vitest'
import {
  addLiquidity,
  createPool,
  discountQ64,
  emptyPosition,
  KernelError,
  type Liquidity,
  ONE_Q64,
  type Pool,
  rateFromYtPrice,
  tickRate,
} from '../../amm/index.ts'
import { byFace, bySt, DEFAULT_FEES, DEFAULT_GRID, quoted, TWO_YEARS } from './generators.ts'

const onePosition = (lower: number, upper: number, liquidity: bigint): Pool => {
  const pool = createPool({
    grid: DEFAULT_GRID,
    fees: DEFAULT_FEES,
    tauSeconds: TWO_YEARS,
    discount: discountQ64(ONE_Q64),
    rate: tickRate(lower),
  })
  const added = addLiquidity(pool, emptyPosition(pool, lower, upper), liquidity as Liquidity)
  if (added.kind !== 'added') throw new Error(added.code)
  return added.next
}

/*
 * 46,454,083 of liquidity over 7,470 .. 7,940 hold 2,183,341.9 YT. A rise takes 2,183,341 and the rest of the stretch, so
 * the last atom costs 1.9 YT of 0.79 ST each: 2,183,340 PT bring 467,771 JLP, 2,183,341 bring 467,770. Proceeds are not
 * monotone there: a search that took them for it ended at the second, and said that liquidity had run out.
 */
test('sell-pt for exact ST: the fewest PT that bring it, at the end of a stretch where YT is dearer than PT', () => {
  const pool = onePosition(7470, 7940, 46_454_083n)
  const [fewer, more] = [2_183_340n, 2_183_341n].map(n => quoted(pool, byFace('sell-pt', n))!)
  expect([fewer!.complete, fewer!.amount, more!.complete, more!.amount]).toEqual([true, 467_771n, true, 467_770n])
  const inverse = quoted(pool, bySt('sell-pt', 467_771n))!
  expect({ filled: inverse.filled, amount: inverse.amount, complete: inverse.complete }).toEqual({
    filled: 2_183_340n,
    amount: 467_771n,
    complete: true,
  })
})

test('a stretch whose rest is dearer still: the fewest are before its end, the walk goes on only for more', () => {
  const pool = onePosition(6010, 6480, 49_759_250n)
  const whole = quoted(pool, byFace('sell-pt', 2_338_684n))!
  const before = quoted(pool, byFace('sell-pt', 2_338_683n))!
  expect([before.amount, whole.amount]).toEqual([670_961n, 670_960n])
  expect(quoted(pool, bySt('sell-pt', 670_961n))).toMatchObject({ filled: 2_338_683n, complete: true })
  expect(quoted(pool, bySt('sell-pt', 670_962n))).toMatchObject({ filled: 2_338_684n, stoppedBy: 'liquidity' })
})

test('rateFromYtPrice with half a second to go is a named error, not a RangeError', () => {
  expect(() => rateFromYtPrice(ONE_Q64 / 2n, 0.5)).toThrow(KernelError)
})
