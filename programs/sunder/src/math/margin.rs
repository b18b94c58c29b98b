//! What an account is worth and what it must be worth, in JLP atoms, each figure with its direction.

use super::account::{Legs, Totals};
use super::error::MathError;
use super::fixed::{
    ceil_q64, ceil_q64_signed, div_small_down, div_small_up, div_u128, floor_q64_signed, mul_q64, mul_rate,
    one_minus_exp_neg, product_at_least, ONE_Q64,
};
use super::pool::{add, sub};
use super::rate::{exponent_up, yt_price, Moment};
use super::units::{atoms, check_rate, times_discount, YEAR_SECONDS};

const WHOLE_BPS: u16 = 10_000;

/// JLP per YT at a rate, `floor(D * P)`, Q0.64. `OutOfRange`, `Domain`.
pub fn yt_in_jlp(rate: u128, moment: &Moment) -> Result<u64, MathError> {
    priced(yt_price(rate, moment.tau)?, moment.discount)
}

#[inline(always)]
fn priced(price: u64, discount: u128) -> Result<u64, MathError> {
    atoms(mul_q64(u128::from(price), discount)?)
}

/// `|yt|` of an account that holds YT, and of one that owes them.
#[inline(always)]
fn sides(value: i64) -> (u64, u64) {
    if value < 0 {
        (0, value.unsigned_abs())
    } else {
        (value.unsigned_abs(), 0)
    }
}

/// `margin + max(st, 0) + D*P*max(yt, 0)`, JLP atoms, down; `price` is JLP per YT, Q0.64. Below 2^66.
#[inline(always)]
pub fn assets(legs: &Legs, price: u64) -> i128 {
    let yt = (u128::from(sides(legs.yt).0) * u128::from(price)) >> 64;
    i128::from(legs.margin) + i128::from(sides(legs.st).0) + yt as i128 // a product of 127 bits
}

/// `max(-st, 0) + D*P*max(-yt, 0)`, JLP atoms, up. Below 2^66.
#[inline(always)]
pub fn liabilities(legs: &Legs, price: u64) -> i128 {
    let yt = ceil_q64(u128::from(sides(legs.yt).1) * u128::from(price));
    i128::from(sides(legs.st).1) + yt as i128 // at most 2^63
}

/// Assets less liabilities, JLP atoms.
#[inline(always)]
pub fn equity(legs: &Legs, price: u64) -> i128 {
    assets(legs, price) - liabilities(legs, price)
}

/// Whether assets are at least `bps` of liabilities, cross-multiplied.
#[inline(never)]
pub fn has_ratio(legs: &Legs, price: u64, bps: u16) -> bool {
    assets(legs, price) * i128::from(WHOLE_BPS) >= liabilities(legs, price) * i128::from(bps)
}

/// Whether the ratio of assets to liabilities of `after` is at least (or, when `strictly`, above) that of `before`,
/// at one price.
pub fn ratio_kept(before: &Legs, after: &Legs, price: u64, strictly: bool) -> bool {
    let of = |a: &Legs, b: &Legs| (assets(a, price).unsigned_abs(), liabilities(b, price).unsigned_abs());
    let (new, old) = (of(after, before), of(before, after));
    if strictly {
        !product_at_least(old, new)
    } else {
        product_at_least(new, old)
    }
}

/// Whether an account owes nothing that it does not hold: it cannot be liquidated. `OutOfRange` for a discount above 1.
pub fn is_spot(legs: &Legs, discount: u128) -> Result<bool, MathError> {
    let owed = ceil_q64(times_discount(sides(legs.yt).1, discount)?);
    Ok(i128::from(legs.margin) + i128::from(legs.st) >= owed as i128) // at most 2^63
}

