/** What the generated layouts are made of. Offsets of an account's fields count from its first byte, those of a part from its own. */

export type SmallInteger = 'u8' | 'u16' | 'u32' | 'i32'
export type BigInteger = 'u64' | 'i64' | 'u128' | 'i128'

interface Place {
  readonly name: string
  readonly offset: number
  /** Of a list; else there is one. */
  readonly count?: number
  readonly stride?: number
}

export type FieldLayout = Place &
  (
    | { readonly type: SmallInteger; readonly least: number; readonly most: number }
    | { readonly type: BigInteger; readonly least: bigint; readonly most: bigint }
    | { readonly type: 'bool' | 'pubkey' | 'coupon_kind' }
    | { readonly type: readonly FieldLayout[] }
  )

export interface AccountLayout {
  readonly name: string
  readonly discriminator: readonly number[]
  readonly version: number
  /** Bytes of the account; those from `used` on are reserved. */
  readonly size: number
  readonly used: number
  readonly fields: readonly FieldLayout[]
}

export type SeedLayout =
  | { readonly text: string }
  | { readonly name: string; readonly type: 'pubkey' | 'u8' | 'u32' | 'i32' | 'coupon_kind' }

/** A value in the arguments of an instruction or in a record: a plain type, one of a few names, or all changeable terms. */
export interface WireLayout {
  readonly name: string
  readonly type: string
  readonly optional: boolean
}

export interface SlotLayout {
  readonly name: string
  readonly writable: boolean
  readonly signer: boolean
  /** Given as the program's own address where there is none. */
  readonly optional: boolean
}

export interface InstructionLayout {
  readonly discriminator: readonly number[]
  readonly accounts: readonly SlotLayout[]
  readonly arguments: readonly WireLayout[]
  /** What may follow the accounts. */
  readonly rest: 'tick arrays' | 'matured markets' | undefined
}

export interface RecordLayout {
  readonly type: string
  readonly fields: readonly WireLayout[]
}

/** Addresses in base58 by the names of their slots. */
export type At<Needed extends string, Maybe extends string = never> = { readonly [Name in Needed]: string } & {
  readonly [Name in Maybe]?: string | undefined
}

const words = (text: string): (readonly [string, string])[] =>
  text === '' ? [] : text.split(' ').map(word => [word.split(':')[0]!, word.split(':')[1] ?? ''] as const)

/** "jlp:u64 zap:u128?" */
const fieldsOf = (text: string): WireLayout[] =>
  words(text).map(([name, type]) => ({ name, type: type.replace('?', ''), optional: type.endsWith('?') }))

/** An instruction by its text: accounts "owner:s market:w account:w?" (signs, is written, may be missing), arguments "jlp:u64". */
export const instruction = (
  discriminator: readonly number[],
  accounts: string,
  args: string,
  rest?: InstructionLayout['rest'],
): InstructionLayout => ({
  discriminator,
  accounts: words(accounts).map(([name, flags]) => ({
    name,
    writable: flags.includes('w'),
    signer: flags.includes('s'),
    optional: flags.includes('?'),
  })),
  arguments: fieldsOf(args),
  rest,
})

export const record = (type: string, fields: string): RecordLayout => ({ type, fields: fieldsOf(fields) })
