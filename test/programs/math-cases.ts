/** Random operations and what the kernel and the engine answer to them. */
import { mulDiv } from '../../amm/fixed.ts'
import {
  accrue,
  addLiquidity,
  checkTick,
  collect,
  createOracle,
  createPool,
  type DiscountQ64,
  depositFor,
  earnedSince,
  emptyPosition,
  expNeg,
  faceValue,
  feeOn,
  type JlpAtoms,
  jlpToSt,
  type Liquidity,
  MAX_RATE,
  MIN_DISCOUNT,
  ONE_Q64,
  type Order,
  observe,
  oneMinusExpNeg,
  type Pool,
  type Position,
  phiComplement,
  ptPrice,
  ptValue,
  quote,
  type RateQ64,
  removeLiquidity,
  type StAtoms,
  stToJlp,
  tickAtRate,
  tickRate,
  twap,
  U64_MAX,
  ytIntegral,
  ytPrice,
  ytValue,
} from '../../amm/index.ts'
import { addToMargin, netted, recount, reduced, touch } from '../../src/exchange/account.ts'
import { Draft } from '../../src/exchange/draft.ts'
import {
  assets,
  backing,
  dearestRate,
  equity,
  gap,
  hasRatio,
  isSpot,
  largerGap,
  liabilities,
  lpEquity,
  meetsInitial,
  meetsMaintenance,
  valuation,
} from '../../src/exchange/margin.ts'
import type { Exchange, Legs, Market, Standing, Totals } from '../../src/exchange/state.ts'
import { guarded } from '../../src/exchange/swap.ts'
import { DEFAULT_TERMS, type MarketTerms } from '../../src/exchange/terms.ts'
import {
  accrueIndex,
  createIndex,
  DEFAULT_CAPS,
  finalise,
  forgetMaturity,
  lowestDiscount,
  type RateIndex,
  watchMaturity,
  yieldLeft,
} from '../../src/oracle/accrual.ts'
import type { Random } from '../generate/random.ts'
import { GRID, TWO_YEARS } from '../helpers/market.ts'
import {
  answerOf,
  type Case,
  indexAnswer,
  indexWords,
  legsAnswer,
  legsWords,
  line,
  oracleWords,
  orderWords,
  poolAnswer,
  poolWords,
  positionAnswer,
  positionWords,
  quoteAnswer,
  standingWords,
  totalsWords,
  type Words,
} from './math-lines.ts'

const U128_MAX = (1n << 128n) - 1n
const signed = (random: Random, max: bigint): bigint => random.magnitude(max) * random.pick([1n, -1n])
const discountOf = (random: Random): DiscountQ64 =>
  random.pick([
    ONE_Q64,
    ONE_Q64 - 1n,
    MIN_DISCOUNT,
    random.big(ONE_Q64 / 2n, ONE_Q64),
    random.big(ONE_Q64 / 20n, ONE_Q64),
  ]) as DiscountQ64
const rateOf = (random: Random): RateQ64 =>
  random.pick([
    random.big(tickRate(50), tickRate(13_860)),
    random.big(0n, MAX_RATE),
    random.magnitude(MAX_RATE),
  ]) as RateQ64
const tauOf = (random: Random): number =>
  random.pick([0, 1, 3599, 3600, 3601, 604_800, random.int(1, TWO_YEARS), random.int(1, 4_294_967_295)])

