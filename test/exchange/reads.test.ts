import { describe, expect, test } from 'vitest'
import { apyFromRate, formatPercent, type RateQ64, tickRate } from '../../amm/index.ts'
import {
  accountId,
  accountView,
  apply,
  belowMaintenance,
  type Entry,
  execute,
  follow,
  type Instruction,
  liquidationOf,
  lpView,
  marketView,
  ptView,
} from '../../src/exchange/index.ts'
import { meetsMaintenance, valuation } from '../../src/exchange/margin.ts'
import { JLP, type OpenMarket, openMarket } from './market.ts'

const HOUR = 3600

/** A market whose events are followed, as whoever shows positions does. */
const followed = (
  m: OpenMarket,
): { give: (instruction: Instruction) => void; entry: (owner: string) => Entry | undefined } => {
  const entries = new Map<string, Entry>()
  return {
    give: instruction => {
      const result = execute(m.ledger, instruction, m.world)
      if (result.kind === 'refused') throw new Error(result.code)
      follow(entries, result.events, id => m.ledger.markets.get(id)!.pool.rate)
    },
    entry: owner => entries.get(accountId(m.ref(owner))),
  }
}

describe('a margin account as its owner sees it', () => {
  test.each(['long', 'short'] as const)('profit splits into coupons, decay and rate move, which add up (%s)', side => {
    const m = openMarket({ wallets: ['ann', 'bob'] })
    m.fund('ann', 50n * JLP)
    const { give, entry } = followed(m)
    give(m.order('ann', side, { yt: 1000n * JLP }))
    const at = () => accountView(m.ledger, m.ref('ann'), m.world, entry('ann'))
    const opened = at().profit
    expect(opened.coupons).toBe(0n)
    expect(opened.decay + opened.rateMove).toBe(opened.total)

    m.pass(24 * HOUR, 0.4)
    const { profit } = at()
    expect(profit.coupons + profit.decay + profit.rateMove).toBe(profit.total)
    const sign = side === 'long' ? 1n : -1n
    expect(profit.coupons * sign).toBeGreaterThan(0n)
    expect(profit.decay * sign).toBeLessThan(0n)
    // A day of 40 % a year on 1,000 ST is 1.1 JLP.
    expect(Number(profit.coupons * sign) / 1e6).toBeCloseTo((1000 * 0.4) / 365, 1)
    // The rate has not moved since: what was gained by it is still the trade's own impact.
    expect(Number(profit.rateMove - opened.rateMove) / 1e6).toBeCloseTo(0, 1)
  })

  test('a position that is turned by a split begins anew, and an entry that does not fit is not used', () => {
    const m = openMarket({ wallets: ['ann'] })
    m.fund('ann', 50n * JLP)
    const { give, entry } = followed(m)
    give(m.order('ann', 'short', { yt: 100n * JLP }))
    give({ kind: 'split', ...m.ref('ann'), yt: 250n * JLP })
    expect(entry('ann')).toMatchObject({ yt: 150n * JLP, cost: 0n })
    const wrong = { yt: 1n, cost: 5n, rate: m.pool().rate }
    const { profit } = accountView(m.ledger, m.ref('ann'), m.world, wrong)
    expect(profit).toEqual({ total: profit.total, coupons: 0n, decay: 0n, rateMove: profit.total })
  })

  test.each(['long', 'short'] as const)('the liquidation rate is the first at which maintenance fails (%s)', side => {
    const m = openMarket({ wallets: ['ann'], liquidity: [{ jlp: 100_000n * JLP }] })
    m.fund('ann', 10n * JLP)
    m.must(m.order('ann', side, { st: 80n * JLP }))
    const { liquidationRate, healthy } = accountView(m.ledger, m.ref('ann'), m.world)
    expect(healthy).toBe(true)
    const holdsAt = (rate: bigint): boolean => {
      const market = m.market()
      const at = valuation(market, m.ledger.indices[market.kind], rate as RateQ64, rate as RateQ64)
      return meetsMaintenance(m.account('ann'), at, market.terms)
    }
    const inward = side === 'long' ? 1n : -1n
    expect(holdsAt(liquidationRate!)).toBe(false)
    expect(holdsAt(liquidationRate! + inward)).toBe(true)
  })

  test('what a keeper is told to do can be done', () => {
    const m = openMarket({ wallets: ['ann', 'bob'], liquidity: [{ jlp: 20_000n * JLP }] })
    m.fund('ann', 10n * JLP)
    m.must(m.order('ann', 'long', { st: 88n * JLP }))
    expect(liquidationOf(m.ledger, m.ref('ann'), m.world)).toBeUndefined()
    let done = 0
    for (let hour = 0; hour < 24 * 40; hour++) {
      m.pass(HOUR, 0)
      for (const ref of belowMaintenance(m.ledger, m.id, m.world)) {
        const due = liquidationOf(m.ledger, ref, m.world)
        if (due === undefined) continue
        const before = accountView(m.ledger, ref, m.world)
        m.must(
          due === 'take-over'
            ? { kind: 'take-over', ...ref }
            : { kind: 'liquidate', ...ref, by: 'bob', yt: due.liquidate },
        )
        const after = accountView(m.ledger, ref, m.world)
        if (after.yt !== 0n) expect(after.ratioAtTwap!).toBeGreaterThan(before.ratioAtTwap!)
        done += 1
      }
    }
    expect(done).toBeGreaterThan(0)
  })
})

