//! What an instruction has beside its accounts: the time, the event it writes, and room for the walk of a trade.
use crate::interface::{Events, SunderError};
use crate::math::quote::MAX_CROSSINGS;
use crate::math::swap::Step;
use crate::runtime::Clock;

/// A walk writes one step more than it crosses ticks, and one for a tick at the edge.
pub const STEPS: usize = MAX_CROSSINGS as usize + 2;

/// Kept in the heap, since a frame of the stack has 4 KiB. All zero at the beginning of every call of the program.
pub struct Workspace {
    /// Unix seconds.
    pub now: u32,
    pub events: Events,
    pub steps: [Step; STEPS],
    /// For quotes that are only tried.
    pub trial: [Step; STEPS],
}

impl Workspace {
    /// `Arithmetic` for a time that is none of this protocol's.
    pub fn begin(&mut self) -> Result<(), SunderError> {
        let clock = Clock::get().map_err(|_| SunderError::Arithmetic)?;
        self.now = u32::try_from(clock.unix_timestamp).map_err(|_| SunderError::Arithmetic)?;
        self.events.begin();
        Ok(())
    }
}