/** phi, the curve, the grid, divisions and the fee. */
export const functionCases = (random: Random, count: number): Case[] => {
  const cases: Case[] = []
  const add = (text: string, f: () => ReturnType<Parameters<typeof answerOf>[0]>): void => {
    cases.push({ line: text, answer: answerOf(f) })
  }
  for (let i = 0; i < count; i++) {
    const edge = (BigInt(random.int(0, 128)) << 59n) + random.big(0n, 4n) - 2n
    const any = random.pick([random.big(0n, 4n * ONE_Q64), random.magnitude(4n * ONE_Q64), edge < 0n ? 0n : edge])
    add(line('phi', any), () => phiComplement(any))
    add(line('one-minus-exp-neg', any), () => oneMinusExpNeg(any))
    add(line('exp-neg', any), () => expNeg(any))

    const [a, b, d] = [random.magnitude(U128_MAX), random.magnitude(U128_MAX), random.magnitude(U128_MAX)]
    const way = random.pick(['down', 'up'] as const)
    add(line('mul-div', a, b, d, way), () => {
      const result = mulDiv(a, b, d, way)
      return result > U128_MAX ? { rejected: 'overflow' } : result
    })
    const divisor = random.pick([d, random.magnitude(U64_MAX), random.magnitude(1n << 33n), 0n])
    const nothing = { rejected: 'division-by-zero' }
    add(line('div', a, divisor), () => (divisor === 0n ? nothing : [a / divisor, a % divisor]))
    const small = random.pick([random.magnitude(1n << 32n), 1n << 32n, 31_536_000n, 10_000n])
    add(line('div-small', a, small), () => [a / small, a % small])
    const near = random.pick([b, (a * b) / d > U128_MAX ? b : (a * b) / d])
    add(line('product-at-least', a, b, d, near), () => a * b >= d * near)

    const discount = discountOf(random)
    const amount = random.magnitude(U64_MAX)
    add(line('st-to-jlp', amount, discount, way), () => stToJlp(amount as StAtoms, discount, way))
    add(line('jlp-to-st', amount, discount, way), () => jlpToSt(amount as JlpAtoms, discount, way))

    const rate = rateOf(random)
    const moment = { tauSeconds: tauOf(random), discount }
    add(line('rate', rate, moment.tauSeconds, discount), () => [
      ytPrice(rate, moment.tauSeconds),
      ptPrice(rate, moment.tauSeconds),
      ytIntegral(rate, moment.tauSeconds),
      faceValue(rate, discount),
      ytValue(rate, moment),
      ptValue(rate, moment),
    ])
    const tick = random.pick([random.int(0, 40_000), random.int(-5, 1_000_010)])
    add(line('tick-rate', tick), () => tickRate(tick))
    const grid = { ...GRID, spacing: random.pick([1, 2, 10, 1000]) }
    const beside = random.pick([rate, tickRate(random.int(0, 39_999)), tickRate(random.int(1, 39_999)) - 1n]) as RateQ64
    add(line('tick-at-rate', beside, Object.values(grid)), () => tickAtRate(beside, grid))
    const wanted = random.pick([random.int(-100, 14_000), random.int(5, 1386) * 10])
    add(line('check-tick', wanted, Object.values(grid)), () => {
      checkTick(wanted, grid)
      return 'ok'
    })
    const fees = {
      feeBps: random.int(0, 500),
      lpShareBps: random.int(0, 10_000),
      insuranceShareBps: random.int(0, 10_000),
    }
    const [leg, deficit] = [random.magnitude(1n << 61n), random.pick([0n, random.magnitude(1n << 50n)])]
    add(line('fee', leg, Object.values(fees), deficit), () => {
      const fee = feeOn(leg, fees, deficit)
      return [fee.total, fee.repaid, fee.lp, fee.insurance, fee.protocol]
    })
    const init = {
      grid: {
        spacing: random.pick([0, 1, 10, 10, 10, 1001]),
        minTick: random.pick([50, 50, 50, 0, 55]),
        maxTick: 13_860,
      },
      fees: { ...fees, feeBps: random.pick([10, 500, 501]) },
    }
    add(
      line('create-pool', Object.values(init.grid), Object.values(init.fees), moment.tauSeconds, discount, rate),
      () => poolAnswer(createPool({ ...init, ...moment, rate })),
    )
  }
  return cases
}

/** What a market of random trades is played with. */
interface Scene {
  readonly bits: readonly [bigint, bigint]
  readonly lowest: bigint
  readonly largestCoupon: bigint | undefined
  readonly spacing: number
  readonly feeBps: number
}

