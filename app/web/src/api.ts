/** Questions to the API on the same origin, and its one shape of errors. */

/** As the API says it: `code` to be tested, `message` what is wrong, `hint` the way out. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  readonly hint: string
  readonly context: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    hint: string,
    context: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
    this.context = context
  }
}

/** An error with its way out, which some messages have in them already. */
export const wordsOf = ({ message, hint }: Pick<ApiError, 'message' | 'hint'>): string =>
  message.includes(hint) ? message : `${message}${/[.!?]$/.test(message) ? '' : '.'} ${hint}`

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

interface ErrorBody {
  readonly error?: {
    readonly code: string
    readonly message: string
    readonly hint: string
    readonly context?: Readonly<Record<string, string>>
  }
}

export const toApiError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(
        0,
        'unreachable',
        'The server cannot be reached',
        'Look whether it runs; the page tries again by itself.',
      )

/** The server itself answers within 15 seconds or not at all. */
const LONGEST_MILLISECONDS = 20_000

const ask = async <T>(path: string, init?: RequestInit): Promise<T> => {
  let response: Response
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(LONGEST_MILLISECONDS) })
  } catch (error) {
    throw toApiError(error)
  }
  const body = (await response.json().catch(() => undefined)) as (T & ErrorBody) | undefined
  if (response.ok && body !== undefined) return body
  const said = body?.error
  throw said === undefined
    ? new ApiError(response.status, 'unavailable', `The server answered ${response.status}`, 'Try again in a moment.')
    : new ApiError(response.status, said.code, said.message, said.hint, said.context)
}

export const pathOf = (path: string, query: Query = {}): string => {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

export const get = <T>(path: string, query?: Query): Promise<T> => ask<T>(pathOf(path, query))

export const post = <T>(path: string, body: object): Promise<T> =>
  ask<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // Amounts are decimal strings there.
    body: JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  })
