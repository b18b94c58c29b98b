//! A market as an instruction works on it: read once, caught up with its index, and written back at the end.
use super::work::Workspace;
use crate::external::jupiter::{freshness, last_updated, Freshness};
use crate::interface::{addresses, AccountRecord, CaughtUpRecord, MarketRecord, SunderError};
use crate::math::account::{self, coupon_of, recount, Legs, Totals};
use crate::math::accrual::{lowest_discount, IndexKind, RateIndex, WEEK_SECONDS};
use crate::math::margin::{backing, stood, MarginTerms, Standing};
use crate::math::pool::{accrue, Pool};
use crate::math::rate::Moment;
use crate::math::twap::{observe, RateOracle};
use crate::runtime::{AccountInfo, ProgramResult, Pubkey};
use crate::state::{Config, MarginAccount, Market, RateIndex as IndexView};

/// What of a market's terms the margin and the AMM do not know.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub margin: MarginTerms,
    pub whole_bps: u16,
    pub guard_bps: u16,
    pub forced_bps: u16,
    pub open_interest_bps: u16,
    pub penalty_bps: u16,
    pub twap_window: u16,
    pub minimum_size: u64,
}

/// What is cut from profits after maturity: `uncovered / profit` of each; JLP atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Haircut {
    pub uncovered: u64,
    pub profit: u64,
}

/// The figures whose changes are recorded, as of the last record.
#[derive(Clone, Copy)]
struct Figures {
    vault: u64,
    fees: u64,
    deficit: u64,
    pt: i128,
    issued: i128,
    fund: (u64, i64, i64),
}

pub struct Book<'a> {
    pub account: &'a AccountInfo,
    /// All of the index but its checkpoints.
    pub index: RateIndex,
    pub maturity: u32,
    pub active: bool,
    pub terms: Terms,
    pub pool: Pool,
    pub oracle: RateOracle,
    pub standing: Standing,
    pub totals: Totals,
    /// The insurance fund.
    pub fund: Legs,
    /// JLP atoms, as are `fees`.
    pub vault: u64,
    pub fees: u64,
    pub retired: i128,
    pub haircut: Option<Haircut>,
    recorded: Figures,
}

/// An owner's account while it is worked on. `legs` have their coupons paid up to the market's discount.
pub struct Holding<'a> {
    account: &'a AccountInfo,
    pub owner: Pubkey,
    pub sub: u8,
    /// As last recorded.
    before: Legs,
    pub legs: Legs,
}

/// The difference of two figures, for a record. `Arithmetic`.
pub fn change(after: impl Into<i128>, before: impl Into<i128>) -> Result<i64, SunderError> {
    i64::try_from(after.into() - before.into()).map_err(|_| SunderError::Arithmetic)
}

