//! Resting orders: an owner says once what may be done with a margin account, and anyone does it when it may be done, for the fee that
//! the owner has set (docs/protocol.md section 14). A fill is a trade, by the same functions and under the same conditions.
use super::admin::about;
use super::book::{check_amount, check_deadline, check_free, finish, Book, Holding};
use super::create::New;
use super::swap::Arrays;
use super::tokens::{move_jlp, Wallet};
use super::trade::{increase, reduce, Around, Levy, Side, Wanted};
use super::work::Workspace;
use crate::interface::{
    addresses, CancelOrderAccounts, ExpireOrderAccounts, FillOrderAccounts, FilledRecord, OrderAction, OrderRecord,
    PlaceOrderAccounts, PlaceOrderArguments, SunderError, Trigger,
};
use crate::math::account::Legs;
use crate::math::margin::{equity, ratio_kept};
use crate::math::quote::OrderAmount;
use crate::math::units::MAX_RATE;
use crate::runtime::{AccountInfo, ProgramResult};
use crate::state::{market, resting_order, seeds, MarginAccount, RestingOrder};

/// Legs of an account stay below as many atoms.
const LEG_MAX: u64 = 1 << 61;

/// Stored as their numbers in the interface: one that names nothing is `Malformed`.
const ACTIONS: [OrderAction; 4] =
    [OrderAction::Long, OrderAction::Short, OrderAction::ReduceLong, OrderAction::ReduceShort];
const TRIGGERS: [Trigger; 5] =
    [Trigger::None, Trigger::RateAbove, Trigger::RateBelow, Trigger::PnlAbove, Trigger::PnlBelow];

/// What waits, as it is worked on.
struct Order {
    id: u8,
    action: OrderAction,
    /// YT atoms left; of a reduction at most.
    amount: u64,
    spot: bool,
    limit_rate: u128,
    minimum: u64,
    trigger: Trigger,
    level: i128,
    /// JLP atoms for what is left.
    fee: u64,
    expires_at: u32,
}

impl Order {
    fn read(account: &AccountInfo) -> Result<Order, SunderError> {
        let data = account.try_borrow_data()?;
        let view = RestingOrder::load(&data)?;
        Ok(Order {
            id: view.id(),
            action: *ACTIONS.get(usize::from(view.action())).ok_or(SunderError::Malformed)?,
            amount: view.amount(),
            spot: view.spot(),
            limit_rate: view.limit_rate(),
            minimum: view.minimum(),
            trigger: *TRIGGERS.get(usize::from(view.trigger())).ok_or(SunderError::Malformed)?,
            level: view.level(),
            fee: view.fee(),
            expires_at: view.expires_at(),
        })
    }

    fn is_reduction(&self) -> bool {
        is_reduction(self.action)
    }

    /// Whether a fill buys YT.
    fn is_up(&self) -> bool {
        matches!(self.action, OrderAction::Long | OrderAction::ReduceShort)
    }
}

fn is_reduction(action: OrderAction) -> bool {
    matches!(action, OrderAction::ReduceLong | OrderAction::ReduceShort)
}

/// How many orders wait on a margin account.
pub fn orders_of(account: &AccountInfo) -> Result<u16, SunderError> {
    let data = account.try_borrow_data()?;
    Ok(MarginAccount::load(&data)?.orders())
}

/// One order more or less on a margin account. Whose it is: owner and number.
fn count_order(account: &AccountInfo, more: bool) -> Result<([u8; 32], u8), SunderError> {
    let mut data = account.try_borrow_mut_data()?;
    let mut view = MarginAccount::load_mut(&mut data)?;
    let orders = view.orders();
    let next = if more { orders.checked_add(1) } else { orders.checked_sub(1) };
    view.set_orders(next.ok_or(SunderError::Arithmetic)?);
    Ok((view.owner(), view.sub()))
}

/// What waits on an account: its order's number, and what has changed of it.
struct Noted {
    id: u8,
    amount: i128,
    fee: i128,
}

fn note(
    work: &mut Workspace,
    market: &AccountInfo,
    (owner, sub): ([u8; 32], u8),
    noted: &Noted,
) -> Result<(), SunderError> {
    let narrow = |change: i128| i64::try_from(change).map_err(|_| SunderError::Arithmetic);
    work.events.order(&OrderRecord {
        market: *market.key(),
        owner,
        sub,
        id: noted.id,
        amount: narrow(noted.amount)?,
        fee: narrow(noted.fee)?,
    })
}

