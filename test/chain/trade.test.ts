/** A whole trade through the port in process, and what the port says of it afterwards. */
import {
  LAMPORTS_PER_SOL,
  SystemProgram,
  type TokenBalance,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RpcError } from '../../src/chain/index.ts'
import type { LocalMarket } from '../../src/cli/local-markets.ts'
import { SunderClient } from '../../src/client/index.ts'
import { as, chainOf, idOf, key, keyOf, marketOn, ONE } from './support.ts'

const made = chainOf()
const { chain, rpc, connection } = made
const client = new SunderClient(connection)
let market: LocalMarket

const ask = (method: string, ...params: readonly unknown[]) => rpc.handle(method, params)
const refused = async (method: string, ...params: readonly unknown[]): Promise<RpcError> =>
  ask(method, ...params).then(
    () => expect.unreachable(),
    error => error as RpcError,
  )
const slots = (count: number): void => {
  for (let slot = 0; slot < count; slot++) chain.nextSlot()
}
const transfer = (lamports: number, { from = 'ann', blockhash = chain.hashOf(chain.slot) } = {}) => {
  const instructions = [SystemProgram.transfer({ fromPubkey: key(idOf(from)), toPubkey: key(idOf('bob')), lamports })]
  const terms = { payerKey: key(idOf(from)), recentBlockhash: blockhash, instructions }
  const transaction = new VersionedTransaction(new TransactionMessage(terms).compileToV0Message())
  transaction.sign([keyOf(from)])
  return transaction
}
const base64 = (transaction: VersionedTransaction): string => Buffer.from(transaction.serialize()).toString('base64')

beforeAll(async () => {
  market = await marketOn(made)
  await ask('sunder_faucet', { owner: idOf('ann'), atoms: (1000n * ONE).toString() })
  await ask('requestAirdrop', idOf('bob'), LAMPORTS_PER_SOL)
})

describe('a trade', () => {
  test('from an empty wallet to its closing, by the client and a stock Connection', async () => {
    const owner = idOf('ann')
    const order = { market, owner, sub: 0, action: 'long', unit: 'st', amount: 90n * ONE, margin: 10n * ONE } as const
    const { quote, events, signature } = await client.trade(order, as('ann'))
    expect(quote.kind).toBe('quoted')
    expect(events.flatMap(event => event.records.map(one => one.type))).toContain('swapped')
    const account = await client.account(market, owner, 0)
    expect(account!.yt).toBeGreaterThan(0n)
    await client.trade({ ...order, action: 'close', amount: 0n, margin: 0n }, as('ann'))
    expect((await client.account(market, owner, 0))!.yt).toBe(0n)

    const status = (await connection.getSignatureStatus(signature)).value
    expect(status).toMatchObject({ err: null, confirmationStatus: 'confirmed' })
    const sent = await connection.getTransaction(signature, {
      commitment: 'confirmed',
      maxSupportedTransactionVersion: 0,
    })
    expect(sent).toMatchObject({ slot: status!.slot, version: 0, meta: { err: null } })
    const { preBalances, postBalances, fee } = sent!.meta!
    const sum = (all: number[]) => all.reduce((total, one) => total + one, 0)
    expect(sum(preBalances) - sum(postBalances)).toBe(fee)
    const tokens = (balances: TokenBalance[] | null | undefined) =>
      (balances ?? []).reduce((total, { uiTokenAmount }) => total + BigInt(uiTokenAmount.amount), 0n)
    expect(tokens(sent!.meta!.postTokenBalances)).toBe(tokens(sent!.meta!.preTokenBalances))
    const listed = await connection.getSignaturesForAddress(key(owner), {}, 'confirmed')
    expect(listed.map(one => one.signature)).toContain(signature)
    expect(listed.length).toBe(3)
    const [newest, , oldest] = listed
    const between = { before: newest!.signature, until: oldest!.signature }
    expect((await connection.getSignaturesForAddress(key(owner), between, 'confirmed')).length).toBe(1)
  })

  test('is final 32 slots later', async () => {
    const signature = await connection.sendTransaction(transfer(5))
    expect(await ask('getTransaction', signature, { maxSupportedTransactionVersion: 0 })).toBeNull()
    slots(31)
    expect((await connection.getSignatureStatus(signature)).value!.confirmationStatus).toBe('confirmed')
    slots(1)
    expect((await connection.getSignatureStatus(signature)).value).toMatchObject({
      confirmations: null,
      confirmationStatus: 'finalized',
    })
    expect(await ask('getTransaction', signature, { maxSupportedTransactionVersion: 0 })).toMatchObject({ version: 0 })
    expect((await refused('getTransaction', signature)).code).toBe(-32015)
  })
})

