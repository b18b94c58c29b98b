/** What the campaigns over the engine take from it, and small helpers that all of them share. */
import { accrue, type DiscountQ64, type Pool, tauAt } from '../../amm/index.ts'
import { Draft } from '../../src/exchange/draft.ts'
import {
  type AccountRef,
  apply,
  type Exchange,
  execute,
  type Instruction,
  type Ledger,
  type Legs,
  type Market,
  orderId,
  type World,
} from '../../src/exchange/index.ts'

export * from '../../src/exchange/index.ts'
export const Q64 = 1n << 64n

/** One applied instruction: what was before it, what it did, and what is there now. */
export interface Step {
  readonly before: Exchange
  readonly after: Exchange
  readonly instruction: Instruction
  readonly events: readonly import('../../src/exchange/index.ts').Event[]
  readonly changes: import('../../src/exchange/index.ts').Applied['changes']
  readonly world: World
  /** The lowest and highest rate of a market that stood for a second or longer within its window. */
  readonly stood: (market: string) => { readonly low: bigint; readonly high: bigint }
}

/** The markets that an instruction names: no other may change. */
export const marketsNamed = (instruction: Instruction): string[] =>
  instruction.kind === 'roll'
    ? [instruction.market, instruction.to.market]
    : 'market' in instruction
      ? [instruction.market]
      : []

/** Whoever signed, if anybody. */
export const signerOf = (instruction: Instruction): string | undefined => {
  if (['settle', 'take-over', 'expire-order'].includes(instruction.kind)) return undefined
  if ('by' in instruction) return instruction.by
  return 'owner' in instruction ? instruction.owner : undefined
}

/** What was asked, a fill as the trade that it is. */
export const tradeIn = ({ instruction: i, before }: Pick<Step, 'instruction' | 'before'>): Instruction => {
  if (i.kind !== 'fill-order') return i
  const { market, owner, sub, action, spot, amount, limitRate, minimum, expiresAt } = before.orders.get(orderId(i))!
  const head = { kind: 'trade', market, owner, sub, limitRate, minimum, deadline: expiresAt } as const
  const yt = { amount: { yt: amount } }
  if (action === 'reduce-long' || action === 'reduce-short') return { ...head, ...yt, action: 'reduce' }
  return { ...head, ...yt, action, ...(spot ? { spot } : {}) }
}

/** A market at the head of an instruction: its index copied, its rate observed, matured if it has. */
export const headOf = (state: Exchange, id: string, world: World): Market => new Draft(state, world).market(id)

/** The pool of a market as its index would leave it, by the kernel alone. */
export const poolAtHead = (state: Exchange, { kind, maturity, pool }: Market): Pool => {
  if (pool.tauSeconds === 0) return pool
  const { checkpoints, lastStep, discount } = state.indices[kind]
  const final = checkpoints.find(checkpoint => checkpoint.maturity === maturity)?.discount
  const moment = {
    tauSeconds: final === undefined ? tauAt(maturity, lastStep) : 0,
    discount: (final ?? discount) as DiscountQ64,
  }
  return pool.tauSeconds === moment.tauSeconds && pool.discount === moment.discount ? pool : accrue(pool, moment)
}

/** The state with every market at the head of an instruction. */
export const caughtUp = (state: Exchange, world: World): Exchange => ({
  ...state,
  markets: new Map([...state.markets.keys()].map(id => [id, headOf(state, id, world)])),
})

/** Coupons up to a discount, by hand: down for either sign. */
export const paidUp = <L extends Legs>(legs: L, discount: bigint): L => ({
  ...legs,
  st: legs.st + ((legs.yt * (legs.discount - discount)) >> 64n),
  discount,
})

export const refOf = ({ market, owner, sub }: AccountRef): AccountRef => ({ market, owner, sub })
export const min = (...values: bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b))
export const max = (...values: bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b))
export const abs = (value: bigint): bigint => (value < 0n ? -value : value)

/** Whether an instruction would be applied. */
export const would = (state: Exchange, instruction: Instruction, world: World): boolean =>
  apply(state, instruction, world).kind === 'applied'

/** Applies to a fork in a side branch of history; says whether it was applied. */
export const does = (ledger: Ledger, instruction: Instruction, world: World): boolean =>
  execute(ledger, instruction, world).kind === 'applied'

/** Freezes what an instruction wrote, all the way down: whoever changed a record in place would throw. */
export const freeze = (value: unknown): void => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (value instanceof Map) {
    for (const item of value.values()) freeze(item)
    return
  }
  Object.freeze(value)
  for (const item of Object.values(value)) freeze(item)
}
