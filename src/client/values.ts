/** Plain values in bytes, little-endian: of accounts, of arguments and of events. Imports no packages. */
import type { CouponKind } from '../../amm/display.ts'
import { decodeAddress, encodeAddress } from '../jupiter/base58.ts'
import { JupiterError } from '../jupiter/errors.ts'
import { fail } from './errors.ts'
import type { FieldLayout } from './layout.ts'

export const COUPON_KINDS: readonly CouponKind[] = ['hourly', 'weekly']
/** Accounts, instructions and events begin with as many bytes of a hash of their name. */
export const DISCRIMINATOR_BYTES = 8

export const viewOf = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength)

/** Whether data begin with these bytes. */
export const begins = (data: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, i) => data[i] === byte)

const U64 = 0xffff_ffff_ffff_ffffn

type Read = (view: DataView, at: number) => unknown

export const READ: Readonly<Record<string, Read>> = {
  u8: (view, at) => view.getUint8(at),
  u16: (view, at) => view.getUint16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  u64: (view, at) => view.getBigUint64(at, true),
  i64: (view, at) => view.getBigInt64(at, true),
  u128: (view, at) => (view.getBigUint64(at + 8, true) << 64n) | view.getBigUint64(at, true),
  i128: (view, at) => (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true),
  bool: (view, at) => [false, true][view.getUint8(at)],
  coupon_kind: (view, at) => COUPON_KINDS[view.getUint8(at)],
  pubkey: (view, at) => encodeAddress(new Uint8Array(view.buffer, view.byteOffset + at, 32)),
}

type Write = (view: DataView, at: number, value: never) => void

export const WRITE: Readonly<Record<string, Write>> = {
  u8: (view, at, value: number) => view.setUint8(at, value),
  u16: (view, at, value: number) => view.setUint16(at, value, true),
  u32: (view, at, value: number) => view.setUint32(at, value, true),
  i32: (view, at, value: number) => view.setInt32(at, value, true),
  u64: (view, at, value: bigint) => view.setBigUint64(at, value, true),
  i64: (view, at, value: bigint) => view.setBigInt64(at, value, true),
  u128: (view, at, value: bigint) => {
    view.setBigUint64(at, value & U64, true)
    view.setBigUint64(at + 8, value >> 64n, true)
  },
  i128: (view, at, value: bigint) => {
    view.setBigUint64(at, value & U64, true)
    view.setBigInt64(at + 8, value >> 64n, true)
  },
  bool: (view, at, value: boolean) => view.setUint8(at, value ? 1 : 0),
  coupon_kind: (view, at, value: CouponKind) => view.setUint8(at, COUPON_KINDS.indexOf(value)),
  pubkey: (view, at, value: string) => new Uint8Array(view.buffer, view.byteOffset + at, 32).set(decodeAddress(value)),
}

/** Why a value is not one of the field, if it is none. */
export const fault = (field: FieldLayout, value: unknown): string | undefined => {
  if ('least' in field) {
    const { least, most } = field
    const isNumber = typeof least === 'number'
    if (isNumber ? !Number.isInteger(value) : typeof value !== 'bigint') return isNumber ? 'a whole number' : 'a bigint'
    return (value as number | bigint) >= least && (value as number | bigint) <= most ? undefined : `${least} .. ${most}`
  }
  switch (field.type) {
    case 'bool':
      return typeof value === 'boolean' ? undefined : 'true or false'
    case 'coupon_kind':
      return COUPON_KINDS.includes(value as CouponKind) ? undefined : COUPON_KINDS.join(' or ')
    default:
      return typeof value === 'string' && isAddress(value) ? undefined : 'an address'
  }
}

/** Whether a text is the one spelling of 32 bytes. */
export const isAddress = (text: string): boolean => {
  try {
    return decodeAddress(text).length === 32
  } catch (error) {
    if (error instanceof JupiterError) return false
    throw error
  }
}

export const show = (value: unknown): string => (typeof value === 'string' ? `"${value.slice(0, 60)}"` : String(value))

export const refuse = (path: string, value: unknown, wanted: string): never =>
  fail('out-of-range', `${path} must be ${wanted}, got ${show(value)}`, { field: path, value: show(value) })
