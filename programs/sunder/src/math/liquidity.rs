//! Liquidity positions. A position provides L over a rate range [a, b]. At the rate c = clamp(s, a, b) it holds `L*(b
//! - c)` YT and, in JLP, `L*(V(c) - V(a))` of ST; coupons, freed ST and fees are earned by all positions at once, in
//! O(1).

use super::error::MathError;
use super::fixed::{ceil_q64, div_small_down, floor_q64_signed, mul_rate};
use super::pool::{add, cumulative_fall, signed, sub, Pool, Tick};
use super::rate::{check_tick, face_value, tick_rate, yt_value};
use super::units::{atoms, check_liquidity, times_discount, MAX_LIQUIDITY};

/// The least deposit, JLP atoms: 1 JLP.
pub const MIN_DEPOSIT: u64 = 1_000_000;
/// Shares are given as num/den with den at most this.
pub const MAX_SHARE_DENOMINATOR: u64 = 1 << 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub lower: i32,
    pub upper: i32,
    pub liquidity: u64,
    /// YT issued, and as many ST atoms in reserve against them.
    pub issued: u64,
    /// `accrued_per_liquidity` and `fees_per_liquidity` when the position was last touched.
    pub accrued_before: i128,
    pub fees_before: i128,
    /// Coupons, freed ST and fees earned and not yet paid out, JLP atoms.
    pub uncollected: u64,
}

/// The two ticks of a position, as they are stored; both 0 if no position begins or ends there yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub lower: Tick,
    pub upper: Tick,
}

/// What a deposit issues and costs, in atoms; the LP owes it, so both round up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// `ceil(L * (b - c))`.
    pub issued: u64,
    /// `ceil(D * issued) + ceil(L * (V(c) - V(a)))`.
    pub jlp: u64,
}

/// What a removal pays out, in atoms, and the liquidity and issued YT that it takes off the position; each part
/// rounds down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    pub liquidity: u64,
    pub jlp: u64,
    /// Issued YT that are out with traders, as principal.
    pub pt: u64,
    /// Inventory beyond what was issued.
    pub yt: u64,
    pub issued: u64,
}

/// `L * (b - c)`, Q64.64 YT atoms, and `L * (V(c) - V(a))`, Q64.64 JLP atoms. `TickOffGrid`, `Domain`, `Overflow`.
#[inline(never)]
fn composition(pool: &Pool, range: (i32, i32), liquidity: u64) -> Result<(u128, u128), MathError> {
    let (a, b) = (tick_rate(range.0)?, tick_rate(range.1)?);
    let c = if pool.rate < a { a } else { pool.rate.min(b) };
    let many = |part: u128| mul_rate(part, liquidity);
    let inventory = many(b.checked_sub(c).ok_or(MathError::Overflow)?)?;
    if c == a {
        return Ok((inventory, 0));
    }
    let reserve = yt_value(c, &pool.moment)?.checked_sub(yt_value(a, &pool.moment)?).ok_or(MathError::Overflow)?;
    Ok((inventory, many(reserve)?))
}

/// `TickOffGrid` unless both ends are on the grid, `BadParameter` unless the lower is below the upper.
pub fn check_range(pool: &Pool, lower: i32, upper: i32) -> Result<(), MathError> {
    check_tick(lower, &pool.grid)?;
    check_tick(upper, &pool.grid)?;
    if lower >= upper {
        return Err(MathError::BadParameter);
    }
    Ok(())
}

/// An empty position over a range of the grid. Errors of `check_range`.
pub fn empty_position(pool: &Pool, lower: i32, upper: i32) -> Result<Position, MathError> {
    check_range(pool, lower, upper)?;
    Ok(Position { lower, upper, liquidity: 0, issued: 0, accrued_before: 0, fees_before: 0, uncollected: 0 })
}

/// What adding `liquidity` over a range costs. Errors of `check_range`; `OutOfRange` if it does not fit 64 bits.
pub fn deposit_for(pool: &Pool, lower: i32, upper: i32, liquidity: u64) -> Result<Deposit, MathError> {
    check_range(pool, lower, upper)?;
    let (inventory, reserve) = composition(pool, (lower, upper), liquidity)?;
    let issued = atoms(ceil_q64(inventory))?;
    let jlp = ceil_q64(times_discount(issued, pool.moment.discount)?) + ceil_q64(reserve);
    Ok(Deposit { issued, jlp: atoms(jlp)? })
}