const SCENES: readonly Scene[] = [
  { bits: [38n, 46n], lowest: ONE_Q64 / 2n, largestCoupon: undefined, spacing: 10, feeBps: 10 },
  { bits: [38n, 46n], lowest: ONE_Q64 / 2n, largestCoupon: undefined, spacing: 10, feeBps: 10 },
  { bits: [15n, 26n], lowest: ONE_Q64 / 2n, largestCoupon: undefined, spacing: 1, feeBps: 0 },
  { bits: [50n, 56n], lowest: ONE_Q64 / 40n, largestCoupon: undefined, spacing: 10, feeBps: 100 },
  { bits: [53n, 55n], lowest: MIN_DISCOUNT, largestCoupon: 40n, spacing: 10, feeBps: 500 },
  { bits: [1n, 57n], lowest: ONE_Q64 / 4n, largestCoupon: 1000n, spacing: 10, feeBps: 1 },
]

const orderOf = (random: Random, bits: bigint, rate: bigint): Order => {
  const kind = random.pick(['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'] as const)
  const amount = random.pick([
    random.big(0n, 9n),
    random.magnitude(1n << bits),
    random.magnitude(1n << (bits > 12n ? bits - 10n : bits)),
    random.magnitude(1n << (bits > 12n ? bits - 10n : bits)),
    random.magnitude(U64_MAX),
  ])
  const near = rate + signed(random, ONE_Q64 / 20n)
  const limitRate = random.pick([
    undefined,
    undefined,
    near < 0n ? 0n : near,
    tickRate(random.int(5, 1386) * 10),
    random.big(0n, MAX_RATE + 9n),
  ])
  return {
    kind,
    [random.int(0, 1) === 0 ? 'st' : kind.endsWith('yt') ? 'yt' : 'pt']: amount,
    maxCrossings: random.pick([64, 64, 64, 64, 0, 1, 3]),
    withinLiquidity: random.int(0, 3) === 0,
    ...(limitRate === undefined ? {} : { limitRate }),
  } as unknown as Order
}

