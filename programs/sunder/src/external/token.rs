//! SPL Token and Token-2022: what Sunder reads of their accounts, and the calls that are the same in both. JLP and PT
//! are mints of SPL Token; wrapped ST is one of Token-2022 (`token_2022.rs`).
//!
//! Transfers of JLP in and out of the vaults are measured (`transfer_in`, `transfer_out`): its mint is not ours, and
//! what is booked must be what has moved. Minting and burning are not: the mints of PT and ST are ours, without fees,
//! hooks or a freeze authority, and an amount that is minted or burnt is booked on no vault.
use super::{bytes_at, u64_at};
use crate::runtime::{invoke_signed, AccountInfo, AccountMeta, Instruction, Pubkey, Signer};
use crate::SunderError;
use core::slice::from_ref;

/// TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA
pub const PROGRAM_ID: Pubkey = [
    6, 221, 246, 225, 215, 101, 161, 147, 217, 203, 225, 70, 206, 235, 121, 172, 28, 180, 133, 237, 95, 91, 55, 145,
    58, 140, 245, 133, 126, 255, 0, 169,
];

/// Bytes of a token account, and of a mint, without extensions.
pub const ACCOUNT_SIZE: usize = 165;
pub const MINT_SIZE: usize = 82;
/// A multisig: the one length that accounts with extensions never have.
const MULTISIG_SIZE: usize = 355;
/// Behind the padded base of an account with extensions stands what it is.
const KIND_AT: usize = 165;
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;

/// Where the fields of a token account lie.
const MINT_AT: usize = 0;
const OWNER_AT: usize = 32;
const AMOUNT_AT: usize = 64;
const STATE_AT: usize = 108;
const INITIALISED: u8 = 1;
const FROZEN: u8 = 2;

/// Where those of a mint lie.
const MINT_AUTHORITY_AT: usize = 0;
const SUPPLY_AT: usize = 36;
const DECIMALS_AT: usize = 44;
const IS_INITIALISED_AT: usize = 45;
const FREEZE_AUTHORITY_AT: usize = 46;

/// Numbers of the instructions.
const TRANSFER: u8 = 3;
const MINT_TO: u8 = 7;
const BURN: u8 = 8;
const CLOSE_ACCOUNT: u8 = 9;
const INITIALIZE_ACCOUNT_3: u8 = 18;
const INITIALIZE_MINT_2: u8 = 20;

// ---- reading --------------------------------------------------------------------------------------------------------

/// Whether `program` writes token accounts, or mints, of this length, and this is one.
fn is_kind(program: &Pubkey, data: &[u8], size: usize, kind: u8) -> bool {
    let extended =
        || *program == super::token_2022::PROGRAM_ID && data.len() != MULTISIG_SIZE && data.get(KIND_AT) == Some(&kind);
    data.len() == size || extended()
}

/// The balance of a token account of `program`, after checking that it holds `mint` and belongs to `owner`:
/// `WrongOwner` if it is another program's, `WrongLength` if it is no token account, `Uninitialised`, `WrongMint`,
/// `WrongTokenOwner`, `Frozen`. Delegates are not looked at: only the token program moves tokens, and it asks who
/// signs.
#[inline(never)]
pub fn check(account: &AccountInfo, mint: &Pubkey, owner: &Pubkey, program: &Pubkey) -> Result<u64, SunderError> {
    if !account.is_owned_by(program) {
        return Err(SunderError::WrongOwner);
    }
    check_data(&account.try_borrow_data()?, mint, owner, program)
}

fn check_data(data: &[u8], mint: &Pubkey, owner: &Pubkey, program: &Pubkey) -> Result<u64, SunderError> {
    if !is_kind(program, data, ACCOUNT_SIZE, KIND_ACCOUNT) {
        return Err(SunderError::WrongLength);
    }
    let state = *data.get(STATE_AT).ok_or(SunderError::WrongLength)?;
    if state != INITIALISED && state != FROZEN {
        return Err(SunderError::Uninitialised);
    }
    if bytes_at(data, MINT_AT) != Some(mint) {
        return Err(SunderError::WrongMint);
    }
    if bytes_at(data, OWNER_AT) != Some(owner) {
        return Err(SunderError::WrongTokenOwner);
    }
    if state == FROZEN {
        return Err(SunderError::Frozen);
    }
    u64_at(data, AMOUNT_AT).ok_or(SunderError::WrongLength)
}

