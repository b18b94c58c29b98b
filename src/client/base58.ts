/** The data of calls as nodes write them: any number of bytes in base 58. */
import { fail } from './errors.ts'

const VALUES = new Map(
  [...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'].map((char, value) => [char, value]),
)
const CHUNK_DIGITS = 5

/** `malformed` for a letter that is no digit. */
export const decodeBase58 = (text: string): Uint8Array => {
  const limbs: number[] = [] // of 16 bits, the least first
  for (let at = 0; at < text.length; at += CHUNK_DIGITS) {
    const chunk = text.slice(at, at + CHUNK_DIGITS)
    let carry = 0
    for (const char of chunk) {
      carry = carry * 58 + (VALUES.get(char) ?? fail('malformed', `"${char}" is no base58 digit`, { offset: at }))
    }
    const factor = 58 ** chunk.length // below 2^30, so that all stays exact below 2^53
    for (let i = 0; i < limbs.length; i++) {
      const sum = limbs[i]! * factor + carry
      limbs[i] = sum % 0x10000
      carry = Math.floor(sum / 0x10000)
    }
    for (; carry > 0; carry = Math.floor(carry / 0x10000)) limbs.push(carry % 0x10000)
  }
  const bytes = limbs.flatMap(limb => [limb & 0xff, limb >> 8]).reverse()
  const begins = bytes.findIndex(byte => byte !== 0)
  const zeros = /^1*/.exec(text)![0].length // each a byte that is 0
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...(begins < 0 ? [] : bytes.slice(begins))])
}
