/**
 * The client against the program as it is built, on a local chain that checks signatures: from wallets that have JLP and nothing else
 * to the last fee, each step by the client alone.
 */
import { readFileSync } from 'node:fs'
import { PublicKey } from '@solana/web3.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { MAX_RATE, parseMarketName, type Quote, type Rejected } from '../../amm/index.ts'
import {
  ADDRESSES,
  addressesOf,
  arrayStarts,
  build,
  decodePtPrice,
  derive,
  type ExecutedEvent,
  type MarginTradeRequest,
  type MarketData,
  type MarketRef,
  marketAddress,
  PROGRAM_ID,
  type PtTradeRequest,
  type Request,
  SunderClient,
  type Wallet,
  walletOf,
} from '../../src/client/index.ts'
import type { InstructionName } from '../../src/client/instructions.ts'
import { keyOf } from '../programs/build-chain.ts'
import { JLP, LocalChain } from '../programs/harness.ts'
import { ata } from '../programs/tokens.ts'
import { eventsIn, LiveConnection } from './live.ts'

const ELF = readFileSync(new URL('../../programs-idl/sunder.so', import.meta.url))
const HOUR = 3600
const DAY = 24 * HOUR
const ONE = 1_000_000n // JLP atoms
const RICH = 1_000_000n * ONE
const RATE = (3n << 64n) / 10n // 30 %
const WIDE = 640 // bp that a tick array spans

const { publicKey: UPGRADER } = keyOf('upgrader')
const chain = new LocalChain({
  programId: new PublicKey(PROGRAM_ID),
  elf: ELF,
  upgradeAuthority: UPGRADER,
  sigverify: true,
})
let near: MarketData
const live = new LiveConnection(chain)
const client = new SunderClient(live.connection)

const NEAR = { kind: 'hourly', maturity: parseMarketName('JLP-2610').maturity } as const
const FAR = { kind: 'weekly', maturity: parseMarketName('JLP-2612').maturity } as const

const idOf = (name: string): string => keyOf(name).publicKey.toBase58()
const as = (name: string): Wallet => walletOf(keyOf(name))
const person = (name: string, jlp = 0n): void => {
  chain.wallet(name)
  if (jlp > 0n) chain.giveJlp(keyOf(name).publicKey, jlp)
}
const jlpOf = (name: string): bigint => chain.tokenAmount(ata(JLP, keyOf(name).publicKey))

/** Time goes on by so much, an hour's fees are distributed at each full hour, and somebody touches the pool at the end. */
const pass = (seconds: number): void => {
  const end = chain.now + seconds
  for (let hour = chain.now - (chain.now % HOUR) + HOUR; hour <= end; hour += HOUR) {
    chain.setTime(hour)
    chain.distribute(20_000_000_000n)
  }
  chain.setTime(end)
  chain.refresh()
}

const execute = <N extends InstructionName>(name: N, request: Request<N>, by: string) =>
  client.execute(name, request, as(by))
const trade = (
  owner: string,
  request: Omit<MarginTradeRequest, 'market' | 'owner' | 'sub'>,
  market: MarketRef = NEAR,
) => client.trade({ market, owner: idOf(owner), sub: 0, ...request }, as(owner))
const tradePt = (owner: string, request: Omit<PtTradeRequest, 'market' | 'owner'>) =>
  client.tradePt({ market: NEAR, owner: idOf(owner), ...request }, as(owner))

const record = <T extends ExecutedEvent['records'][number]['type']>(events: readonly ExecutedEvent[], type: T) =>
  events.flatMap(event => event.records).filter(one => one.type === type) as Extract<
    ExecutedEvent['records'][number],
    { readonly type: T }
  >[]

/** The figures of a quote are those of the fill, to the atom. */
const expectAsQuoted = ({ quote, events }: { quote: Quote | Rejected; events: readonly ExecutedEvent[] }): void => {
  if (quote.kind !== 'quoted') throw new Error(quote.code)
  const { filled, amount, stLeg, fee, rateBefore, rateAfter, complete } = quote
  expect(record(events, 'swapped')).toMatchObject([
    { filled, amount, stLeg, feeTotal: fee.total, feeLp: fee.lp, rateBefore, rateAfter, complete },
  ])
}

