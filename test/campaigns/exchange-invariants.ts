/**
 * The invariants of one applied instruction, each a named function with its number in what it throws. Sums over the whole
 * ledger (I1, I2, I3, I5) are in exchange-books.ts; I23 and I27, which need a second run, in exchange.ts.
 */
import { tickAtRate, tickRate, ytPrice } from '../../amm/index.ts'
import { lowestDiscount } from '../../src/oracle/accrual.ts'
import { ensure } from './ensure.ts'
import {
  type AccountRef,
  accountId,
  headOf,
  type Instruction,
  type Legs,
  marketsNamed,
  max,
  min,
  orderId,
  paidUp,
  Q64,
  type Step,
  signerOf,
  tradeIn,
} from './exchange-engine.ts'
import { equityAt, type Fair, fairOf, initialHolds, sides } from './exchange-fair.ts'

/** Kinds that take legs from an account without its owner: liquidation, settlement, and orders that it left. */
const FORCED = ['liquidate', 'take-over', 'settle', 'fill-order']

const refsOf = (instruction: Instruction): AccountRef[] => {
  const refs: AccountRef[] = []
  if ('sub' in instruction) refs.push(instruction)
  if ('to' in instruction && typeof instruction.to === 'object') refs.push(instruction.to)
  return refs
}

/** The account of a reference, after the instruction and before it with its coupons paid. */
const both = (step: Step, ref: AccountRef): { before: Legs | undefined; after: Legs | undefined } => {
  const market = step.after.markets.get(ref.market)
  const stored = step.before.accounts.get(accountId(ref))
  return {
    before: stored === undefined || market === undefined ? undefined : paidUp(stored, market.pool.discount),
    after: step.after.accounts.get(accountId(ref)),
  }
}

const fairFor = (step: Step, market: string): Fair =>
  fairOf(
    step.before,
    headOf(step.before, market, step.world),
    step.after.markets.get(market)!,
    step.world,
    step.stood(market),
  )

/** A trade on margin or value taken out leaves an account that owes at the initial condition, reckoned by other means. */
const I17 = (step: Step): void => {
  const i = tradeIn(step)
  const increases = i.kind === 'trade' && (i.action === 'long' || i.action === 'short')
  if (!increases && !['withdraw', 'transfer', 'merge', 'roll'].includes(i.kind)) return
  const ref = i.kind === 'roll' ? i.to : (i as AccountRef)
  const market = step.after.markets.get(ref.market)!
  const { after } = both(step, ref)
  if (after === undefined || market.pool.tauSeconds === 0) return
  const fair = fairFor(step, ref.market)
  ensure(initialHolds(after, market, fair), 'I17: initial condition after opening, increasing or taking out', {
    instruction: i,
    after,
    fair,
  })
  if (increases && i.spot === true) {
    const owes = (after.margin + after.st) * Q64 < market.pool.discount * max(-after.yt, 0n)
    ensure(!owes, 'I17: a spot order leaves no debt', { i, after })
  }
}

/** An order is filled when it waits for nothing, within its limit, at its minimum, for at most its fee; then it is less, or gone. */
const ORDERS = ({ instruction: i, before, after, events, world }: Step): void => {
  if (i.kind !== 'fill-order') return
  const order = before.orders.get(orderId(i))!
  const left = after.orders.get(orderId(i))
  const swapped = events.find(event => event.type === 'swapped')!
  const filled = events.find(event => event.type === 'filled')!
  const size = before.accounts.get(accountId(i))!.yt
  const most = order.action.startsWith('reduce') ? min(order.amount, size < 0n ? -size : size) : order.amount
  const up = order.action === 'long' || order.action === 'reduce-short'
  const within = up ? swapped.rateAfter <= order.limitRate : swapped.rateAfter >= order.limitRate
  const minimum = min(order.minimum, most)
  const fits = filled.filled >= minimum && filled.filled <= most && filled.fee <= order.fee
  ensure(within && fits && world.now <= order.expiresAt, 'ORDERS: filled as it says', { order, swapped, filled })
  const rest = left ?? { amount: 0n, fee: 0n }
  const shrinks = rest.amount <= order.amount - filled.filled && rest.fee <= order.fee - filled.fee
  ensure(shrinks && (left === undefined || left.amount > 0n), 'ORDERS: nothing is filled twice', {
    order,
    left,
    filled,
  })
  // The fee is as large a part of it as was filled.
  ensure(filled.fee * most <= order.fee * filled.filled, 'ORDERS: no more than its part of the fee', { order, filled })
}