/// The owner places it; nothing is set aside for it. `ZeroAmount`, `BadAmount`, `DeadlinePassed`, `BadParameter`,
/// `AlreadyInitialised`, `Matured`.
pub fn place_order(work: &mut Workspace, a: &PlaceOrderAccounts, args: &PlaceOrderArguments) -> ProgramResult {
    check_terms(work, args)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let id = [args.id];
    let new = New::at(a.owner, a.order, [seeds::RESTING_ORDER, a.account.key(), &id]);
    let bump = new.bump()?;
    check_free(a.order)?;
    let whose = count_order(a.account, true)?;
    note(work, a.market, whose, &Noted { id: args.id, amount: args.amount.into(), fee: args.fee.into() })?;
    book.check_running()?;
    new.make(bump, resting_order::SIZE, &addresses::PROGRAM)?;
    write(a, args, bump)?;
    book.save(work)?;
    finish(work, book, a.event_authority)
}

#[inline(never)]
fn write(a: &PlaceOrderAccounts, args: &PlaceOrderArguments, bump: u8) -> Result<(), SunderError> {
    let mut data = a.order.try_borrow_mut_data()?;
    let mut order = RestingOrder::init(&mut data)?;
    order.set_bump(bump);
    order.set_market(*a.market.key());
    order.set_account(*a.account.key());
    order.set_owner(*a.owner.key());
    order.set_id(args.id);
    order.set_action(args.action as u8);
    order.set_amount(args.amount);
    order.set_spot(args.spot);
    order.set_limit_rate(args.limit_rate);
    order.set_minimum(args.minimum);
    order.set_trigger(args.trigger as u8);
    order.set_level(args.level);
    order.set_fee(args.fee);
    order.set_expires_at(args.expires_at);
    Ok(())
}

/// Refuses what no order can mean.
fn check_terms(work: &Workspace, args: &PlaceOrderArguments) -> Result<(), SunderError> {
    check_amount(args.amount)?;
    if args.amount > LEG_MAX || args.fee > LEG_MAX {
        return Err(SunderError::BadAmount);
    }
    check_deadline(work, args.expires_at)?;
    // Only exits may wait for an event: what it opened would be opened at the worst of moments.
    let waits = args.trigger != Trigger::None;
    if args.limit_rate > MAX_RATE || (waits && !is_reduction(args.action)) {
        return Err(SunderError::BadParameter);
    }
    let highest_rate = i128::try_from(MAX_RATE).map_err(|_| SunderError::Arithmetic)?;
    let most = i128::from(LEG_MAX);
    let levels = match args.trigger {
        Trigger::None => 0..=0,
        Trigger::RateAbove | Trigger::RateBelow => 0..=highest_rate,
        Trigger::PnlAbove | Trigger::PnlBelow => -most..=most,
    };
    if levels.contains(&args.level) {
        Ok(())
    } else {
        Err(SunderError::BadParameter)
    }
}

