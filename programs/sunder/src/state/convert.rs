//! Between the accounts and the values that the arithmetic takes. What is stored narrower than it is computed with is
//! checked on its way back: `OutOfRange`.
use super::error::StateError;
use super::generated::{lp_position, margin_account, market, rate_index, tick_array};
use super::generated::{LpPosition, MarginAccount, Market, RateIndex, TickArray};
use crate::math::account::{Legs, Totals};
use crate::math::accrual::{self, Checkpoint, IndexKind, MAX_CHECKPOINTS};
use crate::math::fee::FeeTerms;
use crate::math::liquidity::Position;
use crate::math::margin::{MarginTerms, Standing};
use crate::math::pool::{Pool, Tick};
use crate::math::rate::{Grid, Moment};
use crate::math::twap::{RateOracle, BUCKETS};
use core::ops::{Deref, DerefMut};

#[inline(always)]
fn narrow<T, U: TryFrom<T>>(value: T) -> Result<U, StateError> {
    U::try_from(value).map_err(|_| StateError::OutOfRange)
}

/// A coupon kind as it is stored and as it is a seed: 0 hourly, 1 weekly. `Malformed`.
fn kind_of(byte: u8) -> Result<IndexKind, StateError> {
    match byte {
        0 => Ok(IndexKind::Hourly),
        1 => Ok(IndexKind::Weekly),
        _ => Err(StateError::Malformed),
    }
}

impl<B: Deref<Target = [u8; rate_index::SIZE]>> RateIndex<B> {
    /// All but the checkpoints. `Malformed`.
    pub fn index(&self) -> Result<accrual::RateIndex, StateError> {
        Ok(accrual::RateIndex {
            kind: kind_of(self.kind())?,
            rho_max: self.caps_rho_max_q64().into(),
            weekly_budget: self.caps_weekly_budget_q64().into(),
            discount: self.discount(),
            last_step: self.last_step(),
            bucket: self.bucket_q64().into(),
            carry: self.carry(),
        })
    }

    /// 1 KiB of the stack, a quarter of a frame: not inlined, and best held by a frame of its own.
    #[inline(never)]
    pub fn checkpoints(&self) -> Result<[Checkpoint; MAX_CHECKPOINTS], StateError> {
        let mut all = [Checkpoint::default(); MAX_CHECKPOINTS];
        for (i, checkpoint) in all.iter_mut().enumerate() {
            *checkpoint = Checkpoint { maturity: self.checkpoint_maturity(i)?, discount: self.checkpoint_discount(i)? };
        }
        Ok(all)
    }

    /// The final discount of a maturity: None while no step has crossed it, or if nobody watches it.
    pub fn final_discount(&self, maturity: u32) -> Result<Option<u128>, StateError> {
        for i in 0..MAX_CHECKPOINTS {
            if maturity != 0 && self.checkpoint_maturity(i)? == maturity {
                let discount = self.checkpoint_discount(i)?;
                return Ok((discount != 0).then_some(discount));
            }
        }
        Ok(None)
    }
}

impl<B: DerefMut<Target = [u8; rate_index::SIZE]>> RateIndex<B> {
    /// All but the checkpoints. `OutOfRange`; then nothing is written.
    pub fn set_index(&mut self, index: &accrual::RateIndex) -> Result<(), StateError> {
        let (rho_max, budget) = (narrow(index.rho_max)?, narrow(index.weekly_budget)?);
        let bucket = narrow(index.bucket)?;
        self.set_kind(match index.kind {
            IndexKind::Hourly => 0,
            IndexKind::Weekly => 1,
        });
        self.set_caps_rho_max_q64(rho_max);
        self.set_caps_weekly_budget_q64(budget);
        self.set_discount(index.discount);
        self.set_last_step(index.last_step);
        self.set_bucket_q64(bucket);
        self.set_carry(index.carry);
        Ok(())
    }

    pub fn set_checkpoints(&mut self, all: &[Checkpoint; MAX_CHECKPOINTS]) -> Result<(), StateError> {
        for (i, checkpoint) in all.iter().enumerate() {
            self.set_checkpoint_maturity(i, checkpoint.maturity)?;
            self.set_checkpoint_discount(i, checkpoint.discount)?;
        }
        Ok(())
    }
}

impl<B: Deref<Target = [u8; market::SIZE]>> Market<B> {
    /// `Malformed`.
    pub fn coupon_kind(&self) -> Result<IndexKind, StateError> {
        kind_of(self.kind())
    }

