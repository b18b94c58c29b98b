//! Tokens that stand for JLP: wrapped ST, and PT, which with YT are ST.
use super::accounts::take_out;
use super::admin::about;
use super::book::{check_amount, Book};
use super::time::{index_of, IndexSigner};
use super::tokens::{move_jlp, move_pt, Wallet};
use super::work::Workspace;
use crate::external::token::{self, Authority};
use crate::interface::{
    addresses, MergeAccounts, MergeArguments, RedeemPtAccounts, RedeemPtArguments, SplitAccounts, SplitArguments,
    StVaultRecord, SunderError, UnwrapAccounts, UnwrapArguments, WrapAccounts, WrapArguments,
};
use crate::math::account::net;
use crate::math::units::{st_to_jlp_down, st_to_jlp_up};
use crate::runtime::{AccountInfo, ProgramResult, Signer};
use crate::state::rate_index;

// ---- ST -------------------------------------------------------------------------------------------------------------------

/// JLP in, ST out: 1 for 1 in the JLP that ST stands for, so it rebases by itself.
pub fn wrap(work: &mut Workspace, a: &WrapAccounts, args: &WrapArguments) -> ProgramResult {
    check_amount(args.jlp)?;
    let mut jlp = Wallet::jlp(a.owner_jlp, a.owner.key());
    let mut st = Wallet::new(a.owner_st, a.st_mint.key(), a.owner.key());
    exchange(work, a.index, &mut jlp, &mut st, args.jlp.into())?;
    token::transfer_in(&addresses::TOKEN_PROGRAM, a.owner_jlp, a.st_vault, &Authority::signed(a.owner), args.jlp)?;
    let signer = IndexSigner::of(a.index)?;
    let seeds = signer.seeds();
    let signer = Signer::from(&seeds);
    let index = Authority::derived(a.index, &signer);
    token::mint_to(&addresses::TOKEN_2022_PROGRAM, a.st_mint, a.owner_st, &index, args.jlp)?;
    work.events.send(work.now, a.event_authority)
}

/// ST in, JLP out.
pub fn unwrap(work: &mut Workspace, a: &UnwrapAccounts, args: &UnwrapArguments) -> ProgramResult {
    check_amount(args.jlp)?;
    if token::amount(a.owner_st)? < args.jlp {
        return Err(SunderError::InsufficientBalance.into());
    }
    let mut jlp = Wallet::jlp(a.owner_jlp, a.owner.key());
    let mut st = Wallet::new(a.owner_st, a.st_mint.key(), a.owner.key());
    exchange(work, a.index, &mut jlp, &mut st, -i128::from(args.jlp))?;
    let owner = Authority::signed(a.owner);
    token::burn(&addresses::TOKEN_2022_PROGRAM, a.owner_st, a.st_mint, &owner, args.jlp)?;
    let signer = IndexSigner::of(a.index)?;
    let seeds = signer.seeds();
    let signer = Signer::from(&seeds);
    let index = Authority::derived(a.index, &signer);
    token::transfer_out(&addresses::TOKEN_PROGRAM, a.st_vault, a.owner_jlp, &index, args.jlp)?;
    work.events.send(work.now, a.event_authority)
}

/// Counts `change` atoms from the one wallet into the other, by way of the ST vault. `InsufficientBalance`.
fn exchange(
    work: &mut Workspace,
    index: &AccountInfo,
    jlp: &mut Wallet,
    st: &mut Wallet,
    change: i128,
) -> Result<(), SunderError> {
    jlp.shift(work, -change)?;
    st.shift(work, change)?;
    let coupon = index_of(index)?.kind;
    let change = i64::try_from(change).map_err(|_| SunderError::BadAmount)?;
    work.events.st_vault(&StVaultRecord { coupon, change })?;
    about(work, index, rate_index::EVENT_SEQUENCE)
}

// ---- PT and YT ------------------------------------------------------------------------------------------------------------

/// `yt` ST become as many PT, in the wallet, and YT, in the owner's account; costs `ceil(D * yt)` JLP.
pub fn split(work: &mut Workspace, a: &SplitAccounts, args: &SplitArguments) -> ProgramResult {
    check_amount(args.yt)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_open(work, a.config, a.jupiter_pool)?;
    let mut account = book.holding(a.account)?;
    let mut jlp = Wallet::jlp(a.owner_jlp, a.owner.key());
    let mut pt = Wallet::new(a.owner_pt, a.pt_mint.key(), a.owner.key());
    let paid = st_to_jlp_up(args.yt, book.pool.moment.discount)?;
    book.pay(work, &mut jlp, paid.into())?;
    pt.shift(work, args.yt.into())?;
    book.totals.pt += i128::from(args.yt);
    let legs = &mut account.legs;
    legs.yt = legs.yt.checked_add_unsigned(args.yt).ok_or(SunderError::BadAmount)?;
    net(legs)?;
    book.save_holding(work, &mut account)?;
    book.check_open_interest(a.jlp_mint)?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&jlp, a.vault, a.market, a.owner)?;
    move_pt(&pt, a.pt_mint, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// As many PT and YT become ST again and pay `floor(D * yt)` JLP.
pub fn merge(work: &mut Workspace, a: &MergeAccounts, args: &MergeArguments) -> ProgramResult {
    check_amount(args.yt)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_running()?;
    let mut account = book.holding(a.account)?;
    let left = i128::from(account.legs.yt) - i128::from(args.yt);
    if left < 0 {
        return Err(SunderError::InsufficientYt.into());
    }
    let mut jlp = Wallet::jlp(a.owner_jlp, a.owner.key());
    let mut pt = Wallet::new(a.owner_pt, a.pt_mint.key(), a.owner.key());
    pay_for_pt(work, book, &mut pt, &mut jlp, args.yt)?;
    account.legs.yt = left as i64; // between 0 and what it was
    net(&mut account.legs)?;
    take_out(work, book, &mut account, a.jupiter_pool)?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&jlp, a.vault, a.market, a.owner)?;
    move_pt(&pt, a.pt_mint, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// PT at maturity: 1 ST of principal each, `floor(D_T * pt)` JLP.
pub fn redeem_pt(work: &mut Workspace, a: &RedeemPtAccounts, args: &RedeemPtArguments) -> ProgramResult {
    check_amount(args.pt)?;
    let mut place = None;
    let book = Book::open(&mut place, work, a.market, a.index)?;
    book.check_matured()?;
    let mut jlp = Wallet::jlp(a.owner_jlp, a.owner.key());
    let mut pt = Wallet::new(a.owner_pt, a.pt_mint.key(), a.owner.key());
    pay_for_pt(work, book, &mut pt, &mut jlp, args.pt)?;
    book.retired = book.retired.checked_sub(args.pt.into()).ok_or(SunderError::Arithmetic)?;
    book.save(work)?;
    book.store(work)?;
    move_jlp(&jlp, a.vault, a.market, a.owner)?;
    move_pt(&pt, a.pt_mint, a.market, a.owner)?;
    work.events.send(work.now, a.event_authority)
}

/// Burns PT for the JLP that as many ST stand for. `InsufficientBalance`, `VaultShort`.
fn pay_for_pt(
    work: &mut Workspace,
    book: &mut Book,
    pt: &mut Wallet,
    jlp: &mut Wallet,
    amount: u64,
) -> Result<(), SunderError> {
    pt.shift(work, -i128::from(amount))?;
    book.totals.pt -= i128::from(amount);
    let paid = st_to_jlp_down(amount, book.pool.moment.discount)?;
    book.pay(work, jlp, -i128::from(paid))
}
