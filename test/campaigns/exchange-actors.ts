/** Honest actors of the engine's campaign: LPs, traders on margin and spot, PT savers, the arbitrageur. One call, one thing done. */

import type { Desk } from './exchange-desk.ts'
import { type AccountRef, abs, type Instruction, type Market, max, min, Q64 } from './exchange-engine.ts'
import { priceAt } from './exchange-fair.ts'
import { jlpAtoms, liquidityForDeposit, MAX_LIQUIDITY, MAX_RATE, mostLeverageOf, type Range } from './exchange-sizes.ts'

/** What a life's actors share. */
export interface Scene {
  readonly desk: Desk
  /** JLP atoms of a typical deposit of liquidity. */
  readonly size: bigint
  /** What YT are thought to be worth: the arbitrageur moves the rate there, normal coupons follow it. Q64.64. */
  fair: bigint
}

export type Actor = (scene: Scene, who: string) => void

const soon = (desk: Desk): number => desk.now + desk.random.int(0, 60)
export const loose = (desk: Desk, up: boolean) => ({ limitRate: up ? MAX_RATE : 0n, minimum: 0n, deadline: soon(desk) })

/** An account of an owner in a market that still takes deposits, opened if need be. */
export const accountIn = (desk: Desk, market: Market, owner: string, sub = 0): AccountRef => {
  const ref = { market: market.id, owner, sub }
  if (desk.account(ref) === undefined) desk.run({ kind: 'open-account', ...ref })
  return ref
}

/** Brings an account's margin up to about an amount. */
export const fund = (desk: Desk, ref: AccountRef, jlp: bigint): bigint => {
  const missing = min(jlp - (desk.account(ref)?.margin ?? 0n), desk.wallet('jlp', ref.owner))
  if (missing > 0n) desk.run({ kind: 'deposit', ...ref, jlp: missing })
  return desk.account(ref)?.margin ?? 0n
}

const pickLive = (desk: Desk, mayBeStale = false): Market | undefined => {
  const fit = desk.live().filter(m => mayBeStale || (desk.freshness(m.kind) === 'fresh' && desk.now < m.maturity))
  return fit.length === 0 ? undefined : desk.random.pick(fit)
}

// ---- liquidity -------------------------------------------------------------------------------------------------------------

/** A range: mostly around the rate, at times one-sided, on the very tick of the rate, or all there is. */
const rangeFor = (desk: Desk, { pool }: Market): Range => {
  const { random } = desk
  const { minTick, maxTick } = pool.grid
  const clamp = (tick: number): number => Math.min(maxTick, Math.max(minTick, 10 * Math.round(tick / 10)))
  const width = random.pick([10, 30, 100, 300, 1000, 3000])
  const at = clamp(pool.tick)
  const [lower, upper] = random.pick<readonly [number, number]>([
    [at - width, at + width],
    [at - width, at + width],
    [at - random.int(1, width), at + random.int(1, width)],
    [at, at + width],
    [at - width, at],
    [at + width, at + 2 * width],
    [minTick, maxTick],
  ])
  const fit = { lower: Math.min(clamp(lower), maxTick - 10), upper: clamp(upper) }
  return { lower: fit.lower, upper: Math.max(fit.upper, fit.lower + 10) }
}

export const addLiquidity = (scene: Scene, who: string, market: Market, range?: Range, jlp?: bigint): boolean => {
  const { desk } = scene
  const { lower, upper } = range ?? rangeFor(desk, market)
  const ref = { market: market.id, owner: who, lower, upper }
  if (!desk.ledger.positions.has(`${market.id}/${who}/${lower}/${upper}`)) desk.run({ kind: 'open-position', ...ref })
  const most = min(jlp ?? max(desk.some(scene.size), 2_000_000n), desk.wallet('jlp', who))
  const room = MAX_LIQUIDITY - market.pool.grossLiquidity
  const liquidity = min(liquidityForDeposit(market.pool, lower, upper, jlpAtoms(most)), room)
  if (liquidity === 0n) return false
  const bounds = { maximum: most, minRate: 0n, maxRate: MAX_RATE, deadline: soon(desk) }
  return desk.does({ kind: 'add-liquidity', ...ref, liquidity, ...bounds })
}

