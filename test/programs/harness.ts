/**
 * The chain that the program's tests run on: LiteSVM with the program as the upgradeable loader would have it, the JLP mint,
 * Jupiter's pool account, and a clock that is moved by hand. All but transactions is done by writing account bytes, and
 * transactions need no signatures: who signs is in a message's header, so that a missing signer is still one.
 *
 * A chain takes 20 to 35 ms to make, a transaction 0.1 ms (0.3 with a lookup table) besides what its instructions take to run,
 * reading an account 10 us, deriving a token account's address 0.1 ms a bump.
 */
import {
  AddressLookupTableAccount,
  AddressLookupTableProgram,
  ComputeBudgetProgram,
  type Keypair,
  PublicKey,
  type TransactionInstruction,
  VersionedTransaction,
} from '@solana/web3.js'
import { FailedTransactionMetadata, type TransactionMetadata } from 'litesvm/dist/internal.js'
import { encodePool, JLP_MINT, PERPETUALS_PROGRAM, POOL_ADDRESS, type PoolFacts } from '../../src/jupiter/index.ts'
import { type Plain, restate } from '../../src/jupiter/recorded/restate.ts'
import { POOL_2026 } from '../jupiter/fixtures/index.ts'
import { keyOf, UPGRADEABLE_LOADER, unsigned } from './build-chain.ts'
import { ata, TokenLedger } from './tokens.ts'

export const JLP = new PublicKey(JLP_MINT)
export const POOL = new PublicKey(POOL_ADDRESS)
export const PERPETUALS = new PublicKey(PERPETUALS_PROGRAM)

const MOST_UNITS = 1_400_000
/** Instructions that `send` puts in front of those that it is given. */
const BEFORE = 1
/** What a cluster takes; a larger legacy transaction is sent with a lookup table. */
const PACKET_BYTES = 1232
const WEEK = 604_800
const SLOTS_PER_EPOCH = 432_000n
const U64_MAX = (1n << 64n) - 1n

export interface Setting {
  readonly programId: PublicKey
  readonly elf: Uint8Array
  /** Undefined: nobody may upgrade it. */
  readonly upgradeAuthority?: PublicKey | undefined
  /** Unix seconds. By default when Jupiter's pool was recorded, 24 September 2026. */
  readonly now?: number
  /** JLP that others hold, atoms. */
  readonly baseSupply?: bigint
  /** Whether signatures are needed and checked: then `send` wants `signers`. */
  readonly sigverify?: boolean
}

/** What may be set of the pool's account, in plain numbers. */
export type PoolChange = Partial<Omit<Plain<PoolFacts>, 'poolApr'>> & {
  readonly poolApr?: Partial<Plain<PoolFacts['poolApr']>>
}

export interface SendOptions {
  /** Pays the fee; `chain.payer` by default. */
  readonly payer?: PublicKey
  /** Makes it a v0 transaction. Without them one is made with a table of its own if it does not fit otherwise. */
  readonly lookupTables?: readonly AddressLookupTableAccount[]
  /** Limit of compute units. */
  readonly units?: number
  /** Only for a chain with `sigverify`. */
  readonly signers?: readonly Keypair[]
}

export interface Failure {
  /** A program's own error number. */
  readonly code: number | undefined
  /** Which of the instructions; undefined if the transaction as such was refused. */
  readonly instruction: number | undefined
  /** `Custom(6000)`, `MissingRequiredSignature` */
  readonly text: string
}

export interface InnerCall {
  readonly programId: string
  readonly data: Buffer
}

export interface Outcome {
  readonly ok: boolean
  readonly error: Failure | undefined
  readonly logs: readonly string[]
  /** Compute units of the whole transaction, 150 of them for setting their limit. */
  readonly units: number
  /** Those of each instruction that ran; 0 for programs that are built in (System, lookup tables). */
  readonly unitsOf: readonly number[]
  /** Return data of the last instruction. */
  readonly returned: Buffer
  /** Calls to other programs, events among them, of each instruction that ran, in the order they were made. */
  readonly inner: readonly (readonly InnerCall[])[]
  /** Bytes of the transaction, signatures included. */
  readonly size: number
}

const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

const ID = '[1-9A-HJ-NP-Za-km-z]{32,44}'
const INVOKED = new RegExp(`^Program ${ID} invoke \\[(\\d+)\\]$`)
const CONSUMED = new RegExp(`^Program ${ID} consumed (\\d+) of \\d+ compute units$`)
const ENDED = new RegExp(`^Program ${ID} (?:success$|failed: )`)

const unitsFrom = (logs: readonly string[]): number[] => {
  const units: number[] = []
  let depth = 0
  for (const line of logs) {
    if (INVOKED.test(line) && ++depth === 1) units.push(0)
    const used = CONSUMED.exec(line)?.[1]
    if (used !== undefined && depth === 1) units[units.length - 1] = Number(used)
    if (ENDED.test(line)) depth--
  }
  return units
}

