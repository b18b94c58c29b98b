/**
 * The index in a process of its own (worker.ts), asked by messages: the same functions as reads.ts. The process is started again when it
 * ends. While it is away, or its database is, reads fail with `unavailable`; nothing that was read is kept here.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { endpointsIn } from '../chain/cluster.ts'
import { fail, IndexerError } from './errors.ts'
import {
  type Asked,
  type FromWorker,
  type Progress,
  type Question,
  READS,
  type ToWorker,
  type Trouble,
} from './messages.ts'
import type { Advanced } from './source.ts'

export interface RemoteSetting {
  /** One or more RPC endpoints, with commas between them. */
  readonly rpcUrl: string
  /** A Postgres server; else the embedded database in a directory, or in memory: then every process begins anew. */
  readonly databaseUrl?: string | undefined
  readonly directory?: string | undefined
  /** Milliseconds: between two looks at the chain, and for an answer. */
  readonly every?: number
  readonly timeout?: number
  /** Questions that may wait for an answer. */
  readonly most?: number
}

export interface IndexStatus extends Progress {
  /** Whether reads are answered. */
  readonly ready: boolean
  /** Slots that the node was ahead when it was last asked. */
  readonly lag: number | undefined
  /** How often the process had to be started again. */
  readonly restarts: number
}

interface Events {
  /** The tables have changed. */
  advanced: [Advanced]
  /** A process is there, and what the one before may have taken in at its end was not told: read again. */
  ready: []
  /** Something is wrong, and tried again. */
  trouble: [Trouble]
}

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: IndexerError) => void
  readonly timer: NodeJS.Timeout
}

/** Milliseconds: before the first new start (each further one waits twice as long), at most, and for an orderly end. */
const BACKOFF = 200
const LONGEST = 30_000
const END = 10_000

/** Beside this file, as source or as JavaScript; the source is run by tsx. */
const isSource = import.meta.url.endsWith('.ts')
const WORKER = new URL(isSource ? './worker.ts' : './worker.js', import.meta.url)
const execArgv = (): string[] =>
  isSource ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : []

const AWAY = 'The index is not there now: it is being started'

/** An EventEmitter that has the reads: the constructor makes them. */
const Base = EventEmitter as unknown as new () => EventEmitter<Events> & Asked

export class RemoteIndex extends Base {
  readonly #setting: RemoteSetting & { readonly timeout: number; readonly most: number }
  readonly #waiting = new Map<number, Waiting>()
  #child: ChildProcess | undefined
  #progress: Progress | undefined
  #ready = false
  #closing: Promise<void> | undefined
  #restarts = 0
  /** Ends since it was last level with the chain. */
  #failures = 0
  #again: NodeJS.Timeout | undefined
  #asked = 0

  /** Starts the process at once. Throws a TypeError for an RPC URL that is none. */
  constructor(setting: RemoteSetting) {
    super()
    endpointsIn(setting.rpcUrl) // a mistake in it is no trouble of the process
    this.#setting = { timeout: 5000, most: 256, ...setting }
    for (const name of Object.keys(READS) as Question[]) {
      Object.defineProperty(this, name, { value: (...args: readonly unknown[]) => this.#ask(name, args) })
    }
    this.#start()
  }

  /** Of the process with the index; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  async status(): Promise<IndexStatus> {
    const { databaseUrl } = this.#setting
    const nothing = { slot: undefined, final: undefined, head: undefined, levelAt: undefined, trouble: undefined }
    const database = databaseUrl === undefined || databaseUrl === '' ? 'embedded' : 'server'
    const progress = this.#progress ?? {
      ...{ ...nothing, database, backfilling: true, gaps: 0, forks: 0, rolledBack: undefined },
    }
    const { slot, head } = progress
    const lag = slot === undefined || head === undefined ? undefined : Math.max(0, head - slot)
    return { ...progress, ready: this.#ready, lag, restarts: this.#restarts }
  }

  /** Lets the process finish what it writes, and end. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearTimeout(this.#again)
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    const kill = setTimeout(() => child.kill('SIGKILL'), END)
    if (child.connected) child.send('close' satisfies ToWorker, () => {})
    await ended
    clearTimeout(kill)
  }

  // ---- the process ----------------------------------------------------------------------------------------------------------

  #start(): void {
    const { databaseUrl = '', directory = '', rpcUrl, every } = this.#setting
    const env = {
      ...process.env,
      ...{ DATABASE_URL: databaseUrl, SUNDER_INDEX: directory, SUNDER_RPC_URL: rpcUrl },
      ...(every === undefined ? {} : { SUNDER_POLL: String(every) }),
    }
    const child = fork(WORKER, { env, execArgv: execArgv(), serialization: 'advanced' })
    this.#child = child
    child.on('message', (message: FromWorker) => this.#hear(message))
    child.on('exit', () => this.#gone(child))
    child.on('error', () => {
      if (child.pid === undefined) this.#gone(child) // it could not be started
    })
  }

  #gone(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#ready = false
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new IndexerError('unavailable', AWAY, {}))
    if (this.#closing !== undefined) return
    const wait = Math.min(LONGEST, BACKOFF * 2 ** this.#failures)
    this.#failures++
    this.#restarts++
    this.emit('trouble', { code: 'unavailable', message: AWAY, at: Date.now() })
    this.#again = setTimeout(() => this.#start(), wait)
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true
        this.emit('ready')
        return
      case 'progress': {
        const { trouble, levelAt } = message.progress
        const before = this.#progress?.trouble
        this.#progress = message.progress
        if (levelAt !== undefined) this.#failures = 0
        if (trouble !== undefined && trouble.at !== before?.at) this.emit('trouble', trouble)
        return
      }
      case 'advanced':
        this.emit('advanced', message.advanced)
        return
      case 'answer':
        this.#settle(message.id)?.resolve(message.value as never)
        return
      case 'refusal': {
        const { code, message: text, context } = message.error
        this.#settle(message.id)?.reject(new IndexerError(code, text, context))
      }
    }
  }

  // ---- questions ------------------------------------------------------------------------------------------------------------

  async #ask(name: Question, args: readonly unknown[]): Promise<unknown> {
    const child = this.#child
    const { timeout, most } = this.#setting
    if (child === undefined || !this.#ready || !child.connected || this.#closing !== undefined) {
      return fail('unavailable', AWAY)
    }
    if (this.#waiting.size >= most) fail('busy', `${most} questions wait for the index already`, { most })
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      // It counts among those that wait until the process has seen it: one that does not get on is not given more and more.
      const timer = setTimeout(() => {
        reject(new IndexerError('timeout', `The index did not answer ${name} within ${timeout} ms`, { name, timeout }))
      }, timeout)
      this.#waiting.set(id, { resolve, reject, timer })
      child.send({ id, name, args, until: Date.now() + timeout } satisfies ToWorker, error => {
        if (error !== null) this.#settle(id)?.reject(new IndexerError('unavailable', AWAY, {}))
      })
    })
  }

  #settle(id: number): Waiting | undefined {
    const found = this.#waiting.get(id)
    clearTimeout(found?.timer)
    this.#waiting.delete(id)
    return found
  }
}
