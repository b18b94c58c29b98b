/**
 * The pool behind JLP. Each part says where it comes from and of when it is: the pool's account and the mint are on every chain; custodies
 * and prices only on a cluster, so that a local chain shows those that are recorded; of fees by source hardly anything is recorded.
 */
import { type Static, Type } from '@fastify/type-provider-typebox'
import type { AccountBytes } from '../../../src/client/index.ts'
import {
  borrowRate,
  createJlpPool,
  custodyAum,
  holdingsOf,
  type JlpCustody,
  type JlpPool,
  jlpMarket,
  nextDistribution,
  nominalStableShare,
  type Price,
  poolAum,
  realStableShare,
  usdOf,
  utilisation,
  virtualPrice,
  weightBand,
  weightOf,
} from '../../../src/jlp/index.ts'
import {
  type Bps,
  decodeCustody,
  decodePrice,
  type JlpAtoms,
  KNOWN_CUSTODIES,
  type PoolFacts,
  type UnixSeconds,
  type UsdX6,
} from '../../../src/jupiter/index.ts'
import { CUSTODIES_2025, JLP_SUPPLY_2025, POOL_2025 } from '../../../src/jupiter/recorded/pool-2025-07-07.ts'
import { DAY_SECONDS, DAYS_PER_WEEK, secondsOf } from '../../../src/oracle/calendar.ts'
import { splitAt } from '../../../src/oracle/index.ts'
import { Freshness, Nullable, named, strict } from '../schemas.ts'
import { nextPrintAt } from './oracle.ts'
import type { PlayedRecord } from './record.ts'

// ---- shapes -----------------------------------------------------------------------------------------------------------

const Usd = (description: string) => Type.String({ description: `${description}; 10^-6 USD`, pattern: '^-?[0-9]+$' })
const Percent = (description: string) => Type.Number({ description: `${description}, percent` })
const Seconds = (description: string) => Type.Integer({ description: `${description}; unix seconds` })
const Source = Type.Union([Type.Literal('chain'), Type.Literal('recorded')], {
  description:
    '`chain`: read from its accounts. `recorded`: what was once read from Solana, since this chain does not have it',
})

const Custody = strict({
  symbol: Type.String({ description: 'Of the token', examples: ['SOL'] }),
  address: Type.String({ description: 'Of the custody' }),
  mint: Type.String({ description: 'Of the token' }),
  stable: Type.Boolean({ description: 'A stablecoin' }),
  priceUsd: Type.String({ description: 'USD for one token', pattern: '^[0-9]+(\\.[0-9]+)?$' }),
  valueUsd: Usd("Its part of the pool's assets"),
  weightPercent: Percent("Its part of the pool's assets"),
  targetPercent: Percent('What it is to be'),
  lowestPercent: Percent('Below it no withdrawals'),
  highestPercent: Percent('Above it no deposits'),
  utilisationPercent: Percent('Locked for positions and lent out'),
  borrowPercentAnHour: Percent('What traders pay for it, an hour'),
  feesWaitingUsd: Usd('Fees taken in since the last distribution'),
})

export const JlpShape = named(
  'Jlp',
  strict({
    pool: strict(
      {
        source: Source,
        asOf: Seconds('When the account was refreshed'),
        aumUsd: Usd("The pool's assets"),
        maxAumUsd: Usd('Where minting closes'),
        supply: Type.String({ description: 'JLP in existence, atoms', pattern: '^[0-9]+$' }),
        testSupply: Type.Boolean({
          description: "The chain is local: its JLP is test JLP, and so is the price's divisor",
        }),
        virtualPrice: Nullable(Usd('Assets for one JLP; null without JLP')),
        minting: Type.Union([Type.Literal('open'), Type.Literal('closed')]),
      },
      { description: "The pool's account and the mint" },
    ),
    fees: strict({
      source: Source,
      asOf: Seconds('When the account was refreshed'),
      from: Seconds('When the week began: the last print'),
      realizedUsd: Usd("The pool's part of fees since then"),
      protocolSharePercent: Percent('What the protocol keeps of all fees'),
      aprPercent: Percent('What was last printed, a year'),
      nextDistributionAt: Seconds('The next full hour, when fees are split'),
      nextPrintAt: Seconds('The first full hour at which the APR can be printed anew'),
    }),
    lastWeek: Nullable(
      strict(
        {
          source: Source,
          asOf: Seconds('When it was over'),
          from: Seconds('Its Saturday'),
          feesUsd: Usd('All fees'),
          aumUsd: Usd('Mean assets'),
          aprPercent: Percent("The pool's 75 %, a year"),
          fees: Type.Union([Type.Literal('real'), Type.Literal('modelled'), Type.Literal('unstated')], {
            description: 'Whether the sum is recorded, or modelled from the fees of closing positions',
          }),
          bySource: strict(
            {
              kind: Type.Union([Type.Literal('not-recorded'), Type.Literal('closes-only')]),
              closeUsd: Nullable(Usd('Of closing positions')),
              restUsd: Nullable(Usd('Opening, borrowing, swaps, minting and redeeming')),
            },
            { description: 'No series of fees by source is recorded; nothing is made up for it' },
          ),
          change: Nullable(
            strict(
              {
                points: Type.Number(),
                byFees: Type.Number(),
                byTvl: Type.Number(),
              },
              { description: 'Of the APR against the week before, in points, and what fees and assets did' },
            ),
          ),
        },
        { description: 'The last full week of recorded history that is over' },
      ),
    ),
    holdings: strict(
      {
        source: Source,
        asOf: Seconds('Of when the custodies are'),
        aumUsd: Usd('All custodies at these prices'),
        virtualPrice: Usd('Of one JLP, with the supply of then'),
        roomUsd: Usd('What can still be deposited'),
        stablePercent: Percent('Stablecoins, at face value'),
        realStablePercent: Percent('The same with crypto lent to longs counted as dollars'),
        custodies: Type.Array(Custody),
      },
      { description: 'What the pool holds' },
    ),
    ...Freshness,
  }),
)
/** The page but for when it was read. */
export type JlpView = Omit<Static<typeof JlpShape>, keyof typeof Freshness>

