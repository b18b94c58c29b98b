import { describe, expect, test } from 'vitest'
import {
  AUM_CAP,
  BORROW,
  eraAt,
  estimateYield,
  INCEPTION,
  LIQUIDITY_FEE,
  POOL_SHARE,
  POSITION_FEE,
  TARGET_WEIGHTS,
  WEIGHT_BUFFER,
} from '../../src/jlp/index.ts'
import { dollars, july2025, poolFacts2026, q, sol2026, usdc2026 } from './fixtures.ts'

const at = (date: string) => eraAt(q(Date.parse(`${date}T00:00:00Z`) / 1000))

describe('parameter eras', () => {
  test('10 bp with 70 %, then 7 bp, then 6 bp with 75 %', () => {
    const terms = (date: string) => [at(date).positionFee.value, at(date).poolShare.value]
    expect(terms('2024-02-01')).toEqual([10n, 7000n])
    expect(terms('2024-07-14')).toEqual([10n, 7000n])
    expect(terms('2024-07-15')).toEqual([7n, 7500n])
    expect(terms('2024-08-07')).toEqual([7n, 7500n])
    expect(terms('2024-08-08')).toEqual([6n, 7500n])
    expect(terms('2026-11-01')).toEqual([6n, 7500n])
  })

  test('the estimates of the documents are those of their eras', () => {
    const day = { volumeUsd: dollars(50_000_000), heldUsd: dollars(1_000), aumUsd: dollars(4_000_000) }
    const holder = (date: string) => {
      const { positionFee, poolShare } = at(date)
      return estimateYield({ ...day, feeBps: positionFee.value, poolShareBps: poolShare.value }).holderUsd
    }
    expect([holder('2024-05-01'), holder('2025-05-01')]).toEqual([dollars(8.75), dollars(5.625)])
  })

  test('what the accounts of 2025-07-07 and 2026-09-24 hold is what their era says', () => {
    const then = at('2025-07-07')
    const { facts, custodies } = july2025()
    expect(then.weightBuffer.value).toBe(facts.limit.tokenWeightageBufferBps)
    expect(then.liquidityFee.value).toBe(facts.fees.addRemoveLiquidityBps)
    expect(then.aumCap?.value).toBe(facts.limit.maxAumUsd)
    expect(10_000n - then.poolShare.value).toBe(facts.fees.protocolShareBps)
    expect(Object.values(then.targetWeights!.value)).toEqual(custodies.map(custody => custody.facts.targetRatioBps))
    const curve = (custody: (typeof custodies)[number]) => {
      const { minRateBps, targetRateBps, maxRateBps } = custody.facts.jumpRateState
      return [minRateBps, targetRateBps, maxRateBps]
    }
    const terms = then.borrow.value
    if (terms.mode !== 'jump') throw new Error('the dual slope was in force')
    expect(Object.values(terms.yearlyBps)).toEqual(custodies.map(curve))
    for (const custody of custodies) expect(then.positionFee.value).toBe(custody.facts.increasePositionBps)
    const now = at('2026-09-24')
    const pool = poolFacts2026()
    expect([now.weightBuffer.value, now.liquidityFee.value, now.aumCap?.value]).toEqual([
      pool.limit.tokenWeightageBufferBps,
      pool.fees.addRemoveLiquidityBps,
      pool.limit.maxAumUsd,
    ])
    const latest = now.borrow.value
    if (latest.mode !== 'jump') throw new Error('the jump rate is in force')
    expect([latest.yearlyBps.SOL, latest.yearlyBps.USDC]).toEqual([curve(sol2026()), curve(usdc2026())])
    expect([latest.kinkBps.SOL, latest.kinkBps.USDC]).toEqual([8000n, 9000n])
  })

  test('borrowing: 0.01 % an hour, 0.008 % for crypto, 0.012 %, then the dual slope', () => {
    const linear = (date: string) => {
      const { value } = at(date).borrow
      return value.mode === 'linear' ? [value.hourlyDbps.SOL, value.hourlyDbps.ETH, value.hourlyDbps.USDC] : value.mode
    }
    expect(['2024-01-01', '2024-08-03', '2024-09-05', '2024-12-01', '2025-01-16'].map(linear)).toEqual([
      [10n, 10n, 10n],
      [10n, 8n, 8n],
      [8n, 8n, 10n],
      [12n, 12n, 12n],
      'jump',
    ])
  })

  test('every entry has a source, entries are in order, and target weights add up', () => {
    for (const timeline of [POSITION_FEE, POOL_SHARE, LIQUIDITY_FEE, WEIGHT_BUFFER, TARGET_WEIGHTS, AUM_CAP, BORROW]) {
      for (const [i, entry] of timeline.entries()) {
        expect(entry.source.length).toBeGreaterThan(20)
        if (i > 0) expect(entry.from).toBeGreaterThan(timeline[i - 1]!.from)
      }
    }
    for (const { value } of TARGET_WEIGHTS)
      expect(Object.values(value).reduce((sum, bps) => sum + bps, 0n)).toBe(10_000n)
  })

  test('unknown is undefined, and before the pool there is no era', () => {
    expect([at('2024-01-01').targetWeights, at('2024-01-01').aumCap]).toEqual([undefined, undefined])
    expect(eraAt(INCEPTION).positionFee.value).toBe(10n)
    expect(() => eraAt(q(INCEPTION - 1n))).toThrow(expect.objectContaining({ code: 'no-era' }))
  })
})
