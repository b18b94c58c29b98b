/** Leaves a market that has matured: whatever an owner has there is paid out, and its accounts are closed. */
import { type Connection, PublicKey, TransactionInstruction } from '@solana/web3.js'
import { tokenAccountOf } from '../../chain/tokens.ts'
import {
  ADDRESSES,
  addressOf,
  listAccounts,
  type MarketRef,
  marketAddress,
  type SunderClient,
  type Wallet,
  walletAddress,
} from '../../client/index.ts'

const CLOSE_ACCOUNT = 9

/** An empty token account; its rent goes back to the owner. */
const closeTokens = (account: string, owner: PublicKey): TransactionInstruction =>
  new TransactionInstruction({
    programId: new PublicKey(ADDRESSES.tokenProgram),
    keys: [
      { pubkey: new PublicKey(account), isSigner: false, isWritable: true },
      { pubkey: owner, isSigner: false, isWritable: true },
      { pubkey: owner, isSigner: true, isWritable: false },
    ],
    data: Buffer.from([CLOSE_ACCOUNT]),
  })

/** JLP atoms of a margin account that can be withdrawn: profits wait until every debtor of the market is settled. */
const withdrawable = (margin: bigint, netDeposits: bigint, debtors: number): bigint =>
  debtors === 0 || margin < netDeposits ? margin : netDeposits

/** True when nothing is left; else again later. Throws what is refused. `seconds`: that a removal is good for. */
export const leave = async (
  client: SunderClient,
  connection: Connection,
  market: MarketRef,
  wallet: Wallet,
  seconds: number,
): Promise<boolean> => {
  const owner = wallet.publicKey.toBase58()
  const where = { market: marketAddress(market), owner }
  for (const { data } of await listAccounts(connection, 'LpPosition', where)) {
    const { lower, upper, liquidity } = data.position
    const place = { market, owner, lower, upper }
    if (liquidity > 0n) await client.removeLiquidity({ ...place, seconds }, wallet)
    else if (data.position.uncollected > 0n) await client.execute('collect', place, wallet)
    await client.execute('closePosition', place, wallet)
  }
  let isWaiting = false
  for (const { address, data } of await listAccounts(connection, 'MarginAccount', where)) {
    const place = { market, owner, sub: data.sub }
    for (const { data: order } of await listAccounts(connection, 'RestingOrder', { account: address })) {
      await client.cancelOrder({ ...place, id: order.id }, wallet)
    }
    if (data.st !== 0n || data.yt !== 0n) await client.execute('settle', place, wallet)
    const settled = (await client.account(market, owner, data.sub)) ?? data
    const { totals } = (await client.market(market)).data
    const jlp = withdrawable(settled.margin, settled.netDeposits, totals.debtors)
    if (jlp > 0n) await client.execute('withdraw', { ...place, jlp }, wallet)
    if (jlp === settled.margin) await client.execute('closeAccount', place, wallet)
    else isWaiting = true
  }
  const mint = addressOf('PtMint', { market: where.market })
  const tokens = walletAddress({ owner, mint, program: ADDRESSES.tokenProgram })
  const [held] = await client.read([tokens])
  if (held !== undefined) {
    const pt = tokenAccountOf({ owner: held.owner, data: Buffer.from(held.data) })?.amount ?? 0n
    if (pt > 0n) await client.execute('redeemPt', { market, owner, pt }, wallet)
    await client.send([closeTokens(tokens, wallet.publicKey)], wallet)
  }
  return !isWaiting
}
