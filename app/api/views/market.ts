/** A market as people look at it. Figures of the slot alone are made once a slot. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { apyFromRate, ONE_Q64, type Pool, type RateQ64, rateFromApy, shiftQ64, tickRate } from '../../../amm/index.ts'
import { freshnessOf } from '../../../src/client/index.ts'
import type { Context, Index } from '../context.ts'
import type { Feed, LiveMarket } from '../feed.ts'
import { Atoms, Freshness, Kind, MarketRef, Nullable, named, oneOf, Q64, q64, q64OrNull, said } from '../schemas.ts'

// ---- status ---------------------------------------------------------------------------------------------------------------

const STATUS = {
  open: 'Open',
  opening: 'Not all of its accounts are there yet',
  paused: 'New risk is paused: exits are open',
  'reduce-only': 'No coupon for too long: exits alone are open until the next one',
  'coupon-due': 'Open; a coupon is due, which the next transaction pays',
  matured: 'Matured: PT are redeemed and accounts settled',
  stale: 'The chain was last read too long ago: nothing is quoted',
} as const
type Status = keyof typeof STATUS

const statusOf = ({ reading, ready, shared, view }: LiveMarket): Exclude<Status, 'stale'> => {
  if (view.tauSeconds === 0) return 'matured'
  if (!reading.data.active) return 'opening'
  if (shared.now < shared.config.pausedUntil) return 'paused'
  const { indexData, jupiter, now } = ready.reading
  const { lastUpdated } = jupiter.poolApr
  // Of what cannot be paid now, exits may still be open.
  if (freshnessOf(indexData, { lastUpdated }, now) === 'reduce-only') return 'reduce-only'
  return reading.needsAccrue ? 'coupon-due' : 'open'
}

// ---- depth ----------------------------------------------------------------------------------------------------------------

/** Liquidity in force between two rates. */
interface Stretch {
  readonly from: bigint
  readonly to: bigint
  readonly liquidity: bigint
}

const stretchesOf = ({ ticks }: Pool): Stretch[] => {
  let liquidity = 0n
  return ticks.slice(0, -1).flatMap(({ rate, net }, i) => {
    liquidity += net
    return liquidity === 0n ? [] : [{ from: rate, to: ticks[i + 1]!.rate, liquidity }]
  })
}
const stretches = ({ ready }: LiveMarket): Stretch[] => stretchesOf(ready.reading.pool)

/** YT that trading from one rate to a higher one moves, atoms, whatever the limits of a trade. */
const ytBetween = (all: readonly Stretch[], low: bigint, high: bigint): bigint =>
  shiftQ64(
    all.reduce((sum, { from, to, liquidity }) => {
      const [a, b] = [from > low ? from : low, to < high ? to : high]
      return a < b ? sum + liquidity * (b - a) : sum
    }, 0n),
    'down',
  )

/** A rate some APY away, within the grid; Q64.64. */
const rateBeside = (live: LiveMarket, apy: bigint): bigint => {
  const { minTick, maxTick } = live.reading.terms.grid
  const [least, most] = [tickRate(minTick), tickRate(maxTick)]
  if (apy <= apyFromRate(least)) return least
  return apy >= apyFromRate(most) ? most : rateFromApy(apy)
}

const POINT = ONE_Q64 / 100n

export const Bucket = Type.Object({
  fromApy: Q64,
  toApy: Q64,
  yt: Type.String({ description: 'YT between the two, atoms' }),
  side: oneOf(['below', 'around', 'above'], {
    description: 'Of the rate: what lies above is bought by longs, what lies below is sold to by shorts',
  }),
})

/** Most buckets of an answer. */
export const MOST_BUCKETS = 200

/** YT by bucket of APY, as wide as asked for, bp; those with some, and so many at most, nearest to the rate. */
export const depthOf = (live: LiveMarket, width: number): Static<typeof Bucket>[] => {
  const all = live.once(stretches)
  const { rate } = live.view
  if (all.length === 0) return []
  const step = (ONE_Q64 * BigInt(width)) / 10_000n
  const bucketAt = (at: bigint): bigint => apyFromRate(at as RateQ64) / step
  const here = bucketAt(rate)
  const [first, last] = [bucketAt(all[0]!.from), bucketAt(all.at(-1)!.to)]
  const half = BigInt(MOST_BUCKETS / 2)
  const buckets: Static<typeof Bucket>[] = []
  const low = here - half > first ? here - half : first
  const high = here + half - 1n < last ? here + half - 1n : last
  for (let bucket = low; bucket <= high; bucket++) {
    const [from, to] = [rateBeside(live, bucket * step), rateBeside(live, (bucket + 1n) * step)]
    const yt = ytBetween(all, from, to)
    const side = bucket < here ? 'below' : bucket > here ? 'above' : 'around'
    if (yt > 0n) buckets.push({ fromApy: q64(bucket * step), toApy: q64((bucket + 1n) * step), yt: String(yt), side })
  }
  return buckets
}

