/** What an OpenAPI document says of an API: its operations, what they take, and whether an answer is as it says. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly examples?: readonly unknown[]
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

export interface Operation {
  readonly id: string
  readonly method: string
  /** With its parameters in braces. */
  readonly path: string
  readonly tag: string
  readonly parameters: readonly Parameter[]
  /** Of JSON; undefined: it takes none. */
  readonly body: Schema | undefined
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >
}

interface Described {
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }
  readonly responses?: Operation['responses']
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly [more: string]: unknown
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete']
const JSON_TYPE = 'application/json'

export const operationsOf = (document: Document): readonly Operation[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    METHODS.flatMap(method => {
      const said = methods[method]
      if (said === undefined) return []
      const body = said.requestBody?.content?.[JSON_TYPE]?.schema
      return [
        {
          id: said.operationId ?? `${method} ${path}`,
          method,
          path,
          tag: said.tags?.[0] ?? 'none',
          parameters: said.parameters ?? [],
          body,
          responses: said.responses ?? {},
        },
      ]
    }),
  )

/** Follows `$ref` within a document. */
export const resolver = (document: Document) => {
  const resolve = (schema: Schema): Schema => {
    const ref = schema.$ref
    if (typeof ref !== 'string') return schema
    const found = ref
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document)
    return resolve(found as Schema)
  }
  return resolve
}

/** Why a JSON answer is not as the document says, or undefined. An undocumented status is a reason too. */
export const validatorOf = (document: Document) => {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true })
  formats.default(ajv)
  ajv.addSchema(document, 'openapi')
  const known = new Map<string, ValidateFunction>()
  const operations = new Map(
    operationsOf(document).map(operation => [`${operation.method} ${operation.path}`, operation]),
  )
  const escaped = (path: string): string => encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'))
  return (path: string, method: string, status: number, body: unknown): string | undefined => {
    const operation = operations.get(`${method} ${path}`)
    const response = operation?.responses[status]
    if (response === undefined) return `${status} is not documented`
    if (response.content?.[JSON_TYPE]?.schema === undefined) return `${status} is documented without JSON`
    const pointer = `openapi#/paths/${escaped(path)}/${method}/responses/${status}/content/${escaped(JSON_TYPE)}/schema`
    const check = known.get(pointer) ?? ajv.compile({ $ref: pointer })
    known.set(pointer, check)
    if (check(body) as boolean) return undefined
    const [first] = check.errors ?? []
    return `${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'} ${JSON.stringify(first?.params ?? {})}`
  }
}
