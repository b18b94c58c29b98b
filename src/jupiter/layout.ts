/**
 * Codecs compiled, when the module is loaded, from an IDL of programs-idl: one description gives both directions.
 *
 * Why not Anchor's own coder? Its bignums and key objects, turned into facts, leave it at some 20,000 pools a second where
 * 50,000 are wanted; it accepts broken text and a float that is no number; and a pool whose count of custodies is wild makes it
 * run out of memory. It is the reference that these codecs are held against, field by field (anchor.ts, test/jupiter/).
 */
import { array, bytes, enumeration, PLAIN, struct, vector } from './codecs.ts'
import type { Codec } from './cursor.ts'

/** The part of an IDL that is used here. */
export type IdlType =
  | string
  | { readonly vec: IdlType }
  | { readonly array: readonly [IdlType, number] }
  | { readonly defined: { readonly name: string } }

export interface IdlTypeDef {
  readonly name: string
  readonly type:
    | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: IdlType }[] }
    | { readonly kind: 'enum'; readonly variants: readonly { readonly name: string }[] }
}

export interface Idl {
  readonly address: string
  readonly accounts: readonly { readonly name: string; readonly discriminator: readonly number[] }[]
  readonly types: readonly IdlTypeDef[]
}

/** The chain's spelling where it is mended. */
const MENDED: Readonly<Record<string, string>> = {
  maintainanceMarginBps: 'maintenanceMarginBps',
  borrowLendInterestsAccured: 'borrowLendInterestsAccrued',
}

/** "aum_usd" -> "aumUsd": the name of an IDL's field among the facts. */
export const factName = (name: string): string => {
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return MENDED[camel] ?? camel
}

/** "Long" -> "long": the name of an IDL's variant among the facts. */
export const variantName = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

const compileType = (idl: Idl, type: IdlType, field: string): Codec => {
  if (typeof type === 'string') {
    const plain = PLAIN[type]
    if (plain === undefined) throw new Error(`IDL ${idl.address}: ${field} has the unsupported type ${type}`)
    return plain(field)
  }
  if ('vec' in type) return vector(field, compileType(idl, type.vec, `${field}[]`))
  if ('array' in type) {
    const [item, length] = type.array
    return item === 'u8' ? bytes(field, length) : array(field, compileType(idl, item, `${field}[]`), length)
  }
  return compile(idl, type.defined.name, field)
}

/** The codec of a type of the IDL; `field` is where it stands, for errors. */
export const compile = (idl: Idl, name: string, field = ''): Codec => {
  const found = idl.types.find(type => type.name === name)
  if (found === undefined) throw new Error(`IDL ${idl.address}: there is no type ${name}`)
  if (found.type.kind === 'enum') {
    return enumeration(
      field,
      found.type.variants.map(variant => variantName(variant.name)),
    )
  }
  const prefix = field === '' ? '' : `${field}.`
  return struct(
    field,
    found.type.fields.map(({ name: inner, type }) => {
      const fact = factName(inner)
      return { name: fact, codec: compileType(idl, type, `${prefix}${fact}`) }
    }),
  )
}
