/** The random campaigns by name: each runs `size` units of work and says what it did. Tests and `npm run fuzz` share them. */
import type { Random } from '../generate/random.ts'
import { exchangeLives, figures } from './exchange.ts'
import { modelFigures, modelHistories } from './exchange-model.ts'
import { profitFigures, profitSearch } from './exchange-profit.ts'
import { histories } from './ledger.ts'
import { programFigures, programLives } from './program.ts'
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
  exchange: {
    unit: 'operations applied in whole lives of an exchange, every law after each',
    counted: 'applied',
    smoke: 1000,
    round: 6000,
    run: (random, size) => figures(exchangeLives(random, size)),
  },
  'exchange-profit': {
    unit: 'sequences of a ring of wallets that looks for a gain',
    counted: 'sequences',
    smoke: 60,
    round: 600,
    run: (random, size) => profitFigures(profitSearch(random, size)),
  },
  'exchange-model': {
    unit: 'histories of an exchange beside the slow model',
    counted: 'histories',
    smoke: 3,
    round: 30,
    run: (random, size) => modelFigures(modelHistories(random, size, 80)),
  },
  program: {
    unit: 'instructions asked of the on-chain program and of the engine, everything compared',
    counted: 'asked',
    smoke: 300,
    round: 3000,
    run: (random, size) => programFigures(programLives(random, size)),
  },
}
