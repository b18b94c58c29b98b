//! Sunder on chain. An instruction is 8 bytes that name it, sha256("global:name")[..8], and its arguments.
#![cfg_attr(target_os = "solana", no_std)]

pub mod math;
pub mod runtime;
pub mod state;

use runtime::{set_return_data, AccountInfo, ProgramError, ProgramResult, Pubkey};

/// What `version` returns, as a little-endian u32. Goes up with every change that a client could notice.
pub const VERSION: u32 = 1;

/// sha256("global:version")[..8]
const VERSION_INSTRUCTION: [u8; 8] = [118, 65, 195, 198, 129, 216, 252, 192];

/// The program's own errors, in the range that clients expect of a program (6000 and up).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SunderError {
    UnknownInstruction = 6000,
}

impl From<SunderError> for ProgramError {
    fn from(error: SunderError) -> ProgramError {
        ProgramError::Custom(error as u32)
    }
}

#[cfg(target_os = "solana")]
crate::entrypoint!(process_instruction);

/// The one door: reads which instruction it is, and hands the rest on.
pub fn process_instruction(_program_id: &Pubkey, _accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let (name, _arguments) = data.split_first_chunk::<8>().ok_or(SunderError::UnknownInstruction)?;
    match *name {
        VERSION_INSTRUCTION => {
            set_return_data(&VERSION.to_le_bytes());
            Ok(())
        }
        _ => Err(SunderError::UnknownInstruction.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let unknown = Err(ProgramError::Custom(6000));
        assert_eq!(process_instruction(&[0; 32], &[], &[]), unknown);
        assert_eq!(process_instruction(&[0; 32], &[], &VERSION_INSTRUCTION[..7]), unknown);
        assert_eq!(process_instruction(&[0; 32], &[], &[0; 8]), unknown);
    }
}