const open = async (ref: typeof NEAR | typeof FAR, creator: string): Promise<void> => {
  await execute('createMarket', { payer: idOf(creator), coupon: ref.kind, maturity: ref.maturity, rate: RATE }, creator)
  const { data } = await client.market(ref)
  const arrays = arrayStarts(data).map((start, number) =>
    build.initTickArray({ payer: idOf(creator), market: ref, start, number }),
  )
  for (let at = 0; at < arrays.length; at += 8) await client.send(arrays.slice(at, at + 8), as(creator))
}

const provide = (lower: number, upper: number, jlp: bigint, market: MarketRef = NEAR) =>
  client.addLiquidity({ market, owner: idOf('lp'), lower, upper, jlp }, as('lp'))

beforeAll(async () => {
  for (const name of ['upgrader', 'treasury']) person(name)
  person('creator', 10n * ONE)
  person('lp', 20_000_000n * ONE)
  for (const name of ['ann', 'bob', 'cid', 'dee', 'keeper']) person(name, RICH)
})

describe('from an empty program to a market', () => {
  test('the program is set up', async () => {
    const roles = { authority: idOf('upgrader'), pauser: idOf('upgrader'), treasury: idOf('treasury') }
    await execute('initConfig', { payer: idOf('upgrader'), ...roles }, 'upgrader')
    for (const coupon of ['hourly', 'weekly'] as const) {
      await execute('initIndex', { payer: idOf('creator'), coupon }, 'creator')
      expect((await client.index(coupon)).kind).toBe(coupon)
    }
    expect(await client.config()).toMatchObject(roles)
  })

  test('two markets are opened, with all their tick arrays', async () => {
    pass(60)
    await open(NEAR, 'creator')
    await open(FAR, 'creator')
    const { data, pool } = await client.market(NEAR)
    near = data
    expect([data.active, pool.rate, pool.ticks]).toEqual([true, RATE, []])
  })

  test('liquidity at the ends of a dozen tick arrays', async () => {
    await provide(50, 13_860, 2_000_000n * ONE)
    for (let k = 0; k < 12; k++) await provide(2620 + k * WIDE, 3240 + k * WIDE, 200_000n * ONE)
    for (let tick = 3980; tick < 4120; tick += 10) await provide(tick, tick + 10, 1000n * ONE)
    const { events } = await provide(50, 13_860, 2_000_000n * ONE, FAR)
    expect(record(events, 'position').at(-1)).toMatchObject({ lower: 50, upper: 13_860, uncollected: 0n })
    const { pool, data } = await client.market(NEAR)
    expect(pool.ticks.length).toBe(41)
    expect(data.initialised.filter(word => word > 0n).length).toBeGreaterThan(11)
  })
})

const kinds = (events: readonly ExecutedEvent[]): string[][] =>
  events.map(({ records }) => [...new Set(records.map(one => one.type))])
const account = async (owner: string, market: MarketRef = NEAR) => (await client.account(market, idOf(owner), 0))!
/** On the own money: as far as the rate may go. */
const LARGE = { action: 'long', unit: 'st', spot: true } as const
/** Tick arrays that a transaction brought. */
const arraysIn = (signature: string): number => {
  const all = new Set(
    arrayStarts(near).map(start => derive(PROGRAM_ID, 'TickArray', { market: marketAddress(NEAR), start }).address),
  )
  return live.landed.get(signature)!.transaction.message.staticAccountKeys.filter(key => all.has(key.toBase58())).length
}
const margin = (owner: string) => ({ market: NEAR, owner: idOf(owner), sub: 0 })

