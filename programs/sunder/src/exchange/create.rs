//! Making accounts at the addresses that the program derives.
use crate::external::system;
use crate::interface::{addresses, SunderError};
use crate::runtime::{find_program_address, AccountInfo, Pubkey, Seed, Signer};

/// No address of the program has more.
const MOST_SEEDS: usize = 5;

/// An account to be made, and who pays its rent.
pub struct New<'a> {
    payer: &'a AccountInfo,
    account: &'a AccountInfo,
    seeds: [&'a [u8]; MOST_SEEDS],
}

impl<'a> New<'a> {
    pub fn at<const N: usize>(payer: &'a AccountInfo, account: &'a AccountInfo, seeds: [&'a [u8]; N]) -> New<'a> {
        const { assert!(N <= MOST_SEEDS) }
        // Seeds are hashed one behind the other, so that an empty one is none.
        let mut all: [&[u8]; MOST_SEEDS] = [&[]; MOST_SEEDS];
        all[..N].copy_from_slice(&seeds);
        New { payer, account, seeds: all }
    }

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
        let [a, b, c, d, e] = self.seeds.map(Seed::from);
        let seeds = [a, b, c, d, e, Seed::from(&bump)];
        system::create_account(self.payer, self.account, size, owner, &Signer::from(&seeds))
    }

    /// Both of them; the bump.
    pub fn create(&self, size: usize, owner: &Pubkey) -> Result<u8, SunderError> {
        let bump = self.bump()?;
        self.make(bump, size, owner)?;
        Ok(bump)
    }
}