impl<'a> Book<'a> {
    /// The market as it stands now: it has copied its index, and its rate oracle has seen the rate that stood until now. `place` is
    /// where it is kept, since it is too large to be handed around. `TimeBackwards`, and what the arithmetic refuses.
    #[inline(never)]
    pub fn open<'p>(
        place: &'p mut Option<Book<'a>>,
        work: &mut Workspace,
        account: &'a AccountInfo,
        index: &AccountInfo,
    ) -> Result<&'p mut Book<'a>, SunderError> {
        let book = place.insert(Book::read(account, index)?);
        let final_discount = book.final_discount(index, work.now)?;
        let (last, rate) = (book.oracle.observed_until, book.pool.rate);
        if work.now < last {
            return Err(SunderError::TimeBackwards);
        }
        let matures = book.catch_up(work, final_discount)?;
        observe(&mut book.oracle, rate, work.now)?;
        stood(&mut book.standing, rate, last, work.now, u32::from(book.terms.twap_window))?;
        if matures {
            book.at_maturity()?;
            book.repay_by_fund()?;
            book.record(work)?;
        }
        Ok(book)
    }

    #[inline(never)]
    fn read(account: &'a AccountInfo, index: &AccountInfo) -> Result<Book<'a>, SunderError> {
        let index = {
            let data = index.try_borrow_data()?;
            IndexView::load(&data)?.index()?
        };
        let data = account.try_borrow_data()?;
        let market = Market::load(&data)?;
        let pool = market.pool();
        let totals = market.totals();
        let fund = market.fund();
        let (vault, fees) = (market.vault_amount(), market.fees());
        let haircut = market
            .haircut_known()
            .then(|| Haircut { uncovered: market.haircut_uncovered(), profit: market.haircut_profit() });
        Ok(Book {
            account,
            maturity: market.maturity(),
            active: market.active(),
            terms: Terms {
                margin: market.margin_terms(index.rho_max),
                whole_bps: market.terms_whole_bps(),
                guard_bps: market.terms_guard_bps(),
                forced_bps: market.terms_forced_bps(),
                open_interest_bps: market.terms_open_interest_bps(),
                penalty_bps: market.terms_penalty_bps(),
                twap_window: market.terms_twap_window(),
                minimum_size: market.terms_minimum_size(),
            },
            recorded: Figures {
                vault,
                fees,
                deficit: pool.deficit,
                pt: totals.pt,
                issued: totals.issued,
                fund: (fund.margin, fund.st, fund.yt),
            },
            pool,
            oracle: market.oracle()?,
            standing: market.standing(),
            totals,
            fund,
            vault,
            fees,
            retired: market.retired(),
            haircut,
            index,
        })
    }

    pub fn key(&self) -> &'a Pubkey {
        self.account.key()
    }

    pub fn kind(&self) -> IndexKind {
        self.index.kind
    }

    pub fn matured(&self) -> bool {
        self.pool.moment.tau == 0
    }

    /// Looked for only when there can be one: a step has crossed the maturity, or it may have been finalised.
    fn final_discount(&self, index: &AccountInfo, now: u32) -> Result<Option<u128>, SunderError> {
        let finalised_from = self.maturity.saturating_add(WEEK_SECONDS);
        if self.matured() || (self.index.last_step < self.maturity && now < finalised_from) {
            return Ok(None);
        }
        let data = index.try_borrow_data()?;
        Ok(IndexView::load(&data)?.final_discount(self.maturity)?)
    }

    /// Copies the index; whether the market matures by it.
    fn catch_up(&mut self, work: &mut Workspace, final_discount: Option<u128>) -> Result<bool, SunderError> {
        if self.matured() {
            return Ok(false);
        }
        let to = match final_discount {
            Some(discount) => Moment { tau: 0, discount },
            None => Moment { tau: self.maturity.saturating_sub(self.index.last_step), discount: self.index.discount },
        };
        if to == self.pool.moment {
            return Ok(false);
        }
        work.events.caught_up(&CaughtUpRecord { market: *self.key(), tau_seconds: to.tau, discount: to.discount })?;
        accrue(&mut self.pool, &to)?;
        Ok(to.tau == 0)
    }

    /// Writes what has changed of the market's own figures since the last record, if anything has.
    #[inline(never)]
    fn record(&mut self, work: &mut Workspace) -> Result<(), SunderError> {
        let was = self.recorded;
        let (margin, st, yt) = was.fund;
        let record = MarketRecord {
            market: *self.key(),
            vault: change(self.vault, was.vault)?,
            fees: change(self.fees, was.fees)?,
            deficit: change(self.pool.deficit, was.deficit)?,
            pt: change(self.totals.pt, was.pt)?,
            issued: change(self.totals.issued, was.issued)?,
            fund_margin: change(self.fund.margin, margin)?,
            fund_st: change(self.fund.st, st)?,
            fund_yt: change(self.fund.yt, yt)?,
        };
        let MarketRecord { vault, fees, deficit, pt, issued, fund_margin, fund_st, fund_yt, .. } = record;
        if vault | fees | deficit | pt | issued | fund_margin | fund_st | fund_yt == 0 {
            return Ok(());
        }
        self.recorded = Figures {
            vault: self.vault,
            fees: self.fees,
            deficit: self.pool.deficit,
            pt: self.totals.pt,
            issued: self.totals.issued,
            fund: (self.fund.margin, self.fund.st, self.fund.yt),
        };
        work.events.market(&record)
    }

    /// The fund without a position pays a standing deficit, and what has changed is recorded: the engine's `saveMarket`.
    pub fn save(&mut self, work: &mut Workspace) -> Result<(), SunderError> {
        self.repay_by_fund()?;
        self.record(work)
    }

    /// Writes the market back, and makes the event one about it. The last thing before tokens move.
    #[inline(never)]
    pub fn store(&self, work: &mut Workspace) -> Result<(), SunderError> {
        let mut data = self.account.try_borrow_mut_data()?;
        let mut market = Market::load_mut(&mut data)?;
        market.set_pool(&self.pool);
        market.set_oracle(&self.oracle)?;
        market.set_standing(&self.standing);
        market.set_totals(&self.totals)?;
        market.set_fund(&self.fund);
        market.set_vault_amount(self.vault);
        market.set_fees(self.fees);
        market.set_retired(self.retired);
        if let Some(haircut) = self.haircut {
            market.set_haircut_known(true);
            market.set_haircut_uncovered(haircut.uncovered);
            market.set_haircut_profit(haircut.profit);
        }
        let sequence = market.event_sequence() + 1;
        market.set_event_sequence(sequence);
        work.events.about(self.account.key(), sequence)
    }

    // ---- what is allowed at this moment -------------------------------------------------------------------------------

    fn freshness(&self, work: &Workspace, updated: u32) -> Freshness {
        freshness(self.kind(), self.index.last_step, updated, work.now)
    }

    /// For weekly coupons Jupiter's own account says whether one is due; it is not looked at for hourly ones. `BadSource`.
    fn last_updated(&self, pool: &AccountInfo) -> Result<u32, SunderError> {
        match self.kind() {
            IndexKind::Hourly => Ok(0),
            IndexKind::Weekly => last_updated(pool),
        }
    }

    /// Refuses what takes new risk: after maturity, in a pause, and unless every coupon due has been paid. `Matured`, `Paused`,
    /// `NotActive` and those of `check_fresh`.
    pub fn check_open(&self, work: &Workspace, config: &AccountInfo, pool: &AccountInfo) -> Result<(), SunderError> {
        if work.now >= self.maturity || self.matured() {
            return Err(SunderError::Matured);
        }
        let paused_until = {
            let data = config.try_borrow_data()?;
            Config::load(&data)?.paused_until()
        };
        if work.now < paused_until {
            return Err(SunderError::Paused);
        }
        if !self.active {
            return Err(SunderError::NotActive);
        }
        self.check_fresh(work, pool)
    }

    /// Refuses what takes value out against a price, in a pause allowed, unless every coupon due has been paid. `CouponDue`,
    /// `ReduceOnly`.
    pub fn check_fresh(&self, work: &Workspace, pool: &AccountInfo) -> Result<(), SunderError> {
        match self.freshness(work, self.last_updated(pool)?) {
            Freshness::Fresh => Ok(()),
            Freshness::CouponDue => Err(SunderError::CouponDue),
            Freshness::ReduceOnly => Err(SunderError::ReduceOnly),
        }
    }

    /// Refuses an exit through the AMM only while a coupon is due that `accrue` can pay. `Matured`, `CouponDue`.
    pub fn check_exit(&self, work: &Workspace, pool: &AccountInfo) -> Result<(), SunderError> {
        self.check_running()?;
        // A source that can no longer be read publishes nothing that could be paid first: it must not close the exits.
        match self.freshness(work, self.last_updated(pool).unwrap_or(0)) {
            Freshness::CouponDue => Err(SunderError::CouponDue),
            _ => Ok(()),
        }
    }

    /// `Matured`.
    pub fn check_running(&self) -> Result<(), SunderError> {
        if self.matured() {
            return Err(SunderError::Matured);
        }
        Ok(())
    }

    /// `NotMatured`.
    pub fn check_matured(&self) -> Result<(), SunderError> {
        if self.matured() {
            return Ok(());
        }
        Err(SunderError::NotMatured)
    }

    /// Refuses `Backing` if LP reserves no longer cover the worst coupons. Lapses after maturity, when no debtor is left.
    pub fn check_backing(&self) -> Result<(), SunderError> {
        if self.matured() && self.totals.debtors == 0 {
            return Ok(());
        }
        let lowest =
            if self.matured() { self.pool.moment.discount } else { lowest_discount(&self.index, self.maturity)? };
        let backing = backing(&self.totals, self.pool.deficit, lowest)?;
        if backing.reserve < backing.owed {
            return Err(SunderError::Backing);
        }
        Ok(())
    }

    // ---- margin accounts ------------------------------------------------------------------------------------------------

    /// An account with its coupons paid up to the market's discount.
    #[inline(never)]
    pub fn holding(&self, account: &'a AccountInfo) -> Result<Holding<'a>, SunderError> {
        let data = account.try_borrow_data()?;
        let view = MarginAccount::load(&data)?;
        let before = view.legs();
        let mut legs = before;
        account::touch(&mut legs, self.pool.moment.discount)?;
        Ok(Holding { account, owner: view.owner(), sub: view.sub(), before, legs })
    }

    /// Writes an account back, records what has changed of it, and counts the totals anew. `BadAmount` for legs beyond 2^61.
    #[inline(never)]
    pub fn save_holding(&mut self, work: &mut Workspace, holding: &mut Holding) -> Result<(), SunderError> {
        let Holding { before, legs, .. } = *holding;
        {
            let mut data = holding.account.try_borrow_mut_data()?;
            MarginAccount::load_mut(&mut data)?.set_legs(&legs)?;
        }
        work.events.account(&AccountRecord {
            market: *self.key(),
            owner: holding.owner,
            sub: holding.sub,
            coupon: coupon_of(&before, legs.discount)?,
            margin: change(legs.margin, before.margin)?,
            st: change(legs.st, before.st)?,
            yt: change(legs.yt, before.yt)?,
            net_deposits: change(legs.net_deposits, before.net_deposits)?,
        })?;
        recount(&mut self.totals, &before, &legs, false)?;
        holding.before = legs;
        Ok(())
    }
}

