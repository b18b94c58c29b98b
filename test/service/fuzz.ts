/**
 * `npm run fuzz:service -- --url http://127.0.0.1:3000 [--requests 1000] [--per-tag 20000] [--seed 1] [--json]`: requests to every operation of
 * the API's own OpenAPI document, valid ones and broken ones, many at a time. It fails on a 5xx that is not a documented 503, on an answer
 * that is not as the document says, and if the server is not there at the end. The same seed asks the same. Start the server without a
 * limit of requests.
 */
import { Agent, request as ask } from 'node:http'
import { parseArgs } from 'node:util'
import { type Document, type Operation, operationsOf, resolver, type Schema, validatorOf } from './document.ts'

// ---- chance ---------------------------------------------------------------------------------------------------------------

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export const randomOf = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
type Random = () => number

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!
const whole = (random: Random, least: number, most: number): number => least + Math.floor(random() * (most - least + 1))

// ---- what is valid -----------------------------------------------------------------------------------------------------------

/** Values that there are on this server, by the name of what asks for them: so that not all is refused at the first look. */
export interface Known {
  readonly markets: readonly string[]
  readonly owners: readonly string[]
  readonly signatures: readonly string[]
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Text for the patterns that the API has; checked against the pattern, and else an example of the schema or anything. */
const textFor = (
  random: Random,
  name: string,
  { pattern = '', minLength = 0, maxLength = 40, examples }: Schema,
  known: Known,
): string => {
  const digits = (count: number): string => Array.from({ length: count }, () => whole(random, 0, 9)).join('')
  const candidates = [
    () => (known.markets.length > 0 ? pick(random, known.markets) : 'JLP-2411'),
    () => (known.owners.length > 0 ? pick(random, known.owners) : '11111111111111111111111111111111'),
    () => (known.signatures.length > 0 ? pick(random, known.signatures) : BASE58.slice(0, 44).repeat(2)),
    () => String(whole(random, 1, 9)) + digits(whole(random, 3, 8)),
    () => `20${whole(random, 24, 25)}-0${whole(random, 1, 9)}-${whole(random, 10, 28)}`,
    () => pick(random, ['slot', 'oracle', `market:${known.markets[0] ?? 'none'}`, 'slot,oracle']),
    () => Buffer.from(digits(12)).toString('base64'),
    () => String(examples === undefined ? 'x' : pick(random, examples)),
  ]
  const wanted = new RegExp(pattern, 'u')
  const fits = (text: string): boolean => wanted.test(text) && text.length >= minLength && text.length <= maxLength
  if (/owner|address/i.test(name)) candidates.unshift(candidates[1]!)
  if (name === 'topics') candidates.unshift(candidates[5]!)
  for (let tries = 0; tries < 12; tries++) {
    const text = (tries === 0 ? candidates[0]! : pick(random, candidates))()
    if (fits(text)) return text
  }
  return candidates.map(make => make()).find(fits) ?? 'x'.repeat(minLength)
}

/** How often what may be left out is there: seldom, since most of it refuses more. */
const OPTIONAL = 0.25

type Resolve = ReturnType<typeof resolver>

const valueFor = (random: Random, name: string, given: Schema, resolve: Resolve, known: Known): unknown => {
  const schema = resolve(given)
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return pick(random, schema.enum)
  if (schema.anyOf !== undefined) return valueFor(random, name, pick(random, schema.anyOf), resolve, known)
  switch (schema.type) {
    case 'string':
      return textFor(random, name, schema, known)
    case 'integer':
    case 'number':
      return whole(random, schema.minimum ?? 0, Math.min(schema.maximum ?? 1000, 2 ** 40))
    case 'boolean':
      return random() < 0.5
    case 'null':
      return null
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 3 } = schema
      return Array.from({ length: whole(random, minItems, Math.min(maxItems, minItems + 3)) }, () =>
        valueFor(random, name, items, resolve, known),
      )
    }
    default: {
      const { properties = {}, required = [] } = schema
      const some = Object.entries(properties).filter(([key]) => required.includes(key) || random() < OPTIONAL)
      return Object.fromEntries(some.map(([key, of]) => [key, valueFor(random, key, of, resolve, known)]))
    }
  }
}

