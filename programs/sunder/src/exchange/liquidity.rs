//! Liquidity positions: the kernel's accounting, with owners, age, payment in kind or by zap, and what a deficit withholds.
use super::admin::about;
use super::book::{change, check_deadline, check_free, finish, Book};
use super::create::New;
use super::swap::{order, Arrays};
use super::tokens::{move_jlp, move_pt, Wallet};
use super::trade::settle_pt;
use super::work::Workspace;
use crate::interface::{
    addresses, AddLiquidityAccounts, AddLiquidityArguments, ClosePositionAccounts, CollectAccounts,
    LiquidityRemovedRecord, OpenPositionAccounts, OpenPositionArguments, OrderKind, PositionRecord,
    RemoveLiquidityAccounts, RemoveLiquidityArguments, SunderError,
};
use crate::math::account::{net, touch};
use crate::math::fixed::{div_u128, mul_div_up};
use crate::math::liquidity::{self as positions, empty_position, Bounds, Position, Removed};
use crate::math::margin::yt_in_jlp;
use crate::math::quote::{OrderAmount, Quote};
use crate::math::swap::Ticks;
use crate::math::units::times_discount;
use crate::runtime::{AccountInfo, ProgramResult, Pubkey};
use crate::state::{lp_position, market, seeds, LpPosition, Market};

/// Seconds that liquidity stays at least, so that nobody provides it for a single trade.
const LEAST_AGE: u32 = 300;

/// An owner's position while it is worked on.
struct Held<'a> {
    account: &'a AccountInfo,
    market: Pubkey,
    owner: Pubkey,
    added_at: u32,
    /// As stored.
    before: Position,
    position: Position,
}

impl<'a> Held<'a> {
    #[inline(never)]
    fn read(account: &'a AccountInfo) -> Result<Held<'a>, SunderError> {
        let data = account.try_borrow_data()?;
        let view = LpPosition::load(&data)?;
        let before = view.position();
        let (market, owner, added_at) = (view.market(), view.owner(), view.added_at());
        Ok(Held { account, market, owner, added_at, before, position: before })
    }

    /// Writes the position back and records what has changed of it.
    #[inline(never)]
    fn save(&self, work: &mut Workspace) -> Result<(), SunderError> {
        {
            let mut data = self.account.try_borrow_mut_data()?;
            let mut view = LpPosition::load_mut(&mut data)?;
            view.set_position(&self.position);
            view.set_added_at(self.added_at);
        }
        let Held { before, position, .. } = self;
        work.events.position(&PositionRecord {
            market: self.market,
            owner: self.owner,
            lower: position.lower,
            upper: position.upper,
            liquidity: change(position.liquidity, before.liquidity)?,
            issued: change(position.issued, before.issued)?,
            uncollected: change(position.uncollected, before.uncollected)?,
        })
    }
}

/// An empty position over a range of the grid. `Matured`, `BadParameter`.
pub fn open_position(work: &mut Workspace, a: &OpenPositionAccounts, args: &OpenPositionArguments) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_running()?;
    let (market, owner) = (a.market.key(), a.owner.key());
    let (lower, upper) = (args.lower.to_le_bytes(), args.upper.to_le_bytes());
    let new = New::at(a.owner, a.position, [seeds::LP_POSITION, market, owner, &lower, &upper]);
    let bump = new.bump()?;
    check_free(a.position)?;
    let position = empty_position(&book.pool, args.lower, args.upper)?;
    new.make(bump, lp_position::SIZE, &addresses::PROGRAM)?;
    {
        let mut data = a.position.try_borrow_mut_data()?;
        let mut view = LpPosition::init(&mut data)?;
        view.set_bump(bump);
        view.set_market(*market);
        view.set_owner(*owner);
        view.set_position(&position);
    }
    Held::read(a.position)?.save(work)?;
    finish(work, book, a.event_authority)
}