/// What a market's terms say about margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginTerms {
    /// Collateral ratios, bp: opening at spot, opening at the worst rate, maintenance at TWAP.
    pub initial_bps: u16,
    pub initial_twap_bps: u16,
    pub maintenance_bps: u16,
    /// Lower bound on a coupon that the long gap is computed with, bp of the implied one; at most 10^4.
    pub low_coupon_bps: u16,
    /// Seconds between two coupons.
    pub period: u32,
    /// Worst coupon of one period, Q64.64.
    pub rho_max: u128,
}

/// The price of YT at a rate, JLP per YT, Q0.64, and what a coupon can do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Valued {
    pub price: u64,
    /// Worst loss of one coupon per JLP of face value, Q64.64, up, for YT held or for YT owed.
    pub gap: u128,
}

/// What an account is measured under. Handed on as one: a function of many arguments would be written out at every call
/// (docs/program-build.md).
#[derive(Clone, Copy)]
pub struct Conditions<'a> {
    pub moment: &'a Moment,
    pub terms: &'a MarginTerms,
    pub standing: &'a Standing,
}

/// Price and gap at a rate, for YT held (`long`) or owed. Long: YT decays by the coupon that the rate implies, `(1 -
/// P) * c`, and at least `lo` of it is paid. Short: the caps' largest coupon is owed on what YT decays to.
/// `OutOfRange`, `Domain`, `BadParameter`, `Overflow`.
#[inline(never)]
pub fn valued(rate: u128, at: &Conditions, long: bool) -> Result<Valued, MathError> {
    let Conditions { moment, terms, .. } = *at;
    let price = yt_price(rate, moment.tau)?;
    let in_jlp = priced(price, moment.discount)?;
    if moment.tau == 0 {
        return Ok(Valued { price: in_jlp, gap: 0 });
    }
    let pt = ONE_Q64 - u128::from(price);
    let gap = if long { long_gap(rate, pt, terms)? } else { short_gap(rate, price, moment.tau, terms)? };
    Ok(Valued { price: in_jlp, gap })
}

/// `ceil(ceil((1 - P) * c) * (1 - lo))` with `c = q/(1 - q)`, up, and `q = 1 - e^-x` of one period.
fn long_gap(rate: u128, pt: u128, terms: &MarginTerms) -> Result<u128, MathError> {
    let decay = u128::from(one_minus_exp_neg(exponent_up(rate, terms.period)?)?);
    let (quotient, rest) = div_u128(decay << 64, ONE_Q64 - decay)?;
    let coupon = quotient + u128::from(rest != 0);
    let unpaid = WHOLE_BPS.checked_sub(terms.low_coupon_bps).ok_or(MathError::BadParameter)?;
    let decayed = up_q64(pt, coupon)?;
    div_small_up(decayed.checked_mul(u128::from(unpaid)).ok_or(MathError::Overflow)?, u64::from(WHOLE_BPS))
}

/// `max(0, ceil(rho_max * (1 - P)) - (P - P'))` with P' one period on.
fn short_gap(rate: u128, price: u64, tau: u32, terms: &MarginTerms) -> Result<u128, MathError> {
    let later = match tau.checked_sub(terms.period) {
        Some(tau) if tau > 0 => yt_price(rate, tau)?,
        _ => 0,
    };
    // The price never rises with time, so that the fall is at least 0.
    let fallen = u128::from(price.saturating_sub(later));
    Ok(up_q64(terms.rho_max, ONE_Q64 - u128::from(price))?.saturating_sub(fallen))
}

/// `ceil(a * b / 2^64)`. `Overflow` if the product does not fit 128 bits.
#[inline(always)]
fn up_q64(a: u128, b: u128) -> Result<u128, MathError> {
    // One of them is often exactly 1, which a multiplication of 128 bits has room for, too.
    Ok(ceil_q64(a.checked_mul(b).ok_or(MathError::Overflow)?))
}

/// Worst loss of one coupon at a gap (Q64.64), JLP atoms, up. `OutOfRange` for a discount above 1, `Overflow`.
#[inline(never)]
pub fn gap_of(legs: &Legs, discount: u128, gap: u128) -> Result<i128, MathError> {
    let face = ceil_q64(times_discount(legs.yt.unsigned_abs(), discount)?);
    let loss = up_q64(face, gap)?;
    i128::try_from(loss).map_err(|_| MathError::Overflow)
}

