/**
 * The portfolio in a real browser: a position with an order on it, its numbers against the API's, its files against both, and the way
 * out of it to the last atom, checked against the chain; and the same for anybody who only looks.
 */
import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatAtoms } from '../../amm/index.ts'
import { csvOf } from '../../app/web/src/pages/portfolio/csv.ts'
import { addressOf, marketAddress } from '../../src/client/index.ts'
import { ChainSide, lineOf, type MarketRow, shown } from './chain.ts'
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

/** RFC 4180, read back. */
const parsed = (text: string): string[][] => {
  const rows: string[][] = [['']]
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const row = rows.at(-1)!
    const char = text[at]!
    const put = (more: string): void => {
      row.push(row.pop()! + more)
    }
    if (isQuoted && char === '"' && text[at + 1] === '"') put(text[++at]!)
    else if (char === '"') isQuoted = !isQuoted
    else if (char === ',' && !isQuoted) row.push('')
    else if (char === '\r' && text[at + 1] === '\n' && !isQuoted) {
      at++
      rows.push([''])
    } else put(char)
  }
  expect(rows.pop()).toEqual(['']) // the last line ends too
  return rows
}

test('whatever is in a cell comes back, and none is run as a formula', () => {
  const values = ['plain', 'a,b', 'a "b"', 'line\r\nbreak', '', '-1.5', '=1+1', '@x']
  const columns = [
    { name: 'a', value: (row: string) => row },
    { name: 'n', value: () => null },
  ]
  const [head, ...rows] = parsed(csvOf(columns, values))
  expect(head).toEqual(['a', 'n'])
  expect(rows).toEqual(values.map(value => [/^[=@]/.test(value) ? `'${value}` : value, '']))
})

interface OwnerAnswer {
  readonly wallet: { readonly jlp: string }
  readonly accounts: readonly {
    readonly account: Readonly<Record<'margin' | 'st' | 'yt' | 'equity', string>>
    readonly profit: Readonly<Record<'total' | 'coupons' | 'decay' | 'rateMove' | 'realised' | 'fees', string>> | null
  }[]
}