/// Closes an empty position. The market's own books do not come into it. `NotEmpty`.
pub fn close_position(work: &mut Workspace, a: &ClosePositionAccounts) -> ProgramResult {
    let Position { liquidity, uncollected, .. } = Held::read(a.position)?.position;
    if liquidity != 0 || uncollected != 0 {
        return Err(SunderError::NotEmpty.into());
    }
    about(work, a.market, market::EVENT_SEQUENCE)?;
    a.position.close_to(a.owner)?;
    work.events.send(work.now, a.event_authority)
}

impl Book<'_> {
    /// The ticks of a position, initialised or not. `MissingTickArray`.
    #[inline(never)]
    fn bounds(&self, arrays: &Arrays, position: &Position) -> Result<Bounds, SunderError> {
        arrays.with(self.account, |ticks| {
            Ok(Bounds { lower: ticks.stored(position.lower)?, upper: ticks.stored(position.upper)? })
        })
    }

    /// Writes the ticks of a position, and notes in the market whether they are initialised. `MissingTickArray`.
    #[inline(never)]
    fn set_bounds(&self, arrays: &Arrays, position: &Position, bounds: &Bounds) -> Result<(), SunderError> {
        arrays.with(self.account, |ticks| {
            ticks.write(position.lower, &bounds.lower)?;
            Ok(ticks.write(position.upper, &bounds.upper)?)
        })?;
        let mut data = self.account.try_borrow_mut_data()?;
        let mut market = Market::load_mut(&mut data)?;
        market.mark_initialised(position.lower, bounds.lower.gross != 0)?;
        Ok(market.mark_initialised(position.upper, bounds.upper.gross != 0)?)
    }
}

