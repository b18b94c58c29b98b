/** The client over a connection that answers from account bytes: what it reads, what it puts in front, how it sends, what it says. */
import { type AccountInfo, Keypair, MessageV0, PublicKey, type VersionedTransaction } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { derive } from '../../src/client/addresses.ts'
import { encodeBase58 } from '../../src/client/base58.ts'
import { marketAddress, walletsOf } from '../../src/client/builders.ts'
import { SunderClient } from '../../src/client/client.ts'
import { encode } from '../../src/client/codecs.ts'
import { ClientError } from '../../src/client/errors.ts'
import { EVENT_CALL } from '../../src/client/events.ts'
import { ADDRESSES, EXECUTED } from '../../src/client/generated/interface.ts'
import { decodeInstruction, PROGRAM_ID } from '../../src/client/instructions.ts'
import { ProgramError } from '../../src/client/program-errors.ts'
import { type ClientConnection, callsOf, walletOf } from '../../src/client/sender.ts'
import { ASSOCIATED_TOKEN_PROGRAM, walletAddress } from '../../src/client/wallets.ts'
import { encodePool, PERPETUALS_PROGRAM } from '../../src/jupiter/index.ts'
import { openMarket } from '../exchange/market.ts'
import { POOL_2026 } from '../jupiter/fixtures/index.ts'
import { addressOf, fromAccount, fromIndex, fromMarket } from './from-engine.ts'

const KEY = Keypair.fromSeed(new Uint8Array(32).fill(9))
const OWNER = KEY.publicKey.toBase58()
const BLOCKHASH = PublicKey.default.toBase58()

const m = openMarket({ liquidity: [{ jlp: 10n ** 11n, lower: 50, upper: 13_860 }, { jlp: 10n ** 11n }] })
const engine = m.market()
const ref = { kind: engine.kind, maturity: engine.maturity }
const MARKET = marketAddress(ref)

/** An event without records, at time 7. */
const EVENT = Uint8Array.from([...EVENT_CALL, ...EXECUTED, 7, 0, 0, 0, ...new Uint8Array(84)])

/** A chain of bytes that do not change. */
class Answers {
  readonly accounts = new Map<string, { owner: string; data: Uint8Array }>()
  readonly sent: VersionedTransaction[] = []
  err: unknown = null
  logs: string[] = []
  reads = 0

  constructor(now: number) {
    const { market, arrays } = fromMarket(engine)
    const cursor = { lastUpdated: 1n, realizedFeeUsd: 1n }
    this.put(MARKET, encode('Market', market))
    for (const array of arrays) {
      const place = derive(PROGRAM_ID, 'TickArray', { market: MARKET, start: array.start }).address
      this.put(place, encode('TickArray', { ...array, market: MARKET }))
    }
    const index = derive(PROGRAM_ID, 'RateIndex', { kind: engine.kind }).address
    this.put(index, encode('RateIndex', fromIndex(m.ledger.indices[engine.kind], cursor)))
    this.put(ADDRESSES.jupiterPool, encodePool(POOL_2026.facts), PERPETUALS_PROGRAM)
    const clock = new Uint8Array(40)
    new DataView(clock.buffer).setBigInt64(32, BigInt(now), true)
    this.put('SysvarC1ock11111111111111111111111111111111', clock, 'Sysvar1111111111111111111111111111111111111')
  }

  put(address: string, data: Uint8Array, owner: string = PROGRAM_ID): void {
    this.accounts.set(address, { owner, data })
  }

  get connection(): ClientConnection {
    const instructions = [
      { programId: new PublicKey(PROGRAM_ID), accounts: [], data: encodeBase58(EVENT) },
      { programId: new PublicKey(BLOCKHASH), accounts: [], data: encodeBase58(EVENT) },
    ]
    return {
      getLatestBlockhash: async () => ({ blockhash: BLOCKHASH, lastValidBlockHeight: 5 }),
      getMultipleAccountsInfo: async (keys: PublicKey[]) => {
        this.reads++
        return keys.map(key => {
          const found = this.accounts.get(key.toBase58())
          if (found === undefined) return null
          const { owner, data } = found
          return {
            owner: new PublicKey(owner),
            data: Buffer.from(data),
            lamports: 1,
            executable: false,
          } as AccountInfo<Buffer>
        })
      },
      simulateTransaction: async () => ({
        context: { slot: 1 },
        value: { err: this.err, logs: this.logs, unitsConsumed: 1000, innerInstructions: [{ index: 0, instructions }] },
      }),
      sendRawTransaction: async (bytes: Uint8Array) => {
        const { VersionedTransaction } = await import('@solana/web3.js')
        this.sent.push(VersionedTransaction.deserialize(bytes))
        return 'signature'
      },
      confirmTransaction: async () => ({ context: { slot: 1 }, value: { err: null } }),
      getTransaction: async () => {
        const { message } = this.sent.at(-1)!
        const programIdIndex = message.staticAccountKeys.findIndex(key => key.toBase58() === PROGRAM_ID)
        const inner = [{ index: 0, instructions: [{ programIdIndex, accounts: [], data: encodeBase58(EVENT) }] }]
        return {
          slot: 1,
          transaction: { message, signatures: [] },
          meta: { innerInstructions: inner, computeUnitsConsumed: 900 },
        }
      },
    } as unknown as ClientConnection
  }
}

