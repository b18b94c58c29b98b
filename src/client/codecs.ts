/**
 * Account bytes <-> records, for every account of the program. A record has the fields of docs/program-accounts.md, by the
 * engine's names: a bigint for whatever may need more than 32 bits, an address in base58 for a key.
 *
 * Reading believes nothing: kind, version, length, every bound and the reserve are checked, so that whatever decodes encodes to
 * the same bytes. Imports no packages, because the page uses it as it is.
 */
import { type ClientErrorContext, fail } from './errors.ts'
import { type AccountData, LAYOUTS } from './generated/layouts.ts'
import type { FieldLayout } from './layout.ts'
import { begins, DISCRIMINATOR_BYTES, fault, READ, refuse, show, viewOf, WRITE } from './values.ts'

export type * from './generated/layouts.ts'
export { TICK_ARRAYS, TICKS_PER_ARRAY } from './generated/layouts.ts'
export { COUPON_KINDS, isAddress } from './values.ts'
export type AccountName = keyof AccountData

/** An account as a node returns it. */
export interface AccountBytes {
  /** The program that owns it. */
  readonly owner: string
  readonly data: Uint8Array
}

/** What an address is where there is none. */
export const NO_ADDRESS = '11111111111111111111111111111111'

// ---- records ----------------------------------------------------------------------------------------------------------

type Fields = readonly FieldLayout[]
type Bag = Record<string, unknown>

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

/** What kind of account of the program the bytes say they are; undefined if they are none. */
export const accountName = (data: Uint8Array): AccountName | undefined =>
  (Object.keys(LAYOUTS) as AccountName[]).find(name => begins(data, LAYOUTS[name].discriminator))

/** The record of an account; a `ClientError` names the field and the offset of what is wrong with it. */
export const decode = <N extends AccountName>(name: N, data: Uint8Array): AccountData[N] => {
  const layout = LAYOUTS[name]
  const { size, used, version } = layout
  const context: ClientErrorContext = { account: name, length: data.length }
  if (data.length === 0) fail('closed', `There is no ${name}: the account has no data`, context)
  if (data.length <= DISCRIMINATOR_BYTES) fail('wrong-length', `A ${name} has ${size} bytes`, context)
  if (!begins(data, layout.discriminator)) {
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
