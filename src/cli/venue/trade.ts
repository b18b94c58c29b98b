/** `sunder trade`: long, short, reduce, close, and PT for JLP or back. */
import type { Command } from 'commander'
import { apyFromRate, formatAtoms, type RateQ64, rateFromApy } from '../../../amm/index.ts'
import { ADDRESSES, type Sent } from '../../client/index.ts'
import { type Answer, apy, atoms, digits, leverage } from '../question.ts'
import { accountFigures, accountJson, accountLine } from './account-figures.ts'
import { asks, group, type SendOptions, signing } from './command.ts'
import { type Signer, signerOf, type Venue } from './connection.ts'
import { ACTIONS, estimate, type TradeAction, type Wish } from './estimate.ts'
import { carryOut } from './send.ts'
import { apyOf, changeOf, moved, recordsOf } from './show.ts'
import { standingFor } from './standing.ts'
import { withSub, withTolerance } from './trade-options.ts'

export interface TradeOptions extends SendOptions, Omit<Wish, 'action' | 'limitRate'> {
  readonly sub: number
  readonly limitApy?: bigint
  readonly tolerance: number
}

/** What a trade did. */
const swapAnswer = (sent: Sent): Answer => {
  const [swapped] = recordsOf(sent, 'swapped')
  if (swapped === undefined) return { figures: {}, text: 'confirmed; the node has not said yet what it did' }
  const { order, filled, amount, feeTotal: fee, rateBefore, rateAfter, complete } = swapped
  const verb = order.startsWith('buy') ? 'bought' : 'sold'
  const token = order.endsWith('yt') ? 'YT' : 'PT'
  const text =
    `${verb} ${formatAtoms(filled)} ${token} for ${formatAtoms(amount)} JLP, fee ${formatAtoms(fee)} JLP; ` +
    `implied APY ${apyOf(rateBefore)} to ${apyOf(rateAfter)}${complete ? '' : '; filled in part'}`
  const [apyBefore, apyAfter] = [rateBefore, rateAfter].map(rate => digits(apyFromRate(rate as RateQ64)))
  return { figures: { order, filled, amount, fee, complete, apyBefore, apyAfter }, text }
}

/** Quotes, asks, sends, and shows the fill and what is held then. */
export const trade = async (
  venue: Venue,
  signer: Signer,
  name: string,
  action: TradeAction,
  options: TradeOptions,
): Promise<Answer> => {
  const { sub, limitApy, tolerance: toleranceBps, margin, leverage: factor, yt, st, pt } = options
  const { client, owner } = signer
  const standing = await standingFor(venue, name, owner, sub)
  const limitRate = limitApy === undefined ? undefined : rateFromApy(limitApy)
  const ref = { market: standing.name, owner, sub }
  const wish = { action, margin, leverage: factor, yt, st, pt, limitRate }
  const { answer: before, unit, amount, deposit } = estimate(standing, ref, wish)
  const terms = {
    ...{ market: standing.ref, owner, unit, amount, toleranceBps, seconds: venue.seconds },
    ...(limitRate === undefined ? {} : { limitRate }),
  }
  const isPt = action === 'buy-pt' || action === 'sell-pt'
  const { instructions } = isPt
    ? await client.preparePtTrade({ ...terms, action })
    : await client.prepareTrade({ ...terms, action, sub, margin: deposit })
  return carryOut(signer, options, { before, instructions }, async sent => {
    const { figures, text } = swapAnswer(sent)
    const jlp = changeOf(sent, ADDRESSES.jlpMint, owner)
    if (isPt) return { figures: { ...(figures as object), jlp }, text: `${text}\n${moved(jlp, 'JLP')}` }
    const after = await standingFor(venue, name, owner, sub)
    const account = accountFigures(after, ref)
    return {
      figures: { ...(figures as object), jlp, account: account && accountJson(account) },
      text: `${text}\n${accountLine(account)}`,
    }
  })
}

const SAYS: Readonly<Record<TradeAction, readonly [string, string]>> = {
  long: ['buy YT on margin: profits if the pool earns more than the implied APY', '--margin 10 --leverage 10'],
  short: ['sell YT on margin: profits if it earns less', '--margin 10 --leverage 3'],
  reduce: ['trade against your position, part of it', '--yt 100'],
  close: ['close your position; its margin stays in the account until you withdraw it', '--yes'],
  'buy-pt': ['buy PT, which fix the APY until maturity', '--st 100'],
  'sell-pt': ['sell PT', '--pt 50'],
}

export const addTradeCommand = (program: Command): void => {
  const all = group(program, 'trade', 'long or short the yield of JLP with up to 10x, or trade PT')
  for (const action of ACTIONS) {
    const [description, example] = SAYS[action]
    const command = signing(all, `${action} <market>`, description, `sunder trade ${action} JLP-2411 ${example}`)
    const isPt = action === 'buy-pt' || action === 'sell-pt'
    if (isPt) command.option('--pt <n>', 'so many PT', atoms)
    if (action === 'long' || action === 'short') {
      command
        .option('--margin <jlp>', 'JLP to pay in first; the fee comes on top', atoms)
        .option('--leverage <n>', 'ST leg per margin', leverage)
    }
    if (!isPt && action !== 'close') command.option('--yt <n>', 'so many YT', atoms)
    if (action !== 'close') command.option('--st <n>', 'for so much ST (counted in JLP), fee not included', atoms)
    if (!isPt) withSub(command)
    withTolerance(
      command.option('--limit-apy <apy>', 'where the order stops, instead of by the tolerance', apy),
    ).action(
      asks<TradeOptions>(async (venue, options, name) =>
        trade(venue, await signerOf(venue, options), name!, action, { ...options, sub: options.sub ?? 0 }),
      ),
    )
  }
}
