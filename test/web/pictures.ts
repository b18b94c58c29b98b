/**
 * `npm run web:pictures`: pictures of every page in both themes and three widths, into docs/pictures/pages, from an exchange with simulated traders
 * and a wallet that holds something of each. Prints how soon a page can be used, too.
 */
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { openBrowser, openTestWallet, settled, startExchange, visit } from './support.ts'

const PLACE = fileURLToPath(new URL('../../docs/pictures/pages/', import.meta.url))
const PAGES = ['markets', 'trade', 'earn', 'liquidity', 'arbitrage', 'portfolio'] as const
const WIDTHS = [390, 1024, 1600] as const
const THEMES = ['dark', 'light'] as const
/** Milliseconds that the simulated traders have before anybody looks. */
const HISTORY = 60_000
/** Milliseconds for charts to be there. */
const DRAWN = 2500

/** A long, PT and liquidity. */
const invest = async (page: Page, url: string, market: string): Promise<void> => {
  await page.goto(`${url}/#/trade/${market}`)
  await page.getByLabel('Margin', { exact: true }).fill('100')
  await page.getByRole('button', { name: /^Buy [\d .]+ YT$/ }).click()
  await settled(page, `Long ${market}`)
  await page.goto(`${url}/#/earn/${market}`)
  await page.getByLabel('JLP to deposit').first().fill('500')
  await page.getByRole('button', { name: /^Buy [\d .]+ PT$/ }).click()
  await page.locator('.toast.done').last().waitFor()
  await page.goto(`${url}/#/liquidity/${market}`)
  await page.getByLabel('JLP, at most').fill('1000')
  await page
    .getByRole('button', { name: /^(Add|Provide|Deposit)/ })
    .first()
    .click()
  await page
    .locator('.toast.done', { hasText: /iquidity/ })
    .last()
    .waitFor()
}

const run = async (): Promise<void> => {
  mkdirSync(PLACE, { recursive: true })
  const exchange = await startExchange({ speed: 3600, crowd: true })
  const browser = await openBrowser()
  try {
    await new Promise(done => setTimeout(done, HISTORY))
    const { markets } = (await (await fetch(`${exchange.url}/v1/markets`)).json()) as {
      markets: { market: string; kind: string }[]
    }
    const { market } = markets.filter(({ kind }) => kind === 'hourly').at(-1)!
    const first = await visit(browser, `${exchange.url}/#/markets`)
    await openTestWallet(first.page)
    await invest(first.page, exchange.url, market)
    const wallet = await first.page.context().storageState()
    for (const width of WIDTHS) {
      for (const colorScheme of THEMES) {
        const viewport = { width, height: width < 500 ? 844 : 1000 }
        const context = await browser.newContext({ viewport, colorScheme, storageState: wallet })
        const page = await context.newPage()
        for (const name of PAGES) {
          const at = name === 'markets' || name === 'portfolio' || name === 'arbitrage' ? name : `${name}/${market}`
          await page.goto(`${exchange.url}/#/${at}`)
          await page.waitForTimeout(DRAWN)
          const path = `${PLACE}${name}-${width}-${colorScheme}.jpg`
          await page.screenshot({ path, type: 'jpeg', quality: 72, fullPage: width > 500 })
          console.log(path)
        }
        await context.close()
      }
    }
    // A browser that has nothing kept: from the address to the first figure of a market.
    for (const name of ['markets', `trade/${market}`]) {
      const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } })
      const page = await context.newPage()
      const began = performance.now()
      await page.goto(`${exchange.url}/#/${name}`)
      await page
        .getByText(/\d\.\d\d%/)
        .first()
        .waitFor()
      console.log(`${name}: first figures after ${Math.round(performance.now() - began)} ms`)
      await context.close()
    }
  } finally {
    await browser.close()
    await exchange.stop()
  }
}

await run()
