/** No sequence of mint, redeem and swap at fixed prices takes value out of the pool (invariant I12; T020, T022, T023, T024). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JlpPool, poolAum, quoteMint, quoteRedeem, quoteSwap, virtualPrice } from '../../src/jlp/index.ts'
import { july2025, q, SOL, SUPPLY_2025, USDC, USDT } from './fixtures.ts'
import { CUSTODIES, exactAumX24, held, lockedWithin, poolFrom, poolSeed, valueX24 } from './generators.ts'

interface Step {
  readonly kind: 'mint' | 'redeem' | 'swap'
  readonly from: number
  readonly to: number
  /** Of what the user has, in parts of 10^9; or so many atoms. */
  readonly part: number
  readonly atoms: bigint | undefined
}
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('mint', 'redeem', 'swap'),
  from: fc.nat({ max: 4 }),
  to: fc.nat({ max: 4 }),
  part: fc.nat({ max: 1_000_000_000 }),
  atoms: fc.option(fc.bigInt({ min: 1n, max: 2_000n }), { nil: undefined, freq: 3 }),
})

interface User {
  readonly tokens: readonly bigint[]
  readonly lp: bigint
}

const changed = (tokens: readonly bigint[], index: number, by: bigint): bigint[] =>
  tokens.map((amount, i) => (i === index ? amount + by : amount))

/** The user's trade, if it is not refused. */
const take = (pool: JlpPool, user: User, { kind, from, to, part, atoms }: Step): { pool: JlpPool; user: User } => {
  const of = (all: bigint): bigint =>
    atoms !== undefined && atoms < all ? atoms : (all * BigInt(part)) / 1_000_000_000n
  const custody = CUSTODIES[from]!
  if (kind === 'redeem') {
    const lp = of(user.lp)
    const quote = quoteRedeem(pool, { custody, lp: q(lp) })
    if (quote.kind === 'rejected') return { pool, user }
    return { pool: quote.next, user: { tokens: changed(user.tokens, from, quote.tokens), lp: user.lp - lp } }
  }
  const amount = of(user.tokens[from]!)
  const paid = changed(user.tokens, from, -amount)
  if (kind === 'mint') {
    const quote = quoteMint(pool, { custody, amount: q(amount) })
    if (quote.kind === 'rejected') return { pool, user }
    return { pool: quote.next, user: { tokens: paid, lp: user.lp + quote.lp } }
  }
  const quote = quoteSwap(pool, { from: custody, to: CUSTODIES[to]!, amount: q(amount) })
  if (quote.kind === 'rejected') return { pool, user }
  return { pool: quote.next, user: { tokens: changed(paid, to, quote.tokens), lp: user.lp } }
}

/** Wealth at the pool's prices, exactly, as a fraction: tokens at their value, JLP at its part of the unrounded AUM. */
const wealth = (pool: JlpPool, { tokens, lp }: User): { readonly num: bigint; readonly den: bigint } => ({
  num: tokens.reduce((sum, amount, i) => sum + valueX24(pool, i, amount), 0n) * pool.supply + lp * exactAumX24(pool),
  den: pool.supply,
})

