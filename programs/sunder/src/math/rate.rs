//! The curve in JLP per unit of liquidity: `V` is what YT between two rates cost, `W` what PT cost, `S = V + W` what as
//! many ST are worth; and the grid of ticks.

use super::error::MathError;
use super::fixed::{decayed, div_small_down, div_small_up, mul_fraction, mul_q64, mul_rate, phi_complement, ONE_Q64};
use super::units::{check_rate, YEAR_SECONDS};

/// What a market knows of time: whole seconds from the last coupon to maturity, and JLP per ST (Q64.64, at most 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub tau: u32,
    pub discount: u128,
}

/// `floor(s * tau / year)`, Q64.64. `OutOfRange` for a rate of 4 or more.
#[inline(always)]
pub fn exponent(rate: u128, tau: u32) -> Result<u128, MathError> {
    div_small_down(mul_rate(check_rate(rate)?, u64::from(tau))?, u64::from(YEAR_SECONDS))
}

/// `ceil(s * seconds / year)`, Q64.64. `OutOfRange` for a rate of 4 or more.
#[inline(always)]
pub fn exponent_up(rate: u128, seconds: u32) -> Result<u128, MathError> {
    div_small_up(mul_rate(check_rate(rate)?, u64::from(seconds))?, u64::from(YEAR_SECONDS))
}

/// Price of YT in ST, `1 - e^(-s tau)`, Q0.64, down. `OutOfRange`, `Domain`.
#[inline(never)]
pub fn yt_price(rate: u128, tau: u32) -> Result<u64, MathError> {
    let x = exponent(rate, tau)?;
    Ok(decayed(x, phi_complement(x)?))
}

/// Price of PT in ST, Q64.64; with the YT price it adds up to exactly 1. `OutOfRange`, `Domain`.
pub fn pt_price(rate: u128, tau: u32) -> Result<u128, MathError> {
    Ok(ONE_Q64 - u128::from(yt_price(rate, tau)?))
}

/// `s * (1 - phi(s tau))`, the integral of the YT price in ST per unit of liquidity, Q64.64, down.
#[inline(always)]
pub fn yt_integral(rate: u128, tau: u32) -> Result<u128, MathError> {
    Ok(mul_fraction(rate, phi_complement(exponent(rate, tau)?)?))
}

/// `S(s) = floor(s * D)`, Q64.64 JLP per unit of liquidity.
#[inline(always)]
pub fn face_value(rate: u128, discount: u128) -> Result<u128, MathError> {
    mul_q64(check_rate(rate)?, discount)
}

/// `V(s) = floor(yt_integral(s) * D)`, Q64.64 JLP per unit of liquidity; never falls in s. `OutOfRange`, `Domain`.
#[inline(never)]
pub fn yt_value(rate: u128, moment: &Moment) -> Result<u128, MathError> {
    mul_q64(yt_integral(rate, moment.tau)?, moment.discount)
}

/// `W(s) = S(s) - V(s)`, Q64.64 JLP per unit of liquidity. `OutOfRange`, `Domain`.
pub fn pt_value(rate: u128, moment: &Moment) -> Result<u128, MathError> {
    // V is at most S: both are floors, and the integral is at most s.
    Ok(face_value(rate, moment.discount)? - yt_value(rate, moment)?)
}

/// `V` at a rate and about the prices of YT and PT in JLP there: its slope and that of `W`, which add up to the
/// discount.
#[derive(Clone, Copy)]
pub struct Point {
    pub value: u128,
    pub yt_price: u128,
    pub pt_price: u128,
}

/// What a search for an amount needs at a rate, from one evaluation of `phi`. `OutOfRange`, `Domain`.
#[inline(never)]
pub fn point(rate: u128, moment: &Moment) -> Result<Point, MathError> {
    let x = exponent(rate, moment.tau)?;
    let complement = phi_complement(x)?;
    let yt_price = mul_q64(u128::from(decayed(x, complement)), moment.discount)?;
    Ok(Point {
        value: mul_q64(mul_fraction(rate, complement), moment.discount)?,
        yt_price,
        pt_price: moment.discount - yt_price, // a price is at most the discount
    })
}

/// One tick is 1 bp of s; liquidity begins and ends at multiples of the spacing within [min_tick, max_tick].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub spacing: u16,
    pub min_tick: i32,
    pub max_tick: i32,
}

/// `s_i = floor(i * 2^64 / 10^4)`, i from 0 to 10^6; else `TickOffGrid`.
#[inline(always)]
pub fn tick_rate(tick: i32) -> Result<u128, MathError> {
    // 2^64 = 10^4 * BASIS_POINT + REST, so that 64-bit numbers do.
    const BASIS_POINT: u64 = (ONE_Q64 / 10_000) as u64;
    const REST: u64 = (ONE_Q64 % 10_000) as u64;
    match u64::try_from(tick) {
        Ok(tick) if tick <= 1_000_000 => {
            Ok(u128::from(tick) * u128::from(BASIS_POINT) + u128::from(tick * REST / 10_000))
        }
        _ => Err(MathError::TickOffGrid),
    }
}

/// `TickOffGrid` unless liquidity may begin or end at `tick`; `BadParameter` for a spacing of 0.
pub fn check_tick(tick: i32, grid: &Grid) -> Result<(), MathError> {
    let beside = tick.checked_rem(i32::from(grid.spacing)).ok_or(MathError::BadParameter)?;
    if tick < grid.min_tick || tick > grid.max_tick || beside != 0 {
        return Err(MathError::TickOffGrid);
    }
    Ok(())
}

/// The greatest tick of the grid whose rate is at or below `rate`. `OutOfRange`, `BadParameter` for a spacing of 0.
#[inline(never)]
pub fn tick_at_rate(rate: u128, grid: &Grid) -> Result<i32, MathError> {
    let spacing = u32::from(grid.spacing);
    // Below 4 * 10^4, as the rate is below 4.
    let basis_points = (mul_rate(check_rate(rate)?, 10_000)? >> 64) as u32;
    let tick = (basis_points - basis_points.checked_rem(spacing).ok_or(MathError::BadParameter)?) as i32;
    let above = tick + i32::from(grid.spacing);
    // Ticks' rates are floored, so that the next one can be at the rate: one step at most.
    Ok(if tick_rate(above)? <= rate { above } else { tick })
}
