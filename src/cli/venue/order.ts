/** `sunder order`: orders that wait on a margin account until anyone fills them for their fee. */
import { type Command, Option } from 'commander'
import { formatAtoms, formatTime, type RateQ64, rateFromApy } from '../../../amm/index.ts'
import { addressOf, listAccounts, type OrderAction, type Trigger, toEngineOrder } from '../../client/index.ts'
import { accountId } from '../../exchange/index.ts'
import { instant } from '../inputs.ts'
import { UsageError } from '../output.ts'
import { type Answer, apy, atoms, digits, oneOf, option } from '../question.ts'
import { asking, asks, type ChainOptions, group, type SendOptions, signing, withKeypair } from './command.ts'
import { signerOf, type Venue } from './connection.ts'
import { orderJson, ordersOf, ordersTable, orderWords } from './order-figures.ts'
import { ownerOf } from './owner.ts'
import { carryOut } from './send.ts'
import { marketNamed, type Standing, standingFor } from './standing.ts'
import { withSub } from './trade-options.ts'

interface PlaceOptions extends SendOptions {
  readonly sub: number
  readonly yt?: bigint
  readonly limitApy?: bigint
  readonly stopApy?: bigint
  readonly takeApy?: bigint
  readonly stopPnl?: bigint
  readonly takePnl?: bigint
  readonly margin?: bigint
  readonly minimum?: bigint
  readonly fee: bigint
  readonly expires: (now: number) => number
}

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 }

/** "7d", "12h", "30m" from now by the chain's clock, or an instant. */
const expiry = (text: string): ((now: number) => number) => {
  const match = /^(\d{1,4})([mhd])$/.exec(text)
  if (match === null) return () => instant(text).seconds
  return now => now + Number(match[1]) * UNITS[match[2]!]!
}

/** What a reduction waits for: a stop is where the position loses, a take-profit where it gains. */
const triggerOf = (
  options: PlaceOptions,
  action: OrderAction,
): { readonly when: Exclude<Trigger, 'none'>; readonly level: bigint } | undefined => {
  const { stopApy, takeApy, stopPnl, takePnl } = options
  const given = [stopApy, takeApy, stopPnl, takePnl].filter(one => one !== undefined).length
  if (given === 0) return undefined
  if (given > 1)
    throw new UsageError('an order waits for one thing: give one of --stop-apy, --take-apy, --stop-pnl, --take-pnl')
  if (action === 'long' || action === 'short')
    throw new UsageError('only `order place reduce` waits for a stop or a take-profit')
  const isLong = action === 'reduce-long'
  if (stopPnl !== undefined) return { when: 'pnl-below', level: -stopPnl }
  if (takePnl !== undefined) return { when: 'pnl-above', level: takePnl }
  if (stopApy !== undefined) return { when: isLong ? 'rate-below' : 'rate-above', level: rateFromApy(stopApy) }
  return { when: isLong ? 'rate-above' : 'rate-below', level: rateFromApy(takeApy!) }
}

const actionOf = (
  { walk, name }: Standing,
  side: 'long' | 'short' | 'reduce',
  owner: string,
  sub: number,
): OrderAction => {
  if (side !== 'reduce') return side
  const yt = walk.state.accounts.get(accountId({ market: name, owner, sub }))?.yt ?? 0n
  if (yt === 0n) throw new UsageError(`Account ${sub} has no position in ${name} to reduce`)
  return yt > 0n ? 'reduce-long' : 'reduce-short'
}

const freeId = async (venue: Venue, account: string, owner: string): Promise<number> => {
  const taken = await listAccounts(venue.connection, 'RestingOrder', { owner, account })
  const ids = new Set(taken.map(({ data }) => data.id))
  const id = Array.from({ length: 256 }, (_, i) => i).find(i => !ids.has(i))
  if (id === undefined) throw new UsageError('This account has 256 orders: cancel one')
  return id
}

