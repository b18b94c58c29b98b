/**
 * The keeper: does what anyone may do and the exchange needs. It has a key that pays for transactions and no role; what it earns arrives in its
 * own JLP wallet. It keeps nothing but that key: whatever is to be done is seen on the chain, and what was done already is refused there, so
 * that a second keeper or a fresh one does no harm.
 */
import { type Connection, type Keypair, PublicKey, type TransactionInstruction } from '@solana/web3.js'
import { CodedError } from '../../amm/errors.ts'
import { type CouponKind, marketName } from '../../amm/index.ts'
import { priorityFee } from '../chain/cluster.ts'
import {
  ADDRESSES,
  addressOf,
  arraysForClose,
  arraysForTrade,
  build,
  COUPON_KINDS,
  createWallet,
  type ExecutedEvent,
  type MarketRef,
  type ProgramErrorName,
  walletAddress,
} from '../client/index.ts'
import { isOpen } from '../exchange/account.ts'
import { fillableOrders, liquidationOf, type OrderRef } from '../exchange/index.ts'
import { HOUR_SECONDS, SOURCE_TERMS, WEEK_SECONDS } from '../oracle/index.ts'
import { accountAt, arraysToClose, fundReduction, orderAt, tradeOf, worstFirst } from './decide.ts'
import { asked, type Clock, Courier, isTrouble, type Outcome, Stopped, stopIf } from './delivery.ts'
import { JOBS, type Job, type KeeperEvent, LOST, MOVED, type Result } from './jobs.ts'
import { type Book, type Ground, isMatured, listBooks, readGround, readScene, refresh, type Scene } from './reading.ts'

export interface KeeperSetting {
  readonly connection: Connection
  readonly key: Keypair
  /** All by default. */
  readonly jobs?: readonly Job[]
  /** Milliseconds from the beginning of a round to that of the next. */
  readonly every?: number
  /** Markets, accounts and orders are listed in every so manieth round, and at the start; what takes its time is done only then. */
  readonly relist?: number
  /** JLP atoms of fee that a fill must bring; any by default. */
  readonly leastFee?: bigint
  /** JLP atoms of protocol fees that are worth a transaction; after maturity all are. */
  readonly leastCollected?: bigint
  /** Markets that are worked on at once. */
  readonly atOnce?: number
  /** Transactions for a job in a market and a round. */
  readonly most?: number
  /** Millionths of a lamport for each compute unit, at most; none by default. */
  readonly mostPrice?: bigint
  readonly onEvent?: (event: KeeperEvent) => void
  readonly clock?: Partial<Clock>
}

export interface KeeperStatus {
  readonly key: string
  /** Of the key, as last read. */
  readonly lamports: number | undefined
  readonly rounds: number
  readonly lastRound: { readonly at: number; readonly took: number; readonly complete: boolean } | undefined
  /** Why a kind's coupon is due and cannot be paid: Jupiter's account is stale or not what it was. */
  readonly source: Readonly<Partial<Record<CouponKind, string>>>
  readonly markets: number
  readonly matured: number
  readonly accounts: number
  readonly orders: number
  /** By job and result. */
  readonly counts: Readonly<Partial<Record<Job, Readonly<Partial<Record<Result, number>>>>>>
  /** JLP atoms, and lamports. */
  readonly earned: bigint
  readonly spent: number
  /** Sent, and not yet known what became of it. */
  readonly sending: number
  /** Requests that failed since a round last began well, and what the last of them said. */
  readonly troubles: number
  readonly trouble: string | undefined
}

const DAY = 86_400
/** A round ends after so many requests that failed: the node is to be left alone. */
const MOST_TROUBLES = 5
/** Milliseconds between two rounds while the node does not answer. */
const LONGEST_WAIT = 30_000
/** Times that a market may move away between reading it and sending. */
const TRIES = 3
/** Instructions that fit into a transaction together. */
const TOGETHER = { expire: 6, settle: 8, close: 8 } as const
/** What failed rests for 2, 4, 8 and so on rounds, at most for 2 to this. */
const LONGEST_REST = 6

/** What the program says of Jupiter's account when it does not pay from it. */
const SOURCE: ReadonlySet<string> = new Set<ProgramErrorName>([
  'bad-source',
  'stale-source',
  'wrong-address',
  'wrong-length',
  'wrong-owner',
])

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const codeOf = (error: unknown): string => (error instanceof CodedError ? String(error.code) : 'unexpected')

