/**
 * Earn in a real browser: from an empty wallet to PT, part of them sold and the rest rolled, each checked against the chain; and the
 * page's calculators against the strategies that they restate.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apyFromRate, ONE_Q64 } from '../../amm/index.ts'
import {
  buyWith,
  leaveWith,
  leveragedPt as leveragedOnPage,
  outcomeOf,
  spreadOf,
  worthOf,
} from '../../app/web/src/pages/earn/figures.ts'
import { leveragedPt, ptSpread, setUp } from '../../src/strategy/index.ts'
import { atomsOf, ChainSide, cellOf, lineOf, type MarketRow, shown } from './chain.ts'
import {
  hasChromium,
  layoutShift,
  openBrowser,
  openTestWallet,
  overflows,
  type RunningExchange,
  seriousFindings,
  settled,
  startExchange,
  type Visit,
  visit,
} from './support.ts'

const percent = (value: number): bigint => (ONE_Q64 * BigInt(Math.round(value * 100))) / 10_000n
const placeOf = (days: number, apy: number) =>
  setUp({
    days,
    apy: percent(apy),
    liquidity: 1_000_000_000_000n,
    lower: percent(5),
    upper: percent(150),
  })
const poolOf = ({ state, market }: ReturnType<typeof placeOf>) => state.markets.get(market)!.pool

describe("the page's calculators", () => {
  const place = placeOf(90, 30)
  const pool = poolOf(place)

  test('PT for an amount that has the fee in it, and back', () => {
    for (const jlp of [1_000_000n, 100_000_000n, 33_333_333_333n]) {
      const bought = buyWith(pool, jlp)!
      expect(bought.paid).toBeLessThanOrEqual(jlp)
      expect(bought.paid).toBeGreaterThan(jlp - jlp / 1000n - 2n)
      // What it fixes is below the market's APY by fee and impact, and selling at once brings less than was paid.
      expect(bought.fixedApy!).toBeLessThan(apyFromRate(pool.rate))
      const left = leaveWith(bought.next, bought.pt)!
      expect(left.received).toBeLessThan(bought.paid)
      expect(left.cost).toBe(left.spot - left.received)
      expect(worthOf(bought.next, bought.pt)).toBe(left.spot)
    }
  })

  test('leveraged PT come to what the strategy finds', () => {
    for (const unit of ['jlp', 'st'] as const) {
      const loan = { apr: 0.12, ltv: 0.8, liquidationLtv: 0.88, unit }
      const terms = { jlp: 100_000_000n, loops: 3, loan }
      const strategy = leveragedPt(place, terms, { realised: 0.4 })
      const page = leveragedOnPage(pool, terms)!
      expect(Number(page.pt) / Number(strategy.pt)).toBeCloseTo(1, 4)
      expect(Number(page.debt) / Number(strategy.debt)).toBeCloseTo(1, 4)
      expect(page.leverage).toBeCloseTo(strategy.leverage, 3)
      expect(page.liquidationPrice).toBeCloseTo(strategy.liquidationPrice, 4)
      expect(Number(page.liquidationApy) / 2 ** 64).toBeCloseTo(strategy.liquidationApy!, 3)
      expect(Number(page.unwoundAtOnce) / Number(strategy.unwoundAtOnce)).toBeCloseTo(1, 3)
      const outcome = outcomeOf(page, loan, 0.4)
      expect(outcome.netApyInSt).toBeCloseTo(strategy.netApyInSt, 2)
      expect(outcome.netApy).toBeCloseTo(strategy.netApy, 2)
      expect(outcome.liquidatedOn).toBe(strategy.liquidatedOn)
    }
  })

  test('the later PT, sold at the earlier maturity, bring what the strategy finds, and break even where they meet', () => {
    const near = placeOf(30, 35)
    const exits = [0.15, 0.3, 0.6]
    const jlp = 100_000_000n
    const spread = spreadOf(poolOf(near), pool, { jlp, realisedApy: 0.3, exits })!
    const strategy = ptSpread(place, jlp, { days: 30, realised: 0.3, exits })
    for (const [i, exit] of spread.exits.entries()) expect(exit.apy).toBeCloseTo(strategy[i]!.apyInSt, 2)
    const [even] = spreadOf(poolOf(near), pool, { jlp, realisedApy: 0.3, exits: [spread.breakEvenApy!] })!.exits
    expect(even!.apy).toBeCloseTo(spread.nearApy, 4)
  })
})

describe.skipIf(!hasChromium)('earning in a browser (skipped where there is no Chromium)', () => {
  let exchange: RunningExchange
  let browser: Browser
  let chain: ChainSide
  let on: Visit
  let market: MarketRow
  let later: MarketRow
  let owner: string

  beforeAll(async () => {
    exchange = await startExchange()
    chain = new ChainSide(exchange)
    browser = await openBrowser()
    ;[market, later] = (await chain.marketsOf('hourly', 2)) as [MarketRow, MarketRow]
    on = await visit(browser, `${exchange.url}/#/earn/${market.market}`)
  })
  afterAll(async () => {
    await browser?.close()
    await exchange?.stop()
  })

  const form = () => on.page.getByRole('region', { name: 'Fix an APY' })
  const heldRow = (of: MarketRow) =>
    on.page.getByRole('region', { name: 'PT that you hold' }).getByRole('row').filter({ hasText: of.market })

  test('without a wallet the figures are there, and without JLP the faucet is offered', async () => {
    const { page } = on
    await lineOf(form(), 'You get now').waitFor()
    await page.getByText('No wallet yet.').waitFor()
    owner = await openTestWallet(page)
    await page.getByRole('button', { name: /^all 10000.00 JLP$/ }).waitFor()
  })

  test('what the form says is what the API quotes, to the atom', async () => {
    await form().getByLabel('JLP to deposit').fill('123.4567')
    await expect
      .poll(
        async () => {
          const said = await Promise.all(
            ['You get now', 'You pay', 'of it fee'].map(async label =>
              atomsOf((await lineOf(form(), label).textContent())!),
            ),
          )
          const [pt, paid, fee] = said as [bigint, bigint, bigint]
          const query = `action=buy-pt&unit=token&amount=${pt}`
          const quote = await chain.get<{ amount: string; fee: { total: string } }>(
            `/v1/markets/${market.market}/quote?${query}`,
          )
          return [BigInt(quote.amount) + BigInt(quote.fee.total) - paid, BigInt(quote.fee.total) - fee].map(String)
        },
        { timeout: 60_000 },
      )
      .toEqual(['0', '0'])
  })

  test('PT bought are in the wallet, by the chain and on the page', async () => {
    const before = await chain.jlp(owner)
    await form()
      .getByRole('button', { name: /^Buy [\d .]+ PT$/ })
      .click()
    expect(await settled(on.page, `Buy PT of ${market.market}`)).toContain('Bought')
    const pt = await chain.pt(owner, market)
    expect(pt).toBeGreaterThan(123_000_000n)
    const paid = before - (await chain.jlp(owner))
    expect(paid).toBeGreaterThan(123_000_000n)
    expect(paid).toBeLessThanOrEqual(123_456_700n)
    await expect.poll(() => cellOf(heldRow(market), 'Held').textContent(), { timeout: 30_000 }).toBe(`${shown(pt)}PT`)
    await expect
      .poll(() => cellOf(heldRow(market), 'Paid, net').textContent(), { timeout: 30_000 })
      .toBe(`${shown(paid)}JLP`)
  })

  test('part of them sold', async () => {
    const { page } = on
    const [jlp, pt] = [await chain.jlp(owner), await chain.pt(owner, market)]
    await heldRow(market).getByRole('button', { name: 'Sell' }).click()
    const dialog = page.getByRole('dialog', { name: `Sell PT of ${market.market}` })
    await dialog.getByLabel('PT to sell').fill('999999')
    await dialog.getByText(`You have ${shown(pt, 6).replaceAll(' ', '')} PT`).waitFor()
    await dialog.getByLabel('PT to sell').fill('40')
    await dialog.getByRole('button', { name: 'Sell 40.00 PT' }).click()
    expect(await settled(page, `Sell PT of ${market.market}`)).toContain('Sold 40.000000 PT')
    expect(await chain.pt(owner, market)).toBe(pt - 40_000_000n)
    const received = (await chain.jlp(owner)) - jlp
    expect(received).toBeGreaterThan(36_000_000n)
    expect(received).toBeLessThan(40_000_000n)
    await expect
      .poll(() => cellOf(heldRow(market), 'Held').textContent(), { timeout: 30_000 })
      .toBe(`${shown(pt - 40_000_000n)}PT`)
  })

  test('the rest rolled into the next maturity, in two transactions', async () => {
    const { page } = on
    await heldRow(market).getByRole('button', { name: 'Roll' }).click()
    const dialog = page.getByRole('dialog', { name: `Roll PT of ${market.market}` })
    await dialog.getByLabel('Into').selectOption(later.market)
    await dialog.getByRole('button', { name: `Roll into ${later.market}` }).click()
    await settled(page, `Buy PT of ${later.market}`)
    expect(await chain.pt(owner, market)).toBe(0n)
    const pt = await chain.pt(owner, later)
    expect(pt).toBeGreaterThan(83_000_000n)
    await expect.poll(() => cellOf(heldRow(later), 'Held').textContent(), { timeout: 30_000 }).toBe(`${shown(pt)}PT`)
    const { wallet } = await chain.get<{ wallet: { pt: { market: string; pt: string }[] } }>(`/v1/accounts/${owner}`)
    expect(wallet.pt.map(one => [one.market, one.pt])).toEqual([[later.market, String(pt)]])
  })

  test('the calculators answer, and nobody is shut out', async () => {
    const { page, problems } = on
    await page.getByRole('tab', { name: 'Two maturities' }).click()
    await lineOf(page.getByRole('tabpanel'), 'Earlier PT, held').waitFor()
    expect(await seriousFindings(page)).toEqual([])
    await page.getByRole('tab', { name: 'Leveraged PT' }).click()
    await page.getByRole('tabpanel').getByText('no liquidation').waitFor()
    expect(await seriousFindings(page)).toEqual([])
    await page.waitForTimeout(1500)
    expect(await layoutShift(page, 4000)).toBeLessThan(0.01)
    expect(problems).toEqual([])
  })

  test('on a phone, in the other theme', async () => {
    const { page, problems } = await visit(browser, `${exchange.url}/#/earn`, { width: 390, theme: 'light' })
    await lineOf(page.getByRole('region', { name: 'Fix an APY' }), 'You get now').waitFor()
    expect(await overflows(page)).toBe(false)
    expect(await seriousFindings(page)).toEqual([])
    expect(problems).toEqual([])
  })
})
