/** A Solana of one process (LiteSVM), spoken to with web3.js: what the tests of the built programs need of it. */
import {
  type AddressLookupTableAccount,
  ComputeBudgetProgram,
  Keypair,
  PublicKey,
  SYSVAR_CLOCK_PUBKEY,
  SYSVAR_RENT_PUBKEY,
  SystemProgram,
  Transaction,
  TransactionInstruction,
} from '@solana/web3.js'
// The class behind litesvm's own: keys and transactions are bytes there, which is 15 times faster for reading an account.
import { Account, FailedTransactionMetadata, LiteSvm } from 'litesvm/dist/internal.js'

export const UPGRADEABLE_LOADER = new PublicKey('BPFLoaderUpgradeab1e11111111111111111111111')
const MOST_UNITS = 1_400_000

export interface Given {
  readonly key: PublicKey
  readonly writable?: boolean
  readonly signer?: boolean
}

export interface AccountState {
  readonly owner: PublicKey
  readonly data: Buffer
  readonly lamports: bigint
}

/** A transaction without signatures, which are 64 zeros each. */
export interface Unsigned {
  readonly bytes: Buffer
  /** As instructions number them: its own, then writable and then readonly ones out of tables. */
  readonly keys: readonly PublicKey[]
}

/** A count in front of a list: 7 bits a byte. No list of a transaction has 2^14. */
const compact = (count: number): readonly number[] => (count < 0x80 ? [count] : [(count & 0x7f) | 0x80, count >> 7])

const list = (items: Uint8Array | readonly number[]): Buffer => Buffer.from([...compact(items.length), ...items])

/**
 * A legacy transaction, or one of version 0 if there are lookup tables. For the many that tests send: web3.js takes up to 1 ms
 * for what this does in 0.05; test/programs/harness.test.ts compares the two. Any blockhash will do where none is checked.
 */
export const unsigned = (
  payer: PublicKey,
  instructions: readonly TransactionInstruction[],
  tables?: readonly AddressLookupTableAccount[],
): Unsigned => {
  // By the bytes as text. `own`: it signs or is called, and a table cannot stand for it.
  const found = new Map<string, { key: PublicKey; bytes: Uint8Array; signs: boolean; writes: boolean; own: boolean }>()
  const note = (key: PublicKey, signs: boolean, writes: boolean, own: boolean): string => {
    const bytes = key.toBytes()
    const name = Buffer.from(bytes).toString('latin1')
    const known = found.get(name)
    if (known === undefined) found.set(name, { key, bytes, signs, writes, own })
    else {
      known.signs ||= signs
      known.writes ||= writes
      known.own ||= own
    }
    return name
  }
  note(payer, true, true, true)
  const calls = instructions.map(({ programId, keys, data }) => ({
    program: note(programId, false, false, true),
    accounts: keys.map(({ pubkey, isSigner, isWritable }) => note(pubkey, isSigner, isWritable, isSigner)),
    data,
  }))
  const places = new Map<string, { table: number; place: number }>()
  tables?.forEach(({ state }, table) => {
    state.addresses.forEach((address, place) => {
      const name = Buffer.from(address.toBytes()).toString('latin1')
      if (found.get(name)?.own === false && !places.has(name)) places.set(name, { table, place })
    })
  })
  const entries = [...found]
  const pick = (signs: boolean, writes: boolean) =>
    entries.filter(([name, key]) => !places.has(name) && key.signs === signs && key.writes === writes)
  const groups = [pick(true, true), pick(true, false), pick(false, true), pick(false, false)] as const
  const own = groups.flat()
  const looked = (tables ?? []).map(({ key }, table) => {
    const of = (writes: boolean) =>
      entries.filter(([name, entry]) => places.get(name)?.table === table && entry.writes === writes)
    return { key, writable: of(true), readonly: of(false) }
  })
  const all = [...own, ...looked.flatMap(({ writable }) => writable), ...looked.flatMap(({ readonly }) => readonly)]
  const numbers = new Map(all.map(([name], number) => [name, number]))
  const signers = groups[0].length + groups[1].length
  const placesOf = (keys: typeof entries) => list(keys.map(([name]) => places.get(name)!.place))
  const used = looked.filter(({ writable, readonly }) => writable.length + readonly.length > 0)
  const bytes = Buffer.concat([
    Buffer.from(compact(signers)),
    Buffer.alloc(64 * signers),
    Buffer.from(tables === undefined ? [] : [0x80]),
    Buffer.from([signers, groups[1].length, groups[3].length]),
    Buffer.from(compact(own.length)),
    ...own.map(([, { bytes }]) => bytes),
    Buffer.alloc(32), // blockhash
    Buffer.from(compact(calls.length)),
    ...calls.flatMap(({ program, accounts, data }) => [
      Buffer.from([numbers.get(program)!]),
      list(accounts.map(name => numbers.get(name)!)),
      list(data),
    ]),
    ...(tables === undefined ? [] : [Buffer.from(compact(used.length))]),
    ...used.flatMap(({ key, writable, readonly }) => [key.toBytes(), placesOf(writable), placesOf(readonly)]),
  ])
  return { bytes, keys: all.map(([, { key }]) => key) }
}

export interface Outcome {
  /** Undefined if the transaction went through; else what the chain says about it. */
  readonly error: string | undefined
  readonly logs: readonly string[]
  /** Compute units of the last instruction alone. */
  readonly units: number
  /** Return data. Zeros at its end are cut off. */
  readonly returned: Buffer
}

const keypairs = new Map<string, Keypair>()

/** The same key in every run: how many tries a derived address takes depends on it. Names that repeat are one: a, aa. */
export const keyOf = (name: string): Keypair => {
  const known = keypairs.get(name) ?? Keypair.fromSeed(Buffer.alloc(32, name))
  keypairs.set(name, known)
  return known
}

