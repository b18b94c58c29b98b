//! Rate indices and their steps: what the pool earned becomes a fall of the discount, `D' = ceil(D * aum / (aum +
//! fees))`, so that no coupon is overpaid.

use super::error::MathError;
use super::fixed::{div_small_down, div_small_up, div_u128, div_u64, exp_neg, mul_q64, EXPONENT_LIMIT, ONE_Q64};
use super::units::check_discount;

pub const HOUR_SECONDS: u32 = 3600;
pub const WEEK_SECONDS: u32 = 604_800;
const HOURS_PER_WEEK: u64 = 168;
/// Maturities that an index keeps a discount for at a time.
pub const MAX_CHECKPOINTS: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    Hourly,
    Weekly,
}

/// A maturity whose discount an index keeps; one of 0 is a free place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Unix seconds.
    pub maturity: u32,
    /// Q64.64; 0 until a step crosses the maturity.
    pub discount: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateIndex {
    pub kind: IndexKind,
    /// Most yield of one step (hourly: of each hour in it; weekly: pro rata if it is shorter than a week), Q64.64.
    pub rho_max: u128,
    /// Hourly only: most yield of a week, as a bucket that refills by its 168th part each hour, Q64.64.
    pub weekly_budget: u128,
    pub discount: u128,
    /// Up to when coupons are paid: a full hour, or Jupiter's `last_updated`. Unix seconds.
    pub last_step: u32,
    /// What is left of the week's budget, Q64.64; hourly only.
    pub bucket: u128,
    /// Fees above the caps, waiting for the next step, in the unit of the step's `fees`.
    pub carry: u128,
}

/// Caps of a kind of index: 10 % a step or a week at most, beyond any recorded regime.
const MOST_CAP: u128 = ONE_Q64 / 10;

fn capped(rho_max: u128, weekly_budget: u128) -> bool {
    rho_max > 0 && rho_max <= MOST_CAP && weekly_budget <= MOST_CAP
}

/// A new index. `BadParameter` for caps of 0 or above 10 %, or an hourly one without a budget or a full hour;
/// `OutOfRange` for the discount.
pub fn create_index(
    kind: IndexKind,
    caps: (u128, u128),
    last_step: u32,
    discount: u128,
) -> Result<RateIndex, MathError> {
    let (rho_max, weekly_budget) = caps;
    let hourly = kind == IndexKind::Hourly;
    if !capped(rho_max, weekly_budget) || (hourly && (last_step % HOUR_SECONDS != 0 || weekly_budget == 0)) {
        return Err(MathError::BadParameter);
    }
    let discount = check_discount(discount)?;
    Ok(RateIndex { kind, rho_max, weekly_budget, discount, last_step, bucket: weekly_budget, carry: 0 })
}

/// Registers a maturity, so that the step which crosses it keeps its discount. `BadParameter` unless it lies after
/// the last step and there is a free place.
pub fn watch_maturity(index: &RateIndex, checkpoints: &mut [Checkpoint], maturity: u32) -> Result<(), MathError> {
    if checkpoints.iter().any(|checkpoint| checkpoint.maturity == maturity) {
        return Ok(());
    }
    if maturity <= index.last_step {
        return Err(MathError::BadParameter);
    }
    let free = checkpoints.iter_mut().find(|checkpoint| checkpoint.maturity == 0).ok_or(MathError::BadParameter)?;
    *free = Checkpoint { maturity, discount: 0 };
    Ok(())
}

/// Forgets a maturity whose discount is final and has been copied by its market.
pub fn forget_maturity(checkpoints: &mut [Checkpoint], maturity: u32) {
    for checkpoint in checkpoints {
        if checkpoint.maturity == maturity && checkpoint.discount != 0 {
            *checkpoint = Checkpoint::default();
        }
    }
}

/// What the source says was earned since the last step: `fees / aum` is the yield. Hourly: both in 10^-6 USD. Weekly:
/// `fees` is APR bp times seconds and `aum` is 10^4 times the seconds of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earned {
    /// Unix seconds.
    pub to: u32,
    pub fees: u64,
    pub aum: u64,
}

/// `ceil(D * aum / (aum + part))`. `OutOfRange` below the lowest discount.
#[inline(never)]
fn fallen(discount: u128, aum: u64, part: u128) -> Result<u128, MathError> {
    let aum = u128::from(aum);
    let product = discount.checked_mul(aum).ok_or(MathError::Overflow)?; // at most 2^64 * (2^64 - 1)
    let (quotient, rest) = div_u128(product, aum.checked_add(part).ok_or(MathError::Overflow)?)?;
    check_discount(quotient + u128::from(rest != 0))
}