// ---- what it holds ------------------------------------------------------------------------------------------------------

export interface Holdings {
  readonly source: 'chain' | 'recorded'
  /** Unix seconds. */
  readonly asOf: number
  readonly pool: JlpPool
}

/** Closing prices of 2025-07-07, 13:00 to 14:00 UTC (hourly prices of an exchange); the stables at a dollar. */
const PRICES_2025: Readonly<Record<string, Price>> = {
  SOL: { price: 15_307n, expo: -2 },
  ETH: { price: 256_601n, expo: -2 },
  BTC: { price: 10_853_684n, expo: -2 },
  USDC: { price: 1n, expo: 0 },
  USDT: { price: 1n, expo: 0 },
}
const RECORDED_AT = Date.UTC(2025, 6, 7, 13, 6) / 1000

const symbolOf = (address: string): string =>
  KNOWN_CUSTODIES.find(known => known.custody === address)?.symbol ?? address.slice(0, 6)

/** The pool as it was recorded on 2025-07-07. */
export const recordedHoldings = (): Holdings => {
  const custodies = CUSTODIES_2025.map(({ address, facts }) => ({
    address,
    facts,
    price: PRICES_2025[symbolOf(address)]!,
  }))
  const supply = JLP_SUPPLY_2025 as JlpAtoms
  return {
    source: 'recorded',
    asOf: RECORDED_AT,
    pool: createJlpPool({ facts: POOL_2025.facts, custodies, supply }),
  }
}

type Read = (addresses: readonly string[]) => Promise<readonly (AccountBytes | undefined)[]>

/** Custodies and the prices that they name, from the chain; undefined where there are none. */
export const readHoldings = async (
  read: Read,
  { jupiter, supply, now }: { readonly jupiter: PoolFacts; readonly supply: bigint; readonly now: number },
): Promise<Holdings | undefined> => {
  const accounts = await read(jupiter.custodies)
  const found = jupiter.custodies.flatMap((address, i) => {
    const account = accounts[i]
    return account === undefined ? [] : [{ address, facts: decodeCustody({ ...account, address }) }]
  })
  if (found.length === 0 || found.length < jupiter.custodies.length) return undefined
  const feeds = await read(found.map(({ facts }) => facts.dovesAgOracle))
  const custodies = found.map(({ address, facts }, i) => {
    const { price, expo } = decodePrice({ ...feeds[i]!, address: facts.dovesAgOracle })
    return { address, facts, price: { price, expo } }
  })
  return { source: 'chain', asOf: now, pool: createJlpPool({ facts: jupiter, custodies, supply: supply as JlpAtoms }) }
}

/** Milliseconds that what a cluster's custodies say is shown before they are asked again. */
const KEPT = 10_000

/** The holdings, read seldom and by nobody twice at a time. A chain that has no custodies is not asked for them again. */
export class HoldingsReader {
  readonly #read: Read
  #holdings: Promise<Holdings> | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(read: Read) {
    this.#read = read
  }

  get(at: Parameters<typeof readHoldings>[1]): Promise<Holdings> {
    if (this.#holdings !== undefined && performance.now() - this.#readAt < KEPT) return this.#holdings
    this.#readAt = performance.now()
    const asked = readHoldings(this.#read, at).then(found => {
      if (found === undefined) this.#readAt = Number.POSITIVE_INFINITY
      return found ?? recordedHoldings()
    })
    this.#holdings = asked
    asked.catch(() => {
      if (this.#holdings === asked) this.#holdings = undefined
    })
    return asked
  }
}

// ---- the view ---------------------------------------------------------------------------------------------------------------

const percent = (value: bigint, whole: bigint): number => Number((value * 1_000_000n) / whole) / 10_000
const WHOLE_X8 = 100_000_000n
const WHOLE_X9 = 1_000_000_000n
const ALL_BPS = 10_000n

/** A price as people write it. */
const decimalOf = ({ price, expo }: Price): string => {
  if (expo === 0) return String(price)
  const digits = String(price).padStart(1 - expo, '0')
  return `${digits.slice(0, expo)}.${digits.slice(expo)}`
}

