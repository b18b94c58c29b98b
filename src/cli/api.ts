/** `npm run api`: the HTTP API beside a chain that runs, with the index in a process of its own. */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Server } from '../../app/api/server.ts'

const HELP = `npm run api -- [--port 3000] [--host 127.0.0.1] [--rpc URL] [--index .sunder/index] [--no-index] [--log-level info]
  --port       without it the next free one from 3000 on
  --rpc        one or more endpoints with commas between them; SUNDER_RPC_URL, or a local chain at 8899
  --index      where the index is kept, unless DATABASE_URL names a Postgres server; --no-index goes without
  --log-level  trace, debug, info, warn, error or silent; one line of JSON a request
  --origin     a page of this origin may ask too; may be said several times
  --proxy      a reverse proxy is in front: its x-forwarded-for names who asks
  --rate       requests of one address in a second, 100 by default; 0: as many as come`

const { SUNDER_RPC_URL = 'http://127.0.0.1:8899', DATABASE_URL: databaseUrl } = process.env

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string', default: '127.0.0.1' },
  rpc: { type: 'string', default: SUNDER_RPC_URL },
  index: { type: 'string', default: '.sunder/index' },
  'no-index': { type: 'boolean', default: false },
  'log-level': { type: 'string', default: 'info' },
  origin: { type: 'string', multiple: true },
  proxy: { type: 'boolean', default: false },
  rate: { type: 'string', default: '100' },
  help: { type: 'boolean', default: false },
} as const
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const WEB = fileURLToPath(new URL('../../app/web/dist', import.meta.url))
const FIRST_PORT = 3000
/** Ports that are tried one after the other. */
const TRIES = 100
/** Flags that are wrong: starting it again would not help. */
const HOPELESS = 2

/** Says what was wrong, and what could be said, and ends. */
const refuse = (why: string): never => {
  console.error(`${why}\n\n${HELP}`)
  process.exit(HOPELESS)
}

const readFlags = () => {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch (error) {
    return refuse((error as Error).message)
  }
}

/** At the port that was asked for, or at the first that is free. */
const listen = async (app: Server, host: string, port: number | undefined): Promise<string> => {
  for (let tried = 0; ; tried++) {
    try {
      return await app.listen({ host, port: port ?? FIRST_PORT + tried })
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!isTaken) throw error
      if (port !== undefined) refuse(`Port ${port} is taken`)
      if (tried === TRIES) refuse(`No port from ${FIRST_PORT} to ${FIRST_PORT + TRIES} is free`)
    }
  }
}

const run = async (): Promise<void> => {
  const values = readFlags()
  if (values.help) return console.log(HELP)
  const { host, rpc, origin: origins = [], proxy: trustProxy } = values
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    refuse(`The port must be 0 to 65535, not ${values.port}`)
  }
  const rate = Number(values.rate)
  if (!Number.isInteger(rate) || rate < 0) refuse(`The rate must be a whole number, not ${values.rate}`)
  if (!LEVELS.includes(values['log-level'])) refuse(`The log level must be one of ${LEVELS.join(', ')}`)

  const [{ clusterOf, endpointsIn }, { openContext }, { buildServer }] = await Promise.all([
    import('../chain/cluster.ts'),
    import('../../app/api/context.ts'),
    import('../../app/api/server.ts'),
  ])
  try {
    endpointsIn(rpc)
  } catch (error) {
    refuse((error as Error).message)
  }
  const { RemoteIndex } = await import('../indexer/remote.ts')
  const index = values['no-index'] ? undefined : new RemoteIndex({ rpcUrl: rpc, databaseUrl, directory: values.index })
  let app: Server | undefined
  const onError = (error: unknown): void => {
    // The log says it once there is one; a message may name the endpoint, whose URL may have a key in it.
    app?.log.warn({ code: (error as { code?: string }).code, name: (error as Error).name }, 'the chain was not read')
  }
  const context = await openContext(clusterOf(rpc).connection(), { index, onError })
  app = await buildServer(context, {
    logger: { level: values['log-level'] },
    rateLimit: rate === 0 ? false : rate,
    trustProxy,
    origins,
    web: WEB,
  })
  const logger = app.log
  index?.on('trouble', trouble => logger.warn({ code: trouble.code }, 'the index has trouble'))
  console.log(await listen(app, host, port))

  let isStopping = false
  const stop = async (): Promise<void> => {
    if (isStopping) return
    isStopping = true
    // What was asked is answered; streams are told to end.
    await app?.close()
    await Promise.all([context.feed.stop(), index?.close()])
    process.exit(0)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
}

await run()
