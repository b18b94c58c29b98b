/** The HTTP server, not yet listening. Every route has a schema of what it takes and answers; OpenAPI is made of these. */
import { existsSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import serveStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyReply, type FastifyServerOptions, LogController } from 'fastify'
import type { Context } from './context.ts'
import { ApiError, bodyOf, errorOf } from './errors.ts'
import { createMetrics } from './metrics.ts'
import { accountRoutes } from './routes/accounts.ts'
import { healthRoutes } from './routes/health.ts'
import { historyRoutes } from './routes/history.ts'
import { marketRoutes } from './routes/markets.ts'
import { oracleRoutes } from './routes/oracle.ts'
import { pageRoutes } from './routes/page.ts'
import { quoteRoutes } from './routes/quotes.ts'
import { streamRoutes } from './routes/streams.ts'
import { transactionRoutes } from './routes/transactions.ts'
import { NAMED } from './schemas.ts'
import { compileValidator } from './validate.ts'

export interface ServerOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Requests of an address (IPv6: of a /64) in a second, on average over ten; false: as many as come. 100 by default. */
  readonly rateLimit?: number | false
  /** Whether `x-forwarded-for` is believed: only behind a proxy that writes it. */
  readonly trustProxy?: FastifyServerOptions['trustProxy']
  /** Pages of these origins may ask, besides those of this machine. */
  readonly origins?: readonly string[]
  /** The page, if it is there. */
  readonly web?: string
}

const BODY_BYTES = 64 * 1024
/** Milliseconds for a whole request to come, and for it to be answered. */
const REQUEST_TIMEOUT = 15_000
/** Letters of the path of a page's file. */
const LONGEST_FILE = 200
/** Seconds over which requests are counted. */
const RATE_SECONDS = 10

/** Pages of this machine. */
export const isLocalOrigin = (origin: string): boolean =>
  /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(origin)

/** All that the page has is its own: no script, style, picture or connection from elsewhere. */
const CONTENT_SECURITY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"], // charts set styles on their elements
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'", 'http://localhost:*', 'http://127.0.0.1:*', 'ws://localhost:*', 'ws://127.0.0.1:*'], // a local chain
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  upgradeInsecureRequests: null,
}

/** What is no HTTP, too slow or too large is answered in the same shape. */
const answerRaw = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const status = RAW[error.code ?? ''] ?? 400
  const said = errorOf({ statusCode: status, message: 'The request cannot be read' })!
  const body = JSON.stringify(bodyOf(said, crypto.randomUUID()))
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
const RAW: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Whether the page has been built; that may be while the server runs. */
const hasPage = (web: string | undefined): boolean => web !== undefined && existsSync(join(web, 'index.html'))

export const buildServer = async (context: Context, options: ServerOptions = {}) => {
  const { logger = false, trustProxy = false, origins = [], web } = options
  const app = fastify({
    logger,
    trustProxy,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: 0, // streams stay open
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 100 },
    genReqId: () => crypto.randomUUID(),
    frameworkErrors: (error, request, reply) => {
      const said = errorOf(error) ?? new ApiError(400, 'bad-request', 'The URL cannot be read', 'Encode it anew.')
      const plain = reply as FastifyReply // of no route, so of no schema
      return plain
        .code(said.status)
        .type('application/json')
        .send(JSON.stringify(bodyOf(said, request.id)))
    },
    clientErrorHandler: answerRaw,
    // One line for each request, below.
    logController: new LogController({ disableRequestLogging: true }),
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(compileValidator)
  app.removeContentTypeParser('text/plain') // what a form of any page can post
  for (const schema of NAMED) app.addSchema(schema)
  const metrics = createMetrics(context.feed)

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, ip, id, routeOptions } = request
    const route = routeOptions.url ?? 'none'
    const status = reply.statusCode
    metrics.requests.observe({ method, route, status }, reply.elapsedTime / 1000)
    // Addresses of wallets are in paths and queries: what is asked is not written down, only which route.
    request.log.info({ id, method, route, status, ms: Math.round(reply.elapsedTime * 100) / 100, ip }, 'answered')
  })
  app.setErrorHandler((error, request, reply) => {
    const known = errorOf(error)
    if (known === undefined) request.log.error({ err: error }, 'a defect')
    const hint = 'This is a defect: tell the operator the requestId.'
    const said = known ?? new ApiError(500, 'internal', 'The server has failed', hint)
    return reply.code(said.status).send(bodyOf(said, request.id))
  })
  app.setNotFoundHandler((request, reply) => {
    // The page has addresses of its own, which it finds by itself.
    const isPage = hasPage(web) && request.method === 'GET' && !/^\/v1(\/|$)|\.\w+$/.test(request.url.split('?')[0]!)
    if (isPage) return reply.sendFile('index.html')
    const hint = 'GET /openapi.json lists all of them.'
    return reply.code(404).send(bodyOf(new ApiError(404, 'not-found', 'There is no such route', hint), request.id))
  })

  await app.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY } })
  const allowed = new Set(origins)
  await app.register(cors, {
    origin: (origin, done) => done(null, origin === undefined || allowed.has(origin) || isLocalOrigin(origin)),
    methods: ['GET', 'POST'],
    exposedHeaders: ['x-request-id', 'retry-after'],
  })
  const { rateLimit: perSecond = 100 } = options
  if (perSecond !== false) {
    await app.register(rateLimit, {
      max: perSecond * RATE_SECONDS,
      timeWindow: RATE_SECONDS * 1000,
      ipv6Subnet: 64,
      errorResponseBuilder: (_, { ttl }) =>
        new ApiError(429, 'too-many-requests', 'Too many requests from this address', 'Wait, or use the streams.', {
          milliseconds: ttl,
        }),
    })
  }
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sunder',
        version: '1.0.0',
        description:
          'A leveraged yield exchange for JLP on Solana. Amounts are decimal strings of atoms (10^-6 of a token), rates Q64.64 of continuous yield a year, times unix seconds by the chain. ' +
          'Nothing here needs a login: what moves value is a transaction that its owner has signed.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'markets', description: 'What there is to trade' },
        { name: 'quotes', description: 'What a trade would do' },
        { name: 'accounts', description: 'What an owner has' },
        { name: 'history', description: 'What was' },
        { name: 'oracle', description: 'What JLP yields' },
        { name: 'transactions', description: 'Unsigned transactions, and signed ones on their way' },
        { name: 'streams', description: 'What changes, as it does' },
        { name: 'server', description: 'How the server is' },
      ],
    },
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
  })

  const given = { context, metrics }
  await app.register(healthRoutes, given)
  for (const routes of [marketRoutes, quoteRoutes, accountRoutes, historyRoutes, oracleRoutes]) {
    await app.register(routes, { ...given, prefix: '/v1' })
  }
  await app.register(transactionRoutes, { ...given, prefix: '/v1' })
  await app.register(streamRoutes, { ...given, prefix: '/v1' })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  // What is too long for a route of the API is no file either.
  const allowedPath = (path: string): boolean => path.length <= LONGEST_FILE && !path.startsWith('/v1/')
  if (web !== undefined) await app.register(serveStatic, { root: web, index: false, allowedPath })
  await app.register(pageRoutes, { ...given, hasPage: () => hasPage(web) })
  return app
}

export type Server = Awaited<ReturnType<typeof buildServer>>
