//! Calls into other programs.
use super::account::AccountInfo;
use super::memory::Slice;
use super::program_error::{ProgramError, ProgramResult};
use super::pubkey::Pubkey;
use super::syscalls;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// A limit of ours: each takes 56 bytes of a 4 KiB stack frame.
pub const MAX_CPI_ACCOUNTS: usize = 32;

#[derive(Clone)]
#[repr(C)]
pub struct AccountMeta<'a> {
    pub pubkey: &'a Pubkey,
    pub is_writable: bool,
    pub is_signer: bool,
}

impl<'a> AccountMeta<'a> {
    pub fn readonly(pubkey: &'a Pubkey) -> Self {
        AccountMeta { pubkey, is_writable: false, is_signer: false }
    }
    pub fn writable(pubkey: &'a Pubkey) -> Self {
        AccountMeta { pubkey, is_writable: true, is_signer: false }
    }
    pub fn readonly_signer(pubkey: &'a Pubkey) -> Self {
        AccountMeta { pubkey, is_writable: false, is_signer: true }
    }
    pub fn writable_signer(pubkey: &'a Pubkey) -> Self {
        AccountMeta { pubkey, is_writable: true, is_signer: true }
    }
}

pub struct Instruction<'a> {
    pub program_id: &'a Pubkey,
    pub accounts: &'a [AccountMeta<'a>],
    pub data: &'a [u8],
}

/// One seed of an address that the program signs for.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Seed<'a>(Slice<'a>);

impl<'a> From<&'a [u8]> for Seed<'a> {
    fn from(seed: &'a [u8]) -> Self {
        Seed(Slice::of(seed))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Seed<'a> {
    fn from(seed: &'a [u8; N]) -> Self {
        Seed(Slice::of(seed))
    }
}

/// All seeds of one such address, its bump last.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Signer<'a> {
    seeds: *const Seed<'a>,
    len: u64,
    lent: PhantomData<&'a [Seed<'a>]>,
}

impl<'a, const N: usize> From<&'a [Seed<'a>; N]> for Signer<'a> {
    fn from(seeds: &'a [Seed<'a>; N]) -> Self {
        Signer { seeds: seeds.as_ptr(), len: N as u64, lent: PhantomData }
    }
}

/// SolInstruction of the C interface.
#[repr(C)]
struct RawInstruction {
    program_id: *const Pubkey,
    accounts: *const u8,
    accounts_len: u64,
    data: *const u8,
    data_len: u64,
}

/// SolAccountInfo of the C interface. The runtime finds the account's fields by these pointers and writes what the call has
/// changed there, and the new length both here and into the input buffer.
#[repr(C)]
struct RawInfo {
    key: *const Pubkey,
    lamports: *mut u64,
    data_len: u64,
    data: *mut u8,
    owner: *mut Pubkey,
    rent_epoch: u64,
    is_signer: bool,
    is_writable: bool,
    executable: bool,
}

impl RawInfo {
    fn of(account: &AccountInfo) -> RawInfo {
        let raw = account.raw;
        // Addresses of fields, without a reference to any.
        unsafe {
            RawInfo {
                key: &raw const (*raw).key,
                lamports: &raw mut (*raw).lamports,
                data_len: (*raw).data_len,
                data: account.data_ptr(),
                owner: &raw mut (*raw).owner,
                rent_epoch: 0,
                is_signer: account.is_signer(),
                is_writable: account.is_writable(),
                executable: account.executable(),
            }
        }
    }
}

pub fn invoke<const N: usize>(instruction: &Instruction, accounts: &[&AccountInfo; N]) -> ProgramResult {
    invoke_signed(instruction, accounts, &[])
}

/// Calls another program. `accounts` are those of the instruction, in its order; the program called need not be among them.
/// Refuses while data that the call may change is borrowed, or data that it may read is borrowed to write. If the other program
/// fails, so does the whole transaction, and this does not return.
pub fn invoke_signed<const N: usize>(
    instruction: &Instruction,
    accounts: &[&AccountInfo; N],
    signers: &[Signer],
) -> ProgramResult {
    const { assert!(N <= MAX_CPI_ACCOUNTS) }
    if instruction.accounts.len() != N {
        return Err(ProgramError::NotEnoughAccountKeys);
    }
    let mut infos = [const { MaybeUninit::<RawInfo>::uninit() }; N];
    for i in 0..N {
        let (meta, account) = (&instruction.accounts[i], accounts[i]);
        if meta.pubkey != account.key() {
            return Err(ProgramError::InvalidArgument);
        }
        if meta.is_writable {
            account.check_not_borrowed()?;
        } else {
            account.check_not_borrowed_mutably()?;
        }
        infos[i].write(RawInfo::of(account));
    }
    let mut raw = RawInstruction {
        program_id: instruction.program_id,
        accounts: instruction.accounts.as_ptr().cast(),
        accounts_len: N as u64,
        data: instruction.data.as_ptr(),
        data_len: instruction.data.len() as u64,
    };
    let code = unsafe {
        syscalls::sol_invoke_signed_c(
            (&raw mut raw).cast(),
            infos.as_mut_ptr().cast(),
            N as u64,
            signers.as_ptr().cast(),
            signers.len() as u64,
        )
    };
    if code == 0 {
        Ok(())
    } else {
        Err(ProgramError::Other(code))
    }
}
