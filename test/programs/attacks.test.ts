/**
 * A wrong account of every sort in every place of every instruction: generated from the description of the interface, so that no
 * slot can be forgotten. Each call is one that succeeds but for one thing, and must be refused by name with nothing changed.
 */
import type { PublicKey } from '@solana/web3.js'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { LAYOUTS } from '../../src/client/generated/layouts.ts'
import { type AccountName, INSTRUCTION_NAMES, type InstructionName } from '../../src/client/index.ts'
import { indexAt, marketAt } from '../campaigns/program-places.ts'
import { ADDRESSES, ENUMS, INSTRUCTIONS, type Instruction, PROGRAM_ID, type Slot } from '../generate/interface.ts'
import { camel, SIZES } from '../generate/layouts-write.ts'
import { type AccountState, keyOf } from './build-chain.ts'
import { caseOf, createAfter, LATER, MARKET, WEEKLY } from './cases.ts'
import { type Brought, refusalOf, refusalOfArrays, refusalOfMarket } from './checks-model.ts'
import type { LocalChain } from './harness.ts'
import { mintBytes, tokenAccountBytes } from './tokens.ts'
import { ELSEWHERE, key, MALLORY, type Meta, SYSTEM, Trial, withData, withKeys } from './trial.ts'

/** The accounts as the program gets them: a key is what it is anywhere in the transaction. */
const brought = (chain: LocalChain, keys: readonly Meta[]): Brought[] => {
  const of = (it: Meta): Meta[] => keys.filter(({ pubkey }) => pubkey.equals(it.pubkey))
  return keys.map(it => {
    const { owner, data } = chain.account(it.pubkey) ?? { owner: key(ADDRESSES.system_program), data: Buffer.alloc(0) }
    return {
      key: it.pubkey.toBase58(),
      owner: owner.toBase58(),
      data,
      signer: of(it).some(({ isSigner }) => isSigner),
      writable: of(it).some(({ isWritable }) => isWritable),
    }
  })
}

// ---- what is done to an account -----------------------------------------------------------------------------------------

/** Another account in a place, or other bytes where it is. */
interface Change {
  readonly what: string
  /** In its place, with the flags of the slot unless others are given. */
  readonly meta?: Partial<Meta>
  /** First. Undone by the bytes that were there. */
  readonly write?: readonly [PublicKey, Partial<AccountState>][]
}

const FOREIGN = keyOf('foreign program').publicKey
const NAMES = Object.keys(LAYOUTS) as AccountName[]
const PROGRAM = key(PROGRAM_ID)

const resized = (data: Uint8Array, size: number): Buffer => Buffer.concat([data, Buffer.alloc(64)]).subarray(0, size)
const edited = (data: Uint8Array, at: number, bytes: Uint8Array): Buffer => {
  const copy = Buffer.from(data)
  copy.set(bytes, at)
  return copy
}
/** Every other sort of account of the program, in so many bytes. */
const otherKinds = (name: AccountName, data: Uint8Array): [AccountName, Buffer][] =>
  NAMES.filter(other => other !== name).map(other => [
    other,
    edited(data, 0, Uint8Array.of(...LAYOUTS[other].discriminator, LAYOUTS[other].version)),
  ])
const offsetOf = (name: AccountName, field: string): number | undefined =>
  (LAYOUTS[name].fields as readonly { name: string; offset: number }[]).find(one => one.name === field)?.offset

const changesOfAccount = (name: AccountName, at: PublicKey, state: AccountState): Change[] => {
  const { data } = state
  const write = (what: string, to: Partial<AccountState>): Change => ({ what, write: [[at, to]] })
  const market = offsetOf(name, 'market')
  const owner = name === 'Config' ? undefined : offsetOf(name, 'owner')
  return [
    write('of another program', { owner: FOREIGN }),
    write('of the token program', { owner: key(ADDRESSES.token_program) }),
    write('closed', { owner: SYSTEM, data: Buffer.alloc(0), lamports: 0n }),
    write('closed with lamports', { owner: SYSTEM, data: Buffer.alloc(0) }),
    write('closed and revived', { data: Buffer.alloc(0) }),
    write('uninitialised', { data: Buffer.alloc(data.length) }),
    write('of the version after', { data: edited(data, 8, Uint8Array.of(LAYOUTS[name].version + 1)) }),
    write('of no version', { data: edited(data, 8, Uint8Array.of(0)) }),
    write('a byte longer', { data: resized(data, data.length + 1) }),
    write('a byte shorter', { data: data.subarray(0, -1) }),
    write('a discriminator alone', { data: data.subarray(0, 8) }),
    write('less than a discriminator', { data: data.subarray(0, 7) }),
    ...otherKinds(name, data).map(([other, bytes]) => write(`a ${other}`, { data: bytes })),
    ...(market === undefined
      ? []
      : [write("another market's", { data: edited(data, market, key(marketAt(WEEKLY).market).toBytes()) })]),
    ...(owner === undefined ? [] : [write("another owner's", { data: edited(data, owner, MALLORY.toBytes()) })]),
  ]
}

