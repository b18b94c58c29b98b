/** Arbitrage in a real browser: the oracle's figures, what a trade would come to, and the way to the form; and its sums against the strategy's. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatAtoms, formatPercent, ONE_Q64 } from '../../amm/index.ts'
import { arbitrage, bestSize, secondsOf } from '../../app/web/src/pages/arbitrage/figures.ts'
import { bestSize as bestOfStrategy, couponArbitrage, setUp } from '../../src/strategy/index.ts'
import { atomsOf, ChainSide, cellOf, lineOf, type MarketRow, shown } from './chain.ts'
import {
  hasChromium,
  layoutShift,
  openBrowser,
  overflows,
  type RunningExchange,
  seriousFindings,
  startExchange,
  type Visit,
  visit,
} from './support.ts'

const percent = (value: number): bigint => (ONE_Q64 * BigInt(value)) / 100n

describe("the page's sums of an arbitrage", () => {
  const place = setUp({
    days: 40,
    apy: percent(25),
    liquidity: 100_000_000_000n,
    lower: percent(5),
    upper: percent(150),
  })
  const { pool } = place.state.markets.get(place.market)!
  const yt = 1_000_000_000n
  const kind = 'hourly'

  test('are the strategy’s, part by part', () => {
    for (const until of ['coupon', 'week', 'maturity'] as const) {
      const seconds = secondsOf(pool, 'hourly', until)
      const page = arbitrage(pool, { side: 'long', yt, seconds, apr: 0.4, kind })!
      const strategy = couponArbitrage(place, 0.4, yt, until)
      expect(page.net).toBe(page.coupons - page.decay - page.impact - page.fees)
      for (const part of ['coupons', 'decay', 'fees', 'net'] as const) {
        expect(Math.abs(Number(page[part] - strategy[part]))).toBeLessThan(Number(strategy.coupons) * 0.001 + 20)
      }
    }
  })

  test('a short earns what a long loses, but for impact and fees', () => {
    const terms = { yt, seconds: 7 * 86_400, apr: 0.1, kind } as const
    const [long, short] = [arbitrage(pool, { ...terms, side: 'long' })!, arbitrage(pool, { ...terms, side: 'short' })!]
    expect(long.net).toBeLessThan(0n)
    expect(short.net).toBeGreaterThan(0n)
    for (const made of [long, short]) expect(made.net).toBe(made.coupons - made.decay - made.impact - made.fees)
    expect(long.coupons + short.coupons).toBe(0n)
  })

  test('the best size is where one more brings nothing', () => {
    const seconds = secondsOf(pool, 'hourly', 'maturity')
    const best = bestSize(pool, { side: 'long', seconds, apr: 0.4, kind })!
    const strategy = bestOfStrategy(place, 0.4, 'maturity')!
    expect(Number(best.yt) / Number(strategy.yt)).toBeCloseTo(1, 1)
    const at = (size: bigint) => arbitrage(pool, { side: 'long', seconds, apr: 0.4, kind, yt: size })!.net
    expect(at(best.yt)).toBeGreaterThan(at((best.yt * 11n) / 10n))
    expect(at(best.yt)).toBeGreaterThan(at((best.yt * 9n) / 10n))
    expect(bestSize(pool, { side: 'long', seconds, apr: 0.01, kind })).toBeUndefined()
  })
})

interface OracleAnswer {
  readonly leading: { readonly aprPercent: number; readonly lowPercent: number; readonly highPercent: number }
  readonly official: { readonly aprPercent: number }
  readonly expected: { readonly aprPercent: number }
  readonly errors: { readonly days: readonly { readonly leading: number }[] } | null
}

describe.skipIf(!hasChromium)('arbitrage in a browser (skipped where there is no Chromium)', () => {
  let exchange: RunningExchange
  let browser: Browser
  let chain: ChainSide
  let on: Visit
  let market: MarketRow

  beforeAll(async () => {
    exchange = await startExchange({ speed: 1 })
    chain = new ChainSide(exchange)
    browser = await openBrowser()
    market = (await chain.marketsOf('hourly')).at(-1)!
    on = await visit(browser, `${exchange.url}/#/arbitrage/${market.market}`)
  })
  afterAll(async () => {
    await browser?.close()
    await exchange?.stop()
  })

  const calculator = () => on.page.getByRole('region', { name: 'A trade on it' })

  test('the figures are those of the API', async () => {
    const { page } = on
    const panel = page.getByRole('region', { name: "What JLP's pool pays" })
    await expect
      .poll(
        async () => {
          const { leading, official } = await chain.get<OracleAnswer>('/v1/oracle')
          const text = (await panel.textContent()) ?? ''
          return [leading.aprPercent, leading.lowPercent, leading.highPercent, official.aprPercent].every(value =>
            text.includes(`${value.toFixed(2)}%`),
          )
        },
        { timeout: 60_000 },
      )
      .toBe(true)
    const row = page.getByRole('row', { name: new RegExp(`^${market.market} \\d`) })
    await expect
      .poll(async () => {
        const { impliedApy } = await chain.get<{ impliedApy: { q64: string } }>(`/v1/markets/${market.market}`)
        return (await cellOf(row, 'Implied APY').textContent()) === formatPercent(BigInt(impliedApy.q64))
      })
      .toBe(true)
    const errors = page.getByRole('region', { name: 'How far the leading APR was off' })
    await expect.poll(async () => (await errors.getByRole('row').count()) > 3, { timeout: 120_000 }).toBe(true)
    const { errors: judged } = await chain.get<OracleAnswer>('/v1/oracle')
    expect(await errors.textContent()).toContain(judged!.days[0]!.leading.toFixed(2))
  })

  test('the parts of a trade add up to what it makes', async () => {
    await calculator().getByLabel('YT', { exact: true }).fill('2500')
    await calculator().getByRole('radio', { name: 'Maturity' }).click()
    await expect
      .poll(
        async () => {
          const parts = await Promise.all(
            ['Coupons', 'Decay', 'Price impact', 'Fees', 'What it makes'].map(async label =>
              Number(atomsOf((await lineOf(calculator(), label).textContent())!)),
            ),
          )
          const [coupons, decay, impact, fees, net] = parts as [number, number, number, number, number]
          // Each is rounded to four digits.
          return coupons !== 0 && Math.abs(coupons + decay + impact + fees - net) <= 250
        },
        { timeout: 60_000 },
      )
      .toBe(true)
  })

  test('one click fills in the form', async () => {
    const { page, problems } = on
    await calculator().getByRole('radio', { name: 'Short' }).click()
    const link = calculator().getByRole('link', { name: /^Sell [\d .]+ YT on the trade form$/ })
    const yt = atomsOf((await link.textContent())!)
    expect(yt).toBe(2_500_000_000n)
    expect(await link.getAttribute('href')).toBe(`#/trade/${market.market}/short/${formatAtoms(yt)}`)
    await link.click()
    await page.getByRole('radio', { name: 'Short', checked: true }).waitFor()
    await expect.poll(() => page.locator('input[value^="2500"]').count(), { timeout: 30_000 }).toBe(1)
    expect(shown(yt)).toBe('2 500.00')
    expect(problems).toEqual([])
  })

  test('nobody is shut out, and nothing moves by itself', async () => {
    const { page, problems } = await visit(browser, `${exchange.url}/#/arbitrage`, { width: 390, theme: 'light' })
    await lineOf(page.getByRole('region', { name: 'A trade on it' }), 'What it makes').waitFor()
    expect(await overflows(page)).toBe(false)
    expect(await seriousFindings(page)).toEqual([])
    await page.waitForTimeout(1500)
    expect(await layoutShift(page, 4000)).toBeLessThan(0.01)
    expect(problems).toEqual([])
  })
})
