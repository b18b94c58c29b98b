import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCustody, encodePool, PERPETUALS_PROGRAM } from '../../src/jupiter/index.ts'
import { POOL_2026, SOL_2026, USDC_2026 } from '../jupiter/fixtures/index.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sunder-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const sunder = (...args: string[]): { code: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/tsx/dist/cli.mjs', 'src/cli/main.ts', ...args],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
  return { code: status, out: stdout, err: stderr }
}
const json = (...args: string[]): Record<string, unknown> => {
  const { code, out, err } = sunder(...args, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}

/** A JSON-RPC answer with these accounts, one of which does not exist. */
const answer = (...accounts: Uint8Array[]): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    result: {
      context: { slot: 450_101_361 },
      value: [
        ...accounts.map(data => ({
          owner: PERPETUALS_PROGRAM,
          data: [Buffer.from(data).toString('base64'), 'base64'],
        })),
        null,
      ],
    },
  })

describe('sunder apr', () => {
  test('as of a day of the history: official, leading with its band, forecast', () => {
    const reading = json('apr', '--at', '2024-09-05') as {
      official: { aprBps: string }
      leading: { daysKnown: number; aprPercent: number; lowPercent: number; highPercent: number }
      forecast: unknown[]
    }
    expect(reading.official.aprBps).toBe('2500')
    expect(reading.leading.daysKnown).toBe(5)
    expect(reading.leading.lowPercent).toBeLessThan(reading.leading.aprPercent)
    expect(reading.leading.highPercent).toBeGreaterThan(reading.leading.aprPercent)
    expect(reading.forecast).toHaveLength(4)
  })

  test('backtest prints the weeks and days it scored, on the project’s history and on another file', () => {
    const own = json('apr', 'backtest') as { weeks: number; nominalCoverage: number; days: Record<string, number>[] }
    expect(own.weeks).toBe(97)
    expect(own.days.map(d => d['day'])).toEqual([1, 3, 5, 6])
    expect(Object.keys(own.days[0]!)).toEqual(['day', 'mae', 'maeLastPrint', 'maeRunRate', 'coverage'])
    const rows = Array.from({ length: 21 }, (_, i) => {
      const date = new Date(Date.UTC(2026, 0, 3 + i)).toISOString().slice(0, 10)
      return `${date},${400_000 + ((i * 7919) % 300_000)},${i % 5 === 4 ? '' : 1_100_000_000},ignored`
    })
    const other = file('other.csv', `date,fees_usd,aum_usd,note\n${rows.join('\n')}\n`)
    expect((json('apr', 'backtest', '--history', other) as { weeks: number }).weeks).toBe(2)
  })

  test('error: a malformed row by its line, a file that is not there, a day outside the history, an unknown option', () => {
    const bad = file('bad.csv', 'date,fees_usd,aum_usd\n2026-01-01,1,1\n2026-01-02,x,1\n')
    expect(sunder('apr', 'backtest', '--history', bad)).toMatchObject({ code: 1, err: expect.stringMatching(/line 3/) })
    expect(sunder('apr', '--history', join(folder, 'none.csv'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/Cannot read/),
    })
    expect(sunder('apr', 'leading', '--at', '2030-01-01')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no-data/),
    })
    expect(sunder('apr', '--nonsense').code).not.toBe(0)
  })
})

describe('sunder pool', () => {
  test('reads an answer with pool and custodies into a table and JSON', () => {
    const path = file(
      'gma.json',
      answer(encodeCustody(SOL_2026.facts), encodeCustody(USDC_2026.facts), encodePool(POOL_2026.facts)),
    )
    const read = json('pool', '--file', path) as {
      pool: { poolApr: { feeAprBps: string }; aumUsd: string }
      custodies: { symbol: string }[]
      missing: number
    }
    expect(read.pool.poolApr.feeAprBps).toBe('850')
    expect(read.pool.aumUsd).toBe('931403341015904')
    expect(read.custodies.map(c => c.symbol)).toEqual(['SOL', 'USDC'])
    expect(read.missing).toBe(1)
    const { out } = sunder('pool', '--file', path)
    expect(out).toContain('$931,403,341.02')
    expect(out).toContain('8.50 %')
    expect(out).toMatch(/SOL .*11\.18 %/)
  })

  test('error: not JSON, an error of the node, a foreign account, neither file nor node', () => {
    expect(sunder('pool', '--file', file('a.json', 'x'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/not JSON/),
    })
    const refused = file('b.json', '{"jsonrpc":"2.0","error":{"code":-32005,"message":"behind"}}')
    expect(sunder('pool', '--file', refused)).toMatchObject({ code: 2, err: expect.stringMatching(/behind/) })
    const foreign = file('c.json', answer(new Uint8Array(2000)))
    expect(sunder('pool', '--file', foreign)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/wrong-discriminator/),
    })
    expect(sunder('pool')).toMatchObject({ code: 2, err: expect.stringMatching(/--file or --rpc/) })
    expect(sunder('pool', '--rpc', 'http://127.0.0.1:9')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/did not answer/),
    })
  })
})

describe('sunder jlp', () => {
  test('the recorded pool: virtual price, weights, and the fee of a deposit that moves a weight away from its target', () => {
    const { out } = sunder('jlp')
    expect(out).toMatch(/virtual price +\$4\.52/)
    expect(out).toContain('37.6-56.4 %')
    const minted = json('jlp', 'mint', '--token', 'USDC', '--amount', '1000') as { feeBps: string; lp: string }
    expect(Number(minted.feeBps)).toBeLessThan(10) // below its target: a discount
    expect(Number(minted.lp) / 1e6).toBeCloseTo((1000 * (1 - Number(minted.feeBps) / 1e4)) / 4.5235, 1)
  })

  test('the documents’ estimates: $35,000 and $8.75, $22,500 and $5.625', () => {
    const day = ['--volume', '50000000', '--held', '1000', '--tvl', '4000000']
    expect(json('jlp', 'estimate', ...day, '--at', '2024-03-01')).toMatchObject({
      poolUsd: '35000000000',
      holderUsd: '8750000',
    })
    expect(json('jlp', 'estimate', ...day)).toMatchObject({ poolUsd: '22500000000', holderUsd: '5625000' })
  })

  test('error: an unknown token, more than the pool takes, an exponent for an amount', () => {
    expect(sunder('jlp', 'mint', '--token', 'DOGE', '--amount', '1')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no DOGE/),
    })
    expect(sunder('jlp', 'mint', '--token', 'USDC', '--amount', '900000000')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/aum-limit/),
    })
    expect(sunder('jlp', 'mint', '--token', 'SOL', '--amount', '1e3').code).not.toBe(0)
  })
})

test('--help of every command', () => {
  for (const command of ['apr', 'pool', 'jlp'])
    expect(sunder(command, '--help')).toMatchObject({ code: 0, out: expect.stringMatching(/Usage: sunder/) })
})