/** A market played at random: liquidity, coupons and orders of every kind, each with the whole state before and after. */
export const marketCases = (random: Random, length: number): Case[] => {
  const { bits, lowest, largestCoupon, spacing, feeBps } = random.pick(SCENES)
  const grid = { ...GRID, spacing }
  const fees = { feeBps, lpShareBps: random.pick([0, 5000, 10_000]), insuranceShareBps: random.pick([0, 5000, 10_000]) }
  let pool = createPool({
    grid,
    fees,
    rate: random.big(tickRate(100), tickRate(10_000)) as RateQ64,
    tauSeconds: random.pick([random.int(1, 86_400), random.int(86_400, TWO_YEARS), random.int(86_400, TWO_YEARS)]),
    discount: random.pick([lowest, ONE_Q64, random.big(lowest, ONE_Q64)]) as DiscountQ64,
  })
  const positions: Position[] = []
  const cases: Case[] = []
  for (let i = 0; i < length; i++) {
    const before = pool
    const slot = positions.length === 0 ? 0 : random.int(0, positions.length - 1)
    const choice = i < 4 ? 0 : random.int(0, 11)
    if (choice <= 1) {
      const again = positions.length > 0 && random.int(0, 3) === 0
      const at = again ? slot : positions.length
      const beside = Math.floor(Math.max(60, pool.tick - random.int(0, 600)) / 10) * 10
      const from = random.pick([random.int(6, 1300) * 10, beside, beside])
      const position =
        positions[at] ?? emptyPosition(pool, from, Math.min(from + random.pick([10, 50, 500, 3000]), GRID.maxTick))
      const amount = random.pick([random.big(1n << bits[0], 1n << bits[1]), random.big(0n, 1n << 59n)]) as Liquidity
      cases.push({
        line: line('deposit', poolWords(pool), position.lower, position.upper, amount),
        answer: answerOf(() => {
          const { issued, jlp } = depositFor(before, position.lower, position.upper, amount)
          return [issued, jlp]
        }),
      })
      cases.push({
        line: line('add', poolWords(pool), positionWords(position), amount),
        answer: answerOf(() => {
          const added = addLiquidity(before, position, amount)
          if (added.kind === 'rejected') return { rejected: added.code }
          pool = added.next
          positions[at] = added.position
          return [added.issued, added.jlp, ...positionAnswer(added.position), ...poolAnswer(pool)]
        }),
      })
    } else if (choice === 2 && positions.length > 0) {
      const den = random.pick([1n, 3n, 7n, 1n << 32n, (1n << 32n) + 1n])
      const share = { num: random.pick([den, 1n, random.big(0n, den)]), den }
      const position = positions[slot]!
      cases.push({
        line: line('remove', poolWords(pool), positionWords(position), share.num, share.den),
        answer: answerOf(() => {
          const removed = removeLiquidity(before, position, share)
          if (removed.kind === 'rejected') return { rejected: removed.code }
          pool = removed.next
          positions[slot] = removed.position
          const { liquidity, jlp, pt, yt, issued } = removed
          return [liquidity, jlp, pt, yt, issued, ...positionAnswer(removed.position), ...poolAnswer(pool)]
        }),
      })
    } else if (choice === 3 && positions.length > 0) {
      const position = positions[slot]!
      cases.push({
        line: line('collect', poolWords(pool), positionWords(position)),
        answer: answerOf(() => {
          const collected = collect(before, position)
          if (collected.kind === 'rejected') return { rejected: collected.code }
          positions[slot] = collected.position
          return [collected.jlp, ...positionAnswer(collected.position), ...poolAnswer(before)]
        }),
      })
    } else if (choice === 4) {
      const tau = Math.max(0, pool.tauSeconds - random.pick([-1, 0, 3600, 3600, 3600, 86_400, 604_800]))
      const fallen = random.big(random.int(0, 9) === 0 ? -1n : 0n, largestCoupon ?? pool.discount / 1000n)
      const discount = (pool.discount - fallen) as DiscountQ64
      cases.push({
        line: line('accrue', poolWords(pool), tau, discount),
        answer: answerOf(() => {
          pool = accrue(before, { tauSeconds: tau, discount })
          return poolAnswer(pool)
        }),
      })
    } else {
      if (pool.deficit > 0n || choice === 5) {
        pool = { ...pool, deficit: (pool.deficit === 0n ? random.magnitude(1n << 24n) : 0n) as JlpAtoms }
      }
      const now = pool
      const order = orderOf(random, bits[1], pool.rate)
      cases.push({
        line: line('quote', poolWords(now), orderWords(order)),
        answer: answerOf(() => {
          const quoted = quote(now, order)
          if (quoted.kind === 'rejected') return { rejected: quoted.code }
          pool = quoted.next
          return quoteAnswer(quoted)
        }),
      })
    }
  }
  return cases
}

/** A pool with two positions that meet or overlap around its rate. */
const smallPool = (random: Random, bits: readonly [bigint, bigint]): { pool: Pool; positions: Position[] } => {
  const rate = random.big(tickRate(300), tickRate(13_000)) as RateQ64
  const fees = { feeBps: random.pick([0, 10, 500]), lpShareBps: 5000, insuranceShareBps: 5000 }
  const discount = random.pick([ONE_Q64, random.big(ONE_Q64 / 40n, ONE_Q64)]) as DiscountQ64
  let pool = createPool({ grid: GRID, fees, rate, tauSeconds: random.int(86_400, TWO_YEARS), discount })
  const positions = [-1, 1].flatMap(side => {
    const beside = pool.tick + side * random.int(0, 3) * 10
    const lower = Math.max(50, Math.min(beside, 13_800))
    const empty = emptyPosition(pool, lower, Math.min(lower + random.pick([10, 20, 60]), 13_860))
    const added = addLiquidity(pool, empty, random.big(1n << bits[0], 1n << bits[1]) as Liquidity)
    if (added.kind === 'rejected') return []
    pool = added.next
    return [added.position]
  })
  return { pool, positions }
}