impl<'a> Holding<'a> {
    /// An account that was just created, of the market's discount and nothing else.
    pub fn new(account: &'a AccountInfo, owner: Pubkey, sub: u8, discount: u128) -> Holding<'a> {
        let legs = Legs { margin: 0, st: 0, yt: 0, discount, net_deposits: 0 };
        Holding { account, owner, sub, before: legs, legs }
    }
}

/// `DeadlinePassed`.
pub fn check_deadline(work: &Workspace, deadline: u32) -> Result<(), SunderError> {
    if work.now > deadline {
        return Err(SunderError::DeadlinePassed);
    }
    Ok(())
}

/// Refuses `ZeroAmount`.
pub fn check_amount(amount: u64) -> Result<(), SunderError> {
    if amount == 0 {
        return Err(SunderError::ZeroAmount);
    }
    Ok(())
}

/// Refuses `AlreadyInitialised` where an account is to be created and one is there. Lamports alone do not matter.
pub fn check_free(account: &AccountInfo) -> Result<(), SunderError> {
    if account.is_owned_by(&addresses::SYSTEM_PROGRAM) && account.data_is_empty() {
        return Ok(());
    }
    Err(SunderError::AlreadyInitialised)
}

/// Stores the market and sends the event: the end of an instruction that moves no tokens.
pub fn finish(work: &mut Workspace, book: &Book, authority: &AccountInfo) -> ProgramResult {
    book.store(work)?;
    work.events.send(work.now, authority)
}
