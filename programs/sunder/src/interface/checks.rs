//! What is checked of accounts and arguments before an instruction begins. The calls are generated.
use super::generated::{addresses, SunderError};
use crate::math::accrual::IndexKind;
use crate::runtime::{AccountInfo, Pubkey};
use crate::state::{self, Leaf};

/// `MissingSigner`.
#[inline(always)]
pub fn signer(account: &AccountInfo) -> Result<(), SunderError> {
    if account.is_signer() {
        Ok(())
    } else {
        Err(SunderError::MissingSigner)
    }
}

/// `NotWritable`.
#[inline(always)]
pub fn writable(account: &AccountInfo) -> Result<(), SunderError> {
    if account.is_writable() {
        Ok(())
    } else {
        Err(SunderError::NotWritable)
    }
}

/// `WrongAddress`.
#[inline(always)]
pub fn at(account: &AccountInfo, address: &Pubkey) -> Result<(), SunderError> {
    if account.key() == address {
        Ok(())
    } else {
        Err(SunderError::WrongAddress)
    }
}

/// `SameAccount` for what must not be given twice.
#[inline(always)]
pub fn alone(account: &AccountInfo) -> Result<(), SunderError> {
    if account.is_repeated() {
        Err(SunderError::SameAccount)
    } else {
        Ok(())
    }
}

/// An optional account: the program's own address stands for none.
#[inline(always)]
pub fn given(account: &AccountInfo) -> Option<&AccountInfo> {
    (account.key() != &addresses::PROGRAM).then_some(account)
}

/// An account of the program, of this kind. `Uninitialised` where there is none, `WrongOwner`, `WrongDiscriminator`, `WrongVersion`,
/// `WrongLength`.
#[inline(never)]
pub fn account(account: &AccountInfo, discriminator: &[u8; 8], version: u8, size: usize) -> Result<(), SunderError> {
    if !account.is_owned_by(&addresses::PROGRAM) {
        let empty = account.data_is_empty() && account.is_owned_by(&addresses::SYSTEM_PROGRAM);
        return Err(if empty { SunderError::Uninitialised } else { SunderError::WrongOwner });
    }
    let data = account.try_borrow_data().map_err(|_| SunderError::SameAccount)?;
    Ok(state::check(&data, discriminator, version, size)?)
}

/// The key that an account of the program keeps at an offset; its size has been checked.
#[inline(always)]
pub fn key_in(account: &AccountInfo, offset: usize) -> Result<Pubkey, SunderError> {
    let data = account.try_borrow_data().map_err(|_| SunderError::SameAccount)?;
    Ok(Leaf::get(&data, offset))
}

/// Refuses with `error` unless the account keeps this key at an offset.
#[inline(always)]
pub fn same(account: &AccountInfo, offset: usize, key: &Pubkey, error: SunderError) -> Result<(), SunderError> {
    let data = account.try_borrow_data().map_err(|_| SunderError::SameAccount)?;
    if data.get(offset..offset + 32) == Some(key) {
        Ok(())
    } else {
        Err(error)
    }
}

/// A value in the arguments. The length has been checked.
pub trait Wire: Sized {
    const BYTES: usize;
    /// `BadArguments` for what names nothing.
    fn read(data: &[u8], at: usize) -> Result<Self, SunderError>;
}

macro_rules! plain {
    ($($type:ty)*) => {$(
        impl Wire for $type {
            const BYTES: usize = <$type as Leaf>::BYTES;
            #[inline(always)]
            fn read(data: &[u8], at: usize) -> Result<Self, SunderError> {
                Ok(Leaf::get(data, at))
            }
        }
    )*};
}
plain!(u8 u16 u32 i32 u64 u128 i128 Pubkey);

impl Wire for bool {
    const BYTES: usize = 1;
    #[inline(always)]
    fn read(data: &[u8], at: usize) -> Result<Self, SunderError> {
        match data[at] {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(SunderError::BadArguments),
        }
    }
}

impl Wire for IndexKind {
    const BYTES: usize = 1;
    #[inline(always)]
    fn read(data: &[u8], at: usize) -> Result<Self, SunderError> {
        match data[at] {
            0 => Ok(IndexKind::Hourly),
            1 => Ok(IndexKind::Weekly),
            _ => Err(SunderError::BadArguments),
        }
    }
}

/// The arguments have just this length, or `BadArguments`.
#[inline(always)]
pub fn expect(data: &[u8], size: usize) -> Result<(), SunderError> {
    if data.len() == size {
        Ok(())
    } else {
        Err(SunderError::BadArguments)
    }
}

/// The last argument, of which there may be none: a byte that says so at `at`, then the value, and nothing behind it.
#[inline(always)]
pub fn option<T: Wire>(data: &[u8], at: usize) -> Result<Option<T>, SunderError> {
    match data.get(at) {
        Some(0) => expect(data, at + 1).map(|()| None),
        Some(1) => {
            expect(data, at + 1 + T::BYTES)?;
            T::read(data, at + 1).map(Some)
        }
        _ => Err(SunderError::BadArguments),
    }
}
