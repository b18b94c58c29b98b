/** `sunder positions`: all that somebody has on the exchange. */
import type { Command } from 'commander'
import { formatAtoms, formatPercent } from '../../../amm/index.ts'
import { listAccounts, type MarginAccountData } from '../../client/index.ts'
import { ptView } from '../../exchange/index.ts'
import { table } from '../output.ts'
import { type Answer, digits, percentOr } from '../question.ts'
import { type AccountFigures, accountFigures, accountJson } from './account-figures.ts'
import { asking, asks, type KeyOptions, withKeypair } from './command.ts'
import type { Venue } from './connection.ts'
import { holdingsOf } from './holdings.ts'
import { lpOf, lpTable } from './lp-figures.ts'
import { orderJson, ordersOf, ordersTable } from './order-figures.ts'
import { ownerOf } from './owner.ts'
import { amount, signedAmount, times } from './show.ts'
import { commonOf, marketsOf, type NamedMarket, standingOf } from './standing.ts'

interface HeldPt {
  readonly market: string
  readonly pt: bigint
  readonly value: bigint
  readonly exitValue: bigint
  readonly fixedApy: bigint
}

/** Margin accounts and PT, market by market. */
const inMarkets = async (
  venue: Venue,
  owner: string,
  all: readonly {
    readonly market: NamedMarket
    readonly pt: bigint
    readonly accounts: readonly MarginAccountData[]
  }[],
): Promise<{ accounts: AccountFigures[]; pts: HeldPt[] }> => {
  const used = all.filter(({ pt, accounts }) => pt > 0n || accounts.length > 0)
  const common = used.length === 0 ? undefined : await commonOf(venue)
  const found = await Promise.all(
    used.map(async ({ market, pt, accounts }) => {
      const standing = await standingOf(venue, market, { accounts }, common)
      const { walk, name } = standing
      const subs = accounts.map(({ sub }) => sub).sort((a, b) => a - b)
      const view = ptView(walk.state, name, pt, walk.world)
      return {
        accounts: subs.map(sub => accountFigures(standing, { market: name, owner, sub })!),
        pts: pt === 0n ? [] : [{ market: name, ...view }],
      }
    }),
  )
  return { accounts: found.flatMap(one => one.accounts), pts: found.flatMap(one => one.pts) }
}

const accountsTable = (accounts: readonly AccountFigures[]): string =>
  accounts.length === 0
    ? 'no margin accounts'
    : table(
        [
          ['market', 'account', 'side', 'YT', 'margin', 'equity (JLP)', 'profit', 'ratio', 'leverage', 'liquidated at'],
          ...accounts.map(one => [
            ...[one.market, `${one.sub}`, one.side, amount(one.yt < 0n ? -one.yt : one.yt), amount(one.margin)],
            ...[amount(one.equity), signedAmount(one.profit), percentOr(one.ratio), times(one.leverage)],
            percentOr(one.liquidationApy),
          ]),
        ],
        'lrlr',
      )

const ptTable = (pts: readonly HeldPt[]): string =>
  table(
    [
      ['market', 'PT', 'worth (JLP)', 'if sold now', 'implied APY'],
      ...pts.map(({ market, pt, value, exitValue, fixedApy }) => [
        ...[market, formatAtoms(pt), amount(value), amount(exitValue), formatPercent(fixedApy)],
      ]),
    ],
    'lr',
  )

const positions = async (venue: Venue, owner: string): Promise<Answer> => {
  const [markets, accounts, held, liquidity, orders] = await Promise.all([
    marketsOf(venue),
    listAccounts(venue.connection, 'MarginAccount', { owner }),
    holdingsOf(venue, owner),
    lpOf(venue, owner),
    ordersOf(venue, owner),
  ])
  const found = await inMarkets(
    venue,
    owner,
    markets.map(market => ({
      market,
      pt: held.pt(market),
      accounts: accounts.filter(({ data }) => data.market === market.address).map(({ data }) => data),
    })),
  )
  const { jlp, lamports, st } = held
  const wrapped = Object.entries(st).flatMap(([kind, own]) =>
    own === 0n ? [] : [`, ${formatAtoms(own)} in ST (${kind})`],
  )
  return {
    figures: {
      ...{ owner, lamports, jlp, st },
      accounts: found.accounts.map(accountJson),
      pts: found.pts.map(held => ({ ...held, fixedApy: digits(held.fixedApy) })),
      liquidity,
      orders: orders.map(orderJson),
    },
    text: [
      owner,
      `${formatAtoms(jlp)} JLP${wrapped.join('')}, ${(Number(lamports) / 1e9).toFixed(4)} SOL`,
      accountsTable(found.accounts),
      ...(found.pts.length === 0 ? [] : [ptTable(found.pts)]),
      ...(liquidity.length === 0 ? [] : [lpTable(liquidity)]),
      ...(orders.length === 0 ? [] : [ordersTable(orders)]),
    ].join('\n\n'),
  }
}

export const addPositionsCommand = (program: Command): void => {
  withKeypair(
    asking(
      program,
      'positions [owner]',
      'margin accounts, PT, liquidity, orders, JLP and SOL of an address, yours by default',
      'sunder positions',
    ),
  ).action(asks<KeyOptions>((venue, options, owner) => positions(venue, ownerOf(options, owner))))
}
