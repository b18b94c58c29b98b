/** That the local chain is what the tests of the program take it for. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  type AddressLookupTableAccount,
  ComputeBudgetProgram,
  PublicKey,
  SYSVAR_CLOCK_PUBKEY,
  SystemProgram,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { ONE_Q64 } from '../../amm/fixed.ts'
import { discountQ64 } from '../../amm/units.ts'
import { PROGRAM_ID } from '../../src/client/index.ts'
import { checkPoolAddress } from '../../src/jupiter/addresses.ts'
import { decodePool, type PoolFacts } from '../../src/jupiter/index.ts'
import { checkSource, cursorOf, readHourly, readWeekly, SOURCE_TERMS } from '../../src/oracle/source.ts'
import { keyOf, UPGRADEABLE_LOADER, unsigned } from './build-chain.ts'
import { JLP, LocalChain, PERPETUALS, POOL, type Setting } from './harness.ts'
import { ATA_PROGRAM, ata, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from './tokens.ts'

const elf = readFileSync(new URL('../../programs-idl/sunder.so', import.meta.url))
const programId = new PublicKey(PROGRAM_ID)
const authority = keyOf('authority').publicKey
const open = (setting: Partial<Setting> = {}) =>
  new LocalChain({ programId, elf, upgradeAuthority: authority, ...setting })

const key = (name: string) => keyOf(name).publicKey
const call = (program: PublicKey, data: Uint8Array, ...accounts: readonly [PublicKey, string?][]) =>
  new TransactionInstruction({
    programId: program,
    keys: accounts.map(([pubkey, how = '']) => ({
      pubkey,
      isWritable: how.includes('w'),
      isSigner: how.includes('s'),
    })),
    data: Buffer.from(data),
  })

/** A generator of whole numbers below a limit, the same in every run. */
const randomness = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const VERSION = createHash('sha256').update('global:version').digest().subarray(0, 8)
const version = call(programId, VERSION)
const unknown = call(programId, Buffer.alloc(8))

const transfer = (from: PublicKey, to: PublicKey, owner: PublicKey, atoms: bigint, how = 's') => {
  const data = Buffer.alloc(9, 3)
  data.writeBigUInt64LE(atoms, 1)
  return call(TOKEN_PROGRAM, data, [from, 'w'], [to, 'w'], [owner, how])
}

const createAta = (chain: LocalChain, mint: PublicKey, owner: PublicKey, program = TOKEN_PROGRAM) =>
  call(
    ATA_PROGRAM,
    Buffer.alloc(0),
    [chain.payer, 'sw'],
    [ata(mint, owner, program), 'w'],
    [owner],
    [mint],
    [SystemProgram.programId],
    [program],
  )

describe('the program', () => {
  test('answers, as often as it is asked the same', () => {
    const chain = open()
    for (let i = 0; i < 3; i++) {
      const { ok, error, returned, units, unitsOf, inner, logs } = chain.send(version)
      expect({ ok, error, returned: [...returned], inner }).toEqual({
        ok: true,
        error: undefined,
        returned: [2, 0, 0, 0],
        inner: [[]],
      })
      expect(unitsOf.length).toBe(1)
      expect(units).toBe(unitsOf[0]! + 150)
      expect(logs.at(-1)).toBe(`Program ${programId.toBase58()} success`)
    }
  })

  const setAuthority = (chain: LocalChain, who: PublicKey) =>
    call(UPGRADEABLE_LOADER, Buffer.from([4, 0, 0, 0]), [chain.programData, 'w'], [who, 's'], [key('heir')])

  test('is deployed as the loader knows it, with an upgrade authority', () => {
    const chain = open()
    const { owner, data } = chain.existing(chain.programData)
    expect(owner).toEqual(UPGRADEABLE_LOADER)
    expect(data.subarray(12, 45)).toEqual(Buffer.concat([Buffer.from([1]), authority.toBytes()]))
    expect(data.subarray(45)).toEqual(elf)
    expect(chain.send(setAuthority(chain, key('thief'))).error?.text).toContain('IncorrectAuthority')
    expect(chain.send(setAuthority(chain, authority)).ok).toBe(true)
    expect(chain.existing(chain.programData).data.subarray(13, 45)).toEqual(key('heir').toBuffer())
  })

  test('or without one', () => {
    const chain = open({ upgradeAuthority: undefined })
    expect(chain.send(setAuthority(chain, authority)).error?.text).toContain('Immutable')
    expect(chain.send(version).ok).toBe(true)
  })
})

