/** The databases that the indexer's tests run on: the embedded one, and a Postgres 15 server of our own where Debian's is installed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openPglite, openPostgres, type Queries } from '../../src/indexer/index.ts'

export interface Engine {
  readonly database: Database
  /** Stops the server as a power cut would, and starts it again; undefined for the embedded one. */
  readonly crash: (() => Promise<void>) | undefined
  readonly close: () => Promise<void>
}

// ---- Postgres 15, as Debian installs it -----------------------------------------------------------------------------------

const BINARIES = '/usr/lib/postgresql/15/bin'

/** Whom the server runs as: itself, or the user of the package, since it refuses root. */
const userOf = (): { uid?: number; gid?: number } | undefined => {
  if (process.getuid?.() !== 0) return {}
  try {
    const [uid, gid] = ['-u', '-g'].map(flag => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' })))
    return { uid: uid!, gid: gid! }
  } catch {
    return undefined
  }
}

export const hasPostgres = existsSync(join(BINARIES, 'initdb')) && userOf() !== undefined

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

const answers = async (url: string): Promise<void> => {
  for (let tries = 0; ; tries++) {
    const database = openPostgres(url)
    try {
      await database.query('SELECT 1 AS one')
      return
    } catch (error) {
      if (tries === 200) throw error
      await new Promise(resolve => setTimeout(resolve, 100))
    } finally {
      await database.close()
    }
  }
}

export interface ServerEngine extends Engine {
  readonly url: string
  /** As a power cut would. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

export const openServer = async (): Promise<ServerEngine> => {
  const user = userOf()!
  const home = mkdtempSync(join(tmpdir(), 'sunder-postgres-'))
  if (user.uid !== undefined) chownSync(home, user.uid, user.gid!)
  const data = join(home, 'data')
  const options = { ...user, cwd: home, stdio: 'ignore' } as const
  execFileSync(join(BINARIES, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N'], options)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${home}`].flatMap(one => ['-c', one])
  const start = (): ChildProcess =>
    spawn(join(BINARIES, 'postgres'), ['-D', data, '-p', String(port), ...settings], options)
  let server = start()
  await answers(url)
  const database = openPostgres(url)
  const stop = (): Promise<void> => {
    server.kill('SIGQUIT') // the server's "immediate": no checkpoint, sessions are cut
    return ended(server)
  }
  const startAgain = (): Promise<void> => {
    server = start()
    return answers(url)
  }
  return {
    ...{ database, url, stop, start: startAgain },
    crash: async () => {
      await stop()
      await startAgain()
    },
    close: async () => {
      await database.close()
      await stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

export const openEmbedded = async (): Promise<Engine> => {
  const database = await openPglite()
  return { database, crash: undefined, close: () => database.close() }
}

// ---- what is in one ---------------------------------------------------------------------------------------------------------

/** Leaves a database as it was made. */
export const clear = async (on: Queries): Promise<void> => {
  await on.query('DROP SCHEMA public CASCADE')
  await on.query('CREATE SCHEMA public')
}

export const TABLES = [
  ...['events', 'subjects', 'records', 'markets', 'market_states', 'account_states', 'position_states'],
  ...['order_states', 'trades', 'coupons', 'st_states', 'candles', 'accounts', 'positions', 'orders'],
]

/** Every row of every table, as text. */
export const dump = async (on: Queries): Promise<Record<string, string[]>> => {
  const found: Record<string, string[]> = {}
  for (const table of TABLES) {
    const rows = await on.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t ORDER BY t::text COLLATE "C"`)
    found[table] = rows.map(({ row }) => row)
  }
  return found
}

/** A database whose connection breaks with the query that is so many away. */
export const breaking = (database: Database, queries: number): Database => {
  let left = queries
  const guarded = (on: Queries): Queries => ({
    query: (sql, params) => {
      if (left-- <= 0) throw new Error('the connection is gone')
      return on.query(sql, params)
    },
  })
  return {
    kind: database.kind,
    ...guarded(database),
    transaction: run => database.transaction(on => run(guarded(on))),
    close: () => database.close(),
  }
}
