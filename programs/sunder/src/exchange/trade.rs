//! Trading YT on margin or spot, buying and selling PT, and rolling to a later market.
use super::accounts;
use super::book::{finish, Book, Holding};
use super::maturity::moved;
use super::swap::{check_bounds, order, Arrays};
use super::tokens::{move_jlp, move_pt, vault_pays, Wallet};
use super::work::Workspace;
use crate::interface::{
    Action, AmountUnit, BuyPtAccounts, BuyPtArguments, OrderKind, RollAccounts, RollArguments, SellPtAccounts,
    SellPtArguments, SunderError, TradeAccounts, TradeArguments,
};
use crate::math::account::{add_to_margin, reduce as reduce_legs, Legs};
use crate::math::fixed::mul_div_down;
use crate::math::margin::{equity, guarded, ratio_kept};
use crate::math::quote::{Order, OrderAmount, Quote};
use crate::math::units::MAX_RATE;
use crate::runtime::{AccountInfo, ProgramResult};

/// What a trade looks at beside its market and its account.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub config: &'a AccountInfo,
    pub jlp_mint: &'a AccountInfo,
    pub pool: &'a AccountInfo,
    pub arrays: Arrays<'a>,
}

/// What a trade is asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub amount: OrderAmount,
    pub limit_rate: u128,
    pub minimum: u64,
    /// None for an order of the owner's own.
    pub levy: Option<&'a Levy>,
    pub around: &'a Around<'a>,
}

/// What a fill costs its account beside the AMM's fee: as large a part of `fee` (JLP atoms) as it is of `yt`, down.
#[derive(Clone, Copy)]
pub struct Levy {
    pub fee: u64,
    pub yt: u64,
}

impl Levy {
    pub fn of(&self, filled: u64) -> Result<u64, SunderError> {
        if self.fee == 0 || filled == self.yt {
            return Ok(self.fee);
        }
        let part = mul_div_down(self.fee.into(), filled.into(), self.yt.into())?;
        u64::try_from(part).map_err(|_| SunderError::Arithmetic)
    }
}

impl Wanted<'_> {
    #[inline(always)]
    fn levy_of(&self, filled: u64) -> Result<u64, SunderError> {
        match self.levy {
            None => Ok(0),
            Some(levy) => levy.of(filled),
        }
    }
}

/// Which way an account increases, and whether it pays in full.
pub struct Side {
    pub long: bool,
    pub spot: bool,
}

fn amount_in(unit: AmountUnit, amount: u64) -> OrderAmount {
    match unit {
        AmountUnit::Token => OrderAmount::Exact(amount),
        AmountUnit::St => OrderAmount::St(amount),
    }
}

/// Long, short, reduce or close a margin account's YT.
pub fn trade(work: &mut Workspace, a: &TradeAccounts, args: &TradeArguments) -> ProgramResult {
    check_bounds(work, args.limit_rate, args.deadline)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let mut account = book.holding(a.account)?;
    let around = &Around { config: a.config, jlp_mint: a.jlp_mint, pool: a.jupiter_pool, arrays: Arrays::of(a.rest) };
    let amount = amount_in(args.unit, args.amount);
    let levy = None;
    let wanted = &Wanted { amount, limit_rate: args.limit_rate, minimum: args.minimum, levy, around };
    let spot = args.spot;
    match args.action {
        Action::Long => increase(work, book, &mut account, wanted, &Side { long: true, spot })?,
        Action::Short => increase(work, book, &mut account, wanted, &Side { long: false, spot })?,
        Action::Reduce => reduce(work, book, &mut account, wanted)?,
        Action::Close => close(work, book, &mut account, wanted)?,
    }
    book.save(work)?;
    finish(work, book, a.event_authority)
}

