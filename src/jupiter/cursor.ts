import { type AccountName, JupiterError, type JupiterErrorCode } from './errors.ts'

/** Reads or writes what lies at the cursor and moves it on. */
export interface Codec {
  /** Bytes that a value takes at least. */
  readonly size: number
  read(cursor: Cursor): unknown
  write(cursor: Cursor, value: unknown): void
}

/** A place in the bytes of an account; reading or writing past their end is a coded error. */
export class Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
  readonly #overrun: JupiterErrorCode
  readonly #account: AccountName | undefined

  /** `overrun` is the code of the error when `bytes` end too early; `account` is what errors are about. */
  constructor(bytes: Uint8Array, at: number, overrun: JupiterErrorCode, account?: AccountName) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
    this.#overrun = overrun
    this.#account = account
  }

  /** The offset of the next `size` bytes, which are thereby taken. */
  take(size: number, field: string): number {
    const { at } = this
    if (at + size > this.bytes.length) {
      const context = { offset: at, wanted: size, length: this.bytes.length }
      this.fail(this.#overrun, field, 'does not fit into the account', context)
    }
    this.at = at + size
    return at
  }

  fail(code: JupiterErrorCode, field: string, why: string, context: Record<string, string | number | bigint>): never {
    throw new JupiterError(code, `${field} ${why}`, this.#account, { field, ...context })
  }
}
