/** `sunder earn`: a fixed APY until maturity, by PT. */
import type { Command } from 'commander'
import { formatAtoms, formatTime } from '../../../amm/index.ts'
import { ADDRESSES } from '../../client/index.ts'
import { ptView } from '../../exchange/index.ts'
import { UsageError } from '../output.ts'
import { type Answer, atoms } from '../question.ts'
import { quotePt } from '../quote-answer.ts'
import { asking, asks, type ChainOptions, group, type SendOptions, signing } from './command.ts'
import { type Signer, signerOf, type Venue } from './connection.ts'
import { holdingsOf } from './holdings.ts'
import { carryOut, NO_QUOTE } from './send.ts'
import { changeOf, duration, moved } from './show.ts'
import { headOf, marketNamed, type Standing, standingFor } from './standing.ts'
import { trade } from './trade.ts'
import { withTolerance } from './trade-options.ts'

interface EarnOptions extends SendOptions {
  readonly tolerance: number
}

/** What may be spent on PT so that the fee fits in as well: JLP atoms of the order. */
const spendable = ({ walk }: Standing, jlp: bigint): bigint => {
  // The fee is of the YT inside, which is less than the payment: never more than this.
  const { figures } = quotePt(walk, { kind: 'buy-pt', amount: { st: jlp } }, '')
  const { fee } = figures as { fee: bigint }
  return jlp - fee
}

/** What is fixed, and when it is paid. */
const promise = (standing: Standing, jlp: bigint): Answer => {
  const st = spendable(standing, jlp)
  const { figures, text } = quotePt(standing.walk, { kind: 'buy-pt', amount: { st } }, headOf(standing))
  const { filled, fixedApy } = figures as { filled: bigint; fixedApy: number }
  const { maturity } = standing.reading
  const percent = `${(fixedApy * 100).toFixed(2)}%`
  const words = [
    `${formatTime(maturity)}: ${formatAtoms(filled)} ST, by \`sunder earn redeem ${standing.name}\`; to leave earlier, earn exit`,
    `better than holding JLP if its pool earns less than ${percent} a year until then`,
  ]
  return {
    figures: { ...(figures as object), st, maturity, breakEvenApy: fixedApy },
    text: `${text}\n${words.join('\n')}`,
  }
}

/** All PT of the wallet unless a number is said. */
const heldPt = async (venue: Venue, { owner }: Signer, name: string, pt: bigint | undefined): Promise<bigint> => {
  if (pt !== undefined) return pt
  const held = (await holdingsOf(venue, owner)).pt(marketNamed(name))
  if (held === 0n) throw new UsageError(`This wallet has no PT of ${marketNamed(name).name}`)
  return held
}

const buy = async (venue: Venue, signer: Signer, name: string, jlp: bigint, options: EarnOptions): Promise<Answer> => {
  const standing = await standingFor(venue, name, signer.owner, 0)
  const { text } = promise(standing, jlp)
  if (!options.json) console.log(text.split('\n').slice(-2).join('\n'))
  return trade(venue, signer, name, 'buy-pt', { ...options, sub: 0, st: spendable(standing, jlp) })
}

const redeem = async (
  venue: Venue,
  signer: Signer,
  name: string,
  pt: bigint,
  options: SendOptions,
): Promise<Answer> => {
  const { ref: market } = await standingFor(venue, name, undefined, 0)
  const instructions = await signer.client.prepare('redeemPt', { market, owner: signer.owner, pt })
  return carryOut(signer, options, { before: NO_QUOTE, instructions }, sent => {
    const jlp = changeOf(sent, ADDRESSES.jlpMint, signer.owner)
    return { figures: { pt, jlp }, text: `redeemed ${formatAtoms(pt)} PT: ${moved(jlp, 'JLP')}` }
  })
}

/** Sells before maturity, redeems after it. */
const leave = async (venue: Venue, signer: Signer, name: string, pt: bigint, options: EarnOptions): Promise<Answer> => {
  const standing = await standingFor(venue, name, signer.owner, 0)
  if (standing.walk.view.tauSeconds === 0) return redeem(venue, signer, name, pt, options)
  const { value, exitValue, exitFilled } = ptView(standing.walk.state, standing.name, pt, standing.walk.world)
  const words = `worth ${formatAtoms(value)} JLP at the spot; selling ${formatAtoms(exitFilled)} now brings ${formatAtoms(exitValue)}`
  if (!options.json)
    console.log(
      `${words}, ${formatAtoms(value - exitValue)} less, ${duration(standing.walk.view.tauSeconds)} before maturity`,
    )
  return trade(venue, signer, name, 'sell-pt', { ...options, sub: 0, pt })
}

export const addEarnCommand = (program: Command): void => {
  const earn = group(program, 'earn', 'a fixed APY until maturity: PT bought below 1 ST, redeemed for 1 ST')

  asking(
    earn,
    'quote <market> <jlp>',
    'what so much JLP would get you, and when',
    'sunder earn quote JLP-2411 100',
  ).action(
    asks<ChainOptions>(async (venue, _, name, jlp) =>
      promise(await standingFor(venue, name!, undefined, 0), atoms(jlp!)),
    ),
  )

  withTolerance(
    signing(
      earn,
      'buy <market> <jlp>',
      'lock a fixed APY with so much JLP, fee included',
      'sunder earn buy JLP-2411 100',
    ),
  ).action(
    asks<EarnOptions>(async (venue, options, name, jlp) =>
      buy(venue, await signerOf(venue, options), name!, atoms(jlp!), options),
    ),
  )

  withTolerance(
    signing(earn, 'exit <market>', 'sell PT before maturity, all by default', 'sunder earn exit JLP-2411').option(
      '--pt <n>',
      'so many',
      atoms,
    ),
  ).action(
    asks<EarnOptions & { readonly pt?: bigint }>(async (venue, options, name) => {
      const signer = await signerOf(venue, options)
      return leave(venue, signer, name!, await heldPt(venue, signer, name!, options.pt), options)
    }),
  )

  signing(earn, 'redeem <market>', 'after maturity: 1 ST for each PT, paid in JLP', 'sunder earn redeem JLP-2411')
    .option('--pt <n>', 'so many, all by default', atoms)
    .action(
      asks<SendOptions & { readonly pt?: bigint }>(async (venue, options, name) => {
        const signer = await signerOf(venue, options)
        return redeem(venue, signer, name!, await heldPt(venue, signer, name!, options.pt), options)
      }),
    )

  withTolerance(
    signing(
      earn,
      'roll <market> <to>',
      'redeem (or sell) all PT of a market and buy those of another with what they bring, in two transactions',
      'sunder earn roll JLP-2411 JLP-2412',
    ),
  ).action(
    asks<EarnOptions>(async (venue, options, name, to) => {
      if (options.dryRun) throw new UsageError('a roll is two transactions: try `earn exit --dry-run` and `earn quote`')
      const signer = await signerOf(venue, options)
      await standingFor(venue, to!, undefined, 0)
      const left = await leave(venue, signer, name!, await heldPt(venue, signer, name!, undefined), options)
      const { jlp } = left.figures as { jlp?: bigint }
      if (jlp === undefined || jlp <= 0n) return left
      if (!options.json) console.log(left.text)
      const bought = await buy(venue, signer, to!, jlp, options)
      return { figures: { left: left.figures, bought: bought.figures }, text: bought.text }
    }),
  )
}
