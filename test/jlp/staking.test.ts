import { describe, expect, test } from 'vitest'
import {
  creditStakingRewards,
  custodyOf,
  distribute,
  freeTokens,
  type JlpPool,
  poolAum,
  quoteRedeem,
  type Rejected,
  type Staking,
  settleStakeExits,
  stake,
  stakeable,
  unstake,
} from '../../src/jlp/index.ts'
import { JULY_2025, july2025, q, SOL } from './fixtures.ts'

const SOL_ONE = 1_000_000_000n
const pool = () =>
  july2025({ custodies: { [SOL]: { more: { maxTotalStakedAmountLamports: q(4_000_000n * SOL_ONE) } } } })
const done = (result: Staking | Rejected): JlpPool => {
  if (result.kind === 'rejected') throw new Error(result.code)
  return result.next
}
const sol = (of: JlpPool) => custodyOf(of, SOL).facts

describe('staking of idle SOL', () => {
  test('staked SOL stays in the AUM and cannot be redeemed', () => {
    const staked = done(stake(pool(), SOL, q(3_700_000n * SOL_ONE)))
    expect(poolAum(staked, 'down')).toBe(poolAum(pool(), 'down'))
    expect(freeTokens(custodyOf(staked, SOL))).toBe(1_297_709_325_356_113n)
    expect(quoteRedeem(pool(), { custody: SOL, lp: q(60_000_000_000_000n) })).toMatchObject({
      code: 'weight-below-band',
    })
    expect(quoteRedeem(staked, { custody: SOL, lp: q(60_000_000_000_000n) })).toMatchObject({
      code: 'insufficient-liquidity',
    })
  })

  test('only what is idle, within the limit: owned less locked, less what is staked', () => {
    expect(stakeable(pool(), SOL)).toBe(4_997_709_325_356_113n - 1_290_052_568_390_120n)
    expect(stakeable(july2025({ custodies: { [SOL]: { more: { maxTotalStakedAmountLamports: q(5n) } } } }), SOL)).toBe(
      5n,
    )
    expect(stakeable(july2025(), SOL)).toBe(0n)
    expect(stake(pool(), SOL, q(0n))).toMatchObject({ code: 'zero-amount' })
    const idle = stakeable(pool(), SOL)
    expect(stake(pool(), SOL, q(idle + 1n))).toEqual({
      kind: 'rejected',
      code: 'stake-limit',
      numbers: { wanted: idle + 1n, free: idle },
    })
    expect(stakeable(done(stake(pool(), SOL, idle)), SOL)).toBe(0n)
  })

  test('leaving takes two epochs, and what is leaving cannot leave again', () => {
    const staked = done(stake(pool(), SOL, q(100n * SOL_ONE)))
    const leaving = done(unstake(done(unstake(staked, SOL, q(40n * SOL_ONE), 800n)), SOL, q(20n * SOL_ONE), 801n))
    expect(sol(leaving).totalStakedAmountLamports).toBe(100n * SOL_ONE)
    expect(unstake(leaving, SOL, q(40n * SOL_ONE + 1n), 801n)).toMatchObject({
      code: 'not-staked',
      numbers: { staked: 40n * SOL_ONE },
    })
    expect(unstake(leaving, SOL, q(0n), 801n)).toMatchObject({ code: 'zero-amount' })
    const left = (epoch: bigint) => sol(settleStakeExits(leaving, epoch)).totalStakedAmountLamports
    expect([801n, 802n, 803n].map(left)).toEqual([100n * SOL_ONE, 60n * SOL_ONE, 40n * SOL_ONE])
    expect(settleStakeExits(leaving, 802n).stakeExits).toHaveLength(1)
    expect(settleStakeExits(settleStakeExits(leaving, 803n), 804n)).toEqual(settleStakeExits(leaving, 803n))
  })

  test('rewards go through the fee reserve without being unstaked: 75 % to the pool at the next distribution', () => {
    const staked = done(stake(pool(), SOL, q(100n * SOL_ONE)))
    const credited = creditStakingRewards(staked, SOL, q(4n * SOL_ONE))
    expect(sol(credited).totalStakedAmountLamports).toBe(104n * SOL_ONE)
    expect(poolAum(credited, 'down')).toBe(poolAum(staked, 'down'))
    const { shares, next } = distribute(credited, q(JULY_2025 + 11n))
    expect(shares[0]).toMatchObject({ fees: 4n * SOL_ONE + 4_091_433_472n })
    expect(sol(next).assets.owned - sol(staked).assets.owned).toBe(shares[0]!.pool)
    // Liquid SOL in the token account: owned and reserved less staked, moved by the protocol's part only.
    const account = (of: JlpPool) =>
      sol(of).assets.owned + sol(of).assets.feesReserves - sol(of).totalStakedAmountLamports
    expect([account(credited), account(next)]).toEqual([account(staked), account(staked) - shares[0]!.protocol])
  })
})