test('the clock goes where it is set, and slots and epochs with it', () => {
  const chain = open({ now: 1_800_000_000 })
  expect(chain.now).toBe(1_800_000_000)
  const before = chain.svm.getClock()
  chain.pass(7 * 86_400)
  const after = chain.svm.getClock()
  expect(chain.now).toBe(1_800_604_800)
  expect(after.slot - before.slot).toBe(1_512_000n)
  expect(after.epoch).toBe(after.slot / 432_000n)
  expect(after.epoch - before.epoch).toBeGreaterThanOrEqual(3n)
  expect(chain.existing(SYSVAR_CLOCK_PUBKEY).data.readBigInt64LE(32)).toBe(1_800_604_800n)
  chain.setTime(1_700_000_000)
  expect(chain.now).toBe(1_700_000_000)
  expect(chain.svm.getClock().slot).toBe(after.slot + 1n)
  expect(chain.send(version).ok).toBe(true)
})

describe('JLP', () => {
  test('is given out, and the supply is what all have', () => {
    const chain = open({ baseSupply: 1000n })
    const [alice, bob] = [key('alice'), key('bob')]
    const hers = chain.giveJlp(alice, 70n)
    expect(chain.giveJlp(alice, 30n)).toEqual(hers)
    const his = chain.giveJlp(bob, 0n)
    expect([hers, his]).toEqual([ata(JLP, alice), ata(JLP, bob)])
    expect([chain.tokenAmount(hers), chain.tokenAmount(his), chain.mintSupply(JLP)]).toEqual([100n, 0n, 1100n])
    expect(chain.send(transfer(hers, his, alice, 40n)).ok).toBe(true)
    expect([chain.tokenAmount(hers), chain.tokenAmount(his), chain.mintSupply(JLP)]).toEqual([60n, 40n, 1100n])
    chain.setTokenAmount(hers, 10n)
    expect([chain.tokenAmount(hers), chain.mintSupply(JLP)]).toEqual([10n, 1050n])
    chain.setJlpSupply(5000n)
    expect(chain.mintSupply(JLP)).toBe(5000n)
  })

  test('has 6 decimals and by default 400 million in existence', () => {
    const chain = open()
    expect(chain.mintSupply(JLP)).toBe(400_000_000_000_000n)
    const checked = Buffer.alloc(10, 12) // TransferChecked
    checked.writeBigUInt64LE(1n, 1)
    const [from, to] = [chain.giveJlp(key('alice'), 1n), chain.giveJlp(key('bob'), 0n)]
    for (const decimals of [5, 6]) {
      checked[9] = decimals
      const sent = chain.send(call(TOKEN_PROGRAM, checked, [from, 'w'], [JLP], [to, 'w'], [key('alice'), 's']))
      expect(sent.ok).toBe(decimals === 6)
    }
  })

  test('what the token program refuses is refused, and then nothing has changed', () => {
    const chain = open()
    const alice = key('alice')
    const [from, to] = [chain.giveJlp(alice, 100n), chain.giveJlp(key('bob'), 0n)]
    const before = chain.snapshot([from, to, JLP, key('nothing here')])
    expect(before.get(key('nothing here').toBase58())).toBe(undefined)
    const failure = (atoms: bigint, how?: string) => chain.send(transfer(from, to, alice, atoms, how)).error
    expect(failure(101n)).toEqual({ code: 1, instruction: 0, text: 'Custom(1)' })
    expect(failure(1n, '')).toEqual({
      code: undefined,
      instruction: 0,
      text: 'MissingRequiredSignature',
    })
    chain.freeze(from)
    expect(failure(1n)?.code).toBe(17)
    expect(chain.snapshot([from])).not.toEqual(chain.snapshot([to]))
    chain.freeze(from, false)
    expect(chain.snapshot([from, to, JLP, key('nothing here')])).toEqual(before)
    expect(failure(1n)).toBe(undefined)
    expect(chain.snapshot([from, to, JLP, key('nothing here')])).not.toEqual(before)
  })
})