/** JLP atoms that went to `by`. */
const earnedIn = (events: readonly ExecutedEvent[], by: string): bigint =>
  events
    .flatMap(({ records }) => records)
    .reduce((sum, record) => {
      if (record.type === 'liquidated' && record.by === by) return sum + record.reward
      return record.type === 'filled' && record.by === by ? sum + record.fee : sum
    }, 0n)

export class Keeper {
  readonly key: string
  readonly #setting: Required<Omit<KeeperSetting, 'clock' | 'onEvent'>>
  readonly #onEvent: (event: KeeperEvent) => void
  readonly #clock: Clock
  readonly #courier: Courier
  #books = new Map<string, Book>()
  #ground: Ground | undefined
  #signal: AbortSignal | undefined
  /** Whether this round has listed. */
  #listed = false
  /** The round that last did. */
  #listedIn = 0
  #rounds = 0
  #lastRound: KeeperStatus['lastRound']
  #lamports: number | undefined
  #source: Partial<Record<CouponKind, string>> = {}
  readonly #counts: Partial<Record<Job, Partial<Record<Result, number>>>> = {}
  #earned = 0n
  #spent = 0
  #troubles = 0
  #trouble: string | undefined
  /** What failed, until which round it is left alone, and how often in a row it did. */
  readonly #rests = new Map<string, { readonly until: number; readonly times: number }>()