/// The balance of an account that has been checked. `WrongLength`.
pub fn amount(account: &AccountInfo) -> Result<u64, SunderError> {
    number(account, AMOUNT_AT)
}

/// The supply of a mint that has been checked. `WrongLength`.
pub fn supply(mint: &AccountInfo) -> Result<u64, SunderError> {
    number(mint, SUPPLY_AT)
}

fn number(account: &AccountInfo, at: usize) -> Result<u64, SunderError> {
    u64_at(&account.try_borrow_data()?, at).ok_or(SunderError::WrongLength)
}

/// What Sunder asks of a mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Who may mint; None: the supply is fixed.
    pub authority: Option<Pubkey>,
    pub supply: u64,
    pub decimals: u8,
    /// Who may freeze accounts; None: nobody ever.
    pub freeze_authority: Option<Pubkey>,
}

/// Reads a mint of `program`. `WrongOwner`, `WrongLength` if it is no mint, `Uninitialised`.
pub fn read_mint(mint: &AccountInfo, program: &Pubkey) -> Result<Mint, SunderError> {
    if !mint.is_owned_by(program) {
        return Err(SunderError::WrongOwner);
    }
    mint_of(&mint.try_borrow_data()?, program)
}

fn mint_of(data: &[u8], program: &Pubkey) -> Result<Mint, SunderError> {
    if !is_kind(program, data, MINT_SIZE, KIND_MINT) {
        return Err(SunderError::WrongLength);
    }
    let fields: &[u8; MINT_SIZE] = bytes_at(data, 0).ok_or(SunderError::WrongLength)?;
    if fields[IS_INITIALISED_AT] != 1 {
        return Err(SunderError::Uninitialised);
    }
    Ok(Mint {
        authority: optional_key(fields, MINT_AUTHORITY_AT),
        supply: u64_at(fields, SUPPLY_AT).ok_or(SunderError::WrongLength)?,
        decimals: fields[DECIMALS_AT],
        freeze_authority: optional_key(fields, FREEZE_AUTHORITY_AT),
    })
}

/// A u32, 1 if there is a key, and the key.
fn optional_key(data: &[u8; MINT_SIZE], at: usize) -> Option<Pubkey> {
    if data[at] == 0 {
        return None;
    }
    bytes_at(data, at + 4).copied()
}

// ---- calls ----------------------------------------------------------------------------------------------------------

/// Who allows a call, and how: a wallet signed the transaction, for a derived address the program signs.
pub struct Authority<'a> {
    account: &'a AccountInfo,
    signer: Option<&'a Signer<'a>>,
}

impl<'a> Authority<'a> {
    /// Signed the transaction; else the runtime refuses the call.
    pub fn signed(account: &'a AccountInfo) -> Self {
        Authority { account, signer: None }
    }

    /// An address of the program; `signer` are its seeds.
    pub fn derived(account: &'a AccountInfo, signer: &'a Signer<'a>) -> Self {
        Authority { account, signer: Some(signer) }
    }

    pub fn account(&self) -> &'a AccountInfo {
        self.account
    }

    pub(super) fn signers(&self) -> &[Signer<'a>] {
        self.signer.map_or(&[], from_ref)
    }
}

/// Two accounts that the call changes, and the authority: the shape of most calls.
#[inline(never)]
fn change_both(
    program: &Pubkey,
    first: &AccountInfo,
    second: &AccountInfo,
    authority: &Authority,
    data: &[u8; 9],
) -> Result<(), SunderError> {
    let account = authority.account;
    let metas = [
        AccountMeta::writable(first.key()),
        AccountMeta::writable(second.key()),
        AccountMeta::readonly_signer(account.key()),
    ];
    // Closing an account has no amount.
    let data = if data[0] == CLOSE_ACCOUNT { &data[..1] } else { data.as_slice() };
    let instruction = Instruction { program_id: program, accounts: &metas, data };
    Ok(invoke_signed(&instruction, &[first, second, account], authority.signers())?)
}