/** Whoever reduces what owes is spot afterwards, or at the initial condition, or no worse off and not bankrupt. */
const REDUCE = (step: Step): void => {
  const i = tradeIn(step)
  if (i.kind !== 'trade' || (i.action !== 'reduce' && i.action !== 'close')) return
  const { before: was, after: now } = both(step, i)
  const fair = fairFor(step, i.market)
  if (was === undefined || now === undefined || initialHolds(now, step.after.markets.get(i.market)!, fair)) return
  const [old, left] = [sides(was, fair.twapPrice), sides(now, fair.twapPrice)]
  const solvent = now.yt !== 0n && equityAt(now, fair.spotPrice) > -2n * Q64
  // Each side rounds by an atom where the engine compares.
  const noWorse = (left.assets + Q64) * old.liabilities >= (old.assets - Q64) * left.liabilities
  ensure(solvent && noWorse, 'I17: whoever reduces is no worse off', { i, was, now })
}

/** The instructions that must leave the market backed leave it so, summed from accounts and positions. */
const BACKING = (step: Step): void => {
  const i = tradeIn(step)
  const ref = i.kind === 'roll' ? i.to : i
  const margined = i.kind === 'roll' || (i.kind === 'trade' && 'spot' in i === false && /long|short/.test(i.action))
  const takesOut = ['withdraw', 'transfer', 'merge'].includes(i.kind)
  if (!margined && !takesOut && i.kind !== 'remove-liquidity') return
  const { market: id } = ref as AccountRef
  const market = step.after.markets.get(id)!
  const { discount, tauSeconds, deficit } = market.pool
  if (takesOut) {
    const { after } = both(step, ref as AccountRef)
    if (after === undefined || equityAt({ ...after, yt: 0n, margin: 0n }, 0n) >= -(after.margin << 64n)) {
      if (after === undefined || after.yt >= 0n || (after.margin + after.st) * Q64 >= -after.yt * discount) return
    }
    if (tauSeconds === 0) return
  }
  if (tauSeconds === 0 && market.totals.debtors === 0) return
  const index = step.after.indices[market.kind]
  const lowest = tauSeconds === 0 ? discount : lowestDiscount(index, market.maturity)
  let issued = 0n
  let owed = deficit << 64n
  for (const { market: where, position } of step.after.positions.values()) if (where === id) issued += position.issued
  for (const legs of [...step.after.accounts.values()]
    .filter(account => account.market === id)
    .concat(fundOf(market))) {
    owed += max(0n, -(legs.margin + legs.st)) << 64n
    if (legs.yt < 0n) owed += -legs.yt * (legs.discount - lowest)
  }
  ensure(issued * lowest >= owed, 'BACKING: what LPs hold in reserve covers all that could be owed', {
    i,
    issued,
    lowest,
    owed: owed >> 64n,
  })
}

const fundOf = (market: NonNullable<ReturnType<Step['after']['markets']['get']>>) =>
  ({ ...market.fund, market: market.id, owner: '', sub: 0, orders: 0 }) as const

/** An instruction that names market k changes no record of market j. */
const I25 = ({ instruction: i, changes, before, after }: Step): void => {
  const named = new Set(marketsNamed(i))
  const where: string[] = []
  for (const id of changes.markets.keys()) if (!named.has(id)) where.push(id)
  for (const id of [...changes.accounts.keys(), ...changes.positions.keys()]) {
    if (!named.has(id.slice(0, id.indexOf('/')))) where.push(id)
  }
  for (const id of changes.balances.keys()) {
    if (id.startsWith('pt/') && !named.has(id.slice(3, id.indexOf(':')))) where.push(id)
  }
  const mayIndex = ['accrue', 'finalise', 'create-market'].includes(i.kind)
  if (!mayIndex && Object.keys(changes.indices).length > 0) where.push('indices')
  const mayConfig = /pause|authority/.test(i.kind)
  if (!mayConfig && changes.config !== undefined) where.push('config')
  if (i.kind !== 'create-market') {
    const added = [...after.markets.keys()].filter(id => !before.markets.has(id))
    ensure(added.length === 0, 'I25: markets come from create-market alone', { i, added })
    ensure(where.length === 0, 'I25: nothing of another market changes', { i, where })
  }
}