/** Orders that end within an atom of a tick: exactly as many as fit before it, and the amounts that these come to. */
export const edgeCases = (random: Random): Case[] => {
  const { pool } = smallPool(random, [26n, 36n])
  const cases: Case[] = []
  const ask = (order: Order): bigint => {
    const quoted = quote(pool, order)
    cases.push({
      line: line('quote', poolWords(pool), orderWords(order)),
      answer: answerOf(() => (quoted.kind === 'rejected' ? { rejected: quoted.code } : quoteAnswer(quoted))),
    })
    return quoted.kind === 'rejected' ? 0n : quoted.amount
  }
  for (const kind of ['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'] as const) {
    const up = kind === 'buy-yt' || kind === 'sell-pt'
    const next = up ? pool.ticks.find(t => t.index > pool.tick) : pool.ticks.findLast(t => t.index <= pool.tick)
    if (next === undefined) continue
    const room = pool.liquidity * (up ? next.rate - pool.rate : pool.rate - next.rate)
    const capacity = up ? room >> 64n : -(-room >> 64n)
    const limit = random.int(0, 2) === 0 ? { limitRate: next.rate } : {}
    for (const n of [capacity - 1n, capacity, capacity + 1n]) {
      if (n < 0n) continue
      const of = kind.endsWith('yt') ? 'yt' : 'pt'
      const amount = ask({ kind, [of]: n, ...limit } as unknown as Order)
      for (const st of [amount - 1n, amount, amount + 1n]) {
        if (st >= 0n) ask({ kind, st, ...limit } as unknown as Order)
      }
    }
  }
  return cases
}

/** Coupons so small that the last ulps of the curve outweigh them: what a position has earned may then be below 0 and wait. */
export const waitingCases = (random: Random): { readonly cases: Case[]; readonly waiting: number } => {
  const scene = smallPool(random, [54n, 56n])
  let { pool } = scene
  let position = scene.positions[0]
  const cases: Case[] = []
  let waiting = 0
  for (let i = 0; i < 4 && position !== undefined; i++) {
    const held: Position = position
    const discount = pool.discount - random.big(0n, 3n)
    pool = accrue(pool, { tauSeconds: pool.tauSeconds, discount: discount as DiscountQ64 })
    const now = pool
    const earned = earnedSince(now, held)
    if (earned.accrued + earned.fees < 0n) waiting += 1
    const words: Words = [...poolWords(now), ...positionWords(held)]
    const share = random.pick([
      { num: 1n, den: 1n },
      { num: 1n, den: 3n },
    ])
    cases.push({
      line: line('remove', words, share.num, share.den),
      answer: answerOf(() => {
        const removed = removeLiquidity(now, held, share)
        if (removed.kind === 'rejected') return { rejected: removed.code }
        const { liquidity, jlp, pt, yt, issued } = removed
        return [liquidity, jlp, pt, yt, issued, ...positionAnswer(removed.position), ...poolAnswer(removed.next)]
      }),
    })
    const amount = random.big(1n << 50n, 1n << 55n) as Liquidity
    cases.push({
      line: line('add', words, amount),
      answer: answerOf(() => {
        const added = addLiquidity(now, held, amount)
        if (added.kind === 'rejected') return { rejected: added.code }
        position = added.position
        pool = added.next
        return [added.issued, added.jlp, ...positionAnswer(added.position), ...poolAnswer(added.next)]
      }),
    })
  }
  return { cases, waiting }
}

