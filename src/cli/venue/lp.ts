/** `sunder lp`: liquidity over a range of APYs. */
import type { Command } from 'commander'
import {
  composition,
  depositFor,
  formatAtoms,
  type JlpAtoms,
  type Liquidity,
  liquidityForDeposit,
  rateFromApy,
  shiftQ64,
  tickAtRate,
} from '../../../amm/index.ts'
import { ADDRESSES, build, type LpPositionData, listAccounts } from '../../client/index.ts'
import { lpView, positionId } from '../../exchange/index.ts'
import { table, UsageError } from '../output.ts'
import { type Answer, apy, atoms, decimal, option } from '../question.ts'
import { asking, asks, type ChainOptions, group, type SendOptions, signing, withKeypair } from './command.ts'
import { type Signer, signerOf, type Venue } from './connection.ts'
import { lpOf, lpTable, rangeWords } from './lp-figures.ts'
import { ownerOf } from './owner.ts'
import { carryOut, NO_QUOTE } from './send.ts'
import { amount, apyAtTick, changeOf, moved, recordsOf } from './show.ts'
import { headOf, marketNamed, type NamedMarket, type Standing, standingFor, standingOf } from './standing.ts'
import { withTolerance } from './trade-options.ts'

/** Two APYs, or two ticks. */
type Range = { readonly apys: readonly [bigint, bigint] } | { readonly ticks: readonly [number, number] }

interface RangeOptions extends SendOptions {
  readonly range?: Range
}

const range = (text: string): Range => {
  const ticks = /^(\d{1,5}):(\d{1,5})$/.exec(text)
  if (ticks !== null) return { ticks: [Number(ticks[1]), Number(ticks[2])] }
  const [lower, upper, ...rest] = text.split('-')
  if (upper === undefined || rest.length > 0)
    throw new UsageError('--range is two APYs, such as 15%-25%, or two ticks, such as 1400:2230')
  return { apys: [apy(lower!), apy(upper)] }
}

/** A fraction of 10^6. */
const MILLION = 1_000_000n
const share = (text: string): bigint => {
  const value = /%$/.test(text) ? apy(text) : decimal(text)
  const parts = (value * MILLION) >> 64n
  if (parts <= 0n || parts > MILLION) throw new UsageError('--share is above 0 and at most 100%')
  return parts
}

/** The ticks at or below two APYs. */
const ticksIn = ({ reading: { terms } }: Standing, of: Range): { readonly lower: number; readonly upper: number } => {
  const { grid } = terms
  const [lower, upper] = 'ticks' in of ? of.ticks : of.apys.map(one => tickAtRate(rateFromApy(one), grid))
  if (lower! < grid.minTick || upper! > grid.maxTick || lower! >= upper!) {
    throw new UsageError(
      `a range goes from a lower to a higher APY, within ${apyAtTick(grid.minTick)} and ${apyAtTick(grid.maxTick)}`,
    )
  }
  return { lower: lower!, upper: upper! }
}

/** What a deposit would be now. */
const depositAnswer = (
  standing: Standing,
  place: { lower: number; upper: number },
  jlp: bigint,
  toleranceBps: number,
): Answer => {
  const { pool } = standing.walk.stored
  const paid = (jlp * BigInt(10_000 - toleranceBps)) / 10_000n
  const liquidity = liquidityForDeposit(pool, place.lower, place.upper, paid as JlpAtoms)
  if (liquidity === 0n) throw new UsageError('so little JLP gives no liquidity over this range')
  const cost = depositFor(pool, place.lower, place.upper, liquidity as Liquidity).jlp
  const { inventory } = composition(pool, place.lower, place.upper, liquidity)
  const inRange = place.lower <= pool.tick && pool.tick < place.upper
  const share = inRange ? Number((liquidity * 10_000n) / (pool.liquidity + liquidity)) / 100 : 0
  const yt = shiftQ64(inventory, 'down')
  const rows = [
    [
      'range',
      rangeWords(place),
      inRange ? 'around the present APY' : 'not around the present APY: it earns no fees until it is',
    ],
    ['costs', formatAtoms(cost), `JLP now, at most ${formatAtoms(jlp)}`],
    ['liquidity', amount(liquidity, 0), inRange ? `${share.toFixed(2)} % of what is in range` : ''],
    ['of it YT', amount(yt), 'to sell as the rate rises'],
  ]
  return {
    figures: { ...place, inRange, cost, maximum: jlp, liquidity, yt },
    text: `${headOf(standing)}\n${table(rows, 'lrl')}`,
  }
}

