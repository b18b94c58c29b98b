/** The committed program: that it is what it says it is, that a chain takes it, and what it answers. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PublicKey } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { differenceOf, faultsOf, readRecord } from '../../programs/build/record.ts'
import { RUNTIME_SYSCALLS } from '../../programs/build/syscalls.ts'
import { PROGRAM_ID } from '../../src/client/index.ts'
import { Chain } from './build-chain.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const program = `${root}programs-idl/sunder.so`
const elf = readFileSync(program)
/** The program runs at its own address alone. */
const HERE = new PublicKey(PROGRAM_ID)

const instruction = (name: string): Buffer => createHash('sha256').update(`global:${name}`).digest().subarray(0, 8)

describe('the committed program', () => {
  test('has the recorded hash and was built from the sources that are here (npm run program:build makes it so)', () => {
    expect(faultsOf(root, program)).toEqual([])
    const { sources, versions } = readRecord(program)
    expect(Object.keys(sources)).toContain('programs/sunder/src/lib.rs')
    expect(Object.keys(versions).sort()).toEqual(['LLVM', 'llvm-22', 'rust-web-src', 'rustc', 'rustc-web'])
  })

  test('says where a panic was by names relative to the project, and holds no other path', () => {
    const text = elf.toString('latin1')
    expect(text).toContain('programs/sunder/src/')
    expect(text.match(/\/(?:home|root|work|tmp|usr|build)\//g)).toBe(null)
  })

  test('answers `version`', () => {
    const chain = new Chain()
    const { error, returned, units } = chain.call(chain.load('sunder', elf, HERE), instruction('version'))
    expect(error).toBe(undefined)
    expect(Buffer.concat([returned, Buffer.alloc(4)]).readUInt32LE()).toBe(2)
    expect(units).toBeLessThan(250)
  })

  test('refuses what it does not know with 6000', () => {
    const chain = new Chain()
    const sunder = chain.load('sunder', elf, HERE)
    for (const data of [instruction('no such thing'), instruction('version').subarray(0, 7), Buffer.alloc(0)]) {
      expect(chain.call(sunder, data).logs.at(-1)).toContain('custom program error: 0x1770')
    }
  })

  test('takes 64 accounts and refuses 65', () => {
    const chain = new Chain()
    const sunder = chain.load('sunder', elf, HERE)
    const accounts = Array.from({ length: 65 }, () => ({ key: chain.payer.publicKey }))
    expect(chain.call(sunder, instruction('version'), accounts.slice(1)).error).toBe(undefined)
    expect(chain.call(sunder, instruction('version'), accounts).logs.join('\n')).toContain('more than 64 accounts')
  })

  test('deploys through the upgradeable loader, and answers from there', () => {
    const chain = new Chain()
    const { program: sunder, outcome } = chain.deploy('sunder', elf, HERE)
    expect(outcome.error).toBe(undefined)
    expect(chain.call(sunder, instruction('version')).error).toBe(undefined)
  })

  test('runs nowhere else', () => {
    const chain = new Chain()
    expect(chain.call(chain.load('elsewhere', elf), instruction('version')).error).toContain('IncorrectProgramId')
  })

  test('would not deploy with a byte of code wrong: the loader does look', () => {
    const broken = Buffer.from(elf)
    broken[Number(broken.readBigUInt64LE(24))] = 0xff // the first instruction
    expect(new Chain().deploy('sunder', broken).outcome.error).toBeDefined()
  })
})

test('the syscalls that a build allows are those that the runtime declares', () => {
  const source = readFileSync(`${root}programs/sunder/src/runtime/syscalls.rs`, 'utf8')
  const declared = source.slice(0, source.indexOf('pub use host')).matchAll(/pub fn (sol_\w+)/g)
  expect([...declared].map(match => match[1]).sort()).toEqual([...RUNTIME_SYSCALLS].sort())
})

test('a difference of versions is named, whichever side lacks the package', () => {
  expect(differenceOf({ a: '1', b: '2' }, { a: '1', b: '2' })).toBe(undefined)
  expect(differenceOf({ a: '1' }, { a: '2' })).toBe('a is 2, and the program was built with 1')
  expect(differenceOf({ a: '1' }, {})).toBe('a is not installed, and the program was built with 1')
  expect(differenceOf({}, { a: '1' })).toBe('a is 1, and the program was built with none')
})
