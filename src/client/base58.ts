/** The data of calls as nodes write them: any number of bytes in base 58. */
import { fail } from './errors.ts'

const VALUES = new Map(
  [...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'].map((char, value) => [char, BigInt(value)]),
)

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
