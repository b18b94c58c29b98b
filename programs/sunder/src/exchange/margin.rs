//! The margin arithmetic at a market's rates.
use super::book::Book;
use crate::interface::SunderError;
use crate::math::account::Legs;
use crate::math::margin::{is_spot, meets_initial, meets_maintenance, valuation, valued, Conditions, Valuation};
use crate::math::twap::{history_seconds, twap};

impl Book<'_> {
    /// Time-weighted rate before anything this instruction does.
    pub fn twap(&self) -> Result<u128, SunderError> {
        Ok(twap(&self.oracle, u32::from(self.terms.twap_window))?)
    }

    fn conditions(&self) -> Conditions<'_> {
        Conditions { moment: &self.pool.moment, terms: &self.terms.margin, standing: &self.standing }
    }

    /// What margin is measured with for an account with `yt`, at the rate in force and at the TWAP.
    #[inline(never)]
    pub fn value_at(&self, twap_rate: u128, yt: i64) -> Result<Valuation, SunderError> {
        Ok(valuation(&self.conditions(), &(self.pool.rate, twap_rate), yt)?)
    }

    /// What maintenance is measured with, which looks at the TWAP alone: it stands for the spot and the worst rate too.
    #[inline(never)]
    pub fn value_at_twap(&self, twap_rate: u128, yt: i64) -> Result<Valuation, SunderError> {
        let twap = valued(twap_rate, &self.conditions(), yt >= 0)?;
        Ok(Valuation { discount: self.pool.moment.discount, spot: twap, twap, worst: twap.price })
    }

    pub fn is_spot(&self, legs: &Legs) -> Result<bool, SunderError> {
        Ok(is_spot(legs, self.pool.moment.discount)?)
    }

    pub fn meets_initial(&self, legs: &Legs, at: &Valuation) -> Result<bool, SunderError> {
        Ok(meets_initial(legs, at, &self.terms.margin)?)
    }

    pub fn meets_maintenance(&self, legs: &Legs, at: &Valuation) -> Result<bool, SunderError> {
        Ok(meets_maintenance(legs, at, &self.terms.margin)?)
    }

    /// Refuses `HistoryShort` unless the rate oracle has seen one window.
    #[inline(always)]
    pub fn check_history(&self, now: u32) -> Result<(), SunderError> {
        if history_seconds(&self.oracle, now)? < u32::from(self.terms.twap_window) {
            return Err(SunderError::HistoryShort);
        }
        Ok(())
    }
}
