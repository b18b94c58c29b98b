/** Creating markets, paying coupons, pausing, changing terms. Nothing here touches a balance, a price or an index at will. */
import { createOracle, createPool, marketName, rateQ64, tauAt } from '../../amm/index.ts'
import { accrueIndex, finalise as finaliseIndex, HOUR_SECONDS, WEEK_SECONDS, watchMaturity } from '../oracle/accrual.ts'
import { SOURCE_TERMS } from '../oracle/source.ts'
import { EMPTY_LEGS, NO_TOTALS } from './account.ts'
import type { Draft } from './draft.ts'
import { refuse } from './errors.ts'
import type { Of } from './instruction.ts'
import type { Config } from './state.ts'
import { changeableOf, checkTerms, DEFAULT_TERMS, type MarketTerms } from './terms.ts'

/** What the creator leaves in the vault for good, JLP atoms: the last ulps of LP accounting may come out of it. */
export const SEED_DUST = 1000n
/** How far ahead a maturity may lie: two years hold 24 maturities, of the 32 that an index keeps. */
const LONGEST = 730 * 24 * HOUR_SECONDS
export const PAUSE_SECONDS = 72 * HOUR_SECONDS
const PAUSE_REST = 24 * HOUR_SECONDS
/** How long a change of terms waits. */
export const QUEUE_SECONDS = 24 * HOUR_SECONDS

/** Opens a market for a maturity; anyone may. Its name and so its maturity are unique. */
export const createMarket = (draft: Draft, { by, coupon, maturity, rate, terms }: Of<'create-market'>): void => {
  const { now } = draft.world
  const { pausedUntil } = draft.config
  if (now < pausedUntil) refuse('paused', { pausedUntil, now })
  // Names are unique for ever: only the authority may leave the template.
  if (terms !== undefined) checkBy(by, [draft.config.authority])
  if (maturity <= now) refuse('matured', { maturity, now })
  if (maturity > now + LONGEST) refuse('bad-parameter', { name: 'maturity', value: maturity, most: now + LONGEST })
  const id = marketName(maturity, coupon)
  if (draft.hasMarket(id)) refuse('market-exists', { market: id })
  const merged: MarketTerms = { ...DEFAULT_TERMS[coupon], ...changeableOf(terms ?? {}) }
  checkTerms(merged)
  const index = watchMaturity(draft.withoutCopied(coupon), maturity)
  draft.saveIndex(index)
  const { grid, feeBps, lpShareBps, insuranceShareBps, clampPerSecond } = merged
  const start = rateQ64(rate)
  const pool = createPool({
    grid,
    fees: { feeBps, lpShareBps, insuranceShareBps },
    rate: start,
    tauSeconds: tauAt(maturity, index.lastStep),
    discount: index.discount,
  })
  draft.move('jlp', by, -SEED_DUST)
  draft.saveMarket({
    id,
    kind: coupon,
    maturity,
    terms: merged,
    queued: undefined,
    pool,
    oracle: createOracle({ now, rate: start, clampPerSecond }),
    standing: { since: now, low: start, high: start, lowBefore: start, highBefore: start },
    totals: NO_TOTALS,
    fund: { ...EMPTY_LEGS, discount: pool.discount },
    vault: SEED_DUST,
    fees: 0n,
    retired: 0n,
    haircut: undefined,
  })
  draft.events.push({
    type: 'market',
    market: id,
    vault: SEED_DUST,
    fees: 0n,
    deficit: 0n,
    pt: 0n,
    issued: 0n,
    fund: { margin: 0n, st: 0n, yt: 0n },
  })
  draft.events.push({ type: 'created', market: id, maturity, rate: start })
}

/** Pays the coupon that the source says was earned; anyone may. Markets copy it when they are next used. */
export const accrue = (draft: Draft, { coupon, earned }: Of<'accrue'>): void => {
  const { now, weeklyUpdatedAt } = draft.world
  const { settlingDelay } = SOURCE_TERMS[coupon]
  const settled = coupon === 'hourly' ? now - settlingDelay : Math.min(now, weeklyUpdatedAt)
  if (earned.to > settled) refuse('too-early', { to: earned.to, settled })
  const { next, step } = accrueIndex(draft.index(coupon), earned)
  draft.saveIndex(next)
  const { to, discountAfter, feesPaid, carry } = step
  draft.events.push({ type: 'accrued', coupon, to, discount: discountAfter, feesPaid, carry })
}

