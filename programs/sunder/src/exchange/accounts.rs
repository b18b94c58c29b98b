//! Margin accounts and tokens: open, close, deposit, withdraw, transfer, wrap, split, merge, redeem, settle.
use super::book::{check_amount, check_free, finish, Book, Holding};
use super::tokens::{move_jlp, Wallet};
use super::work::Workspace;
use crate::external::system;
use crate::interface::{
    CloseAccountAccounts, DepositAccounts, DepositArguments, MergeAccounts, MergeArguments, OpenAccountAccounts,
    OpenAccountArguments, RedeemPtAccounts, RedeemPtArguments, SettleAccounts, SplitAccounts, SplitArguments,
    SunderError, TransferAccounts, TransferArguments, UnwrapAccounts, UnwrapArguments, WithdrawAccounts,
    WithdrawArguments, WrapAccounts, WrapArguments,
};
use crate::interface::addresses;
use crate::math::account::{net, Legs};
use crate::runtime::{find_program_address, ProgramResult, Seed, Signer};
use crate::state::{margin_account, seeds, MarginAccount};

/// Opens an owner's isolated account.
pub fn open_account(work: &mut Workspace, a: &OpenAccountAccounts, args: &OpenAccountArguments) -> ProgramResult {
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    let (market, owner, sub) = (a.market.key(), a.owner.key(), [args.sub]);
    let (address, bump) = find_program_address(&[seeds::MARGIN_ACCOUNT, market, owner, &sub], &addresses::PROGRAM)?;
    if *a.account.key() != address {
        return Err(SunderError::WrongAddress.into());
    }
    let bump = [bump];
    let signer =
        [Seed::from(seeds::MARGIN_ACCOUNT), Seed::from(market), Seed::from(owner), Seed::from(&sub), Seed::from(&bump)];
    check_free(a.account)?;
    book.check_running()?;
    system::create_account(a.owner, a.account, margin_account::SIZE, &addresses::PROGRAM, &Signer::from(&signer))?;
    let discount = book.pool.moment.discount;
    {
        let mut data = a.account.try_borrow_mut_data()?;
        let mut account = MarginAccount::init(&mut data)?;
        account.set_bump(bump[0]);
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

pub fn close_account(_: &mut Workspace, _: &CloseAccountAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn withdraw(_: &mut Workspace, _: &WithdrawAccounts, _: &WithdrawArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn transfer(_: &mut Workspace, _: &TransferAccounts, _: &TransferArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn wrap(_: &mut Workspace, _: &WrapAccounts, _: &WrapArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn unwrap(_: &mut Workspace, _: &UnwrapAccounts, _: &UnwrapArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn split(_: &mut Workspace, _: &SplitAccounts, _: &SplitArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn merge(_: &mut Workspace, _: &MergeAccounts, _: &MergeArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn redeem_pt(_: &mut Workspace, _: &RedeemPtAccounts, _: &RedeemPtArguments) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}

pub fn settle(_: &mut Workspace, _: &SettleAccounts) -> ProgramResult {
    Err(SunderError::UnknownInstruction.into())
}
