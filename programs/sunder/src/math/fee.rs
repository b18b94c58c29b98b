//! The trading fee: what is charged, and who gets it.

use super::error::MathError;
use super::fixed::{div_small_down, div_small_up};
use super::units::atoms;

const WHOLE_BPS: u64 = 10_000;

/// Fee in bp of the ST leg (at most 500), share of it that goes to LPs, share of the rest that is insurance (at most
/// 10^4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeTerms {
    pub fee_bps: u16,
    pub lp_share_bps: u16,
    pub insurance_share_bps: u16,
}

/// The parts of a fee, JLP atoms; `repaid`, `lp`, `insurance` and `protocol` add up to `total` exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeSplit {
    pub total: u64,
    /// Repays a standing deficit, before anybody else gets a share.
    pub repaid: u64,
    pub lp: u64,
    pub insurance: u64,
    pub protocol: u64,
}

/// `floor(whole * (1 - share))`: what is left when a share in bp is taken out. `BadParameter` above 10^4.
#[inline(always)]
fn without(whole: u64, share_bps: u16) -> Result<u64, MathError> {
    let rest = WHOLE_BPS.checked_sub(u64::from(share_bps)).ok_or(MathError::BadParameter)?;
    atoms(div_small_down(u128::from(whole) * u128::from(rest), WHOLE_BPS)?)
}

/// `ceil(fee_bps * leg / 10^4)` JLP atoms, at least 1: the trader owes it. A deficit is repaid first; of the rest the
/// protocol's part rounds down, and of that part the insurance fund gets the odd atom. `BadParameter`, `OutOfRange`.
#[inline(never)]
pub fn fee_on(leg: u64, terms: &FeeTerms, deficit: u64) -> Result<FeeSplit, MathError> {
    let total = atoms(div_small_up(u128::from(leg) * u128::from(terms.fee_bps), WHOLE_BPS)?)?.max(1);
    let repaid = total.min(deficit);
    let left = total - repaid;
    let protocol_part = without(left, terms.lp_share_bps)?;
    let protocol = without(protocol_part, terms.insurance_share_bps)?;
    Ok(FeeSplit { total, repaid, lp: left - protocol_part, insurance: protocol_part - protocol, protocol })
}
