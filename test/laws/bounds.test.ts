import { describe, expect, test } from 'vitest'
import {
  accrue,
  addLiquidity,
  apyFromRate,
  BUCKET_SECONDS,
  checkTick,
  createOracle,
  createPool,
  type DiscountQ64,
  depositFor,
  discountQ64,
  divide,
  EXPONENT_LIMIT,
  emptyPosition,
  exp,
  expNeg,
  exponent,
  formatAtoms,
  formatPercent,
  formatQ64,
  formatTime,
  historySeconds,
  type JlpAtoms,
  jlpAtoms,
  jlpToSt,
  KernelError,
  type KernelErrorCode,
  type Liquidity,
  liquidity,
  liquidityForDeposit,
  ln,
  MAX_LIQUIDITY,
  MAX_RATE,
  MAX_WINDOW_SECONDS,
  MIN_DISCOUNT,
  marketName,
  mulDiv,
  ONE_Q64,
  type Order,
  observe,
  oneMinusExpNeg,
  type Pool,
  type Position,
  type PtAtoms,
  parseAtoms,
  parseMarketName,
  parsePercent,
  phi,
  phiComplement,
  ptAtoms,
  ptPrice,
  quote,
  type RateQ64,
  rateFromApy,
  rateFromYtPrice,
  rateQ64,
  removeLiquidity,
  type StAtoms,
  seconds,
  shiftQ64,
  stAtoms,
  stToJlp,
  tauAt,
  tickRate,
  touch,
  twap,
  U32_MAX,
  U64_MAX,
  type YtAtoms,
  ytAtoms,
  ytIntegral,
  ytPrice,
} from '../../amm/index.ts'
import { DEFAULT_FEES, DEFAULT_GRID, TWO_YEARS } from './generators.ts'

/** The code of the error, or 'fine'. Anything but a KernelError fails the test. */
const outcome = (run: () => unknown): KernelErrorCode | 'fine' => {
  try {
    run()
    return 'fine'
  } catch (error) {
    if (error instanceof KernelError) return error.code
    throw error
  }
}

type Case = readonly [name: string, run: () => unknown, expected: KernelErrorCode | 'fine']
const cases = (title: string, all: readonly Case[]): void => {
  describe(`LAW: bounds of ${title}`, () => {
    test.each(all)('%s', (_, run, expected) => expect(outcome(run)).toBe(expected))
  })
}

/** Least, greatest and one past either, of a constructor of whole units. */
const range = (name: string, make: (value: bigint) => unknown, min: bigint, max: bigint): Case[] => [
  [`${name}: one below the least`, () => make(min - 1n), 'out-of-range'],
  [`${name}: the least`, () => make(min), 'fine'],
  [`${name}: one`, () => make(1n), min <= 1n ? 'fine' : 'out-of-range'],
  [`${name}: the greatest`, () => make(max), 'fine'],
  [`${name}: one past the greatest`, () => make(max + 1n), 'out-of-range'],
  [`${name}: 2^127`, () => make(1n << 127n), 'out-of-range'],
]

cases('units.ts', [
  ...range('jlpAtoms', jlpAtoms, 0n, U64_MAX),
  ...range('stAtoms', stAtoms, 0n, U64_MAX),
  ...range('ytAtoms', ytAtoms, 0n, U64_MAX),
  ...range('ptAtoms', ptAtoms, 0n, U64_MAX),
  ...range('discountQ64', discountQ64, MIN_DISCOUNT, ONE_Q64),
  ...range('rateQ64', rateQ64, 0n, MAX_RATE),
  ...range('liquidity', liquidity, 1n, MAX_LIQUIDITY),
  ['seconds: 0', () => seconds(0), 'fine'],
  ['seconds: the greatest', () => seconds(U32_MAX), 'fine'],
  ['seconds: one past it', () => seconds(U32_MAX + 1), 'out-of-range'],
  ['seconds: below 0', () => seconds(-1), 'out-of-range'],
  ['seconds: a part', () => seconds(0.5), 'out-of-range'],
  ['seconds: NaN', () => seconds(Number.NaN), 'out-of-range'],
  ['seconds: infinite', () => seconds(Number.POSITIVE_INFINITY), 'out-of-range'],
  ['stToJlp: the greatest at 1', () => stToJlp(U64_MAX as StAtoms, discountQ64(ONE_Q64), 'up'), 'fine'],
  ['jlpToSt: the greatest at 1', () => jlpToSt(jlpAtoms(U64_MAX), discountQ64(ONE_Q64), 'up'), 'fine'],
  ['T029 jlpToSt: past u64', () => jlpToSt(jlpAtoms(U64_MAX), discountQ64(ONE_Q64 - 1n), 'up'), 'out-of-range'],
  ['jlpToSt: at no discount', () => jlpToSt(jlpAtoms(1n), 0n as DiscountQ64, 'down'), 'division-by-zero'],
])

