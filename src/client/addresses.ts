/** Where the program's accounts are: addresses derived from seeds, which are generated with the layouts. */
import { PublicKey } from '@solana/web3.js'
import type { CouponKind } from '../../amm/display.ts'
import { decodeAddress } from '../jupiter/base58.ts'
import { COUPON_KINDS, isAddress } from './codecs.ts'
import { fail } from './errors.ts'
import { PROGRAM_ID } from './generated/interface.ts'
import { SEEDS } from './generated/layouts.ts'
import type { SeedLayout } from './layout.ts'

export type Seeds = typeof SEEDS
export type AddressName = keyof Seeds

type SeedValue<T> = T extends 'coupon_kind' ? CouponKind : T extends 'pubkey' ? string : number
type Named<S> = Extract<S, { readonly name: string }>
/** What an address is made of besides its text: `{ market, owner, sub }` for a margin account. */
export type SeedsOf<N extends AddressName> = {
  readonly [S in Named<Seeds[N][number]> as S['name']]: SeedValue<S['type']>
}

/** An address and the number that makes it one that nobody has the key of. */
export interface Derived {
  readonly address: string
  readonly bump: number
}

const keyOf = (what: string, address: unknown): Uint8Array => {
  if (typeof address === 'string' && isAddress(address)) return decodeAddress(address)
  return fail('wrong-address', `${what} must be an address, got ${String(address)}`, { what })
}

const WIDTHS = {
  u8: [1, 0, 0xff],
  u32: [4, 0, 0xffff_ffff],
  i32: [4, -0x8000_0000, 0x7fff_ffff],
} as const

const seedBytes = (seed: SeedLayout, values: Readonly<Record<string, unknown>>): Uint8Array => {
  if ('text' in seed) return new TextEncoder().encode(seed.text)
  const { name, type } = seed
  const value = values[name]
  if (type === 'pubkey') return keyOf(name, value)
  const number = type === 'coupon_kind' ? COUPON_KINDS.indexOf(value as CouponKind) : value
  const [width, least, most] = WIDTHS[type === 'coupon_kind' ? 'u8' : type]
  if (typeof number !== 'number' || !Number.isInteger(number) || number < least || number > most) {
    return fail('out-of-range', `The seed ${name} cannot be ${String(value)}`, { name })
  }
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, number, true) // the low 32 bits, whatever the sign
  return bytes.subarray(0, width)
}

/** The address of that name under a program: `derive(program, 'Market', { maturity, kind })`. */
export const derive = <N extends AddressName>(program: string, name: N, values: SeedsOf<N>): Derived => {
  const id = new PublicKey(keyOf('The program', program))
  const seeds = SEEDS[name].map(seed => seedBytes(seed, values))
  const [address, bump] = PublicKey.findProgramAddressSync(seeds, id)
  return { address: address.toBase58(), bump }
}

/** Where the program has the account of that name: `addressOf('Market', { maturity, kind })`. */
export const addressOf = <N extends AddressName>(name: N, values: SeedsOf<N>): string =>
  derive(PROGRAM_ID, name, values).address

/** Refuses an account that is not at the address that its seeds give, or that names another bump. */
export const checkAddress = <N extends AddressName>(
  program: string,
  name: N,
  values: SeedsOf<N>,
  found: Derived,
): void => {
  const expected = derive(program, name, values)
  if (found.address !== expected.address || found.bump !== expected.bump) {
    const context = { found: found.address, expected: expected.address, bump: found.bump, expectedBump: expected.bump }
    fail('wrong-address', `This ${name} is at ${found.address}, its seeds give ${expected.address}`, context)
  }
}
