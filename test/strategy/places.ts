import { parsePercent } from '../../amm/index.ts'
import { type MarketSetup, type Place, setUp } from '../../src/strategy/index.ts'

/** The pool of docs/protocol.md section 10; any part of it can be set otherwise. */
export const headline = (other: Partial<MarketSetup> = {}): Place =>
  setUp({
    days: 86,
    apy: parsePercent('32.712%'),
    liquidity: 569_000_000n,
    lower: parsePercent('25%'),
    upper: parsePercent('45%'),
    ...other,
  })

/** 1 JLP of margin at 10x. */
export const TEN_TIMES = { side: 'long', margin: 1_000_000n, amount: { st: 10_000_000n } } as const