const exponentFunctions = { phiComplement, phi, oneMinusExpNeg, expNeg, exp }
cases('fixed.ts', [
  ['divide: by 0', () => divide(1n, 0n, 'down'), 'division-by-zero'],
  ['divide: by -1', () => divide(1n, -1n, 'up'), 'division-by-zero'],
  ['divide: 0 by 1', () => divide(0n, 1n, 'up'), 'fine'],
  ['mulDiv: by 0', () => mulDiv(1n, 1n, 0n, 'up'), 'division-by-zero'],
  ['shiftQ64: 2^127', () => shiftQ64(1n << 127n, 'up'), 'fine'],
  ...Object.entries(exponentFunctions).flatMap(([name, run]): Case[] => [
    [`${name}: 0`, () => run(0n), 'fine'],
    [`${name}: the greatest`, () => run(EXPONENT_LIMIT - 1n), 'fine'],
    [`${name}: 4`, () => run(EXPONENT_LIMIT), 'domain'],
    [`${name}: below 0`, () => run(-1n), 'domain'],
    [`${name}: 2^127`, () => run(1n << 127n), 'domain'],
  ]),
  ['ln: 1', () => ln(ONE_Q64), 'fine'],
  ['ln: just below 1', () => ln(ONE_Q64 - 1n), 'domain'],
  ['ln: 0', () => ln(0n), 'domain'],
  ['ln: just below 54', () => ln(54n * ONE_Q64 - 1n), 'fine'],
  ['ln: 54', () => ln(54n * ONE_Q64), 'domain'],
])

const YEAR = 31_536_000
cases('rate.ts', [
  ['ytPrice: rate 0, no time', () => ytPrice(rateQ64(0n), 0), 'fine'],
  ['ytPrice: the highest rate over a year', () => ytPrice(rateQ64(MAX_RATE), YEAR), 'fine'],
  ['ytPrice: the highest rate over a year and a second', () => ytPrice(rateQ64(MAX_RATE), YEAR + 1), 'domain'],
  ['ptPrice: the highest rate over 2 years', () => ptPrice(rateQ64(MAX_RATE), TWO_YEARS), 'domain'],
  ['ytIntegral: the highest rate, u32 of time', () => ytIntegral(MAX_RATE, U32_MAX), 'domain'],
  ['exponent: 0', () => exponent(0n, 0), 'fine'],
  ['exponent: half a second', () => exponent(1n, 0.5), 'out-of-range'],
  ['exponent: -1 second', () => exponent(1n, -1), 'out-of-range'],
  ['tickRate: 0', () => tickRate(0), 'fine'],
  ['tickRate: 10^6', () => tickRate(1_000_000), 'fine'],
  ...[-1, 0.5, 1_000_001, Number.NaN].map((tick): Case => [`tickRate: ${tick}`, () => tickRate(tick), 'tick-off-grid']),
  ['apyFromRate: the highest', () => apyFromRate(rateQ64(MAX_RATE)), 'fine'],
  ['apyFromRate: past it', () => apyFromRate((MAX_RATE + 1n) as RateQ64), 'domain'],
  ['rateFromApy: 0', () => rateFromApy(0n), 'fine'],
  ['rateFromApy: below 0', () => rateFromApy(-1n), 'domain'],
  ['rateFromApy: just below 5,300 %', () => rateFromApy(53n * ONE_Q64 - 1n), 'fine'],
  ['rateFromApy: 5,300 %', () => rateFromApy(53n * ONE_Q64), 'domain'],
  ['rateFromYtPrice: 0', () => rateFromYtPrice(0n, 1), 'fine'],
  ['rateFromYtPrice: below 0', () => rateFromYtPrice(-1n, 1), 'domain'],
  ['rateFromYtPrice: 1', () => rateFromYtPrice(ONE_Q64, 1), 'domain'],
  ['rateFromYtPrice: 53/54', () => rateFromYtPrice((53n * ONE_Q64) / 54n + 1n, YEAR), 'domain'],
  ['rateFromYtPrice: just below 53/54', () => rateFromYtPrice((53n * ONE_Q64) / 54n - 1n, YEAR), 'fine'],
  ['rateFromYtPrice: a half in one second', () => rateFromYtPrice(ONE_Q64 / 2n, 1), 'out-of-range'],
  ['rateFromYtPrice: at maturity', () => rateFromYtPrice(ONE_Q64 / 2n, 0), 'domain'],
  ['rateFromYtPrice: after maturity', () => rateFromYtPrice(ONE_Q64 / 2n, -1), 'domain'],
  ...[49, 45, 55, 13_861, 13_870, -50, 0, 50.5, Number.NaN].map(
    (tick): Case => [`checkTick: ${tick}`, () => checkTick(tick, DEFAULT_GRID), 'tick-off-grid'],
  ),
  ['checkTick: the least', () => checkTick(50, DEFAULT_GRID), 'fine'],
  ['checkTick: the greatest', () => checkTick(13_860, DEFAULT_GRID), 'fine'],
])

