/**
 * Rate indices and their accrual steps (docs/protocol.md section 4): what the pool earned becomes a fall of the discount.
 *
 * An index is one discount `D` for all markets of a coupon kind and its caps. A step is one rational,
 * `D' = ceil(D * aum / (aum + fees))`: the protocol owes coupons, so `D` rounds up and no coupon is overpaid.
 */
import type { CouponKind } from '../../amm/display.ts'
import { divide, expNeg, mulDiv, ONE_Q64, shiftQ64 } from '../../amm/fixed.ts'
import { type DiscountQ64, discountQ64, U64_MAX, YEAR_SECONDS_N } from '../../amm/units.ts'
import { OracleError } from './errors.ts'

export const HOUR_SECONDS = 3600
export const WEEK_SECONDS = 604_800
const HOURS_PER_WEEK = 168n
/** Maturities that an index keeps a discount for at a time. */
export const MAX_CHECKPOINTS = 32

/** Bounds on coupons. They identify an index: a hotter regime gets a new one, an open maturity's never rise. */
export interface Caps {
  /** Most yield of one step (hourly: of each hour in it; weekly: pro rata if it is shorter than a week), Q64.64. */
  readonly rhoMaxQ64: bigint
  /** Hourly only: most yield of a week, as a bucket that refills by its 168th part each hour, Q64.64. */
  readonly weeklyBudgetQ64: bigint
}

/** `aum` of a weekly step, whose `fees` are APR bp times seconds. */
export const WEEKLY_AUM = 10_000n * YEAR_SECONDS_N

/** The default caps of docs/protocol.md section 9: 0.05 % an hour and 2.5 % a week; 1.2 % a weekly step. */
export const DEFAULT_CAPS: Readonly<Record<CouponKind, Caps>> = {
  hourly: { rhoMaxQ64: (ONE_Q64 * 5n) / 10_000n, weeklyBudgetQ64: (ONE_Q64 * 25n) / 1000n },
  weekly: { rhoMaxQ64: (ONE_Q64 * 12n) / 1000n, weeklyBudgetQ64: 0n },
}

export interface Checkpoint {
  readonly maturity: number
  /** Undefined until a step crosses the maturity. */
  readonly discount: DiscountQ64 | undefined
}

export interface RateIndex {
  readonly kind: CouponKind
  readonly caps: Caps
  readonly discount: DiscountQ64
  /** Up to when coupons are paid: a full hour, or Jupiter's `last_updated`. Unix seconds. */
  readonly lastStep: number
  /** What is left of the week's budget, Q64.64; hourly only. */
  readonly bucketQ64: bigint
  /** Fees above the caps, waiting for the next step, in the unit of the step's `fees`. */
  readonly carry: bigint
  readonly checkpoints: readonly Checkpoint[]
}

export const createIndex = (init: {
  readonly kind: CouponKind
  readonly caps?: Caps
  readonly lastStep: number
  readonly discount?: DiscountQ64
}): RateIndex => {
  const caps = init.caps ?? DEFAULT_CAPS[init.kind]
  const limit = ONE_Q64 / 10n // 10 % a step or a week: beyond any recorded regime
  if (caps.rhoMaxQ64 <= 0n || caps.rhoMaxQ64 > limit || caps.weeklyBudgetQ64 < 0n || caps.weeklyBudgetQ64 > limit) {
    throw new OracleError('bad-parameter', 'Caps must be above 0 and at most 10 %', { ...caps })
  }
  if (init.kind === 'hourly' && (init.lastStep % HOUR_SECONDS !== 0 || caps.weeklyBudgetQ64 === 0n)) {
    throw new OracleError('bad-parameter', 'An hourly index begins at a full hour and has a weekly budget', {
      lastStep: init.lastStep,
    })
  }
  return {
    kind: init.kind,
    caps,
    discount: discountQ64(init.discount ?? ONE_Q64),
    lastStep: init.lastStep,
    bucketQ64: caps.weeklyBudgetQ64,
    carry: 0n,
    checkpoints: [],
  }
}

