/**
 * Rows of the benchmark for reading account bytes: 1,000 pools of six custodies, and as many custodies and positions, each with
 * figures of its own so that nothing can be remembered from one to the next.
 */

import { PERPETUALS_IDL } from '../../src/jupiter/accounts.ts'
import { type AccountBytes, decodeCustody, decodePool, decodePosition } from '../../src/jupiter/decode.ts'
import { encodeCustody, encodePool, encodePosition } from '../../src/jupiter/encode.ts'
import type { TokenAtoms, UsdX6 } from '../../src/jupiter/facts.ts'
import { POOL_2026, POSITIONS_2026, SOL_2026 } from '../jupiter/fixtures/slot-450101361.ts'

export interface DecodeRow {
  readonly name: string
  /** Accounts a second that the project promises on one core. */
  readonly floor?: number
  /** Reads the i-th account, and gives a number out of it. */
  readonly run: (i?: number) => number
}

const ACCOUNTS = 1000

const accounts = (address: string, make: (i: bigint) => Uint8Array): AccountBytes[] =>
  Array.from({ length: ACCOUNTS }, (_, i) => ({
    address,
    owner: PERPETUALS_IDL.address,
    data: make(BigInt(i)),
    slot: 450_101_361n,
  }))

export const decodeRows = (): DecodeRow[] => {
  const { facts: pool } = POOL_2026
  const { facts: custody } = SOL_2026
  const { facts: position } = POSITIONS_2026[2]!
  const turned = (i: bigint): string[] => pool.custodies.map((_, at) => pool.custodies[(at + Number(i)) % 6]!)
  const pools = accounts(POOL_2026.address, i =>
    encodePool({ ...pool, custodies: turned(i), aumUsd: (pool.aumUsd + i) as UsdX6 }),
  )
  const custodies = accounts(SOL_2026.address, i =>
    encodeCustody({ ...custody, assets: { ...custody.assets, owned: (custody.assets.owned + i) as TokenAtoms } }),
  )
  const positions = accounts(POSITIONS_2026[2]!.address, i =>
    encodePosition({ ...position, sizeUsd: (position.sizeUsd + i) as UsdX6 }),
  )
  return [
    {
      name: 'decode-pool',
      floor: 50_000,
      run: (i = 0) => decodePool(pools[i % ACCOUNTS]!).custodies.length,
    },
    { name: 'decode-custody', run: (i = 0) => decodeCustody(custodies[i % ACCOUNTS]!).decimals },
    { name: 'decode-position', run: (i = 0) => decodePosition(positions[i % ACCOUNTS]!).bump },
  ]
}
