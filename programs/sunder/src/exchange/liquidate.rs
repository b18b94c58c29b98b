//! Liquidation, take-over and losses (docs/protocol.md section 7).
use super::book::{check_amount, finish, Book, Holding};
use super::swap::{order, Arrays};
use super::tokens::{move_jlp, Wallet};
use super::trade::reduced;
use super::work::{Workspace, STEPS};
use crate::interface::{
    LiquidateAccounts, LiquidateArguments, LiquidatedRecord, OrderKind, ReduceFundAccounts, ReduceFundArguments,
    SunderError, TakeOverAccounts, TakenOverRecord,
};
use crate::math::account::{add_to_margin, net, touch, Legs};
use crate::math::accrual::yield_left;
use crate::math::fixed::{ceil_q64, div_small_down, div_u128, mul_q64};
use crate::math::margin::{
    assets, dearest_rate, equity, gap, has_ratio, is_spot, liabilities, ratio_kept, yt_in_jlp, Valuation,
};
use crate::math::quote::{OrderAmount, Quote};
use crate::math::swap::Step;
use crate::math::units::{atoms, MAX_RATE};
use crate::runtime::ProgramResult;

/// What a forced close works with.
struct Case<'a> {
    legs: Legs,
    twap_rate: u128,
    /// At the TWAP alone: a close changes neither it nor the moment.
    at: Valuation,
    limit_rate: u128,
    arrays: Arrays<'a>,
    /// None where nothing is due.
    penalty: Option<Penalty>,
}

/// Of what the penalty for a close is made, all Q64.64.
struct Penalty {
    /// By which part assets exceed liabilities at TWAP, before.
    excess: u128,
    /// JLP per YT at the better of TWAP and the spot before: what the spot has lost to the TWAP already is slippage too.
    better: u64,
    most: u128,
}

/// A forced close: what the AMM fills, and the account afterwards, penalty paid.
struct Close {
    quote: Quote,
    after: Legs,
    penalty: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Account,
    Fund,
}