/** Forgets a maturity whose discount is final and has been copied by its market. */
export const forgetMaturity = (index: RateIndex, maturity: number): RateIndex => ({
  ...index,
  checkpoints: index.checkpoints.filter(c => c.maturity !== maturity || c.discount === undefined),
})

/** Registers a maturity, so that the step which crosses it keeps its discount. */
export const watchMaturity = (index: RateIndex, maturity: number): RateIndex => {
  if (index.checkpoints.some(c => c.maturity === maturity)) return index
  if (maturity <= index.lastStep) {
    throw new OracleError('bad-parameter', 'A maturity must lie after the last step', {
      maturity,
      lastStep: index.lastStep,
    })
  }
  if (index.checkpoints.length >= MAX_CHECKPOINTS) {
    throw new OracleError('bad-parameter', `An index keeps at most ${MAX_CHECKPOINTS} maturities`, { maturity })
  }
  return { ...index, checkpoints: [...index.checkpoints, { maturity, discount: undefined }] }
}

/**
 * What the source says was earned since the last step: `fees / aum` is the yield. Hourly: both in 10^-6 USD. Weekly:
 * `fees` is APR bp times seconds and `aum` is 10^4 times the seconds of a year.
 */
export interface Earned {
  readonly to: number
  readonly fees: bigint
  readonly aum: bigint
}

export interface AccrualStep {
  readonly from: number
  readonly to: number
  readonly discountBefore: DiscountQ64
  readonly discountAfter: DiscountQ64
  readonly feesEarned: bigint
  /** Paid by this step, after the caps, carry of earlier steps included. */
  readonly feesPaid: bigint
  readonly carry: bigint
  readonly aum: bigint
  /** Maturities that this step crossed, with what was then left unpaid for good. */
  readonly matured: readonly {
    readonly maturity: number
    readonly discount: DiscountQ64
    readonly carryUnpaid: bigint
  }[]
}

/**
 * One step. `fees + carry` is paid up to the caps; the rest is carried. A late hourly step of k hours has k caps and k refills
 * of the bucket. A step across a maturity pays it the floor of its share of what the step pays.
 */
export const accrueIndex = (
  index: RateIndex,
  earned: Earned,
): { readonly next: RateIndex; readonly step: AccrualStep } => {
  const { kind, caps } = index
  const { to, fees, aum } = earned
  if (!Number.isInteger(to) || typeof fees !== 'bigint' || typeof aum !== 'bigint') {
    throw new OracleError('bad-source', 'A step ends at a whole second, and its fees and AUM are bigints', {
      to: String(to),
    })
  }
  if (to <= index.lastStep)
    throw new OracleError('time-backwards', 'A step leads forward in time', { to, lastStep: index.lastStep })
  if (fees < 0n || aum <= 0n || fees > U64_MAX || aum > U64_MAX) {
    throw new OracleError('bad-source', 'Fees must not be negative, AUM positive, and both fit 64 bits', { fees, aum })
  }
  if (kind === 'hourly' && to % HOUR_SECONDS !== 0) {
    throw new OracleError('bad-source', 'An hourly step ends at a full hour', { to })
  }
  const seconds = to - index.lastStep
  const hours = BigInt(Math.floor(seconds / HOUR_SECONDS))
  // A weekly step shorter than a week is allowed as much less, so that no step raises what is left by a maturity.
  const weekPart = BigInt(Math.min(seconds, WEEK_SECONDS))
  let allowedQ64 = kind === 'hourly' ? caps.rhoMaxQ64 * hours : (caps.rhoMaxQ64 * weekPart) / BigInt(WEEK_SECONDS)
  let bucketQ64 = index.bucketQ64
  if (kind === 'hourly') {
    const refilled = bucketQ64 + (caps.weeklyBudgetQ64 * hours) / HOURS_PER_WEEK
    bucketQ64 = refilled < caps.weeklyBudgetQ64 ? refilled : caps.weeklyBudgetQ64
    if (bucketQ64 < allowedQ64) allowedQ64 = bucketQ64
  }
  const due = fees + index.carry
  const allowed = shiftQ64(aum * allowedQ64, 'down')
  const paid = due < allowed ? due : allowed
  const carry = due - paid
  if (kind === 'hourly') bucketQ64 -= mulDiv(paid, ONE_Q64, aum, 'up')

  const fall = (part: bigint): DiscountQ64 => discountQ64(mulDiv(index.discount, aum, aum + part, 'up'))
  const discount = fall(paid)
  const matured = index.checkpoints
    .filter(c => c.discount === undefined && c.maturity <= to)
    .map(({ maturity }) => ({
      maturity,
      discount: fall(mulDiv(paid, BigInt(maturity - index.lastStep), BigInt(seconds), 'down')),
      carryUnpaid: carry,
    }))
  const next: RateIndex = {
    ...index,
    discount,
    lastStep: to,
    bucketQ64: bucketQ64 > 0n ? bucketQ64 : 0n,
    carry,
    checkpoints: index.checkpoints.map(c => {
      const reached = matured.find(m => m.maturity === c.maturity)
      return reached === undefined ? c : { maturity: c.maturity, discount: reached.discount }
    }),
  }
  const step: AccrualStep = {
    from: index.lastStep,
    to,
    discountBefore: index.discount,
    discountAfter: discount,
    feesEarned: fees,
    feesPaid: paid,
    carry,
    aum,
    matured,
  }
  return { next, step }
}

