/** Those who keep the campaign's markets going: the keeper of coupons, the liquidator, the administrator; and plain nonsense. */
import { DEFAULT_TERMS, liquidationOf } from '../../src/exchange/index.ts'
import { WEEKLY_AUM } from '../../src/oracle/accrual.ts'
import { type Actor, accountIn, loose, type Scene } from './exchange-actors.ts'
import type { Desk } from './exchange-desk.ts'
import { type AccountRef, abs, type Instruction, type MarginAccount, max, min, Q64 } from './exchange-engine.ts'

const YEAR = 31_536_000n

/** Hourly: pays what was earned up to the last full hour, usually about what the fair rate says. */
export const payHourly = (scene: Scene): boolean => {
  const { desk } = scene
  const { random } = desk
  const { lastStep } = desk.ledger.indices.hourly
  const settled = Math.floor((desk.now - 300) / 3600) * 3600
  if (settled <= lastStep) return false
  // Late by several hours, it may still go hour by hour.
  const to = random.int(0, 5) === 0 ? lastStep + 3600 : settled
  const hours = BigInt((to - lastStep) / 3600)
  const aum = 10n ** BigInt(random.int(6, 15))
  const normal = (aum * scene.fair * 3600n * hours) / (YEAR * Q64)
  const fees = random.pick([
    normal,
    normal,
    (normal * random.big(0n, 300n)) / 100n,
    0n,
    random.big(0n, 3n),
    (aum * hours * 5n) / 10_000n,
    random.big(0n, (aum * hours) / 500n + 1n),
    random.int(0, 3) === 0 ? aum : normal,
  ])
  return desk.does({ kind: 'accrue', coupon: 'hourly', earned: { to, fees, aum } })
}

/** Weekly: Jupiter has published a figure. */
export const payWeekly = (scene: Scene): boolean => {
  const { desk } = scene
  const { random } = desk
  const { lastStep } = desk.ledger.indices.weekly
  const to = desk.weeklyUpdatedAt
  if (to <= lastStep) return false
  const bps = (scene.fair * 10_000n) / Q64
  const apr = random.pick([bps, bps, 0n, random.big(0n, 3n * bps), 6240n, random.big(0n, 20_000n)])
  const earned = { to, fees: apr * BigInt(to - lastStep), aum: WEEKLY_AUM }
  return desk.does({ kind: 'accrue', coupon: 'weekly', earned })
}

/** Liquidates an account or has it taken over, as a keeper would; at times by an amount of its own choice. */
export const forceClose = (desk: Desk, ref: AccountRef, by: string): void => {
  const size = abs(desk.account(ref)?.yt ?? 0n)
  if (desk.chance(12)) {
    const own = desk.chance(40) ? max(size, 1n) : desk.some(max(size, 1n))
    desk.run(desk.chance(20) ? { kind: 'take-over', ...ref } : { kind: 'liquidate', ...ref, by, yt: own })
    return
  }
  const due = liquidationOf(desk.ledger, ref, desk.world)
  if (due === undefined) return
  if (due === 'take-over') desk.run({ kind: 'take-over', ...ref })
  else desk.run({ kind: 'liquidate', ...ref, by, yt: due.liquidate })
}

/** Liquidates whoever is below maintenance, trades the fund down, settles after maturity; at times tries what it may not. */
export const liquidator: Actor = (scene, who) => {
  const { desk } = scene
  const { random } = desk
  for (const market of desk.matured()) {
    const open = desk.accountsOf(market.id).filter(({ st, yt }) => st !== 0n || yt !== 0n)
    if (open.length > 0 && desk.chance(60)) {
      const { owner, sub } = random.pick(open)
      return void desk.run({ kind: 'settle', market: market.id, owner, sub })
    }
  }
  const live = desk.live()
  for (const market of live) {
    if (market.fund.yt === 0n || !desk.chance(30)) continue
    const size = abs(market.fund.yt)
    if (desk.does({ kind: 'reduce-fund', market: market.id, yt: desk.chance(50) ? size : desk.some(size) })) return
  }
  const below: MarginAccount[] = []
  for (const market of live) {
    if (desk.freshness(market.kind) === 'coupon-due') continue
    below.push(...desk.accountsOf(market.id).filter(account => desk.isBelow(account, market)))
  }
  const open = [...desk.ledger.accounts.values()].filter(({ yt }) => yt !== 0n)
  const target =
    below.length > 0 && desk.chance(80)
      ? random.pick(below)
      : desk.chance(60) && open.length > 0
        ? random.pick(open)
        : undefined
  if (target === undefined) return
  const { market, owner, sub } = target
  return forceClose(desk, { market, owner, sub }, who)
}

