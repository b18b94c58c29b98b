/** Processes that belong together: each is started again when it ends, what they say is told with their names, and all are ended in order. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** How a process says that starting it again would not help: wrong flags, or state that is damaged or in use. */
export const HOPELESS = 2
/** Milliseconds before a process that died is started again; each time it dies young, twice as long. */
const FIRST_WAIT = 250
const LONGEST_WAIT = 10_000
/** Milliseconds that a process must live for its next start to be soon again. */
const GROWN = 20_000
/** Milliseconds to end by itself, when it is asked to. */
const GRACE = 8000
/** Lines of a process that are told in a minute, unless all are. */
const LINES = 10
/** Of structured logs: warnings and worse. */
const WARNING = 40

const IMPORTS = [import.meta.resolve('tsx'), new URL('follow.ts', import.meta.url).href]

export interface Service {
  readonly name: string
  readonly script: URL
  readonly flags: readonly string[]
}

export interface Watcher {
  /** Tells a line. */
  readonly say: (line: string) => void
  /** Tells all that processes say, not just their complaints. */
  readonly verbose: boolean
  /** A process cannot go on. */
  readonly hopeless: (name: string) => void
}

/** Whether a line is told without being asked for: what comes over stderr, less whatever a structured log holds below a warning. */
const matters = (line: string, isError: boolean): boolean => {
  const level = /^\{"level":(\d+)/.exec(line)?.[1]
  return level === undefined ? isError : Number(level) >= WARNING
}

export class Running {
  readonly #service: Service
  readonly #watcher: Watcher
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #isStopping = false
  #wait = FIRST_WAIT
  #timer: NodeJS.Timeout | undefined
  #minute = 0
  #lines = 0
  #expected: ((line: string) => void) | undefined

  constructor(service: Service, watcher: Watcher) {
    this.#service = service
    this.#watcher = watcher
    this.#start()
  }

  /** When it first says a line like that. */
  says(wanted: RegExp): Promise<void> {
    return new Promise(done => {
      this.#expected = line => {
        if (!wanted.test(line)) return
        this.#expected = undefined
        done()
      }
    })
  }

  #say(line: string): void {
    this.#watcher.say(`${this.#service.name.padEnd(6)} | ${line}`)
  }

  #start(): void {
    const { script, flags } = this.#service
    const imports = IMPORTS.flatMap(url => ['--import', url])
    const started = performance.now()
    // In a group of its own, so that an interrupt at the terminal reaches the parent alone, which ends all in order.
    const child = spawn(process.execPath, [...imports, fileURLToPath(script), ...flags], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    this.#child = child
    if (this.#watcher.verbose) this.#say(`process ${child.pid}`)
    this.#read(child.stdout!, false)
    this.#read(child.stderr!, true)
    this.#ended = new Promise(done => {
      const end = (why: string, code: number | null): void => {
        if (this.#child !== child) return
        this.#child = undefined
        done()
        if (this.#isStopping) return
        if (code === HOPELESS) {
          this.#watcher.hopeless(this.#service.name)
          return
        }
        if (performance.now() - started > GROWN) this.#wait = FIRST_WAIT
        this.#say(`ended (${why}); starts again in ${this.#wait / 1000} s`)
        this.#timer = setTimeout(() => this.#start(), this.#wait)
        this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2)
      }
      // `close`: also all that it said has been read.
      child.once('close', (code, signal) => end(signal ?? `code ${code}`, code))
      child.once('error', error => end(error.message, null))
    })
  }

  #read(from: Readable, isError: boolean): void {
    createInterface({ input: from }).on('line', line => {
      this.#expected?.(line)
      if (this.#watcher.verbose) return this.#say(line)
      if (!matters(line, isError)) return
      const minute = Math.floor(performance.now() / 60_000)
      if (minute !== this.#minute) this.#lines = 0
      this.#minute = minute
      this.#lines++
      if (this.#lines <= LINES) this.#say(line)
      else if (this.#lines === LINES + 1) this.#say('... and more; all of it with --verbose')
    })
  }

  /** Asks it to end, and sees to it. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE)
    await this.#ended
    clearTimeout(timer)
  }
}
