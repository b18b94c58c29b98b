/** What the engine is asked, as instructions of the program: their arguments, and every account with its address. */
import { TransactionInstruction } from '@solana/web3.js'
import type { CouponKind } from '../../amm/index.ts'
import { TICKS_PER_ARRAY } from '../../src/client/codecs.ts'
import { INSTRUCTIONS } from '../../src/client/generated/interface.ts'
import {
  type AmountUnit,
  accountsOf,
  encodeInstruction,
  type InstructionAccounts,
  type InstructionArguments,
  type InstructionName,
  PROGRAM_ID,
} from '../../src/client/index.ts'
import {
  type AccountRef,
  accountId,
  DEFAULT_TERMS,
  type Exchange,
  type Instruction,
  type InstructionKind,
  type Of,
  type OrderBounds,
  type PositionRef,
} from '../../src/exchange/index.ts'
import {
  accountAt,
  indexAt,
  keyAt,
  marketAt,
  marketOf,
  orderAt,
  ownerAt,
  positionAt,
  walletAt,
} from './program-places.ts'

/** `out-of-range` of `ClientError`: what is asked cannot be said. */
export const call = <N extends InstructionName>(
  name: N,
  accounts: InstructionAccounts[N],
  args: InstructionArguments[N],
  rest: readonly string[] = [],
): TransactionInstruction =>
  new TransactionInstruction({
    programId: keyAt(PROGRAM_ID),
    keys: accountsOf(name, accounts, rest).map(({ address, writable, signer }) => ({
      pubkey: keyAt(address),
      isWritable: writable,
      isSigner: signer,
    })),
    data: Buffer.from(encodeInstruction(name, args)),
  })

const NONE = {}

/** How many accounts may follow those of an instruction. */
const roomOf = (name: InstructionName): number => MOST_ACCOUNTS - INSTRUCTIONS[name].accounts.length

/** A market's own accounts. */
const head = (id: string) => {
  const { index, market } = marketAt(id)
  return { index, market }
}
const held = (ref: AccountRef) => ({ ...head(ref.market), owner: ownerAt(ref.owner), account: accountAt(ref) })
const anyOf = (ref: AccountRef) => ({ ...head(ref.market), account: accountAt(ref) })
const jlp = (market: string, owner: string) => ({ ownerJlp: walletAt('jlp', owner), vault: marketAt(market).vault })
const pt = (market: string, owner: string) => ({
  ownerPt: walletAt(`pt/${market}`, owner),
  ptMint: marketAt(market).ptMint,
})
const st = (coupon: CouponKind, owner: string) => ({
  ...indexAt(coupon),
  owner: ownerAt(owner),
  ownerJlp: walletAt('jlp', owner),
  ownerSt: walletAt(`st-${coupon}`, owner),
})

/** The program takes no more, those of the instruction itself included. */
const MOST_ACCOUNTS = 64

interface Way {
  /** Ticks whose arrays are needed in any case. */
  readonly ticks?: readonly number[]
  /** Only the arrays in this direction from the present tick. */
  readonly up?: boolean
  readonly most: number
}

/** The arrays of a market that hold initialised ticks: at most so many, the nearest to the present tick. */
const arraysOf = (state: Exchange, id: string, { ticks = [], up, most }: Way): string[] => {
  const market = state.markets.get(id)
  if (market === undefined) return []
  const { spacing, minTick } = market.terms.grid
  const numberOf = (tick: number): number => Math.floor((tick - minTick) / spacing / TICKS_PER_ARRAY)
  const here = numberOf(market.pool.tick)
  const numbers = market.pool.ticks
    .map(({ index }) => numberOf(index))
    .filter(number => up === undefined || (up ? number >= here : number <= here))
    .sort((a, b) => Math.abs(a - here) - Math.abs(b - here))
  const all = new Set([...ticks.map(numberOf), ...numbers])
  return [...all].slice(0, most).flatMap(number => marketAt(id).arrays[number] ?? [])
}

const unitOf = (amount: { yt: bigint } | { st: bigint } | { pt: bigint }): { unit: AmountUnit; amount: bigint } =>
  'st' in amount ? { unit: 'st', amount: amount.st } : { unit: 'token', amount: 'yt' in amount ? amount.yt : amount.pt }
const bounds = ({ limitRate, minimum, deadline }: OrderBounds) => ({ limitRate, minimum, deadline })

type Calls = {
  readonly [K in InstructionKind]: (instruction: Of<K>, state: Exchange) => TransactionInstruction
}

