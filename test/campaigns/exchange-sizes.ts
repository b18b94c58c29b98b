/** What the campaign's actors take from the kernel and the engine to size their orders; no law is checked with it. */
import { mostLeverage } from '../../src/exchange/index.ts'
import type { Desk } from './exchange-desk.ts'
import type { Market } from './exchange-engine.ts'

export { jlpAtoms, liquidityForDeposit, MAX_LIQUIDITY, MAX_RATE, tickRate } from '../../amm/index.ts'

export interface Range {
  readonly lower: number
  readonly upper: number
}

/** ST leg per margin that is offered now, Q64.64. */
export const mostLeverageOf = (desk: Desk, market: Market, side: 'long' | 'short'): bigint => {
  const { rhoMaxQ64 } = desk.ledger.indices[market.kind].caps
  return mostLeverage(side, market.pool.rate, market.pool.tauSeconds, market.terms, rhoMaxQ64)
}
