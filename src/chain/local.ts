/**
 * A Solana of one process: LiteSVM with the program, the JLP mint and Jupiter's pool, which makes a slot every 400 ms. What LiteSVM does not
 * have is here: a queue of blockhashes, their expiry, transactions that come twice, what became of each, and state that outlives the process.
 *
 * The clock begins in recorded history, stands while the process does, and runs `speed` times as fast as ours; slots do not.
 */
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Keypair, PublicKey } from '@solana/web3.js'
import { Account, LiteSvm } from 'litesvm/dist/internal.js'
import { ADDRESSES } from '../client/generated/interface.ts'
import { decodeAddress, encodeAddress } from '../jupiter/base58.ts'
import { decodePool } from '../jupiter/decode.ts'
import { encodePool } from '../jupiter/encode.ts'
import type { PoolFacts } from '../jupiter/facts.ts'
import { dayNumber, type History, projectHistory, secondsOf } from '../oracle/index.ts'
import { RpcError } from './errors.ts'
import { RecordedJupiter } from './history.ts'
import { type Disk, Store, type StoredAccount, type StoredRecord } from './store.ts'
import { mintBytes, mintOf, tokenAccountOf, uiAmount } from './tokens.ts'
import {
  errorIn,
  feeOf,
  innerOf,
  type Keys,
  keysOf,
  metaIn,
  type Parsed,
  returnedBy,
  type TransactionError,
} from './transaction.ts'

export const SLOT_MILLISECONDS = 400
/** A blockhash is good for so many blocks. */
export const BLOCKHASHES = 150
/** So many slots later nothing is rolled back any more, on a cluster. */
export const FINALITY = 32
export const SLOTS_PER_EPOCH = 432_000
const FIRST_SLOT = 1000
/** Slots between two that are kept without a transaction; a chain that starts again begins as many later, so that none comes twice. */
const KEPT_SLOTS = 4
/** Slots, the last ones, whose times are known though nothing landed in them: an hour of ours. */
const KEPT_TIMES = 9000
/** Addresses of which one string is kept for all that name them. */
const MOST_ADDRESSES = 5000
/** Of a process that was suspended, so much time is made up for. */
const MOST_CATCH_UP = 25
const UPGRADEABLE_LOADER = 'BPFLoaderUpgradeab1e11111111111111111111111'
/** A Saturday of the recorded history, with a year and a half behind it. */
const FIRST_DAY = '2024-07-06'
/** JLP that others hold, atoms. */
const BASE_SUPPLY = 400_000_000_000_000n
/** Lamports; as JSON they are exact up to 9 * 10^15. */
const RICH = 5n * 10n ** 15n

export interface LocalSetting {
  /** The built program. */
  readonly elf: Uint8Array
  /** Names the chain: its genesis hash, blockhashes and keys follow from it. */
  readonly seed?: string
  /** Unix seconds when the chain's clock begins. */
  readonly start?: number
  /** Seconds of the chain's in one of ours. */
  readonly speed?: number
  readonly history?: History
  /** Where it is kept. Without one it is forgotten. */
  readonly directory?: string
  /** Transactions that are remembered, some 3 kB each, and 10 kB on the disk. */
  readonly keep?: number
  /** Bytes of a journal, from which on a snapshot begins a new one. */
  readonly journalBytes?: number
  /** Whatever writes there: another one for a disk that fails. */
  readonly disk?: Disk
}

/** A transaction that landed, whether it went through or not. */
export interface Landed {
  readonly signature: string
  readonly slot: number
  /** Unix seconds. */
  readonly time: number
  readonly err: TransactionError | null
  readonly version: 'legacy' | 0
  readonly keys: readonly string[]
  /** Base 64. */
  readonly wire: string
  readonly meta: Meta
}

/** One that is remembered: what is seldom asked for is packed, which takes a third of the memory. */
class Remembered implements Landed {
  readonly signature: string
  readonly slot: number
  readonly time: number
  readonly err: TransactionError | null
  readonly version: 'legacy' | 0
  readonly keys: readonly string[]
  readonly packed: Buffer