describe('token accounts are to the byte those of the ATA program', () => {
  test('of an SPL mint', () => {
    const chain = open()
    const made = ata(JLP, key('alice'))
    expect(chain.send(createAta(chain, JLP, key('alice'))).ok).toBe(true)
    const { owner, data } = chain.existing(made)
    chain.close(made)
    expect(chain.account(made)).toBe(undefined)
    expect(chain.createTokenAccount(JLP, key('alice'))).toEqual(made)
    expect({ ...chain.existing(made), lamports: 0n }).toEqual({ owner, data, lamports: 0n })
  })

  /** A mint whose amounts wallets show multiplied, made by the program itself. */
  const scaledMint = (chain: LocalChain): PublicKey => {
    const mint = key('scaled mint')
    chain.setAccount(mint, TOKEN_2022_PROGRAM, Buffer.alloc(226))
    const scaled = Buffer.alloc(42)
    scaled.set([43, 0, ...authority.toBytes()])
    scaled.writeDoubleLE(1.5, 34)
    const initialize = Buffer.from([20, 6, ...authority.toBytes(), 0])
    const made = chain.send([
      call(TOKEN_2022_PROGRAM, scaled, [mint, 'w']),
      call(TOKEN_2022_PROGRAM, initialize, [mint, 'w']),
    ])
    expect(made.error).toBe(undefined)
    return mint
  }

  test('of a Token-2022 mint with scaled amounts; tokens move between them', () => {
    const chain = open()
    const mint = scaledMint(chain)
    const [alice, bob] = [key('alice'), key('bob')]
    const hers = ata(mint, alice, TOKEN_2022_PROGRAM)
    expect(chain.send(createAta(chain, mint, alice, TOKEN_2022_PROGRAM)).ok).toBe(true)
    const { data } = chain.existing(hers)
    expect(chain.createTokenAccount(mint, alice, TOKEN_2022_PROGRAM)).toEqual(hers)
    expect(chain.existing(hers).data).toEqual(data)
    const his = chain.createTokenAccount(mint, bob, TOKEN_2022_PROGRAM)
    const mintTo = Buffer.alloc(9, 7)
    mintTo.writeBigUInt64LE(100n, 1)
    const checked = Buffer.from([12, 30, 0, 0, 0, 0, 0, 0, 0, 6])
    const sent = chain.send([
      call(TOKEN_2022_PROGRAM, mintTo, [mint, 'w'], [hers, 'w'], [authority, 's']),
      call(TOKEN_2022_PROGRAM, checked, [hers, 'w'], [mint], [his, 'w'], [alice, 's']),
    ])
    expect(sent.error).toBe(undefined)
    expect([chain.tokenAmount(hers), chain.tokenAmount(his), chain.mintSupply(mint)]).toEqual([70n, 30n, 100n])
    chain.setTokenAmount(his, 31n)
    expect(chain.mintSupply(mint)).toBe(101n)
  })

  test('a mint of one`s own can be minted from by its authority', () => {
    const chain = open()
    const mint = chain.createMint(key('mint'), { decimals: 9, authority })
    const account = chain.createTokenAccount(mint, key('alice'))
    const mintTo = Buffer.alloc(9, 7)
    mintTo.writeBigUInt64LE(5n, 1)
    expect(chain.send(call(TOKEN_PROGRAM, mintTo, [mint, 'w'], [account, 'w'], [authority, 's'])).ok).toBe(true)
    expect([chain.tokenAmount(account), chain.mintSupply(mint)]).toEqual([5n, 5n])
  })
})