describe('trading', () => {
  test('a 10x long of a wallet that has only JLP, with the coupon that is due', async () => {
    pass(HOUR + 400)
    expect((await client.market(NEAR)).needsAccrue).toBe(true)
    const request = { action: 'long', unit: 'st', amount: 5000n * ONE, margin: 550n * ONE } as const
    const { events } = await trade('ann', request)
    expect(kinds(events)).toEqual([
      ['account'],
      ['balance', 'account', 'market'],
      ['accrued'],
      ['caught-up', 'swapped', 'account', 'market'],
    ])
    const { st, yt } = await account('ann')
    expect(st).toBe(-5000n * ONE)
    expect(yt).toBeGreaterThan(150_000n * ONE)
    expect(jlpOf('ann')).toBe(RICH - 550n * ONE)
    expect((await client.market(NEAR)).needsAccrue).toBe(false)
  })

  test('short, reduce and close, filled as quoted', async () => {
    const short = { action: 'short', unit: 'token', amount: 50_000n * ONE, margin: 20_000n * ONE } as const
    expectAsQuoted(await trade('bob', short))
    expect((await account('bob')).yt).toBe(-50_000n * ONE)
    expectAsQuoted(await trade('bob', { action: 'short', unit: 'st', amount: 100n * ONE, spot: false }))
    expectAsQuoted(await trade('bob', { action: 'reduce', unit: 'token', amount: 20_000n * ONE }))
    expectAsQuoted(await trade('bob', { action: 'reduce', unit: 'st', amount: 50n * ONE }))
    expectAsQuoted(await trade('ann', { action: 'reduce', unit: 'token', amount: 20_000n * ONE }))
    expectAsQuoted(await trade('bob', { action: 'close', unit: 'token', amount: 0n }))
    expect((await account('bob')).yt).toBe(0n)
  })

  test('PT bought and sold, filled as quoted; split, merge, wrap, unwrap', async () => {
    expectAsQuoted(await tradePt('cid', { action: 'buy-pt', unit: 'st', amount: 1000n * ONE }))
    expectAsQuoted(await tradePt('cid', { action: 'buy-pt', unit: 'token', amount: 1000n * ONE }))
    expectAsQuoted(await tradePt('cid', { action: 'sell-pt', unit: 'token', amount: 500n * ONE }))
    expectAsQuoted(await tradePt('cid', { action: 'sell-pt', unit: 'st', amount: 500n * ONE }))
    await execute('split', { ...margin('cid'), yt: 700n * ONE }, 'cid')
    await execute('merge', { ...margin('cid'), yt: 600n * ONE }, 'cid')
    expect((await account('cid')).yt).toBe(100n * ONE)
    for (const coupon of ['hourly', 'weekly'] as const) {
      await execute('wrap', { owner: idOf('cid'), coupon, jlp: 500n * ONE }, 'cid')
      await execute('syncSt', { coupon }, 'cid')
      await execute('unwrap', { owner: idOf('cid'), coupon, jlp: 400n * ONE }, 'cid')
    }
  })

  test('a trade through a dozen tick arrays, found by the client', async () => {
    pass(600)
    await execute('accrue', { coupon: 'hourly' }, 'keeper')
    await execute('openAccount', margin('keeper'), 'keeper')
    await execute('deposit', { ...margin('keeper'), jlp: 900_000n * ONE }, 'keeper')
    const sent = await trade('keeper', { ...LARGE, amount: 300_000n * ONE })
    expectAsQuoted(sent)
    expect(arraysIn(sent.signature)).toBeGreaterThan(11)
    expectAsQuoted(await trade('keeper', { action: 'close', unit: 'token', amount: 0n }))
  })

  test('others may trade before it lands', async () => {
    const order = { ...LARGE, amount: 2000n * ONE, toleranceBps: 5000, minimum: 1n } as const
    // Between the simulation and the signature others move the rate up into the next array, or down.
    for (const other of [
      { ...LARGE, amount: 15_000n * ONE },
      { action: 'short', unit: 'token', amount: 150_000n * ONE, margin: 150_000n * ONE, spot: true },
    ] as const) {
      const wallet: Wallet = {
        ...as('keeper'),
        signTransaction: async transaction => {
          await trade('cid', { margin: 20_000n * ONE, ...other })
          return as('keeper').signTransaction(transaction)
        },
      }
      const sent = await client.trade({ ...margin('keeper'), ...order }, wallet)
      const [swapped] = record(sent.events, 'swapped')
      if (sent.quote.kind !== 'quoted') throw new Error(sent.quote.code)
      expect(swapped!.rateBefore).not.toBe(sent.quote.rateBefore)
      for (const name of ['keeper', 'cid']) await trade(name, { action: 'close', unit: 'token', amount: 0n })
    }
    await execute('withdraw', { ...margin('keeper'), jlp: (await account('keeper')).margin }, 'keeper')
  })

  test('what does not fit is sent with a lookup table', async () => {
    pass(HOUR)
    await execute('accrue', { coupon: 'hourly' }, 'keeper')
    const long = await client.prepareTrade({
      ...margin('dee'),
      ...LARGE,
      amount: 200_000n * ONE,
      margin: 300_000n * ONE,
    })
    const pt = { market: NEAR, owner: idOf('dee'), action: 'buy-pt', unit: 'st', amount: 100n * ONE } as const
    const both = [...(await client.preparePtTrade(pt)).instructions, ...long.instructions]
    await expect(client.send(both, as('dee'))).rejects.toMatchObject({ code: 'too-large' })
    const table = await client.createLookupTable(NEAR, as('dee'))
    expect(table.state.addresses.length).toBeGreaterThan(30)
    const { events, signature } = await new SunderClient(live.connection, { tables: [table] }).send(both, as('dee'))
    expect(live.landed.get(signature)!.transaction.message.addressTableLookups.length).toBe(1)
    expect(record(events, 'swapped').length).toBe(2)
    await trade('dee', { action: 'close', unit: 'token', amount: 0n })
  })

  test('a roll is about two markets, and brings the coupons of both', async () => {
    pass(10 * DAY)
    chain.publish(3000n)
    pass(HOUR)
    await execute('deposit', { ...margin('ann'), jlp: 2000n * ONE }, 'ann')
    const yt = (await account('ann')).yt
    expect([(await client.market(NEAR)).needsAccrue, (await client.market(FAR)).needsAccrue]).toEqual([true, true])
    const limits = { limitRate: MAX_RATE, closeLimitRate: 0n, minimum: 0n, deadline: chain.now + 60 }
    const to = { market: FAR, sub: 0 }
    const order = { ...margin('ann'), to, unit: 'token', amount: yt / 10n, ...limits } as const
    const { events } = await execute('roll', order, 'ann')
    expect(events.map(({ subjects }) => subjects.map(one => one.account))).toEqual([
      [addressesOf('accrue', { coupon: 'hourly' }).index],
      [addressesOf('accrue', { coupon: 'weekly' }).index],
      [marketAddress(FAR)],
      [marketAddress(NEAR), marketAddress(FAR)],
    ])
    expect((await account('ann')).yt).toBe(0n)
    expect((await account('ann', FAR)).yt).toBe(yt / 10n)
  })

  test('liquidity is removed, with PT and YT sold; fees are collected', async () => {
    const range = { market: NEAR, owner: idOf('lp'), lower: 50, upper: 13_860 }
    const share = { num: 1n, den: 100n }
    const removes = async (sold: 'sell-pt' | 'sell-yt'): Promise<void> => {
      const { events: plain } = await client.removeLiquidity({ ...range, share }, as('lp'))
      const [{ pt, yt } = { pt: 0n, yt: 0n }] = record(plain, 'liquidity-removed')
      expect([pt > 0n, yt > 0n, record(plain, 'swapped')]).toEqual([sold === 'sell-pt', sold === 'sell-yt', []])
      const { events } = await client.removeLiquidity({ ...range, share, sell: true }, as('lp'))
      expect(record(events, 'swapped')).toMatchObject([{ order: sold, complete: true }])
    }
    await trade('keeper', { ...LARGE, amount: 3000n * ONE, margin: 3100n * ONE })
    await removes('sell-pt')
    await trade('keeper', { action: 'close', unit: 'token', amount: 0n })
    const pt = { unit: 'token', amount: 200_000n * ONE } as const
    await tradePt('cid', { action: 'buy-pt', ...pt })
    await removes('sell-yt')
    await tradePt('cid', { action: 'sell-pt', ...pt })
    const { events: earned } = await execute('collect', range, 'lp')
    expect(record(earned, 'balance')[0]!.change).toBeGreaterThan(0n)
    const { events: paid } = await execute('collectFees', { market: NEAR, treasury: idOf('treasury') }, 'keeper')
    expect(record(paid, 'balance')).toMatchObject([{ owner: idOf('treasury') }])
    expect(jlpOf('treasury')).toBe(record(paid, 'balance')[0]!.change)
  })

  test('an account below maintenance is liquidated', async () => {
    await trade('bob', { action: 'long', unit: 'st', amount: 5000n * ONE, margin: 1n })
    const { yt, margin: free } = await account('bob')
    await execute('withdraw', { ...margin('bob'), jlp: free - 1300n * ONE }, 'bob')
    // Somebody sells on the own money, and the time-weighted rate follows.
    await tradePt('cid', { action: 'buy-pt', unit: 'token', amount: 2_000_000n * ONE, limitRate: (RATE * 4n) / 5n })
    pass(2 * HOUR)
    const { events } = await execute('liquidate', { ...margin('bob'), by: idOf('keeper'), yt }, 'keeper')
    expect(record(events, 'liquidated')).toMatchObject([{ owner: idOf('bob'), by: idOf('keeper') }])
  })
})

