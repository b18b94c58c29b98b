/** Borsh types as codecs. Reading refuses what Borsh would not have written, writing what would not fit; both name the field. */
import { decodeAddress, encodeAddress } from './base58.ts'
import type { Codec, Cursor } from './cursor.ts'

const show = (value: unknown): string => (typeof value === 'string' ? `"${value.slice(0, 60)}"` : String(value))

const refuse = (cursor: Cursor, field: string, value: unknown, wanted: string): never =>
  cursor.fail('out-of-range', field, `must be ${wanted}, got ${show(value)}`, { value: show(value) })

// ---- numbers ----------------------------------------------------------------------------------------------------------

/** A whole number of up to 32 bits, as `number`. */
const small = (
  field: string,
  size: number,
  [min, max]: readonly [number, number],
  get: (view: DataView, at: number) => number,
  set: (view: DataView, at: number, value: number) => void,
): Codec => ({
  size,
  read: cursor => get(cursor.view, cursor.take(size, field)),
  write: (cursor, value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      refuse(cursor, field, value, `a whole number from ${min} to ${max}`)
    }
    set(cursor.view, cursor.take(size, field), value as number)
  },
})

/** A whole number of 64 or 128 bits, as `bigint`. */
const big = (
  field: string,
  size: number,
  [min, max]: readonly [bigint, bigint],
  get: (view: DataView, at: number) => bigint,
  set: (view: DataView, at: number, value: bigint) => void,
): Codec => ({
  size,
  read: cursor => get(cursor.view, cursor.take(size, field)),
  write: (cursor, value) => {
    if (typeof value !== 'bigint' || value < min || value > max) {
      refuse(cursor, field, value, `a bigint from ${min} to ${max}`)
    }
    set(cursor.view, cursor.take(size, field), value as bigint)
  },
})

const getU128 = (view: DataView, at: number): bigint => {
  const low = view.getBigUint64(at, true)
  const high = view.getBigUint64(at + 8, true)
  return high === 0n ? low : (high << 64n) | low
}

const setU128 = (view: DataView, at: number, value: bigint): void => {
  view.setBigUint64(at, value & 0xffff_ffff_ffff_ffffn, true)
  view.setBigUint64(at + 8, value >> 64n, true)
}

const float = (field: string): Codec => ({
  size: 4,
  read: cursor => {
    const offset = cursor.take(4, field)
    const value = cursor.view.getFloat32(offset, true)
    if (!Number.isFinite(value)) cursor.fail('malformed', field, 'must be a finite number', { offset })
    return value
  },
  write: (cursor, value) => {
    if (typeof value !== 'number' || !Number.isFinite(value) || Math.fround(value) !== value) {
      refuse(cursor, field, value, 'a finite number that float32 holds exactly')
    }
    cursor.view.setFloat32(cursor.take(4, field), value as number, true)
  },
})

// ---- the other plain types --------------------------------------------------------------------------------------------

const bool = (field: string): Codec => ({
  size: 1,
  read: cursor => {
    const offset = cursor.take(1, field)
    const value = cursor.bytes[offset]!
    if (value > 1) cursor.fail('malformed', field, `must be 0 or 1, got ${value}`, { offset, value })
    return value === 1
  },
  write: (cursor, value) => {
    if (typeof value !== 'boolean') refuse(cursor, field, value, 'true or false')
    cursor.bytes[cursor.take(1, field)] = value === true ? 1 : 0
  },
})

const pubkey = (field: string): Codec => ({
  size: 32,
  read: cursor => encodeAddress(cursor.bytes, cursor.take(32, field)),
  write: (cursor, value) => {
    if (typeof value !== 'string') refuse(cursor, field, value, 'an address')
    cursor.bytes.set(decodeAddress(value as string), cursor.take(32, field))
  },
})

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const utf8 = (cursor: Cursor, field: string, bytes: Uint8Array): string => {
  try {
    return UTF8.decode(bytes)
  } catch {
    return cursor.fail('malformed', field, 'is not valid UTF-8', { offset: bytes.byteOffset - cursor.bytes.byteOffset })
  }
}

const string = (field: string): Codec => ({
  size: 4,
  read: cursor => {
    const length = cursor.view.getUint32(cursor.take(4, field), true)
    const at = cursor.take(length, field)
    return utf8(cursor, field, cursor.bytes.subarray(at, at + length))
  },
  write: (cursor, value) => {
    const bytes = new TextEncoder().encode(String(value))
    // A lone surrogate would silently become a question mark.
    if (utf8(cursor, field, bytes) !== value) refuse(cursor, field, value, 'well-formed text')
    cursor.view.setUint32(cursor.take(4, field), bytes.length, true)
    cursor.bytes.set(bytes, cursor.take(bytes.length, field))
  },
})

