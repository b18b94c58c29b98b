/**
 * What a local chain keeps on disk. `snapshot-N` is the whole state at the moment that `journal-N` was begun; the journal has a record for
 * every transaction, with the accounts that it changed. A record is written in one step and is there wholly or not at all.
 *
 *     u32 length of the body | u32 number | u32 check of these two | end | body | 8 bytes check of the body | end
 *
 * Checks are beginnings of SHA-256; numbers of records are counted through all files. The body is JSON, its length in front, then the bytes of
 * accounts. `end` is a byte that no flipped bit makes 0. At the end of the last journal, a record that the disk does not have wholly (the file
 * is shorter, or a 0 is where an end should be) was never acknowledged and is cut off. Whatever else is wrong is damage, and nothing is
 * started from it.
 */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { StoreError } from './errors.ts'

/** An account after a change; without lamports there is none any more. */
export interface StoredAccount {
  readonly address: string
  readonly owner: string
  readonly lamports: bigint
  readonly executable: boolean
  readonly data: Buffer
}

/** `head` is JSON. */
export interface StoredRecord<Head> {
  readonly head: Head
  readonly accounts: readonly StoredAccount[]
}

const HEAD_BYTES = 13
/** Behind the body: its check and the end. */
const TAIL_BYTES = 9
const END = Buffer.from([0xa5])
/** Milliseconds between two notes of how far the journal is on the disk, beside the directory. */
const ANCHOR_MS = 10_000
/** A journal is closed when it has more, and a snapshot begins the next. */
const JOURNAL_BYTES = 32 * 1024 * 1024

const check = (bytes: Uint8Array, length: number): Buffer =>
  createHash('sha256').update(bytes).digest().subarray(0, length)
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

const encode = <Head>(number: number, { head, accounts }: StoredRecord<Head>): Buffer => {
  const named = accounts.map(({ address, owner, lamports, executable, data }) => [
    ...[address, owner, lamports.toString(), executable, data.length],
  ])
  const text = Buffer.from(JSON.stringify({ head, accounts: named }))
  const body = Buffer.concat([u32(text.length), text, ...accounts.map(({ data }) => data)])
  const front = Buffer.concat([u32(body.length), u32(number)])
  return Buffer.concat([front, check(front, 4), END, body, check(body, 8), END])
}

const decode = <Head>(body: Buffer): StoredRecord<Head> => {
  let at = 4 + body.readUInt32LE(0)
  const { head, accounts } = JSON.parse(body.toString('utf8', 4, at)) as {
    readonly head: Head
    readonly accounts: readonly (readonly [string, string, string, boolean, number])[]
  }
  return {
    head,
    accounts: accounts.map(([address, owner, lamports, executable, length]) => {
      const data = Buffer.from(body.subarray(at, at + length))
      at += length
      return { address, owner, lamports: BigInt(lamports), executable, data }
    }),
  }
}

interface Scan<Head> {
  readonly records: readonly StoredRecord<Head>[]
  /** Where the last whole record ends. */
  readonly end: number
}

/** Reads a file. `number`: of its first record, if it is known; `torn`: whether its end may be missing. */
const scan = <Head>(path: string, number: number | undefined, torn: boolean): Scan<Head> => {
  const bytes = readFileSync(path)
  const records: StoredRecord<Head>[] = []
  let at = 0
  let next = number
  const damaged = (what: string): never => {
    const record = records.length + 1
    const name = path.split(/[/\\]/).at(-1)!
    const message = `${name}, record ${record} (byte ${at}): ${what}. Nothing is started from a damaged file; restore a backup.`
    throw new StoreError('damaged', message, { file: name, record, at })
  }
  while (at < bytes.length) {
    const front = bytes.subarray(at, at + HEAD_BYTES)
    if (front.length < HEAD_BYTES || front[HEAD_BYTES - 1] === 0) {
      if (torn) break
      damaged('it ends in the middle')
    }
    if (!Buffer.concat([check(front.subarray(0, 8), 4), END]).equals(front.subarray(8))) {
      damaged('its head is not as it was written')
    }
    const own = front.readUInt32LE(4)
    if (next !== undefined && own !== next) damaged(`it has number ${own}, where ${next} was to come`)
    const end = at + HEAD_BYTES + front.readUInt32LE(0)
    const behind = end + TAIL_BYTES
    if (behind > bytes.length || (behind === bytes.length && bytes[behind - 1] === 0)) {
      if (torn) break
      damaged('it ends in the middle')
    }
    const body = bytes.subarray(at + HEAD_BYTES, end)
    if (!Buffer.concat([check(body, 8), END]).equals(bytes.subarray(end, behind))) {
      damaged('its bytes are not as they were written')
    }
    records.push(decode<Head>(body))
    next = own + 1
    at = behind
  }
  return { records, end: at }
}

