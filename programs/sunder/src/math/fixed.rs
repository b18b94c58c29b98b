//! Fixed point: Q64.64 products, divisions that stay cheap without a wide divide, and the one function of
//! the curve. "Down" is towards minus infinity, "up" towards plus infinity.

use super::error::MathError;
use super::phi_table::PHI_TABLE;

pub const ONE_Q64: u128 = 1 << 64;
/// `phi` and what follows from it take x in [0, 4).
pub const EXPONENT_LIMIT: u128 = 4 << 64;

/// The upper half of a 64 x 64 bit product; it fits 64 bits.
#[inline(always)]
pub fn mul_high(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

/// The lower and upper 64 bits of a number.
#[inline(always)]
pub fn halves(a: u128) -> (u64, u64) {
    (a as u64, (a >> 64) as u64)
}

/// `floor(a * b / 2^64)` for b below 1 (Q0.64): it always fits.
#[inline(always)]
pub fn mul_fraction(a: u128, b: u64) -> u128 {
    let (low, high) = halves(a);
    u128::from(high) * u128::from(b) + u128::from(mul_high(low, b))
}

/// `floor(a * b / 2^64)` for `b <= 2^64`, exact through 64-bit halves; else `OutOfRange`.
#[inline(always)]
pub fn mul_q64(a: u128, b: u128) -> Result<u128, MathError> {
    if b >= ONE_Q64 {
        return if b == ONE_Q64 { Ok(a) } else { Err(MathError::OutOfRange) };
    }
    Ok(mul_fraction(a, b as u64)) // below 2^64, just checked
}

/// `a * b` for a below 2^66 (a rate, or a value of the curve) and b at most 2^60; else `Overflow`. Two narrow products:
/// a checked one of 128 bits costs four times as much on chain.
#[inline(always)]
pub fn mul_rate(a: u128, b: u64) -> Result<u128, MathError> {
    let (low, high) = halves(a);
    if high > 3 || b > 1 << 60 {
        return Err(MathError::Overflow);
    }
    // The upper product is below 2^62, and all of it below 2^126.
    Ok((u128::from(high.wrapping_mul(b)) << 64).wrapping_add(u128::from(low) * u128::from(b)))
}

/// `ceil(a / 2^64)`.
#[inline(always)]
pub fn ceil_q64(a: u128) -> u128 {
    (a >> 64) + u128::from(a as u64 != 0)
}

/// `floor(a / 2^64)` of a signed number.
#[inline(always)]
pub fn floor_q64_signed(a: i128) -> i128 {
    a >> 64
}

/// `ceil(a / 2^64)` of a signed number.
#[inline(always)]
pub fn ceil_q64_signed(a: i128) -> i128 {
    (a >> 64) + i128::from(a as u64 != 0)
}

/// Quotient and remainder by a divisor of at most 2^32: four 64-bit divisions. `DivisionByZero`, `OutOfRange`.
#[inline(always)]
pub fn div_small(a: u128, divisor: u64) -> Result<(u128, u64), MathError> {
    if divisor == 0 {
        return Err(MathError::DivisionByZero);
    }
    if divisor > 1 << 32 {
        return Err(MathError::OutOfRange);
    }
    let (low, high) = halves(a);
    // A remainder is below 2^32, so that it and the next 32 bits fit 64.
    let middle = ((high % divisor) << 32) | (low >> 32);
    let rest = ((middle % divisor) << 32) | (low & 0xffff_ffff);
    let quotient =
        (u128::from(high / divisor) << 64) + (u128::from(middle / divisor) << 32) + u128::from(rest / divisor);
    Ok((quotient, rest % divisor))
}

/// `floor(a / divisor)` for a divisor from 1 to 2^32.
#[inline(always)]
pub fn div_small_down(a: u128, divisor: u64) -> Result<u128, MathError> {
    Ok(div_small(a, divisor)?.0)
}

/// `ceil(a / divisor)` for a divisor from 1 to 2^32.
#[inline(always)]
pub fn div_small_up(a: u128, divisor: u64) -> Result<u128, MathError> {
    let (quotient, remainder) = div_small(a, divisor)?;
    Ok(quotient + u128::from(remainder != 0))
}

/// `(high * 2^64 + low) / divisor` with its remainder; `high < divisor`, so that the quotient fits 64 bits.
/// Two digits of 32 bits, each guessed from the divisor's upper half and corrected at most twice.
#[inline(always)]
fn div_two_by_one(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    let shift = divisor.leading_zeros();
    let d = divisor << shift;
    let (d1, d0) = (d >> 32, d & 0xffff_ffff);
    let upper = if shift == 0 { high } else { (high << shift) | (low >> (64 - shift)) };
    let lower = low << shift;
    let (q1, rest) = digit(upper, lower >> 32, d, d1, d0);
    let (q0, rest) = digit(rest, lower & 0xffff_ffff, d, d1, d0);
    ((q1 << 32) | q0, rest >> shift)
}

/// One digit of a division: `(upper * 2^32 + next) / d` and the remainder, modulo 2^64 by design of the method.
#[inline(always)]
fn digit(upper: u64, next: u64, d: u64, d1: u64, d0: u64) -> (u64, u64) {
    let mut q = upper / d1;
    let mut rest = upper % d1;
    while q >> 32 != 0 || q * d0 > ((rest << 32) | next) {
        q -= 1;
        rest += d1;
        if rest >> 32 != 0 {
            break;
        }
    }
    (q, ((upper << 32) | next).wrapping_sub(q.wrapping_mul(d)))
}

/// Quotient and remainder by a 64-bit divisor. `DivisionByZero`.
#[inline(never)]
pub fn div_u64(a: u128, divisor: u64) -> Result<(u128, u64), MathError> {
    if divisor == 0 {
        return Err(MathError::DivisionByZero);
    }
    let (low, high) = halves(a);
    if high == 0 {
        return Ok((u128::from(low / divisor), low % divisor));
    }
    let (quotient, remainder) = div_two_by_one(high % divisor, low, divisor);
    Ok(((u128::from(high / divisor) << 64) | u128::from(quotient), remainder))
}

/// Quotient and remainder. `DivisionByZero`.
#[inline(never)]
pub fn div_u128(a: u128, divisor: u128) -> Result<(u128, u128), MathError> {
    let (low, high) = halves(divisor);
    if high == 0 {
        let (quotient, remainder) = div_u64(a, low)?;
        return Ok((quotient, u128::from(remainder)));
    }
    Ok((a / divisor, a % divisor))
}

/// `a * b` as (low, high) halves of 128 bits.
#[inline(never)]
pub fn mul_wide(a: u128, b: u128) -> (u128, u128) {
    let ((a0, a1), (b0, b1)) = (halves(a), halves(b));
    let product = |x: u64, y: u64| u128::from(x) * u128::from(y);
    let low = product(a0, b0);
    // Each term is at most (2^64 - 1)^2, which leaves room for two 64-bit carries.
    let middle = product(a1, b0) + (low >> 64);
    let other = product(a0, b1) + (middle & u128::from(u64::MAX));
    ((other << 64) | (low & u128::from(u64::MAX)), product(a1, b1) + (middle >> 64) + (other >> 64))
}

/// Whether `a * b >= c * d`, through 256 bits.
#[inline(never)]
pub fn product_at_least(a: (u128, u128), b: (u128, u128)) -> bool {
    let ((low, high), (other_low, other_high)) = (mul_wide(a.0, a.1), mul_wide(b.0, b.1));
    high > other_high || (high == other_high && low >= other_low)
}

/// `a * b / divisor` and whether something remains. Cheap while the product fits 128 bits, as everywhere in the
/// program; else bit by bit through 256. `DivisionByZero`, `Overflow` if the quotient does not fit 128 bits.
#[inline(never)]
fn mul_div(a: u128, b: u128, divisor: u128) -> Result<(u128, bool), MathError> {
    let (low, high) = mul_wide(a, b);
    if high == 0 {
        let (quotient, remainder) = div_u128(low, divisor)?;
        return Ok((quotient, remainder != 0));
    }
    if divisor == 0 {
        return Err(MathError::DivisionByZero);
    }
    if high >= divisor {
        return Err(MathError::Overflow);
    }
    let (mut rest, mut quotient) = (high, 0u128);
    for bit in (0..128).rev() {
        let carried = rest >> 127 != 0;
        rest = (rest << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carried || rest >= divisor {
            rest = rest.wrapping_sub(divisor); // right modulo 2^128 also with the bit that was carried out
            quotient |= 1;
        }
    }
    Ok((quotient, rest != 0))
}

/// `floor(a * b / divisor)`. `DivisionByZero`; `Overflow` if it does not fit 128 bits.
pub fn mul_div_down(a: u128, b: u128, divisor: u128) -> Result<u128, MathError> {
    Ok(mul_div(a, b, divisor)?.0)
}

/// `ceil(a * b / divisor)`. `DivisionByZero`; `Overflow` if it does not fit 128 bits.
pub fn mul_div_up(a: u128, b: u128, divisor: u128) -> Result<u128, MathError> {
    let (quotient, rest) = mul_div(a, b, divisor)?;
    quotient.checked_add(u128::from(rest)).ok_or(MathError::Overflow)
}

/// `1 - phi(x)` for `phi(x) = (1 - e^-x)/x`, x Q64.64 in [0, 4), as Q0.64: from 0 at x = 0 to 0.755. Error at most
/// 1.6 ulp and never falling in x, ulp by ulp (docs/kernel.md section 2). `Domain` from 4 on.
#[inline(never)]
pub fn phi_complement(x: u128) -> Result<u64, MathError> {
    if x >= EXPONENT_LIMIT {
        return Err(MathError::Domain);
    }
    let row = &PHI_TABLE[((x >> 59) as usize) & 127]; // below 128, just checked; the mask spares the bounds check
    let t = (x as u64) & ((1 << 59) - 1);
    // No difference wraps: each coefficient is above the product taken from it over the whole segment.
    let mut r = row[7];
    r = row[6].wrapping_sub(mul_high(t, r));
    r = row[5].wrapping_sub(mul_high(t, r));
    r = row[4].wrapping_sub(mul_high(t, r));
    r = row[3].wrapping_sub(mul_high(t, r));
    r = row[2].wrapping_sub(mul_high(t, r));
    r = row[1].wrapping_sub(mul_high(t, r));
    Ok(row[0].wrapping_add(mul_high(t, r)))
}

/// `floor(x * (1 - complement))` with the `phi_complement` of x: `1 - e^-x`, Q0.64, below 1.
#[inline(always)]
pub fn decayed(x: u128, complement: u64) -> u64 {
    if complement == 0 {
        return x as u64; // x is at most 2 ulp there
    }
    mul_fraction(x, complement.wrapping_neg()) as u64 // x * phi(x) is below 1
}

/// `1 - e^-x`, x Q64.64 in [0, 4), as Q0.64, down; error below 1.6x + 1 ulp. `Domain` from 4 on.
pub fn one_minus_exp_neg(x: u128) -> Result<u64, MathError> {
    Ok(decayed(x, phi_complement(x)?))
}

/// `e^-x`, x Q64.64 in [0, 4), as Q64.64: exactly 2^64 at 0. `Domain` from 4 on.
pub fn exp_neg(x: u128) -> Result<u128, MathError> {
    Ok(ONE_Q64 - u128::from(one_minus_exp_neg(x)?))
}
