/**
 * What test/generate/interface.ts promises of a call, said once more: the first thing that is wrong with the accounts as they
 * are brought. The program's own checks are generated from the same description; attacks.test.ts compares the two.
 */
import { PublicKey } from '@solana/web3.js'
import { type AccountName, TICK_ARRAYS } from '../../src/client/codecs.ts'
import { LAYOUTS } from '../../src/client/generated/layouts.ts'
import { ADDRESSES, type Instruction, PROGRAM_ID, type Slot } from '../generate/interface.ts'
import { camel } from '../generate/layouts-write.ts'

/** An account as the program gets it: what is asked for a key anywhere in a transaction holds for it everywhere. */
export interface Brought {
  readonly key: string
  readonly owner: string
  readonly data: Buffer
  readonly signer: boolean
  readonly writable: boolean
}

const keyAt = (data: Buffer, at: number): string => new PublicKey(data.subarray(at, at + 32)).toBase58()

/** The key in a field of an account of the program. */
const fieldOf = (account: AccountName, field: string, { data }: Brought): string =>
  keyAt(data, LAYOUTS[account].fields.find(({ name }) => name === camel(field))!.offset)

const isEmptySystem = ({ owner, data }: Brought): boolean => owner === ADDRESSES.system_program && data.length === 0

const account = (name: AccountName, brought: Brought): string | undefined => {
  if (brought.owner !== PROGRAM_ID) return isEmptySystem(brought) ? 'Uninitialised' : 'WrongOwner'
  const { discriminator, version, size } = LAYOUTS[name]
  const { data } = brought
  if (data.length < 8) return data.length === 0 ? 'Uninitialised' : 'WrongLength'
  if (!discriminator.every((byte, i) => data[i] === byte)) {
    return data.subarray(0, 8).every(byte => byte === 0) ? 'Uninitialised' : 'WrongDiscriminator'
  }
  if (data.length > 8 && data[8] !== version) return 'WrongVersion'
  return data.length === size ? undefined : 'WrongLength'
}

/** Of a matured market that follows `create_market`, of the first market's index. */
export const refusalOfMarket = (it: Brought): string | undefined => account('Market', it)

const TOKEN_ACCOUNT = 165
const MULTISIG = 355

const wallet = (brought: Brought, mint: string, owner: string, program: string): string | undefined => {
  const { data } = brought
  if (brought.owner !== program) return 'WrongOwner'
  const extended = program === ADDRESSES.token_2022_program && data.length !== MULTISIG && data[TOKEN_ACCOUNT] === 2
  if (data.length !== TOKEN_ACCOUNT && !extended) return 'WrongLength'
  if (data[108] !== 1 && data[108] !== 2) return 'Uninitialised'
  if (keyAt(data, 0) !== mint) return 'WrongMint'
  if (keyAt(data, 32) !== owner) return 'WrongTokenOwner'
  return data[108] === 2 ? 'Frozen' : undefined
}

/** The first refusal of the checks in front of an instruction; undefined if they let it begin. */
export const refusalOf = ({ accounts }: Instruction, brought: readonly Brought[]): string | undefined => {
  if (brought.length < accounts.length) return 'MissingAccount'
  const given = accounts
    .map((slot, i) => ({ slot, it: brought[i]! }))
    .filter(({ slot, it }) => !(slot.optional && it.key === PROGRAM_ID))
  const of = (name: string): Brought => brought[accounts.findIndex(slot => slot.name === name)]!
  const accountOf = (name: string): AccountName => {
    const { check } = accounts.find(slot => slot.name === name)!
    if ('account' in check && check.kind !== 'new' && check.account !== undefined) return check.account
    throw new Error(`${name} is no account of the program`)
  }
  const itself = ({ check, writable }: Slot, it: Brought): string | undefined => {
    if (check.kind === 'signer' && !it.signer) return 'MissingSigner'
    if (check.kind === 'fixed' && it.key !== ADDRESSES[check.address]) return 'WrongAddress'
    if (writable && !it.writable) return 'NotWritable'
    return 'account' in check && check.kind !== 'new' && check.account !== undefined
      ? account(check.account, it)
      : undefined
  }
  const related = ({ check }: Slot, it: Brought): string | undefined => {
    if (check.kind === 'account') {
      return check.same?.find(({ field, slot }) => fieldOf(check.account, field, it) !== of(slot).key)?.error
    }
    if (check.kind === 'stored') {
      return fieldOf(accountOf(check.slot), check.field, of(check.slot)) === it.key ? undefined : 'WrongAddress'
    }
    if (check.kind !== 'wallet') return undefined
    const mint = check.mint === 'jlp_mint' ? ADDRESSES.jlp_mint : of(check.mint.slot).key
    const { slot } = check.owner
    const owner = 'field' in check.owner ? fieldOf(accountOf(slot), check.owner.field, of(slot)) : of(slot).key
    return wallet(it, mint, owner, ADDRESSES[check.program])
  }
  const alone = ({ check, writable }: Slot, { key }: Brought): string | undefined =>
    writable && check.kind !== 'signer' && brought.filter(other => other.key === key).length > 1
      ? 'SameAccount'
      : undefined
  for (const rule of [itself, related, alone]) {
    for (const { slot, it } of given) {
      const found = rule(slot, it)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** The same of the tick arrays of one or two markets that follow, if they are looked at. */
export const refusalOfArrays = (markets: readonly string[], brought: readonly Brought[]): string | undefined => {
  const seen = new Set<string>()
  for (const it of brought) {
    if (!it.writable) return 'NotWritable'
    if (it.owner !== PROGRAM_ID) return it.data.length === 0 ? 'Uninitialised' : 'WrongOwner'
    const found = account('TickArray', it)
    if (seen.has(it.key)) return 'SameAccount'
    if (found !== undefined) return found
    seen.add(it.key)
    if (!markets.includes(fieldOf('TickArray', 'market', it))) return 'WrongMarket'
  }
  return seen.size > TICK_ARRAYS * markets.length ? 'SameAccount' : undefined
}
