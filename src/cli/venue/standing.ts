/**
 * A market of a chain in the engine's hands, as the next instruction finds it: with the coupon paid that is due, since every command
 * brings it. What an order would do is asked of the engine; nothing here is sent.
 */
import { PublicKey } from '@solana/web3.js'
import { type CouponKind, formatTime, marketName, parseMarketName } from '../../../amm/index.ts'
import {
  ADDRESSES,
  ClientError,
  type ConfigData,
  type LpPositionData,
  listAccounts,
  type MarginAccountData,
  type MarketReading,
  type MarketRef,
  marketAddress,
  type RestingOrderData,
  toEngineIndex,
} from '../../client/index.ts'
import { balanceId } from '../../exchange/index.ts'
import { mirrorOf } from '../../mirror/index.ts'
import { OracleError, readHourly, readWeekly } from '../../oracle/index.ts'
import { Walk } from '../../strategy/index.ts'
import { UsageError } from '../output.ts'
import type { Venue } from './connection.ts'

export interface NamedMarket {
  readonly name: string
  readonly ref: MarketRef & { readonly kind: CouponKind; readonly maturity: number }
  readonly address: string
}

export interface Standing extends NamedMarket {
  readonly reading: MarketReading
  readonly config: ConfigData
  readonly walk: Walk
}

/** What of an owner's is looked at. */
export interface Held {
  readonly accounts?: readonly MarginAccountData[]
  readonly positions?: readonly LpPositionData[]
  readonly orders?: readonly { readonly sub: number; readonly order: RestingOrderData }[]
  /** Whose wallet is taken to have plenty: whether it has enough is seen when something is sent. */
  readonly rich?: string
}

/** 10^9 JLP or PT, atoms. */
const PLENTY = 10n ** 15n

const namedOf = (kind: CouponKind, maturity: number): NamedMarket => {
  const ref = { kind, maturity }
  return { name: marketName(maturity, kind), ref, address: marketAddress(ref) }
}

/** All markets of a chain, by maturity. */
export const marketsOf = async ({ connection }: Venue): Promise<NamedMarket[]> =>
  (await listAccounts(connection, 'Market'))
    .map(({ data: { kind, maturity } }) => namedOf(kind, maturity))
    .sort((a, b) => a.ref.maturity - b.ref.maturity || a.name.length - b.name.length)

export const marketNamed = (text: string): NamedMarket => {
  try {
    const { kind, maturity } = parseMarketName(text.toUpperCase())
    return namedOf(kind, maturity)
  } catch {
    throw new UsageError(`"${text}" is no market's name, such as JLP-2411 or JLP-2411-W: \`sunder markets\` lists them`)
  }
}

/** What is asked of the engine of any market. */
export const commonOf = async ({ client, connection }: Venue) => {
  const [config, supply] = await Promise.all([
    client.config().catch(error => {
      if (error instanceof ClientError && error.code === 'closed') {
        throw new UsageError('The exchange is not set up on this chain: is it the right one?')
      }
      throw error
    }),
    connection.getTokenSupply(new PublicKey(ADDRESSES.jlpMint)),
  ])
  return { config, jlpSupply: BigInt(supply.value.amount) }
}

/** Unknown markets are a mistake of the caller, who is told which there are. */
const readMarket = async (venue: Venue, { ref, name }: NamedMarket): Promise<MarketReading> => {
  try {
    return await venue.client.market(ref)
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'closed')) throw error
    const there = (await marketsOf(venue)).map(market => market.name)
    throw new UsageError(
      `There is no market ${name} here; ${there.length === 0 ? 'there is none' : `there are ${there.join(', ')}`}`,
    )
  }
}

/** Pays the coupon that is due, if Jupiter's account says what it is: else the engine refuses what it would refuse on chain. */
const payCoupon = (walk: Walk, { kind, indexData, jupiter, now, needsAccrue }: MarketReading): void => {
  if (needsAccrue) {
    try {
      const { index, cursor } = toEngineIndex(indexData)
      const earned = (kind === 'hourly' ? readHourly : readWeekly)(index, cursor, jupiter, now)
      walk.try({ kind: 'accrue', coupon: kind, earned })
    } catch (error) {
      if (!(error instanceof OracleError)) throw error
    }
  }
  walk.run({ kind: 'catch-up', market: walk.market })
}

export const standingOf = async (
  venue: Venue,
  market: NamedMarket,
  { rich, ...held }: Held = {},
  common?: Awaited<ReturnType<typeof commonOf>>,
): Promise<Standing> => {
  const reading = await readMarket(venue, market)
  const { config, jlpSupply } = common ?? (await commonOf(venue))
  const tokens = ['jlp', `pt/${market.name}`] as const
  const balances = new Map(rich === undefined ? [] : tokens.map(token => [balanceId(token, rich), PLENTY]))
  const mirror = mirrorOf(reading, { config, jlpSupply, balances, ...held })
  const walk = new Walk({ state: mirror.state, market: mirror.id, world: mirror.world })
  payCoupon(walk, reading)
  return { ...market, reading, config, walk }
}

/** A market with one margin account of an owner, if there is one and it is open. */
export const standingFor = async (
  venue: Venue,
  name: string,
  owner: string | undefined,
  sub: number,
): Promise<Standing> => {
  const market = marketNamed(name)
  if (owner === undefined) return standingOf(venue, market)
  const account = await venue.client.account(market.ref, owner, sub)
  return standingOf(venue, market, { rich: owner, accounts: account === undefined ? [] : [account] })
}

/** The line above a quote. */
export const headOf = ({ name, reading: { now, maturity }, walk }: Standing): string => {
  const { tauSeconds } = walk.view
  const left = tauSeconds === 0 ? 'matured' : `${((maturity - now) / 86_400).toFixed(1)} days to maturity`
  return `${name} at ${formatTime(now)}, ${left} (${formatTime(maturity)})`
}
