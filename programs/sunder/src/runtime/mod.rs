//! The little of a Solana runtime that the program needs: the input buffer, accounts, addresses, calls into other programs,
//! sysvars and logs, over the syscalls and nothing else.
//!
//! Names and shapes follow the crate `pinocchio`, so that the program could move to it: `AccountInfo`, `Pubkey`, `ProgramError`,
//! `Instruction`, `Signer` and `invoke_signed` mean the same here. Off chain the syscalls are stubs, and everything that does not
//! depend on them can be tested on the host.

mod account;
mod cpi;
mod entrypoint;
mod few;
mod heap;
mod log;
mod memory;
mod program_error;
mod pubkey;
mod return_data;
mod syscalls;
mod sysvars;

pub use account::{refuse_writable_duplicates, AccountInfo, Ref, RefMut};
pub use cpi::{invoke, invoke_signed, AccountMeta, Instruction, Seed, Signer, MAX_CPI_ACCOUNTS};
#[cfg(target_os = "solana")]
pub use entrypoint::report_panic;
pub use entrypoint::{deserialize, run, Input, MAX_ACCOUNTS};
pub use few::Few;
pub use heap::{whole_heap, Zeroed, HEAP_BYTES};
pub use log::{log, log_64, log_compute_units, log_data, log_pubkey};
pub use memory::{compare, copy, fill};
pub use program_error::{ProgramError, ProgramResult};
pub use pubkey::{create_program_address, find_program_address, Pubkey, MAX_SEEDS};
pub use return_data::{get_return_data, set_return_data, MAX_RETURN_DATA};
pub use sysvars::{Clock, Rent};