/** Observations of a rate oracle and their averages. */
export const oracleCases = (random: Random, length: number): Case[] => {
  const clampPerSecond = random.pick([ONE_Q64 / 10_000n, 1n, ONE_Q64 - 1n, random.magnitude(ONE_Q64 - 1n)])
  const init = {
    now: random.pick([0, 7, 1_725_494_400, random.int(0, 4_000_000_000)]),
    rate: rateOf(random),
    clampPerSecond,
  }
  let oracle = createOracle(init)
  let spot = init.rate
  return Array.from({ length }, () => {
    const before = oracle
    const now = before.observedUntil + random.pick([-1, 0, 1, 2, 7, 20, 33, 301, 5000, random.int(0, 400), 1_000_000])
    const window = random.int(0, 19) === 0 ? random.pick([0, 301]) : random.pick([random.int(1, 300), 300])
    const text = line('observe', oracleWords(before), spot, Math.max(now, 0), window)
    const answer = answerOf(() => {
      const after = observe(before, spot, Math.max(now, 0))
      const average = twap(before, spot, Math.max(now, 0), window)
      oracle = after
      return [average, after.observedUntil, after.observed, ...after.buckets]
    })
    spot = random.pick([spot, rateOf(random), random.big(tickRate(2000), tickRate(4000)) as RateQ64])
    return { line: text, answer }
  })
}

const legsOf = (random: Random, most: bigint): Legs => {
  const side = random.pick([1n, -1n])
  const yt = random.int(0, 5) === 0 ? 0n : side * random.magnitude(most)
  return {
    margin: random.pick([0n, random.magnitude(most)]),
    st: random.pick([0n, -side * random.magnitude(most), -yt / random.big(2n, 40n), signed(random, most)]),
    yt,
    discount: discountOf(random),
    netDeposits: random.pick([0n, random.magnitude(most)]),
  }
}

const totalsOf = (random: Random): Totals => {
  const big = (): bigint => signed(random, 1n << 58n)
  const many = (): bigint => random.magnitude(1n << 58n)
  const short = many()
  return {
    ...{ margin: many(), st: big(), debt: many(), yt: big(), ytAtDiscount: big() << 60n },
    ...{ short, shortAtDiscount: short * discountOf(random) + random.big(0n, ONE_Q64) },
    ...{ pt: many(), issued: many(), profit: many(), open: random.int(1, 1000), debtors: random.int(1, 1000) },
  }
}

const termsOf = (random: Random): MarketTerms =>
  random.pick([DEFAULT_TERMS.hourly, DEFAULT_TERMS.weekly, { ...DEFAULT_TERMS.weekly, lowCouponBps: 10_000 }])

const stretch = (random: Random): Standing => ({
  since: random.int(0, 1_000_000),
  ...{ low: rateOf(random), high: rateOf(random), lowBefore: rateOf(random), highBefore: rateOf(random) },
})

/** The worst of standing rates as an instruction finds them: what `Draft.market` makes of a market without a coupon due. */
const standingAfter = (standing: Standing, rate: RateQ64, last: number, now: number, window: number): Standing => {
  const oracle = { ...createOracle({ now: 0, rate, clampPerSecond: 1n }), observedUntil: last }
  const index = createIndex({ kind: 'hourly', lastStep: 0 })
  const pool = createPool({
    grid: GRID,
    fees: DEFAULT_TERMS.hourly,
    rate: tickRate(3000),
    tauSeconds: 3600,
    discount: ONE_Q64 as DiscountQ64,
  })
  const terms = { ...DEFAULT_TERMS.hourly, twapWindow: window }
  const market = { id: 'm', kind: 'hourly', maturity: 3600, terms, pool: { ...pool, rate }, oracle, standing, fees: 0n }
  const totals = { pt: 0n, issued: 0n }
  const fund = { margin: 0n, st: 0n, yt: 0n }
  const markets = new Map([['m', { ...market, totals, fund, vault: 0n } as unknown as Market]])
  const state = { markets, indices: { hourly: index, weekly: index } } as unknown as Exchange
  return new Draft(state, { now, jlpSupply: 0n, weeklyUpdatedAt: 0 }).market('m').standing
}