describe('Jupiter`s pool', () => {
  const read = (chain: LocalChain): PoolFacts => {
    const { owner, data } = chain.existing(POOL)
    return decodePool({ address: POOL.toBase58(), owner: owner.toBase58(), data })
  }

  test.each([undefined, 1_700_000_000, 1_900_000_000])('is the real one to all who look, at %s', now => {
    const chain = open(now === undefined ? {} : { now })
    const facts = read(chain)
    expect(facts).toEqual(chain.pool())
    checkPoolAddress({ address: POOL.toBase58() }, facts)
    checkSource(facts, chain.now, SOURCE_TERMS.hourly)
    const age = chain.now - Number(facts.poolApr.lastUpdated)
    expect(age).toBeGreaterThanOrEqual(0)
    expect(age).toBeLessThan(604_800)
  })

  test('pays hour by hour, and publishes a week', () => {
    const chain = open()
    const [cursor, hour] = [cursorOf(chain.pool()), Math.floor(chain.now / 3600) * 3600]
    const index = {
      kind: 'hourly' as const,
      caps: { rhoMaxQ64: ONE_Q64 / 100n, weeklyBudgetQ64: ONE_Q64 / 50n },
      discount: discountQ64(ONE_Q64),
      lastStep: hour,
      bucketQ64: 0n,
      carry: 0n,
      checkpoints: [],
    }
    chain.setTime(hour + 3600 + 300)
    chain.distribute(250n)
    chain.distribute(50n, 9_000_000n)
    expect(readHourly(index, cursor, read(chain), chain.now)).toMatchObject({ fees: 300n, aum: 9_000_000n })
    chain.pass(3600)
    chain.publish(850n, chain.now - 60, 7n)
    expect(read(chain).poolApr).toEqual({
      lastUpdated: BigInt(chain.now - 60),
      feeAprBps: 850n,
      realizedFeeUsd: 7n,
    })
    const weekly = { ...index, kind: 'weekly' as const }
    expect(readWeekly(weekly, cursor, read(chain), chain.now).to).toBe(chain.now - 60)
    chain.pass(3600)
    chain.publish(900n)
    expect(read(chain).poolApr).toEqual({ lastUpdated: BigInt(chain.now), feeAprBps: 900n, realizedFeeUsd: 0n })
  })

  test('can be set, refreshed and forged', () => {
    const chain = open()
    const before = chain.pool()
    chain.setPool({ bump: 251, poolApr: { feeAprBps: 1n } })
    const changed = { ...before, bump: 251, poolApr: { ...before.poolApr, feeAprBps: 1n } }
    expect(read(chain)).toEqual(changed)
    chain.pass(10)
    chain.refresh(5n)
    expect(read(chain)).toMatchObject({ aumUsd: 5n, aumUsdUpdatedAt: BigInt(chain.now), bump: 251 })
    chain.setPoolBytes(Buffer.alloc(3), SystemProgram.programId)
    expect(chain.existing(POOL)).toMatchObject({ owner: SystemProgram.programId, data: Buffer.alloc(3) })
    chain.setPool({})
    expect(read(chain)).toEqual(chain.pool())
    expect(chain.existing(POOL).owner).toEqual(PERPETUALS)
  })
})

