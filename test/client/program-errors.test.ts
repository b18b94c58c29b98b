/** What nodes, wallets and simulations say of a refusal, and what the client makes of it. */
import { SendTransactionError } from '@solana/web3.js'
import { describe, expect, test } from 'vitest'
import { ERRORS, PROGRAM_ID } from '../../src/client/generated/interface.ts'
import { errorOf, FIRST_ERROR, ProgramError, programErrorOf } from '../../src/client/program-errors.ts'
import { IDL } from './anchor.ts'

const TOKEN = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'
const SYSTEM = '11111111111111111111111111111111'
const kebab = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`).replace(/^-/, '')
interface Context {
  readonly code?: number
  readonly program?: string
  readonly instruction?: number
}
const contextOf = (error: ProgramError): Context => error.context
const failed = (program: string, code: number): string =>
  `Program ${program} failed: custom program error: 0x${code.toString(16)}`

test('codes, names and messages are those of the IDL', () => {
  expect(IDL.errors.length).toBe(ERRORS.length)
  for (const { code, name, msg } of IDL.errors) {
    expect(programErrorOf(code)).toEqual({ name: kebab(name), message: msg })
  }
  expect(programErrorOf(FIRST_ERROR - 1)).toBe(undefined)
  expect(programErrorOf(FIRST_ERROR + ERRORS.length)).toBe(undefined)
})

describe("an error of the program's", () => {
  test('by its number, wherever that is', () => {
    for (const [i, { name, message }] of ERRORS.entries()) {
      const code = FIRST_ERROR + i
      const hex = code.toString(16)
      const said = [
        errorOf({ InstructionError: [2, { Custom: code }] }),
        errorOf({ InstructionError: [2, { Custom: code }] }, [failed(PROGRAM_ID, code)]),
        errorOf({ err: { InstructionError: [2, { Custom: code }] } }),
        errorOf(new Error(`Error processing Instruction 2: custom program error: 0x${hex}`)),
        errorOf(new Error('failed'), ['Program log: something', failed(PROGRAM_ID, code)]),
      ]
      for (const error of said) {
        expect(error).toBeInstanceOf(ProgramError)
        expect([error.code, error.message, contextOf(error).code]).toEqual([name, `${message} [${name}]`, code])
      }
      expect(contextOf(said[0]!).instruction).toBe(2)
      expect(contextOf(said[1]!).program).toBe(PROGRAM_ID)
    }
  })

  test('says what to do', () => {
    const error = errorOf({ InstructionError: [0, { Custom: 6034 }] })
    expect(error.message).toBe('A coupon is due: put `accrue` in front. [coupon-due]')
    expect(errorOf(error)).toBe(error)
  })
})

test('the first program that failed decides, not those that called it', () => {
  const logs = [failed(TOKEN, 1), failed(PROGRAM_ID, 1)]
  const token = errorOf({ InstructionError: [1, { Custom: 1 }] }, ['Program log: Error: insufficient funds', ...logs])
  expect([token.code, token.context]).toEqual(['insufficient-tokens', { code: 1, program: TOKEN, instruction: 1 }])
  const foreign = errorOf({ InstructionError: [1, { Custom: 6034 }] }, [failed(TOKEN, 6034)])
  expect([foreign.code, contextOf(foreign).code]).toEqual(['another-program', 6034])
  const lamports = ['Transfer: insufficient lamports 5, need 9', failed(SYSTEM, 1), failed(PROGRAM_ID, 1)]
  expect(errorOf({ InstructionError: [0, { Custom: 1 }] }, lamports).code).toBe('insufficient-lamports')
})

// biome-ignore format: a table
const BUILT_IN: readonly (readonly [error: unknown, logs: readonly string[], code: string])[] = [
  ['BlockhashNotFound', [], 'blockhash-expired'],
  ['AlreadyProcessed', [], 'already-processed'],
  ['AccountNotFound', [], 'insufficient-lamports'],
  ['InsufficientFundsForFee', [], 'insufficient-lamports'],
  [{ InsufficientFundsForRent: { account_index: 1 } }, [], 'insufficient-lamports'],
  [{ InstructionError: [0, 'MissingRequiredSignature'] }, [], 'missing-signature'],
  [{ InstructionError: [0, 'ComputationalBudgetExceeded'] }, [], 'too-many-units'],
  [{ InstructionError: [0, 'ProgramFailedToComplete'] }, [`Program ${PROGRAM_ID} failed: exceeded CUs meter at BPF instruction`], 'too-many-units'],
  [{ InstructionError: [0, 'UnsupportedProgramId'] }, [], 'missing-program'],
  [{ InstructionError: [0, { BorshIoError: 'x' }] }, [], 'unknown'],
  [{ InstructionError: [0, { Custom: 3 }] }, [], 'another-program'],
  [new Error('Attempt to debit an account but found no record of a prior credit.'), [], 'insufficient-lamports'],
  [new Error('Transaction simulation failed: Blockhash not found'), [], 'blockhash-expired'],
  [new Error('Transaction too large: 1300 > 1232'), [], 'too-large'],
  [new RangeError('encoding overruns Uint8Array'), [], 'too-large'],
  [new Error('User rejected the request.'), [], 'unknown'],
  [undefined, [], 'unknown'],
  [null, [], 'unknown'],
  [7, [], 'unknown'],
]

test.each(BUILT_IN)('%j', (error, logs, code) => {
  const found = errorOf(error, logs)
  expect([found.code, found.logs]).toEqual([code, logs])
  if (error instanceof Error && code === 'unknown') expect(found.message).toContain(error.message)
})

test('an error of web3.js brings its logs', () => {
  const logs = [`Program ${PROGRAM_ID} invoke [1]`, failed(PROGRAM_ID, 6030)]
  const error = new SendTransactionError({
    action: 'simulate',
    signature: '',
    transactionMessage: 'Transaction simulation failed: Error processing Instruction 1: custom program error: 0x178e',
    logs,
  })
  expect([errorOf(error).code, errorOf(error).logs]).toEqual(['below-minimum', logs])
  const answered = Object.assign(new Error('failed to simulate'), {
    data: { err: { InstructionError: [1, { Custom: 6036 }] }, logs },
  })
  expect(contextOf(errorOf(answered)).instruction).toBe(1)
})