impl<'a> Case<'a> {
    /// An account's close stays near the worse of TWAP and the observed rate, which follows lasting moves but no push of a second:
    /// past its equity nothing is closed, so the loss is its own. The fund's close, where others lose, stays within a quarter of
    /// that of the TWAP: less than a push there and back costs in fees.
    #[inline(never)]
    fn of(book: &Book, legs: &Legs, whose: Whose, arrays: Arrays<'a>) -> Result<Case<'a>, SunderError> {
        let twap_rate = book.twap()?;
        let (up, observed, bps) = (legs.yt < 0, book.oracle.observed, book.terms.forced_bps);
        let (reference, bps) = match whose {
            Whose::Account if (observed > twap_rate) == up => (observed, bps),
            Whose::Account => (twap_rate, bps),
            Whose::Fund => (twap_rate, bps / 4),
        };
        let mut limit_rate = book.guarded(if up { MAX_RATE } else { 0 }, reference, bps, up)?;
        if up {
            let left = yield_left(&book.index, book.maturity)?;
            limit_rate = limit_rate.min(dearest_rate(left, book.pool.moment.tau)?);
        }
        let at = book.value_at_twap(twap_rate, legs.yt)?;
        Ok(Case { legs: *legs, twap_rate, at, limit_rate, arrays, penalty: None })
    }

    fn kind(&self) -> OrderKind {
        if self.legs.yt > 0 {
            OrderKind::SellYt
        } else {
            OrderKind::BuyYt
        }
    }

    /// JLP per YT at the TWAP, Q0.64.
    fn price(&self) -> u64 {
        self.at.twap.price
    }

    /// Assets and liabilities at the TWAP.
    fn standing(&self) -> (i128, i128) {
        (assets(&self.legs, self.price()), liabilities(&self.legs, self.price()))
    }

    /// Closes are penalised from here on.
    #[inline(never)]
    fn penalise(&mut self, book: &Book) -> Result<(), SunderError> {
        let (assets, owed) = self.standing();
        if owed == 0 || assets <= owed {
            return Ok(());
        }
        let excess = atoms((assets - owed).unsigned_abs())?;
        let (twap, spot) = (self.price(), yt_in_jlp(book.pool.rate, &book.pool.moment)?);
        self.penalty = Some(Penalty {
            excess: div_u128(u128::from(excess) << 64, owed.unsigned_abs())?.0,
            better: if self.legs.yt > 0 { spot.max(twap) } else { spot.min(twap) },
            most: div_small_down(u128::from(book.terms.penalty_bps) << 64, 10_000)?,
        });
        Ok(())
    }

    /// The close of `n` YT, or None if the AMM trades nothing, as for 0. Fewer may be filled.
    #[inline(never)]
    fn close(&self, book: &Book, n: u64, steps: &mut [Step; STEPS]) -> Result<Option<Close>, SunderError> {
        let order = order(self.kind(), OrderAmount::Exact(n), self.limit_rate, true);
        let Some(quote) = book.try_quote(&self.arrays, &order, steps)? else { return Ok(None) };
        let mut after = self.legs;
        reduced(&mut after, &quote, 0)?;
        let penalty = match &self.penalty {
            Some(penalty) => penalty.on(&quote, self.legs.yt > 0)?,
            None => 0,
        };
        add_to_margin(&mut after, -i128::from(penalty))?;
        Ok(Some(Close { quote, after, penalty }))
    }

    /// Whether an account is closed wholly: below the ratio for that, or owing less than the minimum size.
    fn is_whole(&self, book: &Book) -> bool {
        !has_ratio(&self.legs, self.price(), book.terms.whole_bps) || self.is_small(book)
    }

    fn is_small(&self, book: &Book) -> bool {
        liabilities(&self.legs, self.price()) < i128::from(book.terms.minimum_size)
    }

    /// Whether a close leaves the account with the initial ratio and 1.2 times the gap, both at TWAP, which nobody can push.
    #[inline(never)]
    fn is_restored(&self, book: &Book, close: Option<&Close>) -> Result<bool, SunderError> {
        let Some(Close { after, .. }) = close else { return Ok(false) };
        if is_spot(after, self.at.discount)? {
            return Ok(true);
        }
        if !has_ratio(after, self.price(), book.terms.margin.initial_bps) {
            return Ok(false);
        }
        let needed = gap(after, &self.at)?.checked_mul(12).ok_or(SunderError::Arithmetic)?;
        Ok(equity(after, self.price()) * 10 >= needed)
    }

    /// Whether equity is gone: at TWAP, or so that even an atom cannot be closed near it without leaving a debt.
    #[inline(never)]
    fn is_lost(&self, book: &Book, steps: &mut [Step; STEPS]) -> Result<bool, SunderError> {
        if self.legs.yt == 0 || equity(&self.legs, self.price()) < 0 {
            return Ok(true);
        }
        // So few that the least fee decides: then it is all or nothing.
        let n = if self.is_small(book) { self.legs.yt.unsigned_abs() } else { 1 };
        match self.close(book, n, steps)? {
            Some(close) => Ok(!close.is_solvent(book)?),
            None => Ok(false),
        }
    }
}

impl Penalty {
    /// Closed leg times `min(most, max(0, CR - 1 - slippage - fee) / 2)`, down: less than half of what the close improves, so the
    /// collateral ratio rises.
    #[inline(never)]
    fn on(&self, quote: &Quote, long: bool) -> Result<u64, SunderError> {
        let leg = u128::from(quote.amount);
        if leg == 0 {
            return Ok(0);
        }
        let part = |of: u128, whole: u128| -> Result<u128, SunderError> {
            let (quotient, rest) = div_u128(of << 64, whole)?; // of fewer than 2^64 atoms
            Ok(quotient + u128::from(rest != 0))
        };
        let fair = ceil_q64(u128::from(self.better) * u128::from(quote.filled));
        let worse = if long { fair.saturating_sub(leg) } else { leg.saturating_sub(fair) };
        let slippage = if worse > 0 { part(worse, fair)? } else { 0 };
        let lost = slippage.saturating_add(part(quote.fee.total.into(), leg)?);
        let half = self.excess.saturating_sub(lost) >> 1;
        Ok(atoms(mul_q64(leg, half.min(self.most))?)?)
    }
}

impl Close {
    /// Whether equity is left at the spot after the close.
    #[inline(never)]
    fn is_solvent(&self, book: &Book) -> Result<bool, SunderError> {
        Ok(equity(&self.after, yt_in_jlp(self.quote.path.rate, &book.pool.moment)?) >= 0)
    }
}

/// Liquidates `yt` of an account below maintenance. They must be what is needed, to a 64th part: what restores the initial condition
/// (all that the AMM fills, if that does not, or if the account is to be closed wholly), or, where the close would come to the price
/// at which equity is zero, what comes up to it; the rest is then taken over by the insurance fund. `Healthy`, `ExceedsPosition`,
/// `NoLiquidity`, `WrongAmount`, `NoImprovement`.
pub fn liquidate(work: &mut Workspace, a: &LiquidateAccounts, args: &LiquidateArguments) -> ProgramResult {
    check_amount(args.yt)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_exit(work, a.jupiter_pool)?;
    let mut account = book.holding(a.account)?;
    let mut case = Case::of(book, &account.legs, Whose::Account, Arrays::of(a.rest))?;
    if book.meets_maintenance(&account.legs, &case.at)? {
        return Err(SunderError::Healthy.into());
    }
    if args.yt > account.legs.yt.unsigned_abs() {
        return Err(SunderError::ExceedsPosition.into());
    }
    case.penalise(book)?;
    let close = case.close(book, args.yt, &mut work.steps)?.ok_or(SunderError::NoLiquidity)?;
    let cut = is_cut(book, &case, &close, &mut work.trial)?;
    book.settle_quote(work, &case.arrays, &close.quote, case.kind())?;
    account.legs = close.after;
    book.save_holding(work, &mut account)?;
    let reward = close.penalty / 2;
    book.to_fund(close.penalty - reward)?;
    work.events.liquidated(&LiquidatedRecord {
        market: *a.market.key(),
        owner: account.owner,
        sub: account.sub,
        by: *a.by.key(),
        closed: close.quote.filled,
        penalty: close.penalty,
        reward,
    })?;
    let mut wallet = Wallet::jlp(a.by_jlp, a.by.key());
    book.pay(work, &mut wallet, -i128::from(reward))?;
    if cut {
        take_over_from(work, book, &mut account, &case.arrays)?;
    }
    book.save(work)?;
    book.store(work)?;
    move_jlp(&wallet, a.vault, a.market, a.by)?;
    work.events.send(work.now, a.event_authority)
}

/// Refuses a close that is not what is needed (`WrongAmount`) or does not raise the ratio (`NoImprovement`). Whether it was cut where
/// equity ends, so that what is left goes to the fund.
#[inline(never)]
fn is_cut(book: &Book, case: &Case, close: &Close, trial: &mut [Step; STEPS]) -> Result<bool, SunderError> {
    let (size, n) = (case.legs.yt.unsigned_abs(), close.quote.filled);
    if !close.is_solvent(book)? {
        return Err(SunderError::WrongAmount);
    }
    // How exactly the amount must be met: a 64th part, at least an atom.
    let step = n.div_ceil(64);
    let restored = !case.is_whole(book) && case.is_restored(book, Some(close))?;
    let mut cut = false;
    if restored {
        let fewer = case.close(book, n - step, trial)?;
        if case.is_restored(book, fewer.as_ref())? {
            return Err(SunderError::WrongAmount);
        }
    } else if n != size {
        let beyond = case.close(book, n.saturating_add(step).min(size), trial)?;
        // All there is: the whole position, or all that the AMM fills of it.
        let most = beyond.as_ref().is_some_and(|beyond| beyond.quote.filled == n);
        cut = !most;
        if let (true, Some(beyond)) = (cut, beyond) {
            if beyond.is_solvent(book)? {
                return Err(SunderError::WrongAmount);
            }
        }
    }
    if !cut && close.after.yt != 0 && !ratio_kept(&case.legs, &close.after, case.price(), true) {
        return Err(SunderError::NoImprovement);
    }
    Ok(cut)
}

/// Takes over an account below maintenance whose equity is gone, for anyone to call. `Healthy`, `FundShort`.
pub fn take_over(work: &mut Workspace, a: &TakeOverAccounts) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_exit(work, a.jupiter_pool)?;
    let mut account = book.holding(a.account)?;
    let case = Case::of(book, &account.legs, Whose::Account, Arrays::of(a.rest))?;
    if book.meets_maintenance(&account.legs, &case.at)? || !case.is_lost(book, &mut work.trial)? {
        return Err(SunderError::Healthy.into());
    }
    take_over_from(work, book, &mut account, &case.arrays)?;
    book.save(work)?;
    finish(work, book, a.event_authority)
}

