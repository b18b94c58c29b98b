import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  AG_PRICE_FEED,
  CUSTODY,
  DOVES_IDL,
  PERPETUALS_IDL,
  POOL,
  POSITION,
  PRICE_FEED,
} from '../../src/jupiter/accounts.ts'
import { compile, factName, type Idl, type IdlType } from '../../src/jupiter/layout.ts'

describe.each([
  ['jupiter_perpetuals', PERPETUALS_IDL],
  ['doves', DOVES_IDL],
])('programs-idl/%s.json', (_, idl) => {
  test('is of the new format and says where it comes from', () => {
    const { metadata } = idl as Idl & { metadata: { spec: string; description: string } }
    expect(metadata.spec).toBe('0.1.0')
    expect(metadata.description.length).toBeGreaterThan(100)
  })

  test('discriminators are those of Anchor: the first 8 bytes of sha256("account:Name")', () => {
    expect(idl.accounts.length).toBeGreaterThan(1)
    for (const { name, discriminator } of idl.accounts) {
      expect(discriminator).toEqual([...createHash('sha256').update(`account:${name}`).digest().subarray(0, 8)])
    }
  })

  test('holds the types of its accounts and no others', () => {
    const used = new Set<string>()
    const follow = (type: IdlType): void => {
      if (typeof type === 'string') return
      if ('vec' in type) follow(type.vec)
      else if ('array' in type) follow(type.array[0])
      else {
        used.add(type.defined.name)
        const definition = idl.types.find(({ name }) => name === type.defined.name)!.type
        if (definition.kind === 'struct') for (const field of definition.fields) follow(field.type)
      }
    }
    for (const { name } of idl.accounts) follow({ defined: { name } })
    expect(idl.types.map(({ name }) => name).sort()).toEqual([...used].sort())
  })
})

describe('compiled layouts', () => {
  test('sizes', () => {
    const sizes = [POOL, CUSTODY, POSITION, PRICE_FEED, AG_PRICE_FEED].map(({ size, codec }) => [size, 8 + codec.size])
    // Real accounts are larger than their fields; a pool has its name and custodies on top.
    expect(sizes).toEqual([
      [2000, 252],
      [2000, 1117],
      [216, 210],
      [91, 91],
      [202, 202],
    ])
  })

  test('names are camel case, with the chain’s spelling mended', () => {
    expect(factName('aum_usd')).toBe('aumUsd')
    expect(factName('borrow_lend_interests_accured')).toBe('borrowLendInterestsAccrued')
    expect(factName('maintainance_margin_bps')).toBe('maintenanceMarginBps')
  })

  test('error: a type that is not there or not supported is noticed when compiling', () => {
    const idl = (type: IdlType): Idl => ({
      address: 'x',
      accounts: [],
      types: [{ name: 'A', type: { kind: 'struct', fields: [{ name: 'a', type }] } }],
    })
    expect(() => compile(idl('u8'), 'B')).toThrow('no type B')
    expect(() => compile(idl('u256'), 'A')).toThrow('unsupported type u256')
    expect(() => compile(idl({ defined: { name: 'C' } }), 'A')).toThrow('no type C')
  })
})
