//! The walk of a trade over the curve, stretch by stretch. A stretch is what lies between two initialised ticks, where
//! the liquidity L is constant: n YT move the rate by n/L, up, and cost L times a difference of `V`.

use super::error::MathError;
use super::fixed::{ceil_q64, div_small_down, div_u64, mul_rate};
use super::inverse::{bisect, largest, Amounts, Priced};
use super::pool::{Pool, Tick};
use super::rate::{point, tick_at_rate, tick_rate, yt_value, Moment, Point};
use super::units::{times_discount, YEAR_SECONDS};

/// The initialised ticks of a pool, wherever they are kept.
pub trait Ticks {
    /// The nearest initialised tick above `index` (when `up`), or at or below it; None if the grid has no more of
    /// them in that direction. `TickMissing` if the caller did not bring what is needed to know.
    fn next(&self, index: i32, up: bool) -> Result<Option<NextTick>, MathError>;
    /// An initialised tick. `TickMissing`.
    fn read(&self, index: i32) -> Result<Tick, MathError>;
    /// Replaces an initialised tick. `TickMissing`.
    fn write(&mut self, index: i32, tick: &Tick) -> Result<(), MathError>;
    /// Replaces an initialised tick by what `change` makes of it. `TickMissing`, and what `change` refuses.
    fn update(&mut self, index: i32, change: impl FnOnce(&Tick) -> Result<Tick, MathError>) -> Result<(), MathError> {
        let tick = change(&self.read(index)?)?;
        self.write(index, &tick)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct NextTick {
    pub index: i32,
    /// Liquidity that comes in when the rate crosses upwards.
    pub net: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Yt,
    Pt,
}

/// What a walk is asked for, in the terms of the curve.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// Exactly this many YT atoms.
    Yt(u64),
    /// By whole JLP atoms: the most YT whose amount is at most that, or (`fewest`) the fewest that reach it. The
    /// amount of n YT is the area under the YT price, or that under the PT price, `n * D` less the former.
    Jlp { of: Token, fewest: bool, amount: u64 },
}

/// What to walk for and where to stop.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// YT are bought and the rate rises; else they are sold and it falls.
    pub up: bool,
    pub budget: Budget,
    /// The worst rate, Q64.64.
    pub limit_rate: u128,
    pub max_crossings: u32,
    /// Stops at the edge of the liquidity in range instead of passing through a stretch that has none.
    pub within_liquidity: bool,
}

/// Why a walk ended: all is filled; the limit rate; no more liquidity; or the cap on crossings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    Filled,
    Limit,
    Liquidity,
    Crossings,
}

/// One stretch of a walk: what was traded in it, and the tick crossed at its end, if any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    /// `L` of the stretch, 0 if it was passed through without a trade.
    pub liquidity: u64,
    /// `L * |V(end) - V(start)|`, Q64.64 JLP atoms.
    pub area: u128,
    pub crossed: Option<i32>,
    /// The rate of the tick crossed, and `V` there.
    pub rate: u128,
    pub value: u128,
}

/// Where a walk has come to, and what it traded until there.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    pub yt: u64,
    /// Area under the YT price, Q64.64 JLP atoms, exact.
    pub area: u128,
    pub rate: u128,
    pub tick: i32,
    pub liquidity: u64,
    pub crossings: u32,
    /// How many of the steps written belong to it; of the last one the crossing does not, unless `crossed_last`.
    pub steps: usize,
    pub crossed_last: bool,
    pub stopped_by: StoppedBy,
}

/// A part of the walk with constant liquidity.
struct Stretch<'a> {
    moment: &'a Moment,
    up: bool,
    rate: u128,
    /// `V(rate)`.
    value: u128,
    /// Prices at the start, if they came with `value`.
    start: Option<Point>,
    liquidity: u64,
    /// The next tick's rate, or the limit rate if that comes first.
    end: u128,
    limited: bool,
    /// YT that fit: a rise takes no more than LPs hold, a fall to a tick no less than fills them up.
    capacity: u64,
    /// YT and area of the path before this stretch.
    yt: u64,
    area: u128,
}

