/** The five kinds of account, each with what the tests do to all of them alike. */
import type { AccountLayout } from '../../src/jupiter/accounts.ts'
import { AG_PRICE_FEED, CUSTODY, DISCRIMINATOR_BYTES, POOL, POSITION, PRICE_FEED } from '../../src/jupiter/accounts.ts'
import { Cursor } from '../../src/jupiter/cursor.ts'
import {
  type AccountBytes,
  decodeAgPriceFeed,
  decodeCustody,
  decodePool,
  decodePosition,
  decodePriceFeed,
} from '../../src/jupiter/decode.ts'
import { encodeCustody, encodePool, encodePosition } from '../../src/jupiter/encode.ts'

export interface Kind {
  readonly layout: AccountLayout<never>
  readonly decode: (account: AccountBytes) => unknown
  /** With the original given, its bytes behind the last field are kept. */
  readonly encode: (fields: unknown, original?: AccountBytes) => Uint8Array
}

/** Doves accounts are not written by the project, only by its tests. */
const encodeFeed =
  (layout: AccountLayout<never>) =>
  (fields: unknown, original?: AccountBytes): Uint8Array => {
    const bytes = original === undefined ? new Uint8Array(layout.size) : Uint8Array.from(original.data)
    bytes.set(layout.discriminator)
    layout.codec.write(new Cursor(bytes, DISCRIMINATOR_BYTES, 'out-of-range'), fields)
    return bytes
  }

export const KINDS: readonly Kind[] = [
  { layout: POOL, decode: decodePool, encode: encodePool as Kind['encode'] },
  { layout: CUSTODY, decode: decodeCustody, encode: encodeCustody as Kind['encode'] },
  { layout: POSITION, decode: decodePosition, encode: encodePosition as Kind['encode'] },
  { layout: PRICE_FEED, decode: decodePriceFeed, encode: encodeFeed(PRICE_FEED) },
  { layout: AG_PRICE_FEED, decode: decodeAgPriceFeed, encode: encodeFeed(AG_PRICE_FEED) },
]

export const kindOf = (name: string): Kind => {
  const found = KINDS.find(({ layout }) => layout.name === name)
  if (found === undefined) throw new Error(`No kind ${name}`)
  return found
}

/** An account of that kind, as a node would return it. */
export const accountOf = (
  { layout }: Kind,
  data: Uint8Array,
  address = 'AnyAddress11111111111111111111111111111111',
): AccountBytes => ({ address, owner: layout.owner, data, slot: 450_101_361n })
