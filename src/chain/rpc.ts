/**
 * Solana's JSON-RPC over a local chain: `handle(method, params)`, and `answer` for the envelope. Answers and errors are those of a node.
 *
 * Accounts are as of now whatever commitment is asked for, since nothing is ever rolled back. A transaction is confirmed as soon as it is on the
 * disk, and nobody is told of it before; it is final 32 slots later, and asked for as `finalized` it is not there until then.
 */
import { Message, MessageV0, PublicKey, VersionedMessage } from '@solana/web3.js'
import { decodeBase58 } from '../client/base58.ts'
import { ADDRESSES } from '../client/generated/interface.ts'
import { decodeAddress } from '../jupiter/base58.ts'
import { type Encoding, encodeAccount, encodeTransaction, type Slice } from './encode.ts'
import { badParams, CODES, RpcError, StoreError } from './errors.ts'
import { Faucet } from './faucet.ts'
import {
  type AccountState,
  BLOCKHASHES,
  FINALITY,
  type Landed,
  type LocalChain,
  SLOT_MILLISECONDS,
  SLOTS_PER_EPOCH,
} from './local.ts'
import { mintOf, TOKEN_PROGRAMS, tokenAccountOf, uiAmount } from './tokens.ts'
import { feeOf, messageOf, type Parsed, parseTransaction } from './transaction.ts'

const API_VERSION = '2.3.0'
const MOST_ACCOUNTS = 100
const MOST_SIGNATURES = 256
const MOST_HISTORY = 1000
const MOST_FILTERS = 4
const MOST_BLOCKS = 500_000
/** Slots of a sample of how busy the chain was, and such samples that are told at most. */
const SAMPLE_SLOTS = 150
const MOST_SAMPLES = 720
const MOST_LEADERS = 5000
const MOST_HOLDERS = 20
const MOST_LOCKS = 128
const ENCODED_BYTES = { base58: 1683, base64: 1644 }

/** Whatever methods take by name; each is looked at where it is used. */
export type Options = Readonly<
  Partial<
    Record<
      | 'accounts'
      | 'addresses'
      | 'atoms'
      | 'before'
      | 'bytes'
      | 'commitment'
      | 'dataSize'
      | 'dataSlice'
      | 'encoding'
      | 'filters'
      | 'innerInstructions'
      | 'length'
      | 'limit'
      | 'maxSupportedTransactionVersion'
      | 'memcmp'
      | 'minContextSlot'
      | 'mint'
      | 'offset'
      | 'owner'
      | 'programId'
      | 'replaceRecentBlockhash'
      | 'rewards'
      | 'sigVerify'
      | 'skipPreflight'
      | 'transactionDetails'
      | 'until'
      | 'withContext',
      unknown
    >
  >
>

const text = (value: unknown, what = 'a string'): string =>
  typeof value === 'string' ? value : badParams(`invalid type: ${typeof value}, expected ${what}`)
