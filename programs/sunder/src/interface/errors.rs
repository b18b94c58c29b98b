//! From the refusals of the parts to those of the program.
use super::generated::SunderError;
use crate::math::MathError;
use crate::runtime::ProgramError;
use crate::state::StateError;

impl From<SunderError> for ProgramError {
    fn from(error: SunderError) -> ProgramError {
        ProgramError::Custom(error as u32)
    }
}

impl From<StateError> for SunderError {
    fn from(error: StateError) -> SunderError {
        match error {
            StateError::Uninitialised => SunderError::Uninitialised,
            StateError::AlreadyInitialised => SunderError::AlreadyInitialised,
            StateError::WrongDiscriminator => SunderError::WrongDiscriminator,
            StateError::WrongVersion => SunderError::WrongVersion,
            StateError::WrongLength => SunderError::WrongLength,
            StateError::Malformed => SunderError::Malformed,
            StateError::OutOfRange => SunderError::BadAmount,
            StateError::WrongMarket => SunderError::WrongMarket,
        }
    }
}

/// As the reference engine turns the kernel's errors into refusals. What it would throw as a defect is `Arithmetic` here.
impl From<MathError> for SunderError {
    fn from(error: MathError) -> SunderError {
        match error {
            MathError::OutOfRange => SunderError::BadAmount,
            MathError::TickOffGrid | MathError::BadParameter => SunderError::BadParameter,
            MathError::TimeBackwards => SunderError::TimeBackwards,
            MathError::BadSource => SunderError::BadSource,
            MathError::TooEarly => SunderError::TooEarly,
            MathError::Matured => SunderError::Matured,
            MathError::ZeroAmount => SunderError::ZeroAmount,
            MathError::LimitReached => SunderError::LimitReached,
            MathError::CrossingsReached => SunderError::CrossingsReached,
            MathError::NoLiquidity => SunderError::NoLiquidity,
            MathError::AmountTooSmall => SunderError::AmountTooSmall,
            MathError::DeficitStands => SunderError::DeficitStands,
            MathError::LiquidityLimit => SunderError::LiquidityLimit,
            MathError::DepositTooSmall => SunderError::DepositTooSmall,
            MathError::ShareOutOfRange => SunderError::ShareOutOfRange,
            MathError::PositionEmpty => SunderError::PositionEmpty,
            MathError::TickMissing => SunderError::MissingTickArray,
            MathError::DivisionByZero
            | MathError::Domain
            | MathError::DiscountRises
            | MathError::Overflow
            | MathError::TooManySteps => SunderError::Arithmetic,
        }
    }
}

impl From<MathError> for ProgramError {
    fn from(error: MathError) -> ProgramError {
        SunderError::from(error).into()
    }
}

impl From<StateError> for ProgramError {
    fn from(error: StateError) -> ProgramError {
        SunderError::from(error).into()
    }
}

/// What the runtime refuses before a call is made: data that is still lent means that an account was given twice.
impl From<ProgramError> for SunderError {
    fn from(error: ProgramError) -> SunderError {
        match error {
            ProgramError::AccountBorrowFailed => SunderError::SameAccount,
            _ => SunderError::Arithmetic,
        }
    }
}
