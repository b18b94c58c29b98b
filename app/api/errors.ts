/** What the API refuses, in one shape: a code to test against, what is wrong, and the way out. */
import type { FastifyError } from 'fastify'
import { KernelError } from '../../amm/index.ts'
import { ERRORS } from '../../src/client/generated/interface.ts'
import { ClientError, errorOf as chainErrorOf, ProgramError } from '../../src/client/index.ts'
import { Refusal, type Refused } from '../../src/exchange/index.ts'
import { IndexerError } from '../../src/indexer/errors.ts'
import { StrategyError, wordsFor } from '../../src/strategy/index.ts'

type Context = Readonly<Record<string, string | number | bigint | undefined>>

/** Thrown by a route; `server.ts` writes it down. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  readonly hint: string
  readonly context: Context

  constructor(status: number, code: string, message: string, hint: string, context: Context = {}) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
    this.context = context
  }
}

export const fail = (status: number, code: string, message: string, hint: string, context: Context = {}): never => {
  throw new ApiError(status, code, message, hint, context)
}

export const badRequest = (message: string, hint: string, context: Context = {}): never =>
  fail(400, 'bad-request', message, hint, context)

/** The way out of what the program or the engine refuses, which have the same names. */
const WAYS_OUT: ReadonlyMap<string, string> = new Map(ERRORS.map(({ name, message }) => [name, message]))

/** A refusal of the engine's, which the program would answer in the same way. */
export const refusalError = (refused: Pick<Refused, 'code' | 'context'>): ApiError =>
  new ApiError(
    422,
    refused.code,
    wordsFor(refused),
    WAYS_OUT.get(refused.code) ?? 'Change the order: the numbers in `context` say how far it is off.',
    refused.context,
  )

/** A message without its code, which is told apart. */
const plain = (message: string): string => message.replace(/ \[[\w-]+\]$/, '')

/** What a node answers; where it does not, that is said instead of what became of the connection. */
export const fromChain = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    throw programError(chainErrorOf(error))
  }
}

/** What a program error says: all of it is the way out. */
const programError = ({ code, message: text, context }: ProgramError): ApiError => {
  const message = plain(text)
  if (code === 'unknown') {
    const hint = 'Try again in a moment; /readyz says whether the chain can be reached.'
    return new ApiError(503, 'chain-unavailable', 'The chain did not answer as it should', hint)
  }
  // The program's messages have what is wrong in front of a colon, and the way out behind it.
  const [, way = message] = /: (.*)$/s.exec(message) ?? []
  return new ApiError(422, code, message, way, context)
}

const CLIENT_STATUS: Partial<Readonly<Record<ClientError['code'], readonly [number, string]>>> = {
  closed: [404, 'Look at what there is first: /v1/markets, /v1/accounts/{owner}.'],
  'out-of-range': [400, 'Give a value within the bounds that the message names.'],
  'wrong-address': [400, 'Give the address of what is asked for, in base58.'],
  'too-large': [422, 'Ask for less at once: fewer steps, or a tighter limit.'],
}

export const indexUnavailable = (): ApiError => {
  const hint = 'Quotes, markets and transactions go on without it; try again in a moment.'
  return new ApiError(503, 'index-unavailable', 'What was before cannot be read now', hint)
}

const HTTP: Readonly<Record<number, readonly [code: string, hint: string]>> = {
  400: ['bad-request', 'Compare the request with /openapi.json.'],
  404: ['not-found', 'Compare the path with /openapi.json.'],
  405: ['not-allowed', 'Compare the method with /openapi.json.'],
  408: ['timeout', 'Send the whole request at once.'],
  413: ['too-large', 'A body has at most 64 KiB.'],
  414: ['too-large', 'A URL is shorter.'],
  415: ['not-json', 'Send JSON, and say so: content-type: application/json.'],
  429: ['too-many-requests', 'Wait as long as `retry-after` says; streams tell of changes without being asked.'],
  431: ['too-large', 'Headers are smaller.'],
  503: ['unavailable', 'Try again in a moment.'],
}

/** Whatever was thrown, as what is answered; undefined for a defect. */
export const errorOf = (error: unknown): ApiError | undefined => {
  if (error instanceof ApiError) return error
  if (error instanceof ProgramError) return programError(error)
  if (error instanceof ClientError) {
    const [status, hint] = CLIENT_STATUS[error.code] ?? [503, 'The chain gave what cannot be read: try again.']
    return new ApiError(status, error.code, plain(error.message), hint, error.context as Context)
  }
  if (error instanceof Refusal || error instanceof StrategyError) {
    return refusalError({ code: error.code, context: error.context as Refused['context'] })
  }
  if (error instanceof KernelError) {
    return new ApiError(400, error.code, plain(error.message), 'Give a value within the bounds that the message names.')
  }
  if (error instanceof IndexerError) {
    if (error.code === 'bad-request') {
      return new ApiError(400, 'bad-request', plain(error.message), 'Use `next` of the page before as `cursor`.')
    }
    return indexUnavailable()
  }
  const { statusCode, validation, message, code } = error as Partial<FastifyError>
  // A path that no file can have.
  if (code === 'FST_STATIC_FORBIDDEN_PATH')
    return new ApiError(404, 'not-found', 'There is no such route', HTTP[404]![1])
  if (validation !== undefined) return new ApiError(400, 'bad-request', message ?? '', HTTP[400]![1])
  const known = statusCode === undefined ? undefined : HTTP[statusCode]
  return known === undefined ? undefined : new ApiError(statusCode!, known[0], message ?? known[0], known[1])
}

/** What is answered. */
export const bodyOf = ({ code, message, hint, context }: ApiError, requestId: string) => ({
  error: {
    code,
    message,
    hint,
    requestId,
    context: Object.fromEntries(
      Object.entries(context).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
  },
})
