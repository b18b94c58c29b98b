/**
 * What an account's position cost and at which rate, kept by whoever follows the events: the account itself does not need it. It splits
 * profit into coupons, decay and rate move.
 */
import type { RateQ64 } from '../../amm/index.ts'
import { abs } from './account.ts'
import type { Event } from './event.ts'
import { accountId } from './state.ts'

export interface Entry {
  /** YT held, as the entry knows it. */
  readonly yt: bigint
  /** JLP atoms that the YT held now cost (negative: brought), coupons left out. */
  readonly cost: bigint
  /** Average rate at which they were traded, weighted by YT; Q64.64. */
  readonly rate: RateQ64
}

/**
 * Entries after the events of one instruction. YT that came otherwise than by a trade (split, transfer, removal) enter at the rate
 * in force with no cost; what leaves takes its share of the cost along; a position that turned begins anew.
 */
export const follow = (
  entries: Map<string, Entry>,
  events: readonly Event[],
  rateInForce: (market: string) => RateQ64,
): void => {
  const removal = events.some(event => event.type === 'liquidity-removed')
  for (const event of events) {
    if (event.type !== 'account' || event.yt === 0n) continue
    const id = accountId(event)
    const before = entries.get(id) ?? { yt: 0n, cost: 0n, rate: 0n as RateQ64 }
    const yt = before.yt + event.yt
    if (yt === 0n) {
      entries.delete(id)
      continue
    }
    const turned = before.yt !== 0n && yt < 0n !== before.yt < 0n
    if (turned) {
      entries.set(id, { yt, cost: 0n, rate: rateInForce(event.market) })
      continue
    }
    if (abs(yt) < abs(before.yt)) {
      entries.set(id, { ...before, yt, cost: (before.cost * yt) / before.yt })
      continue
    }
    const traded = removal ? undefined : tradeOf(event, events)
    const rate = traded === undefined ? rateInForce(event.market) : (traded.rateBefore + traded.rateAfter) / 2n
    const cost = traded === undefined ? 0n : event.yt > 0n ? traded.amount : -traded.amount
    entries.set(id, {
      yt,
      cost: before.cost + cost,
      rate: ((before.rate * abs(before.yt) + rate * abs(event.yt)) / abs(yt)) as RateQ64,
    })
  }
}

/** The swap that an account's change of YT came from, if it was one. */
const tradeOf = (account: Extract<Event, { type: 'account' }>, events: readonly Event[]) =>
  events
    .filter(event => event.type === 'swapped')
    .find(
      ({ market, order, filled }) =>
        market === account.market && order === (account.yt > 0n ? 'buy-yt' : 'sell-yt') && filled === abs(account.yt),
    )
