//! Addresses, and those that programs derive.
use super::memory::Slice;
use super::program_error::ProgramError;
use super::syscalls;

pub type Pubkey = [u8; 32];

/// The runtime's limit, the bump included. Each seed may have 32 bytes; a longer one ends the program.
pub const MAX_SEEDS: usize = 16;

/// The address of these seeds and the highest bump that puts it off the curve. Costs 1,500 compute units per bump tried: where
/// the bump is known, `create_program_address` with it as the last seed is one try.
pub fn find_program_address<const N: usize>(
    seeds: &[&[u8]; N],
    program_id: &Pubkey,
) -> Result<(Pubkey, u8), ProgramError> {
    const { assert!(N < MAX_SEEDS) }
    let seeds = seeds.map(Slice::of);
    let (mut address, mut bump) = ([0; 32], 0);
    let code = unsafe {
        syscalls::sol_try_find_program_address(
            seeds.as_ptr().cast(),
            N as u64,
            program_id.as_ptr(),
            address.as_mut_ptr(),
            &mut bump,
        )
    };
    if code == 0 {
        Ok((address, bump))
    } else {
        Err(ProgramError::InvalidSeeds)
    }
}

/// The address of these seeds, the bump among them; an error where that lies on the curve.
pub fn create_program_address<const N: usize>(seeds: &[&[u8]; N], program_id: &Pubkey) -> Result<Pubkey, ProgramError> {
    const { assert!(N <= MAX_SEEDS) }
    let seeds = seeds.map(Slice::of);
    let mut address = [0; 32];
    let code = unsafe {
        syscalls::sol_create_program_address(seeds.as_ptr().cast(), N as u64, program_id.as_ptr(), address.as_mut_ptr())
    };
    if code == 0 {
        Ok(address)
    } else {
        Err(ProgramError::InvalidSeeds)
    }
}
