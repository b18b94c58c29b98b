/** The commands about a chain, against a local one over HTTP: in this process, but for exit codes, signals and the environment. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Keypair } from '@solana/web3.js'
import { Command } from 'commander'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type RunningServer, startServer } from '../../src/chain/index.ts'
import { type LocalMarket, nextMarket, openMarket, setUp } from '../../src/cli/local-markets.ts'
import { UsageError } from '../../src/cli/output.ts'
import { addQuoteCommand } from '../../src/cli/quote.ts'
import { addVenueCommands } from '../../src/cli/venue/index.ts'
import { encodeBase58 } from '../../src/client/base58.ts'
import { ProgramError, SunderClient } from '../../src/client/index.ts'
import { StrategyError } from '../../src/strategy/index.ts'
import { chainOf, ONE } from '../chain/support.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** A slot is 24 minutes of the chain's clock, which stands unless a slot is made. */
const { chain, rpc, connection } = chainOf({ speed: 3600 })
const slots = (count: number): void => {
  for (let slot = 0; slot < count; slot++) chain.nextSlot()
}

let server: RunningServer
let folder = ''
let keypair = ''
let hourly: LocalMarket
let weekly: LocalMarket
/** All that was printed. */
let everything = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sunder-venue-'))
  keypair = join(folder, 'keys', 'wallet.json')
  const client = new SunderClient(connection)
  const operator = chain.operator.publicKey.toBase58()
  await setUp(client, chain)
  ;[hourly, weekly] = [nextMarket(chain.now, 'hourly'), nextMarket(chain.now, 'weekly')]
  for (const market of [hourly, weekly]) {
    await openMarket(client, chain, market, 500_000n * ONE, () => rpc.faucet.give(operator, 500_000n * ONE))
  }
  slots(1)
  server = await startServer(rpc)
}, 60_000)

afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

// ---- asking -------------------------------------------------------------------------------------------------------------

const programOf = (): Command => {
  const program = new Command('sunder')
  addQuoteCommand(program)
  addVenueCommands(program)
  return program
}

/** What a command prints to stdout. */
const ask = async (...args: string[]): Promise<string> => {
  const out = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const err = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  out.mockClear()
  const key = /^(market|markets|watch)$/.test(args[0]!) || args.includes('--keypair') ? [] : ['--keypair', keypair]
  const isKeyless = args[0] === 'earn' && args[1] === 'quote'
  try {
    await programOf().parseAsync([...args, '--rpc', server.url, ...(isKeyless ? [] : key)], { from: 'user' })
  } finally {
    everything += [...out.mock.calls, ...err.mock.calls].join('\n')
  }
  return out.mock.calls.join('\n')
}
// biome-ignore lint/suspicious/noExplicitAny: what JSON holds is looked at by the assertions
const json = async (...args: string[]): Promise<any> => JSON.parse(await ask(...args, '--json'))
const refusal = async (...args: string[]): Promise<string> => {
  try {
    await ask(...args)
    return 'none'
  } catch (error) {
    if (error instanceof UsageError) return 'usage'
    if (error instanceof ProgramError || error instanceof StrategyError) return error.code
    throw error
  }
}
const jlpHeld = async (): Promise<bigint> => BigInt((await json('wallet', 'show')).jlp)

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
/** As a process of its own; the chain in this one answers it. */
const start = (args: string[], env: Record<string, string> = {}): { child: ChildProcess; ended: Promise<Ended> } => {
  const command = ['--import', 'tsx', 'src/cli/main.ts', ...args]
  const given = { SUNDER_RPC_URL: server.url, SUNDER_KEYPAIR: keypair, ...env }
  const child = spawn(process.execPath, command, { cwd: root, env: { ...process.env, ...given } })
  const heard = { out: '', err: '' }
  child.stdout.on('data', data => (heard.out += data))
  child.stderr.on('data', data => (heard.err += data))
  const ended = new Promise<Ended>(done =>
    child.on('close', code => {
      everything += heard.out + heard.err
      done({ code, ...heard })
    }),
  )
  return { child, ended }
}