// ---- volume ---------------------------------------------------------------------------------------------------------------

const Volume = Type.Object(
  { jlp: Atoms, yt: Atoms, fees: Atoms, trades: Type.Integer() },
  { description: 'Of 24 hours by the chain, as far as the index has come' },
)
const DAY = 86_400
/** Milliseconds that volumes are kept, and that the first request waits for them. */
const KEPT = 5000
const FIRST_WAIT = 300

/** Volumes of all markets, asked of the index now and then: no answer waits for it, but for the first a little. */
export class Volumes {
  readonly #index: Index | undefined
  #found = new Map<string, Static<typeof Volume>>()
  #asked: Promise<void> | undefined
  #askedAt = Number.NEGATIVE_INFINITY
  #known = false

  constructor(index: Index | undefined) {
    this.#index = index
  }

  async of(now: number): Promise<ReadonlyMap<string, Static<typeof Volume>> | undefined> {
    if (this.#index === undefined) return undefined
    if (performance.now() - this.#askedAt > KEPT && this.#asked === undefined) {
      this.#askedAt = performance.now()
      this.#asked = this.#ask(this.#index, now - DAY).finally(() => {
        this.#asked = undefined
      })
    }
    if (!this.#known) await Promise.race([this.#asked, new Promise(done => setTimeout(done, FIRST_WAIT).unref())])
    return this.#known ? this.#found : undefined
  }

  async #ask(index: Index, since: number): Promise<void> {
    try {
      const all = await index.volumes(since)
      this.#found = new Map(
        all.map(({ market, volume, volumeYt, volumeFees, trades }) => [
          market,
          { jlp: String(volume), yt: String(volumeYt), fees: String(volumeFees), trades },
        ]),
      )
      this.#known = true
    } catch {
      this.#known = false // it is not there, or not yet: markets are shown without
    }
  }
}

// ---- the market -------------------------------------------------------------------------------------------------------------

export const Market = named(
  'Market',
  Type.Object({
    ...MarketRef,
    kind: Kind,
    maturity: Type.Integer({ description: 'Unix seconds' }),
    tauSeconds: Type.Integer({ description: 'From the last coupon to maturity; 0 from then on' }),
    status: oneOf(Object.keys(STATUS) as Status[]),
    says: Type.String({ description: 'The same in words' }),
    couponDue: Type.Boolean({ description: 'Figures are those after the coupon that the next transaction pays' }),
    rate: said(Q64, 'Continuous yield a year'),
    impliedApy: Q64,
    twapApy: Q64,
    officialApr: Nullable(Q64),
    leadingApr: Nullable(Q64),
    leadingApy: Nullable(Q64),
    leadingEdge: Nullable(Q64),
    ytPrice: Q64,
    ptPrice: Q64,
    ptFixedApy: Q64,
    discount: Q64,
    depth: Type.Object(
      { perBp: Atoms, up: Atoms, down: Atoms },
      { description: 'YT that move the rate by 1 bp, and the implied APY by one point up and down' },
    ),
    openInterest: Type.Object({
      longYt: Atoms,
      shortYt: Atoms,
      jlp: Type.String({ description: 'Face value of the larger side, JLP atoms' }),
      cap: Type.String({ description: 'The most that it may be, JLP atoms' }),
    }),
    pt: Atoms,
    tvl: Type.String({ description: 'JLP in the vault, atoms' }),
    lpEquity: Atoms,
    fund: Type.String({ description: 'Insurance fund at the spot, JLP atoms' }),
    deficit: Type.String({ description: 'Losses not yet covered, JLP atoms' }),
    backing: Type.Object({ reserve: Atoms, owed: Atoms }, { description: 'At the worst coupons, JLP atoms' }),
    mostLeverage: Type.Object({ long: Q64, short: Q64 }, { description: 'That margin allows now; ST leg per margin' }),
    feeBps: Type.Integer(),
    volume24h: Nullable(Volume),
    eventSequence: Type.String({ description: 'Events about it so far: a reader sees a gap' }),
    ...Freshness,
  }),
)