const custodyView = (custody: JlpCustody, aum: UsdX6, buffer: Bps): Static<typeof Custody> => {
  const { address, facts, price } = custody
  const value = custodyAum(custody, 'down')
  const { lowest, highest } = weightBand(facts.targetRatioBps, buffer)
  return {
    symbol: symbolOf(address),
    address,
    mint: facts.mint,
    stable: facts.isStable,
    priceUsd: decimalOf(price),
    valueUsd: String(value),
    weightPercent: percent(weightOf(value, aum, 'down'), WHOLE_X8),
    targetPercent: percent(facts.targetRatioBps, ALL_BPS),
    lowestPercent: percent(lowest, WHOLE_X8),
    highestPercent: percent(highest, WHOLE_X8),
    utilisationPercent: percent(utilisation(facts), WHOLE_X9),
    borrowPercentAnHour: percent(borrowRate(facts), WHOLE_X9),
    feesWaitingUsd: String(usdOf(facts.assets.feesReserves, facts.decimals, price, 'down')),
  }
}

const holdingsView = ({ source, asOf, pool }: Holdings): JlpView['holdings'] => {
  const aum = poolAum(pool, 'down')
  const holdings = holdingsOf(pool)
  const market = jlpMarket(pool, 0n as Bps)
  return {
    source,
    asOf,
    aumUsd: String(aum),
    virtualPrice: String(market.virtualPrice),
    roomUsd: String(market.room),
    stablePercent: percent(nominalStableShare(holdings), WHOLE_X9),
    realStablePercent: percent(realStableShare(holdings), WHOLE_X9),
    custodies: pool.custodies.map(custody => custodyView(custody, aum, pool.facts.limit.tokenWeightageBufferBps)),
  }
}

/** 10^-9 a year, in points of percent. */
const points = (x9: bigint): number => Number(x9) / 1e7

/** The last full week that is over; null before there is one. */
export const lastWeekOf = (record: PlayedRecord, now: number, isPlayed: boolean): JlpView['lastWeek'] => {
  const today = Math.floor(now / DAY_SECONDS)
  // Three weeks have two full ones in them whatever weekday it is, and one more day.
  const most = 3 * DAYS_PER_WEEK + 1
  const end = isPlayed ? today : record.first + record.history.days.length
  const recent = record.days(Math.max(record.first, end - most), end)
  if (recent.days.length < 2 * DAYS_PER_WEEK) return null
  const { week, sources, change } = splitAt(recent, secondsOf(recent.days.at(-1)!.day + 1))
  const closes = sources.kind === 'closes-only' ? sources.closeFeesUsdX6 : undefined
  return {
    source: 'recorded',
    asOf: secondsOf(week.day + DAYS_PER_WEEK),
    from: secondsOf(week.day),
    feesUsd: String(week.feesUsdX6),
    aumUsd: String(week.aumUsdX6),
    aprPercent: Math.round(week.aprPercent * 1e4) / 1e4,
    fees: week.kind,
    bySource: {
      kind: closes === undefined ? 'not-recorded' : 'closes-only',
      closeUsd: closes === undefined ? null : String(closes),
      restUsd: closes === undefined ? null : String(week.feesUsdX6 - closes),
    },
    change:
      change === undefined
        ? null
        : { points: points(change.changeX9), byFees: points(change.feesX9), byTvl: points(change.tvlX9) },
  }
}

export interface JlpInput {
  readonly now: number
  readonly jupiter: PoolFacts
  readonly supply: bigint
  readonly local: boolean
  readonly holdings: Holdings
  readonly record: PlayedRecord
  /** Whether the chain plays the record. */
  readonly isPlayed: boolean
}

export const jlpView = ({ now, jupiter, supply, local, holdings, record, isPlayed }: JlpInput): JlpView => {
  const { poolApr, aumUsd, limit, fees } = jupiter
  const asOf = Number(jupiter.aumUsdUpdatedAt)
  return {
    pool: {
      source: 'chain',
      asOf,
      aumUsd: String(aumUsd),
      maxAumUsd: String(limit.maxAumUsd),
      supply: String(supply),
      testSupply: local,
      virtualPrice: supply === 0n ? null : String(virtualPrice(aumUsd, supply as JlpAtoms, 'down')),
      minting: aumUsd >= limit.maxAumUsd ? 'closed' : 'open',
    },
    fees: {
      source: 'chain',
      asOf,
      from: Number(poolApr.lastUpdated),
      realizedUsd: String(poolApr.realizedFeeUsd),
      protocolSharePercent: percent(fees.protocolShareBps, ALL_BPS),
      aprPercent: Number(poolApr.feeAprBps) / 100,
      nextDistributionAt: Number(nextDistribution(BigInt(now) as UnixSeconds)),
      nextPrintAt: nextPrintAt(Number(poolApr.lastUpdated), now),
    },
    lastWeek: lastWeekOf(record, now, isPlayed),
    holdings: holdingsView(holdings),
  }
}
