//! Quotes in every direction, and the pool after them. `quote` writes nothing; `settle` books what a quote found, so
//! that quoting and trading cannot disagree.

use super::error::MathError;
use super::fee::{fee_on, FeeSplit};
use super::fixed::{ceil_q64, div_u64};
use super::pool::{add, crossed, Crossing, Pool};
use super::swap::{walk, Budget, Path, Step, StoppedBy, Ticks, Token, Walk};
use super::units::{atoms, check_rate, times_discount, MAX_RATE};

/// Most ticks that one trade crosses unless the order says otherwise; beyond it the fill is partial.
pub const MAX_CROSSINGS: u32 = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Pays ST for YT.
    BuyYt,
    SellYt,
    /// ST is split, the YT sold, the PT kept.
    BuyPt,
    /// YT is bought and merged with the PT.
    SellPt,
}

#[derive(Clone, Copy, Debug)]
pub enum OrderAmount {
    /// Exactly this many atoms of YT, or of PT in a PT order.
    Exact(u64),
    /// ST in JLP atoms, fee not included: a buy gets the most that it pays for, a sale gives the fewest that bring it.
    St(u64),
}

#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub kind: OrderKind,
    pub amount: OrderAmount,
    /// The worst rate, Q64.64: a trade that would move the rate past it stops there.
    pub limit_rate: Option<u128>,
    pub max_crossings: u32,
    /// Stops at the edge of the liquidity in range instead of passing through a stretch that has none.
    pub within_liquidity: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Quote {
    /// `Filled` if all was; else why the trade stopped before.
    pub stopped_by: StoppedBy,
    /// YT atoms bought or sold; in a PT order the same number of PT sold or bought.
    pub filled: u64,
    /// JLP atoms that the trader pays (buys; up, at least 1) or receives (sells; down), fee not included.
    pub amount: u64,
    /// JLP atoms of the YT swap inside, which the fee is charged on.
    pub st_leg: u64,
    pub fee: FeeSplit,
    /// Whether the rate rises.
    pub up: bool,
    pub path: Path,
}

/// What a trade would come to; `steps` is as for `walk`, and `settle` takes it on. Refuses `ZeroAmount`, `Matured`,
/// `LimitReached`, `CrossingsReached`, `NoLiquidity`, `AmountTooSmall`, `OutOfRange`.
#[inline(never)]
pub fn quote<T: Ticks>(pool: &Pool, ticks: &T, order: &Order, steps: &mut [Step]) -> Result<Quote, MathError> {
    let (OrderAmount::Exact(wanted) | OrderAmount::St(wanted)) = order.amount;
    if wanted == 0 {
        return Err(MathError::ZeroAmount);
    }
    if pool.moment.tau == 0 {
        return Err(MathError::Matured);
    }
    let of_pt = matches!(order.kind, OrderKind::BuyPt | OrderKind::SellPt);
    let pays = matches!(order.kind, OrderKind::BuyYt | OrderKind::BuyPt);
    let up = pays != of_pt; // buying YT, or buying it to merge with PT
    let limit_rate = match order.limit_rate {
        Some(rate) => check_rate(rate)?,
        None => {
            if up {
                MAX_RATE
            } else {
                0
            }
        }
    };
    let of = if of_pt { Token::Pt } else { Token::Yt };
    let budget = match order.amount {
        OrderAmount::Exact(yt) => Budget::Yt(yt),
        OrderAmount::St(amount) => Budget::Jlp { of, fewest: !pays, amount },
    };
    let (max_crossings, within_liquidity) = (order.max_crossings, order.within_liquidity);
    let path = walk(pool, ticks, &Walk { up, budget, limit_rate, max_crossings, within_liquidity }, steps)?;
    if path.yt == 0 {
        return Err(match path.stopped_by {
            StoppedBy::Limit => MathError::LimitReached,
            StoppedBy::Crossings => MathError::CrossingsReached,
            StoppedBy::Filled => MathError::AmountTooSmall,
            StoppedBy::Liquidity => MathError::NoLiquidity,
        });
    }
    // The pool takes the upper whole atom of what it is owed and gives the lower of what it owes.
    let st_leg = atoms(if up { ceil_q64(path.area).max(1) } else { path.area >> 64 })?;
    let exact = if of_pt {
        // Selling a few PT through stretches too thin for one atom can cost more than they are worth.
        let face = times_discount(path.yt, pool.moment.discount)?;
        match face.checked_sub(path.area) {
            Some(exact) => exact,
            None if pays => 0, // then the least there is to pay
            None => return Err(MathError::AmountTooSmall),
        }
    } else {
        path.area
    };
    let amount = atoms(if pays { ceil_q64(exact).max(1) } else { exact >> 64 })?;
    let fee = fee_on(st_leg, &pool.fees, pool.deficit)?;
    Ok(Quote { stopped_by: path.stopped_by, filled: path.yt, amount, st_leg, fee, up, path })
}

/// The pool and its ticks after a quote, with the steps that it left: fees grow stretch by stretch (by the whole
/// atoms of each stretch's ST leg, the rest to the last), and each tick is crossed with the fee growth of the moment
/// it was crossed at. After an error the ticks may be half written: the caller gives the instruction up.
/// `TickMissing`, `Overflow`.
#[inline(never)]
pub fn settle<T: Ticks>(pool: &mut Pool, ticks: &mut T, quote: &Quote, steps: &[Step]) -> Result<(), MathError> {
    let Quote { path, fee, st_leg, up, .. } = quote;
    let steps = steps.get(..path.steps).ok_or(MathError::TooManySteps)?;
    let last_fill = steps.iter().rposition(|step| step.liquidity > 0).ok_or(MathError::TooManySteps)?;
    let (mut fee_growth, mut fee_left) = (pool.fee_growth, fee.lp);
    for (at, step) in steps.iter().enumerate() {
        if step.liquidity > 0 {
            let share = if at == last_fill {
                fee_left
            } else {
                let leg = atoms(step.area >> 64)?;
                atoms(div_u64(u128::from(fee.lp) * u128::from(leg), (*st_leg).max(1))?.0)?
            };
            fee_left = fee_left.checked_sub(share).ok_or(MathError::Overflow)?;
            if share > 0 {
                let growth = div_u64(u128::from(share) << 64, step.liquidity)?.0;
                fee_growth = add(fee_growth, i128::try_from(growth).map_err(|_| MathError::Overflow)?)?;
            }
        }
        if let Some(index) = step.crossed {
            if at + 1 == path.steps && !path.crossed_last {
                break;
            }
            let crossing = Crossing { rate: step.rate, up: *up, fee_growth, yt_value_at_tick: step.value };
            ticks.update(index, |tick| crossed(tick, pool, &crossing))?;
        }
    }
    pool.rate = path.rate;
    pool.tick = path.tick;
    pool.liquidity = path.liquidity;
    pool.fee_growth = fee_growth;
    pool.deficit = pool.deficit.checked_sub(fee.repaid).ok_or(MathError::Overflow)?;
    Ok(())
}
