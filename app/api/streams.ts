/**
 * Server-sent events: what is published about a topic goes to everybody who listens to it. Every update is the whole state of its
 * topic, so whoever missed some is brought up to date by the last one alone, marked as a snapshot.
 *
 * An update is turned into bytes once, however many listen, and clients with the same topics get the same buffer. Its SSE `id` is its
 * number among all updates of the process: a client has seen all of its topics up to there, so one number says where it is in each.
 * Nothing is kept for a client that does not read: what the socket cannot take is its end.
 */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/** Topics of one client, and clients at a time. */
export const MOST_TOPICS = 200
const MOST_CLIENTS = 5000
/** Updates kept of each topic, for a client that was away for a moment. */
const KEPT_UPDATES = 32
/** Bytes that wait for a client before it is given up. */
const MOST_WAITING = 256 * 1024
const HEARTBEAT_MILLISECONDS = 15_000
/** After so many clients are written to, others get their turn. */
const CLIENTS_A_TURN = 200
/** What a browser waits before it comes back, milliseconds. */
const RETRY_MILLISECONDS = 2000

export interface StreamSetting {
  readonly clients?: number
  readonly kept?: number
  readonly waiting?: number
  readonly heartbeat?: number
}

/** What a topic that exists only while somebody listens does: it begins to publish, and gives what ends it. */
export type Opener = (topic: string) => () => void

/** As `GET /v1/stream` sends it. `id` is `EPOCH.SEQUENCE`: one more with each update of the topic; another epoch begins anew. */
export interface Update<T = unknown> {
  readonly topic: string
  readonly id: string
  /** The first that a client gets, or the first after some were missed: forget what was before. */
  readonly snapshot: boolean
  readonly data: T
}

interface Kept {
  /** Among all updates of the process. */
  readonly number: number
  readonly frame: Buffer
}

interface Topic {
  readonly name: string
  sequence: number
  /** The last ones, oldest first. */
  readonly kept: Kept[]
  /** Updates up to this number are no longer kept. */
  lost: number
  /** JSON of the last data, and the frame that a newcomer gets, once it was needed. */
  last: string | undefined
  snapshot: Buffer | undefined
  listeners: number
  readonly end: (() => void) | undefined
}

/** Clients of the same topics. */
interface Group {
  readonly topics: readonly string[]
  readonly clients: Set<Client>
}

interface Client {
  readonly response: ServerResponse
  readonly group: Group
  /** Number of the last update that it has been sent, or did not need. */
  seen: number
}

interface Batch {
  readonly updates: readonly (Kept & { readonly topic: string })[]
  readonly upTo: number
}

const turn = (): Promise<void> => new Promise(done => setImmediate(done))

/** Where a client is, in the words of its `Last-Event-ID`. */
const positionIn = (id: string | undefined, epoch: string): number | undefined => {
  const [, of, number] = /^(\w{1,32})\.(\d{1,15})$/.exec(id ?? '') ?? []
  return of === epoch ? Number(number) : undefined
}

export class Streams {
  /** Names this process's numbers: those of another one mean nothing here. */
  readonly epoch = randomBytes(6).toString('hex')
  readonly #setting: Required<StreamSetting>
  readonly #topics = new Map<string, Topic>()
  readonly #groups = new Map<string, Group>()
  readonly #openers = new Map<string, Opener>()
  readonly #heartbeat: NodeJS.Timeout
  #clients = 0
  #dropped = 0
  #number = 0
  #pending: Batch['updates'][number][] = []
  #batches: Batch[] = []
  #isWriting = false
  #isClosed = false

