/** `sunder deposit`, `withdraw`, `settle`, `close`: the margin account itself. */
import type { Command } from 'commander'
import { formatAtoms } from '../../../amm/index.ts'
import { bisect } from '../../../amm/inverse.ts'
import { ADDRESSES, isAddress, type Sent } from '../../client/index.ts'
import { type AccountRef, accountId, apply } from '../../exchange/index.ts'
import { StrategyError } from '../../strategy/index.ts'
import { UsageError } from '../output.ts'
import { type Answer, atoms } from '../question.ts'
import { accountFigures, accountJson, accountLine } from './account-figures.ts'
import { asks, type SendOptions, signing } from './command.ts'
import { type Signer, signerOf, type Venue } from './connection.ts'
import { carryOut, NO_QUOTE } from './send.ts'
import { changeOf, moved, recordsOf } from './show.ts'
import { marketNamed, type Standing, standingFor } from './standing.ts'
import { withSub } from './trade-options.ts'

interface AccountOptions extends SendOptions {
  readonly sub: number
}

/** JLP that moved, and the account then. */
export const accountAnswer = async (
  venue: Venue,
  { owner }: Signer,
  name: string,
  sub: number,
  sent: Sent,
): Promise<Answer> => {
  const jlp = changeOf(sent, ADDRESSES.jlpMint, owner)
  const after = await standingFor(venue, name, owner, sub)
  const account = accountFigures(after, { market: after.name, owner, sub })
  const text = `${jlp === 0n ? '' : `${moved(jlp, 'JLP')}\n`}${accountLine(account)}`
  return { figures: { jlp, account: account && accountJson(account) }, text }
}

/** The most that an account lets go now, JLP atoms. */
const mostOf = ({ walk }: Standing, ref: AccountRef): bigint => {
  const account = walk.state.accounts.get(accountId(ref))
  if (account === undefined) throw new UsageError(`There is no account ${ref.sub} of yours in ${ref.market}`)
  const isGiven = (jlp: bigint): boolean =>
    jlp === 0n || apply(walk.state, { kind: 'withdraw', ...ref, jlp }, walk.world).kind === 'applied'
  // After maturity what was open becomes margin.
  const ample = account.margin + (account.st < 0n ? 0n : account.st) + (account.yt < 0n ? 0n : account.yt)
  const most = isGiven(ample) ? ample : bisect(isGiven, 0n, ample)
  if (most > 0n) return most
  throw new StrategyError('insufficient-margin', 'Nothing may be taken out: there is no margin, or a position needs it')
}

const allOr = (text: string): bigint | 'all' => (text === 'all' ? 'all' : atoms(text))

export const addAccountCommands = (program: Command): void => {
  withSub(
    signing(
      program,
      'deposit <market> <jlp>',
      'pay margin into an account, which is opened if need be',
      'sunder deposit JLP-2411 10',
    ),
  ).action(
    asks<AccountOptions>(async (venue, options, name, jlp) => {
      const signer = await signerOf(venue, options)
      const { ref: market } = marketNamed(name!)
      const request = { market, owner: signer.owner, sub: options.sub, jlp: atoms(jlp!) }
      await standingFor(venue, name!, undefined, 0)
      const plan = { before: NO_QUOTE, instructions: await signer.client.prepare('deposit', request) }
      return carryOut(signer, options, plan, sent => accountAnswer(venue, signer, name!, options.sub, sent))
    }),
  )

  withSub(
    signing(
      program,
      'withdraw <market> <jlp>',
      'take margin out; `all` is the most that may be taken',
      'sunder withdraw JLP-2411 all',
    ),
  ).action(
    asks<AccountOptions>(async (venue, options, name, text) => {
      const signer = await signerOf(venue, options)
      const { owner, client } = signer
      const wanted = allOr(text!)
      const standing = await standingFor(venue, name!, owner, options.sub)
      const jlp = wanted === 'all' ? mostOf(standing, { market: standing.name, owner, sub: options.sub }) : wanted
      const request = { market: standing.ref, owner, sub: options.sub, jlp }
      const before = { figures: { jlp }, text: `withdraws ${formatAtoms(jlp)} JLP` }
      // One that owes is only let go at a price that no coupon is due on.
      const instructions = await client.prepare('withdraw', request)
      return carryOut(signer, options, { before, instructions }, sent =>
        accountAnswer(venue, signer, name!, options.sub, sent),
      )
    }),
  )

  withSub(
    signing(
      program,
      'settle <market>',
      'settle an account after maturity; yours, or that of anybody',
      'sunder settle JLP-2411',
    ),
  )
    .option('--owner <address>', 'whose account, if it is not yours')
    .action(
      asks<AccountOptions & { readonly owner?: string }>(async (venue, options, name) => {
        const signer = await signerOf(venue, options)
        const owner = options.owner ?? signer.owner
        if (!isAddress(owner)) throw new UsageError(`--owner is an address, not "${owner}"`)
        const { ref: market } = await standingFor(venue, name!, undefined, 0)
        const instructions = await signer.client.prepare('settle', { market, owner, sub: options.sub })
        return carryOut(signer, options, { before: NO_QUOTE, instructions }, sent => {
          const [settled] = recordsOf(sent, 'settled')
          const value = settled?.value
          const words = value === undefined ? 'it was settled before' : `settled at ${formatAtoms(value)} JLP`
          return { figures: { value }, text: `${words}; \`sunder withdraw ${name} all\` takes it out` }
        })
      }),
    )

  withSub(
    signing(
      program,
      'close <market>',
      'close an empty account: its rent comes back (trade close closes a position)',
      'sunder close JLP-2411',
    ),
  ).action(
    asks<AccountOptions>(async (venue, options, name) => {
      const signer = await signerOf(venue, options)
      const { ref: market } = await standingFor(venue, name!, undefined, 0)
      const request = { market, owner: signer.owner, sub: options.sub }
      const plan = { before: NO_QUOTE, instructions: await signer.client.prepare('closeAccount', request) }
      return carryOut(signer, options, plan, () => ({
        figures: { sub: options.sub },
        text: `account ${options.sub} is closed`,
      }))
    }),
  )
}