const syncDirectory = (path: string): void => {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

interface Segment {
  readonly number: number
  /** Of those that count. */
  records: number
}

export interface StoreOptions<Head> {
  /** How many records should at least be found later, though a snapshot has all that they did. */
  readonly keep?: number
  /** Which of them count for that; all by default. */
  readonly counts?: (head: Head) => boolean
  /** Bytes of a journal, from which on it is full. */
  readonly most?: number
  /** Whatever writes: another one for a disk that fails. */
  readonly disk?: Disk
}

/** What of `node:fs` a store writes with. */
export type Disk = Pick<typeof fs, 'fsync' | 'ftruncateSync' | 'writeFileSync' | 'writeSync'>

/** What `open` found: the snapshot, the records since then, and those before it that are kept. */
export interface Found<State, Head> {
  readonly snapshot: StoredRecord<State> | undefined
  readonly older: readonly StoredRecord<Head>[]
  readonly records: readonly StoredRecord<Head>[]
}

/** `State` is the head of a snapshot, `Head` that of a journal's record; both are JSON. */
export class Store<State, Head> {
  readonly directory: string
  /** Records to keep behind a snapshot. */
  readonly #keep: number
  readonly #most: number
  /** Bytes of the present journal, from which on it is full. */
  #limit: number
  readonly #disk: Disk
  #anchoredAt = Number.NEGATIVE_INFINITY
  readonly #counts: (head: Head) => boolean
  #segments: Segment[] = []
  #number = 0
  #file = -1
  #bytes = 0
  #failure: StoreError | undefined
  #written = 0
  #synced = 0
  #syncing: Promise<void> | undefined

  private constructor(
    directory: string,
    { keep = 20_000, counts = () => true, most = JOURNAL_BYTES, disk = fs }: StoreOptions<Head>,
  ) {
    this.directory = directory
    this.#keep = keep
    this.#counts = counts
    this.#most = most
    this.#limit = most
    this.#disk = disk
  }

  /** Throws `StoreError`. */
  static open<State, Head>(
    directory: string,
    options: StoreOptions<Head> = {},
  ): { readonly store: Store<State, Head>; readonly found: Found<State, Head> } {
    mkdirSync(directory, { recursive: true })
    const store = new Store<State, Head>(directory, options)
    store.#lock()
    try {
      const found = store.#read()
      store.#checkAnchor(found.snapshot === undefined)
      return { store, found }
    } catch (error) {
      store.#unlock()
      throw error
    }
  }

  // ---- one process ----------------------------------------------------------------------------------------------------

  get #lockPath(): string {
    return join(this.directory, 'lock')
  }

  #lock(): void {
    if (existsSync(this.#lockPath)) {
      const pid = Number(readFileSync(this.#lockPath, 'utf8'))
      if (pid > 0 && pid !== process.pid && isAlive(pid)) {
        throw new StoreError('in-use', `${this.directory} is in use by process ${pid}: stop it first`, { pid })
      }
    }
    writeFileSync(this.#lockPath, String(process.pid))
  }

  #unlock(): void {
    rmSync(this.#lockPath, { force: true })
  }

  // ---- a backup by mistake ------------------------------------------------------------------------------------------

  /** Beside the directory, so that no backup of it brings it along: the number of records that were on the disk at some moment. */
  get #anchorPath(): string {
    return `${this.directory}.anchor`
  }

  #anchor(number: number): void {
    if (performance.now() - this.#anchoredAt < ANCHOR_MS) return
    this.#anchoredAt = performance.now()
    try {
      writeFileSync(`${this.#anchorPath}.tmp`, String(number))
      renameSync(`${this.#anchorPath}.tmp`, this.#anchorPath)
    } catch {
      // An older one notices less, that is all.
    }
  }

  /** Refuses what is older than what was on this disk already: whoever trades on it would undo what was acknowledged. */
  #checkAnchor(isNew: boolean): void {
    if (isNew) rmSync(this.#anchorPath, { force: true })
    if (!existsSync(this.#anchorPath)) return
    const seen = Number(readFileSync(this.#anchorPath, 'utf8'))
    if (!(seen > this.#number)) return
    const message = `${this.directory} has ${this.#number} records, but had ${seen} before: an old backup? If it is meant, remove ${this.#anchorPath}`
    throw new StoreError('older', message)
  }

  // ---- reading --------------------------------------------------------------------------------------------------------

  #path(kind: 'snapshot' | 'journal', number: number): string {
    return join(this.directory, `${kind}-${String(number).padStart(6, '0')}`)
  }

  #read(): Found<State, Head> {
    const names = readdirSync(this.directory)
    for (const name of names) if (name.endsWith('.tmp')) rmSync(join(this.directory, name)) // never finished
    const numbersOf = (kind: string): number[] =>
      names
        .flatMap(name => new RegExp(`^${kind}-(\\d{6})$`).exec(name)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => a - b)
    const [journals, last] = [numbersOf('journal'), numbersOf('snapshot').at(-1)]
    const newest = journals.at(-1)
    if (newest !== undefined && (last === undefined || last < newest)) {
      const file = `snapshot-${String(newest).padStart(6, '0')}`
      throw new StoreError('damaged', `${file} is missing, but its journal is there: restore a backup`, { file })
    }
    if (last === undefined) return { snapshot: undefined, older: [], records: [] }
    const { records: whole } = scan<State & { number: number }>(this.#path('snapshot', last), 0, false)
    const snapshot = whole[0]
    if (snapshot === undefined || whole.length !== 1) {
      const file = `snapshot-${String(last).padStart(6, '0')}`
      throw new StoreError('damaged', `${file}, record 1 (byte 0): it is not there; restore a backup`, {
        file,
        record: 1,
      })
    }
    const older: StoredRecord<Head>[] = []
    for (const number of journals.filter(number => number < last)) {
      const { records } = scan<Head>(this.#path('journal', number), undefined, false)
      this.#segments.push({ number, records: this.#counted(records) })
      for (const record of records) older.push({ head: record.head, accounts: [] })
    }
    const path = this.#path('journal', last)
    const first = snapshot.head.number
    const { records, end } = existsSync(path) ? scan<Head>(path, first, true) : { records: [], end: 0 }
    this.#number = first + records.length
    this.#segments.push({ number: last, records: this.#counted(records) })
    this.#append(path, end)
    return { snapshot, older, records }
  }

  #counted(records: readonly StoredRecord<Head>[]): number {
    return records.filter(({ head }) => this.#counts(head)).length
  }

  /** Opens a journal to be written on from `end` on; whatever is behind was torn. */
  #append(path: string, end: number): void {
    this.#file = openSync(path, existsSync(path) ? 'r+' : 'w+')
    this.#disk.ftruncateSync(this.#file, end)
    fsyncSync(this.#file)
    syncDirectory(this.directory)
    this.#bytes = end
  }

  // ---- writing --------------------------------------------------------------------------------------------------------

  /** Whether a snapshot should be taken now. */
  get isFull(): boolean {
    return this.#bytes > this.#limit
  }

  get isFailed(): boolean {
    return this.#failure !== undefined
  }

  #fail(error: unknown): never {
    const why = error instanceof Error ? error.message : String(error)
    this.#failure ??= new StoreError('failed', `The chain cannot be written any more (${why}): start it again`)
    throw this.#failure
  }

  /** What was written in part is cut off, so that the next record may be written in its place: nothing has happened. */
  #cutOff(error: unknown): never {
    try {
      this.#disk.ftruncateSync(this.#file, this.#bytes)
    } catch {
      this.#fail(error)
    }
    const why = error instanceof Error ? error.message : String(error)
    throw new StoreError('unwritten', `Nothing can be written now (${why})`)
  }

  /** Writes a record. It is safe from the death of the process now, and from that of the machine after `flush`. */
  append(record: StoredRecord<Head>): void {
    if (this.#failure !== undefined) throw this.#failure
    const bytes = encode(this.#number, record)
    try {
      for (let at = 0; at < bytes.length; ) {
        at += this.#disk.writeSync(this.#file, bytes, at, bytes.length - at, this.#bytes + at)
      }
    } catch (error) {
      this.#cutOff(error)
    }
    this.#bytes += bytes.length
    this.#number++
    this.#written++
    this.#segments.at(-1)!.records += this.#counted([record])
  }

  /** When all that was appended before is on the disk. Many wait for one fsync. */
  async flush(): Promise<void> {
    const upTo = this.#written
    while (this.#synced < upTo) {
      if (this.#failure !== undefined) throw this.#failure
      this.#syncing ??= this.#sync()
      await this.#syncing
    }
  }

  #sync(): Promise<void> {
    const upTo = this.#written
    const number = this.#number
    const segment = this.#segments.at(-1)
    return new Promise<void>((done, failed) => {
      this.#disk.fsync(this.#file, error => {
        this.#syncing = undefined
        // A journal that was closed meanwhile is on the disk already.
        if (error === null || segment !== this.#segments.at(-1)) {
          this.#synced = Math.max(this.#synced, upTo)
          this.#anchor(number)
          done()
          return
        }
        try {
          this.#fail(error)
        } catch (failure) {
          failed(failure as StoreError)
        }
      })
    })
  }

  /** The whole state, which the next journal begins with. Where there is no room for it, the present journal goes on. */
  snapshot({ head, accounts }: StoredRecord<State>): void {
    if (this.#failure !== undefined) throw this.#failure
    const number = (this.#segments.at(-1)?.number ?? -1) + 1
    const path = this.#path('snapshot', number)
    try {
      const file = openSync(`${path}.tmp`, 'w')
      try {
        this.#disk.writeFileSync(file, encode(0, { head: { ...head, number: this.#number }, accounts }))
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      rmSync(`${path}.tmp`, { force: true })
      if (this.#file < 0) this.#fail(error)
      this.#limit = this.#bytes + this.#most / 8
      throw new StoreError('unwritten', `No room for a snapshot (${(error as Error).message})`)
    }
    try {
      if (this.#file >= 0) {
        fsyncSync(this.#file)
        closeSync(this.#file)
      }
      this.#synced = this.#written
      renameSync(`${path}.tmp`, path)
      this.#append(this.#path('journal', number), 0)
      this.#limit = this.#most
      this.#segments.push({ number, records: 0 })
      if (number > 0) rmSync(this.#path('snapshot', number - 1), { force: true })
      this.#prune()
    } catch (error) {
      this.#fail(error)
    }
  }

  #prune(): void {
    let from = this.#segments.length - 1
    for (let kept = 0; from > 0 && kept < this.#keep; kept += this.#segments[from]!.records) from--
    for (const { number } of this.#segments.splice(0, from)) rmSync(this.#path('journal', number), { force: true })
  }

  /** On the disk, and closed. */
  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      this.#failure ??= new StoreError('failed', 'The chain is closed')
      if (this.#file >= 0) closeSync(this.#file)
      this.#file = -1
      this.#unlock()
    }
  }
}