/// JLP per unit of liquidity, Q64.64, that time has earned a position, up to a constant: `S(a) + G_a - S(b) - G_b`.
#[inline(never)]
pub fn accrued_per_liquidity(pool: &Pool, position: &Position, bounds: &Bounds) -> Result<i128, MathError> {
    let side = |index: i32, tick: &Tick| {
        add(signed(face_value(tick_rate(index)?, pool.moment.discount)?)?, cumulative_fall(pool, index, tick)?)
    };
    sub(side(position.lower, &bounds.lower)?, side(position.upper, &bounds.upper)?)
}

/// Fees per unit of liquidity earned inside the range, Q64.64 JLP atoms, up to a constant.
pub fn fees_per_liquidity(pool: &Pool, position: &Position, bounds: &Bounds) -> Result<i128, MathError> {
    let (lower, upper) = (bounds.lower.fee_growth_outside, bounds.upper.fee_growth_outside);
    let below = if pool.tick >= position.lower { lower } else { sub(pool.fee_growth, lower)? };
    let above = if pool.tick < position.upper { upper } else { sub(pool.fee_growth, upper)? };
    sub(sub(pool.fee_growth, below)?, above)
}

/// What a position has earned per unit of liquidity since it was last touched, Q64.64 JLP, and its snapshots as of now.
struct Earned {
    accrued: i128,
    fees: i128,
    per_liquidity: i128,
}

#[inline(never)]
fn earned_since(pool: &Pool, position: &Position, bounds: &Bounds) -> Result<Earned, MathError> {
    if bounds.lower.gross == 0 || bounds.upper.gross == 0 {
        return Err(MathError::BadParameter); // a position with liquidity keeps its ticks
    }
    let accrued = accrued_per_liquidity(pool, position, bounds)?;
    let fees = fees_per_liquidity(pool, position, bounds)?;
    let per_liquidity = add(sub(accrued, position.accrued_before)?, sub(fees, position.fees_before)?)?;
    Ok(Earned { accrued, fees, per_liquidity })
}

/// Brings `uncollected` up to date, down, and returns what is left waiting per unit of liquidity, Q64.64: 0, or below
/// 0 after coupons smaller than the last ulps of the curve, when nothing is credited and nothing forgotten.
/// `BadParameter` if the bounds are not initialised, `OutOfRange` if the sum does not fit 64 bits, `Overflow`.
#[inline(never)]
pub fn touch(pool: &Pool, position: &mut Position, bounds: &Bounds) -> Result<i128, MathError> {
    if position.liquidity == 0 {
        return Ok(0);
    }
    let earned = earned_since(pool, position, bounds)?;
    let Ok(gain) = u128::try_from(earned.per_liquidity) else { return Ok(earned.per_liquidity) };
    let exact = gain.checked_mul(u128::from(position.liquidity)).ok_or(MathError::Overflow)?;
    position.uncollected = atoms(u128::from(position.uncollected) + (exact >> 64))?;
    position.accrued_before = earned.accrued;
    position.fees_before = earned.fees;
    Ok(0)
}

/// A tick with liquidity added (or taken off). One that begins starts with `g = 0`, and the fee growth so far counts
/// as below it; one whose liquidity returns to 0 is dropped.
fn changed(tick: &Tick, index: i32, pool: &Pool, net: i64, gross: i64) -> Result<Tick, MathError> {
    let before = if tick.gross == 0 {
        Tick { fee_growth_outside: if pool.tick >= index { pool.fee_growth } else { 0 }, ..Tick::default() }
    } else {
        *tick
    };
    let after = Tick {
        net: before.net.checked_add(net).ok_or(MathError::Overflow)?,
        gross: before.gross.checked_add_signed(gross).ok_or(MathError::Overflow)?,
        ..before
    };
    Ok(if after.gross == 0 { Tick::default() } else { after })
}

/// Books a change of liquidity over a position's range into its ticks and the pool.
fn change_liquidity(pool: &mut Pool, position: &Position, bounds: &mut Bounds, change: i64) -> Result<(), MathError> {
    let back = change.checked_neg().ok_or(MathError::Overflow)?;
    let lower = changed(&bounds.lower, position.lower, pool, change, change)?;
    let upper = changed(&bounds.upper, position.upper, pool, back, change)?;
    if position.lower <= pool.tick && pool.tick < position.upper {
        pool.liquidity = pool.liquidity.checked_add_signed(change).ok_or(MathError::Overflow)?;
    }
    pool.gross_liquidity = pool.gross_liquidity.checked_add_signed(change).ok_or(MathError::Overflow)?;
    *bounds = Bounds { lower, upper };
    Ok(())
}

