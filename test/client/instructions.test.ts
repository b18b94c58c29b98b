/** Instructions against Anchor's own coder and the IDL: data, accounts, discriminators, refusals. */
import { createHash } from 'node:crypto'
import { PublicKey } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { derive } from '../../src/client/addresses.ts'
import { ClientError } from '../../src/client/errors.ts'
import { EXECUTED, INSTRUCTIONS } from '../../src/client/generated/interface.ts'
import {
  ADDRESSES,
  accountsOf,
  decodeInstruction,
  decodePtPrice,
  encodeInstruction,
  INSTRUCTION_NAMES,
  PROGRAM_ID,
} from '../../src/client/instructions.ts'
import { JLP_MINT, PERPETUALS_PROGRAM, POOL_ADDRESS } from '../../src/jupiter/addresses.ts'
import { Random } from '../generate/random.ts'
import { codesOf } from '../helpers/code-of.ts'
import { camelOf, fromAnchor, IDL, PROGRAM, randomFields, toAnchor } from './anchor.ts'
import { randomAddress, randomBytes } from './records.ts'

const codeOf = codesOf(ClientError)
const DECODER = PROGRAM.coder.instruction as unknown as { decode(data: Buffer): unknown }
const hashed = (text: string): number[] => [...createHash('sha256').update(text).digest().subarray(0, 8)]
const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

describe.each(INSTRUCTION_NAMES)('%s', name => {
  const { arguments: fields } = INSTRUCTIONS[name]
  const idl = IDL.instructions.find(one => camelOf(one.name) === name)!

  test("any arguments are Anchor's bytes, and come back", () => {
    const random = new Random(11n)
    for (let i = 0; i < (fields.length === 0 ? 1 : 100); i++) {
      const args = randomFields(random, fields)
      const data = encodeInstruction(name, args as never)
      const theirs = Object.fromEntries(fields.map(field => [field.name, toAnchor(field.type, args[field.name])]))
      expect([...data]).toEqual([...PROGRAM.coder.instruction.encode(name, theirs)])
      expect(decodeInstruction(data)).toEqual({ name, args })
      expect(fromAnchor(DECODER.decode(Buffer.from(data)))).toEqual({ name, data: args })
    }
  })

  test('its discriminator, its accounts and their order are those of the IDL', () => {
    const random = new Random(12n)
    expect(INSTRUCTIONS[name].discriminator).toEqual(hashed(`global:${snake(name)}`))
    expect(INSTRUCTIONS[name].discriminator).toEqual(idl.discriminator)
    expect(fields.map(field => field.name)).toEqual(idl.args.map(arg => camelOf(arg.name)))
    const given = Object.fromEntries(idl.accounts.map(slot => [camelOf(slot.name), randomAddress(random)]))
    const found = accountsOf(name, given as never)
    expect(found.length).toBe(idl.accounts.length)
    for (const [i, { name: slot, writable = false, signer = false, address }] of idl.accounts.entries()) {
      const known = address ?? (ADDRESSES as Readonly<Record<string, string>>)[camelOf(slot)]
      expect([slot, found[i]]).toEqual([slot, { address: known ?? given[camelOf(slot)], writable, signer }])
    }
    for (const slot of idl.accounts.filter(one => !(camelOf(one.name) in ADDRESSES))) {
      const { [camelOf(slot.name)]: _, ...without } = given
      if (slot.optional !== true) {
        expect(() => accountsOf(name, without as never)).toThrow(`${name}.${camelOf(slot.name)} must be an address`)
        continue
      }
      const place = idl.accounts.indexOf(slot)
      const none = { address: PROGRAM_ID, writable: false, signer: false }
      expect(accountsOf(name, without as never)[place]).toEqual(none)
    }
  })

  test('what follows is written or read as it should be, and refused where nothing may follow', () => {
    const random = new Random(13n)
    const given = Object.fromEntries(idl.accounts.map(slot => [camelOf(slot.name), randomAddress(random)])) as never
    const rest = [randomAddress(random), randomAddress(random)]
    const kind = INSTRUCTIONS[name].rest
    if (kind === undefined) {
      expect(codeOf(() => accountsOf(name, given, rest))).toBe('out-of-range')
      return
    }
    const writable = kind === 'tick arrays'
    expect(accountsOf(name, given, rest).slice(-2)).toEqual(rest.map(address => ({ address, writable, signer: false })))
    expect(codeOf(() => accountsOf(name, given, ['x']))).toBe('wrong-address')
  })

  test('a wrong argument is refused by name, and so are wrong bytes', () => {
    const random = new Random(14n)
    const args = Object.fromEntries(
      fields.map(field => [field.name, randomFields(random, [{ ...field, optional: false }])[field.name]]),
    )
    for (const field of fields) {
      const wrongs = [null, {}, -(2 ** 31) - 1, 0.5, -(1n << 127n) - 1n, 1n << 128n, 2 ** 32, 'nothing', [1]]
      for (const wrong of field.optional ? wrongs : [undefined, ...wrongs]) {
        expect(() => encodeInstruction(name, { ...args, [field.name]: wrong } as never)).toThrow(
          new RegExp(`^${name}\\.${field.name}.* must be .*\\[out-of-range\\]$`),
        )
      }
    }
    const data = encodeInstruction(name, args as never)
    expect(codeOf(() => decodeInstruction(Uint8Array.from([...data, 0])))).toBe('wrong-length')
    expect(codeOf(() => decodeInstruction(data.subarray(0, -1)))).toBe(
      fields.length === 0 ? 'wrong-discriminator' : 'wrong-length',
    )
    let at = 8
    for (const { type, optional } of fields) {
      if (optional || ['bool', 'coupon_kind', 'Action', 'AmountUnit'].includes(type)) {
        expect(codeOf(() => decodeInstruction(data.map((byte, i) => (i === at ? 9 : byte))))).toBe('malformed')
      }
      at += { pubkey: 32, u128: 16, u64: 8, u32: 4, i32: 4, u16: 2, ChangeableTerms: 14 }[type] ?? 1
    }
  })
})

