//! Margin accounts: coupons, realising, and what each adds to the market's totals. All legs are in atoms.

use super::error::MathError;
use super::fixed::{div_u64, floor_q64_signed};
use super::pool::{add, sub};
use super::units::times_discount;

/// The legs of an account, recorded as of `discount`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Legs {
    pub margin: u64,
    /// The ST leg in JLP atoms.
    pub st: i64,
    pub yt: i64,
    /// The discount at which coupons were last paid to it, Q64.64.
    pub discount: u128,
    /// What profit is measured against, JLP atoms.
    pub net_deposits: u64,
}

/// Sums over the recorded legs of all margin accounts, the insurance fund included; `debt` is the sum of `max(0,
/// -(margin + st))`, `short` that of `|yt|` over `yt < 0`, the products with each account's own discount Q64.64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub margin: i128,
    pub st: i128,
    pub debt: i128,
    pub yt: i128,
    pub yt_at_discount: i128,
    pub short: i128,
    pub short_at_discount: i128,
    /// PT in existence.
    pub pt: i128,
    /// YT issued by all LP positions.
    pub issued: i128,
    /// Sum of `max(0, margin - net_deposits)`, without the fund.
    pub profit: i128,
    /// Accounts, without the fund, with an ST or YT leg; and of these, with a debt.
    pub open: u32,
    pub debtors: u32,
}

#[inline(always)]
fn leg(value: i128) -> Result<i64, MathError> {
    i64::try_from(value).map_err(|_| MathError::Overflow)
}

#[inline(always)]
fn positive(value: i128) -> i128 {
    value.max(0)
}

/// `yt * discount`, signed Q64.64 JLP atoms. `OutOfRange` for a discount above 1.
#[inline(always)]
pub(super) fn at_discount(yt: i64, discount: u128) -> Result<i128, MathError> {
    let size = i128::try_from(times_discount(yt.unsigned_abs(), discount)?);
    match size {
        Ok(size) => Ok(if yt < 0 { -size } else { size }),
        Err(_) if yt < 0 => Ok(i128::MIN), // 2^63 YT at a discount of 1
        Err(_) => Err(MathError::Overflow),
    }
}

/// Coupons since the last touch: each YT is paid the fall of the discount; JLP atoms, down for either sign, so never
/// overpaid. `DiscountRises`, `Overflow`.
pub fn coupon_of(legs: &Legs, discount: u128) -> Result<i64, MathError> {
    let fallen = legs.discount.checked_sub(discount).ok_or(MathError::DiscountRises)?;
    leg(floor_q64_signed(at_discount(legs.yt, fallen)?))
}

/// Pays the coupons since the last touch into the ST leg. `DiscountRises`, `Overflow`.
pub fn touch(legs: &mut Legs, discount: u128) -> Result<(), MathError> {
    if legs.discount == discount {
        return Ok(());
    }
    if legs.yt != 0 {
        legs.st = legs.st.checked_add(coupon_of(legs, discount)?).ok_or(MathError::Overflow)?;
    }
    legs.discount = discount;
    Ok(())
}

/// Adds signed JLP atoms to margin; a margin that would turn negative is left at 0 and the rest stays in the ST leg.
/// `Overflow`.
#[inline(always)]
pub fn add_to_margin(legs: &mut Legs, jlp: i128) -> Result<(), MathError> {
    let margin = add(i128::from(legs.margin), jlp)?;
    if margin < 0 {
        legs.st = leg(add(i128::from(legs.st), margin)?)?;
        legs.margin = 0;
    } else {
        legs.margin = u64::try_from(margin).map_err(|_| MathError::Overflow)?;
    }
    Ok(())
}

/// With no YT left the ST leg is plain JLP: it goes into margin, as far as margin stays at 0 or above. `Overflow`.
pub fn net(legs: &mut Legs) -> Result<(), MathError> {
    if legs.yt != 0 || legs.st == 0 {
        return Ok(());
    }
    let jlp = core::mem::take(&mut legs.st);
    add_to_margin(legs, i128::from(jlp))
}

/// Trades `n` of `|yt|` against the position for `jlp` atoms (received when positive, paid when negative, fee
/// included): the ST leg is realised pro rata, towards minus infinity. `DivisionByZero` without a position,
/// `OutOfRange` beyond it, `Overflow`.
pub fn reduce(legs: &mut Legs, n: u64, jlp: i128) -> Result<(), MathError> {
    let size = legs.yt.unsigned_abs();
    if n > size {
        return Err(if size == 0 { MathError::DivisionByZero } else { MathError::OutOfRange });
    }
    let (part, rest) = div_u64(u128::from(legs.st.unsigned_abs()) * u128::from(n), size)?;
    let part = i128::try_from(part).map_err(|_| MathError::Overflow)?;
    let realised = if legs.st < 0 { -part - i128::from(rest != 0) } else { part };
    legs.st = leg(i128::from(legs.st) - realised)?;
    let n = i64::try_from(n).map_err(|_| MathError::Overflow)?;
    legs.yt = if legs.yt > 0 { legs.yt - n } else { legs.yt + n }; // not through zero, just checked
    add_to_margin(legs, add(realised, jlp)?)?;
    net(legs)
}

/// What an account owes beyond its margin, JLP atoms.
pub fn debt_of(legs: &Legs) -> i128 {
    positive(-(i128::from(legs.margin) + i128::from(legs.st)))
}

/// The totals after one account's legs change from `before` to `after`. The fund's legs count in the sums of value,
/// but not among the accounts whose settlement others wait for. `Overflow`, `OutOfRange` for a discount above 1; the
/// totals then stay as they were.
#[inline(never)]
pub fn recount(totals: &mut Totals, before: &Legs, after: &Legs, fund: bool) -> Result<(), MathError> {
    let mut next = *totals;
    let moved = |sum: i128, to: i128, from: i128| add(sum, to - from);
    next.margin = moved(next.margin, after.margin.into(), before.margin.into())?;
    next.st = moved(next.st, after.st.into(), before.st.into())?;
    next.debt = moved(next.debt, debt_of(after), debt_of(before))?;
    next.yt = moved(next.yt, after.yt.into(), before.yt.into())?;
    let (products_after, products_before) =
        (at_discount(after.yt, after.discount)?, at_discount(before.yt, before.discount)?);
    next.yt_at_discount = sub(add(next.yt_at_discount, products_after)?, products_before)?;
    let short = |legs: &Legs| positive(-i128::from(legs.yt));
    next.short = moved(next.short, short(after), short(before))?;
    if after.yt < 0 {
        next.short_at_discount = sub(next.short_at_discount, products_after)?;
    }
    if before.yt < 0 {
        next.short_at_discount = add(next.short_at_discount, products_before)?;
    }
    if !fund {
        let profit = |legs: &Legs| positive(i128::from(legs.margin) - i128::from(legs.net_deposits));
        next.profit = moved(next.profit, profit(after), profit(before))?;
        let count = |sum: u32, to: bool, from: bool| {
            sum.checked_add(u32::from(to)).and_then(|sum| sum.checked_sub(u32::from(from))).ok_or(MathError::Overflow)
        };
        let open = |legs: &Legs| legs.st != 0 || legs.yt != 0;
        let debtor = |legs: &Legs| legs.st < 0 || legs.yt < 0;
        next.open = count(next.open, open(after), open(before))?;
        next.debtors = count(next.debtors, debtor(after), debtor(before))?;
    }
    *totals = next;
    Ok(())
}
