//! What an instruction answers, to its caller and in the transaction's record.
use super::pubkey::Pubkey;
use super::syscalls;

/// The runtime's limit.
pub const MAX_RETURN_DATA: usize = 1024;

/// More than `MAX_RETURN_DATA` bytes fail the transaction.
pub fn set_return_data(data: &[u8]) {
    unsafe { syscalls::sol_set_return_data(data.as_ptr(), data.len() as u64) }
}

/// What the program called last has answered, cut to the buffer, and who that was; `None` if nothing was answered.
pub fn get_return_data(buffer: &mut [u8]) -> Option<(Pubkey, &[u8])> {
    let mut program = [0; 32];
    let len = unsafe { syscalls::sol_get_return_data(buffer.as_mut_ptr(), buffer.len() as u64, program.as_mut_ptr()) };
    let len = usize::min(len as usize, buffer.len());
    if len == 0 {
        None
    } else {
        Some((program, &buffer[..len]))
    }
}
