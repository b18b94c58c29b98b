//! Time and rent, from the runtime itself: no account to be given, so none to be forged.
use super::program_error::ProgramError;
use super::syscalls;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Clock {
    pub slot: u64,
    pub epoch_start_timestamp: i64,
    pub epoch: u64,
    pub leader_schedule_epoch: u64,
    /// Seconds since 1970, as the validators estimate them.
    pub unix_timestamp: i64,
}

impl Clock {
    pub fn get() -> Result<Clock, ProgramError> {
        let mut clock = Clock::default();
        let code = unsafe { syscalls::sol_get_clock_sysvar((&raw mut clock).cast()) };
        if code == 0 {
            Ok(clock)
        } else {
            Err(ProgramError::UnsupportedSysvar)
        }
    }
}

/// What the runtime counts for an account besides its data.
const ACCOUNT_OVERHEAD: u64 = 128;

/// The threshold is a float on chain; only its bits are read here, as the program does no floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Rent {
    lamports_per_byte: u64,
    exemption_threshold: u64,
    burn_percent: u8,
}

impl Rent {
    pub fn get() -> Result<Rent, ProgramError> {
        let mut rent = Rent::default();
        let code = unsafe { syscalls::sol_get_rent_sysvar((&raw mut rent).cast()) };
        if code == 0 {
            Ok(rent)
        } else {
            Err(ProgramError::UnsupportedSysvar)
        }
    }

    /// Lamports that keep an account of this size alive. The threshold has been 2.0 since genesis; 1.0 is its announced
    /// successor (with twice the lamports per byte). Anything else is refused rather than guessed at.
    pub fn minimum_balance(&self, data_len: usize) -> Result<u64, ProgramError> {
        const ONE: u64 = 1.0f64.to_bits();
        const TWO: u64 = 2.0f64.to_bits();
        let years = match self.exemption_threshold {
            ONE => 1,
            TWO => 2,
            _ => return Err(ProgramError::UnsupportedSysvar),
        };
        ACCOUNT_OVERHEAD
            .checked_add(data_len as u64)
            .and_then(|bytes| bytes.checked_mul(self.lamports_per_byte))
            .and_then(|lamports| lamports.checked_mul(years))
            .ok_or(ProgramError::ArithmeticOverflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rent_of_the_main_network() {
        let rent = |per_byte, threshold: f64| Rent {
            lamports_per_byte: per_byte,
            exemption_threshold: threshold.to_bits(),
            burn_percent: 50,
        };
        assert_eq!(rent(3480, 2.0).minimum_balance(0), Ok(890_880));
        assert_eq!(rent(3480, 2.0).minimum_balance(165), Ok(2_039_280));
        assert_eq!(rent(6960, 1.0).minimum_balance(165), Ok(2_039_280));
        assert_eq!(rent(3480, 1.5).minimum_balance(165), Err(ProgramError::UnsupportedSysvar));
        assert_eq!(rent(u64::MAX, 2.0).minimum_balance(0), Err(ProgramError::ArithmeticOverflow));
    }
}
