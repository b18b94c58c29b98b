/** What margin, maturity and oracle attacks need beside the market of ../market.ts. */
import { type RateQ64, twap } from '../../../amm/index.ts'
import { EMPTY_LEGS, recount } from '../../../src/exchange/account.ts'
import type { Event } from '../../../src/exchange/event.ts'
import {
  type AccountRef,
  accountId,
  apply,
  assets,
  balanceId,
  equity,
  execute,
  gap,
  type Instruction,
  type Legs,
  liabilities,
  liquidationOf,
  meetsInitial,
  meetsMaintenance,
  type Of,
  type Valuation,
  valuation,
} from '../../../src/exchange/index.ts'
import { ANY_RATE, DAY, HOUR, JLP, type MarketOptions, NEVER, type OpenMarket, openMarket } from '../market.ts'

export const ONE = 1n << 64n

/** Deep liquidity over the whole range and wallets for every part in an attack. */
export const deepMarket = (options: MarketOptions = {}): OpenMarket =>
  openMarket({
    apy: '20%',
    liquidity: [{ lower: 50, upper: 13_860, jlp: 10_000_000n * JLP }],
    ...options,
    wallets: ['bank', 'mal', 'own', 'vic', 'bob', 'ann', 'liq', ...(options.wallets ?? [])],
    balance: 10n ** 14n,
  })