impl Stretch<'_> {
    /// The rate after n YT, rounded up; all of a stretch ends exactly on its tick.
    #[inline(always)]
    fn rate_after(&self, n: u64) -> Result<u128, MathError> {
        if n >= self.capacity && !self.limited {
            return Ok(self.end);
        }
        let (moved, rest) = div_u64(u128::from(n) << 64, self.liquidity)?;
        if self.up {
            self.rate.checked_add(moved + u128::from(rest != 0)).ok_or(MathError::Overflow)
        } else {
            self.rate.checked_sub(moved).ok_or(MathError::Overflow)
        }
    }

    /// Area under the YT price from the start of the stretch to where V is `value`, Q64.64 JLP atoms.
    #[inline(always)]
    fn area_to(&self, value: u128) -> Result<u128, MathError> {
        let moved = if self.up { value.checked_sub(self.value) } else { self.value.checked_sub(value) };
        mul_rate(moved.ok_or(MathError::Overflow)?, self.liquidity)
    }
}

/// Amounts of n YT into a stretch, over the whole path.
struct PathAmounts<'a> {
    stretch: &'a Stretch<'a>,
    of: Token,
}

impl Amounts for PathAmounts<'_> {
    #[inline(never)]
    fn at(&self, n: u64) -> Result<Priced, MathError> {
        let s = self.stretch;
        let here = point(s.rate_after(n)?, s.moment)?;
        let area = s.area.checked_add(s.area_to(here.value)?).ok_or(MathError::Overflow)?;
        let yt = s.yt.checked_add(n).ok_or(MathError::Overflow)?;
        let price = match self.of {
            Token::Yt => here.yt_price,
            Token::Pt => here.pt_price,
        };
        Ok(Priced {
            amount: path_amount(self.of, yt, area, s.moment.discount)?,
            price: u64::try_from(price).unwrap_or(u64::MAX), // at most 2^64: a hint for the search
        })
    }
}

/// Q64.64 JLP atoms that `yt` with this area are about: the area itself, or `yt * D - area` for PT.
#[inline(always)]
fn path_amount(of: Token, yt: u64, area: u128, discount: u128) -> Result<i128, MathError> {
    let area = i128::try_from(area).map_err(|_| MathError::Overflow)?;
    match of {
        Token::Yt => Ok(area),
        Token::Pt => {
            let face = i128::try_from(times_discount(yt, discount)?).map_err(|_| MathError::Overflow)?;
            Ok(face - area) // both are positive
        }
    }
}

/// About the n that brings a budget to `most`: price and bend of the curve at the start of the stretch.
#[inline(never)]
fn guess(amounts: &PathAmounts, most: i128, top: i64) -> Result<i64, MathError> {
    let s = amounts.stretch;
    let here = match s.start {
        Some(start) => start,
        None => point(s.rate, s.moment)?,
    };
    let before = path_amount(amounts.of, s.yt, s.area, s.moment.discount)?;
    let of_yt = amounts.of == Token::Yt;
    let price = if of_yt { here.yt_price } else { here.pt_price };
    let (Ok(price), Ok(missing), Ok(most_atoms)) =
        (u64::try_from(price), u128::try_from(most.saturating_sub(before)), u64::try_from(top))
    else {
        return Ok(0); // a price of exactly 1 JLP, or nothing missing
    };
    if price == 0 || missing >> 64 >= u128::from(price) << 32 {
        return Ok(top);
    }
    let first = div_u64(missing, price)?.0;
    if first >> 3 > u128::from(most_atoms) {
        return Ok(top);
    }
    // Second order: the price moves by D * e^-x * tau for each unit of the rate, so by about half of this until n.
    let bend = div_small_down(mul_rate(here.pt_price, u64::from(s.moment.tau))?, u64::from(YEAR_SECONDS))?;
    let Some(product) = bend.checked_mul(first) else { return Ok(top) };
    let change = div_u64(product, s.liquidity)?.0 >> 1;
    let rises = s.up == of_yt;
    let average = if rises { u128::from(price).checked_add(change) } else { u128::from(price).checked_sub(change) };
    match average.map(u64::try_from) {
        Some(Ok(average)) if average > 0 => Ok(i64::try_from(div_u64(missing, average)?.0).unwrap_or(top)),
        _ => Ok(if rises { 0 } else { top }),
    }
}

/// Whether amounts are proven never to fall in n. For PT they are up to this liquidity. Beyond it, far above any real market, the
/// answer is that of plain bisection, so that every implementation finds the same.
#[inline(always)]
fn is_proven(stretch: &Stretch, of: Token) -> bool {
    of == Token::Yt || u128::from(stretch.liquidity) << 10 <= stretch.moment.discount
}