const lpOf = (scene: Scene, who: string) =>
  [...scene.desk.ledger.positions.values()].filter(({ owner, position }) => owner === who && position.liquidity > 0n)

export const provide: Actor = (scene, who) => {
  const { desk } = scene
  const market = pickLive(desk)
  if (market === undefined) return leave(scene, who)
  if (market.pool.deficit > 0n && !desk.chance(10)) return leave(scene, who)
  const held = lpOf(scene, who).filter(({ market: id }) => id === market.id)
  const again = held.length > 0 && (held.length > 2 || desk.chance(40)) ? desk.random.pick(held).position : undefined
  return void addLiquidity(scene, who, market, again)
}

export const leave: Actor = (scene, who) => {
  const { desk } = scene
  const { random } = desk
  const held = lpOf(scene, who)
  if (held.length === 0) return closeEmpty(scene, who)
  const { market: id, position, addedAt } = random.pick(held)
  const { lower, upper } = position
  const market = desk.market(id)
  const ref = { market: id, owner: who, lower, upper }
  if (desk.chance(25)) return void desk.run({ kind: 'collect', ...ref })
  if (market.pool.tauSeconds > 0) accountIn(desk, market, who)
  if (desk.now - addedAt < 300 && !desk.chance(15)) desk.now += 301
  const share = random.pick([
    { num: 1n, den: 1n },
    { num: 1n, den: 2n },
    { num: 1n, den: 10n },
    { num: random.big(1n, 1n << 20n), den: 1n << 20n },
  ])
  const zap = desk.chance(40) ? { zap: { limitRate: market.pool.rate + (random.big(0n, 8n) - 4n) * (Q64 / 500n) } } : {}
  const remove = { kind: 'remove-liquidity', ...ref, share, sub: 0, minimum: 0n, deadline: soon(desk), ...zap } as const
  if (!desk.does(remove)) desk.run({ ...remove, share: { num: 1n, den: 50n } })
}

const closeEmpty: Actor = ({ desk }, who) => {
  for (const { owner, market, position } of desk.ledger.positions.values()) {
    if (owner !== who) continue
    const { lower, upper } = position
    return void desk.run({ kind: 'close-position', market, owner, lower, upper })
  }
}

// ---- traders on margin -------------------------------------------------------------------------------------------------------

/** Opens or increases at some leverage, at most about what is offered now. */
export const openLevered = (scene: Scene, ref: AccountRef, side: 'long' | 'short', margin: bigint, tenths: number) => {
  const { desk } = scene
  const market = desk.market(ref.market)
  const most = mostLeverageOf(desk, market, side)
  const price = max(priceAt(market, market.pool.rate), 1n)
  const wanted = (margin * BigInt(tenths) * (most > Q64 / 8n ? most : Q64 / 8n)) / (100n * Q64)
  const leg = max(wanted, 1n)
  const amount = side === 'long' || desk.chance(20) ? { st: leg } : { yt: max((leg << 64n) / price, 1n) }
  return desk.does({ kind: 'trade', action: side, ...ref, amount, ...loose(desk, side === 'long') })
}

const marginTrader =
  (side: 'long' | 'short'): Actor =>
  (scene, who) => {
    const { desk } = scene
    const { random } = desk
    const market = pickLive(desk, desk.chance(30))
    if (market === undefined) return
    const sub = random.int(0, 1)
    const account = desk.account({ market: market.id, owner: who, sub })
    const ref = { market: market.id, owner: who, sub }
    const has = account !== undefined && account.yt !== 0n
    const fresh = desk.freshness(market.kind) === 'fresh' && desk.now < market.maturity
    if (!has || desk.chance(35)) {
      if (!fresh && !desk.chance(10)) return
      if (has && account.yt > 0n !== (side === 'long')) return
      accountIn(desk, market, who, sub)
      const margin = fund(desk, ref, max(desk.some(scene.size / random.pick([2n, 10n, 50n])), 1000n))
      if (desk.now - market.oracle.startedAt < 300 && desk.chance(60)) desk.now += 300
      return void openLevered(scene, ref, side, margin, random.pick([20, 50, 80, 90, 95, 97, 99, 102]))
    }
    if (desk.chance(30))
      return void desk.run({ kind: 'trade', action: 'close', ...ref, ...loose(desk, account.yt < 0n) })
    if (desk.chance(50)) {
      const amount = desk.chance(70) ? { yt: desk.some(abs(account.yt)) } : { st: desk.some(abs(account.st) / 2n + 1n) }
      return void desk.run({ kind: 'trade', action: 'reduce', ...ref, amount, ...loose(desk, account.yt < 0n) })
    }
    if (desk.chance(50)) return void desk.run({ kind: 'withdraw', ...ref, jlp: desk.some(account.margin / 4n + 1n) })
    return void desk.run({ kind: 'deposit', ...ref, jlp: desk.some(scene.size / 50n + 1n) })
  }

