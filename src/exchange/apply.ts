/**
 * The door of the engine. An instruction either applies wholly, with events that account for every atom, or is refused with a
 * code and the numbers that would let the caller fix it. `apply` is pure; `commit` is the one place that changes a state.
 */
import { KernelError, type KernelErrorCode } from '../../amm/errors.ts'
import { createIndex } from '../oracle/accrual.ts'
import { OracleError } from '../oracle/errors.ts'
import * as accounts from './accounts.ts'
import * as admin from './admin.ts'
import { type Changes, Draft } from './draft.ts'
import { Refusal, type RefusalCode, type Refused, refuse } from './errors.ts'
import type { Event } from './event.ts'
import type { Instruction, InstructionKind, Of } from './instruction.ts'
import * as liquidation from './liquidate.ts'
import * as liquidity from './liquidity.ts'
import * as orders from './orders.ts'
import type { Config, Exchange, World } from './state.ts'
import { roll, trade, tradePt } from './trade.ts'

export interface Applied {
  readonly kind: 'applied'
  readonly changes: Changes
  readonly events: readonly Event[]
}

type Handlers = { readonly [K in InstructionKind]: (draft: Draft, instruction: Of<K>) => void }

const HANDLERS: Handlers = {
  'create-market': admin.createMarket,
  accrue: admin.accrue,
  finalise: admin.finalise,
  wrap: accounts.wrap,
  unwrap: accounts.wrap,
  split: accounts.split,
  merge: accounts.merge,
  'redeem-pt': accounts.redeemPt,
  'buy-pt': tradePt,
  'sell-pt': tradePt,
  'open-account': accounts.openAccount,
  'close-account': accounts.closeAccount,
  deposit: accounts.deposit,
  withdraw: accounts.withdraw,
  transfer: accounts.transfer,
  trade,
  roll,
  'place-order': orders.placeOrder,
  'cancel-order': orders.cancelOrder,
  'fill-order': orders.fillOrder,
  'expire-order': orders.expireOrder,
  'open-position': liquidity.openPosition,
  'close-position': liquidity.closePosition,
  'add-liquidity': liquidity.addLiquidity,
  'remove-liquidity': liquidity.removeLiquidity,
  collect: liquidity.collect,
  liquidate: liquidation.liquidate,
  'take-over': liquidation.takeOver,
  'reduce-fund': liquidation.reduceFund,
  settle: accounts.settle,
  'collect-fees': admin.collectFees,
  'apply-terms': admin.applyTerms,
  'catch-up': admin.catchUp,
  pause: admin.pause,
  unpause: admin.pause,
  'propose-terms': admin.proposeTerms,
  appoint: admin.appoint,
  'propose-authority': admin.proposeAuthority,
  'accept-authority': admin.acceptAuthority,
}

/** Errors of bad input, as refusals; any other is a defect and is thrown on. */
const KERNEL_CODES: Partial<Record<KernelErrorCode, RefusalCode>> = {
  'out-of-range': 'bad-amount',
  'tick-off-grid': 'bad-parameter',
  'bad-parameter': 'bad-parameter',
  'bad-text': 'bad-parameter',
}
const refusalOf = (error: unknown): Refused | undefined => {
  if (error instanceof Refusal) return { kind: 'refused', code: error.code, context: error.context }
  const code =
    error instanceof KernelError
      ? KERNEL_CODES[error.code]
      : error instanceof OracleError &&
          ['time-backwards', 'bad-source', 'bad-parameter', 'too-early'].includes(error.code)
        ? (error.code as RefusalCode)
        : undefined
  if (code === undefined) return undefined
  const { context, message } = error as KernelError | OracleError
  return { kind: 'refused', code, context: { ...context, message } }
}

/** What an instruction would do to a state, which it leaves as it is. */
export const apply = (state: Exchange, instruction: Instruction, world: World): Applied | Refused => {
  const draft = new Draft(state, world)
  try {
    const handle = HANDLERS[instruction.kind] as ((draft: Draft, instruction: Instruction) => void) | undefined
    if (handle === undefined) refuse('bad-parameter', { name: 'kind', value: String(instruction.kind) })
    handle(draft, instruction)
    return { kind: 'applied', changes: draft.changes, events: draft.events }
  } catch (error) {
    const refused = refusalOf(error)
    if (refused === undefined) throw error
    return refused
  }
}

/** An exchange that is changed in place, by `commit` alone. */
export interface Ledger extends Exchange {
  config: Exchange['config']
  indices: Exchange['indices']
  stVaults: Exchange['stVaults']
  readonly markets: Map<string, NonNullable<ReturnType<Exchange['markets']['get']>>>
  readonly accounts: Map<string, NonNullable<ReturnType<Exchange['accounts']['get']>>>
  readonly positions: Map<string, NonNullable<ReturnType<Exchange['positions']['get']>>>
  readonly orders: Map<string, NonNullable<ReturnType<Exchange['orders']['get']>>>
  readonly balances: Map<string, bigint>
}

const replace = <V>(map: Map<string, V>, changes: ReadonlyMap<string, V | undefined>): void => {
  for (const [key, value] of changes) {
    if (value === undefined) map.delete(key)
    else map.set(key, value)
  }
}

/** Writes the changes of an applied instruction. Costs what the instruction touched, however large the ledger is. */
export const commit = (ledger: Ledger, changes: Changes): void => {
  if (changes.config !== undefined) ledger.config = changes.config
  ledger.indices = { ...ledger.indices, ...changes.indices }
  ledger.stVaults = { ...ledger.stVaults, ...changes.stVaults }
  replace(ledger.markets, changes.markets)
  replace(ledger.accounts, changes.accounts)
  replace(ledger.positions, changes.positions)
  replace(ledger.orders, changes.orders)
  replace(ledger.balances, changes.balances)
}

/** Applies and commits: what came of it. */
export const execute = (ledger: Ledger, instruction: Instruction, world: World): Applied | Refused => {
  const result = apply(ledger, instruction, world)
  if (result.kind === 'applied') commit(ledger, result.changes)
  return result
}

/** An empty exchange whose indices begin at a full hour. */
export const createLedger = (init: {
  readonly config: Omit<Config, 'nextAuthority' | 'pausedUntil'>
  /** Full hour. */
  readonly lastStep: number
  /** Jupiter's `last_updated`; the same by default. */
  readonly weeklyLastStep?: number
  readonly balances?: Iterable<readonly [string, bigint]>
}): Ledger => ({
  config: { ...init.config, nextAuthority: undefined, pausedUntil: 0 },
  indices: {
    hourly: createIndex({ kind: 'hourly', lastStep: init.lastStep }),
    weekly: createIndex({ kind: 'weekly', lastStep: init.weeklyLastStep ?? init.lastStep }),
  },
  markets: new Map(),
  accounts: new Map(),
  positions: new Map(),
  orders: new Map(),
  balances: new Map(init.balances),
  stVaults: { hourly: 0n, weekly: 0n },
})

/** A copy that can go its own way: the records themselves are shared, since they never change. */
export const fork = (ledger: Exchange): Ledger => ({
  ...ledger,
  markets: new Map(ledger.markets),
  accounts: new Map(ledger.accounts),
  positions: new Map(ledger.positions),
  orders: new Map(ledger.orders),
  balances: new Map(ledger.balances),
})
