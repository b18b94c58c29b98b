/** The questions of the command line: price, quote, position, simulate. Asked in this process, but for exit codes and help. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { Decimal } from 'decimal.js'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { UsageError } from '../../src/cli/output.ts'
import { addPositionCommand } from '../../src/cli/position.ts'
import { addPriceCommand } from '../../src/cli/price.ts'
import { addQuoteCommand } from '../../src/cli/quote.ts'
import { addSimulateCommand } from '../../src/cli/simulate.ts'
import { StrategyError } from '../../src/strategy/index.ts'
import { Random } from '../generate/random.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const spawned = (...args: string[]): { code: number | null; out: string; err: string } => {
  const command = ['node_modules/tsx/dist/cli.mjs', 'src/cli/main.ts', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

afterEach(() => vi.restoreAllMocks())

/** What a question prints, without starting a process. */
const ask = (...args: string[]): string => {
  const program = new Command('sunder')
  for (const add of [addPriceCommand, addQuoteCommand, addPositionCommand, addSimulateCommand]) add(program)
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  printed.mockClear()
  program.parse(args, { from: 'user' })
  return printed.mock.calls.join('\n')
}
const json = (...args: string[]): Record<string, unknown> => JSON.parse(ask(...args, '--json'))
const code = (...args: string[]): string => {
  try {
    ask(...args)
    return 'none'
  } catch (error) {
    if (error instanceof UsageError) return 'usage'
    if (error instanceof StrategyError) return error.code
    throw error
  }
}

describe('sunder price', () => {
  test('15 digits of YT and PT, right to the last, against 60-digit decimals', () => {
    const D = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP })
    const random = new Random(15n)
    let compared = 0
    for (let i = 0; i < 1500; i++) {
      const asPercent = random.pick([true, false])
      // Hundredths of a percent up to 300 %, and the days that the domain of the curve leaves (s * tau < 4).
      const bp = random.magnitude(30_000n)
      const days = random.pick([1, 7, 86, random.int(1, 730)])
      const text = asPercent ? `${new D(bp.toString()).div(100)}%` : new D(bp.toString()).div(10_000).toFixed()
      const { ytPrice, ptPrice } = json('price', '--apy', text, '--days', `${days}`)
      const pt = new D(bp.toString()).div(10_000).plus(1).pow(new D(-days).div(365))
      for (const [shown, exact] of [
        [ytPrice, new D(1).minus(pt)],
        [ptPrice, pt],
      ] as const) {
        // Where the sixteenth digit is about to round, the kernel's last ulps may decide.
        const rest = exact.times(1e15).mod(1).minus(0.5).abs()
        if (rest.lessThan(0.02)) continue
        expect(shown, `${text}, ${days} days`).toBe(exact.toFixed(15))
        compared++
      }
    }
    expect(compared).toBeGreaterThan(2700)
  })

  test('a fraction and a percentage are the same; for people the same digits', () => {
    expect(json('price', '--apy', '0.30', '--days', '86')).toEqual(json('price', '--apy', '30%', '--days', '86'))
    expect(ask('price', '--apy', '0.3', '--days', '86')).toMatch(/YT +0\.059945412453078 +ST/)
    expect(json('price', '--apy', '20%', '--days', '0.5')).toMatchObject({ seconds: 43_200 })
  })

  test.each([
    [['--apy', '30', '--days', '86'], /write 30% or 0.30/],
    [['--apy', 'much', '--days', '86'], /plain number/],
    [['--apy', '-3%', '--days', '86'], /plain number/],
    [['--apy', '30%', '--days', '0'], /--days/],
    [['--apy', '499%', '--days', '3000'], /exponent/],
  ])('error: %s', (args, message) => {
    expect(() => ask('price', ...args)).toThrow(message)
    expect(code('price', ...args)).toBe('usage')
  })
})

describe('sunder quote', () => {
  test('by itself it is the headline: 148.94 YT at 0.067141', () => {
    const out = ask('quote')
    expect(out).toMatch(/bought +148\.94\d+ +YT for 10\.000000 JLP/)
    expect(out).toMatch(/average price +0\.067141 +ST, an APY of 34\.3/)
    expect(out).toMatch(/32\.71% to 35\.93%/)
    expect(out).toMatch(/collateral ratio +113\.9\d% +at the spot; 106\.0\d% at the TWAP/)
  })

  test('short, by YT, by ST, and PT both ways', () => {
    expect(json('quote', '--side', 'short', '--leverage', '5')).toMatchObject({ amount: '5000000', complete: true })
    expect(json('quote', '--yt', '100')).toMatchObject({ filled: '100000000' })
    expect(json('quote', '--st', '4')).toMatchObject({ amount: '4000000', paid: '1004000' })
    const bought = json('quote', '--side', 'buy-pt', '--pt', '10') as { filled: string; fixedApy: number }
    const sold = json('quote', '--side', 'sell-pt', '--pt', '10') as { filled: string; fixedApy: number }
    expect([bought.filled, sold.filled]).toEqual(['10000000', '10000000'])
    expect(bought.fixedApy).toBeLessThan(sold.fixedApy)
    expect(ask('quote', '--yt', '5000', '--margin', '400')).toMatch(/filled in part/)
  })

  test('a refusal has its reason and what would be taken instead', () => {
    expect(code('quote', '--side', 'short')).toBe('undercollateralised')
    expect(() => ask('quote', '--side', 'short')).toThrow(/105\.09% at the TWAP.*at most 9\.37x.*at least 1\.2\d+ JLP/)
    expect(code('quote', '--apy', '60%')).toBe('no-liquidity')
    expect(() => ask('quote', '--kind', 'weekly', '--days', '14')).toThrow(/worst loss of one coupon.*at most 1\.9/)
  })

  test.each([
    ['--side', 'up'],
    ['--margin', '1e3'],
    ['--range', '25%'],
    ['--range', '45%-25%'],
    ['--days', '900'],
    ['--leverage', '-1'],
    ['--pt', '5'],
  ])('error: %s %s', (...args) => {
    expect(code('quote', ...args)).toBe('usage')
  })
})