const usual = {
  grid: DEFAULT_GRID,
  fees: DEFAULT_FEES,
  tauSeconds: TWO_YEARS,
  discount: ONE_Q64 as DiscountQ64,
  rate: tickRate(3000),
}
const poolWith = (changes: Partial<typeof usual>) => createPool({ ...usual, ...changes })
const grid = (changes: Partial<typeof DEFAULT_GRID>) => poolWith({ grid: { ...DEFAULT_GRID, ...changes } })
const fees = (changes: Partial<typeof DEFAULT_FEES>) => poolWith({ fees: { ...DEFAULT_FEES, ...changes } })
const pool = poolWith({})
const matured = poolWith({ tauSeconds: 0 })

cases('pool.ts', [
  ['createPool: as usual', () => poolWith({}), 'fine'],
  ['spacing 0', () => grid({ spacing: 0 }), 'bad-parameter'],
  ['spacing 1', () => grid({ spacing: 1 }), 'fine'],
  ['spacing 1.5', () => grid({ spacing: 1.5 }), 'bad-parameter'],
  ['spacing 1,000', () => grid({ spacing: 1000, minTick: 1000, maxTick: 13_000 }), 'fine'],
  ['spacing 1,001', () => grid({ spacing: 1001, minTick: 1001, maxTick: 13_013 }), 'bad-parameter'],
  ['minTick 0', () => grid({ minTick: 0 }), 'bad-parameter'],
  ['minTick 1', () => grid({ spacing: 1, minTick: 1 }), 'fine'],
  ['minTick off the spacing', () => grid({ minTick: 55 }), 'bad-parameter'],
  ['maxTick off the spacing', () => grid({ maxTick: 13_865 }), 'bad-parameter'],
  ['maxTick at minTick', () => grid({ minTick: 3000, maxTick: 3000 }), 'bad-parameter'],
  ['maxTick one above minTick', () => grid({ minTick: 3000, maxTick: 3010 }), 'fine'],
  ['maxTick NaN', () => grid({ maxTick: Number.NaN }), 'bad-parameter'],
  [
    'maxTick 39,999 over a year',
    () => poolWith({ tauSeconds: YEAR, grid: { spacing: 1, minTick: 1, maxTick: 39_999 } }),
    'fine',
  ],
  [
    'maxTick 40,000',
    () => poolWith({ tauSeconds: 1, grid: { spacing: 1, minTick: 1, maxTick: 40_000 } }),
    'bad-parameter',
  ],
  ['s_max * tau just below 4', () => poolWith({ grid: { spacing: 1, minTick: 1, maxTick: 19_999 } }), 'fine'],
  ['s_max * tau of 4', () => poolWith({ grid: { spacing: 1, minTick: 1, maxTick: 20_000 } }), 'bad-parameter'],
  ['feeBps 0 and 500', () => [fees({ feeBps: 0 }), fees({ feeBps: 500 })], 'fine'],
  ['feeBps -1', () => fees({ feeBps: -1 }), 'bad-parameter'],
  ['feeBps 501', () => fees({ feeBps: 501 }), 'bad-parameter'],
  ['feeBps 0.5', () => fees({ feeBps: 0.5 }), 'bad-parameter'],
  ['lpShareBps 10,000', () => fees({ lpShareBps: 10_000 }), 'fine'],
  ['lpShareBps 10,001', () => fees({ lpShareBps: 10_001 }), 'bad-parameter'],
  ['lpShareBps -1', () => fees({ lpShareBps: -1 }), 'bad-parameter'],
  ['insuranceShareBps 10,000', () => fees({ insuranceShareBps: 10_000 }), 'fine'],
  ['insuranceShareBps 10,001', () => fees({ insuranceShareBps: 10_001 }), 'bad-parameter'],
  ['tau 0', () => poolWith({ tauSeconds: 0 }), 'fine'],
  ['tau -1', () => poolWith({ tauSeconds: -1 }), 'out-of-range'],
  ['tau of a part', () => poolWith({ tauSeconds: 0.5 }), 'out-of-range'],
  ['tau past u32', () => poolWith({ tauSeconds: U32_MAX + 1 }), 'out-of-range'],
  ['the lowest discount', () => poolWith({ discount: MIN_DISCOUNT as DiscountQ64 }), 'fine'],
  ['below it', () => poolWith({ discount: (MIN_DISCOUNT - 1n) as DiscountQ64 }), 'out-of-range'],
  ['discount above 1', () => poolWith({ discount: (ONE_Q64 + 1n) as DiscountQ64 }), 'out-of-range'],
  ['rate at the lowest tick', () => poolWith({ rate: tickRate(50) }), 'fine'],
  ['rate below it', () => poolWith({ rate: (tickRate(50) - 1n) as RateQ64 }), 'bad-parameter'],
  ['rate at the highest tick', () => poolWith({ rate: tickRate(13_860) }), 'fine'],
  ['rate above it', () => poolWith({ rate: (tickRate(13_860) + 1n) as RateQ64 }), 'bad-parameter'],
  ['rate below 0', () => poolWith({ rate: -1n as RateQ64 }), 'out-of-range'],
  ['accrue: tau rises', () => accrue(pool, { ...pool, tauSeconds: TWO_YEARS + 1 }), 'time-backwards'],
  ['accrue: tau to 0', () => accrue(pool, { ...pool, tauSeconds: 0 }), 'fine'],
  ['accrue: tau below 0', () => accrue(pool, { ...pool, tauSeconds: -1 }), 'out-of-range'],
  [
    'accrue: the discount rises by an ulp',
    () =>
      accrue(poolWith({ discount: (ONE_Q64 - 1n) as DiscountQ64 }), { tauSeconds: 1, discount: discountQ64(ONE_Q64) }),
    'discount-rises',
  ],
  [
    'accrue: to the lowest discount',
    () => accrue(pool, { tauSeconds: 0, discount: discountQ64(MIN_DISCOUNT) }),
    'fine',
  ],
  ['accrue: at maturity, nothing', () => accrue(matured, { tauSeconds: 0, discount: matured.discount }), 'fine'],
  [
    'accrue: a coupon after maturity',
    () => accrue(matured, { tauSeconds: 0, discount: discountQ64(ONE_Q64 - 1n) }),
    'matured',
  ],
  ['accrue: to no discount', () => accrue(pool, { tauSeconds: 0, discount: 0n as DiscountQ64 }), 'out-of-range'],
])