// ---- what is not ---------------------------------------------------------------------------------------------------------------

const WRONG: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e21,
    Number.MAX_SAFE_INTEGER + 2,
    '',
    ' ',
    '0',
    '-0',
    '00',
    '+1',
    '1e3',
    '0x10',
    '1.0',
    '1_000',
  ],
  ...[
    '18446744073709551615',
    '18446744073709551616',
    '9'.repeat(40),
    '9'.repeat(5000),
    '-9223372036854775808',
    'NaN',
    'Infinity',
  ],
  ...[
    'null',
    'undefined',
    '[object Object]',
    '\u0000',
    '\u202e',
    '\ud800',
    '𝟙𝟚',
    '١٢',
    'ñ',
    '😀'.repeat(50),
    'a'.repeat(10_000),
  ],
  ...[
    "'; DROP TABLE events; --",
    '#{7*7}',
    '../../etc/passwd',
    '%00',
    '%',
    '<script>',
    '\r\nx: y',
    '__proto__',
    'constructor',
  ],
  ...[[], {}, [[]], [null], JSON.parse('{"__proto__":1}'), { toString: 1 }, Array.from({ length: 2000 }, () => 0)],
]
const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'a'.repeat(3000),
  '\u0000',
  'é',
  '$ref',
  '0',
]

/** JSON text that is nested so deep. */
const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

const encoded = (value: unknown): string => {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
  try {
    return encodeURIComponent(text)
  } catch {
    return '%ED%A0%80' // half a character, as bytes
  }
}

const queryOf = (entries: readonly (readonly [string, unknown])[]): string =>
  entries.length === 0 ? '' : `?${entries.map(([key, value]) => `${encoded(key)}=${encoded(value)}`).join('&')}`

/** Puts something wrong somewhere into a value. */
const broken = (random: Random, value: unknown): unknown => {
  if (Array.isArray(value) && value.length > 0 && random() < 0.6) {
    const at = whole(random, 0, value.length - 1)
    return value.map((one, i) => (i === at ? broken(random, one) : one))
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && random() < 0.85) {
    const entries = Object.entries(value)
    const how = random()
    if (how < 0.3) entries.push([pick(random, KEYS), pick(random, WRONG)])
    else if (entries.length > 0) {
      const at = whole(random, 0, entries.length - 1)
      if (how < 0.5) entries.splice(at, 1)
      else entries[at] = [entries[at]![0], broken(random, entries[at]![1])]
    }
    return Object.fromEntries(entries)
  }
  return pick(random, WRONG)
}

const HUGE = 'x'.repeat(70_000)

export const requestFor = (random: Random, operation: Operation, resolve: Resolve, known: Known): Asked => {
  const { method, parameters, body } = operation
  const valid = (name: string, schema: Schema): unknown => valueFor(random, name, schema, resolve, known)
  const isValid = random() < 0.4
  const wrong = (): boolean => !isValid && random() < 0.5
  let path = operation.path
  for (const { name, schema } of parameters.filter(one => one.in === 'path')) {
    const value = wrong() ? encoded(pick(random, WRONG)) : encoded(valid(name, schema))
    path = path.replace(`{${name}}`, () => value)
  }
  const query: [string, unknown][] = []
  for (const { name, schema, required } of parameters.filter(one => one.in === 'query')) {
    if (required !== true && random() > OPTIONAL) continue
    if (required === true && wrong() && random() < 0.3) continue
    query.push([name, wrong() ? pick(random, WRONG) : valid(name, schema)])
    if (wrong() && random() < 0.3) query.push([name, valid(name, schema)])
  }
  if (wrong() && random() < 0.3) query.push([pick(random, KEYS), pick(random, WRONG)])
  const headers: Record<string, string> = {}
  let text: string | undefined
  if (body !== undefined) {
    headers['content-type'] = 'application/json'
    const value = valid('', body)
    text = JSON.stringify(wrong() ? broken(random, value) : value)
    if (wrong() && random() < 0.4) {
      const how = whole(random, 0, 6)
      if (how === 0) text = text.slice(0, whole(random, 0, text.length))
      else if (how === 1) text = deep(whole(random, 10, 20_000))
      else if (how === 2) text = JSON.stringify(HUGE)
      else if (how === 3) text = `{"__proto__": ${text}, "constructor": {"prototype": {"x": 1}}}`
      else if (how === 4)
        headers['content-type'] = pick(random, [
          'text/plain',
          'application/xml',
          'multipart/form-data',
          '',
          'application/json; charset=utf-7',
        ])
      else if (how === 5) text = ''
      else text = `${text}${text}`
    }
  } else if (wrong() && random() < 0.2) {
    headers['x-wrong'] = 'y'.repeat(whole(random, 1, 8000))
  }
  return { method: method.toUpperCase(), path: path + queryOf(query), headers, body: text }
}