/// The lowest and highest rate that any instruction has found, over at least one TWAP window: those since `since`
/// (unix seconds), and those of the stretch before it. Q64.64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub since: u32,
    pub low: u128,
    pub high: u128,
    pub low_before: u128,
    pub high_before: u128,
}

/// The standing rates with the one that an instruction at `now` has found; it stood since `last`. A stretch ends when
/// it is a window old. `TimeBackwards`.
pub fn stood(standing: &mut Standing, rate: u128, last: u32, now: u32, window: u32) -> Result<(), MathError> {
    let (low, high) = (standing.low.min(rate), standing.high.max(rate));
    let age = now.checked_sub(standing.since).ok_or(MathError::TimeBackwards)?;
    if age < window {
        standing.low = low;
        standing.high = high;
        return Ok(());
    }
    // The stretch before is this one, or this rate alone if it has stood for all of a window.
    let alone = now.checked_sub(last).ok_or(MathError::TimeBackwards)? >= window;
    let (low_before, high_before) = if alone { (rate, rate) } else { (low, high) };
    *standing = Standing { since: now, low: rate, high: rate, low_before, high_before };
    Ok(())
}

/// The worst of the TWAP and all standing rates, for YT held (the lowest) or owed (the highest).
pub fn worst_rate(standing: &Standing, twap: u128, yt: i64) -> u128 {
    if yt >= 0 {
        twap.min(standing.low).min(standing.low_before)
    } else {
        twap.max(standing.high).max(standing.high_before)
    }
}

/// What the margin of an account that holds YT (or owes them) is measured with: at the spot, at the time-weighted
/// rate, and the price at the worst rate for this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Valuation {
    pub discount: u128,
    pub spot: Valued,
    pub twap: Valued,
    /// JLP per YT at `worst_rate`, Q0.64.
    pub worst: u64,
}

/// The valuation for an account with `yt`, at the spot rate and the TWAP (Q64.64). Errors of `valued`.
#[inline(never)]
pub fn valuation(at: &Conditions, rates: &(u128, u128), yt: i64) -> Result<Valuation, MathError> {
    let (Conditions { moment, standing, .. }, (rate, twap_rate)) = (*at, *rates);
    let twap = valued(twap_rate, at, yt >= 0)?;
    let spot = if rate == twap_rate { twap } else { valued(rate, at, yt >= 0)? };
    let worst = worst_rate(standing, twap_rate, yt);
    let worst = if worst == twap_rate {
        twap.price
    } else if worst == rate {
        spot.price
    } else {
        yt_in_jlp(worst, moment)?
    };
    Ok(Valuation { discount: moment.discount, spot, twap, worst })
}

/// Worst loss of one coupon at the time-weighted rate, which nobody can push in a moment; JLP atoms, up. Errors of
/// `gap_of`.
pub fn gap(legs: &Legs, at: &Valuation) -> Result<i128, MathError> {
    gap_of(legs, at.discount, at.twap.gap)
}

/// The larger of the gaps at the time-weighted rate and at the spot. Errors of `gap_of`.
pub fn larger_gap(legs: &Legs, at: &Valuation) -> Result<i128, MathError> {
    Ok(gap(legs, at)?.max(gap_of(legs, at.discount, at.spot.gap)?))
}

/// The condition to open, to increase and to withdraw. Errors of `gap_of`.
#[inline(never)]
pub fn meets_initial(legs: &Legs, at: &Valuation, terms: &MarginTerms) -> Result<bool, MathError> {
    if is_spot(legs, at.discount)? {
        return Ok(true);
    }
    if !has_ratio(legs, at.spot.price, terms.initial_bps) || !has_ratio(legs, at.worst, terms.initial_twap_bps) {
        return Ok(false);
    }
    // At the worst price there is: what meets this meets maintenance too.
    let least = equity(legs, at.spot.price).min(equity(legs, at.worst));
    Ok(least * 10 >= larger_gap(legs, at)?.checked_mul(12).ok_or(MathError::Overflow)?)
}

