/** Subscriptions of one WebSocket client: what it wants to be told, and telling it. */
import { badParams, RpcError } from './errors.ts'
import { FINALITY, type Landed, type LocalChain } from './local.ts'
import { addressIn, isFinalized, type LocalRpc, type Options, programFilter, signatureIn } from './rpc.ts'

/** Of one client. */
const MOST = 1000

interface Subscription {
  readonly kind: string
  readonly account?: (address: string) => void
  readonly transaction?: (landed: Landed) => void
  readonly slot?: (slot: number) => void
}

/** Numbers are those of the whole server, as on nodes. */
let number = 0

export class Subscriptions {
  readonly #rpc: LocalRpc
  readonly #chain: LocalChain
  readonly #send: (text: string) => void
  readonly #open = new Map<number, Subscription>()
  readonly #account = (address: string): void => this.#each('account', address)
  readonly #transaction = (landed: Landed): void => this.#each('transaction', landed)
  readonly #slot = (slot: number): void => this.#each('slot', slot)

  constructor(rpc: LocalRpc, send: (text: string) => void) {
    this.#rpc = rpc
    this.#chain = rpc.chain
    this.#send = send
    this.#chain.on('account', this.#account).on('transaction', this.#transaction).on('slot', this.#slot)
  }

  close(): void {
    this.#chain.off('account', this.#account).off('transaction', this.#transaction).off('slot', this.#slot)
    this.#open.clear()
  }

  #each(event: 'account', value: string): void
  #each(event: 'transaction', value: Landed): void
  #each(event: 'slot', value: number): void
  #each(event: 'account' | 'transaction' | 'slot', value: never): void {
    for (const [id, subscription] of [...this.#open]) {
      try {
        subscription[event]?.(value)
      } catch {
        this.#open.delete(id) // what it wants cannot be told any more, such as a long account in base 58
      }
    }
  }

  #tell(kind: string, subscription: number, result: unknown): void {
    const params = { result, subscription }
    this.#send(JSON.stringify({ jsonrpc: '2.0', method: `${kind}Notification`, params }))
  }

  #with(value: unknown) {
    return { context: { slot: this.#chain.slot }, value }
  }

  /** Answers what a client sends: subscriptions, or any method. */
  async receive(text: string): Promise<void> {
    let request: unknown
    try {
      request = JSON.parse(text)
    } catch {
      request = undefined
    }
    if (request === undefined || Array.isArray(request)) {
      const answer = await this.#rpc.answer(text)
      if (answer !== undefined) this.#send(answer)
      return
    }
    // What a new subscription has to tell at once comes behind the answer that numbers it.
    const behind: (() => void)[] = []
    const answer = await this.#rpc.respond(request, (method, params) => this.#handle(method, params, behind))
    if (answer !== undefined) this.#send(JSON.stringify(answer))
    for (const tell of behind) tell()
  }

  async #handle(method: string, params: unknown, behind: (() => void)[]): Promise<unknown> {
    const [, kind, ends] = /^(account|program|logs|signature|slot|root)(Sub|Unsub)scribe$/.exec(method) ?? []
    if (kind === undefined) return this.#rpc.handle(method, params)
    if (params !== undefined && !Array.isArray(params)) badParams('`params` should be an array')
    const [first, second] = (params ?? []) as readonly unknown[]
    if (ends === 'Unsub') {
      if (this.#open.get(first as number)?.kind !== kind) return badParams('Invalid subscription id.')
      return this.#open.delete(first as number)
    }
    if (this.#open.size >= MOST) throw new RpcError('internal', `Too many subscriptions; max ${MOST}`)
    const options = (typeof second === 'object' && second !== null ? second : {}) as Options
    const id = ++number
    this.#open.set(id, { kind, ...this.#make(kind, id, first, options, behind) })
    return id
  }

  #make(
    kind: string,
    id: number,
    first: unknown,
    options: Options,
    behind: (() => void)[],
  ): Omit<Subscription, 'kind'> {
    const rpc = this.#rpc
    switch (kind) {
      case 'account': {
        const wanted = addressIn(first)
        const gone = {
          data: ['', 'base64'],
          executable: false,
          lamports: 0,
          owner: '1'.repeat(32),
          rentEpoch: 0,
          space: 0,
        }
        const now = () => rpc.encoded(this.#chain.account(wanted), options) ?? gone
        now() // refuses options that are wrong
        return {
          account: address => {
            if (address === wanted) this.#tell(kind, id, this.#with(now()))
          },
        }
      }
      case 'program': {
        const [program, passing] = [addressIn(first), programFilter(options)]
        return {
          account: pubkey => {
            const account = this.#chain.account(pubkey)
            if (account?.owner !== program || !passing(account)) return
            this.#tell(kind, id, this.#with({ pubkey, account: rpc.encoded(account, options) }))
          },
        }
      }
      case 'logs': {
        const mentions = (first as { readonly mentions?: unknown } | null)?.mentions
        const wanted = Array.isArray(mentions) ? addressIn(mentions[0]) : undefined
        if (wanted === undefined && first !== 'all' && first !== 'allWithVotes')
          badParams('Invalid Request: expected a filter')
        return {
          transaction: ({ signature, err, meta, keys }) => {
            if (wanted !== undefined && !keys.includes(wanted)) return
            this.#tell(kind, id, this.#with({ signature, err, logs: meta.logMessages }))
          },
        }
      }
      case 'signature': {
        const [wanted, isFinal] = [signatureIn(first), isFinalized(options.commitment)]
        const look = (): void => {
          const landed = this.#chain.landed(wanted)
          if (landed === undefined || (isFinal && landed.slot > this.#chain.slot - FINALITY)) return
          // Told once.
          if (this.#open.delete(id)) this.#tell(kind, id, this.#with({ err: landed.err }))
        }
        behind.push(look)
        return isFinal ? { slot: look } : { transaction: ({ signature }) => signature === wanted && look() }
      }
      case 'root':
        return { slot: slot => this.#tell(kind, id, Math.max(0, slot - FINALITY)) }
      default:
        return { slot: slot => this.#tell(kind, id, { slot, parent: slot - 1, root: Math.max(0, slot - FINALITY) }) }
    }
  }
}
