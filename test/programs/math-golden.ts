/** The golden vectors as operations of the program's arithmetic. Nothing here is computed: inputs and answers come from the files. */

import { DEFAULT_TERMS } from '../../src/exchange/terms.ts'
import { DEFAULT_CAPS } from '../../src/oracle/accrual.ts'
import { FEES, GRID } from '../helpers/market.ts'
import { type Case, line, type Words } from './math-lines.ts'

type Rows = readonly (readonly (string | number)[])[]
type Read = (name: string) => unknown

/** Every vector that is an operation of the program; figures for people (APY, average price, exp, ln) are not among them. */
export const goldenCases = (read: Read): Case[] => [
  ...functions(read('functions') as Tables),
  ...(read('histories') as { histories: readonly History[] }).histories.flatMap(history),
  ...(read('twap') as { oracles: readonly Oracle[] }).oracles.flatMap(oracle),
  ...(read('margin') as { accounts: readonly Account[] }).accounts.flatMap(account),
  ...(read('accrual') as { series: readonly Series[] }).series.flatMap(series),
]

const words = (...list: readonly (string | number | Words)[]): string => list.flat().join(' ')

const CURVE = ['ytPrice', 'ptPrice', 'ytIntegral', 'faceValue', 'ytValue', 'ptValue'] as const
const PLAIN = ['mulDiv', 'phiComplement', 'oneMinusExpNeg', 'expNeg', 'stToJlp', 'jlpToSt', 'tickRate'] as const
type Tables = Readonly<Record<(typeof CURVE)[number] | (typeof PLAIN)[number] | 'tickAtRate' | 'feeOn', Rows>>

const functions = (tables: Tables): Case[] => {
  const simple = (table: (typeof PLAIN)[number], name: string): Case[] =>
    tables[table].map(row => ({ line: line(name, row.slice(0, -1)), answer: String(row.at(-1)) }))
  return [
    // A signed dividend occurs nowhere in the program.
    ...simple('mulDiv', 'mul-div').filter(({ line }) => !line.includes('-', 8)),
    ...simple('phiComplement', 'phi'),
    ...simple('oneMinusExpNeg', 'one-minus-exp-neg'),
    ...simple('expNeg', 'exp-neg'),
    ...tables.ytPrice.map((row, i) => ({
      line: line('rate', row.slice(0, 3)),
      answer: words(CURVE.map(column => tables[column][i]![3]!)),
    })),
    ...simple('stToJlp', 'st-to-jlp'),
    ...simple('jlpToSt', 'jlp-to-st'),
    ...simple('tickRate', 'tick-rate'),
    ...tables.tickAtRate.map(([rate, tick]) => ({
      line: line('tick-at-rate', rate!, Object.values(GRID)),
      answer: String(tick),
    })),
    ...tables.feeOn.map(([leg, deficit, ...parts]) => ({
      line: line('fee', leg!, Object.values(FEES), deficit!),
      answer: words(parts),
    })),
  ]
}

// ---- histories -------------------------------------------------------------------------------------------------------

interface State {
  readonly rate: string
  readonly tick: number
  readonly liquidity: string
  readonly grossLiquidity: string
  readonly tauSeconds: number
  readonly discount: string
  readonly fall: string
  readonly feeGrowth: string
  readonly deficit: string
  readonly ticks: Rows
  readonly dropped: readonly number[]
}

interface Held {
  readonly lower: number
  readonly upper: number
  readonly liquidity: string
  readonly issued: string
  readonly accruedBefore: string
  readonly feesBefore: string
  readonly uncollected: string
}

interface Result {
  readonly rejected?: string
  readonly position?: Held
  readonly issued?: string
  readonly jlp?: string
  readonly pt?: string
  readonly yt?: string
  readonly stoppedBy?: string
  readonly filled?: string
  readonly amount?: string
  readonly stLeg?: string
  readonly fee?: readonly string[]
  readonly ticksCrossed?: number
}

interface Step {
  readonly do: 'add' | 'remove' | 'collect' | 'accrue' | 'trade' | 'deficit'
  readonly slot?: number
  readonly lower?: number
  readonly upper?: number
  readonly liquidity?: string
  readonly num?: string
  readonly den?: string
  readonly tauSeconds?: number
  readonly discount?: string
  readonly order?: Readonly<Record<string, string | number | boolean>>
  readonly result?: Result
  readonly state: State
}

interface History {
  readonly start: {
    readonly grid: typeof GRID
    readonly fees: typeof FEES
    readonly discount: string
    readonly tauSeconds: number
    readonly rate: string
  }
  readonly steps: readonly Step[]
}

const heldWords = (p: Held): Words => [p.liquidity, p.issued, p.accruedBefore, p.feesBefore, p.uncollected]

