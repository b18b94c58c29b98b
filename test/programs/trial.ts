/** Calls made of those of cases.ts, with a thing or two that are wrong: what is said of them, and that nothing has changed. */
import { PublicKey, type TransactionInstruction } from '@solana/web3.js'
import { ADDRESSES, ERRORS, INSTRUCTIONS, type Instruction } from '../generate/interface.ts'
import { camel } from '../generate/layouts-write.ts'
import { type AccountState, keyOf } from './build-chain.ts'
import type { Case } from './cases.ts'
import type { Outcome } from './harness.ts'

export const key = (address: string): PublicKey => new PublicKey(address)
export const SYSTEM = key(ADDRESSES.system_program)
/** An address where there is nothing. */
export const ELSEWHERE = keyOf('elsewhere').publicKey
/** Has lamports, and nothing else. */
export const MALLORY = keyOf('mallory').publicKey

/** The name of a refusal of the program, what the runtime says of another one, undefined if it went through. */
export const nameOf = ({ error }: Outcome): string | undefined =>
  error === undefined ? undefined : (ERRORS[(error.code ?? 0) - 6000]?.[0] ?? error.text)

export type Meta = TransactionInstruction['keys'][number]
/** The same call with other accounts. */
export const withKeys = (call: TransactionInstruction, keys: readonly Meta[]): TransactionInstruction =>
  Object.assign(Object.create(Object.getPrototypeOf(call)), call, { keys: [...keys] })
/** The same call with other bytes. */
export const withData = (call: TransactionInstruction, data: Uint8Array): TransactionInstruction =>
  Object.assign(Object.create(Object.getPrototypeOf(call)), call, { data: Buffer.from(data) })

const isSame = (a: AccountState | undefined, b: AccountState | undefined): boolean =>
  a === undefined || b === undefined
    ? a === b
    : a.lamports === b.lamports && a.owner.equals(b.owner) && a.data.equals(b.data)

/** A case with what it looked like before: any number of calls are tried with it, each as if it were the first. */
export class Trial {
  readonly it: Case
  readonly instruction: Instruction
  readonly #extra: readonly PublicKey[]
  readonly #before: ReadonlyMap<string, AccountState | undefined>

  /** `extra`: accounts that calls may name beside those of the case. */
  constructor(it: Case, extra: readonly PublicKey[] = []) {
    this.it = it
    this.instruction = INSTRUCTIONS.find(({ name }) => camel(name) === it.name)!
    it.chain.wallet('mallory')
    this.#extra = [ELSEWHERE, MALLORY, ...extra]
    this.#before = new Map(this.#keys(it.call).map(one => [one.toBase58(), it.chain.account(one)]))
  }

  #keys(call: TransactionInstruction): PublicKey[] {
    return [...call.keys.map(({ pubkey }) => pubkey), ...this.#extra]
  }

  /** Everything that calls of this case could write. */
  snapshot(): ReadonlyMap<string, string | undefined> {
    return this.it.chain.snapshot(this.#keys(this.it.call))
  }

  write(at: PublicKey, to: Partial<AccountState>): void {
    const { chain } = this.it
    const was = chain.account(at) ?? { owner: SYSTEM, data: Buffer.alloc(0), lamports: 0n }
    const { owner, data, lamports } = { ...was, ...to }
    chain.setAccount(at, owner, data, lamports)
  }

  restore(): void {
    const { chain } = this.it
    for (const [address, state] of this.#before) {
      const at = key(address)
      if (isSame(state, chain.account(at))) continue // also programs, which could not be written back
      if (state === undefined) chain.close(at)
      else chain.setAccount(at, state.owner, state.data, state.lamports)
    }
  }

  /** The name of the refusal, undefined if there is none. Throws if a refused call has changed anything. */
  attempt(call: TransactionInstruction): string | undefined {
    const { chain } = this.it
    const before = this.#keys(call).map(at => [at, chain.account(at)] as const)
    const outcome = chain.send(call)
    if (outcome.ok) return undefined
    const changed = before.find(([at, state]) => !isSame(state, chain.account(at)))
    if (changed !== undefined) throw new Error(`${this.it.name} was refused and changed ${changed[0].toBase58()}`)
    return nameOf(outcome)
  }

  /** What the valid call comes to; all is as before afterwards. */
  reference(): ReadonlyMap<string, string | undefined> {
    if (this.attempt(this.it.call) !== undefined) throw new Error(`${this.it.name} does not succeed`)
    const after = this.snapshot()
    this.restore()
    return after
  }
}
