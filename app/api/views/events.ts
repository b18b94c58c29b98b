/** What a transaction did, in words. */
import { formatAtoms, formatPercent, formatQ64, type RateQ64 } from '../../../amm/index.ts'
import { apyFromRate } from '../../../amm/rate.ts'
import { ADDRESSES, type EventRecord } from '../../../src/client/index.ts'
import type { Feed } from '../feed.ts'

const SWAPPED = { 'buy-yt': 'Bought', 'sell-yt': 'Sold', 'buy-pt': 'Bought', 'sell-pt': 'Sold' } as const

const jlp = (atoms: bigint): string => `${formatAtoms(atoms)} JLP`
const signed = (atoms: bigint, unit: string): string => `${atoms > 0n ? '+' : ''}${formatAtoms(atoms)} ${unit}`

/** A record as a sentence; undefined for those that only keep the books. */
export const sayRecord = (feed: Pick<Feed, 'market'>, record: EventRecord): string | undefined => {
  const name = (address: string): string => feed.market(address)?.name ?? address
  const account = ({ market, sub }: { readonly market: string; readonly sub: number }): string =>
    `account ${sub} of ${name(market)}`
  switch (record.type) {
    case 'swapped': {
      const token = record.order.endsWith('yt') ? 'YT' : 'PT'
      const rate = apyFromRate(record.rateAfter as RateQ64)
      return `${SWAPPED[record.order]} ${formatAtoms(record.filled)} ${token} of ${name(record.market)} for ${jlp(record.amount)}, fee ${jlp(record.feeTotal)}; implied APY now ${formatPercent(rate)}`
    }
    case 'account': {
      const changes = [
        record.margin === 0n ? [] : [`margin ${signed(record.margin, 'JLP')}`],
        record.st === 0n ? [] : [`ST leg ${signed(record.st, 'JLP')}`],
        record.yt === 0n ? [] : [signed(record.yt, 'YT')],
      ].flat()
      const what = account(record)
      return changes.length === 0 ? `Opened or touched ${what}` : `In ${what}: ${changes.join(', ')}`
    }
    case 'balance': {
      const token = record.mint === ADDRESSES.jlpMint ? 'JLP' : 'tokens'
      return `Wallet ${record.owner}: ${signed(record.change, token)}`
    }
    case 'position':
      return `Liquidity of ${name(record.market)} in ticks ${record.lower} to ${record.upper}: ${record.liquidity > 0n ? '+' : ''}${record.liquidity}`
    case 'liquidity-removed':
      return `Took out ${jlp(record.jlp)}, ${formatAtoms(record.pt)} PT, ${formatAtoms(record.yt)} YT from ${name(record.market)}`
    case 'accrued':
      return `Paid a coupon of the ${record.coupon} index; JLP per ST now ${formatQ64(record.discount, 9)}`
    case 'created':
      return `Opened market ${name(record.market)}`
    case 'liquidated':
      return `Liquidated ${formatAtoms(record.closed)} YT in ${account(record)}, penalty ${jlp(record.penalty)}`
    case 'taken-over':
      return `The insurance fund took ${account(record)} over`
    case 'loss':
      return `A loss: the fund bore ${jlp(record.fund)}, ${jlp(record.deficit)} stand as deficit`
    case 'settled':
      return `Settled ${account(record)} at ${jlp(record.value)}`
    case 'order':
      return `Order ${record.id} on ${account(record)}: ${signed(record.amount, 'YT')} left to fill`
    case 'filled':
      return `Filled ${formatAtoms(record.filled)} YT of order ${record.id} on ${account(record)} for a fee of ${jlp(record.fee)}`
    case 'paused':
      return `New risk is paused until ${record.until}`
    default:
      return undefined
  }
}
