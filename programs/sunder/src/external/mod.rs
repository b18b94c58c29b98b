//! The other programs that Sunder calls or reads, and what of their accounts it believes: the system program, the token
//! programs, Jupiter's pool, the loader.
//!
//! Foreign accounts are read by offset, after their owner, length and kind have been checked. Calls are made with the
//! ids written down here and never with one that an account brought. Functions take at most five argument words,
//! because those of more exist only inlined (docs/program-build.md).
#![cfg_attr(not(test), forbid(unsafe_code))]
#![cfg_attr(test, deny(unsafe_code))]

pub mod jupiter;
pub mod loader;
pub mod system;
#[cfg(test)]
mod testing;
pub mod token;
pub mod token_2022;

/// The `N` bytes at an offset, or None past the end.
#[inline(always)]
fn bytes_at<const N: usize>(data: &[u8], at: usize) -> Option<&[u8; N]> {
    data.get(at..)?.first_chunk()
}

#[inline(always)]
fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    bytes_at(data, at).map(|bytes| u64::from_le_bytes(*bytes))
}
