/**
 * Account bytes <-> records, for every account of the program. A record has the fields of docs/program-accounts.md, by the
 * engine's names: a bigint for whatever may need more than 32 bits, an address in base58 for a key.
 *
 * Reading believes nothing: kind, version, length, every bound and the reserve are checked, so that whatever decodes encodes to
 * the same bytes. Imports no packages, because the page uses it as it is.
 */
import type { CouponKind } from '../../amm/display.ts'
import { decodeAddress, encodeAddress } from '../jupiter/base58.ts'
import { JupiterError } from '../jupiter/errors.ts'
import { type ClientErrorContext, fail } from './errors.ts'
import { type AccountData, LAYOUTS } from './generated/layouts.ts'
import type { AccountLayout, FieldLayout } from './layout.ts'

export type * from './generated/layouts.ts'
export { TICK_ARRAYS, TICKS_PER_ARRAY } from './generated/layouts.ts'
export type AccountName = keyof AccountData

/** An account as a node returns it. */
export interface AccountBytes {
  /** The program that owns it. */
  readonly owner: string
  readonly data: Uint8Array
}

export const COUPON_KINDS: readonly CouponKind[] = ['hourly', 'weekly']
/** What an address is where there is none. */
export const NO_ADDRESS = '11111111111111111111111111111111'
const DISCRIMINATOR_BYTES = 8

const viewOf = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength)

// ---- plain values -----------------------------------------------------------------------------------------------------

const U64 = 0xffff_ffff_ffff_ffffn

type Read = (view: DataView, at: number) => unknown

const READ: Readonly<Record<string, Read>> = {
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

const WRITE: Readonly<Record<string, Write>> = {
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
const fault = (field: FieldLayout, value: unknown): string | undefined => {
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

// ---- records ----------------------------------------------------------------------------------------------------------

type Fields = readonly FieldLayout[]
type Bag = Record<string, unknown>

const show = (value: unknown): string => (typeof value === 'string' ? `"${value.slice(0, 60)}"` : String(value))
const isPart = (field: FieldLayout): field is FieldLayout & { readonly type: Fields } => typeof field.type !== 'string'

const readOne = (view: DataView, field: FieldLayout, at: number, path: string): unknown => {
  if (isPart(field)) return readAll(view, field.type, at, `${path}.`)
  const value = READ[field.type]!(view, at)
  // Every 32 bytes are an address: only what was chosen from fewer is looked at again.
  const wanted = field.type === 'pubkey' ? undefined : fault(field, value)
  if (wanted !== undefined) {
    const found = show(value ?? view.getUint8(at))
    fail('malformed', `${path} must be ${wanted}, got ${found}`, { field: path, offset: at, value: found })
  }
  return value
}

const readAll = (view: DataView, fields: Fields, from: number, path: string): Bag => {
  const record: Bag = {}
  for (const field of fields) {
    const at = from + field.offset
    const { count, stride = 0 } = field
    record[field.name] =
      count === undefined
        ? readOne(view, field, at, path + field.name)
        : Array.from({ length: count }, (_, i) => readOne(view, field, at + i * stride, `${path}${field.name}[${i}]`))
  }
  return record
}

const refuse = (path: string, value: unknown, wanted: string): never =>
  fail('out-of-range', `${path} must be ${wanted}, got ${show(value)}`, { field: path, value: show(value) })

const writeOne = (view: DataView, field: FieldLayout, at: number, path: string, value: unknown): void => {
  if (isPart(field)) {
    writeAll(view, field.type, at, `${path}.`, value)
    return
  }
  const wanted = fault(field, value)
  if (wanted !== undefined) refuse(path, value, wanted)
  WRITE[field.type]!(view, at, value as never)
}

const writeAll = (view: DataView, fields: Fields, from: number, path: string, value: unknown): void => {
  if (typeof value !== 'object' || value === null) refuse(path.replace(/\.$/, ''), value, 'a record')
  for (const field of fields) {
    const at = from + field.offset
    const { count, stride = 0 } = field
    const inner = (value as Bag)[field.name]
    const name = path + field.name
    if (count === undefined) {
      writeOne(view, field, at, name, inner)
      continue
    }
    if (!Array.isArray(inner) || inner.length !== count) refuse(name, inner, `a list of ${count}`)
    const list = inner as readonly unknown[]
    for (let i = 0; i < count; i++) writeOne(view, field, at + i * stride, `${name}[${i}]`, list[i])
  }
}

// ---- accounts ---------------------------------------------------------------------------------------------------------

const hasDiscriminator = (data: Uint8Array, { discriminator }: AccountLayout): boolean =>
  discriminator.every((byte, i) => data[i] === byte)

/** What kind of account of the program the bytes say they are; undefined if they are none. */
export const accountName = (data: Uint8Array): AccountName | undefined =>
  (Object.keys(LAYOUTS) as AccountName[]).find(name => hasDiscriminator(data, LAYOUTS[name]))

/** The record of an account; a `ClientError` names the field and the offset of what is wrong with it. */
export const decode = <N extends AccountName>(name: N, data: Uint8Array): AccountData[N] => {
  const layout = LAYOUTS[name]
  const { size, used, version } = layout
  const context: ClientErrorContext = { account: name, length: data.length }
  if (data.length === 0) fail('closed', `There is no ${name}: the account has no data`, context)
  if (data.length <= DISCRIMINATOR_BYTES) fail('wrong-length', `A ${name} has ${size} bytes`, context)
  if (!hasDiscriminator(data, layout)) {
    if (data.subarray(0, DISCRIMINATOR_BYTES).every(byte => byte === 0)) {
      fail('uninitialised', `Nothing is written in this ${name} yet`, context)
    }
    fail('wrong-discriminator', `This is no ${name} but ${accountName(data) ?? 'another account'}`, context)
  }
  const found = data[DISCRIMINATOR_BYTES]!
  if (found !== version)
    fail('wrong-version', `Version ${found} of ${name} is not known, only ${version}`, { ...context, version: found })
  if (data.length !== size) fail('wrong-length', `A ${name} has ${size} bytes, not ${data.length}`, context)
  const reserve = data.subarray(used).findIndex(byte => byte !== 0)
  if (reserve >= 0) fail('malformed', `The reserve of ${name} must be zero`, { ...context, offset: used + reserve })
  return readAll(viewOf(data), layout.fields, 0, `${name}.`) as unknown as AccountData[N]
}

/** As `decode`, if the program owns the account. */
export const decodeOwned = <N extends AccountName>(name: N, account: AccountBytes, program: string): AccountData[N] => {
  const { owner, data } = account
  if (owner !== program)
    fail('wrong-owner', `A ${name} is owned by ${program}, this one by ${owner}`, { owner, program })
  return decode(name, data)
}

/** The bytes of an account; `out-of-range` names the field that cannot be stored. */
export const encode = <N extends AccountName>(name: N, record: AccountData[N]): Uint8Array => {
  const { discriminator, version, size, fields } = LAYOUTS[name]
  const data = new Uint8Array(size)
  data.set(discriminator)
  data[DISCRIMINATOR_BYTES] = version
  writeAll(viewOf(data), fields, 0, `${name}.`, record)
  return data
}
