/**
 * Addresses as text: the 32 bytes as one number in base 58. Reading a pool is mostly this, hence not by the long division
 * of bs58 and web3.js, which takes four times as long.
 */
import { JupiterError } from './errors.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const CODES = Uint8Array.from(ALPHABET, char => char.charCodeAt(0))
const VALUES = new Map([...ALPHABET].map((char, value) => [char, value]))

const ADDRESS_BYTES = 32
const LIMBS = ADDRESS_BYTES / 2
/** 32 bytes are at most 44 digits: nine chunks of five. */
const CHUNKS = 9
const CHUNK_DIGITS = 5
const CHUNK = 58 ** CHUNK_DIGITS
const DIGITS = CHUNKS * CHUNK_DIGITS

/** 2^(16 * i) in base 58^5, least significant first; LIMBS rows for the limbs of an address, most significant first. */
const POWERS = Float64Array.from({ length: LIMBS * CHUNKS }, (_, i) => {
  const power = 1n << BigInt(16 * (LIMBS - 1 - Math.floor(i / CHUNKS)))
  return Number((power / BigInt(CHUNK) ** BigInt(i % CHUNKS)) % BigInt(CHUNK))
})

const sums = new Float64Array(CHUNKS)
const text = new Array<number>(DIGITS)

/** The address in the 32 bytes from `at` on. */
export const encodeAddress = (bytes: Uint8Array, at = 0): string => {
  if (bytes.length < at + ADDRESS_BYTES) {
    throw new JupiterError('wrong-address', `An address is ${ADDRESS_BYTES} bytes`, undefined, { bytes: bytes.length })
  }
  // Exact in float64: 16 products below 2^16 * 58^5 add up to less than 2^50.
  sums.fill(0)
  for (let i = 0; i < LIMBS; i++) {
    const limb = bytes[at + 2 * i]! * 256 + bytes[at + 2 * i + 1]!
    for (let j = 0; j < CHUNKS; j++) sums[j]! += limb * POWERS[i * CHUNKS + j]!
  }
  let carry = 0
  let end = DIGITS
  for (let j = 0; j < CHUNKS; j++) {
    const sum = sums[j]! + carry
    carry = Math.floor(sum / CHUNK)
    let rest = sum - carry * CHUNK
    for (let i = 0; i < CHUNK_DIGITS; i++) {
      const above = (rest / 58) | 0
      text[--end] = CODES[rest - above * 58]!
      rest = above
    }
  }
  // Zeros in front count by bytes: one "1" for each.
  while (end < DIGITS && text[end] === CODES[0]) end++
  for (let i = 0; i < ADDRESS_BYTES && bytes[at + i] === 0; i++) text[--end] = CODES[0]!
  return String.fromCharCode.apply(null, text.slice(end))
}

/** The 32 bytes of an address; anything but the one spelling of an address is refused. */
export const decodeAddress = (address: string): Uint8Array => {
  const refuse = (why: string): never => {
    throw new JupiterError('wrong-address', `"${address.slice(0, 60)}" is not an address: ${why}`)
  }
  if (address.length < ADDRESS_BYTES || address.length > 44) refuse('it should have 32 to 44 characters')
  const bytes = new Uint8Array(ADDRESS_BYTES)
  for (const char of address) {
    let carry = VALUES.get(char) ?? refuse(`"${char}" is no base58 digit`)
    for (let i = ADDRESS_BYTES - 1; i >= 0; i--) {
      carry += bytes[i]! * 58
      bytes[i] = carry & 255
      carry >>= 8
    }
  }
  // What ran over the top was dropped, and is missed here.
  if (encodeAddress(bytes) !== address) refuse('it is not 32 bytes')
  return bytes
}