/// One step: `fees + carry` is paid up to the caps, the rest is carried. A late hourly step of k hours has k caps and
/// k refills of the bucket. Maturities crossed are paid the floor of their share of what the step pays. Returns what
/// was paid, in the unit of the fees. Refuses `TimeBackwards`, `BadSource`, `OutOfRange`; nothing is then changed,
/// except that checkpoints may be half written.
#[inline(never)]
pub fn accrue_index(index: &mut RateIndex, checkpoints: &mut [Checkpoint], earned: &Earned) -> Result<u128, MathError> {
    let Earned { to, fees, aum } = *earned;
    let hourly = index.kind == IndexKind::Hourly;
    if to <= index.last_step {
        return Err(MathError::TimeBackwards);
    }
    if aum == 0 || (hourly && to % HOUR_SECONDS != 0) {
        return Err(MathError::BadSource);
    }
    if !capped(index.rho_max, index.weekly_budget) || index.bucket > index.weekly_budget {
        return Err(MathError::BadParameter); // the products below have room for caps, and no index has others
    }
    let seconds = to - index.last_step;
    let hours = u128::from(seconds / HOUR_SECONDS);
    let mut bucket = index.bucket;
    let allowed_yield = if hourly {
        let refill = div_small_down(index.weekly_budget * hours, HOURS_PER_WEEK)?;
        bucket = (bucket + refill).min(index.weekly_budget);
        (index.rho_max * hours).min(bucket)
    } else {
        // A step shorter than a week is allowed as much less, so that no step raises what is left by a maturity.
        div_small_down(index.rho_max * u128::from(seconds.min(WEEK_SECONDS)), u64::from(WEEK_SECONDS))?
    };
    let due = index.carry.checked_add(u128::from(fees)).ok_or(MathError::Overflow)?;
    let paid = due.min((u128::from(aum) * allowed_yield) >> 64); // below 2^61, as a cap is
    if hourly {
        let (spent, rest) = div_u64(paid << 64, aum)?;
        bucket = bucket.saturating_sub(spent + u128::from(rest != 0));
    }
    let discount = fallen(index.discount, aum, paid)?;
    for checkpoint in checkpoints {
        if checkpoint.discount == 0 && checkpoint.maturity != 0 && checkpoint.maturity <= to {
            let until = u128::from(checkpoint.maturity.saturating_sub(index.last_step));
            let part = div_small_down(paid * until, u64::from(seconds))?;
            checkpoint.discount = fallen(index.discount, aum, part)?;
        }
    }
    index.discount = discount;
    index.last_step = to;
    index.bucket = bucket;
    index.carry = due - paid;
    Ok(paid)
}

/// The most yield that the caps still allow by `maturity` (unix seconds), as an exponent, Q64.64, up, which no step
/// can raise. `Overflow`.
pub fn yield_left(index: &RateIndex, maturity: u32) -> Result<u128, MathError> {
    let left = maturity.saturating_sub(index.last_step);
    let times = |cap: u128, n: u32| cap.checked_mul(u128::from(n)).ok_or(MathError::Overflow);
    match index.kind {
        IndexKind::Weekly => div_small_up(times(index.rho_max, left)?, u64::from(WEEK_SECONDS)),
        IndexKind::Hourly => {
            let refills = div_small_up(times(index.weekly_budget, left.div_ceil(HOUR_SECONDS))?, HOURS_PER_WEEK)?;
            index.bucket.checked_add(refills).ok_or(MathError::Overflow)
        }
    }
}

/// `Dmin = D * e^-yield_left`, Q64.64, down: the lowest discount by `maturity`, what backing is measured against.
/// `Overflow`, `OutOfRange`.
#[inline(never)]
pub fn lowest_discount(index: &RateIndex, maturity: u32) -> Result<u128, MathError> {
    let x = yield_left(index, maturity)?;
    if x >= EXPONENT_LIMIT {
        return Ok(0);
    }
    // e^-x is at most 1.6x + 1 ulp too high: take that off, so that the bound is one.
    let error = (div_small_down(x * 8, 5)? >> 64) + 2;
    mul_q64(index.discount, exp_neg(x)?.saturating_sub(error))
}

/// `T` plus 7 days without data: the maturity is final at the last discount. `BadParameter` if it is not watched,
/// `TooEarly`.
pub fn finalise(index: &RateIndex, checkpoints: &mut [Checkpoint], maturity: u32, now: u32) -> Result<(), MathError> {
    let found = checkpoints.iter_mut().find(|checkpoint| checkpoint.maturity == maturity && maturity != 0);
    let open = found.ok_or(MathError::BadParameter)?;
    if open.discount != 0 {
        return Ok(());
    }
    if u64::from(now) < u64::from(maturity) + u64::from(WEEK_SECONDS) {
        return Err(MathError::TooEarly);
    }
    open.discount = index.discount;
    Ok(())
}