const changesOfWallet = (at: PublicKey, { data, owner }: AccountState): Change[] => {
  const write = (what: string, to: Partial<AccountState>): Change => ({ what, write: [[at, to]] })
  const other = owner.toBase58() === ADDRESSES.token_program ? ADDRESSES.token_2022_program : ADDRESSES.token_program
  return [
    write('of another program', { owner: FOREIGN }),
    write('of the program itself', { owner: PROGRAM }),
    write('of the other token program', { owner: key(other) }),
    write('closed', { owner: SYSTEM, data: Buffer.alloc(0), lamports: 0n }),
    write('uninitialised', { data: Buffer.alloc(data.length) }),
    write('of another mint', { data: edited(data, 0, key(marketAt(LATER).ptMint).toBytes()) }),
    write("another owner's", { data: edited(data, 32, MALLORY.toBytes()) }),
    write('frozen', { data: edited(data, 108, Uint8Array.of(2)) }),
    write('a byte shorter', { data: data.subarray(0, 164) }),
    write('a mint', { data: mintBytes(6, 0n) }),
    write('a multisig', { data: Buffer.alloc(355, 2) }),
    ...(data.length === 165 ? [write('a byte longer', { data: resized(data, 166) })] : []),
  ]
}

/** What is put where an account is to be made. */
const changesOfNew = (at: PublicKey): Change[] => {
  const write = (what: string, to: Partial<AccountState>): Change => ({
    what,
    write: [[at, { owner: SYSTEM, data: Buffer.alloc(0), lamports: 10n ** 9n, ...to }]],
  })
  return [
    write('taken, with no data', { owner: PROGRAM }),
    write('taken, all zero', { owner: PROGRAM, data: Buffer.alloc(192) }),
    write('taken by another program', { owner: FOREIGN, data: Buffer.alloc(165) }),
    write('taken, a token account', {
      owner: key(ADDRESSES.token_program),
      data: tokenAccountBytes(key(ADDRESSES.jlp_mint), MALLORY),
    }),
    write('with data of the system program', { data: Buffer.alloc(80) }),
  ]
}

/** Of the account that says who may upgrade the program, and what each comes to. */
const PROGRAM_DATA: Readonly<Record<string, string>> = {
  'of another program': 'WrongOwner',
  'of another kind': 'WrongDiscriminator',
  'cut off': 'WrongLength',
  'of another authority': 'Unauthorised',
  'of no authority': 'Unauthorised',
}
const changesOfProgramData = (at: PublicKey, { data }: AccountState): Change[] => {
  const write = (what: string, to: Partial<AccountState>): Change => ({ what, write: [[at, to]] })
  return [
    write('of another program', { owner: FOREIGN }),
    write('of another kind', { data: edited(data, 0, Uint8Array.of(2)) }),
    write('cut off', { data: data.subarray(0, 44) }),
    write('of another authority', { data: edited(data, 13, MALLORY.toBytes()) }),
    write('of no authority', { data: edited(data, 12, Uint8Array.of(0)) }),
  ]
}

const elsewhere = (state: AccountState | undefined): Change => ({
  what: 'elsewhere',
  meta: { pubkey: ELSEWHERE },
  write: [[ELSEWHERE, state ?? { owner: SYSTEM, data: Buffer.alloc(0), lamports: 1n }]],
})

/** The accounts of other markets that could be meant, by slot. */
const OTHERS: Readonly<Record<string, readonly (readonly [string, string])[]>> = Object.fromEntries(
  (
    [
      ['market', (id: string) => marketAt(id).market],
      ['to_market', (id: string) => marketAt(id).market],
      ['index', (id: string) => marketAt(id).index],
      ['to_index', (id: string) => marketAt(id).index],
      ['vault', (id: string) => marketAt(id).vault],
      ['to_vault', (id: string) => marketAt(id).vault],
      ['pt_mint', (id: string) => marketAt(id).ptMint],
    ] as const
  ).map(([slot, of]) => [slot, [LATER, WEEKLY].map(id => [id, of(id)] as const)]),
)
const OTHER_INDEX: Readonly<Record<string, string>> = {
  st_mint: indexAt('weekly').stMint,
  st_vault: indexAt('weekly').stVault,
}