/// Moves all of an account into the insurance fund. If the fund cannot carry it, the close goes on through the AMM, and what is
/// missing in the end is booked as a deficit. `FundShort` if the AMM trades nothing: the account then stays as it is.
#[inline(never)]
fn take_over_from(
    work: &mut Workspace,
    book: &mut Book,
    account: &mut Holding,
    arrays: &Arrays,
) -> Result<(), SunderError> {
    let Legs { margin, st, yt, discount, .. } = account.legs;
    account.legs = Legs { margin: 0, st: 0, yt: 0, ..account.legs };
    book.save_holding(work, account)?;
    let mut fund = book.fund;
    touch(&mut fund, discount)?;
    fund.margin = fund.margin.checked_add(margin).ok_or(SunderError::Arithmetic)?;
    fund.st = fund.st.checked_add(st).ok_or(SunderError::Arithmetic)?;
    fund.yt = fund.yt.checked_add(yt).ok_or(SunderError::Arithmetic)?;
    net(&mut fund)?;
    book.set_fund(fund)?;
    work.events.taken_over(&TakenOverRecord {
        market: *book.key(),
        owner: account.owner,
        sub: account.sub,
        margin: i64::try_from(margin).map_err(|_| SunderError::Arithmetic)?,
        st,
        yt,
    })?;
    book.carry(work, arrays)
}

