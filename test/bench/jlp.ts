/**
 * The pool: a year of hourly simulation, and quotes. `npx tsx test/bench/jlp.ts` prints the rows; each row is also there for a
 * runner, as a function of one piece of work that returns a number out of it.
 */
import { pathToFileURL } from 'node:url'
import type { Qty } from '../../amm/units.ts'
import {
  type CustodyActivity,
  distribute,
  type JlpPool,
  poolAum,
  quoteMint,
  quoteRedeem,
  quoteSwap,
  simulateHour,
} from '../../src/jlp/index.ts'
import { july2025, SOL, USDC } from '../jlp/fixtures.ts'

const q = <U extends string>(value: bigint | number): Qty<U> => BigInt(value) as Qty<U>
const HOURS = 8_760
const START = 1_751_896_800n

/** A day's shape: what happens in each of 24 hours, every one different, so that no branch is always the same. */
const dayOf = (pool: JlpPool): CustodyActivity[][] =>
  Array.from({ length: 24 }, (_, hour) =>
    pool.custodies.map(({ facts }, i) => ({
      openedUsd: q((10_000_000_000n * BigInt(hour + 1)) / BigInt(i + 1)),
      closedUsd: q((9_000_000_000n * BigInt(24 - hour)) / BigInt(i + 1)),
      impactFeesUsd: q(500_000_000n),
      swapFeesUsd: q(300_000_000n),
      liquidityFeesUsd: q(100_000_000n),
      liquidationFeesUsd: q(hour === 13 ? 2_000_000_000n : 0n),
      stakingRewards: q(i === 0 ? 1_000_000_000n : 0n),
      locked: q((facts.assets.locked * BigInt(90 + (hour % 10))) / 100n),
      netDeposit: i === 3 ? (hour % 2 === 0 ? 50_000_000_000n : -40_000_000_000n) : 0n,
    })),
  )

/** A year of hours with prices that move in every one; the number of APR prints (a print takes 169 hours). */
export const simulateYear = (start: JlpPool = july2025()): { readonly pool: JlpPool; readonly prints: number } => {
  const day = dayOf(start)
  const base = start.custodies.map(({ price }) => ({ price: price.price * 1_000n, expo: price.expo - 3 }))
  let pool = start
  let prints = 0
  for (let hour = 0; hour < HOURS; hour++) {
    const prices = base.map(({ price, expo }, i) => ({
      price: i < 3 ? (price * BigInt(1_000 + ((hour * (7 + i)) % 100) - 50)) / 1_000n : price,
      expo,
    }))
    const simulated = simulateHour(pool, {
      endsAt: q(START + BigInt(hour) * 3_600n),
      prices,
      activity: day[hour % 24]!,
    })
    if (simulated.distribution.print !== undefined) prints++
    pool = simulated.next
  }
  return { pool, prints }
}

const pool = july2025()
const amounts = Array.from({ length: 1_000 }, (_, i) => 1_000_000n * BigInt(i + 1))

export interface BenchRow {
  readonly name: string
  readonly run: (i: number) => number
}

/** Rows for a runner: the i-th piece of work of each. */
export const jlpRows: readonly BenchRow[] = [
  { name: 'jlp-aum', run: () => Number(poolAum(pool, 'down')) },
  {
    name: 'jlp-mint',
    run: i => (quoteMint(pool, { custody: USDC, amount: q(amounts[i]!) }).kind === 'quoted' ? 1 : 0),
  },
  { name: 'jlp-redeem', run: i => (quoteRedeem(pool, { custody: SOL, lp: q(amounts[i]!) }).kind === 'quoted' ? 1 : 0) },
  {
    name: 'jlp-swap',
    run: i => (quoteSwap(pool, { from: SOL, to: USDC, amount: q(amounts[i]!) }).kind === 'quoted' ? 1 : 0),
  },
  { name: 'jlp-distribute', run: () => Number(distribute(pool, q(START)).realizedUsd) },
]

/** Seconds that a year takes: the median of so many runs, after one to warm up. */
export const secondsForAYear = (runs = 5): number => {
  simulateYear()
  const times = Array.from({ length: runs }, () => {
    const start = performance.now()
    simulateYear()
    return (performance.now() - start) / 1_000
  })
  return times.sort((a, b) => a - b)[runs >> 1]!
}

/** What the project promises: a year of hourly simulation in less than a second on one core. */
export const YEAR_LIMIT_SECONDS = 1

const main = (): void => {
  const seconds = secondsForAYear()
  const verdict = seconds < YEAR_LIMIT_SECONDS ? 'held' : 'MISSED'
  console.log(`a year of hours, ${HOURS} steps: ${seconds.toFixed(3)} s (limit ${YEAR_LIMIT_SECONDS} s ${verdict})`)
  for (const { name, run } of jlpRows) {
    const rounds = 20
    for (let i = 0; i < 2_000; i++) run(i % 1_000)
    const start = performance.now()
    for (let round = 0; round < rounds; round++) for (let i = 0; i < 1_000; i++) run(i)
    const perSecond = (rounds * 1_000 * 1_000) / (performance.now() - start)
    console.log(`${name.padEnd(16)} ${Math.round(perSecond).toLocaleString('en-US').padStart(12)} a second`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
