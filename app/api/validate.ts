/**
 * Checks what was asked against its schema. In a query all is text: only a plain whole number or `true` and `false` become what the schema
 * wants, so that "1e3", "0x10" or " 1" are refused. In a body nothing becomes anything else.
 */
import type { TSchema } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler } from 'fastify'
import { Compile } from 'typebox/compile'

type Convert = (text: string) => unknown
const WHOLE = /^(0|-?[1-9]\d{0,14})$/

const CONVERTERS: Readonly<Record<string, Convert>> = {
  integer: text => (WHOLE.test(text) ? Number(text) : text),
  boolean: text => (text === 'true' ? true : text === 'false' ? false : text),
}

/** By the names of those that are not text. */
const convertersOf = (schema: TSchema): [string, Convert][] =>
  Object.entries((schema as { properties?: Record<string, { type?: string }> }).properties ?? {}).flatMap(
    ([name, { type }]) => {
      const convert = type === undefined ? undefined : CONVERTERS[type]
      return convert === undefined ? [] : [[name, convert]]
    },
  )

const LONGEST = 60

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema)
  const converters = httpPart === 'body' ? [] : convertersOf(schema)
  return (value: unknown) => {
    const bag = value as Record<string, unknown>
    for (const [name, convert] of converters) {
      const given = bag[name]
      if (typeof given === 'string') bag[name] = convert(given)
    }
    if (check.Check(value)) return { value }
    const [first] = check.Errors(value)
    const where = `${httpPart ?? 'request'}${(first?.instancePath ?? '').replaceAll('/', '.')}`
    const params = (first?.params ?? {}) as { additionalProperties?: string[]; requiredProperties?: string[] }
    const names = params.additionalProperties ?? params.requiredProperties ?? []
    const more = names.length === 0 ? '' : ` (${names.join(', ').slice(0, LONGEST)})`
    return { error: Object.assign(new Error(`${where} ${first?.message ?? 'is wrong'}${more}`), { statusCode: 400 }) }
  }
}