/** Everything that is tried with one slot. */
const changesOf = ({ accounts }: Instruction, i: number, chain: LocalChain, keys: readonly Meta[]): Change[] => {
  const { name, check, writable, signer } = accounts[i]!
  const at = keys[i]!.pubkey
  const state = chain.account(at)
  const changes: Change[] = []
  if (signer) {
    changes.push({ what: 'not signed', meta: { isSigner: false } })
    changes.push({ what: 'another signer', meta: { pubkey: MALLORY } })
  }
  if (writable) changes.push({ what: 'read-only', meta: { isWritable: false } })
  if (check.kind === 'fixed' || check.kind === 'stored' || check.kind === 'new' || check.kind === 'own') {
    changes.push(elsewhere(state))
  }
  if ('account' in check && check.kind !== 'new' && check.account !== undefined && state !== undefined) {
    changes.push(...changesOfAccount(check.account, at, state))
  }
  if (check.kind === 'wallet') changes.push(...changesOfWallet(at, state!))
  if (check.kind === 'new') changes.push(...changesOfNew(at))
  if (check.kind === 'own') changes.push(...changesOfProgramData(at, state!))
  const others = [...(OTHERS[name] ?? []), ...(name in OTHER_INDEX ? [['weekly', OTHER_INDEX[name]!] as const] : [])]
  for (const [id, address] of others) {
    if (address !== at.toBase58()) changes.push({ what: `the one of ${id}`, meta: { pubkey: key(address) } })
  }
  accounts.forEach((other, j) => {
    if (j === i || !other.writable || keys[j]!.pubkey.equals(at)) return
    changes.push({ what: `the same as ${other.name}`, meta: { pubkey: keys[j]!.pubkey } })
  })
  return changes
}

// ---- what is expected ---------------------------------------------------------------------------------------------------

/**
 * What the instruction itself refuses once the checks let it begin: addresses that it derives, and who may. `undefined`: this is no
 * attack, because anyone may ask for it.
 */
const refusedInside = ({ name, accounts }: Instruction, slot: Slot, what: string): string | undefined => {
  if (slot.check.kind === 'new') return /^taken|^with data/.test(what) ? 'AlreadyInitialised' : 'WrongAddress'
  if (slot.check.kind === 'own') return PROGRAM_DATA[what] ?? 'WrongAddress'
  if (what === 'another signer') {
    if (FREE.test(`${name} ${slot.name} ${what}`)) return undefined
    // The owner is in the seeds of what is opened; whoever else signs is looked up in the config.
    return accounts.some(({ check }) => check.kind === 'new') && name !== 'init_config'
      ? 'WrongAddress'
      : 'Unauthorised'
  }
  return ANOTHER[name]
}

/** What a call comes to that names another market, or the other index, alone; everything else of it belongs together. */
const ANOTHER: Readonly<Record<string, string>> = {
  create_market: 'WrongAddress',
  init_tick_array: 'WrongAddress',
  open_account: 'WrongAddress',
  open_position: 'WrongAddress',
  finalise: 'BadParameter', // not a maturity of that index
  reduce_fund: 'NoPosition',
  apply_terms: 'ZeroAmount',
}
/** That the program reads of one instruction. */
const MOST_ACCOUNTS = 64
/** What anyone may ask for, so that it is no attack. */
const FREE =
  /^(init_index|init_tick_array) payer another signer$|^(pt_price|propose_terms|catch_up) market the one of JLP-2412$|^accrue index the one of JLP-2412-W$|^(transfer to|(liquidate|take_over|settle|fill_order|expire_order) account) another owner's$/

const ARRAYS_OF: Readonly<Record<string, readonly string[]>> = {
  roll: [marketAt(MARKET).market, marketAt(LATER).market],
}

const sizeOf = (type: Instruction['arguments'][number]['type']): number => {
  if (typeof type === 'object') return 1
  if (type === 'ChangeableTerms') return 14
  return type in ENUMS ? 1 : SIZES[type as keyof typeof SIZES]
}
const variantsOf = (type: Instruction['arguments'][number]['type']): number | undefined => {
  if (typeof type === 'object' || type === 'bool' || type === 'coupon_kind') return 2
  return type in ENUMS ? ENUMS[type as keyof typeof ENUMS].length : undefined
}