// ---- the tests, in the order of a life --------------------------------------------------------------------------------------

describe('a wallet', () => {
  test('is made for its owner alone, filled by the local chain, and never written over', async () => {
    expect(await ask('wallet', 'new', '--jlp', '5000')).toMatch(/keep it[\s\S]*SOL +2\.000000[\s\S]*JLP +5000\.000000/)
    expect(statSync(keypair).mode & 0o777).toBe(0o600)
    const before = readFileSync(keypair, 'utf8')
    expect(await refusal('wallet', 'new')).toBe('usage')
    expect(readFileSync(keypair, 'utf8')).toBe(before)
    const { publicKey } = Keypair.fromSecretKey(Uint8Array.from(JSON.parse(before)))
    expect(await json('wallet', 'faucet', '--jlp', '5000')).toMatchObject({
      address: publicKey.toBase58(),
      jlp: '10000000000',
      lamports: '2000000000',
    })
  })

  test('error: none there, a broken one whose text is not repeated, more than the faucet gives', async () => {
    await expect(ask('wallet', 'show', '--keypair', join(folder, 'none.json'))).rejects.toThrow(/sunder wallet new/)
    const broken = join(folder, 'broken.json')
    writeFileSync(broken, '[1,2,3,"swordfish"]', { mode: 0o600 })
    const error = await ask('wallet', 'show', '--keypair', broken).catch(error => error as Error)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).not.toMatch(/swordfish/)
    await expect(ask('wallet', 'faucet', '--jlp', '2000000')).rejects.toThrow(/faucet gave nothing/)
  })
})

