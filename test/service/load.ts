/**
 * `npm run bench:service -- [--url http://127.0.0.1:3000] [--seconds 20] [--streams 2000] [--minutes 0] [--json] [--write]`: quotes a second with
 * their latency, alone and beside stream clients that must each get every update of every market; the time from the start to the first quote, and the growth of
 * memory. Without `--url` it starts the exchange itself (`npm start`, afresh, in a directory of its own). Load and clients are processes
 * of their own on the same machine. `--write` puts the figures into docs/performance.md. A server that is given by its URL must have no limit of
 * requests for one address.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { headOf, listen } from './events.ts'

// ---- what the children do -------------------------------------------------------------------------------------------------

interface QuoteTask {
  readonly task: 'quotes'
  readonly url: string
  readonly paths: readonly string[]
  readonly seconds: number
  readonly connections: number
}
interface StreamTask {
  readonly task: 'streams'
  readonly url: string
  readonly topics: readonly string[]
  readonly clients: number
}

export interface QuoteFigures {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly worst: number
  readonly ok: number
  readonly refused: number
  readonly failed: number
}

export interface StreamFigures {
  readonly clients: number
  /** Updates of markets that were published while all listened: each client was to get so many. */
  readonly updates: number
  /** Clients that got every one of them, in order and once. */
  readonly complete: number
  readonly missed: number
  readonly twice: number
  readonly broken: number
  /** All messages. */
  readonly received: number
}

const quotesIn = async ({ url, paths, seconds, connections }: QuoteTask): Promise<QuoteFigures> => {
  const result = await autocannon({ url, connections, duration: seconds, requests: paths.map(path => ({ path })) })
  const { requests, latency, errors, timeouts, non2xx } = result
  const ok = result['2xx']
  return {
    perSecond: ok / result.duration,
    p50: latency.p50,
    p99: latency.p99,
    worst: latency.max,
    ok,
    refused: non2xx,
    failed: errors + timeouts + (requests.total < ok ? 1 : 0),
  }
}

/** Numbers of the updates of one topic that a client got. */
interface Heard {
  first: number
  last: number
  count: number
  twice: number
}

/** Connects them, says `listening`, and at `stop` what each one has got. */
const streamsIn = async ({
  url,
  topics,
  clients,
}: StreamTask): Promise<{ begin: () => void; end: () => StreamFigures }> => {
  const all: Map<string, Heard>[] = []
  let [received, broken] = [0, 0]
  let from: ReadonlyMap<string, number> | undefined
  const connect = async (): Promise<void> => {
    const heard = new Map<string, Heard>()
    const stream = await listen(`${url}/v1/stream?topics=${topics.join()}`, ({ data, event }) => {
      if (event !== 'message') return
      received++
      const { topic, number } = headOf(data)
      const before = heard.get(topic)
      if (before === undefined) heard.set(topic, { first: number, last: number, count: 1, twice: 0 })
      else if (number <= before.last) before.twice++
      else {
        before.last = number
        before.count++
      }
    })
    if (stream.status !== 200) throw new Error(`A stream was refused: ${stream.status}`)
    void stream.ended.then(() => broken++)
    all.push(heard)
  }
  for (let done = 0; done < clients; done += 50) {
    await Promise.all(Array.from({ length: Math.min(50, clients - done) }, connect))
  }
  const newest = (): Map<string, number> =>
    new Map(topics.map(topic => [topic, Math.max(0, ...all.map(heard => heard.get(topic)?.last ?? 0))]))
  return {
    begin: () => {
      from = newest()
    },
    end: () => {
      const to = newest()
      const market = topics.filter(topic => topic.startsWith('market:'))
      const updates = market.reduce((sum, topic) => sum + to.get(topic)! - from!.get(topic)!, 0)
      let [complete, missed, twice] = [0, 0, 0]
      for (const heard of all) {
        let lacks = 0
        let again = 0
        for (const topic of market) {
          const { first, last, count, twice } = heard.get(topic) ?? { first: 1, last: 0, count: 0, twice: 0 }
          // From the snapshot that it began with to the newest that anybody has, one after the other.
          lacks += to.get(topic)! - last + (last - first + 1 - count)
          again += twice
        }
        missed += lacks
        twice += again
        if (lacks === 0 && again === 0) complete++
      }
      return { clients: all.length, updates, complete, missed, twice, broken, received }
    },
  }
}

type Said =
  | { readonly type: 'listening' }
  | { readonly type: 'figures'; readonly figures: QuoteFigures | StreamFigures }

/** Of the newest updates some clients have not heard yet: so long is waited before they are compared, milliseconds. */
const SETTLING = 3000
const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

/** A child that is told its task, and what it says. */
const child = async (given: QuoteTask | StreamTask): Promise<void> => {
  const say = (said: Said): void => void process.send!(said)
  if (given.task === 'quotes') {
    say({ type: 'figures', figures: await quotesIn(given) })
    process.exit(0)
  }
  const streams = await streamsIn(given)
  process.on('message', (message: 'begin' | 'end') => {
    if (message === 'begin') return streams.begin()
    say({ type: 'figures', figures: streams.end() })
    process.exit(0)
  })
  say({ type: 'listening' })
}

