/**
 * Which row of a history is the last one of an account, a position or an order, so that lists of what there is need not look through
 * all that was. A pointer is found from the history whenever that has changed, forwards and backwards alike.
 */
import { type Queries, toJson } from './database.ts'

export interface Current {
  readonly table: string
  readonly history: string
  readonly key: readonly string[]
  /** Whether there is something in it. */
  readonly open: string
}

export const CURRENT = {
  accounts: {
    table: 'accounts',
    history: 'account_states',
    key: ['market', 'owner', 'sub'],
    open: 'h.margin <> 0 OR h.st <> 0 OR h.yt <> 0',
  },
  positions: {
    table: 'positions',
    history: 'position_states',
    key: ['market', 'owner', 'lower', 'upper'],
    open: 'h.liquidity <> 0 OR h.uncollected <> 0',
  },
  orders: {
    table: 'orders',
    history: 'order_states',
    key: ['market', 'owner', 'sub', 'id', 'placed'],
    open: "h.status = 'open'",
  },
} as const satisfies Readonly<Record<string, Current>>

/** Points at the last rows of what has changed: `rows` have its keys. */
export const point = async (
  on: Queries,
  { table, history, key, open }: Current,
  rows: readonly object[],
): Promise<void> => {
  if (rows.length === 0) return
  const keyOf = (row: object): object =>
    Object.fromEntries(key.map(name => [name, (row as Readonly<Record<string, unknown>>)[name]]))
  const keys = new Map(rows.map(row => [toJson([keyOf(row)]), keyOf(row)]))
  const same = key.map(name => `h.${name} = k.${name}`).join(' AND ')
  await on.query(
    `INSERT INTO ${table} (${key.join(', ')}, sequence, record, slot, open)
    SELECT ${key.map(name => `k.${name}`).join(', ')}, h.sequence, h.record, h.slot, ${open}
    FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb) k CROSS JOIN LATERAL (
      SELECT * FROM ${history} h WHERE ${same} ORDER BY h.sequence DESC, h.record DESC LIMIT 1) h
    ON CONFLICT (${key.join(', ')}) DO UPDATE
    SET sequence = excluded.sequence, record = excluded.record, slot = excluded.slot, open = excluded.open`,
    [toJson([...keys.values()])],
  )
}

/** Points at what stands again after histories have lost what came after a slot. */
export const pointBack = async (on: Queries, slot: number): Promise<void> => {
  for (const current of Object.values<Current>(CURRENT)) {
    const { table, key } = current
    const cut = await on.query<object>(`DELETE FROM ${table} WHERE slot > $1 RETURNING ${key.join(', ')}`, [slot])
    await point(on, current, cut)
  }
}

/** `FROM`: the last rows (`h`) of what a condition on `c` chooses, in the order of their keys. */
export const lastRows = ({ table, history, key }: Current, where: unknown, limit?: number): string => {
  const same = [...key, 'sequence', 'record'].map(name => `h.${name} = c.${name}`).join(' AND ')
  const most = limit === undefined ? '' : `LIMIT ${limit}`
  return `(SELECT * FROM ${table} c ${where} ORDER BY ${key.join(', ')} ${most}) c
    CROSS JOIN LATERAL (SELECT * FROM ${history} h WHERE ${same} LIMIT 1) h`
}
