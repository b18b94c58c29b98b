/** Liquidity positions in figures, as their owner sees them. */
import { formatAtoms } from '../../../amm/index.ts'
import { type LpPositionData, listAccounts } from '../../client/index.ts'
import { lpView } from '../../exchange/index.ts'
import { table } from '../output.ts'
import type { Venue } from './connection.ts'
import { amount, apyAtTick } from './show.ts'
import { marketsOf, type NamedMarket, type Standing, standingOf } from './standing.ts'

export const rangeWords = ({ lower, upper }: { readonly lower: number; readonly upper: number }): string =>
  `${apyAtTick(lower)} to ${apyAtTick(upper)} (${lower}:${upper})`

interface OwnPosition {
  readonly market: NamedMarket
  readonly data: LpPositionData
}

/** All positions of an owner with liquidity or something to collect. */
const positionsIn = async (venue: Venue, owner: string): Promise<OwnPosition[]> => {
  const [found, markets] = await Promise.all([
    listAccounts(venue.connection, 'LpPosition', { owner }),
    marketsOf(venue),
  ])
  return found.flatMap(({ data }) => {
    const market = markets.find(({ address }) => address === data.market)
    return market === undefined ? [] : [{ market, data }]
  })
}

/** Amounts in atoms; JLP at the spot. */
export const lpFigures = ({ walk, name }: Standing) =>
  [...walk.state.positions.values()].map(held => {
    const { lower, upper, liquidity, inRange, value, uncollected, netSold } = lpView(walk.state, held, walk.world)
    return { market: name, lower, upper, liquidity, inRange, value, uncollected, netSold }
  })

export const lpTable = (all: ReturnType<typeof lpFigures>): string =>
  all.length === 0
    ? 'no liquidity'
    : table(
        [
          ['market', 'range', 'liquidity', 'worth (JLP)', 'to collect', 'in range'],
          ...all.map(one => [
            ...[one.market, rangeWords(one), amount(one.liquidity, 0), amount(one.value)],
            ...[formatAtoms(one.uncollected), one.inRange ? 'yes' : 'no'],
          ]),
        ],
        'llrrrl',
      )

/** An owner's positions, each market read once. */
export const lpOf = async (venue: Venue, owner: string): Promise<ReturnType<typeof lpFigures>> => {
  const own = await positionsIn(venue, owner)
  const names = [...new Map(own.map(({ market }) => [market.name, market])).values()]
  const all = await Promise.all(
    names.map(async market => {
      const positions = own.filter(one => one.market.name === market.name).map(({ data }) => data)
      return lpFigures(await standingOf(venue, market, { positions }))
    }),
  )
  return all.flat()
}
