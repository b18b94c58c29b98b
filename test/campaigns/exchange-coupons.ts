/** Invariants of a coupon: I7 (it changes no vault and no sum of claims), I15 (nothing but coupon and decay) and I21 (one print). */
import { composition } from '../../amm/index.ts'
import { ensure } from './ensure.ts'
import { audit, caughtUp, type Exchange, paidUp, Q64, type Step } from './exchange-engine.ts'
import { equityAt, initialHolds, priceAt, spot } from './exchange-fair.ts'
import { positionValue, ulps } from './exchange-losses.ts'

const sameRecords = (before: Exchange, after: Exchange): boolean =>
  (['markets', 'accounts', 'positions', 'balances'] as const).every(
    name => before[name].size === after[name].size && [...before[name]].every(([id, r]) => after[name].get(id) === r),
  ) &&
  before.stVaults.hourly === after.stVaults.hourly &&
  before.stVaults.weekly === after.stVaults.weekly

/** After an applied `accrue`. Returns the dust at the new discount. */
export const checkCoupon = (step: Step): ReturnType<typeof audit>['dust'] => {
  const { before, after, world, instruction: i } = step
  ensure(sameRecords(before, after), 'I7: a coupon changes no record but its index', i)
  const [then, now] = [caughtUp(before, world), caughtUp(after, world)]
  const [dust, audited] = [audit(then).dust, audit(now)]
  ensure(audited.violations.length === 0, 'I2: the books add up with the coupon paid', audited.violations)
  for (const [id, { jlp }] of audited.dust) {
    const market = now.markets.get(id)!
    const change = jlp - dust.get(id)!.jlp
    const count = [...after.accounts.values()].filter(account => account.market === id).length
    const ulp = 4n * market.pool.grossLiquidity
    // Unpaid coupons of an account and of the fund are rounded down, then and now.
    const most = (BigInt(count + 2) << 64n) + ulp
    ensure(change >= -most && change <= most, 'I7: a coupon leaves the sum of claims', {
      i,
      id,
      change,
    })
  }
  for (const [id, market] of now.markets) {
    const old = then.markets.get(id)!
    if (old.pool.discount === market.pool.discount && old.pool.tauSeconds === market.pool.tauSeconds) continue
    I15(then, now, id)
    const { kind, terms, maturity } = market
    const [from, to] = [before.indices[kind].lastStep, after.indices[kind].lastStep]
    if (to - from <= terms.period && old.pool.tauSeconds > 0) I21(then, now, id, Math.min(to, maturity) - from)
  }
  return audited.dust
}

/** The rate stands, and each claim changes by the coupon received (and, at a price, by decay) and nothing else. */
const I15 = (then: Exchange, now: Exchange, id: string): void => {
  const [old, market] = [then.markets.get(id)!, now.markets.get(id)!]
  const fall = old.pool.discount - market.pool.discount
  const { rate, tick, liquidity, ticks } = market.pool
  const stands = rate === old.pool.rate && tick === old.pool.tick && liquidity === old.pool.liquidity
  ensure(stands && ticks === old.pool.ticks, 'I15: the rate stands across a coupon', { id })
  for (const account of now.accounts.values()) {
    if (account.market !== id) continue
    const [was, is] = [paidUp(account, old.pool.discount), paidUp(account, market.pool.discount)]
    const exact = account.yt * fall
    const paid = (is.st - was.st) << 64n
    ensure(
      is.margin === was.margin && is.yt === was.yt && paid > exact - 2n * Q64 && paid < exact + Q64,
      'I15: an account',
      {
        account,
        paid,
        exact,
      },
    )
  }
  for (const { market: where, position } of now.positions.values()) {
    if (where !== id || position.liquidity === 0n) continue
    // At a price of 0 a claim is its JLP: like any holder, a position is paid the coupon on its net YT.
    const change = positionValue(market.pool, position, 0n) - positionValue(old.pool, position, 0n)
    const { inventory } = composition(old.pool, position.lower, position.upper, position.liquidity)
    const exact = ((inventory - (position.issued << 64n)) * fall) >> 64n
    const off = change - exact
    ensure(off <= ulps(position) && off >= -ulps(position), 'I15: a position', { id, position, change, exact })
  }
}

/** One coupon inside the caps, not below the market's lowest, bankrupts no account that met the initial condition right before. */
const I21 = (then: Exchange, now: Exchange, id: string, seconds: number): void => {
  const [old, market] = [then.markets.get(id)!, now.markets.get(id)!]
  const price = priceAt(old, old.pool.rate)
  const { rhoMaxQ64 } = then.indices[old.kind].caps
  const { rate } = old.pool
  const fair = { spotRate: rate, twapRate: rate, spotPrice: price, twapPrice: price, rhoMax: rhoMaxQ64 }
  // What the rate implies for the time that has passed, and what was paid.
  const implied = Math.expm1(((Number(old.pool.rate) / 2 ** 64) * seconds) / 31_536_000)
  const paid = Number(old.pool.discount - market.pool.discount) / Number(market.pool.discount)
  const low = paid < (implied * old.terms.lowCouponBps) / 10_000
  for (const account of then.accounts.values()) {
    if (account.market !== id || account.yt === 0n || (low && account.yt > 0n)) continue
    const was = paidUp(account, old.pool.discount)
    if (spot(was, old.pool.discount) || !initialHolds(was, old, fair)) continue
    // The gap is allowed a relative 1e-9 in floating point; 1.2 times it leaves far more than that.
    const is = paidUp(account, market.pool.discount)
    ensure(
      equityAt(is, priceAt(market, market.pool.rate)) >= -2n * Q64,
      'I21: one coupon inside the caps bankrupts nobody',
      {
        id,
        was,
        is,
        paid,
        implied,
      },
    )
  }
}