/** Authority and pauser: pauses, terms in a queue, the authority itself, fees to the treasury. */
export const administrator: Actor = ({ desk }) => {
  const { random, ledger } = desk
  const { authority, nextAuthority, pausedUntil } = ledger.config
  const { id, kind, queued } = random.pick([...ledger.markets.values()])
  const act = random.int(0, 11)
  if (desk.now < pausedUntil)
    return void desk.run({ kind: 'unpause', by: random.pick([authority, ledger.config.pauser]) })
  if (act === 0) return void desk.run({ kind: 'pause', by: random.pick([authority, ledger.config.pauser]) })
  if (act <= 2) {
    const terms = {
      feeBps: random.pick([1, 10, 10, 10, 100]),
      lpShareBps: random.pick([2500, 5000, 5000, 10_000]),
      insuranceShareBps: random.pick([2500, 5000, 10_000]),
      guardBps: random.pick([200, 1000, 2500]),
      openInterestBps: random.pick([0, 1000, 1000, 2000, 2000, 2000, 2000]),
      penaltyBps: random.pick([0, 200, 500]),
      forcedBps: random.pick([25, 50, 50, 200, 1000]),
    }
    return void desk.run({ kind: 'propose-terms', by: authority, market: id, terms })
  }
  if (act <= 4 && queued !== undefined) return void desk.run({ kind: 'apply-terms', market: id })
  if (act === 5)
    return void desk.run({ kind: 'propose-authority', by: authority, authority: random.pick(['admin', 'council']) })
  if (act === 6 && nextAuthority !== undefined) return void desk.run({ kind: 'accept-authority', by: nextAuthority })
  if (act === 7) {
    const { maturity } = desk.market(id)
    return void desk.run({ kind: 'finalise', coupon: kind, maturity })
  }
  if (act === 8) return void desk.run({ kind: 'catch-up', market: id })
  return void desk.run({ kind: 'collect-fees', market: id })
}