fn with_amount(instruction: u8, amount: u64) -> [u8; 9] {
    let mut data = [0; 9];
    data[0] = instruction;
    data[1..].copy_from_slice(&amount.to_le_bytes());
    data
}

/// Moves tokens. Plain `Transfer`, the cheapest, which both programs know; Token-2022 refuses it for mints with a fee
/// or a hook.
pub fn transfer(
    program: &Pubkey,
    from: &AccountInfo,
    to: &AccountInfo,
    authority: &Authority,
    amount: u64,
) -> Result<(), SunderError> {
    change_both(program, from, to, authority, &with_amount(TRANSFER, amount))
}

/// Tokens into an account of ours, whose balance must rise by exactly `amount`: `TransferMismatch`, also for an account
/// that pays itself; `Arithmetic` if the balance would not fit. Both accounts have been checked.
pub fn transfer_in(
    program: &Pubkey,
    from: &AccountInfo,
    ours: &AccountInfo,
    authority: &Authority,
    amount: u64,
) -> Result<(), SunderError> {
    let expected = self::amount(ours)?.checked_add(amount).ok_or(SunderError::Arithmetic)?;
    transfer(program, from, ours, authority, amount)?;
    check_balance(ours, expected)
}

/// Tokens out of an account of ours, whose balance must fall by exactly `amount`: `TransferMismatch`, also for an
/// account that pays itself; `InsufficientBalance` if it has less. Both accounts have been checked.
pub fn transfer_out(
    program: &Pubkey,
    ours: &AccountInfo,
    to: &AccountInfo,
    authority: &Authority,
    amount: u64,
) -> Result<(), SunderError> {
    let expected = self::amount(ours)?.checked_sub(amount).ok_or(SunderError::InsufficientBalance)?;
    transfer(program, ours, to, authority, amount)?;
    check_balance(ours, expected)
}

fn check_balance(account: &AccountInfo, expected: u64) -> Result<(), SunderError> {
    if amount(account)? != expected {
        return Err(SunderError::TransferMismatch);
    }
    Ok(())
}

/// New tokens of a mint whose mint authority is `authority`.
pub fn mint_to(
    program: &Pubkey,
    mint: &AccountInfo,
    to: &AccountInfo,
    authority: &Authority,
    amount: u64,
) -> Result<(), SunderError> {
    change_both(program, mint, to, authority, &with_amount(MINT_TO, amount))
}

/// Destroys tokens of an account whose owner is `authority`.
pub fn burn(
    program: &Pubkey,
    from: &AccountInfo,
    mint: &AccountInfo,
    authority: &Authority,
    amount: u64,
) -> Result<(), SunderError> {
    change_both(program, from, mint, authority, &with_amount(BURN, amount))
}

/// Ends an empty token account; its lamports go to `heir`. `authority` is its owner.
pub fn close_account(
    program: &Pubkey,
    account: &AccountInfo,
    heir: &AccountInfo,
    authority: &Authority,
) -> Result<(), SunderError> {
    change_both(program, account, heir, authority, &with_amount(CLOSE_ACCOUNT, 0))
}

/// Makes a token account of `mint` for `owner` out of `ACCOUNT_SIZE` zero bytes that the token program owns.
pub fn initialize_account3(
    program: &Pubkey,
    account: &AccountInfo,
    mint: &AccountInfo,
    owner: &Pubkey,
) -> Result<(), SunderError> {
    let metas = [AccountMeta::writable(account.key()), AccountMeta::readonly(mint.key())];
    let data = account_for(owner);
    let instruction = Instruction { program_id: program, accounts: &metas, data: &data };
    Ok(invoke_signed(&instruction, &[account, mint], &[])?)
}

fn account_for(owner: &Pubkey) -> [u8; 33] {
    let mut data = [INITIALIZE_ACCOUNT_3; 33];
    data[1..].copy_from_slice(owner);
    data
}