const history = ({ start, steps }: History): Case[] => {
  const fixed: Words = [...Object.values(start.grid), ...Object.values(start.fees)]
  const ticks = new Map<number, Words>()
  const held: Held[] = []
  const pool = (s: Omit<State, 'ticks' | 'dropped'>): Words => [
    ...[s.tauSeconds, s.discount, s.rate, s.tick, s.liquidity, s.grossLiquidity, s.fall, s.feeGrowth, s.deficit],
    ...[ticks.size, ...[...ticks.keys()].sort((a, b) => a - b).flatMap(index => ticks.get(index)!)],
  ]
  const created = line('create-pool', fixed, start.tauSeconds, start.discount, start.rate)
  // The tick of the first state, which no trade has moved yet, is that of the beginning.
  const first = { ...steps[0]!.state, liquidity: '0', grossLiquidity: '0', fall: '0', feeGrowth: '0', deficit: '0' }
  let before = pool(first)
  const cases: Case[] = [{ line: created, answer: words(before) }]
  for (const step of steps) {
    const { state, result } = step
    const was = before
    for (const index of state.dropped) ticks.delete(index)
    for (const tick of state.ticks) ticks.set(tick[0] as number, tick)
    before = pool(state)
    const put = (text: string, ...answer: readonly (string | number | Words)[]): void => {
      const rejected = result?.rejected
      cases.push({ line: text, answer: rejected === undefined ? words(...answer, before) : `error ${rejected}` })
    }
    const empty = { liquidity: '0', issued: '0', accruedBefore: '0', feesBefore: '0', uncollected: '0' }
    const position: Held = held[step.slot ?? -1] ?? { lower: step.lower ?? 0, upper: step.upper ?? 0, ...empty }
    const after = result?.position
    if (after !== undefined) held[step.slot!] = after
    const text = (name: string, ...rest: readonly (string | number)[]): string =>
      line(name, fixed, was, position.lower, position.upper, heldWords(position), rest)
    if (step.do === 'accrue') put(line('accrue', fixed, was, step.tauSeconds!, step.discount!))
    else if (step.do === 'add') {
      put(text('add', step.liquidity!), ...(after ? [result!.issued!, result!.jlp!, heldWords(after)] : []))
    } else if (step.do === 'remove') {
      // What is taken off the position follows from it: touching does not change liquidity or issued YT.
      const less = (of: 'liquidity' | 'issued'): string => String(BigInt(position[of]) - BigInt(after?.[of] ?? 0))
      const { jlp = '', pt = '', yt = '' } = result!
      const paid = after ? [less('liquidity'), jlp, pt, yt, less('issued'), heldWords(after)] : []
      put(text('remove', step.num!, step.den!), ...paid)
    } else if (step.do === 'collect') put(text('collect'), ...(after ? [result!.jlp!, heldWords(after)] : []))
    else if (step.do === 'trade') {
      const { kind, st, yt, pt, limitRate = '-', maxCrossings = 64, withinLiquidity = false } = step.order!
      const order = [kind!, st === undefined ? 'exact' : 'st', st ?? yt ?? pt!, limitRate, maxCrossings]
      const { stoppedBy = '', filled = '', amount = '', stLeg = '', fee = [], ticksCrossed = 0 } = result!
      put(
        line('quote', fixed, was, order, withinLiquidity ? 1 : 0),
        ...[stoppedBy, filled, amount, stLeg, fee, ticksCrossed],
      )
    }
  }
  return cases
}

// ---- the rest ----------------------------------------------------------------------------------------------------------

interface Oracle {
  readonly start: readonly [number, string, string]
  readonly rows: readonly (readonly [number, string, number, string, string, readonly string[]])[]
}

const oracle = ({ start: [start, rate, clamp], rows }: Oracle): Case[] => {
  let state: Words = [start, rate, ...Array.from({ length: 16 }, () => 0)]
  return rows.map(([now, spot, window, average, observed, buckets]) => {
    const text = line('observe', clamp, start, state, spot, now, window)
    state = [now, observed, ...buckets]
    return { line: text, answer: words(average, state) }
  })
}

interface Account {
  readonly kind: 'hourly' | 'weekly'
  readonly tauSeconds: number
  readonly discount: string
  readonly rates: readonly string[]
  readonly account: readonly string[]
  readonly prices: readonly string[]
  readonly gaps: readonly string[]
  readonly worth: readonly string[]
  readonly needs: readonly string[]
  readonly meets: readonly boolean[]
  readonly reduced: readonly string[]
}

const account = (row: Account): Case[] => {
  const { kind, tauSeconds, discount, rates, prices, gaps, worth, needs, meets } = row
  const t = DEFAULT_TERMS[kind]
  const terms = [
    t.initialBps,
    t.initialTwapBps,
    t.maintenanceBps,
    t.lowCouponBps,
    t.period,
    DEFAULT_CAPS[kind].rhoMaxQ64,
  ]
  const [rate, twapRate, ...standing] = rates
  const legs = [...row.account, discount, 0]
  const [n, jlp, ...after] = row.reduced
  const reducing = row.account[2] === '0' ? line('net', legs) : line('reduce', legs, n!, jlp!)
  const text = line('margin', tauSeconds, discount, terms.map(String), 0, standing, rate!, twapRate!, legs)
  return [
    { line: reducing, answer: words(after, discount) },
    { line: text, answer: words(prices, gaps, worth, needs, meets.map(String)) },
  ]
}

type Index = readonly [string, number, string, string, readonly (readonly [number, string | null])[]]

interface Series {
  readonly kind: 'hourly' | 'weekly'
  readonly start: Index
  readonly rows: readonly (readonly [number, string, string, string, Index, number, string, string])[]
}

const series = ({ kind, start, rows }: Series): Case[] => {
  const { rhoMaxQ64, weeklyBudgetQ64 } = DEFAULT_CAPS[kind]
  const kept = (index: Index): Words => index[4].flatMap(([maturity, discount]) => [maturity, discount ?? 0])
  const before = (index: Index): Words => [
    kind,
    rhoMaxQ64,
    weeklyBudgetQ64,
    ...(index.slice(0, 4) as Words),
    index[4].length,
    ...kept(index),
  ]
  let index = start
  return rows.flatMap(([to, fees, aum, paid, next, far, left, lowest]) => {
    const text = line('step', before(index), to, fees, aum)
    index = next
    return [
      { line: text, answer: words(paid, next.slice(0, 4) as Words, kept(next)) },
      { line: line('left', before(index), far, 0), answer: words(left, lowest, 0) },
    ]
  })
}
