/** Units and shapes that many routes have in common. What a route alone has is beside it. */
import { type Static, type TSchema, Type } from '@fastify/type-provider-typebox'
import { formatQ64 } from '../../amm/display.ts'
import { MAX_RATE, U64_MAX } from '../../amm/index.ts'
import { isAddress } from '../../src/client/codecs.ts'
import { badRequest } from './errors.ts'

// ---- shapes with a name -----------------------------------------------------------------------------------------------------

/** Those that OpenAPI lists under their names. */
export const NAMED: TSchema[] = []

/** Gives a response's shape a name, by which others refer to it. */
export const named = <T extends TSchema>(id: string, schema: T) => {
  NAMED.push({ ...schema, $id: id })
  return Type.Unsafe<Static<T>>({ $ref: `${id}#` })
}

/** An object without further fields. */
export const strict = <T extends Parameters<typeof Type.Object>[0]>(properties: T, options: object = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** One of some texts. */
export const oneOf = <const T extends readonly string[]>(values: T, options: object = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values, ...options })

/** A named shape with words of its own. */
export const said = <T extends TSchema>(schema: T, description: string) =>
  Type.Unsafe<Static<T>>({ ...schema, description })

// ---- what is asked ----------------------------------------------------------------------------------------------------------

/** What 64 bits hold, and some more: `atomsOf` has the last word. */
const U64 = '^(0|[1-9][0-9]{0,19})$'

/** An amount that is asked for. */
export const AtomsIn = Type.String({
  pattern: U64,
  maxLength: 20,
  description: 'Atoms (10^-6 of a token), 0 to 2^64 - 1, as a decimal string',
  examples: ['90000000'],
})

export const RateIn = Type.String({
  pattern: U64,
  maxLength: 20,
  description: 'A rate in Q64.64 of continuous yield a year, below 4 * 2^64',
  examples: ['5534023222112865484'],
})

export const AddressIn = Type.String({
  pattern: '^[1-9A-HJ-NP-Za-km-z]{32,44}$',
  maxLength: 44,
  description: 'An address in base58',
  examples: ['27G8MtK7VtTcCHkpASjSDdkWWYfoqT6ggEuKidVJidD4'],
})

export const SubIn = Type.Integer({ minimum: 0, maximum: 255, description: 'Number of the margin account, 0 to 255' })

export const MarketIn = Type.String({
  pattern: '^(JLP-[0-9]{4}(-W)?|[1-9A-HJ-NP-Za-km-z]{32,44})$',
  maxLength: 44,
  description: 'Name or address of a market',
  examples: ['JLP-2411'],
})

export const Kind = oneOf(['hourly', 'weekly'], { description: 'Kind of coupons' })

export const Paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Rows of a page, 100 by default' })),
  cursor: Type.Optional(
    Type.String({ maxLength: 200, pattern: '^[\\w.]+$', description: '`next` of the page before' }),
  ),
}

/** An amount out of a string that its pattern has let pass; the pattern knows nothing of 2^64. */
export const atomsOf = (text: string, name: string): bigint => {
  const value = BigInt(text)
  if (value <= U64_MAX) return value
  return badRequest(`${name} must be at most 2^64 - 1`, 'Ask for less.', { field: name })
}

export const rateIn = (text: string, name: string): bigint => {
  const value = BigInt(text)
  if (value <= MAX_RATE) return value
  return badRequest(`${name} must be below 4 * 2^64`, 'Rates are Q64.64 of continuous yield a year.', { field: name })
}

/** An address whose letters its pattern has let pass. */
export const addressIn = (text: string, name: string): string =>
  isAddress(text) ? text : badRequest(`${name} must be an address`, 'Give 32 bytes in base58.', { field: name })

// ---- what is answered -------------------------------------------------------------------------------------------------------

/** An amount that is answered. */
export const Atoms = Type.String({ description: 'Atoms (10^-6 of a token) as a decimal string', pattern: '^-?[0-9]+$' })

export const Q64 = named(
  'Q64',
  Type.Object(
    {
      q64: Type.String({ description: 'Exact: times 2^64, as a decimal string', pattern: '^-?[0-9]+$' }),
      decimal: Type.String({ description: 'Rounded, to be read: 0.1996 is 19.96 %', pattern: '^-?[0-9]+\\.[0-9]+$' }),
    },
    { description: 'A rate, an APY, a price or a ratio' },
  ),
)

/** Decimals that are shown. */
const DIGITS = 9
export const q64 = (value: bigint): Static<typeof Q64> => ({ q64: String(value), decimal: formatQ64(value, DIGITS) })
export const q64OrNull = (value: bigint | undefined) => (value === undefined ? null : q64(value))

/** When the chain was read. */
export const Freshness = {
  slot: Type.Integer({ description: 'Slot that this was read at' }),
  time: Type.Integer({ description: "Unix seconds by the chain's clock" }),
  age: Type.Integer({ description: 'Milliseconds since a new slot was last read' }),
  stale: Type.Boolean({ description: 'Too old to be traded on' }),
}

export const MarketRef = {
  market: Type.String({ description: 'Name of the market', examples: ['JLP-2411'] }),
  address: Type.String({ description: 'Its address' }),
}

export const ErrorBody = named(
  'Error',
  Type.Object({
    error: Type.Object({
      code: Type.String({ description: 'To be tested against', examples: ['undercollateralised'] }),
      message: Type.String({ description: 'What is wrong' }),
      hint: Type.String({ description: 'The way out' }),
      requestId: Type.String({ description: 'By which the log knows the request' }),
      context: Type.Record(Type.String(), Type.String(), { description: 'Numbers that belong to it' }),
    }),
  }),
)

const SAID: Readonly<Record<number, string>> = {
  400: 'The request is not as it must be',
  404: 'There is no such thing',
  413: 'The body is too large',
  415: 'The body is no JSON',
  422: 'The exchange refuses: `code` says why, `hint` the way out',
  429: 'Too many requests',
  500: 'A defect of the server',
  503: 'The chain or the index cannot be read, or what was read of it is too old',
}

/** The errors of a route besides those that every one has. */
export const errors = (...statuses: readonly number[]) =>
  Object.fromEntries(
    [400, 429, 500, ...statuses].map(status => [
      status,
      Type.Unsafe<Static<typeof ErrorBody>>({ $ref: 'Error#', description: SAID[status] }),
    ]),
  ) as Record<400 | 404 | 413 | 415 | 422 | 429 | 500 | 503, typeof ErrorBody>
