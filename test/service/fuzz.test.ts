/** The fuzzer finds what it is there for: failures, answers that are not as documented, and a server that has gone. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { written } from './load.ts'

const content = (schema: object) => ({ content: { 'application/json': { schema } } })
const failure = content({
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } } },
})
const DOCUMENT = {
  openapi: '3.1.0',
  paths: {
    '/things/{id}': {
      get: {
        operationId: 'thing',
        tags: ['things'],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[0-9]+$' } }],
        responses: {
          200: content({
            type: 'object',
            required: ['id'],
            additionalProperties: false,
            properties: { id: { type: 'string' } },
          }),
          400: failure,
        },
      },
    },
  },
}

const servers: ReturnType<typeof createServer>[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** An API of one operation that answers as `answer` says; and what it was asked. */
const api = async (answer: (id: string) => readonly [status: number, body: unknown]) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const [, kind, id = ''] = request.url!.split('?')[0]!.split('/')
    const say = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (kind === 'openapi.json') return say(200, DOCUMENT)
    if (kind !== 'things') return say(kind === 'healthz' ? 200 : 404, { error: { code: 'not-found' } })
    asked.push(request.url!)
    return say(...answer(id))
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
const refused = [400, { error: { code: 'bad-request' } }] as const
const sound = (id: string) => (/^[0-9]+$/.test(id) ? ([200, { id }] as const) : refused)

test('a sound server has no findings; the same seed asks the same, another one does not', async () => {
  const asked = async (seed: number) => {
    const server = await api(sound)
    const result = await fuzz({ url: server.url, requests: 300, seed, parallel: 1 })
    expect(result.findings).toEqual([])
    expect(result.alive).toBe(true)
    expect(Object.values(result.byOperation)[0]!.served).toBeGreaterThan(50)
    expect(result.byStatus['400']).toBeGreaterThan(50)
    return server.asked
  }
  const [one, two, other] = [await asked(1), await asked(1), await asked(2)]
  expect(one).toHaveLength(300)
  expect(two).toEqual(one)
  expect(other).not.toEqual(one)
})

test.each([
  ['a failure', () => [500, { error: { code: 'internal' } }] as const, /500: a failure/],
  ['a 503 that is not documented', () => [503, { error: { code: 'stale' } }] as const, /503: a failure/],
  ['a field too many', (id: string) => [200, { id, secret: 1 }] as const, /additional properties/],
  ['another type', () => [200, { id: 7 }] as const, /must be string/],
  ['an error without its shape', () => [400, { message: 'no' }] as const, /required property 'error'/],
  ['a status that is not documented', () => [418, { error: { code: 'teapot' } }] as const, /418 is not documented/],
])('%s is found', async (_, answer, why) => {
  const { url } = await api(id => (Number(id) % 2 === 0 ? sound(id) : answer(id)))
  const { findings } = await fuzz({ url, requests: 100 })
  expect(findings.length).toBeGreaterThan(10)
  for (const finding of findings) expect(finding.why).toMatch(why)
})

test('figures take the place of those that were there, and leave the rest of the page alone', () => {
  const page = written('# Performance\n', '## The service under load\n\nold\n')
  const more = `${page}\n## Another\n\nkept\n`
  const after = written(more, '## The service under load\n\nnew\n')
  expect(after).toBe('# Performance\n\n## The service under load\n\nnew\n\n## Another\n\nkept\n')
})
