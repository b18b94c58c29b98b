//! Accounts for tests on the host, made as the loader makes them.
#![allow(unsafe_code)]
use crate::runtime::{deserialize, AccountInfo, Pubkey, MAX_ACCOUNTS};
use core::mem::MaybeUninit;

/// Bytes that the loader leaves behind an account's data.
const ROOM_TO_GROW: usize = 10_240;

#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub key: Pubkey,
    pub owner: Pubkey,
    pub lamports: u64,
    pub signer: bool,
    pub writable: bool,
    pub data: &'a [u8],
}

impl Default for Given<'_> {
    fn default() -> Self {
        Given { key: [1; 32], owner: [0; 32], lamports: 0, signer: false, writable: true, data: &[] }
    }
}

/// Lends accounts for as long as `look` runs.
pub fn with<R>(given: &[Given], look: impl FnOnce(&[AccountInfo]) -> R) -> R {
    let mut bytes = (given.len() as u64).to_le_bytes().to_vec();
    for account in given {
        bytes.extend([255, account.signer as u8, account.writable as u8, 0, 0, 0, 0, 0]);
        bytes.extend(account.key);
        bytes.extend(account.owner);
        bytes.extend(account.lamports.to_le_bytes());
        bytes.extend((account.data.len() as u64).to_le_bytes());
        bytes.extend(account.data);
        bytes.resize((bytes.len() + ROOM_TO_GROW + 7) & !7, 0);
        bytes.extend(u64::MAX.to_le_bytes());
    }
    bytes.extend([0; 8 + 32]);
    let mut words: Vec<u64> = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    let mut list = [const { MaybeUninit::uninit() }; MAX_ACCOUNTS];
    // Words are 8-aligned, laid out as the loader's buffer, and outlive the accounts, which cannot leave `look`.
    look(unsafe { deserialize(words.as_mut_ptr().cast(), &mut list) }.unwrap().accounts)
}

/// The same for one account.
pub fn with_one<R>(given: Given, look: impl FnOnce(&AccountInfo) -> R) -> R {
    with(&[given], |accounts| look(&accounts[0]))
}
