//! What wide.ll calls: 128-bit division, and the comparison of bytes that core expects to find. 128-bit numbers travel as halves.
#![no_std]

extern "C" {
    fn sol_memcmp_(a: *const u8, b: *const u8, len: u64, order: *mut i32);
}

/// # Safety
/// As in C.
#[no_mangle]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: u64) -> i32 {
    let mut order = 0;
    sol_memcmp_(a, b, len, &mut order);
    order
}

/// # Safety
/// As in C.
#[no_mangle]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: u64) -> i32 {
    memcmp(a, b, len)
}

const LOW: u64 = 0xffff_ffff;

/// The upper half of a product. Each partial sum fits: (2^32-1)^2 + 2 (2^32-1) = 2^64 - 1.
#[inline(always)]
fn mul_high(a: u64, b: u64) -> u64 {
    let (a0, a1, b0, b1) = (a & LOW, a >> 32, b & LOW, b >> 32);
    let middle = a1 * b0 + (a0 * b0 >> 32);
    let other = a0 * b1 + (middle & LOW);
    a1 * b1 + (middle >> 32) + (other >> 32)
}

/// One digit of long division: (high : low) / d, 32 bits of quotient, for d with its top bit set and high < d. The estimate
/// from d's upper half is too large by 2 at most (Knuth, Algorithm D).
#[inline(always)]
fn digit(high: u64, low: u64, d: u64) -> (u64, u64) {
    let (d1, d0) = (d >> 32, d & LOW);
    let mut quotient = high / d1;
    let mut rest = high - quotient * d1;
    while quotient > LOW || quotient * d0 > (rest << 32 | low) {
        quotient -= 1;
        rest += d1;
        if rest > LOW {
            break;
        }
    }
    (quotient, (high << 32 | low).wrapping_sub(quotient.wrapping_mul(d)))
}

/// (high : low) / d with quotient and remainder of 64 bits, for d with its top bit set and high < d.
#[inline(always)]
fn divide_normal(high: u64, low: u64, d: u64) -> (u64, u64) {
    let (q1, rest) = digit(high, low >> 32, d);
    let (q0, rest) = digit(rest, low & LOW, d);
    (q1 << 32 | q0, rest)
}

/// (high : low) shifted left, by less than 64: the upper word.
#[inline(always)]
fn shifted(high: u64, low: u64, by: u32) -> u64 {
    if by == 0 {
        high
    } else {
        high << by | low >> (64 - by)
    }
}

/// Quotient and remainder as [q_low, q_high, r_low, r_high]. The divisor is not zero: Rust has checked.
#[no_mangle]
pub extern "C" fn wide_divide(out: &mut [u64; 4], a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
    *out = if b_high == 0 {
        if a_high == 0 {
            [a_low / b_low, 0, a_low % b_low, 0]
        } else {
            by_one_word(a_low, a_high, b_low)
        }
    } else if a_high < b_high || (a_high == b_high && a_low < b_low) {
        [0, 0, a_low, a_high]
    } else {
        by_two_words(a_low, a_high, b_low, b_high)
    }
}

#[inline(always)]
fn by_one_word(a_low: u64, a_high: u64, b: u64) -> [u64; 4] {
    let (q_high, rest) = (a_high / b, a_high % b);
    if b <= LOW {
        // Two short divisions, each of a rest below 2^32 and 32 bits more.
        let upper = rest << 32 | a_low >> 32;
        let lower = (upper % b) << 32 | a_low & LOW;
        return [(upper / b) << 32 | lower / b, q_high, lower % b, 0];
    }
    let by = b.leading_zeros();
    let (q_low, rest) = divide_normal(shifted(rest, a_low, by), a_low << by, b << by);
    [q_low, q_high, rest >> by, 0]
}

/// With a divisor above 64 bits the quotient is one word, q. Shifted by `by`, the divisor has an upper word d1 >= 2^63 and a lower
/// one d0, and a / d1 alone overestimates by less than q d0 / (d1 2^64). As q < 2^(by + 1), that is below 1 up to by = 62; for
/// by = 63, d0 is 0 or 2^63, and it is again. So the estimate is at most 1 too large, and one exact comparison tells.
#[inline(always)]
fn by_two_words(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> [u64; 4] {
    let by = b_high.leading_zeros();
    let quotient = if by == 0 {
        1 // a >= b, and twice b is more than 128 bits
    } else {
        let (estimate, rest) =
            divide_normal(a_high >> (64 - by), shifted(a_high, a_low, by), shifted(b_high, b_low, by));
        let (b_rest, a_rest) = (b_low << by, a_low << by);
        let (high, low) = (mul_high(estimate, b_rest), estimate.wrapping_mul(b_rest));
        estimate - (high > rest || (high == rest && low > a_rest)) as u64
    };
    let low = quotient.wrapping_mul(b_low);
    let high = mul_high(quotient, b_low).wrapping_add(quotient.wrapping_mul(b_high));
    let borrow = (a_low < low) as u64;
    [quotient, 0, a_low.wrapping_sub(low), a_high.wrapping_sub(high).wrapping_sub(borrow)]
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
