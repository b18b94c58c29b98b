//! Margin accounts: open, close, deposit, withdraw, transfer, settle.
use super::book::{check_amount, check_free, finish, Book, Holding};
use super::create::New;
use super::maturity::{cut_of, expire};
use super::orders::orders_of;
use super::tokens::{move_jlp, Wallet};
use super::work::Workspace;
use crate::interface::addresses;
use crate::interface::{
    CloseAccountAccounts, DepositAccounts, DepositArguments, OpenAccountAccounts, OpenAccountArguments, SettleAccounts,
    SettledRecord, SunderError, TransferAccounts, TransferArguments, WithdrawAccounts, WithdrawArguments,
};
use crate::math::account::{net, Legs};
use crate::runtime::{AccountInfo, ProgramResult};
use crate::state::{margin_account, seeds, MarginAccount};

/// Opens an owner's isolated account.
pub fn open_account(work: &mut Workspace, a: &OpenAccountAccounts, args: &OpenAccountArguments) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let (market, owner, sub) = (a.market.key(), a.owner.key(), [args.sub]);
    let new = New::at(a.owner, a.account, [seeds::MARGIN_ACCOUNT, market, owner, &sub]);
    let bump = new.bump()?;
    check_free(a.account)?;
    book.check_running()?;
    new.make(bump, margin_account::SIZE, &addresses::PROGRAM)?;
    let discount = book.pool.moment.discount;
    {
        let mut data = a.account.try_borrow_mut_data()?;
        let mut account = MarginAccount::init(&mut data)?;
        account.set_bump(bump);
        account.set_market(*market);
        account.set_owner(*owner);
        account.set_sub(args.sub);
    }
    let mut holding = Holding::new(a.account, *owner, args.sub, discount);
    book.save_holding(work, &mut holding)?;
    book.save(work)?;
    finish(work, book, a.event_authority)
}

/// Margin goes in, and counts as deposited. `BadAmount`.
pub fn deposit_legs(legs: &mut Legs, jlp: u64) -> Result<(), SunderError> {
    legs.margin = legs.margin.checked_add(jlp).ok_or(SunderError::BadAmount)?;
    legs.net_deposits = legs.net_deposits.checked_add(jlp).ok_or(SunderError::BadAmount)?;
    Ok(net(legs)?)
}

/// Margin goes out. `InsufficientMargin`.
pub fn withdraw_legs(legs: &mut Legs, jlp: u64) -> Result<(), SunderError> {
    legs.margin = legs.margin.checked_sub(jlp).ok_or(SunderError::InsufficientMargin)?;
    legs.net_deposits = legs.net_deposits.saturating_sub(jlp);
    Ok(())
}

pub fn deposit(work: &mut Workspace, a: &DepositAccounts, args: &DepositArguments) -> ProgramResult {
    check_amount(args.jlp)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_running()?;
    let mut account = book.holding(a.account)?;
    let mut wallet = Wallet::jlp(a.owner_jlp, a.owner.key());
    book.pay(work, &mut wallet, args.jlp.into())?;
    deposit_legs(&mut account.legs, args.jlp)?;
    book.save_holding(work, &mut account)?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&wallet, a.vault, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// Closes an account that holds and owes nothing, and that no order waits on. `NotEmpty`.
pub fn close_account(work: &mut Workspace, a: &CloseAccountAccounts) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let Legs { margin, st, yt, .. } = book.holding(a.account)?.legs;
    let waiting = orders_of(a.account)?; // they must not wait on the next account in this place
    if margin != 0 || st != 0 || yt != 0 || waiting != 0 {
        return Err(SunderError::NotEmpty.into());
    }
    a.account.close_to(a.owner)?;
    finish(work, book, a.event_authority)
}

/// Saves an account that value was taken out of. One that owes must meet the initial condition at a price that no
/// coupon is due on, and leave the market backed: `CouponDue`, `ReduceOnly`, `HistoryShort`, `Undercollateralised`,
/// `Backing`.
#[inline(never)]
pub fn take_out(
    work: &mut Workspace,
    book: &mut Book,
    account: &mut Holding,
    pool: &AccountInfo,
) -> Result<(), SunderError> {
    book.save_holding(work, account)?;
    let legs = &account.legs;
    if book.is_spot(legs)? {
        return Ok(());
    }
    book.check_fresh(work, pool)?;
    book.check_history(work.now)?;
    let at = book.value_at(book.twap()?, legs.yt)?;
    if !book.meets_initial(legs, &at)? {
        return Err(SunderError::Undercollateralised);
    }
    book.check_backing()
}