cases('quote.ts', [
  ['yt 2^64 - 1', () => quote(pool, { kind: 'buy-yt', yt: U64_MAX as YtAtoms }), 'fine'],
  ['T029 yt 2^64', () => quote(pool, { kind: 'buy-yt', yt: (U64_MAX + 1n) as YtAtoms }), 'out-of-range'],
  ['yt -1', () => quote(pool, { kind: 'sell-yt', yt: -1n as YtAtoms }), 'out-of-range'],
  ['T029 pt 2^64', () => quote(pool, { kind: 'buy-pt', pt: (U64_MAX + 1n) as PtAtoms }), 'out-of-range'],
  ['pt -1', () => quote(pool, { kind: 'sell-pt', pt: -1n as PtAtoms }), 'out-of-range'],
  ['T029 st 2^64', () => quote(pool, { kind: 'buy-pt', st: (U64_MAX + 1n) as JlpAtoms }), 'out-of-range'],
  ['st -1', () => quote(pool, { kind: 'sell-yt', st: -1n as JlpAtoms }), 'out-of-range'],
  [
    'by YT and by ST at once',
    () => quote(pool, { kind: 'buy-yt', yt: ytAtoms(1n), st: jlpAtoms(1n) } as unknown as Order),
    'bad-parameter',
  ],
  ['0 crossings', () => quote(pool, { kind: 'buy-yt', yt: ytAtoms(1n), maxCrossings: 0 }), 'fine'],
  ['-1 crossings', () => quote(pool, { kind: 'buy-yt', yt: ytAtoms(1n), maxCrossings: -1 }), 'bad-parameter'],
  ['half a crossing', () => quote(pool, { kind: 'buy-yt', yt: ytAtoms(1n), maxCrossings: 0.5 }), 'bad-parameter'],
  ['limit rate 0', () => quote(pool, { kind: 'sell-yt', yt: ytAtoms(1n), limitRate: rateQ64(0n) }), 'fine'],
  ['limit rate -1', () => quote(pool, { kind: 'sell-yt', yt: ytAtoms(1n), limitRate: -1n as RateQ64 }), 'out-of-range'],
  [
    'limit rate 4',
    () => quote(pool, { kind: 'buy-yt', yt: ytAtoms(1n), limitRate: (MAX_RATE + 1n) as RateQ64 }),
    'out-of-range',
  ],
])