/** What is on a chain. Nothing is kept of a transaction, so that the same one can be sent twice. */
export class Ledger {
  readonly svm = new LiteSvm()

  constructor() {
    this.svm.setTransactionHistory(0n)
  }

  setAccount(key: PublicKey, owner: PublicKey, data: Uint8Array, lamports = 5_000_000_000n, executable = false): void {
    this.svm.setAccount(key.toBytes(), new Account(lamports, data, owner.toBytes(), executable, 0n))
  }

  dataOf(key: PublicKey): Buffer | undefined {
    const account = this.svm.getAccount(key.toBytes())
    return account === null ? undefined : Buffer.from(account.data())
  }

  lamportsOf(key: PublicKey): bigint {
    return this.svm.getBalance(key.toBytes()) ?? 0n
  }

  account(key: PublicKey): AccountState | undefined {
    const found = this.svm.getAccount(key.toBytes())
    if (found === null || found.lamports() === 0n) return undefined
    return { owner: new PublicKey(found.owner()), data: Buffer.from(found.data()), lamports: found.lamports() }
  }

  /** As `account`, but there has to be one. */
  existing(key: PublicKey): AccountState {
    const found = this.account(key)
    if (found === undefined) throw new Error(`There is no account ${key.toBase58()}`)
    return found
  }

  /** New bytes for an account, made from a copy of the old. */
  edit(key: PublicKey, change: (data: Buffer) => Uint8Array): void {
    const { owner, data, lamports } = this.existing(key)
    this.setAccount(key, owner, change(data), lamports)
  }

  close(key: PublicKey): void {
    this.setAccount(key, SystemProgram.programId, new Uint8Array(), 0n)
  }

  /** A person's key, the same in every run, with lamports to spend. */
  wallet(name: string, lamports = 10n ** 12n): PublicKey {
    const { publicKey } = keyOf(name)
    this.setAccount(publicKey, SystemProgram.programId, new Uint8Array(), lamports)
    return publicKey
  }

  /** Owner, lamports and bytes as text by address: two are `toEqual` if nothing of these accounts has changed. */
  snapshot(keys: readonly PublicKey[]): ReadonlyMap<string, string | undefined> {
    const text = (state: AccountState | undefined) =>
      state && `${state.owner.toBase58()} ${state.lamports} ${state.data.toString('hex')}`
    return new Map(keys.map(key => [key.toBase58(), text(this.account(key))]))
  }
}

export class Chain extends Ledger {
  readonly payer = keyOf('payer')

  constructor() {
    super()
    this.svm.airdrop(this.payer.publicKey.toBytes(), 10n ** 12n)
  }

  /** As if deployed long ago. Checks less than a deployment does. */
  load(name: string, elf: Uint8Array, publicKey = keyOf(name).publicKey): PublicKey {
    this.svm.addProgram(publicKey.toBytes(), elf)
    return publicKey
  }

  call(program: PublicKey, data: Uint8Array, accounts: readonly Given[] = []): Outcome {
    const keys = accounts.map(({ key, writable = false, signer = false }) => ({
      pubkey: key,
      isWritable: writable,
      isSigner: signer,
    }))
    return this.send(new TransactionInstruction({ programId: program, keys, data: Buffer.from(data) }))
  }

  send(instruction: TransactionInstruction): Outcome {
    const transaction = new Transaction()
    transaction.recentBlockhash = this.svm.latestBlockhash()
    transaction.feePayer = this.payer.publicKey
    transaction.add(ComputeBudgetProgram.setComputeUnitLimit({ units: MOST_UNITS }), instruction)
    transaction.sign(this.payer)
    const result = this.svm.sendLegacyTransaction(transaction.serialize())
    const failed = result instanceof FailedTransactionMetadata
    const meta = failed ? result.meta() : result
    const used = meta.logs().flatMap(line => /consumed (\d+) of \d+ compute units/.exec(line)?.[1] ?? [])
    return {
      error: failed ? result.toString() : undefined,
      logs: meta.logs(),
      units: Number(used.at(-1) ?? 0),
      returned: Buffer.from(meta.returnData().data()),
    }
  }

  /** A real deployment: bytes in a buffer account, and the loader, which checks everything it checks on a cluster. */
  deploy(name: string, elf: Uint8Array, program = keyOf(name).publicKey): { program: PublicKey; outcome: Outcome } {
    const buffer = keyOf(`${name} buffer`).publicKey
    const payer = this.payer.publicKey
    const [programData] = PublicKey.findProgramAddressSync([program.toBuffer()], UPGRADEABLE_LOADER)
    const head = Buffer.concat([Buffer.from([1, 0, 0, 0, 1]), payer.toBuffer()]) // a buffer, and who may deploy from it
    this.setAccount(program, UPGRADEABLE_LOADER, Buffer.alloc(36))
    this.setAccount(buffer, UPGRADEABLE_LOADER, Buffer.concat([head, elf]))
    const data = Buffer.alloc(12)
    data.writeUInt32LE(2, 0) // DeployWithMaxDataLen
    data.writeBigUInt64LE(BigInt(elf.length), 4)
    const outcome = this.call(UPGRADEABLE_LOADER, data, [
      { key: payer, signer: true, writable: true },
      { key: programData, writable: true },
      { key: program, writable: true },
      { key: buffer, writable: true },
      { key: SYSVAR_RENT_PUBKEY },
      { key: SYSVAR_CLOCK_PUBKEY },
      { key: SystemProgram.programId },
      { key: payer, signer: true },
    ])
    this.svm.warpToSlot(this.svm.getClock().slot + 5n) // callable from the next slot on
    this.svm.expireBlockhash()
    return { program, outcome }
  }
}