/** The greatest n in [0, top] that fits; whoever asks knows that smaller ones fit too. */
export const largest = (fits: (n: bigint) => boolean, top: bigint): bigint => {
  let low = 0n
  let high = top + 1n
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

/** Whether an instruction would be applied, and why not; nothing is changed. */
export const probe = (m: OpenMarket, instruction: Instruction): string => {
  const result = apply(m.ledger, instruction, m.world)
  return result.kind === 'refused' ? result.code : 'applied'
}

/** The events of one type of an applied instruction. */
export const eventsOf = <T extends Event['type']>(
  applied: { readonly events: readonly Event[] },
  type: T,
): Extract<Event, { readonly type: T }>[] =>
  applied.events.filter((event): event is Extract<Event, { readonly type: T }> => event.type === type)

// ---- accounts ----------------------------------------------------------------------------------------------------------

/** What the engine would measure margin with now. */
export const valuationOf = (m: OpenMarket): Valuation => {
  const market = m.market()
  const mean = twap(market.oracle, market.pool.rate, m.now, market.terms.twapWindow)
  return valuation(market, m.ledger.indices[market.kind], market.pool.rate, mean)
}

export interface Standing {
  readonly equity: bigint
  readonly equityAtTwap: bigint
  readonly gap: bigint
  /** Collateral ratio at TWAP in bp, rounded down; -1 if nothing is owed. */
  readonly ratio: bigint
  readonly initial: boolean
  readonly healthy: boolean
}

export const standing = (m: OpenMarket, owner: string, sub = 0): Standing => standingOf(m, m.account(owner, sub))

export const standingOf = (m: OpenMarket, legs: Legs): Standing => {
  const at = valuationOf(m)
  const { terms } = m.market()
  const owed = liabilities(legs, at.twap)
  return {
    equity: equity(legs, at.spot),
    equityAtTwap: equity(legs, at.twap),
    gap: gap(legs, at),
    ratio: owed === 0n ? -1n : (assets(legs, at.twap) * 10_000n) / owed,
    initial: meetsInitial(legs, at, terms),
    healthy: meetsMaintenance(legs, at, terms),
  }
}

/**
 * Gives an account these legs, as if it had traded before: the totals follow, and the vault's JLP come from the wallet `bank`.
 * Whoever plants YT plants the other side too.
 */
export const plant = (m: OpenMarket, owner: string, legs: Partial<Legs>, sub = 0): void => {
  const ref = m.ref(owner, sub)
  const market = m.ledger.markets.get(m.id)!
  const before = m.ledger.accounts.get(accountId(ref)) ?? { ...ref, ...EMPTY_LEGS, orders: 0 }
  const after = { ...before, ...EMPTY_LEGS, discount: market.pool.discount, ...legs }
  const jlp = after.margin + after.st - before.margin - before.st
  m.ledger.accounts.set(accountId(ref), after)
  m.ledger.balances.set(balanceId('jlp', 'bank'), m.balance('bank') - jlp)
  m.ledger.markets.set(m.id, {
    ...market,
    vault: market.vault + jlp,
    totals: recount(market.totals, before, after),
  })
}

/** Plants a long of `yt` at a ratio (bp, at the TWAP) with no margin besides, and its covered other side. */
export const plantLong = (m: OpenMarket, owner: string, yt: bigint, ratio: bigint): void => {
  const held = (valuationOf(m).twap * yt) >> 64n
  plant(m, owner, { yt, st: -((held * 10_000n) / ratio) })
  plant(m, `cover-${owner}`, { yt: -yt, st: yt, margin: yt })
}

/** Plants a short of `yt` at a ratio (bp, at the TWAP), all of it in the ST leg, and its spot other side. */
export const plantShort = (m: OpenMarket, owner: string, yt: bigint, ratio: bigint): void => {
  const owed = ((valuationOf(m).twap * yt) >> 64n) + 1n
  plant(m, owner, { yt: -yt, st: (owed * ratio) / 10_000n })
  plant(m, `cover-${owner}`, { yt, margin: yt })
}

/** Puts JLP of the wallet `bank` into the insurance fund. */
export const endow = (m: OpenMarket, margin: bigint): void => {
  const market = m.ledger.markets.get(m.id)!
  const fund = { ...market.fund, margin: market.fund.margin + margin }
  m.ledger.balances.set(balanceId('jlp', 'bank'), m.balance('bank') - margin)
  m.ledger.markets.set(m.id, {
    ...market,
    fund,
    vault: market.vault + margin,
    totals: recount(market.totals, market.fund, fund, true),
  })
}

/** Takes JLP out of the vault and books them as missing. */
export const lose = (m: OpenMarket, jlp: bigint): void => {
  const market = m.ledger.markets.get(m.id)!
  m.ledger.balances.set(balanceId('jlp', 'bank'), m.balance('bank') + jlp)
  const pool = { ...market.pool, deficit: (market.pool.deficit + jlp) as typeof market.pool.deficit }
  m.ledger.markets.set(m.id, { ...market, pool, vault: market.vault - jlp })
}

export const fundOf = (m: OpenMarket): Legs => m.market().fund
export const deficitOf = (m: OpenMarket): bigint => m.pool().deficit

// ---- orders ------------------------------------------------------------------------------------------------------------

/** What the engine says should be done about an account, as an instruction; of all its YT if it says nothing. */
export const liquidation = (m: OpenMarket, owner: string, by = 'liq', sub = 0): Of<'liquidate' | 'take-over'> => {
  const ref = m.ref(owner, sub)
  const due = liquidationOf(m.ledger, ref, m.world)
  if (due === 'take-over') return { kind: 'take-over', ...ref }
  const { yt } = m.account(owner, sub)
  return { kind: 'liquidate', ...ref, by, yt: due?.liquidate ?? (yt < 0n ? -yt : yt > 0n ? yt : 1n) }
}

/** The largest margined position that is taken on, opened. */
export const openLargest = (m: OpenMarket, owner: string, side: 'long' | 'short', top: bigint): bigint => {
  const order = (yt: bigint): Of<'trade'> => m.order(owner, side, { yt }, { minimum: yt })
  const yt = largest(n => n === 0n || probe(m, order(n)) === 'applied', top)
  m.must(order(yt))
  return yt
}

/** YT that move the rate by so many bp of itself in the liquidity in range. */
export const depth = (m: OpenMarket, bps: bigint): bigint => {
  const { liquidity, rate } = m.pool()
  return (liquidity * rate * bps) / 10_000n / ONE
}

/** Moves the rate with spot orders of a wallet that stays without debt: buys YT, or splits and sells them. */
export const push = (m: OpenMarket, owner: string, yt: bigint): void => {
  m.fund(owner, 0n)
  if (yt > 0n) {
    m.fund(owner, yt)
    m.must(m.order(owner, 'long', { yt }, { spot: true }))
    return
  }
  m.must({ kind: 'split', ...m.ref(owner), yt: -yt })
  m.must(m.order(owner, 'reduce', { yt: -yt }))
}

/** Undoes `push`: sells what was bought, or buys back what was sold and merges it. */
export const release = (m: OpenMarket, owner: string, yt: bigint): void => {
  if (yt > 0n) m.must(m.order(owner, 'reduce', { yt }))
  else {
    m.fund(owner, -yt)
    m.must(m.order(owner, 'long', { yt: -yt }, { spot: true }))
    m.must({ kind: 'merge', ...m.ref(owner), yt: -yt })
  }
}

/** JLP in wallets and margin, and the equity at TWAP of what is open, never below 0: these owners' part in an attack. */
export const holdings = (m: OpenMarket, owners: readonly string[]): bigint => {
  let sum = 0n
  for (const owner of owners) {
    sum += m.balance(owner)
    const found = m.ledger.accounts.get(accountId(m.ref(owner)))
    if (found === undefined) continue
    const { equityAtTwap } = standing(m, owner)
    sum += equityAtTwap > 0n ? equityAtTwap : 0n
  }
  return sum
}

/** Rate `bps` of itself away. */
export const awayFrom = (rate: RateQ64, bps: bigint): bigint => (rate * (10_000n + bps)) / 10_000n

// ---- every instruction ---------------------------------------------------------------------------------------------------

/** One instruction of each kind that names a market, each of which a busy market would accept when it may happen. */
export const oneOfEach = (m: OpenMarket): Record<string, Instruction> => {
  const { id } = m
  const lp = { market: id, owner: 'lp', lower: 50, upper: 13_860 }
  const spot = { ...m.ref('bob'), yt: 1000n }
  return {
    long: m.order('ann', 'long', { yt: 1_000_000n }),
    'long spot': m.order('bob', 'long', { yt: 1_000_000n }, { spot: true }),
    short: m.order('shy', 'short', { yt: 1_000_000n }),
    split: { kind: 'split', ...spot },
    'buy-pt': m.ptOrder('bob', 'buy-pt', { st: 1_000_000n }),
    'add-liquidity': { ...m.adding('lp', 50, 13_860, 10n ** 9n) },
    'withdraw owing': { kind: 'withdraw', ...m.ref('shy'), jlp: 1000n },
    'transfer owing': { kind: 'transfer', ...m.ref('shy'), to: m.ref('bob'), margin: 1000n, yt: 0n },
    reduce: m.order('ann', 'reduce', { yt: 1_000_000n }),
    close: m.order('shy', 'close'),
    'sell-pt': m.ptOrder('bob', 'sell-pt', { pt: 1_000_000n }),
    'remove-liquidity': m.removing('lp', 50, 13_860, { num: 1n, den: 1000n }),
    liquidate: liquidation(m, 'bad'),
    'take-over': { kind: 'take-over', ...m.ref('worse') },
    'reduce-fund': { kind: 'reduce-fund', market: id, yt: 1000n },
    deposit: { kind: 'deposit', ...m.ref('ann'), jlp: 1000n },
    'open-account': { kind: 'open-account', ...m.ref('new') },
    'withdraw spot': { kind: 'withdraw', ...m.ref('bob'), jlp: 1000n },
    'transfer spot': { kind: 'transfer', ...m.ref('bob'), to: m.ref('ann'), margin: 1000n, yt: 0n },
    'merge spot': { kind: 'merge', ...spot },
    settle: { kind: 'settle', ...m.ref('ann') },
    'redeem-pt': { kind: 'redeem-pt', market: id, owner: 'bob', pt: 1000n },
    collect: { kind: 'collect', ...lp },
    'close-account': { kind: 'close-account', ...m.ref('empty') },
    'collect-fees': { kind: 'collect-fees', market: id },
    wrap: { kind: 'wrap', owner: 'bob', coupon: m.market().kind, jlp: 1000n },
  }
}

/** A market in which everything of `oneOfEach` can happen, an hour (or a day) before something. */
export const busyMarket = (options: MarketOptions = {}): OpenMarket => {
  const m = deepMarket({ wallets: ['shy'], ...options })
  m.fund('ann', 1000n * JLP)
  m.fund('shy', 1000n * JLP)
  m.fund('bob', 1000n * JLP)
  for (const owner of ['empty', 'bad', 'worse', 'lp']) m.fund(owner, 0n)
  m.must(m.order('ann', 'long', { yt: 100n * JLP }))
  m.must(m.order('shy', 'short', { yt: 5000n * JLP })) // owes more than it holds until the end
  m.must({ kind: 'split', ...m.ref('bob'), yt: 5000n * JLP })
  return m
}

/**
 * Lets `bad` sink below maintenance and `worse` below zero, and gives the fund a position that it can carry and, the spot being a
 * little above TWAP, trade down.
 */
export const sink = (m: OpenMarket): void => {
  m.must({ kind: 'deposit', ...m.ref('bob'), jlp: 1n }) // the market copies its index
  quick(m, m.ptOrder('bob', 'sell-pt', { pt: depth(m, 10n) })) // an exit, refused only while a coupon is due
  plantLong(m, 'bad', 1000n * JLP, 10_400n)
  const held = (valuationOf(m).twap * (1000n * JLP)) >> 64n
  plant(m, 'worse', { yt: 1000n * JLP, st: -(held + held / 50n) })
  plant(m, 'cover2', { yt: -1010n * JLP, st: 1010n * JLP, margin: 1010n * JLP })
  endow(m, 10_000n * JLP)
  const market = m.ledger.markets.get(m.id)!
  const fund = { ...market.fund, yt: market.fund.yt + 10n * JLP, discount: market.pool.discount }
  m.ledger.markets.set(m.id, { ...market, fund, totals: recount(market.totals, market.fund, fund, true) })
}

/** Runs an instruction without an audit: for campaigns that check once at the end. */
export const quick = (m: OpenMarket, instruction: Instruction): string => {
  const result = execute(m.ledger, instruction, m.world)
  return result.kind === 'refused' ? result.code : 'applied'
}

export type { AccountRef }
export { ANY_RATE, DAY, HOUR, JLP, NEVER }
