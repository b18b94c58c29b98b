import { PublicKey } from '@solana/web3.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAddress, encodeAddress } from '../../src/jupiter/base58.ts'

/** Random keys, and keys with runs of zeros at either end. */
const keys = fc
  .tuple(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(32), fc.nat(32))
  .map(([key, from, to]) => key.map((byte, i) => (i < from - 16 || i >= 32 - (to - 16) ? 0 : byte)))

describe('addresses as text', () => {
  test('behavior: the same as web3.js, both ways', () => {
    fc.assert(
      fc.property(keys, key => {
        const address = encodeAddress(key)
        expect(address).toBe(new PublicKey(key).toBase58())
        expect(decodeAddress(address)).toStrictEqual(key)
      }),
      { numRuns: 5000 },
    )
  })

  test('behavior: the smallest, the largest, and each power of two', () => {
    const samples = [new Uint8Array(32), new Uint8Array(32).fill(255)]
    for (let bit = 0; bit < 256; bit++) {
      const key = new Uint8Array(32)
      key[bit >> 3] = 1 << (bit & 7)
      samples.push(key)
    }
    for (const key of samples) {
      expect(encodeAddress(key)).toBe(new PublicKey(key).toBase58())
      expect(decodeAddress(encodeAddress(key))).toStrictEqual(key)
    }
  })

  test('behavior: reads from the middle of a buffer', () => {
    const buffer = Uint8Array.from({ length: 100 }, (_, i) => i)
    expect(encodeAddress(buffer, 7)).toBe(new PublicKey(buffer.subarray(7, 39)).toBase58())
  })

  test.each([
    ['empty', ''],
    ['too short', '111'],
    ['31 zeros', '1'.repeat(31)],
    ['33 zeros', '1'.repeat(33)],
    ['too large', 'z'.repeat(44)],
    ['too long', '1'.repeat(45)],
    ['31 bytes with text of full length', `${'1'.repeat(12)}zzzzzzzzzzzzzzzzzzzzzzzzzzzz`],
    ['a digit that is none', '5BUwFW4nRbftYTDMbgxykoFWqWHPzahFSNAaaaJtVKs0'],
    ['a space', ' BUwFW4nRbftYTDMbgxykoFWqWHPzahFSNAaaaJtVKsq'],
    ['not ASCII', '5BUwFW4nRbftYTDMbgxykoFWqWHPzahFSNAaaaJtVKsé'],
  ])('error: wrong-address: %s', (_, text) => {
    expect(() => decodeAddress(text)).toThrow(expect.objectContaining({ name: 'JupiterError', code: 'wrong-address' }))
  })

  test('error: wrong-address: bytes that end too early', () => {
    expect(() => encodeAddress(new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'wrong-address' }))
    expect(() => encodeAddress(new Uint8Array(40), 9)).toThrow(expect.objectContaining({ code: 'wrong-address' }))
  })
})