/// Below it an account is liquidatable. Errors of `gap_of`.
#[inline(never)]
pub fn meets_maintenance(legs: &Legs, at: &Valuation, terms: &MarginTerms) -> Result<bool, MathError> {
    Ok(is_spot(legs, at.discount)?
        || (has_ratio(legs, at.twap.price, terms.maintenance_bps) && equity(legs, at.twap.price) >= gap(legs, at)?))
}

/// A limit rate kept within `bps` of a reference rate on the side that the trade moves to, Q64.64. `OutOfRange`,
/// `BadParameter`.
pub fn guarded(limit: u128, reference: u128, bps: u16, up: bool) -> Result<u128, MathError> {
    let reference = check_rate(reference)?;
    let whole = u64::from(WHOLE_BPS);
    if up {
        return Ok(limit.min(div_small_down(mul_rate(reference, whole + u64::from(bps))?, whole)?));
    }
    let rest = WHOLE_BPS.checked_sub(bps).ok_or(MathError::BadParameter)?;
    Ok(limit.max(div_small_up(mul_rate(reference, u64::from(rest))?, whole)?))
}

/// What a market holds and owes, JLP atoms, beside its totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Book {
    pub vault: u64,
    /// The protocol's fees, not yet collected.
    pub fees: u64,
    pub deficit: u64,
}

/// `n * factor`, Q64.64, signed. `Overflow`.
#[inline(always)]
fn times(n: i128, factor: u128) -> Result<i128, MathError> {
    i128::try_from(factor).ok().and_then(|factor| n.checked_mul(factor)).ok_or(MathError::Overflow)
}

/// Equity of all LPs together at a JLP price of YT (Q0.64), JLP atoms: the vault and what is missing from it, less
/// every other claim, coupons not yet paid out included. `Overflow`.
#[inline(never)]
pub fn lp_equity(book: &Book, totals: &Totals, discount: u128, price: u64) -> Result<i128, MathError> {
    let coupons = floor_q64_signed(sub(totals.yt_at_discount, times(totals.yt, discount)?)?);
    let principal = ceil_q64_signed(times(totals.pt, discount)?);
    let mut claims = add(totals.margin, totals.st)?;
    for claim in [coupons, i128::from(book.fees), principal] {
        claims = add(claims, claim)?;
    }
    let held = i128::from(book.vault) + i128::from(book.deficit);
    let yt = floor_q64_signed(times(sub(totals.pt, totals.yt)?, u128::from(price))?);
    add(sub(held, claims)?, yt)
}

/// What LPs hold in reserve at the worst coupons, and all that could be owed; JLP atoms, `reserve` down and `owed` up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    pub reserve: i128,
    pub owed: i128,
}

/// Backing at the lowest discount (Q64.64): it holds while `reserve >= owed`. `Overflow`.
#[inline(never)]
pub fn backing(totals: &Totals, deficit: u64, lowest: u128) -> Result<Backing, MathError> {
    let short = ceil_q64_signed(sub(totals.short_at_discount, times(totals.short, lowest)?)?);
    Ok(Backing {
        reserve: floor_q64_signed(times(totals.issued, lowest)?),
        owed: add(add(totals.debt, short)?, i128::from(deficit))?,
    })
}

/// The rate above which a forced close buys no YT: there it costs more than `yield_left`, the most that coupons can
/// still come to (an exponent, Q64.64). Down; 0 at maturity. `Overflow`.
pub fn dearest_rate(yield_left: u128, tau: u32) -> Result<u128, MathError> {
    if tau == 0 {
        return Ok(0);
    }
    let years = yield_left.checked_mul(u128::from(YEAR_SECONDS)).ok_or(MathError::Overflow)?;
    div_small_down(years, u64::from(tau))
}