  constructor(setting: KeeperSetting) {
    const { clock, onEvent = () => {}, ...rest } = setting
    this.#setting = {
      jobs: JOBS,
      every: 1000,
      relist: 1,
      leastFee: 0n,
      leastCollected: 1_000_000n,
      atOnce: 4,
      most: 50,
      mostPrice: 0n,
      ...rest,
    }
    this.#onEvent = onEvent
    this.#clock = { now: Date.now, sleep: pause, ...clock }
    this.#courier = new Courier(setting.connection, setting.key, this.#clock)
    this.key = setting.key.publicKey.toBase58()
  }

  status(): KeeperStatus {
    const books = [...this.#books.values()]
    const count = (of: (book: Book) => number): number => books.reduce((sum, book) => sum + of(book), 0)
    return {
      key: this.key,
      lamports: this.#lamports,
      rounds: this.#rounds,
      lastRound: this.#lastRound,
      source: { ...this.#source },
      markets: books.length,
      matured: count(book => (this.#isMatured(book) ? 1 : 0)),
      accounts: count(({ accounts }) => accounts.size),
      orders: count(({ orders }) => orders.size),
      counts: structuredClone(this.#counts),
      earned: this.#earned,
      spent: this.#spent,
      sending: this.#courier.sending,
      troubles: this.#troubles,
      trouble: this.#trouble,
    }
  }

  /** Rounds until the signal; what was sent by then is waited for. Never throws for what a node or the chain does. */
  async run(signal: AbortSignal): Promise<void> {
    const end = new Promise<void>(done => signal.addEventListener('abort', () => done(), { once: true }))
    while (!signal.aborted) {
      const began = this.#clock.now()
      const complete = await this.round(signal)
      const wait = complete
        ? this.#setting.every
        : Math.min(LONGEST_WAIT, this.#setting.every * 2 ** Math.min(this.#troubles, 8))
      await Promise.race([this.#clock.sleep(Math.max(0, began + wait - this.#clock.now())), end])
    }
  }

  /** All that there is to do now, once. Whether it came to its end: not if it was stopped, or if the node does not answer. */
  async round(signal?: AbortSignal): Promise<boolean> {
    const at = this.#clock.now()
    this.#signal = signal
    let complete = false
    try {
      await this.#work()
      complete = signal?.aborted !== true && this.#troubles === 0
    } catch (error) {
      if (isTrouble(error)) this.#troubled(error)
      else if (!(error instanceof Stopped)) this.#trouble = textOf(error)
    }
    this.#rounds++
    this.#lastRound = { at, took: this.#clock.now() - at, complete }
    return complete
  }

  async #work(): Promise<void> {
    this.#listed = this.#books.size === 0 || this.#rounds - this.#listedIn >= this.#setting.relist
    if (this.#listed) await this.#list()
    if (!(await this.#look())) return
    const paid = await all(COUPON_KINDS.map(kind => this.#coupon(kind)))
    if (paid.includes(true)) await this.#look()
    const books = [...this.#books.values()]
    await this.#each(books, 'liquidate', book => this.#liquidate(book))
    await this.#each(books, 'fund', book => this.#reduceFund(book))
    await this.#each(books, 'fill', book => this.#fill(book))
    if (this.#listed) {
      await this.#each(books, 'expire', book => this.#expire(book))
      await this.#each(books, 'settle', book => this.#settle(book))
      await this.#each(books, 'terms', book => this.#applyTerms(book))
      await this.#each(books, 'fees', book => this.#collectFees(book))
      await this.#each(books, 'close', book => this.#close(book))
    }
    await this.#sync()
  }

  // ---- reading ------------------------------------------------------------------------------------------------------------

  async #list(): Promise<void> {
    const { connection, key, mostPrice } = this.#setting
    this.#books = await asked(listBooks(connection))
    this.#listedIn = this.#rounds
    this.#lamports = await asked(connection.getBalance(key.publicKey, 'confirmed'))
    if (mostPrice > 0n) {
      const markets = [...this.#books.keys()].slice(0, 100).map(address => new PublicKey(address))
      this.#courier.price = await asked(
        priorityFee(connection, { lockedWritableAccounts: markets }, { most: mostPrice }),
      )
    }
  }

  /** Whether there is an exchange. */
  async #look(): Promise<boolean> {
    this.#ground = await readGround(this.#courier.client, this.key)
    this.#troubles = 0
    this.#trouble = undefined
    return this.#ground !== undefined
  }

  #isMatured({ data }: Book): boolean {
    const index = this.#ground?.indices[data.kind]
    return index !== undefined && isMatured(data, index)
  }

  #ref({ address, data }: Book): MarketRef {
    return { kind: data.kind, address }
  }

  // ---- attempts -----------------------------------------------------------------------------------------------------------

  #does(job: Job): boolean {
    return this.#setting.jobs.includes(job)
  }

  #troubled(error: unknown): void {
    this.#troubles++
    this.#trouble = textOf(error)
  }

  /** Work on several markets at once. What fails in one is its own matter; a node that does not answer ends the round. */
  async #each(books: readonly Book[], job: Job, work: (book: Book) => Promise<void>): Promise<void> {
    if (!this.#does(job)) return
    const left = [...books]
    const worker = async (): Promise<void> => {
      for (let book = left.shift(); book !== undefined; book = left.shift()) {
        stopIf(this.#signal)
        await this.#apart(job, book.name, 'market', () => work(book))
      }
    }
    await all(Array.from({ length: this.#setting.atOnce }, worker))
  }

  /** Runs what may fail without anything else failing with it. */
  async #apart(job: Job, market: string | undefined, what: string, work: () => Promise<void>): Promise<void> {
    if (this.#isResting({ job, market, what })) return
    const began = this.#clock.now()
    try {
      await work()
    } catch (error) {
      if (error instanceof Stopped) throw error
      if (!isTrouble(error)) return this.#tell({ job, market, what, began, result: 'failed', error })
      this.#troubled(error)
      if (this.#troubles >= MOST_TROUBLES) throw error
    }
  }

  #isResting(subject: Subject): boolean {
    return (this.#rests.get(restOf(subject))?.until ?? 0) > this.#rounds
  }

  #tell({ job, market, what, began, result, error, outcome }: Told): void {
    const counts = this.#counts[job]
    this.#counts[job] = { ...counts, [result]: (counts?.[result] ?? 0) + 1 }
    const key = restOf({ job, market, what })
    if (result === 'failed') {
      const times = Math.min(LONGEST_REST, (this.#rests.get(key)?.times ?? 0) + 1)
      this.#rests.set(key, { until: this.#rounds + 2 ** times, times })
    } else this.#rests.delete(key)
    const earned = outcome?.kind === 'done' ? earnedIn(outcome.events, this.key) : 0n
    const { signature, fee } = { signature: undefined, fee: undefined, ...outcome }
    this.#earned += earned
    this.#spent += fee ?? 0
    this.#onEvent({
      at: this.#clock.now(),
      job,
      ...(market === undefined ? {} : { market }),
      what,
      result,
      ...(error === undefined ? {} : { code: codeOf(error), message: textOf(error) }),
      ...(signature === undefined ? {} : { signature }),
      ...(fee === undefined ? {} : { fee }),
      ...(earned === 0n ? {} : { earned }),
      took: this.#clock.now() - began,
    })
  }

  /** One transaction, told of if it was tried at all. */
  async #attempt(
    { job, book, what }: { readonly job: Job; readonly book?: Book; readonly what: string },
    instructions: readonly TransactionInstruction[],
    isWorth?: (events: readonly ExecutedEvent[]) => boolean,
  ): Promise<Outcome> {
    const began = this.#clock.now()
    const market = book?.name
    if (this.#isResting({ job, market, what })) return { kind: 'nothing' }
    const outcome = await this.#courier.send(instructions, this.#signal, isWorth)
    this.#became({ job, market, what, began, outcome })
    return outcome
  }

  #became(attempt: Omit<Told, 'result' | 'error'> & { readonly outcome: Outcome }): void {
    const { outcome } = attempt
    if (outcome.kind === 'refused') {
      const { error } = outcome
      this.#tell({ ...attempt, result: LOST.has(error.code) ? 'lost' : 'failed', error })
      return
    }
    // What went through and did nothing came after somebody else's.
    const isEmpty = outcome.kind === 'done' && outcome.events.length === 0
    if (outcome.kind !== 'nothing') this.#tell({ ...attempt, result: isEmpty ? 'lost' : outcome.kind })
  }

  /** Many alike, as many in a transaction as fit; what is refused together is tried in halves, so that one does not stop the others. */
  async #together(
    job: 'expire' | 'settle' | 'close',
    book: Book,
    items: readonly { readonly what: string; readonly instruction: TransactionInstruction }[],
  ): Promise<void> {
    const few = items.slice(0, this.#setting.most * TOGETHER[job])
    const halve = async (part: typeof few): Promise<void> => {
      if (part.length === 0) return
      stopIf(this.#signal)
      const what = part.map(item => item.what).join(' ')
      const instructions = part.map(item => item.instruction)
      if (part.length > 1) {
        const began = this.#clock.now()
        const outcome = await this.#courier.send(instructions, this.#signal)
        if (outcome.kind !== 'refused') {
          this.#became({ job, market: book.name, what, began, outcome })
          return
        }
        this.#spent += outcome.fee ?? 0
        const middle = Math.ceil(part.length / 2)
        await halve(part.slice(0, middle))
        await halve(part.slice(middle))
      } else await this.#attempt({ job, book, what }, instructions)
    }
    for (let at = 0; at < few.length; at += TOGETHER[job]) await halve(few.slice(at, at + TOGETHER[job]))
  }

  /** In front of what pays the keeper, if it has no token account yet. */
  #purse(): TransactionInstruction[] {
    if (this.#ground?.hasWallet === true) return []
    return [createWallet(this.key, { owner: this.key, mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram })]
  }

  #paid(outcome: Outcome): void {
    if (outcome.kind === 'done' && this.#ground !== undefined) this.#ground = { ...this.#ground, hasWallet: true }
  }

  // ---- coupons ------------------------------------------------------------------------------------------------------------

  /** Pays a coupon that may be due, and without data ends maturities. Whether anything was paid or ended. */
  async #coupon(kind: CouponKind): Promise<boolean> {
    const { indices, now } = this.#ground!
    const index = indices[kind]
    if (index === undefined || !this.#does('accrue')) return false
    let paid = false
    await this.#apart('accrue', undefined, kind, async () => {
      // Weekly figures come about once a week, whenever Jupiter publishes them; a day after one there is no other.
      const from = kind === 'hourly' ? HOUR_SECONDS + SOURCE_TERMS.hourly.settlingDelay : DAY
      paid = now >= index.lastStep + from && (await this.#accrue(kind))
      if (paid) return
      for (const { maturity, discount } of index.checkpoints) {
        if (maturity === 0 || discount > 0n || now < maturity + WEEK_SECONDS) continue
        const finalise = build.finalise({ coupon: kind, maturity })
        const outcome = await this.#attempt({ job: 'accrue', what: marketName(maturity, kind) }, [finalise])
        paid ||= outcome.kind === 'done'
      }
    })
    return paid
  }

  /** Whether a coupon was paid. The program says itself whether one is due, and what of Jupiter's account it does not believe. */
  async #accrue(kind: CouponKind): Promise<boolean> {
    const began = this.#clock.now()
    const outcome = await this.#courier.send([build.accrue({ coupon: kind })], this.#signal)
    const told = { job: 'accrue', market: undefined, what: kind, began, outcome } as const
    if (outcome.kind === 'refused' && SOURCE.has(outcome.error.code)) {
      const { error } = outcome
      const isNew = this.#source[kind] !== error.message
      this.#source[kind] = error.message
      // While it stays so nothing is sent, and it is said once.
      if (isNew) this.#tell({ ...told, result: 'failed', error })
      this.#rests.delete(restOf(told))
      return false
    }
    delete this.#source[kind]
    this.#became(told)
    return outcome.kind === 'done'
  }

  async #sync(): Promise<void> {
    if (!this.#does('sync')) return
    for (const coupon of this.#ground!.unsynced) {
      await this.#apart('sync', undefined, coupon, async () => {
        await this.#attempt({ job: 'sync', what: coupon }, [build.syncSt({ coupon })])
      })
    }
  }

  // ---- a market -----------------------------------------------------------------------------------------------------------

  /** The worst account first; the market is looked at anew after each, because every close moves it. */
  async #liquidate(book: Book): Promise<void> {
    if (this.#isMatured(book) || ![...book.accounts.values()].some(isOpen)) return
    const { most } = this.#setting
    const tries = new Map<string, number>()
    let chosen: string | undefined
    for (let step = 0; step < most * TRIES; step++) {
      stopIf(this.#signal)
      const accounts = chosen === undefined ? [] : [chosen]
      const scene = await readScene(this.#courier.client, book, this.#ground!, { accounts })
      const worst = worstFirst(scene)
        .map(ref => ({ ref, at: accountAt(book.address, ref) }))
        .find(({ at }) => (tries.get(at) ?? 0) < TRIES)
      if (worst === undefined) return
      const before = chosen
      chosen = worst.at
      if (before !== chosen) continue // it is read again first
      const { ref } = worst
      const todo = liquidationOf(scene.state, ref, scene.world)
      if (todo === undefined) {
        tries.set(chosen, TRIES)
        continue
      }
      const outcome = await this.#closeOut(book, scene, ref, todo)
      const again = outcome.kind === 'refused' && MOVED.has(outcome.error.code)
      tries.set(chosen, again ? (tries.get(chosen) ?? 0) + 1 : TRIES)
      if (outcome.kind === 'refused' && outcome.error.code === 'coupon-due') await this.#accrue(book.data.kind)
    }
  }

  async #closeOut(
    book: Book,
    { reading }: Scene,
    { owner, sub }: { readonly owner: string; readonly sub: number },
    todo: NonNullable<ReturnType<typeof liquidationOf>>,
  ): Promise<Outcome> {
    const market = this.#ref(book)
    const what = `${owner}/${sub}`
    const held = book.accounts.get(addressOf('MarginAccount', { market: book.address, owner, sub }))!
    // A close may end in a take-over, and that in a close of the fund's.
    const sizes = [held.yt, held.yt + reading.fund.yt].filter(size => size !== 0n)
    const tickArrays = [...new Set(sizes.flatMap(size => arraysForClose(reading, size, reading.now)))]
    if (todo === 'take-over') {
      return this.#attempt({ job: 'liquidate', book, what }, [build.takeOver({ market, owner, sub, tickArrays })])
    }
    const liquidate = build.liquidate({ market, owner, sub, by: this.key, yt: todo.liquidate, tickArrays })
    const outcome = await this.#attempt({ job: 'liquidate', book, what }, [...this.#purse(), liquidate])
    this.#paid(outcome)
    return outcome
  }

  async #reduceFund(book: Book): Promise<void> {
    if (this.#isMatured(book) || book.data.fund.yt === 0n) return
    const scene = await readScene(this.#courier.client, book, this.#ground!)
    const yt = fundReduction(scene)
    if (yt === undefined) return
    const tickArrays = arraysForClose(scene.reading, scene.reading.fund.yt, scene.reading.now)
    await this.#attempt({ job: 'fund', book, what: 'fund' }, [
      build.reduceFund({ market: this.#ref(book), yt, tickArrays }),
    ])
  }

  /** Those that pay most first; each is looked at again before it is filled. */
  async #fill(book: Book): Promise<void> {
    if (this.#isMatured(book) || book.orders.size === 0) return
    const { client } = this.#courier
    const { state, id, world } = await readScene(client, book, this.#ground!)
    for (const ref of fillableOrders(state, id, this.key, world).slice(0, this.#setting.most)) {
      for (let tried = 0; tried < TRIES; tried++) {
        stopIf(this.#signal)
        const outcome = await this.#fillOne(book, ref)
        if (outcome.kind !== 'refused' || !MOVED.has(outcome.error.code)) break
        if (outcome.error.code === 'coupon-due') await this.#accrue(book.data.kind)
      }
    }
  }

  async #fillOne(book: Book, ref: OrderRef): Promise<Outcome> {
    const [account, order] = [accountAt(book.address, ref), orderAt(book.address, ref)]
    const places = { accounts: [account], orders: [order] }
    const { reading, state, world, id } = await readScene(this.#courier.client, book, this.#ground!, places)
    const [held, waiting] = [book.accounts.get(account), book.orders.get(order)]
    const alone = new Map(
      [...state.orders].filter(([, one]) => one.owner === ref.owner && one.sub === ref.sub && one.id === ref.id),
    )
    const isFillable = fillableOrders({ ...state, orders: alone }, id, this.key, world).length > 0
    if (held === undefined || waiting === undefined || !isFillable) return { kind: 'nothing' }
    const { owner, sub } = ref
    const tickArrays = arraysForTrade(reading, tradeOf(waiting, held), reading.now)
    const fill = build.fillOrder({ market: this.#ref(book), owner, sub, id: ref.id, by: this.key, tickArrays })
    const pays = (events: readonly ExecutedEvent[]): boolean => earnedIn(events, this.key) >= this.#setting.leastFee
    const what = `${owner}/${sub}/${ref.id}`
    const outcome = await this.#attempt({ job: 'fill', book, what }, [...this.#purse(), fill], pays)
    this.#paid(outcome)
    return outcome
  }

  async #expire(book: Book): Promise<void> {
    const over = [...book.orders].filter(([, { expiresAt }]) => this.#isMatured(book) || this.#ground!.now > expiresAt)
    const items = over.flatMap(([, { owner, account, id }]) => {
      const sub = book.accounts.get(account)?.sub
      if (sub === undefined) return []
      const instruction = build.expireOrder({ market: this.#ref(book), owner, sub, id })
      return [{ what: `${owner}/${sub}/${id}`, instruction }]
    })
    await this.#together('expire', book, items)
  }

  async #settle(book: Book): Promise<void> {
    if (!this.#isMatured(book)) return
    const open = [...book.accounts].filter(([, account]) => isOpen(account)).map(([address]) => address)
    await refresh(this.#courier.client, book, open)
    const market = this.#ref(book)
    const items = open.flatMap(address => {
      const account = book.accounts.get(address)
      if (account === undefined || !isOpen(account)) return []
      const { owner, sub } = account
      return [{ what: `${owner}/${sub}`, instruction: build.settle({ market, owner, sub }) }]
    })
    await this.#together('settle', book, items)
    // An index forgets a maturity only once its market has copied it.
    const isBehind = book.data.pool.tauSeconds > 0 && items.length === 0
    if (isBehind) await this.#attempt({ job: 'settle', book, what: 'market' }, [build.catchUp({ market })])
  }

  async #applyTerms(book: Book): Promise<void> {
    const { readyAt } = book.data.queued
    if (readyAt === 0 || this.#ground!.now < readyAt) return
    await this.#attempt({ job: 'terms', book, what: 'terms' }, [build.applyTerms({ market: this.#ref(book) })])
  }

  async #collectFees(book: Book): Promise<void> {
    const least = this.#isMatured(book) ? 1n : this.#setting.leastCollected
    if (book.data.fees < least) return
    const { treasury } = this.#ground!.config
    const wallet = { owner: treasury, mint: ADDRESSES.jlpMint, program: ADDRESSES.tokenProgram }
    // Its owner makes it, not the keeper.
    if ((await this.#courier.client.read([walletAddress(wallet)]))[0] === undefined) return
    await this.#attempt({ job: 'fees', book, what: 'fees' }, [build.collectFees({ market: this.#ref(book), treasury })])
  }

  async #close(book: Book): Promise<void> {
    const market = this.#ref(book)
    const starts = arraysToClose(book.data)
    const places = starts.map(start => addressOf('TickArray', { market: book.address, start }))
    const found = starts.length === 0 ? [] : await this.#courier.client.fetch('TickArray', places)
    const items = starts.flatMap((start, i) => {
      const array = found[i]
      if (array === undefined) return []
      return [{ what: `ticks ${start}`, instruction: build.closeTickArray({ market, start, payer: array.payer }) }]
    })
    await this.#together('close', book, items)
  }
}

interface Subject {
  readonly job: Job
  readonly market: string | undefined
  readonly what: string
}
const restOf = ({ job, market, what }: Subject): string => `${job} ${market} ${what}`

interface Told extends Subject {
  readonly began: number
  readonly result: Result
  readonly error?: unknown
  readonly outcome?: Outcome
}

const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

/** All to their end, and then the first failure: what was sent is waited for. */
const all = async <T>(work: readonly Promise<T>[]): Promise<T[]> => {
  await Promise.allSettled(work)
  return Promise.all(work)
}