/// `V` at the end of a stretch whose YT are all within a budget; None if they are not, or may not be.
#[inline(never)]
fn all_within(stretch: &Stretch, of: Token, fewest: bool, amount: u64) -> Result<Option<u128>, MathError> {
    if !is_proven(stretch, of) {
        return Ok(None);
    }
    let value = yt_value(stretch.rate_after(stretch.capacity)?, stretch.moment)?;
    let area = stretch.area.checked_add(stretch.area_to(value)?).ok_or(MathError::Overflow)?;
    let yt = stretch.yt.checked_add(stretch.capacity).ok_or(MathError::Overflow)?;
    let comes_to = path_amount(of, yt, area, stretch.moment.discount)?;
    // The last atom of a rise also pays for less than an atom of the stretch behind it, so that one PT fewer may bring more: by
    // less than the discount and an atom's hundredth, and so by less than 2 atoms.
    let dip = if fewest && of == Token::Pt { 2 << 64 } else { 0 };
    Ok((comes_to.saturating_add(dip) <= most_of(fewest, amount)).then_some(value))
}

/// The most, Q64.64, that an amount may come to for one atom more to be taken.
#[inline(always)]
fn most_of(fewest: bool, amount: u64) -> i128 {
    let exact = u128::from(amount) << 64;
    let most = if fewest { exact.saturating_sub(1) } else { exact };
    // What a path can come to stays far below 2^127, so a larger budget is as good as that.
    i128::try_from(most).unwrap_or(i128::MAX)
}

/// YT to take from a stretch for a budget in JLP; None if it cannot even be passed through.
#[inline(never)]
fn wanted_for(stretch: &Stretch, of: Token, fewest: bool, amount: u64) -> Result<Option<u64>, MathError> {
    let most = most_of(fewest, amount);
    let capacity = i64::try_from(stretch.capacity).map_err(|_| MathError::Overflow)?;
    // The last atom of a rise also pays for what is left of the stretch below an atom, so the proceeds of PT may dip
    // there: the fewest are looked for before it.
    let top = if fewest && !stretch.limited { capacity - 1 } else { capacity };
    let amounts = PathAmounts { stretch, of };
    let n = if is_proven(stretch, of) {
        largest(&amounts, most, top, guess(&amounts, most, top)?)?
    } else {
        bisect(&amounts, most, top)?
    };
    let n = if fewest && n < capacity { n + 1 } else { n };
    Ok(u64::try_from(n).ok()) // -1 is none
}

/// Liquidity after a tick is crossed.
#[inline(always)]
fn liquidity_across(liquidity: u64, net: i64, up: bool) -> Result<u64, MathError> {
    let after = if up {
        liquidity.checked_add_signed(net)
    } else {
        i64::checked_neg(net).and_then(|n| liquidity.checked_add_signed(n))
    };
    after.ok_or(MathError::Overflow)
}

