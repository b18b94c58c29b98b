/**
 * What every instruction costs, in compute units of a local chain, transfers and the event included: the rows of
 * docs/compute-units.md and of `npm run bench:program`. They do not depend on the machine.
 */
import { INSTRUCTION_NAMES } from '../../src/client/index.ts'
import { type Instruction, liquidationOf } from '../../src/exchange/index.ts'
import { callOf } from '../campaigns/program-calls.ts'
import { ANY_RATE, JLP, NEVER, type OpenMarket, openMarket } from '../exchange/market.ts'
import { caseOf, chainOf, run, running } from './cases.ts'
import type { LocalChain, Outcome } from './harness.ts'

export interface Row {
  /** As in the IDL but with hyphens, with what is special about it behind. */
  readonly instruction: string
  readonly computeUnits: number
  /** What the project promises. */
  readonly ceiling: number
  readonly means: string
}

/** No instruction costs more, whatever it meets. */
export const MOST = 120_000
const CEILINGS: Readonly<Record<string, number>> = {
  trade: 15_000,
  'trade-spot': 20_000,
  'buy-pt': 20_000,
  'sell-pt': 20_000,
  accrue: 10_000,
  liquidate: 25_000,
  roll: 35_000,
}
/** Of each tick that a trade crosses. */
export const MOST_PER_TICK = 1300
export const CROSSINGS = [1, 2, 4, 8, 16, 32, 64] as const

const hyphens = (name: string): string => name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)

const unitsOf = (outcome: Outcome, what: string): number => {
  if (outcome.ok) return outcome.unitsOf.at(-1)!
  throw new Error(`${what}: ${outcome.error?.text}\n${outcome.logs.join('\n')}`)
}

const row = (instruction: string, computeUnits: number, means: string): Row => ({
  instruction,
  computeUnits,
  ceiling: CEILINGS[instruction] ?? MOST,
  means,
})

/** An instruction of the engine on its own scene. */
const played = (m: OpenMarket, instruction: Instruction, chain: LocalChain = chainOf(m)): number =>
  unitsOf(chain.send(callOf(instruction, m.ledger)), instruction.kind)

// ---- trades ---------------------------------------------------------------------------------------------------------------

const RATE_TICK = 2840
/** Liquidity that begins and ends at every tick of the grid for 70 ticks above and below the rate. */
const LADDER = Array.from({ length: 140 }, (_, i) => {
  const lower = RATE_TICK + (i - 70) * 10
  return { jlp: 10n * JLP, lower, upper: lower + 10 }
})
const ladder = (): OpenMarket => {
  const under = { jlp: 100_000n * JLP, lower: RATE_TICK - 1000, upper: RATE_TICK + 1000 }
  const m = openMarket({ wallets: ['ann'], liquidity: [...LADDER, under], apy: '32.84%', history: 900 })
  m.fund('ann', 300_000n * JLP)
  return m
}

/** A limit half a tick behind the one that is so many ticks away. */
const behind = (m: OpenMarket, ticks: number, up: boolean): bigint => {
  const from = m.pool().tick + (up ? 0 : 10)
  return (BigInt(from + (up ? 1 : -1) * (10 * ticks + 5)) << 64n) / 10_000n
}

const crossing = (m: OpenMarket, ticks: number, up: boolean, by: 'yt' | 'st'): number => {
  const amount = { [by]: 10_000_000n * JLP } as { yt: bigint } | { st: bigint }
  const more = { spot: up, limitRate: behind(m, ticks, up) }
  return played(m, m.order('ann', up ? 'long' : 'short', amount, more))
}

const tradeRows = (): Row[] => {
  const m = running().fork()
  m.fund('ann', 100n * JLP, 7) // a flat account, for either side
  const steps = ladder()
  const st = { st: JLP }
  return [
    row('trade-by-st', played(m, m.order('ann', 'long', st)), 'long on margin for exact JLP: the YT are searched for'),
    row('trade-short', played(m, m.order('ann', 'short', { yt: JLP }, { sub: 7 })), 'short on margin, one stretch'),
    row('trade-spot', played(m, m.order('ann', 'long', { yt: JLP }, { sub: 7, spot: true })), 'long without margin'),
    row('trade-reduce', played(m, m.order('ann', 'reduce', { yt: JLP })), ''),
    row('trade-close', played(m, m.order('ann', 'close')), ''),
    ...CROSSINGS.map(n => row(`trade-cross-${n}`, crossing(steps, n, true, 'yt'), `long, ${n} ticks crossed`)),
    row('trade-cross-64-by-st', crossing(steps, 64, true, 'st'), 'the same for exact JLP'),
  ]
}

/** The PT order that searches most: the fewest PT that bring an exact amount of JLP, over 64 ticks. */
const ptRows = (): Row[] => {
  const m = ladder()
  m.must({ kind: 'split', ...m.ref('ann'), yt: 500_000n * JLP })
  const head = { market: m.id, owner: 'ann', limitRate: behind(m, 64, true), minimum: 0n, deadline: NEVER } as const
  const order = { kind: 'sell-pt', ...head, amount: { st: 10_000_000n * JLP } } as const
  return [row('sell-pt-cross-64-by-st', played(m, order), 'PT for exact JLP, 64 ticks crossed')]
}

/** What every instruction costs as `cases.ts` plays it, then trades of every sort. */
export const rows = (): Row[] => [
  ...INSTRUCTION_NAMES.map(name => row(hyphens(name), unitsOf(run(caseOf(name)), name), '')),
  ...tradeRows(),
  ...ptRows(),
]
