/**
 * Instructions <-> bytes, and the accounts that they take, by the engine's names in camel case. Imports no packages, because the
 * page uses it as it is; builders.ts finds the addresses.
 */
import { fail } from './errors.ts'
import {
  ADDRESSES,
  INSTRUCTIONS,
  type InstructionAccounts,
  type InstructionArguments,
  type InstructionName,
} from './generated/interface.ts'
import { begins, DISCRIMINATOR_BYTES, isAddress, show } from './values.ts'
import { joined, WireReader, writeRecord } from './wire.ts'

export type {
  Action,
  AmountUnit,
  InstructionAccounts,
  InstructionArguments,
  InstructionName,
  OrderAction,
  OrderKind,
  Trigger,
} from './generated/interface.ts'
export { ADDRESSES, PROGRAM_ID } from './generated/interface.ts'

export const INSTRUCTION_NAMES = Object.keys(INSTRUCTIONS) as InstructionName[]

/** An account of an instruction. */
export interface AccountRole {
  /** base58 */
  readonly address: string
  readonly writable: boolean
  readonly signer: boolean
}

/** An instruction with its arguments: `{ name: 'deposit', args: { jlp: 5n } }`. */
export type DecodedInstruction = {
  [N in InstructionName]: { readonly name: N; readonly args: InstructionArguments[N] }
}[InstructionName]

const layoutOf = (name: InstructionName) =>
  INSTRUCTIONS[name] ?? fail('out-of-range', `There is no instruction ${show(name)}`, { name: String(name) })

/** The data of an instruction; `out-of-range` names the argument that cannot be said. */
export const encodeInstruction = <N extends InstructionName>(name: N, args: InstructionArguments[N]): Uint8Array => {
  const { discriminator, arguments: fields } = layoutOf(name)
  return joined([Uint8Array.from(discriminator), writeRecord(fields, args, name)])
}

/** What the data of an instruction of the program say: `wrong-discriminator`, `wrong-length`, `malformed`. */
export const decodeInstruction = (data: Uint8Array): DecodedInstruction => {
  const name = INSTRUCTION_NAMES.find(one => begins(data, INSTRUCTIONS[one].discriminator))
  if (name === undefined) {
    const shown = [...data.subarray(0, DISCRIMINATOR_BYTES)].map(byte => byte.toString(16).padStart(2, '0')).join('')
    return fail('wrong-discriminator', `No instruction begins with 0x${shown}`, { length: data.length })
  }
  const reader = new WireReader(data, name)
  const args = reader.record(INSTRUCTIONS[name].arguments)
  reader.end()
  return { name, args } as DecodedInstruction
}

/**
 * All accounts of an instruction in order. Known ones are filled in; an optional one that is left out is given as the program.
 * `rest`: tick arrays, which are written, or matured markets, which are read. `wrong-address` names the account.
 */
export const accountsOf = <N extends InstructionName>(
  name: N,
  accounts: InstructionAccounts[N],
  rest: readonly string[] = [],
): AccountRole[] => {
  const { accounts: slots, rest: kind } = layoutOf(name)
  const given = accounts as Readonly<Record<string, string | undefined>>
  const known = ADDRESSES as Readonly<Record<string, string>>
  if (rest.length > 0 && kind === undefined) {
    fail('out-of-range', `No accounts may follow those of ${name}`, { name, count: rest.length })
  }
  const check = (what: string, address: string | undefined): string =>
    address !== undefined && isAddress(address)
      ? address
      : fail('wrong-address', `${name}.${what} must be an address, got ${show(address)}`, { name, what })
  return [
    ...slots.map(({ name: slot, writable, signer, optional }) => {
      const address = known[slot] ?? given[slot]
      return optional && address === undefined
        ? { address: ADDRESSES.program, writable: false, signer: false }
        : { address: check(slot, address), writable, signer }
    }),
    ...rest.map(address => ({ address: check('rest', address), writable: kind === 'tick arrays', signer: false })),
  ]
}

/** What `ptPrice` answers in the return data of a transaction or of its simulation. */
export const decodePtPrice = (data: Uint8Array) => {
  const reader = new WireReader(data, 'ptPrice', 0)
  const answer = {
    /** JLP per PT at the time-weighted rate, Q64.64. */
    price: reader.value('u128', 'price') as bigint,
    /** Q64.64 a year. */
    rate: reader.value('u128', 'rate') as bigint,
    /** JLP per ST, Q64.64. */
    discount: reader.value('u128', 'discount') as bigint,
    tauSeconds: reader.value('u32', 'tauSeconds') as number,
    /** Losses not yet covered, JLP atoms: PT comes last of all to bear them. */
    deficit: reader.value('u64', 'deficit') as bigint,
  }
  reader.end()
  return answer
}
