/** Invariants of trades against LPs, of liquidations and of losses: I16, I18, I19, I20, and I10 and I12 as probes. */
import { composition, earnedSince, type Order, type Pool, type Position, quote, touch } from '../../amm/index.ts'
import { ensure } from './ensure.ts'
import {
  type AccountRef,
  abs,
  accountId,
  headOf,
  type Market,
  max,
  min,
  paidUp,
  poolAtHead,
  Q64,
  type Step,
  signerOf,
} from './exchange-engine.ts'
import { belowMaintenance, equityAt, fairOf, priceAt, sides } from './exchange-fair.ts'

/** What a position may claim at a price of YT, Q64.64 JLP: reserve against YT issued, ST, earnings, and its net YT. */
export const positionValue = (pool: Pool, position: Position, price: bigint): bigint => {
  const { inventory, reserve } = composition(pool, position.lower, position.upper, position.liquidity)
  const { accrued, fees } = earnedSince(pool, position)
  const net = inventory - (position.issued << 64n)
  return (
    position.issued * pool.discount + reserve + (position.uncollected << 64n) + accrued + fees + ((price * net) >> 64n)
  )
}

/** Ulps of the curve's functions that a position's value can be off by. */
export const ulps = (position: Position): bigint => position.liquidity * 64n + (1n << 60n)

/** At a fixed price and time nobody's trade, deposit or removal lowers what another LP's position is worth. */
export const I16 = ({ before, after, changes, instruction: i }: Step): void => {
  const signer = signerOf(i)
  for (const market of changes.markets.values()) {
    const stored = before.markets.get(market.id)
    if (stored === undefined) continue
    const head = poolAtHead(before, stored)
    const { pool } = market
    if (head.rate === pool.rate && head.ticks === pool.ticks && head.feeGrowth === pool.feeGrowth) continue
    const price = priceAt({ ...market, pool: head }, head.rate)
    for (const [id, { owner, position, market: where }] of before.positions) {
      if (where !== market.id || position.liquidity === 0n || owner === signer) continue
      const now = after.positions.get(id)!.position
      const change = positionValue(pool, now, price) - positionValue(head, position, price)
      ensure(change >= -ulps(position), 'I16: no trade of others lowers a position at the price before it', {
        i,
        id,
        change,
        liquidity: position.liquidity,
      })
    }
  }
}

/** Accounts before (coupons paid) and after a liquidation, and the prices it is measured at. */
const caseOf = (step: Step, ref: AccountRef) => {
  const { before, after, world } = step
  const market = after.markets.get(ref.market)!
  const head = headOf(before, ref.market, world)
  const was = paidUp(before.accounts.get(accountId(ref))!, head.pool.discount)
  return { market, head, was, now: after.accounts.get(accountId(ref))!, fair: fairOf(before, head, head, world) }
}

/** Liquidated only if below maintenance at TWAP, coupons paid. (`healthy` refusals are checked by `refusedHealthy`.) */
export const I18 = (step: Step): void => {
  const { instruction: i } = step
  if (i.kind !== 'liquidate' && i.kind !== 'take-over') return
  const { head, was, fair } = caseOf(step, i)
  ensure(belowMaintenance(was, head, fair) !== false, 'I18: only what is below maintenance is liquidated', { i, was })
  if (i.kind === 'take-over') {
    // At TWAP, or at the spot after the close of an atom, which costs a few atoms; of all, if so little is owed.
    const least = min(equityAt(was, fair.spotPrice), equityAt(was, fair.twapPrice))
    const { liabilities } = sides(was, fair.twapPrice)
    const small = liabilities < head.terms.minimumSize << 64n
    const costs = (8n << 64n) + (small ? liabilities / 20n : 0n)
    ensure(least < costs, 'I18: only what is bankrupt is taken over at once', { i, was })
  }
}

/** A partial liquidation raises the ratio, flips nothing, and pays within the bonus cap. */
export const I19 = (step: Step): void => {
  const { instruction: i, events, before } = step
  const closed = events.find(event => event.type === 'liquidated')
  if (i.kind !== 'liquidate') return
  const { was, now, fair } = caseOf(step, i)
  const flips = now.yt !== 0n && now.yt < 0n !== was.yt < 0n
  ensure(!flips && abs(now.yt) <= abs(was.yt), 'I19: a liquidation closes and never flips', { i, was, now })
  const takenOver = events.some(event => event.type === 'taken-over')
  if (takenOver) {
    ensure(now.margin === 0n && now.st === 0n && now.yt === 0n, 'I19: a take-over takes all', { i, now })
  }
  if (closed?.type !== 'liquidated') return
  const { penalty, reward } = closed
  const swapped = events.find(event => event.type === 'swapped')!
  const leg = swapped.type === 'swapped' ? swapped.amount : 0n
  const most = BigInt(before.markets.get(i.market)!.terms.penaltyBps)
  ensure(reward * 2n <= penalty && penalty * 10_000n <= leg * most, 'I19: the penalty is within its cap', { i, closed })
  if (takenOver) return
  const [old, better] = [sides(was, fair.twapPrice), sides(now, fair.twapPrice)]
  const atom = Q64 // each side rounds by an atom where the engine compares
  ensure(
    now.yt === 0n || (better.assets + atom) * old.liabilities > (old.assets - atom) * better.liabilities,
    'I19: a partial liquidation raises the ratio',
    { i, was, now },
  )
  ensure(now.margin >= 0n && (now.yt !== 0n || now.st === 0n), 'I19: a whole close leaves no debt', { i, now })
}