describe('markets', () => {
  test('all of them in a table, and one in detail with what moves it', async () => {
    const table = await ask('markets')
    expect(table).toMatch(new RegExp(`${hourly.name} +hourly +2024-07-26 +\\d+\\.\\d\\d% .* open`))
    expect(table).toContain(weekly.name)
    const all = await json('markets')
    expect(all.map((one: { name: string }) => one.name)).toEqual([hourly.name, weekly.name])
    expect(all[0]).toMatchObject({ kind: 'hourly', status: 'open', longYt: '0', maturity: hourly.maturity })
    const one = await json('market', hourly.name.toLowerCase())
    expect(one.termStructure).toHaveLength(2)
    const apys = one.depth.map((rung: { apy: string }) => Number(rung.apy))
    expect(apys).toEqual([...apys].sort((a, b) => b - a))
    expect(one.depth).toHaveLength(10)
    for (const { yt, jlp } of one.depth) expect(BigInt(yt)).toBeGreaterThan(BigInt(jlp))
    expect(await ask('market', hourly.name)).toMatch(/implied APY +\d[\s\S]*to move the implied APY to[\s\S]*<$/m)
  })

  test('error: one that is not there names those that are; one that is no name', async () => {
    await expect(ask('market', 'JLP-2509')).rejects.toThrow(`there are ${hourly.name}, ${weekly.name}`)
    await expect(ask('market', 'DOGE')).rejects.toThrow(/no market's name/)
  })
})

describe('trade', () => {
  test('a 10x long from quote to an empty account: what was quoted is what is filled, to the atom', async () => {
    const name = hourly.name
    const before = await jlpHeld()
    const quote = await json('quote', '--market', name, '--margin', '10', '--leverage', '10')
    expect(await json('trade', 'long', name, '--margin', '10', '--leverage', '10', '--dry-run')).toMatchObject({
      kind: 'dry-run',
      quote: { filled: quote.filled },
    })
    expect(await jlpHeld()).toBe(before)
    const done = await json('trade', 'long', name, '--margin', '10', '--leverage', '10')
    const { filled, amount, fee, apyBefore, apyAfter, complete } = quote
    expect(done).toMatchObject({ kind: 'done', quote, filled, amount, fee, apyBefore, apyAfter, complete })
    expect(done).toMatchObject({
      order: 'buy-yt',
      jlp: `-${quote.paid}`,
      signature: expect.stringMatching(/^\w{64,88}$/),
    })
    expect(done.account).toMatchObject({ side: 'long', yt: filled, margin: '10000000', leverage: '10.000000000000000' })
    expect([done.account.ratio, done.account.liquidationApy]).toEqual([quote.ratio, quote.liquidationApy])
    expect(await jlpHeld()).toBe(before - BigInt(quote.paid))

    slots(1)
    expect(await ask('trade', 'reduce', name, '--yt', '100')).toMatch(
      /sold +100\.000000[\s\S]*account 0: long .*signature/s,
    )
    const [own] = (await json('positions')).accounts
    expect(own).toMatchObject({
      market: name,
      sub: 0,
      side: 'long',
      yt: `${BigInt(filled) - 100n * ONE}`,
      healthy: true,
    })
    expect(await refusal('trade', 'short', name, '--margin', '1', '--leverage', '2')).toBe('opposite-position')
    expect(await refusal('close', name)).toBe('not-empty')

    const closing = await json('quote', '--market', name, '--side', 'close')
    const closed = await json('trade', 'close', name)
    expect(closed).toMatchObject({ filled: closing.filled, amount: closing.amount, account: { side: 'flat', yt: '0' } })
    expect(closed.account.margin).toBe(closing.margin)
    expect(await refusal('trade', 'close', name)).toBe('no-position')
    const out = await json('withdraw', name, 'all')
    expect(out.jlp).toBe(closing.margin)
    expect(await refusal('withdraw', name, 'all')).toBe('insufficient-margin')
    expect(await ask('close', name)).toMatch(/account 0 is closed/)
    expect((await json('positions')).accounts).toEqual([])
    expect(await jlpHeld()).toBe(before - BigInt(quote.paid) + BigInt(closing.margin))
  })

  test('short in another account, by YT, with a limit', async () => {
    const args = ['--yt', '200', '--margin', '5', '--sub', '3']
    const quote = await json('quote', '--market', weekly.name, '--side', 'short', ...args)
    const done = await json('trade', 'short', weekly.name, ...args, '--limit-apy', '5%')
    expect(done).toMatchObject({
      order: 'sell-yt',
      filled: '200000000',
      amount: quote.amount,
      account: { sub: 3, side: 'short' },
    })
    expect(await refusal('trade', 'short', weekly.name, ...args, '--limit-apy', '90%')).toBe('limit-reached')
    await json('trade', 'close', weekly.name, '--sub', '3')
  })

  test('PT by ST and by number: quote and fill are the same', async () => {
    const quote = await json('quote', '--market', hourly.name, '--side', 'buy-pt', '--st', '50')
    expect(await json('trade', 'buy-pt', hourly.name, '--st', '50')).toMatchObject({
      filled: quote.filled,
      jlp: `-${quote.total}`,
    })
    const back = await json('quote', '--market', hourly.name, '--side', 'sell-pt', '--pt', '20')
    expect(await json('trade', 'sell-pt', hourly.name, '--pt', '20')).toMatchObject({
      filled: '20000000',
      jlp: back.total,
    })
  })

  test('error: words that do not go together, and what the market refuses with what it would take', async () => {
    const { name } = hourly
    for (const args of [
      ['trade', 'long', name],
      ['trade', 'long', name, '--leverage', '10'],
      ['trade', 'long', name, '--yt', '1', '--st', '1'],
      ['trade', 'long', name, '--margin', '1e3', '--leverage', '10'],
      ['trade', 'long', name, '--margin', '1', '--leverage', '10', '--tolerance', '1.5'],
      ['trade', 'long', name, '--margin', '1', '--leverage', '10', '--sub', '256'],
      ['trade', 'long', name, '--margin', '1', '--leverage', '10', '--limit-apy', '34'],
      ['trade', 'buy-pt', name],
      ['trade', 'reduce', name],
      ['quote', '--market', name, '--apy', '30%'],
      ['quote', '--market', name, '--pt', '3'],
    ]) {
      expect({ args, code: await refusal(...args) }).toEqual({ args, code: 'usage' })
    }
    await expect(ask('trade', 'long', name, '--margin', '10', '--leverage', '30')).rejects.toThrow(
      /at most 10\.00x with 10\.00 JLP of margin, or at least \d+\.\d+ JLP/,
    )
    expect(await refusal('trade', 'long', name, '--margin', '20000', '--leverage', '1')).toBe('insufficient-balance')
    expect(await refusal('trade', 'close', name, '--sub', '9')).toBe('usage')
  })

  test('a stranger with an empty wallet is told what is missing', async () => {
    const empty = join(folder, 'empty.json')
    writeFileSync(empty, JSON.stringify([...Keypair.generate().secretKey]), { mode: 0o600 })
    const args = ['trade', 'long', hourly.name, '--margin', '1', '--leverage', '2', '--keypair', empty]
    expect(await refusal(...args)).toBe('insufficient-lamports')
  })
})

describe('order', () => {
  test('placed, listed, cancelled: a limit, a stop and a take-profit of whichever side is held', async () => {
    const { name } = hourly
    const placed = await json('order', 'place', 'long', name, '--yt', '100', '--limit-apy', '10%', '--margin', '3')
    expect(placed).toMatchObject({ id: 0, market: name })
    expect(await refusal('order', 'place', 'reduce', name, '--stop-apy', '8%')).toBe('usage')
    await json('trade', 'long', name, '--yt', '50')
    expect(
      await ask('order', 'place', 'reduce', name, '--stop-apy', '8%', '--expires', '30d', '--fee', '0.05'),
    ).toMatch(/order 1 waits: reduce-long all, once the APY is 8\.00% or less/)
    expect(await json('order', 'place', 'reduce', name, '--take-pnl', '2', '--yt', '20')).toMatchObject({ id: 2 })
    const list = await json('order', 'list')
    expect(list).toMatchObject([
      {
        id: 0,
        action: 'long',
        amount: '100000000',
        trigger: 'none',
        fee: '10000',
        limitApy: expect.stringMatching(/^0\.(0999|1000)/),
      },
      { id: 1, action: 'reduce-long', trigger: 'rate-below', fee: '50000' },
      { id: 2, action: 'reduce-long', trigger: 'pnl-above', level: '2000000', amount: '20000000' },
    ])
    expect(list[1].expiresAt - list[0].expiresAt).toBe(23 * 86_400)
    expect(await ask('order', 'cancel', name, '1')).toMatch(/order 1 is cancelled/)
    expect(await refusal('order', 'cancel', name, '1')).toBe('usage')
    // The number is free again.
    expect(await json('order', 'place', 'reduce', name, '--stop-pnl', '1')).toMatchObject({ id: 1 })
    expect((await json('order', 'list')).find((one: { id: number }) => one.id === 1)).toMatchObject({
      trigger: 'pnl-below',
      level: '-1000000',
    })
    slots(1) // an equal transaction is not taken twice under one blockhash
    for (const id of ['0', '1', '2']) await json('order', 'cancel', name, id)
    expect(await ask('order', 'list')).toBe('no orders')
    await json('trade', 'close', name)
  })

  test.each([
    [['long', 'M', '--yt', '1']],
    [['long', 'M', '--yt', '1', '--limit-apy', '10%', '--stop-apy', '5%']],
    [['reduce', 'M']],
    [['up', 'M', '--yt', '1', '--limit-apy', '10%']],
    [['long', 'M', '--yt', '1', '--limit-apy', '10%', '--sub', '300']],
  ])('error: %s', async args => {
    expect(await refusal('order', 'place', ...args.map(arg => (arg === 'M' ? hourly.name : arg)))).toBe('usage')
  })
})

describe('earn', () => {
  test('quoted, bought for not an atom more, sold again, and rolled', async () => {
    const { name } = hourly
    await json('earn', 'exit', name)
    const quote = await json('earn', 'quote', name, '100')
    expect(quote.maturity).toBe(hourly.maturity)
    const bought = await json('earn', 'buy', name, '100')
    expect(bought).toMatchObject({ filled: quote.filled, jlp: `-${quote.total}` })
    expect(BigInt(quote.total)).toBeLessThanOrEqual(100n * ONE)
    expect(BigInt(quote.total)).toBeGreaterThan(99_990_000n)
    const [held] = (await json('positions')).pts
    expect(held).toMatchObject({ market: name, pt: quote.filled })
    const part = await json('earn', 'exit', name, '--pt', '10')
    expect(BigInt(part.jlp)).toBeLessThan(10n * ONE)
    const rolled = await json('earn', 'roll', name, weekly.name)
    expect(rolled.left.filled).toBe(`${BigInt(quote.filled) - 10n * ONE}`)
    expect(BigInt(rolled.left.jlp) + BigInt(rolled.bought.jlp)).toBeGreaterThanOrEqual(0n)
    expect(await refusal('earn', 'exit', name)).toBe('usage')
    expect(await refusal('earn', 'redeem', weekly.name)).toBe('not-matured')
    expect(await ask('earn', 'exit', weekly.name)).toMatch(/worth .* before maturity[\s\S]*received/)
  })
})

describe('lp', () => {
  test('added over a range of APYs, listed, collected, removed in parts and in JLP', async () => {
    const { name } = hourly
    const added = await json('lp', 'add', name, '--range', '10%-25%', '--jlp', '1000')
    expect(added).toMatchObject({
      jlp: `-${added.quote.cost}`,
      liquidity: added.quote.liquidity,
      lower: 950,
      upper: 2230,
    })
    expect(BigInt(added.quote.cost)).toBeLessThanOrEqual(1000n * ONE)
    await json('trade', 'long', name, '--margin', '20', '--leverage', '9', '--sub', '1')
    expect(await json('lp', 'list')).toMatchObject([{ market: name, lower: 950, upper: 2230, inRange: true }])
    expect(BigInt((await json('lp', 'collect', name)).jlp)).toBeGreaterThan(0n)
    slots(1)
    const half = await json('lp', 'remove', name, '--share', '50%')
    // What others have bought comes as PT: the fee-earning side of it was sold.
    expect(BigInt(half.pt)).toBeGreaterThan(0n)
    const rest = await json('lp', 'remove', name, '--range', '950:2230', '--zap')
    expect(BigInt(rest.pt) * 1000n).toBeLessThan(BigInt(half.pt))
    expect(BigInt(rest.jlp)).toBeGreaterThan(BigInt(half.jlp))
    expect(await ask('lp', 'list')).toBe('no liquidity')
    expect(await refusal('lp', 'remove', name)).toBe('usage')
    await json('trade', 'close', name, '--sub', '1')
  })

  test.each([['25%-10%'], ['10%'], ['10:20'], ['0.1%-900%']])('error: a range of %s', async range => {
    expect(await refusal('lp', 'add', hourly.name, '--range', range, '--jlp', '10')).toBe('usage')
  })
})

describe('tokens', () => {
  test('split and merged, wrapped and unwrapped, each to the atom', async () => {
    const { name } = hourly
    const before = await jlpHeld()
    const [out, back] = [await json('split', name, '10', '--sub', '2'), await json('merge', name, '10', '--sub', '2')]
    expect(BigInt(back.jlp) + BigInt(out.jlp)).toBe(-1n) // up in, down out
    expect(await json('wrap', '10.5', '--kind', 'weekly')).toMatchObject({ jlp: '-10500000' })
    expect(await json('wallet', 'show')).toMatchObject({ st: { hourly: '0', weekly: '10500000' } })
    expect(await json('unwrap', '10.5', '--kind', 'weekly')).toMatchObject({ jlp: '10500000' })
    expect(await jlpHeld()).toBe(before - 1n)
    expect(await refusal('unwrap', '1')).toBe('insufficient-balance')
  })
})

describe('watch', () => {
  test('a line of JSON for each reading, and ends by itself', async () => {
    const lines = (await ask('watch', '--for', '0.8', '--every', '0.4', '--json'))
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.length).toBeGreaterThanOrEqual(2)
    expect(lines[0]).toMatchObject({ name: hourly.name, status: 'open' })
    expect(await ask('watch', hourly.name, '--for', '0.2')).toMatch(/^2024-.*APY \d/)
  })
})

