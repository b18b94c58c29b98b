/** Any number of bytes in base 58, as nodes write the data of calls and signatures. Addresses have `src/jupiter/base58.ts`, which is faster. */
import { fail } from './errors.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const VALUES = new Map([...ALPHABET].map((char, value) => [char, BigInt(value)]))

/** `malformed` for a letter that is no digit. */
export const decodeBase58 = (text: string): Uint8Array => {
  let value = 0n
  for (const char of text) {
    value = value * 58n + (VALUES.get(char) ?? fail('malformed', `"${char}" is no base58 digit`, { digit: char }))
  }
  const bytes: number[] = [] // the least first
  for (; value > 0n; value >>= 8n) bytes.push(Number(value & 0xffn))
  const zeros = /^1*/.exec(text)![0].length // each a byte that is 0
  return Uint8Array.from([...bytes, ...new Array<number>(zeros).fill(0)].reverse())
}

export const encodeBase58 = (bytes: Uint8Array): string => {
  const begins = bytes.findIndex(byte => byte !== 0)
  let text = ''
  for (let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n); value > 0n; value /= 58n) {
    text = ALPHABET[Number(value % 58n)] + text
  }
  return '1'.repeat(begins < 0 ? bytes.length : begins) + text // a byte that is 0 each
}