/// The owner takes it back, at any time.
pub fn cancel_order(work: &mut Workspace, a: &CancelOrderAccounts) -> ProgramResult {
    remove(work, a.market, a.account, a.order)?;
    about(work, a.market, market::EVENT_SEQUENCE)?;
    a.order.close_to(a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// Anyone removes one that nobody can fill any more: past its time, or in a market that has matured. `TooEarly`.
pub fn expire_order(work: &mut Workspace, a: &ExpireOrderAccounts) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    if work.now <= Order::read(a.order)?.expires_at && !book.matured() {
        return Err(SunderError::TooEarly.into());
    }
    remove(work, a.market, a.account, a.order)?;
    book.save(work)?;
    a.order.close_to(a.owner)?;
    finish(work, book, a.event_authority)
}

/// Counts an order out and writes its record; its account is closed by the caller.
fn remove(
    work: &mut Workspace,
    market: &AccountInfo,
    account: &AccountInfo,
    order: &AccountInfo,
) -> Result<(), SunderError> {
    let Order { id, amount, fee, .. } = Order::read(order)?;
    let whose = count_order(account, false)?;
    note(work, market, whose, &Noted { id, amount: -i128::from(amount), fee: -i128::from(fee) })
}

/// Fills what the AMM trades of an order within its limit: all that is left or at least its minimum, for as large a part of its fee.
/// `DeadlinePassed`, `HistoryShort`, `NotTriggered`, `NoPosition`, and those of a trade.
pub fn fill_order(work: &mut Workspace, a: &FillOrderAccounts) -> ProgramResult {
    let order = Order::read(a.order)?;
    check_deadline(work, order.expires_at)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let mut account = book.holding(a.account)?;
    let around = &Around { config: a.config, jlp_mint: a.jlp_mint, pool: a.jupiter_pool, arrays: Arrays::of(a.rest) };
    let (filled, fee) = fill(work, book, &mut account, &order, around)?;
    let mut wallet = Wallet::jlp(a.by_jlp, a.by.key());
    book.pay(work, &mut wallet, -i128::from(fee))?;
    work.events.filled(&FilledRecord {
        market: *a.market.key(),
        owner: account.owner,
        sub: account.sub,
        id: order.id,
        by: *a.by.key(),
        filled,
        fee,
    })?;
    // With the position gone there is nothing left that it was meant for.
    let done = filled == order.amount || (order.is_reduction() && account.legs.yt == 0);
    if done {
        remove(work, a.market, a.account, a.order)?;
    } else {
        let changes = Noted { id: order.id, amount: -i128::from(filled), fee: -i128::from(fee) };
        note(work, a.market, (account.owner, account.sub), &changes)?;
        let mut data = a.order.try_borrow_mut_data()?;
        let mut view = RestingOrder::load_mut(&mut data)?;
        view.set_amount(order.amount - filled);
        view.set_fee(order.fee - fee);
    }
    book.save(work)?;
    book.store(work)?;
    if done {
        a.order.close_to(a.owner)?;
    }
    move_jlp(&wallet, a.vault, a.market, a.by)?;
    work.events.send(work.now, a.event_authority)
}

/// Whoever fills it chooses the moment, so that the bound for margined trades and a window of history hold for spot orders too. The YT
/// filled, and the fee for them, which the account has paid.
#[inline(never)]
fn fill(
    work: &mut Workspace,
    book: &mut Book,
    account: &mut Holding,
    order: &Order,
    around: &Around,
) -> Result<(u64, u64), SunderError> {
    book.check_history(work.now)?;
    let twap_rate = book.twap()?;
    check_trigger(book, &account.legs, order, twap_rate)?;
    let (reduces, up) = (order.is_reduction(), order.is_up());
    let before = account.legs;
    if reduces && (if up { before.yt >= 0 } else { before.yt <= 0 }) {
        return Err(SunderError::NoPosition);
    }
    let yt = if reduces { order.amount.min(before.yt.unsigned_abs()) } else { order.amount };
    let levy = &Levy { fee: order.fee, yt };
    let wanted = &Wanted {
        amount: OrderAmount::Exact(yt),
        limit_rate: book.guarded(order.limit_rate, twap_rate, book.terms.guard_bps, up)?,
        minimum: order.minimum.min(yt),
        levy: Some(levy),
        around,
    };
    if reduces {
        reduce(work, book, account, wanted)?;
    } else {
        increase(work, book, account, wanted, &Side { long: up, spot: order.spot })?;
    }
    let filled = account.legs.yt.abs_diff(before.yt);
    let fee = levy.of(filled)?;
    if reduces && fee > 0 {
        check_fee(work, book, (&before, &account.legs), (twap_rate, around.pool))?;
    }
    Ok((filled, fee))
}

/// JLP per YT at the TWAP.
fn price_at_twap(book: &Book, twap_rate: u128, yt: i64) -> Result<u64, SunderError> {
    Ok(book.value_at_twap(twap_rate, yt)?.twap.price)
}

/// Refuses `NotTriggered` unless what the order waits for is so at the TWAP, which nobody pushes in a moment.
fn check_trigger(book: &Book, legs: &Legs, order: &Order, twap_rate: u128) -> Result<(), SunderError> {
    let value = match order.trigger {
        Trigger::None => return Ok(()),
        Trigger::RateAbove | Trigger::RateBelow => i128::try_from(twap_rate).map_err(|_| SunderError::Arithmetic)?,
        Trigger::PnlAbove | Trigger::PnlBelow => {
            equity(legs, price_at_twap(book, twap_rate, legs.yt)?) - i128::from(legs.net_deposits)
        }
    };
    let above = matches!(order.trigger, Trigger::RateAbove | Trigger::PnlAbove);
    if if above { value >= order.level } else { value <= order.level } {
        Ok(())
    } else {
        Err(SunderError::NotTriggered)
    }
}

/// A fee leaves the market. Out of a reduction that lowers the ratio, of an account that owes afterwards, it is a withdrawal: no coupon
/// may be due, and the market stays backed. (Where the ratio does not fall, neither does what backs the market.) `ReduceOnly`,
/// `Backing`.
fn check_fee(
    work: &Workspace,
    book: &Book,
    (before, after): (&Legs, &Legs),
    (twap_rate, pool): (u128, &AccountInfo),
) -> Result<(), SunderError> {
    if book.is_spot(after)? || ratio_kept(before, after, price_at_twap(book, twap_rate, after.yt)?, false) {
        return Ok(());
    }
    book.check_fresh(work, pool)?;
    book.check_backing()
}
