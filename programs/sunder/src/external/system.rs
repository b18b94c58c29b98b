//! The system program: making the program's accounts.
use crate::runtime::{invoke, invoke_signed, AccountInfo, AccountMeta, Instruction, Pubkey, Rent, Signer};
use crate::SunderError;
use core::slice::from_ref;

/// 11111111111111111111111111111111
pub const PROGRAM_ID: Pubkey = [0; 32];

/// Numbers of the system program's instructions, u32 in front of their arguments.
const CREATE_ACCOUNT: u8 = 0;
const ASSIGN: u8 = 1;
const TRANSFER: u8 = 2;
const ALLOCATE: u8 = 8;

/// Makes an account of `size` zero bytes owned by `owner`, at an address that the program derives: `signer` are its
/// seeds.
///
/// Anyone may send lamports to an address before there is an account, and `CreateAccount` then fails for ever: such an
/// account is topped up to the rent instead, and made in parts. What was sent stays in it.
///
/// `AlreadyInitialised` unless the account is the system program's and empty; `MissingSigner` without the payer's
/// signature, `NotWritable`; the system program refuses a payer without the lamports.
pub fn create_account(
    payer: &AccountInfo,
    account: &AccountInfo,
    size: usize,
    owner: &Pubkey,
    signer: &Signer,
) -> Result<(), SunderError> {
    check_new(payer, account)?;
    let rent = Rent::get()?.minimum_balance(size)?;
    let held = account.lamports();
    if held == 0 {
        return create(payer, account, &new_account(rent, size, owner), signer);
    }
    if held < rent {
        transfer(payer, account, rent - held)?;
    }
    sign(account, &with_number(ALLOCATE, size as u64), signer)?;
    sign(account, &assigned(owner), signer)
}

/// Sends lamports. `MissingSigner` without the sender's signature; the system program refuses more than it has, or a
/// sender with data.
pub fn transfer(from: &AccountInfo, to: &AccountInfo, lamports: u64) -> Result<(), SunderError> {
    if !from.is_signer() {
        return Err(SunderError::MissingSigner);
    }
    let metas = [AccountMeta::writable_signer(from.key()), AccountMeta::writable(to.key())];
    let data = with_number(TRANSFER, lamports);
    Ok(invoke(&Instruction { program_id: &PROGRAM_ID, accounts: &metas, data: &data }, &[from, to])?)
}

fn check_new(payer: &AccountInfo, account: &AccountInfo) -> Result<(), SunderError> {
    if !account.is_owned_by(&PROGRAM_ID) || !account.data_is_empty() {
        return Err(SunderError::AlreadyInitialised);
    }
    if !payer.is_signer() {
        return Err(SunderError::MissingSigner);
    }
    if !payer.is_writable() || !account.is_writable() {
        return Err(SunderError::NotWritable);
    }
    Ok(())
}

fn create(payer: &AccountInfo, account: &AccountInfo, data: &[u8; 52], signer: &Signer) -> Result<(), SunderError> {
    let metas = [AccountMeta::writable_signer(payer.key()), AccountMeta::writable_signer(account.key())];
    let instruction = Instruction { program_id: &PROGRAM_ID, accounts: &metas, data };
    Ok(invoke_signed(&instruction, &[payer, account], from_ref(signer))?)
}

/// An instruction that only the account itself has to sign.
fn sign(account: &AccountInfo, data: &[u8], signer: &Signer) -> Result<(), SunderError> {
    let metas = [AccountMeta::writable_signer(account.key())];
    let instruction = Instruction { program_id: &PROGRAM_ID, accounts: &metas, data };
    Ok(invoke_signed(&instruction, &[account], from_ref(signer))?)
}

/// CreateAccount: lamports, size, owner.
fn new_account(lamports: u64, size: usize, owner: &Pubkey) -> [u8; 52] {
    let mut data = [0; 52];
    data[0] = CREATE_ACCOUNT;
    data[4..12].copy_from_slice(&lamports.to_le_bytes());
    data[12..20].copy_from_slice(&(size as u64).to_le_bytes());
    data[20..].copy_from_slice(owner);
    data
}

/// Transfer and Allocate: a number.
fn with_number(instruction: u8, number: u64) -> [u8; 12] {
    let mut data = [0; 12];
    data[0] = instruction;
    data[4..].copy_from_slice(&number.to_le_bytes());
    data
}

/// Assign: the new owner.
fn assigned(owner: &Pubkey) -> [u8; 36] {
    let mut data = [0; 36];
    data[0] = ASSIGN;
    data[4..].copy_from_slice(owner);
    data
}

#[cfg(test)]
mod tests {
    use super::super::testing::{with, Given};
    use super::*;
    use crate::runtime::Seed;

    /// On the host there is no rent to be had and nothing to call: what passes the checks ends with this.
    const PASSED: Result<(), SunderError> = Err(SunderError::Arithmetic);

    fn made(payer: Given, account: Given) -> Result<(), SunderError> {
        with(&[payer, account], |accounts| {
            let seeds = [Seed::from(b"vault"), Seed::from(&[255])];
            create_account(&accounts[0], &accounts[1], 165, &[6; 32], &Signer::from(&seeds))
        })
    }

    #[test]
    fn only_an_empty_account_of_the_system_program_is_made() {
        let payer = Given { signer: true, lamports: 1 << 40, ..Given::default() };
        let empty = Given { key: [2; 32], ..Given::default() };
        assert_eq!(made(payer, empty), PASSED);
        assert_eq!(made(payer, Given { lamports: 1, ..empty }), PASSED);
        let there = Err(SunderError::AlreadyInitialised);
        assert_eq!(made(payer, Given { data: &[0], ..empty }), there);
        assert_eq!(made(payer, Given { owner: [1; 32], ..empty }), there);
        assert_eq!(made(payer, Given { owner: [1; 32], data: &[0; 165], ..empty }), there);
        assert_eq!(made(Given { signer: false, ..payer }, empty), Err(SunderError::MissingSigner));
        assert_eq!(made(Given { writable: false, ..payer }, empty), Err(SunderError::NotWritable));
        assert_eq!(made(payer, Given { writable: false, ..empty }), Err(SunderError::NotWritable));
    }

    #[test]
    fn instructions_are_the_system_programs() {
        let mut create = vec![0, 0, 0, 0, 0xf0, 0x1d, 0x1f, 0, 0, 0, 0, 0, 165, 0, 0, 0, 0, 0, 0, 0];
        create.extend([7; 32]);
        assert_eq!(new_account(2_039_280, 165, &[7; 32]).as_slice(), create);
        assert_eq!(with_number(ALLOCATE, 258), [8, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(with_number(TRANSFER, 1), [2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        let mut assign = vec![1, 0, 0, 0];
        assign.extend([9; 32]);
        assert_eq!(assigned(&[9; 32]).as_slice(), assign);
    }

    #[test]
    fn nobody_sends_lamports_unsigned() {
        let from = Given { lamports: 10, ..Given::default() };
        let to = Given { key: [2; 32], ..Given::default() };
        with(&[from, to], |accounts| {
            assert_eq!(transfer(&accounts[0], &accounts[1], 1), Err(SunderError::MissingSigner));
        });
        with(&[Given { signer: true, ..from }, to], |accounts| {
            assert_eq!(transfer(&accounts[0], &accounts[1], 1), PASSED);
        });
    }
}