export const finalise = (draft: Draft, { coupon, maturity }: Of<'finalise'>): void => {
  const before = draft.index(coupon)
  const { now, weeklyUpdatedAt } = draft.world
  // Published data are paid, not cut off; a source that cannot be read must not freeze claims for ever either.
  if (coupon === 'weekly' && weeklyUpdatedAt > before.lastStep && now < maturity + 2 * WEEK_SECONDS) {
    refuse('coupon-due', { lastStep: before.lastStep, weeklyUpdatedAt })
  }
  const index = finaliseIndex(before, maturity, draft.world.now)
  draft.saveIndex(index)
  const { lastStep, discount, carry } = index
  draft.events.push({ type: 'accrued', coupon, to: lastStep, discount, feesPaid: 0n, carry })
}

/** Pays the protocol's fees to the treasury; anyone may. What a deficit took of them it took when they were charged. */
export const collectFees = (draft: Draft, { market: id }: Of<'collect-fees'>): void => {
  const market = draft.market(id)
  if (market.fees === 0n) refuse('zero-amount')
  draft.saveMarket(draft.pay({ ...market, fees: 0n }, draft.config.treasury, -market.fees))
}

const checkBy = (by: string, allowed: readonly string[]): void => {
  if (!allowed.includes(by)) refuse('unauthorised', { by })
}

/** Stops new risk for 72 hours, not again within 24 hours of its end; ends it early. Exits are never stopped. */
export const pause = (draft: Draft, { kind, by }: Of<'pause' | 'unpause'>): void => {
  const { config, world } = draft
  checkBy(by, [config.authority, config.pauser])
  const paused = world.now < config.pausedUntil
  if (kind === 'unpause') {
    if (!paused) refuse('pause-limit', { pausedUntil: config.pausedUntil, now: world.now })
    saveConfig(draft, { ...config, pausedUntil: world.now })
    return
  }
  if (config.pausedUntil > 0 && world.now < config.pausedUntil + PAUSE_REST) {
    refuse('pause-limit', { pausedUntil: config.pausedUntil, now: world.now })
  }
  saveConfig(draft, { ...config, pausedUntil: world.now + PAUSE_SECONDS })
}

const saveConfig = (draft: Draft, config: Config): void => {
  draft.config = config
  draft.events.push({ type: 'paused', until: config.pausedUntil })
}

export const proposeTerms = (draft: Draft, { by, market: id, terms }: Of<'propose-terms'>): void => {
  checkBy(by, [draft.config.authority])
  if (typeof terms !== 'object') refuse('bad-parameter', { name: 'terms' })
  checkTerms(terms)
  draft.saveMarket({
    ...draft.market(id),
    queued: { terms: changeableOf(terms), readyAt: draft.world.now + QUEUE_SECONDS },
  })
  draft.events.push({ type: 'terms-proposed', market: id })
}

/** Applies terms that have waited; anyone may. */
export const applyTerms = (draft: Draft, { market: id }: Of<'apply-terms'>): void => {
  const market = draft.market(id)
  const { queued } = market
  const { now } = draft.world
  if (queued === undefined) refuse('zero-amount')
  if (now < queued.readyAt) refuse('too-early', { readyAt: queued.readyAt, now })
  const { feeBps, lpShareBps, insuranceShareBps } = queued.terms
  draft.saveMarket({
    ...market,
    terms: { ...market.terms, ...queued.terms },
    pool: { ...market.pool, fees: { feeBps, lpShareBps, insuranceShareBps } },
    queued: undefined,
  })
  draft.events.push({ type: 'terms-applied', market: id })
}

/** A market as it stands now; see `Draft.market`. Its index can forget a maturity once the market has copied it. */
export const catchUp = (draft: Draft, { market: id }: Of<'catch-up'>): void => {
  draft.saveMarket(draft.market(id))
}

/** Who may pause, and who gets the protocol's fees: a key that is lost or stolen can be replaced. */
export const appoint = (draft: Draft, { by, pauser, treasury }: Of<'appoint'>): void => {
  checkBy(by, [draft.config.authority])
  draft.config = { ...draft.config, pauser, treasury }
  draft.events.push({ type: 'roles', pauser, treasury })
}

export const proposeAuthority = (draft: Draft, { by, authority }: Of<'propose-authority'>): void => {
  checkBy(by, [draft.config.authority])
  draft.config = { ...draft.config, nextAuthority: authority }
  draft.events.push({ type: 'authority', authority: draft.config.authority, proposed: authority })
}

export const acceptAuthority = (draft: Draft, { by }: Of<'accept-authority'>): void => {
  checkBy(by, draft.config.nextAuthority === undefined ? [] : [draft.config.nextAuthority])
  draft.config = { ...draft.config, authority: by, nextAuthority: undefined }
  draft.events.push({ type: 'authority', authority: by, proposed: undefined })
}
