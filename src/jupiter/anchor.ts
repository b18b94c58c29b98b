/**
 * The same accounts through Anchor's own coder and the same IDLs: the reference that the compiled codecs are held against, and
 * a second opinion for whoever wants one. For bytes that `decode.ts` has accepted only: Anchor's coder does not check how many
 * custodies a pool can have, and takes memory for 4 billion if told so. Slow, and loads Anchor; nothing else in src needs it.
 */
import { type Idl as AnchorIdl, BorshAccountsCoder } from '@coral-xyz/anchor'
import { DOVES_IDL, PERPETUALS_IDL } from './accounts.ts'
import { factName, variantName } from './layout.ts'

/** By the account's name in its IDL. */
const CODERS = new Map(
  [PERPETUALS_IDL, DOVES_IDL].flatMap(idl => {
    const coder = new BorshAccountsCoder(idl as unknown as AnchorIdl)
    return idl.accounts.map(({ name }) => [name, coder] as const)
  }),
)

/** Anchor's values as facts: bignums as bigint, keys as base58, `{ Long: {} }` as 'long', lists of bytes as bytes. */
const toFact = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if ('toTwos' in value) return BigInt(String(value))
  if ('toBase58' in value) return String(value)
  if (Array.isArray(value)) return typeof value[0] === 'number' ? Uint8Array.from(value) : value.map(toFact)
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first !== undefined && Object.keys(first[1] as object).length === 0) {
    return variantName(first[0])
  }
  return Object.fromEntries(entries.map(([name, inner]) => [factName(name), toFact(inner)]))
}

/** All fields of an account as Anchor reads them; `name` is 'Pool', 'Custody', 'Position', 'PriceFeed' or 'AgPriceFeed'. */
export const decodeWithAnchor = (name: string, data: Uint8Array): unknown => {
  const coder = CODERS.get(name)
  if (coder === undefined) throw new Error(`No IDL of programs-idl has an account ${name}`)
  return toFact(coder.decode(name, Buffer.from(data.buffer, data.byteOffset, data.byteLength)))
}
