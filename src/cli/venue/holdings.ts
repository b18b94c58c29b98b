/** What a wallet holds: SOL, JLP, PT by market and wrapped ST. */
import { PublicKey } from '@solana/web3.js'
import { ADDRESSES, addressOf } from '../../client/index.ts'
import type { Venue } from './connection.ts'
import type { NamedMarket } from './standing.ts'

/** Atoms of tokens by their mint, and lamports. */
export const holdingsOf = async ({ connection }: Venue, owner: string) => {
  const key = new PublicKey(owner)
  const programs = [ADDRESSES.tokenProgram, ADDRESSES.token2022Program]
  const [lamports, ...lists] = await Promise.all([
    connection.getBalance(key),
    ...programs.map(program => connection.getParsedTokenAccountsByOwner(key, { programId: new PublicKey(program) })),
  ])
  const byMint = new Map<string, bigint>()
  for (const { account } of lists.flatMap(({ value }) => value)) {
    const { mint, tokenAmount } = account.data.parsed.info as { mint: string; tokenAmount: { amount: string } }
    byMint.set(mint, (byMint.get(mint) ?? 0n) + BigInt(tokenAmount.amount))
  }
  const held = (mint: string): bigint => byMint.get(mint) ?? 0n
  return {
    lamports: BigInt(lamports),
    jlp: held(ADDRESSES.jlpMint),
    st: {
      hourly: held(addressOf('StMint', { kind: 'hourly' })),
      weekly: held(addressOf('StMint', { kind: 'weekly' })),
    },
    pt: ({ address }: Pick<NamedMarket, 'address'>): bigint => held(addressOf('PtMint', { market: address })),
  }
}

export type Holdings = Awaited<ReturnType<typeof holdingsOf>>
