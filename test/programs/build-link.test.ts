/** The linker, on objects of a few instructions; needs no compiler. */
import { describe, expect, test } from 'vitest'
import { link } from '../../programs/build/link.ts'
import { Chain } from './build-chain.ts'
import { CHANGING, CODE, CONSTANT, slot, type TestSection, writeObject } from './build-object.ts'

const ADDRESS = 1
const POINTER = 2
const CALL = 10
const [r0, r1, r2, r4] = [0, 1, 2, 4]
const exit = slot(0x95)
const move = (register: number, constant: number): Buffer => slot(0xb7, register, 0, constant)
const call = slot(0x85, 0x10, 0, -1)
const loadAddress = (register: number, addend = 0): Buffer => Buffer.concat([slot(0x18, register, 0, addend), slot(0)])
const loadWord = (to: number, from: number): Buffer => slot(0x79, (from << 4) | to)
const code = (name: string, instructions: Buffer[], relocations: TestSection['relocations'] = []): TestSection => ({
  name,
  data: Buffer.concat(instructions),
  flags: CODE,
  relocations,
})

/** Logs "linked" by a helper, over a table of addresses, and returns 42. */
const talkative: TestSection[] = [
  { name: 'unused', data: Buffer.from('nobody wants this'), flags: CONSTANT },
  code(
    'helper',
    [loadAddress(r1, 3), move(r2, 6), call, exit],
    [
      { offset: 0, type: ADDRESS, symbol: 'text' },
      { offset: 24, type: CALL, symbol: 'sol_log_' },
    ],
  ),
  code(
    'main',
    [loadAddress(r4), loadWord(r4, r4), slot(0x8d, r4), call, move(r0, 42), exit],
    [
      { offset: 0, type: ADDRESS, symbol: 'table' },
      { offset: 32, type: CALL, symbol: 'helper' },
    ],
  ),
  { name: 'text', data: Buffer.from('...linked'), flags: CONSTANT },
  {
    name: 'table',
    data: Buffer.alloc(8),
    flags: CONSTANT,
    relocations: [{ offset: 0, type: POINTER, symbol: 'helper' }],
  },
]

describe('a linked program', () => {
  const linked = link(writeObject(talkative, 'main'))

  test('keeps what the entrypoint reaches, which comes first', () => {
    expect(linked.map.map(({ name }) => name)).toEqual(['main', 'helper', 'text', 'table'])
    expect(linked.syscalls).toEqual(['sol_log_'])
    expect(linked.map[0]!.address).toBe(0x1_0000_0000 + Number(linked.file.readBigUInt64LE(24)))
  })

  test('runs: calls by name, by pointer, and of the chain, with addresses and what is added to them', () => {
    const chain = new Chain()
    const { logs, error } = chain.call(chain.load('linked', linked.file), Buffer.alloc(0))
    expect(logs.filter(line => line === 'Program log: linked').length).toBe(2)
    expect(error).toContain('Custom(42)')
  })

  test('deploys through the upgradeable loader', () => {
    expect(new Chain().deploy('linked', linked.file).outcome.error).toBe(undefined)
  })

  test('is the same for the same object', () => {
    expect(link(writeObject(talkative, 'main')).file.equals(linked.file)).toBe(true)
  })

  test('needs no constants and no syscalls', () => {
    const { file, dataSize } = link(writeObject([code('main', [move(r0, 0), exit])]))
    const chain = new Chain()
    expect(dataSize).toBe(0)
    expect(chain.call(chain.load('small', file), Buffer.alloc(0)).error).toBe(undefined)
    expect(chain.deploy('small too', file).outcome.error).toBe(undefined)
  })
})

describe('the linker refuses', () => {
  const linking = (sections: TestSection[]) => () => link(writeObject(sections))
  const main = (...instructions: Buffer[]): TestSection => code('main', [...instructions, exit])
  const calling = (symbol: string): TestSection => code('main', [call, exit], [{ offset: 0, type: CALL, symbol }])

  test('syscalls that are not on the list, and functions that are nowhere', () => {
    expect(linking([calling('sol_get_epoch_stake')])).toThrow('sol_get_epoch_stake, which is no syscall')
    expect(linking([calling('__multi3')])).toThrow('__multi3')
  })
  test('the address of what is nowhere', () => {
    const object = code('main', [loadAddress(r1), exit], [{ offset: 0, type: ADDRESS, symbol: 'elsewhere' }])
    expect(linking([object])).toThrow('the address of elsewhere')
  })
  test('statics that change', () => {
    expect(linking([main(), { name: '.data', data: Buffer.alloc(8), flags: CHANGING }])).toThrow('.data (8 bytes)')
  })
  test('an object without entrypoint, and what is no BPF object', () => {
    expect(() => link(writeObject([main()], 'nothing'))).toThrow('no entrypoint')
    expect(() => link(Buffer.alloc(100))).toThrow('not a 64-bit little-endian ELF')
    const foreign = writeObject([main()])
    foreign.writeUInt16LE(62, 18)
    expect(() => link(foreign)).toThrow('not a relocatable BPF object')
  })
  test.each([
    ['32-bit addition', slot(0x04)],
    ['32-bit move', slot(0xb4)],
    ['32-bit jump', slot(0x1e)],
    ['atomic addition', slot(0xdb)],
    ['signed division', slot(0x3f, 0x10, 1)],
    ['signed remainder', slot(0x97, 0, 1, 3)],
    ['sign-extending move', slot(0xbf, 0x10, 8)],
    ['swap without condition', slot(0xd7)],
  ])('%s', (_, instruction) => {
    expect(linking([main(instruction)])).toThrow(/instruction 0x|signed division|sign-extending/)
  })
  test('but not the second half of an address, whatever it looks like', () => {
    expect(linking([main(slot(0x18, 0, 0, 5), slot(0, 0, 0, 0x04))])).not.toThrow()
  })
  test('relocations that it does not know', () => {
    const object = code('main', [exit], [{ offset: 0, type: 3, symbol: 'main' }])
    expect(linking([object])).toThrow('relocation of type 3')
  })
})
