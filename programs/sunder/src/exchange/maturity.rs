//! The insurance fund, losses, and what happens at maturity: YT is worth 0, accounts are settled, profits wait until every debtor is
//! (docs/protocol.md sections 7 and 8).
use super::book::{Book, Haircut};
use super::work::Workspace;
use crate::interface::{LossRecord, SunderError};
use crate::math::account::{net, recount, touch, Legs};
use crate::math::fixed::mul_div_up;
use crate::math::margin::{lp_equity, Book as Holdings};

/// Legs whose YT have expired, coupons paid and all netted into margin (or into a debt in `st`).
pub fn expire(legs: &mut Legs, discount: u128) -> Result<(), SunderError> {
    touch(legs, discount)?;
    legs.yt = 0;
    Ok(net(legs)?)
}

/// `value + change`, or `Arithmetic`.
pub fn moved(value: u64, change: i128) -> Result<u64, SunderError> {
    i128::from(value).checked_add(change).and_then(|sum| u64::try_from(sum).ok()).ok_or(SunderError::Arithmetic)
}

impl Book<'_> {
    /// Replaces the fund's legs and counts the totals anew.
    pub fn set_fund(&mut self, fund: Legs) -> Result<(), SunderError> {
        recount(&mut self.totals, &self.fund, &fund, true)?;
        self.fund = fund;
        Ok(())
    }

    /// Signed JLP atoms to the fund's margin.
    pub fn change_fund_margin(&mut self, change: i128) -> Result<(), SunderError> {
        if change == 0 {
            return Ok(());
        }
        let margin = moved(self.fund.margin, change)?;
        self.set_fund(Legs { margin, ..self.fund })
    }

    /// Signed JLP atoms to the deficit.
    pub fn change_deficit(&mut self, change: i128) -> Result<(), SunderError> {
        self.pool.deficit = moved(self.pool.deficit, change)?;
        Ok(())
    }

    /// The fund's YT expire with the market; what the fund then owes is a deficit.
    #[inline(never)]
    pub fn at_maturity(&mut self) -> Result<(), SunderError> {
        self.retired = self.retired.checked_add(self.fund.yt.into()).ok_or(SunderError::Arithmetic)?;
        let mut fund = self.fund;
        expire(&mut fund, self.pool.moment.discount)?;
        let lost = fund.st.unsigned_abs(); // netted: at most 0
        self.set_fund(Legs { st: 0, ..fund })?;
        self.book_loss(lost).map(|_| ())
    }

    /// Books a loss: the insurance fund's margin first, then the deficit; what each takes of it.
    fn book_loss(&mut self, jlp: u64) -> Result<(u64, u64), SunderError> {
        let from_fund = jlp.min(self.fund.margin);
        let to_deficit = jlp - from_fund;
        self.change_fund_margin(-i128::from(from_fund))?;
        self.change_deficit(i128::from(to_deficit))?;
        Ok((from_fund, to_deficit))
    }

    /// Books a loss of `jlp` atoms, if there is one, and writes its record.
    pub fn book_loss_of(&mut self, work: &mut Workspace, jlp: u64) -> Result<(), SunderError> {
        if jlp == 0 {
            return Ok(());
        }
        let (fund, deficit) = self.book_loss(jlp)?;
        work.events.loss(&LossRecord { market: *self.key(), fund, deficit })
    }

    /// A fund without a position pays a standing deficit at once: no later tier bears what an earlier one can.
    pub fn repay_by_fund(&mut self) -> Result<(), SunderError> {
        let (margin, deficit) = (self.fund.margin, self.pool.deficit);
        if deficit == 0 || margin == 0 || self.fund.yt != 0 {
            return Ok(());
        }
        let paid = -i128::from(margin.min(deficit));
        self.change_fund_margin(paid)?;
        self.change_deficit(paid)
    }

    /// Equity of all LPs together at a JLP price of YT (Q0.64), JLP atoms.
    pub fn lp_equity(&self, price: u64) -> Result<i128, SunderError> {
        let held = Holdings { vault: self.vault, fees: self.fees, deficit: self.pool.deficit };
        Ok(lp_equity(&held, &self.totals, self.pool.moment.discount, price)?)
    }

    /// Fixes the haircut as soon as it is known: no debtor is left, and either nothing is missing beyond what LPs bear, or every
    /// account is settled, so that all profits are known.
    #[inline(never)]
    pub fn find_haircut(&mut self) -> Result<(), SunderError> {
        if self.haircut.is_some() || !self.matured() || self.totals.debtors > 0 {
            return Ok(());
        }
        let uncovered = (i128::from(self.pool.deficit) - self.lp_equity(0)?.max(0)).max(0);
        if uncovered > 0 && self.totals.open > 0 {
            return Ok(());
        }
        let profit = u64::try_from(self.totals.profit).map_err(|_| SunderError::Arithmetic)?;
        let uncovered = u64::try_from(uncovered).map_err(|_| SunderError::Arithmetic)?.min(profit);
        self.haircut = Some(Haircut { uncovered, profit });
        Ok(())
    }
}

/// What is cut from one account's profit, up: together never less than what is missing.
pub fn cut_of(haircut: &Haircut, profit: u64) -> Result<u64, SunderError> {
    if haircut.profit == 0 {
        return Ok(0);
    }
    let cut = mul_div_up(profit.into(), haircut.uncovered.into(), haircut.profit.into())?;
    u64::try_from(cut).map_err(|_| SunderError::Arithmetic)
}
