//! Log lines, and data for indexers.
use super::pubkey::Pubkey;
use super::syscalls;

pub fn log(message: &str) {
    unsafe { syscalls::sol_log_(message.as_ptr(), message.len() as u64) }
}

/// Five numbers in one line, in hexadecimal.
pub fn log_64(a: u64, b: u64, c: u64, d: u64, e: u64) {
    unsafe { syscalls::sol_log_64_(a, b, c, d, e) }
}

pub fn log_pubkey(key: &Pubkey) {
    unsafe { syscalls::sol_log_pubkey(key.as_ptr()) }
}

/// What is left of the compute budget; two of these around a piece of code measure it.
pub fn log_compute_units() {
    unsafe { syscalls::sol_log_compute_units_() }
}

/// "Program data:" with each part in base64: an event.
pub fn log_data<const N: usize>(parts: &[&[u8]; N]) {
    let parts = parts.map(super::memory::Slice::of);
    unsafe { syscalls::sol_log_data(parts.as_ptr().cast(), N as u64) }
}
