/**
 * Golden vectors: inputs and outputs of every kernel function, and whole histories, for a second implementation to be
 * held against. All quantities are decimal strings; ticks, seconds and bp are JSON numbers.
 */
import {
  accrue,
  addLiquidity,
  apyFromRate,
  collect,
  createOracle,
  createPool,
  DEFAULT_CLAMP_PER_SECOND,
  type DiscountQ64,
  emptyPosition,
  exp,
  expNeg,
  faceValue,
  feeOn,
  type JlpAtoms,
  jlpToSt,
  type Liquidity,
  liquidityForDeposit,
  ln,
  mulDiv,
  ONE_Q64,
  type Order,
  observe,
  oneMinusExpNeg,
  type Pool,
  type Position,
  phiComplement,
  ptIntegral,
  ptPrice,
  ptValue,
  quote,
  type RateQ64,
  rateFromApy,
  rateFromYtPrice,
  removeLiquidity,
  type StAtoms,
  shiftQ64,
  stToJlp,
  tickAtRate,
  tickRate,
  twap,
  ytIntegral,
  ytPrice,
  ytValue,
} from '../../amm/index.ts'
import { netted, reduced } from '../../src/exchange/account.ts'
import {
  assets,
  equity,
  gap,
  isSpot,
  largerGap,
  liabilities,
  meetsInitial,
  meetsMaintenance,
  valuation,
} from '../../src/exchange/margin.ts'
import type { Market } from '../../src/exchange/state.ts'
import { DEFAULT_TERMS } from '../../src/exchange/terms.ts'
import {
  accrueIndex,
  createIndex,
  DEFAULT_CAPS,
  lowestDiscount,
  type RateIndex,
  WEEKLY_AUM,
  watchMaturity,
  yieldLeft,
} from '../../src/oracle/accrual.ts'
import { FEES, GRID, TWO_YEARS } from '../helpers/market.ts'
import { Random } from './random.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
const text = (value: bigint): string => value.toString()