const DUE = m.ledger.indices[engine.kind].lastStep + 3900
const FRESH = DUE - 1
/** A coupon does not fall due before what is sent now has landed. */
const EARLY = DUE - 61
const names = (instructions: readonly { readonly programId: PublicKey; readonly data: Buffer }[]): string[] =>
  instructions.map(({ programId, data }) => {
    const program = programId.toBase58()
    if (program === ASSOCIATED_TOKEN_PROGRAM) return 'create wallet'
    return program === PROGRAM_ID ? decodeInstruction(data).name : program
  })
const withWallets = (answers: Answers): Answers => {
  const given = { market: ref, owner: OWNER, sub: 0, yt: 1n }
  for (const wallet of walletsOf('split', given))
    answers.put(walletAddress(wallet), new Uint8Array(165), wallet.program)
  return answers
}

describe('reading', () => {
  test('a market in one call, as the engine knows it', async () => {
    const answers = new Answers(FRESH)
    const read = await new SunderClient(answers.connection).market(ref)
    expect(answers.reads).toBe(1)
    expect(read.pool).toEqual(engine.pool)
    expect([read.now, read.needsAccrue, read.address]).toEqual([FRESH, false, MARKET])
    expect(read.jupiter).toEqual(POOL_2026.facts)
    expect((await new SunderClient(new Answers(DUE).connection).market(ref)).needsAccrue).toBe(true)
  })

  test('what is not there is undefined or named, what is of another program is refused', async () => {
    const answers = new Answers(FRESH)
    const client = new SunderClient(answers.connection)
    expect(await client.account(ref, OWNER, 0)).toBe(undefined)
    await expect(client.config()).rejects.toThrow('There is no Config')
    await expect(client.market({ kind: 'weekly', maturity: 1 })).rejects.toThrow(ClientError)
    answers.put(MARKET, new Uint8Array(1280), ADDRESSES.systemProgram)
    await expect(client.market(ref)).rejects.toThrow('[wrong-owner]')
    expect(await client.lookupTable(OWNER)).toBe(undefined)
  })
})

describe('preparing', () => {
  const trade = { market: ref, owner: OWNER, sub: 0, action: 'long', unit: 'token', amount: 5_000_000n } as const

  test('puts in front what is not there, and the coupon that is due', async () => {
    const deposit = { market: ref, owner: OWNER, sub: 0, jlp: 5n }
    const fresh = new SunderClient(new Answers(FRESH).connection)
    expect(names(await fresh.prepare('deposit', deposit))).toEqual(['create wallet', 'openAccount', 'deposit'])
    const due = new SunderClient(withWallets(new Answers(DUE)).connection)
    // A deposit needs no price.
    expect(names(await due.prepare('deposit', deposit))).toEqual(['openAccount', 'deposit'])
    expect(names(await due.prepare('split', { ...trade, yt: 5n }))).toEqual(['accrue', 'openAccount', 'split'])
    expect(names(await due.prepare('accrue', { coupon: engine.kind }))).toEqual(['accrue'])
    // One that falls due before this lands would have it refused; where none does, paying it is nothing.
    const soon = new SunderClient(withWallets(new Answers(FRESH)).connection)
    expect(names(await soon.prepare('split', { ...trade, yt: 5n }))).toEqual(['accrue', 'openAccount', 'split'])
    const early = new SunderClient(withWallets(new Answers(EARLY)).connection)
    expect(names(await early.prepare('split', { ...trade, yt: 5n }))).toEqual(['openAccount', 'split'])
    const slow = new SunderClient(withWallets(new Answers(EARLY)).connection, { lands: 3600 })
    expect(names(await slow.prepare('split', { ...trade, yt: 5n }))).toEqual(['accrue', 'openAccount', 'split'])
    const add = {
      market: ref,
      owner: OWNER,
      lower: 50,
      upper: 690,
      liquidity: 5n,
      maximum: 9n,
      minRate: 0n,
      maxRate: 9n,
      deadline: 9,
    }
    const added = await due.prepare('addLiquidity', add)
    expect(names(added)).toEqual(['accrue', 'openPosition', 'addLiquidity'])
    const array = (start: number): string => derive(PROGRAM_ID, 'TickArray', { market: MARKET, start }).address
    expect(added[2]!.keys.slice(-2).map(({ pubkey }) => pubkey.toBase58())).toEqual([array(50), array(690)])
  })

  test('a trade with limits a tolerance away from its quote', async () => {
    const answers = withWallets(new Answers(EARLY))
    const { quote, instructions } = await new SunderClient(answers.connection).prepareTrade({ ...trade, spot: true })
    expect(names(instructions)).toEqual(['trade'])
    if (quote.kind !== 'quoted') throw new Error(quote.code)
    const decoded = decodeInstruction(instructions[0]!.data)
    expect(decoded).toEqual({
      name: 'trade',
      args: {
        ...{ action: 'long', unit: 'token', amount: 5_000_000n, spot: true },
        ...{ limitRate: (quote.rateAfter * 10_050n) / 10_000n, minimum: 5_000_000n, deadline: EARLY + 60 },
      },
    })
    const given = { ...trade, limitRate: 1n << 64n, minimum: 3n, seconds: 5, toleranceBps: 0 }
    const asked = await new SunderClient(answers.connection).prepareTrade(given)
    expect(decodeInstruction(asked.instructions[0]!.data).args).toMatchObject({
      ...{ limitRate: 1n << 64n, minimum: 3n, deadline: EARLY + 5 },
    })
    const pt = await new SunderClient(answers.connection).preparePtTrade({ ...trade, action: 'buy-pt', unit: 'st' })
    expect(names(pt.instructions)).toEqual(['buyPt'])
    const close = { ...trade, action: 'close', amount: 0n } as const
    await expect(new SunderClient(answers.connection).prepareTrade(close)).rejects.toThrow('no such margin account')
    const account = {
      market: engine.id,
      owner: OWNER,
      sub: 0,
      margin: 5n,
      st: -9n,
      yt: 70n,
      discount: 1n << 64n,
      netDeposits: 5n,
      orders: 0,
    }
    const place = derive(PROGRAM_ID, 'MarginAccount', { market: MARKET, owner: OWNER, sub: 0 }).address
    answers.put(place, encode('MarginAccount', { ...fromAccount(account), market: MARKET, owner: OWNER }))
    const closing = await new SunderClient(answers.connection).prepareTrade({ ...close })
    expect(closing.quote).toMatchObject({ kind: 'quoted', filled: 70n })
    expect(decodeInstruction(closing.instructions[0]!.data).args).toMatchObject({ action: 'close', minimum: 70n })
    const forced = await new SunderClient(answers.connection).prepare('liquidate', { ...trade, by: OWNER, yt: 5n })
    expect(forced.at(-1)!.keys.length).toBeGreaterThan(10)
  })
})

