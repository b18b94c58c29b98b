/**
 * The database behind one small interface: embedded (PGlite) or a Postgres server. Rows have camel-case names; NUMERIC is a bigint,
 * BIGINT a number (slots, times and sequences are far below 2^53).
 */
import { PGlite, type PGliteInterface, type Transaction } from '@electric-sql/pglite'
import pg from 'pg'

export interface Queries {
  query<T = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<T[]>
}

export interface Database extends Queries {
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

// ---- embedded ---------------------------------------------------------------------------------------------------------

const pgliteQueries = (on: PGliteInterface | Transaction): Queries => ({
  async query<T>(sql: string, params: readonly unknown[] = []) {
    const { rows } = await on.query<object>(sql, [...params], { parsers: PARSERS })
    return rows.map(row => rowOf(row) as T)
  },
})

/** In a directory, or in memory without one. */
export const openPglite = async (directory?: string): Promise<Database> => {
  const on = await (directory === undefined ? PGlite.create() : PGlite.create(directory))
  return {
    ...pgliteQueries(on),
    transaction: run => on.transaction(transaction => run(pgliteQueries(transaction))),
    close: () => on.close(),
  }
}

// ---- a server ---------------------------------------------------------------------------------------------------------

const types = {
  getTypeParser: ((oid: number, format: 'text') =>
    PARSERS[oid as keyof typeof PARSERS] ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

const serverQueries = (on: pg.Pool | pg.PoolClient): Queries => ({
  async query<T>(sql: string, params: readonly unknown[] = []) {
    const { rows } = await on.query<object>(sql, [...params])
    return rows.map(row => rowOf(row) as T)
  },
})

/** A Postgres server, from version 15 on: `postgres://user:password@host:5432/name`. */
export const openPostgres = (url: string): Database => {
  const pool = new pg.Pool({ connectionString: url, max: 8, types })
  pool.on('error', () => {}) // a connection that breaks while nobody uses it: the next query opens another one
  return {
    ...serverQueries(pool),
    async transaction(run) {
      const client = await pool.connect()
      let broken: unknown
      // A connection may break between two queries: then it says so here, and the next query fails.
      client.on('error', error => {
        broken = error
      })
      try {
        await client.query('BEGIN')
        const result = await run(serverQueries(client))
        await client.query('COMMIT')
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