const failureOf = (result: FailedTransactionMetadata): Failure => {
  const text = /err: (.*?), meta: /s.exec(result.toString())?.[1] ?? result.toString()
  const [, at, why] = /^InstructionError\((\d+), (.*)\)$/s.exec(text) ?? []
  if (at === undefined || why === undefined) return { code: undefined, instruction: undefined, text }
  const code = /^Custom\((\d+)\)$/.exec(why)?.[1]
  return { code: code === undefined ? undefined : Number(code), instruction: Number(at) - BEFORE, text: why }
}

const signed = (bytes: Uint8Array, signers: readonly Keypair[]): Uint8Array => {
  const transaction = VersionedTransaction.deserialize(bytes)
  transaction.sign([...signers])
  return transaction.serialize()
}

const innerOf = (meta: TransactionMetadata, keys: readonly PublicKey[]): InnerCall[][] =>
  meta.innerInstructions().map(calls =>
    calls.map(call => {
      const instruction = call.instruction()
      const programId = keys[instruction.programIdIndex()]!.toBase58()
      return { programId, data: Buffer.from(instruction.data()) }
    }),
  )

export class LocalChain extends TokenLedger {
  readonly programId: PublicKey
  /** Pays for transactions by default, and has 1,000 SOL. */
  readonly payer: PublicKey
  /** As last set; what `setPoolBytes` wrote is not looked at. */
  #pool: PoolFacts = POOL_2026.facts
  readonly #sigverify: boolean
  readonly #tables = new Map<string, AddressLookupTableAccount>()

  constructor(setting: Setting) {
    super()
    const { programId, elf, upgradeAuthority, now, baseSupply = 400_000_000_000_000n, sigverify = false } = setting
    this.programId = programId
    this.#sigverify = sigverify
    this.svm.setSigverify(sigverify)
    this.svm.setBlockhashCheck(false)
    this.svm.setLogBytesLimit(undefined) // else units of an instruction could be cut off
    this.#deploy(elf, upgradeAuthority)
    this.payer = this.wallet('payer')
    this.setTime(now ?? Number(POOL_2026.facts.aumUsdUpdatedAt))
    this.createMint(JLP, { supply: baseSupply })
    // Jupiter's last weekly update before now: they came at this second of the week.
    const recorded = Number(POOL_2026.facts.poolApr.lastUpdated)
    const lastUpdated = recorded + Math.floor((this.now - recorded) / WEEK) * WEEK
    this.setPool({ poolApr: { lastUpdated: BigInt(lastUpdated) }, aumUsdUpdatedAt: BigInt(this.now) })
  }

