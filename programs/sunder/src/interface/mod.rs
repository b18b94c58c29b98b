//! What the program can be asked, and what it answers: instructions with their accounts and arguments, errors, events. Generated
//! from `test/generate/interface.ts`, as are the IDL and the client.
#![forbid(unsafe_code)]

mod checks;
mod errors;
mod events;
mod generated;

pub use events::{receive, Events, EVENT_CALL};
pub use generated::*;
