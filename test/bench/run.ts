/**
 * `npm run bench`: how many quotes a second, and how that compares with plain float64 (float.ts). It is compiled by tsc and
 * run by node itself, on purpose: run through tsx, esbuild's `keepNames` wraps every inner function in a call that names
 * it, which alone slows the quotes that search (exact ST) by a tenth to a quarter and distorts their ratio to float64.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import {
  accrue,
  addLiquidity,
  createOracle,
  createPool,
  DEFAULT_CLAMP_PER_SECOND,
  type DiscountQ64,
  discountQ64,
  emptyPosition,
  type JlpAtoms,
  type Liquidity,
  liquidityForDeposit,
  type Order,
  observe,
  type Pool,
  type Position,
  parsePercent,
  type Quote,
  quote,
  type RateQ64,
  rateFromApy,
  removeLiquidity,
  tickRate,
  touch,
  twap,
} from '../../amm/index.ts'
import { Random } from '../generate/random.ts'
import { decodeRows } from './decode.ts'
import { exchangeRows, runYear } from './exchange.ts'
import { type FloatOrder, type FloatPool, type FloatQuote, floatPool, floatQuote, fromQ64 } from './float.ts'
import { jlpRows, secondsForAYear } from './jlp.ts'

const HELP = `npm run bench -- [--json] [--quick] [--help]

Times the kernel on one core and compares it with the same quotes in plain float64.
  --json   one object a line: {"name","perSecond","ratio"}; ratio is perSecond over that of float64, null without a twin
  --quick  a tenth of the time: to see that it runs, not to quote figures
  --help   this text

A row is the median of 9 runs of about 200 ms after 300 ms of warm-up, over 1,000 orders made beforehand; kernel and
float64 take turns. Close other programs: the figures are of one core that has nothing else to do.`

const readFlags = (): { json: boolean; quick: boolean; help: boolean } => {
  const option = { type: 'boolean', default: false } as const
  try {
    return parseArgs({ options: { json: option, quick: option, help: option } }).values
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    process.exit(2)
  }
}
const flags = readFlags()
if (flags.help) {
  console.log(HELP)
  process.exit(0)
}

const ORDERS = 1000
const RUNS = 9
const RUN_MS = flags.quick ? 20 : 200
const WARM_UP_MS = flags.quick ? 30 : 300
/** What the project promises on one core. */
const FLOORS = new Map([
  ['exact-yt-out', 150_000],
  ['exact-st-in', 100_000],
  ['exact-yt-out-7-ticks', 20_000],
  ['decode-pool', 50_000],
  ['jlp-year', 1],
  ['engine-year', 1 / 30],
])
const CURVE = [0, 1, 2, 4, 7, 16, 32, 64]

// ---- timing -----------------------------------------------------------------------------------------------------------

/** Results go where nobody can prove that they are not read, so that nothing is optimised away. */
const kept: unknown[] = new Array(16).fill(undefined)
let checksum = 0

/** Does the i-th piece of work, keeps its result and gives a number out of it. */
type Work = (i: number) => number

