/** A margin account in figures, as its owner sees it. */
import { apyFromRate, formatAtoms } from '../../../amm/index.ts'
import { type AccountRef, accountId, accountView } from '../../exchange/index.ts'
import { digits, percentOr } from '../question.ts'
import { amount, signedAmount, times } from './show.ts'
import type { Standing } from './standing.ts'

/** Amounts in atoms; undefined if there is no such account. */
export const accountFigures = ({ name, walk }: Standing, ref: AccountRef) => {
  const stored = walk.state.accounts.get(accountId(ref))
  if (stored === undefined) return undefined
  const view = accountView(walk.state, ref, walk.world)
  const { liquidationRate, entryApy, netDeposits, equity } = view
  return {
    market: name,
    sub: ref.sub,
    side: view.yt > 0n ? ('long' as const) : view.yt < 0n ? ('short' as const) : ('flat' as const),
    ...{ margin: view.margin, st: view.st, yt: view.yt, equity, netDeposits, orders: stored.orders },
    /** Equity at the spot less what was paid in. */
    profit: equity - netDeposits,
    ratio: view.ratio,
    ratioAtTwap: view.ratioAtTwap,
    leverage: view.yt === 0n ? undefined : view.leverage,
    entryApy,
    liquidationApy: liquidationRate === undefined ? undefined : apyFromRate(liquidationRate),
    spot: view.spot,
    healthy: view.healthy,
  }
}
export type AccountFigures = NonNullable<ReturnType<typeof accountFigures>>

/** The Q64.64 figures written as decimals. */
export const accountJson = (account: AccountFigures) => {
  const { ratio, ratioAtTwap, leverage, entryApy, liquidationApy } = account
  return {
    ...account,
    ratio: digits(ratio),
    ratioAtTwap: digits(ratioAtTwap),
    leverage: digits(leverage),
    entryApy: digits(entryApy),
    liquidationApy: digits(liquidationApy),
  }
}

export const accountLine = (account: AccountFigures | undefined): string => {
  if (account === undefined) return 'the account is closed'
  const { sub, side, yt, margin, equity, profit, spot, ratio, leverage, liquidationApy } = account
  if (side === 'flat') return `account ${sub}: ${formatAtoms(margin)} JLP, no position`
  const risk =
    ratio === undefined || spot
      ? 'paid in full: cannot be liquidated'
      : `${times(leverage)}, ratio ${percentOr(ratio)}, liquidated at an APY of ${percentOr(liquidationApy)}`
  return (
    `account ${sub}: ${side} ${amount(yt < 0n ? -yt : yt)} YT, equity ${amount(equity)} JLP (${signedAmount(profit)}), ` +
    risk
  )
}
