/** Any bytes in base 58, as nodes write data and signatures; the client only reads it. */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

export const encodeBase58 = (bytes: Uint8Array): string => {
  const begins = bytes.findIndex(byte => byte !== 0)
  let text = ''
  for (let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n); value > 0n; value /= 58n) {
    text = ALPHABET[Number(value % 58n)] + text
  }
  return '1'.repeat(begins < 0 ? bytes.length : begins) + text
}
