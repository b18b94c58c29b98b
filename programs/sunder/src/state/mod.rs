//! The program's accounts: views over their bytes, field by field.
//!
//! Nothing here is an overlay: a getter reads the bytes at an offset, a setter writes them, so that alignment and the layout
//! that a compiler chooses do not matter. Offsets are generated from `test/generate/layouts.ts`, where every field is
//! described (also docs/program-accounts.md); so are those of the client.
#![forbid(unsafe_code)]

#[macro_use]
mod view;
mod convert;
mod error;
mod generated;
#[cfg(test)]
mod tests;
mod ticks;

pub use error::StateError;
pub use generated::*;
pub use ticks::{TickPlace, TradeTicks};
pub use view::{check, FieldInfo, Leaf};