// ---- the children -------------------------------------------------------------------------------------------------------------

const HERE = fileURLToPath(import.meta.url)

const begin = (task: QuoteTask | StreamTask): ChildProcess => {
  const made = fork(HERE, [], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  made.send(task)
  return made
}

const said = <T extends Said['type']>(from: ChildProcess, type: T): Promise<Extract<Said, { type: T }>> =>
  new Promise((done, fail) => {
    const hear = (message: Said): void => {
      if (message.type !== type) return
      from.off('message', hear)
      done(message as Extract<Said, { type: T }>)
    }
    from.on('message', hear)
    from.once('exit', code => fail(new Error(`A process of the load ended with ${code}`)))
  })

export const measureQuotes = async (task: Omit<QuoteTask, 'task'>): Promise<QuoteFigures> =>
  (await said(begin({ task: 'quotes', ...task }), 'figures')).figures as QuoteFigures

/** Streams for as long as `meanwhile` takes. */
export const measureStreams = async <T>(
  task: Omit<StreamTask, 'task'>,
  meanwhile: () => Promise<T>,
): Promise<{ streams: StreamFigures; meanwhile: T }> => {
  const listeners = begin({ task: 'streams', ...task })
  await said(listeners, 'listening')
  await pause(SETTLING) // every one has its snapshots
  listeners.send('begin')
  const result = await meanwhile()
  await pause(SETTLING)
  const figures = said(listeners, 'figures')
  listeners.send('end')
  return { streams: (await figures).figures as StreamFigures, meanwhile: result }
}

// ---- the server ---------------------------------------------------------------------------------------------------------------

/** Resident bytes of a process and of all that it started; 0 where /proc is not there. */
export const residentOf = (pid: number): number => {
  if (!existsSync('/proc/self/stat')) return 0
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter(entry => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
    } catch {
      // It has ended meanwhile.
    }
  }
  const sum = (one: number): number => {
    let kilobytes = 0
    try {
      kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0)
    } catch {
      // As above.
    }
    return kilobytes * 1024 + (parents.get(one) ?? []).reduce((total, next) => total + sum(next), 0)
  }
  return sum(pid)
}

interface Started {
  readonly url: string
  readonly pid: number
  /** Seconds from the start until the first quote was answered. */
  readonly firstQuote: number
  stop(): Promise<void>
}

const START_TIMEOUT = 120_000

/** `npm start` afresh, in a directory of its own. */
const start = async (speed: string): Promise<Started> => {
  const directory = mkdtempSync(join(tmpdir(), 'sunder-load-'))
  const began = performance.now()
  const main = fileURLToPath(new URL('../../src/cli/start.ts', import.meta.url))
  const flags = ['--directory', directory, '--speed', speed, '--rate', '0']
  const made = spawn(process.execPath, ['--import', 'tsx', main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = async (): Promise<void> => {
    const ended = new Promise(done => made.once('exit', done))
    made.kill('SIGTERM')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  let text = ''
  const url = await new Promise<string>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`It did not serve in ${START_TIMEOUT} ms:\n${text}`)), START_TIMEOUT)
    made.stdout.on('data', part => {
      text += part
      const found = /^(http:\/\/127\.0\.0\.1:\d+)$/m.exec(text)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      done(found)
    })
    made.once('exit', code => fail(new Error(`It ended with ${code}:\n${text}`)))
  })
  for (;;) {
    const [path] = await quotePaths(url).catch(() => [])
    if (path !== undefined && (await fetch(url + path)).ok) break
    if (performance.now() - began > START_TIMEOUT) throw new Error('No quote was answered')
    await pause(20)
  }
  return { url, pid: made.pid!, firstQuote: (performance.now() - began) / 1000, stop }
}

interface Listed {
  readonly markets: readonly { readonly market: string; readonly status: string; readonly tauSeconds: number }[]
}

const marketsOf = async (url: string): Promise<string[]> => {
  const { markets } = (await (await fetch(`${url}/v1/markets`)).json()) as Listed
  return markets.filter(({ tauSeconds }) => tauSeconds > 0).map(({ market }) => market)
}

/** Of each kind of quote. */
const PATHS = 100

/** Quotes of several sizes and directions, in every market that is open. */
const quotePaths = async (url: string): Promise<string[]> => {
  // Of every size, so that none is answered from memory.
  const size = (): number => 1_000_000 + Math.floor(Math.random() * 90_000_000)
  const markets = await marketsOf(url)
  const paths = Array.from({ length: Math.ceil(PATHS / markets.length) }, () => markets)
    .flat()
    .flatMap(market =>
      [
        `action=long&unit=st&amount=${size()}&margin=20000000`,
        `action=short&unit=token&amount=${size()}&margin=20000000`,
        `action=buy-pt&unit=st&amount=${size()}`,
        `action=long&unit=token&amount=${size()}&margin=9000000`,
      ].map(query => `/v1/markets/${market}/quote?${query}`),
    )
  const answers = await Promise.all(paths.map(path => fetch(url + path)))
  return paths.filter((_, i) => answers[i]!.ok)
}