describe('a market, its liquidity and its PT', () => {
  test('the market: prices add up, equity of LPs is that of its positions, leverage falls towards maturity', () => {
    const m = openMarket({ wallets: ['ann', 'sam'] })
    m.fund('ann', 50n * JLP)
    m.must(m.order('ann', 'long', { yt: 1000n * JLP }))
    m.must(m.ptOrder('sam', 'buy-pt', { st: 500n * JLP }))
    const view = marketView(m.ledger, m.id, m.world)
    expect(view.ytPrice + view.ptPrice).toBe(1n << 64n)
    expect(view.impliedApy).toBe(apyFromRate(m.pool().rate))
    expect(view.longYt).toBe(1000n * JLP)
    const leading = (35n << 64n) / 100n
    expect(marketView(m.ledger, m.id, m.world, leading).leadingEdge).toBe(leading - view.impliedApy)
    expect(view.leadingEdge).toBeUndefined()
    const [held] = [...m.ledger.positions.values()]
    const lp = lpView(m.ledger, held!, m.world)
    // The O(1) figure counts the 1,000 atoms of the market's beginning and what roundings have left.
    expect(Number(view.lpEquity - lp.value)).toBeGreaterThanOrEqual(990)
    expect(Number(view.lpEquity - lp.value)).toBeLessThan(1100)
    expect(lp.apr).toBeUndefined()
    m.pass(84 * 24 * HOUR, 0.3)
    const late = marketView(m.ledger, m.id, m.world)
    expect(late.mostLeverage.short).toBeLessThan(view.mostLeverage.short)
  })

  test('LP earnings by source since a moment, and their APR', () => {
    const m = openMarket({ wallets: ['ann'] })
    const [held] = [...m.ledger.positions.values()]
    const since = { position: held!.position, at: m.world.now }
    m.fund('ann', 100n * JLP)
    m.must(m.order('ann', 'long', { yt: 1000n * JLP }, { spot: true }))
    m.pass(10 * 24 * HOUR, 0.3)
    const view = lpView(m.ledger, [...m.ledger.positions.values()][0]!, m.world, since)
    expect(view.earned.fees).toBeGreaterThan(0n)
    expect(view.earned.accrued).toBeGreaterThan(0n)
    const perYear = (Number(view.earned.fees + view.earned.accrued) / Number(view.value)) * 36.5
    expect(Number(view.apr) / 2 ** 64).toBeCloseTo(perYear, 2)
  })

  test('PT: the fixed APY is the implied one; at maturity it is worth what it redeems at', () => {
    const m = openMarket({ wallets: ['sam'] })
    m.must(m.ptOrder('sam', 'buy-pt', { st: 500n * JLP }))
    const pt = m.pt('sam')
    const view = ptView(m.ledger, m.id, pt, m.world)
    expect(view.fixedApy).toBe(apyFromRate(m.pool().rate))
    expect(view.exitFilled).toBe(pt)
    expect(view.exitValue).toBeLessThan(view.value)
    m.mature(0.3)
    const after = ptView(m.ledger, m.id, pt, m.world)
    const result = apply(m.ledger, { kind: 'redeem-pt', market: m.id, owner: 'sam', pt }, m.world)
    expect(result.kind).toBe('applied')
    if (result.kind === 'applied') expect(result.changes.balances.get('jlp:sam')! - m.balance('sam')).toBe(after.value)
  })

  test('APYs read as people write them', () => {
    expect(formatPercent(apyFromRate(tickRate(2830)))).toBe('32.71%')
  })
})
