/**
 * The test wallet of this browser: a key made by WebCrypto that lies readable in localStorage. Offered on a local chain alone, where
 * nothing is worth anything.
 */
import { encodeAddress } from '../../../../src/jupiter/base58.ts'
import { fromBase64, signableOf, toBase64 } from './transaction.ts'
import type { Signer } from './types.ts'

const KEY = 'sunder.test-wallet'

interface Stored {
  readonly secret: string
  readonly address: string
}

const stored = (): Stored | undefined => {
  try {
    const text = localStorage.getItem(KEY)
    return text === null ? undefined : (JSON.parse(text) as Stored)
  } catch {
    return undefined
  }
}

export const hasBurner = (): boolean => stored() !== undefined

const create = async (): Promise<Stored> => {
  const { publicKey, privateKey } = (await crypto.subtle.generateKey('Ed25519', true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const [raw, secret] = await Promise.all([
    crypto.subtle.exportKey('raw', publicKey),
    crypto.subtle.exportKey('pkcs8', privateKey),
  ])
  const made = { secret: toBase64(new Uint8Array(secret)), address: encodeAddress(new Uint8Array(raw)) }
  localStorage.setItem(KEY, JSON.stringify(made))
  return made
}

/** The one that there is, or a new one. */
export const openBurner = async (): Promise<Signer> => {
  const { secret, address } = stored() ?? (await create())
  const key = await crypto.subtle.importKey('pkcs8', fromBase64(secret), 'Ed25519', false, ['sign'])
  return {
    kind: 'burner',
    name: 'Test wallet of this browser',
    address,
    sign: async transaction => {
      const signable = signableOf(transaction)
      const signature = await crypto.subtle.sign('Ed25519', key, Uint8Array.from(signable.message))
      return signable.signed(address, new Uint8Array(signature))
    },
  }
}
