/**
 * What every instruction costs, in compute units of a local chain, transfers and the event included: the rows of
 * docs/compute-units.md and of `npm run bench:program`. They do not depend on the machine.
 */
import { INSTRUCTION_NAMES } from '../../src/client/index.ts'
import type { Instruction } from '../../src/exchange/index.ts'
import { callOf } from '../campaigns/program-calls.ts'
import { JLP, NEVER, type OpenMarket, openMarket } from '../exchange/market.ts'
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
  'fill-order': 20_000,
  'fill-order-stop': 20_000,
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

/** A stop that reaches for the whole position of an account that stays on margin. */
const stopped = (m: OpenMarket): number => {
  const fork = m.fork()
  fork.must(fork.resting('ann', 'reduce-long', 1n << 61n, { trigger: 'pnl-above', level: -(10n ** 12n), fee: 1000n }))
  return played(fork, fork.filling('ann', 0, 'bob'))
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
    row('fill-order-stop', stopped(m), 'a stop by profit that closes the position'),
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

// ---- the page -------------------------------------------------------------------------------------------------------------

const number = (value: number): string => value.toLocaleString('en')

const table = (some: readonly Row[]): string[] => [
  '| instruction | compute units | at most | |',
  '|---|---|---|---|',
  ...some.map(
    ({ instruction, computeUnits, ceiling, means }) =>
      `| ${instruction} | ${number(computeUnits)} | ${number(ceiling)} | ${means} |`,
  ),
]

/** Dearest tick of each trade that crosses some, all else shared out among them. */
export const perTick = (all: readonly Row[]): number => {
  const [first, ...more] = all.filter(({ instruction }) => /^trade-cross-\d+$/.test(instruction))
  const last = more.at(-1)!
  return Math.ceil((last.computeUnits - first!.computeUnits) / (CROSSINGS.at(-1)! - CROSSINGS[0]))
}

/** docs/compute-units.md. */
export const page = (all: readonly Row[]): string => {
  const known = new Set(INSTRUCTION_NAMES.map(hyphens))
  return `${[
    '# Compute units',
    '',
    'Written by `npm run bench:program` (`-- --json`: a row a line); `test/programs/compute-units.test.ts` holds it to the program, and the program to the ceilings. Units are those of a local chain with the virtual machine of the',
    "validators (LiteSVM), for the instruction alone, token transfers and the event included. They depend on the state, not on the machine. LiteSVM's token program takes 76 to 134 units a transfer; a cluster that still runs the",
    'older one takes about 4,500 for each, which adds 9,000 to a PT trade and nothing to a margin trade, since that moves no tokens.',
    '',
    `A tick crossed costs **${number(perTick(all))}** (at most ${number(MOST_PER_TICK)}); nothing costs more than ${number(MOST)}, but for a forced close at the widest bound that terms may set (10 % of the rate): each of its up to three quotes walks all the ticks, which was 64,390 over 20 of them and would be some 190,000 over 64; at the default bound at most 14 are crossed. For comparison, as published: Orca Whirlpool swap 29,000 to 69,000, Raydium CLMM 64,000 to 152,000, Drift place-and-take 270,000 to 374,000.`,
    '',
    '## Every instruction',
    '',
    'On a market that has not been touched for six minutes and has a coupon to copy, with liquidity in five tick arrays. Creating an account costs about 1,500 for each address that is tried until one lies off the curve.',
    '',
    ...table(all.filter(({ instruction }) => known.has(instruction))),
    '',
    '## Trades',
    '',
    'On a market that has just been touched, but for the first five.',
    '',
    ...table(all.filter(({ instruction }) => !known.has(instruction))),
    '',
    '## What the units go on',
    '',
    'A margined long in one stretch, stage by stage (21 November 2026, by `sol_log_compute_units` between the stages):',
    '',
    '| stage | compute units |',
    '|---|---|',
    '| entry, 9 accounts and 3 tick arrays checked | 1,000 |',
    '| market and index read, rate observed, worst rate noted | 900 |',
    '| account read, coupons paid | 100 |',
    '| is it allowed now | 100 |',
    '| TWAP of 16 buckets | 600 |',
    '| the walk over the curve, the fee, booking (by exact JLP, 3,000 more for the search) | 3,600 |',
    '| account written, its record, the totals | 950 |',
    '| price and gap at spot, at TWAP and at the worst rate found; the initial condition | 2,150 |',
    '| backing: the lowest discount by maturity | 900 |',
    '| open interest | 280 |',
    '| the market written, its record | 700 |',
    '| the event, as a call to itself | 1,200 |',
    '',
    'A coupon to copy adds 1,500, a token transfer about 1,500 (LiteSVM), each further tick array brought 120.',
  ].join('\n')}\n`
}
