/**
 * Facts -> account bytes, for local chains and tests. What is written decodes to the same facts; what could not be stored, or
 * would not be believed when read, is refused as `out-of-range`.
 *
 * Given the account as it was, the bytes behind its last field are kept: they move with the last field, because what a newer
 * program appends there follows the fields at once. Without it they are zeros.
 */
import { type AccountLayout, CUSTODY, DISCRIMINATOR_BYTES, POOL, POSITION } from './accounts.ts'
import { Cursor } from './cursor.ts'
import { type AccountBytes, decodeCustody, decodePool, decodePosition } from './decode.ts'
import { JupiterError } from './errors.ts'
import type { CustodyFacts, PoolFacts, PositionFacts } from './facts.ts'

/** The account's bytes, with the cursor behind the last field. */
const write = <Facts>({ name, discriminator, size, codec, fault }: AccountLayout<Facts>, facts: Facts): Cursor => {
  const cursor = new Cursor(new Uint8Array(size), DISCRIMINATOR_BYTES, 'out-of-range')
  cursor.bytes.set(discriminator)
  codec.write(cursor, facts)
  const found = fault(facts)
  if (found !== undefined) {
    throw new JupiterError('out-of-range', `${name}: ${found.field} ${found.why}`, undefined, { field: found.field })
  }
  return cursor
}

const encode = <Facts>(
  layout: AccountLayout<Facts>,
  facts: Facts,
  decode: (account: AccountBytes) => Facts,
  original: AccountBytes | undefined,
): Uint8Array => {
  const { bytes, at } = write(layout, facts)
  if (original === undefined) return bytes
  const tail = original.data.subarray(write(layout, decode(original)).at)
  const room = bytes.length - at
  if (tail.subarray(room).some(byte => byte !== 0)) {
    const why = `${layout.name}: there is no room left for the bytes behind its last field`
    throw new JupiterError('out-of-range', why, original, { room })
  }
  bytes.set(tail.subarray(0, room), at)
  return bytes
}

/** 2000 bytes. */
export const encodePool = (facts: PoolFacts, original?: AccountBytes): Uint8Array =>
  encode(POOL, facts, decodePool, original)

/** 2000 bytes. */
export const encodeCustody = (facts: CustodyFacts, original?: AccountBytes): Uint8Array =>
  encode(CUSTODY, facts, decodeCustody, original)

/** 216 bytes. */
export const encodePosition = (facts: PositionFacts, original?: AccountBytes): Uint8Array =>
  encode(POSITION, facts, decodePosition, original)