/** What cannot be meant: each is to be refused, with its code, and to change nothing. */
export const nonsense: Actor = (scene, who) => {
  const { desk } = scene
  const { random, now } = desk
  const market = random.pick([...desk.ledger.markets.values()])
  const here = { market: market.id, owner: who, sub: 0 }
  const at = { market: market.id, owner: who, lower: 50, upper: 13_860 }
  const order = { ...loose(desk, true), deadline: now + 5 }
  const terms = DEFAULT_TERMS.hourly
  const { lastStep } = desk.ledger.indices.hourly
  const mine = [...desk.ledger.accounts.values()].find(a => a.market === market.id && a.yt > 0n)
  const short = [...desk.ledger.accounts.values()].find(a => a.market === market.id && a.yt < 0n)
  const lp = [...desk.ledger.positions.values()].find(({ position }) => position.liquidity > 0n)
  const spot = { amount: { yt: 10n ** 6n }, spot: true }
  const of = (a: MarginAccount | undefined) =>
    a === undefined ? here : { market: a.market, owner: a.owner, sub: a.sub }
  const all: Instruction[] = [
    { kind: 'settle', ...here, market: 'JLP-9901' },
    { kind: 'deposit', ...here, sub: 77, jlp: 5n },
    { kind: 'collect', ...at, lower: 60 },
    { kind: 'create-market', by: who, coupon: market.kind, maturity: market.maturity, rate: Q64 / 10n },
    { kind: 'create-market', by: who, coupon: market.kind, maturity: now + 1000, rate: Q64 / 10n },
    { kind: 'create-market', by: who, coupon: 'hourly', maturity: now - 1000, rate: Q64 / 10n },
    { kind: 'transfer', ...of(mine), to: of(mine), margin: 1n, yt: 0n },
    { kind: 'transfer', ...of(mine), to: of(short), margin: 0n, yt: 1n << 60n },
    { kind: 'transfer', ...of(mine), to: { ...here, market: 'JLP-9901' }, margin: 1n, yt: 0n },
    { kind: 'close-account', ...of(mine) },
    { kind: 'open-account', ...of(mine) },
    { kind: 'open-account', ...here, sub: 256 },
    { kind: 'withdraw', ...of(mine), jlp: 1n << 62n },
    { kind: 'withdraw', ...of(mine), jlp: -1n },
    { kind: 'wrap', owner: 'nobody', coupon: 'hourly', jlp: 1n },
    { kind: 'split', ...of(mine), yt: 0n },
    { kind: 'merge', ...of(short), yt: 1n },
    { kind: 'redeem-pt', market: market.id, owner: who, pt: 1n },
    { kind: 'trade', action: 'long', ...of(short), ...spot, ...order },
    { kind: 'trade', action: 'long', ...of(mine), ...spot, ...order, deadline: now - 1 },
    { kind: 'trade', action: 'long', ...of(mine), ...spot, ...order, limitRate: 1n },
    { kind: 'trade', action: 'long', ...of(mine), ...spot, ...order, limitRate: -1n },
    { kind: 'trade', action: 'long', ...of(mine), ...spot, ...order, minimum: 1n << 63n },
    { kind: 'trade', action: 'long', ...of(mine), amount: { yt: 0n }, ...order },
    { kind: 'trade', action: 'long', ...of(mine), amount: { st: desk.some(scene.size * 10n) }, spot: true, ...order },
    { kind: 'trade', action: 'reduce', ...of(short), amount: { yt: 1n << 61n }, ...order },
    { kind: 'trade', action: 'close', ...here, ...order },
    { kind: 'buy-pt', market: market.id, owner: who, amount: { st: 1n << 63n }, ...order, limitRate: 0n },
    { kind: 'sell-pt', market: market.id, owner: who, amount: { pt: 1n }, ...order },
    { kind: 'liquidate', ...of(mine), by: who, yt: mine?.yt ?? 1n },
    { kind: 'take-over', ...of(short) },
    { kind: 'reduce-fund', market: market.id, yt: 1n << 62n },
    { kind: 'accrue', coupon: 'hourly', earned: { to: lastStep, fees: 1n, aum: 1n } },
    { kind: 'accrue', coupon: 'hourly', earned: { to: lastStep + 3600, fees: -1n, aum: 0n } },
    { kind: 'accrue', coupon: 'hourly', earned: { to: now - 400 - ((now - 400) % 3600) + 1, fees: 1n, aum: 1n } },
    { kind: 'accrue', coupon: 'hourly', earned: { to: lastStep + 36_000_000, fees: 1n, aum: 1n } },
    { kind: 'pause', by: who },
    { kind: 'pause', by: desk.ledger.config.authority },
    { kind: 'propose-terms', by: desk.ledger.config.authority, market: market.id, terms: { ...terms, feeBps: 0 } },
    { kind: 'apply-terms', market: market.id },
    { kind: 'roll', ...of(mine), to: { ...here, market: market.id }, amount: { yt: 1n }, closeLimitRate: 0n, ...order },
  ]
  if (lp !== undefined) {
    const { owner, position } = lp
    const ref = { market: lp.market, owner, lower: position.lower, upper: position.upper }
    const add = { liquidity: 1n << 20n, maximum: 0n, minRate: 0n, maxRate: Q64 * 2n, deadline: now }
    const remove = { share: { num: 0n, den: 1n }, sub: 0, minimum: 0n, deadline: now }
    all.push(
      { kind: 'open-position', ...ref },
      { kind: 'close-position', ...ref },
      { kind: 'add-liquidity', ...ref, ...add },
      { kind: 'add-liquidity', ...ref, ...add, liquidity: 1n << 58n },
      { kind: 'add-liquidity', ...ref, ...add, liquidity: position.liquidity / 3n + (1n << 32n) },
      { kind: 'add-liquidity', ...ref, ...add, maxRate: 0n },
      { kind: 'remove-liquidity', ...ref, ...remove },
      { kind: 'remove-liquidity', ...ref, ...remove, share: { num: 1n, den: 9n }, minimum: 1n << 62n },
    )
  }
  const rest = { spot: false, limitRate: 0n, minimum: 0n, trigger: 'none', level: 0n, fee: 1n, expiresAt: now } as const
  const last = [...desk.ledger.orders.values()].at(-1)
  const resting =
    last === undefined ? { ...here, id: 9 } : { market: last.market, owner: last.owner, sub: last.sub, id: last.id }
  all.push(
    { kind: 'place-order', ...here, id: 9, action: 'long', amount: 1n, ...rest, trigger: 'rate-above' },
    { kind: 'place-order', ...here, id: 9, action: 'long', amount: 1n, ...rest, level: 5n },
    { kind: 'place-order', ...here, id: 9, action: 'reduce-long', amount: 1n, ...rest, expiresAt: now - 1 },
    { kind: 'place-order', ...here, id: 9, action: 'reduce-long', amount: (1n << 61n) + 1n, ...rest },
    { kind: 'place-order', ...here, id: 9, action: 'short', amount: 0n, ...rest },
    { kind: 'place-order', ...here, sub: 77, id: 9, action: 'short', amount: 1n, ...rest },
    { kind: 'place-order', ...resting, action: 'short', amount: 1n, ...rest },
    { kind: 'fill-order', ...resting, by: resting.owner },
    { kind: 'fill-order', ...here, id: 99, by: who },
    { kind: 'expire-order', ...resting },
    { kind: 'cancel-order', ...here, id: 99 },
  )
  const instruction = random.pick(all)
  // Only these may be applied: where what they name happens to be there, they are no nonsense.
  desk.run(instruction)
  const seenUntil = desk.ledger.markets.get(market.id)?.oracle.observedUntil ?? 0
  if (random.int(0, 8) === 0 && seenUntil === desk.now) {
    desk.now -= 1
    desk.run({ kind: 'collect-fees', market: market.id })
    desk.now += 1
  }
}

