//! Tokens of wallets. An instruction counts what a wallet pays and gets while it works on its books, and the tokens move once, after
//! everything is written.
use super::book::Book;
use super::maturity::moved;
use super::work::Workspace;
use crate::external::token::{self, Authority};
use crate::interface::{addresses, BalanceRecord, SunderError};
use crate::runtime::{AccountInfo, ProgramResult, Pubkey, Seed, Signer};
use crate::state::{seeds, Market};

/// A token account of whoever signs, or is paid, and what will be moved: into it when positive. Its mint and owner have been checked.
pub struct Wallet<'a> {
    pub account: &'a AccountInfo,
    pub mint: Pubkey,
    pub owner: Pubkey,
    pub change: i128,
}

impl<'a> Wallet<'a> {
    pub fn new(account: &'a AccountInfo, mint: &Pubkey, owner: &Pubkey) -> Wallet<'a> {
        Wallet { account, mint: *mint, owner: *owner, change: 0 }
    }

    pub fn jlp(account: &'a AccountInfo, owner: &Pubkey) -> Wallet<'a> {
        Wallet::new(account, &addresses::JLP_MINT, owner)
    }

    /// Counts signed atoms, and writes their record. `InsufficientBalance`.
    pub fn shift(&mut self, work: &mut Workspace, change: i128) -> Result<(), SunderError> {
        if change == 0 {
            return Ok(());
        }
        let after = i128::from(token::amount(self.account)?) + self.change + change;
        if after < 0 {
            return Err(SunderError::InsufficientBalance);
        }
        self.change += change;
        let change = i64::try_from(change).map_err(|_| SunderError::BadAmount)?;
        work.events.balance(&BalanceRecord { mint: self.mint, owner: self.owner, change })
    }
}

/// The seeds of a market's address, which signs for its vault and its PT.
struct MarketSigner {
    maturity: [u8; 4],
    kind: [u8; 1],
    bump: [u8; 1],
}

impl MarketSigner {
    fn of(market: &AccountInfo) -> Result<MarketSigner, SunderError> {
        let data = market.try_borrow_data()?;
        let view = Market::load(&data)?;
        Ok(MarketSigner { maturity: view.maturity().to_le_bytes(), kind: [view.kind()], bump: [view.bump()] })
    }

    fn seeds(&self) -> [Seed<'_>; 4] {
        [Seed::from(seeds::MARKET), Seed::from(&self.maturity), Seed::from(&self.kind), Seed::from(&self.bump)]
    }
}

impl Book<'_> {
    /// Counts JLP from a wallet into the vault (out of it, when negative). `InsufficientBalance`, `VaultShort`.
    pub fn pay(&mut self, work: &mut Workspace, wallet: &mut Wallet, jlp: i128) -> Result<(), SunderError> {
        wallet.shift(work, -jlp)?;
        // Backing makes this impossible; if it ever were not, nobody is paid out of what is not there.
        self.vault = moved(self.vault, jlp).map_err(|_| SunderError::VaultShort)?;
        Ok(())
    }
}

/// Moves what was counted between a wallet and a market's vault. `authority` is the wallet's owner, who has signed.
#[inline(never)]
pub fn move_jlp(wallet: &Wallet, vault: &AccountInfo, market: &AccountInfo, authority: &AccountInfo) -> ProgramResult {
    match amount_of(wallet.change)? {
        (_, 0) => Ok(()),
        (false, paid) => {
            let authority = Authority::signed(authority);
            Ok(token::transfer_in(&addresses::TOKEN_PROGRAM, wallet.account, vault, &authority, paid)?)
        }
        (true, received) => vault_pays(vault, wallet.account, market, received),
    }
}

/// Moves JLP out of a market's vault.
#[inline(never)]
pub fn vault_pays(vault: &AccountInfo, to: &AccountInfo, market: &AccountInfo, jlp: u64) -> ProgramResult {
    let signer = MarketSigner::of(market)?;
    let seeds = signer.seeds();
    let signer = Signer::from(&seeds);
    let authority = Authority::derived(market, &signer);
    Ok(token::transfer_out(&addresses::TOKEN_PROGRAM, vault, to, &authority, jlp)?)
}

/// Mints or burns the PT that were counted.
#[inline(never)]
pub fn move_pt(wallet: &Wallet, mint: &AccountInfo, market: &AccountInfo, authority: &AccountInfo) -> ProgramResult {
    match amount_of(wallet.change)? {
        (_, 0) => Ok(()),
        (false, burnt) => {
            let authority = Authority::signed(authority);
            Ok(token::burn(&addresses::TOKEN_PROGRAM, wallet.account, mint, &authority, burnt)?)
        }
        (true, minted) => {
            let signer = MarketSigner::of(market)?;
            let seeds = signer.seeds();
            let signer = Signer::from(&seeds);
            let authority = Authority::derived(market, &signer);
            Ok(token::mint_to(&addresses::TOKEN_PROGRAM, mint, wallet.account, &authority, minted)?)
        }
    }
}

/// Whether the wallet receives, and how much.
pub fn amount_of(change: i128) -> Result<(bool, u64), SunderError> {
    let amount = u64::try_from(change.unsigned_abs()).map_err(|_| SunderError::Arithmetic)?;
    Ok((change > 0, amount))
}
