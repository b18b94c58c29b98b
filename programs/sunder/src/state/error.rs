//! Why the bytes of an account were refused.
use crate::math::MathError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// All zero where the discriminator should be: created, but not yet written; or there is no account at all.
    Uninitialised,
    /// To be written for the first time, but something is there.
    AlreadyInitialised,
    /// Another kind of account.
    WrongDiscriminator,
    /// A layout that this program does not know.
    WrongVersion,
    WrongLength,
    /// A value that the program never writes.
    Malformed,
    /// A number beyond the entries of a list, a tick off the grid, or a value too wide for its field.
    OutOfRange,
    /// A tick array of another market, or one that is none of this market's.
    WrongMarket,
}

impl From<StateError> for MathError {
    fn from(error: StateError) -> MathError {
        match error {
            StateError::OutOfRange => MathError::OutOfRange,
            _ => MathError::BadParameter,
        }
    }
}
