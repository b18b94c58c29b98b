/** Random records of the program's accounts, at the edges of their bounds as often as inside them. */
import { type AccountData, type AccountName, COUPON_KINDS } from '../../src/client/codecs.ts'
import { LAYOUTS } from '../../src/client/generated/layouts.ts'
import type { FieldLayout } from '../../src/client/layout.ts'
import { encodeAddress } from '../../src/jupiter/base58.ts'
import type { Random } from '../generate/random.ts'

export const NAMES = Object.keys(LAYOUTS) as AccountName[]

export const randomBytes = (random: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.int(0, 255))

export const randomAddress = (random: Random): string =>
  encodeAddress(random.int(0, 9) === 0 ? new Uint8Array(32) : randomBytes(random, 32))

const integer = (random: Random, least: bigint, most: bigint): bigint => {
  const distance = random.int(0, 3) === 0 ? 0n : random.magnitude(most - least)
  return random.int(0, 1) === 0 ? least + distance : most - distance
}

const randomValue = (random: Random, field: FieldLayout): unknown => {
  if (typeof field.type !== 'string') return recordOf(random, field.type)
  if ('least' in field) {
    const value = integer(random, BigInt(field.least), BigInt(field.most))
    return typeof field.least === 'number' ? Number(value) : value
  }
  if (field.type === 'bool') return random.pick([false, true])
  return field.type === 'pubkey' ? randomAddress(random) : random.pick(COUPON_KINDS)
}

const recordOf = (random: Random, fields: readonly FieldLayout[]): Record<string, unknown> =>
  Object.fromEntries(
    fields.map(field => [
      field.name,
      field.count === undefined
        ? randomValue(random, field)
        : Array.from({ length: field.count }, () => randomValue(random, field)),
    ]),
  )

export const randomRecord = <N extends AccountName>(random: Random, name: N): AccountData[N] =>
  recordOf(random, LAYOUTS[name].fields) as unknown as AccountData[N]

/** A plain value of a record, wherever it is nested. */
export interface Leaf {
  /** As the program names it: "terms_grid_spacing", "tick_net"; `entry` counts in a list. */
  readonly name: string
  readonly entry: number
  readonly listed: boolean
  readonly value: unknown
  readonly field: FieldLayout
}

const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** All plain values of a record in the order of its bytes; a list's entries by field and not one after the other. */
export const leavesOf = (fields: readonly FieldLayout[], record: object, prefix = ''): Leaf[] =>
  fields.flatMap(field => {
    const value = (record as Record<string, unknown>)[field.name]
    const name = prefix + snake(field.name)
    if (field.count === undefined) {
      return typeof field.type === 'string'
        ? [{ name, entry: 0, listed: false, value, field }]
        : leavesOf(field.type, value as object, `${name}_`)
    }
    const entries = value as readonly object[]
    const { type } = field
    if (typeof type === 'string') return entries.map((one, entry) => ({ name, entry, listed: true, value: one, field }))
    const singular = `${name.replace(/s$/, '')}_`
    const all = entries.flatMap((one, entry) =>
      leavesOf(type, one, singular).map(leaf => ({ ...leaf, entry, listed: true })),
    )
    return type.flatMap(inner => all.filter(leaf => leaf.field === inner))
  })
