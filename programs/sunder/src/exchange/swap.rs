//! The AMM inside an instruction: the ticks that were brought, the guards, the orders, and where the fee goes.
use super::book::Book;
use super::work::{Workspace, STEPS};
use crate::external::token;
use crate::interface::{addresses, OrderKind, SunderError, SwappedRecord};
use crate::math::fixed::{ceil_q64, mul_div_down};
use crate::math::margin::guarded;
use crate::math::pool::Pool;
use crate::math::quote::{self, quote, settle, Order, OrderAmount, Quote, MAX_CROSSINGS};
use crate::math::rate::tick_rate;
use crate::math::swap::{Step, StoppedBy};
use crate::math::units::{times_discount, MAX_RATE};
use crate::math::MathError;
use crate::runtime::{AccountInfo, Few, Pubkey, RefMut};
use crate::state::{market, tick_array, Market, TickArray, TradeTicks, TICK_ARRAYS};

/// The tick arrays that follow the accounts of an instruction.
#[derive(Clone, Copy)]
pub struct Arrays<'a> {
    pub brought: &'a [AccountInfo],
    /// A second market whose arrays may be among them.
    pub other: Option<&'a Pubkey>,
}

impl<'a> Arrays<'a> {
    pub fn of(brought: &'a [AccountInfo]) -> Arrays<'a> {
        Arrays { brought, other: None }
    }

    /// Calls `then` with the ticks of a market. `WrongMarket` for an array of none of the markets, `SameAccount` for one given twice,
    /// `NotWritable`, and what is refused of any account of the program.
    #[inline(always)]
    pub fn with<R>(
        &self,
        account: &AccountInfo,
        then: impl FnOnce(&mut TradeTicks<&[u8; market::SIZE]>) -> Result<R, SunderError>,
    ) -> Result<R, SunderError> {
        let key = account.key();
        let mut lent = Few::<RefMut, TICK_ARRAYS>::new();
        for array in self.brought {
            if !array.is_writable() {
                return Err(SunderError::NotWritable);
            }
            if !array.is_owned_by(&addresses::PROGRAM) {
                let empty = array.data_is_empty();
                return Err(if empty { SunderError::Uninitialised } else { SunderError::WrongOwner });
            }
            let data = array.try_borrow_mut_data()?;
            let of = TickArray::load(&data)?.market();
            if of == *key {
                lent.push(data).map_err(|_| SunderError::SameAccount)?;
            } else if self.other != Some(&of) {
                return Err(SunderError::WrongMarket);
            }
        }
        let mut arrays = Few::<TickArray<&mut [u8; tick_array::SIZE]>, TICK_ARRAYS>::new();
        for data in lent.iter_mut() {
            arrays.push(TickArray::load_mut(data)?).map_err(|_| SunderError::SameAccount)?;
        }
        let data = account.try_borrow_data()?;
        let market = Market::load(&data)?;
        then(&mut TradeTicks::new(&market, key, &mut arrays)?)
    }
}

/// An order of the AMM, which stops at a limit that is there in any case.
pub fn order(kind: OrderKind, amount: OrderAmount, limit_rate: u128, within_liquidity: bool) -> Order {
    let kind = match kind {
        OrderKind::BuyYt => quote::OrderKind::BuyYt,
        OrderKind::SellYt => quote::OrderKind::SellYt,
        OrderKind::BuyPt => quote::OrderKind::BuyPt,
        OrderKind::SellPt => quote::OrderKind::SellPt,
    };
    Order { kind, amount, limit_rate: Some(limit_rate), max_crossings: MAX_CROSSINGS, within_liquidity }
}

/// Whether the AMM says by this that it would trade nothing; else the error is the instruction's.
pub fn is_rejection(error: MathError) -> bool {
    matches!(
        error,
        MathError::ZeroAmount
            | MathError::Matured
            | MathError::LimitReached
            | MathError::CrossingsReached
            | MathError::NoLiquidity
            | MathError::AmountTooSmall
    )
}

/// The one copy of the AMM's walk: `quote` itself has more arguments than registers, and is compiled into whoever calls it.
#[inline(never)]
fn quoted(
    pool: &Pool,
    ticks: &TradeTicks<&[u8; market::SIZE]>,
    order: &Order,
    steps: &mut [Step; STEPS],
) -> Result<Quote, MathError> {
    quote(pool, ticks, order, steps)
}

impl Book<'_> {
    /// What an order would come to; None if nothing. Nothing is written but `steps`, which `settle` takes on.
    #[inline(never)]
    pub fn try_quote(
        &self,
        arrays: &Arrays,
        order: &Order,
        steps: &mut [Step; STEPS],
    ) -> Result<Option<Quote>, SunderError> {
        arrays.with(self.account, |ticks| match quoted(&self.pool, ticks, order, steps) {
            Ok(quote) => Ok(Some(quote)),
            Err(error) if is_rejection(error) => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    /// Books what a quote found: the pool, the ticks, and its fee. Writes its record.
    #[inline(never)]
    pub fn settle_quote(
        &mut self,
        work: &mut Workspace,
        arrays: &Arrays,
        quote: &Quote,
        kind: OrderKind,
    ) -> Result<(), SunderError> {
        self.swapped(work, quote, kind)?;
        let Workspace { steps, .. } = work;
        arrays.with(self.account, |ticks| Ok(settle(&mut self.pool, ticks, quote, steps)?))?;
        self.book_fee(quote)
    }

    /// Trades an order or refuses with the AMM's reason; `BelowMinimum` for less than `minimum`.
    #[inline(never)]
    pub fn swap(
        &mut self,
        work: &mut Workspace,
        arrays: &Arrays,
        kind: OrderKind,
        order: &Order,
        minimum: u64,
    ) -> Result<Quote, SunderError> {
        let rate_before = self.pool.rate;
        let Workspace { steps, events, .. } = work;
        let done = arrays.with(self.account, |ticks| {
            let done = quoted(&self.pool, ticks, order, steps)?;
            if done.filled < minimum {
                return Err(SunderError::BelowMinimum);
            }
            settle(&mut self.pool, ticks, &done, steps)?;
            Ok(done)
        })?;
        events.swapped(&swapped_record(*self.key(), rate_before, &done, kind))?;
        self.book_fee(&done)?;
        Ok(done)
    }

    fn swapped(&self, work: &mut Workspace, quote: &Quote, kind: OrderKind) -> Result<(), SunderError> {
        work.events.swapped(&swapped_record(*self.key(), self.pool.rate, quote, kind))
    }

    fn book_fee(&mut self, quote: &Quote) -> Result<(), SunderError> {
        self.fees = self.fees.checked_add(quote.fee.protocol).ok_or(SunderError::Arithmetic)?;
        self.change_fund_margin(quote.fee.insurance.into())
    }

    /// A limit kept inside the market's rate range.
    pub fn in_range(&self, limit: u128, up: bool) -> Result<u128, SunderError> {
        let grid = &self.pool.grid;
        Ok(if up { limit.min(tick_rate(grid.max_tick)?) } else { limit.max(tick_rate(grid.min_tick)?) })
    }

    /// A limit kept inside the market's rate range and within `bps` of a reference rate.
    #[inline(always)]
    pub fn guarded(&self, limit: u128, reference: u128, bps: u16, up: bool) -> Result<u128, SunderError> {
        Ok(guarded(self.in_range(limit, up)?, reference, bps, up)?)
    }

    /// Refuses `OpenInterest` if either side's YT, at face value in JLP, exceed the cap.
    pub fn check_open_interest(&self, jlp_mint: &AccountInfo) -> Result<(), SunderError> {
        let side = (self.totals.yt + self.totals.short).max(self.totals.short);
        let side = u64::try_from(side).map_err(|_| SunderError::OpenInterest)?;
        let supply = token::supply(jlp_mint)?;
        let cap = mul_div_down(supply.into(), self.terms.open_interest_bps.into(), 10_000)?;
        if ceil_q64(times_discount(side, self.pool.moment.discount)?) > cap {
            return Err(SunderError::OpenInterest);
        }
        Ok(())
    }
}

fn swapped_record(market: Pubkey, rate_before: u128, quote: &Quote, order: OrderKind) -> SwappedRecord {
    let Quote { filled, amount, st_leg, fee, .. } = *quote;
    SwappedRecord {
        market,
        order,
        filled,
        amount,
        st_leg,
        fee_total: fee.total,
        fee_repaid: fee.repaid,
        fee_lp: fee.lp,
        fee_insurance: fee.insurance,
        fee_protocol: fee.protocol,
        rate_before,
        rate_after: quote.path.rate,
        complete: quote.stopped_by == StoppedBy::Filled,
    }
}

/// Refuses `BadParameter` for a limit that no order can mean, `DeadlinePassed`.
pub fn check_bounds(work: &Workspace, limit_rate: u128, deadline: u32) -> Result<(), SunderError> {
    super::book::check_deadline(work, deadline)?;
    if limit_rate > MAX_RATE {
        return Err(SunderError::BadParameter);
    }
    Ok(())
}
