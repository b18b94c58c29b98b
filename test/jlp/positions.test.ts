/** Positions and what they do to the pool. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addShort,
  borrowFee,
  closePosition,
  custodyOf,
  type JlpPool,
  leverageBps,
  liquidatePosition,
  liquidationPrice,
  type Opened,
  type OpenOrder,
  openPosition,
  poolAum,
  positionPnl,
  type Rejected,
  removeShort,
  type Settled,
  shortPnl,
  withPrices,
} from '../../src/jlp/index.ts'
import type { PositionFacts } from '../../src/jupiter/facts.ts'
import { dollars, ETH, JULY_2025, july2025, POSITIONS_2026, q, SOL, sol2026, USDC, usd, usdc2026 } from './fixtures.ts'

const NOW = q<'UnixSeconds'>(JULY_2025 + 60n)
const later = (hours: bigint) => q<'UnixSeconds'>(JULY_2025 + 60n + hours * 3_600n)

const long = (changes: Partial<OpenOrder> = {}): OpenOrder => ({
  owner: 'trader',
  side: 'long',
  custody: SOL,
  collateralCustody: SOL,
  collateral: q(100_000_000_000n), // 100 SOL, $15,307
  sizeUsd: dollars(100_000),
  now: NOW,
  ...changes,
})
const short = (changes: Partial<OpenOrder> = {}): OpenOrder =>
  long({ side: 'short', collateralCustody: USDC, collateral: q(15_000_000_000n), ...changes })

const opened = (result: Opened | Rejected): Opened => {
  if (result.kind === 'rejected') throw new Error(`refused: ${result.code}`)
  return result
}
const settled = (result: Settled | Rejected): Settled => {
  if (result.kind === 'rejected') throw new Error(`refused: ${result.code}`)
  return result
}
const solAt = (pool: JlpPool, price: string): JlpPool =>
  withPrices(
    pool,
    pool.custodies.map(custody => (custody.address === SOL ? usd(price) : custody.price)),
  )
const aum = (pool: JlpPool): number => Number(poolAum(pool, 'down')) / 1e6
const owned = (pool: JlpPool, custody: string): bigint => custodyOf(pool, custody).facts.assets.owned

describe('opening', () => {
  test('a long: its collateral joins the pool, its size is locked in tokens, and the pool is owed size less collateral', () => {
    const pool = july2025()
    const { position, fee, feeTokens, next } = opened(openPosition(pool, long()))
    // 6 bp and 1 bp of linear impact (0.8, up); $20,000 of trades in the last minute are far below the threshold.
    expect(fee).toEqual({ linearBps: 1n, additiveBps: 0n, totalBps: 7n, feeUsd: dollars(70) })
    expect(feeTokens).toBe(457_307_115n) // 70 / 153.07 SOL, up
    expect(position.price).toBe(153_070_000n)
    expect(Number(position.collateralUsd) / 1e6).toBeCloseTo(15_307 - 70, 5)
    expect(Number(position.lockedAmount) / 1e9).toBeCloseTo(100_000 / 153.07, 8)
    const [before, after] = [custodyOf(pool, SOL).facts.assets, custodyOf(next, SOL).facts.assets]
    expect(after.owned - before.owned).toBe(100_000_000_000n - feeTokens)
    expect(after.locked - before.locked).toBe(position.lockedAmount)
    expect(after.guaranteedUsd - before.guaranteedUsd).toBe(position.sizeUsd - position.collateralUsd)
    expect(after.feesReserves - before.feesReserves).toBe(feeTokens)
    expect(Math.abs(aum(next) - aum(pool))).toBeLessThan(0.00001)
    expect(leverageBps(position)).toBe(65_629n)
  })

  test('a short: its collateral stays apart, its size is locked in stablecoins and joins the average', () => {
    const pool = july2025()
    const { position, next } = opened(openPosition(pool, short()))
    const [before, after] = [custodyOf(pool, USDC).facts.assets, custodyOf(next, USDC).facts.assets]
    expect(position.collateralUsd).toBe(dollars(14_930))
    expect([after.owned - before.owned, after.locked - before.locked]).toEqual([0n, 100_000_000_000n])
    const shorts = custodyOf(next, SOL).facts.assets
    expect(shorts.globalShortSizes).toBe(11_155_429_291_298n + 100_000_000_000n)
    expect(Number(shorts.globalShortAveragePrices) / 1e6).toBeCloseTo(148.672, 3)
    expect(Math.abs(aum(next) - aum(pool))).toBeLessThan(0.1) // a unit of 10^-6 of the average is worth $0.08
  })

  test.each<[string, OpenOrder, Rejected['code']]>([
    ['no size', long({ sizeUsd: q(0n) }), 'zero-amount'],
    ['no collateral', long({ collateral: q(0n) }), 'zero-amount'],
    ['a long of SOL on USDC', long({ collateralCustody: USDC }), 'wrong-collateral'],
    ['a long of USDC', long({ custody: USDC, collateralCustody: USDC }), 'wrong-collateral'],
    ['a short on SOL', short({ collateralCustody: SOL }), 'wrong-collateral'],
    ['a short of USDC', short({ custody: USDC }), 'wrong-collateral'],
    ['one atom above the largest size', long({ sizeUsd: q(5_000_000_000_001n) }), 'position-too-large'],
    ['leverage below 1', long({ sizeUsd: dollars(15_000) }), 'collateral-above-size'],
    ['500x and more', long({ collateral: q(2_200_000_000n) }), 'leverage-too-high'],
    ['collateral below the fee', long({ collateral: q(1n) }), 'leverage-too-high'],
    ['collateral beyond 64 bits', long({ collateral: q((1n << 64n) - 1n) }), 'amount-too-large'],
  ])('error: %s', (_, order, code) => {
    expect(openPosition(july2025(), order)).toMatchObject({ kind: 'rejected', code })
  })

  test('error: limits of all longs, of all shorts, of what is free, and closed permissions', () => {
    const code = (pool: JlpPool, order: OpenOrder) => {
      const result = openPosition(pool, order)
      return result.kind === 'rejected' ? result.code : result.kind
    }
    const { position } = opened(openPosition(july2025(), long()))
    const lent = 148_080_313_386_624n + position.sizeUsd - position.collateralUsd
    expect(code(july2025({ custodies: { [SOL]: { maxLong: lent } } }), long())).toBe('opened')
    expect(code(july2025({ custodies: { [SOL]: { maxLong: lent - 1n } } }), long())).toBe('long-limit')
    const shorted = 11_155_429_291_298n + 100_000_000_000n
    expect(code(july2025({ custodies: { [SOL]: { maxShort: shorted } } }), short())).toBe('opened')
    expect(code(july2025({ custodies: { [SOL]: { maxShort: shorted - 1n } } }), short())).toBe('short-limit')
    const free = 33_656_762_181_199n + 100_000_000_000n
    expect(code(july2025({ custodies: { [USDC]: { owned: free } } }), short())).toBe('opened')
    expect(code(july2025({ custodies: { [USDC]: { owned: free - 1n } } }), short())).toBe('insufficient-liquidity')
    const { permissions, assets } = custodyOf(july2025(), SOL).facts
    const room = (1n << 64n) - 1n - assets.owned - assets.feesReserves
    expect(code(july2025(), long({ collateral: q(room) }))).toBe('collateral-above-size')
    expect(code(july2025(), long({ collateral: q(room + 1n) }))).toBe('amount-too-large')
    const closed = july2025({
      custodies: { [SOL]: { more: { permissions: { ...permissions, allowIncreasePosition: false } } } },
    })
    expect(code(closed, long())).toBe('increase-closed')
  })
})

describe('what a winner does to the pool', () => {
  test('a profitable long costs the pool tokens, not USD: its AUM stays where the rise of the rest has brought it', () => {
    const { position, next: before } = opened(openPosition(july2025(), long()))
    const risen = solAt(before, '183.684') // + 20 %
    const { pnlUsd, payout, ownedChange, next } = settled(closePosition(risen, position, NOW))
    expect(pnlUsd).toBe(dollars(20_000))
    // SOL left the pool: the trader's collateral and a profit in tokens.
    expect(ownedChange).toBeLessThan(0n)
    expect(Number(payout) / 1e9).toBeCloseTo((15_237 + 20_000 - 70) / 183.684, 6)
    // The AUM had never counted that profit, so paying it changes nothing; against the day of opening it is up, as SOL is.
    expect(Math.abs(aum(next) - aum(risen))).toBeLessThan(0.01)
    expect(aum(next)).toBeGreaterThan(aum(before))
    // Without the long it would have gained more: 20 % on the $84,763 that it had lent. In tokens it has less than it began with.
    const without = solAt(july2025(), '183.684')
    expect(aum(without) - aum(next)).toBeCloseTo(16_952.6, 2)
    expect(owned(next, SOL)).toBeLessThan(owned(july2025(), SOL))
  })

  test('a profitable short costs it stablecoins while its SOL fell: a net loss in USD', () => {
    const start = july2025()
    const { position, next: before } = opened(openPosition(start, short()))
    const fallen = solAt(before, '122.456') // - 20 %
    const { pnlUsd, payout, ownedChange, next } = settled(closePosition(fallen, position, NOW))
    expect(pnlUsd).toBe(dollars(20_000))
    expect(ownedChange).toBe(-20_000_000_000n)
    expect(payout).toBe(q(14_930_000_000n + 20_000_000_000n - 70_000_000n))
    expect(owned(next, USDC)).toBe(owned(start, USDC) - 20_000_000_000n)
    expect(owned(next, SOL)).toBe(owned(start, SOL))
    // Paying changes nothing that the AUM had not counted already; against the same fall without the short the pool is $20,000 poorer.
    expect(Math.abs(aum(next) - aum(fallen))).toBeLessThan(0.2)
    expect(aum(solAt(start, '122.456')) - aum(next)).toBeCloseTo(20_000, 0)
  })

  test('a loser’s loss is the pool’s: tokens of a long, stablecoins of a short', () => {
    const start = july2025()
    const losing = opened(openPosition(start, long()))
    const longLoss = settled(closePosition(solAt(losing.next, '145.4165'), losing.position, NOW)) // - 5 %
    expect(longLoss.pnlUsd).toBe(dollars(-5_000))
    expect(aum(longLoss.next) - aum(solAt(start, '145.4165'))).toBeCloseTo(4_238.15, 2) // the lent tokens did not fall for the pool
    expect(owned(longLoss.next, SOL)).toBeGreaterThan(owned(start, SOL))
    const rising = opened(openPosition(start, short()))
    const shortLoss = settled(closePosition(solAt(rising.next, '160.7235'), rising.position, NOW)) // + 5 %
    expect(shortLoss.pnlUsd).toBe(dollars(-5_000))
    expect(owned(shortLoss.next, USDC) - owned(start, USDC)).toBe(5_000_000_000n)
  })

  test('profit is capped by what is locked', () => {
    const { position, next } = opened(openPosition(july2025(), short()))
    const capped = { ...position, lockedAmount: q<'TokenAtoms'>(1_000_000_000n) }
    const { pnlUsd } = settled(closePosition(solAt(next, '122.456'), capped, NOW))
    expect(pnlUsd).toBe(dollars(1_000))
  })

  test('the borrow fee is that of the collateral’s custody, up, and goes to its reserve with the closing fee', () => {
    const { position, next } = opened(openPosition(july2025(), short()))
    const reserve = custodyOf(next, USDC).facts.assets.feesReserves
    const done = settled(closePosition(next, position, later(24n)))
    const cumulative = custodyOf(done.next, USDC).facts.fundingRateState.cumulativeInterestRate
    // 10 % a year whatever the utilisation, below the kink: $27.40 a day on $100,000.
    expect(Number(done.borrowFeeUsd) / 1e6).toBeCloseTo(27.39, 1)
    expect(done.borrowFeeUsd).toBe(
      borrowFee(position.sizeUsd, { snapshot: position.cumulativeInterestSnapshot, cumulative }, 'up'),
    )
    expect(custodyOf(done.next, USDC).facts.assets.feesReserves - reserve).toBe(done.closeFeeUsd + done.borrowFeeUsd)
    expect(done.position).toMatchObject({
      sizeUsd: 0n,
      collateralUsd: 0n,
      lockedAmount: 0n,
      realisedPnlUsd: -done.closeFeeUsd - done.borrowFeeUsd,
    })
  })

  test('error: closed twice, closed for decreases, nothing left, staked away', () => {
    const { position, next } = opened(openPosition(july2025(), long()))
    const done = settled(closePosition(next, position, NOW))
    expect(closePosition(done.next, done.position, NOW)).toMatchObject({ code: 'position-closed' })
    expect(liquidatePosition(done.next, done.position, NOW)).toMatchObject({ code: 'position-closed' })
    expect(closePosition(solAt(next, '120'), position, NOW)).toMatchObject({ code: 'under-water' })
    const facts = custodyOf(next, SOL).facts
    const without = (changes: Partial<typeof facts>): JlpPool => ({
      ...next,
      custodies: next.custodies.map(custody =>
        custody.address === SOL ? { ...custody, facts: { ...facts, ...changes } } : custody,
      ),
    })
    const { permissions } = facts
    expect(
      closePosition(without({ permissions: { ...permissions, allowDecreasePosition: false } }), position, NOW),
    ).toMatchObject({ code: 'decrease-closed' })
    expect(
      liquidatePosition(without({ permissions: { ...permissions, allowLiquidatePosition: false } }), position, NOW),
    ).toMatchObject({ code: 'liquidate-closed' })
    const staked = without({ totalStakedAmountLamports: facts.assets.owned })
    expect(closePosition(staked, position, NOW)).toMatchObject({
      code: 'insufficient-liquidity',
      numbers: { free: 0n },
    })
  })
})

describe('liquidation', () => {
  test('at the liquidation price a position is healthy, an atom beyond it is not; all that is left is the pool’s', () => {
    for (const order of [long(), short()]) {
      const { position, next } = opened(openPosition(july2025(), order))
      const [traded, collateral] = [custodyOf(next, SOL).facts, custodyOf(next, order.collateralCustody).facts]
      const price = liquidationPrice(position, { traded, collateral })
      const away = order.side === 'long' ? -1n : 1n
      const at = (atoms: bigint) => solAt(next, (Number(atoms) / 1e6).toFixed(6))
      // The published distance goes down, so the healthy side of it is at most two atoms of price away.
      expect(liquidatePosition(at(price - 2n * away), position, NOW)).toMatchObject({ code: 'healthy' })
      const fallen = at(price + 2n * away)
      const done = settled(liquidatePosition(fallen, position, NOW))
      expect(done).toMatchObject({ kind: 'liquidated', payout: 0n, position: { sizeUsd: 0n } })
      const left = position.collateralUsd + done.pnlUsd
      expect(left).toBeGreaterThan(0n)
      // The fees it still pays wait in the reserve; the rest raises the AUM at once.
      const fees = Number(done.closeFeeUsd + done.borrowFeeUsd) / 1e6
      expect(aum(done.next) - aum(fallen)).toBeCloseTo(Number(left) / 1e6 - fees, 0)
    }
  })

  test('beyond its collateral a position leaves bad debt that the AUM no longer counts as owed', () => {
    const { position, next } = opened(openPosition(july2025(), long()))
    const crashed = solAt(next, '100')
    const done = settled(liquidatePosition(crashed, position, NOW))
    expect(done.feeTokens).toBe(0n)
    const bad = Number(position.collateralUsd + done.pnlUsd) / 1e6
    expect(bad).toBeLessThan(-19_000)
    expect(aum(done.next) - aum(crashed)).toBeCloseTo(bad, 0)
  })

  test('a long with more collateral than it can lose has a liquidation price of 0', () => {
    const { position } = POSITIONS_2026[1]!
    const safe: PositionFacts = { ...position, collateralUsd: q(2n * position.sizeUsd) }
    expect(liquidationPrice(safe, { traded: sol2026().facts, collateral: sol2026().facts })).toBe(0n)
  })

  test('error: a position without side, size or entry has no PnL', () => {
    const { position } = POSITIONS_2026[0]!
    const collateral = usdc2026().facts
    for (const bad of [{ side: 'none' as const }, { sizeUsd: q<'UsdX6'>(0n) }, { price: q<'UsdX6'>(0n) }]) {
      expect(() => positionPnl({ ...position, ...bad }, q(1n))).toThrow(
        expect.objectContaining({ code: 'bad-parameter' }),
      )
      const price = () => liquidationPrice({ ...position, ...bad }, { traded: sol2026().facts, collateral })
      expect(price).toThrow(expect.objectContaining({ code: 'bad-parameter' }))
    }
    const unlimited = { ...sol2026().facts, pricing: { ...sol2026().facts.pricing, maxLeverage: q<'Bps'>(0n) } }
    expect(() => liquidationPrice(position, { traded: unlimited, collateral })).toThrow(
      expect.objectContaining({ code: 'bad-parameter' }),
    )
  })
})

describe('properties', () => {
  const scene = fc.record({
    side: fc.constantFrom('long' as const, 'short' as const),
    custody: fc.constantFrom(SOL, ETH),
    size: fc.integer({ min: 20, max: 4_000_000 }),
    leverage: fc.integer({ min: 1, max: 90 }),
    move: fc.integer({ min: -60, max: 60 }),
    hours: fc.integer({ min: 0, max: 500 }),
  })

  test('rounding is always for the pool: opening and closing at one price never pays more than was posted, and never lowers the AUM', () => {
    fc.assert(
      fc.property(scene, ({ side, custody, size, leverage, hours }) => {
        const pool = july2025()
        const collateralCustody = side === 'long' ? custody : USDC
        const { facts, price } = custodyOf(pool, collateralCustody)
        const perDollar = 10 ** (facts.decimals - price.expo) / Number(price.price)
        const collateral = q<'TokenAtoms'>(Math.ceil((size / leverage) * perDollar))
        const result = openPosition(
          pool,
          long({ side, custody, collateralCustody, collateral, sizeUsd: dollars(size) }),
        )
        if (result.kind === 'rejected') return
        const done = closePosition(result.next, result.position, later(BigInt(hours)))
        if (done.kind === 'rejected') return
        expect(done.payout + done.feeTokens + result.feeTokens).toBeLessThanOrEqual(collateral)
        // All but the short average's last unit (10^-6 of the average, on all shorts) is exact.
        const slack = side === 'long' ? 0n : 2n * dollars(0.1)
        expect(poolAum(done.next, 'down')).toBeGreaterThanOrEqual(poolAum(pool, 'down') - slack)
      }),
      { numRuns: 300 },
    )
  })

  test('fees conserve to the atom: what was posted is what was paid out, kept as fee, and gained by the pool', () => {
    let closed = 0
    fc.assert(
      fc.property(scene, ({ side, custody, size, leverage, move, hours }) => {
        const pool = july2025()
        const collateralCustody = side === 'long' ? custody : USDC
        const { facts, price } = custodyOf(pool, collateralCustody)
        const perDollar = 10 ** (facts.decimals - price.expo) / Number(price.price)
        const collateral = q<'TokenAtoms'>(Math.ceil((size / leverage) * perDollar))
        const result = openPosition(
          pool,
          long({ side, custody, collateralCustody, collateral, sizeUsd: dollars(size) }),
        )
        if (result.kind === 'rejected') return
        const moved = withPrices(
          result.next,
          result.next.custodies.map(({ address, price: old }) =>
            address === custody ? { ...old, price: (old.price * BigInt(100 + move)) / 100n } : old,
          ),
        )
        const now = later(BigInt(hours))
        let done = closePosition(moved, result.position, now)
        if (done.kind === 'rejected') done = liquidatePosition(moved, result.position, now)
        if (done.kind === 'rejected') return
        closed++
        const held = ({ custodies }: JlpPool) => custodies.map(({ facts: f }) => f.assets.owned + f.assets.feesReserves)
        const paying = pool.custodies.findIndex(({ address }) => address === collateralCustody)
        const gained = held(done.next).map((amount, i) => amount - held(pool)[i]!)
        expect(gained).toEqual(gained.map((_, i) => (i === paying ? collateral - done.payout : 0n)))
        // Nothing of the position is left behind.
        for (const [i, custodyAfter] of done.next.custodies.entries()) {
          const [a, b] = [pool.custodies[i]!.facts.assets, custodyAfter.facts.assets]
          expect([b.locked, b.guaranteedUsd, b.globalShortSizes]).toEqual([
            a.locked,
            a.guaranteedUsd,
            a.globalShortSizes,
          ])
        }
      }),
      { numRuns: 300 },
    )
    expect(closed).toBeGreaterThan(150)
  })

  test('the average of shorts keeps the PnL of the total: adding one at the current price changes nothing, removing it neither', () => {
    const { assets } = custodyOf(july2025(), SOL).facts
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 14n }),
        fc.bigInt({ min: 1_000_000n, max: 10n ** 9n }),
        (size, entry) => {
          const pnl = (of: typeof assets, price: bigint) =>
            Number(shortPnl({ ...custodyOf(july2025(), SOL).facts, assets: of }, { price, expo: -6 }))
          const added = addShort(assets, q(size), q(entry))
          // One unit of the average is worth at most this much.
          const unit =
            Number(added.globalShortSizes) * (Number(entry) / Number(added.globalShortAveragePrices) ** 2) + 2
          expect(Math.abs(pnl(added, entry) - pnl(assets, entry))).toBeLessThanOrEqual(unit)
          expect(pnl(added, entry)).toBeGreaterThanOrEqual(pnl(assets, entry) - 2)
          const removed = removeShort(added, q(size), q(entry))
          expect(removed.globalShortSizes).toBe(assets.globalShortSizes)
        },
      ),
      { numRuns: 300 },
    )
    expect(removeShort(assets, assets.globalShortSizes, assets.globalShortAveragePrices)).toMatchObject({
      globalShortSizes: 0n,
      globalShortAveragePrices: 0n,
    })
    const tight = { ...assets, globalShortSizes: q<'UsdX6'>(10n), globalShortAveragePrices: q<'UsdX6'>(4n) }
    expect(removeShort(tight, q(5n), q(2n))).toMatchObject({ globalShortSizes: 5n, globalShortAveragePrices: 4n })
    // A position that the recorded average cannot contain leaves the average alone.
    expect(removeShort(assets, q(11_000_000_000_000n), q(1_000_000n))).toMatchObject({
      globalShortAveragePrices: 148_633_593n,
    })
  })
})