/** Margin, accounts, totals, backing and guards. */
export const marginCases = (random: Random, count: number): Case[] => {
  const cases: Case[] = []
  const add = (text: string, f: () => ReturnType<Parameters<typeof answerOf>[0]>): void => {
    cases.push({ line: text, answer: answerOf(f) })
  }
  for (let i = 0; i < count; i++) {
    const most = random.pick([1n << 20n, 1n << 40n, 1n << 48n, 1n << 61n])
    const legs = legsOf(random, most)
    const before = legsOf(random, most)
    const lower = (legs.discount - random.big(0n, legs.discount - MIN_DISCOUNT)) as DiscountQ64
    add(line('touch', legsWords(legs), lower), () => legsAnswer(touch(legs, lower)))
    add(line('net', legsWords(legs)), () => legsAnswer(netted(legs)))
    const jlp = signed(random, most)
    add(line('add-to-margin', legsWords(legs), jlp), () => legsAnswer(addToMargin(legs, jlp)))
    const size = legs.yt < 0n ? -legs.yt : legs.yt
    if (size > 0n) {
      const n = random.pick([size, 1n, random.big(1n, size)])
      add(line('reduce', legsWords(legs), n, jlp), () => legsAnswer(reduced(legs, n, jlp)))
    }
    const totals = totalsOf(random)
    const fund = random.int(0, 1) === 1
    add(line('recount', totalsWords(totals), legsWords(before), legsWords(legs), Number(fund)), () =>
      totalsWords(recount(totals, before, legs, fund)),
    )

    const terms = termsOf(random)
    const rates = [rateOf(random), rateOf(random)] as const
    const [rate, twapRate] = random.int(0, 4) === 0 ? [rates[0], rates[0]] : rates
    const pool = { tauSeconds: tauOf(random), discount: legs.discount } as Pool
    const standing = stretch(random)
    const rhoMaxQ64 = random.pick([DEFAULT_CAPS.hourly.rhoMaxQ64, DEFAULT_CAPS.weekly.rhoMaxQ64, ONE_Q64 / 10n])
    const market = { pool, terms, standing } as Market
    // Margin that is about what is needed, so that every condition is met about as often as not.
    const tried = { ...legs, margin: random.pick([legs.margin, size / random.big(1n, 200n)]) }
    const marginWords: Words = [
      ...[pool.tauSeconds, pool.discount],
      ...[terms.initialBps, terms.initialTwapBps, terms.maintenanceBps, terms.lowCouponBps, terms.period, rhoMaxQ64],
      ...[...standingWords(standing), rate, twapRate, ...legsWords(tried)],
    ]
    add(line('margin', marginWords), () => {
      const at = valuation(market, { caps: { rhoMaxQ64 } } as RateIndex, rate, twapRate)
      const worst = at.worst(tried.yt)
      return [
        ...[at.spot, at.twap, worst, at.gapAtSpot.long, at.gapAtSpot.short, at.gapAtTwap.long, at.gapAtTwap.short],
        ...[assets(tried, at.spot), liabilities(tried, at.spot), equity(tried, worst)],
        ...[gap(tried, at), largerGap(tried, at)],
        ...[isSpot(tried, at.discount), meetsInitial(tried, at, terms), meetsMaintenance(tried, at, terms)],
      ]
    })
    const any = random.pick([random.big(0n, U64_MAX), random.magnitude(U64_MAX)])
    const rival = random.pick([before, { ...tried, margin: tried.margin + 1n }, tried])
    add(line('ratio', any, terms.initialBps, legsWords(tried), legsWords(rival)), () => {
      const crossed = (a: Legs, b: Legs): bigint => assets(a, any) * liabilities(b, any)
      const [now, then] = [crossed(tried, rival), crossed(rival, tried)]
      return [hasRatio(tried, any, terms.initialBps), now >= then, now > then]
    })

    const last = random.int(0, 1_000_000)
    const now = Math.max(last, standing.since) + random.int(0, 700)
    const window = random.pick([300, 300, random.int(1, 300)])
    add(line('stood', standingWords(standing), rate, last, now, window), () =>
      standingWords(standingAfter(standing, rate, last, now, window)),
    )
    const [limit, bps, up] = [random.big(0n, MAX_RATE), random.int(0, 2500), random.int(0, 1) === 1]
    add(line('guarded', limit, rate, bps, Number(up)), () => guarded(limit, rate, bps, up))

    const book = {
      vault: random.magnitude(1n << 60n),
      fees: random.magnitude(1n << 40n),
      deficit: random.magnitude(1n << 40n),
    }
    const whole = {
      ...book,
      totals,
      pool: { deficit: book.deficit, discount: legs.discount } as Pool,
    } as unknown as Market
    const price = random.big(0n, legs.discount < ONE_Q64 ? legs.discount : U64_MAX)
    add(line('book', Object.values(book), totalsWords(totals), legs.discount, price, lower), () => {
      const { reserve, owed } = backing(whole, lower)
      return [lpEquity(whole, price), reserve, owed]
    })
  }
  return cases
}