  /** `one`: the same string for the same address, wherever it comes from. */
  constructor({ signature, slot, time, err, version, keys, wire, meta }: Landed, one: (address: string) => string) {
    this.signature = signature
    this.slot = slot
    this.time = time
    this.err = err
    this.version = version
    this.keys = keys.map(one)
    // A copy, since zlib's own result holds on to its working memory of 16 kB.
    this.packed = Buffer.from(deflateRawSync(JSON.stringify({ wire, meta })))
  }

  get #rest(): Pick<Landed, 'wire' | 'meta'> {
    return JSON.parse(inflateRawSync(this.packed).toString('utf8'))
  }
  get wire(): string {
    return this.#rest.wire
  }
  get meta(): Meta {
    return this.#rest.meta
  }
}

export type Meta = ReturnType<LocalChain['metaOf']>

export interface AccountState {
  readonly owner: string
  readonly lamports: bigint
  readonly executable: boolean
  readonly data: Buffer
}

interface State {
  readonly format: 1
  readonly seed: string
  readonly start: number
  readonly slot: number
  /** Unix milliseconds of the chain's clock. */
  readonly clock: number
}
type Head = { readonly slot: number; readonly clock: number; readonly landed?: Landed }

export interface ChainEvents {
  readonly slot: [slot: number]
  /** A transaction that landed. */
  readonly transaction: [landed: Landed]
  /** An account that is not as it was. */
  readonly account: [address: string]
}

const bytesOf = (address: string): Uint8Array => decodeAddress(address)
const addressIn = (bytes: Uint8Array): string => encodeAddress(bytes)
const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

export class LocalChain extends EventEmitter<{ -readonly [K in keyof ChainEvents]: ChainEvents[K] }> {
  readonly seed: string
  readonly start: number
  readonly speed: number
  /** May set the program up and mints JLP: only on a local chain. */
  readonly operator: Keypair
  #svm = new LiteSvm()
  #slot = FIRST_SLOT
  #clock: number
  #jupiter: RecordedJupiter
  readonly #keep: number
  /** Slots by their hashes, the last 150. */
  readonly #hashes = new Map<string, number>()
  /** When slots were, unix seconds: as many as may be asked for. */
  readonly #times = new Map<number, number>()
  /** In the order they landed. */
  readonly #landed = new Map<string, Remembered>()
  readonly #addresses = new Map<string, string>()
  /** All accounts that were ever changed, as they are: the virtual machine would copy them at every look. */
  readonly #accounts = new Map<string, AccountState>()
  readonly #store: Store<State, Head> | undefined
  /** What was to be written last could not be. */
  #isUnwritten = false
  #isStopped = false
  #timer: NodeJS.Timeout | undefined
  #rents = new Map<number, number>()

  constructor(setting: LocalSetting) {
    super()
    this.setMaxListeners(0)
    const { elf, directory, keep = 2000, journalBytes, disk, speed = 1, history = projectHistory() } = setting
    const opened =
      directory === undefined
        ? undefined
        : Store.open<State, Head>(directory, {
            keep,
            counts: ({ landed }) => landed !== undefined,
            ...(journalBytes === undefined ? {} : { most: journalBytes }),
            ...(disk === undefined ? {} : { disk }),
          })
    this.#store = opened?.store
    const found = opened?.found
    const before = found?.snapshot?.head
    this.seed = before?.seed ?? setting.seed ?? 'sunder'
    this.start = before?.start ?? setting.start ?? secondsOf(dayNumber(FIRST_DAY)!)
    this.speed = speed
    this.#keep = keep
    this.#clock = this.start * 1000
    this.operator = Keypair.fromSeed(hash(`${this.seed} operator`))
    this.#svm.setTransactionHistory(0n)
    this.#svm.setBlockhashCheck(false)
    this.#svm.setLogBytesLimit(undefined)
    if (found?.snapshot === undefined) {
      this.#jupiter = RecordedJupiter.begin(history, this.start, FIRST_SLOT)
      this.#setTime()
      this.#deploy(elf)
      this.#genesis()
      this.#store?.snapshot(this.#state())
    } else {
      this.#restore(found.snapshot.head, [])
      this.#deploy(elf)
      const last = found.records.at(-1)?.head ?? found.snapshot.head
      this.#restore(
        last,
        [found.snapshot, ...found.records].flatMap(({ accounts }) => accounts),
      )
      for (const { head } of [...found.older, ...found.records])
        if (head.landed !== undefined) this.#remember(head.landed)
      const pool = this.account(ADDRESSES.jupiterPool)!
      this.#jupiter = RecordedJupiter.resume(history, decodePool({ ...pool, address: ADDRESSES.jupiterPool }))
      for (let slot = this.#slot - BLOCKHASHES; slot <= this.#slot; slot++) this.#hashes.set(this.hashOf(slot), slot)
      for (let slot = 0; slot < KEPT_SLOTS; slot++) this.nextSlot()
      return
    }
    this.#hashes.set(this.hashOf(this.#slot), this.#slot)
    this.#writeHashes()
  }

