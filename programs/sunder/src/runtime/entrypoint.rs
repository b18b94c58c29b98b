//! From the loader's buffer to accounts, data and program id, and back to a code.
use super::account::{AccountInfo, RawAccount};
use super::log::log;
use super::program_error::{ProgramError, ProgramResult};
use super::pubkey::Pubkey;
use core::mem::{size_of, MaybeUninit};

/// More fail the instruction; none of the program's needs as many.
pub const MAX_ACCOUNTS: usize = 64;

/// Bytes that the loader leaves behind an account's data for it to grow.
const ROOM_TO_GROW: usize = 10_240;
const NOT_A_DUPLICATE: u8 = 255;

pub struct Input<'a> {
    pub program_id: &'a Pubkey,
    pub accounts: &'a [AccountInfo],
    pub data: &'a [u8],
}

/// Reads the buffer; `list` is where the accounts are put. A duplicate becomes the same handle as the account it repeats.
///
/// # Safety
/// `input` is what the loader gave (or bytes of the same layout, 8-aligned), given here once, touched by nobody else, and alive
/// for as long as any of the accounts or their clones are in use.
#[inline(always)]
pub unsafe fn deserialize<'a>(
    input: *mut u8,
    list: &'a mut [MaybeUninit<AccountInfo>; MAX_ACCOUNTS],
) -> Result<Input<'a>, ProgramError> {
    let count = input.cast::<u64>().read() as usize;
    if count > MAX_ACCOUNTS {
        log("more than 64 accounts");
        return Err(ProgramError::InvalidArgument);
    }
    let mut at = input.add(size_of::<u64>());
    for i in 0..count {
        let marker = at.read();
        let raw = if marker == NOT_A_DUPLICATE {
            let raw = at.cast::<RawAccount>();
            (*raw).borrowed = 0;
            (*raw).repeats = 0;
            let len = (*raw).data_len as usize;
            let end = size_of::<RawAccount>() + len + ROOM_TO_GROW;
            at = at.add((end + 7) & !7).add(size_of::<u64>()); // behind it the rent epoch, a thing of the past
            raw
        } else {
            // The loader only points back, to an account that is in the list by now.
            let index = marker as usize;
            if index >= i {
                return Err(ProgramError::InvalidArgument);
            }
            let raw = list[index].assume_init_ref().raw;
            (*raw).repeats = 1;
            at = at.add(8);
            raw
        };
        list[i].write(AccountInfo { raw });
    }
    let len = at.cast::<u64>().read() as usize;
    let data = at.add(size_of::<u64>());
    Ok(Input {
        program_id: &*data.add(len).cast::<Pubkey>(),
        accounts: core::slice::from_raw_parts(list.as_ptr().cast(), count),
        data: core::slice::from_raw_parts(data, len),
    })
}

/// What `entrypoint!` calls.
///
/// # Safety
/// As for `deserialize`.
#[inline(always)]
pub unsafe fn run(input: *mut u8, process: fn(&Pubkey, &[AccountInfo], &[u8]) -> ProgramResult) -> u64 {
    let mut list = [const { MaybeUninit::uninit() }; MAX_ACCOUNTS];
    let result = match deserialize(input, &mut list) {
        Ok(input) => process(input.program_id, input.accounts, input.data),
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => 0,
        Err(error) => error.into(),
    }
}

/// Logs the file and the line, and ends the program. The message stays behind: it would bring all of `fmt` along.
#[cfg(target_os = "solana")]
pub fn report_panic(info: &core::panic::PanicInfo) -> ! {
    let (file, line, column) = match info.location() {
        Some(place) => (place.file(), place.line(), place.column()),
        None => ("", 0, 0),
    };
    unsafe { super::syscalls::sol_panic_(file.as_ptr(), file.len() as u64, line as u64, column as u64) }
}

/// Makes a function the program: `fn(&Pubkey, &[AccountInfo], &[u8]) -> ProgramResult`. To be used under
/// cfg(target_os = "solana"), once, in a crate that has this runtime at its root.
#[macro_export]
macro_rules! entrypoint {
    ($process:path) => {
        /// # Safety
        /// Called by the loader alone.
        #[no_mangle]
        pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
            $crate::runtime::run(input, $process)
        }

        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo) -> ! {
            $crate::runtime::report_panic(info)
        }
    };
}

#[cfg(test)]
#[path = "entrypoint_tests.rs"]
mod tests;
