/** Values of instructions and events as Borsh writes them. Imports no packages, because the page uses it as it is. */
import { fail } from './errors.ts'
import { ACTIONS, AMOUNT_UNITS, CHANGEABLE_TERMS, ORDER_ACTIONS, ORDER_KINDS, TRIGGERS } from './generated/interface.ts'
import type { FieldLayout, WireLayout } from './layout.ts'
import { COUPON_KINDS, DISCRIMINATOR_BYTES, fault, READ, refuse, show, viewOf, WRITE } from './values.ts'

const signed = (bits: bigint) => ({ least: -(1n << (bits - 1n)), most: (1n << (bits - 1n)) - 1n })
const unsigned = (bits: bigint) => ({ least: 0n, most: (1n << bits) - 1n })

/** Whatever the type holds: what of it may be asked is the program's to say. */
const PLAIN: Readonly<Record<string, FieldLayout & { readonly width: number }>> = Object.fromEntries(
  (
    [
      { type: 'u8', width: 1, least: 0, most: 0xff },
      { type: 'u16', width: 2, least: 0, most: 0xffff },
      { type: 'u32', width: 4, least: 0, most: 0xffff_ffff },
      { type: 'i32', width: 4, least: -0x8000_0000, most: 0x7fff_ffff },
      { type: 'u64', width: 8, ...unsigned(64n) },
      { type: 'i64', width: 8, ...signed(64n) },
      { type: 'u128', width: 16, ...unsigned(128n) },
      { type: 'i128', width: 16, ...signed(128n) },
      { type: 'bool', width: 1 },
      { type: 'pubkey', width: 32 },
    ] as const
  ).map(plain => [plain.type, { name: '', offset: 0, ...plain }]),
)

/** One byte each: the number of the name. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  coupon_kind: COUPON_KINDS,
  Action: ACTIONS,
  AmountUnit: AMOUNT_UNITS,
  OrderAction: ORDER_ACTIONS,
  Trigger: TRIGGERS,
  OrderKind: ORDER_KINDS,
}

const isTerms = (type: string): boolean => type === 'ChangeableTerms'
/** Bytes of a value. */
const widthOf = (type: string): number => {
  if (isTerms(type)) return 2 * CHANGEABLE_TERMS.length
  return type in NAMES ? 1 : PLAIN[type]!.width
}

/** Reads one value after the other; whatever is wrong names the value. */
export class WireReader {
  readonly #view: DataView
  readonly #what: string
  at: number

  constructor(data: Uint8Array, what: string, at = DISCRIMINATOR_BYTES) {
    this.#view = viewOf(data)
    this.#what = what
    this.at = at
  }

  get ended(): boolean {
    return this.at === this.#view.byteLength
  }

  end(): void {
    if (!this.ended) {
      const left = this.#view.byteLength - this.at
      fail('wrong-length', `${this.#what} ends ${left} bytes before its data`, { offset: this.at, left })
    }
  }

  value(type: string, name: string): unknown {
    const width = widthOf(type)
    const { at } = this
    const path = `${this.#what}.${name}`
    if (at + width > this.#view.byteLength) fail('wrong-length', `${path} is cut off`, { field: path, offset: at })
    if (isTerms(type)) {
      return Object.fromEntries(CHANGEABLE_TERMS.map(term => [term, this.value('u16', `${name}.${term}`)]))
    }
    this.at = at + width
    const names = NAMES[type]
    const value = names === undefined ? READ[type]!(this.#view, at) : names[this.#view.getUint8(at)]
    if (value !== undefined) return value
    const found = this.#view.getUint8(at)
    const wanted = (names ?? ['false', 'true']).join(' or ')
    return fail('malformed', `${path} must be ${wanted}, got ${found}`, { field: path, offset: at, value: found })
  }

  /** All fields; `prefix` is for the names in errors. */
  record(fields: readonly WireLayout[], prefix = ''): Record<string, unknown> {
    return Object.fromEntries(
      fields.map(({ name, type, optional }) => [
        name,
        optional && !this.value('bool', prefix + name) ? undefined : this.value(type, prefix + name),
      ]),
    )
  }
}

const bytesOf = (type: string, value: unknown, path: string): Uint8Array => {
  if (isTerms(type)) {
    if (typeof value !== 'object' || value === null) return refuse(path, value, 'all changeable terms')
    const terms = value as Readonly<Record<string, unknown>>
    return joined(CHANGEABLE_TERMS.map(term => bytesOf('u16', terms[term], `${path}.${term}`)))
  }
  const data = new Uint8Array(widthOf(type))
  const names = NAMES[type]
  if (names !== undefined) {
    const number = names.indexOf(value as string)
    if (number < 0) refuse(path, value, names.map(show).join(' or '))
    data[0] = number
    return data
  }
  const wanted = fault(PLAIN[type]!, value)
  if (wanted !== undefined) refuse(path, value, wanted)
  WRITE[type]!(viewOf(data), 0, value as never)
  return data
}

export const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => {
    all.set(part, at)
    return at + part.length
  }, 0)
  return all
}

/** The bytes of all fields; `out-of-range` names the one that cannot be written. */
export const writeRecord = (fields: readonly WireLayout[], record: object, what: string): Uint8Array =>
  joined(
    fields.flatMap(({ name, type, optional }) => {
      const value = (record as Readonly<Record<string, unknown>>)[name]
      const path = `${what}.${name}`
      if (!optional) return [bytesOf(type, value, path)]
      return value === undefined ? [Uint8Array.of(0)] : [Uint8Array.of(1), bytesOf(type, value, path)]
    }),
  )