/** Account keys with what they may do, and instructions, as web3.js reads or makes them. */
const contents = (transaction: VersionedTransaction, tables: AddressLookupTableAccount[]) => {
  const { message, signatures } = transaction
  const keys = message.getAccountKeys({ addressLookupTableAccounts: tables })
  const account = (i: number) =>
    `${keys.get(i)?.toBase58()} ${message.isAccountSigner(i)} ${message.isAccountWritable(i)}`
  return {
    version: message.version,
    signatures: signatures.length,
    own: message.staticAccountKeys.length,
    payer: account(0),
    accounts: Array.from({ length: keys.length }, (_, i) => account(i)).sort(),
    instructions: message.compiledInstructions.map(({ programIdIndex, accountKeyIndexes, data }) => ({
      program: account(programIdIndex),
      accounts: accountKeyIndexes.map(account),
      data: Buffer.from(data).toString('hex'),
    })),
  }
}

test('transactions are those that web3.js makes, though not to the order of their keys', () => {
  const chain = open()
  const random = randomness(20_261_105)
  const keys = Array.from({ length: 24 }, (_, i) => key(`account ${i}`))
  const any = () => keys[random(keys.length)]!
  for (let i = 0; i < 200; i++) {
    const instructions = Array.from({ length: random(4) }, () => {
      const accounts = Array.from({ length: random(9) }, (): [PublicKey, string] => [
        any(),
        ['', 'w', 's', 'sw'][random(4)]!,
      ])
      return call(any(), Buffer.alloc(random(3) === 0 ? 150 : 8, i), ...accounts)
    })
    const tables = [keys.slice(0, random(12)), keys.slice(6, 6 + random(12))].map(list => chain.lookupTable(list))
    const message = new TransactionMessage({
      payerKey: any(),
      recentBlockhash: PublicKey.default.toBase58(),
      instructions,
    })
    for (const given of [undefined, tables, []]) {
      const { bytes, keys } = unsigned(message.payerKey, instructions, given)
      const expected = given === undefined ? message.compileToLegacyMessage() : message.compileToV0Message(given)
      const made = VersionedTransaction.deserialize(bytes)
      expect(contents(made, given ?? [])).toEqual(contents(new VersionedTransaction(expected), given ?? []))
      expect(Buffer.from(made.serialize())).toEqual(bytes)
      const named = made.message.getAccountKeys({ addressLookupTableAccounts: given ?? [] })
      expect(keys.map(String)).toEqual(named.keySegments().flat().map(String))
    }
  }
})

