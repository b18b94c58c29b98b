//! The program that the tests check the compiler and the runtime with; never deployed. The first byte of an instruction says
//! what to check.
#![no_std]
extern crate alloc;

mod probe;
#[path = "../../sunder/src/runtime/mod.rs"]
pub mod runtime;
mod sample;
mod vectors;

use core::alloc::{GlobalAlloc, Layout};
use runtime::{set_return_data, AccountInfo, ProgramError, ProgramResult, Pubkey};

const VECTORS: u8 = 0;
const SAMPLE: u8 = 1;
pub const PROBE: u8 = 2;

/// Hands out the heap from its start and takes nothing back, but for `reset`. The first word says how far it is used.
struct Heap;

const HEAP: usize = 0x3_0000_0000;
const HEAP_END: usize = HEAP + 32 * 1024;

unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = HEAP as *mut usize;
        let start = usize::max(used.read(), HEAP + 8).next_multiple_of(layout.align());
        let end = start + layout.size();
        if end > HEAP_END {
            return core::ptr::null_mut();
        }
        used.write(end);
        start as *mut u8
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

impl Heap {
    /// Only where nothing on the heap is in use.
    unsafe fn reset(&self) {
        (HEAP as *mut usize).write(0)
    }
}

#[global_allocator]
static ALLOCATOR: Heap = Heap;

crate::entrypoint!(process_instruction);

fn process_instruction(program_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let (what, rest) = data.split_first().ok_or(ProgramError::InvalidInstructionData)?;
    match *what {
        VECTORS => check_vectors(accounts, rest[0]),
        SAMPLE => run_sample(rest),
        PROBE => probe::run(program_id, accounts, rest),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

/// The account holds records of 48 bytes: a, b, and place for the answer.
fn check_vectors(accounts: &[AccountInfo], operation: u8) -> ProgramResult {
    let mut data = accounts.first().ok_or(ProgramError::NotEnoughAccountKeys)?.try_borrow_mut_data()?;
    for record in data.chunks_exact_mut(48) {
        let a = u128::from_le_bytes(record[..16].try_into().unwrap());
        let b = u128::from_le_bytes(record[16..32].try_into().unwrap());
        let answer = vectors::apply(operation, a, b).ok_or(ProgramError::InvalidInstructionData)?;
        record[32..].copy_from_slice(&answer.to_le_bytes());
    }
    Ok(())
}

/// Part and seeds in, one answer for each seed out.
fn run_sample(data: &[u8]) -> ProgramResult {
    let mut answers = [0; 64];
    let mut len = 0;
    for seed in data[1..].chunks_exact(8) {
        let answer = sample::run(data[0], u64::from_le_bytes(seed.try_into().unwrap()));
        answers[len..len + 8].copy_from_slice(&answer.to_le_bytes());
        len += 8;
        unsafe { ALLOCATOR.reset() }
    }
    set_return_data(&answers[..len]);
    Ok(())
}
