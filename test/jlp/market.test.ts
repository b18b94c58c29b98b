import { describe, expect, test } from 'vitest'
import { jlpMarket, poolAum, quoteRedeem, saleRoute } from '../../src/jlp/index.ts'
import { dollars, july2025, poolFacts, q, SOL, USDC, USDT } from './fixtures.ts'

const limits = (maxAumUsd: bigint) => ({ facts: { limit: { ...poolFacts().limit, maxAumUsd: q<'UsdX6'>(maxAumUsd) } } })
const full = () => july2025(limits(poolAum(july2025(), 'up')))

describe('the market of JLP', () => {
  test('below the limit nobody pays a premium: minting is open', () => {
    const market = jlpMarket(july2025(), q(500n))
    expect(market).toMatchObject({ minting: 'open', virtualPrice: 4_523_465n, marketPrice: 4_523_465n })
    expect(market.room).toBe(1_750_000_000_000_000n - poolAum(july2025(), 'up'))
  })

  test('at the limit minting closes and the premium shows; one atom below it, it is open', () => {
    expect(jlpMarket(full(), q(500n))).toMatchObject({ minting: 'closed', marketPrice: 4_749_638n, room: 0n })
    const almost = july2025(limits(poolAum(july2025(), 'up') + 1n))
    expect(jlpMarket(almost, q(500n))).toMatchObject({ minting: 'open', marketPrice: 4_523_465n, room: 1n })
  })

  test('raising the cap closes the premium', () => {
    expect(jlpMarket(july2025(limits(3_000_000_000_000_000n)), q(500n)).marketPrice).toBe(4_523_465n)
  })

  test('whoever is bid the virtual price or more sells; whoever is bid less redeems at the virtual price, less the fee', () => {
    const lp = q<'JlpAtoms'>(1_000_000_000n)
    const at = (bid: bigint) => saleRoute(full(), { lp, bid: q(bid), custody: USDC })
    expect(at(4_749_638n)).toEqual({ route: 'market', usd: dollars(4_749.638) })
    expect(at(4_523_465n)).toEqual({ route: 'market', usd: dollars(4_523.465) })
    const quote = quoteRedeem(full(), { custody: USDC, lp })
    expect(at(4_400_000n)).toEqual({ route: 'redeem', usd: quote.kind === 'quoted' ? quote.tokens : 0n, custody: USDC })
    // A bid within the redemption fee of the virtual price is the better one all the same.
    expect(at(4_523_000n)).toEqual({ route: 'market', usd: dollars(4_523) })
  })

  test('a sale goes down to whole atoms of a dollar', () => {
    const sale = saleRoute(full(), { lp: q(1n), bid: q(4_749_638n), custody: USDC })
    expect(sale).toEqual({ route: 'market', usd: 4n })
  })

  test('where redeeming is refused, the bid stands, and why is said', () => {
    const refused = saleRoute(july2025(), { lp: q(1_000_000_000n), bid: q(4_400_000n), custody: USDT })
    expect(refused).toMatchObject({ route: 'market', usd: dollars(4_400), refused: { code: 'insufficient-liquidity' } })
    expect(saleRoute(july2025({ supply: 0n }), { lp: q(1_000_000n), bid: q(1n), custody: SOL })).toEqual({
      route: 'market',
      usd: 1n,
    })
  })
})