const L = (value: bigint): Liquidity => value as Liquidity
const empty = emptyPosition(pool, 1000, 2000)
const foreign: Position = { ...empty, liquidity: 1n }
cases('liquidity.ts', [
  ['emptyPosition: over the whole grid', () => emptyPosition(pool, 50, 13_860), 'fine'],
  ['emptyPosition: below it', () => emptyPosition(pool, 40, 13_860), 'tick-off-grid'],
  ['emptyPosition: above it', () => emptyPosition(pool, 50, 13_870), 'tick-off-grid'],
  ['emptyPosition: between ticks', () => emptyPosition(pool, 55, 13_860), 'tick-off-grid'],
  ['emptyPosition: of no width', () => emptyPosition(pool, 1000, 1000), 'bad-parameter'],
  ['emptyPosition: upside down', () => emptyPosition(pool, 2000, 1000), 'bad-parameter'],
  ['addLiquidity: 0', () => addLiquidity(pool, empty, L(0n)), 'out-of-range'],
  ['addLiquidity: 1', () => addLiquidity(pool, empty, L(1n)), 'fine'],
  ['addLiquidity: the most', () => addLiquidity(pool, empty, L(MAX_LIQUIDITY)), 'fine'],
  ['addLiquidity: past it', () => addLiquidity(pool, empty, L(MAX_LIQUIDITY + 1n)), 'out-of-range'],
  [
    'addLiquidity: a range off the grid',
    () => addLiquidity(pool, { ...empty, lower: 41 }, L(1n << 50n)),
    'tick-off-grid',
  ],
  ['touch: of another pool', () => touch(pool, foreign), 'bad-parameter'],
  ['removeLiquidity: of another pool', () => removeLiquidity(pool, foreign, { num: 1n, den: 1n }), 'bad-parameter'],
  ['depositFor: upside down', () => depositFor(pool, 2000, 1000, L(1n)), 'bad-parameter'],
  ['depositFor: off the grid', () => depositFor(pool, 1, 1000, L(1n)), 'tick-off-grid'],
  ['liquidityForDeposit: upside down', () => liquidityForDeposit(pool, 2000, 1000, jlpAtoms(1n)), 'bad-parameter'],
  ['liquidityForDeposit: of no width', () => liquidityForDeposit(pool, 1000, 1000, jlpAtoms(1n)), 'bad-parameter'],
  ['liquidityForDeposit: 0', () => liquidityForDeposit(pool, 1000, 2000, jlpAtoms(0n)), 'fine'],
  ['liquidityForDeposit: all there is', () => liquidityForDeposit(pool, 1000, 2000, jlpAtoms(U64_MAX)), 'fine'],
  [
    'liquidityForDeposit: at maturity, above the range',
    () => liquidityForDeposit(accrue(pool, { ...pool, tauSeconds: 0 }), 1000, 2000, jlpAtoms(1_000_000n)),
    'fine',
  ],
])

