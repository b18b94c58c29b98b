/** All accounts of a kind that the program has, by what they belong to: one question to a node, which may be a heavy one on a cluster. */
import { type Connection, PublicKey } from '@solana/web3.js'
import { type AccountData, type AccountName, decode } from './codecs.ts'
import { fail } from './errors.ts'
import { PROGRAM_ID } from './generated/interface.ts'
import { LAYOUTS } from './generated/layouts.ts'

export interface Listed<N extends AccountName> {
  readonly address: string
  readonly data: AccountData[N]
}

/** `where`: addresses that a field of the record must have, such as `{ market, owner }`. In the order of their addresses. */
export const listAccounts = async <N extends AccountName>(
  connection: Pick<Connection, 'getProgramAccounts'>,
  name: N,
  where: Readonly<Partial<Record<'market' | 'owner' | 'account', string>>> = {},
): Promise<Listed<N>[]> => {
  const { fields, discriminator } = LAYOUTS[name]
  const filters = Object.entries(where).map(([field, bytes]) => {
    const offset = fields.find(known => known.name === field && known.type === 'pubkey')?.offset
    return { memcmp: { offset: offset ?? fail('inconsistent', `A ${name} has no ${field}`), bytes } }
  })
  const kind = Buffer.from(discriminator).toString('base64')
  const found = await connection.getProgramAccounts(new PublicKey(PROGRAM_ID), {
    filters: [{ memcmp: { offset: 0, bytes: kind, encoding: 'base64' } }, ...filters],
  })
  return found
    .map(({ pubkey, account }) => ({ address: pubkey.toBase58(), data: decode(name, account.data) }))
    .sort((a, b) => (a.address < b.address ? -1 : 1))
}