    pub fn grid(&self) -> Grid {
        Grid {
            spacing: self.terms_grid_spacing(),
            min_tick: self.terms_grid_min_tick(),
            max_tick: self.terms_grid_max_tick(),
        }
    }

    pub fn fee_terms(&self) -> FeeTerms {
        FeeTerms {
            fee_bps: self.terms_fee_bps(),
            lp_share_bps: self.terms_lp_share_bps(),
            insurance_share_bps: self.terms_insurance_share_bps(),
        }
    }

    /// `rho_max` is the index's.
    pub fn margin_terms(&self, rho_max: u128) -> MarginTerms {
        MarginTerms {
            initial_bps: self.terms_initial_bps(),
            initial_twap_bps: self.terms_initial_twap_bps(),
            maintenance_bps: self.terms_maintenance_bps(),
            low_coupon_bps: self.terms_low_coupon_bps(),
            period: self.terms_period(),
            rho_max,
        }
    }

    pub fn moment(&self) -> Moment {
        Moment { tau: self.pool_tau_seconds(), discount: self.pool_discount() }
    }

    pub fn pool(&self) -> Pool {
        Pool {
            grid: self.grid(),
            fees: self.fee_terms(),
            moment: self.moment(),
            rate: self.pool_rate(),
            tick: self.pool_tick(),
            liquidity: self.pool_liquidity(),
            gross_liquidity: self.pool_gross_liquidity(),
            fall: self.pool_fall(),
            fee_growth: self.pool_fee_growth(),
            deficit: self.pool_deficit(),
        }
    }

    pub fn oracle(&self) -> Result<RateOracle, StateError> {
        let mut buckets = [0; BUCKETS];
        for (i, bucket) in buckets.iter_mut().enumerate() {
            *bucket = self.oracle_buckets(i)?;
        }
        Ok(RateOracle {
            clamp_per_second: self.terms_clamp_per_second().into(),
            started_at: self.oracle_started_at(),
            observed_until: self.oracle_observed_until(),
            observed: self.oracle_observed(),
            buckets,
        })
    }

    pub fn standing(&self) -> Standing {
        Standing {
            since: self.standing_since(),
            low: self.standing_low(),
            high: self.standing_high(),
            low_before: self.standing_low_before(),
            high_before: self.standing_high_before(),
        }
    }

    pub fn totals(&self) -> Totals {
        Totals {
            margin: self.totals_margin(),
            st: self.totals_st(),
            debt: self.totals_debt(),
            yt: self.totals_yt(),
            yt_at_discount: self.totals_yt_at_discount(),
            short: self.totals_short(),
            short_at_discount: self.totals_short_at_discount(),
            pt: self.totals_pt().into(),
            issued: self.totals_issued().into(),
            profit: self.totals_profit(),
            open: self.totals_open(),
            debtors: self.totals_debtors(),
        }
    }

    pub fn fund(&self) -> Legs {
        Legs {
            margin: self.fund_margin(),
            st: self.fund_st(),
            yt: self.fund_yt(),
            discount: self.fund_discount(),
            net_deposits: self.fund_net_deposits(),
        }
    }
}

impl<B: DerefMut<Target = [u8; market::SIZE]>> Market<B> {
    /// What trades, coupons and liquidity change. Grid and fees are terms and not written here.
    pub fn set_pool(&mut self, pool: &Pool) {
        self.set_pool_tau_seconds(pool.moment.tau);
        self.set_pool_discount(pool.moment.discount);
        self.set_pool_rate(pool.rate);
        self.set_pool_tick(pool.tick);
        self.set_pool_liquidity(pool.liquidity);
        self.set_pool_gross_liquidity(pool.gross_liquidity);
        self.set_pool_fall(pool.fall);
        self.set_pool_fee_growth(pool.fee_growth);
        self.set_pool_deficit(pool.deficit);
    }

    /// The clamp is a term and not written here.
    pub fn set_oracle(&mut self, oracle: &RateOracle) -> Result<(), StateError> {
        self.set_oracle_started_at(oracle.started_at);
        self.set_oracle_observed_until(oracle.observed_until);
        self.set_oracle_observed(oracle.observed);
        for (i, bucket) in oracle.buckets.iter().enumerate() {
            self.set_oracle_buckets(i, *bucket)?;
        }
        Ok(())
    }

