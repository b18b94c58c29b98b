/** `sunder split`, `merge`, `wrap`, `unwrap`: the tokens themselves, without the market. */
import type { Command } from 'commander'
import { formatAtoms } from '../../../amm/index.ts'
import { ADDRESSES } from '../../client/index.ts'
import { atoms, oneOf, option } from '../question.ts'
import { accountAnswer } from './account.ts'
import { asks, type SendOptions, signing } from './command.ts'
import { signerOf } from './connection.ts'
import { carryOut, NO_QUOTE } from './send.ts'
import { changeOf, moved } from './show.ts'
import { standingFor } from './standing.ts'
import { withSub } from './trade-options.ts'

const SAYS = {
  split: 'JLP become as many PT, in the wallet, and YT, in a margin account',
  merge: 'as many PT and YT become JLP again, before maturity',
  wrap: 'JLP for ST as a token, 1 for 1 in JLP',
  unwrap: 'ST for JLP',
} as const

export const addTokensCommands = (program: Command): void => {
  for (const name of ['split', 'merge'] as const) {
    withSub(signing(program, `${name} <market> <yt>`, SAYS[name], `sunder ${name} JLP-2411 10`)).action(
      asks<SendOptions & { readonly sub: number }>(async (venue, options, text, amount) => {
        const signer = await signerOf(venue, options)
        const { sub } = options
        const { ref: market } = await standingFor(venue, text!, undefined, 0)
        const yt = atoms(amount!)
        const instructions = await signer.client.prepare(name, { market, owner: signer.owner, sub, yt })
        const done = `${name} of ${formatAtoms(yt)} YT and PT`
        return carryOut(signer, options, { before: NO_QUOTE, instructions }, async sent => {
          const { figures, text: lines } = await accountAnswer(venue, signer, text!, sub, sent)
          return { figures: { yt, ...(figures as object) }, text: `${done}: ${lines}` }
        })
      }),
    )
  }
  for (const name of ['wrap', 'unwrap'] as const) {
    signing(program, `${name} <jlp>`, SAYS[name], `sunder ${name} 10 --kind hourly`)
      .addOption(option('--kind <kind>', 'of hourly or weekly coupons', oneOf('--kind', 'hourly', 'weekly'), 'hourly'))
      .action(
        asks<SendOptions & { readonly kind: 'hourly' | 'weekly' }>(async (venue, options, text) => {
          const signer = await signerOf(venue, options)
          const { kind: coupon } = options
          const jlp = atoms(text!)
          const instructions = await signer.client.prepare(name, { coupon, owner: signer.owner, jlp })
          return carryOut(signer, options, { before: NO_QUOTE, instructions }, sent => {
            const change = changeOf(sent, ADDRESSES.jlpMint, signer.owner)
            const words = `${moved(change, 'JLP')}, ${change < 0n ? 'received' : 'paid'} ST worth as much`
            return { figures: { coupon, jlp: change }, text: words }
          })
        }),
      )
  }
}