describe('as a process', { timeout: 60_000 }, () => {
  test('from the environment alone; codes 0, 1 and 2; JSON of a refusal; Ctrl-C ends a watch', async () => {
    const { name } = hourly
    const watching = start(['watch', name, '--every', '0.2'])
    watching.child.stdout!.once('data', () => watching.child.kill('SIGINT'))
    const runs = await Promise.all([
      start(['deposit', name, '2', '--json']).ended,
      start(['trade', 'long', name, '--margin', '1', '--leverage', '40', '--sub', '7', '--json']).ended,
      start(['positions'], { SUNDER_KEYPAIR: join(folder, 'none.json') }).ended,
      start(['markets', '--rpc', 'http://127.0.0.1:9']).ended,
      watching.ended,
    ])
    const [deposited, refused, nobody, unreachable, watched] = runs
    expect(runs.map(({ code }) => code)).toEqual([0, 1, 2, 2, 0])
    expect(JSON.parse(deposited!.out)).toMatchObject({ kind: 'done', jlp: '-2000000' })
    expect(JSON.parse(refused!.out)).toMatchObject({ kind: 'refused', code: 'undercollateralised' })
    expect(refused!.err).toMatch(/^error: .*at most/)
    expect(nobody!.err).toMatch(/sunder wallet new/)
    expect(unreachable!.err).toMatch(/^error: Nobody answers at http:\/\/127\.0\.0\.1:9 .*npm start/)
    expect(watched!.out).toContain(name)
  })
})

