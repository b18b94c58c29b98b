/** Builders: every account is where the program looks for it, and everything fits into transactions. */
import {
  AddressLookupTableAccount,
  AddressLookupTableProgram,
  Keypair,
  PublicKey,
  VersionedTransaction,
} from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { derive } from '../../src/client/addresses.ts'
import { anchorProgram } from '../../src/client/anchor.ts'
import { addressesOf, build, type Given, marketAddress, walletsOf } from '../../src/client/builders.ts'
import { ClientError } from '../../src/client/errors.ts'
import { ADDRESSES, INSTRUCTIONS } from '../../src/client/generated/interface.ts'
import {
  decodeInstruction,
  INSTRUCTION_NAMES,
  type InstructionName,
  PROGRAM_ID,
} from '../../src/client/instructions.ts'
import {
  createLookupTable,
  lookupAddresses,
  lookupTableOf,
  PACKET_BYTES,
  transactionOf,
} from '../../src/client/transactions.ts'
import { ASSOCIATED_TOKEN_PROGRAM, createWallet, walletAddress } from '../../src/client/wallets.ts'
import { DEFAULT_TERMS } from '../../src/exchange/terms.ts'
import { JLP_MINT } from '../../src/jupiter/addresses.ts'
import { codesOf } from '../helpers/code-of.ts'
import { camelOf, IDL, PROGRAM } from './anchor.ts'
import { addressOf } from './from-engine.ts'

const codeOf = codesOf(ClientError)
const KIND = 'hourly'
const MATURITY = 1_732_867_200
const [OWNER, BY, PAYER] = [addressOf('owner'), addressOf('by'), addressOf('payer')]
const market = { kind: KIND, maturity: MATURITY } as const
const MARKET = derive(PROGRAM_ID, 'Market', { kind: KIND, maturity: MATURITY }).address
const LATER = { kind: 'weekly', maturity: MATURITY + 604_800 } as const
const LATER_MARKET = derive(PROGRAM_ID, 'Market', LATER).address

const order = { unit: 'token', amount: 5n, limitRate: 7n, minimum: 3n, deadline: 9 } as const
const TERMS = {
  feeBps: 1,
  lpShareBps: 2,
  insuranceShareBps: 3,
  guardBps: 4,
  forcedBps: 5,
  openInterestBps: 6,
  penaltyBps: 7,
}
const account = { market, owner: OWNER, sub: 3 }
const position = { market, owner: OWNER, lower: 50, upper: 690 }
const tickArrays = [50, 690]

