/** The random campaigns by name: each runs `size` units of work and says what it did. Tests and `npm run fuzz` share them. */
import type { Random } from '../generate/random.ts'
import { histories } from './ledger.ts'
import { singleStretch } from './single-stretch.ts'
import { oracleHistories } from './twap.ts'
import { walks } from './walk.ts'

export interface Campaign {
  readonly unit: string
  /** The counter that a run of `size` brings to `size` or more. */
  readonly counted: string
  /** Units of a smoke run and of one round of the fuzzer. */
  readonly smoke: number
  readonly round: number
  readonly run: (random: Random, size: number) => Readonly<Record<string, number>>
}

export const CAMPAIGNS: Readonly<Record<string, Campaign>> = {
  'single-stretch': {
    unit: 'amounts compared with the 60-digit model',
    counted: 'compared',
    smoke: 1500,
    round: 20_000,
    run: (random, size) => ({ ...singleStretch(random, size) }),
  },
  walk: {
    unit: 'trades across ticks, gaps and limits',
    counted: 'trades',
    smoke: 400,
    round: 3000,
    run: (random, size) => ({ ...walks(random, size) }),
  },
  ledger: {
    unit: 'histories of 40 steps with both ledger identities',
    counted: 'histories',
    smoke: 25,
    round: 200,
    run: (random, size) => ({ ...histories(random, size, 40) }),
  },
  twap: {
    unit: 'histories of the rate oracle',
    counted: 'histories',
    smoke: 10,
    round: 200,
    run: (random, size) => oracleHistories(random, size),
  },
}