test('the price of PT is in the return data of a simulation', async () => {
  const { returned, events } = await client.simulate([build.ptPrice({ market: NEAR })], idOf('cid'))
  const { price, tauSeconds, discount } = decodePtPrice(returned)
  const { pool } = await client.market(NEAR)
  expect([tauSeconds, discount, events]).toEqual([pool.tauSeconds, pool.discount, []])
  expect(price).toBeLessThan(discount)
  expect(price).toBeGreaterThan((discount * 95n) / 100n)
})

describe('the end', () => {
  test('settled, redeemed, removed and withdrawn, after the last coupon that the client pays itself', async () => {
    pass(NEAR.maturity - chain.now + HOUR + 400)
    chain.publish(3000n)
    const { events } = await execute('settle', margin('cid'), 'keeper')
    expect(kinds(events)).toEqual([['accrued'], ['caught-up', 'account']])
    for (const name of ['bob', 'keeper', 'dee', 'lp']) await execute('settle', margin(name), 'keeper')
    const pt = chain.tokenAmount(new PublicKey(addressesOf('redeemPt', { ...margin('cid'), pt: 1n }).ownerPt))
    await execute('redeemPt', { ...margin('cid'), pt }, 'cid')
    for (const name of ['ann', 'bob', 'cid', 'dee', 'keeper', 'lp']) {
      const held = await account(name)
      if (held.margin > 0n) await execute('withdraw', { ...margin(name), jlp: held.margin }, name)
      await execute('closeAccount', margin(name), name)
    }
    expect(await client.account(NEAR, idOf('ann'), 0)).toBe(undefined)
    const whole = { market: NEAR, owner: idOf('lp'), lower: 50, upper: 13_860 }
    // The next coupon is due and cannot be paid, which is nothing to a market that has matured.
    chain.setTime(chain.now + HOUR + 1000)
    await client.removeLiquidity(whole, as('lp'))
    pass(60)
    await execute('closePosition', whole, 'lp')
  })
})

