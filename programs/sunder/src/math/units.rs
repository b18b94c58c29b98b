//! Ranges of the protocol's quantities (docs/protocol.md section 1) and the checks that keep them.

use super::error::MathError;
use super::fixed::{ceil_q64, div_u128, mul_q64, ONE_Q64};

pub const YEAR_SECONDS: u32 = 31_536_000;
/// All gross liquidity of a market: with it the table error of a JLP amount is below 1/4 atom.
pub const MAX_LIQUIDITY: u64 = 1 << 58;
/// Rates stay below 4 per year, and `s * tau` below 4 (the domain of `phi`).
pub const MAX_RATE: u128 = (4 << 64) - 1;
/// Lowest discount: 2^-20 JLP per ST.
pub const MIN_DISCOUNT: u128 = 1 << 44;

/// A rate per year, Q64.64, from 0 to below 4; else `OutOfRange`.
#[inline(always)]
pub fn check_rate(rate: u128) -> Result<u128, MathError> {
    if rate > MAX_RATE {
        return Err(MathError::OutOfRange);
    }
    Ok(rate)
}

/// JLP per ST, Q64.64, from 2^-20 to 1; else `OutOfRange`.
#[inline(always)]
pub fn check_discount(discount: u128) -> Result<u128, MathError> {
    if !(MIN_DISCOUNT..=ONE_Q64).contains(&discount) {
        return Err(MathError::OutOfRange);
    }
    Ok(discount)
}

/// Liquidity of a position, from 1 to 2^58; else `OutOfRange`.
#[inline(always)]
pub fn check_liquidity(liquidity: u64) -> Result<u64, MathError> {
    if liquidity == 0 || liquidity > MAX_LIQUIDITY {
        return Err(MathError::OutOfRange);
    }
    Ok(liquidity)
}

/// Token atoms, which fit 64 bits; else `OutOfRange`.
#[inline(always)]
pub fn atoms(value: u128) -> Result<u64, MathError> {
    u64::try_from(value).map_err(|_| MathError::OutOfRange)
}

/// JLP that `st` atoms of ST stand for, down: what the protocol pays out. `OutOfRange` for a discount above 1.
pub fn st_to_jlp_down(st: u64, discount: u128) -> Result<u64, MathError> {
    atoms(mul_q64(u128::from(st), discount)?)
}

/// JLP that `st` atoms of ST stand for, up: what is owed to the protocol. `OutOfRange` for a discount above 1.
pub fn st_to_jlp_up(st: u64, discount: u128) -> Result<u64, MathError> {
    atoms(ceil_q64(times_discount(st, discount)?))
}

/// ST that `jlp` atoms are worth, down. `OutOfRange` if it does not fit 64 bits.
pub fn jlp_to_st_down(jlp: u64, discount: u128) -> Result<u64, MathError> {
    atoms(div_u128(u128::from(jlp) << 64, discount)?.0)
}

/// ST that `jlp` atoms are worth, up. `OutOfRange` if it does not fit 64 bits.
pub fn jlp_to_st_up(jlp: u64, discount: u128) -> Result<u64, MathError> {
    let (quotient, remainder) = div_u128(u128::from(jlp) << 64, discount)?;
    atoms(quotient + u128::from(remainder != 0))
}

/// `n * D`, Q64.64 JLP atoms, exact. `OutOfRange` for a discount above 1.
#[inline(always)]
pub fn times_discount(n: u64, discount: u128) -> Result<u128, MathError> {
    if discount >= ONE_Q64 {
        // 2^64 itself, the discount of a new market, is the one value beyond 64 bits.
        return if discount == ONE_Q64 { Ok(u128::from(n) << 64) } else { Err(MathError::OutOfRange) };
    }
    Ok(u128::from(n) * discount)
}
