/**
 * Operations of the program's arithmetic as lines of text, with the answers that the kernel and the engine give: what
 * programs/sunder/tests/vectors.rs reads and prints.
 */

import { CodedError } from '../../amm/errors.ts'
import type { Order, Pool, Position, Quote, RateOracle } from '../../amm/index.ts'
import type { Legs, Standing, Totals } from '../../src/exchange/state.ts'
import type { RateIndex } from '../../src/oracle/accrual.ts'

type Word = string | number | bigint | boolean
export type Words = readonly Word[]

/** A line for the program, and what it must print. */
export interface Case {
  readonly line: string
  readonly answer: string
}

export const line = (name: string, ...words: readonly (Word | Words)[]): string => [name, ...words.flat()].join(' ')

/** The answer of `f`, or its refusal by name. */
export const answerOf = (f: () => Word | Words | { readonly rejected: string }): string => {
  try {
    const answer = f()
    if (typeof answer !== 'object') return String(answer)
    return 'rejected' in answer ? `error ${answer.rejected}` : answer.join(' ')
  } catch (error) {
    if (error instanceof CodedError) return `error ${error.code}`
    throw error
  }
}

const tickWords = (t: Pool['ticks'][number]): Words => [t.index, t.net, t.gross, t.fall, t.feeGrowthOutside]

/** The pool as an operation reads it. */
export const poolWords = (pool: Pool): Words => [
  ...[pool.grid.spacing, pool.grid.minTick, pool.grid.maxTick],
  ...[pool.fees.feeBps, pool.fees.lpShareBps, pool.fees.insuranceShareBps],
  ...poolAnswer(pool),
]

/** The pool as an answer prints it. */
export const poolAnswer = (pool: Pool): Words => [
  ...[pool.tauSeconds, pool.discount, pool.rate, pool.tick, pool.liquidity, pool.grossLiquidity],
  ...[pool.fall, pool.feeGrowth, pool.deficit, pool.ticks.length],
  ...pool.ticks.flatMap(tickWords),
]

/** A position as an answer prints it; an operation reads its range first. */
export const positionAnswer = (p: Position): Words => [
  p.liquidity,
  p.issued,
  p.accruedBefore,
  p.feesBefore,
  p.uncollected,
]
export const positionWords = (p: Position): Words => [p.lower, p.upper, ...positionAnswer(p)]

export const orderWords = (order: Order): Words => {
  const [by, amount] = 'st' in order ? ['st', order.st] : 'yt' in order ? ['exact', order.yt] : ['exact', order.pt]
  return [order.kind, by, amount, order.limitRate ?? '-', order.maxCrossings ?? 64, order.withinLiquidity ? 1 : 0]
}

export const quoteAnswer = (q: Omit<Quote, 'complete'>): Words => [
  ...[q.stoppedBy, q.filled, q.amount, q.stLeg],
  ...[q.fee.total, q.fee.repaid, q.fee.lp, q.fee.insurance, q.fee.protocol, q.ticksCrossed],
  ...poolAnswer(q.next),
]

export const oracleWords = (o: RateOracle): Words => [
  o.clampPerSecond,
  o.startedAt,
  o.observedUntil,
  o.observed,
  ...o.buckets,
]

export const legsWords = (legs: Legs): Words => [...legsAnswer(legs), legs.netDeposits]
export const legsAnswer = ({ margin, st, yt, discount }: Legs): Words => [margin, st, yt, discount]

export const totalsWords = (t: Totals): Words => [
  ...[t.margin, t.st, t.debt, t.yt, t.ytAtDiscount, t.short, t.shortAtDiscount],
  ...[t.pt, t.issued, t.profit, t.open, t.debtors],
]

export const standingWords = (s: Standing): Words => [s.since, s.low, s.high, s.lowBefore, s.highBefore]

const checkpointWords = (index: RateIndex): Words => index.checkpoints.flatMap(c => [c.maturity, c.discount ?? 0n])

export const indexWords = (index: RateIndex): Words => [
  ...[index.kind, index.caps.rhoMaxQ64, index.caps.weeklyBudgetQ64],
  ...[index.discount, index.lastStep, index.bucketQ64, index.carry],
  ...[index.checkpoints.length, ...checkpointWords(index)],
]
export const indexAnswer = (index: RateIndex): Words => [
  ...[index.discount, index.lastStep, index.bucketQ64, index.carry],
  ...checkpointWords(index),
]
