/** Whose things are looked at: an address, or whoever has the keypair. */
import { isAddress } from '../../client/index.ts'
import { UsageError } from '../output.ts'
import { readKeypair } from './keypair.ts'

export const ownerOf = ({ keypair }: { readonly keypair: string }, address: string | undefined): string => {
  if (address === undefined) return readKeypair(keypair).publicKey.toBase58()
  if (!isAddress(address)) throw new UsageError(`"${address}" is no address`)
  return address
}
