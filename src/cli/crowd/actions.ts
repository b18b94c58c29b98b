/** What the engine calls an instruction, as a transaction of the client's. Rates and amounts are the actor's; deadlines are by the chain's clock. */
import type { TransactionInstruction } from '@solana/web3.js'
import type { MarketReading, MarketRef, SunderClient } from '../../client/index.ts'
import type { Instruction } from '../../exchange/index.ts'

const unitOf = (amount: { readonly st: bigint } | { readonly yt: bigint } | { readonly pt: bigint }) =>
  'st' in amount
    ? ({ unit: 'st', amount: amount.st } as const)
    : ({ unit: 'token', amount: 'yt' in amount ? amount.yt : amount.pt } as const)

/** None for what the client puts in front by itself: accounts and positions that are not open yet. */
export const instructionsFor = async (
  client: SunderClient,
  market: MarketRef,
  read: MarketReading,
  wanted: Instruction,
  seconds: number,
): Promise<TransactionInstruction[]> => {
  const deadline = read.now + seconds
  switch (wanted.kind) {
    case 'deposit':
      return client.prepare('deposit', { market, owner: wanted.owner, sub: 0, jlp: wanted.jlp })
    case 'trade': {
      const { owner, action, limitRate, minimum } = wanted
      const size = wanted.action === 'close' ? ({ unit: 'token', amount: 0n } as const) : unitOf(wanted.amount)
      const spot = 'spot' in wanted && wanted.spot === true
      const order = { market, owner, sub: 0, action, ...size, spot, limitRate, minimum, deadline }
      return client.prepare('trade', order, { read })
    }
    case 'buy-pt':
    case 'sell-pt': {
      const { owner, limitRate, minimum, amount } = wanted
      const name = wanted.kind === 'buy-pt' ? 'buyPt' : 'sellPt'
      return client.prepare(name, { market, owner, ...unitOf(amount), limitRate, minimum, deadline }, { read })
    }
    case 'add-liquidity': {
      const { owner, lower, upper, liquidity, maximum, minRate, maxRate } = wanted
      const range = { market, owner, lower, upper }
      return client.prepare('addLiquidity', { ...range, liquidity, maximum, minRate, maxRate, deadline }, { read })
    }
    case 'remove-liquidity': {
      const { owner, lower, upper, share, minimum, zap } = wanted
      const removal = { market, owner, lower, upper, ...share, sub: 0, minimum, deadline, zap: zap?.limitRate }
      return client.prepare('removeLiquidity', removal, { read })
    }
    case 'collect': {
      const { owner, lower, upper } = wanted
      return client.prepare('collect', { market, owner, lower, upper }, { read })
    }
    default:
      return []
  }
}