/** Losses: margin first, then the insurance fund, then the deficit; a deficit falls only by what repays it. */
export const I20 = ({ before, after, events, changes, instruction: i }: Step): void => {
  for (const market of changes.markets.values()) {
    const stored = before.markets.get(market.id)
    if (stored === undefined) continue
    const change = market.pool.deficit - stored.pool.deficit
    const fund = paidUp(stored.fund, market.pool.discount)
    // What can repay a deficit: the fund's own money and proceeds, fees, penalties, and what leaving LPs leave behind.
    let repaid = fund.margin + max(0n, fund.st)
    let booked = 0n
    for (const event of events) {
      if (event.type === 'swapped' && event.market === market.id) {
        const ofFund = !['trade', 'roll', 'buy-pt', 'sell-pt', 'remove-liquidity'].includes(i.kind)
        repaid += event.fee.repaid + event.fee.insurance + (ofFund ? event.amount : 0n)
      }
      if (event.type === 'taken-over') repaid += event.margin + max(0n, event.st)
      if (event.type === 'liquidated') repaid += event.penalty - event.reward
      if (event.type === 'liquidity-removed') {
        const { jlp, pt } = event.withheld
        repaid += jlp + ((pt * market.pool.discount) >> 64n)
      }
      if (event.type === 'loss' && event.market === market.id) {
        booked += event.deficit
        ensure(event.deficit === 0n || market.fund.margin === 0n, 'I20: the fund pays first', { i, event })
      }
    }
    if (i.kind === 'collect') {
      const { position } = before.positions.get(`${i.market}/${i.owner}/${i.lower}/${i.upper}`)!
      repaid += touch(poolAtHead(before, stored), position).uncollected + market.vault - stored.vault
    }
    const settlesLate = i.kind === 'withdraw' || stored.pool.tauSeconds !== market.pool.tauSeconds
    if (change > 0n) {
      ensure(market.fund.margin === 0n, 'I20: a deficit stands only when the fund is used up', { i, change })
      ensure(change <= booked || settlesLate, 'I20: a deficit comes from a loss', { i, change, booked })
    }
    if (change < 0n)
      ensure(-change <= repaid || settlesLate, 'I20: a deficit falls by what repays it', { i, change, repaid })
    const borne = market.pool.deficit === 0n || market.fund.yt !== 0n || market.fund.margin === 0n
    ensure(borne, 'I20: no deficit stands beside a fund that could pay it', { i, fund: market.fund })
  }
  for (const event of events) {
    if (event.type !== 'settled' || event.value >= 0n) continue
    const account = after.accounts.get(accountId(event))!
    ensure(account.margin === 0n && account.st === 0n, 'I20: an account’s own margin pays first', { i, account })
  }
}

/** Probes of the AMM as it stands: a PT and a YT cost an ST at least and bring one at most; two sales bring no more than one. */
export const I10 = (market: Market, amount: bigint): void => {
  const { pool } = market
  const jlpOf = (kind: Order['kind'], n: bigint): { filled: bigint; jlp: bigint } | undefined => {
    const answer = quote(pool, { kind, [kind.endsWith('pt') ? 'pt' : 'yt']: n } as unknown as Order)
    if (answer.kind === 'rejected') return undefined
    const { fee, filled, amount: leg } = answer
    return { filled, jlp: kind.startsWith('buy') ? leg + fee.total : leg - fee.total }
  }
  const [buyYt, buyPt, sellYt, sellPt] = (['buy-yt', 'buy-pt', 'sell-yt', 'sell-pt'] as const).map(k =>
    jlpOf(k, amount),
  )
  if (buyYt?.filled === amount && buyPt?.filled === amount) {
    ensure((buyYt.jlp + buyPt.jlp) * Q64 >= amount * pool.discount, 'I10: PT and YT cost an ST', {
      buyYt,
      buyPt,
      amount,
    })
  }
  if (sellYt?.filled === amount && sellPt?.filled === amount) {
    ensure((sellYt.jlp + sellPt.jlp) * Q64 <= amount * pool.discount, 'I10: PT and YT bring an ST', { sellYt, sellPt })
  }
  const half = amount / 2n
  const [one, other] = [jlpOf('sell-yt', half), jlpOf('sell-yt', amount - half)]
  if (sellYt?.filled === amount && one?.filled === half && other !== undefined && half > 0n) {
    // The second sale would be made at the lower rate, so it brings less than its quote here.
    ensure(sellYt.jlp <= one.jlp + other.jlp + 2n, 'I12: a larger sale brings no better price', { sellYt, one, other })
  }
  for (const kind of ['buy-yt', 'sell-yt', 'buy-pt', 'sell-pt'] as const) {
    const zero = quote(pool, { kind, [kind.endsWith('pt') ? 'pt' : 'yt']: 0n } as unknown as Order)
    ensure(zero.kind === 'rejected', 'I12: an operation with 0 is refused', { kind })
  }
}