/// Before maturity from margin; after it, of what the settled account holds: profit once every debtor is settled.
pub fn withdraw(work: &mut Workspace, a: &WithdrawAccounts, args: &WithdrawArguments) -> ProgramResult {
    check_amount(args.jlp)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let mut account = book.holding(a.account)?;
    if book.matured() {
        withdraw_settled(work, book, &mut account, args.jlp)?;
    } else {
        withdraw_legs(&mut account.legs, args.jlp)?;
        take_out(work, book, &mut account, a.jupiter_pool)?;
    }
    let mut wallet = Wallet::jlp(a.owner_jlp, a.owner.key());
    book.pay(work, &mut wallet, -i128::from(args.jlp))?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&wallet, a.vault, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// What a settled account can have now, its share of what is missing cut from its profit. `InsufficientMargin`,
/// `AwaitingSettlement`.
#[inline(never)]
fn withdraw_settled(work: &mut Workspace, book: &mut Book, account: &mut Holding, jlp: u64) -> Result<(), SunderError> {
    settle_account(work, book, account)?;
    book.find_haircut()?;
    let legs = &mut account.legs;
    if jlp > legs.margin {
        return Err(SunderError::InsufficientMargin);
    }
    match book.haircut {
        None if jlp > legs.net_deposits => return Err(SunderError::AwaitingSettlement),
        None => {}
        Some(haircut) => {
            let cut = cut_of(&haircut, legs.margin.saturating_sub(legs.net_deposits))?;
            if cut > 0 {
                legs.margin = legs.margin.checked_sub(cut).ok_or(SunderError::Arithmetic)?;
                legs.net_deposits = legs.margin; // what has been cut once is no longer profit
            }
            book.change_deficit(-i128::from(cut.min(book.pool.deficit)))?;
        }
    }
    withdraw_legs(legs, jlp)?;
    book.save_holding(work, account)
}

/// Moves margin and YT to another account: YT to another owner only where there are some. `InsufficientYt`,
/// `OppositePosition`, `InsufficientMargin`, and those of `take_out`.
pub fn transfer(work: &mut Workspace, a: &TransferAccounts, args: &TransferArguments) -> ProgramResult {
    let TransferArguments { margin, yt } = *args;
    check_amount(margin | yt)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_running()?;
    let mut giver = book.holding(a.account)?;
    let mut taker = book.holding(a.to)?;
    if yt > 0 {
        if i128::from(giver.legs.yt) < i128::from(yt) {
            return Err(SunderError::InsufficientYt.into());
        }
        // Nobody puts another on a side: it would keep them from opening on the other one.
        if taker.owner != giver.owner && taker.legs.yt <= 0 {
            return Err(SunderError::OppositePosition.into());
        }
    }
    withdraw_legs(&mut giver.legs, margin)?;
    taker.legs.yt = taker.legs.yt.checked_add_unsigned(yt).ok_or(SunderError::BadAmount)?;
    deposit_legs(&mut taker.legs, margin)?;
    book.save_holding(work, &mut taker)?;
    giver.legs.yt = giver.legs.yt.checked_sub_unsigned(yt).ok_or(SunderError::Arithmetic)?;
    net(&mut giver.legs)?;
    take_out(work, book, &mut giver, a.jupiter_pool)?;
    book.save(work)?;
    finish(work, book, a.event_authority)
}

/// Settles an account at the final discount: anyone may, and a second time changes nothing.
pub fn settle(work: &mut Workspace, a: &SettleAccounts) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_matured()?;
    let mut account = book.holding(a.account)?;
    settle_account(work, book, &mut account)?;
    book.find_haircut()?;
    book.save(work)?;
    finish(work, book, a.event_authority)
}

/// YT expire, and what the account then owes is a loss.
#[inline(never)]
fn settle_account(work: &mut Workspace, book: &mut Book, account: &mut Holding) -> Result<(), SunderError> {
    let before = account.legs;
    expire(&mut account.legs, book.pool.moment.discount)?;
    let owed = core::mem::take(&mut account.legs.st).unsigned_abs(); // netted: at most 0
    book.retired = book.retired.checked_add(before.yt.into()).ok_or(SunderError::Arithmetic)?;
    book.save_holding(work, account)?;
    if before.st != 0 || before.yt != 0 {
        let value = i128::from(account.legs.margin) - i128::from(owed);
        work.events.settled(&SettledRecord {
            market: *book.key(),
            owner: account.owner,
            sub: account.sub,
            value: i64::try_from(value).map_err(|_| SunderError::Arithmetic)?,
        })?;
    }
    book.book_loss_of(work, owed)
}