/** Only what an instruction names changes, and nobody but the owner lowers what an owner has. */
const I26 = (step: Step): void => {
  const { instruction: i, changes, before, after } = step
  const signer = signerOf(i)
  const named = new Set(refsOf(i).map(accountId))
  for (const [id, next] of changes.accounts) {
    const stored = before.accounts.get(id)
    if (next !== undefined && stored === next) continue
    ensure(named.has(id), 'I26: only accounts that are named change', { i, id })
    if (stored === undefined || stored.owner === signer || FORCED.includes(i.kind)) continue
    const was = paidUp(stored, next?.discount ?? stored.discount)
    const better = next !== undefined && next.margin + next.st >= was.margin + was.st && next.yt >= was.yt
    ensure(better && next.margin >= 0n, 'I26: nobody else lowers an account', { i, was, next })
  }
  for (const [id, amount] of changes.balances) {
    const owner = id.slice(id.indexOf(':') + 1)
    const change = amount - (before.balances.get(id) ?? 0n)
    ensure(owner === signer || change >= 0n, 'I26: nobody else lowers a wallet', { i, id, change })
  }
  for (const [id, next] of changes.orders) {
    const named = 'id' in i && orderId(i) === id
    const was = before.orders.get(id)
    const shrinks = was !== undefined && (next === undefined || (next.amount < was.amount && next.fee <= was.fee))
    ensure(named && (signer === (was ?? next)!.owner || shrinks), 'I26: nobody else touches an order but to fill it', {
      i,
      was,
      next,
    })
  }
  for (const id of changes.positions.keys()) {
    const { owner } = (after.positions.get(id) ?? before.positions.get(id))!
    ensure(owner === signer, 'I26: nobody else touches a position', { i, id })
  }
}

/** What may happen when: the table of docs/protocol.md section 12, read anew. */
const I22 = (step: Step): void => {
  const { before, after, world } = step
  const i = tradeIn(step)
  const { now } = world
  if (i.kind === 'create-market') {
    ensure(now >= before.config.pausedUntil && i.maturity > now, 'I22: no market in a pause or after its time', i)
    return
  }
  const id = i.kind === 'roll' ? i.to.market : 'market' in i ? i.market : undefined
  const stored = id === undefined ? undefined : before.markets.get(id)
  if (id === undefined || stored === undefined) return
  const { lastStep, checkpoints } = before.indices[stored.kind]
  const matured =
    lastStep >= stored.maturity || checkpoints.some(c => c.maturity === stored.maturity && c.discount !== undefined)
  const hourly = stored.kind === 'hourly'
  // A coupon that is published but not paid keeps exits closed for 16 days at most.
  const newer = !hourly && world.weeklyUpdatedAt > lastStep && now < lastStep + 16 * 86_400
  const late = hourly ? now >= lastStep + 3600 + 300 + 7200 : !newer && now >= lastStep + 8 * 86_400
  const due = hourly ? !late && now >= lastStep + 3900 : newer
  const fresh = !due && !late
  const action = i.kind === 'trade' ? i.action : i.kind
  const ensureMay = (may: boolean): void => ensure(may, 'I22: what may happen now', { i, now, matured, due, late })
  if (['long', 'short', 'split', 'buy-pt', 'add-liquidity', 'roll'].includes(action)) {
    ensureMay(fresh && !matured && now < stored.maturity && now >= before.config.pausedUntil)
  } else if (['reduce', 'close', 'sell-pt', 'liquidate', 'take-over', 'reduce-fund'].includes(action)) {
    ensureMay(!due && !matured)
  } else if (i.kind === 'remove-liquidity') {
    const { addedAt } = before.positions.get(`${id}/${i.owner}/${i.lower}/${i.upper}`)!
    ensureMay(matured || (!due && now >= addedAt + 300))
  } else if (['deposit', 'open-account', 'merge', 'transfer'].includes(action)) ensureMay(!matured)
  else if (['settle', 'redeem-pt'].includes(action)) ensureMay(matured)
  if (['withdraw', 'merge', 'transfer'].includes(action) && !matured && !fresh) {
    const { after: legs } = both(step, i as AccountRef)
    const { discount } = after.markets.get(id)!.pool
    ensureMay(legs !== undefined && (legs.margin + legs.st) * Q64 >= discount * max(-legs.yt, 0n))
  }
}

