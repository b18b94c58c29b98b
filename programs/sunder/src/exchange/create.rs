//! Making accounts at the addresses that the program derives.
use crate::external::system;
use crate::interface::{addresses, SunderError};
use crate::runtime::{find_program_address, AccountInfo, Pubkey, Seed, Signer};

/// An account to be made, and who pays its rent. Seeds are hashed one behind the other, so that an empty one is none.
pub struct New<'a> {
    pub payer: &'a AccountInfo,
    pub account: &'a AccountInfo,
    pub seeds: [&'a [u8]; 3],
}

impl New<'_> {
    /// The bump of its address. `WrongAddress` for an account that is not there.
    #[inline(never)]
    pub fn bump(&self) -> Result<u8, SunderError> {
        let (address, bump) = find_program_address(&self.seeds, &addresses::PROGRAM)?;
        if *self.account.key() != address {
            return Err(SunderError::WrongAddress);
        }
        Ok(bump)
    }

    /// Zero bytes that `owner` may write. `AlreadyInitialised`, and what the system program refuses.
    #[inline(never)]
    pub fn make(&self, bump: u8, size: usize, owner: &Pubkey) -> Result<(), SunderError> {
        let bump = [bump];
        let [first, second, third] = self.seeds.map(Seed::from);
        let seeds = [first, second, third, Seed::from(&bump)];
        system::create_account(self.payer, self.account, size, owner, &Signer::from(&seeds))
    }

    /// Both of them; the bump.
    pub fn create(&self, size: usize, owner: &Pubkey) -> Result<u8, SunderError> {
        let bump = self.bump()?;
        self.make(bump, size, owner)?;
        Ok(bump)
    }
}