const whole = (value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : badParams(`invalid type: ${typeof value}, expected u64`)
const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : badParams(`invalid type: ${typeof value}, expected a sequence`)
const optionsIn = (value: unknown): Options => {
  if (value === undefined || value === null) return {}
  return typeof value === 'object' && !Array.isArray(value)
    ? (value as Options)
    : badParams(`invalid type: ${typeof value}, expected a map`)
}
const bytesIn = (value: string, length: number): Uint8Array => {
  let bytes: Uint8Array
  try {
    bytes = decodeBase58(value.length > 2 * length ? '' : value)
  } catch {
    return badParams('Invalid param: Invalid')
  }
  return bytes.length === length ? bytes : badParams('Invalid param: WrongSize')
}
/** An address, as it was given. */
export const addressIn = (value: unknown): string => {
  const given = text(value)
  try {
    decodeAddress(given)
  } catch {
    bytesIn(given, 32)
    return badParams('Invalid param: Invalid')
  }
  return given
}
export const signatureIn = (value: unknown): string => {
  const given = text(value)
  bytesIn(given, 64)
  return given
}

const COMMITMENTS = ['processed', 'confirmed', 'finalized', 'recent', 'single', 'singleGossip', 'root', 'max']
export const isFinalized = (value: unknown): boolean => {
  if (value === undefined || value === null) return true
  if (!COMMITMENTS.includes(text(value)))
    badParams(`unknown variant \`${value}\`, expected one of \`processed\`, \`confirmed\`, \`finalized\``)
  return value === 'finalized' || value === 'root' || value === 'max'
}
export const encodingIn = (value: unknown): Encoding | undefined => {
  if (value === undefined || value === null) return undefined
  if (value === 'base58' || value === 'base64' || value === 'jsonParsed') return value
  return badParams(`unknown variant \`${value}\`, expected one of \`base58\`, \`base64\`, \`jsonParsed\``)
}

export class LocalRpc {
  readonly chain: LocalChain
  /** Wallets whose owners are simulated. */
  readonly simulated: readonly string[]
  readonly #faucet: Faucet

  constructor(chain: LocalChain, simulated: readonly string[] = []) {
    this.chain = chain
    this.simulated = simulated
    this.#faucet = new Faucet(chain)
  }

  /** Throws `RpcError`. */
  async handle(method: string, params: unknown): Promise<unknown> {
    const found = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined
    if (found === undefined) throw new RpcError('method', 'Method not found')
    if (params !== undefined && !Array.isArray(params)) badParams('`params` should be an array')
    return found.call(this, ...((params ?? []) as readonly unknown[]))
  }

  /** The answer to a request, or to a list of them; undefined if none is wanted. */
  async answer(body: string): Promise<string | undefined> {
    return (await this.reply(body)).text
  }

  /** The same with the status of HTTP: 503 to a request that the chain is too unwell for. */
  async reply(body: string): Promise<{ readonly status: number; readonly text?: string }> {
    let request: unknown
    try {
      request = JSON.parse(body)
    } catch {
      return { status: 200, text: JSON.stringify(failureOf(null, new RpcError('parse', 'Parse error'))) }
    }
    if (Array.isArray(request)) {
      const text = await this.#all(request)
      return text === undefined ? { status: 204 } : { status: 200, text }
    }
    const one = await this.respond(request)
    if (one === undefined) return { status: 204 }
    const isUnwell = 'error' in one && (one.error as { readonly code: number }).code === CODES.unhealthy
    return { status: isUnwell ? 503 : 200, text: JSON.stringify(one) }
  }

  async #all(request: readonly unknown[]): Promise<string | undefined> {
    if (request.length === 0) return JSON.stringify(failureOf(null, new RpcError('request', 'Invalid request')))
    const all: object[] = []
    for (const each of request) {
      const one = await this.respond(each)
      if (one !== undefined) all.push(one)
    }
    return all.length === 0 ? undefined : JSON.stringify(all)
  }

  /** `handle`: another one for what is known elsewhere, such as subscriptions. */
  async respond(
    request: unknown,
    handle: (method: string, params: unknown) => Promise<unknown> = (method, params) => this.handle(method, params),
  ): Promise<object | undefined> {
    const { id, method, params } = (typeof request === 'object' && request !== null ? request : {}) as {
      id?: unknown
      method?: unknown
      params?: unknown
    }
    if (typeof method !== 'string') return failureOf(id ?? null, new RpcError('request', 'Invalid request'))
    try {
      const result = await handle(method, params)
      return id === undefined ? undefined : { jsonrpc: '2.0', result: result ?? null, id }
    } catch (error) {
      return id === undefined ? undefined : failureOf(id, error)
    }
  }

  // ---- what methods have in common ------------------------------------------------------------------------------------

  /** The slot that a commitment means. */
  slotAt(options: Options): number {
    const { chain } = this
    const { minContextSlot } = options
    if (minContextSlot !== undefined && minContextSlot !== null && whole(minContextSlot) > chain.slot) {
      throw new RpcError('context', 'Minimum context slot has not been reached', { contextSlot: chain.slot })
    }
    return isFinalized(options.commitment) ? Math.max(0, chain.slot - FINALITY) : chain.slot
  }

  with<T>(options: Options, value: T) {
    this.slotAt(options)
    return { context: { slot: this.chain.slot, apiVersion: API_VERSION }, value }
  }

  decimalsOf = (mint: string): number => {
    const found = this.chain.account(mint)
    return found === undefined ? 0 : (mintOf(found)?.decimals ?? 0)
  }

  encoded(account: AccountState | undefined, options: Options) {
    if (account === undefined) return null
    const { dataSlice } = options
    let slice: Slice | undefined
    if (dataSlice !== undefined && dataSlice !== null) {
      const { offset, length } = optionsIn(dataSlice)
      slice = { offset: whole(offset), length: whole(length) }
    }
    return encodeAccount(account, encodingIn(options.encoding), this.decimalsOf, slice)
  }

  /** A transaction as it was sent. */
  parsed(value: unknown, encoding: unknown): Parsed {
    const given = text(value)
    const of = encoding === undefined || encoding === null ? 'base58' : encoding
    if (of !== 'base58' && of !== 'base64')
      return badParams(`unsupported encoding: ${of}. Supported encodings: base58, base64`)
    if (given.length > ENCODED_BYTES[of]) {
      return badParams(
        `${of} encoded solana_transaction::versioned::VersionedTransaction too large: ${given.length} bytes (max: encoded/raw ${ENCODED_BYTES[of]}/1232)`,
      )
    }
    let wire: Buffer
    if (of === 'base64') {
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(given) || given.length % 4 !== 0) badParams('invalid base64 encoding')
      wire = Buffer.from(given, 'base64')
    } else {
      try {
        wire = Buffer.from(decodeBase58(given))
      } catch {
        return badParams('invalid base58 encoding')
      }
    }
    return parseTransaction(wire)
  }

  statusOf({ slot, err }: Landed) {
    const passed = this.chain.slot - slot
    const isFinal = passed >= FINALITY
    return {
      slot,
      confirmations: isFinal ? null : passed,
      err,
      status: err === null ? { Ok: null } : { Err: err },
      confirmationStatus: isFinal ? 'finalized' : 'confirmed',
    }
  }

  /** Whether a transaction counts by a commitment. */
  counts({ slot }: Landed, commitment: unknown): boolean {
    return !isFinalized(commitment) || slot <= this.chain.slot - FINALITY
  }

  /** A slot that all is known of. Throws what nodes answer of others. */
  known(slot: number): number {
    const { firstSlot } = this.chain
    if (slot > this.chain.slot) throw new RpcError('block', `Block not available for slot ${slot}`)
    if (slot < firstSlot)
      throw new RpcError(
        'gone',
        `Block ${slot} cleaned up, does not exist on node. First available block: ${firstSlot}`,
      )
    return slot
  }

  slots(first: number, last: number): number[] {
    const from = Math.max(first, this.chain.firstSlot)
    if (last - from >= MOST_BLOCKS) badParams(`Slot range too large; max ${MOST_BLOCKS}`)
    return Array.from({ length: Math.max(0, last - from + 1) }, (_, at) => from + at)
  }

  get faucet(): Faucet {
    return this.#faucet
  }
}