describe.skipIf(!hasChromium)('the portfolio in a browser (skipped where there is no Chromium)', () => {
  let exchange: RunningExchange
  let browser: Browser
  let chain: ChainSide
  let on: Visit
  let market: MarketRow
  let owner: string

  beforeAll(async () => {
    exchange = await startExchange()
    chain = new ChainSide(exchange)
    browser = await openBrowser()
    market = (await chain.marketsOf('hourly')).at(-1)!
    on = await visit(browser, `${exchange.url}/#/trade/${market.market}`)
    owner = await openTestWallet(on.page)
  })
  afterAll(async () => {
    await browser?.close()
    await exchange?.stop()
  })

  const accountAddress = () => addressOf('MarginAccount', { market: marketAddress(market), owner, sub: 0 })
  const account = async () => (await chain.account('MarginAccount', accountAddress()))!
  const card = () => on.page.locator('section.account')
  const api = () => chain.get<OwnerAnswer>(`/v1/accounts/${owner}`)
  const saved = async (name: RegExp): Promise<string[][]> => {
    const [file] = await Promise.all([on.page.waitForEvent('download'), on.page.getByRole('button', { name }).click()])
    return parsed(readFileSync((await file.path())!, 'utf8'))
  }

  test('a long and an order on it', async () => {
    const { page } = on
    await page.getByLabel('Margin', { exact: true }).fill('50')
    await page.getByRole('button', { name: /^Buy [\d .]+ YT$/ }).click()
    await settled(page, `Long ${market.market}`)
    await page.getByRole('radio', { name: 'Limit' }).click()
    await page.getByLabel('Buy up to an implied APY of').fill('5')
    await page.getByRole('button', { name: 'Place limit order' }).click()
    await settled(page, `Limit order in ${market.market}`)
    expect((await account()).orders).toBe(1)
  })

  test('the numbers are the API’s, and the parts of the profit add up', async () => {
    const { page } = on
    await page.goto(`${exchange.url}/#/portfolio`)
    await card().waitFor()
    const parts = ['coupons', 'decay', 'rateMove', 'fees', 'realised', 'total'] as const
    await expect
      .poll(
        async () => {
          const { accounts, wallet } = await api()
          const [held] = accounts
          if (held?.profit == null) return 'not indexed yet'
          const said = await Promise.all(
            parts.map(async part => (await card().locator(`[data-part="${part}"]`).textContent())!.replace(' JLP', '')),
          )
          const signed = (atoms: bigint): string => `${atoms > 0n ? '+' : ''}${shown(atoms, 6)}`
          const expected = parts.map(part => signed(BigInt(held.profit![part])))
          const figures = (await card().textContent()) ?? ''
          const { margin, st, yt, equity } = held.account
          const missing = [shown(BigInt(margin)), shown(BigInt(st)), shown(BigInt(yt)), shown(BigInt(equity))].filter(
            text => !figures.includes(text),
          )
          const top = (await page.getByRole('region', { name: 'What it is worth' }).textContent()) ?? ''
          if (!top.includes(shown(BigInt(wallet.jlp)))) missing.push('wallet')
          return missing.length === 0 && said.join() === expected.join()
            ? 'equal'
            : `${said} / ${expected} / ${missing}`
        },
        { timeout: 90_000 },
      )
      .toBe('equal')
    const profit = (await api()).accounts[0]!.profit!
    const sum = (['coupons', 'decay', 'rateMove', 'fees', 'realised'] as const).reduce(
      (total, part) => total + BigInt(profit[part]),
      0n,
    )
    expect(sum).toBe(BigInt(profit.total))
    expect(BigInt(profit.fees)).toBeLessThan(0n)
    const held = await account()
    expect((await api()).accounts[0]!.account.yt).toBe(String(held.yt))
  })

  test('what was can be taken along, and is what the API says', async () => {
    const { page } = on
    const [names, line] = await saved(/^Export positions/)
    const row = new Map(names!.map((name, i) => [name, line![i]]))
    expect(row.get('yt')).toBe(formatAtoms((await account()).yt))
    expect(row.get('market')).toBe(market.market)

    const trades = await chain.get<{ rows: { signature: string; filled: string }[] }>(`/v1/accounts/${owner}/trades`)
    expect(trades.rows).toHaveLength(1)
    const [head, ...rows] = await saved(/^Export trades/)
    const at = (name: string): number => head!.indexOf(name)
    expect(rows.map(cells => [cells[at('signature')], cells[at('filled')]])).toEqual(
      trades.rows.map(({ signature, filled }) => [signature, formatAtoms(BigInt(filled))]),
    )
    await page.getByRole('tab', { name: 'Account changes' }).click()
    const changes = await chain.get<{ rows: unknown[] }>(`/v1/accounts/${owner}/history`)
    expect(await saved(/^Export account changes/)).toHaveLength(changes.rows.length + 1)
  })

  test('whoever looks without the key sees the same, and can sign nothing', async () => {
    const { page, problems } = await visit(browser, `${exchange.url}/?owner=${owner}#/portfolio`)
    await page.getByText('Read only.').waitFor()
    await page.locator('section.account').waitFor()
    expect(await page.locator('section.account').textContent()).toContain(shown((await account()).yt))
    for (const name of ['Deposit', 'Withdraw', 'Close position', 'Close account']) {
      expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0)
    }
    expect(await page.getByRole('button', { name: /^Cancel order/ }).count()).toBe(0)
    expect(problems).toEqual([])
    await page.goto(`${exchange.url}/#/portfolio/notAnAddress`)
    await page.reload()
    await page.getByText('That is not an address.').waitFor()
  })

  test('the order taken back, margin in and out, all closed: the chain has nothing left of it', async () => {
    const { page, problems } = on
    await page.getByRole('button', { name: `Cancel order 0 in ${market.market}` }).click()
    await settled(page, `Cancel order 0 in ${market.market}`)
    expect((await account()).orders).toBe(0)

    const before = await account()
    await card().getByRole('button', { name: 'Deposit' }).click()
    const deposit = page.getByRole('dialog', { name: `Deposit margin: ${market.market}` })
    await deposit.getByLabel('JLP').fill('5')
    await expect
      .poll(async () => (await lineOf(deposit, 'Margin after').textContent()) ?? '')
      .toContain(shown(before.margin + 5_000_000n, 6))
    await deposit.getByRole('button', { name: 'Deposit 5.00 JLP' }).click()
    await settled(page, `Deposit into ${market.market}`)
    expect((await account()).margin).toBe(before.margin + 5_000_000n)

    await card().getByRole('button', { name: 'Withdraw' }).click()
    const withdraw = page.getByRole('dialog', { name: `Withdraw margin: ${market.market}` })
    await withdraw.getByLabel('JLP').fill('9999')
    await withdraw.getByRole('alert').waitFor()
    await withdraw.getByLabel('JLP').fill('2')
    await withdraw.getByRole('button', { name: 'Withdraw 2.00 JLP' }).click()
    await settled(page, `Withdraw from ${market.market}`)
    expect((await account()).margin).toBe(before.margin + 3_000_000n)

    await card().getByRole('button', { name: 'Close position' }).click()
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Close [\d.]+ YT$/ })
      .click()
    await settled(page, `Close the position in ${market.market}`)
    const flat = await account()
    expect([flat.yt, flat.st]).toEqual([0n, 0n])

    const jlp = await chain.jlp(owner)
    await card().getByRole('button', { name: 'Withdraw' }).click()
    await withdraw.getByRole('button', { name: `all ${formatAtoms(flat.margin, 2)} JLP` }).click()
    await withdraw.getByRole('button', { name: /^Withdraw [\d.]+ JLP$/ }).click()
    await settled(page, `Withdraw from ${market.market}`)
    expect((await chain.jlp(owner)) - jlp).toBe(flat.margin)
    await card().getByRole('button', { name: 'Close account' }).click()
    await settled(page, `Close the account in ${market.market}`)
    expect(await chain.account('MarginAccount', accountAddress())).toBeUndefined()
    await page.getByText('None yet. A long or a short opens one').waitFor()
    expect(problems).toEqual([])
  })

  test('nobody is shut out, on a phone neither', async () => {
    const { page } = on
    expect(await seriousFindings(page)).toEqual([])
    await page.waitForTimeout(1500)
    expect(await layoutShift(page, 4000)).toBeLessThan(0.01)
    const phone = await visit(browser, `${exchange.url}/#/portfolio/${owner}`, { width: 390, theme: 'light' })
    await phone.page.getByText('Read only.').waitFor()
    await phone.page.getByRole('tab', { name: 'Trades' }).waitFor()
    expect(await overflows(phone.page)).toBe(false)
    expect(await seriousFindings(phone.page)).toEqual([])
    expect(phone.problems).toEqual([])
  })
})