  constructor(setting: StreamSetting = {}) {
    this.#setting = {
      clients: MOST_CLIENTS,
      kept: KEPT_UPDATES,
      waiting: MOST_WAITING,
      heartbeat: HEARTBEAT_MILLISECONDS,
      ...setting,
    }
    this.#heartbeat = setInterval(() => void this.#beat(), this.#setting.heartbeat).unref()
  }

  get clients(): number {
    return this.#clients
  }

  /** Clients that were given up because they did not read. */
  get dropped(): number {
    return this.#dropped
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  get isFull(): boolean {
    return this.#isClosed || this.#clients >= this.#setting.clients
  }

  listeners(topic: string): number {
    return this.#topics.get(topic)?.listeners ?? 0
  }

  /** Topics `kind`, or `kind:...`, begin when somebody asks for them, and end with their last listener. */
  onDemand(kind: string, opener: Opener): void {
    this.#openers.set(kind, opener)
  }

  /** Whether there is such a topic, or would be. */
  has(topic: string): boolean {
    return this.#topics.has(topic) || this.#openerOf(topic) !== undefined
  }

  #openerOf(topic: string): Opener | undefined {
    return this.#openers.get(topic.split(':', 1)[0]!)
  }

  /** A topic that is there whether anybody listens or not. */
  open(topic: string): void {
    if (!this.#topics.has(topic)) this.#begin(topic, undefined)
  }

  #begin(name: string, end: (() => void) | undefined): Topic {
    // Numbers of a topic that begins again come after those it had.
    const lost = this.#number
    const topic: Topic = {
      name,
      sequence: lost,
      kept: [],
      lost,
      last: undefined,
      snapshot: undefined,
      listeners: 0,
      end,
    }
    this.#topics.set(name, topic)
    return topic
  }

  /** The whole state of a topic as it is now. Of a topic that nobody has opened, nothing is kept. */
  publish(name: string, data: unknown): void {
    const topic = this.#topics.get(name)
    if (topic === undefined || this.#isClosed) return
    const isFirst = topic.last === undefined
    topic.last = JSON.stringify(data)
    topic.snapshot = undefined
    topic.sequence++
    const number = ++this.#number
    const frame = this.#frameOf(topic, number, isFirst)
    topic.kept.push({ number, frame })
    while (topic.kept.length > this.#setting.kept) topic.lost = topic.kept.shift()!.number
    if (topic.listeners === 0) return
    this.#pending.push({ topic: name, number, frame })
    void this.#write()
  }

  #frameOf({ name, sequence, last }: Topic, number: number, snapshot: boolean): Buffer {
    const head = JSON.stringify({ topic: name, id: `${this.epoch}.${sequence}`, snapshot })
    return Buffer.from(`id: ${this.epoch}.${number}\ndata: ${head.slice(0, -1)},"data":${last}}\n\n`)
  }

  /**
   * Takes over a response whose head is already written: `refused` if there are too many clients. `lastEventId` is what a client that comes back
   * has seen: it gets what it missed if that is still kept, else a snapshot.
   */
  subscribe(response: ServerResponse, topics: readonly string[], lastEventId?: string): 'listening' | 'refused' {
    if (this.isFull) return 'refused'
    this.#seal()
    const names = [...new Set(topics)].sort()
    const key = names.join(',')
    const group = this.#groups.get(key) ?? { topics: names, clients: new Set() }
    this.#groups.set(key, group)
    const client: Client = { response, group, seen: this.#number }
    group.clients.add(client)
    this.#clients++
    const position = positionIn(lastEventId, this.epoch)
    const missed = names.flatMap(name => this.#missed(this.#join(name), position))
    missed.sort((a, b) => a.number - b.number)
    response.once('close', () => this.#leave(client))
    response.on('error', () => this.#leave(client))
    response.write(
      Buffer.concat([Buffer.from(`retry: ${RETRY_MILLISECONDS}\n\n`), ...missed.map(({ frame }) => frame)]),
    )
    return 'listening'
  }

  #join(name: string): Topic {
    const found = this.#topics.get(name)
    if (found !== undefined) {
      found.listeners++
      return found
    }
    let end: (() => void) | undefined
    const topic = this.#begin(name, () => end?.())
    topic.listeners++
    end = this.#openerOf(name)?.(name)
    return topic
  }

  #missed(topic: Topic, position: number | undefined): readonly Kept[] {
    if (topic.last === undefined) return []
    if (position !== undefined && position >= topic.lost) return topic.kept.filter(({ number }) => number > position)
    const { number } = topic.kept.at(-1)!
    topic.snapshot ??= this.#frameOf(topic, number, true)
    return [{ number, frame: topic.snapshot }]
  }

  #leave(client: Client): void {
    const { group } = client
    if (!group.clients.delete(client)) return
    this.#clients--
    if (group.clients.size === 0) this.#groups.delete(group.topics.join(','))
    for (const name of group.topics) {
      const topic = this.#topics.get(name)!
      topic.listeners--
      if (topic.listeners > 0 || topic.end === undefined) continue
      this.#topics.delete(name)
      topic.end()
    }
  }

  /** Of what was published so far, who comes now needs nothing: it has the snapshots. */
  #seal(): void {
    if (this.#pending.length === 0) return
    this.#batches.push({ updates: this.#pending, upTo: this.#number })
    this.#pending = []
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    await turn() // what is published at the same time goes out in one write
    for (;;) {
      this.#seal()
      const batch = this.#batches.shift()
      if (batch === undefined) break
      await this.#writeBatch(batch)
    }
    this.#isWriting = false
  }

  async #writeBatch({ updates, upTo }: Batch): Promise<void> {
    let written = 0
    for (const { topics, clients } of [...this.#groups.values()]) {
      const theirs = updates.filter(({ topic }) => topics.includes(topic))
      if (theirs.length === 0) continue
      const frames = Buffer.concat(theirs.map(({ frame }) => frame))
      for (const client of clients) {
        if (client.seen >= upTo) continue
        client.seen = upTo
        this.#send(client, frames)
        if (++written % CLIENTS_A_TURN === 0) await turn()
      }
    }
  }

  #send(client: Client, bytes: Buffer): void {
    const { response } = client
    if (response.writableLength > this.#setting.waiting) {
      this.#dropped++
      this.#leave(client)
      response.destroy()
    } else {
      response.write(bytes)
    }
  }

  /** A comment, so that nobody in between takes a quiet stream for a dead one. */
  async #beat(): Promise<void> {
    const comment = Buffer.from(':\n\n')
    let written = 0
    for (const { clients } of [...this.#groups.values()]) {
      for (const client of clients) {
        this.#send(client, comment)
        if (++written % CLIENTS_A_TURN === 0) await turn()
      }
    }
  }

  /** Says `end` to everybody; afterwards nobody is let in. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#heartbeat)
    for (const { clients } of [...this.#groups.values()]) {
      for (const client of [...clients]) {
        this.#leave(client)
        client.response.end('event: end\ndata: {"reason":"stopping"}\n\n')
      }
    }
  }
}

// ---- topics of owners -------------------------------------------------------------------------------------------------

/** Milliseconds between two readings of an owner: at least, after one that failed, and while nothing is known to have happened. */
const EVERY = 500
const AGAIN = 2000
const PULSE = 5000
/** Owners that are read without a cause, a second at most: with more of them each one's pulse is slower. */
const PULSES_A_SECOND = 40

export interface AccountSetting {
  readonly every?: number
  readonly again?: number
  readonly pulse?: number
}

interface Watched {
  readonly owner: string
  /** Somebody said that the owner was touched, after the last reading began. */
  isTouched: boolean
  isReading: boolean
  /** Of the last reading, `performance.now()`. */
  readAt: number
  /** What was published, but for when it was read. */
  published: string | undefined
  timer: NodeJS.Timeout | undefined
}

/**
 * `account:OWNER`: read when somebody begins to listen, after each time that the owner was touched, and now and then, since what is in a wallet and
 * what a position is worth change without an event of the owner's. Published if it is not as it was.
 */
export class AccountTopics {
  readonly #streams: Streams
  readonly #read: (owner: string) => Promise<{ readonly figures: unknown; readonly freshness: object }>
  readonly #report: (error: unknown) => void
  readonly #setting: Required<AccountSetting>
  readonly #watched = new Map<string, Watched>()

  constructor(
    streams: Streams,
    read: (owner: string) => Promise<{ readonly figures: unknown; readonly freshness: object }>,
    report: (error: unknown) => void,
    setting: AccountSetting = {},
  ) {
    this.#streams = streams
    this.#read = read
    this.#report = report
    this.#setting = { every: EVERY, again: AGAIN, pulse: PULSE, ...setting }
    streams.onDemand('account', topic => {
      const owner = topic.slice('account:'.length)
      const one: Watched = {
        owner,
        isTouched: true,
        isReading: false,
        readAt: Number.NEGATIVE_INFINITY,
        published: undefined,
        timer: undefined,
      }
      this.#watched.set(owner, one)
      this.#plan(one, 0)
      return () => {
        clearTimeout(one.timer)
        this.#watched.delete(owner)
      }
    })
  }

  /** Owners that somebody listens to. */
  get owners(): readonly string[] {
    return [...this.#watched.keys()]
  }

  touched(owners: Iterable<string>): void {
    for (const owner of owners) {
      const one = this.#watched.get(owner)
      if (one === undefined || one.isTouched) continue
      one.isTouched = true
      if (!one.isReading) this.#plan(one, Math.max(0, one.readAt + this.#setting.every - performance.now()))
    }
  }

  #plan(one: Watched, wait: number): void {
    clearTimeout(one.timer)
    if (this.#watched.get(one.owner) === one) one.timer = setTimeout(() => void this.#refresh(one), wait)
  }

  async #refresh(one: Watched): Promise<void> {
    const { every, again, pulse } = this.#setting
    one.isTouched = false
    one.isReading = true
    one.readAt = performance.now()
    let wait = Math.max(pulse, (this.#watched.size * 1000) / PULSES_A_SECOND)
    try {
      const { figures, freshness } = await this.#read(one.owner)
      const text = JSON.stringify(figures)
      if (this.#watched.get(one.owner) === one && text !== one.published) {
        this.#streams.publish(`account:${one.owner}`, { ...(figures as object), ...freshness })
        one.published = text
      }
      if (one.isTouched) wait = Math.max(0, one.readAt + every - performance.now())
    } catch (error) {
      this.#report(error)
      wait = again
    }
    one.isReading = false
    this.#plan(one, wait)
  }
}
