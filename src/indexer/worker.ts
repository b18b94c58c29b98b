/**
 * The indexer as a process of its own, which remote.ts starts: the embedded database does not give way while it works. It opens the
 * database (`DATABASE_URL`, or the directory `SUNDER_INDEX`), follows the chain (`SUNDER_RPC_URL`), tells how far it is, and answers
 * reads. Whatever is away (database, node) is tried again. It ends when it is told to, or when whoever started it is gone.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { clusterOf } from '../chain/cluster.ts'
import { type Database, openDatabase } from './database.ts'
import { fail, IndexerError } from './errors.ts'
import { Indexer } from './indexer.ts'
import { type FromWorker, type Progress, READS, type Told, type ToWorker } from './messages.ts'
import { Follower, RpcSource } from './source.ts'

/** Milliseconds: between two tries to open the database, and that ending may take. */
const AGAIN = 1000
const END = 8000

const { DATABASE_URL: url, SUNDER_INDEX: directory, SUNDER_RPC_URL: endpoints = '', SUNDER_POLL: every } = process.env
const ending = new AbortController()

const say = (message: FromWorker): void => {
  if (process.connected) process.send?.(message)
}

// ---- how far it is ------------------------------------------------------------------------------------------------------

let progress: Progress = {
  database: url === undefined || url === '' ? 'embedded' : 'server',
  ...{ slot: undefined, final: undefined, head: undefined, backfilling: true },
  ...{ gaps: 0, forks: 0, rolledBack: undefined, levelAt: undefined, trouble: undefined },
}
const tell = (change: Partial<Progress>): void => {
  progress = { ...progress, ...change }
  say({ type: 'progress', progress })
}

const told = (error: unknown): Told => {
  if (error instanceof IndexerError) {
    const { code, message, context } = error
    return { code, message, context }
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error), context: {} }
}

/** What the node does not answer is its trouble, not ours. */
const trouble = (error: unknown): void => {
  const { code, message } = told(error)
  tell({ trouble: { code: code === 'internal' ? 'unavailable' : code, message, at: Date.now() } })
}

// ---- answers --------------------------------------------------------------------------------------------------------------

let database: Database | undefined

const answer = async ({ id, name, args, until }: Exclude<ToWorker, 'close'>): Promise<void> => {
  try {
    if (Date.now() > until) fail('timeout', 'Nobody waits for this answer any more')
    const on = database ?? fail('unavailable', 'The index is being opened')
    const read = READS[name] as (on: Database, ...args: readonly unknown[]) => Promise<unknown>
    say({ type: 'answer', id, value: await read(on, ...args) })
  } catch (error) {
    say({ type: 'refusal', id, error: told(error) })
    breakDown(error)
  }
}

/** An embedded database that no longer answers is broken: the next process opens it anew. */
const breakDown = (error: unknown): void => {
  if (database?.kind !== 'embedded' || ending.signal.aborted) return
  if (error instanceof IndexerError && error.code === 'unavailable') process.exit(1)
}

// ---- from the beginning to the end ----------------------------------------------------------------------------------------

const opened = async (): Promise<Indexer> => {
  for (;;) {
    let found: Database | undefined
    try {
      found = await openDatabase(url, directory === '' ? undefined : directory)
      const indexer = await Indexer.open(found)
      database = found
      return indexer
    } catch (error) {
      trouble(error)
      await found?.close().catch(() => {})
      await pause(AGAIN, undefined, { signal: ending.signal })
    }
  }
}

const run = async (): Promise<void> => {
  const indexer = await opened()
  const { slot } = await indexer.finalised()
  const known = slot < 0 ? undefined : slot
  tell({ slot: known, final: known, trouble: undefined })
  say({ type: 'ready' })
  const source = new RpcSource(clusterOf(endpoints).connection())
  const follower = new Follower(indexer, source, {
    onAdvanced: advanced => {
      const { rolledBack } = advanced
      const undone = rolledBack === undefined ? {} : { forks: progress.forks + 1, rolledBack }
      tell({ slot: advanced.slot, ...undone })
      say({ type: 'advanced', advanced })
    },
    onBehind: (head, behind) => tell({ head, backfilling: progress.levelAt === undefined || behind }),
  })
  await follower.run(ending.signal, {
    ...(every === undefined ? {} : { every: Number(every) }),
    onError: error => {
      trouble(error)
      breakDown(error)
    },
    onPoll: ({ slot, final, gaps }) =>
      tell({ slot, final, gaps, backfilling: false, levelAt: Date.now(), trouble: undefined }),
  })
}

const end = async (running: Promise<void>): Promise<void> => {
  if (ending.signal.aborted) return
  ending.abort()
  setTimeout(() => process.exit(1), END).unref()
  // What waits for the node is not waited for: nothing of it is in the database.
  await Promise.race([running, pause(END / 4)])
  await database?.close().catch(() => {})
  process.exit(0)
}

const running = run().catch((error: unknown) => {
  if (ending.signal.aborted) return
  console.error('The index has stopped:', error)
  process.exit(1)
})
process.on('message', (message: ToWorker) => void (message === 'close' ? end(running) : answer(message)))
process.on('disconnect', () => void end(running))
if (process.send !== undefined && !process.connected) void end(running)
process.on('SIGTERM', () => void end(running))
// Ctrl-C reaches all processes of a terminal at once: whoever started this one says when it is over.
process.on('SIGINT', () => {})