const oracle = createOracle({ now: 1000, rate: tickRate(3000), clampPerSecond: 1n })
const spot = tickRate(4000)
cases('twap.ts', [
  ['clamp 0', () => createOracle({ now: 0, rate: spot, clampPerSecond: 0n }), 'bad-parameter'],
  ['clamp 1 ulp', () => createOracle({ now: 0, rate: spot, clampPerSecond: 1n }), 'fine'],
  ['clamp just below 1', () => createOracle({ now: 0, rate: spot, clampPerSecond: ONE_Q64 - 1n }), 'fine'],
  ['clamp 1', () => createOracle({ now: 0, rate: spot, clampPerSecond: ONE_Q64 }), 'bad-parameter'],
  ['now -1', () => createOracle({ now: -1, rate: spot, clampPerSecond: 1n }), 'out-of-range'],
  ['now past u32', () => createOracle({ now: U32_MAX + 1, rate: spot, clampPerSecond: 1n }), 'out-of-range'],
  ['rate -1', () => createOracle({ now: 0, rate: -1n as RateQ64, clampPerSecond: 1n }), 'out-of-range'],
  ['rate 4', () => createOracle({ now: 0, rate: (MAX_RATE + 1n) as RateQ64, clampPerSecond: 1n }), 'out-of-range'],
  ['observe: a second earlier', () => observe(oracle, spot, 999), 'time-backwards'],
  ['observe: the same second', () => observe(oracle, spot, 1000), 'fine'],
  ['observe: to the end of u32', () => observe(oracle, spot, U32_MAX), 'fine'],
  ['observe: past u32', () => observe(oracle, spot, U32_MAX + 1), 'out-of-range'],
  ['observe: half a second', () => observe(oracle, spot, 1000.5), 'out-of-range'],
  ['observe: a spot of -1', () => observe(oracle, -1n as RateQ64, 1001), 'out-of-range'],
  ['observe: a spot of 4', () => observe(oracle, (MAX_RATE + 1n) as RateQ64, 1001), 'out-of-range'],
  ['twap: a spot of -1', () => twap(oracle, -1n as RateQ64, 1001, 1), 'out-of-range'],
  ['historySeconds: 0', () => historySeconds(oracle, 1000), 'fine'],
  ['historySeconds: before the beginning', () => historySeconds(oracle, 999), 'time-backwards'],
  ['twap: window 0', () => twap(oracle, spot, 1000, 0), 'bad-parameter'],
  ['twap: window 1', () => twap(oracle, spot, 1000, 1), 'fine'],
  ['twap: window 1.5', () => twap(oracle, spot, 1000, 1.5), 'bad-parameter'],
  ['twap: window 300', () => twap(oracle, spot, 1000, MAX_WINDOW_SECONDS), 'fine'],
  ['twap: window 301', () => twap(oracle, spot, 1000, MAX_WINDOW_SECONDS + 1), 'bad-parameter'],
  ['twap: window NaN', () => twap(oracle, spot, 1000, Number.NaN), 'bad-parameter'],
  ['twap: a bucket later', () => twap(oracle, spot, 1000 + BUCKET_SECONDS, 1), 'fine'],
  ['twap: earlier', () => twap(oracle, spot, 999, 1), 'time-backwards'],
])