/// Opens or increases: the cost or the proceeds go to the ST leg, the fee to margin. Unless the order says spot it is a margined
/// trade: inside the guards, in one stretch of liquidity, at the initial condition.
#[inline(never)]
pub fn increase(
    work: &mut Workspace,
    book: &mut Book,
    account: &mut Holding,
    wanted: &Wanted,
    &Side { long, spot }: &Side,
) -> Result<(), SunderError> {
    let around = wanted.around;
    book.check_open(work, around.config, around.pool)?;
    if if long { account.legs.yt < 0 } else { account.legs.yt > 0 } {
        return Err(SunderError::OppositePosition);
    }
    let twap_rate = book.twap()?;
    if !spot {
        book.check_history(work.now)?;
    }
    let limit = if spot {
        book.in_range(wanted.limit_rate, long)?
    } else {
        book.guarded(wanted.limit_rate, twap_rate, book.terms.guard_bps, long)?
    };
    let kind = if long { OrderKind::BuyYt } else { OrderKind::SellYt };
    let order = order(kind, wanted.amount, limit, !spot);
    let done = book.swap(work, &around.arrays, kind, &order, wanted.minimum)?;
    // Nor may it end short of the bound on the other side: there forced closes could not follow the price while the TWAP lags.
    let rate = done.path.rate;
    if !spot && (if long { rate < twap_rate } else { rate > twap_rate }) {
        let far = guarded(if long { 0 } else { MAX_RATE }, twap_rate, book.terms.guard_bps, !long)?;
        if if long { rate < far } else { rate > far } {
            return Err(SunderError::LimitReached);
        }
    }
    traded(&mut account.legs, &done, wanted.levy_of(done.filled)?, long)?;
    book.save_holding(work, account)?;
    if spot {
        if !book.is_spot(&account.legs)? {
            return Err(SunderError::NotSpot);
        }
    } else {
        let at = book.value_at(twap_rate, account.legs.yt)?;
        if !book.meets_initial(&account.legs, &at)? {
            return Err(SunderError::Undercollateralised);
        }
    }
    // A short's coupons are owed whatever it holds; a long that is paid in full owes nothing.
    if !spot || !long {
        book.check_backing()?;
    }
    book.check_open_interest(around.jlp_mint)
}

/// The legs after YT were bought or sold for the ST leg, the fee and what else it costs (`levy`, JLP atoms) paid from margin.
#[inline(always)]
fn traded(legs: &mut Legs, done: &Quote, levy: u64, long: bool) -> Result<(), SunderError> {
    let sum = |value: i64, change: u64, up: bool| {
        let change = i64::try_from(change).ok()?;
        if up {
            value.checked_add(change)
        } else {
            value.checked_sub(change)
        }
    };
    legs.yt = sum(legs.yt, done.filled, long).ok_or(SunderError::BadAmount)?;
    legs.st = sum(legs.st, done.amount, !long).ok_or(SunderError::BadAmount)?;
    let costs = done.fee.total.checked_add(levy).ok_or(SunderError::BadAmount)?;
    Ok(add_to_margin(legs, -i128::from(costs))?)
}

fn close(work: &mut Workspace, book: &mut Book, account: &mut Holding, wanted: &Wanted) -> Result<(), SunderError> {
    let amount = OrderAmount::Exact(account.legs.yt.unsigned_abs());
    reduce(work, book, account, &Wanted { amount, ..*wanted })
}

/// Trades against the position, never through zero; a margined account must be better off for it.
#[inline(never)]
pub fn reduce(
    work: &mut Workspace,
    book: &mut Book,
    account: &mut Holding,
    wanted: &Wanted,
) -> Result<(), SunderError> {
    let around = wanted.around;
    book.check_exit(work, around.pool)?;
    let before = account.legs;
    let size = before.yt.unsigned_abs();
    if size == 0 {
        return Err(SunderError::NoPosition);
    }
    if matches!(wanted.amount, OrderAmount::Exact(yt) if yt > size) {
        return Err(SunderError::ExceedsPosition);
    }
    let twap_rate = book.twap()?;
    let (kind, order) = reducing(book, &before, wanted.amount, wanted.limit_rate, twap_rate)?;
    let done = book.swap(work, &around.arrays, kind, &order, wanted.minimum)?;
    if done.filled > size {
        return Err(SunderError::ExceedsPosition);
    }
    reduced(&mut account.legs, &done, wanted.levy_of(done.filled)?)?;
    book.save_holding(work, account)?;
    let after = account.legs;
    if book.is_spot(&after)? {
        return Ok(());
    }
    let at = book.value_at(twap_rate, after.yt)?;
    if book.meets_initial(&after, &at)? {
        return Ok(());
    }
    let kept = ratio_kept(&before, &after, at.twap.price, false);
    if after.yt == 0 || equity(&after, at.spot.price) < 0 || !kept {
        return Err(SunderError::NotBetter);
    }
    Ok(())
}