describe('sunder position, as RateX documents it', () => {
  test('100 YT against 10 ST with 1 of margin at 0.1: CR 110 %, liquidated at 0.095; short at 0.1047619', () => {
    const long = ask('position', '--yt', '100', '--st', '-10', '--margin', '1', '--price', '0.1')
    expect(long).toMatch(/entry price +0\.1000000/)
    expect(long).toMatch(/collateral ratio +110\.00%/)
    expect(long).toMatch(/liquidation price +0\.0950000/)
    expect(long).toMatch(/leverage +10\.00x/)
    const short = ask('position', '--yt', '-100', '--st', '10', '--margin', '1', '--price', '0.1')
    expect(short).toMatch(/collateral ratio +110\.00%/)
    expect(short).toMatch(/liquidation price +0\.1047619/)
  })

  test('profit is value less cost, also of margin; APYs where the time is known', () => {
    const args = ['position', '--yt', '100', '--st', '-9.91', '--margin', '1', '--price', '0.11', '--days', '90']
    expect(json(...args)).toMatchObject({
      entryPrice: '0.099100000000000',
      profit: '1.090000',
      profitOfMargin: '1.090000',
      liquidationPrice: '0.094055000000000',
      liquidationApy: expect.stringMatching(/^\d+\.\d\d%$/),
    })
    const spot = json('position', '--yt', '100', '--st', '0', '--margin', '0', '--apy', '30%', '--days', '86')
    expect(spot).toMatchObject({ standing: 'spot: cannot be liquidated', price: '0.059945412453078' })
    expect(json('position', '--yt', '100', '--st', '-10', '--margin', '1', '--price', '0.09')).toMatchObject({
      standing: 'can be liquidated',
    })
  })

  test('error: no price, both, none held', () => {
    const legs = ['position', '--st', '-10', '--margin', '1']
    expect(code(...legs, '--yt', '100')).toBe('usage')
    expect(code(...legs, '--yt', '100', '--price', '0.1', '--apy', '30%', '--days', '3')).toBe('usage')
    expect(code(...legs, '--yt', '0', '--price', '0.1')).toBe('usage')
    expect(code(...legs, '--yt', '100', '--price', '1')).toBe('usage')
  })
})

describe('sunder simulate', () => {
  test('what if the APY averages 50 %: a table by week and totals', () => {
    const out = ask('simulate', '--side', 'long', '--apy', '34%', '--realised', '50%')
    expect(out.split('\n').filter(line => /^ *\d+ /.test(line))).toHaveLength(15)
    expect(out).toMatch(/paid +1\.010000/)
    expect(out).toMatch(/profit +3\.2\d+ +JLP, 31\d\.\d\d %/)
  })

  test('PT and liquidity, a path by day, an early exit, and a liquidation in its row', () => {
    expect(json('simulate', '--realised', '30%', '--position', 'pt')).toMatchObject({ matured: true, left: '0' })
    const lp = json('simulate', '--realised', '33%', '--implied', '33%,36%', '--position', 'lp', '--hold', '9')
    expect(lp).toMatchObject({ matured: false, rows: { length: 10 } })
    expect(ask('simulate', '--realised', '20%', '--implied', '34%,32%', '--hold', '3')).toMatch(/ 2 .*liquidated/)
    const capped = ask('simulate', '--realised', '500%', '--days', '60')
    expect(capped).toMatch(/held back/)
    expect(capped).toMatch(/filled in part/)
  })

  test('error: no realised APY that can be read, a position that is none, more leverage than there is', () => {
    expect(code('simulate', '--realised', '30')).toBe('usage')
    expect(code('simulate', '--realised', '30%', '--position', 'cash')).toBe('usage')
    expect(code('simulate', '--realised', '30%', '--hold', '0')).toBe('usage')
    expect(code('simulate', '--realised', '30%', '--implied', '900%')).toBe('usage')
    expect(code('simulate', '--realised', '30%', '--leverage', '30')).toBe('undercollateralised')
  })
})

describe('as a process', () => {
  test('bad input ends with 2, a refusal with 1 and its numbers as JSON', () => {
    expect(spawned('price', '--apy', '30')).toMatchObject({ code: 2, err: expect.stringMatching(/write 30%/) })
    const refused = spawned('quote', '--side', 'short', '--json')
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.out)).toMatchObject({ kind: 'refused', code: 'undercollateralised' })
  })

  test('so does an option that is none, or one that is missing', () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(code => {
      throw new UsageError(`${code}`)
    })
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    expect(() => ask('quote', '--nonsense')).toThrow('2')
    expect(() => ask('price', '--apy', '30%')).toThrow('2')
    expect(exit).toHaveBeenCalledTimes(2)
  })

  test.each(['price', 'quote', 'position', 'simulate'])('%s --help', name => {
    const program = new Command('sunder')
    for (const add of [addPriceCommand, addQuoteCommand, addPositionCommand, addSimulateCommand]) add(program)
    let help = ''
    const command = program.commands.find(c => c.name() === name)!
    command.configureOutput({ writeOut: text => (help += text) }).outputHelp()
    expect(help).toMatch(/30% or, as a fraction, 0\.30\.[\s\S]*Example: sunder/)
  })
})
