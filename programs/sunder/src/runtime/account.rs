//! An account as the instruction got it.
//!
//! Why nothing here can alias. The bytes of an account lie in the input buffer, and the same account given twice is the same
//! bytes. So:
//! - data is lent through guards (`Ref`, `RefMut`) that count in the account's first byte, one byte for all its duplicates: many
//!   readers or one writer, as with `RefCell`, and an error instead of a second writer;
//! - lamports, owner and length are read and written by value, and no reference to them is ever handed out, so that another
//!   program may change them during a call without anybody holding a stale one;
//! - the key alone is lent as a plain reference: nothing ever writes to it;
//! - a call into another program is refused while any account it may change is lent (see `invoke_signed`).
//!
//! What is left to the caller of `deserialize`, and therefore `unsafe` there, is that the buffer outlives its accounts: on chain it
//! lives as long as the program runs.
use super::program_error::{ProgramError, ProgramResult};
use super::pubkey::Pubkey;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// The head of an account in the input buffer; its data follows.
#[repr(C)]
pub(super) struct RawAccount {
    /// Arrives as a marker (255: not a duplicate), then counts who has borrowed the data: 128 a writer, else the readers.
    pub(super) borrowed: u8,
    pub(super) is_signer: u8,
    pub(super) is_writable: u8,
    pub(super) executable: u8,
    /// Padding on arrival, and not read back by the loader: 1 if a later account of the instruction is this one again.
    pub(super) repeats: u8,
    pub(super) padding: [u8; 3],
    pub(super) key: Pubkey,
    pub(super) owner: Pubkey,
    pub(super) lamports: u64,
    pub(super) data_len: u64,
}

const WRITER: u8 = 128;
const SYSTEM_PROGRAM: Pubkey = [0; 32];

/// A handle: clones and duplicates are the same account.
#[derive(Clone)]
#[repr(transparent)]
pub struct AccountInfo {
    pub(super) raw: *mut RawAccount,
}

// Every method goes through the raw pointer, valid by the promise made to `deserialize`, and none makes a reference to a field
// that can change.
impl AccountInfo {
    pub fn key(&self) -> &Pubkey {
        unsafe { &(*self.raw).key }
    }

    /// The program that owns the account, as a copy: a call into another program may change it.
    pub fn owner(&self) -> Pubkey {
        unsafe { (*self.raw).owner }
    }

    pub fn is_owned_by(&self, program: &Pubkey) -> bool {
        self.owner() == *program
    }

    pub fn is_signer(&self) -> bool {
        unsafe { (*self.raw).is_signer != 0 }
    }

    pub fn is_writable(&self) -> bool {
        unsafe { (*self.raw).is_writable != 0 }
    }

    pub fn executable(&self) -> bool {
        unsafe { (*self.raw).executable != 0 }
    }

    /// Whether the instruction names this account more than once: to be refused where two roles must not be one account.
    pub fn is_repeated(&self) -> bool {
        unsafe { (*self.raw).repeats != 0 }
    }

    pub fn lamports(&self) -> u64 {
        unsafe { (*self.raw).lamports }
    }

    /// What the program may set is checked by the runtime when the instruction ends: the sum over all accounts stays.
    pub fn set_lamports(&self, lamports: u64) {
        unsafe { (*self.raw).lamports = lamports }
    }

    pub fn data_len(&self) -> usize {
        unsafe { (*self.raw).data_len as usize }
    }

    pub fn data_is_empty(&self) -> bool {
        self.data_len() == 0
    }

    /// The data to read, until the guard goes; an error while someone writes.
    pub fn try_borrow_data(&self) -> Result<Ref<'_>, ProgramError> {
        let readers = self.borrowed();
        if readers >= WRITER - 1 {
            return Err(ProgramError::AccountBorrowFailed);
        }
        self.set_borrowed(readers + 1);
        Ok(Ref { data: self.data(), account: self, lent: PhantomData })
    }

    /// The data to write, until the guard goes; an error while anyone else has it. Writing to an account that is not writable
    /// fails the transaction at its end, as the runtime compares.
    pub fn try_borrow_mut_data(&self) -> Result<RefMut<'_>, ProgramError> {
        self.check_not_borrowed()?;
        self.set_borrowed(WRITER);
        Ok(RefMut { data: self.data(), account: self, lent: PhantomData })
    }

    /// Ends the account: its lamports go to `heir`, its data is gone, and the system program has it back.
    pub fn close_to(&self, heir: &AccountInfo) -> ProgramResult {
        self.check_not_borrowed()?;
        if self.raw == heir.raw {
            return Err(ProgramError::InvalidArgument);
        }
        let sum = heir.lamports().checked_add(self.lamports()).ok_or(ProgramError::ArithmeticOverflow)?;
        heir.set_lamports(sum);
        self.set_lamports(0);
        unsafe {
            (*self.raw).data_len = 0;
            (*self.raw).owner = SYSTEM_PROGRAM;
        }
        Ok(())
    }

    pub(super) fn check_not_borrowed(&self) -> ProgramResult {
        if self.borrowed() == 0 {
            Ok(())
        } else {
            Err(ProgramError::AccountBorrowFailed)
        }
    }

    pub(super) fn check_not_borrowed_mutably(&self) -> ProgramResult {
        if self.borrowed() < WRITER {
            Ok(())
        } else {
            Err(ProgramError::AccountBorrowFailed)
        }
    }

    fn borrowed(&self) -> u8 {
        unsafe { (*self.raw).borrowed }
    }

    fn set_borrowed(&self, state: u8) {
        unsafe { (*self.raw).borrowed = state }
    }

    fn data(&self) -> NonNull<[u8]> {
        // Not null: it lies behind the head.
        unsafe { NonNull::slice_from_raw_parts(NonNull::new_unchecked(self.data_ptr()), self.data_len()) }
    }

    pub(super) fn data_ptr(&self) -> *mut u8 {
        unsafe { self.raw.add(1).cast() }
    }
}

/// Data lent to read. Holds a pointer and not a reference, so that the reference ends before the count goes down.
pub struct Ref<'a> {
    data: NonNull<[u8]>,
    account: &'a AccountInfo,
    lent: PhantomData<&'a [u8]>,
}

impl Deref for Ref<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // No writer, as long as this guard is counted.
        unsafe { self.data.as_ref() }
    }
}

impl Drop for Ref<'_> {
    fn drop(&mut self) {
        self.account.set_borrowed(self.account.borrowed() - 1)
    }
}

/// Data lent to write.
pub struct RefMut<'a> {
    data: NonNull<[u8]>,
    account: &'a AccountInfo,
    lent: PhantomData<&'a mut [u8]>,
}

impl Deref for RefMut<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // Nobody else, as long as this guard is counted.
        unsafe { self.data.as_ref() }
    }
}

impl DerefMut for RefMut<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        unsafe { self.data.as_mut() }
    }
}

impl Drop for RefMut<'_> {
    fn drop(&mut self) {
        self.account.set_borrowed(0)
    }
}

/// For instructions in which no two roles may be one account: the guards above make duplicates harmless to memory, but not to
/// sums ("pay from a to a").
pub fn refuse_writable_duplicates(accounts: &[AccountInfo]) -> ProgramResult {
    if accounts.iter().any(|account| account.is_writable() && account.is_repeated()) {
        return Err(ProgramError::InvalidArgument);
    }
    Ok(())
}