const failureOf = (id: unknown, error: unknown) => {
  // What was not acknowledged may be gone: nothing is said of it.
  const known =
    error instanceof RpcError
      ? error
      : error instanceof StoreError
        ? new RpcError('unhealthy', error.message)
        : undefined
  const message = known?.message ?? `Internal error: ${error instanceof Error ? error.message : String(error)}`
  const data = known?.data === undefined ? {} : { data: known.data }
  return { jsonrpc: '2.0', error: { code: known?.code ?? CODES.internal, message, ...data }, id }
}

interface Filter {
  readonly bytes?: Buffer
  readonly offset?: number
  readonly size?: number
  readonly isToken?: boolean
}

const filtersIn = (value: unknown): Filter[] => {
  const given = value === undefined || value === null ? [] : list(value)
  if (given.length > MOST_FILTERS) badParams(`Too many filters provided; max ${MOST_FILTERS}`)
  return given.map(one => {
    if (one === 'tokenAccountState') return { isToken: true }
    const filter = optionsIn(one)
    if (filter.dataSize !== undefined) return { size: whole(filter.dataSize) }
    if (filter.memcmp === undefined) return badParams('Invalid filter: expected dataSize or memcmp')
    const { offset, bytes, encoding } = optionsIn(filter.memcmp)
    const written = text(bytes)
    if (encoding === 'base64') return { offset: whole(offset), bytes: Buffer.from(written, 'base64') }
    try {
      return { offset: whole(offset), bytes: Buffer.from(decodeBase58(written)) }
    } catch {
      return badParams('Invalid filter: invalid base58')
    }
  })
}

const passes = (account: AccountState, filters: readonly Filter[]): boolean =>
  filters.every(({ size, offset = 0, bytes, isToken }) => {
    if (isToken === true) return tokenAccountOf(account) !== undefined
    if (size !== undefined) return account.data.length === size
    return account.data.subarray(offset, offset + bytes!.length).equals(bytes!)
  })