const wrapping =
  (name: 'wrap' | 'unwrap') =>
  ({ owner, coupon, jlp: amount }: Of<'wrap' | 'unwrap'>): TransactionInstruction =>
    call(name, st(coupon, owner), { jlp: amount })

const ptTrade =
  (name: 'buyPt' | 'sellPt') =>
  (i: Of<'buy-pt' | 'sell-pt'>, state: Exchange): TransactionInstruction => {
    const { market, owner } = i
    const accounts = { ...head(market), owner: ownerAt(owner), ...jlp(market, owner), ...pt(market, owner) }
    return call(name, accounts, { ...unitOf(i.amount), ...bounds(i) }, arraysOf(state, market, { most: roomOf(name) }))
  }

const ofPosition = (ref: PositionRef) => ({
  ...head(ref.market),
  owner: ownerAt(ref.owner),
  position: positionAt(ref),
})

const CALLS: Calls = {
  'create-market': ({ by, coupon, maturity, rate, terms }, state) => {
    const { index, market, vault, ptMint } = marketOf(maturity, coupon)
    const accounts = { payer: ownerAt(by), payerJlp: walletAt('jlp', by), index, market, vault, ptMint }
    const matured = [...state.markets.values()].filter(
      m => m.kind === coupon && m.maturity !== maturity && m.pool.tauSeconds === 0,
    )
    const { feeBps, lpShareBps, insuranceShareBps, guardBps, forcedBps, openInterestBps, penaltyBps } = {
      ...DEFAULT_TERMS[coupon],
      ...terms,
    }
    const all = { feeBps, lpShareBps, insuranceShareBps, guardBps, forcedBps, openInterestBps, penaltyBps }
    return call(
      'createMarket',
      accounts,
      { maturity, rate, terms: terms === undefined ? undefined : all },
      matured.map(m => marketAt(m.id).market),
    )
  },
  accrue: ({ coupon }) => call('accrue', { index: indexAt(coupon).index }, NONE),
  finalise: ({ coupon, maturity }) => call('finalise', { index: indexAt(coupon).index }, { maturity }),
  wrap: wrapping('wrap'),
  unwrap: wrapping('unwrap'),
  split: i => call('split', { ...held(i), ...jlp(i.market, i.owner), ...pt(i.market, i.owner) }, { yt: i.yt }),
  merge: i => call('merge', { ...held(i), ...jlp(i.market, i.owner), ...pt(i.market, i.owner) }, { yt: i.yt }),
  'redeem-pt': ({ market, owner, pt: amount }) =>
    call(
      'redeemPt',
      { ...head(market), owner: ownerAt(owner), ...jlp(market, owner), ...pt(market, owner) },
      { pt: amount },
    ),
  'buy-pt': ptTrade('buyPt'),
  'sell-pt': ptTrade('sellPt'),
  'open-account': i => call('openAccount', held(i), { sub: i.sub }),
  'close-account': i => call('closeAccount', held(i), NONE),
  deposit: i => call('deposit', { ...held(i), ...jlp(i.market, i.owner) }, { jlp: i.jlp }),
  withdraw: i => call('withdraw', { ...held(i), ...jlp(i.market, i.owner) }, { jlp: i.jlp }),
  transfer: i => call('transfer', { ...held(i), to: accountAt(i.to) }, { margin: i.margin, yt: i.yt }),
  trade: (i, state) =>
    call(
      'trade',
      held(i),
      {
        action: i.action,
        ...(i.action === 'close' ? { unit: 'token', amount: 0n } : unitOf(i.amount)),
        spot: (i.action === 'long' || i.action === 'short') && (i.spot ?? false),
        ...bounds(i),
      },
      arraysOf(state, i.market, { most: roomOf('trade') }),
    ),
  roll: (i, state) => {
    const { index: toIndex, market: toMarket, vault: toVault } = marketAt(i.to.market)
    // A long is closed by selling and opened by buying.
    const up = (state.accounts.get(accountId(i))?.yt ?? 0n) < 0n
    const most = roomOf('roll') / 2
    const to = { toIndex, toMarket, toVault, toAccount: accountAt(i.to) }
    return call(
      'roll',
      { ...held(i), vault: marketAt(i.market).vault, ...to },
      { ...unitOf(i.amount), closeLimitRate: i.closeLimitRate, ...bounds(i) },
      i.market === i.to.market
        ? []
        : [...arraysOf(state, i.market, { up, most }), ...arraysOf(state, i.to.market, { up: !up, most })],
    )
  },
  'place-order': ({ kind: _, market, owner, sub, ...terms }) => {
    const ref = { market, owner, sub }
    return call('placeOrder', { ...held(ref), order: orderAt({ ...ref, id: terms.id }) }, terms)
  },
  'cancel-order': i => call('cancelOrder', { ...held(i), order: orderAt(i) }, NONE),
  'fill-order': (i, state) => {
    const by = { by: ownerAt(i.by), byJlp: walletAt('jlp', i.by), vault: marketAt(i.market).vault }
    const accounts = { ...anyOf(i), ...by, order: orderAt(i), owner: ownerAt(i.owner) }
    return call('fillOrder', accounts, NONE, arraysOf(state, i.market, { most: roomOf('fillOrder') }))
  },
  'expire-order': i => call('expireOrder', { ...anyOf(i), order: orderAt(i), owner: ownerAt(i.owner) }, NONE),
  'open-position': i => call('openPosition', ofPosition(i), { lower: i.lower, upper: i.upper }),
  'close-position': i => call('closePosition', ofPosition(i), NONE),
  'add-liquidity': (i, state) => {
    const { liquidity, maximum, minRate, maxRate, deadline } = i
    return call(
      'addLiquidity',
      { ...ofPosition(i), ...jlp(i.market, i.owner) },
      { liquidity, maximum, minRate, maxRate, deadline },
      arraysOf(state, i.market, { ticks: [i.lower, i.upper], most: roomOf('addLiquidity') }),
    )
  },
  'remove-liquidity': (i, state) => {
    const { market, owner, sub, share, minimum, deadline, zap } = i
    const account = state.accounts.has(accountId({ market, owner, sub }))
      ? accountAt({ market, owner, sub })
      : undefined
    return call(
      'removeLiquidity',
      { ...ofPosition(i), ...jlp(market, owner), ...pt(market, owner), account },
      { ...share, minimum, deadline, zap: zap?.limitRate },
      arraysOf(state, market, { ticks: [i.lower, i.upper], most: roomOf('removeLiquidity') }),
    )
  },
  collect: (i, state) =>
    call(
      'collect',
      { ...ofPosition(i), ...jlp(i.market, i.owner) },
      NONE,
      arraysOf(state, i.market, { ticks: [i.lower, i.upper], most: 2 }),
    ),
  liquidate: (i, state) => {
    const by = { by: ownerAt(i.by), byJlp: walletAt('jlp', i.by), vault: marketAt(i.market).vault }
    return call(
      'liquidate',
      { ...anyOf(i), ...by },
      { yt: i.yt },
      arraysOf(state, i.market, { most: roomOf('liquidate') }),
    )
  },
  'take-over': (i, state) => call('takeOver', anyOf(i), NONE, arraysOf(state, i.market, { most: roomOf('takeOver') })),
  'reduce-fund': (i, state) =>
    call('reduceFund', head(i.market), { yt: i.yt }, arraysOf(state, i.market, { most: roomOf('reduceFund') })),
  settle: i => call('settle', anyOf(i), NONE),
  'collect-fees': ({ market }, { config }) => {
    const accounts = { treasuryJlp: walletAt('jlp', config.treasury), vault: marketAt(market).vault }
    return call('collectFees', { ...head(market), ...accounts }, NONE)
  },
  'apply-terms': ({ market }) => call('applyTerms', head(market), NONE),
  'catch-up': ({ market }) => call('catchUp', head(market), NONE),
  pause: ({ by }) => call('pause', { by: ownerAt(by) }, NONE),
  unpause: ({ by }) => call('unpause', { by: ownerAt(by) }, NONE),
  'propose-terms': ({ by, market, terms }) => call('proposeTerms', { ...head(market), by: ownerAt(by) }, { terms }),
  appoint: ({ by, pauser, treasury }) =>
    call('appoint', { by: ownerAt(by) }, { pauser: ownerAt(pauser), treasury: ownerAt(treasury) }),
  'propose-authority': ({ by, authority }) =>
    call('proposeAuthority', { by: ownerAt(by) }, { next: ownerAt(authority) }),
  'accept-authority': ({ by }) => call('acceptAuthority', { by: ownerAt(by) }, NONE),
}

export const callOf = (instruction: Instruction, state: Exchange): TransactionInstruction =>
  (CALLS[instruction.kind] as (instruction: Instruction, state: Exchange) => TransactionInstruction)(instruction, state)