/// Adds liquidity to a position, empty or not, for `deposit_for` JLP. Refuses `OutOfRange`, `Matured`,
/// `DeficitStands`, `LiquidityLimit`, `DepositTooSmall` and what `deposit_for` and `touch` do. After an error the
/// caller gives the instruction up.
#[inline(never)]
pub fn add_liquidity(
    pool: &mut Pool,
    position: &mut Position,
    bounds: &mut Bounds,
    amount: u64,
) -> Result<Deposit, MathError> {
    check_liquidity(amount)?;
    if pool.moment.tau == 0 {
        return Err(MathError::Matured);
    }
    if pool.deficit > 0 {
        return Err(MathError::DeficitStands);
    }
    if pool.gross_liquidity.checked_add(amount).is_none_or(|gross| gross > MAX_LIQUIDITY) {
        return Err(MathError::LiquidityLimit);
    }
    let deposit = deposit_for(pool, position.lower, position.upper, amount)?;
    if deposit.jlp < MIN_DEPOSIT {
        return Err(MathError::DepositTooSmall);
    }
    touch(pool, position, bounds)?;
    change_liquidity(pool, position, bounds, i64::try_from(amount).map_err(|_| MathError::OutOfRange)?)?;
    if position.liquidity == 0 {
        position.accrued_before = accrued_per_liquidity(pool, position, bounds)?;
        position.fees_before = fees_per_liquidity(pool, position, bounds)?;
    }
    position.liquidity = position.liquidity.checked_add(amount).ok_or(MathError::Overflow)?;
    position.issued = position.issued.checked_add(deposit.issued).ok_or(MathError::Overflow)?;
    Ok(deposit)
}

/// Removes the share `num/den` of a position. Refuses `ShareOutOfRange`, `PositionEmpty` and what `touch` does. After
/// an error the caller gives the instruction up.
#[inline(never)]
pub fn remove_liquidity(
    pool: &mut Pool,
    position: &mut Position,
    bounds: &mut Bounds,
    share: (u64, u64),
) -> Result<Removed, MathError> {
    let (num, den) = share;
    if num == 0 || num > den || den > MAX_SHARE_DENOMINATOR {
        return Err(MathError::ShareOutOfRange);
    }
    let waiting = touch(pool, position, bounds)?;
    if position.liquidity == 0 {
        return Err(MathError::PositionEmpty);
    }
    let part = |whole: u64| atoms(div_small_down(u128::from(whole) * u128::from(num), den)?);
    let removed = part(position.liquidity)?;
    if removed == 0 {
        return Err(MathError::ShareOutOfRange);
    }
    let (issued, uncollected) = (part(position.issued)?, part(position.uncollected)?);
    let (inventory, reserve) = composition(pool, (position.lower, position.upper), removed)?;
    // What waits is a whole number of Q64.64 JLP per unit of liquidity, so that its share needs no division.
    let waiting = waiting.checked_mul(i128::from(removed)).ok_or(MathError::Overflow)?;
    let st = u128::try_from(floor_q64_signed(add(signed(reserve)?, waiting)?)).unwrap_or(0);
    let yt = atoms(inventory >> 64)?;
    let came_back = yt.min(issued);
    let jlp = atoms((times_discount(came_back, pool.moment.discount)? >> 64) + st + u128::from(uncollected))?;
    let change = i64::try_from(removed).map_err(|_| MathError::Overflow)?;
    change_liquidity(pool, position, bounds, -change)?;
    position.liquidity -= removed; // parts of a share of at most 1
    position.issued -= issued;
    position.uncollected -= uncollected;
    Ok(Removed { liquidity: removed, jlp, pt: issued - came_back, yt: yt - came_back, issued })
}

/// Takes all that a position has earned, JLP atoms. Refuses `PositionEmpty` and what `touch` does.
pub fn collect(pool: &Pool, position: &mut Position, bounds: &Bounds) -> Result<u64, MathError> {
    touch(pool, position, bounds)?;
    if position.uncollected == 0 {
        return Err(MathError::PositionEmpty);
    }
    Ok(core::mem::take(&mut position.uncollected))
}