describe('transactions', () => {
  test('say which instruction failed, with which number, and undo the ones before', () => {
    const chain = open()
    const [from, to] = [chain.giveJlp(key('alice'), 9n), chain.giveJlp(key('bob'), 0n)]
    const sent = chain.send([transfer(from, to, key('alice'), 9n), version, unknown, version])
    expect(sent.ok).toBe(false)
    expect(sent.error).toEqual({ code: 6000, instruction: 2, text: 'Custom(6000)' })
    expect(sent.unitsOf.length).toBe(3)
    expect(Math.min(...sent.unitsOf)).toBeGreaterThan(0)
    expect([chain.tokenAmount(from), chain.tokenAmount(to)]).toEqual([9n, 0n])
  })

  test('that are refused as such name no instruction', () => {
    const { error } = open().send(version, { payer: key('has nothing') })
    expect(error).toEqual({ code: undefined, instruction: undefined, text: expect.stringContaining('AccountNotFound') })
  })

  test('have the limit of units that is asked for', () => {
    const chain = open()
    const { error, units } = chain.send(createAta(chain, JLP, key('alice')), { units: 2000 })
    expect(error).toMatchObject({ instruction: 0, code: undefined })
    expect(units).toBe(2000)
  })

  test('show the calls inside, in order, with their data', () => {
    const chain = open()
    const owner = key('alice')
    const { inner, unitsOf, units } = chain.send([version, createAta(chain, JLP, owner), version])
    expect(inner.map(calls => calls.length)).toEqual([0, inner[1]!.length, 0])
    expect(new Set(inner[1]!.map(({ programId }) => programId))).toEqual(
      new Set([TOKEN_PROGRAM.toBase58(), SystemProgram.programId.toBase58()]),
    )
    const initialize = inner[1]!.at(-1)!
    expect(initialize.programId).toBe(TOKEN_PROGRAM.toBase58())
    expect(initialize.data).toEqual(Buffer.concat([Buffer.from([18]), owner.toBytes()])) // InitializeAccount3
    expect(unitsOf[0]).toBe(unitsOf[2])
    expect(unitsOf.reduce((sum, used) => sum + used, 150)).toBe(units)
  })

  const many = (chain: LocalChain, count: number) => {
    const from = chain.giveJlp(key('alice'), BigInt(count))
    const to = Array.from({ length: count }, (_, i) => chain.giveJlp(key(`receiver ${i}`), 0n))
    return { from, to, transfers: to.map(account => transfer(from, account, key('alice'), 1n)) }
  }

  test('of one byte more than fits get a lookup table', () => {
    const chain = open()
    const of = (bytes: number) => chain.send(call(TOKEN_PROGRAM, Buffer.alloc(bytes), [key('a')], [key('b')]))
    const room = 1232 - of(200).size
    expect(of(200 + room).size).toBe(1232)
    expect(of(201 + room).size).toBeLessThan(1232)
  })

  test('of more accounts than fit get a lookup table too, and inner calls are still named', () => {
    const chain = open()
    const { from, to, transfers } = many(chain, 40)
    const made = createAta(chain, JLP, key('carol'))
    for (let i = 0; i < 2; i++) {
      chain.setTokenAmount(from, 40n)
      chain.close(ata(JLP, key('carol')))
      const { error, inner, unitsOf, size } = chain.send([...transfers, made])
      expect(error).toBe(undefined)
      expect(size).toBeLessThanOrEqual(1232)
      expect(to.map(account => chain.tokenAmount(account))).toEqual(to.map(() => BigInt(i + 1)))
      expect(unitsOf.length).toBe(41)
      expect(inner.at(-1)!.at(-1)!.programId).toBe(TOKEN_PROGRAM.toBase58())
    }
    expect(() => chain.send([...transfers, ...transfers])).toThrow('of 1232')
  })

  test('can be given a table, and are then smaller', () => {
    const chain = open()
    const { to, transfers } = many(chain, 5)
    const plain = chain.send(transfers)
    const table = chain.lookupTable(to)
    expect(chain.lookupTable(to)).toBe(table)
    chain.giveJlp(key('alice'), 5n)
    const small = chain.send(transfers, { lookupTables: [table] })
    expect([plain.ok, small.ok]).toEqual([true, true])
    expect(small.size).toBeLessThan(plain.size)
    expect(to.map(account => chain.tokenAmount(account))).toEqual([2n, 2n, 2n, 2n, 2n])
  })

  test('need their signatures where that is asked for', () => {
    const chain = open({ sigverify: true })
    const [from, to] = [chain.giveJlp(key('alice'), 9n), chain.giveJlp(key('bob'), 0n)]
    const move = transfer(from, to, key('alice'), 9n)
    expect(chain.send(move, { signers: [keyOf('payer')] }).error).toEqual({
      code: undefined,
      instruction: undefined,
      text: 'SignatureFailure',
    })
    expect(chain.send(move, { signers: [keyOf('payer'), keyOf('alice')] }).ok).toBe(true)
  })

  test('are paid by whom they name', () => {
    const chain = open()
    const bob = chain.wallet('bob', 1_000_000_000n)
    const paid = chain.lamportsOf(chain.payer)
    expect(chain.send([version, ComputeBudgetProgram.requestHeapFrame({ bytes: 65_536 })], { payer: bob }).ok).toBe(
      true,
    )
    expect([chain.lamportsOf(bob), chain.lamportsOf(chain.payer)]).toEqual([999_995_000n, paid])
  })
})
