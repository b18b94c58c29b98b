//! The rate oracle: a time-weighted average of the rate `s`, in 16 buckets of 20 s, whose observed rate moves by at
//! most a clamp a second.

use super::error::MathError;
use super::fixed::{div_small_down, div_u64, mul_rate, ONE_Q64};
use super::units::{atoms, check_rate};

pub const BUCKET_SECONDS: u32 = 20;
pub const BUCKETS: usize = 16;
/// The longest window: 15 whole buckets are always there beside the one being filled.
pub const MAX_WINDOW_SECONDS: u32 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateOracle {
    /// Most that the observed rate moves in a second, Q64.64, above 0 and below 1.
    pub clamp_per_second: u128,
    /// When observation began, and up to when it has come; unix seconds.
    pub started_at: u32,
    pub observed_until: u32,
    /// The observed rate of the last second before `observed_until`.
    pub observed: u128,
    /// Sum of the observed rates of a bucket's seconds; bucket `floor(t / 20)` is kept at its number modulo 16.
    pub buckets: [u128; BUCKETS],
}

/// An oracle without history. `BadParameter` for the clamp, `OutOfRange` for the rate.
pub fn create_oracle(now: u32, rate: u128, clamp_per_second: u128) -> Result<RateOracle, MathError> {
    if clamp_per_second == 0 || clamp_per_second >= ONE_Q64 {
        return Err(MathError::BadParameter);
    }
    Ok(RateOracle {
        clamp_per_second,
        started_at: now,
        observed_until: now,
        observed: check_rate(rate)?,
        buckets: [0; BUCKETS],
    })
}

/// Seconds in which the observed rate goes from `from` towards `to`: the sum of the rates after each, and the last.
#[inline(never)]
fn ramp(from: u128, to: u128, clamp: u64, seconds: u64) -> Result<(u128, u128), MathError> {
    let n = seconds;
    let distance = from.abs_diff(to);
    if distance == 0 {
        return Ok((mul_rate(to, n)?, to));
    }
    let most = u128::from(clamp) * u128::from(n);
    let steps = if most <= distance { n } else { atoms(div_u64(distance, clamp)?.0)? };
    let moved = u128::from(clamp) * u128::from(steps); // at most the distance
    let climbed = mul_rate(moved, steps + 1)? >> 1;
    let sum = mul_rate(from, steps)? + mul_rate(to, n - steps)?;
    let (sum, arrived) = if to > from {
        (sum.checked_add(climbed), from.checked_add(most))
    } else {
        (sum.checked_sub(climbed), from.checked_sub(most))
    };
    let last = if most > distance { Some(to) } else { arrived };
    Ok((sum.ok_or(MathError::Overflow)?, last.ok_or(MathError::Overflow)?))
}

#[inline(always)]
fn slot(bucket: u64) -> usize {
    (bucket as usize) & (BUCKETS - 1)
}

/// Observes the spot rate that has stood since the last call, up to `now`; before every change of the rate. At most
/// 16 buckets are written, however long nobody called. `OutOfRange`, `TimeBackwards`.
#[inline(never)]
pub fn observe(oracle: &mut RateOracle, spot: u128, now: u32) -> Result<(), MathError> {
    check_rate(spot)?;
    check_rate(oracle.observed)?;
    let Ok(clamp) = u64::try_from(oracle.clamp_per_second) else { return Err(MathError::BadParameter) };
    if clamp == 0 {
        return Err(MathError::BadParameter);
    }
    if now < oracle.observed_until {
        return Err(MathError::TimeBackwards);
    }
    if now == oracle.observed_until {
        return Ok(());
    }
    let last = oracle.observed_until;
    // `now` is above a time, so at least 1.
    let oldest_kept = ((now - 1) / BUCKET_SECONDS).saturating_sub(BUCKETS as u32 - 1) * BUCKET_SECONDS;
    let mut observed = oracle.observed;
    let mut at = last;
    if at < oldest_kept {
        observed = ramp(observed, spot, clamp, u64::from(oldest_kept - at))?.1;
        at = oldest_kept;
    }
    // In 64 bits: the machine has no others, and every operation on 32 costs it two more.
    let (from, mut at, now_wide) = (u64::from(last), u64::from(at), u64::from(now));
    let seconds_each = u64::from(BUCKET_SECONDS);
    let (mut bucket, inside) = (at / seconds_each, at % seconds_each);
    let mut left = seconds_each - inside; // of the bucket that `at` is in
    while at < now_wide {
        if observed == spot && left == seconds_each && now_wide - at >= seconds_each {
            // The observed rate has arrived: whole buckets are all alike.
            let whole = mul_rate(spot, seconds_each)?;
            while now_wide - at >= seconds_each {
                oracle.buckets[slot(bucket)] = whole;
                at += seconds_each;
                bucket += 1;
            }
            continue;
        }
        let seconds = left.min(now_wide - at);
        let (sum, arrived) = ramp(observed, spot, clamp, seconds)?;
        let begun = at == from && inside != 0;
        let kept = &mut oracle.buckets[slot(bucket)];
        *kept = if begun { kept.checked_add(sum).ok_or(MathError::Overflow)? } else { sum };
        observed = arrived;
        at += seconds; // at most `now`
        bucket += 1;
        left = seconds_each;
    }
    oracle.observed_until = now;
    oracle.observed = observed;
    Ok(())
}

/// Mean observed rate of the `window` seconds up to `observed_until`, Q64.64, down; of all seconds there are if the
/// history is shorter; the observed rate itself if there is none. The oldest bucket counts pro rata when the window
/// begins inside it. `observe` comes first. `BadParameter` for a window outside 1 .. 300 s.
#[inline(never)]
pub fn twap(oracle: &RateOracle, window: u32) -> Result<u128, MathError> {
    if window == 0 || window > MAX_WINDOW_SECONDS {
        return Err(MathError::BadParameter);
    }
    let now = oracle.observed_until;
    let from = now.saturating_sub(window).max(oracle.started_at);
    if from >= now {
        return Ok(oracle.observed);
    }
    let bucket = from / BUCKET_SECONDS;
    let start = bucket * BUCKET_SECONDS;
    // The bucket that the window begins in, pro rata by its recorded seconds; all others are whole, or are being
    // filled.
    let begin = start.max(oracle.started_at);
    let counted = (BUCKET_SECONDS - (from - start)).min(now - from);
    let (mut bucket, last) = (u64::from(bucket), u64::from((now - 1) / BUCKET_SECONDS));
    let mut sum = oracle.buckets[slot(bucket)];
    if from != begin {
        let all = sum.checked_mul(u128::from(counted)).ok_or(MathError::Overflow)?;
        sum = div_small_down(all, u64::from(from + counted - begin))?;
    }
    while bucket < last {
        bucket += 1;
        sum = sum.checked_add(oracle.buckets[slot(bucket)]).ok_or(MathError::Overflow)?;
    }
    div_small_down(sum, u64::from(now - from))
}

/// Seconds of history that the oracle has at `now`. `TimeBackwards` before its beginning.
pub fn history_seconds(oracle: &RateOracle, now: u32) -> Result<u32, MathError> {
    now.checked_sub(oracle.started_at).ok_or(MathError::TimeBackwards)
}