/** All that follows from the slot alone. */
const figuresOf = (live: LiveMarket) => {
  const { view, ready, shared, reading } = live
  const { rate, discount } = view
  const all = live.once(stretches)
  const beside = (points: bigint): bigint => rateBeside(live, view.impliedApy + points * POINT)
  const longFace = shiftQ64((view.longYt > view.shortYt ? view.longYt : view.shortYt) * discount, 'up')
  return {
    market: live.name,
    address: live.address,
    kind: live.kind,
    maturity: live.maturity,
    tauSeconds: view.tauSeconds,
    couponDue: reading.needsAccrue && ready.reading !== reading,
    rate: q64(rate),
    impliedApy: q64(view.impliedApy),
    twapApy: q64(apyFromRate(view.twapRate)),
    ytPrice: q64(view.ytPrice),
    ptPrice: q64(view.ptPrice),
    ptFixedApy: q64(view.tauSeconds === 0 ? 0n : view.impliedApy),
    discount: q64(discount),
    depth: {
      perBp: String(view.depthPerBp),
      up: String(ytBetween(all, rate, beside(1n))),
      down: String(ytBetween(all, beside(-1n), rate)),
    },
    openInterest: {
      longYt: String(view.longYt),
      shortYt: String(view.shortYt),
      jlp: String(longFace),
      cap: String((shared.jlpSupply * BigInt(reading.terms.openInterestBps)) / 10_000n),
    },
    pt: String(view.pt),
    tvl: String(view.tvl),
    lpEquity: String(view.lpEquity),
    fund: String(view.fund),
    deficit: String(view.deficit),
    backing: { reserve: String(view.backing.reserve), owed: String(view.backing.owed) },
    mostLeverage: { long: q64(view.mostLeverage.long), short: q64(view.mostLeverage.short) },
    feeBps: reading.terms.feeBps,
    eventSequence: String(reading.data.eventSequence),
  }
}

/** A market with its moment; `volumes` by address, if they are known. */
export const marketRow = (
  { feed, yields }: Pick<Context, 'feed' | 'yields'>,
  live: LiveMarket,
  volumes: ReadonlyMap<string, Static<typeof Volume>> | undefined,
): Static<typeof Market> => {
  const freshness = feed.freshness(live.shared)
  const status = freshness.stale ? 'stale' : live.once(statusOf)
  const { leadingApy } = yields
  return {
    ...live.once(figuresOf),
    status,
    says: STATUS[status],
    officialApr: q64OrNull(yields.officialApr),
    leadingApr: q64OrNull(yields.leadingApr),
    leadingApy: q64OrNull(leadingApy),
    leadingEdge: q64OrNull(leadingApy === undefined ? undefined : leadingApy - live.view.impliedApy),
    volume24h:
      volumes === undefined ? null : (volumes.get(live.address) ?? { jlp: '0', yt: '0', fees: '0', trades: 0 }),
    ...freshness,
  }
}

// ---- term structure -----------------------------------------------------------------------------------------------------------

export const TermPoint = Type.Object({
  ...MarketRef,
  kind: Kind,
  maturity: Type.Integer(),
  tauSeconds: Type.Integer(),
  impliedApy: Q64,
  ytPrice: Q64,
  forwardApy: Nullable(Q64),
})

/** Implied APYs by maturity, and what they imply between one maturity and the next of the same coupons. */
export const termStructure = (feed: Feed): Static<typeof TermPoint>[] => {
  const before = new Map<string, LiveMarket>()
  return feed.markets
    .filter(({ view }) => view.tauSeconds > 0)
    .map(live => {
      const { name: market, address, kind, maturity, view } = live
      const earlier = before.get(kind)?.view ?? { rate: 0n, tauSeconds: 0 }
      before.set(kind, live)
      const seconds = BigInt(view.tauSeconds - earlier.tauSeconds)
      const gained = view.rate * BigInt(view.tauSeconds) - earlier.rate * BigInt(earlier.tauSeconds)
      const forward = seconds > 0n && gained >= 0n ? gained / seconds : undefined
      const isRate = forward !== undefined && forward < 4n * ONE_Q64
      return {
        market,
        address,
        kind,
        maturity,
        tauSeconds: view.tauSeconds,
        impliedApy: q64(view.impliedApy),
        ytPrice: q64(view.ytPrice),
        forwardApy: isRate ? q64(apyFromRate(forward as RateQ64)) : null,
      }
    })
}
