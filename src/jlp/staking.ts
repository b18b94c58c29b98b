/**
 * Native staking of idle SOL (jupiter.md 2.14): staked lamports stay part of `owned` but cannot leave the pool, rewards go to the
 * fee reserve without being unstaked, and leaving takes up to two epochs.
 */
import type { Address, TokenAtoms } from '../jupiter/facts.ts'
import { type Rejected, reject } from './errors.ts'
import { custodyOf, type JlpPool, withBalances, withCustody, withFacts } from './pool.ts'
import { larger, smaller, tokenAtoms } from './scale.ts'

/** Deactivation takes at most two epochs, two to three days; the model takes both. */
export const UNSTAKE_EPOCHS = 2n

export interface Staking {
  readonly kind: 'staking'
  readonly next: JlpPool
}

const leaving = (pool: JlpPool, custody: Address): bigint =>
  pool.stakeExits.reduce((sum, exit) => (exit.custody === custody ? sum + exit.lamports : sum), 0n)

const withStaked = (pool: JlpPool, address: Address, staked: bigint): JlpPool =>
  withCustody(pool, withFacts(custodyOf(pool, address), { totalStakedAmountLamports: tokenAtoms(staked) }))

/** Idle SOL that may still be staked: not locked for positions, not staked, within the account's limit. */
export const stakeable = (pool: JlpPool, address: Address): TokenAtoms => {
  const {
    assets,
    totalStakedAmountLamports: staked,
    maxTotalStakedAmountLamports: limit,
  } = custodyOf(pool, address).facts
  return tokenAtoms(larger(smaller(limit, assets.owned - assets.locked) - staked, 0n))
}

export const stake = (pool: JlpPool, address: Address, lamports: TokenAtoms): Staking | Rejected => {
  const wanted = tokenAtoms(lamports)
  const free = stakeable(pool, address)
  if (wanted === 0n) return reject('zero-amount')
  if (wanted > free) return reject('stake-limit', { wanted, free })
  const { totalStakedAmountLamports: staked } = custodyOf(pool, address).facts
  return { kind: 'staking', next: withStaked(pool, address, staked + wanted) }
}

/** Asks for lamports back in `epoch`: they count as staked, and cannot be used, until two epochs later. */
export const unstake = (pool: JlpPool, address: Address, lamports: TokenAtoms, epoch: bigint): Staking | Rejected => {
  const wanted = tokenAtoms(lamports)
  const staked = custodyOf(pool, address).facts.totalStakedAmountLamports - leaving(pool, address)
  if (wanted === 0n) return reject('zero-amount')
  if (wanted > staked) return reject('not-staked', { wanted, staked })
  const exit = { custody: address, lamports: wanted, freeAtEpoch: epoch + UNSTAKE_EPOCHS }
  return { kind: 'staking', next: { ...pool, stakeExits: [...pool.stakeExits, exit] } }
}

/** The pool in `epoch`: what has waited its two epochs is liquid again. */
export const settleStakeExits = (pool: JlpPool, epoch: bigint): JlpPool => {
  let next: JlpPool = { ...pool, stakeExits: pool.stakeExits.filter(exit => exit.freeAtEpoch > epoch) }
  for (const { custody, lamports, freeAtEpoch } of pool.stakeExits) {
    if (freeAtEpoch > epoch) continue
    next = withStaked(next, custody, custodyOf(next, custody).facts.totalStakedAmountLamports - lamports)
  }
  return next
}

/** Staking rewards: into the fee reserve at once, so they are split and counted in the APR; the lamports stay in the stake. */
export const creditStakingRewards = (pool: JlpPool, address: Address, lamports: TokenAtoms): JlpPool => {
  const custody = custodyOf(pool, address)
  const credited = withBalances(custody, { feesReserves: lamports })
  const staked = tokenAtoms(custody.facts.totalStakedAmountLamports + lamports)
  return withCustody(pool, withFacts(credited, { totalStakedAmountLamports: staked }))
}