/** A rate index with maturities, stepped at random, its refusals among them. */
export const indexCases = (random: Random, length: number): Case[] => {
  const kind = random.pick(['hourly', 'weekly'] as const)
  const start = random.int(0, 480_000) * 3600 + random.pick([0, 0, 0, 1])
  const limit = ONE_Q64 / 10n
  const caps = random.pick([
    DEFAULT_CAPS[kind],
    { rhoMaxQ64: random.magnitude(limit), weeklyBudgetQ64: random.magnitude(limit) },
    { rhoMaxQ64: random.big(0n, limit + 1n), weeklyBudgetQ64: random.big(0n, limit + 1n) },
  ])
  const discount = discountOf(random)
  const cases: Case[] = []
  let index: RateIndex | undefined
  const add = (text: string, f: () => RateIndex, first: Words = []): void => {
    cases.push({
      line: text,
      answer: answerOf(() => {
        index = f()
        return [...first, ...indexAnswer(index)]
      }),
    })
  }
  add(line('create-index', kind, caps.rhoMaxQ64, caps.weeklyBudgetQ64, start, discount), () =>
    createIndex({ kind, caps, lastStep: start, discount }),
  )
  for (let i = 0; i < length && index !== undefined; i++) {
    const now: RateIndex = index
    const maturity = random.pick([
      now.lastStep + random.int(0, 100) * 3600,
      now.lastStep + random.int(1, 400_000),
      now.checkpoints[0]?.maturity ?? now.lastStep + 1,
    ])
    const choice = random.int(0, 9)
    if (choice === 0) add(line('watch', indexWords(now), maturity), () => watchMaturity(now, maturity))
    else if (choice === 1) add(line('forget', indexWords(now), maturity), () => forgetMaturity(now, maturity))
    else if (choice === 2) {
      const at = maturity + random.pick([604_799, 604_800, 700_000])
      if (now.discount > 0n) add(line('finalise', indexWords(now), maturity, at), () => finalise(now, maturity, at))
    } else if (choice === 3) {
      const far = now.lastStep + random.int(0, TWO_YEARS)
      const tau = random.pick([0, Math.max(0, far - now.lastStep), random.int(1, TWO_YEARS)])
      cases.push({
        line: line('left', indexWords(now), far, tau),
        answer: answerOf(() => [
          yieldLeft(now, far),
          lowestDiscount(now, far),
          dearestRate({ maturity: far, pool: { tauSeconds: tau } } as Market, now),
        ]),
      })
    } else {
      const to = now.lastStep + random.pick([0, 3600, 3600, 3600, 7200, 604_800, random.int(1, 700_000), 3600 * 200])
      const aum = random.pick([0n, random.magnitude(U64_MAX), 1_000_000_000_000_000n, 10_000n * 31_536_000n])
      const fees = random.pick([0n, aum / random.big(1n, 100_000n), random.magnitude(U64_MAX)])
      const text = line('step', indexWords(now), to, fees, aum)
      const answer = answerOf(() => {
        const { next, step } = accrueIndex(now, { to, fees, aum })
        index = next
        return [step.feesPaid, ...indexAnswer(next)]
      })
      cases.push({ line: text, answer })
    }
  }
  return cases
}