/** Compact JSON with one line per row of each table. */
const render = (tables: Readonly<Record<string, unknown>>): string => {
  const entries = Object.entries(tables).map(([name, value]) =>
    Array.isArray(value)
      ? `  ${JSON.stringify(name)}: [\n${value.map(row => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]`
      : `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  )
  return `{\n${entries.join(',\n')}\n}\n`
}

/** `test/vectors/functions.json`: rows of [inputs..., output], named columns in `about`. */
export const functionVectors = (): string => {
  const random = new Random(2411n)
  const edges = [0n, 1n, (1n << 59n) - 1n, 1n << 59n, (1n << 59n) + 1n, ONE_Q64 - 1n, ONE_Q64, (4n << 64n) - 1n]
  const rows = Array.from({ length: 128 }, (_, row) => (BigInt(row) << 59n) + random.big(0n, (1n << 59n) - 1n))
  const exponents = [...edges, ...rows, ...Array.from({ length: 20 }, () => random.magnitude((4n << 64n) - 1n))]
  const rates = [
    tickRate(50),
    tickRate(13_860),
    ...Array.from({ length: 40 }, () => random.big(tickRate(50), tickRate(13_860))),
  ]
  const moments = rates.map(rate => ({
    rate: rate as RateQ64,
    tauSeconds: random.pick([0, 3600, 604_800, 7_430_400, TWO_YEARS, random.int(1, TWO_YEARS)]),
    discount: random.pick([ONE_Q64, ONE_Q64 / 2n, random.big(ONE_Q64 / 20n, ONE_Q64)]) as DiscountQ64,
  }))
  const at = (f: (m: (typeof moments)[number]) => bigint): Json[] =>
    moments.map(m => [text(m.rate), m.tauSeconds, text(m.discount), text(f(m))])
  const amounts = Array.from({ length: 20 }, () => {
    const discount = random.big(ONE_Q64 / 20n, ONE_Q64) as DiscountQ64
    return [random.magnitude(1n << 56n), discount, random.pick(['down', 'up'] as const)] as const
  })
  return render({
    about: {
      'stToJlp, jlpToSt': 'amount, discount Q64.64, rounding, result',
      mulDiv: 'a, b, divisor, rounding, result',
      'phiComplement, oneMinusExpNeg, expNeg, exp': 'x Q64.64, result Q64.64',
      'ln, rateFromApy': 'value or APY Q64.64, result Q64.64',
      'ytPrice .. ptValue': 'rate Q64.64, tau seconds, discount Q64.64, result Q64.64',
      rateFromYtPrice: 'price Q64.64, tau seconds, rate Q64.64',
      'tickRate, tickAtRate': 'tick, rate Q64.64; and back on the default grid',
      feeOn: 'ST leg, deficit, total, repaid, lp, insurance, protocol (10 bp, 50 %, 50 %)',
    },
    mulDiv: Array.from({ length: 40 }, () => {
      const a = random.magnitude(1n << 64n) * random.pick([1n, -1n])
      const b = random.magnitude(1n << 64n)
      const divisor = random.magnitude(1n << 64n)
      const rounding = random.pick(['down', 'up'] as const)
      return [text(a), text(b), text(divisor), rounding, text(mulDiv(a, b, divisor, rounding))]
    }),
    phiComplement: exponents.map(x => [text(x), text(phiComplement(x))]),
    oneMinusExpNeg: exponents.map(x => [text(x), text(oneMinusExpNeg(x))]),
    expNeg: exponents.map(x => [text(x), text(expNeg(x))]),
    exp: exponents.map(x => [text(x), text(exp(x))]),
    ln: Array.from({ length: 40 }, () => random.big(ONE_Q64, 54n * ONE_Q64 - 1n)).map(v => [text(v), text(ln(v))]),
    rateFromApy: Array.from({ length: 40 }, () => random.big(0n, 3n * ONE_Q64)).map(v => [
      text(v),
      text(rateFromApy(v)),
    ]),
    apyFromRate: rates.map(rate => [text(rate), text(apyFromRate(rate as RateQ64))]),
    ytPrice: at(m => ytPrice(m.rate, m.tauSeconds)),
    ptPrice: at(m => ptPrice(m.rate, m.tauSeconds)),
    ytIntegral: at(m => ytIntegral(m.rate, m.tauSeconds)),
    ptIntegral: at(m => ptIntegral(m.rate, m.tauSeconds)),
    faceValue: at(m => faceValue(m.rate, m.discount)),
    ytValue: at(m => ytValue(m.rate, m)),
    ptValue: at(m => ptValue(m.rate, m)),
    rateFromYtPrice: moments
      .filter(m => m.tauSeconds > 0)
      .map(m => {
        const price = ytPrice(m.rate, m.tauSeconds)
        return [text(price), m.tauSeconds, text(rateFromYtPrice(price, m.tauSeconds))]
      }),
    stToJlp: amounts.map(([a, d, r]) => [text(a), text(d), r, text(stToJlp(a as StAtoms, d, r))]),
    jlpToSt: amounts.map(([a, d, r]) => [text(a), text(d), r, text(jlpToSt(a as JlpAtoms, d, r))]),
    tickRate: [50, 60, 1010, 13_860, 39_999].map(tick => [tick, text(tickRate(tick))]),
    tickAtRate: rates.map(rate => [text(rate), tickAtRate(rate as RateQ64, GRID)]),
    feeOn: [0n, 1n, 999n, 1000n, 1001n, 123_456_789n, (1n << 58n) + 7n].flatMap(leg =>
      [0n, 1n, 10_000n].map(deficit => {
        const fee = feeOn(leg, FEES, deficit)
        return [leg, deficit, fee.total, fee.repaid, fee.lp, fee.insurance, fee.protocol].map(text)
      }),
    ),
  })
}

const tickOf = (t: Pool['ticks'][number]): Json => [
  t.index,
  text(t.net),
  text(t.gross),
  text(t.fall),
  text(t.feeGrowthOutside),
]

/** The state after a step; of the ticks those that the step made or changed, and the indices of those it dropped. */
const stateOf = (pool: Pool, before: Pool): Json => ({
  rate: text(pool.rate),
  tick: pool.tick,
  liquidity: text(pool.liquidity),
  grossLiquidity: text(pool.grossLiquidity),
  tauSeconds: pool.tauSeconds,
  discount: text(pool.discount),
  fall: text(pool.fall),
  feeGrowth: text(pool.feeGrowth),
  deficit: text(pool.deficit),
  ticks: pool.ticks.filter(t => !before.ticks.includes(t)).map(tickOf),
  dropped: before.ticks.map(t => t.index).filter(i => !pool.ticks.some(t => t.index === i)),
})
const positionOf = (p: Position): Json => ({
  lower: p.lower,
  upper: p.upper,
  liquidity: text(p.liquidity),
  issued: text(p.issued),
  accruedBefore: text(p.accruedBefore),
  feesBefore: text(p.feesBefore),
  uncollected: text(p.uncollected),
})

const randomOrder = (random: Random, bits: bigint): Order => {
  const kind = random.pick(['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'] as const)
  const amount = random.int(0, 9) === 0 ? random.big(1n, 9n) : random.magnitude(1n << (bits - 2n))
  const maxCrossings = random.pick([64, 64, 64, 3])
  const limit = random.int(0, 3) === 0 ? { limitRate: random.big(tickRate(1500), tickRate(4500)) as RateQ64 } : {}
  if (random.int(0, 1) === 0) return { kind, st: amount, maxCrossings, ...limit } as Order
  return (kind === 'buy-yt' || kind === 'sell-yt'
    ? { kind, yt: amount, maxCrossings, ...limit }
    : { kind, pt: amount, maxCrossings, ...limit }) as unknown as Order
}

const orderJson = (order: Order): Json =>
  Object.fromEntries(Object.entries(order).map(([k, v]) => [k, typeof v === 'bigint' ? text(v) : v]))

/** What a history is played with. */
interface Setup {
  readonly about: string
  readonly grid?: typeof GRID
  readonly fees?: typeof FEES
  readonly lowestDiscount?: bigint
  /** Bits of the liquidity of a position: from and to. */
  readonly liquidityBits: readonly [bigint, bigint]
  /** Most that a coupon takes off the discount, in ulp; a millionth of it up to a thousandth by default. */
  readonly largestCoupon?: bigint
  /** A deficit that stands from the 20th step on. */
  readonly deficit?: bigint
  /** Orders stop at the edge of the liquidity in range. */
  readonly withinLiquidity?: true
}

const SETUPS: readonly Setup[] = [
  ...Array.from({ length: 6 }, () => ({ about: 'the default market', liquidityBits: [40n, 46n] as const })),
  {
    about: 'small liquidity, a grid of single ticks, no fee but the least',
    grid: { ...GRID, spacing: 1 },
    fees: { feeBps: 0, lpShareBps: 10_000, insuranceShareBps: 0 },
    liquidityBits: [22n, 26n],
  },
  { about: 'the largest liquidity at a low discount', lowestDiscount: ONE_Q64 / 40n, liquidityBits: [54n, 56n] },
  {
    about: 'coupons below the precision of the curve',
    liquidityBits: [53n, 55n],
    largestCoupon: 40n,
    fees: { feeBps: 1, lpShareBps: 0, insuranceShareBps: 10_000 },
  },
  { about: 'a deficit that fees repay', liquidityBits: [40n, 46n], deficit: 3_000_000n },
  { about: 'orders that stay within the liquidity in range', liquidityBits: [40n, 46n], withinLiquidity: true },
]

/** One history: positions opened, changed and removed, trades of every kind, coupons; the state after each step. */
const history = (seed: bigint, length: number, setup: Setup): Json => {
  const random = new Random(seed)
  const { grid = GRID, fees = FEES } = setup
  const discount = random.big(setup.lowestDiscount ?? ONE_Q64 / 2n, setup.lowestDiscount ?? ONE_Q64) as DiscountQ64
  const tauSeconds = random.int(30 * 86_400, TWO_YEARS)
  const rate = random.big(tickRate(1000), tickRate(6000)) as RateQ64
  let pool = createPool({ grid, fees, rate, tauSeconds, discount })
  const positions: Position[] = []
  const steps: Json[] = []
  for (let i = 0; i < length; i++) {
    const before = pool
    const pickOne = positions.length === 0 || i < 3 ? 0 : random.int(0, 9)
    if (setup.deficit !== undefined && i === 20) {
      pool = { ...pool, deficit: setup.deficit as JlpAtoms }
      steps.push({ do: 'deficit', deficit: text(setup.deficit), state: stateOf(pool, before) })
    } else if (pickOne <= 1) {
      const again = positions.length > 0 && random.int(0, 2) === 0
      const slot = again ? random.int(0, positions.length - 1) : positions.length
      const from = random.int(5, 1200) * 10
      const width = random.pick([10, 50, 500, 3000])
      const position = positions[slot] ?? emptyPosition(pool, from, Math.min(from + width, GRID.maxTick))
      const { lower, upper } = position
      const [low, high] = setup.liquidityBits
      const liquidity = random.big(1n << low, 1n << high) as Liquidity
      const added = addLiquidity(pool, position, liquidity)
      const result: Json =
        added.kind === 'added'
          ? { issued: text(added.issued), jlp: text(added.jlp), position: positionOf(added.position) }
          : { rejected: added.code }
      if (added.kind === 'added') {
        pool = added.next
        positions[slot] = added.position
      }
      const most = text(liquidityForDeposit(before, lower, upper, 1_000_000_007n as JlpAtoms))
      steps.push({
        do: 'add',
        slot,
        lower,
        upper,
        liquidity: text(liquidity),
        result,
        forDeposit: most,
        state: stateOf(pool, before),
      })
    } else if (pickOne === 2) {
      const slot = random.int(0, positions.length - 1)
      const share = random.pick([
        { num: 1n, den: 1n },
        { num: 1n, den: 3n },
        { num: 2n, den: 7n },
      ])
      const removed = removeLiquidity(pool, positions[slot]!, share)
      const result: Json =
        removed.kind === 'removed'
          ? {
              jlp: text(removed.jlp),
              pt: text(removed.pt),
              yt: text(removed.yt),
              position: positionOf(removed.position),
            }
          : { rejected: removed.code }
      if (removed.kind === 'removed') {
        pool = removed.next
        positions[slot] = removed.position
      }
      steps.push({
        do: 'remove',
        slot,
        num: text(share.num),
        den: text(share.den),
        result,
        state: stateOf(pool, before),
      })
    } else if (pickOne === 3) {
      const slot = random.int(0, positions.length - 1)
      const collected = collect(pool, positions[slot]!)
      const result: Json =
        collected.kind === 'collected'
          ? { jlp: text(collected.jlp), position: positionOf(collected.position) }
          : { rejected: collected.code }
      if (collected.kind === 'collected') positions[slot] = collected.position
      steps.push({ do: 'collect', slot, result, state: stateOf(pool, before) })
    } else if (pickOne <= 5) {
      if (pool.tauSeconds === 0) continue
      const tau = Math.max(0, pool.tauSeconds - random.pick([0, 3600, 86_400, 604_800]))
      const fallen = random.big(0n, setup.largestCoupon ?? pool.discount / 1000n)
      const lowered = (pool.discount - fallen) as DiscountQ64
      pool = accrue(pool, { tauSeconds: tau, discount: lowered })
      steps.push({ do: 'accrue', tauSeconds: tau, discount: text(lowered), state: stateOf(pool, before) })
    } else {
      const order: Order = {
        ...randomOrder(random, setup.liquidityBits[1]),
        ...(setup.withinLiquidity === undefined ? {} : { withinLiquidity: true }),
      }
      const answer = quote(pool, order)
      const result: Json =
        answer.kind === 'quoted'
          ? {
              stoppedBy: answer.stoppedBy,
              filled: text(answer.filled),
              amount: text(answer.amount),
              stLeg: text(answer.stLeg),
              fee: [answer.fee.total, answer.fee.repaid, answer.fee.lp, answer.fee.insurance, answer.fee.protocol].map(
                text,
              ),
              averagePrice: text(answer.averagePrice),
              impactBp: answer.impactBp,
              apyAfter: text(answer.apyAfter),
              ticksCrossed: answer.ticksCrossed,
            }
          : { rejected: answer.code }
      if (answer.kind === 'quoted') pool = answer.next
      steps.push({ do: 'trade', order: orderJson(order), result, state: stateOf(pool, before) })
    }
  }
  return {
    about: setup.about,
    start: { grid, fees, discount: text(discount), tauSeconds, rate: text(rate) },
    steps,
    end: { ticks: pool.ticks.map(tickOf), positions: positions.map(positionOf) },
  }
}

/** `test/vectors/histories.json`: 11 histories of 60 steps. */
export const historyVectors = (): string =>
  render({
    about: {
      add: 'adds liquidity to the position in the slot (made empty over lower..upper if it is new); forDeposit: liquidityForDeposit of 1,000,000,007 atoms over that range before the step',
      fee: 'total, repaid, lp, insurance, protocol',
      ticks: 'index, net, gross, fall, feeGrowthOutside: those made or changed by the step; dropped: their indices',
      position: 'as it stands after the step; a refused step changes nothing',
    },
    histories: SETUPS.map((setup, i) => history(BigInt(1000 + i), 60, setup)),
  })

/** `test/vectors/twap.json`: observations of rate oracles and their averages. */
export const twapVectors = (): string => {
  const random = new Random(300n)
  const starts = [
    [1_725_494_400, DEFAULT_CLAMP_PER_SECOND],
    [1_725_494_413, DEFAULT_CLAMP_PER_SECOND / 7n],
    [7, ONE_Q64 - 1n],
  ] as const
  return render({
    about:
      'start: time, rate, clamp; rows: now, spot that stood until now, window, TWAP at now, observed rate, buckets',
    oracles: starts.map(([start, clampPerSecond]) => {
      let now = start
      let spot = tickRate(3000)
      let oracle = createOracle({ now, rate: spot, clampPerSecond })
      const rows: Json[] = []
      for (let i = 0; i < 60; i++) {
        now += random.pick([0, 1, 2, 7, 20, 33, 301, 5000])
        const window = random.int(1, 300)
        const average = twap(oracle, spot, now, window)
        oracle = observe(oracle, spot, now)
        rows.push([now, text(spot), window, text(average), text(oracle.observed), oracle.buckets.map(text)])
        spot = random.big(tickRate(2000), tickRate(4000)) as RateQ64
      }
      return { start: [start, text(tickRate(3000)), text(clampPerSecond)], rows }
    }),
  })
}

const HELD: readonly (readonly [bigint, bigint])[] = [
  [1n, -1n],
  [-1n, 1n],
  [1n, 1n],
  [0n, -1n],
]

/** `test/vectors/margin.json`: accounts at random rates, and what they are worth and must be worth. */
export const marginVectors = (): string => {
  const random = new Random(1105n)
  const rows = Array.from({ length: 120 }, (): Json => {
    const kind = random.pick(['hourly', 'weekly'] as const)
    const terms = DEFAULT_TERMS[kind]
    const { rhoMaxQ64 } = DEFAULT_CAPS[kind]
    const discount = random.pick([ONE_Q64, random.big(ONE_Q64 / 2n, ONE_Q64)]) as DiscountQ64
    const tauSeconds = random.pick([0, 3600, 604_800, random.int(1, 90) * 86_400, random.int(1, TWO_YEARS)])
    const [rate, twapRate, low, high, lowBefore, highBefore] = Array.from(
      { length: 6 },
      () => random.big(tickRate(2500), tickRate(3500)) as RateQ64,
    ) as [RateQ64, RateQ64, RateQ64, RateQ64, RateQ64, RateQ64]
    const [sideOfYt, sideOfSt] = random.pick(HELD)
    const yt = sideOfYt * random.magnitude(1n << 44n)
    const price = shiftQ64(discount * ytPrice(twapRate, tauSeconds), 'down')
    const leg = shiftQ64(price * (yt < 0n ? -yt : yt), 'up')
    const st = sideOfSt * (leg + random.big(0n, leg / 50n + 9n))
    const margin = random.pick([leg / 10n, leg / 9n, leg / 20n, leg / 15n, leg, random.big(0n, leg + 9n)])
    const account = { margin, st, yt, discount, netDeposits: 0n }
    const standing = { since: 0, low, high, lowBefore, highBefore }
    const market = { pool: { tauSeconds, discount }, terms, standing } as unknown as Market
    const at = valuation(market, { caps: { rhoMaxQ64 } } as RateIndex, rate, twapRate)
    const worst = at.worst(yt)
    const n = yt === 0n ? 0n : random.big(1n, yt < 0n ? -yt : yt)
    const jlp = random.big(-leg - 9n, leg + 9n)
    const after = yt === 0n ? netted(account) : reduced(account, n, jlp)
    return {
      kind,
      tauSeconds,
      discount: text(discount),
      rates: [rate, twapRate, low, high, lowBefore, highBefore].map(text),
      account: [margin, st, yt].map(text),
      prices: [at.spot, at.twap, worst].map(text),
      gaps: [at.gapAtSpot.long, at.gapAtSpot.short, at.gapAtTwap.long, at.gapAtTwap.short].map(text),
      worth: [assets(account, at.spot), liabilities(account, at.spot), equity(account, worst)].map(text),
      needs: [gap(account, at), largerGap(account, at)].map(text),
      meets: [isSpot(account, discount), meetsInitial(account, at, terms), meetsMaintenance(account, at, terms)],
      reduced: [n, jlp, after.margin, after.st, after.yt].map(text),
    }
  })
  return render({
    about: {
      terms: 'the defaults of the kind, with its default caps',
      rates: 'spot, TWAP, and the standing low, high, lowBefore, highBefore',
      account: 'margin, st, yt',
      prices: 'JLP per YT at the spot, the TWAP and the worst rate for the account',
      gaps: 'long and short at the spot, long and short at the TWAP',
      worth: 'assets and liabilities at the spot, equity at the worst rate',
      needs: 'the gap at the TWAP, and the larger of that and the one at the spot',
      meets: 'spot, the initial condition, maintenance',
      reduced: 'n, JLP; margin, st, yt afterwards (an account without YT: netted)',
    },
    accounts: rows,
  })
}

const indexOf = (index: RateIndex): Json => [
  text(index.discount),
  index.lastStep,
  text(index.bucketQ64),
  text(index.carry),
  index.checkpoints.map(c => [c.maturity, c.discount === undefined ? null : text(c.discount)]),
]

/** `test/vectors/accrual.json`: the steps of rate indices, and the lowest discount after each. */
export const accrualVectors = (): string => {
  const random = new Random(604_800n)
  const series = (['hourly', 'hourly', 'weekly', 'weekly'] as const).map((kind): Json => {
    const start = 1_725_494_400
    const discount = random.big(ONE_Q64 / 2n, ONE_Q64) as DiscountQ64
    const maturities = Array.from({ length: 5 }, () => start + random.int(1, 400) * 3600 + random.pick([0, 1]))
    let index = maturities.reduce(watchMaturity, createIndex({ kind, lastStep: start, discount }))
    const first = indexOf(index)
    const rows = Array.from({ length: 40 }, (): Json => {
      const hours = random.pick([1, 1, 1, 1, 2, 9, 168])
      const to = index.lastStep + (kind === 'hourly' ? hours * 3600 : random.int(590_000, 620_000))
      const aum = kind === 'hourly' ? random.big(1n << 40n, 1n << 52n) : WEEKLY_AUM
      const fees = random.pick([0n, aum / 20_000n, aum / random.big(100n, 9999n), random.magnitude(aum / 10n)])
      const { next, step } = accrueIndex(index, { to, fees, aum })
      index = next
      const far = index.lastStep + random.int(0, TWO_YEARS)
      return [
        ...[to, text(fees), text(aum), text(step.feesPaid), indexOf(index)],
        ...[far, text(yieldLeft(index, far)), text(lowestDiscount(index, far))],
      ]
    })
    return { kind, start: first, rows }
  })
  return render({
    about: {
      index: 'discount, last step, bucket, carry, checkpoints (maturity and discount, null until it is crossed)',
      rows: 'to, fees, aum, fees paid, the index after the step; a maturity, the yield left and the lowest discount by then',
      caps: 'the defaults of the kind',
    },
    series,
  })
}

/** Every vector file by its path. */
export const vectorFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['test/vectors/functions.json', functionVectors()],
    ['test/vectors/histories.json', historyVectors()],
    ['test/vectors/twap.json', twapVectors()],
    ['test/vectors/margin.json', marginVectors()],
    ['test/vectors/accrual.json', accrualVectors()],
  ])
