import { randomDay } from './day.ts'
import { dump } from './databases.ts'
import { openPglite, Indexer, type Database, type Queries } from '../../src/indexer/index.ts'
import { createHash } from 'node:crypto'
const [, , dir, mode] = process.argv
const day = randomDay(2026n, 260)
const singles = day.blocks.flatMap(b => b.transactions.map(t => ({ ...b, transactions: [t] })))
const real = await openPglite(dir!)
let left = mode === 'kill' ? Math.floor(200 + Math.random() * 1500) : Infinity
const guard = (on: Queries): Queries => ({ query: (s, p) => { if (left-- <= 0) { console.log('killed after', acknowledged); process.kill(process.pid, 'SIGKILL') } return on.query(s, p) } })
const db: Database = { ...guard(real), transaction: run => real.transaction(on => run(guard(on))), close: () => real.close() }
const indexer = await Indexer.open(db)
const [{ n }] = (await db.query('SELECT COUNT(*) AS n FROM events')) as [{ n: number }]
let acknowledged = n
console.log('found events', n)
for (const one of singles) acknowledged += await indexer.ingest([one])
if (mode === 'dump') console.log(createHash('sha256').update(JSON.stringify(await dump(db))).digest('hex'))
await db.close()