/// The order that trades against a position: inside the guards, unless the account owes nothing.
pub fn reducing(
    book: &Book,
    legs: &Legs,
    amount: OrderAmount,
    limit_rate: u128,
    twap_rate: u128,
) -> Result<(OrderKind, Order), SunderError> {
    let up = legs.yt < 0;
    let kind = if up { OrderKind::BuyYt } else { OrderKind::SellYt };
    let spot = book.is_spot(legs)?;
    let limit = if spot {
        book.in_range(limit_rate, up)?
    } else {
        book.guarded(limit_rate, twap_rate, book.terms.guard_bps, up)?
    };
    Ok((kind, order(kind, amount, limit, !spot)))
}

/// The legs after a trade against them, the fee and what else it costs (`levy`, JLP atoms) paid.
pub fn reduced(legs: &mut Legs, done: &Quote, levy: u64) -> Result<(), SunderError> {
    let amount = i128::from(done.amount);
    let received = if legs.yt < 0 { -amount } else { amount };
    Ok(reduce_legs(legs, done.filled, received - i128::from(done.fee.total) - i128::from(levy))?)
}

// ---- PT -------------------------------------------------------------------------------------------------------------------

/// Buys PT with JLP from the wallet: ST is split, the YT sold.
pub fn buy_pt(work: &mut Workspace, a: &BuyPtAccounts, args: &BuyPtArguments) -> ProgramResult {
    trade_pt(work, a, args, true)
}

/// Sells PT: YT is bought and merged.
pub fn sell_pt(work: &mut Workspace, a: &SellPtAccounts, args: &SellPtArguments) -> ProgramResult {
    trade_pt(work, a, args, false)
}

