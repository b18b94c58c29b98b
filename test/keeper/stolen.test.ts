/** What a stolen keeper's key can reach: every instruction of the interface, with arguments at random, signed by it. */
import { type TransactionInstruction, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { expect, test } from 'vitest'
import { tokenAccountOf } from '../../src/chain/tokens.ts'
import {
  ACTIONS,
  AMOUNT_UNITS,
  CHANGEABLE_TERMS,
  INSTRUCTIONS,
  ORDER_ACTIONS,
  TRIGGERS,
} from '../../src/client/generated/interface.ts'
import {
  ADDRESSES,
  accountName,
  arrayStarts,
  build,
  createWallet,
  decode,
  type Given,
  INSTRUCTION_NAMES,
  type InstructionName,
  PROGRAM_ID,
  walletAddress,
} from '../../src/client/index.ts'
import type { WireLayout } from '../../src/client/layout.ts'
import { Random } from '../generate/random.ts'
import { as, begin, fund, goLong, idOf, key, keyOf, ONE, type Place } from './support.ts'

const ATTEMPTS = 300
const USERS = ['ann', 'bob', 'cid', 'whale']
const NAMES: Readonly<Record<string, readonly string[]>> = {
  Action: ACTIONS,
  AmountUnit: AMOUNT_UNITS,
  OrderAction: ORDER_ACTIONS,
  Trigger: TRIGGERS,
  coupon_kind: ['hourly', 'weekly'],
}
const BITS: Readonly<Record<string, number>> = { u8: 8, u16: 16, u32: 32, u64: 64, u128: 128 }
const SIGNED: Readonly<Record<string, number>> = { i32: 32, i64: 64, i128: 128 }

/** A value that the instruction can say. */
const argumentOf = (random: Random, { name, type, optional }: WireLayout): unknown => {
  if (optional && random.int(0, 1) === 0) return undefined
  if (NAMES[type] !== undefined) return random.pick(NAMES[type])
  if (type === 'bool') return random.int(0, 1) === 1
  if (type === 'pubkey') return idOf(random.pick([...USERS, 'keeper']))
  if (type === 'ChangeableTerms') return Object.fromEntries(CHANGEABLE_TERMS.map(term => [term, random.int(0, 10_000)]))
  if (name === 'deadline' || name === 'expiresAt') return 0xffff_ffff
  const bits = BITS[type] ?? SIGNED[type]!
  const most = (1n << BigInt(type in SIGNED ? bits - 1 : bits)) - 1n
  const value = random.magnitude(random.int(0, 3) === 0 ? most : most < 100n * ONE ? most : 100n * ONE)
  return bits <= 32 ? Number(value) : value
}

/** All that belongs to others: records of the program and tokens in their wallets. */
const propertyOf = ({ chain }: Place): string[] => {
  const thief = idOf('keeper')
  const records = chain.accountsOf(PROGRAM_ID).flatMap(({ address, account: { data } }) => {
    const name = accountName(data)!
    if (name !== 'MarginAccount' && name !== 'LpPosition' && name !== 'RestingOrder') return []
    const record = decode(name, data)
    const text = JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
    return record.owner === thief ? [] : [`${address} ${text}`]
  })
  const tokens = [ADDRESSES.tokenProgram, ADDRESSES.token2022Program].flatMap(program =>
    chain.accountsOf(program).flatMap(({ address, account }) => {
      const held = tokenAccountOf(account)
      const isUsers = held !== undefined && USERS.some(name => idOf(name) === held.owner)
      return isUsers ? [`${address} ${held.amount} ${held.delegate} ${held.closeAuthority}`] : []
    }),
  )
  return [...records, ...tokens]
}

test('T133: a stolen key takes nothing from anybody, whatever it signs', async () => {
  const place = await begin()
  const { client, chain, market, connection } = place
  for (const [name, leverage] of [
    ['ann', 5n],
    ['bob', 3n],
    ['cid', 2n],
  ] as const)
    await goLong(place, name, leverage)
  fund(place, 'whale', 1000n)
  await client.execute('split', { market, owner: idOf('whale'), sub: 0, yt: 500n * ONE }, as('whale'))
  await client.execute('wrap', { coupon: 'hourly', owner: idOf('whale'), jlp: 100n * ONE }, as('whale'))
  const order = {
    market,
    owner: idOf('bob'),
    sub: 0,
    action: 'reduce-long',
    fee: 5n,
    expiresAt: market.maturity,
  } as const
  await client.placeOrder({ ...order, trigger: { when: 'pnl-above', level: 10n ** 15n } }, as('bob'))
  const thief = idOf('keeper')
  const jlp = { owner: thief, mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram }
  await client.send([createWallet(thief, jlp)], as('keeper'))
  const { data } = await client.market(market)
  const before = propertyOf(place)
  expect(before.length).toBeGreaterThan(12)

  const random = new Random(133n)
  const anyone = (): string => idOf(random.pick(USERS))
  const instructionOf = (name: InstructionName): TransactionInstruction => {
    const args = Object.fromEntries(
      INSTRUCTIONS[name].arguments.map(layout => [layout.name, argumentOf(random, layout)]),
    )
    const start = random.pick(arrayStarts(data))
    const where = {
      ...{
        market,
        coupon: 'hourly',
        owner: anyone(),
        payer: anyone(),
        by: anyone(),
        treasury: random.pick([thief, chain.operator.publicKey.toBase58()]),
      },
      ...{
        sub: 0,
        id: 0,
        lower: 50,
        upper: 13_860,
        start,
        to: { market, owner: thief, sub: random.int(0, 1), tickArrays: [] },
      },
      ...(INSTRUCTIONS[name].rest === 'tick arrays' ? { tickArrays: [start, arrayStarts(data)[1]!] } : {}),
    }
    const built = build[name]({ ...where, ...args } as unknown as Given<typeof name> as never)
    for (const role of built.keys) {
      // In the place of whoever should sign is the thief, or the owner who did not.
      if (role.isSigner && random.int(0, 3) > 0) role.pubkey = key(thief)
      else if (role.isSigner && role.pubkey.toBase58() !== thief) role.isSigner = false
      // And now and then the thief's wallet is where another's is meant.
      if (role.isWritable && !role.isSigner && random.int(0, 9) === 0) role.pubkey = key(walletAddress(jlp))
    }
    return built
  }
  const landed = { done: 0, refused: 0 }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = attempt < INSTRUCTION_NAMES.length ? INSTRUCTION_NAMES[attempt]! : random.pick(INSTRUCTION_NAMES)
    if (attempt % 20 === 0) chain.nextSlot(1000)
    const terms = {
      payerKey: key(thief),
      recentBlockhash: chain.hashOf(chain.slot),
      instructions: [instructionOf(name)],
    }
    const transaction = new VersionedTransaction(new TransactionMessage(terms).compileToV0Message())
    transaction.sign([keyOf('keeper')])
    const signature = await connection.sendRawTransaction(transaction.serialize(), { skipPreflight: true })
    const outcome = chain.landed(signature)
    if (outcome !== undefined) landed[outcome.err === null ? 'done' : 'refused']++
  }
  expect(landed.refused).toBeGreaterThan(ATTEMPTS / 2)
  expect(landed.done).toBeGreaterThan(0) // it may still do what anyone may
  expect(propertyOf(place)).toEqual(before)
  const purse = chain.account(walletAddress(jlp))!
  expect(tokenAccountOf(purse)!.amount).toBe(0n)
})