/** One of each. */
const GIVEN: { readonly [N in InstructionName]: Given<N> } = {
  initConfig: { payer: PAYER, authority: BY, pauser: BY, treasury: OWNER },
  initIndex: { payer: PAYER, coupon: KIND },
  createMarket: { payer: PAYER, coupon: KIND, maturity: MATURITY, rate: 5n, terms: TERMS, matured: [LATER] },
  initTickArray: { payer: PAYER, market, start: 690, number: 1 },
  closeTickArray: { market, payer: PAYER, start: 690 },
  accrue: { coupon: KIND },
  finalise: { coupon: KIND, maturity: MATURITY },
  syncSt: { coupon: KIND },
  wrap: { coupon: KIND, owner: OWNER, jlp: 5n },
  unwrap: { coupon: KIND, owner: OWNER, jlp: 5n },
  split: { ...account, yt: 5n },
  merge: { ...account, yt: 5n },
  redeemPt: { market, owner: OWNER, pt: 5n },
  buyPt: { market, owner: OWNER, ...order, tickArrays },
  sellPt: { market, owner: OWNER, ...order, tickArrays },
  openAccount: account,
  closeAccount: account,
  deposit: { ...account, jlp: 5n },
  withdraw: { ...account, jlp: 5n },
  transfer: { ...account, to: { owner: BY, sub: 4 }, margin: 5n, yt: 6n },
  trade: { ...account, action: 'long', spot: false, ...order, tickArrays },
  roll: { ...account, ...order, closeLimitRate: 8n, tickArrays, to: { market: LATER, sub: 5, tickArrays: [50] } },
  placeOrder: {
    ...account,
    ...{ id: 6, action: 'reduce-long', amount: 5n, spot: false, limitRate: 7n, minimum: 3n, fee: 2n, expiresAt: 9 },
    ...{ trigger: 'pnl-below', level: -8n },
  },
  cancelOrder: { ...account, id: 6 },
  fillOrder: { ...account, id: 6, by: BY, tickArrays },
  expireOrder: { ...account, id: 6 },
  openPosition: position,
  closePosition: position,
  addLiquidity: { ...position, liquidity: 5n, maximum: 6n, minRate: 7n, maxRate: 8n, deadline: 9, tickArrays },
  removeLiquidity: { ...position, sub: 3, num: 1n, den: 2n, minimum: 3n, deadline: 9, zap: 4n, tickArrays },
  collect: { ...position, tickArrays },
  liquidate: { ...account, by: BY, yt: 5n, tickArrays },
  takeOver: { ...account, tickArrays },
  reduceFund: { market, yt: 5n, tickArrays },
  settle: account,
  collectFees: { market, treasury: BY },
  applyTerms: { market },
  catchUp: { market },
  ptPrice: { market },
  proposeTerms: { market, by: BY, terms: TERMS },
  pause: { by: BY },
  unpause: { by: BY },
  proposeAuthority: { by: BY, next: OWNER },
  appoint: { by: BY, pauser: OWNER, treasury: PAYER },
  acceptAuthority: { by: BY },
}

const at = (name: Parameters<typeof derive>[1], seeds: object): string =>
  derive(PROGRAM_ID, name, seeds as never).address
const ata = (owner: string, mint: string, program: string): string =>
  PublicKey.findProgramAddressSync(
    [new PublicKey(owner).toBytes(), new PublicKey(program).toBytes(), new PublicKey(mint).toBytes()],
    new PublicKey('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'),
  )[0].toBase58()
const TOKEN = ADDRESSES.tokenProgram

/** What each slot must be, spelled out. */
const EXPECTED = {
  owner: OWNER,
  payer: PAYER,
  by: BY,
  creator: PAYER,
  index: at('RateIndex', { kind: KIND }),
  market: MARKET,
  vault: at('Vault', { market: MARKET }),
  ptMint: at('PtMint', { market: MARKET }),
  stMint: at('StMint', { kind: KIND }),
  stVault: at('StVault', { kind: KIND }),
  tickArray: at('TickArray', { market: MARKET, start: 690 }),
  account: at('MarginAccount', { market: MARKET, owner: OWNER, sub: 3 }),
  order: at('RestingOrder', { account: at('MarginAccount', { market: MARKET, owner: OWNER, sub: 3 }), id: 6 }),
  position: at('LpPosition', { market: MARKET, owner: OWNER, lower: 50, upper: 690 }),
  to: at('MarginAccount', { market: MARKET, owner: BY, sub: 4 }),
  toMarket: LATER_MARKET,
  toIndex: at('RateIndex', { kind: 'weekly' }),
  toVault: at('Vault', { market: LATER_MARKET }),
  toAccount: at('MarginAccount', { market: LATER_MARKET, owner: OWNER, sub: 5 }),
  ownerJlp: ata(OWNER, JLP_MINT, TOKEN),
  payerJlp: ata(PAYER, JLP_MINT, TOKEN),
  byJlp: ata(BY, JLP_MINT, TOKEN),
  treasuryJlp: ata(BY, JLP_MINT, TOKEN),
  ownerPt: ata(OWNER, at('PtMint', { market: MARKET }), TOKEN),
  ownerSt: ata(OWNER, at('StMint', { kind: KIND }), ADDRESSES.token2022Program),
  programData: PublicKey.findProgramAddressSync(
    [new PublicKey(PROGRAM_ID).toBytes()],
    new PublicKey('BPFLoaderUpgradeab1e11111111111111111111111'),
  )[0].toBase58(),
}