describe('sending', () => {
  const accrue = { coupon: engine.kind }

  test('simulates, sets the limit of units, sends, and gives the events', async () => {
    const answers = new Answers(FRESH)
    const client = new SunderClient(answers.connection, { price: 12n })
    const sent = await client.execute('accrue', accrue, walletOf(KEY))
    expect(sent).toEqual({ signature: 'signature', units: 900, events: [{ time: 7, subjects: [], records: [] }] })
    const message = answers.sent[0]!.message as MessageV0
    const data = message.compiledInstructions.map(instruction => Buffer.from(instruction.data))
    expect([data[0]!.readUInt32LE(1), data[1]!.readBigUInt64LE(1)]).toEqual([21_100, 12n])
    expect(answers.sent[0]!.signatures[0]!.some(byte => byte !== 0)).toBe(true)
    const simulated = await client.simulate(await client.prepare('accrue', accrue), OWNER)
    expect(simulated).toEqual({
      error: undefined,
      logs: [],
      units: 1000,
      events: [{ time: 7, subjects: [], records: [] }],
      returned: new Uint8Array(),
    })
  })

  test('a refusal is thrown in words, before anything is signed', async () => {
    const answers = new Answers(FRESH)
    answers.err = { InstructionError: [1, { Custom: 6039 }] }
    const client = new SunderClient(answers.connection)
    const error = await client.execute('accrue', accrue, walletOf(KEY)).catch((found: unknown) => found)
    expect(error).toBeInstanceOf(ProgramError)
    expect((error as ProgramError).code).toBe('too-early')
    expect(answers.sent.length).toBe(0)
    const broken = { ...answers.connection, getLatestBlockhash: () => Promise.reject(new Error('Blockhash not found')) }
    await expect(new SunderClient(broken).simulate([], OWNER)).rejects.toThrow('[blockhash-expired]')
  })

  test('calls are found by their keys, also through lookup tables', () => {
    const loaded = { writable: [new PublicKey(addressOf('w'))], readonly: [new PublicKey(PROGRAM_ID)] }
    const message = new MessageV0({
      header: { numRequiredSignatures: 1, numReadonlySignedAccounts: 0, numReadonlyUnsignedAccounts: 0 },
      staticAccountKeys: [KEY.publicKey],
      recentBlockhash: BLOCKHASH,
      compiledInstructions: [],
      addressTableLookups: [{ accountKey: KEY.publicKey, writableIndexes: [0], readonlyIndexes: [1] }],
    })
    const inner = [{ index: 0, instructions: [{ programIdIndex: 2, accounts: [], data: encodeBase58(EVENT) }] }]
    const calls = callsOf(message, { innerInstructions: inner, loadedAddresses: loaded })
    expect(calls).toEqual([{ programId: PROGRAM_ID, data: EVENT }])
    expect(callsOf(message, null)).toEqual([])
  })
})
