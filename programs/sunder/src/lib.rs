//! Sunder on chain. An instruction is 8 bytes that name it, sha256("global:name")[..8], and its arguments.
#![cfg_attr(target_os = "solana", no_std)]

pub mod exchange;
pub mod external;
pub mod interface;
pub mod math;
pub mod runtime;
pub mod state;

pub use interface::SunderError;

use exchange::Workspace;
use interface::{addresses, dispatch, receive, EVENT_CALL};
use runtime::{set_return_data, whole_heap, AccountInfo, ProgramError, ProgramResult, Pubkey, Zeroed};

/// What `version` returns, as a little-endian u32. Goes up with every change that a client could notice.
pub const VERSION: u32 = 2;

/// sha256("global:version")[..8]
const VERSION_INSTRUCTION: [u8; 8] = [118, 65, 195, 198, 129, 216, 252, 192];

// Numbers, and an option of a number: zero bytes are a value of each.
unsafe impl Zeroed for Workspace {}

#[cfg(target_os = "solana")]
crate::entrypoint!(process_instruction);

/// The one door: reads which instruction it is, and hands the rest on.
pub fn process_instruction(program_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    // Addresses are constants: anywhere else the program would sign for accounts that are not its own.
    if *program_id != addresses::PROGRAM {
        return Err(ProgramError::IncorrectProgramId);
    }
    let (name, arguments) = data.split_first_chunk::<8>().ok_or(SunderError::UnknownInstruction)?;
    match *name {
        EVENT_CALL => Ok(receive(accounts)?),
        VERSION_INSTRUCTION => {
            set_return_data(&VERSION.to_le_bytes());
            Ok(())
        }
        name => {
            // The first and only use of the heap in this call.
            let work = unsafe { whole_heap::<Workspace>() };
            work.begin()?;
            dispatch(name, accounts, arguments, work)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let unknown = Err(ProgramError::Custom(6000));
        let program = &addresses::PROGRAM;
        assert_eq!(process_instruction(program, &[], &[]), unknown);
        assert_eq!(process_instruction(program, &[], &VERSION_INSTRUCTION[..7]), unknown);
        assert_eq!(process_instruction(&[0; 32], &[], &VERSION_INSTRUCTION), Err(ProgramError::IncorrectProgramId));
    }
}