const add = async (
  venue: Venue,
  options: RangeOptions & { readonly range: Range; readonly jlp: bigint; readonly tolerance: number },
  name: string,
): Promise<Answer> => {
  const signer = await signerOf(venue, options)
  const standing = await standingFor(venue, name, signer.owner, 0)
  const place = ticksIn(standing, options.range)
  const { jlp, tolerance: toleranceBps } = options
  const before = depositAnswer(standing, place, jlp, toleranceBps)
  const request = { market: standing.ref, owner: signer.owner, ...place, jlp, toleranceBps, seconds: venue.seconds }
  const instructions = await signer.client.prepareLiquidity(request)
  return carryOut(signer, options, { before, instructions }, sent => {
    const change = changeOf(sent, ADDRESSES.jlpMint, signer.owner)
    const liquidity = recordsOf(sent, 'position').reduce((sum, record) => sum + record.liquidity, 0n)
    const figures = { ...place, jlp: change, liquidity }
    return { figures, text: `${moved(change, 'JLP')} for ${amount(liquidity, 0)} of liquidity at ${rangeWords(place)}` }
  })
}

/** An owner's position in a market: the one that there is, unless a range is said. */
const positionOf = async (
  venue: Venue,
  standing: Standing,
  owner: string,
  said: Range | undefined,
): Promise<LpPositionData> => {
  const listed = await listAccounts(venue.connection, 'LpPosition', { market: standing.address, owner })
  const all = listed.filter(({ data: { position } }) => position.liquidity > 0n || position.uncollected > 0n)
  const wanted = said === undefined ? undefined : ticksIn(standing, said)
  const isMeant = ({ position }: LpPositionData): boolean =>
    wanted === undefined || (position.lower === wanted.lower && position.upper === wanted.upper)
  const found = all.filter(({ data }) => isMeant(data))
  if (found.length === 1) return found[0]!.data
  const there = all.map(({ data: { position } }) => `${position.lower}:${position.upper}`).join(', ')
  if (all.length === 0) throw new UsageError(`You have no liquidity in ${standing.name}`)
  throw new UsageError(`Say which position, by --range: there are ${there}`)
}

/** What comes back to a wallet: JLP, PT, and YT into the account. */
const backWords = (standing: NamedMarket, { owner }: Signer, sent: Parameters<typeof changeOf>[0]): Answer => {
  const jlp = changeOf(sent, ADDRESSES.jlpMint, owner)
  const [removed] = recordsOf(sent, 'liquidity-removed')
  const swapped = recordsOf(sent, 'swapped')[0]
  const sold = swapped?.filled ?? 0n
  const [pt, yt] = [
    (removed?.pt ?? 0n) - (swapped?.order === 'sell-pt' ? sold : 0n),
    (removed?.yt ?? 0n) - (swapped?.order === 'sell-yt' ? sold : 0n),
  ]
  const kinds = [
    ...(pt === 0n ? [] : [`${formatAtoms(pt)} PT`]),
    ...(yt === 0n ? [] : [`${formatAtoms(yt)} YT in your account in ${standing.name}`]),
  ]
  return { figures: { jlp, pt, yt }, text: [moved(jlp, 'JLP'), ...kinds].join(', and ') }
}