/** The yield `feesPaid / aum` of a step, Q64.64, for people. */
export const stepYieldQ64 = (step: AccrualStep): bigint => mulDiv(step.feesPaid, ONE_Q64, step.aum, 'down')

/**
 * The most yield that the caps still allow by `maturity`, as an exponent, Q64.64, up, which no step can raise. Hourly:
 * `bucket + budget * n/168` for n steps left; weekly `rho_max` times the weeks left.
 */
export const yieldLeft = (index: RateIndex, maturity: number): bigint => {
  const left = maturity > index.lastStep ? maturity - index.lastStep : 0
  if (index.kind === 'weekly') return mulDiv(index.caps.rhoMaxQ64, BigInt(left), BigInt(WEEK_SECONDS), 'up')
  const steps = BigInt(Math.ceil(left / HOUR_SECONDS))
  return index.bucketQ64 + divide(index.caps.weeklyBudgetQ64 * steps, HOURS_PER_WEEK, 'up')
}

/** `Dmin = D * e^-yieldLeft`, rounded down: the lowest discount by `maturity`, what backing is measured against. */
export const lowestDiscount = (index: RateIndex, maturity: number): bigint => {
  const x = yieldLeft(index, maturity)
  if (x >= 4n * ONE_Q64) return 0n
  // e^-x is at most 1.6x + 1 ulp too high: take that off, so that the bound is one.
  const error = (((x * 8n) / 5n) >> 64n) + 2n
  const decay = expNeg(x) - error
  return decay > 0n ? shiftQ64(index.discount * decay, 'down') : 0n
}

/** `T` plus 7 days without data: the maturity is final at the last discount. */
export const finalise = (index: RateIndex, maturity: number, now: number): RateIndex => {
  const open = index.checkpoints.find(c => c.maturity === maturity)
  if (open === undefined) throw new OracleError('bad-parameter', 'The index does not watch this maturity', { maturity })
  if (open.discount !== undefined) return index
  if (now < maturity + WEEK_SECONDS) {
    throw new OracleError('too-early', 'A maturity without data is final 7 days after it', { maturity, now })
  }
  return {
    ...index,
    checkpoints: index.checkpoints.map(c => (c.maturity === maturity ? { maturity, discount: index.discount } : c)),
  }
}