/** Calls of `work` a second, over about `ms`; the clock is read every 32 calls. */
const runFor = (work: Work, ms: number): number => {
  const start = performance.now()
  let count = 0
  for (;;) {
    for (let i = 0; i < 32; i++) checksum += work((count + i) % ORDERS)
    count += 32
    const elapsed = performance.now() - start
    if (elapsed >= ms) return (count * 1000) / elapsed
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!

interface Row {
  readonly name: string
  readonly kernel: Work
  readonly float?: Work
}

interface Result {
  readonly name: string
  readonly perSecond: number
  readonly ratio: number | null
}

const measure = ({ name, kernel, float }: Row): Result => {
  runFor(kernel, WARM_UP_MS)
  if (float !== undefined) runFor(float, WARM_UP_MS)
  const kernelRuns: number[] = []
  const floatRuns: number[] = []
  for (let run = 0; run < RUNS; run++) {
    kernelRuns.push(runFor(kernel, RUN_MS))
    if (float !== undefined) floatRuns.push(runFor(float, RUN_MS))
  }
  const perSecond = median(kernelRuns)
  return { name, perSecond, ratio: float === undefined ? null : perSecond / median(floatRuns) }
}

// ---- the market -------------------------------------------------------------------------------------------------------

const random = new Random(2411n)
const TOKEN = 1_000_000n
const TAU_SECONDS = 86 * 86_400
const DISCOUNT = discountQ64((97n << 64n) / 100n)
const START = 1_725_494_400

const emptyPool = (): Pool =>
  createPool({
    grid: { spacing: 10, minTick: 50, maxTick: 13_860 },
    fees: { feeBps: 10, lpShareBps: 5000, insuranceShareBps: 5000 },
    rate: rateFromApy(parsePercent('34.3%')), // between ticks 2940 and 2950
    tauSeconds: TAU_SECONDS,
    discount: DISCOUNT,
  })

const deposit = (pool: Pool, lower: number, upper: number, jlp: bigint): { next: Pool; position: Position } => {
  const amount = liquidityForDeposit(pool, lower, upper, (jlp * TOKEN) as JlpAtoms)
  const added = addLiquidity(pool, emptyPosition(pool, lower, upper), amount as Liquidity)
  if (added.kind === 'rejected') throw new Error(`The benchmark's deposit was refused: ${added.code}`)
  return added
}

/** A market as it might be: the full range and 20-60 %, 25-45 %, 30-40 % APY, and a few narrow ranges away from the rate. */
const RANGES: readonly (readonly [number, number, bigint])[] = [
  [50, 13_860, 40_000n],
  [1820, 4700, 60_000n],
  [2230, 3720, 90_000n],
  [2620, 3360, 120_000n],
  [3000, 3200, 8000n],
  [2700, 2800, 5000n],
  [4050, 6000, 2000n],
]
let market = emptyPool()
const positions: Position[] = []
for (const [lower, upper, jlp] of RANGES) {
  const { next, position } = deposit(market, lower, upper, jlp)
  market = next
  positions.push(position)
}

/** A market with a tick every 10 bp for 70 ticks above the rate: 71 ranges 400 bp wide, each 10 bp further up. */
let ladder = deposit(emptyPool(), 50, 13_860, 40_000n).next
for (let i = 0; i <= 70; i++) ladder = deposit(ladder, 2550 + 10 * i, 2950 + 10 * i, random.big(500n, 5000n)).next

// ---- orders -----------------------------------------------------------------------------------------------------------

const toFloat = (order: Order): FloatOrder => {
  const amount = 'st' in order ? order.st : 'yt' in order ? order.yt : order.pt
  return { kind: order.kind, by: 'st' in order ? 'st' : 'count', amount: Number(amount) }
}

const sumOfFalls = (pool: FloatPool): number => pool.ticks.reduce((sum, tick) => sum + tick.fall, 0)

/** The figures of one answer beside those of its twin, and by how many atoms or units they may differ. */
const figures = (exact: Quote, float: FloatQuote): readonly (readonly [string, number, number, number])[] => [
  ['complete', Number(exact.complete), Number(float.complete), 0],
  ['filled', Number(exact.filled), float.filled, 20],
  ['amount', Number(exact.amount), float.amount, 20],
  ['fee', Number(exact.fee.total), float.fee.total, 1],
  ['ST leg', Number(exact.stLeg), float.stLeg, 20],
  ['average price', fromQ64(exact.averagePrice), float.averagePrice, 1e-6],
  ['spot price', fromQ64(exact.spotBefore), float.spotBefore, 1e-9],
  ['impact', exact.impactBp, float.impactBp, 0.1],
  ['APY before', fromQ64(exact.apyBefore), float.apyBefore, 1e-9],
  ['APY after', fromQ64(exact.apyAfter), float.apyAfter, 1e-9],
  ['ticks crossed', exact.ticksCrossed, float.ticksCrossed, 0],
  ['tick', exact.next.tick, float.next.tick, 0],
  ['liquidity', Number(exact.next.liquidity), float.next.liquidity, 0],
  ['sum of g', exact.next.ticks.reduce((sum, tick) => sum + fromQ64(tick.fall), 0), sumOfFalls(float.next), 1e-9],
  ['fee growth', fromQ64(exact.next.feeGrowth), float.next.feeGrowth, 1e-9],
]

/** The kernel's and the float version's work on the same orders; first makes sure that both answer the same question. */
const quoteRow = (name: string, pool: Pool, orders: readonly Order[], ticks: number): Row => {
  const twin = floatPool(pool)
  const floatOrders = orders.map(toFloat)
  for (const [i, order] of orders.entries()) {
    const exact = quote(pool, order)
    const float = floatQuote(twin, floatOrders[i]!)
    if (exact.kind === 'rejected' || float === undefined) throw new Error(`${name}: order ${i} was refused`)
    if (exact.ticksCrossed !== ticks) throw new Error(`${name}: order ${i} crosses ${exact.ticksCrossed} ticks`)
    for (const [figure, ours, theirs, apart] of figures(exact, float)) {
      if (Math.abs(ours - theirs) > apart + 1e-9 * Math.abs(ours)) {
        throw new Error(`${name}: order ${i}: ${figure} is ${ours}, of the float64 twin ${theirs}`)
      }
    }
  }
  return {
    name,
    kernel: i => {
      const answer = quote(pool, orders[i]!) as Quote
      kept[i & 15] = answer
      return answer.impactBp
    },
    float: i => {
      const answer = floatQuote(twin, floatOrders[i]!)!
      kept[i & 15] = answer
      return answer.impactBp
    },
  }
}

/** Exact purchases on the ladder that end somewhere within the stretch after the `crossings`-th tick. */
const crossingOrders = (crossings: number): Order[] => {
  const ytTo = (limitRate: bigint): bigint => {
    const all = { kind: 'buy-yt', yt: (1n << 62n) as never, limitRate: limitRate as RateQ64 } as const
    return (quote(ladder, all) as Quote).filled
  }
  const start = crossings === 0 ? ladder.rate : tickRate(2940 + 10 * crossings)
  const end = tickRate(2950 + 10 * crossings)
  const margin = (end - start) / 10n
  const [least, most] = [ytTo(start + margin), ytTo(end - margin)]
  return Array.from({ length: ORDERS }, () => ({ kind: 'buy-yt', yt: random.big(least, most) as never }))
}

const curveName = (ticks: number): string => `exact-yt-out-${ticks}-ticks`

/** Within one stretch of the market: name, kind, what is exact, and the range of the amounts in tokens. */
const KINDS = [
  ['exact-yt-out', 'buy-yt', 'yt', 1n, 5000n],
  ['exact-st-in', 'buy-yt', 'st', 1n, 300n],
  ['exact-yt-in', 'sell-yt', 'yt', 1n, 5000n],
  ['exact-st-out', 'sell-yt', 'st', 1n, 300n],
  ['exact-pt-out', 'buy-pt', 'pt', 1n, 5000n],
  ['pt-exact-st-in', 'buy-pt', 'st', 1n, 5000n],
  ['exact-pt-in', 'sell-pt', 'pt', 1n, 5000n],
  ['pt-exact-st-out', 'sell-pt', 'st', 1n, 4500n],
] as const
const quoteRows = KINDS.map(([name, kind, exact, least, most]) => {
  const order = (): Order => ({ kind, [exact]: random.big(least * TOKEN, most * TOKEN) }) as unknown as Order
  return quoteRow(name, market, Array.from({ length: ORDERS }, order), 0)
})
const curveRows = CURVE.map(ticks => quoteRow(curveName(ticks), ladder, crossingOrders(ticks), ticks))

// ---- the rest of the kernel, without a twin ---------------------------------------------------------------------------

const amounts = Array.from({ length: ORDERS }, () => random.big(1n << 36n, 1n << 40n) as Liquidity)
const shares = Array.from({ length: ORDERS }, () => ({ num: random.big(1n, 10_000n), den: 10_000n }))
const moments = Array.from({ length: ORDERS }, (_, i) => ({
  tauSeconds: TAU_SECONDS - 3600 * (1 + (i % 168)),
  discount: (DISCOUNT - random.big(1n << 48n, 1n << 51n)) as DiscountQ64,
}))
const observations = Array.from({ length: ORDERS }, (_, i) => ({
  now: START + 400 + 1 + (i % 40),
  spot: random.big(tickRate(2700), tickRate(3300)) as RateQ64,
}))
let oracle = createOracle({ now: START, rate: market.rate, clampPerSecond: DEFAULT_CLAMP_PER_SECOND })
for (let now = START; now <= START + 400; now += 7) oracle = observe(oracle, market.rate, now)
oracle = observe(oracle, market.rate, START + 400)

const otherRows: Row[] = [
  {
    name: 'add-liquidity',
    kernel: i => {
      const added = addLiquidity(market, positions[i % positions.length]!, amounts[i]!)
      kept[i & 15] = added
      return added.kind.length
    },
  },
  {
    name: 'remove-liquidity',
    kernel: i => {
      const removed = removeLiquidity(market, positions[i % positions.length]!, shares[i]!)
      kept[i & 15] = removed
      return removed.kind.length
    },
  },
  {
    name: 'accrue-touch',
    kernel: i => {
      const next = accrue(market, moments[i]!)
      const touched = touch(next, positions[i % positions.length]!)
      kept[i & 15] = touched
      return touched.lower
    },
  },
  {
    name: 'twap-observe',
    kernel: i => {
      const { now, spot } = observations[i]!
      const next = observe(oracle, spot, now)
      kept[i & 15] = next
      return next.observedUntil
    },
  },
  {
    name: 'twap-read',
    kernel: i => {
      const { now, spot } = observations[i]!
      kept[i & 15] = twap(oracle, spot, now, 300)
      return now
    },
  },
]

/** Jupiter's accounts, and the pool behind JLP. */
const poolRows: Row[] = [...decodeRows(), ...jlpRows].map(({ name, run }) => ({ name, kernel: run }))

/** The reference engine: instructions a second by kind. Set up when its turn comes, since setting it up trades. */
const engineRows = (): Row[] => exchangeRows().map(({ name, work }) => ({ name, kernel: work }))

// ---- printing ---------------------------------------------------------------------------------------------------------

const micros = (perSecond: number): string => (1e6 / perSecond).toFixed(2)
const whole = (value: number): string =>
  value < 1
    ? value.toFixed(3)
    : value < 100 && !Number.isInteger(value)
      ? value.toFixed(1)
      : Math.round(value).toLocaleString('en-US')
const HEAD = `${'row'.padEnd(24)}${'per second'.padStart(12)}${'us each'.padStart(13)}${'of float64'.padStart(12)}   floor`

const print = ({ name, perSecond, ratio }: Result): void => {
  if (flags.json) {
    const rounded = ratio === null ? null : Number(ratio.toPrecision(4))
    console.log(JSON.stringify({ name, perSecond: Number(perSecond.toPrecision(6)), ratio: rounded }))
    return
  }
  const floor = FLOORS.get(name)
  const held = floor === undefined ? '' : `${whole(floor)} ${perSecond >= floor ? 'held' : 'MISSED'}`
  const cells = [whole(perSecond).padStart(12), micros(perSecond).padStart(13), (ratio?.toFixed(3) ?? '-').padStart(12)]
  console.log(`${name.padEnd(24)}${cells.join('')}   ${held}`.trimEnd())
}

/** Cost against ticks crossed, as bars. */
const picture = (results: readonly Result[]): string[] => {
  const costs = CURVE.map(ticks => 1e6 / results.find(result => result.name === curveName(ticks))!.perSecond)
  const most = Math.max(...costs)
  return costs.map((cost, i) => {
    const bar = '#'.repeat(Math.max(1, Math.round((cost / most) * 60)))
    return `${`${CURVE[i]}`.padStart(4)} ticks ${cost.toFixed(2).padStart(8)} us  ${bar}`
  })
}

const main = (): void => {
  const kernelRows = [...quoteRows, ...curveRows, ...otherRows, ...poolRows]
  // Every kind of the kernel's work first, so that each row is timed with the code as it is optimised for all of them.
  for (const { kernel, float } of kernelRows)
    for (const work of [kernel, float]) if (work !== undefined) runFor(work, 30)
  if (!flags.json) {
    console.log(`Sunder on node ${process.version}, ${cpus()[0]?.model ?? 'unknown cpu'}, one core`)
    console.log(`median of ${RUNS} runs of ${RUN_MS} ms after ${WARM_UP_MS} ms of warm-up\n\n${HEAD}`)
  }
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()]
  const timed = (row: Row): Result => {
    const result = measure(row)
    print(result)
    return result
  }
  const results = kernelRows.map(timed)
  engineRows().forEach(timed)
  // A year of hourly simulation is one piece of work: years a second.
  print({ name: 'jlp-year', perSecond: 1 / secondsForAYear(flags.quick ? 1 : 5), ratio: null })
  const year = runYear(flags.quick ? 100 : 1000, flags.quick ? 10_000 : 100_000)
  print({ name: 'engine-year', perSecond: 1 / year.seconds, ratio: null })
  if (flags.json) return
  console.log(
    `\nengine-year: ${whole(year.trades)} trades of ${whole(year.accounts)} accounts over a year of hourly coupons in ` +
      `${year.seconds.toFixed(1)} s; ${whole(year.instructions)} instructions, ${year.liquidations} liquidations, ` +
      `${year.violations} violations; heap after each quarter ${year.heapMiB.join(', ')} MiB`,
  )
  console.log(`\nexact-yt-out against ticks crossed\n${picture(results).join('\n')}`)
  const cpu = process.cpuUsage(cpuBefore)
  const share = (cpu.user + cpu.system) / 1000 / (performance.now() - startedAt)
  if (share < 0.95) {
    console.log(
      `\nThe core was shared: only ${whole(share * 100)} % of the time was ours. Rates are too low; ratios stand.`,
    )
  }
  console.log(`\nchecksum ${checksum.toExponential(6)}, ${kept.length} results kept`)
}

main()
