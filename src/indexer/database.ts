/**
 * The database behind one small interface: embedded (PGlite) or a Postgres server. Rows have camel-case names; NUMERIC is a bigint,
 * BIGINT a number (slots, times and sequences are far below 2^53).
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PGlite, type PGliteInterface, type Transaction } from '@electric-sql/pglite'
import pg from 'pg'
import { IndexerError } from './errors.ts'
import { holdDirectory } from './hold.ts'

export interface Queries {
  query<T = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<T[]>
}

export interface Database extends Queries {
  readonly kind: 'embedded' | 'server'
  /** All of it or nothing; whatever `run` throws comes out again. */
  transaction<T>(run: (queries: Queries) => Promise<T>): Promise<T>
  close(): Promise<void>
}

const INT8 = 20
const NUMERIC = 1700
const PARSERS = { [INT8]: Number, [NUMERIC]: BigInt }

const names = new Map<string, string>()
const camel = (column: string): string => {
  const known = names.get(column)
  if (known !== undefined) return known
  const name = column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  names.set(column, name)
  return name
}
const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

const rowOf = (row: object): never =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [camel(column), value])) as never

/** What Postgres itself says has an SQLSTATE: of the connection, of what it has too little of, of being stopped; anything else is no answer. */
const AWAY = /^(08|53|57)/
const isAway = (error: unknown): boolean => {
  const { code } = error as { readonly code?: unknown }
  return typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || AWAY.test(code)
}

/** The answer of a database; without one `unavailable`. */
const answered = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof IndexerError || !isAway(error)) throw error
    const why = error instanceof Error && error.message !== '' ? error.message : String(error)
    throw new IndexerError('unavailable', `The database does not answer: ${why}`, {})
  }
}

// ---- embedded ---------------------------------------------------------------------------------------------------------

const pgliteQueries = (on: PGliteInterface | Transaction): Queries => ({
  async query<T>(sql: string, params: readonly unknown[] = []) {
    const { rows } = await answered(on.query<object>(sql, [...params], { parsers: PARSERS }))
    return rows.map(row => rowOf(row) as T)
  },
})

/** A new database is made beside its directory and then moved there: one that was begun and not finished could never be opened. */
const makeIn = async (directory: string): Promise<void> => {
  if (existsSync(join(directory, 'PG_VERSION'))) return
  const making = `${directory}.new`
  rmSync(making, { recursive: true, force: true })
  await (await PGlite.create(making)).close()
  renameSync(making, directory)
}

/** In a directory, or in memory without one. `unavailable` while another process has the directory. */
export const openPglite = async (place?: string): Promise<Database> => {
  const directory = place === undefined ? undefined : resolve(place)
  const hold = directory === undefined ? undefined : await holdDirectory(directory)
  try {
    if (directory !== undefined) await makeIn(directory)
    const on = await answered(directory === undefined ? PGlite.create() : PGlite.create(directory))
    return {
      kind: 'embedded',
      ...pgliteQueries(on),
      transaction: run => on.transaction(transaction => run(pgliteQueries(transaction))),
      close: async () => {
        await on.close()
        await hold?.()
      },
    }
  } catch (error) {
    await hold?.()
    throw error
  }
}

// ---- a server ---------------------------------------------------------------------------------------------------------

const types = {
  getTypeParser: ((oid: number, format: 'text') =>
    PARSERS[oid as keyof typeof PARSERS] ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

const serverQueries = (on: pg.Pool | pg.PoolClient): Queries => ({
  async query<T>(sql: string, params: readonly unknown[] = []) {
    const { rows } = await answered(on.query<object>(sql, [...params]))
    return rows.map(row => rowOf(row) as T)
  },
})

/** A Postgres server, from version 15 on: `postgres://user:password@host:5432/name`. */
export const openPostgres = (url: string): Database => {
  const pool = new pg.Pool({ connectionString: url, max: 8, types, connectionTimeoutMillis: 10_000, keepAlive: true })
  pool.on('error', () => {}) // a connection that breaks while nobody uses it: the next query opens another one
  return {
    kind: 'server',
    ...serverQueries(pool),
    async transaction(run) {
      const client = await answered(pool.connect())
      let broken: unknown
      // A connection may break between two queries: then it says so here, and the next query fails.
      client.on('error', error => {
        broken = error
      })
      try {
        await answered(client.query('BEGIN'))
        const result = await run(serverQueries(client))
        await answered(client.query('COMMIT'))
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch(cause => {
          broken = cause
        })
        throw error
      } finally {
        client.removeAllListeners('error')
        client.release(broken !== undefined)
      }
    },
    close: () => pool.end(),
  }
}

/** `DATABASE_URL` if there is one, else embedded in a directory. */
export const openDatabase = async (url: string | undefined, directory?: string): Promise<Database> =>
  url === undefined || url === '' ? openPglite(directory) : openPostgres(url)

// ---- rows in --------------------------------------------------------------------------------------------------------------

/** Rows as one parameter, so that a statement takes any number of them. */
export const toJson = (rows: readonly object[]): string =>
  JSON.stringify(
    rows.map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [snake(name), value]))),
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  )

/** Rows with a field for every column of the table. */
export const insert = async (on: Queries, table: string, rows: readonly object[]): Promise<void> => {
  if (rows.length === 0) return
  await on.query(`INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`, [
    toJson(rows),
  ])
}