/// At most `maximum` JLP, while the rate lies between two bounds. `LimitReached`, `AboveMaximum`, and what is refused of a deposit.
pub fn add_liquidity(work: &mut Workspace, a: &AddLiquidityAccounts, args: &AddLiquidityArguments) -> ProgramResult {
    check_deadline(work, args.deadline)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_open(work, a.config, a.jupiter_pool)?;
    if book.pool.rate < args.min_rate || book.pool.rate > args.max_rate {
        return Err(SunderError::LimitReached.into());
    }
    let mut held = Held::read(a.position)?;
    let arrays = Arrays::of(a.rest);
    let mut bounds = book.bounds(&arrays, &held.position)?;
    let added = positions::add_liquidity(&mut book.pool, &mut held.position, &mut bounds, args.liquidity)?;
    if added.jlp > args.maximum {
        return Err(SunderError::AboveMaximum.into());
    }
    book.set_bounds(&arrays, &held.position, &bounds)?;
    held.added_at = work.now;
    held.save(work)?;
    book.totals.issued += i128::from(added.issued);
    let mut wallet = Wallet::jlp(a.owner_jlp, a.owner.key());
    book.pay(work, &mut wallet, added.jlp.into())?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&wallet, a.vault, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// Pays what a position has earned; while a deficit stands it leaves its share of it behind, as a removal does. `PositionEmpty`.
pub fn collect(work: &mut Workspace, a: &CollectAccounts) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let mut held = Held::read(a.position)?;
    let bounds = book.bounds(&Arrays::of(a.rest), &held.position)?;
    let jlp = positions::collect(&book.pool, &mut held.position, &bounds)?;
    let collected = InKind { jlp, ..InKind::default() };
    let withheld = book.withholding(&collected, false)?;
    held.save(work)?;
    book.change_deficit(-i128::from(withheld.jlp))?;
    let mut wallet = Wallet::jlp(a.owner_jlp, a.owner.key());
    book.pay(work, &mut wallet, -i128::from(collected.less(&withheld).jlp))?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&wallet, a.vault, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// Atoms of each.
#[derive(Clone, Copy, Default)]
struct InKind {
    jlp: u64,
    pt: u64,
    yt: u64,
}

impl InKind {
    /// What is left of it without a part of it.
    fn less(&self, part: &InKind) -> InKind {
        InKind { jlp: self.jlp - part.jlp, pt: self.pt - part.pt, yt: self.yt - part.yt }
    }
}

impl Book<'_> {
    /// What a removal leaves behind while a deficit stands: its share of the deficit, up, cash first, never more than is missing. The
    /// last to leave bears what is left of it.
    #[inline(never)]
    fn withholding(&self, paid: &InKind, last: bool) -> Result<InKind, SunderError> {
        let (deficit, moment) = (self.pool.deficit, &self.pool.moment);
        if deficit == 0 {
            return Ok(InKind::default());
        }
        let all = self.lp_equity(yt_in_jlp(self.twap()?, moment)?)?;
        let share = |amount: u64, most: u128| -> Result<u64, SunderError> {
            let amount = u128::from(amount);
            let whole = last || all <= i128::from(deficit);
            let share = if whole { amount } else { mul_div_up(amount, deficit.into(), all.unsigned_abs())? };
            u64::try_from(share.min(most)).map_err(|_| SunderError::Arithmetic)
        };
        let jlp = share(paid.jlp, deficit.into())?;
        let tokens = div_u128(u128::from(deficit - jlp) << 64, moment.discount)?.0;
        let pt = share(paid.pt, tokens)?;
        let yt = share(paid.yt, tokens - u128::from(pt))?;
        Ok(InKind { jlp, pt, yt })
    }

    /// Books a removal: what it takes off the totals, and what it leaves behind.
    #[inline(never)]
    fn book_removal(&mut self, work: &mut Workspace, removed: &Removed, withheld: &InKind) -> Result<(), SunderError> {
        let discount = self.pool.moment.discount;
        self.totals.issued -= i128::from(removed.issued);
        self.totals.pt += i128::from(removed.pt - withheld.pt);
        let principal = times_discount(withheld.pt, discount)? >> 64; // of fewer than 2^64 atoms
        self.change_deficit(-i128::from(withheld.jlp) - principal as i128)?;
        // YT left behind, and those that the PT left behind would have been merged with, are the fund's; expired ones nobody's.
        if self.matured() {
            self.retired += i128::from(removed.yt) - i128::from(withheld.pt);
        } else if withheld.pt > 0 || withheld.yt > 0 {
            let mut fund = self.fund;
            touch(&mut fund, discount)?;
            let yt = i128::from(fund.yt) + i128::from(withheld.yt) - i128::from(withheld.pt);
            fund.yt = i64::try_from(yt).map_err(|_| SunderError::Arithmetic)?;
            net(&mut fund)?;
            self.set_fund(fund)?;
            self.book_debt(work)?;
        }
        Ok(())
    }
}

/// Who removes, and what they are paid.
struct Leaving<'a, 'b> {
    a: &'b RemoveLiquidityAccounts<'a>,
    paid: InKind,
    zap: Option<u128>,
    jlp: Wallet<'a>,
    pt: Wallet<'a>,
}