describe('transactions', () => {
  test('a blockhash is good for 150 blocks', async () => {
    const blockhash = chain.hashOf(chain.slot)
    slots(150)
    expect((await connection.isBlockhashValid(blockhash)).value).toBe(true)
    await connection.sendTransaction(transfer(1, { blockhash }))
    slots(1)
    expect((await connection.isBlockhashValid(blockhash)).value).toBe(false)
    const late = base64(transfer(2, { blockhash }))
    const error = await refused('sendTransaction', late, { encoding: 'base64' })
    expect(error).toMatchObject({ code: -32002, data: { err: 'BlockhashNotFound', logs: [] } })
    expect(error.message).toBe('Transaction simulation failed: Blockhash not found')
  })

  test('the same one does not land twice', async () => {
    const transaction = transfer(7)
    const before = await connection.getBalance(key(idOf('bob')))
    const signature = await connection.sendTransaction(transaction)
    const error = await refused('sendTransaction', base64(transaction), { encoding: 'base64' })
    expect(error).toMatchObject({ code: -32002, data: { err: 'AlreadyProcessed' } })
    expect(await connection.sendTransaction(transaction, { skipPreflight: true })).toBe(signature)
    expect(await connection.getBalance(key(idOf('bob')))).toBe(before + 7)
  })

  test('one that fails costs its fee if it is sent all the same', async () => {
    const poor = transfer(1_000 * LAMPORTS_PER_SOL)
    const error = await refused('sendTransaction', base64(poor), { encoding: 'base64' })
    expect(error).toMatchObject({ code: -32002, data: { err: { InstructionError: [0, { Custom: 1 }] } } })
    expect(error.message).toBe(
      'Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1',
    )
    const before = await connection.getBalance(key(idOf('ann')))
    const signature = await connection.sendTransaction(poor, { skipPreflight: true })
    expect((await connection.getSignatureStatus(signature)).value!.err).toEqual({
      InstructionError: [0, { Custom: 1 }],
    })
    expect(await connection.getBalance(key(idOf('ann')))).toBe(before - 5000)
    const unsigned = transfer(3)
    unsigned.signatures[0]!.fill(1)
    expect((await refused('sendTransaction', base64(unsigned), { encoding: 'base64' })).code).toBe(-32003)
  })

  test('fees are foretold', async () => {
    const { message } = transfer(1)
    expect((await connection.getFeeForMessage(message)).value).toBe(5000)
  })

  test('a simulation changes nothing and shows accounts as they would be', async () => {
    const before = chain.digest()
    const config = { accounts: { encoding: 'base64' as const, addresses: [idOf('bob')] }, innerInstructions: true }
    const { value } = await connection.simulateTransaction(transfer(123_456), { ...config, sigVerify: true })
    const bob = await connection.getBalance(key(idOf('bob')))
    expect(value.err).toBeNull()
    expect(value.accounts![0]!.lamports).toBe(bob + 123_456)
    expect(chain.digest()).toBe(before)
  })
})

describe('errors are those of nodes', () => {
  test.each<[string, readonly unknown[], number]>([
    ['getNothing', [], -32601],
    ['constructor', [], -32601],
    ['getAccountInfo', [], -32602],
    ['getAccountInfo', ['0'], -32602],
    ['getAccountInfo', ['1111'], -32602],
    ['getAccountInfo', [{}], -32602],
    ['getMultipleAccounts', [Array(101).fill(idOf('ann'))], -32602],
    ['getSlot', [{ commitment: 'soon' }], -32602],
    ['getSlot', [{ minContextSlot: 10 ** 9 }], -32016],
    ['sendTransaction', ['!', { encoding: 'base64' }], -32602],
    ['sendTransaction', ['AAAA', { encoding: 'base64' }], -32602],
    ['sendTransaction', ['A'.repeat(2000), { encoding: 'base64' }], -32602],
    ['simulateTransaction', ['AAAA', { encoding: 'base64', sigVerify: true, replaceRecentBlockhash: true }], -32602],
    ['getSignatureStatuses', [['x']], -32602],
    ['getSignaturesForAddress', [idOf('ann'), { limit: 0 }], -32602],
    ['getProgramAccounts', [idOf('ann'), { filters: [{ nothing: 1 }] }], -32602],
    ['requestAirdrop', [idOf('ann'), -1], -32602],
    ['sunder_faucet', [{ owner: idOf('ann'), atoms: '0' }], -32602],
  ])('%s refuses bad parameters, number %#', async (method, params, code) => {
    expect((await refused(method, ...params)).code).toBe(code)
  })

  test('envelopes', async () => {
    expect(await rpc.answer('{')).toContain('-32700')
    expect(await rpc.answer('[]')).toContain('-32600')
    expect(await rpc.answer('1')).toContain('-32600')
    expect(await rpc.answer('{"jsonrpc":"2.0","method":"getSlot"}')).toBeUndefined()
    const both = '[{"jsonrpc":"2.0","id":1,"method":"getHealth"},{"jsonrpc":"2.0","id":"b","method":"getHealth"}]'
    expect(JSON.parse((await rpc.answer(both))!)).toMatchObject([{ id: 1 }, { id: 'b', result: 'ok' }])
    expect(await rpc.answer('{"id":1,"method":"getSlot","params":{}}')).toContain('-32602')
  })
})