export const longer = marginTrader('long')
export const shorter = marginTrader('short')

// ---- resting orders -----------------------------------------------------------------------------------------------------------

/** Leaves orders on its accounts: limits, stops, at times what cannot be filled; takes some back. */
export const patient: Actor = (scene, who) => {
  const { desk } = scene
  const { random } = desk
  const waiting = [...desk.ledger.orders.values()].filter(order => order.owner === who)
  if (waiting.length > 3 || (waiting.length > 0 && desk.chance(15))) {
    const { market, owner, sub, id } = random.pick(waiting)
    return void desk.run({ kind: 'cancel-order', market, owner, sub, id })
  }
  const mine = [...desk.ledger.accounts.values()].filter(a => a.owner === who && (a.margin > 0n || desk.chance(5)))
  if (mine.length === 0) return
  const account = random.pick(mine)
  const { rate } = desk.market(account.market).pool
  const reduces = account.yt !== 0n && desk.chance(65)
  const up = reduces ? account.yt < 0n : account.yt > 0n || (account.yt === 0n && desk.chance(50))
  const trigger =
    reduces && desk.chance(70) ? random.pick(['rate-above', 'rate-below', 'pnl-above', 'pnl-below'] as const) : 'none'
  const near = (rate * random.big(96n, 104n)) / 100n
  const profit = (account.margin * random.big(-20n, 20n)) / 100n
  const price = max(priceAt(desk.market(account.market), rate), 1n)
  const leg = max((account.margin * random.big(1n, 90n)) / 10n, 1n)
  const opened = min(max((leg << 64n) / price, 1n), 1n << 60n)
  const amount = reduces ? (desk.chance(30) ? 1n << 61n : desk.some(abs(account.yt))) : opened
  desk.run({
    kind: 'place-order',
    market: account.market,
    owner: who,
    sub: account.sub,
    id: random.int(0, 3),
    action: reduces ? (up ? 'reduce-short' : 'reduce-long') : up ? 'long' : 'short',
    amount,
    spot: desk.chance(15),
    limitRate: desk.chance(50) ? (up ? MAX_RATE : 0n) : (rate * (up ? 103n : 97n)) / 100n,
    minimum: random.pick([0n, 0n, amount, desk.some(amount)]),
    trigger,
    level: trigger === 'none' ? 0n : trigger.startsWith('rate') ? near : profit,
    fee: desk.chance(20) ? 0n : desk.some(account.margin / random.pick([5n, 1000n, 1000n]) + 1n),
    expiresAt: desk.now + random.pick([30, 3600, 1_000_000]),
  })
}

/** Fills what it can of others' orders, and sweeps away what is over. */
export const filler: Actor = (scene, who) => {
  const { desk } = scene
  for (let tries = 0; tries < 5 && desk.ledger.orders.size > 0; tries++) {
    const { market, owner, sub, id } = desk.random.pick([...desk.ledger.orders.values()])
    const ref = { market, owner, sub, id }
    if (
      desk.chance(10) ? desk.does({ kind: 'expire-order', ...ref }) : desk.does({ kind: 'fill-order', ...ref, by: who })
    )
      return
  }
}

// ---- spot ---------------------------------------------------------------------------------------------------------------------

