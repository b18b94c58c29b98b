/**
 * A shadow book, folded from events alone: what the ledger must hold if the events of every instruction account for every atom.
 * It knows nothing of the engine but the meaning of its events.
 */

import { ensure } from './ensure.ts'
import type { Event, Exchange, Instruction } from './exchange-engine.ts'

type Figures = Record<string, bigint>

const add = (book: Map<string, Figures>, key: string, change: Readonly<Record<string, bigint>>): void => {
  const figures = book.get(key) ?? {}
  for (const [name, value] of Object.entries(change)) figures[name] = (figures[name] ?? 0n) + value
  book.set(key, figures)
}

export class Book {
  private readonly records = new Map<string, Figures>()
  /** Every JLP atom there is: instructions move it, none makes or destroys it. */
  private readonly jlp: bigint

  constructor(balances: ReadonlyMap<string, bigint>) {
    this.jlp = [...balances.values()].reduce((sum, value) => sum + value, 0n)
    for (const [id, value] of balances) add(this.records, id, { value })
  }

  /** Takes in the events of one applied instruction; each token's entries must balance by themselves. */
  fold(events: readonly Event[], instruction: Instruction): void {
    const sides: Figures = {}
    const side = (name: string, change: bigint): void => {
      sides[name] = (sides[name] ?? 0n) + change
    }
    for (const event of events) {
      if (event.type === 'balance') {
        add(this.records, `${event.token}:${event.owner}`, { value: event.change })
        side(event.token, event.change)
      } else if (event.type === 'st-vault') {
        add(this.records, `vault/${event.coupon}`, { value: event.change })
        side('jlp', event.change)
        side(`st-${event.coupon}`, -event.change)
      } else if (event.type === 'account') {
        const { margin, st, yt, netDeposits } = event
        add(this.records, `account/${event.market}/${event.owner}/${event.sub}`, { margin, st, yt, netDeposits })
      } else if (event.type === 'position') {
        const { liquidity, issued, uncollected, market, owner, lower, upper } = event
        add(this.records, `position/${market}/${owner}/${lower}/${upper}`, { liquidity, issued, uncollected })
      } else if (event.type === 'market') {
        const { vault, fees, deficit, pt, issued, fund } = event
        const { margin, st, yt } = fund
        add(this.records, `market/${event.market}`, { vault, fees, deficit, pt, issued, margin, st, yt })
        side('jlp', vault)
        side(`pt/${event.market}`, -pt)
      }
    }
    for (const [token, sum] of Object.entries(sides)) {
      ensure(sum === 0n, `I8: the entries of an instruction balance, for each token (${token})`, {
        sum,
        instruction,
        events,
      })
    }
  }

  /** The ledger is what the events say, record by record, and no JLP was made or lost. */
  compare(state: Exchange): void {
    let jlp = 0n
    const same = (key: string, name: string, actual: bigint): void => {
      const expected = this.records.get(key)?.[name] ?? 0n
      if (actual === expected) return
      ensure(false, 'I8: the ledger holds what its events say', { key, name, actual, expected })
    }
    for (const [id, value] of state.balances) {
      same(id, 'value', value)
      if (id.startsWith('jlp:')) jlp += value
    }
    for (const kind of ['hourly', 'weekly'] as const) {
      same(`vault/${kind}`, 'value', state.stVaults[kind])
      jlp += state.stVaults[kind]
    }
    for (const [id, { margin, st, yt, netDeposits }] of state.accounts) {
      const key = `account/${id}`
      same(key, 'margin', margin)
      same(key, 'st', st)
      same(key, 'yt', yt)
      same(key, 'netDeposits', netDeposits)
    }
    for (const [id, { position }] of state.positions) {
      const key = `position/${id}`
      same(key, 'liquidity', position.liquidity)
      same(key, 'issued', position.issued)
      same(key, 'uncollected', position.uncollected)
    }
    for (const [id, { vault, fees, pool, totals, fund }] of state.markets) {
      const key = `market/${id}`
      same(key, 'vault', vault)
      same(key, 'fees', fees)
      same(key, 'deficit', pool.deficit)
      same(key, 'pt', totals.pt)
      same(key, 'issued', totals.issued)
      same(key, 'margin', fund.margin)
      same(key, 'st', fund.st)
      same(key, 'yt', fund.yt)
      jlp += vault
    }
    ensure(jlp === this.jlp, 'I1: all vaults and wallets together hold what there was', { jlp, before: this.jlp })
  }

  /** A closed account or position must have been empty: what is left of it in the book is nothing. */
  closed(key: string): void {
    const figures = this.records.get(key) ?? {}
    for (const [name, value] of Object.entries(figures)) {
      ensure(value === 0n || name === 'netDeposits', 'I8: only what is empty is closed', { key, figures })
    }
    this.records.delete(key)
  }
}