describe('reading', () => {
  test('accounts of a program by filters and slices', async () => {
    const { programId } = { programId: key('BtZYqXsFt6XxoWXX7zvWdgYwZuxjAWN5YR3CbVKz3iit') }
    const all = await connection.getProgramAccounts(programId)
    expect(all.length).toBe(1 + 2 + 1 + 22 + 1 + 2) // config, indices, market, arrays, an account, positions
    const filters = [{ dataSize: 192 }, { memcmp: { offset: 41, bytes: idOf('ann') } }]
    const found = await connection.getProgramAccounts(programId, { filters, dataSlice: { offset: 0, length: 8 } })
    expect(found.every(({ account }) => account.data.length === 8)).toBe(true)
  })

  test('tokens', async () => {
    const mint = key('27G8MtK7VtTcCHkpASjSDdkWWYfoqT6ggEuKidVJidD4')
    const owner = key(idOf('ann'))
    const { value } = await connection.getTokenAccountsByOwner(owner, { mint })
    expect(value.length).toBe(1)
    const parsed = await connection.getParsedTokenAccountsByOwner(owner, { mint })
    const held = parsed.value[0]!.account.data.parsed.info.tokenAmount
    expect((await connection.getTokenAccountBalance(value[0]!.pubkey)).value).toEqual(held)
    expect(Number(held.amount)).toBeGreaterThan(980_000_000)
    expect((await connection.getTokenSupply(mint)).value.decimals).toBe(6)
    expect((await connection.getParsedAccountInfo(mint)).value!.data).toMatchObject({ program: 'spl-token' })
  })

  test('the chain', async () => {
    expect(await connection.getGenesisHash()).toBe(chain.genesisHash)
    expect(await connection.getMinimumBalanceForRentExemption(165)).toBe(2_039_280)
    expect((await connection.getEpochInfo()).absoluteSlot).toBe(chain.slot)
    expect(await connection.getBlockTime(chain.slot)).toBe(chain.now)
    expect(await connection.getBlockHeight('finalized')).toBe(chain.slot - 32)
    expect((await connection.getVersion())['solana-core']).toBe('2.3.0')
    expect((await connection.getRecentPrioritizationFees()).length).toBe(150)
  })
})

test('lookup tables work one slot later', async () => {
  const table = await client.createLookupTable(market, as('ann'))
  slots(1)
  expect((await connection.getAddressLookupTable(table.key)).value!.state.addresses).toEqual(table.state.addresses)
  const short = new SunderClient(connection, { tables: [table], price: 1000n })
  const order = {
    market,
    owner: idOf('ann'),
    sub: 1,
    action: 'long',
    unit: 'st',
    amount: 9n * ONE,
    margin: ONE,
  } as const
  const { signature } = await short.trade(order, as('ann'))
  const sent = await connection.getTransaction(signature, {
    commitment: 'confirmed',
    maxSupportedTransactionVersion: 0,
  })
  const keys = sent!.transaction.message.getAccountKeys({ accountKeysFromLookups: sent!.meta!.loadedAddresses! })
  expect(keys.length).toBe(sent!.meta!.preBalances.length)
  const { preBalances, postBalances, fee } = sent!.meta!
  const sum = (all: number[]) => all.reduce((total, one) => total + one, 0)
  expect(sum(preBalances) - sum(postBalances)).toBe(fee)
})