    pub fn set_standing(&mut self, standing: &Standing) {
        self.set_standing_since(standing.since);
        self.set_standing_low(standing.low);
        self.set_standing_high(standing.high);
        self.set_standing_low_before(standing.low_before);
        self.set_standing_high_before(standing.high_before);
    }

    /// `OutOfRange`; then nothing is written.
    pub fn set_totals(&mut self, totals: &Totals) -> Result<(), StateError> {
        let (pt, issued) = (narrow(totals.pt)?, narrow(totals.issued)?);
        self.set_totals_margin(totals.margin);
        self.set_totals_st(totals.st);
        self.set_totals_debt(totals.debt);
        self.set_totals_yt(totals.yt);
        self.set_totals_yt_at_discount(totals.yt_at_discount);
        self.set_totals_short(totals.short);
        self.set_totals_short_at_discount(totals.short_at_discount);
        self.set_totals_pt(pt);
        self.set_totals_issued(issued);
        self.set_totals_profit(totals.profit);
        self.set_totals_open(totals.open);
        self.set_totals_debtors(totals.debtors);
        Ok(())
    }

    pub fn set_fund(&mut self, fund: &Legs) {
        self.set_fund_margin(fund.margin);
        self.set_fund_st(fund.st);
        self.set_fund_yt(fund.yt);
        self.set_fund_discount(fund.discount);
        self.set_fund_net_deposits(fund.net_deposits);
    }
}

impl<B: Deref<Target = [u8; tick_array::SIZE]>> TickArray<B> {
    /// The tick in a place of the array, 0 to 63. `OutOfRange`.
    pub fn tick(&self, slot: usize) -> Result<Tick, StateError> {
        Ok(Tick {
            net: self.tick_net(slot)?,
            gross: self.tick_gross(slot)?,
            fall: self.tick_fall(slot)?,
            fee_growth_outside: self.tick_fee_growth_outside(slot)?,
        })
    }
}

impl<B: DerefMut<Target = [u8; tick_array::SIZE]>> TickArray<B> {
    /// `OutOfRange`. Whether the tick is initialised is in the market's bits too: see `Market::mark_initialised`.
    pub fn set_tick(&mut self, slot: usize, tick: &Tick) -> Result<(), StateError> {
        self.set_tick_net(slot, tick.net)?;
        self.set_tick_gross(slot, tick.gross)?;
        self.set_tick_fall(slot, tick.fall)?;
        self.set_tick_fee_growth_outside(slot, tick.fee_growth_outside)
    }
}

impl<B: Deref<Target = [u8; margin_account::SIZE]>> MarginAccount<B> {
    pub fn legs(&self) -> Legs {
        Legs {
            margin: self.margin(),
            st: self.st(),
            yt: self.yt(),
            discount: self.discount(),
            net_deposits: self.net_deposits(),
        }
    }
}

impl<B: DerefMut<Target = [u8; margin_account::SIZE]>> MarginAccount<B> {
    /// Legs of an owner's account stay within 2^61 atoms, so that no product of two needs more than 128 bits:
    /// `OutOfRange`; then nothing is written.
    pub fn set_legs(&mut self, legs: &Legs) -> Result<(), StateError> {
        const MOST: u64 = 1 << 61;
        let largest = legs.margin.max(legs.net_deposits).max(legs.st.unsigned_abs()).max(legs.yt.unsigned_abs());
        if largest > MOST {
            return Err(StateError::OutOfRange);
        }
        self.set_margin(legs.margin);
        self.set_st(legs.st);
        self.set_yt(legs.yt);
        self.set_discount(legs.discount);
        self.set_net_deposits(legs.net_deposits);
        Ok(())
    }
}

impl<B: Deref<Target = [u8; lp_position::SIZE]>> LpPosition<B> {
    pub fn position(&self) -> Position {
        Position {
            lower: self.position_lower(),
            upper: self.position_upper(),
            liquidity: self.position_liquidity(),
            issued: self.position_issued(),
            accrued_before: self.position_accrued_before(),
            fees_before: self.position_fees_before(),
            uncollected: self.position_uncollected(),
        }
    }
}

impl<B: DerefMut<Target = [u8; lp_position::SIZE]>> LpPosition<B> {
    pub fn set_position(&mut self, position: &Position) {
        self.set_position_lower(position.lower);
        self.set_position_upper(position.upper);
        self.set_position_liquidity(position.liquidity);
        self.set_position_issued(position.issued);
        self.set_position_accrued_before(position.accrued_before);
        self.set_position_fees_before(position.fees_before);
        self.set_position_uncollected(position.uncollected);
    }
}
