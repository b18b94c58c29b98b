/** Accounts and transactions in the encodings that nodes answer in. */
import { MessageV0 } from '@solana/web3.js'
import { encodeBase58 } from '../client/base58.ts'
import { badParams, RpcError } from './errors.ts'
import type { AccountState, Landed } from './local.ts'
import { mintOf, tokenAccountOf, uiAmount } from './tokens.ts'
import { parseTransaction } from './transaction.ts'

export type Encoding = 'base58' | 'base64' | 'jsonParsed'
export interface Slice {
  readonly offset: number
  readonly length: number
}

/** Bytes that nodes still write in base 58. */
const MOST_BASE58 = 128

const parsedToken = (account: AccountState, decimalsOf: (mint: string) => number): object | undefined => {
  const program = account.owner.startsWith('Tokenz') ? 'spl-token-2022' : 'spl-token'
  const mint = mintOf(account)
  const space = account.data.length
  if (mint !== undefined && (space === 82 || account.data[165] === 1)) {
    const { authority, supply, decimals, freezeAuthority } = mint
    const info = {
      decimals,
      freezeAuthority: freezeAuthority ?? null,
      isInitialized: true,
      mintAuthority: authority ?? null,
      supply: supply.toString(),
    }
    return { program, parsed: { type: 'mint', info }, space }
  }
  const held = tokenAccountOf(account)
  if (held === undefined) return undefined
  const decimals = decimalsOf(held.mint)
  const info = {
    mint: held.mint,
    owner: held.owner,
    state: held.state,
    isNative: held.native !== undefined,
    tokenAmount: uiAmount(held.amount, decimals),
    ...(held.delegate === undefined
      ? {}
      : { delegate: held.delegate, delegatedAmount: uiAmount(held.delegated, decimals) }),
    ...(held.closeAuthority === undefined ? {} : { closeAuthority: held.closeAuthority }),
  }
  return { program, parsed: { type: 'account', info }, space }
}

/** `jsonParsed` falls back to base 64, as on nodes, for what is no token. */
export const encodeAccount = (
  account: AccountState,
  encoding: Encoding | undefined,
  decimalsOf: (mint: string) => number,
  slice?: Slice,
) => {
  const data = slice === undefined ? account.data : account.data.subarray(slice.offset, slice.offset + slice.length)
  const parsed = encoding === 'jsonParsed' ? parsedToken(account, decimalsOf) : undefined
  if (encoding !== 'base64' && encoding !== 'jsonParsed' && data.length > MOST_BASE58) {
    badParams('Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.')
  }
  const written =
    encoding === 'base58'
      ? [encodeBase58(data), 'base58']
      : encoding === undefined
        ? encodeBase58(data)
        : [data.toString('base64'), 'base64']
  return {
    data: parsed ?? written,
    executable: account.executable,
    lamports: Number(account.lamports),
    owner: account.owner,
    rentEpoch: 0,
    space: account.data.length,
  }
}

/** A transaction that landed, as `getTransaction` answers it. */
export const encodeTransaction = (landed: Landed, encoding: unknown, mostVersion: unknown) => {
  const { slot, time, version, wire, meta } = landed
  if (version !== 'legacy' && (typeof mostVersion !== 'number' || mostVersion < version)) {
    const message =
      `Transaction version (${version}) is not supported by the requesting client. Please try the request again with the ` +
      `following configuration parameter: "maxSupportedTransactionVersion": ${version}`
    throw new RpcError('version', message)
  }
  const shown = typeof mostVersion === 'number' ? { version } : {}
  return { slot, blockTime: time, meta, transaction: encodeWire(wire, encoding), ...shown }
}

const encodeWire = (wire: string, encoding: unknown) => {
  if (encoding === 'base64') return [wire, 'base64']
  if (encoding === 'base58') return [encodeBase58(Buffer.from(wire, 'base64')), 'base58']
  const { message, signatures } = parseTransaction(Buffer.from(wire, 'base64'))
  const instructions = message.compiledInstructions.map(({ programIdIndex, accountKeyIndexes, data }) => ({
    programIdIndex,
    accounts: [...accountKeyIndexes],
    data: encodeBase58(data),
    stackHeight: null,
  }))
  const keys = message.staticAccountKeys.map(key => key.toBase58())
  const { recentBlockhash } = message
  const signed = signatures.map(encodeBase58)
  const lookups =
    message instanceof MessageV0
      ? {
          addressTableLookups: message.addressTableLookups.map(({ accountKey, writableIndexes, readonlyIndexes }) => ({
            accountKey: accountKey.toBase58(),
            writableIndexes,
            readonlyIndexes,
          })),
        }
      : {}
  if (encoding !== 'jsonParsed') {
    const { header } = message
    const plain = { header, accountKeys: keys, recentBlockhash, instructions, ...lookups }
    return { signatures: signed, message: plain }
  }
  // Calls are left undecoded, as nodes leave those of programs that they do not know.
  const accountKeys = keys.map((pubkey, place) => ({
    pubkey,
    signer: message.isAccountSigner(place),
    writable: message.isAccountWritable(place),
    source: 'transaction',
  }))
  const partly = instructions.map(({ programIdIndex, accounts, data }) => ({
    programId: keys[programIdIndex],
    accounts: accounts.map(place => keys[place] ?? ''),
    data,
    stackHeight: null,
  }))
  return { signatures: signed, message: { accountKeys, recentBlockhash, instructions: partly, ...lookups } }
}
