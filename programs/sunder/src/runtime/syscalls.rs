//! The syscalls, declared as the loader knows them. On the host they are stubs: logs are printed, memory is moved, time stands
//! still, and what would need a chain fails.
//!
//! Plain `extern "C"` is right for programs of version 0 (SBPF v0), which both builds make. With `cargo build-sbf --arch v3` the
//! official toolchain wants each call by the murmur3 hash of its name instead (cfg target_feature = "static-syscalls"); that is
//! not written here, and untested.

#[cfg(target_os = "solana")]
extern "C" {
    pub fn sol_panic_(file: *const u8, len: u64, line: u64, column: u64) -> !;
    pub fn sol_log_(message: *const u8, len: u64);
    pub fn sol_log_64_(a: u64, b: u64, c: u64, d: u64, e: u64);
    pub fn sol_log_pubkey(key: *const u8);
    pub fn sol_log_compute_units_();
    pub fn sol_log_data(parts: *const u8, count: u64);
    pub fn sol_memmove_(to: *mut u8, from: *const u8, len: u64);
    pub fn sol_memset_(to: *mut u8, byte: u8, len: u64);
    pub fn sol_memcmp_(a: *const u8, b: *const u8, len: u64, order: *mut i32);
    pub fn sol_create_program_address(seeds: *const u8, count: u64, program: *const u8, address: *mut u8) -> u64;
    pub fn sol_try_find_program_address(
        seeds: *const u8,
        count: u64,
        program: *const u8,
        address: *mut u8,
        bump: *mut u8,
    ) -> u64;
    pub fn sol_invoke_signed_c(
        instruction: *const u8,
        infos: *const u8,
        infos_len: u64,
        signers: *const u8,
        signers_len: u64,
    ) -> u64;
    pub fn sol_get_clock_sysvar(clock: *mut u8) -> u64;
    pub fn sol_get_rent_sysvar(rent: *mut u8) -> u64;
    pub fn sol_set_return_data(data: *const u8, len: u64);
    pub fn sol_get_return_data(data: *mut u8, len: u64, program: *mut u8) -> u64;
}

#[cfg(not(target_os = "solana"))]
pub use host::*;

/// Same names, same arguments; `unsafe` as there, so that the callers are the same.
#[cfg(not(target_os = "solana"))]
mod host {
    const NOT_ON_CHAIN: u64 = 1;

    unsafe fn text<'a>(at: *const u8, len: u64) -> &'a str {
        core::str::from_utf8(core::slice::from_raw_parts(at, len as usize)).unwrap_or("(not text)")
    }

    pub unsafe fn sol_log_(message: *const u8, len: u64) {
        std::println!("{}", text(message, len));
    }
    pub unsafe fn sol_log_64_(a: u64, b: u64, c: u64, d: u64, e: u64) {
        std::println!("{a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}");
    }
    pub unsafe fn sol_log_pubkey(key: *const u8) {
        std::println!("{:?}", core::slice::from_raw_parts(key, 32));
    }
    pub unsafe fn sol_log_compute_units_() {}
    pub unsafe fn sol_log_data(_parts: *const u8, _count: u64) {}
    pub unsafe fn sol_memmove_(to: *mut u8, from: *const u8, len: u64) {
        core::ptr::copy(from, to, len as usize)
    }
    pub unsafe fn sol_memset_(to: *mut u8, byte: u8, len: u64) {
        core::ptr::write_bytes(to, byte, len as usize)
    }
    pub unsafe fn sol_memcmp_(a: *const u8, b: *const u8, len: u64, order: *mut i32) {
        let (a, b) = (core::slice::from_raw_parts(a, len as usize), core::slice::from_raw_parts(b, len as usize));
        *order = a.iter().zip(b).map(|(x, y)| *x as i32 - *y as i32).find(|d| *d != 0).unwrap_or(0);
    }
    pub unsafe fn sol_create_program_address(_: *const u8, _: u64, _: *const u8, _: *mut u8) -> u64 {
        NOT_ON_CHAIN
    }
    pub unsafe fn sol_try_find_program_address(_: *const u8, _: u64, _: *const u8, _: *mut u8, _: *mut u8) -> u64 {
        NOT_ON_CHAIN
    }
    pub unsafe fn sol_invoke_signed_c(_: *const u8, _: *const u8, _: u64, _: *const u8, _: u64) -> u64 {
        NOT_ON_CHAIN
    }
    pub unsafe fn sol_get_clock_sysvar(_: *mut u8) -> u64 {
        NOT_ON_CHAIN
    }
    pub unsafe fn sol_get_rent_sysvar(_: *mut u8) -> u64 {
        NOT_ON_CHAIN
    }
    pub unsafe fn sol_set_return_data(_: *const u8, _: u64) {}
    pub unsafe fn sol_get_return_data(_: *mut u8, _: u64, _: *mut u8) -> u64 {
        0
    }
}