describe('no value out: mint, redeem and swap at fixed prices', () => {
  let traded = 0
  const scene = fc.record({
    seed: poolSeed,
    /** Of what the pool owns of each token, in parts of 8 * 10^9. */
    tokenParts: fc.tuple(...CUSTODIES.map(() => fc.nat({ max: 1_000_000_000 }))),
    lpPart: fc.nat({ max: 1_000_000_000 }),
    steps: fc.array(step, { minLength: 1, maxLength: 25 }),
  })

  test('T020 no dust and no size profits: a user’s wealth never rises, the virtual price never falls, fees conserve to the atom', () => {
    fc.assert(
      fc.property(scene, ({ seed, tokenParts, lpPart, steps }) => {
        const start = poolFrom(seed)
        const tokens = start.custodies.map(
          ({ facts }, i) => (facts.assets.owned * BigInt(tokenParts[i]!)) / 8_000_000_000n,
        )
        let pool = start
        let user: User = { tokens, lp: (start.supply * BigInt(lpPart)) / 1_000_000_000n }
        for (const next of steps) {
          const after = take(pool, user, next)
          if (after.pool === pool) continue
          traded++
          const [was, is] = [wealth(pool, user), wealth(after.pool, after.user)]
          expect(is.num * was.den <= was.num * is.den, `wealth rose: ${next.kind}`).toBe(true)
          if (after.pool.supply > 0n) {
            // Everybody else's JLP: the published figure and the unrounded one.
            const price = (of: JlpPool) => virtualPrice(poolAum(of, 'down'), of.supply, 'down')
            expect(price(after.pool)).toBeGreaterThanOrEqual(price(pool))
            const [a, b] = [exactAumX24(pool), exactAumX24(after.pool)]
            expect(b * pool.supply >= a * after.pool.supply, `price fell: ${next.kind}`).toBe(true)
          }
          // Whatever left the user arrived, atom for atom, in what the pool owns or in its reserves.
          const before = held(pool)
          const moved = held(after.pool).map((amount, i) => amount - before[i]!)
          expect(moved).toEqual(user.tokens.map((amount, i) => amount - after.user.tokens[i]!))
          const reserves = (of: JlpPool) => of.custodies.map(({ facts }) => facts.assets.feesReserves)
          const grown = reserves(after.pool).map((amount, i) => amount - reserves(pool)[i]!)
          expect(grown.every(amount => amount >= 0n)).toBe(true)
          expect(lockedWithin(after.pool)).toBe(true)
          pool = after.pool
          user = after.user
        }
      }),
      { numRuns: 400 },
    )
  })

  test('the property did trade: most steps were not refused', () => {
    expect(traded).toBeGreaterThan(1_000)
  })

  test('T023 mint and redeem in a loop: 1,000 times with one atom and with $1, never more than at the start', () => {
    for (const amount of [1n, 7n, 1_000_000n]) {
      let pool = july2025({
        facts: { fees: { ...july2025().facts.fees, addRemoveLiquidityBps: q(0n), taxBps: q(0n) } },
      })
      let usdc = amount * 1_000n
      const start = usdc
      for (let i = 0; i < 1_000; i++) {
        const minted = quoteMint(pool, { custody: USDC, amount: q(amount) })
        if (minted.kind === 'rejected') continue // an atom is worth less than an atom of JLP
        const redeemed = quoteRedeem(minted.next, { custody: USDC, lp: minted.lp })
        usdc -= amount
        if (redeemed.kind === 'rejected') continue
        pool = redeemed.next
        usdc += redeemed.tokens
      }
      expect(usdc).toBeLessThanOrEqual(start)
    }
  })

  test('T024 there and back loses: a swap and its way back return no more than went in', () => {
    fc.assert(
      fc.property(
        poolSeed,
        fc.nat({ max: 4 }),
        fc.nat({ max: 4 }),
        fc.bigInt({ min: 1n, max: 10n ** 13n }),
        (seed, from, to, amount) => {
          const pool = poolFrom(seed)
          const there = quoteSwap(pool, { from: CUSTODIES[from]!, to: CUSTODIES[to]!, amount: q(amount) })
          if (there.kind === 'rejected') return
          const back = quoteSwap(there.next, { from: CUSTODIES[to]!, to: CUSTODIES[from]!, amount: there.tokens })
          if (back.kind === 'rejected') return
          expect(back.tokens).toBeLessThanOrEqual(amount)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('a depeg is no way out: USDC at $0.90 comes in at its price and leaves at $1', () => {
    const pool = july2025({
      prices: { USDC: '0.9' },
      facts: { limit: { ...july2025().facts.limit, tokenWeightageBufferBps: q(9000n) } },
    })
    const minted = quoteMint(pool, { custody: USDC, amount: q(1_000_000_000n) })
    expect(minted).toMatchObject({ kind: 'quoted' })
    if (minted.kind === 'rejected') return
    expect(minted.mintUsd).toBeLessThanOrEqual(900_000_000n)
    const redeemed = quoteRedeem(minted.next, { custody: USDC, lp: minted.lp })
    expect(redeemed.kind === 'quoted' && redeemed.tokens <= minted.mintUsd).toBe(true)
    const swapped = quoteSwap(pool, { from: SOL, to: USDC, amount: q(1_000_000_000n) })
    expect(swapped.kind === 'quoted' && swapped.tokens <= 153_070_000n).toBe(true)
    const dear = july2025({ prices: { USDC: '1.1' } })
    const taken = quoteMint(dear, { custody: USDC, amount: q(1_000_000_000n) })
    expect(taken.kind === 'quoted' && taken.mintUsd <= 1_000_000_000n).toBe(true)
  })

  test('rounding is always for the pool: the smallest amounts give nothing, and their refusal names it', () => {
    const pool = july2025()
    expect(quoteRedeem(pool, { custody: SOL, lp: q(1n) })).toMatchObject({ kind: 'quoted' }) // 4.5 millionths of a dollar in SOL
    expect(quoteRedeem(pool, { custody: USDC, lp: q(1n) })).toMatchObject({ kind: 'quoted', tokens: 3n, fee: 1n })
    expect(quoteMint(pool, { custody: USDC, amount: q(4n) })).toMatchObject({ kind: 'rejected', code: 'too-small' })
    expect(quoteMint(pool, { custody: USDC, amount: q(6n) })).toMatchObject({ kind: 'quoted', lp: 1n, fee: 1n })
    expect(quoteRedeem(pool, { custody: USDT, lp: q(1n) })).toMatchObject({ kind: 'quoted', tokens: 4n, fee: 0n })
    expect(quoteRedeem(pool, { custody: USDT, lp: q(SUPPLY_2025) })).toMatchObject({ code: 'insufficient-liquidity' })
  })
})
