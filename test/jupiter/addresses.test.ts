import { describe, expect, test } from 'vitest'
import * as at from '../../src/jupiter/addresses.ts'
import type { CustodyFacts } from '../../src/jupiter/facts.ts'
import { CUSTODIES_2025, POOL_2025, POOL_2026, POSITIONS_2026, SOL_2026, USDC_2026 } from './fixtures/index.ts'

const refuses = (check: () => void): void =>
  expect(check).toThrow(expect.objectContaining({ name: 'JupiterError', code: 'wrong-address' }))

describe('derived addresses', () => {
  test('the pool and its mint', () => {
    expect(at.PERPETUALS_PROGRAM).toBe('PERPHjGBqRHArX4DySjwM6UJHiR3sWAatqfdBS2qQJu')
    expect(at.DOVES_PROGRAM).toBe('DoVEsk76QybCEHQGzkvYPWLQu9gzNoZZZt3TPiL597e')
    expect(at.derivePool()).toEqual({ address: at.POOL_ADDRESS, bump: 252 })
    expect(at.POOL_ADDRESS).toBe('5BUwFW4nRbftYTDMbgxykoFWqWHPzahFSNAaaaJtVKsq')
    expect(at.deriveLpMint(at.POOL_ADDRESS)).toEqual({ address: at.JLP_MINT, bump: 254 })
    expect(at.JLP_MINT).toBe('27G8MtK7VtTcCHkpASjSDdkWWYfoqT6ggEuKidVJidD4')
  })

  test.each(at.KNOWN_CUSTODIES)('$symbol: custody and token account', ({ mint, custody, tokenAccount }) => {
    expect(at.deriveCustody(at.POOL_ADDRESS, mint).address).toBe(custody)
    expect(at.deriveCustodyTokenAccount(at.POOL_ADDRESS, mint).address).toBe(tokenAccount)
  })

  test('the known custodies are the pool’s, in its order, five in 2025 and six in 2026', () => {
    const known = at.KNOWN_CUSTODIES.map(({ custody }) => custody)
    expect(known).toEqual(POOL_2026.facts.custodies)
    expect(known.slice(0, 5)).toEqual(POOL_2025.facts.custodies)
    for (const { facts } of [...CUSTODIES_2025, SOL_2026, USDC_2026]) {
      const found = at.KNOWN_CUSTODIES.find(({ mint }) => mint === facts.mint)
      expect(found).toMatchObject({ decimals: facts.decimals, tokenAccount: facts.tokenAccount })
    }
  })

  test.each(POSITIONS_2026)('position $address', ({ address, facts }) => {
    if (facts.side === 'none') throw new Error('not in these fixtures')
    expect(at.derivePosition({ ...facts, side: facts.side })).toEqual({ address, bump: facts.bump })
  })

  test('error: wrong-address: seeds that are no addresses, or too long', () => {
    refuses(() => at.deriveLpMint('nowhere'))
    refuses(() => at.deriveCustody(at.POOL_ADDRESS, `${at.JLP_MINT}1`))
    refuses(() => at.derivePool('x'.repeat(33)))
    expect(at.derivePool('x'.repeat(32)).address).not.toBe(at.POOL_ADDRESS)
  })
})

describe('checking', () => {
  const elsewhere = 'AQCGyheWPLeo6Qp9WpYS9m3Qj479t7R636N9ey1rEjEn'

  test('every restated account is where its seeds say', () => {
    for (const pool of [POOL_2025, POOL_2026]) at.checkPoolAddress(pool, pool.facts)
    for (const custody of [...CUSTODIES_2025, SOL_2026, USDC_2026]) at.checkCustodyAddress(custody, custody.facts)
    for (const position of POSITIONS_2026) at.checkPositionAddress(position, position.facts)
  })

  test('error: wrong-address: a pool', () => {
    const { address, slot, facts } = POOL_2026
    refuses(() => at.checkPoolAddress({ address: elsewhere }, facts))
    refuses(() => at.checkPoolAddress({ address }, { ...facts, name: 'Pool 2' }))
    refuses(() => at.checkPoolAddress({ address }, { ...facts, bump: 251 }))
    refuses(() => at.checkPoolAddress({ address }, { ...facts, lpTokenBump: 255 }))
    const context = { address: elsewhere, slot, found: elsewhere, expected: address }
    expect(() => at.checkPoolAddress({ address: elsewhere, slot }, facts)).toThrow(
      expect.objectContaining({ context: expect.objectContaining(context) }),
    )
  })

  test('error: wrong-address: a custody', () => {
    const { address, facts } = SOL_2026
    const refusesWith = (change: Partial<CustodyFacts>): void =>
      refuses(() => at.checkCustodyAddress({ address }, { ...facts, ...change }))
    refuses(() => at.checkCustodyAddress({ address: elsewhere }, facts))
    refusesWith({ pool: elsewhere })
    refusesWith({ mint: USDC_2026.facts.mint })
    refusesWith({ bump: 252 })
    refusesWith({ tokenAccount: USDC_2026.facts.tokenAccount })
    refusesWith({ tokenAccountBump: 254 })
  })

  test('error: wrong-address: a position', () => {
    const { address, facts } = POSITIONS_2026[1]!
    refuses(() => at.checkPositionAddress({ address: elsewhere }, facts))
    refuses(() => at.checkPositionAddress({ address }, { ...facts, owner: elsewhere }))
    refuses(() => at.checkPositionAddress({ address }, { ...facts, side: 'long' }))
    refuses(() => at.checkPositionAddress({ address }, { ...facts, side: 'none' }))
    refuses(() => at.checkPositionAddress({ address }, { ...facts, bump: 254 }))
  })
})
