/** Chains with markets, traders on them, and keepers; every chain of a scenario begins as a copy of the same one. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '@solana/web3.js'
import type { LocalChain, LocalRpc } from '../../src/chain/index.ts'
import { type LocalMarket, nextMarket, openMarket, setUp } from '../../src/cli/local-markets.ts'
import { SunderClient, walletOf } from '../../src/client/index.ts'
import { Keeper, type KeeperEvent, type KeeperSetting } from '../../src/keeper/index.ts'
import { as, chainOf, idOf, keyOf, ONE } from '../chain/support.ts'

export { as, idOf, key, keyOf, ONE } from '../chain/support.ts'

export interface Place {
  readonly chain: LocalChain
  readonly rpc: LocalRpc
  readonly connection: Connection
  readonly client: SunderClient
  readonly market: LocalMarket
}

export const HOUR = 3600
/** JLP atoms in the market. */
const LIQUIDITY = 500_000n * ONE

/** Time goes on by so many seconds in one slot. */
export const later = ({ chain }: Pick<Place, 'chain'>, seconds: number): void => chain.nextSlot(seconds * 1000)

const placeOf = (setting: { readonly directory?: string } = {}) => {
  const made = chainOf(setting)
  return { ...made, client: new SunderClient(made.connection), market: nextMarket(made.chain.now, 'hourly') }
}

/** A chain with an hourly market, some history of its rate behind it, and SOL for the keepers. */
export const begin = async (
  setting: { readonly directory?: string } = {},
  keepers = ['keeper', 'other'],
): Promise<Place> => {
  const place = placeOf(setting)
  const { client, chain, rpc, market } = place
  await setUp(client, chain)
  const give = () => rpc.faucet.give(chain.operator.publicKey.toBase58(), LIQUIDITY)
  await openMarket(client, chain, market, LIQUIDITY, give)
  for (const name of keepers) rpc.faucet.airdrop(idOf(name), 10 ** 9)
  later(place, 400)
  await client.execute('accrue', { coupon: 'hourly' }, walletOf(chain.operator))
  return place
}

/** JLP for a wallet. */
export const fund = ({ rpc }: Place, name: string, jlp: bigint): string => rpc.faucet.give(idOf(name), jlp * ONE)

/** Longs on margin, `leverage` times their margin in JLP. */
export const goLong = async (place: Place, name: string, leverage: bigint, margin = 3n): Promise<void> => {
  fund(place, name, margin * 2n)
  const order = { action: 'long', unit: 'st', amount: margin * leverage * ONE, margin: margin * ONE } as const
  await place.client.trade({ market: place.market, owner: idOf(name), sub: 0, ...order }, as(name))
}

/** Sells so many YT into the market on the whale's own money, which no bound stops; returns how far the rate fell, in percent. */
export const crash = async (place: Place, yt: bigint): Promise<number> => {
  const { client, market } = place
  const owner = idOf('whale')
  fund(place, 'whale', 400_000n)
  const before = (await client.market(market)).pool.rate
  await client.execute('split', { market, owner, sub: 0, yt: yt * ONE }, as('whale'))
  const sale = { action: 'close', unit: 'token', amount: 0n, toleranceBps: 9000 } as const
  await client.trade({ market, owner, sub: 0, ...sale }, as('whale'))
  const { rate } = (await client.market(market)).pool
  return Number(((before - rate) * 10_000n) / before) / 100
}

/** A keeper whose waits take no time but the chain's slots, and what it said. */
export const keeperOn = (
  { chain, connection }: Pick<Place, 'chain' | 'connection'>,
  name = 'keeper',
  setting: Partial<KeeperSetting> = {},
) => {
  const events: KeeperEvent[] = []
  let now = 0
  const sleep = async (milliseconds: number): Promise<void> => {
    now += milliseconds
    chain.nextSlot(0)
    await new Promise(done => setImmediate(done))
  }
  const clock = { now: () => now, sleep }
  const keeper = new Keeper({ connection, key: keyOf(name), clock, onEvent: event => events.push(event), ...setting })
  return { keeper, events }
}

/** What was done, as "job result", in order. */
export const told = (events: readonly KeeperEvent[]): string[] => events.map(({ job, result }) => `${job} ${result}`)

/** A scenario is set up once and kept in a directory, of which every chain is a copy. */
export const kept = async (prepare: (place: Place) => Promise<void>) => {
  const root = mkdtempSync(join(tmpdir(), 'sunder-keeper-'))
  const original = join(root, 'original')
  const place = await begin({ directory: original })
  await prepare(place)
  await place.chain.stop()
  let copies = 0
  return {
    copy: (): Place => {
      const directory = join(root, `copy-${++copies}`)
      cpSync(original, directory, { recursive: true })
      const copy = placeOf({ directory })
      return { ...copy, market: place.market }
    },
    forget: () => rmSync(root, { recursive: true, force: true }),
  }
}