/// A share, paid in kind: JLP and PT to the wallet, YT to an account of the owner. With `zap` the PT or YT received are traded
/// against the AMM first. `TooYoung`, `BelowMinimum`, `Backing`, and what is refused of a removal.
pub fn remove_liquidity(
    work: &mut Workspace,
    a: &RemoveLiquidityAccounts,
    args: &RemoveLiquidityArguments,
) -> ProgramResult {
    check_deadline(work, args.deadline)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let mut held = Held::read(a.position)?;
    if !book.matured() {
        book.check_exit(work, a.jupiter_pool)?;
        if work.now.saturating_sub(held.added_at) < LEAST_AGE {
            return Err(SunderError::TooYoung.into());
        }
    }
    let arrays = Arrays::of(a.rest);
    let mut bounds = book.bounds(&arrays, &held.position)?;
    let removed = positions::remove_liquidity(&mut book.pool, &mut held.position, &mut bounds, (args.num, args.den))?;
    book.set_bounds(&arrays, &held.position, &bounds)?;
    let whole = InKind { jlp: removed.jlp, pt: removed.pt, yt: removed.yt };
    let withheld = book.withholding(&whole, book.pool.gross_liquidity == 0)?;
    let paid = whole.less(&withheld);
    held.save(work)?;
    book.book_removal(work, &removed, &withheld)?;
    let (jlp, pt) = (Wallet::jlp(a.owner_jlp, a.owner.key()), Wallet::new(a.owner_pt, a.pt_mint.key(), a.owner.key()));
    let mut leaving = Leaving { a, paid, zap: args.zap, jlp, pt };
    leaving.pt.shift(work, paid.pt.into())?;
    book.pay(work, &mut leaving.jlp, -i128::from(paid.jlp))?;
    leaving.trade(work, book, &arrays)?;
    if leaving.jlp.change < i128::from(args.minimum) {
        return Err(SunderError::BelowMinimum.into());
    }
    book.check_backing()?;
    book.save(work)?;
    work.events.liquidity_removed(&LiquidityRemovedRecord {
        market: *a.market.key(),
        owner: *a.owner.key(),
        jlp: paid.jlp,
        pt: paid.pt,
        yt: if book.matured() { 0 } else { paid.yt },
        withheld_jlp: withheld.jlp,
        withheld_pt: withheld.pt,
        withheld_yt: withheld.yt,
    })?;
    book.store(work)?;
    move_jlp(&leaving.jlp, a.vault, a.market, a.owner)?;
    move_pt(&leaving.pt, a.pt_mint, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

impl<'a> Leaving<'a, '_> {
    /// Trades what was received in kind as far as the zap goes, and credits the YT that are left to an account of the owner; they are
    /// no deposit, so profit is measured against what was paid in before. `Uninitialised` without one.
    #[inline(never)]
    fn trade(&mut self, work: &mut Workspace, book: &mut Book<'a>, arrays: &Arrays) -> Result<(), SunderError> {
        if book.matured() {
            return Ok(()); // nothing is left to trade
        }
        let sold = self.sell(work, book, arrays)?;
        if self.paid.pt > 0 {
            return match sold {
                Some(sold) => settle_pt(work, book, &sold, false, &mut self.jlp, &mut self.pt),
                None => Ok(()),
            };
        }
        let mut left = self.paid.yt;
        if let Some(sold) = sold {
            book.pay(work, &mut self.jlp, i128::from(sold.fee.total) - i128::from(sold.amount))?;
            left -= sold.filled; // at most what was wanted
        }
        if left == 0 {
            return Ok(());
        }
        let mut account = book.holding(self.a.account.ok_or(SunderError::Uninitialised)?)?;
        let yt = i64::try_from(left).ok().and_then(|left| account.legs.yt.checked_add(left));
        account.legs.yt = yt.ok_or(SunderError::BadAmount)?;
        net(&mut account.legs)?;
        book.save_holding(work, &mut account)
    }

    /// Sells the PT or the YT (there are never both) to the limit, where that brings more than its fee.
    #[inline(never)]
    fn sell(&self, work: &mut Workspace, book: &mut Book, arrays: &Arrays) -> Result<Option<Quote>, SunderError> {
        let InKind { pt, yt, .. } = self.paid;
        let (kind, amount) = if pt > 0 { (OrderKind::SellPt, pt) } else { (OrderKind::SellYt, yt) };
        let (Some(limit), true) = (self.zap, amount > 0) else { return Ok(None) };
        let limit = book.in_range(limit, pt > 0)?;
        let order = order(kind, OrderAmount::Exact(amount), limit, false);
        let Some(quote) = book.try_quote(arrays, &order, &mut work.steps)? else { return Ok(None) };
        if quote.amount <= quote.fee.total {
            return Ok(None);
        }
        book.settle_quote(work, arrays, &quote, kind)?;
        Ok(Some(quote))
    }
}
