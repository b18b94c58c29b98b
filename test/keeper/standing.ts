/** A whole market of a chain as the engine has it, read by the client alone and not by the keeper; and its books, summed afresh. */
import { PublicKey } from '@solana/web3.js'
import { expect } from 'vitest'
import { tokenAccountOf } from '../../src/chain/tokens.ts'
import { ADDRESSES, listAccounts, marketAddress } from '../../src/client/index.ts'
import { audit, balanceId } from '../../src/exchange/index.ts'
import { mirrorOf } from '../../src/mirror/index.ts'
import type { Place } from './support.ts'

export const standingOf = async ({ chain, connection, client, market }: Place) => {
  const where = { market: marketAddress(market) }
  const reading = await client.market(market)
  const config = await client.config()
  const listed = await listAccounts(connection, 'MarginAccount', where)
  const accounts = listed.map(({ data }) => data)
  const positions = (await listAccounts(connection, 'LpPosition', where)).map(({ data }) => data)
  const orders = (await listAccounts(connection, 'RestingOrder', where)).map(({ data: order }) => {
    const { sub } = listed.find(({ address }) => address === order.account)!.data
    return { sub, order }
  })
  const tokens = chain.accountsOf(ADDRESSES.tokenProgram).flatMap(({ account }) => tokenAccountOf(account) ?? [])
  const pt = tokens.filter(({ mint }) => mint === reading.data.ptMint)
  const balances = new Map(pt.map(({ owner, amount }) => [balanceId(`pt/${reading.stored.id}`, owner), amount]))
  const supply = await connection.getTokenSupply(new PublicKey(ADDRESSES.jlpMint))
  const held = { config, jlpSupply: BigInt(supply.value.amount), balances, accounts, positions, orders }
  return { reading, ...mirrorOf(reading, held) }
}

/** Every identity of the ledger holds. */
export const expectBooks = async (place: Place): Promise<void> => {
  const { state } = await standingOf(place)
  expect(audit(state).violations).toEqual([])
}