describe('refusals', () => {
  const far = { market: FAR, owner: idOf('cid'), sub: 0 }
  const order = { ...far, action: 'long', unit: 'st', amount: 1000n * ONE } as const

  test('are the same before sending and when sent, by name and with the way out', async () => {
    const { instructions } = await client.prepareTrade({ ...order, margin: 10n * ONE })
    const { error } = await client.simulate(instructions, idOf('cid'))
    const wanted = {
      name: 'ProgramError',
      code: 'undercollateralised',
      message: expect.stringContaining('add margin, or ask for less') as string,
      context: { program: PROGRAM_ID, code: expect.any(Number) as number, instruction: instructions.length },
    }
    expect(error).toMatchObject(wanted)
    const count = live.landed.size
    await expect(client.send(instructions, as('cid'))).rejects.toMatchObject(wanted)
    expect(live.landed.size).toBe(count)
  })

  test('also of what others did between the simulation and the signature, on the node and on the chain', async () => {
    await client.send([build.accrue({ coupon: 'weekly' }), build.openAccount(far)], as('cid'))
    for (const preflight of [true, false]) {
      const wallet: Wallet = {
        ...as('cid'),
        signTransaction: async transaction => {
          live.preflight = true
          const push = {
            ...LARGE,
            market: FAR,
            owner: idOf('keeper'),
            sub: 0,
            amount: 5000n * ONE,
            margin: 5100n * ONE,
          }
          await client.trade(push, as('keeper'))
          live.preflight = preflight
          return as('cid').signTransaction(transaction)
        },
      }
      const trading = client.trade({ ...order, margin: 1100n * ONE, spot: true }, wallet)
      await expect(trading).rejects.toMatchObject({ code: 'limit-reached', context: { program: PROGRAM_ID } })
    }
    live.preflight = true
  })

  test('of signatures, blockhashes, balances and the fee', async () => {
    const deposit = { ...far, jlp: 10n * ONE }
    const stranger: Wallet = { ...as('cid'), signTransaction: async transaction => transaction }
    await expect(client.execute('deposit', deposit, stranger)).rejects.toMatchObject({ code: 'missing-signature' })
    const late: Wallet = {
      ...as('cid'),
      signTransaction: async transaction => {
        const signed = await as('cid').signTransaction(transaction)
        chain.svm.expireBlockhash()
        return signed
      },
    }
    chain.svm.setBlockhashCheck(true)
    await expect(client.execute('deposit', deposit, late)).rejects.toMatchObject({ code: 'blockhash-expired' })
    chain.svm.setBlockhashCheck(false)
    await expect(execute('deposit', { ...far, jlp: 10n ** 15n }, 'cid')).rejects.toMatchObject({
      code: 'insufficient-balance',
    })
    const poor = { ...far, owner: idOf('nobody') }
    await expect(client.execute('openAccount', poor, as('nobody'))).rejects.toMatchObject({
      code: 'insufficient-lamports',
    })
  })
})