// ---- asking ------------------------------------------------------------------------------------------------------------------

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

const TIMEOUT = 30_000

/** Undefined where a stream has begun: it is not waited for. */
const answerTo = (url: URL, agent: Agent, { method, path, headers, body }: Asked): Promise<Answer> =>
  new Promise((done, fail) => {
    const length: Record<string, string> =
      body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const { hostname, port } = url
    const sent = ask(
      { hostname, port, method, path, headers: { ...headers, ...length }, agent, timeout: TIMEOUT },
      got => {
        const type = got.headers['content-type'] ?? ''
        const status = got.statusCode!
        if (type.startsWith('text/event-stream')) {
          done({ status, type, text: '' })
          sent.destroy()
          return
        }
        const parts: Buffer[] = []
        got.on('data', (part: Buffer) => parts.push(part))
        got.on('end', () => done({ status, type, text: Buffer.concat(parts).toString() }))
        got.on('error', fail)
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${TIMEOUT} ms`)))
    sent.on('error', fail)
    sent.end(body)
  })

/** Refused by Node's parser of HTTP, or the router, before any route is chosen: there the document of a route does not apply. */
const BEFORE_ROUTES = new Set([404, 405, 414, 431])

export interface FuzzSetting {
  readonly url: string
  /** Of each operation. */
  readonly requests: number
  /** Of each tag, at least; shared by its operations. */
  readonly perTag?: number | undefined
  readonly seed?: number
  /** At a time. */
  readonly parallel?: number
  readonly onFinding?: (finding: Finding) => void
}

export interface Finding {
  readonly operation: string
  readonly asked: Asked
  readonly why: string
}

export interface FuzzResult {
  readonly seed: number
  readonly total: number
  readonly byTag: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  /** Requests of each operation, and those that were answered 2xx. */
  readonly byOperation: Readonly<Record<string, { readonly requests: number; readonly served: number }>>
  readonly findings: readonly Finding[]
  readonly alive: boolean
  readonly seconds: number
}

/** What the server has, for requests that are more than well formed. */
const knownOf = async (url: string): Promise<Known> => {
  const json = async <T>(path: string): Promise<T | undefined> => {
    const answer = await fetch(`${url}${path}`)
    return answer.ok ? ((await answer.json()) as T) : undefined
  }
  const { markets = [] } = (await json<{ markets?: { market: string }[] }>('/v1/markets')) ?? {}
  const names = markets.map(({ market }) => market)
  const trades = await Promise.all(
    names.map(name => json<{ rows?: { owner?: string | null; signature?: string }[] }>(`/v1/markets/${name}/trades`)),
  )
  const rows = trades.flatMap(page => page?.rows ?? [])
  const defined = (values: readonly (string | null | undefined)[]): string[] => [
    ...new Set(values.flatMap(value => (typeof value === 'string' ? [value] : []))),
  ]
  return {
    markets: names,
    owners: defined(rows.map(row => row.owner)),
    signatures: defined(rows.map(row => row.signature)),
  }
}

export const fuzz = async ({
  url,
  requests,
  perTag = 0,
  seed = 1,
  parallel = 32,
  onFinding,
}: FuzzSetting): Promise<FuzzResult> => {
  const began = performance.now()
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  const operations = operationsOf(document)
  const resolve = resolver(document)
  const validate = validatorOf(document)
  const known = await knownOf(url)
  const target = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: parallel })
  const findings: Finding[] = []
  const byTag: Record<string, number> = {}
  const byStatus: Record<string, number> = {}
  const byOperation: Record<string, { requests: number; served: number }> = {}
  const find = (finding: Finding): void => {
    findings.push(finding)
    onFinding?.(finding)
  }

  const judge = (operation: Operation, asked: Asked, { status, type, text }: Answer): void => {
    const { method, path, id } = operation
    const wrong = (why: string): void => find({ operation: id, asked, why: `${status}: ${why}; ${text.slice(0, 300)}` })
    byStatus[status] = (byStatus[status] ?? 0) + 1
    if (status < 300) byOperation[id]!.served++
    if (type.startsWith('text/event-stream')) {
      if (operation.responses[status] === undefined) wrong('a stream that is not documented')
      return
    }
    if (status >= 500 && (status !== 503 || operation.responses[503] === undefined)) {
      wrong('a failure')
      return
    }
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      if (status >= 400 || type.includes('json')) wrong('no JSON') // else a page or the like
      return
    }
    const isError = typeof (body as { error?: { code?: unknown } }).error?.code === 'string'
    if (operation.responses[status] === undefined && BEFORE_ROUTES.has(status) && isError) return
    const why = validate(path, method, status, body)
    if (why !== undefined) wrong(why)
    else if (status >= 400 && status !== 503 && !isError) wrong('not the shape of an error')
  }

  for (const operation of operations) {
    const siblings = operations.filter(({ tag }) => tag === operation.tag).length
    const count = Math.max(requests, Math.ceil(perTag / siblings))
    const random = randomOf(
      seed ^ [...operation.id].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7),
    )
    byTag[operation.tag] = (byTag[operation.tag] ?? 0) + count
    byOperation[operation.id] = { requests: count, served: 0 }
    let left = count
    const ask = async (): Promise<void> => {
      while (left > 0) {
        left--
        const asked = requestFor(random, operation, resolve, known)
        // Now and then the same thing several times at once.
        const times = left > 3 && random() < 0.02 ? 3 : 1
        left -= times - 1
        await Promise.all(
          Array.from({ length: times }, () =>
            answerTo(target, agent, asked).then(
              answer => judge(operation, asked, answer),
              (error: Error) => {
                // A body that is far too large may be cut off while it is still being sent.
                if (asked.body !== undefined && asked.body.length > 60_000) return
                find({ operation: operation.id, asked, why: `no answer: ${error.message}` })
              },
            ),
          ),
        )
      }
    }
    await Promise.all(Array.from({ length: parallel }, ask))
  }
  agent.destroy()
  const alive = await fetch(`${url}/healthz`).then(
    answer => answer.ok,
    () => false,
  )
  const total = Object.values(byTag).reduce((sum, count) => sum + count, 0)
  const seconds = (performance.now() - began) / 1000
  return { seed, total, byTag, byStatus, byOperation, findings, alive, seconds }
}

// ---- the command -------------------------------------------------------------------------------------------------------------

const OPTIONS = {
  url: { type: 'string', default: 'http://127.0.0.1:3000' },
  requests: { type: 'string', default: '1000' },
  'per-tag': { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  parallel: { type: 'string', default: '32' },
  json: { type: 'boolean', default: false },
} as const

const SHOWN = 20

const run = async (): Promise<void> => {
  const { values } = parseArgs({ options: OPTIONS })
  const result = await fuzz({
    url: values.url.replace(/\/$/, ''),
    requests: Number(values.requests),
    perTag: Number(values['per-tag']),
    seed: Number(values.seed),
    parallel: Number(values.parallel),
  })
  const { findings, total, seconds, byTag, byStatus, byOperation, alive } = result
  if (values.json) console.log(JSON.stringify(result, undefined, 2))
  else {
    console.log(`${total} requests in ${seconds.toFixed(0)} s, seed ${result.seed}`)
    console.table(byTag)
    console.table(byStatus)
    console.table(byOperation)
    for (const { operation, asked, why } of findings.slice(0, SHOWN)) {
      console.log(
        `${operation}: ${why}\n  ${asked.method} ${asked.path.slice(0, 300)} ${asked.body?.slice(0, 300) ?? ''}`,
      )
    }
    console.log(`${findings.length} findings; the server ${alive ? 'is alive' : 'is GONE'}`)
  }
  if (findings.length > 0 || !alive) process.exitCode = 1
}

if (process.argv[1] !== undefined && import.meta.url === new URL(`file://${process.argv[1]}`).href) await run()