/// Makes a mint that nobody can ever freeze, out of `MINT_SIZE` zero bytes (or more with extensions, those being
/// initialised before) that the token program owns.
pub fn initialize_mint2(
    program: &Pubkey,
    mint: &AccountInfo,
    decimals: u8,
    authority: &Pubkey,
) -> Result<(), SunderError> {
    let metas = [AccountMeta::writable(mint.key())];
    let data = mint_for(decimals, authority);
    let instruction = Instruction { program_id: program, accounts: &metas, data: &data };
    Ok(invoke_signed(&instruction, &[mint], &[])?)
}

/// Decimals, mint authority, and 0: no freeze authority.
fn mint_for(decimals: u8, authority: &Pubkey) -> [u8; 35] {
    let mut data = [0; 35];
    data[0] = INITIALIZE_MINT_2;
    data[1] = decimals;
    data[2..34].copy_from_slice(authority);
    data
}

#[cfg(test)]
mod tests {
    use super::super::testing::{with, with_one, Given};
    use super::super::token_2022;
    use super::*;

    const MINT: Pubkey = [3; 32];
    const OWNER: Pubkey = [4; 32];
    /// As far as a call gets on the host.
    const CALLED: Result<(), SunderError> = Err(SunderError::Arithmetic);

    fn account(state: u8, amount: u64) -> Vec<u8> {
        let mut data = vec![0; ACCOUNT_SIZE];
        data[..32].copy_from_slice(&MINT);
        data[32..64].copy_from_slice(&OWNER);
        data[64..72].copy_from_slice(&amount.to_le_bytes());
        data[108] = state;
        data
    }

    fn extended(mut data: Vec<u8>, size: usize, kind: u8) -> Vec<u8> {
        data.resize(size, 0);
        data[165] = kind;
        data
    }

    fn mint(initialised: u8, supply: u64) -> Vec<u8> {
        let mut data = vec![0; MINT_SIZE];
        data[0] = 1;
        data[4..36].copy_from_slice(&OWNER);
        data[36..44].copy_from_slice(&supply.to_le_bytes());
        data[44] = 6;
        data[45] = initialised;
        data[46 + 4..].copy_from_slice(&[9; 32]); // left behind by an authority that is gone
        data
    }

    #[test]
    fn a_token_account_is_believed_only_if_all_of_it_is_right() {
        let checked = |owner: Pubkey, data: &[u8], program: &Pubkey| {
            with_one(Given { owner, data, ..Given::default() }, |a| check(a, &MINT, &OWNER, program))
        };
        let (old, new) = (PROGRAM_ID, token_2022::PROGRAM_ID);
        let good = account(1, 77);
        assert_eq!(checked(old, &good, &old), Ok(77));
        assert_eq!(checked(new, &good, &new), Ok(77));
        assert_eq!(checked(new, &good, &old), Err(SunderError::WrongOwner));
        assert_eq!(checked(old, &good, &new), Err(SunderError::WrongOwner));
        assert_eq!(checked([0; 32], &[], &old), Err(SunderError::WrongOwner));
        assert_eq!(checked(old, &[], &old), Err(SunderError::WrongLength));
        assert_eq!(checked(old, &mint(1, 5), &old), Err(SunderError::WrongLength));
        assert_eq!(checked(old, &account(0, 77), &old), Err(SunderError::Uninitialised));
        assert_eq!(checked(old, &account(3, 77), &old), Err(SunderError::Uninitialised));
        assert_eq!(checked(old, &account(2, 77), &old), Err(SunderError::Frozen));
        let changed = |at: usize| {
            let mut data = good.clone();
            data[at] ^= 1;
            checked(old, &data, &old)
        };
        for at in [0, 31] {
            assert_eq!(changed(at), Err(SunderError::WrongMint));
        }
        for at in [32, 63] {
            assert_eq!(changed(at), Err(SunderError::WrongTokenOwner));
        }
        assert_eq!(changed(64), Ok(76));
    }

