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

/** A value in the arguments of an instruction, or in an event: a plain type, a name among a few, all changeable terms, or maybe one. */
export interface ArgumentLayout {
  readonly name: string
  readonly type: string | { readonly option: string }
}

export interface SlotLayout {
  readonly name: string
  readonly writable: boolean
  readonly signer: boolean
  readonly optional: boolean
}

export interface InstructionLayout {
  readonly discriminator: readonly number[]
  readonly accounts: readonly SlotLayout[]
  readonly arguments: readonly ArgumentLayout[]
  /** What may follow the accounts. */
  readonly rest: 'tick arrays' | 'matured markets' | undefined
}

export interface RecordLayout {
  readonly type: string
  readonly fields: readonly { readonly name: string; readonly type: string }[]
}
