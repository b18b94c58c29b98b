/** Moves of a ring as data: drawn, varied a little, played again. */
import type { Random } from '../generate/random.ts'

export const WALLETS = ['ring-a', 'ring-b', 'ring-c'] as const
export const SUBS = [0, 1] as const

const ACTS = [
  'deposit',
  'withdraw',
  'long',
  'short',
  'spot-long',
  'spot-short',
  'reduce',
  'close',
  'split',
  'merge',
  'buy-pt',
  'sell-pt',
  'transfer-margin',
  'transfer-yt',
  'liquidate',
  'take-over',
] as const
const LP_ACTS = ['add', 'remove', 'zap', 'collect'] as const
type Act = (typeof ACTS)[number] | (typeof LP_ACTS)[number] | 'reduce-fund' | 'wait'

export interface Move {
  readonly act: Act
  readonly who: number
  readonly sub: number
  readonly toWho: number
  readonly toSub: number
  /** Of what there is, in 2^-16; 0 for `dust` atoms. */
  readonly share: number
  readonly dust: bigint
  readonly bySt: boolean
  readonly range: number
}

/** What a ring may do besides trading: provide liquidity, have the fund's position reduced, let seconds go by. */
export interface Licence {
  readonly lp: boolean
  readonly fund: boolean
  readonly wait: boolean
}

export const randomMove = (random: Random, { lp, fund, wait }: Licence): Move => {
  const acts: Act[] = [...ACTS]
  if (lp) acts.push(...LP_ACTS)
  if (fund) acts.push('reduce-fund', 'reduce-fund', 'reduce-fund')
  if (wait) acts.push('wait', 'wait')
  return {
    act: random.pick(acts),
    who: random.int(0, WALLETS.length - 1),
    sub: random.pick(SUBS),
    toWho: random.int(0, WALLETS.length - 1),
    toSub: random.pick(SUBS),
    share: random.pick([0, 65_536, random.int(1, 65_536), random.int(1, 4000)]),
    dust: random.big(1n, random.pick([3n, 200n, 100_000n])),
    bySt: random.int(0, 2) === 0,
    range: random.int(0, 4),
  }
}

export const vary = (random: Random, move: Move, licence: Licence): Move => {
  const other = randomMove(random, licence)
  const factor = random.int(30, 170)
  return random.pick<Move>([
    other,
    { ...move, share: Math.min(65_536, Math.max(1, Math.round((move.share * factor) / 100))) },
    { ...move, dust: other.dust, share: 0 },
    { ...move, who: other.who, sub: other.sub },
    { ...move, toWho: other.toWho, toSub: other.toSub },
    { ...move, bySt: other.bySt, range: other.range },
  ])
}

/** Attacks that people have made elsewhere, as beginnings: in front of one's own trade on credit, push and liquidate, just in time. */
const BEGINNINGS: readonly (readonly (readonly [Act, number])[])[] = [
  [
    ['spot-long', 0],
    ['long', 1],
    ['close', 0],
    ['withdraw', 1],
  ],
  [
    ['buy-pt', 0],
    ['short', 1],
    ['sell-pt', 0],
    ['withdraw', 1],
  ],
  [
    ['long', 1],
    ['buy-pt', 0],
    ['wait', 0],
    ['liquidate', 1],
    ['take-over', 1],
    ['sell-pt', 0],
  ],
  [
    ['short', 1],
    ['spot-long', 0],
    ['wait', 0],
    ['liquidate', 1],
    ['take-over', 1],
    ['close', 0],
  ],
  [
    ['spot-long', 0],
    ['wait', 0],
    ['long', 1],
    ['withdraw', 1],
    ['close', 0],
    ['close', 1],
  ],
  [
    ['add', 0],
    ['long', 1],
    ['wait', 0],
    ['remove', 0],
    ['close', 1],
  ],
  [
    ['long', 0],
    ['short', 1],
    ['transfer-margin', 0],
    ['close', 0],
    ['close', 1],
  ],
]

/** A known attack with amounts of chance, as far as the licence goes. */
export const beginning = (random: Random, licence: Licence): Move[] =>
  random
    .pick(BEGINNINGS)
    .filter(([act]) => (act !== 'wait' || licence.wait) && (licence.lp || !['add', 'remove'].includes(act)))
    .map(([act, who]) => ({
      ...randomMove(random, licence),
      act,
      who,
      sub: 0,
      share: act === 'close' || act.startsWith('li') ? 65_536 : random.int(500, 65_536),
      bySt: false,
    }))
