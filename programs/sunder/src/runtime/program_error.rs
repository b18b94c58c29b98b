//! What an instruction ends with.

pub type ProgramResult = Result<(), ProgramError>;

/// Solana's own errors have codes above 32 bits; `Custom` is the program's, below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramError {
    Custom(u32),
    InvalidArgument,
    InvalidInstructionData,
    InvalidAccountData,
    AccountDataTooSmall,
    InsufficientFunds,
    IncorrectProgramId,
    MissingRequiredSignature,
    AccountAlreadyInitialized,
    UninitializedAccount,
    NotEnoughAccountKeys,
    /// Data borrowed twice, or lent while another program is called.
    AccountBorrowFailed,
    MaxSeedLengthExceeded,
    InvalidSeeds,
    UnsupportedSysvar,
    IllegalOwner,
    InvalidRealloc,
    ArithmeticOverflow,
    Immutable,
    /// Any other code, as the runtime gave it.
    Other(u64),
}

const fn builtin(number: u64) -> u64 {
    number << 32
}

impl From<ProgramError> for u64 {
    fn from(error: ProgramError) -> u64 {
        match error {
            ProgramError::Custom(0) => builtin(1), // 0 would say that all went well
            ProgramError::Custom(code) => code as u64,
            ProgramError::InvalidArgument => builtin(2),
            ProgramError::InvalidInstructionData => builtin(3),
            ProgramError::InvalidAccountData => builtin(4),
            ProgramError::AccountDataTooSmall => builtin(5),
            ProgramError::InsufficientFunds => builtin(6),
            ProgramError::IncorrectProgramId => builtin(7),
            ProgramError::MissingRequiredSignature => builtin(8),
            ProgramError::AccountAlreadyInitialized => builtin(9),
            ProgramError::UninitializedAccount => builtin(10),
            ProgramError::NotEnoughAccountKeys => builtin(11),
            ProgramError::AccountBorrowFailed => builtin(12),
            ProgramError::MaxSeedLengthExceeded => builtin(13),
            ProgramError::InvalidSeeds => builtin(14),
            ProgramError::UnsupportedSysvar => builtin(17),
            ProgramError::IllegalOwner => builtin(18),
            ProgramError::InvalidRealloc => builtin(20),
            ProgramError::ArithmeticOverflow => builtin(24),
            ProgramError::Immutable => builtin(25),
            ProgramError::Other(0) => builtin(1), // as above
            ProgramError::Other(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_looks_like_success() {
        assert_eq!(u64::from(ProgramError::Custom(0)), 1 << 32);
        assert_eq!(u64::from(ProgramError::Custom(6000)), 6000);
        assert_eq!(u64::from(ProgramError::Custom(u32::MAX)), u32::MAX as u64);
        assert_eq!(u64::from(ProgramError::InvalidArgument), 2 << 32);
        assert_eq!(u64::from(ProgramError::Other(0)), 1 << 32);
    }
}
