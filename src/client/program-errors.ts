/**
 * Why a transaction was refused, from whatever a node, a wallet or a simulation says of it: a name to test against and the way out
 * in words. Imports no packages, because the page uses it as it is.
 */
import { CodedError } from '../../amm/errors.ts'
import { ERRORS, PROGRAM_ID, type ProgramErrorName } from './generated/interface.ts'

export type { ProgramErrorName } from './generated/interface.ts'

/** The program's own errors count from here. */
export const FIRST_ERROR = 6000

/** What is refused before or around the program. */
const AROUND = {
  'insufficient-lamports': 'The wallet has too few SOL for the fee or for the rent of a new account: send it some.',
  'insufficient-tokens': 'A token account has less than is to be moved: lower the amount.',
  'missing-signature': 'A signature is missing or wrong: sign with every key that must sign.',
  'blockhash-expired': 'The transaction came too late: make it anew and sign again.',
  'already-processed': 'This very transaction went through before: look at its result.',
  'too-many-units': 'It took more compute units than it may: set a higher limit, or trade across fewer ticks.',
  'too-large': 'It does not fit into a transaction: use a lookup table, or send its instructions one after the other.',
  'missing-program': 'A program that is called is not there: look whether this is the right cluster.',
  'another-program': 'Another program of the transaction refused: its logs say why.',
  unknown: 'The node refused the transaction: the logs say why.',
} as const

export type TransactionErrorName = ProgramErrorName | keyof typeof AROUND

/**
 * `context`: `code` and `program` if a program refused, `instruction` if one of them did (counted from 0 in the transaction, where those
 * of the compute budget come first).
 */
export class ProgramError extends CodedError<TransactionErrorName> {
  override readonly name = 'ProgramError'
  readonly logs: readonly string[]

  constructor(
    code: TransactionErrorName,
    message: string,
    context: Readonly<Record<string, string | number>> = {},
    logs: readonly string[] = [],
  ) {
    super(code, message, context)
    this.logs = logs
  }
}

/** An error of the program's by its number. */
export const programErrorOf = (
  code: number,
): { readonly name: ProgramErrorName; readonly message: string } | undefined => ERRORS[code - FIRST_ERROR]

/** As a node names them. */
const NAMED: Readonly<Record<string, keyof typeof AROUND>> = {
  InsufficientFunds: 'insufficient-lamports',
  InsufficientFundsForFee: 'insufficient-lamports',
  InsufficientFundsForRent: 'insufficient-lamports',
  AccountNotFound: 'insufficient-lamports', // of who pays: an account without lamports is none
  InvalidAccountForFee: 'insufficient-lamports',
  MissingRequiredSignature: 'missing-signature',
  SignatureFailure: 'missing-signature',
  BlockhashNotFound: 'blockhash-expired',
  AlreadyProcessed: 'already-processed',
  ComputationalBudgetExceeded: 'too-many-units',
  ProgramFailedToComplete: 'too-many-units',
  MaxLoadedAccountsDataSizeExceeded: 'too-large',
  ProgramAccountNotFound: 'missing-program',
  UnsupportedProgramId: 'missing-program',
}

/** The same in the messages of nodes and wallets. */
const SAID: readonly (readonly [RegExp, keyof typeof AROUND])[] = [
  [/insufficient (lamports|funds for (fee|rent))|found no record of a prior credit/i, 'insufficient-lamports'],
  [/blockhash not found|block height exceeded/i, 'blockhash-expired'],
  [/already been processed/i, 'already-processed'],
  [/signature verification|missing signature/i, 'missing-signature'],
  [/too large|overruns/i, 'too-large'],
  [/exceeded CUs meter|exceeded maximum number of instructions/i, 'too-many-units'],
  [/Error: insufficient funds/i, 'insufficient-tokens'], // of the token programs
]

const FAILED = /^Program ([1-9A-HJ-NP-Za-km-z]{32,44}) failed: (?:custom program error: 0x([0-9a-f]+))?/

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(is => typeof is === 'string')

interface Found {
  readonly name?: string
  readonly code?: number
  readonly instruction?: number
}

/** What a node's error object says: "BlockhashNotFound", { InstructionError: [1, { Custom: 6034 }] }, { InsufficientFundsForRent: ... } */
const fromObject = (error: unknown): Found => {
  if (typeof error === 'string') return { name: error }
  const failed = field(error, 'InstructionError')
  if (Array.isArray(failed)) {
    const [instruction, why] = failed as unknown as readonly [number, unknown]
    const code = field(why, 'Custom')
    if (typeof code === 'number') return { instruction, code }
    return { instruction, name: typeof why === 'string' ? why : Object.keys(why ?? {}).join() }
  }
  const nested = field(error, 'err') ?? field(field(error, 'data'), 'err')
  if (nested !== undefined && nested !== null) return fromObject(nested)
  return typeof error === 'object' && error !== null && !(error instanceof Error)
    ? { name: Object.keys(error).join() }
    : {}
}

/**
 * The error of a transaction or of its simulation (`err`), of a request that a node refused, or that a wallet threw. `logs` say which
 * program refused; they are taken from the error itself if it has some.
 */
export const errorOf = (error: unknown, logs?: readonly string[] | null): ProgramError => {
  if (error instanceof ProgramError) return error
  const own = [field(error, 'logs'), field(field(error, 'data'), 'logs')].find(isTexts)
  const lines = logs ?? own ?? []
  const text = error instanceof Error ? error.message : typeof error === 'string' ? error : ''
  const { name = '', instruction, code: numbered } = fromObject(error)
  // A failure goes up from the inner program to the outer ones: the first line is about where it was.
  const failed = [...lines, ...text.split('\n')].map(line => FAILED.exec(line)).find(match => match !== null)
  const said = failed?.[2] ?? /custom program error: 0x([0-9a-f]+)/i.exec(text)?.[1]
  const code = numbered ?? (said === undefined ? undefined : Number.parseInt(said, 16))
  const program = failed?.[1]
  const context = {
    ...(code === undefined ? {} : { code }),
    ...(program === undefined ? {} : { program }),
    ...(instruction === undefined ? {} : { instruction }),
  }
  const known =
    code === undefined || (program !== undefined && program !== PROGRAM_ID) ? undefined : programErrorOf(code)
  if (known !== undefined) return new ProgramError(known.name, known.message, context, lines)
  const all = [text, ...lines].join('\n')
  const around = NAMED[name] ?? SAID.find(([pattern]) => pattern.test(all))?.[1]
  const found = around ?? (code === undefined ? 'unknown' : 'another-program')
  const more = around === undefined && (name || text) !== '' ? ` (${(name || text).slice(0, 200)})` : ''
  return new ProgramError(found, `${AROUND[found]}${more}`, context, lines)
}