// ---- the command ----------------------------------------------------------------------------------------------------------------

interface Figures {
  readonly at: string
  readonly cpus: string
  readonly firstQuoteSeconds: number | undefined
  readonly alone: QuoteFigures
  readonly beside: QuoteFigures
  readonly streams: StreamFigures
  /** Megabytes, a minute each; from the eleventh on counts. */
  readonly memory: readonly number[]
}

const OPTIONS = {
  url: { type: 'string' },
  seconds: { type: 'string', default: '20' },
  streams: { type: 'string', default: '2000' },
  connections: { type: 'string', default: '32' },
  minutes: { type: 'string', default: '0' },
  speed: { type: 'string', default: '3600' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const

/** Seconds of quotes before those that count. */
const WARM_UP = 10
/** Minutes that memory may grow in before it is compared. */
const WARMING = 10
const growth = (memory: readonly number[]): string => {
  const [first, last] = [memory[WARMING], memory.at(-1)]
  return first === undefined || last === undefined || memory.length <= WARMING + 1
    ? 'not measured (give --minutes 60)'
    : `${first.toFixed(0)} to ${last.toFixed(0)} MB, ${(((last - first) / first) * 100).toFixed(1)} % in ${memory.length - 1 - WARMING} minutes`
}

const rowsOf = ({ firstQuoteSeconds, alone, beside, streams, memory }: Figures): [string, string][] => {
  const quotes = ({ perSecond, p50, p99, worst, refused, failed }: QuoteFigures): string =>
    `${perSecond.toFixed(0)}/s, p50 ${p50} ms, p99 ${p99} ms, worst ${worst} ms, ${refused} refused, ${failed} failed`
  return [
    [
      'start to first quote',
      firstQuoteSeconds === undefined ? 'not measured (give no --url)' : `${firstQuoteSeconds.toFixed(1)} s`,
    ],
    ['quotes alone', quotes(alone)],
    ['quotes beside the streams', quotes(beside)],
    ['stream clients', `${streams.clients}, ${streams.broken} broken off`],
    ['updates of markets while they listened', `${streams.updates} each`],
    [
      'clients that got every one',
      `${streams.complete}; ${streams.missed} missed, ${streams.twice} twice, of ${streams.received} messages`,
    ],
    ['memory of all processes', growth(memory)],
  ]
}

const PAGE = new URL('../../docs/performance.md', import.meta.url)
const HEADING = '## The service under load'

/** Puts the figures in place of the section that was there, or at the end. */
export const written = (page: string, section: string): string => {
  const from = page.indexOf(HEADING)
  if (from < 0) return `${page.trimEnd()}\n\n${section}`.trimStart()
  const next = page.indexOf('\n## ', from + 1)
  return `${page.slice(0, from)}${section}${next < 0 ? '' : page.slice(next)}`
}

const sectionOf = (figures: Figures): string =>
  [
    HEADING,
    '',
    `\`npm run bench:service -- --write\`, ${figures.at.slice(0, 10)}, ${figures.cpus}, load and clients on the same machine.`,
    '',
    '| what | figure |',
    '|---|---|',
    ...rowsOf(figures).map(([what, figure]) => `| ${what} | ${figure} |`),
    '',
  ].join('\n')

const run = async (): Promise<void> => {
  const { values } = parseArgs({ options: OPTIONS })
  const [seconds, clients, connections, minutes] = [
    values.seconds,
    values.streams,
    values.connections,
    values.minutes,
  ].map(Number) as [number, number, number, number]
  const started = values.url === undefined ? await start(values.speed) : undefined
  const url = (started?.url ?? values.url!).replace(/\/$/, '')
  try {
    const paths = await quotePaths(url)
    if (paths.length === 0) throw new Error('No market gives a quote')
    const load = async (time = seconds) =>
      measureQuotes({ url, paths: await quotePaths(url), seconds: time, connections })
    await load(WARM_UP) // a server that has just begun still compiles
    const alone = await load()
    const topics = (await marketsOf(url)).map(market => `market:${market}`)
    const { streams, meanwhile: beside } = await measureStreams({ url, topics, clients }, () => load())
    const memory: number[] = []
    for (let minute = 0; started !== undefined && minute <= minutes && minutes > 0; minute++) {
      memory.push(residentOf(started.pid) / 1e6)
      if (minute < minutes) await pause(60_000)
    }
    const [cpu] = cpus()
    const figures: Figures = {
      at: new Date().toISOString(),
      cpus: `${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}`,
      firstQuoteSeconds: started?.firstQuote,
      alone,
      beside,
      streams,
      memory,
    }
    if (values.json) console.log(JSON.stringify(figures, undefined, 2))
    else for (const [what, figure] of rowsOf(figures)) console.log(`${what.padEnd(40)} ${figure}`)
    if (values.write)
      writeFileSync(
        PAGE,
        written(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Performance\n', sectionOf(figures)),
      )
  } finally {
    await started?.stop()
  }
}

if (process.send !== undefined && process.argv[1] === HERE)
  process.once('message', (task: QuoteTask | StreamTask) => void child(task))
else if (process.argv[1] === HERE) await run()
