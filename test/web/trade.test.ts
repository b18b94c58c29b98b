/**
 * The page in a real browser against the exchange as `npm start` runs it: from an empty wallet to a leveraged long, a resting order and
 * the close, each checked against what the chain itself says.
 */
import { Connection, PublicKey } from '@solana/web3.js'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatAtoms, formatPercent, parsePercent, rateFromApy } from '../../amm/index.ts'
import { ORDER_ACTIONS, TRIGGERS } from '../../src/client/generated/interface.ts'
import {
  ADDRESSES,
  addressOf,
  decodeOwned,
  listAccounts,
  type MarginAccountData,
  marketAddress,
  PROGRAM_ID,
  type RestingOrderData,
  walletAddress,
} from '../../src/client/index.ts'
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

/** As the page writes amounts: spaces between thousands. */
const shown = (atoms: bigint, digits = 2): string => {
  const [whole, fraction] = formatAtoms(atoms, digits).split('.')
  return `${whole!.replace(/\B(?=(\d{3})+$)/g, ' ')}.${fraction}`
}

interface MarketRow {
  readonly market: string
  readonly kind: 'hourly' | 'weekly'
  readonly maturity: number
}

describe.skipIf(!hasChromium)('trading in a browser (skipped where there is no Chromium)', () => {
  let exchange: RunningExchange
  let browser: Browser
  let connection: Connection
  let on: Visit
  let market: MarketRow
  let owner: string

  beforeAll(async () => {
    exchange = await startExchange()
    connection = new Connection(exchange.rpc, 'confirmed')
    browser = await openBrowser()
    const { markets } = (await (await fetch(`${exchange.url}/v1/markets`)).json()) as { markets: MarketRow[] }
    market = markets.filter(({ kind }) => kind === 'hourly').at(-1)!
    on = await visit(browser, `${exchange.url}/#/trade/${market.market}`)
  })

  afterAll(async () => {
    await browser?.close()
    await exchange?.stop()
  })

  const read = async (address: string): Promise<{ owner: string; data: Uint8Array } | undefined> => {
    const found = await connection.getAccountInfo(new PublicKey(address))
    return found === null ? undefined : { owner: found.owner.toBase58(), data: found.data }
  }
  const accountAddress = (sub = 0): string => addressOf('MarginAccount', { market: marketAddress(market), owner, sub })
  const account = async (): Promise<MarginAccountData> =>
    decodeOwned('MarginAccount', (await read(accountAddress()))!, PROGRAM_ID)
  /** What rests, by the chain, in the order of its numbers. */
  const orders = async (): Promise<RestingOrderData[]> =>
    (await listAccounts(connection, 'RestingOrder', { owner })).map(({ data }) => data).sort((a, b) => a.id - b.id)
  /** JLP atoms in the wallet, by the chain. */
  const walletJlp = async (): Promise<bigint> => {
    const place = walletAddress({ owner, mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram })
    return BigInt((await connection.getTokenAccountBalance(new PublicKey(place))).value.amount)
  }
  /** The value beside a label of the order form. */
  const line = (label: string) =>
    on.page
      .locator('.ticket .line', { has: on.page.locator('dt', { hasText: new RegExp(`^${label}`) }) })
      .locator('dd .num')

  test('the markets and their figures are those of the API', async () => {
    const { page } = on
    const row = page.getByRole('region', { name: 'Market' })
    await row.getByText(/five-minute average \d/).waitFor()
    const implied = await row.locator('.figure.large dd .num').textContent()
    const { impliedApy } = (await (await fetch(`${exchange.url}/v1/markets/${market.market}`)).json()) as {
      impliedApy: { q64: string }
    }
    expect(implied).toBe(formatPercent(BigInt(impliedApy.q64)))
  })

  test('a wallet of this browser, empty at first, is given test JLP', async () => {
    owner = await openTestWallet(on.page)
    expect(await walletJlp()).toBe(10_000_000_000n)
    expect((await connection.getBalance(new PublicKey(owner))) > 0).toBe(true)
    await on.page.getByText('wallet 10 000.00 JLP').waitFor()
  })

  test('the form says what the API quotes, to the digit, and what the wallet cannot pay', async () => {
    const { page } = on
    const margin = page.getByLabel('Margin', { exact: true })
    await margin.fill('999999')
    await page.getByText('The wallet has 10 000.00 JLP').waitFor()
    await margin.fill('12.5')
    await page.getByLabel('Leverage').fill('700')
    // A coupon may be paid between the two answers: then they are asked again.
    await expect
      .poll(
        async () => {
          const query = 'action=long&margin=12500000&leverage=7'
          const answer = await fetch(`${exchange.url}/v1/markets/${market.market}/quote?${query}`)
          if (!answer.ok) return await answer.text()
          const quote = (await answer.json()) as {
            filled: string
            fee: { total: string }
            apyAfter: { q64: string }
            breakEvenApy: { q64: string }
            account: { liquidationApy: { q64: string } }
          }
          const said = [
            await line('You buy').textContent(),
            await line('Fee').textContent(),
            await line('Implied APY after').textContent(),
            await line('Breaks even at').textContent(),
            await line('Liquidated at').textContent(),
          ].join(' ')
          const percentOf = ({ q64 }: { q64: string }): string => formatPercent(BigInt(q64))
          const quoted =
            `${shown(BigInt(quote.filled))}YT ${shown(BigInt(quote.fee.total), 6)}JLP ${percentOf(quote.apyAfter)} ` +
            `${percentOf(quote.breakEvenApy)}average APY ${percentOf(quote.account.liquidationApy)}implied APY`
          return said === quoted ? 'equal' : `page: ${said}; API: ${quoted}`
        },
        { timeout: 60_000 },
      )
      .toBe('equal')
  })

  test('from there to a long at the most leverage there is, as the chain has it', async () => {
    const { page, problems } = on
    await page.getByLabel('Margin', { exact: true }).fill('10')
    const slider = page.getByLabel('Leverage')
    await slider.focus()
    await page.keyboard.press('End')
    const leverage = Number((await slider.getAttribute('aria-valuetext'))!.replace('x', ''))
    expect(leverage).toBeGreaterThan(9)
    await page.getByRole('button', { name: /^Buy [\d .]+ YT$/ }).click()
    expect(await settled(page, `Long ${market.market}`)).toContain('Bought')
    const held = await account()
    expect(held.yt).toBeGreaterThan(0n)
    expect(held.st).toBeLessThan(0n)
    expect(Number(-held.st) / Number(held.margin)).toBeCloseTo(leverage, 1)
    expect(await walletJlp()).toBe(9_990_000_000n)
    await page.getByRole('heading', { name: `Account 0: Long ${shown(held.yt)} YT` }).waitFor()
    expect(problems).toEqual([])
  })

  test('nothing moves while figures change, and nobody is shut out', async () => {
    // What just came is given its place first.
    await on.page.waitForTimeout(2000)
    expect(await layoutShift(on.page, 5000)).toBeLessThan(0.01)
    expect(await seriousFindings(on.page)).toEqual([])
  })

  test('a limit order rests on the chain until it is taken back', async () => {
    const { page } = on
    await page.getByRole('radio', { name: 'Limit' }).click()
    await page.getByLabel('Buy up to an implied APY of').fill('5')
    await page.getByRole('button', { name: 'Place limit order' }).click()
    await settled(page, `Limit order in ${market.market}`)
    const [resting] = (await orders()) as [RestingOrderData]
    expect(resting.amount).toBeGreaterThan(0n)
    const row = page.getByRole('region', { name: 'Resting orders' }).getByRole('row').last()
    await expect.poll(() => row.textContent()).toContain(shown(resting.amount))
    expect(await row.textContent()).toContain('up to 5.00%')
    await row.getByRole('button', { name: 'Cancel' }).click()
    await settled(page, 'Cancel the order')
    expect(await orders()).toEqual([])
  })

  test('a stop and a take-profit wait on the chain for what the form says', async () => {
    const { page } = on
    await page.getByRole('radio', { name: 'Stop' }).click()
    await page.getByLabel('When the implied APY is below').fill('2.5')
    await page.getByRole('button', { name: 'Place stop' }).click()
    await settled(page, `Stop in ${market.market}`)
    await page.getByRole('radio', { name: 'Take profit' }).click()
    await page.getByRole('radio', { name: 'Profit', exact: true }).click()
    await page.getByLabel('When the profit is above').fill('7.5')
    await page.getByRole('button', { name: 'Place take-profit' }).click()
    await settled(page, `Take-profit in ${market.market}`)
    const kinds = (await orders()).map(({ action, trigger, level }) => ({
      action: ORDER_ACTIONS[action],
      trigger: TRIGGERS[trigger],
      level,
    }))
    expect(kinds).toEqual([
      { action: 'reduce-long', trigger: 'rate-below', level: rateFromApy(parsePercent('2.5')) },
      { action: 'reduce-long', trigger: 'pnl-above', level: 7_500_000n },
    ])
    const table = page.getByRole('region', { name: 'Resting orders' })
    await table.getByText('profit above +7.50 JLP').waitFor()
    for (const row of [1, 1]) {
      await table.getByRole('row').nth(row).getByRole('button', { name: 'Cancel' }).click()
      await settled(page, 'Cancel the order')
    }
    expect(await orders()).toEqual([])
  })

  test('closing all of it leaves margin alone, which can be taken out', async () => {
    const { page, problems } = on
    await page.getByRole('button', { name: 'Close position' }).click()
    await page.getByRole('dialog', { name: 'Close account 0' }).getByRole('button', { name: 'Close all' }).click()
    expect(await settled(page, `Close ${market.market}`)).toContain('Sold')
    const left = await account()
    expect([left.yt, left.st]).toEqual([0n, 0n])
    await page.getByRole('heading', { name: 'Account 0: no position' }).waitFor()
    await page.getByRole('button', { name: 'Add or withdraw margin' }).click()
    const dialog = page.getByRole('dialog', { name: 'Margin of account 0' })
    await dialog.getByRole('radio', { name: 'Withdraw' }).click()
    await dialog.getByLabel('Amount').fill(formatAtoms(left.margin))
    const before = await walletJlp()
    await dialog.getByRole('button', { name: 'Withdraw', exact: true }).click()
    await settled(page, `Withdraw from ${market.market}`)
    expect((await account()).margin).toBe(0n)
    expect(await walletJlp()).toBe(before + left.margin)
    expect(problems).toEqual([])
  })

  test('the page of markets, in the other theme and on a phone', async () => {
    const { page, problems } = await visit(browser, `${exchange.url}/#/markets`, { width: 390, theme: 'light' })
    await page.getByRole('link', { name: market.market, exact: true }).waitFor()
    await page.getByText('Virtual price').waitFor()
    expect(await overflows(page)).toBe(false)
    expect(await seriousFindings(page)).toEqual([])
    expect(problems).toEqual([])
  })
})
