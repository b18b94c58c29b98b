/**
 * Jupiter's accounts for the command line: from a file that holds a JSON-RPC answer, or asked of a node. An answer to
 * getMultipleAccounts does not say which addresses were asked for; they follow from what the accounts hold, and are checked.
 */
import { readFileSync } from 'node:fs'
import {
  type CustodyFacts,
  checkCustodyAddress,
  checkPoolAddress,
  decodeAccount,
  deriveCustody,
  derivePosition,
  JupiterError,
  KNOWN_CUSTODIES,
  POOL_ADDRESS,
  type PoolFacts,
  type PositionFacts,
  type PriceFacts,
} from '../jupiter/index.ts'
import { UsageError } from './output.ts'

export interface ReadAccounts {
  readonly slot: number | undefined
  readonly pool: PoolFacts | undefined
  readonly custodies: readonly { readonly address: string; readonly symbol: string; readonly facts: CustodyFacts }[]
  readonly positions: readonly { readonly address: string; readonly facts: PositionFacts }[]
  readonly prices: readonly PriceFacts[]
  /** Accounts that were asked for and do not exist. */
  readonly missing: number
}

interface RpcAccount {
  readonly data: readonly [string, string]
  readonly owner: string
}

const isAccount = (value: unknown): value is RpcAccount => {
  const account = value as RpcAccount | null
  return (
    typeof account === 'object' &&
    account !== null &&
    typeof account.owner === 'string' &&
    Array.isArray(account.data) &&
    typeof account.data[0] === 'string' &&
    account.data[1] === 'base64'
  )
}

/** Reads the answer of getAccountInfo or getMultipleAccounts, base64-encoded. */
export const readAnswer = (text: string, name: string): ReadAccounts => {
  let answer: { result?: { context?: { slot?: number }; value?: unknown }; error?: { message?: string } }
  try {
    answer = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${name} is not JSON: ${(error as Error).message}`)
  }
  if (answer?.error !== undefined) throw new UsageError(`${name}: the node answered "${answer.error.message}"`)
  const value = answer?.result?.value
  const slot = answer?.result?.context?.slot
  if (value === undefined) {
    throw new UsageError(`${name} is not an answer to getAccountInfo or getMultipleAccounts: it has no result.value`)
  }
  const entries = Array.isArray(value) ? value : [value]
  const found = entries.filter(entry => entry !== null)
  const read: ReadAccounts & { custodies: unknown[]; positions: unknown[]; prices: unknown[] } = {
    slot,
    pool: undefined,
    custodies: [],
    positions: [],
    prices: [],
    missing: entries.length - found.length,
  }
  let pool: PoolFacts | undefined
  for (const [i, entry] of found.entries()) {
    if (!isAccount(entry))
      throw new UsageError(`${name}: account ${i + 1} is not base64; ask with {"encoding":"base64"}`)
    const account = {
      address: `account ${i + 1}`,
      owner: entry.owner,
      data: Buffer.from(entry.data[0], 'base64'),
      slot,
    }
    const decoded = decodeAccount(account)
    if (decoded.kind === 'pool') {
      checkPoolAddress({ ...account, address: POOL_ADDRESS }, decoded.facts)
      pool = decoded.facts
    } else if (decoded.kind === 'custody') {
      const { address } = deriveCustody(decoded.facts.pool, decoded.facts.mint)
      checkCustodyAddress({ ...account, address }, decoded.facts)
      const symbol = KNOWN_CUSTODIES.find(k => k.custody === address)?.symbol ?? address.slice(0, 6)
      read.custodies.push({ address, symbol, facts: decoded.facts })
    } else if (decoded.kind === 'position') {
      const { side } = decoded.facts
      const address = side === 'none' ? account.address : derivePosition({ ...decoded.facts, side }).address
      read.positions.push({ address, facts: decoded.facts })
    } else {
      read.prices.push(decoded.facts)
    }
  }
  return { ...read, pool }
}

export const readAccountsFile = (path: string): ReadAccounts => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as Error).message}`)
  }
  return readAnswer(text, path)
}

const RPC_TIMEOUT_MS = 20_000

const ask = async (url: string, addresses: readonly string[]): Promise<string> => {
  const body = { jsonrpc: '2.0', id: 1, method: 'getMultipleAccounts', params: [addresses, { encoding: 'base64' }] }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(RPC_TIMEOUT_MS),
    })
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    return await response.text()
  } catch (error) {
    const cause = (error as { cause?: Error }).cause?.message
    throw new UsageError(
      `The node did not answer: ${(error as Error).message}${cause === undefined ? '' : ` (${cause})`}`,
    )
  }
}

/** The pool and all its custodies, asked of a node. */
export const readAccountsFromNode = async (url: string): Promise<ReadAccounts> => {
  const first = readAnswer(await ask(url, [POOL_ADDRESS]), 'The node')
  if (first.pool === undefined)
    throw new JupiterError('closed', 'The node does not have the JLP pool', { address: POOL_ADDRESS })
  return readAnswer(await ask(url, [POOL_ADDRESS, ...first.pool.custodies]), 'The node')
}
