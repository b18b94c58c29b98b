//! Going backwards: the most whole atoms that an amount of JLP pays for. The answer is defined by the forward amounts
//! alone (docs/kernel.md section 5), so that the way of searching leaves no trace in it.

use super::error::MathError;
use super::fixed::div_u64;

/// After this many Newton steps the search bisects, so that its cost is bounded.
const NEWTON_STEPS: u32 = 16;

/// The amount of n atoms, Q64.64 JLP atoms, and about the price of the next one (below 1 JLP).
#[derive(Clone, Copy)]
pub struct Priced {
    pub amount: i128,
    pub price: u64,
}

/// What a search asks for: amounts by number of atoms.
pub trait Amounts {
    fn at(&self, n: u64) -> Result<Priced, MathError>;
}

/// `floor(|difference| / price)` atoms, or None if the price says nothing.
#[inline(always)]
fn atoms_for(difference: u128, price: u64) -> Result<Option<i64>, MathError> {
    if price == 0 {
        return Ok(None);
    }
    let quotient = div_u64(difference, price)?.0;
    Ok(Some(i64::try_from(quotient).unwrap_or(i64::MAX)))
}

#[inline(always)]
fn middle(low: i64, high: i64) -> i64 {
    low + ((high - low) >> 1) // rounds towards `low`, as (low + high) >> 1 does
}

/// The largest n in 0 ..= top whose amount is at most `most`, -1 if there is none; the amounts must not fall in n.
/// `top` is from -1 to below 2^62, `guess` anything. Newton on whole atoms inside a bracket: two evaluations from a
/// right guess, one more to know that the next atom does not fit.
pub fn largest<A: Amounts>(amounts: &A, most: i128, top: i64, guess: i64) -> Result<i64, MathError> {
    let (mut low, mut high) = (-1, top + 1);
    let mut probe = guess.clamp(0, top.max(0));
    let mut steps = 0;
    while high - low > 1 {
        let Priced { amount, price } = amounts.at(u64::try_from(probe).map_err(|_| MathError::Overflow)?)?;
        let miss = most.abs_diff(amount);
        let wanted = if amount <= most {
            low = probe;
            atoms_for(miss, price)?.map(|n| probe.saturating_add(n.max(1)))
        } else {
            high = probe;
            atoms_for(miss, price)?.map(|n| probe.saturating_sub(n.saturating_add(1)))
        };
        steps += 1;
        probe = match wanted {
            Some(next) if steps <= NEWTON_STEPS => next.clamp(low + 1, (high - 1).max(low + 1)),
            _ => middle(low, high),
        };
    }
    Ok(low)
}

/// The same by plain bisection, which says what the answer is where amounts may fall in n.
pub fn bisect<A: Amounts>(amounts: &A, most: i128, top: i64) -> Result<i64, MathError> {
    let (mut low, mut high) = (-1, top + 1);
    while high - low > 1 {
        let probe = middle(low, high);
        let n = u64::try_from(probe).map_err(|_| MathError::Overflow)?;
        if amounts.at(n)?.amount <= most {
            low = probe;
        } else {
            high = probe;
        }
    }
    Ok(low)
}