#[inline(never)]
fn trade_pt(work: &mut Workspace, a: &BuyPtAccounts, args: &BuyPtArguments, buys: bool) -> ProgramResult {
    check_bounds(work, args.limit_rate, args.deadline)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    if buys {
        book.check_open(work, a.config, a.jupiter_pool)?;
    } else {
        book.check_exit(work, a.jupiter_pool)?;
    }
    let kind = if buys { OrderKind::BuyPt } else { OrderKind::SellPt };
    let limit = book.in_range(args.limit_rate, !buys)?;
    let order = order(kind, amount_in(args.unit, args.amount), limit, false);
    let done = book.swap(work, &Arrays::of(a.rest), kind, &order, args.minimum)?;
    let mut jlp = Wallet::jlp(a.owner_jlp, a.owner.key());
    let mut pt = Wallet::new(a.owner_pt, a.pt_mint.key(), a.owner.key());
    settle_pt(work, book, &done, buys, &mut jlp, &mut pt)?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&jlp, a.vault, a.market, a.owner)?;
    move_pt(&pt, a.pt_mint, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// The wallet's side of a PT trade, fee included. `AmountTooSmall` for a sale that does not bring its fee.
pub fn settle_pt(
    work: &mut Workspace,
    book: &mut Book,
    done: &Quote,
    buys: bool,
    jlp: &mut Wallet,
    pt: &mut Wallet,
) -> Result<(), SunderError> {
    let (filled, amount, fee) = (i128::from(done.filled), i128::from(done.amount), i128::from(done.fee.total));
    let paid = if buys { amount + fee } else { fee - amount };
    if !buys && paid > 0 {
        return Err(SunderError::AmountTooSmall);
    }
    let change = if buys { filled } else { -filled };
    pt.shift(work, change)?;
    book.totals.pt += change;
    book.pay(work, jlp, paid)
}

// ---- roll -----------------------------------------------------------------------------------------------------------------

/// Closes an account wholly, moves its margin to one of a later market and opens there on the same side.
pub fn roll(work: &mut Workspace, a: &RollAccounts, args: &RollArguments) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let mut to_place = None;
    let to_book = Book::open(&mut to_place, work, a.to_market, a.to_index)?;
    if to_book.maturity <= book.maturity {
        return Err(SunderError::BadParameter.into());
    }
    let mut account = book.holding(a.account)?;
    let yt = account.legs.yt;
    if yt == 0 {
        return Err(SunderError::NoPosition.into());
    }
    check_bounds(work, args.close_limit_rate, args.deadline)?;
    let from = Around {
        config: a.config,
        jlp_mint: a.jlp_mint,
        pool: a.jupiter_pool,
        arrays: Arrays { brought: a.rest, other: Some(a.to_market.key()) },
    };
    let whole = Wanted {
        amount: OrderAmount::Exact(yt.unsigned_abs()),
        limit_rate: args.close_limit_rate,
        minimum: yt.unsigned_abs(),
        levy: None,
        around: &from,
    };
    reduce(work, book, &mut account, &whole)?;
    book.save(work)?;
    let margin = account.legs.margin;
    if margin == 0 {
        return Err(SunderError::InsufficientMargin.into());
    }
    // Out of one vault and into the other: the wallet's balance does not move, but the records say both.
    let through = Through { owner: a.owner, jlp: margin };
    through.leave(work, book, &mut account)?;
    let mut to_account = through.arrive(work, to_book, a.to_account)?;
    check_bounds(work, args.limit_rate, args.deadline)?;
    let to = Around { arrays: Arrays { brought: a.rest, other: Some(a.market.key()) }, ..from };
    let amount = amount_in(args.unit, args.amount);
    let levy = None;
    let wanted = Wanted { amount, limit_rate: args.limit_rate, minimum: args.minimum, levy, around: &to };
    increase(work, to_book, &mut to_account, &wanted, &Side { long: yt > 0, spot: false })?;
    to_book.save(work)?;
    book.store(work)?;
    to_book.store(work)?;
    vault_pays(a.vault, a.to_vault, a.market, margin)?;
    work.events.send(work.now, a.event_authority)
}

/// Margin on its way from one market to another.
struct Through<'a> {
    owner: &'a AccountInfo,
    jlp: u64,
}

impl Through<'_> {
    /// All the margin of an account that owes nothing.
    #[inline(never)]
    fn leave(&self, work: &mut Workspace, book: &mut Book, account: &mut Holding) -> Result<(), SunderError> {
        accounts::withdraw_legs(&mut account.legs, self.jlp)?;
        book.save_holding(work, account)?;
        self.balance(work, true)?;
        book.vault = moved(book.vault, -i128::from(self.jlp)).map_err(|_| SunderError::VaultShort)?;
        book.save(work)
    }

    #[inline(never)]
    fn arrive<'b>(
        &self,
        work: &mut Workspace,
        book: &mut Book<'b>,
        account: &'b AccountInfo,
    ) -> Result<Holding<'b>, SunderError> {
        book.check_running()?;
        let mut account = book.holding(account)?;
        self.balance(work, false)?;
        book.vault = moved(book.vault, self.jlp.into())?;
        accounts::deposit_legs(&mut account.legs, self.jlp)?;
        book.save_holding(work, &mut account)?;
        book.save(work)?;
        Ok(account)
    }

    fn balance(&self, work: &mut Workspace, received: bool) -> Result<(), SunderError> {
        let jlp = i64::try_from(self.jlp).map_err(|_| SunderError::BadAmount)?;
        work.events.balance(&crate::interface::BalanceRecord {
            mint: crate::interface::addresses::JLP_MINT,
            owner: *self.owner.key(),
            change: if received { jlp } else { -jlp },
        })
    }
}