/// Walks from the pool's rate and returns the state after the last atom filled: a stretch without liquidity, or one
/// where nothing fits, is never left half crossed. `steps` has room for one more than the crossings allowed
/// (`TooManySteps`); what is in it beyond `Path::steps` means nothing. Nothing is written to the ticks.
/// `TickMissing`, `Overflow`, `Domain`.
#[inline(never)]
pub fn walk<T: Ticks>(pool: &Pool, ticks: &T, order: &Walk, steps: &mut [Step]) -> Result<Path, MathError> {
    let Walk { up, budget, limit_rate, max_crossings, within_liquidity } = *order;
    let moment = &pool.moment;
    let (mut rate, mut tick, mut liquidity) = (pool.rate, pool.tick, pool.liquidity);
    let (mut yt, mut area, mut crossings) = (0u64, 0u128, 0u32);
    let mut standing = Path {
        yt,
        area,
        rate,
        tick,
        liquidity,
        crossings,
        steps: 0,
        crossed_last: false,
        stopped_by: StoppedBy::Filled,
    };
    let mut value = None; // V(rate), once it is needed
    let mut taken = 0usize;
    loop {
        let Some(next) = ticks.next(tick, up)? else {
            return Ok(Path { stopped_by: StoppedBy::Liquidity, ..standing });
        };
        let next_rate = tick_rate(next.index)?;
        let limited = if up { limit_rate < next_rate } else { limit_rate > next_rate };
        let mut step = Step::default();
        let (mut exhausted, mut filled) = (false, false);
        let at_tick;
        if liquidity == 0 {
            // At an edge the stretch without liquidity has no width.
            if within_liquidity && next_rate != rate {
                return Ok(Path { stopped_by: StoppedBy::Liquidity, ..standing });
            }
            if limited {
                return Ok(Path { stopped_by: StoppedBy::Limit, ..standing });
            }
            at_tick = yt_value(next_rate, moment)?;
        } else {
            let end = if limited { limit_rate } else { next_rate };
            let width = if up { end.checked_sub(rate) } else { rate.checked_sub(end) };
            let Some(width) = width else {
                return Ok(Path { stopped_by: StoppedBy::Limit, ..standing }); // the limit lies behind the rate
            };
            let room = mul_rate(width, liquidity)?;
            let capacity = if up || limited { room >> 64 } else { ceil_q64(room) };
            // A search by JLP needs the prices too, and one evaluation of the curve gives all of it.
            let start = match (value, budget) {
                (None, Budget::Jlp { .. }) => Some(point(rate, moment)?),
                _ => None,
            };
            let start_value = match (value, start) {
                (Some(value), _) => value,
                (None, Some(start)) => start.value,
                (None, None) => yt_value(rate, moment)?,
            };
            let stretch = Stretch {
                moment,
                up,
                rate,
                value: start_value,
                start,
                liquidity,
                end,
                limited,
                capacity: u64::try_from(capacity).map_err(|_| MathError::Overflow)?,
                yt,
                area,
            };
            let mut whole_value = None;
            let wanted = match budget {
                Budget::Yt(all) => Some(all - yt), // never more than asked for is filled
                Budget::Jlp { of, fewest, amount } => {
                    // Behind a crossing the answer is most often all of the stretch, which is cheaper to see than to search.
                    if value.is_some() {
                        whole_value = all_within(&stretch, of, fewest, amount)?;
                    }
                    match whole_value {
                        Some(_) => Some(stretch.capacity),
                        None => wanted_for(&stretch, of, fewest, amount)?,
                    }
                }
            };
            let Some(wanted) = wanted else {
                return Ok(Path { stopped_by: StoppedBy::Filled, ..standing }); // not even its rounding can be paid for
            };
            let n = wanted.min(stretch.capacity);
            let whole = !limited && wanted >= stretch.capacity;
            rate = stretch.rate_after(n)?;
            at_tick = match whole_value {
                Some(value) => value,
                None => yt_value(rate, moment)?,
            };
            step.liquidity = liquidity;
            step.area = stretch.area_to(at_tick)?;
            yt = yt.checked_add(n).ok_or(MathError::Overflow)?;
            area = area.checked_add(step.area).ok_or(MathError::Overflow)?;
            filled = n > 0;
            exhausted = match budget {
                Budget::Yt(all) => yt == all,
                Budget::Jlp { of, fewest: true, amount } => {
                    let reached = path_amount(of, yt, area, moment.discount)?;
                    u128::try_from(reached).is_ok_and(|reached| reached >= u128::from(amount) << 64)
                }
                Budget::Jlp { .. } => false,
            };
            tick = if whole { next.index } else { tick_at_rate(rate, &pool.grid)? };
            if filled && !(up && whole) {
                let steps = taken + 1;
                standing = Path { yt, area, rate, tick, liquidity, crossings, steps, crossed_last: false, ..standing };
            }
            if !whole {
                *steps.get_mut(taken).ok_or(MathError::TooManySteps)? = step;
                let all = exhausted || wanted < stretch.capacity;
                return Ok(Path { stopped_by: if all { StoppedBy::Filled } else { StoppedBy::Limit }, ..standing });
            }
        }
        // The rate is at the tick: a rise always crosses it, a fall only if something remains to be done.
        let go_on = !exhausted && crossings < max_crossings;
        if go_on || (up && filled) {
            step.crossed = Some(next.index);
            step.rate = next_rate;
            step.value = at_tick;
            crossings += 1; // at most one more than `max_crossings`, and there are fewer ticks than that type holds
            rate = next_rate;
            value = Some(at_tick);
            tick = if up { next.index } else { next.index - i32::from(pool.grid.spacing) };
            liquidity = liquidity_across(liquidity, next.net, up)?;
            if up && filled {
                let steps = taken + 1;
                standing = Path { yt, area, rate, tick, liquidity, crossings, steps, crossed_last: true, ..standing };
            }
        }
        *steps.get_mut(taken).ok_or(MathError::TooManySteps)? = step;
        taken += 1;
        if !go_on {
            let stopped_by = if exhausted { StoppedBy::Filled } else { StoppedBy::Crossings };
            return Ok(Path { stopped_by, ..standing });
        }
    }
}