const U8 = [0, 0xff] as const
const U32 = [0, 0xffff_ffff] as const
const I64 = [-(1n << 63n), (1n << 63n) - 1n] as const
const U64 = [0n, (1n << 64n) - 1n] as const
const U128 = [0n, (1n << 128n) - 1n] as const

export const PLAIN: Readonly<Record<string, (field: string) => Codec>> = {
  bool,
  f32: float,
  pubkey,
  string,
  u8: field =>
    small(
      field,
      1,
      U8,
      (view, at) => view.getUint8(at),
      (view, at, value) => view.setUint8(at, value),
    ),
  i8: field =>
    small(
      field,
      1,
      [-128, 127],
      (view, at) => view.getInt8(at),
      (view, at, value) => view.setInt8(at, value),
    ),
  u32: field =>
    small(
      field,
      4,
      U32,
      (view, at) => view.getUint32(at, true),
      (view, at, value) => view.setUint32(at, value, true),
    ),
  u64: field =>
    big(
      field,
      8,
      U64,
      (view, at) => view.getBigUint64(at, true),
      (view, at, value) => view.setBigUint64(at, value, true),
    ),
  i64: field =>
    big(
      field,
      8,
      I64,
      (view, at) => view.getBigInt64(at, true),
      (view, at, value) => view.setBigInt64(at, value, true),
    ),
  u128: field => big(field, 16, U128, getU128, setU128),
}

// ---- compound types ---------------------------------------------------------------------------------------------------

/** Bytes are copied, so that facts do not change with a buffer that is used again. */
export const bytes = (field: string, length: number): Codec => ({
  size: length,
  read: cursor => {
    const at = cursor.take(length, field)
    return new Uint8Array(cursor.bytes.subarray(at, at + length))
  },
  write: (cursor, value) => {
    if (!(value instanceof Uint8Array) || value.length !== length) refuse(cursor, field, value, `${length} bytes`)
    cursor.bytes.set(value as Uint8Array, cursor.take(length, field))
  },
})

export const array = (field: string, item: Codec, length: number): Codec => ({
  size: item.size * length,
  read: cursor => {
    const values: unknown[] = []
    for (let i = 0; i < length; i++) values.push(item.read(cursor))
    return values
  },
  write: (cursor, value) => {
    if (!Array.isArray(value) || value.length !== length) refuse(cursor, field, value, `a list of ${length}`)
    for (const entry of value as unknown[]) item.write(cursor, entry)
  },
})

export const vector = (field: string, item: Codec): Codec => ({
  size: 4,
  read: cursor => {
    const offset = cursor.take(4, field)
    const count = cursor.view.getUint32(offset, true)
    // Before the first is read, so that a wild count costs nothing.
    if (count * item.size > cursor.bytes.length - cursor.at) {
      cursor.fail('malformed', field, `cannot have ${count} entries`, { offset, count })
    }
    const values: unknown[] = []
    for (let i = 0; i < count; i++) values.push(item.read(cursor))
    return values
  },
  write: (cursor, value) => {
    if (!Array.isArray(value)) refuse(cursor, field, value, 'a list')
    const entries = value as unknown[]
    cursor.view.setUint32(cursor.take(4, field), entries.length, true)
    for (const entry of entries) item.write(cursor, entry)
  },
})

export const enumeration = (field: string, names: readonly string[]): Codec => ({
  size: 1,
  read: cursor => {
    const offset = cursor.take(1, field)
    const tag = cursor.bytes[offset]!
    return names[tag] ?? cursor.fail('wrong-version', field, `has the unknown value ${tag}`, { offset, value: tag })
  },
  write: (cursor, value) => {
    const tag = names.indexOf(value as string)
    if (tag < 0) refuse(cursor, field, value, `one of ${names.join(', ')}`)
    cursor.bytes[cursor.take(1, field)] = tag
  },
})

export const struct = (field: string, fields: readonly { readonly name: string; readonly codec: Codec }[]): Codec => ({
  size: fields.reduce((sum, { codec }) => sum + codec.size, 0),
  read: cursor => {
    const value: Record<string, unknown> = {}
    for (const { name, codec } of fields) value[name] = codec.read(cursor)
    return value
  },
  write: (cursor, value) => {
    if (typeof value !== 'object' || value === null) refuse(cursor, field, value, 'an object')
    for (const { name, codec } of fields) codec.write(cursor, (value as Record<string, unknown>)[name])
  },
})