  // ---- making and restoring -------------------------------------------------------------------------------------------

  /** What the upgradeable loader leaves behind; it is no part of the state, so that a new build is an upgrade. */
  #deploy(elf: Uint8Array): void {
    const [programData] = PublicKey.findProgramAddressSync(
      [bytesOf(ADDRESSES.program)],
      new PublicKey(UPGRADEABLE_LOADER),
    )
    const head = Buffer.alloc(45) // u32 kind, u64 slot of deployment, Option<authority>
    head[0] = 3
    head.set([1, ...this.operator.publicKey.toBytes()], 12)
    const loader = { owner: UPGRADEABLE_LOADER, lamports: 10_000_000_000n }
    // In this order: the chain compiles the program with its own account.
    this.#write({ ...loader, address: programData.toBase58(), executable: false, data: Buffer.concat([head, elf]) })
    const program = Buffer.concat([Buffer.from([2, 0, 0, 0]), programData.toBytes()])
    this.#write({ ...loader, address: ADDRESSES.program, executable: true, data: program })
  }

  #genesis(): void {
    const { publicKey } = this.operator
    const plain = { executable: false, lamports: 10_000_000_000n }
    const mint = mintBytes(6, BASE_SUPPLY, publicKey)
    this.#put({ ...plain, address: ADDRESSES.jlpMint, owner: ADDRESSES.tokenProgram, data: mint })
    const system = { ...plain, owner: ADDRESSES.systemProgram, data: Buffer.alloc(0) }
    this.#put({ ...system, address: publicKey.toBase58(), lamports: RICH })
    this.#putPool()
  }

  #state(): StoredRecord<State> {
    const accounts = [...this.#accounts].map(([address, account]) => ({ address, ...account }))
    const { seed, start } = this
    return { head: { format: 1, seed, start, slot: this.#slot, clock: this.#clock }, accounts }
  }

  #restore({ slot, clock }: Pick<State, 'slot' | 'clock'>, accounts: readonly StoredAccount[]): void {
    this.#slot = slot
    this.#clock = clock
    this.#setTime()
    const last = new Map(accounts.map(account => [account.address, account]))
    for (const account of last.values()) this.#put(account)
  }

  #write({ address, owner, lamports, executable, data }: StoredAccount): void {
    this.#svm.setAccount(bytesOf(address), new Account(lamports, data, bytesOf(owner), executable, 0n))
  }

  /** As `#write`, of an account that is part of the state. */
  #put(account: StoredAccount): void {
    this.#write(account)
    this.#set(account.address, account)
  }

  #set(address: string, account: AccountState | undefined): void {
    if (account === undefined || account.lamports === 0n) {
      this.#accounts.delete(address)
      return
    }
    const { owner, lamports, executable, data } = account
    this.#accounts.set(address, { owner, lamports, executable, data })
  }

  #putPool(): void {
    const data = Buffer.from(encodePool(this.#jupiter.facts))
    const owner = ADDRESSES.jupiterProgram
    this.#put({ address: ADDRESSES.jupiterPool, owner, lamports: 20_000_000n, executable: false, data })
  }

  #remember(landed: Landed): void {
    // Most addresses of a transaction have come before.
    if (this.#addresses.size > MOST_ADDRESSES) this.#addresses.clear()
    const one = (address: string): string => {
      const known = this.#addresses.get(address)
      if (known === undefined) this.#addresses.set(address, address)
      return known ?? address
    }
    this.#landed.set(landed.signature, new Remembered(landed, one))
    while (this.#landed.size > this.#keep) this.#landed.delete(this.#landed.keys().next().value!)
  }

  // ---- time -----------------------------------------------------------------------------------------------------------

  get slot(): number {
    return this.#slot
  }

  /** Unix seconds by the chain's clock. */
  get now(): number {
    return Math.floor(this.#clock / 1000)
  }

  get pool(): PoolFacts {
    return this.#jupiter.facts
  }

  #setTime(): void {
    const clock = this.#svm.getClock()
    clock.slot = BigInt(this.#slot)
    clock.unixTimestamp = BigInt(this.now)
    clock.epoch = BigInt(Math.floor(this.#slot / SLOTS_PER_EPOCH))
    clock.leaderScheduleEpoch = clock.epoch + 1n
    clock.epochStartTimestamp = BigInt(this.start)
    this.#svm.setClock(clock)
  }

  /** The next slot, `milliseconds` later by the chain's clock. Where nothing can be written, time stands: else it would run back at the next start. */
  nextSlot(milliseconds = SLOT_MILLISECONDS * this.speed): void {
    if (this.isFailed && !this.#isStopped && !this.#keepMoment(true)) return
    this.#slot++
    this.#clock += milliseconds
    this.#setTime()
    this.#hashes.set(this.hashOf(this.#slot), this.#slot)
    this.#times.set(this.#slot, this.now)
    this.#times.delete(this.#slot - KEPT_TIMES)
    for (const [old, slot] of this.#hashes) {
      if (slot >= this.#slot - BLOCKHASHES) break
      this.#hashes.delete(old)
    }
    this.#writeHashes()
    const distributed = this.#jupiter.advance(this.now, this.#slot)
    this.#putPool()
    if (distributed || this.#slot % KEPT_SLOTS === 0) this.#keepMoment(distributed)
    this.emit('account', ADDRESSES.jupiterPool)
    this.emit('slot', this.#slot)
  }

  /** Writes where the chain is, with Jupiter's pool if that has changed by more than the moment. False if it cannot be written. */
  #keepMoment(withPool: boolean): boolean {
    const address = ADDRESSES.jupiterPool
    const accounts = withPool ? [{ address, ...this.account(address)! }] : []
    try {
      this.#store?.append({ head: { slot: this.#slot, clock: this.#clock }, accounts })
      this.#isUnwritten = false
    } catch {
      this.#isUnwritten = true
    }
    this.#snapshotIfFull()
    return !this.isFailed
  }

  #snapshotIfFull(): void {
    if (this.#store?.isFull !== true) return
    try {
      this.#store.snapshot(this.#state())
    } catch {
      // All is in the journal; if that cannot be written any more either, the store says so.
    }
  }

  /** Slots go on with time, until `stop`. */
  run(): void {
    let due = performance.now()
    this.#timer ??= setInterval(() => {
      const now = performance.now()
      due = Math.max(due, now - MOST_CATCH_UP * SLOT_MILLISECONDS)
      for (; due + SLOT_MILLISECONDS <= now; due += SLOT_MILLISECONDS) this.nextSlot()
    }, SLOT_MILLISECONDS / 4)
  }

  /** No further slots; what is kept is on the disk and closed. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#isStopped = true
    await this.#store?.close()
  }

  // ---- blockhashes ----------------------------------------------------------------------------------------------------

  /** The blockhash that a slot ends with. */
  hashOf(slot: number): string {
    return addressIn(hash(`${this.seed} ${this.start} slot ${slot}`))
  }

  get genesisHash(): string {
    return addressIn(hash(`${this.seed} ${this.start} genesis`))
  }

  /** Whether a transaction with it may land now. */
  isRecent(blockhash: string): boolean {
    return this.#hashes.has(blockhash)
  }

  /** What the sysvar has, for lookup tables that are made or closed. */
  #writeHashes(): void {
    const hashes = [...this.#hashes].map(([hash, slot]) => ({ slot: BigInt(slot), hash })).reverse()
    this.#svm.setSlotHashes(hashes)
  }

  // ---- reading --------------------------------------------------------------------------------------------------------

  account(address: string): AccountState | undefined {
    return this.#accounts.get(address) ?? this.#read(address)
  }

  /** As the virtual machine has it. */
  #read(address: string): AccountState | undefined {
    const found = this.#svm.getAccount(bytesOf(address))
    if (found === null || found.lamports() === 0n) return undefined
    return {
      owner: addressIn(found.owner()),
      lamports: found.lamports(),
      executable: found.executable(),
      data: Buffer.from(found.data()),
    }
  }

  /** All accounts of a program that were ever changed, in the order of their addresses. */
  accountsOf(program: string): { readonly address: string; readonly account: AccountState }[] {
    const found: { readonly address: string; readonly account: AccountState }[] = []
    for (const [address, account] of this.#accounts) if (account.owner === program) found.push({ address, account })
    return found.sort((a, b) => (a.address < b.address ? -1 : 1))
  }

  /** Lamports that an account of so many bytes must have. */
  rent(bytes: number): number {
    const known = this.#rents.get(bytes) ?? Number(this.#svm.minimumBalanceForRentExemption(BigInt(bytes)))
    this.#rents.set(bytes, known)
    return known
  }

  /** The first slot of which all that landed is remembered. */
  get firstSlot(): number {
    const [first] = this.#landed.values()
    // Of the slot of the first one, others may be forgotten.
    return this.#landed.size < this.#keep || first === undefined ? FIRST_SLOT : first.slot + 1
  }

  /** Unix seconds; undefined where only something before or behind is known. */
  timeOf(slot: number): number | undefined {
    if (slot === this.#slot) return this.now
    const known = this.#times.get(slot)
    if (known !== undefined) return known
    for (const landed of this.#landed.values()) if (landed.slot === slot) return landed.time
    return undefined
  }

  /** How many landed ones are remembered. */
  get count(): number {
    return this.#landed.size
  }

  landed(signature: string): Landed | undefined {
    return this.#landed.get(signature)
  }

  /** All that are remembered, the oldest first. */
  history(): IterableIterator<Landed> {
    return this.#landed.values()
  }

  keysOf(parsed: Parsed): Keys {
    return keysOf(parsed.message, key => this.account(key.toBase58())?.data)
  }

  // ---- transactions ---------------------------------------------------------------------------------------------------

  /** Why a transaction cannot even be tried. */
  #refusal({ blockhash, signature }: Parsed): TransactionError | undefined {
    if (this.#landed.has(signature)) return 'AlreadyProcessed'
    return this.isRecent(blockhash) ? undefined : 'BlockhashNotFound'
  }

  /** What would become of it. Nothing is changed. */
  simulate(
    parsed: Parsed,
    { sigVerify, anyBlockhash }: { readonly sigVerify: boolean; readonly anyBlockhash: boolean },
  ) {
    const refused = anyBlockhash ? undefined : this.#refusal(parsed)
    if (refused !== undefined)
      return { err: refused, logs: [], units: 0, inner: [], returned: undefined, after: () => undefined }
    this.#svm.setSigverify(sigVerify)
    const result = this.#svm.simulateVersionedTransaction(parsed.wire)
    this.#svm.setSigverify(true)
    const meta = metaIn(result)
    /** Accounts as they would be: copies that few ask for. */
    const after = () =>
      'postAccounts' in result
        ? new Map(result.postAccounts().map(found => [addressIn(found.address), found.account()]))
        : undefined
    return {
      err: errorIn(result),
      logs: meta.logs(),
      units: Number(meta.computeUnitsConsumed()),
      inner: innerOf(meta),
      returned: returnedBy(meta),
      after,
    }
  }

  #tokenBalances(accounts: readonly (AccountState | undefined)[]) {
    return accounts.flatMap((account, accountIndex) => {
      const held = account === undefined ? undefined : tokenAccountOf(account)
      if (account === undefined || held === undefined) return []
      const mint = this.account(held.mint)
      const decimals = mint === undefined ? 0 : (mintOf(mint)?.decimals ?? 0)
      const { mint: of, owner, amount } = held
      return [{ accountIndex, mint: of, owner, programId: account.owner, uiTokenAmount: uiAmount(amount, decimals) }]
    })
  }

  /** As nodes write it. */
  metaOf(parsed: Parsed, keys: Keys, result: ReturnType<LiteSvm['sendVersionedTransaction']>, sides: Sides) {
    const meta = metaIn(result)
    const err = errorIn(result) ?? null
    const returnData = returnedBy(meta)
    const lamports = (accounts: Sides['before']) => accounts.map(account => Number(account?.lamports ?? 0n))
    return {
      err,
      status: err === null ? { Ok: null } : { Err: err },
      fee: feeOf(parsed.message),
      preBalances: lamports(sides.before),
      postBalances: lamports(sides.after),
      innerInstructions: innerOf(meta),
      logMessages: meta.logs(),
      preTokenBalances: sides.tokensBefore,
      postTokenBalances: this.#tokenBalances(sides.after),
      rewards: [],
      loadedAddresses: keys.loaded,
      computeUnitsConsumed: Number(meta.computeUnitsConsumed()),
      ...(returnData === undefined ? {} : { returnData }),
    }
  }

  /** Runs a transaction. Undefined: it landed; else why it did not, without a trace. `flush` says when it is kept. */
  process(parsed: Parsed): TransactionError | undefined {
    if (this.isFailed) throw unwell()
    const refused = this.#refusal(parsed)
    if (refused !== undefined) return refused
    const keys = this.keysOf(parsed)
    const before = keys.all.map(address => this.account(address))
    const tokensBefore = this.#tokenBalances(before)
    const result = this.#svm.sendVersionedTransaction(parsed.wire)
    const after = keys.all.map((address, at) => (keys.isWritable(at) ? this.#read(address) : before[at]))
    const err = errorIn(result)
    // Whatever lands pays its fee.
    if (err !== undefined && after[0]?.lamports === before[0]?.lamports) return err
    const changed = keys.all.filter((_, at) => keys.isWritable(at) && !same(before[at], after[at]))
    const landed: Landed = {
      signature: parsed.signature,
      slot: this.#slot,
      time: this.now,
      err: err ?? null,
      version: parsed.version,
      keys: keys.all,
      wire: parsed.wire.toString('base64'),
      meta: this.metaOf(parsed, keys, result, { before, after, tokensBefore }),
    }
    const none = { owner: ADDRESSES.systemProgram, lamports: 0n, executable: false, data: Buffer.alloc(0) }
    const side = (accounts: Sides['before']) =>
      changed.map(address => ({ address, ...(accounts[keys.all.indexOf(address)] ?? none) }))
    try {
      this.#store?.append({ head: { slot: this.#slot, clock: this.#clock, landed }, accounts: side(after) })
    } catch {
      this.#isUnwritten = true
      for (const account of side(before)) this.#write(account) // as if it had not been
      throw unwell()
    }
    for (const account of side(after)) this.#set(account.address, account)
    this.#remember(landed)
    this.#snapshotIfFull()
    for (const address of changed) this.emit('account', address)
    // Nobody is told of what may yet be lost.
    void this.flush().then(
      () => this.emit('transaction', landed),
      () => undefined,
    )
    return undefined
  }

  /** Nothing can be written now: nothing lands and time stands, but what is there can be read. */
  get isFailed(): boolean {
    return this.#isUnwritten || this.#store?.isFailed === true
  }

  /** When all transactions up to now are on the disk. */
  async flush(): Promise<void> {
    await this.#store?.flush()
  }

  /** A hash over all accounts that ever changed, the slot and the time: two chains that are equal have the same. */
  digest(): string {
    const all = createHash('sha256').update(`${this.genesisHash} ${this.#slot} ${this.#clock}`)
    for (const [address, account] of [...this.#accounts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { owner, lamports, executable, data } = account
      all.update(`${address} ${owner} ${lamports} ${executable} ${data.length} `).update(data)
    }
    return all.digest('hex')
  }
}

const unwell = (): RpcError => new RpcError('unhealthy', 'The chain cannot be written now, and can only be read')

interface Sides {
  readonly before: readonly (AccountState | undefined)[]
  readonly after: readonly (AccountState | undefined)[]
  readonly tokensBefore: readonly unknown[]
}

const same = (a: AccountState | undefined, b: AccountState | undefined): boolean =>
  a === b ||
  (a !== undefined && b !== undefined && a.lamports === b.lamports && a.owner === b.owner && a.data.equals(b.data))
