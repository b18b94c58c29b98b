/** A market to ask questions of: made from what a person names, with nobody in it but one provider of liquidity. */
import {
  type CouponKind,
  type JlpAtoms,
  liquidityForDeposit,
  parseMarketName,
  rateFromApy,
  tickAtRate,
} from '../../amm/index.ts'
import { balanceId, createLedger, DEFAULT_TERMS, type Exchange, execute, type World } from '../exchange/index.ts'
import { HOUR_SECONDS } from '../oracle/index.ts'
import { check, refused } from './errors.ts'

/** Where a strategy starts: an exchange, which it leaves as it is, one of its markets and the moment. */
export interface Place {
  readonly state: Exchange
  readonly market: string
  readonly world: World
}

/** What `setUp` builds. APYs are Q64.64 fractions. */
export interface MarketSetup {
  readonly coupon?: CouponKind
  /** To maturity, to the hour. */
  readonly days: number
  readonly apy: bigint
  /** JLP atoms of liquidity over the range. */
  readonly liquidity: bigint
  readonly lower: bigint
  readonly upper: bigint
}

/** JLP in existence in a sandbox, atoms: 10^9 JLP, so that the cap on open interest is not what a question runs into. */
const SUPPLY = 10n ** 15n
/** The rate oracle needs one window before a margined trade. */
export const SETTLED_AFTER = 300
/** A market is opened at most two years ahead. */
const MOST_DAYS = 730

/** The ticks at or below two APYs, on the default grid. */
export const ticksOf = (lower: bigint, upper: bigint): { lower: number; upper: number } => {
  const { grid } = DEFAULT_TERMS.hourly
  const ticks = { lower: tickAtRate(rateFromApy(lower), grid), upper: tickAtRate(rateFromApy(upper), grid) }
  check(
    ticks.lower >= grid.minTick && ticks.upper <= grid.maxTick && ticks.lower < ticks.upper,
    'A range goes from a lower to a higher APY, within 0.51 % and 300 %',
  )
  return ticks
}

/** A market with liquidity over the ticks at or below the two APYs, and one window of history. */
export const setUp = ({ coupon = 'hourly', days, apy, liquidity: jlp, lower, upper }: MarketSetup): Place => {
  const hours = Math.round(days * 24)
  check(hours >= 1 && days <= MOST_DAYS, `Time to maturity is from an hour to ${MOST_DAYS} days`)
  // Any maturity will do: nothing but the time that is left to it counts.
  const market = `JLP-2411${coupon === 'weekly' ? '-W' : ''}`
  const { maturity } = parseMarketName(market)
  const start = maturity - hours * HOUR_SECONDS
  const state = createLedger({
    config: { authority: 'nobody', pauser: 'nobody', treasury: 'nobody' },
    lastStep: start,
    balances: [[balanceId('jlp', 'provider'), SUPPLY]],
  })
  const world = { now: start, jlpSupply: SUPPLY, weeklyUpdatedAt: start }
  const run = (instruction: Parameters<typeof execute>[1]): void => {
    const result = execute(state, instruction, world)
    if (result.kind === 'refused') throw refused(result)
  }
  const range = { market, owner: 'provider', ...ticksOf(lower, upper) }
  run({ kind: 'create-market', by: 'provider', coupon, maturity, rate: rateFromApy(apy) })
  run({ kind: 'open-position', ...range })
  const { pool } = state.markets.get(market)!
  const liquidity = liquidityForDeposit(pool, range.lower, range.upper, jlp as JlpAtoms)
  const rates = { minRate: pool.rate, maxRate: pool.rate }
  run({ kind: 'add-liquidity', ...range, liquidity, maximum: jlp, ...rates, deadline: start })
  return { state, market, world: { ...world, now: start + SETTLED_AFTER } }
}