const place = async (
  venue: Venue,
  options: PlaceOptions,
  side: 'long' | 'short' | 'reduce',
  name: string,
): Promise<Answer> => {
  const signer = await signerOf(venue, options)
  const { owner, client } = signer
  const { sub, yt, limitApy, margin, minimum, fee } = options
  if (side !== 'reduce' && (yt === undefined || limitApy === undefined)) {
    throw new UsageError(`an order that waits to go ${side} takes --yt and --limit-apy`)
  }
  const standing = await standingFor(venue, name, owner, sub)
  const { ref: market } = standing
  const action = actionOf(standing, side, owner, sub)
  const trigger = triggerOf(options, action)
  if (side === 'reduce' && trigger === undefined && limitApy === undefined) {
    throw new UsageError('an order to reduce waits for --limit-apy, --stop-apy, --take-apy, --stop-pnl or --take-pnl')
  }
  const account = addressOf('MarginAccount', { market: standing.address, owner, sub })
  const id = await freeId(venue, account, owner)
  const expiresAt = options.expires(standing.reading.now)
  const request = {
    ...{ market, owner, sub, id, action, fee, expiresAt },
    ...(yt === undefined ? {} : { amount: yt }),
    ...(limitApy === undefined ? {} : { limitRate: rateFromApy(limitApy) as RateQ64 }),
    ...(minimum === undefined ? {} : { minimum }),
    ...(trigger === undefined ? {} : { trigger }),
  }
  const deposit = margin === undefined ? [] : await client.prepare('deposit', { market, owner, sub, jlp: margin })
  const before = {
    figures: { action, yt, limitApy: digits(limitApy), trigger: trigger?.when, fee, expiresAt, margin },
    text: `${standing.name}, account ${sub}: ${action}, good until ${formatTime(expiresAt)}, fee ${formatAtoms(fee)} JLP`,
  }
  const instructions = [...deposit, ...(await client.prepareOrder(request))]
  return carryOut(signer, options, { before, instructions }, async () => {
    const order = await client.restingOrder(market, owner, sub, id)
    const words = order === undefined ? 'it is filled already' : orderWords(toEngineOrder(standing.name, sub, order))
    return { figures: { market: standing.name, sub, id }, text: `order ${id} waits: ${words}` }
  })
}

const orderNumber = (text: string): number => {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255)
    throw new UsageError('an order has a number from 0 to 255: `sunder order list`')
  return Number(text)
}

export const addOrderCommand = (program: Command): void => {
  const orders = group(program, 'order', 'orders that wait: limits by APY, stops and take-profits by APY or profit')
  withSub(
    signing(
      orders,
      'place <side> <market>',
      'leave an order: long or short at an APY, or reduce what you have when something happens',
      'sunder order place long JLP-2411 --yt 100 --limit-apy 15% --margin 2\n' +
        '         sunder order place reduce JLP-2411 --stop-apy 12% --expires 30d',
    ),
  )
    .option('--yt <n>', 'YT to fill; of a reduction at most, all by default', atoms)
    .option('--limit-apy <apy>', 'the worst APY of a fill', apy)
    .option('--stop-apy <apy>', 'reduce once the APY has gone there against you', apy)
    .option('--take-apy <apy>', 'reduce once the APY has gone there for you', apy)
    .option('--stop-pnl <jlp>', 'reduce once so much is lost', atoms)
    .option('--take-pnl <jlp>', 'reduce once so much is won', atoms)
    .option('--minimum <yt>', 'least YT of a fill', atoms)
    .option('--margin <jlp>', 'JLP to pay into the account first', atoms)
    .addOption(option('--fee <jlp>', 'for whoever fills it, out of the margin', atoms, '0.01'))
    .addOption(
      new Option('--expires <when>', 'such as 30m, 12h, 7d or 2024-11-01')
        .argParser(expiry)
        .default(expiry('7d'), '7d'),
    )
    .action(
      asks<PlaceOptions>((venue, options, side, name) =>
        place(venue, options, oneOf('the side', 'long', 'short', 'reduce')(side!), name!),
      ),
    )

  withSub(signing(orders, 'cancel <market> <order>', 'take an order back', 'sunder order cancel JLP-2411 0')).action(
    asks<SendOptions & { readonly sub: number }>(async (venue, options, name, number) => {
      const signer = await signerOf(venue, options)
      const { name: market, ref } = marketNamed(name!)
      const request = { market: ref, owner: signer.owner, sub: options.sub, id: orderNumber(number!) }
      const found = await signer.client.restingOrder(ref, signer.owner, options.sub, request.id)
      if (found === undefined)
        throw new UsageError(`There is no order ${request.id} on account ${options.sub} in ${market}`)
      const order = toEngineOrder(market, options.sub, found)
      const before = { figures: orderJson(order), text: orderWords(order) }
      const instructions = await signer.client.prepare('cancelOrder', request)
      return carryOut(signer, options, { before, instructions }, () => ({
        figures: {},
        text: `order ${request.id} is cancelled`,
      }))
    }),
  )

  withKeypair(asking(orders, 'list [owner]', 'the orders of an owner, yours by default', 'sunder order list')).action(
    asks<ChainOptions & { readonly keypair: string }>(async (venue, options, owner) => {
      const found = await ordersOf(venue, ownerOf(options, owner))
      return { figures: found.map(orderJson), text: ordersTable(found) }
    }),
  )
}
