/** `sunder quote --market NAME`: the same question as in a described market, about one of a chain. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { rateFromApy } from '../../../amm/index.ts'
import { YOU } from '../../strategy/walk.ts'
import { apy } from '../question.ts'
import { asks, type KeyOptions, withChain, withKeypair } from './command.ts'
import { estimate, type Wish } from './estimate.ts'
import { readKeypair } from './keypair.ts'
import { standingFor } from './standing.ts'
import { withSub } from './trade-options.ts'

export interface QuoteOnChainOptions extends KeyOptions {
  readonly market?: string
  readonly sub: number
  readonly limitApy?: bigint
}

export const withQuoteOnChain = (command: Command): Command =>
  withSub(
    withKeypair(withChain(command.option('--market <name>', 'a market of a chain, instead of a description'))),
  ).option('--limit-apy <apy>', 'where the order stops', apy)

/** Of whoever has the keypair, if there is one, else of a stranger. */
export const quoteOnChain = (options: QuoteOnChainOptions & Omit<Wish, 'action'> & { readonly side: Wish['action'] }) =>
  asks<typeof options>(async venue => {
    const { market, side: action, sub, keypair, limitApy } = options
    const owner = existsSync(keypair) ? readKeypair(keypair).publicKey.toBase58() : YOU
    const standing = await standingFor(venue, market!, owner === YOU ? undefined : owner, sub)
    const limitRate = limitApy === undefined ? undefined : rateFromApy(limitApy)
    const { yt, st, pt, margin, leverage } = options
    const opens = action === 'long' || action === 'short'
    const wish = { action, yt, st, pt, limitRate, ...(opens ? { margin, leverage } : {}) }
    return estimate(standing, { market: standing.name, owner, sub }, wish).answer
  })(options, undefined)
