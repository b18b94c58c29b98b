/** Candles and entries again, straight from the events and the slow way. */
import { apyFromRate, rateQ64, ytPrice } from '../../amm/index.ts'
import { decodeInstruction, type EventRecord, type ExecutedEvent, eventsOf } from '../../src/client/index.ts'
import { type Entry, follow } from '../../src/exchange/entry.ts'
import { accountId, type Event } from '../../src/exchange/index.ts'
import type { Block } from '../../src/indexer/index.ts'

/** In the order that they happened in. */
export const eventsIn = (blocks: readonly Block[]): ExecutedEvent[] =>
  blocks.flatMap(({ transactions }) =>
    transactions.flatMap(({ inner }) => inner.flatMap(({ calls }) => eventsOf(calls))),
  )

const about = (records: readonly EventRecord[], market: string) =>
  records.filter(of => 'market' in of && of.market === market)

interface Point {
  readonly time: number
  readonly apy: bigint
  readonly price: bigint
  /** Whether it stood already when the event came. */
  readonly standing: boolean
}

export const slowCandles = (blocks: readonly Block[], market: string, width: number) => {
  const points: Point[] = []
  const swaps: { time: number; amount: bigint; filled: bigint; feeTotal: bigint }[] = []
  const vaults: { time: number; vault: bigint }[] = []
  let [rate, tau, vault, isThere] = [0n, 0, 0n, false]
  const moment = { to: 0 }
  for (const { time, subjects, records } of eventsIn(blocks)) {
    for (const of of records) if (of.type === 'accrued' && of.coupon === 'hourly') moment.to = of.to
    if (!subjects.some(({ account }) => account === market)) continue
    const point = (standing: boolean): void => {
      const [apy, price] = [apyFromRate(rateQ64(rate)), ytPrice(rateQ64(rate), tau)]
      points.push({ time, apy, price, standing })
    }
    const created = records.find(of => of.type === 'created')
    if (created?.type === 'created') [rate, tau, isThere] = [created.rate, created.maturity - moment.to, true]
    if (!isThere) throw new Error('an event about a market that is not there')
    point(true)
    for (const of of about(records, market)) {
      if (of.type === 'caught-up') tau = of.tauSeconds
      if (of.type === 'swapped') {
        rate = of.rateAfter
        swaps.push({ time, ...of })
      }
      if (of.type === 'market') vault += of.vault
      if (of.type === 'caught-up' || of.type === 'swapped') point(false)
    }
    vaults.push({ time, vault })
  }
  const starts = [...new Set(points.map(({ time }) => Math.floor(time / width) * width))]
  return starts.map(start => {
    const within = ({ time }: { readonly time: number }): boolean => time >= start && time < start + width
    const [here, traded] = [points.filter(within), swaps.filter(within)]
    const sorted = (of: 'apy' | 'price') => here.map(point => point[of]).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const sum = (of: 'amount' | 'filled' | 'feeTotal') => traded.reduce((total, swap) => total + swap[of], 0n)
    return {
      start,
      ...{
        apyOpen: here[0]!.apy,
        apyHigh: sorted('apy').at(-1)!,
        apyLow: sorted('apy')[0]!,
        apyClose: here.at(-1)!.apy,
      },
      priceOpen: here[0]!.price,
      ...{ priceHigh: sorted('price').at(-1)!, priceLow: sorted('price')[0]!, priceClose: here.at(-1)!.price },
      ...{ volume: sum('amount'), volumeYt: sum('filled'), volumeFees: sum('feeTotal'), trades: traded.length },
      vault: vaults.findLast(within)!.vault,
    }
  })
}

/** What the engine's own follower makes of the events; accounts by `market/owner/sub`. */
export const slowEntries = (blocks: readonly Block[]): Map<string, Entry> => {
  const entries = new Map<string, Entry>()
  const rates = new Map<string, bigint>()
  for (const { records } of eventsIn(blocks)) {
    for (const of of records) {
      if (of.type === 'created') rates.set(of.market, of.rate)
      if (of.type === 'swapped') rates.set(of.market, of.rateAfter)
    }
    // A record says what the engine's event says, with the market's address for its name.
    const events = records.filter(({ type }) => ['account', 'swapped', 'liquidity-removed'].includes(type))
    follow(entries, events as unknown as Event[], id => rateQ64(rates.get(id)!))
  }
  return entries
}

/** What became of every order, by its market and the number of the event that placed it: of instructions that the day's wallets sent themselves. */
export const slowOrders = (blocks: readonly Block[]) => {
  const found = new Map<string, { amount: bigint; fee: bigint; filled: bigint; feesPaid: bigint; status: string }>()
  const waiting = new Map<string, string>()
  for (const { itself, calls } of blocks.flatMap(({ transactions }) => transactions.flatMap(({ inner }) => inner))) {
    for (const { subjects, records } of eventsOf(calls)) {
      const change = records.find(of => of.type === 'order')
      if (change?.type !== 'order') continue
      const asked = decodeInstruction(itself.data)
      const id = `${accountId(change)}/${change.id}`
      if (asked.name === 'placeOrder') {
        const { id: _, ...terms } = asked.args
        const { sequence } = subjects.find(({ account }) => account === change.market)!
        waiting.set(id, `${change.market}/${sequence}`)
        found.set(waiting.get(id)!, { ...terms, filled: 0n, feesPaid: 0n, status: 'open' })
        continue
      }
      const order = found.get(waiting.get(id)!)!
      order.amount += change.amount
      order.fee += change.fee
      const fill = records.find(of => of.type === 'filled')
      if (fill?.type === 'filled') {
        order.filled += fill.filled
        order.feesPaid += fill.fee
      }
      if (order.amount > 0n) continue
      order.status = { cancelOrder: 'cancelled', expireOrder: 'expired' }[asked.name as string] ?? 'filled'
    }
  }
  return found
}

export { accountId }