describe('after maturity', () => {
  test('an account is settled and empties, PT are redeemed', { timeout: 60_000 }, async () => {
    const { name } = hourly
    await json('earn', 'buy', name, '10')
    await json('trade', 'long', name, '--yt', '20', '--sub', '0')
    expect(await refusal('settle', name)).toBe('not-matured')
    slots(Math.ceil((hourly.maturity + 7200 - chain.now) / 1440))
    const settled = await json('settle', name)
    expect(BigInt(settled.value)).toBeGreaterThan(0n)
    expect((await json('market', name)).status).toBe('matured')
    expect(await json('withdraw', name, 'all')).toMatchObject({ account: { side: 'flat' } })
    const redeemed = await json('earn', 'redeem', name)
    expect(BigInt(redeemed.jlp)).toBeLessThan(BigInt(redeemed.pt))
    expect(BigInt(redeemed.jlp)).toBeGreaterThan((BigInt(redeemed.pt) * 98n) / 100n)
    expect(await ask('close', name)).toMatch(/closed/)
  })
})

describe('in the end', () => {
  test('every command has an example in its help', () => {
    const leaves = (command: Command): Command[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
    const all = leaves(programOf())
    expect(all.length).toBeGreaterThan(30)
    for (const command of all) {
      let help = ''
      command.configureOutput({ writeOut: text => (help += text) }).outputHelp()
      expect(help).toMatch(new RegExp(`Example: sunder (\\w+ )?${command.name()}\\b`))
    }
  })

  test('the secret was never printed', () => {
    const bytes = JSON.parse(readFileSync(keypair, 'utf8')) as number[]
    const secret = Uint8Array.from(bytes)
    expect(everything.length).toBeGreaterThan(10_000)
    for (const form of [
      bytes.slice(0, 32).join(','),
      encodeBase58(secret),
      encodeBase58(secret.slice(0, 32)),
      Buffer.from(secret.slice(0, 32)).toString('hex'),
      Buffer.from(secret).toString('base64').slice(0, 42),
    ]) {
      expect(everything).not.toContain(form)
    }
  })
})