  /** What the upgradeable loader leaves behind. The order matters: the chain compiles the program with its own account. */
  #deploy(elf: Uint8Array, authority: PublicKey | undefined): void {
    const programData = this.programData
    const head = Buffer.alloc(45) // u32 kind, u64 slot of deployment, Option<authority>: as long without one
    head[0] = 3
    if (authority !== undefined) head.set([1, ...authority.toBytes()], 12)
    this.setAccount(programData, UPGRADEABLE_LOADER, Buffer.concat([head, elf]))
    const program = Buffer.concat([Buffer.from([2, 0, 0, 0]), programData.toBytes()])
    this.setAccount(this.programId, UPGRADEABLE_LOADER, program, undefined, true)
  }

  /** The account that says who may upgrade the program. */
  get programData(): PublicKey {
    return PublicKey.findProgramAddressSync([this.programId.toBytes()], UPGRADEABLE_LOADER)[0]
  }

  // ---- clock ----------------------------------------------------------------------------------------------------------

  /** Unix seconds. */
  get now(): number {
    return Number(this.svm.getClock().unixTimestamp)
  }

  /** Slots go on by 2.5 a second and at least by one, also if the time goes back. */
  setTime(unixSeconds: number): void {
    const clock = this.svm.getClock()
    const passed = unixSeconds - Number(clock.unixTimestamp)
    // The chain begins at time 0: the way from there to the first time that is set is none that slots were made in.
    const slots = clock.unixTimestamp === 0n ? 1 : Math.max(1, Math.floor(passed * 2.5))
    clock.slot += BigInt(slots)
    clock.unixTimestamp = BigInt(unixSeconds)
    clock.epoch = clock.slot / SLOTS_PER_EPOCH
    clock.leaderScheduleEpoch = clock.epoch + 1n
    clock.epochStartTimestamp = clock.unixTimestamp - ((clock.slot % SLOTS_PER_EPOCH) * 2n) / 5n
    this.svm.setClock(clock)
  }

  pass(seconds: number): void {
    this.setTime(this.now + seconds)
  }

  // ---- JLP: atoms -----------------------------------------------------------------------------------------------------

  /** To the owner's associated account, which is made if there is none. */
  giveJlp(owner: PublicKey, atoms: bigint): PublicKey {
    const key = ata(JLP, owner)
    if (this.account(key) === undefined) this.createTokenAccount(JLP, owner)
    this.setTokenAmount(key, this.tokenAmount(key) + atoms)
    return key
  }

  /** Of the whole, whoever holds it. */
  setJlpSupply(atoms: bigint): void {
    this.setMintSupply(JLP, atoms)
  }

  // ---- Jupiter --------------------------------------------------------------------------------------------------------

  pool(): PoolFacts {
    return this.#pool
  }

  /** Writes Jupiter's pool account: what it was, but for what is given. */
  setPool({ poolApr, ...given }: PoolChange): void {
    const before: Plain<PoolFacts> = this.#pool
    this.#pool = restate<PoolFacts>({ ...before, ...given, poolApr: { ...before.poolApr, ...poolApr } })
    this.setPoolBytes(encodePool(this.#pool))
  }

  /** Anything at all at the pool's address. */
  setPoolBytes(bytes: Uint8Array, owner = PERPETUALS): void {
    this.setAccount(POOL, owner, bytes)
  }

  /** Somebody refreshed the pool: its AUM is of now. 10^-6 USD. */
  refresh(aumUsd: bigint = this.#pool.aumUsd, poolApr: PoolChange['poolApr'] = {}): void {
    const { slot } = this.svm.getClock()
    this.setPool({ aumUsd, aumUsdUpdatedAt: BigInt(this.now), aumUsdRefreshedAtSlot: slot, poolApr })
  }

  /** An hour's distribution: that much more in fees was realised this week. Refreshes the pool. 10^-6 USD. */
  distribute(fees: bigint, aumUsd?: bigint): void {
    this.refresh(aumUsd, { realizedFeeUsd: this.#pool.poolApr.realizedFeeUsd + fees })
  }

  /** The weekly update, by default now: the APR of the week that ends, and what is already realised of the new one. */
  publish(feeAprBps: bigint, lastUpdated: number = this.now, realizedFeeUsd = 0n): void {
    this.refresh(undefined, { feeAprBps, lastUpdated: BigInt(lastUpdated), realizedFeeUsd })
  }

  // ---- transactions ---------------------------------------------------------------------------------------------------

  /** A table that is already active, for v0 transactions. At most 256 addresses. */
  lookupTable(addresses: readonly PublicKey[]): AddressLookupTableAccount {
    const bytes = Buffer.concat(addresses.map(address => address.toBytes()))
    const name = bytes.toString('latin1')
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    const { publicKey: key } = keyOf(`lookup table ${this.#tables.size}`)
    // u32 kind, u64 slot of deactivation, u64 slot and u8 place of the last extension, no authority
    const head = Buffer.concat([Buffer.from([1, 0, 0, 0]), u64(U64_MAX), Buffer.alloc(44)])
    this.setAccount(key, AddressLookupTableProgram.programId, Buffer.concat([head, bytes]))
    const state = { deactivationSlot: U64_MAX, lastExtendedSlot: 0, lastExtendedSlotStartIndex: 0 }
    const table = new AddressLookupTableAccount({ key, state: { ...state, addresses: [...addresses] } })
    this.#tables.set(name, table)
    return table
  }

  /**
   * The same transaction may be sent any number of times. Instructions are counted as given. Throws if it has more bytes than
   * a cluster would take, with a lookup table for all that one can hold.
   */
  send(given: TransactionInstruction | readonly TransactionInstruction[], options: SendOptions = {}): Outcome {
    const { payer = this.payer, units = MOST_UNITS, lookupTables, signers = [] } = options
    // The limit in front, as clients do it: behind them it would clear what the last instruction returned.
    const limit = ComputeBudgetProgram.setComputeUnitLimit({ units })
    const instructions = [limit, ...[given].flat()] as TransactionInstruction[]
    let { bytes, keys } = unsigned(payer, instructions, lookupTables)
    if (bytes.length > PACKET_BYTES && lookupTables === undefined) {
      // The transaction takes from it only what can be taken, so that any of its keys may be there.
      const table = this.lookupTable(keys)
      ;({ bytes, keys } = unsigned(payer, instructions, [table]))
    }
    if (bytes.length > PACKET_BYTES) throw new Error(`The transaction has ${bytes.length} bytes, of ${PACKET_BYTES}`)
    const result = this.svm.sendVersionedTransaction(this.#sigverify ? signed(bytes, signers) : bytes)
    const failed = result instanceof FailedTransactionMetadata
    const meta = failed ? result.meta() : result
    const logs = meta.logs()
    return {
      ok: !failed,
      error: failed ? failureOf(result) : undefined,
      logs,
      units: Number(meta.computeUnitsConsumed()),
      unitsOf: unitsFrom(logs).slice(BEFORE),
      returned: Buffer.from(meta.returnData().data()),
      inner: innerOf(meta, keys).slice(BEFORE),
      size: bytes.length,
    }
  }
}
