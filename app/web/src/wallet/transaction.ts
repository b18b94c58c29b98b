/** Just enough of a serialised transaction to sign it: who must sign it, and what is signed. */
import { encodeAddress } from '../../../../src/jupiter/base58.ts'

const SIGNATURE_BYTES = 64
const KEY_BYTES = 32
const VERSIONED = 0x80

/** A length in 7 bits a byte, the least first. */
const lengthAt = (bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } => {
  let value = 0
  let next = at
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[next++]
    if (byte === undefined) throw new Error('A transaction ends too early')
    value |= (byte & 0x7f) << shift
    if ((byte & 0x80) === 0) return { value, next }
  }
}

export interface Signable {
  /** Addresses that sign, in the order of their signatures. */
  readonly signers: readonly string[]
  readonly message: Uint8Array
  /** The transaction with an address's signature at its place. */
  readonly signed: (address: string, signature: Uint8Array) => Uint8Array
}

export const signableOf = (transaction: Uint8Array): Signable => {
  const { value: count, next: first } = lengthAt(transaction, 0)
  const message = transaction.subarray(first + count * SIGNATURE_BYTES)
  const header = (message[0]! & VERSIONED) === 0 ? 0 : 1
  const keys = lengthAt(message, header + 3).next
  const signers = Array.from({ length: count }, (_, i) => encodeAddress(message, keys + i * KEY_BYTES))
  return {
    signers,
    message,
    signed: (address, signature) => {
      const place = signers.indexOf(address)
      if (place < 0) throw new Error('This transaction is not one for this wallet')
      const copy = Uint8Array.from(transaction)
      copy.set(signature, first + place * SIGNATURE_BYTES)
      return copy
    },
  }
}

export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), char => char.charCodeAt(0))
export const toBase64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