/** Trades YT with its own money, splits, merges, shorts covered. */
export const spotTrader: Actor = (scene, who) => {
  const { desk } = scene
  const market = pickLive(desk)
  if (market === undefined) return
  const ref = accountIn(desk, market, who)
  const account = desk.account(ref)
  if (account === undefined) return
  const pt = desk.wallet(`pt/${market.id}`, who)
  const both = min(pt, max(account.yt, 0n))
  const act = desk.random.int(0, 9)
  if (act === 0)
    return void desk.run({ kind: 'wrap', owner: who, coupon: market.kind, jlp: desk.some(scene.size / 10n + 1n) })
  const st = desk.wallet(`st-${market.kind}`, who)
  if (act === 1 && st > 0n)
    return void desk.run({ kind: 'unwrap', owner: who, coupon: market.kind, jlp: desk.some(st) })
  if (act <= 3) return void desk.run({ kind: 'split', ...ref, yt: desk.some(scene.size / 4n + 1n) })
  if (act <= 5 && both > 0n) return void desk.run({ kind: 'merge', ...ref, yt: desk.some(both) })
  if (act === 6 && account.yt !== 0n) {
    const amount = { yt: desk.some(abs(account.yt)) }
    return void desk.run({ kind: 'trade', action: 'reduce', ...ref, amount, ...loose(desk, account.yt < 0n) })
  }
  const margin = fund(desk, ref, desk.some(scene.size / 5n) + 10n)
  const short = account.yt < 0n || (account.yt === 0n && desk.chance(30))
  const amount = short
    ? { yt: max((margin * 3n) / 4n, 1n) }
    : { st: max((max(margin + account.st, 0n) * 9n) / 10n, 1n) }
  const action = short ? 'short' : 'long'
  desk.run({ kind: 'trade', action, spot: true, ...ref, amount, ...loose(desk, !short) })
}

/** Fixes a yield: buys PT, sells some, redeems at maturity. */
export const saver: Actor = (scene, who) => {
  const { desk } = scene
  for (const { id } of desk.matured()) {
    const pt = desk.wallet(`pt/${id}`, who)
    if (pt > 0n && desk.chance(50))
      return void desk.run({ kind: 'redeem-pt', market: id, owner: who, pt: desk.some(pt) })
  }
  const market = pickLive(desk, desk.chance(20))
  if (market === undefined) return
  const pt = desk.wallet(`pt/${market.id}`, who)
  const sells = pt > 0n && desk.chance(50)
  const most = sells ? pt : scene.size / 3n + 1n
  const amount = desk.chance(50) ? { pt: desk.some(most) } : { st: desk.some(sells ? most / 2n + 1n : most) }
  desk.run({ kind: sells ? 'sell-pt' : 'buy-pt', market: market.id, owner: who, amount, ...loose(desk, sells) })
}

/** Moves the rate towards what is thought fair, with its own money. */
export const arbitrageur: Actor = (scene, who) => {
  const { desk } = scene
  const market = pickLive(desk)
  if (market === undefined) return
  const { rate } = market.pool
  const up = rate < scene.fair
  const off = abs(rate - scene.fair)
  if (off * 100n < rate) return spotTrader(scene, who)
  const ref = accountIn(desk, market, who)
  const order = { limitRate: scene.fair, minimum: 0n, deadline: soon(desk) }
  const account = desk.account(ref)
  const pt = desk.wallet(`pt/${market.id}`, who)
  if (up && pt > 0n) return void desk.run({ kind: 'sell-pt', market: market.id, owner: who, amount: { pt }, ...order })
  if (up) {
    const margin = fund(desk, ref, scene.size * 2n)
    const free = margin + (account?.st ?? 0n)
    const amount = { st: max((free * 9n) / 10n, 1n) }
    return void desk.run({ kind: 'trade', action: 'long', spot: true, ...ref, amount, ...order })
  }
  if (account !== undefined && account.yt > 0n) {
    return void desk.run({ kind: 'trade', action: 'reduce', ...ref, amount: { yt: account.yt }, ...order })
  }
  const buy: Instruction = { kind: 'buy-pt', market: market.id, owner: who, amount: { st: scene.size * 4n }, ...order }
  return void desk.run(buy)
}