const lastFriday = Date.UTC(2024, 10, 29, 8) / 1000
cases('display.ts', [
  ...['', ' ', '.', '1.', '.5', '-1', '+1', '1e3', '0x10', '1,5', '1.0000001', '١', '1 ', 'NaN', '1'.repeat(21)].map(
    (text): Case => [`parseAtoms: "${text}"`, () => parseAtoms(text), 'bad-text'],
  ),
  ['parseAtoms: "0"', () => parseAtoms('0'), 'fine'],
  ['parseAtoms: "0.000001"', () => parseAtoms('0.000001'), 'fine'],
  ['parseAtoms: u64', () => jlpAtoms(parseAtoms('18446744073709.551615')), 'fine'],
  ['T029 parseAtoms: past u64', () => parseAtoms('18446744073709.551616'), 'bad-text'],
  ...[0, 6, 40].map((digits): Case => [`formatAtoms: ${digits} digits`, () => formatAtoms(1n, digits), 'fine']),
  ...[-1, 0.5, 41, Number.NaN].flatMap((digits): Case[] => [
    [`formatAtoms: ${digits} digits`, () => formatAtoms(1n, digits), 'out-of-range'],
    [`formatQ64: ${digits} digits`, () => formatQ64(1n, digits), 'out-of-range'],
    [`formatPercent: ${digits} digits`, () => formatPercent(1n, digits), 'out-of-range'],
  ]),
  ...['', '%', '-1%', '1%%', '1e2%', ' 1%', '1  %', `0.${'1'.repeat(19)}%`].map(
    (text): Case => [`parsePercent: "${text}"`, () => parsePercent(text), 'bad-text'],
  ),
  ['parsePercent: "34.3 %"', () => parsePercent('34.3 %'), 'fine'],
  ...['JLP', 'JLP-2413', 'JLP-2400', 'jlp-2411', 'JLP-2411-w', 'JLP-2411-W ', 'JLP-24111', ''].map(
    (text): Case => [`parseMarketName: "${text}"`, () => parseMarketName(text), 'bad-text'],
  ),
  ['marketName: a last Friday', () => marketName(lastFriday, 'hourly'), 'fine'],
  ['marketName: a second later', () => marketName(lastFriday + 1, 'hourly'), 'bad-text'],
  ['marketName: the Friday before', () => marketName(lastFriday - 7 * 86_400, 'weekly'), 'bad-text'],
  ['marketName: the last of this century', () => marketName(Date.UTC(2099, 11, 25, 8) / 1000, 'hourly'), 'fine'],
  ['marketName: the first of the next', () => marketName(Date.UTC(2100, 0, 29, 8) / 1000, 'hourly'), 'bad-text'],
  ['marketName: the last before this one', () => marketName(Date.UTC(1999, 11, 31, 8) / 1000, 'hourly'), 'bad-text'],
  ['marketName: 0', () => marketName(0, 'weekly'), 'bad-text'],
  ['marketName: -1', () => marketName(-1, 'weekly'), 'out-of-range'],
  ['tauAt: -1', () => tauAt(-1, 0), 'out-of-range'],
  ['tauAt: past u32', () => tauAt(lastFriday, U32_MAX + 1), 'out-of-range'],
  ['formatTime: the end of u32', () => formatTime(U32_MAX), 'fine'],
  ['formatTime: past it', () => formatTime(U32_MAX + 1), 'out-of-range'],
])

test('LAW: an error has a code, numbers and a message that ends with the code', () => {
  try {
    jlpAtoms(-1n)
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError)
    expect(error).toMatchObject({ code: 'out-of-range', context: { value: -1n, min: 0n, max: U64_MAX } })
    expect((error as Error).message).toMatch(/\[out-of-range\]$/)
  }
})

test('LAW: a pool at the bounds of everything still trades: highest rate, lowest discount, all the liquidity', () => {
  const edge: Pool = poolWith({ rate: tickRate(13_850), discount: MIN_DISCOUNT as DiscountQ64 })
  const answer = addLiquidity(edge, emptyPosition(edge, 50, 13_860), MAX_LIQUIDITY as Liquidity)
  if (answer.kind !== 'added') return expect.unreachable()
  for (const kind of ['buy-yt', 'sell-yt'] as const)
    expect(quote(answer.next, { kind, yt: ytAtoms(1n) })).toMatchObject({ kind: 'quoted', filled: 1n })
  for (const kind of ['buy-pt', 'sell-pt'] as const)
    expect(quote(answer.next, { kind, pt: ptAtoms(1n) }).kind).toBe('quoted')
})