    #[test]
    fn extensions_are_token_2022s_alone_and_no_other_kind_passes_for_an_account() {
        let checked = |data: &[u8], program: Pubkey| {
            let given = Given { owner: program, data, ..Given::default() };
            with_one(given, |a| check(a, &MINT, &OWNER, &program))
        };
        let new = token_2022::PROGRAM_ID;
        let wrong = Err(SunderError::WrongLength);
        assert_eq!(checked(&extended(account(1, 5), 170, 2), new), Ok(5));
        assert_eq!(checked(&extended(account(1, 5), 170, 2), PROGRAM_ID), wrong);
        assert_eq!(checked(&extended(account(1, 5), 226, 1), new), wrong); // a mint
        assert_eq!(checked(&extended(account(1, 5), 170, 0), new), wrong);
        assert_eq!(checked(&extended(account(1, 5), 355, 2), new), wrong); // a multisig
        assert_eq!(checked(&account(1, 5)[..164], new), wrong);

        let read = |data: &[u8], owner: Pubkey| {
            with_one(Given { owner, data, ..Given::default() }, |a| read_mint(a, &owner).map(|mint| mint.supply))
        };
        assert_eq!(read(&extended(mint(1, 5), 226, 1), new), Ok(5));
        assert_eq!(read(&extended(mint(1, 5), 226, 1), PROGRAM_ID), wrong);
        assert_eq!(read(&extended(mint(1, 5), 226, 2), new), wrong); // a token account
        assert_eq!(read(&extended(mint(1, 5), 355, 1), new), wrong);
        let mut longer = mint(1, 5);
        longer.resize(165, 0);
        assert_eq!(read(&longer, new), wrong); // a token account without extensions
    }

    #[test]
    fn a_mint_says_who_may_do_what() {
        let read = |data: &[u8]| {
            let given = Given { owner: PROGRAM_ID, data, ..Given::default() };
            with_one(given, |a| (read_mint(a, &PROGRAM_ID), supply(a)))
        };
        let expected = Mint { authority: Some(OWNER), supply: 5, decimals: 6, freeze_authority: None };
        assert_eq!(read(&mint(1, 5)), (Ok(expected), Ok(5)));
        assert_eq!(read(&mint(0, 5)).0, Err(SunderError::Uninitialised));
        assert_eq!(read(&[]), (Err(SunderError::WrongLength), Err(SunderError::WrongLength)));
        let mut frozen = mint(1, 5);
        frozen[46] = 1;
        assert_eq!(read(&frozen).0, Ok(Mint { freeze_authority: Some([9; 32]), ..expected }));
        let other = with_one(Given { data: &mint(1, 5), ..Given::default() }, |a| read_mint(a, &PROGRAM_ID));
        assert_eq!(other, Err(SunderError::WrongOwner));
    }

    #[test]
    fn a_balance_that_cannot_move_is_refused_before_the_call() {
        let (few, many) = (account(1, 10), account(1, u64::MAX));
        let given = |key, data| Given { key, owner: PROGRAM_ID, data, ..Given::default() };
        let wallet = Given { key: OWNER, signer: true, ..Given::default() };
        with(&[given([5; 32], &few), given([6; 32], &many), wallet], |accounts| {
            let [few, many, wallet] = accounts else { panic!() };
            let wallet = Authority::signed(wallet);
            assert_eq!(transfer_out(&PROGRAM_ID, few, many, &wallet, 11), Err(SunderError::InsufficientBalance));
            assert_eq!(transfer_in(&PROGRAM_ID, few, many, &wallet, 1), Err(SunderError::Arithmetic));
            assert_eq!(transfer_out(&PROGRAM_ID, few, many, &wallet, 10), CALLED);
            assert_eq!(transfer_in(&PROGRAM_ID, many, few, &wallet, 10), CALLED);
        });
    }

    #[test]
    fn instructions_are_the_token_programs() {
        assert_eq!(with_amount(TRANSFER, 258), [3, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(with_amount(MINT_TO, 1)[0], 7);
        assert_eq!(with_amount(BURN, 1)[0], 8);
        let (account, mint) = (account_for(&OWNER), mint_for(6, &OWNER));
        assert_eq!((account[0], &account[1..]), (18, OWNER.as_slice()));
        assert_eq!((&mint[..2], &mint[2..34], mint[34]), ([20, 6].as_slice(), OWNER.as_slice(), 0));
    }
}
