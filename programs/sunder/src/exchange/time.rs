//! Coupons: what Jupiter's pool earned becomes a fall of the discount.
use super::admin::about;
use super::work::Workspace;
use crate::external::jupiter::{self, read_hourly, read_weekly, Cursor};
use crate::external::token::Authority;
use crate::external::token_2022;
use crate::interface::{
    AccrueAccounts, AccruedRecord, FinaliseAccounts, FinaliseArguments, SunderError, SyncStAccounts,
};
use crate::math::accrual::{self, accrue_index, Earned, IndexKind, MAX_CHECKPOINTS, WEEK_SECONDS};
use crate::runtime::{AccountInfo, ProgramResult, Seed, Signer};
use crate::state::{rate_index, seeds, RateIndex};

/// The seeds of an index's address, which signs for wrapped ST and the JLP behind it.
pub struct IndexSigner {
    kind: [u8; 1],
    bump: [u8; 1],
}

impl IndexSigner {
    pub fn of(index: &AccountInfo) -> Result<IndexSigner, SunderError> {
        let data = index.try_borrow_data()?;
        let view = RateIndex::load(&data)?;
        Ok(IndexSigner { kind: [view.kind()], bump: [view.bump()] })
    }

    pub fn seeds(&self) -> [Seed<'_>; 3] {
        [Seed::from(seeds::RATE_INDEX), Seed::from(&self.kind), Seed::from(&self.bump)]
    }
}

/// An index as it stands, without its checkpoints.
pub fn index_of(account: &AccountInfo) -> Result<accrual::RateIndex, SunderError> {
    let data = account.try_borrow_data()?;
    Ok(RateIndex::load(&data)?.index()?)
}

/// The record of an index that has moved, or begun.
pub fn accrued(work: &mut Workspace, index: &accrual::RateIndex, fees_paid: u128) -> Result<(), SunderError> {
    let accrual::RateIndex { kind, last_step, discount, carry, .. } = *index;
    work.events.accrued(&AccruedRecord { coupon: kind, to: last_step, discount, fees_paid, carry })
}

/// Pays the coupon that Jupiter's pool account says was earned; anyone may. Markets copy it when they are next used.
/// The errors of `read_hourly` and `read_weekly`: a reading never ends later than what has settled.
pub fn accrue(work: &mut Workspace, a: &AccrueAccounts) -> ProgramResult {
    let pool = jupiter::read(a.jupiter_pool)?;
    let (mut index, cursor) = {
        let data = a.index.try_borrow_data()?;
        let view = RateIndex::load(&data)?;
        let (last_updated, realized_fee_usd) = (view.cursor_last_updated(), view.cursor_realized_fee_usd());
        (view.index()?, Cursor { last_updated, realized_fee_usd })
    };
    let reading = match index.kind {
        IndexKind::Hourly => read_hourly(&index, &cursor, &pool, work.now),
        IndexKind::Weekly => read_weekly(&cursor, &pool, work.now),
    };
    let reading = match reading {
        // Somebody else has paid it: what stands behind an `accrue` in a transaction must not fail for that.
        Err(SunderError::TooEarly) => return Ok(()),
        reading => reading?,
    };
    let paid = if crosses(a.index, reading.earned.to)? {
        step_across(a.index, &mut index, &reading.earned)?
    } else {
        accrue_index(&mut index, &mut [], &reading.earned)?
    };
    {
        let mut data = a.index.try_borrow_mut_data()?;
        let mut view = RateIndex::load_mut(&mut data)?;
        view.set_index(&index)?;
        view.set_cursor_last_updated(reading.cursor.last_updated);
        view.set_cursor_realized_fee_usd(reading.cursor.realized_fee_usd);
    }
    accrued(work, &index, paid)?;
    about(work, a.index, rate_index::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

/// Whether a step to this time ends a maturity: few do, and only they need the checkpoints.
#[inline(never)]
fn crosses(index: &AccountInfo, to: u32) -> Result<bool, SunderError> {
    let data = index.try_borrow_data()?;
    let view = RateIndex::load(&data)?;
    for i in 0..MAX_CHECKPOINTS {
        let maturity = view.checkpoint_maturity(i)?;
        if maturity != 0 && maturity <= to && view.checkpoint_discount(i)? == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A step with its checkpoints, which have a frame of the stack of their own.
#[inline(never)]
fn step_across(account: &AccountInfo, index: &mut accrual::RateIndex, earned: &Earned) -> Result<u128, SunderError> {
    let mut data = account.try_borrow_mut_data()?;
    let mut view = RateIndex::load_mut(&mut data)?;
    let mut checkpoints = view.checkpoints()?;
    let paid = accrue_index(index, &mut checkpoints, earned)?;
    view.set_checkpoints(&checkpoints)?;
    Ok(paid)
}

/// A maturity without data is final 7 days after it. `BadParameter` for one that the index does not watch, `TooEarly`.
/// What is published is paid and not cut off: `CouponDue`; but a source that cannot be read does not freeze claims for
/// ever either.
pub fn finalise(work: &mut Workspace, a: &FinaliseAccounts, args: &FinaliseArguments) -> ProgramResult {
    let index = index_of(a.index)?;
    let unread = u64::from(work.now) < u64::from(args.maturity) + 2 * u64::from(WEEK_SECONDS);
    if index.kind == IndexKind::Weekly && unread && jupiter::last_updated(a.jupiter_pool)? > index.last_step {
        return Err(SunderError::CouponDue.into());
    }
    end(a.index, &index, args.maturity, work.now)?;
    accrued(work, &index, 0)?;
    about(work, a.index, rate_index::EVENT_SEQUENCE)?;
    work.events.send(work.now, a.event_authority)
}

#[inline(never)]
fn end(account: &AccountInfo, index: &accrual::RateIndex, maturity: u32, now: u32) -> Result<(), SunderError> {
    let mut data = account.try_borrow_mut_data()?;
    let mut view = RateIndex::load_mut(&mut data)?;
    let mut checkpoints = view.checkpoints()?;
    accrual::finalise(index, &mut checkpoints, maturity, now)?;
    Ok(view.set_checkpoints(&checkpoints)?)
}

/// Writes the rate index, 1/D, into the mint of wrapped ST, so that wallets show it rebase; anyone may.
pub fn sync_st(work: &mut Workspace, a: &SyncStAccounts) -> ProgramResult {
    let index = index_of(a.index)?;
    about(work, a.index, rate_index::EVENT_SEQUENCE)?;
    let signer = IndexSigner::of(a.index)?;
    let seeds = signer.seeds();
    let signer = Signer::from(&seeds);
    token_2022::update_multiplier(a.st_mint, &Authority::derived(a.index, &signer), index.discount)?;
    work.events.send(work.now, a.event_authority)
}