test('every instruction of the interface has a case', () => {
  expect(INSTRUCTION_NAMES).toEqual(INSTRUCTIONS.map(({ name }) => camel(name)))
})

describe.each(INSTRUCTION_NAMES)('%s', name => {
  let trial: Trial
  beforeAll(() => {
    trial = new Trial(caseOf(name))
  })
  afterEach(() => trial.restore())

  test('T113 T114 T115 T121: refuses every wrong account in every slot by name', () => {
    const { instruction, it } = trial
    const { chain, call } = it
    const reference = trial.reference()
    if (name !== 'ptPrice') expect([...reference]).not.toEqual([...trial.snapshot()])
    instruction.accounts.forEach((slot, i) => {
      let refused = 0
      for (const change of changesOf(instruction, i, chain, call.keys)) {
        for (const [at, to] of change.write ?? []) trial.write(at, to)
        const keys = call.keys.map((meta, j) => (j === i ? { ...meta, ...change.meta } : meta))
        const what = `${instruction.name} ${slot.name} ${change.what}`
        const wanted = refusalOf(instruction, brought(chain, keys)) ?? refusedInside(instruction, slot, change.what)
        expect([what, trial.attempt(withKeys(call, keys))]).toEqual([what, wanted])
        expect([what, wanted === undefined]).toEqual([what, FREE.test(what)])
        if (wanted !== undefined) refused++
        trial.restore()
      }
      expect([slot.name, refused > 0]).toEqual([slot.name, true])
    })
    expect(trial.reference()).toEqual(reference)
  })

  test('T114: with fewer accounts, and with more', () => {
    const { instruction, it } = trial
    const { call } = it
    const count = instruction.accounts.length
    for (let n = 0; n < count; n++) {
      expect(trial.attempt(withKeys(call, call.keys.slice(0, n)))).toBe('MissingAccount')
    }
    const reference = trial.reference()
    const more = (pubkey: PublicKey, isWritable = false) =>
      trial.attempt(withKeys(call, [...call.keys, { pubkey, isWritable, isSigner: false }]))
    // Where none may follow nobody looks at them: the call does what it does.
    const nobodys = more(MALLORY, true)
    if (instruction.rest === undefined) {
      expect(nobodys).toBeUndefined()
      expect(trial.snapshot()).toEqual(reference)
      trial.restore()
    } else {
      expect(nobodys).toBe('Uninitialised')
    }
    // But an account that is written must not come again among them.
    const written = instruction.accounts.findIndex(({ writable, check }) => writable && check.kind !== 'signer')
    if (written >= 0) expect(more(call.keys[written]!.pubkey, true)).toBe('SameAccount')
  })

  test('T128: reads its arguments to the last byte', () => {
    const { call } = trial.it
    const attempt = (data: Uint8Array) => trial.attempt(withData(call, data))
    for (let n = 8; n < call.data.length; n++) expect(attempt(call.data.subarray(0, n))).toBe('BadArguments')
    for (const more of [0, 1, 255]) expect(attempt(Buffer.from([...call.data, more]))).toBe('BadArguments')
    let at = 8
    for (const { name: what, type } of trial.instruction.arguments) {
      const variants = variantsOf(type)
      for (const odd of variants === undefined ? [] : [variants, variants + 1, 128, 255]) {
        expect([what, attempt(edited(call.data, at, Uint8Array.of(odd)))]).toEqual([what, 'BadArguments'])
      }
      // A value that is not there, or one behind a tag that says there is none.
      if (typeof type === 'object') {
        expect(attempt(edited(call.data, at, Uint8Array.of(1)))).toBe('BadArguments')
        expect(attempt(Buffer.concat([call.data, Buffer.alloc(16)]))).toBe('BadArguments')
      }
      at += sizeOf(type)
    }
    expect(at).toBe(call.data.length)
    // Another name, or none.
    for (let n = 0; n < 8; n++) {
      expect(attempt(call.data.subarray(0, n))).toBe('UnknownInstruction')
      expect(attempt(edited(call.data, n, Uint8Array.of(call.data[n]! ^ 1)))).toBe('UnknownInstruction')
    }
  })
})

