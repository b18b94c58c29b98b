/**
 * Liquidity in a real browser: a range provided, its fees collected, half of it taken out in kind and the rest in JLP, each checked
 * against the chain; and the page's figures against the engine's.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ONE_Q64 } from '../../amm/index.ts'
import {
  addingTo,
  apyAtTick,
  overRates,
  rangeAt,
  sourcesOf,
  tickAtApy,
} from '../../app/web/src/pages/liquidity/figures.ts'
import { addressOf, marketAddress } from '../../src/client/index.ts'
import { lpView } from '../../src/exchange/index.ts'
import { setUp } from '../../src/strategy/index.ts'
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

const percent = (value: number): bigint => (ONE_Q64 * BigInt(value)) / 100n

describe("the page's figures of liquidity", () => {
  const place = setUp({
    days: 60,
    apy: percent(30),
    liquidity: 1_000_000_000_000n,
    lower: percent(5),
    upper: percent(150),
  })
  const { pool } = place.state.markets.get(place.market)!

  test('a range is on the grid, in order, and at most a step from what was asked', () => {
    for (const [low, high] of [
      [0.2, 0.4],
      [0.3, 0.3],
      [0.5, 0.1],
      [0, 100],
    ] as const) {
      const { lower, upper } = rangeAt(low, high, pool.grid)
      expect(lower).toBeLessThan(upper)
      expect([lower % pool.grid.spacing, upper % pool.grid.spacing]).toEqual([0, 0])
      expect(lower).toBeGreaterThanOrEqual(pool.grid.minTick)
      expect(upper).toBeLessThanOrEqual(pool.grid.maxTick)
    }
    const { grid } = pool
    for (let tick = grid.minTick; tick <= grid.maxTick; tick += 370) {
      expect(Math.abs(tickAtApy(apyAtTick(tick), grid) - tick)).toBeLessThanOrEqual(grid.spacing)
    }
  })

  test('a deposit is worth what it costs, as the engine values it', () => {
    const added = addingTo(pool, rangeAt(0.2, 0.45, pool.grid), 500_000_000n, 50)
    if (added.kind !== 'added') throw new Error(added.code)
    expect(added.jlp).toBeLessThanOrEqual(497_500_000n)
    expect(added.share).toBeCloseTo(Number(added.liquidity) / Number(added.pool.liquidity), 12)
    const market = place.state.markets.get(place.market)!
    const state = { ...place.state, markets: new Map([[place.market, { ...market, pool: added.pool }]]) }
    const { value, inRange } = lpView(
      state,
      { market: place.market, owner: 'x', position: added.position, addedAt: 0 },
      place.world,
    )
    expect(inRange).toBe(true)
    const [now] = overRates(added, [0.3])
    expect(now!.value).toBeCloseTo(Number(value) / 1e6, 4)
    expect(now!.value).toBeCloseTo(Number(added.jlp) / 1e6, 4)
    // Above the range all its YT are sold and their principal is PT; below it the YT are bought.
    const [above, below] = overRates(added, [0.6, 0.1])
    expect([above!.yt, below!.pt]).toEqual([0, 0])
    expect(above!.pt).toBeCloseTo(Number(added.issued) / 1e6, 4)
    expect(below!.yt).toBeGreaterThan(0)
  })

  test('without trades liquidity earns what JLP earns', () => {
    const added = addingTo(pool, rangeAt(0.2, 0.45, pool.grid), 500_000_000n, 50)
    if (added.kind !== 'added') throw new Error(added.code)
    const terms = { expectedApy: 0.3, lpShareBps: 8000, days: 7 }
    const alone = sourcesOf(added, { ...terms, feesADay: 0n })
    expect(alone.coupons).toBeGreaterThan(0n)
    expect(Math.abs(Number(alone.net))).toBeLessThan(Number(added.jlp) * 1e-4)
    const traded = sourcesOf(added, { ...terms, feesADay: 1_000_000_000n })
    expect(Number(traded.fees)).toBeCloseTo(1e9 * 0.8 * added.share * 7, -1)
    expect(traded.net - alone.net).toBe(traded.fees)
  })
})

describe.skipIf(!hasChromium)('providing liquidity in a browser (skipped where there is no Chromium)', () => {
  let exchange: RunningExchange
  let browser: Browser
  let chain: ChainSide
  let on: Visit
  let market: MarketRow
  let owner: string
  const ticks = { lower: 0, upper: 0 }

  beforeAll(async () => {
    exchange = await startExchange()
    chain = new ChainSide(exchange)
    browser = await openBrowser()
    market = (await chain.marketsOf('hourly')).at(-1)!
    on = await visit(browser, `${exchange.url}/#/liquidity/${market.market}`)
    owner = await openTestWallet(on.page)
  })
  afterAll(async () => {
    await browser?.close()
    await exchange?.stop()
  })

  const form = () => on.page.getByRole('region', { name: 'Provide liquidity' })
  const row = () => on.page.getByRole('region', { name: 'Liquidity that you provide' }).getByRole('row').last()
  const position = async () =>
    (await chain.account('LpPosition', addressOf('LpPosition', { market: marketAddress(market), owner, ...ticks })))!

  test('the range is set by keys and by typing, and the same in both', async () => {
    const { page } = on
    const lower = page.getByRole('slider', { name: 'Lower end of the range' })
    const upper = page.getByRole('slider', { name: 'Upper end of the range' })
    await form().getByLabel('From APY').fill('30')
    await form().getByLabel('To APY').fill('70')
    const before = Number(await lower.getAttribute('aria-valuenow'))
    expect(before).toBeLessThanOrEqual(30)
    expect(before).toBeGreaterThan(29.8)
    await lower.focus()
    await page.keyboard.press('ArrowRight')
    expect(Number(await lower.getAttribute('aria-valuenow'))).toBeGreaterThan(before)
    await upper.focus()
    await page.keyboard.press('PageUp')
    expect(Number(await upper.getAttribute('aria-valuenow'))).toBeGreaterThan(70)
    await expect
      .poll(async () => Number(await form().getByLabel('To APY').inputValue()))
      .toBe(Number(await upper.getAttribute('aria-valuenow')))
  })

  test('what it costs is what the API says, and then what the chain takes', async () => {
    const { page } = on
    const grid = { spacing: 10, minTick: 50, maxTick: 13_860 }
    for (const [end, label] of [
      ['lower', 'From APY'],
      ['upper', 'To APY'],
    ] as const) {
      const apy = Number(await form().getByLabel(label).inputValue()) / 100
      // A tick is shown with two decimals of its APY: the nearest one is meant.
      ticks[end] = Math.round((Math.log1p(apy) * 1e4) / grid.spacing) * grid.spacing
    }
    await form().getByLabel('JLP, at most').fill('500')
    const query = `action=add&lower=${ticks.lower}&upper=${ticks.upper}&jlp=500000000`
    await expect
      .poll(
        async () => {
          const said = atomsOf((await lineOf(form(), 'Costs now').textContent())!)
          const { jlp, issued } = await chain.get<{ jlp: string; issued: string }>(
            `/v1/markets/${market.market}/liquidity-quote?${query}`,
          )
          const saidYt = atomsOf((await lineOf(form(), 'YT issued').textContent())!)
          return [BigInt(jlp) - said, BigInt(issued) - saidYt].map(String)
        },
        { timeout: 60_000 },
      )
      .toEqual(['0', '0'])
    const before = await chain.jlp(owner)
    await form()
      .getByRole('button', { name: /^Provide [\d .]+ JLP$/ })
      .click()
    await settled(page, `Add liquidity to ${market.market}`)
    const held = await position()
    expect(held.position.liquidity).toBeGreaterThan(0n)
    const paid = before - (await chain.jlp(owner))
    expect(paid).toBeLessThanOrEqual(500_000_000n)
    expect(paid).toBeGreaterThan(495_000_000n)
    await row().getByText('in range').waitFor()
    await expect.poll(() => cellOf(row(), 'Worth now').textContent(), { timeout: 30_000 }).toMatch(/^49[5-9]\.\d\dJLP$/)
  })

  test('fees of others’ trades are collected', async () => {
    const { page } = on
    // Somebody must trade: the same wallet buys PT.
    await page.goto(`${exchange.url}/#/earn/${market.market}`)
    await page.getByLabel('JLP to deposit').fill('2000')
    await page.getByRole('button', { name: /^Buy [\d .]+ PT$/ }).click()
    await settled(page, `Buy PT of ${market.market}`)
    await page.goto(`${exchange.url}/#/liquidity/${market.market}`)
    await expect
      .poll(async () => atomsOf((await cellOf(row(), 'To collect').textContent())!), { timeout: 30_000 })
      .toBeGreaterThan(0n)
    const fees = atomsOf((await cellOf(row(), 'Earned: fees').textContent())!)
    expect(fees).toBeGreaterThan(0n)
    const before = await chain.jlp(owner)
    const shownBefore = atomsOf((await cellOf(row(), 'To collect').textContent())!)
    await row().getByRole('button', { name: 'Collect' }).click()
    await settled(page, `Collect from ${market.market}`)
    // No less than was shown: coupons may have come meanwhile.
    expect((await chain.jlp(owner)) - before).toBeGreaterThanOrEqual(shownBefore)
    expect((await position()).position.uncollected).toBe(0n)
  })

  test('half of it out in kind, the rest in JLP alone', async () => {
    const { page } = on
    const { liquidity } = (await position()).position
    const yt = async (): Promise<bigint> =>
      (
        await chain.account(
          'MarginAccount',
          addressOf('MarginAccount', { market: marketAddress(market), owner, sub: 0 }),
        )
      )?.yt ?? 0n
    const [ptBefore, ytBefore] = [await chain.pt(owner, market), await yt()]
    await row().getByRole('button', { name: 'Take out' }).click()
    const dialog = page.getByRole('dialog', { name: `Take liquidity out of ${market.market}` })
    await dialog.getByLabel('How much of it').fill('50')
    await dialog.getByRole('tab', { name: 'In kind' }).click()
    await dialog.getByRole('button', { name: 'Take out 50 %' }).click()
    await settled(page, `Take liquidity out of ${market.market}`)
    expect((await position()).position.liquidity).toBe(liquidity - liquidity / 2n)
    // PT were bought, so LPs have bought YT: they are paid in kind, into the account.
    expect((await yt()) - ytBefore + (await chain.pt(owner, market)) - ptBefore).toBeGreaterThan(0n)

    const [jlp, pt, held] = [await chain.jlp(owner), await chain.pt(owner, market), await yt()]
    await row().getByRole('button', { name: 'Take out' }).click()
    const received = lineOf(dialog, 'You receive')
    await expect
      .poll(async () => atomsOf((await received.textContent())!), { timeout: 30_000 })
      .toBeGreaterThan(240_000_000n)
    const expected = atomsOf((await received.textContent())!)
    await dialog.getByRole('button', { name: 'Take out 100 %' }).click()
    await settled(page, `Take liquidity out of ${market.market}`)
    expect((await position()).position.liquidity).toBe(0n)
    expect([await chain.pt(owner, market), await yt()]).toEqual([pt, held])
    const got = (await chain.jlp(owner)) - jlp
    expect(Number(got) / Number(expected)).toBeCloseTo(1, 4)
    await row().getByText('empty').waitFor()
    await row().getByRole('button', { name: 'Close' }).click()
    await settled(page, `Close the empty range in ${market.market}`)
    expect(
      await chain.account('LpPosition', addressOf('LpPosition', { market: marketAddress(market), owner, ...ticks })),
    ).toBeUndefined()
  })

  test('nobody is shut out, and nothing moves by itself', async () => {
    const { page, problems } = on
    expect(await seriousFindings(page)).toEqual([])
    await page.waitForTimeout(1500)
    expect(await layoutShift(page, 4000)).toBeLessThan(0.01)
    expect(problems).toEqual([])
    const phone = await visit(browser, `${exchange.url}/#/liquidity`, { width: 390, theme: 'light' })
    await phone.page.getByRole('slider', { name: 'Upper end of the range' }).waitFor()
    await lineOf(phone.page.getByRole('region', { name: 'Provide liquidity' }), 'Costs now').waitFor()
    expect(await overflows(phone.page)).toBe(false)
    expect(await seriousFindings(phone.page)).toEqual([])
    expect(phone.problems).toEqual([])
  })

  test('amounts are written as the page writes them', () => {
    expect(shown(-1_234_567_890n)).toBe('−1 234.57')
    expect(atomsOf('+1 234.5 JLP')).toBe(1_234_500_000n)
    expect(atomsOf('−0.000001JLP')).toBe(-1n)
  })
})
