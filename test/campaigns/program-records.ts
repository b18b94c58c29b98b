/** The engine's events as the records that the program writes of them: addresses for names, one flat list of fields each. */
import { type EventRecord, NO_ADDRESS } from '../../src/client/index.ts'
import type { Event } from '../../src/exchange/index.ts'
import { marketAt, mintAt, ownerAt } from './program-places.ts'

type EventType = Event['type']
type EventOf<T extends EventType> = T extends unknown ? Extract<Event, { type: T }> : never
type Records = { readonly [T in EventType]: (event: EventOf<T>) => object }

/** The addresses in place of what an event says of a market, or of somebody in it. */
const market = <E extends { readonly market: string }>(event: E) => ({
  ...event,
  market: marketAt(event.market).market,
})
const held = <E extends { readonly market: string; readonly owner: string }>(event: E) => ({
  ...market(event),
  owner: ownerAt(event.owner),
})

const RECORDS: Records = {
  balance: ({ token, owner, change }) => ({ mint: mintAt(token).mint, owner: ownerAt(owner), change }),
  'st-vault': event => event,
  account: held,
  market: ({ fund, ...event }) => ({
    ...market(event),
    fundMargin: fund.margin,
    fundSt: fund.st,
    fundYt: fund.yt,
  }),
  position: held,
  created: market,
  accrued: event => event,
  'caught-up': market,
  swapped: ({ fee, ...event }) => ({
    ...market(event),
    feeTotal: fee.total,
    feeRepaid: fee.repaid,
    feeLp: fee.lp,
    feeInsurance: fee.insurance,
    feeProtocol: fee.protocol,
  }),
  liquidated: event => ({ ...held(event), by: ownerAt(event.by) }),
  order: held,
  filled: event => ({ ...held(event), by: ownerAt(event.by) }),
  'taken-over': held,
  loss: market,
  settled: held,
  'liquidity-removed': ({ withheld, ...event }) => ({
    ...held(event),
    withheldJlp: withheld.jlp,
    withheldPt: withheld.pt,
    withheldYt: withheld.yt,
  }),
  paused: event => event,
  'terms-proposed': market,
  'terms-applied': market,
  roles: ({ pauser, treasury }) => ({ pauser: ownerAt(pauser), treasury: ownerAt(treasury) }),
  authority: ({ authority, proposed }) => ({
    authority: ownerAt(authority),
    proposed: proposed === undefined ? NO_ADDRESS : ownerAt(proposed),
  }),
}

export const recordOf = (event: Event): EventRecord =>
  ({ type: event.type, ...(RECORDS[event.type] as (event: Event) => object)(event) }) as EventRecord
