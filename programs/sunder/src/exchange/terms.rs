//! A market's terms: the defaults (docs/protocol.md section 9), and the bounds that no authority can leave (section
//! 12).
use crate::interface::{ChangeableTerms, SunderError};
use crate::math::accrual::{IndexKind, HOUR_SECONDS, WEEK_SECONDS};
use crate::math::fee::FeeTerms;
use crate::math::fixed::ONE_Q64;
use crate::math::rate::Grid;
use crate::state::{market, Market};

pub const GRID: Grid = Grid { spacing: 10, min_tick: 50, max_tick: 13_860 };
/// Q64.64 of the rate a second: 1 bp.
pub const CLAMP_PER_SECOND: u64 = (ONE_Q64 / 10_000) as u64;

type Written<'a> = Market<&'a mut [u8; market::SIZE]>;

/// What may be changed, as a new market has it.
pub fn template(kind: IndexKind) -> ChangeableTerms {
    ChangeableTerms {
        fee_bps: 10,
        lp_share_bps: 5000,
        insurance_share_bps: 5000,
        guard_bps: 1000,
        forced_bps: 100,
        open_interest_bps: match kind {
            IndexKind::Hourly => 1000,
            IndexKind::Weekly => 500,
        },
        penalty_bps: 200,
    }
}

/// Refuses `BadParameter` unless every term is within its bounds.
pub fn check(terms: &ChangeableTerms) -> Result<(), SunderError> {
    let within = (1..=100).contains(&terms.fee_bps)
        && (2500..=10_000).contains(&terms.lp_share_bps)
        && (2500..=10_000).contains(&terms.insurance_share_bps)
        && (200..=2500).contains(&terms.guard_bps)
        && (25..=1000).contains(&terms.forced_bps)
        && terms.open_interest_bps <= 2000
        && terms.penalty_bps <= 500;
    if within {
        Ok(())
    } else {
        Err(SunderError::BadParameter)
    }
}

pub fn fees(terms: &ChangeableTerms) -> FeeTerms {
    let ChangeableTerms { fee_bps, lp_share_bps, insurance_share_bps, .. } = *terms;
    FeeTerms { fee_bps, lp_share_bps, insurance_share_bps }
}

/// All terms of a new market.
pub fn write(market: &mut Written, kind: IndexKind, terms: &ChangeableTerms) {
    let (low_coupon_bps, period) = match kind {
        IndexKind::Hourly => (0, HOUR_SECONDS),
        IndexKind::Weekly => (2500, WEEK_SECONDS),
    };
    market.set_terms_grid_spacing(GRID.spacing);
    market.set_terms_grid_min_tick(GRID.min_tick);
    market.set_terms_grid_max_tick(GRID.max_tick);
    write_changeable(market, terms);
    market.set_terms_initial_bps(11_000);
    market.set_terms_initial_twap_bps(10_605);
    market.set_terms_maintenance_bps(10_500);
    market.set_terms_whole_bps(10_250);
    market.set_terms_low_coupon_bps(low_coupon_bps);
    market.set_terms_period(period);
    market.set_terms_twap_window(300);
    market.set_terms_clamp_per_second(CLAMP_PER_SECOND);
    market.set_terms_minimum_size(1_000_000);
}

pub fn write_changeable(market: &mut Written, terms: &ChangeableTerms) {
    market.set_terms_fee_bps(terms.fee_bps);
    market.set_terms_lp_share_bps(terms.lp_share_bps);
    market.set_terms_insurance_share_bps(terms.insurance_share_bps);
    market.set_terms_guard_bps(terms.guard_bps);
    market.set_terms_forced_bps(terms.forced_bps);
    market.set_terms_open_interest_bps(terms.open_interest_bps);
    market.set_terms_penalty_bps(terms.penalty_bps);
}

pub fn write_queued(market: &mut Written, terms: &ChangeableTerms) {
    market.set_queued_terms_fee_bps(terms.fee_bps);
    market.set_queued_terms_lp_share_bps(terms.lp_share_bps);
    market.set_queued_terms_insurance_share_bps(terms.insurance_share_bps);
    market.set_queued_terms_guard_bps(terms.guard_bps);
    market.set_queued_terms_forced_bps(terms.forced_bps);
    market.set_queued_terms_open_interest_bps(terms.open_interest_bps);
    market.set_queued_terms_penalty_bps(terms.penalty_bps);
}

pub fn queued(market: &Written) -> ChangeableTerms {
    ChangeableTerms {
        fee_bps: market.queued_terms_fee_bps(),
        lp_share_bps: market.queued_terms_lp_share_bps(),
        insurance_share_bps: market.queued_terms_insurance_share_bps(),
        guard_bps: market.queued_terms_guard_bps(),
        forced_bps: market.queued_terms_forced_bps(),
        open_interest_bps: market.queued_terms_open_interest_bps(),
        penalty_bps: market.queued_terms_penalty_bps(),
    }
}
