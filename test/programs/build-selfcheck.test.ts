/**
 * Whether the compiler can be trusted: arithmetic against BigInt, ordinary Rust against the same Rust on the host, and every part
 * of the runtime, on chain. Runs the committed self-check program, so that no compiler is needed.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PublicKey, SystemProgram } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { sampleSeeds } from '../../programs/build/host.ts'
import { faultsOf } from '../../programs/build/record.ts'
import { Chain, type Given, keyOf } from './build-chain.ts'
import { numberPairs, VECTORS } from './build-vectors.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = `${root}programs/build/selfcheck/`
const elf = readFileSync(`${folder}program.so`)

test('the self-check program was built from the sources that are here (npm run program:build -- --selfcheck)', () => {
  expect(faultsOf(root, `${folder}program.so`)).toEqual([])
})

const le = (value: bigint, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) buffer[i] = Number((value >> BigInt(8 * i)) & 255n)
  return buffer
}
const fromLe = (bytes: Buffer): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)

describe('integers on chain, against BigInt', () => {
  const chain = new Chain()
  const program = chain.load('selfcheck', elf)
  const account = keyOf('vectors').publicKey
  for (const [operation, [name, expected]] of VECTORS.entries()) {
    test(name, () => {
      const pairs = numberPairs(operation + 1, 400)
      const records = pairs.map(([a, b]) => Buffer.concat([le(a, 16), le(b, 16), Buffer.alloc(16)]))
      chain.setAccount(account, program, Buffer.concat(records))
      const { error, logs } = chain.call(program, Buffer.from([0, operation]), [{ key: account, writable: true }])
      expect(error, logs.join('\n')).toBe(undefined)
      const data = chain.dataOf(account)!
      const wrong = pairs.flatMap(([a, b], i) => {
        const got = fromLe(data.subarray(i * 48 + 32, i * 48 + 48))
        return got === expected(a, b) ? [] : [{ a, b, got, expected: expected(a, b) }]
      })
      expect(wrong).toEqual([])
    })
  }
  test('there is no further operation', () => {
    chain.setAccount(account, program, Buffer.alloc(48))
    const after = Buffer.from([0, VECTORS.length])
    expect(chain.call(program, after, [{ key: account, writable: true }]).error).toBeDefined()
  })
})

describe('ordinary Rust on chain, against the same Rust on the host', () => {
  const chain = new Chain()
  const program = chain.load('selfcheck', elf)
  const answers = JSON.parse(readFileSync(`${folder}answers.json`, 'utf8')) as string[][]
  const names = `128-bit arithmetic, signed 128-bit, narrow and 64-bit, Vec and sort, BTreeMap, format and parse, dyn,
    enums, Result and Option, more arguments than registers, recursion, large structs, slices, function tables, match,
    sort of u128`.split(/,\s+/)
  test('there is an answer for every part', () => {
    expect(answers.length).toBe(names.length)
  })
  for (const [part, name] of names.entries()) {
    test(name, () => {
      const seeds = sampleSeeds(part)
      // Two seeds at a time: 1.4 million compute units are soon spent.
      const got = [0, 2, 4, 6].flatMap(at => {
        const data = Buffer.concat([Buffer.from([1, part]), le(seeds[at]!, 8), le(seeds[at + 1]!, 8)])
        const { error, logs, returned } = chain.call(program, data)
        expect(error, logs.join('\n')).toBe(undefined)
        const words = Buffer.concat([returned, Buffer.alloc(16)])
        return [words.readBigUInt64LE(0), words.readBigUInt64LE(8)]
      })
      expect(got.map(String)).toEqual(answers[part])
    })
  }
})

describe('the runtime on chain', () => {
  const chain = new Chain()
  const program = chain.load('selfcheck', elf)
  const probe = (what: number, accounts: readonly Given[] = [], more: Uint8Array = Buffer.alloc(0)) =>
    chain.call(program, Buffer.concat([Buffer.from([2, what]), more]), accounts)
  const key = (name: string): PublicKey => keyOf(name).publicKey

  test('accounts in their order, a duplicate where the instruction repeats one, beyond the sixteenth too', () => {
    const keys = Array.from({ length: 30 }, (_, i) => new PublicKey(Buffer.alloc(32, i + 1)))
    const given = [...keys, keys[28]!, keys[3]!]
    const { error, returned } = probe(
      0,
      given.map(pubkey => ({ key: pubkey })),
    )
    expect(error).toBe(undefined)
    expect([...returned]).toEqual(given.map(pubkey => pubkey.toBytes()[0]))
  })

  test('a duplicate that is writable is seen, wherever it stands', () => {
    for (let i = 0; i < 32; i += 31) chain.setAccount(key(`account ${i}`), program, Buffer.alloc(1))
    const many = Array.from({ length: 30 }, (_, i) => ({ key: key(`account ${i}`), writable: i < 5 }))
    expect(probe(1, many).error).toBe(undefined)
    expect(probe(1, [...many, many[29]!]).error).toBe(undefined)
    expect(probe(1, [...many, many[29]!, many[4]!]).logs.at(-1)).toContain('invalid program argument')
  })

  test('two names of one account have one writer', () => {
    const account = { key: key('shared'), writable: true }
    chain.setAccount(account.key, program, Buffer.alloc(4))
    expect(probe(2, [account, account]).error).toBe(undefined)
    expect(chain.dataOf(account.key)![0]).toBe(42)
    expect(probe(2, [account, { ...account, key: key('payer') }]).error).toBeDefined()
  })

  test('an address is derived, a call signed for it creates the account, and lamports leave it and close it', () => {
    const payer = { key: chain.payer.publicKey, writable: true, signer: true }
    const [made] = PublicKey.findProgramAddressSync([Buffer.from('probe'), payer.key.toBuffer()], program)
    const created = probe(3, [payer, { key: made, writable: true }, { key: SystemProgram.programId }])
    expect(created.error, created.logs.join('\n')).toBe(undefined)
    expect(chain.dataOf(made)).toEqual(Buffer.concat([Buffer.alloc(50), Buffer.alloc(50, 9)]))

    const heir = key('heir')
    chain.setAccount(heir, SystemProgram.programId, Buffer.alloc(0), 1_000_000_000n)
    chain.setAccount(made, program, Buffer.alloc(100), 2_000_000_000n)
    const both = [
      { key: made, writable: true },
      { key: heir, writable: true },
    ]
    expect(probe(4, both, le(5n, 8)).error).toBe(undefined)
    expect([chain.lamportsOf(made), chain.lamportsOf(heir)]).toEqual([1_999_999_995n, 1_000_000_005n])
    expect(probe(5, both).error).toBe(undefined)
    expect([chain.lamportsOf(made), chain.lamportsOf(heir)]).toEqual([0n, 3_000_000_000n])
  })

  test('clock and rent', () => {
    const clock = chain.svm.getClock()
    clock.unixTimestamp = 1_900_000_000n
    clock.slot = 777n
    chain.svm.setClock(clock)
    const { returned } = probe(6)
    const words = Buffer.concat([returned, Buffer.alloc(24)])
    expect([0, 8, 16].map(at => words.readBigUInt64LE(at))).toEqual([777n, 1_900_000_000n, 2_039_280n])
  })

  test('logs, and data for indexers', () => {
    const logs = probe(7).logs.join('\n')
    expect(logs).toContain('Program log: a line')
    expect(logs).toContain('Program log: 0x1, 0x2, 0x3, 0x4, 0xff')
    expect(logs).toContain('Program log: 11111111111111111111111111111111')
    expect(logs).toMatch(/consumption: \d+ units remaining/)
    expect(logs).toContain(`Program data: ${['one', '', 'three'].map(part => btoa(part)).join(' ')}`)
  })

  test('a program reads what another has answered', () => {
    expect([...probe(8, [{ key: program }]).returned]).toEqual([11, 1])
  })

  test('bytes are copied, compared and filled, and a place may be assigned to itself', () => {
    chain.setAccount(key('bytes'), program, Buffer.alloc(200))
    const { error, logs } = probe(9, [{ key: key('bytes'), writable: true }])
    expect(error, logs.join('\n')).toBe(undefined)
  })

  test('a panic names file and line', () => {
    const lines = readFileSync(`${folder}probe.rs`, 'utf8').split('\n')
    for (const kind of [100, 101, 102, 103]) {
      const line = lines.findIndex(text => text.includes(`${kind} => `)) + 1
      const { error, logs } = probe(kind, [], Buffer.from([kind === 103 ? 7 : 5]))
      expect(error).toBeDefined()
      expect(logs.join('\n')).toContain(`Panicked in programs/build/selfcheck/probe.rs at ${line}:`)
    }
  })
})

test('the self-check program deploys through the upgradeable loader too', () => {
  expect(new Chain().deploy('selfcheck', elf).outcome.error).toBe(undefined)
})