/** Sends margin and YT to others, between its own accounts, and closes what is empty. */
export const donor: Actor = ({ desk }, who) => {
  const { random } = desk
  const mine = [...desk.ledger.accounts.values()].filter(a => a.owner === who)
  if (mine.length === 0) {
    const live = desk.live()
    if (live.length > 0) accountIn(desk, random.pick(live), who)
    return
  }
  const from = random.pick(mine)
  const { market, owner, sub } = from
  if (from.margin === 0n && from.yt === 0n) {
    if (desk.chance(50))
      return void desk.run({ kind: 'deposit', market, owner, sub, jlp: desk.some(desk.wallet('jlp', who) / 1000n) })
    return void desk.run({ kind: 'close-account', market, owner, sub })
  }
  const others = [...desk.ledger.accounts.values()].filter(a => a.market === market && a !== from)
  if (others.length === 0) return
  const to = random.pick(others)
  const margin = from.yt > 0n && desk.chance(50) ? 0n : desk.some(from.margin / 4n)
  const takes = to.yt > 0n || to.owner === owner || desk.chance(10)
  const yt = takes && from.yt > 0n && desk.chance(50) ? desk.some(min(from.yt, abs(to.yt) + 1n)) : 0n
  desk.run({
    kind: 'transfer',
    market,
    owner,
    sub,
    to: { market, owner: to.owner, sub: to.sub },
    margin: min(margin, from.margin),
    yt,
  })
}