/** What a subscription to a program, and `getProgramAccounts`, take. */
export const programFilter = (options: Options): ((account: AccountState) => boolean) => {
  const filters = filtersIn(options.filters)
  return account => passes(account, filters)
}

type Method = (this: LocalRpc, ...params: readonly unknown[]) => unknown

const METHODS: Readonly<Record<string, Method>> = {
  // ---- accounts -------------------------------------------------------------------------------------------------------

  getAccountInfo(address, given) {
    const options = optionsIn(given)
    return this.with(options, this.encoded(this.chain.account(addressIn(address)), options))
  },

  getMultipleAccounts(addresses, given) {
    const options = optionsIn(given)
    const all = list(addresses)
    if (all.length > MOST_ACCOUNTS) badParams(`Too many inputs provided; max ${MOST_ACCOUNTS}`)
    const encoded = { encoding: 'base64', ...options }
    return this.with(
      options,
      all.map(address => this.encoded(this.chain.account(addressIn(address)), encoded)),
    )
  },

  getProgramAccounts(program, given) {
    const options = optionsIn(given)
    const passing = programFilter(options)
    const found = this.chain
      .accountsOf(addressIn(program))
      .filter(({ account }) => passing(account))
      .map(({ address, account }) => ({ pubkey: address, account: this.encoded(account, options) }))
    return options.withContext === true ? this.with(options, found) : found
  },

  getBalance(address, given) {
    return this.with(optionsIn(given), Number(this.chain.account(addressIn(address))?.lamports ?? 0n))
  },

  getMinimumBalanceForRentExemption(bytes) {
    return this.chain.rent(whole(bytes))
  },

  getTokenAccountBalance(address, given) {
    const account = this.chain.account(addressIn(address))
    if (account === undefined) return badParams('Invalid param: could not find account')
    const held = tokenAccountOf(account)
    if (held === undefined) return badParams('Invalid param: not a Token account')
    return this.with(optionsIn(given), uiAmount(held.amount, this.decimalsOf(held.mint)))
  },

  getTokenSupply(address, given) {
    const account = this.chain.account(addressIn(address))
    if (account === undefined) return badParams('Invalid param: could not find account')
    const mint = mintOf(account)
    if (mint === undefined) return badParams('Invalid param: not a Token mint')
    return this.with(optionsIn(given), uiAmount(mint.supply, mint.decimals))
  },

  /** The richest first. */
  getTokenLargestAccounts(address, given) {
    const mint = addressIn(address)
    const account = this.chain.account(mint)
    if (account === undefined || mintOf(account) === undefined) return badParams('Invalid param: not a Token mint')
    const held = this.chain
      .accountsOf(account.owner)
      .flatMap(({ address, account }) => {
        const found = tokenAccountOf(account)
        return found?.mint === mint ? [{ address, amount: found.amount }] : []
      })
      .sort((a, b) => (a.amount < b.amount ? 1 : -1))
    const decimals = this.decimalsOf(mint)
    const richest = held.slice(0, MOST_HOLDERS)
    return this.with(
      optionsIn(given),
      richest.map(({ address, amount }) => ({ address, ...uiAmount(amount, decimals) })),
    )
  },

  getTokenAccountsByOwner(owner, which, given) {
    const [wanted, options] = [addressIn(owner), optionsIn(given)]
    const { mint, programId } = optionsIn(which)
    if (mint === undefined && programId === undefined) badParams('Invalid param: expected mint or programId')
    const program = programId === undefined ? undefined : addressIn(programId)
    if (program !== undefined && !TOKEN_PROGRAMS.has(program)) badParams('Invalid param: unrecognized Token program id')
    const ofMint = mint === undefined ? undefined : addressIn(mint)
    if (ofMint !== undefined && this.chain.account(ofMint) === undefined)
      badParams('Invalid param: could not find mint')
    const found = (program === undefined ? [...TOKEN_PROGRAMS] : [program]).flatMap(each =>
      this.chain.accountsOf(each).flatMap(({ address, account }) => {
        const held = tokenAccountOf(account)
        if (held === undefined || held.owner !== wanted || (ofMint !== undefined && held.mint !== ofMint)) return []
        return [{ pubkey: address, account: this.encoded(account, options) }]
      }),
    )
    return this.with(options, found)
  },

  // ---- the chain ------------------------------------------------------------------------------------------------------

  getLatestBlockhash(given) {
    const options = optionsIn(given)
    const slot = this.slotAt(options)
    return this.with(options, { blockhash: this.chain.hashOf(slot), lastValidBlockHeight: slot + BLOCKHASHES })
  },

  isBlockhashValid(blockhash, given) {
    return this.with(optionsIn(given), this.chain.isRecent(addressIn(blockhash)))
  },

  getSlot(given) {
    return this.slotAt(optionsIn(given))
  },

  getBlockHeight(given) {
    return this.slotAt(optionsIn(given))
  },

  /** Unix seconds; null of a slot in which nothing landed, before the chain was started again. */
  getBlockTime(given) {
    return this.chain.timeOf(this.known(whole(given))) ?? null
  },

  /** With all that landed in it: slots are blocks here, and none is skipped. */
  async getBlock(given, config) {
    const options = optionsIn(config)
    const slot = this.known(whole(given))
    if (isFinalized(options.commitment) && slot > this.chain.slot - FINALITY)
      throw new RpcError('block', `Block not available for slot ${slot}`)
    await this.chain.flush()
    const { encoding, transactionDetails = 'full', maxSupportedTransactionVersion: most } = options
    const landed = [...this.chain.history()].filter(one => one.slot === slot)
    const block = {
      blockhash: this.chain.hashOf(slot),
      previousBlockhash: this.chain.hashOf(slot - 1),
      parentSlot: slot - 1,
      blockHeight: slot,
      blockTime: this.chain.timeOf(slot) ?? null,
      ...(options.rewards === false ? {} : { rewards: [] }),
    }
    switch (transactionDetails) {
      case 'none':
        return block
      case 'signatures':
        return { ...block, signatures: landed.map(({ signature }) => signature) }
      case 'full':
        return {
          ...block,
          transactions: landed.map(one => {
            const { slot: _, blockTime, ...rest } = encodeTransaction(one, encoding, most)
            return rest
          }),
        }
      default:
        return badParams(`transactionDetails ${transactionDetails} is not supported: full, signatures or none`)
    }
  },

  getBlocks(first, last, config) {
    const isRange = typeof last === 'number'
    const end = Math.min(
      isRange ? whole(last) : Number.POSITIVE_INFINITY,
      this.slotAt(optionsIn(isRange ? config : last)),
    )
    return this.slots(whole(first), end)
  },

  getBlocksWithLimit(first, limit, config) {
    return this.slots(whole(first), Math.min(whole(first) + whole(limit) - 1, this.slotAt(optionsIn(config))))
  },

  getEpochInfo(given) {
    const slot = this.slotAt(optionsIn(given))
    return {
      absoluteSlot: slot,
      blockHeight: slot,
      epoch: Math.floor(slot / SLOTS_PER_EPOCH),
      slotIndex: slot % SLOTS_PER_EPOCH,
      slotsInEpoch: SLOTS_PER_EPOCH,
      transactionCount: this.chain.count,
    }
  },

  getEpochSchedule: () => ({
    slotsPerEpoch: SLOTS_PER_EPOCH,
    leaderScheduleSlotOffset: SLOTS_PER_EPOCH,
    warmup: false,
    firstNormalEpoch: 0,
    firstNormalSlot: 0,
  }),

  getGenesisHash() {
    return this.chain.genesisHash
  },
  getVersion: () => ({ 'solana-core': API_VERSION, 'feature-set': 0 }),
  getHealth() {
    if (this.chain.isFailed) throw new RpcError('unhealthy', 'Node is unhealthy', { numSlotsBehind: null })
    return 'ok'
  },
  getIdentity() {
    return { identity: this.chain.operator.publicKey.toBase58() }
  },
  getFirstAvailableBlock() {
    return this.chain.firstSlot
  },
  minimumLedgerSlot() {
    return this.chain.firstSlot
  },
  /** As many as are remembered. */
  getTransactionCount() {
    return this.chain.count
  },
  getSlotLeader() {
    return this.chain.operator.publicKey.toBase58()
  },
  getSlotLeaders(_first, limit) {
    if (whole(limit) > MOST_LEADERS) badParams(`Invalid limit; max ${MOST_LEADERS}`)
    return Array.from({ length: whole(limit) }, () => this.chain.operator.publicKey.toBase58())
  },
  getClusterNodes() {
    const addresses = { gossip: null, tpu: null, rpc: null }
    const pubkey = this.chain.operator.publicKey.toBase58()
    return [{ pubkey, ...addresses, version: API_VERSION, featureSet: 0, shredVersion: 0 }]
  },
  getVoteAccounts: () => ({ current: [], delinquent: [] }),
  /** A minute each, the newest first. */
  getRecentPerformanceSamples(given) {
    const limit = given === undefined || given === null ? MOST_SAMPLES : whole(given)
    if (limit > MOST_SAMPLES) badParams(`Invalid limit; max ${MOST_SAMPLES}`)
    const { slot, firstSlot } = this.chain
    const counts = Array.from({ length: Math.min(limit, Math.floor((slot - firstSlot) / SAMPLE_SLOTS)) }, () => 0)
    for (const landed of this.chain.history()) {
      const at = Math.floor((slot - landed.slot) / SAMPLE_SLOTS)
      if (at < counts.length) counts[at]!++
    }
    return counts.map((count, at) => ({
      slot: slot - at * SAMPLE_SLOTS,
      numTransactions: count,
      numNonVoteTransactions: count,
      numSlots: SAMPLE_SLOTS,
      samplePeriodSecs: (SAMPLE_SLOTS * SLOT_MILLISECONDS) / 1000,
    }))
  },

  getFeeForMessage(message, given) {
    let read: VersionedMessage
    try {
      read = VersionedMessage.deserialize(Buffer.from(text(message), 'base64'))
    } catch (error) {
      return badParams(`failed to deserialize solana_message::VersionedMessage: ${(error as Error).message}`)
    }
    if (!(read instanceof Message || read instanceof MessageV0)) return badParams('version 1 is not supported')
    return this.with(optionsIn(given), this.chain.isRecent(read.recentBlockhash) ? feeOf(read) : null)
  },

  /** Nobody has to pay for a place here. */
  getRecentPrioritizationFees(addresses) {
    const all = addresses === undefined || addresses === null ? [] : list(addresses).map(addressIn)
    if (all.length > MOST_LOCKS) badParams(`Too many inputs provided; max ${MOST_LOCKS}`)
    const first = Math.max(0, this.chain.slot - BLOCKHASHES + 1)
    return Array.from({ length: BLOCKHASHES }, (_, at) => ({ slot: first + at, prioritizationFee: 0 }))
  },

  // ---- transactions ---------------------------------------------------------------------------------------------------

  simulateTransaction(given, config) {
    const options = optionsIn(config)
    const [sigVerify, replace] = [options.sigVerify === true, options.replaceRecentBlockhash === true]
    if (sigVerify && replace) badParams('sigVerify may not be used with replaceRecentBlockhash')
    const parsed = this.parsed(given, options.encoding)
    const keys = this.chain.keysOf(parsed)
    const { err, logs, units, inner, returned, after } = this.chain.simulate(parsed, {
      sigVerify,
      anyBlockhash: replace,
    })
    if (err === 'SignatureFailure') throw new RpcError('signature', 'Transaction signature verification failure')
    let accounts: unknown = null
    if (options.accounts !== undefined && options.accounts !== null) {
      const { addresses, encoding } = optionsIn(options.accounts)
      const wanted = list(addresses).map(addressIn)
      if (wanted.length > keys.all.length) badParams('Too many accounts provided; max is the number of the transaction')
      const changes = after()
      accounts =
        err === undefined
          ? wanted.map(address => {
              const changed = changes?.get(address)
              if (changed === undefined)
                return this.encoded(this.chain.account(address), { encoding: encoding ?? 'base64' })
              if (changed.lamports() === 0n) return null
              const state = {
                owner: new PublicKey(changed.owner()).toBase58(),
                lamports: changed.lamports(),
                executable: changed.executable(),
                data: Buffer.from(changed.data()),
              }
              return this.encoded(state, { encoding: encoding ?? 'base64' })
            })
          : wanted.map(() => null)
    }
    const named = inner.map(({ index, instructions }) => ({
      index,
      instructions: instructions.map(({ programIdIndex, accounts: places, data, stackHeight }) => ({
        programId: keys.all[programIdIndex],
        accounts: places.map(place => keys.all[place]),
        data,
        stackHeight,
      })),
    }))
    const { slot } = this.chain
    const replacement = { blockhash: this.chain.hashOf(slot), lastValidBlockHeight: slot + BLOCKHASHES }
    return this.with(options, {
      err: err ?? null,
      logs,
      accounts,
      unitsConsumed: units,
      returnData: returned ?? null,
      innerInstructions: options.innerInstructions === true ? named : null,
      ...(replace ? { replacementBlockhash: replacement } : {}),
    })
  },

  async sendTransaction(given, config) {
    const options = optionsIn(config)
    const parsed = this.parsed(given, options.encoding)
    this.slotAt({ minContextSlot: options.minContextSlot })
    if (options.skipPreflight !== true) {
      const { err, logs, units, returned } = this.chain.simulate(parsed, { sigVerify: true, anyBlockhash: false })
      if (err === 'SignatureFailure') throw new RpcError('signature', 'Transaction signature verification failure')
      if (err !== undefined) {
        const data = {
          accounts: null,
          err,
          innerInstructions: null,
          logs,
          returnData: returned ?? null,
          unitsConsumed: units,
        }
        throw new RpcError('preflight', `Transaction simulation failed: ${messageOf(err)}`, data)
      }
    }
    this.chain.process(parsed)
    // What did not land is forgotten without a word, as on a cluster; what did is on the disk before anybody is told.
    await this.chain.flush()
    return parsed.signature
  },

  async getSignatureStatuses(signatures, _config) {
    const all = list(signatures)
    if (all.length > MOST_SIGNATURES) badParams(`Too many inputs provided; max ${MOST_SIGNATURES}`)
    await this.chain.flush()
    const found = all.map(signature => {
      const landed = this.chain.landed(signatureIn(signature))
      return landed === undefined ? null : this.statusOf(landed)
    })
    return this.with({}, found)
  },

  async getTransaction(signature, config) {
    const options = typeof config === 'string' ? { encoding: config } : optionsIn(config)
    await this.chain.flush()
    const landed = this.chain.landed(signatureIn(signature))
    if (landed === undefined || !this.counts(landed, options.commitment)) return null
    return encodeTransaction(landed, options.encoding, options.maxSupportedTransactionVersion)
  },

  /** The newest first. */
  async getSignaturesForAddress(given, config) {
    const [address, options] = [addressIn(given), optionsIn(config)]
    await this.chain.flush()
    const limit = options.limit === undefined || options.limit === null ? MOST_HISTORY : whole(options.limit)
    if (limit === 0 || limit > MOST_HISTORY) badParams(`Invalid limit; max ${MOST_HISTORY}`)
    const edge = (value: unknown) => (value === undefined || value === null ? undefined : signatureIn(value))
    const [before, until] = [edge(options.before), edge(options.until)]
    const found: object[] = []
    let isPast = before === undefined
    for (const landed of [...this.chain.history()].reverse()) {
      if (landed.signature === until) break
      if (isPast && landed.keys.includes(address) && this.counts(landed, options.commitment)) {
        const { signature, slot, err, time } = landed
        const { confirmationStatus } = this.statusOf(landed)
        found.push({ signature, slot, err, memo: null, blockTime: time, confirmationStatus })
        if (found.length === limit) break
      }
      if (landed.signature === before) isPast = true
    }
    return found
  },

  // ---- only here ------------------------------------------------------------------------------------------------------

  async requestAirdrop(address, lamports) {
    const signature = this.faucet.airdrop(addressIn(address), whole(lamports))
    await this.chain.flush()
    return signature
  },

  /** Test JLP, and SOL for fees: `{ owner, atoms }`. Answers the signature. */
  async sunder_faucet(given) {
    const { owner, atoms } = optionsIn(given)
    const amount = typeof atoms === 'string' && /^\d{1,19}$/.test(atoms) ? BigInt(atoms) : BigInt(whole(atoms))
    const signature = this.faucet.give(addressIn(owner), amount)
    await this.chain.flush()
    return signature
  },

  /** What clients show of this chain: its mint, clock and speed, and which wallets belong to simulated traders. */
  sunder_chain() {
    const { start, speed, now, slot, seed } = this.chain
    const { jlpMint, program } = ADDRESSES
    return { local: true, seed, start, speed, now, slot, jlpMint, program, simulated: this.simulated }
  },
}