describe.each(INSTRUCTION_NAMES)('%s', name => {
  const built = (build[name] as (given: unknown) => ReturnType<(typeof build)['accrue']>)(GIVEN[name])
  const idl = IDL.instructions.find(one => camelOf(one.name) === name)!

  test('has every account in its place, then what follows', () => {
    expect(built.programId.toBase58()).toBe(PROGRAM_ID)
    const keys = built.keys.map(({ pubkey }) => pubkey.toBase58())
    for (const [i, slot] of idl.accounts.entries()) {
      const known = (ADDRESSES as Readonly<Record<string, string>>)[camelOf(slot.name)]
      expect([slot.name, keys[i]]).toEqual([slot.name, known ?? EXPECTED[camelOf(slot.name) as keyof typeof EXPECTED]])
    }
    const arrays = tickArrays.map(start => at('TickArray', { market: MARKET, start }))
    const later = name === 'roll' ? [at('TickArray', { market: LATER_MARKET, start: 50 })] : []
    const rest = { 'tick arrays': [...arrays, ...later], 'matured markets': [LATER_MARKET] }
    const kind = INSTRUCTIONS[name].rest
    expect(keys.slice(idl.accounts.length)).toEqual(kind === undefined ? [] : rest[kind])
  })

  test('says its arguments, fits into a transaction, and takes accounts from elsewhere', () => {
    const { args } = decodeInstruction(built.data)
    expect(args).toEqual(
      Object.fromEntries(INSTRUCTIONS[name].arguments.map(field => [field.name, (GIVEN[name] as never)[field.name]])),
    )
    const signer = built.keys.find(key => key.isSigner)?.pubkey.toBase58() ?? PAYER
    const transaction = transactionOf([built], { payer: signer, blockhash: PublicKey.default.toBase58() })
    expect(transaction.serialize().length).toBeLessThanOrEqual(PACKET_BYTES)
    const elsewhere = addressOf('elsewhere')
    for (const [slot, found] of Object.entries(addressesOf(name, GIVEN[name]))) {
      const other = addressesOf(name, { ...GIVEN[name], accounts: { [slot]: elsewhere } } as never)
      expect((other as Readonly<Record<string, string>>)[slot]).toBe(elsewhere)
      expect(found).not.toBe(elsewhere)
    }
  })
})

test('a market by its address is the same, and what is missing is named', () => {
  expect(marketAddress(market)).toBe(MARKET)
  const named = build.deposit({ ...account, market: { kind: KIND, address: MARKET }, jlp: 5n })
  expect(named).toEqual(build.deposit({ ...account, jlp: 5n }))
  expect(() => build.deposit({ market, sub: 3, jlp: 5n } as never)).toThrow('Say the owner')
  expect(codeOf(() => build.accrue({} as never))).toBe('missing-account')
  expect(codeOf(() => build.deposit({ ...account, owner: 'x', jlp: 5n }))).toBe('wrong-address')
  expect(codeOf(() => build.deposit({ ...account, jlp: -5n }))).toBe('out-of-range')
  const { sub: _, ...unnamed } = GIVEN.removeLiquidity
  const slot = INSTRUCTIONS.removeLiquidity.accounts.findIndex(({ name }) => name === 'account')
  expect(build.removeLiquidity(unnamed).keys[slot]).toEqual({
    pubkey: new PublicKey(PROGRAM_ID),
    isWritable: false,
    isSigner: false,
  })
})

