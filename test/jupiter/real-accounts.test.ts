/**
 * The recorded bytes of slot 450,101,361 themselves: they are not part of the project (the fixtures restate their values), and
 * are read where they are at hand: in the folder that SUNDER_SHARED names, or in one named "shared" beside the project.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkCustodyAddress, checkPoolAddress, checkPositionAddress } from '../../src/jupiter/addresses.ts'
import { decodeWithAnchor } from '../../src/jupiter/anchor.ts'
import { type AccountBytes, decodeAccount } from '../../src/jupiter/decode.ts'
import { POOL_2026, POSITIONS_2026, SOL_2026, USDC_2026 } from './fixtures/index.ts'
import { kindOf } from './kinds.ts'

const project = fileURLToPath(new URL('../../', import.meta.url))
const { SUNDER_SHARED: shared = join(dirname(project), 'shared') } = process.env
const file = join(shared, 'accounts', 'gma-slot450101361.json')
const isAtHand = existsSync(file)

interface Answer {
  readonly result: {
    readonly context: { readonly slot: number }
    readonly value: readonly ({
      readonly data: readonly [string, 'base64']
      readonly owner: string
      readonly space: number
    } | null)[]
  }
}

const RECORDED = [
  { kind: kindOf('Custody'), fixture: SOL_2026, title: 'the SOL custody' },
  { kind: kindOf('Custody'), fixture: USDC_2026, title: 'the USDC custody' },
  { kind: kindOf('Pool'), fixture: POOL_2026, title: 'the pool' },
  ...POSITIONS_2026.map((fixture, i) => ({ kind: kindOf('Position'), fixture, title: `position ${i}` })),
]

const recorded = (): AccountBytes[] => {
  const { result } = JSON.parse(readFileSync(file, 'utf8')) as Answer
  const present = result.value.filter(account => account !== null)
  return present.map(({ owner, data: [base64], space }, i) => {
    const data = Uint8Array.from(Buffer.from(base64, 'base64'))
    expect(data.length).toBe(space)
    return { address: RECORDED[i]!.fixture.address, owner, data, slot: result.context.slot }
  })
}

const where = isAtHand
  ? 'recorded accounts of slot 450101361'
  : 'SKIPPED, the recorded accounts are not here: SUNDER_SHARED may name the folder that has accounts/gma-slot450101361.json'

if (!isAtHand) console.warn(where)

describe.skipIf(!isAtHand)(where, () => {
  test('one pool, two custodies, four positions', () => {
    expect(recorded().map(account => decodeAccount(account).kind)).toEqual([
      'custody',
      'custody',
      'pool',
      ...['position', 'position', 'position', 'position'],
    ])
    expect(recorded()[0]!.slot).toBe(Number(POOL_2026.slot))
  })

  test.each(RECORDED.map((entry, i) => ({ ...entry, i })))(
    '$title: the restated values, and the same bytes back',
    entry => {
      const { kind, fixture, i } = entry
      const account = recorded()[i]!
      expect(kind.decode(account)).toStrictEqual(fixture.facts)
      expect(decodeWithAnchor(kind.layout.name, account.data)).toStrictEqual(fixture.facts)
      expect(kind.encode(fixture.facts)).toStrictEqual(account.data)
      expect(kind.encode(fixture.facts, account)).toStrictEqual(account.data)
    },
  )

  test('each is where its seeds say', () => {
    for (const account of recorded()) {
      const decoded = decodeAccount(account)
      if (decoded.kind === 'pool') checkPoolAddress(account, decoded.facts)
      if (decoded.kind === 'custody') checkCustodyAddress(account, decoded.facts)
      if (decoded.kind === 'position') checkPositionAddress(account, decoded.facts)
    }
  })
})