impl Book<'_> {
    /// JLP for the insurance fund: a standing deficit comes first.
    fn to_fund(&mut self, jlp: u64) -> Result<(), SunderError> {
        let repaid = jlp.min(self.pool.deficit);
        self.change_deficit(-i128::from(repaid))?;
        self.change_fund_margin(i128::from(jlp - repaid))
    }

    /// Unless the fund can carry its position, all of it is closed that the AMM fills near the TWAP, and once nothing is left the
    /// shortfall is booked. What cannot be closed yet is traded down by `reduce_fund`, as the TWAP follows. `FundShort`.
    #[inline(never)]
    fn carry(&mut self, work: &mut Workspace, arrays: &Arrays) -> Result<(), SunderError> {
        if self.fund.yt == 0 || self.is_spot(&self.fund)? {
            return self.book_debt(work);
        }
        let case = Case::of(self, &self.fund, Whose::Fund, *arrays)?;
        if self.meets_maintenance(&self.fund, &case.at)? {
            return Ok(());
        }
        let all = self.fund.yt.unsigned_abs();
        let close = case.close(self, all, &mut work.steps)?.ok_or(SunderError::FundShort)?;
        self.close_fund(work, &case, &close)
    }

    /// Books a close of the fund's own: what it paid, and its share of the fee come back.
    #[inline(never)]
    fn close_fund(&mut self, work: &mut Workspace, case: &Case, close: &Close) -> Result<(), SunderError> {
        self.settle_quote(work, &case.arrays, &close.quote, case.kind())?;
        let mut fund = close.after;
        add_to_margin(&mut fund, close.quote.fee.insurance.into())?;
        self.set_fund(fund)?;
        self.book_debt(work)
    }

    /// A fund without YT that still owes: the debt becomes the market's deficit at once.
    #[inline(never)]
    pub fn book_debt(&mut self, work: &mut Workspace) -> Result<(), SunderError> {
        let st = self.fund.st;
        if self.fund.yt != 0 || st >= 0 {
            return Ok(());
        }
        self.set_fund(Legs { st: 0, ..self.fund })?;
        self.book_loss_of(work, st.unsigned_abs())
    }
}

/// Trades the insurance fund's position down. A healthy fund sells only at or above the TWAP and buys only at or below it, so that
/// nobody can push it into a bad price; one below maintenance trades as a forced close does. `NoPosition`, `ExceedsPosition`,
/// `LimitReached`.
pub fn reduce_fund(work: &mut Workspace, a: &ReduceFundAccounts, args: &ReduceFundArguments) -> ProgramResult {
    check_amount(args.yt)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_exit(work, a.jupiter_pool)?;
    let mut fund = book.fund;
    touch(&mut fund, book.pool.moment.discount)?;
    if fund.yt == 0 {
        return Err(SunderError::NoPosition.into());
    }
    if args.yt > fund.yt.unsigned_abs() {
        return Err(SunderError::ExceedsPosition.into());
    }
    book.set_fund(fund)?;
    let mut case = Case::of(book, &fund, Whose::Fund, Arrays::of(a.rest))?;
    if book.meets_maintenance(&fund, &case.at)? {
        let (limit, twap) = (case.limit_rate, case.twap_rate);
        case.limit_rate = if fund.yt > 0 { limit.max(twap) } else { limit.min(twap) };
    }
    let close = case.close(book, args.yt, &mut work.steps)?.ok_or(SunderError::LimitReached)?;
    book.close_fund(work, &case, &close)?;
    book.save(work)?;
    finish(work, book, a.event_authority)
}