test('token accounts of wallets', () => {
  const wallets = walletsOf('split', GIVEN.split)
  expect(wallets.map(walletAddress)).toEqual([EXPECTED.ownerJlp, EXPECTED.ownerPt])
  expect(walletsOf('split', { ...GIVEN.split, accounts: { ownerPt: BY } }).length).toBe(1)
  const made = createWallet(PAYER, wallets[1]!)
  expect(made.programId.toBase58()).toBe(ASSOCIATED_TOKEN_PROGRAM)
  expect([...made.data]).toEqual([1])
  expect(made.keys.map(({ pubkey, isSigner, isWritable }) => [pubkey.toBase58(), isSigner, isWritable])).toEqual([
    [PAYER, true, true],
    [EXPECTED.ownerPt, false, true],
    [OWNER, false, false],
    [EXPECTED.ptMint, false, false],
    [ADDRESSES.systemProgram, false, false],
    [TOKEN, false, false],
  ])
})

describe('transactions', () => {
  const key = Keypair.fromSeed(new Uint8Array(32).fill(1))
  const payer = key.publicKey.toBase58()
  const blockhash = PublicKey.default.toBase58()
  const addresses = lookupAddresses(market, { terms: DEFAULT_TERMS.hourly } as never)
  const table = new AddressLookupTableAccount({
    key: new PublicKey(BY),
    state: {
      deactivationSlot: (1n << 64n) - 1n,
      lastExtendedSlot: 1,
      lastExtendedSlotStartIndex: 0,
      addresses: addresses.map(address => new PublicKey(address)),
    },
  })
  const many = Array.from({ length: 22 }, (_, i) => 50 + 640 * i)
  const wide = build.trade({ ...GIVEN.trade, owner: payer, tickArrays: many })

  test('too large without a lookup table, not with one', () => {
    const twice = [wide, build.accrue({ coupon: KIND }), build.deposit({ ...account, owner: payer, jlp: 5n }), wide]
    expect(codeOf(() => transactionOf(twice, { payer, blockhash }))).toBe('too-large')
    const short = transactionOf(twice, { payer, blockhash, tables: [table], price: 5n, units: 77 })
    expect(short.message.addressTableLookups.length).toBe(1)
    expect(short.serialize().length).toBeLessThan(PACKET_BYTES)
    // Small ones do without.
    const small = transactionOf([build.accrue({ coupon: KIND })], { payer, blockhash, tables: [table] })
    expect(small.message.addressTableLookups.length).toBe(0)
    small.sign([key])
    expect(VersionedTransaction.deserialize(small.serialize()).message.compiledInstructions.length).toBe(2)
    const signers = Array.from({ length: 40 }, (_, i) =>
      build.deposit({ ...account, owner: addressOf(`o${i}`), jlp: 5n }),
    )
    expect(codeOf(() => transactionOf(signers, { payer, blockhash, tables: [table] }))).toBe('too-large')
  })

  test("a market's lookup table holds what its instructions have in common", () => {
    expect(new Set(addresses).size).toBe(addresses.length)
    for (const slot of ['index', 'market', 'vault', 'ptMint', 'stMint', 'stVault'] as const)
      expect(addresses).toContain(EXPECTED[slot])
    for (const start of many) expect(addresses).toContain(at('TickArray', { market: MARKET, start }))
    const made = createLookupTable(addresses, { payer, slot: 99n })
    expect(made.transactions.length).toBe(Math.ceil(addresses.length / 25))
    const [create, first] = made.transactions[0]!
    expect([create!.programId, first!.programId]).toEqual([
      AddressLookupTableProgram.programId,
      AddressLookupTableProgram.programId,
    ])
    for (const part of made.transactions) {
      expect(transactionOf(part, { payer, blockhash }).serialize().length).toBeLessThanOrEqual(PACKET_BYTES)
    }
    expect(lookupTableOf(BY, undefined)).toBe(undefined)
  })
})

test("Anchor's program is the same one, by the same names", async () => {
  const program = anchorProgram({ connection: {} } as never)
  expect(program.programId.toBase58()).toBe(PROGRAM_ID)
  expect(Object.keys(program.methods).sort()).toEqual([...INSTRUCTION_NAMES].sort())
  expect(program.idl).toEqual(PROGRAM.idl)
})