test('every event is numbered from 1, and no number is left out', async () => {
  const last = new Map<string, bigint>()
  for (const { subjects } of await eventsIn(live)) {
    for (const { account: subject, sequence } of subjects) {
      expect([subject, sequence]).toEqual([subject, (last.get(subject) ?? 0n) + 1n])
      last.set(subject, sequence)
    }
  }
  const indices = (['hourly', 'weekly'] as const).map(coupon => addressesOf('accrue', { coupon }).index)
  const all = [ADDRESSES.config, ...indices, marketAddress(NEAR), marketAddress(FAR)]
  expect([...last.keys()].sort()).toEqual(all.sort())
})

test('the priority fee is for the units of the limit alone', async () => {
  const dear = new SunderClient(live.connection, { price: 10n ** 12n }) // 1 SOL for 1000 units; there are 1000 SOL
  const { signature } = await dear.execute('deposit', { market: FAR, owner: idOf('cid'), sub: 0, jlp: ONE }, as('cid'))
  expect(live.landed.get(signature)!.err).toBe(null)
})

test('limits of compute units were enough', () => {
  for (const { transaction, meta } of live.landed.values()) {
    const limit = Buffer.from(transaction.message.compiledInstructions[0]!.data).readUInt32LE(1)
    expect(limit).toBeGreaterThan(Number(meta.computeUnitsConsumed()))
  }
})
