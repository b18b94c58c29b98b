//! State of one market's AMM, and what time does to it.

use super::error::MathError;
use super::fee::FeeTerms;
use super::fixed::EXPONENT_LIMIT;
use super::rate::{exponent, face_value, pt_value, tick_at_rate, tick_rate, Grid, Moment};
use super::units::{check_discount, check_rate};

/// An initialised tick: some position begins or ends here. Its rate is `tick_rate` of its index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Liquidity that comes in when the rate crosses upwards.
    pub net: i64,
    /// Liquidity of all positions that begin or end here; a tick of 0 is not initialised.
    pub gross: u64,
    /// `g` of `cumulative_fall`, Q64.64 JLP per unit of liquidity.
    pub fall: i128,
    /// Fee growth on the side of the tick where the rate is not.
    pub fee_growth_outside: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub grid: Grid,
    pub fees: FeeTerms,
    pub moment: Moment,
    /// `s`, the rate in force, Q64.64 a year.
    pub rate: u128,
    /// The greatest tick crossed: every inside/outside test uses it, never a comparison of `rate`.
    pub tick: i32,
    /// `L` in range at `tick`.
    pub liquidity: u64,
    /// Sum of the liquidity of all positions.
    pub gross_liquidity: u64,
    /// `A`: how far `W` at the rate in force has fallen over all coupons, Q64.64 JLP per unit of liquidity.
    pub fall: i128,
    /// LP fees per unit of liquidity in range since the beginning, Q64.64 JLP atoms.
    pub fee_growth: i128,
    /// Losses not yet covered, JLP atoms.
    pub deficit: u64,
}

/// Q64.64 of the curve as a signed number: all of them are far below 2^127.
#[inline(always)]
pub(super) fn signed(value: u128) -> Result<i128, MathError> {
    i128::try_from(value).map_err(|_| MathError::Overflow)
}

#[inline(always)]
pub(super) fn add(a: i128, b: i128) -> Result<i128, MathError> {
    a.checked_add(b).ok_or(MathError::Overflow)
}

#[inline(always)]
pub(super) fn sub(a: i128, b: i128) -> Result<i128, MathError> {
    a.checked_sub(b).ok_or(MathError::Overflow)
}

/// An empty pool. `OutOfRange` for a rate or discount outside its range, `BadParameter` for a grid, fee, or highest
/// rate times tau outside the bounds of docs/kernel.md section 8.
pub fn create_pool(grid: Grid, fees: FeeTerms, moment: Moment, rate: u128) -> Result<Pool, MathError> {
    let Grid { spacing, min_tick, max_tick } = grid;
    let step = i32::from(spacing);
    let on_grid = (1..=1000).contains(&step)
        && (1..=39_999).contains(&min_tick)
        && max_tick <= 39_999
        && max_tick >= min_tick + step
        && min_tick % step == 0
        && max_tick % step == 0;
    if !on_grid || fees.fee_bps > 500 || fees.lp_share_bps > 10_000 || fees.insurance_share_bps > 10_000 {
        return Err(MathError::BadParameter);
    }
    check_rate(rate)?;
    let highest = tick_rate(max_tick)?;
    if rate < tick_rate(min_tick)? || rate > highest || exponent(highest, moment.tau)? >= EXPONENT_LIMIT {
        return Err(MathError::BadParameter);
    }
    check_discount(moment.discount)?;
    Ok(Pool {
        grid,
        fees,
        moment,
        rate,
        tick: tick_at_rate(rate, &grid)?,
        liquidity: 0,
        gross_liquidity: 0,
        fall: 0,
        fee_growth: 0,
        deficit: 0,
    })
}

/// A coupon, or several at once: the rate stands still, tau and the discount move, and `A` records how far `W` has
/// fallen. `OutOfRange`, `TimeBackwards`, `DiscountRises`, `Matured`; the pool then stays as it was.
pub fn accrue(pool: &mut Pool, to: &Moment) -> Result<(), MathError> {
    check_discount(to.discount)?;
    if to.tau > pool.moment.tau {
        return Err(MathError::TimeBackwards);
    }
    if to.discount > pool.moment.discount {
        return Err(MathError::DiscountRises);
    }
    if pool.moment.tau == 0 && to.discount < pool.moment.discount {
        return Err(MathError::Matured);
    }
    let (before, after) = (signed(pt_value(pool.rate, &pool.moment)?)?, signed(pt_value(pool.rate, to)?)?);
    pool.fall = add(pool.fall, before - after)?;
    pool.moment = *to;
    Ok(())
}

/// `G_i`: how far `W(min(s, s_i))` has fallen over all coupons, Q64.64 JLP per unit of liquidity, up to a constant.
pub fn cumulative_fall(pool: &Pool, index: i32, tick: &Tick) -> Result<i128, MathError> {
    if pool.tick < index {
        return add(tick.fall, pool.fall);
    }
    sub(tick.fall, signed(pt_value(tick_rate(index)?, &pool.moment)?)?)
}

/// The tick as it stands once the rate has crossed it upwards (or downwards); `yt_value_at_tick` is `V(s_i)` at the
/// present moment. `G_i` itself does not jump.
pub fn crossed(tick: &Tick, pool: &Pool, crossing: &Crossing) -> Result<Tick, MathError> {
    let pt_value = sub(signed(face_value(crossing.rate, pool.moment.discount)?)?, signed(crossing.yt_value_at_tick)?)?;
    let jump = add(pool.fall, pt_value)?;
    Ok(Tick {
        fall: if crossing.up { add(tick.fall, jump)? } else { sub(tick.fall, jump)? },
        fee_growth_outside: sub(crossing.fee_growth, tick.fee_growth_outside)?,
        ..*tick
    })
}

/// How a tick is crossed: the direction, the fee growth of the moment, its rate `s_i` and `V(s_i)`.
pub struct Crossing {
    pub rate: u128,
    pub up: bool,
    pub fee_growth: i128,
    pub yt_value_at_tick: u128,
}
