/** Anchor's own coders over the generated IDL: a second opinion of everything that goes over the wire. */
import { readFileSync } from 'node:fs'
import { BN, type Idl, Program, type Provider } from '@coral-xyz/anchor'
import { PublicKey } from '@solana/web3.js'
import type { WireLayout } from '../../src/client/layout.ts'
import { COUPON_KINDS } from '../../src/client/values.ts'
import type { Random } from '../generate/random.ts'
import { randomAddress } from './records.ts'

interface IdlAccount {
  readonly name: string
  readonly writable?: boolean
  readonly signer?: boolean
  readonly optional?: boolean
  readonly address?: string
}
interface PlainIdl {
  readonly address: string
  readonly instructions: readonly {
    readonly name: string
    readonly discriminator: readonly number[]
    readonly accounts: readonly IdlAccount[]
    readonly args: readonly { readonly name: string }[]
  }[]
  readonly events: readonly { readonly name: string; readonly discriminator: readonly number[] }[]
  readonly errors: readonly { readonly code: number; readonly name: string; readonly msg: string }[]
}

export const IDL = JSON.parse(
  readFileSync(new URL('../../programs-idl/sunder.json', import.meta.url), 'utf8'),
) as PlainIdl
export const PROGRAM = new Program(IDL as unknown as Idl, { connection: {} } as Provider)

export const camelOf = (name: string): string => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())

const NAMES: Readonly<Record<string, readonly string[]>> = {
  coupon_kind: COUPON_KINDS,
  Action: ['long', 'short', 'reduce', 'close'],
  AmountUnit: ['token', 'st'],
  OrderAction: ['long', 'short', 'reduce-long', 'reduce-short'],
  Trigger: ['none', 'rate-above', 'rate-below', 'pnl-above', 'pnl-below'],
  OrderKind: ['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'],
}
const TERMS = ['feeBps', 'lpShareBps', 'insuranceShareBps', 'guardBps', 'forcedBps', 'openInterestBps', 'penaltyBps']

const integer = (random: Random, least: bigint, most: bigint): bigint => {
  if (random.int(0, 4) === 0) return random.pick([least, most])
  return random.int(0, 1) === 0 ? random.big(least, most) : least + random.magnitude(most - least)
}

/** Anything that the type holds. */
export const randomWire = (random: Random, type: string): unknown => {
  if (type in NAMES) return random.pick(NAMES[type]!)
  if (type === 'ChangeableTerms') return Object.fromEntries(TERMS.map(term => [term, random.int(0, 65_535)]))
  if (type === 'bool') return random.pick([false, true])
  if (type === 'pubkey') return randomAddress(random)
  const [, sign, width] = /^([ui])(\d+)$/.exec(type)!
  const bits = BigInt(width!)
  const least = sign === 'u' ? 0n : -(1n << (bits - 1n))
  const value = integer(random, least, least + (1n << bits) - 1n)
  return bits <= 32n ? Number(value) : value
}

export const randomFields = (random: Random, fields: readonly WireLayout[]): Record<string, unknown> =>
  Object.fromEntries(
    fields.map(({ name, type, optional }) => [
      name,
      optional && random.int(0, 1) === 0 ? undefined : randomWire(random, type),
    ]),
  )

/** A value as Anchor takes it: bignums, keys, `{ buyYt: {} }`, null where there is none. */
export const toAnchor = (type: string, value: unknown): unknown => {
  if (value === undefined) return null
  if (typeof value === 'bigint') return new BN(value.toString())
  if (type === 'pubkey') return new PublicKey(value as string)
  if (type in NAMES) return { [camelOf((value as string).replace('-', '_'))]: {} }
  return value
}

/** A value as Anchor gives it, in the client's terms. */
export const fromAnchor = (value: unknown): unknown => {
  if (value === null) return undefined
  if (typeof value !== 'object') return value
  if ('toTwos' in value) return BigInt(String(value))
  if ('toBase58' in value) return String(value)
  if (Array.isArray(value)) return value.map(fromAnchor)
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && typeof first![1] === 'object' && Object.keys(first![1] as object).length === 0) {
    return first![0].replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`).replace(/^-/, '')
  }
  return Object.fromEntries(entries.map(([name, inner]) => [camelOf(name), fromAnchor(inner)]))
}
