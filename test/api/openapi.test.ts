/** The committed documents are what the server says, and every answer is what its document says. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApi } from '../../app/api/client.ts'
import { documents } from '../../app/api/generate.ts'
import { idOf } from '../chain/support.ts'
import { type Serving, serving } from './support.ts'

const document = JSON.parse(readFileSync(new URL('../../app/api/openapi.json', import.meta.url), 'utf8'))

test('openapi.json and the types are what `npx tsx app/api/generate.ts` writes', async () => {
  for (const [file, text] of await documents()) expect(readFileSync(file, 'utf8') === text, file.pathname).toBe(true)
})

describe('the document', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a JSON document
  const operations: [string, any][] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as object).map(([method, operation]): [string, object] => [`${method} ${path}`, operation]),
  )

  test('is OpenAPI 3.1, and names and explains every operation once', () => {
    expect(document.openapi).toBe('3.1.0')
    const ids = operations.map(([, { operationId }]) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThan(35)
    const tags = document.tags.map(({ name }: { name: string }) => name)
    for (const [name, operation] of operations) {
      expect(operation.summary, name).toMatch(/\w{3}/)
      expect(tags, name).toContain(operation.tags[0])
    }
  })

  test('every route under /v1 says its errors in the one shape', () => {
    for (const [name, { responses }] of operations.filter(([name]) => name.includes('/v1/'))) {
      for (const status of [400, 429, 500]) {
        expect(responses[status]?.content['application/json'].schema, `${name} ${status}`).toEqual({
          $ref: '#/components/schemas/Error',
        })
      }
    }
  })
})

describe('answers', () => {
  let on: Serving
  beforeAll(async () => {
    on = await serving()
    await on.post('/v1/faucet', { owner: idOf('ann'), jlp: '100000000' })
    await on.act('trade', 'ann', { market: on.market.name, action: 'long', margin: '10000000', leverage: '5' })
    await on.act('add-liquidity', 'ann', { market: on.market.name, lower: 1000, upper: 2000, jlp: '10000000' })
    await on.nextSlot()
  })
  afterAll(() => on.stop())

  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(document, 'api')
  const pointer = (path: string, method: string, status: number): string => {
    const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1')
    return `api#/paths/${encodeURIComponent(escaped)}/${method}/responses/${status}/content/application~1json/schema`
  }
  const paths: [string, string][] = [
    ['/v1/markets', ''],
    ['/v1/markets/{market}', ''],
    ['/v1/markets/{market}/depth', ''],
    ['/v1/markets/{market}/state', ''],
    ['/v1/markets/{market}/quote', '?action=long&margin=5000000&leverage=3'],
    ['/v1/markets/{market}/quote', '?action=close&owner={owner}'],
    ['/v1/markets/{market}/quote', '?action=long&margin=1000000&amount=30000000'],
    ['/v1/markets/{market}/quote', '?action=buy-pt'],
    ['/v1/markets/{market}/liquidity-quote', '?action=add&lower=1000&upper=2000&jlp=5000000'],
    ['/v1/markets/{market}/simulate', '?action=long&margin=5000000&leverage=3'],
    ['/v1/markets/{market}/candles', ''],
    ['/v1/term-structure', ''],
    ['/v1/accounts/{owner}', ''],
    ['/v1/accounts/{owner}/history', '?limit=0'],
    ['/v1/transactions/{signature}', ''],
    ['/healthz', ''],
    ['/readyz', ''],
  ]
  const filled = (path: string): string =>
    path.replace('{market}', on.market.name).replace('{owner}', idOf('ann')).replace('{signature}', '5'.repeat(87))

  test.each(paths)('GET %s%s', async (path, query) => {
    const { status, body } = await on.ask(filled(path) + filled(query))
    const check = ajv.getSchema(pointer(path, 'get', status))
    expect(check, `${status} is documented`).toBeDefined()
    check!(body)
    expect(check!.errors ?? []).toEqual([])
  })

  test('the typed client', async () => {
    const api = createApi(on.url)
    const { data, error } = await api.GET('/v1/markets/{market}/quote', {
      params: { path: { market: on.market.name }, query: { action: 'long', amount: '1000000' } },
    })
    expect(error).toBeUndefined()
    expect(BigInt(data!.filled)).toBeGreaterThan(0n)
    const wrong = await api.GET('/v1/markets/{market}', { params: { path: { market: 'JLP-2101' } } })
    expect(wrong.error?.error.code).toBe('unknown-market')
    const built = await api.POST('/v1/transactions/deposit', {
      body: { owner: idOf('ann'), market: on.market.name, jlp: '1' },
    })
    expect(built.data?.says).toContain('Deposits 0.000001 JLP')
  })
})