/** Indices: the discount never rises and moves in accrue alone; time goes forward; caps hold; no step lowers `Dmin`. */
const I13 = ({ before, after, events, instruction: i }: Step): void => {
  for (const kind of ['hourly', 'weekly'] as const) {
    const [old, now] = [before.indices[kind], after.indices[kind]]
    if (old === now) continue
    const moved = old.discount !== now.discount || old.lastStep !== now.lastStep
    ensure(!moved || (i.kind === 'accrue' && i.coupon === kind), 'I13: only accrue moves an index', { i })
    const kept = old.checkpoints.filter(c => !now.checkpoints.some(({ maturity }) => maturity === c.maturity))
    const copied = kept.every(c =>
      [...before.markets.values()].some(m => m.maturity === c.maturity && m.kind === kind && m.pool.tauSeconds === 0),
    )
    ensure(copied, 'I13: only a maturity that its market has copied is forgotten', { kept })
    if (!moved) continue
    ensure(now.discount <= old.discount && now.discount > 0n, 'I13: the discount never rises', { old, now })
    const paid = events.find(event => event.type === 'accrued')
    if (i.kind === 'accrue' && paid?.type === 'accrued') {
      const { aum } = i.earned
      const exact = old.discount * aum
      const least = now.discount * (aum + paid.feesPaid)
      ensure(least >= exact && least - exact < aum + paid.feesPaid, 'I13: a coupon is what was earned, up', {
        old,
        now,
      })
    }
    ensure(now.lastStep > old.lastStep, 'I24: a step leads forward in time', { old, now })
    const seconds = now.lastStep - old.lastStep
    const periods = kind === 'hourly' ? seconds / 3600 : Math.min(1, seconds / 604_800)
    const cap = (old.caps.rhoMaxQ64 * BigInt(Math.ceil(periods * 2 ** 30))) >> 30n
    const most = kind === 'hourly' ? (cap < old.caps.weeklyBudgetQ64 ? cap : old.caps.weeklyBudgetQ64) : cap
    ensure(old.discount * Q64 <= now.discount * (Q64 + most), 'I24: no step pays more than the caps', { old, now })
    for (const { maturity, discount } of now.checkpoints) {
      const earlier = old.checkpoints.find(c => c.maturity === maturity)?.discount
      ensure(earlier === undefined || earlier === discount, 'I13: a final discount is final', { maturity })
      if (discount !== undefined && earlier === undefined) {
        ensure(discount >= now.discount && discount <= old.discount, 'I13: a final discount lies between', { maturity })
      }
      if (earlier !== undefined || (discount === undefined && maturity <= now.lastStep)) continue
      // Tiny coupons may lower it by the last ulps of the table: with every YT there can be, less than an atom.
      const floor = lowestDiscount(old, maturity) - 8n
      ensure((discount ?? lowestDiscount(now, maturity)) >= floor, 'I24: no step lowers the lowest discount', {
        old,
        now,
        maturity,
      })
    }
  }
}

/** The rate stays in its range, the tick is the one crossed last, prices are between 0 and 1. */
const I14 = ({ changes }: Step): void => {
  for (const { id, pool } of changes.markets.values()) {
    const { grid, rate, tick, tauSeconds } = pool
    ensure(rate >= tickRate(grid.minTick) && rate <= tickRate(grid.maxTick), 'I14: the rate is in its range', {
      id,
      rate,
    })
    const here = tickAtRate(rate, grid)
    ensure(tick === here || (tick === here - grid.spacing && tickRate(here) === rate), 'I14: the tick fits', {
      id,
      tick,
    })
    const price = ytPrice(rate, tauSeconds)
    ensure(price >= 0n && price < Q64 && (tauSeconds > 0 || price === 0n), 'I9: YT costs from 0 to below 1', { price })
    const net = pool.ticks.reduce((sum, t) => (t.index <= tick ? sum + t.net : sum), 0n)
    ensure(net === pool.liquidity, 'I14: liquidity in range is that of the ticks crossed', { id, net })
  }
}

/** Coupons are paid once, rounded down, to those who are touched. */
const COUPONS = ({ events, before, after, instruction: i }: Step): void => {
  const paid = new Map<string, bigint>()
  for (const event of events) {
    if (event.type === 'account') paid.set(accountId(event), (paid.get(accountId(event)) ?? 0n) + event.coupon)
  }
  for (const [id, coupon] of paid) {
    const [was, now] = [before.accounts.get(id), after.accounts.get(id)]
    if (was === undefined || now === undefined) continue
    const exact = was.yt * (was.discount - now.discount)
    ensure(coupon === exact >> 64n, 'I11, I15: a coupon is rounded down and paid once', { i, id, coupon, exact })
  }
}

/** Fees round up, are at least an atom, and their parts add up; what is bought costs at least an atom. */
const I11 = ({ events, before, instruction: i }: Step): void => {
  for (const event of events) {
    if (event.type !== 'swapped') continue
    const { fee, stLeg, amount, filled, market } = event
    const bps = BigInt(before.markets.get(market)!.pool.fees.feeBps)
    const charged = max(1n, (stLeg * bps + 9999n) / 10_000n)
    ensure(fee.total === charged, 'I11: the fee rounds up', { i, event })
    ensure(fee.repaid + fee.lp + fee.insurance + fee.protocol === fee.total, 'I11: the fee is split whole', { event })
    const buys = event.order.startsWith('buy')
    ensure(filled > 0n && amount >= (buys ? 1n : 0n), 'I12: nothing is bought for nothing', { i, event })
  }
}

export const INVARIANTS: readonly ((step: Step) => void)[] = [
  I17,
  REDUCE,
  ORDERS,
  BACKING,
  I25,
  I26,
  I22,
  I13,
  I14,
  I11,
  COUPONS,
]