test('the instructions are those of the IDL, all of them', () => {
  expect(INSTRUCTION_NAMES).toEqual(IDL.instructions.map(({ name }) => camelOf(name)))
  expect(INSTRUCTION_NAMES.length).toBeGreaterThan(38)
})

test('what begins like no instruction is none, whatever follows', () => {
  const random = new Random(15n)
  for (let i = 0; i < 2000; i++) {
    const data = randomBytes(random, random.int(0, 60))
    expect(codeOf(() => decodeInstruction(data))).toBe('wrong-discriminator')
  }
  expect(codeOf(() => encodeInstruction('nothing' as never, {} as never))).toBe('out-of-range')
  // A view into a larger buffer.
  const data = encodeInstruction('deposit', { jlp: 77n })
  const larger = Uint8Array.from([1, 2, 3, ...data, 4])
  expect(decodeInstruction(larger.subarray(3, -1))).toEqual({ name: 'deposit', args: { jlp: 77n } })
})

test('known addresses are where their seeds put them', () => {
  expect(IDL.address).toBe(PROGRAM_ID)
  expect(ADDRESSES).toEqual({
    program: PROGRAM_ID,
    eventAuthority: derive(PROGRAM_ID, 'EventAuthority', {}).address,
    config: derive(PROGRAM_ID, 'Config', {}).address,
    jlpMint: JLP_MINT,
    jupiterPool: POOL_ADDRESS,
    jupiterProgram: PERPETUALS_PROGRAM,
    systemProgram: PublicKey.default.toBase58(),
    tokenProgram: 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA',
    token2022Program: 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb',
  })
  expect([...EXECUTED]).toEqual(hashed('event:Executed'))
})

test('the price of PT in return data', () => {
  const data = new Uint8Array(60)
  const view = new DataView(data.buffer)
  for (const [i, value] of [5n, 6n, 7n].entries()) view.setBigUint64(16 * i, value, true)
  view.setBigUint64(40, 1n, true)
  view.setUint32(48, 99, true)
  view.setBigUint64(52, 8n, true)
  expect(decodePtPrice(data)).toEqual({ price: 5n, rate: 6n, discount: (1n << 64n) + 7n, tauSeconds: 99, deficit: 8n })
  expect(codeOf(() => decodePtPrice(data.subarray(1)))).toBe('wrong-length')
})