describe('what follows the accounts', () => {
  const TRADES = INSTRUCTIONS.filter(({ rest }) => rest === 'tick arrays').map(
    ({ name }) => camel(name) as InstructionName,
  )

  test.each(TRADES)('T122: %s refuses every wrong tick array, and brings no more by more of them', name => {
    const trial = new Trial(caseOf(name), marketAt(MARKET).arrays.map(key))
    const { instruction, it } = trial
    const { chain, call } = it
    const count = instruction.accounts.length
    const [head, arrays] = [call.keys.slice(0, count), call.keys.slice(count)]
    expect(arrays.length).toBeGreaterThan(0)
    const markets = ARRAYS_OF[name] ?? [marketAt(MARKET).market]
    const reference = trial.reference()
    const attempt = (what: string, rest: readonly Meta[]): string | undefined => {
      const keys = [...head, ...rest]
      const given = brought(chain, keys)
      const wanted = refusalOf(instruction, given) ?? refusalOfArrays(markets, given.slice(count))
      const got = trial.attempt(withKeys(call, keys))
      if (wanted !== undefined) expect([name, what, got]).toEqual([name, what, wanted])
      else if (got === undefined) expect([name, what, trial.snapshot()]).toEqual([name, what, reference])
      else expect([name, what, got]).toEqual([name, what, 'MissingTickArray'])
      trial.restore()
      return got
    }
    let missing = 0
    arrays.forEach((array, i) => {
      const instead = (meta: Partial<Meta>): Meta[] => arrays.map((one, j) => (j === i ? { ...one, ...meta } : one))
      expect(attempt('read-only', instead({ isWritable: false }))).toBe('NotWritable')
      expect(attempt('twice', [...arrays, array])).toBe('SameAccount')
      const weekly = marketAt(WEEKLY).arrays.map(pubkey => ({ pubkey: key(pubkey) }))
      for (const foreign of weekly.slice(0, 5))
        expect(attempt('of another market', instead(foreign))).toBe('WrongMarket')
      for (const { pubkey, isWritable } of head) {
        if (isWritable) attempt('another account of the call', instead({ pubkey }))
      }
      for (const change of changesOfAccount('TickArray', array.pubkey, chain.account(array.pubkey)!)) {
        if (change.what === "another market's") continue // of a market of the call, for roll
        for (const [at, to] of change.write ?? []) trial.write(at, to)
        expect(attempt(change.what, arrays)).toBeDefined()
      }
      if (
        attempt(
          'left out',
          arrays.filter(one => one !== array),
        ) === 'MissingTickArray'
      )
        missing++
    })
    expect(missing).toBeGreaterThan(0)
    expect(attempt('all left out', [])).toBe('MissingTickArray')
    expect(attempt('the other way round', arrays.toReversed())).toBeUndefined()
    const known = new Set(arrays.map(({ pubkey }) => pubkey.toBase58()))
    const others = marketAt(MARKET).arrays.filter(address => !known.has(address))
    const more = others.map(address => ({ pubkey: key(address), isSigner: false, isWritable: true }))
    const room = MOST_ACCOUNTS - call.keys.length
    expect(attempt('as many as there may be', [...arrays, ...more.slice(0, room)])).toBeUndefined()
  })

  test('create_market: matured markets that follow', () => {
    const trial = new Trial(createAfter())
    const { instruction, it } = trial
    const { chain, call } = it
    trial.reference()
    const head = call.keys.slice(0, instruction.accounts.length)
    const [matured] = call.keys.slice(instruction.accounts.length)
    const attempt = (...rest: readonly Meta[]) => trial.attempt(withKeys(call, [...head, ...rest]))
    for (const change of changesOfAccount('Market', matured!.pubkey, chain.account(matured!.pubkey)!)) {
      for (const [at, to] of change.write ?? []) trial.write(at, to)
      const [{ owner, data } = { owner: SYSTEM, data: Buffer.alloc(0) }] = [chain.account(matured!.pubkey)]
      const [given] = brought(chain, [{ ...matured!, pubkey: matured!.pubkey }])
      const empty = data.length === 0 && !owner.equals(PROGRAM) ? 'Uninitialised' : undefined
      expect([change.what, attempt(matured!)]).toEqual([change.what, empty ?? refusalOfMarket(given!)])
      trial.restore()
    }
    const one = (id: string): Meta => ({ ...matured!, pubkey: key(marketAt(id).market) })
    expect(attempt(one(LATER))).toBe('NotMatured')
    expect(attempt(one(WEEKLY))).toBe('WrongMarket')
    expect(attempt({ ...matured!, pubkey: head[5]!.pubkey })).toBe('SameAccount')
    expect(attempt(matured!, matured!)).toBeUndefined() // it is forgotten once
  })
})