const remove = async (
  venue: Venue,
  options: RangeOptions & { readonly share: bigint; readonly zap?: boolean; readonly tolerance: number },
  name: string,
): Promise<Answer> => {
  const signer = await signerOf(venue, options)
  const { owner, client } = signer
  const market = marketNamed(name)
  const empty = await standingOf(venue, market)
  const held = await positionOf(venue, empty, owner, options.range)
  const { lower, upper } = held.position
  const standing = await standingOf(venue, market, { positions: [held] })
  const { walk } = standing
  const view = lpView(walk.state, walk.state.positions.get(positionId(walk.market, owner, lower, upper))!, walk.world)
  const part = (value: bigint): bigint => (value * options.share) / MILLION
  const kind = view.netSold > 0n ? 'PT' : 'YT'
  const rest = part(view.netSold < 0n ? -view.netSold : view.netSold)
  const before = {
    figures: { lower, upper, value: part(view.value), netSold: part(view.netSold) },
    text:
      `${standing.name}, ${rangeWords(held.position)}: worth ${formatAtoms(part(view.value))} JLP` +
      (rest === 0n ? '' : `, ${formatAtoms(rest)} of it in ${kind}${options.zap ? ' to be sold' : ''}`),
  }
  const place = { market: market.ref, owner, lower, upper }
  const removal = await client.prepareRemoval({
    ...{ ...place, sell: options.zap === true, toleranceBps: options.tolerance, seconds: venue.seconds },
    share: { num: options.share, den: MILLION },
  })
  // With nothing left in it the position goes, and its rent comes back.
  const instructions = options.share === MILLION ? [...removal, build.closePosition(place)] : removal
  return carryOut(signer, options, { before, instructions }, sent => backWords(standing, signer, sent))
}

export const addLpCommand = (program: Command): void => {
  const lp = group(program, 'lp', 'provide liquidity over a range of APYs, for fees and coupons')

  withTolerance(
    signing(lp, 'add <market>', 'add liquidity', 'sunder lp add JLP-2411 --range 15%-25% --jlp 100')
      .requiredOption('--range <apys>', 'such as 15%-25%, or in ticks 1400:2230', range)
      .requiredOption('--jlp <n>', 'the most to pay', atoms),
  ).action(asks<Parameters<typeof add>[1]>((venue, options, name) => add(venue, options, name!)))

  withTolerance(
    signing(
      lp,
      'remove <market>',
      'take liquidity out, in JLP and PT or YT',
      'sunder lp remove JLP-2411 --share 50% --zap',
    )
      .option('--range <apys>', 'which position, if there are several', range)
      .addOption(option('--share <part>', 'how much of it', share, '100%'))
      .option('--zap', 'sell the PT or YT, so that JLP come'),
  ).action(asks<Parameters<typeof remove>[1]>((venue, options, name) => remove(venue, options, name!)))

  signing(lp, 'collect <market>', 'take out what a position has earned', 'sunder lp collect JLP-2411')
    .option('--range <apys>', 'which position, if there are several', range)
    .action(
      asks<RangeOptions>(async (venue, options, name) => {
        const signer = await signerOf(venue, options)
        const standing = await standingOf(venue, marketNamed(name!))
        const { position } = await positionOf(venue, standing, signer.owner, options.range)
        const place = { market: standing.ref, owner: signer.owner, lower: position.lower, upper: position.upper }
        const instructions = await signer.client.prepare('collect', place)
        return carryOut(signer, options, { before: NO_QUOTE, instructions }, sent => backWords(standing, signer, sent))
      }),
    )

  withKeypair(asking(lp, 'list [owner]', 'the liquidity of an owner, yours by default', 'sunder lp list')).action(
    asks<ChainOptions & { readonly keypair: string }>(async (venue, options, owner) => {
      const all = await lpOf(venue, ownerOf(options, owner))
      return { figures: all, text: lpTable(all) }
    }),
  )
}
